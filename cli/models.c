/* Networks from names and from files. */
#include "cli.h"

#include <spusk/extend/layer.h>
#include <stdlib.h>
#include <string.h>

/* A classifier has a recipe of its own name; the rest are autoencoders. */
bool model_known(const common *c, const char *name)
{
    char names[256] = "";
    size_t used = 0;
    for (int i = 0; sp_recipe_at(i); i++) {
        if (strcmp(sp_recipe_at(i)->name, sp_recipe_at(i)->model) != 0) continue;
        if (strcmp(sp_recipe_at(i)->name, name) == 0) return true;
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", i ? ", " : "", sp_recipe_at(i)->name);
    }
    complain(c, "--model is '%s'; there are: %s", name, names);
    return false;
}

const char *model_summary(const char *name)
{
    int i = 0;
    while (sp_model_name(i) && strcmp(sp_model_name(i), name) != 0) i++;
    return sp_model_name(i) ? sp_model_summary(i) : "";
}

sp_module *load_network(const common *c, const char *path, const char *model)
{
    if (!model && sp_load_metadata(path, "spusk.model", NULL, 0) < 0) {
        if (sp_error_status() == SP_OK && sp_load_metadata(path, "spusk.run.done", NULL, 0) >= 0)
            complain(c,
                     "%s is a checkpoint, to go on with by spusk train --resume; the weights are in the file beside it",
                     path);
        else if (sp_error_status() == SP_OK)
            complain(c, "%s does not describe its network: name it with --model", path);
        return NULL;
    }
    sp_module *network = model ? sp_model_by_name(model) : sp_load_module(path);
    if (model && network && sp_load_state(network, path) != SP_OK) return NULL;
    if (network) sp_eval(network);
    return network;
}

static bool has_child(const sp_module *network, const char *name)
{
    for (int i = 0; i < sp_module_num_children(network); i++)
        if (strcmp(sp_module_child_name(network, i), name) == 0) return true;
    return false;
}

/* Tries the network on an image. A classifier gives one number for each class, and not an image again. */
static bool gives_classes(const common *c, sp_module *network)
{
    bool good = false;
    SP_NO_GRAD {
        const sp_tensor *output = sp_model_apply(network, sp_zeros(SP_DIMS(1, 1, 28, 28)));
        good = output && sp_ndim(output) == 2 && sp_size(output, 1) > 1 && sp_size(output, 1) < 784;
        if (output && !good) complain(c, "%s is no classifier of digits: it gives no classes", c->words[0]);
    }
    return good;
}

bool is_classifier(const common *c, sp_module *network)
{
    if (!has_child(network, "decode")) return gives_classes(c, network);
    complain(c, "%s is an autoencoder, which tells no classes: see spusk scatter, spusk morph", c->words[0]);
    return false;
}

bool is_autoencoder(const common *c, const sp_module *network)
{
    if (has_child(network, "encode") && has_child(network, "decode")) return true;
    complain(c, "%s is no autoencoder, as spusk autoencode makes them: it has no encoder and decoder", c->words[0]);
    return false;
}

/* ---- what its images were like ---- */

static double read_number(const char *path, const char *key, double absent)
{
    char text[64];
    const int64_t length = sp_load_metadata(path, key, text, sizeof text);
    return length > 0 && length < (int64_t)sizeof text ? strtod(text, NULL) : absent;
}

normalization load_normalization(const char *path)
{
    return (normalization){read_number(path, "spusk.mean", 0), read_number(path, "spusk.std", 0)};
}

sp_tensor *normalized(const normalization *n, sp_tensor *image)
{
    return n->std > 0 ? sp_div_scalar(sp_sub_scalar(image, n->mean), n->std) : image;
}

sp_status save_network(const sp_module *model, const normalization *n, const char *path)
{
    char mean[32], std[32];
    if (!(n->std > 0)) return sp_save_state(model, path);
    const size_t length = sp_module_to_json(model, NULL, 0);
    char *json = sp_error_status() == SP_OK ? malloc(length + 1) : NULL;
    if (!json) return sp_error_status() ? sp_error_status() : SP_ERROR_MEMORY;
    sp_module_to_json(model, json, length + 1);
    snprintf(mean, sizeof mean, "%.17g", n->mean);
    snprintf(std, sizeof std, "%.17g", n->std);
    const char *const metadata[] = {"format", "pt", "spusk.model", json, "spusk.mean", mean, "spusk.std", std, NULL};
    const sp_status status = sp_save_tensors(sp_state_dict(model), path, metadata);
    free(json);
    return status;
}

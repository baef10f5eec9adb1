/* The networks that `spusk train` knows, and what all commands do with a network. */
#include "cli.h"

#include <string.h>

/* The classifier of the lesson. */
static sp_module *build_mlp(void)
{
    return sp_nn_sequential(sp_nn_linear(784, 256), sp_nn_relu(), sp_nn_linear(256, 128), sp_nn_relu(),
                            sp_nn_linear(128, 10), sp_nn_log_softmax(1));
}

static const model_kind kinds[] = {
    {"mlp", build_mlp, "classifier.safetensors", "784-256-128-10, ReLU"},
};
#define N_KINDS (sizeof kinds / sizeof *kinds)

const model_kind *find_model(const common *c, const char *name)
{
    char names[256] = "";
    size_t used = 0;
    for (size_t i = 0; i < N_KINDS; i++) {
        if (strcmp(kinds[i].name, name) == 0) return &kinds[i];
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", i ? ", " : "", kinds[i].name);
    }
    complain(c, "--model is '%s'; there are: %s", name, names);
    return NULL;
}

/* in_features of the Linear that a network begins with; 0 when it begins with something else. */
static int64_t first_features(const sp_module *model)
{
    while (sp_module_num_children(model) > 0) model = sp_module_child(model, 0);
    for (int i = 0; i < sp_module_num_attributes(model); i++) {
        sp_attribute attribute = sp_module_attribute(model, i);
        if (strcmp(attribute.name, "in_features") == 0) return attribute.integer;
    }
    return 0;
}

sp_tensor *model_apply(sp_module *model, sp_tensor *images)
{
    int64_t features = first_features(model);
    return sp_forward(model, features > 0 ? sp_reshape(images, sp_size(images, 0), features) : images);
}

sp_tensor *model_probabilities(sp_module *model, sp_tensor *images)
{
    sp_tensor *output = model_apply(model, images);
    const sp_module *last = model;
    while (sp_module_num_children(last) > 0) last = sp_module_child(last, sp_module_num_children(last) - 1);
    /* The softmax of log-probabilities is the probabilities; only what is one already must be left alone. */
    return strcmp(sp_module_name(last), "Softmax") == 0 ? output : sp_softmax(output, 1);
}

sp_module *load_network(const common *c, const char *path, const char *model)
{
    const model_kind *kind = model ? find_model(c, model) : NULL;
    if (model && !kind) return NULL;
    if (!kind && sp_load_metadata(path, "spusk.model", NULL, 0) < 0) {
        if (sp_error_status() == SP_OK) complain(c, "%s does not describe its network: name it with --model", path);
        return NULL;
    }
    sp_module *network = kind ? kind->build() : sp_load_module(path);
    if (kind && network && sp_load_state(network, path) != SP_OK) return NULL;
    if (network) sp_eval(network);
    return network;
}

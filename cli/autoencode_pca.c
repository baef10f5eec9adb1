/* Principal components beside an autoencoder: by eigenvectors, and as a linear autoencoder that descends. */
#include "autoencode.h"

/* All digits as rows. */
static sp_tensor *rows_of(sp_dataset *data)
{
    sp_example all = sp_data_all(data);
    return all.x ? sp_reshape(all.x, sp_size(all.x, 0), -1) : NULL;
}

/* A descent on centred rows: plain gradient descent with momentum, from small weights. Its learning rate falls to
 * nothing along half a cosine, so that it does not tremble around the plane at the end. */
typedef struct descent {
    sp_module *model, *criterion;
    sp_loader *loader;
    sp_optimizer *optimizer;
    sp_scheduler *scheduler;
} descent;

static bool begin_descent(const autoencode_session *s, descent *d, sp_tensor *centred)
{
    const autoencode_options *o = s->options;
    const int64_t code = o->code, features = sp_size(centred, 1);
    d->model = sp_nn_sequential(sp_nn_linear(features, code, .no_bias = true),
                                sp_nn_linear(code, features, .no_bias = true));
    sp_init_normal_(sp_module_get(d->model, "0.weight"), 0, 0.05);
    sp_init_normal_(sp_module_get(d->model, "1.weight"), 0, 0.05);
    d->criterion = sp_nn_mse_loss();
    d->loader = sp_data_loader(sp_data_tensors(centred, centred), .batch_size = 256, .shuffle = true);
    /* The loss is a mean over all pixels: 5 is 0.0064 of their sum. */
    d->optimizer = sp_optim_sgd(sp_parameters(d->model), .lr = 5, .momentum = 0.9);
    d->scheduler = sp_lr_scheduler_cosine_annealing_lr(d->optimizer, o->epochs * sp_loader_length(d->loader));
    return d->scheduler != NULL;
}

static bool descend_epoch(const autoencode_session *s, const descent *d, int epoch)
{
    double sum = 0, began = seconds_now();
    sp_foreach_batch (batch, d->loader) {
        sp_zero_grad(d->optimizer);
        sp_tensor *loss = sp_forward(d->criterion, sp_forward(d->model, batch.x), batch.x);
        sp_backward(loss);
        sum += sp_item(loss);
        sp_step(d->optimizer);
        sp_scheduler_step(d->scheduler);
        if (sp_error_status() != SP_OK || interrupted()) break;
    }
    if (sp_error_status() != SP_OK) return false;
    if (!interrupted() && !s->options->common.json)
        printf("descent to the plane, epoch %2d/%d  loss %.5f  %.2f s\n", epoch, s->options->epochs,
               sum / (double)sp_loader_length(d->loader), seconds_now() - began);
    fflush(stdout);
    return true;
}

/* The two matrices as an autoencoder of digits that are not centred. */
static sp_module *with_mean(sp_module *plane, sp_tensor *mean)
{
    sp_tensor *down = sp_module_get(plane, "0.weight"), *up = sp_module_get(plane, "1.weight");
    sp_module *model = sp_autoencoder(sp_size(down, 0), .kind = SP_AUTOENCODER_LINEAR, .features = sp_size(down, 1));
    SP_NO_GRAD {
        sp_copy_(sp_module_get(model, "encode.0.weight"), down);
        sp_copy_(sp_module_get(model, "encode.0.bias"), sp_neg(sp_matmul(down, mean)));
        sp_copy_(sp_module_get(model, "decode.0.weight"), up);
        sp_copy_(sp_module_get(model, "decode.0.bias"), mean);
    }
    return model;
}

static sp_module *descend(const autoencode_session *s, sp_tensor *x)
{
    descent d;
    sp_tensor *mean = sp_mean_dim(x, 0);
    if (!begin_descent(s, &d, sp_sub(x, mean))) return NULL;
    for (int epoch = 1; epoch <= s->options->epochs && !interrupted(); epoch++)
        if (!descend_epoch(s, &d, epoch)) return NULL;
    return with_mean(d.model, mean);
}

static void print_comparison(const autoencode_session *s, const double *errors, double angle)
{
    static const char *const names[] = {"network", "eigenvectors", "descent"};
    const autoencode_options *o = s->options;
    if (!o->common.json) {
        printf("reconstruction error, code of %d: network %.5f, principal components by eigenvectors %.5f, by descent "
               "%.5f\n",
               o->code, errors[0], errors[1], errors[2]);
        printf("angle between the two planes: %.3f degrees\n", angle);
        return;
    }
    fputc('{', stdout);
    for (int i = 0; i < 3; i++) {
        printf("\"%s\":", names[i]);
        json_number(stdout, errors[i]);
        fputc(',', stdout);
    }
    fputs("\"angle\":", stdout);
    json_number(stdout, angle);
    json_dataset(stdout, s->train_data);
    puts("}");
}

static bool save(const autoencode_session *s, sp_module *model, const char *name)
{
    char path[PATH_MAX];
    const common *c = &s->options->common;
    if (!output_path(c, name, path, sizeof path) || sp_save_state(model, path) != SP_OK) return false;
    note_written(c, path, "");
    return true;
}

/* The three planes beside each other. */
static bool draw_scatters(const autoencode_session *s, sp_module *const *models)
{
    static const char *const titles[] = {"the network", "principal components", "the same by descent"};
    char path[PATH_MAX];
    sp_scatter_panel panels[3];
    if (!output_path(&s->options->common, "pca.png", path, sizeof path)) return false;
    for (int i = 0; i < 3; i++) {
        const sp_example codes = sp_encode_all(models[i], s->val_data);
        if (!codes.x) return false;
        panels[i] = (sp_scatter_panel){codes.x, codes.y, titles[i]};
    }
    /* A picture that cannot be drawn does not spoil the run: the figures are what counts. */
    if (sp_plot_scatters(path, panels, 3, .title = "codes of the validation digits") == SP_OK)
        note_written(&s->options->common, path, "");
    sp_error_clear();
    return true;
}

static bool compare(const autoencode_session *s, double network_error, sp_module *exact, sp_module *descended)
{
    const double errors[] = {network_error, sp_reconstruction_error(exact, s->val_data),
                             sp_reconstruction_error(descended, s->val_data)};
    const double angle = sp_subspace_angle(sp_module_get(exact, "decode.0.weight"),
                                           sp_module_get(descended, "decode.0.weight"));
    if (sp_error_status() != SP_OK) return false;
    print_comparison(s, errors, angle);
    return true;
}

bool autoencode_pca(autoencode_session *s, double network_error)
{
    sp_module *exact = NULL, *descended = NULL;
    SP_SCOPE {
        sp_tensor *x = rows_of(s->train_data);
        exact = sp_escape(sp_autoencoder_pca(x, s->options->code));
        descended = exact ? sp_escape(descend(s, x)) : NULL;
    }
    if (!exact || !descended) return false;
    if (interrupted()) return true;
    if (!compare(s, network_error, exact, descended) || !save(s, exact, "pca.safetensors") ||
        !save(s, descended, "pca-descent.safetensors"))
        return false;
    sp_module *const models[] = {s->model, exact, descended};
    return s->options->code != 2 || draw_scatters(s, models);
}

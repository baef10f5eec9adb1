/* spusk autoencode: squeezes digits into a few numbers and draws them again. */
#include "autoencode.h"

#include <stdlib.h>
#include <string.h>

/* ---- what there is to choose from ---- */

static const autoencoder_kind kinds[] = {
    {"ae", SP_AUTOENCODER_DENSE, "784-256-64-code and back, ReLU, Sigmoid"},
    {"conv", SP_AUTOENCODER_CONV, "2 convolutions, 3136-128-code and back, ReLU, Sigmoid"},
    {"linear", SP_AUTOENCODER_LINEAR, "784-code-784, nothing between"},
};
#define N_KINDS (sizeof kinds / sizeof *kinds)

static sp_module *build_mse(void)
{
    return sp_nn_mse_loss();
}

static sp_module *build_l1(void)
{
    return sp_nn_l1_loss();
}

static sp_module *build_bce(void)
{
    return sp_nn_bce_loss();
}

static const loss_kind criteria[] = {
    {"mse", build_mse, "mean squared error"},
    {"l1", build_l1, "mean absolute error"},
    {"bce", build_bce, "binary cross-entropy"},
};
#define N_CRITERIA (sizeof criteria / sizeof *criteria)

/* ---- options ---- */

static bool check(autoencode_options *o)
{
    const common *c = &o->common;
    const int kind = choose_row(c, "--model", kinds, N_KINDS, sizeof *kinds, o->model ? o->model : "ae");
    if (kind < 0) return false;
    const int loss = choose_row(c, "--loss", criteria, N_CRITERIA, sizeof *criteria, o->loss ? o->loss : "mse");
    if (loss < 0) return false;
    o->kind = &kinds[kind];
    o->criterion = &criteria[loss];
    o->data.name = o->dataset ? o->dataset : "mnist";
    o->data.quiet = o->no_progress;
    if (!dataset_known(c, o->data.name)) return false;
    if (o->kind->kind == SP_AUTOENCODER_LINEAR && strcmp(o->criterion->name, "bce") == 0) {
        complain(c, "--loss bce needs a network that ends in a sigmoid; --model linear does not");
        return false;
    }
    return in_range(c, "--code", o->code, 1, 784) && in_range(c, "--epochs", o->epochs, 1, 100000) &&
           in_range(c, "--batch-size", o->batch_size, 1, 1000000) && in_range(c, "--lr", o->lr, 1e-12, 1000) &&
           in_range(c, "--workers", o->workers, 0, 256) && in_range(c, "--limit", (double)o->data.limit, 0, 1e12);
}

/* What --pca writes beside. */
static bool check_pca_outputs(const autoencode_options *o)
{
    static const char *const names[] = {"pca.safetensors", "pca-descent.safetensors", "pca.png"};
    const common *c = &o->common;
    char path[PATH_MAX];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!output_path(c, names[i], path, sizeof path) || !differ(c, o->weights, path) || !writable(c, path))
            return false;
    return true;
}

static bool check_outputs(autoencode_options *o)
{
    const common *c = &o->common;
    const char *weights = o->output ? o->output : "autoencoder.safetensors";
    if (!make_out(c) || !output_path(c, weights, o->weights, sizeof o->weights) ||
        !output_path(c, "losses.png", o->losses, sizeof o->losses) ||
        !output_path(c, "reconstructions.png", o->reconstructions, sizeof o->reconstructions))
        return false;
    return differ_from_chart(c, o->weights, o->losses) && differ(c, o->weights, o->reconstructions) &&
           writable(c, o->weights) && writable(c, o->losses) && writable(c, o->reconstructions) &&
           (!o->pca || check_pca_outputs(o));
}

/* ---- beginning ---- */

static bool open_data(autoencode_session *s, autoencode_options *o)
{
    s->train_data = dataset_open(&o->common, &o->data, false);
    s->val_data = s->train_data ? dataset_open(&o->common, &o->data, true) : NULL;
    if (!s->train_data || !s->val_data) return false;
    s->loader = sp_data_loader(s->train_data, .batch_size = o->batch_size, .shuffle = true, .num_workers = o->workers);
    return s->loader != NULL;
}

static void print_beginning(const autoencode_session *s)
{
    const autoencode_options *o = s->options;
    print_data(s->train_data, s->val_data);
    printf("network: %s (%s), code of %d, %lld parameters; %s; Adam, lr %g, batches of %d, seed %lld\n", o->kind->name,
           o->kind->summary, o->code, (long long)sp_module_num_parameters(s->model), o->criterion->summary, o->lr,
           o->batch_size, o->common.seed);
    fflush(stdout);
}

static bool begin(autoencode_session *s, autoencode_options *o)
{
    *s = (autoencode_session){.options = o};
    /* The network is drawn first, so that its weights depend on the seed alone, whatever the data. */
    s->model = sp_autoencoder(o->code, .kind = o->kind->kind);
    s->train_losses = sp_series_new("training, batch by batch");
    s->val_losses = sp_series_new("validation");
    if (!s->model || !s->train_losses || !s->val_losses || !open_data(s, o)) return false;
    if (!o->common.json) print_beginning(s);
    return true;
}

/* ---- the end ---- */

/* Draws three pairs of rows: ten digits above their reconstructions. */
static sp_status draw_reconstructions(sp_module *model, sp_dataset *dataset, const char *path)
{
    enum { PAIRS = 3, COLUMNS = 12 };
    sp_status status = SP_OK;
    sp_eval(model);
    SP_NO_GRAD {
        sp_foreach_batch (batch, sp_data_loader(dataset, .batch_size = PAIRS * COLUMNS)) {
            sp_tensor *drawn = (sp_reshape)(sp_decode(model, sp_encode(model, batch.x)), sp_sizes(batch.x));
            sp_list *rows = sp_list_new(NULL, 0);
            for (int64_t i = 0; i < sp_size(batch.x, 0); i += COLUMNS) {
                const int64_t left = sp_size(batch.x, 0) - i, n = left < COLUMNS ? left : COLUMNS;
                if (n < COLUMNS && i > 0) break;
                sp_list_append(rows, sp_narrow(batch.x, 0, i, n));
                sp_list_append(rows, drawn ? sp_narrow(drawn, 0, i, n) : NULL);
            }
            const int64_t columns = sp_size(sp_list_get(rows, 0), 0);
            status = sp_plot_images(path, sp_cat(rows, 0), .columns = (int)columns, .scale = 3);
            break;
        }
    }
    return status == SP_OK ? sp_error_status() : status;
}

/* A picture that cannot be drawn does not spoil the run: the weights are what counts. */
static void draw_pictures(autoencode_session *s)
{
    const autoencode_options *o = s->options;
    const sp_plot_options options = {.size = sizeof options,
                                     .title = o->criterion->summary,
                                     .x_label = "epoch",
                                     .y_label = "loss",
                                     .smooth = sp_loader_length(s->loader) / 10};
    sp_series *const series[] = {s->train_losses, s->val_losses};
    if (sp_series_length(s->train_losses) > 0) {
        if ((sp_plot_lines)(o->losses, (sp_series_list){series, 2}, &options) == SP_OK)
            note_written(&o->common, o->losses, " (and its script and data: losses.gp, losses.dat)");
        sp_error_clear();
    }
    if (draw_reconstructions(s->model, s->val_data, o->reconstructions) == SP_OK)
        note_written(&o->common, o->reconstructions, " (rows of digits, each above what the network made of it)");
    sp_error_clear();
}

static int finish(autoencode_session *s, const autoencode_run *run)
{
    const autoencode_options *o = s->options;
    if (interrupted())
        fprintf(stderr, "spusk autoencode: stopped; saving the weights as they are\n");
    else if (!o->common.json)
        printf("final: reconstruction error %.5f (mean square over pixels, validation)\n", run->val_error);
    if (!lasting(o->weights)) interrupt_forget(); /* a pipe's reader may keep us waiting */
    if (sp_save_state(s->model, o->weights) != SP_OK) return EXIT_FAILED;
    note_written(&o->common, o->weights, "");
    draw_pictures(s);
    if (interrupted()) return EXIT_STOPPED;
    return o->pca && !autoencode_pca(s, run->val_error) ? EXIT_FAILED : EXIT_FINE;
}

/* An error in an epoch has been reported; the weights of the epochs before it are worth keeping. */
static int rescue(const autoencode_session *s, const autoencode_run *run)
{
    const autoencode_options *o = s->options;
    if (run->done == 0) return EXIT_FAILED;
    complain(&o->common, "failed after epoch %d; saving the weights as they are", run->done);
    sp_error_clear();
    if (sp_save_state(s->model, o->weights) == SP_OK) note_written(&o->common, o->weights, "");
    return EXIT_FAILED;
}

/* ---- the command ---- */

static int autoencode(autoencode_options *o)
{
    if (!check(o) || !check_outputs(o)) return EXIT_WRONG_USE;
    autoencode_session s;
    if (!begin(&s, o)) return EXIT_FAILED;
    autoencode_run run = {.session = &s,
                          .model = s.model,
                          .criterion = o->criterion->build(),
                          .optimizer = sp_optim_adam(sp_parameters(s.model), .lr = o->lr),
                          .train_losses = s.train_losses,
                          .val_losses = s.val_losses};
    interrupt_watch();
    return autoencode_train(&run) ? finish(&s, &run) : rescue(&s, &run);
}

int cmd_autoencode(const command *self, int argc, char **argv)
{
    autoencode_options o = {.code = 2, .epochs = 10, .batch_size = 64, .lr = 1e-3};
    struct poptOption table[] = {
        {"code", '\0', POPT_ARG_INT, &o.code, 0, "numbers that a digit is squeezed into (2)", "N"},
        {"model", '\0', POPT_ARG_STRING, &o.model, 0, "network: ae (default), conv, linear", "NAME"},
        {"loss", '\0', POPT_ARG_STRING, &o.loss, 0, "mse (default), l1 or bce", "NAME"},
        {"pca", '\0', POPT_ARG_NONE, &o.pca, 0, "compare with principal components, by eigenvectors and by descent",
         NULL},
        {"dataset", '\0', POPT_ARG_STRING, &o.dataset, 0, "mnist (default), fashion or synthetic", "NAME"},
        {"epochs", '\0', POPT_ARG_INT, &o.epochs, 0, "times through the training examples (10)", "N"},
        {"batch-size", '\0', POPT_ARG_INT, &o.batch_size, 0, "examples a step (64)", "N"},
        {"lr", '\0', POPT_ARG_DOUBLE, &o.lr, 0, "learning rate of Adam (0.001)", "X"},
        {"limit", '\0', POPT_ARG_LONGLONG, &o.data.limit, 0, "only the first N examples, and N/6 to validate (0: all)",
         "N"},
        {"workers", '\0', POPT_ARG_INT, &o.workers, 0, "threads that prepare batches (0)", "N"},
        {"output", 'o', POPT_ARG_STRING, &o.output, 0, "the weights file (autoencoder.safetensors)", "FILE"},
        {"no-progress", '\0', POPT_ARG_NONE, &o.no_progress, 0, "no bar", NULL},
        POPT_TABLEEND,
    };
    int status = options_read(&o.common, self, table, argc, argv);
    if (status == -1) status = autoencode(&o);
    options_free(&o.common);
    return status;
}

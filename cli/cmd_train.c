/* spusk train: from a data set to weights and pictures. */
#include "cli.h"
#include "train.h"

#include <limits.h>
#include <stdlib.h>

/* ---- options ---- */

static bool check(train_options *o)
{
    const common *c = &o->common;
    o->kind = find_model(c, o->model ? o->model : "mlp");
    o->data.name = o->dataset ? o->dataset : "mnist";
    o->data.quiet = o->no_progress;
    return o->kind && dataset_known(c, o->data.name) && in_range(c, "--epochs", o->epochs, 1, 100000) &&
           in_range(c, "--batch-size", o->batch_size, 1, 1000000) && in_range(c, "--lr", o->lr, 1e-12, 1000) &&
           in_range(c, "--workers", o->workers, 0, 256) && in_range(c, "--limit", (double)o->data.limit, 0, 1e12);
}

/* What will be written, and whether it can be: before hours of training, not after. */
static bool check_outputs(train_options *o)
{
    const common *c = &o->common;
    const char *weights = o->output ? o->output : o->kind->file;
    if (!make_out(c) || !output_path(c, weights, o->weights, sizeof o->weights) ||
        !output_path(c, "losses.png", o->losses, sizeof o->losses) ||
        !output_path(c, "predictions.png", o->predictions, sizeof o->predictions))
        return false;
    return writable(c, o->weights) && writable(c, o->losses) && writable(c, o->predictions);
}

/* ---- the end ---- */

static void note_written(const train_options *o, const char *path, const char *more)
{
    if (!o->common.json) printf("wrote %s%s\n", path, more);
}

/* A picture that cannot be drawn is a pity; the weights are what counts. */
static void draw_pictures(session *s)
{
    const train_options *o = s->options;
    const sp_plot_options options = {.size = sizeof options,
                                     .title = "negative log likelihood",
                                     .x_label = "epoch",
                                     .y_label = "loss",
                                     .smooth = s->train_losses_per_epoch / 10};
    sp_series *const series[] = {s->train_losses, s->val_losses};
    if (sp_series_size(s->train_losses) > 0) {
        if (sp_plot_lines_with(o->losses, series, 2, &options) == SP_OK)
            note_written(o, o->losses, " (and its script and data: losses.gp, losses.dat)");
        sp_error_clear();
    }
    if (interrupted()) return;
    if (draw_predictions(s->model, s->val_data, o->predictions) == SP_OK)
        note_written(o, o->predictions, " (wrong ones framed, with the right digit in brackets)");
    sp_error_clear();
}

static int finish(session *s)
{
    const train_options *o = s->options;
    if (interrupted())
        fprintf(stderr, "spusk train: stopped; saving the weights as they are\n");
    else if (!o->common.json)
        printf("final: train accuracy %.4f, validation accuracy %.4f\n", s->train.accuracy, s->val.accuracy);
    if (sp_save_state(s->model, o->weights) != SP_OK) return EXIT_FAILED;
    note_written(o, o->weights, "");
    draw_pictures(s);
    return interrupted() ? EXIT_STOPPED : EXIT_FINE;
}

/* ---- the command ---- */

static int train(train_options *o)
{
    if (!check(o) || !check_outputs(o)) return EXIT_WRONG_USE;
    session s;
    if (!session_begin(&s, o)) return EXIT_FAILED;
    interrupt_watch();
    for (int epoch = 1; epoch <= o->epochs && !interrupted(); epoch++)
        if (!session_epoch(&s, epoch)) return EXIT_FAILED;
    return finish(&s);
}

int cmd_train(const command *self, int argc, char **argv)
{
    train_options o = {.epochs = 10, .batch_size = 64, .lr = 1e-3};
    struct poptOption table[] = {
        {"model", '\0', POPT_ARG_STRING, &o.model, 0, "network: mlp", "NAME"},
        {"dataset", '\0', POPT_ARG_STRING, &o.dataset, 0, "mnist (default), fashion or synthetic", "NAME"},
        {"epochs", '\0', POPT_ARG_INT, &o.epochs, 0, "times through the training examples (10)", "N"},
        {"batch-size", '\0', POPT_ARG_INT, &o.batch_size, 0, "examples a step (64)", "N"},
        {"lr", '\0', POPT_ARG_DOUBLE, &o.lr, 0, "learning rate of Adam (0.001)", "X"},
        {"limit", '\0', POPT_ARG_LONGLONG, &o.data.limit, 0, "only the first N examples, and N/6 to validate", "N"},
        {"workers", '\0', POPT_ARG_INT, &o.workers, 0, "threads that prepare batches (0)", "N"},
        {"output", 'o', POPT_ARG_STRING, &o.output, 0, "the weights file (classifier.safetensors)", "FILE"},
        {"no-progress", '\0', POPT_ARG_NONE, &o.no_progress, 0, "no bar", NULL},
        POPT_TABLEEND,
    };
    int status = options_read(&o.common, self, table, argc, argv);
    if (status == -1) status = train(&o);
    options_free(&o.common);
    return status;
}

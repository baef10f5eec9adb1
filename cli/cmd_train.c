/* spusk train: from a data set to weights and pictures. */
#include "cli.h"
#include "train.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* ---- options ---- */

/* The value of an option that was not given: the recipe decides. */
enum { UNSAID = INT_MIN };

/* An option that was not given comes from the recipe. Without --recipe, the recipe with the network's name is used. */
static bool choose_recipe(train_options *o)
{
    const common *c = &o->common;
    const char *name = o->recipe_name ? o->recipe_name : o->model ? o->model : "mlp";
    if (o->model && (strcmp(o->model, "ae") == 0 || strncmp(o->model, "conv", 4) == 0)) {
        complain(c, "%s is an autoencoder: spusk autoencode trains it", o->model);
        return false;
    }
    if (o->model && !model_known(c, o->model)) return false;
    const sp_recipe *recipe = sp_recipe_by_name(name);
    if (!recipe) return false;
    if (o->model && strcmp(o->model, recipe->model) != 0) {
        complain(c, "the recipe %s is for the network %s, not %s", recipe->name, recipe->model, o->model);
        return false;
    }
    o->recipe = *recipe;
    sp_recipe *r = &o->recipe;
    if (o->optimizer) r->optimizer = o->optimizer;
    if (o->schedule) r->schedule = o->schedule;
    if (o->augment) r->augment = o->augment;
    if (o->lr != UNSAID) r->lr = o->lr;
    if (o->epochs != UNSAID) r->epochs = o->epochs;
    if (o->batch_size != UNSAID) r->batch_size = o->batch_size;
    if (r->validation_only) o->no_train_accuracy = true;
    if (o->resume && o->overwrite) {
        complain(c, "--resume goes on with what --overwrite gives up: give one of them");
        return false;
    }
    return true;
}

/* Whether the names of optimisers, schedules and distortions exist is found out by making them, before anything is
 * drawn or opened. */
static bool names_known(const train_options *o)
{
    const sp_recipe *r = &o->recipe;
    bool good = false;
    SP_SCOPE {
        sp_tensor *parameter = sp_requires_grad(sp_zeros(SP_DIMS(1)));
        sp_optimizer *optimizer = sp_optim_by_name(r->optimizer, SP_LIST(parameter), .lr = r->lr);
        good = optimizer && sp_schedule_by_name(r->schedule, optimizer, r->gamma, 1, 1) &&
               sp_transform_by_name(r->augment);
    }
    return good;
}

static bool read_precision(train_options *o)
{
    const bool mixed = o->recipe.mixed && strstr(sp_isa(), "bf16");
    const char *name = o->precision ? o->precision : mixed ? "bf16" : "f32";
    o->autocast = strcmp(name, "bf16") == 0 ? SP_BF16 : SP_DTYPE_DEFAULT;
    if (o->autocast || strcmp(name, "f32") == 0) return true;
    complain(&o->common, "--precision is '%s'; there are: f32, bf16", name);
    return false;
}

/* The title of the curve of the training loss. NULL, after saying which losses there are, for an unknown loss. */
static const char *loss_title(const train_options *o)
{
    static const struct {
        const char *name, *title;
    } losses[] = {{"nll", "negative log likelihood"},
                  {"mse", "mean squared error of probabilities"},
                  {"l1", "mean absolute error of probabilities"}};
    const char *name = o->loss ? o->loss : "nll";
    const int i = choose_row(&o->common, "--loss", losses, sizeof losses / sizeof *losses, sizeof *losses, name);
    return i >= 0 ? losses[i].title : NULL;
}

static bool check(train_options *o)
{
    const common *c = &o->common;
    if (!choose_recipe(o) || !loss_title(o)) return false;
    const sp_recipe *r = &o->recipe;
    o->data.name = o->dataset ? o->dataset : "mnist";
    o->data.quiet = o->no_progress;
    o->data.augment = r->augment;
    o->data.normal = (normalization){r->mean, r->std};
    return dataset_known(c, o->data.name) && in_range(c, "--epochs", (double)r->epochs, 1, MOST_EPOCHS) &&
           in_range(c, "--batch-size", (double)r->batch_size, 1, 1000000) && in_range(c, "--lr", r->lr, 1e-12, 1000) &&
           in_range(c, "--workers", o->workers, 0, 256) && in_range(c, "--limit", (double)o->data.limit, 0, 1e12) &&
           names_known(o) && read_precision(o);
}

/* "classifier.safetensors" for the lesson's own, else by the network's name. */
static bool name_weights(train_options *o)
{
    char name[PATH_MAX];
    const bool lesson = strcmp(o->recipe.model, "mlp") == 0;
    snprintf(name, sizeof name, "%s.safetensors", lesson ? "classifier" : o->recipe.model);
    return output_path(&o->common, o->output ? o->output : name, o->weights, sizeof o->weights);
}

/* The checkpoint lies beside the weights. Its path is "" where the weights go into a device or a pipe. */
static bool name_checkpoint(train_options *o)
{
    const common *c = &o->common;
    if (!lasting(o->weights)) {
        if (o->resume) complain(c, "--resume: there is no checkpoint beside %s, which is not a file", o->weights);
        return !o->resume;
    }
    const int n = snprintf(o->checkpoint, sizeof o->checkpoint, "%s.checkpoint", o->weights);
    if ((size_t)n < sizeof o->checkpoint) return true;
    complain(c, "the name of the output is too long, with its checkpoint: %s.checkpoint", o->weights);
    return false;
}

/* Checks the outputs before hours of training, not after. */
static bool check_outputs(train_options *o)
{
    const common *c = &o->common;
    if (!make_out(c) || !name_weights(o) || !name_checkpoint(o) ||
        !output_path(c, "losses.png", o->losses, sizeof o->losses) ||
        !output_path(c, "predictions.png", o->predictions, sizeof o->predictions))
        return false;
    return differ_from_chart(c, o->weights, o->losses) && differ(c, o->weights, o->predictions) &&
           writable(c, o->weights) && (!*o->checkpoint || writable(c, o->checkpoint)) && writable(c, o->losses) &&
           writable(c, o->predictions);
}

/* ---- the end ---- */

/* A picture that cannot be drawn does not spoil the run: the weights are what counts. */
static void draw_pictures(session *s)
{
    const train_options *o = s->options;
    const sp_plot_options options = {.size = sizeof options,
                                     .title = loss_title(o),
                                     .x_label = "epoch",
                                     .y_label = "loss",
                                     .smooth = s->batches / 10};
    /* On the validation half the negative log likelihood is measured, whatever the training loss is. */
    sp_series *const series[] = {s->train_losses, s->val_losses};
    const int n = o->loss && strcmp(o->loss, "nll") != 0 ? 1 : 2;
    if (sp_series_length(s->train_losses) > 0) {
        if ((sp_plot_lines)(o->losses, (sp_series_list){series, n}, &options) == SP_OK)
            note_written(&o->common, o->losses, " (and its script and data: losses.gp, losses.dat)");
        sp_error_clear();
    }
    if (interrupted()) return;
    if (draw_predictions(s->model, &o->data.normal, s->val_data, o->predictions) == SP_OK)
        note_written(&o->common, o->predictions, " (wrong ones first, framed, with the right digit in brackets)");
    sp_error_clear();
}

/* The checkpoint is that of the last epoch that was finished and whose checkpoint could be written. */
static void note_checkpoint(const session *s)
{
    const train_options *o = s->options;
    char more[80];
    snprintf(more, sizeof more, " (after epoch %d; to go on with, by --resume)", s->saved);
    if (s->saved > 0)
        note_written(&o->common, o->checkpoint, s->saved == s->done ? " (to go on with, by --resume)" : more);
    else if (s->done == 0)
        complain(&o->common, "no epoch was finished, so there is no checkpoint to go on with");
}

static bool save_weights(const session *s)
{
    const train_options *o = s->options;
    if (!lasting(o->weights)) interrupt_forget(); /* a pipe's reader may keep us waiting */
    if (save_network(s->model, &o->data.normal, o->weights) != SP_OK) return false;
    note_written(&o->common, o->weights, "");
    return true;
}

/* An error in an epoch has been reported; the weights of the epochs before it are worth keeping. */
static int rescue(const session *s)
{
    const train_options *o = s->options;
    if (s->done == 0) return EXIT_FAILED;
    complain(&o->common, "failed after epoch %d; saving the weights as they are", s->done);
    sp_error_clear();
    (void)save_weights(s);
    return EXIT_FAILED;
}

static int finish(session *s)
{
    const train_options *o = s->options;
    if (interrupted())
        fprintf(stderr, "spusk train: stopped; saving the weights as they are\n");
    else if (!o->common.json && !o->no_train_accuracy)
        printf("final: train accuracy %.4f, validation accuracy %.4f\n", s->train.accuracy, s->val.accuracy);
    else if (!o->common.json)
        printf("final: validation accuracy %.4f\n", s->val.accuracy);
    if (!save_weights(s)) return EXIT_FAILED;
    note_checkpoint(s);
    draw_pictures(s);
    return interrupted() ? EXIT_STOPPED : EXIT_FINE;
}

/* ---- the command ---- */

static int train(train_options *o)
{
    if (!check(o) || !check_outputs(o)) return EXIT_WRONG_USE;
    if (!(o->resume ? can_resume(o) : may_begin(o))) return sp_error_status() ? EXIT_FAILED : EXIT_WRONG_USE;
    session s;
    if (!session_begin(&s, o)) return EXIT_FAILED;
    interrupt_watch();
    /* A checkpoint of a finished run leaves nothing to train. */
    if (s.first_epoch > o->recipe.epochs && !session_measure(&s)) return EXIT_FAILED;
    for (int epoch = s.first_epoch; epoch <= o->recipe.epochs && !interrupted(); epoch++)
        if (!session_epoch(&s, epoch)) return rescue(&s);
    return finish(&s);
}

int cmd_train(const command *self, int argc, char **argv)
{
    train_options o = {.epochs = UNSAID, .batch_size = UNSAID, .lr = UNSAID};
    struct poptOption table[] = {
        {"model", '\0', POPT_ARG_STRING, &o.model, 0, "network: mlp (default), cnn, example, logistic", "NAME"},
        {"recipe", '\0', POPT_ARG_STRING, &o.recipe_name, 0,
         "settings: mlp, cnn, example, fast, blitz, logistic (the network's own)", "NAME"},
        {"loss", '\0', POPT_ARG_STRING, &o.loss, 0, "nll (cross-entropy, default); mse, l1: of probabilities", "NAME"},
        {"optimizer", '\0', POPT_ARG_STRING, &o.optimizer, 0, "sgd, adam, adadelta, … (the recipe's)", "NAME"},
        {"schedule", '\0', POPT_ARG_STRING, &o.schedule, 0, "constant, one-cycle, exponential (the recipe's)", "NAME"},
        {"augment", '\0', POPT_ARG_STRING, &o.augment, 0, "distort digits: shift,rotate,elastic (the recipe's)",
         "LIST"},
        {"dataset", '\0', POPT_ARG_STRING, &o.dataset, 0, "mnist (default), fashion or synthetic", "NAME"},
        {"precision", '\0', POPT_ARG_STRING, &o.precision, 0, "f32, or bf16: mixed (the recipe's)", "NAME"},
        {"epochs", '\0', POPT_ARG_INT, &o.epochs, 0, "times through the training examples (the recipe's)", "N"},
        {"batch-size", '\0', POPT_ARG_INT, &o.batch_size, 0, "examples a step (the recipe's)", "N"},
        {"lr", '\0', POPT_ARG_DOUBLE, &o.lr, 0, "learning rate, or the top of a cycle (the recipe's)", "X"},
        {"limit", '\0', POPT_ARG_LONGLONG, &o.data.limit, 0, "only the first N examples, and N/6 to validate (0: all)",
         "N"},
        {"workers", '\0', POPT_ARG_INT, &o.workers, 0, "threads that prepare batches (0)", "N"},
        {"resume", '\0', POPT_ARG_NONE, &o.resume, 0, "go on from the checkpoint beside the weights", NULL},
        {"overwrite", '\0', POPT_ARG_NONE, &o.overwrite, 0, "begin anew, though a run that stopped could go on", NULL},
        {"no-train-accuracy", '\0', POPT_ARG_NONE, &o.no_train_accuracy, 0, "measure on the validation half only",
         NULL},
        {"output", 'o', POPT_ARG_STRING, &o.output, 0, "the weights file (by the network's name)", "FILE"},
        {"no-progress", '\0', POPT_ARG_NONE, &o.no_progress, 0, "no bar", NULL},
        POPT_TABLEEND,
    };
    int status = options_read(&o.common, self, table, argc, argv);
    if (status == -1) status = train(&o);
    options_free(&o.common);
    return status;
}

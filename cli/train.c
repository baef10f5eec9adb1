/* The loop. */
#include "train.h"

#include <spusk/extend.h>

#include <string.h>

/* Accuracies are measured on the original examples, not on the distorted ones. */
static sp_dataset *plain_examples(session *s, sp_dataset *train)
{
    train_options *o = s->options;
    if (!o->data.augment || !*o->data.augment) return train;
    dataset_options plain = o->data;
    plain.augment = NULL;
    return dataset_open(&o->common, &plain, false);
}

static bool open_data(session *s)
{
    train_options *o = s->options;
    const sp_recipe *r = &o->recipe;
    sp_dataset *train = dataset_open(&o->common, &o->data, false);
    s->val_data = train ? dataset_open(&o->common, &o->data, true) : NULL;
    sp_dataset *again = train && s->val_data ? plain_examples(s, train) : NULL;
    if (!again) return false;
    s->train_loader = sp_data_loader(train, .batch_size = r->batch_size, .shuffle = true, .num_workers = o->workers);
    s->train_again = evaluation_loader(again, o->workers);
    s->val_loader = evaluation_loader(s->val_data, o->workers);
    s->batches = sp_loader_length(s->train_loader);
    return s->train_loader && s->train_again && s->val_loader;
}

static bool build(session *s)
{
    const sp_recipe *r = &s->options->recipe;
    s->model = sp_model_by_name(r->model);
    s->optimizer = s->model ? sp_optim_by_name(r->optimizer, sp_parameters(s->model), .lr = r->lr) : NULL;
    s->train_losses = sp_series_new("training, batch by batch");
    s->val_losses = sp_series_new("validation");
    return s->model && s->optimizer && s->train_losses && s->val_losses;
}

/* The schedule has counted the batches of all epochs. */
static bool epochs_fit(const session *s, int64_t done)
{
    const train_options *o = s->options;
    const sp_dict *state = sp_scheduler_state_dict(s->scheduler);
    const sp_tensor *steps = state ? sp_dict_find(state, "last_epoch") : NULL;
    if (steps && done <= MOST_EPOCHS && sp_item_i64(steps) == done * s->batches) return true;
    complain(&o->common, "%s: epoch %lld does not fit what it says of the schedule, and of %lld batches an epoch",
             o->checkpoint, (long long)done, (long long)s->batches);
    return false;
}

/* Goes on from the checkpoint, with the same bits as without a break. */
static bool resume(session *s)
{
    const train_options *o = s->options;
    if (!o->resume) return true;
    /* Checked again, since synthetic digits may have replaced MNIST. */
    if (!can_resume(o)) return false;
    const int64_t done = sp_load_checkpoint(s->model, s->optimizer, s->scheduler, o->checkpoint);
    if (done < 0 || !epochs_fit(s, done)) return false;
    s->done = s->saved = (int)done;
    s->first_epoch = s->done + 1;
    return sp_loader_set_epoch(s->train_loader, done) == SP_OK;
}

static void print_beginning(const session *s)
{
    const train_options *o = s->options;
    print_data(sp_loader_dataset(s->train_loader), s->val_data);
    const sp_recipe *r = &o->recipe;
    printf("network: %s (%s), %lld parameters; %s, lr %g, batches of %lld, seed %lld; %d threads, %s\n", r->model,
           model_summary(r->model), (long long)sp_module_num_parameters(s->model), sp_optimizer_name(s->optimizer),
           r->lr, (long long)r->batch_size, o->common.seed, sp_num_threads(), sp_isa());
    if (strcmp(r->schedule, "constant") != 0) printf("schedule: %s\n", r->schedule);
    if (o->autocast) puts("precision: bf16, weights f32");
    if (*r->augment) printf("distortions: %s\n", r->augment);
    if (s->first_epoch > 1) {
        printf("going on after epoch %d of ", s->first_epoch - 1);
        put_text(stdout, o->checkpoint);
        puts("");
    }
    fflush(stdout);
}

bool session_begin(session *s, train_options *options)
{
    const sp_recipe *r = &options->recipe;
    *s = (session){.options = options, .first_epoch = 1};
    /* The network is drawn first, so that its weights depend on the seed alone, whatever the data. */
    if (!build(s) || !open_data(s)) return false;
    s->scheduler = sp_schedule_by_name(r->schedule, s->optimizer, r->gamma, r->epochs, s->batches);
    if (!s->scheduler || !resume(s)) return false;
    if (!options->common.json) print_beginning(s);
    return true;
}

static double train_step(session *s, const sp_batch *batch)
{
    double value = 0;
    SP_AUTOCAST(s->options->autocast)
    {
        sp_zero_grad(s->optimizer);
        sp_tensor *output = sp_model_apply(s->model, batch->x);
        sp_tensor *loss = sp_loss_by_name(s->options->loss ? s->options->loss : "nll", output, batch->y);
        sp_backward(loss);
        sp_step(s->optimizer);
        sp_scheduler_step(s->scheduler);
        value = sp_item(loss);
    }
    return value;
}

/* Mean loss over the epoch. */
static double train_epoch(session *s, int epoch)
{
    const train_options *o = s->options;
    progress bar;
    double sum = 0;
    int64_t examples = 0;
    progress_begin(&bar, !o->no_progress, epoch, (int)o->recipe.epochs, s->batches, o->recipe.batch_size);
    sp_foreach_batch (batch, s->train_loader) {
        double loss = train_step(s, &batch);
        if (sp_error_status() != SP_OK || interrupted()) break;
        int64_t n = sp_size(batch.x, 0);
        sum += loss * (double)n;
        examples += n;
        sp_series_push_xy(s->train_losses, epoch - 1 + (double)(batch.index + 1) / (double)s->batches, loss);
        progress_show(&bar, batch.index, loss);
    }
    progress_end(&bar);
    return examples > 0 ? sum / (double)examples : 0;
}

static void print_epoch(const session *s, int epoch, double loss, double seconds)
{
    const train_options *o = s->options;
    if (!o->common.json) {
        printf("epoch %2d/%lld  loss %.4f  ", epoch, (long long)o->recipe.epochs, loss);
        if (!o->no_train_accuracy) printf("train accuracy %.4f  ", s->train.accuracy);
        printf("val accuracy %.4f  %.2f s\n", s->val.accuracy, seconds);
        fflush(stdout);
        return;
    }
    printf("{\"epoch\":%d,\"train_loss\":", epoch);
    json_number(stdout, loss);
    if (!o->no_train_accuracy) {
        fputs(",\"train_accuracy\":", stdout);
        json_number(stdout, s->train.accuracy);
    }
    fputs(",\"val_accuracy\":", stdout);
    json_number(stdout, s->val.accuracy);
    printf(",\"seconds\":%.3f", seconds);
    json_dataset(stdout, sp_loader_dataset(s->train_loader));
    puts("}");
    fflush(stdout);
}

bool session_measure(session *s)
{
    if (!s->options->no_train_accuracy && sp_evaluate(&s->train, s->model, s->train_again) != SP_OK) return false;
    return sp_evaluate(&s->val, s->model, s->val_loader) == SP_OK;
}

/* A full disk must not end a training: the weights may still fit. */
static void try_checkpoint(session *s, int epoch)
{
    const train_options *o = s->options;
    if (!*o->checkpoint) return;
    const bool was = sp_error_quiet(true);
    const sp_status status = save_checkpoint(o, s, epoch);
    sp_error_quiet(was);
    if (status == SP_OK) s->saved = epoch;
    if (status != SP_OK && !s->warned)
        complain(&o->common, "no checkpoint after epoch %d (%s); the training goes on", epoch, sp_error_message());
    s->warned = status != SP_OK;
    sp_error_clear();
}

bool session_epoch(session *s, int epoch)
{
    double began = seconds_now(), loss = train_epoch(s, epoch);
    if (sp_error_status() != SP_OK) return false;
    if (interrupted()) return true;
    if (!session_measure(s)) return false;
    sp_series_push_xy(s->val_losses, epoch, s->val.loss);
    print_epoch(s, epoch, loss, seconds_now() - began);
    s->done = epoch;
    try_checkpoint(s, epoch);
    return true;
}

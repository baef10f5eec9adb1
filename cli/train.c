/* The loop. */
#include "train.h"

static bool open_data(session *s)
{
    train_options *o = s->options;
    sp_dataset *train = dataset_open(&o->common, &o->data, false);
    const char *opened = o->data.name;
    s->val_data = train ? dataset_open(&o->common, &o->data, true) : NULL;
    /* Half a data set is none: when only the second half was missing, the first is replaced as well. */
    if (s->val_data && opened != o->data.name) train = dataset_open(&o->common, &o->data, false);
    if (!train || !s->val_data) return false;
    s->train_loader = sp_data_loader(train, .batch_size = o->batch_size, .shuffle = true, .num_workers = o->workers);
    s->train_again = evaluation_loader(train, o->workers);
    s->val_loader = evaluation_loader(s->val_data, o->workers);
    s->train_losses_per_epoch = sp_loader_length(s->train_loader);
    return s->train_loader && s->train_again && s->val_loader;
}

static bool build(session *s)
{
    s->model = s->options->kind->build();
    s->criterion = sp_nn_nll_loss();
    s->optimizer = sp_optim_adam(sp_parameters(s->model), .lr = s->options->lr);
    s->train_losses = sp_series_new("training, batch by batch");
    s->val_losses = sp_series_new("validation");
    return s->model && s->criterion && s->optimizer && s->train_losses && s->val_losses;
}

static void print_beginning(const session *s)
{
    const train_options *o = s->options;
    printf("data: %s; %lld to validate\n", sp_data_description(sp_loader_dataset(s->train_loader)),
           (long long)sp_data_length(s->val_data));
    printf("network: %s (%s), %lld parameters; Adam, lr %g, batches of %d, seed %lld; %d threads, %s\n", o->kind->name,
           o->kind->summary, (long long)sp_module_num_parameters(s->model), o->lr, o->batch_size, o->common.seed,
           sp_num_threads(), sp_isa());
    fflush(stdout);
}

bool session_begin(session *s, train_options *options)
{
    *s = (session){.options = options};
    /* The network is drawn first, so that its weights depend on the seed alone, whatever the data. */
    if (!build(s) || !open_data(s)) return false;
    if (!options->common.json) print_beginning(s);
    return true;
}

static double train_step(session *s, const sp_batch *batch)
{
    sp_zero_grad(s->optimizer);
    sp_tensor *output = model_apply(s->model, batch->x);
    sp_tensor *loss = sp_forward(s->criterion, output, batch->y);
    sp_backward(loss);
    sp_step(s->optimizer);
    return sp_item(loss);
}

/* Mean loss over the epoch. */
static double train_epoch(session *s, int epoch)
{
    const train_options *o = s->options;
    progress bar;
    double sum = 0;
    int64_t examples = 0;
    progress_begin(&bar, !o->no_progress, epoch, o->epochs, s->train_losses_per_epoch, o->batch_size);
    sp_foreach_batch (batch, s->train_loader) {
        double loss = train_step(s, &batch);
        if (sp_error_status() != SP_OK || interrupted()) break;
        int64_t n = sp_size(batch.x, 0);
        sum += loss * (double)n;
        examples += n;
        sp_series_push_xy(s->train_losses, epoch - 1 + (double)(batch.index + 1) / (double)s->train_losses_per_epoch,
                          loss);
        progress_show(&bar, batch.index, loss);
    }
    progress_end(&bar);
    return examples > 0 ? sum / (double)examples : 0;
}

static void print_epoch(const session *s, int epoch, double loss, double seconds)
{
    if (!s->options->common.json) {
        printf("epoch %2d/%d  loss %.4f  train accuracy %.4f  val accuracy %.4f  %.2f s\n", epoch, s->options->epochs,
               loss, s->train.accuracy, s->val.accuracy, seconds);
        fflush(stdout);
        return;
    }
    printf("{\"epoch\":%d,\"train_loss\":", epoch);
    json_number(stdout, loss);
    fputs(",\"train_accuracy\":", stdout);
    json_number(stdout, s->train.accuracy);
    fputs(",\"val_accuracy\":", stdout);
    json_number(stdout, s->val.accuracy);
    printf(",\"seconds\":%.3f}\n", seconds);
    fflush(stdout);
}

bool session_epoch(session *s, int epoch)
{
    double began = seconds_now(), loss = train_epoch(s, epoch);
    if (sp_error_status() != SP_OK) return false;
    if (interrupted()) return true;
    if (!evaluate(s->model, s->train_again, &s->train) || !evaluate(s->model, s->val_loader, &s->val)) return false;
    sp_series_push_xy(s->val_losses, epoch, s->val.loss);
    print_epoch(s, epoch, loss, seconds_now() - began);
    return true;
}

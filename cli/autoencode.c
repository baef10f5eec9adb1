/* The loop of `spusk autoencode`. */
#include "autoencode.h"

static double train_step(const autoencode_run *run, const sp_batch *batch)
{
    sp_zero_grad(run->optimizer);
    sp_tensor *output = sp_decode(run->model, sp_encode(run->model, batch->x));
    sp_tensor *loss = sp_forward(run->criterion, (sp_reshape)(output, sp_sizes(batch->x)), batch->x);
    sp_backward(loss);
    sp_step(run->optimizer);
    return sp_item(loss);
}

/* Mean loss over the epoch. */
static double train_epoch(const autoencode_run *run, int epoch)
{
    const autoencode_options *o = run->session->options;
    sp_loader *loader = run->session->loader;
    const int64_t batches = sp_loader_length(loader);
    progress bar;
    double sum = 0;
    int64_t examples = 0;
    progress_begin(&bar, !o->no_progress, epoch, o->epochs, batches, o->batch_size);
    sp_foreach_batch (batch, loader) {
        double loss = train_step(run, &batch);
        if (sp_error_status() != SP_OK || interrupted()) break;
        int64_t n = sp_size(batch.x, 0);
        sum += loss * (double)n;
        examples += n;
        sp_series_push_xy(run->train_losses, epoch - 1 + (double)(batch.index + 1) / (double)batches, loss);
        progress_show(&bar, batch.index, loss);
    }
    progress_end(&bar);
    return examples > 0 ? sum / (double)examples : 0;
}

/* The mean of the training loss over the validation half, so that both curves have one unit. */
static double validation_loss(const autoencode_run *run)
{
    double sum = 0;
    int64_t examples = 0;
    sp_eval(run->model);
    SP_NO_GRAD {
        sp_foreach_batch (batch, evaluation_loader(run->session->val_data, 0)) {
            sp_tensor *output = sp_decode(run->model, sp_encode(run->model, batch.x));
            sp_tensor *loss = sp_forward(run->criterion, (sp_reshape)(output, sp_sizes(batch.x)), batch.x);
            if (!loss) break;
            sum += sp_item(loss) * (double)sp_size(batch.x, 0);
            examples += sp_size(batch.x, 0);
        }
    }
    sp_train(run->model);
    return examples > 0 ? sum / (double)examples : 0;
}

static void print_epoch(const autoencode_run *run, int epoch, double loss, double seconds)
{
    const autoencode_options *o = run->session->options;
    if (!o->common.json) {
        printf("epoch %2d/%d  loss %.4f  validation error %.5f  %.2f s\n", epoch, o->epochs, loss, run->val_error,
               seconds);
        fflush(stdout);
        return;
    }
    printf("{\"epoch\":%d,\"train_loss\":", epoch);
    json_number(stdout, loss);
    fputs(",\"val_error\":", stdout);
    json_number(stdout, run->val_error);
    printf(",\"seconds\":%.3f", seconds);
    json_dataset(stdout, run->session->train_data);
    puts("}");
    fflush(stdout);
}

static bool one_epoch(autoencode_run *run, int epoch)
{
    double began = seconds_now(), loss = train_epoch(run, epoch);
    if (sp_error_status() != SP_OK) return false;
    if (interrupted()) return true;
    run->val_error = sp_reconstruction_error(run->model, run->session->val_data);
    sp_series_push_xy(run->val_losses, epoch, validation_loss(run));
    if (sp_error_status() != SP_OK) return false;
    print_epoch(run, epoch, loss, seconds_now() - began);
    run->done = epoch;
    return true;
}

bool autoencode_train(autoencode_run *run)
{
    for (int epoch = 1; epoch <= run->session->options->epochs && !interrupted(); epoch++)
        if (!one_epoch(run, epoch)) return false;
    return true;
}

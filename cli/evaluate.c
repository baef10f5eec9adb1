/* How good a network is. */
#include "cli.h"

sp_loader *evaluation_loader(sp_dataset *dataset, int workers)
{
    return sp_data_loader(dataset, .batch_size = 1000, .num_workers = workers);
}

static void add_batch(sp_module *model, const sp_batch *batch, figures *sums)
{
    sp_tensor *output = model_apply(model, batch->x);
    double loss = sp_item(sp_nll_loss(output, batch->y));
    double correct = sp_item(sp_sum(sp_eq(sp_argmax_dim(output, 1), batch->y)));
    int64_t n = sp_size(batch->x, 0);
    if (sp_error_status() != SP_OK) return;
    sums->loss += loss * (double)n;
    sums->correct += (int64_t)correct;
    sums->total += n;
}

bool evaluate(sp_module *model, sp_loader *loader, figures *result)
{
    bool training = sp_is_training(model);
    *result = (figures){0};
    sp_eval(model);
    SP_NO_GRAD {
        sp_foreach_batch (batch, loader) {
            add_batch(model, &batch, result);
            if (sp_error_status() != SP_OK) break;
        }
    }
    if (training) sp_train(model);
    if (result->total > 0) {
        result->loss /= (double)result->total;
        result->accuracy = (double)result->correct / (double)result->total;
    }
    return sp_error_status() == SP_OK;
}

/* How good a classifier is. */
#include <spusk/extend.h>
#include <spusk/functional.h>
#include <spusk/pointwise.h>
#include <spusk/train.h>

/* The log-softmax of log-probabilities is those log-probabilities again, so scores and log-probabilities are one case.
 */
static sp_tensor *loss_of(sp_tensor *output, sp_tensor *labels, bool probabilities)
{
    return probabilities ? sp_nll_loss(sp_log(output), labels) : sp_cross_entropy(output, labels);
}

static bool ends_in_softmax(const sp_module *model)
{
    while (sp_module_num_children(model) > 0) model = sp_module_child(model, sp_module_num_children(model) - 1);
    return strcmp(sp_module_name(model), "Softmax") == 0;
}

static sp_status add_batch(sp_module *model, const sp_batch *batch, sp_figures *sums)
{
    sp_tensor *output = sp_model_apply(model, batch->x);
    sp_tensor *loss = loss_of(output, batch->y, ends_in_softmax(model));
    sp_tensor *correct = sp_sum(sp_eq(sp_argmax_dim(output, 1), batch->y));
    if (!loss || !correct) return sp_error_status();
    const int64_t n = sp_size(batch->x, 0);
    sums->loss += sp_item(loss) * (double)n;
    sums->correct += sp_item_i64(correct);
    sums->total += n;
    return SP_OK;
}

sp_status sp_evaluate(sp_figures *figures, sp_module *model, sp_loader *loader)
{
    if (!model || !loader || !figures)
        return sp_raise_null("sp_evaluate", !model ? "model" : loader ? "figures" : "loader");
    const bool training = sp_is_training(model);
    sp_figures sums = {0};
    sp_status status = sp_eval(model);
    if (status) return status;
    SP_NO_GRAD {
        sp_foreach_batch (batch, loader) {
            status = add_batch(model, &batch, &sums);
            if (status) break;
        }
    }
    if (training) sp_train(model);
    if (!status) status = sp_error_status();
    if (!status && sums.total == 0) status = sp_raise(SP_ERROR_ARGUMENT, "sp_evaluate: the loader has no examples");
    if (status) return status;
    sums.loss /= (double)sums.total;
    sums.accuracy = (double)sums.correct / (double)sums.total;
    *figures = sums;
    return SP_OK;
}

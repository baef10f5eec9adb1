/* Losses between values, element by element, then their mean, their sum, or each. d = x - t.
 *
 *   mse          d²                                        dx = 2d
 *   l1           |d|                                       dx = sign d
 *   smooth_l1    |d| < β: d²/2β, else |d| - β/2             dx = clamp(d/β, -1, 1)
 *   bce          -(t·ln x + (1 - t)·ln(1 - x))             dx = d/max(x·(1 - x), 1e-12)
 *   bce_logits   max(x, 0) - x·t + ln(1 + e^-|x|)          dx = sigmoid x - t
 *   kl_div       t·(ln t - x)                              dx = -t
 *
 * and dt = -dx for the first three, ln(1 - x) - ln x, -x, and ln t + 1 - x for the others. */
#include "ops/elementwise.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct loss_attributes {
    sp_reduction reduction;
    double beta;
    bool log_target, batch_mean;
} loss_attributes;

/* A loss: each element's value, and its derivatives by x and by t, as expressions of operators. */
typedef sp_tensor *loss_formula(sp_tensor *x, sp_tensor *t, const loss_attributes *a);

/* ---- formulas ---- */

static sp_tensor *mse_value(sp_tensor *x, sp_tensor *t, const loss_attributes *a)
{
    (void)a;
    return sp_square(sp_sub(x, t));
}

static sp_tensor *mse_by_x(sp_tensor *x, sp_tensor *t, const loss_attributes *a)
{
    (void)a;
    return sp_mul_scalar(sp_sub(x, t), 2);
}

static sp_tensor *l1_value(sp_tensor *x, sp_tensor *t, const loss_attributes *a)
{
    (void)a;
    return sp_abs(sp_sub(x, t));
}

static sp_tensor *l1_by_x(sp_tensor *x, sp_tensor *t, const loss_attributes *a)
{
    (void)a;
    return sp_sign(sp_sub(x, t));
}

static sp_tensor *smooth_l1_value(sp_tensor *x, sp_tensor *t, const loss_attributes *a)
{
    sp_tensor *size = sp_abs(sp_sub(x, t));
    sp_tensor *near = sp_mul_scalar(sp_square(size), 0.5 / a->beta);
    return sp_where(sp_lt_scalar(size, a->beta), near, sp_sub_scalar(size, 0.5 * a->beta));
}

static sp_tensor *smooth_l1_by_x(sp_tensor *x, sp_tensor *t, const loss_attributes *a)
{
    return sp_clamp(sp_div_scalar(sp_sub(x, t), a->beta), -1, 1);
}

static sp_tensor *one_minus(sp_tensor *x)
{
    return sp_rsub_scalar(x, 1);
}

/* PyTorch cuts the logarithms at -100, so that 0·ln 0 is 0. */
static sp_tensor *cut_log(sp_tensor *x)
{
    return sp_clamp_min(sp_log(x), -100);
}

static sp_tensor *bce_value(sp_tensor *x, sp_tensor *t, const loss_attributes *a)
{
    (void)a;
    return sp_neg(sp_add(sp_mul(t, cut_log(x)), sp_mul(one_minus(t), cut_log(one_minus(x)))));
}

static sp_tensor *bce_by_x(sp_tensor *x, sp_tensor *t, const loss_attributes *a)
{
    (void)a;
    return sp_div(sp_sub(x, t), sp_clamp_min(sp_mul(x, one_minus(x)), 1e-12));
}

static sp_tensor *bce_by_t(sp_tensor *x, sp_tensor *t, const loss_attributes *a)
{
    (void)t, (void)a;
    return sp_sub(cut_log(one_minus(x)), cut_log(x));
}

static sp_tensor *bce_logits_value(sp_tensor *x, sp_tensor *t, const loss_attributes *a)
{
    (void)a;
    return sp_add(sp_sub(sp_relu(x), sp_mul(x, t)), sp_log1p(sp_exp(sp_neg(sp_abs(x)))));
}

static sp_tensor *bce_logits_by_x(sp_tensor *x, sp_tensor *t, const loss_attributes *a)
{
    (void)a;
    return sp_sub(sp_sigmoid(x), t);
}

static sp_tensor *bce_logits_by_t(sp_tensor *x, sp_tensor *t, const loss_attributes *a)
{
    (void)a;
    return sp_add(sp_neg(x), sp_zeros_like(t));
}

static sp_tensor *kl_value(sp_tensor *x, sp_tensor *t, const loss_attributes *a)
{
    if (a->log_target) return sp_mul(sp_exp(t), sp_sub(t, x));
    sp_tensor *safe = sp_masked_fill(t, sp_eq_scalar(t, 0), 1); /* 0·ln 0 is 0 */
    sp_tensor *entropy = sp_mul(t, sp_log(safe));
    return sp_sub(entropy, sp_mul(t, x));
}

static sp_tensor *kl_by_x(sp_tensor *x, sp_tensor *t, const loss_attributes *a)
{
    return sp_sub(sp_neg(a->log_target ? sp_exp(t) : t), sp_zeros_like(x));
}

static sp_tensor *kl_by_t(sp_tensor *x, sp_tensor *t, const loss_attributes *a)
{
    if (a->log_target) return sp_mul(sp_exp(t), sp_add_scalar(sp_sub(t, x), 1));
    sp_tensor *zero = sp_eq_scalar(t, 0), *safe = sp_masked_fill(t, zero, 1);
    return sp_masked_fill(sp_add_scalar(sp_sub(sp_log(safe), x), 1), zero, 0);
}

/* ---- what all share ---- */

static sp_status loss_infer(sp_call *call)
{
    const loss_attributes *a = call->attributes;
    sp_tensor *x = call->inputs[0], *t = call->inputs[1];
    int n;
    int64_t sizes[SP_MAX_DIMS];
    char function[64];
    sp_dtype dtype = sp__result_type(call->inputs, 2);
    if (!sp_dtype_is_floating_point(dtype)) return sp__refuse_dtype(call, dtype, "");
    snprintf(function, sizeof function, "sp_%s", call->op->name);
    if (sp__broadcast(function, x->ndim, x->sizes, t->ndim, t->sizes, &n, sizes)) return sp_error_status();
    return sp_call_output(call, 0, dtype, a->reduction == SP_REDUCTION_NONE ? (sp_dims){sizes, n} : SP_DIMS());
}

/* Probabilities and their targets have one shape, as PyTorch asks. */
static sp_status same_shape_infer(sp_call *call)
{
    const sp_tensor *x = call->inputs[0], *t = call->inputs[1];
    if (x->ndim != t->ndim || memcmp(x->sizes, t->sizes, (size_t)x->ndim * sizeof *x->sizes))
        return sp_raise(SP_ERROR_SHAPE, "sp_%s: targets of shape %s for an input of shape %s", call->op->name,
                        sp__shape_of(t), sp__shape_of(x));
    return loss_infer(call);
}

static double count_of(const loss_attributes *a, sp_dims x, double elements)
{
    if (a->reduction != SP_REDUCTION_MEAN) return 1;
    return a->batch_mean ? (x.n ? (double)x.data[0] : 1) : elements;
}

static sp_status loss_forward_by(sp_call *call, loss_formula *value)
{
    const loss_attributes *a = call->attributes;
    sp_scope scope = sp_scope_open_no_grad();
    sp_tensor *each = value(call->inputs[0], call->inputs[1], a), *result = each;
    if (each && a->reduction != SP_REDUCTION_NONE) {
        double count = count_of(a, sp_sizes(call->inputs[0]), (double)sp_numel(each));
        result = sp_sum(each);
        if (a->reduction == SP_REDUCTION_MEAN) result = sp_div_scalar(result, count);
    }
    sp_status status = result ? sp__copy_values(call->outputs[0], result) : sp_error_status();
    sp_scope_close(&scope);
    return status;
}

static double broadcast_elements(sp_dims a, sp_dims b)
{
    double count = 1;
    for (int i = 0; i < a.n || i < b.n; i++) {
        int64_t x = i < a.n ? a.data[a.n - 1 - i] : 1, y = i < b.n ? b.data[b.n - 1 - i] : 1;
        count *= (double)(x == 1 ? y : x);
    }
    return count;
}

static sp_status loss_backward_by(sp_grad_call *call, loss_formula *by_x, loss_formula *by_t)
{
    const loss_attributes *a = call->attributes;
    sp_tensor *x = sp_saved_input(call, 0), *t = sp_saved_input(call, 1), *grad = call->grads[0];
    if (!x || !t) return sp_error_status();
    double count = count_of(a, sp_sizes(x), broadcast_elements(sp_sizes(x), sp_sizes(t)));
    if (count != 1) grad = sp_div_scalar(grad, count);
    sp_status status = SP__GIVE(call, 0, sp_mul(by_x(x, t, a), grad));
    if (status) return status;
    return SP__GIVE(call, 1, by_t ? sp_mul(by_t(x, t, a), grad) : sp_neg(sp_mul(by_x(x, t, a), grad)));
}

static sp_tensor *apply(const sp_op *op, sp_tensor *x, sp_tensor *t, const sp_loss_options *options)
{
    sp_loss_options o;
    sp_options_copy(&o, sizeof o, options);
    loss_attributes a = {o.reduction, sp_option(o.beta, 1), o.log_target, o.batch_mean};
    if (o.reduction < SP_REDUCTION_MEAN || o.reduction > SP_REDUCTION_NONE) {
        sp_raise(SP_ERROR_ARGUMENT, "sp_%s: %d is no reduction", op->name, (int)o.reduction);
        return NULL;
    }
    if (!(a.beta >= 0)) {
        sp_raise(SP_ERROR_ARGUMENT, "sp_%s: beta must not be negative, but is %g", op->name, a.beta);
        return NULL;
    }
    const sp_op *chosen = op == &sp__op_smooth_l1_loss && a.beta == 0 ? &sp__op_l1_loss : op;
    return sp_op_apply(chosen, (sp_tensor *[]){x, t}, 2, &a);
}

/* ---- an operator of each ---- */

#define LOSS(OP, PUBLIC, NODE, INFER, VALUE, BY_X, BY_T, TORCH, LOW, HIGH)                                             \
    static sp_status OP##_forward(sp_call *call)                                                                       \
    {                                                                                                                  \
        return loss_forward_by(call, VALUE);                                                                           \
    }                                                                                                                  \
    static sp_status OP##_backward(sp_grad_call *call)                                                                 \
    {                                                                                                                  \
        return loss_backward_by(call, BY_X, BY_T);                                                                     \
    }                                                                                                                  \
    sp_tensor *(PUBLIC)(sp_tensor * x, sp_tensor * target, const sp_loss_options *options)                             \
    {                                                                                                                  \
        return apply(&sp__op_##OP, x, target, options);                                                                \
    }                                                                                                                  \
    SP__SAMPLE(OP##_mean, PUBLIC(in[0], in[1]));                                                                       \
    SP__SAMPLE(OP##_sum, PUBLIC(in[0], in[1], .reduction = SP_REDUCTION_SUM));                                         \
    SP__SAMPLE(OP##_each, PUBLIC(in[0], in[1], .reduction = SP_REDUCTION_NONE));                                       \
    static const sp_sample OP##_samples[] = {                                                                          \
        SP__PAIR(OP##_mean, TORCH "(a, b)", "3 4", "3 4", LOW, HIGH),                                                  \
        SP__PAIR(OP##_sum, TORCH "(a, b, reduction='sum')", "5", "5", LOW, HIGH),                                      \
        SP__PAIR(OP##_each, TORCH "(a, b, reduction='none')", "2 3", "2 3", LOW, HIGH),                                \
        SP__PAIR(OP##_mean, TORCH "(a, b)", "", "", LOW, HIGH),                                                        \
        SP__PAIR(OP##_sum, TORCH "(a, b, reduction='sum')", "0 2", "0 2", LOW, HIGH),                                  \
        {0}};                                                                                                          \
    const sp_op sp__op_##OP = {.name = #OP,                                                                            \
                               .backward_name = NODE,                                                                  \
                               .n_inputs = 2,                                                                          \
                               .attributes_size = sizeof(loss_attributes),                                             \
                               .saves = SP_SAVE_INPUTS,                                                                \
                               .infer = INFER,                                                                         \
                               .forward = OP##_forward,                                                                \
                               .backward = OP##_backward,                                                              \
                               .samples = OP##_samples};

LOSS(mse_loss, sp_mse_loss, "MseLossBackward0", loss_infer, mse_value, mse_by_x, NULL, "F.mse_loss", -2, 2)
LOSS(l1_loss, sp_l1_loss, "L1LossBackward0", loss_infer, l1_value, l1_by_x, NULL, "F.l1_loss", -2, 2)
LOSS(smooth_l1_loss, sp_smooth_l1_loss, "SmoothL1LossBackward0", loss_infer, smooth_l1_value, smooth_l1_by_x, NULL,
     "F.smooth_l1_loss", -2, 2)
LOSS(binary_cross_entropy, sp_binary_cross_entropy, "BinaryCrossEntropyBackward0", same_shape_infer, bce_value,
     bce_by_x, bce_by_t, "F.binary_cross_entropy", 0.1, 0.9)
LOSS(binary_cross_entropy_with_logits, sp_binary_cross_entropy_with_logits, "BinaryCrossEntropyWithLogitsBackward0",
     same_shape_infer, bce_logits_value, bce_logits_by_x, bce_logits_by_t, "F.binary_cross_entropy_with_logits", 0.1,
     0.9)
LOSS(kl_div, sp_kl_div, "KlDivBackward0", loss_infer, kl_value, kl_by_x, kl_by_t, "F.kl_div", 0.1, 0.9)

/* Losses between values, element by element, then their mean, their sum, or each. d = x - t.
 *
 *   mse          d²                                        dx = 2d
 *   l1           |d|                                       dx = sign d
 *   smooth_l1    |d| < β: d²/2β, else |d| - β/2            dx = clamp(d/β, -1, 1)
 *   bce          -(t·ln x + (1 - t)·ln(1 - x))             dx = d/max(x·(1 - x), 1e-12)
 *   bce_logits   max(x, 0) - x·t + ln(1 + e^-|x|)          dx = sigmoid x - t, or (1 - t) - sigmoid -x where x > 0
 *   kl_div       t·(ln t - x), or e^t·(t - x)              dx = -t, or -e^t
 *
 * and dt = -dx for the first three, ln(1 - x) - ln x and -x for the next two. As in PyTorch, l1 and kl_div are made of
 * other operators, and the graph shows those. */
#include "ops/elementwise.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct loss_attributes {
    sp_reduction reduction;
    double beta;
} loss_attributes;

/* ---- what all share ---- */

static sp_status read_options(const char *function, const sp_loss_options *options, sp_loss_options *o)
{
    sp_options_copy(o, sizeof *o, options);
    o->beta = sp_option(o->beta, 1);
    if (o->reduction < SP_REDUCTION_MEAN || o->reduction > SP_REDUCTION_NONE)
        return sp_raise(SP_ERROR_ARGUMENT, "%s: %d is no reduction", function, (int)o->reduction);
    if (o->beta >= 0 && isfinite(o->beta)) return SP_OK;
    return sp_raise(SP_ERROR_ARGUMENT, "%s: beta must be finite and not negative, got %g", function, o->beta);
}

static sp_tensor *reduce(sp_tensor *each, sp_reduction reduction)
{
    if (reduction == SP_REDUCTION_NONE) return each;
    return reduction == SP_REDUCTION_MEAN ? sp_mean(each) : sp_sum(each);
}

static sp_status loss_infer(sp_call *call)
{
    const loss_attributes *a = call->attributes;
    const sp_tensor *x = call->inputs[0], *t = call->inputs[1];
    int n;
    int64_t sizes[SP_MAX_DIMS];
    char function[64];
    sp_dtype dtype = sp__result_type(call->inputs, 2);
    if (!sp_dtype_is_floating_point(dtype)) return sp__refuse_dtype(call, dtype, "");
    snprintf(function, sizeof function, "sp_%s", call->op->name);
    if (sp__broadcast(function, x->ndim, x->sizes, t->ndim, t->sizes, &n, sizes)) return sp_error_status();
    return sp_call_output(call, 0, dtype, a->reduction == SP_REDUCTION_NONE ? (sp_dims){sizes, n} : SP_DIMS());
}

static bool same_shape(const sp_tensor *x, const sp_tensor *t)
{
    return x->ndim == t->ndim && memcmp(x->sizes, t->sizes, (size_t)x->ndim * sizeof *x->sizes) == 0;
}

/* Probabilities and their targets have one shape, as PyTorch asks. */
static sp_status same_shape_infer(sp_call *call)
{
    const sp_tensor *x = call->inputs[0], *t = call->inputs[1];
    if (!same_shape(x, t))
        return sp_raise(SP_ERROR_SHAPE, "sp_%s: targets of shape %s for an input of shape %s", call->op->name,
                        sp__shape_of(t), sp__shape_of(x));
    return loss_infer(call);
}

/* The loss, and a warning where it is of more pairs than there are inputs or targets, as (b, 1) and (b) make b·b. */
static sp_tensor *with_warning(const char *function, sp_tensor *loss, const sp_tensor *x, const sp_tensor *t)
{
    if (loss && !same_shape(x, t))
        sp_warn(
            "%s: the target's shape %s is not the input's, %s; they are broadcast, which is rarely meant: give both "
            "one shape",
            function, sp__shape_of(t), sp__shape_of(x));
    return loss;
}

/* A loss: each element's value, and its derivatives by x and by t, as expressions of operators. */
typedef sp_tensor *loss_formula(sp_tensor *x, sp_tensor *t, double beta);

static sp_status loss_forward_by(sp_call *call, loss_formula *value)
{
    const loss_attributes *a = call->attributes;
    sp_scope scope = sp_scope_open_no_grad();
    sp_tensor *each = value(sp__widened(call->inputs[0]), sp__widened(call->inputs[1]), a->beta);
    sp_tensor *result = reduce(each, a->reduction);
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

/* by_t NULL: the negative of by_x. */
static sp_status loss_backward_by(sp_grad_call *call, loss_formula *by_x, loss_formula *by_t)
{
    const loss_attributes *a = call->attributes;
    sp_tensor *x = sp__widened(sp_saved_input(call, 0)), *t = sp__widened(sp_saved_input(call, 1));
    if (!x || !t) return sp_error_status();
    sp_tensor *grad = call->grads[0];
    if (a->reduction == SP_REDUCTION_MEAN)
        grad = sp_div_scalar(grad, broadcast_elements(sp_input_sizes(call, 0), sp_input_sizes(call, 1)));
    sp_tensor *dx = call->needed[0] || !by_t ? sp_mul(by_x(x, t, a->beta), grad) : NULL;
    sp_status status = SP__GIVE(call, 0, dx);
    return status ? status : SP__GIVE(call, 1, by_t ? sp_mul(by_t(x, t, a->beta), grad) : sp_neg(dx));
}

static sp_tensor *apply(const sp_op *op, const char *function, sp_tensor *x, sp_tensor *t,
                        const sp_loss_options *options)
{
    sp_loss_options o;
    if (read_options(function, options, &o)) return NULL;
    sp_tensor *loss = sp_op_apply(op, (sp_tensor *[]){x, t}, 2, &(loss_attributes){o.reduction, o.beta});
    return with_warning(function, loss, x, t);
}

/* ---- mse, smooth_l1 ---- */

static sp_tensor *mse_value(sp_tensor *x, sp_tensor *t, double beta)
{
    (void)beta;
    return sp_square(sp_sub(x, t));
}

static sp_tensor *mse_by_x(sp_tensor *x, sp_tensor *t, double beta)
{
    (void)beta;
    return sp_mul_scalar(sp_sub(x, t), 2);
}

static sp_tensor *smooth_l1_value(sp_tensor *x, sp_tensor *t, double beta)
{
    sp_tensor *d = sp_sub(x, t);
    const sp_dtype dtype = d ? sp__floating(d->dtype) : SP_DTYPE_DEFAULT;
    sp_tensor *each = sp_empty_as(d, dtype);
    if (!each || sp__map_tensors(SP__SMOOTH_L1, each, &d, 1, dtype, (double[]){beta, 0.5 / beta})) return NULL;
    return each;
}

static sp_tensor *smooth_l1_by_x(sp_tensor *x, sp_tensor *t, double beta)
{
    return sp_clamp(sp_div_scalar(sp_sub(x, t), beta), -1, 1);
}

/* ---- binary cross entropy, of probabilities and of logits ---- */

static sp_tensor *one_minus(sp_tensor *x)
{
    return sp_rsub_scalar(x, 1);
}

/* PyTorch cuts the logarithms at -100, so that 0·ln 0 is 0. */
static sp_tensor *cut(sp_tensor *log)
{
    return sp_clamp_min(log, -100);
}

/* Logits given by mistake would become NaN in silence. */
static sp_status check_probabilities(sp_tensor *x)
{
    if (sp_numel(x) == 0) return SP_OK;
    const double low = sp_item(sp_min(x)), high = sp_item(sp_max(x));
    if (low >= 0 && high <= 1) return SP_OK;
    return sp_raise(SP_ERROR_ARGUMENT,
                    "sp_binary_cross_entropy: the input must be between 0 and 1, and one is %g; "
                    "sp_binary_cross_entropy_with_logits takes any",
                    low >= 0 ? high : low);
}

static sp_tensor *bce_value(sp_tensor *x, sp_tensor *t, double beta)
{
    (void)beta;
    if (check_probabilities(x)) return NULL;
    return sp_neg(sp_add(sp_mul(t, cut(sp_log(x))), sp_mul(one_minus(t), cut(sp_log1p(sp_neg(x))))));
}

static sp_tensor *bce_by_x(sp_tensor *x, sp_tensor *t, double beta)
{
    (void)beta;
    return sp_div(sp_sub(x, t), sp_clamp_min(sp_mul(x, one_minus(x)), 1e-12));
}

static sp_tensor *bce_by_t(sp_tensor *x, sp_tensor *t, double beta)
{
    (void)t, (void)beta;
    return sp_sub(sp_log1p(sp_neg(x)), sp_log(x));
}

/* One kernel over logits and targets of one shape; its result has no gradient. */
static sp_tensor *map_logits(sp__map_kind kind, sp_tensor *x, sp_tensor *t)
{
    sp_tensor *const inputs[] = {x, t};
    if (!x || !t) return NULL;
    const sp_dtype dtype = sp__result_type(inputs, 2);
    sp_tensor *each = sp_empty_as(x, dtype);
    return each && sp__map_tensors(kind, each, inputs, 2, dtype, NULL) == SP_OK ? each : NULL;
}

static sp_tensor *bce_logits_value(sp_tensor *x, sp_tensor *t, double beta)
{
    (void)beta;
    return map_logits(SP__BCE_LOGITS, x, t);
}

static sp_tensor *bce_logits_by_x(sp_tensor *x, sp_tensor *t, double beta)
{
    (void)beta;
    if (!sp_grad_enabled()) return map_logits(SP__BCE_LOGITS_BACKWARD, x, t);
    sp_tensor *above = sp_sub(one_minus(t), sp_sigmoid(sp_neg(x)));
    return sp_where(sp_gt_scalar(x, 0), above, sp_sub(sp_sigmoid(x), t));
}

static sp_tensor *bce_logits_by_t(sp_tensor *x, sp_tensor *t, double beta)
{
    (void)t, (void)beta;
    return sp_neg(x);
}

/* ---- xlogy: x·ln y, 0 where x is 0 (but for NaN in y); what kl_div is made of ---- */

static sp_tensor *xlogy(sp_tensor *x, sp_tensor *y)
{
    return sp_op_apply(&sp__op_xlogy, (sp_tensor *[]){x, y}, 2, NULL);
}

static sp_status xlogy_infer(sp_call *call)
{
    return sp__broadcast_output(call, sp__floating(sp__result_type(call->inputs, 2)));
}

static sp_status xlogy_forward(sp_call *call)
{
    sp_scope scope = sp_scope_open_no_grad();
    sp_dtype dtype = call->outputs[0]->dtype == SP_BF16 ? SP_F32 : call->outputs[0]->dtype;
    sp_tensor *x = sp_cast(call->inputs[0], dtype), *y = sp_cast(call->inputs[1], dtype);
    sp_tensor *nothing = sp_logical_and(sp_eq_scalar(x, 0), sp_logical_not(sp_isnan(y)));
    sp_tensor *result = sp_masked_fill(sp_mul(x, sp_log(y)), nothing, 0);
    sp_status status = result ? sp__copy_values(call->outputs[0], result) : sp_error_status();
    sp_scope_close(&scope);
    return status;
}

/* dx = ln y, dy = x/y; where x is 0 and y has no logarithm both are 0: a target of 0 pulls at nothing. */
static sp_status xlogy_backward(sp_grad_call *call)
{
    sp_tensor *x = sp__widened(sp_saved_input(call, 0)), *y = sp__widened(sp_saved_input(call, 1));
    if (!x || !y) return sp_error_status();
    sp_tensor *nothing = sp_logical_and(sp_eq_scalar(x, 0), sp_le_scalar(y, 0));
    sp_tensor *safe = sp_where(nothing, sp_ones_like(y), y);
    sp_status status = SP__GIVE(call, 0, sp_mul(call->grads[0], sp_log(safe)));
    return status ? status : SP__GIVE(call, 1, sp_mul(call->grads[0], sp_div(x, safe)));
}

/* ---- public: what is made of other operators ---- */

static sp_status check_both(const char *function, sp_tensor *x, sp_tensor *target)
{
    return sp__check_tensor(x, function, "x") || sp__check_tensor(target, function, "target") ? sp_error_status()
                                                                                              : SP_OK;
}

sp_tensor *(sp_l1_loss)(sp_tensor *x, sp_tensor *target, const sp_loss_options *options)
{
    sp_loss_options o;
    if (check_both("sp_l1_loss", x, target) || read_options("sp_l1_loss", options, &o)) return NULL;
    sp_error_frame frame;
    sp_error_enter(&frame, "", "sp_l1_loss");
    sp_scope scope = sp_scope_open();
    sp_tensor *loss = sp_escape(reduce(sp_abs(sp_sub(sp__mixed_f32(x), sp__mixed_f32(target))), o.reduction));
    sp_scope_close(&scope);
    sp_error_leave(&frame);
    return with_warning("sp_l1_loss", loss, x, target);
}

static sp_tensor *kl_each(sp_tensor *x, sp_tensor *t, bool log_target)
{
    return log_target ? sp_mul(sp_exp(t), sp_sub(t, x)) : sp_sub(xlogy(t, t), sp_mul(t, x));
}

sp_tensor *(sp_kl_div)(sp_tensor *x, sp_tensor *target, const sp_loss_options *options)
{
    sp_loss_options o;
    if (check_both("sp_kl_div", x, target) || read_options("sp_kl_div", options, &o)) return NULL;
    if (!sp_dtype_is_floating_point(x->dtype) || !sp_dtype_is_floating_point(target->dtype)) {
        sp_raise(SP_ERROR_DTYPE, "sp_kl_div: needs floating point tensors, not %s and %s", sp_dtype_name(x->dtype),
                 sp_dtype_name(target->dtype));
        return NULL;
    }
    sp_error_frame frame;
    sp_error_enter(&frame, "", "sp_kl_div");
    sp_scope scope = sp_scope_open();
    const bool batch = o.batch_mean && o.reduction == SP_REDUCTION_MEAN;
    sp_tensor *loss = reduce(kl_each(sp__mixed_f32(x), sp__mixed_f32(target), o.log_target),
                             batch ? SP_REDUCTION_SUM : o.reduction);
    if (batch && x->ndim) loss = sp_div_scalar(loss, (double)x->sizes[0]);
    sp_escape(loss);
    sp_scope_close(&scope);
    sp_error_leave(&frame);
    return with_warning("sp_kl_div", loss, x, target);
}

/* ---- public: operators of their own ---- */

sp_tensor *(sp_mse_loss)(sp_tensor *x, sp_tensor *target, const sp_loss_options *options)
{
    return apply(&sp__op_mse_loss, "sp_mse_loss", x, target, options);
}

/* With β = 0 nothing is near. */
sp_tensor *(sp_smooth_l1_loss)(sp_tensor *x, sp_tensor *target, const sp_loss_options *options)
{
    sp_loss_options o;
    if (read_options("sp_smooth_l1_loss", options, &o)) return NULL;
    if (o.beta == 0) return (sp_l1_loss)(x, target, options);
    return apply(&sp__op_smooth_l1_loss, "sp_smooth_l1_loss", x, target, options);
}

sp_tensor *(sp_binary_cross_entropy)(sp_tensor *x, sp_tensor *target, const sp_loss_options *options)
{
    return apply(&sp__op_binary_cross_entropy, "sp_binary_cross_entropy", x, target, options);
}

sp_tensor *(sp_binary_cross_entropy_with_logits)(sp_tensor *x, sp_tensor *target, const sp_loss_options *options)
{
    return apply(&sp__op_binary_cross_entropy_with_logits, "sp_binary_cross_entropy_with_logits", x, target, options);
}

/* ---- samples and records ---- */

/* The calls of a loss's samples, and the samples. */
#define REDUCTIONS(NAME)                                                                                               \
    SP__SAMPLE(NAME##_mean, sp_##NAME(in[0], in[1]));                                                                  \
    SP__SAMPLE(NAME##_sum, sp_##NAME(in[0], in[1], .reduction = SP_REDUCTION_SUM));                                    \
    SP__SAMPLE(NAME##_each, sp_##NAME(in[0], in[1], .reduction = SP_REDUCTION_NONE))
#define REDUCED(NAME, LOW, HIGH)                                                                                       \
    SP__PAIR(NAME##_mean, "F." #NAME "(a, b)", "3 4", "3 4", LOW, HIGH),                                               \
        SP__PAIR(NAME##_sum, "F." #NAME "(a, b, reduction='sum')", "5", "5", LOW, HIGH),                               \
        SP__PAIR(NAME##_each, "F." #NAME "(a, b, reduction='none')", "2 3", "2 3", LOW, HIGH),                         \
        SP__PAIR(NAME##_mean, "F." #NAME "(a, b)", "", "", LOW, HIGH),                                                 \
        SP__PAIR(NAME##_sum, "F." #NAME "(a, b, reduction='sum')", "0 2", "0 2", LOW, HIGH)
#define BROADCAST(NAME, LOW, HIGH)                                                                                     \
    SP__PAIR(NAME##_mean, "F." #NAME "(a, b)", "2 1 3", "4 1", LOW, HIGH),                                             \
        SP__PAIR(NAME##_each, "F." #NAME "(a, b, reduction='none')", "3", "2 1", LOW, HIGH)

#define RECORD(NAME, NODE, INFER, VALUE, BY_X, BY_T)                                                                   \
    static sp_status NAME##_forward(sp_call *call)                                                                     \
    {                                                                                                                  \
        return loss_forward_by(call, VALUE);                                                                           \
    }                                                                                                                  \
    static sp_status NAME##_backward(sp_grad_call *call)                                                               \
    {                                                                                                                  \
        return loss_backward_by(call, BY_X, BY_T);                                                                     \
    }                                                                                                                  \
    const sp_op sp__op_##NAME = {.name = #NAME,                                                                        \
                                 .backward_name = NODE,                                                                \
                                 .n_inputs = 2,                                                                        \
                                 .autocast = SP_CAST_F32,                                                              \
                                 .attributes_size = sizeof(loss_attributes),                                           \
                                 .saves = SP_SAVE_INPUTS,                                                              \
                                 .infer = INFER,                                                                       \
                                 .forward = NAME##_forward,                                                            \
                                 .backward = NAME##_backward,                                                          \
                                 .samples = NAME##_samples}

REDUCTIONS(mse_loss);
static const sp_sample mse_loss_samples[] = {REDUCED(mse_loss, -2, 2), BROADCAST(mse_loss, -2, 2), {0}};
RECORD(mse_loss, "MseLossBackward0", loss_infer, mse_value, mse_by_x, NULL);

REDUCTIONS(smooth_l1_loss);
SP__SAMPLE(smooth_l1_wide, sp_smooth_l1_loss(in[0], in[1], .beta = 2));
SP__SAMPLE(smooth_l1_plain, sp_smooth_l1_loss(in[0], in[1], .beta = SP_ZERO));
REDUCTIONS(l1_loss);
static const sp_sample smooth_l1_loss_samples[] = {
    REDUCED(smooth_l1_loss, -2, 2),
    BROADCAST(smooth_l1_loss, -2, 2),
    SP__PAIR(smooth_l1_wide, "F.smooth_l1_loss(a, b, beta=2.0)", "3 4", "3 4", -2, 2),
    SP__PAIR(smooth_l1_plain, "F.smooth_l1_loss(a, b, beta=0.0)", "3 4", "3 4", -2, 2),
    REDUCED(l1_loss, -2, 2),
    BROADCAST(l1_loss, -2, 2),
    {0},
};
RECORD(smooth_l1_loss, "SmoothL1LossBackward0", loss_infer, smooth_l1_value, smooth_l1_by_x, NULL);

REDUCTIONS(binary_cross_entropy);
static const sp_sample binary_cross_entropy_samples[] = {REDUCED(binary_cross_entropy, 0.1, 0.9), {0}};
RECORD(binary_cross_entropy, "BinaryCrossEntropyBackward0", same_shape_infer, bce_value, bce_by_x, bce_by_t);

REDUCTIONS(binary_cross_entropy_with_logits);
static const sp_sample binary_cross_entropy_with_logits_samples[] = {REDUCED(binary_cross_entropy_with_logits, -2, 2),
                                                                     {0}};
RECORD(binary_cross_entropy_with_logits, "BinaryCrossEntropyWithLogitsBackward0", same_shape_infer, bce_logits_value,
       bce_logits_by_x, bce_logits_by_t);

SP__SAMPLE(xlogy_sample, xlogy(in[0], in[1]));
REDUCTIONS(kl_div);
SP__SAMPLE(kl_div_batch, sp_kl_div(in[0], in[1], .batch_mean = true));
SP__SAMPLE(kl_div_logs, sp_kl_div(in[0], in[1], .log_target = true));
const sp_op sp__op_xlogy = {
    .name = "xlogy",
    .backward_name = "XlogyBackward0",
    .n_inputs = 2,
    .saves = SP_SAVE_INPUTS,
    .infer = xlogy_infer,
    .forward = xlogy_forward,
    .backward = xlogy_backward,
    .samples = (const sp_sample[]){SP__BINARY_SAMPLES(xlogy_sample, "torch.xlogy(a, b)", 0.1, 2),
                                   REDUCED(kl_div, 0.1, 0.9),
                                   BROADCAST(kl_div, 0.1, 0.9),
                                   SP__PAIR(kl_div_batch, "F.kl_div(a, b, reduction='batchmean')", "3 2", "3 2", 0.1,
                                            0.9),
                                   SP__PAIR(kl_div_batch, "F.kl_div(a, b, reduction='batchmean')", "", "", 0.1, 0.9),
                                   SP__PAIR(kl_div_logs, "F.kl_div(a, b, log_target=True)", "3 2", "3 2", -2, -0.1),
                                   {0}},
};

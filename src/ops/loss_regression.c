/* Losses between values, element by element, then their mean, their sum, or each. d = x - t.
 *
 *   mse          d²                                        dx = 2d
 *   l1           |d|                                       dx = sign d
 *   smooth_l1    |d| < β: d²/2β, else |d| - β/2            dx = clamp(d/β, -1, 1)
 *   bce          -(t·ln x + (1 - t)·ln(1 - x))             dx = d/max(x·(1 - x), 1e-12)
 *   bce_logits   max(x, 0) - x·t + ln(1 + e^-|x|)          dx = sigmoid x - t
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
    if (o->beta >= 0) return SP_OK;
    return sp_raise(SP_ERROR_ARGUMENT, "%s: beta must not be negative, but is %g", function, o->beta);
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

/* Probabilities and their targets have one shape, as PyTorch asks. */
static sp_status same_shape_infer(sp_call *call)
{
    const sp_tensor *x = call->inputs[0], *t = call->inputs[1];
    if (x->ndim != t->ndim || memcmp(x->sizes, t->sizes, (size_t)x->ndim * sizeof *x->sizes))
        return sp_raise(SP_ERROR_SHAPE, "sp_%s: targets of shape %s for an input of shape %s", call->op->name,
                        sp__shape_of(t), sp__shape_of(x));
    return loss_infer(call);
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

static sp_tensor *apply(const sp_op *op, const char *function, sp_tensor *x, sp_tensor *t, const sp_loss_options *options)
{
    sp_loss_options o;
    if (read_options(function, options, &o)) return NULL;
    return sp_op_apply(op, (sp_tensor *[]){x, t}, 2, &(loss_attributes){o.reduction, o.beta});
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
    sp_tensor *size = sp_abs(sp_sub(x, t));
    sp_tensor *near = sp_mul_scalar(sp_square(size), 0.5 / beta);
    return sp_where(sp_lt_scalar(size, beta), near, sp_sub_scalar(size, 0.5 * beta));
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
static sp_tensor *cut_log(sp_tensor *x)
{
    return sp_clamp_min(sp_log(x), -100);
}

/* Logits given by mistake would become NaN in silence. */
static sp_status check_probabilities(sp_tensor *x)
{
    if (sp_numel(x) == 0) return SP_OK;
    const double low = sp_item(sp_min(x)), high = sp_item(sp_max(x));
    if ((low >= 0 && high <= 1) || sp_error_status()) return sp_error_status();
    return sp_raise(SP_ERROR_ARGUMENT, "sp_binary_cross_entropy: the input must be between 0 and 1, and one is %g; "
                    "sp_binary_cross_entropy_with_logits takes any", low >= 0 ? high : low);
}

static sp_tensor *bce_value(sp_tensor *x, sp_tensor *t, double beta)
{
    (void)beta;
    if (check_probabilities(x)) return NULL;
    return sp_neg(sp_add(sp_mul(t, cut_log(x)), sp_mul(one_minus(t), cut_log(one_minus(x)))));
}

static sp_tensor *bce_by_x(sp_tensor *x, sp_tensor *t, double beta)
{
    (void)beta;
    return sp_div(sp_sub(x, t), sp_clamp_min(sp_mul(x, one_minus(x)), 1e-12));
}

static sp_tensor *bce_by_t(sp_tensor *x, sp_tensor *t, double beta)
{
    (void)t, (void)beta;
    return sp_sub(sp_log(one_minus(x)), sp_log(x));
}

static sp_tensor *bce_logits_value(sp_tensor *x, sp_tensor *t, double beta)
{
    (void)beta;
    return sp_add(sp_sub(sp_relu(x), sp_mul(x, t)), sp_log1p(sp_exp(sp_neg(sp_abs(x)))));
}

static sp_tensor *bce_logits_by_x(sp_tensor *x, sp_tensor *t, double beta)
{
    (void)beta;
    return sp_sub(sp_sigmoid(x), t);
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
    sp_tensor *x = sp__widened(call->inputs[0]), *y = sp__widened(call->inputs[1]);
    sp_tensor *nothing = sp_logical_and(sp_eq_scalar(x, 0), sp_logical_not(sp_isnan(y)));
    sp_tensor *result = sp_masked_fill(sp_mul(x, sp_log(y)), nothing, 0);
    sp_status status = result ? sp__copy_values(call->outputs[0], result) : sp_error_status();
    sp_scope_close(&scope);
    return status;
}

/* dx = ln y, 0 where x is 0; dy = x/y, and 0 for 0/0: a target of 0 pulls at nothing. */
static sp_status xlogy_backward(sp_grad_call *call)
{
    sp_tensor *x = sp_saved_input(call, 0), *y = sp_saved_input(call, 1), *grad = call->grads[0];
    if (!x || !y) return sp_error_status();
    sp_tensor *counts = sp_cast(sp_ne_scalar(x, 0), sp_input_dtype(call, 0));
    sp_status status = SP__GIVE(call, 0, sp_mul(grad, xlogy(counts, y)));
    if (status || !call->needed[1]) return status;
    sp_tensor *both = sp_logical_and(sp_eq_scalar(x, 0), sp_eq_scalar(y, 0));
    return sp__give(call, 1, sp_mul(grad, sp_div(x, sp_where(both, sp_ones_like(y), y))));
}

/* ---- public: what is made of other operators ---- */

static sp_status check_both(const char *function, sp_tensor *x, sp_tensor *target)
{
    return sp__check_tensor(x, function, "x") || sp__check_tensor(target, function, "target") ? sp_error_status() : SP_OK;
}

sp_tensor *(sp_l1_loss)(sp_tensor *x, sp_tensor *target, const sp_loss_options *options)
{
    sp_loss_options o;
    if (check_both("sp_l1_loss", x, target) || read_options("sp_l1_loss", options, &o)) return NULL;
    sp_error_frame frame;
    sp_error_enter(&frame, "", "sp_l1_loss");
    sp_scope scope = sp_scope_open();
    sp_tensor *loss = sp_escape(reduce(sp_abs(sp_sub(x, target)), o.reduction));
    sp_scope_close(&scope);
    sp_error_leave(&frame);
    return loss;
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
    sp_tensor *loss = reduce(kl_each(x, target, o.log_target), o.batch_mean ? SP_REDUCTION_SUM : o.reduction);
    if (o.batch_mean && x->ndim) loss = sp_div_scalar(loss, (double)x->sizes[0]);
    sp_escape(loss);
    sp_scope_close(&scope);
    sp_error_leave(&frame);
    return loss;
}

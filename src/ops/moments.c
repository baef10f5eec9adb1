/* Variance, deviation, norms and the logarithm of a sum of exponentials, over chosen dimensions.
 *
 *   var        y = Σ(x - m)²/(n - c), m the mean, c = 1, or 0 when biased     dx = dy·2(x - m)/(n - c)
 *   std        y = √var                                                       dx = dy·(x - m)/((n - c)·y), 0 where y =
 * 0 norm       y = (Σ|x|^p)^(1/p); p = ±∞: the largest, the smallest |x|;     dx = dy·sign(x)·(|x|/y)^(p-1), 0 at y = 0
 *              p = 0: how many are not 0                                      0
 *   logsumexp  y = ln Σe^x = M + ln Σe^(x-M), M the largest                   dx = dy·e^(x-y)
 *
 * Source: PyTorch, torch.var, torch.std, torch.linalg.vector_norm, torch.logsumexp. */
#include "ops/reduce.h"
#include <math.h>

static sp_status infer_floating(sp_call *call)
{
    const sp_status status = sp__reduce_needs_floating(call);
    return status ? status : sp__reduce_infer(call, 0, call->inputs[0]->dtype);
}

/* ---- var, std ---- */

static sp_status var_forward(sp_call *call)
{
    return sp__reduce_forward(call, SP__VAR);
}

static sp_status std_forward(sp_call *call)
{
    return sp__reduce_forward(call, SP__STD);
}

/* grad·2(x - m)/(n - c), grad with its dimensions back. */
static sp_tensor *var_gradient(sp_grad_call *call, sp_tensor *grad)
{
    const sp__reduction *a = call->attributes;
    const double n = (double)sp__reduced_count(a, sp_input_sizes(call, 0));
    sp_tensor *x = sp_saved_input(call, 0);
    const sp__reduction kept = {.mask = a->mask, .keepdim = true};
    sp_tensor *mean = sp_op_apply(&sp__op_mean_dim, &x, 1, &kept);
    return sp_mul(sp_mul_scalar(grad, 2 / (n - a->param)), sp_sub(x, mean));
}

static sp_status var_backward(sp_grad_call *call)
{
    sp_tensor *grad = sp__reduce_restore(call->grads[0], call->attributes, sp_input_sizes(call, 0));
    return sp__give(call, 0, var_gradient(call, grad));
}

/* Where y is 0 all x are equal and the slope has no direction: 0, and the gradient's gradient too. */
static sp_status std_backward(sp_grad_call *call)
{
    const sp_dims sizes = sp_input_sizes(call, 0);
    sp_tensor *y = sp__reduce_restore(sp_saved_output(call, 0), call->attributes, sizes);
    sp_tensor *grad = sp__reduce_restore(call->grads[0], call->attributes, sizes);
    sp_tensor *flat = sp_eq_scalar(y, 0);
    sp_tensor *of_var = sp_div(sp_masked_fill(grad, flat, 0), sp_mul_scalar(sp_masked_fill(y, flat, 1), 2));
    return sp__give(call, 0, var_gradient(call, of_var));
}

static sp_tensor *apply_var(const sp_op *op, const char *function, sp_tensor *x, const sp_dims *dims,
                            const sp_reduce_options *options)
{
    sp_reduce_options o;
    sp__reduction attributes;
    sp_options_copy(&o, sizeof o, options);
    if (sp__reduction_of(function, x, dims, options, &attributes)) return NULL;
    attributes.param = o.biased ? 0 : 1;
    return sp__reduction_call(op, function, x, &attributes);
}

/* ---- norm ---- */

static sp_status norm_infer(sp_call *call)
{
    const sp__reduction *a = call->attributes;
    if (isnan(a->param)) return sp_raise(SP_ERROR_ARGUMENT, "sp_norm: p is not a number");
    /* The smallest and the largest of nothing, and 1/0, are no norms. */
    if ((a->param < 0 || isinf(a->param)) && sp__reduce_needs_elements(call)) return sp_error_status();
    return infer_floating(call);
}

static sp_status norm_forward(sp_call *call)
{
    return sp__reduce_forward(call, SP__NORM);
}

/* sign(x)·|x|^(p-1), 0 at 0. */
static sp_tensor *signed_power(sp_tensor *x, double p)
{
    if (p == 1) return sp_sign(x);
    if (p == 2) return x;
    if (p > 2) return sp_mul(x, sp_pow_scalar(sp_abs(x), p - 2));
    sp_tensor *zero = sp_eq_scalar(x, 0);
    return sp_mul(sp_sign(x), sp_pow_scalar(sp_masked_fill(sp_abs(x), zero, 1), p - 1));
}

/* For p = ±∞: the elements whose magnitude is the norm share; NaN is the norm wherever it is. */
static sp_tensor *extreme_gradient(sp_tensor *grad, sp_tensor *x, sp_tensor *y, const sp__reduction *a)
{
    sp_tensor *chosen = sp_cast(sp_logical_or(sp_eq(sp_abs(x), y), sp_isnan(x)), sp_dtype_of(x));
    return sp_mul(sp_div(grad, sp__reduce_sum(chosen, a)), sp_mul(chosen, sp_sign(x)));
}

static sp_tensor *norm_gradient(sp_tensor *grad, sp_tensor *x, sp_tensor *y, const sp__reduction *a)
{
    const double p = a->param;
    if (isinf(p)) return extreme_gradient(grad, x, y, a);
    if (p == 1) return sp_mul(grad, sp_sign(x));
    sp_tensor *zero = sp_eq_scalar(y, 0);
    sp_tensor *slope = sp_div(sp_masked_fill(grad, zero, 0), sp_pow_scalar(sp_masked_fill(y, zero, 1), p - 1));
    return sp_mul(slope, signed_power(x, p));
}

static sp_status norm_backward(sp_grad_call *call)
{
    const sp__reduction *a = call->attributes;
    const sp_dims sizes = sp_input_sizes(call, 0);
    sp_tensor *x = sp_saved_input(call, 0), *y = sp__reduce_restore(sp_saved_output(call, 0), a, sizes);
    sp_tensor *grad = sp__reduce_restore(call->grads[0], a, sizes);
    if (!y || !grad) return sp_error_status();
    return sp__give(call, 0, a->param == 0 ? sp_zeros_like(x) : norm_gradient(grad, x, y, a));
}

static sp_tensor *apply_norm(const char *function, sp_tensor *x, const sp_dims *dims, const sp_reduce_options *options)
{
    sp_reduce_options o;
    sp__reduction attributes;
    sp_options_copy(&o, sizeof o, options);
    if (sp__reduction_of(function, x, dims, options, &attributes)) return NULL;
    attributes.param = sp_option(o.p, 2);
    return sp__reduction_call(&sp__op_norm, function, x, &attributes);
}

/* ---- logsumexp ---- */

static sp_status logsumexp_infer(sp_call *call)
{
    return sp__reduce_infer(call, 0, sp__floating(call->inputs[0]->dtype));
}

static sp_status logsumexp_forward(sp_call *call)
{
    sp_tensor *x = sp__value_as(call->inputs[0], call->outputs[0]->dtype);
    if (!x) return sp_error_status();
    const sp_status status = sp__reduce_into(SP__LOGSUMEXP, call->outputs[0], x, call->attributes);
    sp__unref(x);
    return status;
}

static sp_status logsumexp_backward(sp_grad_call *call)
{
    const sp__reduction *a = call->attributes;
    const sp_dims sizes = sp_input_sizes(call, 0);
    sp_tensor *x = sp_saved_input(call, 0), *y = sp__reduce_restore(sp_saved_output(call, 0), a, sizes);
    sp_tensor *grad = sp__reduce_restore(call->grads[0], a, sizes);
    return sp__give(call, 0, sp_mul(grad, sp_exp(sp_sub(x, y))));
}

/* ---- public ---- */

sp_tensor *sp_var(sp_tensor *x)
{
    return apply_var(&sp__op_var, "sp_var", x, NULL, NULL);
}

sp_tensor *(sp_var_dim)(sp_tensor *x, int dim, const sp_reduce_options *options)
{
    return apply_var(&sp__op_var, "sp_var_dim", x, &SP_DIMS(dim), options);
}

sp_tensor *(sp_var_dims)(sp_tensor *x, sp_dims dims, const sp_reduce_options *options)
{
    return apply_var(&sp__op_var, "sp_var_dims", x, &dims, options);
}

sp_tensor *sp_std(sp_tensor *x)
{
    return apply_var(&sp__op_std, "sp_std", x, NULL, NULL);
}

sp_tensor *(sp_std_dim)(sp_tensor *x, int dim, const sp_reduce_options *options)
{
    return apply_var(&sp__op_std, "sp_std_dim", x, &SP_DIMS(dim), options);
}

sp_tensor *(sp_std_dims)(sp_tensor *x, sp_dims dims, const sp_reduce_options *options)
{
    return apply_var(&sp__op_std, "sp_std_dims", x, &dims, options);
}

sp_tensor *(sp_norm)(sp_tensor *x, const sp_reduce_options *options)
{
    return apply_norm("sp_norm", x, NULL, options);
}

sp_tensor *(sp_norm_dim)(sp_tensor *x, int dim, const sp_reduce_options *options)
{
    return apply_norm("sp_norm_dim", x, &SP_DIMS(dim), options);
}

sp_tensor *(sp_norm_dims)(sp_tensor *x, sp_dims dims, const sp_reduce_options *options)
{
    return apply_norm("sp_norm_dims", x, &dims, options);
}

SP__DEFINE_REDUCTION(sp_logsumexp, sp__op_logsumexp, sp__op_logsumexp);

/* ---- samples and records ---- */

SP__ALL_CALLS(var);
SP__DIM_CALLS(var);
SP__DIMS_CALLS(var);
SP__SAMPLE(var_biased, sp_var_dim(in[0], 1, .biased = true));
static const sp_sample var_samples[] = {
    SP__ALL_SAMPLES(var, "torch.var", false),
    SP__DIM_SAMPLES(var, "torch.var", false),
    SP__DIMS_SAMPLES(var, "torch.var", false),
    SP__REDUCED(var_biased, "torch.var(a, 1, correction=0)", "2 3", false),
    {0},
};

SP__ALL_CALLS(std);
SP__DIM_CALLS(std);
SP__DIMS_CALLS(std);
SP__SAMPLE(std_biased, sp_std_dim(in[0], 1, .biased = true));
static const sp_sample std_samples[] = {
    SP__ALL_SAMPLES(std, "torch.std", false),
    SP__DIM_SAMPLES(std, "torch.std", false),
    SP__DIMS_SAMPLES(std, "torch.std", false),
    SP__REDUCED(std_biased, "torch.std(a, 1, correction=0)", "2 3", false),
    {0},
};

#define NORM "torch.linalg.vector_norm"
SP__ALL_CALLS(norm);
SP__SAMPLE(norm_first, sp_norm_dim(in[0], 0));
SP__SAMPLE(norm_kept, sp_norm_dim(in[0], -1, .keepdim = true));
SP__DIMS_CALLS(norm);
SP__SAMPLE(norm_0, sp_norm(in[0], .p = SP_ZERO));
SP__SAMPLE(norm_half, sp_norm_dim(in[0], 1, .p = 0.5));
SP__SAMPLE(norm_1, sp_norm_dim(in[0], 1, .p = 1));
SP__SAMPLE(norm_3, sp_norm_dim(in[0], 0, .p = 3));
SP__SAMPLE(norm_minus_2, sp_norm(in[0], .p = -2));
SP__SAMPLE(norm_largest, sp_norm_dim(in[0], 1, .p = INFINITY));
SP__SAMPLE(norm_smallest, sp_norm_dim(in[0], 1, .p = -INFINITY));
static const sp_sample norm_samples[] = {
    SP__ALL_SAMPLES(norm, NORM, false),
    SP__REDUCED(norm_first, NORM "(a, dim=0)", "3 4", false),
    SP__REDUCED(norm_first, NORM "(a, dim=0)", "", false),
    SP__REDUCED(norm_kept, NORM "(a, dim=-1, keepdim=True)", "2 3 4", false),
    SP__REDUCED(norm_kept, NORM "(a, dim=-1, keepdim=True)", "0 3", false),
    SP__DIMS_SAMPLES(norm, NORM, false),
    SP__REDUCED(norm_0, NORM "(a, 0)", "2 3", true),
    SP__REDUCED(norm_half, NORM "(a, 0.5, 1)", "2 3", false),
    SP__REDUCED(norm_1, NORM "(a, 1, 1)", "2 3", false),
    SP__REDUCED(norm_3, NORM "(a, 3, 0)", "3 2", false),
    SP__REDUCED(norm_minus_2, NORM "(a, -2)", "2 3", false),
    SP__REDUCED(norm_largest, NORM "(a, float('inf'), 1)", "2 3", false),
    SP__REDUCED(norm_smallest, NORM "(a, float('-inf'), 1)", "2 3", false),
    {0},
};

SP__SAMPLE(logsumexp_everything, sp_logsumexp(in[0]));
SP__DIM_CALLS(logsumexp);
SP__DIMS_CALLS(logsumexp);
static const sp_sample logsumexp_samples[] = {
    SP__REDUCED(logsumexp_everything, "torch.logsumexp(a, tuple(range(a.dim())))", "2 3", false),
    SP__DIM_SAMPLES(logsumexp, "torch.logsumexp", false),
    SP__DIMS_SAMPLES(logsumexp, "torch.logsumexp", false),
    SP__REDUCED(logsumexp_first, "torch.logsumexp(a, 0)", "0", false),
    {0},
};

const sp_op sp__op_var = {
    .name = "var",
    .backward_name = "VarBackward0",
    .n_inputs = 1,
    .attributes_size = sizeof(sp__reduction),
    .saves = SP_SAVE_INPUT(0),
    .infer = infer_floating,
    .forward = var_forward,
    .backward = var_backward,
    .samples = var_samples,
};
const sp_op sp__op_std = {
    .name = "std",
    .backward_name = "StdBackward0",
    .n_inputs = 1,
    .attributes_size = sizeof(sp__reduction),
    .saves = SP_SAVE_INPUT(0) | SP_SAVE_OUTPUT(0),
    .infer = infer_floating,
    .forward = std_forward,
    .backward = std_backward,
    .samples = std_samples,
};
const sp_op sp__op_norm = {
    .name = "norm",
    .backward_name = "LinalgVectorNormBackward0",
    .n_inputs = 1,
    .attributes_size = sizeof(sp__reduction),
    .saves = SP_SAVE_INPUT(0) | SP_SAVE_OUTPUT(0),
    .infer = norm_infer,
    .forward = norm_forward,
    .backward = norm_backward,
    .samples = norm_samples,
};
const sp_op sp__op_logsumexp = {
    .name = "logsumexp",
    .backward_name = "LogsumexpBackward0",
    .n_inputs = 1,
    .attributes_size = sizeof(sp__reduction),
    .saves = SP_SAVE_INPUT(0) | SP_SAVE_OUTPUT(0),
    .infer = logsumexp_infer,
    .forward = logsumexp_forward,
    .backward = logsumexp_backward,
    .samples = logsumexp_samples,
};

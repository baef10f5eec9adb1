/* Products over one dimension or all.
 *
 *   y = Πx        dx_i = dy·Π_{j≠i} x_j
 *
 * which is dy·y/x_i where nothing is zero. Where something is, the products of the others are made without a division:
 * of what stands before each place and what stands after it. Source: PyTorch, torch.prod. */
#include "ops/reduce.h"

static sp_status prod_forward(sp_call *call)
{
    return sp__reduce_forward(call, SP__PROD);
}

static sp_tensor *join(sp_tensor *a, sp_tensor *b, int dim)
{
    return sp_cat(SP_LIST(a, b), dim);
}

/* The products of x's first 1, 2, … n entries along dim, or of its last, in steps that double what is covered. */
static sp_tensor *running_product(sp_tensor *x, int dim, bool from_end)
{
    const int64_t n = sp_size(x, dim);
    for (int64_t step = 1; step < n && x; step *= 2) {
        sp_tensor *both = sp_mul(sp_narrow(x, dim, 0, n - step), sp_narrow(x, dim, step, n - step));
        x = from_end ? join(both, sp_narrow(x, dim, n - step, step), dim) : join(sp_narrow(x, dim, 0, step), both, dim);
    }
    return x;
}

/* Π_{j≠i} x_j along dim without a division, so that zeros do no harm, to any order of gradient. */
static sp_tensor *product_of_others(sp_tensor *x, int dim)
{
    const int64_t n = sp_size(x, dim);
    sp_tensor *one = sp_ones_like(sp_narrow(x, dim, 0, 1));
    sp_tensor *before = running_product(join(one, sp_narrow(x, dim, 0, n - 1), dim), dim, false);
    sp_tensor *after = running_product(join(sp_narrow(x, dim, 1, n - 1), one, dim), dim, true);
    return sp_mul(before, after);
}

/* prod takes one dimension or all. */
static sp_tensor *others(sp_tensor *x, const sp__reduction *a)
{
    for (int d = 0; d < sp_ndim(x); d++) {
        if (a->mask == 1u << d) return product_of_others(x, d);
    }
    return (sp_reshape)(product_of_others(sp_reshape(x, -1), 0), sp_sizes(x));
}

static sp_status prod_backward(sp_grad_call *call)
{
    const sp__reduction *a = call->attributes;
    const sp_dims sizes = sp_input_sizes(call, 0);
    sp_tensor *grad = sp__reduce_restore(call->grads[0], a, sizes);
    sp_tensor *x = sp_saved_input(call, 0), *y = sp__reduce_restore(sp_saved_output(call, 0), a, sizes);
    sp_tensor *any_zero = sp_any(sp_eq_scalar(x, 0));
    if (!y || !any_zero) return sp_error_status();
    const bool zeros = sp_item(any_zero) != 0;
    return sp__give(call, 0, zeros ? sp_mul(grad, others(x, a)) : sp_mul(grad, sp_div(y, x)));
}

/* ---- public ---- */

SP__DEFINE_REDUCTION_DIM(sp_prod_dim, sp__op_prod_dim)

sp_tensor *sp_prod(sp_tensor *x)
{
    return sp__reduction_apply(&sp__op_prod, "sp_prod", x, NULL, NULL);
}

/* ---- samples and records ---- */

SP__ALL_CALLS(prod);
SP__DIM_CALLS(prod);
/* Among numbers in [0, 2] some become zeros. */
SP__SAMPLE(prod_with_zeros, sp_prod_dim(sp_mul(in[0], sp_floor(in[0])), 1));
static const sp_sample prod_samples[] = {
    SP__ALL_SAMPLES(prod, "torch.prod", false),
    SP__REDUCED(prod_everything, "torch.prod(a)", "0", false),
    {0},
};
static const sp_sample prod_dim_samples[] = {
    SP__DIM_SAMPLES(prod, "torch.prod", false),
    SP__REDUCED(prod_first, "torch.prod(a, 0)", "0 2", false),
    {.call = prod_with_zeros, .torch = "torch.prod(a * torch.floor(a), 1)", .inputs = {{.shape = "3 4", .high = 2}}},
    {0},
};

const sp_op sp__op_prod = {
    .name = "prod",
    .autocast = SP_CAST_F32,
    .backward_name = "ProdBackward0",
    .n_inputs = 1,
    .attributes_size = sizeof(sp__reduction),
    .saves = SP_SAVE_INPUT(0) | SP_SAVE_OUTPUT(0),
    .infer = sp__reduce_infer_widened,
    .forward = prod_forward,
    .backward = prod_backward,
    .samples = prod_samples,
};
const sp_op sp__op_prod_dim = {
    .name = "prod_dim",
    .autocast = SP_CAST_F32,
    .backward_name = "ProdBackward1",
    .n_inputs = 1,
    .attributes_size = sizeof(sp__reduction),
    .saves = SP_SAVE_INPUT(0) | SP_SAVE_OUTPUT(0),
    .infer = sp__reduce_infer_widened,
    .forward = prod_forward,
    .backward = prod_backward,
    .samples = prod_dim_samples,
};

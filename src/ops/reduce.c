/* Sums and means, any and all, over chosen dimensions; and what all reductions share.
 *
 *   sum   y = Σx        dx = dy, repeated over what was summed
 *   mean  y = Σx/n      dx = dy/n, repeated
 *   any   y = ∨(x ≠ 0), all: y = ∧(x ≠ 0): bool, no gradients
 *
 * A number counts as one dimension of size 1. Source: PyTorch, torch.sum and its relatives. */
#include "ops/reduce.h"
#include <string.h>

/* ---- which dimensions ---- */

static sp_status mask_of(const char *function, int ndim, const sp_dims *dims, unsigned *mask)
{
    *mask = (1u << SP_MAX_DIMS) - 1;
    if (!dims || dims->n == 0) return SP_OK;
    if (sp__check_dims(function, "dims", *dims)) return sp_error_status();
    *mask = 0;
    for (int i = 0; i < dims->n; i++) {
        const int64_t given = dims->data[i];
        const bool is_int = given >= -SP_MAX_DIMS && given <= SP_MAX_DIMS;
        int dim;
        if (sp__wrap_dim(function, ndim, is_int ? (int)given : INT_MAX, &dim)) return sp_error_status();
        if (*mask >> dim & 1) {
            return sp_raise(SP_ERROR_ARGUMENT, "%s: dimension %d appears twice in the list of dimensions", function,
                            dim);
        }
        *mask |= 1u << dim;
    }
    return SP_OK;
}

sp_status sp__reduction_of(const char *function, const sp_tensor *x, const sp_dims *dims,
                           const sp_reduce_options *options, sp__reduction *out)
{
    sp_reduce_options given;
    sp_options_copy(&given, sizeof given, options);
    *out = (sp__reduction){.keepdim = given.keepdim};
    const sp_status status = sp__check_tensor(x, function, "argument 1");
    return status ? status : mask_of(function, x->ndim, dims, &out->mask);
}

sp_tensor *sp__reduction_call(const sp_op *op, const char *function, sp_tensor *x, const sp__reduction *attributes)
{
    sp__caller caller = {.name = function + strlen("sp_"), .suffix = "", .function = true};
    sp__call_enter(&caller);
    sp_tensor *y = sp_op_apply(op, &x, 1, attributes);
    sp__call_leave(&caller);
    return y;
}

sp_tensor *sp__reduction_apply(const sp_op *op, const char *function, sp_tensor *x, const sp_dims *dims,
                               const sp_reduce_options *options)
{
    sp__reduction attributes;
    if (sp__reduction_of(function, x, dims, options, &attributes)) return NULL;
    return sp__reduction_call(op, function, x, &attributes);
}

int64_t sp__reduced_count(const sp__reduction *attributes, sp_dims sizes)
{
    int64_t count = 1;
    for (int d = 0; d < sizes.n; d++) {
        if (attributes->mask >> d & 1) count *= sizes.data[d];
    }
    return count;
}

/* ---- shapes ---- */

sp_status sp__reduce_infer(sp_call *call, int output, sp_dtype dtype)
{
    const sp__reduction *a = call->attributes;
    const sp_tensor *x = call->inputs[0];
    int64_t sizes[SP_MAX_DIMS];
    int n = 0;
    for (int d = 0; d < x->ndim; d++) {
        const bool reduced = a->mask >> d & 1;
        if (!reduced || a->keepdim) sizes[n++] = reduced ? 1 : x->sizes[d];
    }
    return sp_call_output(call, output, dtype, (sp_dims){sizes, n});
}

sp_status sp__reduce_needs_floating(sp_call *call)
{
    const sp_dtype dtype = call->inputs[0]->dtype;
    if (sp_dtype_is_floating_point(dtype)) return SP_OK;
    return sp_raise(SP_ERROR_DTYPE, "sp_%s: needs a floating point tensor, not %s: sp_cast(x, SP_F32) makes one",
                    call->op->name, sp_dtype_name(dtype));
}

sp_status sp__reduce_needs_elements(sp_call *call)
{
    const sp__reduction *a = call->attributes;
    const sp_tensor *x = call->inputs[0];
    for (int d = 0; d < x->ndim; d++) {
        if (!(a->mask >> d & 1) || x->sizes[d] > 0) continue;
        return sp_raise(SP_ERROR_SHAPE, "sp_%s: dimension %d of %s has size 0, and nothing has no such element",
                        call->op->name, d, sp__shape_of(x));
    }
    return SP_OK;
}

/* ---- forward and back ---- */

sp_status sp__reduce_into(sp__reduce_kind kind, sp_tensor *out, const sp_tensor *x, const sp__reduction *attributes)
{
    sp__reduce call = {.kind = kind, .ndim = x->ndim, .param = attributes->param};
    call.in = sp__operand_of(x);
    call.out = sp__operand_of(out);
    for (int d = 0, k = 0; d < x->ndim; d++) {
        call.sizes[d] = x->sizes[d];
        call.reduced[d] = attributes->mask >> d & 1;
        call.out.strides[d] = call.reduced[d] ? 0 : out->strides[k];
        if (!call.reduced[d] || attributes->keepdim) k++;
    }
    return sp__backend_for(x)->reduce(&call);
}

sp_status sp__reduce_forward(sp_call *call, sp__reduce_kind kind)
{
    return sp__reduce_into(kind, call->outputs[0], call->inputs[0], call->attributes);
}

sp_tensor *sp__reduce_restore(sp_tensor *x, const sp__reduction *attributes, sp_dims sizes)
{
    if (attributes->keepdim || !x) return x;
    int64_t kept[SP_MAX_DIMS];
    for (int d = 0; d < sizes.n; d++) kept[d] = attributes->mask >> d & 1 ? 1 : sizes.data[d];
    return (sp_reshape)(x, (sp_dims){kept, sizes.n});
}

sp_tensor *sp__reduce_sum(sp_tensor *x, const sp__reduction *attributes)
{
    const sp__reduction kept = {.mask = attributes->mask, .keepdim = true};
    return sp_op_apply(&sp__op_sum_dim, &x, 1, &kept);
}

/* ---- sum, mean ---- */

/* Integers and bool count in i64, as PyTorch's sum and prod. */
sp_status sp__reduce_infer_widened(sp_call *call)
{
    const sp_dtype dtype = call->inputs[0]->dtype;
    return sp__reduce_infer(call, 0, sp_dtype_is_floating_point(dtype) ? dtype : SP_I64);
}

static sp_status sum_forward(sp_call *call)
{
    return sp__reduce_forward(call, SP__SUM);
}

static sp_status sum_backward(sp_grad_call *call)
{
    const sp_dims sizes = sp_input_sizes(call, 0);
    return sp__give(call, 0, (sp_expand)(sp__reduce_restore(call->grads[0], call->attributes, sizes), sizes));
}

static sp_status mean_infer(sp_call *call)
{
    const sp_status status = sp__reduce_needs_floating(call);
    return status ? status : sp__reduce_infer(call, 0, call->inputs[0]->dtype);
}

static sp_status mean_forward(sp_call *call)
{
    return sp__reduce_forward(call, SP__MEAN);
}

static sp_status mean_backward(sp_grad_call *call)
{
    const sp_dims sizes = sp_input_sizes(call, 0);
    sp_tensor *grad = sp_div_scalar(call->grads[0], (double)sp__reduced_count(call->attributes, sizes));
    return sp__give(call, 0, (sp_expand)(sp__reduce_restore(grad, call->attributes, sizes), sizes));
}

/* ---- any, all ---- */

static sp_status infer_bool(sp_call *call)
{
    return sp__reduce_infer(call, 0, SP_BOOL);
}

static sp_status any_forward(sp_call *call)
{
    return sp__reduce_forward(call, SP__ANY);
}

static sp_status all_forward(sp_call *call)
{
    return sp__reduce_forward(call, SP__ALL);
}

/* ---- public ---- */

SP__DEFINE_REDUCTION(sp_sum, sp__op_sum, sp__op_sum_dim);
SP__DEFINE_REDUCTION(sp_mean, sp__op_mean, sp__op_mean_dim);
SP__DEFINE_REDUCTION(sp_any, sp__op_any, sp__op_any);
SP__DEFINE_REDUCTION(sp_all, sp__op_all, sp__op_all);

/* ---- samples and records ---- */

SP__ALL_CALLS(sum);
SP__DIM_CALLS(sum);
SP__DIMS_CALLS(sum);
SP__SAMPLE(sum_unnamed, sp_sum_dims(in[0], SP_DIMS()));
static const sp_sample sum_samples[] = {
    SP__ALL_SAMPLES(sum, "torch.sum", false),
    SP__REDUCED(sum_everything, "torch.sum(a)", "2 0", false),
    {0},
};
static const sp_sample sum_dim_samples[] = {
    SP__DIM_SAMPLES(sum, "torch.sum", false),
    SP__DIMS_SAMPLES(sum, "torch.sum", false),
    SP__REDUCED(sum_first, "torch.sum(a, 0)", "0 2", false),
    SP__REDUCED(sum_unnamed, "torch.sum(a, ())", "2 3", false),
    {0},
};

SP__ALL_CALLS(mean);
SP__DIM_CALLS(mean);
SP__DIMS_CALLS(mean);
static const sp_sample mean_samples[] = {
    SP__ALL_SAMPLES(mean, "torch.mean", false),
    SP__REDUCED(mean_everything, "torch.mean(a)", "0", false),
    {0},
};
static const sp_sample mean_dim_samples[] = {
    SP__DIM_SAMPLES(mean, "torch.mean", false),
    SP__DIMS_SAMPLES(mean, "torch.mean", false),
    {0},
};

SP__ALL_CALLS(any);
SP__DIM_CALLS(any);
SP__DIMS_CALLS(any);
static const sp_sample any_samples[] = {
    SP__ALL_SAMPLES(any, "torch.any", true),
    SP__DIM_SAMPLES(any, "torch.any", true),
    SP__DIMS_SAMPLES(any, "torch.any", true),
    SP__REDUCED(any_everything, "torch.any(a)", "0", true),
    {0},
};

SP__ALL_CALLS(all);
SP__DIM_CALLS(all);
SP__DIMS_CALLS(all);
static const sp_sample all_samples[] = {
    SP__ALL_SAMPLES(all, "torch.all", true),
    SP__DIM_SAMPLES(all, "torch.all", true),
    SP__DIMS_SAMPLES(all, "torch.all", true),
    SP__REDUCED(all_everything, "torch.all(a)", "0", true),
    {0},
};

const sp_op sp__op_sum = {
    .name = "sum",
    .backward_name = "SumBackward0",
    .n_inputs = 1,
    .attributes_size = sizeof(sp__reduction),
    .infer = sp__reduce_infer_widened,
    .forward = sum_forward,
    .backward = sum_backward,
    .samples = sum_samples,
};
const sp_op sp__op_sum_dim = {
    .name = "sum_dim",
    .backward_name = "SumBackward1",
    .n_inputs = 1,
    .attributes_size = sizeof(sp__reduction),
    .infer = sp__reduce_infer_widened,
    .forward = sum_forward,
    .backward = sum_backward,
    .samples = sum_dim_samples,
};
const sp_op sp__op_mean = {
    .name = "mean",
    .backward_name = "MeanBackward0",
    .n_inputs = 1,
    .attributes_size = sizeof(sp__reduction),
    .infer = mean_infer,
    .forward = mean_forward,
    .backward = mean_backward,
    .samples = mean_samples,
};
const sp_op sp__op_mean_dim = {
    .name = "mean_dim",
    .backward_name = "MeanBackward1",
    .n_inputs = 1,
    .attributes_size = sizeof(sp__reduction),
    .infer = mean_infer,
    .forward = mean_forward,
    .backward = mean_backward,
    .samples = mean_dim_samples,
};
const sp_op sp__op_any = {
    .name = "any",
    .n_inputs = 1,
    .attributes_size = sizeof(sp__reduction),
    .infer = infer_bool,
    .forward = any_forward,
    .samples = any_samples,
};
const sp_op sp__op_all = {
    .name = "all",
    .n_inputs = 1,
    .attributes_size = sizeof(sp__reduction),
    .infer = infer_bool,
    .forward = all_forward,
    .samples = all_samples,
};

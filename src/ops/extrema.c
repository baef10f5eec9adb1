/* The largest and the smallest: of all, over some dimensions, with their places.
 *
 *   amax, amin   y = max x     dx = dy·[x = y]/#[x = y]: ties share
 *   max, min     the same over everything; where y is NaN, the NaNs share
 *   max_dim      values and first indices along one dimension; dx gets dy at the index
 *   argmax       the indices alone, no gradient
 *
 * A NaN is larger and smaller than every number. Source: PyTorch, torch.amax, torch.max, torch.argmax. */
#include "ops/reduce.h"

/* ---- amax, amin; max and min of everything ---- */

static sp_status extremum_infer(sp_call *call)
{
    const sp_status status = sp__reduce_needs_elements(call);
    return status ? status : sp__reduce_infer(call, 0, call->inputs[0]->dtype);
}

static sp_status max_forward(sp_call *call)
{
    return sp__reduce_forward(call, SP__MAX);
}

static sp_status min_forward(sp_call *call)
{
    return sp__reduce_forward(call, SP__MIN);
}

/* 1/#[x = y] where x = y, else 0. */
static sp_tensor *shares(sp_tensor *chosen, const sp__reduction *a, sp_dtype dtype)
{
    sp_tensor *ones = sp_cast(chosen, dtype);
    return sp_div(ones, sp__reduce_sum(ones, a));
}

static sp_status amax_backward(sp_grad_call *call)
{
    const sp__reduction *a = call->attributes;
    const sp_dims sizes = sp_input_sizes(call, 0);
    sp_tensor *x = sp_saved_input(call, 0), *y = sp__reduce_restore(sp_saved_output(call, 0), a, sizes);
    sp_tensor *grad = sp__reduce_restore(call->grads[0], a, sizes);
    return sp__give(call, 0, sp_mul(grad, shares(sp_eq(x, y), a, sp_input_dtype(call, 0))));
}

static sp_status max_backward(sp_grad_call *call)
{
    sp_tensor *x = sp_saved_input(call, 0), *y = sp_saved_output(call, 0);
    sp_tensor *chosen = sp_logical_or(sp_eq(x, y), sp_logical_and(sp_isnan(x), sp_isnan(y)));
    return sp__give(call, 0, sp_mul(call->grads[0], shares(chosen, call->attributes, sp_input_dtype(call, 0))));
}

/* ---- max_dim, min_dim: outputs are values and indices ---- */

static sp_status values_infer(sp_call *call)
{
    const sp_status status = extremum_infer(call);
    return status ? status : sp__reduce_infer(call, 1, SP_I64);
}

static int dim_of(const sp__reduction *a)
{
    int dim = 0;
    while (!(a->mask >> dim & 1)) dim++;
    return dim;
}

/* Sizes and strides of an output as if it had kept its dimension. */
static sp__operand kept_operand(const sp_tensor *y, const sp_tensor *x, const sp__reduction *a)
{
    sp__operand operand = sp__operand_of(y);
    for (int d = 0, k = 0; d < x->ndim; d++) {
        const bool reduced = a->mask >> d & 1;
        operand.strides[d] = reduced ? 0 : y->strides[k];
        if (!reduced || a->keepdim) k++;
    }
    return operand;
}

/* Takes the values from where the indices point. */
static sp_status take_values(sp_call *call)
{
    const sp__reduction *a = call->attributes;
    const sp_tensor *x = call->inputs[0];
    sp__index take = {.kind = SP__GATHER, .ndim = x->ndim, .dim = dim_of(a)};
    for (int d = 0; d < x->ndim; d++) take.sizes[d] = d == take.dim ? 1 : x->sizes[d];
    take.extent = x->sizes[take.dim];
    take.data = sp__operand_of(x);
    take.out = kept_operand(call->outputs[0], x, a);
    take.index = kept_operand(call->outputs[1], x, a);
    return sp__backend_for(x)->index(&take);
}

static sp_status values_forward(sp_call *call, sp__reduce_kind kind)
{
    const sp_status status = sp__reduce_into(kind, call->outputs[1], call->inputs[0], call->attributes);
    if (status) return status;
    return call->inputs[0]->ndim ? take_values(call) : sp__copy_values(call->outputs[0], call->inputs[0]);
}

static sp_status max_dim_forward(sp_call *call)
{
    return values_forward(call, SP__ARGMAX);
}

static sp_status min_dim_forward(sp_call *call)
{
    return values_forward(call, SP__ARGMIN);
}

static sp_status values_backward(sp_grad_call *call)
{
    const sp__reduction *a = call->attributes;
    const sp_dims sizes = sp_input_sizes(call, 0);
    sp_tensor *grad = sp__reduce_restore(call->grads[0], a, sizes);
    sp_tensor *indices = sp__reduce_restore(sp_saved_output(call, 1), a, sizes);
    sp_tensor *nothing = sp_zeros(sizes, .dtype = sp_input_dtype(call, 0), .device = sp_device_of(grad));
    return sp__give(call, 0, sp_scatter_add(nothing, dim_of(a), indices, grad));
}

/* ---- argmax, argmin ---- */

static sp_status arg_infer(sp_call *call)
{
    if (call->inputs[0]->dtype == SP_BOOL) return sp__refuse_dtype(call, SP_BOOL, "");
    const sp_status status = sp__reduce_needs_elements(call);
    return status ? status : sp__reduce_infer(call, 0, SP_I64);
}

static sp_status argmax_forward(sp_call *call)
{
    return sp__reduce_forward(call, SP__ARGMAX);
}

static sp_status argmin_forward(sp_call *call)
{
    return sp__reduce_forward(call, SP__ARGMIN);
}

/* ---- public ---- */

SP__DEFINE_REDUCTION(sp_amax, sp__op_amax, sp__op_amax);
SP__DEFINE_REDUCTION(sp_amin, sp__op_amin, sp__op_amin);
SP__DEFINE_REDUCTION_DIM(sp_argmax_dim, sp__op_argmax)
SP__DEFINE_REDUCTION_DIM(sp_argmin_dim, sp__op_argmin)

sp_tensor *sp_max(sp_tensor *x)
{
    return sp__reduction_apply(&sp__op_max, "sp_max", x, NULL, NULL);
}

sp_tensor *sp_min(sp_tensor *x)
{
    return sp__reduction_apply(&sp__op_min, "sp_min", x, NULL, NULL);
}

sp_tensor *sp_argmax(sp_tensor *x)
{
    return sp__reduction_apply(&sp__op_argmax, "sp_argmax", x, NULL, NULL);
}

sp_tensor *sp_argmin(sp_tensor *x)
{
    return sp__reduction_apply(&sp__op_argmin, "sp_argmin", x, NULL, NULL);
}

static sp_values_indices values_indices(const sp_op *op, const char *function, sp_tensor *x, int dim,
                                        const sp_reduce_options *options)
{
    const int64_t one = dim;
    sp__reduction attributes;
    sp_tensor *outputs[2] = {0};
    if (!sp__reduction_of(function, x, &(sp_dims){&one, 1}, options, &attributes)) {
        sp_op_apply_n(outputs, op, &x, 1, &attributes);
    }
    return (sp_values_indices){outputs[0], outputs[1]};
}

sp_values_indices(sp_max_dim)(sp_tensor *x, int dim, const sp_reduce_options *options)
{
    return values_indices(&sp__op_max_dim, "sp_max_dim", x, dim, options);
}

sp_values_indices(sp_min_dim)(sp_tensor *x, int dim, const sp_reduce_options *options)
{
    return values_indices(&sp__op_min_dim, "sp_min_dim", x, dim, options);
}

/* ---- samples and records ---- */

SP__ALL_CALLS(amax);
SP__DIM_CALLS(amax);
SP__DIMS_CALLS(amax);
static const sp_sample amax_samples[] = {
    SP__ALL_SAMPLES(amax, "torch.amax", false),
    SP__DIM_SAMPLES(amax, "torch.amax", false),
    SP__DIMS_SAMPLES(amax, "torch.amax", false),
    {0},
};

SP__ALL_CALLS(amin);
SP__DIM_CALLS(amin);
SP__DIMS_CALLS(amin);
static const sp_sample amin_samples[] = {
    SP__ALL_SAMPLES(amin, "torch.amin", false),
    SP__DIM_SAMPLES(amin, "torch.amin", false),
    SP__DIMS_SAMPLES(amin, "torch.amin", false),
    {0},
};

SP__ALL_CALLS(max);
static const sp_sample max_samples[] = {SP__ALL_SAMPLES(max, "torch.max", false), {0}};

SP__SAMPLE(max_dim_first, sp_max_dim(in[0], 0).values);
SP__SAMPLE(max_dim_kept, sp_max_dim(in[0], -1, .keepdim = true).values);
SP__SAMPLE(max_dim_indices, sp_max_dim(in[0], 1).indices);
static const sp_sample max_dim_samples[] = {
    SP__REDUCED(max_dim_first, "torch.max(a, 0).values", "3 4", false),
    SP__REDUCED(max_dim_first, "torch.max(a, 0).values", "", false),
    SP__REDUCED(max_dim_kept, "torch.max(a, -1, keepdim=True).values", "2 3 4", false),
    SP__REDUCED(max_dim_kept, "torch.max(a, -1, keepdim=True).values", "0 3", false),
    SP__REDUCED(max_dim_indices, "torch.max(a, 1).indices", "2 3 4", true),
    {0},
};

SP__ALL_CALLS(min);
static const sp_sample min_samples[] = {SP__ALL_SAMPLES(min, "torch.min", false), {0}};

SP__SAMPLE(min_dim_first, sp_min_dim(in[0], 0).values);
SP__SAMPLE(min_dim_kept, sp_min_dim(in[0], -1, .keepdim = true).values);
SP__SAMPLE(min_dim_indices, sp_min_dim(in[0], 1).indices);
static const sp_sample min_dim_samples[] = {
    SP__REDUCED(min_dim_first, "torch.min(a, 0).values", "3 4", false),
    SP__REDUCED(min_dim_first, "torch.min(a, 0).values", "", false),
    SP__REDUCED(min_dim_kept, "torch.min(a, -1, keepdim=True).values", "2 3 4", false),
    SP__REDUCED(min_dim_kept, "torch.min(a, -1, keepdim=True).values", "0 3", false),
    SP__REDUCED(min_dim_indices, "torch.min(a, 1).indices", "2 3 4", true),
    {0},
};

SP__ALL_CALLS(argmax);
SP__DIM_CALLS(argmax);
static const sp_sample argmax_samples[] = {
    SP__ALL_SAMPLES(argmax, "torch.argmax", true),
    SP__DIM_SAMPLES(argmax, "torch.argmax", true),
    {0},
};

SP__ALL_CALLS(argmin);
SP__DIM_CALLS(argmin);
static const sp_sample argmin_samples[] = {
    SP__ALL_SAMPLES(argmin, "torch.argmin", true),
    SP__DIM_SAMPLES(argmin, "torch.argmin", true),
    {0},
};

const sp_op sp__op_amax = {
    .name = "amax",
    .backward_name = "AmaxBackward0",
    .n_inputs = 1,
    .attributes_size = sizeof(sp__reduction),
    .saves = SP_SAVE_INPUT(0) | SP_SAVE_OUTPUT(0),
    .infer = extremum_infer,
    .forward = max_forward,
    .backward = amax_backward,
    .samples = amax_samples,
};
const sp_op sp__op_amin = {
    .name = "amin",
    .backward_name = "AminBackward0",
    .n_inputs = 1,
    .attributes_size = sizeof(sp__reduction),
    .saves = SP_SAVE_INPUT(0) | SP_SAVE_OUTPUT(0),
    .infer = extremum_infer,
    .forward = min_forward,
    .backward = amax_backward,
    .samples = amin_samples,
};
const sp_op sp__op_max = {
    .name = "max",
    .backward_name = "MaxBackward1",
    .n_inputs = 1,
    .attributes_size = sizeof(sp__reduction),
    .saves = SP_SAVE_INPUT(0) | SP_SAVE_OUTPUT(0),
    .infer = extremum_infer,
    .forward = max_forward,
    .backward = max_backward,
    .samples = max_samples,
};
const sp_op sp__op_min = {
    .name = "min",
    .backward_name = "MinBackward1",
    .n_inputs = 1,
    .attributes_size = sizeof(sp__reduction),
    .saves = SP_SAVE_INPUT(0) | SP_SAVE_OUTPUT(0),
    .infer = extremum_infer,
    .forward = min_forward,
    .backward = max_backward,
    .samples = min_samples,
};
const sp_op sp__op_max_dim = {
    .name = "max_dim",
    .backward_name = "MaxBackward0",
    .n_inputs = 1,
    .n_outputs = 2,
    .attributes_size = sizeof(sp__reduction),
    .saves = SP_SAVE_OUTPUT(1),
    .infer = values_infer,
    .forward = max_dim_forward,
    .backward = values_backward,
    .samples = max_dim_samples,
};
const sp_op sp__op_min_dim = {
    .name = "min_dim",
    .backward_name = "MinBackward0",
    .n_inputs = 1,
    .n_outputs = 2,
    .attributes_size = sizeof(sp__reduction),
    .saves = SP_SAVE_OUTPUT(1),
    .infer = values_infer,
    .forward = min_dim_forward,
    .backward = values_backward,
    .samples = min_dim_samples,
};
const sp_op sp__op_argmax = {
    .name = "argmax",
    .n_inputs = 1,
    .attributes_size = sizeof(sp__reduction),
    .infer = arg_infer,
    .forward = argmax_forward,
    .samples = argmax_samples,
};
const sp_op sp__op_argmin = {
    .name = "argmin",
    .n_inputs = 1,
    .attributes_size = sizeof(sp__reduction),
    .infer = arg_infer,
    .forward = argmin_forward,
    .samples = argmin_samples,
};

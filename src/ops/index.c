/* By index: gather, scatter_add, index_select, one_hot.
 *
 *   gather        y[i] = x[i with index[i] along dim]          dx = scatter_add(0, index, dy)
 *   scatter_add   y = x, y[i with index[i] along dim] += s[i]  dx = dy, ds = gather(dy, index)
 *   index_select  y's slice k along dim = x's slice index[k]   dx = scatter_add(0, index, dy) */
#include "ops/elementwise.h"
#include <stdio.h>
#include <string.h>

typedef struct index_attributes {
    int dim;
} index_attributes;

static int dim_of(const void *attributes)
{
    return ((const index_attributes *)attributes)->dim;
}

static sp_status check_index(const char *function, const sp_tensor *index)
{
    if (index->dtype == SP_I64 || index->dtype == SP_I32) return SP_OK;
    return sp_raise(SP_ERROR_DTYPE, "%s: an index is int64 or int32, not %s", function, sp_dtype_name(index->dtype));
}

static int64_t extent_of(const sp_tensor *x, int dim)
{
    return x->ndim ? x->sizes[dim] : 1;
}

/* A number counts as one dimension. index may be smaller than x in other dimensions than dim; src at least as large as
 * index everywhere. */
static sp_status check_extents(const char *function, const sp_tensor *x, const sp_tensor *index, int dim)
{
    bool fits = (x->ndim ? x->ndim : 1) == (index->ndim ? index->ndim : 1);
    for (int d = 0; d < x->ndim && fits; d++) fits = d == dim || index->sizes[d] <= x->sizes[d];
    if (fits) return SP_OK;
    return sp_raise(SP_ERROR_SHAPE,
                    "%s: an index of shape %s for a tensor of shape %s: as many dimensions, and no larger "
                    "but in dimension %d",
                    function, sp__shape_of(index), sp__shape_of(x), dim);
}

/* A number has one dimension of size 1 here. */
static sp__index kernel_call(sp__index_kind kind, int dim, const sp_tensor *shape, int64_t extent)
{
    sp__index call = {.kind = kind, .ndim = shape->ndim ? shape->ndim : 1, .dim = dim, .sizes = {1}, .extent = extent};
    if (shape->ndim) memcpy(call.sizes, shape->sizes, sizeof call.sizes);
    return call;
}

/* An index out of range is found by the kernel, which does not know for whom it works. */
static sp_status run_kernel(const sp_call *call, const sp__index *kernel)
{
    char place[64];
    sp_error_frame frame;
    snprintf(place, sizeof place, "sp_%s", call->op->name);
    sp_error_enter(&frame, "", place);
    sp_status status = sp__backend_for(call->outputs[0])->index(kernel);
    sp_error_leave(&frame);
    return status;
}

/* ---- gather ---- */

static sp_status gather_infer(sp_call *call)
{
    sp_tensor *x = call->inputs[0], *index = call->inputs[1];
    if (check_index("sp_gather", index) || check_extents("sp_gather", x, index, dim_of(call->attributes)))
        return sp_error_status();
    return sp_call_output(call, 0, x->dtype, (sp_dims){index->sizes, index->ndim});
}

static sp_status gather_forward(sp_call *call)
{
    int dim = dim_of(call->attributes);
    sp__index kernel = kernel_call(SP__GATHER, dim, call->outputs[0], extent_of(call->inputs[0], dim));
    kernel.out = sp__operand_of(call->outputs[0]);
    kernel.data = sp__operand_of(call->inputs[0]);
    kernel.index = sp__operand_of(call->inputs[1]);
    return run_kernel(call, &kernel);
}

static sp_tensor *zeros_for(sp_grad_call *call, int i)
{
    return (sp_zeros)(sp_input_sizes(call, i),
                      &(sp_tensor_options){.size = sizeof(sp_tensor_options), .dtype = sp_input_dtype(call, i)});
}

static sp_status gather_backward(sp_grad_call *call)
{
    sp_tensor *index = sp_saved_input(call, 1);
    if (!index) return sp_error_status();
    return sp__give(call, 0, sp_scatter_add(zeros_for(call, 0), dim_of(call->attributes), index, call->grads[0]));
}

static sp_tensor *apply(const sp_op *op, const char *function, sp_tensor *const *inputs, int n, int dim)
{
    index_attributes a;
    if (sp__check_tensor(inputs[0], function, "x") || sp__wrap_dim(function, inputs[0]->ndim, dim, &a.dim)) return NULL;
    return sp_op_apply(op, inputs, n, &a);
}

sp_tensor *sp_gather(sp_tensor *x, int dim, sp_tensor *index)
{
    return apply(&sp__op_gather, "sp_gather", (sp_tensor *[]){x, index}, 2, dim);
}

/* ---- scatter_add ---- */

static sp_status scatter_add_infer(sp_call *call)
{
    sp_tensor *x = call->inputs[0], *index = call->inputs[1], *src = call->inputs[2];
    if (check_index("sp_scatter_add", index) || check_extents("sp_scatter_add", x, index, dim_of(call->attributes)))
        return sp_error_status();
    bool fits = src->ndim == index->ndim;
    for (int d = 0; d < index->ndim && fits; d++) fits = index->sizes[d] <= src->sizes[d];
    if (!fits)
        return sp_raise(SP_ERROR_SHAPE, "sp_scatter_add: an index of shape %s is larger than src of shape %s",
                        sp__shape_of(index), sp__shape_of(src));
    if (x->dtype != src->dtype)
        return sp_raise(SP_ERROR_DTYPE, "sp_scatter_add: src is %s, the tensor %s: cast one of them",
                        sp_dtype_name(src->dtype), sp_dtype_name(x->dtype));
    return sp_call_output(call, 0, x->dtype, (sp_dims){x->sizes, x->ndim});
}

static sp_status scatter_add_forward(sp_call *call)
{
    int dim = dim_of(call->attributes);
    sp_tensor *out = call->outputs[0];
    sp_status status = sp__copy_values(out, call->inputs[0]);
    if (status) return status;
    sp__index kernel = kernel_call(SP__SCATTER_ADD, dim, call->inputs[1], extent_of(out, dim));
    kernel.out = sp__operand_of(out);
    kernel.index = sp__operand_of(call->inputs[1]);
    kernel.data = sp__operand_of(call->inputs[2]);
    return run_kernel(call, &kernel);
}

/* src may be larger than index: what lies outside gets no gradient. */
static sp_tensor *gradient_of_src(sp_grad_call *call, sp_tensor *index)
{
    sp_tensor *grad = sp_gather(call->grads[0], dim_of(call->attributes), index);
    sp_dims sizes = sp_input_sizes(call, 2);
    for (int d = 0; grad && d < sizes.n; d++) {
        int64_t missing = sizes.data[d] - sp_size(grad, d);
        if (!missing) continue;
        int64_t padding[SP_MAX_DIMS];
        memcpy(padding, sp_sizes(grad).data, (size_t)sizes.n * sizeof *padding);
        padding[d] = missing;
        sp_tensor *zeros = (sp_zeros)((sp_dims){padding, sizes.n},
                                      &(sp_tensor_options){.size = sizeof(sp_tensor_options),
                                                           .dtype = sp_dtype_of(grad)});
        grad = sp_cat(SP_LIST(grad, zeros), d);
    }
    return grad;
}

static sp_status scatter_add_backward(sp_grad_call *call)
{
    sp_tensor *index = sp_saved_input(call, 1);
    if (!index) return sp_error_status();
    sp_status status = SP__GIVE(call, 0, call->grads[0]);
    return status ? status : SP__GIVE(call, 2, gradient_of_src(call, index));
}

sp_tensor *sp_scatter_add(sp_tensor *x, int dim, sp_tensor *index, sp_tensor *src)
{
    return apply(&sp__op_scatter_add, "sp_scatter_add", (sp_tensor *[]){x, index, src}, 3, dim);
}

/* ---- index_select ---- */

/* The 1-d index along dim, repeated over the other dimensions of `sizes`. */
static sp_tensor *spread_index(sp_tensor *index, int dim, sp_dims sizes)
{
    int64_t shape[SP_MAX_DIMS], whole[SP_MAX_DIMS];
    if (sizes.n == 0) return index;
    for (int d = 0; d < sizes.n; d++) {
        shape[d] = d == dim ? sp_numel(index) : 1;
        whole[d] = d == dim ? shape[d] : sizes.data[d];
    }
    return (sp_expand)((sp_reshape)(index, (sp_dims){shape, sizes.n}), (sp_dims){whole, sizes.n});
}

static sp_status index_select_infer(sp_call *call)
{
    sp_tensor *x = call->inputs[0], *index = call->inputs[1];
    int64_t sizes[SP_MAX_DIMS];
    if (check_index("sp_index_select", index)) return sp_error_status();
    if (index->ndim > 1)
        return sp_raise(SP_ERROR_SHAPE, "sp_index_select: the index has one dimension, not shape %s",
                        sp__shape_of(index));
    memcpy(sizes, x->sizes, sizeof sizes);
    if (x->ndim)
        sizes[dim_of(call->attributes)] = sp__product(index->ndim, index->sizes);
    else if (sp__product(index->ndim, index->sizes) != 1)
        return sp_raise(SP_ERROR_SHAPE, "sp_index_select: a number has one entry, the index asks for %lld",
                        (long long)sp__product(index->ndim, index->sizes));
    return sp_call_output(call, 0, x->dtype, (sp_dims){sizes, x->ndim});
}

static sp_status index_select_forward(sp_call *call)
{
    int dim = dim_of(call->attributes);
    const sp_tensor *index = call->inputs[1];
    sp__index kernel = kernel_call(SP__GATHER, dim, call->outputs[0], extent_of(call->inputs[0], dim));
    kernel.out = sp__operand_of(call->outputs[0]);
    kernel.data = sp__operand_of(call->inputs[0]);
    kernel.index = sp__operand_of(index);
    memset(kernel.index.strides, 0, sizeof kernel.index.strides);
    if (index->ndim) kernel.index.strides[dim] = index->strides[0];
    return run_kernel(call, &kernel);
}

static sp_status index_select_backward(sp_grad_call *call)
{
    int dim = dim_of(call->attributes);
    sp_tensor *index = sp_saved_input(call, 1);
    if (!index) return sp_error_status();
    sp_tensor *spread = spread_index(index, dim, sp_sizes(call->grads[0]));
    if (sp_ndim(call->grads[0]) == 0) spread = sp_squeeze(spread);
    return sp__give(call, 0, sp_scatter_add(zeros_for(call, 0), dim, spread, call->grads[0]));
}

sp_tensor *sp_index_select(sp_tensor *x, int dim, sp_tensor *index)
{
    return apply(&sp__op_index_select, "sp_index_select", (sp_tensor *[]){x, index}, 2, dim);
}

/* ---- one_hot ---- */

static const int64_t most_classes = 1000000000000000; /* as long as sp_arange goes */

/* Checks the labels; *classes, -1 for as many as they need, becomes their number. */
static sp_status count_classes(sp_tensor *labels, int64_t *classes)
{
    const bool empty = sp_numel(labels) == 0;
    if (empty && *classes < 1)
        return sp_raise(SP_ERROR_ARGUMENT, "sp_one_hot: no labels to find the number of classes from");
    sp_tensor *least = empty ? labels : sp_min(labels), *most = empty ? labels : sp_max(labels);
    if (!least || !most) return sp_error_status();
    const int64_t low = empty ? 0 : sp_item_i64(least), high = empty ? 0 : sp_item_i64(most);
    if (low < 0) return sp_raise(SP_ERROR_ARGUMENT, "sp_one_hot: label %lld is negative", (long long)low);
    if (*classes == -1 && high < INT64_MAX) *classes = high + 1;
    if (*classes > most_classes)
        return sp_raise(SP_ERROR_ARGUMENT, "sp_one_hot: %lld classes are too many; %lld are the most",
                        (long long)*classes, (long long)most_classes);
    if (*classes > high) return SP_OK;
    return sp_raise(SP_ERROR_ARGUMENT, "sp_one_hot: label %lld does not fit into %lld classes", (long long)high,
                    (long long)*classes);
}

sp_tensor *sp_one_hot(sp_tensor *labels, int64_t num_classes)
{
    if (sp__check_tensor(labels, "sp_one_hot", "labels")) return NULL;
    if (labels->dtype != SP_I64) {
        sp_raise(SP_ERROR_DTYPE, "sp_one_hot: labels are int64, not %s", sp_dtype_name(labels->dtype));
        return NULL;
    }
    sp_scope scope = sp_scope_open();
    int64_t classes = num_classes;
    sp_tensor *hot = NULL;
    if (!count_classes(labels, &classes))
        hot = sp_eq(sp_unsqueeze(labels, -1), sp_arange(INT64_C(0), classes, INT64_C(1)));
    sp_tensor *y = sp_escape(hot ? sp_cast(hot, SP_I64) : NULL);
    sp_scope_close(&scope);
    return y;
}

/* ---- samples and records ---- */

SP__SAMPLE(gather_rows, sp_gather(in[0], 0, in[1]));
SP__SAMPLE(gather_last, sp_gather(in[0], -1, in[1]));
SP__SAMPLE(scatter_add_rows, sp_scatter_add(in[0], 0, in[1], in[2]));
SP__SAMPLE(scatter_add_last, sp_scatter_add(in[0], -1, in[1], in[2]));
SP__SAMPLE(index_select_rows, sp_index_select(in[0], 0, in[1]));
SP__SAMPLE(index_select_last, sp_index_select(in[0], -1, in[1]));

/* An index of that shape, of numbers below n. */
#define INDEX(lengths, n)                                                                                              \
    {                                                                                                                  \
        .shape = lengths, .low = 0, .high = n, .dtype = SP_I64                                                         \
    }

const sp_op sp__op_gather = {
    .name = "gather",
    .backward_name = "GatherBackward0",
    .n_inputs = 2,
    .attributes_size = sizeof(index_attributes),
    .saves = SP_SAVE_INPUT(1),
    .infer = gather_infer,
    .forward = gather_forward,
    .backward = gather_backward,
    .samples = (const sp_sample[]){{gather_rows, "torch.gather(a, 0, b)", {{"3 4"}, INDEX("2 4", 3)}},
                                   {gather_last, "torch.gather(a, -1, b)", {{"2 3"}, INDEX("2 5", 3)}},
                                   {gather_last, "torch.gather(a, -1, b)", {{"2 3"}, INDEX("0 5", 3)}},
                                   {gather_last, "torch.gather(a, -1, b)", {{""}, INDEX("", 1)}},
                                   {0}},
};

const sp_op sp__op_scatter_add = {
    .name = "scatter_add",
    .backward_name = "ScatterAddBackward0",
    .n_inputs = 3,
    .attributes_size = sizeof(index_attributes),
    .saves = SP_SAVE_INPUT(1),
    .infer = scatter_add_infer,
    .forward = scatter_add_forward,
    .backward = scatter_add_backward,
    .samples =
        (const sp_sample[]){
            {scatter_add_rows, "torch.scatter_add(a, 0, b, c)", {{"3 4"}, INDEX("5 4", 3), {"5 4"}}},
            {scatter_add_rows, "torch.scatter_add(a, 0, b, c)", {{"3 4"}, INDEX("2 3", 3), {"2 3"}}},
            {scatter_add_rows, "torch.scatter_add(a, 0, b, c)", {{"3 4"}, INDEX("0 4", 3), {"0 4"}}},
            {scatter_add_rows, "torch.scatter_add(a, 0, b, c)", {{""}, INDEX("", 1), {""}}},
            {scatter_add_last, "torch.scatter_add(a, -1, b, c)", {{"2 2 3"}, INDEX("2 2 4", 3), {"2 2 4"}}},
            {0},
        },
};

const sp_op sp__op_index_select = {
    .name = "index_select",
    .backward_name = "IndexSelectBackward0",
    .n_inputs = 2,
    .attributes_size = sizeof(index_attributes),
    .saves = SP_SAVE_INPUT(1),
    .infer = index_select_infer,
    .forward = index_select_forward,
    .backward = index_select_backward,
    .samples = (const sp_sample[]){{index_select_rows, "torch.index_select(a, 0, b)", {{"3 4"}, INDEX("5", 3)}},
                                   {index_select_last, "torch.index_select(a, -1, b)", {{"2 3"}, INDEX("2", 3)}},
                                   {index_select_rows, "torch.index_select(a, 0, b)", {{"3 4"}, INDEX("0", 3)}},
                                   {index_select_rows, "torch.index_select(a, 0, b)", {{"3 4"}, INDEX("", 3)}},
                                   {index_select_rows, "torch.index_select(a, 0, b)", {{""}, INDEX("1", 1)}},
                                   {0}},
};

/* Parts of a tensor along one dimension, as views: y[i] = x[start + i·step].
 *
 * The gradient of a part is zeros with dy put into its place (slice_backward), whose own gradient is the part again.
 * select drops the dimension. */
#include "ops/ops.h"
#include <string.h>

typedef struct slice_attributes {
    int dim;
    int64_t start, step, length;
    bool drop; /* select: the dimension disappears */
} slice_attributes;

typedef struct put_attributes {
    slice_attributes part;
    int ndim;
    int64_t sizes[SP_MAX_DIMS]; /* of the whole */
} put_attributes;

static const sp_op op_slice_backward;

/* Sizes, strides and offset of the part of a tensor. */
static int64_t part_of(const slice_attributes *a, int ndim, int64_t *sizes, int64_t *strides)
{
    const int64_t offset = a->start * strides[a->dim], size = sizes[a->dim];
    sizes[a->dim] = a->length;
    /* A step beyond the dimension meets one element, whose stride counts for nothing. */
    strides[a->dim] *= a->step < size ? a->step : size > 0 ? size : 1;
    if (!a->drop) return offset;
    size_t after = (size_t)(ndim - a->dim - 1) * sizeof *sizes;
    memmove(sizes + a->dim, sizes + a->dim + 1, after);
    memmove(strides + a->dim, strides + a->dim + 1, after);
    return offset;
}

static sp_status slice_infer(sp_call *call)
{
    const slice_attributes *a = call->attributes;
    sp_tensor *x = call->inputs[0];
    int64_t sizes[SP_MAX_DIMS], strides[SP_MAX_DIMS];
    memcpy(sizes, x->sizes, sizeof sizes);
    memcpy(strides, x->strides, sizeof strides);
    int64_t offset = x->offset + part_of(a, x->ndim, sizes, strides);
    return sp_call_view(call, 0, x, (sp_dims){sizes, x->ndim - a->drop}, strides, offset);
}

/* The part of a whole that nobody else holds; not in the graph. */
static sp_tensor *part_unowned(const sp_tensor *whole, const slice_attributes *a)
{
    sp_tensor *part = sp__tensor_alias_unowned(whole);
    if (!part) return NULL;
    part->offset += part_of(a, part->ndim, part->sizes, part->strides);
    part->ndim -= a->drop;
    return part;
}

/* Where other parts' gradients have come together, this one joins them in its place. */
static sp_status add_to_part(sp_tensor *sum, const slice_attributes *a, sp_tensor *grad)
{
    sp_tensor *part = part_unowned(sum, a);
    if (!part) return sp_error_status();
    sp_status status = sp__before_write(sum);
    if (!status) status = sp__map_tensors(SP__ADD, part, (sp_tensor *[]){part, grad}, 2, sum->dtype, NULL);
    sp__unref(part);
    return status;
}

static sp_status slice_backward(sp_grad_call *call)
{
    const slice_attributes *slice = call->attributes;
    sp_tensor *sum = sp__sum_so_far(call, 0);
    if (sum) {
        call->result[0] = sum;
        return add_to_part(sum, slice, call->grads[0]);
    }
    sp_dims whole = sp_input_sizes(call, 0);
    put_attributes a = {.part = *slice, .ndim = whole.n};
    memcpy(a.sizes, whole.data, (size_t)whole.n * sizeof *whole.data);
    call->result[0] = sp_op_apply(&op_slice_backward, call->grads, 1, &a);
    return SP_OK;
}

static sp_status put_infer(sp_call *call)
{
    const put_attributes *a = call->attributes;
    return sp_call_output(call, 0, call->inputs[0]->dtype, (sp_dims){a->sizes, a->ndim});
}

static sp_status put_forward(sp_call *call)
{
    const put_attributes *a = call->attributes;
    sp_tensor *whole = call->outputs[0];
    if (sp__fill_values(whole, 0)) return sp_error_status();
    sp_tensor *part = part_unowned(whole, &a->part);
    if (!part) return sp_error_status();
    sp_status status = sp__copy_values(part, call->inputs[0]);
    sp__unref(part);
    return status;
}

static sp_status put_backward(sp_grad_call *call)
{
    const put_attributes *a = call->attributes;
    const sp_op *op = a->part.drop ? &sp__op_select : &sp__op_slice;
    call->result[0] = sp_op_apply(op, call->grads, 1, &a->part);
    return SP_OK;
}

static const sp_op op_slice_backward = {.name = "slice_backward",
                                        .backward_name = "SliceBackwardBackward0",
                                        .n_inputs = 1,
                                        .attributes_size = sizeof(put_attributes),
                                        .infer = put_infer,
                                        .forward = put_forward,
                                        .backward = put_backward};

/* ---- public functions ---- */

/* dim as an index; a number has no dimension to cut. */
static sp_status check_cut(const char *function, sp_tensor *x, int dim, int *at)
{
    if (sp__check_tensor(x, function, "x")) return sp_error_status();
    if (x->ndim == 0) return sp_raise(SP_ERROR_SHAPE, "%s: a tensor without dimensions has no parts", function);
    return sp__wrap_dim(function, x->ndim, dim, at);
}

sp_tensor *sp_select(sp_tensor *x, int dim, int64_t index)
{
    int at;
    if (check_cut("sp_select", x, dim, &at)) return NULL;
    int64_t size = x->sizes[at];
    if (index < -size || index >= size) {
        sp_raise(SP_ERROR_ARGUMENT, "sp_select: index %lld is out of range for dimension %d of size %lld",
                 (long long)index, at, (long long)size);
        return NULL;
    }
    slice_attributes a = {.dim = at, .start = index < 0 ? index + size : index, .step = 1, .length = 1, .drop = true};
    return sp_op_apply(&sp__op_select, &x, 1, &a);
}

sp_tensor *sp_narrow(sp_tensor *x, int dim, int64_t start, int64_t length)
{
    int at;
    if (check_cut("sp_narrow", x, dim, &at)) return NULL;
    int64_t size = x->sizes[at], first = start < 0 ? start + size : start;
    if (first < 0 || first > size || length < 0 || length > size - first) {
        sp_raise(SP_ERROR_ARGUMENT, "sp_narrow: %lld entries from %lld are out of range for dimension %d of size %lld",
                 (long long)length, (long long)start, at, (long long)size);
        return NULL;
    }
    slice_attributes a = {.dim = at, .start = first, .step = 1, .length = length};
    return sp_op_apply(&sp__op_slice, &x, 1, &a);
}

static int64_t python_bound(int64_t bound, int64_t size)
{
    if (bound < 0) bound = bound < -size ? 0 : bound + size;
    return bound > size ? size : bound;
}

sp_tensor *sp_slice(sp_tensor *x, int dim, int64_t start, int64_t end, int64_t step)
{
    int at;
    if (check_cut("sp_slice", x, dim, &at)) return NULL;
    if (step <= 0) {
        sp_raise(SP_ERROR_ARGUMENT, "sp_slice: the step must be positive, not %lld", (long long)step);
        return NULL;
    }
    int64_t first = python_bound(start, x->sizes[at]), last = python_bound(end, x->sizes[at]);
    int64_t length = last > first ? (last - first - 1) / step + 1 : 0;
    slice_attributes a = {.dim = at, .start = first, .step = step, .length = length};
    return sp_op_apply(&sp__op_slice, &x, 1, &a);
}

/* ---- lists of parts ---- */

/* Appends a part; gives the list up, and returns NULL, when there is none. */
static sp_list *append_part(sp_list *list, sp_tensor *part)
{
    if (list && part && !sp_list_append(list, part)) return list;
    if (list) sp_release(list);
    return NULL;
}

sp_list *sp_split(sp_tensor *x, int64_t size, int dim)
{
    int at;
    if (check_cut("sp_split", x, dim, &at)) return NULL;
    int64_t whole = x->sizes[at];
    if (size < 0 || (size == 0 && whole > 0)) {
        sp_raise(SP_ERROR_ARGUMENT, "sp_split: the size of a part must be positive, not %lld", (long long)size);
        return NULL;
    }
    sp_list *list = sp_list_new(NULL, 0);
    int64_t start = 0;
    do {
        int64_t length = size < whole - start ? size : whole - start;
        list = append_part(list, list ? sp_narrow(x, at, start, length) : NULL);
        start += size;
    } while (list && start < whole);
    return list;
}

/* PyTorch gives as many empty parts as asked for; so many fit into memory. */
enum { MOST_OF_NOTHING = 1 << 20 };

sp_list *sp_chunk(sp_tensor *x, int64_t chunks, int dim)
{
    int at;
    if (check_cut("sp_chunk", x, dim, &at)) return NULL;
    int64_t whole = x->sizes[at];
    if (chunks <= 0 || (whole == 0 && chunks > MOST_OF_NOTHING)) {
        sp_raise(SP_ERROR_ARGUMENT,
                 "sp_chunk: the number of chunks must be positive, and of nothing at most %d, not %lld",
                 MOST_OF_NOTHING, (long long)chunks);
        return NULL;
    }
    if (whole > 0) return sp_split(x, (whole - 1) / chunks + 1, at);
    sp_list *list = sp_list_new(NULL, 0);
    for (int64_t i = 0; list && i < chunks; i++) list = append_part(list, sp_narrow(x, at, 0, 0));
    return list;
}

sp_list *sp_split_sizes(sp_tensor *x, sp_dims sizes, int dim)
{
    int at;
    int64_t sum = 0;
    if (check_cut("sp_split_sizes", x, dim, &at) || sp__check_dims("sp_split_sizes", "sizes", sizes)) return NULL;
    for (int i = 0; i < sizes.n; i++) {
        if (sizes.data[i] < 0 || sizes.data[i] > x->sizes[at] - sum)
            sum = INT64_MAX / 2;
        else
            sum += sizes.data[i];
    }
    if (sum != x->sizes[at]) {
        sp_raise(SP_ERROR_ARGUMENT, "sp_split_sizes: the sizes do not sum to %lld, the size of dimension %d",
                 (long long)x->sizes[at], at);
        return NULL;
    }
    sp_list *list = sp_list_new(NULL, 0);
    int64_t start = 0;
    for (int i = 0; list && i < sizes.n; start += sizes.data[i++])
        list = append_part(list, sp_narrow(x, at, start, sizes.data[i]));
    return list;
}

sp_list *sp_unbind(sp_tensor *x, int dim)
{
    int at;
    if (check_cut("sp_unbind", x, dim, &at)) return NULL;
    sp_list *list = sp_list_new(NULL, 0);
    for (int64_t i = 0; list && i < x->sizes[at]; i++) list = append_part(list, sp_select(x, at, i));
    return list;
}

/* ---- records ---- */

static sp_tensor *call_select(sp_tensor *const *x)
{
    return sp_select(x[0], 1, -1);
}
static sp_tensor *call_narrow(sp_tensor *const *x)
{
    return sp_narrow(x[0], 0, 1, 2);
}
static sp_tensor *call_slice(sp_tensor *const *x)
{
    return sp_slice(x[0], -1, 1, SP_END, 2);
}
static sp_tensor *call_slice_empty(sp_tensor *const *x)
{
    return sp_slice(x[0], 0, 3, 1, 1);
}
static sp_tensor *call_chunk(sp_tensor *const *x)
{
    return sp_list_get(sp_chunk(x[0], 2, 0), -1);
}
static sp_tensor *call_split(sp_tensor *const *x)
{
    return sp_list_get(sp_split(x[0], 2, 1), 1);
}
static sp_tensor *call_unbind(sp_tensor *const *x)
{
    return sp_list_get(sp_unbind(x[0], 0), 1);
}

const sp_op sp__op_select = {
    .name = "select",
    .backward_name = "SelectBackward0",
    .n_inputs = 1,
    .attributes_size = sizeof(slice_attributes),
    .infer = slice_infer,
    .backward = slice_backward,
    .samples = (const sp_sample[]){{call_select, "a.select(1, -1)", {{"2 3 4"}}},
                                   {call_select, "a.select(1, -1)", {{"0 2"}}},
                                   {call_unbind, "a.unbind(0)[1]", {{"2 3"}}},
                                   {0}},
};

const sp_op sp__op_slice = {
    .name = "slice",
    .backward_name = "SliceBackward0",
    .n_inputs = 1,
    .attributes_size = sizeof(slice_attributes),
    .infer = slice_infer,
    .backward = slice_backward,
    .samples = (const sp_sample[]){{call_narrow, "a.narrow(0, 1, 2)", {{"4 3"}}},
                                   {call_slice, "a[..., 1::2]", {{"2 5"}}},
                                   {call_slice, "a[..., 1::2]", {{"1"}}},
                                   {call_slice_empty, "a[3:1]", {{"4 2"}}},
                                   {call_chunk, "a.chunk(2, 0)[-1]", {{"5 2"}}},
                                   {call_split, "a.split(2, 1)[1]", {{"2 3"}}},
                                   {0}},
};

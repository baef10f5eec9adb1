/* Kernels' work on tensors, outside the graph. */
#include "tensor/tensor.h"
#include <string.h>

/* The buffer with its values in it. Callers see to these beforehand (sp__ready), where a failure is easy to report;
 * what they forgot is computed here. */
void *sp__buffer(const sp_tensor *x)
{
    return sp__ready(x) ? NULL : x->storage->buffer;
}

sp_status sp__ready_all(sp_tensor *const *inputs, int n)
{
    sp_status status = SP_OK;
    for (int i = 0; i < n && !status; i++)
        if (!sp__is_none(inputs[i])) status = sp__ready(inputs[i]);
    return status;
}

sp__operand sp__operand_of(const sp_tensor *x)
{
    sp__operand operand = {.buffer = sp__buffer(x), .offset = x->offset, .dtype = x->dtype};
    memcpy(operand.strides, x->strides, sizeof x->strides);
    return operand;
}

sp__operand sp__operand_broadcast(const sp_tensor *x, int ndim, const int64_t *sizes)
{
    sp__operand operand = {.buffer = sp__buffer(x), .offset = x->offset, .dtype = x->dtype};
    sp__broadcast_strides(x, ndim, sizes, operand.strides);
    return operand;
}

sp_status sp__fill_values(const sp_tensor *out, double value)
{
    const sp__fill call = {.kind = SP__FILL_VALUE,
                           .out = sp__operand_of(out),
                           .n = sp__product(out->ndim, out->sizes),
                           .a = value,
                           .value_i64 = out->dtype == SP_BOOL ? value != 0 : sp_size_of_number(value)};
    return call.n ? sp__backend_for(out)->fill(&call) : SP_OK;
}

sp_status sp__copy_values(sp_tensor *out, const sp_tensor *x)
{
    if (sp__ready(x)) return sp_error_status();
    sp__map call = {.kind = SP__COPY, .ndim = out->ndim, .n_operands = 2};
    memcpy(call.sizes, out->sizes, sizeof call.sizes);
    call.operands[0] = sp__operand_of(out);
    call.operands[1] = sp__operand_broadcast(x, out->ndim, out->sizes);
    return sp__backend_for(out)->map(&call);
}

/* A copy that nobody owns; contiguous, or in the layout of `like`. */
static sp_tensor *copy_as(const sp_tensor *x, sp_dtype dtype, const sp_tensor *like)
{
    sp_tensor *y = sp__object_new_unowned(&sp__tensor_kind.kind, sizeof *y);
    if (!y) return NULL;
    y->dtype = dtype;
    y->device = x->device;
    y->ndim = x->ndim;
    memcpy(y->sizes, x->sizes, sizeof x->sizes);
    sp__contiguous_strides(y->ndim, y->sizes, y->strides);
    if (like) sp__set_layout(y, like);
    if (!sp__tensor_allocate(y) && !sp__copy_values(y, x)) return y;
    sp__unref(y);
    return NULL;
}

/* Callers promise not to write through it. */
static sp_tensor *same(const sp_tensor *x)
{
    union {
        const sp_tensor *in;
        sp_tensor *out;
    } u = {x};
    return sp__ref(u.out);
}

sp_tensor *sp__value_as(const sp_tensor *x, sp_dtype dtype)
{
    return x->dtype == dtype ? same(x) : copy_as(x, dtype, NULL);
}

sp_tensor *sp__value_contiguous(const sp_tensor *x)
{
    return sp__strides_contiguous(x->ndim, x->sizes, x->strides) ? same(x) : copy_as(x, x->dtype, NULL);
}

sp_tensor *sp__value_like(const sp_tensor *x, const sp_tensor *like)
{
    return sp__same_strides(x, like) ? same(x) : copy_as(x, x->dtype, like);
}

/* The call on operands that all have the right dtype. */
static sp_status map_same(sp__map_kind kind, sp_tensor *out, sp_tensor *const *inputs, int n, const double *params)
{
    sp__map call = {.kind = kind, .ndim = out->ndim, .n_operands = n + 1};
    memcpy(call.sizes, out->sizes, sizeof call.sizes);
    if (params) memcpy(call.params, params, sizeof call.params);
    call.operands[0] = sp__operand_of(out);
    for (int i = 0; i < n; i++) call.operands[i + 1] = sp__operand_broadcast(inputs[i], out->ndim, out->sizes);
    return sp__backend_for(out)->map(&call);
}

/* Computes into memory of another dtype, then casts, as x (f32) += y (f64) must. */
static sp_status map_and_cast(sp__map_kind kind, sp_tensor *out, sp_tensor *const *inputs, int n, sp_dtype dtype,
                              const double *params)
{
    sp_tensor *result = sp__tensor_empty(dtype, out->device, out->ndim, out->sizes);
    if (!result) return sp_error_status();
    sp_status status = map_same(kind, result, inputs, n, params);
    if (!status) status = sp__copy_values(out, result);
    sp_release(result);
    return status;
}

sp_status sp__map_tensors(sp__map_kind kind, sp_tensor *out, sp_tensor *const *inputs, int n, sp_dtype compute,
                          const double *params)
{
    sp_tensor *values[3] = {0};
    sp_status status = sp__ready_all(inputs, n);
    for (int i = 0; i < n && !status; i++) {
        bool condition = kind == SP__WHERE && i == 0;
        sp_dtype dtype = condition ? SP_BOOL : compute && kind != SP__COPY ? compute : inputs[i]->dtype;
        values[i] = sp__value_as(inputs[i], dtype);
        if (!values[i]) status = sp_error_status();
    }
    sp_dtype result = sp__map_kinds[kind].gives_bool ? SP_BOOL : compute && kind != SP__COPY ? compute : out->dtype;
    if (!status) {
        status = result == out->dtype ? map_same(kind, out, values, n, params)
                                      : map_and_cast(kind, out, values, n, result, params);
    }
    for (int i = 0; i < n; i++) sp__unref(values[i]);
    return status;
}

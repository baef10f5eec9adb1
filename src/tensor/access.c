/* Questions to a tensor, and values in and out. */
#include "tensor/tensor.h"
#include <math.h>
#include <string.h>

int sp_ndim(const sp_tensor *x)
{
    return sp__check_tensor(x, "sp_ndim", "x") ? 0 : x->ndim;
}

int64_t sp_numel(const sp_tensor *x)
{
    return sp__check_tensor(x, "sp_numel", "x") ? 0 : sp__product(x->ndim, x->sizes);
}

/* dim as an index into sizes; -1 after an error. A 0-d tensor has no dimension to ask for. */
static int asked_dim(const sp_tensor *x, int dim, const char *function)
{
    int d;
    if (sp__check_tensor(x, function, "x")) return -1;
    if (x->ndim == 0) {
        sp_raise(SP_ERROR_SHAPE, "%s: a tensor without dimensions has no dimension %d", function, dim);
        return -1;
    }
    return sp__wrap_dim(function, x->ndim, dim, &d) ? -1 : d;
}

int64_t sp_size(const sp_tensor *x, int dim)
{
    int d = asked_dim(x, dim, "sp_size");
    return d < 0 ? 0 : x->sizes[d];
}

int64_t sp_stride(const sp_tensor *x, int dim)
{
    int d = asked_dim(x, dim, "sp_stride");
    return d < 0 ? 0 : x->strides[d];
}

sp_dims sp_sizes(const sp_tensor *x)
{
    if (sp__check_tensor(x, "sp_sizes", "x")) return (sp_dims){NULL, 0};
    return (sp_dims){x->sizes, x->ndim};
}

sp_dtype sp_dtype_of(const sp_tensor *x)
{
    return sp__check_tensor(x, "sp_dtype_of", "x") ? SP_DTYPE_DEFAULT : x->dtype;
}

sp_device sp_device_of(const sp_tensor *x)
{
    return sp__check_tensor(x, "sp_device_of", "x") ? (sp_device){SP_CPU, 0} : x->device;
}

bool sp_is_contiguous(const sp_tensor *x)
{
    return !sp__check_tensor(x, "sp_is_contiguous", "x") && sp__strides_contiguous(x->ndim, x->sizes, x->strides);
}

/* One element's bytes as a double and as an integer. */
typedef struct value {
    double number;
    int64_t integer;
} value;

static value from_float(double number)
{
    bool fits = number >= -9223372036854775808.0 && number < 9223372036854775808.0;
    return (value){number, fits ? (int64_t)number : INT64_MIN};
}

static value from_integer(int64_t integer)
{
    return (value){(double)integer, integer};
}

static value decode(sp_dtype dtype, const void *bytes)
{
    union {
        float f32;
        double f64;
        uint32_t bits;
        uint16_t bf16;
        int64_t i64;
        int32_t i32;
        uint8_t u8;
    } u = {0};
    memcpy(&u, bytes, sp_dtype_size(dtype));
    switch (dtype) {
    case SP_F32: return from_float((double)u.f32);
    case SP_F64: return from_float(u.f64);
    case SP_BF16: {
        const uint32_t upper = u.bf16;
        u.bits = upper << 16;
        return from_float((double)u.f32);
    }
    case SP_I64: return from_integer(u.i64);
    case SP_I32: return from_integer(u.i32);
    default: return from_integer(u.u8);
    }
}

sp_status sp__read_element(const sp_tensor *x, int64_t offset, double *number, int64_t *integer)
{
    char bytes[8];
    size_t size = sp_dtype_size(x->dtype);
    const sp__backend *backend = sp__backend_for(x);
    sp_status status = sp__ready(x);
    if (!status) status = backend->wait();
    if (!status) status = backend->copy_out(x->storage->buffer, (size_t)offset * size, bytes, size);
    if (status) return status;
    value v = decode(x->dtype, bytes);
    *number = v.number;
    *integer = v.integer;
    return SP_OK;
}

static sp_status read_item(const sp_tensor *x, const char *function, value *out)
{
    if (sp__check_tensor(x, function, "x")) return sp_error_status();
    if (sp__product(x->ndim, x->sizes) != 1)
        return sp_raise(SP_ERROR_SHAPE, "%s: only a tensor with one element is a number; this one has shape %s",
                        function, sp__shape_of(x));
    return sp__read_element(x, x->offset, &out->number, &out->integer);
}

double sp_item(const sp_tensor *x)
{
    value v;
    return read_item(x, "sp_item", &v) ? NAN : v.number;
}

int64_t sp_item_i64(const sp_tensor *x)
{
    value v;
    return read_item(x, "sp_item_i64", &v) ? 0 : v.integer;
}

static void *data_of(const sp_tensor *x, const char *function)
{
    static char nothing[64]; /* stands for the memory of a tensor without elements; nobody writes to it */
    if (sp__check_tensor(x, function, "x")) return NULL;
    if (!sp__strides_contiguous(x->ndim, x->sizes, x->strides)) {
        sp_raise(SP_ERROR_STATE,
                 "%s: a tensor of shape %s with strides %s is not contiguous: take sp_contiguous(x) first", function,
                 sp__shape_of(x), sp__shape_text(x->ndim, x->strides));
        return NULL;
    }
    if (sp__ready(x)) return NULL;
    if (!x->storage->buffer) return nothing;
    const sp__backend *backend = sp__backend_for(x);
    char *host = backend->wait() ? NULL : backend->host(x->storage->buffer);
    if (!host) sp_raise(SP_ERROR_DEVICE, "%s: the host cannot see memory of the device: use sp_copy_out", function);
    return host ? host + (size_t)x->offset * sp_dtype_size(x->dtype) : NULL;
}

void *sp_data(sp_tensor *x)
{
    void *data = data_of(x, "sp_data");
    if (!data || sp__before_write(x)) return NULL;
    atomic_store_explicit(&x->storage->exposed, true, memory_order_relaxed);
    return data;
}

void sp_data_end(sp_tensor *x)
{
    if (sp__check_tensor(x, "sp_data_end", "x")) return;
    atomic_store_explicit(&x->storage->exposed, false, memory_order_relaxed);
}

const void *sp_const_data(const sp_tensor *x)
{
    return data_of(x, "sp_const_data");
}

static sp_status check_bytes(const sp_tensor *x, const void *host, size_t bytes, const char *function)
{
    if (sp__check_tensor(x, function, "x")) return sp_error_status();
    size_t needed = (size_t)sp__product(x->ndim, x->sizes) * sp_dtype_size(x->dtype);
    if (bytes != needed)
        return sp_raise(SP_ERROR_ARGUMENT, "%s: a %s tensor of shape %s is %zu bytes, not %zu", function,
                        sp_dtype_name(x->dtype), sp__shape_of(x), needed, bytes);
    return host || !bytes ? SP_OK : sp_raise_null(function, "the memory");
}

sp_status sp_copy_out(void *to, const sp_tensor *x, size_t bytes)
{
    sp_status status = check_bytes(x, to, bytes, "sp_copy_out");
    if (status || !bytes) return status;
    sp_tensor *plain = sp__value_contiguous(x);
    if (!plain || sp__ready(plain)) {
        sp__unref(plain);
        return sp_error_status();
    }
    const sp__backend *backend = sp__backend_for(plain);
    status = backend->wait();
    size_t offset = (size_t)plain->offset * sp_dtype_size(plain->dtype);
    if (!status) status = backend->copy_out(plain->storage->buffer, offset, to, bytes);
    sp__unref(plain);
    return status;
}

/* Through a contiguous tensor of the same shape. */
static sp_status copy_in_strided(sp_tensor *x, const void *from, size_t bytes)
{
    sp_tensor *plain = sp__tensor_empty(x->dtype, x->device, x->ndim, x->sizes);
    if (!plain) return sp_error_status();
    sp_status status = sp__backend_for(x)->copy_in(plain->storage->buffer, 0, from, bytes);
    if (!status) status = sp__copy_values(x, plain);
    sp_release(plain);
    return status;
}

sp_status sp_copy_in(sp_tensor *x, const void *from, size_t bytes)
{
    sp_status status = check_bytes(x, from, bytes, "sp_copy_in");
    if (!status) status = sp__check_writable(x, "sp_copy_in");
    if (!status && bytes) status = sp__before_write(x);
    if (status || !bytes) return status;
    if (sp__strides_contiguous(x->ndim, x->sizes, x->strides)) {
        size_t offset = (size_t)x->offset * sp_dtype_size(x->dtype);
        status = sp__backend_for(x)->copy_in(x->storage->buffer, offset, from, bytes);
    } else {
        status = copy_in_strided(x, from, bytes);
    }
    sp__bump_version(x);
    return status;
}

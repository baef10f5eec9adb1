/* Tensors and their storage: making, sharing, letting go. */
#include "tensor/tensor.h"
#include <string.h>

static void destroy_tensor(void *object)
{
    sp_tensor *x = object;
    sp__forget_history(x);
    sp__storage_unref(x->storage);
}

static void abandon_tensor(void *object)
{
    sp__abandon_history(object);
}

const sp__looped_kind sp__tensor_kind = {{"tensor", destroy_tensor}, abandon_tensor};

static const sp_kind none_kind = {"SP_NONE", NULL};
static sp__static_tensor none = {.head = {.kind = &none_kind, .holds = SP__FOREVER, .mark = SP__LIVE}};
sp_tensor *const sp_none_ = &none.tensor;

sp_status sp__check_tensor(const sp_tensor *x, const char *function, const char *argument)
{
    return sp__check(x, &sp__tensor_kind.kind, function, argument);
}

sp_status sp__check_differentiable(const sp_tensor *x)
{
    if (sp_dtype_is_floating_point(x->dtype)) return SP_OK;
    return sp_raise(SP_ERROR_DTYPE, "sp_requires_grad: only floating point tensors have gradients, not %s",
                    sp_dtype_name(x->dtype));
}

static sp_status check_sizes(int ndim, const int64_t *sizes, sp_dtype dtype)
{
    for (int d = 0; d < ndim; d++)
        if (sizes[d] < 0)
            return sp_raise(SP_ERROR_SHAPE, "a tensor of shape %s: sizes cannot be negative",
                            sp__shape_text(ndim, sizes));
    /* A size of 0 counts as 1, so that strides and products of some of the sizes fit as well. */
    int64_t n = 1;
    for (int d = 0; d < ndim; d++) n = sp_size_mul(n, sizes[d] ? sizes[d] : 1);
    if (n > INT64_MAX / 16)
        return sp_raise(SP_ERROR_MEMORY, "a %s tensor of shape %s does not fit into memory", sp_dtype_name(dtype),
                        sp__shape_text(ndim, sizes));
    return SP_OK;
}

sp_tensor *sp__tensor_new(sp_dtype dtype, sp_device device, int ndim, const int64_t *sizes)
{
    if (ndim > SP_MAX_DIMS) {
        sp_raise(SP_ERROR_SHAPE, "a tensor has at most %d dimensions, not %d", SP_MAX_DIMS, ndim);
        return NULL;
    }
    if (check_sizes(ndim, sizes, dtype)) return NULL;
    sp_tensor *x = sp_object_new(&sp__tensor_kind.kind, sizeof *x);
    if (!x) return NULL;
    x->dtype = dtype;
    x->device = device;
    x->ndim = ndim;
    if (ndim) memcpy(x->sizes, sizes, (size_t)ndim * sizeof *sizes);
    sp__contiguous_strides(ndim, sizes, x->strides);
    return x;
}

static sp__storage *without_buffer(sp_device device, size_t bytes)
{
    const sp__backend *backend = sp__backend_of(device);
    sp__storage *storage = backend ? sp_alloc(sizeof *storage) : NULL;
    if (!storage) return NULL;
    storage->backend = backend;
    storage->device = device;
    storage->bytes = bytes;
    atomic_init(&storage->refs, 1);
    return storage;
}

sp__storage *sp__storage_new(sp_device device, size_t bytes)
{
    sp__storage *storage = without_buffer(device, bytes);
    if (!storage || !bytes || (storage->buffer = storage->backend->alloc(bytes))) return storage;
    sp_free(storage, sizeof *storage);
    return NULL;
}

static size_t bytes_of(const sp_tensor *x)
{
    return (size_t)sp__product(x->ndim, x->sizes) * sp_dtype_size(x->dtype);
}

sp_status sp__tensor_allocate(sp_tensor *x)
{
    x->storage = sp__storage_new(x->device, bytes_of(x));
    if (x->storage) return SP_OK;
    return sp_raise(SP_ERROR_MEMORY, "no memory for a %s tensor of shape %s (%zu bytes)", sp_dtype_name(x->dtype),
                    sp__shape_of(x), bytes_of(x));
}

sp_status sp__tensor_allocate_later(sp_tensor *x, struct sp__deferred *call)
{
    x->storage = without_buffer(x->device, bytes_of(x));
    if (!x->storage) return sp_error_status();
    atomic_init(&x->storage->deferred, call);
    return SP_OK;
}

sp_tensor *sp__tensor_empty(sp_dtype dtype, sp_device device, int ndim, const int64_t *sizes)
{
    sp_tensor *x = sp__tensor_new(dtype, device, ndim, sizes);
    if (!x || !sp__tensor_allocate(x)) return x;
    sp_release(x);
    return NULL;
}

void sp__storage_ref(sp__storage *storage)
{
    atomic_fetch_add_explicit(&storage->refs, 1, memory_order_relaxed);
}

void sp__storage_unref(sp__storage *storage)
{
    if (!storage || atomic_fetch_sub_explicit(&storage->refs, 1, memory_order_acq_rel) != 1) return;
    if (storage->buffer) storage->backend->free(storage->buffer, storage->bytes);
    sp__deferred_drop(atomic_load_explicit(&storage->deferred, memory_order_relaxed));
    sp_free(storage, sizeof *storage);
}

void sp__bump_version(sp_tensor *x)
{
    atomic_fetch_add_explicit(&x->storage->version, 1, memory_order_relaxed);
}

/* Shape, type and memory of x, without its place in the graph. */
static sp_tensor *fill_alias(sp_tensor *alias, const sp_tensor *x)
{
    if (!alias) return NULL;
    alias->storage = x->storage;
    if (alias->storage) sp__storage_ref(alias->storage);
    alias->offset = x->offset;
    alias->dtype = x->dtype;
    alias->device = x->device;
    alias->ndim = x->ndim;
    alias->wrapped_number = x->wrapped_number;
    alias->stands_in = x->stands_in;
    memcpy(alias->sizes, x->sizes, sizeof x->sizes);
    memcpy(alias->strides, x->strides, sizeof x->strides);
    return alias;
}

sp_tensor *sp__tensor_alias(const sp_tensor *x)
{
    return fill_alias(sp_object_new(&sp__tensor_kind.kind, sizeof *x), x);
}

sp_tensor *sp__tensor_alias_unowned(const sp_tensor *x)
{
    return fill_alias(sp__object_new_unowned(&sp__tensor_kind.kind, sizeof *x), x);
}

sp_tensor_options sp__tensor_options(const sp_tensor_options *options)
{
    sp_tensor_options o;
    sp_options_copy(&o, sizeof o, options);
    return o;
}

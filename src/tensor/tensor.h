/* The tensor from inside: a view of a counted storage, and its place in the graph. */
#ifndef SPUSK_TENSOR_PRIVATE_H
#define SPUSK_TENSOR_PRIVATE_H

#include "backends/backend.h"
#include <spusk/extend/layout.h>
#include <spusk/extend/options.h>

/* Memory on a device, shared by views. */
typedef struct sp__storage {
    const sp__backend *backend;
    sp_device device;
    void *buffer; /* NULL for 0 bytes */
    size_t bytes;
    atomic_int refs;
    atomic_uint version;                     /* counts changes in place */
    _Atomic(struct sp__deferred *) deferred; /* the call that will write the buffer, not there yet; NULL: it is there */
    struct sp__reader *readers;              /* deferred calls that have yet to read the buffer */
    atomic_bool exposed;                     /* a program has a pointer through which it may write */
} sp__storage;

struct sp__node;
struct sp__hook;

struct sp_tensor {
    sp__storage *storage; /* NULL only while an operator is about to give it memory */
    int64_t offset;       /* elements */
    sp_dtype dtype;
    sp_device device;
    int ndim;
    bool requires_grad; /* a leaf's mark */
    bool retains_grad;
    bool wrapped_number; /* a number in an expression: does not decide the dtype within its category */
    bool stands_in;      /* a copy that stands in for a view of an image whose channels lie innermost */
    uint32_t datas;      /* counts calls of sp_set_data, which change memory and shape at once */
    int64_t sizes[SP_MAX_DIMS];
    int64_t strides[SP_MAX_DIMS];

    /* the graph; see autograd/ */
    struct sp__node *grad_fn;               /* what made it, held; NULL for a leaf */
    int output;                             /* which of grad_fn's outputs */
    _Atomic(struct sp__node *) accumulator; /* a leaf's node in the graph, made once; held */
    sp_tensor *grad;                        /* held */
    struct sp__hook *hooks;                 /* a leaf's hooks */
    sp_tensor *base;                        /* of a differentiable view: the tensor that was not a view; held */
    unsigned base_generation;               /* base->generation when this view's grad_fn was made */
    unsigned generation;                    /* counts recorded changes in place of a base */
};

extern const sp__looped_kind sp__tensor_kind;
extern const sp_kind sp__list_kind;

/* A tensor that is a variable of the library: sp_none_, sp_last_. All of it is zero; its address is what counts. */
typedef struct sp__static_tensor {
    _Alignas(64) sp__object head;
    sp_tensor tensor;
} sp__static_tensor;

/* A tensor without memory, in the open scope. */
sp_tensor *sp__tensor_new(sp_dtype dtype, sp_device device, int ndim, const int64_t *sizes);
/* Gives it contiguous memory of its own, with undefined values. */
sp_status sp__tensor_allocate(sp_tensor *x);
/* Contiguous, with undefined values, in the open scope. */
sp_tensor *sp__tensor_empty(sp_dtype dtype, sp_device device, int ndim, const int64_t *sizes);
/* A second tensor over the same memory, outside the graph, in the open scope. */
sp_tensor *sp__tensor_alias(const sp_tensor *x);
/* The same with one reference, and owned by no scope: for what the graph saves. */
sp_tensor *sp__tensor_alias_unowned(const sp_tensor *x);

/* ---- what autograd/ defines, because tensors know no graph and call no operators ---- */

/* For a tensor's end: drops grad_fn, gradient, base and accumulator; the second drops the hooks too. */
void sp__abandon_history(sp_tensor *x);
void sp__forget_history(sp_tensor *x);
/* For a tensor's text: "AddBackward0", after the operator that made x; "" for a leaf. */
const char *sp__made_by(const sp_tensor *x);

struct sp__deferred;
/* Runs the deferred call that makes the values of a storage; see autograd/deferred.h. */
sp_status sp__compute(sp__storage *storage);
/* Before x's memory is written: makes its values, and copies them for deferred calls that have yet to read them. */
sp_status sp__before_write(sp_tensor *x);
/* Lets a deferred call go; NULL is ignored. */
void sp__deferred_drop(struct sp__deferred *d);

/* ---- storage ---- */

/* New memory with one reference. NULL when there is none; not every failure has raised an error. */
sp__storage *sp__storage_new(sp_device device, size_t bytes);
void sp__storage_unref(sp__storage *storage);
void sp__storage_ref(sp__storage *storage);
/* Changes when the values, the memory or the shape change. */
static inline uint64_t sp__version(const sp_tensor *x)
{
    return (uint64_t)x->datas << 32 | atomic_load_explicit(&x->storage->version, memory_order_relaxed);
}
/* The tensor that x is a view of. NULL when x is no view, or when sp_set_data has given that tensor other memory. */
static inline sp_tensor *sp__base_of(const sp_tensor *x)
{
    return x->base && x->base->storage == x->storage ? x->base : NULL;
}
void sp__bump_version(sp_tensor *x);

/* ---- checks ---- */

/* Raises for a dtype that has no gradients. */
sp_status sp__check_differentiable(const sp_tensor *x);
/* Checks that x may be changed in place; raises otherwise. It may not where several elements may lie in one place of
 * memory, nor where x is a copy that stands in for a view. */
sp_status sp__check_writable(const sp_tensor *x, const char *function);
/* Raises for NULL, SP_NONE and foreign objects; `function` and `argument` name the place. */
sp_status sp__check_tensor(const sp_tensor *x, const char *function, const char *argument);
static inline bool sp__is_tensor(const void *object)
{
    return sp_object_is(object, &sp__tensor_kind.kind);
}
static inline bool sp__is_none(const sp_tensor *x)
{
    return x == sp_none_;
}

/* ---- values that are not there yet: a deferred call makes them when they are read ---- */

/* Gives x a storage without memory, to be filled by the call. */
sp_status sp__tensor_allocate_later(sp_tensor *x, struct sp__deferred *call);
static inline bool sp__is_ready(const sp_tensor *x)
{
    return !atomic_load_explicit(&x->storage->deferred, memory_order_acquire);
}
/* Makes the values that are not there yet. Whoever touches a buffer calls sp__ready first. */
static inline sp_status sp__ready(const sp_tensor *x)
{
    return sp__is_ready(x) ? SP_OK : sp__compute(x->storage);
}
/* The same for all of them that are not SP_NONE. */
sp_status sp__ready_all(sp_tensor *const *inputs, int n);
static inline bool sp__are_ready(sp_tensor *const *inputs, int n)
{
    bool ready = true;
    for (int i = 0; i < n && ready; i++) ready = sp__is_none(inputs[i]) || sp__is_ready(inputs[i]);
    return ready;
}

/* ---- shapes and layouts ---- */

/* Writes row-major strides. */
void sp__contiguous_strides(int ndim, const int64_t *sizes, int64_t *strides);
/* The product of sizes; -1 when it overflows. */
int64_t sp__product(int ndim, const int64_t *sizes);
/* Whether strides are row-major. */
bool sp__strides_contiguous(int ndim, const int64_t *sizes, const int64_t *strides);

/* Gives x, which has no values yet, the strides of `like` if that is dense and has x's sizes. */
void sp__set_layout(sp_tensor *x, const sp_tensor *like);
/* Gives x, which has no values yet, the strides of images whose channels lie innermost. Nothing where these are the
 * contiguous ones, or x has not three or four dimensions. */
void sp__set_channels_last(sp_tensor *x);
/* Whether two tensors of one shape have their elements in the same order and distance. */
bool sp__same_strides(const sp_tensor *a, const sp_tensor *b);

/* Raises for a list whose pointer is NULL though it is not empty, or whose count is negative; for a shape also when it
 * has more than SP_MAX_DIMS sizes. */
sp_status sp__check_dims(const char *function, const char *argument, sp_dims dims);
sp_status sp__check_shape(const char *function, const char *argument, sp_dims dims);
/* dim in [-ndim, ndim) to [0, ndim); raises for others. A 0-d tensor takes 0 and -1. */
sp_status sp__wrap_dim(const char *function, int ndim, int dim, int *out);
/* The shape that a and b broadcast to; raises, naming the function and both shapes. */
sp_status sp__broadcast(const char *function, int na, const int64_t *a, int nb, const int64_t *b, int *n, int64_t *out);
/* Strides of x seen with a broadcast shape: 0 where it repeats. */
void sp__broadcast_strides(const sp_tensor *x, int ndim, const int64_t *sizes, int64_t *strides);
/* "[2, 3]" for messages; it stays until the thread's eighth call after this one. */
const char *sp__shape_text(int ndim, const int64_t *sizes);
const char *sp__shape_of(const sp_tensor *x);

/* PyTorch's result type of several operands: dimensions before numbers, numbers in an expression last. */
sp_dtype sp__result_type(sp_tensor *const *inputs, int n);

/* ---- kernels on tensors ---- */

/* A tensor's buffer for kernels; then their view of the tensor, with its own strides, or broadcast to a shape. */
void *sp__buffer(const sp_tensor *x);
sp__operand sp__operand_of(const sp_tensor *x);
sp__operand sp__operand_broadcast(const sp_tensor *x, int ndim, const int64_t *sizes);
static inline const sp__backend *sp__backend_for(const sp_tensor *x)
{
    return x->storage->backend;
}

/* Kernels on whole tensors, outside the graph, for forwards. `out` has memory, and inputs broadcast to its shape.
 * sp__map_tensors casts inputs to `compute`; when that is SP_DTYPE_DEFAULT they have the dtypes that the kind wants. */
sp_status sp__map_tensors(sp__map_kind kind, sp_tensor *out, sp_tensor *const *inputs, int n, sp_dtype compute,
                          const double *params);
/* Writes one number everywhere in a dense tensor; into integers the nearest one. */
sp_status sp__fill_values(const sp_tensor *out, double value);
/* Copies values with a cast, broadcasting x to out's shape. */
sp_status sp__copy_values(sp_tensor *out, const sp_tensor *x);
/* x in another dtype; x contiguous; x in the layout of `like`, which is dense and has its shape. The result is outside
 * the graph and owned by no scope: give it back with sp__unref. When x is so already, it is x itself with one more
 * reference. */
sp_tensor *sp__value_as(const sp_tensor *x, sp_dtype dtype);
sp_tensor *sp__value_contiguous(const sp_tensor *x);
sp_tensor *sp__value_like(const sp_tensor *x, const sp_tensor *like);

/* The element at an offset of x's storage, as a double and as an integer. */
sp_status sp__read_element(const sp_tensor *x, int64_t offset, double *number, int64_t *integer);

/* The options that the caller gave; all others are zero. */
sp_tensor_options sp__tensor_options(const sp_tensor_options *options);

struct sp_list {
    int64_t n;
    size_t capacity;
    sp_tensor **items;
};

#endif

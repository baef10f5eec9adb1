/* The tensor from inside: a view of a counted storage, and its place in the graph. */
#ifndef SPUSK_TENSOR_PRIVATE_H
#define SPUSK_TENSOR_PRIVATE_H

#include "backends/backend.h"
#include <spusk/extend/operator.h>
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
    struct sp__wait *waits;                  /* calls that have yet to read the buffer; see deferred.c */
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
    bool stands_in;      /* a copy, where the user sees a view: of an image whose channels lie innermost */
    uint32_t datas;      /* counts sp_set_data: changes of memory and shape at once */
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
/* Gives it zeroed or undefined memory of its own, contiguous. */
sp_status sp__tensor_allocate(sp_tensor *x);
/* Contiguous, with undefined values, in the open scope. */
sp_tensor *sp__tensor_empty(sp_dtype dtype, sp_device device, int ndim, const int64_t *sizes);
/* A second tensor over the same memory, outside the graph, in the open scope. */
sp_tensor *sp__tensor_alias(const sp_tensor *x);
/* The same, owned by nobody, with one reference: for what the graph saves. */
sp_tensor *sp__tensor_alias_unowned(const sp_tensor *x);

/* What autograd/ defines, for the end of a tensor, because it alone knows what these members hold: drops grad_fn,
 * gradient, base and accumulator; the same and the hooks. */
void sp__abandon_history(sp_tensor *x);
void sp__forget_history(sp_tensor *x);

/* Memory that nobody has yet, with one reference. NULL, perhaps without an error raised, when there is none. */
sp__storage *sp__storage_new(sp_device device, size_t bytes);
void sp__storage_unref(sp__storage *storage);
void sp__storage_ref(sp__storage *storage);
/* Other values, another memory or shape: another version. */
static inline uint64_t sp__version(const sp_tensor *x)
{
    return (uint64_t)x->datas << 32 | atomic_load_explicit(&x->storage->version, memory_order_relaxed);
}
/* What x is a view of; NULL when it is none, or sp_set_data has given what it was a view of other memory. */
static inline sp_tensor *sp__base_of(const sp_tensor *x)
{
    return x->base && x->base->storage == x->storage ? x->base : NULL;
}
void sp__bump_version(sp_tensor *x);

/* ---- calls that wait until their values are read; deferred.c ---- */

enum { SP__MOST_WAITED = 3 };

typedef struct sp__wait {
    struct sp__deferred *call;
    struct sp__wait *next, **back;
} sp__wait;

/* A call that waits; its attributes stand behind it. */
typedef struct sp__deferred {
    const sp_op *op;
    size_t size;
    int n_inputs, holds;
    bool computing;
    sp_tensor *inputs[SP__MOST_WAITED]; /* held; outside the graph */
    sp__wait waits[SP__MOST_WAITED];
    sp_tensor *output; /* its shape; without memory */
} sp__deferred;

/* Lets a call wait, when its record says that it can and it pays: output 0 then has a storage without memory. */
sp_status sp__defer(sp_call *call, bool *waits);
/* x's storage without memory, to be filled by the call. */
sp_status sp__tensor_allocate_later(sp_tensor *x, sp__deferred *call);
static inline bool sp__is_ready(const sp_tensor *x)
{
    return !atomic_load_explicit(&x->storage->deferred, memory_order_acquire);
}
/* Computes what is not there yet. Whoever touches a buffer calls sp__ready first. */
sp_status sp__compute(sp__storage *storage);
static inline sp_status sp__ready(const sp_tensor *x)
{
    return sp__is_ready(x) ? SP_OK : sp__compute(x->storage);
}
sp_status sp__ready_all(sp_tensor *const *inputs, int n);
/* Before x's memory is written: computes it, and gives calls that wait for it a copy of the old values. */
sp_status sp__before_write(sp_tensor *x);
/* The waiting call of this operator that x is the whole result of, held; NULL when there is none. For forwards of
 * operators that read what waits. */
sp__deferred *sp__waiting(const sp_tensor *x, const sp_op *op);
void sp__deferred_drop(sp__deferred *d);
static inline const void *sp__deferred_attributes(const sp__deferred *call)
{
    return call + 1;
}
/* Whether calls may wait at all: not with SPUSK_FUSION=0 in the environment. The other is for tests. */
bool sp__deferral(void);
void sp__set_deferral(bool on);

/* Whether x may be changed in place: not where several elements may lie in one place of memory, nor where x is a copy
 * that stands in for a view. Raises. */
sp_status sp__check_writable(const sp_tensor *x, const char *function);
/* NULL, SP_NONE and foreign objects raise; `function` and `argument` name the place. */
sp_status sp__check_tensor(const sp_tensor *x, const char *function, const char *argument);
static inline bool sp__is_tensor(const void *object)
{
    return sp_object_is(object, &sp__tensor_kind.kind);
}
static inline bool sp__is_none(const sp_tensor *x)
{
    return x == sp_none_;
}

/* Row-major strides; the product of sizes, or -1 when it overflows; whether strides are row-major. */
void sp__contiguous_strides(int ndim, const int64_t *sizes, int64_t *strides);
int64_t sp__product(int ndim, const int64_t *sizes);
bool sp__strides_contiguous(int ndim, const int64_t *sizes, const int64_t *strides);

/* Gives x, before it has values, the strides of `like` where that is dense and has x's sizes; those of images with
 * their channels innermost, where x has three or four dimensions and these differ from the contiguous ones. */
void sp__set_layout(sp_tensor *x, const sp_tensor *like);
void sp__set_channels_last(sp_tensor *x);
/* Whether two tensors of one shape have their elements in the same order and distance. */
bool sp__same_strides(const sp_tensor *a, const sp_tensor *b);

/* Fails for a list that is NULL but not empty, or of fewer than none; for a shape also of too many. */
sp_status sp__check_dims(const char *function, const char *argument, sp_dims dims);
sp_status sp__check_shape(const char *function, const char *argument, sp_dims dims);
/* dim in [-ndim, ndim) to [0, ndim), 0 and -1 for a number too; raises. */
sp_status sp__wrap_dim(const char *function, int ndim, int dim, int *out);
/* The shape that a and b broadcast to; raises, naming the function and both shapes. */
sp_status sp__broadcast(const char *function, int na, const int64_t *a, int nb, const int64_t *b, int *n, int64_t *out);
/* Strides of x seen with a broadcast shape: 0 where it repeats. */
void sp__broadcast_strides(const sp_tensor *x, int ndim, const int64_t *sizes, int64_t *strides);
/* "[2, 3]" for messages; a static ring of buffers of the thread, good for eight at once. */
const char *sp__shape_text(int ndim, const int64_t *sizes);
const char *sp__shape_of(const sp_tensor *x);

/* PyTorch's result type of several operands: dimensions before numbers, numbers in an expression last. */
sp_dtype sp__result_type(sp_tensor *const *inputs, int n);

/* A tensor's buffer for kernels; then their view of the tensor, with its own strides, or broadcast to a shape. */
void *sp__buffer(const sp_tensor *x);
sp__operand sp__operand_of(const sp_tensor *x);
sp__operand sp__operand_broadcast(const sp_tensor *x, int ndim, const int64_t *sizes);
static inline const sp__backend *sp__backend_for(const sp_tensor *x)
{
    return x->storage->backend;
}

/* Kernels' work on tensors, outside the graph, for forwards: out has memory; inputs broadcast to out's shape and have
 * the dtypes that the kind wants (sp__map_tensors casts what differs from `compute` when that is not 0). */
sp_status sp__map_tensors(sp__map_kind kind, sp_tensor *out, sp_tensor *const *inputs, int n, sp_dtype compute,
                          const double *params);
/* One number everywhere in a tensor that is dense; for an integer the nearest that it can be. */
sp_status sp__fill_values(const sp_tensor *out, double value);
/* Copies values with a cast, broadcasting x to out's shape. */
sp_status sp__copy_values(sp_tensor *out, const sp_tensor *x);
/* x in another dtype, or contiguous, as a plain value outside the graph; x itself, with one more reference, when it is
 * so already. Unowned: give it back with sp__unref. */
sp_tensor *sp__value_as(const sp_tensor *x, sp_dtype dtype);
sp_tensor *sp__value_contiguous(const sp_tensor *x);

/* The element at an offset of x's storage, as a double and as an integer. */
sp_status sp__read_element(const sp_tensor *x, int64_t offset, double *number, int64_t *integer);

/* What the caller gave, the rest zero. */
sp_tensor_options sp__tensor_options(const sp_tensor_options *options);

struct sp_list {
    int64_t n, capacity;
    sp_tensor **items;
};

#endif

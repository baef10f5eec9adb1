/* What the families of reductions share: which dimensions go, the shape that stays, the way back for gradients. */
#ifndef SPUSK_REDUCE_H
#define SPUSK_REDUCE_H

#include "ops/elementwise.h"

/* The attributes of every reduction. */
typedef struct sp__reduction {
    unsigned mask; /* bit d: dimension d is reduced */
    bool keepdim;
    double param; /* var, std: the correction; norm: p */
} sp__reduction;

/* Reads the dimensions and options of a call; dims NULL, or without any, means all. Checks x. */
sp_status sp__reduction_of(const char *function, const sp_tensor *x, const sp_dims *dims,
                           const sp_reduce_options *options, sp__reduction *out);
/* A reduction with the options of its caller; dims NULL: all. */
sp_tensor *sp__reduction_apply(const sp_op *op, const char *function, sp_tensor *x, const sp_dims *dims,
                               const sp_reduce_options *options);
/* The same with its attributes: errors name the function. */
sp_tensor *sp__reduction_call(const sp_op *op, const char *function, sp_tensor *x, const sp__reduction *attributes);
/* How many elements make one of the result. */
int64_t sp__reduced_count(const sp__reduction *attributes, sp_dims sizes);

/* In infer: an output of the reduced shape. */
sp_status sp__reduce_infer(sp_call *call, int output, sp_dtype dtype);
/* In infer: the same, in i64 for integers and bool. */
sp_status sp__reduce_infer_widened(sp_call *call);
/* In infer: fails for integers; fails when nothing is there to take the largest of. */
sp_status sp__reduce_needs_floating(sp_call *call);
sp_status sp__reduce_needs_elements(sp_call *call);

/* In forward: the kernel's work, from x to out. */
sp_status sp__reduce_into(sp__reduce_kind kind, sp_tensor *out, const sp_tensor *x, const sp__reduction *attributes);
sp_status sp__reduce_forward(sp_call *call, sp__reduce_kind kind);

/* In backward: a reduced tensor with its lost dimensions back, of size 1, so that it broadcasts to `sizes`. */
sp_tensor *sp__reduce_restore(sp_tensor *x, const sp__reduction *attributes, sp_dims sizes);
/* In backward: Σx over the reduced dimensions, which stay with size 1. */
sp_tensor *sp__reduce_sum(sp_tensor *x, const sp__reduction *attributes);

/* The three public forms of a reduction: name(x), name_dim(x, dim, options), name_dims(x, dims, options). */
#define SP__DEFINE_REDUCTION(name, op_all, op_dims)                                                                    \
    sp_tensor *(name)(sp_tensor * x)                                                                                   \
    {                                                                                                                  \
        return sp__reduction_apply(&op_all, #name, x, NULL, NULL);                                                     \
    }                                                                                                                  \
    SP__DEFINE_REDUCTION_DIM(name##_dim, op_dims)                                                                      \
    sp_tensor *(name##_dims)(sp_tensor * x, sp_dims dims, const sp_reduce_options *options)                            \
    {                                                                                                                  \
        return sp__reduction_apply(&op_dims, #name "_dims", x, &dims, options);                                        \
    }                                                                                                                  \
    _Static_assert(1, "takes the semicolon")
#define SP__DEFINE_REDUCTION_DIM(name, op)                                                                             \
    sp_tensor *(name)(sp_tensor * x, int dim, const sp_reduce_options *options)                                        \
    {                                                                                                                  \
        const int64_t one = dim;                                                                                       \
        return sp__reduction_apply(&op, #name, x, &(sp_dims){&one, 1}, options);                                       \
    }

/* The samples of a reduction: over everything, over one dimension, over several. */
#define SP__REDUCED(function, expression, lengths, no_gradient)                                                        \
    {                                                                                                                  \
        .call = function, .torch = expression, .inputs = {{.shape = lengths}}, .no_grad = no_gradient                  \
    }
#define SP__ALL_CALLS(name) SP__SAMPLE(name##_everything, sp_##name(in[0]))
#define SP__ALL_SAMPLES(name, torch_name, no_gradient)                                                                 \
    SP__REDUCED(name##_everything, torch_name "(a)", "2 3 4", no_gradient),                                            \
        SP__REDUCED(name##_everything, torch_name "(a)", "", no_gradient),                                             \
        SP__REDUCED(name##_everything, torch_name "(a)", "1", no_gradient)
#define SP__DIM_CALLS(name)                                                                                            \
    SP__SAMPLE(name##_first, sp_##name##_dim(in[0], 0));                                                               \
    SP__SAMPLE(name##_kept, sp_##name##_dim(in[0], -1, .keepdim = true))
#define SP__DIM_SAMPLES(name, torch_name, no_gradient)                                                                 \
    SP__REDUCED(name##_first, torch_name "(a, 0)", "3 4", no_gradient),                                                \
        SP__REDUCED(name##_first, torch_name "(a, 0)", "", no_gradient),                                               \
        SP__REDUCED(name##_kept, torch_name "(a, -1, keepdim=True)", "2 3 4", no_gradient),                            \
        SP__REDUCED(name##_kept, torch_name "(a, -1, keepdim=True)", "0 3", no_gradient)
#define SP__DIMS_CALLS(name)                                                                                           \
    SP__SAMPLE(name##_several, sp_##name##_dims(in[0], SP_DIMS(0, -1)));                                               \
    SP__SAMPLE(name##_several_kept, sp_##name##_dims(in[0], SP_DIMS(2, 0), .keepdim = true))
#define SP__DIMS_SAMPLES(name, torch_name, no_gradient)                                                                \
    SP__REDUCED(name##_several, torch_name "(a, dim=(0, -1))", "2 3 4", no_gradient),                                  \
        SP__REDUCED(name##_several_kept, torch_name "(a, dim=(2, 0), keepdim=True)", "2 3 4", no_gradient)

#endif

/* Views. A view shares the memory of its tensor and copies nothing. All follow gradients; dim may be negative, counting
 * from the end. */
#ifndef SPUSK_VIEWS_H
#define SPUSK_VIEWS_H

#include <spusk/tensor.h>

SP_BEGIN

/* The same elements, in the order of their indices, in another shape: sp_view(x, -1, 784), where one size may be -1.
 * Fails where x's strides forbid a view. Images whose channels lie innermost in memory, as a convolution writes them,
 * are copied instead; such a copy cannot be changed in place, for the image would not follow. */
SP_API sp_tensor *sp_view(sp_tensor *x, sp_dims dims);
#define sp_view(x, ...) (sp_view)(x, SP_DIMS(__VA_ARGS__))

/* The same elements in another shape, a view where x's strides allow it, else a copy: sp_reshape(x, 2, -1). */
SP_API sp_tensor *sp_reshape(sp_tensor *x, sp_dims dims);
#define sp_reshape(x, ...) (sp_reshape)(x, SP_DIMS(__VA_ARGS__))

/* The dimensions in another order: dimension i of the result is dimension dims[i] of x. */
SP_API sp_tensor *sp_permute(sp_tensor *x, sp_dims dims);
#define sp_permute(x, ...) (sp_permute)(x, SP_DIMS(__VA_ARGS__))

/* Dimensions dim0 and dim1 exchanged. */
SP_API sp_tensor *sp_transpose(sp_tensor *x, int dim0, int dim1);

/* A matrix transposed, (m, n) → (n, m); a view of x where it has fewer dimensions. Fails where it has more. */
SP_API sp_tensor *sp_t(sp_tensor *x);

/* Slice `index` along dimension dim, which disappears; a negative index counts from the end. Fails on one out of
 * range. */
SP_API sp_tensor *sp_select(sp_tensor *x, int dim, int64_t index);

/* `length` slices along dimension dim from `start` on, which may count from the end. Fails where they reach beyond
 * it. */
SP_API sp_tensor *sp_narrow(sp_tensor *x, int dim, int64_t start, int64_t length);

/* x[start:end:step] along dim, by Python's rules for negative bounds and ones beyond the end; SP_END means the end.
 * Fails unless step > 0. */
SP_API sp_tensor *sp_slice(sp_tensor *x, int dim, int64_t start, int64_t end, int64_t step);

/* Dimensions of size 1 repeated to the sizes dims, without a copy: sp_expand(x, 3, -1), where -1 keeps a size. New
 * dimensions may stand in front. Fails for other sizes that differ. */
SP_API sp_tensor *sp_expand(sp_tensor *x, sp_dims dims);
#define sp_expand(x, ...) (sp_expand)(x, SP_DIMS(__VA_ARGS__))

/* x without its dimensions of size 1. */
SP_API sp_tensor *sp_squeeze(sp_tensor *x);

/* x without dimension dim if that has size 1, else x unchanged. */
SP_API sp_tensor *sp_squeeze_dim(sp_tensor *x, int dim);

/* x with a new dimension of size 1 at dim, -1 being behind the last. */
SP_API sp_tensor *sp_unsqueeze(sp_tensor *x, int dim);

typedef struct sp_flatten_options {
    size_t size;
    int start_dim; /* default 0 */
    int end_dim;   /* default -1, the last; SP_ZERO for dimension 0 */
    SP_OPTIONS_END;
} sp_flatten_options;

/* The dimensions start_dim to end_dim as one; a view where x's strides allow it, else a copy. */
SP_API sp_tensor *sp_flatten(sp_tensor *x, const sp_flatten_options *options SP_OR_NULL);
#define sp_flatten(...) SP__CALL1(sp_flatten, sp_flatten_options, __VA_ARGS__)

/* Dimension dim as several of the sizes dims, one of which may be -1. Fails unless their product is its size. */
SP_API sp_tensor *sp_unflatten(sp_tensor *x, int dim, sp_dims dims);

/* At most `chunks` parts of x along dim, each of ⌈size/chunks⌉ slices, the last perhaps of fewer. */
SP_API sp_list *sp_chunk(sp_tensor *x, int64_t chunks, int dim);

/* Parts of x of `size` slices along dim, the last perhaps of fewer. Fails unless size > 0. */
SP_API sp_list *sp_split(sp_tensor *x, int64_t size, int dim);

/* Parts of x of the sizes given along dim. Fails unless they sum to its size. */
SP_API sp_list *sp_split_sizes(sp_tensor *x, sp_dims sizes, int dim);

/* All slices along dimension dim, which disappears, as a list. */
SP_API sp_list *sp_unbind(sp_tensor *x, int dim);

SP_END_DECLS

#endif

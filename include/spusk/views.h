/* Views. A view shares the memory of its tensor and costs nothing; every function here follows gradients. dim may be
 * negative, counting from the end. */
#ifndef SPUSK_VIEWS_H
#define SPUSK_VIEWS_H

#include <spusk/tensor.h>

SP_BEGIN

/* The same elements, in the order of their indices, in another shape; one size may be -1. A view, but for images whose
 * channels lie innermost in memory (what a convolution gives): these are copied where their strides forbid a view, and
 * such a copy cannot be changed in place, for the image would not follow. Fails when those of another tensor do. */
SP_API sp_tensor *sp_view(sp_tensor *x, sp_dims dims);
#define sp_view(x, ...) (sp_view)(x, SP_DIMS(__VA_ARGS__))
/* The same, copying where the strides forbid a view. */
SP_API sp_tensor *sp_reshape(sp_tensor *x, sp_dims dims);
#define sp_reshape(x, ...) (sp_reshape)(x, SP_DIMS(__VA_ARGS__))
/* The dimensions in another order: result's dimension i is x's dimension dims[i]. */
SP_API sp_tensor *sp_permute(sp_tensor *x, sp_dims dims);
#define sp_permute(x, ...) (sp_permute)(x, SP_DIMS(__VA_ARGS__))
/* Two dimensions exchanged. */
SP_API sp_tensor *sp_transpose(sp_tensor *x, int dim0, int dim1);
/* A matrix transposed; x itself, as a view, with fewer than two dimensions. */
SP_API sp_tensor *sp_t(sp_tensor *x);
/* Slice `index` of dimension dim, which disappears. */
SP_API sp_tensor *sp_select(sp_tensor *x, int dim, int64_t index);
/* `length` entries of dimension dim from start. */
SP_API sp_tensor *sp_narrow(sp_tensor *x, int dim, int64_t start, int64_t length);
/* x[start:end:step] along dim, Python's rules for negative and too large bounds; step > 0; SP_END for the end. */
SP_API sp_tensor *sp_slice(sp_tensor *x, int dim, int64_t start, int64_t end, int64_t step);
/* Dimensions of size 1 repeated to the sizes given, without a copy; -1 keeps a size; new ones may stand in front. */
SP_API sp_tensor *sp_expand(sp_tensor *x, sp_dims dims);
#define sp_expand(x, ...) (sp_expand)(x, SP_DIMS(__VA_ARGS__))
/* Without the dimensions of size 1: all, or dim alone (unchanged when its size is not 1). */
SP_API sp_tensor *sp_squeeze(sp_tensor *x);
SP_API sp_tensor *sp_squeeze_dim(sp_tensor *x, int dim);
/* With a new dimension of size 1 at dim. */
SP_API sp_tensor *sp_unsqueeze(sp_tensor *x, int dim);

typedef struct sp_flatten_options {
    size_t size;
    int start_dim; /* default 0 */
    int end_dim;   /* default -1, the last; SP_ZERO for dimension 0 */
    SP_OPTIONS_END;
} sp_flatten_options;
/* Dimensions start_dim … end_dim as one; a view where possible. */
SP_API sp_tensor *sp_flatten(sp_tensor *x, const sp_flatten_options *options SP_OR_NULL);
#define sp_flatten(...) SP__CALL1(sp_flatten, sp_flatten_options, __VA_ARGS__)
/* Dimension dim as several; one of them may be -1. */
SP_API sp_tensor *sp_unflatten(sp_tensor *x, int dim, sp_dims dims);

/* At most `chunks` views of equal size ceil(size/chunks) along dim, the last perhaps smaller. */
SP_API sp_list *sp_chunk(sp_tensor *x, int64_t chunks, int dim);
/* Views of `size` entries along dim, the last perhaps smaller. */
SP_API sp_list *sp_split(sp_tensor *x, int64_t size, int dim);
/* Views of the sizes given, which must sum to the dimension's size. */
SP_API sp_list *sp_split_sizes(sp_tensor *x, sp_dims sizes, int dim);
/* The slices of dimension dim, which disappears. */
SP_API sp_list *sp_unbind(sp_tensor *x, int dim);

SP_END_DECLS

#endif

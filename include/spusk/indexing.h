/* Gathering, masking and joining. All follow gradients; dim may be negative, counting from the end. */
#ifndef SPUSK_INDEXING_H
#define SPUSK_INDEXING_H

#include <spusk/tensor.h>

SP_BEGIN

/* y[i][j] = x[index[i][j]][j] for dim 0, y[i][j] = x[i][index[i][j]] for dim 1, and so on, in index's shape. index, i64
 * or i32, has as many dimensions as x, and no larger sizes in the others. Fails on an index out of range. */
SP_API sp_tensor *sp_gather(sp_tensor *x, int dim, sp_tensor *index);

/* A copy y of x with y[index[i][j]][j] += src[i][j] for dim 0, and so on: the way back of sp_gather. src has x's dtype
 * and at least index's sizes. Fails on an index out of range. */
SP_API sp_tensor *sp_scatter_add(sp_tensor *x, int dim, sp_tensor *index, sp_tensor *src);

/* The slices of x along dim that index names, i64 or i32, (n) or (): dimension dim of the result has size n. Fails on
 * an index out of range. */
SP_API sp_tensor *sp_index_select(sp_tensor *x, int dim, sp_tensor *index);

/* value where the bool mask is true, else x; x and mask broadcast, and the dtype is x's. Fails where that cannot hold
 * value. */
SP_API sp_tensor *sp_masked_fill(sp_tensor *x, sp_tensor *mask, double value);

/* sp_masked_fill by an integer, exact beyond 2^53. */
SP_API sp_tensor *sp_masked_fill_int(sp_tensor *x, sp_tensor *mask, int64_t value);

/* sp_masked_fill in place: x becomes value where the mask, broadcast to x, is true. Returns x. */
SP_API sp_tensor *sp_masked_fill_(sp_tensor *x, sp_tensor *mask, double value);

/* sp_masked_fill_ by an integer, exact beyond 2^53. */
SP_API sp_tensor *sp_masked_fill_int_(sp_tensor *x, sp_tensor *mask, int64_t value);

/* a where the bool condition is true, else b. All three broadcast; the dtypes of a and b are promoted. */
SP_API sp_tensor *sp_where(sp_tensor *condition, sp_tensor *a, sp_tensor *b);

/* labels (…), i64 → (…, num_classes), i64, with a 1 at each label and zeros elsewhere. A num_classes of -1 means the
 * largest label + 1. Fails on a label out of range. torch.nn.functional.one_hot. */
SP_API sp_tensor *sp_one_hot(sp_tensor *labels, int64_t num_classes);

/* The tensors joined along dim; their other sizes are equal and their dtypes promoted. Tensors of shape (0) are passed
 * over. Fails for an empty list and for 0-d tensors. */
SP_API sp_tensor *sp_cat(const sp_list *list, int dim);

/* The tensors, all of one shape, joined along a new dimension dim; their dtypes are promoted. Fails for an empty
 * list. */
SP_API sp_tensor *sp_stack(const sp_list *list, int dim);

SP_END_DECLS

#endif

/* Gathering, masking and joining. All copy and follow gradients; dim may be negative, counting from the end. */
#ifndef SPUSK_INDEXING_H
#define SPUSK_INDEXING_H

#include <spusk/tensor.h>

SP_BEGIN

/* out[i][j] = x[index[i][j]][j] for dim 0, and so on: index (i64 or i32) has x's number of dimensions and at most its
 * other sizes; the result has index's shape. Fails on an index out of range. */
SP_API sp_tensor *sp_gather(sp_tensor *x, int dim, sp_tensor *index);
/* The inverse: a copy of x with src added at the places that index names. */
SP_API sp_tensor *sp_scatter_add(sp_tensor *x, int dim, sp_tensor *index, sp_tensor *src);
/* The rows (columns, …) of x along dim that the 1-d index names. */
SP_API sp_tensor *sp_index_select(sp_tensor *x, int dim, sp_tensor *index);
/* x with `value` where the bool mask (broadcast to x) is true. */
SP_API sp_tensor *sp_masked_fill(sp_tensor *x, sp_tensor *mask, double value);
SP_API sp_tensor *sp_masked_fill_int(sp_tensor *x, sp_tensor *mask, int64_t value); /* exact beyond 2^53 */
SP_API sp_tensor *sp_masked_fill_(sp_tensor *x, sp_tensor *mask, double value);
SP_API sp_tensor *sp_masked_fill_int_(sp_tensor *x, sp_tensor *mask, int64_t value);
/* a where the bool condition is true, else b; all three broadcast; dtypes of a and b promoted. */
SP_API sp_tensor *sp_where(sp_tensor *condition, sp_tensor *a, sp_tensor *b);
/* i64 labels (…) → i64 (…, num_classes) with a 1 at each label. num_classes -1: the largest label + 1. */
SP_API sp_tensor *sp_one_hot(sp_tensor *labels, int64_t num_classes);

/* The tensors joined along dim; all other sizes equal; dtypes promoted. Tensors of shape (0) are passed over. */
SP_API sp_tensor *sp_cat(const sp_list *list, int dim);
/* The tensors, all of one shape, joined along a new dimension dim. */
SP_API sp_tensor *sp_stack(const sp_list *list, int dim);

SP_END_DECLS

#endif

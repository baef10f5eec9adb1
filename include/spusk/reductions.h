/* Reductions: over everything (sp_sum), over one dimension (sp_sum_dim), over several (sp_sum_dims). A reduced
 * dimension disappears, or stays with size 1 by `.keepdim`. dim may be negative, counting from the end; an empty list
 * of dimensions means all. All follow gradients but any, all, argmax and argmin. */
#ifndef SPUSK_REDUCTIONS_H
#define SPUSK_REDUCTIONS_H

#include <spusk/tensor.h>

SP_BEGIN

typedef struct sp_reduce_options {
    size_t size;
    bool keepdim; /* reduced dimensions stay, with size 1 */
    bool biased;  /* var, std: divide by n, not n - 1 */
    double p;     /* norm: default 2; SP_ZERO counts non-zeros; INFINITY the largest magnitude */
    SP_OPTIONS_END;
} sp_reduce_options;

/* Σx over all elements. Integers and bool are added in i64, floats in f64; of f64 what roundings lose is kept. The
 * error is at most four roundings of Σ|x|, however many elements there are. */
SP_API sp_tensor *sp_sum(sp_tensor *x);

/* Σx over dimension dim, with the dtypes and the precision of sp_sum. */
SP_API sp_tensor *sp_sum_dim(sp_tensor *x, int dim, const sp_reduce_options *options SP_OR_NULL);
#define sp_sum_dim(...) SP__CALL2(sp_sum_dim, sp_reduce_options, __VA_ARGS__)

/* Σx over several dimensions, with the dtypes and the precision of sp_sum. */
SP_API sp_tensor *sp_sum_dims(sp_tensor *x, sp_dims dims, const sp_reduce_options *options SP_OR_NULL);
#define sp_sum_dims(...) SP__CALL2(sp_sum_dims, sp_reduce_options, __VA_ARGS__)

/* Σx/n over all n elements, added as in sp_sum. Floating point; NaN where there are none. */
SP_API sp_tensor *sp_mean(sp_tensor *x);

/* Σx/n over dimension dim, as sp_mean. */
SP_API sp_tensor *sp_mean_dim(sp_tensor *x, int dim, const sp_reduce_options *options SP_OR_NULL);
#define sp_mean_dim(...) SP__CALL2(sp_mean_dim, sp_reduce_options, __VA_ARGS__)

/* Σx/n over several dimensions, as sp_mean. */
SP_API sp_tensor *sp_mean_dims(sp_tensor *x, sp_dims dims, const sp_reduce_options *options SP_OR_NULL);
#define sp_mean_dims(...) SP__CALL2(sp_mean_dims, sp_reduce_options, __VA_ARGS__)

/* Πx over all elements. Integers and bool are multiplied in i64. */
SP_API sp_tensor *sp_prod(sp_tensor *x);

/* Πx over dimension dim, with the dtypes of sp_prod. */
SP_API sp_tensor *sp_prod_dim(sp_tensor *x, int dim, const sp_reduce_options *options SP_OR_NULL);
#define sp_prod_dim(...) SP__CALL2(sp_prod_dim, sp_reduce_options, __VA_ARGS__)

/* The largest of all elements; NaN wins. Equal ones share the gradient. Fails where there are none. */
SP_API sp_tensor *sp_amax(sp_tensor *x);

/* The largest over dimension dim; NaN wins. Equal ones share the gradient. Fails where its size is 0. */
SP_API sp_tensor *sp_amax_dim(sp_tensor *x, int dim, const sp_reduce_options *options SP_OR_NULL);
#define sp_amax_dim(...) SP__CALL2(sp_amax_dim, sp_reduce_options, __VA_ARGS__)

/* The largest over several dimensions; NaN wins. Equal ones share the gradient. Fails where a size is 0. */
SP_API sp_tensor *sp_amax_dims(sp_tensor *x, sp_dims dims, const sp_reduce_options *options SP_OR_NULL);
#define sp_amax_dims(...) SP__CALL2(sp_amax_dims, sp_reduce_options, __VA_ARGS__)

/* The smallest of all elements; NaN wins. Equal ones share the gradient. Fails where there are none. */
SP_API sp_tensor *sp_amin(sp_tensor *x);

/* The smallest over dimension dim; NaN wins. Equal ones share the gradient. Fails where its size is 0. */
SP_API sp_tensor *sp_amin_dim(sp_tensor *x, int dim, const sp_reduce_options *options SP_OR_NULL);
#define sp_amin_dim(...) SP__CALL2(sp_amin_dim, sp_reduce_options, __VA_ARGS__)

/* The smallest over several dimensions; NaN wins. Equal ones share the gradient. Fails where a size is 0. */
SP_API sp_tensor *sp_amin_dims(sp_tensor *x, sp_dims dims, const sp_reduce_options *options SP_OR_NULL);
#define sp_amin_dims(...) SP__CALL2(sp_amin_dims, sp_reduce_options, __VA_ARGS__)

/* Σ(x - mean)²/(n - 1) over all n elements. Floating point; NaN for fewer than two. */
SP_API sp_tensor *sp_var(sp_tensor *x);

/* Σ(x - mean)²/(n - 1) over dimension dim, or /n with `.biased`. Floating point. */
SP_API sp_tensor *sp_var_dim(sp_tensor *x, int dim, const sp_reduce_options *options SP_OR_NULL);
#define sp_var_dim(...) SP__CALL2(sp_var_dim, sp_reduce_options, __VA_ARGS__)

/* Σ(x - mean)²/(n - 1) over several dimensions, or /n with `.biased`. Floating point. */
SP_API sp_tensor *sp_var_dims(sp_tensor *x, sp_dims dims, const sp_reduce_options *options SP_OR_NULL);
#define sp_var_dims(...) SP__CALL2(sp_var_dims, sp_reduce_options, __VA_ARGS__)

/* √(Σ(x - mean)²/(n - 1)) over all n elements. Floating point; NaN for fewer than two. */
SP_API sp_tensor *sp_std(sp_tensor *x);

/* √(Σ(x - mean)²/(n - 1)) over dimension dim, or /n with `.biased`. Floating point. */
SP_API sp_tensor *sp_std_dim(sp_tensor *x, int dim, const sp_reduce_options *options SP_OR_NULL);
#define sp_std_dim(...) SP__CALL2(sp_std_dim, sp_reduce_options, __VA_ARGS__)

/* √(Σ(x - mean)²/(n - 1)) over several dimensions, or /n with `.biased`. Floating point. */
SP_API sp_tensor *sp_std_dims(sp_tensor *x, sp_dims dims, const sp_reduce_options *options SP_OR_NULL);
#define sp_std_dims(...) SP__CALL2(sp_std_dims, sp_reduce_options, __VA_ARGS__)

/* (Σ|x|^p)^(1/p) over all elements; p is 2 by default. Floating point. */
SP_API sp_tensor *sp_norm(sp_tensor *x, const sp_reduce_options *options SP_OR_NULL);
#define sp_norm(...) SP__CALL1(sp_norm, sp_reduce_options, __VA_ARGS__)

/* (Σ|x|^p)^(1/p) over dimension dim; p is 2 by default. Floating point. */
SP_API sp_tensor *sp_norm_dim(sp_tensor *x, int dim, const sp_reduce_options *options SP_OR_NULL);
#define sp_norm_dim(...) SP__CALL2(sp_norm_dim, sp_reduce_options, __VA_ARGS__)

/* (Σ|x|^p)^(1/p) over several dimensions; p is 2 by default. Floating point. */
SP_API sp_tensor *sp_norm_dims(sp_tensor *x, sp_dims dims, const sp_reduce_options *options SP_OR_NULL);
#define sp_norm_dims(...) SP__CALL2(sp_norm_dims, sp_reduce_options, __VA_ARGS__)

/* ln Σe^x over all elements, without overflow. Integers become f32. */
SP_API sp_tensor *sp_logsumexp(sp_tensor *x);

/* ln Σe^x over dimension dim, without overflow. Integers become f32. */
SP_API sp_tensor *sp_logsumexp_dim(sp_tensor *x, int dim, const sp_reduce_options *options SP_OR_NULL);
#define sp_logsumexp_dim(...) SP__CALL2(sp_logsumexp_dim, sp_reduce_options, __VA_ARGS__)

/* ln Σe^x over several dimensions, without overflow. Integers become f32. */
SP_API sp_tensor *sp_logsumexp_dims(sp_tensor *x, sp_dims dims, const sp_reduce_options *options SP_OR_NULL);
#define sp_logsumexp_dims(...) SP__CALL2(sp_logsumexp_dims, sp_reduce_options, __VA_ARGS__)

/* Whether any element is not 0, as bool. */
SP_API sp_tensor *sp_any(sp_tensor *x);

/* Whether any element over dimension dim is not 0, as bool. */
SP_API sp_tensor *sp_any_dim(sp_tensor *x, int dim, const sp_reduce_options *options SP_OR_NULL);
#define sp_any_dim(...) SP__CALL2(sp_any_dim, sp_reduce_options, __VA_ARGS__)

/* Whether any element over several dimensions is not 0, as bool. */
SP_API sp_tensor *sp_any_dims(sp_tensor *x, sp_dims dims, const sp_reduce_options *options SP_OR_NULL);
#define sp_any_dims(...) SP__CALL2(sp_any_dims, sp_reduce_options, __VA_ARGS__)

/* Whether no element is 0, as bool. */
SP_API sp_tensor *sp_all(sp_tensor *x);

/* Whether no element over dimension dim is 0, as bool. */
SP_API sp_tensor *sp_all_dim(sp_tensor *x, int dim, const sp_reduce_options *options SP_OR_NULL);
#define sp_all_dim(...) SP__CALL2(sp_all_dim, sp_reduce_options, __VA_ARGS__)

/* Whether no element over several dimensions is 0, as bool. */
SP_API sp_tensor *sp_all_dims(sp_tensor *x, sp_dims dims, const sp_reduce_options *options SP_OR_NULL);
#define sp_all_dims(...) SP__CALL2(sp_all_dims, sp_reduce_options, __VA_ARGS__)

/* Values and where they stand, i64. Both NULL after an error. */
typedef struct sp_values_indices {
    sp_tensor *values, *indices;
} sp_values_indices;

/* The largest of all elements; NaN wins. Equal ones share the gradient. Fails where there are none. As sp_amax. */
SP_API sp_tensor *sp_max(sp_tensor *x);

/* The smallest of all elements; NaN wins. Equal ones share the gradient. Fails where there are none. As sp_amin. */
SP_API sp_tensor *sp_min(sp_tensor *x);

/* The largest along dimension dim and its first index; NaN wins. The gradient goes to that element. Fails where the
 * size is 0. */
SP_API sp_values_indices sp_max_dim(sp_tensor *x, int dim, const sp_reduce_options *options SP_OR_NULL);
#define sp_max_dim(...) SP__CALL2(sp_max_dim, sp_reduce_options, __VA_ARGS__)

/* The smallest along dimension dim and its first index; NaN wins. The gradient goes to that element. Fails where the
 * size is 0. */
SP_API sp_values_indices sp_min_dim(sp_tensor *x, int dim, const sp_reduce_options *options SP_OR_NULL);
#define sp_min_dim(...) SP__CALL2(sp_min_dim, sp_reduce_options, __VA_ARGS__)

/* The first index of the largest element in the flattened x, i64 (). Fails where there are none, and for bool. */
SP_API sp_tensor *sp_argmax(sp_tensor *x);

/* The first index of the largest along dimension dim, i64. Fails where the size is 0, and for bool. */
SP_API sp_tensor *sp_argmax_dim(sp_tensor *x, int dim, const sp_reduce_options *options SP_OR_NULL);
#define sp_argmax_dim(...) SP__CALL2(sp_argmax_dim, sp_reduce_options, __VA_ARGS__)

/* The first index of the smallest element in the flattened x, i64 (). Fails where there are none, and for bool. */
SP_API sp_tensor *sp_argmin(sp_tensor *x);

/* The first index of the smallest along dimension dim, i64. Fails where the size is 0, and for bool. */
SP_API sp_tensor *sp_argmin_dim(sp_tensor *x, int dim, const sp_reduce_options *options SP_OR_NULL);
#define sp_argmin_dim(...) SP__CALL2(sp_argmin_dim, sp_reduce_options, __VA_ARGS__)

/* Running sums along dim: y[i] = x[0] + … + x[i], in x's shape. Integers and bool are added in i64. */
SP_API sp_tensor *sp_cumsum(sp_tensor *x, int dim);

SP_END_DECLS

#endif

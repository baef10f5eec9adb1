/* Reductions: over everything, over one dimension (_dim), over several (_dims). */
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

#define SP__REDUCTION(name)                                                                                            \
    SP_API sp_tensor *name##_dim(sp_tensor *x, int dim, const sp_reduce_options *options SP_OR_NULL);                  \
    SP_API sp_tensor *name##_dims(sp_tensor *x, sp_dims dims, const sp_reduce_options *options SP_OR_NULL)

/* Σx; integers and bool sum in i64. Floats are added in f64, f64 with what its roundings lose kept: the error is at
 * most four roundings of Σ|x|, however many there are. As are means. */
SP_API sp_tensor *sp_sum(sp_tensor *x);
SP__REDUCTION(sp_sum);
#define sp_sum_dim(...) SP__CALL2(sp_sum_dim, sp_reduce_options, __VA_ARGS__)
#define sp_sum_dims(...) SP__CALL2(sp_sum_dims, sp_reduce_options, __VA_ARGS__)
SP_API sp_tensor *sp_mean(sp_tensor *x); /* Σx/n; floating point */
SP__REDUCTION(sp_mean);
#define sp_mean_dim(...) SP__CALL2(sp_mean_dim, sp_reduce_options, __VA_ARGS__)
#define sp_mean_dims(...) SP__CALL2(sp_mean_dims, sp_reduce_options, __VA_ARGS__)
SP_API sp_tensor *sp_prod(sp_tensor *x); /* Πx; over one dimension or all */
SP_API sp_tensor *sp_prod_dim(sp_tensor *x, int dim, const sp_reduce_options *options SP_OR_NULL);
#define sp_prod_dim(...) SP__CALL2(sp_prod_dim, sp_reduce_options, __VA_ARGS__)
SP_API sp_tensor *sp_amax(sp_tensor *x); /* the largest; ties share the gradient */
SP__REDUCTION(sp_amax);
#define sp_amax_dim(...) SP__CALL2(sp_amax_dim, sp_reduce_options, __VA_ARGS__)
#define sp_amax_dims(...) SP__CALL2(sp_amax_dims, sp_reduce_options, __VA_ARGS__)
SP_API sp_tensor *sp_amin(sp_tensor *x); /* the smallest; ties share the gradient */
SP__REDUCTION(sp_amin);
#define sp_amin_dim(...) SP__CALL2(sp_amin_dim, sp_reduce_options, __VA_ARGS__)
#define sp_amin_dims(...) SP__CALL2(sp_amin_dims, sp_reduce_options, __VA_ARGS__)
SP_API sp_tensor *sp_var(sp_tensor *x); /* Σ(x - mean)²/(n - 1) */
SP__REDUCTION(sp_var);
#define sp_var_dim(...) SP__CALL2(sp_var_dim, sp_reduce_options, __VA_ARGS__)
#define sp_var_dims(...) SP__CALL2(sp_var_dims, sp_reduce_options, __VA_ARGS__)
SP_API sp_tensor *sp_std(sp_tensor *x); /* √var */
SP__REDUCTION(sp_std);
#define sp_std_dim(...) SP__CALL2(sp_std_dim, sp_reduce_options, __VA_ARGS__)
#define sp_std_dims(...) SP__CALL2(sp_std_dims, sp_reduce_options, __VA_ARGS__)
SP_API sp_tensor *sp_norm(sp_tensor *x, const sp_reduce_options *options SP_OR_NULL); /* (Σ|x|^p)^(1/p) */
#define sp_norm(...) SP__CALL1(sp_norm, sp_reduce_options, __VA_ARGS__)
SP__REDUCTION(sp_norm);
#define sp_norm_dim(...) SP__CALL2(sp_norm_dim, sp_reduce_options, __VA_ARGS__)
#define sp_norm_dims(...) SP__CALL2(sp_norm_dims, sp_reduce_options, __VA_ARGS__)
SP_API sp_tensor *sp_logsumexp(sp_tensor *x); /* ln Σe^x, without overflow */
SP__REDUCTION(sp_logsumexp);
#define sp_logsumexp_dim(...) SP__CALL2(sp_logsumexp_dim, sp_reduce_options, __VA_ARGS__)
#define sp_logsumexp_dims(...) SP__CALL2(sp_logsumexp_dims, sp_reduce_options, __VA_ARGS__)
SP_API sp_tensor *sp_any(sp_tensor *x); /* whether any element is not 0; bool */
SP__REDUCTION(sp_any);
#define sp_any_dim(...) SP__CALL2(sp_any_dim, sp_reduce_options, __VA_ARGS__)
#define sp_any_dims(...) SP__CALL2(sp_any_dims, sp_reduce_options, __VA_ARGS__)
SP_API sp_tensor *sp_all(sp_tensor *x); /* whether all are; bool */
SP__REDUCTION(sp_all);
#define sp_all_dim(...) SP__CALL2(sp_all_dim, sp_reduce_options, __VA_ARGS__)
#define sp_all_dims(...) SP__CALL2(sp_all_dims, sp_reduce_options, __VA_ARGS__)

/* Values and where they stand (i64). Both NULL after an error. */
typedef struct sp_values_indices {
    sp_tensor *values, *indices;
} sp_values_indices;
SP_API sp_tensor *sp_max(sp_tensor *x); /* the largest of all; ties share the gradient */
SP_API sp_tensor *sp_min(sp_tensor *x);
/* The largest (smallest) along dim and its first index; the gradient goes to that one. */
SP_API sp_values_indices sp_max_dim(sp_tensor *x, int dim, const sp_reduce_options *options SP_OR_NULL);
#define sp_max_dim(...) SP__CALL2(sp_max_dim, sp_reduce_options, __VA_ARGS__)
SP_API sp_values_indices sp_min_dim(sp_tensor *x, int dim, const sp_reduce_options *options SP_OR_NULL);
#define sp_min_dim(...) SP__CALL2(sp_min_dim, sp_reduce_options, __VA_ARGS__)
/* The first index of the largest (smallest): of x flattened, or along dim. i64. */
SP_API sp_tensor *sp_argmax(sp_tensor *x);
SP_API sp_tensor *sp_argmax_dim(sp_tensor *x, int dim, const sp_reduce_options *options SP_OR_NULL);
#define sp_argmax_dim(...) SP__CALL2(sp_argmax_dim, sp_reduce_options, __VA_ARGS__)
SP_API sp_tensor *sp_argmin(sp_tensor *x);
SP_API sp_tensor *sp_argmin_dim(sp_tensor *x, int dim, const sp_reduce_options *options SP_OR_NULL);
#define sp_argmin_dim(...) SP__CALL2(sp_argmin_dim, sp_reduce_options, __VA_ARGS__)
/* Running sums along dim. */
SP_API sp_tensor *sp_cumsum(sp_tensor *x, int dim);

SP_END_DECLS

#endif

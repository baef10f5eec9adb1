/* Operators. All broadcast as PyTorch's, promote dtypes by its rules, and follow gradients (of gradients) where the
 * mathematics has them. A name that ends in _ changes its first argument in place and returns it. */
#ifndef SPUSK_POINTWISE_H
#define SPUSK_POINTWISE_H

#include <spusk/operands.h>
#include <spusk/views.h>

SP_BEGIN

/* ---- unary, element by element; integers become f32 where the result is not whole ---- */

SP_API sp_tensor *sp_neg(sp_tensor *x);         /* -x */
SP_API sp_tensor *sp_abs(sp_tensor *x);         /* |x| */
SP_API sp_tensor *sp_sign(sp_tensor *x);        /* -1, 0 or 1 */
SP_API sp_tensor *sp_exp(sp_tensor *x);         /* e^x */
SP_API sp_tensor *sp_expm1(sp_tensor *x);       /* e^x - 1, exact near 0 */
SP_API sp_tensor *sp_log(sp_tensor *x);         /* ln x */
SP_API sp_tensor *sp_log1p(sp_tensor *x);       /* ln(1 + x), exact near 0 */
SP_API sp_tensor *sp_sqrt(sp_tensor *x);        /* √x */
SP_API sp_tensor *sp_rsqrt(sp_tensor *x);       /* 1/√x */
SP_API sp_tensor *sp_reciprocal(sp_tensor *x);  /* 1/x */
SP_API sp_tensor *sp_square(sp_tensor *x);      /* x² */
SP_API sp_tensor *sp_sin(sp_tensor *x);         /* sin x, radians */
SP_API sp_tensor *sp_cos(sp_tensor *x);         /* cos x, radians */
SP_API sp_tensor *sp_tanh(sp_tensor *x);        /* tanh x */
SP_API sp_tensor *sp_sigmoid(sp_tensor *x);     /* 1/(1 + e^-x) */
SP_API sp_tensor *sp_relu(sp_tensor *x);        /* max(x, 0) */
SP_API sp_tensor *sp_silu(sp_tensor *x);        /* x·sigmoid(x) */
SP_API sp_tensor *sp_floor(sp_tensor *x);       /* largest whole number ≤ x */
SP_API sp_tensor *sp_ceil(sp_tensor *x);        /* smallest whole number ≥ x */
SP_API sp_tensor *sp_round(sp_tensor *x);       /* nearest whole number, halves to even */
SP_API sp_tensor *sp_logical_not(sp_tensor *x); /* x == 0, bool */
SP_API sp_tensor *sp_isnan(sp_tensor *x);       /* bool */
SP_API sp_tensor *sp_isinf(sp_tensor *x);       /* bool */
SP_API sp_tensor *sp_isfinite(sp_tensor *x);    /* bool */

typedef struct sp_softplus_options {
    size_t size;
    double beta;      /* default 1 */
    double threshold; /* default 20: linear above threshold/beta */
    SP_OPTIONS_END;
} sp_softplus_options;
/* ln(1 + e^(βx))/β */
SP_API sp_tensor *sp_softplus(sp_tensor *x, const sp_softplus_options *options SP_OR_NULL);
#define sp_softplus(...) SP__CALL1(sp_softplus, sp_softplus_options, __VA_ARGS__)

typedef struct sp_leaky_relu_options {
    size_t size;
    double negative_slope; /* default 0.01 */
    SP_OPTIONS_END;
} sp_leaky_relu_options;
/* x for x > 0, else negative_slope·x */
SP_API sp_tensor *sp_leaky_relu(sp_tensor *x, const sp_leaky_relu_options *options SP_OR_NULL);
#define sp_leaky_relu(...) SP__CALL1(sp_leaky_relu, sp_leaky_relu_options, __VA_ARGS__)

typedef struct sp_elu_options {
    size_t size;
    double alpha; /* default 1 */
    SP_OPTIONS_END;
} sp_elu_options;
/* x for x > 0, else α(e^x - 1) */
SP_API sp_tensor *sp_elu(sp_tensor *x, const sp_elu_options *options SP_OR_NULL);
#define sp_elu(...) SP__CALL1(sp_elu, sp_elu_options, __VA_ARGS__)

typedef struct sp_gelu_options {
    size_t size;
    bool tanh; /* the approximation 0.5x(1 + tanh(√(2/π)(x + 0.044715x³))) instead of x·Φ(x) */
    SP_OPTIONS_END;
} sp_gelu_options;
/* x·Φ(x), Φ the normal distribution function. Hendrycks and Gimpel, arXiv:1606.08415. */
SP_API sp_tensor *sp_gelu(sp_tensor *x, const sp_gelu_options *options SP_OR_NULL);
#define sp_gelu(...) SP__CALL1(sp_gelu, sp_gelu_options, __VA_ARGS__)

/* min(max(x, low), high); one bound alone. A bound of NaN makes all NaN. Bounds are doubles: for integers beyond 2^53
 * there are sp_maximum and sp_minimum with sp_scalar_i64(bound). */
SP_API sp_tensor *sp_clamp(sp_tensor *x, double low, double high);
SP_API sp_tensor *sp_clamp_min(sp_tensor *x, double low);
SP_API sp_tensor *sp_clamp_max(sp_tensor *x, double high);

/* ---- binary ---- */

SP_API sp_tensor *sp_add(sp_tensor *a, sp_tensor *b);     /* a + b; or, for bool */
SP_API sp_tensor *sp_sub(sp_tensor *a, sp_tensor *b);     /* a - b; not for bool */
SP_API sp_tensor *sp_mul(sp_tensor *a, sp_tensor *b);     /* a·b; and, for bool */
SP_API sp_tensor *sp_div(sp_tensor *a, sp_tensor *b);     /* a/b; integers become f32 */
SP_API sp_tensor *sp_pow(sp_tensor *a, sp_tensor *b);     /* a^b; integers stay integers, b ≥ 0 */
SP_API sp_tensor *sp_maximum(sp_tensor *a, sp_tensor *b); /* the larger; NaN wins; a tie halves the gradient */
SP_API sp_tensor *sp_minimum(sp_tensor *a, sp_tensor *b); /* the smaller; likewise */
SP_API sp_tensor *sp_lerp(sp_tensor *a, sp_tensor *b, double weight); /* a + weight·(b - a) */
SP_API sp_tensor *sp_lerp_tensor(sp_tensor *a, sp_tensor *b, sp_tensor *weight);

/* With a number: _scalar as Python's float, _int as Python's int in promotion. */
SP_API sp_tensor *sp_add_scalar(sp_tensor *x, double value);
SP_API sp_tensor *sp_add_int(sp_tensor *x, int64_t value);
SP_API sp_tensor *sp_sub_scalar(sp_tensor *x, double value);
SP_API sp_tensor *sp_sub_int(sp_tensor *x, int64_t value);
SP_API sp_tensor *sp_rsub_scalar(sp_tensor *x, double value); /* value - x */
SP_API sp_tensor *sp_rsub_int(sp_tensor *x, int64_t value);
SP_API sp_tensor *sp_mul_scalar(sp_tensor *x, double value);
SP_API sp_tensor *sp_mul_int(sp_tensor *x, int64_t value);
SP_API sp_tensor *sp_div_scalar(sp_tensor *x, double value);
SP_API sp_tensor *sp_div_int(sp_tensor *x, int64_t value);
SP_API sp_tensor *sp_pow_scalar(sp_tensor *x, double exponent);
SP_API sp_tensor *sp_pow_int(sp_tensor *x, int64_t exponent);

/* Comparisons: bool tensors, no gradient. */
SP_API sp_tensor *sp_eq(sp_tensor *a, sp_tensor *b);
SP_API sp_tensor *sp_ne(sp_tensor *a, sp_tensor *b);
SP_API sp_tensor *sp_lt(sp_tensor *a, sp_tensor *b);
SP_API sp_tensor *sp_le(sp_tensor *a, sp_tensor *b);
SP_API sp_tensor *sp_gt(sp_tensor *a, sp_tensor *b);
SP_API sp_tensor *sp_ge(sp_tensor *a, sp_tensor *b);
SP_API sp_tensor *sp_eq_scalar(sp_tensor *x, double value);
SP_API sp_tensor *sp_ne_scalar(sp_tensor *x, double value);
SP_API sp_tensor *sp_lt_scalar(sp_tensor *x, double value);
SP_API sp_tensor *sp_le_scalar(sp_tensor *x, double value);
SP_API sp_tensor *sp_gt_scalar(sp_tensor *x, double value);
SP_API sp_tensor *sp_ge_scalar(sp_tensor *x, double value);
SP_API sp_tensor *sp_eq_int(sp_tensor *x, int64_t value);
SP_API sp_tensor *sp_ne_int(sp_tensor *x, int64_t value);
SP_API sp_tensor *sp_lt_int(sp_tensor *x, int64_t value);
SP_API sp_tensor *sp_le_int(sp_tensor *x, int64_t value);
SP_API sp_tensor *sp_gt_int(sp_tensor *x, int64_t value);
SP_API sp_tensor *sp_ge_int(sp_tensor *x, int64_t value);
SP_API sp_tensor *sp_logical_and(sp_tensor *a, sp_tensor *b);
SP_API sp_tensor *sp_logical_or(sp_tensor *a, sp_tensor *b);
SP_API sp_tensor *sp_logical_xor(sp_tensor *a, sp_tensor *b);

typedef struct sp_allclose_options {
    size_t size;
    double rtol; /* default 1e-5 */
    double atol; /* default 1e-8 */
    bool equal_nan;
    SP_OPTIONS_END;
} sp_allclose_options;
/* Whether |a - b| ≤ atol + rtol·|b| everywhere; false and an error for shapes or dtypes that differ, and for negative
 * tolerances. */
SP_API bool sp_allclose(sp_tensor *a, sp_tensor *b, const sp_allclose_options *options SP_OR_NULL);
#define sp_allclose(...) SP__CALL2(sp_allclose, sp_allclose_options, __VA_ARGS__)
/* Whether shapes, dtypes and all values are the same. */
SP_API bool sp_equal(sp_tensor *a, sp_tensor *b);

/* ---- in place ---- */

SP_API sp_tensor *sp_add_(sp_tensor *x, sp_tensor *y);
SP_API sp_tensor *sp_sub_(sp_tensor *x, sp_tensor *y);
SP_API sp_tensor *sp_mul_(sp_tensor *x, sp_tensor *y);
SP_API sp_tensor *sp_div_(sp_tensor *x, sp_tensor *y);
SP_API sp_tensor *sp_add_scalar_(sp_tensor *x, double value);
SP_API sp_tensor *sp_add_int_(sp_tensor *x, int64_t value);
SP_API sp_tensor *sp_sub_scalar_(sp_tensor *x, double value);
SP_API sp_tensor *sp_sub_int_(sp_tensor *x, int64_t value);
SP_API sp_tensor *sp_mul_scalar_(sp_tensor *x, double value);
SP_API sp_tensor *sp_mul_int_(sp_tensor *x, int64_t value);
SP_API sp_tensor *sp_div_scalar_(sp_tensor *x, double value);
SP_API sp_tensor *sp_div_int_(sp_tensor *x, int64_t value);
SP_API sp_tensor *sp_pow_scalar_(sp_tensor *x, double exponent);
SP_API sp_tensor *sp_pow_int_(sp_tensor *x, int64_t exponent);
SP_API sp_tensor *sp_neg_(sp_tensor *x);
SP_API sp_tensor *sp_exp_(sp_tensor *x);
SP_API sp_tensor *sp_log_(sp_tensor *x);
SP_API sp_tensor *sp_sqrt_(sp_tensor *x);
SP_API sp_tensor *sp_tanh_(sp_tensor *x);
SP_API sp_tensor *sp_sigmoid_(sp_tensor *x);
SP_API sp_tensor *sp_relu_(sp_tensor *x);
SP_API sp_tensor *sp_clamp_(sp_tensor *x, double low, double high);
SP_API sp_tensor *sp_lerp_(sp_tensor *x, sp_tensor *end, double weight);
SP_API sp_tensor *sp_masked_fill_(sp_tensor *x, sp_tensor *mask, double value);
SP_API sp_tensor *sp_masked_fill_int_(sp_tensor *x, sp_tensor *mask, int64_t value);
SP_API sp_tensor *sp_copy_(sp_tensor *x, sp_tensor *source); /* x's values become source's, broadcast and cast */
SP_API sp_tensor *sp_fill_(sp_tensor *x, double value);
SP_API sp_tensor *sp_fill_int_(sp_tensor *x, int64_t value); /* exact beyond 2^53 */
SP_API sp_tensor *sp_zero_(sp_tensor *x);
/* x += value·a·b; x += value·a/b. */
SP_API sp_tensor *sp_addcmul_(sp_tensor *x, sp_tensor *a, sp_tensor *b, double value);
SP_API sp_tensor *sp_addcdiv_(sp_tensor *x, sp_tensor *a, sp_tensor *b, double value);
/* Fresh random values from the thread's default generator: uniform in [low, high), below high as x's dtype has it;
 * normal. Floating point. */
SP_API sp_tensor *sp_uniform_(sp_tensor *x, double low, double high);
SP_API sp_tensor *sp_normal_(sp_tensor *x, double mean, double std);

/* ---- a number in the place of a tensor ---- */

/* An error of the compiler, which names the call for a number. In C++ it is one anyway. */
#ifndef __cplusplus
#define sp__a_number_needs_sp_add_scalar(x) SP__POINTER(x)
#define sp__a_number_needs_sp_rsub_scalar(x) SP__POINTER(x)
#define sp__a_number_needs_sp_sub_scalar(x) SP__POINTER(x)
#define sp__a_number_needs_sp_mul_scalar(x) SP__POINTER(x)
#define sp__a_number_needs_sp_scalar(x) SP__POINTER(x)
#define sp__a_number_needs_sp_div_scalar(x) SP__POINTER(x)
#define sp__a_number_needs_sp_pow_scalar(x) SP__POINTER(x)
#define sp__a_number_needs_sp_clamp_min(x) SP__POINTER(x)
#define sp__a_number_needs_sp_clamp_max(x) SP__POINTER(x)
#define sp__a_number_needs_sp_eq_scalar(x) SP__POINTER(x)
#define sp__a_number_needs_sp_ne_scalar(x) SP__POINTER(x)
#define sp__a_number_needs_sp_lt_scalar(x) SP__POINTER(x)
#define sp__a_number_needs_sp_le_scalar(x) SP__POINTER(x)
#define sp__a_number_needs_sp_gt_scalar(x) SP__POINTER(x)
#define sp__a_number_needs_sp_ge_scalar(x) SP__POINTER(x)
#define sp__a_number_needs_sp_add_scalar_(x) SP__POINTER(x)
#define sp__a_number_needs_sp_sub_scalar_(x) SP__POINTER(x)
#define sp__a_number_needs_sp_mul_scalar_(x) SP__POINTER(x)
#define sp__a_number_needs_sp_div_scalar_(x) SP__POINTER(x)
#define sp__a_number_needs_sp_fill_(x) SP__POINTER(x)
#define sp_add(a, b) (sp_add)(sp__a_number_needs_sp_add_scalar(a), sp__a_number_needs_sp_add_scalar(b))
#define sp_sub(a, b) (sp_sub)(sp__a_number_needs_sp_rsub_scalar(a), sp__a_number_needs_sp_sub_scalar(b))
#define sp_mul(a, b) (sp_mul)(sp__a_number_needs_sp_mul_scalar(a), sp__a_number_needs_sp_mul_scalar(b))
#define sp_div(a, b) (sp_div)(sp__a_number_needs_sp_scalar(a), sp__a_number_needs_sp_div_scalar(b))
#define sp_pow(a, b) (sp_pow)(sp__a_number_needs_sp_scalar(a), sp__a_number_needs_sp_pow_scalar(b))
#define sp_maximum(a, b) (sp_maximum)(sp__a_number_needs_sp_clamp_min(a), sp__a_number_needs_sp_clamp_min(b))
#define sp_minimum(a, b) (sp_minimum)(sp__a_number_needs_sp_clamp_max(a), sp__a_number_needs_sp_clamp_max(b))
#define sp_eq(a, b) (sp_eq)(sp__a_number_needs_sp_scalar(a), sp__a_number_needs_sp_eq_scalar(b))
#define sp_ne(a, b) (sp_ne)(sp__a_number_needs_sp_scalar(a), sp__a_number_needs_sp_ne_scalar(b))
#define sp_lt(a, b) (sp_lt)(sp__a_number_needs_sp_scalar(a), sp__a_number_needs_sp_lt_scalar(b))
#define sp_le(a, b) (sp_le)(sp__a_number_needs_sp_scalar(a), sp__a_number_needs_sp_le_scalar(b))
#define sp_gt(a, b) (sp_gt)(sp__a_number_needs_sp_scalar(a), sp__a_number_needs_sp_gt_scalar(b))
#define sp_ge(a, b) (sp_ge)(sp__a_number_needs_sp_scalar(a), sp__a_number_needs_sp_ge_scalar(b))
#define sp_add_(a, b) (sp_add_)(sp__a_number_needs_sp_scalar(a), sp__a_number_needs_sp_add_scalar_(b))
#define sp_sub_(a, b) (sp_sub_)(sp__a_number_needs_sp_scalar(a), sp__a_number_needs_sp_sub_scalar_(b))
#define sp_mul_(a, b) (sp_mul_)(sp__a_number_needs_sp_scalar(a), sp__a_number_needs_sp_mul_scalar_(b))
#define sp_div_(a, b) (sp_div_)(sp__a_number_needs_sp_scalar(a), sp__a_number_needs_sp_div_scalar_(b))
#define sp_copy_(a, b) (sp_copy_)(sp__a_number_needs_sp_scalar(a), sp__a_number_needs_sp_fill_(b))
#endif

/* ---- products ---- */

/* torch.matmul: vectors, matrices and batches of them; batch dimensions broadcast. (…,m,k)×(…,k,n) → (…,m,n). */
SP_API sp_tensor *sp_matmul(sp_tensor *a, sp_tensor *b);
SP_API sp_tensor *sp_mm(sp_tensor *a, sp_tensor *b);  /* (m,k)×(k,n) → (m,n) */
SP_API sp_tensor *sp_bmm(sp_tensor *a, sp_tensor *b); /* (b,m,k)×(b,k,n) → (b,m,n) */
SP_API sp_tensor *sp_mv(sp_tensor *a, sp_tensor *b);  /* (m,k)×(k) → (m) */
SP_API sp_tensor *sp_dot(sp_tensor *a, sp_tensor *b); /* (k)·(k) → () */

typedef struct sp_addmm_options {
    size_t size;
    double alpha, beta; /* default 1; SP_ZERO for 0 */
    SP_OPTIONS_END;
} sp_addmm_options;
/* β·x + α·a×b; x broadcasts to (m,n). */
SP_API sp_tensor *sp_addmm(sp_tensor *x, sp_tensor *a, sp_tensor *b, const sp_addmm_options *options SP_OR_NULL);
#define sp_addmm(...) SP__CALL3(sp_addmm, sp_addmm_options, __VA_ARGS__)
/* x·weightᵀ + bias: (…,in), (out,in), (out) or SP_NONE → (…,out); (…,in), (in), () or SP_NONE → (…). */
SP_API sp_tensor *sp_linear(sp_tensor *x, sp_tensor *weight, sp_tensor *bias);

/* ---- linear algebra ---- */

/* A symmetric matrix's eigenvalues (…, n), ascending, and eigenvectors (…, n, n), the columns, of length 1 and
 * arbitrary sign. Both NULL after an error. */
typedef struct sp_eigen {
    sp_tensor *eigenvalues, *eigenvectors;
} sp_eigen;
typedef struct sp_eigh_options {
    size_t size;
    bool upper; /* read the upper triangle (PyTorch's UPLO="U"), not the lower */
    SP_OPTIONS_END;
} sp_eigh_options;
/* x = V·diag(λ)·Vᵀ for symmetric x (…, n, n), f32 or f64; one triangle is read, and the work done in f64. Fails on an
 * element that is not finite. The gradient of the vectors is not finite where eigenvalues are equal. torch.linalg.eigh.
 */
SP_API sp_eigen sp_linalg_eigh(sp_tensor *x, const sp_eigh_options *options SP_OR_NULL);
#define sp_linalg_eigh(...) SP__CALL1(sp_linalg_eigh, sp_eigh_options, __VA_ARGS__)

/* U (m, q), S (q), V (n, q): x less its mean ≈ U·diag(S)·Vᵀ. All NULL after an error. */
typedef struct sp_pca {
    sp_tensor *U, *S, *V;
} sp_pca;
typedef struct sp_pca_options {
    size_t size;
    bool no_center; /* take x as it is: PyTorch's center=False */
    SP_OPTIONS_END;
} sp_pca_options;
/* The q principal components of the rows of x (m, n), f32 or f64, largest first; 1 ≤ q ≤ min(m, n). V's columns are
 * their directions, of arbitrary sign; the codes are (x - mean)·V = U·diag(S), the variances S²/(m - 1). Worked out in
 * f64 by eigenvectors: S is right to some roundings of its largest, where torch.pca_lowrank approximates by random
 * projections. The columns of U and of V are orthonormal, whatever x's rank; where S is 0 they are arbitrary. */
SP_API sp_pca sp_pca_lowrank(sp_tensor *x, int64_t q, const sp_pca_options *options SP_OR_NULL);
#define sp_pca_lowrank(...) SP__CALL2(sp_pca_lowrank, sp_pca_options, __VA_ARGS__)

/* ---- reductions: over everything, over one dimension (_dim), over several (_dims) ---- */

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

/* ---- softmax, dropout ---- */

SP_API sp_tensor *sp_softmax(sp_tensor *x, int dim);     /* e^x / Σe^x along dim */
SP_API sp_tensor *sp_log_softmax(sp_tensor *x, int dim); /* x - ln Σe^x along dim */
/* Each element zero with probability p, else divided by 1 - p; x itself when not training. 0 ≤ p ≤ 1. */
SP_API sp_tensor *sp_dropout(sp_tensor *x, double p, bool training);

/* ---- losses ---- */

typedef enum sp_reduction { SP_REDUCTION_MEAN = 0, SP_REDUCTION_SUM, SP_REDUCTION_NONE } sp_reduction;

typedef struct sp_loss_options {
    size_t size;
    sp_reduction reduction;
    int64_t ignore_index;   /* nll, cross entropy: targets that do not count; default -100; SP_ZERO for class 0 */
    double label_smoothing; /* cross entropy */
    double beta;            /* smooth L1: default 1 */
    bool log_target;        /* KL divergence: the target is in logarithms too */
    bool batch_mean;        /* KL divergence: the sum divided by the batch, PyTorch's "batchmean" */
    SP_OPTIONS_END;
} sp_loss_options;

/* Negative log likelihood: -x[i, target[i]]. x: log-probabilities (N,C) or (C) or (N,C,…); target: i64 (N), () or
 * (N,…), 0 ≤ target < C. Mean divides by the sum of the targets' weights. */
SP_API sp_tensor *sp_nll_loss(sp_tensor *x, sp_tensor *target, const sp_loss_options *options SP_OR_NULL);
#define sp_nll_loss(...) SP__CALL2(sp_nll_loss, sp_loss_options, __VA_ARGS__)
SP_API sp_tensor *sp_nll_loss_weighted(sp_tensor *x, sp_tensor *target, sp_tensor *weight,
                                       const sp_loss_options *options SP_OR_NULL);
#define sp_nll_loss_weighted(...) SP__CALL3(sp_nll_loss_weighted, sp_loss_options, __VA_ARGS__)
/* nll_loss(log_softmax(x, 1), target), from logits; target may also be probabilities of x's shape. */
SP_API sp_tensor *sp_cross_entropy(sp_tensor *x, sp_tensor *target, const sp_loss_options *options SP_OR_NULL);
#define sp_cross_entropy(...) SP__CALL2(sp_cross_entropy, sp_loss_options, __VA_ARGS__)
SP_API sp_tensor *sp_cross_entropy_weighted(sp_tensor *x, sp_tensor *target, sp_tensor *weight,
                                            const sp_loss_options *options SP_OR_NULL);
#define sp_cross_entropy_weighted(...) SP__CALL3(sp_cross_entropy_weighted, sp_loss_options, __VA_ARGS__)
SP_API sp_tensor *sp_mse_loss(sp_tensor *x, sp_tensor *target,
                              const sp_loss_options *options SP_OR_NULL); /* (x - target)² */
#define sp_mse_loss(...) SP__CALL2(sp_mse_loss, sp_loss_options, __VA_ARGS__)
SP_API sp_tensor *sp_l1_loss(sp_tensor *x, sp_tensor *target,
                             const sp_loss_options *options SP_OR_NULL); /* |x - target| */
#define sp_l1_loss(...) SP__CALL2(sp_l1_loss, sp_loss_options, __VA_ARGS__)
/* d²/2β for |d| < β, else |d| - β/2, d = x - target. */
SP_API sp_tensor *sp_smooth_l1_loss(sp_tensor *x, sp_tensor *target, const sp_loss_options *options SP_OR_NULL);
#define sp_smooth_l1_loss(...) SP__CALL2(sp_smooth_l1_loss, sp_loss_options, __VA_ARGS__)
/* -(target·ln x + (1 - target)·ln(1 - x)), logarithms no lower than -100; 0 ≤ x ≤ 1. */
SP_API sp_tensor *sp_binary_cross_entropy(sp_tensor *x, sp_tensor *target, const sp_loss_options *options SP_OR_NULL);
#define sp_binary_cross_entropy(...) SP__CALL2(sp_binary_cross_entropy, sp_loss_options, __VA_ARGS__)
/* The same of sigmoid(x), without its overflow. */
SP_API sp_tensor *sp_binary_cross_entropy_with_logits(sp_tensor *x, sp_tensor *target,
                                                      const sp_loss_options *options SP_OR_NULL);
#define sp_binary_cross_entropy_with_logits(...)                                                                       \
    SP__CALL2(sp_binary_cross_entropy_with_logits, sp_loss_options, __VA_ARGS__)
/* target·(ln target - x), x in logarithms. */
SP_API sp_tensor *sp_kl_div(sp_tensor *x, sp_tensor *target, const sp_loss_options *options SP_OR_NULL);
#define sp_kl_div(...) SP__CALL2(sp_kl_div, sp_loss_options, __VA_ARGS__)

SP_END_DECLS

#endif

/* Operators element by element: arithmetic, comparisons, changes in place. They broadcast and promote dtypes by
 * PyTorch's rules, and follow gradients (of gradients) where the mathematics has them.
 *
 * A name that ends in _ changes its first argument in place and returns it. That fails where the result has another
 * shape or a dtype that the argument cannot hold, for a leaf that needs a gradient outside SP_NO_GRAD, and for elements
 * that share memory.
 *
 * _scalar takes a number as Python's float, _int one as Python's int: with an integer tensor a _scalar gives f32, an
 * _int keeps the tensor's dtype; bool becomes i64. */
#ifndef SPUSK_POINTWISE_H
#define SPUSK_POINTWISE_H

#include <spusk/operands.h>
#include <spusk/tensor.h>

SP_BEGIN

/* ---- unary, element by element; integers become f32 where the result is not whole ---- */

SP_API sp_tensor *sp_neg(sp_tensor *x);         /* -x; not for bool */
SP_API sp_tensor *sp_abs(sp_tensor *x);         /* |x|; not for bool */
SP_API sp_tensor *sp_sign(sp_tensor *x);        /* -1, 0 or 1 as x is below, at or above 0; 0 for NaN */
SP_API sp_tensor *sp_exp(sp_tensor *x);         /* e^x */
SP_API sp_tensor *sp_expm1(sp_tensor *x);       /* e^x - 1, exact near 0 */
SP_API sp_tensor *sp_log(sp_tensor *x);         /* ln x */
SP_API sp_tensor *sp_log1p(sp_tensor *x);       /* ln(1 + x), exact near 0 */
SP_API sp_tensor *sp_sqrt(sp_tensor *x);        /* √x; NaN below 0 */
SP_API sp_tensor *sp_rsqrt(sp_tensor *x);       /* 1/√x */
SP_API sp_tensor *sp_reciprocal(sp_tensor *x);  /* 1/x */
SP_API sp_tensor *sp_square(sp_tensor *x);      /* x² */
SP_API sp_tensor *sp_sin(sp_tensor *x);         /* sin x, in radians */
SP_API sp_tensor *sp_cos(sp_tensor *x);         /* cos x, in radians */
SP_API sp_tensor *sp_tanh(sp_tensor *x);        /* tanh x */
SP_API sp_tensor *sp_sigmoid(sp_tensor *x);     /* 1/(1 + e^-x) */
SP_API sp_tensor *sp_floor(sp_tensor *x);       /* the largest whole number ≤ x */
SP_API sp_tensor *sp_ceil(sp_tensor *x);        /* the smallest whole number ≥ x */
SP_API sp_tensor *sp_round(sp_tensor *x);       /* the nearest whole number; halves go to the even one */
SP_API sp_tensor *sp_logical_not(sp_tensor *x); /* x == 0, as bool */
SP_API sp_tensor *sp_isnan(sp_tensor *x);       /* whether x is NaN, as bool */
SP_API sp_tensor *sp_isinf(sp_tensor *x);       /* whether x is infinite, as bool */
SP_API sp_tensor *sp_isfinite(sp_tensor *x);    /* whether x is neither NaN nor infinite, as bool */

/* min(max(x, low), high). A bound of NaN makes all NaN. Bounds are doubles: for integers beyond 2^53 there are
 * sp_maximum and sp_minimum with sp_scalar_i64(bound). */
SP_API sp_tensor *sp_clamp(sp_tensor *x, double low, double high);

/* max(x, low). */
SP_API sp_tensor *sp_clamp_min(sp_tensor *x, double low);

/* min(x, high). */
SP_API sp_tensor *sp_clamp_max(sp_tensor *x, double high);

/* ---- binary ---- */

SP_API sp_tensor *sp_add(sp_tensor *a, sp_tensor *b); /* a + b; "or" for bool */
SP_API sp_tensor *sp_sub(sp_tensor *a, sp_tensor *b); /* a - b; not for bool */
SP_API sp_tensor *sp_mul(sp_tensor *a, sp_tensor *b); /* a·b; "and" for bool */
SP_API sp_tensor *sp_div(sp_tensor *a, sp_tensor *b); /* a/b; integers become f32 */

/* a^b. Integers stay integers; a negative power of an integer other than 1 and -1 is 0. */
SP_API sp_tensor *sp_pow(sp_tensor *a, sp_tensor *b);

/* The larger of a and b; NaN wins. A tie gives each half of the gradient. */
SP_API sp_tensor *sp_maximum(sp_tensor *a, sp_tensor *b);

/* The smaller of a and b; NaN wins. A tie gives each half of the gradient. */
SP_API sp_tensor *sp_minimum(sp_tensor *a, sp_tensor *b);

/* a + weight·(b - a) for a and b of one floating dtype. */
SP_API sp_tensor *sp_lerp(sp_tensor *a, sp_tensor *b, double weight);

/* a + weight·(b - a), element by element in weight too; all three have one floating dtype. */
SP_API sp_tensor *sp_lerp_tensor(sp_tensor *a, sp_tensor *b, sp_tensor *weight);

/* ---- with a number ---- */

SP_API sp_tensor *sp_add_scalar(sp_tensor *x, double value);    /* x + value */
SP_API sp_tensor *sp_add_int(sp_tensor *x, int64_t value);      /* x + value */
SP_API sp_tensor *sp_sub_scalar(sp_tensor *x, double value);    /* x - value; not for bool */
SP_API sp_tensor *sp_sub_int(sp_tensor *x, int64_t value);      /* x - value; not for bool */
SP_API sp_tensor *sp_rsub_scalar(sp_tensor *x, double value);   /* value - x; not for bool */
SP_API sp_tensor *sp_rsub_int(sp_tensor *x, int64_t value);     /* value - x; not for bool */
SP_API sp_tensor *sp_mul_scalar(sp_tensor *x, double value);    /* x·value */
SP_API sp_tensor *sp_mul_int(sp_tensor *x, int64_t value);      /* x·value */
SP_API sp_tensor *sp_div_scalar(sp_tensor *x, double value);    /* x/value; integers become f32 */
SP_API sp_tensor *sp_div_int(sp_tensor *x, int64_t value);      /* x/value; integers become f32 */
SP_API sp_tensor *sp_pow_scalar(sp_tensor *x, double exponent); /* x^exponent */
SP_API sp_tensor *sp_pow_int(sp_tensor *x, int64_t exponent);   /* x^exponent; exponent ≥ 0 for integers */

/* ---- comparisons: bool tensors, without a gradient ---- */

SP_API sp_tensor *sp_eq(sp_tensor *a, sp_tensor *b);          /* a == b */
SP_API sp_tensor *sp_ne(sp_tensor *a, sp_tensor *b);          /* a != b */
SP_API sp_tensor *sp_lt(sp_tensor *a, sp_tensor *b);          /* a < b */
SP_API sp_tensor *sp_le(sp_tensor *a, sp_tensor *b);          /* a <= b */
SP_API sp_tensor *sp_gt(sp_tensor *a, sp_tensor *b);          /* a > b */
SP_API sp_tensor *sp_ge(sp_tensor *a, sp_tensor *b);          /* a >= b */
SP_API sp_tensor *sp_eq_scalar(sp_tensor *x, double value);   /* x == value */
SP_API sp_tensor *sp_ne_scalar(sp_tensor *x, double value);   /* x != value */
SP_API sp_tensor *sp_lt_scalar(sp_tensor *x, double value);   /* x < value */
SP_API sp_tensor *sp_le_scalar(sp_tensor *x, double value);   /* x <= value */
SP_API sp_tensor *sp_gt_scalar(sp_tensor *x, double value);   /* x > value */
SP_API sp_tensor *sp_ge_scalar(sp_tensor *x, double value);   /* x >= value */
SP_API sp_tensor *sp_eq_int(sp_tensor *x, int64_t value);     /* x == value, exact beyond 2^53 */
SP_API sp_tensor *sp_ne_int(sp_tensor *x, int64_t value);     /* x != value, exact beyond 2^53 */
SP_API sp_tensor *sp_lt_int(sp_tensor *x, int64_t value);     /* x < value, exact beyond 2^53 */
SP_API sp_tensor *sp_le_int(sp_tensor *x, int64_t value);     /* x <= value, exact beyond 2^53 */
SP_API sp_tensor *sp_gt_int(sp_tensor *x, int64_t value);     /* x > value, exact beyond 2^53 */
SP_API sp_tensor *sp_ge_int(sp_tensor *x, int64_t value);     /* x >= value, exact beyond 2^53 */
SP_API sp_tensor *sp_logical_and(sp_tensor *a, sp_tensor *b); /* a != 0 && b != 0 */
SP_API sp_tensor *sp_logical_or(sp_tensor *a, sp_tensor *b);  /* a != 0 || b != 0 */
SP_API sp_tensor *sp_logical_xor(sp_tensor *a, sp_tensor *b); /* (a != 0) != (b != 0) */

typedef struct sp_allclose_options {
    size_t size;
    double rtol; /* default 1e-5 */
    double atol; /* default 1e-8 */
    bool equal_nan;
    SP_OPTIONS_END;
} sp_allclose_options;

/* Whether |a - b| ≤ atol + rtol·|b| everywhere. false and an error for shapes or dtypes that differ and for a negative
 * tolerance. */
SP_API bool sp_allclose(sp_tensor *a, sp_tensor *b, const sp_allclose_options *options SP_OR_NULL);
#define sp_allclose(...) SP__CALL2(sp_allclose, sp_allclose_options, __VA_ARGS__)

/* Whether shapes, dtypes and all values are the same; NaN equals nothing. false without an error where they differ. */
SP_API bool sp_equal(sp_tensor *a, sp_tensor *b);

/* ---- in place ---- */

SP_API sp_tensor *sp_add_(sp_tensor *x, sp_tensor *y);              /* x = x + y */
SP_API sp_tensor *sp_sub_(sp_tensor *x, sp_tensor *y);              /* x = x - y */
SP_API sp_tensor *sp_mul_(sp_tensor *x, sp_tensor *y);              /* x = x·y */
SP_API sp_tensor *sp_div_(sp_tensor *x, sp_tensor *y);              /* x = x/y */
SP_API sp_tensor *sp_add_scalar_(sp_tensor *x, double value);       /* x = x + value */
SP_API sp_tensor *sp_add_int_(sp_tensor *x, int64_t value);         /* x = x + value */
SP_API sp_tensor *sp_sub_scalar_(sp_tensor *x, double value);       /* x = x - value */
SP_API sp_tensor *sp_sub_int_(sp_tensor *x, int64_t value);         /* x = x - value */
SP_API sp_tensor *sp_mul_scalar_(sp_tensor *x, double value);       /* x = x·value */
SP_API sp_tensor *sp_mul_int_(sp_tensor *x, int64_t value);         /* x = x·value */
SP_API sp_tensor *sp_div_scalar_(sp_tensor *x, double value);       /* x = x/value */
SP_API sp_tensor *sp_div_int_(sp_tensor *x, int64_t value);         /* x = x/value */
SP_API sp_tensor *sp_pow_scalar_(sp_tensor *x, double exponent);    /* x = x^exponent */
SP_API sp_tensor *sp_pow_int_(sp_tensor *x, int64_t exponent);      /* x = x^exponent; exponent ≥ 0 for integers */
SP_API sp_tensor *sp_neg_(sp_tensor *x);                            /* x = -x */
SP_API sp_tensor *sp_exp_(sp_tensor *x);                            /* x = e^x */
SP_API sp_tensor *sp_log_(sp_tensor *x);                            /* x = ln x */
SP_API sp_tensor *sp_sqrt_(sp_tensor *x);                           /* x = √x */
SP_API sp_tensor *sp_tanh_(sp_tensor *x);                           /* x = tanh x */
SP_API sp_tensor *sp_sigmoid_(sp_tensor *x);                        /* x = 1/(1 + e^-x) */
SP_API sp_tensor *sp_relu_(sp_tensor *x);                           /* x = max(x, 0) */
SP_API sp_tensor *sp_clamp_(sp_tensor *x, double low, double high); /* x = min(max(x, low), high) */
SP_API sp_tensor *sp_lerp_(sp_tensor *x, sp_tensor *end, double weight); /* x = x + weight·(end - x) */

/* x's values become source's, broadcast to x and cast to its dtype: x.copy_(source). */
SP_API sp_tensor *sp_copy_(sp_tensor *x, sp_tensor *source);

/* All of x becomes value. Fails where x's dtype cannot hold it. */
SP_API sp_tensor *sp_fill_(sp_tensor *x, double value);

/* All of x becomes value, exact beyond 2^53. Fails where x's dtype cannot hold it. */
SP_API sp_tensor *sp_fill_int_(sp_tensor *x, int64_t value);

/* All of x becomes 0. */
SP_API sp_tensor *sp_zero_(sp_tensor *x);

/* x = x + value·a·b. Between integers value loses its fraction. */
SP_API sp_tensor *sp_addcmul_(sp_tensor *x, sp_tensor *a, sp_tensor *b, double value);

/* x = x + value·a/b. Fails where a and b are both integers. */
SP_API sp_tensor *sp_addcdiv_(sp_tensor *x, sp_tensor *a, sp_tensor *b, double value);

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

SP_END_DECLS

#endif

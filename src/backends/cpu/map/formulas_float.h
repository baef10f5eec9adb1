/* The formula of each map kernel on floating numbers: name_of, as backends/map_kinds.h lists them. exp and its kin
 * compute in f64, by functions of our own; <tgmath.h> makes sqrt(x), which is exact, that of the number's type. */
#ifndef SPUSK_MAP_FORMULAS_FLOAT_H
#define SPUSK_MAP_FORMULAS_FLOAT_H

#include "backends/cpu/common/elementary.h"
#include "backends/cpu/map/formulas_any.h"
#include <tgmath.h>

static const number HALF = (number)0.5, ROOT_HALF = (number)0.70710678118654752440; /* √½ */
static const number ROOT_2_PI = (number)0.79788456080286535588;                     /* √(2/π) */
static const number ROOT_HALF_PI = (number)0.39894228040143267794;                  /* 1/√(2π) */
static const number CUBE = (number)0.044715; /* gelu's tanh is that of √(2/π)·(x + 0.044715·x³) */

#define SP__IN_F64(name)                                                                                               \
    static inline number name##_in_f64(number x)                                                                       \
    {                                                                                                                  \
        return (number)sp__##name((double)x);                                                                          \
    }
SP__IN_F64(exp)
SP__IN_F64(expm1)
SP__IN_F64(log)
SP__IN_F64(log1p)
SP__IN_F64(sin)
SP__IN_F64(cos)
SP__IN_F64(tanh)
SP__IN_F64(erf)
#undef SP__IN_F64

static inline number pow_in_f64(number x, number y)
{
    return (number)sp__pow((double)x, (double)y);
}

static inline number copy_of(number x)
{
    return x;
}

static inline number neg_of(number x)
{
    return -x;
}

static inline number abs_of(number x)
{
    return fabs(x);
}

static inline number sign_of(number x)
{
    return (number)((x > 0) - (x < 0));
}

static inline number exp_of(number x)
{
    return exp_in_f64(x);
}

static inline number expm1_of(number x)
{
    return expm1_in_f64(x);
}

static inline number log_of(number x)
{
    return log_in_f64(x);
}

static inline number log1p_of(number x)
{
    return log1p_in_f64(x);
}

static inline number sqrt_of(number x)
{
    return sqrt(x);
}

static inline number rsqrt_of(number x)
{
    return 1 / sqrt(x);
}

static inline number reciprocal_of(number x)
{
    return 1 / x;
}

static inline number square_of(number x)
{
    return x * x;
}

static inline number sin_of(number x)
{
    return sin_in_f64(x);
}

static inline number cos_of(number x)
{
    return cos_in_f64(x);
}

static inline number tanh_of(number x)
{
    return tanh_in_f64(x);
}

static inline number sigmoid_of(number x)
{
    return 1 / (1 + exp_in_f64(-x));
}

static inline number relu_of(number x)
{
    return x < 0 ? 0 : x;
}

static inline number silu_of(number x)
{
    return x / (1 + exp_in_f64(-x));
}

static inline number floor_of(number x)
{
    return floor(x);
}

static inline number ceil_of(number x)
{
    return ceil(x);
}

static inline number round_of(number x)
{
    return rint(x);
}

static inline number erf_of(number x)
{
    return erf_in_f64(x);
}

static inline number softplus_of(number x, number p, number q)
{
    return x * p > q ? x : log1p_in_f64(exp_in_f64(x * p)) / p;
}

static inline number leaky_relu_of(number x, number p)
{
    return x > 0 ? x : x * p;
}

static inline number elu_of(number x, number p)
{
    return x > 0 ? x : expm1_in_f64(x) * p;
}

static inline number gelu_of(number x)
{
    return x * HALF * (1 + erf_in_f64(x * ROOT_HALF));
}

static inline number gelu_tanh_of(number x)
{
    return HALF * x * (1 + tanh_in_f64(ROOT_2_PI * (x + CUBE * x * x * x)));
}

static inline number clamp_of(number x, number p, number q)
{
    const number at_least = x < p ? p : x;
    return at_least > q ? q : at_least;
}

static inline number smooth_l1_of(number x, number p, number q)
{
    const number size = fabs(x);
    return size < p ? size * size * q : size - HALF * p;
}

static inline number pow_scalar_of(number x, number p)
{
    return pow_in_f64(x, p);
}

static inline number affine_of(number x, number p, number q)
{
    return p * x + q;
}

/* ---- tests and comparisons ---- */

static inline bool isnan_of(number x)
{
    return x != x;
}

static inline bool isinf_of(number x)
{
    return fabs(x) == (number)INFINITY;
}

static inline bool isfinite_of(number x)
{
    return fabs(x) < (number)INFINITY;
}

/* ---- two inputs ---- */

static inline number add_of(number x, number y)
{
    return x + y;
}

static inline number sub_of(number x, number y)
{
    return x - y;
}

static inline number mul_of(number x, number y)
{
    return x * y;
}

static inline number div_of(number x, number y)
{
    return x / y;
}

static inline number pow_of(number x, number y)
{
    return pow_in_f64(x, y);
}

static inline number maximum_of(number x, number y)
{
    return x != x || x > y ? x : y;
}

static inline number minimum_of(number x, number y)
{
    return x != x || x < y ? x : y;
}

static inline number lerp_of(number x, number y, number p)
{
    return fabs(p) < HALF ? x + p * (y - x) : y - (y - x) * (1 - p);
}

/* ---- backward: x is the gradient that came ---- */

static inline number relu_backward_of(number x, number y)
{
    return y <= 0 ? 0 : x;
}

static inline number sigmoid_backward_of(number x, number y)
{
    return x * y * (1 - y);
}

static inline number tanh_backward_of(number x, number y)
{
    return x * (1 - y * y);
}

static inline number gelu_backward_of(number x, number y)
{
    return x * (HALF * (1 + erf_in_f64(y * ROOT_HALF)) + y * exp_in_f64(-HALF * y * y) * ROOT_HALF_PI);
}

static inline number gelu_tanh_backward_of(number x, number y)
{
    const number s = sigmoid_of(2 * ROOT_2_PI * (y + CUBE * y * y * y));
    return x * (s + s * ((1 - s) * y) * (2 * ROOT_2_PI * (1 + 3 * CUBE * y * y)));
}

static inline number silu_backward_of(number x, number y)
{
    const number s = sigmoid_of(y);
    return x * s * (1 + y * (1 - s));
}

static inline number softplus_backward_of(number x, number y, number p, number q)
{
    return y * p > q ? x : x * sigmoid_of(y * p);
}

static inline number leaky_relu_backward_of(number x, number y, number p)
{
    return y > 0 ? x : x * p;
}

static inline number elu_backward_of(number x, number y, number p)
{
    return y <= 0 ? x * p * exp_in_f64(y) : x;
}

/* x is the logit, y the target. What is left of x·(1 - t) or σ(-x) at a large margin is not lost beside x or 1. */
static inline number bce_logits_of(number x, number y)
{
    return (x > 0 ? x * (1 - y) : -x * y) + log1p_in_f64(exp_in_f64(-fabs(x)));
}

static inline number bce_logits_backward_of(number x, number y)
{
    return x > 0 ? (1 - y) - sigmoid_of(-x) : sigmoid_of(x) - y;
}

/* ---- three inputs ---- */

static inline number addcmul_of(number x, number y, number z, number p)
{
    return x + p * y * z;
}

static inline number addcdiv_of(number x, number y, number z, number p)
{
    return x + p * y / z;
}

static inline number lerp_tensor_of(number x, number y, number z)
{
    return fabs(z) < HALF ? x + z * (y - x) : y - (y - x) * (1 - z);
}

#endif

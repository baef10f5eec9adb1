/* The map kernels of one floating type. Beside the parameters of reference_loops.inc.h: M(exp) is libm's function for C, TABLE
 * the table's name. */
#include "reference_loops.inc.h"

#define HALF ((C)0.5)
#define ONE ((C)1)

UNARY(copy, x)
UNARY(neg, -x)
UNARY(abs, M(fabs)(x))
UNARY(sign, (C)((x > 0) - (x < 0)))
UNARY(exp, M(exp)(x))
UNARY(expm1, M(expm1)(x))
UNARY(log, M(log)(x))
UNARY(log1p, M(log1p)(x))
UNARY(sqrt, M(sqrt)(x))
UNARY(rsqrt, ONE / M(sqrt)(x))
UNARY(reciprocal, ONE / x)
UNARY(square, x *x)
UNARY(sin, M(sin)(x))
UNARY(cos, M(cos)(x))
UNARY(tanh, M(tanh)(x))
UNARY(sigmoid, ONE / (ONE + M(exp)(-x)))
UNARY(relu, x < 0 ? 0 : x)
UNARY(silu, x / (ONE + M(exp)(-x)))
UNARY(floor, M(floor)(x))
UNARY(ceil, M(ceil)(x))
UNARY(round, M(rint)(x))
UNARY(erf, M(erf)(x))
UNARY(softplus, x *p > q ? x : M(log1p)(M(exp)(x * p)) / p)
UNARY(leaky_relu, x > 0 ? x : x * p)
UNARY(elu, x > 0 ? x : M(expm1)(x) * p)
UNARY(gelu, x *HALF *(ONE + M(erf)(x * (C)0.70710678118654752440)))
/* √(2/π)·(x + 0.044715·x³) */
UNARY(gelu_tanh, HALF *x *(ONE + M(tanh)((C)0.79788456080286535588 * (x + (C)0.044715 * x * x * x))))
UNARY(clamp, (x < p ? p : x) > q ? q : x < p ? p : x)
UNARY(pow_scalar, M(pow)(x, p))
UNARY(affine, p *x + q)

TEST(isnan, x != x)
TEST(isinf, M(fabs)(x) == (C)INFINITY)
TEST(isfinite, M(fabs)(x) < (C)INFINITY)

BINARY(add, x + y)
BINARY(sub, x - y)
BINARY(mul, x *y)
BINARY(div, x / y)
BINARY(pow, M(pow)(x, y))
BINARY(maximum, x != x || x > y ? x : y)
BINARY(minimum, x != x || x < y ? x : y)
BINARY(lerp, M(fabs)(p) < HALF ? x + p * (y - x) : y - (y - x) * (ONE - p))
BINARY(relu_backward, y <= 0 ? 0 : x)
BINARY(sigmoid_backward, x *y *(ONE - y))
BINARY(tanh_backward, x *(ONE - y * y))

/* x is the gradient, y the activation's input; k = √(2/π), c = 0.044715 */
#define K ((C)0.79788456080286535588)
#define CUBE ((C)0.044715)
#define CUBIC(v) (2 * K * ((v) + CUBE * (v) * (v) * (v)))
#define SIGMOID(v) (ONE / (ONE + M(exp)(-(v))))
BINARY(gelu_backward,
       x *(HALF *(ONE + M(erf)(y * (C)0.70710678118654752440)) + y * M(exp)(-HALF * y * y) * (C)0.39894228040143267794))
BINARY(gelu_tanh_backward, x *(SIGMOID(CUBIC(y)) + SIGMOID(CUBIC(y)) * ((ONE - SIGMOID(CUBIC(y))) * y) *
                                                       (2 * K * (ONE + 3 * CUBE * y * y))))
BINARY(silu_backward, x *SIGMOID(y) * (ONE + y * (ONE - SIGMOID(y))))
BINARY(softplus_backward, y *p > q ? x : x * SIGMOID(y * p))
BINARY(leaky_relu_backward, y > 0 ? x : x * p)
BINARY(elu_backward, y <= 0 ? x * p * M(exp)(y) : x)
/* x is the logit, y the target. What is left of x·(1 - t) or σ(-x) at a large margin is not lost beside x or 1. */
BINARY(bce_logits, (x > 0 ? x * (ONE - y) : -x * y) + M(log1p)(M(exp)(-M(fabs)(x))))
BINARY(bce_logits_backward, x > 0 ? (ONE - y) - SIGMOID(-x) : SIGMOID(x) - y)
#undef K
#undef CUBE
#undef CUBIC
#undef SIGMOID

TERNARY(addcmul, x + p * y * z)
TERNARY(addcdiv, x + p * y / z)
TERNARY(lerp_tensor, M(fabs)(z) < HALF ? x + z * (y - x) : y - (y - x) * (ONE - z))

#undef HALF
#undef ONE

sp__loop *const TABLE[SP__MAP_COUNT] = {
    COMMON_ROWS,
    [SP__COPY] = FN(copy),
    [SP__NEG] = FN(neg),
    [SP__ABS] = FN(abs),
    [SP__SIGN] = FN(sign),
    [SP__EXP] = FN(exp),
    [SP__EXPM1] = FN(expm1),
    [SP__LOG] = FN(log),
    [SP__LOG1P] = FN(log1p),
    [SP__SQRT] = FN(sqrt),
    [SP__RSQRT] = FN(rsqrt),
    [SP__RECIPROCAL] = FN(reciprocal),
    [SP__SQUARE] = FN(square),
    [SP__SIN] = FN(sin),
    [SP__COS] = FN(cos),
    [SP__TANH] = FN(tanh),
    [SP__SIGMOID] = FN(sigmoid),
    [SP__RELU] = FN(relu),
    [SP__SILU] = FN(silu),
    [SP__FLOOR] = FN(floor),
    [SP__CEIL] = FN(ceil),
    [SP__ROUND] = FN(round),
    [SP__ERF] = FN(erf),
    [SP__SOFTPLUS] = FN(softplus),
    [SP__LEAKY_RELU] = FN(leaky_relu),
    [SP__ELU] = FN(elu),
    [SP__GELU] = FN(gelu),
    [SP__GELU_TANH] = FN(gelu_tanh),
    [SP__CLAMP] = FN(clamp),
    [SP__POW_SCALAR] = FN(pow_scalar),
    [SP__AFFINE] = FN(affine),
    [SP__ISNAN] = FN(isnan),
    [SP__ISINF] = FN(isinf),
    [SP__ISFINITE] = FN(isfinite),
    [SP__ADD] = FN(add),
    [SP__SUB] = FN(sub),
    [SP__MUL] = FN(mul),
    [SP__DIV] = FN(div),
    [SP__POW] = FN(pow),
    [SP__MAXIMUM] = FN(maximum),
    [SP__MINIMUM] = FN(minimum),
    [SP__LERP] = FN(lerp),
    [SP__RELU_BACKWARD] = FN(relu_backward),
    [SP__SIGMOID_BACKWARD] = FN(sigmoid_backward),
    [SP__TANH_BACKWARD] = FN(tanh_backward),
    [SP__GELU_BACKWARD] = FN(gelu_backward),
    [SP__GELU_TANH_BACKWARD] = FN(gelu_tanh_backward),
    [SP__SILU_BACKWARD] = FN(silu_backward),
    [SP__SOFTPLUS_BACKWARD] = FN(softplus_backward),
    [SP__LEAKY_RELU_BACKWARD] = FN(leaky_relu_backward),
    [SP__ELU_BACKWARD] = FN(elu_backward),
    [SP__BCE_LOGITS] = FN(bce_logits),
    [SP__BCE_LOGITS_BACKWARD] = FN(bce_logits_backward),
    [SP__ADDCMUL] = FN(addcmul),
    [SP__ADDCDIV] = FN(addcdiv),
    [SP__LERP_TENSOR] = FN(lerp_tensor),
};

#include "reference_loops_end.inc.h"

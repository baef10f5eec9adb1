/* The map kernels of one integer type. C is int64_t: what overflows wraps, because WRAP computes without sign and STORE
 * keeps the low bits. Division and what gives fractions are floating point's; the operators convert before. */
#include "reference_loops.inc.h"

#define WRAP(a, op, b) ((C)((uint64_t)(a)op(uint64_t)(b)))

UNARY(copy, x)
UNARY(neg, WRAP(0, -, x))
UNARY(abs, x < 0 ? WRAP(0, -, x) : x)
UNARY(sign, (x > 0) - (x < 0))
UNARY(square, WRAP(x, *, x))
UNARY(relu, x < 0 ? 0 : x)
UNARY(clamp, x<p ? (p < q ? p : q) : x> q ? q : x)
UNARY(pow_scalar, sp__power_i64(x, p))
UNARY(affine, WRAP(WRAP(p, *, x), +, q))

TEST(isnan, false)
TEST(isinf, false)
TEST(isfinite, true)

BINARY(add, WRAP(x, +, y))
BINARY(sub, WRAP(x, -, y))
BINARY(mul, WRAP(x, *, y))
BINARY(pow, sp__power_i64(x, y))
BINARY(maximum, x > y ? x : y)
BINARY(minimum, x < y ? x : y)
BINARY(relu_backward, y > 0 ? x : 0)

TERNARY(addcmul, WRAP(x, +, WRAP(WRAP(p, *, y), *, z)))

#undef WRAP

sp__loop *const TABLE[SP__MAP_COUNT] = {
    COMMON_ROWS,
    [SP__COPY] = FN(copy),
    [SP__NEG] = FN(neg),
    [SP__ABS] = FN(abs),
    [SP__SIGN] = FN(sign),
    [SP__SQUARE] = FN(square),
    [SP__RELU] = FN(relu),
    [SP__FLOOR] = FN(copy),
    [SP__CEIL] = FN(copy),
    [SP__ROUND] = FN(copy),
    [SP__CLAMP] = FN(clamp),
    [SP__POW_SCALAR] = FN(pow_scalar),
    [SP__AFFINE] = FN(affine),
    [SP__ISNAN] = FN(isnan),
    [SP__ISINF] = FN(isinf),
    [SP__ISFINITE] = FN(isfinite),
    [SP__ADD] = FN(add),
    [SP__SUB] = FN(sub),
    [SP__MUL] = FN(mul),
    [SP__POW] = FN(pow),
    [SP__MAXIMUM] = FN(maximum),
    [SP__MINIMUM] = FN(minimum),
    [SP__RELU_BACKWARD] = FN(relu_backward),
    [SP__ADDCMUL] = FN(addcmul),
};

#include "reference_loops_end.inc.h"

/* The map kernels of i64, i32, u8 and bool. */
#include "backends/cpu/reference.h"

int64_t sp__power_i64(int64_t base, int64_t exponent)
{
    if (exponent < 0) return base == 1 ? 1 : base == -1 ? (exponent % 2 ? -1 : 1) : 0;
    uint64_t result = 1, square = (uint64_t)base;
    for (; exponent; exponent >>= 1, square *= square) {
        if (exponent & 1) result *= square;
    }
    return (int64_t)result;
}

/* A param as an integer: clamps may be infinite, so what does not fit becomes the nearest that does. */
static int64_t whole(double x)
{
    if (x != x) return 0;
    return x >= 0x1p63 ? INT64_MAX : x <= -0x1p63 ? INT64_MIN : (int64_t)x;
}

#define T int64_t
#define C int64_t
#define LOAD(p) (*(const int64_t *)(p))
#define STORE(p, c) (*(int64_t *)(p) = (c))
#define PARAM(x) whole(x)
#define FN(name) name##_i64
#define TABLE sp__map_i64
#include "reference_integer.inc.h"

#define T int32_t
#define C int64_t
#define LOAD(p) ((int64_t) * (const int32_t *)(p))
#define STORE(p, c) (*(int32_t *)(p) = (int32_t)(c))
#define PARAM(x) whole(x)
#define FN(name) name##_i32
#define TABLE sp__map_i32
#include "reference_integer.inc.h"

#define T uint8_t
#define C int64_t
#define LOAD(p) ((int64_t) * (const uint8_t *)(p))
#define STORE(p, c) (*(uint8_t *)(p) = (uint8_t)(c))
#define PARAM(x) whole(x)
#define FN(name) name##_u8
#define TABLE sp__map_u8
#include "reference_integer.inc.h"

/* Bool: 0 and 1, whatever was in the byte. */
#define T uint8_t
#define C bool
#define LOAD(p) (*(const uint8_t *)(p) != 0)
#define STORE(p, c) (*(uint8_t *)(p) = (c))
#define PARAM(x) ((x) != 0)
#define FN(name) name##_bool
#include "reference_loops.inc.h"

UNARY(copy, x)
TEST(never, false)
TEST(always, true)
BINARY(or, x || y)
BINARY(and, x &&y)

sp__loop *const sp__map_bool[SP__MAP_COUNT] = {
    COMMON_ROWS,
    [SP__COPY] = FN(copy),
    [SP__ABS] = FN(copy),
    [SP__SIGN] = FN(copy),
    [SP__ISNAN] = FN(never),
    [SP__ISINF] = FN(never),
    [SP__ISFINITE] = FN(always),
    [SP__ADD] = FN(or),
    [SP__MUL] = FN(and),
    [SP__MAXIMUM] = FN(or),
    [SP__MINIMUM] = FN(and),
};

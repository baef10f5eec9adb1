/* Convolution in f64, beside which no operand is bf16: see numbers.h. */
#include "backends/cpu/common/f64.h"

typedef double number, element;
typedef int64_t integer;
enum { STEP = 1 };
#include "numbers.h"

SP__INLINE vector fused(vector a, vector b, vector c)
{
    return sp__fma_f64(a, b, c);
}

#include "single.h"

SP__INLINE vector load_bf16(const sp__bf16 *p, int64_t n)
{
    (void)p, (void)n;
    return (vector){0};
}

/* NOLINTNEXTLINE(readability-non-const-parameter): other numbers are stored. */
SP__INLINE void store_bf16(sp__bf16 *p, vector x)
{
    (void)p, (void)x;
}

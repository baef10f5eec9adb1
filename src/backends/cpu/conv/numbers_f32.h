/* Convolution in f32, whose operands may be bf16: see numbers.h. */
#include "backends/cpu/common/bf16.h"

typedef float number, element;
typedef int32_t integer;
enum { STEP = 1 };
#include "numbers.h"

SP__INLINE vector multiply_add(vector sum, number a, vector b)
{
    return sum + a * b;
}

SP__INLINE number ones(void)
{
    return 1;
}

SP__INLINE number unit(const element *p, int64_t next)
{
    (void)next;
    return *p;
}

SP__INLINE vector across(const element *p, int64_t next, int64_t n, int64_t left)
{
    (void)next, (void)left;
    return load_some(p, n);
}

SP__INLINE vector load_bf16(const sp__bf16 *p, int64_t n)
{
    return from_bf16(load_halves(p, n));
}

SP__INLINE void store_bf16(sp__bf16 *p, vector x)
{
    store_halves(p, to_bf16(x), LANES);
}

/* Convolution in f32, whose operands may be bf16: see numbers.h. */
#include "backends/cpu/common/bf16.h"

typedef float number, element;
typedef int32_t integer;
enum { STEP = 1 };
#include "numbers.h"

SP__INLINE vector fused(vector a, vector b, vector c)
{
    return sp__fma_f32(a, b, c);
}

#include "single.h"

SP__INLINE vector load_bf16(const sp__bf16 *p, int64_t n)
{
    return from_bf16(load_halves(p, n));
}

SP__INLINE void store_bf16(sp__bf16 *p, vector x)
{
    store_halves(p, to_bf16(x), LANES);
}

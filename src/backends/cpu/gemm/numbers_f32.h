/* What products of f32 are computed with: see numbers.h. */
#include "backends/cpu/common/f32.h"

typedef float number, element;
typedef int32_t bits;
enum { APART = 0, STEP = 1 };
#include "numbers.h"

SP__INLINE vector fetch(const element *p, int64_t n)
{
    return load_f32(p, n);
}

SP__INLINE void keep(element *p, vector x, int64_t n)
{
    store_f32(p, x, n);
}

SP__INLINE number number_of(element x)
{
    return x;
}

SP__INLINE element element_of(number x)
{
    return x;
}

SP__INLINE vector fused(vector a, vector b, vector c)
{
    return sp__fma_f32(a, b, c);
}

SP__INLINE vector interleave_lower(vector a, vector b)
{
    return SP__SHUFFLE(a, b, mask, SP__LOWER_F32);
}

SP__INLINE vector interleave_upper(vector a, vector b)
{
    return SP__SHUFFLE(a, b, mask, SP__UPPER_F32);
}

#include "single.h"

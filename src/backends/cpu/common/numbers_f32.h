/* The numbers of files that are written for f32 and f64 alike, here f32; numbers_f64.h has their twins. */
#ifndef SPUSK_NUMBERS_F32_H
#define SPUSK_NUMBERS_F32_H

#include "backends/cpu/common/f32.h"

typedef float number;
typedef vf vector;
typedef vi mask;
enum { LANES = LANES_f32 };

SP__INLINE vector splat(number x)
{
    return splat_f32(x);
}

SP__INLINE vector fused(vector a, vector b, vector c)
{
    return sp__fma_f32(a, b, c);
}

SP__INLINE vector choose(mask m, vector a, vector b)
{
    return select_f32(m, a, b);
}

SP__INLINE vector magnitude(vector x)
{
    return magnitude_f32(x);
}

SP__INLINE vector root(vector x)
{
    return root_f32(x);
}

SP__INLINE vector load_number(const number *p, int64_t n)
{
    return load_f32(p, n);
}

#endif

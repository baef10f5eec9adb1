/* The numbers of files that are written for f32 and f64 alike, here f64; numbers_f32.h has their twins. */
#ifndef SPUSK_NUMBERS_F64_H
#define SPUSK_NUMBERS_F64_H

#include "backends/cpu/common/f64.h"

typedef double number;
typedef vd vector;
typedef mask_f64 mask;
enum { LANES = LANES_f64 };

SP__INLINE vector splat(number x)
{
    return splat_f64(x);
}

SP__INLINE vector fused(vector a, vector b, vector c)
{
    return sp__fma_f64(a, b, c);
}

SP__INLINE vector choose(mask m, vector a, vector b)
{
    return select_f64(m, a, b);
}

SP__INLINE vector magnitude(vector x)
{
    return magnitude_f64(x);
}

SP__INLINE vector root(vector x)
{
    return root_f64(x);
}

SP__INLINE vector load_number(const number *p, int64_t n)
{
    return load_f64(p, n);
}

#endif

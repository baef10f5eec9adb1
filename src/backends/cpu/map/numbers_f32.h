/* What maps of f32 and of bf16 compute with: see formulas_vector.h. */
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

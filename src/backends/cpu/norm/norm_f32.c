/* Normalisation in f32. */
#include "backends/cpu/norm/halves_f32.h"

typedef float element;

SP__INLINE vector load(const element *p, int64_t n)
{
    return load_f32(p, n);
}

SP__INLINE void store(element *p, vector x, int64_t n)
{
    store_f32(p, x, n);
}

SP__INLINE vector rounded(vector x)
{
    return x;
}

#include "backends/cpu/norm/columns.h"
#include "backends/cpu/norm/runs.h"

const sp__norm_loops SP__HERE(sp__norm_f32) = NORM_LOOPS;

/* Normalisation in bf16: what f32 computes, rounded once. */
#include "backends/cpu/common/bf16.h"
#include "backends/cpu/norm/halves_f32.h"

typedef sp__bf16 element;

SP__INLINE vector load(const element *p, int64_t n)
{
    return from_bf16(load_halves(p, n));
}

SP__INLINE void store(element *p, vector x, int64_t n)
{
    store_halves(p, to_bf16(x), n);
}

SP__INLINE vector rounded(vector x)
{
    return from_bf16(to_bf16(x));
}

#include "backends/cpu/norm/columns.h"
#include "backends/cpu/norm/runs.h"

const sp__norm_loops SP__HERE(sp__norm_bf16) = NORM_LOOPS;

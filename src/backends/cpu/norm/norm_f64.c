/* Normalisation in f64. */
#include "backends/cpu/common/numbers_f64.h"

typedef double element;
enum { HALVES = 1 };

SP__INLINE vd widened(vector x, int half)
{
    (void)half;
    return x;
}

SP__INLINE vector load(const element *p, int64_t n)
{
    return load_f64(p, n);
}

SP__INLINE void store(element *p, vector x, int64_t n)
{
    store_f64(p, x, n);
}

SP__INLINE vector rounded(vector x)
{
    return x;
}

#include "backends/cpu/norm/columns.h"
#include "backends/cpu/norm/runs.h"

const sp__norm_loops SP__HERE(sp__norm_f64) = NORM_LOOPS;

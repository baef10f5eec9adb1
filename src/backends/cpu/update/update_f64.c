/* Updates of f64: the reference's loops, of which the compiler makes vectors. */
#include "backends/cpu/common/simd.h"

typedef double number;

SP__INLINE number fused(number a, number b, number c)
{
    return sp__fma_one_f64(a, b, c);
}

#include "rules.h"

void SP__HERE(sp__update_f64)(const sp__update *call, int64_t first, int64_t last)
{
    run_rule(call, first, last);
}

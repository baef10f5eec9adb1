/* The loops of the eigenproblem: the reference's, of which the compiler makes vectors. */
#include "backends/cpu/common/simd.h"

SP__INLINE double fused(double a, double b, double c)
{
    return sp__fma_one_f64(a, b, c);
}

#include "loops.h"

const sp__eigh_loops SP__HERE(sp__eigh_f64) = {update, rotate, reflect};

/* The loops of the eigenproblem: the reference's, of which the compiler makes vectors. */
#include "backends/cpu/common/simd.h"
#include "loops.h"

const sp__eigh_loops SP__HERE(sp__eigh_f64) = {update, rotate, reflect};

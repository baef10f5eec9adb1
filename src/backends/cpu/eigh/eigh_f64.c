/* The loops of the eigenproblem: the reference's, for the compiler to make vectors of. */
#include "backends/cpu/common/simd.h"

#define NAME SP__HERE(sp__eigh_f64)
#include "loops.inc.h"

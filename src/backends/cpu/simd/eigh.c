/* The loops of the eigenproblem: the reference's, for the compiler to make vectors of. */
#include "backends/cpu/simd/simd.h"

#define NAME SP__HERE(sp__eigh_f64)
#include "backends/cpu/reference/eigh.inc.h"

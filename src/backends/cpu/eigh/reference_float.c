/* The loops of the eigenproblem, which is solved in f64 whatever the dtype. */
#include "backends/cpu/common/element.h"
#include "backends/cpu/reference.h"

#if defined(SP_ELEMENT_F64)
static inline double fused(double a, double b, double c)
{
    return a * b + c;
}

#include "loops.h"

const sp__eigh_loops sp__eigh_f64 = {update, rotate, reflect};
#endif

/* One step of an optimiser in one pass: the reference's loops, for the compiler to make vectors of. */
#include "backends/cpu/common/simd.h"
#include <math.h>

#define T float
#define M(name) name##f
#define FN(name) SP__HERE(name##_f32)
#include "rules.inc.h"

#define T double
#define M(name) name
#define FN(name) SP__HERE(name##_f64)
#include "rules.inc.h"

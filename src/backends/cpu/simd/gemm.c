/* Matrix products in f32 and f64, by vectors of the level's length. */
#include "backends/cpu/simd/simd.h"

#define T float
#define FN(name) name##_f32
#include "gemm.inc.h"

#define T double
#define FN(name) name##_f64
#include "gemm.inc.h"

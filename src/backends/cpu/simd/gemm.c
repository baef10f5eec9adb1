/* Matrix products in f32 and f64, by vectors of the level's length. */
#include "backends/cpu/simd/simd.h"

#define T float
#define I int32_t
#define LOWER SP__LOWER_F32
#define UPPER SP__UPPER_F32
#define FN(name) name##_f32
#include "gemm.inc.h"

#define T double
#define I int64_t
#define LOWER SP__LOWER_F64
#define UPPER SP__UPPER_F64
#define FN(name) name##_f64
#include "gemm.inc.h"

/* Reductions of f32 and f64 by vectors; all add in f64. */
#include "backends/cpu/simd/f64.h"
#include <math.h>

typedef float narrow __attribute__((vector_size(SP__VECTOR_BYTES / 2), aligned(4), may_alias));

#define T float
#define FN(name) name##_f32
#define WIDE(p) __builtin_convertvector(*(const narrow *)(p), vd)
#define DTYPE SP_F32
#define TABLE SP__HERE(sp__fold_f32)
#include "reduce.inc.h"

#define T double
#define FN(name) name##_f64
#define WIDE(p) (*(const vd *)(p))
#define DTYPE SP_F64
#define TABLE SP__HERE(sp__fold_f64)
#include "reduce.inc.h"

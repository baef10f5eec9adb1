/* Vectors of f64. */
#ifndef SPUSK_F64_H
#define SPUSK_F64_H

#include "backends/cpu/common/simd.h"

#define T double
#define I int64_t
#define FN(name) name##_f64
#define ROOT(x) __builtin_sqrt(x)
#include "vector.inc.h"
#undef T
#undef I
#undef FN
#undef ROOT

typedef vector_f64 vd;

#endif

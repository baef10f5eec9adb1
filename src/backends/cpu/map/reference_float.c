/* The map kernels of f32, f64 and bf16, which computes in f32 and rounds once at the end. */
#include "backends/cpu/reference.h"
#include <math.h>

#define T float
#define C float
#define LOAD(p) (*(const float *)(p))
#define STORE(p, c) (*(float *)(p) = (c))
#define PARAM(x) ((float)(x))
#define FN(name) name##_f32
#define M(name) name##f
#define TABLE sp__map_f32
#include "reference_float.inc.h"

#define T double
#define C double
#define LOAD(p) (*(const double *)(p))
#define STORE(p, c) (*(double *)(p) = (c))
#define PARAM(x) (x)
#define FN(name) name##_f64
#define M(name) name
#define TABLE sp__map_f64
#include "reference_float.inc.h"

#define T sp__bf16
#define C float
#define LOAD(p) sp__from_bf16(*(const sp__bf16 *)(p))
#define STORE(p, c) (*(sp__bf16 *)(p) = sp__to_bf16(c))
#define PARAM(x) ((float)(x))
#define FN(name) name##_bf16
#define M(name) name##f
#define TABLE sp__map_bf16
#include "reference_float.inc.h"

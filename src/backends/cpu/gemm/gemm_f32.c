/* Matrix products in f32 and f64, by vectors of the level's length. */
#include "backends/cpu/common/f32.h"
#include "backends/cpu/common/f64.h"

#define T float
#define I int32_t
#define S float
#define APART 0
#define STEP 1
#define LOWER SP__LOWER_F32
#define UPPER SP__UPPER_F32
#define ACCUMULATE(sum, a, b) ((sum) += (a) * (b))
#define SPIN(sum, x, y) ((sum) = (sum) * (y) + (x))
#define FETCH(p, n) load_f32(p, n)
#define KEEP(p, x, n) store_f32(p, x, n)
#define FROM_S(x) (x)
#define TO_S(x) (x)
#define UNITS(p, n) load_f32(p, n)
#define ACROSS(p, next, n, left) ((void)(next), (void)(left), load_f32(p, n))
#define FN(name) product_##name##_f32
#define ENTRY(name) name##_f32
#include "gemm.inc.h"

#define T double
#define I int64_t
#define S double
#define APART 0
#define STEP 1
#define LOWER SP__LOWER_F64
#define UPPER SP__UPPER_F64
#define ACCUMULATE(sum, a, b) ((sum) += (a) * (b))
#define SPIN(sum, x, y) ((sum) = (sum) * (y) + (x))
#define FETCH(p, n) load_f64(p, n)
#define KEEP(p, x, n) store_f64(p, x, n)
#define FROM_S(x) (x)
#define TO_S(x) (x)
#define UNITS(p, n) load_f64(p, n)
#define ACROSS(p, next, n, left) ((void)(next), (void)(left), load_f64(p, n))
#define FN(name) product_##name##_f64
#define ENTRY(name) name##_f64
#include "gemm.inc.h"

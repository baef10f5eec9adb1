/* Reductions, block by block. Floats add in f64, integers in i64 and wrap. */
#include "backends/cpu/reference.h"
#include <math.h>

#define WRAP(a, op, b) ((int64_t)((uint64_t)(a)op(uint64_t)(b)))

#define TABLE_ROWS                                                                                                     \
    [SP__FOLD_SUM] = FN(sum), [SP__FOLD_PROD] = FN(prod), [SP__FOLD_MAX] = FN(max), [SP__FOLD_MIN] = FN(min),          \
    [SP__FOLD_ANY] = FN(any), [SP__FOLD_ALL] = FN(all), [SP__FOLD_ARGMAX] = FN(argmax), [SP__FOLD_ARGMIN] = FN(argmin)
#define FLOAT_ROWS                                                                                                     \
    [SP__FOLD_DEVIATION] = FN(deviation), [SP__FOLD_EXP] = FN(exp), [SP__FOLD_ABS] = FN(abs),                          \
    [SP__FOLD_SQUARE] = FN(square), [SP__FOLD_POWER] = FN(power), [SP__FOLD_NONZERO] = FN(nonzero),                    \
    [SP__FOLD_MAX_ABS] = FN(max_abs), [SP__FOLD_MIN_ABS] = FN(min_abs)

/* ---- floating point ---- */

#define V double
#define FIELD f
#define ADD(a, b) ((a) + (b))
#define MUL(a, b) ((a) * (b))
#define SUM_STEP value = ADD(value, x)

#define LOAD(p) ((double)*(const float *)(p))
#define FN(name) name##_f32
#include "reference.inc.h"
#include "reference_float.inc.h"
sp__fold_run *const sp__fold_f32[SP__FOLD_COUNT] = {TABLE_ROWS, FLOAT_ROWS};
#include "reference_end.inc.h"

/* There is no wider type to add f64 in: what each addition loses is kept. */
#undef SUM_STEP
#define SUM_STEP value = sp__add_exactly(value, x, &cell->also.f)
#define LOAD(p) (*(const double *)(p))
#define FN(name) name##_f64
#include "reference.inc.h"
#include "reference_float.inc.h"
sp__fold_run *const sp__fold_f64[SP__FOLD_COUNT] = {TABLE_ROWS, FLOAT_ROWS};
#include "reference_end.inc.h"

#undef SUM_STEP
#define SUM_STEP value = ADD(value, x)
#define LOAD(p) ((double)sp__from_bf16(*(const sp__bf16 *)(p)))
#define FN(name) name##_bf16
#include "reference.inc.h"
#include "reference_float.inc.h"
sp__fold_run *const sp__fold_bf16[SP__FOLD_COUNT] = {TABLE_ROWS, FLOAT_ROWS};
#include "reference_end.inc.h"

/* ---- integers ---- */

#undef V
#undef FIELD
#undef ADD
#undef MUL
#define V int64_t
#define FIELD i
#define ADD(a, b) WRAP(a, +, b)
#define MUL(a, b) WRAP(a, *, b)

#define LOAD(p) (*(const int64_t *)(p))
#define FN(name) name##_i64
#include "reference.inc.h"
sp__fold_run *const sp__fold_i64[SP__FOLD_COUNT] = {TABLE_ROWS};
#include "reference_end.inc.h"

#define LOAD(p) ((int64_t) * (const int32_t *)(p))
#define FN(name) name##_i32
#include "reference.inc.h"
sp__fold_run *const sp__fold_i32[SP__FOLD_COUNT] = {TABLE_ROWS};
#include "reference_end.inc.h"

#define LOAD(p) ((int64_t) * (const uint8_t *)(p))
#define FN(name) name##_u8
#include "reference.inc.h"
sp__fold_run *const sp__fold_u8[SP__FOLD_COUNT] = {TABLE_ROWS};
#include "reference_end.inc.h"

#define LOAD(p) ((int64_t)(*(const uint8_t *)(p) != 0))
#define FN(name) name##_bool
#include "reference.inc.h"
sp__fold_run *const sp__fold_bool[SP__FOLD_COUNT] = {TABLE_ROWS};

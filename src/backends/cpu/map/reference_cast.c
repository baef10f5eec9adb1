/* Casts: every dtype to every dtype. Floating point to integers truncates; what does not fit gives what x86's
 * instruction gives, the smallest number, and so u8 takes the low bits of the i64. */
#include "backends/cpu/reference.h"

#define TO_I64(x) sp__to_i64((double)(x))
#define TO_I32(x) sp__to_i32((double)(x))
#define TO_U8(x) (uint8_t) sp__to_i64((double)(x))

#define C float
#define LOAD(p) (*(const float *)(p))
#define FN(to) f32_##to
#define TABLE sp__cast_f32
#include "reference_cast.inc.h"

#define C double
#define LOAD(p) (*(const double *)(p))
#define FN(to) f64_##to
#define TABLE sp__cast_f64
#include "reference_cast.inc.h"

#define C float
#define LOAD(p) sp__from_bf16(*(const sp__bf16 *)(p))
#define FN(to) bf16_##to
#define TABLE sp__cast_bf16
#include "reference_cast.inc.h"

#undef TO_I64
#undef TO_I32
#undef TO_U8
#define TO_I64(x) (int64_t)(x)
#define TO_I32(x) (int32_t)(x)
#define TO_U8(x) (uint8_t)(x)

#define C int64_t
#define LOAD(p) (*(const int64_t *)(p))
#define FN(to) i64_##to
#define TABLE sp__cast_i64
#include "reference_cast.inc.h"

#define C int32_t
#define LOAD(p) (*(const int32_t *)(p))
#define FN(to) i32_##to
#define TABLE sp__cast_i32
#include "reference_cast.inc.h"

#define C uint8_t
#define LOAD(p) (*(const uint8_t *)(p))
#define FN(to) u8_##to
#define TABLE sp__cast_u8
#include "reference_cast.inc.h"

#define C bool
#define LOAD(p) (*(const uint8_t *)(p) != 0)
#define FN(to) bool_##to
#define TABLE sp__cast_bool
#include "reference_cast.inc.h"

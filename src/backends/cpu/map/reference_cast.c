/* Casts from one element type to every dtype. Floating point to integers truncates. What does not fit gives what x86's
 * instruction gives, the smallest number, and so u8 takes the lower bits of the i64. */
#include "backends/cpu/common/element.h"
#include "backends/cpu/reference.h"

static inline int64_t to_i64(number x)
{
    return FLOATING ? sp__to_i64((double)x) : (int64_t)x;
}

static inline int32_t to_i32(number x)
{
    return FLOATING ? sp__to_i32((double)x) : (int32_t)x;
}

#define CAST(to, type, value)                                                                                          \
    static void cast_to_##to(char *const *data, const int64_t *s, int64_t n, const double *params)                     \
    {                                                                                                                  \
        (void)params;                                                                                                  \
        for (int64_t i = 0; i < n; i++) {                                                                              \
            const number x = load(data[1] + i * s[1]);                                                                 \
            *(type *)(data[0] + i * s[0]) = (value);                                                                   \
        }                                                                                                              \
    }

CAST(f32, float, (float)x)
CAST(f64, double, (double)x)
CAST(bf16, sp__bf16, sp__to_bf16((float)x))
CAST(i64, int64_t, to_i64(x))
CAST(i32, int32_t, to_i32(x))
CAST(u8, uint8_t, (uint8_t)to_i64(x))
CAST(truth, uint8_t, x != 0)

sp__loop *const SP__OF(sp__cast)[SP_DTYPE_COUNT] = {
    [SP_F32] = cast_to_f32, [SP_F64] = cast_to_f64, [SP_BF16] = cast_to_bf16,  [SP_I64] = cast_to_i64,
    [SP_I32] = cast_to_i32, [SP_U8] = cast_to_u8,   [SP_BOOL] = cast_to_truth,
};

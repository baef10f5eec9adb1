/* Casts between f32 and bf16, u8 and bool, by vectors. */
#include "backends/cpu/common/bf16.h"
#include "backends/cpu/map/bools.h"

enum { LANES = LANES_f32 };

/* A repeated input is repeated once, into a vector. */
#define CAST(name, from, lanes, to, formula)                                                                           \
    static void name(char *const *data, const int64_t *s, int64_t n, const double *params)                             \
    {                                                                                                                  \
        (void)params;                                                                                                  \
        const from *in = (const from *)data[1];                                                                        \
        to *out = (to *)data[0];                                                                                       \
        from again[LANES];                                                                                             \
        for (int i = 0; s[1] == 0 && i < LANES; i++) again[i] = *in;                                                   \
        for (int64_t i = 0; i < n; i += LANES) {                                                                       \
            const int64_t left = n - i < LANES ? n - i : LANES;                                                        \
            lanes x = {0};                                                                                             \
            if (s[1] == 0)                                                                                             \
                memcpy(&x, again, sizeof x);                                                                           \
            else if (left == LANES)                                                                                    \
                x = *(const lanes *)(in + i);                                                                          \
            else                                                                                                       \
                memcpy(&x, in + i, (size_t)left * sizeof *in);                                                         \
            __typeof__(formula) y = formula;                                                                           \
            /* __typeof__ keeps no typedef's alignment, so a plain store would ask for more than there is. */          \
            if (left == LANES)                                                                                         \
                memcpy(out + i, &y, sizeof y);                                                                         \
            else                                                                                                       \
                memcpy(out + i, &y, (size_t)left * sizeof *out);                                                       \
        }                                                                                                              \
    }

CAST(f32_to_bf16, float, vf, sp__bf16, to_bf16(x))
CAST(bf16_to_f32, sp__bf16, halves, float, from_bf16(x))
CAST(u8_to_f32, uint8_t, bytes, float, __builtin_convertvector(widened(x), vf))
CAST(bool_to_f32, uint8_t, bytes, float, (vf)((widened(x) != 0) & (vi)splat_f32(1)))

sp__loop *const SP__HERE(sp__cast_f32)[SP_DTYPE_COUNT] = {[SP_BF16] = f32_to_bf16};
sp__loop *const SP__HERE(sp__cast_bf16)[SP_DTYPE_COUNT] = {[SP_F32] = bf16_to_f32};
sp__loop *const SP__HERE(sp__cast_u8)[SP_DTYPE_COUNT] = {[SP_F32] = u8_to_f32};
sp__loop *const SP__HERE(sp__cast_bool)[SP_DTYPE_COUNT] = {[SP_F32] = bool_to_f32};

/* Element by element in f32, with its own exp, log, tanh and logistic function, and to and from bf16. */
#include "backends/cpu/simd/bf16.h"

#define T float
#define V vf
#define FN(name) name##_f32
#define ZERO splat_f32(0.0f)
#define ONE splat_f32(1.0f)
#include "map.inc.h"

UNARY(exp_row, exp_f32(x))
UNARY(log_row, log_f32(x))
UNARY(tanh_row, tanh_f32(x))
UNARY(sigmoid_row, sigmoid_f32(x))
UNARY(silu_row, x *sigmoid_f32(x))
/* √(2/π)·(x + 0.044715·x³) */
UNARY(gelu_tanh_row, 0.5f * x * (ONE + tanh_f32(0.79788456080286535588f * (x + 0.044715f * x * x * x))))

sp__loop *const SP__HERE(sp__map_f32)[SP__MAP_COUNT] = {
    SIMPLE_ROWS,
    [SP__EXP] = exp_row_f32,
    [SP__LOG] = log_row_f32,
    [SP__TANH] = tanh_row_f32,
    [SP__SIGMOID] = sigmoid_row_f32,
    [SP__SILU] = silu_row_f32,
    [SP__GELU_TANH] = gelu_tanh_row_f32,
};

/* ---- casts ---- */

enum { LANES = LANES_f32 };
typedef uint8_t bytes __attribute__((vector_size(SP__VECTOR_BYTES / 4), aligned(1), may_alias));

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
CAST(u8_to_f32, uint8_t, bytes, float, __builtin_convertvector(__builtin_convertvector(x, vi), vf))

sp__loop *const SP__HERE(sp__cast_f32)[SP_DTYPE_COUNT] = {[SP_BF16] = f32_to_bf16};
sp__loop *const SP__HERE(sp__cast_bf16)[SP_DTYPE_COUNT] = {[SP_F32] = bf16_to_f32};
sp__loop *const SP__HERE(sp__cast_u8)[SP_DTYPE_COUNT] = {[SP_F32] = u8_to_f32};

/* Element by element in f32, with its own exp, log and so on, and to and from bf16. */
#include "backends/cpu/common/bf16.h"
#include "backends/cpu/common/f32_circle.h"
#include "backends/cpu/common/f32_normal.h"

#define T float
#define V vf
#define FN(name) name##_f32
#define ZERO splat_f32(0.0f)
#define ONE splat_f32(1.0f)
#include "map.inc.h"

UNARY(exp_row, exp_f32(x))
UNARY(expm1_row, expm1_f32(x))
UNARY(log_row, log_f32(x))
UNARY(log1p_row, log1p_f32(x))
UNARY(sin_row, circle_f32(x, 0, sinf))
UNARY(cos_row, circle_f32(x, 1, cosf))
UNARY(tanh_row, tanh_f32(x))
UNARY(sigmoid_row, sigmoid_f32(x))
UNARY(sign, select_f32(x > 0, ONE, (vf)((vi)splat_f32(-1.0f) & (x < 0))))
UNARY(floor_row, floor_f32(x))
UNARY(ceil_row, ceil_f32(x))
UNARY(round_row, rint_f32(x))
UNARY(silu_row, x *sigmoid_f32(x))
UNARY(erf_row, erf_f32(x))
UNARY(softplus_row, select_f32(x *p > q, x, softplus_f32(x *p) * (1.0f / p)))
UNARY(elu, select_f32(x > 0, x, expm1_f32(x) * p))
UNARY(gelu_row, gelu_f32(x))
/* x·(1 + tanh u)/2 = x·σ(2u), u = √(2/π)·(x + 0.044715·x³) */
UNARY(gelu_tanh_row, x *sigmoid_f32(1.59576912160573071176f * (x + 0.044715f * x * x * x)))
UNARY(clamp, at_most_f32((float)params[1], at_least_f32((float)params[0], x)))

BINARY(lerp, select_f32(magnitude_f32(p) < 0.5f, x + p * (y - x), y - (y - x) * (ONE - p)))

/* Gradients: x is the one that came, y the activation's input. */
SP__INLINE vf gelu_tanh_slope(vf y)
{
    const vf z = y * y, s = sigmoid_f32(1.59576912160573071176f * (y + 0.044715f * y * z));
    return s + s * ((1.0f - s) * y) * (1.59576912160573071176f * (1.0f + 0.134145f * z));
}

SP__INLINE vf silu_slope(vf y)
{
    const vf s = sigmoid_f32(y);
    return s * (1.0f + y * (1.0f - s));
}

BINARY(gelu_backward, x *gelu_slope_f32(y))
BINARY(gelu_tanh_backward, x *gelu_tanh_slope(y))
BINARY(silu_backward, x *silu_slope(y))
BINARY(softplus_backward, select_f32(y *p > q, x, x *sigmoid_f32(y *p)))
BINARY(leaky_relu_backward, select_f32(y > 0, x, x *p))
BINARY(elu_backward, select_f32(y <= 0, x *p *exp_f32(y), x))

/* Of a logit x and its target y. */
SP__INLINE vf bce_logits_slope(vf x, vf y)
{
    const vf s = sigmoid_f32(-magnitude_f32(x));
    return select_f32(x > 0, (1.0f - y) - s, s - y);
}

BINARY(bce_logits, select_f32(x > 0, x *(ONE - y), -x *y) + softplus_f32(-magnitude_f32(x)))
BINARY(bce_logits_backward, bce_logits_slope(x, y))

TERNARY(addcmul, x + p * y * z)
TERNARY(addcdiv, x + p * y / z)
TERNARY(lerp_tensor, select_f32(magnitude_f32(z) < 0.5f, x + z * (y - x), y - (y - x) * (ONE - z)))

/* ---- powers: those that are a product or two, else libm's ---- */

UNARY(cube, x *x *x)
UNARY(inverse_square, ONE / (x * x))

static void power(char *const *data, const int64_t *s, int64_t n, const double *params)
{
    sp__loop *run = params[0] == 3 ? cube_f32 : params[0] == -2 ? inverse_square_f32 : NULL;
    if (!run) run = sp__reference.of[SP_F32].map[SP__POW_SCALAR];
    run(data, s, n, params);
}

/* ---- bools, a byte each ---- */

enum { LANES = LANES_f32 };
typedef uint8_t bytes __attribute__((vector_size(SP__VECTOR_BYTES / 4), aligned(1), may_alias));

/* In two steps: gcc makes one of both element by element. */
SP__INLINE vi widened(bytes x)
{
    typedef uint16_t words16 __attribute__((vector_size(SP__VECTOR_BYTES / 2)));
    return __builtin_convertvector(__builtin_convertvector(x, words16), vi);
}

SP__INLINE void store_mask(char *p, vi mask, int64_t n)
{
    const bytes x = __builtin_convertvector(mask & 1, bytes);
    if (n >= LANES)
        memcpy(p, &x, sizeof x);
    else
        memcpy(p, &x, (size_t)n);
}

SP__INLINE bytes load_bytes(const char *p, int64_t n)
{
    if (n >= LANES) return *(const bytes *)p;
    bytes x = {0};
    memcpy(&x, p, (size_t)n);
    return x;
}

#define COMPARE(name, formula)                                                                                         \
    static void name(char *const *data, const int64_t *s, int64_t n, const double *params)                             \
    {                                                                                                                  \
        vf again[2];                                                                                                   \
        (void)params;                                                                                                  \
        input_f32 a = open_input_f32(data[1], s[1], &again[0]), b = open_input_f32(data[2], s[2], &again[1]);          \
        for (char *out = data[0]; n > 0; n -= LANES, out += LANES, a.p += a.step, b.p += b.step) {                     \
            const vf x = load_f32(a.p, n), y = load_f32(b.p, n);                                                       \
            store_mask(out, formula, n);                                                                               \
        }                                                                                                              \
    }

/* One input: compared with itself. */
#define TEST(name, formula)                                                                                            \
    COMPARE(name##_both, ((void)y, formula))                                                                           \
    static void name(char *const *data, const int64_t *s, int64_t n, const double *params)                             \
    {                                                                                                                  \
        name##_both((char *[]){data[0], data[1], data[1]}, (const int64_t[]){s[0], s[1], s[1]}, n, params);            \
    }

COMPARE(eq, x == y)
COMPARE(ne, x != y)
COMPARE(lt, x < y)
COMPARE(le, x <= y)
COMPARE(gt, x > y)
COMPARE(ge, x >= y)
TEST(isnan_row, x != x)
TEST(isinf_row, magnitude_f32(x) > 3.402823466e38f)
TEST(isfinite_row, magnitude_f32(x) <= 3.402823466e38f)

static void where(char *const *data, const int64_t *s, int64_t n, const double *params)
{
    vf again[2];
    bytes chosen = {0};
    (void)params;
    if (!s[1]) chosen += *(const uint8_t *)data[1];
    const char *mask = s[1] ? data[1] : (const char *)&chosen;
    input_f32 a = open_input_f32(data[2], s[2], &again[0]), b = open_input_f32(data[3], s[3], &again[1]);
    for (char *out = data[0]; n > 0; n -= LANES, out += SP__VECTOR_BYTES, mask += s[1] * LANES) {
        store_f32(out, select_f32(widened(load_bytes(mask, n)) != 0, load_f32(a.p, n), load_f32(b.p, n)), n);
        a.p += a.step, b.p += b.step;
    }
}

sp__loop *const SP__HERE(sp__map_f32)[SP__MAP_COUNT] = {
    SIMPLE_ROWS,
    [SP__EXP] = exp_row_f32,
    [SP__EXPM1] = expm1_row_f32,
    [SP__LOG] = log_row_f32,
    [SP__LOG1P] = log1p_row_f32,
    [SP__SIN] = sin_row_f32,
    [SP__COS] = cos_row_f32,
    [SP__TANH] = tanh_row_f32,
    [SP__SIGMOID] = sigmoid_row_f32,
    [SP__SIGN] = sign_f32,
    [SP__FLOOR] = floor_row_f32,
    [SP__CEIL] = ceil_row_f32,
    [SP__ROUND] = round_row_f32,
    [SP__SILU] = silu_row_f32,
    [SP__ERF] = erf_row_f32,
    [SP__SOFTPLUS] = softplus_row_f32,
    [SP__ELU] = elu_f32,
    [SP__GELU] = gelu_row_f32,
    [SP__GELU_TANH] = gelu_tanh_row_f32,
    [SP__CLAMP] = clamp_f32,
    [SP__POW_SCALAR] = power,
    [SP__LERP] = lerp_f32,
    [SP__GELU_BACKWARD] = gelu_backward_f32,
    [SP__GELU_TANH_BACKWARD] = gelu_tanh_backward_f32,
    [SP__SILU_BACKWARD] = silu_backward_f32,
    [SP__SOFTPLUS_BACKWARD] = softplus_backward_f32,
    [SP__LEAKY_RELU_BACKWARD] = leaky_relu_backward_f32,
    [SP__ELU_BACKWARD] = elu_backward_f32,
    [SP__BCE_LOGITS] = bce_logits_f32,
    [SP__BCE_LOGITS_BACKWARD] = bce_logits_backward_f32,
    [SP__ADDCMUL] = addcmul_f32,
    [SP__ADDCDIV] = addcdiv_f32,
    [SP__LERP_TENSOR] = lerp_tensor_f32,
    [SP__EQ] = eq,
    [SP__NE] = ne,
    [SP__LT] = lt,
    [SP__LE] = le,
    [SP__GT] = gt,
    [SP__GE] = ge,
    [SP__ISNAN] = isnan_row,
    [SP__ISINF] = isinf_row,
    [SP__ISFINITE] = isfinite_row,
    [SP__WHERE] = where,
};

/* ---- casts ---- */

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
CAST(bool_to_f32, uint8_t, bytes, float, (vf)((widened(x) != 0) & (vi)ONE))

sp__loop *const SP__HERE(sp__cast_f32)[SP_DTYPE_COUNT] = {[SP_BF16] = f32_to_bf16};
sp__loop *const SP__HERE(sp__cast_bf16)[SP_DTYPE_COUNT] = {[SP_F32] = bf16_to_f32};
sp__loop *const SP__HERE(sp__cast_u8)[SP_DTYPE_COUNT] = {[SP_F32] = u8_to_f32};
sp__loop *const SP__HERE(sp__cast_bool)[SP_DTYPE_COUNT] = {[SP_F32] = bool_to_f32};

/* Element by element in f32, with exp, log and so on of its own. */
#include "backends/cpu/common/f32_circle.h"
#include "backends/cpu/common/f32_normal.h"
#include "backends/cpu/common/f32_power.h"
#include "backends/cpu/common/numbers_f32.h"
#include "backends/cpu/map/bools.h"

typedef float element;

SP__INLINE vector load(const char *p, int64_t n)
{
    return load_f32(p, n);
}

SP__INLINE void store(char *p, vector x, int64_t n)
{
    store_f32(p, x, n);
}

SP__INLINE void store_BOOL(char *p, mask x, int64_t n)
{
    store_mask(p, x, n);
}

#include "backends/cpu/map/formulas_logic.h"
#include "backends/cpu/map/formulas_vector.h"

SP__INLINE vector sign_of(vector x)
{
    return choose(x > 0, splat(1), (vector)((vi)splat(-1) & (x < 0)));
}

SP__INLINE vector sin_of(vector x)
{
    return circle_f32(x, 0, sinf);
}

SP__INLINE vector cos_of(vector x)
{
    return circle_f32(x, 1, cosf);
}

SP__INLINE vector silu_of(vector x)
{
    return x * sigmoid_f32(x);
}

SP__INLINE vector softplus_of(vector x, vector p, vector q)
{
    return choose(x * p > q, x, softplus_f32(x * p) * (1.0f / p));
}

SP__INLINE vector elu_of(vector x, vector p)
{
    return choose(x > 0, x, expm1_f32(x) * p);
}

/* x·(1 + tanh u)/2 = x·σ(2u), u = √(2/π)·(x + 0.044715·x³) */
SP__INLINE vector gelu_tanh_of(vector x)
{
    return x * sigmoid_f32(1.59576912160573071176f * fused(0.044715f * x, x * x, x));
}

SP__INLINE vector clamp_of(vector x, vector p, vector q)
{
    return smaller_f32(q, larger_f32(p, x));
}

SP__INLINE vector smooth_l1_of(vector x, vector p, vector q)
{
    const vector size = magnitude(x);
    return choose(size < p, size * size * q, size - 0.5f * p);
}

/* ---- tests and comparisons ---- */

SP__INLINE mask isnan_of(vector x)
{
    return x != x;
}

SP__INLINE mask isinf_of(vector x)
{
    return magnitude(x) > 3.402823466e38f;
}

SP__INLINE mask isfinite_of(vector x)
{
    return magnitude(x) <= 3.402823466e38f;
}

SP__INLINE mask eq_of(vector x, vector y)
{
    return x == y;
}

SP__INLINE mask ne_of(vector x, vector y)
{
    return x != y;
}

SP__INLINE mask lt_of(vector x, vector y)
{
    return x < y;
}

SP__INLINE mask le_of(vector x, vector y)
{
    return x <= y;
}

SP__INLINE mask gt_of(vector x, vector y)
{
    return x > y;
}

SP__INLINE mask ge_of(vector x, vector y)
{
    return x >= y;
}

/* ---- backward: x is the gradient that came, y the input ---- */

SP__INLINE vector gelu_backward_of(vector x, vector y)
{
    return x * gelu_slope_f32(y);
}

SP__INLINE vector gelu_tanh_backward_of(vector x, vector y)
{
    const vector z = y * y, s = sigmoid_f32(1.59576912160573071176f * fused(0.044715f * y, z, y));
    const vector slope = 1.59576912160573071176f * horner_f32(splat(0.134145f), z, 1.0f);
    return x * fused(s * ((1.0f - s) * y), slope, s);
}

SP__INLINE vector silu_backward_of(vector x, vector y)
{
    const vector s = sigmoid_f32(y);
    return x * (s * horner_f32(y, 1.0f - s, 1.0f));
}

SP__INLINE vector softplus_backward_of(vector x, vector y, vector p, vector q)
{
    return choose(y * p > q, x, x * sigmoid_f32(y * p));
}

SP__INLINE vector leaky_relu_backward_of(vector x, vector y, vector p)
{
    return choose(y > 0, x, x * p);
}

SP__INLINE vector elu_backward_of(vector x, vector y, vector p)
{
    return choose(y <= 0, x * p * exp_f32(y), x);
}

/* Of a logit x and its target y. */
SP__INLINE vector bce_logits_of(vector x, vector y)
{
    return choose(x > 0, x * (1.0f - y), -x * y) + softplus_f32(-magnitude(x));
}

SP__INLINE vector bce_logits_backward_of(vector x, vector y)
{
    const vector s = sigmoid_f32(-magnitude(x));
    return choose(x > 0, (1.0f - y) - s, s - y);
}

/* ---- between two ---- */

SP__INLINE vector lerp_of(vector x, vector y, vector p)
{
    return choose(magnitude(p) < 0.5f, fused(p, y - x, x), fused(y - x, p - 1.0f, y));
}

SP__INLINE vector lerp_tensor_of(vector x, vector y, vector z)
{
    return lerp_of(x, y, z);
}

SP__INLINE vector addcmul_of(vector x, vector y, vector z, vector p)
{
    return fused(p * y, z, x);
}

SP__INLINE vector addcdiv_of(vector x, vector y, vector z, vector p)
{
    return x + p * y / z;
}

/* ---- powers by a number: some are a product or two ---- */

SP__INLINE vector cube_of(vector x)
{
    return x * x * x;
}

SP__INLINE vector inverse_square_of(vector x)
{
    return 1.0f / (x * x);
}

SP__INLINE vector power_of(vector x, vector y)
{
    return power_f32(x, y);
}

/* ---- the loops ---- */

#define F32(...) __VA_ARGS__
#define F32_F64(...) __VA_ARGS__
#define F32_BOOL(...) __VA_ARGS__
#define ALL(...) __VA_ARGS__
#include "backends/cpu/map/vector_loops.h"

LOOP_1(cube_of, SAME, (x))
LOOP_1(inverse_square_of, SAME, (x))
LOOP_1(power_f32, SAME, (x, p))

static void pow_scalar_loop(char *const *data, const int64_t *s, int64_t n, const double *params)
{
    sp__loop *run = params[0] == 3 ? cube_of_loop : params[0] == -2 ? inverse_square_of_loop : power_f32_loop;
    run(data, s, n, params);
}

static void where_loop(char *const *data, const int64_t *s, int64_t n, const double *params)
{
    _Alignas(SP__VECTOR_BYTES) element again[2][LANES];
    bytes chosen = {0};
    (void)params;
    if (!s[1]) chosen += *(const uint8_t *)data[1];
    const char *condition = s[1] ? data[1] : (const char *)&chosen;
    input a = open_input(data[2], s[2], again[0]), b = open_input(data[3], s[3], again[1]);
    for (char *out = data[0]; n > 0; n -= LANES, out += SP__VECTOR_BYTES, condition += s[1] * LANES) {
        store(out, choose(widened(load_bytes(condition, n)) != 0, load(a.p, n), load(b.p, n)), n);
        a.p += a.step, b.p += b.step;
    }
}

sp__loop *const SP__HERE(sp__map_f32)[SP__MAP_COUNT] = {
#define SP__VECTORS(KIND, formula, inputs, result, arguments, dtypes) dtypes([SP__##KIND] = formula##_loop, )
#include "backends/cpu/map/vector_kinds.h"
};

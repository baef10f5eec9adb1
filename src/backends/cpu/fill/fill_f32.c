/* Random numbers by vectors: Philox 4x32-10 of as many blocks as a vector has 64-bit lanes, and the fills of f32 and
 * bf16 that draw one word for an element. The numbers are those of sp__generator_block and of the reference to the last
 * bit, at every level: this file is compiled without contraction. */
#include "backends/cpu/common/bf16.h"
#include "backends/cpu/common/f64.h"
#if defined(__aarch64__)
#include <arm_neon.h>
#endif

enum { LANES = LANES_f32, BLOCKS = LANES / 2 };
typedef uint64_t lanes64 __attribute__((vector_size(SP__VECTOR_BYTES), aligned(8), may_alias));
typedef uint32_t words32 __attribute__((vector_size(SP__VECTOR_BYTES), aligned(4), may_alias));
typedef int32_t half_words __attribute__((vector_size(SP__VECTOR_BYTES / 2), aligned(4), may_alias));
typedef float half_floats __attribute__((vector_size(SP__VECTOR_BYTES / 2), aligned(4), may_alias));

/* The products of the lower halves of the lanes. */
SP__INLINE lanes64 multiply_lower(lanes64 a, uint32_t b)
{
#if defined(__AVX512F__)
    return (lanes64)_mm512_mul_epu32((__m512i)a, _mm512_set1_epi64(b));
#elif defined(__AVX2__)
    return (lanes64)_mm256_mul_epu32((__m256i)a, _mm256_set1_epi64x(b));
#elif defined(__aarch64__)
    return (lanes64)vmull_n_u32(vmovn_u64((uint64x2_t)a), b);
#else
    return (a & 0xFFFFFFFFu) * b;
#endif
}

SP__INLINE lanes64 xor3(lanes64 a, lanes64 b, uint64_t c)
{
#if defined(__AVX512F__)
    return (lanes64)_mm512_ternarylogic_epi64((__m512i)a, (__m512i)b, _mm512_set1_epi64((int64_t)c), 0x96);
#else
    return a ^ b ^ c;
#endif
}

/* What lies in the upper halves of c on the way does not matter: only lower halves are multiplied and kept. */
SP__INLINE void philox(lanes64 c[4], uint64_t seed)
{
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    SP__UNROLL
    for (int round = 0; round < 10; round++) {
        const lanes64 a = multiply_lower(c[0], 0xD2511F53u), b = multiply_lower(c[2], 0xCD9E8D57u);
        c[0] = xor3(b >> 32, c[1], k0);
        c[2] = xor3(a >> 32, c[3], k1);
        c[1] = b;
        c[3] = a;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
}

/* Two vectors of words: blocks position, position + 1, … one after the other. */
SP__INLINE void draw(uint64_t seed, uint64_t position, words32 out[2])
{
    static const union {
        uint64_t numbers[8];
        lanes64 vector;
    } first = {{0, 1, 2, 3, 4, 5, 6, 7}};
    const lanes64 at = first.vector + position;
    lanes64 c[4] = {at, at >> 32, {0}, {0}};
    philox(c, seed);
    const lanes64 low = (c[0] & 0xFFFFFFFFu) | c[1] << 32, high = (c[2] & 0xFFFFFFFFu) | c[3] << 32;
    out[0] = (words32)SP__SHUFFLE(low, high, lanes64, SP__LOWER_F64);
    out[1] = (words32)SP__SHUFFLE(low, high, lanes64, SP__UPPER_F64);
}

/* A fill's numbers as its rule reads them. */
typedef struct fill_rule {
    double a, range;    /* uniform: a + range·u in f64 */
    float limit, below; /* what reaches the limit becomes the number below; no limit where the range is not upward */
    bool limited;
    int32_t threshold; /* Bernoulli: scale where word >> 8 is less, that is where u < a */
    float scale;
} fill_rule;

static fill_rule rule_of(const sp__fill *call)
{
    const float b = (float)call->b;
    const double threshold = call->a * 0x1p24;
    return (fill_rule){.a = call->a,
                       .range = call->b - call->a,
                       .limit = b,
                       .below = (float)call->a < b ? nextafterf(b, -INFINITY) : (float)call->a,
                       .limited = call->a<call->b, .threshold = threshold> 0
                                      ? (int32_t)ceil(threshold < 0x1p24 ? threshold : 0x1p24)
                                      : 0,
                       .scale = b};
}

SP__INLINE half_floats uniform_half(const fill_rule *r, half_words drawn)
{
    const vd u = __builtin_convertvector(drawn, vd) * 0x1p-24;
    return __builtin_convertvector(r->a + r->range * u, half_floats);
}

SP__INLINE vf uniform_of(const fill_rule *r, words32 w)
{
    const words32 drawn = w >> 8;
    half_words parts[2];
    memcpy(parts, &drawn, sizeof drawn);
    const half_floats both[2] = {uniform_half(r, parts[0]), uniform_half(r, parts[1])};
    vf x;
    memcpy(&x, both, sizeof x);
    return r->limited ? select_f32(x >= r->limit, splat_f32(r->below), x) : x;
}

SP__INLINE vf bernoulli_of(const fill_rule *r, words32 w)
{
    return (vf)(((vi)(w >> 8) < r->threshold) & (vi)splat_f32(r->scale));
}

SP__INLINE void put_f32(char *out, int64_t i, vf x, int64_t left)
{
    store_f32((float *)(void *)out + i, x, left);
}

SP__INLINE void put_bf16(char *out, int64_t i, vf x, int64_t left)
{
    store_halves((sp__bf16 *)(void *)out + i, to_bf16(x), left);
}

/* Elements [first, last), two vectors at a time; a task begins at a whole block. */
SP__INLINE void run(const sp__fill *call, int64_t first, int64_t last, vf (*of)(const fill_rule *, words32),
                    void (*put)(char *, int64_t, vf, int64_t))
{
    const fill_rule rule = rule_of(call);
    char *out = sp__operand_at(&call->out);
    for (int64_t i = first; i < last; i += 2 * LANES) {
        words32 w[2];
        draw(call->seed, call->position + (uint64_t)i / 4, w);
        put(out, i, of(&rule, w[0]), last - i);
        if (last - i > LANES) put(out, i + LANES, of(&rule, w[1]), last - i - LANES);
    }
}

static void uniform(const sp__fill *call, int64_t first, int64_t last)
{
    run(call, first, last, uniform_of, put_f32);
}

static void bernoulli(const sp__fill *call, int64_t first, int64_t last)
{
    run(call, first, last, bernoulli_of, put_f32);
}

static void bernoulli_bf16(const sp__fill *call, int64_t first, int64_t last)
{
    run(call, first, last, bernoulli_of, put_bf16);
}

/* ---- normal numbers: sp__normal's formulas, in its order, so that each is the same to the last bit ---- */

/* Elements at a time; of those in the tails, some 15 %, a list is made and computed after. */
enum { PIECE = 512 };

/* c[0] + c[1]·x + … + c[n-1]·x^(n-1) */
SP__INLINE vd polynomial(const double *c, int n, vd x)
{
    vd sum = splat_f64(c[n - 1]);
    for (int i = n - 2; i >= 0; i--) sum = sum * x + c[i];
    return sum;
}

/* Two words as a uniform number in (0, 1): 52 bits and a half. The first word is the higher. */
SP__INLINE vd open_uniform(lanes64 two)
{
    const lanes64 bits = (two << 32 | two >> 32) >> 12 | 0x4330000000000000u; /* 2^52 + … */
    return (((vd)bits - 0x1p52) + 0.5) * 0x1p-52;
}

SP__INLINE vd normal_central(vd q)
{
    const vd r = 0.180625 - q * q;
    return q * polynomial(sp__normal_central[0], 8, r) / polynomial(sp__normal_central[1], 8, r);
}

SP__INLINE vd normal_log(vd x)
{
    lanes64 bits = (lanes64)x;
    lanes64 exponent = bits >> 52;
    vd m = (vd)((bits & 0xFFFFFFFFFFFFFull) | 0x3FF0000000000000ull);
    const mask_f64 high = m > 1.4142135623730951;
    m = select_f64(high, m * 0.5, m);
    exponent -= (lanes64)high;
    const vd e = (vd)(exponent | 0x4330000000000000u) - (0x1p52 + 1023); /* what follows 2^52 is a whole number */
    const vd s = (m - 1.0) / (m + 1.0), log_m = 2.0 * s * polynomial(sp__normal_log, 12, s * s);
    return e * 0x1.62e42fee00000p-1 + (e * 0x1.a39ef35793c76p-33 + log_m);
}

/* The uniform numbers p, none central. Beyond r = 5, once in 10^11 numbers, sp__normal's own code does it. */
SP__INLINE vd normal_tail(vd p)
{
    const mask_f64 low = p < 0.5;
    const vd r = root_f64(-normal_log(select_f64(low, p, 1.0 - p))), t = r - 1.6;
    vd z = polynomial(sp__normal_tail[0], 8, t) / polynomial(sp__normal_tail[1], 8, t);
    if (any_f64(r > 5.0))
        for (int i = 0; i < LANES_f64; i++)
            if (r[i] > 5.0) z[i] = sp__normal_far_tail(r[i]);
    return select_f64(low, -z, z);
}

/* (An instruction that packs chosen lanes made this slower.) Appends the lanes of p whose q is not central, and their
 * indices; returns how many there are then. */
SP__INLINE int64_t list_tails(vd p, vd q, int64_t first, double *tails, int32_t *at, int64_t n)
{
    for (int i = 0; i < LANES_f64; i++) {
        tails[n] = p[i];
        at[n] = (int32_t)(first + i);
        n += !(q[i] >= -0.425 && q[i] <= 0.425);
    }
    return n;
}

/* z of the elements that two blocks and more, from position on, give. */
static void draw_normals(uint64_t seed, uint64_t position, double *z)
{
    double tails[PIECE + LANES_f64];
    int32_t at[PIECE + LANES_f64];
    int64_t n = 0;
    for (int64_t i = 0; i < PIECE; i += 2 * LANES_f64) {
        words32 drawn[2];
        draw(seed, position + (uint64_t)i / 2, drawn);
        for (int k = 0; k < 2; k++) {
            const vd p = open_uniform((lanes64)drawn[k]), q = p - 0.5;
            store_f64(z + i + k * LANES_f64, normal_central(q), LANES_f64);
            n = list_tails(p, q, i + k * LANES_f64, tails, at, n);
        }
    }
    for (int i = 0; i < LANES_f64; i++) tails[n + i] = 0.01;
    for (int64_t i = 0; i < n; i += LANES_f64) {
        const vd far = normal_tail(load_f64(tails + i, LANES_f64));
        for (int64_t k = 0; k < LANES_f64 && i + k < n; k++) z[at[i + k]] = far[k];
    }
}

static void normal(const sp__fill *call, int64_t first, int64_t last)
{
    double z[PIECE];
    float *out = (float *)(void *)sp__operand_at(&call->out);
    for (int64_t i = first; i < last; i += PIECE) {
        const int64_t n = last - i < PIECE ? last - i : PIECE;
        draw_normals(call->seed, call->position + (uint64_t)i / 2, z);
        for (int64_t k = 0; k < n; k++) out[i + k] = (float)(call->a + call->b * z[k]);
    }
}

sp__fill_run *const SP__HERE(sp__fill_f32)[SP__FILL_COUNT] = {
    [SP__FILL_UNIFORM] = uniform,
    [SP__FILL_NORMAL] = normal,
    [SP__FILL_BERNOULLI_SCALE] = bernoulli,
};

sp__fill_run *const SP__HERE(sp__fill_bf16)[SP__FILL_COUNT] = {[SP__FILL_BERNOULLI_SCALE] = bernoulli_bf16};

/* Whole blocks, for what draws in other ways. */
void SP__HERE(sp__philox)(uint64_t seed, uint64_t position, int64_t blocks, uint32_t *out)
{
    for (int64_t i = 0; i < blocks; i += BLOCKS) {
        words32 w[2];
        draw(seed, position + (uint64_t)i, w);
        const int64_t bytes = (blocks - i < BLOCKS ? blocks - i : BLOCKS) * 16;
        memcpy(out + 4 * i, w, (size_t)bytes);
    }
}

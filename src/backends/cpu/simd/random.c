/* Random numbers by vectors: Philox 4x32-10 of as many blocks as a vector has 64-bit lanes, and the fills of f32 and
 * bf16 that draw one word for an element. The numbers are those of sp__generator_block and of the reference to the last
 * bit, at every level: this file is compiled without contraction. */
#include "backends/cpu/simd/bf16.h"
#include "backends/cpu/simd/f64.h"
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

/* What lies in the upper halves of c on the way does not matter: only lower halves are multiplied and kept. */
SP__INLINE void philox(lanes64 c[4], uint64_t seed)
{
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    SP__UNROLL
    for (int round = 0; round < 10; round++) {
        const lanes64 a = multiply_lower(c[0], 0xD2511F53u), b = multiply_lower(c[2], 0xCD9E8D57u);
        c[0] = (b >> 32) ^ c[1] ^ k0;
        c[2] = (a >> 32) ^ c[3] ^ k1;
        c[1] = b;
        c[3] = a;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
}

/* Two vectors of words: blocks position, position + 1, … one after the other. */
SP__INLINE void draw(uint64_t seed, uint64_t position, words32 out[2])
{
    lanes64 at = {0};
    for (int i = 0; i < BLOCKS; i++) at[i] = position + (uint64_t)i;
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
                       .limit = (double)b < call->b ? nextafterf(b, INFINITY) : b,
                       .below = nextafterf(b, -INFINITY),
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

sp__fill_run *const SP__HERE(sp__fill_f32)[SP__FILL_COUNT] = {
    [SP__FILL_UNIFORM] = uniform,
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

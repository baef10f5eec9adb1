/* Convolution of bf16, summed in f32, by an instruction for pairs: two elements that follow each other in what is
 * summed over stand where an f32 would. See numbers.h. */
#include "backends/cpu/common/bf16.h"

typedef float number __attribute__((may_alias));
typedef sp__bf16 element;
typedef int32_t integer;
enum { STEP = 2 };
#include "numbers.h"

SP__INLINE vector multiply_add(vector sum, number a, vector b)
{
    int32_t bits;
    memcpy(&bits, &a, sizeof bits);
    return (vector)_mm512_dpbf16_ps((__m512)sum, (__m512bh)_mm512_set1_epi32(bits), (__m512bh)b);
}

static number pair_of(sp__bf16 low, sp__bf16 high)
{
    const uint32_t bits = low | (uint32_t)high << 16;
    number x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

SP__INLINE number ones(void)
{
    return pair_of(0x3F80, 0x3F80);
}

SP__INLINE number unit(const element *p, int64_t next)
{
    return pair_of(p[0], p[next]);
}

SP__INLINE vector across(const element *p, int64_t next, int64_t n, int64_t left)
{
    const words low = __builtin_convertvector(load_halves(p, n), words);
    return left > 1 ? (vector)(low | (words)from_bf16(load_halves(p + next, n))) : (vector)low;
}

SP__INLINE vector load_bf16(const sp__bf16 *p, int64_t n)
{
    return (vector)from_bf16(load_halves(p, n));
}

SP__INLINE void store_bf16(sp__bf16 *p, vector x)
{
    store_halves(p, to_bf16((vf)x), LANES);
}

/* What products of bf16 are computed with, which sum in f32: see numbers.h. Where the level has the instruction, pairs
 * of bf16 stand where numbers would. */
#include "backends/cpu/common/bf16.h"

typedef float number;
typedef sp__bf16 element;
typedef int32_t bits;
#if defined(__AVX512BF16__)
enum { APART = 1, STEP = 2 };
#else
enum { APART = 1, STEP = 1 };
#endif
#include "numbers.h"

SP__INLINE vector fetch(const element *p, int64_t n)
{
    return from_bf16(load_halves(p, n));
}

SP__INLINE void keep(element *p, vector x, int64_t n)
{
#if defined(__AVX512BF16__)
    store_halves(p, (halves)_mm512_cvtneps_pbh((__m512)x), n);
#else
    store_halves(p, to_bf16(x), n);
#endif
}

SP__INLINE number number_of(element x)
{
    return sp__from_bf16(x);
}

SP__INLINE element element_of(number x)
{
    return sp__to_bf16(x);
}

SP__INLINE vector fused(vector a, vector b, vector c)
{
    return sp__fma_f32(a, b, c);
}

SP__INLINE vector interleave_lower(vector a, vector b)
{
    return SP__SHUFFLE(a, b, mask, SP__LOWER_F32);
}

SP__INLINE vector interleave_upper(vector a, vector b)
{
    return SP__SHUFFLE(a, b, mask, SP__UPPER_F32);
}

#if defined(__AVX512BF16__)
SP__INLINE vector side_by_side(const element *p, int64_t n)
{
    return load_f32(p, n);
}

SP__INLINE vector across(const element *p, int64_t next, int64_t n, int64_t left)
{
    const __m512i low = _mm512_cvtepu16_epi32((__m256i)load_halves(p, n));
    if (left < 2) return (vector)low;
    const __m512i high = _mm512_cvtepu16_epi32((__m256i)load_halves(p + next, n));
    return (vector)_mm512_or_si512(low, _mm512_slli_epi32(high, 16));
}

SP__INLINE vector multiply_add(vector sum, number a, vector b)
{
    int32_t pair;
    memcpy(&pair, &a, sizeof pair);
    return (vector)_mm512_dpbf16_ps((__m512)sum, (__m512bh)_mm512_set1_epi32(pair), (__m512bh)b);
}

SP__INLINE vector spin_step(vector sum, vector x, vector y)
{
    return (vector)_mm512_dpbf16_ps((__m512)sum, (__m512bh)x, (__m512bh)y);
}
#else
#include "single.h"
#endif

/* Matrix products of bf16, summed in f32: by the level's instruction for pairs, or by f32 numbers. */
#include "backends/cpu/common/bf16.h"

SP__INLINE vf widened(const sp__bf16 *p, int64_t n)
{
    return from_bf16(load_halves(p, n));
}

#if defined(__AVX512BF16__)
/* A pair of bf16 stands where an f32 would. */
#define STEP 2

SP__INLINE vf add_pairs(vf sum, float a, vf b)
{
    int32_t bits;
    memcpy(&bits, &a, sizeof bits);
    return (vf)_mm512_dpbf16_ps((__m512)sum, (__m512bh)_mm512_set1_epi32(bits), (__m512bh)b);
}

/* Elements of one row of k below, of the next above; a last one has none above it. */
SP__INLINE vf paired(const sp__bf16 *p, int64_t next, int64_t n, int64_t left)
{
    const __m512i low = _mm512_cvtepu16_epi32((__m256i)load_halves(p, n));
    if (left < 2) return (vf)low;
    const __m512i high = _mm512_cvtepu16_epi32((__m256i)load_halves(p + next, n));
    return (vf)_mm512_or_si512(low, _mm512_slli_epi32(high, 16));
}

SP__INLINE halves narrowed(vf x)
{
    return (halves)_mm512_cvtneps_pbh((__m512)x);
}
#define ACCUMULATE(sum, a, b) ((sum) = add_pairs(sum, a, b))
#define SPIN(sum, x, y) ((sum) = (vf)_mm512_dpbf16_ps((__m512)(sum), (__m512bh)(x), (__m512bh)(y)))
#define UNITS(p, n) load_f32(p, n)
#define ACROSS(p, next, n, left) paired(p, next, n, left)
#else
#define STEP 1
#define narrowed(x) to_bf16(x)
#define ACCUMULATE(sum, a, b) ((sum) += (a) * (b))
#define SPIN(sum, x, y) ((sum) = (sum) * (y) + (x))
#define UNITS(p, n) widened(p, n)
#define ACROSS(p, next, n, left) ((void)(next), (void)(left), widened(p, n))
#endif

#define T float
#define I int32_t
#define S sp__bf16
#define APART 1
#define LOWER SP__LOWER_F32
#define UPPER SP__UPPER_F32
#define FETCH(p, n) widened(p, n)
#define KEEP(p, x, n) store_halves(p, narrowed(x), n)
#define FROM_S(x) sp__from_bf16(x)
#define TO_S(x) sp__to_bf16(x)
#define FN(name) product_##name##_bf16
#define ENTRY(name) name##_bf16
#include "gemm.inc.h"

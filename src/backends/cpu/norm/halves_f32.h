/* What normalisation of f32 and of bf16 computes with: numbers of f32, and f64 for its sums. */
#include "backends/cpu/common/f64.h"
#include "backends/cpu/common/numbers_f32.h"

enum { HALVES = 2 };

/* The lower or upper half of x in f64. gcc's own conversion of half a vector goes by quarters. */
SP__INLINE vd widened(vector x, int half)
{
#if defined(__AVX512F__)
    return (vd)_mm512_cvtps_pd(half ? _mm512_extractf32x8_ps((__m512)x, 1) : _mm512_castps512_ps256((__m512)x));
#elif defined(__AVX__)
    return (vd)_mm256_cvtps_pd(half ? _mm256_extractf128_ps((__m256)x, 1) : _mm256_castps256_ps128((__m256)x));
#else
    typedef float pair __attribute__((vector_size(SP__VECTOR_BYTES / 2), may_alias));
    return (vd) __builtin_convertvector(*((const pair *)&x + half), vd);
#endif
}

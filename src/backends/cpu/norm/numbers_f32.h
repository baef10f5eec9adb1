/* What normalisation of f32 and of bf16 computes with: see columns.h. */
#include "backends/cpu/common/f32.h"
#include "backends/cpu/common/f64.h"

typedef float number;
typedef vf vector;
typedef vi mask;
enum { LANES = LANES_f32 };

SP__INLINE vector splat(number x)
{
    return splat_f32(x);
}

SP__INLINE vector choose(mask m, vector a, vector b)
{
    return select_f32(m, a, b);
}

SP__INLINE vector fused(vector a, vector b, vector c)
{
    return sp__fma_f32(a, b, c);
}

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

enum { HALVES = 2 };

SP__INLINE vector load_number(const number *p, int64_t n)
{
    return load_f32(p, n);
}

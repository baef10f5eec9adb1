/* Vectors of f64. What each function does stands in f32.h. */
#ifndef SPUSK_F64_H
#define SPUSK_F64_H

#include "backends/cpu/common/simd.h"

typedef double vd __attribute__((vector_size(SP__VECTOR_BYTES), aligned(8), may_alias));
typedef int64_t mask_f64 __attribute__((vector_size(SP__VECTOR_BYTES), aligned(8), may_alias));
enum { LANES_f64 = SP__VECTOR_BYTES / 8 };

SP__INLINE vd splat_f64(double x)
{
    return x - (vd){0};
}

SP__INLINE vd sp__fma_f64(vd a, vd b, vd c)
{
#if defined(__AVX512F__)
    return (vd)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
#elif defined(__FMA__)
    return (vd)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
#elif defined(__aarch64__)
    return (vd)vfmaq_f64((float64x2_t)c, (float64x2_t)a, (float64x2_t)b);
#else
    return a * b + c;
#endif
}

SP__INLINE vd select_f64(mask_f64 mask, vd a, vd b)
{
    return (vd)(((mask_f64)a & mask) | ((mask_f64)b & ~mask));
}

SP__INLINE bool any_f64(mask_f64 mask)
{
    return sp__any_word((sp__words)mask);
}

SP__INLINE vd magnitude_f64(vd x)
{
    return (vd)((mask_f64)x & ~(mask_f64)splat_f64(-0.0));
}

SP__INLINE vd load_f64(const void *p, int64_t n)
{
    return (vd)sp__load_words(p, 2 * n);
}

SP__INLINE void store_f64(void *p, vd x, int64_t n)
{
    sp__store_words(p, (sp__words)x, 2 * n);
}

SP__INLINE vd root_f64(vd x)
{
    union {
        vd whole;
        double lanes[LANES_f64];
    } u = {x};
    for (int i = 0; i < LANES_f64; i++) u.lanes[i] = __builtin_sqrt(u.lanes[i]);
    return u.whole;
}

#endif

/* exp, log and their kin, of vectors of f32. Errors in ULP, against f64, are in tests/test_kernels_ulp.c. The
 * polynomials are those of Moshier's Cephes library (expf, logf, tanhf). */
#ifndef SPUSK_F32_H
#define SPUSK_F32_H

#include "backends/cpu/common/simd.h"
#include <math.h>

typedef float vf __attribute__((vector_size(SP__VECTOR_BYTES), aligned(4), may_alias));
typedef int32_t vi __attribute__((vector_size(SP__VECTOR_BYTES), aligned(4), may_alias)); /* and masks */
enum { LANES_f32 = SP__VECTOR_BYTES / 4 };

SP__INLINE vf splat_f32(float x)
{
    return x - (vf){0}; /* not 0 + x, which would lose the sign of -0 */
}

/* a·b + c, rounded once where the level can. */
SP__INLINE vf sp__fma_f32(vf a, vf b, vf c)
{
#if defined(__AVX512F__)
    return (vf)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif defined(__FMA__)
    return (vf)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#elif defined(__aarch64__)
    return (vf)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#else
    return a * b + c;
#endif
}

/* A step of Horner's: p·x + c. */
SP__INLINE vf horner_f32(vf p, vf x, float c)
{
    return sp__fma_f32(p, x, splat_f32(c));
}

/* Where the mask is all ones a, else b. */
SP__INLINE vf select_f32(vi mask, vf a, vf b)
{
    return (vf)(((vi)a & mask) | ((vi)b & ~mask));
}

SP__INLINE bool any_f32(vi mask)
{
    return sp__any_word((sp__words)mask);
}

SP__INLINE vf magnitude_f32(vf x)
{
    return (vf)((vi)x & ~(vi)splat_f32(-0.0f));
}

/* The first n elements at p, or a whole vector of them; zeros behind. */
SP__INLINE vf load_f32(const void *p, int64_t n)
{
    return (vf)sp__load_words(p, n);
}

SP__INLINE void store_f32(void *p, vf x, int64_t n)
{
    sp__store_words(p, (sp__words)x, n);
}

/* The vector extensions have no square root; the loop over lanes becomes one instruction where the level has it. */
SP__INLINE vf root_f32(vf x)
{
    union {
        vf whole;
        float lanes[LANES_f32];
    } u = {x};
    for (int i = 0; i < LANES_f32; i++) u.lanes[i] = __builtin_sqrtf(u.lanes[i]);
    return u.whole;
}

/* The smaller of a and b, and the larger; b where one of them is NaN. */
SP__INLINE vf smaller_f32(vf a, vf b)
{
#if defined(__AVX512F__)
    return (vf)_mm512_min_ps((__m512)a, (__m512)b);
#elif defined(__AVX__)
    return (vf)_mm256_min_ps((__m256)a, (__m256)b);
#else
    return select_f32(a < b, a, b);
#endif
}

SP__INLINE vf larger_f32(vf a, vf b)
{
#if defined(__AVX512F__)
    return (vf)_mm512_max_ps((__m512)a, (__m512)b);
#elif defined(__AVX__)
    return (vf)_mm256_max_ps((__m256)a, (__m256)b);
#else
    return select_f32(a > b, a, b);
#endif
}

/* x, but not above the bound, or below it; NaN stays. */
SP__INLINE vf at_most_f32(float bound, vf x)
{
    return smaller_f32(splat_f32(bound), x);
}

SP__INLINE vf at_least_f32(float bound, vf x)
{
    return larger_f32(splat_f32(bound), x);
}

/* x with sign's sign; x is not negative, unless sign is. */
SP__INLINE vf with_sign_f32(vf x, vf sign)
{
    return (vf)((vi)x | ((vi)sign & (vi)splat_f32(-0.0f)));
}

/* a/b, right to an ULP; |b| in [2^-100, 2^100]. Faster than a division, and without the levels' instructions for a
 * reciprocal, which differ: 1/b from b's bits, right to 2^-4.3, a step of third order, and one of Newton's for the
 * quotient. */
SP__INLINE vf quotient_f32(vf a, vf b)
{
#if SP__FUSES
    const vf one = splat_f32(1.0f), rough = (vf)(0x7EF311C7 - (vi)b), e = sp__fma_f32(-rough, b, one);
    const vf near = sp__fma_f32(rough, sp__fma_f32(e, e, e), rough), q = a * near;
    return sp__fma_f32(near, sp__fma_f32(-q, b, a), q);
#else
    return a / b;
#endif
}

/* ---- whole numbers: adding 2^23 leaves no place for a fraction ---- */

/* The nearest, ties to even. */
SP__INLINE vf rint_f32(vf x)
{
    const vf size = magnitude_f32(x), near = (size + 8388608.0f) - 8388608.0f;
    return select_f32(size < 8388608.0f, with_sign_f32(near, x), x);
}

SP__INLINE vf floor_f32(vf x)
{
#if defined(__AVX512F__)
    return (vf)_mm512_roundscale_ps((__m512)x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
#elif defined(__AVX__)
    return (vf)_mm256_floor_ps((__m256)x);
#endif
    const vf near = rint_f32(x);
    return near - (vf)((near > x) & (vi)splat_f32(1.0f));
}

SP__INLINE vf ceil_f32(vf x)
{
    return -floor_f32(-x);
}

/* ---- exp ---- */

/* 2^n for whole n in [-126, 127]. */
SP__INLINE vf power_of_two(vf n)
{
    return (vf)((__builtin_convertvector(n, vi) + 127) << 23);
}

/* y·2^n for whole n in [-252, 254], in steps where it must be, so that the result may be subnormal. */
SP__INLINE vf scale_f32(vf y, vf n)
{
#if defined(__AVX512F__)
    return (vf)_mm512_scalef_ps((__m512)y, (__m512)n);
#else
    const vi whole = __builtin_convertvector(n, vi), half = whole >> 1;
    return y * (vf)((half + 127) << 23) * (vf)((whole - half + 127) << 23);
#endif
}

/* x = n·ln 2 + r, n whole, where r is *high + n·LOW_LN2, which is rounded to float. */
static const float LOW_LN2 = 2.12194440e-4f;

SP__INLINE vf exp_reduce_f32(vf x, vf *high)
{
    const vf magic = splat_f32(12582912.0f); /* 1.5·2^23: adding it rounds to an integer */
    const vf n = sp__fma_f32(x, splat_f32(1.44269504088896341f), magic) - magic;
    *high = sp__fma_f32(n, splat_f32(-0.693359375f), x); /* exactly */
    return n;
}

/* e^r - 1 - r + more, |r| ≤ ln 2 / 2 */
SP__INLINE vf exp_rest_f32(vf r, vf more)
{
    vf p = splat_f32(1.9875691500e-4f);
    p = horner_f32(p, r, 1.3981999507e-3f);
    p = horner_f32(p, r, 8.3334519073e-3f);
    p = horner_f32(p, r, 4.1665795894e-2f);
    p = horner_f32(p, r, 1.6666665459e-1f);
    p = horner_f32(p, r, 5.0000001201e-1f);
    return sp__fma_f32(p * r, r, more);
}

/* p, where e^x = 2^n·(1 + p). */
SP__INLINE vf exp_minus_one_f32(vf x, vf *n)
{
    vf high;
    *n = exp_reduce_f32(x, &high);
    const vf low = splat_f32(LOW_LN2), r = sp__fma_f32(*n, low, high), lost = sp__fma_f32(*n, low, high - r);
    return exp_rest_f32(r, lost) + r;
}

/* What vanishes, as a masked score's does, is not computed: on the way to 0 it would be subnormal, and a processor takes
 * a hundred steps for that. */
SP__INLINE vf exp_f32(vf x)
{
    vf n;
    const vi gone = x < -104.0f;
    const vf p = exp_minus_one_f32(at_most_f32(89.0f, select_f32(gone, (vf){0}, x)), &n);
    return select_f32(gone, (vf){0}, scale_f32(1.0f + p, n));
}

/* 2^n·(1 + p) - 1 = 2^n·p + (2^n - 1), halved where 2^n is too large. Where n is 0 that is p. The
 * result has the sign of x, be it of 0. */
SP__INLINE vf expm1_f32(vf x)
{
    vf n;
    const vf p = exp_minus_one_f32(at_least_f32(-25.0f, at_most_f32(89.0f, x)), &n);
    const vi top = n > 127.0f;
    const vf power = power_of_two(n + __builtin_convertvector(top, vf));
    const vf y = sp__fma_f32(p, power, power - 1.0f);
    return with_sign_f32(select_f32(n == 0.0f, p, select_f32(top, y + y, y)), x);
}

/* ---- log ---- */

/* ln (1 + m) + e·ln 2, m in [√½ - 1, √2 - 1] */
SP__INLINE vf log_parts_f32(vf m, vf e)
{
    const vf z = m * m;
    vf p = splat_f32(7.0376836292e-2f);
    p = horner_f32(p, m, -1.1514610310e-1f);
    p = horner_f32(p, m, 1.1676998740e-1f);
    p = horner_f32(p, m, -1.2420140846e-1f);
    p = horner_f32(p, m, 1.4249322787e-1f);
    p = horner_f32(p, m, -1.6668057665e-1f);
    p = horner_f32(p, m, 2.0000714765e-1f);
    p = horner_f32(p, m, -2.4999993993e-1f);
    p = horner_f32(p, m, 3.3333331174e-1f);
    p = sp__fma_f32(p * m, z, e * -LOW_LN2);
    p = sp__fma_f32(splat_f32(-0.5f), z, p);
    return sp__fma_f32(e, splat_f32(0.693359375f), m + p);
}

/* x = m·2^e, m in [½, 1), for finite x above 0. */
SP__INLINE vf mantissa_f32(vf x, vf *e)
{
#if defined(__AVX512F__)
    *e = (vf)_mm512_getexp_ps((__m512)x) + 1.0f;
    return (vf)_mm512_getmant_ps((__m512)x, _MM_MANT_NORM_p5_1, _MM_MANT_SIGN_zero);
#else
    const vi tiny = x < 1.17549435e-38f;
    const vf scaled = select_f32(tiny, x * 8388608.0f, x);
    *e = __builtin_convertvector((((vi)scaled >> 23) & 255) - 126 - (tiny & 23), vf);
    return (vf)(((vi)scaled & 0x007FFFFF) | 0x3F000000);
#endif
}

/* What ln is where x is not finite or not above 0, else y. */
SP__INLINE vf log_specials_f32(vf x, vf y)
{
#if defined(__AVX512F__)
    /* NaN stays, 0 gives -infinity, below it NaN, infinity itself */
    return (vf)_mm512_fixupimm_ps((__m512)y, (__m512)x, _mm512_set1_epi32(0x03530422), 0);
#else
    y = select_f32(x > 3.402823466e38f, x, y);
    y = select_f32(x == 0.0f, splat_f32(-INFINITY), y);
    return select_f32((x < 0.0f) | (x != x), splat_f32(NAN), y);
#endif
}

SP__INLINE vf log_f32(vf x)
{
    vf e, m = mantissa_f32(x, &e);
    const vi low = m < 0.707106781186547524f;
    m = select_f32(low, m + m, m) - 1.0f;
    return log_specials_f32(x, log_parts_f32(m, e + __builtin_convertvector(low, vf)));
}

/* By 1 + x and what rounding it lost, which no longer counts where x is large. The result has the sign of x, be it of
 * 0. */
SP__INLINE vf log1p_f32(vf x)
{
    const vf sum = 1.0f + x, lost = select_f32(x < 16777216.0f, x - (sum - 1.0f), (vf){0});
    vf e, m = mantissa_f32(sum, &e);
    const vi low = m < 0.707106781186547524f;
    m = select_f32(low, m + m, m) - 1.0f;
    e += __builtin_convertvector(low, vf);
    m = sp__fma_f32(lost, power_of_two(at_least_f32(-126.0f, -e)), m);
    return with_sign_f32(log_specials_f32(sum, log_parts_f32(m, e)), x);
}

/* ---- exp's and log's kin ---- */

/* 1/(1 + e^-x), by e = e^-|x|, so that nothing overflows. */
SP__INLINE vf sigmoid_f32(vf x)
{
    vf n;
    const vf p = exp_minus_one_f32(at_least_f32(-104.0f, -magnitude_f32(x)), &n), e = scale_f32(1.0f + p, n);
    return quotient_f32(select_f32(x < 0.0f, e, splat_f32(1.0f)), 1.0f + e);
}

/* An odd polynomial near 0, else 1 - 2/(e^2x + 1). */
SP__INLINE vf tanh_f32(vf x)
{
    const vf size = magnitude_f32(x), z = x * x;
    vf p = splat_f32(-5.70498872745e-3f), n;
    p = horner_f32(p, z, 2.06390887954e-2f);
    p = horner_f32(p, z, -5.37397155531e-2f);
    p = horner_f32(p, z, 1.33314422036e-1f);
    p = horner_f32(p, z, -3.33332819422e-1f);
    p = sp__fma_f32(p * z, x, x);
    const vf doubled = at_most_f32(20.0f, size + size), e = exp_minus_one_f32(doubled, &n);
    const vf far = 1.0f - quotient_f32(splat_f32(2.0f), horner_f32(1.0f + e, power_of_two(n), 1.0f));
    return with_sign_f32(magnitude_f32(select_f32(size < 0.625f, p, far)), x);
}

/* ln(1 + e^x) = max(x, 0) + ln(1 + t), t = e^-|x| in [0, 1], halved where it leaves the logarithm's range */
SP__INLINE vf softplus_f32(vf x)
{
    vf n;
    const vf p = exp_minus_one_f32(at_least_f32(-104.0f, -magnitude_f32(x)), &n);
    const vf t = scale_f32(1.0f + p, n), sum = 1.0f + t, lost = t - (sum - 1.0f);
    const vf e = (vf)((sum > 1.41421356237309504880f) & (vi)splat_f32(1.0f)),
             half = horner_f32(splat_f32(-0.5f), e, 1.0f);
    return at_least_f32(0.0f, x) + log_parts_f32(sp__fma_f32(lost, half, horner_f32(sum, half, -1.0f)), e);
}

#endif

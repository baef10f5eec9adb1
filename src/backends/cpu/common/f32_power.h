/* Powers, for vectors of f32: 2^(y·log₂ x), whose steps are in f64, so that the result is right to little more than half
 * an ULP. */
#ifndef SPUSK_F32_POWER_H
#define SPUSK_F32_POWER_H

#include "backends/cpu/common/elementary.h"
#include "backends/cpu/common/f32.h"
#include "backends/cpu/common/f64.h"
#include <float.h>

typedef float half_f32 __attribute__((vector_size(SP__VECTOR_BYTES / 2), aligned(4), may_alias));
typedef uint64_t bits_f64 __attribute__((vector_size(SP__VECTOR_BYTES), aligned(8), may_alias));

SP__INLINE vd horner_f64(vd p, vd x, double c)
{
    return sp__fma_f64(p, x, splat_f64(c));
}

/* log₂ x of normal x > 0, right to 2^-37: x = m·2^e, √½ < m < √2, and ln m = 2·artanh s, s = (m - 1)/(m + 1). */
SP__INLINE vd log2_f64(vd x)
{
    const vd m1 = (vd)(((bits_f64)x & 0xFFFFFFFFFFFFFu) | 0x3FF0000000000000u);
    const mask_f64 high = m1 > 1.4142135623730951;
    const vd m = select_f64(high, m1 * 0.5, m1);
    const bits_f64 exponent = ((bits_f64)x >> 52) - (bits_f64)high;
    const vd e = (vd)(exponent | 0x4330000000000000u) - (0x1p52 + 1023); /* what follows 2^52 is a whole number */
    const vd s = (m - 1.0) / (m + 1.0), z = s * s;
    vd p = splat_f64(2.8853900817779268 / 13);
    p = horner_f64(p, z, 2.8853900817779268 / 11);
    p = horner_f64(p, z, 2.8853900817779268 / 9);
    p = horner_f64(p, z, 2.8853900817779268 / 7);
    p = horner_f64(p, z, 2.8853900817779268 / 5);
    p = horner_f64(p, z, 2.8853900817779268 / 3);
    p = horner_f64(p, z, 2.8853900817779268); /* 2/ln 2 */
    return sp__fma_f64(p, s, e);
}

/* 2^t, right to 2^-32: 2^n times Taylor's polynomial of 2^f, n whole, |f| ≤ ½. f32 is long at its ends at ±1000. */
SP__INLINE vd exp2_f64(vd t)
{
    t = select_f64(t > 1000.0, splat_f64(1000.0), t);
    t = select_f64(t < -1000.0, splat_f64(-1000.0), t);
    const vd shifted = t + 0x1.8p52, f = t - (shifted - 0x1.8p52);
    vd p = splat_f64(1.3215486790144309e-6);
    p = horner_f64(p, f, 1.5252733804059840e-5);
    p = horner_f64(p, f, 1.5403530393381610e-4);
    p = horner_f64(p, f, 1.3333558146428443e-3);
    p = horner_f64(p, f, 9.6181291076284772e-3);
    p = horner_f64(p, f, 5.5504108664821580e-2);
    p = horner_f64(p, f, 2.4022650695910071e-1);
    p = horner_f64(p, f, 6.9314718055994531e-1);
    p = horner_f64(p, f, 1.0);
    return (vd)((bits_f64)p + ((bits_f64)shifted << 52)); /* n stands in the last bits of `shifted` */
}

typedef union {
    vf whole;
    half_f32 parts[2];
} halves_f32;

/* Half a vector in f64, and back. gcc makes several instructions of the plain conversions. */
SP__INLINE vd half_to_f64(half_f32 x)
{
#if defined(__AVX512F__)
    return (vd)_mm512_cvtps_pd((__m256)x);
#else
    return __builtin_convertvector(x, vd);
#endif
}

SP__INLINE half_f32 half_from_f64(vd x)
{
#if defined(__AVX512F__)
    return (half_f32)_mm512_cvtpd_ps((__m512d)x);
#else
    return __builtin_convertvector(x, half_f32);
#endif
}

/* x^y of finite y and normal x > 0. */
SP__INLINE vf power_normal_f32(vf x, vf y)
{
    const halves_f32 a = {x}, b = {y};
    halves_f32 out;
    SP__UNROLL
    for (int i = 0; i < 2; i++)
        out.parts[i] = half_from_f64(exp2_f64(half_to_f64(b.parts[i]) * log2_f64(half_to_f64(a.parts[i]))));
    return out.whole;
}

SP__INLINE vi is_whole_f32(vf x)
{
    return rint_f32(x) == x;
}

/* 0^y, of finite y. */
SP__INLINE vf power_of_zero_f32(vf y)
{
    return select_f32(y > 0.0f, splat_f32(0.0f), select_f32(y == 0.0f, splat_f32(1.0f), splat_f32(INFINITY)));
}

/* x^y. Lanes with a number that is not finite, or with a subnormal x, are rare and go one by one. */
SP__INLINE vf power_f32(vf x, vf y)
{
    const vf size = magnitude_f32(x);
    const vi zero = size == 0.0f, tiny = (size < FLT_MIN) & ~zero;
    const vi whole = is_whole_f32(y), odd = whole & ~is_whole_f32(0.5f * y);
    vf r = power_normal_f32(select_f32(zero | tiny, splat_f32(1.0f), size), y);
    r = select_f32(zero, power_of_zero_f32(y), r);
    r = select_f32((x < 0.0f) & ~whole, splat_f32(NAN), r);
    r = with_sign_f32(r, (vf)((vi)x & odd));
    const vi special = tiny | ~((size <= FLT_MAX) & (magnitude_f32(y) <= FLT_MAX));
    if (any_f32(special))
        for (int i = 0; i < LANES_f32; i++)
            if (special[i]) r[i] = (float)sp__pow((double)x[i], (double)y[i]);
    return r;
}

#endif

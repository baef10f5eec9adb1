/* The normal distribution, for vectors of f32: erf, Φ and φ, gelu and its slope. */
#ifndef SPUSK_F32_NORMAL_H
#define SPUSK_F32_NORMAL_H

#include "backends/cpu/common/f32.h"

/* x² in two parts, |x| < 2^50. */
SP__INLINE vf square_parts_f32(vf x, vf *low)
{
#if defined(__AVX512F__)
    const vf square = x * x;
    *low = (vf)_mm512_fmsub_ps((__m512)x, (__m512)x, (__m512)square);
#else
    const vf high = (vf)((vi)x & -4096), square = high * high; /* exactly */
    *low = (x - high) * (x + high);
#endif
    return square;
}

/* Φ(-size) = φ(size)·M(size), size ≥ 0, and *bell = e^(-size²/2) = √(2π)·φ. M, the ratio of Mills, is w times a
 * polynomial in v = 1 - w, w = 1/(1 + 0.3·size), fitted to 2^-28 up to 14.5, behind which Φ is 0 in f32. The square is
 * taken in two parts, or its rounding would show in the power. NaN stays. */
SP__INLINE vf upper_tail_f32(vf size, vf *bell)
{
    size = at_most_f32(14.5f, size);
    vf high, low, rest;
    const vf square = square_parts_f32(size, &rest), n = exp_reduce_f32(-0.5f * square, &high, &low);
    const vf r = high + (low - 0.5f * rest);
    *bell = scale_f32(1.0f + (exp_rest_f32(r) + r), n);
    const vf t = 0.3f * size, w = quotient_f32(splat_f32(1.0f), 1.0f + t), v = t * w;
    vf m = splat_f32(2.06234693e-2f);
    m = m * v - 7.31756094e-2f;
    m = m * v + 7.11735824e-2f;
    m = m * v + 1.01151015e-2f;
    m = m * v + 2.33646461e-2f;
    m = m * v - 1.39732780e-1f;
    m = m * v - 8.10197013e-2f;
    m = m * v + 6.18145162e-1f;
    m = m * v - 8.29807179e-1f;
    m = m * v + 0.5f;
    return *bell * (m * w);
}

/* An odd polynomial near 0, else 1 - 2·Φ(-√2·x). */
SP__INLINE vf erf_f32(vf x)
{
    const vf size = magnitude_f32(x), z = x * x;
    vf p = splat_f32(8.397290480e-5f), bell;
    p = p * z - 8.149688212e-4f;
    p = p * z + 5.201705869e-3f;
    p = p * z - 2.685969823e-2f;
    p = p * z + 1.128370155e-1f;
    p = p * z - 3.761263418e-1f;
    p = p * z + 1.283791667e-1f;
    const vf far = 1.0f - 2.0f * upper_tail_f32(1.41421356237309504880f * size, &bell);
    return with_sign_f32(select_f32(size < 0.92f, p * size + size, far), x);
}

/* x·Φ(x) */
SP__INLINE vf gelu_f32(vf x)
{
    vf bell;
    const vf tail = upper_tail_f32(magnitude_f32(x), &bell);
    return x * select_f32(x < 0.0f, tail, 1.0f - tail);
}

/* Φ(x) + x·φ(x) */
SP__INLINE vf gelu_slope_f32(vf x)
{
    vf bell;
    const vf tail = upper_tail_f32(magnitude_f32(x), &bell);
    return select_f32(x < 0.0f, tail, 1.0f - tail) + x * (bell * 0.39894228040143267794f);
}

#endif

/* The normal distribution, for vectors of f32: erf, Φ and φ, gelu and its slope. */
#ifndef SPUSK_F32_NORMAL_H
#define SPUSK_F32_NORMAL_H

#include "backends/cpu/common/f32.h"

/* x² in two parts, |x| < 2^50. */
SP__INLINE vf square_parts_f32(vf x, vf *low)
{
#if SP__FUSES
    const vf square = x * x;
    *low = sp__fma_f32(x, x, -square);
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
    vf high, rest;
    const vf square = square_parts_f32(size, &rest), n = exp_reduce_f32(-0.5f * square, &high);
    const vf r = high + sp__fma_f32(n, splat_f32(LOW_LN2), -0.5f * rest);
    *bell = scale_f32(1.0f + exp_rest_f32(r, r), n);
    const vf t = 0.3f * size, w = quotient_f32(splat_f32(1.0f), 1.0f + t), v = t * w;
    vf m = splat_f32(2.06234693e-2f);
    m = horner_f32(m, v, -7.31756094e-2f);
    m = horner_f32(m, v, 7.11735824e-2f);
    m = horner_f32(m, v, 1.01151015e-2f);
    m = horner_f32(m, v, 2.33646461e-2f);
    m = horner_f32(m, v, -1.39732780e-1f);
    m = horner_f32(m, v, -8.10197013e-2f);
    m = horner_f32(m, v, 6.18145162e-1f);
    m = horner_f32(m, v, -8.29807179e-1f);
    m = horner_f32(m, v, 0.5f);
    return *bell * (m * w);
}

/* An odd polynomial near 0, else 1 - 2·Φ(-√2·x). */
SP__INLINE vf erf_f32(vf x)
{
    const vf size = magnitude_f32(x), z = x * x;
    vf p = splat_f32(8.397290480e-5f), bell;
    p = horner_f32(p, z, -8.149688212e-4f);
    p = horner_f32(p, z, 5.201705869e-3f);
    p = horner_f32(p, z, -2.685969823e-2f);
    p = horner_f32(p, z, 1.128370155e-1f);
    p = horner_f32(p, z, -3.761263418e-1f);
    p = horner_f32(p, z, 1.283791667e-1f);
    const vf far = horner_f32(upper_tail_f32(1.41421356237309504880f * size, &bell), splat_f32(-2.0f), 1.0f);
    return with_sign_f32(select_f32(size < 0.92f, sp__fma_f32(p, size, size), far), x);
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
    return sp__fma_f32(x, bell * 0.39894228040143267794f, select_f32(x < 0.0f, tail, 1.0f - tail));
}

#endif

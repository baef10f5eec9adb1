/* exp, log, tanh and the logistic function of vectors of f32. Errors in ULP, against f64, are in
 * tests/test_kernels_ulp.c: at most 2. The polynomials are those of Moshier's Cephes library (expf, logf, tanhf). */
#ifndef SPUSK_F32_H
#define SPUSK_F32_H

#include "backends/cpu/simd/simd.h"
#include <math.h>

#define T float
#define I int32_t
#define FN(name) name##_f32
#define ROOT(x) __builtin_sqrtf(x)
#include "vector.inc.h"
#undef T
#undef I
#undef FN
#undef ROOT

typedef vector_f32 vf;
typedef mask_f32 vi;

/* 2^n for n in [-126, 127], from integers. */
SP__INLINE vf power_of_two(vi n)
{
    return (vf)((n + 127) << 23);
}

/* e^x = 2^n·e^r, |r| ≤ ln 2 / 2: returns e^r and what rounding it lost. */
SP__INLINE vf exp_parts_f32(vf x, vi *n, vf *lost)
{
    const vf magic = splat_f32(12582912.0f); /* 1.5·2^23: adding it rounds to an integer */
    x = select_f32(x > 89.0f, splat_f32(89.0f), x);
    x = select_f32(x < -104.0f, splat_f32(-104.0f), x);
    const vf rounded = (x * 1.44269504088896341f + magic) - magic;
    const vf high = x - rounded * 0.693359375f, low = rounded * 2.12194440e-4f, r = high + low;
    const vf r_lost = (high - r) + low;
    vf p = splat_f32(1.9875691500e-4f);
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = ((p * r) * r + r_lost) + r;
    const vf y = 1.0f + p;
    *lost = p - (y - 1.0f);
    *n = __builtin_convertvector(rounded, vi);
    return y;
}

/* y·2^n in two steps, so that the result may be subnormal. */
SP__INLINE vf scale_f32(vf y, vi n)
{
    const vi half = n >> 1;
    return y * power_of_two(half) * power_of_two(n - half);
}

SP__INLINE vf exp_f32(vf x)
{
    vi n;
    vf lost;
    const vf y = exp_parts_f32(x, &n, &lost);
    return scale_f32(y, n);
}

/* log x = log m + e·ln 2, m in [√½, √2). */
SP__INLINE vf log_f32(vf x)
{
    const vi tiny = x < 1.17549435e-38f;
    const vf scaled = select_f32(tiny, x * 8388608.0f, x);
    vi e = (((vi)scaled >> 23) & 255) - 126;
    e -= tiny & 23;
    vf m = (vf)(((vi)scaled & 0x007FFFFF) | 0x3F000000); /* [½, 1) */
    const vi low = m < 0.707106781186547524f;
    e += low; /* minus one where low */
    m = select_f32(low, m + m, m) - 1.0f;
    const vf f = __builtin_convertvector(e, vf), z = m * m;
    vf p = splat_f32(7.0376836292e-2f);
    p = p * m - 1.1514610310e-1f;
    p = p * m + 1.1676998740e-1f;
    p = p * m - 1.2420140846e-1f;
    p = p * m + 1.4249322787e-1f;
    p = p * m - 1.6668057665e-1f;
    p = p * m + 2.0000714765e-1f;
    p = p * m - 2.4999993993e-1f;
    p = p * m + 3.3333331174e-1f;
    p = p * m * z - f * 2.12194440e-4f - 0.5f * z;
    vf y = (m + p) + f * 0.693359375f;
    y = select_f32(x > 3.402823466e38f, x, y); /* infinity */
    y = select_f32(x == 0.0f, splat_f32(-INFINITY), y);
    return select_f32((x < 0.0f) | (x != x), splat_f32(NAN), y);
}

/* 1/(1 + e^-x), by e = e^-|x|, so that nothing overflows. What e and 1 + e lost by rounding is put back into e/(1 + e),
 * where it would show most. */
SP__INLINE vf sigmoid_f32(vf x)
{
    vi n;
    vf lost;
    const vf p = exp_parts_f32(-magnitude_f32(x), &n, &lost), e = scale_f32(p, n);
    const vf sum = 1.0f + e, sum_lost = e - (sum - 1.0f);
    const vf y = select_f32(x < 0.0f, e, splat_f32(1.0f)) / sum;
    const vf correction = lost * (2.0f - p) - sum_lost; /* 2 - p is near enough to 1/p */
    return select_f32(x < 0.0f, y + y * correction, y);
}

/* An odd polynomial near 0, else 1 - 2/(e^2x + 1). */
SP__INLINE vf tanh_f32(vf x)
{
    const vf size = magnitude_f32(x), z = x * x;
    vf p = splat_f32(-5.70498872745e-3f);
    p = p * z + 2.06390887954e-2f;
    p = p * z - 5.37397155531e-2f;
    p = p * z + 1.33314422036e-1f;
    p = p * z - 3.33332819422e-1f;
    p = (p * z) * x + x;
    const vf far = 1.0f - 2.0f / (exp_f32(size + size) + 1.0f);
    const vi sign = (vi)x & (vi)splat_f32(-0.0f);
    const vf y = (vf)((vi)select_f32(size < 0.625f, p, far) | sign); /* the polynomial of -0 is +0 */
    return select_f32(x != x, x, y);
}

#endif

/* Sine and cosine of vectors of f32: quarter turns are taken off by fused steps, or in f64 where there are none. Both are
 * exact enough up to 2^20; libm has the few elements beyond. The polynomials are those of Moshier's Cephes library (sinf, cosf). */
#ifndef SPUSK_F32_CIRCLE_H
#define SPUSK_F32_CIRCLE_H

#include "backends/cpu/common/f32.h"
#include "backends/cpu/common/f64.h"

#if SP__FUSES
/* x less the nearest multiple of π/2, whose number's last bits are those of *turns. π/2 is three numbers: n times the
 * first taken from x is exact, for both are whole multiples of 2^-24 and the difference is less than 1. All three are
 * positive, so that -0 stays what it is. */
SP__INLINE vf turned_f32(vf x, vi *turns)
{
    const vf magic = splat_f32(12582912.0f); /* 1.5·2^23 */
    const vf t = sp__fma_f32(x, splat_f32(0.63661977236758134308f), magic), n = t - magic;
    const vf high = sp__fma_f32(n, splat_f32(-0x1.921fb4p+0f), x);
    *turns = (vi)t;
    return sp__fma_f32(n, splat_f32(-0x1.84698ap-48f), sp__fma_f32(n, splat_f32(-0x1.4442dp-24f), high));
}
#else
typedef float half_vf __attribute__((vector_size(SP__VECTOR_BYTES / 2), aligned(4), may_alias));
typedef int32_t half_vi __attribute__((vector_size(SP__VECTOR_BYTES / 2), aligned(4), may_alias));

/* π/2 in two parts: products of the first, of 33 bits, with whole numbers up to 2^20 are exact. */
SP__INLINE half_vf turn_half(half_vf x, half_vi *turns)
{
    const vd magic = splat_f64(6755399441055744.0); /* 1.5·2^52 */
    const vd wide = __builtin_convertvector(x, vd);
    const vd n = sp__fma_f64(wide, splat_f64(0.63661977236758134308), magic) - magic;
    *turns = __builtin_convertvector(n, half_vi);
    const vd high = sp__fma_f64(n, splat_f64(-0x1.921fb544p+0), wide);
    return __builtin_convertvector(sp__fma_f64(n, splat_f64(-0x1.0b4611a626331p-34), high), half_vf);
}

/* The same in f64, where f32 would round a product before it is taken from x. */
SP__INLINE vf turned_f32(vf x, vi *turns)
{
    union {
        vf whole;
        half_vf halves[2];
    } angle = {x};
    union {
        vi whole;
        half_vi halves[2];
    } numbers;
    for (int i = 0; i < 2; i++) angle.halves[i] = turn_half(angle.halves[i], &numbers.halves[i]);
    *turns = numbers.whole;
    return angle.whole;
}
#endif

/* sin(x + quarters·π/2) */
SP__INLINE vf sine_f32(vf x, int quarters)
{
    vi turns;
    const vf r = turned_f32(x, &turns), z = r * r;
    vf sine = splat_f32(-1.9515295891e-4f), cosine = splat_f32(2.443315711809948e-5f);
    sine = horner_f32(sine, z, 8.3321608736e-3f);
    sine = horner_f32(sine, z, -1.6666654611e-1f);
    sine = with_sign_f32(sp__fma_f32(sine * z, r, r), r); /* be it of 0 */
    cosine = horner_f32(cosine, z, -1.388731625493765e-3f);
    cosine = horner_f32(cosine, z, 4.166664568298827e-2f);
    cosine = sp__fma_f32(cosine * z, z, horner_f32(splat_f32(-0.5f), z, 1.0f));
    const vi quadrant = turns + quarters;
    const vf y = select_f32((quadrant & 1) != 0, cosine, sine);
    return (vf)((vi)y ^ (((quadrant & 2) != 0) & INT32_MIN));
}

/* With libm's results where |x| is large. */
SP__INLINE vf circle_f32(vf x, int quarters, float (*by_libm)(float))
{
    union {
        vf whole;
        float lanes[LANES_f32];
    } in = {x}, y = {sine_f32(x, quarters)};
    const vi large = magnitude_f32(x) > 0x1p20f;
    if (any_f32(large)) {
        for (int i = 0; i < LANES_f32; i++)
            if (large[i]) y.lanes[i] = by_libm(in.lanes[i]);
    }
    return y.whole;
}

#endif

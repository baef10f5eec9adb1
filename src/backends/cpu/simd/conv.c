/* Convolution in f32 and f64, and of bf16 by f32 numbers or by pairs. */
#include "backends/cpu/conv.h"
#include "backends/cpu/simd/bf16.h"

/* ---- f32 and f64 ---- */

#define STEP 1
#define ACCUMULATE(sum, a, b) ((sum) += (a) * (b))
#define ONE 1
#define UNIT(p, next) (*(p))

#define T float
#define I int32_t
#define S T
#define ACROSS(p, next, n, left) load_some_f32_conv(p, n)
#define NARROW(p, x) store_halves(p, to_bf16(x), LANES_f32)
#define FN(name) name##_f32_conv
#include "conv.inc.h"

#include "conv_entries.inc.h"

#include "conv_sparse.inc.h"
#undef T
#undef I
#undef ACROSS
#undef NARROW
#undef FN

#define T double
#define I int64_t
#define ACROSS(p, next, n, left) load_some_f64_conv(p, n)
#define NARROW(p, x) ((void)(p), (void)(x))
#define FN(name) name##_f64_conv
#include "conv.inc.h"

#include "conv_entries.inc.h"

#include "conv_sparse.inc.h"
#undef T
#undef I
#undef S
#undef ACROSS
#undef NARROW
#undef FN
#undef STEP
#undef ACCUMULATE
#undef ONE
#undef UNIT

sp_status SP__HERE(sp__conv_f32)(const sp__conv *call)
{
    return sp__conv_arranged(call, SP_F32, run_conv_f32_conv);
}

sp_status SP__HERE(sp__conv_f64)(const sp__conv *call)
{
    return sp__conv_arranged(call, SP_F64, run_conv_f64_conv);
}

/* ---- bf16 ---- */

#if defined(__AVX512BF16__)
/* Two elements that follow each other in what is summed over stand where an f32 would. */
typedef float pair __attribute__((may_alias));

SP__INLINE vf add_pairs(vf sum, float a, vf b)
{
    int32_t bits;
    memcpy(&bits, &a, sizeof bits);
    return (vf)_mm512_dpbf16_ps((__m512)sum, (__m512bh)_mm512_set1_epi32(bits), (__m512bh)b);
}

SP__INLINE float pair_of(sp__bf16 low, sp__bf16 high)
{
    const uint32_t bits = low | (uint32_t)high << 16;
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

SP__INLINE vf pairs_across(const sp__bf16 *p, int64_t next, int64_t n, int64_t left)
{
    const words low = __builtin_convertvector(load_halves(p, n), words);
    return left > 1 ? (vf)(low | (words)from_bf16(load_halves(p + next, n))) : (vf)low;
}

#define T pair
#define I int32_t
#define S sp__bf16
#define STEP 2
#define ACCUMULATE(sum, a, b) ((sum) = (vector_pair)add_pairs((vf)(sum), a, (vf)(b)))
#define ONE pair_of(0x3F80, 0x3F80)
#define UNIT(p, next) pair_of((p)[0], (p)[next])
#define ACROSS(p, next, n, left) (vector_pair) pairs_across(p, next, n, left)
#define NARROW(p, x) store_halves(p, to_bf16((vf)(x)), LANES_f32)
#define FN(name) name##_pair
#include "conv.inc.h"

#include "conv_pairs.inc.h"
#endif

sp_status SP__HERE(sp__conv_bf16)(const sp__conv *call)
{
#if defined(__AVX512BF16__)
    if (takes_pairs(call)) return sp__conv_arranged(call, SP_BF16, run_pairs);
#endif
    return sp__conv_arranged(call, SP_F32, run_conv_f32_conv);
}

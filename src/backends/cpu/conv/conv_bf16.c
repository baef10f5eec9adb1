/* Convolution of bf16, summed in f32: by the level's instruction for pairs, or by f32 numbers. */
#include "backends/cpu/conv/conv.h"
#include "backends/cpu/common/bf16.h"

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
#define WIDEN(p, n) from_bf16(load_halves(p, n))
#define NARROW(p, x) store_halves(p, to_bf16((vf)(x)), LANES_f32)
#define FN(name) name##_pair
#include "parts.inc.h"

#include "pairs.inc.h"
#endif

sp_status SP__HERE(sp__conv_bf16)(const sp__conv *call)
{
#if defined(__AVX512BF16__)
    if (takes_pairs(call)) return sp__conv_arranged(call, SP_BF16, run_pairs);
#endif
    return SP__BASE(sp__conv_f32)(call);
}

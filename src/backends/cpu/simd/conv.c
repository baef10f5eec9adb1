/* Convolution in f32 and f64, by vectors of the level's length. */
#include "backends/cpu/conv.h"
#include "backends/cpu/simd/simd.h"

#define T float
#define I int32_t
#define FN(name) name##_f32
#include "conv.inc.h"
#undef T
#undef I
#undef FN

#define T double
#define I int64_t
#define FN(name) name##_f64
#include "conv.inc.h"
#undef T
#undef I
#undef FN

/* In f32, with what is read converted before and what is written after. */
sp_status SP__HERE(sp__conv_bf16)(const sp__conv *call)
{
    return sp__conv_arranged(call, SP_F32, run_conv_f32);
}

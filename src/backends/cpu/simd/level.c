/* The table of this ISA level. */
#include "backends/cpu/simd/simd.h"

#define TEXT(name) #name
#define NAME_OF(name) TEXT(name)

const sp__level SP__HERE(sp__level) = {
    .name = NAME_OF(SP_ISA),
    .philox = SP__HERE(sp__philox),
    .of = {[SP_F32] = {.map = SP__HERE(sp__map_f32),
                       .cast = SP__HERE(sp__cast_f32),
                       .fold = SP__HERE(sp__fold_f32),
                       .rows = SP__HERE(sp__rows_f32),
                       .gemm = SP__HERE(sp__gemm_f32),
                       .conv = SP__HERE(sp__conv_f32),
                       .fused = SP__HERE(sp__fused_f32),
                       .pool = SP__HERE(sp__pool_f32),
                       .norm = &SP__HERE(sp__norm_f32),
                       .fill = SP__HERE(sp__fill_f32),
                       .spin = SP__HERE(sp__spin_f32)},
           [SP_F64] = {.map = SP__HERE(sp__map_f64),
                       .fold = SP__HERE(sp__fold_f64),
                       .gemm = SP__HERE(sp__gemm_f64),
                       .conv = SP__HERE(sp__conv_f64),
                       .fused = SP__HERE(sp__fused_f64),
                       .eigh = &SP__HERE(sp__eigh_f64),
                       .spin = SP__HERE(sp__spin_f64)},
           [SP_BF16] = {.cast = SP__HERE(sp__cast_bf16),
                       .gemm = SP__HERE(sp__gemm_bf16),
                       .conv = SP__HERE(sp__conv_bf16),
                       .spin = SP__HERE(sp__spin_bf16)},
           [SP_U8] = {.cast = SP__HERE(sp__cast_u8)}},
};

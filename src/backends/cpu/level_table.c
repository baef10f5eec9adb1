/* The table of this ISA level. */
#include "backends/cpu/common/simd.h"

#define TEXT(name) #name
#define NAME_OF(name) TEXT(name)

const sp__level SP__HERE(sp__level) = {
    .name = NAME_OF(SP_ISA),
    .vector_bytes = SP__VECTOR_BYTES,
    .philox = SP__BASE(sp__philox),
    .of = {[SP_F32] = {.map = SP__BASE(sp__map_f32),
                       .cast = SP__BASE(sp__cast_f32),
                       .fold = SP__BASE(sp__fold_f32),
                       .rows = SP__BASE(sp__rows_f32),
                       .gemm = SP__BASE(sp__gemm_f32),
                       .attention = SP__BASE(sp__attention_f32),
                       .conv = SP__BASE(sp__conv_f32),
                       .update = SP__BASE(sp__update_f32),
                       .pool = SP__BASE(sp__pool_f32),
                       .resample = SP__BASE(sp__resample_f32),
                       .norm_loops = &SP__BASE(sp__norm_f32),
                       .fill = SP__BASE(sp__fill_f32),
                       .spin = SP__BASE(sp__spin_f32)},
           [SP_F64] = {.map = SP__BASE(sp__map_f64),
                       .fold = SP__BASE(sp__fold_f64),
                       .gemm = SP__BASE(sp__gemm_f64),
                       .conv = SP__BASE(sp__conv_f64),
                       .update = SP__BASE(sp__update_f64),
                       .norm_loops = &SP__BASE(sp__norm_f64),
                       .eigh = &SP__BASE(sp__eigh_f64),
                       .spin = SP__BASE(sp__spin_f64)},
           [SP_BF16] = {.map = SP__BASE(sp__map_bf16),
                        .cast = SP__BASE(sp__cast_bf16),
                        .gemm = SP__HERE(sp__gemm_bf16),
                        .attention = SP__BASE(sp__attention_f32),
                        .conv = SP__HERE(sp__conv_bf16),
#if !defined(SP_LEVEL_SMALL)
                        .rows = SP__BASE(sp__rows_bf16),
                        .norm_loops = &SP__BASE(sp__norm_bf16),
                        .pool = SP__BASE(sp__pool_bf16),
#endif
                        .fill = SP__BASE(sp__fill_bf16),
                        .spin = SP__HERE(sp__spin_bf16)},
           [SP_U8] = {.cast = SP__BASE(sp__cast_u8)},
           [SP_BOOL] = {.map = SP__BASE(sp__map_bool), .cast = SP__BASE(sp__cast_bool)}},
};

/* The reference's table. */
#include "backends/cpu/reference.h"

const sp__level sp__reference = {
    .name = "reference",
    .of =
        {
            [SP_F32] = {sp__map_f32, sp__cast_f32, sp__fold_f32, sp__rows_f32, .gemm = sp__gemm_f32,
                        .attention = sp__attention_f32, .conv = sp__conv_f32, .update = sp__update_f32,
                        .pool = sp__pool_f32, .norm = sp__norm_f32, .resample = sp__resample_f32, .nll = sp__nll_any,
                        .fill = sp__fill_any, .index = sp__index_any},
            [SP_F64] = {sp__map_f64, sp__cast_f64, sp__fold_f64, sp__rows_f64, .gemm = sp__gemm_f64,
                        .attention = sp__attention_f64, .conv = sp__conv_f64, .update = sp__update_f64,
                        .eigh = &sp__eigh_f64, .pool = sp__pool_f64, .norm = sp__norm_f64, .resample = sp__resample_f64,
                        .nll = sp__nll_any, .fill = sp__fill_any, .index = sp__index_any},
            [SP_BF16] = {sp__map_bf16, sp__cast_bf16, sp__fold_bf16, sp__rows_bf16, .gemm = sp__gemm_bf16,
                         .attention = sp__attention_bf16, .conv = sp__conv_bf16, .pool = sp__pool_bf16,
                         .norm = sp__norm_bf16, .resample = sp__resample_bf16, .nll = sp__nll_any, .fill = sp__fill_any,
                         .index = sp__index_any},
            [SP_I64] = {sp__map_i64, sp__cast_i64, sp__fold_i64, sp__rows_i64, .gemm = sp__gemm_i64,
                        .fill = sp__fill_any, .index = sp__index_any, .pool = sp__pool_i64},
            [SP_I32] = {sp__map_i32, sp__cast_i32, sp__fold_i32, sp__rows_i32, .gemm = sp__gemm_i32,
                        .fill = sp__fill_any, .index = sp__index_any},
            [SP_U8] = {sp__map_u8, sp__cast_u8, sp__fold_u8, sp__rows_u8, .gemm = sp__gemm_u8, .fill = sp__fill_any,
                       .index = sp__index_any},
            [SP_BOOL] = {sp__map_bool8, sp__cast_bool8, sp__fold_bool8, .fill = sp__fill_any, .index = sp__index_any},
        },
};

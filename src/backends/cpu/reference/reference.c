/* The reference's table. */
#include "reference.h"

const sp__level sp__reference = {
    .name = "reference",
    .of =
        {
            [SP_F32] = {sp__map_f32, sp__cast_f32, sp__fold_f32, sp__rows_f32, sp__gemm_f32, sp__fused_f32},
            [SP_F64] = {sp__map_f64, sp__cast_f64, sp__fold_f64, sp__rows_f64, sp__gemm_f64, sp__fused_f64, &sp__eigh_f64},
            [SP_BF16] = {sp__map_bf16, sp__cast_bf16, sp__fold_bf16, sp__rows_bf16, sp__gemm_bf16, NULL},
            [SP_I64] = {sp__map_i64, sp__cast_i64, sp__fold_i64, sp__rows_i64, sp__gemm_i64, NULL},
            [SP_I32] = {sp__map_i32, sp__cast_i32, sp__fold_i32, sp__rows_i32, sp__gemm_i32, NULL},
            [SP_U8] = {sp__map_u8, sp__cast_u8, sp__fold_u8, sp__rows_u8, sp__gemm_u8, NULL},
            [SP_BOOL] = {sp__map_bool, sp__cast_bool, sp__fold_bool, NULL, NULL, NULL},
        },
};

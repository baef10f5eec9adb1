/* The reference kernels: plain loops for every dtype. They are the oracle of the fast ones. */
#ifndef SPUSK_REFERENCE_H
#define SPUSK_REFERENCE_H

#include "backends/cpu/cpu.h"

extern sp__loop *const sp__map_f32[SP__MAP_COUNT], *const sp__map_f64[SP__MAP_COUNT],
                                                       *const sp__map_bf16[SP__MAP_COUNT],
                                                           *const sp__map_i64[SP__MAP_COUNT],
                                                               *const sp__map_i32[SP__MAP_COUNT],
                                                                   *const sp__map_u8[SP__MAP_COUNT],
                                                                       *const sp__map_bool8[SP__MAP_COUNT];

extern sp__loop *const sp__cast_f32[SP_DTYPE_COUNT], *const sp__cast_f64[SP_DTYPE_COUNT],
                                                         *const sp__cast_bf16[SP_DTYPE_COUNT],
                                                             *const sp__cast_i64[SP_DTYPE_COUNT],
                                                                 *const sp__cast_i32[SP_DTYPE_COUNT],
                                                                     *const sp__cast_u8[SP_DTYPE_COUNT],
                                                                         *const sp__cast_bool8[SP_DTYPE_COUNT];

extern sp__fold_run *const sp__fold_f32[SP__FOLD_COUNT], *const sp__fold_f64[SP__FOLD_COUNT],
                                                             *const sp__fold_bf16[SP__FOLD_COUNT],
                                                                 *const sp__fold_i64[SP__FOLD_COUNT],
                                                                     *const sp__fold_i32[SP__FOLD_COUNT],
                                                                         *const sp__fold_u8[SP__FOLD_COUNT],
                                                                             *const sp__fold_bool8[SP__FOLD_COUNT];

extern sp__rows_run *const sp__rows_f32[SP__ROW_COUNT],
    *const sp__rows_f64[SP__ROW_COUNT], *const sp__rows_bf16[SP__ROW_COUNT], *const sp__rows_i64[SP__ROW_COUNT],
                                                                                 *const sp__rows_i32[SP__ROW_COUNT],
                                                                                     *const sp__rows_u8[SP__ROW_COUNT];

sp__gemm_run sp__gemm_f32, sp__gemm_f64, sp__gemm_bf16, sp__gemm_i64, sp__gemm_i32, sp__gemm_u8;
extern sp__attention_run *const sp__attention_f32[SP__ATTENTION_KINDS],
    *const sp__attention_f64[SP__ATTENTION_KINDS], *const sp__attention_bf16[SP__ATTENTION_KINDS];
extern sp__conv_run *const sp__conv_f32[SP__CONV_LOOPS], *const sp__conv_f64[SP__CONV_LOOPS],
                                                             *const sp__conv_bf16[SP__CONV_LOOPS];
sp__update_run sp__update_f32, sp__update_f64;
extern const sp__eigh_loops sp__eigh_f64;

extern sp__pool_run *const sp__pool_f32[SP__POOL_KINDS],
    *const sp__pool_f64[SP__POOL_KINDS], *const sp__pool_bf16[SP__POOL_KINDS], *const sp__pool_i64[SP__POOL_KINDS];
sp__resample_run sp__resample_f32, sp__resample_f64, sp__resample_bf16;

/* These serve every dtype. */
extern sp__fill_run *const sp__fill_any[SP__FILL_COUNT];
extern sp__index_run *const sp__index_any[SP__INDEX_COUNT];
sp__nll_run sp__nll_any;

extern sp__norm_run *const sp__norm_f32[SP__NORM_PARTS], *const sp__norm_f64[SP__NORM_PARTS],
                                                             *const sp__norm_bf16[SP__NORM_PARTS];

/* base^exponent, overflow wraps; a negative exponent gives 0 but for bases 1 and -1. */
int64_t sp__power_i64(int64_t base, int64_t exponent);

#endif

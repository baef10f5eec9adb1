/* What a file of this folder stands on. It is compiled once for each ISA level, with SP_ISA its name; only the length
 * of a vector depends on the level. */
#ifndef SPUSK_SIMD_H
#define SPUSK_SIMD_H

#include "backends/cpu/cpu.h"

#define SP__JOIN(name, isa) name##_##isa
#define SP__LEVEL_NAME(name, isa) SP__JOIN(name, isa)
/* name_avx2, and so on: for what other files of the same level use. */
#define SP__HERE(name) SP__LEVEL_NAME(name, SP_ISA)

#if defined(__AVX512F__)
enum { SP__VECTOR_BYTES = 64 };
#elif defined(__AVX__)
enum { SP__VECTOR_BYTES = 32 };
#else
enum { SP__VECTOR_BYTES = 16 };
#endif

/* How many rows of accumulators, each two vectors wide, the registers hold beside their operands: 32 registers, or 16.
 */
#if defined(__AVX512F__) || defined(__aarch64__)
enum { SP__TILE_ROWS = 8 };
#else
enum { SP__TILE_ROWS = 6 };
#endif

#if defined(__clang__)
#define SP__UNROLL _Pragma("clang loop unroll(full)")
#else
#define SP__UNROLL _Pragma("GCC unroll 16")
#endif

#define SP__INLINE static inline __attribute__((always_inline))

extern sp__loop *const SP__HERE(sp__map_f32)[SP__MAP_COUNT], *const SP__HERE(sp__map_f64)[SP__MAP_COUNT];
extern sp__loop *const SP__HERE(sp__cast_f32)[SP_DTYPE_COUNT], *const SP__HERE(sp__cast_bf16)[SP_DTYPE_COUNT],
                                                                   *const SP__HERE(sp__cast_u8)[SP_DTYPE_COUNT];
extern sp__fold_run *const SP__HERE(sp__fold_f32)[SP__FOLD_COUNT], *const SP__HERE(sp__fold_f64)[SP__FOLD_COUNT];
extern sp__rows_run *const SP__HERE(sp__rows_f32)[SP__ROW_COUNT];
sp__fused_run SP__HERE(sp__fused_f32), SP__HERE(sp__fused_f64);
extern const sp__eigh_loops SP__HERE(sp__eigh_f64);
sp_status SP__HERE(sp__gemm_f32)(const sp__gemm *call);
sp_status SP__HERE(sp__gemm_f64)(const sp__gemm *call);
sp__conv_run SP__HERE(sp__conv_f32), SP__HERE(sp__conv_f64), SP__HERE(sp__conv_bf16);
double SP__HERE(sp__spin_f32)(int64_t rounds);
double SP__HERE(sp__spin_f64)(int64_t rounds);

#endif

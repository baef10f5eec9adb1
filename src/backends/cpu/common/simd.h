/* What a file of this folder stands on. It is compiled once for each ISA level, with SP_ISA its name; only the length
 * of a vector depends on the level. */
#ifndef SPUSK_SIMD_H
#define SPUSK_SIMD_H

#include "backends/cpu/cpu.h"
#if defined(__AVX2__)
#include <immintrin.h> /* masked loads and stores, fused multiply-adds: what the vector extensions do not have */
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#define SP__JOIN(name, isa) name##_##isa
#define SP__LEVEL_NAME(name, isa) SP__JOIN(name, isa)
/* name_avx2, and so on: for what other files of the same level use. */
#define SP__HERE(name) SP__LEVEL_NAME(name, SP_ISA)
/* A level that differs from another in its bf16 files alone has the rest from there: SP_ISA_BASE is that other's name,
 * and SP_ISA where there is none. */
#define SP__BASE(name) SP__LEVEL_NAME(name, SP_ISA_BASE)

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

/* ---- fused multiply-adds: rounded once ----
 *
 * Kernels are compiled without contraction: what is to be fused is written so, and every compiler then computes the
 * same bits. a·b + c of single numbers; f32.h and f64.h have those of vectors. A level without the instruction, which
 * stands outside that promise, rounds twice. */

#if defined(__FMA__) || defined(__aarch64__)
#define SP__FUSES 1
#else
#define SP__FUSES 0
#endif

SP__INLINE float sp__fma_one_f32(float a, float b, float c)
{
#if SP__FUSES
    return __builtin_fmaf(a, b, c);
#else
    return a * b + c;
#endif
}

SP__INLINE double sp__fma_one_f64(double a, double b, double c)
{
#if SP__FUSES
    return __builtin_fma(a, b, c);
#else
    return a * b + c;
#endif
}

/* Lanes of two vectors: constant numbers, those of the second vector after those of the first. */
#if defined(__clang__)
#define SP__SHUFFLE(a, b, mask, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define SP__SHUFFLE(a, b, mask, ...) __builtin_shuffle(a, b, (mask){__VA_ARGS__})
#endif

/* The numbers that lay two vectors' lower or upper halves into each other, lane by lane. */
#define SP__LOWER_2 0, 2
#define SP__UPPER_2 1, 3
#define SP__LOWER_4 0, 4, 1, 5
#define SP__UPPER_4 2, 6, 3, 7
#define SP__LOWER_8 0, 8, 1, 9, 2, 10, 3, 11
#define SP__UPPER_8 4, 12, 5, 13, 6, 14, 7, 15
#define SP__LOWER_16 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define SP__UPPER_16 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#if defined(__AVX512F__)
#define SP__LOWER_F32 SP__LOWER_16
#define SP__UPPER_F32 SP__UPPER_16
#define SP__LOWER_F64 SP__LOWER_8
#define SP__UPPER_F64 SP__UPPER_8
#elif defined(__AVX__)
#define SP__LOWER_F32 SP__LOWER_8
#define SP__UPPER_F32 SP__UPPER_8
#define SP__LOWER_F64 SP__LOWER_4
#define SP__UPPER_F64 SP__UPPER_4
#else
#define SP__LOWER_F32 SP__LOWER_4
#define SP__UPPER_F32 SP__UPPER_4
#define SP__LOWER_F64 SP__LOWER_2
#define SP__UPPER_F64 SP__UPPER_2
#endif

/* ---- parts of vectors: `words` of four bytes, fewer than a vector has; what is not loaded is zero ---- */

typedef int32_t sp__words __attribute__((vector_size(SP__VECTOR_BYTES), aligned(4), may_alias));

SP__INLINE sp__words sp__load_part(const void *p, int64_t words)
{
#if defined(__AVX512F__)
    return (sp__words)_mm512_maskz_loadu_epi32((__mmask16)((1u << words) - 1), p);
#elif defined(__AVX2__)
    const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return (sp__words)_mm256_maskload_epi32(p, _mm256_cmpgt_epi32(_mm256_set1_epi32((int)words), lanes));
#else
    sp__words x = {0};
    for (int i = 0; i < 3 && i < words; i++) memcpy((char *)&x + 4 * i, (const char *)p + 4 * i, 4);
    return x;
#endif
}

SP__INLINE void sp__store_part(void *p, sp__words x, int64_t words)
{
#if defined(__AVX512F__)
    _mm512_mask_storeu_epi32(p, (__mmask16)((1u << words) - 1), (__m512i)x);
#elif defined(__AVX2__)
    const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    _mm256_maskstore_epi32(p, _mm256_cmpgt_epi32(_mm256_set1_epi32((int)words), lanes), (__m256i)x);
#else
    for (int i = 0; i < 3 && i < words; i++) memcpy((char *)p + 4 * i, (const char *)&x + 4 * i, 4);
#endif
}

/* The first `words` words at p, or a whole vector of them. p need not be aligned: pairs of bf16 are not. */
SP__INLINE sp__words sp__load_words(const void *p, int64_t words)
{
    sp__words x;
    if (words >= SP__VECTOR_BYTES / 4) return memcpy(&x, p, sizeof x), x;
    return sp__load_part(p, words);
}

SP__INLINE void sp__store_words(void *p, sp__words x, int64_t words)
{
    if (words >= SP__VECTOR_BYTES / 4)
        *(sp__words *)p = x;
    else
        sp__store_part(p, x, words);
}

/* Whether any bit is set of a mask. */
SP__INLINE bool sp__any_word(sp__words mask)
{
#if defined(__AVX512F__)
    return _mm512_movepi8_mask((__m512i)mask) != 0;
#elif defined(__AVX2__)
    return _mm256_movemask_epi8((__m256i)mask) != 0;
#endif
    uint64_t parts[SP__VECTOR_BYTES / 8], all = 0;
    memcpy(parts, &mask, sizeof parts);
    for (int i = 0; i < SP__VECTOR_BYTES / 8; i++) all |= parts[i];
    return all != 0;
}

/* Bit i is the sign of word i. */
SP__INLINE uint32_t sp__signs(sp__words x)
{
#if defined(__AVX512F__)
    return _mm512_cmplt_epi32_mask((__m512i)x, _mm512_setzero_si512());
#elif defined(__AVX2__)
    return (uint32_t)_mm256_movemask_ps((__m256)x);
#else
    uint32_t bits = 0;
    for (int i = 0; i < 4; i++) bits |= (uint32_t)x[i] >> 31 << i;
    return bits;
#endif
}

extern sp__loop *const SP__BASE(sp__map_f32)[SP__MAP_COUNT], *const SP__BASE(sp__map_f64)[SP__MAP_COUNT],
                                                                 *const SP__BASE(sp__map_bf16)[SP__MAP_COUNT],
                                                                     *const SP__BASE(sp__map_bool)[SP__MAP_COUNT];
extern sp__loop *const SP__BASE(sp__cast_f32)[SP_DTYPE_COUNT], *const SP__BASE(sp__cast_bf16)[SP_DTYPE_COUNT],
                                                                   *const SP__BASE(sp__cast_u8)[SP_DTYPE_COUNT],
                                                                       *const SP__BASE(sp__cast_bool)[SP_DTYPE_COUNT];
extern sp__fold_run *const SP__BASE(sp__fold_f32)[SP__FOLD_COUNT], *const SP__BASE(sp__fold_f64)[SP__FOLD_COUNT];
extern sp__rows_run *const SP__BASE(sp__rows_f32)[SP__ROW_COUNT], *const SP__BASE(sp__rows_bf16)[SP__ROW_COUNT];
extern sp__pool_run *const SP__BASE(sp__pool_f32)[SP__POOL_KINDS], *const SP__BASE(sp__pool_bf16)[SP__POOL_KINDS];
sp__resample_run SP__BASE(sp__resample_f32);
extern const sp__norm_loops SP__BASE(sp__norm_f32), SP__BASE(sp__norm_f64), SP__BASE(sp__norm_bf16);
extern sp__fill_run *const SP__BASE(sp__fill_f32)[SP__FILL_COUNT], *const SP__BASE(sp__fill_bf16)[SP__FILL_COUNT];
void SP__BASE(sp__philox)(uint64_t seed, uint64_t position, int64_t blocks, uint32_t *out);
sp__update_run SP__BASE(sp__update_f32), SP__BASE(sp__update_f64);
extern const sp__eigh_loops SP__BASE(sp__eigh_f64);
sp_status SP__BASE(sp__gemm_f32)(const sp__gemm *call);
sp_status SP__BASE(sp__gemm_f64)(const sp__gemm *call);
sp_status SP__HERE(sp__gemm_bf16)(const sp__gemm *call);
extern sp__attention_run *const SP__BASE(sp__attention_f32)[SP__ATTENTION_KINDS];
extern sp__conv_run *const SP__BASE(sp__conv_f32)[SP__CONV_LOOPS], *const SP__BASE(sp__conv_f64)[SP__CONV_LOOPS],
                                                                       *const SP__HERE(sp__conv_bf16)[SP__CONV_LOOPS];
double SP__BASE(sp__spin_f32)(int64_t rounds);
double SP__BASE(sp__spin_f64)(int64_t rounds);
double SP__HERE(sp__spin_bf16)(int64_t rounds);

#endif

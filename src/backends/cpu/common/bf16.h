/* Vectors of bf16, as many as a vector has f32, and their casts. */
#ifndef SPUSK_BF16_H
#define SPUSK_BF16_H

#include "backends/cpu/common/f32.h"

typedef uint16_t halves __attribute__((vector_size(SP__VECTOR_BYTES / 2), aligned(2), may_alias));
typedef uint32_t words __attribute__((vector_size(SP__VECTOR_BYTES), aligned(4), may_alias));

SP__INLINE halves to_bf16(vf x)
{
    const words bits = (words)x, rounded = (bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16, nan = (words)(x != x);
    const words whole = (rounded & ~nan) | (nan & 0x7FC0u);
#if defined(__AVX512F__)
    return (halves)_mm512_cvtepi32_epi16((__m512i)whole);
#else
    return __builtin_convertvector(whole, halves);
#endif
}

/* gcc's own conversion goes by quarters of a vector. */
SP__INLINE vf from_bf16(halves x)
{
#if defined(__AVX512F__)
    return (vf)((words)_mm512_cvtepu16_epi32((__m256i)x) << 16);
#elif defined(__AVX2__)
    return (vf)((words)_mm256_cvtepu16_epi32((__m128i)x) << 16);
#else
    return (vf)(__builtin_convertvector(x, words) << 16);
#endif
}

/* The first n elements at p, zeros behind. */
SP__INLINE halves load_halves(const sp__bf16 *p, int64_t n)
{
    if (n >= LANES_f32) return *(const halves *)p;
#if defined(__AVX512F__)
    return (halves)_mm256_maskz_loadu_epi16((__mmask16)((1u << n) - 1), p);
#else
    halves x = {0};
    memcpy(&x, p, (size_t)n * sizeof *p);
    return x;
#endif
}

SP__INLINE void store_halves(sp__bf16 *p, halves x, int64_t n)
{
    if (n >= LANES_f32) {
        *(halves *)p = x;
        return;
    }
#if defined(__AVX512F__)
    _mm256_mask_storeu_epi16(p, (__mmask16)((1u << n) - 1), (__m256i)x);
#else
    memcpy(p, &x, (size_t)n * sizeof *p);
#endif
}

#endif

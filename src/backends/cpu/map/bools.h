/* Bools, a byte each, beside vectors of f32. */
#ifndef SPUSK_MAP_BOOLS_H
#define SPUSK_MAP_BOOLS_H

#include "backends/cpu/common/f32.h"

typedef uint8_t bytes __attribute__((vector_size(SP__VECTOR_BYTES / 4), aligned(1), may_alias));

/* In two steps: gcc makes one of both element by element. */
SP__INLINE vi widened(bytes x)
{
    typedef uint16_t words16 __attribute__((vector_size(SP__VECTOR_BYTES / 2)));
    return __builtin_convertvector(__builtin_convertvector(x, words16), vi);
}

/* The first n bytes at p, zeros behind. */
SP__INLINE bytes load_bytes(const char *p, int64_t n)
{
    if (n >= LANES_f32) return *(const bytes *)p;
    bytes x = {0};
    memcpy(&x, p, (size_t)n);
    return x;
}

SP__INLINE void store_mask(char *p, vi x, int64_t n)
{
    const bytes flags = __builtin_convertvector(x & 1, bytes);
    if (n >= LANES_f32)
        memcpy(p, &flags, sizeof flags);
    else
        memcpy(p, &flags, (size_t)n);
}

#endif

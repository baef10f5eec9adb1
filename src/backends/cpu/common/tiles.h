/* The tiles of AMX: 16 rows of 64 bytes. Tiles 0 to 3 hold sums, two of rows by two of columns; 4 and 5 are of a, with
 * 32 elements of bf16 that are summed over in each row; 6 and 7 are of b: two elements that follow each other in what is
 * summed over stand side by side there, for each of 16 columns. */
#ifndef SPUSK_CPU_TILES_H
#define SPUSK_CPU_TILES_H

#include "backends/cpu/common/simd.h"

enum { SP__TILE_SIDE = 16, SP__TILE_DEPTH = 32, SP__TILE_WHOLE = SP__TILE_SIDE * SP__TILE_DEPTH };

/* The shapes of the tiles, as the processor wants them. */
typedef struct sp__tile_shapes {
    uint8_t palette, start, unused[14];
    uint16_t bytes[16]; /* of a row */
    uint8_t rows[16];
} sp__tile_shapes;

/* So many rows of sums, at most 32. Whoever sets tiles releases them before its task ends. */
static inline void sp__set_tiles(int64_t rows)
{
    enum { SIDE = SP__TILE_SIDE };
    const uint8_t upper = (uint8_t)(rows < SIDE ? rows : SIDE), lower = rows > SIDE ? (uint8_t)(rows - SIDE) : SIDE;
    const sp__tile_shapes s = {.palette = 1,
                               .bytes = {64, 64, 64, 64, 64, 64, 64, 64},
                               .rows = {upper, upper, lower, lower, upper, lower, SIDE, SIDE}};
    __asm__ volatile("" : : "r"(&s) : "memory"); /* gcc's intrinsic says that it reads the first eight bytes */
    _tile_loadconfig(&s);
}

/* Sums, whose rows lie `row` bytes apart, into the tiles; zeros where `begun` is not. Without `lower` the upper 16 rows
 * alone are meant, without `right` the left 16 columns. */
SP__INLINE void sp__load_sums(const float *sums, int64_t row, bool lower, bool right, bool begun)
{
    const size_t step = (size_t)row;
    const char *below = (const char *)sums + SP__TILE_SIDE * row;
    if (!begun) {
        _tile_zero(0);
        _tile_zero(1);
        _tile_zero(2);
        _tile_zero(3);
        return;
    }
    _tile_loadd(0, sums, step);
    if (right) _tile_loadd(1, sums + SP__TILE_SIDE, step);
    if (lower) _tile_loadd(2, below, step);
    if (lower && right) _tile_loadd(3, below + 64, step);
}

/* And back. */
SP__INLINE void sp__store_sums(float *sums, int64_t row, bool lower, bool right)
{
    const size_t step = (size_t)row;
    char *below = (char *)sums + SP__TILE_SIDE * row;
    _tile_stored(0, sums, step);
    if (right) _tile_stored(1, sums + SP__TILE_SIDE, step);
    if (lower) _tile_stored(2, below, step);
    if (lower && right) _tile_stored(3, below + 64, step);
}

/* Two tiles of a, or of b, of which each is `next` bytes from the one before; rows are `row` bytes apart. */
typedef struct sp__tile_walk {
    const void *first, *second;
    int64_t row, next;
} sp__tile_walk;

SP__INLINE void sp__add_some_tiles(const sp__tile_walk *a, const sp__tile_walk *b, int64_t depths, const bool lower,
                                   const bool right)
{
    const char *a0 = a->first, *a1 = a->second, *b0 = b->first, *b1 = b->second;
    const size_t a_row = (size_t)a->row, b_row = (size_t)b->row;
    for (int64_t d = 0; d < depths; d++, a0 += a->next, a1 += a->next, b0 += b->next, b1 += b->next) {
        _tile_loadd(4, a0, a_row);
        _tile_loadd(6, b0, b_row);
        _tile_dpbf16ps(0, 4, 6);
        if (right) {
            _tile_loadd(7, b1, b_row);
            _tile_dpbf16ps(1, 4, 7);
        }
        if (!lower) continue;
        _tile_loadd(5, a1, a_row);
        _tile_dpbf16ps(2, 5, 6);
        if (right) _tile_dpbf16ps(3, 5, 7);
    }
}

/* Adds the products of `depths` tiles to the sums. */
SP__INLINE void sp__add_tiles(const sp__tile_walk *a, const sp__tile_walk *b, int64_t depths, bool lower, bool right)
{
    if (lower && right)
        sp__add_some_tiles(a, b, depths, true, true);
    else if (lower)
        sp__add_some_tiles(a, b, depths, true, false);
    else
        sp__add_some_tiles(a, b, depths, false, right);
}

typedef int32_t sp__tile_row __attribute__((vector_size(64), aligned(2), may_alias));

/* Sixteen rows of pairs become columns. */
SP__INLINE void sp__turn_tile(sp__tile_row rows[SP__TILE_SIDE])
{
    sp__tile_row next[SP__TILE_SIDE];
    SP__UNROLL
    for (int stage = 0; stage < 4; stage++) {
        SP__UNROLL
        for (int i = 0; i < SP__TILE_SIDE / 2; i++) {
            next[2 * i] = SP__SHUFFLE(rows[i], rows[i + SP__TILE_SIDE / 2], sp__tile_row, SP__LOWER_16);
            next[2 * i + 1] = SP__SHUFFLE(rows[i], rows[i + SP__TILE_SIDE / 2], sp__tile_row, SP__UPPER_16);
        }
        SP__UNROLL
        for (int i = 0; i < SP__TILE_SIDE; i++) rows[i] = next[i];
    }
}

#endif

/* The packing of a product's operands, for one type. Its parameters are those of tile.inc.h and
 *
 * UNITS(p, n)  n Ts from S that lie side by side in k, zeros behind, as a vector
 *
 * Depths are in T: a depth of k is (k + STEP - 1) / STEP of them. */
#include "tile.inc.h"

/* How many T a depth of k is. */
static int64_t FN(units)(int64_t k)
{
    return (k + STEP - 1) / STEP;
}

/* One T of the elements at p and p + next, of which `left` are there. */
SP__INLINE T FN(unit)(const S *p, int64_t next, int64_t left)
{
    const FN(vector) x = ACROSS(p, next, 1, left);
    return x[0];
}

/* Up to eight rows, k wide, that lie `row` apart; `height` of each column side by side, a column every `step`. */
SP__INLINE void FN(pack_turned)(T *out, int64_t step, const S *in, int64_t row, int64_t rows, int64_t k)
{
    const int64_t whole = k / STEP;
    for (int64_t u = 0; u < whole; u += FN(LANES)) {
        FN(vector) v[8] = {{0}};
        SP__UNROLL
        for (int r = 0; r < 8; r++) {
            if (r >= rows) continue;
            __builtin_prefetch(in + r * row + (u + 8 * FN(LANES)) * STEP);
            v[r] = UNITS(in + r * row + u * STEP, whole - u);
        }
        FN(turn_block)(out + u * step, step, 8, v, whole - u);
    }
    for (int r = 0; whole * STEP < k && r < 8; r++)
        out[whole * step + r] = r < rows ? FN(unit)(in + r * row + whole * STEP, 0, 1) : 0;
}

/* Tiles of a whose rows lie side by side: as many at once as a vector has the rows of. */
SP__INLINE void FN(pack_side_by_side)(T *out, const S *a, int64_t column, int64_t k)
{
    enum { ROWS = SP__TILE_ROWS, TILES = (int)FN(LANES) % ROWS == 0 ? FN(LANES) / ROWS : 1 };
    enum { SIDE = ROWS * TILES < (int)FN(LANES) ? ROWS * TILES : (int)FN(LANES) };
    const int64_t tile = FN(units)(k) * FN(HEIGHT);
    for (int64_t i = 0; i < k; i += STEP, out += FN(HEIGHT)) {
        SP__UNROLL
        for (int r = 0; r < ROWS; r += SIDE) {
            const FN(vector) x = ACROSS(a + i * column + r, column, TILES > 1 ? FN(LANES) : ROWS - r, k - i);
            SP__UNROLL
            for (int t = 0; t < TILES; t++)
                memcpy(out + t * tile + r, (const char *)&x + (size_t)(t * ROWS) * sizeof(T),
                       (size_t)(ROWS - r < SIDE ? ROWS - r : SIDE) * sizeof(T));
        }
    }
}

/* `rows` rows of a, for k of its columns, in tiles as they are read: HEIGHT elements of a column side by side. */
static void FN(pack_a)(T *out, const S *a, int64_t row, int64_t column, int64_t rows, int64_t k)
{
    enum { ROWS = SP__TILE_ROWS, TILES = (int)FN(LANES) % ROWS == 0 ? FN(LANES) / ROWS : 1 };
    const int64_t tile = FN(units)(k) * FN(HEIGHT);
    for (; row == 1 && rows >= ROWS * TILES; rows -= ROWS * TILES, a += ROWS * TILES, out += TILES * tile)
        FN(pack_side_by_side)(out, a, column, k);
    for (; rows > 0; rows -= ROWS, a += ROWS * row, out += tile) {
        const int64_t height = rows < ROWS ? rows : ROWS;
        if (column == 1) {
            FN(pack_turned)(out, FN(HEIGHT), a, row, height, k);
            continue;
        }
        for (int64_t i = 0; i < k; i += STEP)
            for (int64_t r = 0; r < height; r++)
                out[i / STEP * FN(HEIGHT) + r] = FN(unit)(a + r * row + i * column, column, k - i);
    }
}

/* Columns [0, width) of k rows of b, in panels of NR side by side; whole vectors are written, zeros behind `width`. */
static void FN(pack_b)(T *out, const S *b, int64_t row, int64_t column, int64_t k, int64_t width)
{
    const int64_t panel = FN(units)(k) * FN(NR);
    if (column == 1) {
        for (int64_t i = 0; i < k; i += STEP, out += FN(NR)) {
            T *to = out;
            for (int64_t j = 0; j < width; j += FN(LANES)) {
                *(FN(vector) *)(to + j % FN(NR)) = ACROSS(b + i * row + j, row, width - j, k - i);
                if (j % FN(NR)) to += panel;
            }
        }
    } else if (row == 1 && FN(NR) >= 8) {
        for (int64_t j = 0; j < width || j % FN(LANES); j += 8)
            FN(pack_turned)(out + j / FN(NR) * panel + j % FN(NR), FN(NR), b + j * column, column, width - j, k);
    } else {
        for (int64_t j = 0; j < width || j % FN(LANES); j++) {
            T *to = out + j / FN(NR) * panel + j % FN(NR);
            for (int64_t i = 0; i < k; i += STEP, to += FN(NR))
                *to = j < width ? FN(unit)(b + i * row + j * column, row, k - i) : 0;
        }
    }
}

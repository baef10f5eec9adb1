/* The packing of a product's operands.
 *
 * Depths are in numbers: a depth of k is (k + STEP - 1) / STEP of them. */
#include "tile.h"

/* How many number a depth of k is. */
static int64_t units_of(int64_t k)
{
    return (k + STEP - 1) / STEP;
}

/* One number of the elements at p and p + next, of which `left` are there. */
SP__INLINE number unit(const element *p, int64_t next, int64_t left)
{
    const vector x = across(p, next, 1, left);
    return x[0];
}

/* Up to eight rows, k wide, that lie `row` apart; `height` of each column side by side, a column every `step`. */
SP__INLINE void pack_turned(number *out, int64_t step, const element *in, int64_t row, int64_t rows, int64_t k)
{
    const int64_t whole = k / STEP;
    for (int64_t u = 0; u < whole; u += LANES) {
        vector v[8] = {{0}};
        SP__UNROLL
        for (int r = 0; r < 8; r++) {
            if (r >= rows) continue;
            __builtin_prefetch(in + r * row + (u + 8 * LANES) * STEP);
            v[r] = side_by_side(in + r * row + u * STEP, whole - u);
        }
        turn_block(out + u * step, step, v, whole - u);
    }
    for (int r = 0; whole * STEP < k && r < 8; r++)
        out[whole * step + r] = r < rows ? unit(in + r * row + whole * STEP, 0, 1) : 0;
}

/* A tile of a whose rows lie side by side. */
SP__INLINE void pack_side_by_side(number *out, const element *a, int64_t column, int64_t k)
{
    enum { SIDE = (int)ROWS < (int)LANES ? (int)ROWS : (int)LANES };
    for (int64_t i = 0; i < k; i += STEP, out += HEIGHT) {
        SP__UNROLL
        for (int r = 0; r < ROWS; r += SIDE) {
            const int side = ROWS - r < SIDE ? ROWS - r : SIDE;
            const vector x = across(a + i * column + r, column, side, k - i);
            memcpy(out + r, &x, (size_t)side * sizeof(number));
        }
    }
}

/* `rows` rows of a, for k of its columns, in tiles as they are read: HEIGHT elements of a column side by side. */
static void pack_a(number *out, const element *a, int64_t row, int64_t column, int64_t rows, int64_t k)
{
    const int64_t tile_size = units_of(k) * HEIGHT;
    for (; row == 1 && rows >= ROWS; rows -= ROWS, a += ROWS, out += tile_size) pack_side_by_side(out, a, column, k);
    for (; rows > 0; rows -= ROWS, a += ROWS * row, out += tile_size) {
        const int64_t height = rows < ROWS ? rows : ROWS;
        if (column == 1) {
            pack_turned(out, HEIGHT, a, row, height, k);
            continue;
        }
        for (int64_t i = 0; i < k; i += STEP)
            for (int64_t r = 0; r < height; r++)
                out[i / STEP * HEIGHT + r] = unit(a + r * row + i * column, column, k - i);
    }
}

/* Columns [0, width) of k rows of b, in panels of NR side by side; whole vectors are written, zeros behind `width`. */
static void pack_b(number *out, const element *b, int64_t row, int64_t column, int64_t k, int64_t width)
{
    const int64_t panel = units_of(k) * NR;
    if (column == 1) {
        for (int64_t i = 0; i < k; i += STEP, out += NR) {
            for (int64_t j = 0; j < width; j += LANES)
                *(vector *)(out + j / NR * panel + j % NR) = across(b + i * row + j, row, width - j, k - i);
        }
    } else if (row == 1 && NR >= 8) {
        for (int64_t j = 0; j < width || j % LANES; j += 8)
            pack_turned(out + j / NR * panel + j % NR, NR, b + j * column, column, width - j, k);
    } else {
        for (int64_t j = 0; j < width || j % LANES; j++) {
            number *to = out + j / NR * panel + j % NR;
            for (int64_t i = 0; i < k; i += STEP, to += NR)
                *to = j < width ? unit(b + i * row + j * column, row, k - i) : 0;
        }
    }
}

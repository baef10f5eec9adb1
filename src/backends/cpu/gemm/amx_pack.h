/* Operands as the tiles of AMX read them (common/tiles.h). Whatever is missing at the edges is zero.
 *
 * SIDE   rows of a tile, and numbers in each
 * DEPTH  elements of k in a tile
 * WHOLE  elements of a tile */
#include "backends/cpu/common/tiles.h"
#include "operands.h"
#include "result.h"

enum { SIDE = SP__TILE_SIDE, DEPTH = SP__TILE_DEPTH, WHOLE = SP__TILE_WHOLE };

static int64_t depths_of(int64_t k)
{
    return (k + DEPTH - 1) / DEPTH;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The first n elements at p, of at most 32. */
SP__INLINE vector elements(const element *p, int64_t n)
{
    return n >= DEPTH ? (vector)_mm512_loadu_si512(p)
                      : (vector)_mm512_maskz_loadu_epi16((__mmask32)((1u << (n > 0 ? n : 0)) - 1), p);
}

/* A tile from a matrix whose `rows` rows have k elements, side by side in each. */
static void pack_rows(element *out, const element *from, int64_t row, int64_t rows, int64_t k, bool turns)
{
    vector v[SIDE];
    SP__UNROLL
    for (int r = 0; r < SIDE; r++) v[r] = r < rows ? elements(from + r * row, k) : (vector){0};
    if (turns) sp__turn_tile((sp__tile_row *)v);
    memcpy(out, v, sizeof v);
}

/* A tile from a matrix whose `columns` columns have k elements; those of a row lie side by side. */
static void pack_columns(element *out, const element *from, int64_t row, int64_t columns, int64_t k, bool turns)
{
    vector v[SIDE];
    SP__UNROLL
    for (int r = 0; r < SIDE; r++)
        v[r] = STEP * r < k ? across(from + STEP * r * row, row, columns, k - STEP * r) : (vector){0};
    if (turns) sp__turn_tile((sp__tile_row *)v);
    memcpy(out, v, sizeof v);
}

/* A tile of a from any strides. */
static void pack_any(element *out, const element *from, int64_t row, int64_t column, int64_t rows, int64_t k)
{
    memset(out, 0, WHOLE * sizeof *out);
    for (int64_t r = 0; r < rows; r++)
        for (int64_t i = 0; i < k; i++) out[r * DEPTH + i] = from[r * row + i * column];
}

/* The tile of a at `from`: `rows` rows and k columns of it are there. */
static void pack_a_tile(element *out, const element *from, int64_t row, int64_t column, int64_t rows, int64_t k)
{
    rows = least(rows, SIDE);
    k = least(k, DEPTH);
    if (column == 1)
        pack_rows(out, from, row, rows, k, false);
    else if (row == 1)
        pack_columns(out, from, column, rows, k, true);
    else
        pack_any(out, from, row, column, rows, k);
}

/* The tile of b at `from`: k rows and `columns` columns of it are there. */
static void pack_b_tile(element *out, const element *from, int64_t row, int64_t column, int64_t k, int64_t columns)
{
    columns = least(columns, SIDE);
    k = least(k, DEPTH);
    if (column == 1) {
        pack_columns(out, from, row, columns, k, false);
    } else if (row == 1) {
        pack_rows(out, from, column, columns, k, true);
    } else {
        element turned[WHOLE] __attribute__((aligned(64)));
        pack_any(turned, from, column, row, columns, k);
        pack_rows(out, turned, DEPTH, SIDE, DEPTH, true);
    }
}

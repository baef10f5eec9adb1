/* Blocks of matrices in f32: brought from where they lie, turned, multiplied, and written back.
 *
 * A block has up to BLOCK rows. Its columns are filled up with zeros to a multiple of 16, so that it is whole vectors at
 * every level. */
#include "backends/cpu/common/bf16.h"
#include "backends/cpu/gemm/numbers_f32.h"
#include "backends/cpu/gemm/tile.h"

enum { BLOCK = SP__ATTENTION_BLOCK };

typedef struct block {
    const float *at;
    int64_t row, column; /* strides in elements */
} block;

/* ---- from memory, and back ---- */

/* Where row i of x's matrix (batch, head) begins. */
SP__INLINE char *row_at(const sp__operand *x, const int64_t head[2], int64_t i)
{
    const int64_t at = head[0] * x->strides[0] + head[1] * x->strides[1] + i * x->strides[2];
    return sp__operand_at(x) + at * sp__size_of(x->dtype);
}

static float number_at(sp_dtype dtype, const char *p)
{
    if (dtype == SP_BOOL) return *(const uint8_t *)p ? 0 : -INFINITY; /* of a mask */
    if (dtype == SP_BF16) return sp__from_bf16(*(const sp__bf16 *)(const void *)p);
    return dtype == SP_F64 ? (float)*(const double *)(const void *)p : *(const float *)(const void *)p;
}

/* n elements of a row, `column` apart, side by side; zeros behind them up to a multiple of 16. */
static void bring_row(float *out, const char *row, sp_dtype dtype, int64_t column, int64_t n)
{
    const int64_t end = sp__attention_padded(n);
    int64_t i = 0;
    if (column == 1 && dtype == SP_F32) {
        for (; i < n; i += LANES) store_f32(out + i, load_f32((const float *)(const void *)row + i, n - i), LANES);
    } else if (column == 1 && dtype == SP_BF16) {
        for (; i < n; i += LANES)
            store_f32(out + i, from_bf16(load_halves((const sp__bf16 *)(const void *)row + i, n - i)), LANES);
    } else {
        for (; i < n; i++) out[i] = number_at(dtype, row + i * column * sp__size_of(dtype));
    }
    for (; i < end; i++) out[i] = 0;
}

/* Whether rows of x's matrices are whole vectors of f32 as they lie. Rows that lie a large power of two apart fall into
 * few sets of the first cache, and would push each other out. */
static bool lies_well(const sp__operand *x, int64_t width)
{
    enum { CLASH = 256 };
    return x->dtype == SP_F32 && x->strides[3] == 1 && sp__attention_padded(width) == width &&
           x->strides[2] % CLASH != 0;
}

/* Rows [first, last) of x's matrix, of `width` columns: as they lie, or in `copy`. */
static block bring(const sp__operand *x, const int64_t head[2], int64_t first, int64_t last, int64_t width, float *copy)
{
    const int64_t padded = sp__attention_padded(width);
    if (lies_well(x, width)) return (block){(const float *)(const void *)row_at(x, head, first), x->strides[2], 1};
    for (int64_t i = first; i < last; i++) {
        __builtin_prefetch(row_at(x, head, i) + 8 * x->strides[2] * sp__size_of(x->dtype));
        bring_row(copy + (i - first) * padded, row_at(x, head, i), x->dtype, x->strides[3], width);
    }
    return (block){copy, padded, 1};
}

static void put_row(char *out, sp_dtype dtype, int64_t column, const float *from, int64_t n)
{
    float *numbers = (float *)(void *)out;
    sp__bf16 *halves_out = (sp__bf16 *)(void *)out;
    const bool narrow = dtype == SP_BF16;
    for (int64_t i = 0; i < n && column == 1; i += LANES) {
        const vf x = load_f32(from + i, LANES);
        if (narrow)
            store_halves(halves_out + i, to_bf16(x), n - i);
        else
            store_f32(numbers + i, x, n - i);
    }
    for (int64_t i = 0; i < n && column != 1; i++) {
        if (narrow)
            halves_out[i * column] = sp__to_bf16(from[i]);
        else
            numbers[i * column] = from[i];
    }
}

/* Rows that lie side by side, padded, become rows [first, last) of x's matrix. */
static void put(const sp__operand *x, const int64_t head[2], int64_t first, int64_t last, int64_t width,
                const float *from)
{
    const int64_t padded = sp__attention_padded(width);
    for (int64_t i = first; i < last; i++)
        put_row(row_at(x, head, i), x->dtype, x->strides[3], from + (i - first) * padded, width);
}

/* out[column][row] = x[row][column]: `rows` rows, and zeros for those that are missing to a multiple of 16. A row of out
 * is BLOCK long. */
static void turn_rows(float *out, block x, int64_t rows, int64_t columns)
{
    for (int64_t r = 0; r < sp__attention_padded(rows); r += 8) {
        for (int64_t c = 0; c < columns; c += LANES) {
            vector v[8] = {{0}};
            SP__UNROLL
            for (int i = 0; i < 8; i++)
                if (r + i < rows) v[i] = fetch(x.at + (r + i) * x.row + c, LANES);
            turn_block(out + c * BLOCK + r, BLOCK, v, columns - c);
        }
    }
}

/* ---- products ---- */

/* What of a product a triangle leaves. Where a query sees keys up to its own, one of the operands or the result is half
 * zeros, and these parts of it are neither read nor written. */
typedef enum triangle {
    WHOLE,
    COLUMNS_FROM_ROW, /* row i of c from column i on, or from a multiple of 16 before it */
    SUMS_TO_ROW,      /* row i of a up to column i, and a few zeros more */
    SUMS_FROM_ROW     /* row i of a from column i, or from a zero or more before it */
} triangle;

/* c = a·b, or c += a·b: (m, k) × (k, n), n a multiple of 16, the rows of b and c side by side. */
static void multiply(float *c, int64_t c_row, block a, block b, const int64_t sizes[3], bool adds, triangle cut)
{
    const int64_t m = sizes[0], n = sizes[1], k = sizes[2];
    for (int64_t j = 0; j < n; j += NR) {
        const int64_t end = n - j < NR ? n : j + NR;
        tile t = {.a_row = a.row,
                  .a_column = a.column,
                  .b_row = b.row,
                  .c_row = c_row,
                  .c_column = 1,
                  .plain = true,
                  .alpha = 1,
                  .beta = adds};
        for (int64_t i = 0; i < m;) {
            const int64_t column = cut == COLUMNS_FROM_ROW && i / 16 * 16 > j ? i / 16 * 16 : j;
            const int64_t first = cut == SUMS_FROM_ROW ? i : 0;
            if (column >= end) break;
            t.k = (cut == SUMS_TO_ROW && i + ROWS < k ? i + ROWS : k) - first;
            t.a = a.at + i * a.row + first * a.column;
            t.b = b.at + first * b.row + column;
            t.c = c + i * c_row + column;
            t.width = end - column;
            i += run_rows(&t, m - i);
        }
    }
}

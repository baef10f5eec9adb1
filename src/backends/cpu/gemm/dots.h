/* Few rows and a b whose columns lie side by side, each element of c is a dot product of vectors as they
 * lie, so nothing is packed. A matrix times a vector is such a product, and what a Linear passes back for one example.
 */
#include "pack.h"

enum {
    DOT_ROWS = 4, /* with more, packing b costs less than reading it so often */
    /* A dot product is that many sums, and then their sum in order: on every level, whatever its vectors hold. */
    DOT_LANES = 64 / sizeof(number),
    DOT_VECTORS = DOT_LANES / LANES,
    DOT_COLUMNS = DOT_VECTORS > 1 ? 4 : 8, /* as many sums at once as there are registers for */
};

static bool is_dots(const sp__gemm *g)
{
    return !APART && g->m <= DOT_ROWS && g->k >= DOT_LANES && g->a.column == 1 && g->b.row == 1 &&
           (g->b.column != 1 || g->n == 1);
}

/* The sums of a's products with `columns` columns, at most DOT_COLUMNS, from the `first` on, lane by lane: sums[v][i] is a
 * vector of column i's. */
SP__INLINE void sum_lanes(vector (*sums)[8], const number *a, const number *const *from, int first, const int columns,
                          int64_t k)
{
    vector sum[DOT_VECTORS][DOT_COLUMNS] = {{{0}}};
    int64_t at = 0;
    for (; at + DOT_LANES <= k; at += DOT_LANES) {
        SP__UNROLL
        for (int v = 0; v < DOT_VECTORS; v++) {
            const vector x = *(const vector *)(a + at + v * LANES);
            SP__UNROLL
            for (int i = 0; i < columns; i++)
                sum[v][i] = fused(x, *(const vector *)(from[first + i] + at + v * LANES), sum[v][i]);
        }
    }
    SP__UNROLL
    for (int v = 0; v < DOT_VECTORS; v++, at += LANES) {
        const vector x = at < k ? fetch((const element *)(const void *)(a + at), k - at) : (vector){0};
        SP__UNROLL
        for (int i = 0; i < columns; i++) {
            const element *y = (const element *)(const void *)(from[first + i] + at);
            sums[v][first + i] = at < k ? fused(x, fetch(y, k - at), sum[v][i]) : sum[v][i];
        }
    }
}

/* out[i] = Σ a[k]·b[i·column + k] for i below `columns`, at most eight. One column is summed alone: a product of two
 * vectors would else be summed eight times. */
static void eight_dots(number *out, const number *a, const number *b, int64_t column, int64_t columns, int64_t k)
{
    vector sums[DOT_VECTORS][8] = {{{0}}};
    const number *from[8];
    for (int i = 0; i < 8; i++) from[i] = b + (i < columns ? i : 0) * column;
    if (columns == 1) sum_lanes(sums, a, from, 0, 1, k);
    for (int i = 0; columns > 1 && i < columns; i += DOT_COLUMNS) sum_lanes(sums, a, from, i, DOT_COLUMNS, k);
    number all[8] = {0};
    for (int v = 0; v < DOT_VECTORS; v++) {
        number lanes[LANES][8];
        turn(sums[v]);
        memcpy(lanes, sums[v], sizeof lanes);
        for (int lane = 0; lane < LANES; lane++)
            for (int i = 0; i < 8; i++) all[i] += lanes[lane][i];
    }
    memcpy(out, all, (size_t)columns * sizeof(number));
}

/* The tile's rows, at most DOT_ROWS of a_row each, times its columns, which lie `column` apart. */
static void run_dots(const tile *t, int rows, int64_t column)
{
    number values[DOT_ROWS * NR] __attribute__((aligned(64))) = {0};
    for (int64_t j = 0; j < t->width; j += 8) {
        const int64_t columns = t->width - j < 8 ? t->width - j : 8;
        for (int i = 0; i < rows; i++)
            eight_dots(values + i * NR + j, t->a + i * t->a_row, t->b + j * column, column, columns, t->k);
    }
    finish(t, rows, values);
}

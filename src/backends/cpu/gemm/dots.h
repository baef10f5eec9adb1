/* Few rows and a b whose columns lie side by side, each element of c is a dot product of vectors as they
 * lie, so nothing is packed. A matrix times a vector is such a product, and what a Linear passes back for one example.
 */
#include "pack.h"

enum { DOT_ROWS = 4 }; /* with more, packing b costs less than reading it so often */

static bool is_dots(const sp__gemm *g)
{
    return !APART && g->m <= DOT_ROWS && g->k >= LANES && g->a.column == 1 && g->b.row == 1 &&
           (g->b.column != 1 || g->n == 1);
}

/* out[i] = Σ a[k]·b[i·column + k] for i below `columns`, at most eight. */
static void eight_dots(number *out, const number *a, const number *b, int64_t column, int64_t columns, int64_t k)
{
    vector sums[8] = {{0}};
    const number *from[8];
    for (int i = 0; i < 8; i++) from[i] = b + (i < columns ? i : 0) * column;
    int64_t at = 0;
    for (; at + LANES <= k; at += LANES) {
        const vector x = *(const vector *)(a + at);
        SP__UNROLL
        for (int i = 0; i < 8; i++) sums[i] += x * *(const vector *)(from[i] + at);
    }
    if (at < k) {
        const vector x = fetch((const element *)(const void *)(a + at), k - at);
        SP__UNROLL
        for (int i = 0; i < 8; i++) sums[i] += x * fetch((const element *)(const void *)(from[i] + at), k - at);
    }
    turn(sums);
    number lanes[LANES][8], all[8] = {0};
    memcpy(lanes, sums, sizeof lanes);
    for (int lane = 0; lane < LANES; lane++)
        for (int i = 0; i < 8; i++) all[i] += lanes[lane][i];
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

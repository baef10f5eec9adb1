/* Few rows and a b whose columns lie side by side, for one type: each element of c is a dot product of vectors as they
 * lie, so nothing is packed. A matrix times a vector is such a product, and what a Linear passes back for one example.
 * Its parameters are those of tile.inc.h. */
#include "pack.inc.h"

enum { FN(DOT_ROWS) = 4 }; /* with more, packing b costs less than reading it so often */

static bool FN(is_dots)(const sp__gemm *g)
{
    return !APART && g->m <= FN(DOT_ROWS) && g->k >= FN(LANES) && g->a.column == 1 && g->b.row == 1 &&
           (g->b.column != 1 || g->n == 1);
}

/* out[i] = Σ a[k]·b[i·column + k] for i below `columns`, at most eight. */
static void FN(eight_dots)(T *out, const T *a, const T *b, int64_t column, int64_t columns, int64_t k)
{
    FN(vector) sums[8] = {{0}};
    const T *from[8];
    for (int i = 0; i < 8; i++) from[i] = b + (i < columns ? i : 0) * column;
    int64_t at = 0;
    for (; at + FN(LANES) <= k; at += FN(LANES)) {
        const FN(vector) x = *(const FN(vector) *)(a + at);
        SP__UNROLL
        for (int i = 0; i < 8; i++) sums[i] += x * *(const FN(vector) *)(from[i] + at);
    }
    if (at < k) {
        const FN(vector) x = FETCH((const S *)(const void *)(a + at), k - at);
        SP__UNROLL
        for (int i = 0; i < 8; i++) sums[i] += x * FETCH((const S *)(const void *)(from[i] + at), k - at);
    }
    FN(turn)(sums);
    T lanes[FN(LANES)][8], all[8] = {0};
    memcpy(lanes, sums, sizeof lanes);
    for (int lane = 0; lane < FN(LANES); lane++)
        for (int i = 0; i < 8; i++) all[i] += lanes[lane][i];
    memcpy(out, all, (size_t)columns * sizeof(T));
}

/* The tile's rows, at most DOT_ROWS of a_row each, times its columns, which lie `column` apart. */
static void FN(run_dots)(const FN(tile) * t, int rows, int64_t column)
{
    T values[FN(DOT_ROWS) * FN(NR)] __attribute__((aligned(64))) = {0};
    for (int64_t j = 0; j < t->width; j += 8) {
        const int64_t columns = t->width - j < 8 ? t->width - j : 8;
        for (int i = 0; i < rows; i++)
            FN(eight_dots)(values + i * FN(NR) + j, t->a + i * t->a_row, t->b + j * column, column, columns, t->k);
    }
    FN(finish)(t, rows, values);
}

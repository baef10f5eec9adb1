/* Reductions of f64 by vectors. */
#include "backends/cpu/common/f64.h"
#include <math.h>

typedef double element;
enum { DTYPE = SP_F64 };

SP__INLINE vd wide(const element *p)
{
    return *(const vd *)p;
}

#include "backends/cpu/reduce/vector_folds.h"

/* Sums of f64 have no wider type to be added in. Eight vectors are added as a tree, three roundings each, and the trees
 * so that what is lost is kept: the error is at most four roundings of Σ|x|, however many there are. A vector is WIDE
 * numbers here, on every level. */
enum { TREE = 8, WIDE = 8, PIECES = WIDE / LANES_f64 };

SP__INLINE void add_exactly(vd *sum, vd *rest, vd x)
{
    const vd s = *sum + x, back = s - *sum;
    *rest += (*sum - (s - back)) + (x - back);
    *sum = s;
}

SP__INLINE vd sum_tree(const double *p, int64_t step)
{
    const vd a = wide(p) + wide(p + step), b = wide(p + 2 * step) + wide(p + 3 * step);
    p += 4 * step;
    const vd c = wide(p) + wide(p + step), d = wide(p + 2 * step) + wide(p + 3 * step);
    return (a + b) + (c + d);
}

static void add_down(sp__cell *cell, const double *in, int64_t n)
{
    vd sum[PIECES] = {{0}}, rest[PIECES] = {{0}};
    int64_t at = 0;
    for (; at + TREE * WIDE <= n; at += TREE * WIDE) {
        SP__UNROLL
        for (int i = 0; i < PIECES; i++) add_exactly(&sum[i], &rest[i], sum_tree(in + at + i * LANES_f64, WIDE));
    }
    for (; at + WIDE <= n; at += WIDE) {
        SP__UNROLL
        for (int i = 0; i < PIECES; i++) add_exactly(&sum[i], &rest[i], wide(in + at + i * LANES_f64));
    }
    for (; at < n; at++) cell->value.f = sp__add_exactly(cell->value.f, in[at], &cell->also.f);
    for (int i = 0; i < WIDE; i++)
        cell->value.f = sp__add_exactly(cell->value.f, sum[i / LANES_f64][i % LANES_f64], &cell->also.f);
    for (int i = 0; i < WIDE; i++) cell->also.f += rest[i / LANES_f64][i % LANES_f64];
}

/* So many vectors of outputs. */
SP__INLINE void add_across(sp__cell *cells, const sp__fold_block *b, const double *in, const int vectors)
{
    const int64_t step = b->stride_reduced / (int64_t)sizeof(double);
    vd sum[TREE], rest[TREE];
    for (int i = 0; i < vectors * LANES_f64; i++) {
        sum[i / LANES_f64][i % LANES_f64] = cells[i].value.f;
        rest[i / LANES_f64][i % LANES_f64] = cells[i].also.f;
    }
    int64_t r = 0;
    for (; r + TREE <= b->n_reduced; r += TREE, in += TREE * step)
        for (int v = 0; v < vectors; v++) add_exactly(&sum[v], &rest[v], sum_tree(in + v * LANES_f64, step));
    for (; r < b->n_reduced; r++, in += step)
        for (int v = 0; v < vectors; v++) add_exactly(&sum[v], &rest[v], wide(in + v * LANES_f64));
    for (int i = 0; i < vectors * LANES_f64; i++) {
        cells[i].value.f = sum[i / LANES_f64][i % LANES_f64];
        cells[i].also.f = rest[i / LANES_f64][i % LANES_f64];
    }
}

static void sum_fold(sp__cell *cells, const sp__fold_block *b)
{
    const int64_t item = sizeof(double);
    sp__fold_block left = *b;
    int64_t j = 0;
    if (b->stride_reduced == item && b->n_reduced >= WIDE) {
        for (; j < b->n_kept; j++) add_down(&cells[j], (const double *)(b->in + j * b->stride_kept), b->n_reduced);
    } else if (b->stride_kept == item) {
        const double *in = (const double *)(const void *)b->in;
        for (; j + TREE * LANES_f64 <= b->n_kept; j += TREE * LANES_f64) add_across(cells + j, b, in + j, TREE);
        for (; j + WIDE <= b->n_kept; j += WIDE) add_across(cells + j, b, in + j, PIECES);
    }
    left.in += j * b->stride_kept;
    left.n_kept -= j;
    if (left.n_kept > 0) sp__reference.of[SP_F64].fold[SP__FOLD_SUM](cells + j, &left);
}

sp__fold_run *const SP__HERE(sp__fold_f64)[SP__FOLD_COUNT] = {
    [SP__FOLD_SUM] = sum_fold, [SP__FOLD_PROD] = prod_fold,     [SP__FOLD_DEVIATION] = deviation_fold,
    [SP__FOLD_ABS] = abs_fold, [SP__FOLD_SQUARE] = square_fold, [SP__FOLD_MAX] = max_fold,
    [SP__FOLD_MIN] = min_fold,
};

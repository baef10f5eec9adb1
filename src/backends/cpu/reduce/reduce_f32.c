/* Reductions of f32 and f64 by vectors; all add in f64. */
#include "backends/cpu/common/f32.h"
#include "backends/cpu/common/f64.h"
#include <math.h>

typedef float narrow __attribute__((vector_size(SP__VECTOR_BYTES / 2), aligned(4), may_alias));

enum { LANES = LANES_f32, STEP = 4 * LANES };

/* Whether a block's rows of f32 lie so that vectors can go along them. */
static bool goes_down(const sp__fold_block *b)
{
    return b->stride_reduced == sizeof(float) && b->n_reduced >= STEP;
}

static const float *row_of(const sp__fold_block *b, int64_t j)
{
    return (const float *)(const void *)(b->in + j * b->stride_kept);
}

/* The first place of x, or of NaN where x is; it is there. Vectors are passed over while no lane of theirs is it. */
static int64_t place_of(const float *in, int64_t n, float x)
{
    const vf wanted = splat_f32(x);
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        const vf v = load_f32(in + i, LANES);
        if (any_f32(x == x ? v == wanted : v != v)) break;
    }
    while (x == x ? in[i] != x : in[i] == in[i]) i++;
    return i;
}

/* Extremes need no f64: rows are compared as they lie, four vectors at a time, the last four over again. NaN wins.
 * The place of the extreme is then looked for: the first, and of NaN the first NaN. */
#define EXTREME(name, KIND, beats)                                                                                     \
    SP__INLINE vf name##_of(vf v, vf x)                                                                                \
    {                                                                                                                  \
        return select_f32((x beats v) | (x != x), x, v);                                                               \
    }                                                                                                                  \
    static double name##_in(const float *in, int64_t n)                                                                \
    {                                                                                                                  \
        vf best[4];                                                                                                    \
        for (int k = 0; k < 4; k++) best[k] = load_f32(in + k * LANES, LANES);                                         \
        for (int64_t i = STEP; i < n; i += STEP) {                                                                     \
            const float *at = in + (i + STEP <= n ? i : n - STEP);                                                     \
            for (int k = 0; k < 4; k++) best[k] = name##_of(best[k], load_f32(at + k * LANES, LANES));                 \
        }                                                                                                              \
        best[0] = name##_of(name##_of(best[0], best[1]), name##_of(best[2], best[3]));                                 \
        float y = best[0][0];                                                                                          \
        for (int k = 1; k < LANES; k++) y = best[0][k] beats y || best[0][k] != best[0][k] ? best[0][k] : y;           \
        return (double)y;                                                                                              \
    }                                                                                                                  \
    static sp__fold_run name##_f32;                                                                                    \
    static void name##_rows(sp__cell *cells, const sp__fold_block *b)                                                  \
    {                                                                                                                  \
        if (!goes_down(b)) {                                                                                           \
            name##_f32(cells, b);                                                                                      \
            return;                                                                                                    \
        }                                                                                                              \
        for (int64_t j = 0; j < b->n_kept; j++) {                                                                      \
            const double x = name##_in(row_of(b, j), b->n_reduced);                                                    \
            if (x beats cells[j].value.f || x != x) cells[j].value.f = x;                                              \
        }                                                                                                              \
    }                                                                                                                  \
    static void arg##name##_rows(sp__cell *cells, const sp__fold_block *b)                                             \
    {                                                                                                                  \
        if (!goes_down(b)) {                                                                                           \
            sp__reference.of[SP_F32].fold[SP__FOLD_ARG##KIND](cells, b);                                               \
            return;                                                                                                    \
        }                                                                                                              \
        for (int64_t j = 0; j < b->n_kept; j++) {                                                                      \
            const double x = name##_in(row_of(b, j), b->n_reduced), value = cells[j].value.f;                          \
            if (!(x beats value) && !(x != x && value == value)) continue;                                             \
            cells[j].value.f = x;                                                                                      \
            cells[j].also.index = b->position + place_of(row_of(b, j), b->n_reduced, (float)x);                        \
        }                                                                                                              \
    }

EXTREME(max, MAX, >)
EXTREME(min, MIN, <)

/* Σ e^(x - also), where also is finite: a maximum of f32. */
static void exp_rows(sp__cell *cells, const sp__fold_block *b)
{
    if (!goes_down(b)) {
        sp__reference.of[SP_F32].fold[SP__FOLD_EXP](cells, b);
        return;
    }
    for (int64_t j = 0; j < b->n_kept; j++) {
        const vf from = splat_f32((float)cells[j].also.f);
        vd sum = {0};
        for (int64_t i = 0; i < b->n_reduced; i += LANES) {
            const int64_t left = b->n_reduced - i;
            const union {
                vf whole;
                narrow halves[2];
            } e = {exp_f32(load_f32(row_of(b, j) + i, left) - from)};
            if (left >= LANES)
                sum += __builtin_convertvector(e.halves[0], vd) + __builtin_convertvector(e.halves[1], vd);
            else
                for (int k = 0; k < left; k++) cells[j].value.f += (double)e.whole[k];
        }
        for (int k = 0; k < LANES_f64; k++) cells[j].value.f += sum[k];
    }
}

#define ROWS                                                                                                           \
    [SP__FOLD_MAX] = max_rows, [SP__FOLD_MIN] = min_rows, [SP__FOLD_ARGMAX] = argmax_rows,                             \
    [SP__FOLD_ARGMIN] = argmin_rows, [SP__FOLD_EXP] = exp_rows
#define SUM FOLD(sum, SP__FOLD_SUM, 0.0, v + x, v + x)
#define T float
#define FN(name) name##_f32
#define WIDE(p) __builtin_convertvector(*(const narrow *)(p), vd)
#define DTYPE SP_F32
#define TABLE SP__HERE(sp__fold_f32)
#include "reduce.inc.h"

/* Sums of f64 have no wider type to be added in. Eight vectors are added as a tree, three roundings each, and the trees
 * so that what is lost is kept: the error is at most four roundings of Σ|x|, however many there are. */
enum { TREE = 8 };

SP__INLINE void add_exactly(vd *sum, vd *rest, vd x)
{
    const vd s = *sum + x, back = s - *sum;
    *rest += (*sum - (s - back)) + (x - back);
    *sum = s;
}

SP__INLINE vd vector_at(const double *p)
{
    return *(const vd *)p;
}

SP__INLINE vd sum_tree(const double *p, int64_t step)
{
    const vd a = vector_at(p) + vector_at(p + step), b = vector_at(p + 2 * step) + vector_at(p + 3 * step);
    p += 4 * step;
    const vd c = vector_at(p) + vector_at(p + step), d = vector_at(p + 2 * step) + vector_at(p + 3 * step);
    return (a + b) + (c + d);
}

static void sum_down(sp__cell *cell, const double *in, int64_t n)
{
    vd sum = {0}, rest = {0};
    int64_t at = 0;
    for (; at + TREE * LANES_f64 <= n; at += TREE * LANES_f64) add_exactly(&sum, &rest, sum_tree(in + at, LANES_f64));
    for (; at + LANES_f64 <= n; at += LANES_f64) add_exactly(&sum, &rest, vector_at(in + at));
    for (; at < n; at++) cell->value.f = sp__add_exactly(cell->value.f, in[at], &cell->also.f);
    for (int i = 0; i < LANES_f64; i++) cell->value.f = sp__add_exactly(cell->value.f, sum[i], &cell->also.f);
    for (int i = 0; i < LANES_f64; i++) cell->also.f += rest[i];
}

/* So many vectors of outputs. */
SP__INLINE void sum_across(sp__cell *cells, const sp__fold_block *b, const double *in, const int vectors)
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
        for (int v = 0; v < vectors; v++) add_exactly(&sum[v], &rest[v], vector_at(in + v * LANES_f64));
    for (int i = 0; i < vectors * LANES_f64; i++) {
        cells[i].value.f = sum[i / LANES_f64][i % LANES_f64];
        cells[i].also.f = rest[i / LANES_f64][i % LANES_f64];
    }
}

static void sum_f64(sp__cell *cells, const sp__fold_block *b)
{
    const int64_t item = sizeof(double);
    sp__fold_block left = *b;
    int64_t j = 0;
    if (b->stride_reduced == item && b->n_reduced >= LANES_f64) {
        for (; j < b->n_kept; j++) sum_down(&cells[j], (const double *)(b->in + j * b->stride_kept), b->n_reduced);
    } else if (b->stride_kept == item) {
        const double *in = (const double *)(const void *)b->in;
        for (; j + TREE * LANES_f64 <= b->n_kept; j += TREE * LANES_f64) sum_across(cells + j, b, in + j, TREE);
        for (; j + LANES_f64 <= b->n_kept; j += LANES_f64) sum_across(cells + j, b, in + j, 1);
    }
    left.in += j * b->stride_kept;
    left.n_kept -= j;
    if (left.n_kept > 0) sp__reference.of[SP_F64].fold[SP__FOLD_SUM](cells + j, &left);
}

#define SUM
#define ROWS [SP__FOLD_MAX] = max_f64, [SP__FOLD_MIN] = min_f64
#define T double
#define FN(name) name##_f64
#define WIDE(p) (*(const vd *)(p))
#define DTYPE SP_F64
#define TABLE SP__HERE(sp__fold_f64)
#include "reduce.inc.h"

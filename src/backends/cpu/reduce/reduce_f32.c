/* Reductions of f32 by vectors; sums are f64. */
#include "backends/cpu/common/f32.h"
#include "backends/cpu/common/f64.h"
#include <math.h>

typedef float element;
typedef float narrow __attribute__((vector_size(SP__VECTOR_BYTES / 2), aligned(4), may_alias));
enum { DTYPE = SP_F32, LANES = LANES_f32, STEP = 4 * LANES };
enum { LEAST = 64 }; /* elements: STEP at the level of the longest vectors */

/* In f64, as many elements at p as a vector of f64 holds. */
SP__INLINE vd wide(const element *p)
{
#if defined(__AVX512F__)
    return (vd)_mm512_cvtps_pd(_mm256_loadu_ps(p)); /* gcc makes two instructions and more of the line below */
#endif
    return __builtin_convertvector(*(const narrow *)p, vd);
}

#include "backends/cpu/reduce/vector_folds.h"

/* Sums of what is left of rows, or of rows that are short: as the reference, but output by output. */
static void sum_rest(sp__cell *cells, const sp__fold_block *b)
{
    for (int64_t j = 0; j < b->n_kept; j++) {
        const char *in = b->in + j * b->stride_kept;
        double sum = cells[j].value.f;
        for (int64_t i = 0; i < b->n_reduced; i++)
            sum += (double)*(const float *)(const void *)(in + i * b->stride_reduced);
        cells[j].value.f = sum;
    }
}

FOLD(sum, 0.0, 0.0, (v, x), sum, sum_rest)

/* ---- extremes ---- */

/* Whether a block's rows of f32 lie so that vectors can go along them. */
static bool goes_down(const sp__fold_block *b)
{
    return b->stride_reduced == sizeof(float) && b->n_reduced >= LEAST;
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

/* The larger of v and x, or the smaller; NaN wins. */
SP__INLINE vf extreme_of(vf v, vf x, bool lowest)
{
    return select_f32((lowest ? x < v : x > v) | (x != x), x, v);
}

SP__INLINE bool beats(double x, double y, bool lowest)
{
    return lowest ? x < y : x > y;
}

/* Extremes need no f64: rows are compared as they lie, four vectors at a time, the last four over again. */
SP__INLINE double extreme_in(const float *in, int64_t n, bool lowest)
{
    vf best[4];
    for (int k = 0; k < 4; k++) best[k] = load_f32(in + k * LANES, LANES);
    for (int64_t i = STEP; i < n; i += STEP) {
        const float *at = in + (i + STEP <= n ? i : n - STEP);
        for (int k = 0; k < 4; k++) best[k] = extreme_of(best[k], load_f32(at + k * LANES, LANES), lowest);
    }
    best[0] = extreme_of(extreme_of(best[0], best[1], lowest), extreme_of(best[2], best[3], lowest), lowest);
    float y = best[0][0];
    for (int k = 1; k < LANES; k++) {
        const float x = best[0][k];
        if ((lowest ? x < y : x > y) || x != x) y = x;
    }
    return y == 0 ? (double)in[place_of(in, n, y)] : (double)y; /* of 0 and -0 the first */
}

SP__INLINE void extreme_rows(sp__cell *cells, const sp__fold_block *b, bool lowest)
{
    for (int64_t j = 0; j < b->n_kept; j++) {
        const double x = extreme_in(row_of(b, j), b->n_reduced, lowest);
        if (beats(x, cells[j].value.f, lowest) || x != x) cells[j].value.f = x;
    }
}

/* And the place of the extreme: the first, and of NaN the first NaN. */
SP__INLINE void place_rows(sp__cell *cells, const sp__fold_block *b, bool lowest)
{
    for (int64_t j = 0; j < b->n_kept; j++) {
        const double x = extreme_in(row_of(b, j), b->n_reduced, lowest), value = cells[j].value.f;
        if (!beats(x, value, lowest) && !(x != x && value == value)) continue;
        cells[j].value.f = x;
        cells[j].also.index = b->position + place_of(row_of(b, j), b->n_reduced, (float)x);
    }
}

static void max_rows(sp__cell *cells, const sp__fold_block *b)
{
    if (goes_down(b))
        extreme_rows(cells, b, false);
    else
        max_fold(cells, b);
}

static void min_rows(sp__cell *cells, const sp__fold_block *b)
{
    if (goes_down(b))
        extreme_rows(cells, b, true);
    else
        min_fold(cells, b);
}

static void argmax_rows(sp__cell *cells, const sp__fold_block *b)
{
    if (goes_down(b))
        place_rows(cells, b, false);
    else
        sp__reference.of[SP_F32].fold[SP__FOLD_ARGMAX](cells, b);
}

static void argmin_rows(sp__cell *cells, const sp__fold_block *b)
{
    if (goes_down(b))
        place_rows(cells, b, true);
    else
        sp__reference.of[SP_F32].fold[SP__FOLD_ARGMIN](cells, b);
}

/* ---- logsumexp ---- */

/* Terms come by TERMS, whose halves are added to so many sums, on every level. */
enum { TERMS = 16, HALF = TERMS / 2 };

/* e^(x - from) of TERMS elements, of which the first `left` are there. */
SP__INLINE void exp_terms(float *terms, const float *x, int64_t left, vf from)
{
    for (int k = 0; k < TERMS && k < left; k += LANES)
        store_f32(terms + k, exp_f32(load_f32(x + k, left - k) - from), LANES);
}

/* Along rows: b's elements of an output lie side by side. */
static void exp_down(sp__cell *cells, const sp__fold_block *b)
{
    for (int64_t j = 0; j < b->n_kept; j++) {
        const vf from = splat_f32((float)cells[j].also.f);
        double sums[HALF] = {0};
        vd *sum = (vd *)sums;
        for (int64_t i = 0; i < b->n_reduced; i += TERMS) {
            const int64_t left = b->n_reduced - i;
            float terms[TERMS];
            exp_terms(terms, row_of(b, j) + i, left, from);
            for (int k = 0; k < HALF / LANES_f64 && left >= TERMS; k++)
                sum[k] += wide(terms + k * LANES_f64) + wide(terms + HALF + k * LANES_f64);
            for (int k = 0; k < left && left < TERMS; k++) cells[j].value.f += (double)terms[k];
        }
        for (int k = 0; k < HALF; k++) cells[j].value.f += sums[k];
    }
}

/* Along columns: a vector of outputs, of which `left` are there; each is one sum, in the order of its elements. */
SP__INLINE void exp_column(sp__cell *cells, const sp__fold_block *b, const char *in, int64_t left)
{
    const int64_t n = left < LANES ? left : LANES;
    float from[LANES] = {0};
    double sums[LANES] = {0};
    for (int64_t k = 0; k < n; k++) from[k] = (float)cells[k].also.f, sums[k] = cells[k].value.f;
    const vf all = load_f32(from, LANES);
    vd low = *(const vd *)sums, high = *(const vd *)(sums + LANES_f64);
    for (int64_t r = 0; r < b->n_reduced; r++, in += b->stride_reduced) {
        float terms[LANES];
        store_f32(terms, exp_f32(load_f32(in, left) - all), LANES);
        low += wide(terms), high += wide(terms + LANES_f64);
    }
    *(vd *)sums = low, *(vd *)(sums + LANES_f64) = high;
    for (int64_t k = 0; k < n; k++) cells[k].value.f = sums[k];
}

static void exp_across(sp__cell *cells, const sp__fold_block *b)
{
    for (int64_t j = 0; j < b->n_kept; j += LANES)
        exp_column(cells + j, b, b->in + j * (int64_t)sizeof(float), b->n_kept - j);
}

/* Σ e^(x - also), where also is finite: a maximum of f32. Which way it goes is said by strides and lengths alone. */
static void exp_rows(sp__cell *cells, const sp__fold_block *b)
{
    if (goes_down(b))
        exp_down(cells, b);
    else if (b->stride_kept == sizeof(float))
        exp_across(cells, b);
    else
        sp__reference.of[SP_F32].fold[SP__FOLD_EXP](cells, b);
}

sp__fold_run *const SP__HERE(sp__fold_f32)[SP__FOLD_COUNT] = {
    [SP__FOLD_SUM] = sum_fold, [SP__FOLD_PROD] = prod_fold,     [SP__FOLD_DEVIATION] = deviation_fold,
    [SP__FOLD_ABS] = abs_fold, [SP__FOLD_SQUARE] = square_fold, [SP__FOLD_MAX] = max_rows,
    [SP__FOLD_MIN] = min_rows, [SP__FOLD_ARGMAX] = argmax_rows, [SP__FOLD_ARGMIN] = argmin_rows,
    [SP__FOLD_EXP] = exp_rows,
};

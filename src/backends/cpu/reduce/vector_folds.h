/* Reductions of one element type by vectors, in f64. A file that includes this says before what an `element` is, its
 * DTYPE, and wide(p): as many elements at p as a vector of f64 holds, in f64. A block goes the way its elements lie side
 * by side: across, along outputs, or down, along what is reduced; all else is the reference's. */
#include "backends/cpu/common/f64.h"

/* A sum is FOLD_STEP sums on every level, then JOINED, and then one: so many vectors of sums hide the latency of an
 * addition. */
enum { FOLD_STEP = 32, SUMS = FOLD_STEP / LANES_f64, JOINED = 8, JOINED_VECTORS = JOINED / LANES_f64 };

SP__INLINE vd sum_step(vd v, vd x)
{
    return v + x;
}

SP__INLINE vd prod_step(vd v, vd x)
{
    return v * x;
}

SP__INLINE vd deviation_step(vd v, vd x, vd mean)
{
    return v + (x - mean) * (x - mean);
}

SP__INLINE vd abs_step(vd v, vd x)
{
    return v + magnitude_f64(x);
}

SP__INLINE vd square_step(vd v, vd x)
{
    return v + x * x;
}

SP__INLINE vd max_step(vd v, vd x)
{
    return select_f64((x > v) | (x != x), x, v);
}

SP__INLINE vd min_step(vd v, vd x)
{
    return select_f64((x < v) | (x != x), x, v);
}

/* Runs what it can of a block by vectors, and the rest, at the ends, by the reference. */
static void run_fold(sp__cell *cells, const sp__fold_block *b, sp__fold_kind kind,
                     void (*down)(sp__cell *cell, const element *in, int64_t n),
                     void (*across)(sp__cell *cells, const sp__fold_block *b, const element *in))
{
    sp__fold_run *rest = SP__KIND_AT(&sp__reference, DTYPE, fold, kind);
    sp__fold_block left = *b;
    const int64_t item = sizeof(element);
    if (b->stride_reduced == item && b->n_reduced >= FOLD_STEP) {
        const int64_t n = b->n_reduced / FOLD_STEP * FOLD_STEP;
        for (int64_t j = 0; j < b->n_kept; j++) down(&cells[j], (const element *)(b->in + j * b->stride_kept), n);
        left.in += n * item;
        left.n_reduced -= n;
        left.position += n;
    } else if (b->stride_kept == item) {
        int64_t j = 0;
        for (; j + FOLD_STEP <= b->n_kept; j += FOLD_STEP) across(cells + j, b, (const element *)(b->in + j * item));
        cells += j;
        left.in += j * item;
        left.n_kept -= j;
    }
    if (left.n_kept > 0 && left.n_reduced > 0) rest(cells, &left);
}

/* A sum starts at identity and becomes name_step of it and an element; c is the cell's other number. join_step makes two
 * sums one. Down, SUMS vectors of partial sums take an output's elements in turn. Across, SUMS vectors of outputs stay
 * in registers while the rows pass. */
#define FOLD(name, KIND, identity, arguments, join)                                                                    \
    static void name##_down(sp__cell *cell, const element *in, int64_t n)                                              \
    {                                                                                                                  \
        const vd c = splat_f64(cell->also.f);                                                                          \
        vd sums[SUMS];                                                                                                 \
        (void)c;                                                                                                       \
        for (int i = 0; i < SUMS; i++) sums[i] = splat_f64(identity);                                                  \
        for (int64_t at = 0; at < n; at += FOLD_STEP) {                                                                \
            SP__UNROLL                                                                                                 \
            for (int i = 0; i < SUMS; i++) {                                                                           \
                const vd v = sums[i], x = wide(in + at + i * LANES_f64);                                               \
                sums[i] = name##_step arguments;                                                                       \
            }                                                                                                          \
        }                                                                                                              \
        for (int half = SUMS / 2; half >= JOINED_VECTORS; half /= 2) {                                                 \
            for (int i = 0; i < half; i++) sums[i] = join##_step(sums[i], sums[i + half]);                             \
        }                                                                                                              \
        for (int i = 0; i < JOINED; i++) {                                                                             \
            const double sum = sums[i / LANES_f64][i % LANES_f64];                                                     \
            cell->value.f = join##_step(splat_f64(cell->value.f), splat_f64(sum))[0];                                  \
        }                                                                                                              \
    }                                                                                                                  \
    static void name##_across(sp__cell *cells, const sp__fold_block *b, const element *in)                             \
    {                                                                                                                  \
        double values[FOLD_STEP], others[FOLD_STEP];                                                                   \
        for (int i = 0; i < FOLD_STEP; i++) values[i] = cells[i].value.f, others[i] = cells[i].also.f;                 \
        vd sums[SUMS], also[SUMS];                                                                                     \
        for (int i = 0; i < SUMS; i++) {                                                                               \
            sums[i] = *(const vd *)(values + i * LANES_f64);                                                           \
            also[i] = *(const vd *)(others + i * LANES_f64);                                                           \
        }                                                                                                              \
        for (int64_t r = 0; r < b->n_reduced; r++) {                                                                   \
            const element *row = (const element *)((const char *)in + r * b->stride_reduced);                          \
            SP__UNROLL                                                                                                 \
            for (int i = 0; i < SUMS; i++) {                                                                           \
                const vd v = sums[i], x = wide(row + i * LANES_f64), c = also[i];                                      \
                (void)c;                                                                                               \
                sums[i] = name##_step arguments;                                                                       \
            }                                                                                                          \
        }                                                                                                              \
        for (int i = 0; i < FOLD_STEP; i++) cells[i].value.f = sums[i / LANES_f64][i % LANES_f64];                     \
    }                                                                                                                  \
    static void name##_fold(sp__cell *cells, const sp__fold_block *b)                                                  \
    {                                                                                                                  \
        run_fold(cells, b, SP__FOLD_##KIND, name##_down, name##_across);                                               \
    }

FOLD(prod, PROD, 1.0, (v, x), prod)
FOLD(deviation, DEVIATION, 0.0, (v, x, c), sum)
FOLD(abs, ABS, 0.0, (v, x), sum)
FOLD(square, SQUARE, 0.0, (v, x), sum)
FOLD(max, MAX, -INFINITY, (v, x), max)
FOLD(min, MIN, INFINITY, (v, x), min)

/* Reductions of one element type by vectors, in f64. A file that includes this says before what an `element` is, its
 * DTYPE, and wide(p): as many elements at p as a vector of f64 holds, in f64. A block goes the way its elements lie side
 * by side: across, along outputs, or down, along what is reduced; all else is the reference's. */
#include "backends/cpu/common/f64.h"

/* A sum is FOLD_STEP sums on every level, which are joined in halves: so many vectors of sums hide the latency of an
 * addition. Across, outputs are MANY, half as MANY or FEW at a time; each is one sum, so that their numbers are free. */
enum {
    FOLD_STEP = 32,
    SUMS = FOLD_STEP / LANES_f64,
    MANY_VECTORS = 8,
    MANY = MANY_VECTORS * LANES_f64,
    FEW = 8,
    FEW_VECTORS = FEW / LANES_f64
};

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

/* Two sums, products or extremes as one. */
SP__INLINE double sum_join(double v, double x)
{
    return v + x;
}

SP__INLINE double prod_join(double v, double x)
{
    return v * x;
}

SP__INLINE double max_join(double v, double x)
{
    return x > v || x != x ? x : v;
}

SP__INLINE double min_join(double v, double x)
{
    return x < v || x != x ? x : v;
}

/* wide(p), of which only the first n are there. */
SP__INLINE vd wide_end(const element *p, int64_t n, double absent)
{
    if (n >= LANES_f64) return wide(p);
    double x[LANES_f64];
    for (int i = 0; i < LANES_f64; i++) x[i] = i < n ? (double)p[i] : absent;
    return *(const vd *)x;
}

/* Runs what it can of a block by vectors, and the rest, at the ends, by `rest`. `few` stores its outputs from `skip`
 * on, so that the last ones can be taken with some before them, which come after. */
static void run_fold(sp__cell *cells, const sp__fold_block *b,
                     void (*down)(sp__cell *cell, const element *in, int64_t n),
                     void (*many)(sp__cell *cells, const sp__fold_block *b, const element *in),
                     void (*half)(sp__cell *cells, const sp__fold_block *b, const element *in),
                     void (*few)(sp__cell *cells, const sp__fold_block *b, const element *in, int skip),
                     sp__fold_run *rest)
{
    const int64_t item = sizeof(element);
    if (b->stride_reduced == item && b->n_reduced >= FOLD_STEP) {
        for (int64_t j = 0; j < b->n_kept; j++)
            down(&cells[j], (const element *)(b->in + j * b->stride_kept), b->n_reduced);
    } else if (b->stride_kept == item && b->n_kept >= FEW) {
        const element *in = (const element *)(const void *)b->in;
        const int64_t last = b->n_kept - FEW, over = b->n_kept % FEW;
        int64_t j = 0;
        if (over) few(cells + last, b, in + last, (int)(FEW - over));
        for (; j + MANY <= b->n_kept; j += MANY) many(cells + j, b, in + j);
        for (; j + MANY / 2 <= b->n_kept; j += MANY / 2) half(cells + j, b, in + j);
        for (; j + FEW <= b->n_kept; j += FEW) few(cells + j, b, in + j, 0);
    } else {
        rest(cells, b);
    }
}

/* A sum starts at identity and becomes name_step of it and an element; c is the cell's other number. join_step and
 * join_join make two sums one. What is absent at the end of a row changes no sum. `rest` takes what no vector does, each output's elements in order. Down, SUMS vectors of partial sums take an output's elements in turn. Across, SUMS vectors of outputs stay
 * in registers while the rows pass. */
#define FOLD(name, identity, absent, arguments, join, rest)                                                            \
    static void name##_down(sp__cell *cell, const element *in, int64_t n)                                              \
    {                                                                                                                  \
        const vd c = splat_f64(cell->also.f);                                                                          \
        vd sums[SUMS];                                                                                                 \
        (void)c;                                                                                                       \
        for (int i = 0; i < SUMS; i++) sums[i] = splat_f64(identity);                                                  \
        int64_t at = 0;                                                                                                \
        for (; at + FOLD_STEP <= n; at += FOLD_STEP) {                                                                 \
            SP__UNROLL                                                                                                 \
            for (int i = 0; i < SUMS; i++) {                                                                           \
                const vd v = sums[i], x = wide(in + at + i * LANES_f64);                                               \
                sums[i] = name##_step arguments;                                                                       \
            }                                                                                                          \
        }                                                                                                              \
        for (int i = 0; at < n; i++, at += LANES_f64) {                                                                \
            const vd v = sums[i], x = wide_end(in + at, n - at, absent);                                               \
            sums[i] = name##_step arguments;                                                                           \
        }                                                                                                              \
        SP__UNROLL                                                                                                     \
        for (int half = SUMS / 2; half >= FEW_VECTORS; half /= 2) {                                                    \
            for (int i = 0; i < half; i++) sums[i] = join##_step(sums[i], sums[i + half]);                             \
        }                                                                                                              \
        double few[FEW];                                                                                               \
        memcpy(few, sums, sizeof few);                                                                                 \
        SP__UNROLL                                                                                                     \
        for (int half = FEW / 2; half > 0; half /= 2) {                                                                \
            for (int i = 0; i < half; i++) few[i] = join##_join(few[i], few[i + half]);                                \
        }                                                                                                              \
        cell->value.f = join##_join(cell->value.f, few[0]);                                                            \
    }                                                                                                                  \
    SP__INLINE void name##_columns(sp__cell *cells, const sp__fold_block *b, const element *in, const int vectors,     \
                                   int skip)                                                                           \
    {                                                                                                                  \
        double values[MANY], others[MANY];                                                                             \
        for (int i = 0; i < vectors * LANES_f64; i++) values[i] = cells[i].value.f, others[i] = cells[i].also.f;       \
        vd sums[MANY_VECTORS], also[MANY_VECTORS];                                                                     \
        SP__UNROLL                                                                                                     \
        for (int i = 0; i < vectors; i++) {                                                                            \
            sums[i] = *(const vd *)(values + i * LANES_f64);                                                           \
            also[i] = *(const vd *)(others + i * LANES_f64);                                                           \
        }                                                                                                              \
        for (int64_t r = 0; r < b->n_reduced; r++) {                                                                   \
            const element *row = (const element *)((const char *)in + r * b->stride_reduced);                          \
            SP__UNROLL                                                                                                 \
            for (int i = 0; i < vectors; i++) {                                                                        \
                const vd v = sums[i], x = wide(row + i * LANES_f64), c = also[i];                                      \
                (void)c;                                                                                               \
                sums[i] = name##_step arguments;                                                                       \
            }                                                                                                          \
        }                                                                                                              \
        SP__UNROLL                                                                                                     \
        for (int i = 0; i < vectors; i++) *(vd *)(values + i * LANES_f64) = sums[i];                                   \
        for (int i = skip; i < vectors * LANES_f64; i++) cells[i].value.f = values[i];                                 \
    }                                                                                                                  \
    static void name##_many(sp__cell *cells, const sp__fold_block *b, const element *in)                               \
    {                                                                                                                  \
        name##_columns(cells, b, in, MANY_VECTORS, 0);                                                                 \
    }                                                                                                                  \
    static void name##_half(sp__cell *cells, const sp__fold_block *b, const element *in)                               \
    {                                                                                                                  \
        name##_columns(cells, b, in, MANY_VECTORS / 2, 0);                                                             \
    }                                                                                                                  \
    static void name##_few(sp__cell *cells, const sp__fold_block *b, const element *in, int skip)                      \
    {                                                                                                                  \
        name##_columns(cells, b, in, FEW_VECTORS, skip);                                                               \
    }                                                                                                                  \
    static void name##_fold(sp__cell *cells, const sp__fold_block *b)                                                  \
    {                                                                                                                  \
        run_fold(cells, b, name##_down, name##_many, name##_half, name##_few, rest);                                   \
    }

#define REFERENCE(KIND) sp__reference.of[DTYPE].fold[SP__FOLD_##KIND]
FOLD(prod, 1.0, 1.0, (v, x), prod, REFERENCE(PROD))
FOLD(deviation, 0.0, c[0], (v, x, c), sum, REFERENCE(DEVIATION))
FOLD(abs, 0.0, 0.0, (v, x), sum, REFERENCE(ABS))
FOLD(square, 0.0, 0.0, (v, x), sum, REFERENCE(SQUARE))
FOLD(max, -INFINITY, -INFINITY, (v, x), max, REFERENCE(MAX))
FOLD(min, INFINITY, INFINITY, (v, x), min, REFERENCE(MIN))

/* Reductions of one type, in f64. T: the element. FN(name): a function's name. ROWS: the table's rows that are not the
 * same for all types. SUM: defines FN(sum). WIDE(p): as many elements at p as a vector of f64 holds, in f64. A block
 * goes the way its elements lie side by side: across, along outputs, or down, along what is reduced; all else is the
 * reference's. */

/* Eight vectors of sums hide the latency of an addition. */
enum { FN(SUMS) = 8, FN(STEP) = FN(SUMS) * LANES_f64 };

/* step(v, x, c): what a sum v becomes with x, where c is the cell's other number; also joins two sums if join is step.
 */
#define FOLD(name, kind, identity, step, join)                                                                         \
    static void FN(name##_down)(sp__cell * cell, const T *in, int64_t n)                                               \
    {                                                                                                                  \
        const vd c = splat_f64(cell->also.f);                                                                          \
        vd sums[FN(SUMS)];                                                                                             \
        (void)c;                                                                                                       \
        for (int i = 0; i < FN(SUMS); i++) sums[i] = splat_f64(identity);                                              \
        for (int64_t at = 0; at < n; at += FN(STEP)) {                                                                 \
            SP__UNROLL                                                                                                 \
            for (int i = 0; i < FN(SUMS); i++) {                                                                       \
                const vd v = sums[i], x = WIDE(in + at + i * LANES_f64);                                               \
                sums[i] = step;                                                                                        \
            }                                                                                                          \
        }                                                                                                              \
        for (int half = FN(SUMS) / 2; half > 0; half /= 2) {                                                           \
            for (int i = 0; i < half; i++) {                                                                           \
                const vd v = sums[i], x = sums[i + half];                                                              \
                sums[i] = join;                                                                                        \
            }                                                                                                          \
        }                                                                                                              \
        for (int i = 0; i < LANES_f64; i++) {                                                                          \
            const vd v = splat_f64(cell->value.f), x = splat_f64(sums[0][i]);                                          \
            cell->value.f = (join)[0];                                                                                 \
        }                                                                                                              \
    }                                                                                                                  \
    /* SUMS vectors of outputs stay in registers while the rows pass. */                                               \
    static void FN(name##_across)(sp__cell * cells, const sp__fold_block *b, const T *in)                              \
    {                                                                                                                  \
        double values[FN(STEP)], others[FN(STEP)];                                                                     \
        for (int i = 0; i < FN(STEP); i++) values[i] = cells[i].value.f, others[i] = cells[i].also.f;                  \
        vd sums[FN(SUMS)], also[FN(SUMS)];                                                                             \
        for (int i = 0; i < FN(SUMS); i++) {                                                                           \
            sums[i] = *(const vd *)(values + i * LANES_f64);                                                           \
            also[i] = *(const vd *)(others + i * LANES_f64);                                                           \
        }                                                                                                              \
        for (int64_t r = 0; r < b->n_reduced; r++) {                                                                   \
            const T *row = (const T *)((const char *)in + r * b->stride_reduced);                                      \
            SP__UNROLL                                                                                                 \
            for (int i = 0; i < FN(SUMS); i++) {                                                                       \
                const vd v = sums[i], x = WIDE(row + i * LANES_f64), c = also[i];                                      \
                (void)c;                                                                                               \
                sums[i] = step;                                                                                        \
            }                                                                                                          \
        }                                                                                                              \
        for (int i = 0; i < FN(STEP); i++) cells[i].value.f = sums[i / LANES_f64][i % LANES_f64];                      \
    }                                                                                                                  \
    static void FN(name)(sp__cell * cells, const sp__fold_block *b)                                                    \
    {                                                                                                                  \
        FN(run)(cells, b, kind, FN(name##_down), FN(name##_across));                                                   \
    }

/* Runs what it can of a block by vectors, and the rest, at the ends, by the reference. */
static void FN(run)(sp__cell *cells, const sp__fold_block *b, sp__fold_kind kind,
                    void (*down)(sp__cell *cell, const T *in, int64_t n),
                    void (*across)(sp__cell *cells, const sp__fold_block *b, const T *in))
{
    sp__fold_run *rest = sp__reference.of[DTYPE].fold[kind];
    sp__fold_block left = *b;
    const int64_t item = sizeof(T);
    if (b->stride_reduced == item && b->n_reduced >= FN(STEP)) {
        const int64_t n = b->n_reduced / FN(STEP) * FN(STEP);
        for (int64_t j = 0; j < b->n_kept; j++) down(&cells[j], (const T *)(b->in + j * b->stride_kept), n);
        left.in += n * item;
        left.n_reduced -= n;
        left.position += n;
    } else if (b->stride_kept == item) {
        int64_t j = 0;
        for (; j + FN(STEP) <= b->n_kept; j += FN(STEP)) across(cells + j, b, (const T *)(b->in + j * item));
        cells += j;
        left.in += j * item;
        left.n_kept -= j;
    }
    if (left.n_kept > 0 && left.n_reduced > 0) rest(cells, &left);
}

SUM FOLD(prod, SP__FOLD_PROD, 1.0, v *x, v *x) FOLD(deviation, SP__FOLD_DEVIATION, 0.0, v + (x - c) * (x - c), v + x)
    FOLD(abs, SP__FOLD_ABS, 0.0, v + magnitude_f64(x), v + x) FOLD(square, SP__FOLD_SQUARE, 0.0, v + x * x, v + x)
        FOLD(max, SP__FOLD_MAX, -INFINITY, select_f64((x > v) | (x != x), x, v), select_f64((x > v) | (x != x), x, v))
            FOLD(min, SP__FOLD_MIN, INFINITY, select_f64((x < v) | (x != x), x, v),
                 select_f64((x < v) | (x != x), x, v))

                sp__fold_run *const TABLE[SP__FOLD_COUNT] = {
                    [SP__FOLD_SUM] = FN(sum), [SP__FOLD_PROD] = FN(prod),     [SP__FOLD_DEVIATION] = FN(deviation),
                    [SP__FOLD_ABS] = FN(abs), [SP__FOLD_SQUARE] = FN(square), ROWS,
};

#undef FOLD
#undef ROWS
#undef SUM
#undef T
#undef FN
#undef WIDE
#undef DTYPE
#undef TABLE

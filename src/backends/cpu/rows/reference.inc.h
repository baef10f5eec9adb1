/* softmax and its kin for one floating type: rows [first, last) of call->outer × call->inner, each of call->n elements
 * `inner` apart. T, C, LOAD, STORE, M as in map/reference_float.inc.h. Sums are f64. */

/* Where row r begins, in elements. */
static inline int64_t FN(row)(const sp__rows *call, int64_t r)
{
    return r / call->inner * call->n * call->inner + r % call->inner;
}

static C FN(row_max)(const T *x, int64_t n, int64_t step)
{
    C max = -(C)INFINITY;
    for (int64_t i = 0; i < n; i++) {
        const C v = LOAD(x + i * step);
        if (v > max || v != v) max = v;
    }
    return max;
}

static double FN(row_exp_sum)(const T *x, int64_t n, int64_t step, C max)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += (double)M(exp)(LOAD(x + i * step) - max);
    return sum;
}

static void FN(softmax)(const sp__rows *call, int64_t first, int64_t last)
{
    const int64_t n = call->n, step = call->inner;
    for (int64_t r = first; r < last; r++) {
        const T *x = (const T *)sp__operand_at(&call->in) + FN(row)(call, r);
        T *y = (T *)sp__operand_at(&call->out) + FN(row)(call, r);
        const C max = FN(row_max)(x, n, step);
        const C scale = (C)(1 / FN(row_exp_sum)(x, n, step, max));
        for (int64_t i = 0; i < n; i++) STORE(y + i * step, M(exp)(LOAD(x + i * step) - max) * scale);
    }
}

static void FN(log_softmax)(const sp__rows *call, int64_t first, int64_t last)
{
    const int64_t n = call->n, step = call->inner;
    for (int64_t r = first; r < last; r++) {
        const T *x = (const T *)sp__operand_at(&call->in) + FN(row)(call, r);
        T *y = (T *)sp__operand_at(&call->out) + FN(row)(call, r);
        const C max = FN(row_max)(x, n, step);
        const C log_sum = (C)log(FN(row_exp_sum)(x, n, step, max));
        for (int64_t i = 0; i < n; i++) STORE(y + i * step, LOAD(x + i * step) - max - log_sum);
    }
}

static void FN(softmax_backward)(const sp__rows *call, int64_t first, int64_t last)
{
    const int64_t n = call->n, step = call->inner;
    for (int64_t r = first; r < last; r++) {
        const T *g = (const T *)sp__operand_at(&call->in) + FN(row)(call, r);
        const T *y = (const T *)sp__operand_at(&call->other) + FN(row)(call, r);
        T *dx = (T *)sp__operand_at(&call->out) + FN(row)(call, r);
        double dot = 0;
        for (int64_t i = 0; i < n; i++) dot += (double)LOAD(g + i * step) * (double)LOAD(y + i * step);
        for (int64_t i = 0; i < n; i++) STORE(dx + i * step, LOAD(y + i * step) * (LOAD(g + i * step) - (C)dot));
    }
}

static void FN(log_softmax_backward)(const sp__rows *call, int64_t first, int64_t last)
{
    const int64_t n = call->n, step = call->inner;
    for (int64_t r = first; r < last; r++) {
        const T *g = (const T *)sp__operand_at(&call->in) + FN(row)(call, r);
        const T *y = (const T *)sp__operand_at(&call->other) + FN(row)(call, r);
        T *dx = (T *)sp__operand_at(&call->out) + FN(row)(call, r);
        double sum = 0;
        for (int64_t i = 0; i < n; i++) sum += (double)LOAD(g + i * step);
        for (int64_t i = 0; i < n; i++) STORE(dx + i * step, LOAD(g + i * step) - M(exp)(LOAD(y + i * step)) * (C)sum);
    }
}

static void FN(running_sum)(const sp__rows *call, int64_t first, int64_t last, bool from_end)
{
    for (int64_t r = first; r < last; r++) {
        const T *x = (const T *)sp__operand_at(&call->in) + FN(row)(call, r);
        T *y = (T *)sp__operand_at(&call->out) + FN(row)(call, r);
        double sum = 0;
        for (int64_t i = 0; i < call->n; i++) {
            const int64_t at = (from_end ? call->n - 1 - i : i) * call->inner;
            sum += (double)LOAD(x + at);
            STORE(y + at, (C)sum);
        }
    }
}

static void FN(cumsum)(const sp__rows *call, int64_t first, int64_t last)
{
    FN(running_sum)(call, first, last, false);
}

static void FN(cumsum_reverse)(const sp__rows *call, int64_t first, int64_t last)
{
    FN(running_sum)(call, first, last, true);
}

sp__rows_run *const TABLE[SP__ROW_COUNT] = {
    [SP__SOFTMAX] = FN(softmax),
    [SP__LOG_SOFTMAX] = FN(log_softmax),
    [SP__SOFTMAX_BACKWARD] = FN(softmax_backward),
    [SP__LOG_SOFTMAX_BACKWARD] = FN(log_softmax_backward),
    [SP__CUMSUM] = FN(cumsum),
    [SP__CUMSUM_REVERSE] = FN(cumsum_reverse),
};

#undef T
#undef C
#undef LOAD
#undef STORE
#undef FN
#undef M
#undef TABLE

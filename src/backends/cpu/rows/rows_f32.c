/* Softmax and its kin along rows of f32 that lie side by side; sums are f64. Where the rows are columns (inner > 1),
 * the reference does it. n: elements of a row. */
#include "backends/cpu/common/f32.h"

enum { LANES = LANES_f32 };
typedef float narrow __attribute__((vector_size(SP__VECTOR_BYTES / 2), aligned(4), may_alias));
typedef double wide __attribute__((vector_size(SP__VECTOR_BYTES), aligned(8), may_alias));

/* The last vector of a row is filled up with `rest`. */
SP__INLINE vf load_or(const float *p, int64_t n, float rest)
{
    static const float lanes[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    if (n >= LANES) return *(const vf *)p;
    return select_f32(*(const vf *)lanes < (float)n, load_f32(p, n), splat_f32(rest));
}

SP__INLINE wide lower(const vf *x)
{
    return __builtin_convertvector(*(const narrow *)x, wide);
}

SP__INLINE wide upper(const vf *x)
{
    return __builtin_convertvector(*((const narrow *)x + 1), wide);
}

SP__INLINE double add_lanes(wide x)
{
    double sum = 0;
    for (int i = 0; i < LANES / 2; i++) sum += x[i];
    return sum;
}

/* NaN counts nowhere here: it makes the sum NaN. Four vectors at a time, since each waits for the one before. */
static float row_max(const float *x, int64_t n)
{
    vf best[4];
    for (int k = 0; k < 4; k++) best[k] = splat_f32(-INFINITY);
    int64_t i = 0;
    for (; i + 4 * LANES <= n; i += 4 * LANES)
        for (int k = 0; k < 4; k++) best[k] = larger_f32(load_f32(x + i + k * LANES, LANES), best[k]);
    for (; i < n; i += LANES) best[0] = larger_f32(load_or(x + i, n - i, -INFINITY), best[0]);
    best[0] = larger_f32(larger_f32(best[0], best[1]), larger_f32(best[2], best[3]));
    float max = best[0][0];
    for (int k = 1; k < LANES; k++) max = best[0][k] > max ? best[0][k] : max;
    return max;
}

/* Σ e^(x - max); stores the terms when out is given. */
SP__INLINE double sum_of_exp(const float *x, int64_t n, float max, float *out)
{
    wide sum = {0};
    for (int64_t i = 0; i < n; i += LANES) {
        const vf e = exp_f32(load_or(x + i, n - i, -INFINITY) - max);
        if (out) store_f32(out + i, e, n - i);
        sum += lower(&e) + upper(&e);
    }
    return add_lanes(sum);
}

static void softmax_row(const float *x, const float *other, float *y, int64_t n)
{
    (void)other;
    const float scale = (float)(1 / sum_of_exp(x, n, row_max(x, n), y));
    for (int64_t i = 0; i < n; i += LANES) store_f32(y + i, load_f32(y + i, n - i) * scale, n - i);
}

static void log_softmax_row(const float *x, const float *other, float *y, int64_t n)
{
    (void)other;
    const float max = row_max(x, n), log_sum = (float)log(sum_of_exp(x, n, max, NULL));
    for (int64_t i = 0; i < n; i += LANES) store_f32(y + i, (load_f32(x + i, n - i) - max) - log_sum, n - i);
}

static void softmax_backward_row(const float *g, const float *y, float *dx, int64_t n)
{
    wide dot = {0};
    for (int64_t i = 0; i < n; i += LANES) {
        const vf gi = load_f32(g + i, n - i), yi = load_f32(y + i, n - i);
        dot += lower(&gi) * lower(&yi) + upper(&gi) * upper(&yi);
    }
    const float sum = (float)add_lanes(dot);
    for (int64_t i = 0; i < n; i += LANES)
        store_f32(dx + i, load_f32(y + i, n - i) * (load_f32(g + i, n - i) - sum), n - i);
}

static void log_softmax_backward_row(const float *g, const float *y, float *dx, int64_t n)
{
    wide total = {0};
    for (int64_t i = 0; i < n; i += LANES) {
        const vf gi = load_f32(g + i, n - i);
        total += lower(&gi) + upper(&gi);
    }
    const float sum = (float)add_lanes(total);
    for (int64_t i = 0; i < n; i += LANES)
        store_f32(dx + i, load_f32(g + i, n - i) - exp_f32(load_f32(y + i, n - i)) * sum, n - i);
}

/* ---- short rows: LANES of them at once, one in each lane, so that no lane idles and nothing is added across ----
 *
 * x, other, y: element i of the rows at [i·step … i·step + LANES). So it is with columns, too, where they lie. */

enum { SHORT = 3 * LANES };

SP__INLINE vf lanes_of(const float *x, int64_t i, int64_t step)
{
    return *(const vf *)(x + i * step);
}

SP__INLINE vf highest(const float *x, int64_t n, int64_t step)
{
    vf max = splat_f32(-INFINITY);
    for (int64_t i = 0; i < n; i++) max = larger_f32(lanes_of(x, i, step), max);
    return max;
}

/* f64 sums, a lane each. */
typedef struct sums {
    wide low, high;
} sums;

SP__INLINE void add_to(sums *sum, vf x)
{
    sum->low += lower(&x);
    sum->high += upper(&x);
}

SP__INLINE vf joined(wide low, wide high)
{
    const union {
        narrow halves[2];
        vf whole;
    } u = {{__builtin_convertvector(low, narrow), __builtin_convertvector(high, narrow)}};
    return u.whole;
}

static void softmax_lanes(const float *x, const float *other, float *y, int64_t n, int64_t step)
{
    (void)other;
    sums sum = {0};
    const vf max = highest(x, n, step);
    for (int64_t i = 0; i < n; i++) {
        const vf e = exp_f32(lanes_of(x, i, step) - max);
        store_f32(y + i * step, e, LANES);
        add_to(&sum, e);
    }
    const vf scale = joined(1 / sum.low, 1 / sum.high);
    for (int64_t i = 0; i < n; i++) store_f32(y + i * step, lanes_of(y, i, step) * scale, LANES);
}

static void log_softmax_lanes(const float *x, const float *other, float *y, int64_t n, int64_t step)
{
    (void)other;
    sums sum = {0};
    const vf max = highest(x, n, step);
    for (int64_t i = 0; i < n; i++) add_to(&sum, exp_f32(lanes_of(x, i, step) - max));
    for (int k = 0; k < LANES / 2; k++) {
        sum.low[k] = log(sum.low[k]);
        sum.high[k] = log(sum.high[k]);
    }
    const vf log_sum = joined(sum.low, sum.high);
    for (int64_t i = 0; i < n; i++) store_f32(y + i * step, (lanes_of(x, i, step) - max) - log_sum, LANES);
}

static void softmax_backward_lanes(const float *g, const float *y, float *dx, int64_t n, int64_t step)
{
    sums dot = {0};
    for (int64_t i = 0; i < n; i++) {
        const vf gi = lanes_of(g, i, step), yi = lanes_of(y, i, step);
        dot.low += lower(&gi) * lower(&yi);
        dot.high += upper(&gi) * upper(&yi);
    }
    const vf sum = joined(dot.low, dot.high);
    for (int64_t i = 0; i < n; i++)
        store_f32(dx + i * step, lanes_of(y, i, step) * (lanes_of(g, i, step) - sum), LANES);
}

static void log_softmax_backward_lanes(const float *g, const float *y, float *dx, int64_t n, int64_t step)
{
    sums total = {0};
    for (int64_t i = 0; i < n; i++) add_to(&total, lanes_of(g, i, step));
    const vf sum = joined(total.low, total.high);
    for (int64_t i = 0; i < n; i++)
        store_f32(dx + i * step, lanes_of(g, i, step) - exp_f32(lanes_of(y, i, step)) * sum, LANES);
}

/* ---- the call ---- */

typedef void row_run(const float *x, const float *other, float *y, int64_t n);
typedef void lanes_run(const float *x, const float *other, float *y, int64_t n, int64_t step);

/* `rows` rows side by side become lanes; lanes without a row are 0. */
static void spread(float *lanes, const float *x, int64_t n, int64_t rows)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < LANES; k++) lanes[i * LANES + k] = k < rows ? x[k * n + i] : 0;
}

static void run_short(lanes_run *run, const float *in, const float *other, float *out, int64_t n, int64_t rows)
{
    float x[SHORT * LANES], o[SHORT * LANES], y[SHORT * LANES];
    for (int64_t r = 0; r < rows; r += LANES) {
        const int64_t count = rows - r < LANES ? rows - r : LANES;
        spread(x, in + r * n, n, count);
        if (other) spread(o, other + r * n, n, count);
        run(x, o, y, n, LANES);
        for (int64_t k = 0; k < count; k++)
            for (int64_t i = 0; i < n; i++) out[(r + k) * n + i] = y[i * LANES + k];
    }
}

/* Rows that are columns in memory: LANES of them side by side, the rest by the reference. */
static void run_columns(const sp__rows *call, lanes_run *run, int64_t first, int64_t last)
{
    const float *in = (const float *)(const void *)sp__operand_at(&call->in);
    const float *other = call->other.buffer ? (const float *)(const void *)sp__operand_at(&call->other) : NULL;
    float *out = (float *)(void *)sp__operand_at(&call->out);
    for (int64_t r = first; r < last;) {
        const int64_t column = r % call->inner, at = r / call->inner * call->n * call->inner + column;
        const int64_t here = call->inner - column < last - r ? call->inner - column : last - r;
        if (here >= LANES)
            run(in + at, other ? other + at : NULL, out + at, call->n, call->inner);
        else
            sp__reference.of[SP_F32].rows[call->kind](call, r, r + here);
        r += here < LANES ? here : LANES;
    }
}

static void run(const sp__rows *call, int64_t first, int64_t last)
{
    static const struct {
        row_run *row;
        lanes_run *lanes;
    } runs[SP__LOG_SOFTMAX_BACKWARD + 1] = {
        [SP__SOFTMAX] = {softmax_row, softmax_lanes},
        [SP__LOG_SOFTMAX] = {log_softmax_row, log_softmax_lanes},
        [SP__SOFTMAX_BACKWARD] = {softmax_backward_row, softmax_backward_lanes},
        [SP__LOG_SOFTMAX_BACKWARD] = {log_softmax_backward_row, log_softmax_backward_lanes},
    };
    row_run *row = runs[call->kind].row;
    lanes_run *lanes = runs[call->kind].lanes;
    if (call->inner != 1) {
        run_columns(call, lanes, first, last);
        return;
    }
    const int64_t n = call->n, rows = last - first;
    const float *in = (const float *)sp__operand_at(&call->in) + first * n;
    const float *other = call->other.buffer ? (const float *)sp__operand_at(&call->other) + first * n : NULL;
    float *out = (float *)sp__operand_at(&call->out) + first * n;
    if (n <= SHORT) {
        run_short(lanes, in, other, out, n, rows);
        return;
    }
    for (int64_t r = 0; r < rows; r++) row(in + r * n, other ? other + r * n : NULL, out + r * n, n);
}

sp__rows_run *const SP__HERE(sp__rows_f32)[SP__ROW_COUNT] = {
    [SP__SOFTMAX] = run,
    [SP__LOG_SOFTMAX] = run,
    [SP__SOFTMAX_BACKWARD] = run,
    [SP__LOG_SOFTMAX_BACKWARD] = run,
};

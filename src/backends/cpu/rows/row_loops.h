/* Softmax and its kin by vectors, for f32 and for bf16, which computes in f32. The file that includes this says before
 * what an `element` is, what fetch and keep do with some of them, and whether an element holds all of a number (WHOLE).
 *
 * Sums are f64. Along a row they run over 16 lanes, of which a vector has some: so they are the same at every level. Where
 * rows are columns in memory, and where rows are short, each lane of a vector is a row of its own, and nothing is added
 * across. n: elements of a row. */
#include <string.h>

enum { LANES = LANES_f32, SIDE = 16 / LANES, SHORT = 48 };
typedef float narrow __attribute__((vector_size(SP__VECTOR_BYTES / 2), aligned(4), may_alias));
typedef double wide __attribute__((vector_size(SP__VECTOR_BYTES), aligned(8), may_alias));

SP__INLINE wide lower(const vf *x)
{
    return __builtin_convertvector(*(const narrow *)x, wide);
}

SP__INLINE wide upper(const vf *x)
{
    return __builtin_convertvector(*((const narrow *)x + 1), wide);
}

/* ---- along a row: 16 elements at a time, the last filled up with `rest` ---- */

SP__INLINE vf fetch_or(const element *p, int64_t n, float rest)
{
    static const float lanes[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    if (n >= LANES) return fetch(p, LANES);
    if (n <= 0) return splat_f32(rest);
    return select_f32(*(const vf *)lanes < (float)n, fetch(p, n), splat_f32(rest));
}

typedef struct lanes16 {
    wide low[SIDE], high[SIDE];
} lanes16;

/* Lanes i and i + 8 of the 16, then i and i + 4, and so on. */
SP__INLINE double add_lanes(const lanes16 *sums)
{
    wide parts[2 * SIDE];
    for (int v = 0; v < SIDE; v++) parts[2 * v] = sums->low[v], parts[2 * v + 1] = sums->high[v];
    SP__UNROLL
    for (int half = SIDE; half > 0; half /= 2)
        for (int i = 0; i < half; i++) parts[i] += parts[i + half];
    double lanes[LANES / 2];
    memcpy(lanes, parts, sizeof lanes);
    SP__UNROLL
    for (int half = LANES / 4; half > 0; half /= 2)
        for (int i = 0; i < half; i++) lanes[i] += lanes[i + half];
    return lanes[0];
}

SP__INLINE float highest_lane(vf x)
{
#if defined(__AVX512F__)
    return _mm512_reduce_max_ps((__m512)x);
#else
    float lanes[LANES];
    memcpy(lanes, &x, sizeof lanes);
    SP__UNROLL
    for (int half = LANES / 2; half > 0; half /= 2)
        for (int i = 0; i < half; i++) lanes[i] = lanes[i] > lanes[i + half] ? lanes[i] : lanes[i + half];
    return lanes[0];
#endif
}

/* NaN counts nowhere here: it makes the sum NaN. Four vectors at a time, since each waits for the one before. */
static float row_max(const element *x, int64_t n)
{
    vf best[4];
    for (int k = 0; k < 4; k++) best[k] = splat_f32(-INFINITY);
    int64_t i = 0;
    for (; i + 4 * LANES <= n; i += 4 * LANES)
        for (int k = 0; k < 4; k++) best[k] = larger_f32(fetch(x + i + k * LANES, LANES), best[k]);
    for (; i < n; i += LANES) best[0] = larger_f32(fetch_or(x + i, n - i, -INFINITY), best[0]);
    return highest_lane(larger_f32(larger_f32(best[0], best[1]), larger_f32(best[2], best[3])));
}

/* Σ e^(x - max); stores the terms when out is given, whole groups of 16. */
SP__INLINE double sum_of_exp(const element *x, int64_t n, float max, float *out)
{
    lanes16 sums = {0};
    for (int64_t i = 0; i < n; i += 16) {
        SP__UNROLL
        for (int v = 0; v < SIDE; v++) {
            const int64_t at = i + v * LANES;
            const vf e = exp_f32(fetch_or(x + at, n - at, -INFINITY) - max);
            if (out) store_f32(out + at, e, LANES);
            sums.low[v] += lower(&e);
            sums.high[v] += upper(&e);
        }
    }
    return add_lanes(&sums);
}

static void softmax_row(const element *x, const element *other, element *y, int64_t n)
{
    enum { NEAR = 1024 }; /* terms that wait in the first cache; those of a longer row are computed again */
    float terms[NEAR];
    (void)other;
    const bool wait = n <= NEAR;
    const float max = row_max(x, n), scale = (float)(1 / sum_of_exp(x, n, max, wait ? terms : NULL));
    for (int64_t i = 0; i < n; i += LANES) {
        const vf e = wait ? load_f32(terms + i, LANES) : exp_f32(fetch(x + i, n - i) - max);
        keep(y + i, e * scale, n - i);
    }
}

static void log_softmax_row(const element *x, const element *other, element *y, int64_t n)
{
    (void)other;
    const float max = row_max(x, n), log_sum = log_f32(splat_f32((float)sum_of_exp(x, n, max, NULL)))[0];
    for (int64_t i = 0; i < n; i += LANES) keep(y + i, (fetch(x + i, n - i) - max) - log_sum, n - i);
}

static void softmax_backward_row(const element *g, const element *y, element *dx, int64_t n)
{
    lanes16 dot = {0};
    for (int64_t i = 0; i < n; i += 16) {
        SP__UNROLL
        for (int v = 0; v < SIDE; v++) {
            const int64_t at = i + v * LANES;
            const vf gi = fetch_or(g + at, n - at, 0), yi = fetch_or(y + at, n - at, 0);
            dot.low[v] += lower(&gi) * lower(&yi);
            dot.high[v] += upper(&gi) * upper(&yi);
        }
    }
    const float sum = (float)add_lanes(&dot);
    for (int64_t i = 0; i < n; i += LANES) keep(dx + i, fetch(y + i, n - i) * (fetch(g + i, n - i) - sum), n - i);
}

static void log_softmax_backward_row(const element *g, const element *y, element *dx, int64_t n)
{
    lanes16 total = {0};
    for (int64_t i = 0; i < n; i += 16) {
        SP__UNROLL
        for (int v = 0; v < SIDE; v++) {
            const vf gi = fetch_or(g + i + v * LANES, n - i - v * LANES, 0);
            total.low[v] += lower(&gi);
            total.high[v] += upper(&gi);
        }
    }
    const vf sum = splat_f32((float)add_lanes(&total));
    for (int64_t i = 0; i < n; i += LANES)
        keep(dx + i, sp__fma_f32(-exp_f32(fetch(y + i, n - i)), sum, fetch(g + i, n - i)), n - i);
}

/* ---- a row in each lane: `count` of them, element i of which lies `step` behind element i - 1 ---- */

typedef struct column {
    int64_t n, step, count;
} column;

SP__INLINE vf highest(const element *x, column c)
{
    vf max = splat_f32(-INFINITY);
    for (int64_t i = 0; i < c.n; i++) max = larger_f32(fetch(x + i * c.step, c.count), max);
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

static void softmax_lanes(const element *x, const element *other, element *y, column c)
{
    (void)other;
    sums sum = {0};
    const vf max = highest(x, c);
    for (int64_t i = 0; i < c.n; i++) {
        const vf e = exp_f32(fetch(x + i * c.step, c.count) - max);
        if (WHOLE) keep(y + i * c.step, e, c.count);
        add_to(&sum, e);
    }
    const vf scale = joined(1 / sum.low, 1 / sum.high);
    for (int64_t i = 0; i < c.n; i++) {
        const vf e = WHOLE ? fetch(y + i * c.step, c.count) : exp_f32(fetch(x + i * c.step, c.count) - max);
        keep(y + i * c.step, e * scale, c.count);
    }
}

static void log_softmax_lanes(const element *x, const element *other, element *y, column c)
{
    (void)other;
    sums sum = {0};
    const vf max = highest(x, c);
    for (int64_t i = 0; i < c.n; i++) add_to(&sum, exp_f32(fetch(x + i * c.step, c.count) - max));
    const vf log_sum = log_f32(joined(sum.low, sum.high));
    for (int64_t i = 0; i < c.n; i++) keep(y + i * c.step, (fetch(x + i * c.step, c.count) - max) - log_sum, c.count);
}

static void softmax_backward_lanes(const element *g, const element *y, element *dx, column c)
{
    sums dot = {0};
    for (int64_t i = 0; i < c.n; i++) {
        const vf gi = fetch(g + i * c.step, c.count), yi = fetch(y + i * c.step, c.count);
        dot.low += lower(&gi) * lower(&yi);
        dot.high += upper(&gi) * upper(&yi);
    }
    const vf sum = joined(dot.low, dot.high);
    for (int64_t i = 0; i < c.n; i++) {
        const int64_t at = i * c.step;
        keep(dx + at, fetch(y + at, c.count) * (fetch(g + at, c.count) - sum), c.count);
    }
}

static void log_softmax_backward_lanes(const element *g, const element *y, element *dx, column c)
{
    sums total = {0};
    for (int64_t i = 0; i < c.n; i++) add_to(&total, fetch(g + i * c.step, c.count));
    const vf sum = joined(total.low, total.high);
    for (int64_t i = 0; i < c.n; i++) {
        const int64_t at = i * c.step;
        keep(dx + at, sp__fma_f32(-exp_f32(fetch(y + at, c.count)), sum, fetch(g + at, c.count)), c.count);
    }
}

/* ---- the call ---- */

typedef void row_run(const element *x, const element *other, element *y, int64_t n);
typedef void lanes_run(const element *x, const element *other, element *y, column c);

/* `rows` rows side by side become lanes. */
static void spread(element *lanes, const element *x, int64_t n, int64_t rows)
{
    for (int64_t k = 0; k < rows; k++)
        for (int64_t i = 0; i < n; i++) lanes[i * LANES + k] = x[k * n + i];
}

static void run_short(lanes_run *run, const element *in, const element *other, element *out, int64_t n, int64_t rows)
{
    element x[SHORT * LANES], o[SHORT * LANES], y[SHORT * LANES];
    for (int64_t r = 0; r < rows; r += LANES) {
        const int64_t count = rows - r < LANES ? rows - r : LANES;
        spread(x, in + r * n, n, count);
        if (other) spread(o, other + r * n, n, count);
        run(x, o, y, (column){n, LANES, count});
        for (int64_t k = 0; k < count; k++)
            for (int64_t i = 0; i < n; i++) out[(r + k) * n + i] = y[i * LANES + k];
    }
}

/* Rows that are columns in memory. */
static void run_columns(const sp__rows *call, lanes_run *run, int64_t first, int64_t last)
{
    const element *in = (const element *)(const void *)sp__operand_at(&call->in);
    const element *other = call->other.buffer ? (const element *)(const void *)sp__operand_at(&call->other) : NULL;
    element *out = (element *)(void *)sp__operand_at(&call->out);
    for (int64_t r = first, count; r < last; r += count) {
        const int64_t place = r % call->inner, at = r / call->inner * call->n * call->inner + place;
        const int64_t here = call->inner - place < last - r ? call->inner - place : last - r;
        count = here < LANES ? here : LANES;
        run(in + at, other ? other + at : NULL, out + at, (column){call->n, call->inner, count});
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
    const element *in = (const element *)(const void *)sp__operand_at(&call->in) + first * n;
    const element *other = call->other.buffer ? (const element *)(const void *)sp__operand_at(&call->other) + first * n
                                              : NULL;
    element *out = (element *)(void *)sp__operand_at(&call->out) + first * n;
    if (n <= SHORT) {
        run_short(lanes, in, other, out, n, rows);
        return;
    }
    for (int64_t r = 0; r < rows; r++) row(in + r * n, other ? other + r * n : NULL, out + r * n, n);
}

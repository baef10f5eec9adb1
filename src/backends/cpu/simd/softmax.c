/* Softmax and its kin along rows of f32 that lie side by side; sums are f64. Where the rows are columns (inner > 1),
 * the reference does it. n: elements of a row. */
#include "backends/cpu/simd/f32.h"

enum { LANES = LANES_f32 };
typedef float narrow __attribute__((vector_size(SP__VECTOR_BYTES / 2), aligned(4), may_alias));
typedef double wide __attribute__((vector_size(SP__VECTOR_BYTES), aligned(8), may_alias));

/* The last vector of a row is filled up with `rest`. */
SP__INLINE vf load_or(const float *p, int64_t n, float rest)
{
    if (n >= LANES) return *(const vf *)p;
    vf x = splat_f32(rest);
    memcpy(&x, p, (size_t)n * sizeof(float));
    return x;
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

static float row_max(const float *x, int64_t n)
{
    vf best = splat_f32(-INFINITY);
    for (int64_t i = 0; i < n; i += LANES) {
        const vf v = load_or(x + i, n - i, -INFINITY);
        best = select_f32((v > best) | (v != v), v, best);
    }
    float max = best[0];
    for (int i = 1; i < LANES; i++) max = best[i] > max || best[i] != best[i] ? best[i] : max;
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

static void run(const sp__rows *call, int64_t first, int64_t last)
{
    static void (*const rows[SP__ROW_COUNT])(const float *, const float *, float *, int64_t) = {
        [SP__SOFTMAX] = softmax_row,
        [SP__LOG_SOFTMAX] = log_softmax_row,
        [SP__SOFTMAX_BACKWARD] = softmax_backward_row,
        [SP__LOG_SOFTMAX_BACKWARD] = log_softmax_backward_row,
    };
    if (call->inner != 1) {
        sp__reference.of[SP_F32].rows[call->kind](call, first, last);
        return;
    }
    const float *in = (const float *)sp__operand_at(&call->in);
    const float *other = call->other.buffer ? (const float *)sp__operand_at(&call->other) : in;
    float *out = (float *)sp__operand_at(&call->out);
    for (int64_t r = first; r < last; r++)
        rows[call->kind](in + r * call->n, other + r * call->n, out + r * call->n, call->n);
}

sp__rows_run *const SP__HERE(sp__rows_f32)[SP__ROW_COUNT] = {
    [SP__SOFTMAX] = run,
    [SP__LOG_SOFTMAX] = run,
    [SP__SOFTMAX_BACKWARD] = run,
    [SP__LOG_SOFTMAX_BACKWARD] = run,
};

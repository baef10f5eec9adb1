/* Softmax and its kin for one floating type: rows [first, last) of call->outer × call->inner, each of call->n elements
 * `inner` apart. Sums are f64. */
#include "backends/cpu/common/element.h"
#include "backends/cpu/common/elementary.h"
#include "backends/cpu/reference.h"
#include <math.h>

static inline number exp_of(number x)
{
    return (number)sp__exp((double)x);
}

/* Where row r begins. */
static inline element *row_of(const sp__rows *call, const sp__operand *x, int64_t r)
{
    return (element *)sp__operand_at(x) + r / call->inner * call->n * call->inner + r % call->inner;
}

static number row_max(const element *x, int64_t n, int64_t step)
{
    number max = -(number)INFINITY;
    for (int64_t i = 0; i < n; i++) {
        const number v = load(x + i * step);
        if (v > max || v != v) max = v;
    }
    return max;
}

static double row_exp_sum(const element *x, int64_t n, int64_t step, number max)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += (double)exp_of(load(x + i * step) - max);
    return sum;
}

static void softmax(const sp__rows *call, int64_t first, int64_t last)
{
    const int64_t n = call->n, step = call->inner;
    for (int64_t r = first; r < last; r++) {
        const element *x = row_of(call, &call->in, r);
        element *y = row_of(call, &call->out, r);
        const number max = row_max(x, n, step);
        const number scale = (number)(1 / row_exp_sum(x, n, step, max));
        for (int64_t i = 0; i < n; i++) store(y + i * step, exp_of(load(x + i * step) - max) * scale);
    }
}

static void log_softmax(const sp__rows *call, int64_t first, int64_t last)
{
    const int64_t n = call->n, step = call->inner;
    for (int64_t r = first; r < last; r++) {
        const element *x = row_of(call, &call->in, r);
        element *y = row_of(call, &call->out, r);
        const number max = row_max(x, n, step);
        const number log_sum = (number)sp__log(row_exp_sum(x, n, step, max));
        for (int64_t i = 0; i < n; i++) store(y + i * step, load(x + i * step) - max - log_sum);
    }
}

static void softmax_backward(const sp__rows *call, int64_t first, int64_t last)
{
    const int64_t n = call->n, step = call->inner;
    for (int64_t r = first; r < last; r++) {
        const element *g = row_of(call, &call->in, r);
        const element *y = row_of(call, &call->other, r);
        element *dx = row_of(call, &call->out, r);
        double dot = 0;
        for (int64_t i = 0; i < n; i++) dot += (double)load(g + i * step) * (double)load(y + i * step);
        for (int64_t i = 0; i < n; i++) store(dx + i * step, load(y + i * step) * (load(g + i * step) - (number)dot));
    }
}

static void log_softmax_backward(const sp__rows *call, int64_t first, int64_t last)
{
    const int64_t n = call->n, step = call->inner;
    for (int64_t r = first; r < last; r++) {
        const element *g = row_of(call, &call->in, r);
        const element *y = row_of(call, &call->other, r);
        element *dx = row_of(call, &call->out, r);
        double sum = 0;
        for (int64_t i = 0; i < n; i++) sum += (double)load(g + i * step);
        for (int64_t i = 0; i < n; i++)
            store(dx + i * step, load(g + i * step) - exp_of(load(y + i * step)) * (number)sum);
    }
}

static void running_sum(const sp__rows *call, int64_t first, int64_t last, bool from_end)
{
    for (int64_t r = first; r < last; r++) {
        const element *x = row_of(call, &call->in, r);
        element *y = row_of(call, &call->out, r);
        double sum = 0;
        for (int64_t i = 0; i < call->n; i++) {
            const int64_t at = (from_end ? call->n - 1 - i : i) * call->inner;
            sum += (double)load(x + at);
            store(y + at, (number)sum);
        }
    }
}

static void cumsum(const sp__rows *call, int64_t first, int64_t last)
{
    running_sum(call, first, last, false);
}

static void cumsum_reverse(const sp__rows *call, int64_t first, int64_t last)
{
    running_sum(call, first, last, true);
}

sp__rows_run *const SP__OF(sp__rows)[SP__ROW_COUNT] = {
    [SP__SOFTMAX] = softmax,
    [SP__LOG_SOFTMAX] = log_softmax,
    [SP__SOFTMAX_BACKWARD] = softmax_backward,
    [SP__LOG_SOFTMAX_BACKWARD] = log_softmax_backward,
    [SP__CUMSUM] = cumsum,
    [SP__CUMSUM_REVERSE] = cumsum_reverse,
};

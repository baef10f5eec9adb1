/* Pooling: finds the kernel and cuts the work by its shape. */
#include "backends/cpu/cpu.h"
#include <math.h>

typedef struct pool_plan {
    const sp__pool *call;
    sp__pool_run *run;
} pool_plan;

static void pool_range(const void *context, int64_t first, int64_t last)
{
    const pool_plan *p = context;
    p->run(p->call, first, last);
}

static bool innermost(const sp__operand *x, int64_t channels)
{
    return x->strides[1] == 1 || channels == 1;
}

static bool lies_right(const sp__pool *call)
{
    const bool has_places = call->kind == SP__POOL_MAX || call->kind == SP__POOL_MAX_BACKWARD;
    return innermost(&call->x, call->channels) && innermost(&call->y, call->channels) &&
           (!has_places || innermost(&call->where, call->channels));
}

/* The fast loops take channels that lie side by side, places of a byte, and divisors that f32 holds. */
static bool suits_vectors(const sp__pool *call)
{
    enum { MOST_PLACES = 1 << 22, MOST_DIVISOR = 1 << 24 };
    const bool averages = call->kind == SP__POOL_AVG || call->kind == SP__POOL_AVG_BACKWARD;
    if (call->channels < 4 || !lies_right(call)) return false;
    if (!averages) return call->where.dtype == SP_U8;
    return fabs(call->divisor) <= MOST_DIVISOR && call->size[0] * call->size[1] <= MOST_PLACES;
}

static void trace(const sp__pool *call, bool fast)
{
    static const char *const names[SP__POOL_KINDS] = {
        [SP__POOL_MAX] = "max_pool",
        [SP__POOL_MAX_BACKWARD] = "max_pool backward",
        [SP__POOL_MAX_GATHER] = "max_pool values",
        [SP__POOL_MAX_INDICES] = "max_pool indices",
        [SP__POOL_AVG] = "avg_pool",
        [SP__POOL_AVG_BACKWARD] = "avg_pool backward",
    };
    const int64_t x[] = {call->batch, call->channels, call->size[0], call->size[1]};
    sp__trace_kernel(names[call->kind], call->x.dtype, sp__loop_name(fast), "x %s y %s kernel %s",
                     sp__trace_sizes(4, x), sp__trace_sizes(2, call->out_size), sp__trace_sizes(2, call->kernel));
}

/* Rows of what is written, in tasks of about as many elements of x each. */
static void run_rows(const pool_plan *p)
{
    const sp__pool *call = p->call;
    const bool backward = call->kind == SP__POOL_MAX_BACKWARD || call->kind == SP__POOL_AVG_BACKWARD;
    const int64_t rows = backward ? call->size[0] : call->out_size[0], image = call->size[0] * call->size[1];
    if (rows > 0) sp__ranges(call->batch * rows, sp__grain_of(call->channels * image / rows), pool_range, p);
}

sp_status sp__cpu_pool(const sp__pool *call)
{
    const sp_dtype dtype = call->x.dtype;
    sp__pool_run *reference = SP__KIND_AT(&sp__reference, dtype, pool, call->kind);
    const pool_plan p = {call, suits_vectors(call) ? SP__KIND(dtype, pool, call->kind) : reference};
    if (!p.run) return sp__no_kernel("pooling", dtype);
    const bool fast = p.run != reference;
    if (sp__traces_kernels()) trace(call, fast);
    if (fast)
        run_rows(&p);
    else
        sp__ranges(call->batch * call->channels, sp__grain_of(call->size[0] * call->size[1]), pool_range, &p);
    return SP_OK;
}

/* Values, sequences and random numbers into contiguous memory: finds the kernel and cuts the work. */
#include "backends/cpu/cpu.h"

enum { GRAIN = 8192 }; /* elements to a task: whole blocks of random words */

typedef struct fill_plan {
    const sp__fill *call;
    sp__fill_run *run;
} fill_plan;

static void fill_range(const void *context, int64_t first, int64_t last)
{
    const fill_plan *p = context;
    p->run(p->call, first, last);
}

static void trace(const fill_plan *p)
{
    static const char *const names[SP__FILL_COUNT] = {
        [SP__FILL_VALUE] = "fill value",     [SP__FILL_ARANGE] = "fill arange",
        [SP__FILL_UNIFORM] = "fill uniform", [SP__FILL_NORMAL] = "fill normal",
        [SP__FILL_INTEGER] = "fill integer", [SP__FILL_BERNOULLI_SCALE] = "fill bernoulli",
    };
    const sp_dtype dtype = p->call->out.dtype;
    const bool fast = p->run != SP__KIND_AT(&sp__reference, dtype, fill, p->call->kind);
    sp__trace_kernel(names[p->call->kind], dtype, sp__loop_name(fast), "[%lld]", (long long)p->call->n);
}

sp_status sp__cpu_fill(const sp__fill *call)
{
    const fill_plan p = {call, SP__KIND(call->out.dtype, fill, call->kind)};
    if (!p.run) return sp__no_kernel("a fill", call->out.dtype);
    if (sp__traces_kernels()) trace(&p);
    sp__ranges(call->n, GRAIN, fill_range, &p);
    return SP_OK;
}

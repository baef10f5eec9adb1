/* Rows: chooses the kernel and cuts the work by its shape. */
#include "backends/cpu/cpu.h"

typedef struct rows_plan {
    const sp__rows *call;
    sp__rows_run *run;
} rows_plan;

static void rows_range(const void *context, int64_t first, int64_t last)
{
    const rows_plan *p = context;
    p->run(p->call, first, last);
}

sp_status sp__cpu_rows(const sp__rows *call)
{
    static const char *const names[SP__ROW_COUNT] = {
        "softmax", "log_softmax", "softmax's backward", "log_softmax's backward", "cumsum", "cumsum's backward"};
    const sp_dtype dtype = call->in.dtype;
    const rows_plan p = {call, SP__KIND(dtype, rows, call->kind)};
    if (!p.run) return sp__no_kernel(names[call->kind], dtype);
    if (sp__traces_kernels()) {
        const int64_t sizes[] = {call->outer, call->n, call->inner};
        const bool fast = p.run != SP__KIND_AT(&sp__reference, dtype, rows, call->kind);
        sp__trace_kernel(names[call->kind], dtype, sp__loop_name(fast), "%s along 1", sp__trace_sizes(3, sizes));
    }
    if (call->n == 0) return SP_OK;
    const int64_t grain = SP__GRAIN / 4 / call->n, least = call->inner > 1 ? 64 : 1; /* columns are taken by vectors */
    sp__ranges(call->outer * call->inner, grain > least ? grain : least, rows_range, &p);
    return SP_OK;
}

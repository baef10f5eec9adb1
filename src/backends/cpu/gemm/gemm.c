/* Products: finds the kernel. */
#include "backends/cpu/cpu.h"

static void trace(const sp__gemm *call, sp__gemm_run *run)
{
    const int64_t a[] = {call->batches, call->m, call->k}, b[] = {call->batches, call->k, call->n};
    sp__trace_kernel("gemm", call->dtype, sp__loop_name(run != SP__ROW_AT(&sp__reference, call->dtype, gemm)),
                     "a %s b %s%s%s", sp__trace_sizes(3, a), sp__trace_sizes(3, b), call->bias ? " bias" : "",
                     call->relu ? " relu" : "");
}

sp_status sp__cpu_gemm(const sp__gemm *call)
{
    sp__gemm_run *run = SP__ROW(call->dtype, gemm), *reference = SP__ROW_AT(&sp__reference, call->dtype, gemm);
    if (!run) return sp__no_kernel("matmul", call->dtype);
    if (call->batches == 0 || call->m == 0 || call->n == 0) return SP_OK;
    if (call->k == 0) run = reference;
    if (sp__traces_kernels()) trace(call, run);
    if (call->k > 0) return run(call);
    /* Sums of nothing: a and b have no memory, in which no place may be counted. */
    sp__gemm nothing = *call;
    nothing.a = nothing.b = (sp__matrix){0};
    return run(&nothing);
}

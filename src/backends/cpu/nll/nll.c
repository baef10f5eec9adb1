/* The negative log likelihood: finds the kernel. */
#include "backends/cpu/cpu.h"

sp_status sp__cpu_nll(const sp__nll *call)
{
    const sp_dtype dtype = call->x.dtype;
    sp__nll_run *run = SP__ROW(dtype, nll);
    if (!run) return sp__no_kernel("the negative log likelihood", dtype);
    if (sp__traces_kernels()) {
        const int64_t x[] = {call->batch, call->classes, call->inner};
        sp__trace_kernel(call->backward ? "nll backward" : "nll", dtype,
                         sp__loop_name(run != SP__ROW_AT(&sp__reference, dtype, nll)), "x %s", sp__trace_sizes(3, x));
    }
    return run(call);
}

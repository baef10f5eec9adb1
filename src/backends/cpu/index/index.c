/* By index: finds the kernel. */
#include "backends/cpu/cpu.h"

sp_status sp__cpu_index(const sp__index *call)
{
    static const char *const names[SP__INDEX_COUNT] = {[SP__GATHER] = "gather", [SP__SCATTER_ADD] = "scatter_add"};
    const sp_dtype dtype = call->out.dtype;
    sp__index_run *run = SP__KIND(dtype, index, call->kind);
    if (!run) return sp__no_kernel(names[call->kind], dtype);
    for (int d = 0; d < call->ndim; d++)
        if (call->sizes[d] == 0) return SP_OK;
    if (sp__traces_kernels())
        sp__trace_kernel(names[call->kind], dtype,
                         sp__loop_name(run != SP__KIND_AT(&sp__reference, dtype, index, call->kind)),
                         "%s along dimension %d of %lld", sp__trace_sizes(call->ndim, call->sizes), call->dim,
                         (long long)call->extent);
    return run(call);
}

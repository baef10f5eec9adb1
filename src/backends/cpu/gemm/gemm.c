/* Products: chooses the kernel. */
#include "backends/cpu/cpu.h"

sp_status sp__cpu_gemm(const sp__gemm *call)
{
    sp__gemm_run *fast = sp__cpu_level()->of[call->dtype].gemm, *reference = sp__reference.of[call->dtype].gemm;
    if (!reference) return sp__no_kernel("matmul", call->dtype);
    if (call->batches == 0 || call->m == 0 || call->n == 0) return SP_OK;
    if (call->k > 0) return (fast ? fast : reference)(call);
    /* Sums of nothing: a and b have no memory, in which no place may be counted. */
    sp__gemm nothing = *call;
    nothing.a = nothing.b = (sp__matrix){0};
    return reference(&nothing);
}

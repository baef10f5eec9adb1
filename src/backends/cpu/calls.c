/* Rows, products and optimiser steps: chooses the kernel and cuts the work by its shape. */
#include "backends/cpu/cpu.h"

/* ---- rows ---- */

typedef struct rows_plan {
    const sp__rows *call;
    sp__rows_run *run;
    int64_t rows, grain;
} rows_plan;

static void rows_task(void *context, int64_t task)
{
    const rows_plan *p = context;
    const int64_t first = task * p->grain, last = first + p->grain;
    p->run(p->call, first, last < p->rows ? last : p->rows);
}

sp_status sp__cpu_rows(const sp__rows *call)
{
    static const char *const names[SP__ROW_COUNT] = {
        "softmax", "log_softmax", "softmax's backward", "log_softmax's backward", "cumsum", "cumsum's backward"};
    const sp_dtype dtype = call->in.dtype;
    sp__rows_run *const *fast = sp__cpu_level()->of[dtype].rows, *const *reference = sp__reference.of[dtype].rows;
    rows_plan p = {.call = call, .rows = call->outer * call->inner};
    p.run = fast && fast[call->kind] ? fast[call->kind] : reference ? reference[call->kind] : NULL;
    if (!p.run) return sp__no_kernel(names[call->kind], dtype);
    if (p.rows == 0 || call->n == 0) return SP_OK;
    p.grain = SP__GRAIN / 4 / call->n;
    if (p.grain < 1) p.grain = 1;
    sp__tasks((p.rows + p.grain - 1) / p.grain, rows_task, &p);
    return SP_OK;
}

/* ---- products ---- */

sp_status sp__cpu_gemm(const sp__gemm *call)
{
    sp__gemm_run *fast = sp__cpu_level()->of[call->dtype].gemm, *reference = sp__reference.of[call->dtype].gemm;
    if (!reference) return sp__no_kernel("matmul", call->dtype);
    if (call->batches == 0 || call->m == 0 || call->n == 0) return SP_OK;
    return (fast ? fast : reference)(call);
}

/* ---- optimisers ---- */

typedef struct fused_plan {
    const sp__fused *call;
    sp__fused_run *run;
} fused_plan;

static void fused_task(void *context, int64_t task)
{
    const fused_plan *p = context;
    const int64_t first = task * SP__GRAIN, last = first + SP__GRAIN;
    p->run(p->call, first, last < p->call->n ? last : p->call->n);
}

sp_status sp__cpu_fused(const sp__fused *call)
{
    fused_plan p = {call, sp__cpu_level()->of[call->dtype].fused};
    if (!p.run) p.run = sp__reference.of[call->dtype].fused;
    if (!p.run) return sp__no_kernel("an optimiser's step", call->dtype);
    sp__flushed_tasks((call->n + SP__GRAIN - 1) / SP__GRAIN, fused_task, &p);
    return SP_OK;
}

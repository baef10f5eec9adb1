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

/* Elements to a task, and calls whose first tasks need no memory. */
enum { FUSED_GRAIN = 8192, FEW_CALLS = 64 };

typedef struct fused_plan {
    const sp__fused *calls;
    const int64_t *first; /* of each call's tasks, and the end of the last one's */
    int64_t n;
    sp__fused_run *run;
} fused_plan;

static void fused_task(void *context, int64_t task)
{
    const fused_plan *p = context;
    int64_t low = 0, high = p->n;
    while (high - low > 1) {
        const int64_t middle = low + (high - low) / 2;
        *(p->first[middle] <= task ? &low : &high) = middle;
    }
    const sp__fused *call = &p->calls[low];
    const int64_t first = (task - p->first[low]) * FUSED_GRAIN, last = first + FUSED_GRAIN;
    p->run(call, first, last < call->n ? last : call->n);
}

/* All of it on one thread: it is too small to be shared out. */
static void fused_alone(void *context, int64_t unused)
{
    const fused_plan *p = context;
    (void)unused;
    for (int64_t i = 0; i < p->n; i++) p->run(&p->calls[i], 0, p->calls[i].n);
}

sp_status sp__cpu_fused(const sp__fused *calls, int64_t n)
{
    if (n < 1) return SP_OK;
    fused_plan p = {.calls = calls, .n = n, .run = sp__cpu_level()->of[calls->dtype].fused};
    if (!p.run) p.run = sp__reference.of[calls->dtype].fused;
    if (!p.run) return sp__no_kernel("an optimiser's step", calls->dtype);
    int64_t few[FEW_CALLS + 1], total = 0;
    const size_t bytes = (size_t)(n + 1) * sizeof *few;
    int64_t *first = n <= FEW_CALLS ? few : sp__scratch(bytes);
    if (!first) return SP_ERROR_MEMORY;
    first[0] = 0;
    for (int64_t i = 0; i < n; i++) {
        total += calls[i].n;
        first[i + 1] = first[i] + (calls[i].n + FUSED_GRAIN - 1) / FUSED_GRAIN;
    }
    p.first = first;
    if (total < SP__GRAIN)
        sp__flushed_tasks(1, fused_alone, &p);
    else
        sp__flushed_tasks(first[n], fused_task, &p);
    if (first != few) sp_free(first, bytes);
    return SP_OK;
}

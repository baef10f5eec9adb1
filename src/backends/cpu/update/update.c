/* Rows, products and optimiser steps: chooses the kernel and cuts the work by its shape. */
#include "backends/cpu/cpu.h"

/* ---- rows ---- */

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
    sp__rows_run *const *fast = sp__cpu_level()->of[dtype].rows, *const *reference = sp__reference.of[dtype].rows;
    rows_plan p = {.call = call};
    p.run = fast && fast[call->kind] ? fast[call->kind] : reference ? reference[call->kind] : NULL;
    if (!p.run) return sp__no_kernel(names[call->kind], dtype);
    if (call->n == 0) return SP_OK;
    const int64_t grain = SP__GRAIN / 4 / call->n, least = call->inner > 1 ? 64 : 1; /* columns are taken by vectors */
    sp__ranges(call->outer * call->inner, grain > least ? grain : least, rows_range, &p);
    return SP_OK;
}

/* ---- products ---- */

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

/* ---- optimisers ---- */

/* Every parameter is cut into as many parts, of whole lines of the cache, and a task is one part of one parameter. The
 * tasks of a part come after each other, so that a thread always has the same share of each parameter, its gradient
 * and its states: that which it computes of the gradient (a product's tasks come by rows), and not that of another. */
enum { FUSED_LINE = 64, FUSED_PARTS_PER_THREAD = 8 };

typedef struct fused_plan {
    const sp__fused *calls;
    int64_t n, parts;
    sp__fused_run *run;
} fused_plan;

static void fused_task(void *context, int64_t task)
{
    const fused_plan *p = context;
    const sp__fused *call = &p->calls[task % p->n];
    const int64_t part = task / p->n, lines = (call->n + FUSED_LINE - 1) / FUSED_LINE;
    const int64_t first = lines * part / p->parts * FUSED_LINE, last = lines * (part + 1) / p->parts * FUSED_LINE;
    if (first < last) p->run(call, first, last < call->n ? last : call->n);
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
    int64_t total = 0;
    for (int64_t i = 0; i < n; i++) total += calls[i].n;
    p.parts = (int64_t)sp_num_threads() * FUSED_PARTS_PER_THREAD;
    if (total < SP__GRAIN)
        sp__flushed_tasks(1, fused_alone, &p);
    else
        sp__flushed_tasks(p.parts * n, fused_task, &p);
    return SP_OK;
}

/* Pooling, resampling and normalisation: chooses the kernel and cuts the work by its shape. */
#include "backends/cpu/cpu.h"
#include "backends/cpu/reference/reference.h"

/* About SP__GRAIN elements to a task. */
static int64_t grain_of(int64_t elements)
{
    const int64_t grain = elements > 0 ? SP__GRAIN / elements : 1;
    return grain > 0 ? grain : 1;
}

/* ---- pooling ---- */

typedef struct pool_plan {
    const sp__pool *call;
    sp__pool_run *run;
    int64_t planes, grain;
} pool_plan;

static void pool_task(void *context, int64_t task)
{
    const pool_plan *p = context;
    const int64_t first = task * p->grain, last = first + p->grain;
    p->run(p->call, first, last < p->planes ? last : p->planes);
}

static sp__pool_run *pool_run(const sp__pool *call)
{
    if (call->kind == SP__POOL_MAX_INDICES) return sp__pool_indices;
    switch (call->x.dtype) {
    case SP_F32: return sp__pool_f32[call->kind];
    case SP_F64: return sp__pool_f64[call->kind];
    case SP_BF16: return sp__pool_bf16[call->kind];
    default: return NULL;
    }
}

sp_status sp__cpu_pool(const sp__pool *call)
{
    pool_plan p = {.call = call, .run = pool_run(call), .planes = call->batch * call->channels};
    if (!p.run) return sp__no_kernel("pooling", call->x.dtype);
    p.grain = grain_of(call->size[0] * call->size[1]);
    sp__tasks((p.planes + p.grain - 1) / p.grain, pool_task, &p);
    return SP_OK;
}

/* ---- resampling ---- */

typedef struct resample_plan {
    const sp__resample *call;
    sp__resample_run *run;
    int64_t planes, grain;
} resample_plan;

static void resample_task(void *context, int64_t task)
{
    const resample_plan *p = context;
    const int64_t first = task * p->grain, last = first + p->grain;
    p->run(p->call, first, last < p->planes ? last : p->planes);
}

sp_status sp__cpu_resample(const sp__resample *call)
{
    resample_plan p = {.call = call, .planes = call->batch * call->channels};
    p.run = call->x.dtype == SP_F32    ? sp__resample_f32
            : call->x.dtype == SP_F64  ? sp__resample_f64
            : call->x.dtype == SP_BF16 ? sp__resample_bf16
                                       : NULL;
    if (!p.run) return sp__no_kernel("resampling", call->x.dtype);
    p.grain = grain_of(call->size[0] * call->size[1] + call->out_size[0] * call->out_size[1]);
    sp__tasks((p.planes + p.grain - 1) / p.grain, resample_task, &p);
    return SP_OK;
}

/* ---- normalisation ---- */

typedef struct norm_plan {
    const sp__norm *call;
    sp__norm_run *run;
    int64_t n, grain;
} norm_plan;

static void norm_task(void *context, int64_t task)
{
    const norm_plan *p = context;
    const int64_t first = task * p->grain, last = first + p->grain;
    p->run(p->call, first, last < p->n ? last : p->n);
}

static void run_norm(const sp__norm *call, sp__norm_run *run, int64_t n, int64_t elements)
{
    norm_plan p = {call, run, n, grain_of(elements)};
    sp__tasks((n + p.grain - 1) / p.grain, norm_task, &p);
}

sp_status sp__cpu_norm(const sp__norm *call)
{
    sp__norm_run *const *runs = call->x.dtype == SP_F32    ? sp__norm_f32
                                : call->x.dtype == SP_F64  ? sp__norm_f64
                                : call->x.dtype == SP_BF16 ? sp__norm_bf16
                                                           : NULL;
    if (!runs) return sp__no_kernel("normalisation", call->x.dtype);
    const int64_t groups = call->sizes[1], elements = call->sizes[0] * call->sizes[2] * call->sizes[3];
    run_norm(call, runs[call->backward ? SP__NORM_BACKWARD : SP__NORM_FORWARD], groups, elements);
    if (call->backward && call->last && (call->dweight || call->dbias))
        run_norm(call, runs[SP__NORM_COLUMNS], call->sizes[3], groups);
    return SP_OK;
}

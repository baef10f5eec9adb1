/* Pooling: chooses the kernel and cuts the work by its shape. */
#include "backends/cpu/cpu.h"
#include "backends/cpu/reference.h"

typedef struct pool_plan {
    const sp__pool *call;
    sp__pool_run *run;
} pool_plan;

static void pool_range(const void *context, int64_t first, int64_t last)
{
    const pool_plan *p = context;
    p->run(p->call, first, last);
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

static bool innermost(const sp__operand *x, int64_t channels)
{
    return x->strides[1] == 1 || channels == 1;
}

/* The fast kernel where it can do the call; then the planes are rows of results. */
static sp__pool_run *fast_pool_run(const sp__pool *call)
{
    sp__pool_run *const *fast = sp__cpu_level()->of[call->x.dtype].pool;
    if (!fast || !fast[call->kind] || call->channels < 4) return NULL;
    const bool lies_right = innermost(&call->x, call->channels) && innermost(&call->y, call->channels) &&
                            innermost(&call->where, call->channels) && call->where.dtype == SP_U8;
    bool apart = true;
    for (int d = 0; d < 2; d++)
        apart = apart && call->stride[d] == call->kernel[d] && call->padding[d] == 0 && call->dilation[d] == 1 &&
                call->out_size[d] * call->stride[d] <= call->size[d];
    return lies_right && (apart || call->kind == SP__POOL_MAX) ? fast[call->kind] : NULL;
}

sp_status sp__cpu_pool(const sp__pool *call)
{
    pool_plan p = {.call = call, .run = fast_pool_run(call)};
    if (p.run) {
        const int64_t elements = call->channels * call->size[1] * call->stride[0];
        sp__ranges(call->batch * call->out_size[0], sp__grain_of(elements), pool_range, &p);
        return SP_OK;
    }
    p.run = pool_run(call);
    if (!p.run) return sp__no_kernel("pooling", call->x.dtype);
    sp__ranges(call->batch * call->channels, sp__grain_of(call->size[0] * call->size[1]), pool_range, &p);
    return SP_OK;
}

/* Resampling: chooses the kernel and cuts the work by its shape. */
#include "backends/cpu/cpu.h"
#include "backends/cpu/reference.h"

typedef struct resample_plan {
    const sp__resample *call;
    sp__resample_run *run;
} resample_plan;

static void resample_range(const void *context, int64_t first, int64_t last)
{
    const resample_plan *p = context;
    p->run(p->call, first, last);
}

sp_status sp__cpu_resample(const sp__resample *call)
{
    resample_plan p = {.call = call};
    p.run = call->x.dtype == SP_F32    ? sp__resample_f32
            : call->x.dtype == SP_F64  ? sp__resample_f64
            : call->x.dtype == SP_BF16 ? sp__resample_bf16
                                       : NULL;
    if (!p.run) return sp__no_kernel("resampling", call->x.dtype);
    const int64_t elements = call->size[0] * call->size[1] + call->out_size[0] * call->out_size[1];
    sp__ranges(call->batch * call->channels, sp__grain_of(elements), resample_range, &p);
    return SP_OK;
}

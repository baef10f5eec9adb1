/* Resampling: finds the kernel and cuts the work by its shape. */
#include "backends/cpu/cpu.h"

typedef struct resample_plan {
    const sp__resample *call;
    sp__resample_run *run;
} resample_plan;

static void resample_range(const void *context, int64_t first, int64_t last)
{
    const resample_plan *p = context;
    p->run(p->call, first, last);
}

/* The fast loops take channels that lie side by side. */
static bool suits_vectors(const sp__resample *call)
{
    return call->channels >= 4 && call->x.strides[1] == 1 && call->y.strides[1] == 1;
}

static void trace(const resample_plan *p, bool fast)
{
    const sp__resample *call = p->call;
    const int64_t x[] = {call->batch, call->channels, call->size[0], call->size[1]};
    sp__trace_kernel(call->backward ? "resample backward" : "resample", call->x.dtype, sp__loop_name(fast), "x %s y %s",
                     sp__trace_sizes(4, x), sp__trace_sizes(2, call->out_size));
}

sp_status sp__cpu_resample(const sp__resample *call)
{
    sp__resample_run *reference = SP__ROW_AT(&sp__reference, call->x.dtype, resample);
    const resample_plan p = {call, suits_vectors(call) ? SP__ROW(call->x.dtype, resample) : reference};
    const bool fast = p.run != reference;
    if (!p.run) return sp__no_kernel("resampling", call->x.dtype);
    if (sp__traces_kernels()) trace(&p, fast);
    const int64_t elements = call->size[0] * call->size[1] + call->out_size[0] * call->out_size[1];
    const int64_t rows = call->backward ? call->size[0] : call->out_size[0];
    if (fast)
        sp__ranges(call->batch * rows, sp__grain_of(elements / rows * call->channels), resample_range, &p);
    else
        sp__ranges(call->batch * call->channels, sp__grain_of(elements), resample_range, &p);
    return SP_OK;
}

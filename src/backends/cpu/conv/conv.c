/* Convolution: the backend's row. */
#include "backends/cpu/conv/conv.h"
#include <math.h>
#include <spusk/machine.h>

/* ---- how sparse gradients were ---- */

static _Atomic(int64_t) sparse_found, sparse_places;

void sp__conv_saw(int64_t found, int64_t places)
{
    atomic_fetch_add_explicit(&sparse_found, found, memory_order_relaxed);
    atomic_fetch_add_explicit(&sparse_places, places, memory_order_relaxed);
}

double sp_sparse_density(void)
{
    const int64_t places = atomic_exchange(&sparse_places, 0), found = atomic_exchange(&sparse_found, 0);
    return places ? (double)found / (double)places : (double)NAN;
}

/* ---- a call ---- */

static void trace(const sp__conv *call, const char *loop)
{
    static const char *const operations[] = {"conv forward", "conv backward-data", "conv backward-weight"};
    const int64_t x[] = {call->batch, call->in, call->size[0], call->size[1]};
    const int64_t w[] = {call->out, call->in / call->groups, call->kernel[0], call->kernel[1]};
    const int64_t y[] = {call->batch, call->out, call->out_size[0], call->out_size[1]};
    sp__trace_kernel(operations[call->kind], call->dtype, loop,
                     "x %s w %s y %s stride %s padding %s dilation %s groups %lld%s%s%s", sp__trace_sizes(4, x),
                     sp__trace_sizes(4, w), sp__trace_sizes(4, y), sp__trace_sizes(2, call->stride),
                     sp__trace_sizes(2, call->padding), sp__trace_sizes(2, call->dilation), (long long)call->groups,
                     call->tail && call->tail->relu ? " relu" : "", call->tail ? " pool " : "",
                     call->tail ? sp__trace_sizes(2, call->tail->pool) : "");
}

static sp_status run(const sp__conv *call, bool may_pad)
{
    const sp__conv_choice *choice = sp__conv_choose(call);
    sp__conv_run *loop = sp__conv_function(choice, call);
    if (!loop) return sp__no_kernel("a convolution", call->dtype);
    if (sp__traces_kernels()) trace(call, choice->name);
    return choice->loop == SP__CONV_REFERENCE ? loop(call) : sp__conv_arranged(call, choice, may_pad, loop);
}

/* What both read is arranged already; x without padding would serve one of them alone. */
sp_status sp__conv_two_passes(const sp__conv *call)
{
    sp__conv data = *call, weight = *call;
    data.kind = SP__CONV_BACKWARD_DATA;
    data.x = call->data->x, data.w = call->data->w;
    data.bias = NULL;
    data.data = weight.data = NULL;
    const sp_status status = run(&data, false);
    return status ? status : run(&weight, false);
}

sp_status sp__cpu_conv(const sp__conv *call)
{
    if (!sp__cpu_conv_takes(call)) return sp_raise(SP_ERROR_ARGUMENT, "a convolution has no such tail on the CPU");
    return run(call, true);
}

/* Convolution: which taps reach which places; the rows of the table. */
#include "backends/cpu/conv/conv.h"
#include <spusk/machine.h>
#include <math.h>

/* ---- taps and places ---- */

sp__conv_axis sp__conv_forward_axis(const sp__conv *call, int d)
{
    return (sp__conv_axis){.count = call->out_size[d],
                           .step = 1,
                           .advance = call->stride[d],
                           .delta = -call->padding[d],
                           .dilation = call->dilation[d],
                           .extent = call->size[d],
                           .taps = call->kernel[d],
                           .tap_step = 1};
}

/* Place i of x meets tap t at place (i + padding - t·dilation)/stride of y, where that is whole. */
sp__conv_axis sp__conv_backward_axis(const sp__conv *call, int d, int64_t r)
{
    const int64_t stride = call->stride[d], dilation = call->dilation[d], from = r + call->padding[d];
    sp__conv_axis axis = {.count = call->size[d] > r ? (call->size[d] - r + stride - 1) / stride : 0,
                          .first = r,
                          .step = stride,
                          .advance = 1,
                          .dilation = 1,
                          .extent = call->out_size[d],
                          .tap_step = -1};
    int64_t last = -1, before = -1;
    for (int64_t t = 0; t < call->kernel[d]; t++) {
        if ((from - t * dilation) % stride) continue;
        axis.taps++;
        before = last;
        last = t;
    }
    axis.tap = last;
    if (axis.taps) axis.delta = (from - last * dilation) / stride;
    if (axis.taps > 1) {
        axis.tap_step = before - last;
        axis.dilation = (last - before) * dilation / stride;
    }
    return axis;
}

int64_t sp__conv_backward_axes(const sp__conv *call, int d, sp__conv_axis *axes)
{
    const int64_t stride = call->stride[d], taps = call->kernel[d], dilation = call->dilation[d];
    int64_t n = 0;
    for (int64_t i = 0; i < (taps < stride ? taps : stride); i++) {
        const int64_t place = taps < stride ? i * dilation - call->padding[d] : i, rest = place % stride;
        const sp__conv_axis axis = sp__conv_backward_axis(call, d, rest < 0 ? rest + stride : rest);
        const bool again = taps < stride && axis.tap != i; /* taps of one remainder: counted at the last */
        if (again || axis.count == 0 || axis.taps == 0) continue;
        if (axes) axes[n] = axis;
        n++;
    }
    return n;
}

static int64_t clamped(int64_t x, int64_t low, int64_t high)
{
    return x < low ? low : x > high ? high : x;
}

/* ⌈a / b⌉ for b > 0. */
static int64_t ceiling(int64_t a, int64_t b)
{
    return a > 0 ? (a + b - 1) / b : -(-a / b);
}

void sp__conv_inside(const sp__conv_axis *axis, int64_t q, int64_t *from, int64_t *to)
{
    const int64_t start = q * axis->advance + axis->delta;
    *from = clamped(ceiling(-start, axis->dilation), 0, axis->taps);
    *to = clamped(ceiling(axis->extent - start, axis->dilation), *from, axis->taps);
}

void sp__conv_reach(const sp__conv *call, int d, int64_t tap, int64_t *from, int64_t *to)
{
    const int64_t start = tap * call->dilation[d] - call->padding[d];
    *from = clamped(ceiling(-start, call->stride[d]), 0, call->out_size[d]);
    *to = clamped(ceiling(call->size[d] - start, call->stride[d]), *from, call->out_size[d]);
}

int64_t sp__conv_span(const sp__conv *call, int d)
{
    return (call->out_size[d] - 1) * call->stride[d] + (call->kernel[d] - 1) * call->dilation[d] + 1;
}

bool sp__conv_is_padded(const sp__conv *call)
{
    for (int d = 0; d < 2; d++) {
        if (call->padding[d] > 0 || sp__conv_span(call, d) - call->padding[d] > call->size[d]) return true;
    }
    return false;
}

/* ---- minimal filtering ---- */

/* It pays where the transforms, which grow with k and n, are little beside the products, which grow with k·n, and where
 * all weights, transformed, stay in the second-level cache. */
bool sp__conv_is_winograd(const sp__conv *call)
{
    enum { LEAST = 16, MOST = 128, WEIGHTS = 1 << 13, PLACES = 36 };
    const bool forward = call->kind == SP__CONV_FORWARD;
    const int64_t *result = forward ? call->out_size : call->size;
    const int64_t k = forward ? call->in : call->out, n = forward ? call->out : call->in;
    for (int d = 0; d < 2; d++)
        if (call->kernel[d] != 3 || call->stride[d] != 1 || call->dilation[d] != 1) return false;
    if (call->kind == SP__CONV_BACKWARD_WEIGHT || call->groups > 1) return false;
    return k >= LEAST && n >= LEAST && k <= MOST && k * n <= WEIGHTS && result[0] * result[1] >= PLACES;
}

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

/* ---- the backend's rows ---- */

bool sp__cpu_conv_takes(const sp__conv *call)
{
    if (!call->tail) return true;
    const bool fast = sp__cpu_level() != &sp__reference && sp__cpu_level()->of[call->dtype].conv;
    const int64_t *pool = call->tail->pool, places = pool[0] * pool[1];
    const bool tiles = pool[0] == pool[1] && pool[0] <= 2; /* the maxima that minimal filtering can take */
    return fast && places <= 16 && (tiles || call->kind != SP__CONV_FORWARD || !sp__conv_is_winograd(call));
}

sp_status sp__cpu_conv(const sp__conv *call)
{
    sp__conv_run *fast = sp__cpu_level()->of[call->dtype].conv, *reference = sp__reference.of[call->dtype].conv;
    if (!reference) return sp__no_kernel("a convolution", call->dtype);
    if (!sp__cpu_conv_takes(call)) return sp_raise(SP_ERROR_ARGUMENT, "a convolution has no such tail on the CPU");
    return (fast ? fast : reference)(call);
}

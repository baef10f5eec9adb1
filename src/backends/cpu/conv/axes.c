/* Convolution: which taps reach which places, along one dimension. */
#include "backends/cpu/conv/conv.h"

/* ---- sweeps ---- */

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

/* ---- borders ---- */

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

bool sp__conv_may_copy(const sp__conv *call, int64_t rows, int64_t columns)
{
    const double places = (double)call->size[0] * (double)call->size[1];
    const double out_places = (double)call->out_size[0] * (double)call->out_size[1];
    return (double)rows * (double)columns <= 64 * (places + out_places);
}

bool sp__conv_is_padded(const sp__conv *call)
{
    for (int d = 0; d < 2; d++) {
        if (call->padding[d] > 0 || sp__conv_span(call, d) - call->padding[d] > call->size[d]) return true;
    }
    return false;
}

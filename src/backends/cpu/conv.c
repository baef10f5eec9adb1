/* Convolution: what comes before the kernels. Arranges operands, and says which taps reach which places. */
#include "backends/cpu/conv.h"
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

/* The places that the taps span, from the first to behind the last. */
static int64_t span(const sp__conv *call, int d)
{
    return (call->out_size[d] - 1) * call->stride[d] + (call->kernel[d] - 1) * call->dilation[d] + 1;
}

bool sp__conv_is_padded(const sp__conv *call)
{
    for (int d = 0; d < 2; d++) {
        if (call->padding[d] > 0 || span(call, d) - call->padding[d] > call->size[d]) return true;
    }
    return false;
}

/* ---- operands ---- */

/* A copy of an image operand, or room for one. */
typedef struct copy {
    void *memory;
    size_t bytes;
} copy;

/* An operand in new memory, its second dimension innermost. */
static sp_status arrange(sp__operand *out, copy *c, sp_dtype dtype, const int64_t *sizes)
{
    c->bytes = (size_t)(sizes[0] * sizes[1] * sizes[2] * sizes[3] * sp__size_of(dtype));
    c->memory = sp__scratch(c->bytes);
    *out = (sp__operand){c->memory, 0, dtype, {sizes[1] * sizes[2] * sizes[3], 1, sizes[3] * sizes[1], sizes[1]}};
    return c->memory ? SP_OK : SP_ERROR_MEMORY;
}

static sp_status copy_elements(const sp__operand *to, const sp__operand *from, const int64_t *sizes)
{
    sp__map call = {.kind = SP__COPY, .ndim = 4, .n_operands = 2, .operands = {*to, *from}};
    memcpy(call.sizes, sizes, 4 * sizeof *sizes);
    return sp__cpu_map(&call);
}

static bool suits(const sp__operand *operand, sp_dtype dtype, int64_t channels)
{
    return operand->dtype == dtype && (operand->strides[1] == 1 || channels == 1);
}

/* x with zeros around it, so that no tap reads outside. */
static sp_status pad(sp__conv *call, copy *c, sp_dtype dtype)
{
    const int64_t sizes[4] = {call->batch, call->in, call->size[0], call->size[1]};
    int64_t padded[4] = {call->batch, call->in};
    for (int d = 0; d < 2; d++) {
        const int64_t end = call->padding[d] + call->size[d], reach = span(call, d);
        padded[2 + d] = reach > end ? reach : end;
    }
    const sp__operand from = call->x;
    if (arrange(&call->x, c, dtype, padded)) return SP_ERROR_MEMORY;
    memset(c->memory, 0, c->bytes);
    sp__operand inner = call->x;
    for (int d = 0; d < 2; d++) {
        inner.offset += call->padding[d] * inner.strides[2 + d];
        call->padding[d] = 0;
        call->size[d] = padded[2 + d];
    }
    return copy_elements(&inner, &from, sizes);
}

enum { FEW_CHANNELS = 8 };

/* What a kernel works on: a call's own operands, or copies of them. */
typedef struct arranged {
    sp__conv call;
    copy x, y, w, bias;
    sp__operand bias_operand;
    int64_t x_sizes[4], y_sizes[4], w_sizes[4], bias_sizes[4];
} arranged;

static sp_status arrange_x(arranged *a, const sp__conv *call, sp_dtype dtype)
{
    if (call->kind == SP__CONV_BACKWARD_WEIGHT && call->in / call->groups < FEW_CHANNELS && sp__conv_is_padded(call))
        return pad(&a->call, &a->x, dtype);
    if (suits(&call->x, dtype, call->in)) return SP_OK;
    if (arrange(&a->call.x, &a->x, dtype, a->x_sizes)) return SP_ERROR_MEMORY;
    return call->kind == SP__CONV_BACKWARD_DATA ? SP_OK : copy_elements(&a->call.x, &call->x, a->x_sizes);
}

static sp_status arrange_y(arranged *a, const sp__conv *call, sp_dtype dtype)
{
    if (call->tail || suits(&call->y, dtype, call->out)) return SP_OK;
    if (arrange(&a->call.y, &a->y, dtype, a->y_sizes)) return SP_ERROR_MEMORY;
    return call->kind == SP__CONV_FORWARD ? SP_OK : copy_elements(&a->call.y, &call->y, a->y_sizes);
}

static sp_status arrange_weights(arranged *a, const sp__conv *call, sp_dtype dtype)
{
    const bool read = call->kind != SP__CONV_BACKWARD_WEIGHT;
    if (call->w.dtype != dtype) {
        if (arrange(&a->call.w, &a->w, dtype, a->w_sizes)) return SP_ERROR_MEMORY;
        if (read && copy_elements(&a->call.w, &call->w, a->w_sizes)) return SP_ERROR_MEMORY;
    }
    if (!call->bias || call->bias->dtype == dtype) return SP_OK;
    if (arrange(&a->bias_operand, &a->bias, dtype, a->bias_sizes)) return SP_ERROR_MEMORY;
    a->call.bias = &a->bias_operand;
    return read ? copy_elements(&a->bias_operand, call->bias, a->bias_sizes) : SP_OK;
}

/* Results that were written into copies. */
static sp_status bring_back(const arranged *a, const sp__conv *call)
{
    switch (call->kind) {
    case SP__CONV_FORWARD: return a->y.memory ? copy_elements(&call->y, &a->call.y, a->y_sizes) : SP_OK;
    case SP__CONV_BACKWARD_DATA: return a->x.memory ? copy_elements(&call->x, &a->call.x, a->x_sizes) : SP_OK;
    default:
        if (a->bias.memory && copy_elements(call->bias, &a->bias_operand, a->bias_sizes)) return SP_ERROR_MEMORY;
        return a->w.memory ? copy_elements(&call->w, &a->call.w, a->w_sizes) : SP_OK;
    }
}

sp_status sp__conv_arranged(const sp__conv *call, sp_dtype dtype, sp_status (*run)(const sp__conv *call))
{
    const int64_t bias = call->kind == SP__CONV_BACKWARD_DATA ? call->in : call->out;
    arranged a = {.call = *call,
                  .x_sizes = {call->batch, call->in, call->size[0], call->size[1]},
                  .y_sizes = {call->batch, call->out, call->out_size[0], call->out_size[1]},
                  .w_sizes = {call->out, call->in / call->groups, call->kernel[0], call->kernel[1]},
                  .bias_sizes = {bias, 1, 1, 1}};
    a.call.dtype = dtype;
    sp_status status = arrange_x(&a, call, dtype);
    if (!status) status = arrange_y(&a, call, dtype);
    if (!status) status = arrange_weights(&a, call, dtype);
    if (!status) status = run(&a.call);
    if (!status) status = bring_back(&a, call);
    const copy *const copies[] = {&a.x, &a.y, &a.w, &a.bias};
    for (int i = 0; i < 4; i++) sp_free(copies[i]->memory, copies[i]->bytes);
    return status;
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

static bool channels_lie_side_by_side(const sp__operand *operand, int64_t channels)
{
    return operand->strides[1] == 1 || channels == 1;
}

/* A tail that the kernel takes into its own loops. */
static bool tail_suits(const sp__conv *call)
{
    const sp__conv_tail *tail = call->tail;
    const int64_t places = tail->pool[0] * tail->pool[1];
    if (call->dtype == SP_BF16 || places > 16 || !channels_lie_side_by_side(&tail->y, call->out)) return false;
    if (places > 1 && !channels_lie_side_by_side(&tail->where, call->out)) return false;
    return call->kind == SP__CONV_FORWARD || channels_lie_side_by_side(&tail->grad, call->out);
}

bool sp__cpu_conv_takes(const sp__conv *call)
{
    return !call->tail ||
           (sp__cpu_level()->of[call->dtype].conv && sp__cpu_level() != &sp__reference && tail_suits(call));
}

sp_status sp__cpu_conv(const sp__conv *call)
{
    sp__conv_run *fast = sp__cpu_level()->of[call->dtype].conv, *reference = sp__reference.of[call->dtype].conv;
    if (!reference) return sp__no_kernel("a convolution", call->dtype);
    if (!sp__cpu_conv_takes(call)) return sp_raise(SP_ERROR_ARGUMENT, "a convolution has no such tail on the CPU");
    return (fast ? fast : reference)(call);
}

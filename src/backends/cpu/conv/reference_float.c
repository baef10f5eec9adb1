/* Convolutions, element by element of what is written. */
#include "backends/cpu/common/element.h"
#include "backends/cpu/reference.h"

/* f32 is summed in f64: it is what the fast loops are measured against. */
#if defined(SP_ELEMENT_BF16)
typedef float wide;
#else
typedef double wide;
#endif

/* Place p of y and tap t of the kernel meet this place of x in dimension d; -1 outside. */
static int64_t place_of_x(const sp__conv *call, int d, int64_t p, int64_t t)
{
    const int64_t place = p * call->stride[d] - call->padding[d] + t * call->dilation[d];
    return place >= 0 && place < call->size[d] ? place : -1;
}

/* Place i of x and tap t meet this place of y; -1: none. */
static int64_t place_of_y(const sp__conv *call, int d, int64_t i, int64_t t)
{
    const int64_t moved = i + call->padding[d] - t * call->dilation[d];
    if (moved < 0 || moved % call->stride[d]) return -1;
    const int64_t place = moved / call->stride[d];
    return place < call->out_size[d] ? place : -1;
}

static int64_t offset_of(const sp__operand *x, int64_t a, int64_t b, int64_t c, int64_t d)
{
    return x->offset + a * x->strides[0] + b * x->strides[1] + c * x->strides[2] + d * x->strides[3];
}

static const element *at(const sp__operand *x, int64_t a, int64_t b, int64_t c, int64_t d)
{
    return (const element *)x->buffer + offset_of(x, a, b, c, d);
}

static void set(const sp__operand *x, int64_t a, int64_t b, int64_t c, int64_t d, wide value)
{
    store((element *)x->buffer + offset_of(x, a, b, c, d), (number)value);
}

/* Σ a[k·a_step]·b[k·b_step] over n channels. */
static wide dot(const element *a, int64_t a_step, const element *b, int64_t b_step, int64_t n)
{
    wide sum = 0;
    for (int64_t k = 0; k < n; k++) sum += (wide)load(a + k * a_step) * (wide)load(b + k * b_step);
    return sum;
}

static wide bias(const sp__conv *call, int64_t channel)
{
    const sp__operand *bias = call->bias;
    return bias ? load((const element *)bias->buffer + bias->offset + channel * bias->strides[0]) : 0;
}

/* y[n,o,p,q] */
static wide forward_one(const sp__conv *call, int64_t n, int64_t o, int64_t p, int64_t q)
{
    const int64_t inputs = call->in / call->groups, first = o / (call->out / call->groups) * inputs;
    wide sum = bias(call, o);
    for (int64_t s = 0; s < call->kernel[0]; s++)
        for (int64_t t = 0; t < call->kernel[1]; t++) {
            const int64_t h = place_of_x(call, 0, p, s), w = place_of_x(call, 1, q, t);
            if (h < 0 || w < 0) continue;
            sum += dot(at(&call->x, n, first, h, w), call->x.strides[1], at(&call->w, o, 0, s, t), call->w.strides[1],
                       inputs);
        }
    return sum;
}

/* x[n,i,h,w] */
static wide data_one(const sp__conv *call, int64_t n, int64_t i, int64_t h, int64_t w)
{
    const int64_t inputs = call->in / call->groups, outputs = call->out / call->groups;
    const int64_t first = i / inputs * outputs;
    wide sum = bias(call, i);
    for (int64_t s = 0; s < call->kernel[0]; s++)
        for (int64_t t = 0; t < call->kernel[1]; t++) {
            const int64_t p = place_of_y(call, 0, h, s), q = place_of_y(call, 1, w, t);
            if (p < 0 || q < 0) continue;
            sum += dot(at(&call->y, n, first, p, q), call->y.strides[1], at(&call->w, first, i % inputs, s, t),
                       call->w.strides[0], outputs);
        }
    return sum;
}

/* w[o,i,s,t] */
static wide weight_one(const sp__conv *call, int64_t o, int64_t i, int64_t s, int64_t t)
{
    const int64_t inputs = call->in / call->groups, channel = o / (call->out / call->groups) * inputs + i;
    wide sum = 0;
    for (int64_t n = 0; n < call->batch; n++)
        for (int64_t p = 0; p < call->out_size[0]; p++)
            for (int64_t q = 0; q < call->out_size[1]; q++) {
                const int64_t h = place_of_x(call, 0, p, s), w = place_of_x(call, 1, q, t);
                if (h < 0 || w < 0) continue;
                sum += (wide)load(at(&call->y, n, o, p, q)) * (wide)load(at(&call->x, n, channel, h, w));
            }
    return sum;
}

/* The gradient of bias[o]. */
static void bias_gradient(const sp__conv *call, int64_t o)
{
    wide sum = 0;
    for (int64_t n = 0; n < call->batch; n++)
        for (int64_t p = 0; p < call->out_size[0]; p++)
            for (int64_t q = 0; q < call->out_size[1]; q++) sum += load(at(&call->y, n, o, p, q));
    const sp__operand *bias = call->bias;
    store((element *)bias->buffer + bias->offset + o * bias->strides[0], (number)sum);
}

/* ---- a task is one channel of one image, or of the kernels ---- */

static void forward_task(void *context, int64_t task)
{
    const sp__conv *call = context;
    const int64_t n = task / call->out, o = task % call->out;
    for (int64_t p = 0; p < call->out_size[0]; p++)
        for (int64_t q = 0; q < call->out_size[1]; q++) set(&call->y, n, o, p, q, forward_one(call, n, o, p, q));
}

static void data_task(void *context, int64_t task)
{
    const sp__conv *call = context;
    const int64_t n = task / call->in, i = task % call->in;
    for (int64_t h = 0; h < call->size[0]; h++)
        for (int64_t w = 0; w < call->size[1]; w++) set(&call->x, n, i, h, w, data_one(call, n, i, h, w));
}

static void weight_task(void *context, int64_t o)
{
    const sp__conv *call = context;
    for (int64_t i = 0; i < call->in / call->groups; i++)
        for (int64_t s = 0; s < call->kernel[0]; s++)
            for (int64_t t = 0; t < call->kernel[1]; t++) set(&call->w, o, i, s, t, weight_one(call, o, i, s, t));
    if (call->bias) bias_gradient(call, o);
}

static sp_status run_reference(const sp__conv *call)
{
    void *context = (void *)(uintptr_t)call;
    switch (call->kind) {
    case SP__CONV_FORWARD: sp__flushed_tasks(call->batch * call->out, forward_task, context); break;
    case SP__CONV_BACKWARD_DATA: sp__flushed_tasks(call->batch * call->in, data_task, context); break;
    case SP__CONV_BACKWARD_WEIGHT: sp__flushed_tasks(call->out, weight_task, context); break;
    }
    return SP_OK;
}

sp__conv_run *const SP__OF(sp__conv)[SP__CONV_LOOPS] = {[SP__CONV_REFERENCE] = run_reference};

/* Convolutions that are other calls: products of matrices, or a convolution for each group. */
#include "backends/cpu/conv/conv.h"

/* ---- kernels of one place ---- */

/* The images' places as rows. */
static sp__matrix rows_of(const sp__operand *images)
{
    return (sp__matrix){.buffer = images->buffer, .offset = images->offset, .row = images->strides[3], .column = 1};
}

static sp__matrix transposed(sp__matrix m)
{
    const int64_t row = m.row;
    m.row = m.column, m.column = row;
    return m;
}

/* The sum of y over all places: a row of ones, which lie in one place, times y. */
static sp_status sum_places(const sp__gemm *weight, const sp__operand *bias)
{
    double one = 0;
    sp__store_f64(weight->dtype, &one, 1);
    sp__gemm sum = *weight;
    sum.m = 1;
    sum.a = (sp__matrix){.buffer = &one};
    sum.c = (sp__matrix){.buffer = bias->buffer, .offset = bias->offset, .column = bias->strides[0]};
    return sp__cpu_gemm(&sum);
}

sp_status sp__conv_product(const sp__conv *call)
{
    const sp__operand *y = call->tail ? &call->tail->y : &call->y, *w = &call->w;
    const sp__matrix weights = {w->buffer, w->offset, w->strides[0], w->strides[1], 0};
    const int64_t places = call->batch * call->size[0] * call->size[1];
    sp__gemm g = {.dtype = call->dtype, .batches = 1, .alpha = 1};
    if (call->kind == SP__CONV_BACKWARD_WEIGHT) {
        g.m = call->in, g.n = call->out, g.k = places;
        g.a = transposed(rows_of(&call->x)), g.b = rows_of(y), g.c = transposed(weights);
        const sp_status status = sp__cpu_gemm(&g);
        return status || !call->bias ? status : sum_places(&g, call->bias);
    }
    const bool forward = call->kind == SP__CONV_FORWARD;
    g.m = places, g.bias = call->bias;
    g.k = forward ? call->in : call->out, g.n = forward ? call->out : call->in;
    g.a = rows_of(forward ? &call->x : y), g.c = rows_of(forward ? y : &call->x);
    g.b = forward ? transposed(weights) : weights;
    g.relu = call->tail && call->tail->relu;
    return sp__cpu_gemm(&g);
}

/* ---- groups ---- */

static void move_channels(sp__operand *operand, int64_t channels)
{
    operand->offset += channels * operand->strides[1];
}

sp_status sp__conv_by_group(const sp__conv *call)
{
    const int64_t in = call->in / call->groups, out = call->out / call->groups;
    const int64_t biases = call->kind == SP__CONV_BACKWARD_DATA ? in : out;
    sp_status status = SP_OK;
    for (int64_t g = 0; !status && g < call->groups; g++) {
        sp__conv one = *call;
        sp__conv_tail tail;
        sp__operand bias;
        one.groups = 1, one.in = in, one.out = out;
        move_channels(&one.x, g * in);
        move_channels(&one.y, g * out);
        one.w.offset += g * out * one.w.strides[0];
        if (call->bias) bias = *call->bias, bias.offset += g * biases * bias.strides[0], one.bias = &bias;
        if (call->tail) {
            tail = *call->tail, one.tail = &tail;
            move_channels(&tail.y, g * out);
            move_channels(&tail.where, g * out);
        }
        status = sp__cpu_conv(&one);
    }
    return status;
}

/* Backward-weight of bf16 by pairs: the places of y are summed over, so each element of x stands beside the next place's
 * in a copy. */
#ifndef SPUSK_CONV_PAIRS_H
#define SPUSK_CONV_PAIRS_H

#include "weight.h"

typedef struct paired {
    const sp__conv *call;
    sp__operand x;
    int64_t sizes[2];
} paired;

/* An image of x with zeros around it; each element has, in the upper half, that of the next place of y. */
static void pair_image(void *context, int64_t image)
{
    const paired *p = context;
    const sp__conv *call = p->call;
    const sp__operand *x = &call->x;
    const int64_t stride = call->stride[1], column = x->strides[3];
    float *out = (float *)p->x.buffer + image * p->x.strides[0];
    memset(out, 0, (size_t)p->x.strides[0] * sizeof *out);
    for (int64_t h = 0; h < call->size[0] && h + call->padding[0] < p->sizes[0]; h++) {
        const sp__bf16 *row = (const sp__bf16 *)x->buffer + x->offset + image * x->strides[0] + h * x->strides[2];
        for (int64_t w = -call->padding[1]; w < call->size[1] && w + call->padding[1] < p->sizes[1]; w++) {
            float *to = out + (h + call->padding[0]) * p->x.strides[2] + (w + call->padding[1]) * p->x.strides[3];
            const int64_t next = w + stride;
            for (int64_t c = 0; c < call->in; c += LANES) {
                const int64_t n = call->in - c;
                words low = {0}, high = {0};
                if (w >= 0) low = __builtin_convertvector(load_halves(row + w * column + c, n), words);
                if (next >= 0 && next < call->size[1]) high = (words)from_bf16(load_halves(row + next * column + c, n));
                sp__store_part(to + c, (sp__words)(low | high), n < LANES ? n : LANES);
            }
        }
    }
}

static sp_status run_weight_pairs(const sp__conv *call)
{
    paired p = {.call = call};
    for (int d = 0; d < 2; d++) {
        const int64_t end = call->padding[d] + call->size[d], span = sp__conv_span(call, d);
        p.sizes[d] = (span > end ? span : end) + (d == 1 ? call->stride[1] : 0);
    }
    const int64_t row = p.sizes[1] * call->in, image = p.sizes[0] * row;
    const size_t bytes = (size_t)(call->batch * image) * sizeof(float);
    p.x = (sp__operand){sp__scratch(bytes), 0, SP_F32, {image, 1, row, call->in}};
    if (!p.x.buffer) return SP_ERROR_MEMORY;
    sp__tasks(call->batch, pair_image, &p);
    sp__conv inner = *call;
    inner.x = p.x;
    for (int d = 0; d < 2; d++) inner.padding[d] = 0, inner.size[d] = p.sizes[d];
    const sp_status status = run_weight(&inner);
    sp_free(p.x.buffer, bytes);
    return status;
}

#endif

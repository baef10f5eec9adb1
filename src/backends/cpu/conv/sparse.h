/* Backward behind ReLU and max-pooling by lists, a whole call; the lists and their loops are in entries.h. */
#ifndef SPUSK_CONV_SPARSE_H
#define SPUSK_CONV_SPARSE_H

#include "entries.h"

/* ---- images ---- */

/* Between x and its copy, whose padding stays as it is. */
static void copy_in(const sparse_call *s, int64_t image, number *copy)
{
    const sp__conv *call = s->call;
    const bool narrow = call->x.dtype == SP_BF16;
    for (int64_t h = 0; h < call->size[0] && h + call->padding[0] < s->rows; h++) {
        for (int64_t w = 0; w < call->size[1] && w + call->padding[1] < s->columns; w++) {
            const char *x = window_of(&call->x, image, h, w, 0);
            number *to = copy + ((h + call->padding[0]) * s->columns + w + call->padding[1]) * LANES;
            for (int64_t c = 0; c < call->in; c += LANES, to += s->rows * s->columns * LANES)
                *(vector *)to = load_either(x, narrow, c, call->in - c);
        }
    }
}

static void copy_out(const sparse_call *s, int64_t image, const number *copy)
{
    const sp__conv *call = s->call;
    const bool narrow = s->dx.dtype == SP_BF16;
    for (int64_t h = 0; h < call->size[0]; h++) {
        for (int64_t w = 0; w < call->size[1]; w++) {
            const int64_t at = s->dx.offset + image * s->dx.strides[0] + h * s->dx.strides[2] + w * s->dx.strides[3];
            const number *from = copy + ((h + call->padding[0]) * s->columns + w + call->padding[1]) * LANES;
            for (int64_t c = 0; c < call->in; c += LANES, from += s->rows * s->columns * LANES)
                store_either(s->dx.buffer, narrow, at + c, *(const vector *)from, call->in - c);
        }
    }
}

/* ---- a task ---- */

/* All channels of y in each block of x's, in turn. */
static void run_blocks(const sparse_call *s, const entry *entries, entry **ends, number *image, number *weights,
                       bool for_weight)
{
    const int64_t out = s->call->out, block = s->rows * s->columns * LANES;
    for (int64_t b = 0; b < s->blocks; b++) {
        for (int64_t o = 0; o < out; o++) {
            const entry *first = entries + o * s->most;
            run_entries(s, first, ends[o] - first, image + b * block, weights + (b * out + o) * s->weights, for_weight);
        }
    }
}

static int64_t run_sparse_image(const sparse_call *s, int64_t part, int64_t image, number *sums, number *bias)
{
    const sp__conv *call = s->call;
    number *x = sparse_image(s, part), *dx = x + s->image_bytes / sizeof(number);
    entry *entries = sparse_entries(s, part), **ends = sparse_ends(s, part);
    const int64_t found = list_image(s, image, entries, ends);
    if (sums) {
        copy_in(s, image, x);
        run_blocks(s, entries, ends, x, sums, true);
    }
    if (s->w) {
        memset(dx, 0, s->image_bytes);
        run_blocks(s, entries, ends, dx, s->w, false);
        copy_out(s, image, dx);
    }
    for (int64_t o = 0; bias && o < call->out; o++)
        for (const entry *e = entries + o * s->most; e < ends[o]; e++) bias[o] += e->value;
    return found;
}

static void sparse_task(void *context, int64_t part)
{
    sparse_call *s = context;
    const sp__conv *call = s->call;
    const int64_t first = part * s->images, last = least(first + s->images, call->batch);
    const int64_t weights = s->blocks * call->out * s->weights;
    number *sums = s->sums ? s->sums + part * weights : NULL, *bias = NULL;
    if (sums) memset(sums, 0, (size_t)weights * sizeof(number));
    if (sums && call->bias)
        bias = memset(s->sums + s->parts * weights + part * call->out, 0, (size_t)call->out * sizeof(number));
    memset(sparse_image(s, part), 0, s->image_bytes);
    s->found[part] = 0;
    for (int64_t image = first; image < last; image++) s->found[part] += run_sparse_image(s, part, image, sums, bias);
}

/* ---- weights before, their gradient after ---- */

/* Channel o of y: between the weights' own memory, of any strides, and [block][o][tap][LANES]. */
static void pack_sparse_weights(void *context, int64_t o)
{
    const sparse_call *s = context;
    const sp__conv *call = s->call;
    const int64_t *strides = s->dx_w.strides;
    for (int64_t c = 0; c < s->blocks * LANES; c++) {
        number *to = s->w + (c / LANES * call->out + o) * s->weights + c % LANES;
        for (int64_t tap = 0; tap < call->kernel[0] * call->kernel[1]; tap++) {
            const int64_t at = o * strides[0] + c * strides[1] + tap / call->kernel[1] * strides[2] +
                               tap % call->kernel[1] * strides[3];
            to[tap * LANES] = c < call->in ? get_number(&s->dx_w, at) : 0;
        }
    }
}

static void add_sparse_parts(void *context, int64_t o)
{
    const sparse_call *s = context;
    const sp__conv *call = s->call;
    const int64_t block = call->out * s->weights, part = s->blocks * block;
    for (int64_t b = 0; b < s->blocks; b++) {
        for (int64_t tap = 0; tap < call->kernel[0] * call->kernel[1]; tap++) {
            const number *from = s->sums + b * block + o * s->weights + tap * LANES;
            vector sum = {0};
            for (int64_t i = 0; i < s->parts; i++) sum += *(const vector *)(from + i * part);
            number values[LANES];
            memcpy(values, &sum, sizeof values);
            const int64_t at = o * call->w.strides[0] + b * LANES * call->w.strides[1] +
                               tap / call->kernel[1] * call->w.strides[2] + tap % call->kernel[1] * call->w.strides[3];
            for (int64_t c = 0; c < LANES && b * LANES + c < call->in; c++)
                set_number(&call->w, at + c * call->w.strides[1], values[c]);
        }
    }
    if (!call->bias) return;
    number sum = 0;
    for (int64_t i = 0; i < s->parts; i++) sum += s->sums[s->parts * part + i * call->out + o];
    set_number(call->bias, o * call->bias->strides[0], sum);
}

/* ---- a call ---- */

static void measure_sparse(sparse_call *s)
{
    const sp__conv *call = s->call;
    int64_t reach[2];
    for (int d = 0; d < 2; d++) {
        const int64_t whole = call->size[d] + call->padding[d];
        const int64_t span = (call->out_size[d] - 1) * call->stride[d] + (call->kernel[d] - 1) * call->dilation[d] + 1;
        reach[d] = span > whole ? span : whole;
        s->windows[d] = call->out_size[d] / call->tail->pool[d];
    }
    s->rows = reach[0], s->columns = reach[1];
    s->blocks = (call->in + LANES - 1) / LANES;
    s->most = s->windows[0] * s->windows[1] + 1; /* one more is written than counted */
    s->images = (call->batch + SPARSE_PARTS - 1) / SPARSE_PARTS;
    s->parts = (call->batch + s->images - 1) / s->images;
    s->weights = call->kernel[0] * call->kernel[1] * LANES;
    s->image_bytes = (size_t)(s->blocks * s->rows * s->columns * LANES) * sizeof(number);
    s->entry_bytes = ((size_t)(call->out * s->most) * sizeof(entry) + 63) / 64 * 64;
    s->part_bytes = (2 * s->image_bytes + s->entry_bytes + (size_t)call->out * sizeof(entry *) + 63) / 64 * 64;
}

static sp_status run_sparse(const sp__conv *call)
{
    const bool for_weight = call->kind == SP__CONV_BACKWARD_WEIGHT, for_data = !for_weight || call->data;
    sparse_call s = {.call = call, .dx = call->x, .dx_w = call->w};
    if (call->data) s.dx = call->data->x, s.dx_w = call->data->w;
    measure_sparse(&s);
    const int64_t weights = s.blocks * call->out * s.weights;
    const int64_t sums = for_weight ? s.parts * (weights + call->out) : 0;
    const size_t for_weights = ((size_t)((for_data ? weights : 0) + sums) * sizeof(number) + 63) / 64 * 64;
    const size_t bytes = for_weights + (size_t)s.parts * s.part_bytes;
    char *memory = sp__scratch(bytes);
    if (!memory) return SP_ERROR_MEMORY;
    if (for_data) s.w = (number *)(void *)memory;
    if (for_weight) s.sums = (number *)(void *)memory + (for_data ? weights : 0);
    s.scratch = memory + for_weights;
    if (for_data) sp__flushed_tasks(call->out, pack_sparse_weights, &s);
    sp__flushed_tasks(s.parts, sparse_task, &s);
    if (for_weight) sp__flushed_tasks(call->out, add_sparse_parts, &s);
    int64_t found = 0;
    for (int64_t i = 0; i < s.parts; i++) found += s.found[i];
    sp__conv_saw(found, call->batch * call->out * call->out_size[0] * call->out_size[1]);
    sp_free(memory, bytes);
    return SP_OK;
}

#endif

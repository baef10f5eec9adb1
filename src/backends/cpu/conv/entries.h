/* Backward behind ReLU and max-pooling by lists: at most one place of a window has a gradient, and of those many
 * are zero. Each channel of y keeps a list of its values and where they lie; the same sums as the dense loops, in
 * another order.
 *
 * A block is LANES channels of x. An image of x, or of its gradient, is copied as [block][row][column][LANES] with the
 * padding around it, so that no tap lies outside and an image's block fits into the first-level cache. A task is some
 * of the images. */
#ifndef SPUSK_CONV_ENTRIES_H
#define SPUSK_CONV_ENTRIES_H

#include "tail.h"

enum { SPARSE_PARTS = 16 };

/* A gradient, and the place of the copied image that the kernel's first tap meets. */
typedef struct entry {
    number value;
    int32_t at; /* elements from the block's first */
} entry;

typedef struct sparse_call {
    const sp__conv *call;
    int64_t blocks, rows, columns; /* of the copied image */
    int64_t windows[2], most;      /* entries of a channel */
    int64_t parts, images;
    int64_t weights;      /* of a channel of y in a block: kernel[0] × kernel[1] × LANES */
    number *sums;         /* [part][block][out][weights], then [part][out] of the bias; NULL: not wanted */
    number *w;            /* [block][out][weights], which the gradient of x is made of; NULL: not wanted */
    sp__operand dx, dx_w; /* that gradient, and the weights */
    char *scratch;        /* of each part: images of x and of its gradient, entries, their ends */
    size_t image_bytes, entry_bytes, part_bytes;
    int64_t found[SPARSE_PARTS];
} sparse_call;

static number *sparse_image(const sparse_call *s, int64_t part)
{
    return (number *)(void *)(s->scratch + (size_t)part * s->part_bytes);
}

static entry *sparse_entries(const sparse_call *s, int64_t part)
{
    return (entry *)(void *)(s->scratch + (size_t)part * s->part_bytes + 2 * s->image_bytes);
}

static entry **sparse_ends(const sparse_call *s, int64_t part)
{
    return (entry **)(void *)((char *)sparse_entries(s, part) + s->entry_bytes);
}

/* ---- lists ---- */

/* Appends a window of all channels. */
SP__INLINE void list_window(const tail_window *window, int64_t out, const int32_t *at, entry **ends)
{
    for (int64_t j = 0; j < out; j += LANES) {
        const vector g = load_window(window, j, out - j);
        number values[LANES];
        memcpy(values, &g, sizeof values);
        for (uint32_t bits = sp__signs((sp__words)(g != 0)); bits; bits &= bits - 1) {
            const int i = __builtin_ctz(bits);
            entry *end = ends[j + i]++;
            end->value = values[i];
            end->at = at[window->where ? window->where[j + i] : 0];
        }
    }
}

/* The lists of an image: channel o's is from entries + o·most to ends[o]. Returns how many entries there are. */
static int64_t list_image(const sparse_call *s, int64_t image, entry *entries, entry **ends)
{
    const sp__conv *call = s->call;
    const int64_t *pool = call->tail->pool;
    int32_t first[16] = {0}, at[16];
    for (int64_t p = 0; p < pool[0] * pool[1]; p++) {
        const int64_t row = p / pool[1] * call->stride[0], column = p % pool[1] * call->stride[1];
        first[p] = (int32_t)((row * s->columns + column) * LANES);
    }
    for (int64_t o = 0; o < call->out; o++) ends[o] = entries + o * s->most;
    for (int64_t h = 0; h < s->windows[0]; h++) {
        for (int64_t w = 0; w < s->windows[1]; w++) {
            const int64_t row = h * pool[0] * call->stride[0], column = w * pool[1] * call->stride[1];
            for (int p = 0; p < 16; p++) at[p] = first[p] + (int32_t)((row * s->columns + column) * LANES);
            const tail_window window = window_at(call->tail, image, h, w, 0);
            list_window(&window, call->out, at, ends);
        }
    }
    int64_t found = 0;
    for (int64_t o = 0; o < call->out; o++) found += ends[o] - (entries + o * s->most);
    return found;
}

/* ---- the loops: rows × vectors of one channel's weights in registers ---- */

/* Their gradient. */
SP__INLINE void sum_entries(const entry *e, int64_t n, const number *x, int64_t row, number *sums, int64_t sums_row,
                            const int rows, const int vectors)
{
    vector sum[3][4];
    SP__UNROLL
    for (int i = 0; i < rows; i++) {
        SP__UNROLL
        for (int v = 0; v < vectors; v++) sum[i][v] = *(const vector *)(sums + i * sums_row + v * LANES);
    }
    for (; n > 0; n--, e++) {
        const vector value = e->value - (vector){0};
        const number *p = x + e->at;
        SP__UNROLL
        for (int i = 0; i < rows; i++) {
            SP__UNROLL
            for (int v = 0; v < vectors; v++)
                sum[i][v] = fused(value, *(const vector *)(p + i * row + v * LANES), sum[i][v]);
        }
    }
    SP__UNROLL
    for (int i = 0; i < rows; i++) {
        SP__UNROLL
        for (int v = 0; v < vectors; v++) *(vector *)(sums + i * sums_row + v * LANES) = sum[i][v];
    }
}

/* What they add to the gradient of x. */
SP__INLINE void spread_entries(const entry *e, int64_t n, number *x, int64_t row, const number *weights,
                               int64_t weights_row, const int rows, const int vectors)
{
    vector w[3][4];
    SP__UNROLL
    for (int i = 0; i < rows; i++) {
        SP__UNROLL
        for (int v = 0; v < vectors; v++) w[i][v] = *(const vector *)(weights + i * weights_row + v * LANES);
    }
    for (; n > 0; n--, e++) {
        const vector value = e->value - (vector){0};
        number *p = x + e->at;
        SP__UNROLL
        for (int i = 0; i < rows; i++) {
            SP__UNROLL
            for (int v = 0; v < vectors; v++) {
                vector *to = (vector *)(p + i * row + v * LANES);
                *to = fused(value, w[i][v], *to);
            }
        }
    }
}

/* rows and vectors are constants, so that the weights or their sums are in registers. */
SP__INLINE void take_entries(const entry *e, int64_t n, number *x, int64_t row, number *w, int64_t w_row,
                             bool for_weight, const int rows, const int vectors)
{
    if (for_weight)
        sum_entries(e, n, x, row, w, w_row, rows, vectors);
    else
        spread_entries(e, n, x, row, w, w_row, rows, vectors);
}

/* One row of the kernel or a piece of it. */
static void run_row(const entry *e, int64_t n, number *x, number *w, bool for_weight, int64_t vectors)
{
    if (vectors == 1) take_entries(e, n, x, 0, w, 0, for_weight, 1, 1);
    if (vectors == 2) take_entries(e, n, x, 0, w, 0, for_weight, 1, 2);
    if (vectors == 3) take_entries(e, n, x, 0, w, 0, for_weight, 1, 3);
    if (vectors == 4) take_entries(e, n, x, 0, w, 0, for_weight, 1, 4);
}

static void run_2x2(const entry *e, int64_t n, number *x, int64_t row, number *w, bool for_weight)
{
    take_entries(e, n, x, row, w, 2 * LANES, for_weight, 2, 2);
}

static void run_3x3(const entry *e, int64_t n, number *x, int64_t row, number *w, bool for_weight)
{
    take_entries(e, n, x, row, w, 3 * LANES, for_weight, 3, 3);
}

/* All weights of one channel of y in one block: the kernel's rows and columns in pieces. */
static void run_entries(const sparse_call *s, const entry *e, int64_t n, number *image, number *weights,
                        bool for_weight)
{
    const int64_t *kernel = s->call->kernel, row = s->call->dilation[0] * s->columns * LANES;
    if (kernel[0] == 3 && kernel[1] == 3) {
        run_3x3(e, n, image, row, weights, for_weight);
        return;
    }
    if (kernel[0] == 2 && kernel[1] == 2) {
        run_2x2(e, n, image, row, weights, for_weight);
        return;
    }
    for (int64_t h = 0; h < kernel[0]; h++) {
        for (int64_t w = 0, vectors; w < kernel[1]; w += vectors) {
            vectors = least(kernel[1] - w, 4);
            run_row(e, n, image + h * row + w * LANES, weights + (h * kernel[1] + w) * LANES, for_weight, vectors);
        }
    }
}

#endif

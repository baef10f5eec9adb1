/* Forward and backward-data by minimal filtering: see winograd.h.
 *
 * k, n   channels of the source and of the result; a panel is up to NR of n
 * BLOCK  tiles that are transformed at once, one after the other in images, rows and columns
 *
 * A place's sum depends on the image alone, not on what is computed beside it. A window of a 2×2 maximum lies in a
 * tile. */
#ifndef SPUSK_CONV_WINOGRAD_DATA_H
#define SPUSK_CONV_WINOGRAD_DATA_H

#include "winograd.h"

enum { BLOCK = SP__TILE_ROWS, M_STEP = BLOCK * NR + LANES };
#define V_STEP(row) (BLOCK * (row) + LANES)

typedef struct winograd_call {
    const sp__conv *call;
    tiling source;
    sp__operand result;
    const sp__conv_tail *tail; /* NULL: none */
    sp__conv_axis axis[2];
    int64_t strides[3];                 /* of the result: image, row, column */
    int64_t k, n, panels, tiles, chunk; /* tiles of the batch; blocks in a task */
    number *u;                          /* [panel][POINTS][k][room] */
    number *bias;                       /* [panel][NR] */
} winograd_call;

/* ---- weights ---- */

SP__INLINE vector load_weights(const number *w, int64_t stride, int64_t count)
{
    if (stride == 1) return load_some(w, count);
    number values[LANES] = {0};
    for (int64_t i = 0; i < count && i < LANES; i++) values[i] = w[i * stride];
    vector x;
    return memcpy(&x, values, sizeof x), x;
}

/* G g Gᵀ of a vector of channels of the result and one of the source to u, whose points lie `step` apart. */
static void transform_weight(const winograd_call *p, int64_t n, int64_t k, int64_t count, number *u, int64_t step)
{
    const sp__operand *w = &p->call->w;
    const bool forward = p->call->kind == SP__CONV_FORWARD;
    const sp__conv_axis *a = p->axis;
    const number *first = (const number *)w->buffer + w->offset + n * w->strides[!forward] + k * w->strides[forward];
    vector g[9], half[3 * SIDE], out[SIDE];
    for (int t = 0; t < 9; t++) {
        const int64_t h = a[0].tap + t / 3 * a[0].tap_step, v = a[1].tap + t % 3 * a[1].tap_step;
        g[t] = load_weights(first + h * w->strides[2] + v * w->strides[3], w->strides[!forward], count);
    }
    for (int j = 0; j < 3; j++) weight_line(g + j, 3, half + SIDE * j);
    for (int i = 0; i < SIDE; i++) {
        weight_line(half + i, SIDE, out);
        for (int j = 0; j < SIDE; j++) *(vector *)(u + (SIDE * j + i) * step) = out[j];
    }
}

static void transform_weights(void *context, int64_t task)
{
    const winograd_call *p = context;
    const sp__operand *bias = p->call->bias;
    const int64_t panel = task / p->k, k = task % p->k, first = panel * NR, width = least(p->n - first, NR);
    const int64_t room = room_for(width);
    number *u = p->u + panel * POINTS * p->k * NR + k * room;
    for (int64_t j = 0; j < room; j += LANES) {
        if (j < width) {
            transform_weight(p, first + j, k, width - j, u + j, p->k * room);
            continue;
        }
        for (int i = 0; i < POINTS; i++) *(vector *)(u + i * p->k * room + j) = (vector){0};
    }
    if (k > 0) return;
    for (int64_t j = first; j < first + NR; j++)
        p->bias[j] = bias && j < p->n ? get_number(bias, j * bias->strides[0]) : 0;
}

/* ---- results ---- */

/* The maximum of each window of 2×2 places that is whole. */
static void store_maxima(const winograd_call *p, const spot *at, int64_t j, const vector *y, int64_t count)
{
    const sp__operand *to = &p->tail->where;
    for (int i = 0; i < TILE; i++) {
        const int64_t h = TILE / 2 * at->h + i / 2, w = TILE / 2 * at->w + i % 2;
        if (h >= p->axis[0].count / 2 || w >= p->axis[1].count / 2) continue;
        const vector *first = y + i / 2 * 2 * TILE + i % 2 * 2;
        const vector window[4] = {first[0], first[1], first[TILE], first[TILE + 1]};
        mask where;
        const vector best = maximum_of((const number *)window, LANES, 4, p->tail->relu, &where);
        store_either(p->result.buffer, p->result.dtype == SP_BF16,
                     p->result.offset + at->image * p->strides[0] + h * p->strides[1] + w * p->strides[2] + j, best,
                     count);
        store_where((uint8_t *)to->buffer + to->offset + at->image * to->strides[0] + h * to->strides[2] +
                        w * to->strides[3] + j,
                    where, count);
    }
}

/* Writes `count` channels of a tile's places from channel j on. */
static void store_places(const winograd_call *p, const spot *at, int64_t j, const vector *y, int64_t count)
{
    const bool relu = p->tail && p->tail->relu, narrow = p->result.dtype == SP_BF16;
    const int64_t rows = least(p->axis[0].count - TILE * at->h, TILE);
    const int64_t columns = least(p->axis[1].count - TILE * at->w, TILE);
    const int64_t first = p->result.offset + at->image * p->strides[0] + TILE * at->h * p->strides[1] +
                          TILE * at->w * p->strides[2] + j;
    for (int64_t h = 0; h < rows; h++) {
        for (int64_t w = 0; w < columns; w++)
            store_either(p->result.buffer, narrow, first + h * p->strides[1] + w * p->strides[2],
                         positive(y[TILE * h + w], relu), count);
    }
}

/* ---- a block of tiles ---- */

/* The products of one column of points: of a narrow panel two points at a time, so that as many sums are in registers. */
static void multiply_column(const winograd_call *p, const number *u, int64_t room, const number *v, bool many,
                            number *m)
{
    const int64_t row = p->source.row, u_step = p->k * room;
    product q = {.depth = p->k, .a_row = row, .a_depth = 1, .b_depth = room};
    q.a_point = V_STEP(row), q.b_point = u_step, q.sums_point = M_STEP;
    const int points = room == LANES ? 2 : 1;
    for (int i = 0; i < SIDE; i += points) {
        q.a = v + i * V_STEP(row), q.b = u + i * u_step, q.sums = m + i * M_STEP;
        if (points == 2 && many)
            multiply(&q, SP__TILE_ROWS, 2, false);
        else if (points == 2)
            multiply(&q, FEW, 2, false);
        else if (many)
            multiply(&q, SP__TILE_ROWS, 1, false);
        else
            multiply(&q, FEW, 1, false);
    }
}

/* Aᵀ of a column's products. */
static void reduce_column(const number *m, int64_t count, int64_t room, number *half)
{
    for (int64_t r = 0; r < count * NR; r += NR) {
        for (int64_t j = 0; j < room; j += LANES) {
            vector line[SIDE], out[TILE];
            SP__UNROLL
            for (int i = 0; i < SIDE; i++) line[i] = *(const vector *)(m + i * M_STEP + r + j);
            result_line(line, 1, out);
            SP__UNROLL
            for (int i = 0; i < TILE; i++) *(vector *)(half + i * M_STEP + r + j) = out[i];
        }
    }
}

/* The places of a tile from what its columns were reduced to. */
SP__INLINE void result_places(const number *half, vector bias, vector *y)
{
    SP__UNROLL
    for (int i = 0; i < TILE; i++) {
        vector line[SIDE];
        SP__UNROLL
        for (int j = 0; j < SIDE; j++) line[j] = *(const vector *)(half + (TILE * j + i) * M_STEP);
        result_line(line, 1, y + TILE * i);
        SP__UNROLL
        for (int j = 0; j < TILE; j++) y[TILE * i + j] += bias;
    }
}

static void finish_panel(const winograd_call *p, int64_t panel, const spot *at, int64_t count, const number *half)
{
    const int64_t first = panel * NR, width = least(p->n - first, NR);
    for (int64_t r = 0; r < count; r++) {
        for (int64_t j = 0; j < width; j += LANES) {
            vector y[TILE * TILE];
            result_places(half + r * NR + j, *(const vector *)(p->bias + first + j), y);
            if (p->tail && p->tail->pool[0] == 2)
                store_maxima(p, &at[r], first + j, y, width - j);
            else
                store_places(p, &at[r], first + j, y, width - j);
        }
    }
}

static void run_panel(const winograd_call *p, int64_t panel, const spot *at, int64_t count, const number *v)
{
    number m[SIDE * M_STEP] __attribute__((aligned(64))), half[SIDE * TILE * M_STEP] __attribute__((aligned(64)));
    const int64_t room = room_for(p->n - panel * NR), v_step = V_STEP(p->source.row);
    const number *u = p->u + panel * POINTS * p->k * NR;
    for (int j = 0; j < SIDE; j++) {
        multiply_column(p, u + j * SIDE * p->k * room, room, v + j * SIDE * v_step, count > FEW, m);
        reduce_column(m, count, room, half + j * TILE * M_STEP);
    }
    finish_panel(p, panel, at, count, half);
}

static void winograd_task(void *context, int64_t task)
{
    const winograd_call *p = context;
    number v[POINTS * (BLOCK * SOURCES + LANES)] __attribute__((aligned(64)));
    const int64_t each = p->chunk * BLOCK;
    for (int64_t tile = task * each; tile < least(p->tiles, (task + 1) * each); tile += BLOCK) {
        spot at[BLOCK];
        const int64_t count = least(p->tiles - tile, BLOCK);
        for (int64_t i = 0; i < count; i++) {
            at[i] = spot_at(&p->source, tile + i);
            transform_source(&p->source, &at[i], v + i * p->source.row, V_STEP(p->source.row));
        }
        for (int64_t panel = 0; panel < p->panels; panel++) run_panel(p, panel, at, count, v);
    }
}

/* ---- a call ---- */

static void set_winograd(winograd_call *p, const sp__conv *call)
{
    enum { WORK = 1 << 21 }; /* multiply-adds in a task */
    const bool forward = call->kind == SP__CONV_FORWARD;
    const sp__operand *source = forward ? &call->x : &call->y;
    *p = (winograd_call){.call = call, .k = forward ? call->in : call->out, .n = forward ? call->out : call->in};
    p->tail = forward ? call->tail : NULL;
    p->result = p->tail ? p->tail->y : forward ? call->y : call->x;
    image_strides(p->strides, &p->result, 1);
    p->panels = (p->n + NR - 1) / NR;
    for (int d = 0; d < 2; d++)
        p->axis[d] = forward ? sp__conv_forward_axis(call, d) : sp__conv_backward_axis(call, d, 0);
    p->source = tiling_of(source, p->k, p->axis);
    p->tiles = call->batch * p->source.tiles[0] * p->source.tiles[1];
    const int64_t block = POINTS * BLOCK * p->k * p->n;
    p->chunk = block < WORK ? WORK / block : 1;
}

static sp_status run_winograd(const sp__conv *call)
{
    winograd_call p;
    set_winograd(&p, call);
    const int64_t weights = p.panels * POINTS * p.k * NR, biases = p.panels * NR, zeros = p.source.row + NR;
    const size_t bytes = (size_t)(weights + biases + zeros) * sizeof(number);
    number *memory = sp__scratch(bytes);
    if (!memory) return SP_ERROR_MEMORY;
    p.u = memory, p.bias = memory + weights;
    p.source.zeros = memset(p.bias + biases, 0, (size_t)zeros * sizeof(number));
    const int64_t each = p.chunk * BLOCK;
    sp__flushed_tasks(p.panels * p.k, transform_weights, &p);
    sp__flushed_tasks((p.tiles + each - 1) / each, winograd_task, &p);
    sp_free(memory, bytes);
    return SP_OK;
}

#endif

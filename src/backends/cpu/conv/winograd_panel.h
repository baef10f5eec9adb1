/* Forward and backward-data by minimal filtering (see winograd.h): a block of tiles and a panel of the result's channels.
 *
 * k, n   channels of the source and of the result; a panel is up to NR of n
 * BLOCK  tiles whose products are in registers at once, one after the other in images, rows and columns
 *
 * A place's sum depends on the image alone, not on what is computed beside it. A window of a 2×2 maximum lies in a
 * tile. */
#ifndef SPUSK_CONV_WINOGRAD_PANEL_H
#define SPUSK_CONV_WINOGRAD_PANEL_H

#include "winograd.h"

/* M_STEP: between points of a block's products. */
enum { BLOCK = SP__TILE_ROWS, M_STEP = BLOCK * NR + LANES };

typedef struct winograd_call {
    const sp__conv *call;
    tiling source;
    sp__operand result;
    const sp__conv_tail *tail; /* NULL: none */
    sp__conv_axis axis[2];
    int64_t strides[3];    /* of the result: image, row, column */
    int64_t k, n, tiles;   /* tiles of the batch */
    int64_t depth;         /* channels of the source whose weights are transformed at once */
    int64_t panels, panel; /* `panel`: numbers in a panel's transformed weights */
    int64_t v_step, block; /* in a block's transformed tiles: from point to point; all */
    number *u;             /* all transformed weights: [panel][POINTS][k][room] */
    number *v;             /* or a slab's transformed tiles: [block][POINTS][BLOCK][k] */
    int64_t first, slab;   /* the slab's first tile; blocks in it */
    int64_t chunk, chunks; /* blocks in a task; tasks of a slab */
    number *bias;          /* of whole panels */
    atomic_bool failed;
} winograd_call;

static int64_t panel_room(const winograd_call *p, int64_t panel)
{
    return room_for(least(p->n - panel * NR, NR));
}

/* From point to point of a panel's transformed weights: a vector more than they have, so that the points of one weight
 * do not all fall into one set of a cache. */
static int64_t u_step(const winograd_call *p, int64_t room)
{
    return p->depth * room + LANES;
}

/* ---- weights ---- */

SP__INLINE vector load_weights(const number *w, int64_t stride, int64_t count)
{
    if (stride == 1) return load_some(w, count);
    number values[LANES] = {0};
    for (int64_t i = 0; i < count && i < LANES; i++) values[i] = w[i * stride];
    vector x;
    return memcpy(&x, values, sizeof x), x;
}

/* G g Gᵀ to u, whose points lie `step` apart. */
static void weight_points(const vector *g, number *u, int64_t step)
{
    vector half[3 * SIDE], out[SIDE];
    for (int j = 0; j < 3; j++) weight_line(g + j, 3, half + SIDE * j);
    for (int i = 0; i < SIDE; i++) {
        weight_line(half + i, SIDE, out);
        for (int j = 0; j < SIDE; j++) *(vector *)(u + (SIDE * j + i) * step) = out[j];
    }
}

enum { TAPS = 9, SOURCES_AT_ONCE = 16 };

/* Channels [from, to) of the source, at most SOURCES_AT_ONCE, of a panel's weights to its u. They are loaded tap by tap,
 * since of weights that lie the other way round each load touches a line for each channel of the result. */
static void transform_weights(const winograd_call *p, int64_t panel, int64_t from, int64_t to, number *u)
{
    const sp__operand *w = &p->call->w;
    const bool forward = p->call->kind == SP__CONV_FORWARD;
    const int64_t n_stride = w->strides[!forward], k_stride = w->strides[forward];
    const int64_t first = panel * NR, width = least(p->n - first, NR), room = room_for(width);
    const sp__conv_axis *a = p->axis;
    for (int64_t j = 0; j < room; j += LANES) {
        const number *start = (const number *)w->buffer + w->offset + (first + j) * n_stride;
        vector g[SOURCES_AT_ONCE][TAPS];
        if (j >= width) memset(g, 0, sizeof g);
        for (int t = 0; j < width && t < TAPS; t++) {
            const number *tap = start + (a[0].tap + t / 3 * a[0].tap_step) * w->strides[2] +
                                (a[1].tap + t % 3 * a[1].tap_step) * w->strides[3];
            for (int64_t k = from; k < to; k++) g[k - from][t] = load_weights(tap + k * k_stride, n_stride, width - j);
        }
        for (int64_t k = from; k < to; k++) weight_points(g[k - from], u + k % p->depth * room + j, u_step(p, room));
    }
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
    if (rows == TILE && columns == TILE && !narrow && count >= LANES) {
        number *to = (number *)p->result.buffer + first;
        SP__UNROLL
        for (int i = 0; i < TILE * TILE; i++)
            *(vector *)(to + i / TILE * p->strides[1] + i % TILE * p->strides[2]) = positive(y[i], relu);
        return;
    }
    for (int64_t h = 0; h < rows; h++) {
        for (int64_t w = 0; w < columns; w++)
            store_either(p->result.buffer, narrow, first + h * p->strides[1] + w * p->strides[2],
                         positive(y[TILE * h + w], relu), count);
    }
}

/* ---- a block of tiles ---- */

SP__INLINE void multiply_rows(const product *q, bool many, const int points, const bool adds)
{
    if (many)
        multiply(q, SP__TILE_ROWS, points, adds);
    else
        multiply(q, FEW, points, adds);
}

/* The products of one column of points, of `depth` channels of the source; `adds`: to what m has. Of a narrow panel two
 * points at a time, so that as many sums are in registers. */
SP__INLINE void multiply_column(const winograd_call *p, const number *u, int64_t room, const number *v, int64_t depth,
                                bool many, const bool adds, number *m)
{
    const int64_t step = u_step(p, room);
    product q = {.depth = depth, .a_row = p->source.row, .a_depth = 1, .b_depth = room};
    q.a_point = p->v_step, q.b_point = step, q.sums_point = M_STEP;
    const int points = room == LANES ? 2 : 1;
    for (int i = 0; i < SIDE; i += points) {
        q.a = v + i * p->v_step, q.b = u + i * step, q.sums = m + i * M_STEP;
        if (points == 2)
            multiply_rows(&q, many, 2, adds);
        else
            multiply_rows(&q, many, 1, adds);
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

#endif

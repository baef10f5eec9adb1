/* Forward and backward-data of 3×3 kernels that step by one, by the minimal filtering F(2×2, 3×3) of Winograd (Lavin
 * and Gray, CVPR 2016): a tile of 2×2 places of the result, which reads 4×4 places of the source d, is Aᵀ[(G g Gᵀ) ⊙
 * (Bᵀ d B)]A,  ⊙ summed over channels: 16 products of channels where the plain sum has 36.
 *
 *     Bᵀ = 1  0 -1  0    G = 1    0   0     Aᵀ = 1  1  1  0
 *          0  1  1  0        1/2  1/2 1/2        0  1 -1 -1
 *          0 -1  1  0        1/2 -1/2 1/2
 *          0  1  0 -1        0    0   1
 *
 * k, n   channels of the source and of the result; a panel is up to NR of n
 * rows   of the products: SP__TILE_ROWS tiles, one after the other in images, rows and columns
 *
 * Which sums are taken together depends on the place in the image alone. A window of a 2×2 maximum is a tile. */
#ifndef SPUSK_CONV_WINOGRAD_H
#define SPUSK_CONV_WINOGRAD_H

#include "tail.h"
#include "tile.h"

/* SOURCES: k is at most so many, so that a task's tiles fit on its stack. */
enum { POINTS = 16, SOURCES = 128 };

typedef struct winograd_call {
    const sp__conv *call;
    const number *source;
    sp__operand result;
    const sp__conv_tail *tail;             /* NULL: none */
    int64_t source_strides[3], strides[3]; /* image, row, column */
    sp__conv_axis axis[2];
    int64_t k, n, panels, tiles[2], chunk; /* tiles of an image; groups of rows in a task */
    number *u;                             /* [panel][POINTS][k][room] */
    number *bias;                          /* [panel][NR] */
    const number *zeros;                   /* SOURCES of them */
} winograd_call;

/* ---- the three transforms, of vectors of channels ---- */

/* (Bᵀ d)ᵀ; done twice it is Bᵀ d B. */
SP__INLINE void source_columns(const vector *d, vector *out)
{
    SP__UNROLL
    for (int j = 0; j < 4; j++) {
        const vector d0 = d[j], d1 = d[4 + j], d2 = d[8 + j], d3 = d[12 + j];
        out[4 * j] = d0 - d2, out[4 * j + 1] = d1 + d2, out[4 * j + 2] = d2 - d1, out[4 * j + 3] = d1 - d3;
    }
}

/* (G g)ᵀ of three rows; done twice, with three columns and then four, it is G g Gᵀ. */
SP__INLINE void weight_columns(const vector *g, vector *out, const int columns)
{
    SP__UNROLL
    for (int j = 0; j < columns; j++) {
        const vector g0 = g[j], g1 = g[columns + j], g2 = g[2 * columns + j], ends = (number)0.5 * (g0 + g2);
        out[4 * j] = g0, out[4 * j + 1] = ends + (number)0.5 * g1, out[4 * j + 2] = ends - (number)0.5 * g1,
                out[4 * j + 3] = g2;
    }
}

/* The four places of a tile from its POINTS products, which lie `step` apart. */
SP__INLINE void result_places(const number *m, int64_t step, vector *y)
{
    vector s[2][4];
    SP__UNROLL
    for (int j = 0; j < 4; j++) {
        vector c[4];
        SP__UNROLL
        for (int i = 0; i < 4; i++) c[i] = *(const vector *)(m + (4 * i + j) * step);
        s[0][j] = c[0] + c[1] + c[2];
        s[1][j] = c[1] - c[2] - c[3];
    }
    SP__UNROLL
    for (int i = 0; i < 2; i++) {
        y[2 * i] = s[i][0] + s[i][1] + s[i][2];
        y[2 * i + 1] = s[i][1] - s[i][2] - s[i][3];
    }
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

static void transform_weights(void *context, int64_t task)
{
    const winograd_call *p = context;
    const sp__conv *call = p->call;
    const int64_t panel = task / p->k, k = task % p->k, first = panel * NR, width = least(p->n - first, NR);
    const int64_t room = room_for(width), *strides = call->w.strides;
    const bool forward = call->kind == SP__CONV_FORWARD;
    const number *w = (const number *)call->w.buffer + call->w.offset + first * strides[!forward] +
                      k * strides[forward];
    number *u = p->u + panel * POINTS * p->k * NR + k * room;
    for (int64_t j = 0; j < room; j += LANES) {
        vector g[9], half[12], out[POINTS];
        for (int t = 0; t < 9; t++) {
            const int64_t h = p->axis[0].tap + t / 3 * p->axis[0].tap_step;
            const int64_t v = p->axis[1].tap + t % 3 * p->axis[1].tap_step;
            g[t] = (vector){0};
            if (j < width)
                g[t] = load_weights(w + j * strides[!forward] + h * strides[2] + v * strides[3], strides[!forward],
                                    width - j);
        }
        weight_columns(g, half, 3);
        weight_columns(half, out, 4);
        for (int i = 0; i < POINTS; i++) *(vector *)(u + i * p->k * room + j) = out[i];
    }
    if (k > 0) return;
    for (int64_t j = first; j < first + NR; j++)
        p->bias[j] = call->bias && j < p->n ? get_number(call->bias, j * call->bias->strides[0]) : 0;
}

/* ---- tiles ---- */

/* A tile of the batch: its image and its place there. */
typedef struct spot {
    int64_t image, h, w;
} spot;

static spot spot_at(const winograd_call *p, int64_t tile)
{
    const int64_t each = p->tiles[0] * p->tiles[1], in = tile % each;
    return (spot){tile / each, in / p->tiles[1], in % p->tiles[1]};
}

/* Writes a tile's source, transformed, to v, whose points lie `step` apart. */
static void transform_source(const winograd_call *p, const spot *at, number *v, int64_t step)
{
    const number *place[POINTS];
    const int64_t h0 = 2 * at->h + p->axis[0].delta, w0 = 2 * at->w + p->axis[1].delta;
    const number *image = p->source + at->image * p->source_strides[0];
    for (int i = 0; i < POINTS; i++) {
        const int64_t h = h0 + i / 4, w = w0 + i % 4;
        const bool inside = h >= 0 && h < p->axis[0].extent && w >= 0 && w < p->axis[1].extent;
        place[i] = inside ? image + h * p->source_strides[1] + w * p->source_strides[2] : p->zeros;
    }
    for (int64_t c = 0; c < p->k; c += LANES) {
        vector d[POINTS], half[POINTS], out[POINTS];
        SP__UNROLL
        for (int i = 0; i < POINTS; i++) d[i] = load_some(place[i] + c, p->k - c);
        source_columns(d, half);
        source_columns(half, out);
        SP__UNROLL
        for (int i = 0; i < POINTS; i++) *(vector *)(v + i * step + c) = out[i];
    }
}

/* Writes `count` channels of a tile's four places, or of their maximum, from channel j on. */
static void store_places(const winograd_call *p, const spot *at, int64_t j, vector *y, int64_t count)
{
    const int64_t *strides = p->strides, first = p->result.offset + at->image * strides[0] + j;
    const bool narrow = p->result.dtype == SP_BF16;
    if (p->tail && p->tail->pool[0] == 2) {
        mask where;
        const vector best = maximum_of((const number *)y, LANES, 4, p->tail->relu, &where);
        store_either(p->result.buffer, narrow, first + at->h * strides[1] + at->w * strides[2], best, count);
        const sp__operand *to = &p->tail->where;
        store_where((uint8_t *)to->buffer + to->offset + at->image * to->strides[0] + at->h * to->strides[2] +
                        at->w * to->strides[3] + j,
                    where, count);
        return;
    }
    for (int i = 0; i < 4; i++) {
        const int64_t h = 2 * at->h + i / 2, w = 2 * at->w + i % 2;
        if (h >= p->axis[0].count || w >= p->axis[1].count) continue;
        const vector x = positive(y[i], p->tail && p->tail->relu);
        store_either(p->result.buffer, narrow, first + h * strides[1] + w * strides[2], x, count);
    }
}

/* One panel of a group of tiles, from their transformed source. */
static void run_tiles(const winograd_call *p, int64_t panel, const spot *at, int64_t count, const number *v,
                      int64_t step)
{
    number m[POINTS][SP__TILE_ROWS * NR] __attribute__((aligned(64)));
    const int64_t first = panel * NR, width = least(p->n - first, NR);
    const int64_t room = room_for(width), row = step / SP__TILE_ROWS;
    segment s = {.b = p->u + panel * POINTS * p->k * NR, .k = p->k};
    for (int i = 0; i < POINTS; i++, s.b += p->k * room) {
        for (int r = 0; r < SP__TILE_ROWS; r++) s.a[r] = v + i * step + r * row;
        add_segments(&s, 1, p->zeros, 0, m[i], count > FEW, room > LANES);
    }
    for (int64_t r = 0; r < count; r++) {
        for (int64_t j = 0; j < width; j += LANES) {
            vector y[4];
            result_places(m[0] + r * NR + j, SP__TILE_ROWS * NR, y);
            const vector bias = *(const vector *)(p->bias + first + j);
            for (int i = 0; i < 4; i++) y[i] += bias;
            store_places(p, &at[r], first + j, y, width - j);
        }
    }
}

static void winograd_task(void *context, int64_t task)
{
    const winograd_call *p = context;
    number v[POINTS * SP__TILE_ROWS * SOURCES] __attribute__((aligned(64)));
    const int64_t row = (p->k + LANES - 1) / LANES * LANES, step = SP__TILE_ROWS * row;
    const int64_t all = p->call->batch * p->tiles[0] * p->tiles[1], each = p->chunk * SP__TILE_ROWS;
    for (int64_t tile = task * each; tile < least(all, (task + 1) * each); tile += SP__TILE_ROWS) {
        spot at[SP__TILE_ROWS];
        const int64_t count = least(all - tile, SP__TILE_ROWS);
        for (int64_t i = 0; i < SP__TILE_ROWS; i++) {
            at[i] = spot_at(p, tile + least(i, count - 1));
            transform_source(p, &at[i], v + i * row, step);
        }
        for (int64_t panel = 0; panel < p->panels; panel++) run_tiles(p, panel, at, count, v, step);
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
    p->source = units_of(source, 0);
    p->result = p->tail ? p->tail->y : forward ? call->y : call->x;
    image_strides(p->source_strides, source, 1);
    image_strides(p->strides, &p->result, 1);
    p->panels = (p->n + NR - 1) / NR;
    for (int d = 0; d < 2; d++) {
        p->axis[d] = forward ? sp__conv_forward_axis(call, d) : sp__conv_backward_axis(call, d, 0);
        const bool pooled = p->tail && p->tail->pool[d] == 2;
        p->tiles[d] = pooled ? p->axis[d].count / 2 : (p->axis[d].count + 1) / 2;
    }
    const int64_t group = POINTS * SP__TILE_ROWS * p->k * p->n;
    p->chunk = group < WORK ? WORK / group : 1;
}

static sp_status run_winograd(const sp__conv *call)
{
    winograd_call p;
    set_winograd(&p, call);
    const int64_t weights = p.panels * POINTS * p.k * NR, biases = p.panels * NR;
    const size_t bytes = (size_t)(weights + biases + SOURCES) * sizeof(number);
    number *memory = sp__scratch(bytes);
    if (!memory) return SP_ERROR_MEMORY;
    p.u = memory, p.bias = memory + weights;
    p.zeros = memset(p.bias + biases, 0, SOURCES * sizeof(number));
    const int64_t tiles = call->batch * p.tiles[0] * p.tiles[1], each = p.chunk * SP__TILE_ROWS;
    sp__flushed_tasks(p.panels * p.k, transform_weights, &p);
    sp__flushed_tasks((tiles + each - 1) / each, winograd_task, &p);
    sp_free(memory, bytes);
    return SP_OK;
}

#endif

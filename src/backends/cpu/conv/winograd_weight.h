/* The weights' gradient by minimal filtering: see winograd.h.
 *
 * k, n   channels of x and of y; a piece is up to PIECE of each
 * depth  tiles that are transformed at once
 *
 * A task is a piece of the weights and a part of the batch's tiles. It keeps the 36 products of its piece in the
 * second-level cache while the tiles pass, and writes what these say of the weights; then the parts are added in their
 * order. */
#ifndef SPUSK_CONV_WINOGRAD_WEIGHT_H
#define SPUSK_CONV_WINOGRAD_WEIGHT_H

#include "winograd_panel.h"

enum { PIECE = 64 };

typedef struct kernel_call {
    const sp__conv *call;
    tiling x, y;              /* of all channels */
    int64_t pieces[2], tiles; /* pieces of k, of n; tiles of the batch */
    int64_t parts, each;      /* tiles in a part */
    number *sums;             /* [part][TAPS][k][n's whole vectors], then [part][n's whole vectors] of the bias */
    atomic_bool failed;
} kernel_call;

/* What a task works on, and its memory. */
typedef struct kernel_piece {
    const kernel_call *p;
    tiling x, y; /* of the piece's channels */
    int64_t part, k, n, depth;
    int64_t bands, panels; /* of SP__TILE_ROWS of k, of NR of n */
    number *products;      /* [POINTS][band][panel][SP__TILE_ROWS][NR] */
    number *v, *z;         /* [POINTS][depth][channels] of x and of y */
    number *bias;          /* the sum of y; NULL: not wanted */
} kernel_piece;

/* A pair of columns of A e Aᵀ, of 4×4 places, to z, whose points lie `step` apart, column by column. */
SP__INLINE void gradient_columns(const number *e, int64_t row, int64_t column, const int pair, number *z, int64_t step)
{
    vector half[2][TILE];
    SP__UNROLL
    for (int i = 0; i < TILE; i++) {
        vector line[TILE];
        SP__UNROLL
        for (int j = 0; j < TILE; j++) line[j] = *(const vector *)(e + i * row + j * column);
        gradient_pair(line, 1, pair, &half[0][i], &half[1][i]);
    }
    SP__UNROLL
    for (int q = 0; q < 2; q++) {
        vector out[SIDE];
        gradient_line(half[q], 1, out);
        SP__UNROLL
        for (int i = 0; i < SIDE; i++) *(vector *)(z + (SIDE * row_of_pair(pair, q) + i) * step) = out[i];
    }
}

/* All columns; returns the sum of the places. */
SP__INLINE vector gradient_points(const number *e, int64_t row, int64_t column, number *z, int64_t step)
{
    vector sum = {0};
    gradient_columns(e, row, column, 0, z, step);
    gradient_columns(e, row, column, 1, z, step);
    gradient_columns(e, row, column, 2, z, step);
    SP__UNROLL
    for (int i = 0; i < TILE; i++) {
        const number *p = e + i * row;
        sum += (*(const vector *)p + *(const vector *)(p + column)) +
               (*(const vector *)(p + 2 * column) + *(const vector *)(p + 3 * column));
    }
    return sum;
}

static void transform_gradient(const tiling *t, const spot *at, number *z, int64_t step, number *bias)
{
    const int64_t first[2] = {TILE * at->h, TILE * at->w};
    const bool whole = is_whole_tile(t, first, TILE) && !t->narrow;
    const int64_t image = at->image * t->strides[0];
    const number *e = (const number *)t->source + image + first[0] * t->strides[1] + first[1] * t->strides[2];
    for (int64_t c = 0; c < t->channels; c += LANES) {
        vector places[TILE * TILE], sum;
        if (whole && c + LANES <= t->channels) {
            sum = gradient_points(e + c, t->strides[1], t->strides[2], z + c, step);
        } else {
            copy_places(t, image, first, c, TILE, places);
            sum = gradient_points((const number *)places, TILE * LANES, LANES, z + c, step);
        }
        if (bias) *(vector *)(bias + c) += sum;
    }
}

/* ---- a task ---- */

static int64_t point_step(int64_t depth, int64_t row)
{
    return depth * row + LANES;
}

static void multiply_tiles(const kernel_piece *q, int64_t count)
{
    const int64_t v_step = point_step(q->depth, q->x.row), z_step = point_step(q->depth, q->y.row);
    const int64_t tile = SP__TILE_ROWS * NR, size = q->bands * q->panels * tile;
    product one = {.depth = count, .a_row = 1, .a_depth = q->x.row, .b_depth = q->y.row};
    one.a_point = v_step, one.b_point = z_step, one.sums_point = size;
    for (int64_t panel = 0; panel < q->panels; panel++) {
        const int points = room_for(q->y.channels - panel * NR) == LANES ? 2 : 1;
        for (int i = 0; i < POINTS; i += points) {
            one.b = q->z + i * z_step + panel * NR;
            for (int64_t band = 0; band < q->bands; band++) {
                one.a = q->v + i * v_step + band * SP__TILE_ROWS;
                one.sums = q->products + i * size + (band * q->panels + panel) * tile;
                if (points == 2)
                    multiply(&one, SP__TILE_ROWS, 2, true);
                else
                    multiply(&one, SP__TILE_ROWS, 1, true);
            }
        }
    }
}

/* Gᵀ C G of the piece's products to its part's sums. */
static void finish_piece(const kernel_piece *q)
{
    const kernel_call *p = q->p;
    const int64_t size = q->bands * q->panels * SP__TILE_ROWS * NR, n = room_of(p->call->out);
    for (int64_t k = 0; k < q->x.channels; k++) {
        for (int64_t j = 0; j < q->y.channels; j += LANES) {
            const number *from = q->products +
                                 ((k / SP__TILE_ROWS * q->panels + j / NR) * SP__TILE_ROWS + k % SP__TILE_ROWS) * NR +
                                 j % NR;
            number *to = p->sums + ((q->part * TAPS) * p->call->in + q->k + k) * n + q->n + j;
            vector half[3 * SIDE], out[3];
            for (int c = 0; c < SIDE; c++) {
                vector line[SIDE];
                for (int i = 0; i < SIDE; i++) line[i] = *(const vector *)(from + (SIDE * c + i) * size);
                kernel_line(line, 1, half + 3 * c);
            }
            for (int i = 0; i < 3; i++) {
                kernel_line(half + i, 3, out);
                for (int t = 0; t < 3; t++) *(vector *)(to + (3 * i + t) * p->call->in * n) = out[t];
            }
        }
    }
}

static tiling channels_of(const tiling *all, int64_t first, int64_t count)
{
    tiling t = *all;
    t.source = (const char *)t.source + first * (t.narrow ? 2 : (int64_t)sizeof(number));
    t.channels = count;
    t.row = room_of(count);
    return t;
}

static void run_piece(kernel_piece *q)
{
    const kernel_call *p = q->p;
    const int64_t first = q->part * p->each, last = least(first + p->each, p->tiles);
    const int64_t v_step = point_step(q->depth, q->x.row), z_step = point_step(q->depth, q->y.row);
    for (int64_t tile = first; tile < last; tile += q->depth) {
        const int64_t count = least(last - tile, q->depth);
        for (int64_t i = 0; i < count; i++) {
            const spot at = spot_at(&p->y, tile + i);
            transform_source(&q->x, &at, q->v + i * q->x.row, v_step);
            transform_gradient(&q->y, &at, q->z + i * q->y.row, z_step, q->bias);
        }
        multiply_tiles(q, count);
    }
    finish_piece(q);
}

static void kernel_task(void *context, int64_t task)
{
    enum { AT_ONCE = 4096 }; /* tiles times channels, of whole vectors */
    kernel_call *p = context;
    const int64_t piece[2] = {task / p->pieces[1] % p->pieces[0], task % p->pieces[1]};
    kernel_piece q = {
        .p = p, .part = task / (p->pieces[0] * p->pieces[1]), .k = piece[0] * PIECE, .n = piece[1] * PIECE};
    q.x = channels_of(&p->x, q.k, least(p->call->in - q.k, PIECE));
    q.y = channels_of(&p->y, q.n, least(p->call->out - q.n, PIECE));
    q.bands = (q.x.channels + SP__TILE_ROWS - 1) / SP__TILE_ROWS, q.panels = (q.y.channels + NR - 1) / NR;
    q.depth = AT_ONCE / (q.x.row + q.y.row);
    const int64_t products = POINTS * q.bands * q.panels * SP__TILE_ROWS * NR;
    const int64_t v = POINTS * point_step(q.depth, q.x.row), z = POINTS * point_step(q.depth, q.y.row);
    const size_t bytes = (size_t)(products + v + z + NR) * sizeof(number);
    q.products = sp__alloc_raw(bytes);
    if (!q.products) {
        p->failed = true;
        return;
    }
    memset(q.products, 0, (size_t)products * sizeof(number));
    q.v = q.products + products, q.z = q.v + v;
    if (p->call->bias && q.k == 0) {
        q.bias = p->sums + p->parts * TAPS * p->call->in * room_of(p->call->out) + q.part * room_of(p->call->out) + q.n;
        memset(q.bias, 0, (size_t)q.y.row * sizeof(number));
    }
    run_piece(&q);
    sp_free(q.products, bytes);
}

/* ---- what the parts found ---- */

/* The sum over the parts of a vector of the sums. */
static vector add_kernel_parts(const kernel_call *p, const number *from, int64_t step)
{
    vector sum = *(const vector *)from;
    for (int64_t i = 1; i < p->parts; i++) sum += *(const vector *)(from + i * step);
    return sum;
}

/* A channel of x's and a tap's; behind the last of these the bias. */
static void finish_kernel(void *context, int64_t task)
{
    const kernel_call *p = context;
    const sp__conv *call = p->call;
    const int64_t row = room_of(call->out), rows = TAPS * call->in;
    const bool is_bias = task == rows;
    const int64_t tap = task / call->in, k = task % call->in, *strides = call->w.strides;
    const sp__operand *to = is_bias ? call->bias : &call->w;
    const int64_t first = is_bias ? 0 : k * strides[1] + tap / 3 * strides[2] + tap % 3 * strides[3];
    const number *from = p->sums + (is_bias ? p->parts * rows : task) * row;
    for (int64_t j = 0; j < call->out; j += LANES) {
        const vector sum = add_kernel_parts(p, from + j, is_bias ? row : rows * row);
        const int64_t count = call->out - j, at = first + j * to->strides[0];
        if (to->strides[0] == 1) {
            store_either(to->buffer, to->dtype == SP_BF16, to->offset + at, sum, count);
            continue;
        }
        number values[LANES];
        memcpy(values, &sum, sizeof values);
        for (int64_t i = 0; i < least(count, LANES); i++) set_number(to, at + i * to->strides[0], values[i]);
    }
}

/* ---- a call ---- */

/* Parts of the tiles, so that there is work for many threads and a part is worth its sums. */
static void cut_tiles(kernel_call *p)
{
    enum { TASKS = 16, LEAST = 128 };
    const int64_t pieces = p->pieces[0] * p->pieces[1];
    const int64_t parts = least((TASKS + pieces - 1) / pieces, (p->tiles + LEAST - 1) / LEAST);
    p->each = (p->tiles + parts - 1) / parts;
    p->parts = (p->tiles + p->each - 1) / p->each;
}

static sp_status run_winograd_weight(const sp__conv *call)
{
    kernel_call p = {.call = call};
    sp__conv_axis axis[2];
    for (int d = 0; d < 2; d++) {
        axis[d] = sp__conv_forward_axis(call, d);
        p.pieces[d] = ((d == 0 ? call->in : call->out) + PIECE - 1) / PIECE;
    }
    p.x = tiling_of(&call->x, call->in, axis);
    for (int d = 0; d < 2; d++) axis[d].delta = 0, axis[d].extent = axis[d].count;
    p.y = tiling_of(&call->y, call->out, axis);
    p.tiles = call->batch * p.y.tiles[0] * p.y.tiles[1];
    cut_tiles(&p);
    const int64_t sums = p.parts * (TAPS * call->in + 1) * room_of(call->out);
    const size_t bytes = (size_t)sums * sizeof(number);
    p.sums = sp__scratch(bytes);
    if (!p.sums) return SP_ERROR_MEMORY;
    sp__flushed_tasks(p.parts * p.pieces[0] * p.pieces[1], kernel_task, &p);
    if (!p.failed) sp__flushed_tasks(TAPS * call->in + (call->bias != NULL), finish_kernel, &p);
    sp_free(p.sums, bytes);
    return p.failed ? sp_raise(SP_ERROR_MEMORY, "no memory for a convolution's gradient") : SP_OK;
}

#endif

/* Backward-weight: the gradient of weight (o, i, tap) sums x at the tap × y over all places.
 *
 * k, n  channels of x and of y in a group; a panel is up to NR of n
 * rows  of the weights' gradient: tap by tap, k channels each
 *
 * A tile holds up to SP__TILE_ROWS rows of a panel and runs over the places of an image. A task is a panel, some tiles
 * and some of the images: the last are cut by the shape, and what each part found is added in their order. */
#ifndef SPUSK_CONV_WEIGHT_H
#define SPUSK_CONV_WEIGHT_H

#include "tail_places.h"
#include "tile.h"

enum { PLACES_AT_ONCE = 256, TILES_IN_TASK = 12 }; /* at once: of an image, of a task */

/* Rows of the gradient that run together: their reads of x, and for which places they are inside. */
typedef struct weight_tile {
    int64_t at[SP__TILE_ROWS];
    int64_t height, first; /* rows */
    int64_t from[2], to[2];
} weight_tile;

typedef struct weight_call {
    const sp__conv *call;
    int64_t k, n, rows, panels, tiles, tile_blocks;
    int64_t parts, images; /* of the batch; images in a part */
    weight_tile *tile;
    number *sums; /* [part][group][panel][tile + 1][ROWS][NR]; the last tile is for the bias */
} weight_call;

static number *sums_of(const weight_call *p, int64_t part, int64_t group, int64_t panel, int64_t tile)
{
    return p->sums +
           (((part * p->call->groups + group) * p->panels + panel) * (p->tiles + 1) + tile) * SP__TILE_ROWS * NR;
}

/* The places [h0, h1) × [w0, w1) of one image of y against one tile of rows. */
static void run_weight_tile(const weight_tile *t, const number *x, field f, const int64_t *from, const int64_t *to,
                            bool wide, number *sums)
{
    int64_t first[2], last[2];
    for (int d = 0; d < 2; d++) {
        first[d] = from[d] > t->from[d] ? from[d] : t->from[d];
        last[d] = to[d] < t->to[d] ? to[d] : t->to[d];
        if (first[d] >= last[d]) return;
    }
    f.rows = last[0] - first[0], f.columns = (last[1] - first[1] + STEP - 1) / STEP;
    f.b += (first[0] - from[0]) * f.b_row + (first[1] - from[1]) * f.b_column;
    x += first[0] * f.a_row + first[1] * f.a_column;
    f.a_column *= STEP;
    for (int i = 0; i < SP__TILE_ROWS; i++) f.a[i] = x + t->at[i];
    add_field(&f, sums, t->height > FEW, wide);
}

/* The sum of y over places, for the bias. */
static void sum_places(const field *f, const int64_t *from, const int64_t *to, int vectors, number *sums)
{
    vector sum[2] = {{0}};
    for (int v = 0; v < vectors; v++) sum[v] = *(const vector *)(sums + v * LANES);
    for (int64_t h = 0; h < to[0] - from[0]; h++) {
        const number *b = f->b + h * f->b_row;
        for (int64_t w = 0; w < to[1] - from[1]; w += STEP, b += f->b_column)
            for (int v = 0; v < vectors; v++) sum[v] = multiply_add(sum[v], ones(), *(const vector *)(b + v * LANES));
    }
    for (int v = 0; v < vectors; v++) *(vector *)(sums + v * LANES) = sum[v];
}

/* Places [from, to) of y from the channel at `y` on: columns side by side in whole vectors, with zeros behind those
 * that are not y's. */
static void pack_places(const sp__conv *call, const element *y, const int64_t *from, const int64_t *to, int64_t width,
                        int64_t room, number *out)
{
    const int64_t row = call->y.strides[2], column = call->y.strides[3];
    for (int64_t h = from[0]; h < to[0]; h++) {
        for (int64_t w = from[1]; w < to[1]; w += STEP, out += room) {
            for (int64_t j = 0; j < room; j += LANES)
                *(vector *)(out + j) = width > j ? across(y + h * row + w * column + j, column, width - j, to[1] - w)
                                                 : (vector){0};
        }
    }
}

typedef struct weight_piece {
    const weight_call *p;
    int64_t group, panel, width, room;
    int64_t first, last; /* tiles */
    int64_t part;
    bool bias;
} weight_piece;

/* Places [from, to) of an image: all tiles of the task, and the bias. */
static void run_places(const weight_piece *q, int64_t image, const int64_t *from, const int64_t *to)
{
    const weight_call *p = q->p;
    const sp__conv *call = p->call;
    number packed[PLACES_AT_ONCE * NR] __attribute__((aligned(64)));
    const int64_t channel = q->group * p->n + q->panel * NR;
    const number *x = (const number *)call->x.buffer + call->x.offset + q->group * p->k * call->x.strides[1] +
                      image * call->x.strides[0];
    const element *y = call->tail ? NULL
                                  : (const element *)call->y.buffer + call->y.offset + channel * call->y.strides[1] +
                                        image * call->y.strides[0];
    field f = {.a_row = call->stride[0] * call->x.strides[2],
               .a_column = call->stride[1] * call->x.strides[3],
               .b = packed,
               .b_row = (to[1] - from[1] + STEP - 1) / STEP * q->room,
               .b_column = q->room};
    if (STEP == 1 && call->tail) {
        expand_places(call, image, channel, q->width, from, to, q->room, packed);
    } else if (STEP > 1 || q->width < q->room) {
        pack_places(call, y, from, to, q->width, q->room, packed);
    } else {
        f.b_row = call->y.strides[2], f.b_column = call->y.strides[3];
        f.b = (const number *)(const void *)(y + from[0] * f.b_row + from[1] * f.b_column);
    }
    const bool wide = q->room > LANES;
    for (int64_t i = q->first; i < q->last; i++) {
        number *sums = sums_of(p, q->part, q->group, q->panel, i);
        run_weight_tile(&p->tile[i], x, f, from, to, wide, sums);
    }
    if (q->bias) sum_places(&f, from, to, wide ? 2 : 1, sums_of(p, q->part, q->group, q->panel, p->tiles));
}

static void run_image(const weight_piece *q, int64_t image)
{
    const sp__conv *call = q->p->call;
    int64_t step[2], from[2], to[2];
    cut_places(call, PLACES_AT_ONCE, step);
    for (from[0] = 0; from[0] < call->out_size[0]; from[0] = to[0]) {
        to[0] = least(from[0] + step[0], call->out_size[0]);
        for (from[1] = 0; from[1] < call->out_size[1]; from[1] = to[1]) {
            to[1] = least(from[1] + step[1], call->out_size[1]);
            run_places(q, image, from, to);
        }
    }
}

static void weight_task(void *context, int64_t task)
{
    const weight_call *p = context;
    const int64_t block = task % p->tile_blocks, rest = task / p->tile_blocks;
    weight_piece q = {.p = p, .panel = rest % p->panels, .group = rest / p->panels % p->call->groups};
    q.part = rest / (p->panels * p->call->groups);
    q.first = block * TILES_IN_TASK, q.last = least(q.first + TILES_IN_TASK, p->tiles);
    q.width = least(p->n - q.panel * NR, NR);
    q.room = room_for(q.width);
    q.bias = block == 0 && p->call->bias;
    const size_t tile = (size_t)(SP__TILE_ROWS * NR) * sizeof(number);
    memset(sums_of(p, q.part, q.group, q.panel, q.first), 0, (size_t)(q.last - q.first) * tile);
    if (q.bias) memset(sums_of(p, q.part, q.group, q.panel, p->tiles), 0, tile);
    const int64_t first = q.part * p->images, last = least(first + p->images, p->call->batch);
    for (int64_t image = first; image < last; image++) run_image(&q, image);
}

/* ---- what the parts found ---- */

static void add_parts(const weight_call *p, int64_t group, int64_t panel, int64_t tile, int64_t row, int64_t count,
                      number *sum)
{
    for (int64_t j = 0; j < NR; j++) sum[j] = 0;
    for (int64_t part = 0; part < p->parts; part++) {
        const number *from = sums_of(p, part, group, panel, tile) + row * NR;
        for (int64_t j = 0; j < count; j++) sum[j] += from[j];
    }
}

/* Writes the gradients of a tile, the bias's behind the last. */
static void finish_task(void *context, int64_t task)
{
    const weight_call *p = context;
    const sp__conv *call = p->call;
    const int64_t tile = task % (p->tiles + 1), panel = task / (p->tiles + 1) % p->panels;
    const int64_t group = task / ((p->tiles + 1) * p->panels), o = group * p->n + panel * NR;
    const int64_t width = least(p->n - panel * NR, NR);
    number sum[NR];
    if (tile == p->tiles) {
        if (!call->bias) return;
        add_parts(p, group, panel, tile, 0, width, sum);
        for (int64_t j = 0; j < width; j++) set_number(call->bias, (o + j) * call->bias->strides[0], sum[j]);
        return;
    }
    const int64_t *strides = call->w.strides;
    for (int64_t i = 0; i < p->tile[tile].height; i++) {
        const int64_t row = p->tile[tile].first + i, tap = row / p->k, channel = row % p->k;
        add_parts(p, group, panel, tile, i, width, sum);
        const int64_t at = o * strides[0] + channel * strides[1] + tap / call->kernel[1] * strides[2] +
                           tap % call->kernel[1] * strides[3];
        for (int64_t j = 0; j < width; j++) set_number(&call->w, at + j * strides[0], sum[j]);
    }
}

/* ---- setting up ---- */

/* Cuts the rows into tiles: across taps where all taps are always inside, else tap by tap. */
static int64_t cut_rows(const weight_call *p, weight_tile *tiles)
{
    const sp__conv *call = p->call;
    const bool padded = sp__conv_is_padded(call);
    int64_t n = 0;
    for (int64_t row = 0, height; row < p->rows; row += height, n++) {
        const int64_t end = padded ? (row / p->k + 1) * p->k : p->rows;
        height = least(end - row, SP__TILE_ROWS);
        if (!tiles) continue;
        weight_tile *t = &tiles[n];
        t->first = row, t->height = height;
        for (int64_t i = 0; i < SP__TILE_ROWS; i++) {
            const int64_t r = i < height ? row + i : row, tap = r / p->k;
            t->at[i] = (tap / call->kernel[1] * call->dilation[0] - call->padding[0]) * call->x.strides[2] +
                       (tap % call->kernel[1] * call->dilation[1] - call->padding[1]) * call->x.strides[3] + r % p->k;
        }
        const int64_t tap[2] = {row / p->k / call->kernel[1], row / p->k % call->kernel[1]};
        for (int d = 0; d < 2; d++) {
            t->from[d] = 0, t->to[d] = call->out_size[d];
            if (padded) sp__conv_reach(call, d, tap[d], &t->from[d], &t->to[d]);
        }
    }
    return n;
}

/* The tasks of a part where tiles are of 8 rows and 128 bytes of columns. */
static int64_t count_tasks(const weight_call *p)
{
    enum { ROWS = 8, COLUMNS = 128 / sizeof(number), IN_TASK = ROWS * TILES_IN_TASK };
    const int64_t taps = p->call->kernel[0] * p->call->kernel[1];
    const int64_t rows = sp__conv_is_padded(p->call) ? taps * ((p->k + ROWS - 1) / ROWS * ROWS) : p->rows;
    const int64_t blocks = rows ? (rows + IN_TASK - 1) / IN_TASK : 1;
    return blocks * ((p->n + COLUMNS - 1) / COLUMNS) * p->call->groups;
}

/* Parts of the batch, so that there is work for many threads and a part is worth its sums. Each part is a sum of its
 * own, so they must not depend on the level, as its tiles do. */
static void cut_images(weight_call *p)
{
    enum { TASKS = 24 };
    const int64_t tasks = count_tasks(p);
    int64_t parts = tasks >= TASKS ? 1 : (TASKS + tasks - 1) / tasks;
    const int64_t places = p->call->out_size[0] * p->call->out_size[1];
    const int64_t least = places >= 1024 ? 1 : 1024 / (places ? places : 1); /* images */
    p->images = (p->call->batch + parts - 1) / parts;
    if (p->images < least) p->images = least;
    if (p->images < 1) p->images = 1;
    p->parts = (p->call->batch + p->images - 1) / p->images;
}

static sp_status run_weight(const sp__conv *call)
{
    weight_call p = {.call = call, .k = call->in / call->groups, .n = call->out / call->groups};
    p.rows = p.k * call->kernel[0] * call->kernel[1];
    p.panels = (p.n + NR - 1) / NR;
    p.tiles = cut_rows(&p, NULL);
    p.tile_blocks = (p.tiles + TILES_IN_TASK - 1) / TILES_IN_TASK;
    if (p.tile_blocks == 0) p.tile_blocks = 1; /* no channels of x: the bias alone */
    cut_images(&p);
    const size_t for_tiles = ((size_t)p.tiles * sizeof(weight_tile) + 63) / 64 * 64;
    const int64_t sums = p.parts * call->groups * p.panels * (p.tiles + 1) * SP__TILE_ROWS * NR;
    const size_t bytes = for_tiles + (size_t)sums * sizeof(number);
    char *scratch = sp__scratch(bytes);
    if (!scratch) return SP_ERROR_MEMORY;
    p.tile = (weight_tile *)(void *)scratch;
    p.sums = (number *)(void *)(scratch + for_tiles);
    cut_rows(&p, p.tile);
    sp__flushed_tasks(p.parts * call->groups * p.panels * p.tile_blocks, weight_task, &p);
    sp__flushed_tasks(call->groups * p.panels * (p.tiles + 1), finish_task, &p);
    sp_free(scratch, bytes);
    return SP_OK;
}

#endif

/* The direct loop: forward and backward-data, each place of the result from what its taps read of the source.
 *
 * k     channels of the source that are summed over, those of one group, by STEP
 * n     columns: channels of the result, those of one group; a panel is up to NR of them
 * room  a panel's columns in memory: one or two whole vectors
 *
 * A tile's rows are places of the result: the same place in several images, so that all their taps are inside or
 * outside together and those outside cost nothing; or, where images are few, places one after the other, for which a
 * row of zeros stands in for what lies outside. Where a maximum is taken over windows, a row is a window, and the
 * places of the windows come in turn. */
#ifndef SPUSK_CONV_DIRECT_TILE_H
#define SPUSK_CONV_DIRECT_TILE_H

#include "tail.h"
#include "tile.h"

/* Taps that read inside the source. */
typedef struct tap_range {
    int32_t from, to;
} tap_range;

/* The places of the result that the same taps reach, of one group of channels. */
typedef struct sweep {
    const number *source;
    void *result;
    bool narrow; /* the result is bf16 */
    uint8_t *where;
    int64_t source_strides[3], result_strides[3], where_strides[3]; /* image, row, column; channels lie side by side */
    sp__conv_axis axis[2];
    const tap_range *inside[2];    /* by place */
    int64_t windows[2], window[2]; /* of the result; places of a window */
    int64_t k, n, panels;
    bool relu;
    const int64_t *column; /* where each column of the result goes; the last is followed by NR more */
    const number *b;       /* [panel][taps][k][room] */
    const number *bias;    /* [panel][NR]; zeros where there is none */
    const number *zeros;   /* k of them */
    bool apart;            /* a weight is not finite: zeros times it are not zeros, so a tile has one place's rows */
} sweep;

enum { SEGMENTS = 16, WINDOW = 16 };

typedef struct direct_tile {
    const sweep *g;
    int64_t height, first, width, room; /* rows; columns */
    const number *b, *bias;
    int64_t at[SP__TILE_ROWS]; /* of the first place's tap 0 in the source */
    int64_t place[2][SP__TILE_ROWS], out[SP__TILE_ROWS], where[SP__TILE_ROWS];
    bool same; /* all rows are the same place, of several images */
    int64_t used;
    bool begun;
    segment segments[SEGMENTS];
    number sums[WINDOW][SP__TILE_ROWS * NR] __attribute__((aligned(64))); /* by place of the window */
} direct_tile;

/* ---- sums ---- */

static void flush_segments(direct_tile *t, number *sums)
{
    add_segments(t->segments, t->used, t->begun ? sums : t->bias, t->begun ? NR : 0, sums, t->height > FEW,
                 t->room > LANES);
    t->begun = true;
    t->used = 0;
}

/* What a place of the window adds to all rows: its taps, and how many of them lie side by side. */
typedef struct visit {
    int64_t at;                         /* from the window's first place, in the source */
    int64_t from[2], to[2];             /* taps that some row needs */
    tap_range inside[2][SP__TILE_ROWS]; /* each row's */
    bool agree;                         /* they need the same */
} visit;

SP__INLINE void add_segment(direct_tile *t, const visit *v, int64_t h, int64_t w, int64_t taps, number *sums)
{
    const sweep *g = t->g;
    if (t->used == SEGMENTS) flush_segments(t, sums);
    segment *s = &t->segments[t->used++];
    const number *source = g->source + v->at + h * g->axis[0].dilation * g->source_strides[1] +
                           w * g->axis[1].dilation * g->source_strides[2];
    s->k = taps * g->k;
    s->b = t->b + (h * g->axis[1].taps + w) * g->k * t->room;
    for (int i = 0; i < SP__TILE_ROWS; i++) s->a[i] = source + t->at[i];
    for (int i = 0; !v->agree && i < SP__TILE_ROWS; i++) {
        const tap_range *ih = &v->inside[0][i], *iw = &v->inside[1][i];
        if (h < ih->from || h >= ih->to || w < iw->from || w >= iw->to) s->a[i] = g->zeros;
    }
}

static void visit_rows(const direct_tile *t, const int64_t *place, visit *v)
{
    const sweep *g = t->g;
    v->agree = true;
    for (int d = 0; d < 2; d++) {
        const tap_range *inside = g->inside[d] + place[d];
        const tap_range first = inside[t->place[d][0]];
        v->from[d] = first.from, v->to[d] = first.to;
        for (int i = 0; !t->same && i < SP__TILE_ROWS; i++) {
            const tap_range one = v->inside[d][i] = inside[t->place[d][i]];
            if (one.from != first.from || one.to != first.to) v->agree = false;
            if (one.from < v->from[d]) v->from[d] = one.from;
            if (one.to > v->to[d]) v->to[d] = one.to;
        }
    }
    v->at = place[0] * g->axis[0].advance * g->source_strides[1] + place[1] * g->axis[1].advance * g->source_strides[2];
}

/* The sums of all rows at one place of their windows. */
static void sum_place(direct_tile *t, const int64_t *place, number *sums)
{
    const sweep *g = t->g;
    visit v;
    visit_rows(t, place, &v);
    t->used = 0;
    t->begun = false;
    const bool side_by_side = v.agree && g->axis[1].dilation == 1 && g->source_strides[2] == g->k;
    const int64_t step = side_by_side && v.to[1] > v.from[1] ? v.to[1] - v.from[1] : 1;
    for (int64_t h = v.from[0]; h < v.to[0]; h++) {
        for (int64_t w = v.from[1]; w < v.to[1]; w += step) add_segment(t, &v, h, w, step, sums);
    }
    if (t->used || !t->begun) flush_segments(t, sums);
}

/* ---- results ---- */

/* Whether the columns of a vector, of which `count` count, lie side by side in the result. */
SP__INLINE bool is_side_by_side(const int64_t *column, int64_t count)
{
    const int64_t last = least(count, LANES) - 1;
    return column[last] - column[0] == last;
}

/* A vector of columns from the j-th on, of which the first `count` count, at a place of the result. */
SP__INLINE void store_columns(const sweep *g, int64_t at, int64_t j, vector x, int64_t count)
{
    const int64_t *column = g->column + j;
    if (is_side_by_side(column, count)) {
        store_either(g->result, g->narrow, at + column[0], x, count);
        return;
    }
    number values[LANES];
    memcpy(values, &x, sizeof values);
    for (int64_t i = 0; i < least(count, LANES); i++) put_number(g->result, g->narrow, at + column[i], values[i]);
}

static void store_maximum(const direct_tile *t, int row, int64_t j, int64_t places)
{
    const sweep *g = t->g;
    mask at;
    const vector best = maximum_of(t->sums[0] + row * NR + j, SP__TILE_ROWS * NR, places, g->relu, &at);
    store_columns(g, t->out[row], t->first + j, best, t->width - j);
    store_where(g->where + t->where[row] + t->first + j, at, t->width - j);
}

/* The rows' j-th vector of columns, where no maximum is taken. */
SP__INLINE void store_rows(const direct_tile *t, int64_t j)
{
    const sweep *g = t->g;
    const int64_t count = t->width - j, *column = g->column + t->first + j;
    const bool whole = count >= LANES && is_side_by_side(column, count) && !g->narrow;
    for (int64_t row = 0; row < t->height; row++) {
        const vector x = positive(*(const vector *)(t->sums[0] + row * NR + j), g->relu);
        if (whole)
            *(vector *)((number *)g->result + t->out[row] + column[0]) = x;
        else
            store_columns(g, t->out[row], t->first + j, x, count);
    }
}

static void store_tile(const direct_tile *t)
{
    const int64_t places = t->g->window[0] * t->g->window[1];
    for (int64_t j = 0; j < t->width; j += LANES) {
        if (!t->g->where) store_rows(t, j);
        for (int row = 0; t->g->where && row < t->height; row++) store_maximum(t, row, j, places);
    }
}

/* The sums of a tile's places, and its results. */
static void run_direct_tile(direct_tile *t)
{
    const sweep *g = t->g;
    int64_t place[2], p = 0;
    for (place[0] = 0; place[0] < g->window[0]; place[0]++)
        for (place[1] = 0; place[1] < g->window[1]; place[1]++) sum_place(t, place, t->sums[p++]);
    store_tile(t);
}

/* Where the window (h, w) of an image begins: in the source, in the result, in the maxima's places. */
typedef struct origin {
    int64_t at, out, where;
} origin;

SP__INLINE origin origin_of(const sweep *g, int64_t h, int64_t w)
{
    const sp__conv_axis *a = g->axis;
    const int64_t row = h * g->window[0], column = w * g->window[1];
    return (origin){.at = (row * a[0].advance + a[0].delta) * g->source_strides[1] +
                          (column * a[1].advance + a[1].delta) * g->source_strides[2],
                    .out = (a[0].first + h * a[0].step) * g->result_strides[1] +
                           (a[1].first + w * a[1].step) * g->result_strides[2],
                    .where = h * g->where_strides[1] + w * g->where_strides[2]};
}

/* Row i of the tile: the window that begins at `from` in an image. */
SP__INLINE void set_row(direct_tile *t, int64_t i, int64_t image, const origin *from)
{
    t->at[i] = image * t->g->source_strides[0] + from->at;
    t->out[i] = image * t->g->result_strides[0] + from->out;
    t->where[i] = image * t->g->where_strides[0] + from->where;
}

/* As many images as a tile has rows, from `image` on: each tile is one window of them. */
static void run_images(direct_tile *t, int64_t image, int64_t h, int64_t h_end)
{
    const sweep *g = t->g;
    t->height = SP__TILE_ROWS;
    t->same = true;
    for (; h < h_end; h++) {
        for (int64_t w = 0; w < g->windows[1]; w++) {
            const origin from = origin_of(g, h, w);
            for (int64_t i = 0; i < SP__TILE_ROWS; i++) set_row(t, i, image + i, &from);
            t->place[0][0] = h * g->window[0], t->place[1][0] = w * g->window[1];
            run_direct_tile(t);
        }
    }
}

/* Whatever rows the tile has got; what is missing is done as the first. */
static void run_some_rows(direct_tile *t)
{
    const int64_t last = t->height - 1; /* rows come in order, so the first and the last show whether all are one */
    t->same = t->place[0][0] == t->place[0][last] && t->place[1][0] == t->place[1][last];
    for (int64_t i = t->height; i < SP__TILE_ROWS; i++) {
        t->at[i] = t->at[0];
        t->place[0][i] = t->place[0][0], t->place[1][i] = t->place[1][0];
    }
    run_direct_tile(t);
    t->height = 0;
}

/* Fewer images: windows of one image after the other. */
static void run_few_images(direct_tile *t, int64_t image, int64_t last, int64_t h, int64_t h_end)
{
    const sweep *g = t->g;
    t->height = 0;
    for (; h < h_end; h++) {
        for (int64_t w = 0; w < g->windows[1]; w++) {
            const origin from = origin_of(g, h, w);
            for (int64_t i = image; i < last; i++) {
                t->place[0][t->height] = h * g->window[0], t->place[1][t->height] = w * g->window[1];
                set_row(t, t->height++, i, &from);
                if (t->height == SP__TILE_ROWS || (g->apart && i + 1 == last)) run_some_rows(t);
            }
        }
    }
    if (t->height) run_some_rows(t);
}

/* Images [image, last), rows of windows [h, h_end), one panel. */
static void run_sweep(const sweep *g, int64_t panel, int64_t image, int64_t last, int64_t h, int64_t h_end)
{
    direct_tile t;
    t.g = g;
    t.first = panel * NR;
    t.width = g->n - t.first < NR ? g->n - t.first : NR;
    t.room = room_for(t.width);
    t.b = g->b + panel * g->axis[0].taps * g->axis[1].taps * g->k * NR;
    t.bias = g->bias + t.first;
    if (h_end > g->windows[0]) h_end = g->windows[0];
    if (last - image == SP__TILE_ROWS)
        run_images(&t, image, h, h_end);
    else
        run_few_images(&t, image, last, h, h_end);
}

#endif

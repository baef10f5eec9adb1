/* What convolution channel by channel makes at a time: a strip of results.
 *
 * k, n    channels of the source and of the result in a group
 * strip   results that are made together, and the weights for them. Its layers are what is summed over beside the taps:
 *         BY_CHANNEL   many groups: a block of the result's channels, each lane of which multiplies its own channel of
 *                      the source; a layer for each of the k channels of a group
 *         NARROW       one group: one channel of the result; its layers are the source's blocks, whose lanes are added
 *                      up at the end, in an order that no level changes
 *         SHALLOW      one group: a block of the result's channels, which all multiply the same number of the source;
 *                      a layer for each of its k channels */
#ifndef SPUSK_CONV_CHANNEL_STRIP_H
#define SPUSK_CONV_CHANNEL_STRIP_H

#include "channel_tile.h"
#include "slots.h"

typedef enum channel_mode { BY_CHANNEL, NARROW, SHALLOW } channel_mode;

/* The places that the same taps reach. */
typedef struct channel_sweep {
    sp__conv_axis axis[2];
    const number *w; /* [strip][layer][tap][CHANNELS] */
} channel_sweep;

typedef struct channel_call {
    const sp__conv *call;
    channel_mode mode;
    int64_t unit; /* numbers of a place of the copied source */
    sp__operand source, result;
    int64_t source_size[2], size[2]; /* of the source; of the result */
    int64_t source_channels, channels, k, n;
    int64_t layers, strips, strips_in_task, chunk, chunks;
    int64_t window[2]; /* of which the maximum is taken */
    channel_sweep *sweeps;
    int64_t n_sweeps;
    const number *bias; /* [strip][CHANNELS] */
    slots slots;
} channel_call;

/* ---- a strip ---- */

/* A strip of a sweep in hand. */
typedef struct channel_strip {
    const channel_call *all;
    const channel_sweep *g;
    int64_t strip, image;
    channel_window window; /* of the source, which lies in x */
    const number *x, *w;
    channel_reads reads;
    number *rows; /* of a window's places: [row][place][CHANNELS] */
} channel_strip;

/* Sums of NARROW: places of a row that lie `step` apart in the result, the first at `at`. */
static void store_lanes(const channel_strip *t, const number *blocks, int64_t at, int64_t step, int64_t places)
{
    const channel_call *all = t->all;
    const bool relu = all->call->tail && all->call->tail->relu;
    number sums[MANY];
    for (int64_t i = 0; i < places; i += 4) add_lanes(blocks + i * CHANNELS, sums + i);
    for (int64_t i = 0; i < places; i++) {
        const number x = sums[i] + all->bias[t->strip * CHANNELS];
        put_number(all->result.buffer, all->result.dtype == SP_BF16, at + t->strip + i * step, relu && x < 0 ? 0 : x);
    }
}

/* At most MANY of a row. */
static void store_channels(const channel_strip *t, const number *blocks, int64_t at, int64_t step, int64_t places)
{
    const channel_call *all = t->all;
    const int64_t channel = t->strip * CHANNELS, width = least(all->channels - channel, CHANNELS);
    if (all->mode == NARROW) {
        store_lanes(t, blocks, at, step, places);
        return;
    }
    for (int64_t i = 0; i < places; i++)
        for (int64_t j = 0; j < width; j += LANES)
            store_either(all->result.buffer, all->result.dtype == SP_BF16, at + channel + i * step + j,
                         *(const vector *)(blocks + i * CHANNELS + j), width - j);
}

/* As many places of a row from x on as a tile of `places` has, into memory `step` apart. */
static void sum_places_of(const channel_strip *t, const number *x, int64_t places, number *to, int64_t step)
{
    for (int v = 0; v < VECTORS; v++) {
        const number *bias = t->all->bias + t->strip * CHANNELS + v * LANES;
        vector start = {0};
        if (t->all->mode != NARROW) start = *(const vector *)bias;
        sum_tile(&t->reads, t->reads.repeats ? x : x + v * LANES, t->w + v * LANES, start, places, to + v * LANES,
                 step);
    }
}

/* What the first tap of the first place of row q reads. */
static const number *read_at(const channel_strip *t, int64_t q)
{
    const sp__conv_axis *a = t->g->axis;
    if (a[0].taps * a[1].taps == 0) return t->x;
    const int64_t h = q * a[0].advance + a[0].delta - t->window.from[0], left = a[1].delta - t->window.from[1];
    return t->x + (h * (t->window.to[1] - t->window.from[1]) + left) * t->all->unit;
}

/* Row q of the sweep. */
static void run_channel_row(const channel_strip *t, int64_t q)
{
    const channel_call *all = t->all;
    const sp__conv_axis *a = t->g->axis;
    const int64_t *s = all->result.strides, step = a[1].step * s[3], count = a[1].count, channel = t->strip * CHANNELS;
    const int64_t first = all->result.offset + t->image * s[0] + (a[0].first + q * a[0].step) * s[2] +
                          a[1].first * s[3];
    const bool direct = all->mode != NARROW && all->result.dtype != SP_BF16 && all->channels - channel >= CHANNELS;
    number blocks[MANY * CHANNELS] __attribute__((aligned(64)));
    const number *x = read_at(t, q);
    for (int64_t p = 0, tile; p < count; p += tile, x += tile * t->reads.place) {
        tile = tile_for(count - p);
        const int64_t places = least(count - p, tile), at = first + p * step;
        if (direct && places == tile) {
            sum_places_of(t, x, tile, (number *)all->result.buffer + at + channel, step);
            continue;
        }
        sum_places_of(t, x, tile, blocks, CHANNELS);
        store_channels(t, blocks, at, step, places);
    }
}

/* Rows [from, to) of the result that belong to the sweep. */
static void run_channel_rows(const channel_strip *t, const int64_t *rows)
{
    const sp__conv_axis *a = &t->g->axis[0];
    const int64_t first = rows[0] > a->first ? (rows[0] - a->first + a->step - 1) / a->step : 0;
    for (int64_t q = first; q < a->count && a->first + q * a->step < rows[1]; q++) run_channel_row(t, q);
}

/* ---- windows ---- */

/* Places of a row in whole tiles. */
static int64_t places_in_tiles(const channel_call *all)
{
    return (all->size[1] + PLACES - 1) / PLACES * PLACES;
}

/* The maxima of the windows whose places lie in t->rows. */
static void store_windows(const channel_strip *t, int64_t h)
{
    const channel_call *all = t->all;
    const sp__conv_tail *tail = all->call->tail;
    const int64_t *pool = tail->pool, row = places_in_tiles(all) * CHANNELS, channel = t->strip * CHANNELS;
    const int64_t width = least(all->channels - channel, CHANNELS);
    const int64_t *s = all->result.strides, *ws = tail->where.strides;
    for (int64_t w = 0; w < all->size[1] / pool[1]; w++) {
        const number *from = t->rows + w * pool[1] * CHANNELS;
        const int64_t at = all->result.offset + t->image * s[0] + h * s[2] + w * s[3] + channel;
        uint8_t *where = (uint8_t *)tail->where.buffer + tail->where.offset + t->image * ws[0] + h * ws[2] + w * ws[3] +
                         channel;
        for (int64_t j = 0; j < width; j += LANES) {
            mask which;
            const vector best = pool[0] == 2 && pool[1] == 2
                                    ? maximum_of_rows(from + j, row, CHANNELS, 2, 2, tail->relu, &which)
                                    : maximum_of_rows(from + j, row, CHANNELS, pool[0], pool[1], tail->relu, &which);
            store_either(all->result.buffer, all->result.dtype == SP_BF16, at + j, best, width - j);
            store_where(where + j, which, width - j);
        }
    }
}

/* The windows that begin in rows [from, to) of the convolution. */
static void run_windows(const channel_strip *t, const int64_t *rows)
{
    const channel_call *all = t->all;
    const int64_t places = places_in_tiles(all);
    for (int64_t h = rows[0] / all->window[0]; (h + 1) * all->window[0] <= rows[1]; h++) {
        for (int64_t i = 0; i < all->window[0]; i++) {
            const number *x = read_at(t, h * all->window[0] + i);
            for (int64_t p = 0, tile; p < places; p += tile) {
                tile = tile_for(places - p);
                sum_places_of(t, x + p * t->reads.place, tile, t->rows + (i * places + p) * CHANNELS, CHANNELS);
            }
        }
        store_windows(t, h);
    }
}

#endif

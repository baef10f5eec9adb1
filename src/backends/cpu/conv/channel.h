/* Forward and backward-data channel by channel: from images copied with zeros around, so that no loop has borders, a
 * row's places at a time.
 *
 * k, n    channels of the source and of the result in a group
 * strip   results that are made together, and the weights for them. Its layers are what is summed over beside the taps:
 *         BY_CHANNEL   many groups: a block of the result's channels, each lane of which multiplies its own channel of
 *                      the source; a layer for each of the k channels of a group
 *         NARROW  one group: one channel of the result; its layers are the source's blocks, whose lanes are added
 *                      up at the end, in an order that no level changes
 *         SHALLOW  one group: a block of the result's channels, which all multiply the same number of the source;
 *                      a layer for each of its k channels
 *
 * A task is an image, some rows of the result and a strip, or all strips where they read the same. */
#ifndef SPUSK_CONV_CHANNEL_H
#define SPUSK_CONV_CHANNEL_H

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

/* ---- weights ---- */

/* The weight between a channel of the result and the j-th of its group's source, at the first tap. */
static int64_t weight_at(const channel_call *all, int64_t channel, int64_t j)
{
    const int64_t *s = all->call->w.strides;
    if (all->call->kind == SP__CONV_FORWARD) return channel * s[0] + j * s[1];
    return (channel / all->n * all->k + j) * s[0] + channel % all->n * s[1];
}

/* A lane of a layer's weights at all taps of a sweep. */
static void pack_lane(const channel_call *all, const channel_sweep *g, int64_t at, bool some, number *out)
{
    const sp__conv_axis *a = g->axis;
    const int64_t *s = all->call->w.strides;
    for (int64_t h = 0; h < a[0].taps; h++) {
        for (int64_t w = 0; w < a[1].taps; w++, out += CHANNELS) {
            const int64_t tap = (a[0].tap + h * a[0].tap_step) * s[2] + (a[1].tap + w * a[1].tap_step) * s[3];
            *out = some ? get_number(&all->call->w, at + tap) : 0;
        }
    }
}

/* A strip's weights for a sweep. */
static void pack_strip(void *context, int64_t task)
{
    const channel_call *all = context;
    const channel_sweep *g = &all->sweeps[task / all->strips];
    const int64_t strip = task % all->strips, size = all->layers * g->axis[0].taps * g->axis[1].taps * CHANNELS;
    number *out = (number *)(uintptr_t)g->w + strip * size;
    for (int64_t layer = 0; layer < all->layers; layer++, out += size / all->layers) {
        for (int64_t i = 0; i < CHANNELS; i++) {
            const bool few = all->mode == NARROW;
            const int64_t channel = few ? strip : strip * CHANNELS + i, j = few ? layer * CHANNELS + i : layer;
            const bool some = channel < all->channels && j < all->k;
            pack_lane(all, g, some ? weight_at(all, channel, j) : 0, some, out + i);
        }
    }
}

static void pack_bias(const channel_call *all)
{
    const sp__operand *bias = all->call->bias;
    number *out = (number *)(uintptr_t)all->bias;
    for (int64_t i = 0; i < all->strips * CHANNELS; i++) {
        const int64_t channel = all->mode == NARROW ? i / CHANNELS : i;
        out[i] = bias && channel < all->channels ? get_number(bias, channel * bias->strides[0]) : 0;
    }
}

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
        const vector start = t->all->mode == NARROW ? (vector){0} : *(const vector *)bias;
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

/* ---- tasks ---- */

/* What of the source a sweep reads for rows [from, to) of the result. */
static void widen_window(const channel_sweep *g, const int64_t *rows, channel_window *window)
{
    for (int d = 0; d < 2; d++) {
        const sp__conv_axis *a = &g->axis[d];
        const int64_t from = d == 0 && rows[0] > a->first ? (rows[0] - a->first + a->step - 1) / a->step : 0;
        const int64_t end = d == 0 ? (rows[1] - a->first + a->step - 1) / a->step : a->count;
        const int64_t last = least(end, a->count) - 1;
        if (last < from || g->axis[0].taps * g->axis[1].taps == 0) continue;
        const int64_t low = from * a->advance + a->delta;
        const int64_t high = last * a->advance + a->delta + (a->taps - 1) * a->dilation + 1;
        const bool none = window->from[d] >= window->to[d];
        if (none || low < window->from[d]) window->from[d] = low;
        if (none || high > window->to[d]) window->to[d] = high;
    }
}

static channel_window window_for(const channel_call *all, const int64_t *rows)
{
    channel_window window = {{0, 0}, {0, 0}};
    for (int64_t i = 0; i < all->n_sweeps; i++) widen_window(&all->sweeps[i], rows, &window);
    return window;
}

static int64_t window_numbers(const channel_call *all, const channel_window *w)
{
    return (w->to[0] - w->from[0]) * (w->to[1] - w->from[1]) * all->unit;
}

static void copy_layers(const channel_call *all, int64_t strip, int64_t image, const channel_window *window, number *x)
{
    for (int64_t layer = 0; layer < all->layers; layer++, x += window_numbers(all, window)) {
        channel_map maps[VECTORS];
        const bool few = all->mode == NARROW;
        if (all->mode == SHALLOW) {
            copy_plane(&all->source, all->source_size, image, layer, window, x);
            continue;
        }
        for (int v = 0; v < VECTORS; v++) {
            const int64_t lane = (few ? layer : strip) * CHANNELS + v * LANES;
            maps[v] = map_channels(lane, few ? 1 : all->n, few ? 1 : all->k, few ? 0 : layer, all->source_channels);
        }
        copy_window(&all->source, all->source_size, image, maps, window, x);
    }
}

static channel_strip strip_of(const channel_call *all, const channel_sweep *g, int64_t strip, int64_t image,
                              const channel_window *window)
{
    const sp__conv_axis *a = g->axis;
    const int64_t row = (window->to[1] - window->from[1]) * all->unit, taps = a[0].taps * a[1].taps;
    channel_strip t = {.all = all, .g = g, .strip = strip, .image = image, .window = *window};
    t.w = g->w + strip * all->layers * taps * CHANNELS;
    t.reads = (channel_reads){.layers = all->layers,
                              .rows = a[0].taps,
                              .columns = a[1].taps,
                              .layer = window_numbers(all, window),
                              .row = a[0].dilation * row,
                              .column = a[1].dilation * all->unit,
                              .place = a[1].advance * all->unit,
                              .repeats = all->mode == SHALLOW};
    const bool alone = all->window[0] * all->window[1] == 1;
    t.reads.relu = all->mode != NARROW && alone && all->call->tail && all->call->tail->relu;
    return t;
}

static void channel_task(void *context, int64_t task)
{
    const channel_call *all = context;
    const int64_t groups = all->strips / all->strips_in_task, strip = task % groups * all->strips_in_task;
    const int64_t chunk = task / groups % all->chunks, image = task / groups / all->chunks;
    const int64_t rows[2] = {chunk * all->chunk, least((chunk + 1) * all->chunk, all->size[0])};
    const channel_window window = window_for(all, rows);
    slot *memory = slot_take(&all->slots, task, groups * all->chunks * all->call->batch);
    number *x = (number *)(void *)memory->memory + all->window[0] * places_in_tiles(all) * CHANNELS;
    copy_layers(all, strip, image, &window, x);
    for (int64_t i = 0; i < all->strips_in_task * all->n_sweeps; i++) {
        channel_strip t = strip_of(all, &all->sweeps[i % all->n_sweeps], strip + i / all->n_sweeps, image, &window);
        t.x = x, t.rows = (number *)(void *)memory->memory;
        if (all->window[0] * all->window[1] > 1)
            run_windows(&t, rows);
        else
            run_channel_rows(&t, rows);
    }
    slot_give(memory);
}

/* ---- a call ---- */

/* The sweeps of a dimension, with those that no tap reaches: their places are the bias. */
static int64_t all_axes(const sp__conv *call, int d, sp__conv_axis *axes)
{
    const bool forward = call->kind == SP__CONV_FORWARD;
    const int64_t n = forward ? 1 : least(call->stride[d], call->size[d]);
    for (int64_t r = 0; r < n; r++)
        axes[r] = forward ? sp__conv_forward_axis(call, d) : sp__conv_backward_axis(call, d, r);
    return n;
}

static channel_mode mode_of(const sp__conv *call)
{
    const bool forward = call->kind == SP__CONV_FORWARD;
    if (call->groups > 1) return BY_CHANNEL;
    const bool few = sp__conv_has_few_results(forward ? call->in : call->out, forward ? call->out : call->in);
    return few ? NARROW : SHALLOW;
}

static channel_call describe_channels(const sp__conv *call)
{
    const bool forward = call->kind == SP__CONV_FORWARD;
    channel_call all = {.call = call, .mode = mode_of(call), .window = {1, 1}};
    all.source = forward ? call->x : call->y;
    all.result = !forward ? call->x : call->tail ? call->tail->y : call->y;
    all.source_channels = forward ? call->in : call->out;
    all.channels = forward ? call->out : call->in;
    all.k = all.source_channels / call->groups, all.n = all.channels / call->groups;
    for (int d = 0; d < 2; d++) {
        all.source_size[d] = forward ? call->size[d] : call->out_size[d];
        all.size[d] = forward ? call->out_size[d] : call->size[d];
    }
    const bool few = all.mode == NARROW;
    for (int d = 0; d < 2 && call->tail; d++) all.window[d] = call->tail->pool[d];
    all.unit = all.mode == SHALLOW ? 1 : CHANNELS;
    all.layers = few ? (all.k + CHANNELS - 1) / CHANNELS : all.k;
    all.strips = few ? all.n : (all.channels + CHANNELS - 1) / CHANNELS;
    all.strips_in_task = all.mode == BY_CHANNEL ? 1 : all.strips;
    return all;
}

/* Rows of the result, so that what a task reads stays near. */
static void cut_channels(channel_call *all)
{
    enum { NEAR = (128 << 10) / sizeof(number), ROWS = 4 }; /* fewer rows read too much of the source again */
    const int64_t rows[2] = {0, all->size[0]};
    const channel_window window = window_for(all, rows);
    const int64_t whole = window_numbers(all, &window) * all->layers;
    const int64_t chunks = least(whole / NEAR + 1, (all->size[0] + ROWS - 1) / ROWS);
    all->chunk = (all->size[0] + chunks - 1) / chunks;
    all->chunk = (all->chunk + all->window[0] - 1) / all->window[0] * all->window[0];
    all->chunks = (all->size[0] + all->chunk - 1) / all->chunk;
}

/* The most that a task's window has. */
static int64_t most_numbers(const channel_call *all)
{
    int64_t most = 0;
    for (int64_t i = 0; i < all->chunks; i++) {
        const int64_t rows[2] = {i * all->chunk, least((i + 1) * all->chunk, all->size[0])};
        const channel_window window = window_for(all, rows);
        if (window_numbers(all, &window) > most) most = window_numbers(all, &window);
    }
    const int64_t beyond = MANY * all->unit * all->call->stride[1]; /* of the last place, a tile reads on */
    return most * all->layers + beyond + all->window[0] * places_in_tiles(all) * CHANNELS;
}

static sp_status run_channel_tasks(channel_call *all)
{
    cut_channels(all);
    const int64_t tasks = all->call->batch * all->chunks * (all->strips / all->strips_in_task);
    if (!slots_new(&all->slots, tasks, (size_t)most_numbers(all) * sizeof(number))) return SP_ERROR_MEMORY;
    sp__flushed_tasks(all->n_sweeps * all->strips, pack_strip, all);
    sp__flushed_tasks(tasks, channel_task, all);
    slots_free(&all->slots);
    return SP_OK;
}

/* Combines the axes of both dimensions, and says where each sweep's weights go; returns how many numbers these are. */
static int64_t set_sweeps(channel_call *all, const sp__conv_axis *rows, int64_t n_rows, const sp__conv_axis *columns,
                          int64_t n_columns, number *weights)
{
    int64_t used = 0;
    for (int64_t i = 0; i < n_rows * n_columns; i++) {
        channel_sweep *g = &all->sweeps[i];
        g->axis[0] = rows[i / n_columns], g->axis[1] = columns[i % n_columns];
        g->w = weights + used;
        used += all->strips * all->layers * g->axis[0].taps * g->axis[1].taps * CHANNELS;
    }
    return used;
}

static sp_status run_channels(const sp__conv *call)
{
    channel_call all = describe_channels(call);
    if (call->batch * all.size[0] * all.size[1] * all.channels == 0) return SP_OK;
    const bool forward = call->kind == SP__CONV_FORWARD;
    int64_t most[2];
    for (int d = 0; d < 2; d++) most[d] = forward ? 1 : least(call->stride[d], call->size[d]);
    const int64_t taps = call->kernel[0] * call->kernel[1];
    const size_t axes = (size_t)(most[0] + most[1]) * sizeof(sp__conv_axis);
    const size_t sweeps = (size_t)(most[0] * most[1]) * sizeof(channel_sweep), head = (axes + sweeps + 63) / 64 * 64;
    const int64_t numbers = all.strips * CHANNELS * (1 + all.layers * taps);
    const size_t bytes = head + (size_t)numbers * sizeof(number);
    char *memory = sp__scratch(bytes);
    if (!memory) return SP_ERROR_MEMORY;
    sp__conv_axis *rows = (sp__conv_axis *)(void *)memory, *columns = rows + most[0];
    number *bias = (number *)(void *)(memory + head);
    all.sweeps = (channel_sweep *)(void *)(memory + axes);
    all.n_sweeps = all_axes(call, 0, rows) * all_axes(call, 1, columns);
    all.bias = bias;
    set_sweeps(&all, rows, most[0], columns, most[1], bias + all.strips * CHANNELS);
    pack_bias(&all);
    const sp_status status = run_channel_tasks(&all);
    sp_free(memory, bytes);
    return status;
}

#endif

/* Forward and backward-data channel by channel: from images copied with zeros around, so that no loop has borders, a
 * row's places at a time. channel_strip.h says what a strip is. A task is an image, some rows of the result and a strip,
 * or all strips where they read the same. */
#ifndef SPUSK_CONV_CHANNEL_H
#define SPUSK_CONV_CHANNEL_H

#include "channel_strip.h"

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

/* Combines the axes of both dimensions, and says where each sweep's weights go. */
static void set_sweeps(channel_call *all, const sp__conv_axis *rows, const sp__conv_axis *columns, int64_t n_columns,
                       const number *weights)
{
    for (int64_t i = 0; i < all->n_sweeps; i++) {
        channel_sweep *g = &all->sweeps[i];
        g->axis[0] = rows[i / n_columns], g->axis[1] = columns[i % n_columns];
        g->w = weights;
        weights += all->strips * all->layers * g->axis[0].taps * g->axis[1].taps * CHANNELS;
    }
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
    set_sweeps(&all, rows, columns, most[1], bias + all.strips * CHANNELS);
    pack_bias(&all);
    const sp_status status = run_channel_tasks(&all);
    sp_free(memory, bytes);
    return status;
}

#endif

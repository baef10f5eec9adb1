/* Forward and backward-data channel by channel: a result's lane multiplies its own channel of the source, so that nothing
 * is broadcast and no lane is empty where a group has few channels.
 *
 * k, n    channels of the source and of the result in a group
 * strip   results that are made together, and the weights for them:
 *         many groups: a block of the result's channels; its layers are the k channels of their groups
 *         one group, of few results: one channel of the result; its layers are the source's blocks, whose lanes are
 *         added up at the end, in an order that no level changes
 * PLACES  of a row, whose sums run together
 *
 * A task is an image, some rows of the result and a strip, or all strips where they read the same. */
#ifndef SPUSK_CONV_CHANNEL_H
#define SPUSK_CONV_CHANNEL_H

#include "channel_copy.h"
#include "slots.h"
#include "tail.h"

enum { PLACES = 8 };

/* The places that the same taps reach. */
typedef struct channel_sweep {
    sp__conv_axis axis[2];
    const number *w; /* [strip][layer][tap][CHANNELS] */
} channel_sweep;

typedef struct channel_call {
    const sp__conv *call;
    bool few;
    sp__operand source, result;
    int64_t source_size[2], size[2]; /* of the source; of the result */
    int64_t source_channels, channels, k, n;
    int64_t layers, strips, strips_in_task, chunk, chunks;
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
            const int64_t channel = all->few ? strip : strip * CHANNELS + i,
                          j = all->few ? layer * CHANNELS + i : layer;
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
        const int64_t channel = all->few ? i / CHANNELS : i;
        out[i] = bias && channel < all->channels ? get_number(bias, channel * bias->strides[0]) : 0;
    }
}

/* ---- sums ---- */

/* What the places of a strip read: steps in numbers. */
typedef struct channel_reads {
    int64_t layers, rows, columns; /* rows and columns: taps */
    int64_t layer, row, column, place;
    bool relu;
} channel_reads;

/* The sums of PLACES vectors, written `step` apart. */
SP__INLINE void sum_channels(const channel_reads *r, const number *x, const number *w, vector start, number *to,
                             int64_t step, const int64_t columns, const int64_t column, const int64_t place)
{
    vector sum[PLACES];
    SP__UNROLL
    for (int i = 0; i < PLACES; i++) sum[i] = start;
    for (int64_t layer = 0; layer < r->layers; layer++) {
        for (int64_t row = 0; row < r->rows; row++) {
            const number *p = x + layer * r->layer + row * r->row;
            for (int64_t c = 0; c < columns; c++, p += column, w += CHANNELS) {
                const vector wc = *(const vector *)w;
                SP__UNROLL
                for (int i = 0; i < PLACES; i++) sum[i] = fused(*(const vector *)(p + i * place), wc, sum[i]);
            }
        }
    }
    SP__UNROLL
    for (int i = 0; i < PLACES; i++) *(vector *)(to + i * step) = positive(sum[i], r->relu);
}

/* Three taps side by side are the usual case; so is a step of one place or two. */
static void sum_tile(const channel_reads *r, const number *x, const number *w, vector start, number *to, int64_t step)
{
    if (r->columns == 3 && r->column == CHANNELS && r->place == CHANNELS)
        sum_channels(r, x, w, start, to, step, 3, CHANNELS, CHANNELS);
    else if (r->columns == 3 && r->column == CHANNELS && r->place == 2 * CHANNELS)
        sum_channels(r, x, w, start, to, step, 3, CHANNELS, (int64_t)2 * CHANNELS);
    else if (r->place == CHANNELS)
        sum_channels(r, x, w, start, to, step, r->columns, r->column, CHANNELS);
    else
        sum_channels(r, x, w, start, to, step, r->columns, r->column, r->place);
}

typedef number quad __attribute__((vector_size(4 * sizeof(number)), aligned(sizeof(number)), may_alias));
typedef integer quad_mask __attribute__((vector_size(4 * sizeof(number))));

/* Halves of a block are added until four lanes are left. */
SP__INLINE void halve(const number *block, quad *sum)
{
    quad q[CHANNELS / 4];
    for (int i = 0; i < CHANNELS / 4; i++) q[i] = *(const quad *)(block + 4 * i);
    for (int half = CHANNELS / 8; half > 0; half /= 2)
        for (int i = 0; i < half; i++) q[i] += q[i + half];
    *sum = q[0];
}

/* The sums of the lanes of four blocks: halves are added until one lane is left. */
SP__INLINE void add_lanes(const number *blocks, number *sums)
{
    quad a, b, c, d;
    halve(blocks, &a), halve(blocks + CHANNELS, &b), halve(blocks + 2 * CHANNELS, &c), halve(blocks + 3 * CHANNELS, &d);
    const quad ab = SP__SHUFFLE(a, b, quad_mask, 0, 4, 1, 5) + SP__SHUFFLE(a, b, quad_mask, 2, 6, 3, 7);
    const quad cd = SP__SHUFFLE(c, d, quad_mask, 0, 4, 1, 5) + SP__SHUFFLE(c, d, quad_mask, 2, 6, 3, 7);
    *(quad *)sums = SP__SHUFFLE(ab, cd, quad_mask, 0, 1, 4, 5) + SP__SHUFFLE(ab, cd, quad_mask, 2, 3, 6, 7);
}

/* ---- a strip ---- */

/* Places of a row that lie `step` apart in the result, the first at `at`; at most PLACES. */
static void store_channels(const channel_call *all, int64_t strip, const number *blocks, int64_t at, int64_t step,
                           int64_t places)
{
    const bool narrow = all->result.dtype == SP_BF16;
    if (!all->few) {
        const int64_t channel = strip * CHANNELS, width = least(all->channels - channel, CHANNELS);
        for (int64_t i = 0; i < places; i++)
            for (int64_t j = 0; j < width; j += LANES)
                store_either(all->result.buffer, narrow, at + channel + i * step + j,
                             *(const vector *)(blocks + i * CHANNELS + j), width - j);
        return;
    }
    number sums[PLACES];
    for (int64_t i = 0; i < places; i += 4) add_lanes(blocks + i * CHANNELS, sums + i);
    const bool relu = all->call->tail && all->call->tail->relu;
    for (int64_t i = 0; i < places; i++) {
        const number x = sums[i] + all->bias[strip * CHANNELS];
        put_number(all->result.buffer, narrow, at + strip + i * step, relu && x < 0 ? 0 : x);
    }
}

/* A row of a sweep: x is what its first place's first tap reads, `at` where that place stands in the result. */
static void run_channel_row(const channel_call *all, const channel_sweep *g, int64_t strip, const channel_reads *r,
                            const number *x, const number *w, int64_t at)
{
    number blocks[PLACES * CHANNELS] __attribute__((aligned(64)));
    const int64_t step = g->axis[1].step * all->result.strides[3], count = g->axis[1].count;
    const bool direct = !all->few && all->result.dtype != SP_BF16 && all->channels - strip * CHANNELS >= CHANNELS;
    for (int64_t p = 0; p < count; p += PLACES, x += PLACES * r->place) {
        const int64_t places = least(count - p, PLACES), to = at + p * step;
        const bool whole = direct && places == PLACES;
        for (int v = 0; v < VECTORS; v++) {
            const vector start = all->few ? (vector){0} : *(const vector *)(all->bias + strip * CHANNELS + v * LANES);
            number *out = whole ? (number *)all->result.buffer + to + strip * CHANNELS : blocks;
            sum_tile(r, x + v * LANES, w + v * LANES, start, out + v * LANES, whole ? step : CHANNELS);
        }
        if (!whole) store_channels(all, strip, blocks, to, step, places);
    }
}

/* Rows [from, to) of the result that belong to the sweep; the window of the source lies in x. */
static void run_channel_sweep(const channel_call *all, const channel_sweep *g, int64_t strip, int64_t image,
                              const int64_t *rows, const channel_window *window, const number *x)
{
    const sp__conv_axis *a = g->axis;
    const int64_t row = (window->to[1] - window->from[1]) * CHANNELS, taps = a[0].taps * a[1].taps;
    const channel_reads r = {.layers = all->layers,
                             .rows = a[0].taps,
                             .columns = a[1].taps,
                             .layer = (window->to[0] - window->from[0]) * row,
                             .row = a[0].dilation * row,
                             .column = a[1].dilation * CHANNELS,
                             .place = a[1].advance * CHANNELS,
                             .relu = !all->few && all->call->tail && all->call->tail->relu};
    const number *w = g->w + strip * all->layers * taps * CHANNELS;
    const int64_t first = rows[0] > a[0].first ? (rows[0] - a[0].first + a[0].step - 1) / a[0].step : 0;
    const int64_t *s = all->result.strides;
    for (int64_t q = first; q < a[0].count && a[0].first + q * a[0].step < rows[1]; q++) {
        const int64_t h = taps ? q * a[0].advance + a[0].delta - window->from[0] : 0;
        const int64_t left = taps ? a[1].delta - window->from[1] : 0;
        const int64_t at = all->result.offset + image * s[0] + (a[0].first + q * a[0].step) * s[2] + a[1].first * s[3];
        run_channel_row(all, g, strip, &r, x + h * row + left * CHANNELS, w, at);
    }
}

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

static int64_t window_numbers(const channel_window *w)
{
    return (w->to[0] - w->from[0]) * (w->to[1] - w->from[1]) * CHANNELS;
}

static void copy_layers(const channel_call *all, int64_t strip, int64_t image, const channel_window *window, number *x)
{
    for (int64_t layer = 0; layer < all->layers; layer++, x += window_numbers(window)) {
        channel_map maps[VECTORS];
        for (int v = 0; v < VECTORS; v++) {
            const int64_t lane = (all->few ? layer : strip) * CHANNELS + v * LANES;
            maps[v] = all->few ? map_channels(lane, 1, 1, 0, all->source_channels)
                               : map_channels(lane, all->n, all->k, layer, all->source_channels);
        }
        copy_window(&all->source, all->source_size, image, maps, window, x);
    }
}

static void channel_task(void *context, int64_t task)
{
    const channel_call *all = context;
    const int64_t groups = all->strips / all->strips_in_task, strip = task % groups * all->strips_in_task;
    const int64_t chunk = task / groups % all->chunks, image = task / groups / all->chunks;
    const int64_t rows[2] = {chunk * all->chunk, least((chunk + 1) * all->chunk, all->size[0])};
    const channel_window window = window_for(all, rows);
    slot *memory = slot_take(&all->slots, task, groups * all->chunks * all->call->batch);
    number *x = (number *)(void *)memory->memory;
    copy_layers(all, strip, image, &window, x);
    for (int64_t i = 0; i < all->strips_in_task; i++)
        for (int64_t g = 0; g < all->n_sweeps; g++)
            run_channel_sweep(all, &all->sweeps[g], strip + i, image, rows, &window, x);
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

static channel_call describe_channels(const sp__conv *call)
{
    const bool forward = call->kind == SP__CONV_FORWARD;
    channel_call all = {.call = call, .few = call->groups == 1};
    all.source = forward ? call->x : call->y;
    all.result = !forward ? call->x : call->tail ? call->tail->y : call->y;
    all.source_channels = forward ? call->in : call->out;
    all.channels = forward ? call->out : call->in;
    all.k = all.source_channels / call->groups, all.n = all.channels / call->groups;
    for (int d = 0; d < 2; d++) {
        all.source_size[d] = forward ? call->size[d] : call->out_size[d];
        all.size[d] = forward ? call->out_size[d] : call->size[d];
    }
    all.layers = all.few ? (all.k + CHANNELS - 1) / CHANNELS : all.k;
    all.strips = all.few ? all.n : (all.channels + CHANNELS - 1) / CHANNELS;
    all.strips_in_task = all.few ? all.strips : 1;
    return all;
}

/* Rows of the result, so that what a task reads stays near. */
static void cut_channels(channel_call *all)
{
    enum { NEAR = (128 << 10) / sizeof(number), ROWS = 4 }; /* fewer rows read too much of the source again */
    const int64_t rows[2] = {0, all->size[0]};
    const channel_window window = window_for(all, rows);
    const int64_t whole = window_numbers(&window) * all->layers;
    const int64_t chunks = least(whole / NEAR + 1, (all->size[0] + ROWS - 1) / ROWS);
    all->chunk = (all->size[0] + chunks - 1) / chunks;
    all->chunks = (all->size[0] + all->chunk - 1) / all->chunk;
}

/* The most that a task's window has. */
static int64_t most_numbers(const channel_call *all)
{
    int64_t most = 0;
    for (int64_t i = 0; i < all->chunks; i++) {
        const int64_t rows[2] = {i * all->chunk, least((i + 1) * all->chunk, all->size[0])};
        const channel_window window = window_for(all, rows);
        if (window_numbers(&window) > most) most = window_numbers(&window);
    }
    const int64_t beyond = PLACES * CHANNELS * all->call->stride[1]; /* of the last place, a tile reads on */
    return most * all->layers + beyond;
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

/* Images in blocks of channels, for loops that run channel by channel: [row][place][CHANNELS], zeros where a row or a place
 * lies outside the image or a channel beyond the last, so that no loop has borders.
 *
 * CHANNELS  channels of a block, the same at every level: sums over the channels of a block have one order */
#ifndef SPUSK_CONV_CHANNEL_COPY_H
#define SPUSK_CONV_CHANNEL_COPY_H

#include "backends/cpu/conv/conv.h"

enum { CHANNELS = 64 / sizeof(number), VECTORS = CHANNELS / LANES };

#if defined(__clang__)
#define SP__PICK(x, index) __builtin_shufflevector(x, index)
#else
#define SP__PICK(x, index) __builtin_shuffle(x, index)
#endif

/* Rows and places [from, to) of the images that are copied; any may lie outside. */
typedef struct channel_window {
    int64_t from[2], to[2];
} channel_window;

/* Which channel of the images each lane of a vector of the block is. */
typedef struct channel_map {
    int64_t channel[LANES]; /* -1: zero */
    int64_t first, count;   /* the vector is the channels from `first` on, of which there are `count`, */
    mask index;             /* picked by these lanes */
    bool straight, picked;  /* nothing to pick; all can be picked from one vector */
} channel_map;

/* Lane i of block b is channel (b·CHANNELS + i)/n·k + j of the images: of a result's channel the group's j-th of the source.
 * Where a group has one channel on both sides, or n and k are 1, channels stay as they are. */
static channel_map map_channels(int64_t lane, int64_t n, int64_t k, int64_t j, int64_t channels)
{
    channel_map m = {.first = lane / n * k + j, .straight = n == 1 && k == 1, .picked = true};
    for (int64_t i = 0; i < LANES; i++) {
        const int64_t channel = (lane + i) / n * k + j, at = channel - m.first;
        m.channel[i] = channel < channels ? channel : -1;
        if (channel < channels && at >= LANES) m.picked = false;
        m.index[i] = (integer)(at < LANES ? at : 0);
    }
    m.count = channels > m.first ? channels - m.first : 0;
    return m;
}

/* Lane by lane: channels that lie too far from each other for one vector. */
static vector gather_channels(const channel_map *m, const void *p, bool narrow)
{
    number values[LANES];
    for (int i = 0; i < LANES; i++) {
        const int64_t at = m->channel[i] < 0 ? 0 : m->channel[i] - m->first;
        const number x = narrow ? (number)sp__from_bf16(((const sp__bf16 *)p)[at]) : ((const number *)p)[at];
        values[i] = m->channel[i] < 0 ? 0 : x;
    }
    vector x;
    memcpy(&x, values, sizeof x);
    return x;
}

/* Places of a row, all inside the image; p is at the first one's first channel, `step` bytes before the next one's. */
SP__INLINE void copy_channels(const channel_map *m, const char *p, int64_t step, int64_t places, number *out,
                              const bool narrow, const bool straight)
{
    const channel_map map = *m;
    for (; places > 0; places--, p += step, out += CHANNELS) {
        if (straight)
            *(vector *)out = load_either(p, narrow, 0, map.count);
        else if (map.picked)
            *(vector *)out = SP__PICK(load_either(p, narrow, 0, map.count), map.index);
        else
            *(vector *)out = gather_channels(m, p, narrow);
    }
}

static void copy_row(const channel_map *m, const char *p, int64_t step, int64_t places, number *out, bool narrow)
{
    if (m->count == 0)
        for (int64_t i = 0; i < places; i++) *(vector *)(out + i * CHANNELS) = (vector){0};
    else if (narrow && m->straight)
        copy_channels(m, p, step, places, out, true, true);
    else if (narrow)
        copy_channels(m, p, step, places, out, true, false);
    else if (m->straight)
        copy_channels(m, p, step, places, out, false, true);
    else
        copy_channels(m, p, step, places, out, false, false);
}

/* A window of an image of `size` rows and columns. */
static void copy_window(const sp__operand *images, const int64_t *size, int64_t image, const channel_map *maps,
                        const channel_window *w, number *out)
{
    const int64_t item = sp__size_of(images->dtype), *s = images->strides;
    const int64_t columns = w->to[1] - w->from[1], from = w->from[1] > 0 ? w->from[1] : 0;
    const int64_t to = least(w->to[1], size[1]), left = from - w->from[1], places = to > from ? to - from : 0;
    for (int64_t h = w->from[0]; h < w->to[0]; h++, out += columns * CHANNELS) {
        const bool inside = h >= 0 && h < size[0] && places > 0;
        if (!inside) {
            memset(out, 0, (size_t)(columns * CHANNELS) * sizeof(number));
            continue;
        }
        memset(out, 0, (size_t)(left * CHANNELS) * sizeof(number));
        memset(out + (left + places) * CHANNELS, 0, (size_t)((columns - left - places) * CHANNELS) * sizeof(number));
        const int64_t at = images->offset + image * s[0] + h * s[2] + from * s[3];
        for (int v = 0; v < VECTORS; v++)
            copy_row(&maps[v], (const char *)images->buffer + (at + maps[v].first) * item, s[3] * item, places,
                     out + left * CHANNELS + v * LANES, images->dtype == SP_BF16);
    }
}

/* One channel of such a window, its places side by side. */
static void copy_plane(const sp__operand *images, const int64_t *size, int64_t image, int64_t channel,
                       const channel_window *w, number *out)
{
    const int64_t *s = images->strides, columns = w->to[1] - w->from[1], from = w->from[1] > 0 ? w->from[1] : 0;
    const int64_t to = least(w->to[1], size[1]);
    for (int64_t h = w->from[0]; h < w->to[0]; h++, out += columns) {
        memset(out, 0, (size_t)columns * sizeof(number));
        if (h < 0 || h >= size[0]) continue;
        const int64_t row = image * s[0] + channel * s[1] + h * s[2];
        for (int64_t i = from; i < to; i++) out[i - w->from[1]] = get_number(images, row + i * s[3]);
    }
}

#endif

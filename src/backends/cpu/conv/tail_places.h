/* The gradient behind a tail, written out for many places. */
#ifndef SPUSK_CONV_TAIL_PLACES_H
#define SPUSK_CONV_TAIL_PLACES_H

#include "tail.h"

/* The gradient of y at places [from, to) of an image, `width` channels from `channel`, into places side by side of
 * `room` columns, whole vectors. `from` begins a window. */
static void expand_places(const sp__conv *call, int64_t image, int64_t channel, int64_t width, const int64_t *from,
                          const int64_t *to, int64_t room, number *out)
{
    const sp__conv_tail *tail = call->tail;
    const int64_t *pool = tail->pool, row = (to[1] - from[1]) * room;
    const int64_t last[2] = {to[0] / pool[0], to[1] / pool[1]};
    if (last[0] * pool[0] < to[0] || last[1] * pool[1] < to[1]) /* places that no window covers */
        memset(out, 0, (size_t)((to[0] - from[0]) * row) * sizeof(number));
    int64_t place[16] = {0};
    const int64_t places = pool[0] * pool[1];
    for (int64_t i = 0; i < places; i++) place[i] = i / pool[1] * row + i % pool[1] * room;
    for (int64_t h = from[0] / pool[0]; h < last[0]; h++) {
        tail_window window = window_at(tail, image, h, from[1] / pool[1], channel);
        number *first = out + (h * pool[0] - from[0]) * row;
        for (int64_t w = from[1] / pool[1]; w < last[1]; w++, first += pool[1] * room) {
            expand_window(&window, width, room, first, place, places);
            next_window(tail, &window);
        }
    }
}

/* Rows and columns of y, whole windows, of which about `places` come at once. */
static inline void cut_places(const sp__conv *call, int64_t places, int64_t *step)
{
    const int64_t window[2] = {call->tail ? call->tail->pool[0] : 1, call->tail ? call->tail->pool[1] : 1};
    const int64_t columns = places / window[0], rows = places / (call->out_size[1] > 0 ? call->out_size[1] : 1);
    step[1] = call->out_size[1] <= columns ? call->out_size[1] : columns / window[1] * window[1];
    step[0] = rows > window[0] ? rows / window[0] * window[0] : window[0];
    if (step[1] < 1) step[1] = 1;
}

#endif

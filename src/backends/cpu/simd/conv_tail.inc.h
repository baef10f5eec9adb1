/* The gradient of y behind ReLU and max-pooling, for one type: zero where the ReLU was, and in each window but for the
 * place of its maximum. */

/* Channels [j, j + count) of a window: what its gradient is, and at which place. */
SP__INLINE FN(vector)
    FN(load_window)(const T *grad, const T *y, const uint8_t *where, bool relu, int64_t count, FN(mask) * place)
{
    FN(vector) g = FN(load_some)(grad, count);
    if (relu) g = (FN(vector))((FN(mask))g & (FN(mask))(FN(load_some)(y, count) > 0));
    *place = (FN(mask)){0};
    if (where) {
        FN(bytes) bytes = {0};
        memcpy(&bytes, where, count < FN(LANES) ? (size_t)count : sizeof bytes);
        *place = __builtin_convertvector(bytes, FN(mask));
    }
    return g;
}

/* A window of an image, from a channel on, in the tail's operands. */
typedef struct FN(window) {
    const T *grad, *y;
    const uint8_t *where; /* NULL: every window is one place */
} FN(window);

SP__INLINE FN(window) FN(window_at)(const sp__conv_tail *tail, int64_t image, int64_t h, int64_t w, int64_t channel)
{
    const int64_t *g = tail->grad.strides, *y = tail->y.strides, *at = tail->where.strides;
    FN(window)
    window = {.grad = (const T *)tail->grad.buffer + tail->grad.offset + image * g[0] + h * g[2] + w * g[3] + channel};
    if (tail->relu)
        window.y = (const T *)tail->y.buffer + tail->y.offset + image * y[0] + h * y[2] + w * y[3] + channel;
    if (tail->pool[0] * tail->pool[1] > 1)
        window.where = (const uint8_t *)tail->where.buffer + tail->where.offset + image * at[0] + h * at[2] +
                       w * at[3] + channel;
    return window;
}

/* Writes one window's gradients to its places of `out`, which lie at `place` from the first. */
SP__INLINE void FN(expand_window)(const FN(window) * window, int64_t width, int64_t room, T *out, const int64_t *place,
                                  int64_t places)
{
    for (int64_t j = 0; j < room; j += FN(LANES)) {
        FN(mask) at, p = {0};
        const FN(vector)
            g = FN(load_window)(window->grad + j, window->y ? window->y + j : NULL,
                                window->where ? window->where + j : NULL, window->y != NULL, width - j, &at);
        for (int64_t i = 0; i < places; i++, p += 1)
            *(FN(vector) *)(out + place[i] + j) = (FN(vector))((FN(mask))g & (FN(mask))(at == p));
    }
}

/* The gradient of y at places [from, to) of an image, `width` channels from `channel`, into places side by side of
 * `room` columns, whole vectors. `from` begins a window. */
static void FN(expand_places)(const sp__conv *call, int64_t image, int64_t channel, int64_t width, const int64_t *from,
                              const int64_t *to, int64_t room, T *out)
{
    const sp__conv_tail *tail = call->tail;
    const int64_t *pool = tail->pool, row = (to[1] - from[1]) * room;
    const int64_t last[2] = {to[0] / pool[0], to[1] / pool[1]};
    if (last[0] * pool[0] < to[0] || last[1] * pool[1] < to[1]) /* places that no window covers */
        memset(out, 0, (size_t)((to[0] - from[0]) * row) * sizeof(T));
    int64_t place[16] = {0};
    const int64_t places = pool[0] * pool[1];
    for (int64_t i = 0; i < places; i++) place[i] = i / pool[1] * row + i % pool[1] * room;
    for (int64_t h = from[0] / pool[0]; h < last[0]; h++) {
        for (int64_t w = from[1] / pool[1]; w < last[1]; w++) {
            const FN(window) window = FN(window_at)(tail, image, h, w, channel);
            FN(expand_window)
            (&window, width, room, out + (h * pool[0] - from[0]) * row + (w * pool[1] - from[1]) * room, place, places);
        }
    }
}

/* Rows and columns of y, whole windows, of which about `places` come at once. */
static void FN(cut_places)(const sp__conv *call, int64_t places, int64_t *step)
{
    const int64_t window[2] = {call->tail ? call->tail->pool[0] : 1, call->tail ? call->tail->pool[1] : 1};
    const int64_t columns = places / window[0], rows = places / (call->out_size[1] > 0 ? call->out_size[1] : 1);
    step[1] = call->out_size[1] <= columns ? call->out_size[1] : columns / window[1] * window[1];
    step[0] = rows > window[0] ? rows / window[0] * window[0] : window[0];
    if (step[1] < 1) step[1] = 1;
}

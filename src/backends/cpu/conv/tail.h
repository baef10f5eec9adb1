/* The gradient of y behind ReLU and max-pooling, for one type: zero where the ReLU was, and in each window but for the
 * place of its maximum. */

/* A window of an image, from a channel on, in the tail's operands. */
typedef struct FN(window) {
    const char *grad, *y;
    bool narrow, y_narrow; /* of bf16, not of T */
    const uint8_t *where;  /* NULL: every window is one place */
} FN(window);

SP__INLINE const char *FN(window_of)(const sp__operand *operand, int64_t image, int64_t h, int64_t w, int64_t channel)
{
    const int64_t *s = operand->strides, at = operand->offset + image * s[0] + h * s[2] + w * s[3] + channel;
    return (const char *)operand->buffer + at * sp__size_of(operand->dtype);
}

SP__INLINE FN(window) FN(window_at)(const sp__conv_tail *tail, int64_t image, int64_t h, int64_t w, int64_t channel)
{
    FN(window)
    window = {.grad = FN(window_of)(&tail->grad, image, h, w, channel), .narrow = tail->grad.dtype == SP_BF16};
    if (tail->relu) window.y = FN(window_of)(&tail->y, image, h, w, channel);
    window.y_narrow = tail->y.dtype == SP_BF16;
    if (tail->pool[0] * tail->pool[1] > 1)
        window.where = (const uint8_t *)FN(window_of)(&tail->where, image, h, w, channel);
    return window;
}

/* Channels [j, j + count) of a window: what its gradient is, zero where the ReLU was. */
SP__INLINE FN(vector) FN(load_window)(const FN(window) * window, int64_t j, int64_t count)
{
    const FN(vector) g = FN(load_either)(window->grad, window->narrow, j, count);
    if (!window->y) return g;
    const FN(vector) y = FN(load_either)(window->y, window->y_narrow, j, count);
    return (FN(vector))((FN(mask))g & ~(FN(mask))(y <= 0));
}

/* At which place of the window it is; where there are maxima. */
SP__INLINE FN(mask) FN(load_where)(const FN(window) * window, int64_t j, int64_t count)
{
    FN(bytes) bytes = {0};
    memcpy(&bytes, window->where + j, count < FN(LANES) ? (size_t)count : sizeof bytes);
    return __builtin_convertvector(bytes, FN(mask));
}

/* The next window of the row. */
SP__INLINE void FN(step_window)(const sp__conv_tail *tail, FN(window) * window)
{
    window->grad += tail->grad.strides[3] * (window->narrow ? 2 : (int64_t)sizeof(T));
    if (window->y) window->y += tail->y.strides[3] * (window->y_narrow ? 2 : (int64_t)sizeof(T));
    if (window->where) window->where += tail->where.strides[3];
}

/* Writes one window's gradients to its places of `out`, which lie at `place` from the first. */
SP__INLINE void FN(expand_window)(const FN(window) * window, int64_t width, int64_t room, T *out, const int64_t *place,
                                  int64_t places)
{
    for (int64_t j = 0; j < room; j += FN(LANES)) {
        const FN(vector) g = FN(load_window)(window, j, width - j);
        if (!window->where) {
            *(FN(vector) *)(out + j) = g;
            continue;
        }
        const FN(mask) at = FN(load_where)(window, j, width - j);
        FN(mask) p = {0};
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
        FN(window) window = FN(window_at)(tail, image, h, from[1] / pool[1], channel);
        T *first = out + (h * pool[0] - from[0]) * row;
        for (int64_t w = from[1] / pool[1]; w < last[1]; w++, first += pool[1] * room) {
            FN(expand_window)(&window, width, room, first, place, places);
            FN(step_window)(tail, &window);
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

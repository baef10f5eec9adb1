/* ReLU and max-pooling behind a convolution. Forward takes the maxima of windows of y as it is made. Backward reads the
 * gradient of y, which is zero where the ReLU was, and in each window but for the place of its maximum. */
#ifndef SPUSK_CONV_TAIL_H
#define SPUSK_CONV_TAIL_H

/* ---- forward ---- */

SP__INLINE vector positive(vector x, bool relu)
{
    const mask low = relu ? (mask)(x < 0) : (mask){0};
    return (vector)((mask)x & ~low);
}

/* The maximum of a window's places, in rows that lie `row` apart, `step` from one to the next, and which of them it is: of
 * equal ones the first, and NaN wins, as in PyTorch. Behind ReLU all that is not positive is equal. */
SP__INLINE vector maximum_of_rows(const number *x, int64_t row, int64_t step, int64_t rows, int64_t columns,
                                  const bool relu, mask *where)
{
    vector best = *(const vector *)x;
    mask at = {0}, p = {0};
    for (int64_t h = 0; h < rows; h++) {
        for (int64_t w = h == 0; w < columns; w++) {
            p += 1;
            const vector one = *(const vector *)(x + h * row + w * step);
            const mask better = (mask)(one > best) | (mask)(one != one);
            best = (vector)(((mask)one & better) | ((mask)best & ~better));
            at = (p & better) | (at & ~better);
        }
    }
    if (relu) {
        const mask low = (mask)(best <= 0);
        best = (vector)((mask)best & ~low);
        at &= ~low;
    }
    return *where = at, best;
}

/* The same where all places lie `step` apart. */
SP__INLINE vector maximum_of(const number *x, int64_t step, int64_t places, const bool relu, mask *where)
{
    return maximum_of_rows(x, 0, step, 1, places, relu, where);
}

SP__INLINE void store_where(uint8_t *to, mask at, int64_t count)
{
    const byte_lanes where = __builtin_convertvector(at, byte_lanes);
    if (count >= LANES)
        *(byte_lanes *)to = where;
    else
        memcpy(to, &where, (size_t)count);
}

/* ---- backward ---- */

/* A window of an image, from a channel on, in the tail's operands. */
typedef struct tail_window {
    const char *grad, *y;
    bool narrow, y_narrow; /* of bf16, not of number */
    const uint8_t *where;  /* NULL: every window is one place */
} tail_window;

SP__INLINE const char *window_of(const sp__operand *operand, int64_t image, int64_t h, int64_t w, int64_t channel)
{
    const int64_t *s = operand->strides, at = operand->offset + image * s[0] + h * s[2] + w * s[3] + channel;
    return (const char *)operand->buffer + at * sp__size_of(operand->dtype);
}

SP__INLINE tail_window window_at(const sp__conv_tail *tail, int64_t image, int64_t h, int64_t w, int64_t channel)
{
    tail_window window = {.grad = window_of(&tail->grad, image, h, w, channel), .narrow = tail->grad.dtype == SP_BF16};
    if (tail->relu) window.y = window_of(&tail->y, image, h, w, channel);
    window.y_narrow = tail->y.dtype == SP_BF16;
    if (tail->pool[0] * tail->pool[1] > 1)
        window.where = (const uint8_t *)window_of(&tail->where, image, h, w, channel);
    return window;
}

/* Channels [j, j + count) of a window: what its gradient is, zero where the ReLU was. */
SP__INLINE vector load_window(const tail_window *window, int64_t j, int64_t count)
{
    const vector g = load_either(window->grad, window->narrow, j, count);
    if (!window->y) return g;
    const vector y = load_either(window->y, window->y_narrow, j, count);
    return (vector)((mask)g & ~(mask)(y <= 0));
}

/* At which place of the window it is; where there are maxima. */
SP__INLINE mask load_where(const tail_window *window, int64_t j, int64_t count)
{
    byte_lanes bytes = {0};
    memcpy(&bytes, window->where + j, count < LANES ? (size_t)count : sizeof bytes);
    return __builtin_convertvector(bytes, mask);
}

/* The next window of the row. */
SP__INLINE void next_window(const sp__conv_tail *tail, tail_window *window)
{
    window->grad += tail->grad.strides[3] * (window->narrow ? 2 : (int64_t)sizeof(number));
    if (window->y) window->y += tail->y.strides[3] * (window->y_narrow ? 2 : (int64_t)sizeof(number));
    if (window->where) window->where += tail->where.strides[3];
}

/* Writes one window's gradients to its places of `out`, which lie at `place` from the first. */
SP__INLINE void expand_window(const tail_window *window, int64_t width, int64_t room, number *out, const int64_t *place,
                              int64_t places)
{
    for (int64_t j = 0; j < room; j += LANES) {
        const vector g = load_window(window, j, width - j);
        if (!window->where) {
            *(vector *)(out + j) = g;
            continue;
        }
        const mask at = load_where(window, j, width - j);
        mask p = {0};
        for (int64_t i = 0; i < places; i++, p += 1)
            *(vector *)(out + place[i] + j) = (vector)((mask)g & (mask)(at == p));
    }
}

#endif

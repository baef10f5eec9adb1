/* The inner loop of convolution channel by channel: places of a row, one vector of each, and sums over lanes.
 *
 * PLACES, MANY  of a row, whose sums run together; MANY where the registers hold them */
#ifndef SPUSK_CONV_CHANNEL_TILE_H
#define SPUSK_CONV_CHANNEL_TILE_H

#include "channel_copy.h"
#include "tail.h"

enum { PLACES = 8, MANY = SP__TILE_ROWS < 8 ? 8 : 16 };

/* The tile for what is left of a row. */
static int64_t tile_for(int64_t places)
{
    return places > PLACES ? MANY : PLACES;
}

/* What the places of a strip read: steps in numbers. */
typedef struct channel_reads {
    int64_t layers, rows, columns; /* rows and columns: taps */
    int64_t layer, row, column, place;
    bool repeats; /* a place is one number, which all lanes multiply; else a vector */
    bool relu;
} channel_reads;

/* The sums of some places' vectors, written `step` apart. */
SP__INLINE void sum_channels(const channel_reads *r, const number *x, const number *w, vector start, number *to,
                             int64_t step, const int places, const bool repeats, const int64_t columns,
                             const int64_t column, const int64_t place)
{
    vector sum[MANY];
    SP__UNROLL
    for (int i = 0; i < places; i++) sum[i] = start;
    for (int64_t layer = 0; layer < r->layers; layer++) {
        for (int64_t row = 0; row < r->rows; row++) {
            const number *p = x + layer * r->layer + row * r->row;
            for (int64_t c = 0; c < columns; c++, p += column, w += CHANNELS) {
                const vector wc = *(const vector *)w;
                SP__UNROLL
                for (int i = 0; i < places; i++)
                    sum[i] = repeats ? multiply_add(sum[i], p[i * place], wc)
                                     : fused(*(const vector *)(p + i * place), wc, sum[i]);
            }
        }
    }
    SP__UNROLL
    for (int i = 0; i < places; i++) *(vector *)(to + i * step) = positive(sum[i], r->relu);
}

/* Three taps side by side are the usual case; so is a step of one place or two. */
SP__INLINE void sum_usual(const channel_reads *r, const number *x, const number *w, vector start, number *to,
                          int64_t step, const int places, const bool repeats, const int64_t unit)
{
    if (r->columns == 3 && r->column == unit && r->place == unit)
        sum_channels(r, x, w, start, to, step, places, repeats, 3, unit, unit);
    else if (r->columns == 3 && r->column == unit && r->place == 2 * unit)
        sum_channels(r, x, w, start, to, step, places, repeats, 3, unit, 2 * unit);
    else if (r->place == unit)
        sum_channels(r, x, w, start, to, step, places, repeats, r->columns, r->column, unit);
    else
        sum_channels(r, x, w, start, to, step, places, repeats, r->columns, r->column, r->place);
}

static void sum_tile(const channel_reads *r, const number *x, const number *w, vector start, int64_t places, number *to,
                     int64_t step)
{
    if (r->repeats && places > PLACES)
        sum_usual(r, x, w, start, to, step, MANY, true, 1);
    else if (r->repeats)
        sum_usual(r, x, w, start, to, step, PLACES, true, 1);
    else if (places > PLACES)
        sum_usual(r, x, w, start, to, step, MANY, false, CHANNELS);
    else
        sum_usual(r, x, w, start, to, step, PLACES, false, CHANNELS);
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

#endif

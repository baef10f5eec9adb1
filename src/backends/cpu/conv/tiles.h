/* Convolution of bf16 by AMX (common/tiles.h): what its passes share.
 *
 * A task copies the part of an image that it needs, with zeros around it. Where the taps of neighbouring places lie
 * `advance` apart, there is a copy for each remainder, a plane, so that in a plane neighbours lie side by side. Places of
 * the result are numbered through: a row of them is as long as a row of a plane, and those behind the last column are
 * computed for nothing. So place p reads a tap at p·k and that tap's offset, and taps that lie side by side make one run:
 * what place p reads of a run is one piece of memory, taps × k long.
 *
 * k, n   channels of the source and of the result
 * depth  of a run: tiles of 32 elements that hold it. Behind its end a tile reads what follows, times zero. */
#ifndef SPUSK_CONV_TILES_H
#define SPUSK_CONV_TILES_H

#include "backends/cpu/common/tiles.h"
#include "tail.h"

enum { SIDE = SP__TILE_SIDE, DEPTH = SP__TILE_DEPTH, WHOLE = SP__TILE_WHOLE, PAIR = 2 * SIDE, BEHIND = 2 * PAIR };

typedef struct tap_run {
    int64_t at;             /* its offset in the planes */
    int64_t taps;           /* side by side */
    int64_t tap[2], step;   /* the first, and from one to the next along columns, in the kernel */
    int64_t depths, column; /* tiles of 32; where its first element stands among all runs' */
} tap_run;

typedef struct planes {
    sp__conv_axis axis[2];
    const sp__operand *source;
    int64_t k;
    int64_t low[2], high[2]; /* places of a plane that the taps of place 0 read */
    int64_t band, rows, row; /* rows of places that are computed at once; rows and columns of a plane */
    tap_run *runs;
    int64_t n_runs, depths, columns; /* of all runs; columns: elements, whole pairs of tiles for each run */
} planes;

static int64_t floor_of(int64_t a, int64_t b)
{
    return a >= 0 ? a / b : -((b - 1 - a) / b);
}

/* In which plane tap t of an axis lies, and at which place of it. */
static int64_t plane_of(const sp__conv_axis *a, int64_t t, int64_t *place)
{
    const int64_t at = a->delta + t * a->dilation;
    *place = floor_of(at, a->advance);
    return at - *place * a->advance;
}

static void set_ends(planes *p)
{
    for (int d = 0; d < 2; d++) {
        for (int64_t t = 0; t < p->axis[d].taps; t++) {
            int64_t place;
            plane_of(&p->axis[d], t, &place);
            if (t == 0 || place < p->low[d]) p->low[d] = place;
            if (t == 0 || place > p->high[d]) p->high[d] = place;
        }
    }
    p->row = p->axis[1].count + p->high[1] - p->low[1];
}

static int64_t run_at(const planes *p, int64_t t0, int64_t t1)
{
    int64_t place[2];
    const int64_t plane = plane_of(&p->axis[0], t0, &place[0]) * p->axis[1].advance +
                          plane_of(&p->axis[1], t1, &place[1]);
    return ((plane * p->rows + place[0] - p->low[0]) * p->row + place[1] - p->low[1]) * p->k;
}

/* The runs of one row of the kernel: taps that follow each other in a plane. */
static void add_runs(planes *p, int64_t t0)
{
    const sp__conv_axis *a = p->axis;
    const int64_t every = a[1].dilation == 1 ? least(a[1].advance, a[1].taps) : a[1].taps;
    for (int64_t t1 = 0; t1 < every; t1++) {
        tap_run *run = &p->runs[p->n_runs++];
        *run = (tap_run){.at = run_at(p, t0, t1), .taps = (a[1].taps - t1 + every - 1) / every};
        run->tap[0] = a[0].tap + t0 * a[0].tap_step;
        run->tap[1] = a[1].tap + t1 * a[1].tap_step;
        run->step = every * a[1].tap_step;
        run->depths = (run->taps * p->k + DEPTH - 1) / DEPTH;
        run->column = p->columns;
        p->depths += run->depths;
        p->columns += run->depths * DEPTH;
    }
}

/* Rows of places to a band, a multiple of `step`: about `most` numbers for each column of a place, and enough bands to
 * share out. */
static int64_t band_of(const planes *p, int64_t batch, int64_t step, int64_t most)
{
    enum { TASKS = 8 };
    const int64_t rows = p->axis[0].count, room = most / p->row, each = (rows * batch + TASKS - 1) / TASKS;
    const int64_t band = least(least(rows, room), each) / step * step;
    return band > step ? band : step;
}

/* Fills in what follows from axes, ends and k, for `band` rows of places; p->runs has room for all taps. */
static void set_runs(planes *p, int64_t band)
{
    p->band = band;
    p->rows = band + p->high[0] - p->low[0];
    for (int64_t t = 0; t < p->axis[0].taps; t++) add_runs(p, t);
}

/* Places of a band of `rows` rows, whole pairs of tiles. */
static int64_t places_of(const planes *p, int64_t rows)
{
    return (rows * p->row + PAIR - 1) / PAIR * PAIR;
}

/* Elements of the planes, and of what tiles read behind them. */
static int64_t plane_elements(const planes *p)
{
    const int64_t places = p->axis[0].advance * p->axis[1].advance * p->rows * p->row;
    return (places + BEHIND + PAIR) * p->k + BEHIND;
}

/* n elements, few of them. */
SP__INLINE void copy_channels(element *out, const element *from, int64_t n)
{
    int64_t i = 0;
    for (; i + SIDE <= n; i += SIDE) memcpy(out + i, from + i, SIDE * sizeof *out);
    if (i == n) return;
    const __mmask16 rest = (__mmask16)((1u << (n - i)) - 1);
    _mm256_mask_storeu_epi16(out + i, rest, _mm256_maskz_loadu_epi16(rest, from + i));
}

/* Row h of an image, from the place of the plane's first column on; `plane` is the remainder of columns. */
static void copy_row(const planes *p, element *out, const element *image, int64_t h, int64_t plane)
{
    const sp__conv_axis *a = &p->axis[1];
    const int64_t *strides = p->source->strides, k = p->k;
    const size_t bytes = (size_t)k * sizeof *out;
    if (h < 0 || h >= p->axis[0].extent) {
        memset(out, 0, (size_t)p->row * bytes);
        return;
    }
    const element *from = image + h * strides[2];
    for (int64_t c = 0; c < p->row;) {
        const int64_t w = (p->low[1] + c) * a->advance + plane;
        const bool joins = a->advance == 1 && strides[3] == k && w >= 0 && w < a->extent;
        const int64_t n = joins ? least(a->extent - w, p->row - c) : 1;
        if (w < 0 || w >= a->extent)
            memset(out + c * k, 0, bytes);
        else if (joins)
            memcpy(out + c * k, from + w * k, (size_t)n * bytes);
        else
            copy_channels(out + c * k, from + w * strides[3], k);
        c += n;
    }
}

/* The planes for rows of places from q on. */
static void copy_planes(const planes *p, element *out, int64_t image, int64_t q)
{
    const int64_t advance[2] = {p->axis[0].advance, p->axis[1].advance};
    const element *from = (const element *)p->source->buffer + p->source->offset + image * p->source->strides[0];
    for (int64_t plane = 0; plane < advance[0] * advance[1]; plane++)
        for (int64_t r = 0; r < p->rows; r++, out += p->row * p->k)
            copy_row(p, out, from, (q + p->low[0] + r) * advance[0] + plane / advance[1], plane % advance[1]);
}

#endif

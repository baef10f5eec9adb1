/* Backward-weight of bf16 by AMX: rows of y's channels by columns of what the runs of taps read, summed over places.
 *
 * Both come in pairs of places. Of y there is a copy in tiles, turned, with zeros behind the last column. Of x there is a
 * copy in which each element stands beside that of the next place, so that columns are read at any offset. */
#ifndef SPUSK_CONV_TILES_WEIGHT_H
#define SPUSK_CONV_TILES_WEIGHT_H

#include "tiles.h"

typedef struct tiles_weight {
    const sp__conv *call;
    planes p;
    int64_t n, room; /* channels of y, and whole tiles of them */
    int64_t parts;   /* of the batch */
    float *sums;     /* [part][room][columns + a pair for the bias] */
    atomic_int status;
} tiles_weight;

/* Where a task copies to. */
typedef struct weight_place {
    element *planes, *y, *tiles; /* tiles: [tile of room][tile of places] */
    uint32_t *pairs;
    int64_t places, elements; /* of a band; of the planes */
} weight_place;

static float *sums_of_part(const tiles_weight *t, int64_t part)
{
    return t->sums + part * t->room * (t->p.columns + 1);
}

/* Each element beside that of the next place. */
static void pair_places(const tiles_weight *t, weight_place *w)
{
    const int64_t end = w->elements - t->p.k;
    for (int64_t i = 0; i + LANES <= end; i += LANES) {
        const __m512i low = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(const void *)(w->planes + i)));
        const __m512i high = _mm512_cvtepu16_epi32(
            _mm256_loadu_si256((const __m256i *)(const void *)(w->planes + i + t->p.k)));
        _mm512_storeu_si512(w->pairs + i, _mm512_or_si512(low, _mm512_slli_epi32(high, 16)));
    }
}

/* Adds a row of places up. */
static void add_places(const element *from, int64_t step, int64_t places, int64_t n, float *sums)
{
    for (int64_t j = 0; j < n; j += LANES) {
        vector sum = *(const vector *)(sums + j);
        for (int64_t c = 0; c < places; c++) sum += load_bf16(from + c * step + j, n - j);
        *(vector *)(sums + j) = sum;
    }
}

/* Rows of y from q on, with zeros where a row of places is longer; adds up the bias. */
static void copy_y(const tiles_weight *t, weight_place *w, int64_t image, int64_t q, int64_t rows, float *bias)
{
    const sp__operand *y = &t->call->y;
    const int64_t n = t->n;
    memset(w->y, 0, (size_t)(w->places * n) * sizeof(element));
    for (int64_t h = q; h < q + rows; h++) {
        const element *from = (const element *)y->buffer + y->offset + image * y->strides[0] + h * y->strides[2];
        element *to = w->y + (h - q) * t->p.row * n;
        if (t->call->bias) add_places(from, y->strides[3], t->p.axis[1].count, n, bias);
        for (int64_t c = 0; c < t->p.axis[1].count; c++, to += n, from += y->strides[3]) copy_channels(to, from, n);
    }
}

static void turn_y(const tiles_weight *t, weight_place *w)
{
    element *out = w->tiles;
    for (int64_t j = 0; j < t->room; j += SIDE) {
        for (int64_t place = 0; place < w->places; place += DEPTH, out += WHOLE) {
            vector rows[SIDE] = {{0}};
            for (int r = 0; r < SIDE && j < t->n; r++)
                rows[r] = across(w->y + (place + 2 * r) * t->n + j, t->n, t->n - j, 2);
            sp__turn_tile((sp__tile_row *)rows);
            memcpy(out, rows, sizeof rows);
        }
    }
}

/* Adds a band of an image to a part's sums. */
static void add_band(const tiles_weight *t, const weight_place *w, float *sums, bool begun)
{
    const int64_t depths = w->places / DEPTH, k = t->p.k, row = t->p.columns * (int64_t)sizeof *sums;
    sp__set_tiles(PAIR);
    for (int64_t r = 0; r < t->p.n_runs; r++) {
        const tap_run *run = &t->p.runs[r];
        for (int64_t c = 0; c < run->taps * k; c += PAIR) {
            const uint32_t *x = w->pairs + run->at + c;
            const sp__tile_walk b = {x, x + SIDE, 2 * k * (int64_t)sizeof *x, DEPTH * k * (int64_t)sizeof *x};
            for (int64_t j = 0; j < t->room; j += PAIR) {
                const element *y = w->tiles + j / SIDE * depths * WHOLE;
                const sp__tile_walk a = {y, y + depths * WHOLE, DEPTH * sizeof *y, WHOLE * sizeof *y};
                float *to = sums + j * t->p.columns + run->column + c;
                const bool lower = t->room - j > SIDE, right = run->taps * k - c > SIDE;
                sp__load_sums(to, row, lower, right, begun);
                sp__add_tiles(&a, &b, depths, lower, right);
                sp__store_sums(to, row, lower, right);
            }
        }
    }
    _tile_release();
}

static size_t rounded(int64_t elements, size_t size)
{
    return ((size_t)elements * size + 63) / 64 * 64;
}

static void weight_part(const tiles_weight *t, weight_place *w, int64_t part)
{
    const int64_t batch = t->call->batch, end = batch * (part + 1) / t->parts, first = batch * part / t->parts;
    float *sums = sums_of_part(t, part), *bias = sums + t->room * t->p.columns;
    memset(bias, 0, (size_t)t->room * sizeof *bias);
    for (int64_t image = first; image < end; image++) {
        for (int64_t q = 0; q < t->p.axis[0].count; q += t->p.band) {
            copy_planes(&t->p, w->planes, image, q);
            pair_places(t, w);
            copy_y(t, w, image, q, least(t->p.band, t->p.axis[0].count - q), bias);
            turn_y(t, w);
            add_band(t, w, sums, image > first || q > 0);
        }
    }
}

static void weight_part_task(void *context, int64_t part)
{
    tiles_weight *t = context;
    weight_place w = {.places = places_of(&t->p, t->p.band), .elements = plane_elements(&t->p)};
    const size_t x = rounded(w.elements, sizeof(element)), pairs = rounded(w.elements, sizeof(uint32_t));
    const size_t y = rounded(w.places * t->n + SIDE, sizeof(element)),
                 tiles = rounded(w.places * t->room, sizeof(element));
    char *memory = sp__scratch(x + pairs + y + tiles);
    if (!memory) {
        atomic_store(&t->status, SP_ERROR_MEMORY);
        return;
    }
    memset(memory, 0, x + pairs);
    w.planes = (element *)(void *)memory;
    w.pairs = (uint32_t *)(void *)(memory + x);
    w.y = (element *)(void *)(memory + x + pairs);
    w.tiles = (element *)(void *)(memory + x + pairs + y);
    weight_part(t, &w, part);
    sp_free(memory, x + pairs + y + tiles);
}

/* ---- the result ---- */

static float sum_of_parts(const tiles_weight *t, int64_t at)
{
    float sum = 0;
    for (int64_t part = 0; part < t->parts; part++) sum += sums_of_part(t, part)[at];
    return sum;
}

/* Channel o of y. */
static void write_weights(void *context, int64_t o)
{
    const tiles_weight *t = context;
    const sp__operand *w = &t->call->w, *bias = t->call->bias;
    for (int64_t r = 0; r < t->p.n_runs; r++) {
        const tap_run *run = &t->p.runs[r];
        for (int64_t c = 0; c < run->taps * t->p.k; c++) {
            const int64_t at = o * w->strides[0] + c % t->p.k * w->strides[1] + run->tap[0] * w->strides[2];
            const int64_t tap = run->tap[1] + c / t->p.k * run->step;
            set_number(w, at + tap * w->strides[3], sum_of_parts(t, o * t->p.columns + run->column + c));
        }
    }
    if (bias) set_number(bias, o * bias->strides[0], sum_of_parts(t, t->room * t->p.columns + o));
}

static sp_status run_tiles_weight(const sp__conv *call)
{
    enum { PARTS = 8, NUMBERS = 1 << 16 };
    tiles_weight t = {.call = call, .n = call->out, .parts = least(call->batch, PARTS)};
    t.room = (t.n + SIDE - 1) / SIDE * SIDE;
    t.p.source = &call->x, t.p.k = call->in;
    for (int d = 0; d < 2; d++) t.p.axis[d] = sp__conv_forward_axis(call, d);
    const size_t runs = rounded(call->kernel[0] * call->kernel[1], sizeof(tap_run));
    t.p.runs = sp__scratch(runs);
    if (!t.p.runs) return SP_ERROR_MEMORY;
    set_ends(&t.p);
    set_runs(&t.p, band_of(&t.p, 8, 1, NUMBERS / (t.room > t.p.k ? t.room : t.p.k)));
    const size_t sums = (size_t)(t.parts * t.room * (t.p.columns + 1)) * sizeof(float);
    t.sums = sp__scratch(sums);
    sp_status status = t.sums ? SP_OK : SP_ERROR_MEMORY;
    if (!status) sp__flushed_tasks(t.parts, weight_part_task, &t);
    if (!status) status = (sp_status)atomic_load(&t.status);
    if (!status) sp__tasks(t.n, write_weights, &t);
    sp_free(t.sums, sums);
    sp_free(t.p.runs, runs);
    return status;
}

#endif

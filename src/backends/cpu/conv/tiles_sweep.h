/* Forward and backward-data of bf16 by AMX: sums of places × n, and what a tail makes of them. */
#ifndef SPUSK_CONV_TILES_SWEEP_H
#define SPUSK_CONV_TILES_SWEEP_H

#include "tiles.h"

typedef struct tiles_call {
    const sp__conv *call;
    planes p;
    const sp__operand *result, *where; /* where: of the maxima; NULL: none */
    int64_t n, room;                   /* channels of the result; whole tiles of them */
    int64_t window[2], bands;
    bool relu;
    element *weights; /* [tile of depth][tile of columns] */
    float *bias;      /* [room] */
    atomic_int status;
} tiles_call;

/* ---- the weights ---- */

/* The tile d of a run. */
static void pack_run(const tiles_call *t, const tap_run *run, int64_t d, element *out)
{
    const sp__operand *w = &t->call->w;
    const bool forward = t->call->kind == SP__CONV_FORWARD;
    const int64_t k_stride = w->strides[forward ? 1 : 0], n_stride = w->strides[forward ? 0 : 1], k = t->p.k;
    memset(out, 0, (size_t)(t->room * DEPTH) * sizeof *out);
    for (int64_t i = 0; i < DEPTH && d * DEPTH + i < run->taps * k; i++) {
        const int64_t tap = (d * DEPTH + i) / k, channel = (d * DEPTH + i) % k;
        const int64_t at = run->tap[0] * w->strides[2] + (run->tap[1] + tap * run->step) * w->strides[3];
        const element *from = (const element *)w->buffer + w->offset + at + channel * k_stride;
        element *to = out + i / 2 * DEPTH + i % 2;
        for (int64_t j = 0; j < t->n; j++) to[j / SIDE * WHOLE + j % SIDE * 2] = from[j * n_stride];
    }
}

static void pack_runs(void *context, int64_t which)
{
    const tiles_call *t = context;
    const tap_run *run = &t->p.runs[which];
    for (int64_t d = 0; d < run->depths; d++)
        pack_run(t, run, d, t->weights + (run->column / DEPTH + d) * t->room * DEPTH);
}

/* ---- sums ---- */

/* The sums of 32 places from `place` on, or without `lower` of 16, and of all columns. */
static void sum_pair(const tiles_call *t, const element *from, int64_t place, float *sums, bool lower)
{
    const int64_t row = t->room * (int64_t)sizeof *sums, k = t->p.k;
    for (int64_t j = 0; j < t->room; j += PAIR) {
        const bool right = t->room - j > SIDE;
        sp__load_sums(NULL, 0, lower, right, false);
        for (int64_t r = 0; r < t->p.n_runs; r++) {
            const tap_run *run = &t->p.runs[r];
            const element *a = from + run->at + place * k;
            const element *b = t->weights + run->column * t->room + j / SIDE * WHOLE;
            const sp__tile_walk places = {a, a + SIDE * k, k * (int64_t)sizeof *a, DEPTH * sizeof *a};
            const sp__tile_walk weights = {b, b + WHOLE, DEPTH * sizeof *b, t->room * DEPTH * (int64_t)sizeof *b};
            sp__add_tiles(&places, &weights, run->depths, lower, right);
        }
        sp__store_sums(sums + j, row, lower, right);
    }
}

/* ---- results ---- */

/* Channels of a place of the result, or of a window, from the j-th on. */
SP__INLINE void store_result(const tiles_call *t, int64_t at, int64_t j, vector x)
{
    const sp__operand *result = t->result;
    store_either(result->buffer, result->dtype == SP_BF16, result->offset + at + j, x, t->n - j);
}

static int64_t result_at(const tiles_call *t, int64_t image, int64_t q0, int64_t q1)
{
    const sp__conv_axis *a = t->p.axis;
    const int64_t *strides = t->result->strides;
    return image * strides[0] + (a[0].first + q0 * a[0].step) * strides[2] + (a[1].first + q1 * a[1].step) * strides[3];
}

/* A row of places; its number among the band's is `row`. */
static void store_places(const tiles_call *t, const float *sums, int64_t image, int64_t q, int64_t row)
{
    for (int64_t c = 0; c < t->p.axis[1].count; c++) {
        const float *from = sums + (row * t->p.row + c) * t->room;
        const int64_t at = result_at(t, image, q + row, c);
        for (int64_t j = 0; j < t->n; j += LANES) {
            const vector x = *(const vector *)(from + j) + *(const vector *)(t->bias + j);
            store_result(t, at, j, positive(x, t->relu));
        }
    }
}

/* A row of windows. */
static void store_maxima(const tiles_call *t, const float *sums, int64_t image, int64_t q, int64_t row)
{
    enum { MOST = 16 };
    const int64_t *pool = t->window, places = pool[0] * pool[1], *strides = t->where->strides, h = (q + row) / pool[0];
    for (int64_t w = 0; w < t->p.axis[1].count / pool[1]; w++) {
        const int64_t at = image * t->result->strides[0] + h * t->result->strides[2] + w * t->result->strides[3];
        uint8_t *where = (uint8_t *)t->where->buffer + t->where->offset + image * strides[0] + h * strides[2];
        for (int64_t j = 0; j < t->n; j += LANES) {
            vector x[MOST];
            x[0] = (vector){0};
            mask best;
            for (int64_t i = 0; i < places; i++) {
                const int64_t place = (row + i / pool[1]) * t->p.row + w * pool[1] + i % pool[1];
                x[i] = *(const vector *)(sums + place * t->room + j) + *(const vector *)(t->bias + j);
            }
            store_result(t, at, j, maximum_of((const number *)x, LANES, places, t->relu, &best));
            store_where(where + w * strides[3] + j, best, t->n - j);
        }
    }
}

/* ---- tasks ---- */

static void sum_band(const tiles_call *t, int64_t image, int64_t q, element *copy, float *sums)
{
    const int64_t rows = least(t->p.band, t->p.axis[0].count - q), places = rows * t->p.row;
    copy_planes(&t->p, copy, image, q);
    sp__set_tiles(PAIR);
    for (int64_t place = 0; place < places; place += PAIR)
        sum_pair(t, copy, place, sums + place * t->room, places - place > SIDE);
    _tile_release();
    for (int64_t row = 0; row < rows; row += t->where ? t->window[0] : 1) {
        if (t->where)
            store_maxima(t, sums, image, q, row);
        else
            store_places(t, sums, image, q, row);
    }
}

static void sweep_task(void *context, int64_t task)
{
    tiles_call *t = context;
    const size_t copy = (size_t)plane_elements(&t->p) * sizeof(element), copied = (copy + 63) / 64 * 64;
    const size_t bytes = copied + (size_t)(places_of(&t->p, t->p.band) * t->room) * sizeof(float);
    char *memory = sp__scratch(bytes);
    if (!memory) {
        atomic_store(&t->status, SP_ERROR_MEMORY);
        return;
    }
    const size_t behind = (size_t)((BEHIND + PAIR) * t->p.k + BEHIND) * sizeof(element);
    memset(memory + copy - behind, 0, behind);
    sum_band(t, task / t->bands, task % t->bands * t->p.band, (element *)(void *)memory,
             (float *)(void *)(memory + copied));
    sp_free(memory, bytes);
}

static void set_bias(const tiles_call *t)
{
    const sp__operand *bias = t->call->bias;
    for (int64_t j = 0; j < t->room; j++) t->bias[j] = bias && j < t->n ? get_number(bias, j * bias->strides[0]) : 0;
}

/* One sweep, whose runs have their memory. */
static sp_status run_tiles_sweep(tiles_call *t)
{
    enum { SUMS = 1 << 16 }; /* of a band */
    const sp__conv *call = t->call;
    set_ends(&t->p);
    set_runs(&t->p, band_of(&t->p, call->batch, t->window[0], SUMS / (t->room > t->p.k ? t->room : t->p.k)));
    t->bands = (t->p.axis[0].count + t->p.band - 1) / t->p.band;
    const size_t weights = (size_t)(t->p.columns * t->room) * sizeof(element);
    const size_t bytes = weights + (size_t)t->room * sizeof(float);
    t->weights = sp__scratch(bytes);
    if (!t->weights) return SP_ERROR_MEMORY;
    t->bias = (float *)(void *)((char *)t->weights + weights);
    set_bias(t);
    sp__tasks(t->p.n_runs, pack_runs, t);
    sp__flushed_tasks(call->batch * t->bands, sweep_task, t);
    sp_free(t->weights, bytes);
    return (sp_status)atomic_load(&t->status);
}

static tiles_call tiles_of(const sp__conv *call)
{
    const bool forward = call->kind == SP__CONV_FORWARD;
    const sp__conv_tail *tail = call->tail;
    tiles_call t = {.call = call, .n = forward ? call->out : call->in, .window = {1, 1}};
    t.p.source = forward ? &call->x : &call->y;
    t.p.k = forward ? call->in : call->out;
    t.room = (t.n + SIDE - 1) / SIDE * SIDE;
    t.result = !forward ? &call->x : tail ? &tail->y : &call->y;
    if (!tail) return t;
    t.relu = tail->relu;
    if (tail->pool[0] * tail->pool[1] == 1) return t;
    t.where = &tail->where;
    memcpy(t.window, tail->pool, sizeof t.window);
    return t;
}

/* The sweeps of a dimension; their axes where `axes` is not NULL. */
static int64_t sweeps_of(const sp__conv *call, int d, sp__conv_axis *axes)
{
    if (call->kind == SP__CONV_BACKWARD_DATA) return sp__conv_backward_axes(call, d, axes);
    if (axes) *axes = sp__conv_forward_axis(call, d);
    return 1;
}

static sp_status run_sweeps(const sp__conv *call, const sp__conv_axis *rows, int64_t n_rows,
                            const sp__conv_axis *columns, int64_t n_columns, tap_run *runs)
{
    sp_status status = SP_OK;
    for (int64_t i = 0; i < n_rows * n_columns && !status; i++) {
        tiles_call t = tiles_of(call);
        t.p.axis[0] = rows[i / n_columns], t.p.axis[1] = columns[i % n_columns];
        for (int d = 0; d < 2; d++) t.p.axis[d].count = t.p.axis[d].count / t.window[d] * t.window[d];
        t.p.runs = runs;
        if (t.p.axis[0].count * t.p.axis[1].count > 0) status = run_tiles_sweep(&t);
    }
    return status;
}

static sp_status run_tiles(const sp__conv *call)
{
    const int64_t n_rows = sweeps_of(call, 0, NULL), n_columns = sweeps_of(call, 1, NULL);
    const size_t axes = (size_t)(n_rows + n_columns) * sizeof(sp__conv_axis);
    const size_t bytes = axes + (size_t)(call->kernel[0] * call->kernel[1]) * sizeof(tap_run);
    if (call->batch == 0) return SP_OK;
    sp__conv_axis *rows = sp__scratch(bytes), *columns = rows + n_rows;
    if (!rows) return SP_ERROR_MEMORY;
    sweeps_of(call, 0, rows);
    sweeps_of(call, 1, columns);
    tap_run *runs = (tap_run *)(void *)((char *)rows + axes);
    const sp_status status = run_sweeps(call, rows, n_rows, columns, n_columns, runs);
    sp_free(rows, bytes);
    return status;
}

#endif

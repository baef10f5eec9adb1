/* A call of the direct loop: packs the weights, cuts the work into sweeps and these into tasks.
 *
 * k, n, room  as in direct_tile.h
 * A sweep is a group's, and in backward-data one for each remainder of x's places by the strides. */
#ifndef SPUSK_CONV_DIRECT_H
#define SPUSK_CONV_DIRECT_H

#include "direct_tile.h"

/* Places of one dimension that the same taps reach: all, or in backward-data those of one remainder by the stride. */
typedef struct sweep_side {
    sp__conv_axis axis;
    tap_range *inside; /* by place */
} sweep_side;

typedef struct direct_call {
    const sp__conv *call;
    sweep *each; /* of equal k and n */
    sweep_side *sides[2];
    int64_t n_sides[2];
    int64_t classes, count, panels;
    bool merged; /* backward-data where the kernels do not overlap: the taps are columns of one sweep */
    int64_t images, image_blocks, chunk, chunks;
    atomic_bool endless; /* a weight is not finite */
} direct_call;

/* ---- weights ---- */

/* One tap of a panel's: from memory of any strides to [k][room]. */
static void pack_tap(number *out, const element *w, int64_t n_stride, int64_t k_stride, int64_t k, int64_t width,
                     int64_t room)
{
    if (width < room) memset(out, 0, (size_t)(k * room) * sizeof(number));
    if (n_stride == 1 && STEP == 1) {
        for (int64_t i = 0; i < k; i++) memcpy(out + i * room, w + i * k_stride, (size_t)width * sizeof(number));
        return;
    }
    enum { BLOCK = 16 }; /* rows at a time, so that what is written stays near */
    for (int64_t i0 = 0; i0 < k; i0 += BLOCK) {
        const int64_t end = i0 + BLOCK < k ? i0 + BLOCK : k;
        for (int64_t j = 0; j < width; j++)
            for (int64_t i = i0; i < end; i++)
                out[i * room + j] = unit(w + i * STEP * k_stride + j * n_stride, k_stride);
    }
}

static void pack_panel(const direct_call *all, const sweep *g, int64_t panel, const element *w)
{
    const sp__conv_axis *a = g->axis;
    const int64_t *strides = all->call->w.strides;
    const bool forward = all->call->kind == SP__CONV_FORWARD;
    const int64_t taps = a[0].taps * a[1].taps, first = panel * NR, width = least(g->n - first, NR);
    const int64_t room = room_for(width);
    const int64_t n_stride = strides[!forward], k_stride = strides[forward];
    number *out = (number *)(uintptr_t)g->b + panel * taps * g->k * NR;
    for (int64_t tap = 0; !all->merged && tap < taps; tap++) {
        const element *from = w + first * n_stride + (a[0].tap + tap / a[1].taps * a[0].tap_step) * strides[2] +
                              (a[1].tap + tap % a[1].taps * a[1].tap_step) * strides[3];
        pack_tap(out + tap * g->k * room, from, n_stride, k_stride, g->k, width, room);
    }
    if (!all->merged) return;
    if (width < room) memset(out, 0, (size_t)(g->k * room) * sizeof(number));
    const int64_t channels = all->call->in / all->call->groups;
    for (int64_t j = 0; j < width; j++) {
        const int64_t tap = (first + j) / channels, channel = (first + j) % channels;
        const element *from = w + channel * n_stride + tap / all->call->kernel[1] * strides[2] +
                              tap % all->call->kernel[1] * strides[3];
        for (int64_t k = 0; k < g->k; k++) out[k * room + j] = unit(from + k * STEP * k_stride, k_stride);
    }
}

/* Of n numbers, whole vectors. */
static bool are_finite(const number *p, int64_t n)
{
    sp__words found = {0};
    for (int64_t i = 0; i < n; i += LANES) {
        const vector x = *(const vector *)(p + i);
        found |= (sp__words)(x - x != 0);
    }
    return !sp__any_word(found);
}

static bool is_finite_panel(const sweep *g, int64_t panel)
{
    const int64_t weights = g->axis[0].taps * g->axis[1].taps * g->k;
    return are_finite(g->b + panel * weights * NR, weights * room_for(g->n - panel * NR));
}

/* A panel of a sweep: weights and bias. */
static void pack_task(void *context, int64_t task)
{
    direct_call *all = context;
    const sp__conv *call = all->call;
    const sweep *g = &all->each[task / all->panels];
    const int64_t panel = task % all->panels, group = task / all->panels / all->classes;
    const int64_t out = call->out / call->groups;
    const int64_t channels = (call->kind == SP__CONV_FORWARD ? call->out : call->in) / call->groups;
    pack_panel(all, g, panel, (const element *)call->w.buffer + call->w.offset + group * out * call->w.strides[0]);
    if (STEP == 1 && !is_finite_panel(g, panel)) atomic_store(&all->endless, true);
    number *bias = (number *)(uintptr_t)g->bias;
    for (int64_t j = panel * NR; j < (panel + 1) * NR; j++) {
        const int64_t at = call->bias ? (group * channels + j % channels) * call->bias->strides[0] : 0;
        bias[j] = call->bias && j < g->n ? get_number(call->bias, at) : 0;
    }
}

/* ---- sweeps ---- */

static void put_result(sweep *g, const sp__operand *operand, int64_t channel)
{
    g->narrow = operand->dtype == SP_BF16;
    g->result = sp__operand_at(operand) + channel * operand->strides[1] * sp__size_of(operand->dtype);
    image_strides(g->result_strides, operand, 1);
}

/* One tap, the same for all: the kernel lies side by side in the result. */
static sp__conv_axis merged_axis(const sp__conv *call, int d)
{
    return (sp__conv_axis){.count = call->out_size[d],
                           .step = call->stride[d],
                           .advance = 1,
                           .dilation = 1,
                           .extent = call->out_size[d],
                           .taps = 1};
}

static void put_tail(sweep *g, const sp__conv_tail *tail, int64_t channel)
{
    g->relu = tail->relu;
    put_result(g, &tail->y, channel);
    for (int d = 0; d < 2; d++) g->window[d] = tail->pool[d], g->windows[d] /= tail->pool[d];
    if (tail->pool[0] * tail->pool[1] == 1) return;
    g->where = (uint8_t *)tail->where.buffer + tail->where.offset + channel;
    image_strides(g->where_strides, &tail->where, 1);
}

static sweep make_sweep(const direct_call *all, int64_t i)
{
    const sp__conv *call = all->call;
    const bool forward = call->kind == SP__CONV_FORWARD;
    const int64_t class = i % all->classes, group = i / all->classes;
    const int64_t in = call->in / call->groups, out = call->out / call->groups;
    sweep g = {.k = (forward ? in : out) / STEP, .n = forward ? out : in, .panels = all->panels, .window = {1, 1}};
    if (all->merged) g.n *= call->kernel[0] * call->kernel[1];
    g.source = forward ? units_of(&call->x, group * in) : units_of(&call->y, group * out);
    image_strides(g.source_strides, forward ? &call->x : &call->y, STEP);
    if (!forward) put_result(&g, &call->x, group * in);
    if (forward && !call->tail) put_result(&g, &call->y, group * out);
    for (int d = 0; d < 2; d++) {
        const sweep_side *side = &all->sides[d][d == 0 ? class / all->n_sides[1] : class % all->n_sides[1]];
        g.axis[d] = side->axis;
        g.inside[d] = side->inside;
        g.windows[d] = side->axis.count;
    }
    if (forward && call->tail) put_tail(&g, call->tail, group * out);
    return g;
}

/* Where the columns of a place's result lie from its first. */
static void set_columns(const direct_call *all, int64_t *column)
{
    const sp__conv *call = all->call;
    const int64_t channels = call->in / call->groups;
    for (int64_t j = 0; j < (all->panels + 1) * NR; j++) {
        const int64_t tap = j / (channels ? channels : 1);
        column[j] = all->merged ? tap / call->kernel[1] * call->x.strides[2] +
                                      tap % call->kernel[1] * call->x.strides[3] + j % channels
                                : j;
    }
}

/* The axes of a dimension; returns how many. Written where `axes` is not NULL. */
static int64_t axes_of(const direct_call *all, int d, sp__conv_axis *axes)
{
    const sp__conv *call = all->call;
    const bool forward = call->kind == SP__CONV_FORWARD;
    if (!forward && !all->merged) return sp__conv_backward_axes(call, d, axes);
    if (axes) *axes = forward ? sp__conv_forward_axis(call, d) : merged_axis(call, d);
    return 1;
}

/* Writes a dimension's sides, their places from `inside` on; returns where the next may begin. */
static tap_range *set_sides(direct_call *all, int d, sp__conv_axis *axes, tap_range *inside)
{
    axes_of(all, d, axes);
    for (int64_t i = 0; i < all->n_sides[d]; i++) {
        all->sides[d][i] = (sweep_side){axes[i], inside};
        for (int64_t q = 0; q < axes[i].count; q++) {
            int64_t from, to;
            sp__conv_inside(&axes[i], q, &from, &to);
            *inside++ = (tap_range){(int32_t)from, (int32_t)to};
        }
    }
    return inside;
}

/* Cuts the places: images to a tile as many as fit, rows of windows so that a task is worth its start. */
static void cut_direct(direct_call *all)
{
    enum { WORK = 1 << 21 }; /* multiply-adds in a task */
    const sweep *g = &all->each[0];
    all->images = least(all->call->batch, SP__TILE_ROWS);
    all->image_blocks = (all->call->batch + all->images - 1) / all->images;
    int64_t rows = 0, taps = 1;
    for (int64_t i = 0; i < all->classes; i++) {
        const sweep *one = &all->each[i];
        if (one->windows[0] > rows) rows = one->windows[0];
        if (one->axis[0].taps * one->axis[1].taps > taps) taps = one->axis[0].taps * one->axis[1].taps;
    }
    const int64_t room = room_for(g->n);
    const double work = (double)(all->images * g->axis[1].count * taps * g->window[0]) * (double)(g->k * room);
    all->chunk = work * (double)rows <= WORK ? rows : (int64_t)(WORK / work) + 1;
    if (all->chunk < 1) all->chunk = 1;
    all->chunks = (rows + all->chunk - 1) / all->chunk;
}

/* Tasks go by images first, so that a thread that has computed an image in one layer tends to have it in the next. */
static void direct_task(void *context, int64_t task)
{
    const direct_call *all = context;
    const int64_t panel = task % all->panels, chunk = task / all->panels % all->chunks;
    const int64_t i = task / (all->panels * all->chunks) % all->count;
    const int64_t first = task / (all->panels * all->chunks * all->count) * all->images;
    run_sweep(&all->each[i], panel, first, least(first + all->images, all->call->batch), chunk * all->chunk,
              (chunk + 1) * all->chunk);
}

static bool kernels_meet_once(const sp__conv *call)
{
    bool once = call->kind == SP__CONV_BACKWARD_DATA;
    for (int d = 0; d < 2; d++) {
        once = once && call->kernel[d] == call->stride[d] && call->padding[d] == 0 && call->dilation[d] == 1 &&
               call->size[d] == call->out_size[d] * call->stride[d];
    }
    return once && call->kernel[0] * call->kernel[1] > 1;
}

/* What a call's sweeps share or own, in one block of memory: each part begins on a cache line. */
typedef struct direct_memory {
    size_t sweeps, columns, sides, axes, inside, zeros, bias, weights, all;
} direct_memory;

static direct_memory measure_direct(const direct_call *all, int64_t k)
{
    const sp__conv *call = all->call;
    const int64_t places = call->out_size[0] + call->out_size[1] + call->size[0] + call->size[1];
    const int64_t sides = all->n_sides[0] + all->n_sides[1];
    const int64_t taps = all->merged ? 1 : call->kernel[0] * call->kernel[1];
    const size_t sizes[] = {(size_t)all->count * sizeof(sweep),
                            (size_t)((all->panels + 1) * NR) * sizeof(int64_t),
                            (size_t)sides * sizeof(sweep_side),
                            (size_t)sides * sizeof(sp__conv_axis),
                            (size_t)places * sizeof(tap_range),
                            (size_t)k * sizeof(number),
                            (size_t)(all->count * all->panels * NR) * sizeof(number),
                            (size_t)(call->groups * all->panels * NR * k * taps) * sizeof(number)};
    direct_memory m = {0};
    size_t *const ends[] = {&m.columns, &m.sides, &m.axes, &m.inside, &m.zeros, &m.bias, &m.weights, &m.all};
    size_t at = 0;
    for (int i = 0; i < 8; i++) *ends[i] = at += (sizes[i] + 63) / 64 * 64;
    return m;
}

static void lay_out_direct(direct_call *all, const direct_memory *m, char *memory)
{
    int64_t *column = (int64_t *)(void *)(memory + m->columns);
    tap_range *inside = (tap_range *)(void *)(memory + m->inside);
    number *zeros = (number *)(void *)(memory + m->zeros), *bias = (number *)(void *)(memory + m->bias);
    number *weights = (number *)(void *)(memory + m->weights);
    memset(zeros, 0, m->bias - m->zeros);
    set_columns(all, column);
    all->sides[0] = (sweep_side *)(void *)(memory + m->sides);
    all->sides[1] = all->sides[0] + all->n_sides[0];
    for (int d = 0; d < 2; d++) inside = set_sides(all, d, (sp__conv_axis *)(void *)(memory + m->axes), inside);
    for (int64_t i = 0; i < all->count; i++) {
        sweep *g = &all->each[i];
        *g = make_sweep(all, i);
        g->column = column, g->zeros = zeros, g->bias = bias, g->b = weights;
        bias += all->panels * NR;
        weights += all->panels * NR * g->k * g->axis[0].taps * g->axis[1].taps;
    }
}

/* ---- places that no tap reaches: the strides are larger than the kernel ---- */

static bool leaves_places(const direct_call *all)
{
    for (int d = 0; d < 2 && all->call->kind == SP__CONV_BACKWARD_DATA && !all->merged; d++) {
        int64_t places = 0;
        for (int64_t i = 0; i < all->n_sides[d]; i++) places += all->sides[d][i].axis.count;
        if (places < all->call->size[d]) return true;
    }
    return false;
}

/* A row of the result becomes the bias, or zeros. */
static void fill_task(void *context, int64_t task)
{
    const sp__conv *call = ((const direct_call *)context)->call;
    const int64_t *strides = call->x.strides, bytes = call->in * sp__size_of(call->x.dtype);
    const int64_t row = task / call->size[0] * strides[0] + task % call->size[0] * strides[2];
    for (int64_t w = 0; w < call->size[1]; w++) {
        const int64_t at = row + w * strides[3];
        if (!call->bias) memset(sp__operand_at(&call->x) + at * sp__size_of(call->x.dtype), 0, (size_t)bytes);
        for (int64_t c = 0; call->bias && c < call->in; c++)
            set_number(&call->x, at + c, get_number(call->bias, c * call->bias->strides[0]));
    }
}

static sp_status run_direct(const sp__conv *call)
{
    const bool forward = call->kind == SP__CONV_FORWARD;
    const int64_t *size = forward ? call->out_size : call->size;
    if (call->batch * size[0] * size[1] * (forward ? call->out : call->in) == 0) return SP_OK;
    direct_call all = {.call = call, .merged = kernels_meet_once(call)};
    for (int d = 0; d < 2; d++) all.n_sides[d] = axes_of(&all, d, NULL);
    all.classes = all.n_sides[0] * all.n_sides[1];
    all.count = call->groups * all.classes;
    const int64_t n = forward ? call->out : all.merged ? call->in * call->kernel[0] * call->kernel[1] : call->in;
    all.panels = (n / call->groups + NR - 1) / NR;
    const direct_memory m = measure_direct(&all, (forward ? call->in : call->out) / call->groups / STEP);
    char *memory = sp__scratch(m.all);
    if (!memory) return SP_ERROR_MEMORY;
    all.each = (sweep *)(void *)memory;
    lay_out_direct(&all, &m, memory);
    if (leaves_places(&all)) sp__flushed_tasks(call->batch * call->size[0], fill_task, &all);
    if (all.count > 0) {
        cut_direct(&all);
        sp__flushed_tasks(all.count * all.panels, pack_task, &all);
        for (int64_t i = 0; i < all.count; i++) all.each[i].apart = atomic_load(&all.endless);
        sp__flushed_tasks(all.count * all.image_blocks * all.chunks * all.panels, direct_task, &all);
    }
    sp_free(memory, m.all);
    return SP_OK;
}

#endif

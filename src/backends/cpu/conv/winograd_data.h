/* A call of forward or backward-data by minimal filtering: in which order its blocks and panels come.
 *
 * All weights are transformed first where they then stay near a core, and a task is some blocks of tiles. Where they are
 * too many, a slab of tiles is transformed first, and a task is a panel and some blocks of the slab; it transforms the
 * panel's weights for itself, DEPTH channels of the source at a time. Either gives the same bits. */
#ifndef SPUSK_CONV_WINOGRAD_DATA_H
#define SPUSK_CONV_WINOGRAD_DATA_H

#include "winograd_panel.h"

/* Weights are few up to so many channels of the source, so that a task's tiles fit on its stack, and so many in all. */
enum { FEW_SOURCES = 128, FEW_WEIGHTS = 1 << 14, DEPTH = 128 };

static bool are_few_weights(const winograd_call *p)
{
    return p->k <= FEW_SOURCES && p->k * p->n <= FEW_WEIGHTS;
}

/* Transforms a block's tiles; returns how many there are. */
static int64_t transform_block(const winograd_call *p, int64_t tile, spot *at, number *v)
{
    const int64_t count = least(p->tiles - tile, BLOCK);
    for (int64_t i = 0; i < count; i++) {
        at[i] = spot_at(&p->source, tile + i);
        transform_source(&p->source, &at[i], v + i * p->source.row, p->v_step);
    }
    return count;
}

/* ---- few weights ---- */

static void few_weights_task(void *context, int64_t task)
{
    const winograd_call *p = context;
    const int64_t panel = task % p->panels, from = task / p->panels * SOURCES_AT_ONCE;
    transform_weights(p, panel, from, least(from + SOURCES_AT_ONCE, p->k), p->u + panel * p->panel);
}

/* A block's results in a panel, from its transformed tiles and the panel's transformed weights. */
static void run_panel(const winograd_call *p, int64_t panel, const number *u, const spot *at, int64_t count,
                      const number *v)
{
    number m[SIDE * M_STEP] __attribute__((aligned(64))), half[SIDE * TILE * M_STEP] __attribute__((aligned(64)));
    const int64_t room = panel_room(p, panel);
    for (int j = 0; j < SIDE; j++) {
        multiply_column(p, u + j * SIDE * u_step(p, room), room, v + j * SIDE * p->v_step, p->k, count > FEW, false, m);
        reduce_column(m, count, room, half + j * TILE * M_STEP);
    }
    finish_panel(p, panel, at, count, half);
}

static void block_task(void *context, int64_t task)
{
    const winograd_call *p = context;
    number v[POINTS * (BLOCK * FEW_SOURCES + LANES)] __attribute__((aligned(64)));
    const int64_t each = p->chunk * BLOCK;
    for (int64_t tile = task * each; tile < least(p->tiles, (task + 1) * each); tile += BLOCK) {
        spot at[BLOCK];
        const int64_t count = transform_block(p, tile, at, v);
        for (int64_t panel = 0; panel < p->panels; panel++) run_panel(p, panel, p->u + panel * p->panel, at, count, v);
    }
}

static void run_few_weights(winograd_call *p)
{
    enum { WORK = 1 << 21 }; /* multiply-adds in a task */
    const int64_t block = POINTS * BLOCK * p->k * p->n;
    p->chunk = block < WORK ? WORK / block : 1;
    const int64_t each = p->chunk * BLOCK;
    sp__flushed_tasks(p->panels * ((p->k + SOURCES_AT_ONCE - 1) / SOURCES_AT_ONCE), few_weights_task, p);
    sp__flushed_tasks((p->tiles + each - 1) / each, block_task, p);
}

/* ---- many weights ---- */

static void slab_task(void *context, int64_t block)
{
    const winograd_call *p = context;
    spot at[BLOCK];
    transform_block(p, p->first + block * BLOCK, at, p->v + block * p->block);
}

/* The products of `blocks` blocks from block `from` of the slab on, a part of the source's channels at a time, so that
 * their weights stay in the second-level cache while the blocks pass. */
static void multiply_blocks(const winograd_call *p, int64_t panel, int64_t from, int64_t blocks, number *u, number *m)
{
    const int64_t room = panel_room(p, panel);
    memset(m, 0, (size_t)(blocks * POINTS * M_STEP) * sizeof(number));
    for (int64_t k = 0; k < p->k; k += p->depth) {
        const int64_t depth = least(p->k - k, p->depth);
        for (int64_t i = 0; i < depth; i += SOURCES_AT_ONCE)
            transform_weights(p, panel, k + i, k + least(i + SOURCES_AT_ONCE, depth), u);
        for (int64_t i = 0; i < blocks; i++) {
            const number *v = p->v + (from + i) * p->block + k;
            const bool many = p->tiles - p->first - (from + i) * BLOCK > FEW;
            for (int j = 0; j < SIDE; j++)
                multiply_column(p, u + j * SIDE * u_step(p, room), room, v + j * SIDE * p->v_step, depth, many, true,
                                m + (i * POINTS + j * SIDE) * M_STEP);
        }
    }
}

static void finish_blocks(const winograd_call *p, int64_t panel, int64_t from, int64_t blocks, const number *m)
{
    number half[SIDE * TILE * M_STEP] __attribute__((aligned(64)));
    for (int64_t i = 0; i < blocks; i++, m += POINTS * M_STEP) {
        const int64_t tile = p->first + (from + i) * BLOCK, count = least(p->tiles - tile, BLOCK);
        spot at[BLOCK];
        for (int64_t t = 0; t < count; t++) at[t] = spot_at(&p->source, tile + t);
        for (int j = 0; j < SIDE; j++)
            reduce_column(m + j * SIDE * M_STEP, count, panel_room(p, panel), half + j * TILE * M_STEP);
        finish_panel(p, panel, at, count, half);
    }
}

static void panel_task(void *context, int64_t task)
{
    winograd_call *p = context;
    const int64_t panel = task / p->chunks, from = task % p->chunks * p->chunk;
    const int64_t blocks = least(p->chunk, p->slab - from), products = blocks * POINTS * M_STEP;
    if (blocks <= 0) return;
    const size_t bytes = (size_t)(p->panel + products) * sizeof(number);
    number *u = sp__alloc_raw(bytes);
    if (!u) {
        p->failed = true;
        return;
    }
    multiply_blocks(p, panel, from, blocks, u, u + p->panel);
    finish_blocks(p, panel, from, blocks, u + p->panel);
    sp_free(u, bytes);
}

static void run_many_weights(winograd_call *p, int64_t blocks)
{
    enum { CHUNK = 16 }; /* blocks for which a panel's weights are worth a transform */
    for (p->first = 0; p->first < p->tiles; p->first += blocks * BLOCK) {
        p->slab = least(blocks, (p->tiles - p->first + BLOCK - 1) / BLOCK);
        p->chunks = p->slab > CHUNK ? p->slab / CHUNK : 1;
        p->chunk = (p->slab + p->chunks - 1) / p->chunks;
        sp__flushed_tasks(p->slab, slab_task, p);
        sp__flushed_tasks(p->panels * p->chunks, panel_task, p);
    }
}

/* ---- a call ---- */

static void set_winograd(winograd_call *p, const sp__conv *call)
{
    const bool forward = call->kind == SP__CONV_FORWARD;
    const sp__operand *source = forward ? &call->x : &call->y;
    *p = (winograd_call){.call = call, .k = forward ? call->in : call->out, .n = forward ? call->out : call->in};
    p->tail = forward ? call->tail : NULL;
    p->result = p->tail ? p->tail->y : forward ? call->y : call->x;
    image_strides(p->strides, &p->result, 1);
    for (int d = 0; d < 2; d++)
        p->axis[d] = forward ? sp__conv_forward_axis(call, d) : sp__conv_backward_axis(call, d, 0);
    p->source = tiling_of(source, p->k, p->axis);
    p->tiles = call->batch * p->source.tiles[0] * p->source.tiles[1];
    p->v_step = BLOCK * p->source.row + LANES;
    p->block = POINTS * p->v_step;
    p->depth = are_few_weights(p) ? p->k : DEPTH;
    p->panels = (p->n + NR - 1) / NR;
    p->panel = POINTS * u_step(p, NR);
}

static void set_bias(const winograd_call *p)
{
    const sp__operand *bias = p->call->bias;
    for (int64_t j = 0; j < p->panels * NR; j++)
        p->bias[j] = bias && j < p->n ? get_number(bias, j * bias->strides[0]) : 0;
}

static sp_status run_winograd(const sp__conv *call)
{
    enum { SLAB = 1 << 22 }; /* numbers in the transformed tiles of a slab */
    winograd_call p;
    set_winograd(&p, call);
    const bool few = are_few_weights(&p);
    const int64_t most = p.block < SLAB ? SLAB / p.block : 1, blocks = least(most, (p.tiles + BLOCK - 1) / BLOCK);
    const int64_t transformed = few ? p.panels * p.panel : blocks * p.block;
    const size_t bytes = (size_t)(transformed + p.panels * NR) * sizeof(number);
    number *memory = sp__scratch(bytes);
    if (!memory) return SP_ERROR_MEMORY;
    p.u = p.v = memory, p.bias = memory + transformed;
    set_bias(&p);
    if (few)
        run_few_weights(&p);
    else
        run_many_weights(&p, blocks);
    sp_free(memory, bytes);
    return p.failed ? sp_raise(SP_ERROR_MEMORY, "no memory for a convolution's weights") : SP_OK;
}

#endif

/* A call of forward or backward-data by minimal filtering: in which order its blocks and panels come.
 *
 * All weights are transformed first where they then stay near a core, and a task is some blocks of tiles. Where they are
 * too many, a slab of tiles is transformed first, and a task is a panel, whose weights it transforms for itself, and some
 * blocks of the slab. Either gives the same bits. */
#ifndef SPUSK_CONV_WINOGRAD_DATA_H
#define SPUSK_CONV_WINOGRAD_DATA_H

#include "winograd_panel.h"

/* Weights are few up to so many channels of the source, so that a task's tiles fit on its stack, and so many in all. */
enum { FEW_SOURCES = 128, FEW_WEIGHTS = 1 << 14 };

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

static void panel_task(void *context, int64_t task)
{
    winograd_call *p = context;
    const int64_t panel = task / p->chunks, from = task % p->chunks * p->chunk, to = least(from + p->chunk, p->slab);
    const size_t bytes = (size_t)p->panel * sizeof(number);
    number *u = sp__alloc_raw(bytes);
    if (!u) {
        p->failed = true;
        return;
    }
    for (int64_t k = 0; k < p->k; k += SOURCES_AT_ONCE)
        transform_weights(p, panel, k, least(k + SOURCES_AT_ONCE, p->k), u);
    for (int64_t block = from; block < to; block++) {
        const int64_t tile = p->first + block * BLOCK, count = least(p->tiles - tile, BLOCK);
        spot at[BLOCK];
        for (int64_t i = 0; i < count; i++) at[i] = spot_at(&p->source, tile + i);
        run_panel(p, panel, u, at, count, p->v + block * p->block);
    }
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
    p->width = p->k <= 256 ? NR : least(NR, 16); /* so that a panel's weights fit into the second-level cache */
    p->panels = (p->n + p->width - 1) / p->width;
    p->panel = POINTS * u_step(p, p->width);
}

static void set_bias(const winograd_call *p)
{
    const sp__operand *bias = p->call->bias;
    for (int64_t j = 0; j < p->panels * p->width; j++)
        p->bias[j] = bias && j < p->n ? get_number(bias, j * bias->strides[0]) : 0;
}

static sp_status run_winograd(const sp__conv *call)
{
    enum { SLAB = 1 << 22 }; /* numbers in the transformed tiles of a slab */
    winograd_call p;
    set_winograd(&p, call);
    const bool few = p.k <= FEW_SOURCES && p.k * p.n <= FEW_WEIGHTS;
    const int64_t most = p.block < SLAB ? SLAB / p.block : 1, blocks = least(most, (p.tiles + BLOCK - 1) / BLOCK);
    const int64_t transformed = few ? p.panels * p.panel : blocks * p.block;
    const size_t bytes = (size_t)(transformed + p.panels * p.width) * sizeof(number);
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

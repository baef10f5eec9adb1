/* Backward of bf16 behind a tail by AMX: writes the gradient of y out, and is then calls without a tail. */
#ifndef SPUSK_CONV_TILES_EXPAND_H
#define SPUSK_CONV_TILES_EXPAND_H

#include "tail_places.h"
#include "tiles_sweep.h"
#include "tiles_weight.h"

typedef struct tiles_expanded {
    const sp__conv *call;
    element *y; /* [batch][row][column][room] */
    int64_t room, size;
    atomic_int status;
} tiles_expanded;

static void expand_tiles_image(void *context, int64_t image)
{
    tiles_expanded *e = context;
    const int64_t from[2] = {0, 0};
    const size_t bytes = (size_t)e->size * sizeof(number);
    number *wide = sp__scratch(bytes);
    if (!wide) {
        atomic_store(&e->status, SP_ERROR_MEMORY);
        return;
    }
    expand_places(e->call, image, 0, e->call->out, from, e->call->out_size, e->room, wide);
    element *to = e->y + image * e->size;
    for (int64_t i = 0; i < e->size; i += LANES) store_bf16(to + i, *(const vector *)(wide + i));
    sp_free(wide, bytes);
}

/* The weights' gradient, and that of x where the call asks for both. */
static sp_status run_plain_tiles(const sp__conv *call, sp__conv plain)
{
    if (call->kind == SP__CONV_BACKWARD_DATA) return run_tiles(&plain);
    const sp_status status = run_tiles_weight(&plain);
    if (status || !call->data) return status;
    plain.kind = SP__CONV_BACKWARD_DATA;
    plain.x = call->data->x, plain.w = call->data->w;
    plain.bias = NULL;
    return run_tiles(&plain);
}

static sp_status run_tiles_expanded(const sp__conv *call)
{
    tiles_expanded e = {.call = call, .room = (call->out + LANES - 1) / LANES * LANES};
    const int64_t row = call->out_size[1] * e.room;
    e.size = call->out_size[0] * row;
    const size_t bytes = (size_t)(call->batch * e.size) * sizeof(element);
    e.y = sp__scratch(bytes);
    if (!e.y) return SP_ERROR_MEMORY;
    sp__flushed_tasks(call->batch, expand_tiles_image, &e);
    sp__conv plain = *call;
    plain.tail = NULL, plain.data = NULL;
    plain.y = (sp__operand){e.y, 0, SP_BF16, {e.size, 1, row, e.room}};
    sp_status status = (sp_status)atomic_load(&e.status);
    if (!status) status = run_plain_tiles(call, plain);
    sp_free(e.y, bytes);
    return status;
}

#endif

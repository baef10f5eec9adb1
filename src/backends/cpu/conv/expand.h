/* Backward-data behind a tail where lists do not pay: writes the gradient of y out, and is then a call without a tail. */
#ifndef SPUSK_CONV_EXPAND_H
#define SPUSK_CONV_EXPAND_H

#include "tail_places.h"

typedef struct expanded {
    const sp__conv *call;
    number *y;                   /* [batch][row][column][channels] */
    int64_t channels, row, size; /* whole vectors of channels; numbers in a row and in an image */
} expanded;

static void expand_image(void *context, int64_t image)
{
    const expanded *e = context;
    const int64_t from[2] = {0, 0};
    expand_places(e->call, image, 0, e->call->out, from, e->call->out_size, e->channels, e->y + image * e->size);
}

static sp_status run_expanded(const sp__conv *call)
{
    expanded e = {.call = call, .channels = (call->out + LANES - 1) / LANES * LANES};
    e.row = call->out_size[1] * e.channels, e.size = call->out_size[0] * e.row;
    const size_t bytes = (size_t)(call->batch * e.size) * sizeof(number);
    e.y = sp__scratch(bytes);
    if (!e.y) return SP_ERROR_MEMORY;
    sp__flushed_tasks(call->batch, expand_image, &e);
    sp__conv plain = *call;
    plain.tail = NULL;
    plain.y = (sp__operand){e.y, 0, call->dtype, {e.size, 1, e.row, e.channels}};
    const sp_status status = sp__cpu_conv(&plain);
    sp_free(e.y, bytes);
    return status;
}

#endif

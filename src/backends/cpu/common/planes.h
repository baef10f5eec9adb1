/* Planes of images (batch, channels, height, width) of the element type in hand. */
#ifndef SPUSK_CPU_PLANES_H
#define SPUSK_CPU_PLANES_H

#include "backends/cpu/common/element.h"

static inline element *plane(const sp__operand *x, int64_t n, int64_t c)
{
    return (element *)sp__operand_at(x) + n * x->strides[0] + c * x->strides[1];
}

static inline void zero_plane(element *x, const int64_t size[2], const int64_t *strides)
{
    for (int64_t i = 0; i < size[0]; i++)
        for (int64_t j = 0; j < size[1]; j++) store(x + i * strides[2] + j * strides[3], (number)0);
}

#endif

/* Places in windows: how a maximum's place is written, and where it lies in x. */
#ifndef SPUSK_CPU_POOL_PLACES_H
#define SPUSK_CPU_POOL_PLACES_H

#include "backends/cpu/cpu.h"

/* Places in a row of a window, as they are counted. */
static inline int64_t row_of_places(const sp__pool *p)
{
    return sp__pool_inside(p->kernel[1], p->size[1], p->dilation[1]);
}

static inline int64_t where_at(const sp__pool *p, int64_t n, int64_t c, int64_t i, int64_t j)
{
    const int64_t *s = p->where.strides;
    return n * s[0] + c * s[1] + i * s[2] + j * s[3];
}

static inline void mark_place(const sp__pool *p, int64_t n, int64_t c, int64_t i, int64_t j, int64_t place)
{
    char *where = sp__operand_at(&p->where);
    const int64_t at = where_at(p, n, c, i, j);
    if (p->where.dtype == SP_U8)
        ((uint8_t *)where)[at] = (uint8_t)place;
    else
        ((int32_t *)where)[at] = (int32_t)place;
}

/* Where place t of window i, counted from the first inside, lies along one side. */
static inline int64_t place_along(const sp__pool *p, int d, int64_t i, int64_t t)
{
    const int64_t start = i * p->stride[d] - p->padding[d], step = p->dilation[d];
    return start + (t + (start < 0 ? (step - 1 - start) / step : 0)) * step;
}

/* Where the maximum of window (i, j) lies in a plane of x; -1 for a window that is all outside. */
static inline int64_t marked_offset(const sp__pool *p, int64_t n, int64_t c, int64_t i, int64_t j)
{
    const char *where = sp__operand_at(&p->where);
    const int64_t at = where_at(p, n, c, i, j), width = row_of_places(p);
    const int64_t place = p->where.dtype == SP_U8 ? ((const uint8_t *)where)[at] : ((const int32_t *)where)[at];
    if (width == 0) return -1;
    const int64_t row = place_along(p, 0, i, place / width), column = place_along(p, 1, j, place % width);
    if (row >= p->size[0] || column >= p->size[1]) return -1;
    return row * p->x.strides[2] + column * p->x.strides[3];
}

#endif

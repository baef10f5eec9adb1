/* Pooling and resampling of images, plane by plane, with any strides. */
#include "backends/cpu/reference.h"
#include <math.h>

/* ---- places in windows ---- */

/* Places in a row of a window, as they are counted. */
static inline int64_t row_of_places(const sp__pool *p)
{
    return sp__pool_inside(p->kernel[1], p->size[1], p->dilation[1]);
}

static int64_t where_at(const sp__pool *p, int64_t n, int64_t c, int64_t i, int64_t j)
{
    const int64_t *s = p->where.strides;
    return n * s[0] + c * s[1] + i * s[2] + j * s[3];
}

static void mark_place(const sp__pool *p, int64_t n, int64_t c, int64_t i, int64_t j, int64_t place)
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
static int64_t marked_offset(const sp__pool *p, int64_t n, int64_t c, int64_t i, int64_t j)
{
    const char *where = sp__operand_at(&p->where);
    const int64_t at = where_at(p, n, c, i, j), width = row_of_places(p);
    const int64_t place = p->where.dtype == SP_U8 ? ((const uint8_t *)where)[at] : ((const int32_t *)where)[at];
    if (width == 0) return -1;
    const int64_t row = place_along(p, 0, i, place / width), column = place_along(p, 1, j, place % width);
    if (row >= p->size[0] || column >= p->size[1]) return -1;
    return row * p->x.strides[2] + column * p->x.strides[3];
}

static double divisor_of(const sp__pool *p, const sp__span *rows, const sp__span *columns)
{
    return p->divisor != 0 ? p->divisor : (double)(rows->count * columns->count);
}

/* x's strides are those of a contiguous plane here, so that an offset is an index. */
void sp__pool_indices(const sp__pool *p, int64_t first, int64_t last)
{
    for (int64_t k = first; k < last; k++) {
        const int64_t n = k / p->channels, c = k % p->channels, *s = p->y.strides;
        int64_t *y = (int64_t *)sp__operand_at(&p->y) + n * s[0] + c * s[1];
        for (int64_t i = 0; i < p->out_size[0]; i++)
            for (int64_t j = 0; j < p->out_size[1]; j++) y[i * s[2] + j * s[3]] = marked_offset(p, n, c, i, j);
    }
}

/* ---- by type ---- */

#define T float
#define C float
#define LOAD(p) (*(p))
#define STORE(p, c) (*(p) = (c))
#define FN(name) name##_f32
#define POOL_TABLE sp__pool_f32
#define RESAMPLE sp__resample_f32
#include "reference.inc.h"

#define T double
#define C double
#define LOAD(p) (*(p))
#define STORE(p, c) (*(p) = (c))
#define FN(name) name##_f64
#define POOL_TABLE sp__pool_f64
#define RESAMPLE sp__resample_f64
#include "reference.inc.h"

#define T sp__bf16
#define C float
#define LOAD(p) sp__from_bf16(*(p))
#define STORE(p, c) (*(p) = sp__to_bf16(c))
#define FN(name) name##_bf16
#define POOL_TABLE sp__pool_bf16
#define RESAMPLE sp__resample_bf16
#include "reference.inc.h"

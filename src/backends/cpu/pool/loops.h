/* Pooling by vectors of channels, of the element type that includes it. Forward runs over rows of y, [first, last) of
 * batch × out_size[0]; backward over rows of x, [first, last) of batch × size[0]. */
#include "backends/cpu/pool/places.h"

enum { LANES = LANES_f32 };

static element *image_of(const sp__operand *x, int64_t n)
{
    return (element *)sp__operand_at(x) + n * x->strides[0];
}

static element *row_of(const sp__operand *x, int64_t n, int64_t i)
{
    return image_of(x, n) + i * x->strides[2];
}

static void clear_row(const sp__pool *p, element *x)
{
    const bool whole = p->x.strides[3] == p->channels;
    const int64_t parts = whole ? 1 : p->size[1], n = whole ? p->size[1] * p->channels : p->channels;
    for (int64_t j = 0; j < parts; j++) memset(x + j * p->x.strides[3], 0, (size_t)n * sizeof *x);
}

/* Adds to elements of a cleared row. Where windows lie apart, `alone`, nothing else is added to them. */
SP__INLINE void add_some(element *p, vf x, bool alone, int64_t n)
{
    store_some(p, alone ? x + 0.0f : load_some(p, n) + x, n);
}

#include "backends/cpu/pool/averages.h"
#include "backends/cpu/pool/maxima.h"

/* The table of the file that includes this. */
#define LOOPS                                                                                                          \
    {                                                                                                                  \
        [SP__POOL_MAX] = pool_max, [SP__POOL_MAX_BACKWARD] = pool_max_backward, [SP__POOL_AVG] = pool_avg,             \
        [SP__POOL_AVG_BACKWARD] = pool_avg_backward,                                                                   \
    }

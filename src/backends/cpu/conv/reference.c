/* Convolutions, element by element of what is written. */
#include "backends/cpu/reference.h"

/* Place p of y and tap t of the kernel meet this place of x in dimension d; -1 outside. */
static int64_t place_of_x(const sp__conv *call, int d, int64_t p, int64_t t)
{
    const int64_t place = p * call->stride[d] - call->padding[d] + t * call->dilation[d];
    return place >= 0 && place < call->size[d] ? place : -1;
}

/* Place i of x and tap t meet this place of y; -1: none. */
static int64_t place_of_y(const sp__conv *call, int d, int64_t i, int64_t t)
{
    const int64_t moved = i + call->padding[d] - t * call->dilation[d];
    if (moved < 0 || moved % call->stride[d]) return -1;
    const int64_t place = moved / call->stride[d];
    return place < call->out_size[d] ? place : -1;
}

static int64_t offset_of(const sp__operand *x, int64_t a, int64_t b, int64_t c, int64_t d)
{
    return x->offset + a * x->strides[0] + b * x->strides[1] + c * x->strides[2] + d * x->strides[3];
}

#define T float
#define C double /* what the fast kernels are measured against */
#define LOAD(p) ((double)*(p))
#define STORE(p, c) (*(p) = (float)(c))
#define FN(name) name##_f32
#include "reference.inc.h"

#define T double
#define C double
#define LOAD(p) (*(p))
#define STORE(p, c) (*(p) = (c))
#define FN(name) name##_f64
#include "reference.inc.h"

#define T sp__bf16
#define C float
#define LOAD(p) sp__from_bf16(*(p))
#define STORE(p, c) (*(p) = sp__to_bf16(c))
#define FN(name) name##_bf16
#include "reference.inc.h"

/* What the fast kernels of convolution share: images channels-last, and which taps reach which places. */
#ifndef SPUSK_CPU_CONV_H
#define SPUSK_CPU_CONV_H

#include "backends/cpu/cpu.h"

/* One dimension of a gather: the places of the result that the same taps reach, and where these read the source.
 * Forward is one gather: the result is y, the source x. Backward-data is one for each remainder of x's places by the
 * stride: the result is x, the source y, and the taps of one gather read places of y side by side. */
typedef struct sp__conv_axis {
    int64_t count, first, step; /* place q < count of the gather is place first + q·step of the result */
    int64_t advance, delta;     /* tap t reads place q·advance + delta + t·dilation of the source, */
    int64_t dilation, extent;   /* which is nothing, zeros, outside [0, extent) */
    int64_t taps, tap;          /* tap t stands at tap + t·tap_step in the kernel */
    int64_t tap_step;
} sp__conv_axis;

sp__conv_axis sp__conv_forward_axis(const sp__conv *call, int dimension);
/* For the places of x that leave the remainder r. */
sp__conv_axis sp__conv_backward_axis(const sp__conv *call, int dimension, int64_t r);
/* All of a dimension's that have places and taps: no more than the kernel has taps, however large the stride. Returns
 * how many, and writes them where `axes` is not NULL. */
int64_t sp__conv_backward_axes(const sp__conv *call, int dimension, sp__conv_axis *axes);
/* Taps [*from, *to) of place q read inside the source. */
void sp__conv_inside(const sp__conv_axis *axis, int64_t q, int64_t *from, int64_t *to);
/* Places [*from, *to) of y for which a tap of forward reads inside x. */
void sp__conv_reach(const sp__conv *call, int dimension, int64_t tap, int64_t *from, int64_t *to);
/* Whether some tap reads outside x. */
bool sp__conv_is_padded(const sp__conv *call);

/* The places of x, padding included, that the taps span. */
int64_t sp__conv_span(const sp__conv *call, int dimension);

/* Runs a kernel that reads elements of `dtype` (behind a tail, of bf16 too), writes such or bf16, and wants the
 * channels of images side by side; in backward-weight few channels in f32 or f64 come without padding. Copies what is
 * not so, and results back. */
sp_status sp__conv_arranged(const sp__conv *call, sp_dtype dtype, sp_status (*run)(const sp__conv *call));

/* Runs a kernel that wants x in `dtype`, which behind a tail may still be bf16. */
sp_status sp__conv_with_x(const sp__conv *call, sp_dtype dtype, sp_status (*run)(const sp__conv *call));

/* Whether f32 sums a call by minimal filtering (winograd.inc.h). Its tail, its batch and what it lies in play
 * no part, so that a place's sum is the same whatever is computed with it. */
bool sp__conv_is_winograd(const sp__conv *call);

/* The backward-data of a call that does it too. */
sp__conv sp__conv_of_data(const sp__conv *call);

/* Notes how many gradients of how many places a sparse backward met. */
void sp__conv_saw(int64_t found, int64_t places);

#endif

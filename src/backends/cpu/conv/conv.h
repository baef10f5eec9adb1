/* What the parts of convolution share: which taps reach which places, how a call comes to a loop. The loops want images
 * channels-last. */
#ifndef SPUSK_CPU_CONV_H
#define SPUSK_CPU_CONV_H

#include "backends/cpu/cpu.h"

/* ---- axes.c ---- */

/* One dimension of a sweep: the places of the result that the same taps reach, and where these read the source.
 * Forward is one sweep: the result is y, the source x. Backward-data is one for each remainder of x's places by the
 * stride: the result is x, the source y, and the taps of one sweep read places of y side by side. */
typedef struct sp__conv_axis {
    int64_t count, first, step; /* place q < count of the sweep is place first + q·step of the result */
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
/* Whether a copy of so many rows and columns is in proportion to what the call reads and writes anyway. Large strides,
 * paddings and dilations span many places of which few are read. */
bool sp__conv_may_copy(const sp__conv *call, int64_t rows, int64_t columns);

/* ---- choose.c ---- */

/* A row of the lists from which a call's loop is chosen. */
typedef struct sp__conv_choice {
    const char *name;
    int dtype; /* the sp_dtype whose loop it is: operands of bf16 are copied for one of f32 */
    bool (*takes)(const sp__conv *call);
    sp__conv_loop loop;
} sp__conv_choice;

/* Whether n channels of a result that sum over k would leave more lanes empty than those of k's last block. */
bool sp__conv_has_few_results(int64_t k, int64_t n);
const sp__conv_choice *sp__conv_choose(const sp__conv *call);
/* The function of a choice; NULL: the level in use has none. */
sp__conv_run *sp__conv_function(const sp__conv_choice *choice, const sp__conv *call);

/* ---- arrange.c ---- */

/* Runs a loop on a call whose images have their channels side by side in the choice's dtype; what it writes, and what it
 * reads behind a tail, may be bf16 too. Copies what is not so, and results back. With may_pad the weights' gradient from
 * few channels gets x without padding. */
sp_status sp__conv_arranged(const sp__conv *call, const sp__conv_choice *choice, bool may_pad, sp__conv_run *loop);

/* ---- other.c ---- */

/* A kernel of one place: a product, of images whose places follow each other. */
sp__conv_run sp__conv_product;
/* Each group by the loop that is chosen for it alone. */
sp__conv_run sp__conv_by_group;

/* ---- conv.c ---- */

/* Backward-data and backward-weight of one call, one after the other, each by the loop that is chosen for it. */
sp__conv_run sp__conv_two_passes;
/* Notes how many gradients of how many places a sparse backward met. */
void sp__conv_saw(int64_t found, int64_t places);

#endif

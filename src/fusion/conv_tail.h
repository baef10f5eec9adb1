/* A convolution with its tail, ReLU and perhaps the maxima of windows, as the backend runs it in one pass. */
#ifndef SPUSK_FUSION_CONV_TAIL_H
#define SPUSK_FUSION_CONV_TAIL_H

#include "fusion/fusion.h"
#include "ops/conv.h"

/* The backend's call of conv2d's forward into y; it refers to `bias`, which must live as long. */
sp__conv sp__conv_into(const sp_call *conv, const sp_tensor *y, sp__operand *bias);
/* Whether the backend has this call with its tail. */
bool sp__conv_takes(const sp__conv *call, const sp_tensor *x);

/* The gradients of a convolution with a tail that says its windows and their places. They are sparse: behind a maximum
 * of 2×2 at most one place in four has one. `last` is the call of the tail's end, which saved its output. */
sp_status sp__conv_tail_backward(sp_grad_call *conv, sp_grad_call *last, const sp__conv_tail *tail, bool *taken);

#endif

/* Convolution, ReLU and max-pooling in one pass: what the three operators' files share. */
#ifndef SPUSK_OPS_CONV_FUSED_H
#define SPUSK_OPS_CONV_FUSED_H

#include "ops/images.h"

/* Whether a convolution is large enough to wait for what follows it. */
bool sp__conv2d_waits(const sp_call *call);
/* relu of a convolution that waits. */
sp_status sp__conv2d_relu(const sp__deferred *conv, sp_tensor *out);
/* The maxima of windows side by side, and their places, of a ReLU of a convolution that both wait; *done says whether
 * x was such and the backend has the pass: if not, nothing happened. */
sp_status sp__conv2d_relu_pool(const sp_tensor *x, sp__pair window, sp_tensor *y, sp_tensor *where, bool *done);
/* Whether a max_pool2d with these attributes has windows side by side, without padding or gaps, of few places. */
bool sp__pool_is_tiling(const void *attributes, sp__pair *window);

extern const sp__chain sp__max_pool2d_chains[], sp__relu_chains[];

#endif

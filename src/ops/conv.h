/* The shapes of a convolution, which it shares with its gradients. */
#ifndef SPUSK_OPS_CONV_H
#define SPUSK_OPS_CONV_H

#include "ops/images.h"

/* x (N, in, size), w (out, in/groups, kernel), y (N, out, out_size) of the plain convolution; of a transposed one y is
 * what the user gives and x what results. */
typedef struct sp__conv_geometry {
    sp__pair stride, padding, dilation;
    sp__pair size, out_size, kernel;
    int64_t in, out, groups; /* channels of x and of y */
    bool bias;               /* conv2d_weight: whether the bias's gradient is wanted */
    bool laid_out;           /* conv2d_weight: whether the strides of w are given */
    int64_t strides[SP_MAX_DIMS];
} sp__conv_geometry;

/* The backend's call of a kind; the operands' strides are of four dimensions, bias may be NULL or SP_NONE. `call`
 * refers to `bias_operand`, which must live as long. */
sp__conv sp__conv_call(sp__conv_kind kind, const sp__conv_geometry *g, const sp_tensor *x, const sp_tensor *w,
                       const sp_tensor *y, const sp_tensor *bias, sp__operand *bias_operand);

#endif

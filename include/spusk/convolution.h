/* Convolution of images (N, C, H, W), or of one (C, H, W). Results lie in memory with the channels of a pixel side by
 * side, which shows nowhere but in their strides. PyTorch's number-or-pair is `.stride = 2`, or `.stride_hw = {2, 1}`
 * for height and width. */
#ifndef SPUSK_CONVOLUTION_H
#define SPUSK_CONVOLUTION_H

#include <spusk/tensor.h>

SP_BEGIN

typedef struct sp_conv2d_options {
    size_t size;
    int64_t stride; /* default 1 */
    int64_t stride_hw[2];
    int64_t padding; /* zeros on each side */
    int64_t padding_hw[2];
    int64_t dilation; /* the distance between the kernel's places; default 1 */
    int64_t dilation_hw[2];
    int64_t groups; /* of channels that do not mix; default 1 */
    bool same;      /* as much padding as keeps the size, where it is odd one more behind; with a stride of 1 */
    SP_OPTIONS_END;
} sp_conv2d_options;
/* y[n,o,p] = bias[o] + Σ x[n,i,p·stride - padding + t·dilation]·weight[o,i,t] over channels i and the kernel's places
 * t: x (N,in,H,W), weight (out, in/groups, kernel height and width), bias (out) or SP_NONE → (N,out,H',W'), H' = ⌊(H +
 * 2·padding - dilation·(kernel - 1) - 1)/stride⌋ + 1. Fails for what is not floating point, for a kernel larger than
 * the padded image, for groups that do not divide the channels, for images of no height or width. PyTorch,
 * torch.nn.functional.conv2d. */
SP_API sp_tensor *sp_conv2d(sp_tensor *x, sp_tensor *weight, sp_tensor *bias,
                            const sp_conv2d_options *options SP_OR_NULL);
#define sp_conv2d(...) SP__CALL3(sp_conv2d, sp_conv2d_options, __VA_ARGS__)

typedef struct sp_conv_transpose2d_options {
    size_t size;
    int64_t stride; /* default 1 */
    int64_t stride_hw[2];
    int64_t padding; /* places that are cut off each side */
    int64_t padding_hw[2];
    int64_t output_padding; /* places more at the end, less than stride or dilation */
    int64_t output_padding_hw[2];
    int64_t dilation; /* default 1 */
    int64_t dilation_hw[2];
    int64_t groups; /* default 1 */
    SP_OPTIONS_END;
} sp_conv_transpose2d_options;
/* The gradient of a convolution by its images, as an operator: y[n,o,q] = bias[o] + Σ x[n,i,p]·weight[i,o,t] over all
 * p, t with p·stride - padding + t·dilation = q: x (N,in,H,W), weight (in, out/groups, kernel height and width), bias
 * (out) or SP_NONE → (N,out,H',W'), H' = (H - 1)·stride - 2·padding + dilation·(kernel - 1) + output_padding + 1.
 * PyTorch, torch.nn.functional.conv_transpose2d. */
SP_API sp_tensor *sp_conv_transpose2d(sp_tensor *x, sp_tensor *weight, sp_tensor *bias,
                                      const sp_conv_transpose2d_options *options SP_OR_NULL);
#define sp_conv_transpose2d(...) SP__CALL3(sp_conv_transpose2d, sp_conv_transpose2d_options, __VA_ARGS__)

SP_END_DECLS

#endif

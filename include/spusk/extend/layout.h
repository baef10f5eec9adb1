/* The memory of tensors: in which order it holds the elements, and whose it is. */
#ifndef SPUSK_EXTEND_LAYOUT_H
#define SPUSK_EXTEND_LAYOUT_H

#include <spusk/tensor.h>

SP_BEGIN

/* Gives x, a leaf that is no view, the memory of `data`, with its shape, strides, dtype and device: x.data = data. x
 * still records gradients if it did, and its gradient is dropped. Unlike in PyTorch, a backward that had saved x then
 * fails. */
SP_API sp_status sp_set_data(sp_tensor *x, sp_tensor *data);

/* Whether x is dense: its elements fill its memory without gaps or overlaps, in some order of the dimensions. */
SP_API bool sp_is_dense(const sp_tensor *x);

/* A tensor of x's shape with undefined values, with x's strides where x is dense, else contiguous. */
SP_API sp_tensor *sp_empty_as(const sp_tensor *x, sp_dtype dtype);

/* Whether x, (N, C, H, W) or (C, H, W), has the channels of a pixel side by side in memory, as a convolution writes
 * them: dense and not contiguous. */
SP_API bool sp_is_channels_last(const sp_tensor *x);

SP_END_DECLS

#endif

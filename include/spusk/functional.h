/* Operators behind layers: pooling, normalisation, embedding, padding, interpolation. An image is (C, H, W) or, in a
 * batch, (N, C, H, W); results of images that lie in memory with their channels side by side lie so too.
 * PyTorch's number-or-pair is `.stride = 2`, or `.stride_hw = {2, 1}` for height and width. */
#ifndef SPUSK_FUNCTIONAL_H
#define SPUSK_FUNCTIONAL_H

#include <spusk/pointwise.h>

SP_BEGIN

/* ---- pooling: floating point ---- */

typedef struct sp_max_pool2d_options {
    size_t size;
    int64_t kernel_size_hw[2]; /* beside a kernel_size of 0 */
    int64_t stride;            /* default: the kernel's size */
    int64_t stride_hw[2];
    int64_t padding; /* on each side, at most half the window */
    int64_t padding_hw[2];
    int64_t dilation; /* default 1 */
    int64_t dilation_hw[2];
    bool ceil_mode; /* windows that begin inside the image or its left padding count, though they end outside */
    SP_OPTIONS_END;
} sp_max_pool2d_options;
/* The largest of each window; NaN wins; the gradient goes to the first of equals. (N,C,H,W) → (N,C,H',W'),
 * H' = ⌊(H + 2·padding - dilation·(kernel - 1) - 1)/stride⌋ + 1, or ⌈…⌉. PyTorch, torch.nn.MaxPool2d. */
SP_API sp_tensor *sp_max_pool2d(sp_tensor *x, int64_t kernel_size, const sp_max_pool2d_options *options SP_OR_NULL);
#define sp_max_pool2d(...) SP__CALL2(sp_max_pool2d, sp_max_pool2d_options, __VA_ARGS__)
/* The same, and where each maximum stands: i64, row·W + column. */
SP_API sp_values_indices sp_max_pool2d_with_indices(sp_tensor *x, int64_t kernel_size,
                                                    const sp_max_pool2d_options *options SP_OR_NULL);
#define sp_max_pool2d_with_indices(...) SP__CALL2(sp_max_pool2d_with_indices, sp_max_pool2d_options, __VA_ARGS__)

typedef struct sp_avg_pool2d_options {
    size_t size;
    int64_t kernel_size_hw[2]; /* beside a kernel_size of 0 */
    int64_t stride;            /* default: the kernel's size */
    int64_t stride_hw[2];
    int64_t padding; /* zeros on each side, at most half the window */
    int64_t padding_hw[2];
    bool ceil_mode;
    bool exclude_pad;         /* the padding does not count in the mean; PyTorch's count_include_pad=False */
    int64_t divisor_override; /* divides by this instead of the window's size */
    SP_OPTIONS_END;
} sp_avg_pool2d_options;
/* The mean of each window; shapes as in sp_max_pool2d. PyTorch, torch.nn.AvgPool2d. */
SP_API sp_tensor *sp_avg_pool2d(sp_tensor *x, int64_t kernel_size, const sp_avg_pool2d_options *options SP_OR_NULL);
#define sp_avg_pool2d(...) SP__CALL2(sp_avg_pool2d, sp_avg_pool2d_options, __VA_ARGS__)
typedef struct sp_adaptive_avg_pool2d_options {
    size_t size;
    int64_t output_size_hw[2]; /* instead of output_size */
    SP_OPTIONS_END;
} sp_adaptive_avg_pool2d_options;
/* The means of H' × W' windows that share the image evenly: row p of H' takes rows ⌊p·H/H'⌋ … ⌈(p+1)·H/H'⌉ - 1. Both
 * are output_size; -1 keeps a size, PyTorch's None. PyTorch, torch.nn.AdaptiveAvgPool2d. */
SP_API sp_tensor *sp_adaptive_avg_pool2d(sp_tensor *x, int64_t output_size,
                                         const sp_adaptive_avg_pool2d_options *options SP_OR_NULL);
#define sp_adaptive_avg_pool2d(...) SP__CALL2(sp_adaptive_avg_pool2d, sp_adaptive_avg_pool2d_options, __VA_ARGS__)

/* ---- normalisation ---- */

typedef struct sp_batch_norm_options {
    size_t size;
    bool training;   /* normalise by the batch's own mean and variance, and move the running ones towards them */
    double momentum; /* default 0.1; SP_ZERO for none */
    double eps;      /* default 1e-5 */
    SP_OPTIONS_END;
} sp_batch_norm_options;
/* (x - mean)/√(var + eps)·weight + bias for each channel of x, (N,C) or (N,C,…). In training mean and biased variance
 * are those of the batch, and running = (1 - momentum)·running + momentum·batch's, there with the unbiased variance;
 * else they are the running ones. eps is 0 or more, in training more. The last four are (C); weight and bias, and in
 * training the running ones, may be SP_NONE. Ioffe and Szegedy, arXiv:1502.03167. */
SP_API sp_tensor *sp_batch_norm(sp_tensor *x, sp_tensor *running_mean, sp_tensor *running_var, sp_tensor *weight,
                                sp_tensor *bias, const sp_batch_norm_options *options SP_OR_NULL);
#define sp_batch_norm(...) SP__CALL5(sp_batch_norm, sp_batch_norm_options, __VA_ARGS__)

typedef struct sp_layer_norm_options {
    size_t size;
    double eps; /* default 1e-5 */
    SP_OPTIONS_END;
} sp_layer_norm_options;
/* (x - mean)/√(var + eps)·weight + bias, mean and biased variance over the last dimensions, which have the sizes
 * normalized_shape, as have weight and bias (or SP_NONE). Right also where the variance does not fit into the dtype, as
 * in sp_batch_norm. Ba, Kiros, Hinton, arXiv:1607.06450. */
SP_API sp_tensor *sp_layer_norm(sp_tensor *x, sp_dims normalized_shape, sp_tensor *weight, sp_tensor *bias,
                                const sp_layer_norm_options *options SP_OR_NULL);
#define sp_layer_norm(...) SP__CALL4(sp_layer_norm, sp_layer_norm_options, __VA_ARGS__)

/* ---- embedding ---- */

typedef struct sp_embedding_options {
    size_t size;
    int64_t padding_idx; /* the row that gets no gradient: default none, SP_ZERO for 0; negative from the end */
    SP_OPTIONS_END;
} sp_embedding_options;
/* The rows of weight (entries, features) that index (i64 or i32, any shape) names: (…) → (…, features). Fails on an
 * index out of range. */
SP_API sp_tensor *sp_embedding(sp_tensor *index, sp_tensor *weight, const sp_embedding_options *options SP_OR_NULL);
#define sp_embedding(...) SP__CALL2(sp_embedding, sp_embedding_options, __VA_ARGS__)

/* ---- padding, interpolation ---- */

typedef enum sp_pad_mode { SP_PAD_CONSTANT = 0, SP_PAD_REFLECT, SP_PAD_REPLICATE } sp_pad_mode;
typedef struct sp_pad_options {
    size_t size;
    sp_pad_mode mode;
    double value; /* constant */
    SP_OPTIONS_END;
} sp_pad_options;
/* x with more around it: padding is before and after for the last dimension, then for the one before it, and so on.
 * Constant: a value around any number of dimensions; a negative padding takes away. Reflect: the image mirrored at its
 * outermost elements, which are not repeated; replicate: those repeated; both for the last one or two dimensions of
 * 2 to 4, reflect by less than their sizes. PyTorch, torch.nn.functional.pad. */
SP_API sp_tensor *sp_pad(sp_tensor *x, sp_dims padding, const sp_pad_options *options SP_OR_NULL);
#define sp_pad(...) SP__CALL2(sp_pad, sp_pad_options, __VA_ARGS__)

typedef enum sp_interpolation { SP_NEAREST = 0, SP_BILINEAR } sp_interpolation;
typedef struct sp_interpolate_options {
    size_t size;
    int64_t output_size; /* PyTorch's size; or a scale factor */
    int64_t output_size_hw[2];
    double scale_factor; /* H' = ⌊H·scale_factor⌋; pixels are 1/scale_factor apart, or copied where H' is H */
    double scale_factor_hw[2];
    sp_interpolation mode;
    bool align_corners; /* bilinear: the corners' centres stay; else the image's edges do */
    SP_OPTIONS_END;
} sp_interpolate_options;
/* Images in another size, by the nearest pixel or a mean of the four around: (N,C,H,W) → (N,C,H',W').
 * PyTorch, torch.nn.functional.interpolate. */
SP_API sp_tensor *sp_interpolate(sp_tensor *x, const sp_interpolate_options *options SP_OR_NULL);
#define sp_interpolate(...) SP__CALL1(sp_interpolate, sp_interpolate_options, __VA_ARGS__)

/* Whole channels (of (N,C,…), or of (C,…) alone with three dimensions) zero with probability p, the others divided by
 * 1 - p; x itself when not training. Tompson et al., arXiv:1411.4280. */
SP_API sp_tensor *sp_dropout2d(sp_tensor *x, double p, bool training);

SP_END_DECLS

#endif

/* What torch.nn.functional has: activations, softmax, linear, convolution, pooling, normalisation, dropout, embedding,
 * padding, interpolation, losses. All follow gradients.
 *
 * An image is (C, H, W) or, in a batch, (N, C, H, W). A convolution writes the channels of a pixel side by side in
 * memory, and operators on such images keep that order; only the strides show it. PyTorch's number-or-pair is
 * `.stride = 2`, or `.stride_hw = {2, 1}` for height and width. */
#ifndef SPUSK_FUNCTIONAL_H
#define SPUSK_FUNCTIONAL_H

#include <spusk/reductions.h>

SP_BEGIN

/* ---- activations, element by element ---- */

/* max(x, 0). The gradient at 0 is 0. */
SP_API sp_tensor *sp_relu(sp_tensor *x);

/* x·sigmoid(x). Floating point. */
SP_API sp_tensor *sp_silu(sp_tensor *x);

typedef struct sp_softplus_options {
    size_t size;
    double beta;      /* default 1 */
    double threshold; /* default 20: linear above threshold/beta */
    SP_OPTIONS_END;
} sp_softplus_options;

/* ln(1 + e^(βx))/β, and x where βx > threshold. Floating point. */
SP_API sp_tensor *sp_softplus(sp_tensor *x, const sp_softplus_options *options SP_OR_NULL);
#define sp_softplus(...) SP__CALL1(sp_softplus, sp_softplus_options, __VA_ARGS__)

typedef struct sp_leaky_relu_options {
    size_t size;
    double negative_slope; /* default 0.01 */
    SP_OPTIONS_END;
} sp_leaky_relu_options;

/* x for x > 0, else negative_slope·x. Floating point. */
SP_API sp_tensor *sp_leaky_relu(sp_tensor *x, const sp_leaky_relu_options *options SP_OR_NULL);
#define sp_leaky_relu(...) SP__CALL1(sp_leaky_relu, sp_leaky_relu_options, __VA_ARGS__)

typedef struct sp_elu_options {
    size_t size;
    double alpha; /* default 1 */
    SP_OPTIONS_END;
} sp_elu_options;

/* x for x > 0, else α(e^x - 1). Floating point. Clevert, Unterthiner, Hochreiter, arXiv:1511.07289. */
SP_API sp_tensor *sp_elu(sp_tensor *x, const sp_elu_options *options SP_OR_NULL);
#define sp_elu(...) SP__CALL1(sp_elu, sp_elu_options, __VA_ARGS__)

typedef struct sp_gelu_options {
    size_t size;
    bool tanh; /* the approximation 0.5x(1 + tanh(√(2/π)(x + 0.044715x³))) instead of x·Φ(x) */
    SP_OPTIONS_END;
} sp_gelu_options;

/* x·Φ(x), Φ being the normal distribution function. Floating point. Hendrycks and Gimpel, arXiv:1606.08415. */
SP_API sp_tensor *sp_gelu(sp_tensor *x, const sp_gelu_options *options SP_OR_NULL);
#define sp_gelu(...) SP__CALL1(sp_gelu, sp_gelu_options, __VA_ARGS__)

/* ---- softmax ---- */

/* e^x / Σe^x, the sum along dim, without overflow. Floating point. */
SP_API sp_tensor *sp_softmax(sp_tensor *x, int dim);

/* x - ln Σe^x, the sum along dim: the logarithm of sp_softmax, without its loss of small values. Floating point. */
SP_API sp_tensor *sp_log_softmax(sp_tensor *x, int dim);

/* ---- linear ---- */

/* x·weightᵀ + bias: x (…, in), weight (out, in), bias (out) or SP_NONE → (…, out). A weight (in) with a bias () or
 * SP_NONE gives (…). Fails where dtypes differ. */
SP_API sp_tensor *sp_linear(sp_tensor *x, sp_tensor *weight, sp_tensor *bias);

/* ---- convolution ---- */

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

/* y[n,o,p] = bias[o] + Σ x[n,i,p·stride - padding + t·dilation]·weight[o,i,t] over channels i and places t of the
 * kernel. x (N, in, H, W), weight (out, in/groups, kernel height, kernel width), bias (out) or SP_NONE → (N, out, H',
 * W'), where H' = ⌊(H + 2·padding - dilation·(kernel height - 1) - 1)/stride⌋ + 1. Fails for what is not floating
 * point, for dtypes that differ, for a kernel larger than the padded image, for groups that do not divide the channels,
 * and for images without height or width. PyTorch, torch.nn.functional.conv2d. */
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

/* y[n,o,q] = bias[o] + Σ x[n,i,p]·weight[i,o,t] over all i, p and t with p·stride - padding + t·dilation = q: the
 * gradient of a convolution by its images. x (N, in, H, W), weight (in, out/groups, kernel height, kernel width), bias
 * (out) or SP_NONE → (N, out, H', W'), where H' = (H - 1)·stride - 2·padding + dilation·(kernel height - 1) +
 * output_padding + 1. Fails as sp_conv2d, and for an output_padding that is not less than stride or dilation. PyTorch,
 * torch.nn.functional.conv_transpose2d. */
SP_API sp_tensor *sp_conv_transpose2d(sp_tensor *x, sp_tensor *weight, sp_tensor *bias,
                                      const sp_conv_transpose2d_options *options SP_OR_NULL);
#define sp_conv_transpose2d(...) SP__CALL3(sp_conv_transpose2d, sp_conv_transpose2d_options, __VA_ARGS__)

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

/* The largest element of each window; NaN wins. The gradient goes to the first of equals. (N, C, H, W) → (N, C, H',
 * W'), where H' = ⌊(H + 2·padding - dilation·(kernel_size - 1) - 1)/stride⌋ + 1, or ⌈…⌉ with ceil_mode. Fails for a
 * window that does not fit and for images without height or width. PyTorch, torch.nn.MaxPool2d. */
SP_API sp_tensor *sp_max_pool2d(sp_tensor *x, int64_t kernel_size, const sp_max_pool2d_options *options SP_OR_NULL);
#define sp_max_pool2d(...) SP__CALL2(sp_max_pool2d, sp_max_pool2d_options, __VA_ARGS__)

/* sp_max_pool2d, and where each maximum stands in its image: indices (N, C, H', W'), i64, row·W + column. */
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

/* The mean of each window. Shapes and failures as in sp_max_pool2d with a dilation of 1. PyTorch,
 * torch.nn.AvgPool2d. */
SP_API sp_tensor *sp_avg_pool2d(sp_tensor *x, int64_t kernel_size, const sp_avg_pool2d_options *options SP_OR_NULL);
#define sp_avg_pool2d(...) SP__CALL2(sp_avg_pool2d, sp_avg_pool2d_options, __VA_ARGS__)

typedef struct sp_adaptive_avg_pool2d_options {
    size_t size;
    int64_t output_size_hw[2]; /* instead of output_size */
    SP_OPTIONS_END;
} sp_adaptive_avg_pool2d_options;

/* The means of H' × W' windows that share the image evenly: (N, C, H, W) → (N, C, H', W'). Row p of the result takes
 * rows ⌊p·H/H'⌋ to ⌈(p + 1)·H/H'⌉ - 1. H' and W' are output_size; -1 keeps a size, as PyTorch's None does. PyTorch,
 * torch.nn.AdaptiveAvgPool2d. */
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

/* (x - mean)/√(var + eps)·weight + bias for each channel of x, (N, C) or (N, C, …). In training, mean and biased
 * variance are those of the batch, and the running ones become (1 - momentum)·running + momentum·(those of the batch,
 * the variance unbiased). Otherwise the running ones are taken. The last four tensors are (C); weight and bias, and in
 * training the running ones, may be SP_NONE. Fails in training for a channel of one element and for an eps of 0. Ioffe
 * and Szegedy, arXiv:1502.03167. */
SP_API sp_tensor *sp_batch_norm(sp_tensor *x, sp_tensor *running_mean, sp_tensor *running_var, sp_tensor *weight,
                                sp_tensor *bias, const sp_batch_norm_options *options SP_OR_NULL);
#define sp_batch_norm(...) SP__CALL5(sp_batch_norm, sp_batch_norm_options, __VA_ARGS__)

typedef struct sp_layer_norm_options {
    size_t size;
    double eps; /* default 1e-5 */
    SP_OPTIONS_END;
} sp_layer_norm_options;

/* (x - mean)/√(var + eps)·weight + bias, with mean and biased variance over the last dimensions of x. These have the
 * sizes normalized_shape, and so have weight and bias, or they are SP_NONE. The result is right also where the variance
 * does not fit into the dtype. Fails unless x's shape ends with normalized_shape. Ba, Kiros, Hinton,
 * arXiv:1607.06450. */
SP_API sp_tensor *sp_layer_norm(sp_tensor *x, sp_dims normalized_shape, sp_tensor *weight, sp_tensor *bias,
                                const sp_layer_norm_options *options SP_OR_NULL);
#define sp_layer_norm(...) SP__CALL4(sp_layer_norm, sp_layer_norm_options, __VA_ARGS__)

/* ---- attention ---- */

typedef struct sp_attention_options {
    size_t size;
    sp_tensor *attn_mask; /* (L, S), or what broadcasts to the result's (…, L, S): bool, true where a key is seen, or
                             added to the scores; default none */
    double dropout_p;     /* a weight's probability to be 0, in training and out of it */
    bool is_causal;       /* query i sees keys 0 to i */
    double scale;         /* of q·k; default 1/√E, SP_ZERO for 0 */
    bool enable_gqa;      /* k and v have fewer heads, and each serves as many of q's, one behind the other */
    SP_OPTIONS_END;
} sp_attention_options;

/* softmax(scale·q·kᵀ + attn_mask)·v, the softmax along the keys: q (…, L, E), k (…, S, E), v (…, S, Ev) → (…, L, Ev). What
 * comes before the last two dimensions broadcasts; the last of it are the heads, and the memory of the result has the
 * heads of a place side by side. A query that sees no key gets zeros. The matrix of scores is never stored, forward or
 * backward, unless attn_mask wants a gradient or the gradient is differentiated. Fails for dtypes that differ, for
 * is_causal beside attn_mask, and for a dropout_p outside [0, 1]. PyTorch,
 * torch.nn.functional.scaled_dot_product_attention; Vaswani et al., arXiv:1706.03762; Dao, arXiv:2307.08691. */
SP_API sp_tensor *sp_scaled_dot_product_attention(sp_tensor *q, sp_tensor *k, sp_tensor *v,
                                                  const sp_attention_options *options SP_OR_NULL);
#define sp_scaled_dot_product_attention(...)                                                                           \
    SP__CALL3(sp_scaled_dot_product_attention, sp_attention_options, __VA_ARGS__)

/* ---- dropout ---- */

/* Each element is zero with probability p, else divided by 1 - p; x itself when not training. Draws from the thread's
 * default generator. Fails for what is not floating point and unless 0 ≤ p ≤ 1. Srivastava et al., JMLR 15, 2014. */
SP_API sp_tensor *sp_dropout(sp_tensor *x, double p, bool training);

/* sp_dropout of whole channels of (N, C, H, W) or (C, H, W): a channel is zero with probability p, else divided by 1 -
 * p. Fails as sp_dropout, and for other shapes. Tompson et al., arXiv:1411.4280. */
SP_API sp_tensor *sp_dropout2d(sp_tensor *x, double p, bool training);

/* ---- embedding ---- */

typedef struct sp_embedding_options {
    size_t size;
    int64_t padding_idx; /* the row that gets no gradient: default none, SP_ZERO for 0; negative from the end */
    SP_OPTIONS_END;
} sp_embedding_options;

/* The rows of weight (entries, features) that index, i64 or i32 of any shape, names: (…) → (…, features). Fails on an
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

/* x with more around it. padding is the number of elements before and after along the last dimension, then along the
 * one before it, and so on.
 *   constant   puts `.value` around any number of dimensions; a negative padding takes elements away
 *   reflect    mirrors x at its outermost elements, without these, by less than the dimension's size
 *   replicate  repeats the outermost elements
 * The last two are for the last dimension of (C, W) or (N, C, W) and the last two of (C, H, W) or (N, C, H, W).
 * PyTorch, torch.nn.functional.pad. */
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

/* Images in another size, by the nearest pixel or a bilinear mean of the four around: (N, C, H, W) → (N, C, H', W').
 * Fails unless options say either a size or a scale factor, and for align_corners without SP_BILINEAR. PyTorch,
 * torch.nn.functional.interpolate. */
SP_API sp_tensor *sp_interpolate(sp_tensor *x, const sp_interpolate_options *options SP_OR_NULL);
#define sp_interpolate(...) SP__CALL1(sp_interpolate, sp_interpolate_options, __VA_ARGS__)

/* ---- losses ---- */

/* What becomes of the losses of all elements: their mean, their sum, or each by itself, in the target's shape. */
typedef enum sp_reduction { SP_REDUCTION_MEAN = 0, SP_REDUCTION_SUM, SP_REDUCTION_NONE } sp_reduction;

typedef struct sp_loss_options {
    size_t size;
    sp_reduction reduction;
    int64_t ignore_index;   /* nll, cross entropy: targets that do not count; default -100; SP_ZERO for class 0 */
    double label_smoothing; /* cross entropy */
    double beta;            /* smooth L1: default 1 */
    bool log_target;        /* KL divergence: the target is in logarithms too */
    bool batch_mean;        /* KL divergence: the sum divided by the batch, PyTorch's "batchmean" */
    SP_OPTIONS_END;
} sp_loss_options;

/* -x[n, target[n]], the negative log likelihood. x: log-probabilities (N, C), (C) or (N, C, …); target: i64 or u8 (N),
 * () or (N, …), 0 ≤ target < C, or ignore_index for one that does not count. Fails on a target out of range. */
SP_API sp_tensor *sp_nll_loss(sp_tensor *x, sp_tensor *target, const sp_loss_options *options SP_OR_NULL);
#define sp_nll_loss(...) SP__CALL2(sp_nll_loss, sp_loss_options, __VA_ARGS__)

/* -weight[t]·x[n, t], t = target[n]; the mean is Σ of these over Σ weight[t]. weight (C) has x's dtype and gets no
 * gradient. Otherwise as sp_nll_loss. */
SP_API sp_tensor *sp_nll_loss_weighted(sp_tensor *x, sp_tensor *target, sp_tensor *weight,
                                       const sp_loss_options *options SP_OR_NULL);
#define sp_nll_loss_weighted(...) SP__CALL3(sp_nll_loss_weighted, sp_loss_options, __VA_ARGS__)

/* nll_loss(log_softmax(x), target) for scores x of sp_nll_loss's shapes. A floating target of x's shape has
 * probabilities: -Σ target·log_softmax(x) over the classes. Label smoothing s makes the target (1 - s)·target + s/C. */
SP_API sp_tensor *sp_cross_entropy(sp_tensor *x, sp_tensor *target, const sp_loss_options *options SP_OR_NULL);
#define sp_cross_entropy(...) SP__CALL2(sp_cross_entropy, sp_loss_options, __VA_ARGS__)

/* sp_cross_entropy with each class c multiplied by weight[c]. weight (C); the mean divides by the sum of the targets'
 * weights where targets are classes. */
SP_API sp_tensor *sp_cross_entropy_weighted(sp_tensor *x, sp_tensor *target, sp_tensor *weight,
                                            const sp_loss_options *options SP_OR_NULL);
#define sp_cross_entropy_weighted(...) SP__CALL3(sp_cross_entropy_weighted, sp_loss_options, __VA_ARGS__)

/* (x - target)². Shapes that differ are broadcast, with a warning. */
SP_API sp_tensor *sp_mse_loss(sp_tensor *x, sp_tensor *target, const sp_loss_options *options SP_OR_NULL);
#define sp_mse_loss(...) SP__CALL2(sp_mse_loss, sp_loss_options, __VA_ARGS__)

/* |x - target|. Shapes that differ are broadcast, with a warning. */
SP_API sp_tensor *sp_l1_loss(sp_tensor *x, sp_tensor *target, const sp_loss_options *options SP_OR_NULL);
#define sp_l1_loss(...) SP__CALL2(sp_l1_loss, sp_loss_options, __VA_ARGS__)

/* d²/2β for |d| < β, else |d| - β/2, with d = x - target. Shapes that differ are broadcast, with a warning. */
SP_API sp_tensor *sp_smooth_l1_loss(sp_tensor *x, sp_tensor *target, const sp_loss_options *options SP_OR_NULL);
#define sp_smooth_l1_loss(...) SP__CALL2(sp_smooth_l1_loss, sp_loss_options, __VA_ARGS__)

/* -(target·ln x + (1 - target)·ln(1 - x)), the logarithms at least -100. Fails for an x below 0 or above 1 and for
 * shapes that differ. */
SP_API sp_tensor *sp_binary_cross_entropy(sp_tensor *x, sp_tensor *target, const sp_loss_options *options SP_OR_NULL);
#define sp_binary_cross_entropy(...) SP__CALL2(sp_binary_cross_entropy, sp_loss_options, __VA_ARGS__)

/* sp_binary_cross_entropy of sigmoid(x), without overflow: any x will do. Fails for shapes that differ. */
SP_API sp_tensor *sp_binary_cross_entropy_with_logits(sp_tensor *x, sp_tensor *target,
                                                      const sp_loss_options *options SP_OR_NULL);
#define sp_binary_cross_entropy_with_logits(...)                                                                       \
    SP__CALL2(sp_binary_cross_entropy_with_logits, sp_loss_options, __VA_ARGS__)

/* target·(ln target - x), x being logarithms; with log_target e^target·(target - x). Shapes that differ are broadcast,
 * with a warning. Fails for what is not floating point. */
SP_API sp_tensor *sp_kl_div(sp_tensor *x, sp_tensor *target, const sp_loss_options *options SP_OR_NULL);
#define sp_kl_div(...) SP__CALL2(sp_kl_div, sp_loss_options, __VA_ARGS__)

SP_END_DECLS

#endif

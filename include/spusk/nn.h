/* Networks: containers, layers, losses as modules, initialisation. A layer's formula stands with its function in
 * functional.h. */
#ifndef SPUSK_NN_H
#define SPUSK_NN_H

#include <spusk/functional.h>
#include <spusk/module.h>
#include <spusk/views.h>

SP_BEGIN

/* ---- containers and layers ---- */

extern SP_API sp_module *const sp_last_module_;
/* The modules applied one after another; children are named "0", "1", … The function behind the macro takes an array
 * that ends with sp_last_module_. */
SP_API sp_module *sp_nn_sequential_until(sp_module *const *modules);
#define sp_nn_sequential(...) sp_nn_sequential_until(SP__LIST(sp_module *, __VA_ARGS__, sp_last_module_))

/* A list of modules, named "0", "1", … It cannot be applied itself; sp_module_child gives its modules. */
SP_API sp_module *sp_nn_module_list_until(sp_module *const *modules);
#define sp_nn_module_list(...) sp_nn_module_list_until(SP__LIST(sp_module *, __VA_ARGS__, sp_last_module_))

typedef struct sp_nn_linear_options {
    size_t size;
    bool no_bias;
    sp_dtype dtype; /* default f32 */
    sp_generator *generator;
    SP_OPTIONS_END;
} sp_nn_linear_options;

/* x·weightᵀ + bias: (…, in_features) → (…, out_features), sp_linear. Parameters weight (out, in) and bias (out), both
 * uniform in ±1/√in. */
SP_API sp_module *sp_nn_linear(int64_t in_features, int64_t out_features,
                               const sp_nn_linear_options *options SP_OR_NULL);
#define sp_nn_linear(...) SP__CALL2(sp_nn_linear, sp_nn_linear_options, __VA_ARGS__)

typedef struct sp_nn_conv2d_options {
    size_t size;
    int64_t kernel_size_hw[2]; /* beside a kernel_size of 0 */
    int64_t stride;            /* default 1 */
    int64_t stride_hw[2];
    int64_t padding;
    int64_t padding_hw[2];
    int64_t dilation; /* default 1 */
    int64_t dilation_hw[2];
    int64_t groups; /* default 1 */
    bool same;      /* PyTorch's padding="same" */
    bool no_bias;
    sp_dtype dtype; /* default f32 */
    sp_generator *generator;
    SP_OPTIONS_END;
} sp_nn_conv2d_options;

/* A convolution, (N, in, H, W) → (N, out, H', W'): sp_conv2d. Parameters weight (out, in/groups, kernel height, kernel
 * width) and bias (out), both uniform in ±1/√(in/groups·height·width). Fails unless groups divide both channels.
 * PyTorch, torch.nn.Conv2d. */
SP_API sp_module *sp_nn_conv2d(int64_t in_channels, int64_t out_channels, int64_t kernel_size,
                               const sp_nn_conv2d_options *options SP_OR_NULL);
#define sp_nn_conv2d(...) SP__CALL3(sp_nn_conv2d, sp_nn_conv2d_options, __VA_ARGS__)

typedef struct sp_nn_conv_transpose2d_options {
    size_t size;
    int64_t kernel_size_hw[2]; /* beside a kernel_size of 0 */
    int64_t stride;            /* default 1 */
    int64_t stride_hw[2];
    int64_t padding;
    int64_t padding_hw[2];
    int64_t output_padding;
    int64_t output_padding_hw[2];
    int64_t dilation; /* default 1 */
    int64_t dilation_hw[2];
    int64_t groups; /* default 1 */
    bool no_bias;
    sp_dtype dtype; /* default f32 */
    sp_generator *generator;
    SP_OPTIONS_END;
} sp_nn_conv_transpose2d_options;

/* A transposed convolution, (N, in, H, W) → (N, out, H', W'): sp_conv_transpose2d. Parameters weight (in, out/groups,
 * kernel height, kernel width) and bias (out), both uniform in ±1/√(out/groups·height·width). Fails unless groups
 * divide both channels. PyTorch, torch.nn.ConvTranspose2d. */
SP_API sp_module *sp_nn_conv_transpose2d(int64_t in_channels, int64_t out_channels, int64_t kernel_size,
                                         const sp_nn_conv_transpose2d_options *options SP_OR_NULL);
#define sp_nn_conv_transpose2d(...) SP__CALL3(sp_nn_conv_transpose2d, sp_nn_conv_transpose2d_options, __VA_ARGS__)

/* x, as it is. */
SP_API sp_module *sp_nn_identity(void);

/* max(x, 0): sp_relu. */
SP_API sp_module *sp_nn_relu(void);

/* x for x > 0, else negative_slope·x: sp_leaky_relu. */
SP_API sp_module *sp_nn_leaky_relu(const sp_leaky_relu_options *options SP_OR_NULL);
#define sp_nn_leaky_relu(...) SP__CALL0(sp_nn_leaky_relu, sp_leaky_relu_options, __VA_ARGS__)

/* x for x > 0, else α(e^x - 1): sp_elu. */
SP_API sp_module *sp_nn_elu(const sp_elu_options *options SP_OR_NULL);
#define sp_nn_elu(...) SP__CALL0(sp_nn_elu, sp_elu_options, __VA_ARGS__)

/* x·Φ(x): sp_gelu. */
SP_API sp_module *sp_nn_gelu(const sp_gelu_options *options SP_OR_NULL);
#define sp_nn_gelu(...) SP__CALL0(sp_nn_gelu, sp_gelu_options, __VA_ARGS__)

/* x·sigmoid(x): sp_silu. */
SP_API sp_module *sp_nn_silu(void);

/* 1/(1 + e^-x): sp_sigmoid. */
SP_API sp_module *sp_nn_sigmoid(void);

/* tanh x: sp_tanh. */
SP_API sp_module *sp_nn_tanh(void);

/* ln(1 + e^(βx))/β: sp_softplus. */
SP_API sp_module *sp_nn_softplus(const sp_softplus_options *options SP_OR_NULL);
#define sp_nn_softplus(...) SP__CALL0(sp_nn_softplus, sp_softplus_options, __VA_ARGS__)

/* e^x / Σe^x along dim: sp_softmax. */
SP_API sp_module *sp_nn_softmax(int dim);

/* x - ln Σe^x along dim: sp_log_softmax. */
SP_API sp_module *sp_nn_log_softmax(int dim);

/* Zeroes elements with probability p and divides the others by 1 - p, while training: sp_dropout. Fails unless
 * 0 ≤ p ≤ 1. */
SP_API sp_module *sp_nn_dropout(double p);

/* Zeroes whole channels with probability p and divides the others by 1 - p, while training: sp_dropout2d. */
SP_API sp_module *sp_nn_dropout2d(double p);

/* The dimensions start_dim (default 1) to end_dim (default -1) as one: sp_flatten, which begins at 0 by default. */
SP_API sp_module *sp_nn_flatten(const sp_flatten_options *options SP_OR_NULL);
#define sp_nn_flatten(...) SP__CALL0(sp_nn_flatten, sp_flatten_options, __VA_ARGS__)

/* Dimension dim as several: sp_nn_unflatten(1, SP_DIMS(32, 7, 7)). One size may be -1: sp_unflatten. */
SP_API sp_module *sp_nn_unflatten(int dim, sp_dims sizes);

/* ---- layers of images; formulas in functional.h ---- */

/* The largest element of each window, (N, C, H, W) → (N, C, H', W'): sp_max_pool2d. */
SP_API sp_module *sp_nn_max_pool2d(int64_t kernel_size, const sp_max_pool2d_options *options SP_OR_NULL);
#define sp_nn_max_pool2d(...) SP__CALL1(sp_nn_max_pool2d, sp_max_pool2d_options, __VA_ARGS__)

/* The mean of each window, (N, C, H, W) → (N, C, H', W'): sp_avg_pool2d. */
SP_API sp_module *sp_nn_avg_pool2d(int64_t kernel_size, const sp_avg_pool2d_options *options SP_OR_NULL);
#define sp_nn_avg_pool2d(...) SP__CALL1(sp_nn_avg_pool2d, sp_avg_pool2d_options, __VA_ARGS__)

/* The means of output_size × output_size windows, (N, C, H, W) → (N, C, H', W'): sp_adaptive_avg_pool2d. */
SP_API sp_module *sp_nn_adaptive_avg_pool2d(int64_t output_size,
                                            const sp_adaptive_avg_pool2d_options *options SP_OR_NULL);
#define sp_nn_adaptive_avg_pool2d(...) SP__CALL1(sp_nn_adaptive_avg_pool2d, sp_adaptive_avg_pool2d_options, __VA_ARGS__)

/* Images in another size, (N, C, H, W) → (N, C, H', W'): sp_interpolate. Needs `.output_size` or `.scale_factor`. */
SP_API sp_module *sp_nn_upsample(const sp_interpolate_options *options SP_OR_NULL);
#define sp_nn_upsample(...) SP__CALL0(sp_nn_upsample, sp_interpolate_options, __VA_ARGS__)

typedef struct sp_nn_pad_options {
    size_t size;
    int64_t padding_lrtb[4]; /* left, right, top, bottom; instead of one number for all */
    SP_OPTIONS_END;
} sp_nn_pad_options;

/* Zeros around the last two dimensions, so many on each side: (N, C, H, W) → (N, C, H + 2·padding, W + 2·padding). */
SP_API sp_module *sp_nn_zero_pad2d(int64_t padding, const sp_nn_pad_options *options SP_OR_NULL);
#define sp_nn_zero_pad2d(...) SP__CALL1(sp_nn_zero_pad2d, sp_nn_pad_options, __VA_ARGS__)

/* value around the last two dimensions, otherwise as sp_nn_zero_pad2d. */
SP_API sp_module *sp_nn_constant_pad2d(int64_t padding, double value, const sp_nn_pad_options *options SP_OR_NULL);
#define sp_nn_constant_pad2d(...) SP__CALL2(sp_nn_constant_pad2d, sp_nn_pad_options, __VA_ARGS__)

/* The image mirrored at its outermost pixels around it, by less than its sizes; shapes as in sp_nn_zero_pad2d. */
SP_API sp_module *sp_nn_reflection_pad2d(int64_t padding, const sp_nn_pad_options *options SP_OR_NULL);
#define sp_nn_reflection_pad2d(...) SP__CALL1(sp_nn_reflection_pad2d, sp_nn_pad_options, __VA_ARGS__)

/* The outermost pixels repeated around the image; shapes as in sp_nn_zero_pad2d. */
SP_API sp_module *sp_nn_replication_pad2d(int64_t padding, const sp_nn_pad_options *options SP_OR_NULL);
#define sp_nn_replication_pad2d(...) SP__CALL1(sp_nn_replication_pad2d, sp_nn_pad_options, __VA_ARGS__)

/* ---- normalisation, embedding ---- */

typedef struct sp_nn_batch_norm_options {
    size_t size;
    double eps;      /* default 1e-5 */
    double momentum; /* default 0.1 */
    bool cumulative; /* the running statistics are plain means of all batches'; PyTorch's momentum=None */
    bool no_affine;  /* neither weight nor bias */
    bool no_bias;
    bool no_running_stats; /* the batch's own, in evaluation too; PyTorch's track_running_stats=False */
    sp_dtype dtype;        /* default f32 */
    SP_OPTIONS_END;
} sp_nn_batch_norm_options;

/* (x - mean)/√(var + eps)·weight + bias for each channel of (N, C) or (N, C, L): sp_batch_norm. Parameters weight (C)
 * of ones and bias (C) of zeros; buffers running_mean (C) of zeros, running_var (C) of ones and num_batches_tracked (),
 * i64. Fails for inputs of other shapes. */
SP_API sp_module *sp_nn_batch_norm1d(int64_t num_features, const sp_nn_batch_norm_options *options SP_OR_NULL);
#define sp_nn_batch_norm1d(...) SP__CALL1(sp_nn_batch_norm1d, sp_nn_batch_norm_options, __VA_ARGS__)

/* sp_nn_batch_norm1d for images (N, C, H, W). Fails for inputs of other shapes. */
SP_API sp_module *sp_nn_batch_norm2d(int64_t num_features, const sp_nn_batch_norm_options *options SP_OR_NULL);
#define sp_nn_batch_norm2d(...) SP__CALL1(sp_nn_batch_norm2d, sp_nn_batch_norm_options, __VA_ARGS__)

typedef struct sp_nn_layer_norm_options {
    size_t size;
    double eps; /* default 1e-5 */
    bool no_affine, no_bias;
    sp_dtype dtype; /* default f32 */
    SP_OPTIONS_END;
} sp_nn_layer_norm_options;

/* (x - mean)/√(var + eps)·weight + bias over the last dimensions, which have the sizes normalized_shape:
 * sp_nn_layer_norm(SP_DIMS(64)), sp_layer_norm. Parameters weight of ones and bias of zeros, of these sizes. */
SP_API sp_module *sp_nn_layer_norm(sp_dims normalized_shape, const sp_nn_layer_norm_options *options SP_OR_NULL);
#define sp_nn_layer_norm(...) SP__CALL1(sp_nn_layer_norm, sp_nn_layer_norm_options, __VA_ARGS__)

typedef struct sp_nn_embedding_options {
    size_t size;
    int64_t padding_idx; /* this row is 0 and stays so: default none, SP_ZERO for 0; negative from the end */
    sp_dtype dtype;      /* default f32 */
    sp_generator *generator;
    SP_OPTIONS_END;
} sp_nn_embedding_options;

/* The rows of a table that indices name: (…), i64 or i32 → (…, embedding_dim), sp_embedding. Parameter weight
 * (num_embeddings, embedding_dim), standard normal. */
SP_API sp_module *sp_nn_embedding(int64_t num_embeddings, int64_t embedding_dim,
                                  const sp_nn_embedding_options *options SP_OR_NULL);
#define sp_nn_embedding(...) SP__CALL2(sp_nn_embedding, sp_nn_embedding_options, __VA_ARGS__)

/* ---- losses: sp_forward(loss, input, target); formulas in functional.h ---- */

/* sp_nll_loss(input, target, …), as a module with two inputs. */
SP_API sp_module *sp_nn_nll_loss(const sp_loss_options *options SP_OR_NULL);
#define sp_nn_nll_loss(...) SP__CALL0(sp_nn_nll_loss, sp_loss_options, __VA_ARGS__)

/* sp_nll_loss_weighted with this weight (C), which the module holds as a buffer. */
SP_API sp_module *sp_nn_nll_loss_weighted(sp_tensor *weight, const sp_loss_options *options SP_OR_NULL);
#define sp_nn_nll_loss_weighted(...) SP__CALL1(sp_nn_nll_loss_weighted, sp_loss_options, __VA_ARGS__)

/* sp_cross_entropy(input, target, …). */
SP_API sp_module *sp_nn_cross_entropy_loss(const sp_loss_options *options SP_OR_NULL);
#define sp_nn_cross_entropy_loss(...) SP__CALL0(sp_nn_cross_entropy_loss, sp_loss_options, __VA_ARGS__)

/* sp_cross_entropy_weighted with this weight (C), which the module holds as a buffer. */
SP_API sp_module *sp_nn_cross_entropy_loss_weighted(sp_tensor *weight, const sp_loss_options *options SP_OR_NULL);
#define sp_nn_cross_entropy_loss_weighted(...)                                                                         \
    SP__CALL1(sp_nn_cross_entropy_loss_weighted, sp_loss_options, __VA_ARGS__)

/* (input - target)²: sp_mse_loss. */
SP_API sp_module *sp_nn_mse_loss(const sp_loss_options *options SP_OR_NULL);
#define sp_nn_mse_loss(...) SP__CALL0(sp_nn_mse_loss, sp_loss_options, __VA_ARGS__)

/* |input - target|: sp_l1_loss. */
SP_API sp_module *sp_nn_l1_loss(const sp_loss_options *options SP_OR_NULL);
#define sp_nn_l1_loss(...) SP__CALL0(sp_nn_l1_loss, sp_loss_options, __VA_ARGS__)

/* d²/2β for |d| < β, else |d| - β/2, with d = input - target: sp_smooth_l1_loss. */
SP_API sp_module *sp_nn_smooth_l1_loss(const sp_loss_options *options SP_OR_NULL);
#define sp_nn_smooth_l1_loss(...) SP__CALL0(sp_nn_smooth_l1_loss, sp_loss_options, __VA_ARGS__)

/* -(target·ln input + (1 - target)·ln(1 - input)): sp_binary_cross_entropy. */
SP_API sp_module *sp_nn_bce_loss(const sp_loss_options *options SP_OR_NULL);
#define sp_nn_bce_loss(...) SP__CALL0(sp_nn_bce_loss, sp_loss_options, __VA_ARGS__)

/* sp_nn_bce_loss of sigmoid(input): sp_binary_cross_entropy_with_logits. */
SP_API sp_module *sp_nn_bce_with_logits_loss(const sp_loss_options *options SP_OR_NULL);
#define sp_nn_bce_with_logits_loss(...) SP__CALL0(sp_nn_bce_with_logits_loss, sp_loss_options, __VA_ARGS__)

/* target·(ln target - input), input being logarithms: sp_kl_div. */
SP_API sp_module *sp_nn_kl_div_loss(const sp_loss_options *options SP_OR_NULL);
#define sp_nn_kl_div_loss(...) SP__CALL0(sp_nn_kl_div_loss, sp_loss_options, __VA_ARGS__)

/* ---- initialisation: fills a tensor outside the graph and returns it ---- */

/* Which number of inputs or outputs of a weight a draw keeps the variance for: fan_in is its size 1 times the kernel's
 * places, fan_out its size 0 times them. */
typedef enum sp_fan_mode { SP_FAN_IN = 0, SP_FAN_OUT } sp_fan_mode;
typedef enum sp_nonlinearity {
    SP_NONLINEARITY_LEAKY_RELU = 0,
    SP_NONLINEARITY_RELU,
    SP_NONLINEARITY_LINEAR,
    SP_NONLINEARITY_SIGMOID,
    SP_NONLINEARITY_TANH,
} sp_nonlinearity;

typedef struct sp_init_options {
    size_t size;
    double gain;                  /* xavier: default 1 */
    double a;                     /* kaiming: slope of the leaky ReLU, default 0 */
    sp_fan_mode mode;             /* kaiming */
    sp_nonlinearity nonlinearity; /* kaiming */
    sp_generator *generator;
    SP_OPTIONS_END;
} sp_init_options;

/* Draws x from U(low, high). Fails where low > high. */
SP_API sp_tensor *sp_init_uniform_(sp_tensor *x, double low, double high, const sp_init_options *options SP_OR_NULL);
#define sp_init_uniform_(...) SP__CALL3(sp_init_uniform_, sp_init_options, __VA_ARGS__)

/* Draws x from N(mean, std²). Fails where std < 0. */
SP_API sp_tensor *sp_init_normal_(sp_tensor *x, double mean, double std, const sp_init_options *options SP_OR_NULL);
#define sp_init_normal_(...) SP__CALL3(sp_init_normal_, sp_init_options, __VA_ARGS__)

/* Fills x with value. */
SP_API sp_tensor *sp_init_constant_(sp_tensor *x, double value);

/* Fills x with zeros. */
SP_API sp_tensor *sp_init_zeros_(sp_tensor *x);

/* Fills x with ones. */
SP_API sp_tensor *sp_init_ones_(sp_tensor *x);

/* Draws x from U(±gain·√(6/(fan_in + fan_out))). Fails for fewer than two dimensions. Glorot and Bengio, AISTATS
 * 2010. */
SP_API sp_tensor *sp_init_xavier_uniform_(sp_tensor *x, const sp_init_options *options SP_OR_NULL);
#define sp_init_xavier_uniform_(...) SP__CALL1(sp_init_xavier_uniform_, sp_init_options, __VA_ARGS__)

/* Draws x from N(0, gain²·2/(fan_in + fan_out)). Fails for fewer than two dimensions. Glorot and Bengio, AISTATS
 * 2010. */
SP_API sp_tensor *sp_init_xavier_normal_(sp_tensor *x, const sp_init_options *options SP_OR_NULL);
#define sp_init_xavier_normal_(...) SP__CALL1(sp_init_xavier_normal_, sp_init_options, __VA_ARGS__)

/* Draws x from U(±gain·√(3/fan)), where fan is fan_in or fan_out by `.mode` and the gain is that of `.nonlinearity`:
 * √(2/(1 + a²)) for a leaky ReLU. Fails for fewer than two dimensions. He, Zhang, Ren, Sun, arXiv:1502.01852. */
SP_API sp_tensor *sp_init_kaiming_uniform_(sp_tensor *x, const sp_init_options *options SP_OR_NULL);
#define sp_init_kaiming_uniform_(...) SP__CALL1(sp_init_kaiming_uniform_, sp_init_options, __VA_ARGS__)

/* Draws x from N(0, gain²/fan), with fan and gain as in sp_init_kaiming_uniform_. */
SP_API sp_tensor *sp_init_kaiming_normal_(sp_tensor *x, const sp_init_options *options SP_OR_NULL);
#define sp_init_kaiming_normal_(...) SP__CALL1(sp_init_kaiming_normal_, sp_init_options, __VA_ARGS__)

SP_END_DECLS

#endif

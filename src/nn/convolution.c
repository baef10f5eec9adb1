/* Conv2d and ConvTranspose2d.
 *
 * A weight lies in memory as kernel height, width, then the channels that a product adds up, then those that it gives,
 * because then the kernels read it row by row; its shape is PyTorch's, a permuted view: (out, in/groups, height, width)
 * of a convolution, (in, out/groups, height, width) of a transposed one. Values are drawn and saved in the order of the
 * shape, so the layout shows nowhere. */
#include "layer.h"

#include <math.h>
#include <spusk/functional.h>

typedef struct convolution {
    sp__layer layer;
    sp_tensor *weight, *bias; /* bias: SP_NONE for none */
} convolution;

enum { IN, OUT, KERNEL, STRIDE = 4, PADDING = 6, DILATION = 8, GROUPS = 10, BIAS, SAME, OUTPUT_PADDING = SAME };
enum { CONV2D, CONV_TRANSPOSE2D, N_TYPES };

static const sp__layer_type types[N_TYPES];

static bool is_transposed(const sp__layer_type *type)
{
    return type == &types[CONV_TRANSPOSE2D];
}

/* ---- forward ---- */

static sp_tensor *conv2d_forward(sp_module *self, sp_tensor *x)
{
    const convolution *c = (const convolution *)self;
    const double *n = sp__layer_numbers(self);
    sp_conv2d_options o = {.size = sizeof o, .groups = (int64_t)n[GROUPS], .same = n[SAME] != 0};
    sp__pair_get(n, STRIDE, o.stride_hw);
    sp__pair_get(n, PADDING, o.padding_hw);
    sp__pair_get(n, DILATION, o.dilation_hw);
    return (sp_conv2d)(x, c->weight, c->bias, &o);
}

static sp_tensor *conv_transpose2d_forward(sp_module *self, sp_tensor *x)
{
    const convolution *c = (const convolution *)self;
    const double *n = sp__layer_numbers(self);
    sp_conv_transpose2d_options o = {.size = sizeof o, .groups = (int64_t)n[GROUPS]};
    sp__pair_get(n, STRIDE, o.stride_hw);
    sp__pair_get(n, PADDING, o.padding_hw);
    sp__pair_get(n, OUTPUT_PADDING, o.output_padding_hw);
    sp__pair_get(n, DILATION, o.dilation_hw);
    return (sp_conv_transpose2d)(x, c->weight, c->bias, &o);
}

/* ---- what can be wrong ---- */

static sp_status check_least(const char *function, const char *name, const double *n, int i, int64_t least)
{
    int64_t pair[2];
    sp__pair_get(n, i, pair);
    for (int d = 0; d < 2; d++) {
        const int64_t value = pair[d] == SP_ZERO ? 0 : pair[d];
        if (value < least || value > INT32_MAX)
            return sp_raise(SP_ERROR_ARGUMENT, "%s: %s must be %lld or more, got %lld", function, name,
                            (long long)least, (long long)value);
    }
    return SP_OK;
}

static sp_status check_channels(const char *function, const double *n)
{
    static const char *const names[] = {"in_channels", "out_channels"};
    if (!(n[GROUPS] >= 1))
        return sp_raise(SP_ERROR_ARGUMENT, "%s: groups must be 1 or more, got %.0f", function, n[GROUPS]);
    for (int i = IN; i <= OUT; i++) {
        if (!(n[i] >= 1))
            return sp_raise(SP_ERROR_ARGUMENT, "%s: %s must be 1 or more, got %.0f", function, names[i], n[i]);
        if (fmod(n[i], n[GROUPS]) != 0)
            return sp_raise(SP_ERROR_ARGUMENT, "%s: %s (%.0f) must be divisible by groups (%.0f)", function, names[i],
                            n[i], n[GROUPS]);
    }
    return SP_OK;
}

static sp_status check(const char *function, const double *n)
{
    if (check_channels(function, n) || check_least(function, "kernel_size", n, KERNEL, 1) ||
        check_least(function, "stride", n, STRIDE, 1) || check_least(function, "padding", n, PADDING, 0))
        return sp_error_status();
    return check_least(function, "dilation", n, DILATION, 1);
}

static sp_status conv2d_check(const double *n)
{
    int64_t stride[2], padding[2];
    if (check("sp_nn_conv2d", n)) return sp_error_status();
    sp__pair_get(n, STRIDE, stride);
    sp__pair_get(n, PADDING, padding);
    if (n[SAME] == 0) return SP_OK;
    if (stride[0] != 1 || stride[1] != 1)
        return sp_raise(SP_ERROR_ARGUMENT, "sp_nn_conv2d: .same keeps the size, which a stride does not");
    if (padding[0] == SP_ZERO && padding[1] == SP_ZERO) return SP_OK;
    return sp_raise(SP_ERROR_ARGUMENT, "sp_nn_conv2d: .same and .padding are two paddings: give one");
}

static sp_status conv_transpose2d_check(const double *n)
{
    if (check("sp_nn_conv_transpose2d", n)) return sp_error_status();
    return check_least("sp_nn_conv_transpose2d", "output_padding", n, OUTPUT_PADDING, 0);
}

/* ---- PyTorch's text: pairs always as pairs, what is usual left out ---- */

static void put_pair(sp__text *t, const char *name, const double *n, int i, int64_t usual)
{
    int64_t pair[2];
    sp__pair_get(n, i, pair);
    for (int d = 0; d < 2; d++)
        if (pair[d] == SP_ZERO) pair[d] = 0;
    if (pair[0] != usual || pair[1] != usual)
        sp__put(t, ", %s=(%lld, %lld)", name, (long long)pair[0], (long long)pair[1]);
}

static size_t describe(const sp_module *module, char *buffer, size_t size)
{
    const double *n = sp__layer_numbers(module);
    const bool transposed = is_transposed(((const sp__layer *)module)->type);
    sp__text t = sp__text_in(buffer, size);
    sp__put(&t, "%.0f, %.0f", n[IN], n[OUT]);
    put_pair(&t, "kernel_size", n, KERNEL, 0);
    put_pair(&t, "stride", n, STRIDE, 0);
    if (!transposed && n[SAME] != 0)
        sp__put(&t, ", padding=same");
    else
        put_pair(&t, "padding", n, PADDING, 0);
    put_pair(&t, "dilation", n, DILATION, 1);
    if (transposed) put_pair(&t, "output_padding", n, OUTPUT_PADDING, 0);
    if (n[GROUPS] != 1) sp__put(&t, ", groups=%.0f", n[GROUPS]);
    if (n[BIAS] == 0) sp__put(&t, ", bias=False");
    return t.length;
}

/* ---- making one ---- */

typedef struct drawn {
    sp_dtype dtype;
    sp_generator *generator;
} drawn;

static sp_tensor *weight_memory(const sp__layer_type *type, const double *n, sp_dtype dtype)
{
    int64_t kernel[2];
    const int64_t in = (int64_t)n[IN], out = (int64_t)n[OUT], groups = (int64_t)n[GROUPS];
    sp__pair_get(n, KERNEL, kernel);
    if (is_transposed(type))
        return sp_permute(sp_empty(SP_DIMS(kernel[0], kernel[1], in, out / groups), .dtype = dtype), 2, 3, 0, 1);
    return sp_permute(sp_empty(SP_DIMS(kernel[0], kernel[1], in / groups, out), .dtype = dtype), 3, 2, 0, 1);
}

/* Both uniform in ±1/√(what one value adds up), the weight first, as PyTorch draws them. */
static sp_status make_parameters(convolution *c, const double *n, drawn how)
{
    sp_module *self = &c->layer.base;
    sp_tensor *weight = sp_detach(weight_memory(c->layer.type, n, how.dtype));
    if (!weight) return sp_error_status();
    const double bound = 1 / sqrt((double)(sp_size(weight, 1) * sp_size(weight, 2) * sp_size(weight, 3)));
    c->bias = SP_NONE;
    c->weight = sp_module_add_parameter(self, "weight",
                                        sp_init_uniform_(weight, -bound, bound, .generator = how.generator));
    if (!c->weight) return sp_error_status();
    if (n[BIAS] == 0) return SP_OK;
    sp_tensor *bias = sp_empty(SP_DIMS((int64_t)n[OUT]), .dtype = how.dtype);
    c->bias = sp_module_add_parameter(self, "bias", sp_init_uniform_(bias, -bound, bound, .generator = how.generator));
    return c->bias ? SP_OK : sp_error_status();
}

static int outline(const double *n, bool transposed, sp_outline_tensor *tensors)
{
    int64_t kernel[2];
    const int64_t in = (int64_t)n[IN], out = (int64_t)n[OUT], groups = (int64_t)n[GROUPS];
    sp__pair_get(n, KERNEL, kernel);
    const sp_dims dims = transposed ? SP_DIMS(in, out / groups, kernel[0], kernel[1])
                                    : SP_DIMS(out, in / groups, kernel[0], kernel[1]);
    const int count = sp__outline_add(tensors, 0, "weight", dims);
    return n[BIAS] != 0 ? sp__outline_add(tensors, count, "bias", SP_DIMS(out)) : count;
}

static int conv2d_tensors(const double *n, sp_outline_tensor *tensors)
{
    return outline(n, false, tensors);
}

static int conv_transpose2d_tensors(const double *n, sp_outline_tensor *tensors)
{
    return outline(n, true, tensors);
}

static sp_module *make(const sp__layer_type *type, const double *numbers, drawn how)
{
    sp_module *self = sp__layer_new_sized(type, sizeof(convolution), numbers);
    if (!self) return NULL;
    sp_status status = SP_OK;
    SP_NO_GRAD {
        status = make_parameters((convolution *)self, numbers, how);
    }
    if (status == SP_OK) return self;
    sp_release(self);
    return NULL;
}

static sp_module *build(const sp__layer_type *type, const double *numbers)
{
    return make(type, numbers, (drawn){SP_DTYPE_DEFAULT, NULL});
}

/* ---- types ---- */

#define CONVOLUTION_OPTIONS                                                                                            \
    [IN] = {"in_channels", SP_ATTRIBUTE_INT, SP__OPTION_NEEDED, 0},                                                    \
    [OUT] = {"out_channels", SP_ATTRIBUTE_INT, SP__OPTION_NEEDED, 0},                                                  \
    SP__PAIR_OPTION("kernel_size", SP__OPTION_NEEDED, 0), SP__PAIR_OPTION("stride", SP__OPTION_DEFAULTED, 1),          \
    SP__PAIR_OPTION("padding", SP__OPTION_DEFAULTED, 0), SP__PAIR_OPTION("dilation", SP__OPTION_DEFAULTED, 1),         \
    [GROUPS] = {"groups", SP_ATTRIBUTE_INT, SP__OPTION_DEFAULTED, 1},                                                  \
    [BIAS] = {"bias", SP_ATTRIBUTE_BOOL, SP__OPTION_DEFAULTED, 1}

static const sp__layer_type types[N_TYPES] = {
    [CONV2D] = {.name = "Conv2d",
                .forward = conv2d_forward,
                .check = conv2d_check,
                .tensors = conv2d_tensors,
                .describe = describe,
                .build = build,
                .options = {CONVOLUTION_OPTIONS, [SAME] = {"same", SP_ATTRIBUTE_BOOL, SP__OPTION_DEFAULTED, 0}}},
    [CONV_TRANSPOSE2D] = {.name = "ConvTranspose2d",
                          .forward = conv_transpose2d_forward,
                          .check = conv_transpose2d_check,
                          .tensors = conv_transpose2d_tensors,
                          .describe = describe,
                          .build = build,
                          .options = {CONVOLUTION_OPTIONS, SP__PAIR_OPTION("output_padding", SP__OPTION_DEFAULTED, 0)}},
};

const sp__layer_type *sp__find_convolution(const char *name)
{
    for (int i = 0; i < N_TYPES; i++)
        if (strcmp(types[i].name, name) == 0) return &types[i];
    return NULL;
}

sp_module *(sp_nn_conv2d)(int64_t in_channels, int64_t out_channels, int64_t kernel_size,
                          const sp_nn_conv2d_options *options)
{
    sp_nn_conv2d_options o;
    sp_options_copy(&o, sizeof o, options);
    double n[SP__LAYER_OPTIONS] = {(double)in_channels, (double)out_channels};
    sp__pair_set(n, KERNEL, kernel_size, o.kernel_size_hw, 0);
    sp__pair_set(n, STRIDE, o.stride, o.stride_hw, 1);
    sp__pair_set(n, PADDING, o.padding, o.padding_hw, 0);
    sp__pair_set(n, DILATION, o.dilation, o.dilation_hw, 1);
    n[GROUPS] = (double)sp_option_int(o.groups, 1);
    n[BIAS] = !o.no_bias;
    n[SAME] = o.same;
    return make(&types[CONV2D], n, (drawn){o.dtype, o.generator});
}

sp_module *(sp_nn_conv_transpose2d)(int64_t in_channels, int64_t out_channels, int64_t kernel_size,
                                    const sp_nn_conv_transpose2d_options *options)
{
    sp_nn_conv_transpose2d_options o;
    sp_options_copy(&o, sizeof o, options);
    double n[SP__LAYER_OPTIONS] = {(double)in_channels, (double)out_channels};
    sp__pair_set(n, KERNEL, kernel_size, o.kernel_size_hw, 0);
    sp__pair_set(n, STRIDE, o.stride, o.stride_hw, 1);
    sp__pair_set(n, PADDING, o.padding, o.padding_hw, 0);
    sp__pair_set(n, OUTPUT_PADDING, o.output_padding, o.output_padding_hw, 0);
    sp__pair_set(n, DILATION, o.dilation, o.dilation_hw, 1);
    n[GROUPS] = (double)sp_option_int(o.groups, 1);
    n[BIAS] = !o.no_bias;
    return make(&types[CONV_TRANSPOSE2D], n, (drawn){o.dtype, o.generator});
}

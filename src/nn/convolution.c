/* Conv2d and ConvTranspose2d.
 *
 * A weight lies in memory as kernel height, width, then the channels that a product adds up, then those that it gives,
 * because then the kernels read it row by row; its shape is PyTorch's, a permuted view: (out, in/groups, height, width)
 * of a convolution, (in, out/groups, height, width) of a transposed one. Values are drawn and saved in the order of the
 * shape, so the layout shows nowhere. */
#include "layer.h"

#include <math.h>
#include <spusk/functional.h>

typedef struct conv_values {
    int64_t in, out, groups;
    sp__layer_pair kernel, stride, padding, dilation, output_padding; /* output_padding: of a transposed one */
    bool bias, same;
} conv_values;

typedef struct convolution {
    sp__layer layer;
    sp_tensor *weight, *bias; /* bias: SP_NONE for none */
} convolution;

enum { CONV2D, CONV_TRANSPOSE2D, N_TYPES };

static const sp__layer_type types[N_TYPES];

static bool is_transposed(const sp_module *self)
{
    return ((const sp__layer *)self)->type == &types[CONV_TRANSPOSE2D];
}

/* ---- forward ---- */

static sp_tensor *conv2d_forward(sp_module *self, sp_tensor *x)
{
    const convolution *c = (const convolution *)self;
    const conv_values *v = sp__layer_values(self);
    sp_conv2d_options o = {.size = sizeof o, .groups = v->groups, .same = v->same};
    sp__layer_pair_get(v->stride, o.stride_hw);
    sp__layer_pair_get(v->padding, o.padding_hw);
    sp__layer_pair_get(v->dilation, o.dilation_hw);
    return (sp_conv2d)(x, c->weight, c->bias, &o);
}

static sp_tensor *conv_transpose2d_forward(sp_module *self, sp_tensor *x)
{
    const convolution *c = (const convolution *)self;
    const conv_values *v = sp__layer_values(self);
    sp_conv_transpose2d_options o = {.size = sizeof o, .groups = v->groups};
    sp__layer_pair_get(v->stride, o.stride_hw);
    sp__layer_pair_get(v->padding, o.padding_hw);
    sp__layer_pair_get(v->output_padding, o.output_padding_hw);
    sp__layer_pair_get(v->dilation, o.dilation_hw);
    return (sp_conv_transpose2d)(x, c->weight, c->bias, &o);
}

/* ---- what can be wrong ---- */

static sp_status check_pair(const char *function, const char *name, sp__layer_pair pair, int64_t least)
{
    for (int d = 0; d < 2; d++)
        if (pair.v[d] < least || pair.v[d] > INT32_MAX)
            return sp_raise(SP_ERROR_ARGUMENT, "%s: %s must be %lld or more, got %lld", function, name,
                            (long long)least, (long long)pair.v[d]);
    return SP_OK;
}

static sp_status check_channels(const char *function, const char *name, long long n, long long groups)
{
    if (n < 1) return sp_raise(SP_ERROR_ARGUMENT, "%s: %s must be 1 or more, got %lld", function, name, n);
    if (n % groups == 0) return SP_OK;
    return sp_raise(SP_ERROR_ARGUMENT, "%s: %s (%lld) must be divisible by groups (%lld)", function, name, n, groups);
}

static sp_status check(const char *function, const conv_values *v)
{
    if (v->groups < 1)
        return sp_raise(SP_ERROR_ARGUMENT, "%s: groups must be 1 or more, got %lld", function, (long long)v->groups);
    if (check_channels(function, "in_channels", v->in, v->groups) ||
        check_channels(function, "out_channels", v->out, v->groups) ||
        check_pair(function, "kernel_size", v->kernel, 1) || check_pair(function, "stride", v->stride, 1) ||
        check_pair(function, "padding", v->padding, 0))
        return sp_error_status();
    return check_pair(function, "dilation", v->dilation, 1);
}

static sp_status conv2d_check(const void *values)
{
    const conv_values *v = values;
    if (check("sp_nn_conv2d", v)) return sp_error_status();
    if (!v->same) return SP_OK;
    if (v->stride.v[0] != 1 || v->stride.v[1] != 1)
        return sp_raise(SP_ERROR_ARGUMENT, "sp_nn_conv2d: .same keeps the size, which a stride does not");
    if (v->padding.v[0] == 0 && v->padding.v[1] == 0) return SP_OK;
    return sp_raise(SP_ERROR_ARGUMENT, "sp_nn_conv2d: .same and .padding are two paddings: give one");
}

static sp_status conv_transpose2d_check(const void *values)
{
    const conv_values *v = values;
    if (check("sp_nn_conv_transpose2d", v)) return sp_error_status();
    return check_pair("sp_nn_conv_transpose2d", "output_padding", v->output_padding, 0);
}

/* ---- PyTorch's text: pairs always as pairs, what is usual left out ---- */

static void put_pair(sp__text *t, const char *name, sp__layer_pair pair, int64_t usual)
{
    if (pair.v[0] != usual || pair.v[1] != usual)
        sp__put(t, ", %s=(%lld, %lld)", name, (long long)pair.v[0], (long long)pair.v[1]);
}

static size_t describe(const sp_module *module, char *buffer, size_t size)
{
    const conv_values *v = sp__layer_values(module);
    sp__text t = sp__text_in(buffer, size);
    sp__put(&t, "%lld, %lld", (long long)v->in, (long long)v->out);
    put_pair(&t, "kernel_size", v->kernel, 0);
    put_pair(&t, "stride", v->stride, 0);
    if (v->same)
        sp__put(&t, ", padding=same");
    else
        put_pair(&t, "padding", v->padding, 0);
    put_pair(&t, "dilation", v->dilation, 1);
    if (is_transposed(module)) put_pair(&t, "output_padding", v->output_padding, 0);
    if (v->groups != 1) sp__put(&t, ", groups=%lld", (long long)v->groups);
    if (!v->bias) sp__put(&t, ", bias=False");
    return t.length;
}

/* ---- making one ---- */

static sp_tensor *weight_memory(const conv_values *v, bool transposed, sp_dtype dtype)
{
    const int64_t height = v->kernel.v[0], width = v->kernel.v[1];
    if (transposed)
        return sp_permute(sp_empty(SP_DIMS(height, width, v->in, v->out / v->groups), .dtype = dtype), 2, 3, 0, 1);
    return sp_permute(sp_empty(SP_DIMS(height, width, v->in / v->groups, v->out), .dtype = dtype), 3, 2, 0, 1);
}

/* Both uniform in ±1/√(what one value adds up), the weight first, as PyTorch draws them. */
static sp_status fill(sp_module *self, const sp__layer_source *source)
{
    convolution *c = (convolution *)self;
    const conv_values *v = sp__layer_values(self);
    sp_tensor *weight = sp_detach(weight_memory(v, is_transposed(self), source->dtype));
    if (!weight) return sp_error_status();
    const double bound = 1 / sqrt((double)(sp_size(weight, 1) * sp_size(weight, 2) * sp_size(weight, 3)));
    c->bias = SP_NONE;
    c->weight = sp_module_add_parameter(self, "weight",
                                        sp_init_uniform_(weight, -bound, bound, .generator = source->generator));
    if (!c->weight) return sp_error_status();
    if (!v->bias) return SP_OK;
    sp_tensor *bias = sp_empty(SP_DIMS(v->out), .dtype = source->dtype);
    c->bias = sp_module_add_parameter(self, "bias",
                                      sp_init_uniform_(bias, -bound, bound, .generator = source->generator));
    return c->bias ? SP_OK : sp_error_status();
}

static int outline(const conv_values *v, int64_t first, int64_t second, sp_outline_tensor *tensors)
{
    const int n = sp__outline_add(tensors, 0, "weight", SP_DIMS(first, second, v->kernel.v[0], v->kernel.v[1]));
    return v->bias ? sp__outline_add(tensors, n, "bias", SP_DIMS(v->out)) : n;
}

static int conv2d_tensors(const void *values, sp_outline_tensor *tensors)
{
    const conv_values *v = values;
    return outline(v, v->out, v->in / v->groups, tensors);
}

static int conv_transpose2d_tensors(const void *values, sp_outline_tensor *tensors)
{
    const conv_values *v = values;
    return outline(v, v->in, v->out / v->groups, tensors);
}

/* ---- types ---- */

#define SHARED .bytes = sizeof(convolution), .values_size = sizeof(conv_values), .describe = describe, .fill = fill
#define OPTIONS                                                                                                        \
    SP__OPTION(conv_values, in, "in_channels", INT, NEEDED, 0),                                                        \
        SP__OPTION(conv_values, out, "out_channels", INT, NEEDED, 0),                                                  \
        SP__OPTION(conv_values, kernel, "kernel_size", PAIR, NEEDED, 0),                                               \
        SP__OPTION(conv_values, stride, "stride", PAIR, DEFAULTED, 1),                                                 \
        SP__OPTION(conv_values, padding, "padding", PAIR, DEFAULTED, 0),                                               \
        SP__OPTION(conv_values, dilation, "dilation", PAIR, DEFAULTED, 1),                                             \
        SP__OPTION(conv_values, groups, "groups", INT, DEFAULTED, 1),                                                  \
        SP__OPTION(conv_values, bias, "bias", BOOL, DEFAULTED, 1)

static const sp__layer_type types[N_TYPES] = {
    [CONV2D] = {.name = "Conv2d",
                .forward = conv2d_forward,
                .check = conv2d_check,
                .tensors = conv2d_tensors,
                SHARED,
                .options = {OPTIONS, SP__OPTION(conv_values, same, "same", BOOL, DEFAULTED, 0)}},
    [CONV_TRANSPOSE2D] = {.name = "ConvTranspose2d",
                          .forward = conv_transpose2d_forward,
                          .check = conv_transpose2d_check,
                          .tensors = conv_transpose2d_tensors,
                          SHARED,
                          .options = {OPTIONS,
                                      SP__OPTION(conv_values, output_padding, "output_padding", PAIR, DEFAULTED, 0)}},
};
const sp__layer_family sp__convolutions = SP__LAYER_FAMILY(types);

sp_module *(sp_nn_conv2d)(int64_t in_channels, int64_t out_channels, int64_t kernel_size,
                          const sp_nn_conv2d_options *options)
{
    sp_nn_conv2d_options o;
    sp_options_copy(&o, sizeof o, options);
    const conv_values values = {.in = in_channels,
                                .out = out_channels,
                                .groups = sp_option_int(o.groups, 1),
                                .kernel = sp__layer_pair_of(kernel_size, o.kernel_size_hw, 0),
                                .stride = sp__layer_pair_of(o.stride, o.stride_hw, 1),
                                .padding = sp__layer_pair_of(o.padding, o.padding_hw, 0),
                                .dilation = sp__layer_pair_of(o.dilation, o.dilation_hw, 1),
                                .bias = !o.no_bias,
                                .same = o.same};
    return sp__layer_new_from(&types[CONV2D], &values, &(const sp__layer_source){o.dtype, o.generator, NULL});
}

sp_module *(sp_nn_conv_transpose2d)(int64_t in_channels, int64_t out_channels, int64_t kernel_size,
                                    const sp_nn_conv_transpose2d_options *options)
{
    sp_nn_conv_transpose2d_options o;
    sp_options_copy(&o, sizeof o, options);
    const conv_values values = {.in = in_channels,
                                .out = out_channels,
                                .groups = sp_option_int(o.groups, 1),
                                .kernel = sp__layer_pair_of(kernel_size, o.kernel_size_hw, 0),
                                .stride = sp__layer_pair_of(o.stride, o.stride_hw, 1),
                                .padding = sp__layer_pair_of(o.padding, o.padding_hw, 0),
                                .dilation = sp__layer_pair_of(o.dilation, o.dilation_hw, 1),
                                .output_padding = sp__layer_pair_of(o.output_padding, o.output_padding_hw, 0),
                                .bias = !o.no_bias};
    return sp__layer_new_from(&types[CONV_TRANSPOSE2D], &values, &(const sp__layer_source){o.dtype, o.generator, NULL});
}

/* Pooling of images, and images in another size. */
#include "layer.h"

#include <math.h>

/* ---- MaxPool2d, AvgPool2d ---- */

typedef struct pool_values {
    sp__layer_pair kernel, stride, padding, dilation; /* dilation: of a max-pool */
    bool ceil_mode, exclude_pad;
    int64_t divisor_override;
} pool_values;

static sp_status check_side(const char *function, const pool_values *v, int d, int64_t dilation)
{
    const long long kernel = v->kernel.v[d], stride = v->stride.v[d], padding = v->padding.v[d];
    if (kernel < 1 || stride < 1 || dilation < 1)
        return sp_raise(SP_ERROR_ARGUMENT,
                        "%s: the kernel's size, stride and dilation must be 1 or more, got %lld, %lld, %lld", function,
                        kernel, stride, (long long)dilation);
    /* As a double, since the window may be larger than an integer. */
    const double half = floor(((double)(kernel - 1) * (double)dilation + 1) / 2);
    if (padding >= 0 && (double)padding <= half) return SP_OK;
    return sp_raise(SP_ERROR_ARGUMENT, "%s: padding must be between 0 and half the window (%.0f), got %lld", function,
                    half, padding);
}

static sp_status max_check(const void *values)
{
    const pool_values *v = values;
    for (int d = 0; d < 2; d++)
        if (check_side("sp_nn_max_pool2d", v, d, v->dilation.v[d])) return sp_error_status();
    return SP_OK;
}

static sp_status avg_check(const void *values)
{
    for (int d = 0; d < 2; d++)
        if (check_side("sp_nn_avg_pool2d", values, d, 1)) return sp_error_status();
    return SP_OK;
}

static sp_tensor *max_forward(sp_module *self, sp_tensor *x)
{
    const pool_values *v = sp__layer_values(self);
    sp_max_pool2d_options o = {.size = sizeof o, .ceil_mode = v->ceil_mode};
    sp__layer_pair_get(v->kernel, o.kernel_size_hw);
    sp__layer_pair_get(v->stride, o.stride_hw);
    sp__layer_pair_get(v->padding, o.padding_hw);
    sp__layer_pair_get(v->dilation, o.dilation_hw);
    return (sp_max_pool2d)(x, 0, &o);
}

static sp_tensor *avg_forward(sp_module *self, sp_tensor *x)
{
    const pool_values *v = sp__layer_values(self);
    sp_avg_pool2d_options o = {.size = sizeof o,
                               .ceil_mode = v->ceil_mode,
                               .exclude_pad = v->exclude_pad,
                               .divisor_override = v->divisor_override};
    sp__layer_pair_get(v->kernel, o.kernel_size_hw);
    sp__layer_pair_get(v->stride, o.stride_hw);
    sp__layer_pair_get(v->padding, o.padding_hw);
    return (sp_avg_pool2d)(x, 0, &o);
}

static void put_window(sp__text *t, const pool_values *v)
{
    sp__put(t, "kernel_size=");
    sp__put_pair(t, v->kernel);
    sp__put(t, ", stride=");
    sp__put_pair(t, v->stride);
    sp__put(t, ", padding=");
    sp__put_pair(t, v->padding);
}

static size_t max_describe(const sp_module *module, char *buffer, size_t size)
{
    const pool_values *v = sp__layer_values(module);
    sp__text t = sp__text_in(buffer, size);
    put_window(&t, v);
    sp__put(&t, ", dilation=");
    sp__put_pair(&t, v->dilation);
    sp__put(&t, ", ceil_mode=%s", v->ceil_mode ? "True" : "False");
    return t.length;
}

/* PyTorch says no more of it. */
static size_t avg_describe(const sp_module *module, char *buffer, size_t size)
{
    sp__text t = sp__text_in(buffer, size);
    put_window(&t, sp__layer_values(module));
    return t.length;
}

/* ---- AdaptiveAvgPool2d ---- */

typedef struct adaptive_values {
    sp__layer_pair output; /* -1: the input's */
} adaptive_values;

static sp_status adaptive_check(const void *values)
{
    const adaptive_values *v = values;
    for (int d = 0; d < 2; d++)
        if (v->output.v[d] < -1)
            return sp_raise(SP_ERROR_ARGUMENT, "sp_nn_adaptive_avg_pool2d: a size must be 0 or more, or -1, got %lld",
                            (long long)v->output.v[d]);
    return SP_OK;
}

static sp_tensor *adaptive_forward(sp_module *self, sp_tensor *x)
{
    sp_adaptive_avg_pool2d_options o = {.size = sizeof o};
    sp__layer_pair_get(((const adaptive_values *)sp__layer_values(self))->output, o.output_size_hw);
    return (sp_adaptive_avg_pool2d)(x, 0, &o);
}

static void put_size(sp__text *t, int64_t size)
{
    if (size < 0)
        sp__put(t, "None");
    else
        sp__put(t, "%lld", (long long)size);
}

static size_t adaptive_describe(const sp_module *module, char *buffer, size_t size)
{
    const sp__layer_pair output = ((const adaptive_values *)sp__layer_values(module))->output;
    sp__text t = sp__text_in(buffer, size);
    sp__put(&t, output.two ? "output_size=(" : "output_size=");
    put_size(&t, output.v[0]);
    if (output.two) {
        sp__put(&t, ", ");
        put_size(&t, output.v[1]);
        sp__put(&t, ")");
    }
    return t.length;
}

/* ---- Upsample: a size or a factor; the other is 0 ---- */

typedef struct upsample_values {
    sp__layer_pair size;
    double factor, factor_w; /* factor_w: 0 where one factor was given */
    bool bilinear, align_corners;
} upsample_values;

static sp_status upsample_check(const void *values)
{
    const upsample_values *v = values;
    const bool sized = v->size.v[0] != 0, scaled = v->factor != 0;
    if (sized == scaled)
        return sp_raise(SP_ERROR_ARGUMENT, "sp_nn_upsample: needs .output_size or .scale_factor%s",
                        sized ? ", not both" : "");
    if (sized ? v->size.v[0] < 1 || v->size.v[1] < 1 : !(v->factor > 0 && v->factor_w >= 0))
        return sp_raise(SP_ERROR_ARGUMENT, "sp_nn_upsample: sizes and factors must be positive");
    if (!v->align_corners || v->bilinear) return SP_OK;
    return sp_raise(SP_ERROR_ARGUMENT, "sp_nn_upsample: align_corners is for .mode = SP_BILINEAR");
}

static sp_tensor *upsample_forward(sp_module *self, sp_tensor *x)
{
    const upsample_values *v = sp__layer_values(self);
    sp_interpolate_options o = {
        .size = sizeof o, .mode = v->bilinear ? SP_BILINEAR : SP_NEAREST, .align_corners = v->align_corners};
    if (v->size.v[0] != 0) sp__layer_pair_get(v->size, o.output_size_hw);
    o.scale_factor_hw[0] = v->factor;
    o.scale_factor_hw[1] = v->factor_w != 0 ? v->factor_w : v->factor;
    return (sp_interpolate)(x, &o);
}

static void put_factor(sp__text *t, const upsample_values *v)
{
    sp__put(t, v->factor_w != 0 ? "scale_factor=(" : "scale_factor=");
    sp__put_number(t, v->factor);
    if (v->factor_w == 0) return;
    sp__put(t, ", ");
    sp__put_number(t, v->factor_w);
    sp__put(t, ")");
}

static size_t upsample_describe(const sp_module *module, char *buffer, size_t size)
{
    const upsample_values *v = sp__layer_values(module);
    sp__text t = sp__text_in(buffer, size);
    if (v->size.v[0] != 0) {
        sp__put(&t, "size=");
        sp__put_pair(&t, v->size);
    } else {
        put_factor(&t, v);
    }
    sp__put(&t, ", mode='%s'", v->bilinear ? "bilinear" : "nearest");
    return t.length;
}

/* ---- types ---- */

#define OPTION_WINDOW                                                                                                  \
    SP__OPTION(pool_values, kernel, "kernel_size", PAIR, NEEDED, 0),                                                   \
        SP__OPTION(pool_values, stride, "stride", PAIR, NEEDED, 0),                                                    \
        SP__OPTION(pool_values, padding, "padding", PAIR, DEFAULTED, 0)
#define OPTION_CEIL SP__OPTION(pool_values, ceil_mode, "ceil_mode", BOOL, DEFAULTED, 0)

enum { MAX_POOL, AVG_POOL, ADAPTIVE, UPSAMPLE, N_TYPES };
static const sp__layer_type types[N_TYPES] = {
    [MAX_POOL] = {.name = "MaxPool2d",
                  .values_size = sizeof(pool_values),
                  .forward = max_forward,
                  .check = max_check,
                  .describe = max_describe,
                  .options = {OPTION_WINDOW, SP__OPTION(pool_values, dilation, "dilation", PAIR, DEFAULTED, 1),
                              OPTION_CEIL}},
    [AVG_POOL] = {.name = "AvgPool2d",
                  .values_size = sizeof(pool_values),
                  .forward = avg_forward,
                  .check = avg_check,
                  .describe = avg_describe,
                  .options = {OPTION_WINDOW, OPTION_CEIL,
                              SP__OPTION(pool_values, exclude_pad, "exclude_pad", BOOL, DEFAULTED, 0),
                              SP__OPTION(pool_values, divisor_override, "divisor_override", INT, DEFAULTED, 0)}},
    [ADAPTIVE] = {.name = "AdaptiveAvgPool2d",
                  .values_size = sizeof(adaptive_values),
                  .forward = adaptive_forward,
                  .check = adaptive_check,
                  .describe = adaptive_describe,
                  .options = {SP__OPTION(adaptive_values, output, "output_size", PAIR, NEEDED, 0)}},
    [UPSAMPLE] = {.name = "Upsample",
                  .values_size = sizeof(upsample_values),
                  .forward = upsample_forward,
                  .check = upsample_check,
                  .describe = upsample_describe,
                  .options = {SP__OPTION(upsample_values, size, "size", PAIR, DEFAULTED, 0),
                              SP__OPTION(upsample_values, factor, "scale_factor", NUMBER, DEFAULTED, 0),
                              SP__OPTION(upsample_values, factor_w, "scale_factor_w", NUMBER, OMITTED, 0),
                              SP__OPTION(upsample_values, bilinear, "bilinear", BOOL, DEFAULTED, 0),
                              SP__OPTION(upsample_values, align_corners, "align_corners", BOOL, DEFAULTED, 0)}},
};
const sp__layer_family sp__poolings = SP__LAYER_FAMILY(types);

/* ---- the public constructors ---- */

/* The stride is the kernel's size when it is not given. */
static sp__layer_pair stride_of(sp__layer_pair kernel, int64_t stride, const int64_t stride_hw[2])
{
    const bool given = stride || stride_hw[0] || stride_hw[1];
    return given ? sp__layer_pair_of(stride, stride_hw, 0) : kernel;
}

sp_module *(sp_nn_max_pool2d)(int64_t kernel_size, const sp_max_pool2d_options *options)
{
    sp_max_pool2d_options o;
    sp_options_copy(&o, sizeof o, options);
    pool_values values = {.kernel = sp__layer_pair_of(kernel_size, o.kernel_size_hw, 0),
                          .padding = sp__layer_pair_of(o.padding, o.padding_hw, 0),
                          .dilation = sp__layer_pair_of(o.dilation, o.dilation_hw, 1),
                          .ceil_mode = o.ceil_mode};
    values.stride = stride_of(values.kernel, o.stride, o.stride_hw);
    return sp__layer_new(&types[MAX_POOL], &values);
}

sp_module *(sp_nn_avg_pool2d)(int64_t kernel_size, const sp_avg_pool2d_options *options)
{
    sp_avg_pool2d_options o;
    sp_options_copy(&o, sizeof o, options);
    pool_values values = {.kernel = sp__layer_pair_of(kernel_size, o.kernel_size_hw, 0),
                          .padding = sp__layer_pair_of(o.padding, o.padding_hw, 0),
                          .ceil_mode = o.ceil_mode,
                          .exclude_pad = o.exclude_pad,
                          .divisor_override = o.divisor_override};
    values.stride = stride_of(values.kernel, o.stride, o.stride_hw);
    if (o.divisor_override != SP_ZERO) return sp__layer_new(&types[AVG_POOL], &values);
    sp_raise(SP_ERROR_ARGUMENT, "sp_nn_avg_pool2d: divisor_override must not be 0");
    return NULL;
}

sp_module *(sp_nn_adaptive_avg_pool2d)(int64_t output_size, const sp_adaptive_avg_pool2d_options *options)
{
    sp_adaptive_avg_pool2d_options o;
    sp_options_copy(&o, sizeof o, options);
    const adaptive_values values = {sp__layer_pair_of(output_size, o.output_size_hw, 0)};
    return sp__layer_new(&types[ADAPTIVE], &values);
}

sp_module *(sp_nn_upsample)(const sp_interpolate_options *options)
{
    sp_interpolate_options o;
    sp_options_copy(&o, sizeof o, options);
    const bool two = o.scale_factor_hw[0] != 0 || o.scale_factor_hw[1] != 0;
    const upsample_values values = {.size = sp__layer_pair_of(o.output_size, o.output_size_hw, 0),
                                    .factor = two ? o.scale_factor_hw[0]
                                                  : o.scale_factor, /* SP_ZERO is refused, as it stands */
                                    .factor_w = two ? o.scale_factor_hw[1] : 0,
                                    .bilinear = o.mode == SP_BILINEAR,
                                    .align_corners = o.align_corners};
    return sp__layer_new(&types[UPSAMPLE], &values);
}

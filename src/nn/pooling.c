/* Pooling of images, and images in another size. */
#include "layer.h"

#include <math.h>

/* ---- MaxPool2d, AvgPool2d: kernel_size, stride, padding are pairs ---- */

enum { KERNEL = 0, STRIDE = 2, PADDING = 4, DILATION = 6, MAX_CEIL = 8 };
enum { AVG_CEIL = 6, EXCLUDE_PAD, DIVISOR };

static sp_status check_side(const char *function, double kernel, double stride, double padding, double dilation)
{
    if (!(kernel >= 1) || !(stride >= 1) || !(dilation >= 1))
        return sp_raise(SP_ERROR_ARGUMENT,
                        "%s: the kernel's size, stride and dilation must be 1 or more, got %.0f, "
                        "%.0f, %.0f",
                        function, kernel, stride, dilation);
    const double half = floor(((kernel - 1) * dilation + 1) / 2);
    if (padding >= 0 && padding <= half) return SP_OK;
    return sp_raise(SP_ERROR_ARGUMENT, "%s: padding must be between 0 and half the window (%.0f), got %.0f", function,
                    half, padding);
}

static double side(const double *numbers, int i, int d)
{
    return d && numbers[i + 1] != SP__ONE_NUMBER ? numbers[i + 1] : numbers[i];
}

static sp_status max_check(const double *n)
{
    for (int d = 0; d < 2; d++)
        if (check_side("sp_nn_max_pool2d", side(n, KERNEL, d), side(n, STRIDE, d), side(n, PADDING, d),
                       side(n, DILATION, d)))
            return sp_error_status();
    return SP_OK;
}

static sp_status avg_check(const double *n)
{
    for (int d = 0; d < 2; d++)
        if (check_side("sp_nn_avg_pool2d", side(n, KERNEL, d), side(n, STRIDE, d), side(n, PADDING, d), 1))
            return sp_error_status();
    return SP_OK;
}

static sp_tensor *max_forward(sp_module *self, sp_tensor *x)
{
    const double *numbers = sp__layer_numbers(self);
    sp_max_pool2d_options o = {.size = sizeof o, .ceil_mode = numbers[MAX_CEIL] != 0};
    sp__pair_get(numbers, KERNEL, o.kernel_size_hw);
    sp__pair_get(numbers, STRIDE, o.stride_hw);
    sp__pair_get(numbers, PADDING, o.padding_hw);
    sp__pair_get(numbers, DILATION, o.dilation_hw);
    return (sp_max_pool2d)(x, 0, &o);
}

static sp_tensor *avg_forward(sp_module *self, sp_tensor *x)
{
    const double *numbers = sp__layer_numbers(self);
    sp_avg_pool2d_options o = {.size = sizeof o,
                               .ceil_mode = numbers[AVG_CEIL] != 0,
                               .exclude_pad = numbers[EXCLUDE_PAD] != 0,
                               .divisor_override = (int64_t)numbers[DIVISOR]};
    sp__pair_get(numbers, KERNEL, o.kernel_size_hw);
    sp__pair_get(numbers, STRIDE, o.stride_hw);
    sp__pair_get(numbers, PADDING, o.padding_hw);
    return (sp_avg_pool2d)(x, 0, &o);
}

static void put_window(sp__text *t, const double *numbers)
{
    sp__put(t, "kernel_size=");
    sp__put_pair(t, numbers, KERNEL);
    sp__put(t, ", stride=");
    sp__put_pair(t, numbers, STRIDE);
    sp__put(t, ", padding=");
    sp__put_pair(t, numbers, PADDING);
}

static size_t max_describe(const sp_module *module, char *buffer, size_t size)
{
    const double *numbers = sp__layer_numbers(module);
    sp__text t = sp__text_in(buffer, size);
    put_window(&t, numbers);
    sp__put(&t, ", dilation=");
    sp__put_pair(&t, numbers, DILATION);
    sp__put(&t, ", ceil_mode=%s", numbers[MAX_CEIL] != 0 ? "True" : "False");
    return t.length;
}

/* PyTorch says no more of it. */
static size_t avg_describe(const sp_module *module, char *buffer, size_t size)
{
    sp__text t = sp__text_in(buffer, size);
    put_window(&t, sp__layer_numbers(module));
    return t.length;
}

/* ---- AdaptiveAvgPool2d ---- */

static sp_status adaptive_check(const double *n)
{
    for (int d = 0; d < 2; d++)
        if (!(side(n, 0, d) >= -1))
            return sp_raise(SP_ERROR_ARGUMENT, "sp_nn_adaptive_avg_pool2d: a size must be 0 or more, or -1, got %.0f",
                            side(n, 0, d));
    return SP_OK;
}

static sp_tensor *adaptive_forward(sp_module *self, sp_tensor *x)
{
    sp_adaptive_avg_pool2d_options o = {.size = sizeof o};
    sp__pair_get(sp__layer_numbers(self), 0, o.output_size_hw);
    return (sp_adaptive_avg_pool2d)(x, 0, &o);
}

static void put_size(sp__text *t, double size)
{
    if (size < 0)
        sp__put(t, "None");
    else
        sp__put(t, "%.0f", size);
}

static size_t adaptive_describe(const sp_module *module, char *buffer, size_t size)
{
    const double *numbers = sp__layer_numbers(module);
    sp__text t = sp__text_in(buffer, size);
    sp__put(&t, "output_size=");
    if (numbers[1] == SP__ONE_NUMBER) {
        put_size(&t, numbers[0]);
        return t.length;
    }
    sp__put(&t, "(");
    put_size(&t, numbers[0]);
    sp__put(&t, ", ");
    put_size(&t, numbers[1]);
    sp__put(&t, ")");
    return t.length;
}

/* ---- Upsample: a size or a factor; the other is 0 ---- */

enum { SIZE = 0, FACTOR = 2, FACTOR_W, BILINEAR, ALIGN };

static sp_status upsample_check(const double *n)
{
    const bool sized = n[SIZE] != 0, scaled = n[FACTOR] != 0;
    if (sized == scaled)
        return sp_raise(SP_ERROR_ARGUMENT, "sp_nn_upsample: needs .output_size or .scale_factor%s",
                        sized ? ", not both" : "");
    if (sized ? !(side(n, SIZE, 0) >= 1 && side(n, SIZE, 1) >= 1) : !(n[FACTOR] > 0 && n[FACTOR_W] >= 0))
        return sp_raise(SP_ERROR_ARGUMENT, "sp_nn_upsample: sizes and factors must be positive");
    if (n[ALIGN] == 0 || n[BILINEAR] != 0) return SP_OK;
    return sp_raise(SP_ERROR_ARGUMENT, "sp_nn_upsample: align_corners is for .mode = SP_BILINEAR");
}

static sp_tensor *upsample_forward(sp_module *self, sp_tensor *x)
{
    const double *n = sp__layer_numbers(self);
    sp_interpolate_options o = {
        .size = sizeof o, .mode = n[BILINEAR] != 0 ? SP_BILINEAR : SP_NEAREST, .align_corners = n[ALIGN] != 0};
    if (n[SIZE] != 0) sp__pair_get(n, SIZE, o.output_size_hw);
    o.scale_factor_hw[0] = n[FACTOR];
    o.scale_factor_hw[1] = n[FACTOR_W] != 0 ? n[FACTOR_W] : n[FACTOR];
    return (sp_interpolate)(x, &o);
}

static size_t upsample_describe(const sp_module *module, char *buffer, size_t size)
{
    const double *n = sp__layer_numbers(module);
    sp__text t = sp__text_in(buffer, size);
    sp__put(&t, n[SIZE] != 0 ? "size=" : "scale_factor=%s", n[FACTOR_W] != 0 ? "(" : "");
    if (n[SIZE] != 0) {
        sp__put_pair(&t, n, SIZE);
    } else {
        sp__put_number(&t, n[FACTOR]);
        if (n[FACTOR_W] != 0) {
            sp__put(&t, ", ");
            sp__put_number(&t, n[FACTOR_W]);
            sp__put(&t, ")");
        }
    }
    sp__put(&t, ", mode='%s'", n[BILINEAR] != 0 ? "bilinear" : "nearest");
    return t.length;
}

/* ---- types ---- */

enum { MAX_POOL, AVG_POOL, ADAPTIVE, UPSAMPLE, N_TYPES };
static const sp__layer_type types[N_TYPES] = {
    [MAX_POOL] = {.name = "MaxPool2d",
                  .forward = max_forward,
                  .check = max_check,
                  .describe = max_describe,
                  .options = {SP__PAIR_OPTION("kernel_size", SP__OPTION_NEEDED, 0),
                              SP__PAIR_OPTION("stride", SP__OPTION_NEEDED, 0),
                              SP__PAIR_OPTION("padding", SP__OPTION_DEFAULTED, 0),
                              SP__PAIR_OPTION("dilation", SP__OPTION_DEFAULTED, 1),
                              [MAX_CEIL] = {"ceil_mode", SP_ATTRIBUTE_BOOL, SP__OPTION_DEFAULTED, 0}}},
    [AVG_POOL] = {.name = "AvgPool2d",
                  .forward = avg_forward,
                  .check = avg_check,
                  .describe = avg_describe,
                  .options = {SP__PAIR_OPTION("kernel_size", SP__OPTION_NEEDED, 0),
                              SP__PAIR_OPTION("stride", SP__OPTION_NEEDED, 0),
                              SP__PAIR_OPTION("padding", SP__OPTION_DEFAULTED, 0),
                              [AVG_CEIL] = {"ceil_mode", SP_ATTRIBUTE_BOOL, SP__OPTION_DEFAULTED, 0},
                              [EXCLUDE_PAD] = {"exclude_pad", SP_ATTRIBUTE_BOOL, SP__OPTION_DEFAULTED, 0},
                              [DIVISOR] = {"divisor_override", SP_ATTRIBUTE_INT, SP__OPTION_DEFAULTED, 0}}},
    [ADAPTIVE] = {.name = "AdaptiveAvgPool2d",
                  .forward = adaptive_forward,
                  .check = adaptive_check,
                  .describe = adaptive_describe,
                  .options = {SP__PAIR_OPTION("output_size", SP__OPTION_NEEDED, 0)}},
    [UPSAMPLE] = {.name = "Upsample",
                  .forward = upsample_forward,
                  .check = upsample_check,
                  .describe = upsample_describe,
                  .options = {SP__PAIR_OPTION("size", SP__OPTION_DEFAULTED, 0),
                              [FACTOR] = {"scale_factor", SP_ATTRIBUTE_NUMBER, SP__OPTION_DEFAULTED, 0},
                              [FACTOR_W] = {"scale_factor_w", SP_ATTRIBUTE_NUMBER, SP__OPTION_OMITTED, 0},
                              [BILINEAR] = {"bilinear", SP_ATTRIBUTE_BOOL, SP__OPTION_DEFAULTED, 0},
                              [ALIGN] = {"align_corners", SP_ATTRIBUTE_BOOL, SP__OPTION_DEFAULTED, 0}}},
};

const sp__layer_type *sp__find_pooling(const char *name)
{
    for (int i = 0; i < N_TYPES; i++)
        if (strcmp(types[i].name, name) == 0) return &types[i];
    return NULL;
}

/* ---- the public constructors ---- */

/* kernel_size, and stride, which is the kernel's size when it is not given. */
static void set_window(double *numbers, int64_t kernel, const int64_t kernel_hw[2], int64_t stride,
                       const int64_t stride_hw[2])
{
    sp__pair_set(numbers, KERNEL, kernel, kernel_hw, 0);
    const bool given = stride || stride_hw[0] || stride_hw[1];
    if (given)
        sp__pair_set(numbers, STRIDE, stride, stride_hw, 0);
    else
        for (int i = 0; i < 2; i++) numbers[STRIDE + i] = numbers[KERNEL + i];
}

sp_module *(sp_nn_max_pool2d)(int64_t kernel_size, const sp_max_pool2d_options *options)
{
    sp_max_pool2d_options o;
    double numbers[SP__LAYER_OPTIONS] = {0};
    sp_options_copy(&o, sizeof o, options);
    set_window(numbers, kernel_size, o.kernel_size_hw, o.stride, o.stride_hw);
    sp__pair_set(numbers, PADDING, o.padding, o.padding_hw, 0);
    sp__pair_set(numbers, DILATION, o.dilation, o.dilation_hw, 1);
    numbers[MAX_CEIL] = o.ceil_mode;
    return sp__layer_new(&types[MAX_POOL], numbers);
}

sp_module *(sp_nn_avg_pool2d)(int64_t kernel_size, const sp_avg_pool2d_options *options)
{
    sp_avg_pool2d_options o;
    double numbers[SP__LAYER_OPTIONS] = {0};
    sp_options_copy(&o, sizeof o, options);
    set_window(numbers, kernel_size, o.kernel_size_hw, o.stride, o.stride_hw);
    sp__pair_set(numbers, PADDING, o.padding, o.padding_hw, 0);
    numbers[AVG_CEIL] = o.ceil_mode;
    numbers[EXCLUDE_PAD] = o.exclude_pad;
    numbers[DIVISOR] = (double)o.divisor_override;
    if (o.divisor_override == SP_ZERO) {
        sp_raise(SP_ERROR_ARGUMENT, "sp_nn_avg_pool2d: divisor_override must not be 0");
        return NULL;
    }
    return sp__layer_new(&types[AVG_POOL], numbers);
}

sp_module *(sp_nn_adaptive_avg_pool2d)(int64_t output_size, const sp_adaptive_avg_pool2d_options *options)
{
    sp_adaptive_avg_pool2d_options o;
    double numbers[SP__LAYER_OPTIONS] = {0};
    sp_options_copy(&o, sizeof o, options);
    sp__pair_set(numbers, 0, output_size, o.output_size_hw, 0);
    return sp__layer_new(&types[ADAPTIVE], numbers);
}

sp_module *(sp_nn_upsample)(const sp_interpolate_options *options)
{
    sp_interpolate_options o;
    double numbers[SP__LAYER_OPTIONS] = {0};
    sp_options_copy(&o, sizeof o, options);
    sp__pair_set(numbers, SIZE, o.output_size, o.output_size_hw, 0);
    const bool two = o.scale_factor_hw[0] != 0 || o.scale_factor_hw[1] != 0;
    numbers[FACTOR] = two ? o.scale_factor_hw[0] : o.scale_factor; /* SP_ZERO is refused, as it stands */
    numbers[FACTOR_W] = two ? o.scale_factor_hw[1] : 0;
    numbers[BILINEAR] = o.mode == SP_BILINEAR;
    numbers[ALIGN] = o.align_corners;
    return sp__layer_new(&types[UPSAMPLE], numbers);
}

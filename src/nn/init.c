/* Initialisation in place. Random values are drawn in the order of the tensor's shape, whatever its layout in memory.
 */
#include <spusk/extend.h>
#include <spusk/nn.h>
#include <spusk/pointwise.h>
#include <spusk/random.h>

#include <math.h>

/* x = shift + scale·values, for fresh uniform or normal values. */
static sp_tensor *fill_random(sp_tensor *x, bool normal, double scale, double shift, sp_generator *generator)
{
    sp_tensor *done = NULL;
    SP_NO_GRAD {
        sp_tensor_options like = {.size = sizeof like, .dtype = sp_dtype_of(x), .generator = generator};
        sp_tensor *values = normal ? (sp_randn)(sp_sizes(x), &like) : (sp_rand)(sp_sizes(x), &like);
        done = sp_copy_(x, sp_add_scalar_(sp_mul_scalar_(values, scale), shift));
    }
    return done;
}

static sp_status check(const sp_tensor *x, const char *function)
{
    if (!x) return sp_raise_null(function, "x");
    if (x == SP_NONE) return sp_raise(SP_ERROR_ARGUMENT, "%s: x is SP_NONE", function);
    if (sp_dtype_is_floating_point(sp_dtype_of(x))) return SP_OK;
    return sp_raise(SP_ERROR_DTYPE, "%s: x is %s; only floating tensors can be filled so", function,
                    sp_dtype_name(sp_dtype_of(x)));
}

sp_tensor *(sp_init_uniform_)(sp_tensor *x, double low, double high, const sp_init_options *options)
{
    sp_init_options o;
    sp_options_copy(&o, sizeof o, options);
    if (check(x, "sp_init_uniform_") != SP_OK) return NULL;
    if (low <= high) return fill_random(x, false, high - low, low, o.generator);
    sp_raise(SP_ERROR_ARGUMENT, "sp_init_uniform_: low must not be above high, got %g and %g", low, high);
    return NULL;
}

sp_tensor *(sp_init_normal_)(sp_tensor *x, double mean, double std, const sp_init_options *options)
{
    sp_init_options o;
    sp_options_copy(&o, sizeof o, options);
    if (check(x, "sp_init_normal_") != SP_OK) return NULL;
    if (std >= 0) return fill_random(x, true, std, mean, o.generator);
    sp_raise(SP_ERROR_ARGUMENT, "sp_init_normal_: std must not be negative, got %g", std);
    return NULL;
}

sp_tensor *sp_init_constant_(sp_tensor *x, double value)
{
    if (!x) return sp_raise_null("sp_init_constant_", "x"), NULL;
    sp_tensor *done = NULL;
    SP_NO_GRAD {
        done = sp_fill_(x, value);
    }
    return done;
}

sp_tensor *sp_init_zeros_(sp_tensor *x)
{
    return sp_init_constant_(x, 0);
}

sp_tensor *sp_init_ones_(sp_tensor *x)
{
    return sp_init_constant_(x, 1);
}

/* ---- by the number of connections ---- */

typedef struct fans {
    double in, out;
} fans;

/* The numbers of connections into and out of one unit. For a weight of a convolution (out, in, …) they are multiplied
 * by the size of its window. */
static sp_status fans_of(const sp_tensor *x, const char *function, fans *f)
{
    sp_status status = check(x, function);
    if (status != SP_OK) return status;
    sp_dims sizes = sp_sizes(x);
    if (sizes.n < 2)
        return sp_raise(SP_ERROR_SHAPE, "%s: fan in and fan out need a tensor of 2 or more dimensions, got %d",
                        function, sizes.n);
    double window = 1;
    for (int i = 2; i < sizes.n; i++) window *= (double)sizes.data[i];
    *f = (fans){(double)sizes.data[1] * window, (double)sizes.data[0] * window};
    return SP_OK;
}

static sp_tensor *xavier(sp_tensor *x, bool normal, const sp_init_options *options, const char *function)
{
    fans f;
    sp_init_options o;
    sp_options_copy(&o, sizeof o, options);
    if (fans_of(x, function, &f) != SP_OK) return NULL;
    double std = sp_option(o.gain, 1) * sqrt(2 / fmax(f.in + f.out, 1));
    if (normal) return fill_random(x, true, std, 0, o.generator);
    double bound = sqrt(3) * std;
    return fill_random(x, false, 2 * bound, -bound, o.generator);
}

sp_tensor *(sp_init_xavier_uniform_)(sp_tensor *x, const sp_init_options *options)
{
    return xavier(x, false, options, "sp_init_xavier_uniform_");
}

sp_tensor *(sp_init_xavier_normal_)(sp_tensor *x, const sp_init_options *options)
{
    return xavier(x, true, options, "sp_init_xavier_normal_");
}

/* torch.nn.init.calculate_gain; NaN for what is no nonlinearity. */
static double gain_of(sp_nonlinearity nonlinearity, double a)
{
    switch (nonlinearity) {
    case SP_NONLINEARITY_LEAKY_RELU: return sqrt(2 / (1 + a * a));
    case SP_NONLINEARITY_RELU: return sqrt(2);
    case SP_NONLINEARITY_LINEAR:
    case SP_NONLINEARITY_SIGMOID: return 1;
    case SP_NONLINEARITY_TANH: return 5.0 / 3;
    }
    return NAN;
}

static sp_tensor *kaiming(sp_tensor *x, bool normal, const sp_init_options *options, const char *function)
{
    fans f;
    sp_init_options o;
    sp_options_copy(&o, sizeof o, options);
    if (fans_of(x, function, &f) != SP_OK) return NULL;
    double gain = gain_of(o.nonlinearity, sp_option(o.a, 0));
    if (isnan(gain) || (o.mode != SP_FAN_IN && o.mode != SP_FAN_OUT)) {
        sp_raise(SP_ERROR_ARGUMENT, "%s: mode %d or nonlinearity %d is unknown", function, (int)o.mode,
                 (int)o.nonlinearity);
        return NULL;
    }
    double std = gain / sqrt(fmax(o.mode == SP_FAN_IN ? f.in : f.out, 1));
    if (normal) return fill_random(x, true, std, 0, o.generator);
    double bound = sqrt(3) * std;
    return fill_random(x, false, 2 * bound, -bound, o.generator);
}

sp_tensor *(sp_init_kaiming_uniform_)(sp_tensor *x, const sp_init_options *options)
{
    return kaiming(x, false, options, "sp_init_kaiming_uniform_");
}

sp_tensor *(sp_init_kaiming_normal_)(sp_tensor *x, const sp_init_options *options)
{
    return kaiming(x, true, options, "sp_init_kaiming_normal_");
}

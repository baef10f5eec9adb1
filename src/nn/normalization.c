/* BatchNorm1d, BatchNorm2d and LayerNorm. */
#include "layer.h"
#include <spusk/pointwise.h>

typedef struct norm {
    sp__layer layer;
    sp_tensor *weight, *bias;            /* SP_NONE for none */
    sp_tensor *mean, *var, *num_batches; /* the running statistics; SP_NONE for none */
} norm;

/* A new member, of ones or zeros; SP_NONE where it is not wanted. */
static sp_tensor *filled(sp_dims dims, double value, sp_dtype dtype, bool wanted)
{
    return wanted ? (sp_full)(dims, value, &(sp_tensor_options){.size = sizeof(sp_tensor_options), .dtype = dtype})
                  : SP_NONE;
}

static sp_status add_parameters(norm *n, sp_dims dims, bool affine, bool bias, sp_dtype dtype)
{
    sp_module *self = &n->layer.base;
    const sp_dtype type = dtype ? dtype : SP_F32;
    n->weight = sp_module_add_parameter(self, "weight", filled(dims, 1, type, affine));
    n->bias = sp_module_add_parameter(self, "bias", filled(dims, 0, type, affine && bias));
    return n->weight && n->bias ? SP_OK : sp_error_status();
}

/* ---- batch norm ---- */

enum { FEATURES, EPS, MOMENTUM, CUMULATIVE, AFFINE, BATCH_BIAS, TRACK };

static sp_status check_input(const sp_module *self, sp_tensor *x)
{
    const bool images = strcmp(sp_module_name(self), "BatchNorm2d") == 0;
    const int n = sp_ndim(x);
    if (!x) return sp_raise_null("sp_nn_batch_norm", "x");
    if (images ? n == 4 : n == 2 || n == 3) return SP_OK;
    return sp_raise(SP_ERROR_SHAPE, "%s: expects %s, got a tensor of %d dimensions", sp_module_name(self),
                    images ? "(N, C, H, W)" : "(N, C) or (N, C, L)", n);
}

/* Of this batch: a momentum, or its share in the mean of all. */
static double momentum_of(const norm *n)
{
    const double *numbers = n->layer.numbers;
    if (numbers[CUMULATIVE] == 0) return numbers[MOMENTUM];
    return 1 / (sp_item(n->num_batches) + 1);
}

static sp_tensor *batch_forward(sp_module *self, sp_tensor *x)
{
    norm *n = (norm *)self;
    const bool tracks = n->mean != SP_NONE, training = sp_is_training(self);
    if (check_input(self, x)) return NULL;
    sp_tensor *y = sp_batch_norm(x, n->mean, n->var, n->weight, n->bias, .training = training || !tracks,
                                 .momentum = sp_exactly(tracks ? momentum_of(n) : 0),
                                 .eps = sp_exactly(n->layer.numbers[EPS]));
    if (!y || !tracks || !training) return y;
    sp_status status = SP_OK;
    SP_NO_GRAD {
        if (!sp_add_(n->num_batches, sp_full_i64(SP_DIMS(), 1))) status = sp_error_status();
    }
    return status ? NULL : y;
}

static sp_status batch_check(const double *n)
{
    if (!(n[FEATURES] >= 0))
        return sp_raise(SP_ERROR_ARGUMENT, "sp_nn_batch_norm: num_features must not be negative, got %.0f",
                        n[FEATURES]);
    if (n[EPS] >= 0 && isfinite(n[EPS]) && n[MOMENTUM] >= 0 && n[MOMENTUM] <= 1) return SP_OK;
    return sp_raise(SP_ERROR_ARGUMENT,
                    "sp_nn_batch_norm: eps must be finite and 0 or more, and momentum between 0 and 1, got %g, %g",
                    n[EPS], n[MOMENTUM]);
}

static const char *truth(double x)
{
    return x != 0 ? "True" : "False";
}

static size_t batch_describe(const sp_module *module, char *buffer, size_t size)
{
    const double *n = sp__layer_numbers(module);
    sp__text t = sp__text_in(buffer, size);
    sp__put(&t, "%.0f, eps=", n[FEATURES]);
    sp__put_number(&t, n[EPS]);
    sp__put(&t, ", momentum=");
    if (n[CUMULATIVE] != 0)
        sp__put(&t, "None");
    else
        sp__put_number(&t, n[MOMENTUM]);
    sp__put(&t, ", affine=%s, bias=%s, track_running_stats=%s", truth(n[AFFINE]), truth(n[AFFINE] * n[BATCH_BIAS]),
            truth(n[TRACK]));
    return t.length;
}

static sp_status add_statistics(norm *n, sp_dims dims, bool track, sp_dtype dtype)
{
    sp_module *self = &n->layer.base;
    const sp_dtype type = dtype ? dtype : SP_F32;
    n->mean = n->var = n->num_batches = SP_NONE;
    if (!track) return SP_OK;
    n->mean = sp_module_add_buffer(self, "running_mean", filled(dims, 0, type, true));
    n->var = sp_module_add_buffer(self, "running_var", filled(dims, 1, type, true));
    n->num_batches = sp_module_add_buffer(self, "num_batches_tracked", sp_full_i64(SP_DIMS(), 0));
    return n->mean && n->var && n->num_batches ? SP_OK : sp_error_status();
}

static int outline(sp_outline_tensor *tensors, sp_dims dims, bool affine, bool bias)
{
    const int n = affine ? sp__outline_add(tensors, 0, "weight", dims) : 0;
    return affine && bias ? sp__outline_add(tensors, n, "bias", dims) : n;
}

static int batch_tensors(const double *numbers, sp_outline_tensor *tensors)
{
    const sp_dims dims = SP_DIMS((int64_t)numbers[FEATURES]);
    int n = outline(tensors, dims, numbers[AFFINE] != 0, numbers[BATCH_BIAS] != 0);
    if (numbers[TRACK] == 0) return n;
    n = sp__outline_add(tensors, n, "running_mean", dims);
    n = sp__outline_add(tensors, n, "running_var", dims);
    tensors[n] = (sp_outline_tensor){.name = "num_batches_tracked", .whole = true};
    return n + 1;
}

static sp_module *batch_make(const sp__layer_type *type, const double *numbers, sp_dtype dtype)
{
    sp_module *self = sp__layer_new_sized(type, sizeof(norm), numbers);
    if (!self) return NULL;
    const sp_dims dims = SP_DIMS((int64_t)numbers[FEATURES]);
    sp_status status = add_parameters((norm *)self, dims, numbers[AFFINE] != 0, numbers[BATCH_BIAS] != 0, dtype);
    if (!status) status = add_statistics((norm *)self, dims, numbers[TRACK] != 0, dtype);
    if (!status) return self;
    sp_release(self);
    return NULL;
}

static sp_module *batch_build(const sp__layer_type *type, const double *numbers)
{
    return batch_make(type, numbers, SP_F32);
}

/* ---- layer norm: the sizes stand behind the other options, ABSENT behind the last ---- */

enum { LAYER_EPS, LAYER_AFFINE, LAYER_BIAS, SIZES, ABSENT = -2 };

static int read_sizes(const double *numbers, int64_t *sizes)
{
    int n = 0;
    for (; n < SP_MAX_DIMS && numbers[SIZES + n] != ABSENT; n++) sizes[n] = (int64_t)numbers[SIZES + n];
    return n;
}

static sp_tensor *layer_forward(sp_module *self, sp_tensor *x)
{
    const norm *n = (const norm *)self;
    int64_t sizes[SP_MAX_DIMS];
    const sp_dims dims = {sizes, read_sizes(n->layer.numbers, sizes)};
    return sp_layer_norm(x, dims, n->weight, n->bias, .eps = sp_exactly(n->layer.numbers[LAYER_EPS]));
}

static sp_status layer_check(const double *n)
{
    int64_t sizes[SP_MAX_DIMS];
    const int count = read_sizes(n, sizes);
    if (count == 0) return sp_raise(SP_ERROR_ARGUMENT, "sp_nn_layer_norm: normalized_shape has no sizes");
    for (int i = 0; i < count; i++)
        if (sizes[i] < 0)
            return sp_raise(SP_ERROR_ARGUMENT, "sp_nn_layer_norm: a size must not be negative, got %lld",
                            (long long)sizes[i]);
    if (n[LAYER_EPS] >= 0) return SP_OK;
    return sp_raise(SP_ERROR_ARGUMENT, "sp_nn_layer_norm: eps must be 0 or more, got %g", n[LAYER_EPS]);
}

static size_t layer_describe(const sp_module *module, char *buffer, size_t size)
{
    const double *n = sp__layer_numbers(module);
    int64_t sizes[SP_MAX_DIMS];
    const int count = read_sizes(n, sizes);
    sp__text t = sp__text_in(buffer, size);
    for (int i = 0; i < count; i++) sp__put(&t, "%s%lld", i ? ", " : "(", (long long)sizes[i]);
    sp__put(&t, "%s), eps=", count == 1 ? "," : "");
    sp__put_number(&t, n[LAYER_EPS]);
    sp__put(&t, ", elementwise_affine=%s, bias=%s", truth(n[LAYER_AFFINE]), truth(n[LAYER_AFFINE] * n[LAYER_BIAS]));
    return t.length;
}

static int layer_tensors(const double *numbers, sp_outline_tensor *tensors)
{
    int64_t sizes[SP_MAX_DIMS];
    const sp_dims dims = {sizes, read_sizes(numbers, sizes)};
    return outline(tensors, dims, numbers[LAYER_AFFINE] != 0, numbers[LAYER_BIAS] != 0);
}

static sp_module *layer_make(const sp__layer_type *type, const double *numbers, sp_dtype dtype)
{
    int64_t sizes[SP_MAX_DIMS];
    sp_module *self = sp__layer_new_sized(type, sizeof(norm), numbers);
    if (!self) return NULL;
    const sp_dims dims = {sizes, read_sizes(numbers, sizes)};
    if (!add_parameters((norm *)self, dims, numbers[LAYER_AFFINE] != 0, numbers[LAYER_BIAS] != 0, dtype)) return self;
    sp_release(self);
    return NULL;
}

static sp_module *layer_build(const sp__layer_type *type, const double *numbers)
{
    return layer_make(type, numbers, SP_F32);
}

/* ---- types ---- */

#define BATCH(type_name)                                                                                               \
    {                                                                                                                  \
        .name = type_name, .forward = batch_forward, .check = batch_check, .describe = batch_describe,                 \
        .tensors = batch_tensors, .build = batch_build, .options = {                                                   \
            [FEATURES] = {"num_features", SP_ATTRIBUTE_INT, SP__OPTION_NEEDED, 0},                                     \
            [EPS] = {"eps", SP_ATTRIBUTE_NUMBER, SP__OPTION_DEFAULTED, 1e-5},                                          \
            [MOMENTUM] = {"momentum", SP_ATTRIBUTE_NUMBER, SP__OPTION_DEFAULTED, 0.1},                                 \
            [CUMULATIVE] = {"cumulative", SP_ATTRIBUTE_BOOL, SP__OPTION_OMITTED, 0},                                   \
            [AFFINE] = {"affine", SP_ATTRIBUTE_BOOL, SP__OPTION_DEFAULTED, 1},                                         \
            [BATCH_BIAS] = {"bias", SP_ATTRIBUTE_BOOL, SP__OPTION_DEFAULTED, 1},                                       \
            [TRACK] = {"track_running_stats", SP_ATTRIBUTE_BOOL, SP__OPTION_DEFAULTED, 1}                              \
        }                                                                                                              \
    }
#define SIZE(i) [SIZES + (i)] = {"size_" #i, SP_ATTRIBUTE_INT, SP__OPTION_OMITTED, ABSENT}

enum { BATCH_1D, BATCH_2D, LAYER, N_TYPES };
static const sp__layer_type types[N_TYPES] = {
    [BATCH_1D] = BATCH("BatchNorm1d"),
    [BATCH_2D] = BATCH("BatchNorm2d"),
    [LAYER] = {.name = "LayerNorm",
               .forward = layer_forward,
               .check = layer_check,
               .describe = layer_describe,
               .tensors = layer_tensors,
               .build = layer_build,
               .options = {[LAYER_EPS] = {"eps", SP_ATTRIBUTE_NUMBER, SP__OPTION_DEFAULTED, 1e-5},
                           [LAYER_AFFINE] = {"elementwise_affine", SP_ATTRIBUTE_BOOL, SP__OPTION_DEFAULTED, 1},
                           [LAYER_BIAS] = {"bias", SP_ATTRIBUTE_BOOL, SP__OPTION_DEFAULTED, 1},
                           SIZE(0),
                           SIZE(1),
                           SIZE(2),
                           SIZE(3),
                           SIZE(4),
                           SIZE(5),
                           SIZE(6),
                           SIZE(7)}},
};

const sp__layer_type *sp__find_normalization(const char *name)
{
    for (int i = 0; i < N_TYPES; i++)
        if (strcmp(types[i].name, name) == 0) return &types[i];
    return NULL;
}

/* ---- the public constructors ---- */

static sp_module *new_batch_norm(int which, int64_t features, const sp_nn_batch_norm_options *options)
{
    sp_nn_batch_norm_options o;
    sp_options_copy(&o, sizeof o, options);
    const double numbers[SP__LAYER_OPTIONS] = {
        [FEATURES] = (double)features, [EPS] = sp_option(o.eps, 1e-5), [MOMENTUM] = sp_option(o.momentum, 0.1),
        [CUMULATIVE] = o.cumulative,   [AFFINE] = !o.no_affine,        [BATCH_BIAS] = !o.no_bias,
        [TRACK] = !o.no_running_stats};
    return batch_make(&types[which], numbers, o.dtype);
}

sp_module *(sp_nn_batch_norm1d)(int64_t num_features, const sp_nn_batch_norm_options *options)
{
    return new_batch_norm(BATCH_1D, num_features, options);
}

sp_module *(sp_nn_batch_norm2d)(int64_t num_features, const sp_nn_batch_norm_options *options)
{
    return new_batch_norm(BATCH_2D, num_features, options);
}

sp_module *(sp_nn_layer_norm)(sp_dims normalized_shape, const sp_nn_layer_norm_options *options)
{
    sp_nn_layer_norm_options o;
    sp_options_copy(&o, sizeof o, options);
    if (normalized_shape.n > 0 && !normalized_shape.data)
        return sp_raise_null("sp_nn_layer_norm", "normalized_shape"), NULL;
    if (normalized_shape.n < 1 || normalized_shape.n > SP_MAX_DIMS) {
        sp_raise(SP_ERROR_ARGUMENT, "sp_nn_layer_norm: normalized_shape has 1 to %d sizes, got %d", SP_MAX_DIMS,
                 normalized_shape.n);
        return NULL;
    }
    double numbers[SP__LAYER_OPTIONS] = {
        [LAYER_EPS] = sp_option(o.eps, 1e-5), [LAYER_AFFINE] = !o.no_affine, [LAYER_BIAS] = !o.no_bias};
    for (int i = 0; i < SP_MAX_DIMS; i++)
        numbers[SIZES + i] = i < normalized_shape.n ? (double)normalized_shape.data[i] : ABSENT;
    return layer_make(&types[LAYER], numbers, o.dtype);
}

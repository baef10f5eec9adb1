/* BatchNorm1d, BatchNorm2d and LayerNorm. */
#include "layer.h"
#include <spusk/pointwise.h>

#include <math.h>

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

typedef struct batch_values {
    int64_t features;
    double eps, momentum;
    bool cumulative, affine, bias, track;
} batch_values;

static sp_status check_input(const sp_module *self, sp_tensor *x)
{
    const bool images = strcmp(sp_module_name(self), "BatchNorm2d") == 0;
    const int n = sp_ndim(x);
    if (!x) return sp_raise_null("sp_nn_batch_norm", "x");
    if (images ? n == 4 : n == 2 || n == 3) return SP_OK;
    return sp_raise(SP_ERROR_SHAPE, "%s: expects %s, got a tensor of %d dimensions", sp_module_name(self),
                    images ? "(N, C, H, W)" : "(N, C) or (N, C, L)", n);
}

/* The weight of this batch in the running statistics: the momentum, or the batch's share in the mean of all batches. */
static double momentum_of(const norm *n, const batch_values *v)
{
    return v->cumulative ? 1 / (sp_item(n->num_batches) + 1) : v->momentum;
}

static sp_tensor *batch_forward(sp_module *self, sp_tensor *x)
{
    norm *n = (norm *)self;
    const batch_values *v = sp__layer_values(self);
    const bool tracks = n->mean != SP_NONE, training = sp_is_training(self);
    if (check_input(self, x)) return NULL;
    sp_tensor *y = sp_batch_norm(x, n->mean, n->var, n->weight, n->bias, .training = training || !tracks,
                                 .momentum = sp_exactly(tracks ? momentum_of(n, v) : 0), .eps = sp_exactly(v->eps));
    if (!y || !tracks || !training) return y;
    sp_status status = SP_OK;
    SP_NO_GRAD {
        if (!sp_add_(n->num_batches, sp_full_i64(SP_DIMS(), 1))) status = sp_error_status();
    }
    return status ? NULL : y;
}

static sp_status batch_check(const void *values)
{
    const batch_values *v = values;
    if (v->features < 0)
        return sp_raise(SP_ERROR_ARGUMENT, "sp_nn_batch_norm: num_features must not be negative, got %lld",
                        (long long)v->features);
    if (v->eps >= 0 && isfinite(v->eps) && v->momentum >= 0 && v->momentum <= 1) return SP_OK;
    return sp_raise(SP_ERROR_ARGUMENT,
                    "sp_nn_batch_norm: eps must be finite and 0 or more, and momentum between 0 and 1, got %g, %g",
                    v->eps, v->momentum);
}

static const char *truth(bool x)
{
    return x ? "True" : "False";
}

static size_t batch_describe(const sp_module *module, char *buffer, size_t size)
{
    const batch_values *v = sp__layer_values(module);
    sp__text t = sp__text_in(buffer, size);
    sp__put(&t, "%lld, eps=", (long long)v->features);
    sp__put_number(&t, v->eps);
    sp__put(&t, ", momentum=");
    if (v->cumulative)
        sp__put(&t, "None");
    else
        sp__put_number(&t, v->momentum);
    sp__put(&t, ", affine=%s, bias=%s, track_running_stats=%s", truth(v->affine), truth(v->affine && v->bias),
            truth(v->track));
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

static sp_status batch_fill(sp_module *self, const sp__layer_source *source)
{
    norm *n = (norm *)self;
    const batch_values *v = sp__layer_values(self);
    const sp_dims dims = SP_DIMS(v->features);
    const sp_status status = add_parameters(n, dims, v->affine, v->bias, source->dtype);
    return status ? status : add_statistics(n, dims, v->track, source->dtype);
}

static int outline(sp_outline_tensor *tensors, sp_dims dims, bool affine, bool bias)
{
    const int n = affine ? sp__outline_add(tensors, 0, "weight", dims) : 0;
    return affine && bias ? sp__outline_add(tensors, n, "bias", dims) : n;
}

static int batch_tensors(const void *values, sp_outline_tensor *tensors)
{
    const batch_values *v = values;
    const sp_dims dims = SP_DIMS(v->features);
    int n = outline(tensors, dims, v->affine, v->bias);
    if (!v->track) return n;
    n = sp__outline_add(tensors, n, "running_mean", dims);
    n = sp__outline_add(tensors, n, "running_var", dims);
    tensors[n] = (sp_outline_tensor){.name = "num_batches_tracked", .whole = true};
    return n + 1;
}

/* ---- layer norm ---- */

typedef struct layer_values {
    double eps;
    bool affine, bias;
    sp__layer_sizes sizes;
} layer_values;

static sp_tensor *layer_forward(sp_module *self, sp_tensor *x)
{
    const norm *n = (const norm *)self;
    const layer_values *v = sp__layer_values(self);
    const sp_dims dims = {v->sizes.v, v->sizes.n};
    return sp_layer_norm(x, dims, n->weight, n->bias, .eps = sp_exactly(v->eps));
}

static sp_status layer_check(const void *values)
{
    const layer_values *v = values;
    if (v->sizes.n == 0)
        return sp_raise(SP_ERROR_ARGUMENT, "sp_nn_layer_norm: there are 1 to %d sizes, got 0", SP_MAX_DIMS);
    for (int i = 0; i < v->sizes.n; i++)
        if (v->sizes.v[i] < 0)
            return sp_raise(SP_ERROR_ARGUMENT, "sp_nn_layer_norm: a size must not be negative, got %lld",
                            (long long)v->sizes.v[i]);
    if (v->eps >= 0) return SP_OK;
    return sp_raise(SP_ERROR_ARGUMENT, "sp_nn_layer_norm: eps must be 0 or more, got %g", v->eps);
}

static size_t layer_describe(const sp_module *module, char *buffer, size_t size)
{
    const layer_values *v = sp__layer_values(module);
    sp__text t = sp__text_in(buffer, size);
    sp__put_sizes(&t, &v->sizes);
    sp__put(&t, ", eps=");
    sp__put_number(&t, v->eps);
    sp__put(&t, ", elementwise_affine=%s, bias=%s", truth(v->affine), truth(v->affine && v->bias));
    return t.length;
}

static int layer_tensors(const void *values, sp_outline_tensor *tensors)
{
    const layer_values *v = values;
    return outline(tensors, (sp_dims){v->sizes.v, v->sizes.n}, v->affine, v->bias);
}

static sp_status layer_fill(sp_module *self, const sp__layer_source *source)
{
    const layer_values *v = sp__layer_values(self);
    const sp_dims dims = {v->sizes.v, v->sizes.n};
    return add_parameters((norm *)self, dims, v->affine, v->bias, source->dtype);
}

/* ---- types ---- */

#define BATCH(type_name)                                                                                               \
    {                                                                                                                  \
        .name = type_name, .bytes = sizeof(norm), .values_size = sizeof(batch_values), .forward = batch_forward,       \
        .check = batch_check, .describe = batch_describe, .tensors = batch_tensors, .fill = batch_fill, .options = {   \
            SP__OPTION(batch_values, features, "num_features", INT, NEEDED, 0),                                        \
            SP__OPTION(batch_values, eps, "eps", NUMBER, DEFAULTED, 1e-5),                                             \
            SP__OPTION(batch_values, momentum, "momentum", NUMBER, DEFAULTED, 0.1),                                    \
            SP__OPTION(batch_values, cumulative, "cumulative", BOOL, OMITTED, 0),                                      \
            SP__OPTION(batch_values, affine, "affine", BOOL, DEFAULTED, 1),                                            \
            SP__OPTION(batch_values, bias, "bias", BOOL, DEFAULTED, 1),                                                \
            SP__OPTION(batch_values, track, "track_running_stats", BOOL, DEFAULTED, 1),                                \
        }                                                                                                              \
    }

enum { BATCH_1D, BATCH_2D, LAYER, N_TYPES };
static const sp__layer_type types[N_TYPES] = {
    [BATCH_1D] = BATCH("BatchNorm1d"),
    [BATCH_2D] = BATCH("BatchNorm2d"),
    [LAYER] = {.name = "LayerNorm",
               .bytes = sizeof(norm),
               .values_size = sizeof(layer_values),
               .forward = layer_forward,
               .check = layer_check,
               .describe = layer_describe,
               .tensors = layer_tensors,
               .fill = layer_fill,
               .options = {SP__OPTION(layer_values, eps, "eps", NUMBER, DEFAULTED, 1e-5),
                           SP__OPTION(layer_values, affine, "elementwise_affine", BOOL, DEFAULTED, 1),
                           SP__OPTION(layer_values, bias, "bias", BOOL, DEFAULTED, 1),
                           SP__OPTION(layer_values, sizes, "size_", SIZES, DEFAULTED, 0)}},
};
const sp__layer_family sp__normalizations = SP__LAYER_FAMILY(types);

/* ---- the public constructors ---- */

static sp_module *new_batch_norm(int which, int64_t features, const sp_nn_batch_norm_options *options)
{
    sp_nn_batch_norm_options o;
    sp_options_copy(&o, sizeof o, options);
    const batch_values values = {.features = features,
                                 .eps = sp_option(o.eps, 1e-5),
                                 .momentum = sp_option(o.momentum, 0.1),
                                 .cumulative = o.cumulative,
                                 .affine = !o.no_affine,
                                 .bias = !o.no_bias,
                                 .track = !o.no_running_stats};
    return sp__layer_new_from(&types[which], &values, &(const sp__layer_source){.dtype = o.dtype});
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
    layer_values values = {.eps = sp_option(o.eps, 1e-5), .affine = !o.no_affine, .bias = !o.no_bias};
    if (sp__layer_sizes_of(normalized_shape, &values.sizes, "sp_nn_layer_norm", "normalized_shape") != SP_OK)
        return NULL;
    return sp__layer_new_from(&types[LAYER], &values, &(const sp__layer_source){.dtype = o.dtype});
}

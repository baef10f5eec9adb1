/* Linear: y = x·weightᵀ + bias. weight (out, in), bias (out).
 *
 * The weight lies in memory as (in, out), because then the forward product and the weight's gradient read it row by
 * row; its shape (out, in) is a transposed view. Values are drawn and saved in the order of the shape, so the layout
 * shows nowhere. */
#include "layer.h"

#include <math.h>

typedef struct linear_values {
    int64_t in, out;
    bool bias;
} linear_values;

typedef struct linear {
    sp__layer layer;
    sp_tensor *weight, *bias; /* bias: SP_NONE for none */
} linear;

static sp_tensor *linear_forward(sp_module *self, sp_tensor *x)
{
    const linear *l = (const linear *)self;
    return sp_linear(x, l->weight, l->bias);
}

static sp_status not_negative(const char *name, int64_t size)
{
    if (size >= 0) return SP_OK;
    return sp_raise(SP_ERROR_ARGUMENT, "sp_nn_linear: %s must not be negative, got %lld", name, (long long)size);
}

static sp_status linear_check(const void *values)
{
    const linear_values *v = values;
    const sp_status status = not_negative("in_features", v->in);
    return status ? status : not_negative("out_features", v->out);
}

static int linear_tensors(const void *values, sp_outline_tensor *tensors)
{
    const linear_values *v = values;
    const int count = sp__outline_add(tensors, 0, "weight", SP_DIMS(v->out, v->in));
    return v->bias ? sp__outline_add(tensors, count, "bias", SP_DIMS(v->out)) : count;
}

/* Uniform in ±1/√in. */
static sp_tensor *draw(sp_tensor *x, int64_t in, sp_generator *generator)
{
    double bound = in > 0 ? 1 / sqrt((double)in) : 0;
    return sp_init_uniform_(x, -bound, bound, .generator = generator);
}

/* The weight first, then the bias, as PyTorch draws them. */
static sp_status linear_fill(sp_module *self, const sp__layer_source *source)
{
    linear *l = (linear *)self;
    const linear_values *v = sp__layer_values(self);
    sp_tensor *memory = sp_empty(SP_DIMS(v->in, v->out), .dtype = source->dtype);
    sp_tensor *weight = draw(sp_detach(sp_t(memory)), v->in, source->generator);
    l->weight = sp_module_add_parameter(self, "weight", weight);
    if (!l->weight) return sp_error_status();
    l->bias = SP_NONE;
    if (!v->bias) return SP_OK;
    sp_tensor *bias = draw(sp_empty(SP_DIMS(v->out), .dtype = source->dtype), v->in, source->generator);
    l->bias = sp_module_add_parameter(self, "bias", bias);
    return l->bias ? SP_OK : sp_error_status();
}

static const sp__layer_type types[] = {{
    .name = "Linear",
    .bytes = sizeof(linear),
    .values_size = sizeof(linear_values),
    .forward = linear_forward,
    .check = linear_check,
    .tensors = linear_tensors,
    .fill = linear_fill,
    .options = {SP__OPTION(linear_values, in, "in_features", INT, NEEDED, 0),
                SP__OPTION(linear_values, out, "out_features", INT, NEEDED, 0),
                SP__OPTION(linear_values, bias, "bias", BOOL, DEFAULTED, 1)},
}};
const sp__layer_family sp__linears = SP__LAYER_FAMILY(types);

sp_module *(sp_nn_linear)(int64_t in_features, int64_t out_features, const sp_nn_linear_options *options)
{
    sp_nn_linear_options o;
    sp_options_copy(&o, sizeof o, options);
    const linear_values values = {in_features, out_features, !o.no_bias};
    return sp__layer_new_from(types, &values, &(const sp__layer_source){o.dtype, o.generator, NULL});
}

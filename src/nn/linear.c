/* Linear: y = x·weightᵀ + bias. weight (out, in), bias (out).
 *
 * The weight lies in memory as (in, out), because then the forward product and the weight's gradient read it row by
 * row; its shape (out, in) is a transposed view. Values are drawn and saved in the order of the shape, so the layout
 * shows nowhere. */
#include "layer.h"

#include <math.h>

typedef struct linear {
    sp__layer layer;
    sp_tensor *weight, *bias; /* bias: SP_NONE for none */
} linear;

enum { IN_FEATURES, OUT_FEATURES, BIAS };

static sp_tensor *linear_forward(sp_module *self, sp_tensor *x)
{
    const linear *l = (const linear *)self;
    return sp_linear(x, l->weight, l->bias);
}

static sp_status linear_check(const double *numbers)
{
    static const char *const names[] = {"in_features", "out_features"};
    for (int i = IN_FEATURES; i <= OUT_FEATURES; i++)
        if (!(numbers[i] >= 0))
            return sp_raise(SP_ERROR_ARGUMENT, "sp_nn_linear: %s must not be negative, got %.0f", names[i], numbers[i]);
    return SP_OK;
}

static int linear_tensors(const double *n, sp_outline_tensor *tensors)
{
    const int64_t in = (int64_t)n[IN_FEATURES], out = (int64_t)n[OUT_FEATURES];
    const int count = sp__outline_add(tensors, 0, "weight", SP_DIMS(out, in));
    return n[BIAS] != 0 ? sp__outline_add(tensors, count, "bias", SP_DIMS(out)) : count;
}

static sp_module *linear_build(const sp__layer_type *type, const double *numbers)
{
    (void)type;
    return sp_nn_linear((int64_t)numbers[IN_FEATURES], (int64_t)numbers[OUT_FEATURES], .no_bias = numbers[BIAS] == 0);
}

static const sp__layer_type linear_type = {
    .name = "Linear",
    .forward = linear_forward,
    .check = linear_check,
    .tensors = linear_tensors,
    .build = linear_build,
    .options = {[IN_FEATURES] = {"in_features", SP_ATTRIBUTE_INT, SP__OPTION_NEEDED, 0},
                [OUT_FEATURES] = {"out_features", SP_ATTRIBUTE_INT, SP__OPTION_NEEDED, 0},
                [BIAS] = {"bias", SP_ATTRIBUTE_BOOL, SP__OPTION_DEFAULTED, 1}},
};

const sp__layer_type *sp__find_linear(const char *name)
{
    return strcmp(name, linear_type.name) == 0 ? &linear_type : NULL;
}

/* Uniform in ±1/√in. */
static sp_tensor *draw(sp_tensor *x, int64_t in, const sp_nn_linear_options *o)
{
    double bound = in > 0 ? 1 / sqrt((double)in) : 0;
    return sp_init_uniform_(x, -bound, bound, .generator = o->generator);
}

/* The weight first, then the bias, as PyTorch draws them. */
static sp_status make_parameters(linear *l, int64_t in, int64_t out, const sp_nn_linear_options *o)
{
    sp_module *self = &l->layer.base;
    sp_tensor *memory = sp_empty(SP_DIMS(in, out), .dtype = o->dtype);
    sp_tensor *weight = draw(sp_detach(sp_t(memory)), in, o);
    l->weight = sp_module_add_parameter(self, "weight", weight);
    if (!l->weight) return sp_error_status();
    l->bias = SP_NONE;
    if (o->no_bias) return SP_OK;
    sp_tensor *bias = draw(sp_empty(SP_DIMS(out), .dtype = o->dtype), in, o);
    l->bias = sp_module_add_parameter(self, "bias", bias);
    return l->bias ? SP_OK : sp_error_status();
}

sp_module *(sp_nn_linear)(int64_t in_features, int64_t out_features, const sp_nn_linear_options *options)
{
    sp_nn_linear_options o;
    sp_options_copy(&o, sizeof o, options);
    const double numbers[SP__LAYER_OPTIONS] = {(double)in_features, (double)out_features, !o.no_bias};
    sp_module *self = sp__layer_new_sized(&linear_type, sizeof(linear), numbers);
    if (!self) return NULL;
    sp_status status = SP_OK;
    SP_NO_GRAD {
        status = make_parameters((linear *)self, in_features, out_features, &o);
    }
    if (status == SP_OK) return self;
    sp_release(self);
    return NULL;
}

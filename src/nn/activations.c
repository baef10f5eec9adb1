/* Activations as modules: one row each. */
#include "layer.h"

#include <spusk/pointwise.h>
#include <stdio.h>

/* Those without options: the row says which operator. */
typedef struct activation {
    sp__layer_type type;
    sp_tensor *(*function)(sp_tensor *x);
} activation;

static sp_tensor *plain_forward(sp_module *self, sp_tensor *x)
{
    /* The type stands first in its row. */
    return ((const activation *)((const sp__layer *)self)->type)->function(x);
}

static sp_tensor *identity(sp_tensor *x)
{
    return x;
}

enum { IDENTITY, RELU, SILU, SIGMOID, TANH, N_PLAIN };
static const activation plain[N_PLAIN] = {
    [IDENTITY] = {{.name = "Identity", .forward = plain_forward}, identity},
    [RELU] = {{.name = "ReLU", .forward = plain_forward}, sp_relu},
    [SILU] = {{.name = "SiLU", .forward = plain_forward}, sp_silu},
    [SIGMOID] = {{.name = "Sigmoid", .forward = plain_forward}, sp_sigmoid},
    [TANH] = {{.name = "Tanh", .forward = plain_forward}, sp_tanh},
};
const sp__layer_family sp__plain_activations = SP__LAYER_FAMILY(plain);

/* ---- those with options: sp_exactly gives the operator a computed zero as a zero ---- */

typedef struct activation_values {
    double number; /* negative_slope, alpha, beta */
    double threshold;
    bool tanh;
    int64_t dim;
} activation_values;

static const activation_values *values_of(const sp_module *self)
{
    return sp__layer_values(self);
}

static sp_tensor *leaky_relu_forward(sp_module *self, sp_tensor *x)
{
    return sp_leaky_relu(x, .negative_slope = sp_exactly(values_of(self)->number));
}

static sp_tensor *elu_forward(sp_module *self, sp_tensor *x)
{
    return sp_elu(x, .alpha = sp_exactly(values_of(self)->number));
}

static sp_tensor *gelu_forward(sp_module *self, sp_tensor *x)
{
    return sp_gelu(x, .tanh = values_of(self)->tanh);
}

static size_t gelu_describe(const sp_module *module, char *buffer, size_t size)
{
    return (size_t)snprintf(buffer, size, "approximate='%s'", values_of(module)->tanh ? "tanh" : "none");
}

static sp_tensor *softplus_forward(sp_module *self, sp_tensor *x)
{
    const activation_values *v = values_of(self);
    return sp_softplus(x, .beta = sp_exactly(v->number), .threshold = sp_exactly(v->threshold));
}

static sp_tensor *softmax_forward(sp_module *self, sp_tensor *x)
{
    return sp_softmax(x, (int)values_of(self)->dim);
}

static sp_tensor *log_softmax_forward(sp_module *self, sp_tensor *x)
{
    return sp_log_softmax(x, (int)values_of(self)->dim);
}

static sp_status check_dim(const void *values)
{
    const int64_t dim = ((const activation_values *)values)->dim;
    if (dim >= -SP_MAX_DIMS && dim < SP_MAX_DIMS) return SP_OK;
    return sp_raise(SP_ERROR_ARGUMENT, "softmax: dim must be in [%d, %d), got %lld", -SP_MAX_DIMS, SP_MAX_DIMS,
                    (long long)dim);
}

enum { LEAKY_RELU, ELU, GELU, SOFTPLUS, SOFTMAX, LOG_SOFTMAX, N_TYPES };
static const sp__layer_type types[N_TYPES] = {
    [LEAKY_RELU] = {.name = "LeakyReLU",
                    .values_size = sizeof(activation_values),
                    .forward = leaky_relu_forward,
                    .options = {SP__OPTION(activation_values, number, "negative_slope", NUMBER, DEFAULTED, 0.01)}},
    [ELU] = {.name = "ELU",
             .values_size = sizeof(activation_values),
             .forward = elu_forward,
             .options = {SP__OPTION(activation_values, number, "alpha", NUMBER, DEFAULTED, 1)}},
    [GELU] = {.name = "GELU",
              .values_size = sizeof(activation_values),
              .forward = gelu_forward,
              .describe = gelu_describe,
              .options = {SP__OPTION(activation_values, tanh, "tanh", BOOL, DEFAULTED, 0)}},
    [SOFTPLUS] = {.name = "Softplus",
                  .values_size = sizeof(activation_values),
                  .forward = softplus_forward,
                  .options = {SP__OPTION(activation_values, number, "beta", NUMBER, DEFAULTED, 1),
                              SP__OPTION(activation_values, threshold, "threshold", NUMBER, DEFAULTED, 20)}},
    [SOFTMAX] = {.name = "Softmax",
                 .values_size = sizeof(activation_values),
                 .forward = softmax_forward,
                 .check = check_dim,
                 .options = {SP__OPTION(activation_values, dim, "dim", INT, NEEDED, 0)}},
    [LOG_SOFTMAX] = {.name = "LogSoftmax",
                     .values_size = sizeof(activation_values),
                     .forward = log_softmax_forward,
                     .check = check_dim,
                     .options = {SP__OPTION(activation_values, dim, "dim", INT, NEEDED, 0)}},
};
const sp__layer_family sp__activations = SP__LAYER_FAMILY(types);

/* ---- the public constructors ---- */

static sp_module *new_plain(int which)
{
    return sp__layer_new(&plain[which].type, NULL);
}

sp_module *sp_nn_identity(void)
{
    return new_plain(IDENTITY);
}

sp_module *sp_nn_relu(void)
{
    return new_plain(RELU);
}

sp_module *sp_nn_silu(void)
{
    return new_plain(SILU);
}

sp_module *sp_nn_sigmoid(void)
{
    return new_plain(SIGMOID);
}

sp_module *sp_nn_tanh(void)
{
    return new_plain(TANH);
}

sp_module *(sp_nn_leaky_relu)(const sp_leaky_relu_options *options)
{
    sp_leaky_relu_options o;
    sp_options_copy(&o, sizeof o, options);
    return sp__layer_new(&types[LEAKY_RELU], &(const activation_values){.number = sp_option(o.negative_slope, 0.01)});
}

sp_module *(sp_nn_elu)(const sp_elu_options *options)
{
    sp_elu_options o;
    sp_options_copy(&o, sizeof o, options);
    return sp__layer_new(&types[ELU], &(const activation_values){.number = sp_option(o.alpha, 1)});
}

sp_module *(sp_nn_gelu)(const sp_gelu_options *options)
{
    sp_gelu_options o;
    sp_options_copy(&o, sizeof o, options);
    return sp__layer_new(&types[GELU], &(const activation_values){.tanh = o.tanh});
}

sp_module *(sp_nn_softplus)(const sp_softplus_options *options)
{
    sp_softplus_options o;
    sp_options_copy(&o, sizeof o, options);
    const activation_values values = {.number = sp_option(o.beta, 1), .threshold = sp_option(o.threshold, 20)};
    return sp__layer_new(&types[SOFTPLUS], &values);
}

sp_module *sp_nn_softmax(int dim)
{
    return sp__layer_new(&types[SOFTMAX], &(const activation_values){.dim = dim});
}

sp_module *sp_nn_log_softmax(int dim)
{
    return sp__layer_new(&types[LOG_SOFTMAX], &(const activation_values){.dim = dim});
}

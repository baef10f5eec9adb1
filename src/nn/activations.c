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

/* ---- those with options: sp_exactly gives the operator a computed zero as a zero ---- */

static sp_tensor *leaky_relu_forward(sp_module *self, sp_tensor *x)
{
    return sp_leaky_relu(x, .negative_slope = sp_exactly(sp__layer_number(self, 0)));
}

static sp_tensor *elu_forward(sp_module *self, sp_tensor *x)
{
    return sp_elu(x, .alpha = sp_exactly(sp__layer_number(self, 0)));
}

static sp_tensor *gelu_forward(sp_module *self, sp_tensor *x)
{
    return sp_gelu(x, .tanh = sp__layer_number(self, 0) != 0);
}

static size_t gelu_describe(const sp_module *module, char *buffer, size_t size)
{
    const char *how = sp__layer_number(module, 0) != 0 ? "tanh" : "none";
    return (size_t)snprintf(buffer, size, "approximate='%s'", how);
}

static sp_tensor *softplus_forward(sp_module *self, sp_tensor *x)
{
    return sp_softplus(x, .beta = sp_exactly(sp__layer_number(self, 0)),
                       .threshold = sp_exactly(sp__layer_number(self, 1)));
}

static sp_tensor *softmax_forward(sp_module *self, sp_tensor *x)
{
    return sp_softmax(x, sp__layer_dim(self, 0));
}

static sp_tensor *log_softmax_forward(sp_module *self, sp_tensor *x)
{
    return sp_log_softmax(x, sp__layer_dim(self, 0));
}

static sp_status check_dim(const double *numbers)
{
    if (numbers[0] >= -SP_MAX_DIMS && numbers[0] < SP_MAX_DIMS) return SP_OK;
    return sp_raise(SP_ERROR_ARGUMENT, "softmax: dim must be in [%d, %d), got %.0f", -SP_MAX_DIMS, SP_MAX_DIMS,
                    numbers[0]);
}

enum { LEAKY_RELU, ELU, GELU, SOFTPLUS, SOFTMAX, LOG_SOFTMAX, N_TYPES };
static const sp__layer_type types[N_TYPES] = {
    [LEAKY_RELU] = {.name = "LeakyReLU",
                    .forward = leaky_relu_forward,
                    .options = {{"negative_slope", SP_ATTRIBUTE_NUMBER, SP__OPTION_DEFAULTED, 0.01}}},
    [ELU] = {.name = "ELU",
             .forward = elu_forward,
             .options = {{"alpha", SP_ATTRIBUTE_NUMBER, SP__OPTION_DEFAULTED, 1}}},
    [GELU] = {.name = "GELU",
              .forward = gelu_forward,
              .describe = gelu_describe,
              .options = {{"tanh", SP_ATTRIBUTE_BOOL, SP__OPTION_DEFAULTED, 0}}},
    [SOFTPLUS] = {.name = "Softplus",
                  .forward = softplus_forward,
                  .options = {{"beta", SP_ATTRIBUTE_NUMBER, SP__OPTION_DEFAULTED, 1},
                              {"threshold", SP_ATTRIBUTE_NUMBER, SP__OPTION_DEFAULTED, 20}}},
    [SOFTMAX] = {.name = "Softmax",
                 .forward = softmax_forward,
                 .check = check_dim,
                 .options = {{"dim", SP_ATTRIBUTE_INT, SP__OPTION_NEEDED, 0}}},
    [LOG_SOFTMAX] = {.name = "LogSoftmax",
                     .forward = log_softmax_forward,
                     .check = check_dim,
                     .options = {{"dim", SP_ATTRIBUTE_INT, SP__OPTION_NEEDED, 0}}},
};

const sp__layer_type *sp__find_activation(const char *name)
{
    for (int i = 0; i < N_PLAIN; i++)
        if (strcmp(plain[i].type.name, name) == 0) return &plain[i].type;
    for (int i = 0; i < N_TYPES; i++)
        if (strcmp(types[i].name, name) == 0) return &types[i];
    return NULL;
}

/* ---- the public constructors ---- */

static sp_module *new_plain(int which)
{
    return sp__layer_new(&plain[which].type, (const double[SP__LAYER_OPTIONS]){0});
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
    return sp__layer_new(&types[LEAKY_RELU], (const double[SP__LAYER_OPTIONS]){sp_option(o.negative_slope, 0.01)});
}

sp_module *(sp_nn_elu)(const sp_elu_options *options)
{
    sp_elu_options o;
    sp_options_copy(&o, sizeof o, options);
    return sp__layer_new(&types[ELU], (const double[SP__LAYER_OPTIONS]){sp_option(o.alpha, 1)});
}

sp_module *(sp_nn_gelu)(const sp_gelu_options *options)
{
    sp_gelu_options o;
    sp_options_copy(&o, sizeof o, options);
    return sp__layer_new(&types[GELU], (const double[SP__LAYER_OPTIONS]){o.tanh});
}

sp_module *(sp_nn_softplus)(const sp_softplus_options *options)
{
    sp_softplus_options o;
    sp_options_copy(&o, sizeof o, options);
    return sp__layer_new(&types[SOFTPLUS],
                         (const double[SP__LAYER_OPTIONS]){sp_option(o.beta, 1), sp_option(o.threshold, 20)});
}

sp_module *sp_nn_softmax(int dim)
{
    return sp__layer_new(&types[SOFTMAX], (const double[SP__LAYER_OPTIONS]){dim});
}

sp_module *sp_nn_log_softmax(int dim)
{
    return sp__layer_new(&types[LOG_SOFTMAX], (const double[SP__LAYER_OPTIONS]){dim});
}

/* Dropout. Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov, JMLR 15 (2014). */
#include "layer.h"

typedef struct dropout_values {
    double p;
} dropout_values;

static double p_of(const sp_module *self)
{
    return ((const dropout_values *)sp__layer_values(self))->p;
}

static sp_tensor *dropout_forward(sp_module *self, sp_tensor *x)
{
    return sp_dropout(x, p_of(self), sp_is_training(self));
}

static sp_tensor *dropout2d_forward(sp_module *self, sp_tensor *x)
{
    return sp_dropout2d(x, p_of(self), sp_is_training(self));
}

static sp_status dropout_check(const void *values)
{
    const double p = ((const dropout_values *)values)->p;
    if (p >= 0 && p <= 1) return SP_OK;
    return sp_raise(SP_ERROR_ARGUMENT, "sp_nn_dropout: p must be between 0 and 1, got %g", p);
}

/* PyTorch prints the in-place flag, too, which is always off here. */
static size_t dropout_describe(const sp_module *module, char *buffer, size_t size)
{
    sp__text t = sp__text_in(buffer, size);
    sp__put(&t, "p=");
    sp__put_number(&t, p_of(module));
    sp__put(&t, ", inplace=False");
    return t.length;
}

#define SHARED                                                                                                         \
    .values_size = sizeof(dropout_values), .check = dropout_check, .describe = dropout_describe,                       \
    .options = {SP__OPTION(dropout_values, p, "p", NUMBER, DEFAULTED, 0.5)}
enum { PLAIN, CHANNELS, N_TYPES };
static const sp__layer_type types[N_TYPES] = {
    [PLAIN] = {.name = "Dropout", .forward = dropout_forward, SHARED},
    [CHANNELS] = {.name = "Dropout2d", .forward = dropout2d_forward, SHARED},
};
const sp__layer_family sp__dropouts = SP__LAYER_FAMILY(types);

sp_module *sp_nn_dropout(double p)
{
    return sp__layer_new(&types[PLAIN], &(const dropout_values){p});
}

sp_module *sp_nn_dropout2d(double p)
{
    return sp__layer_new(&types[CHANNELS], &(const dropout_values){p});
}

/* Dropout. Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov, JMLR 15 (2014). */
#include "layer.h"

#include <stdio.h>

static sp_tensor *dropout_forward(sp_module *self, sp_tensor *x)
{
    return sp_dropout(x, sp__layer_number(self, 0), sp_is_training(self));
}

static sp_tensor *dropout2d_forward(sp_module *self, sp_tensor *x)
{
    return sp_dropout2d(x, sp__layer_number(self, 0), sp_is_training(self));
}

static sp_status dropout_check(const double *numbers)
{
    if (numbers[0] >= 0 && numbers[0] <= 1) return SP_OK;
    return sp_raise(SP_ERROR_ARGUMENT, "sp_nn_dropout: p must be between 0 and 1, got %g", numbers[0]);
}

/* PyTorch prints the in-place flag, too, which is always off here. */
static size_t dropout_describe(const sp_module *module, char *buffer, size_t size)
{
    sp_attribute p = {"p", SP_ATTRIBUTE_NUMBER, 0, sp__layer_number(module, 0)};
    size_t n = sp__attribute_text(p, buffer, size);
    bool room = n < size;
    return n + (size_t)snprintf(room ? buffer + n : NULL, room ? size - n : 0, ", inplace=False");
}

#define TYPE(type_name, forward_function)                                                                              \
    {                                                                                                                  \
        .name = type_name, .forward = forward_function, .check = dropout_check, .describe = dropout_describe,          \
        .options = {                                                                                                   \
            {"p", SP_ATTRIBUTE_NUMBER, SP__OPTION_DEFAULTED, 0.5}                                                      \
        }                                                                                                              \
    }
enum { PLAIN, CHANNELS, N_TYPES };
static const sp__layer_type types[N_TYPES] = {TYPE("Dropout", dropout_forward), TYPE("Dropout2d", dropout2d_forward)};

const sp__layer_type *sp__find_dropout(const char *name)
{
    for (int i = 0; i < N_TYPES; i++)
        if (strcmp(types[i].name, name) == 0) return &types[i];
    return NULL;
}

sp_module *sp_nn_dropout(double p)
{
    return sp__layer_new(&types[PLAIN], (const double[SP__LAYER_OPTIONS]){p});
}

sp_module *sp_nn_dropout2d(double p)
{
    return sp__layer_new(&types[CHANNELS], (const double[SP__LAYER_OPTIONS]){p});
}

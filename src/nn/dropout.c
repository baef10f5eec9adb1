/* Dropout. Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov, JMLR 15 (2014). */
#include "layer.h"

#include <stdio.h>

static sp_tensor *dropout_forward(sp_module *self, sp_tensor *x)
{
    return sp_dropout(x, sp__layer_number(self, 0), sp_is_training(self));
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

static const sp__layer_type dropout_type = {
    .name = "Dropout",
    .forward = dropout_forward,
    .check = dropout_check,
    .describe = dropout_describe,
    .options = {{"p", SP_ATTRIBUTE_NUMBER, SP__OPTION_DEFAULTED, 0.5}},
};

const sp__layer_type *sp__find_dropout(const char *name)
{
    return strcmp(name, dropout_type.name) == 0 ? &dropout_type : NULL;
}

sp_module *sp_nn_dropout(double p)
{
    return sp__layer_new(&dropout_type, (const double[SP__LAYER_OPTIONS]){p});
}

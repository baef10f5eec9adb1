/* Applying modules, and saying in which of them an error arose. */
#include "module_private.h"

#include <stdio.h>

/* Counts the errors of this thread that name their module, so that the modules around it do not name themselves too. */
static _Thread_local unsigned errors_named;

/* Writes ".encode.0" from the root down, as snprintf. */
static size_t path_of(const sp_module *module, char *buffer, size_t size)
{
    const sp_module *parent = module->priv->parent;
    if (!parent) return 0;
    size_t n = path_of(parent, buffer, size);
    const char *name = "?";
    for (int i = 0; i < parent->priv->n_children; i++)
        if (parent->priv->children[i].module == module) name = parent->priv->children[i].name;
    return n + (size_t)snprintf(n < size ? buffer + n : NULL, n < size ? size - n : 0, n > 0 ? ".%s" : "%s", name);
}

static void name_error(const sp_module *module)
{
    char path[256];
    errors_named++;
    if (path_of(module, path, sizeof path) > 0)
        sp_error_context("in %s (%s): ", path, module->priv->name);
    else
        sp_error_context("in %s: ", module->priv->name);
}

static sp_tensor *apply(sp_module *module, sp_tensor *const *inputs, int n)
{
    const sp_module_private *priv = module->priv;
    if (priv->forward_n) return priv->forward_n(module, inputs, n);
    if (!priv->forward) {
        sp_raise(SP_ERROR_ARGUMENT, "sp_forward: a %s has no forward", priv->name);
        return NULL;
    }
    if (n == 1) return priv->forward(module, inputs[0]);
    sp_raise(SP_ERROR_ARGUMENT, "sp_forward: a %s takes 1 input, got %d", priv->name, n);
    return NULL;
}

static sp_status check_inputs(sp_tensor *const *inputs, int n)
{
    if (!inputs) return sp_raise_null("sp_forward", "inputs");
    if (n < 1) return sp_raise(SP_ERROR_ARGUMENT, "sp_forward: there is no input");
    for (int i = 0; i < n; i++)
        if (!inputs[i]) return sp_raise_null("sp_forward", "input");
    return SP_OK;
}

sp_tensor *sp_forward_n(sp_module *module, sp_tensor *const *inputs, int n)
{
    if (sp__module_check_whole(module, "sp_forward") != SP_OK || check_inputs(inputs, n) != SP_OK) return NULL;
    bool pending = sp_error_status() != SP_OK;
    unsigned named = errors_named;
    sp_tensor *result = apply(module, inputs, n);
    if (result) return result;
    if (sp_error_status() == SP_OK)
        sp_raise(SP_ERROR_NULL, "sp_forward: the forward of %s returned NULL without an error", module->priv->name);
    if (!pending && named == errors_named) name_error(module);
    return NULL;
}

sp_tensor *sp_forward_until(sp_module *module, sp_tensor *const *inputs)
{
    int n = 0;
    /* A NULL ends the count too: sp_forward_n sees it and fails. */
    while (inputs && inputs[n] && inputs[n] != sp_last_) n++;
    if (inputs && !inputs[n]) n++;
    return sp_forward_n(module, inputs, n);
}

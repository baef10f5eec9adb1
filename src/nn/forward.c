/* Applying modules. An error tells in which of them it arose. */
#include "module_private.h"

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

static _Thread_local int depth; /* of forwards within forwards */

/* A forward that calls its own module again, without end, would run out of stack. */
static sp_tensor *apply_within(sp_module *module, sp_tensor *const *inputs, int n)
{
    if (depth >= SP__MAX_DEPTH) {
        sp_raise(SP_ERROR_STATE,
                 "sp_forward: forwards call each other %d deep, which is the most: does one call itself?", depth);
        return NULL;
    }
    depth++;
    sp_tensor *result = apply(module, inputs, n);
    depth--;
    if (!result && sp_error_status() == SP_OK)
        sp_raise(SP_ERROR_NULL, "sp_forward: the forward of %s returned NULL without an error", module->priv->name);
    return result;
}

/* The frame makes every error inside begin with "in encode.0 (Linear): ". */
sp_tensor *sp_forward_n(sp_module *module, sp_tensor *const *inputs, int n)
{
    if (sp__module_check_whole(module, "sp_forward") != SP_OK || check_inputs(inputs, n) != SP_OK) return NULL;
    sp_error_frame frame;
    sp_error_enter(&frame, module->priv->child_name, module->priv->name);
    sp_tensor *result = apply_within(module, inputs, n);
    sp_error_leave(&frame);
    return result;
}

sp_tensor *sp_forward_until(sp_module *module, sp_tensor *const *inputs)
{
    int n = 0;
    /* A NULL ends the count too: sp_forward_n sees it and fails. */
    while (inputs && inputs[n] && inputs[n] != sp_last_) n++;
    if (inputs && !inputs[n]) n++;
    return sp_forward_n(module, inputs, n);
}

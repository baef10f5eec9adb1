/* What a module is: questions for tools, and the tensor of a full name. */
#include "module_private.h"

const char *sp_module_name(const sp_module *module)
{
    return sp__module_check(module, "sp_module_name") == SP_OK ? module->priv->name : "";
}

int sp_module_num_children(const sp_module *module)
{
    return sp__module_check(module, "sp_module_num_children") == SP_OK ? module->priv->n_children : 0;
}

static const sp__module_child *child_at(const sp_module *module, int i, const char *function)
{
    if (sp__module_check(module, function) != SP_OK || i < 0 || i >= module->priv->n_children) return NULL;
    return &module->priv->children[i];
}

sp_module *sp_module_child(const sp_module *module, int i)
{
    const sp__module_child *child = child_at(module, i, "sp_module_child");
    return child ? child->module : NULL;
}

const char *sp_module_child_name(const sp_module *module, int i)
{
    const sp__module_child *child = child_at(module, i, "sp_module_child_name");
    return child ? child->name : "";
}

int sp_module_num_attributes(const sp_module *module)
{
    return sp__module_check(module, "sp_module_num_attributes") == SP_OK ? module->priv->n_attributes : 0;
}

sp_attribute sp_module_attribute(const sp_module *module, int i)
{
    const sp_attribute none = {.name = ""};
    if (sp__module_check(module, "sp_module_attribute") != SP_OK) return none;
    return i >= 0 && i < module->priv->n_attributes ? module->priv->attributes[i] : none;
}

sp_tensor *sp_module_get(const sp_module *module, const char *name)
{
    if (sp__module_check(module, "sp_module_get") != SP_OK) return NULL;
    if (!name) return sp_raise_null("sp_module_get", "name"), NULL;
    const char *type = module->priv->name;
    const sp_module *at = module;
    const char *rest = name, *dot;
    while (at && (dot = strchr(rest, '.'))) {
        at = sp__module_find_child(at, rest, (size_t)(dot - rest));
        rest = dot + 1;
    }
    const sp__module_tensor *found = at ? sp__module_find_tensor(at, rest) : NULL;
    if (found) return found->tensor;
    sp_raise(SP_ERROR_NOT_FOUND, "sp_module_get: %s has no parameter or buffer \"%s\"", type, name);
    return NULL;
}

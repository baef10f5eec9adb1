/* Questions about a module, for tools, and the search for a tensor by its full name. */
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

sp_dtype sp_module_dtype(const sp_module *module)
{
    if (sp__module_check_whole(module, "sp_module_dtype") != SP_OK) return SP_DTYPE_DEFAULT;
    for (int i = 0; i < module->priv->n_tensors; i++) {
        const sp__module_tensor *member = &module->priv->tensors[i];
        sp_dtype dtype = sp_dtype_of(member->tensor);
        if (member->saved && sp_dtype_is_floating_point(dtype) && dtype != SP_F32) return dtype;
    }
    return SP_F32;
}

/* The module that a name leads to, as far as the name goes; NULL where it leads nowhere. */
static const sp_module *walk_down(const sp_module *module, const char *name, size_t length)
{
    while (module && length > 0) {
        const char *dot = memchr(name, '.', length);
        const size_t n = dot ? (size_t)(dot - name) : length, step = dot ? n + 1 : n;
        module = sp__module_find_child(module, name, n);
        name += step;
        length -= step;
    }
    return module;
}

sp_module *sp_get_submodule(sp_module *module, const char *name)
{
    if (sp__module_check(module, "sp_get_submodule") != SP_OK) return NULL;
    if (!name) return sp_raise_null("sp_get_submodule", "name"), NULL;
    const sp_module *found = walk_down(module, name, strlen(name));
    if (found) return (sp_module *)(uintptr_t)found;
    sp_raise(SP_ERROR_NOT_FOUND, "sp_get_submodule: %s has no module \"%s\"", module->priv->name, name);
    return NULL;
}

sp_tensor *sp_module_get(const sp_module *module, const char *name)
{
    if (sp__module_check(module, "sp_module_get") != SP_OK) return NULL;
    if (!name) return sp_raise_null("sp_module_get", "name"), NULL;
    const char *dot = strrchr(name, '.'), *last = dot ? dot + 1 : name;
    const sp_module *at = walk_down(module, name, dot ? (size_t)(dot - name) : 0);
    const sp__module_tensor *found = at ? sp__module_find_tensor(at, last) : NULL;
    if (found) return found->tensor;
    sp_raise(SP_ERROR_NOT_FOUND, "sp_module_get: %s has no parameter or buffer \"%s\"", module->priv->name, name);
    return NULL;
}

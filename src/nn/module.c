/* Modules: making them, adding members, and their end. */
#include "module_private.h"

#include <stdio.h>

static void drop_children(sp_module_private *priv)
{
    for (int i = 0; i < priv->n_children; i++) {
        priv->children[i].module->priv->parent = NULL;
        priv->children[i].module->priv->child_name = NULL;
        sp_drop(priv->children[i].module);
        sp_free_text(priv->children[i].name);
    }
    sp_free(priv->children, priv->max_children * sizeof *priv->children);
}

static void drop_tensors(sp_module_private *priv)
{
    for (int i = 0; i < priv->n_tensors; i++) {
        sp_drop(priv->tensors[i].tensor);
        sp_free_text(priv->tensors[i].name);
    }
    sp_free(priv->tensors, priv->max_tensors * sizeof *priv->tensors);
}

static void drop_attributes(sp_module_private *priv)
{
    /* The names belong to the module, though the public struct shows them as constant. */
    for (int i = 0; i < priv->n_attributes; i++) sp_free_text((char *)(uintptr_t)priv->attributes[i].name);
    sp_free(priv->attributes, priv->max_attributes * sizeof *priv->attributes);
}

static void module_destroy(void *object)
{
    sp_module *module = object;
    sp_module_private *priv = module->priv;
    if (!priv) return;
    if (priv->destroy) priv->destroy(module);
    drop_children(priv);
    drop_tensors(priv);
    drop_attributes(priv);
    sp_map_free(&priv->members);
    sp_map_free(&priv->options);
    sp_free_text(priv->name);
    sp_free(priv, sizeof *priv);
    module->priv = NULL;
}

const sp_kind sp__module_kind = {"module", module_destroy};

static sp_module last_module;
sp_module *const sp_last_module_ = &last_module;

void *(sp_module_new)(size_t bytes, const sp_module_options *options)
{
    sp_module_options o;
    sp_options_copy(&o, sizeof o, options);
    if (bytes < sizeof(sp_module)) {
        sp_raise(SP_ERROR_ARGUMENT, "sp_module_new: a module has at least %zu bytes, got %zu", sizeof(sp_module),
                 bytes);
        return NULL;
    }
    sp_module *module = sp_object_new(&sp__module_kind, bytes);
    if (!module) return NULL;
    module->priv = sp_alloc(sizeof *module->priv);
    char *name = module->priv ? sp_strdup(o.name ? o.name : "Module") : NULL;
    if (!name) {
        sp_release(module);
        return NULL;
    }
    module->priv->name = name;
    module->priv->forward = o.forward;
    module->priv->forward_n = o.forward_n;
    module->priv->destroy = o.destroy;
    module->priv->training = true;
    return module;
}

/* ---- checks ---- */

sp_status sp__module_check(const sp_module *module, const char *function)
{
    if (!module) return sp_raise_null(function, "module");
    /* The sentinel of lists is no object, so it has no kind to ask for. */
    if (module == sp_last_module_ || !sp_object_is(module, &sp__module_kind))
        return sp_raise(SP_ERROR_ARGUMENT, "%s: the argument is not a module", function);
    return SP_OK;
}

sp_status sp__module_check_whole(const sp_module *module, const char *function)
{
    sp_status status = sp__module_check(module, function);
    if (status != SP_OK || !module->priv->missing[0]) return status;
    return sp_raise(SP_ERROR_STATE, "%s: %s is incomplete: its member \"%s\" could not be added", function,
                    module->priv->name, module->priv->missing);
}

static bool is_word(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    return name[0] && name[strspn(name, letters)] == '\0';
}

sp_module *sp__module_find_child(const sp_module *module, const char *name, size_t length)
{
    const int64_t place = sp_map_find(&module->priv->members, name, length);
    return place >= 0 && place % 2 == 0 ? module->priv->children[place / 2].module : NULL;
}

sp__module_tensor *sp__module_find_tensor(const sp_module *module, const char *name)
{
    const int64_t place = sp_map_find(&module->priv->members, name, strlen(name));
    return place >= 0 && place % 2 == 1 ? &module->priv->tensors[place / 2] : NULL;
}

static sp_status check_name(const sp_module *module, const char *name, const char *function)
{
    if (!name) return sp_raise_null(function, "name");
    if (!is_word(name))
        return sp_raise(SP_ERROR_ARGUMENT, "%s: a name is letters, digits and _, got \"%s\"", function, name);
    if (sp_map_find(&module->priv->members, name, strlen(name)) >= 0)
        return sp_raise(SP_ERROR_ARGUMENT, "%s: %s has a member \"%s\" already", function, module->priv->name, name);
    return SP_OK;
}

/* ---- adding members ---- */

/* A copy of a name, which the map leads to `number`; NULL without memory. */
static char *new_name(sp_map *map, const char *name, int64_t number)
{
    char *text = sp_strdup(name);
    if (!text || sp_map_set(map, text, strlen(text), number) == SP_OK) return text;
    sp_free_text(text);
    return NULL;
}

/* Remembers that a member is missing, so that later uses of the module fail instead of leaving the member out. */
static void *not_added(sp_module *parent, const char *name)
{
    sp_module_private *priv = parent->priv;
    if (!priv->missing[0]) snprintf(priv->missing, sizeof priv->missing, "%s", name && *name ? name : "?");
    return NULL;
}

static sp_status check_child(const sp_module *parent, const sp_module *child, const char *name)
{
    sp_status status = sp__module_check(child, "sp_module_add");
    if (status != SP_OK) return status;
    if (child->priv->parent)
        return sp_raise(SP_ERROR_ARGUMENT, "sp_module_add: \"%s\" (%s) is a child of %s already", name,
                        child->priv->name, child->priv->parent->priv->name);
    int depth = child->priv->height + 1;
    for (const sp_module *up = parent; up; up = up->priv->parent) {
        if (up == child)
            return sp_raise(SP_ERROR_ARGUMENT, "sp_module_add: \"%s\" (%s) would be below itself", name,
                            child->priv->name);
        depth++;
    }
    if (depth <= SP__MAX_DEPTH) return SP_OK;
    return sp_raise(SP_ERROR_ARGUMENT,
                    "sp_module_add: with \"%s\" (%s) modules would be nested %d deep; %d is the most", name,
                    child->priv->name, depth, SP__MAX_DEPTH);
}

/* Tells a child's new ancestors what is below them now. */
static void tell_ancestors(const sp_module *child)
{
    if (!child->priv->layer || child->priv->foreign_below)
        for (const sp_module *up = child->priv->parent; up && !up->priv->foreign_below; up = up->priv->parent)
            up->priv->foreign_below = true;
    for (const sp_module *up = child->priv->parent; up; child = up, up = up->priv->parent) {
        if (up->priv->height > child->priv->height) return;
        up->priv->height = child->priv->height + 1;
    }
}

static sp_status append_child(sp_module_private *priv, const char *name, sp_module *child)
{
    sp_status status = sp_reserve(&priv->children, &priv->max_children, (size_t)priv->n_children + 1,
                                  sizeof *priv->children);
    char *text = status == SP_OK ? new_name(&priv->members, name, 2 * (int64_t)priv->n_children) : NULL;
    if (!text) return sp_error_status();
    priv->children[priv->n_children++] = (sp__module_child){text, sp_retain(child)};
    return SP_OK;
}

sp_module *sp_module_add(sp_module *parent, const char *name, sp_module *child)
{
    if (sp__module_check(parent, "sp_module_add") != SP_OK) return NULL;
    if (check_name(parent, name, "sp_module_add") != SP_OK || check_child(parent, child, name) != SP_OK ||
        append_child(parent->priv, name, child) != SP_OK)
        return not_added(parent, name);
    child->priv->parent = parent;
    child->priv->child_name = parent->priv->children[parent->priv->n_children - 1].name;
    tell_ancestors(child);
    return child;
}

static sp_status append_tensor(sp_module_private *priv, const char *name, sp__module_tensor member)
{
    sp_status status = sp_reserve(&priv->tensors, &priv->max_tensors, (size_t)priv->n_tensors + 1,
                                  sizeof *priv->tensors);
    member.name = status == SP_OK ? new_name(&priv->members, name, 2 * (int64_t)priv->n_tensors + 1) : NULL;
    if (!member.name) return sp_error_status();
    sp_retain(member.tensor);
    priv->tensors[priv->n_tensors++] = member;
    return SP_OK;
}

static sp_status check_tensor(const sp_module *module, const char *name, const sp_tensor *x, const char *function)
{
    sp_status status = check_name(module, name, function);
    if (status != SP_OK) return status;
    return x ? SP_OK : sp_raise_null(function, name);
}

static sp_status check_parameter(const char *name, const sp_tensor *x)
{
    if (!sp_dtype_is_floating_point(sp_dtype_of(x)))
        return sp_raise(SP_ERROR_DTYPE, "sp_module_add_parameter: \"%s\" is %s; only floating tensors are trained",
                        name, sp_dtype_name(sp_dtype_of(x)));
    if (!sp_is_leaf(x))
        return sp_raise(SP_ERROR_STATE, "sp_module_add_parameter: \"%s\" was computed (%s); a parameter is a leaf",
                        name, sp_grad_fn_name(x));
    return SP_OK;
}

sp_tensor *sp_module_add_parameter(sp_module *module, const char *name, sp_tensor *parameter)
{
    if (sp__module_check(module, "sp_module_add_parameter") != SP_OK) return NULL;
    if (check_tensor(module, name, parameter, "sp_module_add_parameter") != SP_OK) return not_added(module, name);
    if (parameter == SP_NONE) return parameter;
    sp__module_tensor member = {.tensor = parameter, .trained = true, .saved = true};
    if (check_parameter(name, parameter) != SP_OK || sp_set_requires_grad(parameter, true) != SP_OK ||
        append_tensor(module->priv, name, member) != SP_OK)
        return not_added(module, name);
    return parameter;
}

sp_tensor *(sp_module_add_buffer)(sp_module *module, const char *name, sp_tensor *buffer,
                                  const sp_buffer_options *options)
{
    sp_buffer_options o;
    sp_options_copy(&o, sizeof o, options);
    if (sp__module_check(module, "sp_module_add_buffer") != SP_OK) return NULL;
    if (check_tensor(module, name, buffer, "sp_module_add_buffer") != SP_OK) return not_added(module, name);
    if (buffer == SP_NONE) return buffer;
    sp__module_tensor member = {.tensor = buffer, .saved = !o.unsaved};
    if (append_tensor(module->priv, name, member) != SP_OK) return not_added(module, name);
    return buffer;
}

/* ---- attributes ---- */

sp_status sp__module_set(sp_module *module, sp_attribute attribute)
{
    sp_status status = sp__module_check(module, "sp_module_set");
    if (status != SP_OK) return status;
    if (!attribute.name) return sp_raise_null("sp_module_set", "name");
    sp_module_private *priv = module->priv;
    const int64_t old = sp_map_find(&priv->options, attribute.name, strlen(attribute.name));
    if (old >= 0) {
        attribute.name = priv->attributes[old].name;
        priv->attributes[old] = attribute;
        return SP_OK;
    }
    status = sp_reserve(&priv->attributes, &priv->max_attributes, (size_t)priv->n_attributes + 1,
                        sizeof *priv->attributes);
    attribute.name = status == SP_OK ? new_name(&priv->options, attribute.name, priv->n_attributes) : NULL;
    if (!attribute.name) return sp_error_status();
    priv->attributes[priv->n_attributes++] = attribute;
    return SP_OK;
}

sp_status sp_module_set_int(sp_module *module, const char *name, int64_t value)
{
    return sp__module_set(module, (sp_attribute){name, SP_ATTRIBUTE_INT, value, (double)value});
}

sp_status sp_module_set_number(sp_module *module, const char *name, double value)
{
    return sp__module_set(module, (sp_attribute){name, SP_ATTRIBUTE_NUMBER, 0, value});
}

sp_status sp_module_set_bool(sp_module *module, const char *name, bool value)
{
    return sp__module_set(module, (sp_attribute){name, SP_ATTRIBUTE_BOOL, value, value});
}

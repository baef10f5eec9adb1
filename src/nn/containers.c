/* Sequential and ModuleList. */
#include "layer.h"

#include <stdio.h>

/* Whether a module is one of the library's layers, or a Sequential of them. Then only the next layer sees its result. A
 * user's module may remember its input or its result. */
static bool is_plain(const sp_module *module)
{
    return sp__is_layer(module) && !module->priv->foreign_below;
}

/* A result between two plain layers is released at once; otherwise it would stay until the scope's end. */
static sp_tensor *sequential_forward(sp_module *self, sp_tensor *x)
{
    bool made = false; /* x, by a plain layer here */
    for (int i = 0; x && i < self->priv->n_children; i++) {
        sp_module *child = self->priv->children[i].module;
        const bool plain = is_plain(child);
        sp_tensor *y = sp_forward_n(child, &x, 1);
        if (y && y != x && made && plain) sp_release(x);
        made = plain && (made || y != x);
        x = y;
    }
    return x;
}

enum { SEQUENTIAL, MODULE_LIST, N_TYPES };
static const sp__layer_type types[N_TYPES] = {
    [SEQUENTIAL] = {.name = "Sequential", .forward = sequential_forward},
    [MODULE_LIST] = {.name = "ModuleList", .list = true},
};
const sp__layer_family sp__containers = SP__LAYER_FAMILY(types);

/* A list with a NULL in it fails as a whole, and its other modules are released at once. */
static sp_module *fail_as_a_whole(const char *function, sp_module *const *modules)
{
    sp_map seen = {0}; /* one may stand there twice */
    sp_raise_null(function, "module");
    for (int i = 0; modules[i] != sp_last_module_; i++) {
        if (!modules[i] || sp_map_find(&seen, modules[i], SP_MAP_ADDRESS) >= 0) continue;
        if (sp_map_set(&seen, modules[i], SP_MAP_ADDRESS, i) != SP_OK) break; /* the rest goes with its scope */
        sp_release(modules[i]);
    }
    sp_map_free(&seen);
    return NULL;
}

static sp_status add_numbered(sp_module *parent, sp_module *const *modules)
{
    for (int i = 0; modules[i] != sp_last_module_; i++) {
        char name[16];
        snprintf(name, sizeof name, "%d", i);
        if (!sp_module_add(parent, name, modules[i])) return sp_error_status();
    }
    return SP_OK;
}

static sp_module *new_container(int which, const char *function, sp_module *const *modules)
{
    if (!modules) return sp_raise_null(function, "modules"), NULL;
    for (int i = 0; modules[i] != sp_last_module_; i++)
        if (!modules[i]) return fail_as_a_whole(function, modules);
    sp_module *parent = sp__layer_new(&types[which], NULL);
    if (!parent || add_numbered(parent, modules) == SP_OK) return parent;
    sp_release(parent);
    return NULL;
}

sp_module *sp_nn_sequential_until(sp_module *const *modules)
{
    return new_container(SEQUENTIAL, "sp_nn_sequential", modules);
}

sp_module *sp_nn_module_list_until(sp_module *const *modules)
{
    return new_container(MODULE_LIST, "sp_nn_module_list", modules);
}

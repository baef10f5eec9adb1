/* State dicts: all tensors by full name, out and in. */
#include "module_private.h"

#include <spusk/pointwise.h>
#include <stdio.h>

/* What a walk puts into a dict. */
typedef struct collection {
    sp_dict *dict;
    bool parameters_once; /* only parameters, each under its first name; else all that is saved */
    bool detached;
    sp_map seen; /* addresses of parameters */
} collection;

/* Whether the walk wants a member. A parameter counts under its first name only. */
static bool is_wanted(const collection *c, const sp__module_tensor *member)
{
    if (!c->parameters_once) return member->saved;
    return member->trained && sp_map_find(&c->seen, member->tensor, SP_MAP_ADDRESS) < 0;
}

static sp_status collect(void *context, const sp__path *path, const sp__module_tensor *member)
{
    collection *c = context;
    if (!is_wanted(c, member)) return SP_OK;
    if (c->parameters_once && sp_map_set(&c->seen, member->tensor, SP_MAP_ADDRESS, 0) != SP_OK)
        return sp_error_status();
    sp_tensor *x = c->detached ? sp_detach(member->tensor) : member->tensor;
    char *name = x ? sp__path_text(path) : NULL;
    if (!name) return sp_error_status();
    sp_status status = sp_dict_set(c->dict, name, x);
    sp_free_text(name);
    return status;
}

static sp_dict *collect_all(const sp_module *module, const char *function, collection c)
{
    if (sp__module_check(module, function) != SP_OK) return NULL;
    c.dict = sp_dict_new();
    if (!c.dict) return NULL;
    sp_status status = SP_OK;
    SP_SCOPE {
        status = sp__module_walk(module, function, collect, &c);
    }
    sp_map_free(&c.seen);
    if (status == SP_OK) return c.dict;
    sp_release(c.dict);
    return NULL;
}

sp_dict *sp_named_parameters(const sp_module *module)
{
    return collect_all(module, "sp_named_parameters", (collection){.parameters_once = true});
}

sp_dict *sp_state_dict(const sp_module *module)
{
    return collect_all(module, "sp_state_dict", (collection){.detached = true});
}

/* ---- loading ---- */

static void shape_text(const sp_tensor *x, char *buffer, size_t size)
{
    sp_dims dims = sp_sizes(x);
    size_t n = (size_t)snprintf(buffer, size, "[");
    for (int i = 0; i < dims.n && n < size; i++)
        n += (size_t)snprintf(buffer + n, size - n, i > 0 ? ", %lld" : "%lld", (long long)dims.data[i]);
    if (n < size) snprintf(buffer + n, size - n, "]");
}

/* Floating, whole or truth: a value may change its width on loading, not its kind. */
static int kind_of(const sp_tensor *x)
{
    sp_dtype dtype = sp_dtype_of(x);
    return sp_dtype_is_floating_point(dtype) ? 0 : dtype == SP_BOOL ? 2 : 1;
}

static bool same_shape(const sp_tensor *a, const sp_tensor *b)
{
    sp_dims x = sp_sizes(a), y = sp_sizes(b);
    return x.n == y.n && (x.n == 0 || memcmp(x.data, y.data, (size_t)x.n * sizeof *x.data) == 0);
}

static sp_status check_entry(const char *name, const sp_tensor *own, const sp_tensor *given)
{
    char ours[128], theirs[128];
    if (!given) return sp_raise(SP_ERROR_NOT_FOUND, "sp_load_state_dict: \"%s\" is missing from the state", name);
    if (!same_shape(own, given)) {
        shape_text(own, ours, sizeof ours);
        shape_text(given, theirs, sizeof theirs);
        return sp_raise(SP_ERROR_SHAPE, "sp_load_state_dict: \"%s\" has shape %s in the state, %s in the module", name,
                        theirs, ours);
    }
    if (kind_of(own) != kind_of(given))
        return sp_raise(SP_ERROR_DTYPE, "sp_load_state_dict: \"%s\" is %s in the state, %s in the module", name,
                        sp_dtype_name(sp_dtype_of(given)), sp_dtype_name(sp_dtype_of(own)));
    return SP_OK;
}

static sp_status check_state(const sp_dict *own, const sp_dict *state)
{
    sp_status status = SP_OK;
    for (int64_t i = 0; status == SP_OK && i < sp_dict_length(own); i++)
        status = check_entry(sp_dict_name(own, i), sp_dict_get(own, i), sp_dict_find(state, sp_dict_name(own, i)));
    for (int64_t i = 0; status == SP_OK && i < sp_dict_length(state); i++)
        if (!sp_dict_find(own, sp_dict_name(state, i)))
            status = sp_raise(SP_ERROR_NOT_FOUND, "sp_load_state_dict: the module has no \"%s\"",
                              sp_dict_name(state, i));
    return status;
}

static sp_status copy_state(const sp_dict *own, const sp_dict *state)
{
    for (int64_t i = 0; i < sp_dict_length(own); i++)
        if (!sp_copy_(sp_dict_get(own, i), sp_dict_find(state, sp_dict_name(own, i)))) return sp_error_status();
    return SP_OK;
}

sp_status sp_load_state_dict(sp_module *module, const sp_dict *state)
{
    sp_status status = sp__module_check(module, "sp_load_state_dict");
    if (status != SP_OK) return status;
    if (!state) return sp_raise_null("sp_load_state_dict", "state");
    SP_NO_GRAD {
        sp_dict *own = collect_all(module, "sp_load_state_dict", (collection){0});
        status = own ? check_state(own, state) : sp_error_status();
        if (status == SP_OK) status = copy_state(own, state);
    }
    return status;
}

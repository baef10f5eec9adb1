/* The parameters and buffers of a module and of all modules below it; modes and casts. */
#include "module_private.h"
#include <spusk/pointwise.h>

/* ---- walking ---- */

static size_t path_length(const sp__path *path)
{
    size_t length = 0;
    for (; path; path = path->up) length += strlen(path->name) + 1; /* a dot, or the end */
    return length;
}

char *sp__path_text(const sp__path *path)
{
    size_t length = path_length(path);
    char *text = sp_alloc(length), *end = text ? text + length : NULL;
    for (const sp__path *p = path; text && p; p = p->up) {
        *--end = p == path ? '\0' : '.';
        size_t n = strlen(p->name);
        end -= n;
        memcpy(end, p->name, n);
    }
    return text;
}

typedef struct walk {
    const char *function;
    sp__module_visit *visit;
    void *context;
} walk;

static sp_status walk_tensors(const sp_module *module, const sp__path *up, const walk *w, bool trained)
{
    sp_status status = SP_OK;
    for (int i = 0; i < module->priv->n_tensors && status == SP_OK; i++) {
        const sp__module_tensor *member = &module->priv->tensors[i];
        sp__path path = {up, member->name};
        if (member->trained == trained) status = w->visit(w->context, &path, member);
    }
    return status;
}

static sp_status walk_module(const sp_module *module, const sp__path *up, const walk *w)
{
    sp_status status = sp__module_check_whole(module, w->function);
    if (status == SP_OK) status = walk_tensors(module, up, w, true);
    if (status == SP_OK) status = walk_tensors(module, up, w, false);
    for (int i = 0; status == SP_OK && i < module->priv->n_children; i++) {
        sp__path path = {up, module->priv->children[i].name};
        status = walk_module(module->priv->children[i].module, &path, w);
    }
    return status;
}

sp_status sp__module_walk(const sp_module *module, const char *function, sp__module_visit *visit, void *context)
{
    walk w = {function, visit, context};
    return walk_module(module, NULL, &w);
}

/* ---- lists ---- */

/* Tensors of one kind, each once. */
typedef struct unique {
    sp_list *list;
    sp_map seen; /* their addresses */
    bool trained;
} unique;

/* Appends a tensor that is not there yet. */
static sp_status append_once(unique *u, sp_tensor *x)
{
    if (sp_map_find(&u->seen, x, SP_MAP_ADDRESS) >= 0) return SP_OK;
    sp_status status = sp_map_set(&u->seen, x, SP_MAP_ADDRESS, 0);
    return status == SP_OK ? sp_list_append(u->list, x) : status;
}

static sp_status list_member(void *context, const sp__path *path, const sp__module_tensor *member)
{
    (void)path;
    unique *u = context;
    return member->trained == u->trained ? append_once(u, member->tensor) : SP_OK;
}

static sp_list *list_of(const sp_module *module, const char *function, bool trained)
{
    if (sp__module_check(module, function) != SP_OK) return NULL;
    unique u = {.list = sp_list_new(NULL, 0), .trained = trained};
    sp_status status = u.list ? sp__module_walk(module, function, list_member, &u) : sp_error_status();
    sp_map_free(&u.seen);
    if (status == SP_OK) return u.list;
    sp_release(u.list);
    return NULL;
}

sp_list *sp_parameters(const sp_module *module)
{
    return list_of(module, "sp_parameters", true);
}

sp_list *sp_buffers(const sp_module *module)
{
    return list_of(module, "sp_buffers", false);
}

/* ---- modes ---- */

static void set_training(sp_module *module, bool on)
{
    module->priv->training = on;
    for (int i = 0; i < module->priv->n_children; i++) set_training(module->priv->children[i].module, on);
}

sp_status sp_train(sp_module *module)
{
    sp_status status = sp__module_check(module, "sp_train");
    if (status == SP_OK) set_training(module, true);
    return status;
}

sp_status sp_eval(sp_module *module)
{
    sp_status status = sp__module_check(module, "sp_eval");
    if (status == SP_OK) set_training(module, false);
    return status;
}

bool sp_is_training(const sp_module *module)
{
    return sp__module_check(module, "sp_is_training") == SP_OK && module->priv->training;
}

/* ---- all tensors at once ---- */

static sp_status visit_zero_grad(void *context, const sp__path *path, const sp__module_tensor *member)
{
    (void)context;
    (void)path;
    return member->trained ? sp_set_grad(member->tensor, SP_NONE) : SP_OK;
}

sp_status sp_module_zero_grad(sp_module *module)
{
    return sp__module_walk(module, "sp_module_zero_grad", visit_zero_grad, NULL);
}

int64_t sp_module_num_parameters(const sp_module *module)
{
    int64_t count = 0;
    SP_SCOPE {
        const sp_list *list = sp_parameters(module);
        for (int64_t i = 0, n = list ? sp_list_length(list) : 0; i < n; i++) count += sp_numel(sp_list_get(list, i));
    }
    return count;
}

sp_status sp_module_to(sp_module *module, sp_device device)
{
    sp_status status = sp__module_check_whole(module, "sp_module_to");
    if (status != SP_OK) return status;
    if (device.kind == SP_CPU && device.index == 0) return SP_OK;
    return sp_raise(SP_ERROR_DEVICE, "sp_module_to: there is no device %d:%d", (int)device.kind, device.index);
}

/* Two lists side by side: a tensor, and what replaces it. */
typedef struct casts {
    unique from;
    sp_list *to;
    sp_dtype dtype;
} casts;

static sp_status visit_cast(void *context, const sp__path *path, const sp__module_tensor *member)
{
    (void)path;
    casts *c = context;
    sp_dtype dtype = sp_dtype_of(member->tensor);
    if (!sp_dtype_is_floating_point(dtype) || dtype == c->dtype) return SP_OK;
    if (sp_map_find(&c->from.seen, member->tensor, SP_MAP_ADDRESS) >= 0) return SP_OK;
    /* The layout stays, which sp_cast does not promise. */
    sp_tensor *x = sp_empty_as(member->tensor, c->dtype);
    sp_status status = x && sp_copy_(x, member->tensor) ? sp_list_append(c->to, x) : sp_error_status();
    return status == SP_OK ? append_once(&c->from, member->tensor) : status;
}

sp_status sp_module_cast(sp_module *module, sp_dtype dtype)
{
    if (!sp_dtype_is_floating_point(dtype))
        return sp_raise(SP_ERROR_DTYPE, "sp_module_cast: %s is not a floating type", sp_dtype_name(dtype));
    sp_status status = SP_OK;
    SP_NO_GRAD {
        /* Everything is cast before anything changes. */
        casts c = {{.list = sp_list_new(NULL, 0)}, sp_list_new(NULL, 0), dtype};
        status = c.from.list && c.to ? sp__module_walk(module, "sp_module_cast", visit_cast, &c) : sp_error_status();
        for (int64_t i = 0; status == SP_OK && i < sp_list_length(c.to); i++)
            status = sp_set_data(sp_list_get(c.from.list, i), sp_list_get(c.to, i));
        sp_map_free(&c.from.seen);
    }
    return status;
}

static void apply_below(sp_module *module, void (*visit)(sp_module *module, void *user), void *user)
{
    for (int i = 0; i < module->priv->n_children; i++) apply_below(module->priv->children[i].module, visit, user);
    visit(module, user);
}

sp_status sp_module_apply(sp_module *module, void (*visit)(sp_module *module, void *user), void *user)
{
    sp_status status = sp__module_check(module, "sp_module_apply");
    if (status != SP_OK) return status;
    if (!visit) return sp_raise_null("sp_module_apply", "visit");
    apply_below(module, visit, user);
    return SP_OK;
}

/* Leaves and hooks: marks, gradients, what the user asks of a tensor's place in the graph. */
#include "autograd/node.h"
#include <string.h>

sp_status sp_set_requires_grad(sp_tensor *x, bool on)
{
    if (sp__check_tensor(x, "sp_set_requires_grad", "x")) return sp_error_status();
    if (on && sp__check_differentiable(x)) return SP_ERROR_DTYPE;
    if (!on && x->grad_fn)
        return sp_raise(SP_ERROR_STATE,
                        "sp_set_requires_grad: only a leaf can stop requiring a gradient: take sp_detach(x)");
    if (!x->grad_fn) x->requires_grad = on;
    return SP_OK;
}

sp_tensor *sp_requires_grad(sp_tensor *x)
{
    if (sp__check_tensor(x, "sp_requires_grad", "x")) return NULL;
    return sp_set_requires_grad(x, true) ? NULL : x;
}

bool sp_needs_grad(const sp_tensor *x)
{
    return !sp__check_tensor(x, "sp_needs_grad", "x") && sp__in_graph(x);
}

bool sp_is_leaf(const sp_tensor *x)
{
    return !sp__check_tensor(x, "sp_is_leaf", "x") && (x->requires_grad || !sp__in_graph(x));
}

/* A second name of a gradient, with its graph, but no view of anything. */
static sp_tensor *name_again(const sp_tensor *grad)
{
    sp_tensor *alias = sp__tensor_alias(grad);
    if (!alias) return NULL;
    alias->grad_fn = sp__ref(grad->grad_fn);
    alias->output = grad->output;
    return alias;
}

/* A tensor of its own, so that it outlives a gradient that is dropped. */
sp_tensor *sp_grad(const sp_tensor *x)
{
    if (sp__check_tensor(x, "sp_grad", "x")) return NULL;
    return x->grad ? name_again(x->grad) : SP_NONE;
}

/* What a view is a view of may be x itself, which would then hold itself. */
static sp_tensor *keep_view(const sp_tensor *grad)
{
    sp_tensor *alias = name_again(grad);
    return alias ? sp_keep(alias) : NULL;
}

sp_status sp_set_grad(sp_tensor *x, sp_tensor *grad)
{
    if (sp__check_tensor(x, "sp_set_grad", "x")) return sp_error_status();
    if (!grad) return sp_raise_null("sp_set_grad", "grad");
    const sp__meta meta = sp__meta_of(x);
    bool none = sp__is_none(grad);
    if (!none && sp__check_gradient("sp_set_grad", "a gradient", &meta, grad)) return sp_error_status();
    if (grad == x) return sp_raise(SP_ERROR_ARGUMENT, "sp_set_grad: a tensor cannot be its own gradient");
    grad = none ? NULL : grad->base ? keep_view(grad) : sp__ref(grad);
    if (!none && !grad) return sp_error_status();
    sp__unref(x->grad);
    x->grad = grad;
    return SP_OK;
}

sp_tensor *sp_detach(sp_tensor *x)
{
    if (sp__check_tensor(x, "sp_detach", "x")) return NULL;
    return sp__tensor_alias(x);
}

const char *sp__made_by(const sp_tensor *x)
{
    if (sp__is_stale_view(x)) return "AsStridedBackward0";
    return x->grad_fn ? x->grad_fn->op->backward_name : "";
}

const char *sp_grad_fn_name(const sp_tensor *x)
{
    return sp__check_tensor(x, "sp_grad_fn_name", "x") ? "" : sp__made_by(x);
}

/* ---- hooks ---- */

static atomic_int_fast64_t last_handle;

/* Where x's hooks are: on its node, or on the leaf itself. */
static sp__hook **hooks_of(sp_tensor *x)
{
    return x->grad_fn ? &x->grad_fn->hooks : &x->hooks;
}

static sp_status check_hooked(const char *function, sp_tensor *x)
{
    if (sp__check_tensor(x, function, "x")) return sp_error_status();
    if (!sp__in_graph(x)) return sp_raise(SP_ERROR_STATE, "%s: the tensor does not require a gradient", function);
    sp__edge edge;
    sp_status status = sp__edge_of(x, &edge); /* a stale view gets its grad_fn */
    sp__unref(edge.node);
    return status;
}

/* Hooks run in the order in which they were registered: the new one goes last. */
static sp__hook *add_hook(sp_tensor *x)
{
    sp__hook *hook = sp_alloc(sizeof *hook);
    if (!hook) return NULL;
    hook->handle = atomic_fetch_add(&last_handle, 1) + 1;
    hook->output = x->grad_fn ? x->output : 0;
    hook->tensor = x;
    sp__hook **at = hooks_of(x);
    while (*at) at = &(*at)->next;
    *at = hook;
    return hook;
}

int64_t sp_register_hook(sp_tensor *x, sp_hook *hook, void *user)
{
    if (check_hooked("sp_register_hook", x)) return 0;
    if (!hook) {
        sp_raise_null("sp_register_hook", "hook");
        return 0;
    }
    sp__hook *entry = add_hook(x);
    if (!entry) return 0;
    entry->function = hook;
    entry->user = user;
    return entry->handle;
}

sp_status sp_remove_hook(sp_tensor *x, int64_t handle)
{
    if (sp__check_tensor(x, "sp_remove_hook", "x")) return sp_error_status();
    for (sp__hook **at = hooks_of(x); *at; at = &(*at)->next) {
        sp__hook *hook = *at;
        if (hook->handle != handle) continue;
        *at = hook->next;
        sp_free(hook, sizeof *hook);
        return SP_OK;
    }
    return sp_raise(SP_ERROR_NOT_FOUND, "sp_remove_hook: the tensor has no hook %lld", (long long)handle);
}

sp_status sp_retain_grad(sp_tensor *x)
{
    if (check_hooked("sp_retain_grad", x)) return sp_error_status();
    if (!x->grad_fn || x->retains_grad) return SP_OK;
    sp__hook *hook = add_hook(x);
    if (!hook) return sp_error_status();
    hook->retain_grad = true;
    x->retains_grad = true;
    return SP_OK;
}

sp_status sp_set_data(sp_tensor *x, sp_tensor *data)
{
    if (sp__check_tensor(x, "sp_set_data", "x") || sp__check_tensor(data, "sp_set_data", "data"))
        return sp_error_status();
    if (x->grad_fn || sp__base_of(x))
        return sp_raise(SP_ERROR_STATE, "sp_set_data: the tensor is not a leaf of its own");
    if (x->requires_grad && !sp_dtype_is_floating_point(data->dtype))
        return sp_raise(SP_ERROR_DTYPE, "sp_set_data: %s data for a tensor that requires a gradient",
                        sp_dtype_name(data->dtype));
    x->datas++;
    sp__storage_ref(data->storage);
    sp__storage_unref(x->storage);
    x->storage = data->storage;
    x->offset = data->offset;
    x->dtype = data->dtype;
    x->device = data->device;
    x->ndim = data->ndim;
    memcpy(x->sizes, data->sizes, sizeof x->sizes);
    memcpy(x->strides, data->strides, sizeof x->strides);
    sp__unref(x->grad);
    x->grad = NULL;
    return SP_OK;
}

/* What a program calls to get gradients: sp_backward into the leaves, sp_autograd_grad as a list. */
#include "autograd/engine.h"
#include <string.h>

static sp_status check_root(const char *function, sp_tensor *x)
{
    if (sp__check_tensor(x, function, "x")) return sp_error_status();
    if (sp__in_graph(x)) return SP_OK;
    return sp_raise(SP_ERROR_STATE, "%s: the tensor does not require a gradient and was not made from one that does",
                    function);
}

/* The gradient of an output with respect to itself. */
static sp_tensor *own_gradient(const char *function, sp_tensor *x)
{
    if (sp__product(x->ndim, x->sizes) == 1) return sp_ones_like(x);
    sp_raise(SP_ERROR_SHAPE,
             "%s: without a gradient to start from, the tensor must have one element; this one has shape "
             "%s: sum it, or give the gradient to sp_backward_with or sp_autograd_grad_with",
             function, sp__shape_of(x));
    return NULL;
}

static sp_status check_gradient(const char *function, const sp_tensor *x, const sp_tensor *grad)
{
    const sp__meta meta = sp__meta_of(x);
    return sp__check_gradient(function, "a gradient", &meta, grad);
}

static sp__run run_with(const sp_backward_options *options)
{
    sp_backward_options o;
    sp_options_copy(&o, sizeof o, options);
    return (sp__run){.create_graph = o.create_graph, .retain_graph = o.retain_graph || o.create_graph};
}

static sp_status backward(const char *function, sp_tensor *x, sp_tensor *gradient, const sp_backward_options *options)
{
    if (check_root(function, x)) return sp_error_status();
    sp_scope scope = sp_scope_open();
    sp__edge root = {0};
    if (!gradient) gradient = own_gradient(function, x);
    sp_status status = gradient ? check_gradient(function, x, gradient) : sp_error_status();
    if (!status) status = sp__edge_of(x, &root);
    sp__run r = run_with(options);
    if (!status) status = sp__run_pass(&r, &root, &gradient, 1);
    sp__unref(root.node);
    sp_scope_close(&scope);
    return status;
}

sp_status(sp_backward)(sp_tensor *x, const sp_backward_options *options)
{
    return backward("sp_backward", x, NULL, options);
}

sp_status(sp_backward_with)(sp_tensor *x, sp_tensor *gradient, const sp_backward_options *options)
{
    if (!gradient) return sp_raise_null("sp_backward_with", "gradient");
    return backward("sp_backward_with", x, gradient, options);
}

/* ---- sp_autograd_grad ---- */

static void drop_edges(sp__edge *edges, int64_t n)
{
    for (int64_t i = 0; edges && i < n; i++) sp__unref(edges[i].node);
    sp_free(edges, (size_t)n * sizeof *edges);
}

static sp__edge *edges_of(const char *function, const sp_list *list)
{
    sp__edge *edges = sp_alloc((size_t)list->n * sizeof *edges);
    for (int64_t i = 0; edges && i < list->n; i++)
        if (check_root(function, list->items[i]) || sp__edge_of(list->items[i], &edges[i])) {
            drop_edges(edges, list->n);
            return NULL;
        }
    return edges;
}

static sp_status gather_gradients(const sp_list *outputs, const sp_list *given, sp_tensor **grads)
{
    static const char function[] = "sp_autograd_grad";
    if (given && given->n != outputs->n)
        return sp_raise(SP_ERROR_ARGUMENT, "%s: %lld gradients for %lld outputs", function, (long long)given->n,
                        (long long)outputs->n);
    for (int64_t i = 0; i < outputs->n; i++) {
        bool own = !given || sp__is_none(given->items[i]);
        grads[i] = own ? own_gradient(function, outputs->items[i]) : given->items[i];
        if (!grads[i] || check_gradient(function, outputs->items[i], grads[i])) return sp_error_status();
    }
    return SP_OK;
}

static sp_list *collect(const sp__run *r, bool allow_unused)
{
    sp_list *list = sp_list_new(NULL, 0);
    for (int64_t i = 0; list && i < r->n_inputs; i++) {
        if (!r->results[i] && !allow_unused) {
            sp_raise(SP_ERROR_STATE,
                     "sp_autograd_grad: input %lld was not used to make the outputs: say .allow_unused = "
                     "true to get SP_NONE for it",
                     (long long)i);
            return NULL;
        }
        if (sp_list_append(list, r->results[i] ? r->results[i] : SP_NONE)) return NULL;
    }
    return list;
}

static sp_list *grad_of(const sp_list *outputs, const sp_list *inputs, const sp_list *given,
                        const sp_backward_options *options)
{
    static const char function[] = "sp_autograd_grad";
    sp_backward_options o;
    sp_options_copy(&o, sizeof o, options);
    sp__run r = run_with(options);
    sp_list *list = NULL;
    size_t n_out = (size_t)outputs->n, n_in = (size_t)inputs->n;
    sp_tensor **grads = sp_alloc(n_out * sizeof *grads);
    r.results = sp_alloc(n_in * sizeof *r.results);
    r.inputs = inputs->n ? inputs->items : r.results;
    r.n_inputs = inputs->n;
    sp__edge *roots = edges_of(function, outputs);
    r.targets = roots ? edges_of(function, inputs) : NULL;
    if (grads && r.results && r.targets && !gather_gradients(outputs, given, grads) &&
        !sp__run_pass(&r, roots, grads, outputs->n))
        list = collect(&r, o.allow_unused);
    for (int64_t i = 0; r.results && i < inputs->n; i++) sp__unref(r.results[i]);
    drop_edges(roots, outputs->n);
    drop_edges(r.targets, inputs->n);
    sp_free(grads, n_out * sizeof *grads);
    sp_free(r.results, n_in * sizeof *r.results);
    return list;
}

static sp_list *scoped_grad(const sp_list *outputs, const sp_list *inputs, const sp_list *given,
                            const sp_backward_options *options)
{
    static const char function[] = "sp_autograd_grad";
    if (sp__check(outputs, &sp__list_kind, function, "outputs") ||
        sp__check(inputs, &sp__list_kind, function, "inputs"))
        return NULL;
    sp_scope scope = sp_scope_open();
    sp_list *list = sp_escape(grad_of(outputs, inputs, given, options));
    sp_scope_close(&scope);
    return list;
}

sp_list *(sp_autograd_grad)(const sp_list *outputs, const sp_list *inputs, const sp_backward_options *options)
{
    return scoped_grad(outputs, inputs, NULL, options);
}

sp_list *(sp_autograd_grad_with)(const sp_list *outputs, const sp_list *inputs, const sp_list *grad_outputs,
                                 const sp_backward_options *options)
{
    if (sp__check(grad_outputs, &sp__list_kind, "sp_autograd_grad_with", "grad_outputs")) return NULL;
    return scoped_grad(outputs, inputs, grad_outputs, options);
}

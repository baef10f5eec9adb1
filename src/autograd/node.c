/* Nodes of the graph: making, saving, letting go. */
#include "autograd/node.h"
#include "autograd/fusion.h"
#include <string.h>

/* ---- destruction ---- */

static void free_hooks(sp__hook *hook)
{
    while (hook) {
        sp__hook *next = hook->next;
        sp_free(hook, sizeof *hook);
        hook = next;
    }
}

static void drop_saved(sp__saved *saved, int n)
{
    for (int i = 0; saved && i < n; i++) {
        sp__unref_inner(saved[i].tensor);
        saved[i].tensor = NULL;
    }
}

void sp__node_release(sp__node *node)
{
    drop_saved(node->saved_inputs, node->n_inputs);
    drop_saved(node->saved_outputs, node->n_outputs);
    node->released = true;
}

static void destroy_node(void *object)
{
    sp__node *node = object;
    sp__node_release(node);
    for (int i = 0; node->edges && i < node->n_inputs; i++) sp__unref(node->edges[i].node);
    sp__unref_inner(node->leaf);
    free_hooks(node->hooks);
    sp_free(node->block, node->block_size);
}

const sp_kind sp__node_kind = {"graph node", destroy_node};

/* A gradient that was to be kept for a tensor that goes: the node forgets about it. */
static void forget_retained(sp_tensor *x)
{
    for (sp__hook **at = &x->grad_fn->hooks; *at;) {
        sp__hook *hook = *at;
        if (hook->retain_grad && hook->tensor == x) {
            *at = hook->next;
            sp_free(hook, sizeof *hook);
        } else {
            at = &hook->next;
        }
    }
}

/* Only nodes hold x still, for its values or to run its hooks; its place in the graph they know by their edges. */
void sp__abandon_history(sp_tensor *x)
{
    if (x->retains_grad && x->grad_fn) forget_retained(x);
    x->retains_grad = false;
    sp__node *grad_fn = x->grad_fn;
    sp_tensor *grad = x->grad, *base = x->base;
    x->grad_fn = NULL;
    x->grad = x->base = NULL;
    sp__unref(grad_fn);
    sp__unref(grad);
    sp__unref(base);
    sp__unref(atomic_exchange(&x->accumulator, NULL));
}

void sp__forget_history(sp_tensor *x)
{
    sp__abandon_history(x);
    free_hooks(x->hooks);
    x->hooks = NULL;
}

/* ---- edges ---- */

bool sp__is_stale_view(const sp_tensor *x)
{
    const sp_tensor *base = sp__base_of(x);
    return base && x->base_generation != base->generation;
}

bool sp__in_graph(const sp_tensor *x)
{
    return x->requires_grad || x->grad_fn || sp__is_stale_view(x);
}

bool sp__should_record(sp_tensor *const *inputs, int n)
{
    if (!sp_grad_enabled()) return false;
    for (int i = 0; i < n; i++)
        if (!sp__is_none(inputs[i]) && sp__in_graph(inputs[i])) return true;
    return false;
}

/* Several threads may ask for that of one leaf: the first one's counts. */
static sp__node *accumulator_of(sp_tensor *x)
{
    sp__node *node = atomic_load_explicit(&x->accumulator, memory_order_acquire), *other = NULL;
    if (node) return sp__ref(node);
    node = sp__object_new_unowned(&sp__node_kind, sizeof *node);
    if (!node) return NULL;
    node->n_outputs = 1;
    node->leaf = sp__ref_inner(x);
    if (atomic_compare_exchange_strong(&x->accumulator, &other, node)) return sp__ref(node);
    sp__unref(node);
    return sp__ref(other);
}

sp_status sp__edge_of(sp_tensor *x, sp__edge *edge)
{
    *edge = (sp__edge){0};
    if (sp__is_none(x)) return SP_OK;
    if (sp__is_stale_view(x) && sp__refresh_view(x)) return sp_error_status();
    if (x->grad_fn) {
        *edge = (sp__edge){sp__ref(x->grad_fn), x->output};
    } else if (x->requires_grad) {
        edge->node = accumulator_of(x);
        if (!edge->node) return sp_error_status();
    }
    return SP_OK;
}

/* ---- making ---- */

sp__meta sp__meta_of(const sp_tensor *x)
{
    sp__meta meta = {.dtype = x->dtype, .device = x->device, .ndim = x->ndim};
    memcpy(meta.sizes, x->sizes, sizeof meta.sizes);
    return meta;
}

sp_status sp__check_gradient(const char *function, const char *what, const sp__meta *of, const sp_tensor *grad)
{
    if (sp__check_tensor(grad, function, what)) return sp_error_status();
    if (grad->ndim != of->ndim || memcmp(grad->sizes, of->sizes, (size_t)of->ndim * sizeof *of->sizes) != 0)
        return sp_raise(SP_ERROR_SHAPE, "%s: %s of shape %s for a tensor of shape %s", function, what,
                        sp__shape_of(grad), sp__shape_text(of->ndim, of->sizes));
    if (grad->dtype != of->dtype)
        return sp_raise(SP_ERROR_DTYPE, "%s: %s of dtype %s for a tensor of dtype %s", function, what,
                        sp_dtype_name(grad->dtype), sp_dtype_name(of->dtype));
    if (grad->device.kind != of->device.kind || grad->device.index != of->device.index)
        return sp_raise(SP_ERROR_DEVICE, "%s: %s on another device than its tensor", function, what);
    return SP_OK;
}

static size_t aligned(size_t bytes)
{
    return (bytes + 15) & ~(size_t)15;
}

/* One allocation for all of a node's arrays. */
static sp_status allocate_arrays(sp__node *node, size_t attributes_size)
{
    size_t inputs = (size_t)node->n_inputs, outputs = (size_t)node->n_outputs;
    size_t sizes[] = {inputs * sizeof(sp__edge), inputs * sizeof(sp__saved), outputs * sizeof(sp__saved),
                      inputs * sizeof(sp__meta), outputs * sizeof(sp__meta), attributes_size};
    size_t total = 0;
    for (int i = 0; i < 6; i++) total += aligned(sizes[i]);
    char *at = node->block = sp_alloc(total);
    if (!at) return sp_error_status();
    node->block_size = total;
    void *parts[6];
    for (int i = 0; i < 6; i++) {
        parts[i] = at;
        at += aligned(sizes[i]);
    }
    node->edges = parts[0];
    node->saved_inputs = parts[1];
    node->saved_outputs = parts[2];
    node->input_meta = parts[3];
    node->output_meta = parts[4];
    node->attributes = parts[5];
    return SP_OK;
}

static sp__saved save(sp_tensor *x)
{
    return (sp__saved){sp__ref_inner(x), sp__version(x)};
}

static sp_status fill_inputs(sp__node *node, sp_tensor *const *inputs)
{
    for (int i = 0; i < node->n_inputs; i++) {
        sp_tensor *x = inputs[i];
        if (sp__is_none(x)) continue;
        node->input_meta[i] = sp__meta_of(x);
        bool differentiable = sp_dtype_is_floating_point(x->dtype);
        if (differentiable && sp__edge_of(x, &node->edges[i])) return sp_error_status();
        bool is_saved = i < 16 ? node->op->saves >> i & 1 : node->op->saves == SP_SAVE_INPUTS;
        if (is_saved) node->saved_inputs[i] = save(x);
    }
    return SP_OK;
}

sp__node *sp__node_new(const sp_op *op, sp_tensor *const *inputs, int n, const void *attributes, int n_outputs)
{
    sp__node *node = sp__object_new_unowned(&sp__node_kind, sizeof *node);
    if (!node) return NULL;
    node->op = op;
    node->n_inputs = n;
    node->n_outputs = n_outputs;
    if (allocate_arrays(node, op->attributes_size) || fill_inputs(node, inputs)) {
        sp__unref(node);
        return NULL;
    }
    if (op->attributes_size && attributes) memcpy(node->attributes, attributes, op->attributes_size);
    return node;
}

void sp__node_set_output(sp__node *node, int i, const sp_tensor *x)
{
    node->output_meta[i] = sp__meta_of(x);
}

void sp__node_save_output(sp__node *node, int i, sp_tensor *x)
{
    const unsigned saves = node->op->saves | sp__fusion_saves(node->op);
    if (saves >> (16 + i) & 1) node->saved_outputs[i] = save(x);
}

sp_status sp__record(sp_call *call)
{
    sp__node *node = sp__node_new(call->op, call->inputs, call->n_inputs, call->attributes, call->n_outputs);
    if (!node) return sp_error_status();
    for (int i = 0; i < call->n_outputs; i++) {
        sp__node_set_output(node, i, call->outputs[i]);
        sp__node_save_output(node, i, call->outputs[i]);
        if (!sp_dtype_is_floating_point(call->outputs[i]->dtype)) continue;
        call->outputs[i]->grad_fn = sp__ref(node);
        call->outputs[i]->output = i;
    }
    sp__unref(node);
    return SP_OK;
}

/* ---- what backward asks ---- */

static sp_status check_saved(const sp__node *node, const sp__saved *saved, bool is_output)
{
    const sp_op *op = node->op;
    if (node->released)
        return sp_raise(SP_ERROR_STATE,
                        "backward through %s a second time: what it saved was freed by the first; say "
                        ".retain_graph = true there",
                        op->backward_name);
    if (!saved->tensor)
        return sp_raise(SP_ERROR_STATE, "%s asks for a tensor that its record does not save", op->backward_name);
    const sp_tensor *x = saved->tensor;
    const uint64_t now = sp__version(x), then = saved->version;
    if (now == then) return SP_OK;
    const char *const changed = now >> 32 == then >> 32 ? "changed in place" : "given other data by sp_set_data";
    return sp_raise(SP_ERROR_STATE,
                    "a tensor that backward needs was %s: the %s tensor of shape %s, which "
                    "is %s of sp_%s (%s), is at version %u, expected version %u",
                    changed, sp_dtype_name(x->dtype), sp__shape_of(x), is_output ? "the output" : "an input", op->name,
                    op->backward_name, (unsigned)now, (unsigned)then);
}

/* x with the place in the graph that it had when it was saved; its own may be another by now, or gone. */
static sp_tensor *with_history(const sp_tensor *x, const sp__edge *edge)
{
    sp_tensor *alias = sp__tensor_alias(x);
    if (!alias || !edge->node) return alias;
    sp__ref(edge->node);
    if (edge->node->leaf) {
        alias->requires_grad = true;
        atomic_init(&alias->accumulator, edge->node);
    } else {
        alias->grad_fn = edge->node;
        alias->output = edge->output;
    }
    return alias;
}

static sp_tensor *recall(const sp__saved *saved, const sp__edge *edge)
{
    return sp_grad_enabled() ? with_history(saved->tensor, edge) : saved->tensor;
}

sp_tensor *sp_saved_input(sp_grad_call *call, int i)
{
    sp__node *node = call->node;
    return check_saved(node, &node->saved_inputs[i], false) ? NULL : recall(&node->saved_inputs[i], &node->edges[i]);
}

sp_tensor *sp_saved_output(sp_grad_call *call, int i)
{
    sp__node *node = call->node;
    if (check_saved(node, &node->saved_outputs[i], true)) return NULL;
    return recall(&node->saved_outputs[i], &(sp__edge){node, i});
}

sp_dims sp_input_sizes(sp_grad_call *call, int i)
{
    const sp__node *node = call->node;
    return (sp_dims){node->input_meta[i].sizes, node->input_meta[i].ndim};
}

sp_dtype sp_input_dtype(sp_grad_call *call, int i)
{
    const sp__node *node = call->node;
    return node->input_meta[i].dtype;
}

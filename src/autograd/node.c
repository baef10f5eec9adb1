/* Nodes of the graph: making, saving, letting go. */
#include "autograd/node.h"
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
        sp__unref(saved[i].tensor);
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
    if (node->leaf) {
        node->leaf->accumulator = NULL;
        sp__unref(node->leaf);
    }
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

void sp__forget_history(sp_tensor *x)
{
    if (x->retains_grad && x->grad_fn) forget_retained(x);
    sp__unref(x->grad_fn);
    sp__unref(x->grad);
    sp__unref(x->base);
    free_hooks(x->hooks);
    x->grad_fn = NULL;
    x->grad = NULL;
    x->base = NULL;
    x->hooks = NULL;
}

/* ---- edges ---- */

static bool is_stale_view(const sp_tensor *x)
{
    return x->base && x->base_generation != x->base->generation;
}

bool sp__in_graph(const sp_tensor *x)
{
    return x->requires_grad || x->grad_fn || is_stale_view(x);
}

bool sp__should_record(sp_tensor *const *inputs, int n)
{
    if (!sp_grad_enabled()) return false;
    for (int i = 0; i < n; i++)
        if (!sp__is_none(inputs[i]) && sp__in_graph(inputs[i])) return true;
    return false;
}

static sp__node *accumulator_of(sp_tensor *x)
{
    if (x->accumulator) return sp__ref(x->accumulator);
    sp__node *node = sp__object_new_unowned(&sp__node_kind, sizeof *node);
    if (!node) return NULL;
    node->n_outputs = 1;
    node->leaf = sp__ref(x);
    x->accumulator = node;
    return node;
}

sp_status sp__edge_of(sp_tensor *x, sp__edge *edge)
{
    *edge = (sp__edge){0};
    if (sp__is_none(x)) return SP_OK;
    if (is_stale_view(x) && sp__refresh_view(x)) return sp_error_status();
    if (x->grad_fn) {
        *edge = (sp__edge){sp__ref(x->grad_fn), x->output};
    } else if (x->requires_grad) {
        edge->node = accumulator_of(x);
        if (!edge->node) return sp_error_status();
    }
    return SP_OK;
}

/* ---- making ---- */

static sp__meta meta_of(const sp_tensor *x)
{
    sp__meta meta = {.dtype = x->dtype, .device = x->device, .ndim = x->ndim};
    memcpy(meta.sizes, x->sizes, sizeof meta.sizes);
    return meta;
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

/* A view is saved as an alias with its grad_fn but without its base: a base changed in place later would hold, through
 * its new history, the view that holds it. */
static sp_status save_input(sp__node *node, int i, sp_tensor *x)
{
    sp_tensor *saved = x->base && !x->requires_grad ? sp__tensor_alias_unowned(x) : sp__ref(x);
    if (!saved) return sp_error_status();
    if (saved != x && x->grad_fn) {
        saved->grad_fn = sp__ref(x->grad_fn);
        saved->output = x->output;
    }
    node->saved_inputs[i] = (sp__saved){saved, sp__version(x)};
    return SP_OK;
}

static sp_status fill_inputs(sp__node *node, sp_tensor *const *inputs)
{
    for (int i = 0; i < node->n_inputs; i++) {
        sp_tensor *x = inputs[i];
        if (sp__is_none(x)) continue;
        node->input_meta[i] = meta_of(x);
        bool differentiable = sp_dtype_is_floating_point(x->dtype);
        if (differentiable && sp__edge_of(x, &node->edges[i])) return sp_error_status();
        bool save = i < 16 ? node->op->saves >> i & 1 : node->op->saves == SP_SAVE_INPUTS;
        if (save && save_input(node, i, x)) return sp_error_status();
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
    node->output_meta[i] = meta_of(x);
}

sp_status sp__node_save_output(sp__node *node, int i, const sp_tensor *x)
{
    if (!(node->op->saves >> (16 + i) & 1)) return SP_OK;
    /* An alias: the tensor itself would hold the node that holds it. */
    sp_tensor *alias = sp__tensor_alias_unowned(x);
    if (!alias) return sp_error_status();
    node->saved_outputs[i] = (sp__saved){alias, sp__version(x)};
    return SP_OK;
}

sp_status sp__record(sp_call *call)
{
    sp__node *node = sp__node_new(call->op, call->inputs, call->n_inputs, call->attributes, call->n_outputs);
    if (!node) return sp_error_status();
    sp_status status = SP_OK;
    for (int i = 0; i < call->n_outputs && !status; i++) {
        sp__node_set_output(node, i, call->outputs[i]);
        status = sp__node_save_output(node, i, call->outputs[i]);
    }
    for (int i = 0; i < call->n_outputs && !status; i++) {
        if (!sp_dtype_is_floating_point(call->outputs[i]->dtype)) continue;
        call->outputs[i]->grad_fn = sp__ref(node);
        call->outputs[i]->output = i;
    }
    sp__unref(node);
    return status;
}

/* ---- what backward asks ---- */

static sp_status check_saved(const sp__node *node, const sp__saved *saved, int ndim_of_output)
{
    const sp_op *op = node->op;
    if (node->released)
        return sp_raise(SP_ERROR_STATE,
                        "backward through %s a second time: what it saved was freed by the first; say "
                        ".retain_graph = true there",
                        op->backward_name);
    if (!saved->tensor)
        return sp_raise(SP_ERROR_STATE, "%s asks for a tensor that its record does not save", op->backward_name);
    if (sp__version(saved->tensor) == saved->version) return SP_OK;
    const sp_tensor *x = saved->tensor;
    return sp_raise(SP_ERROR_STATE,
                    "a tensor that backward needs was changed in place: the %s tensor of shape %s, which "
                    "is %s of sp_%s (%s), is at version %u, expected version %u",
                    sp_dtype_name(x->dtype), sp__shape_of(x), ndim_of_output ? "the output" : "an input", op->name,
                    op->backward_name, sp__version(x), saved->version);
}

sp_tensor *sp_saved_input(sp_grad_call *call, int i)
{
    sp__node *node = call->node;
    return check_saved(node, &node->saved_inputs[i], 0) ? NULL : node->saved_inputs[i].tensor;
}

sp_tensor *sp_saved_output(sp_grad_call *call, int i)
{
    sp__node *node = call->node;
    if (check_saved(node, &node->saved_outputs[i], 1)) return NULL;
    sp_tensor *x = sp__tensor_alias(node->saved_outputs[i].tensor);
    if (x && sp_grad_enabled()) {
        x->grad_fn = sp__ref(node);
        x->output = i;
    }
    return x;
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

/* The backward pass: an order of the graph, gradients flowing along it.
 *
 * Nodes run in reverse postorder of a depth-first walk that follows edges in order, so every node runs after all that
 * send it gradients, and sums add up in an order that depends on the graph alone. */
#include "autograd/node.h"
#include <string.h>

typedef struct entry {
    sp__node *node;
    int64_t first_slot;    /* of its outputs' gradients */
    uint64_t visit_before; /* what a run around this one had written into the node */
    int32_t position_before;
    bool wanted; /* leads to an input that the caller asked for */
} entry;

typedef struct frame {
    sp__node *node;
    int next_edge;
} frame;

/* A growing array. */
typedef struct vector {
    void *items;
    size_t n, capacity, size;
} vector;

typedef struct run {
    uint64_t id;
    vector entries; /* postorder */
    vector stack;
    sp_tensor **slots;
    size_t n_slots;
    bool create_graph, retain_graph;
    sp_tensor *const *inputs; /* the tensors whose gradients were asked for; NULL: accumulate into the leaves */
    sp__edge *targets;
    sp_tensor **results;
    int64_t n_inputs;
} run;

static void *push(vector *v)
{
    if (v->n == v->capacity) {
        size_t capacity = v->capacity ? 2 * v->capacity : 64;
        void *items = sp_alloc(capacity * v->size);
        if (!items) return NULL;
        if (v->n) memcpy(items, v->items, v->n * v->size);
        sp_free(v->items, v->capacity * v->size);
        v->items = items;
        v->capacity = capacity;
    }
    return (char *)v->items + v->n++ * v->size;
}

static void free_vector(vector *v)
{
    sp_free(v->items, v->capacity * v->size);
    *v = (vector){0};
}

static entry *entry_at(run *r, size_t i)
{
    return (entry *)r->entries.items + i;
}

static entry *entry_of(run *r, const sp__node *node)
{
    return entry_at(r, (size_t)node->position);
}

/* ---- the order ---- */

static bool is_target(const run *r, const sp__node *node)
{
    for (int64_t i = 0; i < r->n_inputs; i++)
        if (r->targets[i].node == node) return true;
    return false;
}

static bool leads_to_wanted(run *r, const sp__node *node)
{
    if (!r->inputs || is_target(r, node)) return true;
    for (int i = 0; node->edges && i < node->n_inputs; i++)
        if (node->edges[i].node && entry_of(r, node->edges[i].node)->wanted) return true;
    return false;
}

/* A node whose edges are all done takes the next place. */
static sp_status finish_node(run *r, sp__node *node)
{
    entry *e = push(&r->entries);
    if (!e) return sp_error_status();
    *e = (entry){.node = node, .first_slot = (int64_t)r->n_slots};
    e->visit_before = node->visit;
    e->position_before = node->position;
    e->wanted = leads_to_wanted(r, node);
    node->visit = r->id;
    node->position = (int32_t)(r->entries.n - 1);
    r->n_slots += (size_t)node->n_outputs;
    return SP_OK;
}

static bool is_done(const run *r, const sp__node *node)
{
    return node->visit == r->id;
}

static sp_status enter(run *r, sp__node *node)
{
    frame *f = push(&r->stack);
    if (!f) return sp_error_status();
    *f = (frame){node, 0};
    return SP_OK;
}

/* The graph has no cycles, so a node that is not done is not on the stack either. */
static sp_status walk(run *r, sp__node *root)
{
    if (!root || is_done(r, root)) return SP_OK;
    sp_status status = enter(r, root);
    while (!status && r->stack.n) {
        frame *top = (frame *)r->stack.items + r->stack.n - 1;
        sp__node *node = top->node, *next = NULL;
        while (node->edges && top->next_edge < node->n_inputs && !next) {
            next = node->edges[top->next_edge++].node;
            if (next && is_done(r, next)) next = NULL;
        }
        if (next) {
            status = enter(r, next);
        } else {
            r->stack.n--;
            if (!is_done(r, node)) status = finish_node(r, node);
        }
    }
    return status;
}

/* ---- flow ---- */

/* What arrives becomes the slot's, or adds to what is there. */
static sp_status add_to_slot(run *r, const sp__edge *edge, sp_tensor *grad)
{
    entry *e = entry_of(r, edge->node);
    sp_tensor **slot = &r->slots[e->first_slot + edge->output];
    sp_tensor *sum = *slot ? sp_add(*slot, grad) : grad;
    if (!sum) return sp_error_status();
    sp__ref(sum);
    sp__unref(*slot);
    *slot = sum;
    return SP_OK;
}

static bool same_sizes(const sp_tensor *x, const sp__meta *meta)
{
    return x->ndim == meta->ndim && memcmp(x->sizes, meta->sizes, (size_t)x->ndim * sizeof *x->sizes) == 0;
}

/* Hands gradient i of a node to what made its input i. */
static sp_status send(run *r, sp__node *node, int i, sp_tensor *grad)
{
    const sp__meta *meta = &node->input_meta[i];
    if (sp__check_tensor(grad, node->op->backward_name, "a gradient")) return sp_error_status();
    if (!same_sizes(grad, meta))
        return sp_raise(SP_ERROR_SHAPE, "%s returned a gradient of shape %s for an input of shape %s",
                        node->op->backward_name, sp__shape_of(grad), sp__shape_text(meta->ndim, meta->sizes));
    if (grad->dtype != meta->dtype) grad = sp_cast(grad, meta->dtype);
    return grad ? add_to_slot(r, &node->edges[i], grad) : sp_error_status();
}

static sp_status no_gradient(const sp__node *node, int i)
{
    return sp_raise(SP_ERROR_STATE, "%s gave no gradient for input %d", node->op->backward_name, i);
}

static sp_status run_backward(run *r, sp__node *node, sp_tensor *const *grads)
{
    bool needed[SP_MAX_INPUTS], any = false;
    for (int i = 0; i < node->n_inputs; i++) {
        needed[i] = node->edges[i].node && entry_of(r, node->edges[i].node)->wanted;
        any |= needed[i];
    }
    if (!any) return SP_OK;
    sp_grad_call call = {.op = node->op,
                         .attributes = node->attributes,
                         .grads = grads,
                         .n_outputs = node->n_outputs,
                         .needed = needed,
                         .n_inputs = node->n_inputs,
                         .node = node};
    sp_status status = node->op->backward(&call);
    if (status) sp_error_context("in %s: ", node->op->backward_name);
    for (int i = 0; i < node->n_inputs && !status; i++)
        if (needed[i]) status = call.result[i] ? send(r, node, i, call.result[i]) : no_gradient(node, i);
    return status;
}

/* ---- hooks and leaves ---- */

static sp_status set_grad(sp_tensor *x, sp_tensor *grad)
{
    sp__ref(grad);
    sp__unref(x->grad);
    x->grad = grad;
    return SP_OK;
}

/* Runs the hooks of one output in their order; may replace *slot. */
static sp_status run_hooks(sp__hook *hook, int output, sp_tensor **slot)
{
    for (; hook; hook = hook->next) {
        if (hook->output != output) continue;
        if (hook->retain_grad) {
            set_grad(hook->tensor, *slot);
            continue;
        }
        sp_tensor *grad = hook->function(*slot, hook->user);
        if (!grad) return sp_raise_null("sp_backward", "the gradient that a hook returned");
        if (sp__is_none(grad)) continue;
        if (sp__check_tensor(grad, "sp_backward", "a hook's gradient")) return sp_error_status();
        sp__ref(grad);
        sp__unref(*slot);
        *slot = grad;
    }
    return SP_OK;
}

/* Whether a gradient's memory is its own and arranged as the leaf's, so that the leaf may take it as it is. */
static bool can_take(const sp_tensor *leaf, const sp_tensor *grad)
{
    if (grad->grad_fn || sp__references(grad) != 1 || atomic_load(&grad->storage->refs) != 1) return false;
    for (int d = 0; d < grad->ndim; d++)
        if (grad->sizes[d] > 1 && grad->strides[d] != leaf->strides[d]) return false;
    size_t needed = (size_t)sp__product(grad->ndim, grad->sizes) * sp_dtype_size(grad->dtype);
    return grad->storage->bytes == needed;
}

/* A copy arranged as the leaf, which a gradient shared with others must not be. */
static sp_tensor *copy_like(const sp_tensor *leaf, sp_tensor *grad)
{
    sp_tensor *copy = sp__tensor_empty(grad->dtype, grad->device, grad->ndim, grad->sizes);
    if (!copy) return NULL;
    bool dense = copy->storage->bytes == leaf->storage->bytes;
    for (int d = 0; d < leaf->ndim; d++) dense &= leaf->strides[d] > 0 || leaf->sizes[d] < 2;
    if (dense) memcpy(copy->strides, leaf->strides, sizeof copy->strides);
    return sp__copy_values(copy, grad) ? NULL : copy;
}

static sp_status accumulate(run *r, sp_tensor *leaf, sp_tensor *grad)
{
    sp_tensor *sum;
    if (leaf->grad) {
        sum = sp_add(leaf->grad, grad);
        if (sum && !r->create_graph && !can_take(leaf, sum)) sum = copy_like(leaf, sum);
    } else if (r->create_graph || can_take(leaf, grad)) {
        sum = grad;
    } else {
        sum = copy_like(leaf, grad);
    }
    return sum ? set_grad(leaf, sum) : sp_error_status();
}

static sp_status capture(run *r, const entry *e)
{
    for (int64_t i = 0; i < r->n_inputs; i++) {
        if (r->targets[i].node != e->node) continue;
        sp_tensor *grad = r->slots[e->first_slot + r->targets[i].output];
        if (grad) r->results[i] = sp__ref(grad);
    }
    return SP_OK;
}

static bool anything_arrived(sp_tensor *const *slots, int n)
{
    for (int i = 0; i < n; i++)
        if (slots[i]) return true;
    return false;
}

static sp_status run_leaf(run *r, sp__node *node, sp_tensor **slot)
{
    sp_status status = run_hooks(node->leaf->hooks, 0, slot);
    return status || r->inputs ? status : accumulate(r, node->leaf, *slot);
}

static sp_status run_entry(run *r, const entry *e)
{
    sp__node *node = e->node;
    sp_tensor **slots = &r->slots[e->first_slot];
    if (!e->wanted || !anything_arrived(slots, node->n_outputs)) return SP_OK;
    sp_status status = SP_OK;
    if (node->leaf) {
        status = run_leaf(r, node, slots);
    } else {
        for (int i = 0; i < node->n_outputs && !status; i++)
            if (slots[i]) status = run_hooks(node->hooks, i, &slots[i]);
    }
    if (!status && r->inputs) capture(r, e);
    if (!status && !node->leaf) status = run_backward(r, node, slots);
    if (!status && !node->leaf && !r->retain_graph) sp__node_release(node);
    for (int i = 0; i < node->n_outputs; i++) {
        sp__unref(slots[i]);
        slots[i] = NULL;
    }
    return status;
}

/* Each node's temporaries go with a scope of its own. */
static sp_status flow(run *r)
{
    sp_status status = SP_OK;
    for (size_t i = r->entries.n; i-- > 0 && !status;) {
        sp_scope scope = r->create_graph ? sp_scope_open_grad() : sp_scope_open_no_grad();
        status = run_entry(r, entry_at(r, i));
        sp_scope_close(&scope);
    }
    return status;
}

/* ---- a whole pass ---- */

static sp_status seed(run *r, const sp__edge *roots, sp_tensor *const *grads, int64_t n)
{
    r->slots = sp_alloc(r->n_slots * sizeof *r->slots);
    if (!r->slots) return sp_error_status();
    sp_status status = SP_OK;
    sp_scope scope = r->create_graph ? sp_scope_open_grad() : sp_scope_open_no_grad();
    for (int64_t i = 0; i < n && !status; i++)
        if (roots[i].node) status = add_to_slot(r, &roots[i], grads[i]);
    sp_scope_close(&scope);
    return status;
}

static void clean_up(run *r)
{
    for (size_t i = 0; r->slots && i < r->n_slots; i++) sp__unref(r->slots[i]);
    sp_free(r->slots, r->n_slots * sizeof *r->slots);
    for (size_t i = r->entries.n; i-- > 0;) {
        entry *e = entry_at(r, i);
        e->node->visit = e->visit_before;
        e->node->position = e->position_before;
    }
    free_vector(&r->entries);
    free_vector(&r->stack);
}

static sp_status run_pass(run *r, const sp__edge *roots, sp_tensor *const *grads, int64_t n)
{
    static atomic_uint_fast64_t runs;
    r->id = atomic_fetch_add(&runs, 1) + 1;
    r->entries.size = sizeof(entry);
    r->stack.size = sizeof(frame);
    sp_status status = SP_OK;
    for (int64_t i = n; i-- > 0 && !status;) status = walk(r, roots[i].node);
    if (!status) status = seed(r, roots, grads, n);
    if (!status) status = flow(r);
    clean_up(r);
    return status;
}

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
             "%s: sum it, or use the function that takes a gradient",
             function, sp__shape_of(x));
    return NULL;
}

static sp_status check_gradient(const char *function, const sp_tensor *x, const sp_tensor *grad)
{
    if (sp__check_tensor(grad, function, "gradient")) return sp_error_status();
    if (x->ndim != grad->ndim || memcmp(x->sizes, grad->sizes, (size_t)x->ndim * sizeof *x->sizes) != 0)
        return sp_raise(SP_ERROR_SHAPE, "%s: a gradient of shape %s for a tensor of shape %s", function,
                        sp__shape_of(grad), sp__shape_of(x));
    if (grad->dtype != x->dtype)
        return sp_raise(SP_ERROR_DTYPE, "%s: a %s gradient for a %s tensor", function, sp_dtype_name(grad->dtype),
                        sp_dtype_name(x->dtype));
    return SP_OK;
}

static run run_with(const sp_backward_options *options)
{
    sp_backward_options o;
    sp_options_copy(&o, sizeof o, options);
    return (run){.create_graph = o.create_graph, .retain_graph = o.retain_graph || o.create_graph};
}

static sp_status backward(const char *function, sp_tensor *x, sp_tensor *gradient, const sp_backward_options *options)
{
    if (check_root(function, x)) return sp_error_status();
    sp_scope scope = sp_scope_open();
    sp__edge root = {0};
    if (!gradient) gradient = own_gradient(function, x);
    sp_status status = gradient ? check_gradient(function, x, gradient) : sp_error_status();
    if (!status) status = sp__edge_of(x, &root);
    run r = run_with(options);
    if (!status) status = run_pass(&r, &root, &gradient, 1);
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

static sp_list *collect(const run *r, bool allow_unused)
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
    run r = run_with(options);
    sp_list *list = NULL;
    size_t n_out = (size_t)outputs->n, n_in = (size_t)inputs->n;
    sp_tensor **grads = sp_alloc(n_out * sizeof *grads);
    r.results = sp_alloc(n_in * sizeof *r.results);
    r.inputs = inputs->n ? inputs->items : r.results;
    r.n_inputs = inputs->n;
    sp__edge *roots = edges_of(function, outputs);
    r.targets = roots ? edges_of(function, inputs) : NULL;
    if (grads && r.results && r.targets && !gather_gradients(outputs, given, grads) &&
        !run_pass(&r, roots, grads, outputs->n))
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

/* The backward pass: an order of the graph, gradients flowing along it.
 *
 * Nodes run in reverse postorder of a depth-first walk that follows edges in order, so every node runs after all that
 * send it gradients, and sums add up in an order that depends on the graph alone. */
#include "autograd/engine.h"
#include <string.h>

typedef struct frame {
    sp__node *node;
    int next_edge;
} frame;

static void *push(sp__vector *v)
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

static void free_vector(sp__vector *v)
{
    sp_free(v->items, v->capacity * v->size);
    *v = (sp__vector){0};
}

static sp__entry *entry_at(sp__run *r, size_t i)
{
    return (sp__entry *)r->entries.items + i;
}

/* ---- the order ---- */

bool sp__is_target(const sp__run *r, const sp__node *node)
{
    for (int64_t i = 0; i < r->n_inputs; i++)
        if (r->targets[i].node == node) return true;
    return false;
}

static bool leads_to_wanted(sp__run *r, const sp__node *node)
{
    if (!r->inputs || sp__is_target(r, node)) return true;
    for (int i = 0; node->edges && i < node->n_inputs; i++)
        if (node->edges[i].node && sp__entry_of(r, node->edges[i].node)->wanted) return true;
    return false;
}

/* A node whose edges are all done takes the next place. */
static sp_status finish_node(sp__run *r, sp__node *node)
{
    sp__entry *e = push(&r->entries);
    if (!e) return sp_error_status();
    *e = (sp__entry){.node = node, .first_slot = (int64_t)r->n_slots};
    e->visit_before = node->visit;
    e->position_before = node->position;
    e->wanted = leads_to_wanted(r, node);
    node->visit = r->id;
    node->position = (int32_t)(r->entries.n - 1);
    r->n_slots += (size_t)node->n_outputs;
    return SP_OK;
}

static bool is_done(const sp__run *r, const sp__node *node)
{
    return node->visit == r->id;
}

static sp_status enter(sp__run *r, sp__node *node)
{
    frame *f = push(&r->stack);
    if (!f) return sp_error_status();
    *f = (frame){node, 0};
    return SP_OK;
}

/* The graph has no cycles, so a node that is not done is not on the stack either. */
static sp_status walk(sp__run *r, sp__node *root)
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

/* A root is read by the caller, who gives it a gradient. */
static void count_readers(sp__run *r, const sp__edge *roots, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (roots[i].node) sp__entry_of(r, roots[i].node)->readers++;
    for (size_t k = 0; k < r->entries.n; k++) {
        const sp__node *node = entry_at(r, k)->node;
        for (int i = 0; node->edges && i < node->n_inputs; i++)
            if (node->edges[i].node) sp__entry_of(r, node->edges[i].node)->readers++;
    }
}

/* ---- flow ---- */

/* What arrives becomes the slot's, or adds to what is there. */
static sp_status add_to_slot(sp__run *r, const sp__edge *edge, sp_tensor *grad)
{
    sp__entry *e = sp__entry_of(r, edge->node);
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
static sp_status send(sp__run *r, sp__node *node, int i, sp_tensor *grad)
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

bool sp__needed(const sp__run *r, const sp__node *node, bool *needed)
{
    bool any = false;
    for (int i = 0; i < node->n_inputs; i++) {
        needed[i] = node->edges[i].node && sp__entry_of(r, node->edges[i].node)->wanted;
        any |= needed[i];
    }
    return any;
}

sp_grad_call sp__grad_call_of(sp__node *node, sp_tensor *const *grads, const bool *needed)
{
    return (sp_grad_call){.op = node->op,
                          .attributes = node->attributes,
                          .grads = grads,
                          .n_outputs = node->n_outputs,
                          .needed = needed,
                          .n_inputs = node->n_inputs,
                          .node = node};
}

sp_status sp__send_all(sp__run *r, sp__node *node, const sp_grad_call *call)
{
    sp_status status = SP_OK;
    for (int i = 0; i < node->n_inputs && !status; i++)
        if (call->needed[i]) status = call->result[i] ? send(r, node, i, call->result[i]) : no_gradient(node, i);
    return status;
}

static sp_status run_backward(sp__run *r, sp__node *node, sp_tensor *const *grads)
{
    bool needed[SP_MAX_INPUTS];
    sp_status status = SP_OK;
    if (!sp__needed(r, node, needed) || sp__run_chain(r, node, grads, &status)) return status;
    sp_grad_call call = sp__grad_call_of(node, grads, needed);
    status = node->op->backward(&call);
    if (status) sp_error_context("in %s: ", node->op->backward_name);
    return status ? status : sp__send_all(r, node, &call);
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

/* A view of what nobody else holds any more need not remember that it is a view. */
static void forget_base(sp_tensor *x)
{
    if (!x->base || x->grad_fn || sp__references(x->base) != 1) return;
    sp__unref(x->base);
    x->base = NULL;
}

/* Whether a gradient's memory is its own and arranged as the leaf's, so that the leaf may take it as it is. */
static bool can_take(const sp_tensor *leaf, sp_tensor *grad)
{
    if (grad->grad_fn || sp__references(grad) != 1) return false;
    for (int d = 0; d < grad->ndim; d++)
        if (grad->sizes[d] > 1 && grad->strides[d] != leaf->strides[d]) return false;
    size_t needed = (size_t)sp__product(grad->ndim, grad->sizes) * sp_dtype_size(grad->dtype);
    if (grad->storage->bytes != needed) return false;
    forget_base(grad);
    return atomic_load(&grad->storage->refs) == 1;
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

static sp_status accumulate(sp__run *r, sp_tensor *leaf, sp_tensor *grad)
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

static sp_status capture(sp__run *r, const sp__entry *e)
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

static sp_status run_leaf(sp__run *r, sp__node *node, sp_tensor **slot)
{
    sp_status status = run_hooks(node->leaf->hooks, 0, slot);
    return status || r->inputs ? status : accumulate(r, node->leaf, *slot);
}

static sp_status run_entry(sp__run *r, const sp__entry *e)
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
static sp_status flow(sp__run *r)
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

static sp_status seed(sp__run *r, const sp__edge *roots, sp_tensor *const *grads, int64_t n)
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

static void clean_up(sp__run *r)
{
    for (size_t i = 0; r->slots && i < r->n_slots; i++) sp__unref(r->slots[i]);
    sp_free(r->slots, r->n_slots * sizeof *r->slots);
    for (size_t i = r->entries.n; i-- > 0;) {
        sp__entry *e = entry_at(r, i);
        e->node->visit = e->visit_before;
        e->node->position = e->position_before;
    }
    free_vector(&r->entries);
    free_vector(&r->stack);
}

sp_status sp__run_pass(sp__run *r, const sp__edge *roots, sp_tensor *const *grads, int64_t n)
{
    static atomic_uint_fast64_t runs;
    const sp_dtype autocast = sp_autocast_dtype();
    r->id = atomic_fetch_add(&runs, 1) + 1;
    r->entries.size = sizeof(sp__entry);
    r->stack.size = sizeof(frame);
    sp_status status = SP_OK;
    sp__set_autocast(SP_DTYPE_DEFAULT); /* gradients run in the dtypes that forward chose */
    for (int64_t i = n; i-- > 0 && !status;) status = walk(r, roots[i].node);
    if (!status) count_readers(r, roots, n);
    if (!status) status = seed(r, roots, grads, n);
    if (!status) status = flow(r);
    clean_up(r);
    sp__set_autocast(autocast);
    return status;
}

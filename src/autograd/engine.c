/* The backward pass: gradients flow along the order of order.c, and add up where they meet in an order that depends on
 * the graph alone. */
#include "autograd/engine.h"
#include <spusk/pointwise.h>
#include <string.h>

/* ---- flow ---- */

/* What arrives becomes the slot's, or adds to what is there. */
static sp_status add_to_slot(sp__run *r, const sp__entry *e, int output, sp_tensor *grad)
{
    sp_tensor **slot = &r->slots[e->first_slot + (size_t)output];
    if (grad == r->grown) return SP_OK;
    sp_tensor *sum = *slot ? sp_add(*slot, grad) : grad;
    if (!sum) return sp_error_status();
    sum->stands_in = false; /* no user sees what it was a view of */
    sp__ref(sum);
    sp__unref(*slot);
    *slot = sum;
    return SP_OK;
}

sp_tensor *sp__sum_so_far(const sp_grad_call *call, int i)
{
    sp__run *r = call->pass;
    const sp__node *node = call->node;
    if (!r || r->create_graph) return NULL;
    const sp__entry *next = sp__behind(r, sp__entry_of(r, node), i);
    sp_tensor *sum = r->slots[next->first_slot + (size_t)node->edges[i].output];
    const bool own = sum && !sum->grad_fn && !sum->base && sp__references(sum) == 1 && sp__is_ready(sum) &&
                     atomic_load(&sum->storage->refs) == 1 && sum->dtype == node->input_meta[i].dtype &&
                     sp_is_dense(sum);
    r->grown = own ? sum : NULL;
    return r->grown;
}

/* Hands gradient i of a node to what made its input i. */
static sp_status send(sp__run *r, const sp__entry *e, int i, sp_tensor *grad)
{
    const sp__node *node = e->node;
    const sp__meta *meta = &node->input_meta[i];
    const char *name = node->op->backward_name;
    if (sp__check_tensor(grad, name, "a gradient")) return sp_error_status();
    if (grad->dtype != meta->dtype) grad = sp_cast(grad, meta->dtype);
    if (!grad || sp__check_gradient(name, "a gradient", meta, grad)) return sp_error_status();
    return add_to_slot(r, sp__behind(r, e, i), node->edges[i].output, grad);
}

static sp_status no_gradient(const sp__node *node, int i)
{
    return sp_raise(SP_ERROR_STATE, "%s gave no gradient for input %d", node->op->backward_name, i);
}

bool sp__needed(const sp__run *r, const sp__entry *e, bool *needed)
{
    bool any = false;
    for (int i = 0; i < e->node->n_inputs; i++) {
        const sp__entry *next = sp__behind(r, e, i);
        needed[i] = next && next->wanted;
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

sp_status sp__send_all(sp__run *r, const sp__entry *e, const sp_grad_call *call)
{
    sp_status status = SP_OK;
    for (int i = 0; i < e->node->n_inputs && !status; i++)
        if (call->needed[i]) status = call->result[i] ? send(r, e, i, call->result[i]) : no_gradient(e->node, i);
    return status;
}

static sp_status run_backward(sp__run *r, const sp__entry *e, sp_tensor *const *grads)
{
    sp__node *node = e->node;
    bool needed[SP_MAX_INPUTS];
    sp_status status = SP_OK;
    if (!sp__needed(r, e, needed) || sp__fuse_backward(r, node, grads, &status)) return status;
    sp_grad_call call = sp__grad_call_of(node, grads, needed);
    call.pass = r;
    r->grown = NULL;
    status = node->op->backward(&call);
    if (status) sp_error_context("in %s: ", node->op->backward_name);
    if (!status) status = sp__send_all(r, e, &call);
    r->grown = NULL;
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

/* What a hook returns goes on in place of what it saw, so it must be like that. */
static sp_status run_hook(const sp__hook *hook, const sp__meta *meta, sp_tensor **slot)
{
    sp_tensor *grad = hook->function(*slot, hook->user);
    if (!grad) return sp_raise_null("sp_backward", "the gradient that a hook returned");
    if (sp__is_none(grad)) return SP_OK;
    if (sp__check_gradient("sp_backward", "a hook's gradient", meta, grad)) return sp_error_status();
    sp__ref(grad);
    sp__unref(*slot);
    *slot = grad;
    return SP_OK;
}

/* Runs the hooks of one output in their order; may replace *slot. */
static sp_status run_hooks(const sp__hook *hook, int output, const sp__meta *meta, sp_tensor **slot)
{
    sp_status status = SP_OK;
    for (const sp__hook *next; hook && !status; hook = next) {
        next = hook->next; /* a hook may remove itself */
        if (hook->output != output) continue;
        status = hook->retain_grad ? set_grad(hook->tensor, *slot) : run_hook(hook, meta, slot);
    }
    return status;
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
        sp_tensor *grad = r->slots[e->first_slot + (size_t)r->targets[i].output];
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

/* The leaf may have got another shape since the graph was made. One that only graphs hold gets no gradient: nobody
 * could ask for it, and it could hold the graph that holds the leaf. */
static sp_status run_leaf(sp__run *r, sp_tensor *leaf, sp_tensor **slot)
{
    const sp__meta meta = sp__meta_of(leaf);
    sp_status status = sp__check_gradient("sp_backward", "a gradient", &meta, *slot);
    if (!status) status = run_hooks(leaf->hooks, 0, &meta, slot);
    if (status || r->inputs || !sp__ref_if_seen(leaf)) return status;
    status = accumulate(r, leaf, *slot);
    sp__unref(leaf);
    return status;
}

static sp_status run_entry(sp__run *r, const sp__entry *e)
{
    sp__node *node = e->node;
    sp_tensor **slots = &r->slots[e->first_slot];
    if (!e->wanted || !anything_arrived(slots, node->n_outputs)) return SP_OK;
    sp_status status = SP_OK;
    if (node->leaf) {
        status = run_leaf(r, node->leaf, slots);
    } else {
        for (int i = 0; i < node->n_outputs && !status; i++)
            if (slots[i]) status = run_hooks(node->hooks, i, &node->output_meta[i], &slots[i]);
    }
    if (!status && r->inputs) capture(r, e);
    if (!status && !node->leaf) status = run_backward(r, e, slots);
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
        status = run_entry(r, sp__entry_at(r, i));
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
        if (roots[i].node) status = add_to_slot(r, sp__entry_of(r, roots[i].node), roots[i].output, grads[i]);
    sp_scope_close(&scope);
    return status;
}

static void clean_up(sp__run *r)
{
    for (size_t i = 0; r->slots && i < r->n_slots; i++) sp__unref(r->slots[i]);
    sp_free(r->slots, r->n_slots * sizeof *r->slots);
    sp__drop_order(r);
}

sp_status sp__run_pass(sp__run *r, const sp__edge *roots, sp_tensor *const *grads, int64_t n)
{
    const sp_dtype autocast = sp_autocast_dtype();
    sp__set_autocast(SP_DTYPE_DEFAULT); /* gradients run in the dtypes that forward chose */
    sp_status status = sp__find_order(r, roots, n);
    if (!status) status = seed(r, roots, grads, n);
    if (!status) status = flow(r);
    clean_up(r);
    sp__set_autocast(autocast);
    return status;
}

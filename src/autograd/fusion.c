/* Finds the fusions of the table: forward among deferred calls, backward among the nodes of the graph. */
#include "autograd/fusion.h"
#include "autograd/deferred.h"
#include "autograd/engine.h"

static _Atomic(const sp__fusion *) table = sp__all_fusions;

void sp__set_fusions(const sp__fusion *fusions)
{
    atomic_store(&table, fusions);
}

static const sp__fusion *first_fusion(void)
{
    return atomic_load_explicit(&table, memory_order_relaxed);
}

static bool ends_with(const sp__fusion *f, const sp_op *op)
{
    return f->ops[f->n - 1] == op;
}

/* ---- forward ---- */

static void drop(sp__deferred *const *calls, int n)
{
    for (int i = 0; i < n; i++) sp__deferred_drop(calls[i]);
}

/* Holds the deferred calls of the fusion's first n operators; the last of them made x. False, and nothing is held, where
 * x was made otherwise. */
static bool find_deferred(const sp__fusion *f, int n, const sp_tensor *x, sp__deferred **calls)
{
    for (int i = n - 1; i >= 0; i--) {
        calls[i] = sp__deferred_of(x, f->ops[i]);
        if (!calls[i]) {
            drop(&calls[i + 1], n - 1 - i);
            return false;
        }
        x = calls[i]->inputs[0];
    }
    return true;
}

bool sp__may_begin_fusion(const sp_op *op)
{
    for (const sp__fusion *f = first_fusion(); f->n; f++)
        if (f->ops[0] == op) return true;
    return false;
}

static bool begins_one(const sp_call *call)
{
    for (const sp__fusion *f = first_fusion(); f->n; f++)
        if (f->ops[0] == call->op && f->pays(call)) return true;
    return false;
}

static bool goes_on_with_one(const sp_call *call)
{
    sp__deferred *calls[SP__MOST_FUSED];
    for (const sp__fusion *f = first_fusion(); f->n; f++)
        for (int i = 1; i < f->n; i++)
            if (f->ops[i] == call->op && find_deferred(f, i, call->inputs[0], calls)) {
                drop(calls, i);
                return true;
            }
    return false;
}

/* A call that goes on with a fusion leaves input 0 deferred. */
sp_status sp__fuse_later(sp_call *call, bool *deferred)
{
    const bool begins = begins_one(call), goes_on = !begins && goes_on_with_one(call);
    *deferred = (begins || goes_on) && sp__can_defer(call);
    if (!*deferred) return SP_OK;
    sp_status status = sp__ready_all(call->inputs + goes_on, call->n_inputs - goes_on);
    return status ? status : sp__defer(call);
}

static sp_status try_forward(const sp__fusion *f, const sp_call *last, bool *taken)
{
    sp__deferred *deferred[SP__MOST_FUSED];
    sp_call calls[SP__MOST_FUSED];
    const int n = f->n - 1;
    if (!find_deferred(f, n, last->inputs[0], deferred)) return SP_OK;
    for (int i = 0; i < n; i++) calls[i] = sp__deferred_call(deferred[i]);
    calls[n] = *last;
    sp_status status = sp__ready_all(last->inputs + 1, last->n_inputs - 1);
    if (!status) status = f->forward(calls, taken);
    drop(deferred, n);
    return status;
}

sp_status sp__fuse_now(const sp_call *call, bool *taken)
{
    sp_status status = SP_OK;
    *taken = false;
    for (const sp__fusion *f = first_fusion(); f->n && !status && !*taken; f++)
        if (ends_with(f, call->op)) status = try_forward(f, call, taken);
    return status;
}

/* ---- backward: where nothing but the fusion sees what lies between, and nobody differentiates again ---- */

unsigned sp__fusion_saves(const sp_op *op)
{
    unsigned saves = 0;
    for (const sp__fusion *f = first_fusion(); f->n; f++)
        if (f->saves && ends_with(f, op)) saves |= f->saves;
    return saves;
}

static bool is_intact(const sp__saved *saved, int n)
{
    for (int i = 0; saved && i < n; i++)
        if (saved[i].tensor && sp__version(saved[i].tensor) != saved[i].version) return false;
    return true;
}

/* Whether what a node saved is there and as it was. */
static bool is_whole(const sp__node *node)
{
    return !node->released && is_intact(node->saved_inputs, node->n_inputs) &&
           is_intact(node->saved_outputs, node->n_outputs);
}

/* Whether nothing but the fusion sees what this node made. */
static bool is_inner(const sp__run *r, const sp__node *node)
{
    return !node->hooks && sp__entry_of(r, node)->readers == 1 && !(r->inputs && sp__is_target(r, node)) &&
           is_whole(node);
}

/* Finds the fusion's nodes from the last back to the first; false where the graph has others. */
static bool find_nodes(const sp__run *r, const sp__fusion *f, sp__node *last, sp__node **nodes)
{
    if (!is_whole(last)) return false;
    nodes[f->n - 1] = last;
    for (int i = f->n - 2; i >= 0; i--) {
        const sp__edge *edge = &nodes[i + 1]->edges[0];
        if (!edge->node || edge->output != 0 || edge->node->op != f->ops[i] || !is_inner(r, edge->node)) return false;
        nodes[i] = edge->node;
    }
    return true;
}

static sp_status end_backward(sp__run *r, sp__node **nodes, int n, const sp_grad_call *calls, sp_status status)
{
    if (status) sp_error_context("in %s: ", nodes[0]->op->backward_name);
    for (int i = 0; i < n && !status; i++) status = sp__send_all(r, sp__entry_of(r, nodes[i]), &calls[i]);
    for (int i = 0; i < n - 1 && !r->retain_graph; i++) sp__node_release(nodes[i]);
    return status;
}

/* All calls see the gradients of the last. What lies between them needs none. */
static bool try_backward(sp__run *r, const sp__fusion *f, sp__node *last, sp_tensor *const *grads, sp_status *status)
{
    sp__node *nodes[SP__MOST_FUSED];
    sp_grad_call calls[SP__MOST_FUSED];
    bool needed[SP__MOST_FUSED][SP_MAX_INPUTS], taken = false;
    if (!find_nodes(r, f, last, nodes) || !sp__needed(r, sp__entry_of(r, nodes[0]), needed[0])) return false;
    for (int i = 0; i < f->n; i++) {
        if (i > 0) sp__needed(r, sp__entry_of(r, nodes[i]), needed[i]);
        if (i > 0) needed[i][0] = false;
        calls[i] = sp__grad_call_of(nodes[i], grads, needed[i]);
    }
    *status = f->backward(calls, &taken);
    if (!*status && !taken) return false;
    *status = end_backward(r, nodes, f->n, calls, *status);
    return true;
}

bool sp__fuse_backward(sp__run *r, sp__node *node, sp_tensor *const *grads, sp_status *status)
{
    if (r->create_graph || !grads[0]) return false;
    for (const sp__fusion *f = first_fusion(); f->n; f++)
        if (f->backward && ends_with(f, node->op) && try_backward(r, f, node, grads, status)) return true;
    return false;
}

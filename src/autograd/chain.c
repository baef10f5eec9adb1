/* Gradients of several calls at once. Where an operator's record names a chain, and the nodes behind it are the
 * chain's, read by nobody else, without hooks, unchanged, and not to be differentiated again, the chain's one gradient
 * runs in place of theirs. */
#include "autograd/engine.h"

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

/* Whether nothing but the chain sees what this node made. */
static bool is_inner(const sp__run *r, const sp__node *node)
{
    return !node->hooks && sp__entry_of(r, node)->readers == 1 && !(r->inputs && sp__is_target(r, node)) &&
           is_whole(node);
}

/* The nodes of a chain from its last call back to its first; how many, or 0 where the graph has others. */
static int follow(const sp__run *r, sp__node *node, const sp__chain *chain, sp__node **nodes)
{
    int n = 0;
    for (nodes[n++] = node; chain->ops[n - 1]; n++) {
        const sp__edge *edge = &nodes[n - 1]->edges[0];
        if (!edge->node || edge->output != 0 || edge->node->op != chain->ops[n - 1] || !is_inner(r, edge->node))
            return 0;
        nodes[n] = edge->node;
    }
    return n;
}

static sp_status end_chain(sp__run *r, sp__node **nodes, int n, const sp_grad_call *innermost, sp_status status)
{
    if (status) sp_error_context("in %s: ", nodes[n - 1]->op->backward_name);
    if (!status) status = sp__send_all(r, sp__entry_of(r, nodes[n - 1]), innermost);
    for (int i = 1; i < n && !r->retain_graph; i++) sp__node_release(nodes[i]);
    return status;
}

/* What stands between passes on what it gets; only the innermost has results. */
static bool try_chain(sp__run *r, const sp__chain *chain, sp__node *node, sp_tensor *const *grads, sp_status *status)
{
    sp__node *nodes[SP__LONGEST_CHAIN + 1];
    sp_grad_call calls[SP__LONGEST_CHAIN + 1];
    bool needed[SP_MAX_INPUTS], taken = false;
    const int n = follow(r, node, chain, nodes);
    if (n == 0 || !sp__needed(r, sp__entry_of(r, nodes[n - 1]), needed)) return false;
    for (int i = 0; i < n; i++) calls[i] = sp__grad_call_of(nodes[i], grads, needed);
    *status = chain->backward(calls, &taken);
    if (!*status && !taken) return false;
    *status = end_chain(r, nodes, n, &calls[n - 1], *status);
    return true;
}

bool sp__run_chain(sp__run *r, sp__node *node, sp_tensor *const *grads, sp_status *status)
{
    if (!node->op->chains || r->create_graph || !grads[0] || !is_whole(node)) return false;
    for (const sp__chain *chain = node->op->chains; chain->backward; chain++)
        if (try_chain(r, chain, node, grads, status)) return true;
    return false;
}

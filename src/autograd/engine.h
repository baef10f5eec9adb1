/* A backward pass in progress: between engine.c, chain.c and backward.c. */
#ifndef SPUSK_AUTOGRAD_ENGINE_H
#define SPUSK_AUTOGRAD_ENGINE_H

#include "autograd/node.h"

typedef struct sp__entry {
    sp__node *node;
    int64_t first_slot;    /* of its outputs' gradients */
    uint64_t visit_before; /* what a run around this one had written into the node */
    int32_t position_before;
    int readers; /* edges of this pass that lead to it */
    bool wanted; /* leads to an input that the caller asked for */
} sp__entry;

/* A growing array. */
typedef struct sp__vector {
    void *items;
    size_t n, capacity, size;
} sp__vector;

typedef struct sp__run {
    uint64_t id;
    sp__vector entries; /* postorder */
    sp__vector stack;
    sp_tensor **slots;
    size_t n_slots;
    bool create_graph, retain_graph;
    sp_tensor *const *inputs; /* the tensors whose gradients were asked for; NULL: accumulate into the leaves */
    sp__edge *targets;
    sp_tensor **results;
    int64_t n_inputs;
} sp__run;

static inline sp__entry *sp__entry_of(const sp__run *r, const sp__node *node)
{
    return (sp__entry *)r->entries.items + node->position;
}

/* Runs a whole pass from n roots with their gradients. */
sp_status sp__run_pass(sp__run *r, const sp__edge *roots, sp_tensor *const *grads, int64_t n);
/* Whether the gradient of a tensor that this node made was asked for. */
bool sp__is_target(const sp__run *r, const sp__node *node);
/* Which inputs of a node want gradients; whether any does. */
bool sp__needed(const sp__run *r, const sp__node *node, bool *needed);
/* Hands the gradients that a call gave to what made its inputs. */
sp_status sp__send_all(sp__run *r, sp__node *node, const sp_grad_call *call);
/* The gradient call of a node. */
sp_grad_call sp__grad_call_of(sp__node *node, sp_tensor *const *grads, const bool *needed);
/* Tries the chains of a node's operator, whose gradient is in `grads`: true when one ran, with its status. */
bool sp__run_chain(sp__run *r, sp__node *node, sp_tensor *const *grads, sp_status *status);

#endif

/* A backward pass in progress: between order.c, engine.c, fusion.c and backward.c. */
#ifndef SPUSK_AUTOGRAD_ENGINE_H
#define SPUSK_AUTOGRAD_ENGINE_H

#include "autograd/node.h"

typedef struct sp__entry {
    sp__node *node;
    size_t first_slot; /* of its outputs' gradients */
    size_t first_edge;
    int readers; /* edges of this pass that lead to it */
    bool wanted; /* leads to an input that the caller asked for */
} sp__entry;

/* A growing array. */
typedef struct sp__vector {
    void *items;
    size_t n, capacity;
} sp__vector;

typedef struct sp__run {
    sp__vector entries; /* of nodes, postorder */
    sp__vector edges;   /* for each edge of each entry the number, from 1, of the entry that it leads to; 0: none */
    sp__vector stack;
    uint32_t *places; /* a table by nodes' addresses, of entries' numbers */
    size_t n_places;
    sp_tensor **slots;
    size_t n_slots;
    sp_tensor *grown; /* a slot's sum that the node in hand has added to in place; NULL: none */
    bool create_graph, retain_graph;
    sp_tensor *const *inputs; /* the tensors whose gradients were asked for; NULL: accumulate into the leaves */
    sp__edge *targets;
    sp_tensor **results;
    int64_t n_inputs;
} sp__run;

static inline sp__entry *sp__entry_at(const sp__run *r, size_t i)
{
    return (sp__entry *)r->entries.items + i;
}
/* Where edge i of an entry's node leads; NULL: nowhere. */
static inline sp__entry *sp__behind(const sp__run *r, const sp__entry *e, int i)
{
    const uint32_t number = ((const uint32_t *)r->edges.items)[e->first_edge + (size_t)i];
    return number ? sp__entry_at(r, number - 1) : NULL;
}
/* The entry of a node; NULL while it has none. */
sp__entry *sp__entry_of(const sp__run *r, const sp__node *node);
/* Fills the tables for a pass from n roots; frees them. */
sp_status sp__find_order(sp__run *r, const sp__edge *roots, int64_t n);
void sp__drop_order(sp__run *r);

/* Runs a whole pass from n roots with their gradients. */
sp_status sp__run_pass(sp__run *r, const sp__edge *roots, sp_tensor *const *grads, int64_t n);
/* Whether the gradient of a tensor that this node made was asked for. */
bool sp__is_target(const sp__run *r, const sp__node *node);
/* Which inputs of a node want gradients; whether any does. */
bool sp__needed(const sp__run *r, const sp__entry *e, bool *needed);
/* Hands the gradients that a call gave to what made its inputs. */
sp_status sp__send_all(sp__run *r, const sp__entry *e, const sp_grad_call *call);
/* The gradient call of a node. */
sp_grad_call sp__grad_call_of(sp__node *node, sp_tensor *const *grads, const bool *needed);
/* Tries the fusions that end with a node's operator, whose gradients are `grads`: true when one ran, with its status.
 */
bool sp__fuse_backward(sp__run *r, sp__node *node, sp_tensor *const *grads, sp_status *status);

#endif

/* Making nodes: what apply.c asks of node.c and inplace.c. */
#ifndef SPUSK_NODE_H
#define SPUSK_NODE_H

#include "autograd/autograd.h"

extern const sp_kind sp__node_kind;

/* Records a finished call: gives its floating outputs their grad_fn. */
sp_status sp__record(sp_call *call);
/* A node for a call with these inputs: edges, shapes, attributes, saved inputs. One reference; outputs are not set. */
sp__node *sp__node_new(const sp_op *op, sp_tensor *const *inputs, int n, const void *attributes, int n_outputs);
/* Notes the shape of output i. */
void sp__node_set_output(sp__node *node, int i, const sp_tensor *x);
/* Keeps output i for backward, where the operator's record or a fusion says so. */
void sp__node_save_output(sp__node *node, int i, sp_tensor *x);
/* Drops what backward would read. */
void sp__node_release(sp__node *node);
/* Whether x is a view whose base has a new history that x has yet to follow. */
bool sp__is_stale_view(const sp_tensor *x);
/* Whether x, or the base of the view x, has a place in the graph. */
bool sp__in_graph(const sp_tensor *x);

/* A change in place on its way: made before anything is written, so that a failure changes nothing. */
typedef struct sp__pending {
    sp__node *node; /* of the operator */
    sp__node *base; /* of the base that x is a view of; NULL when x is none */
} sp__pending;
sp_status sp__prepare_inplace(const sp_op *op, sp_tensor *const *inputs, int n, const void *attributes,
                              sp__pending *pending);
void sp__rebase(sp_tensor *x, sp__pending *pending);
void sp__drop_pending(sp__pending *pending);
/* Gives a view whose base was changed in place its new grad_fn. */
sp_status sp__refresh_view(sp_tensor *x);

#endif

/* Fusion: operators in a row that run as one. src/fusion/ has them; its README.md tells how it works. */
#ifndef SPUSK_AUTOGRAD_FUSION_H
#define SPUSK_AUTOGRAD_FUSION_H

#include "autograd/autograd.h"

enum { SP__MOST_FUSED = 3 };

/* Operators in a row. Each makes input 0 of the next. The functions get the calls in this order. *taken is false; they
 * set it, unless the calls do not suit them. Then they have done nothing. Backward gives the results of the first call,
 * and those of other inputs that later calls need. */
typedef struct sp__fusion {
    int n;                             /* of operators; 0 ends a table */
    const sp_op *ops[SP__MOST_FUSED];  /* from the first to the last */
    bool (*pays)(const sp_call *call); /* whether the first call is worth deferring; after its infer */
    sp_status (*forward)(const sp_call *calls, bool *taken); /* the last outputs from the first inputs; all are ready */
    sp_status (*backward)(sp_grad_call *calls, bool *taken); /* the results from the last gradients; or NULL */
    unsigned saves; /* what backward reads of the last call and its own record does not save */
} sp__fusion;

/* All of the library's. Declared here and defined in src/fusion/table.c: autograd knows no operators. */
extern const sp__fusion sp__all_fusions[];
/* Another table from now on. For tests. */
void sp__set_fusions(const sp__fusion *fusions);

/* ---- what calls ask ---- */

/* Whether a fusion begins with this operator. */
bool sp__may_begin_fusion(const sp_op *op);
/* Defers a call whose infer has run, where a fusion begins with it or goes on with it. */
sp_status sp__fuse_later(sp_call *call, bool *deferred);
/* Runs a call that ends a fusion, together with the deferred calls that it reads. */
sp_status sp__fuse_now(const sp_call *call, bool *taken);
/* What a node of this operator saves for fusions, in the bits of sp_op.saves. */
unsigned sp__fusion_saves(const sp_op *op);

#endif

/* Deferred calls: they run when somebody reads their values. What a tensor knows of them stands in tensor/tensor.h. */
#ifndef SPUSK_AUTOGRAD_DEFERRED_H
#define SPUSK_AUTOGRAD_DEFERRED_H

#include "tensor/tensor.h"
#include <spusk/extend/operator.h>

enum { SP__MOST_DEFERRED_INPUTS = 5 };

/* A deferred call as one of those that have yet to read a storage. */
typedef struct sp__reader {
    struct sp__deferred *call;
    struct sp__reader *next, **back;
} sp__reader;

/* A call with everything but its values; its attributes stand behind it. */
typedef struct sp__deferred {
    const sp_op *op;
    size_t size;
    int n_inputs, holds;
    bool computing;
    sp_tensor *inputs[SP__MOST_DEFERRED_INPUTS]; /* held; outside the graph */
    sp__reader readers[SP__MOST_DEFERRED_INPUTS];
    sp_tensor *output; /* its shape; without memory */
} sp__deferred;

/* Whether calls may be deferred at all: not with SPUSK_FUSION=0 in the environment. The other is for tests. */
bool sp__deferral(void);
void sp__set_deferral(bool on);

/* Whether a call whose infer has run can be deferred: it has one output, which is no view, and no operand that a
 * program may write to unseen. */
bool sp__can_defer(const sp_call *call);
/* Defers such a call: its output gets a storage without memory. */
sp_status sp__defer(sp_call *call);
/* Holds the deferred call of this operator whose whole result is x, until sp__deferred_drop; NULL when there is none. */
sp__deferred *sp__deferred_of(const sp_tensor *x, const sp_op *op);
/* A deferred call as a call without outputs. It is good while the deferred call is held. */
sp_call sp__deferred_call(const sp__deferred *d);
/* Writes the outputs of a call, which have memory: by a fusion that the call ends, or else by its own forward. */
sp_status sp__run_forward(sp_call *call);

#endif

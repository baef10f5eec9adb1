/* What a tensor's destruction and its views need to know of the graph. */
#ifndef SPUSK_HISTORY_H
#define SPUSK_HISTORY_H

#include <spusk/tensor.h>

/* Drops a tensor's place in the graph: grad_fn, gradient, hooks, base. */
void sp__forget_history(sp_tensor *x);

#endif

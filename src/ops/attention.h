/* Attention as a kernel and as plain operators. q, k, v are (N, H, rows, columns). */
#ifndef SPUSK_OPS_ATTENTION_H
#define SPUSK_OPS_ATTENTION_H

#include "ops/elementwise.h"

typedef struct sp__attention_attributes {
    double scale, dropout;
    uint64_t seed, position; /* of the numbers that dropout draws */
    bool causal;
    bool needed[3]; /* in the backward: dq, dk, dv */
} sp__attention_attributes;

/* y by operators, which gives the mask a gradient, too. */
sp_tensor *sp__attention_plain(const sp__attention_attributes *a, sp_tensor *q, sp_tensor *k, sp_tensor *v,
                               sp_tensor *mask);
/* The gradients of y that are wanted, by operators. */
sp_status sp__attention_plain_gradient(sp_grad_call *call);
/* How many numbers dropout draws for q and k; negative where they are too many. */
int64_t sp__attention_draws(const sp_tensor *q, const sp_tensor *k);

#endif

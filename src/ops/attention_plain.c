/* Attention by plain operators, with the whole matrix of weights: where the gradient is to be differentiated again, and
 * where the mask wants one. The formulas stand in attention.c. */
#include "ops/attention.h"
#include <math.h>

/* P and D's factors, SP_NONE without dropout. */
typedef struct weights {
    sp_tensor *p, *factors;
} weights;

int64_t sp__attention_draws(const sp_tensor *q, const sp_tensor *k)
{
    const int64_t sizes[] = {q->sizes[0], q->sizes[1], q->sizes[2], sp__dropped_row(k->sizes[2])};
    return sp__product(4, sizes);
}

/* What the kernel draws bit by bit of its own, drawn as a whole. */
static sp_tensor *draw_factors(const sp__attention_attributes *a, const sp_tensor *q, const sp_tensor *k)
{
    const int64_t keys = k->sizes[2];
    if (a->dropout == 0) return SP_NONE;
    sp_tensor *all = sp_empty(SP_DIMS(q->sizes[0], q->sizes[1], q->sizes[2], sp__dropped_row(keys)));
    if (!all) return NULL;
    const sp__fill fill = {.kind = SP__FILL_BERNOULLI_SCALE,
                           .out = sp__operand_of(all),
                           .n = sp__attention_draws(q, k),
                           .a = 1 - a->dropout,
                           .b = a->dropout < 1 ? 1 / (1 - a->dropout) : 0,
                           .seed = a->seed,
                           .position = a->position};
    if (fill.n && sp__backend_for(all)->fill(&fill)) return NULL;
    return sp_cast(sp_narrow(all, 3, 0, keys), q->dtype);
}

/* Where a key is not seen by a query, for a causal attention. */
static sp_tensor *later_keys(int64_t queries, int64_t keys)
{
    return sp_gt(sp_arange(0, keys, 1), sp_unsqueeze(sp_arange(0, queries, 1), 1));
}

/* A query that sees no key has weights of 0, and so no gradient. */
static sp_tensor *safe_softmax(sp_tensor *scores)
{
    sp_tensor *blind = sp_all_dim(sp_eq_scalar(scores, -(double)INFINITY), 3, .keepdim = true);
    return sp_masked_fill(sp_softmax(sp_masked_fill(scores, blind, 0), 3), blind, 0);
}

static weights weigh(const sp__attention_attributes *a, sp_tensor *q, sp_tensor *k, sp_tensor *mask)
{
    if (!q || !k || !mask) return (weights){NULL, NULL};
    sp_tensor *scores = sp_mul_scalar(sp_matmul(q, sp_transpose(k, 2, 3)), q->sizes[3] ? a->scale : 0);
    if (a->causal) scores = sp_masked_fill(scores, later_keys(q->sizes[2], k->sizes[2]), -(double)INFINITY);
    if (!sp__is_none(mask))
        scores = sp_dtype_of(mask) == SP_BOOL ? sp_masked_fill(scores, sp_logical_not(mask), -(double)INFINITY)
                                              : sp_add(scores, mask);
    return (weights){safe_softmax(scores), draw_factors(a, q, k)};
}

static sp_tensor *dropped(sp_tensor *x, sp_tensor *factors)
{
    return sp__is_none(factors) ? x : sp_mul(x, factors);
}

sp_tensor *sp__attention_plain(const sp__attention_attributes *a, sp_tensor *q, sp_tensor *k, sp_tensor *v,
                               sp_tensor *mask)
{
    const weights w = weigh(a, sp__widened(q), sp__widened(k), mask);
    return sp_cast(sp_matmul(dropped(w.p, w.factors), sp__widened(v)), q->dtype);
}

sp_status sp__attention_plain_gradient(sp_grad_call *call)
{
    const sp__attention_attributes *a = call->attributes;
    sp_tensor *mask = sp_input_sizes(call, 3).n ? sp_saved_input(call, 3) : SP_NONE;
    sp_tensor *q = sp__widened(sp_saved_input(call, 0)), *k = sp__widened(sp_saved_input(call, 1));
    sp_tensor *v = sp__widened(sp_saved_input(call, 2)), *g = sp__widened(call->grads[0]);
    const weights w = weigh(a, q, k, mask);
    sp_tensor *came = dropped(sp_matmul(g, sp_transpose(v, 2, 3)), w.factors);
    sp_tensor *slope = sp_mul(w.p, sp_sub(came, sp_sum_dim(sp_mul(came, w.p), 3, .keepdim = true)));
    slope = sp_mul_scalar(slope, a->scale);
    sp_status status = SP__GIVE(call, 0, sp_matmul(slope, k));
    if (!status) status = SP__GIVE(call, 1, sp_matmul(sp_transpose(slope, 2, 3), q));
    return status ? status : SP__GIVE(call, 2, sp_matmul(sp_transpose(dropped(w.p, w.factors), 2, 3), g));
}

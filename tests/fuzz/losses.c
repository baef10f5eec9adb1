/* Losses and their options. */
#include "fuzz/call.h"

/* ---- of an input and a target of one shape ---- */

static void draw_pair(fuzz_case *c, fuzz_random *r, int attempt)
{
    int64_t sizes[SP_MAX_DIMS];
    const int ndim = fuzz_shape(r, sizes);
    const sp_dtype dtype = fuzz_float(r);
    (void)attempt;
    fuzz_add(c, r, dtype, (sp_dims){sizes, ndim});
    fuzz_add(c, r, dtype, (sp_dims){sizes, ndim});
    c->whole[0] = fuzz_one_of(r, SP_REDUCTION_MEAN, SP_REDUCTION_SUM, SP_REDUCTION_NONE);
    c->whole[1] = fuzz_between(r, 0, 1);
    c->real[0] = fuzz_chance(r, 30) ? 1 : fuzz_real(r, 0, 2);
}

/* Both between 0 and 1. */
static void draw_probabilities(fuzz_case *c, fuzz_random *r, int attempt)
{
    draw_pair(c, r, attempt);
    for (int i = 0; i < 2; i++) {
        c->in[i].low = 0.01;
        c->in[i].high = 0.99;
        c->in[i].special = false;
    }
}

#define REDUCTION .reduction = (sp_reduction)c->whole[0]
CALL(mse, sp_mse_loss(in[0], in[1], REDUCTION))
CALL(l1, sp_l1_loss(in[0], in[1], REDUCTION))
CALL(smooth_l1, sp_smooth_l1_loss(in[0], in[1], REDUCTION, .beta = sp_exactly(c->real[0])))
CALL(cross_entropies, sp_binary_cross_entropy(in[0], in[1], REDUCTION))
CALL(logits, sp_binary_cross_entropy_with_logits(in[0], in[1], REDUCTION))
CALL(divergence, sp_kl_div(in[0], in[1], REDUCTION, .log_target = c->whole[1]))

/* ---- of classes ---- */

/* (N, C), (C) or (N, C, …); labels; perhaps a weight for each class. */
static void draw_classes(fuzz_case *c, fuzz_random *r, int attempt)
{
    int64_t sizes[SP_MAX_DIMS] = {fuzz_size(r, 300), fuzz_size(r, 100)}, places[SP_MAX_DIMS];
    const int ndim = (int)(fuzz_one_of(r, 1, 2, 2, 2, 3, 4)), at = ndim > 1;
    const sp_dtype dtype = fuzz_float(r);
    (void)attempt;
    for (int d = 2; d < ndim; d++) sizes[d] = fuzz_between(r, 1, 9);
    const int64_t classes = sizes[at];
    for (int d = 0; d < ndim; d++) places[d - (d > at)] = sizes[d];
    fuzz_add(c, r, dtype, (sp_dims){sizes, ndim});
    fuzz_add_index(c, r, classes, (sp_dims){places, ndim - 1})->dtype = SP_I64;
    if (fuzz_chance(r, 40)) {
        fuzz_input *weight = fuzz_add(c, r, dtype, SP_DIMS(classes));
        weight->low = 0.1;
        weight->constant = true;
    }
    c->whole[0] = fuzz_one_of(r, SP_REDUCTION_MEAN, SP_REDUCTION_SUM, SP_REDUCTION_NONE);
    c->whole[1] = fuzz_chance(r, 40) ? fuzz_one_of(r, SP_ZERO, 1, 2) : 0;
    c->real[0] = fuzz_chance(r, 50) ? 0 : fuzz_real(r, 0, 1);
}

#define IGNORED .ignore_index = c->whole[1]
CALL(nll, c->n > 2 ? sp_nll_loss_weighted(in[0], in[1], in[2], REDUCTION, IGNORED)
                   : sp_nll_loss(in[0], in[1], REDUCTION, IGNORED))
CALL(cross_entropy,
     c->n > 2 ? sp_cross_entropy_weighted(in[0], in[1], in[2], REDUCTION, IGNORED, .label_smoothing = c->real[0])
              : sp_cross_entropy(in[0], in[1], REDUCTION, IGNORED, .label_smoothing = c->real[0]))

const fuzz_subject fuzz_losses[] = {
    {"mse_loss with options", &sp__op_mse_loss, draw_pair, mse, FUZZ_MODEST},
    {"l1_loss with options", &sp__op_mean, draw_pair, l1, 0},
    {"smooth_l1_loss with options", &sp__op_smooth_l1_loss, draw_pair, smooth_l1, FUZZ_MODEST},
    {"binary_cross_entropy with options", &sp__op_binary_cross_entropy, draw_probabilities, cross_entropies, 0},
    {"logits with options", &sp__op_binary_cross_entropy_with_logits, draw_pair, logits, FUZZ_MODEST},
    {"kl_div with options", &sp__op_xlogy, draw_probabilities, divergence, 0},
    {"nll_loss with options", &sp__op_nll_loss, draw_classes, nll, FUZZ_MODEST},
    {"cross_entropy with options", &sp__op_nll_loss, draw_classes, cross_entropy, FUZZ_MODEST},
    {0},
};

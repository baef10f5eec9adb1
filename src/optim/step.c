/* One step. First everything that needs memory is made; then one pass of the rule updates all parameters. */
#include "optim_private.h"
#include "powers.h"

#include <math.h>
#include <spusk/pointwise.h>

/* ---- layouts ---- */

static bool same_strides(const sp_tensor *a, const sp_tensor *b)
{
    for (int i = 0; i < sp_ndim(a); i++)
        if (sp_size(a, i) > 1 && sp_stride(a, i) != sp_stride(b, i)) return false;
    return true;
}

/* ---- before the update ---- */

/* What the kernels compute in: f32 for bf16. */
static sp_dtype compute_dtype(const sp_tensor *parameter)
{
    return sp_dtype_of(parameter) == SP_F64 ? SP_F64 : SP_F32;
}

/* x itself where it has the dtype and layout of `like`, or else a copy that has. */
static sp_tensor *fitted(sp_tensor *x, const sp_tensor *like)
{
    if (sp_dtype_of(x) == sp_dtype_of(like) && same_strides(x, like)) return x;
    sp_tensor *copy = sp_empty_as(like, sp_dtype_of(like));
    return copy ? sp_copy_(copy, x) : NULL;
}

/* The parameter itself, or a dense copy of it in f32 or f64. */
static sp_tensor *workable(sp_tensor *parameter)
{
    sp_dtype dtype = compute_dtype(parameter);
    if (sp_dtype_of(parameter) == dtype && sp_is_dense(parameter)) return parameter;
    sp_tensor *copy = sp_empty_as(parameter, dtype);
    return copy ? sp_copy_(copy, parameter) : NULL;
}

sp_tensor *sp__state_new(const sp_optimizer *optimizer, const sp__group *group, const sp__slot *slot, int i)
{
    bool sum = optimizer->rule->update == SP_UPDATE_ADAGRAD && i == 0;
    sp_tensor *x = sp_empty_as(slot->parameter, compute_dtype(slot->parameter));
    return sp_fill_(x, sum ? group->options.initial_accumulator_value : 0);
}

static sp_status make_states(const sp_optimizer *optimizer, const sp__group *group, sp__slot *slot)
{
    for (int i = 0; i < SP__MAX_STATES; i++) {
        if (slot->state[i] || !sp__wants_state(optimizer->rule, &group->options, i)) continue;
        slot->state[i] = sp_retain(sp__state_new(optimizer, group, slot, i));
        if (!slot->state[i]) return sp_error_status();
    }
    return SP_OK;
}

static sp_status prepare(const sp_optimizer *optimizer, const sp__group *group, sp__slot *slot)
{
    slot->work = slot->grad = NULL;
    sp_tensor *grad = sp_grad(slot->parameter);
    if (!grad) return sp_error_status();
    if (grad == SP_NONE) return SP_OK;
    slot->work = workable(slot->parameter);
    slot->grad = slot->work ? fitted(grad, slot->work) : NULL;
    return slot->grad ? make_states(optimizer, group, slot) : sp_error_status();
}

/* ---- the update ---- */

/* The momentum of NAdam at a step. */
static double mu_at(const sp_optim_options *o, double step)
{
    const double nothing = 1e5; /* an exponent whose power is 0 */
    return o->betas[0] * (1 - 0.5 * sp__slow_power(0.96, fmin(step * o->momentum_decay, nothing)));
}

static sp_update_numbers numbers_of(const sp__rule *rule, const sp_optim_options *o, const sp__slot *slot)
{
    double step = (double)slot->step + 1;
    sp_update_numbers n = {
        .lr = o->lr / (1 + (step - 1) * o->lr_decay),
        .weight_decay = o->weight_decay,
        .momentum = o->momentum,
        .dampening = o->dampening,
        .beta1 = o->betas[0],
        .beta2 = o->betas[1],
        .eps = o->eps,
        .rho = o->rho,
        .alpha = o->alpha,
        .bias_correction1 = 1 - sp__whole_power(o->betas[0], step),
        .bias_correction2 = 1 - sp__whole_power(o->betas[1], step),
        .mu = mu_at(o, step),
        .mu_next = mu_at(o, step + 1),
        .nesterov = o->nesterov,
        .decoupled = rule->decoupled,
        .maximize = o->maximize,
        .first = !slot->has_momentum,
    };
    n.mu_product = slot->mu_product * n.mu;
    return n;
}

typedef sp_status slot_action(const sp_optimizer *optimizer, const sp__group *group, sp__slot *slot);

static sp_status for_each_slot(sp_optimizer *optimizer, slot_action *action)
{
    for (int g = 0; g < optimizer->n_groups; g++) {
        const sp__group *group = &optimizer->groups[g];
        for (int64_t i = 0; i < group->n; i++) {
            sp_status status = action(optimizer, group, &optimizer->slots[group->first + i]);
            if (status != SP_OK) return status;
        }
    }
    return SP_OK;
}

/* What the update of a slot is. */
static sp_update update_of(const sp_optimizer *optimizer, const sp__group *group, const sp__slot *slot)
{
    sp_update u = {.parameter = slot->work, .grad = slot->grad};
    u.numbers = numbers_of(optimizer->rule, &group->options, slot);
    for (int i = 0; i < SP__MAX_STATES; i++)
        u.state[i] = sp__wants_state(optimizer->rule, &group->options, i) ? slot->state[i] : SP_NONE;
    return u;
}

/* After the update: writes the working copy back to the parameter, and counts the step. */
static sp_status settle(const sp__group *group, sp__slot *slot, const sp_update *u)
{
    if (slot->work != slot->parameter && !sp_copy_(slot->parameter, slot->work)) return sp_error_status();
    slot->step = sp__next_count(slot->step);
    slot->mu_product = u->numbers.mu_product;
    if (group->options.momentum != 0) slot->has_momentum = true;
    return SP_OK;
}

/* All parameters that have a gradient, in one pass. */
static sp_status update_all(sp_optimizer *optimizer, sp_update *updates)
{
    int64_t n = 0;
    for (int g = 0; g < optimizer->n_groups; g++) {
        const sp__group *group = &optimizer->groups[g];
        for (int64_t i = group->first; i < group->first + group->n; i++)
            if (optimizer->slots[i].grad) updates[n++] = update_of(optimizer, group, &optimizer->slots[i]);
    }
    if (sp_update_steps_(optimizer->rule->update, updates, n) != SP_OK) return sp_error_status();
    n = 0;
    for (int g = 0; g < optimizer->n_groups; g++) {
        const sp__group *group = &optimizer->groups[g];
        for (int64_t i = group->first; i < group->first + group->n; i++)
            if (optimizer->slots[i].grad && settle(group, &optimizer->slots[i], &updates[n++]))
                return sp_error_status();
    }
    return SP_OK;
}

sp_status sp_step(sp_optimizer *optimizer)
{
    sp_status status = sp__optimizer_check(optimizer, "sp_step");
    if (status != SP_OK || optimizer->n_slots == 0) return status;
    const size_t bytes = (size_t)optimizer->n_slots * sizeof(sp_update);
    sp_update *updates = sp_alloc(bytes);
    if (!updates) return sp_error_status();
    SP_NO_GRAD {
        status = for_each_slot(optimizer, prepare);
        if (status == SP_OK) status = update_all(optimizer, updates);
    }
    sp_free(updates, bytes);
    return status;
}

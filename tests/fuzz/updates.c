/* One step of an optimiser's rule on several parameters at once. */
#include "fuzz/call.h"
#include <spusk/extend/update.h>

/* Parameter, gradient and three states of one shape; whole: rule, how many parameters share them, flags. */
static void draw_update(fuzz_case *c, fuzz_random *r, int attempt)
{
    int64_t sizes[SP_MAX_DIMS];
    const int ndim = fuzz_shape(r, sizes);
    const sp_dtype dtype = fuzz_chance(r, 70) ? SP_F32 : SP_F64;
    (void)attempt;
    for (int i = 0; i < 5; i++) {
        fuzz_input *in = fuzz_add(c, r, dtype, (sp_dims){sizes, ndim});
        in->special = false;
        if (i > 1) in->low = 0.01; /* means of squares */
    }
    c->no_grad = true;
    c->whole[0] = fuzz_between(r, SP_UPDATE_SGD, SP_UPDATE_NADAM);
    c->whole[1] = fuzz_between(r, 1, 3);
    c->whole[2] = fuzz_between(r, 0, 15);
    c->whole[3] = fuzz_between(r, 1, 1000);
    for (int i = 0; i < 4; i++) c->real[i] = fuzz_real(r, 0.001, 0.99);
    c->real[2] = fuzz_real(r, 0.5, 0.99); /* a mean of squares stays well above the square of the mean, */
    c->in[2].low = 0.5;
    c->in[4].high = 0.05; /* which RMSprop takes from it */
}

static sp_update_numbers numbers_of(const fuzz_case *c)
{
    const double *real = c->real;
    return (sp_update_numbers){.lr = real[0],
                               .weight_decay = c->whole[2] & 1 ? real[3] : 0,
                               .momentum = real[1],
                               .dampening = c->whole[2] & 2 ? real[2] : 0,
                               .beta1 = real[1],
                               .beta2 = real[2],
                               .eps = 1e-8,
                               .rho = real[1],
                               .alpha = real[2],
                               .bias_correction1 = real[3],
                               .bias_correction2 = real[0],
                               .mu = real[1],
                               .mu_next = real[2],
                               .mu_product = real[3] / 2,
                               .nesterov = c->whole[2] & 4,
                               .decoupled = c->whole[2] & 8,
                               .maximize = c->whole[3] & 1,
                               .first = c->whole[3] & 2};
}

/* How many states a rule has, and how many of those it may do without. */
static const struct {
    int most, optional;
} states[] = {[SP_UPDATE_SGD] = {1, 1},     [SP_UPDATE_ADAGRAD] = {1, 0}, [SP_UPDATE_ADADELTA] = {2, 0},
              [SP_UPDATE_RMSPROP] = {3, 2}, [SP_UPDATE_ADAM] = {3, 1},    [SP_UPDATE_ADAMAX] = {2, 0},
              [SP_UPDATE_NADAM] = {2, 0}};

/* The parameter in a memory order of its own, its states in the same. */
static sp_update update_of(const fuzz_case *c, sp_tensor *const *in)
{
    sp_update u = {.parameter = sp_clone(in[0]), .grad = in[1], .numbers = numbers_of(c)};
    const int n = states[c->whole[0]].most - (c->whole[3] & 4 ? states[c->whole[0]].optional : 0);
    for (int i = 0; i < 3; i++)
        u.state[i] = i < n ? sp_copy_(sp_empty_as(u.parameter, sp_dtype_of(in[0])), in[2 + i]) : SP_NONE;
    return u;
}

static sp_tensor *update(const fuzz_case *c, sp_tensor *const *in, sp_list *leaves)
{
    sp_update updates[3];
    sp_list *changed = sp_list_new(NULL, 0);
    (void)leaves;
    for (int64_t i = 0; i < c->whole[1]; i++) updates[i] = update_of(c, in);
    if (sp_update_steps_((sp_update_rule)c->whole[0], updates, c->whole[1])) return NULL;
    for (int64_t i = 0; i < c->whole[1]; i++) {
        sp_list_append(changed, sp_reshape(updates[i].parameter, -1));
        for (int k = 0; k < 3; k++)
            if (updates[i].state[k] != SP_NONE) sp_list_append(changed, sp_reshape(updates[i].state[k], -1));
    }
    return sp_cat(changed, 0);
}

const fuzz_subject fuzz_updates[] = {{"updates", NULL, draw_update, update, 0}, {0}};

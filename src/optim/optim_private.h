/* An optimiser from inside: its rule, its groups, and what it remembers of each parameter. */
#ifndef SPUSK_OPTIM_PRIVATE_H
#define SPUSK_OPTIM_PRIVATE_H

#include <spusk/extend.h>
#include <spusk/optim.h>

/* ---- options as a table: numbers first, then flags ---- */

typedef enum sp__field {
    SP__LR,
    SP__MOMENTUM,
    SP__DAMPENING,
    SP__WEIGHT_DECAY,
    SP__LR_DECAY,
    SP__INITIAL_ACCUMULATOR_VALUE,
    SP__RHO,
    SP__ALPHA,
    SP__BETA1,
    SP__BETA2,
    SP__EPS,
    SP__MOMENTUM_DECAY,
    SP__N_NUMBERS,
    SP__NESTEROV = SP__N_NUMBERS,
    SP__CENTERED,
    SP__AMSGRAD,
    SP__MAXIMIZE,
    SP__N_FIELDS
} sp__field;

/* The name of an option, as its users know it: "betas[0]". */
const char *sp__field_name(sp__field field);
/* Where a number stands, or a flag. */
double *sp__number_of(sp_optim_options *options, sp__field field);
bool *sp__flag_of(sp_optim_options *options, sp__field field);
/* Fills `to` with the caller's options, and with `defaults` where the caller gave none. Fails on an option that the
 * rule does not have and on a value out of range. */
struct sp__rule;
sp_status sp__options_read(const struct sp__rule *rule, const char *function, const sp_optim_options *given,
                           const sp_optim_options *defaults, sp_optim_options *to);

/* ---- rules ---- */

enum { SP__MAX_STATES = 3 };

/* A tensor that the rule remembers for each parameter. */
typedef struct sp__state_rule {
    const char *name;    /* "exp_avg"; NULL: none */
    sp__field condition; /* kept only while this option is not zero; SP__LR: always */
} sp__state_rule;

typedef struct sp__rule {
    const char *name;     /* "Adam" */
    const char *function; /* "sp_optim_adam" */
    sp_update_rule update;
    bool decoupled; /* weight decay apart from the gradient */
    unsigned takes; /* bits of the fields that it reads, beside lr, weight_decay and maximize */
    SP_OPTIONS_MEMBER(sp_optim_options, defaults);
    sp__state_rule states[SP__MAX_STATES];
} sp__rule;

/* ---- optimisers ---- */

/* One parameter and what is remembered of it. */
typedef struct sp__slot {
    sp_tensor *parameter;             /* held */
    sp_tensor *state[SP__MAX_STATES]; /* held; NULL before it is needed */
    int64_t step;
    double mu_product; /* nadam */
    bool has_momentum; /* sgd: the momentum buffer holds a gradient already */
    /* What the kernel works on; both belong to the scope of the step. */
    sp_tensor *work, *grad;
} sp__slot;

typedef struct sp__group {
    SP_OPTIONS_MEMBER(sp_optim_options, options); /* complete: nothing left to default */
    int64_t first, n;                             /* its slots */
    double initial_lr;                            /* what schedules start from, once has_initial_lr */
    bool has_initial_lr;
} sp__group;

struct sp_optimizer {
    const sp__rule *rule;
    SP_OPTIONS_MEMBER(sp_optim_options, defaults);
    sp__slot *slots;
    sp__group *groups;
    int64_t n_slots;
    int n_groups;
    size_t max_slots, max_groups; /* room in the arrays */
};

/* Whether it is an optimiser; raises, naming the function, when it is not. */
sp_status sp__optimizer_check(const sp_optimizer *optimizer, const char *function);
sp_optimizer *sp__optimizer_new(const sp__rule *rule, const sp_list *parameters, const sp_optim_options *options);
/* Whether the rule has this option. */
bool sp__takes(const sp__rule *rule, sp__field field);
/* Whether the rule keeps state i under these options. */
bool sp__wants_state(const sp__rule *rule, const sp_optim_options *options, int i);
/* Whether a value of an option is in its range; raises, naming function and option, when it is not. */
sp_status sp__check_range(const char *function, sp__field field, double x);
/* n + 1, but no more than int64 holds: a loaded state may hold any count. */
static inline int64_t sp__next_count(int64_t n)
{
    return n < INT64_MAX ? n + 1 : n;
}
/* An entry of a state, of one element, as a count of at least `least`. Raises "function: "name" …" when it is none. */
sp_status sp__count_of(const char *function, const char *name, const sp_tensor *x, int64_t least, int64_t *value);
/* A dict that `fill` fills from an object, in a scope of its own; NULL after an error. */
sp_dict *sp__state_dict(sp_status (*fill)(sp_dict *dict, const void *object), const void *object);
/* A new state tensor for a slot, filled with its first value, in the open scope. */
sp_tensor *sp__state_new(const sp_optimizer *optimizer, const sp__group *group, const sp__slot *slot, int i);

#endif

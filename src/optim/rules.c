/* The rules: names, defaults, states; and the reading of options. The formulas stand with sp_update_rule in
 * <spusk/extend.h>. */
#include "optim_private.h"

#include <math.h>

/* ---- options ---- */

/* A number's name, place and range: low ≤ x ≤ high, or x < high where the end is open; always finite. */
typedef struct field_info {
    const char *name;
    size_t offset;
    double low, high;
    bool open;
} field_info;

#define AT(member) offsetof(sp_optim_options, member)
static const field_info fields[SP__N_FIELDS] = {
    [SP__LR] = {"lr", AT(lr), 0, INFINITY, false},
    [SP__MOMENTUM] = {"momentum", AT(momentum), 0, INFINITY, false},
    [SP__DAMPENING] = {"dampening", AT(dampening), -INFINITY, INFINITY, false},
    [SP__WEIGHT_DECAY] = {"weight_decay", AT(weight_decay), 0, INFINITY, false},
    [SP__LR_DECAY] = {"lr_decay", AT(lr_decay), 0, INFINITY, false},
    [SP__INITIAL_ACCUMULATOR_VALUE] = {"initial_accumulator_value", AT(initial_accumulator_value), 0, INFINITY, false},
    [SP__RHO] = {"rho", AT(rho), 0, 1, false},
    [SP__ALPHA] = {"alpha", AT(alpha), 0, INFINITY, false},
    [SP__BETA1] = {"betas[0]", AT(betas[0]), 0, 1, true},
    [SP__BETA2] = {"betas[1]", AT(betas[1]), 0, 1, true},
    [SP__EPS] = {"eps", AT(eps), 0, INFINITY, false},
    [SP__MOMENTUM_DECAY] = {"momentum_decay", AT(momentum_decay), 0, INFINITY, false},
    [SP__NESTEROV] = {"nesterov", AT(nesterov), 0, 1, false},
    [SP__CENTERED] = {"centered", AT(centered), 0, 1, false},
    [SP__AMSGRAD] = {"amsgrad", AT(amsgrad), 0, 1, false},
    [SP__MAXIMIZE] = {"maximize", AT(maximize), 0, 1, false},
};

const char *sp__field_name(sp__field field)
{
    return fields[field].name;
}

double *sp__number_of(sp_optim_options *options, sp__field field)
{
    return (double *)(void *)((char *)options + fields[field].offset);
}

bool *sp__flag_of(sp_optim_options *options, sp__field field)
{
    return (bool *)((char *)options + fields[field].offset);
}

bool sp__takes(const sp__rule *rule, sp__field field)
{
    const unsigned always = 1u << SP__LR | 1u << SP__WEIGHT_DECAY | 1u << SP__MAXIMIZE;
    return ((rule->takes | always) >> field & 1u) != 0;
}

sp_status sp__check_range(const char *function, sp__field field, double x)
{
    const field_info *f = &fields[field];
    if (!isfinite(x)) return sp_raise(SP_ERROR_ARGUMENT, "%s: %s must be finite, got %g", function, f->name, x);
    if (x >= f->low && (f->open ? x < f->high : x <= f->high)) return SP_OK;
    if (f->high == INFINITY && f->low == 0)
        return sp_raise(SP_ERROR_ARGUMENT, "%s: %s must not be negative, got %g", function, f->name, x);
    return sp_raise(SP_ERROR_ARGUMENT, "%s: %s must be in [%g, %g%s, got %g", function, f->name, f->low, f->high,
                    f->open ? ")" : "]", x);
}

static sp_status not_taken(const sp__rule *rule, const char *function, sp__field field)
{
    return sp_raise(SP_ERROR_ARGUMENT, "%s: %s has no option %s", function, rule->name, fields[field].name);
}

static sp_status check_together(const char *function, const sp_optim_options *o)
{
    if (!o->nesterov || (o->momentum > 0 && o->dampening == 0)) return SP_OK;
    return sp_raise(SP_ERROR_ARGUMENT, "%s: nesterov needs a momentum and no dampening, got %g and %g", function,
                    o->momentum, o->dampening);
}

sp_status sp__options_read(const sp__rule *rule, const char *function, const sp_optim_options *given,
                           const sp_optim_options *defaults, sp_optim_options *to)
{
    sp_optim_options o;
    sp_options_copy(&o, sizeof o, given);
    *to = *defaults;
    for (int f = 0; f < SP__N_NUMBERS; f++) {
        double *number = sp__number_of(to, (sp__field)f), mine = *sp__number_of(&o, (sp__field)f);
        if (mine != 0 && !sp__takes(rule, (sp__field)f)) return not_taken(rule, function, (sp__field)f);
        *number = sp_option(mine, *number);
        sp_status status = sp__check_range(function, (sp__field)f, *number);
        if (status != SP_OK) return status;
    }
    for (int f = SP__N_NUMBERS; f < SP__N_FIELDS; f++) {
        if (!*sp__flag_of(&o, (sp__field)f)) continue;
        if (!sp__takes(rule, (sp__field)f)) return not_taken(rule, function, (sp__field)f);
        *sp__flag_of(to, (sp__field)f) = true;
    }
    return check_together(function, to);
}

/* ---- the rules ---- */

#define BIT(field) (1u << SP__##field)
#define BETAS (BIT(BETA1) | BIT(BETA2))
#define ALWAYS SP__LR
#define ADAM_STATES                                                                                                    \
    {                                                                                                                  \
        {"exp_avg", ALWAYS}, {"exp_avg_sq", ALWAYS},                                                                   \
        {                                                                                                              \
            "max_exp_avg_sq", SP__AMSGRAD                                                                              \
        }                                                                                                              \
    }

static const sp__rule sgd = {.name = "SGD",
                             .function = "sp_optim_sgd",
                             .update = SP_UPDATE_SGD,
                             .takes = BIT(MOMENTUM) | BIT(DAMPENING) | BIT(NESTEROV),
                             .defaults = {.lr = 1e-3},
                             .states = {{"momentum_buffer", SP__MOMENTUM}}};

static const sp__rule adagrad = {.name = "Adagrad",
                                 .function = "sp_optim_adagrad",
                                 .update = SP_UPDATE_ADAGRAD,
                                 .takes = BIT(LR_DECAY) | BIT(INITIAL_ACCUMULATOR_VALUE) | BIT(EPS),
                                 .defaults = {.lr = 1e-2, .eps = 1e-10},
                                 .states = {{"sum", ALWAYS}}};

static const sp__rule adadelta = {.name = "Adadelta",
                                  .function = "sp_optim_adadelta",
                                  .update = SP_UPDATE_ADADELTA,
                                  .takes = BIT(RHO) | BIT(EPS),
                                  .defaults = {.lr = 1, .rho = 0.9, .eps = 1e-6},
                                  .states = {{"square_avg", ALWAYS}, {"acc_delta", ALWAYS}}};

static const sp__rule rmsprop = {
    .name = "RMSprop",
    .function = "sp_optim_rmsprop",
    .update = SP_UPDATE_RMSPROP,
    .takes = BIT(ALPHA) | BIT(EPS) | BIT(MOMENTUM) | BIT(CENTERED),
    .defaults = {.lr = 1e-2, .alpha = 0.99, .eps = 1e-8},
    .states = {{"square_avg", ALWAYS}, {"momentum_buffer", SP__MOMENTUM}, {"grad_avg", SP__CENTERED}}};

static const sp__rule adam = {.name = "Adam",
                              .function = "sp_optim_adam",
                              .update = SP_UPDATE_ADAM,
                              .takes = BETAS | BIT(EPS) | BIT(AMSGRAD),
                              .defaults = {.lr = 1e-3, .betas = {0.9, 0.999}, .eps = 1e-8},
                              .states = ADAM_STATES};

static const sp__rule adamw = {.name = "AdamW",
                               .function = "sp_optim_adamw",
                               .update = SP_UPDATE_ADAM,
                               .decoupled = true,
                               .takes = BETAS | BIT(EPS) | BIT(AMSGRAD),
                               .defaults = {.lr = 1e-3, .betas = {0.9, 0.999}, .eps = 1e-8, .weight_decay = 1e-2},
                               .states = ADAM_STATES};

static const sp__rule adamax = {.name = "Adamax",
                                .function = "sp_optim_adamax",
                                .update = SP_UPDATE_ADAMAX,
                                .takes = BETAS | BIT(EPS),
                                .defaults = {.lr = 2e-3, .betas = {0.9, 0.999}, .eps = 1e-8},
                                .states = {{"exp_avg", ALWAYS}, {"exp_inf", ALWAYS}}};

static const sp__rule nadam = {.name = "NAdam",
                               .function = "sp_optim_nadam",
                               .update = SP_UPDATE_NADAM,
                               .takes = BETAS | BIT(EPS) | BIT(MOMENTUM_DECAY),
                               .defaults = {.lr = 2e-3, .betas = {0.9, 0.999}, .eps = 1e-8, .momentum_decay = 4e-3},
                               .states = {{"exp_avg", ALWAYS}, {"exp_avg_sq", ALWAYS}}};

bool sp__wants_state(const sp__rule *rule, const sp_optim_options *options, int i)
{
    if (!rule->states[i].name) return false;
    switch (rule->states[i].condition) {
    case SP__MOMENTUM: return options->momentum != 0;
    case SP__CENTERED: return options->centered;
    case SP__AMSGRAD: return options->amsgrad;
    default: return true;
    }
}

/* ---- the public constructors ---- */

sp_optimizer *(sp_optim_sgd)(const sp_list *parameters, const sp_optim_options *options)
{
    return sp__optimizer_new(&sgd, parameters, options);
}

sp_optimizer *(sp_optim_adagrad)(const sp_list *parameters, const sp_optim_options *options)
{
    return sp__optimizer_new(&adagrad, parameters, options);
}

sp_optimizer *(sp_optim_adadelta)(const sp_list *parameters, const sp_optim_options *options)
{
    return sp__optimizer_new(&adadelta, parameters, options);
}

sp_optimizer *(sp_optim_rmsprop)(const sp_list *parameters, const sp_optim_options *options)
{
    return sp__optimizer_new(&rmsprop, parameters, options);
}

sp_optimizer *(sp_optim_adam)(const sp_list *parameters, const sp_optim_options *options)
{
    return sp__optimizer_new(&adam, parameters, options);
}

sp_optimizer *(sp_optim_adamw)(const sp_list *parameters, const sp_optim_options *options)
{
    return sp__optimizer_new(&adamw, parameters, options);
}

sp_optimizer *(sp_optim_adamax)(const sp_list *parameters, const sp_optim_options *options)
{
    return sp__optimizer_new(&adamax, parameters, options);
}

sp_optimizer *(sp_optim_nadam)(const sp_list *parameters, const sp_optim_options *options)
{
    return sp__optimizer_new(&nadam, parameters, options);
}

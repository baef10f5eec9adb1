/* Learning rate schedules, each computed from the rate before, as PyTorch's, so that several can share an optimiser. */
#include "optim_private.h"

#include <math.h>

typedef enum phase_value { INITIAL, MAXIMUM, MINIMUM } phase_value;

/* Where a one-cycle schedule goes until a step: learning rates by name, momenta from high to low or back. */
typedef struct phase {
    double end;
    phase_value from, to;
    bool momentum_starts_low, momentum_ends_low;
} phase;

typedef struct schedule schedule;

struct sp_scheduler {
    const schedule *kind;
    sp_optimizer *optimizer;      /* held */
    sp_scheduler_options options; /* complete */
    int64_t epoch;
    int64_t period;      /* step_size, t_max or total_steps */
    int64_t *milestones; /* multi-step */
    int n_milestones;
    double max_lr; /* one-cycle */
    double best;   /* plateau */
    int64_t bad_epochs, cooldown_left;
    double last_lr;
};

struct schedule {
    const char *function; /* "sp_lr_step" */
    /* The group's next rate; NULL where the metric decides. */
    double (*next)(const sp_scheduler *s, sp__group *group);
};

static void scheduler_destroy(void *object)
{
    sp_scheduler *s = object;
    sp_drop(s->optimizer);
    if (s->milestones) sp_free(s->milestones, (size_t)s->n_milestones * sizeof *s->milestones);
}

static const sp_kind scheduler_kind = {"scheduler", scheduler_destroy};

/* ---- the rates ---- */

static double step_next(const sp_scheduler *s, sp__group *group)
{
    double lr = group->options.lr;
    return s->epoch == 0 || s->epoch % s->period != 0 ? lr : lr * s->options.gamma;
}

static double multi_step_next(const sp_scheduler *s, sp__group *group)
{
    int hits = 0;
    for (int i = 0; i < s->n_milestones; i++) hits += s->milestones[i] == s->epoch;
    return hits == 0 ? group->options.lr : group->options.lr * pow(s->options.gamma, hits);
}

static double exponential_next(const sp_scheduler *s, sp__group *group)
{
    return s->epoch == 0 ? group->options.lr : group->options.lr * s->options.gamma;
}

/* M_PI is not in the C standard. */
static const double pi = 3.14159265358979323846;

static double cosine_next(const sp_scheduler *s, sp__group *group)
{
    double lr = group->options.lr, low = s->options.eta_min, t_max = (double)s->period, epoch = (double)s->epoch;
    if (s->epoch == 0) return lr;
    /* At the bottom of a wave the ratio below would be 0/0. */
    if ((s->epoch - 1 - s->period) % (2 * s->period) == 0)
        return lr + (group->initial_lr - low) * (1 - cos(pi / t_max)) / 2;
    return (1 + cos(pi * epoch / t_max)) / (1 + cos(pi * (epoch - 1) / t_max)) * (lr - low) + low;
}

static double linear_next(const sp_scheduler *s, sp__group *group)
{
    const sp_scheduler_options *o = &s->options;
    double lr = group->options.lr, slope = o->end_factor - o->start_factor;
    if (s->epoch == 0) return lr * o->start_factor;
    if (s->epoch > o->total_iters) return lr;
    return lr * (1 + slope / ((double)o->total_iters * o->start_factor + (double)(s->epoch - 1) * slope));
}

/* ---- one cycle ---- */

static int phases_of(const sp_scheduler *s, phase *phases)
{
    double up = s->options.pct_start * (double)s->period, last = (double)s->period - 1;
    phases[0] = (phase){up - 1, INITIAL, MAXIMUM, false, true};
    if (!s->options.three_phase) {
        phases[1] = (phase){last, MAXIMUM, MINIMUM, true, false};
        return 2;
    }
    phases[1] = (phase){2 * s->options.pct_start * (double)s->period - 2, MAXIMUM, INITIAL, true, false};
    phases[2] = (phase){last, INITIAL, MINIMUM, false, false};
    return 3;
}

static double rate_of(const sp_scheduler *s, phase_value which)
{
    double initial = s->max_lr / s->options.div_factor;
    if (which == MAXIMUM) return s->max_lr;
    return which == INITIAL ? initial : initial / s->options.final_div_factor;
}

static double between(const sp_scheduler *s, double from, double to, double part)
{
    if (s->options.linear_anneal) return (to - from) * part + from;
    return to + (from - to) / 2 * (cos(pi * part) + 1);
}

static void cycle_momentum(const sp_scheduler *s, sp__group *group, const phase *p, double part)
{
    const sp_scheduler_options *o = &s->options;
    double from = p->momentum_starts_low ? o->base_momentum : o->max_momentum;
    double to = p->momentum_ends_low ? o->base_momentum : o->max_momentum;
    bool betas = (s->optimizer->rule->takes >> SP__BETA1 & 1u) != 0;
    *sp__number_of(&group->options, betas ? SP__BETA1 : SP__MOMENTUM) = between(s, from, to, part);
}

static double one_cycle_next(const sp_scheduler *s, sp__group *group)
{
    phase phases[3];
    int n = phases_of(s, phases), i = 0;
    double start = 0, step = (double)s->epoch;
    for (; i < n - 1 && step > phases[i].end; i++) start = phases[i].end;
    double length = phases[i].end - start, part = length == 0 ? 1 : (step - start) / length;
    if (!s->options.keep_momentum) cycle_momentum(s, group, &phases[i], part);
    return between(s, rate_of(s, phases[i].from), rate_of(s, phases[i].to), part);
}

/* ---- making them ---- */

static const sp_scheduler_options defaults = {
    .gamma = 0.1,
    .start_factor = 1.0 / 3,
    .end_factor = 1,
    .total_iters = 5,
    .pct_start = 0.3,
    .div_factor = 25,
    .final_div_factor = 1e4,
    .base_momentum = 0.85,
    .max_momentum = 0.95,
    .factor = 0.1,
    .patience = 10,
    .threshold = 1e-4,
};

/* Puts the defaults where the caller left a number out. */
static sp_scheduler_options complete(const sp_scheduler_options *options)
{
    sp_scheduler_options o;
    sp_options_copy(&o, sizeof o, options);
    o.gamma = sp_option(o.gamma, defaults.gamma);
    o.eta_min = sp_option(o.eta_min, 0);
    o.start_factor = sp_option(o.start_factor, defaults.start_factor);
    o.end_factor = sp_option(o.end_factor, defaults.end_factor);
    o.total_iters = (int64_t)sp_option((double)o.total_iters, (double)defaults.total_iters);
    o.pct_start = sp_option(o.pct_start, defaults.pct_start);
    o.div_factor = sp_option(o.div_factor, defaults.div_factor);
    o.final_div_factor = sp_option(o.final_div_factor, defaults.final_div_factor);
    o.base_momentum = sp_option(o.base_momentum, defaults.base_momentum);
    o.max_momentum = sp_option(o.max_momentum, defaults.max_momentum);
    o.factor = sp_option(o.factor, defaults.factor);
    o.patience = (int64_t)sp_option((double)o.patience, (double)defaults.patience);
    o.threshold = sp_option(o.threshold, defaults.threshold);
    o.cooldown = (int64_t)sp_option((double)o.cooldown, 0);
    o.min_lr = sp_option(o.min_lr, 0);
    return o;
}

static sp_status check(const sp_scheduler *scheduler, const char *function)
{
    if (!scheduler) return sp_raise_null(function, "scheduler");
    if (sp_object_is(scheduler, &scheduler_kind)) return SP_OK;
    return sp_raise(SP_ERROR_ARGUMENT, "%s: the argument is not a scheduler", function);
}

static void set_rates(sp_scheduler *s)
{
    for (int g = 0; g < s->optimizer->n_groups; g++) {
        sp__group *group = &s->optimizer->groups[g];
        if (!group->has_initial_lr) group->initial_lr = group->options.lr;
        group->has_initial_lr = true;
        group->options.lr = s->kind->next(s, group);
    }
    s->last_lr = s->optimizer->groups[0].options.lr;
}

static sp_scheduler *scheduler_new(const schedule *kind, sp_optimizer *optimizer, const sp_scheduler_options *options)
{
    sp_scheduler *s = sp_object_new(&scheduler_kind, sizeof *s);
    if (!s) return NULL;
    s->kind = kind;
    s->optimizer = sp_retain(optimizer);
    s->options = *options;
    s->last_lr = optimizer->groups[0].options.lr;
    return s;
}

/* A schedule sets the rates of epoch 0 when it is made. */
static sp_scheduler *started(sp_scheduler *s)
{
    if (s) set_rates(s);
    return s;
}

static void *refuse(const char *function, const char *what, double got)
{
    sp_raise(SP_ERROR_ARGUMENT, "%s: %s, got %g", function, what, got);
    return NULL;
}

sp_scheduler *(sp_lr_step)(sp_optimizer *optimizer, int64_t step_size, const sp_scheduler_options *options)
{
    static const schedule kind = {"sp_lr_step", step_next};
    if (sp__optimizer_check(optimizer, kind.function) != SP_OK) return NULL;
    if (step_size < 1) return refuse(kind.function, "step_size must be 1 or more", (double)step_size);
    sp_scheduler_options o = complete(options);
    sp_scheduler *s = scheduler_new(&kind, optimizer, &o);
    if (s) s->period = step_size;
    return started(s);
}

sp_scheduler *(sp_lr_multi_step)(sp_optimizer *optimizer, sp_dims milestones, const sp_scheduler_options *options)
{
    static const schedule kind = {"sp_lr_multi_step", multi_step_next};
    if (sp__optimizer_check(optimizer, kind.function) != SP_OK) return NULL;
    if (milestones.n > 0 && !milestones.data) return sp_raise_null(kind.function, "milestones"), NULL;
    sp_scheduler_options o = complete(options);
    sp_scheduler *s = scheduler_new(&kind, optimizer, &o);
    if (!s || milestones.n <= 0) return started(s);
    s->milestones = sp_alloc((size_t)milestones.n * sizeof *s->milestones);
    if (!s->milestones) {
        sp_release(s);
        return NULL;
    }
    s->n_milestones = milestones.n;
    memcpy(s->milestones, milestones.data, (size_t)milestones.n * sizeof *s->milestones);
    return started(s);
}

sp_scheduler *sp_lr_exponential(sp_optimizer *optimizer, double gamma)
{
    static const schedule kind = {"sp_lr_exponential", exponential_next};
    if (sp__optimizer_check(optimizer, kind.function) != SP_OK) return NULL;
    sp_scheduler_options o = complete(NULL);
    o.gamma = gamma;
    return started(scheduler_new(&kind, optimizer, &o));
}

sp_scheduler *(sp_lr_cosine_annealing)(sp_optimizer *optimizer, int64_t t_max, const sp_scheduler_options *options)
{
    static const schedule kind = {"sp_lr_cosine_annealing", cosine_next};
    if (sp__optimizer_check(optimizer, kind.function) != SP_OK) return NULL;
    if (t_max < 1) return refuse(kind.function, "t_max must be 1 or more", (double)t_max);
    sp_scheduler_options o = complete(options);
    sp_scheduler *s = scheduler_new(&kind, optimizer, &o);
    if (s) s->period = t_max;
    return started(s);
}

sp_scheduler *(sp_lr_linear)(sp_optimizer *optimizer, const sp_scheduler_options *options)
{
    static const schedule kind = {"sp_lr_linear", linear_next};
    if (sp__optimizer_check(optimizer, kind.function) != SP_OK) return NULL;
    sp_scheduler_options o = complete(options);
    if (!(o.start_factor > 0 && o.start_factor <= 1))
        return refuse(kind.function, "start_factor must be above 0 and at most 1", o.start_factor);
    if (!(o.end_factor >= 0 && o.end_factor <= 1))
        return refuse(kind.function, "end_factor must be between 0 and 1", o.end_factor);
    if (o.total_iters < 0) return refuse(kind.function, "total_iters must not be negative", (double)o.total_iters);
    return started(scheduler_new(&kind, optimizer, &o));
}

static sp_status check_one_cycle(const sp_optimizer *optimizer, const char *function, double max_lr,
                                 int64_t total_steps, const sp_scheduler_options *o)
{
    const unsigned cycled = 1u << SP__BETA1 | 1u << SP__MOMENTUM;
    if (total_steps < 1)
        refuse(function, "total_steps must be 1 or more", (double)total_steps);
    else if (!(max_lr >= 0))
        refuse(function, "max_lr must not be negative", max_lr);
    else if (!(o->pct_start >= 0 && o->pct_start <= 1))
        refuse(function, "pct_start must be between 0 and 1", o->pct_start);
    else if (!(o->div_factor > 0))
        refuse(function, "div_factor must be above 0", o->div_factor);
    else if (!(o->final_div_factor > 0))
        refuse(function, "final_div_factor must be above 0", o->final_div_factor);
    else if (!o->keep_momentum && !(optimizer->rule->takes & cycled))
        sp_raise(SP_ERROR_ARGUMENT, "%s: %s has neither momentum nor betas; say .keep_momentum = true", function,
                 optimizer->rule->name);
    else
        return SP_OK;
    return SP_ERROR_ARGUMENT;
}

sp_scheduler *(sp_lr_one_cycle)(sp_optimizer *optimizer, double max_lr, int64_t total_steps,
                                const sp_scheduler_options *options)
{
    static const schedule kind = {"sp_lr_one_cycle", one_cycle_next};
    if (sp__optimizer_check(optimizer, kind.function) != SP_OK) return NULL;
    sp_scheduler_options o = complete(options);
    if (check_one_cycle(optimizer, kind.function, max_lr, total_steps, &o) != SP_OK) return NULL;
    sp_scheduler *s = scheduler_new(&kind, optimizer, &o);
    if (!s) return NULL;
    s->max_lr = max_lr;
    s->period = total_steps;
    /* Other schedules on this optimiser start from the cycle's first rate, as in PyTorch. */
    for (int g = 0; g < optimizer->n_groups; g++) {
        optimizer->groups[g].initial_lr = rate_of(s, INITIAL);
        optimizer->groups[g].has_initial_lr = true;
    }
    return started(s);
}

/* ---- plateau ---- */

sp_scheduler *(sp_lr_reduce_on_plateau)(sp_optimizer *optimizer, const sp_scheduler_options *options)
{
    static const schedule kind = {"sp_lr_reduce_on_plateau", NULL};
    if (sp__optimizer_check(optimizer, kind.function) != SP_OK) return NULL;
    sp_scheduler_options o = complete(options);
    if (!(o.factor < 1)) return refuse(kind.function, "factor must be below 1", o.factor);
    if (!(o.factor >= 0)) return refuse(kind.function, "factor must not be negative", o.factor);
    sp_scheduler *s = scheduler_new(&kind, optimizer, &o);
    if (s) s->best = o.mode_max ? -INFINITY : INFINITY;
    return s;
}

static bool is_better(const sp_scheduler *s, double metric)
{
    double threshold = s->options.threshold;
    if (s->options.mode_max)
        return metric > (s->options.threshold_absolute ? s->best + threshold : s->best * (1 + threshold));
    return metric < (s->options.threshold_absolute ? s->best - threshold : s->best * (1 - threshold));
}

/* Changes too small to matter are not made. */
static void reduce_rates(sp_scheduler *s)
{
    for (int g = 0; g < s->optimizer->n_groups; g++) {
        double *lr = &s->optimizer->groups[g].options.lr;
        double reduced = fmax(*lr * s->options.factor, s->options.min_lr);
        if (*lr - reduced > 1e-8) *lr = reduced;
    }
}

sp_status sp_scheduler_step_metric(sp_scheduler *scheduler, double metric)
{
    sp_scheduler *s = scheduler;
    sp_status status = check(s, "sp_scheduler_step_metric");
    if (status != SP_OK) return status;
    if (s->kind->next)
        return sp_raise(SP_ERROR_STATE, "sp_scheduler_step_metric: the schedule of %s takes no metric",
                        s->kind->function);
    s->epoch++;
    bool better = is_better(s, metric);
    if (better) s->best = metric;
    s->bad_epochs = better ? 0 : s->bad_epochs + 1;
    if (s->cooldown_left > 0) {
        s->cooldown_left--;
        s->bad_epochs = 0;
    }
    if (s->bad_epochs > s->options.patience) {
        reduce_rates(s);
        s->cooldown_left = s->options.cooldown;
        s->bad_epochs = 0;
    }
    s->last_lr = s->optimizer->groups[0].options.lr;
    return SP_OK;
}

/* ---- every epoch ---- */

sp_status sp_scheduler_step(sp_scheduler *scheduler)
{
    sp_scheduler *s = scheduler;
    sp_status status = check(s, "sp_scheduler_step");
    if (status != SP_OK) return status;
    if (!s->kind->next)
        return sp_raise(SP_ERROR_STATE, "sp_scheduler_step: %s needs a metric: sp_scheduler_step_metric",
                        s->kind->function);
    if (s->kind->next == one_cycle_next && s->epoch >= s->period)
        return sp_raise(SP_ERROR_STATE, "sp_scheduler_step: the cycle has %lld steps, and this is step %lld",
                        (long long)s->period, (long long)s->epoch + 1);
    s->epoch++;
    set_rates(s);
    return SP_OK;
}

double sp_scheduler_last_lr(const sp_scheduler *scheduler)
{
    return check(scheduler, "sp_scheduler_last_lr") == SP_OK ? scheduler->last_lr : 0;
}

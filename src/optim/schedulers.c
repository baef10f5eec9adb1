/* Learning rate schedules. Each computes a rate from the one before, as PyTorch does, so that several can share an
 * optimiser. */
#include "powers.h"
#include "schedule.h"

#include <math.h>

static void scheduler_destroy(void *object)
{
    sp_scheduler *s = object;
    sp_drop(s->optimizer);
    if (s->milestones) sp_free(s->milestones, (size_t)s->n_milestones * sizeof *s->milestones);
}

static const sp_kind scheduler_kind = {"scheduler", scheduler_destroy};

sp_status sp__scheduler_check(const sp_scheduler *scheduler, const char *function)
{
    if (!scheduler) return sp_raise_null(function, "scheduler");
    if (sp_object_is(scheduler, &scheduler_kind)) return SP_OK;
    return sp_raise(SP_ERROR_ARGUMENT, "%s: the argument is not a scheduler", function);
}

sp_status sp__scheduler_refuse(const char *function, const char *what, double got)
{
    return sp_raise(SP_ERROR_ARGUMENT, "%s: %s, got %g", function, what, got);
}

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
    return hits == 0 ? group->options.lr : group->options.lr * sp__whole_power(s->options.gamma, hits);
}

static double exponential_next(const sp_scheduler *s, sp__group *group)
{
    return s->epoch == 0 ? group->options.lr : group->options.lr * s->options.gamma;
}

static double cosine_next(const sp_scheduler *s, sp__group *group)
{
    double lr = group->options.lr, low = s->options.eta_min, t_max = (double)s->period, epoch = (double)s->epoch;
    if (s->epoch == 0) return lr;
    /* At the bottom of a wave the ratio below would be 0/0. */
    if (fmod(epoch - 1 - t_max, 2 * t_max) == 0)
        return lr + (group->initial_lr - low) * (1 - sp__cos_pi(1 / t_max)) / 2;
    return (1 + sp__cos_pi(epoch / t_max)) / (1 + sp__cos_pi((epoch - 1) / t_max)) * (lr - low) + low;
}

static double linear_next(const sp_scheduler *s, sp__group *group)
{
    const sp_scheduler_options *o = &s->options;
    double lr = group->options.lr, slope = o->end_factor - o->start_factor;
    if (s->epoch == 0) return lr * o->start_factor;
    if (s->epoch > o->total_iters) return lr;
    /* Rounding can miss an end_factor of 0 by a hair, and no optimiser takes a rate below 0. */
    return fmax(0, lr * (1 + slope / ((double)o->total_iters * o->start_factor + (double)(s->epoch - 1) * slope)));
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
    o.total_iters = sp_option_int(o.total_iters, defaults.total_iters);
    o.pct_start = sp_option(o.pct_start, defaults.pct_start);
    o.div_factor = sp_option(o.div_factor, defaults.div_factor);
    o.final_div_factor = sp_option(o.final_div_factor, defaults.final_div_factor);
    o.base_momentum = sp_option(o.base_momentum, defaults.base_momentum);
    o.max_momentum = sp_option(o.max_momentum, defaults.max_momentum);
    o.factor = sp_option(o.factor, defaults.factor);
    o.patience = sp_option_int(o.patience, defaults.patience);
    o.threshold = sp_option(o.threshold, defaults.threshold);
    o.cooldown = sp_option_int(o.cooldown, 0);
    o.min_lr = sp_option(o.min_lr, 0);
    return o;
}

/* A group with the rate that the schedule gives it next. */
static sp__group next_group(const sp_scheduler *s, int g)
{
    sp__group group = s->optimizer->groups[g];
    if (!group.has_initial_lr) group.initial_lr = group.options.lr;
    group.has_initial_lr = true;
    group.options.lr = s->kind->next(s, &group);
    return group;
}

/* If any group would get a rate that an optimiser does not take, no group changes. */
static sp_status set_rates(sp_scheduler *s, const char *function)
{
    sp_optimizer *optimizer = s->optimizer;
    for (int g = 0; g < optimizer->n_groups; g++) {
        const double lr = next_group(s, g).options.lr;
        if (!(lr >= 0 && isfinite(lr)))
            return sp_raise(SP_ERROR_ARGUMENT, "%s: the rate of group %d would be %g at epoch %lld", function, g, lr,
                            (long long)s->epoch);
    }
    for (int g = 0; g < optimizer->n_groups; g++) optimizer->groups[g] = next_group(s, g);
    s->last_lr = optimizer->groups[0].options.lr;
    return SP_OK;
}

sp_status sp__scheduler_not_negative(const char *function, const char *name, double got)
{
    if (got >= 0) return SP_OK;
    return sp_raise(SP_ERROR_ARGUMENT, "%s: %s must not be negative, got %g", function, name, got);
}

sp_status sp__scheduler_check_options(const sp_scheduler *s, const char *function)
{
    for (const sp__schedule_field *f = s->kind->fields; f->name; f++) {
        if (f->type != SP__NUMBER) continue;
        const double x = *(const double *)(const void *)((const char *)s + f->offset);
        if (!isfinite(x)) return sp_raise(SP_ERROR_ARGUMENT, "%s: %s must be finite, got %g", function, f->name, x);
    }
    return s->kind->check ? s->kind->check(s, function) : SP_OK;
}

sp_scheduler *sp__scheduler_new(const sp__schedule *kind, sp_optimizer *optimizer, const sp_scheduler_options *options)
{
    if (sp__optimizer_check(optimizer, kind->function) != SP_OK) return NULL;
    sp_scheduler *s = sp_object_new(&scheduler_kind, sizeof *s);
    if (!s) return NULL;
    s->kind = kind;
    s->optimizer = sp_retain(optimizer);
    s->options = complete(options);
    s->last_lr = optimizer->groups[0].options.lr;
    return s;
}

sp_scheduler *sp__scheduler_started(sp_scheduler *s)
{
    if (!s) return NULL;
    sp_status status = sp__scheduler_check_options(s, s->kind->function);
    if (status == SP_OK && s->kind->next) status = set_rates(s, s->kind->function);
    if (status == SP_OK) return s;
    sp_release(s);
    return NULL;
}

static sp_status gamma_check(const sp_scheduler *s, const char *function)
{
    return sp__scheduler_not_negative(function, "gamma", s->options.gamma);
}

static sp_status step_check(const sp_scheduler *s, const char *function)
{
    if (s->period < 1) return sp__scheduler_refuse(function, "step_size must be 1 or more", (double)s->period);
    return gamma_check(s, function);
}

sp_scheduler *(sp_lr_scheduler_step_lr)(sp_optimizer *optimizer, int64_t step_size, const sp_scheduler_options *options)
{
    static const sp__schedule_field fields[] = {SP__PERIOD("step_size"), SP__OPTION(gamma, NUMBER), {NULL}};
    static const sp__schedule kind = {"sp_lr_scheduler_step_lr", step_next, step_check, fields};
    sp_scheduler *s = sp__scheduler_new(&kind, optimizer, options);
    if (s) s->period = step_size;
    return sp__scheduler_started(s);
}

sp_status sp__copy_milestones(sp_dims milestones, int64_t **copy)
{
    *copy = NULL;
    if (milestones.n <= 0) return SP_OK;
    const size_t size = (size_t)milestones.n * sizeof **copy;
    *copy = sp_alloc(size);
    if (!*copy) return sp_error_status();
    memcpy(*copy, milestones.data, size);
    return SP_OK;
}

sp_status sp__scheduler_set_milestones(sp_scheduler *s, sp_dims milestones)
{
    s->milestones = NULL;
    s->n_milestones = 0;
    if (milestones.n < 0 || (milestones.n > 0 && !milestones.data))
        return sp_raise_null(s->kind->function, "milestones");
    const sp_status status = sp__copy_milestones(milestones, &s->milestones);
    if (status == SP_OK && s->milestones) s->n_milestones = milestones.n;
    return status;
}

sp_scheduler *(sp_lr_scheduler_multi_step_lr)(sp_optimizer *optimizer, sp_dims milestones,
                                              const sp_scheduler_options *options)
{
    static const sp__schedule_field fields[] = {SP__OPTION(gamma, NUMBER), {NULL}};
    static const sp__schedule kind = {"sp_lr_scheduler_multi_step_lr", multi_step_next, gamma_check, fields};
    sp_scheduler *s = sp__scheduler_new(&kind, optimizer, options);
    if (!s || sp__scheduler_set_milestones(s, milestones) == SP_OK) return sp__scheduler_started(s);
    sp_release(s);
    return NULL;
}

sp_scheduler *sp_lr_scheduler_exponential_lr(sp_optimizer *optimizer, double gamma)
{
    static const sp__schedule_field fields[] = {SP__OPTION(gamma, NUMBER), {NULL}};
    static const sp__schedule kind = {"sp_lr_scheduler_exponential_lr", exponential_next, gamma_check, fields};
    sp_scheduler *s = sp__scheduler_new(&kind, optimizer, NULL);
    if (s) s->options.gamma = gamma;
    return sp__scheduler_started(s);
}

static sp_status cosine_check(const sp_scheduler *s, const char *function)
{
    if (s->period < 1) return sp__scheduler_refuse(function, "t_max must be 1 or more", (double)s->period);
    return sp__scheduler_not_negative(function, "eta_min", s->options.eta_min);
}

sp_scheduler *(sp_lr_scheduler_cosine_annealing_lr)(sp_optimizer *optimizer, int64_t t_max,
                                                    const sp_scheduler_options *options)
{
    static const sp__schedule_field fields[] = {SP__PERIOD("t_max"), SP__OPTION(eta_min, NUMBER), {NULL}};
    static const sp__schedule kind = {"sp_lr_scheduler_cosine_annealing_lr", cosine_next, cosine_check, fields};
    sp_scheduler *s = sp__scheduler_new(&kind, optimizer, options);
    if (s) s->period = t_max;
    return sp__scheduler_started(s);
}

static sp_status linear_check(const sp_scheduler *s, const char *function)
{
    const sp_scheduler_options *o = &s->options;
    if (!(o->start_factor > 0 && o->start_factor <= 1))
        return sp__scheduler_refuse(function, "start_factor must be above 0 and at most 1", o->start_factor);
    if (!(o->end_factor >= 0 && o->end_factor <= 1))
        return sp__scheduler_refuse(function, "end_factor must be between 0 and 1", o->end_factor);
    return sp__scheduler_not_negative(function, "total_iters", (double)o->total_iters);
}

sp_scheduler *(sp_lr_scheduler_linear_lr)(sp_optimizer *optimizer, const sp_scheduler_options *options)
{
    static const sp__schedule_field fields[] = {
        SP__OPTION(start_factor, NUMBER), SP__OPTION(end_factor, NUMBER), SP__OPTION(total_iters, INT), {NULL}};
    static const sp__schedule kind = {"sp_lr_scheduler_linear_lr", linear_next, linear_check, fields};
    return sp__scheduler_started(sp__scheduler_new(&kind, optimizer, options));
}

/* ---- every epoch ---- */

sp_status sp_scheduler_step(sp_scheduler *scheduler)
{
    sp_scheduler *s = scheduler;
    sp_status status = sp__scheduler_check(s, "sp_scheduler_step");
    if (status != SP_OK) return status;
    if (!s->kind->next)
        return sp_raise(SP_ERROR_STATE, "sp_scheduler_step: %s needs a metric: sp_scheduler_step_metric",
                        s->kind->function);
    if (s->kind->ends && s->epoch >= s->period)
        return sp_raise(SP_ERROR_STATE, "sp_scheduler_step: the cycle has %lld steps, and this is step %lld",
                        (long long)s->period, (long long)s->epoch + 1);
    const int64_t before = s->epoch;
    s->epoch = sp__next_count(before);
    status = set_rates(s, "sp_scheduler_step");
    if (status != SP_OK) s->epoch = before;
    return status;
}

double sp_scheduler_last_lr(const sp_scheduler *scheduler)
{
    return sp__scheduler_check(scheduler, "sp_scheduler_last_lr") == SP_OK ? scheduler->last_lr : 0;
}

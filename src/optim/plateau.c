/* The schedule that waits: the rate falls when a metric has stopped to improve. */
#include "schedule.h"

#include <math.h>

static sp_status plateau_check(const sp_scheduler *s, const char *function)
{
    if (!(s->options.factor < 1)) return sp__scheduler_refuse(function, "factor must be below 1", s->options.factor);
    const struct {
        const char *name;
        double value;
    } counted[] = {{"factor", s->options.factor},
                   {"patience", (double)s->options.patience},
                   {"cooldown", (double)s->options.cooldown},
                   {"min_lr", s->options.min_lr}};
    sp_status status = SP_OK;
    for (size_t i = 0; i < sizeof counted / sizeof *counted && status == SP_OK; i++)
        status = sp__scheduler_not_negative(function, counted[i].name, counted[i].value);
    return status;
}

sp_scheduler *(sp_lr_scheduler_reduce_lr_on_plateau)(sp_optimizer *optimizer, const sp_scheduler_options *options)
{
    static const sp__schedule_field fields[] = {SP__OPTION(factor, NUMBER),
                                                SP__OPTION(patience, INT),
                                                SP__OPTION(threshold, NUMBER),
                                                SP__OPTION(threshold_absolute, FLAG),
                                                SP__OPTION(mode_max, FLAG),
                                                SP__OPTION(cooldown, INT),
                                                SP__OPTION(min_lr, NUMBER),
                                                {"best", SP__METRIC, offsetof(sp_scheduler, best)},
                                                {"num_bad_epochs", SP__INT, offsetof(sp_scheduler, bad_epochs)},
                                                {"cooldown_counter", SP__INT, offsetof(sp_scheduler, cooldown_left)},
                                                {NULL}};
    static const sp__schedule kind = {"sp_lr_scheduler_reduce_lr_on_plateau", NULL, plateau_check, fields};
    sp_scheduler *s = sp__scheduler_new(&kind, optimizer, options);
    if (s) s->best = s->options.mode_max ? -INFINITY : INFINITY;
    return sp__scheduler_started(s);
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
    sp_status status = sp__scheduler_check(s, "sp_scheduler_step_metric");
    if (status != SP_OK) return status;
    if (s->kind->next)
        return sp_raise(SP_ERROR_STATE, "sp_scheduler_step_metric: the schedule of %s takes no metric",
                        s->kind->function);
    s->epoch = sp__next_count(s->epoch);
    bool better = is_better(s, metric);
    if (better) s->best = metric;
    s->bad_epochs = better ? 0 : sp__next_count(s->bad_epochs);
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

/* The one-cycle schedule: the rate up to a maximum and down again, the momentum the other way. */
#include "powers.h"
#include "schedule.h"

#include <math.h>

typedef enum phase_value { INITIAL, MAXIMUM, MINIMUM } phase_value;

/* One phase of the schedule, up to a step: from which learning rate to which, and whether the momentum is low at its
 * start and end. */
typedef struct phase {
    double end;
    phase_value from, to;
    bool momentum_starts_low, momentum_ends_low;
} phase;

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
    return to + (from - to) / 2 * (sp__cos_pi(part) + 1);
}

static sp__field cycled_field(const sp_scheduler *s)
{
    return sp__takes(s->optimizer->rule, SP__BETA1) ? SP__BETA1 : SP__MOMENTUM;
}

static void cycle_momentum(const sp_scheduler *s, sp__group *group, const phase *p, double part)
{
    const sp_scheduler_options *o = &s->options;
    double from = p->momentum_starts_low ? o->base_momentum : o->max_momentum;
    double to = p->momentum_ends_low ? o->base_momentum : o->max_momentum;
    *sp__number_of(&group->options, cycled_field(s)) = between(s, from, to, part);
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

/* They become the optimiser's momentum, or its first beta. */
static sp_status check_momenta(const sp_scheduler *s, const char *function)
{
    const sp__field field = cycled_field(s);
    sp_status status = sp__check_range(function, field, s->options.base_momentum);
    return status == SP_OK ? sp__check_range(function, field, s->options.max_momentum) : status;
}

static sp_status one_cycle_check(const sp_scheduler *s, const char *function)
{
    const sp_scheduler_options *o = &s->options;
    const unsigned cycled = 1u << SP__BETA1 | 1u << SP__MOMENTUM;
    if (s->period < 1) return sp__scheduler_refuse(function, "total_steps must be 1 or more", (double)s->period);
    if (s->max_lr < 0) return sp__scheduler_not_negative(function, "max_lr", s->max_lr);
    if (!(o->pct_start >= 0 && o->pct_start <= 1))
        return sp__scheduler_refuse(function, "pct_start must be between 0 and 1", o->pct_start);
    if (!(o->div_factor > 0)) return sp__scheduler_refuse(function, "div_factor must be above 0", o->div_factor);
    if (!(o->final_div_factor > 0))
        return sp__scheduler_refuse(function, "final_div_factor must be above 0", o->final_div_factor);
    if (o->keep_momentum) return SP_OK;
    if (s->optimizer->rule->takes & cycled) return check_momenta(s, function);
    return sp_raise(SP_ERROR_ARGUMENT, "%s: %s has neither momentum nor betas; say .keep_momentum = true", function,
                    s->optimizer->rule->name);
}

/* Other schedules on this optimiser start from the cycle's first rate, as in PyTorch. */
static void start_from_cycle(const sp_scheduler *s)
{
    for (int g = 0; g < s->optimizer->n_groups; g++) {
        s->optimizer->groups[g].initial_lr = rate_of(s, INITIAL);
        s->optimizer->groups[g].has_initial_lr = true;
    }
}

sp_scheduler *(sp_lr_scheduler_one_cycle_lr)(sp_optimizer *optimizer, double max_lr, int64_t total_steps,
                                             const sp_scheduler_options *options)
{
    static const sp__schedule_field fields[] = {SP__PERIOD("total_steps"),
                                                {"max_lr", SP__NUMBER, offsetof(sp_scheduler, max_lr)},
                                                SP__OPTION(pct_start, NUMBER),
                                                SP__OPTION(linear_anneal, FLAG),
                                                SP__OPTION(div_factor, NUMBER),
                                                SP__OPTION(final_div_factor, NUMBER),
                                                SP__OPTION(three_phase, FLAG),
                                                SP__OPTION(keep_momentum, FLAG),
                                                SP__OPTION(base_momentum, NUMBER),
                                                SP__OPTION(max_momentum, NUMBER),
                                                {NULL}};
    static const sp__schedule kind = {"sp_lr_scheduler_one_cycle_lr", one_cycle_next, one_cycle_check, fields, true};
    sp_scheduler *s = sp__scheduler_new(&kind, optimizer, options);
    if (!s) return NULL;
    s->max_lr = max_lr;
    s->period = total_steps;
    s = sp__scheduler_started(s);
    if (s) start_from_cycle(s);
    return s;
}

/* A learning rate schedule from inside. */
#ifndef SPUSK_SCHEDULE_H
#define SPUSK_SCHEDULE_H

#include "optim_private.h"

#include <stddef.h>

/* A field of sp_scheduler that its state dict holds. */
typedef struct sp__schedule_field {
    const char *name;                                        /* NULL: the end of a list */
    enum { SP__NUMBER, SP__METRIC, SP__INT, SP__FLAG } type; /* a number is finite, a metric any */
    size_t offset;
} sp__schedule_field;

#define SP__OPTION(name, type)                                                                                         \
    {                                                                                                                  \
#name, SP__##type, offsetof(sp_scheduler, options.name)                                                        \
    }
#define SP__PERIOD(name)                                                                                               \
    {                                                                                                                  \
        name, SP__INT, offsetof(sp_scheduler, period)                                                                  \
    }

typedef struct sp__schedule {
    const char *function; /* "sp_lr_scheduler_step_lr" */
    /* The group's next rate; NULL for a schedule that goes by a metric. */
    double (*next)(const sp_scheduler *s, sp__group *group);
    /* Whether its options are in range, beside being finite; NULL where all are. */
    sp_status (*check)(const sp_scheduler *s, const char *function);
    const sp__schedule_field *fields;
    bool ends; /* no step after `period` */
} sp__schedule;

struct sp_scheduler {
    const sp__schedule *kind;
    sp_optimizer *optimizer;                          /* held */
    SP_OPTIONS_MEMBER(sp_scheduler_options, options); /* complete */
    int64_t epoch;
    int64_t period;      /* step_size, t_max or total_steps */
    int64_t *milestones; /* multi-step */
    int n_milestones;
    double max_lr; /* one-cycle */
    double best;   /* plateau */
    int64_t bad_epochs, cooldown_left;
    double last_lr;
};

sp_status sp__scheduler_check(const sp_scheduler *scheduler, const char *function);
/* Raises "function: what, got …". */
sp_status sp__scheduler_refuse(const char *function, const char *what, double got);
/* Raises where a number of 0 or more is wanted. */
sp_status sp__scheduler_not_negative(const char *function, const char *name, double got);
/* Whether its numbers are finite and its options in range. */
sp_status sp__scheduler_check_options(const sp_scheduler *scheduler, const char *function);
/* A new schedule, for its maker to fill in; then starts it: checks its options and sets the rates of epoch 0. */
sp_scheduler *sp__scheduler_new(const sp__schedule *kind, sp_optimizer *optimizer, const sp_scheduler_options *options);
sp_scheduler *sp__scheduler_started(sp_scheduler *scheduler);
/* A copy of the milestones in memory of its own; NULL for none. */
sp_status sp__copy_milestones(sp_dims milestones, int64_t **copy);
/* Copies milestones into the schedule. The caller keeps the schedule's old ones. */
sp_status sp__scheduler_set_milestones(sp_scheduler *scheduler, sp_dims milestones);

#endif

/* Optimisers, learning rate schedules, gradient clipping. Options have PyTorch's names and defaults. */
#ifndef SPUSK_OPTIM_H
#define SPUSK_OPTIM_H

#include <spusk/data.h>
#include <spusk/module.h>
#include <spusk/reductions.h>

SP_BEGIN

typedef struct sp_optimizer sp_optimizer;
typedef struct sp_scheduler sp_scheduler;

/* Every optimiser's options; each reads those named in its own line. */
typedef struct sp_optim_options {
    size_t size;
    double lr;
    double momentum;                  /* sgd, rmsprop */
    double dampening;                 /* sgd */
    bool nesterov;                    /* sgd */
    double weight_decay;              /* all */
    double lr_decay;                  /* adagrad */
    double initial_accumulator_value; /* adagrad */
    double rho;                       /* adadelta, default 0.9 */
    double alpha;                     /* rmsprop, default 0.99 */
    bool centered;                    /* rmsprop */
    double betas[2];                  /* adam and its kin, default 0.9, 0.999 */
    double eps;
    bool amsgrad;          /* adam, adamw */
    double momentum_decay; /* nadam, default 4e-3 */
    bool maximize;         /* go uphill */
    SP_OPTIONS_END;
} sp_optim_options;

/* Stochastic gradient descent; lr default 1e-3. */
SP_API sp_optimizer *sp_optim_sgd(const sp_list *parameters, const sp_optim_options *options SP_OR_NULL);
#define sp_optim_sgd(...) SP__CALL1(sp_optim_sgd, sp_optim_options, __VA_ARGS__)
/* Duchi, Hazan, Singer, JMLR 2011. lr 1e-2, eps 1e-10. */
SP_API sp_optimizer *sp_optim_adagrad(const sp_list *parameters, const sp_optim_options *options SP_OR_NULL);
#define sp_optim_adagrad(...) SP__CALL1(sp_optim_adagrad, sp_optim_options, __VA_ARGS__)
/* Zeiler, arXiv:1212.5701. lr 1, rho 0.9, eps 1e-6. */
SP_API sp_optimizer *sp_optim_adadelta(const sp_list *parameters, const sp_optim_options *options SP_OR_NULL);
#define sp_optim_adadelta(...) SP__CALL1(sp_optim_adadelta, sp_optim_options, __VA_ARGS__)
/* Hinton's lecture 6e. lr 1e-2, alpha 0.99, eps 1e-8. */
SP_API sp_optimizer *sp_optim_rmsprop(const sp_list *parameters, const sp_optim_options *options SP_OR_NULL);
#define sp_optim_rmsprop(...) SP__CALL1(sp_optim_rmsprop, sp_optim_options, __VA_ARGS__)
/* Kingma and Ba, arXiv:1412.6980. lr 1e-3, betas 0.9 0.999, eps 1e-8; amsgrad: Reddi, Kale, Kumar, ICLR 2018. */
SP_API sp_optimizer *sp_optim_adam(const sp_list *parameters, const sp_optim_options *options SP_OR_NULL);
#define sp_optim_adam(...) SP__CALL1(sp_optim_adam, sp_optim_options, __VA_ARGS__)
/* Loshchilov and Hutter, arXiv:1711.05101. As Adam, weight_decay 1e-2. */
SP_API sp_optimizer *sp_optim_adamw(const sp_list *parameters, const sp_optim_options *options SP_OR_NULL);
#define sp_optim_adamw(...) SP__CALL1(sp_optim_adamw, sp_optim_options, __VA_ARGS__)
/* Adam with the infinity norm. lr 2e-3. */
SP_API sp_optimizer *sp_optim_adamax(const sp_list *parameters, const sp_optim_options *options SP_OR_NULL);
#define sp_optim_adamax(...) SP__CALL1(sp_optim_adamax, sp_optim_options, __VA_ARGS__)
/* Dozat, ICLR workshop 2016. lr 2e-3, momentum_decay 4e-3. */
SP_API sp_optimizer *sp_optim_nadam(const sp_list *parameters, const sp_optim_options *options SP_OR_NULL);
#define sp_optim_nadam(...) SP__CALL1(sp_optim_nadam, sp_optim_options, __VA_ARGS__)

/* Adds a parameter group; options left out are those of the optimiser. No parameter may be in two groups. */
SP_API sp_status sp_add_param_group(sp_optimizer *optimizer, const sp_list *parameters,
                                    const sp_optim_options *options SP_OR_NULL);
#define sp_add_param_group(...) SP__CALL2(sp_add_param_group, sp_optim_options, __VA_ARGS__)

/* Drops the gradients of all parameters. */
SP_API sp_status sp_zero_grad(sp_optimizer *optimizer);
/* One update of every parameter that has a gradient. */
SP_API sp_status sp_step(sp_optimizer *optimizer);

/* Groups; the learning rate of group i. */
SP_API int sp_num_param_groups(const sp_optimizer *optimizer);
SP_API double sp_lr(const sp_optimizer *optimizer, int group);
SP_API sp_status sp_set_lr(sp_optimizer *optimizer, int group, double lr);
/* "Adam". */
SP_API const char *sp_optimizer_name(const sp_optimizer *optimizer);
/* The whole state as tensors, "0.exp_avg", "0.step", "group.0.lr", "group.0.amsgrad", …; and back, every option of
 * every group with it, as in PyTorch. Nothing changes when it does not fit. */
SP_API sp_dict *sp_optimizer_state_dict(const sp_optimizer *optimizer);
SP_API sp_status sp_optimizer_load_state_dict(sp_optimizer *optimizer, const sp_dict *state);

/* ---- schedules: call sp_scheduler_step after each epoch (or step) ---- */

typedef struct sp_scheduler_options {
    size_t size;
    double gamma;                       /* step, multi-step: default 0.1 */
    double eta_min;                     /* cosine: default 0 */
    double start_factor;                /* linear: default 1/3 */
    double end_factor;                  /* linear: default 1; SP_ZERO for 0 */
    int64_t total_iters;                /* linear: default 5 */
    double pct_start;                   /* one-cycle: default 0.3 */
    bool linear_anneal;                 /* one-cycle: straight lines instead of cosines */
    double div_factor;                  /* one-cycle: default 25 */
    double final_div_factor;            /* one-cycle: default 1e4 */
    bool three_phase;                   /* one-cycle */
    bool keep_momentum;                 /* one-cycle: PyTorch's cycle_momentum=False */
    double base_momentum, max_momentum; /* one-cycle: default 0.85, 0.95 */
    double factor;                      /* plateau: default 0.1 */
    int64_t patience;                   /* plateau: default 10; SP_ZERO for 0 */
    double threshold;                   /* plateau: default 1e-4; SP_ZERO for 0 */
    bool threshold_absolute;            /* plateau: PyTorch's threshold_mode="abs" */
    bool mode_max;                      /* plateau: the metric should grow */
    int64_t cooldown;                   /* plateau: default 0 */
    double min_lr;                      /* plateau: default 0 */
    SP_OPTIONS_END;
} sp_scheduler_options;

/* lr·gamma every step_size epochs. */
SP_API sp_scheduler *sp_lr_scheduler_step_lr(sp_optimizer *optimizer, int64_t step_size,
                                             const sp_scheduler_options *options SP_OR_NULL);
#define sp_lr_scheduler_step_lr(...) SP__CALL2(sp_lr_scheduler_step_lr, sp_scheduler_options, __VA_ARGS__)
/* lr·gamma at each milestone. */
SP_API sp_scheduler *sp_lr_scheduler_multi_step_lr(sp_optimizer *optimizer, sp_dims milestones,
                                                   const sp_scheduler_options *options SP_OR_NULL);
#define sp_lr_scheduler_multi_step_lr(...) SP__CALL2(sp_lr_scheduler_multi_step_lr, sp_scheduler_options, __VA_ARGS__)
/* lr·gamma every epoch. */
SP_API sp_scheduler *sp_lr_scheduler_exponential_lr(sp_optimizer *optimizer, double gamma);
/* Half a cosine from lr to eta_min over t_max epochs. Loshchilov and Hutter, arXiv:1608.03983. */
SP_API sp_scheduler *sp_lr_scheduler_cosine_annealing_lr(sp_optimizer *optimizer, int64_t t_max,
                                                         const sp_scheduler_options *options SP_OR_NULL);
#define sp_lr_scheduler_cosine_annealing_lr(...)                                                                       \
    SP__CALL2(sp_lr_scheduler_cosine_annealing_lr, sp_scheduler_options, __VA_ARGS__)
/* A factor that goes straight from start_factor to end_factor over total_iters epochs. */
SP_API sp_scheduler *sp_lr_scheduler_linear_lr(sp_optimizer *optimizer, const sp_scheduler_options *options SP_OR_NULL);
#define sp_lr_scheduler_linear_lr(...) SP__CALL1(sp_lr_scheduler_linear_lr, sp_scheduler_options, __VA_ARGS__)
/* Up to max_lr and down again within total_steps. Smith and Topin, arXiv:1708.07120. */
SP_API sp_scheduler *sp_lr_scheduler_one_cycle_lr(sp_optimizer *optimizer, double max_lr, int64_t total_steps,
                                                  const sp_scheduler_options *options SP_OR_NULL);
#define sp_lr_scheduler_one_cycle_lr(...) SP__CALL3(sp_lr_scheduler_one_cycle_lr, sp_scheduler_options, __VA_ARGS__)
/* lr·factor when the metric given to sp_scheduler_step_metric has not improved for `patience` epochs. */
SP_API sp_scheduler *sp_lr_scheduler_reduce_lr_on_plateau(sp_optimizer *optimizer,
                                                          const sp_scheduler_options *options SP_OR_NULL);
#define sp_lr_scheduler_reduce_lr_on_plateau(...)                                                                      \
    SP__CALL1(sp_lr_scheduler_reduce_lr_on_plateau, sp_scheduler_options, __VA_ARGS__)

SP_API sp_status sp_scheduler_step(sp_scheduler *scheduler);
SP_API sp_status sp_scheduler_step_metric(sp_scheduler *scheduler, double metric);
/* The learning rate of group 0 that the last step set. */
SP_API double sp_scheduler_last_lr(const sp_scheduler *scheduler);
/* Where the schedule stands, with its options, as tensors: "last_epoch", "base_lrs", "gamma", …; and back into one of
 * the same kind. The rates it has set are in the optimiser's state. Nothing changes when it does not fit. */
SP_API sp_dict *sp_scheduler_state_dict(const sp_scheduler *scheduler);
SP_API sp_status sp_scheduler_load_state_dict(sp_scheduler *scheduler, const sp_dict *state);

/* ---- a larger batch in the place of a smaller rate ---- */

typedef struct sp_batch_scheduler sp_batch_scheduler;
typedef struct sp_batch_scheduler_options {
    size_t size;
    double factor;          /* default 5 */
    int64_t max_batch_size; /* default a tenth of the examples */
    SP_OPTIONS_END;
} sp_batch_scheduler_options;
/* At each milestone the loader's batch grows by the factor by which sp_lr_scheduler_multi_step_lr would divide the
 * rate: the noise of the gradients falls alike, in fewer steps. Where the batch has reached max_batch_size the rate
 * falls instead. Smith, Kindermans, Ying, Le, "Don't decay the learning rate, increase the batch size", ICLR 2018. */
SP_API sp_batch_scheduler *sp_batch_scheduler_multi_step(sp_loader *loader, sp_optimizer *optimizer, sp_dims milestones,
                                                         const sp_batch_scheduler_options *options SP_OR_NULL);
#define sp_batch_scheduler_multi_step(...)                                                                             \
    SP__CALL3(sp_batch_scheduler_multi_step, sp_batch_scheduler_options, __VA_ARGS__)
/* To be called after each epoch. */
SP_API sp_status sp_batch_scheduler_step(sp_batch_scheduler *scheduler);
/* Where it stands, with its options and the loader's batch, as tensors: "last_epoch", "milestones", "factor",
 * "max_batch_size", "batch_size"; and back, with the loader's batch. The rates it has set are in the optimiser's state.
 * Nothing changes when it does not fit. */
SP_API sp_dict *sp_batch_scheduler_state_dict(const sp_batch_scheduler *scheduler);
SP_API sp_status sp_batch_scheduler_load_state_dict(sp_batch_scheduler *scheduler, const sp_dict *state);

/* ---- clipping, in place; returns the total norm before ---- */

/* Scales all gradients so that their common p-norm is at most max_norm (p default 2; INFINITY). NaN on failure. */
SP_API double sp_clip_grad_norm_(const sp_list *parameters, double max_norm,
                                 const sp_reduce_options *options SP_OR_NULL);
#define sp_clip_grad_norm_(...) SP__CALL2(sp_clip_grad_norm_, sp_reduce_options, __VA_ARGS__)
/* Clamps every gradient to ±value. */
SP_API sp_status sp_clip_grad_value_(const sp_list *parameters, double value);

SP_END_DECLS

#endif

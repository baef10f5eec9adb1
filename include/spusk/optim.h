/* Optimisers, learning rate schedules, gradient clipping. Options have PyTorch's names and defaults. */
#ifndef SPUSK_OPTIM_H
#define SPUSK_OPTIM_H

#include <spusk/data.h>
#include <spusk/module.h>
#include <spusk/reductions.h>

SP_BEGIN

typedef struct sp_optimizer sp_optimizer;
typedef struct sp_scheduler sp_scheduler;

/* The options of all optimisers; each reads those that name it. In the formulas below p is a parameter and g its
 * gradient, to which weight_decay·p is added. */
typedef struct sp_optim_options {
    size_t size;
    double lr;                        /* default: the optimiser's own */
    double momentum;                  /* sgd, rmsprop */
    double dampening;                 /* sgd */
    bool nesterov;                    /* sgd */
    double weight_decay;              /* all; default 0, of adamw 1e-2 */
    double lr_decay;                  /* adagrad */
    double initial_accumulator_value; /* adagrad */
    double rho;                       /* adadelta, default 0.9 */
    double alpha;                     /* rmsprop, default 0.99 */
    bool centered;                    /* rmsprop */
    double betas[2];                  /* adam and its kin, default 0.9, 0.999 */
    double eps;                       /* default: the optimiser's own */
    bool amsgrad;                     /* adam, adamw */
    double momentum_decay;            /* nadam, default 4e-3 */
    bool maximize;                    /* go uphill */
    SP_OPTIONS_END;
} sp_optim_options;

/* Stochastic gradient descent. b = momentum·b + (1 - dampening)·g, g = b (or g + momentum·b with nesterov); p = p -
 * lr·g. lr 1e-3 by default, without momentum. Fails, as all optimisers do, for an empty list, for a parameter twice and
 * for one that is no floating leaf. */
SP_API sp_optimizer *sp_optim_sgd(const sp_list *parameters, const sp_optim_options *options SP_OR_NULL);
#define sp_optim_sgd(...) SP__CALL1(sp_optim_sgd, sp_optim_options, __VA_ARGS__)

/* s = s + g²; p = p - lr/(1 + (step - 1)·lr_decay)·g/(√s + eps). lr 1e-2, eps 1e-10 by default. Duchi, Hazan, Singer,
 * JMLR 2011. */
SP_API sp_optimizer *sp_optim_adagrad(const sp_list *parameters, const sp_optim_options *options SP_OR_NULL);
#define sp_optim_adagrad(...) SP__CALL1(sp_optim_adagrad, sp_optim_options, __VA_ARGS__)

/* s = rho·s + (1 - rho)·g²; d = √(a + eps)/√(s + eps)·g; a = rho·a + (1 - rho)·d²; p = p - lr·d. lr 1, rho 0.9, eps
 * 1e-6 by default. Zeiler, arXiv:1212.5701. */
SP_API sp_optimizer *sp_optim_adadelta(const sp_list *parameters, const sp_optim_options *options SP_OR_NULL);
#define sp_optim_adadelta(...) SP__CALL1(sp_optim_adadelta, sp_optim_options, __VA_ARGS__)

/* s = alpha·s + (1 - alpha)·g²; p = p - lr·g/(√s + eps), with the mean of g taken off s if centered, and a momentum if
 * there is one. lr 1e-2, alpha 0.99, eps 1e-8 by default. Hinton's lecture 6e. */
SP_API sp_optimizer *sp_optim_rmsprop(const sp_list *parameters, const sp_optim_options *options SP_OR_NULL);
#define sp_optim_rmsprop(...) SP__CALL1(sp_optim_rmsprop, sp_optim_options, __VA_ARGS__)

/* m = β₁·m + (1 - β₁)·g; v = β₂·v + (1 - β₂)·g²; p = p - lr·m'/(√v' + eps), m' = m/(1 - β₁^step), v' = v/(1 - β₂^step).
 * lr 1e-3, betas 0.9 and 0.999, eps 1e-8 by default. Kingma and Ba, arXiv:1412.6980; amsgrad: Reddi, Kale, Kumar, ICLR
 * 2018. */
SP_API sp_optimizer *sp_optim_adam(const sp_list *parameters, const sp_optim_options *options SP_OR_NULL);
#define sp_optim_adam(...) SP__CALL1(sp_optim_adam, sp_optim_options, __VA_ARGS__)

/* sp_optim_adam with a weight decay that does not go through the moments: p = p·(1 - lr·weight_decay) first.
 * weight_decay 1e-2 by default, the others as Adam's. Loshchilov and Hutter, arXiv:1711.05101. */
SP_API sp_optimizer *sp_optim_adamw(const sp_list *parameters, const sp_optim_options *options SP_OR_NULL);
#define sp_optim_adamw(...) SP__CALL1(sp_optim_adamw, sp_optim_options, __VA_ARGS__)

/* Adam with the infinity norm: u = max(β₂·u, |g| + eps); p = p - lr·m'/u. lr 2e-3, the others as Adam's. Kingma and Ba,
 * arXiv:1412.6980. */
SP_API sp_optimizer *sp_optim_adamax(const sp_list *parameters, const sp_optim_options *options SP_OR_NULL);
#define sp_optim_adamax(...) SP__CALL1(sp_optim_adamax, sp_optim_options, __VA_ARGS__)

/* Adam with Nesterov's momentum, which grows with the steps as momentum_decay says. lr 2e-3, momentum_decay 4e-3, the
 * others as Adam's. Dozat, ICLR workshop 2016. */
SP_API sp_optimizer *sp_optim_nadam(const sp_list *parameters, const sp_optim_options *options SP_OR_NULL);
#define sp_optim_nadam(...) SP__CALL1(sp_optim_nadam, sp_optim_options, __VA_ARGS__)

/* Adds a group of parameters with options of its own; those left out are the optimiser's. Fails for a parameter that is
 * in a group already. */
SP_API sp_status sp_add_param_group(sp_optimizer *optimizer, const sp_list *parameters,
                                    const sp_optim_options *options SP_OR_NULL);
#define sp_add_param_group(...) SP__CALL2(sp_add_param_group, sp_optim_options, __VA_ARGS__)

/* Drops the gradients of all parameters: optimizer.zero_grad(). */
SP_API sp_status sp_zero_grad(sp_optimizer *optimizer);

/* Updates every parameter that has a gradient once: optimizer.step(). */
SP_API sp_status sp_step(sp_optimizer *optimizer);

/* The number of parameter groups; 0 for NULL. */
SP_API int sp_num_param_groups(const sp_optimizer *optimizer);

/* The learning rate of a group, counted from 0: optimizer.param_groups[i]["lr"]. 0 and an error for one out of
 * range. */
SP_API double sp_lr(const sp_optimizer *optimizer, int group);

/* Sets the learning rate of a group, counted from 0. Fails for a group out of range and a rate that is negative or not
 * finite. */
SP_API sp_status sp_set_lr(sp_optimizer *optimizer, int group, double lr);

/* The optimiser's name, "Adam"; "" for NULL. */
SP_API const char *sp_optimizer_name(const sp_optimizer *optimizer);

/* The whole state as tensors, "0.exp_avg", "0.step", …, with every option of every group, "group.0.lr",
 * "group.0.amsgrad", … */
SP_API sp_dict *sp_optimizer_state_dict(const sp_optimizer *optimizer);

/* Takes a state that sp_optimizer_state_dict gave, the options of every group with it. Fails, with nothing changed,
 * where it does not fit the parameters. */
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

/* lr = lr·gamma every step_size epochs. */
SP_API sp_scheduler *sp_lr_scheduler_step_lr(sp_optimizer *optimizer, int64_t step_size,
                                             const sp_scheduler_options *options SP_OR_NULL);
#define sp_lr_scheduler_step_lr(...) SP__CALL2(sp_lr_scheduler_step_lr, sp_scheduler_options, __VA_ARGS__)

/* lr = lr·gamma at each milestone, a number of epochs done. */
SP_API sp_scheduler *sp_lr_scheduler_multi_step_lr(sp_optimizer *optimizer, sp_dims milestones,
                                                   const sp_scheduler_options *options SP_OR_NULL);
#define sp_lr_scheduler_multi_step_lr(...) SP__CALL2(sp_lr_scheduler_multi_step_lr, sp_scheduler_options, __VA_ARGS__)

/* lr = lr·gamma every epoch. */
SP_API sp_scheduler *sp_lr_scheduler_exponential_lr(sp_optimizer *optimizer, double gamma);

/* eta_min + (lr - eta_min)·(1 + cos(π·epoch/t_max))/2: half a cosine from lr to eta_min over t_max epochs, and back
 * after them. Loshchilov and Hutter, arXiv:1608.03983. */
SP_API sp_scheduler *sp_lr_scheduler_cosine_annealing_lr(sp_optimizer *optimizer, int64_t t_max,
                                                         const sp_scheduler_options *options SP_OR_NULL);
#define sp_lr_scheduler_cosine_annealing_lr(...)                                                                       \
    SP__CALL2(sp_lr_scheduler_cosine_annealing_lr, sp_scheduler_options, __VA_ARGS__)

/* lr times a factor that goes straight from start_factor to end_factor over total_iters epochs. */
SP_API sp_scheduler *sp_lr_scheduler_linear_lr(sp_optimizer *optimizer, const sp_scheduler_options *options SP_OR_NULL);
#define sp_lr_scheduler_linear_lr(...) SP__CALL1(sp_lr_scheduler_linear_lr, sp_scheduler_options, __VA_ARGS__)

/* From max_lr/div_factor up to max_lr for the first pct_start of total_steps, then down to the beginning's rate divided
 * by final_div_factor; the momentum, or β₁, goes the other way. Fails for an optimiser without either unless
 * keep_momentum. Smith and Topin, arXiv:1708.07120. */
SP_API sp_scheduler *sp_lr_scheduler_one_cycle_lr(sp_optimizer *optimizer, double max_lr, int64_t total_steps,
                                                  const sp_scheduler_options *options SP_OR_NULL);
#define sp_lr_scheduler_one_cycle_lr(...) SP__CALL3(sp_lr_scheduler_one_cycle_lr, sp_scheduler_options, __VA_ARGS__)

/* lr = lr·factor when the metric that sp_scheduler_step_metric gets has not improved for more than `patience`
 * epochs. */
SP_API sp_scheduler *sp_lr_scheduler_reduce_lr_on_plateau(sp_optimizer *optimizer,
                                                          const sp_scheduler_options *options SP_OR_NULL);
#define sp_lr_scheduler_reduce_lr_on_plateau(...)                                                                      \
    SP__CALL1(sp_lr_scheduler_reduce_lr_on_plateau, sp_scheduler_options, __VA_ARGS__)

/* Goes one epoch (or step) on and sets the rates of all groups: scheduler.step(). Fails for a schedule that needs a
 * metric, and beyond the end of a cycle. */
SP_API sp_status sp_scheduler_step(sp_scheduler *scheduler);

/* sp_scheduler_step for a schedule on a plateau, with the metric that it watches. Fails for another schedule. */
SP_API sp_status sp_scheduler_step_metric(sp_scheduler *scheduler, double metric);

/* The learning rate of group 0 that the last step set. 0 for NULL. */
SP_API double sp_scheduler_last_lr(const sp_scheduler *scheduler);

/* Where the schedule stands, with its options, as tensors: "last_epoch", "base_lrs", "gamma", … The rates that it has
 * set are in the optimiser's state. */
SP_API sp_dict *sp_scheduler_state_dict(const sp_scheduler *scheduler);

/* Takes the state of a schedule of the same kind. Fails, with nothing changed, where it does not fit. */
SP_API sp_status sp_scheduler_load_state_dict(sp_scheduler *scheduler, const sp_dict *state);

/* ---- a larger batch in the place of a smaller rate ---- */

typedef struct sp_batch_scheduler sp_batch_scheduler;
typedef struct sp_batch_scheduler_options {
    size_t size;
    double factor;          /* default 5 */
    int64_t max_batch_size; /* default a tenth of the examples */
    SP_OPTIONS_END;
} sp_batch_scheduler_options;

/* At each milestone, a number of epochs done, the loader's batch grows by `.factor`, by which
 * sp_lr_scheduler_multi_step_lr would divide the rate: the noise of the gradients falls alike, in fewer steps. Where
 * the batch has reached max_batch_size the rate falls instead. Smith, Kindermans, Ying, Le, "Don't decay the learning
 * rate, increase the batch size", ICLR 2018. */
SP_API sp_batch_scheduler *sp_batch_scheduler_multi_step(sp_loader *loader, sp_optimizer *optimizer, sp_dims milestones,
                                                         const sp_batch_scheduler_options *options SP_OR_NULL);
#define sp_batch_scheduler_multi_step(...)                                                                             \
    SP__CALL3(sp_batch_scheduler_multi_step, sp_batch_scheduler_options, __VA_ARGS__)

/* Goes one epoch on: to be called after each epoch. */
SP_API sp_status sp_batch_scheduler_step(sp_batch_scheduler *scheduler);

/* Where it stands, with its options and the loader's batch, as tensors: "last_epoch", "milestones", "factor",
 * "max_batch_size", "batch_size". The rates that it has set are in the optimiser's state. */
SP_API sp_dict *sp_batch_scheduler_state_dict(const sp_batch_scheduler *scheduler);

/* Takes the state of a batch scheduler, and gives the loader its batch. Fails, with nothing changed, where it does not
 * fit. */
SP_API sp_status sp_batch_scheduler_load_state_dict(sp_batch_scheduler *scheduler, const sp_dict *state);

/* ---- clipping of gradients, in place ---- */

/* Scales all gradients by one factor so that their common norm is at most max_norm; returns the norm before. `.p` is 2
 * by default, INFINITY for the largest magnitude. NaN on failure. Pascanu, Mikolov, Bengio, arXiv:1211.5063. */
SP_API double sp_clip_grad_norm_(const sp_list *parameters, double max_norm,
                                 const sp_reduce_options *options SP_OR_NULL);
#define sp_clip_grad_norm_(...) SP__CALL2(sp_clip_grad_norm_, sp_reduce_options, __VA_ARGS__)

/* Clamps every element of every gradient to ±value. Fails for a negative value. */
SP_API sp_status sp_clip_grad_value_(const sp_list *parameters, double value);

SP_END_DECLS

#endif

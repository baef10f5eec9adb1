/* Updates of parameters by optimisers: one pass over f32 or f64 tensors of one shape and dtype, in place.
 *
 * The parameter is dense (its elements fill its memory without gaps, in any order of dimensions); states have its
 * strides. The gradient may have any strides. Every rule begins, element by element, with
 *     g = maximize ? -grad : grad
 *     g = g + weight_decay·p          unless decoupled
 *     p = p·(1 - lr·weight_decay)     if decoupled
 * and numbers are put together in double before they are rounded to the dtype. lerp(a, b, w) is a + w·(b - a) for
 * |w| < 1/2, else b - (b - a)·(1 - w), as torch.lerp. Formulas are those of PyTorch's _single_tensor_ functions. */
#ifndef SPUSK_EXTEND_UPDATE_H
#define SPUSK_EXTEND_UPDATE_H

#include <spusk/status.h>

SP_BEGIN

typedef enum sp_update_rule {
    /* states: momentum_buffer or SP_NONE. Reads lr, momentum, dampening, nesterov, first.
     *     b = first ? g : momentum·b + (1 - dampening)·g;  g = nesterov ? g + momentum·b : b    unless SP_NONE
     *     p = p - lr·g */
    SP_UPDATE_SGD,
    /* states: sum. Reads lr (already divided by 1 + (step - 1)·lr_decay), eps.
     *     s = s + g·g;  p = p - lr·g / (√s + eps) */
    SP_UPDATE_ADAGRAD,
    /* states: square_avg, acc_delta. Reads lr, rho, eps.
     *     s = rho·s + (1 - rho)·g·g;  d = √(a + eps) / √(s + eps) · g;  a = rho·a + (1 - rho)·d·d;  p = p - lr·d */
    SP_UPDATE_ADADELTA,
    /* states: square_avg, momentum_buffer or SP_NONE, grad_avg or SP_NONE. Reads lr, alpha, eps, momentum.
     *     s = alpha·s + (1 - alpha)·g·g;  m = lerp(m, g, 1 - alpha) unless SP_NONE;  v = √(s - m·m) + eps, or √s + eps
     *     b = momentum·b + g/v;  p = p - lr·b,     or p = p - lr·g/v where b is SP_NONE */
    SP_UPDATE_RMSPROP,
    /* states: exp_avg, exp_avg_sq, max_exp_avg_sq or SP_NONE. Reads lr, beta1, beta2, eps, both bias corrections.
     *     m = lerp(m, g, 1 - beta1);  v = beta2·v + (1 - beta2)·g·g;  w = max(w, v), or v where w is SP_NONE
     *     p = p - (lr/bias_correction1)·m / (√w/√bias_correction2 + eps) */
    SP_UPDATE_ADAM,
    /* states: exp_avg, exp_inf. Reads lr, beta1, beta2, eps, bias_correction1.
     *     m = lerp(m, g, 1 - beta1);  u = max(beta2·u, |g| + eps);  p = p - (lr/bias_correction1)·m/u */
    SP_UPDATE_ADAMAX,
    /* states: exp_avg, exp_avg_sq. Reads lr, beta1, beta2, eps, bias_correction2, mu, mu_next, mu_product.
     *     m = lerp(m, g, 1 - beta1);  v = beta2·v + (1 - beta2)·g·g;  d = √(v/bias_correction2) + eps
     *     p = p - lr·(1 - mu)/(1 - mu_product)·g/d;  p = p - lr·mu_next/(1 - mu_product·mu_next)·m/d */
    SP_UPDATE_NADAM,
} sp_update_rule;

typedef struct sp_update_numbers {
    double lr, weight_decay, momentum, dampening, beta1, beta2, eps, rho, alpha;
    double bias_correction1, bias_correction2; /* 1 - beta1^step, 1 - beta2^step */
    double mu, mu_next, mu_product;            /* nadam; the product with this step's mu in it */
    bool nesterov, decoupled, maximize, first; /* first: the momentum buffer starts as the gradient */
} sp_update_numbers;

/* What one step changes, and by what numbers. */
typedef struct sp_update {
    struct sp_tensor *parameter, *grad, *state[3]; /* states that the rule does not use are SP_NONE */
    sp_update_numbers numbers;
} sp_update;

typedef struct sp_tensor sp_tensor;

/* One step of a rule for one parameter. It records nothing for gradients, and counts as a change of the parameter and
 * the states. Unused states are SP_NONE. Fails, with nothing changed, when shapes, dtypes or layouts do not fit. */
SP_API sp_status sp_update_step_(sp_update_rule rule, sp_tensor *parameter, sp_tensor *grad, sp_tensor *const state[3],
                                 const sp_update_numbers *numbers);

/* One step of a rule for n parameters of one device at once: small ones then cost no more than their elements. Fails,
 * with nothing changed, when what belongs to any one of them does not fit. No parameter may stand in it twice. */
SP_API sp_status sp_update_steps_(sp_update_rule rule, const sp_update *updates, int64_t n);

SP_END_DECLS

#endif

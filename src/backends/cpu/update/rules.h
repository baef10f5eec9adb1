/* The optimisers' rules, in PyTorch's order of operations (torch.optim's _single_tensor_*). A file that includes this
 * says before what a `number` is, the type of parameters, gradients and states, and fused(a, b, c), a·b + c. Numbers of
 * the call are rounded where PyTorch's tensor arithmetic does so. */
#include <tgmath.h>

typedef struct rule {
    number *restrict p, *restrict s0, *restrict s1, *restrict s2;
    const number *restrict g;
    number sign, decay; /* of the gradient */
    number shrink;      /* of the parameter: 1, or less when its decay is decoupled */
    int64_t n;
    const sp_update_numbers *numbers;
} rule;

/* The gradient with its sign and, unless decoupled, its weight decay. 0·p is not added: p may be NaN or infinite. */
static inline number gradient(const rule *r, number g, number p)
{
    return r->decay != 0 ? fused(r->decay, p, r->sign * g) : r->sign * g;
}

/* The halves of torch.lerp in one form: base + weight·(b - a), base the nearer end. */
static inline number lerp(number a, number b, number weight)
{
    const bool near_a = weight < (number)0.5;
    return fused(near_a ? weight : weight - 1, b - a, near_a ? a : b);
}

static void sgd(rule r)
{
    const sp_update_numbers *v = r.numbers;
    const number lr = (number)v->lr;
    for (int64_t i = 0; i < r.n; i++) r.p[i] = fused(-lr, gradient(&r, r.g[i], r.p[i]), r.p[i]);
}

/* A flag that is known when a loop is compiled makes it a loop of its own, which becomes vectors. */
static inline __attribute__((always_inline)) void sgd_momentum_loop(rule r, const bool first, const bool nesterov)
{
    const sp_update_numbers *v = r.numbers;
    const number lr = (number)v->lr, momentum = first ? 0 : (number)v->momentum;
    const number new = first ? 1 : (number)(1 - v->dampening), ahead = (number)v->momentum;
    for (int64_t i = 0; i < r.n; i++) {
        const number g = gradient(&r, r.g[i], r.p[i]);
        const number buffer = first ? g : fused(momentum, r.s0[i], new *g);
        r.s0[i] = buffer;
        r.p[i] = fused(-lr, nesterov ? fused(ahead, buffer, g) : buffer, r.p[i]);
    }
}

static void sgd_momentum(rule r)
{
    const bool nesterov = r.numbers->nesterov;
    if (r.numbers->first)
        sgd_momentum_loop(r, true, nesterov); /* once: it need not be fast */
    else if (nesterov)
        sgd_momentum_loop(r, false, true);
    else
        sgd_momentum_loop(r, false, false);
}

static void adagrad(rule r)
{
    const number lr = (number)r.numbers->lr, eps = (number)r.numbers->eps;
    for (int64_t i = 0; i < r.n; i++) {
        const number g = gradient(&r, r.g[i], r.p[i]), sum = fused(g, g, r.s0[i]);
        r.s0[i] = sum;
        r.p[i] += -lr * g / (sqrt(sum) + eps);
    }
}

static void adadelta(rule r)
{
    const number lr = (number)r.numbers->lr, eps = (number)r.numbers->eps;
    const number rho = (number)r.numbers->rho, new = (number)(1 - r.numbers->rho);
    for (int64_t i = 0; i < r.n; i++) {
        const number g = gradient(&r, r.g[i], r.p[i]), square = fused(new *g, g, r.s0[i] * rho), was = r.s1[i];
        const number delta = sqrt(was + eps) / sqrt(square + eps) * g;
        r.s0[i] = square;
        r.s1[i] = fused(new *delta, delta, was * rho);
        r.p[i] = fused(-lr, delta, r.p[i]);
    }
}

static inline __attribute__((always_inline)) void rmsprop_loop(rule r, const bool centered, const bool has_momentum)
{
    const sp_update_numbers *v = r.numbers;
    const number lr = (number)v->lr, eps = (number)v->eps, alpha = (number)v->alpha, new = (number)(1 - v->alpha),
                 momentum = (number)v->momentum;
    for (int64_t i = 0; i < r.n; i++) {
        const number g = gradient(&r, r.g[i], r.p[i]);
        number average = fused(new *g, g, r.s0[i] * alpha);
        r.s0[i] = average;
        if (centered) {
            const number mean = lerp(r.s2[i], g, new);
            r.s2[i] = mean;
            average = fused(-mean, mean, average);
        }
        average = sqrt(average) + eps;
        if (has_momentum) {
            const number buffer = fused(r.s1[i], momentum, g / average);
            r.s1[i] = buffer;
            r.p[i] = fused(-lr, buffer, r.p[i]);
        } else {
            r.p[i] += -lr * g / average;
        }
    }
}

static void rmsprop(rule r)
{
    if (r.s2 && r.s1)
        rmsprop_loop(r, true, true);
    else if (r.s2)
        rmsprop_loop(r, true, false);
    else if (r.s1)
        rmsprop_loop(r, false, true);
    else
        rmsprop_loop(r, false, false);
}

static inline __attribute__((always_inline)) void adam_loop(rule r, const bool amsgrad)
{
    const sp_update_numbers *v = r.numbers;
    const number beta2 = (number)v->beta2, new1 = (number)(1 - v->beta1), new2 = (number)(1 - v->beta2),
                 eps = (number)v->eps;
    const number step = (number)(-v->lr / v->bias_correction1), per_root = (number)(1 / sqrt(v->bias_correction2));
    for (int64_t i = 0; i < r.n; i++) {
        const number g = gradient(&r, r.g[i], r.p[i]), mean = lerp(r.s0[i], g, new1);
        number square = fused(new2 * g, g, r.s1[i] * beta2);
        r.s0[i] = mean;
        r.s1[i] = square;
        if (amsgrad) {
            square = square > r.s2[i] || square != square ? square : r.s2[i];
            r.s2[i] = square;
        }
        r.p[i] = fused(r.p[i], r.shrink, step * mean / fused(sqrt(square), per_root, eps));
    }
}

static void adam(rule r)
{
    if (r.s2)
        adam_loop(r, true);
    else
        adam_loop(r, false);
}

static void adamax(rule r)
{
    const sp_update_numbers *v = r.numbers;
    const number beta2 = (number)v->beta2, new1 = (number)(1 - v->beta1), eps = (number)v->eps;
    const number step = (number)(-v->lr / v->bias_correction1);
    for (int64_t i = 0; i < r.n; i++) {
        const number g = gradient(&r, r.g[i], r.p[i]), mean = lerp(r.s0[i], g, new1);
        const number size = fabs(g) + eps, decayed = r.s1[i] * beta2,
                     most = size > decayed || size != size ? size : decayed;
        r.s0[i] = mean;
        r.s1[i] = most;
        r.p[i] += step * mean / most;
    }
}

static void nadam(rule r)
{
    const sp_update_numbers *v = r.numbers;
    const number beta2 = (number)v->beta2, new1 = (number)(1 - v->beta1), new2 = (number)(1 - v->beta2),
                 eps = (number)v->eps;
    const number correction = (number)v->bias_correction2;
    const number step_g = (number)(-v->lr * (1 - v->mu) / (1 - v->mu_product));
    const number step_m = (number)(-v->lr * v->mu_next / (1 - v->mu_product * v->mu_next));
    for (int64_t i = 0; i < r.n; i++) {
        const number g = gradient(&r, r.g[i], r.p[i]), mean = lerp(r.s0[i], g, new1);
        const number square = fused(new2 * g, g, r.s1[i] * beta2), denominator = sqrt(square / correction) + eps;
        r.s0[i] = mean;
        r.s1[i] = square;
        r.p[i] = fused(r.p[i], r.shrink, step_g * g / denominator) + step_m * mean / denominator;
    }
}

static void run_rule(const sp__update *call, int64_t first, int64_t last)
{
    static void (*const rules[])(rule) = {
        [SP_UPDATE_SGD] = sgd,         [SP_UPDATE_ADAGRAD] = adagrad, [SP_UPDATE_ADADELTA] = adadelta,
        [SP_UPDATE_RMSPROP] = rmsprop, [SP_UPDATE_ADAM] = adam,       [SP_UPDATE_ADAMAX] = adamax,
        [SP_UPDATE_NADAM] = nadam,
    };
    const sp_update_numbers *v = call->numbers;
    const sp__operand *s = call->state;
    const rule all = {
        .p = (number *)sp__operand_at(&call->parameter) + first,
        .g = (const number *)sp__operand_at(&call->grad) + first,
        .s0 = s[0].buffer ? (number *)sp__operand_at(&s[0]) + first : NULL,
        .s1 = s[1].buffer ? (number *)sp__operand_at(&s[1]) + first : NULL,
        .s2 = s[2].buffer ? (number *)sp__operand_at(&s[2]) + first : NULL,
        .n = last - first,
        .sign = v->maximize ? (number)-1 : (number)1,
        .decay = v->decoupled ? 0 : (number)v->weight_decay,
        .shrink = v->decoupled ? (number)(1 - v->lr * v->weight_decay) : 1,
        .numbers = v,
    };
    const bool momentum = call->rule == SP_UPDATE_SGD && all.s0;
    (momentum ? sgd_momentum : rules[call->rule])(all);
}

/* The optimisers' rules for one type, in PyTorch's order of operations (torch.optim's _single_tensor_*).
 * T: the type; M(sqrt): libm's function; FN(name). Numbers become T where PyTorch's tensor arithmetic makes them so. */

typedef struct FN(rule) {
    T *restrict p, *restrict s0, *restrict s1, *restrict s2;
    const T *restrict g;
    T sign, decay; /* of the gradient */
    T shrink;      /* of the parameter: 1, or less when its decay is decoupled */
    int64_t n;
    const sp_update_numbers *numbers;
} FN(rule);

/* The gradient with its sign and, unless decoupled, its weight decay. 0·p is not added: p may be NaN or infinite. */
static inline T FN(gradient)(const FN(rule) * r, T g, T p)
{
    return r->decay != 0 ? r->sign * g + r->decay * p : r->sign * g;
}

/* The halves of torch.lerp in one form: base + weight·(b - a), base the nearer end. */
static inline T FN(lerp)(T a, T b, T weight)
{
    const bool near_a = weight < (T)0.5;
    return (near_a ? a : b) + (near_a ? weight : weight - 1) * (b - a);
}

static void FN(sgd)(FN(rule) r)
{
    const sp_update_numbers *v = r.numbers;
    const T lr = (T)v->lr;
    for (int64_t i = 0; i < r.n; i++) r.p[i] -= lr * FN(gradient)(&r, r.g[i], r.p[i]);
}

static void FN(sgd_momentum)(FN(rule) r)
{
    const sp_update_numbers *v = r.numbers;
    const T lr = (T)v->lr, momentum = v->first ? 0 : (T)v->momentum, new = v->first ? 1 : (T)(1 - v->dampening);
    const T ahead = (T)v->momentum;
    for (int64_t i = 0; i < r.n; i++) {
        const T g = FN(gradient)(&r, r.g[i], r.p[i]);
        const T buffer = v->first ? g : momentum * r.s0[i] + new *g;
        r.s0[i] = buffer;
        r.p[i] -= lr * (v->nesterov ? g + ahead * buffer : buffer);
    }
}

static void FN(adagrad)(FN(rule) r)
{
    const T lr = (T)r.numbers->lr, eps = (T)r.numbers->eps;
    for (int64_t i = 0; i < r.n; i++) {
        const T g = FN(gradient)(&r, r.g[i], r.p[i]), sum = r.s0[i] + g * g;
        r.s0[i] = sum;
        r.p[i] += -lr * g / (M(sqrt)(sum) + eps);
    }
}

static void FN(adadelta)(FN(rule) r)
{
    const T lr = (T)r.numbers->lr, eps = (T)r.numbers->eps;
    const T rho = (T)r.numbers->rho, new = (T)(1 - r.numbers->rho);
    for (int64_t i = 0; i < r.n; i++) {
        const T g = FN(gradient)(&r, r.g[i], r.p[i]), square = r.s0[i] * rho + new *g *g, was = r.s1[i];
        const T delta = M(sqrt)(was + eps) / M(sqrt)(square + eps) * g;
        r.s0[i] = square;
        r.s1[i] = was * rho + new *delta *delta;
        r.p[i] -= lr * delta;
    }
}

/* A flag that is known when a loop is compiled makes it a loop of its own, which becomes vectors. */
static inline __attribute__((always_inline)) void FN(rmsprop_loop)(FN(rule) r, const bool centered,
                                                                   const bool has_momentum)
{
    const sp_update_numbers *v = r.numbers;
    const T lr = (T)v->lr, eps = (T)v->eps, alpha = (T)v->alpha, new = (T)(1 - v->alpha), momentum = (T)v->momentum;
    for (int64_t i = 0; i < r.n; i++) {
        const T g = FN(gradient)(&r, r.g[i], r.p[i]);
        T average = r.s0[i] * alpha + new *g *g;
        r.s0[i] = average;
        if (centered) {
            const T mean = FN(lerp)(r.s2[i], g, new);
            r.s2[i] = mean;
            average -= mean * mean;
        }
        average = M(sqrt)(average) + eps;
        if (has_momentum) {
            const T buffer = r.s1[i] * momentum + g / average;
            r.s1[i] = buffer;
            r.p[i] -= lr * buffer;
        } else {
            r.p[i] += -lr * g / average;
        }
    }
}

static void FN(rmsprop)(FN(rule) r)
{
    if (r.s2 && r.s1)
        FN(rmsprop_loop)(r, true, true);
    else if (r.s2)
        FN(rmsprop_loop)(r, true, false);
    else if (r.s1)
        FN(rmsprop_loop)(r, false, true);
    else
        FN(rmsprop_loop)(r, false, false);
}

static inline __attribute__((always_inline)) void FN(adam_loop)(FN(rule) r, const bool amsgrad)
{
    const sp_update_numbers *v = r.numbers;
    const T beta2 = (T)v->beta2, new1 = (T)(1 - v->beta1), new2 = (T)(1 - v->beta2), eps = (T)v->eps;
    const T step = (T)(-v->lr / v->bias_correction1), per_root = (T)(1 / sqrt(v->bias_correction2));
    for (int64_t i = 0; i < r.n; i++) {
        const T g = FN(gradient)(&r, r.g[i], r.p[i]), mean = FN(lerp)(r.s0[i], g, new1);
        T square = r.s1[i] * beta2 + new2 * g * g;
        r.s0[i] = mean;
        r.s1[i] = square;
        if (amsgrad) {
            square = square > r.s2[i] || square != square ? square : r.s2[i];
            r.s2[i] = square;
        }
        r.p[i] = r.p[i] * r.shrink + step * mean / (M(sqrt)(square) * per_root + eps);
    }
}

static void FN(adam)(FN(rule) r)
{
    if (r.s2)
        FN(adam_loop)(r, true);
    else
        FN(adam_loop)(r, false);
}

static void FN(adamax)(FN(rule) r)
{
    const sp_update_numbers *v = r.numbers;
    const T beta2 = (T)v->beta2, new1 = (T)(1 - v->beta1), eps = (T)v->eps;
    const T step = (T)(-v->lr / v->bias_correction1);
    for (int64_t i = 0; i < r.n; i++) {
        const T g = FN(gradient)(&r, r.g[i], r.p[i]), mean = FN(lerp)(r.s0[i], g, new1);
        const T size = M(fabs)(g) + eps, decayed = r.s1[i] * beta2,
                most = size > decayed || size != size ? size : decayed;
        r.s0[i] = mean;
        r.s1[i] = most;
        r.p[i] += step * mean / most;
    }
}

static void FN(nadam)(FN(rule) r)
{
    const sp_update_numbers *v = r.numbers;
    const T beta2 = (T)v->beta2, new1 = (T)(1 - v->beta1), new2 = (T)(1 - v->beta2), eps = (T)v->eps;
    const T correction = (T)v->bias_correction2;
    const T step_g = (T)(-v->lr * (1 - v->mu) / (1 - v->mu_product));
    const T step_m = (T)(-v->lr * v->mu_next / (1 - v->mu_product * v->mu_next));
    for (int64_t i = 0; i < r.n; i++) {
        const T g = FN(gradient)(&r, r.g[i], r.p[i]), mean = FN(lerp)(r.s0[i], g, new1);
        const T square = r.s1[i] * beta2 + new2 * g * g, denominator = M(sqrt)(square / correction) + eps;
        r.s0[i] = mean;
        r.s1[i] = square;
        r.p[i] = r.p[i] * r.shrink + step_g * g / denominator + step_m * mean / denominator;
    }
}

void FN(sp__update)(const sp__update *call, int64_t first, int64_t last)
{
    static void (*const rules[])(FN(rule)) = {
        [SP_UPDATE_SGD] = FN(sgd),         [SP_UPDATE_ADAGRAD] = FN(adagrad), [SP_UPDATE_ADADELTA] = FN(adadelta),
        [SP_UPDATE_RMSPROP] = FN(rmsprop), [SP_UPDATE_ADAM] = FN(adam),       [SP_UPDATE_ADAMAX] = FN(adamax),
        [SP_UPDATE_NADAM] = FN(nadam),
    };
    const sp_update_numbers *v = call->numbers;
    const sp__operand *s = call->state;
    const FN(rule) rule = {
        .p = (T *)sp__operand_at(&call->parameter) + first,
        .g = (const T *)sp__operand_at(&call->grad) + first,
        .s0 = s[0].buffer ? (T *)sp__operand_at(&s[0]) + first : NULL,
        .s1 = s[1].buffer ? (T *)sp__operand_at(&s[1]) + first : NULL,
        .s2 = s[2].buffer ? (T *)sp__operand_at(&s[2]) + first : NULL,
        .n = last - first,
        .sign = v->maximize ? (T)-1 : (T)1,
        .decay = v->decoupled ? 0 : (T)v->weight_decay,
        .shrink = v->decoupled ? (T)(1 - v->lr * v->weight_decay) : 1,
        .numbers = v,
    };
    const bool momentum = call->rule == SP_UPDATE_SGD && rule.s0;
    (momentum ? FN(sgd_momentum) : rules[call->rule])(rule);
}

#undef T
#undef M
#undef FN

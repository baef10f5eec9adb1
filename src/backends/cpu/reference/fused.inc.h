/* The optimisers' rules for one type, in PyTorch's order of operations (torch.optim's _single_tensor_*).
 * T: the type; M(sqrt): libm's function; FN(name). Numbers become T where PyTorch's tensor arithmetic makes them so. */

typedef struct FN(rule) {
    T *p, *s0, *s1, *s2;
    const T *g;
    T decay, sign; /* of the gradient */
    bool decayed;
    const sp_fused_numbers *numbers;
} FN(rule);

/* The gradient with its sign and, unless decoupled, its weight decay. */
static inline T FN(gradient)(const FN(rule) * r, int64_t i)
{
    const T g = r->sign * r->g[i];
    return r->decayed ? g + r->decay * r->p[i] : g;
}

static inline T FN(lerp)(T a, T b, T weight)
{
    return weight < (T)0.5 ? a + weight * (b - a) : b - (b - a) * (1 - weight);
}

static void FN(sgd)(const FN(rule) * r, int64_t first, int64_t last)
{
    const sp_fused_numbers *v = r->numbers;
    const T lr = (T)v->lr, momentum = (T)v->momentum, new = (T)(1 - v->dampening);
    for (int64_t i = first; i < last; i++) {
        T g = FN(gradient)(r, i);
        if (r->s0) {
            r->s0[i] = v->first ? g : momentum * r->s0[i] + new *g;
            g = v->nesterov ? g + momentum * r->s0[i] : r->s0[i];
        }
        r->p[i] -= lr * g;
    }
}

static void FN(adagrad)(const FN(rule) * r, int64_t first, int64_t last)
{
    const T lr = (T)r->numbers->lr, eps = (T)r->numbers->eps;
    for (int64_t i = first; i < last; i++) {
        const T g = FN(gradient)(r, i);
        r->s0[i] += g * g;
        r->p[i] += -lr * g / (M(sqrt)(r->s0[i]) + eps);
    }
}

static void FN(adadelta)(const FN(rule) * r, int64_t first, int64_t last)
{
    const T lr = (T)r->numbers->lr, eps = (T)r->numbers->eps;
    const T rho = (T)r->numbers->rho, new = (T)(1 - r->numbers->rho);
    for (int64_t i = first; i < last; i++) {
        const T g = FN(gradient)(r, i);
        r->s0[i] = r->s0[i] * rho + new *g *g;
        const T delta = M(sqrt)(r->s1[i] + eps) / M(sqrt)(r->s0[i] + eps) * g;
        r->s1[i] = r->s1[i] * rho + new *delta *delta;
        r->p[i] -= lr * delta;
    }
}

static void FN(rmsprop)(const FN(rule) * r, int64_t first, int64_t last)
{
    const sp_fused_numbers *v = r->numbers;
    const T lr = (T)v->lr, eps = (T)v->eps, alpha = (T)v->alpha, new = (T)(1 - v->alpha), momentum = (T)v->momentum;
    for (int64_t i = first; i < last; i++) {
        const T g = FN(gradient)(r, i);
        T average = r->s0[i] = r->s0[i] * alpha + new *g *g;
        if (r->s2) {
            r->s2[i] = FN(lerp)(r->s2[i], g, new);
            average -= r->s2[i] * r->s2[i];
        }
        average = M(sqrt)(average) + eps;
        if (r->s1) {
            r->s1[i] = r->s1[i] * momentum + g / average;
            r->p[i] -= lr * r->s1[i];
        } else {
            r->p[i] += -lr * g / average;
        }
    }
}

static void FN(adam)(const FN(rule) * r, int64_t first, int64_t last)
{
    const sp_fused_numbers *v = r->numbers;
    const T beta2 = (T)v->beta2, new1 = (T)(1 - v->beta1), new2 = (T)(1 - v->beta2), eps = (T)v->eps;
    const T step = (T)(-v->lr / v->bias_correction1), root = (T)sqrt(v->bias_correction2);
    const T shrink = v->decoupled ? (T)(1 - v->lr * v->weight_decay) : 1;
    for (int64_t i = first; i < last; i++) {
        const T g = FN(gradient)(r, i);
        r->s0[i] = FN(lerp)(r->s0[i], g, new1);
        T square = r->s1[i] = r->s1[i] * beta2 + new2 * g * g;
        if (r->s2) {
            square = r->s2[i] = square > r->s2[i] || square != square ? square : r->s2[i];
        }
        const T denominator = M(sqrt)(square) / root + eps;
        r->p[i] = r->p[i] * shrink + step * r->s0[i] / denominator;
    }
}

static void FN(adamax)(const FN(rule) * r, int64_t first, int64_t last)
{
    const sp_fused_numbers *v = r->numbers;
    const T beta2 = (T)v->beta2, new1 = (T)(1 - v->beta1), eps = (T)v->eps;
    const T step = (T)(-v->lr / v->bias_correction1);
    for (int64_t i = first; i < last; i++) {
        const T g = FN(gradient)(r, i), size = M(fabs)(g) + eps;
        r->s0[i] = FN(lerp)(r->s0[i], g, new1);
        r->s1[i] *= beta2;
        if (size > r->s1[i] || size != size) r->s1[i] = size;
        r->p[i] += step * r->s0[i] / r->s1[i];
    }
}

static void FN(nadam)(const FN(rule) * r, int64_t first, int64_t last)
{
    const sp_fused_numbers *v = r->numbers;
    const T beta2 = (T)v->beta2, new1 = (T)(1 - v->beta1), new2 = (T)(1 - v->beta2), eps = (T)v->eps;
    const T correction = (T)v->bias_correction2, shrink = v->decoupled ? (T)(1 - v->lr * v->weight_decay) : 1;
    const T step_g = (T)(-v->lr * (1 - v->mu) / (1 - v->mu_product));
    const T step_m = (T)(-v->lr * v->mu_next / (1 - v->mu_product * v->mu_next));
    for (int64_t i = first; i < last; i++) {
        const T g = FN(gradient)(r, i);
        r->s0[i] = FN(lerp)(r->s0[i], g, new1);
        r->s1[i] = r->s1[i] * beta2 + new2 * g * g;
        const T denominator = M(sqrt)(r->s1[i] / correction) + eps;
        r->p[i] = r->p[i] * shrink + step_g * g / denominator;
        r->p[i] += step_m * r->s0[i] / denominator;
    }
}

void FN(sp__fused)(const sp__fused *call, int64_t first, int64_t last)
{
    static void (*const rules[])(const FN(rule) * r, int64_t first, int64_t last) = {
        [SP_FUSED_SGD] = FN(sgd),         [SP_FUSED_ADAGRAD] = FN(adagrad), [SP_FUSED_ADADELTA] = FN(adadelta),
        [SP_FUSED_RMSPROP] = FN(rmsprop), [SP_FUSED_ADAM] = FN(adam),       [SP_FUSED_ADAMAX] = FN(adamax),
        [SP_FUSED_NADAM] = FN(nadam),
    };
    const sp_fused_numbers *v = call->numbers;
    const sp__operand *s = call->state;
    const FN(rule) r = {
        .p = (T *)sp__operand_at(&call->parameter),
        .g = (const T *)sp__operand_at(&call->grad),
        .s0 = s[0].buffer ? (T *)sp__operand_at(&s[0]) : NULL,
        .s1 = s[1].buffer ? (T *)sp__operand_at(&s[1]) : NULL,
        .s2 = s[2].buffer ? (T *)sp__operand_at(&s[2]) : NULL,
        .decay = (T)v->weight_decay,
        .decayed = v->weight_decay != 0 && !v->decoupled,
        .sign = v->maximize ? (T)-1 : (T)1,
        .numbers = v,
    };
    rules[call->rule](&r, first, last);
}

#undef T
#undef M
#undef FN

/* Losses of classifiers.
 *
 *   nll            l_i = -w[t_i]·x[i, t_i]; their sum; or Σl / Σw[t]     dx[i, t_i] = -w[t_i]·dl_i (/ Σw[t])
 *   cross_entropy  nll of log_softmax(x), with smoothed labels, or against probabilities
 *
 * nll is linear in x, so its gradient (nll_backward, the transposed map) has nll itself as its own gradient. */
#include "ops/elementwise.h"
#include <string.h>

typedef struct nll_attributes {
    sp_reduction reduction;
    int64_t ignore_index;
    int ndim;
    int64_t sizes[SP_MAX_DIMS]; /* of x, for nll_backward */
} nll_attributes;

/* x: (C), (N, C) or (N, C, …). */
static int class_dim(int ndim)
{
    return ndim > 1 ? 1 : 0;
}

/* ---- the kernel's call, from either side ---- */

typedef struct nll_operands {
    sp_tensor *x, *loss, *target, *weight;
} nll_operands;

static sp_status run_nll(const char *function, const nll_attributes *a, bool backward, nll_operands o)
{
    int c = class_dim(o.x->ndim);
    sp__nll call = {.function = function,
                    .backward = backward,
                    .each = a->reduction == SP_REDUCTION_NONE,
                    .mean = a->reduction == SP_REDUCTION_MEAN,
                    .batch = c ? o.x->sizes[0] : 1,
                    .classes = o.x->sizes[c],
                    .inner = sp__product(o.x->ndim - c - 1, o.x->sizes + c + 1),
                    .ignore_index = a->ignore_index,
                    .x = sp__operand_of(o.x),
                    .loss = sp__operand_of(o.loss),
                    .target = sp__operand_of(o.target)};
    if (o.weight) call.weight = sp__operand_of(o.weight);
    return sp__backend_for(o.x)->nll(&call);
}

/* The kernel wants contiguous memory. `in` is x (forward) or the gradient (backward), `out` the other. */
static sp_status run_contiguous(sp_call *call, bool backward)
{
    sp_tensor *in = sp__value_contiguous(call->inputs[0]), *target = sp__value_contiguous(call->inputs[1]);
    bool weighted = !sp__is_none(call->inputs[2]);
    sp_tensor *weight = weighted ? sp__value_contiguous(call->inputs[2]) : NULL;
    sp_status status = in && target && (weight || !weighted) ? SP_OK : sp_error_status();
    sp_tensor *out = call->outputs[0];
    nll_operands operands = backward ? (nll_operands){out, in, target, weight}
                                     : (nll_operands){in, out, target, weight};
    if (!status) status = run_nll("sp_nll_loss", call->attributes, backward, operands);
    sp__unref(in);
    sp__unref(target);
    sp__unref(weight);
    return status;
}

/* ---- nll ---- */

static sp_status check_target(const sp_tensor *x, const sp_tensor *target)
{
    int c = class_dim(x->ndim);
    bool fits = target->ndim == x->ndim - 1;
    for (int d = 0; d < target->ndim && fits; d++) fits = target->sizes[d] == x->sizes[d < c ? d : d + 1];
    if (!fits)
        return sp_raise(SP_ERROR_SHAPE,
                        "sp_nll_loss: targets of shape %s for an input of shape %s: needs (N) for (N, C), () "
                        "for (C), (N, …) for (N, C, …)",
                        sp__shape_of(target), sp__shape_of(x));
    if (target->dtype == SP_I64 || target->dtype == SP_U8) return SP_OK;
    return sp_raise(SP_ERROR_DTYPE, "sp_nll_loss: targets are int64, not %s", sp_dtype_name(target->dtype));
}

static sp_status check_weight(const sp_tensor *weight, int64_t classes, sp_dtype dtype)
{
    if (sp__is_none(weight)) return SP_OK;
    if (weight->ndim != 1 || weight->sizes[0] != classes)
        return sp_raise(SP_ERROR_SHAPE, "sp_nll_loss: weights of shape %s for %lld classes", sp__shape_of(weight),
                        (long long)classes);
    if (weight->dtype == dtype) return SP_OK;
    return sp_raise(SP_ERROR_DTYPE, "sp_nll_loss: %s weights for a %s input", sp_dtype_name(weight->dtype),
                    sp_dtype_name(dtype));
}

static sp_status nll_infer(sp_call *call)
{
    const nll_attributes *a = call->attributes;
    sp_tensor *x = call->inputs[0], *target = call->inputs[1];
    if (!sp_dtype_is_floating_point(x->dtype)) return sp__refuse_dtype(call, x->dtype, "");
    if (x->ndim == 0)
        return sp_raise(SP_ERROR_SHAPE,
                        "sp_nll_loss: the input needs a dimension of classes: (C), (N, C) or (N, C, …)");
    if (check_target(x, target) || check_weight(call->inputs[2], x->sizes[class_dim(x->ndim)], x->dtype))
        return sp_error_status();
    if (!sp__is_none(call->inputs[2]) && sp_grad_enabled() && sp_needs_grad(call->inputs[2]))
        return sp_raise(SP_ERROR_UNSUPPORTED, "sp_nll_loss: the weights have no gradient: pass sp_detach(weight)");
    bool each = a->reduction == SP_REDUCTION_NONE;
    return sp_call_output(call, 0, x->dtype, each ? (sp_dims){target->sizes, target->ndim} : SP_DIMS());
}

static sp_status nll_forward(sp_call *call)
{
    return run_contiguous(call, false);
}

static sp_status nll_backward(sp_grad_call *call)
{
    nll_attributes a = *(const nll_attributes *)call->attributes;
    sp_dims sizes = sp_input_sizes(call, 0);
    sp_tensor *target = sp_saved_input(call, 1),
              *weight = sp_input_sizes(call, 2).n ? sp_saved_input(call, 2) : SP_NONE;
    if (!target || !weight) return sp_error_status();
    a.ndim = sizes.n;
    memcpy(a.sizes, sizes.data, (size_t)sizes.n * sizeof *sizes.data);
    sp_tensor *inputs[] = {call->grads[0], target, weight};
    return SP__GIVE(call, 0, sp_op_apply(&sp__op_nll_backward, inputs, 3, &a));
}

/* PyTorch's graph tells images from plain batches by this name, and so does ours. */
static const sp_op *nll_op(int ndim)
{
    return ndim > 2 ? &sp__op_nll_loss2d : &sp__op_nll_loss;
}

/* ---- its gradient ---- */

static sp_status nll_backward_infer(sp_call *call)
{
    const nll_attributes *a = call->attributes;
    const sp_tensor *g = call->inputs[0], *target = call->inputs[1];
    sp_tensor x = {.ndim = a->ndim}; /* only its shape counts */
    memcpy(x.sizes, a->sizes, sizeof x.sizes);
    if (!sp_dtype_is_floating_point(g->dtype)) return sp__refuse_dtype(call, g->dtype, "");
    if (check_target(&x, target) || check_weight(call->inputs[2], x.sizes[class_dim(x.ndim)], g->dtype))
        return sp_error_status();
    bool fits = g->ndim == (a->reduction == SP_REDUCTION_NONE ? target->ndim : 0);
    for (int d = 0; d < g->ndim && fits; d++) fits = g->sizes[d] == target->sizes[d];
    if (!fits)
        return sp_raise(SP_ERROR_SHAPE, "sp_nll_backward: a gradient of shape %s for targets of shape %s",
                        sp__shape_of(g), sp__shape_of(target));
    return sp_call_output(call, 0, g->dtype, (sp_dims){a->sizes, a->ndim});
}

static sp_status nll_backward_forward(sp_call *call)
{
    return run_contiguous(call, true);
}

static sp_status nll_backward_backward(sp_grad_call *call)
{
    sp_tensor *target = sp_saved_input(call, 1),
              *weight = sp_input_sizes(call, 2).n ? sp_saved_input(call, 2) : SP_NONE;
    if (!target || !weight) return sp_error_status();
    const nll_attributes *a = call->attributes;
    sp_tensor *inputs[] = {call->grads[0], target, weight};
    return SP__GIVE(call, 0, sp_op_apply(nll_op(a->ndim), inputs, 3, a));
}

/* ---- public ---- */

static sp_status read_options(const char *function, const sp_loss_options *options, sp_loss_options *o)
{
    sp_options_copy(o, sizeof *o, options);
    if (o->reduction < SP_REDUCTION_MEAN || o->reduction > SP_REDUCTION_NONE)
        return sp_raise(SP_ERROR_ARGUMENT, "%s: %d is no reduction", function, (int)o->reduction);
    o->ignore_index = sp_option_int(o->ignore_index, -100);
    o->label_smoothing = sp_option(o->label_smoothing, 0);
    if (o->label_smoothing >= 0 && o->label_smoothing <= 1) return SP_OK;
    return sp_raise(SP_ERROR_ARGUMENT, "%s: label_smoothing must be between 0 and 1, got %g", function,
                    o->label_smoothing);
}

static sp_tensor *nll(sp_tensor *x, sp_tensor *target, sp_tensor *weight, sp_reduction reduction, int64_t ignore_index)
{
    nll_attributes a = {.reduction = reduction, .ignore_index = ignore_index};
    if (sp__check_tensor(x, "sp_nll_loss", "1")) return NULL;
    return sp_op_apply(nll_op(x->ndim), (sp_tensor *[]){x, target, weight}, 3, &a);
}

static sp_tensor *call_nll(const char *suffix, sp_tensor *x, sp_tensor *target, sp_tensor *weight,
                           const sp_loss_options *options)
{
    sp_loss_options o;
    sp__caller caller = {.name = "nll_loss", .suffix = suffix, .function = true};
    sp__call_enter(&caller);
    sp_status status = read_options("sp_nll_loss", options, &o);
    sp_tensor *y = status ? NULL : nll(x, target, weight, o.reduction, o.ignore_index);
    sp__call_leave(&caller);
    return y;
}

sp_tensor *(sp_nll_loss_weighted)(sp_tensor *x, sp_tensor *target, sp_tensor *weight, const sp_loss_options *options)
{
    return call_nll("_weighted", x, target, weight, options);
}

sp_tensor *(sp_nll_loss)(sp_tensor *x, sp_tensor *target, const sp_loss_options *options)
{
    return call_nll("", x, target, SP_NONE, options);
}

/* The weights along the classes' dimension of x. */
static sp_tensor *spread_weight(sp_tensor *weight, sp_tensor *x)
{
    int64_t shape[SP_MAX_DIMS];
    for (int d = 0; d < x->ndim; d++) shape[d] = 1;
    shape[class_dim(x->ndim)] = sp_numel(weight);
    return (sp_reshape)(weight, (sp_dims){shape, x->ndim});
}

/* -Σ_c w_c·target_c·log p_c */
static sp_tensor *against_probabilities(sp_tensor *log_p, sp_tensor *target, sp_tensor *weight,
                                        const sp_loss_options *o)
{
    int c = class_dim(log_p->ndim);
    double classes = (double)log_p->sizes[c];
    if (o->ignore_index >= 0) {
        sp_raise(SP_ERROR_ARGUMENT, "sp_cross_entropy: ignore_index %lld is a class, and the target has probabilities",
                 (long long)o->ignore_index);
        return NULL;
    }
    if (target->ndim != log_p->ndim ||
        memcmp(target->sizes, log_p->sizes, (size_t)log_p->ndim * sizeof *log_p->sizes) != 0) {
        sp_raise(SP_ERROR_SHAPE, "sp_cross_entropy: probabilities of shape %s for an input of shape %s",
                 sp__shape_of(target), sp__shape_of(log_p));
        return NULL;
    }
    if (o->label_smoothing > 0)
        target = sp_add_scalar(sp_mul_scalar(target, 1 - o->label_smoothing), o->label_smoothing / classes);
    sp_tensor *product = sp_mul(log_p, target);
    if (!sp__is_none(weight)) product = sp_mul(product, spread_weight(weight, log_p));
    sp_tensor *loss = sp_neg(sp_sum_dim(product, c));
    if (o->reduction == SP_REDUCTION_NONE) return loss;
    return o->reduction == SP_REDUCTION_MEAN ? sp_mean(loss) : sp_sum(loss);
}

/* Each example's -Σ_c w_c·log p_c, 0 where the target does not count. */
static sp_tensor *smooth_part(sp_tensor *log_p, sp_tensor *target, sp_tensor *weight, const sp_loss_options *o)
{
    sp_tensor *product = sp__is_none(weight) ? log_p : sp_mul(log_p, spread_weight(weight, log_p));
    sp_tensor *loss = sp_neg(sp_sum_dim(product, class_dim(log_p->ndim)));
    loss = sp_masked_fill(loss, sp_eq_int(target, o->ignore_index), 0);
    if (o->reduction == SP_REDUCTION_NONE || !loss) return loss;
    sp_tensor *sum = sp_sum(loss);
    if (o->reduction == SP_REDUCTION_SUM) return sum;
    /* the sum of the targets' weights: nll of -1 everywhere */
    sp_tensor *minus_one = sp_full_like(sp_detach(log_p), -1);
    return sp_div(sum, nll(minus_one, target, weight, SP_REDUCTION_SUM, o->ignore_index));
}

static sp_tensor *against_classes(sp_tensor *log_p, sp_tensor *target, sp_tensor *weight, const sp_loss_options *o)
{
    sp_tensor *loss = nll(log_p, target, weight, o->reduction, o->ignore_index);
    if (o->label_smoothing == 0 || !loss) return loss;
    sp_tensor *smooth = smooth_part(log_p, target, weight, o);
    double classes = (double)log_p->sizes[class_dim(log_p->ndim)];
    return sp_add(sp_mul_scalar(loss, 1 - o->label_smoothing), sp_mul_scalar(smooth, o->label_smoothing / classes));
}

static sp_tensor *cross_entropy(sp_tensor *x, sp_tensor *target, sp_tensor *weight, const sp_loss_options *options)
{
    sp_loss_options o;
    if (sp__check_tensor(x, "sp_cross_entropy", "x") || sp__check_tensor(target, "sp_cross_entropy", "target") ||
        read_options("sp_cross_entropy", options, &o))
        return NULL;
    if (!sp__is_none(weight)) {
        if (sp__check_tensor(weight, "sp_cross_entropy", "weight") ||
            check_weight(weight, x->ndim ? x->sizes[class_dim(x->ndim)] : 0, x->dtype))
            return NULL;
    }
    if (x->ndim == 0) {
        sp_raise(SP_ERROR_SHAPE, "sp_cross_entropy: the input needs a dimension of classes: (C), (N, C) or (N, C, …)");
        return NULL;
    }
    bool probabilities = sp_dtype_is_floating_point(target->dtype);
    sp_scope scope = sp_scope_open();
    x = sp__mixed_f32(x);
    sp_tensor *log_p = x ? sp_log_softmax(x, class_dim(x->ndim)) : NULL, *loss = NULL;
    if (log_p)
        loss = probabilities ? against_probabilities(log_p, target, weight, &o)
                             : against_classes(log_p, target, weight, &o);
    sp_escape(loss);
    sp_scope_close(&scope);
    return loss;
}

static sp_tensor *call_cross_entropy(const char *suffix, sp_tensor *x, sp_tensor *target, sp_tensor *weight,
                                     const sp_loss_options *options)
{
    sp__caller caller = {.name = "cross_entropy", .suffix = suffix, .function = true};
    sp__call_enter(&caller);
    sp_tensor *y = cross_entropy(x, target, weight, options);
    sp__call_leave(&caller);
    return y;
}

sp_tensor *(sp_cross_entropy_weighted)(sp_tensor *x, sp_tensor *target, sp_tensor *weight,
                                       const sp_loss_options *options)
{
    return call_cross_entropy("_weighted", x, target, weight, options);
}

sp_tensor *(sp_cross_entropy)(sp_tensor *x, sp_tensor *target, const sp_loss_options *options)
{
    return call_cross_entropy("", x, target, SP_NONE, options);
}

/* ---- samples and records ---- */

static sp_tensor *weights_for(const sp_tensor *x)
{
    return sp_cast(sp_vector(0.5, 1, 2, 0.75), sp_dtype_of(x));
}
SP__SAMPLE(nll_mean, sp_nll_loss(in[0], in[1]));
SP__SAMPLE(nll_sum, sp_nll_loss(in[0], in[1], .reduction = SP_REDUCTION_SUM));
SP__SAMPLE(nll_each, sp_nll_loss(in[0], in[1], .reduction = SP_REDUCTION_NONE));
SP__SAMPLE(nll_weighted, sp_nll_loss_weighted(in[0], in[1], weights_for(in[0]), .ignore_index = 1));
SP__SAMPLE(ce_mean, sp_cross_entropy(in[0], in[1]));
SP__SAMPLE(ce_sum, sp_cross_entropy(in[0], in[1], .reduction = SP_REDUCTION_SUM, .label_smoothing = 0.5));
SP__SAMPLE(ce_each, sp_cross_entropy(in[0], in[1], .reduction = SP_REDUCTION_NONE, .label_smoothing = 0.5));
SP__SAMPLE(ce_smooth, sp_cross_entropy_weighted(in[0], in[1], weights_for(in[0]), .label_smoothing = 0.25,
                                                .ignore_index = SP_ZERO));
SP__SAMPLE(ce_probabilities, sp_cross_entropy(in[0], in[1], .label_smoothing = 0.25));
SP__SAMPLE(ce_probabilities_weighted,
           sp_cross_entropy_weighted(in[0], in[1], weights_for(in[0]), .reduction = SP_REDUCTION_NONE));
static sp_tensor *nll_gradient(sp_tensor *const *in)
{
    nll_attributes a = {.reduction = SP_REDUCTION_SUM, .ignore_index = -100, .ndim = 2, .sizes = {3, 4}};
    return sp_op_apply(&sp__op_nll_backward, (sp_tensor *[]){in[0], in[1], SP_NONE}, 3, &a);
}

#define WEIGHTS "torch.tensor([0.5, 1, 2, 0.75], dtype=a.dtype)"
#define LABELS(lengths, n)                                                                                             \
    {                                                                                                                  \
        .shape = lengths, .low = 0, .high = n, .dtype = SP_I64                                                         \
    }
#define RECORD(NAME, NODE, SAMPLES)                                                                                    \
    const sp_op sp__op_##NAME = {.name = #NAME,                                                                        \
                                 .backward_name = NODE,                                                                \
                                 .n_inputs = 3,                                                                        \
                                 .optional = 1u << 2,                                                                  \
                                 .attributes_size = sizeof(nll_attributes),                                            \
                                 .autocast = SP_CAST_F32,                                                              \
                                 .saves = SP_SAVE_INPUT(1) | SP_SAVE_INPUT(2),                                         \
                                 .infer = nll_infer,                                                                   \
                                 .forward = nll_forward,                                                               \
                                 .backward = nll_backward,                                                             \
                                 .samples = SAMPLES}

static const sp_sample nll_samples[] = {
    {nll_mean, "F.nll_loss(a, b)", {{"3 4"}, LABELS("3", 4)}},
    {nll_mean, "F.nll_loss(a, b)", {{"4"}, LABELS("", 4)}},
    {nll_mean, "F.nll_loss(a, b)", {{"0 4"}, LABELS("0", 4)}},
    {nll_sum, "F.nll_loss(a, b, reduction='sum')", {{"3 4"}, LABELS("3", 4)}},
    {nll_each, "F.nll_loss(a, b, reduction='none')", {{"3 4"}, LABELS("3", 4)}},
    {nll_each, "F.nll_loss(a, b, reduction='none')", {{"0 4"}, LABELS("0", 4)}},
    {nll_weighted, "F.nll_loss(a, b, " WEIGHTS ", ignore_index=1)", {{"5 4"}, LABELS("5", 4)}},
    {ce_mean, "F.cross_entropy(a, b)", {{"3 4"}, LABELS("3", 4)}},
    {ce_mean, "F.cross_entropy(a, b)", {{"4"}, LABELS("", 4)}},
    {ce_sum, "F.cross_entropy(a, b, reduction='sum', label_smoothing=0.5)", {{"3 4"}, LABELS("3", 4)}},
    {ce_smooth, "F.cross_entropy(a, b, " WEIGHTS ", label_smoothing=0.25, ignore_index=0)", {{"3 4"}, LABELS("3", 4)}},
    {ce_probabilities, "F.cross_entropy(a, b, label_smoothing=0.25)", {{"3 4"}, {"3 4", 0.1, 0.9}}},
    {0},
};
RECORD(nll_loss, "NllLossBackward0", nll_samples);

static const sp_sample nll2d_samples[] = {
    {nll_mean, "F.nll_loss(a, b)", {{"2 3 2 2"}, LABELS("2 2 2", 3)}},
    {nll_sum, "F.nll_loss(a, b, reduction='sum')", {{"2 3 2"}, LABELS("2 2", 3)}},
    {nll_each, "F.nll_loss(a, b, reduction='none')", {{"2 3 2 1 2"}, LABELS("2 2 1 2", 3)}},
    {nll_each, "F.nll_loss(a, b, reduction='none')", {{"2 3 0"}, LABELS("2 0", 3)}},
    {nll_weighted, "F.nll_loss(a, b, " WEIGHTS ", ignore_index=1)", {{"2 4 3"}, LABELS("2 3", 4)}},
    {ce_each, "F.cross_entropy(a, b, reduction='none', label_smoothing=0.5)", {{"2 3 2"}, LABELS("2 2", 3)}},
    {ce_probabilities_weighted,
     "F.cross_entropy(a, b, " WEIGHTS ", reduction='none')",
     {{"2 4 2"}, {"2 4 2", 0.1, 0.9}}},
    {0},
};
RECORD(nll_loss2d, "NllLoss2DBackward0", nll2d_samples);

#define NLL_BACKWARD                                                                                                   \
    "torch.ops.aten.nll_loss_backward(a, torch.zeros(3, 4, dtype=a.dtype), b, None, 2, -100, torch.zeros((), "         \
    "dtype=a.dtype))"

const sp_op sp__op_nll_backward = {
    .name = "nll_backward",
    .backward_name = "NllLossBackwardBackward0",
    .n_inputs = 3,
    .optional = 1u << 2,
    .attributes_size = sizeof(nll_attributes),
    .saves = SP_SAVE_INPUT(1) | SP_SAVE_INPUT(2),
    .infer = nll_backward_infer,
    .forward = nll_backward_forward,
    .backward = nll_backward_backward,
    .samples = (const sp_sample[]){{nll_gradient, NLL_BACKWARD, {{""}, LABELS("3", 4)}}, {0}},
};

/* Normalisation by mean and variance, of each channel over a batch or of each example over its features.
 *
 *   x̂ = (x - mean)/√(var + eps),  y = x̂·weight + bias,  var biased
 *   dx = (h - mean h - x̂·mean(h·x̂))/√(var + eps),  h = dy·weight;  h/√(var + eps) where mean and var are given
 *   dweight = Σ dy·x̂,  dbias = Σ dy
 *
 * The gradient is one pass of a kernel, which has no gradient of its own: under create_graph the same is said by operators.
 * Sources: Ioffe and Szegedy, arXiv:1502.03167; Ba, Kiros, Hinton, arXiv:1607.06450. */
#include "ops/norm.h"
#include <math.h>
#include <string.h>

/* ---- what belongs to what ---- */

/* In batch_norm a group is a channel, in layer_norm all leading dimensions' product are groups. */
int64_t sp__norm_groups(const sp__norm_attributes *a, const sp_tensor *x)
{
    return a->n_normalized ? sp__product(x->ndim - a->n_normalized, x->sizes) : x->sizes[1];
}

sp_dims sp__norm_parameter_dims(const sp__norm_attributes *a, const sp_tensor *x)
{
    return a->n_normalized ? (sp_dims){a->normalized, a->n_normalized} : (sp_dims){x->sizes + 1, 1};
}

bool sp__norm_has_dims(const sp_tensor *x, sp_dims dims)
{
    return x->ndim == dims.n && memcmp(x->sizes, dims.data, (size_t)dims.n * sizeof *dims.data) == 0;
}

/* Whether x can be normalised so. */
bool sp__norm_ends_with(const sp_tensor *x, const sp__norm_attributes *a)
{
    const int n = a->n_normalized;
    if (n == 0) return x->ndim >= 2;
    return n <= x->ndim && memcmp(x->sizes + x->ndim - n, a->normalized, (size_t)n * sizeof *x->sizes) == 0;
}

static bool by_strides(const sp__norm_attributes *a, const sp_tensor *x)
{
    return !a->n_normalized && x->ndim <= 4;
}

/* x as the kernel sees it, (outer, groups, inner, inner); by its own strides, or contiguous. */
sp__operand sp__norm_operand(const sp__norm_attributes *a, const sp_tensor *x, int64_t sizes[4])
{
    sp__operand operand = sp__operand_of(x);
    const int64_t inner = a->n_normalized ? sp__product(a->n_normalized, a->normalized)
                                          : sp__product(x->ndim - 2, x->sizes + 2);
    const int64_t flat[4] = {a->n_normalized ? 1 : x->sizes[0], sp__norm_groups(a, x), 1, inner};
    memcpy(sizes, flat, sizeof flat);
    sp__contiguous_strides(4, flat, operand.strides);
    if (!by_strides(a, x)) return operand;
    operand.strides[0] = x->strides[0], operand.strides[1] = x->strides[1];
    operand.strides[3] = x->ndim > 2 ? x->strides[x->ndim - 1] : 0;
    if (x->ndim < 4) return operand;
    sizes[2] = x->sizes[2], sizes[3] = x->sizes[3];
    operand.strides[2] = x->strides[2];
    return operand;
}

/* x, or a contiguous copy where the kernel wants one; one more reference either way. */
sp_tensor *sp__norm_value(const sp__norm_attributes *a, sp_tensor *x)
{
    return by_strides(a, x) && sp_is_dense(x) ? sp__ref(x) : sp__value_contiguous(x);
}

/* A parameter or statistic as a row of numbers. */
sp__operand sp__norm_row(const sp_tensor *x)
{
    sp__operand operand = sp__operand_of(x);
    if (x->ndim != 1) operand.strides[0] = 1;
    return operand;
}

/* ---- y ---- */

sp_status sp__norm_check_parameter(const sp_call *call, const sp_tensor *x, const sp_tensor *p, const char *name)
{
    const sp_dims dims = sp__norm_parameter_dims(call->attributes, x);
    if (sp__is_none(p)) return SP_OK;
    if (!sp__norm_has_dims(p, dims))
        return sp_raise(SP_ERROR_SHAPE, "sp_%s: %s has shape %s, and must have %s for an input of shape %s",
                        call->op->name, name, sp__shape_of(p), sp__shape_text(dims.n, dims.data), sp__shape_of(x));
    if (p->dtype == x->dtype || (x->dtype == SP_BF16 && p->dtype == SP_F32)) return SP_OK;
    return sp_raise(SP_ERROR_DTYPE, "sp_%s: %s is %s for an input of %s", call->op->name, name, sp_dtype_name(p->dtype),
                    sp_dtype_name(x->dtype));
}

/* In x's layout where the kernel goes by strides. */
sp_status sp__norm_output_like(sp_call *call, int i, const sp_tensor *x)
{
    const sp_dims dims = {x->sizes, x->ndim};
    if (by_strides(call->attributes, x)) return sp_call_output_like(call, i, x->dtype, dims, x);
    return sp_call_output(call, i, x->dtype, dims);
}

/* Mean and var of each group, from output `first` on. */
static sp_status infer_moments(sp_call *call, int first)
{
    const sp_tensor *x = call->inputs[0];
    const sp_dtype kept = x->dtype == SP_BF16 ? SP_F32 : x->dtype;
    const sp_dims dims = SP_DIMS(sp__norm_groups(call->attributes, x));
    const sp_status status = sp_call_output(call, first, kept, dims);
    return status ? status : sp_call_output(call, first + 1, kept, dims);
}

static sp_status norm_infer(sp_call *call)
{
    const sp_tensor *x = call->inputs[0];
    if (!sp_dtype_is_floating_point(x->dtype)) return sp__refuse_dtype(call, x->dtype, "; sp_cast(x, SP_F32) first");
    static const char *const names[] = {"x", "weight", "bias", "running_mean", "running_var"};
    for (int i = 1; i < call->n_inputs; i++)
        if (sp__norm_check_parameter(call, x, call->inputs[i], names[i])) return sp_error_status();
    sp_status status = sp__norm_output_like(call, 0, x);
    return status || call->n_outputs == 1 ? status : infer_moments(call, 1);
}

sp_status sp__norm_kernel(sp__norm *kernel, const sp_tensor *x, bool has_tail, bool *taken)
{
    const sp__backend *backend = sp__backend_for(x);
    if (has_tail) *taken = backend->norm_takes && backend->norm_takes(kernel);
    return has_tail && !*taken ? SP_OK : backend->norm(kernel);
}

/* rows: weight, bias (NULL: none), mean, var */
static sp_status run_rows(const sp_call *call, const sp_tensor *x, const sp_tensor *const rows[4], const sp_tensor *y,
                          const sp__norm_tail *tail, bool *taken)
{
    const sp__norm_attributes *a = call->attributes;
    int64_t sizes[4];
    sp__operand weight, bias, add = {0};
    if (rows[0]) weight = sp__norm_row(rows[0]);
    if (rows[1]) bias = sp__norm_row(rows[1]);
    if (tail && tail->add) add = sp__norm_operand(a, tail->add, sizes);
    sp__norm kernel = {.given = call->n_inputs > 3,
                       .last = a->n_normalized > 0,
                       .relu = tail && tail->relu,
                       .eps = a->eps,
                       .x = sp__norm_operand(a, x, sizes),
                       .y = sp__norm_operand(a, y, sizes),
                       .mean = sp__norm_row(rows[2]),
                       .var = sp__norm_row(rows[3]),
                       .weight = rows[0] ? &weight : NULL,
                       .bias = rows[1] ? &bias : NULL,
                       .add = tail && tail->add ? &add : NULL};
    memcpy(kernel.sizes, sizes, sizeof sizes);
    return sp__norm_kernel(&kernel, x, tail != NULL, taken);
}

sp_status sp__norm_run(const sp_call *call, const sp_tensor *y, const sp__norm_tail *tail, bool *taken)
{
    const bool given = call->n_inputs > 3;
    sp_tensor *x = sp__norm_value(call->attributes, call->inputs[0]), *held[2] = {0};
    sp_status status = x ? SP_OK : SP_ERROR_MEMORY;
    for (int i = 0; i < 2 && !status; i++) {
        if (sp__is_none(call->inputs[i + 1])) continue;
        held[i] = sp__value_contiguous(call->inputs[i + 1]);
        if (!held[i]) status = SP_ERROR_MEMORY;
    }
    const sp_tensor *rows[4] = {held[0], held[1], given ? call->inputs[3] : call->outputs[1],
                                given ? call->inputs[4] : call->outputs[2]};
    if (!status) status = run_rows(call, x, rows, y, tail, taken);
    sp__unref(x);
    sp__unref(held[0]);
    sp__unref(held[1]);
    return status;
}

static sp_status norm_forward(sp_call *call)
{
    return sp__norm_run(call, call->outputs[0], NULL, NULL);
}

/* ---- mean and variance alone ---- */

static sp_status moments_infer(sp_call *call)
{
    const sp_tensor *x = call->inputs[0];
    if (!sp_dtype_is_floating_point(x->dtype)) return sp__refuse_dtype(call, x->dtype, "; sp_cast(x, SP_F32) first");
    if (sp__norm_ends_with(x, call->attributes)) return infer_moments(call, 0);
    return sp_raise(SP_ERROR_SHAPE, "sp_%s: shape %s has no channels", call->op->name, sp__shape_of(x));
}

static sp_status moments_forward(sp_call *call)
{
    const sp__norm_attributes *a = call->attributes;
    sp_tensor *x = sp__norm_value(a, call->inputs[0]);
    if (!x) return SP_ERROR_MEMORY;
    sp__norm kernel = {
        .only_moments = true, .mean = sp__norm_row(call->outputs[0]), .var = sp__norm_row(call->outputs[1])};
    kernel.x = kernel.y = sp__norm_operand(a, x, kernel.sizes);
    const sp_status status = sp__backend_for(x)->norm(&kernel);
    sp__unref(x);
    return status;
}

/* ---- public ---- */

static sp_status check_batch(const sp_tensor *x, bool training)
{
    if (x->ndim < 2)
        return sp_raise(SP_ERROR_SHAPE, "sp_batch_norm: needs (N, C) or (N, C, …), not shape %s", sp__shape_of(x));
    if (training && sp__product(x->ndim, x->sizes) == x->sizes[1] && x->sizes[1] > 0)
        return sp_raise(
            SP_ERROR_SHAPE,
            "sp_batch_norm: one value to a channel has no variance: in training more than shape %s is needed",
            sp__shape_of(x));
    return SP_OK;
}

/* running = (1 - momentum)·running + momentum·batch's; the variance unbiased. */
static sp_status move_running(sp_tensor *running_mean, sp_tensor *running_var, sp_tensor *const *outputs,
                              double momentum)
{
    const double n = (double)sp_numel(outputs[0]) / (double)sp_numel(outputs[1]);
    sp_status status = SP_OK;
    SP_NO_GRAD {
        const bool moved = sp_lerp_(running_mean, sp_cast(outputs[1], running_mean->dtype), momentum) != NULL;
        sp_tensor *unbiased = sp_mul_scalar(sp_cast(outputs[2], running_var->dtype), n / (n - 1));
        if (!moved || !sp_lerp_(running_var, unbiased, momentum)) status = sp_error_status();
    }
    return status;
}

static sp_status check_eps(const char *function, double eps, bool training)
{
    if ((training ? eps > 0 : eps >= 0) && isfinite(eps)) return SP_OK;
    return sp_raise(SP_ERROR_ARGUMENT, "%s: eps must %s, not %g", function,
                    isfinite(eps) ? training ? "be more than 0 in training" : "not be negative" : "be finite", eps);
}

static sp_status check_running(const sp_tensor *x, const sp_tensor *running, const char *name, bool training)
{
    if (sp__is_none(running) && training) return SP_OK;
    if (sp__is_none(running))
        return sp_raise(SP_ERROR_ARGUMENT, "sp_batch_norm: without .training it needs running_mean and running_var");
    if (sp__check_tensor(running, "sp_batch_norm", name)) return sp_error_status();
    if (sp__norm_has_dims(running, SP_DIMS(x->sizes[1])) && sp_dtype_is_floating_point(running->dtype)) return SP_OK;
    return sp_raise(SP_ERROR_SHAPE, "sp_batch_norm: %s is %s %s for %lld channels", name, sp_dtype_name(running->dtype),
                    sp__shape_of(running), (long long)x->sizes[1]);
}

/* What the running statistics move by. */
static sp_status check_momentum(double momentum)
{
    if (isfinite(momentum)) return SP_OK;
    return sp_raise(SP_ERROR_ARGUMENT, "sp_batch_norm: momentum must be finite, not %g", momentum);
}

sp_tensor *(sp_batch_norm)(sp_tensor *x, sp_tensor *running_mean, sp_tensor *running_var, sp_tensor *weight,
                           sp_tensor *bias, const sp_batch_norm_options *options)
{
    sp_batch_norm_options o;
    sp_tensor *outputs[4] = {0};
    sp_options_copy(&o, sizeof o, options);
    const sp__norm_attributes a = {.eps = sp_option(o.eps, 1e-5), .own = o.training};
    const double momentum = sp_option(o.momentum, 0.1);
    if (sp__check_tensor(x, "sp_batch_norm", "x") || check_batch(x, o.training) ||
        check_eps("sp_batch_norm", a.eps, o.training) || check_momentum(momentum) ||
        check_running(x, running_mean, "running_mean", o.training) ||
        check_running(x, running_var, "running_var", o.training))
        return NULL;
    const bool moves = o.training && !sp__is_none(running_mean) && !sp__is_none(running_var);
    sp_tensor *mean = o.training ? SP_NONE : sp_detach(running_mean);
    sp_tensor *var = o.training ? SP_NONE : sp_detach(running_var);
    sp_status status = sp__norm_apply(&sp__op_batch_norm, (sp_tensor *[]){x, weight, bias, mean, var}, 5, &a, outputs);
    if (!status && moves && sp_numel(x)) status = move_running(running_mean, running_var, outputs, momentum);
    for (int i = 1; i < 3; i++)
        if (outputs[i]) sp_release(outputs[i]);
    if (status && outputs[0]) sp_release(outputs[0]);
    return status ? NULL : outputs[0];
}

sp_tensor *(sp_layer_norm)(sp_tensor *x, sp_dims normalized_shape, sp_tensor *weight, sp_tensor *bias,
                           const sp_layer_norm_options *options)
{
    sp_layer_norm_options o;
    sp_tensor *outputs[4] = {0};
    sp_options_copy(&o, sizeof o, options);
    sp__norm_attributes a = {.eps = sp_option(o.eps, 1e-5), .n_normalized = normalized_shape.n};
    if (sp__check_tensor(x, "sp_layer_norm", "x") || check_eps("sp_layer_norm", a.eps, false)) return NULL;
    if (!normalized_shape.data && normalized_shape.n > 0)
        return sp_raise_null("sp_layer_norm", "normalized_shape"), NULL;
    if (a.n_normalized < 1 || a.n_normalized > SP_MAX_DIMS) {
        sp_raise(SP_ERROR_ARGUMENT, "sp_layer_norm: normalized_shape has 1 to %d sizes, not %d", SP_MAX_DIMS,
                 a.n_normalized);
        return NULL;
    }
    memcpy(a.normalized, normalized_shape.data, (size_t)a.n_normalized * sizeof *a.normalized);
    if (!sp__norm_ends_with(x, &a)) {
        sp_raise(SP_ERROR_SHAPE, "sp_layer_norm: normalized_shape %s is not how shape %s ends",
                 sp__shape_text(a.n_normalized, a.normalized), sp__shape_of(x));
        return NULL;
    }
    if (sp__norm_apply(&sp__op_layer_norm, (sp_tensor *[]){x, weight, bias}, 3, &a, outputs)) return NULL;
    sp_release(outputs[1]);
    sp_release(outputs[2]);
    return outputs[0];
}

/* ---- samples and records ---- */

/* Three channels' running statistics, in the dtype of the input under test. */
static sp_tensor *in_dtype_of(sp_tensor *x, sp_tensor *values)
{
    return x && x != SP_NONE ? sp_cast(values, sp_dtype_of(x)) : values;
}
#define RUNNING in_dtype_of(in[0], sp_vector(0.125, -0.25, 0.375)), in_dtype_of(in[0], sp_vector(1.5, 0.5, 2))
#define TORCH_RUNNING "torch.tensor([.125, -.25, .375], dtype=a.dtype), torch.tensor([1.5, .5, 2], dtype=a.dtype)"

static sp_tensor *moment(sp_tensor *x, int which)
{
    sp_tensor *found[4] = {NULL};
    const sp__norm_attributes a = {0};
    if (sp_op_apply_n(found, &sp__op_batch_moments, &x, 1, &a)) return NULL;
    return sp_cast(found[which], sp_dtype_of(x));
}

SP__SAMPLE(batch_mean, moment(in[0], 0));
SP__SAMPLE(batch_var, moment(in[0], 1));
SP__SAMPLE(batch_plain, sp_batch_norm(in[0], SP_NONE, SP_NONE, SP_NONE, SP_NONE, .training = true));
SP__SAMPLE(batch_affine, sp_batch_norm(in[0], SP_NONE, SP_NONE, in[1], in[2], .training = true, .eps = 0.01));
SP__SAMPLE(batch_running, sp_batch_norm(in[0], RUNNING, in[1], in[2]));
SP__SAMPLE(layer_plain, sp_layer_norm(in[0], SP_DIMS(5), SP_NONE, SP_NONE));
SP__SAMPLE(layer_affine, sp_layer_norm(in[0], SP_DIMS(5), in[1], in[2], .eps = 0.01));
SP__SAMPLE(layer_two, sp_layer_norm(in[0], SP_DIMS(3, 4), in[1], in[2]));

const sp_op sp__op_batch_moments = {
    .name = "batch_moments",
    .n_inputs = 1,
    .n_outputs = 2,
    .attributes_size = sizeof(sp__norm_attributes),
    .infer = moments_infer,
    .forward = moments_forward,
    .samples = (const sp_sample[]){{batch_mean, "a.transpose(0, 1).flatten(1).mean(1)", {{"4 3 5"}}},
                                   {batch_var, "a.transpose(0, 1).flatten(1).var(1, correction=0)", {{"4 3 5"}}},
                                   {0}},
};

const sp_op sp__op_batch_norm = {
    .name = "batch_norm",
    .backward_name = "NativeBatchNormBackward0",
    .n_inputs = 5,
    .attributes_size = sizeof(sp__norm_attributes),
    .saves = SP_SAVE_INPUT(0) | SP_SAVE_INPUT(1) | SP_SAVE_INPUT(2) | SP_SAVE_INPUT(3) | SP_SAVE_INPUT(4),
    .optional = 1u << 1 | 1u << 2,
    .infer = norm_infer,
    .forward = norm_forward,
    .backward = sp__batch_norm_gradient,
    .samples =
        (const sp_sample[]){
            {batch_affine, "F.batch_norm(a, None, None, b, c, True, eps=.01)", {{"4 3 5"}, {"3"}, {"3"}}},
            {batch_running, "F.batch_norm(a, " TORCH_RUNNING ", b, c)", {{"2 3 2 4"}, {"3"}, {"3"}}},
            {batch_plain, "F.batch_norm(a, None, None, training=True)", {{"5 3"}}},
            {batch_plain, "F.batch_norm(a, None, None, training=True)", {{"2 17 2 3"}}},
            {batch_plain, "F.batch_norm(a, None, None, training=True)", {{"2 2 2 1 3"}}},
            {0}},
};

const sp_op sp__op_layer_norm = {
    .name = "layer_norm",
    .backward_name = "NativeLayerNormBackward0",
    .n_inputs = 3,
    .n_outputs = 3,
    .attributes_size = sizeof(sp__norm_attributes),
    .saves = SP_SAVE_INPUT(0) | SP_SAVE_INPUT(1) | SP_SAVE_OUTPUT(1) | SP_SAVE_OUTPUT(2),
    .optional = 1u << 1 | 1u << 2,
    .infer = norm_infer,
    .forward = norm_forward,
    .backward = sp__layer_norm_gradient,
    .samples = (const sp_sample[]){{layer_affine, "F.layer_norm(a, (5,), b, c, .01)", {{"3 5"}, {"5"}, {"5"}}},
                                   {layer_two, "F.layer_norm(a, (3, 4), b, c)", {{"2 3 4"}, {"3 4"}, {"3 4"}}},
                                   {layer_plain, "F.layer_norm(a, (5,))", {{"2 3 5"}}},
                                   {layer_plain, "F.layer_norm(a, (5,))", {{"5"}}},
                                   {layer_plain, "F.layer_norm(a, (5,))", {{"0 5"}}},
                                   {0}},
};

/* The gradients of normalisation: one pass of a kernel, or, where it will be differentiated again, operators. Formulas stand
 * in norm.c. */
#include "ops/norm.h"
#include <string.h>

/* ---- gradients by operators, which can be differentiated ---- */

sp_dims sp__norm_dims_over(const sp__norm_attributes *a, int ndim, bool of_parameter, int64_t *dims)
{
    int n = 0;
    for (int d = 0; d < ndim; d++) {
        const bool normalized = a->n_normalized ? d >= ndim - a->n_normalized : d != 1;
        if (a->n_normalized ? normalized != of_parameter : normalized) dims[n++] = d;
    }
    return (sp_dims){dims, n};
}

/* A parameter of batch_norm stands along dimension 1. */
static sp_tensor *spread(const sp__norm_attributes *a, sp_tensor *p, int ndim)
{
    int64_t shape[SP_MAX_DIMS];
    for (int d = 0; d < ndim; d++) shape[d] = d == 1 ? -1 : 1;
    return a->n_normalized ? p : (sp_reshape)(p, (sp_dims){shape, ndim});
}

typedef struct plain_parts {
    sp_tensor *grad, *normal, *inverse; /* dy, x̂, 1/√(var + eps) */
} plain_parts;

static plain_parts parts_of(sp_grad_call *call, sp_tensor *x, bool given)
{
    const sp__norm_attributes *a = call->attributes;
    int64_t over[SP_MAX_DIMS];
    const sp_dims dims = sp__norm_dims_over(a, x->ndim, false, over);
    sp_tensor *wide = sp__widened(x);
    sp_tensor *mean = given ? spread(a, sp_saved_input(call, 3), x->ndim) : sp_mean_dims(wide, dims, .keepdim = true);
    sp_tensor *var = given ? spread(a, sp_saved_input(call, 4), x->ndim)
                           : sp_var_dims(wide, dims, .keepdim = true, .biased = true);
    sp_tensor *inverse = sp_rsqrt(sp_add_scalar(var, a->eps));
    sp_tensor *centred = sp_sub(wide, mean);
    return (plain_parts){sp__widened(call->grads[0]), sp_mul(centred, inverse), inverse};
}

static sp_tensor *plain_dx(sp_grad_call *call, const plain_parts *p, bool given)
{
    const sp__norm_attributes *a = call->attributes;
    int64_t over[SP_MAX_DIMS];
    sp_tensor *h = p->grad;
    if (!p->normal) return NULL;
    const sp_dims dims = sp__norm_dims_over(a, p->normal->ndim, false, over);
    if (sp_input_sizes(call, 1).n) {
        sp_tensor *weight = sp_saved_input(call, 1);
        h = weight ? sp_mul(h, spread(a, weight, p->normal->ndim)) : NULL;
    }
    if (given) return sp_mul(h, p->inverse);
    sp_tensor *mean = sp_mean_dims(h, dims, .keepdim = true);
    sp_tensor *slope = sp_mean_dims(sp_mul(h, p->normal), dims, .keepdim = true);
    sp_tensor *rest = sp_sub(sp_sub(h, mean), sp_mul(p->normal, slope));
    return sp_mul(rest, p->inverse);
}

static sp_tensor *plain_sum(const sp__norm_attributes *a, sp_tensor *x)
{
    int64_t over[SP_MAX_DIMS];
    if (!x) return NULL;
    const sp_dims dims = sp__norm_dims_over(a, x->ndim, true, over);
    return dims.n ? sp_sum_dims(x, dims) : x;
}

static sp_status give_plain(sp_grad_call *call, sp_tensor *x, bool given)
{
    const sp__norm_attributes *a = call->attributes;
    const plain_parts p = parts_of(call, x, given);
    sp_status status = SP__GIVE(call, 0, plain_dx(call, &p, given));
    if (!status) status = SP__GIVE(call, 1, plain_sum(a, sp_mul(p.grad, p.normal)));
    return status ? status : SP__GIVE(call, 2, plain_sum(a, p.grad));
}

/* ---- gradients by one pass ---- */

static sp_status give_update(sp_grad_call *call, sp_tensor *x, bool given, const sp_op *op)
{
    sp__norm_attributes a = *(const sp__norm_attributes *)call->attributes;
    sp_tensor *weight = sp_input_sizes(call, 1).n ? sp_saved_input(call, 1) : SP_NONE;
    sp_tensor *mean = a.n_normalized ? sp_saved_output(call, 1) : sp_saved_input(call, 3);
    sp_tensor *var = a.n_normalized ? sp_saved_output(call, 2) : sp_saved_input(call, 4);
    sp_tensor *outputs[4] = {0};
    if (!weight || !mean || !var) return sp_error_status();
    for (int i = 0; i < 3; i++) a.needed[i] = i < call->n_inputs && call->needed[i];
    sp_tensor *inputs[] = {call->grads[0], x, weight, mean, var, given ? x : SP_NONE};
    sp_status status = sp_op_apply_n(outputs, op, inputs, 6, &a);
    for (int i = 0; i < 3 && !status; i++)
        if (a.needed[i]) status = sp__give(call, i, outputs[i]);
    return status;
}

static sp_status norm_backward(sp_grad_call *call, bool given, const sp_op *op)
{
    sp_tensor *x = sp_saved_input(call, 0);
    if (!x) return sp_error_status();
    return sp_grad_enabled() ? give_plain(call, x, given) : give_update(call, x, given, op);
}

sp_status sp__batch_norm_gradient(sp_grad_call *call)
{
    if (call->needed[3] || call->needed[4])
        return sp_raise(SP_ERROR_UNSUPPORTED, "sp_batch_norm: running statistics have no gradient: sp_detach them");
    const sp__norm_attributes *a = call->attributes;
    return norm_backward(call, !a->own, &sp__op_batch_norm_backward);
}

sp_status sp__layer_norm_gradient(sp_grad_call *call)
{
    return norm_backward(call, false, &sp__op_layer_norm_backward);
}

/* grad, x, weight or SP_NONE, mean, var, and anything to say that mean and var are given. */
static sp_status backward_infer(sp_call *call)
{
    const sp__norm_attributes *a = call->attributes;
    const sp_tensor *g = call->inputs[0], *x = call->inputs[1], *mean = call->inputs[3], *var = call->inputs[4];
    if (!sp_dtype_is_floating_point(x->dtype) || g->dtype != x->dtype) return sp__refuse_dtype(call, g->dtype, "");
    if (!sp__norm_has_dims(g, (sp_dims){x->sizes, x->ndim}) || !sp__norm_ends_with(x, a) ||
        !sp__norm_has_dims(mean, SP_DIMS(sp__norm_groups(a, x))) ||
        !sp__norm_has_dims(var, SP_DIMS(sp__norm_groups(a, x))))
        return sp_raise(SP_ERROR_SHAPE, "sp_%s: %s is no gradient of %s with statistics of %s", call->op->name,
                        sp__shape_of(g), sp__shape_of(x), sp__shape_of(mean));
    if (sp__norm_check_parameter(call, x, call->inputs[2], "weight")) return sp_error_status();
    const sp_dims dims = sp__norm_parameter_dims(a, x);
    const sp_dtype kept = sp__is_none(call->inputs[2]) ? x->dtype : call->inputs[2]->dtype;
    sp_status status = a->needed[0] ? sp__norm_output_like(call, 0, x) : sp_call_output(call, 0, x->dtype, SP_DIMS(0));
    for (int i = 1; i < 3 && !status; i++) status = sp_call_output(call, i, kept, a->needed[i] ? dims : SP_DIMS(0));
    return status;
}

/* Where what goes on behind y lies, for the kernel. */
typedef struct tail_operands {
    sp__operand bias, out, dadd;
} tail_operands;

static void set_tail(sp__norm *kernel, const sp__norm_attributes *a, const sp__norm_tail *tail, tail_operands *at)
{
    int64_t sizes[4];
    kernel->relu = tail->relu;
    if (tail->bias) at->bias = sp__norm_row(tail->bias), kernel->bias = &at->bias;
    if (tail->out) at->out = sp__norm_operand(a, tail->out, sizes), kernel->out = &at->out;
    if (tail->dadd) at->dadd = sp__norm_operand(a, tail->dadd, sizes), kernel->dadd = &at->dadd;
}

static sp_status run_backward(const sp_call *call, const sp_tensor *g, const sp_tensor *x, const sp_tensor *weight,
                              const sp__norm_tail *tail, bool *taken)
{
    const sp__norm_attributes *a = call->attributes;
    int64_t sizes[4];
    sp__operand weights = {0}, out[3];
    tail_operands behind;
    if (weight) weights = sp__norm_row(weight);
    for (int i = 1; i < 3; i++) out[i] = sp__norm_row(call->outputs[i]);
    if (a->needed[0]) out[0] = sp__norm_operand(a, call->outputs[0], sizes);
    sp__norm kernel = {.backward = true,
                       .given = !sp__is_none(call->inputs[5]),
                       .last = a->n_normalized > 0,
                       .eps = a->eps,
                       .y = sp__norm_operand(a, g, sizes),
                       .x = sp__norm_operand(a, x, sizes),
                       .mean = sp__norm_row(call->inputs[3]),
                       .var = sp__norm_row(call->inputs[4]),
                       .weight = weight ? &weights : NULL,
                       .dx = a->needed[0] ? &out[0] : NULL,
                       .dweight = a->needed[1] ? &out[1] : NULL,
                       .dbias = a->needed[2] ? &out[2] : NULL};
    memcpy(kernel.sizes, sizes, sizeof sizes);
    if (tail) set_tail(&kernel, a, tail, &behind);
    return sp__norm_kernel(&kernel, x, tail != NULL, taken);
}

sp_status sp__norm_run_backward(const sp_call *call, const sp__norm_tail *tail, bool *taken)
{
    const sp__norm_attributes *a = call->attributes;
    const bool weighted = !sp__is_none(call->inputs[2]);
    sp_tensor *x = sp__norm_value(a, call->inputs[1]), *g = x ? sp__value_like(call->inputs[0], x) : NULL;
    sp_tensor *weight = weighted ? sp__value_contiguous(call->inputs[2]) : NULL;
    sp_status status = g && x && (weight || !weighted) ? SP_OK : SP_ERROR_MEMORY;
    if (!status) status = run_backward(call, g, x, weight, tail, taken);
    sp__unref(g);
    sp__unref(x);
    sp__unref(weight);
    return status;
}

static sp_status backward_forward(sp_call *call)
{
    return sp__norm_run_backward(call, NULL, NULL);
}

/* ---- samples and records ---- */

static const sp__norm_attributes sample_batch = {.eps = 1e-5, .needed = {true, true, true}};
static const sp__norm_attributes sample_layer = {
    .eps = 1e-5, .n_normalized = 1, .normalized = {5}, .needed = {true, true, true}};
SP__SAMPLE(batch_backward, sp_op_apply(&sp__op_batch_norm_backward,
                                       (sp_tensor *[]){in[0], in[1], in[2], sp_mean_dims(in[1], SP_DIMS(0, 2)),
                                                       sp_var_dims(in[1], SP_DIMS(0, 2), .biased = true), SP_NONE},
                                       6, &sample_batch));
SP__SAMPLE(layer_backward, sp_op_apply(&sp__op_layer_norm_backward,
                                       (sp_tensor *[]){in[0], in[1], in[2], sp_mean_dim(in[1], 1),
                                                       sp_var_dim(in[1], 1, .biased = true), SP_NONE},
                                       6, &sample_layer));
#define TORCH_GRAD(call) "(lambda x: torch.autograd.grad(" call ", x, a)[0])(b.detach().requires_grad_())"

const sp_op sp__op_batch_norm_backward = {
    .name = "batch_norm_backward",
    .n_inputs = 6,
    .n_outputs = 3,
    .attributes_size = sizeof(sp__norm_attributes),
    .optional = 1u << 2 | 1u << 5,
    .infer = backward_infer,
    .forward = backward_forward,
    .samples = (const sp_sample[]){{batch_backward,
                                    TORCH_GRAD("F.batch_norm(x, None, None, c, None, True)"),
                                    {{"4 3 5"}, {"4 3 5"}, {"3"}}},
                                   {0}},
};

const sp_op sp__op_layer_norm_backward = {
    .name = "layer_norm_backward",
    .n_inputs = 6,
    .n_outputs = 3,
    .attributes_size = sizeof(sp__norm_attributes),
    .optional = 1u << 2 | 1u << 5,
    .infer = backward_infer,
    .forward = backward_forward,
    .samples = (const sp_sample[]){{layer_backward, TORCH_GRAD("F.layer_norm(x, (5,), c)"), {{"3 5"}, {"3 5"}, {"5"}}},
                                   {0}},
};

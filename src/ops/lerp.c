/* Sums of products, element by element. g is the gradient of the result, h = g summed and scaled as said.
 *
 *     lerp         a + w(b - a)    g(1 - w), g·w, and for a tensor w: g(b - a); exact at w = 0 and w = 1
 *     addcmul_     x + v·a·b       g, g·v·b, g·v·a
 *     addcdiv_     x + v·a/b       g, g·v/b, -g·v·a/b²
 *
 * lerp wants one floating dtype of all its tensors, as PyTorch's does. */
#include "ops/elementwise.h"

/* ---- lerp ---- */

static sp_status lerp_infer(sp_call *call)
{
    sp_dtype dtype = call->inputs[0]->dtype;
    if (!sp_dtype_is_floating_point(dtype)) return sp__refuse_dtype(call, dtype, "; sp_cast(x, SP_F32) first");
    for (int i = 1; i < call->n_inputs; i++)
        if (call->inputs[i]->dtype != dtype)
            return sp_raise(SP_ERROR_DTYPE,
                            "sp_%s: all tensors must have one dtype, but argument 1 is %s and argument "
                            "%d is %s",
                            call->op->name, sp_dtype_name(dtype), i + 1, sp_dtype_name(call->inputs[i]->dtype));
    return sp__broadcast_output(call, dtype);
}

static sp_status lerp_forward(sp_call *call)
{
    const double *weight = call->attributes;
    return sp__map_call(call, SP__LERP, (double[]){*weight, 0});
}

static sp_status lerp_backward(sp_grad_call *call)
{
    const double *weight = call->attributes;
    sp_tensor *g = call->grads[0];
    sp_status status = SP__GIVE(call, 0, sp_mul_scalar(g, 1 - *weight));
    return status ? status : SP__GIVE(call, 1, sp_mul_scalar(g, *weight));
}

static sp_status lerp_tensor_forward(sp_call *call)
{
    return sp__map_call(call, SP__LERP_TENSOR, NULL);
}

static sp_status lerp_tensor_backward(sp_grad_call *call)
{
    sp_tensor *g = call->grads[0], *weight = sp_saved_input(call, 2);
    sp_status status = SP__GIVE(call, 0, sp_mul(g, sp_rsub_scalar(weight, 1)));
    if (!status) status = SP__GIVE(call, 1, sp_mul(g, weight));
    return status ? status : SP__GIVE(call, 2, sp_mul(g, sp_sub(sp_saved_input(call, 1), sp_saved_input(call, 0))));
}

sp_tensor *sp_lerp(sp_tensor *a, sp_tensor *b, double weight)
{
    return sp_op_apply(&sp__op_lerp, (sp_tensor *[]){a, b}, 2, &weight);
}

sp_tensor *sp_lerp_(sp_tensor *a, sp_tensor *b, double weight)
{
    return sp_op_apply_inplace(&sp__op_lerp, (sp_tensor *[]){a, b}, 2, &weight);
}

sp_tensor *sp_lerp_tensor(sp_tensor *a, sp_tensor *b, sp_tensor *weight)
{
    return sp_op_apply(&sp__op_lerp_tensor, (sp_tensor *[]){a, b, weight}, 3, NULL);
}

/* ---- addcmul, addcdiv ---- */

static sp_status addcmul_infer(sp_call *call)
{
    sp_dtype dtype = sp__result_type(call->inputs, 3);
    if (dtype == SP_BOOL) return sp__refuse_dtype(call, dtype, "");
    return sp__broadcast_output(call, dtype);
}

static sp_status addcmul_forward(sp_call *call)
{
    const double *value = call->attributes;
    return sp__map_call(call, SP__ADDCMUL, (double[]){*value, 0});
}

static sp_status addcmul_backward(sp_grad_call *call)
{
    const double *value = call->attributes;
    sp_tensor *g = call->grads[0];
    sp_status status = SP__GIVE(call, 0, g);
    if (!status) status = SP__GIVE(call, 1, sp_mul(g, sp_mul_scalar(sp_saved_input(call, 2), *value)));
    return status ? status : SP__GIVE(call, 2, sp_mul(g, sp_mul_scalar(sp_saved_input(call, 1), *value)));
}

static sp_status addcdiv_infer(sp_call *call)
{
    sp_dtype quotient = sp__result_type(call->inputs + 1, 2);
    if (!sp_dtype_is_floating_point(quotient)) return sp__refuse_dtype(call, quotient, " on both sides of a division");
    return sp__broadcast_output(call, sp__result_type(call->inputs, 3));
}

static sp_status addcdiv_forward(sp_call *call)
{
    const double *value = call->attributes;
    return sp__map_call(call, SP__ADDCDIV, (double[]){*value, 0});
}

/* -g·v·a/b² */
static sp_tensor *addcdiv_divisor(sp_tensor *g, sp_tensor *a, sp_tensor *b, double value)
{
    return sp_mul(sp_neg(g), sp_div(sp_mul_scalar(a, value), sp_square(b)));
}

static sp_status addcdiv_backward(sp_grad_call *call)
{
    const double *value = call->attributes;
    sp_tensor *g = call->grads[0], *b = sp_saved_input(call, 2);
    sp_status status = SP__GIVE(call, 0, g);
    if (!status) status = SP__GIVE(call, 1, sp_div(sp_mul_scalar(g, *value), b));
    return status ? status : SP__GIVE(call, 2, addcdiv_divisor(g, sp_saved_input(call, 1), b, *value));
}

sp_tensor *sp_addcmul_(sp_tensor *x, sp_tensor *a, sp_tensor *b, double value)
{
    return sp_op_apply_inplace(&sp__op_addcmul, (sp_tensor *[]){x, a, b}, 3, &value);
}

sp_tensor *sp_addcdiv_(sp_tensor *x, sp_tensor *a, sp_tensor *b, double value)
{
    return sp_op_apply_inplace(&sp__op_addcdiv, (sp_tensor *[]){x, a, b}, 3, &value);
}

/* ---- records ---- */

SP__SAMPLE(lerp_sample, sp_lerp(in[0], in[1], 0.3));
SP__SAMPLE(lerp_far_sample, sp_lerp(in[0], in[1], 0.8));
SP__SAMPLE(lerp_inplace_sample, sp_lerp_(sp__sample_copy(in[0]), in[1], 0.3));
SP__SAMPLE(lerp_tensor_sample, sp_lerp_tensor(in[0], in[1], in[2]));
SP__SAMPLE(addcmul_sample, sp_addcmul_(sp__sample_copy(in[0]), in[1], in[2], 0.75));
SP__SAMPLE(addcmul_whole_sample, sp_addcmul_(sp__sample_copy(in[0]), in[1], in[2], 3));
SP__SAMPLE(addcdiv_sample, sp_addcdiv_(sp__sample_copy(in[0]), in[1], in[2], 0.75));

#define TRIPLE(CALL, TORCH, A, B, C, LOW, HIGH)                                                                        \
    {                                                                                                                  \
        .call = CALL, .torch = TORCH, .inputs = {                                                                      \
            SP__RANGE(A, LOW, HIGH),                                                                                   \
            SP__RANGE(B, LOW, HIGH),                                                                                   \
            SP__RANGE(C, LOW, HIGH)                                                                                    \
        }                                                                                                              \
    }
#define TRIPLES(CALL, TORCH, LOW, HIGH)                                                                                \
    TRIPLE(CALL, TORCH, "3 4", "3 4", "3 4", LOW, HIGH), TRIPLE(CALL, TORCH, "4 2 3", "2 1", "3", LOW, HIGH),          \
        TRIPLE(CALL, TORCH, "", "", "", LOW, HIGH), TRIPLE(CALL, TORCH, "0 3", "1 3", "0 1", LOW, HIGH),               \
        TRIPLE(CALL, TORCH, "1", "1", "1", LOW, HIGH), TRIPLE(CALL, TORCH, "67", "67", "", LOW, HIGH)

static const char addcmul_text[] = "a.clone().addcmul_(b, c, value=0.75)";
static const char addcdiv_text[] = "a.clone().addcdiv_(b, c, value=0.75)";

static const sp_sample lerp_samples[] = {SP__BINARY_SAMPLES(lerp_sample, "torch.lerp(a, b, 0.3)", -2, 2),
                                         SP__PAIR(lerp_far_sample, "torch.lerp(a, b, 0.8)", "2 3", "2 3", -2, 2),
                                         SP__PAIR(lerp_inplace_sample, "a.clone().lerp_(b, 0.3)", "2 3", "3", -2, 2),
                                         {0}};
static const sp_sample lerp_tensor_samples[] = {TRIPLES(lerp_tensor_sample, "torch.lerp(a, b, c)", -2, 2), {0}};
static const sp_sample addcmul_samples[] = {
    TRIPLES(addcmul_sample, addcmul_text, -2, 2),
    TRIPLE(addcmul_whole_sample, "a.clone().addcmul_(b, c, value=3)", "2 3", "2 3", "3", -2, 2),
    {0}};
static const sp_sample addcdiv_samples[] = {TRIPLES(addcdiv_sample, addcdiv_text, 0.3, 3), {0}};

#define RECORD(NAME, BACKWARD_NAME, N, SIZE, SAVES, INFER)                                                             \
    const sp_op sp__op_##NAME = {.name = #NAME,                                                                        \
                                 .backward_name = BACKWARD_NAME,                                                       \
                                 .n_inputs = N,                                                                        \
                                 .attributes_size = SIZE,                                                              \
                                 .saves = SAVES,                                                                       \
                                 .infer = INFER,                                                                       \
                                 .forward = NAME##_forward,                                                            \
                                 .backward = NAME##_backward,                                                          \
                                 .samples = NAME##_samples}
RECORD(lerp, "LerpBackward0", 2, sizeof(double), 0, lerp_infer);
RECORD(lerp_tensor, "LerpBackward1", 3, 0, SP_SAVE_INPUTS, lerp_infer);
RECORD(addcmul, "AddcmulBackward0", 3, sizeof(double), SP_SAVE_INPUT(1) | SP_SAVE_INPUT(2), addcmul_infer);
RECORD(addcdiv, "AddcdivBackward0", 3, sizeof(double), SP_SAVE_INPUT(1) | SP_SAVE_INPUT(2), addcdiv_infer);

/* Arithmetic of two tensors, or of a tensor and a number, element by element. g is the gradient of the result; the
 * gradient of an operand that was broadcast is summed back to its shape.
 *
 *     add      a + b           g, g
 *     sub      a - b           g, -g
 *     rsub     v - x           -g
 *     mul      a·b             g·b, g·a
 *     div      a/b             g/b, -g·(a/b)/b
 *     maximum  the larger      g where it is the larger, half of g where both are equal
 *     minimum  the smaller     likewise
 *
 * A number is an operand of 0 dimensions that does not decide the dtype within its category, as in PyTorch. Integers
 * divide as f32; add and mul of bool are "or" and "and". */
#include "ops/elementwise.h"

static sp_status infer_promoted(sp_call *call)
{
    return sp__broadcast_output(call, sp__result_type(call->inputs, call->n_inputs));
}

/* ---- add ---- */

static sp_status add_forward(sp_call *call)
{
    return sp__map_call(call, SP__ADD, NULL);
}

static sp_status add_backward(sp_grad_call *call)
{
    sp_status status = SP__GIVE(call, 0, call->grads[0]);
    return status ? status : SP__GIVE(call, 1, call->grads[0]);
}

/* ---- sub, rsub ---- */

static sp_status infer_difference(sp_call *call)
{
    for (int i = 0; i < call->n_inputs; i++)
        if (call->inputs[i]->dtype == SP_BOOL)
            return sp__refuse_dtype(call, SP_BOOL, "; sp_logical_xor tells where masks differ");
    return infer_promoted(call);
}

static sp_status sub_forward(sp_call *call)
{
    return sp__map_call(call, SP__SUB, NULL);
}

static sp_status sub_backward(sp_grad_call *call)
{
    sp_status status = SP__GIVE(call, 0, call->grads[0]);
    return status ? status : SP__GIVE(call, 1, sp_neg(call->grads[0]));
}

static sp_status rsub_forward(sp_call *call)
{
    sp_tensor *swapped[] = {call->inputs[1], call->inputs[0]};
    return sp__map_tensors(SP__SUB, call->outputs[0], swapped, 2, sp__compute_type(call), NULL);
}

static sp_status rsub_backward(sp_grad_call *call)
{
    return SP__GIVE(call, 0, sp_neg(call->grads[0]));
}

/* ---- mul ---- */

static sp_status mul_forward(sp_call *call)
{
    return sp__map_call(call, SP__MUL, NULL);
}

static sp_status mul_backward(sp_grad_call *call)
{
    sp_tensor *g = call->grads[0];
    sp_status status = SP__GIVE(call, 0, sp_mul(g, sp_saved_input(call, 1)));
    return status ? status : SP__GIVE(call, 1, sp_mul(g, sp_saved_input(call, 0)));
}

/* ---- div ---- */

static sp_status div_infer(sp_call *call)
{
    return sp__broadcast_output(call, sp__floating(sp__result_type(call->inputs, 2)));
}

static sp_status div_forward(sp_call *call)
{
    return sp__map_call_floating(call, SP__DIV, NULL);
}

static sp_tensor *divisor_gradient(sp_tensor *g, sp_tensor *a, sp_tensor *b)
{
    return sp_mul(sp_neg(g), sp_div(sp_div(a, b), b));
}

static sp_status div_backward(sp_grad_call *call)
{
    sp_tensor *g = call->grads[0], *b = sp_saved_input(call, 1);
    sp_status status = SP__GIVE(call, 0, sp_div(g, b));
    return status ? status : SP__GIVE(call, 1, divisor_gradient(g, sp_saved_input(call, 0), b));
}

/* ---- maximum, minimum ---- */

/* g where the operand won, half of it in a tie, 0 where it lost; NaN wins and loses at once. */
static sp_tensor *winner_gradient(sp_tensor *g, sp_tensor *tie, sp_tensor *lost)
{
    return sp_masked_fill(sp_where(tie, sp_mul_scalar(g, 0.5), g), lost, 0);
}

static sp_status extreme_backward(sp_grad_call *call, sp_tensor *(*lost)(sp_tensor *, sp_tensor *))
{
    sp_tensor *g = call->grads[0], *a = sp_saved_input(call, 0), *b = sp_saved_input(call, 1), *tie = sp_eq(a, b);
    sp_status status = SP__GIVE(call, 0, winner_gradient(g, tie, lost(a, b)));
    return status ? status : SP__GIVE(call, 1, winner_gradient(g, tie, lost(b, a)));
}

static sp_status maximum_forward(sp_call *call)
{
    return sp__map_call(call, SP__MAXIMUM, NULL);
}

static sp_status maximum_backward(sp_grad_call *call)
{
    return extreme_backward(call, sp_lt);
}

static sp_status minimum_forward(sp_call *call)
{
    return sp__map_call(call, SP__MINIMUM, NULL);
}

static sp_status minimum_backward(sp_grad_call *call)
{
    return extreme_backward(call, sp_gt);
}

/* ---- public: of two tensors; with Python's float, with Python's int ---- */

#define BINARY(NAME)                                                                                                   \
    sp_tensor *(sp_##NAME)(sp_tensor * a, sp_tensor * b)                                                               \
    {                                                                                                                  \
        return sp_op_apply(&sp__op_##NAME, (sp_tensor *[]){a, b}, 2, NULL);                                            \
    }
#define WITH_NUMBER(NAME)                                                                                              \
    sp_tensor *sp_##NAME##_scalar(sp_tensor *x, double value)                                                          \
    {                                                                                                                  \
        return sp__apply_f64(&sp__op_##NAME, x, value);                                                                \
    }                                                                                                                  \
    sp_tensor *sp_##NAME##_int(sp_tensor *x, int64_t value)                                                            \
    {                                                                                                                  \
        return sp__apply_i64(&sp__op_##NAME, x, value);                                                                \
    }
BINARY(add)
BINARY(sub)
BINARY(mul)
BINARY(div)
BINARY(maximum)
BINARY(minimum)
WITH_NUMBER(add)
WITH_NUMBER(sub)
WITH_NUMBER(rsub)
WITH_NUMBER(mul)
WITH_NUMBER(div)

/* ---- records ---- */

SP__SAMPLE(add_sample, sp_add(in[0], in[1]));
SP__SAMPLE(add_scalar_sample, sp_add_scalar(in[0], 1.25));
SP__SAMPLE(add_int_sample, sp_add_int(in[0], 3));
SP__SAMPLE(sub_sample, sp_sub(in[0], in[1]));
SP__SAMPLE(sub_scalar_sample, sp_sub_scalar(in[0], 1.25));
SP__SAMPLE(sub_int_sample, sp_sub_int(in[0], 3));
SP__SAMPLE(rsub_sample, sp_rsub_scalar(in[0], 1.25));
SP__SAMPLE(rsub_int_sample, sp_rsub_int(in[0], 3));
SP__SAMPLE(mul_sample, sp_mul(in[0], in[1]));
SP__SAMPLE(mul_scalar_sample, sp_mul_scalar(in[0], 0.75));
SP__SAMPLE(mul_int_sample, sp_mul_int(in[0], -3));
SP__SAMPLE(mul_self_sample, sp_mul(in[0], in[0]));
SP__SAMPLE(mul_mixed_sample, sp_mul(in[0], in[1]));
SP__SAMPLE(div_sample, sp_div(in[0], in[1]));
SP__SAMPLE(div_scalar_sample, sp_div_scalar(in[0], 0.75));
SP__SAMPLE(div_int_sample, sp_div_int(in[0], 3));
SP__SAMPLE(maximum_sample, sp_maximum(in[0], in[1]));
SP__SAMPLE(minimum_sample, sp_minimum(in[0], in[1]));

/* Operands of two dtypes: one under test, one that stays. */
#define MIXED(CALL, TORCH, DTYPE)                                                                                      \
    {                                                                                                                  \
        .call = CALL, .torch = TORCH, .inputs = { {.shape = "2 3"}, {.shape = "3", .dtype = DTYPE} }                   \
    }

static const sp_sample add_samples[] = {SP__BINARY_SAMPLES(add_sample, "a + b", -2, 2),
                                        SP__ONE(add_scalar_sample, "a + 1.25", "2 3", -2, 2),
                                        SP__ONE(add_int_sample, "a + 3", "2 3", -2, 2),
                                        MIXED(add_sample, "a + b", SP_F64),
                                        MIXED(add_sample, "a + b", SP_BF16),
                                        MIXED(add_sample, "a + b", SP_I32),
                                        {0}};
static const sp_sample sub_samples[] = {SP__BINARY_SAMPLES(sub_sample, "a - b", -2, 2),
                                        SP__ONE(sub_scalar_sample, "a - 1.25", "2 3", -2, 2),
                                        SP__ONE(sub_int_sample, "a - 3", "2 3", -2, 2),
                                        {0}};
static const sp_sample rsub_samples[] = {
    SP__UNARY_SAMPLES(rsub_sample, "1.25 - a", -2, 2), SP__UNARY_SAMPLES(rsub_int_sample, "3 - a", -2, 2), {0}};
static const sp_sample mul_samples[] = {
    SP__BINARY_SAMPLES(mul_sample, "a * b", -2, 2),  SP__ONE(mul_scalar_sample, "a * 0.75", "2 3", -2, 2),
    SP__ONE(mul_int_sample, "a * -3", "2 3", -2, 2), SP__ONE(mul_self_sample, "a * a", "2 3", -2, 2),
    MIXED(mul_mixed_sample, "a * b", SP_F64),        MIXED(mul_mixed_sample, "a * b", SP_I64),
    MIXED(mul_mixed_sample, "a * b", SP_BOOL),       {0}};
static const sp_sample div_samples[] = {SP__BINARY_SAMPLES(div_sample, "a / b", 0.3, 3),
                                        SP__ONE(div_scalar_sample, "a / 0.75", "2 3", -2, 2),
                                        SP__ONE(div_int_sample, "a / 3", "2 3", -2, 2),
                                        {0}};
static const sp_sample maximum_samples[] = {SP__BINARY_SAMPLES(maximum_sample, "torch.maximum(a, b)", -2, 2), {0}};
static const sp_sample minimum_samples[] = {SP__BINARY_SAMPLES(minimum_sample, "torch.minimum(a, b)", -2, 2), {0}};

#define RECORD(NAME, BACKWARD_NAME, SAVES, INFER)                                                                      \
    const sp_op sp__op_##NAME = {.name = #NAME,                                                                        \
                                 .backward_name = BACKWARD_NAME,                                                       \
                                 .n_inputs = 2,                                                                        \
                                 .saves = SAVES,                                                                       \
                                 .infer = INFER,                                                                       \
                                 .forward = NAME##_forward,                                                            \
                                 .backward = NAME##_backward,                                                          \
                                 .samples = NAME##_samples}
RECORD(add, "AddBackward0", 0, infer_promoted);
RECORD(sub, "SubBackward0", 0, infer_difference);
RECORD(rsub, "RsubBackward1", 0, infer_difference);
RECORD(mul, "MulBackward0", SP_SAVE_INPUTS, infer_promoted);
RECORD(div, "DivBackward0", SP_SAVE_INPUTS, div_infer);
RECORD(maximum, "MaximumBackward0", SP_SAVE_INPUTS, infer_promoted);
RECORD(minimum, "MinimumBackward0", SP_SAVE_INPUTS, infer_promoted);

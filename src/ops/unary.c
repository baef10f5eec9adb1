/* Unary operators, element by element. Their formulas and gradients are the rows of unary_table.h; this file makes an
 * operator of each row. */
#include "ops/elementwise.h"

/* ---- type rules by the names that the table uses ---- */

#define infer_any sp__infer_any
#define infer_number sp__infer_number
#define infer_floating sp__infer_floating

/* A bool counts as a number: true² is the integer 1. */
static sp_status infer_square(sp_call *call)
{
    sp_dtype dtype = call->inputs[0]->dtype;
    return sp__broadcast_output(call, dtype == SP_BOOL ? SP_I64 : dtype);
}

/* ---- forward and backward ---- */

/* In the result's dtype: an integer that becomes f32 does so before the kernel. In place that is not the output's. */
static sp_status map_unary(sp_call *call, sp__map_kind kind)
{
    sp_dtype dtype = call->inputs[0]->dtype;
    bool whole = call->op->infer != infer_floating;
    if (!whole) dtype = sp__floating(dtype);
    if (kind == SP__SQUARE && dtype == SP_BOOL) dtype = SP_I64;
    return sp__map_tensors(kind, call->outputs[0], call->inputs, 1, dtype, NULL);
}

typedef sp_tensor *gradient_function(sp_tensor *g, sp_tensor *x, sp_tensor *y);

static sp_status backward_by(sp_grad_call *call, gradient_function *gradient)
{
    unsigned saves = call->op->saves;
    sp_tensor *x = saves & SP_SAVE_INPUT(0) ? sp_saved_input(call, 0) : NULL;
    sp_tensor *y = saves & SP_SAVE_OUTPUT(0) ? sp_saved_output(call, 0) : NULL;
    if (saves && !x && !y) return sp_error_status();
    return SP__GIVE(call, 0, gradient(call->grads[0], x, y));
}

/* ---- an operator of each row ---- */

#define SAVES_NONE 0
#define SAVES_X SP_SAVE_INPUT(0)
#define SAVES_Y SP_SAVE_OUTPUT(0)

#define SP__UNARY(NAME, KERNEL, RULE, BACKWARD_NAME, SAVES, GRADIENT, LOW, HIGH)                                       \
    static sp_status NAME##_forward(sp_call *call)                                                                     \
    {                                                                                                                  \
        return map_unary(call, KERNEL);                                                                                \
    }                                                                                                                  \
    static sp_tensor *NAME##_gradient(sp_tensor *g, sp_tensor *x, sp_tensor *y)                                        \
    {                                                                                                                  \
        (void)x, (void)y;                                                                                              \
        return GRADIENT;                                                                                               \
    }                                                                                                                  \
    static sp_status NAME##_backward(sp_grad_call *call)                                                               \
    {                                                                                                                  \
        return backward_by(call, NAME##_gradient);                                                                     \
    }                                                                                                                  \
    sp_tensor *sp_##NAME(sp_tensor *x)                                                                                 \
    {                                                                                                                  \
        return sp_op_apply(&sp__op_##NAME, &x, 1, NULL);                                                               \
    }                                                                                                                  \
    SP__SAMPLE(NAME##_sample, sp_##NAME(in[0]));                                                                       \
    static const sp_sample NAME##_samples[] = {SP__UNARY_SAMPLES(NAME##_sample, "torch." #NAME "(a)", LOW, HIGH),      \
                                               {0}};                                                                   \
    const sp_op sp__op_##NAME = {.name = #NAME,                                                                        \
                                 .backward_name = BACKWARD_NAME,                                                       \
                                 .n_inputs = 1,                                                                        \
                                 .saves = SAVES_##SAVES,                                                               \
                                 .infer = infer_##RULE,                                                                \
                                 .forward = NAME##_forward,                                                            \
                                 .backward = NAME##_backward,                                                          \
                                 .samples = NAME##_samples};

#define SP__PREDICATE(NAME, KERNEL)                                                                                    \
    static sp_status NAME##_forward(sp_call *call)                                                                     \
    {                                                                                                                  \
        return sp__map_call(call, KERNEL, NULL);                                                                       \
    }                                                                                                                  \
    sp_tensor *sp_##NAME(sp_tensor *x)                                                                                 \
    {                                                                                                                  \
        return sp_op_apply(&sp__op_##NAME, &x, 1, NULL);                                                               \
    }                                                                                                                  \
    SP__SAMPLE(NAME##_sample, sp_##NAME(in[0]));                                                                       \
    static const sp_sample NAME##_samples[] = {SP__UNARY_SAMPLES(NAME##_sample, "torch." #NAME "(a)", -2, 2), {0}};    \
    const sp_op sp__op_##NAME = {.name = #NAME,                                                                        \
                                 .n_inputs = 1,                                                                        \
                                 .infer = sp__infer_predicate,                                                         \
                                 .forward = NAME##_forward,                                                            \
                                 .samples = NAME##_samples};

#include "ops/unary_table.h"

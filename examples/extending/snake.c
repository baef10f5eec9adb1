/* An operator of one's own: one record, and a function that calls it. */
#include "extending.h"

#include <math.h>
#include <spusk/extend.h>

typedef struct snake_attributes {
    double a;
} snake_attributes;

/* Checks what can be wrong, then says which shape and dtype the result has. */
static sp_status snake_infer(sp_call *call)
{
    const snake_attributes *at = call->attributes;
    const sp_tensor *x = call->inputs[0];
    sp_dtype dtype = sp_dtype_of(x);
    if (dtype != SP_F32 && dtype != SP_F64)
        return sp_raise(SP_ERROR_DTYPE, "snake: x is %s, not f32 or f64", sp_dtype_name(dtype));
    if (!(at->a > 0)) return sp_raise(SP_ERROR_ARGUMENT, "snake: a is %g, not above 0", at->a);
    return sp_call_output(call, 0, dtype, sp_sizes(x));
}

static double value(double x, double a)
{
    double s = sin(a * x);
    return x + s * s / a;
}

static sp_status snake_forward(sp_call *call)
{
    const double a = ((const snake_attributes *)call->attributes)->a;
    const int64_t n = sp_numel(call->inputs[0]);
    const void *from = sp_const_data(call->inputs[0]);
    void *to = sp_data(call->outputs[0]);
    if (!from || !to) return sp_error_status();
    if (sp_dtype_of(call->inputs[0]) == SP_F64)
        for (int64_t i = 0; i < n; i++) ((double *)to)[i] = value(((const double *)from)[i], a);
    else
        for (int64_t i = 0; i < n; i++) ((float *)to)[i] = (float)value((double)((const float *)from)[i], a);
    sp_data_end(call->outputs[0]);
    return SP_OK;
}

/* Made of operators, so that it can be differentiated again. */
static sp_status snake_backward(sp_grad_call *call)
{
    const double a = ((const snake_attributes *)call->attributes)->a;
    sp_tensor *x = sp_saved_input(call, 0);
    sp_tensor *slope = sp_add_scalar(sp_sin(sp_mul_scalar(x, 2 * a)), 1);
    call->result[0] = sp_mul(call->grads[0], slope);
    return call->result[0] ? SP_OK : sp_error_status();
}

static const sp_op op_snake = {
    .name = "snake",
    .backward_name = "SnakeBackward0",
    .n_inputs = 1,
    .attributes_size = sizeof(snake_attributes),
    .saves = SP_SAVE_INPUT(0),
    .infer = snake_infer,
    .forward = snake_forward,
    .backward = snake_backward,
};

sp_tensor *snake(sp_tensor *x, double a)
{
    sp_tensor *dense = sp_contiguous(x); // forward reads the elements one after another
    return sp_op_apply(&op_snake, &dense, 1, &(snake_attributes){a});
}

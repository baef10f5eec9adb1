/* Gradients that follow from an operator's result y, each in one pass instead of two or three:
 *
 *     relu     g where y > 0, else 0     d/dg: the same of g's gradient      d/dy: 0
 *     sigmoid  g·y·(1 - y)               d/dg: the same of g's gradient      d/dy: h·g·(1 - 2y)
 *     tanh     g·(1 - y²)                d/dg: the same of g's gradient      d/dy: -2·h·g·y
 *
 * h is the gradient of the gradient. They are operators like others, so that they have gradients of their own. */
#include "ops/elementwise.h"

/* A gradient is floating point. */
static sp_status infer_pair(sp_call *call)
{
    sp_dtype dtype = sp__result_type(call->inputs, 2);
    if (!sp_dtype_is_floating_point(dtype)) return sp__refuse_dtype(call, dtype, "");
    return sp__broadcast_output(call, dtype);
}

static sp_tensor *apply_pair(const sp_op *op, sp_tensor *g, sp_tensor *y)
{
    return sp_op_apply(op, (sp_tensor *[]){g, y}, 2, NULL);
}

/* ---- relu ---- */

static sp_status relu_forward(sp_call *call)
{
    return sp__map_call(call, SP__RELU_BACKWARD, NULL);
}

static sp_status relu_backward(sp_grad_call *call)
{
    sp_tensor *h = call->grads[0];
    sp_status status = SP__GIVE(call, 0, sp__relu_backward(h, sp_saved_input(call, 1)));
    return status ? status : SP__GIVE(call, 1, sp_zeros_like(h));
}

sp_tensor *sp__relu_backward(sp_tensor *g, sp_tensor *y)
{
    return apply_pair(&sp__op_relu_backward, g, y);
}

/* ---- sigmoid ---- */

static sp_status sigmoid_forward(sp_call *call)
{
    return sp__map_call(call, SP__SIGMOID_BACKWARD, NULL);
}

static sp_status sigmoid_backward(sp_grad_call *call)
{
    sp_tensor *h = call->grads[0], *g = sp_saved_input(call, 0), *y = sp_saved_input(call, 1);
    sp_status status = SP__GIVE(call, 0, sp__sigmoid_backward(h, y));
    return status ? status : SP__GIVE(call, 1, sp_mul(sp_mul(h, g), sp_rsub_scalar(sp_mul_scalar(y, 2), 1)));
}

sp_tensor *sp__sigmoid_backward(sp_tensor *g, sp_tensor *y)
{
    return apply_pair(&sp__op_sigmoid_backward, g, y);
}

/* ---- tanh ---- */

static sp_status tanh_forward(sp_call *call)
{
    return sp__map_call(call, SP__TANH_BACKWARD, NULL);
}

static sp_status tanh_backward(sp_grad_call *call)
{
    sp_tensor *h = call->grads[0], *g = sp_saved_input(call, 0), *y = sp_saved_input(call, 1);
    sp_status status = SP__GIVE(call, 0, sp__tanh_backward(h, y));
    return status ? status : SP__GIVE(call, 1, sp_mul_scalar(sp_mul(sp_mul(h, g), y), -2));
}

sp_tensor *sp__tanh_backward(sp_tensor *g, sp_tensor *y)
{
    return apply_pair(&sp__op_tanh_backward, g, y);
}

/* ---- records ---- */

SP__SAMPLE(relu_sample, sp__relu_backward(in[0], in[1]));
SP__SAMPLE(sigmoid_sample, sp__sigmoid_backward(in[0], in[1]));
SP__SAMPLE(tanh_sample, sp__tanh_backward(in[0], in[1]));

#define SAMPLES(CALL, TORCH)                                                                                           \
    {                                                                                                                  \
        SP__PAIR(CALL, TORCH, "3 4", "3 4", -2, 2), SP__PAIR(CALL, TORCH, "", "", -2, 2),                              \
            SP__PAIR(CALL, TORCH, "0 3", "0 3", -2, 2), SP__PAIR(CALL, TORCH, "1", "1", -2, 2),                        \
            SP__PAIR(CALL, TORCH, "67", "67", -2, 2),                                                                  \
        {                                                                                                              \
            0                                                                                                          \
        }                                                                                                              \
    }
static const sp_sample relu_samples[] = SAMPLES(relu_sample, "torch.ops.aten.threshold_backward(a, b, 0)");
static const sp_sample sigmoid_samples[] = SAMPLES(sigmoid_sample, "torch.ops.aten.sigmoid_backward(a, b)");
static const sp_sample tanh_samples[] = SAMPLES(tanh_sample, "torch.ops.aten.tanh_backward(a, b)");

const sp_op sp__op_relu_backward = {.name = "relu_backward",
                                    .backward_name = "ThresholdBackwardBackward0",
                                    .n_inputs = 2,
                                    .saves = SP_SAVE_INPUT(1),
                                    .infer = infer_pair,
                                    .forward = relu_forward,
                                    .backward = relu_backward,
                                    .samples = relu_samples};

const sp_op sp__op_sigmoid_backward = {.name = "sigmoid_backward",
                                       .backward_name = "SigmoidBackwardBackward0",
                                       .n_inputs = 2,
                                       .saves = SP_SAVE_INPUTS,
                                       .infer = infer_pair,
                                       .forward = sigmoid_forward,
                                       .backward = sigmoid_backward,
                                       .samples = sigmoid_samples};

const sp_op sp__op_tanh_backward = {.name = "tanh_backward",
                                    .backward_name = "TanhBackwardBackward0",
                                    .n_inputs = 2,
                                    .saves = SP_SAVE_INPUTS,
                                    .infer = infer_pair,
                                    .forward = tanh_forward,
                                    .backward = tanh_backward,
                                    .samples = tanh_samples};

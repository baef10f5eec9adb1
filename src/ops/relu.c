/* ReLU, alone or in one pass with the call that makes its input, where that still waits:
 *
 *     relu  y = max(x, 0), NaN stays      dx = dy where y > 0, else 0
 *
 * What lies between is then never written, unless somebody reads it. */
#include "ops/conv_fused.h"

static const struct {
    const sp_op *inner;
    sp_status (*run)(const sp__deferred *inner, sp_tensor *out);
} fused[] = {
    {&sp__op_linear, sp__linear_relu},
    {&sp__op_conv2d, sp__conv2d_relu},
};
enum { N_FUSED = sizeof fused / sizeof *fused };

/* x's waiting call, held, and which row of the table fuses it; NULL when none does. */
static sp__deferred *inner_call(const sp_tensor *x, int *row)
{
    sp__deferred *inner = NULL;
    for (*row = 0; *row < N_FUSED && !(inner = sp__waiting(x, fused[*row].inner)); ++*row) continue;
    return inner;
}

static bool relu_waits(const sp_call *call)
{
    int row;
    sp__deferred *inner = inner_call(call->inputs[0], &row);
    sp__deferred_drop(inner);
    return inner != NULL;
}

static sp_status relu_forward(sp_call *call)
{
    int row;
    sp__deferred *inner = inner_call(call->inputs[0], &row);
    if (!inner) return sp__map_tensors(SP__RELU, call->outputs[0], call->inputs, 1, call->inputs[0]->dtype, NULL);
    sp_status status = fused[row].run(inner, call->outputs[0]);
    sp__deferred_drop(inner);
    return status;
}

static sp_status relu_backward(sp_grad_call *call)
{
    sp_tensor *y = sp_saved_output(call, 0);
    return y ? SP__GIVE(call, 0, sp__relu_backward(call->grads[0], y)) : sp_error_status();
}

sp_tensor *sp_relu(sp_tensor *x)
{
    return sp_op_apply(&sp__op_relu, &x, 1, NULL);
}

SP__SAMPLE(relu_sample, sp_relu(in[0]));
static const sp_sample samples[] = {SP__UNARY_SAMPLES(relu_sample, "torch.relu(a)", -2, 2), {0}};

const sp_op sp__op_relu = {.name = "relu",
                           .backward_name = "ReluBackward0",
                           .n_inputs = 1,
                           .saves = SP_SAVE_OUTPUT(0),
                           .infer = sp__infer_number,
                           .forward = relu_forward,
                           .backward = relu_backward,
                           .samples = samples,
                           .chains = sp__relu_chains,
                           .waits = relu_waits,
                           .reads_waiting = true};

/* Gradients of activations in one pass over g and x: the formulas stand at the head of activation.c. Only where the
 * gradient is recorded (create_graph) is it made of operators instead, so this one has no gradient of its own. */
#include "ops/elementwise.h"
#include <string.h>

typedef struct slope {
    sp__map_kind kind;
    double params[2];
} slope;

/* In x's dtype and layout, whatever g's are. */
static sp_status activation_backward_infer(sp_call *call)
{
    const sp_tensor *g = call->inputs[0], *x = call->inputs[1];
    if (!sp_dtype_is_floating_point(x->dtype)) return sp__refuse_dtype(call, x->dtype, "");
    const bool fits = g->ndim == x->ndim && !memcmp(g->sizes, x->sizes, (size_t)x->ndim * sizeof *x->sizes);
    if (!fits)
        return sp_raise(SP_ERROR_SHAPE, "sp_%s: %s is no gradient of %s", call->op->name, sp__shape_of(g),
                        sp__shape_of(x));
    return sp_call_output_like(call, 0, x->dtype, (sp_dims){x->sizes, x->ndim}, x);
}

static sp_status activation_backward_forward(sp_call *call)
{
    const slope *s = call->attributes;
    return sp__map_tensors(s->kind, call->outputs[0], call->inputs, 2, call->inputs[1]->dtype, s->params);
}

sp_tensor *sp__activation_backward(sp_tensor *g, sp_tensor *x, sp__map_kind kind, double p, double q)
{
    return sp_op_apply(&sp__op_activation_backward, (sp_tensor *[]){g, x}, 2, &(slope){kind, {p, q}});
}

SP__SAMPLE(gelu_sample, sp__activation_backward(in[0], in[1], SP__GELU_BACKWARD, 0, 0));
SP__SAMPLE(gelu_tanh_sample, sp__activation_backward(in[0], in[1], SP__GELU_TANH_BACKWARD, 0, 0));
SP__SAMPLE(silu_sample, sp__activation_backward(in[0], in[1], SP__SILU_BACKWARD, 0, 0));
SP__SAMPLE(softplus_sample, sp__activation_backward(in[0], in[1], SP__SOFTPLUS_BACKWARD, 2, 1));
SP__SAMPLE(leaky_relu_sample, sp__activation_backward(in[0], in[1], SP__LEAKY_RELU_BACKWARD, 0.2, 0));
SP__SAMPLE(elu_sample, sp__activation_backward(in[0], in[1], SP__ELU_BACKWARD, 1.7, 0));

#define SAMPLES(CALL, TORCH) SP__PAIR(CALL, TORCH, "3 4", "3 4", -4, 4), SP__PAIR(CALL, TORCH, "67", "67", -4, 4)
#define TORCH_GRAD(call) "(lambda x: torch.autograd.grad(" call ", x, a)[0])(b.detach().requires_grad_())"
/* PyTorch's bf16 has special numbers of its own here. */
#define SAMPLE_F32(CALL, TORCH)                                                                                        \
    {                                                                                                                  \
        CALL, TORCH,                                                                                                   \
        {                                                                                                              \
            {"67", -4, 4, .dtype = SP_F32},                                                                            \
            {                                                                                                          \
                "67", -4, 4, .dtype = SP_F32                                                                           \
            }                                                                                                          \
        }                                                                                                              \
    }

const sp_op sp__op_activation_backward = {
    .name = "activation_backward",
    .n_inputs = 2,
    .attributes_size = sizeof(slope),
    .infer = activation_backward_infer,
    .forward = activation_backward_forward,
    .samples = (const sp_sample[]){SAMPLES(gelu_sample, TORCH_GRAD("F.gelu(x)")),
                                   SAMPLES(gelu_tanh_sample, TORCH_GRAD("F.gelu(x, approximate='tanh')")),
                                   SAMPLES(leaky_relu_sample, TORCH_GRAD("F.leaky_relu(x, 0.2)")),
                                   SP__PAIR(elu_sample, TORCH_GRAD("F.elu(x, 1.7)"), "3 4", "3 4", -4, 4),
                                   SAMPLE_F32(silu_sample, TORCH_GRAD("F.silu(x)")),
                                   SAMPLE_F32(softplus_sample, TORCH_GRAD("F.softplus(x, 2, 1)")),
                                   {0}},
};

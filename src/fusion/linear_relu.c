/* linear → relu: ReLU at the end of the product, Y = max(X·Wᵀ + b, 0). Its gradients are those of the two operators. */
#include "fusion/fusion.h"
#include "ops/products.h"

/* In training the weight is written after each step. If somebody still holds the result then, the weight is copied. That
 * costs more than the pass that fusing saves, unless the batch is large. */
bool sp__linear_relu_pays(const sp_call *linear)
{
    const sp_tensor *weight = linear->inputs[1], *out = linear->outputs[0];
    const int64_t written = sp__product(2, out->sizes), copied = sp__product(2, weight->sizes);
    return written >= 4096 && (!sp_grad_enabled() || written >= 4 * copied);
}

sp_status sp__linear_relu_forward(const sp_call *calls, bool *taken)
{
    sp__operand bias;
    const sp_tensor *out = calls[1].outputs[0];
    sp__gemm gemm = sp__linear_call(calls[0].inputs, out, &bias);
    gemm.relu = true;
    *taken = true;
    return sp__backend_for(out)->gemm(&gemm);
}

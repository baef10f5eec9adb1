/* conv2d → relu: ReLU at the end of the convolution, and its gradients where ReLU let something through. */
#include "fusion/conv_tail.h"

bool sp__conv_relu_pays(const sp_call *conv)
{
    const sp_tensor *y = conv->outputs[0];
    return (y->dtype == SP_F32 || y->dtype == SP_BF16) && sp__product(y->ndim, y->sizes) >= 4096;
}

/* Where the backend has no such pass, ReLU follows in the same memory. */
sp_status sp__conv_relu_forward(const sp_call *calls, bool *taken)
{
    sp__operand bias;
    sp_tensor *out = calls[1].outputs[0];
    sp__conv call = sp__conv_into(&calls[0], out, &bias);
    const sp__conv_tail tail = {.relu = true, .pool = {1, 1}, .y = call.y};
    const sp__backend *backend = sp__backend_for(out);
    *taken = true;
    call.tail = &tail;
    if (sp__conv_takes(&call, out)) return backend->conv(&call);
    call.tail = NULL;
    sp_status status = backend->conv(&call);
    return status ? status : sp__map_tensors(SP__RELU, out, &out, 1, out->dtype, NULL);
}

sp_status sp__conv_relu_backward(sp_grad_call *calls, bool *taken)
{
    const sp__conv_tail tail = {.relu = true, .pool = {1, 1}};
    return sp__conv_tail_backward(&calls[0], &calls[1], &tail, taken);
}

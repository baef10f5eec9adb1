/* conv2d → relu → max_pool2d: the maxima of windows side by side, and their places, at the end of the convolution. Its
 * sums are never written. */
#include "fusion/conv_tail.h"
#include "ops/max_pool.h"

/* Windows side by side, without padding or gaps, of few places. */
static bool is_tiling(const sp__pool_windows *a)
{
    for (int d = 0; d < 2; d++)
        if (a->stride.v[d] != a->kernel.v[d] || a->padding.v[d] != 0 || a->dilation.v[d] != 1) return false;
    return !a->ceil_mode && a->kernel.v[0] * a->kernel.v[1] <= 16;
}

static sp__conv_tail tail_of(const sp__pool_windows *a, const sp_tensor *where)
{
    return (sp__conv_tail){.relu = true, .pool = {a->kernel.v[0], a->kernel.v[1]}, .where = sp__operand_of(where)};
}

sp_status sp__conv_relu_pool_forward(const sp_call *calls, bool *taken)
{
    sp__operand bias;
    const sp_call *pool = &calls[2];
    sp_tensor *y = pool->outputs[0];
    if (!is_tiling(pool->attributes)) return SP_OK;
    sp__conv call = sp__conv_into(&calls[0], y, &bias);
    sp__conv_tail tail = tail_of(pool->attributes, pool->outputs[1]);
    tail.y = call.y;
    call.tail = &tail;
    *taken = sp__conv_takes(&call, y);
    return *taken ? sp__backend_for(y)->conv(&call) : SP_OK;
}

sp_status sp__conv_relu_pool_backward(sp_grad_call *calls, bool *taken)
{
    sp_grad_call *pool = &calls[2];
    if (!is_tiling(pool->attributes)) return SP_OK;
    const sp_tensor *where = sp_saved_output(pool, 1);
    if (!where) return sp_error_status();
    const sp__conv_tail tail = tail_of(pool->attributes, where);
    return sp__conv_tail_backward(&calls[0], pool, &tail, taken);
}

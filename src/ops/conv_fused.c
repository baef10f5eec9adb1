/* A convolution with what follows it, ReLU and perhaps the maxima of windows side by side, in one pass forward; and the
 * gradients of such a run, which are sparse: behind a maximum of 2×2 at most one place in four has one. */
#include "ops/conv_fused.h"
#include "ops/conv.h"

/* ---- forward ---- */

static bool takes(const sp__conv *call, const sp_tensor *x)
{
    const sp__backend *backend = sp__backend_for(x);
    return backend->conv_takes && backend->conv_takes(call);
}

bool sp__conv2d_waits(const sp_call *call)
{
    const sp_tensor *y = call->outputs[0];
    return (y->dtype == SP_F32 || y->dtype == SP_BF16) && sp__product(y->ndim, y->sizes) >= 4096;
}

static sp__conv waiting_call(const sp__deferred *conv, const sp_tensor *y, sp__operand *bias)
{
    sp_tensor *const *in = conv->inputs;
    return sp__conv_call(SP__CONV_FORWARD, sp__deferred_attributes(conv), in[0], in[1], y, in[2], bias);
}

sp_status sp__conv2d_relu(const sp__deferred *conv, sp_tensor *out)
{
    sp__operand bias;
    sp__conv call = waiting_call(conv, out, &bias);
    const sp__conv_tail tail = {.relu = true, .pool = {1, 1}, .y = call.y};
    const sp__backend *backend = sp__backend_for(out);
    call.tail = &tail;
    if (takes(&call, out)) return backend->conv(&call);
    call.tail = NULL;
    sp_status status = backend->conv(&call);
    return status ? status : sp__map_tensors(SP__RELU, out, &out, 1, out->dtype, NULL);
}

static sp_status run_pooled(const sp__deferred *conv, sp__pair window, sp_tensor *y, sp_tensor *where, bool *done)
{
    sp__operand bias;
    sp_status status = sp__ready_all(conv->inputs, conv->n_inputs);
    if (status) return status;
    sp__conv call = waiting_call(conv, y, &bias);
    const sp__conv_tail tail = {
        .relu = true, .pool = {window.v[0], window.v[1]}, .y = call.y, .where = sp__operand_of(where)};
    call.tail = &tail;
    *done = takes(&call, y);
    return *done ? sp__backend_for(y)->conv(&call) : SP_OK;
}

sp_status sp__conv2d_relu_pool(const sp_tensor *x, sp__pair window, sp_tensor *y, sp_tensor *where, bool *done)
{
    *done = false;
    sp__deferred *relu = x->ndim == 4 ? sp__waiting(x, &sp__op_relu) : NULL;
    sp__deferred *conv = relu ? sp__waiting(relu->inputs[0], &sp__op_conv2d) : NULL;
    sp_status status = conv ? run_pooled(conv, window, y, where, done) : SP_OK;
    sp__deferred_drop(conv);
    sp__deferred_drop(relu);
    return status;
}

/* ---- backward ---- */

/* What the gradients of a convolution with its tail read. */
typedef struct run {
    sp_grad_call *conv; /* of the convolution: it gets the results */
    const sp__conv_geometry *g;
    sp_tensor *x, *w, *y, *grad;
    sp__conv_tail tail;
} run;

/* The gradient arranged as y, with its channels innermost. */
static sp_tensor *arranged(sp_tensor *grad, const sp_tensor *y)
{
    bool same = true;
    for (int d = 0; d < y->ndim; d++) same &= y->sizes[d] == 1 || grad->strides[d] == y->strides[d];
    if (same) return grad;
    sp_tensor *copy = sp_empty_as(y, y->dtype);
    return copy && !sp__copy_values(copy, grad) ? copy : NULL;
}

/* last: the call whose output is y, behind the ReLU. */
static sp_status read_run(run *r, sp_grad_call *conv, sp_grad_call *last)
{
    *r = (run){.conv = conv, .g = conv->attributes, .tail = {.relu = true, .pool = {1, 1}}};
    r->x = sp_saved_input(conv, 0);
    r->w = sp_saved_input(conv, 1);
    r->y = sp_saved_output(last, 0);
    r->grad = last->grads[0];
    if (!r->x || !r->w || !r->y || sp__ready_all((sp_tensor *[]){r->x, r->w, r->y, r->grad}, 4))
        return sp_error_status();
    r->tail.y = sp__operand_of(r->y);
    return SP_OK;
}

static sp__conv gradient_call(const run *r, sp__conv_kind kind, const sp_tensor *x, const sp_tensor *w,
                              const sp_tensor *bias, sp__operand *bias_operand)
{
    sp__conv call = sp__conv_call(kind, r->g, x, w, r->y, bias, bias_operand);
    call.tail = &r->tail;
    return call;
}

/* Whether the backend has what is wanted of the run: the weight's gradient, and perhaps x's. */
static bool run_suits(run *r)
{
    sp__operand unused;
    if (!r->conv->needed[1] || r->x->ndim != 4 || r->y->ndim != 4 || r->grad->dtype != r->y->dtype) return false;
    r->tail.grad = r->tail.y; /* it will be arranged so */
    const sp__conv weight = gradient_call(r, SP__CONV_BACKWARD_WEIGHT, r->x, r->w, NULL, &unused);
    const sp__conv data = gradient_call(r, SP__CONV_BACKWARD_DATA, r->x, r->w, NULL, &unused);
    return takes(&weight, r->x) && (!r->conv->needed[0] || takes(&data, r->x));
}

/* All that is wanted, in one call. */
static sp_status give_gradients(run *r)
{
    sp__operand bias_operand, unused;
    const bool *needed = r->conv->needed;
    sp_tensor *weight = sp_empty_as(r->w, r->w->dtype), *x = NULL, *bias = NULL;
    if (weight && needed[0]) x = sp_empty_as(r->x, r->x->dtype);
    if (weight && needed[2]) bias = sp__tensor_empty(weight->dtype, weight->device, 1, &r->g->out);
    if (!weight || (needed[0] && !x) || (needed[2] && !bias)) return sp_error_status();
    sp__conv call = gradient_call(r, SP__CONV_BACKWARD_WEIGHT, r->x, weight, bias, &bias_operand);
    sp__conv_data data;
    if (x) {
        const sp__conv images = gradient_call(r, SP__CONV_BACKWARD_DATA, x, r->w, NULL, &unused);
        data = (sp__conv_data){images.x, images.w};
        call.data = &data;
    }
    r->conv->result[0] = x;
    r->conv->result[1] = weight;
    r->conv->result[2] = bias;
    return sp__backend_for(weight)->conv(&call);
}

static sp_status run_backward(run *r, bool *taken)
{
    *taken = run_suits(r);
    if (!*taken) return SP_OK;
    sp_tensor *grad = arranged(r->grad, r->y);
    if (!grad) return sp_error_status();
    r->tail.grad = sp__operand_of(grad);
    return give_gradients(r);
}

static sp_status backward_behind_relu(sp_grad_call *calls, bool *taken)
{
    run r;
    sp_status status = read_run(&r, &calls[1], &calls[0]);
    return status ? status : run_backward(&r, taken);
}

static sp_status backward_behind_pool(sp_grad_call *calls, bool *taken)
{
    run r;
    sp__pair window;
    if (!sp__pool_is_tiling(calls[0].attributes, &window)) return SP_OK;
    const sp_tensor *where = sp_saved_output(&calls[0], 1);
    if (!where || read_run(&r, &calls[2], &calls[0])) return sp_error_status();
    r.tail.where = sp__operand_of(where);
    memcpy(r.tail.pool, window.v, sizeof window.v);
    return run_backward(&r, taken);
}

const sp__chain sp__max_pool2d_chains[] = {
    {{&sp__op_relu, &sp__op_conv2d}, backward_behind_pool},
    {{0}, NULL},
};
const sp__chain sp__relu_chains[] = {
    {{&sp__op_conv2d}, backward_behind_relu},
    {{0}, NULL},
};

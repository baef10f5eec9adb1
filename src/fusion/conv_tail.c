/* A convolution's calls with a tail. */
#include "fusion/conv_tail.h"

/* ---- forward ---- */

bool sp__conv_takes(const sp__conv *call, const sp_tensor *x)
{
    const sp__backend *backend = sp__backend_for(x);
    return backend->conv_takes && backend->conv_takes(call);
}

sp__conv sp__conv_into(const sp_call *conv, const sp_tensor *y, sp__operand *bias)
{
    sp_tensor *const *in = conv->inputs;
    return sp__conv_call(SP__CONV_FORWARD, conv->attributes, in[0], in[1], y, in[2], bias);
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

static sp_status read_run(run *r, sp_grad_call *conv, sp_grad_call *last, const sp__conv_tail *tail)
{
    *r = (run){.conv = conv, .g = conv->attributes, .tail = *tail};
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
    if (!r->conv->needed[1] || r->grad->dtype != r->y->dtype) return false;
    r->tail.grad = r->tail.y; /* it will be arranged so */
    const sp__conv weight = gradient_call(r, SP__CONV_BACKWARD_WEIGHT, r->x, r->w, NULL, &unused);
    const sp__conv data = gradient_call(r, SP__CONV_BACKWARD_DATA, r->x, r->w, NULL, &unused);
    return sp__conv_takes(&weight, r->x) && (!r->conv->needed[0] || sp__conv_takes(&data, r->x));
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

sp_status sp__conv_tail_backward(sp_grad_call *conv, sp_grad_call *last, const sp__conv_tail *tail, bool *taken)
{
    run r;
    if (read_run(&r, conv, last, tail)) return sp_error_status();
    *taken = run_suits(&r);
    if (!*taken) return SP_OK;
    sp_tensor *grad = arranged(r.grad, r.y);
    if (!grad) return sp_error_status();
    r.tail.grad = sp__operand_of(grad);
    return give_gradients(&r);
}

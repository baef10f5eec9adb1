/* batch_norm → relu and batch_norm → add → relu: the addition and ReLU in the pass that normalises, and their gradients
 * in the passes of its own. What ReLU let through is computed again from x, or, behind an addition, read from its
 * result. */
#include "fusion/fusion.h"
#include "ops/norm.h"
#include "ops/ops.h"
#include <string.h>

bool sp__norm_relu_pays(const sp_call *norm)
{
    const sp_tensor *y = norm->outputs[0];
    return sp__product(y->ndim, y->sizes) >= 4096;
}

/* ---- forward ---- */

sp_status sp__norm_relu_forward(const sp_call *calls, bool *taken)
{
    const sp__norm_tail tail = {.relu = true};
    return sp__norm_run(&calls[0], calls[1].outputs[0], &tail, taken);
}

static bool fits(const sp_tensor *x, const sp_tensor *y)
{
    return x->dtype == y->dtype && x->ndim == y->ndim &&
           !memcmp(x->sizes, y->sizes, (size_t)y->ndim * sizeof *y->sizes);
}

sp_status sp__norm_add_relu_forward(const sp_call *calls, bool *taken)
{
    const sp_tensor *y = calls[2].outputs[0];
    const sp__norm_tail tail = {.relu = true, .add = calls[1].inputs[1]};
    const bool suits = fits(calls[0].inputs[0], y) && fits(tail.add, y);
    return suits ? sp__norm_run(&calls[0], y, &tail, taken) : SP_OK;
}

/* ---- backward ---- */

/* What batch_norm's gradients read: inputs of its backward; and all that they write. */
typedef struct run {
    sp__norm_attributes attributes;
    sp_tensor *inputs[6];
    sp_tensor *results[3];
} run;

static sp_tensor *saved_or_none(sp_grad_call *norm, int i)
{
    return sp_input_sizes(norm, i).n ? sp_saved_input(norm, i) : SP_NONE;
}

static sp_status read_run(run *r, sp_grad_call *norm, sp_tensor *grad)
{
    r->attributes = *(const sp__norm_attributes *)norm->attributes;
    sp_tensor *x = sp_saved_input(norm, 0);
    sp_tensor *const inputs[] = {grad,
                                 x,
                                 saved_or_none(norm, 1),
                                 sp_saved_input(norm, 3),
                                 sp_saved_input(norm, 4),
                                 r->attributes.own ? SP_NONE : x};
    memcpy(r->inputs, inputs, sizeof inputs);
    for (int i = 0; i < 6; i++)
        if (!inputs[i]) return sp_error_status();
    for (int i = 0; i < 3; i++) r->attributes.needed[i] = norm->needed[i];
    return sp__ready_all(inputs, 6);
}

static sp_status make_results(run *r)
{
    sp_tensor *x = r->inputs[1], *weight = r->inputs[2];
    const sp_dtype kept = sp__is_none(weight) ? x->dtype : weight->dtype;
    bool whole = true;
    for (int i = 0; i < 3; i++) {
        const int64_t groups = r->attributes.needed[i] ? x->sizes[1] : 0;
        r->results[i] = i == 0 && groups ? sp_empty_as(x, x->dtype) : sp__tensor_empty(kept, x->device, 1, &groups);
        whole &= r->results[i] != NULL;
    }
    return whole ? SP_OK : sp_error_status();
}

static sp_status give_gradients(sp_grad_call *norm, sp_tensor *grad, const sp__norm_tail *tail, bool *taken)
{
    run r;
    if (read_run(&r, norm, grad)) return sp_error_status();
    if (grad->dtype != r.inputs[1]->dtype) return SP_OK;
    if (make_results(&r)) return sp_error_status();
    sp_call call = {.inputs = r.inputs, .n_inputs = 6, .attributes = &r.attributes, .n_outputs = 3};
    for (int i = 0; i < 3; i++) call.outputs[i] = r.results[i];
    const sp_status status = sp__norm_run_backward(&call, tail, taken);
    for (int i = 0; i < 3; i++)
        if (norm->needed[i]) norm->result[i] = r.results[i];
    return status;
}

sp_status sp__norm_relu_backward(sp_grad_call *calls, bool *taken)
{
    const sp_tensor *bias = saved_or_none(&calls[0], 2);
    const sp__norm_tail tail = {.relu = true, .bias = sp__is_none(bias) ? NULL : bias};
    return bias ? give_gradients(&calls[0], calls[1].grads[0], &tail, taken) : sp_error_status();
}

sp_status sp__norm_add_relu_backward(sp_grad_call *calls, bool *taken)
{
    sp_grad_call *add = &calls[1];
    sp_tensor *out = sp_saved_output(&calls[2], 0), *dadd = NULL;
    const sp_dims sizes = sp_input_sizes(add, 1);
    if (!out || sp__ready(out)) return sp_error_status();
    if (sizes.n != out->ndim || memcmp(sizes.data, out->sizes, (size_t)sizes.n * sizeof *sizes.data) != 0) return SP_OK;
    if (add->needed[1] && !(dadd = sp_empty_as(out, out->dtype))) return sp_error_status();
    const sp__norm_tail tail = {.relu = true, .out = out, .dadd = dadd};
    const sp_status status = give_gradients(&calls[0], add->grads[0], &tail, taken);
    if (*taken) add->result[1] = dadd;
    return status;
}

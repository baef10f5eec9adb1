/* Convolution of images, in groups of channels, and what its gradients are made of:
 *
 *     conv2d            y[n,o,p] = bias[o] + Σ_{i,t} x[n,i,p·stride - padding + t·dilation]·w[o,i,t]
 *     conv_transpose2d  x[n,i,q] = bias[i] + Σ y[n,o,p]·w[o,i,t] over all p, t that meet q
 *     conv2d_weight     w[o,i,t] = Σ y[n,o,p]·x[n,i,p·stride - padding + t·dilation], and Σ y[n,o,p] for the bias
 *
 * p, q, t stand for height and width. Each is linear in both operands, and each one's gradients are the two others:
 *
 *     conv2d            dx = conv_transpose2d(dy, w)    dw, db = conv2d_weight(x, dy)
 *     conv_transpose2d  dy = conv2d(dx, w)              dw = conv2d_weight(dx, y)      db = Σ dx over images and places
 *     conv2d_weight     dx = conv_transpose2d(y, dw)    dy = conv2d(x, dw, db)
 *
 * so gradients of gradients end nowhere. All three share one geometry, which is the plain convolution's. Results lie
 * with their channels innermost; a weight's gradient lies as the weight. Source: Dumoulin and Visin, "A guide to
 * convolution arithmetic for deep learning", arXiv 1603.07285; PyTorch, torch.nn.functional.conv2d. */
#include "ops/conv.h"
#include <string.h>

/* ---- infer ---- */

static sp_status check_bias(const sp_call *call, const sp_tensor *bias, int64_t channels)
{
    if (bias->ndim == 1 && bias->sizes[0] == channels) return SP_OK;
    return sp_raise(SP_ERROR_SHAPE, "sp_%s: a bias for %lld channels has shape [%lld], not %s", call->op->name,
                    (long long)channels, (long long)channels, sp__shape_of(bias));
}

/* The operands are floating point of one dtype; input 2, where there is one, is a bias for so many channels. */
static sp_status check_operands(const sp_call *call, int64_t channels)
{
    const sp_dtype dtype = call->inputs[0]->dtype;
    if (!sp_dtype_is_floating_point(dtype)) return sp__refuse_dtype(call, dtype, "; sp_cast(x, SP_F32) first");
    for (int i = 1; i < call->n_inputs; i++) {
        const sp_tensor *x = call->inputs[i];
        if (!sp__is_none(x) && x->dtype != dtype)
            return sp_raise(SP_ERROR_DTYPE, "sp_%s: images of %s and a %s of %s: cast one of them", call->op->name,
                            sp_dtype_name(dtype), i == 2 ? "bias" : "weight", sp_dtype_name(x->dtype));
    }
    const bool biased = call->n_inputs > 2 && !sp__is_none(call->inputs[2]);
    return biased ? check_bias(call, call->inputs[2], channels) : SP_OK;
}

static sp_status images_infer(sp_call *call, int64_t channels, sp__pair size)
{
    const sp_tensor *x = call->inputs[0];
    if (check_operands(call, channels)) return sp_error_status();
    const sp_dims dims = SP_DIMS(x->sizes[0], channels, size.v[0], size.v[1]);
    return sp_call_output_channels_last(call, 0, x->dtype, dims);
}

static sp_status conv2d_infer(sp_call *call)
{
    const sp__conv_geometry *g = call->attributes;
    return images_infer(call, g->out, g->out_size);
}

static sp_status conv_transpose2d_infer(sp_call *call)
{
    const sp__conv_geometry *g = call->attributes;
    return images_infer(call, g->in, g->size);
}

/* Input i has the batch of input 0, these channels and this size. */
static sp_status check_images(const sp_call *call, int i, int64_t channels, sp__pair size)
{
    const sp_tensor *x = call->inputs[i], *first = call->inputs[0];
    const bool fits = x->ndim == 4 && x->sizes[0] == first->sizes[0] && x->sizes[1] == channels &&
                      x->sizes[2] == size.v[0] && x->sizes[3] == size.v[1];
    if (fits) return SP_OK;
    return sp_raise(SP_ERROR_SHAPE, "sp_%s: shape %s is not that of %lld channels of %lld by %lld", call->op->name,
                    sp__shape_of(x), (long long)channels, (long long)size.v[0], (long long)size.v[1]);
}

static sp_status conv2d_weight_infer(sp_call *call)
{
    const sp__conv_geometry *g = call->attributes;
    const sp_dtype dtype = call->inputs[0]->dtype;
    if (check_operands(call, 0) || check_images(call, 0, g->in, g->size) || check_images(call, 1, g->out, g->out_size))
        return sp_error_status();
    const sp_dims dims = SP_DIMS(g->out, g->in / g->groups, g->kernel.v[0], g->kernel.v[1]);
    sp_status status = sp_call_output(call, 0, dtype, dims);
    if (!status && g->laid_out) memcpy(call->outputs[0]->strides, g->strides, sizeof g->strides);
    return status ? status : sp_call_output(call, 1, dtype, SP_DIMS(g->bias ? g->out : 0));
}

/* ---- forward ---- */

sp__conv sp__conv_call(sp__conv_kind kind, const sp__conv_geometry *g, const sp_tensor *x, const sp_tensor *w,
                       const sp_tensor *y, const sp_tensor *bias, sp__operand *bias_operand)
{
    sp__conv call = {.kind = kind, .dtype = x->dtype, .batch = x->sizes[0]};
    call.groups = g->groups;
    call.in = g->in;
    call.out = g->out;
    memcpy(call.size, g->size.v, sizeof call.size);
    memcpy(call.out_size, g->out_size.v, sizeof call.out_size);
    memcpy(call.kernel, g->kernel.v, sizeof call.kernel);
    memcpy(call.stride, g->stride.v, sizeof call.stride);
    memcpy(call.padding, g->padding.v, sizeof call.padding);
    memcpy(call.dilation, g->dilation.v, sizeof call.dilation);
    call.x = sp__operand_of(x);
    call.w = sp__operand_of(w);
    call.y = sp__operand_of(y);
    if (bias && !sp__is_none(bias)) {
        *bias_operand = sp__operand_of(bias);
        call.bias = bias_operand;
    }
    return call;
}

static sp_status run(sp__conv_kind kind, const sp__conv_geometry *g, const sp_tensor *x, const sp_tensor *w,
                     const sp_tensor *y, const sp_tensor *bias)
{
    sp__operand bias_operand;
    const sp__conv call = sp__conv_call(kind, g, x, w, y, bias, &bias_operand);
    return sp__backend_for(x)->conv(&call);
}

static sp_status conv2d_forward(sp_call *call)
{
    sp_tensor *const *in = call->inputs;
    return run(SP__CONV_FORWARD, call->attributes, in[0], in[1], call->outputs[0], in[2]);
}

static sp_status conv_transpose2d_forward(sp_call *call)
{
    sp_tensor *const *in = call->inputs;
    return run(SP__CONV_BACKWARD_DATA, call->attributes, call->outputs[0], in[1], in[0], in[2]);
}

static sp_status conv2d_weight_forward(sp_call *call)
{
    const sp__conv_geometry *g = call->attributes;
    sp_tensor *const *in = call->inputs;
    return run(SP__CONV_BACKWARD_WEIGHT, g, in[0], call->outputs[0], in[1], g->bias ? call->outputs[1] : NULL);
}

/* ---- backward ---- */

static sp_tensor *apply(const sp_op *op, sp_tensor *images, sp_tensor *weight, sp_tensor *bias,
                        const sp__conv_geometry *g)
{
    return sp_op_apply(op, (sp_tensor *[]){images, weight, bias}, 3, g);
}

static sp_tensor *sum_of_channels(sp_tensor *images)
{
    return (sp_sum_dims)(images, SP_DIMS(0, 2, 3), NULL);
}

/* Results 1 and 2, where they are wanted: the gradients of a weight that lies as `w`, and of a bias added to y. */
static sp_status give_weight(sp_grad_call *call, sp_tensor *x, sp_tensor *y, const sp_tensor *w, bool bias)
{
    sp__conv_geometry g = *(const sp__conv_geometry *)call->attributes;
    sp_tensor *out[2] = {0};
    g.bias = bias && call->needed[2];
    g.laid_out = sp_is_dense(w);
    memcpy(g.strides, w->strides, sizeof g.strides);
    sp_status status = sp_op_apply_n(out, &sp__op_conv2d_weight, (sp_tensor *[]){x, y}, 2, &g);
    call->result[1] = out[0];
    if (g.bias) call->result[2] = out[1];
    return status;
}

static sp_status conv2d_backward(sp_grad_call *call)
{
    sp_tensor *grad = call->grads[0], *x = sp_saved_input(call, 0), *w = sp_saved_input(call, 1);
    if (!x || !w) return sp_error_status();
    if (call->needed[0]) call->result[0] = apply(&sp__op_conv_transpose2d, grad, w, SP_NONE, call->attributes);
    if (call->needed[1]) return give_weight(call, x, grad, w, true);
    if (call->needed[2]) call->result[2] = sum_of_channels(grad);
    return SP_OK;
}

static sp_status conv_transpose2d_backward(sp_grad_call *call)
{
    sp_tensor *grad = call->grads[0], *y = sp_saved_input(call, 0), *w = sp_saved_input(call, 1);
    if (!y || !w) return sp_error_status();
    if (call->needed[0]) call->result[0] = apply(&sp__op_conv2d, grad, w, SP_NONE, call->attributes);
    if (call->needed[2]) call->result[2] = sum_of_channels(grad);
    return call->needed[1] ? give_weight(call, grad, y, w, false) : SP_OK;
}

/* Either output may be without a gradient. */
static sp_status conv2d_weight_backward(sp_grad_call *call)
{
    sp_tensor *dw = call->grads[0], *db = call->grads[1];
    sp_tensor *x = sp_saved_input(call, 0), *y = sp_saved_input(call, 1);
    if (!x || !y) return sp_error_status();
    if (call->needed[0])
        call->result[0] = dw ? apply(&sp__op_conv_transpose2d, y, dw, SP_NONE, call->attributes) : sp_zeros_like(x);
    if (call->needed[1] && dw)
        call->result[1] = apply(&sp__op_conv2d, x, dw, db ? db : SP_NONE, call->attributes);
    else if (call->needed[1])
        call->result[1] = (sp_expand)(sp_view(db, -1, 1, 1), sp_sizes(y));
    return SP_OK;
}

/* ---- records ---- */

SP__SAMPLE(plain, sp_conv2d(in[0], in[1], in[2]));
SP__SAMPLE(padded, sp_conv2d(in[0], in[1], in[2], .padding = 1));
SP__SAMPLE(strided, sp_conv2d(in[0], in[1], SP_NONE, .stride_hw = {2, 3}, .padding_hw = {0, 2}));
SP__SAMPLE(dilated, sp_conv2d(in[0], in[1], in[2], .dilation_hw = {2, 1}, .padding = 2, .stride = 2));
SP__SAMPLE(grouped, sp_conv2d(in[0], in[1], in[2], .groups = 2, .padding = 1));
SP__SAMPLE(same, sp_conv2d(in[0], in[1], in[2], .same = true));
SP__SAMPLE(transposed, sp_conv_transpose2d(in[0], in[1], in[2]));
SP__SAMPLE(transposed_strided, sp_conv_transpose2d(in[0], in[1], in[2], .stride = 2));
SP__SAMPLE(transposed_all, sp_conv_transpose2d(in[0], in[1], SP_NONE, .stride_hw = {3, 2}, .padding_hw = {1, 0},
                                               .output_padding_hw = {2, 1}, .dilation_hw = {1, 2}, .groups = 2));

/* Of two images and their gradient. */
static sp_tensor *call_weight(sp_tensor *const *in)
{
    const sp__conv_geometry g = {.stride = {{2, 1}},
                                 .padding = {{1, 0}},
                                 .dilation = {{1, 2}},
                                 .size = {{5, 6}},
                                 .out_size = {{3, 2}},
                                 .kernel = {{2, 3}},
                                 .in = 4,
                                 .out = 6,
                                 .groups = 2};
    return sp_op_apply(&sp__op_conv2d_weight, in, 2, &g);
}

const sp_op sp__op_conv2d = {
    .name = "conv2d",
    .autocast = SP_CAST_LOWER,
    .backward_name = "ConvolutionBackward0",
    .n_inputs = 3,
    .optional = 1u << 2,
    .attributes_size = sizeof(sp__conv_geometry),
    .saves = SP_SAVE_INPUT(0) | SP_SAVE_INPUT(1),
    .infer = conv2d_infer,
    .forward = conv2d_forward,
    .backward = conv2d_backward,
    .samples =
        (const sp_sample[]){
            {plain, "F.conv2d(a, b, c)", {{"2 3 4 5"}, {"4 3 3 2"}, {"4"}}},
            {padded, "F.conv2d(a, b, c, padding=1)", {{"1 1 5 5"}, {"2 1 3 3"}, {"2"}}},
            {padded, "F.conv2d(a, b, c, padding=1)", {{"3 1 1"}, {"2 3 3 3"}, {"2"}}},
            {padded, "F.conv2d(a, b, c, padding=1)", {{"0 2 3 3"}, {"2 2 3 3"}, {"2"}}},
            {strided, "F.conv2d(a, b, stride=(2, 3), padding=(0, 2))", {{"2 2 5 4"}, {"3 2 2 3"}}},
            {dilated, "F.conv2d(a, b, c, dilation=(2, 1), padding=2, stride=2)", {{"1 2 4 3"}, {"3 2 3 2"}, {"3"}}},
            {grouped, "F.conv2d(a, b, c, groups=2, padding=1)", {{"2 4 3 3"}, {"6 2 3 3"}, {"6"}}},
            {same, "F.conv2d(a, b, c, padding='same')", {{"1 2 3 4"}, {"2 2 2 4"}, {"2"}}},
            {0}},
};

const sp_op sp__op_conv_transpose2d = {
    .name = "conv_transpose2d",
    .autocast = SP_CAST_LOWER,
    .backward_name = "ConvolutionBackward0",
    .n_inputs = 3,
    .optional = 1u << 2,
    .attributes_size = sizeof(sp__conv_geometry),
    .saves = SP_SAVE_INPUT(0) | SP_SAVE_INPUT(1),
    .infer = conv_transpose2d_infer,
    .forward = conv_transpose2d_forward,
    .backward = conv_transpose2d_backward,
    .samples =
        (const sp_sample[]){
            {transposed, "F.conv_transpose2d(a, b, c)", {{"2 3 2 3"}, {"3 2 3 2"}, {"2"}}},
            {transposed_strided, "F.conv_transpose2d(a, b, c, stride=2)", {{"1 2 3 2"}, {"2 3 2 2"}, {"3"}}},
            {transposed_strided, "F.conv_transpose2d(a, b, c, stride=2)", {{"2 1 2"}, {"2 1 3 3"}, {"1"}}},
            {transposed_all,
             "F.conv_transpose2d(a, b, stride=(3, 2), padding=(1, 0), output_padding=(2, 1), dilation=(1, 2), "
             "groups=2)",
             {{"1 4 2 2"}, {"4 3 2 3"}}},
            {0}},
};

const sp_op sp__op_conv2d_weight = {
    .name = "conv2d_weight",
    .backward_name = "ConvolutionBackwardBackward0",
    .n_inputs = 2,
    .n_outputs = 2,
    .attributes_size = sizeof(sp__conv_geometry),
    .saves = SP_SAVE_INPUTS,
    .infer = conv2d_weight_infer,
    .forward = conv2d_weight_forward,
    .backward = conv2d_weight_backward,
    .samples = (const sp_sample[]){{call_weight,
                                    "torch.nn.grad.conv2d_weight(a, (6, 2, 2, 3), b, stride=(2, 1), padding=(1, 0), "
                                    "dilation=(1, 2), groups=2)",
                                    {{"2 4 5 6"}, {"2 6 3 2"}}},
                                   {0}},
};

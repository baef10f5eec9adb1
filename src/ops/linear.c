/* Linear: Y = X·Wᵀ + b, with dX = dY·W, dW = dYᵀ·X, db = Σ dY over rows. X (…, in), W (out, in), b (out). */
#include "ops/products.h"
#include <string.h>

static sp_status linear_infer(sp_call *call)
{
    sp_tensor *x = call->inputs[0], *weight = call->inputs[1], *bias = call->inputs[2];
    if (x->ndim != 2 || weight->ndim != 2 || x->sizes[1] != weight->sizes[1])
        return sp__product_bad_shapes("sp_linear", x, weight, "an input (…, in) and a weight (out, in)");
    if (!sp__is_none(bias) && (bias->ndim != 1 || bias->sizes[0] != weight->sizes[0]))
        return sp__product_bad_shapes("sp_linear", weight, bias, "a weight (out, in) and a bias (out)");
    if (sp__product_check_dtypes("sp_linear", call->inputs, 3)) return sp_error_status();
    return sp_call_output(call, 0, x->dtype, SP_DIMS(x->sizes[0], weight->sizes[0]));
}

sp__gemm sp__linear_call(sp_tensor *const *inputs, const sp_tensor *out, sp__operand *bias_operand)
{
    const sp_tensor *x = inputs[0], *weight = inputs[1], *bias = inputs[2];
    sp__gemm gemm = {.dtype = out->dtype,
                     .batches = 1,
                     .m = x->sizes[0],
                     .n = weight->sizes[0],
                     .k = x->sizes[1],
                     .a = sp__matrix_of(x),
                     .b = sp__matrix_transposed(sp__matrix_of(weight)),
                     .c = sp__matrix_of(out),
                     .alpha = 1};
    if (!sp__is_none(bias)) {
        *bias_operand = sp__operand_of(bias);
        gemm.bias = bias_operand;
    }
    return gemm;
}

static sp_status linear_forward(sp_call *call)
{
    sp__operand bias;
    const sp_tensor *out = call->outputs[0];
    const sp__gemm gemm = sp__linear_call(call->inputs, out, &bias);
    return gemm.m && gemm.n ? sp__backend_for(out)->gemm(&gemm) : SP_OK;
}

static sp_status linear_backward(sp_grad_call *call)
{
    sp_tensor *grad = call->grads[0];
    sp_tensor *x = sp_saved_input(call, 0), *weight = sp_saved_input(call, 1);
    if (!x || !weight) return sp_error_status();
    if (call->needed[0]) call->result[0] = sp_mm(grad, weight);
    if (call->needed[1]) call->result[1] = sp__product_like(sp__is_column_major(weight), sp_t(grad), x);
    if (call->needed[2]) call->result[2] = sp_sum_dim(grad, 0);
    return SP_OK;
}

/* ---- the public function ---- */

/* (…, in) as rows, and back. Checked before it is folded, so that the message has the shape that was given. */
static sp_tensor *linear_folded(sp_tensor *x, sp_tensor *weight, sp_tensor *bias)
{
    int64_t sizes[SP_MAX_DIMS];
    int last = x->ndim - 1;
    if (weight->ndim != 2 || x->sizes[last] != weight->sizes[1])
        return sp__product_bad_shapes("sp_linear", x, weight, "an input (…, in) and a weight (out, in)"), NULL;
    memcpy(sizes, x->sizes, sizeof sizes);
    int64_t rows = sp__product(last, x->sizes), in = x->sizes[last];
    sp_tensor *flat = (sp_reshape)(x, SP_DIMS(rows, in));
    sp_tensor *y = sp_op_apply(&sp__op_linear, (sp_tensor *[]){flat, weight, bias}, 3, NULL);
    if (!y) return NULL;
    sizes[last] = y->sizes[1];
    return (sp_reshape)(y, (sp_dims){sizes, x->ndim});
}

/* A weight (in) is one output without a dimension of its own. */
static sp_tensor *linear_single(sp_tensor *x, sp_tensor *weight, sp_tensor *bias)
{
    if (bias != SP_NONE && sp__check_tensor(bias, "sp_linear", "bias")) return NULL;
    if (!x->ndim || x->sizes[x->ndim - 1] != weight->sizes[0])
        return sp__product_bad_shapes("sp_linear", x, weight, "an input (…, in) and a weight (in)"), NULL;
    if (bias != SP_NONE && bias->ndim)
        return sp__product_bad_shapes("sp_linear", weight, bias, "a weight (in) and a bias ()"), NULL;
    sp_tensor *y = sp_matmul(x, weight);
    return bias == SP_NONE ? y : sp_add(y, bias);
}

sp_tensor *sp_linear(sp_tensor *x, sp_tensor *weight, sp_tensor *bias)
{
    if (sp__check_tensor(x, "sp_linear", "x") || sp__check_tensor(weight, "sp_linear", "weight")) return NULL;
    if (weight->ndim == 1) {
        sp_scope scope = sp_scope_open();
        sp_tensor *y = sp_escape(linear_single(x, weight, bias));
        sp_scope_close(&scope);
        return y;
    }
    if (x->ndim == 2 || x->ndim == 0) return sp_op_apply(&sp__op_linear, (sp_tensor *[]){x, weight, bias}, 3, NULL);
    sp_scope scope = sp_scope_open();
    sp_tensor *y = sp_escape(linear_folded(x, weight, bias));
    sp_scope_close(&scope);
    return y;
}

/* ---- record ---- */

static sp_tensor *call_linear(sp_tensor *const *x)
{
    return sp_linear(x[0], x[1], x[2]);
}
static sp_tensor *call_linear_plain(sp_tensor *const *x)
{
    return sp_linear(x[0], x[1], SP_NONE);
}

const sp_op sp__op_linear = {
    .name = "linear",
    .autocast = SP_CAST_LOWER,
    .backward_name = "AddmmBackward0",
    .n_inputs = 3,
    .optional = 1u << 2,
    .saves = SP_SAVE_INPUT(0) | SP_SAVE_INPUT(1),
    .infer = linear_infer,
    .forward = linear_forward,
    .backward = linear_backward,
    .samples = (const sp_sample[]){{call_linear, "F.linear(a, b, c)", {{"2 3"}, {"4 3"}, {"4"}}},
                                   {call_linear, "F.linear(a, b, c)", {{"2 2 3"}, {"4 3"}, {"4"}}},
                                   {call_linear, "F.linear(a, b, c)", {{"3"}, {"4 3"}, {"4"}}},
                                   {call_linear, "F.linear(a, b, c)", {{"0 3"}, {"4 3"}, {"4"}}},
                                   {call_linear_plain, "F.linear(a, b)", {{"2 3"}, {"1 3"}}},
                                   {call_linear_plain, "F.linear(a, b)", {{"2 2 3"}, {"3"}}},
                                   {0}},
};

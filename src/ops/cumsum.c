/* Running sums along one dimension: y_i = Σ_{j≤i} x_j, dx_i = Σ_{j≥i} dy_j, which is the same from the end. */
#include "ops/elementwise.h"

typedef struct cumsum_attributes {
    int dim;
    bool from_end;
} cumsum_attributes;

static sp_status cumsum_infer(sp_call *call)
{
    const sp_tensor *x = call->inputs[0];
    sp_dtype dtype = sp_dtype_is_floating_point(x->dtype) ? x->dtype : SP_I64;
    return sp_call_output(call, 0, dtype, (sp_dims){x->sizes, x->ndim});
}

static sp_status cumsum_forward(sp_call *call)
{
    const cumsum_attributes *a = call->attributes;
    sp_tensor *out = call->outputs[0], *cast = sp__value_as(call->inputs[0], out->dtype);
    sp_tensor *in = cast ? sp__value_contiguous(cast) : NULL;
    sp_status status = in ? SP_OK : sp_error_status();
    bool number = out->ndim == 0;
    sp__rows rows = {.kind = a->from_end ? SP__CUMSUM_REVERSE : SP__CUMSUM,
                     .outer = number ? 1 : sp__product(a->dim, out->sizes),
                     .n = number ? 1 : out->sizes[a->dim],
                     .inner = number ? 1 : sp__product(out->ndim - a->dim - 1, out->sizes + a->dim + 1),
                     .out = sp__operand_of(out)};
    if (!status && rows.outer * rows.n * rows.inner > 0) {
        rows.in = sp__operand_of(in);
        status = sp__backend_for(out)->rows(&rows);
    }
    sp__unref(cast);
    sp__unref(in);
    return status;
}

static sp_status cumsum_backward(sp_grad_call *call)
{
    cumsum_attributes a = *(const cumsum_attributes *)call->attributes;
    a.from_end = !a.from_end;
    return sp__give(call, 0, sp_op_apply(&sp__op_cumsum, call->grads, 1, &a));
}

sp_tensor *sp_cumsum(sp_tensor *x, int dim)
{
    cumsum_attributes a = {0};
    if (sp__check_tensor(x, "sp_cumsum", "x") || sp__wrap_dim("sp_cumsum", x->ndim, dim, &a.dim)) return NULL;
    return sp_op_apply(&sp__op_cumsum, &x, 1, &a);
}

SP__SAMPLE(cumsum_first, sp_cumsum(in[0], 0));
SP__SAMPLE(cumsum_last, sp_cumsum(in[0], -1));

const sp_op sp__op_cumsum = {
    .name = "cumsum",
    .backward_name = "CumsumBackward0",
    .n_inputs = 1,
    .attributes_size = sizeof(cumsum_attributes),
    .infer = cumsum_infer,
    .forward = cumsum_forward,
    .backward = cumsum_backward,
    .samples = (const sp_sample[]){SP__UNARY_SAMPLES(cumsum_first, "torch.cumsum(a, 0)", -2, 2),
                                   SP__ONE(cumsum_last, "torch.cumsum(a, -1)", "2 3 4", -2, 2),
                                   {0}},
};

/* Softmax and its logarithm along one dimension.
 *
 *   softmax      y = e^x / Σe^x         dx = y·(dy - Σ dy·y)
 *   log_softmax  y = x - ln Σe^x        dx = dy - e^y·Σ dy
 *
 * Both gradients are operators of their own, one pass each, linear in dy:
 *   softmax_backward      r = y·(g - Σ g·y)    dg = y·(dr - Σ dr·y),  dy = dr·(g - Σ g·y) - g·Σ dr·y
 *   log_softmax_backward  r = g - e^y·Σ g      dg = dr - Σ dr·e^y,    dy = -dr·e^y·Σ g */
#include "ops/elementwise.h"

typedef struct softmax_attributes {
    int dim;
} softmax_attributes;

static int dim_of(const void *attributes)
{
    return ((const softmax_attributes *)attributes)->dim;
}

static sp_tensor *apply(const sp_op *op, const char *function, sp_tensor *x, int dim)
{
    softmax_attributes a;
    if (sp__check_tensor(x, function, "x") || sp__wrap_dim(function, x->ndim, dim, &a.dim)) return NULL;
    return sp_op_apply(op, &x, 1, &a);
}

/* ---- forward ---- */

static sp_status backward_infer(sp_call *call)
{
    const sp_tensor *g = call->inputs[0], *y = call->inputs[1];
    bool same = g->dtype == y->dtype && g->ndim == y->ndim;
    for (int d = 0; d < y->ndim; d++) same = same && g->sizes[d] == y->sizes[d];
    if (!sp_dtype_is_floating_point(y->dtype)) return sp__refuse_dtype(call, y->dtype, "");
    if (!same || dim_of(call->attributes) >= (y->ndim ? y->ndim : 1))
        return sp_raise(SP_ERROR_SHAPE, "sp_%s: %s %s is no gradient of %s %s", call->op->name, sp_dtype_name(g->dtype),
                        sp__shape_of(g), sp_dtype_name(y->dtype), sp__shape_of(y));
    return sp_call_output(call, 0, y->dtype, (sp_dims){y->sizes, y->ndim});
}

static int64_t inner_size(const sp_tensor *x, int dim)
{
    return x->ndim ? sp__product(x->ndim - dim - 1, x->sizes + dim + 1) : 1;
}

static sp_status run_rows(sp__row_kind kind, sp_tensor *out, const sp_tensor *in, const sp_tensor *other, int dim)
{
    sp_tensor *a = sp__value_contiguous(in), *b = other ? sp__value_contiguous(other) : NULL;
    sp_status status = a && (b || !other) ? SP_OK : sp_error_status();
    if (!status) {
        sp__rows rows = {.kind = kind,
                         .outer = sp__product(dim, out->sizes),
                         .n = out->ndim ? out->sizes[dim] : 1,
                         .inner = inner_size(out, dim),
                         .out = sp__operand_of(out),
                         .in = sp__operand_of(a)};
        if (b) rows.other = sp__operand_of(b);
        bool empty = rows.outer == 0 || rows.n == 0 || rows.inner == 0;
        status = empty ? SP_OK : sp__backend_for(out)->rows(&rows);
    }
    sp__unref(a);
    sp__unref(b);
    return status;
}

/* The kernels write contiguous memory. */
static sp_status infer(sp_call *call)
{
    sp_tensor *x = call->inputs[0];
    if (!sp_dtype_is_floating_point(x->dtype)) return sp__refuse_dtype(call, x->dtype, "; sp_cast(x, SP_F32) first");
    return sp_call_output(call, 0, x->dtype, (sp_dims){x->sizes, x->ndim});
}

static sp_status softmax_forward(sp_call *call)
{
    return run_rows(SP__SOFTMAX, call->outputs[0], call->inputs[0], NULL, dim_of(call->attributes));
}

static sp_status log_softmax_forward(sp_call *call)
{
    return run_rows(SP__LOG_SOFTMAX, call->outputs[0], call->inputs[0], NULL, dim_of(call->attributes));
}

static sp_status softmax_backward_forward(sp_call *call)
{
    return run_rows(SP__SOFTMAX_BACKWARD, call->outputs[0], call->inputs[0], call->inputs[1], dim_of(call->attributes));
}

static sp_status log_softmax_backward_forward(sp_call *call)
{
    return run_rows(SP__LOG_SOFTMAX_BACKWARD, call->outputs[0], call->inputs[0], call->inputs[1],
                    dim_of(call->attributes));
}

/* ---- backward ---- */

static sp_tensor *sum_along(sp_tensor *x, int dim)
{
    return sp_sum_dim(x, dim, .keepdim = true);
}

static sp_status give_update(sp_grad_call *call, const sp_op *op)
{
    sp_tensor *y = sp_saved_output(call, 0);
    if (!y) return sp_error_status();
    return sp__give(call, 0, sp_op_apply(op, (sp_tensor *[]){call->grads[0], y}, 2, call->attributes));
}

static sp_status softmax_backward(sp_grad_call *call)
{
    return give_update(call, &sp__op_softmax_backward);
}

static sp_status log_softmax_backward(sp_grad_call *call)
{
    return give_update(call, &sp__op_log_softmax_backward);
}

static sp_status softmax_backward_backward(sp_grad_call *call)
{
    int dim = dim_of(call->attributes);
    sp_tensor *r = call->grads[0], *g = sp_saved_input(call, 0), *y = sp_saved_input(call, 1);
    if (!g || !y) return sp_error_status();
    sp_tensor *ry = sum_along(sp_mul(r, y), dim);
    sp_status status = SP__GIVE(call, 0, sp_mul(y, sp_sub(r, ry)));
    if (status) return status;
    return SP__GIVE(call, 1, sp_sub(sp_mul(r, sp_sub(g, sum_along(sp_mul(g, y), dim))), sp_mul(g, ry)));
}

static sp_status log_softmax_backward_backward(sp_grad_call *call)
{
    int dim = dim_of(call->attributes);
    sp_tensor *r = call->grads[0], *g = sp_saved_input(call, 0), *y = sp_saved_input(call, 1);
    if (!g || !y) return sp_error_status();
    sp_tensor *re = sp_mul(r, sp_exp(y));
    sp_status status = SP__GIVE(call, 0, sp_sub(r, sum_along(re, dim)));
    if (status) return status;
    return SP__GIVE(call, 1, sp_neg(sp_mul(re, sum_along(g, dim))));
}

/* ---- public ---- */

sp_tensor *sp_softmax(sp_tensor *x, int dim)
{
    return apply(&sp__op_softmax, "sp_softmax", x, dim);
}

sp_tensor *sp_log_softmax(sp_tensor *x, int dim)
{
    return apply(&sp__op_log_softmax, "sp_log_softmax", x, dim);
}

/* ---- samples and records ---- */

SP__SAMPLE(softmax_last, sp_softmax(in[0], -1));
SP__SAMPLE(softmax_first, sp_softmax(in[0], 0));
SP__SAMPLE(log_softmax_last, sp_log_softmax(in[0], -1));
SP__SAMPLE(log_softmax_first, sp_log_softmax(in[0], 0));
SP__SAMPLE(softmax_backward_last, sp_op_apply(&sp__op_softmax_backward, in, 2, &(softmax_attributes){1}));
SP__SAMPLE(softmax_backward_first, sp_op_apply(&sp__op_softmax_backward, in, 2, &(softmax_attributes){0}));
SP__SAMPLE(log_softmax_backward_last, sp_op_apply(&sp__op_log_softmax_backward, in, 2, &(softmax_attributes){1}));
SP__SAMPLE(log_softmax_backward_first, sp_op_apply(&sp__op_log_softmax_backward, in, 2, &(softmax_attributes){0}));

#define ROW_SAMPLES(last, first, torch_name)                                                                           \
    (const sp_sample[])                                                                                                \
    {                                                                                                                  \
        SP__ONE(last, torch_name "(a, -1)", "3 5", -4, 4), SP__ONE(first, torch_name "(a, 0)", "4 3 2", -4, 4),        \
            SP__ONE(last, torch_name "(a, -1)", "", -4, 4), SP__ONE(last, torch_name "(a, -1)", "0 3", -4, 4),         \
            SP__ONE(last, torch_name "(a, -1)", "1", -4, 4), SP__ONE(last, torch_name "(a, -1)", "2 67", -4, 4),       \
        {                                                                                                              \
            0                                                                                                          \
        }                                                                                                              \
    }

#define BACKWARD_SAMPLES(name, torch_name)                                                                             \
    (const sp_sample[])                                                                                                \
    {                                                                                                                  \
        SP__PAIR(name##_backward_last, torch_name "(a, b, 1, a.dtype)", "3 4", "3 4", -2, 2),                          \
            SP__PAIR(name##_backward_first, torch_name "(a, b, 0, a.dtype)", "4 3 2", "4 3 2", -2, 2),                 \
            SP__PAIR(name##_backward_first, torch_name "(a, b, 0, a.dtype)", "", "", -2, 2),                           \
            SP__PAIR(name##_backward_last, torch_name "(a, b, 1, a.dtype)", "2 0", "2 0", -2, 2),                      \
        {                                                                                                              \
            0                                                                                                          \
        }                                                                                                              \
    }

const sp_op sp__op_softmax = {
    .name = "softmax",
    .backward_name = "SoftmaxBackward0",
    .n_inputs = 1,
    .attributes_size = sizeof(softmax_attributes),
    .saves = SP_SAVE_OUTPUT(0),
    .infer = infer,
    .forward = softmax_forward,
    .backward = softmax_backward,
    .samples = ROW_SAMPLES(softmax_last, softmax_first, "torch.softmax"),
};

const sp_op sp__op_log_softmax = {
    .name = "log_softmax",
    .backward_name = "LogSoftmaxBackward0",
    .n_inputs = 1,
    .attributes_size = sizeof(softmax_attributes),
    .saves = SP_SAVE_OUTPUT(0),
    .infer = infer,
    .forward = log_softmax_forward,
    .backward = log_softmax_backward,
    .samples = ROW_SAMPLES(log_softmax_last, log_softmax_first, "torch.log_softmax"),
};

const sp_op sp__op_softmax_backward = {
    .name = "softmax_backward",
    .backward_name = "SoftmaxBackwardDataBackward0",
    .n_inputs = 2,
    .attributes_size = sizeof(softmax_attributes),
    .saves = SP_SAVE_INPUTS,
    .infer = backward_infer,
    .forward = softmax_backward_forward,
    .backward = softmax_backward_backward,
    .samples = BACKWARD_SAMPLES(softmax, "torch.ops.aten._softmax_backward_data"),
};

const sp_op sp__op_log_softmax_backward = {
    .name = "log_softmax_backward",
    .backward_name = "LogSoftmaxBackwardDataBackward0",
    .n_inputs = 2,
    .attributes_size = sizeof(softmax_attributes),
    .saves = SP_SAVE_INPUTS,
    .infer = backward_infer,
    .forward = log_softmax_backward_forward,
    .backward = log_softmax_backward_backward,
    .samples = BACKWARD_SAMPLES(log_softmax, "torch.ops.aten._log_softmax_backward_data"),
};

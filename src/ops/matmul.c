/* Products of matrices and vectors.
 *
 *   mm      C = A·B                    dA = dC·Bᵀ, dB = Aᵀ·dC
 *   bmm     the same for each batch
 *   mv      y = A·x                    dA = dy·xᵀ (outer), dx = Aᵀ·dy
 *   dot     y = Σ a·b                  da = dy·b, db = dy·a
 *   addmm   Y = β·X + α·A·B            dX = β·dY summed to X, dA = α·dY·Bᵀ, dB = α·Aᵀ·dY
 *
 * A gradient is laid out in memory as its operand is (column by column, for a transposed weight), so that the leaf
 * takes it without a copy and an optimiser finds both in one order. torch.matmul's shapes come down to these. */
#include "ops/products.h"
#include <string.h>

/* ---- the kernel's call ---- */

sp__matrix sp__matrix_of(const sp_tensor *x)
{
    int n = x->ndim;
    sp__matrix m = {.buffer = sp__buffer(x), .offset = x->offset};
    if (n == 1)
        m.row = x->strides[0];
    else if (n >= 2) {
        m.row = x->strides[n - 2];
        m.column = x->strides[n - 1];
    }
    if (n == 3) m.batch = x->strides[0];
    return m;
}

sp__matrix sp__matrix_transposed(sp__matrix m)
{
    int64_t row = m.row;
    m.row = m.column;
    m.column = row;
    return m;
}

sp_status sp__product_check_dtypes(const char *function, sp_tensor *const *inputs, int n)
{
    for (int i = 0; i < n; i++) {
        if (sp__is_none(inputs[i])) continue;
        if (inputs[i]->dtype != inputs[0]->dtype)
            return sp_raise(SP_ERROR_DTYPE, "%s: operands of dtypes %s and %s: cast one of them", function,
                            sp_dtype_name(inputs[0]->dtype), sp_dtype_name(inputs[i]->dtype));
    }
    if (inputs[0]->dtype != SP_BOOL) return SP_OK;
    return sp_raise(SP_ERROR_DTYPE, "%s: no products of bool matrices: cast them", function);
}

sp_status sp__product_bad_shapes(const char *function, const sp_tensor *a, const sp_tensor *b, const char *wanted)
{
    return sp_raise(SP_ERROR_SHAPE, "%s: shapes %s and %s do not fit: needs %s", function, sp__shape_of(a),
                    sp__shape_of(b), wanted);
}

static sp_status multiply(sp_call *call, int64_t batches, int64_t m, int64_t n, int64_t k)
{
    sp_tensor *out = call->outputs[0];
    sp__gemm gemm = {.dtype = out->dtype,
                     .batches = batches,
                     .m = m,
                     .n = n,
                     .k = k,
                     .a = sp__matrix_of(call->inputs[0]),
                     .b = sp__matrix_of(call->inputs[1]),
                     .c = sp__matrix_of(out),
                     .alpha = 1};
    if (m == 0 || n == 0 || batches == 0) return SP_OK;
    return sp__backend_for(out)->gemm(&gemm);
}

/* ---- gradients in the operand's layout ---- */

bool sp__is_column_major(const sp_tensor *x)
{
    int n = x->ndim;
    return n >= 2 && x->strides[n - 2] == 1 && x->strides[n - 1] != 1 && x->strides[n - 1] >= x->sizes[n - 2];
}

sp_tensor *sp__product_like(bool column_major, sp_tensor *p, sp_tensor *q)
{
    if (!column_major) return sp_matmul(p, q);
    return sp_transpose(sp_matmul(sp_transpose(q, -2, -1), sp_transpose(p, -2, -1)), -2, -1);
}

static sp_status mm_backward(sp_grad_call *call)
{
    sp_tensor *grad = call->grads[0];
    sp_tensor *a = sp_saved_input(call, 0), *b = sp_saved_input(call, 1);
    if (!a || !b) return sp_error_status();
    if (call->needed[0]) call->result[0] = sp__product_like(sp__is_column_major(a), grad, sp_transpose(b, -2, -1));
    if (call->needed[1]) call->result[1] = sp__product_like(sp__is_column_major(b), sp_transpose(a, -2, -1), grad);
    return SP_OK;
}

/* ---- mm, bmm ---- */

static sp_status mm_infer(sp_call *call)
{
    sp_tensor *a = call->inputs[0], *b = call->inputs[1];
    if (a->ndim != 2 || b->ndim != 2 || a->sizes[1] != b->sizes[0])
        return sp__product_bad_shapes("sp_mm", a, b, "(m, k) and (k, n)");
    if (sp__product_check_dtypes("sp_mm", call->inputs, 2)) return sp_error_status();
    return sp_call_output(call, 0, a->dtype, SP_DIMS(a->sizes[0], b->sizes[1]));
}

static sp_status mm_forward(sp_call *call)
{
    const sp_tensor *a = call->inputs[0], *b = call->inputs[1];
    return multiply(call, 1, a->sizes[0], b->sizes[1], a->sizes[1]);
}

static sp_status bmm_infer(sp_call *call)
{
    sp_tensor *a = call->inputs[0], *b = call->inputs[1];
    if (a->ndim != 3 || b->ndim != 3 || a->sizes[0] != b->sizes[0] || a->sizes[2] != b->sizes[1])
        return sp__product_bad_shapes("sp_bmm", a, b, "(b, m, k) and (b, k, n)");
    if (sp__product_check_dtypes("sp_bmm", call->inputs, 2)) return sp_error_status();
    return sp_call_output(call, 0, a->dtype, SP_DIMS(a->sizes[0], a->sizes[1], b->sizes[2]));
}

static sp_status bmm_forward(sp_call *call)
{
    const sp_tensor *a = call->inputs[0], *b = call->inputs[1];
    return multiply(call, a->sizes[0], a->sizes[1], b->sizes[2], a->sizes[2]);
}

sp_tensor *sp_mm(sp_tensor *a, sp_tensor *b)
{
    return sp_op_apply(&sp__op_mm, (sp_tensor *[]){a, b}, 2, NULL);
}

sp_tensor *sp_bmm(sp_tensor *a, sp_tensor *b)
{
    return sp_op_apply(&sp__op_bmm, (sp_tensor *[]){a, b}, 2, NULL);
}

/* ---- mv, dot ---- */

static sp_status mv_infer(sp_call *call)
{
    sp_tensor *a = call->inputs[0], *x = call->inputs[1];
    if (a->ndim != 2 || x->ndim != 1 || a->sizes[1] != x->sizes[0])
        return sp__product_bad_shapes("sp_mv", a, x, "(m, k) and (k)");
    if (sp__product_check_dtypes("sp_mv", call->inputs, 2)) return sp_error_status();
    return sp_call_output(call, 0, a->dtype, SP_DIMS(a->sizes[0]));
}

static sp_status mv_forward(sp_call *call)
{
    const sp_tensor *a = call->inputs[0];
    return multiply(call, 1, a->sizes[0], 1, a->sizes[1]);
}

static sp_status mv_backward(sp_grad_call *call)
{
    sp_tensor *a = sp_saved_input(call, 0), *x = sp_saved_input(call, 1);
    if (!a || !x) return sp_error_status();
    if (call->needed[0]) call->result[0] = sp_mul(sp_unsqueeze(call->grads[0], 1), x);
    if (call->needed[1]) call->result[1] = sp_mv(sp_t(a), call->grads[0]);
    return SP_OK;
}

sp_tensor *sp_mv(sp_tensor *a, sp_tensor *b)
{
    return sp_op_apply(&sp__op_mv, (sp_tensor *[]){a, b}, 2, NULL);
}

static sp_status dot_infer(sp_call *call)
{
    sp_tensor *a = call->inputs[0], *b = call->inputs[1];
    if (a->ndim != 1 || b->ndim != 1 || a->sizes[0] != b->sizes[0])
        return sp__product_bad_shapes("sp_dot", a, b, "(k) and (k)");
    if (sp__product_check_dtypes("sp_dot", call->inputs, 2)) return sp_error_status();
    return sp_call_output(call, 0, a->dtype, SP_DIMS());
}

static sp_status dot_forward(sp_call *call)
{
    const sp_tensor *a = call->inputs[0], *b = call->inputs[1], *out = call->outputs[0];
    sp__gemm gemm = {.dtype = out->dtype,
                     .batches = 1,
                     .m = 1,
                     .n = 1,
                     .k = a->sizes[0],
                     .a = sp__matrix_transposed(sp__matrix_of(a)),
                     .b = sp__matrix_of(b),
                     .c = sp__matrix_of(out),
                     .alpha = 1};
    return sp__backend_for(out)->gemm(&gemm);
}

static sp_status dot_backward(sp_grad_call *call)
{
    sp_tensor *a = sp_saved_input(call, 0), *b = sp_saved_input(call, 1);
    if (!a || !b) return sp_error_status();
    if (call->needed[0]) call->result[0] = sp_mul(call->grads[0], b);
    if (call->needed[1]) call->result[1] = sp_mul(call->grads[0], a);
    return SP_OK;
}

sp_tensor *sp_dot(sp_tensor *a, sp_tensor *b)
{
    return sp_op_apply(&sp__op_dot, (sp_tensor *[]){a, b}, 2, NULL);
}

/* ---- matmul: all of torch.matmul's shapes ---- */

/* (…, m, k) × (k, n) or (k): the batch and m become rows of one product. */
static sp_tensor *fold_rows(sp_tensor *a, sp_tensor *b)
{
    int64_t sizes[SP_MAX_DIMS + 1];
    int n = a->ndim - 1;
    memcpy(sizes, a->sizes, sizeof a->sizes);
    if (b->ndim == 2) sizes[n++] = b->sizes[1];
    int64_t k = a->sizes[a->ndim - 1];
    int64_t rows = sp__product(a->ndim - 1, a->sizes);
    sp_tensor *flat = (sp_reshape)(a, SP_DIMS(rows, k));
    return (sp_reshape)(b->ndim == 2 ? sp_mm(flat, b) : sp_mv(flat, b), (sp_dims){sizes, n});
}

/* x's batch dimensions expanded to `batch` and folded into one. */
static sp_tensor *fold_batch(sp_tensor *x, int n_batch, const int64_t *batch)
{
    int64_t sizes[SP_MAX_DIMS];
    int64_t rows = x->sizes[x->ndim - 2], columns = x->sizes[x->ndim - 1];
    memcpy(sizes, batch, (size_t)n_batch * sizeof *batch);
    sizes[n_batch] = rows;
    sizes[n_batch + 1] = columns;
    sp_tensor *whole = (sp_expand)(x, (sp_dims){sizes, n_batch + 2});
    return (sp_reshape)(whole, SP_DIMS(sp__product(n_batch, batch), rows, columns));
}

static sp_tensor *batched(sp_tensor *a, sp_tensor *b)
{
    int64_t sizes[SP_MAX_DIMS];
    int n;
    if (sp__broadcast("sp_matmul", a->ndim - 2, a->sizes, b->ndim - 2, b->sizes, &n, sizes)) return NULL;
    sp_tensor *product = sp_bmm(fold_batch(a, n, sizes), fold_batch(b, n, sizes));
    sizes[n] = a->sizes[a->ndim - 2];
    sizes[n + 1] = b->sizes[b->ndim - 1];
    return (sp_reshape)(product, (sp_dims){sizes, n + 2});
}

static sp_tensor *general(sp_tensor *a, sp_tensor *b)
{
    if (a->ndim == 1 && b->ndim == 1) return sp_dot(a, b);
    if (a->ndim == 2 && b->ndim == 1) return sp_mv(a, b);
    if (a->ndim == 1) return sp_squeeze_dim(sp_matmul(sp_unsqueeze(a, 0), b), b->ndim == 1 ? -1 : -2);
    if (b->ndim <= 2 && a->ndim > 2) return fold_rows(a, b);
    if (b->ndim == 1) return sp_squeeze_dim(sp_matmul(a, sp_unsqueeze(b, 1)), -1);
    return batched(a, b);
}

static bool batches_broadcast(const sp_tensor *a, const sp_tensor *b)
{
    for (int d = 3; d <= a->ndim && d <= b->ndim; d++) {
        int64_t of_a = a->sizes[a->ndim - d], of_b = b->sizes[b->ndim - d];
        if (of_a != of_b && of_a != 1 && of_b != 1) return false;
    }
    return true;
}

/* Before anything is folded, so that the message has the shapes that were given. */
static sp_status check_matmul(const sp_tensor *a, const sp_tensor *b)
{
    if (a->ndim == 0 || b->ndim == 0) return sp__product_bad_shapes("sp_matmul", a, b, "at least one dimension each");
    if (a->sizes[a->ndim - 1] != b->sizes[b->ndim > 1 ? b->ndim - 2 : 0])
        return sp__product_bad_shapes("sp_matmul", a, b, "(…, m, k) and (…, k, n)");
    if (!batches_broadcast(a, b))
        return sp__product_bad_shapes("sp_matmul", a, b, "batches, the dimensions before the last two, that broadcast");
    return SP_OK;
}

static sp_tensor *matmul(sp_tensor *a, sp_tensor *b)
{
    if (sp__check_tensor(a, "sp_matmul", "a") || sp__check_tensor(b, "sp_matmul", "b")) return NULL;
    if (a->ndim == 2 && b->ndim == 2) return sp_mm(a, b);
    if (check_matmul(a, b)) return NULL;
    sp_scope scope = sp_scope_open();
    sp_tensor *cast[] = {a, b}; /* by itself, sp_dot or sp_mv runs in what it gets */
    const bool mixed = sp_autocast_dtype() != SP_DTYPE_DEFAULT;
    const bool failed = mixed && sp__autocast(&sp__op_mm, (sp_tensor *[]){a, b}, 2, cast);
    sp_tensor *y = failed ? NULL : sp_escape(general(cast[0], cast[1]));
    sp_scope_close(&scope);
    return y;
}

sp_tensor *sp_matmul(sp_tensor *a, sp_tensor *b)
{
    sp__caller caller = {.name = "matmul", .suffix = "", .function = true};
    sp__call_enter(&caller);
    sp_tensor *y = matmul(a, b);
    sp__call_leave(&caller);
    return y;
}

/* ---- addmm ---- */

typedef struct addmm_attributes {
    double alpha, beta;
} addmm_attributes;

static sp_status addmm_infer(sp_call *call)
{
    sp_tensor *x = call->inputs[0], *a = call->inputs[1], *b = call->inputs[2];
    int n;
    int64_t sizes[SP_MAX_DIMS];
    if (a->ndim != 2 || b->ndim != 2 || a->sizes[1] != b->sizes[0])
        return sp__product_bad_shapes("sp_addmm", a, b, "(m, k) and (k, n)");
    const int64_t product[2] = {a->sizes[0], b->sizes[1]};
    if (sp__product_check_dtypes("sp_addmm", call->inputs, 3) ||
        sp__broadcast("sp_addmm", x->ndim, x->sizes, 2, product, &n, sizes))
        return sp_error_status();
    if (n != 2 || memcmp(sizes, product, sizeof product) != 0)
        return sp_raise(SP_ERROR_SHAPE, "sp_addmm: shape %s does not broadcast to %s", sp__shape_of(x),
                        sp__shape_text(2, product));
    return sp_call_output(call, 0, a->dtype, (sp_dims){product, 2});
}

static sp_status addmm_forward(sp_call *call)
{
    const addmm_attributes *attributes = call->attributes;
    const sp_tensor *a = call->inputs[1], *b = call->inputs[2];
    sp_tensor *out = call->outputs[0];
    sp_status status = attributes->beta == 0 ? SP_OK : sp__copy_values(out, call->inputs[0]);
    sp__gemm gemm = {.dtype = out->dtype,
                     .batches = 1,
                     .m = a->sizes[0],
                     .n = b->sizes[1],
                     .k = a->sizes[1],
                     .a = sp__matrix_of(a),
                     .b = sp__matrix_of(b),
                     .c = sp__matrix_of(out),
                     .alpha = attributes->alpha,
                     .beta = attributes->beta};
    if (status || gemm.m == 0 || gemm.n == 0) return status;
    return sp__backend_for(out)->gemm(&gemm);
}

static sp_tensor *scaled(sp_tensor *x, double factor)
{
    return factor == 1 ? x : sp_mul_scalar(x, factor);
}

static sp_status addmm_backward(sp_grad_call *call)
{
    const addmm_attributes *attributes = call->attributes;
    sp_tensor *grad = call->grads[0];
    sp_tensor *a = sp_saved_input(call, 1), *b = sp_saved_input(call, 2);
    if (!a || !b) return sp_error_status();
    if (call->needed[0]) call->result[0] = scaled(sp__sum_to(grad, sp_input_sizes(call, 0)), attributes->beta);
    if (call->needed[1])
        call->result[1] = scaled(sp__product_like(sp__is_column_major(a), grad, sp_t(b)), attributes->alpha);
    if (call->needed[2])
        call->result[2] = scaled(sp__product_like(sp__is_column_major(b), sp_t(a), grad), attributes->alpha);
    return SP_OK;
}

sp_tensor *(sp_addmm)(sp_tensor *x, sp_tensor *a, sp_tensor *b, const sp_addmm_options *options)
{
    sp_addmm_options o;
    sp_options_copy(&o, sizeof o, options);
    addmm_attributes attributes = {sp_option(o.alpha, 1), sp_option(o.beta, 1)};
    return sp_op_apply(&sp__op_addmm, (sp_tensor *[]){x, a, b}, 3, &attributes);
}

/* ---- records ---- */

static sp_tensor *call_mm(sp_tensor *const *x)
{
    return sp_mm(x[0], x[1]);
}
static sp_tensor *call_mm_t(sp_tensor *const *x)
{
    return sp_mm(sp_t(x[0]), sp_t(x[1]));
}
static sp_tensor *call_matmul(sp_tensor *const *x)
{
    return sp_matmul(x[0], x[1]);
}
static sp_tensor *call_bmm(sp_tensor *const *x)
{
    return sp_bmm(x[0], x[1]);
}
static sp_tensor *call_mv(sp_tensor *const *x)
{
    return sp_mv(x[0], x[1]);
}
static sp_tensor *call_dot(sp_tensor *const *x)
{
    return sp_dot(x[0], x[1]);
}
static sp_tensor *call_addmm(sp_tensor *const *x)
{
    return sp_addmm(x[0], x[1], x[2], .alpha = 2, .beta = 3);
}
const sp_op sp__op_mm = {
    .name = "mm",
    .autocast = SP_CAST_LOWER,
    .backward_name = "MmBackward0",
    .n_inputs = 2,
    .saves = SP_SAVE_INPUTS,
    .infer = mm_infer,
    .forward = mm_forward,
    .backward = mm_backward,
    .samples = (const sp_sample[]){{call_mm, "torch.mm(a, b)", {{"2 3"}, {"3 4"}}},
                                   {call_mm_t, "torch.mm(a.t(), b.t())", {{"3 2"}, {"4 3"}}},
                                   {call_mm, "torch.mm(a, b)", {{"2 0"}, {"0 3"}}},
                                   {call_mm, "torch.mm(a, b)", {{"0 3"}, {"3 2"}}},
                                   {call_mm, "torch.mm(a, b)", {{"1 1"}, {"1 1"}}},
                                   {call_matmul, "torch.matmul(a, b)", {{"2 2 3"}, {"3 4"}}},
                                   {call_matmul, "torch.matmul(a, b)", {{"3"}, {"3 2"}}},
                                   {0}},
};

const sp_op sp__op_bmm = {
    .name = "bmm",
    .autocast = SP_CAST_LOWER,
    .backward_name = "BmmBackward0",
    .n_inputs = 2,
    .saves = SP_SAVE_INPUTS,
    .infer = bmm_infer,
    .forward = bmm_forward,
    .backward = mm_backward,
    .samples = (const sp_sample[]){{call_bmm, "torch.bmm(a, b)", {{"2 2 3"}, {"2 3 2"}}},
                                   {call_bmm, "torch.bmm(a, b)", {{"0 2 3"}, {"0 3 2"}}},
                                   {call_matmul, "torch.matmul(a, b)", {{"2 1 2 3"}, {"3 3 2"}}},
                                   {call_matmul, "torch.matmul(a, b)", {{"3"}, {"2 3 2"}}},
                                   {call_matmul, "torch.matmul(a, b)", {{"2 3"}, {"2 3 2"}}},
                                   {0}},
};

const sp_op sp__op_mv = {
    .name = "mv",
    .backward_name = "MvBackward0",
    .n_inputs = 2,
    .saves = SP_SAVE_INPUTS,
    .infer = mv_infer,
    .forward = mv_forward,
    .backward = mv_backward,
    .samples = (const sp_sample[]){{call_mv, "torch.mv(a, b)", {{"2 3"}, {"3"}}},
                                   {call_mv, "torch.mv(a, b)", {{"2 0"}, {"0"}}},
                                   {call_matmul, "torch.matmul(a, b)", {{"2 2 3"}, {"3"}}},
                                   {0}},
};

const sp_op sp__op_dot = {
    .name = "dot",
    .backward_name = "DotBackward0",
    .n_inputs = 2,
    .saves = SP_SAVE_INPUTS,
    .infer = dot_infer,
    .forward = dot_forward,
    .backward = dot_backward,
    .samples = (const sp_sample[]){{call_dot, "torch.dot(a, b)", {{"5"}, {"5"}}},
                                   {call_dot, "torch.dot(a, b)", {{"0"}, {"0"}}},
                                   {call_matmul, "torch.matmul(a, b)", {{"1"}, {"1"}}},
                                   {0}},
};

const sp_op sp__op_addmm = {
    .name = "addmm",
    .autocast = SP_CAST_LOWER,
    .backward_name = "AddmmBackward0",
    .n_inputs = 3,
    .attributes_size = sizeof(addmm_attributes),
    .saves = SP_SAVE_INPUT(1) | SP_SAVE_INPUT(2),
    .infer = addmm_infer,
    .forward = addmm_forward,
    .backward = addmm_backward,
    .samples = (const sp_sample[]){{call_addmm, "torch.addmm(a, b, c, alpha=2, beta=3)", {{"2 4"}, {"2 3"}, {"3 4"}}},
                                   {call_addmm, "torch.addmm(a, b, c, alpha=2, beta=3)", {{"4"}, {"2 3"}, {"3 4"}}},
                                   {call_addmm, "torch.addmm(a, b, c, alpha=2, beta=3)", {{"1 2"}, {"2 0"}, {"0 2"}}},
                                   {0}},
};

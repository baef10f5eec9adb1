/* Linear algebra beyond products.
 *
 *   linalg_eigh   A = V·diag(λ)·Vᵀ for a symmetric A, of which one triangle is read; λ ascending, V's columns of length
 * 1 dA = V·(diag(dλ) + (Vᵀ·dV)/E)·Vᵀ, E_ij = λ_j - λ_i, without the diagonal of Vᵀ·dV
 *
 * The sign of each eigenvector is arbitrary; where eigenvalues are equal the vectors are any basis, and their gradient
 * is not finite. Source: PyTorch, torch.linalg.eigh; Giles, "An extended collection of matrix derivative results",
 * Oxford NA-08/01, 3.1. */
#include "ops/elementwise.h"

typedef struct eigh_attributes {
    bool upper;
} eigh_attributes;

static sp_status eigh_infer(sp_call *call)
{
    const sp_tensor *x = call->inputs[0];
    const int n = x->ndim;
    if (n < 2 || x->sizes[n - 1] != x->sizes[n - 2])
        return sp_raise(SP_ERROR_SHAPE, "sp_linalg_eigh: x must be square matrices, (…, n, n), not %s",
                        sp__shape_of(x));
    if (x->dtype != SP_F32 && x->dtype != SP_F64)
        return sp_raise(SP_ERROR_DTYPE, "sp_linalg_eigh: x is %s; it must be float32 or float64: cast it",
                        sp_dtype_name(x->dtype));
    const sp_status status = sp_call_output(call, 0, x->dtype, (sp_dims){x->sizes, n - 1});
    return status ? status : sp_call_output(call, 1, x->dtype, (sp_dims){x->sizes, n});
}

static sp_status eigh_forward(sp_call *call)
{
    const eigh_attributes *a = call->attributes;
    sp_tensor *x = sp__value_contiguous(call->inputs[0]);
    if (!x) return sp_error_status();
    sp__eigh eigh = {.batches = sp__product(x->ndim - 2, x->sizes), .n = x->sizes[x->ndim - 1], .upper = a->upper};
    sp_status status = SP_OK;
    if (sp_numel(x) > 0) {
        eigh.a = sp__operand_of(x);
        eigh.values = sp__operand_of(call->outputs[0]);
        eigh.vectors = sp__operand_of(call->outputs[1]);
        status = sp__backend_for(x)->eigh(&eigh);
    }
    sp__unref(x);
    return status;
}

/* A matrix (…, n, n) with x on the diagonal and 0 beside it. */
static sp_tensor *diagonal(sp_tensor *x)
{
    const int64_t n = sp_size(x, -1);
    return sp_mul(sp_unsqueeze(x, -1), sp_eye(n, n, .dtype = sp_dtype_of(x), .device = sp_device_of(x)));
}

/* (Vᵀ·dV)/E beside the diagonal, 0 on it. */
static sp_tensor *turned(sp_tensor *values, sp_tensor *vectors, sp_tensor *grad)
{
    const int64_t n = sp_size(values, -1);
    sp_tensor *eye = sp_eye(n, n, .dtype = sp_dtype_of(values), .device = sp_device_of(values));
    sp_tensor *gaps = sp_sub(sp_unsqueeze(values, -2), sp_unsqueeze(values, -1));
    sp_tensor *product = sp_matmul(sp_transpose(vectors, -2, -1), grad);
    return sp_div(sp_mul(product, sp_rsub_scalar(eye, 1)), sp_add(gaps, eye));
}

static sp_status eigh_backward(sp_grad_call *call)
{
    sp_tensor *values = sp_saved_output(call, 0), *vectors = sp_saved_output(call, 1), *middle = NULL;
    if (!values || !vectors) return sp_error_status();
    if (call->grads[0]) middle = diagonal(call->grads[0]);
    if (call->grads[1]) {
        sp_tensor *turn = turned(values, vectors, call->grads[1]);
        middle = middle ? sp_add(middle, turn) : turn;
    }
    return sp__give(call, 0, sp_matmul(vectors, sp_matmul(middle, sp_transpose(vectors, -2, -1))));
}

sp_eigen(sp_linalg_eigh)(sp_tensor *x, const sp_eigh_options *given)
{
    sp_eigh_options options;
    sp_options_copy(&options, sizeof options, given);
    const eigh_attributes a = {options.upper};
    sp_tensor *outputs[2] = {NULL, NULL};
    if (sp__check_tensor(x, "sp_linalg_eigh", "x")) return (sp_eigen){NULL, NULL};
    sp_op_apply_n(outputs, &sp__op_linalg_eigh, &x, 1, &a);
    return (sp_eigen){outputs[0], outputs[1]};
}

/* ---- samples: what does not depend on the vectors' signs ---- */

static sp_tensor *symmetric(sp_tensor *x)
{
    return sp_add(x, sp_transpose(x, -2, -1));
}

/* Far from equal eigenvalues, whatever x. */
static sp_tensor *spread(sp_tensor *x)
{
    sp_tensor *steps = sp_arange(0.0, (double)sp_size(x, -1), 1.0, .dtype = sp_dtype_of(x));
    return sp_add(symmetric(x), diagonal(sp_mul_scalar(steps, 9)));
}

static sp_tensor *exponential(sp_tensor *x)
{
    const sp_eigen e = sp_linalg_eigh(symmetric(x));
    return sp_matmul(sp_mul(e.eigenvectors, sp_unsqueeze(sp_exp(e.eigenvalues), -2)),
                     sp_transpose(e.eigenvectors, -2, -1));
}

SP__SAMPLE(values_of, sp_linalg_eigh(symmetric(in[0])).eigenvalues);
SP__SAMPLE(lower_of, sp_linalg_eigh(in[0]).eigenvalues);
SP__SAMPLE(upper_of, sp_linalg_eigh(in[0], .upper = true).eigenvalues);
SP__SAMPLE(squares_of, sp_square(sp_linalg_eigh(spread(in[0])).eigenvectors));
SP__SAMPLE(exponential_of, exponential(in[0]));

#define EIGH(CALL, TORCH, SHAPE, DTYPE, NO_GRAD)                                                                       \
    {                                                                                                                  \
        .call = CALL, .torch = TORCH, .inputs = {{.shape = SHAPE, .dtype = DTYPE}}, .no_grad = NO_GRAD                 \
    }
#define TORCH_VALUES "torch.linalg.eigvalsh(a + a.mT)"
#define TORCH_SQUARES                                                                                                  \
    "torch.linalg.eigh(a + a.mT + torch.diag(9 * torch.arange(a.shape[-1], dtype=a.dtype)))[1].square()"
#define TORCH_EXPONENTIAL "torch.linalg.matrix_exp(a + a.mT)"

const sp_op sp__op_linalg_eigh = {
    .name = "linalg_eigh",
    .autocast = SP_CAST_F32,
    .backward_name = "LinalgEighBackward0",
    .n_inputs = 1,
    .n_outputs = 2,
    .attributes_size = sizeof(eigh_attributes),
    .saves = SP_SAVE_OUTPUT(0) | SP_SAVE_OUTPUT(1),
    .infer = eigh_infer,
    .forward = eigh_forward,
    .backward = eigh_backward,
    .samples = (const sp_sample[]){EIGH(lower_of, "torch.linalg.eigvalsh(a)", "5 5", SP_DTYPE_DEFAULT, true),
                                   EIGH(values_of, TORCH_VALUES, "4 4", SP_F64, false),
                                   EIGH(squares_of, TORCH_SQUARES, "3 3", SP_F64, false),
                                   EIGH(exponential_of, TORCH_EXPONENTIAL, "2 3 3", SP_F64, false),
                                   EIGH(values_of, TORCH_VALUES, "1 1", SP_F64, false),
                                   EIGH(values_of, TORCH_VALUES, "0 0", SP_F64, false),
                                   EIGH(values_of, TORCH_VALUES, "0 2 2", SP_F64, false),
                                   EIGH(values_of, TORCH_VALUES, "70 70", SP_F64, true),
                                   EIGH(upper_of, "torch.linalg.eigvalsh(a, UPLO='U')", "5 5", SP_F64, true),
                                   EIGH(values_of, TORCH_VALUES, "5 5", SP_F32, true),
                                   EIGH(squares_of, TORCH_SQUARES, "5 5", SP_F32, true),
                                   {0}},
};

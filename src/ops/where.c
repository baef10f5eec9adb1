/* Choices by a mask, element by element. g is the gradient of the result.
 *
 *     where        a where c is true, else b      g where c, else 0; 0 where c, else g
 *     masked_fill  v where m is true, else x      0 where m, else g
 *
 * The mask is bool; all shapes broadcast. */
#include "ops/elementwise.h"

static sp_status check_mask(const sp_call *call, int i)
{
    sp_dtype dtype = call->inputs[i]->dtype;
    if (dtype == SP_BOOL) return SP_OK;
    return sp_raise(SP_ERROR_DTYPE, "sp_%s: the mask must be bool, not %s", call->op->name, sp_dtype_name(dtype));
}

/* ---- where ---- */

static sp_status where_infer(sp_call *call)
{
    sp_status status = check_mask(call, 0);
    return status ? status : sp__broadcast_output(call, sp__result_type(call->inputs + 1, 2));
}

static sp_status where_forward(sp_call *call)
{
    sp_dtype dtype = sp__result_type(call->inputs + 1, 2);
    return sp__map_tensors(SP__WHERE, call->outputs[0], call->inputs, 3, dtype, NULL);
}

static sp_status where_backward(sp_grad_call *call)
{
    sp_tensor *g = call->grads[0], *zero = sp__wrapped_f64(0), *condition = sp_saved_input(call, 0);
    sp_status status = SP__GIVE(call, 1, sp_where(condition, g, zero));
    return status ? status : SP__GIVE(call, 2, sp_where(condition, zero, g));
}

sp_tensor *sp_where(sp_tensor *condition, sp_tensor *a, sp_tensor *b)
{
    return sp_op_apply(&sp__op_where, (sp_tensor *[]){condition, a, b}, 3, NULL);
}

/* ---- masked_fill: of x, the mask and a number ---- */

static sp_status masked_fill_infer(sp_call *call)
{
    const sp_dtype dtype = call->inputs[0]->dtype;
    sp_status status = check_mask(call, 1);
    if (!status) status = sp__check_fits(call, call->attributes, dtype);
    return status ? status : sp__broadcast_output(call, dtype);
}

static sp_status masked_fill_forward(sp_call *call)
{
    sp_tensor *number = sp__wrapped(call->attributes), *x = call->inputs[0];
    if (!number) return sp_error_status();
    sp_tensor *choice[] = {call->inputs[1], number, x};
    sp_status status = sp__map_tensors(SP__WHERE, call->outputs[0], choice, 3, x->dtype, NULL);
    sp_release(number);
    return status;
}

static sp_status masked_fill_backward(sp_grad_call *call)
{
    return SP__GIVE(call, 0, sp_masked_fill(call->grads[0], sp_saved_input(call, 1), 0));
}

static sp_tensor *fill(sp_tensor *x, sp_tensor *mask, sp__number number)
{
    return sp_op_apply(&sp__op_masked_fill, (sp_tensor *[]){x, mask}, 2, &number);
}

static sp_tensor *fill_inplace(sp_tensor *x, sp_tensor *mask, sp__number number)
{
    return sp_op_apply_inplace(&sp__op_masked_fill, (sp_tensor *[]){x, mask}, 2, &number);
}

sp_tensor *sp_masked_fill(sp_tensor *x, sp_tensor *mask, double value)
{
    return fill(x, mask, sp__float_number(value));
}

sp_tensor *sp_masked_fill_int(sp_tensor *x, sp_tensor *mask, int64_t value)
{
    return fill(x, mask, sp__int_number(value));
}

sp_tensor *sp_masked_fill_(sp_tensor *x, sp_tensor *mask, double value)
{
    return fill_inplace(x, mask, sp__float_number(value));
}

sp_tensor *sp_masked_fill_int_(sp_tensor *x, sp_tensor *mask, int64_t value)
{
    return fill_inplace(x, mask, sp__int_number(value));
}

/* ---- records ---- */

SP__SAMPLE(where_sample, sp_where(in[0], in[1], in[2]));
SP__SAMPLE(masked_fill_sample, sp_masked_fill(in[0], in[1], 1));
SP__SAMPLE(masked_fill_inplace_sample, sp_masked_fill_(sp__sample_copy(in[0]), in[1], 1));

#define CHOICE(C, A, B)                                                                                                \
    {                                                                                                                  \
        .call = where_sample, .torch = "torch.where(a, b, c)", .inputs = {                                             \
            {.shape = C, .dtype = SP_BOOL},                                                                            \
            {.shape = A},                                                                                              \
            {.shape = B}                                                                                               \
        }                                                                                                              \
    }
#define FILL(CALL, TORCH, X, MASK)                                                                                     \
    {                                                                                                                  \
        .call = CALL, .torch = TORCH, .inputs = { {.shape = X}, {.shape = MASK, .dtype = SP_BOOL} }                    \
    }

static const sp_sample where_samples[] = {
    CHOICE("3 4", "3 4", "3 4"),
    CHOICE("2 3", "3", "2 1"),
    CHOICE("4 1 3", "2 1", ""),
    CHOICE("", "", ""),
    CHOICE("0 3", "1 3", ""),
    CHOICE("1", "1", "1"),
    CHOICE("67", "67", "67"),
    {.call = where_sample,
     .torch = "torch.where(a, b, c)",
     .inputs = {{.shape = "2 3", .dtype = SP_BOOL}, {.shape = "3"}, {.shape = "2 3", .dtype = SP_I32}}},
    {0}};

static const char fill_text[] = "a.masked_fill(b, 1)";
static const sp_sample masked_fill_samples[] = {
    FILL(masked_fill_sample, fill_text, "3 4", "3 4"),
    FILL(masked_fill_sample, fill_text, "2 3", "3"),
    FILL(masked_fill_sample, fill_text, "3", "2 1"),
    FILL(masked_fill_sample, fill_text, "", ""),
    FILL(masked_fill_sample, fill_text, "0 3", "3"),
    FILL(masked_fill_sample, fill_text, "1", "1"),
    FILL(masked_fill_sample, fill_text, "67", "67"),
    FILL(masked_fill_inplace_sample, "a.clone().masked_fill_(b, 1)", "2 3", "3"),
    {0}};

const sp_op sp__op_where = {.name = "where",
                            .backward_name = "WhereBackward0",
                            .n_inputs = 3,
                            .saves = SP_SAVE_INPUT(0),
                            .infer = where_infer,
                            .forward = where_forward,
                            .backward = where_backward,
                            .samples = where_samples};

const sp_op sp__op_masked_fill = {.name = "masked_fill",
                                  .backward_name = "MaskedFillBackward0",
                                  .n_inputs = 2,
                                  .attributes_size = sizeof(sp__number),
                                  .saves = SP_SAVE_INPUT(1),
                                  .infer = masked_fill_infer,
                                  .forward = masked_fill_forward,
                                  .backward = masked_fill_backward,
                                  .samples = masked_fill_samples};

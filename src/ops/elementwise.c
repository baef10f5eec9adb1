/* What the families that work element by element share. */
#include "ops/elementwise.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- infer ---- */

/* The input whose layout the output keeps: the first dense one of the output's shape. */
static const sp_tensor *layout_of(const sp_call *call, int n, const int64_t *sizes)
{
    for (int i = 0; i < call->n_inputs; i++) {
        const sp_tensor *x = call->inputs[i];
        bool same = x->ndim == n && memcmp(x->sizes, sizes, (size_t)n * sizeof *sizes) == 0;
        if (same && sp_is_dense(x)) return x;
    }
    return call->inputs[0];
}

sp_status sp__broadcast_output(sp_call *call, sp_dtype dtype)
{
    char function[64];
    int64_t sizes[SP_MAX_DIMS];
    int n = 0;
    snprintf(function, sizeof function, "sp_%s", call->op->name);
    for (int i = 0; i < call->n_inputs; i++) {
        const sp_tensor *x = call->inputs[i];
        sp_status status = sp__broadcast(function, n, sizes, x->ndim, x->sizes, &n, sizes);
        if (status) return status;
    }
    return sp_call_output_like(call, 0, dtype, (sp_dims){sizes, n}, layout_of(call, n, sizes));
}

sp_dtype sp__floating(sp_dtype dtype)
{
    return sp_dtype_is_floating_point(dtype) ? dtype : SP_F32;
}

sp_status sp__refuse_dtype(const sp_call *call, sp_dtype dtype, const char *hint)
{
    return sp_raise(SP_ERROR_DTYPE, "sp_%s: not for tensors of dtype %s%s", call->op->name, sp_dtype_name(dtype), hint);
}

sp_status sp__check_number(const sp_call *call, double value, sp_dtype dtype)
{
    /* What is left of the fraction's end fits; a negative u8 wraps, as in PyTorch. */
    static const double below[SP_DTYPE_COUNT] = {
        [SP_I64] = -0x1.0000000000001p63, [SP_I32] = -0x1p31 - 1, [SP_U8] = -0x1p8};
    static const double above[SP_DTYPE_COUNT] = {[SP_I64] = 0x1p63, [SP_I32] = 0x1p31, [SP_U8] = 0x1p8};
    if (above[dtype] == 0 || (value > below[dtype] && value < above[dtype])) return SP_OK;
    return sp_raise(SP_ERROR_ARGUMENT, "sp_%s: the number %g does not fit into dtype %s", call->op->name, value,
                    sp_dtype_name(dtype));
}

sp__number sp__float_number(double value)
{
    return (sp__number){.value = value};
}

sp__number sp__int_number(int64_t value)
{
    return (sp__number){.value = (double)value, .whole = value, .is_whole = true};
}

sp_status sp__check_fits(const sp_call *call, const sp__number *number, sp_dtype dtype)
{
    return number->is_whole && dtype == SP_I64 ? SP_OK : sp__check_number(call, number->value, dtype);
}

sp_tensor *sp__wrapped(const sp__number *number)
{
    return number->is_whole ? sp__wrapped_i64(number->whole) : sp__wrapped_f64(number->value);
}

sp_status sp__fill_number(sp_tensor *x, sp__number number)
{
    if (sp_is_contiguous(x) && sp_dtype_is_floating_point(x->dtype) && !number.is_whole)
        return sp__fill_values(x, number.value);
    sp_tensor *value = sp__wrapped(&number);
    if (!value) return sp_error_status();
    const sp_status status = sp__copy_values(x, value);
    sp_release(value);
    return status;
}

sp_status sp__infer_any(sp_call *call)
{
    return sp__broadcast_output(call, call->inputs[0]->dtype);
}

sp_status sp__infer_number(sp_call *call)
{
    if (call->inputs[0]->dtype == SP_BOOL) return sp__refuse_dtype(call, SP_BOOL, "; sp_logical_not inverts a mask");
    return sp__infer_any(call);
}

sp_status sp__infer_floating(sp_call *call)
{
    return sp__broadcast_output(call, sp__floating(call->inputs[0]->dtype));
}

sp_status sp__infer_floating_only(sp_call *call)
{
    sp_dtype dtype = call->inputs[0]->dtype;
    if (!sp_dtype_is_floating_point(dtype)) return sp__refuse_dtype(call, dtype, "; sp_cast(x, SP_F32) first");
    return sp__infer_any(call);
}

sp_status sp__infer_predicate(sp_call *call)
{
    return sp__broadcast_output(call, SP_BOOL);
}

/* ---- forward ---- */

sp_dtype sp__compute_type(const sp_call *call)
{
    sp_dtype dtype = sp__result_type(call->inputs, call->n_inputs);
    for (int i = 0; i < call->n_inputs; i++)
        if (dtype == SP_BF16 && call->inputs[i]->wrapped_number) return SP_F32;
    return dtype;
}

sp_status sp__map_call(sp_call *call, sp__map_kind kind, const double *params)
{
    return sp__map_tensors(kind, call->outputs[0], call->inputs, call->n_inputs, sp__compute_type(call), params);
}

sp_status sp__map_call_floating(sp_call *call, sp__map_kind kind, const double *params)
{
    sp_dtype dtype = sp__floating(sp__compute_type(call));
    return sp__map_tensors(kind, call->outputs[0], call->inputs, call->n_inputs, dtype, params);
}

/* ---- backward ---- */

sp_status sp__give(sp_grad_call *call, int i, sp_tensor *grad)
{
    call->result[i] = grad ? sp__sum_to(grad, sp_input_sizes(call, i)) : NULL;
    return call->result[i] ? SP_OK : sp_raise_null(call->op->backward_name, "a gradient");
}

sp_tensor *sp__widened(sp_tensor *x)
{
    return x && x->dtype == SP_BF16 ? sp_cast(x, SP_F32) : x;
}

sp_tensor *sp__mixed_f32(sp_tensor *x)
{
    return x && sp_autocast_dtype() == x->dtype ? sp_cast(x, SP_F32) : x;
}

sp_tensor *sp__sample_copy(sp_tensor *x)
{
    return sp__is_tensor(x) ? sp_clone(x) : x;
}

/* ---- numbers ---- */

/* Runs an operator on x and a number, which goes when the result is there. The user called it by its name and suffix.
 */
static sp_tensor *apply(const sp_op *op, const char *suffix, sp_tensor *x, sp_tensor *number)
{
    const bool inplace = suffix[strlen(suffix) - 1] == '_';
    sp__caller caller = {.name = op->name, .suffix = suffix, .function = true};
    sp_tensor *inputs[] = {x, number};
    sp__call_enter(&caller);
    sp_tensor *y = inplace ? sp_op_apply_inplace(op, inputs, 2, NULL) : sp_op_apply(op, inputs, 2, NULL);
    sp__call_leave(&caller);
    if (number) sp_release(number);
    return y;
}

sp_tensor *sp__apply_f64(const sp_op *op, sp_tensor *x, double value)
{
    return apply(op, "_scalar", x, sp__wrapped_f64(value));
}

sp_tensor *sp__apply_i64(const sp_op *op, sp_tensor *x, int64_t value)
{
    return apply(op, "_int", x, sp__wrapped_i64(value));
}

sp_tensor *sp__apply_f64_inplace(const sp_op *op, sp_tensor *x, double value)
{
    return apply(op, "_scalar_", x, sp__wrapped_f64(value));
}

sp_tensor *sp__apply_i64_inplace(const sp_op *op, sp_tensor *x, int64_t value)
{
    return apply(op, "_int_", x, sp__wrapped_i64(value));
}

/* Powers, element by element. g is the gradient of the result.
 *
 *     pow         a^b         g·b·a^(b-1), 0 where b = 0; g·a^b·ln a, 0 where a = 0 and b ≥ 0
 *     pow_scalar  x^e         g·e·x^(e-1); 0 for e = 0
 *
 * Integers stay integers and wrap; an exponent that is a negative whole number is then an error. */
#include "ops/elementwise.h"
#include <math.h>

/* ---- of two tensors ---- */

static sp_status pow_infer(sp_call *call)
{
    sp_dtype dtype = sp__result_type(call->inputs, 2);
    if (dtype == SP_BOOL) return sp__refuse_dtype(call, dtype, "; sp_cast(x, SP_I64) first");
    return sp__broadcast_output(call, dtype);
}

static sp_status pow_forward(sp_call *call)
{
    return sp__map_call(call, SP__POW, NULL);
}

static sp_tensor *base_gradient(sp_tensor *g, sp_tensor *a, sp_tensor *b)
{
    sp_tensor *slope = sp_mul(b, sp_pow(a, sp_sub_int(b, 1)));
    return sp_masked_fill(sp_mul(g, slope), sp_eq_int(b, 0), 0);
}

static sp_tensor *exponent_gradient(sp_tensor *g, sp_tensor *a, sp_tensor *b, sp_tensor *y)
{
    sp_tensor *flat = sp_logical_and(sp_eq_int(a, 0), sp_ge_int(b, 0));
    sp_tensor *slope = sp_mul(y, sp_log(a));
    return sp_mul(g, sp_masked_fill(slope, flat, 0));
}

static sp_status pow_backward(sp_grad_call *call)
{
    sp_tensor *g = call->grads[0];
    sp_dtype dtype = sp_dtype_of(g); /* an integer operand counts as what the result is */
    sp_tensor *a = sp_cast(sp_saved_input(call, 0), dtype), *b = sp_cast(sp_saved_input(call, 1), dtype);
    sp_status status = SP__GIVE(call, 0, base_gradient(g, a, b));
    return status ? status : SP__GIVE(call, 1, exponent_gradient(g, a, b, sp_saved_output(call, 0)));
}

sp_tensor *(sp_pow)(sp_tensor *a, sp_tensor *b)
{
    return sp_op_apply(&sp__op_pow, (sp_tensor *[]){a, b}, 2, NULL);
}

/* ---- of a tensor and a number ---- */

typedef struct exponent {
    double value;
    bool whole; /* Python's int, not its float */
} exponent;

static sp_dtype power_dtype(const sp_call *call)
{
    const exponent *e = call->attributes;
    sp_dtype dtype = call->inputs[0]->dtype;
    if (!e->whole) return sp__floating(dtype);
    return dtype == SP_BOOL ? SP_I64 : dtype;
}

static sp_status pow_scalar_infer(sp_call *call)
{
    const exponent *e = call->attributes;
    sp_dtype dtype = power_dtype(call);
    if (!sp_dtype_is_floating_point(dtype) && e->value < 0)
        return sp_raise(SP_ERROR_ARGUMENT,
                        "sp_pow_int: integers have no negative whole powers (exponent %g); cast them "
                        "to floating point",
                        e->value);
    return sp__broadcast_output(call, dtype);
}

/* The commonest exponents have kernels of their own, which are exact where pow need not be. */
static sp__map_kind power_kernel(double e)
{
    return e == 2      ? SP__SQUARE
           : e == 0.5  ? SP__SQRT
           : e == -1   ? SP__RECIPROCAL
           : e == -0.5 ? SP__RSQRT
                       : SP__POW_SCALAR;
}

static sp_status pow_scalar_forward(sp_call *call)
{
    const exponent *e = call->attributes;
    sp_dtype dtype = power_dtype(call);
    return sp__map_tensors(power_kernel(e->value), call->outputs[0], call->inputs, 1, dtype, (double[]){e->value, 0});
}

/* e·x^(e-1) */
static sp_tensor *slope(sp_tensor *x, double e)
{
    return sp_mul_scalar(e == 2 ? x : sp_pow_scalar(x, e - 1), e);
}

static sp_status pow_scalar_backward(sp_grad_call *call)
{
    const exponent *e = call->attributes;
    sp_tensor *g = call->grads[0];
    if (e->value == 0) return SP__GIVE(call, 0, sp_zeros_like(g));
    return SP__GIVE(call, 0, sp_mul(g, slope(sp_saved_input(call, 0), e->value)));
}

static sp_tensor *apply_power(const char *suffix, sp_tensor *x, exponent e, bool inplace)
{
    sp__caller caller = {.name = "pow", .suffix = suffix, .function = true};
    sp__call_enter(&caller);
    sp_tensor *y = inplace ? sp_op_apply_inplace(&sp__op_pow_scalar, &x, 1, &e)
                           : sp_op_apply(&sp__op_pow_scalar, &x, 1, &e);
    sp__call_leave(&caller);
    return y;
}

sp_tensor *sp_pow_scalar(sp_tensor *x, double value)
{
    return apply_power("_scalar", x, (exponent){value, false}, false);
}

/* Beyond 2^53 not every integer is a double, and the last bit decides the sign. */
static bool is_exact(int64_t value)
{
    const int64_t most = (int64_t)1 << 53;
    return value <= most && value >= -most;
}

sp_tensor *sp_pow_int(sp_tensor *x, int64_t value)
{
    if (!is_exact(value)) return sp__apply_i64(&sp__op_pow, x, value);
    return apply_power("_int", x, (exponent){(double)value, true}, false);
}

sp_tensor *sp_pow_int_(sp_tensor *x, int64_t value)
{
    if (!is_exact(value)) return sp__apply_i64_inplace(&sp__op_pow, x, value);
    return apply_power("_int_", x, (exponent){(double)value, true}, true);
}

sp_tensor *sp_pow_scalar_(sp_tensor *x, double value)
{
    return apply_power("_scalar_", x, (exponent){value, false}, true);
}

/* ---- records ---- */

SP__SAMPLE(pow_sample, sp_pow(in[0], in[1]));
SP__SAMPLE(pow_half_sample, sp_pow_scalar(in[0], 0.5));
SP__SAMPLE(pow_inverse_sample, sp_pow_scalar(in[0], -1));
SP__SAMPLE(pow_fraction_sample, sp_pow_scalar(in[0], 2.5));
SP__SAMPLE(pow_square_sample, sp_pow_int(in[0], 2));
SP__SAMPLE(pow_cube_sample, sp_pow_int(in[0], 3));
SP__SAMPLE(pow_zero_sample, sp_pow_int(in[0], 0));
SP__SAMPLE(pow_minus_two_sample, sp_pow_int(in[0], -2));
SP__SAMPLE(pow_inplace_sample, sp_pow_scalar_(sp__sample_copy(in[0]), 1.5));

static const sp_sample pow_samples[] = {SP__BINARY_SAMPLES(pow_sample, "a ** b", 0.3, 3), {0}};
static const sp_sample pow_scalar_samples[] = {SP__UNARY_SAMPLES(pow_fraction_sample, "a ** 2.5", 0.3, 3),
                                               SP__ONE(pow_half_sample, "a ** 0.5", "2 3", 0.3, 3),
                                               SP__ONE(pow_inverse_sample, "a ** -1.0", "2 3", 0.3, 3),
                                               SP__ONE(pow_square_sample, "a ** 2", "2 3", -2, 2),
                                               SP__ONE(pow_cube_sample, "a ** 3", "2 3", -2, 2),
                                               SP__ONE(pow_zero_sample, "a ** 0", "2 3", -2, 2),
                                               SP__ONE(pow_minus_two_sample, "a ** -2", "2 3", 0.3, 3),
                                               SP__ONE(pow_inplace_sample, "a.clone().pow_(1.5)", "2 3", 0.3, 3),
                                               {0}};

const sp_op sp__op_pow = {.name = "pow",
                          .backward_name = "PowBackward1",
                          .n_inputs = 2,
                          .saves = SP_SAVE_INPUTS | SP_SAVE_OUTPUT(0),
                          .infer = pow_infer,
                          .forward = pow_forward,
                          .backward = pow_backward,
                          .samples = pow_samples};

const sp_op sp__op_pow_scalar = {.name = "pow_scalar",
                                 .backward_name = "PowBackward0",
                                 .n_inputs = 1,
                                 .attributes_size = sizeof(exponent),
                                 .saves = SP_SAVE_INPUT(0),
                                 .infer = pow_scalar_infer,
                                 .forward = pow_scalar_forward,
                                 .backward = pow_scalar_backward,
                                 .samples = pow_scalar_samples};

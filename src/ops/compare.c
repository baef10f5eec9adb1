/* Comparisons and logic, element by element: bool tensors without gradients; and questions about whole tensors.
 *
 * Operands are compared in their promoted dtype. An integer tensor is compared with a number exactly, whatever its own
 * dtype holds: 300 is greater than every u8, and 2^53 + 1 is not 2^53. */
#include "ops/elementwise.h"

static sp_dtype comparison_type(const sp_call *call)
{
    const sp_tensor *a = call->inputs[0], *b = call->inputs[1];
    if (!b->wrapped_number || sp_dtype_is_floating_point(a->dtype)) return sp__result_type(call->inputs, 2);
    return b->dtype;
}

static sp_status compare(sp_call *call, sp__map_kind kind)
{
    return sp__map_tensors(kind, call->outputs[0], call->inputs, 2, comparison_type(call), NULL);
}

/* ---- an operator of each row ---- */

/* The samples of a row follow its three arguments. */
#define RECORD(NAME, KERNEL, ...)                                                                                      \
    static sp_status NAME##_forward(sp_call *call)                                                                     \
    {                                                                                                                  \
        return compare(call, KERNEL);                                                                                  \
    }                                                                                                                  \
    sp_tensor *(sp_##NAME)(sp_tensor * a, sp_tensor * b)                                                               \
    {                                                                                                                  \
        return sp_op_apply(&sp__op_##NAME, (sp_tensor *[]){a, b}, 2, NULL);                                            \
    }                                                                                                                  \
    SP__SAMPLE(NAME##_sample, sp_##NAME(in[0], in[1]));                                                                \
    static const sp_sample NAME##_samples[] = {__VA_ARGS__, {0}};                                                      \
    const sp_op sp__op_##NAME = {.name = #NAME,                                                                        \
                                 .n_inputs = 2,                                                                        \
                                 .infer = sp__infer_predicate,                                                         \
                                 .forward = NAME##_forward,                                                            \
                                 .samples = NAME##_samples};

#define LOGIC(NAME, KERNEL) RECORD(NAME, KERNEL, SP__BINARY_SAMPLES(NAME##_sample, "torch." #NAME "(a, b)", -2, 2))

#define COMPARISON(NAME, KERNEL, SIGN)                                                                                 \
    sp_tensor *sp_##NAME##_scalar(sp_tensor *x, double value)                                                          \
    {                                                                                                                  \
        return sp__apply_f64(&sp__op_##NAME, x, value);                                                                \
    }                                                                                                                  \
    sp_tensor *sp_##NAME##_int(sp_tensor *x, int64_t value)                                                            \
    {                                                                                                                  \
        return sp__apply_i64(&sp__op_##NAME, x, value);                                                                \
    }                                                                                                                  \
    SP__SAMPLE(NAME##_scalar_sample, sp_##NAME##_scalar(in[0], 0.5));                                                  \
    SP__SAMPLE(NAME##_int_sample, sp_##NAME##_int(in[0], 1));                                                          \
    RECORD(NAME, KERNEL, SP__BINARY_SAMPLES(NAME##_sample, "a " SIGN " b", -2, 2),                                     \
           SP__ONE(NAME##_scalar_sample, "a " SIGN " 0.5", "2 3", -2, 2),                                              \
           SP__ONE(NAME##_int_sample, "a " SIGN " 1", "2 3", -2, 2))

COMPARISON(eq, SP__EQ, "==")
COMPARISON(ne, SP__NE, "!=")
COMPARISON(lt, SP__LT, "<")
COMPARISON(le, SP__LE, "<=")
COMPARISON(gt, SP__GT, ">")
COMPARISON(ge, SP__GE, ">=")
LOGIC(logical_and, SP__LOGICAL_AND)
LOGIC(logical_or, SP__LOGICAL_OR)
LOGIC(logical_xor, SP__LOGICAL_XOR)

/* ---- questions ---- */

static bool same_shape(const sp_tensor *a, const sp_tensor *b)
{
    bool same = a->ndim == b->ndim;
    for (int d = 0; same && d < a->ndim; d++) same = a->sizes[d] == b->sizes[d];
    return same;
}

/* Whether a bool tensor is true everywhere; false for NULL. */
static bool holds(sp_tensor *x)
{
    sp_tensor *all = sp_all(x);
    return all && sp_item(all) != 0;
}

static sp_status check_pair(const char *function, const sp_tensor *a, const sp_tensor *b)
{
    sp_status status = sp__check_tensor(a, function, "argument 1");
    return status ? status : sp__check_tensor(b, function, "argument 2");
}

bool sp_equal(sp_tensor *a, sp_tensor *b)
{
    bool equal = false;
    if (check_pair("sp_equal", a, b) || a->dtype != b->dtype || !same_shape(a, b)) return false;
    SP_NO_GRAD {
        equal = holds(sp_eq(a, b));
    }
    return equal;
}

/* |a - b| ≤ atol + rtol·|b|, with infinities that are equal. Integers and bool count as f64. */
static sp_tensor *close(sp_tensor *a, sp_tensor *b, double rtol, double atol, bool equal_nan)
{
    sp_tensor *same = sp_eq(a, b);
    if (!sp_dtype_is_floating_point(a->dtype)) {
        a = sp_cast(a, SP_F64);
        b = sp_cast(b, SP_F64);
    }
    sp_tensor *distance = sp_abs(sp_sub(a, b)), *allowed = sp_add_scalar(sp_mul_scalar(sp_abs(b), rtol), atol);
    sp_tensor *near = sp_logical_and(sp_isfinite(distance), sp_le(distance, allowed));
    sp_tensor *result = sp_logical_or(same, near);
    return equal_nan ? sp_logical_or(result, sp_logical_and(sp_isnan(a), sp_isnan(b))) : result;
}

bool(sp_allclose)(sp_tensor *a, sp_tensor *b, const sp_allclose_options *options)
{
    sp_allclose_options o;
    sp_options_copy(&o, sizeof o, options);
    if (check_pair("sp_allclose", a, b)) return false;
    if (a->dtype != b->dtype || !same_shape(a, b)) {
        sp_raise(a->dtype != b->dtype ? SP_ERROR_DTYPE : SP_ERROR_SHAPE, "sp_allclose: %s %s and %s %s differ",
                 sp_dtype_name(a->dtype), sp__shape_of(a), sp_dtype_name(b->dtype), sp__shape_of(b));
        return false;
    }
    const double rtol = sp_option(o.rtol, 1e-5), atol = sp_option(o.atol, 1e-8);
    if (!(rtol >= 0) || !(atol >= 0)) {
        sp_raise(SP_ERROR_ARGUMENT, "sp_allclose: tolerances must be 0 or more, not .rtol %g and .atol %g", rtol, atol);
        return false;
    }
    bool result = false;
    SP_NO_GRAD {
        result = holds(close(a, b, rtol, atol, o.equal_nan));
    }
    return result;
}

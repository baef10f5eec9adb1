/* Normalisation of numbers whose squares do not fit into the dtype of the variance (in f32 from about 1.8e19 on): of
 * x/s, s a power of two near the group's largest, which has the same x̂. Beside such a variance eps is far beneath
 * rounding. */
#include "ops/norm.h"
#include <math.h>

/* Whether number i of a variance is finite. */
static bool fits(sp_dtype dtype, const void *var, int64_t i)
{
    return dtype == SP_F64 ? isfinite(((const double *)var)[i]) : isfinite(((const float *)var)[i]);
}

/* Whether all variances are finite: the usual case, and all that it costs. */
static bool all_fit(const sp_tensor *var)
{
    const int64_t n = sp_numel(var);
    const void *data = n ? sp_const_data(var) : NULL;
    int64_t i = 0;
    while (i < n && fits(var->dtype, data, i)) i++;
    return i == n;
}

/* For each group s, 1 where the variance fits or x is not finite itself. The largest magnitude becomes 2^31 … 2^32, so
 * that neither its square nor eps matters. */
static sp_tensor *scales(const sp__norm_attributes *a, sp_tensor *x, const sp_tensor *var)
{
    int64_t over[SP_MAX_DIMS];
    const sp_dims dims = sp__norm_dims_over(a, x->ndim, false, over);
    sp_tensor *largest = sp_contiguous(sp_cast(sp_amax_dims(sp_abs(x), dims, .keepdim = true), SP_F64));
    sp_tensor *scale = largest ? sp_clone(largest) : NULL;
    const void *found = sp_const_data(var);
    double *to = scale ? sp_data(scale) : NULL;
    for (int64_t i = 0; to && i < sp_numel(scale); i++) {
        int exponent = 0;
        frexp(to[i], &exponent);
        to[i] = fits(var->dtype, found, i) || !isfinite(to[i]) ? 1 : ldexp(1, exponent - 32);
    }
    return to ? sp_cast(scale, x->dtype) : NULL;
}

/* y, mean and var. The moments have no gradient of their own: batch_norm's has it. */
static sp_status apply(const sp_op *op, sp_tensor *const *inputs, int n, const sp__norm_attributes *a,
                       sp_tensor **outputs)
{
    if (!a->own) return sp_op_apply_n(outputs, op, inputs, n, a);
    sp_tensor *given[8] = {NULL}, *moments[4] = {NULL};
    const sp_status status = sp_op_apply_n(moments, &sp__op_batch_moments, inputs, 1, a);
    for (int i = 0; i < n; i++) given[i] = i < 3 ? inputs[i] : moments[i - 3];
    outputs[1] = moments[0], outputs[2] = moments[1];
    return status ? status : sp_op_apply_n(outputs, op, given, n, a);
}

/* Normalises x/s, and brings mean and variance back. */
static sp_status apply_scaled(const sp_op *op, sp_tensor *const *inputs, int n, const sp__norm_attributes *a,
                              sp_tensor **outputs)
{
    sp_tensor *scaled[8] = {NULL}, *scale = NULL;
    SP_NO_GRAD {
        scale = sp_escape(scales(a, inputs[0], outputs[2]));
    }
    for (int i = 0; i < n; i++) scaled[i] = inputs[i];
    scaled[0] = sp_div(inputs[0], scale);
    sp_tensor *found[4] = {NULL};
    const sp_status status = apply(op, scaled, n, a, found);
    if (status) return status;
    SP_NO_GRAD {
        sp_tensor *s = sp_cast(sp_reshape(scale, -1), found[1]->dtype);
        outputs[1] = sp_escape(sp_mul(found[1], s));
        outputs[2] = sp_escape(sp_mul(sp_mul(found[2], s), s));
    }
    outputs[0] = found[0];
    return outputs[1] && outputs[2] ? SP_OK : sp_error_status();
}

sp_status sp__norm_apply(const sp_op *op, sp_tensor *const *inputs, int n, const sp__norm_attributes *a,
                         sp_tensor **outputs)
{
    sp_tensor *first[4] = {NULL};
    sp_status status = apply(op, inputs, n, a, outputs);
    if (status || !outputs[2] || sp_numel(inputs[0]) == 0 || all_fit(outputs[2])) return status; /* of nothing: NaN */
    for (int i = 0; i < 3; i++) first[i] = outputs[i];
    sp_scope scope = sp_scope_open();
    status = apply_scaled(op, inputs, n, a, outputs);
    for (int i = 0; i < 3; i++) {
        if (status) outputs[i] = NULL;
        sp_escape(outputs[i]);
    }
    sp_scope_close(&scope);
    for (int i = 0; i < 3; i++) sp_release(first[i]);
    return status;
}

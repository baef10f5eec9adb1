/* PyTorch's rule for the dtype of a result of several operands: dimensions before 0-d tensors before numbers. */
#include "tensor/tensor.h"

/* bool, integer, floating; 0 for no type yet. */
static int category(sp_dtype dtype)
{
    if (dtype == SP_DTYPE_DEFAULT) return 0;
    return dtype == SP_BOOL ? 1 : sp_dtype_is_floating_point(dtype) ? 3 : 2;
}

/* A type of lower priority counts only where its category is higher. */
static sp_dtype combine(sp_dtype high, sp_dtype low)
{
    if (category(high) >= category(low)) return high;
    return sp_promote_types(high, low);
}

sp_dtype sp__result_type(sp_tensor *const *inputs, int n)
{
    sp_dtype arrays = SP_DTYPE_DEFAULT, scalars = SP_DTYPE_DEFAULT, numbers = SP_DTYPE_DEFAULT;
    for (int i = 0; i < n; i++) {
        const sp_tensor *x = inputs[i];
        if (sp__is_none(x)) continue;
        sp_dtype *group = x->wrapped_number ? &numbers : x->ndim > 0 ? &arrays : &scalars;
        sp_dtype dtype = x->wrapped_number && sp_dtype_is_floating_point(x->dtype) ? SP_F32 : x->dtype;
        *group = sp_promote_types(*group, dtype);
    }
    return combine(arrays, combine(scalars, numbers));
}

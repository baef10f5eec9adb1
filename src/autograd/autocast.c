/* Mixed precision: an operator's inputs in the dtype that its record asks for, by operators, so that gradients come
 * back in the dtype of what was cast. */
#include "autograd/node.h"

static sp_dtype wanted_dtype(const sp_op *op, const sp_tensor *x)
{
    const sp_dtype lower = sp_autocast_dtype();
    if (op->autocast == SP_CAST_LOWER) return x->dtype == SP_F32 ? lower : x->dtype;
    return x->dtype == lower ? SP_F32 : x->dtype;
}

/* A weight is cast once between two changes, whoever reads it. */
static sp_tensor *cast_of(sp_tensor *x, sp_dtype dtype)
{
    if (x->dtype == dtype) return x;
    const bool weight = x->requires_grad && !x->grad_fn && sp_grad_enabled();
    sp_tensor *cast = weight ? sp__cast_of(x, sp__version(x)) : NULL;
    if (cast) return cast;
    cast = sp_cast(x, dtype);
    return cast && weight && sp__keep_cast(x, sp__version(x), cast) ? NULL : cast;
}

sp_status sp__autocast(const sp_op *op, sp_tensor *const *inputs, int n, sp_tensor **cast)
{
    for (int i = 0; i < n; i++) {
        sp_tensor *x = inputs[i];
        cast[i] = sp__is_none(x) ? x : cast_of(x, wanted_dtype(op, x));
        if (!cast[i]) return sp_error_status();
    }
    return SP_OK;
}

/* Element types and PyTorch's rules of promotion. */
#include "tensor/tensor.h"

static const struct {
    const char *name;
    size_t size;
} dtypes[SP_DTYPE_COUNT] = {
    [SP_DTYPE_DEFAULT] = {"default", 0},
    [SP_F32] = {"float32", 4},
    [SP_F64] = {"float64", 8},
    [SP_BF16] = {"bfloat16", 2},
    [SP_I64] = {"int64", 8},
    [SP_I32] = {"int32", 4},
    [SP_U8] = {"uint8", 1},
    [SP_BOOL] = {"bool", 1},
};

/* The order in which a wider type takes over. */
static const int ranks[SP_DTYPE_COUNT] = {
    [SP_BOOL] = 1, [SP_U8] = 2, [SP_I32] = 3, [SP_I64] = 4, [SP_BF16] = 5, [SP_F32] = 6, [SP_F64] = 7,
};

static bool is_dtype(sp_dtype dtype)
{
    return (unsigned)dtype < SP_DTYPE_COUNT;
}

const char *sp_dtype_name(sp_dtype dtype)
{
    return is_dtype(dtype) ? dtypes[dtype].name : "unknown";
}

size_t sp_dtype_size(sp_dtype dtype)
{
    return is_dtype(dtype) ? dtypes[dtype].size : 0;
}

bool sp_dtype_is_floating_point(sp_dtype dtype)
{
    return dtype == SP_F32 || dtype == SP_F64 || dtype == SP_BF16;
}

sp_dtype sp_promote_types(sp_dtype a, sp_dtype b)
{
    if (!is_dtype(a) || !is_dtype(b)) return SP_DTYPE_DEFAULT;
    return ranks[a] >= ranks[b] ? a : b;
}

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

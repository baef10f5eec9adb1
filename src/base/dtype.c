/* Element types: names, sizes, and which of two a result has. */
#include "base/base.h"

const sp__dtype sp__dtypes[SP_DTYPE_COUNT] = {
    [SP_DTYPE_DEFAULT] = {"default", 0},
    [SP_F32] = {"float32", 4},
    [SP_F64] = {"float64", 8},
    [SP_BF16] = {"bfloat16", 2},
    [SP_I64] = {"int64", 8},
    [SP_I32] = {"int32", 4},
    [SP_U8] = {"uint8", 1},
    [SP_BOOL] = {"bool", 1},
};

/* The type of the higher rank is the result's. */
static const int ranks[SP_DTYPE_COUNT] = {
    [SP_BOOL] = 1, [SP_U8] = 2, [SP_I32] = 3, [SP_I64] = 4, [SP_BF16] = 5, [SP_F32] = 6, [SP_F64] = 7,
};

static bool is_dtype(sp_dtype dtype)
{
    return (unsigned)dtype < SP_DTYPE_COUNT;
}

const char *sp_dtype_name(sp_dtype dtype)
{
    return is_dtype(dtype) ? sp__dtypes[dtype].name : "unknown";
}

size_t sp_dtype_size(sp_dtype dtype)
{
    return is_dtype(dtype) ? (size_t)sp__dtypes[dtype].size : 0;
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

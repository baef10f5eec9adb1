/* Dense layouts: memory without gaps, whatever the order of the dimensions. */
#include "tensor/tensor.h"
#include <string.h>

bool sp_is_dense(const sp_tensor *x)
{
    if (sp__check_tensor(x, "sp_is_dense", "x")) return false;
    bool used[SP_MAX_DIMS] = {0};
    int64_t step = 1;
    for (int round = 0; round < x->ndim; round++) {
        int next = -1;
        for (int d = 0; d < x->ndim; d++)
            if (!used[d] && (x->sizes[d] == 1 || x->strides[d] == step)) next = d;
        if (next < 0) return sp__product(x->ndim, x->sizes) == 0;
        used[next] = true;
        step *= x->sizes[next];
    }
    return true;
}

sp_tensor *sp_empty_as(const sp_tensor *x, sp_dtype dtype)
{
    if (sp__check_tensor(x, "sp_empty_as", "x")) return NULL;
    if (sp_dtype_size(dtype) == 0) {
        sp_raise(SP_ERROR_DTYPE, "sp_empty_as: %d is no dtype", (int)dtype);
        return NULL;
    }
    sp_tensor *like = sp__tensor_empty(dtype, x->device, x->ndim, x->sizes);
    if (like && sp_is_dense(x)) memcpy(like->strides, x->strides, sizeof like->strides);
    return like;
}

/* Shapes and strides: products, broadcasting, dimension numbers, text for messages. */
#include "tensor/tensor.h"
#include <stdio.h>

void sp__contiguous_strides(int ndim, const int64_t *sizes, int64_t *strides)
{
    int64_t step = 1;
    for (int d = ndim - 1; d >= 0; d--) {
        strides[d] = step;
        step = sp_size_mul(step, sizes[d] > 1 ? sizes[d] : 1);
    }
}

int64_t sp__product(int ndim, const int64_t *sizes)
{
    int64_t product = 1;
    bool overflow = false;
    for (int d = 0; d < ndim; d++) {
        if (sizes[d] == 0) return 0;
        overflow |= __builtin_mul_overflow(product, sizes[d], &product);
    }
    return overflow ? -1 : product;
}

bool sp__strides_contiguous(int ndim, const int64_t *sizes, const int64_t *strides)
{
    int64_t step = 1;
    bool contiguous = true;
    for (int d = ndim - 1; d >= 0; d--) {
        if (sizes[d] == 0) return true;
        if (sizes[d] == 1) continue;
        contiguous &= strides[d] == step;
        step *= sizes[d];
    }
    return contiguous;
}

sp_status sp__check_dims(const char *function, const char *argument, sp_dims dims)
{
    if (dims.n < 0) return sp_raise(SP_ERROR_ARGUMENT, "%s: %s is a list of %d numbers", function, argument, dims.n);
    return dims.n > 0 && !dims.data ? sp_raise_null(function, argument) : SP_OK;
}

sp_status sp__check_shape(const char *function, const char *argument, sp_dims dims)
{
    if (sp__check_dims(function, argument, dims)) return sp_error_status();
    if (dims.n <= SP_MAX_DIMS) return SP_OK;
    return sp_raise(SP_ERROR_SHAPE, "%s: a tensor has at most %d dimensions, not %d", function, SP_MAX_DIMS, dims.n);
}

sp_status sp__wrap_dim(const char *function, int ndim, int dim, int *out)
{
    int n = ndim > 0 ? ndim : 1;
    if (dim < -n || dim >= n)
        return sp_raise(SP_ERROR_SHAPE, "%s: dimension %d is out of range: it must be between %d and %d", function, dim,
                        -n, n - 1);
    *out = dim < 0 ? dim + n : dim;
    return SP_OK;
}

/* The size at position i from the end; 1 where the shape has no such dimension. */
static int64_t from_end(int n, const int64_t *sizes, int i)
{
    return i < n ? sizes[n - 1 - i] : 1;
}

sp_status sp__broadcast(const char *function, int na, const int64_t *a, int nb, const int64_t *b, int *n, int64_t *out)
{
    int ndim = na > nb ? na : nb;
    int64_t result[SP_MAX_DIMS];
    for (int i = 0; i < ndim; i++) {
        int64_t x = from_end(na, a, i), y = from_end(nb, b, i);
        if (x != y && x != 1 && y != 1)
            return sp_raise(SP_ERROR_SHAPE,
                            "%s: shapes %s and %s do not broadcast: sizes %lld and %lld at dimension %d from the end",
                            function, sp__shape_text(na, a), sp__shape_text(nb, b), (long long)x, (long long)y, i + 1);
        result[ndim - 1 - i] = x == 1 ? y : x;
    }
    for (int d = 0; d < ndim; d++) out[d] = result[d];
    *n = ndim;
    return SP_OK;
}

void sp__broadcast_strides(const sp_tensor *x, int ndim, const int64_t *sizes, int64_t *strides)
{
    int lead = ndim - x->ndim;
    for (int d = 0; d < ndim; d++) {
        bool repeats = d < lead || (x->sizes[d - lead] == 1 && sizes[d] != 1);
        strides[d] = repeats ? 0 : x->strides[d - lead];
    }
}

const char *sp__shape_text(int ndim, const int64_t *sizes)
{
    static _Thread_local char ring[8][SP_MAX_DIMS * 22 + 3];
    static _Thread_local unsigned next;
    char *text = ring[next++ % 8];
    size_t at = 0, room = sizeof ring[0];
    at += (size_t)snprintf(text, room, "[");
    for (int d = 0; d < ndim; d++)
        at += (size_t)snprintf(text + at, room - at, d ? ", %lld" : "%lld", (long long)sizes[d]);
    snprintf(text + at, room - at, "]");
    return text;
}

const char *sp__shape_of(const sp_tensor *x)
{
    return sp__shape_text(x->ndim, x->sizes);
}

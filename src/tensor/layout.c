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
    if (like) sp__set_layout(like, x);
    return like;
}

bool sp__same_strides(const sp_tensor *a, const sp_tensor *b)
{
    for (int d = 0; d < a->ndim; d++)
        if (a->sizes[d] > 1 && a->strides[d] != b->strides[d]) return false;
    return true;
}

static bool same_sizes(const sp_tensor *a, const sp_tensor *b)
{
    return a->ndim == b->ndim && memcmp(a->sizes, b->sizes, (size_t)a->ndim * sizeof *a->sizes) == 0;
}

/* Where strides differ only in dimensions of one element, x keeps its own, the contiguous ones. */
void sp__set_layout(sp_tensor *x, const sp_tensor *like)
{
    if (!same_sizes(x, like) || sp__same_strides(x, like) || !sp_is_dense(like)) return;
    memcpy(x->strides, like->strides, sizeof x->strides);
}

/* ---- images with their channels innermost ---- */

static void channels_last_strides(int ndim, const int64_t *sizes, int64_t *strides)
{
    const int c = ndim - 3, h = ndim - 2, w = ndim - 1;
    strides[c] = 1;
    strides[w] = sizes[c];
    strides[h] = sizes[c] * sizes[w];
    if (ndim == 4) strides[0] = sizes[c] * sizes[w] * sizes[h];
}

bool sp_is_channels_last(const sp_tensor *x)
{
    if (sp__check_tensor(x, "sp_is_channels_last", "x")) return false;
    if (x->ndim < 3 || x->ndim > 4 || sp__strides_contiguous(x->ndim, x->sizes, x->strides)) return false;
    sp_tensor last = {.ndim = x->ndim};
    memcpy(last.sizes, x->sizes, sizeof last.sizes);
    channels_last_strides(x->ndim, x->sizes, last.strides);
    return sp__same_strides(x, &last);
}

void sp__set_channels_last(sp_tensor *x)
{
    const int c = x->ndim - 3;
    if (c < 0 || c > 1 || sp__product(x->ndim, x->sizes) == 0) return;
    if (x->sizes[c] > 1 && x->sizes[c + 1] * x->sizes[c + 2] > 1) channels_last_strides(x->ndim, x->sizes, x->strides);
}

/* ---- what may be written ---- */

static int64_t distance(const sp_tensor *x, int d)
{
    return x->strides[d] < 0 ? -x->strides[d] : x->strides[d];
}

/* Elements lie apart when each dimension, in the order of distances, steps over all that those before it reach. */
static bool may_overlap(const sp_tensor *x)
{
    int order[SP_MAX_DIMS], n = 0;
    for (int d = 0; d < x->ndim; d++) {
        if (x->sizes[d] < 2) continue;
        int at = n++;
        for (; at > 0 && distance(x, order[at - 1]) > distance(x, d); at--) order[at] = order[at - 1];
        order[at] = d;
    }
    int64_t reach = 0;
    for (int i = 0; i < n; i++) {
        if (distance(x, order[i]) <= reach) return true;
        reach += (x->sizes[order[i]] - 1) * distance(x, order[i]);
    }
    return false;
}

sp_status sp__check_writable(const sp_tensor *x, const char *function)
{
    if (x->stands_in)
        return sp_raise(
            SP_ERROR_STATE,
            "%s: this view of an image is a copy, for the image's channels lie innermost in memory, and the "
            "image would stay as it is: change the image itself, or a clone of the view",
            function);
    if (sp__strides_contiguous(x->ndim, x->sizes, x->strides) || sp__product(x->ndim, x->sizes) == 0 || !may_overlap(x))
        return SP_OK;
    return sp_raise(SP_ERROR_STATE,
                    "%s: an expanded tensor has several elements in one place of memory: take sp_clone(x) first",
                    function);
}

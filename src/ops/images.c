/* What operators on images share. */
#include "ops/images.h"
#include <string.h>

/* ---- number-or-pair ---- */

sp__pair sp__pair_of(int64_t number, const int64_t pair[2], int64_t absent)
{
    if (pair[0] || pair[1]) return (sp__pair){{sp_option_int(pair[0], 0), sp_option_int(pair[1], 0)}};
    number = sp_option_int(number, absent);
    return (sp__pair){{number, number}};
}

bool sp__pair_least(sp__pair pair, int64_t least)
{
    return pair.v[0] >= least && pair.v[1] >= least;
}

sp_status sp__check_pair(const char *function, const char *name, sp__pair pair, int64_t least)
{
    if (!sp__pair_least(pair, least))
        return sp_raise(SP_ERROR_ARGUMENT, "%s: %s must be %lld or more, not %lld by %lld", function, name,
                        (long long)least, (long long)pair.v[0], (long long)pair.v[1]);
    if (pair.v[0] <= INT32_MAX && pair.v[1] <= INT32_MAX) return SP_OK;
    return sp_raise(SP_ERROR_ARGUMENT, "%s: %s of %lld by %lld is too large: at most %d", function, name,
                    (long long)pair.v[0], (long long)pair.v[1], INT32_MAX);
}

/* ---- shapes ---- */

sp_status sp__check_images(const sp_call *call, int i)
{
    const sp_tensor *x = call->inputs[i];
    if (!sp_dtype_is_floating_point(x->dtype)) return sp__refuse_dtype(call, x->dtype, "; sp_cast(x, SP_F32) first");
    if (x->ndim == 3 || x->ndim == 4) return SP_OK;
    return sp_raise(SP_ERROR_SHAPE, "sp_%s: needs images (N, C, H, W) or one (C, H, W), not shape %s", call->op->name,
                    sp__shape_of(x));
}

sp_status sp__check_filled_images(const sp_call *call, int i)
{
    const sp_tensor *x = call->inputs[i];
    if (sp__check_images(call, i)) return sp_error_status();
    if (sp__product(3, x->sizes + x->ndim - 3) > 0) return SP_OK;
    return sp_raise(SP_ERROR_SHAPE, "sp_%s: images of shape %s have no places: only a batch may be empty",
                    call->op->name, sp__shape_of(x));
}

int64_t sp__image_batch(const sp_tensor *x)
{
    return x->ndim == 4 ? x->sizes[0] : 1;
}

int64_t sp__image_channels(const sp_tensor *x)
{
    return x->sizes[x->ndim - 3];
}

sp__operand sp__image_operand(const sp_tensor *x)
{
    sp__operand operand = sp__operand_of(x);
    memset(operand.strides, 0, sizeof operand.strides);
    const int missing = 4 - x->ndim;
    for (int d = 0; d < x->ndim; d++) operand.strides[d + missing] = x->strides[d];
    return operand;
}

sp_status sp__image_output(sp_call *call, int i, sp_dtype dtype, const sp_tensor *like, int64_t height, int64_t width)
{
    int64_t sizes[SP_MAX_DIMS];
    memcpy(sizes, like->sizes, sizeof sizes);
    sizes[like->ndim - 2] = height;
    sizes[like->ndim - 1] = width;
    const sp_dims dims = {sizes, like->ndim};
    const bool last = sp__image_channels(like) > 1 && like->strides[like->ndim - 3] == 1;
    return last ? sp_call_output_channels_last(call, i, dtype, dims) : sp_call_output(call, i, dtype, dims);
}

bool sp__image_fits(const sp_tensor *x, const sp_tensor *like, int64_t height, int64_t width)
{
    bool fits = x->ndim == like->ndim;
    for (int d = 0; d < like->ndim - 2 && fits; d++) fits = x->sizes[d] == like->sizes[d];
    return fits && sp__image_height(x) == height && sp__image_width(x) == width;
}

/* ---- sums ---- */

sp_status sp__image_sums(sp_call *call, sp__image_run *run)
{
    sp_tensor *out = call->outputs[0], *y = call->inputs[0], *other = call->n_inputs > 1 ? call->inputs[1] : NULL;
    if (out->dtype != SP_BF16) return run(call->attributes, out, y, other);
    sp_tensor *wide_y = sp_empty_as(y, SP_F32), *wide = sp_empty_as(out, SP_F32);
    sp_status status = wide_y && wide ? sp__copy_values(wide_y, y) : sp_error_status();
    if (!status) status = run(call->attributes, wide, wide_y, other);
    if (!status) status = sp__copy_values(out, wide);
    sp_release(wide_y);
    sp_release(wide);
    return status;
}

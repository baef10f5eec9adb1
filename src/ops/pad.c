/* Tensors with more around them: a constant here, what is there already in resample.c.
 *
 *   constant_pad_nd  y = x with before[d], after[d] more entries of one value; negative ones take away
 *                    dx = dy padded by -before[d], -after[d] */
#include "ops/images.h"
#include <string.h>

typedef struct pad_attributes {
    int n; /* the last n dimensions */
    int64_t before[SP_MAX_DIMS], after[SP_MAX_DIMS];
    double value;
} pad_attributes;

/* ---- constant_pad_nd ---- */

static sp_status constant_infer(sp_call *call)
{
    const pad_attributes *a = call->attributes;
    const sp_tensor *x = call->inputs[0];
    int64_t sizes[SP_MAX_DIMS];
    memcpy(sizes, x->sizes, sizeof sizes);
    if (a->n > x->ndim)
        return sp_raise(SP_ERROR_SHAPE, "sp_constant_pad_nd: paddings of %d dimensions for shape %s", a->n,
                        sp__shape_of(x));
    if (sp__check_number(call, a->value, x->dtype)) return sp_error_status();
    for (int k = 0; k < a->n; k++) {
        const int d = x->ndim - a->n + k;
        sizes[d] += a->before[k] + a->after[k];
        if (sizes[d] < 0)
            return sp_raise(SP_ERROR_SHAPE,
                            "sp_constant_pad_nd: paddings of %lld and %lld leave less than nothing of "
                            "dimension %d of shape %s",
                            (long long)a->before[k], (long long)a->after[k], d, sp__shape_of(x));
    }
    return sp_call_output(call, 0, x->dtype, (sp_dims){sizes, x->ndim});
}

/* What x and y share, as views of both. */
static void overlap(const pad_attributes *a, sp_tensor *x, sp_tensor *y)
{
    for (int k = 0; k < a->n; k++) {
        const int d = x->ndim - a->n + k;
        const int64_t before = a->before[k], from_x = before < 0 ? -before : 0, from_y = before < 0 ? 0 : before;
        int64_t length = x->sizes[d] - from_x;
        if (length > y->sizes[d] - from_y) length = y->sizes[d] - from_y;
        if (length < 0) length = 0;
        x->offset += from_x * x->strides[d];
        y->offset += from_y * y->strides[d];
        x->sizes[d] = y->sizes[d] = length;
    }
}

static sp_status constant_forward(sp_call *call)
{
    const pad_attributes *a = call->attributes;
    sp_tensor *out = call->outputs[0];
    sp_status status = sp__fill_values(out, a->value);
    sp_tensor *x = sp__tensor_alias_unowned(call->inputs[0]), *y = x ? sp__tensor_alias_unowned(out) : NULL;
    if (y)
        overlap(a, x, y);
    else
        status = SP_ERROR_MEMORY;
    if (!status && sp__product(y->ndim, y->sizes)) status = sp__copy_values(y, x);
    sp__unref(x);
    sp__unref(y);
    return status;
}

static sp_status constant_backward(sp_grad_call *call)
{
    pad_attributes a = *(const pad_attributes *)call->attributes;
    a.value = 0;
    for (int k = 0; k < a.n; k++) a.before[k] = -a.before[k], a.after[k] = -a.after[k];
    return SP__GIVE(call, 0, sp_op_apply(&sp__op_constant_pad_nd, call->grads, 1, &a));
}

/* ---- public ---- */

/* One dimension is padded as an image of one row. */
static sp_tensor *pad_by_image(sp_tensor *x, sp_dims padding, sp_pad_mode mode)
{
    const bool row = padding.n == 2;
    const int64_t before[2] = {row ? 0 : padding.data[2], padding.data[0]};
    const int64_t after[2] = {row ? 0 : padding.data[3], padding.data[1]};
    if (!row) return sp__pad_by_image(x, mode, before, after);
    sp_scope scope = sp_scope_open();
    const bool single = x->ndim == 2; /* (C, W) */
    sp_tensor *image = sp_unsqueeze(single ? sp_unsqueeze(x, 0) : x, -2);
    sp_tensor *y = image ? sp__pad_by_image(image, mode, before, after) : NULL;
    y = y ? sp_squeeze_dim(y, -2) : NULL;
    y = sp_escape(y && single ? sp_squeeze_dim(y, 0) : y);
    sp_scope_close(&scope);
    return y;
}

/* Larger than any size; sums of a few of them fit. */
#define MOST (INT64_MAX / 16)

static sp_status check_call(const sp_tensor *x, sp_dims padding, sp_pad_mode mode)
{
    if (sp__check_dims("sp_pad", "padding", padding)) return sp_error_status();
    if (padding.n % 2 || padding.n / 2 > x->ndim)
        return sp_raise(SP_ERROR_ARGUMENT,
                        "sp_pad: %d numbers for shape %s: before and after for the last dimension, then for the one "
                        "before it, and so on",
                        padding.n, sp__shape_of(x));
    for (int i = 0; i < padding.n; i++)
        if (padding.data[i] > MOST || padding.data[i] < -MOST)
            return sp_raise(SP_ERROR_ARGUMENT, "sp_pad: no tensor has room for a padding of %lld",
                            (long long)padding.data[i]);
    if (mode == SP_PAD_CONSTANT) return SP_OK;
    if (mode != SP_PAD_REFLECT && mode != SP_PAD_REPLICATE)
        return sp_raise(SP_ERROR_ARGUMENT, "sp_pad: %d is no mode", (int)mode);
    const int n = padding.n / 2;
    if (n >= 1 && n <= 2 && x->ndim >= n + 1 && x->ndim <= n + 2) return SP_OK;
    return sp_raise(SP_ERROR_UNSUPPORTED,
                    "sp_pad: reflection and replication are for the last dimension of (C, W) or (N, C, W) and the last "
                    "two of (C, H, W) or (N, C, H, W), not for %d of shape %s",
                    n, sp__shape_of(x));
}

sp_tensor *(sp_pad)(sp_tensor *x, sp_dims padding, const sp_pad_options *options)
{
    sp_pad_options o;
    sp_options_copy(&o, sizeof o, options);
    if (sp__check_tensor(x, "sp_pad", "x") || check_call(x, padding, o.mode)) return NULL;
    if (o.mode != SP_PAD_CONSTANT) return pad_by_image(x, padding, o.mode);
    pad_attributes a = {.n = padding.n / 2, .value = sp_option(o.value, 0)};
    for (int k = 0; k < a.n; k++) {
        a.before[k] = padding.data[2 * (a.n - 1 - k)];
        a.after[k] = padding.data[2 * (a.n - 1 - k) + 1];
    }
    return sp_op_apply(&sp__op_constant_pad_nd, &x, 1, &a);
}

/* ---- samples and record ---- */

SP__SAMPLE(pad_last, sp_pad(in[0], SP_DIMS(1, 2)));
SP__SAMPLE(pad_two, sp_pad(in[0], SP_DIMS(1, 0, 2, 3), .value = 3));
SP__SAMPLE(pad_away, sp_pad(in[0], SP_DIMS(-1, 2, 1, -2)));

static const pad_attributes sample_last = {1, {1}, {2}, 0};
SP__SAMPLE(pad_here, sp_op_apply(&sp__op_constant_pad_nd, in, 1, &sample_last));

const sp_op sp__op_constant_pad_nd = {
    .name = "constant_pad_nd",
    .backward_name = "ConstantPadNdBackward0",
    .n_inputs = 1,
    .attributes_size = sizeof(pad_attributes),
    .infer = constant_infer,
    .forward = constant_forward,
    .backward = constant_backward,
    .samples = (const sp_sample[]){SP__ONE(pad_last, "F.pad(a, (1, 2))", "3 4", -2, 2),
                                   SP__ONE(pad_two, "F.pad(a, (1, 0, 2, 3), value=3)", "2 3 4", -2, 2),
                                   SP__ONE(pad_away, "F.pad(a, (-1, 2, 1, -2))", "2 3 4", -2, 2),
                                   SP__ONE(pad_last, "F.pad(a, (1, 2))", "0", -2, 2),
                                   SP__ONE(pad_here, "F.pad(a, (1, 2))", "3", -2, 2),
                                   {0}},
};

/* Convolutions as the user calls them: checks the shapes and numbers, and works out the sizes that follow. */
#include "ops/conv.h"

/* Images and a weight of four dimensions, and numbers that can be worked with. */
static sp_status check_arguments(const char *function, const sp_tensor *x, const sp_tensor *w,
                                 const sp__conv_geometry *g)
{
    if (x->ndim != 3 && x->ndim != 4)
        return sp_raise(SP_ERROR_SHAPE, "%s: needs images (N, C, H, W) or one (C, H, W), not shape %s", function,
                        sp__shape_of(x));
    if (x->sizes[x->ndim - 1] < 1 || x->sizes[x->ndim - 2] < 1)
        return sp_raise(SP_ERROR_SHAPE, "%s: images of shape %s have no places: only batch and channels may be 0",
                        function, sp__shape_of(x));
    if (w->ndim != 4 || w->sizes[0] < 1 || w->sizes[2] < 1 || w->sizes[3] < 1)
        return sp_raise(SP_ERROR_SHAPE,
                        "%s: a weight has four dimensions, channels and a kernel, none of them empty but that of the "
                        "channels of x, not shape %s",
                        function, sp__shape_of(w));
    if (g->groups < 1)
        return sp_raise(SP_ERROR_ARGUMENT, "%s: groups must be 1 or more, not %lld", function, (long long)g->groups);
    if (w->sizes[0] % g->groups)
        return sp_raise(SP_ERROR_SHAPE, "%s: %lld groups do not divide the %lld channels of a weight of shape %s",
                        function, (long long)g->groups, (long long)w->sizes[0], sp__shape_of(w));
    if (sp__check_pair(function, "stride", g->stride, 1) || sp__check_pair(function, "dilation", g->dilation, 1))
        return sp_error_status();
    return sp__check_pair(function, "padding", g->padding, 0);
}

static sp_status wrong_channels(const char *function, const sp_tensor *x, const sp_tensor *w,
                                const sp__conv_geometry *g, int64_t wanted)
{
    return sp_raise(
        SP_ERROR_SHAPE, "%s: a weight of shape %s in %lld group%s takes %lld channels; the images' shape is %s",
        function, sp__shape_of(w), (long long)g->groups, g->groups > 1 ? "s" : "", (long long)wanted, sp__shape_of(x));
}

/* The distance from a kernel's first place to its last. */
static int64_t reach(const sp__conv_geometry *g, int d)
{
    return sp_size_mul(g->dilation.v[d], g->kernel.v[d] - 1);
}

static sp__pair last_two(const sp_tensor *x)
{
    return (sp__pair){{x->sizes[x->ndim - 2], x->sizes[x->ndim - 1]}};
}

/* padding="same": as many zeros as keep the size, an odd one behind. */
static sp_status pad_same(const char *function, sp__conv_geometry *g)
{
    if (g->stride.v[0] != 1 || g->stride.v[1] != 1)
        return sp_raise(SP_ERROR_ARGUMENT, "%s: .same keeps the size, which a stride does not: give .padding",
                        function);
    if (g->padding.v[0] || g->padding.v[1])
        return sp_raise(SP_ERROR_ARGUMENT, "%s: .same and .padding are two paddings: give one", function);
    for (int d = 0; d < 2; d++) g->padding.v[d] = reach(g, d) / 2;
    g->out_size = g->size;
    return sp__check_pair(function, "half of the kernel's reach", g->padding, 0);
}

static sp_status solve_out_size(const char *function, sp__conv_geometry *g)
{
    for (int d = 0; d < 2; d++) {
        const int64_t padded = g->size.v[d] + 2 * g->padding.v[d], room = padded - 1 - reach(g, d);
        if (room < 0)
            return sp_raise(SP_ERROR_SHAPE,
                            "%s: a kernel that reaches over %lld by %lld places is larger than the padded image, %lld "
                            "by %lld",
                            function, (long long)sp_size_add(reach(g, 0), 1), (long long)sp_size_add(reach(g, 1), 1),
                            (long long)(g->size.v[0] + 2 * g->padding.v[0]),
                            (long long)(g->size.v[1] + 2 * g->padding.v[1]));
        g->out_size.v[d] = room / g->stride.v[d] + 1;
    }
    return SP_OK;
}

static sp_status solve_conv(const sp_tensor *x, const sp_tensor *w, const sp_conv2d_options *o, sp__conv_geometry *g)
{
    const char *function = "sp_conv2d";
    *g = (sp__conv_geometry){.stride = sp__pair_of(o->stride, o->stride_hw, 1),
                             .padding = sp__pair_of(o->padding, o->padding_hw, 0),
                             .dilation = sp__pair_of(o->dilation, o->dilation_hw, 1),
                             .groups = sp_option_int(o->groups, 1)};
    if (check_arguments(function, x, w, g)) return sp_error_status();
    g->size = last_two(x);
    g->kernel = last_two(w);
    g->in = x->sizes[x->ndim - 3];
    g->out = w->sizes[0];
    if (w->sizes[1] * g->groups != g->in) return wrong_channels(function, x, w, g, w->sizes[1] * g->groups);
    return o->same ? pad_same(function, g) : solve_out_size(function, g);
}

static sp_status check_output_padding(const sp__conv_geometry *g, sp__pair extra)
{
    if (sp__check_pair("sp_conv_transpose2d", "output_padding", extra, 0)) return sp_error_status();
    for (int d = 0; d < 2; d++)
        if (extra.v[d] >= g->stride.v[d] && extra.v[d] >= g->dilation.v[d])
            return sp_raise(SP_ERROR_ARGUMENT,
                            "sp_conv_transpose2d: output_padding must be less than stride or dilation, not %lld",
                            (long long)extra.v[d]);
    return SP_OK;
}

/* x of the user is y of the sp__conv_geometry, and what results is its x. */
static sp_status solve_transposed(const sp_tensor *x, const sp_tensor *w, const sp_conv_transpose2d_options *o,
                                  sp__conv_geometry *g)
{
    const char *function = "sp_conv_transpose2d";
    const sp__pair extra = sp__pair_of(o->output_padding, o->output_padding_hw, 0);
    *g = (sp__conv_geometry){.stride = sp__pair_of(o->stride, o->stride_hw, 1),
                             .padding = sp__pair_of(o->padding, o->padding_hw, 0),
                             .dilation = sp__pair_of(o->dilation, o->dilation_hw, 1),
                             .groups = sp_option_int(o->groups, 1)};
    if (check_arguments(function, x, w, g) || check_output_padding(g, extra)) return sp_error_status();
    g->out_size = last_two(x);
    g->kernel = last_two(w);
    g->out = x->sizes[x->ndim - 3];
    g->in = w->sizes[1] * g->groups;
    if (w->sizes[0] != g->out) return wrong_channels(function, x, w, g, w->sizes[0]);
    if (g->in < 1)
        return sp_raise(SP_ERROR_SHAPE, "%s: a weight of shape %s makes no channels", function, sp__shape_of(w));
    for (int d = 0; d < 2; d++) {
        const int64_t spread = g->out_size.v[d] ? sp_size_mul(g->out_size.v[d] - 1, g->stride.v[d]) : -g->stride.v[d];
        g->size.v[d] = sp_size_add(sp_size_add(spread, reach(g, d)), extra.v[d] + 1) - 2 * g->padding.v[d];
    }
    if (sp__pair_least(g->size, 1)) return SP_OK;
    return sp_raise(SP_ERROR_SHAPE,
                    "%s: images of shape %s would become %lld by %lld: less padding, or a larger kernel", function,
                    sp__shape_of(x), (long long)g->size.v[0], (long long)g->size.v[1]);
}

/* One image is a batch of one. */
static sp_tensor *apply(const sp_op *op, sp_tensor *x, sp_tensor *weight, sp_tensor *bias, const sp__conv_geometry *g)
{
    if (x->ndim == 4) return sp_op_apply(op, (sp_tensor *[]){x, weight, bias}, 3, g);
    sp_scope scope = sp_scope_open();
    sp_tensor *batch = sp_unsqueeze(x, 0);
    sp_tensor *y = batch ? sp_op_apply(op, (sp_tensor *[]){batch, weight, bias}, 3, g) : NULL;
    y = sp_escape(y ? sp_squeeze_dim(y, 0) : NULL);
    sp_scope_close(&scope);
    return y;
}

sp_tensor *(sp_conv2d)(sp_tensor *x, sp_tensor *weight, sp_tensor *bias, const sp_conv2d_options *options)
{
    sp_conv2d_options o;
    sp__conv_geometry g;
    sp_options_copy(&o, sizeof o, options);
    if (sp__check_tensor(x, "sp_conv2d", "x") || sp__check_tensor(weight, "sp_conv2d", "weight")) return NULL;
    return solve_conv(x, weight, &o, &g) ? NULL : apply(&sp__op_conv2d, x, weight, bias, &g);
}

sp_tensor *(sp_conv_transpose2d)(sp_tensor *x, sp_tensor *weight, sp_tensor *bias,
                                 const sp_conv_transpose2d_options *options)
{
    const char *function = "sp_conv_transpose2d";
    sp_conv_transpose2d_options o;
    sp__conv_geometry g;
    sp_options_copy(&o, sizeof o, options);
    if (sp__check_tensor(x, function, "x") || sp__check_tensor(weight, function, "weight")) return NULL;
    return solve_transposed(x, weight, &o, &g) ? NULL : apply(&sp__op_conv_transpose2d, x, weight, bias, &g);
}

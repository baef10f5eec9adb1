/* The largest of each window of images.
 *
 *   max_pool2d           y[p] = max of x over window p; where[p] its place in the window   dx = backward(dy, where)
 *   max_pool2d_backward  x[i] = Σ g[p] over the windows p whose maximum is at i            dg = gather(dx, where)
 *   max_pool2d_gather    y[p] = x[where[p]]                                                dx = backward(dy, where)
 *
 * The place takes a byte where the window has at most 256 of them: a tenth of the traffic of PyTorch's i64 indices.
 * Source: PyTorch, torch.nn.MaxPool2d. */
#include "ops/max_pool.h"

/* ---- shapes ---- */

static int64_t windows_along(const sp__pool_windows *a, int64_t size, int d)
{
    const int64_t stride = a->stride.v[d], padding = a->padding.v[d];
    const int64_t room = size + 2 * padding - a->dilation.v[d] * (a->kernel.v[d] - 1) - 1 +
                         (a->ceil_mode ? stride - 1 : 0);
    if (room < 0) return 0;
    int64_t n = room / stride + 1;
    if (a->ceil_mode && (n - 1) * stride >= size + padding) n--; /* the last window begins behind the image */
    return n;
}

static sp_status check_windows(const sp__pool_windows *a, const char *function)
{
    if (sp__check_pair(function, "the kernel's size", a->kernel, 1) ||
        sp__check_pair(function, "stride", a->stride, 1) || sp__check_pair(function, "dilation", a->dilation, 1))
        return sp_error_status();
    for (int d = 0; d < 2; d++) {
        const int64_t reach = a->dilation.v[d] * (a->kernel.v[d] - 1) + 1;
        if (a->padding.v[d] < 0 || a->padding.v[d] > reach / 2)
            return sp_raise(SP_ERROR_ARGUMENT, "%s: padding must be between 0 and half the window (%lld), not %lld",
                            function, (long long)(reach / 2), (long long)a->padding.v[d]);
    }
    return SP_OK;
}

static sp_status too_small(const char *function, const sp_tensor *x, const sp__pool_windows *a)
{
    return sp_raise(SP_ERROR_SHAPE, "%s: a window of %lld by %lld does not fit into images of shape %s", function,
                    (long long)a->kernel.v[0], (long long)a->kernel.v[1], sp__shape_of(x));
}

/* Places of a window that lie inside the image. */
static int64_t places_of(const sp__pool_windows *a)
{
    int64_t n = 1;
    for (int d = 0; d < 2; d++) n = sp_size_mul(n, sp__pool_inside(a->kernel.v[d], a->size.v[d], a->dilation.v[d]));
    return n;
}

static sp_dtype where_dtype(const sp__pool_windows *a)
{
    return places_of(a) <= 256 ? SP_U8 : SP_I32;
}

/* ---- the kernel's call, from either side ---- */

static sp__pool kernel_call(sp__pool_kind kind, const sp__pool_windows *a, const sp_tensor *y, const sp_tensor *where)
{
    sp__pool call = {.kind = kind,
                     .batch = sp__image_batch(where),
                     .channels = sp__image_channels(where),
                     .y = sp__image_operand(y),
                     .where = sp__image_operand(where)};
    for (int d = 0; d < 2; d++) {
        call.size[d] = a->size.v[d];
        call.out_size[d] = where->sizes[where->ndim - 2 + d];
        call.kernel[d] = a->kernel.v[d];
        call.stride[d] = a->stride.v[d];
        call.padding[d] = a->padding.v[d];
        call.dilation[d] = a->dilation.v[d];
    }
    return call;
}

/* ---- max_pool2d ---- */

static sp_status max_pool2d_infer(sp_call *call)
{
    const sp__pool_windows *a = call->attributes;
    const sp_tensor *x = call->inputs[0];
    if (sp__check_filled_images(call, 0) || check_windows(a, "sp_max_pool2d")) return sp_error_status();
    const int64_t height = windows_along(a, sp__image_height(x), 0), width = windows_along(a, sp__image_width(x), 1);
    if (height < 1 || width < 1) return too_small("sp_max_pool2d", x, a);
    if (places_of(a) > INT32_MAX)
        return sp_raise(SP_ERROR_ARGUMENT, "sp_max_pool2d: windows of %lld places are too large",
                        (long long)places_of(a));
    const sp_status status = sp__image_output(call, 0, x->dtype, x, height, width);
    return status ? status : sp__image_output(call, 1, where_dtype(a), x, height, width);
}

static sp_status max_pool2d_forward(sp_call *call)
{
    sp__pool kernel = kernel_call(SP__POOL_MAX, call->attributes, call->outputs[0], call->outputs[1]);
    kernel.x = sp__image_operand(call->inputs[0]);
    return sp__backend_for(call->outputs[0])->pool(&kernel);
}

static sp_status max_pool2d_backward(sp_grad_call *call)
{
    sp_tensor *where = sp_saved_output(call, 1);
    if (!where || !call->grads[0]) return sp_error_status();
    sp_tensor *inputs[] = {call->grads[0], where};
    return SP__GIVE(call, 0, sp_op_apply(&sp__op_max_pool2d_backward, inputs, 2, call->attributes));
}

/* ---- its gradient, and that one's ---- */

/* Input 0 is an image, input 1 the places of maxima, of this dtype. */
static sp_status check_where(const sp_call *call)
{
    const sp_tensor *where = call->inputs[1];
    if (sp__check_images(call, 0) || check_windows(call->attributes, call->op->name)) return sp_error_status();
    if (where->dtype == where_dtype(call->attributes)) return SP_OK;
    return sp_raise(SP_ERROR_DTYPE, "sp_%s: places in windows are %s, not %s", call->op->name,
                    sp_dtype_name(where_dtype(call->attributes)), sp_dtype_name(where->dtype));
}

static sp_status wrong_where(const sp_call *call)
{
    return sp_raise(SP_ERROR_SHAPE, "sp_%s: places of shape %s do not go with shape %s", call->op->name,
                    sp__shape_of(call->inputs[1]), sp__shape_of(call->inputs[0]));
}

static sp_status max_pool2d_backward_infer(sp_call *call)
{
    const sp__pool_windows *a = call->attributes;
    const sp_tensor *g = call->inputs[0], *where = call->inputs[1];
    if (check_where(call)) return sp_error_status();
    const int64_t height = windows_along(a, a->size.v[0], 0), width = windows_along(a, a->size.v[1], 1);
    if (!sp__image_fits(where, g, height, width) || !sp__image_fits(g, g, height, width)) return wrong_where(call);
    return sp__image_output(call, 0, g->dtype, where, a->size.v[0], a->size.v[1]);
}

static sp_status run_backward(const void *attributes, const sp_tensor *x, const sp_tensor *y, const sp_tensor *where)
{
    sp__pool kernel = kernel_call(SP__POOL_MAX_BACKWARD, attributes, y, where);
    kernel.x = sp__image_operand(x);
    return sp__backend_for(x)->pool(&kernel);
}

static sp_status max_pool2d_backward_forward(sp_call *call)
{
    return sp__image_sums(call, run_backward);
}

static sp_status give_by_where(sp_grad_call *call, const sp_op *op)
{
    sp_tensor *where = sp_saved_input(call, 1);
    if (!where) return sp_error_status();
    return SP__GIVE(call, 0, sp_op_apply(op, (sp_tensor *[]){call->grads[0], where}, 2, call->attributes));
}

static sp_status max_pool2d_backward_backward(sp_grad_call *call)
{
    return give_by_where(call, &sp__op_max_pool2d_gather);
}

static sp_status max_pool2d_gather_infer(sp_call *call)
{
    const sp__pool_windows *a = call->attributes;
    const sp_tensor *x = call->inputs[0], *where = call->inputs[1];
    if (check_where(call)) return sp_error_status();
    const int64_t height = windows_along(a, a->size.v[0], 0), width = windows_along(a, a->size.v[1], 1);
    const bool fits = sp__image_fits(x, x, a->size.v[0], a->size.v[1]) && sp__image_fits(where, x, height, width);
    return fits ? sp__image_output(call, 0, x->dtype, where, height, width) : wrong_where(call);
}

static sp_status max_pool2d_gather_forward(sp_call *call)
{
    sp__pool kernel = kernel_call(SP__POOL_MAX_GATHER, call->attributes, call->outputs[0], call->inputs[1]);
    kernel.x = sp__image_operand(call->inputs[0]);
    return sp__backend_for(call->outputs[0])->pool(&kernel);
}

static sp_status max_pool2d_gather_backward(sp_grad_call *call)
{
    return give_by_where(call, &sp__op_max_pool2d_backward);
}

/* ---- public ---- */

static sp__pool_windows read_options(const sp_tensor *x, int64_t kernel_size, const sp_max_pool2d_options *options)
{
    sp_max_pool2d_options o;
    sp_options_copy(&o, sizeof o, options);
    sp__pool_windows a = {.kernel = sp__pair_of(kernel_size, o.kernel_size_hw, 0), .ceil_mode = o.ceil_mode};
    a.stride = sp__pair_of(o.stride, o.stride_hw, 0);
    if (!o.stride && !o.stride_hw[0] && !o.stride_hw[1]) a.stride = a.kernel;
    a.padding = sp__pair_of(o.padding, o.padding_hw, 0);
    a.dilation = sp__pair_of(o.dilation, o.dilation_hw, 1);
    if (x->ndim >= 2) a.size = (sp__pair){{sp__image_height(x), sp__image_width(x)}};
    return a;
}

sp_tensor *(sp_max_pool2d)(sp_tensor *x, int64_t kernel_size, const sp_max_pool2d_options *options)
{
    if (sp__check_tensor(x, "sp_max_pool2d", "x")) return NULL;
    const sp__pool_windows a = read_options(x, kernel_size, options);
    return sp_op_apply(&sp__op_max_pool2d, &x, 1, &a);
}

/* An index is an offset in a contiguous plane. */
static sp_tensor *indices_of(const sp__pool_windows *a, sp_tensor *where)
{
    sp_tensor *indices = sp__tensor_empty(SP_I64, where->device, where->ndim, where->sizes);
    if (!indices) return NULL;
    sp__pool kernel = kernel_call(SP__POOL_MAX_INDICES, a, indices, where);
    kernel.x = (sp__operand){.dtype = SP_I64, .strides = {0, 0, a->size.v[1], 1}};
    if (!sp__backend_for(where)->pool(&kernel)) return indices;
    sp_release(indices);
    return NULL;
}

sp_values_indices(sp_max_pool2d_with_indices)(sp_tensor *x, int64_t kernel_size, const sp_max_pool2d_options *options)
{
    sp_values_indices none = {NULL, NULL};
    sp_tensor *outputs[4];
    if (sp__check_tensor(x, "sp_max_pool2d_with_indices", "x")) return none;
    const sp__pool_windows a = read_options(x, kernel_size, options);
    if (sp_op_apply_n(outputs, &sp__op_max_pool2d, &x, 1, &a)) return none;
    sp_tensor *indices = indices_of(&a, outputs[1]);
    sp_release(outputs[1]);
    if (indices) return (sp_values_indices){outputs[0], indices};
    sp_release(outputs[0]);
    return none;
}

/* ---- samples and records ---- */

SP__SAMPLE(pool_two, sp_max_pool2d(in[0], 2));
SP__SAMPLE(pool_three, sp_max_pool2d(in[0], 3, .stride = 2, .padding = 1));
SP__SAMPLE(pool_dilated, sp_max_pool2d(in[0], 2, .stride_hw = {1, 2}, .dilation_hw = {2, 1}, .ceil_mode = true));
SP__SAMPLE(pool_pairs, sp_max_pool2d(in[0], 0, .kernel_size_hw = {3, 2}, .padding_hw = {1, SP_ZERO}));
SP__SAMPLE(pool_large, sp_max_pool2d(in[0], 17, .stride = 3, .padding = 8));

/* Where the maxima of an integer image are, in windows of 3 by 3 that overlap. */
static const sp__pool_windows sample_pool = {{{3, 3}}, {{2, 2}}, {{1, 1}}, {{1, 1}}, false, {{5, 6}}};
static sp_tensor *places(sp_tensor *x)
{
    sp_tensor *outputs[4] = {0}, *image = sp_cast(x, SP_F32);
    sp_op_apply_n(outputs, &sp__op_max_pool2d, &image, 1, &sample_pool);
    return outputs[1];
}
#define BY_PLACES(op) sp_op_apply(&op, (sp_tensor *[]){in[0], places(in[1])}, 2, &sample_pool)
SP__SAMPLE(pool_backward, BY_PLACES(sp__op_max_pool2d_backward));
SP__SAMPLE(pool_gather, BY_PLACES(sp__op_max_pool2d_gather));
#define TORCH_PLACES "F.max_pool2d(b.float(), 3, 2, 1, return_indices=True)[1]"

const sp_op sp__op_max_pool2d = {
    .name = "max_pool2d",
    .backward_name = "MaxPool2DWithIndicesBackward0",
    .n_inputs = 1,
    .n_outputs = 2,
    .attributes_size = sizeof(sp__pool_windows),
    .saves = SP_SAVE_OUTPUT(1),
    .infer = max_pool2d_infer,
    .forward = max_pool2d_forward,
    .backward = max_pool2d_backward,
    .samples = (const sp_sample[]){SP__ONE(pool_two, "F.max_pool2d(a, 2)", "2 3 4 6", -2, 2),
                                   SP__ONE(pool_three, "F.max_pool2d(a, 3, 2, 1)", "2 2 5 6", -2, 2),
                                   SP__ONE(pool_dilated, "F.max_pool2d(a, 2, (1, 2), 0, (2, 1), ceil_mode=True)",
                                           "3 5 5", -2, 2),
                                   SP__ONE(pool_pairs, "F.max_pool2d(a, (3, 2), padding=(1, 0))", "1 1 7 5", -2, 2),
                                   SP__ONE(pool_large, "F.max_pool2d(a, 17, 3, 8)", "1 2 9 8", -2, 2),
                                   SP__ONE(pool_two, "F.max_pool2d(a, 2)", "0 3 4 4", -2, 2),
                                   SP__ONE(pool_two, "F.max_pool2d(a, 2)", "2 35 5 2", -2, 2),
                                   {0}},
};

const sp_op sp__op_max_pool2d_backward = {
    .name = "max_pool2d_backward",
    .backward_name = "MaxPool2DWithIndicesBackwardBackward0",
    .n_inputs = 2,
    .attributes_size = sizeof(sp__pool_windows),
    .saves = SP_SAVE_INPUT(1),
    .infer = max_pool2d_backward_infer,
    .forward = max_pool2d_backward_forward,
    .backward = max_pool2d_backward_backward,
    .samples = (const sp_sample[]){{pool_backward,
                                    "torch.ops.aten.max_pool2d_with_indices_backward(a, b.to(a.dtype), [3, 3], "
                                    "[2, 2], [1, 1], [1, 1], False, " TORCH_PLACES ")",
                                    {{"2 3 3 3"}, {"2 3 5 6", -20, 20, SP_I64}}},
                                   {0}},
};

const sp_op sp__op_max_pool2d_gather = {
    .name = "max_pool2d_gather",
    .backward_name = "GatherBackward0",
    .n_inputs = 2,
    .attributes_size = sizeof(sp__pool_windows),
    .saves = SP_SAVE_INPUT(1),
    .infer = max_pool2d_gather_infer,
    .forward = max_pool2d_gather_forward,
    .backward = max_pool2d_gather_backward,
    .samples =
        (const sp_sample[]){{pool_gather,
                             "torch.gather(F.adaptive_avg_pool2d(a, tuple(a.shape[-2:])).flatten(2), 2, " TORCH_PLACES
                             ".flatten(2)).view(2, 3, 3, 3)",
                             {{"2 3 5 6"}, {"2 3 5 6", -20, 20, SP_I64}}},
                            {0}},
};

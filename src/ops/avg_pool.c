/* Means of windows of images, of one size or sharing the image evenly.
 *
 *   avg_pool2d           y[p] = Σ x over window p / its divisor                dx[i] = Σ dy[p]/divisor over windows at
 * i adaptive_avg_pool2d  the same; row p of P takes rows ⌊pH/P⌋ … ⌈(p+1)H/P⌉ - 1 of H
 *
 * Each is linear; its gradient is the transposed map, an operator whose gradient is the first again.
 * Source: PyTorch, torch.nn.AvgPool2d, torch.nn.AdaptiveAvgPool2d. */
#include "ops/images.h"
#include <stdio.h>

typedef struct avg_attributes {
    sp__pair kernel, stride, padding;
    bool ceil_mode, exclude_pad, adaptive;
    int64_t divisor;
    sp__pair size, out_size; /* of x; of y, given for an adaptive pool, else found */
} avg_attributes;

/* ---- windows ---- */

static int64_t windows_along(const avg_attributes *a, int d)
{
    const int64_t size = a->size.v[d], stride = a->stride.v[d], padding = a->padding.v[d];
    const int64_t room = size + 2 * padding - a->kernel.v[d] + (a->ceil_mode ? stride - 1 : 0);
    if (a->adaptive) return a->out_size.v[d];
    if (room < 0) return 0;
    int64_t n = room / stride + 1;
    if (a->ceil_mode && (n - 1) * stride >= size + padding) n--; /* the last window begins behind the image */
    return n;
}

static sp__span even_span(const avg_attributes *a, int d, int64_t p)
{
    const int64_t size = a->size.v[d], n = a->out_size.v[d];
    /* p·size/n, in parts that fit. */
    const int64_t each = size / n, rest = size % n;
    const int64_t begin = p * each + p * rest / n, end = (p + 1) * each + ((p + 1) * rest + n - 1) / n;
    return (sp__span){begin, end, end - begin};
}

/* The divisor counts a window as far as the padding reaches, or only what is in the image. */
static sp__span span_of(const avg_attributes *a, int d, int64_t p)
{
    if (a->adaptive) return even_span(a, d, p);
    const int64_t size = a->size.v[d], padding = a->padding.v[d], start = p * a->stride.v[d] - padding;
    int64_t end = start + a->kernel.v[d];
    if (end > size + padding) end = size + padding;
    const int64_t whole = end - start, begin = start < 0 ? 0 : start;
    if (end > size) end = size;
    return (sp__span){begin, end, a->exclude_pad ? end - begin : whole};
}

static sp_status check_windows(const avg_attributes *a, const char *function)
{
    if (a->adaptive) return sp__check_pair(function, "output_size", a->out_size, 0);
    if (sp__check_pair(function, "the kernel's size", a->kernel, 1) || sp__check_pair(function, "stride", a->stride, 1))
        return sp_error_status();
    for (int d = 0; d < 2; d++)
        if (a->padding.v[d] < 0 || a->padding.v[d] > a->kernel.v[d] / 2)
            return sp_raise(SP_ERROR_ARGUMENT, "%s: padding must be between 0 and half the kernel (%lld), not %lld",
                            function, (long long)(a->kernel.v[d] / 2), (long long)a->padding.v[d]);
    return SP_OK;
}

/* ---- the kernel's call, from either side ---- */

static sp_status run(sp__pool_kind kind, const avg_attributes *a, const sp_tensor *x, const sp_tensor *y)
{
    if (sp__product(y->ndim, y->sizes) == 0) return kind == SP__POOL_AVG_BACKWARD ? sp__fill_values(x, 0) : SP_OK;
    sp__pool call = {.kind = kind,
                     .batch = sp__image_batch(y),
                     .channels = sp__image_channels(y),
                     .size = {a->size.v[0], a->size.v[1]},
                     .out_size = {sp__image_height(y), sp__image_width(y)},
                     .x = sp__image_operand(x),
                     .y = sp__image_operand(y),
                     .divisor = (double)a->divisor};
    const size_t bytes = sp_size_bytes(call.out_size[0] + call.out_size[1], sizeof(sp__span));
    sp__span *spans = sp_alloc(bytes);
    if (!spans) return SP_ERROR_MEMORY;
    for (int d = 0; d < 2; d++) {
        sp__span *along = spans + (d ? call.out_size[0] : 0);
        for (int64_t p = 0; p < call.out_size[d]; p++) along[p] = span_of(a, d, p);
        call.spans[d] = along;
    }
    const sp_status status = sp__backend_for(y)->pool(&call);
    sp_free(spans, bytes);
    return status;
}

/* ---- y from x ---- */

static sp_status avg_infer(sp_call *call)
{
    const avg_attributes *a = call->attributes;
    const sp_tensor *x = call->inputs[0];
    char function[64];
    snprintf(function, sizeof function, "sp_%s", call->op->name);
    const bool checked = !(a->adaptive ? sp__check_images(call, 0) : sp__check_filled_images(call, 0));
    if (!checked || check_windows(a, function)) return sp_error_status();
    const int64_t height = windows_along(a, 0), width = windows_along(a, 1);
    if (!a->adaptive && (height < 1 || width < 1))
        return sp_raise(SP_ERROR_SHAPE, "%s: a window of %lld by %lld does not fit into images of shape %s", function,
                        (long long)a->kernel.v[0], (long long)a->kernel.v[1], sp__shape_of(x));
    if (a->adaptive && (a->size.v[0] == 0 || a->size.v[1] == 0))
        return sp_raise(SP_ERROR_SHAPE, "%s: images of shape %s have nothing to take a mean of", function,
                        sp__shape_of(x));
    return sp__image_output(call, 0, x->dtype, x, height, width);
}

static sp_status avg_forward(sp_call *call)
{
    return run(SP__POOL_AVG, call->attributes, call->inputs[0], call->outputs[0]);
}

static sp_status give(sp_grad_call *call, const sp_op *op)
{
    return sp__give(call, 0, sp_op_apply(op, call->grads, 1, call->attributes));
}

static sp_status avg_pool2d_backward(sp_grad_call *call)
{
    return give(call, &sp__op_avg_pool2d_backward);
}

static sp_status adaptive_avg_pool2d_backward(sp_grad_call *call)
{
    return give(call, &sp__op_adaptive_avg_pool2d_backward);
}

/* ---- x's gradient from y's ---- */

static sp_status avg_backward_infer(sp_call *call)
{
    const avg_attributes *a = call->attributes;
    const sp_tensor *g = call->inputs[0];
    if (sp__check_images(call, 0) || check_windows(a, call->op->name)) return sp_error_status();
    if (!sp__image_fits(g, g, windows_along(a, 0), windows_along(a, 1)))
        return sp_raise(SP_ERROR_SHAPE, "sp_%s: %s is no gradient of %lld by %lld windows", call->op->name,
                        sp__shape_of(g), (long long)windows_along(a, 0), (long long)windows_along(a, 1));
    return sp__image_output(call, 0, g->dtype, g, a->size.v[0], a->size.v[1]);
}

static sp_status run_backward(const void *attributes, const sp_tensor *x, const sp_tensor *y, const sp_tensor *unused)
{
    (void)unused;
    return run(SP__POOL_AVG_BACKWARD, attributes, x, y);
}

static sp_status avg_backward_forward(sp_call *call)
{
    return sp__image_sums(call, run_backward);
}

static sp_status avg_pool2d_backward_backward(sp_grad_call *call)
{
    return give(call, &sp__op_avg_pool2d);
}

static sp_status adaptive_avg_pool2d_backward_backward(sp_grad_call *call)
{
    return give(call, &sp__op_adaptive_avg_pool2d);
}

/* ---- public ---- */

static void set_size(avg_attributes *a, const sp_tensor *x)
{
    if (x->ndim >= 2) a->size = (sp__pair){{sp__image_height(x), sp__image_width(x)}};
}

sp_tensor *(sp_avg_pool2d)(sp_tensor *x, int64_t kernel_size, const sp_avg_pool2d_options *options)
{
    sp_avg_pool2d_options o;
    sp_options_copy(&o, sizeof o, options);
    if (sp__check_tensor(x, "sp_avg_pool2d", "x")) return NULL;
    avg_attributes a = {.kernel = sp__pair_of(kernel_size, o.kernel_size_hw, 0),
                        .padding = sp__pair_of(o.padding, o.padding_hw, 0),
                        .ceil_mode = o.ceil_mode,
                        .exclude_pad = o.exclude_pad,
                        .divisor = o.divisor_override};
    const bool plain = !o.stride && !o.stride_hw[0] && !o.stride_hw[1];
    a.stride = plain ? a.kernel : sp__pair_of(o.stride, o.stride_hw, 0);
    set_size(&a, x);
    if (o.divisor_override != SP_ZERO) return sp_op_apply(&sp__op_avg_pool2d, &x, 1, &a);
    sp_raise(SP_ERROR_ARGUMENT, "sp_avg_pool2d: divisor_override must not be 0");
    return NULL;
}

sp_tensor *(sp_adaptive_avg_pool2d)(sp_tensor *x, int64_t output_size, const sp_adaptive_avg_pool2d_options *options)
{
    sp_adaptive_avg_pool2d_options o;
    sp_options_copy(&o, sizeof o, options);
    avg_attributes a = {.adaptive = true, .out_size = sp__pair_of(output_size, o.output_size_hw, 0)};
    if (sp__check_tensor(x, "sp_adaptive_avg_pool2d", "x")) return NULL;
    set_size(&a, x);
    for (int d = 0; d < 2; d++)
        if (a.out_size.v[d] == -1) a.out_size.v[d] = a.size.v[d];
    return sp_op_apply(&sp__op_adaptive_avg_pool2d, &x, 1, &a);
}

/* ---- samples and records ---- */

SP__SAMPLE(avg_two, sp_avg_pool2d(in[0], 2));
SP__SAMPLE(avg_padded, sp_avg_pool2d(in[0], 3, .stride = 2, .padding = 1, .ceil_mode = true));
SP__SAMPLE(avg_excluded, sp_avg_pool2d(in[0], 3, .stride_hw = {1, 2}, .padding = 1, .exclude_pad = true));
SP__SAMPLE(avg_divided, sp_avg_pool2d(in[0], 0, .kernel_size_hw = {2, 3}, .divisor_override = 4));
SP__SAMPLE(adaptive_one, sp_adaptive_avg_pool2d(in[0], 1));
SP__SAMPLE(adaptive_uneven, sp_adaptive_avg_pool2d(in[0], 0, .output_size_hw = {3, 7}));
SP__SAMPLE(adaptive_kept, sp_adaptive_avg_pool2d(in[0], 0, .output_size_hw = {-1, 2}));

static const avg_attributes sample_windows = {{{3, 3}}, {{2, 2}}, {{1, 1}}, true, false, false, 0, {{5, 6}}, {{0, 0}}};
static const avg_attributes sample_even = {.adaptive = true, .size = {{5, 6}}, .out_size = {{3, 4}}};
SP__SAMPLE(avg_backward, sp_op_apply(&sp__op_avg_pool2d_backward, in, 1, &sample_windows));
SP__SAMPLE(adaptive_backward, sp_op_apply(&sp__op_adaptive_avg_pool2d_backward, in, 1, &sample_even));

#define LINEAR_RECORD(op_name, torch_name, infer_function, forward_function, ...)                                      \
    const sp_op sp__op_##op_name = {                                                                                   \
        .name = #op_name,                                                                                              \
        .backward_name = torch_name,                                                                                   \
        .n_inputs = 1,                                                                                                 \
        .attributes_size = sizeof(avg_attributes),                                                                     \
        .infer = infer_function,                                                                                       \
        .forward = forward_function,                                                                                   \
        .backward = op_name##_backward,                                                                                \
        .samples = (const sp_sample[]){__VA_ARGS__, {0}},                                                              \
    }

LINEAR_RECORD(avg_pool2d, "AvgPool2DBackward0", avg_infer, avg_forward,
              SP__ONE(avg_two, "F.avg_pool2d(a, 2)", "2 3 4 5", -2, 2),
              SP__ONE(avg_padded, "F.avg_pool2d(a, 3, 2, 1, ceil_mode=True)", "2 2 5 6", -2, 2),
              SP__ONE(avg_excluded, "F.avg_pool2d(a, 3, (1, 2), 1, count_include_pad=False)", "3 5 4", -2, 2),
              SP__ONE(avg_divided, "F.avg_pool2d(a, (2, 3), divisor_override=4)", "1 1 4 7", -2, 2),
              SP__ONE(avg_two, "F.avg_pool2d(a, 2)", "0 3 4 4", -2, 2));

LINEAR_RECORD(adaptive_avg_pool2d, "AdaptiveAvgPool2DBackward0", avg_infer, avg_forward,
              SP__ONE(adaptive_uneven, "F.adaptive_avg_pool2d(a, (3, 7))", "2 3 4 5", -2, 2),
              SP__ONE(adaptive_kept, "F.adaptive_avg_pool2d(a, (None, 2))", "3 5 5", -2, 2),
              SP__ONE(adaptive_one, "F.adaptive_avg_pool2d(a, 1)", "2 3 4 5", -2, 2),
              SP__ONE(adaptive_one, "F.adaptive_avg_pool2d(a, 1)", "0 3 4 5", -2, 2));

LINEAR_RECORD(avg_pool2d_backward, "AvgPool2DBackwardBackward0", avg_backward_infer, avg_backward_forward,
              SP__ONE(avg_backward,
                      "torch.ops.aten.avg_pool2d_backward(a, torch.zeros(*a.shape[:-2], 5, 6, dtype=a.dtype), [3, 3], "
                      "[2, 2], [1, 1], True, True, None)",
                      "2 3 3 4", -2, 2));

LINEAR_RECORD(adaptive_avg_pool2d_backward, "AdaptiveAvgPool2DBackwardBackward0", avg_backward_infer,
              avg_backward_forward,
              SP__ONE(adaptive_backward,
                      "torch.ops.aten._adaptive_avg_pool2d_backward(a, torch.zeros(*a.shape[:-2], 5, 6, "
                      "dtype=a.dtype))",
                      "2 3 3 4", -2, 2));

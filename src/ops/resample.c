/* Images whose pixels are others', or means of four: padding by what is there, other sizes.
 *
 *   reflection_pad2d    y[p] = x[|p - left|], mirrored at the far end too
 *   replication_pad2d   y[p] = x[p - left], the nearest that is there
 *   upsample_nearest2d  y[p] = x[⌊p·s⌋], s = H/H' or 1/scale_factor
 *   upsample_bilinear2d y[p] = (1 - w)·x[i] + w·x[i+1], i + w = s·(p + ½) - ½, not below 0; or p·(H-1)/(H'-1)
 *
 * along both sides. A side that keeps its size is copied, and one that nearest makes twice as long is doubled, whatever
 * the factor was. All are linear maps; each gradient is the transposed map, whose gradient is the first again.
 * Source: PyTorch, torch.nn.functional.pad and interpolate. */
#include "ops/images.h"
#include <math.h>
#include <stdio.h>

typedef enum resample_rule { REFLECT, REPLICATE, NEAREST, BILINEAR } resample_rule;

typedef struct resample_attributes {
    resample_rule rule;
    bool align_corners;
    sp__pair size, out_size, before; /* before: of paddings */
    double scale[2];                 /* of interpolations: given, or 0 */
} resample_attributes;

/* ---- where a row or column comes from ---- */

static int64_t reflected(int64_t i, int64_t size)
{
    if (i < 0) i = -i;
    return i < size ? i : 2 * (size - 1) - i;
}

static int64_t nearest_of(int64_t i, int64_t size)
{
    return i < 0 ? 0 : i < size ? i : size - 1;
}

/* PyTorch computes places in the images' precision, which decides what ⌊…⌋ gives. */
static double rounded(double x, sp_dtype dtype)
{
    return dtype == SP_F64 ? x : (double)(float)x;
}

static double step_of(const resample_attributes *a, int d, sp_dtype dtype)
{
    const int64_t size = a->size.v[d], out = a->out_size.v[d];
    if (a->rule == BILINEAR && a->align_corners)
        return out > 1 ? rounded((double)(size - 1) / (double)(out - 1), dtype) : 0;
    return rounded(a->scale[d] > 0 ? 1 / a->scale[d] : (double)size / (double)out, dtype);
}

static sp__tap interpolated(const resample_attributes *a, int d, int64_t p, sp_dtype dtype)
{
    const int64_t size = a->size.v[d];
    if (a->out_size.v[d] == size) return (sp__tap){{p, p}, {1, 0}};
    if (a->rule == NEAREST && a->out_size.v[d] == 2 * size) return (sp__tap){.index = {p / 2}};
    const double step = step_of(a, d, dtype), at = (double)p;
    if (a->rule == NEAREST) return (sp__tap){.index = {nearest_of((int64_t)rounded(at * step, dtype), size)}};
    double place = a->align_corners ? rounded(at * step, dtype) : rounded(step * (at + 0.5) - 0.5, dtype);
    if (place < 0) place = 0;
    const int64_t low = nearest_of((int64_t)place, size);
    const double w = place - (double)low > 1 ? 1 : place - (double)low;
    return (sp__tap){{low, nearest_of(low + 1, size)}, {1 - w, w}};
}

static sp__tap tap_of(const resample_attributes *a, int d, int64_t p, sp_dtype dtype)
{
    const int64_t i = p - a->before.v[d], size = a->size.v[d];
    switch (a->rule) {
    case REFLECT: return (sp__tap){.index = {reflected(i, size)}};
    case REPLICATE: return (sp__tap){.index = {nearest_of(i, size)}};
    default: return interpolated(a, d, p, dtype);
    }
}

/* ---- the kernel's call, from either side ---- */

static sp_status run(bool backward, const resample_attributes *a, const sp_tensor *x, const sp_tensor *y)
{
    if (sp__product(y->ndim, y->sizes) == 0) return backward ? sp__fill_values(x, 0) : SP_OK;
    sp__resample call = {.backward = backward,
                         .n_taps = a->rule == BILINEAR ? 2 : 1,
                         .batch = sp__image_batch(y),
                         .channels = sp__image_channels(y),
                         .size = {a->size.v[0], a->size.v[1]},
                         .out_size = {a->out_size.v[0], a->out_size.v[1]},
                         .x = sp__image_operand(x),
                         .y = sp__image_operand(y)};
    const size_t bytes = sp_size_bytes(call.out_size[0] + call.out_size[1], sizeof(sp__tap));
    sp__tap *taps = sp_alloc(bytes);
    if (!taps) return SP_ERROR_MEMORY;
    for (int d = 0; d < 2; d++) {
        sp__tap *along = taps + (d ? call.out_size[0] : 0);
        for (int64_t p = 0; p < call.out_size[d]; p++) along[p] = tap_of(a, d, p, x->dtype);
        call.taps[d] = along;
    }
    const sp_status status = sp__backend_for(y)->resample(&call);
    sp_free(taps, bytes);
    return status;
}

/* ---- y from x ---- */

static sp_status check_sides(const sp_call *call)
{
    const resample_attributes *a = call->attributes;
    if (sp__pair_least(a->size, 1) && sp__pair_least(a->out_size, 1)) return SP_OK;
    return sp_raise(SP_ERROR_SHAPE, "sp_%s: images of %lld by %lld cannot become %lld by %lld", call->op->name,
                    (long long)a->size.v[0], (long long)a->size.v[1], (long long)a->out_size.v[0],
                    (long long)a->out_size.v[1]);
}

static sp_status resample_infer(sp_call *call)
{
    const resample_attributes *a = call->attributes;
    const sp_tensor *x = call->inputs[0];
    const bool interpolates = a->rule == NEAREST || a->rule == BILINEAR;
    const bool checked = !(interpolates ? sp__check_filled_images(call, 0) : sp__check_images(call, 0));
    if (!checked || check_sides(call)) return sp_error_status();
    if (interpolates && x->ndim != 4)
        return sp_raise(SP_ERROR_SHAPE, "sp_%s: needs images (N, C, H, W), not shape %s", call->op->name,
                        sp__shape_of(x));
    if (!sp__image_fits(x, x, a->size.v[0], a->size.v[1]))
        return sp_raise(SP_ERROR_SHAPE, "sp_%s: images of shape %s are not of %lld by %lld", call->op->name,
                        sp__shape_of(x), (long long)a->size.v[0], (long long)a->size.v[1]);
    return sp__image_output(call, 0, x->dtype, x, a->out_size.v[0], a->out_size.v[1]);
}

static sp_status resample_forward(sp_call *call)
{
    return run(false, call->attributes, call->inputs[0], call->outputs[0]);
}

/* ---- x's gradient from y's ---- */

static sp_status resample_backward_infer(sp_call *call)
{
    const resample_attributes *a = call->attributes;
    const sp_tensor *g = call->inputs[0];
    if (sp__check_images(call, 0) || check_sides(call)) return sp_error_status();
    const bool batched = a->rule == REFLECT || a->rule == REPLICATE || g->ndim == 4;
    if (!batched || !sp__image_fits(g, g, a->out_size.v[0], a->out_size.v[1]))
        return sp_raise(SP_ERROR_SHAPE, "sp_%s: %s is no gradient of images of %lld by %lld", call->op->name,
                        sp__shape_of(g), (long long)a->out_size.v[0], (long long)a->out_size.v[1]);
    return sp__image_output(call, 0, g->dtype, g, a->size.v[0], a->size.v[1]);
}

static sp_status run_backward(const void *attributes, const sp_tensor *x, const sp_tensor *y, const sp_tensor *unused)
{
    (void)unused;
    return run(true, attributes, x, y);
}

static sp_status resample_backward_forward(sp_call *call)
{
    return sp__image_sums(call, run_backward);
}

/* The backward of `name` is by `op`. */
#define TRANSPOSED(name, op)                                                                                           \
    static sp_status name(sp_grad_call *call)                                                                          \
    {                                                                                                                  \
        return sp__give(call, 0, sp_op_apply(&sp__op_##op, call->grads, 1, call->attributes));                         \
    }                                                                                                                  \
    _Static_assert(1, "takes the semicolon")
TRANSPOSED(give_reflection, reflection_pad2d);
TRANSPOSED(give_reflection_backward, reflection_pad2d_backward);
TRANSPOSED(give_replication, replication_pad2d);
TRANSPOSED(give_replication_backward, replication_pad2d_backward);
TRANSPOSED(give_nearest, upsample_nearest2d);
TRANSPOSED(give_nearest_backward, upsample_nearest2d_backward);
TRANSPOSED(give_bilinear, upsample_bilinear2d);
TRANSPOSED(give_bilinear_backward, upsample_bilinear2d_backward);

/* ---- padding ---- */

static sp_status check_padding(sp_pad_mode mode, const sp_tensor *x, const int64_t before[2], const int64_t after[2])
{
    for (int d = 0; d < 2; d++) {
        const int64_t size = x->sizes[x->ndim - 2 + d];
        const bool fits = before[d] < size && after[d] < size;
        if (mode == SP_PAD_REFLECT && !fits && (before[d] || after[d]))
            return sp_raise(SP_ERROR_SHAPE,
                            "sp_pad: a reflection is smaller than what it reflects: %lld and %lld for shape %s",
                            (long long)before[d], (long long)after[d], sp__shape_of(x));
        if (before[d] < 0 || after[d] < 0)
            return sp_raise(
                SP_ERROR_ARGUMENT,
                "sp_pad: reflection and replication cannot take away: %lld and %lld; a constant padding can",
                (long long)before[d], (long long)after[d]);
    }
    return SP_OK;
}

sp_tensor *sp__pad_by_image(sp_tensor *x, sp_pad_mode mode, const int64_t before[2], const int64_t after[2])
{
    if (!(x = sp__mixed_f32(x)) || check_padding(mode, x, before, after)) return NULL;
    const bool reflect = mode == SP_PAD_REFLECT;
    resample_attributes a = {.rule = reflect ? REFLECT : REPLICATE, .before = {{before[0], before[1]}}};
    for (int d = 0; d < 2; d++) {
        a.size.v[d] = x->sizes[x->ndim - 2 + d];
        a.out_size.v[d] = a.size.v[d] + before[d] + after[d];
    }
    return sp_op_apply(reflect ? &sp__op_reflection_pad2d : &sp__op_replication_pad2d, &x, 1, &a);
}

/* ---- interpolation ---- */

/* A size, or what a factor makes of it; 0 after an error. */
static sp_status find_size(resample_attributes *a, const sp_interpolate_options *o)
{
    const bool sized = o->output_size || o->output_size_hw[0] || o->output_size_hw[1];
    const bool scaled = o->scale_factor != 0 || o->scale_factor_hw[0] != 0 || o->scale_factor_hw[1] != 0;
    if (sized == scaled)
        return sp_raise(SP_ERROR_ARGUMENT, "sp_interpolate: needs .output_size or .scale_factor%s",
                        sized ? ", not both" : "");
    a->out_size = sp__pair_of(o->output_size, o->output_size_hw, 0);
    for (int d = 0; d < 2 && scaled; d++) {
        a->scale[d] = o->scale_factor_hw[d] != 0 ? o->scale_factor_hw[d] : o->scale_factor;
        const double wanted = floor((double)a->size.v[d] * a->scale[d]);
        if (!(a->scale[d] > 0) || !(wanted < 0x1p31))
            return sp_raise(SP_ERROR_ARGUMENT, "sp_interpolate: the scale factor must be positive, and not %g",
                            sp_option(a->scale[d], 0));
        a->out_size.v[d] = (int64_t)wanted;
    }
    return SP_OK;
}

sp_tensor *(sp_interpolate)(sp_tensor *x, const sp_interpolate_options *options)
{
    sp_interpolate_options o;
    sp_options_copy(&o, sizeof o, options);
    if (sp__check_tensor(x, "sp_interpolate", "x")) return NULL;
    if (o.mode != SP_NEAREST && o.mode != SP_BILINEAR) {
        sp_raise(SP_ERROR_ARGUMENT, "sp_interpolate: %d is no mode", (int)o.mode);
        return NULL;
    }
    if (o.align_corners && o.mode == SP_NEAREST) {
        sp_raise(SP_ERROR_ARGUMENT, "sp_interpolate: align_corners is for .mode = SP_BILINEAR");
        return NULL;
    }
    resample_attributes a = {.rule = o.mode == SP_BILINEAR ? BILINEAR : NEAREST, .align_corners = o.align_corners};
    if (x->ndim >= 2) a.size = (sp__pair){{sp__image_height(x), sp__image_width(x)}};
    if (find_size(&a, &o)) return NULL;
    return sp_op_apply(o.mode == SP_BILINEAR ? &sp__op_upsample_bilinear2d : &sp__op_upsample_nearest2d, &x, 1, &a);
}

/* ---- samples and records ---- */

SP__SAMPLE(reflected_uneven, sp_pad(in[0], SP_DIMS(1, 2, 2, 0), .mode = SP_PAD_REFLECT));
SP__SAMPLE(replicated_uneven, sp_pad(in[0], SP_DIMS(1, 2, 5, 0), .mode = SP_PAD_REPLICATE));
SP__SAMPLE(reflected_row, sp_pad(in[0], SP_DIMS(1, 2), .mode = SP_PAD_REFLECT));
SP__SAMPLE(replicated_row, sp_pad(in[0], SP_DIMS(1, 5), .mode = SP_PAD_REPLICATE));
SP__SAMPLE(nearest_twice, sp_interpolate(in[0], .scale_factor = 2));
SP__SAMPLE(nearest_sized, sp_interpolate(in[0], .output_size_hw = {7, 3}));
SP__SAMPLE(nearest_scaled, sp_interpolate(in[0], .scale_factor_hw = {1.7, 0.6}));
SP__SAMPLE(bilinear_twice, sp_interpolate(in[0], .scale_factor = 2, .mode = SP_BILINEAR));
SP__SAMPLE(bilinear_sized, sp_interpolate(in[0], .output_size_hw = {3, 7}, .mode = SP_BILINEAR));
SP__SAMPLE(bilinear_scaled, sp_interpolate(in[0], .scale_factor_hw = {1.7, 0.6}, .mode = SP_BILINEAR));
SP__SAMPLE(bilinear_corners,
           sp_interpolate(in[0], .output_size_hw = {7, 4}, .mode = SP_BILINEAR, .align_corners = true));

static const resample_attributes sample_reflect = {REFLECT, false, {{3, 4}}, {{5, 7}}, {{2, 1}}, {0, 0}};
static const resample_attributes sample_replicate = {REPLICATE, false, {{3, 4}}, {{5, 7}}, {{2, 1}}, {0, 0}};
static const resample_attributes sample_nearest = {NEAREST, false, {{3, 4}}, {{5, 7}}, {{0, 0}}, {0, 0}};
static const resample_attributes sample_bilinear = {BILINEAR, false, {{3, 4}}, {{5, 7}}, {{0, 0}}, {0, 0}};
SP__SAMPLE(reflect_back, sp_op_apply(&sp__op_reflection_pad2d_backward, in, 1, &sample_reflect));
SP__SAMPLE(replicate_back, sp_op_apply(&sp__op_replication_pad2d_backward, in, 1, &sample_replicate));
SP__SAMPLE(nearest_back, sp_op_apply(&sp__op_upsample_nearest2d_backward, in, 1, &sample_nearest));
SP__SAMPLE(bilinear_back, sp_op_apply(&sp__op_upsample_bilinear2d_backward, in, 1, &sample_bilinear));

SP__SAMPLE(reflect_here, sp_op_apply(&sp__op_reflection_pad2d, in, 1, &sample_reflect));
SP__SAMPLE(replicate_here, sp_op_apply(&sp__op_replication_pad2d, in, 1, &sample_replicate));
SP__SAMPLE(nearest_here, sp_op_apply(&sp__op_upsample_nearest2d, in, 1, &sample_nearest));
SP__SAMPLE(bilinear_here, sp_op_apply(&sp__op_upsample_bilinear2d, in, 1, &sample_bilinear));

#define RECORD(op_name, torch_name, infer_function, forward_function, backward_function, ...)                          \
    const sp_op sp__op_##op_name = {                                                                                   \
        .name = #op_name,                                                                                              \
        .backward_name = torch_name,                                                                                   \
        .n_inputs = 1,                                                                                                 \
        .attributes_size = sizeof(resample_attributes),                                                                \
        .infer = infer_function,                                                                                       \
        .forward = forward_function,                                                                                   \
        .backward = backward_function,                                                                                 \
        .samples = (const sp_sample[]){__VA_ARGS__, {0}},                                                              \
    }
#define FORWARD(op_name, torch_name, give, ...)                                                                        \
    RECORD(op_name, torch_name, resample_infer, resample_forward, give, __VA_ARGS__)
#define BACKWARD(op_name, torch_name, give, ...)                                                                       \
    RECORD(op_name, torch_name, resample_backward_infer, resample_backward_forward, give, __VA_ARGS__)

FORWARD(reflection_pad2d, "ReflectionPad2DBackward0", give_reflection_backward,
        SP__ONE(reflected_uneven, "F.pad(a, (1, 2, 2, 0), mode='reflect')", "2 3 3 4", -2, 2),
        SP__ONE(reflected_uneven, "F.pad(a, (1, 2, 2, 0), mode='reflect')", "3 4 3", -2, 2),
        SP__ONE(reflected_row, "F.pad(a, (1, 2), mode='reflect')", "2 3 4", -2, 2),
        SP__ONE(reflect_here, "F.pad(a, (1, 2, 2, 0), mode='reflect')", "2 1 3 4", -2, 2));
FORWARD(replication_pad2d, "ReplicationPad2DBackward0", give_replication_backward,
        SP__ONE(replicated_uneven, "F.pad(a, (1, 2, 5, 0), mode='replicate')", "2 3 3 4", -2, 2),
        SP__ONE(replicated_uneven, "F.pad(a, (1, 2, 5, 0), mode='replicate')", "3 1 1", -2, 2),
        SP__ONE(replicated_row, "F.pad(a, (1, 5), mode='replicate')", "3 4", -2, 2),
        SP__ONE(replicate_here, "F.pad(a, (1, 2, 2, 0), mode='replicate')", "2 1 3 4", -2, 2));
FORWARD(upsample_nearest2d, "UpsampleNearest2DBackward0", give_nearest_backward,
        SP__ONE(nearest_twice, "F.interpolate(a, scale_factor=2)", "2 3 3 4", -2, 2),
        SP__ONE(nearest_sized, "F.interpolate(a, (7, 3))", "1 2 4 5", -2, 2),
        SP__ONE(nearest_scaled, "F.interpolate(a, scale_factor=(1.7, 0.6))", "2 2 5 7", -2, 2),
        SP__ONE(nearest_here, "F.interpolate(a, (5, 7))", "1 1 3 4", -2, 2));
FORWARD(upsample_bilinear2d, "UpsampleBilinear2DBackward0", give_bilinear_backward,
        SP__ONE(bilinear_twice, "F.interpolate(a, scale_factor=2, mode='bilinear')", "2 3 3 4", -2, 2),
        SP__ONE(bilinear_sized, "F.interpolate(a, (3, 7), mode='bilinear')", "1 2 4 5", -2, 2),
        SP__ONE(bilinear_scaled, "F.interpolate(a, scale_factor=(1.7, 0.6), mode='bilinear')", "2 2 5 7", -2, 2),
        SP__ONE(bilinear_corners, "F.interpolate(a, (7, 4), mode='bilinear', align_corners=True)", "1 2 4 1", -2, 2),
        SP__ONE(bilinear_here, "F.interpolate(a, (5, 7), mode='bilinear')", "1 1 3 4", -2, 2));

#define TORCH_LIKE "torch.zeros(*a.shape[:-2], 3, 4, dtype=a.dtype)"
BACKWARD(reflection_pad2d_backward, "ReflectionPad2DBackwardBackward0", give_reflection,
         SP__ONE(reflect_back, "torch.ops.aten.reflection_pad2d_backward(a, " TORCH_LIKE ", [1, 2, 2, 0])", "2 3 5 7",
                 -2, 2));
BACKWARD(replication_pad2d_backward, "ReplicationPad2DBackwardBackward0", give_replication,
         SP__ONE(replicate_back, "torch.ops.aten.replication_pad2d_backward(a, " TORCH_LIKE ", [1, 2, 2, 0])",
                 "2 3 5 7", -2, 2));
BACKWARD(upsample_nearest2d_backward, "UpsampleNearest2DBackwardBackward0", give_nearest,
         SP__ONE(nearest_back, "torch.ops.aten.upsample_nearest2d_backward(a, [5, 7], [2, 3, 3, 4])", "2 3 5 7", -2,
                 2));
BACKWARD(upsample_bilinear2d_backward, "UpsampleBilinear2DBackwardBackward0", give_bilinear,
         SP__ONE(bilinear_back, "torch.ops.aten.upsample_bilinear2d_backward(a, [5, 7], [2, 3, 3, 4], False)",
                 "2 3 5 7", -2, 2));

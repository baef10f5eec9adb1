/* Clamps, element by element. The gradient passes inside; at a bound it is 0, as PyTorch 2.15 has it.
 *
 *     clamp      min(max(x, low), high)      g where low < x < high, else 0
 *     clamp_min  max(x, low)                 g where x > low, else 0
 *     clamp_max  min(x, high)                g where x < high, else 0
 *
 * Bounds that are whole numbers count as Python's ints in promotion (an integer tensor stays one), others as its
 * floats: C has no other way to tell 1 from 1.0 in an argument that is a double. A bound of NaN makes all NaN. */
#include "ops/elementwise.h"
#include <math.h>

typedef struct bounds {
    double low, high;
    bool fractional; /* a bound is no whole number */
} bounds;

static bool is_fractional(double bound)
{
    return !isfinite(bound) || bound != trunc(bound);
}

static sp_dtype result_dtype(const sp_call *call)
{
    const bounds *b = call->attributes;
    sp_dtype dtype = call->inputs[0]->dtype;
    if (b->fractional) return sp__floating(dtype);
    return dtype == SP_BOOL ? SP_I64 : dtype;
}

static sp_status infer(sp_call *call)
{
    return sp__broadcast_output(call, result_dtype(call));
}

static sp_status forward(sp_call *call)
{
    const bounds *b = call->attributes;
    double params[] = {b->low, b->high};
    if (isnan(b->low) || isnan(b->high)) return sp__fill_number(call->outputs[0], (sp__number){.value = NAN});
    return sp__map_tensors(SP__CLAMP, call->outputs[0], call->inputs, 1, result_dtype(call), params);
}

static sp_status backward(sp_grad_call *call)
{
    const bounds *b = call->attributes;
    sp_tensor *x = sp_saved_input(call, 0);
    sp_tensor *inside = sp_logical_and(sp_gt_scalar(x, b->low), sp_lt_scalar(x, b->high));
    return SP__GIVE(call, 0, sp_masked_fill(call->grads[0], sp_logical_not(inside), 0));
}

static sp_status clamp_min_backward(sp_grad_call *call)
{
    const bounds *b = call->attributes;
    sp_tensor *inside = sp_gt_scalar(sp_saved_input(call, 0), b->low);
    return SP__GIVE(call, 0, sp_masked_fill(call->grads[0], sp_logical_not(inside), 0));
}

static sp_status clamp_max_backward(sp_grad_call *call)
{
    const bounds *b = call->attributes;
    sp_tensor *inside = sp_lt_scalar(sp_saved_input(call, 0), b->high);
    return SP__GIVE(call, 0, sp_masked_fill(call->grads[0], sp_logical_not(inside), 0));
}

/* ---- public ---- */

static bounds between(double low, double high)
{
    return (bounds){low, high, is_fractional(low) || is_fractional(high)};
}

sp_tensor *sp_clamp(sp_tensor *x, double low, double high)
{
    bounds b = between(low, high);
    return sp_op_apply(&sp__op_clamp, &x, 1, &b);
}

sp_tensor *sp_clamp_(sp_tensor *x, double low, double high)
{
    bounds b = between(low, high);
    return sp_op_apply_inplace(&sp__op_clamp, &x, 1, &b);
}

sp_tensor *sp_clamp_min(sp_tensor *x, double low)
{
    bounds b = {low, (double)INFINITY, is_fractional(low)};
    return sp_op_apply(&sp__op_clamp_min, &x, 1, &b);
}

sp_tensor *sp_clamp_max(sp_tensor *x, double high)
{
    bounds b = {-(double)INFINITY, high, is_fractional(high)};
    return sp_op_apply(&sp__op_clamp_max, &x, 1, &b);
}

/* ---- records ---- */

SP__SAMPLE(clamp_sample, sp_clamp(in[0], -0.5, 1.5));
SP__SAMPLE(clamp_whole_sample, sp_clamp(in[0], -1, 1));
SP__SAMPLE(clamp_inplace_sample, sp_clamp_(sp__sample_copy(in[0]), -1, 1));
SP__SAMPLE(clamp_crossed_sample, sp_clamp(in[0], 1, -1));
SP__SAMPLE(clamp_min_sample, sp_clamp_min(in[0], 0));
SP__SAMPLE(clamp_max_sample, sp_clamp_max(in[0], 0.5));

static const sp_sample clamp_samples[] = {SP__UNARY_SAMPLES(clamp_sample, "torch.clamp(a, -0.5, 1.5)", -3, 3),
                                          SP__ONE(clamp_whole_sample, "torch.clamp(a, -1, 1)", "3 4", -2, 2),
                                          SP__ONE(clamp_inplace_sample, "a.clone().clamp_(-1, 1)", "3 4", -2, 2),
                                          SP__ONE(clamp_crossed_sample, "torch.clamp(a, 1, -1)", "3 4", -2, 2),
                                          {0}};
static const sp_sample clamp_min_samples[] = {SP__UNARY_SAMPLES(clamp_min_sample, "torch.clamp_min(a, 0)", -3, 3), {0}};
static const sp_sample clamp_max_samples[] = {SP__UNARY_SAMPLES(clamp_max_sample, "torch.clamp_max(a, 0.5)", -3, 3),
                                              {0}};

#define CLAMP(NAME, BACKWARD_NAME, BACKWARD)                                                                           \
    const sp_op sp__op_##NAME = {.name = #NAME,                                                                        \
                                 .backward_name = BACKWARD_NAME,                                                       \
                                 .n_inputs = 1,                                                                        \
                                 .attributes_size = sizeof(bounds),                                                    \
                                 .saves = SP_SAVE_INPUT(0),                                                            \
                                 .infer = infer,                                                                       \
                                 .forward = forward,                                                                   \
                                 .backward = BACKWARD,                                                                 \
                                 .samples = NAME##_samples}
CLAMP(clamp, "ClampBackward1", backward);
CLAMP(clamp_min, "ClampMinBackward0", clamp_min_backward);
CLAMP(clamp_max, "ClampMaxBackward0", clamp_max_backward);

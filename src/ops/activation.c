/* Activations, element by element, of floating-point tensors. g is the gradient of the result.
 *
 *     silu        x·σ(x)                                  g·σ·(1 + x·(1 - σ))
 *     softplus    ln(1 + e^(βx))/β; x where βx > t        g·σ(βx); g where βx > t
 *     leaky_relu  x where x > 0, else s·x                 g where x > 0, else s·g
 *     elu         x where x > 0, else α(e^x - 1)          g where x > 0, else g·α·e^x
 *     gelu        x·Φ(x), Φ(x) = (1 + erf(x/√2))/2        g·(Φ(x) + x·φ(x)), φ(x) = e^(-x²/2)/√(2π)
 *     gelu, tanh  x·(1 + T)/2, T = tanh(k(x + cx³))       g·((1 + T)/2 + x·(1 - T²)·k(1 + 3cx²)/2)
 *                 k = √(2/π), c = 0.044715
 *
 * Sources: Clevert, Unterthiner and Hochreiter, arXiv:1511.07289 (elu); Hendrycks and Gimpel, arXiv:1606.08415 (gelu,
 * silu); Maas, Hannun and Ng, ICML 2013 (leaky_relu). */
#include "ops/elementwise.h"

/* The gradient by one kernel, where nobody asks for the gradient's. */
static sp_status by_kernel(sp_grad_call *call, sp__map_kind kind, double p, double q)
{
    return SP__GIVE(call, 0, sp__activation_backward(call->grads[0], sp_saved_input(call, 0), kind, p, q));
}

/* ---- silu ---- */

static sp_status silu_forward(sp_call *call)
{
    return sp__map_call(call, SP__SILU, NULL);
}

static sp_status silu_backward(sp_grad_call *call)
{
    if (!sp_grad_enabled()) return by_kernel(call, SP__SILU_BACKWARD, 0, 0);
    sp_tensor *g = call->grads[0], *x = sp__widened(sp_saved_input(call, 0)), *s = sp_sigmoid(x);
    sp_tensor *slope = sp_mul(s, sp_add_scalar(sp_mul(x, sp_rsub_scalar(s, 1)), 1));
    return SP__GIVE(call, 0, sp_mul(g, slope));
}

sp_tensor *sp_silu(sp_tensor *x)
{
    return sp_op_apply(&sp__op_silu, &x, 1, NULL);
}

/* ---- softplus ---- */

typedef struct softplus_attributes {
    double beta, threshold;
} softplus_attributes;

static sp_status softplus_forward(sp_call *call)
{
    const softplus_attributes *a = call->attributes;
    return sp__map_call(call, SP__SOFTPLUS, (double[]){a->beta, a->threshold});
}

static sp_status softplus_backward(sp_grad_call *call)
{
    const softplus_attributes *a = call->attributes;
    if (!sp_grad_enabled()) return by_kernel(call, SP__SOFTPLUS_BACKWARD, a->beta, a->threshold);
    sp_tensor *g = call->grads[0], *scaled = sp_mul_scalar(sp__widened(sp_saved_input(call, 0)), a->beta);
    sp_tensor *linear = sp_gt_scalar(scaled, a->threshold);
    return SP__GIVE(call, 0, sp_where(linear, g, sp_mul(g, sp_sigmoid(scaled))));
}

sp_tensor *(sp_softplus)(sp_tensor *x, const sp_softplus_options *options)
{
    sp_softplus_options o;
    sp_options_copy(&o, sizeof o, options);
    softplus_attributes a = {sp_option(o.beta, 1), sp_option(o.threshold, 20)};
    return sp_op_apply(&sp__op_softplus, &x, 1, &a);
}

/* ---- leaky_relu ---- */

static sp_status leaky_relu_forward(sp_call *call)
{
    const double *slope = call->attributes;
    return sp__map_call(call, SP__LEAKY_RELU, (double[]){*slope, 0});
}

static sp_status leaky_relu_backward(sp_grad_call *call)
{
    const double *slope = call->attributes;
    if (!sp_grad_enabled()) return by_kernel(call, SP__LEAKY_RELU_BACKWARD, *slope, 0);
    sp_tensor *g = call->grads[0], *x = sp_saved_input(call, 0);
    return SP__GIVE(call, 0, sp_where(sp_gt_scalar(x, 0), g, sp_mul_scalar(g, *slope)));
}

sp_tensor *(sp_leaky_relu)(sp_tensor *x, const sp_leaky_relu_options *options)
{
    sp_leaky_relu_options o;
    sp_options_copy(&o, sizeof o, options);
    double slope = sp_option(o.negative_slope, 0.01);
    return sp_op_apply(&sp__op_leaky_relu, &x, 1, &slope);
}

/* ---- elu ---- */

static sp_status elu_forward(sp_call *call)
{
    const double *alpha = call->attributes;
    return sp__map_call(call, SP__ELU, (double[]){*alpha, 0});
}

/* e^min(x,0), not e^x: an infinity in the branch not taken would make the gradient's gradient NaN. */
static sp_status elu_backward(sp_grad_call *call)
{
    const double *alpha = call->attributes;
    if (!sp_grad_enabled()) return by_kernel(call, SP__ELU_BACKWARD, *alpha, 0);
    sp_tensor *g = call->grads[0], *x = sp__widened(sp_saved_input(call, 0));
    sp_tensor *slope = sp_mul_scalar(sp_exp(sp_clamp_max(x, 0)), *alpha);
    return SP__GIVE(call, 0, sp_where(sp_le_scalar(x, 0), sp_mul(g, slope), g));
}

sp_tensor *(sp_elu)(sp_tensor *x, const sp_elu_options *options)
{
    sp_elu_options o;
    sp_options_copy(&o, sizeof o, options);
    double alpha = sp_option(o.alpha, 1);
    return sp_op_apply(&sp__op_elu, &x, 1, &alpha);
}

/* ---- gelu ---- */

static sp_status gelu_forward(sp_call *call)
{
    const bool *by_tanh = call->attributes;
    return sp__map_call(call, *by_tanh ? SP__GELU_TANH : SP__GELU, NULL);
}

/* Φ(x) + x·φ(x) */
static sp_tensor *gelu_slope(sp_tensor *x)
{
    const double half_root = 0.70710678118654752440, inverse_root = 0.39894228040143267794; /* √½, 1/√(2π) */
    sp_tensor *below = sp_mul_scalar(sp_add_scalar(sp_erf(sp_mul_scalar(x, half_root)), 1), 0.5);
    sp_tensor *density = sp_mul_scalar(sp_exp(sp_mul_scalar(sp_square(x), -0.5)), inverse_root);
    return sp_add(below, sp_mul(x, density));
}

static sp_tensor *gelu_tanh_slope(sp_tensor *x)
{
    const double k = 0.79788456080286535588, c = 0.044715;
    sp_tensor *x2 = sp_square(x);
    sp_tensor *t = sp_tanh(sp_mul_scalar(sp_mul(x, sp_add_scalar(sp_mul_scalar(x2, c), 1)), k));
    sp_tensor *inner = sp_mul_scalar(sp_add_scalar(sp_mul_scalar(x2, 3 * c), 1), k);
    sp_tensor *bend = sp_mul(sp_mul(x, sp_rsub_scalar(sp_square(t), 1)), inner);
    return sp_mul_scalar(sp_add(sp_add_scalar(t, 1), bend), 0.5);
}

static sp_status gelu_backward(sp_grad_call *call)
{
    const bool *by_tanh = call->attributes;
    if (!sp_grad_enabled()) return by_kernel(call, *by_tanh ? SP__GELU_TANH_BACKWARD : SP__GELU_BACKWARD, 0, 0);
    sp_tensor *x = sp__widened(sp_saved_input(call, 0));
    return SP__GIVE(call, 0, sp_mul(call->grads[0], *by_tanh ? gelu_tanh_slope(x) : gelu_slope(x)));
}

sp_tensor *(sp_gelu)(sp_tensor *x, const sp_gelu_options *options)
{
    sp_gelu_options o;
    sp_options_copy(&o, sizeof o, options);
    return sp_op_apply(&sp__op_gelu, &x, 1, &o.tanh);
}

/* ---- records ---- */

SP__SAMPLE(silu_sample, sp_silu(in[0]));
SP__SAMPLE(softplus_sample, sp_softplus(in[0]));
SP__SAMPLE(softplus_options_sample, sp_softplus(in[0], .beta = 2, .threshold = 1));
SP__SAMPLE(leaky_relu_sample, sp_leaky_relu(in[0]));
SP__SAMPLE(leaky_relu_slope_sample, sp_leaky_relu(in[0], .negative_slope = 0.2));
SP__SAMPLE(elu_sample, sp_elu(in[0]));
SP__SAMPLE(elu_alpha_sample, sp_elu(in[0], .alpha = 1.7));
SP__SAMPLE(gelu_sample, sp_gelu(in[0]));
SP__SAMPLE(gelu_tanh_sample, sp_gelu(in[0], .tanh = true));

static const sp_sample silu_samples[] = {SP__UNARY_SAMPLES(silu_sample, "F.silu(a)", -4, 4), {0}};
static const sp_sample softplus_samples[] = {SP__UNARY_SAMPLES(softplus_sample, "F.softplus(a)", -4, 25),
                                             SP__ONE(softplus_options_sample, "F.softplus(a, 2, 1)", "3 4", -2, 2),
                                             {0}};
static const sp_sample leaky_relu_samples[] = {SP__UNARY_SAMPLES(leaky_relu_sample, "F.leaky_relu(a)", -2, 2),
                                               SP__ONE(leaky_relu_slope_sample, "F.leaky_relu(a, 0.2)", "3 4", -2, 2),
                                               {0}};
static const sp_sample elu_samples[] = {
    SP__UNARY_SAMPLES(elu_sample, "F.elu(a)", -4, 4), SP__ONE(elu_alpha_sample, "F.elu(a, 1.7)", "3 4", -2, 2), {0}};
static const sp_sample gelu_samples[] = {SP__UNARY_SAMPLES(gelu_sample, "F.gelu(a)", -4, 4),
                                         SP__UNARY_SAMPLES(gelu_tanh_sample, "F.gelu(a, approximate='tanh')", -4, 4),
                                         {0}};

#define ACTIVATION(NAME, BACKWARD_NAME, SIZE)                                                                          \
    const sp_op sp__op_##NAME = {.name = #NAME,                                                                        \
                                 .backward_name = BACKWARD_NAME,                                                       \
                                 .n_inputs = 1,                                                                        \
                                 .attributes_size = SIZE,                                                              \
                                 .saves = SP_SAVE_INPUT(0),                                                            \
                                 .infer = sp__infer_floating_only,                                                     \
                                 .forward = NAME##_forward,                                                            \
                                 .backward = NAME##_backward,                                                          \
                                 .samples = NAME##_samples}
ACTIVATION(silu, "SiluBackward0", 0);
ACTIVATION(softplus, "SoftplusBackward0", sizeof(softplus_attributes));
ACTIVATION(leaky_relu, "LeakyReluBackward0", sizeof(double));
ACTIVATION(elu, "EluBackward0", sizeof(double));
ACTIVATION(gelu, "GeluBackward0", sizeof(bool));

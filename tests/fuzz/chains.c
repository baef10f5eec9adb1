/* Modules in a row, most of them such as fusion takes together, with strange windows and with readers in between. */
#include "fuzz/call.h"

/* ---- one stage; its options come from r and fit the image x ---- */

static sp_module *convolution(sp_tensor *x, fuzz_random *r)
{
    const int64_t channels = sp_size(x, 1), side = sp_size(x, 2) < sp_size(x, 3) ? sp_size(x, 2) : sp_size(x, 3);
    const int64_t kernel = fuzz_chance(r, 50) ? 3 : fuzz_between(r, 1, 5), stride = fuzz_chance(r, 80) ? 1 : 2;
    const int64_t least = kernel > side ? (kernel - side + 1) / 2 : 0;
    const int64_t groups = channels % 2 == 0 && fuzz_chance(r, 10) ? 2 : 1;
    return sp_nn_conv2d(channels, groups * fuzz_between(r, 1, 24), kernel, .stride = stride, .groups = groups,
                        .padding = least > 0 ? least : fuzz_between(r, 0, kernel / 2), .no_bias = fuzz_chance(r, 20));
}

static sp_module *maxima(sp_tensor *x, fuzz_random *r)
{
    int64_t window[2], stride[2], padding[2];
    const bool usual = fuzz_chance(r, 50);
    for (int d = 0; d < 2; d++) {
        const int64_t size = sp_size(x, 2 + d), most = size < 4 ? size : 4;
        window[d] = usual && most > 1 ? 2 : fuzz_between(r, 1, most);
        stride[d] = usual || fuzz_chance(r, 40) ? window[d] : fuzz_between(r, 1, 4);
        padding[d] = fuzz_chance(r, 15) ? window[d] / 2 : 0;
    }
    return sp_nn_max_pool2d(0, .kernel_size_hw = {window[0], window[1]}, .stride_hw = {stride[0], stride[1]},
                            .padding_hw = {padding[0], padding[1]}, .ceil_mode = fuzz_chance(r, 30));
}

static sp_module *activation(fuzz_random *r)
{
    switch (fuzz_between(r, 0, 3)) {
    case 0: return sp_nn_tanh();
    case 1: return sp_nn_gelu();
    case 2: return sp_nn_leaky_relu();
    default: return sp_nn_silu();
    }
}

static sp_tensor *no_change(sp_tensor *grad, void *user)
{
    (void)grad, (void)user;
    return SP_NONE;
}

/* Somebody reads x, hooks it, or uses it twice. */
static sp_tensor *looked_at(sp_tensor *x, fuzz_random *r)
{
    switch (fuzz_between(r, 0, 3)) {
    case 0: return sp_item(sp_sum(sp_detach(x))) > -1e30 ? x : NULL;
    case 1: return sp_needs_grad(x) && sp_register_hook(x, no_change, NULL) < 0 ? NULL : x;
    case 2: return sp_add(sp_relu(x), x);
    default: return sp_add(sp_mul_scalar(x, 0.5), sp_relu(x));
    }
}

static sp_tensor *apply(sp_module *module, sp_tensor *x, sp_list *leaves)
{
    if (sp_module_cast(module, sp_dtype_of(x))) return NULL;
    const sp_list *parameters = sp_parameters(module);
    for (int64_t i = 0; i < sp_list_length(parameters); i++) sp_list_append(leaves, sp_list_get(parameters, i));
    return sp_forward(module, x);
}

enum { CONVOLUTION, RELU, MAXIMA, ACTIVATION, LOOK, NORM, LINEAR, KINDS };

static sp_tensor *stage(int64_t kind, sp_tensor *x, fuzz_random *r, sp_list *leaves)
{
    if (!x || (sp_ndim(x) == 2 && (kind == CONVOLUTION || kind == MAXIMA))) return x;
    switch (kind) {
    case CONVOLUTION: return apply(convolution(x, r), x, leaves);
    case MAXIMA: return apply(maxima(x, r), x, leaves);
    case ACTIVATION: return apply(activation(r), x, leaves);
    case LOOK: return looked_at(x, r);
    case NORM: return sp_ndim(x) == 4 ? apply(sp_nn_batch_norm2d(sp_size(x, 1)), x, leaves) : x;
    case RELU: return sp_relu(x);
    default:
        if (sp_ndim(x) == 4) x = sp_flatten(x, .start_dim = 1);
        return apply(sp_nn_linear(sp_size(x, 1), fuzz_between(r, 1, 70), .no_bias = fuzz_chance(r, 20)), x, leaves);
    }
}

/* ---- chains ---- */

enum { STAGES = 8 };

static void draw_convolutions(fuzz_case *c, fuzz_random *r, int attempt)
{
    const int64_t sizes[] = {fuzz_between(r, 1, 9), fuzz_between(r, 1, 20), fuzz_between(r, 4, 16),
                             fuzz_between(r, 4, 16)};
    (void)attempt;
    fuzz_add(c, r, fuzz_float(r), (sp_dims){sizes, 4});
    for (int i = 0; i < STAGES; i++) {
        const bool usual = fuzz_chance(r, 75);
        c->whole[i] = usual ? i % 3 : fuzz_between(r, 0, KINDS - 1);
        if (i > 5) c->whole[i] = i % 2 ? RELU : LINEAR;
    }
}

/* Small ones compute at once, large ones wait for their ReLU. */
static void draw_linears(fuzz_case *c, fuzz_random *r, int attempt)
{
    const int64_t rows = fuzz_chance(r, 50) ? fuzz_size(r, 40) : fuzz_between(r, 200, 1500);
    (void)attempt;
    fuzz_add(c, r, fuzz_float(r), SP_DIMS(rows, fuzz_size(r, 130)));
    for (int i = 0; i < STAGES; i++)
        c->whole[i] = fuzz_chance(r, 75) ? (i % 2 ? RELU : LINEAR) : fuzz_one_of(r, ACTIVATION, LOOK, RELU);
}

static sp_tensor *chain(const fuzz_case *c, sp_tensor *const *in, sp_list *leaves)
{
    sp_tensor *x = in[0];
    fuzz_random r = {c->seed};
    for (int i = 0; i < STAGES; i++) x = stage(c->whole[i], x, &r, leaves);
    return x;
}

enum { OF_CHAINS = FUZZ_FINITE | FUZZ_JUMPS | FUZZ_CANCELS | FUZZ_LAYOUT_ROUNDS | FUZZ_LONG };
const fuzz_subject fuzz_chains[] = {{"a chain of convolutions", NULL, draw_convolutions, chain, OF_CHAINS},
                                    {"a chain of linears", NULL, draw_linears, chain, OF_CHAINS},
                                    {"a longer chain of convolutions", NULL, draw_convolutions, chain, OF_CHAINS},
                                    {0}};

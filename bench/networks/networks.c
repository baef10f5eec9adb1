/* The table of networks, those that are sequences of layers, and what a step needs beside a network. */
#include "networks.h"

#include <string.h>

/* ---- sequences ---- */

static sp_module *lenet(void)
{
    return sp_nn_sequential(sp_nn_conv2d(1, 20, 5), sp_nn_relu(), sp_nn_max_pool2d(2), sp_nn_conv2d(20, 50, 5),
                            sp_nn_relu(), sp_nn_max_pool2d(2), sp_nn_flatten(), sp_nn_linear(800, 500), sp_nn_relu(),
                            sp_nn_linear(500, 10), sp_nn_log_softmax(1));
}

static sp_module *tanhnet(void)
{
    return sp_nn_sequential(sp_nn_conv2d(1, 8, 5, .padding = 2), sp_nn_tanh(), sp_nn_avg_pool2d(2),
                            sp_nn_conv2d(8, 16, 5), sp_nn_tanh(), sp_nn_avg_pool2d(2), sp_nn_flatten(),
                            sp_nn_linear(400, 120), sp_nn_tanh(), sp_nn_linear(120, 10));
}

static sp_module *wide(void)
{
    return sp_nn_sequential(sp_nn_linear(784, 1024), sp_nn_relu(), sp_nn_linear(1024, 1024), sp_nn_relu(),
                            sp_nn_linear(1024, 10));
}

static sp_module *bn_layer(int in, int out)
{
    return sp_nn_sequential(sp_nn_conv2d(in, out, 3, .padding = 1, .no_bias = true), sp_nn_batch_norm2d(out),
                            sp_nn_relu());
}

static sp_module *bnnet(void)
{
    return sp_nn_sequential(bn_layer(1, 16), bn_layer(16, 16), sp_nn_max_pool2d(2), bn_layer(16, 32), bn_layer(32, 32),
                            sp_nn_max_pool2d(2), sp_nn_flatten(), sp_nn_linear(1568, 10));
}

/* A convolution of each channel by itself, then one of single places. */
static sp_module *separable(int in, int out, int stride)
{
    return sp_nn_sequential(sp_nn_conv2d(in, in, 3, .stride = stride, .padding = 1, .groups = in),
                            sp_nn_batch_norm2d(in), sp_nn_relu(), sp_nn_conv2d(in, out, 1), sp_nn_batch_norm2d(out),
                            sp_nn_relu());
}

static sp_module *mobile(void)
{
    return sp_nn_sequential(sp_nn_conv2d(1, 16, 3, .stride = 2, .padding = 1), sp_nn_batch_norm2d(16), sp_nn_relu(),
                            separable(16, 32, 1), separable(32, 64, 2), separable(64, 64, 1), separable(64, 128, 1),
                            sp_nn_adaptive_avg_pool2d(1), sp_nn_flatten(), sp_nn_linear(128, 10));
}

static sp_module *gan(void)
{
    return sp_nn_sequential(sp_nn_linear(64, 6272), sp_nn_unflatten(1, SP_DIMS(128, 7, 7)), sp_nn_batch_norm2d(128),
                            sp_nn_relu(), sp_nn_conv_transpose2d(128, 64, 4, .stride = 2, .padding = 1),
                            sp_nn_batch_norm2d(64), sp_nn_relu(),
                            sp_nn_conv_transpose2d(64, 1, 4, .stride = 2, .padding = 1), sp_nn_sigmoid());
}

/* Next to no arithmetic, so its step shows the cost of calling operators. */
static sp_module *tiny(void)
{
    return sp_nn_linear(8, 8);
}

/* ---- losses and optimisers ---- */

static sp_module *nll(void)
{
    return sp_nn_nll_loss();
}
static sp_module *entropy(void)
{
    return sp_nn_cross_entropy_loss();
}
static sp_module *mse(void)
{
    return sp_nn_mse_loss();
}

static sp_optimizer *adam(sp_list *p)
{
    return sp_optim_adam(p, .lr = 1e-3);
}
static sp_optimizer *adamw(sp_list *p)
{
    return sp_optim_adamw(p, .lr = 1e-3);
}
static sp_optimizer *adadelta(sp_list *p)
{
    return sp_optim_adadelta(p, .lr = 1);
}
static sp_optimizer *momentum(sp_list *p)
{
    return sp_optim_sgd(p, .lr = 0.01, .momentum = 0.9);
}
static sp_optimizer *decayed(sp_list *p)
{
    return sp_optim_sgd(p, .lr = 0.01, .momentum = 0.9, .weight_decay = 5e-4);
}

/* ---- the table ---- */

const bench_network bench_networks[] = {
    {"mlp", BENCH_PIXELS, NULL, nll, adam, 64},
    {"ae", BENCH_PIXELS, NULL, mse, adam, 64},
    {"cnn", BENCH_IMAGES, NULL, nll, adam, 64},
    {"convae", BENCH_IMAGES, NULL, mse, adam, 64},
    {"example", BENCH_IMAGES, NULL, nll, adadelta, 64},
    {"lenet", BENCH_IMAGES, lenet, nll, adam, 64},
    {"tanhnet", BENCH_IMAGES, tanhnet, entropy, momentum, 64},
    {"wide", BENCH_PIXELS, wide, entropy, adamw, 128},
    {"bnnet", BENCH_IMAGES, bnnet, entropy, adam, 64},
    {"resnet", BENCH_COLOURS, bench_resnet, entropy, decayed, 64},
    {"mobile", BENCH_IMAGES, mobile, entropy, adam, 64},
    {"gan", BENCH_CODES, gan, mse, adam, 64},
    {"former", BENCH_CHARACTERS, bench_former, entropy, adamw, 16},
    {"logistic", BENCH_PIXELS, NULL, nll, adam, 64},
    {"tiny", BENCH_MIDDLE, tiny, mse, adam, 64},
};
const int n_bench_networks = sizeof bench_networks / sizeof *bench_networks;

const bench_network *bench_network_by_name(const char *name)
{
    for (int i = 0; i < n_bench_networks; i++)
        if (strcmp(bench_networks[i].name, name) == 0) return &bench_networks[i];
    return NULL;
}

sp_module *bench_network_make(const bench_network *n)
{
    return n->make ? n->make() : sp_model_by_name(n->name);
}

/* ---- what goes in ---- */

/* Characters made of 65 pixels of the middle rows: how bright the pixel is and where it stands, so that all of them
 * occur and that the next one can be learned. */
static sp_example characters(sp_tensor *digits)
{
    enum { PIXELS = 784, FIRST = 364, PLACES = 64, CHARACTERS = 65 };
    const int64_t n = sp_size(digits, 0);
    sp_tensor *text = sp_empty(SP_DIMS(n, PLACES + 1), .dtype = SP_I64);
    sp_tensor *pixels = sp_contiguous(sp_cast(digits, SP_F32));
    const float *from = sp_data(pixels);
    int64_t *to = sp_data(text);
    for (int64_t i = 0; from && to && i < n; i++)
        for (int64_t j = 0; j <= PLACES; j++)
            to[i * (PLACES + 1) + j] = ((int64_t)(from[i * PIXELS + FIRST + j] * PLACES) + 7 * j) % CHARACTERS;
    sp_data_end(text);
    sp_data_end(pixels);
    return (sp_example){.x = sp_contiguous(sp_narrow(text, 1, 0, PLACES)),
                        .y = sp_reshape(sp_narrow(text, 1, 1, PLACES), -1)};
}

static sp_tensor *input_of(bench_input input, sp_tensor *digits)
{
    const int64_t n = sp_size(digits, 0);
    sp_tensor *pixels = sp_reshape(digits, n, -1);
    switch (input) {
    case BENCH_PIXELS: return pixels;
    case BENCH_MIDDLE: return sp_contiguous(sp_narrow(pixels, 1, 400, 8));
    case BENCH_COLOURS: return sp_contiguous(sp_expand(sp_pad(digits, SP_DIMS(2, 2, 2, 2)), n, 3, 32, 32));
    case BENCH_CODES: return sp_randn(SP_DIMS(n, 64), .dtype = sp_dtype_of(digits));
    default: return digits;
    }
}

sp_example bench_network_example(const bench_network *n, sp_tensor *digits, sp_tensor *labels)
{
    if (n->input == BENCH_CHARACTERS) return characters(digits);
    sp_example e = {.x = input_of(n->input, digits), .y = labels};
    if (n->criterion == mse) e.y = n->input == BENCH_CODES ? digits : e.x;
    return e;
}

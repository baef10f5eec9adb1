/* Networks of convolutions: from the same weights and batches, twenty training losses in f64 equal PyTorch's. The
 * networks and optimisers are those of tools/fixtures_training.py. */
#include "support/support.h"
#include "support/training.h"
#include <math.h>
#include <spusk/spusk.h>
#include <stdio.h>

enum { STEPS = 20, BATCH = 16, CLASSES = 10 };

static sp_module *cnn(void)
{
    return sp_nn_sequential(sp_nn_conv2d(1, 8, 3, .padding = 1), sp_nn_relu(), sp_nn_max_pool2d(2),
                            sp_nn_conv2d(8, 12, 3, .stride = 2, .padding = 1), sp_nn_relu(), sp_nn_flatten(),
                            sp_nn_linear(192, 10), sp_nn_log_softmax(1));
}

static sp_module *convae(void)
{
    return sp_nn_sequential(sp_nn_conv2d(1, 4, 3, .stride = 2, .padding = 1), sp_nn_relu(),
                            sp_nn_conv2d(4, 8, 3, .stride = 2, .padding = 1), sp_nn_relu(), sp_nn_flatten(),
                            sp_nn_linear(128, 5), sp_nn_linear(5, 128), sp_nn_unflatten(1, SP_DIMS(8, 4, 4)),
                            sp_nn_conv_transpose2d(8, 4, 2, .stride = 2), sp_nn_relu(),
                            sp_nn_conv_transpose2d(4, 1, 2, .stride = 2), sp_nn_sigmoid());
}

static sp_module *odd(void)
{
    return sp_nn_sequential(
        sp_nn_conv2d(1, 6, 0, .kernel_size_hw = {3, 4}, .same = true), sp_nn_tanh(),
        sp_nn_conv2d(6, 9, 3, .stride_hw = {2, 1}, .padding_hw = {1, 0}, .groups = 3, .no_bias = true), sp_nn_tanh(),
        sp_nn_conv2d(9, 4, 2, .dilation = 2), sp_nn_gelu(),
        sp_nn_conv_transpose2d(4, 6, 3, .stride = 2, .padding = 1, .output_padding = 1, .groups = 2), sp_nn_gelu(),
        sp_nn_flatten(), sp_nn_linear(6 * 10 * 20, 10), sp_nn_log_softmax(1));
}

static sp_tensor *labels(uint64_t seed)
{
    uint64_t words[BATCH];
    int64_t classes[BATCH];
    training_words(seed, words, BATCH);
    for (int i = 0; i < BATCH; i++) classes[i] = (int64_t)(words[i] % CLASSES);
    return sp_from_data(classes, SP_DIMS(BATCH), .dtype = SP_I64);
}

/* The worst difference from PyTorch's losses. An autoencoder is held against its images. */
static double train(sp_module *model, sp_optimizer *optimizer, int64_t side, const double *expected)
{
    double worst = 0;
    sp_module *likelihood = sp_nn_nll_loss(), *squares = sp_nn_mse_loss();
    for (uint64_t step = 0; step < STEPS; step++)
        SP_SCOPE {
            sp_tensor *x = training_tensor(3000 + step, SP_DIMS(BATCH, 1, side, side), 1, 0, SP_F64);
            sp_zero_grad(optimizer);
            sp_tensor *y = sp_forward(model, x);
            sp_tensor *loss = sp_ndim(y) == 4 ? sp_forward(squares, y, x)
                                              : sp_forward(likelihood, y, labels(4000 + step));
            sp_backward(loss);
            const double off = fabs(sp_item(loss) - expected[step]);
            worst = off > worst || isnan(off) ? off : worst;
            sp_step(optimizer);
        }
    return worst;
}

static sp_optimizer *make_optimizer(int which, const sp_list *parameters)
{
    if (which == 0) return sp_optim_sgd(parameters, .lr = 0.05, .momentum = 0.9);
    return which == 1 ? sp_optim_adam(parameters) : sp_optim_adadelta(parameters);
}

static void compare(const char *network, sp_module *(*make)(void), int64_t side)
{
    static const char *const optimizers[] = {"sgd_momentum", "adam", "adadelta"};
    for (int i = 0; i < 3; i++) {
        char name[64];
        double expected[STEPS], worst = NAN;
        snprintf(name, sizeof name, "%s_%s", network, optimizers[i]);
        assert_int_equal(training_line("images.txt", name, expected, STEPS), STEPS);
        SP_SCOPE {
            sp_module *model = make();
            sp_module_cast(model, SP_F64);
            training_set_weights(model);
            worst = train(model, make_optimizer(i, sp_parameters(model)), side, expected);
        }
        assert_no_error();
        printf("# %s: off by %.2g\n", name, worst);
        if (!(worst <= 1e-9)) fail_msg("%s: a loss is off by %g", name, worst);
    }
}

static void test_classifier(void **state)
{
    (void)state;
    compare("cnn", cnn, 14);
}

static void test_autoencoder(void **state)
{
    (void)state;
    compare("convae", convae, 16);
}

static void test_odd_convolutions(void **state)
{
    (void)state;
    compare("odd", odd, 14);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_classifier),
        sp_test(test_autoencoder),
        sp_test(test_odd_convolutions),
    };
    return sp_test_main(tests);
}

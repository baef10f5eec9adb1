/* From the same weights and batches, twenty training losses equal PyTorch's, for every optimiser. */
#include "support/support.h"
#include "support/training.h"
#include <math.h>
#include <spusk/spusk.h>
#include <stdio.h>

enum { STEPS = 20, BATCH = 64, FEATURES = 784, CLASSES = 10 };

#define WITH(...) (&(const sp_optim_options){.size = sizeof(sp_optim_options), __VA_ARGS__})
typedef sp_optimizer *constructor(const sp_list *parameters, const sp_optim_options *options);

/* The rows of OPTIMIZERS in tools/fixtures_training.py. */
static const struct {
    const char *name;
    constructor *make;
    const sp_optim_options *options; /* NULL: the defaults */
} rows[] = {
    {"sgd", sp_optim_sgd, NULL},
    {"sgd_momentum", sp_optim_sgd, WITH(.lr = 0.05, .momentum = 0.9)},
    {"sgd_dampening", sp_optim_sgd, WITH(.lr = 0.05, .momentum = 0.9, .dampening = 0.5, .weight_decay = 1e-2)},
    {"sgd_nesterov", sp_optim_sgd, WITH(.lr = 0.05, .momentum = 0.8, .nesterov = true, .weight_decay = 1e-3)},
    {"sgd_maximize", sp_optim_sgd, WITH(.lr = 1e-3, .maximize = true)},
    {"adagrad", sp_optim_adagrad, NULL},
    {"adagrad_decay", sp_optim_adagrad, WITH(.lr_decay = 0.1, .weight_decay = 1e-2, .initial_accumulator_value = 0.1)},
    {"adadelta", sp_optim_adadelta, NULL},
    {"adadelta_decay", sp_optim_adadelta, WITH(.lr = 0.1, .rho = 0.8, .weight_decay = 1e-2, .eps = 1e-5)},
    {"rmsprop", sp_optim_rmsprop, WITH(.lr = 1e-3)},
    {"rmsprop_momentum", sp_optim_rmsprop, WITH(.lr = 1e-4, .momentum = 0.9, .weight_decay = 1e-2)},
    {"rmsprop_centered", sp_optim_rmsprop, WITH(.lr = 1e-4, .alpha = 0.9, .centered = true)},
    {"rmsprop_both", sp_optim_rmsprop, WITH(.lr = 1e-4, .momentum = 0.5, .centered = true)},
    {"adam", sp_optim_adam, NULL},
    {"adam_decay", sp_optim_adam, WITH(.betas = {0.8, 0.99}, .eps = 1e-6, .weight_decay = 1e-2)},
    {"adam_maximize", sp_optim_adam, WITH(.lr = 1e-4, .maximize = true)},
    {"amsgrad", sp_optim_adam, WITH(.betas = {0.9, 0.9}, .amsgrad = true)},
    {"adamw", sp_optim_adamw, NULL},
    {"adamw_amsgrad", sp_optim_adamw, WITH(.betas = {0.9, 0.9}, .weight_decay = 0.1, .amsgrad = true)},
    {"adamax", sp_optim_adamax, NULL},
    {"adamax_decay", sp_optim_adamax, WITH(.betas = {0.5, 0.9}, .weight_decay = 1e-2)},
    {"nadam", sp_optim_nadam, NULL},
    {"nadam_decay", sp_optim_nadam, WITH(.momentum_decay = 1e-2, .weight_decay = 1e-2)},
};
enum { N_ROWS = sizeof rows / sizeof *rows };

static sp_module *mlp(void)
{
    return sp_nn_sequential(sp_nn_linear(784, 256), sp_nn_relu(), sp_nn_linear(256, 128), sp_nn_relu(),
                            sp_nn_linear(128, 10), sp_nn_log_softmax(1));
}

static sp_module *deep(void)
{
    sp_module *model = sp_nn_sequential(sp_nn_linear(784, 256), sp_nn_relu(), sp_nn_dropout(0.25),
                                        sp_nn_linear(256, 128), sp_nn_tanh(), sp_nn_dropout(0.5), sp_nn_linear(128, 64),
                                        sp_nn_gelu(), sp_nn_linear(64, 64), sp_nn_silu(), sp_nn_linear(64, 32),
                                        sp_nn_sigmoid(), sp_nn_linear(32, 10), sp_nn_log_softmax(1));
    sp_eval(model);
    return model;
}

static sp_tensor *labels(uint64_t seed)
{
    uint64_t words[BATCH];
    int64_t classes[BATCH];
    training_words(seed, words, BATCH);
    for (int i = 0; i < BATCH; i++) classes[i] = (int64_t)(words[i] % CLASSES);
    return sp_from_data(classes, SP_DIMS(BATCH), .dtype = SP_I64);
}

/* The worst difference from PyTorch's losses. */
static double train(sp_module *model, int row, sp_dtype dtype, const double *expected)
{
    double worst = 0;
    sp_module_cast(model, dtype);
    training_set_weights(model);
    sp_optimizer *optimizer = rows[row].make(sp_parameters(model), rows[row].options);
    sp_module *criterion = sp_nn_nll_loss();
    for (uint64_t step = 0; step < STEPS; step++)
        SP_SCOPE {
            sp_tensor *x = training_tensor(1000 + step, SP_DIMS(BATCH, FEATURES), 1, 0, dtype);
            sp_zero_grad(optimizer);
            sp_tensor *loss = sp_forward(criterion, sp_forward(model, x), labels(2000 + step));
            sp_backward(loss);
            double off = fabs(sp_item(loss) - expected[step]);
            worst = off > worst || isnan(off) ? off : worst;
            sp_step(optimizer);
        }
    return worst;
}

static void compare(const char *network, sp_module *(*make)(void), sp_dtype dtype, double tolerance)
{
    int failed = 0;
    for (int row = 0; row < N_ROWS; row++) {
        char name[96];
        double expected[STEPS], worst = NAN;
        snprintf(name, sizeof name, "%s_%s_%s", network, dtype == SP_F64 ? "f64" : "f32", rows[row].name);
        assert_int_equal(training_line("losses.txt", name, expected, STEPS), STEPS);
        SP_SCOPE {
            worst = train(make(), row, dtype, expected);
        }
        assert_no_error();
        printf("# %s: off by %.2g\n", name, worst);
        if (!(worst <= tolerance)) {
            print_error("%s: a loss is off by %g, allowed %g\n", name, worst, tolerance);
            failed++;
        }
    }
    assert_int_equal(failed, 0);
}

static void test_mlp_f64(void **state)
{
    (void)state;
    compare("mlp", mlp, SP_F64, 1e-9);
}

static void test_deep_f64(void **state)
{
    (void)state;
    compare("deep", deep, SP_F64, 1e-9);
}

static void test_mlp_f32(void **state)
{
    (void)state;
    compare("mlp", mlp, SP_F32, 1e-5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {sp_test(test_mlp_f64), sp_test(test_deep_f64), sp_test(test_mlp_f32)};
    return sp_test_main(tests);
}

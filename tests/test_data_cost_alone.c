/* What a loader costs beside a training step of the classifier: at most 5 % without workers. */
#include "data/data_test.h"
#include <spusk/nn.h>
#include <spusk/optim.h>
#include <time.h>

enum { ROUNDS = 7, STEPS = 60 };

#if defined(SP_DEBUG) || !defined(__OPTIMIZE__)
static const bool is_release = false;
#else
static const bool is_release = true;
#endif

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Seconds a batch: of a whole epoch of loading alone, or of some steps of training on what is loaded. */
static double loading(sp_loader *loader)
{
    double begin = now();
    sp_foreach_batch (batch, loader) assert_non_null(batch.y);
    return (now() - begin) / (double)sp_loader_length(loader);
}

static double training(sp_loader *loader, sp_module *model, sp_optimizer *optimizer)
{
    double begin = now();
    sp_foreach_batch (batch, loader) {
        if (batch.index == STEPS) break;
        sp_zero_grad(optimizer);
        sp_backward(sp_nll_loss(sp_forward(model, sp_view(batch.x, -1, 784)), batch.y));
        sp_step(optimizer);
    }
    return (now() - begin) / STEPS;
}

static sp_module *the_mlp(void)
{
    return sp_nn_sequential(sp_nn_linear(784, 256), sp_nn_relu(), sp_nn_linear(256, 128), sp_nn_relu(),
                            sp_nn_linear(128, 10), sp_nn_log_softmax(1));
}

static void test_loader_costs_little(void **state)
{
    (void)state;
    if (!is_release) skip_because("times mean nothing in a debug build");
    const char *folder = real_mnist();
    sp_dataset *data = folder ? sp_data_mnist(folder, .no_download = true) : sp_data_synthetic_digits();
    sp_module *model = the_mlp();
    sp_optimizer *optimizer = sp_optim_adam(sp_parameters(model), .lr = 1e-3);
    sp_loader *loader = sp_data_loader(data, .batch_size = 64, .shuffle = true, .seed = 1);
    loading(loader); /* synthetic digits are drawn when they are first seen */
    double alone = 1, step = 1;
    for (int i = 0; i < ROUNDS; i++) {
        double a = loading(loader), b = training(loader, model, optimizer);
        if (a < alone) alone = a;
        if (b < step) step = b;
    }
    print_message("# a batch takes %.1f us, with its step %.1f us: %.1f %%\n", alone * 1e6, step * 1e6,
                  100 * alone / step);
    assert_true(alone < 0.05 * step);
    assert_no_error();
}

int main(void)
{
    const struct CMUnitTest tests[] = {data_test(test_loader_costs_little)};
    return sp_test_main(tests);
}

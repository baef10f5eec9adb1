/* What long runs rely on: the same bits with any number of threads, memory that does not grow, nothing lost, and every
 * lack of memory an error. */
#include "support/support.h"
#include <math.h>
#include <spusk/spusk.h>
#include <string.h>

/* The classifier of the guide, small enough for a test. */
static sp_module *classifier(void)
{
    return sp_nn_sequential(sp_nn_linear(784, 64), sp_nn_relu(), sp_nn_dropout(0.1), sp_nn_linear(64, 32), sp_nn_relu(),
                            sp_nn_linear(32, 10), sp_nn_log_softmax(1));
}

/* An epoch of the five steps; returns the mean loss, NaN after an error. */
static double train_epoch(sp_module *model, sp_optimizer *optimizer, sp_module *criterion, sp_loader *loader)
{
    double total = 0, batches = 0;
    sp_foreach_batch (batch, loader) {
        sp_zero_grad(optimizer);
        sp_tensor *output = sp_forward(model, sp_view(batch.x, -1, 784));
        sp_tensor *loss = sp_forward(criterion, output, batch.y);
        if (sp_backward(loss)) return NAN;
        total += sp_item(loss);
        batches++;
        if (sp_step(optimizer)) return NAN;
    }
    return batches ? total / batches : NAN;
}

/* Trains for an epoch from a fixed seed and copies all weights, one after another. */
static int64_t weights_after_an_epoch(int threads, int workers, float *out, int64_t room)
{
    int64_t n = 0;
    assert_int_equal(sp_set_num_threads(threads), SP_OK);
    SP_SCOPE {
        sp_manual_seed(11);
        sp_loader *loader = sp_data_loader(sp_data_synthetic_digits(.length = 640), .batch_size = 64, .shuffle = true,
                                           .seed = 5, .num_workers = workers);
        sp_module *model = classifier();
        sp_optimizer *optimizer = sp_optim_adam(sp_parameters(model));
        assert_true(train_epoch(model, optimizer, sp_nn_nll_loss(), loader) < 3);
        sp_list *parameters = sp_parameters(model);
        for (int64_t i = 0; i < sp_list_length(parameters); i++) {
            sp_tensor *p = sp_list_get(parameters, i);
            assert_true(n + sp_numel(p) <= room);
            assert_int_equal(sp_copy_out(out + n, p, (size_t)sp_numel(p) * sizeof *out), SP_OK);
            n += sp_numel(p);
        }
    }
    return n;
}

static void test_the_same_bits_with_any_number_of_threads(void **state)
{
    (void)state;
    enum { ROOM = 60000 };
    static float first[ROOM], other[ROOM];
    int before = sp_num_threads();
    int64_t n = weights_after_an_epoch(1, 0, first, ROOM);
    assert_int_equal(n, sp_module_num_parameters(classifier()));
    const int threads[] = {2, 3, 8};
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
        assert_int_equal(weights_after_an_epoch(threads[i], (int)i, other, ROOM), n);
        assert_memory_equal(first, other, (size_t)n * sizeof *first);
    }
    sp_set_num_threads(before);
}

static void test_memory_is_flat_from_the_second_epoch_on(void **state)
{
    (void)state;
    sp_loader *loader = sp_data_loader(sp_data_synthetic_digits(.length = 640), .batch_size = 64, .shuffle = true);
    sp_module *model = classifier(), *criterion = sp_nn_nll_loss();
    sp_optimizer *optimizer = sp_optim_adam(sp_parameters(model));
    int64_t live = 0, asked = 0;
    for (int epoch = 0; epoch < 6; epoch++) {
        assert_true(train_epoch(model, optimizer, criterion, loader) < 3);
        if (epoch >= 2) {
            assert_int_equal(sp_memory().live_bytes, live);
#ifndef SP_DEBUG /* a debug build keeps the heads of what is gone for a while, to name it */
            assert_int_equal(sp_memory().system_calls, asked);
#endif
        }
        live = sp_memory().live_bytes;
        asked = sp_memory().system_calls;
        (void)asked;
    }
}

static void test_training_learns(void **state)
{
    (void)state;
    sp_manual_seed(1);
    sp_loader *loader = sp_data_loader(sp_data_synthetic_digits(.length = 2000), .batch_size = 50, .shuffle = true);
    sp_module *model = classifier(), *criterion = sp_nn_nll_loss();
    sp_optimizer *optimizer = sp_optim_adam(sp_parameters(model), .lr = 3e-3);
    double first = train_epoch(model, optimizer, criterion, loader), last = first;
    for (int epoch = 0; epoch < 4; epoch++) last = train_epoch(model, optimizer, criterion, loader);
    assert_true(last < first / 2);
}

/* From the first constructor to the end of the first step. */
static bool first_step(void *context)
{
    (void)context;
    const float pixels[4 * 6] = {0, 1, 0, 1, 1};
    sp_tensor *x = sp_from_data(pixels, SP_DIMS(4, 6)), *y = sp_vector_i64(0, 1, 2, 1);
    sp_loader *loader = sp_data_loader(sp_data_tensors(x, y), .batch_size = 2, .shuffle = true);
    sp_module *model = sp_nn_sequential(sp_nn_linear(6, 5), sp_nn_relu(), sp_nn_dropout(0.5), sp_nn_linear(5, 3),
                                        sp_nn_log_softmax(1));
    sp_module *criterion = sp_nn_nll_loss();
    sp_optimizer *optimizer = sp_optim_adam(sp_parameters(model));
    sp_foreach_batch (batch, loader) {
        sp_zero_grad(optimizer);
        sp_tensor *loss = sp_forward(criterion, sp_forward(model, batch.x), batch.y);
        sp_backward(loss);
        return sp_step(optimizer) == SP_OK && isfinite(sp_item(loss)) && sp_error_status() == SP_OK;
    }
    return false;
}

static void test_each_allocation_of_the_first_step_fails_in_turn(void **state)
{
    (void)state;
    int64_t failed = support_fail_each_allocation(first_step, NULL);
    printf("# %lld allocations failed in turn\n", (long long)failed);
    assert_in_range(failed, 50, 100000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_the_same_bits_with_any_number_of_threads),
        sp_test(test_memory_is_flat_from_the_second_epoch_on),
        sp_test(test_training_learns),
        sp_test(test_each_allocation_of_the_first_step_fails_in_turn),
    };
    return sp_test_main(tests);
}

/* Synthetic digits: the same bytes everywhere, endless, and hard enough. */
#include "data/data_test.h"
#include "data/glyphs.h"
#include <pthread.h>
#include <spusk/nn.h>
#include <spusk/optim.h>
#include <spusk/pointwise.h>

/* FNV-1a over the labels and bytes of the first thousand examples. */
static uint64_t digest(uint64_t seed, int stream)
{
    uint64_t sum = 14695981039346656037U;
    for (int i = 0; i < 1000; i++) {
        uint8_t pixels[784];
        sum = (sum ^ (uint64_t)sp__draw_digit(seed, stream, i, pixels)) * 1099511628211U;
        for (int k = 0; k < 784; k++) sum = (sum ^ pixels[k]) * 1099511628211U;
    }
    return sum;
}

/* A seed promises these bytes: a change to them is a change that users see. */
static void test_known_bytes(void **state)
{
    (void)state;
    assert_true(digest(0, 0) == 0xDD0DC90497365FE2U);
    assert_true(digest(7, 1) == 0xBC1AC6B2A228D5B2U);
}

static void check_equal(sp_dataset *a, int64_t i, sp_dataset *b, int64_t j, bool equal)
{
    sp_example x = sp_data_get(a, i), y = sp_data_get(b, j);
    assert_int_equal(sp_equal(x.x, y.x), equal);
}

static void test_example_depends_on_seed_and_number_alone(void **state)
{
    (void)state;
    sp_dataset *a = sp_data_synthetic_digits(.length = 10), *b = sp_data_synthetic_digits();
    sp_dataset *other = sp_data_synthetic_digits(.length = 10, .seed = 1);
    sp_dataset *held_out = sp_data_synthetic_digits(.length = 10, .test = true);
    for (int64_t i = 9; i >= 0; i--) {
        check_equal(a, i, b, i, true);
        check_equal(a, i, a, i, true);
        check_equal(a, i, other, i, false);
        check_equal(a, i, held_out, i, false);
        check_equal(a, i, a, (i + 1) % 10, false);
    }
    assert_int_equal(sp_data_length(b), 60000);
    assert_int_equal(sp_data_length(sp_data_synthetic_digits(.test = true)), 10000);
    assert_string_equal(sp_data_description(other), "synthetic digits, 10 images, seed 1");
    assert_string_equal(sp_data_description(held_out), "synthetic digits, 10 images, seed 0, test");
    check_equal((sp_data_synthetic_digits)(NULL), 5, a, 5, true);
}

static void test_endless(void **state)
{
    (void)state;
    sp_dataset *few = sp_data_synthetic_digits(.length = 10);
    sp_dataset *many = sp_data_synthetic_digits(.length = INT64_MAX);
    for (int64_t i = 0; i < 10; i++) check_equal(many, i, few, i, true);
    check_equal(many, INT64_MAX - 1, many, INT64_MAX - 1, true);
    check_equal(many, INT64_MAX - 1, many, (int64_t)UINT32_MAX - 1, false);
    sp_loader *loader = sp_data_loader(many, .batch_size = 10);
    sp_foreach_batch (batch, loader) {
        if (!batch.index) assert_true(sp_equal(batch.x, sp_data_all(few).x));
        if (batch.index == 3) break;
    }
    assert_no_error();
}

static void test_all_classes(void **state)
{
    (void)state;
    int counts[10] = {0};
    for (int i = 0; i < 10000; i++) {
        uint8_t pixels[784];
        counts[sp__draw_digit(0, 0, i, pixels)]++;
    }
    for (int k = 0; k < 10; k++) assert_in_range(counts[k], 880, 1120);
}

static void test_there_is_something_to_see(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++) {
        uint8_t pixels[784];
        int ink = 0;
        sp__draw_digit(3, 0, i, pixels);
        for (int k = 0; k < 784; k++) ink += pixels[k] > 100;
        assert_in_range(ink, 10, 400);
    }
}

static void test_options_out_of_range(void **state)
{
    (void)state;
    assert_null(sp_data_synthetic_digits(.length = -1));
    assert_error(SP_ERROR_ARGUMENT, "length must be at least 1, got -1");
    assert_null(sp_data_synthetic_digits(.length = SP_ZERO));
    assert_error(SP_ERROR_ARGUMENT, "length must be at least 1, got 0");
}

/* ---- many threads, one data set ---- */

static void *sum_all(void *data)
{
    uint64_t *sum = malloc(sizeof *sum);
    *sum = 0;
    for (int64_t i = 0; sum && i < 300; i++) {
        SP_SCOPE {
            sp_example e = sp_data_get(data, i);
            const uint32_t *words = sp_const_data(e.x);
            for (int k = 0; k < 784; k++) *sum = *sum * 31 + words[k];
            *sum += (uint64_t)sp_item_i64(e.y);
        }
    }
    return sum;
}

static void test_threads_share_a_data_set(void **state)
{
    (void)state;
    sp_dataset *data = sp_data_synthetic_digits(.length = 300);
    pthread_t threads[4];
    uint64_t *expected = sum_all(sp_data_synthetic_digits(.length = 300));
    for (int i = 0; i < 4; i++) assert_int_equal(pthread_create(&threads[i], NULL, sum_all, data), 0);
    for (int i = 0; i < 4; i++) {
        void *sum = NULL;
        pthread_join(threads[i], &sum);
        assert_true(*(uint64_t *)sum == *expected);
        free(sum);
    }
    free(expected);
}

/* ---- difficulty ---- */

static double accuracy(sp_module *model, sp_dataset *data)
{
    double correct = 0;
    SP_NO_GRAD {
        sp_example all = sp_data_all(data);
        sp_tensor *guess = sp_argmax_dim(sp_forward(model, sp_view(all.x, -1, 784)), 1);
        correct = sp_item(sp_sum(sp_eq(guess, all.y)));
    }
    return correct / (double)sp_data_length(data);
}

static double train(sp_module *model, sp_dataset *data, sp_dataset *held_out)
{
    sp_loader *loader = sp_data_loader(data, .batch_size = 64, .shuffle = true, .seed = 1);
    sp_optimizer *optimizer = sp_optim_adam(sp_parameters(model), .lr = 1e-3);
    for (int epoch = 0; epoch < 3; epoch++) {
        sp_foreach_batch (batch, loader) {
            sp_zero_grad(optimizer);
            sp_backward(sp_cross_entropy(sp_forward(model, sp_view(batch.x, -1, 784)), batch.y));
            sp_step(optimizer);
        }
    }
    return accuracy(model, held_out);
}

static void test_a_linear_classifier_is_well_under_a_small_network(void **state)
{
    (void)state;
    sp_dataset *data = sp_data_synthetic_digits(.length = 8000);
    sp_dataset *held_out = sp_data_synthetic_digits(.length = 2000, .test = true);
    double linear = train(sp_nn_linear(784, 10), data, held_out);
    double mlp = train(sp_nn_sequential(sp_nn_linear(784, 256), sp_nn_relu(), sp_nn_linear(256, 128), sp_nn_relu(),
                                        sp_nn_linear(128, 10)),
                       data, held_out);
    print_message("# linear %.4f, mlp %.4f\n", linear, mlp);
    assert_true(linear < 0.82);
    assert_true(mlp > 0.88 && mlp > linear + 0.1);
    assert_no_error();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        data_test(test_known_bytes),
        data_test(test_example_depends_on_seed_and_number_alone),
        data_test(test_endless),
        data_test(test_all_classes),
        data_test(test_there_is_something_to_see),
        data_test(test_options_out_of_range),
        data_test(test_threads_share_a_data_set),
        data_test(test_a_linear_classifier_is_well_under_a_small_network),
    };
    return sp_test_main(tests);
}

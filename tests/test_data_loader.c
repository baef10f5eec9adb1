/* Loaders: what they deliver, in which order, with and without workers. */
#include "data/data_test.h"
#include <math.h>
#include <pthread.h>
#include <spusk/spusk.h>

static sp_dataset *numbers(int64_t n)
{
    return sp_data_tensors((sp_view)(sp_arange(0.0, (double)n, 1.0), SP_DIMS(n, 1)), sp_arange(0, n, 1));
}

/* The labels that an epoch delivers, in order; returns how many. */
static int64_t labels_of(sp_loader *loader, int64_t *labels)
{
    int64_t n = 0;
    sp_foreach_batch (batch, loader) {
        int64_t size = sp_size(batch.y, 0);
        assert_int_equal(sp_size(batch.x, 0), size);
        assert_false(sp_copy_out(labels + n, batch.y, (size_t)size * sizeof *labels));
        for (int64_t i = 0; i < size; i++)
            assert_true(((const float *)sp_const_data(batch.x))[i] == (float)labels[n + i]);
        n += size;
    }
    return n;
}

static bool is_permutation(const int64_t *labels, int64_t n)
{
    bool seen[1000] = {false};
    for (int64_t i = 0; i < n; i++) {
        if (labels[i] < 0 || labels[i] >= n || seen[labels[i]]) return false;
        seen[labels[i]] = true;
    }
    return true;
}

static void test_in_order(void **state)
{
    (void)state;
    sp_loader *loader = sp_data_loader(numbers(10), .batch_size = 4);
    assert_int_equal(sp_loader_length(loader), 3);
    int64_t k = 0, sizes[] = {4, 4, 2, 0};
    sp_foreach_batch (batch, loader) {
        if (k == 3) break;
        assert_int_equal(batch.index, k);
        assert_int_equal(sp_size(batch.x, 0), sizes[k]);
        assert_int_equal(sp_item_i64(sp_select(batch.y, 0, 0)), 4 * k);
        k++;
    }
    assert_int_equal(k, 3);
    assert_no_error();
}

static void test_sizes(void **state)
{
    (void)state;
    int64_t labels[10];
    assert_int_equal(labels_of(sp_data_loader(numbers(10)), labels), 10);
    assert_int_equal(sp_loader_length(sp_data_loader(numbers(10))), 10);
    sp_loader *loader = sp_data_loader(numbers(10), .batch_size = 4, .drop_last = true);
    assert_int_equal(sp_loader_length(loader), 2);
    assert_int_equal(labels_of(loader, labels), 8);
    assert_false(sp_loader_set_batch_size(loader, 3));
    assert_int_equal(labels_of(loader, labels), 9);
    assert_false(sp_loader_set_batch_size(loader, INT64_MAX));
    assert_int_equal(sp_loader_length(loader), 0);
    assert_int_equal(labels_of(loader, labels), 0);
    assert_int_equal(labels_of(sp_data_loader(numbers(7), .batch_size = INT64_MAX), labels), 7);
    assert_int_equal(labels_of(sp_data_loader(numbers(0), .shuffle = true, .num_workers = 2), labels), 0);
    assert_no_error();
}

static void test_shuffle(void **state)
{
    (void)state;
    int64_t first[1000], second[1000], again[1000];
    sp_loader *loader = sp_data_loader(numbers(1000), .batch_size = 64, .shuffle = true, .seed = 5);
    assert_int_equal(labels_of(loader, first), 1000);
    assert_int_equal(labels_of(loader, second), 1000);
    assert_true(is_permutation(first, 1000) && is_permutation(second, 1000));
    assert_memory_not_equal(first, second, sizeof first);
    assert_int_equal(sp_loader_epoch(loader), 2);
    assert_false(sp_loader_set_epoch(loader, 0));
    labels_of(loader, again);
    assert_memory_equal(first, again, sizeof first);
    labels_of(sp_data_loader(numbers(1000), .batch_size = 7, .shuffle = true, .seed = 6), again);
    assert_memory_not_equal(first, again, sizeof first);
}

/* The order is part of what a seed promises: it must not change from version to version. */
static void test_known_order(void **state)
{
    (void)state;
    static const int64_t known[] = {5, 2, 7, 3, 0, 8, 6, 1, 9, 4};
    int64_t labels[10];
    labels_of(sp_data_loader(numbers(10), .shuffle = true, .seed = 1), labels);
    assert_memory_equal(labels, known, sizeof known);
}

/* Each of the 24 orders of four comes up as often as the others: chi-square with 23 degrees of freedom. */
static void test_all_orders_are_equally_likely(void **state)
{
    (void)state;
    int counts[256] = {0};
    sp_loader *loader = sp_data_loader(numbers(4), .batch_size = 4, .shuffle = true, .seed = 3);
    enum { EPOCHS = 4800 };
    for (int epoch = 0; epoch < EPOCHS; epoch++) {
        int64_t labels[4] = {0};
        labels_of(loader, labels);
        counts[labels[0] | labels[1] << 2 | labels[2] << 4 | labels[3] << 6]++;
    }
    double chi = 0;
    int orders = 0;
    for (int i = 0; i < 256; i++) {
        orders += counts[i] > 0;
        chi += counts[i] ? pow(counts[i] - EPOCHS / 24.0, 2) / (EPOCHS / 24.0) : 0;
    }
    assert_int_equal(orders, 24);
    assert_true(chi < 49.7); /* exceeded once in a thousand */
}

static void test_seed_from_the_thread(void **state)
{
    (void)state;
    int64_t first[100], second[100], again[100];
    sp_manual_seed(9);
    labels_of(sp_data_loader(numbers(100), .shuffle = true), first);
    labels_of(sp_data_loader(numbers(100), .shuffle = true), second);
    sp_manual_seed(9);
    labels_of(sp_data_loader(numbers(100), .shuffle = true), again);
    assert_memory_equal(first, again, sizeof first);
    assert_memory_not_equal(first, second, sizeof first);
}

static void test_nested_and_at_once(void **state)
{
    (void)state;
    sp_loader *loader = sp_data_loader(numbers(6), .batch_size = 2, .num_workers = 1);
    int pairs = 0;
    sp_foreach_batch (outer, loader) {
        sp_foreach_batch (inner, loader) {
            assert_int_equal(sp_item_i64(sp_select(outer.y, 0, 0)), 2 * outer.index);
            assert_int_equal(sp_item_i64(sp_select(inner.y, 0, 0)), 2 * inner.index);
            pairs++;
        }
    }
    assert_int_equal(pairs, 9);
    sp_batch a = sp_batch_first(loader), b = sp_batch_first(loader);
    assert_int_equal(a.index, 0);
    sp_batch_next(&b);
    assert_int_equal(b.index, 1);
    sp_batch_end(&b);
    sp_batch_end(&b);
    sp_batch_next(&b);
    assert_null(b.x);
    sp_batch_end(&a);
    assert_no_error();
}

/* ---- leaving the loop ---- */

static int64_t leave_by_return(sp_loader *loader)
{
    sp_foreach_batch (batch, loader) {
        if (batch.index == 2) return batch.index;
    }
    return -1;
}

static void test_leaving(void **state)
{
    (void)state;
    for (int workers = 0; workers < 3; workers += 2) {
        sp_loader *loader = sp_data_loader(numbers(100), .batch_size = 5, .num_workers = workers);
        assert_int_equal(leave_by_return(loader), 2);
        int64_t seen = 0;
        sp_foreach_batch (batch, loader) {
            if (batch.index % 2) continue;
            if (++seen == 4) break;
        }
        assert_int_equal(seen, 4);
        SP_SCOPE {
            sp_foreach_batch (batch, loader) {
                if (batch.index == 1) goto out;
            }
        }
    out:;
    }
    assert_no_error();
}

static int finish_inside(void)
{
    sp_loader *loader = sp_data_loader(numbers(100), .batch_size = 5, .num_workers = 2);
    sp_foreach_batch (batch, loader) {
        if (batch.index == 1) return sp_finish();
    }
    return -1;
}

static void test_finish_inside_the_loop(void **state)
{
    (void)state;
    assert_int_equal(finish_inside(), 0);
}

static void test_each_iteration_is_a_scope(void **state)
{
    (void)state;
    sp_loader *loader = sp_data_loader(numbers(64), .batch_size = 4);
    int64_t live = 0;
    sp_tensor *kept = NULL;
    sp_foreach_batch (batch, loader) {
        sp_add_scalar(batch.x, 1);
        if (batch.index == 1) live = sp_memory().live_count;
        if (batch.index == 3) kept = sp_keep(batch.x);
        if (batch.index > 3) assert_true(sp_memory().live_count <= live + 4);
    }
    assert_true(sp_item(sp_select(kept, 0, 0)) == 12);
    sp_release(kept);
}

/* ---- workers ---- */

static sp_tensor *jitter(sp_tensor *x, sp_generator *generator, void *user)
{
    (void)user;
    sp_tensor *noise = sp_rand(SP_DIMS(1, 28, 28), .generator = generator);
    return sp_add_scalar(sp_add(x, noise), sp_generator_uniform(sp_default_generator()));
}

/* What two epochs deliver, as one sum of bits. */
static uint64_t digest(sp_loader *loader)
{
    uint64_t sum = 14695981039346656037U;
    for (int epoch = 0; epoch < 2; epoch++) {
        sp_foreach_batch (batch, loader) {
            const uint32_t *words = sp_const_data(batch.x);
            for (int64_t i = 0; i < sp_numel(batch.x); i++) sum = (sum ^ words[i]) * 1099511628211U;
            sum += (uint64_t)sp_item_i64(sp_sum(batch.y));
        }
    }
    return sum;
}

static uint64_t digest_with(int workers, int prefetch, sp_transform *transform)
{
    sp_dataset *data = sp_data_synthetic_digits(.length = 200, .transform = transform);
    return digest(sp_data_loader(data, .batch_size = 16, .shuffle = true, .seed = 4, .num_workers = workers,
                                 .prefetch = prefetch));
}

static void test_workers_change_nothing(void **state)
{
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        sp_transform *transform = kind ? sp_transform_new(jitter, NULL) : sp_transform_normalize(0.1, 0.3);
        uint64_t alone = digest_with(0, 1, transform);
        assert_true(digest_with(1, 1, transform) == alone);
        assert_true(digest_with(2, 2, transform) == alone);
        assert_true(digest_with(7, 3, transform) == alone);
        assert_true(digest_with(64, 1, transform) == alone);
    }
    assert_no_error();
}

static void test_random_transforms_differ_by_epoch_and_example(void **state)
{
    (void)state;
    sp_dataset *data = sp_data_synthetic_digits(.length = 2, .transform = sp_transform_new(jitter, NULL));
    sp_loader *loader = sp_data_loader(data, .batch_size = 2, .seed = 4);
    sp_tensor *epochs[2] = {NULL, NULL};
    sp_manual_seed(1);
    uint64_t position = sp_generator_position(sp_default_generator());
    for (int epoch = 0; epoch < 2; epoch++) {
        sp_foreach_batch (batch, loader) epochs[epoch] = sp_keep(batch.x);
    }
    assert_false(sp_equal(epochs[0], epochs[1]));
    sp_tensor *corner = sp_select(sp_flatten(epochs[0], .start_dim = 1), 1, 0);
    assert_true(sp_item(sp_select(corner, 0, 0)) != sp_item(sp_select(corner, 0, 1)));
    assert_true(sp_generator_position(sp_default_generator()) == position);
    sp_release(epochs[0]);
    sp_release(epochs[1]);
}

/* ---- errors ---- */

static sp_tensor *fail_later(sp_tensor *x, sp_generator *generator, void *user)
{
    (void)generator;
    double most = *(double *)user;
    if (sp_item(x) < most) return x;
    sp_raise(SP_ERROR_STATE, "no more than %g", most);
    return NULL;
}

static sp_example late_get(void *self, int64_t i)
{
    static double most = 25;
    return (sp_example){fail_later(sp_scalar((double)i), self, &most), sp_scalar_i64(i)};
}

static int64_t late_length(void *self)
{
    (void)self;
    return 100;
}

static void test_errors_reach_the_loop(void **state)
{
    (void)state;
    sp_dataset_class late = {sizeof late, late_length, late_get, NULL};
    sp_loader *alone = sp_data_loader(sp_data_new(&late, NULL), .batch_size = 4);
    sp_loader *helped = sp_data_loader(sp_data_new(&late, NULL), .batch_size = 4, .num_workers = 3);
    for (int round = 0; round < 3; round++) {
        int64_t batches = 0;
        sp_foreach_batch (batch, round ? helped : alone) batches++;
        assert_int_equal(batches, 6);
        assert_error(SP_ERROR_STATE, "in example 25: no more than 25");
    }
}

static void expect_bad(sp_loader *loader, const char *words)
{
    assert_refuses(SP_ERROR_ARGUMENT, words, loader);
}

static void test_options_out_of_range(void **state)
{
    (void)state;
    sp_dataset *data = numbers(5);
    expect_bad(sp_data_loader(data, .batch_size = -1), "batch_size must be at least 1, got -1");
    expect_bad(sp_data_loader(data, .batch_size = SP_ZERO), "batch_size must be at least 1, got 0");
    expect_bad(sp_data_loader(data, .num_workers = -2), "num_workers must be 0 to 256, got -2");
    expect_bad(sp_data_loader(data, .num_workers = 257), "num_workers must be 0 to 256, got 257");
    expect_bad(sp_data_loader(data, .prefetch = -1), "prefetch must be 1 to 1024, got -1");
    expect_bad(sp_data_loader(data, .prefetch = SP_ZERO), "prefetch must be 1 to 1024, got 0");
    sp_loader *loader = (sp_data_loader)(data, NULL);
    assert_non_null(loader);
    assert_int_equal(sp_loader_set_batch_size(loader, 0), SP_ERROR_ARGUMENT);
    assert_error(SP_ERROR_ARGUMENT, "sp_loader_set_batch_size: batch_size must be at least 1, got 0");
    assert_int_equal(sp_loader_set_epoch(loader, -1), SP_ERROR_ARGUMENT);
    assert_error(SP_ERROR_ARGUMENT, "epoch must not be negative, got -1");
    assert_ptr_equal(sp_loader_dataset(loader), data);
}

static void test_null(void **state)
{
    (void)state;
    assert_refuses(SP_ERROR_NULL, "dataset", sp_data_loader(NULL));
    sp_foreach_batch (batch, NULL) assert_null(batch.x);
    assert_error(SP_ERROR_NULL, "loader");
    assert_refuses(SP_ERROR_NULL, "loader", sp_loader_dataset(NULL));
    assert_int_equal(sp_loader_length(NULL), 0);
    assert_error(SP_ERROR_NULL, "loader");
    assert_int_equal(sp_loader_epoch(NULL), 0);
    assert_error(SP_ERROR_NULL, "loader");
    sp_batch_next(NULL);
    sp_batch_end(NULL);
    assert_no_error();
}

static bool run_epoch(void *context)
{
    sp_dataset *data = sp_data_synthetic_digits(.length = 20);
    sp_loader *loader = sp_data_loader(data, .batch_size = 6, .shuffle = true, .num_workers = *(int *)context);
    int64_t batches = 0;
    sp_foreach_batch (batch, loader) batches++;
    return batches == 4;
}

static void test_each_allocation_fails(void **state)
{
    (void)state;
    int workers = 0;
    assert_true(support_fail_each_allocation(run_epoch, &workers) > 10);
}

/* With threads the n-th allocation is not always the same one; that must not matter. */
static void test_each_allocation_fails_with_a_worker(void **state)
{
    (void)state;
    int workers = 1;
    assert_true(support_fail_each_allocation(run_epoch, &workers) > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        data_test(test_in_order),
        data_test(test_sizes),
        data_test(test_shuffle),
        data_test(test_known_order),
        data_test(test_all_orders_are_equally_likely),
        data_test(test_seed_from_the_thread),
        data_test(test_nested_and_at_once),
        data_test(test_leaving),
        data_test(test_finish_inside_the_loop),
        data_test(test_each_iteration_is_a_scope),
        data_test(test_workers_change_nothing),
        data_test(test_random_transforms_differ_by_epoch_and_example),
        data_test(test_errors_reach_the_loop),
        data_test(test_options_out_of_range),
        data_test(test_null),
        data_test(test_each_allocation_fails),
        data_test(test_each_allocation_fails_with_a_worker),
    };
    return sp_test_main(tests);
}

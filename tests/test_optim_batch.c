/* The batch that grows where the rate would fall. */
#include "support/support.h"
#include <spusk/spusk.h>

static sp_loader *loader_of(int64_t examples, int64_t batch)
{
    sp_tensor *x = sp_ones(SP_DIMS(examples, 1));
    return sp_data_loader(sp_data_tensors(x, x), .batch_size = batch);
}

static sp_optimizer *optimizer_of(double lr)
{
    return sp_optim_sgd(SP_LIST(sp_ones(SP_DIMS(2), .requires_grad = true)), .lr = lr);
}

/* Rate over batch, the scale of the noise, falls by the factor at each milestone, whichever of the two gives. */
static void test_batch_then_rate(void **state)
{
    (void)state;
    sp_loader *loader = loader_of(1000, 10);
    sp_optimizer *optimizer = optimizer_of(0.8);
    sp_batch_scheduler *s = sp_batch_multi_step(loader, optimizer, SP_DIMS(2, 3, 5), .factor = 4, .max_batch_size = 80);
    const int64_t batches[] = {10, 40, 80, 80, 80, 80};
    const double rates[] = {0.8, 0.8, 0.4, 0.4, 0.1, 0.1};
    for (int epoch = 1; epoch <= 6; epoch++) {
        assert_int_equal(sp_batch_scheduler_step(s), SP_OK);
        assert_int_equal(sp_loader_batch_size(loader), batches[epoch < 2 ? 0 : epoch - 1]);
        assert_close(sp_lr(optimizer, 0), rates[epoch - 1], 1e-12);
    }
    assert_int_equal(sp_loader_length(loader), 13);
}

/* The default limit is a tenth of the examples, and never below the batch that there is. */
static void test_limit(void **state)
{
    (void)state;
    sp_loader *loader = loader_of(1000, 64), *large = loader_of(100, 64);
    sp_optimizer *optimizer = optimizer_of(1), *other = optimizer_of(1);
    sp_batch_scheduler_step(sp_batch_multi_step(loader, optimizer, SP_DIMS(1)));
    assert_int_equal(sp_loader_batch_size(loader), 100);
    assert_close(sp_lr(optimizer, 0), 100.0 / 64 / 5, 1e-12);
    sp_batch_scheduler_step(sp_batch_multi_step(large, other, SP_DIMS(1)));
    assert_int_equal(sp_loader_batch_size(large), 64);
    assert_close(sp_lr(other, 0), 0.2, 1e-12);
    sp_batch_scheduler *still = sp_batch_multi_step(loader, optimizer, SP_DIMS());
    for (int epoch = 0; epoch < 3; epoch++) assert_int_equal(sp_batch_scheduler_step(still), SP_OK);
    assert_int_equal(sp_loader_batch_size(loader), 100);
}

static void test_what_cannot_grow(void **state)
{
    (void)state;
    sp_loader *loader = loader_of(10, 2);
    sp_optimizer *optimizer = optimizer_of(1);
    assert_null(sp_batch_multi_step(loader, optimizer, SP_DIMS(1), .factor = 0.5));
    assert_error(SP_ERROR_ARGUMENT, "factor must be at least 1, got 0.5");
    assert_null(sp_batch_multi_step(loader, optimizer, SP_DIMS(1), .max_batch_size = -1));
    assert_error(SP_ERROR_ARGUMENT, "max_batch_size must be at least 1, got -1");
    assert_null((sp_batch_multi_step)(loader, optimizer, (sp_dims){NULL, 2}, NULL));
    assert_error(SP_ERROR_NULL, "milestones");
}

static bool make(void *context)
{
    (void)context;
    sp_tensor *x = sp_ones(SP_DIMS(4, 1));
    sp_loader *loader = sp_data_loader(sp_data_tensors(x, x));
    sp_optimizer *optimizer = loader ? optimizer_of(1) : NULL;
    sp_batch_scheduler *s = optimizer ? sp_batch_multi_step(loader, optimizer, SP_DIMS(1)) : NULL;
    return s && sp_batch_scheduler_step(s) == SP_OK;
}

static void test_each_allocation_fails(void **state)
{
    (void)state;
    assert_true(support_fail_each_allocation(make, NULL) > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_batch_then_rate),
        sp_test(test_limit),
        sp_test(test_what_cannot_grow),
        sp_test(test_each_allocation_fails),
    };
    return sp_test_main(tests);
}

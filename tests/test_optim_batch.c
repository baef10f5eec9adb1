/* The batch that grows where the rate would fall. */
#include "support/support.h"
#include <math.h>
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
    sp_batch_scheduler *s = sp_batch_scheduler_multi_step(loader, optimizer, SP_DIMS(2, 3, 5), .factor = 4,
                                                          .max_batch_size = 80);
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
    sp_batch_scheduler_step(sp_batch_scheduler_multi_step(loader, optimizer, SP_DIMS(1)));
    assert_int_equal(sp_loader_batch_size(loader), 100);
    assert_close(sp_lr(optimizer, 0), 100.0 / 64 / 5, 1e-12);
    sp_batch_scheduler_step(sp_batch_scheduler_multi_step(large, other, SP_DIMS(1)));
    assert_int_equal(sp_loader_batch_size(large), 64);
    assert_close(sp_lr(other, 0), 0.2, 1e-12);
    sp_batch_scheduler *still = sp_batch_scheduler_multi_step(loader, optimizer, SP_DIMS());
    for (int epoch = 0; epoch < 3; epoch++) assert_int_equal(sp_batch_scheduler_step(still), SP_OK);
    assert_int_equal(sp_loader_batch_size(loader), 100);
}

static void test_what_cannot_grow(void **state)
{
    (void)state;
    sp_loader *loader = loader_of(10, 2);
    sp_optimizer *optimizer = optimizer_of(1);
    assert_null(sp_batch_scheduler_multi_step(loader, optimizer, SP_DIMS(1), .factor = 0.5));
    assert_error(SP_ERROR_ARGUMENT, "factor must be at least 1, got 0.5");
    assert_null(sp_batch_scheduler_multi_step(loader, optimizer, SP_DIMS(1), .max_batch_size = -1));
    assert_error(SP_ERROR_ARGUMENT, "max_batch_size must be at least 1, got -1");
    assert_null(sp_batch_scheduler_multi_step(loader, optimizer, SP_DIMS(1), .max_batch_size = SP_ZERO));
    assert_error(SP_ERROR_ARGUMENT, "max_batch_size must be at least 1, got 0");
    assert_null(sp_batch_scheduler_multi_step(loader, optimizer, SP_DIMS(1), .factor = NAN));
    assert_error(SP_ERROR_ARGUMENT, "factor must be at least 1, got nan");
    assert_null((sp_batch_scheduler_multi_step)(loader, optimizer, (sp_dims){NULL, 2}, NULL));
    assert_error(SP_ERROR_NULL, "milestones");
}

typedef struct run {
    sp_loader *loader;
    sp_optimizer *optimizer;
    sp_batch_scheduler *scheduler;
} run;

static run run_of(double factor, sp_dims milestones)
{
    run r = {loader_of(1000, 10), optimizer_of(0.8), NULL};
    r.scheduler = sp_batch_scheduler_multi_step(r.loader, r.optimizer, milestones, .factor = factor,
                                                .max_batch_size = 80);
    return r;
}

/* Resumed in the middle, in a scheduler that was made otherwise, it goes on as the one that was not interrupted. */
static void test_state_resumes(void **state)
{
    (void)state;
    run whole = run_of(4, SP_DIMS(2, 3, 5)), resumed = run_of(2, SP_DIMS(1));
    for (int epoch = 0; epoch < 3; epoch++) sp_batch_scheduler_step(whole.scheduler);
    sp_dict *dict = sp_batch_scheduler_state_dict(whole.scheduler);
    assert_int_equal(sp_dict_length(dict), 5);
    assert_int_equal(sp_batch_scheduler_load_state_dict(resumed.scheduler, dict), SP_OK);
    assert_int_equal(sp_loader_batch_size(resumed.loader), 80);
    sp_optimizer_load_state_dict(resumed.optimizer, sp_optimizer_state_dict(whole.optimizer));
    for (int epoch = 3; epoch < 7; epoch++) {
        sp_batch_scheduler_step(whole.scheduler);
        sp_batch_scheduler_step(resumed.scheduler);
        assert_int_equal(sp_loader_batch_size(resumed.loader), sp_loader_batch_size(whole.loader));
        assert_close(sp_lr(resumed.optimizer, 0), sp_lr(whole.optimizer, 0), 0);
    }
    assert_close(sp_lr(resumed.optimizer, 0), 0.1, 1e-12);
    run none = run_of(4, SP_DIMS());
    assert_int_equal(sp_batch_scheduler_load_state_dict(none.scheduler, sp_batch_scheduler_state_dict(none.scheduler)),
                     SP_OK);
    assert_int_equal(
        sp_batch_scheduler_load_state_dict(resumed.scheduler, sp_batch_scheduler_state_dict(none.scheduler)), SP_OK);
    assert_int_equal(sp_loader_batch_size(resumed.loader), 10);
}

/* Refuses a state in which an entry was changed, added or left out, and is as before. */
static void refuses(const char *name, sp_tensor *value, sp_status status, const char *words)
{
    run r = run_of(4, SP_DIMS(2));
    sp_dict *dict = sp_batch_scheduler_state_dict(r.scheduler);
    assert_int_equal(sp_dict_set(dict, "last_epoch", sp_scalar_i64(1)), SP_OK);
    assert_int_equal(sp_dict_set(dict, name, value), SP_OK);
    assert_int_equal(sp_batch_scheduler_load_state_dict(r.scheduler, dict), status);
    assert_error(status, words);
    sp_batch_scheduler_step(r.scheduler);
    assert_int_equal(sp_loader_batch_size(r.loader), 10);
    sp_batch_scheduler_step(r.scheduler);
    assert_int_equal(sp_loader_batch_size(r.loader), 40);
}

static void test_state_that_does_not_fit(void **state)
{
    (void)state;
    refuses("factor", sp_scalar(0.5), SP_ERROR_ARGUMENT, "factor must be at least 1, got 0.5");
    refuses("batch_size", sp_scalar_i64(0), SP_ERROR_ARGUMENT,
            "\"batch_size\" must be a whole number of 1 or more, got 0");
    refuses("max_batch_size", sp_scalar_i64(-3), SP_ERROR_ARGUMENT,
            "\"max_batch_size\" must be a whole number of 1 or more, got -3");
    refuses("last_epoch", sp_scalar(NAN), SP_ERROR_ARGUMENT, "\"last_epoch\" must be a whole number of 0 or more");
    refuses("batch_size", sp_full(SP_DIMS(), 1e300, .dtype = SP_F64), SP_ERROR_ARGUMENT, "got 1e+300");
    refuses("milestones", sp_vector(1e30, NAN), SP_ERROR_DTYPE, "\"milestones\" are float32, not whole numbers");
    refuses("milestones", sp_scalar_i64(2), SP_ERROR_SHAPE, "\"milestones\" has 1 elements in 0 dimensions");
    refuses("gamma", sp_scalar(1), SP_ERROR_NOT_FOUND, "the state has 6 entries");
    run r = run_of(4, SP_DIMS(2));
    assert_int_equal(sp_batch_scheduler_load_state_dict(r.scheduler, sp_dict_new()), SP_ERROR_NOT_FOUND);
    assert_error(SP_ERROR_NOT_FOUND, "\"last_epoch\" is missing from the state");
}

static sp_batch_scheduler *made(void)
{
    sp_tensor *x = sp_ones(SP_DIMS(4, 1));
    sp_loader *loader = sp_data_loader(sp_data_tensors(x, x));
    sp_optimizer *optimizer = loader ? optimizer_of(1) : NULL;
    return optimizer ? sp_batch_scheduler_multi_step(loader, optimizer, SP_DIMS(1)) : NULL;
}

static bool make_and_step(void *context)
{
    (void)context;
    sp_batch_scheduler *s = made();
    return s && sp_batch_scheduler_step(s) == SP_OK;
}

static bool save_and_load(void *context)
{
    (void)context;
    sp_batch_scheduler *s = made();
    sp_dict *dict = s ? sp_batch_scheduler_state_dict(s) : NULL;
    return dict && sp_batch_scheduler_load_state_dict(s, dict) == SP_OK;
}

static void test_each_allocation_fails(void **state)
{
    (void)state;
    const int64_t to_make = support_fail_each_allocation(make_and_step, NULL);
    assert_true(to_make > 5);
    assert_true(support_fail_each_allocation(save_and_load, NULL) > to_make + 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_batch_then_rate),         sp_test(test_limit),
        sp_test(test_what_cannot_grow),        sp_test(test_state_resumes),
        sp_test(test_state_that_does_not_fit), sp_test(test_each_allocation_fails),
    };
    return sp_test_main(tests);
}

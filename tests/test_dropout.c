/* Dropout: what it keeps, what it draws, what it refuses. */
#include "support/values.h"
#include <math.h>
#include <spusk/spusk.h>

static void test_dropout_that_drops_nothing(void **state)
{
    (void)state;
    sp_tensor *x = sp_vector(1, 2, 3);
    const uint64_t position = sp_generator_position(sp_default_generator());
    assert_ptr_equal(sp_dropout(x, 0.5, false), x);
    assert_ptr_equal(sp_dropout(x, 0, true), x);
    assert_true(sp_generator_position(sp_default_generator()) == position);
}

static void test_dropout_of_everything(void **state)
{
    (void)state;
    sp_tensor *x = sp_requires_grad(sp_vector(1, 2, 3)), *y = sp_dropout(x, 1, true);
    assert_holds(y, 0, 0, 0);
    assert_holds(support_gradient(y, x), 0, 0, 0);
}

static void test_dropout_scales_what_it_keeps(void **state)
{
    (void)state;
    sp_manual_seed(3);
    sp_tensor *x = sp_requires_grad(sp_full(SP_DIMS(100, 100), 3.)), *y = sp_dropout(x, 0.25, true);
    sp_tensor *zeros = sp_eq_scalar(y, 0), *fours = sp_eq_scalar(y, 4);
    assert_holds(sp_all(sp_logical_or(zeros, fours)), 1);
    assert_close(sp_item(sp_mean(sp_cast(zeros, SP_F64))), 0.25, 0.02);
    assert_true(sp_allclose(support_gradient(y, x), sp_div_scalar(y, 3)));
    assert_string_equal(sp_grad_fn_name(y), "MulBackward0");
    sp_manual_seed(3);
    assert_true(sp_equal(sp_dropout(x, 0.25, true), y));
    assert_false(sp_equal(sp_dropout(x, 0.25, true), y));
}

static void test_what_dropout_refuses(void **state)
{
    (void)state;
    sp_tensor *x = sp_vector(1, 2);
    assert_null(sp_dropout(x, 1.5, true));
    assert_error(SP_ERROR_ARGUMENT, "sp_dropout: the probability must be between 0 and 1, not 1.5");
    assert_null(sp_dropout(x, -0.1, false));
    assert_error(SP_ERROR_ARGUMENT, "sp_dropout");
    assert_null(sp_dropout(x, NAN, true));
    assert_error(SP_ERROR_ARGUMENT, "sp_dropout");
    assert_null(sp_dropout(sp_vector_i64(1, 2), 0.5, true));
    assert_error(SP_ERROR_DTYPE, "sp_dropout");
    assert_shape(sp_dropout(sp_zeros(SP_DIMS(0, 2)), 0.5, true), SP_DIMS(0, 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_dropout_that_drops_nothing),
        sp_test(test_dropout_of_everything),
        sp_test(test_dropout_scales_what_it_keeps),
        sp_test(test_what_dropout_refuses),
    };
    return sp_test_main(tests);
}

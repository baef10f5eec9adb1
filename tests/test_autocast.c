/* Mixed precision: which operators run in which dtype, what comes back to the weights, how long a cast is kept. */
#include "support/support.h"
#include "tensor/tensor.h"
#include <math.h>
#include <spusk/spusk.h>

static sp_dtype dtype_of(sp_tensor *x)
{
    return sp_dtype_of(x);
}

static void test_operators_run_in_the_dtype_of_their_list(void **state)
{
    (void)state;
    sp_tensor *x = sp_randn(SP_DIMS(4, 6)), *w = sp_randn(SP_DIMS(5, 6)), *b = sp_randn(SP_DIMS(5));
    sp_tensor *image = sp_randn(SP_DIMS(1, 2, 5, 5)), *kernel = sp_randn(SP_DIMS(3, 2, 3, 3));
    sp_tensor *target = sp_zeros(SP_DIMS(4), .dtype = SP_I64);
    SP_AUTOCAST(SP_BF16)
    {
        assert_int_equal(sp_autocast_dtype(), SP_BF16);
        sp_tensor *y = sp_linear(x, w, b);
        assert_int_equal(dtype_of(y), SP_BF16);
        assert_int_equal(dtype_of(sp_matmul(x, sp_t(w))), SP_BF16);
        assert_int_equal(dtype_of(sp_conv2d(image, kernel, SP_NONE)), SP_BF16);
        assert_int_equal(dtype_of(sp_conv_transpose2d(sp_randn(SP_DIMS(1, 3, 4, 4)), kernel, SP_NONE)), SP_BF16);
        assert_int_equal(dtype_of(sp_relu(y)), SP_BF16);
        assert_int_equal(dtype_of(sp_log_softmax(y, 1)), SP_BF16);
        assert_int_equal(dtype_of(sp_add(y, x = sp_zeros(SP_DIMS(4, 5)))), SP_F32);
        assert_int_equal(dtype_of(sp_exp(x)), SP_F32);
        assert_int_equal(dtype_of(sp_nll_loss(sp_log_softmax(y, 1), target)), SP_F32);
        assert_int_equal(dtype_of(sp_cross_entropy(y, target)), SP_F32);
        assert_int_equal(dtype_of(sp_mse_loss(y, x)), SP_F32);
        assert_int_equal(dtype_of(sp_l1_loss(y, y)), SP_F32);
        assert_int_equal(dtype_of(sp_prod(y)), SP_F32);
    }
    assert_int_equal(sp_autocast_dtype(), SP_DTYPE_DEFAULT);
    assert_int_equal(dtype_of(sp_linear(sp_randn(SP_DIMS(4, 6)), w, b)), SP_F32);
}

static void test_double_and_scopes_without_it_are_left_alone(void **state)
{
    (void)state;
    sp_tensor *x = sp_ones(SP_DIMS(2, 2), .dtype = SP_F64), *y = sp_ones(SP_DIMS(2, 2));
    SP_AUTOCAST(SP_BF16)
    {
        assert_int_equal(dtype_of(sp_mm(x, x)), SP_F64);
        SP_AUTOCAST(SP_DTYPE_DEFAULT)
        {
            assert_int_equal(dtype_of(sp_mm(y, y)), SP_F32);
        }
        SP_NO_GRAD {
            assert_int_equal(dtype_of(sp_mm(y, y)), SP_BF16);
        }
    }
}

static void test_another_dtype_is_an_error(void **state)
{
    (void)state;
    SP_AUTOCAST(SP_F64)
    {
        assert_int_equal(sp_autocast_dtype(), SP_DTYPE_DEFAULT);
    }
    assert_int_equal(sp_error_clear(), SP_ERROR_DTYPE);
}

static void test_gradients_come_back_in_the_weights_dtype(void **state)
{
    (void)state;
    sp_tensor *w = sp_requires_grad(sp_full(SP_DIMS(1, 2), 0.5)), *x = sp_full(SP_DIMS(1, 2), 3.);
    SP_AUTOCAST(SP_BF16)
    {
        assert_int_equal(sp_backward(sp_sum(sp_linear(x, w, SP_NONE))), SP_OK);
        assert_int_equal(sp_autocast_dtype(), SP_BF16);
    }
    assert_int_equal(dtype_of(w), SP_F32);
    assert_int_equal(dtype_of(sp_grad(w)), SP_F32);
    assert_close(sp_item(sp_sum(sp_grad(w))), 6, 0);
}

static void test_a_weight_is_cast_once_and_again_after_a_change(void **state)
{
    (void)state;
    sp_tensor *w = sp_requires_grad(sp_ones(SP_DIMS(2, 2))), *x = sp_ones(SP_DIMS(2, 2));
    SP_AUTOCAST(SP_BF16)
    {
        SP_SCOPE {
            sp_mm(x, w);
        }
        void *once = sp__cast_of(w, sp__version(w));
        assert_non_null(once);
        sp_mm(x, w);
        assert_ptr_equal(sp__cast_of(w, sp__version(w)), once);
        SP_NO_GRAD {
            sp_fill_(w, 4);
        }
        assert_null(sp__cast_of(w, sp__version(w)));
        assert_close(sp_item(sp_select(sp_select(sp_mm(x, w), 0, 0), 0, 0)), 8, 0);
    }
    assert_null(sp__cast_of(w, sp__version(w)));
}

/* A small network learns as well as in f32. */
static double last_loss(sp_dtype autocast)
{
    sp_manual_seed(5);
    sp_module *model = sp_nn_sequential(sp_nn_linear(8, 32), sp_nn_relu(), sp_nn_linear(32, 4));
    sp_optimizer *optimizer = sp_optim_adam(sp_parameters(model), .lr = 0.01);
    sp_tensor *x = sp_randn(SP_DIMS(64, 8)), *y = sp_argmax_dim(sp_narrow(x, 1, 0, 4), 1);
    double last = 0;
    for (int i = 0; i < 150; i++) SP_AUTOCAST(autocast)
        {
            sp_zero_grad(optimizer);
            sp_tensor *loss = sp_cross_entropy(sp_forward(model, x), y);
            sp_backward(loss);
            sp_step(optimizer);
            last = sp_item(loss);
        }
    return last;
}

static void test_training_in_bf16_ends_where_f32_does(void **state)
{
    (void)state;
    const double f32 = last_loss(SP_DTYPE_DEFAULT), bf16 = last_loss(SP_BF16);
    assert_true(f32 < 0.2);
    assert_true(fabs(bf16 - f32) < 0.05);
}

static bool mixed_step(void *unused)
{
    (void)unused;
    bool fine = false;
    SP_AUTOCAST(SP_BF16)
    {
        sp_tensor *w = sp_requires_grad(sp_ones(SP_DIMS(3, 2))), *x = sp_ones(SP_DIMS(2, 2));
        sp_tensor *loss = sp_mse_loss(sp_linear(x, w, SP_NONE), sp_zeros(SP_DIMS(2, 3)));
        fine = loss && sp_backward(loss) == SP_OK;
    }
    return fine;
}

static void test_each_allocation_of_a_mixed_step_fails_in_turn(void **state)
{
    (void)state;
    assert_in_range(support_fail_each_allocation(mixed_step, NULL), 10, 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_operators_run_in_the_dtype_of_their_list),
        sp_test(test_double_and_scopes_without_it_are_left_alone),
        sp_test(test_another_dtype_is_an_error),
        sp_test(test_gradients_come_back_in_the_weights_dtype),
        sp_test(test_a_weight_is_cast_once_and_again_after_a_change),
        sp_test(test_training_in_bf16_ends_where_f32_does),
        sp_test(test_each_allocation_of_a_mixed_step_fails_in_turn),
    };
    return sp_test_main(tests);
}

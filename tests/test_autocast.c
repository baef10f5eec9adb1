/* Mixed precision: which operators run in which dtype, what comes back to the weights, how long a cast is kept. */
#include "support/support.h"
#include "tensor/tensor.h"
#include <math.h>
#include <spusk/spusk.h>

static sp_dtype dtype_of(sp_tensor *x)
{
    return sp_dtype_of(x);
}

/* ---- PyTorch's lists: the dtype of each call's result, of f32 and of bf16, as torch.autocast("cpu") gives it ---- */

static sp_tensor *in[6];

static void make_inputs(sp_dtype dtype)
{
    in[0] = sp_cast(sp_rand(SP_DIMS(4, 4)), dtype);
    in[1] = sp_cast(sp_rand(SP_DIMS(4)), dtype);
    in[2] = sp_cast(sp_rand(SP_DIMS(2, 4, 4)), dtype);
    in[3] = sp_cast(sp_rand(SP_DIMS(1, 2, 6, 6)), dtype);
    in[4] = sp_cast(sp_rand(SP_DIMS(3, 2, 3, 3)), dtype);
    in[5] = sp_zeros(SP_DIMS(4), .dtype = SP_I64);
}

static int wrong;

static void look(const char *call, sp_tensor *y, sp_dtype expected)
{
    if (y && dtype_of(y) == expected) return;
    wrong++;
    print_error("%s: %s, not %s\n", call, y ? sp_dtype_name(dtype_of(y)) : sp_error_message(), sp_dtype_name(expected));
    sp_error_clear();
}
#define LOOK(expected, ...) look(#__VA_ARGS__, __VA_ARGS__, expected)

/* To bf16. */
static void try_products(void)
{
    LOOK(SP_BF16, sp_matmul(in[1], in[1]));
    LOOK(SP_BF16, sp_matmul(in[0], in[1]));
    LOOK(SP_BF16, sp_matmul(in[1], in[0]));
    LOOK(SP_BF16, sp_matmul(in[2], in[0]));
    LOOK(SP_BF16, sp_matmul(in[2], in[1]));
    LOOK(SP_BF16, sp_matmul(in[1], in[2]));
    LOOK(SP_BF16, sp_mm(in[0], in[0]));
    LOOK(SP_BF16, sp_bmm(in[2], in[2]));
    LOOK(SP_BF16, sp_addmm(in[0], in[0], in[0]));
    LOOK(SP_BF16, sp_linear(in[0], in[0], in[1]));
    LOOK(SP_BF16, sp_linear(in[1], in[0], SP_NONE));
    LOOK(SP_BF16, sp_conv2d(in[3], in[4], SP_NONE));
    LOOK(SP_BF16, sp_conv_transpose2d(sp_conv2d(in[3], in[4], SP_NONE), in[4], SP_NONE));
}

/* To f32. */
static void try_sums(void)
{
    LOOK(SP_F32, sp_prod(in[0]));
    LOOK(SP_F32, sp_prod_dim(in[0], 0));
    LOOK(SP_F32, sp_mse_loss(in[0], in[0]));
    LOOK(SP_F32, sp_l1_loss(in[0], in[0]));
    LOOK(SP_F32, sp_smooth_l1_loss(in[0], in[0]));
    LOOK(SP_F32, sp_nll_loss(in[0], in[5]));
    LOOK(SP_F32, sp_cross_entropy(in[0], in[5]));
    LOOK(SP_F32, sp_cross_entropy(in[0], in[0]));
    LOOK(SP_F32, sp_cross_entropy(in[0], in[5], .label_smoothing = 0.1));
    LOOK(SP_F32, sp_binary_cross_entropy(in[0], in[0]));
    LOOK(SP_F32, sp_binary_cross_entropy_with_logits(in[0], in[0]));
    LOOK(SP_F32, sp_kl_div(in[0], in[0]));
    LOOK(SP_F32, sp_kl_div(in[0], in[0], .log_target = true));
    LOOK(SP_F32, sp_pad(in[3], SP_DIMS(1, 1, 1, 1), .mode = SP_PAD_REFLECT));
    LOOK(SP_F32, sp_pad(in[3], SP_DIMS(1, 1, 1, 1), .mode = SP_PAD_REPLICATE));
    LOOK(SP_F32, sp_linalg_eigh(in[0]).eigenvalues);
    LOOK(SP_F32, sp_add(in[0], sp_ones(SP_DIMS(4))));
}

/* In what they get. */
static void try_others(sp_dtype dtype)
{
    LOOK(dtype, sp_dot(in[1], in[1]));
    LOOK(dtype, sp_mv(in[0], in[1]));
    LOOK(dtype, sp_softmax(in[0], 1));
    LOOK(dtype, sp_log_softmax(in[0], 1));
    LOOK(dtype, sp_gelu(in[0]));
    LOOK(dtype, sp_relu(in[0]));
    LOOK(dtype, sp_tanh(in[0]));
    LOOK(dtype, sp_sigmoid(in[0]));
    LOOK(dtype, sp_silu(in[0]));
    LOOK(dtype, sp_elu(in[0]));
    LOOK(dtype, sp_softplus(in[0]));
    LOOK(dtype, sp_exp(in[0]));
    LOOK(dtype, sp_log(in[0]));
    LOOK(dtype, sp_expm1(in[0]));
    LOOK(dtype, sp_pow_scalar(in[0], 2));
    LOOK(dtype, sp_sum(in[0]));
    LOOK(dtype, sp_mean(in[0]));
    LOOK(dtype, sp_cumsum(in[0], 0));
    LOOK(dtype, sp_var(in[0]));
    LOOK(dtype, sp_std(in[0]));
    LOOK(dtype, sp_norm(in[0]));
    LOOK(dtype, sp_logsumexp_dim(in[0], 0));
    LOOK(dtype, sp_avg_pool2d(in[3], 2));
    LOOK(dtype, sp_max_pool2d(in[3], 2));
    LOOK(dtype, sp_adaptive_avg_pool2d(in[3], 2));
    LOOK(dtype, sp_add(in[0], in[0]));
    LOOK(dtype, sp_lerp(in[0], in[0], 0.5));
    LOOK(dtype, sp_index_select(in[0], 0, in[5]));
    LOOK(dtype, sp_embedding(in[5], in[0]));
}

static void test_operators_run_in_the_dtype_of_their_list(void **state)
{
    static const sp_dtype dtypes[] = {SP_F32, SP_BF16};
    (void)state;
    wrong = 0;
    for (int i = 0; i < 2; i++) {
        make_inputs(dtypes[i]);
        SP_AUTOCAST(SP_BF16)
        {
            assert_int_equal(sp_autocast_dtype(), SP_BF16);
            try_products();
            try_sums();
            try_others(dtypes[i]);
        }
        assert_int_equal(sp_autocast_dtype(), SP_DTYPE_DEFAULT);
        assert_int_equal(dtype_of(sp_linear(in[0], in[0], in[1])), dtypes[i]);
    }
    assert_int_equal(wrong, 0);
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

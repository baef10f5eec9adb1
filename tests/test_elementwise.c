/* Element by element, what the loop over all operators does not see: changes in place, numbers as operands, random
 * values, questions about whole tensors, the words of errors. */
#include "support/support.h"
#include <math.h>
#include <spusk/autograd.h>
#include <spusk/extend.h>
#include <spusk/spusk.h>
#include <string.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

/* Whether a tensor of f32 holds these values, to seven digits. */
static void assert_values(sp_tensor *x, const double *values, int n)
{
    assert_non_null(x);
    assert_int_equal(sp_numel(x), n);
    sp_tensor *flat = (sp_reshape)(sp_cast(x, SP_F64), SP_DIMS(n));
    for (int i = 0; i < n; i++)
        assert_close(sp_item(sp_select(flat, 0, i)), values[i], 1e-6 * (fabs(values[i]) + 1e-6));
}
#define assert_holds(x, ...)                                                                                           \
    assert_values(x, (const double[]){__VA_ARGS__}, (int)(sizeof((const double[]){__VA_ARGS__}) / sizeof(double)))

/* ---- twins ---- */

static sp_tensor *clamp_some(sp_tensor *x)
{
    return sp_clamp(x, 0.8, 1.6);
}

static sp_tensor *clamp_some_(sp_tensor *x)
{
    return sp_clamp_(x, 0.8, 1.6);
}

static sp_tensor *power(sp_tensor *x)
{
    return sp_pow_scalar(x, 1.5);
}

static sp_tensor *power_(sp_tensor *x)
{
    return sp_pow_scalar_(x, 1.5);
}

typedef sp_tensor *unary(sp_tensor *x);
typedef sp_tensor *binary(sp_tensor *x, sp_tensor *y);
typedef sp_tensor *scalar(sp_tensor *x, double value);

static const struct {
    unary *plain, *twin;
} unaries[] = {{sp_neg, sp_neg_},         {sp_exp, sp_exp_},         {sp_log, sp_log_},
               {sp_sqrt, sp_sqrt_},       {sp_tanh, sp_tanh_},       {sp_relu, sp_relu_},
               {sp_sigmoid, sp_sigmoid_}, {clamp_some, clamp_some_}, {power, power_}};
static const struct {
    binary *plain, *twin;
} binaries[] = {{sp_add, sp_add_}, {sp_sub, sp_sub_}, {sp_mul, sp_mul_}, {sp_div, sp_div_}};
static const struct {
    scalar *plain, *twin;
} scalars[] = {{sp_add_scalar, sp_add_scalar_},
               {sp_sub_scalar, sp_sub_scalar_},
               {sp_mul_scalar, sp_mul_scalar_},
               {sp_div_scalar, sp_div_scalar_}};

/* A 2×3 tensor whose memory is not in order, with gradients to a leaf. */
static sp_tensor *input(sp_tensor **leaf)
{
    *leaf = sp_requires_grad(sp_matrix(3, 2, 0.5, 1.25, 2, 0.75, 1.5, 3));
    return sp_t(sp_clone(*leaf));
}

/* y must be x, changed to `expected`, and give the leaf the same gradient. */
static void assert_twin(sp_tensor *x, sp_tensor *leaf, sp_tensor *y, sp_tensor *expected, sp_tensor *model)
{
    assert_non_null(y);
    assert_ptr_equal(x, y);
    assert_true(sp_equal(y, expected));
    assert_int_equal(sp_backward(sp_sum(sp_square(y))), SP_OK);
    assert_int_equal(sp_backward(sp_sum(sp_square(expected))), SP_OK);
    assert_true(sp_allclose(sp_grad(leaf), sp_grad(model)));
    assert_no_error();
}

static void test_unary_twins(void **state)
{
    (void)state;
    for (int i = 0; i < COUNT(unaries); i++) {
        sp_tensor *leaf, *model, *x = input(&leaf), *same = input(&model);
        assert_twin(x, leaf, unaries[i].twin(x), unaries[i].plain(same), model);
    }
}

static void test_binary_twins(void **state)
{
    (void)state;
    for (int i = 0; i < COUNT(binaries); i++) {
        sp_tensor *leaf, *model, *x = input(&leaf), *same = input(&model), *y = sp_requires_grad(sp_vector(1, 2, 4));
        assert_twin(x, leaf, binaries[i].twin(x, y), binaries[i].plain(same, y), model);
    }
    for (int i = 0; i < COUNT(scalars); i++) {
        sp_tensor *leaf, *model, *x = input(&leaf), *same = input(&model);
        assert_twin(x, leaf, scalars[i].twin(x, 1.5), scalars[i].plain(same, 1.5), model);
    }
}

static void test_twins_of_three(void **state)
{
    (void)state;
    sp_tensor *leaf, *model, *x = input(&leaf), *same = input(&model), *y = sp_vector(1, 2, 4), *z = sp_vector(2, 4, 8);
    assert_twin(x, leaf, sp_addcmul_(x, y, z, 0.5), sp_add(same, sp_mul_scalar(sp_mul(y, z), 0.5)), model);
    x = input(&leaf), same = input(&model);
    assert_twin(x, leaf, sp_addcdiv_(x, y, z, 0.5), sp_add(same, sp_mul_scalar(sp_div(y, z), 0.5)), model);
    x = input(&leaf), same = input(&model);
    sp_tensor *end = sp_matrix(2, 3, 1, 2, 3, 4, 5, 6), *mask = sp_gt_scalar(end, 3);
    assert_twin(x, leaf, sp_lerp_(x, end, 0.25), sp_lerp(same, end, 0.25), model);
    x = input(&leaf), same = input(&model);
    assert_twin(x, leaf, sp_masked_fill_(x, mask, 7), sp_masked_fill(same, mask, 7), model);
}

/* ---- what in place refuses ---- */

static void test_what_does_not_fit_is_refused(void **state)
{
    (void)state;
    sp_tensor *whole = sp_vector_i64(1, 2), *x = sp_vector(1, 2);
    assert_refuses(SP_ERROR_DTYPE, "sp_add_scalar_: a result of dtype float32", sp_add_scalar_(whole, 1.5));
    assert_refuses(SP_ERROR_DTYPE, "sp_div_", sp_div_(whole, whole));
    assert_refuses(SP_ERROR_DTYPE, "sp_exp_", sp_exp_(whole));
    assert_refuses(SP_ERROR_SHAPE, "[3, 2]", sp_add_(x, sp_ones(SP_DIMS(3, 2))));
    assert_refuses(SP_ERROR_SHAPE, "[2] and [3]", sp_copy_(x, sp_ones(SP_DIMS(3))));
    assert_refuses(SP_ERROR_STATE, "sp_clone", sp_neg_((sp_expand)(sp_scalar(1), SP_DIMS(3))));
    assert_holds(x, 1, 2);
    assert_int_equal(sp_item_i64(sp_sum(whole)), 3);
}

static void test_a_wider_operand_is_rounded(void **state)
{
    (void)state;
    sp_tensor *x = sp_vector(1, 2), *y = sp_cast(sp_vector(0.1, 0.2), SP_F64);
    assert_ptr_equal(sp_add_(x, y), x);
    assert_int_equal(sp_dtype_of(x), SP_F32);
    assert_holds(x, 1.1, 2.2);
    sp_tensor *whole = sp_cast(sp_vector(1, 2), SP_U8);
    assert_ptr_equal(sp_mul_(whole, sp_vector_i64(100, 130)), whole); /* 260 wraps */
    assert_holds(whole, 100, 4);
}

static void test_operands_may_overlap(void **state)
{
    (void)state;
    sp_tensor *x = sp_matrix(2, 2, 1, 2, 3, 4);
    assert_non_null(sp_add_(x, sp_t(x)));
    assert_holds(x, 2, 5, 5, 8);
    assert_non_null(sp_sub_(x, x));
    assert_holds(x, 0, 0, 0, 0);
}

static void test_leaves_and_saved_tensors_are_guarded(void **state)
{
    (void)state;
    sp_tensor *leaf = sp_requires_grad(sp_vector(1, 2)), *y = sp_exp(leaf);
    assert_refuses(SP_ERROR_STATE, "leaf", sp_add_scalar_(leaf, 1));
    assert_non_null(sp_add_scalar_(y, 1));
    assert_int_equal(sp_backward(sp_sum(y)), SP_ERROR_STATE);
    assert_error(SP_ERROR_STATE, "changed in place");
    SP_NO_GRAD {
        assert_non_null(sp_add_scalar_(leaf, 1));
    }
    assert_holds(sp_detach(leaf), 2, 3);
    /* what backward does not read may change */
    y = sp_mul_scalar(leaf, 3);
    assert_non_null(sp_add_scalar_(y, 1));
    assert_int_equal(sp_backward(sp_sum(y)), SP_OK);
    assert_holds(sp_grad(leaf), 3, 3);
}

/* ---- copy_, fill_, zero_ ---- */

static void test_copy_casts_and_follows_gradients(void **state)
{
    (void)state;
    sp_tensor *x = sp_zeros(SP_DIMS(2, 2)), *source = sp_requires_grad(sp_cast(sp_vector(1.5, -2.5), SP_F64));
    assert_ptr_equal(sp_copy_(x, source), x);
    assert_holds(sp_detach(x), 1.5, -2.5, 1.5, -2.5);
    assert_string_equal(sp_grad_fn_name(x), "CopyBackwards");
    assert_int_equal(sp_backward(sp_sum(sp_mul(x, sp_matrix(2, 2, 1, 2, 3, 4)))), SP_OK);
    assert_int_equal(sp_dtype_of(sp_grad(source)), SP_F64);
    assert_holds(sp_grad(source), 4, 6);
    sp_tensor *whole = sp_vector_i64(0, 0);
    assert_non_null(sp_copy_(whole, sp_detach(source)));
    assert_holds(whole, 1, -2);
}

static void test_copy_into_a_part(void **state)
{
    (void)state;
    sp_tensor *leaf = sp_requires_grad(sp_vector(1, 2, 3)), *source = sp_requires_grad(sp_scalar(10));
    sp_tensor *x = sp_mul_scalar(leaf, 2);
    assert_non_null(sp_copy_(sp_select(x, 0, 1), source));
    assert_holds(sp_detach(x), 2, 10, 6);
    assert_int_equal(sp_backward(sp_sum(sp_square(x))), SP_OK);
    assert_holds(sp_grad(leaf), 8, 0, 24);
    assert_holds(sp_grad(source), 20);
}

static void test_fill_and_zero(void **state)
{
    (void)state;
    sp_tensor *leaf = sp_requires_grad(sp_vector(1, 2)), *x = sp_clone(leaf);
    assert_ptr_equal(sp_fill_(x, 7), x);
    assert_holds(sp_detach(x), 7, 7);
    assert_int_equal(sp_backward(sp_sum(x)), SP_OK);
    assert_holds(sp_grad(leaf), 0, 0);
    sp_tensor *grid = sp_ones(SP_DIMS(2, 3));
    assert_non_null(sp_zero_(sp_select(grid, 1, 1)));
    assert_holds(grid, 1, 0, 1, 1, 0, 1);
    assert_refuses(SP_ERROR_ARGUMENT, "300 does not fit into dtype uint8", sp_fill_(sp_cast(grid, SP_U8), 300));
    assert_refuses(SP_ERROR_ARGUMENT, "-256 does not fit into dtype uint8", sp_fill_(sp_cast(grid, SP_U8), -256));
    assert_refuses(SP_ERROR_ARGUMENT, "does not fit into dtype int32", sp_fill_(sp_cast(grid, SP_I32), -0x1p63));
    assert_non_null(sp_fill_(sp_cast(grid, SP_I32), -0x1p31));
    assert_non_null(sp_fill_(sp_cast(grid, SP_I64), -0x1p63));
    assert_refuses(SP_ERROR_ARGUMENT, "sp_masked_fill",
                   sp_masked_fill(sp_vector_i64(1), sp_gt_scalar(sp_vector(1), 0), (double)INFINITY));
}

/* ---- where PyTorch keeps the last bit ---- */

static void test_the_sign_of_zero(void **state)
{
    (void)state;
    const sp_dtype dtypes[] = {SP_F32, SP_F64, SP_BF16};
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++) {
        sp_tensor *x = sp_full(SP_DIMS(37), -0.0, .dtype = dtypes[i]);
        sp_tensor *const same[] = {sp_tanh(x),         sp_clamp_min(x, 0), sp_clamp_max(x, 0), sp_clamp(x, 0, 1),
                                   sp_leaky_relu(x),   sp_elu(x),          sp_silu(x),         sp_gelu(x),
                                   sp_sin(x),          sp_expm1(x),        sp_log1p(x),        sp_round(x),
                                   sp_mul_scalar(x, 2)};
        for (size_t k = 0; k < sizeof same / sizeof *same; k++)
            for (int64_t j = 0; j < sp_numel(x); j++) {
                double y = sp_item(sp_select(same[k], 0, j));
                if (y != 0 || !signbit(y)) fail_msg("function %zu of -0 is %g in %s", k, y, sp_dtype_name(dtypes[i]));
            }
    }
}

static void test_exponents_beyond_doubles(void **state)
{
    (void)state;
    sp_tensor *x = sp_vector_i64(-1, 1, 3);
    assert_true(sp_equal(sp_select(sp_pow_int(x, ((int64_t)1 << 53) + 1), 0, 0), sp_scalar_i64(-1)));
    assert_true(sp_equal(sp_select(sp_pow_int(x, (int64_t)1 << 53), 0, 0), sp_scalar_i64(1)));
}

/* ---- random values ---- */

static void test_random_values(void **state)
{
    (void)state;
    sp_tensor *x = sp_empty(SP_DIMS(100, 100), .dtype = SP_F64), *y = sp_empty(SP_DIMS(100, 100), .dtype = SP_F64);
    sp_manual_seed(5);
    assert_ptr_equal(sp_uniform_(x, -1, 3), x);
    assert_true(sp_item(sp_min(x)) >= -1 && sp_item(sp_max(x)) < 3);
    assert_close(sp_item(sp_mean(x)), 1, 0.05);
    assert_false(sp_equal(sp_uniform_(y, -1, 3), x)); /* the stream goes on */
    sp_manual_seed(5);
    assert_true(sp_equal(sp_uniform_(sp_t(y), -1, 3), x)); /* whatever the memory's order */
    assert_non_null(sp_normal_(x, 2, 0.5));
    assert_close(sp_item(sp_mean(x)), 2, 0.02);
    assert_close(sp_item(sp_std(x)), 0.5, 0.02);
    assert_int_equal(sp_numel(sp_normal_(sp_empty(SP_DIMS(0, 3)), 0, 1)), 0);
}

static void test_random_values_refuse(void **state)
{
    (void)state;
    sp_tensor *x = sp_vector(1, 2);
    assert_refuses(SP_ERROR_ARGUMENT, "between 1 and 0", sp_uniform_(x, 1, 0));
    assert_refuses(SP_ERROR_ARGUMENT, "sp_uniform_", sp_uniform_(x, 0, (double)NAN));
    assert_refuses(SP_ERROR_ARGUMENT, "-1 is negative", sp_normal_(x, 0, -1));
    assert_refuses(SP_ERROR_DTYPE, "int64", sp_normal_(sp_vector_i64(1), 0, 1));
    assert_refuses(SP_ERROR_NULL, "sp_uniform", sp_uniform_(NULL, 0, 1));
    assert_holds(x, 1, 2);
}

/* ---- numbers as operands ---- */

static void test_numbers_promote_as_in_python(void **state)
{
    (void)state;
    sp_tensor *whole = sp_vector_i64(1, 2), *mask = sp_cast(whole, SP_BOOL), *half = sp_cast(whole, SP_BF16);
    assert_int_equal(sp_dtype_of(sp_add_int(whole, 2)), SP_I64);
    assert_int_equal(sp_dtype_of(sp_add_scalar(whole, 2)), SP_F32);
    assert_int_equal(sp_dtype_of(sp_add_int(mask, 2)), SP_I64);
    assert_int_equal(sp_dtype_of(sp_mul_scalar(half, 2)), SP_BF16);
    assert_int_equal(sp_dtype_of(sp_div_int(whole, 2)), SP_F32);
    assert_int_equal(sp_dtype_of(sp_pow_int(whole, 2)), SP_I64);
    assert_int_equal(sp_dtype_of(sp_pow_scalar(whole, 2)), SP_F32);
    assert_int_equal(sp_dtype_of(sp_clamp(whole, 0, 1)), SP_I64);
    assert_int_equal(sp_dtype_of(sp_clamp(whole, 0.5, 1)), SP_F32);
    assert_int_equal(sp_dtype_of(sp_clamp_min(mask, 0)), SP_I64);
    assert_no_error();
}

/* 1 + 0.00391 is nearer to 1.0078125 than to 1; with the number rounded to bf16 first it would be a tie. */
static void test_numbers_are_not_rounded_to_bf16_first(void **state)
{
    (void)state;
    sp_tensor *one = sp_cast(sp_scalar(1), SP_BF16);
    assert_true(sp_item(sp_add_scalar(one, 0.00391)) == 1.0078125);
    assert_non_null(sp_add_scalar_(one, 0.00391));
    assert_true(sp_item(one) == 1.0078125);
}

static void test_integers_compare_exactly_with_numbers(void **state)
{
    (void)state;
    const int64_t big = ((int64_t)1 << 53) + 1;
    sp_tensor *small = sp_cast(sp_vector(44), SP_U8), *large = sp_scalar_i64(big);
    assert_true(sp_item(sp_eq_int(small, 300)) == 0);
    assert_true(sp_item(sp_lt_int(small, 300)) == 1);
    assert_true(sp_item(sp_gt_int(small, -1)) == 1);
    assert_true(sp_item(sp_eq_int(large, big)) == 1);
    assert_true(sp_item(sp_eq_int(large, big - 1)) == 0);
    assert_true(sp_item(sp_lt_scalar(sp_vector_i64(16777217), 16777217.5)) == 1);
    assert_true(sp_item(sp_eq_scalar(sp_vector(0.1), 0.1)) == 1); /* as f32, which the tensor is */
}

/* ---- questions ---- */

static void test_equal(void **state)
{
    (void)state;
    sp_tensor *x = sp_vector(1, 2), *nan = sp_vector((double)NAN);
    assert_true(sp_equal(x, sp_vector(1, 2)));
    assert_false(sp_equal(x, sp_vector(1, 3)));
    assert_false(sp_equal(x, sp_cast(x, SP_F64)));
    assert_false(sp_equal(x, sp_vector(1, 2, 3)));
    assert_false(sp_equal(nan, nan));
    assert_true(sp_equal(sp_zeros(SP_DIMS(0)), sp_zeros(SP_DIMS(0))));
    assert_no_error();
    assert_false(sp_equal(x, NULL));
    assert_error(SP_ERROR_NULL, "sp_equal");
}

static void test_allclose(void **state)
{
    (void)state;
    sp_tensor *x = sp_vector(1, (double)INFINITY), *near = sp_vector(1.000005, (double)INFINITY),
              *nan = sp_vector((double)NAN);
    assert_true(sp_allclose(x, near));
    assert_false(sp_allclose(x, near, .rtol = SP_ZERO));
    assert_true(sp_allclose(x, near, .rtol = SP_ZERO, .atol = 1e-4));
    assert_false(sp_allclose(x, sp_neg(x)));
    assert_false(sp_allclose(nan, nan));
    assert_true(sp_allclose(nan, nan, .equal_nan = true));
    assert_true(sp_allclose(sp_vector_i64(3), sp_vector_i64(3)));
    assert_no_error();
    assert_false(sp_allclose(x, nan));
    assert_error(SP_ERROR_SHAPE, "sp_allclose: float32 [2] and float32 [1] differ");
    assert_false(sp_allclose(x, sp_cast(x, SP_F64)));
    assert_error(SP_ERROR_DTYPE, "float64");
}

/* ---- options and words ---- */

static void test_options_have_pytorch_defaults(void **state)
{
    (void)state;
    sp_tensor *x = sp_vector(-2, 3);
    assert_holds((sp_leaky_relu)(x, NULL), -0.02, 3);
    assert_holds(sp_leaky_relu(x, .negative_slope = SP_ZERO), 0, 3);
    assert_holds((sp_elu)(x, NULL), expm1(-2), 3);
    assert_holds(sp_elu(x, .alpha = 2), 2 * expm1(-2), 3);
    assert_holds((sp_softplus)(sp_vector(0, 50), NULL), log(2), 50);
    assert_holds((sp_gelu)(sp_vector(1), NULL), 0.5 * (1 + erf(sqrt(0.5))));
}

static void test_errors_say_what_to_do(void **state)
{
    (void)state;
    sp_tensor *mask = sp_gt_scalar(sp_vector(1, 2), 1);
    assert_refuses(SP_ERROR_DTYPE, "sp_neg: not for tensors of dtype bool; sp_logical_not inverts a mask",
                   sp_neg(mask));
    assert_refuses(SP_ERROR_DTYPE, "sp_logical_xor", sp_sub(mask, mask));
    assert_refuses(SP_ERROR_DTYPE, "sp_silu: not for tensors of dtype int64; sp_cast(x, SP_F32) first",
                   sp_silu(sp_vector_i64(1)));
    assert_refuses(SP_ERROR_ARGUMENT, "sp_pow_int: integers have no negative whole powers",
                   sp_pow_int(sp_vector_i64(2), -1));
    assert_refuses(SP_ERROR_DTYPE, "argument 1 is float32 and argument 2 is float64",
                   sp_lerp(sp_vector(1), sp_cast(sp_vector(1), SP_F64), 0.5));
    assert_refuses(SP_ERROR_DTYPE, "sp_where: the mask must be bool, not float32",
                   sp_where(sp_vector(1), sp_vector(1), sp_vector(1)));
    assert_refuses(SP_ERROR_SHAPE, "sp_add: shapes [2, 3] and [4] do not broadcast",
                   sp_add(sp_ones(SP_DIMS(2, 3)), sp_ones(SP_DIMS(4))));
    assert_refuses(SP_ERROR_NULL, "sp_add", sp_exp(sp_add(NULL, mask)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_unary_twins),
        sp_test(test_binary_twins),
        sp_test(test_twins_of_three),
        sp_test(test_what_does_not_fit_is_refused),
        sp_test(test_a_wider_operand_is_rounded),
        sp_test(test_operands_may_overlap),
        sp_test(test_leaves_and_saved_tensors_are_guarded),
        sp_test(test_copy_casts_and_follows_gradients),
        sp_test(test_copy_into_a_part),
        sp_test(test_fill_and_zero),
        sp_test(test_the_sign_of_zero),
        sp_test(test_exponents_beyond_doubles),
        sp_test(test_random_values),
        sp_test(test_random_values_refuse),
        sp_test(test_numbers_promote_as_in_python),
        sp_test(test_numbers_are_not_rounded_to_bf16_first),
        sp_test(test_integers_compare_exactly_with_numbers),
        sp_test(test_equal),
        sp_test(test_allclose),
        sp_test(test_options_have_pytorch_defaults),
        sp_test(test_errors_say_what_to_do),
    };
    return sp_test_main(tests);
}

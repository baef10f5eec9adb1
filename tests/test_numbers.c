/* Numbers at the edges of what calls take: counts near 2^63, bounds that are NaN, narrow ranges, integers that no
 * double holds. */
#include "support/support.h"
#include <math.h>
#include <spusk/spusk.h>

static const int64_t large = ((int64_t)1 << 53) + 1; /* no double */

static void assert_values(sp_tensor *x, const int64_t *right, int64_t n)
{
    assert_non_null(x);
    assert_int_equal(sp_numel(x), n);
    for (int64_t i = 0; i < n; i++) assert_int_equal(sp_item_i64(sp_select(x, 0, i)), right[i]);
}

static void test_arange(void **state)
{
    (void)state;
    const int64_t two = (int64_t)1 << 53, four = (int64_t)1 << 62;
    assert_values(sp_arange(two, two + 3, (int64_t)1), (const int64_t[]){two, two + 1, two + 2}, 3);
    assert_values(sp_arange(INT64_MIN, INT64_MAX, four), (const int64_t[]){INT64_MIN, -four, 0, four}, 4);
    assert_values(sp_arange(INT64_MAX, INT64_MIN, -four), (const int64_t[]){INT64_MAX, four - 1, -1, -four - 1}, 4);
    assert_values(sp_arange((int64_t)5, (int64_t)0, (int64_t)-2), (const int64_t[]){5, 3, 1}, 3);
    assert_int_equal(sp_numel(sp_arange((int64_t)9, (int64_t)9, (int64_t)5)), 0);
    assert_int_equal(sp_numel(sp_arange(0.0, 1.0, 0.1)), 10);
    assert_no_error();
    assert_null(sp_arange((int64_t)10, (int64_t)9, (int64_t)5));
    assert_error(SP_ERROR_ARGUMENT, "leads away");
    assert_null(sp_arange(10.0, 9.0, 5.0));
    assert_error(SP_ERROR_ARGUMENT, "leads away");
    assert_null(sp_arange((int64_t)0, (int64_t)1, (int64_t)0));
    assert_error(SP_ERROR_ARGUMENT, "step is 0");
}

static void test_randint(void **state)
{
    (void)state;
    sp_tensor *all = sp_randint(INT64_MIN, INT64_MAX, SP_DIMS(200)), *upper = sp_randint(0, INT64_MAX, SP_DIMS(200));
    assert_non_null(upper);
    int64_t negative = 0, high = 0;
    for (int64_t i = 0; i < 200; i++) {
        negative += sp_item_i64(sp_select(all, 0, i)) < 0;
        high += sp_item_i64(sp_select(upper, 0, i)) > INT64_MAX / 2;
        assert_true(sp_item_i64(sp_select(upper, 0, i)) >= 0);
    }
    assert_in_range(negative, 60, 140);
    assert_in_range(high, 60, 140);
    assert_null(sp_randint(INT64_MAX, INT64_MIN, SP_DIMS(2)));
    assert_error(SP_ERROR_ARGUMENT, "less than high");
}

/* A draw is less than the end as the dtype has it, and where the dtype has no room the beginning. */
static void test_uniform(void **state)
{
    (void)state;
    static const sp_dtype dtypes[] = {SP_F32, SP_F64, SP_BF16};
    static const double ranges[][2] = {{1, 1 + 1e-6}, {1, 1 + 0x1p-52}, {-1, -1 + 1e-7}, {0, 1e-45}, {1, 1 + 1e-9}};
    for (int d = 0; d < 3; d++) {
        for (int r = 0; r < 5; r++) {
            SP_SCOPE {
                const double low = ranges[r][0], high = ranges[r][1];
                sp_tensor *x = sp_uniform_(sp_empty(SP_DIMS(20000), .dtype = dtypes[d]), low, high);
                sp_tensor *end = sp_cast(sp_cast(sp_mul_scalar(sp_ones(SP_DIMS(), .dtype = SP_F64), high), dtypes[d]),
                                         SP_F64);
                const double from = sp_item(sp_amin(x)), to = sp_item(sp_amax(x));
                assert_true(from >= low);
                assert_true(to < sp_item(end) || (sp_item(end) <= low && to == low));
            }
        }
    }
    assert_no_error();
}

static void test_clamp_nan(void **state)
{
    (void)state;
    static const sp_dtype dtypes[] = {SP_F32, SP_F64, SP_BF16, SP_I64, SP_I32, SP_BOOL};
    for (int d = 0; d < 6; d++) {
        sp_tensor *x = sp_ones(SP_DIMS(3), .dtype = dtypes[d]);
        sp_tensor *all[] = {sp_clamp(x, NAN, 1), sp_clamp(x, 0, NAN), sp_clamp_min(x, NAN), sp_clamp_max(x, NAN)};
        for (int i = 0; i < 4; i++) {
            assert_true(sp_dtype_is_floating_point(sp_dtype_of(all[i])));
            assert_true(sp_item(sp_all(sp_isnan(all[i]))) != 0);
        }
    }
    sp_tensor *x = sp_requires_grad(sp_vector(0, 1, 2));
    sp_backward(sp_sum(sp_clamp(x, NAN, 1)));
    assert_true(sp_item(sp_sum(sp_grad(x))) == 0);
    assert_true(isnan(sp_item(sp_select(sp_clamp_(sp_vector(0, 1, 2), NAN, 1), 0, 2))));
    assert_no_error();
    assert_null(sp_clamp_(sp_vector_i64(1, 2), NAN, 1));
    assert_error(SP_ERROR_DTYPE, "float32");
}

/* The twins with Python's int, in place: i64 stays exact. */
static void test_integers(void **state)
{
    (void)state;
    assert_values(sp_add_int_(sp_vector_i64(3, 5), large), (const int64_t[]){large + 3, large + 5}, 2);
    assert_values(sp_sub_int_(sp_vector_i64(3, 5), large), (const int64_t[]){3 - large, 5 - large}, 2);
    assert_values(sp_mul_int_(sp_vector_i64(large, 5), 3), (const int64_t[]){3 * large, 15}, 2);
    assert_values(sp_pow_int_(sp_vector_i64(3, -2), 3), (const int64_t[]){27, -8}, 2);
    assert_values(sp_pow_int_(sp_vector_i64(1, -1), large), (const int64_t[]){1, -1}, 2);
    assert_values(sp_fill_int_(sp_vector_i64(3, 5), large), (const int64_t[]){large, large}, 2);
    sp_tensor *mask = sp_eq_int(sp_vector_i64(0, 1), 1);
    assert_values(sp_masked_fill_int(sp_vector_i64(3, 5), mask, large), (const int64_t[]){3, large}, 2);
    assert_values(sp_masked_fill_int_(sp_vector_i64(3, 5), mask, -large), (const int64_t[]){3, -large}, 2);
    assert_true(sp_item(sp_select(sp_div_int_(sp_vector(3, 5), 2), 0, 1)) == 2.5);
    assert_no_error();
    assert_null(sp_div_int_(sp_vector_i64(3, 5), 2));
    assert_error(SP_ERROR_DTYPE, "sp_div_int_");
    assert_null(sp_fill_int_(sp_zeros(SP_DIMS(2), .dtype = SP_I32), (int64_t)1 << 40));
    assert_error(SP_ERROR_ARGUMENT, "does not fit");
}

/* A number is gathered from as one dimension of size 1. */
static void test_gather_number(void **state)
{
    (void)state;
    sp_tensor *x = sp_requires_grad(sp_scalar(5));
    sp_tensor *y = sp_gather(x, 0, sp_vector_i64(0, 0));
    assert_true(sp_ndim(y) == 1 && sp_item(sp_select(y, 0, 1)) == 5);
    sp_backward(sp_sum(y));
    assert_true(sp_ndim(sp_grad(x)) == 0 && sp_item(sp_grad(x)) == 2);
    assert_true(sp_item(sp_gather(sp_vector(5, 6), 0, sp_scalar_i64(1))) == 6);
    assert_true(sp_item(sp_scatter_add(sp_scalar(5), 0, sp_vector_i64(0, 0), sp_vector(1, 2))) == 8);
    assert_no_error();
    assert_null(sp_gather(sp_scalar(5), 0, sp_vector_i64(0, 1)));
    assert_error(SP_ERROR_ARGUMENT, "index 1 is out of range");
}

static void test_tolerances(void **state)
{
    (void)state;
    sp_tensor *x = sp_vector(1, 2);
    assert_false(sp_allclose(x, x, .rtol = -1));
    assert_error(SP_ERROR_ARGUMENT, "tolerances");
    assert_false(sp_allclose(x, x, .atol = -1e-9));
    assert_error(SP_ERROR_ARGUMENT, "tolerances");
    assert_false(sp_allclose(x, x, .atol = NAN));
    assert_error(SP_ERROR_ARGUMENT, "tolerances");
    assert_true(sp_allclose(x, x, .atol = SP_ZERO, .rtol = SP_ZERO));
}

/* eps of batch norm: more than 0 in training, not negative else. */
static void test_eps(void **state)
{
    (void)state;
    sp_tensor *x = sp_matrix(3, 1, 0, 1, 2), *mean = sp_zeros(SP_DIMS(1)), *var = sp_ones(SP_DIMS(1));
    assert_null(sp_batch_norm(x, SP_NONE, SP_NONE, SP_NONE, SP_NONE, .training = true, .eps = SP_ZERO));
    assert_error(SP_ERROR_ARGUMENT, "more than 0 in training");
    assert_null(sp_batch_norm(x, mean, var, SP_NONE, SP_NONE, .eps = -2));
    assert_error(SP_ERROR_ARGUMENT, "not be negative");
    assert_true(sp_item(sp_select(sp_batch_norm(x, mean, var, SP_NONE, SP_NONE, .eps = SP_ZERO), 0, 2)) == 2);
    assert_null(sp_layer_norm(sp_vector(0, 1, 2), SP_DIMS(3), SP_NONE, SP_NONE, .eps = -0.1));
    assert_error(SP_ERROR_ARGUMENT, "not be negative");
    sp_tensor *empty = sp_batch_norm(sp_zeros(SP_DIMS(0, 1)), mean, var, SP_NONE, SP_NONE);
    assert_true(sp_size(empty, 0) == 0 && sp_size(empty, 1) == 1);
    assert_no_error();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_arange),   sp_test(test_randint),       sp_test(test_uniform),    sp_test(test_clamp_nan),
        sp_test(test_integers), sp_test(test_gather_number), sp_test(test_tolerances), sp_test(test_eps),
    };
    return sp_test_main(tests);
}

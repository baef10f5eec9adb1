/* Results that fit though squares on the way do not, sums of f64, roundings to bf16. */
#include "support/support.h"
#include <float.h>
#include <math.h>
#include <spusk/spusk.h>

static double at(sp_tensor *x, int64_t i)
{
    return sp_item(sp_select(sp_view(sp_contiguous(x), -1), 0, i));
}

/* Of each size, x̂ and its gradient are those of size 1: dx·size. */
static void check_norm(sp_dtype dtype, double size, bool batch)
{
    sp_tensor *one = sp_cast(sp_matrix(2, 4, 1, -1, 3, 2, 0.5, 4, 1, -2), dtype);
    sp_tensor *weights = sp_cast(sp_matrix(2, 4, 1, 2, -1, 3, 1, 1, 0.5, 2), dtype);
    sp_tensor *y[2], *grad[2];
    for (int i = 0; i < 2; i++) {
        /* The second row is of size 1 in both. */
        sp_tensor *ones = sp_ones(SP_DIMS(1, 1), .dtype = SP_F64);
        sp_tensor *rows = sp_cast(sp_cat(SP_LIST(sp_mul_scalar(ones, i ? size : 1), ones), 0), dtype);
        sp_tensor *x = sp_requires_grad(sp_mul(one, rows));
        y[i] = batch ? sp_t(sp_batch_norm(sp_t(x), SP_NONE, SP_NONE, SP_NONE, SP_NONE, .training = true))
                     : sp_layer_norm(x, SP_DIMS(4), SP_NONE, SP_NONE);
        sp_backward(sp_sum(sp_mul(y[i], weights)));
        grad[i] = sp_mul(sp_grad(x), rows);
    }
    const double allowed = dtype == SP_F64 ? 1e-5 : dtype == SP_F32 ? 2e-5 : 0.04; /* eps counts in the first */
    for (int64_t i = 0; i < 8; i++) {
        assert_close(at(y[1], i), at(y[0], i), allowed);
        assert_close(at(grad[1], i), at(grad[0], i), 2 * allowed);
    }
}

static void test_norms(void **state)
{
    (void)state;
    static const double sizes[] = {1e18, 1e19, 3e19, 1e30, 3e37, 1e200};
    for (int i = 0; i < 6; i++) {
        for (int batch = 0; batch < 2; batch++) {
            SP_SCOPE {
                check_norm(SP_F64, sizes[i], batch);
                if (sizes[i] < 1e38) check_norm(SP_F32, sizes[i], batch);
                if (sizes[i] < 1e38) check_norm(SP_BF16, sizes[i], batch);
            }
        }
    }
    sp_tensor *y = sp_layer_norm(sp_vector(1e30, -1e30), SP_DIMS(2), SP_NONE, SP_NONE);
    assert_close(at(y, 0), 1, 1e-6);
    assert_close(at(y, 1), -1, 1e-6);
    /* What is not finite stays so, and alone. */
    y = sp_layer_norm(sp_matrix(2, 2, INFINITY, 1, 1e30, -1e30), SP_DIMS(2), SP_NONE, SP_NONE);
    assert_true(isnan(at(y, 0)));
    assert_close(at(y, 2), 1, 1e-6);
    assert_no_error();
}

/* Running statistics: the mean fits, the variance does not; other channels are as they would be alone. */
static void test_running(void **state)
{
    (void)state;
    sp_tensor *mean = sp_zeros(SP_DIMS(2)), *var = sp_ones(SP_DIMS(2));
    sp_batch_norm(sp_matrix(2, 2, 3e30, 1, 1e30, 3), mean, var, SP_NONE, SP_NONE, .training = true);
    assert_close(at(mean, 0) / 1e30, 0.2, 1e-6);
    assert_close(at(mean, 1), 0.2, 1e-6);
    assert_true(isinf(at(var, 0)));
    assert_close(at(var, 1), 1.1, 1e-6);
    assert_no_error();
}

static void test_moments(void **state)
{
    (void)state;
    static const sp_dtype dtypes[] = {SP_F32, SP_F64, SP_BF16};
    for (int d = 0; d < 3; d++) {
        const double allowed = dtypes[d] == SP_BF16 ? 0.01 : 1e-6;
        sp_tensor *x = sp_cast(sp_vector(1e30, -1e30, 3e30), dtypes[d]);
        assert_close(sp_item(sp_std(x)) / 1e30, 2, allowed);
        assert_close(sp_item(sp_norm(x)) / 1e30, 3.3166248, 4 * allowed);
        assert_close(sp_item(sp_logsumexp(x)) / 1e30, 3, 4 * allowed);
        assert_close(at(sp_softmax(x, 0), 2), 1, allowed);
    }
    assert_no_error();
}

/* The deviation rounded once: no neighbour is nearer. */
static void test_rounded_once(void **state)
{
    (void)state;
    for (int i = 0; i < 2000; i++) {
        SP_SCOPE {
            sp_tensor *x = sp_randn(SP_DIMS(2 + i % 30), .dtype = SP_BF16);
            const double right = sp_item(sp_std(sp_cast(x, SP_F64))), got = sp_item(sp_std(x));
            int exponent;
            frexp(right, &exponent);
            assert_true(fabs(got - right) <= ldexp(1, exponent - 9) * (1 + 1e-12));
        }
    }
    assert_no_error();
}

/* By halves, so that a long double's own roundings do not count. */
static long double exact_sum(const double *x, int64_t step, int64_t n)
{
    if (n == 1) return x[0];
    return exact_sum(x, step, n / 2) + exact_sum(x + n / 2 * step, step, n - n / 2);
}

/* Right to two units of the last place, over everything and over a dimension, however the elements lie. */
static void check_sums(int64_t n, int64_t columns, double value)
{
    sp_tensor *x = sp_mul_scalar(sp_ones(SP_DIMS(n, columns), .dtype = SP_F64), value);
    if (value == 0) sp_uniform_(x, 0, 1);
    const double *data = sp_const_data(x);
    sp_tensor *sums[] = {sp_sum_dim(x, 0), sp_sum_dim(sp_contiguous(sp_t(x)), 1), sp_sum_dim(sp_t(x), 1)};
    sp_tensor *mean = sp_mean_dim(x, 0);
    long double all = 0;
    for (int64_t j = 0; j < columns; j++) {
        const long double right = exact_sum(data + j, columns, n);
        all += right;
        for (int k = 0; k < 3; k++) assert_close(at(sums[k], j) / (double)right, 1, 2 * DBL_EPSILON);
        assert_close(at(mean, j) / (double)(right / n), 1, 2 * DBL_EPSILON);
    }
    assert_close(sp_item(sp_sum(x)) / (double)all, 1, 2 * DBL_EPSILON);
}

static void test_sums(void **state)
{
    (void)state;
    static const int64_t counts[] = {1, 7, 63, 121, 1000, 70001}, columns[] = {1, 3, 9, 70};
    static const double values[] = {1.0 / 121, 0.1, 0};
    for (int i = 0; i < 6; i++)
        for (int j = 0; j < (i < 5 ? 4 : 2); j++)
            for (int k = 0; k < 3; k++)
                SP_SCOPE {
                    check_sums(counts[i], columns[j], values[k]);
                }
    /* What is lost on the way says nothing where the sum is not finite. */
    sp_tensor *x = sp_mul_scalar(sp_ones(SP_DIMS(100, 70), .dtype = SP_F64), 1e308);
    assert_true(isinf(sp_item(sp_sum(x))) && isinf(at(sp_sum_dim(x, 0), 69)) && isinf(at(sp_sum_dim(x, 1), 0)));
    assert_no_error();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_norms),        sp_test(test_running), sp_test(test_moments),
        sp_test(test_rounded_once), sp_test(test_sums),
    };
    return sp_test_main(tests);
}

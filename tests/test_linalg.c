/* The symmetric eigenproblem against its definition, and principal components. What operators' tests do not see: larger
 * and worse matrices, every level of kernels, gradients in f32, memory that fails. */
#include "backends/cpu/cpu.h"
#include "support/support.h"
#include <math.h>
#include <spusk/spusk.h>

static sp_tensor *random_symmetric(int64_t n, sp_dtype dtype)
{
    sp_tensor *x = sp_randn(SP_DIMS(n, n), .dtype = dtype);
    return sp_add(x, sp_t(x));
}

static double largest(sp_tensor *x)
{
    return sp_item(sp_amax(sp_abs(x)));
}

/* A·V = V·diag(λ), VᵀV = I, λ ascending, all relative to the matrix. */
static void check_definition(sp_tensor *a, double tolerance)
{
    const sp_eigen e = sp_linalg_eigh(a);
    assert_non_null(e.eigenvalues);
    const int64_t n = sp_size(a, 0);
    sp_tensor *v = e.eigenvectors, *eye = sp_eye(n, n, .dtype = sp_dtype_of(a));
    const double size = largest(a);
    assert_true(largest(sp_sub(sp_matmul(a, v), sp_mul(v, e.eigenvalues))) <= tolerance * size * (double)n);
    assert_true(largest(sp_sub(sp_matmul(sp_t(v), v), eye)) <= tolerance * (double)n);
    for (int64_t i = 1; i < n; i++)
        assert_true(sp_item(sp_select(e.eigenvalues, 0, i)) >= sp_item(sp_select(e.eigenvalues, 0, i - 1)));
}

static void test_definition(void **state)
{
    (void)state;
    static const char *const levels[] = {"reference", "generic", "avx2", "avx512", "neon"};
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        if (!sp__cpu_set_level(levels[i])) continue;
        for (int64_t n = 1; n < 12; n++) check_definition(random_symmetric(n, SP_F64), 1e-15);
        check_definition(random_symmetric(64, SP_F64), 1e-15);
        check_definition(random_symmetric(65, SP_F64), 1e-15);
        check_definition(random_symmetric(150, SP_F64), 1e-15);
        check_definition(random_symmetric(33, SP_F32), 1e-6);
    }
    sp__cpu_set_level(NULL);
}

/* Equal eigenvalues, zeros, one row alone, numbers at both ends of the range. */
static void test_hard_matrices(void **state)
{
    (void)state;
    sp_tensor *column = sp_randn(SP_DIMS(40, 1), .dtype = SP_F64);
    check_definition(sp_eye(40, 40, .dtype = SP_F64), 1e-15);
    check_definition(sp_matmul(column, sp_t(column)), 1e-15);
    check_definition(sp_ones(SP_DIMS(50, 50), .dtype = SP_F64), 1e-15);
    check_definition(sp_mul_scalar(random_symmetric(20, SP_F64), 1e300), 1e-15);
    check_definition(sp_mul_scalar(random_symmetric(20, SP_F64), 1e-300), 1e-15);
    /* Covariances of images: graded, with rows of zeros at the border. */
    sp_tensor *weights = sp_exp(sp_linspace(-30, 0, 100, .dtype = SP_F64));
    sp_tensor *graded = sp_mul(random_symmetric(100, SP_F64), sp_mul(sp_unsqueeze(weights, 1), weights));
    check_definition(graded, 1e-15);
    sp_tensor *images = sp_mul(sp_rand(SP_DIMS(500, 60), .dtype = SP_F64),
                               sp_cast(sp_gt_scalar(sp_arange(0.0, 60.0, 1.0), 9), SP_F64));
    check_definition(sp_matmul(sp_t(images), images), 1e-15);
    sp_tensor *place = sp_arange(0.0, 200.0, 1.0, .dtype = SP_F64);
    sp_tensor *apart = sp_sub(sp_unsqueeze(place, 1), place);
    check_definition(sp_exp(sp_mul_scalar(sp_square(apart), -0.01)), 1e-15);
    const sp_eigen zero = sp_linalg_eigh(sp_zeros(SP_DIMS(5, 5), .dtype = SP_F64));
    assert_true(largest(zero.eigenvalues) == 0);
    assert_true(sp_equal(sp_sum_dim(sp_square(zero.eigenvectors), 0), sp_ones(SP_DIMS(5), .dtype = SP_F64)));
    assert_no_error();
}

static void test_triangles(void **state)
{
    (void)state;
    sp_tensor *a = sp_matrix(2, 2, 1, 100, 2, 1);
    assert_true(fabs(sp_item(sp_select(sp_linalg_eigh(a).eigenvalues, 0, 1)) - 3) < 1e-6);
    assert_true(fabs(sp_item(sp_select(sp_linalg_eigh(a, .upper = true).eigenvalues, 0, 1)) - 101) < 1e-4);
}

static void test_refused(void **state)
{
    (void)state;
    assert_null(sp_linalg_eigh(sp_zeros(SP_DIMS(2, 3))).eigenvalues);
    assert_error(SP_ERROR_SHAPE, "square");
    assert_null(sp_linalg_eigh(sp_zeros(SP_DIMS(3))).eigenvectors);
    assert_error(SP_ERROR_SHAPE, "square");
    assert_null(sp_linalg_eigh(sp_zeros(SP_DIMS(2, 2), .dtype = SP_I64)).eigenvalues);
    assert_error(SP_ERROR_DTYPE, "cast it");
    assert_null(sp_linalg_eigh(sp_full(SP_DIMS(2, 2), (double)INFINITY)).eigenvalues);
    assert_error(SP_ERROR_ARGUMENT, "not finite");
    assert_null(sp_pca_lowrank(sp_zeros(SP_DIMS(5)), 1).U);
    assert_error(SP_ERROR_SHAPE, "one example a row");
    assert_null(sp_pca_lowrank(sp_zeros(SP_DIMS(5, 3)), 4).U);
    assert_error(SP_ERROR_ARGUMENT, "1 to 3 components");
    assert_null(sp_pca_lowrank(sp_zeros(SP_DIMS(5, 3)), 0).U);
    assert_error(SP_ERROR_ARGUMENT, "q is 0");
}

/* The gradient in f32 is f64's, rounded. */
static void test_gradient_f32(void **state)
{
    (void)state;
    sp_tensor *exact = sp_requires_grad(random_symmetric(6, SP_F64));
    sp_tensor *x = sp_requires_grad(sp_detach(sp_cast(exact, SP_F32)));
    sp_tensor *inputs[] = {exact, x};
    for (int i = 0; i < 2; i++) {
        const sp_eigen e = sp_linalg_eigh(inputs[i]);
        sp_tensor *first = sp_square(sp_select(e.eigenvectors, 1, 0));
        sp_backward(sp_add(sp_sum(sp_mul(first, sp_select(first, 0, 2))), sp_sum(sp_square(e.eigenvalues))));
    }
    assert_true(sp_allclose(sp_cast(sp_grad(x), SP_F64), sp_grad(exact), .rtol = 1e-3, .atol = 1e-3));
}

/* U·diag(S)·Vᵀ of all components is x less its mean, of tall and of wide x; S descends; V's columns are orthonormal. */
static void check_pca(int64_t m, int64_t n)
{
    sp_tensor *x = sp_add_scalar(sp_randn(SP_DIMS(m, n), .dtype = SP_F64), 3);
    /* Without the mean, a wide x has one component less. */
    const int64_t q = m < n ? m - 1 : n;
    const sp_pca p = sp_pca_lowrank(x, q);
    assert_non_null(p.V);
    sp_tensor *centred = sp_sub(x, sp_mean_dim(x, 0, .keepdim = true));
    assert_true(sp_allclose(sp_matmul(sp_mul(p.U, p.S), sp_t(p.V)), centred, .rtol = 1e-9, .atol = 1e-9));
    assert_true(sp_allclose(sp_matmul(sp_t(p.V), p.V), sp_eye(q, q, .dtype = SP_F64), .atol = 1e-9));
    for (int64_t i = 1; i < q; i++) assert_true(sp_item(sp_select(p.S, 0, i)) <= sp_item(sp_select(p.S, 0, i - 1)));
    const sp_pca raw = sp_pca_lowrank(x, 1, .no_center = true);
    assert_true(sp_item(raw.S) > sp_item(sp_select(p.S, 0, 0)));
}

static void test_pca(void **state)
{
    (void)state;
    check_pca(30, 7);
    check_pca(6, 20);
    assert_no_error();
}

static bool solve(void *context)
{
    (void)context;
    return sp_pca_lowrank(sp_randn(SP_DIMS(9, 5)), 2).U != NULL;
}

static void test_each_allocation_fails(void **state)
{
    (void)state;
    assert_true(support_fail_each_allocation(solve, NULL) > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_definition),
        sp_test(test_hard_matrices),
        sp_test(test_triangles),
        sp_test(test_refused),
        sp_test(test_gradient_f32),
        sp_test(test_pca),
        sp_test(test_each_allocation_fails),
    };
    return sp_test_main(tests);
}

/* Principal components of every shape and rank. */
#include "support/support.h"
#include <math.h>
#include <spusk/spusk.h>

static double worst(sp_tensor *x)
{
    return sp_item(sp_amax(sp_abs(x)));
}

static bool is_orthonormal(sp_tensor *x, double allowed)
{
    sp_tensor *product = sp_matmul(sp_t(x), x);
    return worst(sp_sub(product, sp_eye(sp_size(x, 1), sp_size(x, 1), .dtype = sp_dtype_of(x)))) < allowed;
}

/* All q: U and V orthonormal, S descending and not negative, x·V = U·S; and with all components, x is U·S·Vᵀ. */
static void check(sp_tensor *x, bool centred)
{
    const double allowed = sp_dtype_of(x) == SP_F64 ? 1e-12 : 1e-5, size = worst(x) > 0 ? worst(x) : 1;
    const int64_t m = sp_size(x, 0), n = sp_size(x, 1), most = m < n ? m : n;
    for (int64_t q = 1; q <= most; q++) {
        SP_SCOPE {
            const sp_pca p = sp_pca_lowrank(x, q, .no_center = !centred);
            assert_non_null(p.U);
            assert_true(is_orthonormal(p.U, allowed) && is_orthonormal(p.V, allowed));
            for (int64_t i = 1; i < q; i++)
                assert_true(sp_item(sp_select(p.S, 0, i)) <= sp_item(sp_select(p.S, 0, i - 1)));
            assert_true(sp_item(sp_amin(p.S)) >= 0);
            sp_tensor *taken = centred ? sp_sub(x, sp_mean_dim(x, 0, .keepdim = true)) : x;
            sp_tensor *scores = sp_sub(sp_matmul(taken, p.V), sp_mul(p.U, p.S));
            assert_true(worst(scores) / size < allowed * 10);
            sp_tensor *all = sp_sub(sp_matmul(sp_mul(p.U, p.S), sp_t(p.V)), taken);
            if (q == most) assert_true(worst(all) / size < allowed * 10);
        }
    }
}

/* Of each rank, from numbers of ordinary size, large and small. */
static void test_ranks(void **state)
{
    (void)state;
    static const int64_t shapes[][2] = {{1, 1}, {1, 4}, {4, 1}, {3, 5}, {5, 3}, {4, 4}, {9, 2}};
    static const double sizes[] = {1, 1e30, 1e-30};
    for (int i = 0; i < 7; i++) {
        for (int64_t rank = 0; rank <= 3; rank++) {
            for (int k = 0; k < 12; k++) {
                SP_SCOPE {
                    const sp_dtype dtype = k % 2 ? SP_F64 : SP_F32;
                    sp_tensor *a = sp_randn(SP_DIMS(shapes[i][0], rank), .dtype = dtype);
                    sp_tensor *x = sp_matmul(a, sp_randn(SP_DIMS(rank, shapes[i][1]), .dtype = dtype));
                    check(sp_mul_scalar(x, sizes[k / 4]), k / 2 % 2);
                }
            }
        }
    }
    assert_no_error();
}

/* Centring takes a rank where q = n ≤ m, and leaves nothing of equal rows. */
static void test_centring(void **state)
{
    (void)state;
    sp_manual_seed(1);
    sp_tensor *x = sp_randn(SP_DIMS(3, 5));
    const sp_pca p = sp_pca_lowrank(x, 3);
    assert_close(sp_item(sp_select(p.S, 0, 0)), 2.18, 0.005);
    assert_close(sp_item(sp_select(p.S, 0, 1)), 1.50, 0.005);
    assert_true(sp_item(sp_select(p.S, 0, 2)) < 1e-6);
    assert_true(is_orthonormal(p.V, 1e-6) && is_orthonormal(p.U, 1e-6));
    check((sp_full)(SP_DIMS(50, 50), 0.1, &(sp_tensor_options){.size = sizeof(sp_tensor_options), .dtype = SP_F64}),
          true);
    const sp_pca rows = sp_pca_lowrank(sp_add(sp_zeros(SP_DIMS(4, 3)), sp_vector(1, 2, 4)), 2);
    assert_true(worst(rows.S) == 0 && is_orthonormal(rows.V, 1e-6) && is_orthonormal(rows.U, 1e-6));
    assert_no_error();
}

/* Singular values of 1, 1e-3 … 1e-12 come out within roundings of the largest; those of 1e±200 as well. */
static void test_graded(void **state)
{
    (void)state;
    const double right[] = {1, 1e-3, 1e-6, 1e-9, 1e-12};
    sp_tensor *square = sp_randn(SP_DIMS(5, 5), .dtype = SP_F64), *tall = sp_randn(SP_DIMS(40, 5), .dtype = SP_F64);
    const sp_pca v = sp_pca_lowrank(square, 5, .no_center = true), u = sp_pca_lowrank(tall, 5, .no_center = true);
    sp_tensor *s = sp_from_data(right, SP_DIMS(5), .dtype = SP_F64);
    sp_tensor *x = sp_matmul(sp_mul(u.U, s), sp_t(v.V));
    for (int k = -1; k <= 1; k++) {
        const double scale = pow(10, 200 * k);
        for (int wide = 0; wide < 2; wide++) {
            sp_tensor *y = sp_mul_scalar(wide ? sp_t(x) : x, scale);
            const sp_pca p = sp_pca_lowrank(y, 5, .no_center = true);
            for (int i = 0; i < 5; i++) assert_close(sp_item(sp_select(p.S, 0, i)) / scale, right[i], 1e-14);
            assert_true(is_orthonormal(p.U, 1e-13) && is_orthonormal(p.V, 1e-13));
        }
    }
}

/* Σ S⁴ is Σ (AᵀA)², whose gradient is 4·A·AᵀA. */
static void test_gradient(void **state)
{
    (void)state;
    sp_tensor *x = sp_requires_grad(sp_randn(SP_DIMS(6, 4), .dtype = SP_F64));
    const sp_pca p = sp_pca_lowrank(x, 4, .no_center = true);
    sp_backward(sp_sum(sp_square(sp_square(p.S))));
    sp_tensor *right = sp_mul_scalar(sp_matmul(x, sp_matmul(sp_t(x), x)), 4);
    assert_true(worst(sp_sub(sp_grad(x), right)) < 1e-10 * worst(right));
    assert_no_error();
}

/* What the caller's scope holds afterwards is U, S and V alone; the generator of the thread is left alone. */
static void test_leaves_nothing(void **state)
{
    (void)state;
    const uint64_t position = sp_generator_position(sp_default_generator());
    sp_tensor *x = sp_zeros(SP_DIMS(300, 300));
    const int64_t before = sp_memory().live_bytes;
    sp_pca_lowrank(x, 1);
    assert_true(sp_memory().live_bytes - before < 16384);
    assert_int_equal(sp_generator_position(sp_default_generator()), position);
    assert_null(sp_pca_lowrank(sp_cast(x, SP_BF16), 1).U);
    assert_error(SP_ERROR_DTYPE, "float32 or float64");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_ranks),    sp_test(test_centring),       sp_test(test_graded),
        sp_test(test_gradient), sp_test(test_leaves_nothing),
    };
    return sp_test_main(tests);
}

/* Autoencoders, their codes, paths and planes. */
#include "support/support.h"
#include <math.h>
#include <spusk/spusk.h>
#include <string.h>

static sp_dataset *digits(int64_t n)
{
    return sp_data_synthetic_digits(.length = n, .seed = 3);
}

/* ---- networks ---- */

static void test_shapes(void **state)
{
    (void)state;
    for (int kind = SP_AUTOENCODER_DENSE; kind <= SP_AUTOENCODER_CONV; kind++)
        for (int64_t code = 1; code < 20; code += 6) {
            sp_module *model = sp_autoencoder(code, .kind = (sp_autoencoder_kind)kind);
            sp_tensor *images = sp_rand(SP_DIMS(3, 1, 28, 28)), *codes = sp_encode(model, images);
            assert_int_equal(sp_size(codes, 0), 3);
            assert_int_equal(sp_size(codes, 1), code);
            assert_int_equal(sp_code_size(model, sp_select(images, 0, 0)), code);
            sp_tensor *drawn = sp_decode(model, codes);
            assert_int_equal(sp_size(drawn, -1), 28);
            assert_int_equal(sp_numel(drawn), 3 * 784);
            sp_tensor *input = kind == SP_AUTOENCODER_CONV ? images : sp_view(images, 3, 784);
            assert_true(sp_equal(sp_reshape(drawn, 3, 784), sp_reshape(sp_forward(model, input), 3, 784)));
        }
    sp_module *odd = sp_autoencoder(2, .features = 15);
    assert_int_equal(sp_ndim(sp_decode(odd, sp_encode(odd, sp_rand(SP_DIMS(2, 3, 5))))), 2);
    assert_no_error();
}

static void test_refused(void **state)
{
    (void)state;
    assert_null(sp_autoencoder(0));
    assert_error(SP_ERROR_ARGUMENT, "a code of 0 numbers");
    assert_null(sp_autoencoder(-2));
    assert_error(SP_ERROR_ARGUMENT, "-2");
    assert_null(sp_autoencoder(2, .kind = (sp_autoencoder_kind)77));
    assert_error(SP_ERROR_ARGUMENT, "no kind 77");
    assert_null(sp_autoencoder(2, .kind = SP_AUTOENCODER_CONV, .features = 100));
    assert_error(SP_ERROR_ARGUMENT, "28 by 28");
    assert_null(sp_autoencoder_pca(sp_rand(SP_DIMS(9, 5)), 0));
    assert_error(SP_ERROR_ARGUMENT, "a code of 0 numbers");
    assert_null(sp_autoencoder_pca(sp_rand(SP_DIMS(9, 5)), 6));
    assert_error(SP_ERROR_ARGUMENT, "1 to 5 components");
    assert_null(sp_encode(sp_nn_linear(3, 2), sp_rand(SP_DIMS(2, 3))));
    assert_error(SP_ERROR_NOT_FOUND, "no module \"encode\"");
    assert_null(sp_decode(sp_nn_linear(3, 2), sp_rand(SP_DIMS(2, 3))));
    assert_error(SP_ERROR_NOT_FOUND, "no module \"decode\"");
    assert_null(sp_encode(sp_autoencoder(2), sp_rand(SP_DIMS(2, 27, 28))));
    assert_error(SP_ERROR_SHAPE, "756 numbers an image; the network takes 784");
    assert_int_equal(sp_code_size(sp_nn_relu(), sp_rand(SP_DIMS(3))), 0);
    assert_error(SP_ERROR_NOT_FOUND, "encode");
    assert_true(isnan(sp_reconstruction_error(sp_nn_relu(), digits(3))));
    assert_error(SP_ERROR_NOT_FOUND, "encode");
    assert_null(sp_encode_all(sp_nn_relu(), digits(3)).x);
    assert_error(SP_ERROR_NOT_FOUND, "encode");
}

static void test_over_a_data_set(void **state)
{
    (void)state;
    sp_dataset *data = digits(1203);
    sp_module *model = sp_autoencoder(3);
    sp_example all = sp_data_all(data), codes = sp_encode_all(model, data);
    assert_true(sp_is_training(model));
    assert_true(sp_allclose(codes.x, sp_encode(model, all.x), .rtol = 1e-4, .atol = 1e-5));
    assert_true(sp_equal(codes.y, all.y));
    assert_false(sp_needs_grad(codes.x));
    sp_tensor *drawn = sp_view(sp_decode(model, codes.x), -1, 1, 28, 28);
    assert_true(fabs(sp_reconstruction_error(model, data) - sp_item(sp_mse_loss(drawn, all.x))) < 1e-6);
    assert_no_error();
}

/* No linear autoencoder is better: not that of another plane, and with all components nothing is lost. */
static void test_pca(void **state)
{
    (void)state;
    sp_dataset *data = digits(300);
    sp_tensor *x = sp_view(sp_data_all(data).x, 300, 784);
    double before = INFINITY;
    for (int64_t code = 1; code <= 4; code++) {
        sp_module *model = sp_autoencoder_pca(x, code);
        double error = sp_reconstruction_error(model, data);
        assert_true(error < before);
        before = error;
        sp_tensor *codes = sp_encode(model, x);
        assert_true(sp_item(sp_norm(sp_mean_dim(codes, 0))) < 1e-4);
        sp_tensor *weight = sp_module_get(model, "decode.0.weight");
        SP_NO_GRAD {
            sp_add_(weight, sp_mul_scalar(sp_randn_like(weight), 0.02));
        }
        assert_true(sp_reconstruction_error(model, data) > error);
    }
    sp_tensor *few = sp_rand(SP_DIMS(40, 6));
    sp_module *whole = sp_autoencoder_pca(few, 6);
    assert_true(sp_allclose(sp_forward(whole, few), few, .rtol = 1e-4, .atol = 1e-5));
    assert_no_error();
}

/* ---- paths ---- */

static double distance(sp_tensor *path, int64_t i, int64_t j)
{
    return sp_item(sp_norm(sp_sub(sp_select(path, 0, i), sp_select(path, 0, j))));
}

/* Every code is met once, at its joint; the steps between two are equal, and the last leads to the first. */
static void test_path(void **state)
{
    (void)state;
    enum { N = 5, STEPS = 7 };
    sp_tensor *codes = sp_randn(SP_DIMS(N, 3), .dtype = SP_F64), *path = sp_morph(codes, STEPS);
    assert_int_equal(sp_size(path, 0), N * STEPS);
    assert_int_equal(sp_size(path, 1), 3);
    for (int64_t i = 0; i < N; i++) {
        double leg = distance(codes, i, (i + 1) % N) / STEPS;
        assert_true(sp_equal(sp_select(path, 0, i * STEPS), sp_select(codes, 0, i)));
        for (int64_t k = 0; k < STEPS; k++) {
            double step = distance(path, i * STEPS + k, (i * STEPS + k + 1) % (N * STEPS));
            assert_true(fabs(step - leg) < 1e-12);
        }
    }
    assert_no_error();
}

/* On a circle the arc stays on it, in equal steps; lengths go evenly where they differ. */
static void test_spherical_path(void **state)
{
    (void)state;
    sp_tensor *circle = sp_matrix(3, 2, 1, 0, 0, 1, -1, -0.5);
    sp_tensor *path = sp_morph(circle, 10, .spherical = true);
    for (int64_t k = 0; k < 10; k++) {
        assert_true(fabs(sp_item(sp_norm(sp_select(path, 0, k))) - 1) < 1e-6);
        if (k > 1) assert_true(fabs(distance(path, k, k - 1) - distance(path, 1, 0)) < 1e-6);
    }
    double first = sp_item(sp_norm(sp_select(circle, 0, 1))), last = sp_item(sp_norm(sp_select(circle, 0, 2)));
    assert_true(fabs(sp_item(sp_norm(sp_select(path, 0, 15))) - (first + last) / 2) < 1e-6);
    /* The same direction, opposite ones, and nothing: straight lines. */
    sp_tensor *poor = sp_matrix(4, 2, 1, 1, 2, 2, -1, -1, 0, 0);
    assert_true(sp_item(sp_all(sp_isfinite(sp_morph(poor, 8, .spherical = true)))) == 1);
    assert_no_error();
}

static void test_paths_refused(void **state)
{
    (void)state;
    assert_null(sp_morph(sp_rand(SP_DIMS(1, 2)), 20));
    assert_error(SP_ERROR_SHAPE, "at least two codes");
    assert_null(sp_morph(sp_rand(SP_DIMS(2)), 20));
    assert_error(SP_ERROR_SHAPE, "at least two codes");
    assert_null(sp_morph(sp_rand(SP_DIMS(3, 2)), 0));
    assert_error(SP_ERROR_ARGUMENT, "0 steps");
    assert_null(sp_morph(sp_zeros(SP_DIMS(3, 2), .dtype = SP_I64), 4));
    assert_error(SP_ERROR_DTYPE, "cast them");
}

static void test_grid(void **state)
{
    (void)state;
    sp_tensor *grid = sp_code_grid(2, 3, -1, 1, 0, 10);
    assert_true(sp_equal(grid, sp_matrix(6, 2, -1, 10, 0, 10, 1, 10, -1, 0, 0, 0, 1, 0)));
    assert_null(sp_code_grid(0, 3, -1, 1, 0, 10));
    assert_error(SP_ERROR_ARGUMENT, "no grid");
}

/* ---- planes ---- */

static void test_angle(void **state)
{
    (void)state;
    for (int i = 0; i <= 9; i++) {
        double degrees = i == 0 ? 1e-5 : 10 * i, radians = degrees * acos(-1) / 180;
        sp_tensor *a = sp_from_data(((double[]){1, 0, 0, 1, 0, 0}), SP_DIMS(3, 2), .dtype = SP_F64);
        /* The second direction is turned out of the plane, and both are mixed. */
        sp_tensor *b = sp_from_data(((double[]){1, 0, 0, cos(radians), 0, sin(radians)}), SP_DIMS(3, 2),
                                    .dtype = SP_F64);
        sp_tensor *mix = sp_from_data(((double[]){3, -1, 7, 2}), SP_DIMS(2, 2), .dtype = SP_F64);
        assert_true(fabs(sp_subspace_angle(a, sp_matmul(b, mix)) - degrees) < 1e-9);
        assert_true(fabs(sp_subspace_angle(sp_matmul(b, mix), a) - degrees) < 1e-9);
    }
    sp_tensor *line = sp_matrix(3, 1, 5, 5, 0);
    assert_true(sp_subspace_angle(line, sp_eye(3, 2)) < 1e-5);
    assert_no_error();
    assert_true(isnan(sp_subspace_angle(sp_ones(SP_DIMS(3, 2)), line)));
    assert_error(SP_ERROR_ARGUMENT, "depend on each other");
    assert_true(isnan(sp_subspace_angle(line, sp_ones(SP_DIMS(4, 1)))));
    assert_error(SP_ERROR_SHAPE, "(n, p) and (n, q)");
}

/* ---- memory ---- */

static bool use_all(void *context)
{
    (void)context;
    sp_dataset *data = sp_data_tensors(sp_rand(SP_DIMS(3, 9)), sp_vector_i64(1, 2, 3));
    sp_module *model = sp_autoencoder(2, .features = 9), *plane = sp_autoencoder_pca(sp_rand(SP_DIMS(9, 5)), 2);
    sp_example codes = sp_encode_all(model, data);
    return plane && codes.x && sp_decode(model, sp_morph(codes.x, 2, .spherical = true)) &&
           !isnan(sp_reconstruction_error(model, data)) && !isnan(sp_subspace_angle(sp_eye(4, 2), sp_eye(4, 1))) &&
           sp_error_status() == SP_OK; /* a loader that fails at its end leaves only that */
}

static void test_each_allocation_fails(void **state)
{
    (void)state;
    assert_true(support_fail_each_allocation(use_all, NULL) > 100);
}

/* Refused before anything is asked for or begun. */
static void test_sizes_that_nothing_has(void **state)
{
    (void)state;
    assert_null(sp_autoencoder(INT64_MAX));
    assert_error(SP_ERROR_ARGUMENT, "sp_autoencoder: a code of 9223372036854775807 numbers; it has at most 16777216");
    assert_null(sp_autoencoder(2, .features = INT64_MAX));
    assert_error(SP_ERROR_ARGUMENT, "sp_autoencoder: .features is 9223372036854775807");
    assert_null(sp_autoencoder(2, .features = -5));
    assert_error(SP_ERROR_ARGUMENT, "sp_autoencoder: .features is -5");
    assert_null(sp_autoencoder_pca(sp_ones(SP_DIMS(3, 4)), INT64_MAX));
    assert_error(SP_ERROR_ARGUMENT, "sp_autoencoder_pca: a code of");
    assert_null(sp_morph(sp_ones(SP_DIMS(2, 2)), INT64_MAX));
    assert_error(SP_ERROR_MEMORY, "");
    const int64_t many = INT64_C(1) << 32;
    assert_null(sp_code_grid(many, many, 0, 1, 0, 1));
    assert_error(SP_ERROR_MEMORY, "sp_code_grid: a grid of 4294967296 by 4294967296 does not fit");
    sp_optimizer *optimizer = sp_optim_sgd(SP_LIST(sp_requires_grad(sp_zeros(SP_DIMS(1)))), .lr = 0.1);
    assert_null(sp_schedule_by_name("one-cycle", optimizer, 0, many, many));
    assert_error(SP_ERROR_ARGUMENT, "are more than can be counted");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_sizes_that_nothing_has),
        sp_test(test_shapes),
        sp_test(test_refused),
        sp_test(test_over_a_data_set),
        sp_test(test_pca),
        sp_test(test_path),
        sp_test(test_spherical_path),
        sp_test(test_paths_refused),
        sp_test(test_grid),
        sp_test(test_angle),
        sp_test(test_each_allocation_fails),
    };
    return sp_test_main(tests);
}

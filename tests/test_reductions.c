/* Reductions where the loop over all operators does not look: nothing to reduce, ties, zeros, NaN, exact integers,
 * dimensions that are wrong, and what the errors say. Numbers are PyTorch's. */
#include "support/values.h"
#include <math.h>
#include <spusk/spusk.h>
#include <string.h>

static sp_tensor *nothing(void)
{
    return sp_zeros(SP_DIMS(2, 0), .dtype = SP_F64);
}

/* Σ w·(dΣy/dx) differentiated again, w = 1, 2, 3 …; `first` gets dΣy/dx. */
static sp_tensor *second_gradient(sp_tensor *y, sp_tensor *x, sp_tensor **first)
{
    *first = support_gradient(y, x);
    sp_tensor *weights = (sp_view)(sp_arange(1., (double)sp_numel(x) + 1, 1., .dtype = SP_F64), sp_sizes(x));
    return support_gradient(sp_mul(*first, weights), x);
}

/* ---- nothing ---- */

static void test_what_nothing_reduces_to(void **state)
{
    (void)state;
    assert_holds(sp_sum(nothing()), 0);
    assert_holds(sp_mean(nothing()), NAN);
    assert_holds(sp_prod(nothing()), 1);
    assert_holds(sp_any(nothing()), 0);
    assert_holds(sp_all(nothing()), 1);
    assert_holds(sp_var(nothing()), NAN);
    assert_holds(sp_std(nothing()), NAN);
    assert_holds(sp_norm(nothing()), 0);
    assert_holds(sp_norm(nothing(), .p = 0.5), 0);
    assert_holds(sp_logsumexp(nothing()), -INFINITY);
    assert_holds(sp_sum_dim(nothing(), 1), 0, 0);
    assert_holds(sp_mean_dim(nothing(), 1, .keepdim = true), NAN, NAN);
    assert_holds(sp_prod_dim(nothing(), -1), 1, 1);
    assert_holds(sp_logsumexp_dim(nothing(), 1), -INFINITY, -INFINITY);
    assert_int_equal(sp_dtype_of(sp_any(nothing())), SP_BOOL);
}

static void test_what_has_no_element_has_no_largest(void **state)
{
    (void)state;
    assert_refuses(SP_ERROR_SHAPE, "sp_amax: dimension 1 of [2, 0] has size 0", sp_amax(nothing()));
    assert_refuses(SP_ERROR_SHAPE, "sp_min", sp_min(nothing()));
    assert_refuses(SP_ERROR_SHAPE, "sp_argmax", sp_argmax_dim(nothing(), 1));
    sp_values_indices both = sp_max_dim(nothing(), -1);
    assert_true(!both.values && !both.indices);
    assert_error(SP_ERROR_SHAPE, "sp_max_dim");
    assert_refuses(SP_ERROR_SHAPE, "sp_norm", sp_norm(nothing(), .p = INFINITY));
    assert_refuses(SP_ERROR_SHAPE, "sp_norm", sp_norm(nothing(), .p = -1));
}

static void test_a_dimension_of_size_0_that_stays_is_fine(void **state)
{
    (void)state;
    assert_shape(sp_amax_dim(nothing(), 0), SP_DIMS(0));
    assert_shape(sp_argmin_dim(nothing(), 0, .keepdim = true), SP_DIMS(1, 0));
    assert_shape(sp_max_dim(nothing(), 0).indices, SP_DIMS(0));
    assert_shape(sp_std_dim(nothing(), 0), SP_DIMS(0));
    assert_shape(sp_cumsum(nothing(), 1), SP_DIMS(2, 0));
    assert_shape(sp_softmax(nothing(), 1), SP_DIMS(2, 0));
}

/* ---- which dimensions ---- */

static void test_shapes(void **state)
{
    (void)state;
    sp_tensor *x = sp_ones(SP_DIMS(2, 3, 4));
    assert_shape(sp_sum_dim(x, -2), SP_DIMS(2, 4));
    assert_shape(sp_mean_dims(x, SP_DIMS(2, 0)), SP_DIMS(3));
    assert_shape(sp_amax_dims(x, SP_DIMS(0, -1), .keepdim = true), SP_DIMS(1, 3, 1));
    assert_shape(sp_var_dims(x, SP_DIMS(), .keepdim = true), SP_DIMS(1, 1, 1));
    assert_shape(sp_any_dims(x, SP_DIMS(0, 1, 2)), SP_DIMS());
    assert_shape(sp_argmax(x), SP_DIMS());
    sp_tensor *number = sp_scalar(3);
    assert_holds(sp_sum_dim(number, 0), 3);
    assert_holds(sp_prod_dim(number, -1, .keepdim = true), 3);
    assert_shape(sp_logsumexp_dim(number, -1, .keepdim = true), SP_DIMS());
    assert_holds(sp_max_dim(number, 0).indices, 0);
}

static void test_wrong_dimensions(void **state)
{
    (void)state;
    sp_tensor *x = sp_ones(SP_DIMS(2, 3));
    assert_refuses(SP_ERROR_SHAPE, "sp_sum_dim: dimension 2 is out of range: it must be between -2 and 1",
                   sp_sum_dim(x, 2));
    assert_refuses(SP_ERROR_SHAPE, "-3", sp_mean_dims(x, SP_DIMS(0, -3)));
    assert_refuses(SP_ERROR_ARGUMENT, "sp_amax_dims: dimension 1 appears twice", sp_amax_dims(x, SP_DIMS(1, -1)));
    assert_refuses(SP_ERROR_ARGUMENT, "twice", sp_norm_dims(x, SP_DIMS(0, 0, 0, 0, 0, 0, 0, 0, 0, 0)));
    assert_refuses(SP_ERROR_SHAPE, "out of range", sp_sum_dims(x, SP_DIMS(INT64_C(1) << 32)));
    assert_refuses(SP_ERROR_SHAPE, "between -1 and 0", sp_sum_dim(sp_scalar(1), 1));
    assert_refuses(SP_ERROR_SHAPE, "sp_cumsum", sp_cumsum(x, -3));
    assert_refuses(SP_ERROR_SHAPE, "sp_softmax", sp_softmax(x, 2));
}

static void test_options_may_be_left_out(void **state)
{
    (void)state;
    sp_tensor *x = sp_matrix(1, 2, 3, 4);
    assert_holds((sp_sum_dim)(x, 1, NULL), 7);
    assert_holds((sp_norm)(x, NULL), 5);
    assert_holds((sp_var_dims)(x, SP_DIMS(1), NULL), 0.5);
}

/* ---- dtypes ---- */

static void test_integers_are_exact(void **state)
{
    (void)state;
    const int64_t big = (INT64_C(1) << 53) + 1;
    sp_tensor *x = sp_vector_i64(big, -1, 1);
    assert_true(sp_item_i64(sp_sum(x)) == big);
    assert_true(sp_item_i64(sp_max(x)) == big);
    assert_true(sp_item_i64(sp_amin(sp_neg(x))) == -big);
    assert_true(sp_item_i64(sp_prod(x)) == -big);
    assert_true(sp_item_i64(sp_select(sp_cumsum(x, 0), 0, 2)) == big);
    sp_tensor *two = sp_full(SP_DIMS(2), 2000000000, .dtype = SP_I32);
    assert_int_equal(sp_dtype_of(sp_sum(two)), SP_I64);
    assert_true(sp_item_i64(sp_sum(two)) == INT64_C(4000000000));
    assert_true(sp_item_i64(sp_prod(two)) == INT64_C(4000000000000000000));
    assert_true(sp_item_i64(sp_sum(sp_full(SP_DIMS(300), 255, .dtype = SP_U8))) == 76500);
    assert_int_equal(sp_dtype_of(sp_amax(two)), SP_I32);
}

static void test_bool(void **state)
{
    (void)state;
    sp_tensor *mask = sp_gt_scalar(sp_vector(-1, 2, 3), 0);
    assert_true(sp_item_i64(sp_sum(mask)) == 2);
    assert_int_equal(sp_dtype_of(sp_sum(mask)), SP_I64);
    assert_true(sp_item_i64(sp_prod(mask)) == 0);
    assert_holds(sp_amax(mask), 1);
    assert_int_equal(sp_dtype_of(sp_max(mask)), SP_BOOL);
    assert_holds(sp_max_dim(mask, 0).indices, 1);
    assert_refuses(SP_ERROR_DTYPE, "sp_argmax", sp_argmax(mask));
}

static void test_what_needs_floating_point(void **state)
{
    (void)state;
    sp_tensor *x = sp_vector_i64(1, 2);
    assert_refuses(SP_ERROR_DTYPE, "sp_mean: needs a floating point tensor, not int64", sp_mean(x));
    assert_refuses(SP_ERROR_DTYPE, "sp_var", sp_var_dim(x, 0));
    assert_refuses(SP_ERROR_DTYPE, "sp_std", sp_std(x));
    assert_refuses(SP_ERROR_DTYPE, "sp_norm", sp_norm(x));
    assert_refuses(SP_ERROR_DTYPE, "sp_softmax", sp_softmax(x, 0));
    assert_holds(sp_logsumexp(x), 2.3132617);
    assert_int_equal(sp_dtype_of(sp_logsumexp(x)), SP_F32);
}

static void test_many_small_floats_keep_their_sum(void **state)
{
    (void)state;
    sp_tensor *x = sp_full(SP_DIMS(1000, 1000), 0.1);
    assert_close(sp_item(sp_sum(x)), 1e6 * (double)0.1f, 0.01);
    assert_close(sp_item(sp_mean(x)), (double)0.1f, 1e-9);
    assert_close(sp_item(sp_mean(sp_cast(x, SP_BF16))), 0.1, 4e-4);
}

/* ---- the largest and the smallest ---- */

static void test_ties(void **state)
{
    (void)state;
    sp_tensor *x = f64_leaf(1, 2, 2);
    assert_holds(support_gradient(sp_amax(x), x), 0, 0.5, 0.5);
    assert_holds(support_gradient(sp_max(x), x), 0, 0.5, 0.5);
    assert_holds(support_gradient(sp_max_dim(x, 0).values, x), 0, 1, 0);
    assert_holds(support_gradient(sp_amin(sp_neg(x)), x), 0, -0.5, -0.5);
    assert_holds(sp_max_dim(x, 0).indices, 1);
    assert_holds(sp_argmax(x), 1);
    assert_holds(sp_argmin(f64(3, 0, 0, 0)), 1);
}

static void test_nan_wins(void **state)
{
    (void)state;
    sp_tensor *x = f64_leaf(1, NAN, INFINITY, NAN);
    assert_holds(sp_amax(x), NAN);
    assert_holds(sp_min(x), NAN);
    assert_holds(sp_max_dim(x, 0).values, NAN);
    assert_holds(sp_min_dim(x, 0).indices, 1);
    assert_holds(sp_argmax(x), 1);
    assert_holds(support_gradient(sp_max(x), x), 0, 0.5, 0, 0.5);
    assert_holds(support_gradient(sp_max_dim(x, 0).values, x), 0, 1, 0, 0);
    assert_holds(support_gradient(sp_amax(x), x), NAN, NAN, NAN, NAN);
}

static void test_places(void **state)
{
    (void)state;
    sp_tensor *x = f64_rows(3, 1, 5, 2, 7, 0, 7);
    assert_holds(sp_argmax(x), 3);
    assert_holds(sp_argmax(sp_t(x)), 1);
    assert_holds(sp_argmin_dim(x, 0), 0, 1, 0);
    assert_holds(sp_argmax_dim(x, 1, .keepdim = true), 1, 0);
    assert_shape(sp_argmax_dim(x, 1, .keepdim = true), SP_DIMS(2, 1));
    sp_values_indices low = sp_min_dim(sp_requires_grad(x), -1, .keepdim = true);
    assert_holds(low.values, 1, 0);
    assert_holds(low.indices, 0, 1);
    assert_int_equal(sp_dtype_of(low.indices), SP_I64);
    assert_false(sp_needs_grad(low.indices));
    assert_holds(support_gradient(low.values, x), 1, 0, 0, 0, 1, 0);
}

/* ---- products ---- */

static void test_gradients_of_a_product_with_zeros(void **state)
{
    (void)state;
    sp_tensor *first, *x = f64_leaf(2, 0, 3);
    assert_holds(second_gradient(sp_prod(x), x, &first), 6, 9, 4);
    assert_holds(first, 0, 6, 0);
    x = f64_leaf(2, 0, 0, 3);
    assert_holds(second_gradient(sp_prod(x), x, &first), 0, 18, 12, 0);
    assert_holds(first, 0, 0, 0, 0);
    x = f64_leaf(0, 0, 0);
    assert_holds(second_gradient(sp_prod(x), x, &first), 0, 0, 0);
    x = f64_leaf(2, -1, 3);
    assert_holds(second_gradient(sp_prod(x), x, &first), 3, 9, 3);
    assert_holds(first, -3, 6, -2);
}

static void test_a_product_over_one_dimension_with_zeros(void **state)
{
    (void)state;
    sp_tensor *first, *x = sp_requires_grad(f64_rows(3, 2, 0, 3, 1, 4, -2));
    assert_holds(second_gradient(sp_prod_dim(x, 1), x, &first), 6, 9, 4, 14, -2, 21);
    assert_holds(first, 0, 6, 0, -8, -2, 4);
    sp_tensor *z = sp_requires_grad(sp_scalar(0));
    assert_holds(support_gradient(sp_prod(z), z), 1);
}

/* d³(abc)/da db dc = 1, at zero. */
static void test_a_third_gradient_at_zero(void **state)
{
    (void)state;
    sp_tensor *x = f64_leaf(0, 0, 0), *g = sp_prod(x);
    for (int i = 0; i < 3; i++) g = sp_select(support_gradient(g, x), 0, i);
    assert_holds(g, 1);
}

/* ---- moments and norms ---- */

static void test_variance(void **state)
{
    (void)state;
    sp_tensor *first, *x = f64_leaf(1, 2, 4);
    assert_holds(sp_var(x), 2.333333333333333);
    assert_holds(second_gradient(sp_var(x), x, &first), -1, 0, 1);
    assert_holds(first, -1.3333333333333335, -0.3333333333333335, 1.6666666666666665);
    assert_holds(second_gradient(sp_var_dim(x, 0, .biased = true), x, &first), -2.0 / 3, 0, 2.0 / 3);
    assert_holds(first, -0.888888888888889, -0.22222222222222232, 1.111111111111111);
    assert_holds(second_gradient(sp_std(x), x, &first), -0.04676097647914118, 0.07014146471871188,
                 -0.023380488239570674);
    assert_holds(first, -0.43643578047198484, -0.10910894511799625, 0.5455447255899809);
    assert_holds(sp_var(f64(1e9, 1e9 + 1, 1e9 + 2)), 1);
}

static void test_the_deviation_of_equal_values(void **state)
{
    (void)state;
    sp_tensor *first, *x = f64_leaf(3, 3, 3);
    assert_holds(sp_std(x), 0);
    assert_holds(second_gradient(sp_std(x), x, &first), 0, 0, 0);
    assert_holds(first, 0, 0, 0);
    sp_tensor *one = f64_leaf(3);
    assert_holds(sp_std(one), NAN);
    assert_holds(support_gradient(sp_std(one), one), NAN);
    assert_holds(sp_var_dim(one, 0, .biased = true), 0);
    assert_holds(support_gradient(sp_std_dim(one, 0, .biased = true), one), 0);
}

static const struct {
    double p, norm, first[3], second[3];
} norms[] = {
    {0.5,
     17.191508225450303,
     {4.146264369941973, -2.9318516525781364, 2.3938468501173524},
     {-1.414213562373095, -1.9318516525781368, -0.8164965809277259}},
    {1.5,
     4.334622872113609,
     {0.4803129995498851, -0.6792651581475497, 0.8319265187562083},
     {0.15053668806969997, 0.46637413224465196, 0.26073719213986807}},
    {2,
     3.7416573867739413,
     {0.2672612419124244, -0.5345224838248488, 0.8017837257372732},
     {0.1527207096642425, 0.7636035483212126, 0.4581621289927275}},
    {3,
     3.3019272488946263,
     {0.0917202013581841, -0.3668808054327364, 0.8254818122236569},
     {0.08152906787394139, 1.14140695023518, 0.7337616108654726}},
    {-1,
     0.5454545454545455,
     {0.29752066115702486, -0.07438016528925621, 0.03305785123966943},
     {-0.32456799398948166, -0.21637866265965444, -0.03606311044327573}},
};

static void test_norms(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof norms / sizeof *norms; i++) {
        sp_tensor *first, *x = f64_leaf(1, -2, 3), *y = sp_norm(x, .p = norms[i].p);
        assert_holds(y, norms[i].norm);
        sp_tensor *second = second_gradient(y, x, &first);
        assert_holds(first, norms[i].first[0], norms[i].first[1], norms[i].first[2]);
        assert_holds(second, norms[i].second[0], norms[i].second[1], norms[i].second[2]);
    }
    sp_tensor *x = f64_leaf(1, -2, 2);
    assert_holds(sp_norm(x, .p = SP_ZERO), 3);
    assert_holds(support_gradient(sp_norm(x, .p = SP_ZERO), x), 0, 0, 0);
    assert_holds(support_gradient(sp_norm(x, .p = INFINITY), x), 0, -0.5, 0.5);
    assert_holds(support_gradient(sp_norm(x, .p = -INFINITY), x), 1, 0, 0);
    assert_refuses(SP_ERROR_ARGUMENT, "sp_norm: p is not a number", sp_norm(x, .p = NAN));
}

/* There is no slope there; 0 keeps what is trained alive, in its gradient's gradient, too. */
static void test_norms_at_zero(void **state)
{
    (void)state;
    static const double ps[] = {0.5, 1, 1.5, 2, 3, INFINITY, -INFINITY};
    for (size_t i = 0; i < sizeof ps / sizeof *ps; i++) {
        sp_tensor *x = f64_leaf(0, 0), *y = sp_norm(x, .p = ps[i]), *first = support_gradient(y, x);
        assert_holds(y, 0);
        assert_holds(first, 0, 0);
        if (sp_needs_grad(first) && ps[i] != 1.5) assert_holds(support_gradient(first, x), 0, 0);
    }
}

static void test_norms_do_not_overflow_in_f32(void **state)
{
    (void)state;
    assert_close(sp_item(sp_norm(sp_vector(3e30, 4e30))), 5e30, 1e24);
}

static void test_logsumexp_does_not_overflow(void **state)
{
    (void)state;
    sp_tensor *first, *x = f64_leaf(1000, 1000, 999);
    assert_holds(sp_logsumexp(x), 1000.8619948040582);
    assert_holds(second_gradient(sp_logsumexp(x), x, &first), -0.3095780944332564, 0.11274070381827783,
                 0.19683739061491262);
    assert_holds(first, 0.42231879825153423, 0.42231879825153423, 0.1553624034969695);
    assert_holds(sp_logsumexp(f64(-INFINITY, -INFINITY)), -INFINITY);
    assert_holds(sp_logsumexp(f64(INFINITY, 1)), INFINITY);
    assert_holds(sp_logsumexp(f64(NAN, 1)), NAN);
}

/* ---- along a dimension ---- */

static void test_running_sums(void **state)
{
    (void)state;
    sp_tensor *x = sp_requires_grad(f64_rows(3, 1, 2, 4, 8, 16, 32));
    assert_holds(sp_cumsum(x, 1), 1, 3, 7, 8, 24, 56);
    assert_holds(sp_cumsum(x, 0), 1, 2, 4, 9, 18, 36);
    assert_holds(support_gradient(sp_cumsum(x, -1), x), 3, 2, 1, 3, 2, 1);
    assert_holds(sp_cumsum(sp_gt_scalar(x, 3), 0), 0, 0, 1, 1, 1, 2);
    assert_int_equal(sp_dtype_of(sp_cumsum(sp_gt_scalar(x, 3), 0)), SP_I64);
}

static void test_softmax_at_the_edges(void **state)
{
    (void)state;
    sp_tensor *far = f64(1000, 0, -1000), *gone = f64(-INFINITY, 0, 1);
    assert_holds(sp_softmax(far, 0), 1, 0, 0);
    assert_holds(sp_log_softmax(far, 0), 0, -1000, -2000);
    assert_holds(sp_softmax(gone, 0), 0, 0.26894142136999516, 0.7310585786300049);
    assert_holds(sp_log_softmax(gone, 0), -INFINITY, -1.3132616875182228, -0.31326168751822286);
    assert_holds(sp_softmax(f64(-INFINITY, -INFINITY), 0), NAN, NAN);
    assert_holds(sp_log_softmax(f64(INFINITY, 0), 0), NAN, NAN);
    assert_holds(sp_softmax(sp_scalar(5), -1), 1);
}

/* ---- the graph's names ---- */

static void test_names(void **state)
{
    (void)state;
    sp_tensor *x = sp_requires_grad(sp_matrix(2, 2, 1, 2, 3, 4));
    assert_string_equal(sp_grad_fn_name(sp_sum(x)), "SumBackward0");
    assert_string_equal(sp_grad_fn_name(sp_sum_dim(x, 1)), "SumBackward1");
    assert_string_equal(sp_grad_fn_name(sp_mean(x)), "MeanBackward0");
    assert_string_equal(sp_grad_fn_name(sp_mean_dims(x, SP_DIMS())), "MeanBackward1");
    assert_string_equal(sp_grad_fn_name(sp_prod(x)), "ProdBackward0");
    assert_string_equal(sp_grad_fn_name(sp_prod_dim(x, 0)), "ProdBackward1");
    assert_string_equal(sp_grad_fn_name(sp_max(x)), "MaxBackward1");
    assert_string_equal(sp_grad_fn_name(sp_min_dim(x, 0).values), "MinBackward0");
    assert_string_equal(sp_grad_fn_name(sp_amin(x)), "AminBackward0");
    assert_string_equal(sp_grad_fn_name(sp_var(x)), "VarBackward0");
    assert_string_equal(sp_grad_fn_name(sp_std_dim(x, 0)), "StdBackward0");
    assert_string_equal(sp_grad_fn_name(sp_norm(x)), "LinalgVectorNormBackward0");
    assert_string_equal(sp_grad_fn_name(sp_logsumexp(x)), "LogsumexpBackward0");
    assert_string_equal(sp_grad_fn_name(sp_cumsum(x, 0)), "CumsumBackward0");
    assert_string_equal(sp_grad_fn_name(sp_log_softmax(x, 0)), "LogSoftmaxBackward0");
    assert_string_equal(sp_grad_fn_name(sp_argmax(x)), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_what_nothing_reduces_to),
        sp_test(test_what_has_no_element_has_no_largest),
        sp_test(test_a_dimension_of_size_0_that_stays_is_fine),
        sp_test(test_shapes),
        sp_test(test_wrong_dimensions),
        sp_test(test_options_may_be_left_out),
        sp_test(test_integers_are_exact),
        sp_test(test_bool),
        sp_test(test_what_needs_floating_point),
        sp_test(test_many_small_floats_keep_their_sum),
        sp_test(test_ties),
        sp_test(test_nan_wins),
        sp_test(test_places),
        sp_test(test_gradients_of_a_product_with_zeros),
        sp_test(test_a_product_over_one_dimension_with_zeros),
        sp_test(test_a_third_gradient_at_zero),
        sp_test(test_variance),
        sp_test(test_the_deviation_of_equal_values),
        sp_test(test_norms),
        sp_test(test_norms_at_zero),
        sp_test(test_norms_do_not_overflow_in_f32),
        sp_test(test_logsumexp_does_not_overflow),
        sp_test(test_running_sums),
        sp_test(test_softmax_at_the_edges),
        sp_test(test_names),
    };
    return sp_test_main(tests);
}

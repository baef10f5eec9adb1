/* Losses where the loop over all operators does not look: labels that do not count or are no class,
 * weights, smoothing, probabilities, edges of the formulas, options, the words of errors. Numbers are PyTorch's. */
#include "support/values.h"
#include <math.h>
#include <spusk/indexing.h>
#include <spusk/nn.h>
#include <spusk/pointwise.h>
#include <stdio.h>
#include <string.h>

/* Four examples, three classes. */
static sp_tensor *log_probabilities(void)
{
    return sp_requires_grad(f64_rows(3, -0.5, -1.5, -2.5, -3., -0.25, -1., -0.75, -2., -1.25, -4., -0.1, -0.2));
}

static sp_tensor *logits(void)
{
    return sp_requires_grad(f64_rows(3, 1, 2, 3, 0.5, -1, 2, 100, -50, 0, -1, -1, -1));
}

static sp_tensor *labels(void)
{
    return sp_vector_i64(0, 2, 1, 2);
}

static sp_tensor *weights(void)
{
    return f64(0.5, 2, 1.5);
}

/* ---- negative log likelihood ---- */

static void test_nll(void **state)
{
    (void)state;
    sp_tensor *x = log_probabilities(), *y = sp_nll_loss(x, labels());
    assert_holds(y, 0.925);
    assert_holds(support_gradient(y, x), -0.25, 0, 0, 0, 0, -0.25, 0, -0.25, 0, 0, 0, -0.25);
    assert_holds(sp_nll_loss(x, labels(), .reduction = SP_REDUCTION_SUM), 3.7);
    y = sp_nll_loss(x, labels(), .reduction = SP_REDUCTION_NONE);
    assert_holds(y, 0.5, 1, 2, 0.2);
    assert_holds(support_gradient(y, x), -1, 0, 0, 0, 0, -1, 0, -1, 0, 0, 0, -1);
    assert_holds((sp_nll_loss)(x, labels(), NULL), 0.925);
}

static void test_nll_weighted(void **state)
{
    (void)state;
    sp_tensor *x = log_probabilities(), *y = sp_nll_loss_weighted(x, labels(), weights());
    assert_holds(y, 1.1);
    assert_holds(support_gradient(y, x), -1. / 11, 0, 0, 0, 0, -3. / 11, 0, -4. / 11, 0, 0, 0, -3. / 11);
    assert_holds(sp_nll_loss_weighted(x, labels(), weights(), .reduction = SP_REDUCTION_SUM), 6.05);
    assert_holds(sp_nll_loss_weighted(x, labels(), weights(), .reduction = SP_REDUCTION_NONE), 0.25, 1.5, 4, 0.3);
    assert_holds(sp_nll_loss_weighted(x, labels(), SP_NONE), 0.925);
}

static void test_nll_ignores(void **state)
{
    (void)state;
    sp_tensor *x = log_probabilities(), *y = sp_nll_loss_weighted(x, labels(), weights(), .ignore_index = 2);
    assert_holds(y, 1.7);
    assert_holds(support_gradient(y, x), -0.2, 0, 0, 0, 0, 0, 0, -0.8, 0, 0, 0, 0);
    assert_holds(sp_nll_loss(x, labels(), .ignore_index = 2), 1.25);
    assert_holds(sp_nll_loss(x, labels(), .ignore_index = 2, .reduction = SP_REDUCTION_NONE), 0.5, 0, 2, 0);
    assert_holds(sp_nll_loss(x, labels(), .ignore_index = SP_ZERO), 3.2 / 3);
    assert_holds(sp_nll_loss(x, sp_vector_i64(0, -100, -100, 2)), 0.35);
    assert_holds(sp_nll_loss(x, sp_vector_i64(0, 255, 255, 2), .ignore_index = 255), 0.35);
}

static void test_nll_of_nothing(void **state)
{
    (void)state;
    sp_tensor *x = log_probabilities(), *none = sp_full(SP_DIMS(4), -100), *y = sp_nll_loss(x, none);
    assert_holds(y, NAN);
    assert_holds(support_gradient(y, x), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    assert_holds(sp_nll_loss(x, none, .reduction = SP_REDUCTION_SUM), 0);
    sp_tensor *empty = sp_zeros(SP_DIMS(0, 3)), *no_labels = sp_zeros(SP_DIMS(0), .dtype = SP_I64);
    assert_holds(sp_nll_loss(empty, no_labels), NAN);
    assert_holds(sp_nll_loss(empty, no_labels, .reduction = SP_REDUCTION_SUM), 0);
    assert_shape(sp_nll_loss(empty, no_labels, .reduction = SP_REDUCTION_NONE), SP_DIMS(0));
}

static void test_labels_that_are_no_class(void **state)
{
    (void)state;
    sp_tensor *x = log_probabilities();
    assert_refuses(SP_ERROR_ARGUMENT, "sp_nll_loss: target 3 (element 2) is out of range for 3 classes",
                   sp_nll_loss(x, sp_vector_i64(0, 2, 3, 2)));
    assert_refuses(SP_ERROR_ARGUMENT, "target -1 (element 1)",
                   sp_nll_loss(x, sp_vector_i64(0, -1, 3, 2), .reduction = SP_REDUCTION_NONE));
    assert_refuses(SP_ERROR_ARGUMENT, "target -100 (element 1)",
                   sp_nll_loss(x, sp_vector_i64(0, -100, 1, 2), .ignore_index = 1));
    assert_refuses(SP_ERROR_ARGUMENT, "target 1099511627776 (element 0)",
                   sp_cross_entropy(x, sp_vector_i64(INT64_C(1) << 40, 0, 0, 0)));
    assert_refuses(SP_ERROR_ARGUMENT, "for 0 classes", sp_nll_loss(sp_zeros(SP_DIMS(2, 0)), sp_vector_i64(0, 0)));
}

static void test_nll_shapes(void **state)
{
    (void)state;
    sp_tensor *x = log_probabilities(), *one = sp_select(x, 0, 2);
    assert_holds(sp_nll_loss(one, sp_scalar_i64(1)), 2);
    assert_shape(sp_nll_loss(one, sp_scalar_i64(1), .reduction = SP_REDUCTION_NONE), SP_DIMS());
    assert_refuses(SP_ERROR_SHAPE, "sp_nll_loss: targets of shape [2] for an input of shape [4, 3]",
                   sp_nll_loss(x, sp_vector_i64(0, 1)));
    assert_refuses(SP_ERROR_SHAPE, "[4, 1]", sp_nll_loss(x, sp_reshape(labels(), 4, 1)));
    assert_refuses(SP_ERROR_SHAPE, "dimension of classes", sp_nll_loss(sp_scalar(1), sp_scalar_i64(0)));
    assert_refuses(SP_ERROR_SHAPE, "weights of shape [2] for 3 classes", sp_nll_loss_weighted(x, labels(), f64(1, 2)));
}

static void test_nll_dtypes(void **state)
{
    (void)state;
    sp_tensor *x = log_probabilities();
    assert_holds(sp_nll_loss(x, sp_cast(labels(), SP_U8)), 0.925);
    assert_holds(sp_nll_loss(sp_cast(x, SP_BF16), labels()), 0.925);
    assert_refuses(SP_ERROR_DTYPE, "sp_nll_loss: targets are int64, not int32",
                   sp_nll_loss(x, sp_cast(labels(), SP_I32)));
    assert_refuses(SP_ERROR_DTYPE, "not float32", sp_nll_loss(x, sp_cast(labels(), SP_F32)));
    assert_refuses(SP_ERROR_DTYPE, "int64", sp_nll_loss(sp_cast(x, SP_I64), labels()));
    assert_refuses(SP_ERROR_DTYPE, "float32 weights for a float64 input",
                   sp_nll_loss_weighted(x, labels(), sp_vector(1, 2, 3)));
    assert_refuses(SP_ERROR_UNSUPPORTED, "sp_detach(weight)",
                   sp_nll_loss_weighted(x, labels(), sp_requires_grad(weights())));
}

/* ---- cross entropy ---- */

static void test_cross_entropy_of_images(void **state)
{
    (void)state;
    sp_tensor *x = sp_requires_grad((sp_view)(f64(1, 2, 3, 4, 5, 7, 0, 1, 1, 0, 2, 2), SP_DIMS(2, 3, 2)));
    sp_tensor *target = sp_reshape(sp_vector_i64(0, 2, 1, -100), 2, 2);
    sp_tensor *y = sp_cross_entropy(x, target);
    assert_holds(y, 1.8685076094404758);
    assert_holds(support_gradient(y, x), -0.32804125334117773, 0.0021258203074807653, 0.03910347594206612,
                 0.01570780550822138, 0.28893777739911164, -0.017833625815702137, 0.030010191056793478, 0.0,
                 -0.25175717631506744, 0.0, 0.2217469852582739, 0.0);
    assert_holds(sp_cross_entropy_weighted(x, target, weights()), 1.2422888990511078);
    assert_holds(sp_cross_entropy_weighted(x, target, weights(), .reduction = SP_REDUCTION_SUM), 4.969155596204431);
    assert_holds(sp_cross_entropy_weighted(x, target, weights(), .reduction = SP_REDUCTION_NONE), 2.0714658142499496,
                 0.08247785306572115, 2.8152119288887607, 0);
}

static void test_smoothed_labels(void **state)
{
    (void)state;
    sp_tensor *x = logits(), *t = labels(), *w = weights();
    sp_tensor *y = sp_cross_entropy(x, t, .label_smoothing = 0.2);
    assert_holds(y, 35.12854905410908);
    assert_holds(support_gradient(y, x), -0.19415902337407157, 0.04451545109703274, 0.14964357227703878,
                 0.027155931368342507, -0.006888523348994804, -0.020267408019347705, 0.23333333333333334,
                 -0.21666666666666667, -0.016666666666666666, 0.06666666666666667, 0.06666666666666667,
                 -0.13333333333333336);
    assert_holds(sp_cross_entropy(x, t, .label_smoothing = 0.2, .ignore_index = 2), 69.43713631555552);
    assert_holds(sp_cross_entropy_weighted(x, t, w, .label_smoothing = 0.2), 49.761265194201215);
    y = sp_cross_entropy_weighted(x, t, w, .label_smoothing = 0.2, .ignore_index = 2);
    assert_holds(y, 108.50869492385185);
    assert_holds(support_gradient(y, x), -0.14932518048789856, 0.011927592281279374, 0.13739758820661915, 0, 0, 0,
                 0.7333333333333334, -0.6933333333333334, -0.039999999999999994, 0, 0, 0);
    assert_holds(sp_cross_entropy(x, t, .label_smoothing = 0.2, .reduction = SP_REDUCTION_SUM), 140.51419621643632);
    assert_holds(
        sp_cross_entropy_weighted(x, t, w, .label_smoothing = 0.2, .ignore_index = 2, .reduction = SP_REDUCTION_NONE),
        1.271737309629587, 0, 270, 0);
}

static void test_smoothing_when_nothing_counts(void **state)
{
    (void)state;
    sp_tensor *x = logits(), *none = sp_full(SP_DIMS(4), -100);
    sp_tensor *y = sp_cross_entropy(x, none, .label_smoothing = 0.1);
    assert_holds(y, NAN);
    assert_holds(sp_cross_entropy(x, none, .label_smoothing = 0.1, .reduction = SP_REDUCTION_SUM), 0);
}

static void test_probabilities_as_targets(void **state)
{
    (void)state;
    sp_tensor *x = logits(), *w = weights();
    sp_tensor *p = f64_rows(3, .2, .3, .5, 1, 0, 0, .1, .1, .8, 0., .5, .5);
    assert_holds(sp_cross_entropy(x, p, .label_smoothing = 0.1), 24.45271572077575);
    assert_holds(sp_cross_entropy_weighted(x, p, w, .label_smoothing = 0.1), 38.58095854042931);
    assert_holds(sp_cross_entropy(x, p, .label_smoothing = 0.1, .reduction = SP_REDUCTION_SUM), 97.810862883103);
    assert_holds(sp_cross_entropy_weighted(x, p, w, .label_smoothing = 0.1, .reduction = SP_REDUCTION_NONE),
                 1.4062732455258338, 1.0407649230500082, 150.00000000000003, 1.876795993141354);
    assert_holds(sp_cross_entropy(sp_select(x, 0, 3), sp_select(p, 0, 3)), 1.0986122886681096);
    assert_holds(sp_cross_entropy(sp_zeros(SP_DIMS(0, 3)), sp_zeros(SP_DIMS(0, 3))), NAN);
    sp_tensor *t = sp_requires_grad(sp_clone(p));
    sp_tensor *dt = support_gradient(sp_cross_entropy(sp_zeros(SP_DIMS(4, 3), .dtype = SP_F64), t), t);
    assert_holds(sp_sub_scalar(dt, log(3) / 4), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
}

static void test_what_cross_entropy_refuses(void **state)
{
    (void)state;
    sp_tensor *x = logits();
    assert_refuses(SP_ERROR_SHAPE, "sp_cross_entropy: probabilities of shape [4] for an input of shape [4, 3]",
                   sp_cross_entropy(x, f64(1, 2, 3, 4)));
    assert_refuses(SP_ERROR_ARGUMENT, "sp_cross_entropy: ignore_index 1", sp_cross_entropy(x, x, .ignore_index = 1));
    assert_refuses(SP_ERROR_ARGUMENT, "sp_cross_entropy: label_smoothing must be between 0 and 1, got 1.5",
                   sp_cross_entropy(x, labels(), .label_smoothing = 1.5));
    assert_refuses(SP_ERROR_ARGUMENT, "label_smoothing", sp_cross_entropy(x, labels(), .label_smoothing = NAN));
    assert_refuses(SP_ERROR_SHAPE, "dimension of classes", sp_cross_entropy(sp_scalar(1), sp_scalar_i64(0)));
    assert_refuses(SP_ERROR_DTYPE, "int64", sp_cross_entropy(sp_vector_i64(1, 2), sp_scalar_i64(0)));
    assert_refuses(SP_ERROR_SHAPE, "weights of shape [4] for 3 classes",
                   sp_cross_entropy_weighted(x, labels(), f64(1, 2, 3, 4)));
}

static void test_cross_entropy_is_softmax_minus_the_label(void **state)
{
    (void)state;
    sp_tensor *x = logits(), *y = sp_cross_entropy(x, labels(), .reduction = SP_REDUCTION_SUM);
    sp_tensor *expected = sp_sub(sp_softmax(x, 1), sp_one_hot(labels(), 3));
    assert_true(sp_allclose(support_gradient(y, x), expected, .rtol = 1e-12, .atol = 1e-14));
}

/* ---- between values ---- */

static void test_squares(void **state)
{
    (void)state;
    sp_tensor *x = sp_requires_grad(f64_rows(3, 1, 2, 4)), *t = sp_requires_grad(f64_rows(1, 0, 1));
    sp_tensor *y = sp_mse_loss(x, t);
    assert_holds(y, 5.166666666666667);
    assert_holds(support_gradient(y, x), 0.3333333333333333, 1, 2.333333333333333);
    assert_holds(support_gradient(sp_mse_loss(x, t), t), -2.333333333333333, -1.3333333333333333);
    assert_shape(sp_mse_loss(x, t, .reduction = SP_REDUCTION_NONE), SP_DIMS(2, 3));
    assert_holds(sp_mse_loss(sp_vector(1, 2), sp_vector_i64(1, 4)), 2);
    assert_holds(sp_mse_loss(sp_zeros(SP_DIMS(0)), sp_zeros(SP_DIMS(0))), NAN);
    assert_int_equal(sp_dtype_of(sp_mse_loss(sp_vector(1, 2), f64(1, 4))), SP_F64);
    assert_refuses(SP_ERROR_DTYPE, "sp_mse_loss", sp_mse_loss(sp_vector_i64(1, 2), sp_vector_i64(1, 4)));
    assert_refuses(SP_ERROR_SHAPE, "sp_mse_loss: shapes [2] and [3]", sp_mse_loss(sp_vector(1, 2), sp_vector(1, 4, 5)));
}

static void test_absolute_differences(void **state)
{
    (void)state;
    sp_tensor *x = sp_requires_grad(f64_rows(3, 1, 2, 4)), *t = sp_requires_grad(f64_rows(1, 0, 1));
    assert_holds(sp_l1_loss(x, t), 1.8333333333333333);
    assert_holds(support_gradient(sp_l1_loss(x, t), x), 1. / 6, 1. / 3, 1. / 3);
    assert_holds(support_gradient(sp_l1_loss(x, t), t), -0.5, -1. / 3);
    assert_holds(sp_l1_loss(sp_vector_i64(1, 2), sp_vector_i64(5, 1), .reduction = SP_REDUCTION_NONE), 4, 1);
    assert_refuses(SP_ERROR_DTYPE, "sp_l1_loss", sp_l1_loss(sp_vector_i64(1, 2), sp_vector_i64(5, 1)));
    assert_refuses(SP_ERROR_SHAPE, "sp_l1_loss", sp_l1_loss(sp_vector(1, 2), sp_vector(1, 4, 5)));
}

static void test_smooth_absolute_differences(void **state)
{
    (void)state;
    sp_tensor *x = f64_leaf(3, 2.5, 1, -2, 2), *t = f64(0, 2, 1, 0, 0);
    sp_tensor *y = sp_smooth_l1_loss(x, t, .reduction = SP_REDUCTION_NONE);
    assert_holds(y, 2.5, 0.125, 0, 1.5, 1.5);
    assert_holds(support_gradient(y, x), 1, 0.5, 0, -1, 1);
    y = sp_smooth_l1_loss(x, t, .beta = 2, .reduction = SP_REDUCTION_NONE);
    assert_holds(y, 2, 0.0625, 0, 1, 1);
    assert_holds(support_gradient(y, x), 1, 0.25, 0, -1, 1);
    y = sp_smooth_l1_loss(x, t, .beta = SP_ZERO, .reduction = SP_REDUCTION_NONE);
    assert_holds(y, 3, 0.5, 0, 2, 2);
    assert_refuses(SP_ERROR_ARGUMENT, "sp_smooth_l1_loss: beta must be finite and not negative, got -1",
                   sp_smooth_l1_loss(x, t, .beta = -1));
    assert_refuses(SP_ERROR_ARGUMENT, "beta", sp_smooth_l1_loss(x, t, .beta = NAN));
}

/* ---- two shapes ---- */

static char warning[512];
static int warned;
static sp_status warning_status;

static void catch_warning(sp_status status, const char *message, void *user)
{
    (void)user;
    warned++;
    warning_status = status;
    snprintf(warning, sizeof warning, "%s", message);
}

/* A loss of (3, 1) and (3) goes through, warns once, and leaves no error. */
static void warns(sp_tensor *(*loss)(sp_tensor *x, sp_tensor *target, const sp_loss_options *options), const char *name)
{
    char words[128];
    sp_tensor *x = sp_reshape(sp_vector(.1, .2, .3), 3, 1), *t = sp_vector(.1, .2, .3), *full = sp_reshape(t, 3, 1);
    snprintf(words, sizeof words, "%s: the target's shape [3] is not the input's, [3, 1]", name);
    warned = 0;
    for (int i = 0; i < 3; i++) {
        assert_non_null(loss(x, t, NULL));
        assert_no_error();
        assert_int_equal(warned, 1);
    }
    assert_int_equal(warning_status, SP_WARNING);
    assert_non_null(strstr(warning, words));
    assert_non_null(loss(x, full, NULL));
    assert_int_equal(warned, 1);
}

static void test_two_shapes_warn_once(void **state)
{
    (void)state;
    sp_set_error_handler(catch_warning, NULL);
    warns(sp_mse_loss, "sp_mse_loss");
    warns(sp_l1_loss, "sp_l1_loss");
    warns(sp_smooth_l1_loss, "sp_smooth_l1_loss");
    warns(sp_kl_div, "sp_kl_div");
    warned = 0;
    sp_tensor *x = sp_vector(.1, .2), *t = sp_reshape(x, 1, 2);
    assert_non_null(sp_forward(sp_nn_mse_loss(), x, t));
    assert_int_equal(warned, 1);
    sp_error_quiet(true);
    assert_non_null(sp_mse_loss(t, x));
    sp_error_quiet(false);
    assert_int_equal(warned, 1);
    assert_null(sp_mse_loss(sp_vector(1, 2), sp_vector(1, 2, 3)));
    assert_int_equal(warned, 2); /* the error alone */
    assert_int_equal(warning_status, SP_ERROR_SHAPE);
    assert_non_null(sp_mse_loss(sp_reshape(x, 2, 1), x));
    assert_int_equal(warned, 3);
    assert_int_equal(sp_error_status(), SP_ERROR_SHAPE); /* and it stays pending, with its words */
    assert_non_null(strstr(sp_error_message(), "[3]"));
    sp_error_clear();
    assert_null(sp_binary_cross_entropy(x, t));
    sp_error_clear();
    assert_null(sp_binary_cross_entropy_with_logits(x, t));
    sp_error_clear();
}

/* ---- between probabilities ---- */

static void test_binary_cross_entropy(void **state)
{
    (void)state;
    sp_tensor *x = f64_leaf(0, 1, .25, .75), *t = f64_leaf(0, 0, 1, .5);
    sp_tensor *y = sp_binary_cross_entropy(x, t, .reduction = SP_REDUCTION_NONE);
    assert_holds(y, 0, 100, 1.3862943611198906, 0.8369882167858358);
    sp_tensor *dx = support_gradient(y, x);
    assert_holds(dx, 0, 1e12, -4, 1.3333333333333333);
    assert_holds(support_gradient(y, t), INFINITY, -INFINITY, 1.0986122886681098, -1.0986122886681098);
    assert_holds(sp_binary_cross_entropy(sp_zeros(SP_DIMS(0)), sp_zeros(SP_DIMS(0)), .reduction = SP_REDUCTION_SUM), 0);
}

static void test_what_is_no_probability(void **state)
{
    (void)state;
    sp_tensor *t = sp_vector(0, 1);
    assert_refuses(SP_ERROR_ARGUMENT, "sp_binary_cross_entropy: the input must be between 0 and 1, and one is 1.5",
                   sp_binary_cross_entropy(sp_vector(0.5, 1.5), t));
    assert_refuses(SP_ERROR_ARGUMENT, "one is -0.5", sp_binary_cross_entropy(sp_vector(-0.5, 0.5), t));
    assert_refuses(SP_ERROR_ARGUMENT, "nan", sp_binary_cross_entropy(sp_vector(0.5, NAN), t));
    assert_null(sp_add(t, NULL)); /* an error that nobody has read yet does not disturb */
    assert_non_null(sp_binary_cross_entropy(sp_vector(0.5, 1), t));
    assert_error(SP_ERROR_NULL, "sp_add");
    assert_refuses(SP_ERROR_SHAPE, "targets of shape [] for an input of shape [2]",
                   sp_binary_cross_entropy(sp_vector(0.5, 1), sp_scalar(1)));
}

static void test_binary_cross_entropy_with_logits(void **state)
{
    (void)state;
    sp_tensor *x = f64_leaf(0, 1000, -1000, 2), *t = f64_leaf(1, 0, 1, .5);
    sp_tensor *y = sp_binary_cross_entropy_with_logits(x, t, .reduction = SP_REDUCTION_NONE);
    assert_holds(y, 0.6931471805599453, 1000, 1000, 1.1269280110429725);
    assert_holds(support_gradient(y, x), -0.5, 1, -1, 0.3807970779778823);
    assert_holds(support_gradient(y, t), 0, -1000, 1000, -2);
    assert_refuses(SP_ERROR_SHAPE, "sp_binary_cross_entropy_with_logits",
                   sp_binary_cross_entropy_with_logits(x, sp_scalar(1)));
}

/* max(x, 0) - x·t + ln(1 + e^-|x|), and σ(x) - t, on both sides and in every dtype; ln(1 - x) for a small x. */
static void test_large_margins(void **state)
{
    (void)state;
    const double loss = 6.144193477732806e-06, slope = 6.144174602214718e-06;
    const struct {
        sp_dtype dtype;
        double tolerance;
    } rows[] = {{SP_F32, 1e-6}, {SP_F64, 1e-14}, {SP_BF16, 1e-2}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        sp_tensor *x = sp_requires_grad(sp_cast(sp_vector(12, -12), rows[i].dtype));
        sp_tensor *t = sp_cast(sp_vector(1, 0), rows[i].dtype);
        sp_tensor *y = sp_binary_cross_entropy_with_logits(x, t, .reduction = SP_REDUCTION_NONE);
        sp_tensor *dx = support_gradient(y, x);
        for (int k = 0; k < 2; k++) {
            assert_close(sp_item(sp_select(y, 0, k)) / loss, 1, rows[i].tolerance);
            assert_close(sp_item(sp_select(dx, 0, k)) / slope, k ? 1 : -1, rows[i].tolerance);
        }
    }
    assert_close(sp_item(sp_binary_cross_entropy(sp_vector(1e-10), sp_vector(0))) / 1e-10, 1, 1e-6);
}

/* A target of 0 costs nothing and pulls at nothing; PyTorch's gradient of it is NaN. */
static void test_divergence(void **state)
{
    (void)state;
    sp_tensor *x = f64_leaf(-1, -2, -.5), *t = f64_leaf(0, .5, .25);
    sp_tensor *y = sp_kl_div(x, t, .reduction = SP_REDUCTION_NONE);
    assert_holds(y, 0, 0.6534264097200273, -0.22157359027997264);
    assert_holds(support_gradient(y, x), 0, -0.5, -0.25);
    assert_holds(support_gradient(y, t), 1, 2.3068528194400546, 0.11370563888010943);
    y = sp_kl_div(x, t, .reduction = SP_REDUCTION_NONE, .log_target = true);
    assert_holds(y, 1, 4.121803176750321, 0.963019062515806);
    assert_holds(support_gradient(y, x), -1, -1.6487212707001282, -1.2840254166877414);
    assert_holds(support_gradient(y, t), 2, 5.770524447450449, 2.2470444792035473);
}

static void test_divergence_of_a_batch(void **state)
{
    (void)state;
    sp_tensor *x = f64_rows(3, -1., -2., -.5, -.1, -.2, -.3), *t = f64_rows(3, .1, .5, .25, .2, .3, .4);
    assert_holds(sp_kl_div(x, t), -0.09133356773226879);
    assert_holds(sp_kl_div(x, t, .reduction = SP_REDUCTION_SUM), -0.5480014063936127);
    assert_holds(sp_kl_div(x, t, .batch_mean = true), -0.27400070319680636);
    assert_refuses(SP_ERROR_DTYPE, "sp_kl_div: needs floating point tensors, not float64 and int64",
                   sp_kl_div(x, sp_vector_i64(1, 0, 0)));
    assert_refuses(SP_ERROR_SHAPE, "sp_kl_div", sp_kl_div(x, sp_vector(1, 0)));
}

/* ---- of all losses ---- */

typedef sp_tensor *loss(sp_tensor *x, sp_tensor *target, const sp_loss_options *options);
static const struct {
    const char *name, *node, *each;
    loss *function;
    bool labels;
} losses[] = {
    {"sp_nll_loss", "NllLossBackward0", "NllLossBackward0", sp_nll_loss, true},
    {"sp_cross_entropy", "NllLossBackward0", "NllLossBackward0", sp_cross_entropy, true},
    {"sp_mse_loss", "MseLossBackward0", "MseLossBackward0", sp_mse_loss, false},
    {"sp_l1_loss", "MeanBackward0", "AbsBackward0", sp_l1_loss, false},
    {"sp_smooth_l1_loss", "SmoothL1LossBackward0", "SmoothL1LossBackward0", sp_smooth_l1_loss, false},
    {"sp_binary_cross_entropy", "BinaryCrossEntropyBackward0", "BinaryCrossEntropyBackward0", sp_binary_cross_entropy,
     false},
    {"sp_binary_cross_entropy_with_logits", "BinaryCrossEntropyWithLogitsBackward0",
     "BinaryCrossEntropyWithLogitsBackward0", sp_binary_cross_entropy_with_logits, false},
    {"sp_kl_div", "MeanBackward0", "SubBackward0", sp_kl_div, false},
};
enum { LOSSES = sizeof losses / sizeof *losses };

static void test_names(void **state)
{
    (void)state;
    const sp_loss_options each = {.size = sizeof each, .reduction = SP_REDUCTION_NONE};
    for (int i = 0; i < LOSSES; i++) {
        sp_tensor *x = sp_requires_grad(sp_matrix(2, 2, .1, .2, .3, .4));
        sp_tensor *t = losses[i].labels ? sp_vector_i64(0, 1) : sp_matrix(2, 2, .4, .3, .2, .1);
        assert_string_equal(sp_grad_fn_name(losses[i].function(x, t, NULL)), losses[i].node);
        assert_string_equal(sp_grad_fn_name(losses[i].function(x, t, &each)), losses[i].each);
    }
    sp_tensor *image = sp_requires_grad(sp_zeros(SP_DIMS(1, 2, 2))), *t = sp_zeros(SP_DIMS(1, 2), .dtype = SP_I64);
    assert_string_equal(sp_grad_fn_name(sp_nll_loss(image, t)), "NllLoss2DBackward0");
}

static void test_reductions_that_there_are_not(void **state)
{
    (void)state;
    const sp_loss_options wrong = {.size = sizeof wrong, .reduction = (sp_reduction)7};
    for (int i = 0; i < LOSSES; i++) {
        sp_tensor *x = sp_matrix(2, 2, .1, .2, .3, .4), *t = losses[i].labels ? sp_vector_i64(0, 1) : x;
        assert_null(losses[i].function(x, t, &wrong));
        assert_true(strstr(sp_error_message(), losses[i].name) != NULL);
        assert_error(SP_ERROR_ARGUMENT, "7 is no reduction");
    }
}

/* Objects that a call leaves in its scope. */
static int64_t left_by(loss *function, sp_tensor *x, sp_tensor *t)
{
    const int64_t before = sp_memory().live_count;
    assert_non_null(function(x, t, NULL));
    return sp_memory().live_count - before;
}

static void test_nothing_but_the_result_stays(void **state)
{
    (void)state;
    sp_tensor *x = sp_matrix(2, 2, .1, .2, .3, .4), *classes = sp_vector_i64(0, 1);
    const int64_t before = sp_memory().live_count;
    assert_non_null(sp_sum(x));
    const int64_t one = sp_memory().live_count - before;
    for (int i = 0; i < LOSSES; i++) {
        const int64_t left = left_by(losses[i].function, x, losses[i].labels ? classes : x);
        if (left != one)
            fail_msg("%s leaves %lld blocks, a result has %lld", losses[i].name, (long long)left, (long long)one);
    }
}

/* ---- without memory ---- */

static bool train_a_little(void *context)
{
    (void)context;
    bool ok = false;
    SP_SCOPE {
        sp_tensor *x = sp_requires_grad(sp_matrix(2, 3, .1, .2, 0, .3, .4, .5)), *t = sp_vector_i64(0, 2);
        sp_tensor *p = sp_softmax(x, 1), *total = sp_cross_entropy(x, t, .label_smoothing = 0.1);
        total = sp_add(total, sp_kl_div(p, sp_cast(sp_one_hot(t, 3), SP_F32), .batch_mean = true));
        total = sp_add(total, sp_add(sp_binary_cross_entropy(p, p), sp_smooth_l1_loss(x, p)));
        total = sp_add(sp_add(total, sp_sum(sp_prod_dim(x, 1))), sp_norm(sp_max_dim(x, 0).values));
        total = sp_add(total, sp_mean(sp_gather(sp_dropout(x, 0.5, true), 1, sp_reshape(t, 2, 1))));
        ok = sp_backward(total) == SP_OK && isfinite(sp_item(total));
    }
    return ok;
}

static void test_each_allocation_may_fail(void **state)
{
    (void)state;
    assert_true(support_fail_each_allocation(train_a_little, NULL) > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_nll),
        sp_test(test_nll_weighted),
        sp_test(test_nll_ignores),
        sp_test(test_nll_of_nothing),
        sp_test(test_labels_that_are_no_class),
        sp_test(test_nll_shapes),
        sp_test(test_nll_dtypes),
        sp_test(test_cross_entropy_of_images),
        sp_test(test_smoothed_labels),
        sp_test(test_smoothing_when_nothing_counts),
        sp_test(test_probabilities_as_targets),
        sp_test(test_what_cross_entropy_refuses),
        sp_test(test_cross_entropy_is_softmax_minus_the_label),
        sp_test(test_squares),
        sp_test(test_absolute_differences),
        sp_test(test_smooth_absolute_differences),
        sp_test(test_two_shapes_warn_once),
        sp_test(test_binary_cross_entropy),
        sp_test(test_what_is_no_probability),
        sp_test(test_binary_cross_entropy_with_logits),
        sp_test(test_large_margins),
        sp_test(test_divergence),
        sp_test(test_divergence_of_a_batch),
        sp_test(test_names),
        sp_test(test_reductions_that_there_are_not),
        sp_test(test_nothing_but_the_result_stays),
        sp_test(test_each_allocation_may_fail),
    };
    return sp_test_main(tests);
}

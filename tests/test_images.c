/* Pooling, padding and resizing against PyTorch for shapes drawn at random (tools/fixtures_images.py), on contiguous
 * memory and with the channels innermost; and what they refuse. */
#include "support/support.h"
#include <math.h>
#include <spusk/spusk.h>
#include <stdio.h>

typedef enum kind { MAX, AVG, ADAPTIVE, PAD, RESIZE, KINDS } kind;

static sp_tensor *apply_max(sp_tensor *x, const int64_t *n)
{
    return sp_max_pool2d(x, 0, .kernel_size_hw = {n[0], n[1]}, .stride_hw = {n[2], n[3]}, .padding_hw = {n[4], n[5]},
                         .dilation_hw = {n[6], n[7]}, .ceil_mode = n[8] != 0);
}

static sp_tensor *apply_avg(sp_tensor *x, const int64_t *n)
{
    return sp_avg_pool2d(x, 0, .kernel_size_hw = {n[0], n[1]}, .stride_hw = {n[2], n[3]}, .padding_hw = {n[4], n[5]},
                         .ceil_mode = n[6] != 0, .exclude_pad = n[7] != 0, .divisor_override = n[8]);
}

static sp_tensor *apply_adaptive(sp_tensor *x, const int64_t *n)
{
    return sp_adaptive_avg_pool2d(x, 0, .output_size_hw = {n[0], n[1]});
}

static sp_tensor *apply_pad(sp_tensor *x, const int64_t *n)
{
    return sp_pad(x, ((sp_dims){n + 1, 4}), .mode = (sp_pad_mode)n[0], .value = (double)n[5]);
}

static sp_tensor *apply_resize(sp_tensor *x, const int64_t *n)
{
    const sp_interpolation mode = n[0] ? SP_BILINEAR : SP_NEAREST;
    if (n[2]) return sp_interpolate(x, .scale_factor = (double)n[2] / 10, .mode = mode);
    return sp_interpolate(x, .output_size_hw = {n[3], n[4]}, .mode = mode, .align_corners = n[1] != 0);
}

static sp_tensor *(*const functions[KINDS])(sp_tensor *x, const int64_t *n) = {apply_max, apply_avg, apply_adaptive,
                                                                               apply_pad, apply_resize};

static sp_tensor *part(const sp_dict *dict, const char *name, int64_t i)
{
    char full[32];
    snprintf(full, sizeof full, "%s.%lld", name, (long long)i);
    return sp_dict_find(dict, full);
}

static void assert_near(sp_tensor *got, sp_tensor *expected, int64_t i, const char *what)
{
    if (!got) fail_msg("case %lld: no %s: %s", (long long)i, what, sp_error_message());
    if (!sp_allclose(got, expected, .rtol = 2e-5, .atol = 2e-6))
        fail_msg("case %lld: the %s is not PyTorch's", (long long)i, what);
}

/* The same values with the channels innermost. */
static sp_tensor *channels_last(sp_tensor *x)
{
    return sp_permute(sp_contiguous(sp_permute(x, 0, 2, 3, 1)), 0, 3, 1, 2);
}

static void check_case(const sp_dict *dict, int64_t i, const int64_t *row, bool innermost)
{
    sp_tensor *x = part(dict, "x", i);
    x = sp_requires_grad(sp_clone(x));
    sp_tensor *y = functions[row[0]](innermost ? channels_last(x) : x, row + 1);
    assert_near(y, part(dict, "y", i), i, "value");
    sp_list *grads = sp_autograd_grad_with(SP_LIST(y), SP_LIST(x), SP_LIST(part(dict, "w", i)));
    assert_near(grads ? sp_list_get(grads, 0) : NULL, part(dict, "g", i), i, "gradient");
    if (row[0] != MAX) return;
    const int64_t *n = row + 1;
    sp_values_indices both = sp_max_pool2d_with_indices(
        innermost ? channels_last(x) : x, 0, .kernel_size_hw = {n[0], n[1]}, .stride_hw = {n[2], n[3]},
        .padding_hw = {n[4], n[5]}, .dilation_hw = {n[6], n[7]}, .ceil_mode = n[8] != 0);
    assert_true(sp_equal(both.indices, part(dict, "k", i)));
    assert_true(sp_equal(both.values, y));
}

static void test_random_shapes(void **state)
{
    (void)state;
    sp_dict *dict = sp_load_tensors(SP_TEST_DIR "/fixtures/images.safetensors");
    sp_tensor *cases = sp_dict_find(dict, "cases");
    const int64_t *rows = sp_const_data(cases), n = sp_size(cases, 0), width = sp_size(cases, 1);
    assert_true(n >= 80);
    for (int64_t i = 0; i < 2 * n; i++)
        SP_SCOPE {
            check_case(dict, i / 2, rows + i / 2 * width, i % 2 == 1);
        }
    assert_no_error();
}

/* Results lie as their inputs do. */
static void test_layout_stays(void **state)
{
    (void)state;
    sp_tensor *x = channels_last(sp_rand(SP_DIMS(2, 3, 6, 6)));
    sp_tensor *results[] = {sp_max_pool2d(x, 2), sp_avg_pool2d(x, 2), sp_adaptive_avg_pool2d(x, 3),
                            sp_interpolate(x, .scale_factor = 2),
                            sp_pad(x, SP_DIMS(1, 1, 1, 1), .mode = SP_PAD_REFLECT)};
    for (size_t i = 0; i < sizeof results / sizeof *results; i++) assert_int_equal(sp_stride(results[i], 1), 1);
    sp_tensor *plain = sp_rand(SP_DIMS(2, 3, 6, 6));
    assert_true(sp_is_contiguous(sp_max_pool2d(plain, 2)));
    assert_true(sp_is_contiguous(sp_batch_norm(plain, SP_NONE, SP_NONE, SP_NONE, SP_NONE, .training = true)));
    sp_tensor *normal = sp_batch_norm(x, SP_NONE, SP_NONE, SP_NONE, SP_NONE, .training = true);
    assert_int_equal(sp_stride(normal, 1), 1);
}

static void test_equals_and_nothing(void **state)
{
    (void)state;
    /* The first of equals has the gradient; NaN is the largest; a window of -inf alone has its first place. */
    sp_tensor *x = sp_requires_grad(sp_zeros(SP_DIMS(1, 1, 2, 2)));
    sp_backward(sp_sum(sp_max_pool2d(x, 2)));
    assert_true(sp_equal(sp_grad(x), sp_reshape(sp_vector(1, 0, 0, 0), 1, 1, 2, 2)));
    sp_tensor *odd = sp_reshape(sp_vector(1, NAN, 3, 2), 1, 1, 2, 2);
    assert_true(isnan(sp_item(sp_max_pool2d(odd, 2))));
    sp_values_indices none = sp_max_pool2d_with_indices(sp_full(SP_DIMS(1, 2, 2), -INFINITY), 2);
    assert_int_equal(sp_item_i64(sp_select(none.indices, 0, 0)), 0);
    /* A window of more than 256 places. */
    sp_tensor *large = sp_reshape(sp_arange(0., 400., 1.), 1, 20, 20);
    assert_int_equal(sp_item_i64(sp_max_pool2d_with_indices(large, 20).indices), 399);
    assert_int_equal(sp_numel(sp_max_pool2d(sp_zeros(SP_DIMS(0, 3, 4, 4)), 2)), 0);
    assert_no_error();
}

static void test_bad_calls(void **state)
{
    (void)state;
    sp_tensor *x = sp_ones(SP_DIMS(1, 2, 4, 4));
    assert_refuses(SP_ERROR_SHAPE, "a window of 5 by 5 does not fit into images of shape [1, 2, 4, 4]",
                   sp_max_pool2d(x, 5));
    assert_refuses(SP_ERROR_SHAPE, "a window of 5 by 5 does not fit", sp_avg_pool2d(x, 5));
    assert_refuses(SP_ERROR_ARGUMENT, "stride must be 1 or more", sp_max_pool2d(x, 2, .stride = SP_ZERO));
    assert_refuses(SP_ERROR_ARGUMENT, "kernel's size must be 1 or more, not 0 by 0", sp_max_pool2d(x, 0));
    assert_refuses(SP_ERROR_ARGUMENT, "between 0 and half the window (1), not 2", sp_max_pool2d(x, 2, .padding = 2));
    assert_refuses(SP_ERROR_ARGUMENT, "between 0 and half the kernel (1), not -1", sp_avg_pool2d(x, 2, .padding = -1));
    assert_refuses(SP_ERROR_ARGUMENT, "must not be 0", sp_avg_pool2d(x, 2, .divisor_override = SP_ZERO));
    assert_refuses(SP_ERROR_SHAPE, "needs images", sp_max_pool2d(sp_ones(SP_DIMS(4, 4)), 2));
    assert_refuses(SP_ERROR_DTYPE, "not for tensors of dtype int64",
                   sp_max_pool2d(sp_ones(SP_DIMS(1, 4, 4), .dtype = SP_I64), 2));
    assert_refuses(SP_ERROR_ARGUMENT, "output_size must be 0 or more", sp_adaptive_avg_pool2d(x, -3));
    assert_refuses(SP_ERROR_ARGUMENT, "needs .output_size or .scale_factor", sp_interpolate(x));
    assert_refuses(SP_ERROR_ARGUMENT, "not both", sp_interpolate(x, .output_size = 2, .scale_factor = 2));
    assert_refuses(SP_ERROR_ARGUMENT, "must be positive", sp_interpolate(x, .scale_factor = -1));
    assert_refuses(SP_ERROR_SHAPE, "cannot become 0 by 0", sp_interpolate(x, .scale_factor = 0.1));
    assert_refuses(SP_ERROR_ARGUMENT, "align_corners", sp_interpolate(x, .scale_factor = 2, .align_corners = true));
    assert_refuses(SP_ERROR_ARGUMENT, "sp_pad: 3 numbers", sp_pad(x, SP_DIMS(1, 2, 3)));
    assert_refuses(SP_ERROR_SHAPE, "smaller than what it reflects",
                   sp_pad(x, SP_DIMS(4, 0, 0, 0), .mode = SP_PAD_REFLECT));
    assert_refuses(SP_ERROR_ARGUMENT, "cannot take away", sp_pad(x, SP_DIMS(-1, 0, 0, 0), .mode = SP_PAD_REPLICATE));
    assert_refuses(SP_ERROR_SHAPE, "less than nothing", sp_pad(x, SP_DIMS(-3, -3)));
    assert_refuses(SP_ERROR_SHAPE, "sp_dropout2d: needs images", sp_dropout2d(sp_ones(SP_DIMS(2, 2)), 0.5, true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_random_shapes),
        sp_test(test_layout_stays),
        sp_test(test_equals_and_nothing),
        sp_test(test_bad_calls),
    };
    return sp_test_main(tests);
}

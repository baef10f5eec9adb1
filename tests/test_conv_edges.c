/* Images at the edges: factors of interpolation, windows larger than the image, sizes of 0, strides so large that few
 * places of the result have anything to add up. */
#include "support/support.h"
#include <spusk/spusk.h>

static void assert_row(sp_tensor *x, const double *right, int64_t n)
{
    assert_non_null(x);
    sp_tensor *flat = sp_view(x, -1);
    assert_int_equal(sp_numel(flat), n);
    for (int64_t i = 0; i < n; i++) assert_close(sp_item(sp_select(flat, 0, i)), right[i], 1e-6);
}
#define ASSERT_ROW(x, ...)                                                                                             \
    assert_row(x, (const double[]){__VA_ARGS__}, (int64_t)(sizeof((const double[]){__VA_ARGS__}) / sizeof(double)))

/* The values are PyTorch's. A side whose size stays is copied, one that nearest doubles is doubled. */
static void test_factors(void **state)
{
    (void)state;
    sp_tensor *x = sp_view(sp_vector(1, 2, 3, 4), 1, 1, 1, 4), *y = sp_view(sp_vector(1, 2), 1, 1, 2, 1);
    ASSERT_ROW(sp_interpolate(x, .scale_factor_hw = {1, 1.2}), 1, 2, 3, 4);
    ASSERT_ROW(sp_interpolate(x, .scale_factor_hw = {1, 2.05}), 1, 1, 2, 2, 3, 3, 4, 4);
    ASSERT_ROW(sp_interpolate(y, .scale_factor_hw = {2.3, 1}), 1, 1, 2, 2);
    sp_tensor *five = sp_view(sp_vector(0, 1, 2, 3, 4), 1, 1, 1, 5);
    ASSERT_ROW(sp_interpolate(five, .scale_factor_hw = {1, 1.3}), 0, 0, 1, 2, 3, 3);
    ASSERT_ROW(sp_interpolate(x, .scale_factor_hw = {1, 1.2}, .mode = SP_BILINEAR), 1, 2, 3, 4);
    ASSERT_ROW(sp_interpolate(y, .scale_factor_hw = {2.3, 1.2}, .mode = SP_BILINEAR), 1, 1.1521739, 1.5869565, 2);
    ASSERT_ROW(sp_forward(sp_nn_upsample(.scale_factor_hw = {1, 2.05}), x), 1, 1, 2, 2, 3, 3, 4, 4);
    sp_tensor *leaf = sp_requires_grad(sp_clone(x)), *rows = sp_requires_grad(sp_clone(y));
    sp_backward(sp_sum(sp_interpolate(leaf, .scale_factor_hw = {1, 2.05})));
    ASSERT_ROW(sp_grad(leaf), 2, 2, 2, 2);
    sp_backward(sp_sum(sp_interpolate(rows, .scale_factor_hw = {2.3, 1}, .mode = SP_BILINEAR)));
    ASSERT_ROW(sp_grad(rows), 2.2608695, 1.7391305);
    assert_no_error();
}

/* With ceil_mode a window may end outside. */
static void test_large_windows(void **state)
{
    (void)state;
    sp_tensor *x = sp_view(sp_arange(0.0, 16.0, 1.0), 1, 1, 4, 4);
    ASSERT_ROW(sp_max_pool2d(x, 5, .ceil_mode = true), 15);
    ASSERT_ROW(sp_avg_pool2d(x, 5, .ceil_mode = true), 7.5);
    assert_null(sp_max_pool2d(x, 5));
    assert_error(SP_ERROR_SHAPE, "does not fit");
    assert_null(sp_max_pool2d(x, 9, .ceil_mode = true, .stride = 1));
    assert_error(SP_ERROR_SHAPE, "does not fit");
}

/* Only a batch may be empty; PyTorch refuses these too. */
static void test_refused(void **state)
{
    (void)state;
    sp_tensor *kernel = sp_ones(SP_DIMS(3, 2, 1, 1)), *flat = sp_zeros(SP_DIMS(1, 2, 0, 4));
    assert_null(sp_conv2d(flat, kernel, SP_NONE, .same = true));
    assert_error(SP_ERROR_SHAPE, "have no places");
    assert_null(sp_conv2d(flat, kernel, SP_NONE, .padding = 2));
    assert_error(SP_ERROR_SHAPE, "have no places");
    assert_null(sp_conv_transpose2d(flat, sp_ones(SP_DIMS(2, 3, 3, 3)), SP_NONE));
    assert_error(SP_ERROR_SHAPE, "have no places");
    assert_null(
        sp_conv_transpose2d(sp_zeros(SP_DIMS(1, 2, 1, 1)), sp_ones(SP_DIMS(2, 3, 2, 2)), SP_NONE, .padding = 1));
    assert_error(SP_ERROR_SHAPE, "would become 0 by 0");
    assert_null(sp_conv_transpose2d(sp_zeros(SP_DIMS(1, 2, 4, 4)), sp_ones(SP_DIMS(2, 0, 3, 3)), SP_NONE));
    assert_error(SP_ERROR_SHAPE, "makes no channels");
    sp_tensor *none = sp_zeros(SP_DIMS(1, 0, 4, 4));
    assert_null(sp_max_pool2d(none, 2));
    assert_error(SP_ERROR_SHAPE, "only a batch may be empty");
    assert_null(sp_avg_pool2d(sp_zeros(SP_DIMS(1, 3, 0, 4)), 2, .padding = 1));
    assert_error(SP_ERROR_SHAPE, "only a batch may be empty");
    assert_null(sp_interpolate(none, .scale_factor = 2));
    assert_error(SP_ERROR_SHAPE, "only a batch may be empty");
    assert_null(sp_adaptive_avg_pool2d(flat, 0));
    assert_error(SP_ERROR_SHAPE, "nothing to take a mean of");
}

/* Images without channels: the bias alone, and its gradient. In every dtype; a batch of none too. */
static void test_no_channels(void **state)
{
    (void)state;
    static const sp_dtype dtypes[] = {SP_F32, SP_F64, SP_BF16};
    for (int i = 0; i < 6; i++) {
        const sp_dtype dtype = dtypes[i / 2];
        const int64_t batch = 1 - i % 2;
        sp_tensor *x = sp_requires_grad(sp_zeros(SP_DIMS(batch, 0, 4, 4), .dtype = dtype));
        sp_tensor *w = sp_requires_grad(sp_zeros(SP_DIMS(3, 0, 3, 3), .dtype = dtype));
        sp_tensor *b = sp_requires_grad(sp_ones(SP_DIMS(3), .dtype = dtype));
        sp_tensor *y = sp_conv2d(x, w, b);
        assert_true(sp_size(y, 1) == 3 && sp_item(sp_sum(y)) == (double)(12 * batch));
        sp_backward(sp_sum(y));
        assert_true(sp_numel(sp_grad(x)) == 0 && sp_numel(sp_grad(w)) == 0);
        assert_true(sp_item(sp_sum(sp_grad(b))) == (double)(12 * batch));
    }
    assert_no_error();
}

/* Memory in proportion to images, weights and result, whatever the stride, the padding, the dilation. */
static void check_memory(sp_tensor *y, int64_t before)
{
    assert_non_null(y);
    sp_backward(sp_sum(y));
    const int64_t bytes = sp_numel(y) * 4 + (1 << 20);
    if (sp_memory().peak_bytes - before > 16 * bytes)
        fail_msg("%lld bytes for %lld", (long long)(sp_memory().peak_bytes - before), (long long)bytes);
}

static void test_memory(void **state)
{
    (void)state;
    sp_set_memory_pool(false);
    sp_tensor *x = sp_requires_grad(sp_ones(SP_DIMS(1, 2, 2, 2))), *bias = sp_requires_grad(sp_vector(1, 2, 3));
    sp_tensor *w = sp_requires_grad(sp_ones(SP_DIMS(2, 3, 3, 3))), *v = sp_requires_grad(sp_ones(SP_DIMS(3, 2, 2, 2)));
    const int64_t before = sp_memory().live_bytes;
    sp_reset_peak_memory();
    SP_SCOPE {
        sp_tensor *y = sp_conv_transpose2d(x, w, bias, .stride = 1000);
        assert_int_equal(sp_size(y, 2), 1003);
        assert_true(sp_item(sp_amax(y)) == 5 && sp_item(sp_amin(y)) == 1);
        assert_true(sp_item(sp_sum(y)) == 6 * 1003 * 1003 + 2 * 4 * 3 * 9);
        check_memory(y, before);
    }
    sp_reset_peak_memory();
    SP_SCOPE {
        check_memory(sp_conv2d(x, v, bias, .stride = 100000, .padding = 100000), before);
        check_memory(sp_conv2d(x, v, bias, .dilation = 100001, .padding = 50000), before);
    }
    sp_set_memory_pool(true);
    assert_no_error();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_factors),     sp_test(test_large_windows), sp_test(test_refused),
        sp_test(test_no_channels), sp_test(test_memory),
    };
    return sp_test_main(tests);
}

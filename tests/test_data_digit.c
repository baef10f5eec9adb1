/* A picture of one's own becomes a digit as MNIST has them. */
#include "support/support.h"
#include <spusk/spusk.h>

/* Saves a picture of a background with one bar of ink; returns its path. */
static const char *bar(const char *name, int64_t h, int64_t w, int64_t top, int64_t left, int64_t high, int64_t wide,
                       bool dark_on_light)
{
    const char *path = support_path(name);
    sp_tensor *picture = sp_full(SP_DIMS(h, w), dark_on_light ? 240. : 0., .dtype = SP_U8);
    sp_fill_(sp_narrow(sp_narrow(picture, 0, top, high), 1, left, wide), dark_on_light ? 10 : 255);
    assert_int_equal(sp_save_png(picture, path), SP_OK);
    return path;
}

static double where(sp_tensor *digit, int along)
{
    sp_tensor *image = sp_view(digit, 28, 28), *at = sp_arange(0., 28., 1.);
    return sp_item(sp_sum(sp_mul(sp_sum_dim(image, 1 - along), at))) / sp_item(sp_sum(image));
}

/* Twenty rows high, half as wide, in the middle, light on black, whatever the paper was. */
static void test_scaled_and_centred(void **state)
{
    (void)state;
    for (int dark = 0; dark < 2; dark++) {
        sp_tensor *digit = sp_load_digit(bar("bar.png", 200, 120, 5, 60, 100, 50, dark == 1));
        assert_int_equal(sp_ndim(digit), 4);
        assert_int_equal(sp_numel(digit), 784);
        assert_close(where(digit, 0), 13.5, 0.51);
        assert_close(where(digit, 1), 13.5, 0.51);
        sp_tensor *image = sp_view(digit, 28, 28);
        assert_close(sp_item(sp_amax(image)), 1, 1e-6);
        assert_close(sp_item(sp_sum(sp_gt_scalar(image, 0.5))), 200, 1e-6);
        assert_close(sp_item(sp_select(sp_select(image, 0, 0), 0, 0)), 0, 0);
    }
}

/* What has the size of a digit is one already. */
static void test_stays_where_it_is(void **state)
{
    (void)state;
    sp_tensor *digit = sp_load_digit(bar("small.png", 28, 28, 2, 3, 4, 5, false));
    assert_close(where(digit, 0), 3.5, 1e-6);
    assert_close(where(digit, 1), 5, 1e-6);
    assert_close(sp_item(sp_sum(digit)), 20, 1e-6);
}

/* A sheet without ink is refused, and so is no picture. */
static void test_nothing_there(void **state)
{
    (void)state;
    assert_null(sp_load_digit(bar("empty.png", 60, 40, 0, 0, 1, 0, false)));
    assert_error(SP_ERROR_FORMAT, "there is no ink in the picture");
    assert_null(sp_load_digit(support_path("missing.png")));
    assert_error(SP_ERROR_NOT_FOUND, "missing.png");
}

static bool make(void *context)
{
    return sp_load_digit(context) != NULL;
}

static void test_each_allocation_fails(void **state)
{
    (void)state;
    char path[512];
    snprintf(path, sizeof path, "%s", bar("bar.png", 60, 40, 5, 6, 30, 20, true));
    assert_true(support_fail_each_allocation(make, path) > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_scaled_and_centred),
        sp_test(test_stays_where_it_is),
        sp_test(test_nothing_there),
        sp_test(test_each_allocation_fails),
    };
    return sp_test_main(tests);
}

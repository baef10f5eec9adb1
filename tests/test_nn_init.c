/* Initialisation: bounds, moments, what is refused. */
#include "support/support.h"
#include <math.h>
#include <spusk/spusk.h>

/* Uniform within the bound, or normal with that deviation. */
static void assert_drawn(sp_tensor *x, bool normal, double scale)
{
    double most = sp_item(sp_max(sp_abs(x))), std = sp_item(sp_std(x));
    assert_close(sp_item(sp_mean(x)), 0, 0.02 * scale);
    assert_close(std, normal ? scale : scale / sqrt(3), 0.02 * scale);
    if (normal)
        assert_true(most > 3 * scale && most < 7 * scale);
    else
        assert_true(most <= scale && most > 0.99 * scale);
}

static void test_init_has_its_moments(void **state)
{
    (void)state;
    sp_manual_seed(1);
    sp_tensor *x = sp_requires_grad(sp_empty(SP_DIMS(200, 50, 2)));
    double in = 100, out = 400; /* the window counts: 50·2, 200·2 */
#define DRAWN(call, normal, scale)                                                                                     \
    assert_ptr_equal(call, x);                                                                                         \
    assert_drawn(sp_detach(x), normal, scale)
    DRAWN(sp_init_uniform_(x, -3, 3), false, 3);
    DRAWN(sp_init_normal_(x, 0, 2), true, 2);
    DRAWN(sp_init_xavier_uniform_(x), false, sqrt(6 / (in + out)));
    DRAWN(sp_init_xavier_uniform_(x, .gain = 2), false, 2 * sqrt(6 / (in + out)));
    DRAWN(sp_init_xavier_normal_(x), true, sqrt(2 / (in + out)));
    DRAWN(sp_init_kaiming_uniform_(x), false, sqrt(6 / in));
    DRAWN(sp_init_kaiming_uniform_(x, .a = sqrt(5)), false, 1 / sqrt(in));
    DRAWN(sp_init_kaiming_uniform_(x, .nonlinearity = SP_NONLINEARITY_TANH), false, 5.0 / 3 * sqrt(3 / in));
    DRAWN(sp_init_kaiming_normal_(x, .mode = SP_FAN_OUT, .nonlinearity = SP_NONLINEARITY_RELU), true, sqrt(2 / out));
    DRAWN(sp_init_kaiming_normal_(x, .nonlinearity = SP_NONLINEARITY_SIGMOID), true, sqrt(1 / in));
    DRAWN(sp_init_kaiming_normal_(x, .nonlinearity = SP_NONLINEARITY_LINEAR), true, sqrt(1 / in));
#undef DRAWN
    assert_true(sp_is_leaf(x) && sp_needs_grad(x));
    assert_ptr_equal(sp_init_constant_(x, 0.5), x);
    assert_true(sp_item(sp_sum(x)) == 10000);
    sp_init_ones_(x);
    assert_true(sp_item(sp_min(x)) == 1);
    sp_init_zeros_(x);
    assert_true(sp_item(sp_max(x)) == 0);
    assert_close(sp_item(sp_mean(sp_init_normal_(sp_empty(SP_DIMS(10000), .dtype = SP_F64), 5, 1))), 5, 0.05);
    assert_no_error();
}

static void test_init_refuses(void **state)
{
    (void)state;
    sp_tensor *x = sp_zeros(SP_DIMS(3));
    assert_null(sp_init_xavier_uniform_(x));
    assert_error(SP_ERROR_SHAPE,
                 "sp_init_xavier_uniform_: fan in and fan out need a tensor of 2 or more dimensions, got 1");
    assert_null(sp_init_kaiming_normal_(x));
    assert_error(SP_ERROR_SHAPE, "sp_init_kaiming_normal_: fan in");
    assert_null(sp_init_uniform_(x, 2, 1));
    assert_error(SP_ERROR_ARGUMENT, "sp_init_uniform_: low must not be above high, got 2 and 1");
    assert_null(sp_init_normal_(x, 0, -1));
    assert_error(SP_ERROR_ARGUMENT, "sp_init_normal_: std must not be negative, got -1");
    assert_null(sp_init_normal_(sp_vector_i64(1, 2), 0, 1));
    assert_error(SP_ERROR_DTYPE, "sp_init_normal_: x is int64");
    assert_null(sp_init_kaiming_normal_(sp_ones(SP_DIMS(2, 2)), .nonlinearity = (sp_nonlinearity)9));
    assert_error(SP_ERROR_ARGUMENT, "mode 0 or nonlinearity 9 is unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {sp_test(test_init_has_its_moments), sp_test(test_init_refuses)};
    return sp_test_main(tests);
}

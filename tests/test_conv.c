/* Convolutions against PyTorch for shapes drawn at random (tools/fixtures_conv.py), in each layout; what they lie like,
 * what they refuse. */
#include "support/support.h"
#include <spusk/extend.h>
#include <spusk/spusk.h>
#include <spusk/threads.h>
#include <stdio.h>

/* ---- random shapes ---- */

enum { TRANSPOSED, GROUPS, SAME, STRIDE, PADDING = 5, DILATION = 7, EXTRA = 9, COLUMNS = 11 };

static int64_t number(int64_t n)
{
    return n ? n : SP_ZERO;
}

static sp_tensor *convolve(sp_tensor *x, sp_tensor *w, sp_tensor *b, const int64_t *n)
{
    if (n[TRANSPOSED])
        return sp_conv_transpose2d(x, w, b, .groups = n[GROUPS], .stride_hw = {n[STRIDE], n[STRIDE + 1]},
                                   .padding_hw = {number(n[PADDING]), number(n[PADDING + 1])},
                                   .dilation_hw = {n[DILATION], n[DILATION + 1]},
                                   .output_padding_hw = {n[EXTRA], n[EXTRA + 1]});
    return sp_conv2d(x, w, b, .groups = n[GROUPS], .stride_hw = {n[STRIDE], n[STRIDE + 1]},
                     .padding_hw = {n[PADDING], n[PADDING + 1]}, .dilation_hw = {n[DILATION], n[DILATION + 1]},
                     .same = n[SAME] != 0);
}

static sp_tensor *part(const sp_dict *dict, const char *name, int64_t i)
{
    char full[32];
    snprintf(full, sizeof full, "%s.%lld", name, (long long)i);
    return sp_dict_find(dict, full);
}

static void assert_near(sp_tensor *got, sp_tensor *expected, int64_t i, const char *what)
{
    if (!got) fail_msg("case %lld: no %s: %s", (long long)i, what, sp_error_message());
    if (!sp_allclose(sp_detach(got), expected, .rtol = 1e-4, .atol = 1e-5))
        fail_msg("case %lld: the %s is not PyTorch's", (long long)i, what);
}

/* The same values, the dimension `last` (counted from the end) innermost. */
static sp_tensor *innermost(sp_tensor *x, int last)
{
    const int n = sp_ndim(x), d = n + last;
    return sp_transpose(sp_contiguous(sp_transpose(x, d, n - 1)), d, n - 1);
}

static sp_tensor *laid_out(sp_tensor *x, int how)
{
    sp_tensor *y = sp_detach(how == 0 ? x : innermost(x, how == 1 ? -3 : -2));
    return sp_requires_grad(y);
}

static void check_case(const sp_dict *dict, int64_t i, const int64_t *row, int how)
{
    sp_tensor *x = laid_out(part(dict, "x", i), how), *w = laid_out(part(dict, "w", i), how);
    sp_tensor *b = part(dict, "b", i) ? sp_requires_grad(sp_clone(part(dict, "b", i))) : SP_NONE;
    sp_tensor *y = convolve(x, w, b, row);
    if (part(dict, "y", i) && sp_numel(part(dict, "y", i)) == 0) { /* PyTorch refuses some such results, we all */
        assert_null(y);
        assert_error(SP_ERROR_SHAPE, "would become");
        return;
    }
    assert_near(y, part(dict, "y", i), i, "value");
    sp_backward_with(y, part(dict, "h", i));
    assert_near(sp_grad(x), part(dict, "gx", i), i, "gradient of the images");
    assert_near(sp_grad(w), part(dict, "gw", i), i, "gradient of the weight");
    if (b != SP_NONE) assert_near(sp_grad(b), part(dict, "gb", i), i, "gradient of the bias");
}

static void test_random_shapes(void **state)
{
    (void)state;
    sp_dict *dict = sp_load_tensors(SP_TEST_DIR "/fixtures/conv.safetensors");
    sp_tensor *cases = sp_dict_find(dict, "cases");
    const int64_t *rows = sp_const_data(cases), n = sp_size(cases, 0);
    assert_int_equal(sp_size(cases, 1), COLUMNS);
    assert_true(n >= 60);
    for (int64_t i = 0; i < 3 * n; i++)
        SP_SCOPE {
            check_case(dict, i / 3, rows + i / 3 * COLUMNS, (int)(i % 3));
        }
    assert_no_error();
}

/* ---- what they are like ---- */

static void test_results_lie_with_their_channels_innermost(void **state)
{
    (void)state;
    sp_tensor *x = sp_requires_grad(sp_rand(SP_DIMS(2, 3, 6, 5)));
    sp_tensor *w = sp_requires_grad(sp_detach(sp_permute(sp_rand(SP_DIMS(3, 3, 3, 4)), 3, 2, 0, 1)));
    sp_tensor *y = sp_conv2d(x, w, SP_NONE, .padding = 1);
    assert_string_equal(sp_grad_fn_name(y), "ConvolutionBackward0");
    assert_true(sp_is_channels_last(y));
    assert_true(sp_is_channels_last(sp_relu(y)));
    sp_backward(sp_sum(sp_square(y)));
    assert_true(sp_is_contiguous(sp_grad(x)));
    for (int d = 0; d < 4; d++) assert_int_equal(sp_stride(sp_grad(w), d), sp_stride(w, d));
    /* one channel: no difference */
    assert_true(sp_is_contiguous(sp_conv2d(x, sp_rand(SP_DIMS(1, 3, 2, 2)), SP_NONE)));
    assert_true(sp_is_channels_last(sp_conv_transpose2d(x, sp_rand(SP_DIMS(3, 2, 2, 2)), SP_NONE)));
    sp_tensor *one = sp_conv2d(sp_select(x, 0, 0), w, SP_NONE);
    assert_int_equal(sp_ndim(one), 3);
    assert_string_equal(sp_grad_fn_name(one), "SqueezeBackward1");
    assert_no_error();
}

/* conv_transpose2d is the gradient of conv2d: <conv(x), y> = <x, convᵀ(y)>. */
static void test_each_is_the_other_transposed(void **state)
{
    (void)state;
    sp_tensor *x = sp_randn(SP_DIMS(2, 4, 9, 7), .dtype = SP_F64), *w = sp_randn(SP_DIMS(6, 2, 3, 2), .dtype = SP_F64);
    sp_tensor *forward = sp_conv2d(x, w, SP_NONE, .stride = 2, .padding_hw = {1, SP_ZERO}, .groups = 2);
    sp_tensor *y = sp_randn_like(forward);
    sp_tensor *back = sp_conv_transpose2d(y, w, SP_NONE, .stride = 2, .padding_hw = {1, SP_ZERO}, .groups = 2,
                                          .output_padding_hw = {SP_ZERO, 1});
    assert_true(sp_item(sp_sum(sp_mul(forward, y))) != 0);
    assert_close(sp_item(sp_sum(sp_mul(forward, y))), sp_item(sp_sum(sp_mul(x, back))), 1e-9);
}

static sp_tensor *hessian_part(sp_tensor *const *in, void *user)
{
    (void)user;
    sp_tensor *y = sp_conv2d(in[0], in[1], in[2], .padding = 1, .stride = 2);
    return sp_square(y);
}

static void test_gradients_of_gradients(void **state)
{
    (void)state;
    sp_tensor *x = sp_requires_grad(sp_randn(SP_DIMS(2, 2, 4, 5), .dtype = SP_F64));
    sp_tensor *w = sp_requires_grad(sp_randn(SP_DIMS(3, 2, 3, 3), .dtype = SP_F64));
    sp_tensor *b = sp_requires_grad(sp_randn(SP_DIMS(3), .dtype = SP_F64));
    assert_true(sp_gradcheck(hessian_part, SP_LIST(x, w, b), NULL));
    assert_true(sp_gradgradcheck(hessian_part, SP_LIST(x, w, b), NULL));
}

/* ---- what they refuse ---- */

#define REFUSED(status, words, call)                                                                                   \
    assert_null(call);                                                                                                 \
    assert_error(status, words)

static void test_conv2d_refuses(void **state)
{
    (void)state;
    sp_tensor *x = sp_rand(SP_DIMS(2, 4, 5, 6)), *w = sp_rand(SP_DIMS(6, 4, 3, 3)), *none = SP_NONE;
    REFUSED(SP_ERROR_SHAPE, "larger than the padded image, 2 by 6", sp_conv2d(sp_narrow(x, 2, 0, 2), w, none));
    REFUSED(SP_ERROR_SHAPE, "reaches over 7 by 3 places", sp_conv2d(x, w, none, .dilation_hw = {3, 1}));
    REFUSED(SP_ERROR_ARGUMENT, "stride must be 1 or more, not 0 by 0", sp_conv2d(x, w, none, .stride = SP_ZERO));
    REFUSED(SP_ERROR_ARGUMENT, "stride must be 1 or more, not 2 by 0", sp_conv2d(x, w, none, .stride_hw = {2}));
    REFUSED(SP_ERROR_ARGUMENT, "stride must be 1 or more, not -1 by -1", sp_conv2d(x, w, none, .stride = -1));
    REFUSED(SP_ERROR_ARGUMENT, "dilation must be 1 or more", sp_conv2d(x, w, none, .dilation = SP_ZERO));
    REFUSED(SP_ERROR_ARGUMENT, "padding must be 0 or more", sp_conv2d(x, w, none, .padding = -1));
    REFUSED(SP_ERROR_ARGUMENT, "padding", sp_conv2d(x, w, none, .padding = INT64_MAX / 2));
    REFUSED(SP_ERROR_ARGUMENT, "groups must be 1 or more, not 0", sp_conv2d(x, w, none, .groups = SP_ZERO));
    REFUSED(SP_ERROR_SHAPE, "4 groups do not divide the 6 channels", sp_conv2d(x, w, none, .groups = 4));
    REFUSED(SP_ERROR_SHAPE, "in 2 groups takes 8 channels; the images' shape is [2, 4, 5, 6]",
            sp_conv2d(x, w, none, .groups = 2));
    REFUSED(SP_ERROR_SHAPE, "in 1 group takes 4 channels", sp_conv2d(sp_narrow(x, 1, 0, 3), w, none));
    REFUSED(SP_ERROR_SHAPE, "needs images (N, C, H, W) or one (C, H, W), not shape [30]",
            sp_conv2d(sp_rand(SP_DIMS(30)), w, none));
    REFUSED(SP_ERROR_SHAPE, "a weight has four dimensions", sp_conv2d(x, sp_rand(SP_DIMS(6, 4, 3)), none));
    REFUSED(SP_ERROR_SHAPE, "a weight has four dimensions", sp_conv2d(x, sp_rand(SP_DIMS(6, 4, 0, 3)), none));
    REFUSED(SP_ERROR_SHAPE, "a bias for 6 channels has shape [6], not [4]", sp_conv2d(x, w, sp_rand(SP_DIMS(4))));
    REFUSED(SP_ERROR_DTYPE, "images of float32 and a weight of float64", sp_conv2d(x, sp_cast(w, SP_F64), none));
    REFUSED(SP_ERROR_DTYPE, "images of float32 and a bias of float64",
            sp_conv2d(x, w, sp_rand(SP_DIMS(6), .dtype = SP_F64)));
    REFUSED(SP_ERROR_DTYPE, "not for tensors of dtype int64", sp_conv2d(sp_cast(x, SP_I64), sp_cast(w, SP_I64), none));
    REFUSED(SP_ERROR_ARGUMENT, "which a stride does not", sp_conv2d(x, w, none, .same = true, .stride = 2));
    REFUSED(SP_ERROR_ARGUMENT, "two paddings", sp_conv2d(x, w, none, .same = true, .padding = 1));
}

static void test_conv_transpose2d_refuses(void **state)
{
    (void)state;
    sp_tensor *x = sp_rand(SP_DIMS(2, 4, 5, 6)), *w = sp_rand(SP_DIMS(4, 6, 3, 3)), *none = SP_NONE;
    REFUSED(SP_ERROR_SHAPE, "takes 4 channels", sp_conv_transpose2d(sp_narrow(x, 1, 0, 3), w, none));
    REFUSED(SP_ERROR_SHAPE, "3 groups do not divide", sp_conv_transpose2d(x, w, none, .groups = 3));
    REFUSED(SP_ERROR_ARGUMENT, "output_padding must be less than stride or dilation, not 1",
            sp_conv_transpose2d(x, w, none, .output_padding = 1));
    REFUSED(SP_ERROR_ARGUMENT, "output_padding must be 0 or more",
            sp_conv_transpose2d(x, w, none, .output_padding = -1, .stride = 2));
    REFUSED(SP_ERROR_SHAPE, "would become -1 by 0", sp_conv_transpose2d(x, w, none, .padding = 4));
    REFUSED(SP_ERROR_SHAPE, "a bias for 12 channels", sp_conv_transpose2d(x, w, sp_rand(SP_DIMS(6)), .groups = 2));
    REFUSED(SP_ERROR_ARGUMENT, "stride must be 1 or more", sp_conv_transpose2d(x, w, none, .stride = SP_ZERO));
}

/* Forward and both gradients by minimal filtering, whose tasks allocate for themselves. */
static bool filtered_step(void *unused)
{
    (void)unused;
    bool fine = false;
    SP_SCOPE {
        sp_tensor *x = sp_requires_grad(sp_ones(SP_DIMS(1, 136, 6, 9)));
        sp_tensor *w = sp_requires_grad(sp_ones(SP_DIMS(20, 136, 3, 3)));
        sp_tensor *y = sp_conv2d(x, w, SP_NONE, .padding = 1);
        fine = y && sp_backward(sp_sum(sp_square(y))) == SP_OK;
    }
    return fine;
}

static void test_each_allocation_of_a_filtered_step_fails_in_turn(void **state)
{
    (void)state;
    const int threads = sp_num_threads();
    assert_int_equal(sp_set_num_threads(1), SP_OK);
    assert_in_range(support_fail_each_allocation(filtered_step, NULL), 10, 10000);
    sp_set_num_threads(threads);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_random_shapes),
        sp_test(test_results_lie_with_their_channels_innermost),
        sp_test(test_each_is_the_other_transposed),
        sp_test(test_gradients_of_gradients),
        sp_test(test_conv2d_refuses),
        sp_test(test_conv_transpose2d_refuses),
        sp_test(test_each_allocation_of_a_filtered_step_fails_in_turn),
    };
    return sp_test_main(tests);
}

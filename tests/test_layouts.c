/* Where elements lie: dense layouts pass through operators, images with their channels innermost look like others. */
#include "support/support.h"
#include <spusk/extend.h>
#include <spusk/spusk.h>
#include <string.h>

/* (N, C, H, W) with the values of `x`, channels innermost. */
static sp_tensor *channels_last(sp_tensor *x)
{
    sp_tensor *memory = sp_contiguous(sp_permute(x, 0, 2, 3, 1));
    return sp_detach(sp_permute(memory, 0, 3, 1, 2));
}

static sp_tensor *image(void)
{
    sp_tensor *x = channels_last(sp_view(sp_arange(0., 120., 1.), 2, 3, 4, 5));
    assert_non_null(x);
    assert_true(sp_is_channels_last(x));
    return x;
}

static void assert_strides(const sp_tensor *x, sp_dims strides)
{
    assert_non_null(x);
    for (int d = 0; d < strides.n; d++) assert_int_equal(sp_stride(x, d), strides.data[d]);
}

static void test_what_is_channels_last(void **state)
{
    (void)state;
    sp_tensor *x = image();
    assert_true(sp_is_dense(x));
    assert_false(sp_is_contiguous(x));
    assert_true(sp_is_channels_last(sp_select(x, 0, 1)));
    assert_true(sp_is_channels_last(sp_narrow(x, 0, 1, 1)));
    assert_false(sp_is_channels_last(sp_narrow(x, 1, 0, 2)));
    assert_false(sp_is_channels_last(sp_contiguous(x)));
    assert_false(sp_is_channels_last(sp_t(sp_rand(SP_DIMS(2, 3)))));
    /* one channel, or one pixel: both orders are one */
    assert_true(sp_is_contiguous(channels_last(sp_rand(SP_DIMS(2, 1, 3, 3)))));
    assert_false(sp_is_channels_last(channels_last(sp_rand(SP_DIMS(2, 3, 1, 1)))));
    assert_null(sp_data(x));
    assert_error(SP_ERROR_STATE, "not contiguous");
}

/* Each gives a tensor of the shape of its first operand. */
static sp_tensor *elementwise(sp_tensor *x, int which)
{
    sp_tensor *plain = sp_contiguous(x);
    switch (which) {
    case 0: return sp_relu(x);
    case 1: return sp_add(x, plain);
    case 2: return sp_mul_scalar(x, 2);
    case 3: return sp_add(x, sp_rand(SP_DIMS(3, 1, 1)));
    case 4: return sp_add(sp_rand(SP_DIMS(3, 1, 1)), x);
    case 5: return sp_where(sp_gt_scalar(x, 2), x, plain);
    case 6: return sp_clamp(x, 1, 5);
    case 7: return sp_cast(x, SP_F64);
    case 8: return sp_clone(x);
    case 9: return sp_dropout(x, 0.5, true);
    case 10: return sp_gelu(x);
    case 11: return sp_isnan(x);
    case 12: return sp_pow_scalar(x, 2);
    case 13: return sp_masked_fill(x, sp_gt_scalar(plain, 2), 1);
    case 14: return sp_elu(x);
    case 15: return sp_lerp(x, plain, 0.5);
    case 16: return sp_zeros_like(x);
    case 17: return sp_full_like(x, 3);
    case 18: return sp_rand_like(x);
    case 19: return sp_empty_like(x, .dtype = SP_I64);
    case 20: return sp_leaky_relu(x);
    default: return NULL;
    }
}

static void test_element_by_element_keeps_the_layout(void **state)
{
    (void)state;
    sp_tensor *x = image();
    for (int i = 0; i <= 20; i++) {
        sp_tensor *y = elementwise(x, i);
        if (!sp_is_channels_last(y)) fail_msg("case %d loses the layout", i);
        y = elementwise(sp_contiguous(x), i);
        if (!sp_is_contiguous(y)) fail_msg("case %d changes the layout", i);
    }
    assert_true(sp_is_contiguous(sp_add(sp_contiguous(x), x)));
    assert_strides(sp_neg(sp_t(sp_rand(SP_DIMS(2, 3)))), SP_DIMS(1, 3));
    assert_true(sp_is_contiguous(sp_neg(sp_expand(sp_rand(SP_DIMS(1, 3)), 2, 3))));
    assert_true(sp_is_contiguous(sp_neg(sp_narrow(sp_rand(SP_DIMS(3, 3)), 1, 0, 2))));
}

static void test_values_do_not_depend_on_the_layout(void **state)
{
    (void)state;
    sp_tensor *x = image(), *plain = sp_contiguous(x);
    assert_true(sp_equal(x, plain));
    assert_true(sp_equal(sp_mul(x, plain), sp_mul(plain, plain)));
    assert_true(sp_equal(sp_sum_dim(x, 1), sp_sum_dim(plain, 1)));
    assert_true(sp_equal(sp_softmax(x, 1), sp_softmax(plain, 1)));
    assert_true(sp_equal(sp_cumsum(x, 3), sp_cumsum(plain, 3)));
    assert_int_equal(sp_item_i64(sp_argmax(x)), 119);
    sp_manual_seed(3);
    sp_tensor *drawn = sp_randn_like(plain);
    sp_manual_seed(3);
    assert_true(sp_equal(drawn, sp_randn_like(x)));
    float values[120];
    assert_int_equal(sp_copy_out(values, x, sizeof values), SP_OK);
    for (int i = 0; i < 120; i++) assert_close((double)values[i], i, 0);
}

static void test_other_shapes_go_by_the_order_of_indices(void **state)
{
    (void)state;
    sp_tensor *x = image(), *plain = sp_contiguous(x);
    assert_true(sp_equal(sp_view(x, 2, 60), sp_view(plain, 2, 60)));
    assert_true(sp_equal(sp_view(x, -1), sp_view(plain, -1)));
    assert_true(sp_equal(sp_reshape(x, 6, 20), sp_view(plain, 6, 20)));
    assert_true(sp_equal(sp_flatten(x, .start_dim = 1), sp_view(plain, 2, 60)));
    assert_true(sp_equal(sp_unflatten(x, 3, SP_DIMS(5, 1)), sp_view(plain, 2, 3, 4, 5, 1)));
    assert_true(sp_equal(sp_view(sp_select(x, 0, 1), 60), sp_view(sp_select(plain, 0, 1), 60)));
    /* a view where there is one */
    sp_tensor *view = sp_view(x, 2, 3, 20);
    SP_NO_GRAD {
        sp_fill_(view, 7);
    }
    assert_close(sp_item(sp_mean(x)), 7, 0);
    /* other strides still refuse */
    assert_null(sp_view(sp_t(sp_rand(SP_DIMS(2, 3))), 6));
    assert_error(SP_ERROR_SHAPE, "use sp_reshape");
    assert_null(sp_view(x, 7));
    assert_error(SP_ERROR_SHAPE, "[7]");
}

static void test_gradients_lie_as_their_tensors(void **state)
{
    (void)state;
    sp_tensor *x = sp_requires_grad(image());
    sp_backward(sp_sum(sp_mul(x, sp_contiguous(sp_detach(x)))));
    assert_true(sp_is_channels_last(sp_grad(x)));
    assert_true(sp_equal(sp_grad(x), sp_detach(x)));
    sp_backward(sp_sum(sp_flatten(x)));
    assert_true(sp_is_channels_last(sp_grad(x)));
    assert_true(sp_equal(sp_grad(x), sp_add_scalar(sp_detach(x), 1)));
    assert_no_error();
}

/* A part of an image is changed in place; the gradient goes to the right pixels. */
static void test_changes_of_parts(void **state)
{
    (void)state;
    sp_tensor *leaf = sp_requires_grad(image()), *scale = sp_requires_grad(sp_scalar(3));
    sp_tensor *x = sp_mul_scalar(leaf, 1);
    assert_true(sp_is_channels_last(x));
    sp_mul_(sp_select(x, 1, 2), scale);
    sp_tensor *row = sp_select(x, 2, 1);
    sp_backward(sp_add(sp_sum(sp_mul(x, sp_contiguous(sp_detach(leaf)))), sp_sum(row)));
    sp_tensor *expected = sp_clone(sp_detach(leaf));
    sp_add_scalar_(sp_select(expected, 2, 1), 1);
    sp_mul_scalar_(sp_select(expected, 1, 2), 3);
    assert_true(sp_equal(sp_grad(leaf), expected));
    sp_tensor *part = sp_select(sp_detach(leaf), 1, 2);
    const double gradient = sp_item(sp_sum(sp_square(part))) + sp_item(sp_sum(sp_select(part, 1, 1)));
    assert_close(sp_item(sp_grad(scale)), gradient, 0.01 * gradient * 1e-3);
    assert_no_error();
}

static void test_a_part_of_what_has_gaps(void **state)
{
    (void)state;
    sp_tensor *gaps = sp_detach(sp_narrow(sp_rand(SP_DIMS(3, 4)), 1, 0, 2));
    sp_tensor *scale = sp_requires_grad(sp_scalar(2));
    assert_null(sp_mul_(sp_select(gaps, 0, 1), scale));
    assert_error(SP_ERROR_STATE, "gaps");
}

/* Both ways, at sizes with whole blocks and ends, in every width of an element. */
static void test_rearranging_copies(void **state)
{
    (void)state;
    static const int64_t sizes[][4] = {{2, 64, 12, 12}, {3, 3, 7, 9},     {1, 17, 33, 5},
                                       {4, 2, 1, 3},    {1, 300, 200, 1}, {5, 16, 4, 4}};
    static const sp_dtype dtypes[] = {SP_F32, SP_F64, SP_BF16, SP_I64, SP_I32, SP_U8, SP_BOOL};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (size_t t = 0; t < sizeof dtypes / sizeof *dtypes; t++)
            SP_SCOPE {
                const sp_dims dims = {sizes[s], 4};
                sp_tensor *x = sp_cast(sp_randint(0, 200, dims), dtypes[t]);
                sp_tensor *y = channels_last(x), *back = sp_contiguous(y);
                const char *const bytes = sp_const_data(x), *const copied = sp_const_data(back);
                assert_memory_equal(bytes, copied, (size_t)sp_numel(x) * sp_dtype_size(dtypes[t]));
                const int64_t c = sizes[s][1] - 1, h = sizes[s][2] / 2, w = sizes[s][3] - 1;
                sp_tensor *one = sp_select(sp_select(sp_select(sp_select(y, 0, 0), 0, c), 0, h), 0, w);
                const int64_t at = (c * sizes[s][2] + h) * sizes[s][3] + w;
                assert_close(sp_item(one), sp_item(sp_select(sp_view(x, -1), 0, at)), 0);
            }
    assert_no_error();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_what_is_channels_last),
        sp_test(test_element_by_element_keeps_the_layout),
        sp_test(test_values_do_not_depend_on_the_layout),
        sp_test(test_other_shapes_go_by_the_order_of_indices),
        sp_test(test_gradients_lie_as_their_tensors),
        sp_test(test_changes_of_parts),
        sp_test(test_a_part_of_what_has_gaps),
        sp_test(test_rearranging_copies),
    };
    return sp_test_main(tests);
}

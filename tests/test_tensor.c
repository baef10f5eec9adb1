/* Tensors: creation, questions, values in and out, element types, lists; and views. */
#include "support/support.h"
#include <math.h>
#include <spusk/autograd.h>
#include <spusk/spusk.h>
#include <string.h>

static void assert_values(sp_tensor *x, int64_t n, const double *expected)
{
    assert_non_null(x);
    assert_int_equal(sp_numel(x), n);
    sp_tensor *flat = sp_reshape(sp_cast(x, SP_F64), -1);
    for (int64_t i = 0; i < n; i++) assert_close(sp_item(sp_select(flat, 0, i)), expected[i], 1e-6);
}
#define assert_tensor(x, ...)                                                                                          \
    assert_values(x, (int64_t)(sizeof((double[]){__VA_ARGS__}) / sizeof(double)), (double[]){__VA_ARGS__})

static void assert_shape_is(sp_tensor *x, sp_dims dims)
{
    assert_non_null(x);
    assert_int_equal(sp_ndim(x), dims.n);
    for (int d = 0; d < dims.n; d++) assert_int_equal(sp_size(x, d), dims.data[d]);
}
#define assert_shape(x, ...) assert_shape_is(x, SP_DIMS(__VA_ARGS__))

/* ---- creation ---- */

static void test_constants(void **state)
{
    (void)state;
    assert_tensor(sp_zeros(SP_DIMS(2, 1)), 0, 0);
    assert_tensor(sp_ones(SP_DIMS(2), .dtype = SP_I32), 1, 1);
    assert_tensor(sp_full(SP_DIMS(), 2.5), 2.5);
    assert_int_equal(sp_dtype_of(sp_full(SP_DIMS(2), 3)), SP_I64);
    assert_int_equal(sp_dtype_of(sp_full(SP_DIMS(2), 3.)), SP_F32);
    assert_tensor(sp_full(SP_DIMS(2), 2.5, .dtype = SP_BOOL), 1, 1);
    assert_tensor(sp_full(SP_DIMS(2), -2.7, .dtype = SP_I32), -2, -2);
    assert_int_equal(sp_item_i64(sp_full(SP_DIMS(), INT64_MAX)), INT64_MAX);
    assert_null(sp_full(SP_DIMS(2), 256, .dtype = SP_U8));
    assert_error(SP_ERROR_ARGUMENT, "does not fit into uint8");
    assert_tensor(sp_eye(2, 3), 1, 0, 0, 0, 1, 0);
    assert_shape(sp_empty(SP_DIMS(0, 3)), 0, 3);
}

static void test_sequences(void **state)
{
    (void)state;
    sp_tensor *whole = sp_arange(1, 8, 3);
    assert_int_equal(sp_dtype_of(whole), SP_I64);
    assert_tensor(whole, 1, 4, 7);
    assert_int_equal(sp_dtype_of(sp_arange(0, 1, 0.25)), SP_F32);
    assert_tensor(sp_arange(0, 1, 0.25), 0, 0.25, 0.5, 0.75);
    assert_tensor(sp_arange(3, 0, -1, .dtype = SP_F64), 3, 2, 1);
    assert_shape(sp_arange(3, 3, 1), 0);
    assert_null(sp_arange(0, 3, 0));
    assert_error(SP_ERROR_ARGUMENT, "step");
    assert_null(sp_arange(0, 3, -1));
    assert_error(SP_ERROR_ARGUMENT, "step");
    assert_tensor(sp_linspace(0, 1, 5), 0, 0.25, 0.5, 0.75, 1);
    assert_tensor(sp_linspace(3, 9, 1), 3);
    assert_shape(sp_linspace(0, 1, 0), 0);
    assert_null(sp_linspace(0, 1, -1));
    assert_error(SP_ERROR_ARGUMENT, "-1");
}

static void test_random_numbers_repeat_and_differ(void **state)
{
    (void)state;
    sp_manual_seed(7);
    sp_tensor *a = sp_rand(SP_DIMS(1000)), *b = sp_rand(SP_DIMS(1000));
    sp_manual_seed(7);
    assert_true(sp_equal(a, sp_rand(SP_DIMS(1000))));
    assert_false(sp_equal(a, b));
    assert_true(sp_item(sp_min(a)) >= 0 && sp_item(sp_max(a)) < 1);
    assert_close(sp_item(sp_mean(a)), 0.5, 0.05);
    sp_tensor *normal = sp_randn(SP_DIMS(10000), .dtype = SP_F64);
    assert_close(sp_item(sp_mean(normal)), 0, 0.05);
    assert_close(sp_item(sp_std(normal)), 1, 0.05);
    sp_tensor *dice = sp_randint(1, 7, SP_DIMS(600));
    assert_int_equal(sp_item_i64(sp_min(dice)), 1);
    assert_int_equal(sp_item_i64(sp_max(dice)), 6);
    assert_int_equal(sp_item_i64(sp_sum(sp_randperm(100))), 4950);
    assert_null(sp_randint(3, 3, SP_DIMS(2)));
    assert_error(SP_ERROR_ARGUMENT, "low");
    assert_null(sp_rand(SP_DIMS(2), .dtype = SP_I64));
    assert_error(SP_ERROR_DTYPE, "floating");
}

static void test_likes_follow_shape_and_dtype(void **state)
{
    (void)state;
    sp_tensor *x = sp_zeros(SP_DIMS(2, 3), .dtype = SP_F64);
    assert_int_equal(sp_dtype_of(sp_rand_like(x)), SP_F64);
    assert_int_equal(sp_dtype_of(sp_ones_like(x, .dtype = SP_U8)), SP_U8);
    assert_shape(sp_full_like(x, 4), 2, 3);
    assert_true(sp_needs_grad(sp_randn_like(x, .requires_grad = true)));
    assert_null(sp_zeros_like(x, .dtype = SP_I64, .requires_grad = true));
    assert_error(SP_ERROR_DTYPE, "int64");
}

static void test_shapes_that_cannot_be(void **state)
{
    (void)state;
    assert_null(sp_zeros(SP_DIMS(2, -3)));
    assert_error(SP_ERROR_SHAPE, "negative");
    assert_null(sp_zeros(SP_DIMS(1, 1, 1, 1, 1, 1, 1, 1, 1)));
    assert_error(SP_ERROR_SHAPE, "at most 8");
    assert_null(sp_zeros(SP_DIMS(INT64_MAX, 2)));
    assert_error(SP_ERROR_MEMORY, "does not fit");
    assert_null(sp_zeros(SP_DIMS(2), .dtype = (sp_dtype)99));
    assert_error(SP_ERROR_DTYPE, "99");
    assert_shape(sp_zeros(SP_DIMS(1, 2, 1, 2, 1, 2, 1, 2)), 1, 2, 1, 2, 1, 2, 1, 2);
}

/* ---- values ---- */

static void test_data_goes_in_and_out(void **state)
{
    (void)state;
    const float data[] = {1, 2, 3, 4, 5, 6};
    sp_tensor *x = sp_from_data(data, SP_DIMS(2, 3)), *t = sp_t(x);
    float out[6];
    assert_int_equal(sp_copy_out(out, t, sizeof out), SP_OK);
    assert_true(out[1] == 4 && out[2] == 2);
    assert_int_equal(sp_copy_in(t, data, sizeof data), SP_OK);
    assert_tensor(x, 1, 3, 5, 2, 4, 6);
    assert_int_not_equal(sp_copy_out(out, x, 8), SP_OK);
    assert_error(SP_ERROR_ARGUMENT, "24 bytes, not 8");
    assert_ptr_equal(sp_data(x), sp_const_data(x));
    assert_null(sp_data(t));
    assert_error(SP_ERROR_STATE, "sp_contiguous");
    assert_non_null(sp_data(sp_zeros(SP_DIMS(0))));
}

static void test_items(void **state)
{
    (void)state;
    assert_int_equal(sp_item_i64(sp_scalar_i64((INT64_C(1) << 53) + 1)), (INT64_C(1) << 53) + 1);
    assert_close(sp_item(sp_cast(sp_scalar(1.5), SP_BF16)), 1.5, 0);
    assert_true(isnan(sp_item(sp_vector(1, 2))));
    assert_error(SP_ERROR_SHAPE, "[2]");
    assert_true(isnan(sp_item(NULL)));
    assert_error(SP_ERROR_NULL, "sp_item");
    assert_int_equal(sp_size(NULL, 0), 0);
    assert_error(SP_ERROR_NULL, "sp_size");
}

static void test_promotion(void **state)
{
    (void)state;
    const struct {
        sp_dtype a, b, result;
    } cases[] = {{SP_BOOL, SP_U8, SP_U8},   {SP_U8, SP_I32, SP_I32},  {SP_I64, SP_BF16, SP_BF16},
                 {SP_BF16, SP_F32, SP_F32}, {SP_F32, SP_F64, SP_F64}, {SP_I32, SP_I64, SP_I64}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sp_tensor *a = sp_ones(SP_DIMS(2), .dtype = cases[i].a), *b = sp_ones(SP_DIMS(2), .dtype = cases[i].b);
        assert_int_equal(sp_dtype_of(sp_mul(a, b)), cases[i].result);
        assert_int_equal(sp_dtype_of(sp_mul(b, a)), cases[i].result);
    }
    sp_tensor *f32 = sp_ones(SP_DIMS(2)), *i32 = sp_ones(SP_DIMS(2), .dtype = SP_I32);
    assert_int_equal(sp_dtype_of(sp_mul(f32, sp_ones(SP_DIMS(), .dtype = SP_F64))), SP_F32);
    assert_int_equal(sp_dtype_of(sp_mul(i32, sp_ones(SP_DIMS(), .dtype = SP_BF16))), SP_BF16);
    assert_int_equal(sp_dtype_of(sp_add_scalar(i32, 1)), SP_F32);
    assert_int_equal(sp_dtype_of(sp_add_int(i32, 1)), SP_I32);
    assert_int_equal(sp_dtype_of(sp_add_int(sp_ones(SP_DIMS(1), .dtype = SP_BOOL), 1)), SP_I64);
}

static void test_lists_hold_and_refuse(void **state)
{
    (void)state;
    sp_tensor *a = sp_scalar(1);
    sp_list *list = SP_LIST(a, sp_scalar(2));
    sp_release(a);
    assert_int_equal(sp_list_length(list), 2);
    assert_close(sp_item(sp_list_get(list, 0)), 1, 0);
    assert_close(sp_item(sp_list_get(list, -1)), 2, 0);
    assert_null(sp_list_get(list, 2));
    assert_error(SP_ERROR_ARGUMENT, "entry 2");
    assert_null(SP_LIST(sp_scalar(1), NULL, sp_scalar(2)));
    assert_error(SP_ERROR_NULL, "entry");
}

/* ---- views ---- */

static sp_tensor *counted(int64_t rows, int64_t columns)
{
    return (sp_view)(sp_arange(0., (double)(rows * columns), 1), SP_DIMS(rows, columns));
}

static void test_views_share_memory(void **state)
{
    (void)state;
    sp_tensor *x = counted(2, 3);
    sp_fill_(sp_select(x, 0, 1), 9);
    sp_fill_(sp_slice(x, 1, 0, SP_END, 2), 7);
    assert_tensor(x, 7, 1, 7, 7, 9, 7);
    assert_tensor(sp_view(x, 3, -1), 7, 1, 7, 7, 9, 7);
    assert_tensor(sp_permute(x, 1, 0), 7, 7, 1, 9, 7, 7);
    assert_tensor(sp_expand(sp_vector(1, 2), 2, 2), 1, 2, 1, 2);
    assert_shape(sp_flatten(sp_zeros(SP_DIMS(2, 3, 4)), .start_dim = 1), 2, 12);
    assert_shape(sp_flatten(sp_zeros(SP_DIMS(2, 3, 4)), .end_dim = SP_ZERO), 2, 3, 4);
    assert_shape(sp_flatten(sp_scalar(1)), 1);
    assert_shape(sp_unflatten(sp_zeros(SP_DIMS(2, 12)), -1, SP_DIMS(3, -1)), 2, 3, 4);
    assert_shape(sp_unsqueeze(x, -1), 2, 3, 1);
    assert_shape(sp_squeeze(sp_zeros(SP_DIMS(1, 3, 1))), 3);
    assert_shape(sp_narrow(x, 0, -1, 1), 1, 3);
}

static void test_views_that_cannot_be(void **state)
{
    (void)state;
    sp_tensor *x = counted(2, 3);
    assert_null(sp_view(sp_t(x), 6));
    assert_error(SP_ERROR_SHAPE, "sp_reshape");
    assert_tensor(sp_reshape(sp_t(x), 6), 0, 3, 1, 4, 2, 5);
    assert_null(sp_view(x, 4, -1));
    assert_error(SP_ERROR_SHAPE, "6 elements");
    assert_null(sp_view(x, -1, -1));
    assert_error(SP_ERROR_SHAPE, "-1");
    assert_null(sp_view(sp_zeros(SP_DIMS(0)), 0, -1));
    assert_error(SP_ERROR_SHAPE, "[0, -1]");
    assert_null(sp_permute(x, 0, 0));
    assert_error(SP_ERROR_SHAPE, "no order");
    assert_null(sp_transpose(x, 0, 2));
    assert_error(SP_ERROR_SHAPE, "between -2 and 1");
    assert_null(sp_select(x, 1, 3));
    assert_error(SP_ERROR_ARGUMENT, "index 3");
    assert_null(sp_narrow(x, 0, 1, 2));
    assert_error(SP_ERROR_ARGUMENT, "2 entries from 1");
    assert_null(sp_slice(x, 0, 0, 1, 0));
    assert_error(SP_ERROR_ARGUMENT, "step");
    assert_null(sp_expand(x, 3, 3));
    assert_error(SP_ERROR_SHAPE, "expanded");
    assert_null(sp_select(sp_scalar(1), 0, 0));
    assert_error(SP_ERROR_SHAPE, "without dimensions");
}

static void test_parts_in_lists(void **state)
{
    (void)state;
    sp_tensor *x = sp_arange(0, 7, 1);
    assert_int_equal(sp_list_length(sp_chunk(x, 3, 0)), 3);
    assert_tensor(sp_list_get(sp_chunk(x, 3, 0), -1), 6);
    assert_int_equal(sp_list_length(sp_split(x, 2, 0)), 4);
    assert_tensor(sp_list_get(sp_split_sizes(x, SP_DIMS(1, 4, 2), 0), 1), 1, 2, 3, 4);
    assert_int_equal(sp_list_length(sp_unbind(x, 0)), 7);
    assert_tensor(sp_cat(sp_split(x, 3, 0), 0), 0, 1, 2, 3, 4, 5, 6);
    assert_int_equal(sp_list_length(sp_split(sp_zeros(SP_DIMS(0)), 2, 0)), 1);
    assert_null(sp_split_sizes(x, SP_DIMS(1, 4), 0));
    assert_error(SP_ERROR_ARGUMENT, "sum to 7");
    assert_null(sp_chunk(x, 0, 0));
    assert_error(SP_ERROR_ARGUMENT, "chunks");
}

static void test_joining(void **state)
{
    (void)state;
    sp_list *many = sp_list_new(NULL, 0);
    for (int i = 0; i < 300; i++) sp_list_append(many, sp_full(SP_DIMS(1), i));
    assert_true(sp_equal(sp_cat(many, 0), sp_arange(0, 300, 1)));
    assert_shape(sp_stack(many, 1), 1, 300);
    assert_null(sp_cat(SP_LIST(counted(2, 3), counted(3, 2)), 0));
    assert_error(SP_ERROR_SHAPE, "[2, 3]");
    assert_null(sp_stack(SP_LIST(counted(2, 3), counted(3, 2)), 0));
    assert_error(SP_ERROR_SHAPE, "differ");
    assert_null(sp_cat(SP_LIST(sp_scalar(1)), 0));
    assert_error(SP_ERROR_SHAPE, "sp_stack");
    assert_null(sp_cat(sp_list_new(NULL, 0), 0));
    assert_error(SP_ERROR_ARGUMENT, "empty");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_constants),
        sp_test(test_sequences),
        sp_test(test_random_numbers_repeat_and_differ),
        sp_test(test_likes_follow_shape_and_dtype),
        sp_test(test_shapes_that_cannot_be),
        sp_test(test_data_goes_in_and_out),
        sp_test(test_items),
        sp_test(test_promotion),
        sp_test(test_lists_hold_and_refuse),
        sp_test(test_views_share_memory),
        sp_test(test_views_that_cannot_be),
        sp_test(test_parts_in_lists),
        sp_test(test_joining),
    };
    return sp_test_main(tests);
}

/* Sizes that do not fit, numbers that no integer holds, windows far larger than what they look at, and lists that are
 * NULL but not empty: each refused with a sentence that names it, or right. */
#include "support/support.h"
#include <math.h>
#include <spusk/extend.h>
#include <spusk/spusk.h>
#include <string.h>
#include <unistd.h>

static const int64_t huge = INT64_C(1) << 40;

static void test_helpers_stay_at_the_end_of_their_range(void **state)
{
    (void)state;
    assert_true(sp_size_add(INT64_MAX, 1) == INT64_MAX && sp_size_add(INT64_MIN, -1) == INT64_MIN);
    assert_true(sp_size_add(INT64_MAX, INT64_MIN) == -1 && sp_size_add(-2, 5) == 3);
    assert_true(sp_size_mul(huge, huge) == INT64_MAX && sp_size_mul(huge, 3) == 3 * huge);
    assert_true(sp_size_mul(0, INT64_MAX) == 0 && sp_size_mul(-1, 3) == 0);
    assert_true(sp_size_bytes(INT64_MAX, 8) == SIZE_MAX && sp_size_bytes(3, 8) == 24 && sp_size_bytes(-1, 8) == 0);
    assert_true(sp_size_of_number(1e300) == INT64_MAX && sp_size_of_number((double)-INFINITY) == INT64_MIN);
    assert_true(sp_size_of_number((double)NAN) == 0 && sp_size_of_number(-2.9) == -2);
}

static void test_tensors_too_large(void **state)
{
    (void)state;
    assert_refuses(SP_ERROR_MEMORY, "[0, 1099511627776, 1099511627776] does not fit", sp_zeros(SP_DIMS(0, huge, huge)));
    assert_refuses(SP_ERROR_MEMORY, "does not fit", sp_empty(SP_DIMS(INT64_MAX)));
    assert_refuses(SP_ERROR_MEMORY, "does not fit", sp_eye(huge, huge));
    assert_refuses(SP_ERROR_ARGUMENT, "0 values for 4294967296 rows",
                   (sp_matrix)(INT64_C(1) << 32, INT64_C(1) << 32, NULL, 0));
    assert_refuses(SP_ERROR_ARGUMENT, "dims is a list of -1 numbers", (sp_zeros)((sp_dims){NULL, -1}, NULL));
    assert_refuses(SP_ERROR_MEMORY, "does not fit", sp_expand(sp_ones(SP_DIMS(1)), huge, huge));
    sp_tensor *x = sp_ones(SP_DIMS(2, 2, 4));
    assert_refuses(SP_ERROR_ARGUMENT, "no tensor has room for a padding of 9223372036854775807",
                   sp_pad(x, SP_DIMS(INT64_MAX, INT64_MAX)));
    assert_refuses(SP_ERROR_MEMORY, "does not fit", sp_pad(x, SP_DIMS(INT64_MAX / 16, INT64_MAX / 16)));
    assert_refuses(SP_ERROR_MEMORY, "does not fit", sp_pad(x, SP_DIMS(INT64_MAX / 16, 2), .mode = SP_PAD_REPLICATE));
    assert_refuses(SP_ERROR_ARGUMENT, "of nothing at most", sp_chunk(sp_ones(SP_DIMS(0)), huge, 0));
    assert_refuses(SP_ERROR_MEMORY, "does not fit", sp_view(sp_ones(SP_DIMS(0)), 0, INT64_MAX, 2));
    assert_refuses(SP_ERROR_NULL, "'dims' is NULL", (sp_sum_dims)(x, (sp_dims){NULL, 2}, NULL));
}

/* A step beyond the end finds one element, and its stride cannot be what a step of 2^63 would make of it. */
static void test_steps_beyond_the_end(void **state)
{
    (void)state;
    sp_tensor *x = sp_reshape(sp_requires_grad(sp_arange(0., 12., 1.)), 4, 3),
              *y = sp_slice(x, 0, 1, SP_END, INT64_MAX);
    assert_int_equal(sp_size(y, 0), 1);
    assert_int_equal(sp_item_i64(sp_select(sp_select(y, 1, 2), 0, 0)), 5);
    assert_int_equal(sp_stride(sp_unsqueeze(y, 0), 0), 3 * 4);
    assert_true(
        sp_equal(sp_slice(x, 0, 0, SP_END, 3), sp_cat(SP_LIST(sp_narrow(x, 0, 0, 1), sp_narrow(x, 0, 3, 1)), 0)));
    assert_int_equal(sp_backward(sp_sum(sp_clone(y))), SP_OK);
    assert_no_error();
}

/* ---- windows ---- */

static void test_options_of_windows(void **state)
{
    (void)state;
    sp_tensor *x = sp_ones(SP_DIMS(1, 1, 4, 4)), *w = sp_ones(SP_DIMS(1, 1, 3, 3));
    assert_refuses(SP_ERROR_ARGUMENT, "dilation of 9223372036854775807", sp_max_pool2d(x, 2, .dilation = INT64_MAX));
    assert_refuses(SP_ERROR_ARGUMENT, "stride of", sp_max_pool2d(x, 2, .stride = INT64_MAX));
    assert_refuses(SP_ERROR_ARGUMENT, "kernel's size of", sp_avg_pool2d(x, INT64_MAX));
    assert_refuses(SP_ERROR_ARGUMENT, "output_size of 1099511627776", sp_adaptive_avg_pool2d(x, huge));
    assert_refuses(SP_ERROR_MEMORY, "does not fit", sp_adaptive_avg_pool2d(x, INT32_MAX));
    assert_refuses(SP_ERROR_ARGUMENT, "padding of", sp_conv2d(x, w, SP_NONE, .padding = INT64_MAX));
    assert_refuses(SP_ERROR_ARGUMENT, "dilation of", sp_conv_transpose2d(x, w, SP_NONE, .dilation = huge));
    assert_refuses(SP_ERROR_MEMORY, "does not fit", sp_conv_transpose2d(x, w, SP_NONE, .stride = INT32_MAX));
    assert_refuses(SP_ERROR_MEMORY, "does not fit", sp_interpolate(x, .output_size = INT64_MAX));
    sp_tensor *wide = sp_expand(sp_ones(SP_DIMS(1, 1, 1, 3)), 1, 1, huge, 3);
    assert_refuses(SP_ERROR_SHAPE, "larger than the padded image", sp_conv2d(x, wide, SP_NONE, .dilation = INT32_MAX));
    assert_refuses(SP_ERROR_MEMORY, "does not fit", sp_conv_transpose2d(x, wide, SP_NONE, .dilation = INT32_MAX));
}

/* Nothing is in these results, so that what would be prepared for each of their places is not. */
static void test_huge_results_of_nothing(void **state)
{
    (void)state;
    sp_tensor *x = sp_ones(SP_DIMS(0, 1, 4, 4), .requires_grad = true);
    sp_tensor *pooled = sp_adaptive_avg_pool2d(x, 1 << 29), *sized = sp_interpolate(x, .output_size = 1 << 29);
    assert_int_equal(sp_size(pooled, 3), 1 << 29);
    assert_int_equal(sp_size(sized, 2), 1 << 29);
    assert_int_equal(sp_backward(sp_add(sp_sum(pooled), sp_sum(sized))), SP_OK);
    assert_no_error();
}

/* Every window of this kernel holds the whole image: by its own size it would be looked through for days. */
static void check_clipped(sp_dtype dtype, int64_t channels)
{
    enum { SIDE = 24, KERNEL = (1 << 20) + 1 };
    sp_tensor *numbers = sp_reshape(sp_arange(0., (double)(channels * SIDE * SIDE), 1.), 1, channels, SIDE, SIDE);
    sp_tensor *x = sp_requires_grad(sp_detach(sp_cast(numbers, dtype)));
    sp_values_indices y = sp_max_pool2d_with_indices(x, KERNEL, .stride = 1, .padding = KERNEL / 2);
    sp_tensor *mean = sp_avg_pool2d(x, KERNEL, .stride = 1, .padding = KERNEL / 2, .exclude_pad = true);
    assert_int_equal(sp_size(y.values, 3), SIDE);
    assert_int_equal(sp_item_i64(sp_min(y.indices)), SIDE * SIDE - 1);
    assert_true(sp_equal(sp_amin_dims(y.values, SP_DIMS(2, 3)), sp_amax_dims(x, SP_DIMS(2, 3))));
    assert_true(sp_equal(mean, sp_expand(sp_slice(sp_slice(mean, 2, 0, 1, 1), 3, 0, 1, 1), 1, channels, SIDE, SIDE)));
    assert_int_equal(sp_backward(sp_sum(y.values)), SP_OK);
    assert_close(sp_item(sp_amax(sp_grad(x))), SIDE * SIDE, 0);
    assert_close(sp_item(sp_sum(sp_grad(x))), (double)(channels * SIDE * SIDE), 0);
}

static void test_windows_are_clipped_to_the_image(void **state)
{
    (void)state;
    alarm(100); /* the program ends there, where a second is enough */
    check_clipped(SP_F32, 1);
    check_clipped(SP_F64, 1);
    check_clipped(SP_F32, 8);
    assert_no_error();
    alarm(0);
}

/* A window's places count from the first inside: with padding, dilation and strides, PyTorch's indices. */
static void test_places_of_padded_windows(void **state)
{
    (void)state;
    sp_tensor *x = sp_reshape(sp_arange(0., 25., 1.), 1, 1, 5, 5);
    sp_tensor *most = sp_max_pool2d_with_indices(x, 2, .stride = 2, .padding = 1, .dilation = 2).indices;
    sp_tensor *least = sp_max_pool2d_with_indices(sp_neg(x), 2, .stride = 2, .padding = 1, .dilation = 2).indices;
    assert_true(sp_equal(most, sp_reshape(sp_vector_i64(6, 8, 8, 16, 18, 18, 16, 18, 18), 1, 1, 3, 3)));
    assert_true(sp_equal(least, sp_reshape(sp_vector_i64(6, 6, 8, 6, 6, 8, 16, 16, 18), 1, 1, 3, 3)));
    assert_no_error();
}

/* ---- messages name the limit and the function ---- */

static void test_messages_name_the_limit(void **state)
{
    (void)state;
    assert_refuses(SP_ERROR_ARGUMENT, "sp_linspace: the number of steps must not be negative (it is -1)",
                   sp_linspace(0, 1, -1));
    assert_refuses(SP_ERROR_MEMORY, "does not fit", sp_linspace(0, 1, INT64_MAX));
    assert_refuses(SP_ERROR_ARGUMENT, "sp_one_hot: 2305843009213693952 classes are too many",
                   sp_one_hot(sp_vector_i64(1, 2), INT64_C(1) << 61));
}

/* ---- layers ---- */

static void test_layers_too_large(void **state)
{
    (void)state;
    assert_refuses(SP_ERROR_MEMORY, "does not fit", sp_nn_conv2d(INT64_MAX, 1, 3));
    assert_refuses(SP_ERROR_MEMORY, "does not fit", sp_nn_linear(huge, huge));
    assert_refuses(SP_ERROR_MEMORY, "does not fit", sp_nn_embedding(INT64_MAX, 1));
    assert_refuses(SP_ERROR_MEMORY, "does not fit", sp_nn_batch_norm1d(INT64_MAX));
    assert_refuses(SP_ERROR_MEMORY, "does not fit", sp_nn_layer_norm(SP_DIMS(INT64_MAX)));
    sp_tensor *image = sp_ones(SP_DIMS(1, 1, 4, 4));
    sp_module *const modules[] = {
        sp_nn_unflatten(1, SP_DIMS(INT64_MAX)),
        sp_nn_upsample(.output_size = INT64_MAX),
        sp_nn_adaptive_avg_pool2d(INT64_MAX),
        sp_nn_zero_pad2d(INT64_MAX),
        sp_nn_max_pool2d(INT64_MAX),
        sp_nn_avg_pool2d(2, .stride = INT64_MAX),
        sp_nn_layer_norm(SP_DIMS(INT64_MAX), .no_affine = true),
    };
    for (size_t i = 0; i < sizeof modules / sizeof *modules; i++) {
        assert_non_null(modules[i]);
        assert_null(sp_forward(modules[i], image));
        assert_true(sp_error_clear() != SP_OK);
    }
    const sp_attribute dim = {.name = "dim", .kind = SP_ATTRIBUTE_INT, .integer = huge};
    sp_module *softmax = sp_module_build("Softmax", &dim, 1);
    if (softmax) assert_null(sp_forward(softmax, sp_ones(SP_DIMS(2))));
    assert_true(sp_error_clear() != SP_OK);
}

/* ---- numbers as integers ---- */

static void test_numbers_that_do_not_fit(void **state)
{
    (void)state;
    sp_tensor *x = sp_ones(SP_DIMS(2), .dtype = SP_I64);
    assert_true(sp_item_i64(sp_select(sp_full(SP_DIMS(2), 9.22e18, .dtype = SP_I64), 0, 0)) == (int64_t)9.22e18);
    const double numbers[] = {1e300, -1e300, (double)NAN, (double)INFINITY, 0x1p63};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        assert_refuses(SP_ERROR_ARGUMENT, "does not fit", sp_full(SP_DIMS(2), numbers[i], .dtype = SP_I64));
        assert_refuses(SP_ERROR_ARGUMENT, "does not fit", sp_pad(x, SP_DIMS(1, 1), .value = numbers[i]));
        assert_refuses(SP_ERROR_ARGUMENT, "does not fit", sp_fill_(x, numbers[i]));
        assert_refuses(SP_ERROR_ARGUMENT, "does not fit", sp_masked_fill(x, sp_eq_int(x, 1), numbers[i]));
    }
    sp_tensor *y = sp_pad(sp_ones(SP_DIMS(1)), SP_DIMS(1, 0), .value = 1e300);
    assert_true(isinf(sp_item(sp_select(y, 0, 0))));
    sp_tensor *truth = sp_pad(sp_ones(SP_DIMS(1), .dtype = SP_BOOL), SP_DIMS(1, 0), .value = 0.5);
    assert_int_equal(sp_item_i64(sp_select(truth, 0, 0)), 1);
    assert_no_error();
}

/* ---- pointers and lengths ---- */

static void test_null_with_a_length(void **state)
{
    (void)state;
    sp_tensor *x = sp_ones(SP_DIMS(2));
    sp_module *m = sp_nn_linear(1, 1);
#define NEEDS(name, call)                                                                                              \
    (void)(call);                                                                                                      \
    assert_error(SP_ERROR_NULL, name)
    NEEDS("sp_to_string: argument 'buffer'", sp_to_string(x, NULL, 10));
    NEEDS("sp_module_to_string: argument 'buffer'", sp_module_to_string(m, NULL, 10));
#if SP_HAVE_JANSSON
    NEEDS("sp_module_to_json: argument 'buffer'", sp_module_to_json(m, NULL, 10));
    NEEDS("sp_load_metadata: argument 'buffer'", sp_load_metadata("none", "key", NULL, 10));
    NEEDS("sp_load_metadata_key: argument 'buffer'", sp_load_metadata_key("none", 0, NULL, 10));
    assert_true(sp_module_to_json(m, NULL, 0) > 0);
#endif
    NEEDS("sp_copy_out", sp_copy_out(NULL, x, 8));
    NEEDS("sp_copy_in", sp_copy_in(x, NULL, 8));
    NEEDS("sp_from_data", (sp_from_data)(NULL, SP_DIMS(2), NULL));
    NEEDS("sp_vector", (sp_vector)(NULL, 2));
    NEEDS("sp_list_new", sp_list_new(NULL, 2));
    assert_true(sp_to_string(x, NULL, 0) > 0 && sp_module_to_string(m, NULL, 0) > 0);
    assert_refuses(SP_ERROR_ARGUMENT, "-1 attributes", sp_module_build("ReLU", NULL, -1));
    assert_no_error();
#undef NEEDS
}

/* ---- data ---- */

static int64_t endless(void *self)
{
    (void)self;
    return INT64_C(1) << 61;
}

static sp_example nothing(void *self, int64_t index)
{
    (void)self, (void)index;
    return (sp_example){sp_ones(SP_DIMS(1)), sp_scalar_i64(0)};
}

/* The bytes of so many numbers are 2^64, which is 0. */
static void test_data_sets_too_long(void **state)
{
    (void)state;
    const sp_dataset_class class = {.size = sizeof class, .length = endless, .get = nothing};
    sp_dataset *dataset = sp_data_new(&class, NULL);
    assert_refuses(SP_ERROR_MEMORY, "out of memory", sp_data_all(dataset).x);
    sp_loader *loader = sp_data_loader(dataset, .shuffle = true, .batch_size = INT64_MAX);
    sp_batch batch = sp_batch_first(loader);
    assert_null(batch.x);
    sp_batch_end(&batch);
    assert_error(SP_ERROR_MEMORY, "out of memory");
}

static void test_codes_too_many(void **state)
{
    (void)state;
    sp_tensor *codes = sp_ones(SP_DIMS(3, 2));
    alarm(100);
    assert_refuses(SP_ERROR_MEMORY, "does not fit", sp_morph(codes, INT64_MAX));
    assert_refuses(SP_ERROR_SHAPE, "of a number or more", sp_morph(sp_ones(SP_DIMS(2, 0)), INT64_MAX));
    assert_refuses(SP_ERROR_MEMORY, "a grid of 4294967296 by 4294967296",
                   sp_code_grid(INT64_C(1) << 32, INT64_C(1) << 32, -1, 1, -1, 1));
    alarm(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_helpers_stay_at_the_end_of_their_range),
        sp_test(test_tensors_too_large),
        sp_test(test_steps_beyond_the_end),
        sp_test(test_options_of_windows),
        sp_test(test_huge_results_of_nothing),
        sp_test(test_windows_are_clipped_to_the_image),
        sp_test(test_places_of_padded_windows),
        sp_test(test_messages_name_the_limit),
        sp_test(test_layers_too_large),
        sp_test(test_numbers_that_do_not_fit),
        sp_test(test_null_with_a_length),
        sp_test(test_data_sets_too_long),
        sp_test(test_codes_too_many),
    };
    return sp_test_main(tests);
}

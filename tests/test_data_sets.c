/* Data sets of tensors, parts of data sets, data sets of the program's own; transforms. */
#include "data/data_test.h"
#include <spusk/pointwise.h>
#include <spusk/views.h>

static sp_tensor *counting(int64_t n, int64_t width)
{
    return (sp_view)(sp_arange(0.0, (double)(n * width), 1.0), SP_DIMS(n, width));
}

/* ---- tensors ---- */

static void test_tensors(void **state)
{
    (void)state;
    sp_dataset *data = sp_data_tensors(counting(5, 2), sp_arange(10, 15, 1));
    assert_int_equal(sp_data_length(data), 5);
    assert_int_equal(sp_data_num_classes(data), 0);
    assert_string_equal(sp_data_description(data), "tensors, 5 examples");
    sp_example e = sp_data_get(data, -2);
    assert_true(sp_equal(e.x, sp_vector(6, 7)));
    assert_int_equal(sp_item_i64(e.y), 13);
    sp_example all = sp_data_all(data);
    assert_true(sp_equal(all.x, counting(5, 2)));
    assert_true(sp_equal(all.y, sp_arange(10, 15, 1)));
    assert_no_error();
}

static void test_tensors_with_any_strides(void **state)
{
    (void)state;
    sp_dataset *data = sp_data_tensors(sp_t(counting(3, 4)), sp_arange(0, 4, 1));
    sp_example all = sp_data_all(data);
    assert_true(sp_equal(all.x, sp_t(counting(3, 4))));
    assert_true(sp_is_contiguous(all.x));
}

static void test_tensors_without_targets(void **state)
{
    (void)state;
    sp_dataset *data = sp_data_tensors(counting(4, 3), SP_NONE);
    assert_ptr_equal(sp_data_get(data, 0).y, SP_NONE);
    sp_example all = sp_data_all(data);
    assert_true(sp_equal(all.x, counting(4, 3)));
    assert_ptr_equal(all.y, SP_NONE);
}

static void test_tensors_that_do_not_fit(void **state)
{
    (void)state;
    assert_refuses(SP_ERROR_SHAPE, "x has 5 examples, and y 4", sp_data_tensors(counting(5, 2), sp_arange(0, 4, 1)));
    assert_refuses(SP_ERROR_SHAPE, "need a first dimension", sp_data_tensors(sp_scalar(1), SP_NONE));
    assert_refuses(SP_ERROR_NULL, "'x'", sp_data_tensors(NULL, SP_NONE));
    assert_refuses(SP_ERROR_NULL, "'y'", sp_data_tensors(counting(1, 1), NULL));
}

static void test_example_out_of_range(void **state)
{
    (void)state;
    sp_dataset *data = sp_data_tensors(counting(5, 2), SP_NONE);
    assert_refuses(SP_ERROR_ARGUMENT, "example 5 of a data set of 5", sp_data_get(data, 5).x);
    assert_refuses(SP_ERROR_ARGUMENT, "example -6", sp_data_get(data, -6).x);
    assert_refuses(SP_ERROR_NULL, "dataset", sp_data_get(NULL, 0).x);
    assert_refuses(SP_ERROR_ARGUMENT, "is not a data set", sp_data_get((sp_dataset *)counting(1, 1), 0).x);
}

static void test_nothing_to_ask(void **state)
{
    (void)state;
    assert_int_equal(sp_data_length(NULL), 0);
    assert_error(SP_ERROR_NULL, "sp_data_length");
    assert_int_equal(sp_data_num_classes(NULL), 0);
    assert_error(SP_ERROR_NULL, "sp_data_num_classes");
    assert_string_equal(sp_data_description(NULL), "");
    assert_error(SP_ERROR_NULL, "sp_data_description");
    assert_refuses(SP_ERROR_ARGUMENT, "the data set is empty",
                   sp_data_all(sp_data_tensors(sp_zeros(SP_DIMS(0, 2)), SP_NONE)).x);
}

/* ---- parts ---- */

static void test_subset(void **state)
{
    (void)state;
    sp_dataset *whole = sp_data_tensors(counting(5, 2), sp_arange(10, 15, 1));
    sp_dataset *part = sp_data_subset(whole, sp_vector_i64(4, 0, -2));
    assert_int_equal(sp_data_length(part), 3);
    assert_string_equal(sp_data_description(part), "3 examples of tensors, 5 examples");
    assert_true(sp_equal(sp_data_all(part).y, sp_vector_i64(14, 10, 13)));
    assert_int_equal(sp_item_i64(sp_data_get(part, 0).y), 14);
    sp_dataset *smaller = sp_data_subset(part, sp_vector_i64(2));
    assert_true(sp_equal(sp_data_all(smaller).x, sp_matrix(1, 2, 6, 7)));
    assert_int_equal(sp_data_length(sp_data_subset(whole, sp_zeros(SP_DIMS(0), .dtype = SP_I64))), 0);
    assert_no_error();
}

static void test_subset_keeps_the_classes(void **state)
{
    (void)state;
    sp_dataset *part = sp_data_subset(sp_data_synthetic_digits(.length = 30), sp_vector_i64(7, 29));
    assert_int_equal(sp_data_num_classes(part), 10);
}

static void test_subset_out_of_range(void **state)
{
    (void)state;
    sp_dataset *whole = sp_data_tensors(counting(5, 2), SP_NONE);
    assert_refuses(SP_ERROR_ARGUMENT, "index[1] is 5, in a data set of 5 examples",
                   sp_data_subset(whole, sp_vector_i64(0, 5)));
    assert_refuses(SP_ERROR_ARGUMENT, "index[0] is -6", sp_data_subset(whole, sp_vector_i64(-6)));
    assert_refuses(SP_ERROR_SHAPE, "is 1-d and float32", sp_data_subset(whole, sp_vector(1, 2)));
    assert_refuses(SP_ERROR_SHAPE, "is 0-d and int64", sp_data_subset(whole, sp_scalar_i64(1)));
    assert_refuses(SP_ERROR_NULL, "index", sp_data_subset(whole, NULL));
}

/* ---- of the program's own ---- */

typedef struct squares {
    int64_t length, bad; /* example `bad` fails; -1: none does */
    int destroyed;
} squares;

static int64_t squares_length(void *self)
{
    return ((squares *)self)->length;
}

static sp_example squares_get(void *self, int64_t i)
{
    if (i == ((squares *)self)->bad) return (sp_example){NULL, NULL};
    return (sp_example){sp_vector((double)i, (double)(i * i)), sp_scalar_i64(i)};
}

static void squares_destroy(void *self)
{
    ((squares *)self)->destroyed++;
}

static const sp_dataset_class squares_class = {sizeof squares_class, squares_length, squares_get, squares_destroy};

static void test_digits_of_any_kind(void **state)
{
    (void)state;
    sp_dataset *drawn = sp_data_digits("synthetic", .length = 7);
    assert_int_equal(sp_data_length(drawn), 7);
    assert_non_null(strstr(sp_data_description(drawn), "synthetic digits"));
    /* Whatever this finds, there are so many, and nothing is reported. */
    unsetenv("SPUSK_DATA");
    sp_dataset *some = sp_data_digits(NULL, .no_download = true, .test = true, .length = 5);
    assert_int_equal(sp_data_length(some), 5);
    assert_int_equal(sp_size(sp_data_get(some, 4).x, 2), 28);
    assert_no_error();
    assert_refuses(SP_ERROR_ARGUMENT, "-1", sp_data_digits("synthetic", .length = -1));
}

static void test_own_data_set(void **state)
{
    (void)state;
    squares self = {4, -1, 0};
    SP_SCOPE {
        sp_dataset *data = sp_data_new(&squares_class, &self);
        assert_int_equal(sp_data_length(data), 4);
        assert_true(sp_equal(sp_data_get(data, 3).x, sp_vector(3, 9)));
        assert_true(sp_equal(sp_data_all(data).x, sp_matrix(4, 2, 0, 0, 1, 1, 2, 4, 3, 9)));
        assert_int_equal(self.destroyed, 0);
    }
    assert_int_equal(self.destroyed, 1);
    assert_no_error();
}

static void test_own_data_set_fails(void **state)
{
    (void)state;
    static squares self = {4, 2, 0}; /* the data set lives longer than this function */
    sp_dataset *data = sp_data_new(&squares_class, &self);
    assert_refuses(SP_ERROR_NULL, "the data set returned NULL for example 2", sp_data_get(data, 2).x);
    assert_refuses(SP_ERROR_NULL, "in example 2: the data set returned NULL", sp_data_all(data).x);
    assert_refuses(SP_ERROR_NULL, "type", sp_data_new(NULL, NULL));
    assert_refuses(SP_ERROR_ARGUMENT, ".length and .get",
                   sp_data_new(&(sp_dataset_class){.size = sizeof squares_class, .get = squares_get}, NULL));
}

static sp_example growing_get(void *self, int64_t i)
{
    (void)self;
    return (sp_example){sp_zeros(SP_DIMS(2, i + 1)), i < 2 ? sp_scalar_i64(0) : sp_scalar(0)};
}

static void test_examples_that_differ(void **state)
{
    (void)state;
    static squares self = {4, -1, 0};
    sp_dataset_class growing = {sizeof growing, squares_length, growing_get, NULL};
    assert_refuses(SP_ERROR_SHAPE,
                   "in example 1: x is float32 (2, 2), and those before it in the batch are float32 (2, 1)",
                   sp_data_all(sp_data_new(&growing, &self)).x);
}

/* ---- transforms ---- */

static void test_to_tensor(void **state)
{
    (void)state;
    sp_transform *t = sp_transform_to_tensor();
    sp_generator *g = sp_default_generator();
    sp_tensor *bytes = (sp_view)(sp_arange(0, 256, 1, .dtype = SP_U8), SP_DIMS(16, 16));
    sp_tensor *x = sp_transform_apply(t, bytes, g);
    assert_int_equal(sp_ndim(x), 3);
    for (int i = 0; i < 256; i++) assert_true(((const float *)sp_const_data(x))[i] == (float)i / 255.0F);
    assert_ptr_equal(sp_transform_apply(t, x, g), x);
    assert_int_equal(sp_ndim(sp_transform_apply(t, sp_zeros(SP_DIMS(3)), g)), 1);
    assert_true(sp_item(sp_transform_apply(t, sp_full(SP_DIMS(1, 1), 255, .dtype = SP_U8), g)) == 1);
    assert_refuses(SP_ERROR_DTYPE, "the input is int64", sp_transform_apply(t, sp_vector_i64(1), g));
}

static void test_normalize(void **state)
{
    (void)state;
    sp_generator *g = sp_default_generator();
    sp_transform *t = sp_transform_normalize(0.5, 2);
    assert_true(sp_equal(sp_transform_apply(t, sp_vector(0.5, 2.5, -3.5), g), sp_vector(0, 1, -2)));
    assert_refuses(SP_ERROR_DTYPE, "put sp_transform_to_tensor() before it",
                   sp_transform_apply(t, sp_vector_i64(1), g));
    assert_refuses(SP_ERROR_ARGUMENT, "std must be positive, got 0", sp_transform_normalize(0, 0));
}

static sp_tensor *add_user(sp_tensor *x, sp_generator *generator, void *user)
{
    (void)generator;
    return sp_add_scalar(x, *(double *)user);
}

static sp_tensor *refuse(sp_tensor *x, sp_generator *generator, void *user)
{
    (void)x, (void)generator, (void)user;
    return NULL;
}

static void test_compose_and_own(void **state)
{
    (void)state;
    double one = 1;
    sp_generator *g = sp_default_generator();
    sp_transform *t = sp_transform_compose(sp_transform_new(add_user, &one), sp_transform_normalize(0, 0.5),
                                           sp_transform_compose(sp_transform_new(add_user, &one)));
    assert_true(sp_equal(sp_transform_apply(t, sp_vector(0, 1), g), sp_vector(3, 5)));
    assert_refuses(SP_ERROR_NULL, "transform", sp_transform_compose(sp_transform_to_tensor(), NULL));
    assert_refuses(SP_ERROR_NULL, "a transform returned NULL",
                   sp_transform_apply(sp_transform_new(refuse, NULL), sp_vector(0), g));
    assert_refuses(SP_ERROR_NULL, "'x'", sp_transform_apply(t, NULL, g));
    assert_refuses(SP_ERROR_NULL, "'generator'", sp_transform_apply(t, sp_vector(1), NULL));
    assert_refuses(SP_ERROR_NULL, "'function'", sp_transform_new(NULL, NULL));
}

/* The table that elementwise transforms go through gives the bits that the transform itself gives. */
static void test_transform_of_images(void **state)
{
    (void)state;
    const double mean = 0.1307, std = 0.3081;
    sp_dataset *plain = sp_data_synthetic_digits(.length = 50);
    sp_transform *t = sp_transform_compose(sp_transform_to_tensor(), sp_transform_normalize(mean, std));
    sp_dataset *fast = sp_data_synthetic_digits(.length = 50, .transform = t);
    sp_tensor *x = sp_data_all(plain).x, *expected = sp_div_scalar(sp_sub_scalar(x, mean), std);
    assert_true(sp_equal(sp_data_all(fast).x, expected));
    assert_true(sp_equal(sp_data_get(fast, 7).x, sp_select(expected, 0, 7)));
    double one = 1;
    sp_dataset *slow = sp_data_synthetic_digits(.length = 50, .transform = sp_transform_new(add_user, &one));
    assert_true(sp_equal(sp_data_all(slow).x, sp_add_scalar(x, 1)));
    assert_refuses(SP_ERROR_ARGUMENT, "argument 'transform' is not a transform",
                   sp_data_synthetic_digits(.length = 5, .transform = (sp_transform *)x));
}

static bool make_sets(void *context)
{
    (void)context;
    sp_dataset *whole = sp_data_tensors(counting(4, 3), SP_NONE);
    sp_example e = sp_data_all(sp_data_subset(whole, sp_vector_i64(1, 3)));
    sp_transform *t = sp_transform_compose(sp_transform_to_tensor(), sp_transform_normalize(0, 1));
    sp_example s = sp_data_all(sp_data_synthetic_digits(.length = 3, .transform = t));
    return e.x && t && s.x;
}

static void test_each_allocation_fails(void **state)
{
    (void)state;
    assert_true(support_fail_each_allocation(make_sets, NULL) > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        data_test(test_tensors),
        data_test(test_tensors_with_any_strides),
        data_test(test_tensors_without_targets),
        data_test(test_tensors_that_do_not_fit),
        data_test(test_example_out_of_range),
        data_test(test_nothing_to_ask),
        data_test(test_subset),
        data_test(test_subset_keeps_the_classes),
        data_test(test_subset_out_of_range),
        data_test(test_digits_of_any_kind),
        data_test(test_own_data_set),
        data_test(test_own_data_set_fails),
        data_test(test_examples_that_differ),
        data_test(test_to_tensor),
        data_test(test_normalize),
        data_test(test_compose_and_own),
        data_test(test_transform_of_images),
        data_test(test_each_allocation_fails),
    };
    return sp_test_main(tests);
}

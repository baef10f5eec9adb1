/* By index where the loop over all operators does not look: indices out of range, repeated ones, shapes that do not
 * fit, labels; and the optimisers' updates, which are no operator. */
#include "support/values.h"
#include <math.h>
#include <spusk/extend.h>
#include <spusk/spusk.h>

static sp_tensor *grid(void)
{
    return sp_requires_grad(f64_rows(3, 1, 2, 3, 4, 5, 6));
}

static sp_tensor *indices(int64_t rows, int64_t columns, const int64_t *values)
{
    return sp_from_data(values, SP_DIMS(rows, columns), .dtype = SP_I64);
}

/* ---- gather ---- */

static void test_gather(void **state)
{
    (void)state;
    sp_tensor *x = grid(), *index = indices(2, 2, (const int64_t[]){2, 2, 0, 1});
    sp_tensor *y = sp_gather(x, 1, index);
    assert_holds(y, 3, 3, 4, 5);
    assert_holds(support_gradient(y, x), 0, 0, 2, 1, 1, 0);
    assert_holds(sp_gather(x, -1, sp_cast(index, SP_I32)), 3, 3, 4, 5);
    assert_holds(sp_gather(x, 0, indices(1, 3, (const int64_t[]){1, 0, 1})), 4, 2, 6);
    assert_holds(sp_gather(sp_gt_scalar(x, 2), 1, index), 1, 1, 1, 1);
    assert_holds(sp_gather(sp_scalar(3), 0, sp_scalar_i64(0)), 3);
    assert_string_equal(sp_grad_fn_name(y), "GatherBackward0");
}

static void test_gather_out_of_range(void **state)
{
    (void)state;
    sp_tensor *x = grid();
    assert_null(sp_gather(x, 1, indices(1, 2, (const int64_t[]){0, 3})));
    assert_error(SP_ERROR_ARGUMENT, "index 3 is out of range for dimension 1 of size 3");
    assert_null(sp_gather(x, 0, indices(1, 3, (const int64_t[]){0, -1, 0})));
    assert_error(SP_ERROR_ARGUMENT, "index -1 is out of range for dimension 0 of size 2");
    assert_null(sp_gather(x, 0, indices(1, 1, (const int64_t[]){INT64_MAX})));
    assert_error(SP_ERROR_ARGUMENT, "sp_gather");
    assert_null(sp_gather(sp_zeros(SP_DIMS(2, 0)), 1, indices(2, 1, (const int64_t[]){0, 0})));
    assert_error(SP_ERROR_ARGUMENT, "of size 0");
}

static void test_what_gather_refuses(void **state)
{
    (void)state;
    sp_tensor *x = grid();
    assert_null(sp_gather(x, 0, sp_vector_i64(0, 1)));
    assert_error(SP_ERROR_SHAPE, "sp_gather: an index of shape [2] for a tensor of shape [2, 3]");
    assert_null(sp_gather(x, 0, sp_zeros(SP_DIMS(1, 4), .dtype = SP_I64)));
    assert_error(SP_ERROR_SHAPE, "[1, 4]");
    assert_null(sp_gather(x, 0, sp_zeros(SP_DIMS(1, 3))));
    assert_error(SP_ERROR_DTYPE, "sp_gather: an index is int64 or int32, not float32");
    assert_null(sp_gather(x, 2, sp_zeros(SP_DIMS(1, 3), .dtype = SP_I64)));
    assert_error(SP_ERROR_SHAPE, "sp_gather: dimension 2 is out of range");
}

/* ---- scatter_add ---- */

static void test_scatter_add(void **state)
{
    (void)state;
    sp_tensor *x = grid(), *src = sp_requires_grad(f64_rows(2, 10, 20, 30, 40));
    sp_tensor *y = sp_scatter_add(x, 1, indices(2, 2, (const int64_t[]){1, 1, 0, 2}), src);
    assert_holds(y, 1, 32, 3, 34, 5, 46);
    assert_holds(x, 1, 2, 3, 4, 5, 6);
    sp_tensor *weighted = sp_mul(y, f64_rows(3, 1, 2, 3, 4, 5, 6));
    assert_holds(support_gradient(weighted, src), 2, 2, 4, 6);
    assert_holds(support_gradient(weighted, x), 1, 2, 3, 4, 5, 6);
    assert_string_equal(sp_grad_fn_name(y), "ScatterAddBackward0");
}

/* What index does not reach of src takes no part. */
static void test_scatter_add_of_a_part(void **state)
{
    (void)state;
    sp_tensor *x = grid(), *src = sp_requires_grad(f64_rows(3, 10, 20, 30, 40, 50, 60));
    sp_tensor *y = sp_scatter_add(x, 0, indices(1, 2, (const int64_t[]){1, 0}), src);
    assert_holds(y, 1, 22, 3, 14, 5, 6);
    assert_holds(support_gradient(y, src), 1, 1, 0, 0, 0, 0);
}

static void test_scatter_add_of_whole_numbers(void **state)
{
    (void)state;
    const int64_t big = (INT64_C(1) << 53) + 1;
    sp_tensor *y = sp_scatter_add(sp_vector_i64(0, big), 0, sp_vector_i64(1, 1, 0), sp_vector_i64(1, 1, big));
    assert_true(sp_item_i64(sp_select(y, 0, 0)) == big);
    assert_true(sp_item_i64(sp_select(y, 0, 1)) == big + 2);
}

static void test_what_scatter_add_refuses(void **state)
{
    (void)state;
    sp_tensor *x = grid();
    assert_null(sp_scatter_add(x, 0, indices(1, 3, (const int64_t[]){0, 2, 0}), x));
    assert_error(SP_ERROR_ARGUMENT, "index 2 is out of range for dimension 0 of size 2");
    assert_null(sp_scatter_add(x, 1, indices(2, 3, (const int64_t[]){0, 0, 0, 0, 0, 0}), f64_rows(3, 1, 2, 3)));
    assert_error(SP_ERROR_SHAPE, "sp_scatter_add: an index of shape [2, 3] is larger than src of shape [1, 3]");
    assert_null(sp_scatter_add(x, 0, indices(1, 1, (const int64_t[]){0}), sp_cast(x, SP_F32)));
    assert_error(SP_ERROR_DTYPE, "sp_scatter_add: src is float32, the tensor float64");
    assert_null(sp_scatter_add(x, 0, x, x));
    assert_error(SP_ERROR_DTYPE, "an index is int64");
}

/* ---- index_select ---- */

static void test_index_select(void **state)
{
    (void)state;
    sp_tensor *x = grid(), *y = sp_index_select(x, 0, sp_vector_i64(1, 1, 0));
    assert_holds(y, 4, 5, 6, 4, 5, 6, 1, 2, 3);
    assert_holds(support_gradient(y, x), 1, 1, 1, 2, 2, 2);
    assert_shape(sp_index_select(x, 1, sp_scalar_i64(2)), SP_DIMS(2, 1));
    assert_shape(sp_index_select(x, 1, sp_zeros(SP_DIMS(0), .dtype = SP_I64)), SP_DIMS(2, 0));
    sp_tensor *number = sp_requires_grad(sp_scalar(7)), *same = sp_index_select(number, 0, sp_vector_i64(0));
    assert_shape(same, SP_DIMS());
    assert_holds(support_gradient(same, number), 1);
    assert_string_equal(sp_grad_fn_name(y), "IndexSelectBackward0");
}

static void test_what_index_select_refuses(void **state)
{
    (void)state;
    sp_tensor *x = grid();
    assert_null(sp_index_select(x, 0, sp_vector_i64(0, 2)));
    assert_error(SP_ERROR_ARGUMENT, "index 2 is out of range for dimension 0 of size 2");
    assert_null(sp_index_select(x, 1, sp_vector_i64(-1)));
    assert_error(SP_ERROR_ARGUMENT, "sp_index_select");
    assert_null(sp_index_select(x, 0, indices(1, 1, (const int64_t[]){0})));
    assert_error(SP_ERROR_SHAPE, "sp_index_select: the index has one dimension, not shape [1, 1]");
    assert_null(sp_index_select(sp_scalar(7), 0, sp_vector_i64(0, 0)));
    assert_error(SP_ERROR_SHAPE, "sp_index_select: a number has one entry");
    assert_null(sp_index_select(x, 0, sp_vector(0, 1)));
    assert_error(SP_ERROR_DTYPE, "sp_index_select");
}

/* ---- one_hot ---- */

static void test_one_hot(void **state)
{
    (void)state;
    sp_tensor *y = sp_one_hot(sp_vector_i64(2, 0), -1);
    assert_shape(y, SP_DIMS(2, 3));
    assert_holds(y, 0, 0, 1, 1, 0, 0);
    assert_int_equal(sp_dtype_of(y), SP_I64);
    assert_holds(sp_one_hot(sp_scalar_i64(1), 4), 0, 1, 0, 0);
    assert_shape(sp_one_hot(indices(2, 1, (const int64_t[]){0, 1}), 2), SP_DIMS(2, 1, 2));
    assert_shape(sp_one_hot(sp_zeros(SP_DIMS(0), .dtype = SP_I64), 3), SP_DIMS(0, 3));
}

static void test_what_one_hot_refuses(void **state)
{
    (void)state;
    assert_null(sp_one_hot(sp_vector_i64(0, 3), 3));
    assert_error(SP_ERROR_ARGUMENT, "sp_one_hot: label 3 does not fit into 3 classes");
    assert_null(sp_one_hot(sp_vector_i64(0, -3), 3));
    assert_error(SP_ERROR_ARGUMENT, "sp_one_hot: label -3 is negative");
    assert_null(sp_one_hot(sp_zeros(SP_DIMS(0), .dtype = SP_I64), -1));
    assert_error(SP_ERROR_ARGUMENT, "sp_one_hot: no labels");
    assert_null(sp_one_hot(sp_vector_i64(0), 0));
    assert_error(SP_ERROR_ARGUMENT, "sp_one_hot");
    assert_null(sp_one_hot(sp_vector_i64(0), -2));
    assert_error(SP_ERROR_ARGUMENT, "sp_one_hot");
    assert_null(sp_one_hot(sp_vector_i64(INT64_MAX), -1));
    assert_error(SP_ERROR_ARGUMENT, "sp_one_hot");
    assert_null(sp_one_hot(sp_vector(0, 1), 2));
    assert_error(SP_ERROR_DTYPE, "sp_one_hot: labels are int64, not float32");
}

/* ---- updates ---- */

static const sp_update_numbers plain = {.lr = 0.5, .first = true};
#define STATES(...) ((sp_tensor *const[3]){__VA_ARGS__})
#define NO_STATE STATES(SP_NONE, SP_NONE, SP_NONE)

static void test_an_update(void **state)
{
    (void)state;
    sp_tensor *p = sp_requires_grad(sp_vector(1, 2)), *square = sp_mul(p, p), *momentum = sp_zeros(SP_DIMS(2));
    const sp_update_numbers numbers = {.lr = 0.5, .momentum = 0.9, .first = true};
    assert_int_equal(sp_update_step_(SP_UPDATE_SGD, p, sp_vector(2, -4), STATES(momentum, SP_NONE, SP_NONE), &numbers),
                     SP_OK);
    assert_holds(p, 0, 4);
    assert_holds(momentum, 2, -4);
    assert_int_not_equal(sp_backward(sp_sum(square)), SP_OK);
    assert_error(SP_ERROR_STATE, "changed in place");
}

/* A weight may be a transposed view; its gradient may lie otherwise. */
static void test_an_update_in_another_layout(void **state)
{
    (void)state;
    sp_tensor *p = sp_t(sp_matrix(2, 3, 1, 2, 3, 4, 5, 6)), *grad = sp_matrix(3, 2, 2, 4, 6, 8, 10, 12);
    assert_int_equal(sp_update_step_(SP_UPDATE_SGD, p, grad, NO_STATE, &plain), SP_OK);
    assert_holds(p, 0, 2, -1, 1, -2, 0);
    assert_int_equal(sp_update_step_(SP_UPDATE_SGD, p, sp_expand(sp_scalar(2), 3, 2), NO_STATE, &plain), SP_OK);
    assert_holds(p, -1, 1, -2, 0, -3, -1);
}

static void test_what_an_update_refuses(void **state)
{
    (void)state;
    sp_tensor *p = sp_matrix(2, 2, 1, 2, 3, 4), *row = sp_vector(1, 2);
    assert_int_equal(sp_update_step_(SP_UPDATE_SGD, p, row, NO_STATE, &plain), SP_ERROR_SHAPE);
    assert_error(SP_ERROR_SHAPE, "sp_update_step_: the gradient has shape [2], the parameter [2, 2]");
    assert_int_equal(sp_update_step_(SP_UPDATE_SGD, p, sp_cast(p, SP_F64), NO_STATE, &plain), SP_ERROR_DTYPE);
    assert_error(SP_ERROR_DTYPE, "the gradient is float64, the parameter float32");
    sp_update_step_(SP_UPDATE_SGD, p, p, STATES(sp_t(p), SP_NONE, SP_NONE), &plain);
    assert_error(SP_ERROR_STATE, "the first state does not lie in memory as the parameter does");
    sp_tensor *gaps = sp_slice(sp_zeros(SP_DIMS(4)), 0, 0, SP_END, 2);
    sp_update_step_(SP_UPDATE_SGD, gaps, row, NO_STATE, &plain);
    assert_error(SP_ERROR_STATE, "gaps");
    sp_update_step_(SP_UPDATE_SGD, sp_cast(p, SP_BF16), p, NO_STATE, &plain);
    assert_error(SP_ERROR_DTYPE, "parameters are float32 or float64, not bfloat16");
    sp_update_step_((sp_update_rule)99, p, p, NO_STATE, &plain);
    assert_error(SP_ERROR_ARGUMENT, "99 is no rule");
    sp_update_step_(SP_UPDATE_SGD, p, p, NULL, &plain);
    assert_error(SP_ERROR_NULL, "state");
    sp_update_step_(SP_UPDATE_SGD, p, p, NO_STATE, NULL);
    assert_error(SP_ERROR_NULL, "numbers");
    sp_update_step_(SP_UPDATE_SGD, p, p, STATES(NULL, SP_NONE, SP_NONE), &plain);
    assert_error(SP_ERROR_NULL, "sp_update_step_");
    assert_holds(p, 1, 2, 3, 4);
}

/* A rule whose state is missing must not run on nothing. */
static void test_a_rule_needs_its_states(void **state)
{
    (void)state;
    static const int needed[] = {
        [SP_UPDATE_SGD] = 0,  [SP_UPDATE_ADAGRAD] = 1, [SP_UPDATE_ADADELTA] = 2, [SP_UPDATE_RMSPROP] = 1,
        [SP_UPDATE_ADAM] = 2, [SP_UPDATE_ADAMAX] = 2,  [SP_UPDATE_NADAM] = 2};
    for (int rule = SP_UPDATE_ADAGRAD; rule <= SP_UPDATE_NADAM; rule++) {
        for (int missing = 0; missing < needed[rule]; missing++) {
            sp_tensor *p = sp_vector(1, 2), *states[3] = {sp_zeros_like(p), sp_zeros_like(p), SP_NONE};
            states[missing] = SP_NONE;
            sp_update_step_((sp_update_rule)rule, p, p, states, &plain);
            assert_error(SP_ERROR_ARGUMENT, "sp_update_step_");
            assert_holds(p, 1, 2);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_gather),
        sp_test(test_gather_out_of_range),
        sp_test(test_what_gather_refuses),
        sp_test(test_scatter_add),
        sp_test(test_scatter_add_of_a_part),
        sp_test(test_scatter_add_of_whole_numbers),
        sp_test(test_what_scatter_add_refuses),
        sp_test(test_index_select),
        sp_test(test_what_index_select_refuses),
        sp_test(test_one_hot),
        sp_test(test_what_one_hot_refuses),
        sp_test(test_an_update),
        sp_test(test_an_update_in_another_layout),
        sp_test(test_what_an_update_refuses),
        sp_test(test_a_rule_needs_its_states),
    };
    return sp_test_main(tests);
}

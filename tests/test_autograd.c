/* The graph: gradients, gradients of gradients, hooks, changes in place, what is freed when. */
#include "support/support.h"
#include <math.h>
#include <spusk/autograd.h>
#include <spusk/extend.h>
#include <spusk/spusk.h>
#include <string.h>

static void assert_values(sp_tensor *x, int64_t n, const double *expected)
{
    assert_int_equal(sp_numel(x), n);
    sp_tensor *flat = sp_reshape(sp_cast(sp_detach(x), SP_F64), -1);
    for (int64_t i = 0; i < n; i++) assert_close(sp_item(sp_select(flat, 0, i)), expected[i], 1e-6);
}
#define assert_tensor(x, ...)                                                                                          \
    assert_values(x, (int64_t)(sizeof((double[]){__VA_ARGS__}) / sizeof(double)), (double[]){__VA_ARGS__})

static sp_tensor *leaf(double a, double b)
{
    return sp_requires_grad(sp_vector(a, b));
}

/* ---- backward ---- */

static void test_the_lessons_first_page(void **state)
{
    (void)state;
    sp_tensor *x = sp_requires_grad(sp_vector(1, 2, 3)), *y = sp_requires_grad(sp_vector(4, 5, 6));
    sp_tensor *z = sp_dot(x, y);
    assert_string_equal(sp_grad_fn_name(z), "DotBackward0");
    assert_int_equal(sp_backward(z), SP_OK);
    assert_tensor(sp_grad(x), 4, 5, 6);
    assert_tensor(sp_grad(y), 1, 2, 3);
}

static void test_gradients_add_up_over_backwards_and_uses(void **state)
{
    (void)state;
    sp_tensor *x = leaf(1, 2);
    sp_backward(sp_sum(sp_add(sp_mul(x, x), x)));
    assert_tensor(sp_grad(x), 3, 5);
    sp_backward(sp_sum(x));
    assert_tensor(sp_grad(x), 4, 6);
}

static void test_a_leafs_gradient_shares_memory_with_nobody(void **state)
{
    (void)state;
    sp_tensor *x = leaf(1, 2), *y = leaf(3, 4);
    sp_backward(sp_sum(sp_add(x, y)));
    sp_mul_scalar_(sp_grad(x), 5);
    assert_tensor(sp_grad(x), 5, 5);
    assert_tensor(sp_grad(y), 1, 1);
    sp_tensor *seed = sp_vector(7, 8);
    sp_backward_with(sp_add(x, y), seed);
    sp_zero_(seed);
    assert_tensor(sp_grad(y), 8, 9);
}

static void test_backward_needs_one_element_or_a_gradient(void **state)
{
    (void)state;
    sp_tensor *x = leaf(1, 2);
    assert_int_not_equal(sp_backward(sp_mul_scalar(x, 2)), SP_OK);
    assert_error(SP_ERROR_SHAPE, "must have one element");
    assert_int_equal(sp_backward_with(sp_mul_scalar(x, 2), sp_vector(1, 10)), SP_OK);
    assert_tensor(sp_grad(x), 2, 20);
    assert_int_not_equal(sp_backward_with(sp_mul_scalar(x, 2), sp_vector(1, 2, 3)), SP_OK);
    assert_error(SP_ERROR_SHAPE, "[3]");
}

static void test_backward_outside_the_graph_is_an_error(void **state)
{
    (void)state;
    assert_int_not_equal(sp_backward(sp_sum(sp_vector(1, 2))), SP_OK);
    assert_error(SP_ERROR_STATE, "does not require a gradient");
}

static void test_a_second_backward_needs_retain_graph(void **state)
{
    (void)state;
    sp_tensor *x = leaf(2, 3), *y = sp_sum(sp_mul(x, x));
    assert_int_equal(sp_backward(y, .retain_graph = true), SP_OK);
    assert_int_equal(sp_backward(y), SP_OK);
    assert_tensor(sp_grad(x), 8, 12);
    assert_int_not_equal(sp_backward(y), SP_OK);
    assert_error(SP_ERROR_STATE, "retain_graph");
}

static void test_no_grad_and_detach_record_nothing(void **state)
{
    (void)state;
    sp_tensor *x = leaf(1, 2), *y = NULL;
    SP_NO_GRAD {
        y = sp_escape(sp_mul(x, x));
        SP_ENABLE_GRAD
            assert_true(sp_needs_grad(sp_mul(x, x)));
    }
    assert_false(sp_needs_grad(y));
    assert_false(sp_needs_grad(sp_mul(sp_detach(x), y)));
    assert_true(sp_needs_grad(sp_mul(x, y)));
    assert_true(sp_is_leaf(x) && sp_is_leaf(y) && !sp_is_leaf(sp_mul(x, y)));
}

static void test_integers_have_no_gradients(void **state)
{
    (void)state;
    assert_null(sp_requires_grad(sp_vector_i64(1, 2)));
    assert_error(SP_ERROR_DTYPE, "int64");
    assert_false(sp_needs_grad(sp_cast(leaf(1, 2), SP_I64)));
}

static void test_dtypes_meet_again_in_the_leaf(void **state)
{
    (void)state;
    sp_tensor *x = leaf(1, 2), *y = sp_requires_grad(sp_cast(sp_vector(3, 4), SP_F64));
    sp_backward(sp_sum(sp_mul(x, y)));
    assert_int_equal(sp_dtype_of(sp_grad(x)), SP_F32);
    assert_int_equal(sp_dtype_of(sp_grad(y)), SP_F64);
    assert_tensor(sp_grad(x), 3, 4);
}

static void test_a_transposed_weight_gets_a_gradient_in_its_own_layout(void **state)
{
    (void)state;
    sp_tensor *weight = sp_requires_grad(sp_t(sp_ones(SP_DIMS(3, 2))));
    sp_backward(sp_sum(sp_linear(sp_matrix(1, 3, 1, 2, 3), weight, SP_NONE)));
    assert_int_equal(sp_stride(sp_grad(weight), 0), 1);
    assert_tensor(sp_grad(weight), 1, 2, 3, 1, 2, 3);
}

static void test_a_deep_graph_needs_no_deep_stack(void **state)
{
    (void)state;
    sp_tensor *x = sp_requires_grad(sp_scalar(1)), *y = x;
    for (int i = 0; i < 200000; i++) {
        sp_tensor *next = sp_keep(sp_add_scalar(y, 1));
        if (y != x) sp_release(y);
        y = next;
    }
    assert_int_equal(sp_backward(y), SP_OK);
    assert_close(sp_item(sp_grad(x)), 1, 0);
    sp_release(y);
}

/* ---- sp_autograd_grad ---- */

static void test_grad_leaves_the_leaves_alone(void **state)
{
    (void)state;
    sp_tensor *x = leaf(1, 2), *h = sp_mul(x, x), *y = sp_sum(sp_mul(h, h));
    sp_list *grads = sp_autograd_grad(SP_LIST(y), SP_LIST(x, h));
    assert_tensor(sp_list_get(grads, 0), 4, 32);
    assert_tensor(sp_list_get(grads, 1), 2, 8);
    assert_ptr_equal(sp_grad(x), SP_NONE);
}

static void test_grad_of_an_unused_input(void **state)
{
    (void)state;
    sp_tensor *x = leaf(1, 2), *other = leaf(3, 4), *y = sp_sum(x);
    assert_null(sp_autograd_grad(SP_LIST(y), SP_LIST(x, other), .retain_graph = true));
    assert_error(SP_ERROR_STATE, "allow_unused");
    sp_list *grads = sp_autograd_grad(SP_LIST(y), SP_LIST(x, other), .allow_unused = true);
    assert_ptr_equal(sp_list_get(grads, 1), SP_NONE);
}

static void test_gradients_of_gradients(void **state)
{
    (void)state;
    sp_tensor *x = sp_requires_grad(sp_scalar(2));
    sp_tensor *y = sp_mul(x, sp_mul(x, x)); /* x³: 3x², 6x, 6 */
    const double expected[] = {12, 12, 6};
    for (int i = 0; i < 3; i++) {
        y = sp_list_get(sp_autograd_grad(SP_LIST(y), SP_LIST(x), .create_graph = true), 0);
        assert_close(sp_item(y), expected[i], 1e-6);
    }
}

/* ---- hooks ---- */

static sp_tensor *doubles(sp_tensor *grad, void *user)
{
    (*(int *)user)++;
    return sp_mul_scalar(grad, 2);
}

static sp_tensor *watches(sp_tensor *grad, void *user)
{
    *(double *)user = sp_item(sp_sum(grad));
    return SP_NONE;
}

static void test_hooks_see_whole_gradients_in_their_order(void **state)
{
    (void)state;
    int calls = 0;
    double seen = 0;
    sp_tensor *x = leaf(1, 2), *h = sp_mul_scalar(x, 3);
    int64_t first = sp_register_hook(h, doubles, &calls);
    sp_register_hook(h, watches, &seen);
    sp_backward(sp_sum(sp_add(h, h)), .retain_graph = true);
    assert_int_equal(calls, 1);
    assert_close(seen, 8, 0);
    assert_tensor(sp_grad(x), 12, 12);
    assert_int_equal(sp_remove_hook(h, first), SP_OK);
    sp_set_grad(x, SP_NONE);
    sp_backward(sp_sum(h));
    assert_tensor(sp_grad(x), 3, 3);
    assert_int_not_equal(sp_remove_hook(h, first), SP_OK);
    assert_error(SP_ERROR_NOT_FOUND, "hook");
}

static void test_a_leafs_hook_changes_what_it_keeps(void **state)
{
    (void)state;
    int calls = 0;
    sp_tensor *x = leaf(1, 2);
    sp_register_hook(x, doubles, &calls);
    sp_backward(sp_sum(sp_add(x, x)));
    assert_tensor(sp_grad(x), 4, 4);
    assert_int_equal(calls, 1);
}

static void test_retained_gradients(void **state)
{
    (void)state;
    sp_tensor *x = leaf(1, 2), *h = sp_mul(x, x);
    sp_retain_grad(h);
    sp_backward(sp_sum(sp_mul_scalar(h, 3)));
    assert_tensor(sp_grad(h), 3, 3);
    sp_tensor *gone = sp_mul(x, x), *y = sp_sum(gone);
    sp_retain_grad(gone);
    sp_release(gone);
    assert_int_equal(sp_backward(y), SP_OK);
}

/* ---- changes in place ---- */

static void test_a_change_to_what_backward_needs_is_an_error_that_says_which(void **state)
{
    (void)state;
    sp_tensor *x = leaf(1, 2), *h = sp_mul_scalar(x, 2), *y = sp_sum(sp_mul(h, h));
    sp_add_scalar_(h, 1);
    assert_int_not_equal(sp_backward(y), SP_OK);
    assert_error(SP_ERROR_STATE, "[2]");
    sp_tensor *e = sp_exp(x), *z = sp_sum(e);
    sp_add_scalar_(e, 1);
    assert_int_not_equal(sp_backward(z), SP_OK);
    assert_error(SP_ERROR_STATE, "the output of sp_exp");
}

static void test_a_leaf_cannot_be_changed_in_place(void **state)
{
    (void)state;
    sp_tensor *x = leaf(1, 2);
    assert_null(sp_add_scalar_(x, 1));
    assert_error(SP_ERROR_STATE, "leaf");
    assert_null(sp_add_scalar_(sp_select(x, 0, 0), 1));
    assert_error(SP_ERROR_STATE, "view of a leaf");
    SP_NO_GRAD
        assert_non_null(sp_add_scalar_(x, 1));
    assert_tensor(x, 2, 3);
}

static void test_gradients_go_through_changes_in_place(void **state)
{
    (void)state;
    sp_tensor *x = leaf(1, 2), *h = sp_mul_scalar(x, 3);
    sp_mul_(h, x); /* 3x² */
    sp_exp_(sp_mul_scalar_(h, 0.1));
    sp_backward(sp_sum(h));
    assert_tensor(sp_grad(x), 0.6 * exp(0.3), 1.2 * exp(1.2));
}

static void test_a_change_of_a_view_changes_the_bases_history(void **state)
{
    (void)state;
    sp_tensor *x = leaf(1, 2), *h = sp_mul_scalar(x, 3);
    sp_tensor *first = sp_select(h, 0, 0), *both = sp_view(h, 2, 1);
    sp_mul_scalar_(first, 10);
    assert_string_equal(sp_grad_fn_name(h), "CopySlices");
    sp_backward(sp_sum(sp_mul(h, h)), .retain_graph = true); /* (30a)² + (3b)² */
    assert_tensor(sp_grad(x), 1800, 36);
    sp_set_grad(x, SP_NONE);
    sp_backward(sp_sum(both), .retain_graph = true);
    assert_tensor(sp_grad(x), 30, 3);
    sp_set_grad(x, SP_NONE);
    sp_backward(first);
    assert_tensor(sp_grad(x), 30, 0);
}

static void test_a_part_filled_from_the_graph(void **state)
{
    (void)state;
    sp_tensor *x = leaf(1, 2), *buffer = sp_zeros(SP_DIMS(2, 2));
    sp_copy_(sp_select(buffer, 0, 1), sp_mul(x, x));
    assert_true(sp_needs_grad(buffer));
    sp_backward(sp_sum(sp_mul_scalar(buffer, 2)));
    assert_tensor(sp_grad(x), 4, 8);
}

static void test_operands_that_overlap_are_read_before_they_change(void **state)
{
    (void)state;
    sp_tensor *x = sp_matrix(2, 2, 1, 2, 3, 4);
    assert_non_null(sp_add_(x, sp_t(x)));
    assert_tensor(x, 2, 5, 5, 8);
    assert_null(sp_add_scalar_(sp_expand(sp_vector(1), 3), 1));
    assert_error(SP_ERROR_STATE, "expanded");
}

/* ---- gradcheck ---- */

static sp_tensor *square(sp_tensor *const *inputs, void *user)
{
    (void)user;
    return sp_mul(inputs[0], inputs[0]);
}

static sp_status wrong_infer(sp_call *call)
{
    return sp_call_output(call, 0, sp_dtype_of(call->inputs[0]), sp_sizes(call->inputs[0]));
}

static sp_status wrong_forward(sp_call *call)
{
    const double *x = sp_const_data(call->inputs[0]);
    double *y = sp_data(call->outputs[0]);
    for (int64_t i = 0; i < sp_numel(call->inputs[0]); i++) y[i] = x[i] * x[i];
    return SP_OK;
}

static sp_status wrong_backward(sp_grad_call *call)
{
    call->result[0] = sp_mul(call->grads[0], sp_saved_input(call, 0)); /* forgets the 2 */
    return SP_OK;
}

static const sp_op wrong = {.name = "wrong",
                            .backward_name = "WrongBackward0",
                            .n_inputs = 1,
                            .saves = SP_SAVE_INPUTS,
                            .infer = wrong_infer,
                            .forward = wrong_forward,
                            .backward = wrong_backward};

static sp_tensor *wrong_square(sp_tensor *const *inputs, void *user)
{
    (void)user;
    return sp_op_apply(&wrong, inputs, 1, NULL);
}

static sp_tensor *f64_leaf(void)
{
    return sp_requires_grad(sp_cast(sp_vector(1, 2, -3), SP_F64));
}

static void test_gradcheck_passes_what_is_right_and_finds_what_is_wrong(void **state)
{
    (void)state;
    assert_true(sp_gradcheck(square, SP_LIST(f64_leaf()), NULL));
    assert_true(sp_gradgradcheck(square, SP_LIST(f64_leaf()), NULL));
    assert_false(sp_gradcheck(wrong_square, SP_LIST(f64_leaf()), NULL));
    assert_error(SP_ERROR_STATE, "element 0");
    assert_false(sp_gradcheck(square, SP_LIST(leaf(1, 2)), NULL));
    assert_error(SP_ERROR_ARGUMENT, "nothing to check");
}

static sp_status bad_shape_backward(sp_grad_call *call)
{
    call->result[0] = sp_vector(1, 2, 3, 4);
    return SP_OK;
}

static void test_a_backward_with_the_wrong_shape_is_named(void **state)
{
    (void)state;
    sp_op op = wrong;
    op.backward = bad_shape_backward;
    sp_tensor *x = f64_leaf();
    assert_int_not_equal(sp_backward(sp_sum(sp_op_apply(&op, &x, 1, NULL))), SP_OK);
    assert_error(SP_ERROR_SHAPE, "WrongBackward0");
}

/* ---- no memory ---- */

static bool step_with_in_place_and_views(void *context)
{
    (void)context;
    sp_tensor *x = sp_requires_grad(sp_ones(SP_DIMS(4, 3)));
    sp_tensor *h = sp_mul(x, x);
    bool changed = sp_mul_scalar_(sp_select(h, 0, 1), 2) != NULL;
    sp_tensor *y = sp_sum(sp_matmul(sp_relu(h), sp_t(h)));
    return changed && sp_backward(y) == SP_OK && sp_item(sp_sum(sp_grad(x))) > 0;
}

static void test_each_allocation_of_a_step_fails_in_turn(void **state)
{
    (void)state;
    assert_in_range(support_fail_each_allocation(step_with_in_place_and_views, NULL), 10, 10000);
}

/* Parts that overlap, a whole beside them, one part twice, a hook's copy of a sum: each gets its own, and no gradient
 * that somebody holds changes. */
static void test_gradients_of_parts_meet_in_one_sum(void **state)
{
    (void)state;
    sp_tensor *x = sp_requires_grad(sp_ones(SP_DIMS(3, 4))), *y = sp_mul_scalar(x, 2);
    sp_retain_grad(y);
    sp_tensor *first = sp_narrow(y, 1, 0, 3), *last = sp_slice(y, 1, 1, 4, 2), *row = sp_select(y, 0, 1);
    sp_tensor *sum = sp_add(sp_sum(first), sp_mul_scalar(sp_sum(last), 10));
    sum = sp_add(sum, sp_mul_scalar(sp_sum(row), 100));
    sum = sp_add(sum, sp_mul_scalar(sp_sum(sp_narrow(y, 1, 0, 3)), 1000));
    sum = sp_add(sum, sp_sum(sp_expand(sp_select(sp_select(y, 0, 0), 0, 0), 5)));
    sp_backward(sp_add(sum, sp_mul_scalar(sp_sum(y), 10000)));
    const double expected[3][4] = {
        {11006, 11011, 11001, 10010}, {11101, 11111, 11101, 10110}, {11001, 11011, 11001, 10010}};
    const float *of_y = sp_const_data(sp_grad(y)), *of_x = sp_const_data(sp_grad(x));
    for (int i = 0; i < 12; i++) {
        assert_true((double)of_y[i] == expected[i / 4][i % 4]);
        assert_true((double)of_x[i] == 2 * expected[i / 4][i % 4]);
    }
    /* What a caller gave stays as it was, though it is the first to arrive. */
    sp_tensor *given = sp_ones(SP_DIMS(4)), *z = sp_mul_scalar(sp_requires_grad(sp_ones(SP_DIMS(4))), 1);
    sp_list *grads = sp_autograd_grad_with(SP_LIST(z, sp_narrow(z, 0, 1, 2)), SP_LIST(z),
                                           SP_LIST(given, sp_ones(SP_DIMS(2))));
    assert_true(sp_item(sp_sum(sp_list_get(grads, 0))) == 6);
    assert_true(sp_item(sp_sum(given)) == 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_the_lessons_first_page),
        sp_test(test_gradients_add_up_over_backwards_and_uses),
        sp_test(test_a_leafs_gradient_shares_memory_with_nobody),
        sp_test(test_backward_needs_one_element_or_a_gradient),
        sp_test(test_backward_outside_the_graph_is_an_error),
        sp_test(test_a_second_backward_needs_retain_graph),
        sp_test(test_no_grad_and_detach_record_nothing),
        sp_test(test_integers_have_no_gradients),
        sp_test(test_dtypes_meet_again_in_the_leaf),
        sp_test(test_a_transposed_weight_gets_a_gradient_in_its_own_layout),
        sp_test(test_a_deep_graph_needs_no_deep_stack),
        sp_test(test_grad_leaves_the_leaves_alone),
        sp_test(test_grad_of_an_unused_input),
        sp_test(test_gradients_of_gradients),
        sp_test(test_hooks_see_whole_gradients_in_their_order),
        sp_test(test_a_leafs_hook_changes_what_it_keeps),
        sp_test(test_retained_gradients),
        sp_test(test_a_change_to_what_backward_needs_is_an_error_that_says_which),
        sp_test(test_a_leaf_cannot_be_changed_in_place),
        sp_test(test_gradients_go_through_changes_in_place),
        sp_test(test_a_change_of_a_view_changes_the_bases_history),
        sp_test(test_a_part_filled_from_the_graph),
        sp_test(test_gradients_of_parts_meet_in_one_sum),
        sp_test(test_operands_that_overlap_are_read_before_they_change),
        sp_test(test_gradcheck_passes_what_is_right_and_finds_what_is_wrong),
        sp_test(test_a_backward_with_the_wrong_shape_is_named),
        sp_test(test_each_allocation_of_a_step_fails_in_turn),
    };
    return sp_test_main(tests);
}

/* What the graph holds and what it takes: gradients of the right shape only, whatever way they come; and nothing that
 * holds itself. Each test ends with nothing live, which its teardown looks at. */
#include "support/support.h"
#include <pthread.h>
#include <spusk/extend.h>
#include <spusk/spusk.h>

static sp_tensor *leaf(void)
{
    return sp_requires_grad(sp_ones(SP_DIMS(2, 3)));
}

/* The thread's scope has its stack by then. */
static int64_t live_blocks(void)
{
    sp_release(sp_ones(SP_DIMS(1)));
    return sp_memory().live_count;
}

/* ---- gradients of another shape ---- */

static sp_tensor *returns_user(sp_tensor *grad, void *user)
{
    (void)grad;
    return user;
}

static void test_a_chains_hooks_are_checked(void **state)
{
    (void)state;
    for (int place = 0; place < 3; place++) {
        sp_tensor *x = sp_requires_grad(sp_ones(SP_DIMS(2, 1, 8, 8))),
                  *w = sp_requires_grad(sp_ones(SP_DIMS(4, 1, 3, 3)));
        sp_tensor *y[3] = {sp_conv2d(x, w, SP_NONE)};
        y[1] = sp_relu(y[0]);
        y[2] = sp_max_pool2d(y[1], 2);
        sp_register_hook(y[place], returns_user, sp_ones(SP_DIMS(2, 4, 1, 1)));
        assert_int_equal(sp_backward(sp_sum(y[2])), SP_ERROR_SHAPE);
        assert_error(SP_ERROR_SHAPE, "a hook's gradient of shape [2, 4, 1, 1]");
    }
}

static void test_a_leafs_hook_is_checked(void **state)
{
    (void)state;
    sp_tensor *x = leaf();
    int64_t handle = sp_register_hook(x, returns_user, sp_ones(SP_DIMS(3, 2)));
    assert_int_equal(sp_backward(sp_sum(x)), SP_ERROR_SHAPE);
    assert_error(SP_ERROR_SHAPE, "[3, 2]");
    sp_remove_hook(x, handle);
    sp_register_hook(x, returns_user, sp_ones(SP_DIMS(2, 3), .dtype = SP_F64));
    assert_null(sp_autograd_grad(SP_LIST(sp_sum(x)), SP_LIST(x)));
    assert_error(SP_ERROR_DTYPE, "float64");
    assert_ptr_equal(sp_grad(x), SP_NONE);
}

static void test_other_data_is_a_change(void **state)
{
    (void)state;
    static const int64_t sizes[][2] = {{2, 3}, {2, 1}, {5, 5}};
    for (int i = 0; i < 3; i++) {
        sp_tensor *x = leaf(), *y = sp_sum(sp_mul(x, x));
        sp_set_data(x, sp_ones(((sp_dims){sizes[i], 2})));
        assert_int_equal(sp_backward(y), SP_ERROR_STATE);
        assert_error(SP_ERROR_STATE, "given other data by sp_set_data");
    }
}

static void test_another_shape_meets_the_gradient_on_its_way(void **state)
{
    (void)state;
    sp_tensor *x = leaf(), *y = sp_sum(sp_neg(x)), *z = sp_sum(sp_neg(x));
    sp_set_data(x, sp_ones(SP_DIMS(2, 1)));
    assert_int_equal(sp_backward(y), SP_ERROR_SHAPE);
    assert_error(SP_ERROR_SHAPE, "[2, 1]");
    sp_set_data(x, sp_ones(SP_DIMS(2, 3), .dtype = SP_F64));
    assert_int_equal(sp_backward(z), SP_ERROR_DTYPE);
    assert_error(SP_ERROR_DTYPE, "float64");
}

static void test_mixed_precision_casts_other_data_again(void **state)
{
    (void)state;
    sp_tensor *w = sp_requires_grad(sp_ones(SP_DIMS(3, 3))), *x = sp_ones(SP_DIMS(1, 3));
    SP_AUTOCAST(SP_BF16)
    {
        sp_matmul(x, w);
        sp_set_data(w, sp_full(SP_DIMS(3, 3), 2, .dtype = SP_F32));
        assert_close(sp_item(sp_sum(sp_matmul(x, w))), 18, 0);
    }
}

/* A view of what has got other memory is a view no more: a change of it must not reach into the new memory. */
static void test_a_view_of_what_has_other_data_stands_alone(void **state)
{
    (void)state;
    sp_tensor *x = sp_ones(SP_DIMS(6, 6)), *view = sp_narrow(x, 0, 3, 3), *s = sp_requires_grad(sp_scalar(2));
    sp_set_data(x, sp_ones(SP_DIMS(2)));
    assert_non_null(sp_mul_(view, s));
    assert_false(sp_needs_grad(x));
    assert_int_equal(sp_backward(sp_sum(view)), SP_OK);
    assert_close(sp_item(sp_grad(s)), 18, 0);
}

/* ---- nothing holds itself ---- */

static void test_a_result_changed_by_what_was_made_of_it(void **state)
{
    (void)state;
    sp_tensor *x = leaf();
    int64_t before = live_blocks();
    SP_SCOPE {
        sp_tensor *y = sp_exp(x), *z = sp_mul(y, y);
        sp_add_(y, z);
        assert_int_equal(sp_backward(sp_sum(y)), SP_ERROR_STATE);
        assert_error(SP_ERROR_STATE, "changed in place");
    }
    assert_int_equal(live_blocks(), before + 1); /* the leaf's place in the graph */
}

static void test_a_base_changed_by_what_was_made_of_its_view(void **state)
{
    (void)state;
    sp_tensor *x = leaf(), *y = sp_exp(x), *view = sp_select(y, 0, 0);
    sp_add_(sp_select(y, 0, 1), sp_mul(view, view));
    sp_add_(y, sp_mul(y, y));
    assert_int_equal(sp_backward(sp_sum(y)), SP_ERROR_STATE);
    assert_error(SP_ERROR_STATE, "changed in place");
}

static void test_a_tensor_is_not_its_own_gradient(void **state)
{
    (void)state;
    sp_tensor *x = leaf();
    assert_int_equal(sp_set_grad(x, x), SP_ERROR_ARGUMENT);
    assert_error(SP_ERROR_ARGUMENT, "its own gradient");
    assert_int_equal(sp_set_grad(x, sp_view(x, 2, 3)), SP_OK);
    assert_int_equal(sp_set_grad(x, sp_mul(x, x)), SP_OK);
    sp_tensor *plain = sp_ones(SP_DIMS(2));
    assert_int_equal(sp_set_grad(plain, sp_view(plain, 2)), SP_OK);
}

static void test_gradients_with_a_graph_go_with_the_last_hold(void **state)
{
    (void)state;
    int64_t before = live_blocks();
    sp_tensor *loss = NULL;
    SP_SCOPE {
        sp_tensor *a = leaf(), *b = leaf(), *h = sp_mul(a, b);
        sp_retain_grad(h);
        sp_backward(sp_sum(sp_mul(h, h)), .create_graph = true);
        sp_backward(sp_sum(sp_mul(sp_grad(a), sp_grad(h))), .create_graph = true);
        loss = sp_escape(sp_sum(sp_mul(sp_grad(a), sp_grad(b))));
        assert_true(sp_needs_grad(sp_grad(h)));
    }
    /* Its leaves are held by nothing but its graph, and get no gradients that hold them. */
    assert_int_equal(sp_backward(loss, .create_graph = true), SP_OK);
    sp_release(loss);
    assert_int_equal(live_blocks(), before);
}

static void test_a_modules_gradients_with_a_graph(void **state)
{
    (void)state;
    int64_t before = live_blocks();
    SP_SCOPE {
        sp_module *m = sp_nn_sequential(sp_nn_linear(4, 8), sp_nn_tanh(), sp_nn_linear(8, 1));
        for (int i = 0; i < 3; i++)
            SP_SCOPE {
                sp_backward(sp_sum(sp_forward(m, sp_ones(SP_DIMS(2, 4)))), .create_graph = true);
            }
    }
    assert_int_equal(live_blocks(), before);
}

static void test_a_saved_tensor_has_the_history_that_it_had(void **state)
{
    (void)state;
    sp_tensor *x = sp_requires_grad(sp_scalar(3)), *y = NULL;
    SP_SCOPE {
        sp_tensor *h = sp_mul(x, x);
        y = sp_escape(sp_mul(h, sp_exp(h)));
    }
    /* d/dx h·e^h = 2x (1 + h) e^h; once more: (2 (1 + h) + 4x² (2 + h)) e^h */
    sp_tensor *grad = sp_list_get(sp_autograd_grad(SP_LIST(y), SP_LIST(x), .create_graph = true), 0);
    sp_backward(grad);
    assert_close(sp_item(sp_grad(x)) / ((20 + 36 * 11) * 8103.083927575384), 1, 1e-6);
}

/* ---- one model, many threads ---- */

enum { THREADS = 8, RUNS = 60 };

typedef struct job {
    sp_module *model;
    const sp_list *expected;
    int right;
} job;

static sp_list *gradients_of(sp_module *model)
{
    sp_tensor *x = sp_ones(SP_DIMS(3, 4));
    return sp_autograd_grad(SP_LIST(sp_sum(sp_forward(model, x))), sp_parameters(model));
}

static void *ask_for_gradients(void *argument)
{
    job *j = argument;
    for (int run = 0; run < RUNS; run++)
        SP_SCOPE {
            const sp_list *grads = gradients_of(j->model);
            bool right = grads != NULL;
            for (int64_t i = 0; i < sp_list_length(grads); i++)
                right = right && sp_equal(sp_list_get(grads, i), sp_list_get(j->expected, i));
            j->right += right;
        }
    return NULL;
}

static void test_many_threads_ask_for_gradients_of_one_model(void **state)
{
    (void)state;
    sp_manual_seed(1);
    sp_module *same = sp_nn_sequential(sp_nn_linear(4, 8), sp_nn_tanh(), sp_nn_linear(8, 2));
    sp_manual_seed(1);
    sp_module *model = sp_nn_sequential(sp_nn_linear(4, 8), sp_nn_tanh(), sp_nn_linear(8, 2));
    sp_list *expected = gradients_of(same); /* the model's own leaves meet the threads unprepared */
    pthread_t threads[THREADS];
    job jobs[THREADS];
    for (int i = 0; i < THREADS; i++) {
        jobs[i] = (job){model, expected, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, ask_for_gradients, &jobs[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    for (int i = 0; i < THREADS; i++) assert_int_equal(jobs[i].right, RUNS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_a_chains_hooks_are_checked),
        sp_test(test_a_leafs_hook_is_checked),
        sp_test(test_other_data_is_a_change),
        sp_test(test_another_shape_meets_the_gradient_on_its_way),
        sp_test(test_mixed_precision_casts_other_data_again),
        sp_test(test_a_view_of_what_has_other_data_stands_alone),
        sp_test(test_a_result_changed_by_what_was_made_of_it),
        sp_test(test_a_base_changed_by_what_was_made_of_its_view),
        sp_test(test_a_tensor_is_not_its_own_gradient),
        sp_test(test_gradients_with_a_graph_go_with_the_last_hold),
        sp_test(test_a_modules_gradients_with_a_graph),
        sp_test(test_a_saved_tensor_has_the_history_that_it_had),
        sp_test(test_many_threads_ask_for_gradients_of_one_model),
    };
    return sp_test_main(tests);
}

/* What may not be changed in place: memory that several elements share, and copies that stand where a view is seen; and
 * holds that are not the caller's to give up. */
#include "support/support.h"
#include <pthread.h>
#include <spusk/extend.h>
#include <spusk/spusk.h>

static void test_expanded_tensors(void **state)
{
    (void)state;
    sp_tensor *x = sp_vector(1, 2), *wide = sp_expand(x, 3, 2);
    const float six[6] = {1, 2, 3, 4, 5, 6};
    assert_int_equal(sp_copy_in(wide, six, sizeof six), SP_ERROR_STATE);
    assert_error(SP_ERROR_STATE, "sp_copy_in: an expanded tensor");
    assert_null(sp_copy_(wide, sp_ones(SP_DIMS(3, 2))));
    assert_error(SP_ERROR_STATE, "sp_copy_: an expanded tensor");
    assert_null(sp_add_scalar_(wide, 1));
    assert_error(SP_ERROR_STATE, "sp_add_scalar_: an expanded tensor");
    assert_null(sp_fill_(wide, 1));
    assert_error(SP_ERROR_STATE, "sp_fill_");
    assert_null(sp_uniform_(wide, 0, 1));
    assert_error(SP_ERROR_STATE, "sp_uniform_");
    assert_close(sp_item(sp_sum(x)), 3, 0);
}

/* Windows of three over five elements, as an operator of a program's own may make them. */
static sp_status infer_windows(sp_call *call)
{
    return sp_call_view(call, 0, call->inputs[0], SP_DIMS(3, 3), (const int64_t[]){1, 1}, 0);
}

static void test_windows_that_overlap(void **state)
{
    (void)state;
    static const sp_op windows = {.name = "windows", .n_inputs = 1, .infer = infer_windows};
    sp_tensor *x = sp_ones(SP_DIMS(5)), *y = sp_op_apply(&windows, &x, 1, NULL);
    assert_null(sp_mul_scalar_(y, 2));
    assert_error(SP_ERROR_STATE, "one place of memory");
    assert_non_null(sp_mul_scalar_(sp_t(sp_slice(sp_ones(SP_DIMS(4, 6)), 1, 0, SP_END, 2)), 2));
}

/* ---- an image's views ---- */

static sp_tensor *image(void)
{
    sp_tensor *y = sp_conv2d(sp_ones(SP_DIMS(1, 2, 6, 6)), sp_ones(SP_DIMS(4, 2, 3, 3)), SP_NONE);
    assert_true(sp_is_channels_last(y));
    return y;
}

static void test_a_copy_in_a_views_stead(void **state)
{
    (void)state;
    sp_tensor *y = image();
    sp_tensor *views[] = {sp_view(y, 1, -1), sp_reshape(y, -1), sp_flatten(y), sp_select(sp_view(y, 1, -1), 0, 0),
                          sp_detach(sp_flatten(y, .start_dim = 1))};
    for (int i = 0; i < 5; i++) {
        assert_null(sp_zero_(views[i]));
        assert_error(SP_ERROR_STATE, "this view of an image is a copy");
        assert_non_null(sp_zero_(sp_clone(views[i])));
    }
    float values[64] = {0};
    assert_int_equal(sp_copy_in(views[0], values, sizeof values), SP_ERROR_STATE);
    assert_error(SP_ERROR_STATE, "sp_copy_in: this view");
    assert_close(sp_item(sp_sum(y)), 18 * 64, 0);
    assert_non_null(sp_zero_(sp_select(y, 1, 0))); /* a true view */
    assert_close(sp_item(sp_sum(y)), 18 * 48, 0);
}

static void test_a_gradient_may_be_changed(void **state)
{
    (void)state;
    sp_tensor *x = sp_requires_grad(sp_ones(SP_DIMS(1, 72)));
    sp_tensor *y = sp_conv2d(sp_view(x, 1, 2, 6, 6), sp_ones(SP_DIMS(4, 2, 3, 3)), SP_NONE);
    sp_backward(sp_sum(y), .retain_graph = true);
    assert_non_null(sp_zero_(sp_grad(x)));
    assert_non_null(sp_zero_(sp_list_get(sp_autograd_grad(SP_LIST(sp_sum(y)), SP_LIST(x)), 0)));
}

/* ---- holds ---- */

static void test_a_second_release(void **state)
{
    (void)state;
    sp_tensor *x = sp_ones(SP_DIMS(2)), *w = sp_requires_grad(sp_ones(SP_DIMS(2)));
    sp_tensor *h = sp_mul_scalar(w, 2), *y = sp_sum(sp_mul(h, h));
    sp_release(x);
    sp_release(x);
    assert_error(SP_ERROR_STATE, "sp_release: the object is there no more");
    assert_null(sp_keep(x));
    assert_error(SP_ERROR_STATE, "sp_keep");
    assert_null(sp_escape(x));
    assert_error(SP_ERROR_STATE, "sp_escape");
    sp_release(h);
    sp_release(h);
    assert_error(SP_ERROR_STATE, "only the graph has it still");
    assert_int_equal(sp_backward(y), SP_OK);
    assert_close(sp_item(sp_sum(sp_grad(w))), 16, 0);
}

static void *release_it(void *x)
{
    sp_error_quiet(true);
    sp_release(x);
    return sp_error_status() == SP_ERROR_STATE ? x : NULL;
}

static void test_a_release_on_another_thread(void **state)
{
    (void)state;
    sp_tensor *x = sp_ones(SP_DIMS(2));
    pthread_t thread;
    void *refused = NULL;
    assert_int_equal(pthread_create(&thread, NULL, release_it, x), 0);
    pthread_join(thread, &refused);
    assert_ptr_equal(refused, x);
    assert_close(sp_item(sp_sum(x)), 2, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_expanded_tensors),        sp_test(test_windows_that_overlap),
        sp_test(test_a_copy_in_a_views_stead), sp_test(test_a_gradient_may_be_changed),
        sp_test(test_a_second_release),        sp_test(test_a_release_on_another_thread),
    };
    return sp_test_main(tests);
}

/* Records of a program's own operators that lack something: an error that names the operator, at the call. */
#include "support/support.h"
#include <spusk/extend.h>
#include <spusk/spusk.h>

static sp_status infer_same(sp_call *call)
{
    return sp_call_output(call, 0, sp_dtype_of(call->inputs[0]), sp_sizes(call->inputs[0]));
}

static sp_status infer_nothing(sp_call *call)
{
    (void)call;
    return SP_OK;
}

static sp_status infer_too_many(sp_call *call)
{
    return sp_call_output(call, 1, SP_F32, SP_DIMS(2));
}

static sp_status forward_zero(sp_call *call)
{
    return sp_fill_(call->outputs[0], 0) ? SP_OK : sp_error_status();
}

static sp_status fail_silently(sp_call *call)
{
    (void)call;
    return SP_ERROR_STATE;
}

static sp_status backward_same(sp_grad_call *call)
{
    call->result[0] = call->grads[0];
    return SP_OK;
}

static sp_op whole(void)
{
    return (sp_op){.name = "mine",
                   .backward_name = "MineBackward0",
                   .n_inputs = 1,
                   .infer = infer_same,
                   .forward = forward_zero,
                   .backward = backward_same};
}

static void assert_refused(sp_op op, sp_status status, const char *words)
{
    int64_t live = 0;
    for (int turn = 0; turn < 2; turn++)
        SP_SCOPE {
            sp_tensor *x = sp_requires_grad(sp_vector(1, 2));
            assert_null(sp_op_apply(&op, &x, 1, NULL));
            assert_error(status, words);
            if (turn == 1) assert_int_equal(sp_memory().live_count, live);
            live = sp_memory().live_count;
        }
}

static void test_a_whole_record_works(void **state)
{
    (void)state;
    sp_op op = whole();
    sp_tensor *x = sp_requires_grad(sp_vector(1, 2));
    assert_int_equal(sp_backward(sp_sum(sp_op_apply(&op, &x, 1, NULL))), SP_OK);
    assert_close(sp_item(sp_sum(sp_grad(x))), 2, 0);
}

static void test_what_a_record_lacks_is_named(void **state)
{
    (void)state;
    sp_op op = whole();
    op.backward = NULL;
    assert_refused(op, SP_ERROR_ARGUMENT, "sp_mine: its record has a backward_name, but no backward");
    op = whole();
    op.infer = NULL;
    assert_refused(op, SP_ERROR_ARGUMENT, "sp_mine: its record has no infer");
    op = whole();
    op.forward = NULL;
    assert_refused(op, SP_ERROR_ARGUMENT, "sp_mine: its record has no forward");
    op = whole();
    op.name = NULL;
    assert_refused(op, SP_ERROR_ARGUMENT, "needs a name");
    op = whole();
    op.n_outputs = 9;
    assert_refused(op, SP_ERROR_ARGUMENT, "sp_mine: its record says 9 outputs; at most 4 are possible");
}

static void test_what_its_functions_forget_is_named(void **state)
{
    (void)state;
    sp_op op = whole();
    op.infer = infer_nothing;
    assert_refused(op, SP_ERROR_STATE, "sp_mine: its infer made no output 0");
    op.infer = infer_too_many;
    assert_refused(op, SP_ERROR_ARGUMENT, "none of number 1");
    op.infer = fail_silently;
    assert_refused(op, SP_ERROR_STATE, "sp_mine: its infer failed and raised no error");
    op = whole();
    op.forward = fail_silently;
    assert_refused(op, SP_ERROR_STATE, "sp_mine: its forward failed and raised no error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_a_whole_record_works),
        sp_test(test_what_a_record_lacks_is_named),
        sp_test(test_what_its_functions_forget_is_named),
    };
    return sp_test_main(tests);
}

/* Sizes of 0 in every operator's samples, forward and backward: an answer, whose gradients have their inputs' shapes,
 * or an error that says what was wrong; never a crash, never an error without a cause. */
#include "support/cases.h"
#include "support/support.h"
#include <spusk/spusk.h>
#include <stdlib.h>
#include <string.h>

static int64_t answers, refusals, gradients;

static bool same_shape(sp_tensor *a, sp_tensor *b)
{
    const sp_dims x = sp_sizes(a), y = sp_sizes(b);
    return x.n == y.n && memcmp(x.data, y.data, (size_t)x.n * sizeof *x.data) == 0;
}

static void expect_reason(const test_case *c)
{
    refusals++;
    if (!sp_error_status() || !strstr(sp_error_message(), "sp_") || strlen(sp_error_message()) < 20)
        fail_msg("%s: refused without a reason: '%s'", case_text(c), sp_error_message());
    sp_error_clear();
}

/* The gradients of Σy. A gradient's own operator takes what the plain one, its gradient, refuses. */
static void check_gradients(const test_case *c, sp_tensor **in, sp_tensor *y)
{
    if (!sp_needs_grad(y) || !sp_dtype_is_floating_point(sp_dtype_of(y))) return;
    if (sp_backward(sp_sum(y))) {
        if (!strstr(c->op->name, "_backward")) fail_msg("%s: backward: %s", case_text(c), sp_error_message());
        expect_reason(c);
        return;
    }
    for (int i = 0; i < c->n; i++) {
        sp_tensor *grad = c->inputs[i].grad ? sp_grad(in[i]) : NULL;
        if (grad && !same_shape(grad, in[i])) fail_msg("%s: gradient %d has another shape", case_text(c), i);
        gradients += grad != NULL;
    }
}

static void check(const test_case *c)
{
    SP_SCOPE {
        sp_tensor *in[CASE_MAX_INPUTS];
        if (!case_inputs(c, LAYOUT_CONTIGUOUS, in)) fail_msg("%s: no inputs: %s", case_text(c), sp_error_message());
        for (int i = 0; i < c->n; i++)
            if (c->inputs[i].grad) sp_requires_grad(in[i]);
        sp_tensor *y = case_sample(c)->call(in);
        if (y) {
            answers++;
            if (sp_error_status()) fail_msg("%s: an answer and an error: %s", case_text(c), sp_error_message());
            check_gradients(c, in, y);
        } else {
            expect_reason(c);
        }
    }
}

/* All dimensions of this size, in all inputs, become 0: what belongs together stays together. */
static void check_together(const test_case *plain, int64_t size)
{
    test_case c = *plain;
    for (int i = 0; i < c.n; i++)
        for (int d = 0; d < c.inputs[i].ndim; d++)
            if (c.inputs[i].sizes[d] == size) c.inputs[i].sizes[d] = 0;
    check(&c);
}

/* The sizes of a case, one after the other: together with all that are equal, and alone. */
static void check_sizes(const test_case *plain)
{
    for (int i = 0; i < plain->n; i++) {
        for (int d = 0; d < plain->inputs[i].ndim; d++) {
            test_case c = *plain;
            c.inputs[i].sizes[d] = 0;
            check(&c);
            check_together(plain, plain->inputs[i].sizes[d]);
        }
    }
}

static void test_all_operators(void **state)
{
    (void)state;
    for (int k = 0; k < sp__n_ops; k++) {
        int n;
        test_case *cases = cases_of(sp__all_ops[k], &n);
        for (int i = 0; i < n; i++)
            if (cases[i].kind == CASE_PLAIN) check_sizes(&cases[i]);
        free(cases);
    }
    assert_true(answers > 1000 && refusals > 300 && gradients > 300);
}

/* As in PyTorch, a norm of nothing is nothing. */
static void test_norms(void **state)
{
    (void)state;
    sp_tensor *images = sp_forward(sp_nn_batch_norm2d(3), sp_zeros(SP_DIMS(0, 3, 4, 4)));
    sp_tensor *rows = sp_forward(sp_nn_batch_norm1d(3), sp_zeros(SP_DIMS(0, 3)));
    sp_tensor *empty_rows = sp_layer_norm(sp_zeros(SP_DIMS(3, 0)), SP_DIMS(0), SP_NONE, SP_NONE);
    assert_no_error();
    assert_true(same_shape(images, sp_zeros(SP_DIMS(0, 3, 4, 4))));
    assert_true(same_shape(rows, sp_zeros(SP_DIMS(0, 3))));
    assert_true(same_shape(empty_rows, sp_zeros(SP_DIMS(3, 0))));
}

int main(void)
{
    const struct CMUnitTest tests[] = {sp_test(test_all_operators), sp_test(test_norms)};
    return sp_test_main(tests);
}

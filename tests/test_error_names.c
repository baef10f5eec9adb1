/* An error names the function that the user called, not one inside it; an operator of a program's own by its name. */
#include "support/support.h"
#include <spusk/extend.h>
#include <spusk/spusk.h>
#include <string.h>

static void assert_begins(sp_tensor *result, sp_status status, const char *words)
{
    assert_null(result);
    if (strncmp(sp_error_message(), words, strlen(words)) != 0) print_error("%s\n", sp_error_message());
    assert_true(strncmp(sp_error_message(), words, strlen(words)) == 0);
    assert_error(status, words);
}

static sp_tensor *ones(int64_t a, int64_t b)
{
    return sp_ones(SP_DIMS(a, b));
}

static void test_products(void **state)
{
    (void)state;
    assert_begins(sp_matmul(ones(2, 3), ones(2, 3)), SP_ERROR_SHAPE, "sp_matmul: ");
    assert_begins(sp_matmul(sp_ones(SP_DIMS(2)), sp_ones(SP_DIMS(3))), SP_ERROR_SHAPE, "sp_matmul: ");
    assert_begins(sp_matmul(ones(2, 3), sp_ones(SP_DIMS(2))), SP_ERROR_SHAPE, "sp_matmul: ");
    assert_begins(sp_matmul(sp_ones(SP_DIMS(2, 2, 3)), ones(2, 3)), SP_ERROR_SHAPE, "sp_matmul: ");
    assert_begins(sp_matmul(sp_ones(SP_DIMS(2)), sp_ones(SP_DIMS(4, 3, 3))), SP_ERROR_SHAPE, "sp_matmul: ");
    assert_begins(sp_matmul(ones(2, 2), sp_ones(SP_DIMS(2, 2), .dtype = SP_F64)), SP_ERROR_DTYPE, "sp_matmul: ");
    assert_begins(sp_mm(ones(2, 3), ones(2, 3)), SP_ERROR_SHAPE, "sp_mm: ");
}

static void test_numbers(void **state)
{
    (void)state;
    sp_tensor *leaf = sp_requires_grad(ones(2, 2)), *mask = sp_ones(SP_DIMS(2), .dtype = SP_BOOL);
    assert_begins(sp_add_scalar_(leaf, 1), SP_ERROR_STATE, "sp_add_scalar_: ");
    assert_begins(sp_pow_scalar_(leaf, 2), SP_ERROR_STATE, "sp_pow_scalar_: ");
    assert_begins(sp_mul_scalar_(sp_ones(SP_DIMS(2), .dtype = SP_I64), 0.5), SP_ERROR_DTYPE, "sp_mul_scalar_: ");
    assert_begins(sp_sub_int(mask, 1), SP_ERROR_DTYPE, "sp_sub_int: ");
    assert_begins(sp_rsub_scalar(mask, 1), SP_ERROR_DTYPE, "sp_rsub_scalar: ");
    assert_begins(sp_pow_int(NULL, 1), SP_ERROR_NULL, "sp_pow_int: argument 1 is NULL");
    assert_begins(sp_eq_scalar(NULL, 1), SP_ERROR_NULL, "sp_eq_scalar: argument 1 is NULL");
    assert_begins(sp_add(ones(1, 1), NULL), SP_ERROR_NULL, "sp_add: argument 2 is NULL");
    assert_begins(sp_add_(leaf, leaf), SP_ERROR_STATE, "sp_add_: ");
}

static void test_losses_and_reductions(void **state)
{
    (void)state;
    sp_tensor *classes = sp_zeros(SP_DIMS(3), .dtype = SP_I64), *words = sp_ones(SP_DIMS(2, 2), .dtype = SP_I64);
    assert_begins(sp_cross_entropy(ones(2, 3), classes), SP_ERROR_SHAPE, "sp_cross_entropy: ");
    assert_begins(sp_cross_entropy_weighted(ones(2, 3), classes, SP_NONE), SP_ERROR_SHAPE,
                  "sp_cross_entropy_weighted: ");
    assert_begins(sp_nll_loss_weighted(ones(2, 3), classes, SP_NONE), SP_ERROR_SHAPE, "sp_nll_loss_weighted: ");
    assert_begins(sp_mean_dim(words, 0), SP_ERROR_DTYPE, "sp_mean_dim: ");
    assert_begins(sp_std_dims(words, SP_DIMS(0)), SP_ERROR_DTYPE, "sp_std_dims: ");
}

/* ---- an operator of a program's own ---- */

static sp_status infer_swish(sp_call *call)
{
    if (sp_ndim(call->inputs[0]) == 1) return sp_raise(SP_ERROR_SHAPE, "two dimensions are wanted");
    if (sp_ndim(call->inputs[0]) == 3) return sp_raise(SP_ERROR_SHAPE, "swish: not three dimensions");
    return sp_call_output(call, 0, SP_F32, sp_sizes(call->inputs[0]));
}

static sp_status forward_swish(sp_call *call)
{
    (void)call;
    return sp_raise(SP_ERROR_ARGUMENT, "no forward today");
}

static void test_an_operator_of_a_programs_own(void **state)
{
    (void)state;
    static const sp_op swish = {.name = "swish", .n_inputs = 1, .infer = infer_swish, .forward = forward_swish};
    sp_tensor *x[] = {sp_ones(SP_DIMS(2)), ones(2, 2), sp_ones(SP_DIMS(2, 2, 2))};
    assert_begins(sp_op_apply(&swish, &x[0], 1, NULL), SP_ERROR_SHAPE, "in swish: two dimensions are wanted");
    assert_begins(sp_op_apply(&swish, &x[1], 1, NULL), SP_ERROR_ARGUMENT, "in swish: no forward today");
    assert_begins(sp_op_apply(&swish, &x[2], 1, NULL), SP_ERROR_SHAPE, "swish: not three dimensions");
    assert_begins(sp_op_apply_inplace(&swish, &x[1], 1, NULL), SP_ERROR_ARGUMENT, "in swish_: no forward today");
    assert_begins(sp_matmul(x[1], sp_ones(SP_DIMS(5))), SP_ERROR_SHAPE, "sp_matmul: ");
}

/* ---- a forward that calls itself ---- */

static sp_tensor *forward_outer(sp_module *self, sp_tensor *x)
{
    return sp_forward(sp_get_submodule(self, "inner"), x);
}

typedef struct plain {
    sp_module base;
} plain;

static sp_module *outer;

static sp_tensor *forward_inner(sp_module *self, sp_tensor *x)
{
    (void)self;
    return sp_forward(outer, x);
}

static void test_a_forward_without_end(void **state)
{
    (void)state;
    outer = &sp_module_new(plain, .name = "Outer", .forward = forward_outer)->base;
    sp_module_add(outer, "inner", &sp_module_new(plain, .name = "Inner", .forward = forward_inner)->base);
    assert_begins(
        sp_forward(outer, ones(1, 1)), SP_ERROR_STATE,
        "in inner.inner.inner.inner.inner.inner.inner.inner...inner.inner.inner.inner.inner.inner.inner.inner "
        "(Outer): sp_forward: forwards call each other 1000 deep");
    assert_int_equal(sp_error_status(), SP_OK);
    sp_module *fine = sp_nn_sequential(sp_nn_relu());
    assert_non_null(sp_forward(fine, ones(1, 1)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_products),
        sp_test(test_numbers),
        sp_test(test_losses_and_reductions),
        sp_test(test_an_operator_of_a_programs_own),
        sp_test(test_a_forward_without_end),
    };
    return sp_test_main(tests);
}

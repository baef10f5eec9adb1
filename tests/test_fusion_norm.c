/* batch_norm with ReLU, and with an addition in front of it: fused where nobody looks, plain where somebody does, and the
 * same numbers. */
#include "test_kernels.h"

#include "autograd/deferred.h"
#include "support/support.h"
#include <spusk/spusk.h>

typedef struct block {
    sp_dims shape;
    sp_dtype dtype;
    bool first;    /* channels first in memory */
    bool training; /* else by running statistics */
    bool add, add_needs_grad;
    bool plain_weights; /* none */
} block;

enum { GRADIENTS = 4 };
typedef struct outcome {
    sp_tensor *y;
    sp_tensor *of[GRADIENTS]; /* x, addend, weight, bias */
    bool computed;            /* the normalised values, which nobody wants */
} outcome;

static sp_tensor *no_change(sp_tensor *grad, void *user)
{
    (void)grad, (void)user;
    return SP_NONE;
}

static sp_tensor *image(const block *b)
{
    sp_tensor *x = sp_cast((sp_randn)(b->shape, NULL), b->dtype);
    if (b->shape.n != 4 || b->first) return sp_detach(x);
    return sp_detach(sp_permute(sp_contiguous(sp_permute(x, 0, 2, 3, 1)), 0, 3, 1, 2));
}

static sp_tensor *row(const block *b, double low)
{
    const sp_dtype dtype = b->dtype == SP_BF16 ? SP_F32 : b->dtype;
    return sp_detach(sp_cast(sp_add_scalar(sp_rand(SP_DIMS(b->shape.data[1])), low), dtype));
}

static sp_tensor *gradient_of(const sp_tensor *leaf)
{
    sp_tensor *grad = sp_grad(leaf);
    return grad == SP_NONE ? NULL : grad;
}

static outcome run(const block *b, bool hooked)
{
    sp_manual_seed(7);
    outcome result = {0};
    sp_tensor *x = sp_requires_grad(image(b)), *addend = image(b), *g = image(b);
    sp_tensor *weight = sp_requires_grad(row(b, 0.5)), *bias = sp_requires_grad(row(b, -0.5));
    sp_tensor *mean = row(b, -0.5), *var = row(b, 0.5);
    if (b->add_needs_grad) sp_requires_grad(addend);
    sp_tensor *w = b->plain_weights ? SP_NONE : weight, *c = b->plain_weights ? SP_NONE : bias;
    sp_tensor *normal = sp_batch_norm(x, mean, var, w, c, .training = b->training);
    sp_tensor *sum = b->add ? sp_add(normal, addend) : normal;
    if (hooked) sp_register_hook(normal, no_change, NULL);
    if (hooked && b->add) sp_register_hook(sum, no_change, NULL);
    result.y = sp_relu(sum);
    if (sp_backward_with(result.y, g)) fail_msg("%s", sp_error_message());
    sp_tensor *const leaves[] = {x, addend, weight, bias};
    for (int i = 0; i < GRADIENTS; i++) result.of[i] = gradient_of(leaves[i]);
    result.computed = sp__is_ready(normal);
    result.y = sp_detach(result.y);
    return result;
}

static double difference(sp_tensor *a, sp_tensor *b)
{
    return sp_item(sp_max(sp_abs(sp_sub(a, b)))) / (1e-12 + sp_item(sp_max(sp_abs(b))));
}

static void compare(const block *b, bool fused)
{
    const double rounding = b->dtype == SP_F64 ? 1e-12 : b->dtype == SP_F32 ? 1e-5 : 2e-2;
    const outcome own = run(b, false);
    EXPECT(own.computed != fused, "%s: normalised values are %s", sp_dtype_name(b->dtype),
           fused ? "there" : "not there");
    sp__set_deferral(false);
    const outcome off = run(b, false), plain = run(b, true);
    sp__set_deferral(true);
    assert_true(sp_equal(own.y, off.y) && sp_equal(own.y, plain.y));
    for (int i = 0; i < GRADIENTS; i++) {
        assert_true((own.of[i] == NULL) == (plain.of[i] == NULL));
        if (!own.of[i]) continue;
        EXPECT(sp_equal(own.of[i], off.of[i]), "gradient %d depends on the switch", i);
        EXPECT(difference(own.of[i], plain.of[i]) < rounding, "%s: gradient %d", sp_dtype_name(b->dtype), i);
    }
}

static void test_fused_equals_plain(void **state)
{
    (void)state;
    static const sp_dtype dtypes[] = {SP_F32, SP_F64, SP_BF16};
    for (int d = 0; d < 3; d++)
        for (int flags = 0; flags < 16; flags++)
            SP_SCOPE {
                block b = {.shape = SP_DIMS(5, 12, 9, 11), .dtype = dtypes[d], .training = flags & 1, .add = flags & 2};
                b.add_needs_grad = b.add && flags & 4;
                b.plain_weights = flags & 8;
                compare(&b, true);
                b.shape = SP_DIMS(70, 75);
                compare(&b, true);
            }
    assert_no_error();
}

/* Other layouts and small results run as plain operators. */
static void test_what_does_not_suit(void **state)
{
    (void)state;
    compare(&(block){.shape = SP_DIMS(5, 12, 9, 11), .dtype = SP_F32, .first = true, .training = true}, false);
    compare(&(block){.shape = SP_DIMS(5, 12, 9, 11), .dtype = SP_F32, .first = true, .add = true}, false);
    compare(&(block){.shape = SP_DIMS(2, 3, 4, 5), .dtype = SP_F32, .training = true}, false);
    assert_no_error();
}

/* An addend that is broadcast, or of another dtype, is added by the operator. */
static void test_other_addends(void **state)
{
    (void)state;
    sp_tensor *const addends[] = {sp_randn(SP_DIMS(75)), sp_randn(SP_DIMS(70, 75), .dtype = SP_F64),
                                  sp_t(sp_randn(SP_DIMS(75, 70)))};
    sp_tensor *x = sp_randn(SP_DIMS(70, 75));
    for (int i = 0; i < 3; i++) {
        sp_tensor *grads[2], *y[2];
        for (int fuse = 0; fuse < 2; fuse++) {
            sp__set_deferral(fuse);
            sp_tensor *leaf = sp_requires_grad(sp_detach(addends[i]));
            y[fuse] = sp_relu(sp_add(sp_batch_norm(x, SP_NONE, SP_NONE, SP_NONE, SP_NONE, .training = true), leaf));
            assert_int_equal(sp_backward(sp_sum(y[fuse])), SP_OK);
            grads[fuse] = sp_grad(leaf);
        }
        assert_true(sp_equal(y[0], y[1]) && sp_equal(grads[0], grads[1]));
    }
    sp__set_deferral(true);
    assert_no_error();
}

/* Gradients of gradients are those of the plain operators. */
static void test_differentiated_again(void **state)
{
    (void)state;
    sp_tensor *x = sp_requires_grad(sp_randn(SP_DIMS(80, 64), .dtype = SP_F64)), *twice[2];
    for (int fuse = 0; fuse < 2; fuse++) {
        sp__set_deferral(fuse);
        sp_tensor *y = sp_relu(sp_batch_norm(x, SP_NONE, SP_NONE, SP_NONE, SP_NONE, .training = true));
        sp_list *first = sp_autograd_grad(SP_LIST(sp_sum(sp_square(y))), SP_LIST(x), .create_graph = true);
        sp_list *second = sp_autograd_grad(SP_LIST(sp_sum(sp_square(sp_list_get(first, 0)))), SP_LIST(x));
        twice[fuse] = sp_list_get(second, 0);
    }
    sp__set_deferral(true);
    assert_true(sp_equal(twice[0], twice[1]));
    assert_no_error();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_fused_equals_plain),
        sp_test(test_what_does_not_suit),
        sp_test(test_other_addends),
        sp_test(test_differentiated_again),
    };
    return sp_test_main(tests);
}

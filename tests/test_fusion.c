/* Convolution, ReLU and max-pooling in a module of one's own: fused where nobody looks, plain where somebody does, and
 * the same numbers within rounding either way. */
#include "autograd/deferred.h"
#include "autograd/fusion.h"
#include "ops/ops.h"
#include "support/support.h"
#include <math.h>
#include <spusk/spusk.h>

typedef struct network {
    sp_module base;
    sp_tensor *w1, *b1, *w2, *b2, *w3, *b3;
    sp_tensor *sums, *rectified; /* of the last forward */
    void (*look)(struct network *net);
    int seen; /* by whoever looks */
} network;

static sp_tensor *network_forward(sp_module *self, sp_tensor *x)
{
    network *net = (network *)self;
    net->sums = sp_conv2d(x, net->w1, net->b1, .padding = 1);
    net->rectified = sp_relu(net->sums);
    if (net->look) net->look(net);
    x = sp_max_pool2d(net->rectified, 2);
    x = sp_relu(sp_conv2d(x, net->w2, net->b2));
    x = sp_relu(sp_linear(sp_flatten(x, .start_dim = 1), net->w3, net->b3));
    return sp_log_softmax(x, 1);
}

static sp_tensor *drawn(network *net, const char *name, sp_dims dims, double bound)
{
    sp_tensor *x = (sp_empty)(dims, NULL);
    return sp_module_add_parameter(&net->base, name, sp_init_uniform_(x, -bound, bound));
}

static network *build(void)
{
    sp_manual_seed(3);
    network *net = sp_module_new(network, .name = "Network", .forward = network_forward);
    if (!net) return NULL;
    SP_NO_GRAD {
        net->w1 = drawn(net, "w1", SP_DIMS(16, 3, 3, 3), 0.3);
        net->b1 = drawn(net, "b1", SP_DIMS(16), 0.3);
        net->w2 = drawn(net, "w2", SP_DIMS(32, 16, 3, 3), 0.1);
        net->b2 = drawn(net, "b2", SP_DIMS(32), 0.1);
        net->w3 = drawn(net, "w3", SP_DIMS(10, 32 * 6 * 6), 0.05);
        net->b3 = drawn(net, "b3", SP_DIMS(10), 0.05);
    }
    return net;
}

static sp_tensor *images(void)
{
    sp_manual_seed(4);
    return sp_randn(SP_DIMS(4, 3, 16, 16));
}

static sp_tensor *loss_of(network *net, sp_tensor *x)
{
    return sp_nll_loss(sp_forward(&net->base, x), sp_arange((int64_t)0, (int64_t)4, (int64_t)1));
}

/* The largest difference between two tensors, beside their size. */
static double difference(sp_tensor *a, sp_tensor *b)
{
    return sp_item(sp_max(sp_abs(sp_sub(a, b)))) / (1e-12 + sp_item(sp_max(sp_abs(b))));
}

typedef struct outcome {
    double loss;
    sp_tensor *x; /* the gradients */
    sp_tensor *of[6];
} outcome;

/* Loss and gradients of a fresh network that somebody may look into. */
static outcome run(void (*look)(network *net), bool *inner_computed)
{
    network *net = build();
    net->look = look;
    sp_tensor *x = sp_requires_grad(images()), *loss = loss_of(net, x);
    outcome result = {.loss = sp_item(loss)};
    assert_int_equal(sp_backward(loss), SP_OK);
    sp_tensor *const of[] = {net->w1, net->b1, net->w2, net->b2, net->w3, net->b3};
    for (int i = 0; i < 6; i++) result.of[i] = sp_grad(of[i]);
    result.x = sp_grad(x);
    *inner_computed = sp__is_ready(net->sums) || sp__is_ready(net->rectified);
    return result;
}

/* Every operator by itself, forward and backward. */
static void hook_nothing(network *net);
static outcome run_plain(void)
{
    bool computed;
    sp__set_deferral(false);
    const outcome plain = run(hook_nothing, &computed);
    sp__set_deferral(true);
    assert_true(computed);
    return plain;
}

static void assert_same(const outcome *a, const outcome *b)
{
    assert_close(a->loss, b->loss, 1e-5);
    for (int i = 0; i < 6; i++) assert_true(difference(a->of[i], b->of[i]) < 1e-4);
    assert_true(difference(a->x, b->x) < 1e-4);
}

/* ---- who looks ---- */

static sp_tensor *no_change(sp_tensor *grad, void *user)
{
    if (user) ++*(int *)user;
    (void)grad;
    return SP_NONE;
}

static void hook_nothing(network *net)
{
    sp_register_hook(net->sums, no_change, NULL);
    sp_register_hook(net->rectified, no_change, NULL);
}

static void hook_sums(network *net)
{
    sp_register_hook(net->sums, no_change, &net->seen);
}

static void print_rectified(network *net)
{
    char text[4096];
    net->seen = (int)sp_to_string(net->rectified, text, sizeof text);
}

static void read_sums(network *net)
{
    const float *data = sp_const_data(sp_contiguous(sp_detach(net->sums)));
    net->seen = data != NULL;
}

/* ---- tests ---- */

static void test_fused_equals_plain_and_leaves_the_inner_values_alone(void **state)
{
    (void)state;
    bool computed;
    const outcome plain = run_plain(), fused = run(NULL, &computed);
    if (strcmp(sp_isa(), "reference") != 0) assert_false(computed);
    assert_same(&fused, &plain);
}

static void test_somebody_looks_at_an_inner_value(void **state)
{
    (void)state;
    static void (*const looks[])(network *) = {hook_sums, print_rectified, read_sums};
    const outcome plain = run_plain();
    for (int i = 0; i < 3; i++) {
        bool computed;
        const outcome looked = run(looks[i], &computed);
        assert_true(computed);
        assert_same(&looked, &plain);
    }
}

/* A second reader whose gradient flows back too. */
static void test_a_second_reader_of_an_inner_value(void **state)
{
    (void)state;
    outcome both[2];
    for (int i = 0; i < 2; i++) {
        sp__set_deferral(i == 0);
        network *net = build();
        sp_tensor *x = sp_requires_grad(images()), *loss = loss_of(net, x);
        loss = sp_add(loss, sp_mul_scalar(sp_sum(sp_tanh(net->rectified)), 1e-3));
        assert_int_equal(sp_backward(loss), SP_OK);
        both[i] = (outcome){.loss = sp_item(loss), .x = sp_grad(x)};
        sp_tensor *const of[] = {net->w1, net->b1, net->w2, net->b2, net->w3, net->b3};
        for (int k = 0; k < 6; k++) both[i].of[k] = sp_grad(of[k]);
    }
    sp__set_deferral(true);
    assert_same(&both[0], &both[1]);
}

static void test_a_retained_gradient_of_an_inner_value(void **state)
{
    (void)state;
    network *net = build();
    sp_tensor *loss = loss_of(net, images());
    assert_int_equal(sp_retain_grad(net->rectified), SP_OK);
    assert_int_equal(sp_backward(loss), SP_OK);
    sp_tensor *grad = sp_grad(net->rectified);
    assert_true(grad != SP_NONE);
    assert_int_equal(sp_ndim(grad), 4);
    assert_true(sp_item(sp_max(sp_abs(grad))) > 0);
}

static void test_the_graph_serves_twice_with_retain_graph(void **state)
{
    (void)state;
    network *net = build();
    sp_tensor *loss = loss_of(net, images());
    assert_int_equal(sp_backward(loss, .retain_graph = true), SP_OK);
    sp_tensor *once = sp_clone(sp_grad(net->w1));
    assert_int_equal(sp_backward(loss), SP_OK);
    assert_true(difference(sp_grad(net->w1), sp_mul_scalar(once, 2)) < 1e-5);
}

static void test_gradients_of_gradients(void **state)
{
    (void)state;
    sp_tensor *second[2];
    for (int i = 0; i < 2; i++) {
        sp__set_deferral(i == 0);
        network *net = build();
        sp_tensor *x = sp_requires_grad(images());
        sp_list *first = sp_autograd_grad(SP_LIST(loss_of(net, x)), SP_LIST(x), .create_graph = true);
        assert_int_equal(sp_backward(sp_sum(sp_square(sp_list_get(first, 0)))), SP_OK);
        second[i] = sp_grad(net->w1);
    }
    sp__set_deferral(true);
    assert_true(difference(second[0], second[1]) < 1e-4);
}

static void test_a_gradient_asked_for_by_name(void **state)
{
    (void)state;
    const outcome plain = run_plain();
    network *net = build();
    sp_list *grads = sp_autograd_grad(SP_LIST(loss_of(net, images())), SP_LIST(net->w1, net->b1));
    assert_true(difference(sp_list_get(grads, 0), plain.of[0]) < 1e-4);
    assert_true(difference(sp_list_get(grads, 1), plain.of[1]) < 1e-4);
}

/* The inner values of the last step, read after the optimiser has changed the weights, are those of the step. */
static void test_inner_values_outlive_the_weights(void **state)
{
    (void)state;
    network *net = build();
    sp_optimizer *optimizer = sp_optim_sgd(sp_parameters(&net->base), .lr = 0.1);
    sp_tensor *x = images(), *expected = sp_clone(sp_relu(sp_conv2d(x, net->w1, net->b1, .padding = 1)));
    sp_item(sp_sum(expected));
    assert_int_equal(sp_backward(loss_of(net, x)), SP_OK);
    assert_int_equal(sp_step(optimizer), SP_OK);
    assert_true(difference(net->rectified, expected) < 1e-6);
}

static void test_other_windows_and_layouts_are_as_plain(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        sp_tensor *w[2], *y[2];
        for (int fuse = 0; fuse < 2; fuse++) {
            sp__set_deferral(fuse);
            sp_manual_seed(9);
            sp_tensor *x = sp_randn(SP_DIMS(3, 4, 21, 18));
            w[fuse] = sp_requires_grad(sp_randn(SP_DIMS(24, 4, 3, 3)));
            sp_tensor *r = sp_relu(sp_conv2d(x, w[fuse], SP_NONE, .stride = i == 3 ? 2 : 1));
            y[fuse] = i == 0   ? sp_max_pool2d(r, 3)
                      : i == 1 ? sp_max_pool2d(r, 2, .stride = 1)
                      : i == 2 ? sp_max_pool2d(r, 0, .kernel_size_hw = {2, 3}, .ceil_mode = true)
                               : sp_max_pool2d(r, 2);
            if (!fuse) sp_register_hook(r, no_change, NULL);
            assert_int_equal(sp_backward(sp_sum(sp_square(y[fuse]))), SP_OK);
        }
        assert_true(difference(y[1], y[0]) < 1e-5);
        assert_true(difference(sp_grad(w[1]), sp_grad(w[0])) < 1e-4);
    }
    sp__set_deferral(true);
}

/* The sums of a 3×3 convolution of many channels, which are taken tile by tile, do not depend on what follows them. */
static void test_a_pass_adds_in_the_order_of_the_plain_operators(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        sp_tensor *y[2], *alone = NULL;
        for (int fuse = 0; fuse < 2; fuse++) {
            sp__set_deferral(fuse);
            sp_manual_seed(9);
            sp_tensor *x = sp_randn(SP_DIMS(5, 24, 21, 18)), *w = sp_randn(SP_DIMS(40, 24, 3, 3)),
                      *b = sp_randn(SP_DIMS(40));
            sp_tensor *r = sp_relu(sp_conv2d(x, w, b, .padding = i));
            y[fuse] = i == 0 ? r : sp_max_pool2d(r, i < 3 ? 2 : 3);
            sp_item(sp_sum(y[fuse]));
            if (i > 0) continue;
            alone = sp_relu(sp_conv2d(sp_narrow(x, 0, 3, 1), w, b));
            assert_true(sp_equal(alone, sp_narrow(y[fuse], 0, 3, 1)));
        }
        assert_true(sp_equal(y[0], y[1]));
    }
    sp__set_deferral(true);
}

/* In bf16, too, forward has the bits of the plain operators: what is rounded, before or after ReLU, is the same. */
static void test_bf16_forward_has_the_plain_bits(void **state)
{
    (void)state;
    for (int i = 0; i < 6; i++) {
        sp_tensor *y[2];
        for (int fuse = 0; fuse < 2; fuse++) {
            sp__set_deferral(fuse);
            sp_manual_seed(9);
            sp_tensor *x = sp_cast(sp_randn(SP_DIMS(5, 4, 21, 18)), SP_BF16);
            sp_tensor *w = sp_cast(sp_randn(SP_DIMS(40, 4, 3, 3)), SP_BF16),
                      *b = sp_cast(sp_randn(SP_DIMS(40)), SP_BF16);
            sp_tensor *rows = sp_cast(sp_randn(SP_DIMS(300, 64)), SP_BF16);
            sp_tensor *weight = sp_cast(sp_randn(SP_DIMS(32, 64)), SP_BF16);
            sp_tensor *r = i < 4 ? sp_relu(sp_conv2d(x, w, i % 2 ? b : SP_NONE, .padding = 1))
                                 : sp_relu(sp_linear(rows, weight, i % 2 ? sp_narrow(b, 0, 0, 32) : SP_NONE));
            y[fuse] = i == 2 || i == 3 ? sp_max_pool2d(r, 2) : r;
            sp_item(sp_sum(y[fuse]));
        }
        assert_true(sp_equal(y[0], y[1]));
    }
    sp__set_deferral(true);
}

static void test_the_switch_changes_no_bit_in_f32(void **state)
{
    (void)state;
    bool computed;
    const outcome on = run(NULL, &computed);
    sp__set_deferral(false);
    const outcome off = run(NULL, &computed);
    sp__set_deferral(true);
    assert_true(on.loss == off.loss);
    assert_true(sp_equal(on.x, off.x));
    for (int i = 0; i < 6; i++) assert_true(sp_equal(on.of[i], off.of[i]));
}

static bool is_listed(const sp_op *op)
{
    for (int i = 0; i < sp__n_ops; i++)
        if (sp__all_ops[i] == op) return true;
    return false;
}

/* What the engine takes for granted of each row. */
static void test_the_table_is_sound(void **state)
{
    (void)state;
    int rows = 0;
    for (const sp__fusion *f = sp__all_fusions; f->n; f++, rows++) {
        assert_in_range(f->n, 2, SP__MOST_FUSED);
        assert_non_null(f->pays);
        assert_non_null(f->forward);
        assert_true(sp__may_begin_fusion(f->ops[0]));
        for (int i = 0; i < f->n; i++) {
            assert_true(is_listed(f->ops[i]));
            assert_in_range(f->ops[i]->n_inputs, 1, SP__MOST_DEFERRED_INPUTS);
        }
    }
    assert_true(rows > 0);
}

static bool step(void *unused)
{
    (void)unused;
    bool fine = false;
    SP_SCOPE {
        network *net = build();
        sp_tensor *loss = net && net->b3 ? loss_of(net, images()) : NULL;
        fine = loss && sp_backward(loss) == SP_OK && isfinite(sp_item(loss));
    }
    return fine;
}

static void test_each_allocation_of_a_fused_run_fails_in_turn(void **state)
{
    (void)state;
    assert_in_range(support_fail_each_allocation(step, NULL), 10, 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_fused_equals_plain_and_leaves_the_inner_values_alone),
        sp_test(test_somebody_looks_at_an_inner_value),
        sp_test(test_a_second_reader_of_an_inner_value),
        sp_test(test_a_retained_gradient_of_an_inner_value),
        sp_test(test_the_graph_serves_twice_with_retain_graph),
        sp_test(test_gradients_of_gradients),
        sp_test(test_a_gradient_asked_for_by_name),
        sp_test(test_inner_values_outlive_the_weights),
        sp_test(test_other_windows_and_layouts_are_as_plain),
        sp_test(test_a_pass_adds_in_the_order_of_the_plain_operators),
        sp_test(test_bf16_forward_has_the_plain_bits),
        sp_test(test_the_switch_changes_no_bit_in_f32),
        sp_test(test_the_table_is_sound),
        sp_test(test_each_allocation_of_a_fused_run_fails_in_turn),
    };
    return sp_test_main(tests);
}

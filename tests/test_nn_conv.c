/* Conv2d and ConvTranspose2d as modules: what they compute, how they print (the texts are PyTorch's), how they are
 * drawn, saved and rebuilt, what they refuse; and networks of them: bits, memory, lack of memory. */
#include "support/support.h"
#include <math.h>
#include <spusk/extend.h>
#include <spusk/spusk.h>
#include <stdio.h>
#include <string.h>

static void assert_text(const sp_module *module, const char *expected)
{
    char text[512];
    sp_module_to_string(module, text, sizeof text);
    assert_string_equal(text, expected);
}

/* The module prints so, computes this of x, and comes back the same from its file. */
static void check(sp_module *layer, const char *text, sp_tensor *x, sp_tensor *expected)
{
    const char *path = support_path("layer.safetensors");
    assert_text(layer, text);
    assert_true(sp_equal(sp_forward(layer, x), expected));
    assert_int_equal(sp_save_state(layer, path), SP_OK);
    sp_module *again = sp_load_module(path);
    assert_text(again, text);
    assert_true(sp_equal(sp_forward(again, x), expected));
    assert_no_error();
}

static sp_tensor *weight(sp_module *layer)
{
    return sp_module_get(layer, "weight");
}

static void test_conv2d(void **state)
{
    (void)state;
    sp_tensor *x = sp_rand(SP_DIMS(2, 4, 9, 8)), *one = sp_narrow(x, 1, 0, 1);
    sp_module *layer = sp_nn_conv2d(1, 32, 3, .padding = 1);
    check(layer, "Conv2d(1, 32, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))", one,
          sp_conv2d(one, weight(layer), sp_module_get(layer, "bias"), .padding = 1));
    layer = sp_nn_conv2d(4, 6, 0, .kernel_size_hw = {3, 5}, .stride_hw = {2, 1}, .padding_hw = {SP_ZERO, 2},
                         .dilation = 2, .groups = 2, .no_bias = true);
    check(layer,
          "Conv2d(4, 6, kernel_size=(3, 5), stride=(2, 1), padding=(0, 2), dilation=(2, 2), groups=2, bias=False)", x,
          sp_conv2d(x, weight(layer), SP_NONE, .stride_hw = {2, 1}, .padding_hw = {SP_ZERO, 2}, .dilation = 2,
                    .groups = 2));
    layer = sp_nn_conv2d(4, 5, 0, .kernel_size_hw = {3, 4}, .same = true);
    check(layer, "Conv2d(4, 5, kernel_size=(3, 4), stride=(1, 1), padding=same)", x,
          sp_conv2d(x, weight(layer), sp_module_get(layer, "bias"), .same = true));
    assert_int_equal(sp_size(sp_forward(layer, x), 3), 8);
    assert_text(sp_nn_conv2d(1, 2, 1), "Conv2d(1, 2, kernel_size=(1, 1), stride=(1, 1))");
}

static void test_conv_transpose2d(void **state)
{
    (void)state;
    sp_tensor *x = sp_rand(SP_DIMS(2, 4, 5, 3));
    sp_module *layer = sp_nn_conv_transpose2d(4, 3, 2, .stride = 2);
    check(layer, "ConvTranspose2d(4, 3, kernel_size=(2, 2), stride=(2, 2))", x,
          sp_conv_transpose2d(x, weight(layer), sp_module_get(layer, "bias"), .stride = 2));
    layer = sp_nn_conv_transpose2d(4, 6, 0, .kernel_size_hw = {3, 2}, .stride_hw = {3, 2}, .padding_hw = {1, SP_ZERO},
                                   .output_padding_hw = {2, 1}, .dilation_hw = {1, 2}, .groups = 2, .no_bias = true);
    check(layer,
          "ConvTranspose2d(4, 6, kernel_size=(3, 2), stride=(3, 2), padding=(1, 0), dilation=(1, 2), "
          "output_padding=(2, 1), groups=2, bias=False)",
          x,
          sp_conv_transpose2d(x, weight(layer), SP_NONE, .stride_hw = {3, 2}, .padding_hw = {1, SP_ZERO},
                              .output_padding_hw = {2, 1}, .dilation_hw = {1, 2}, .groups = 2));
    assert_text(sp_nn_conv_transpose2d(2, 2, 3), "ConvTranspose2d(2, 2, kernel_size=(3, 3), stride=(1, 1))");
}

/* ---- parameters ---- */

static void assert_shape(const sp_tensor *x, sp_dims dims)
{
    assert_non_null(x);
    assert_int_equal(sp_ndim(x), dims.n);
    for (int d = 0; d < dims.n; d++) assert_int_equal(sp_size(x, d), dims.data[d]);
}

static void test_names_and_shapes(void **state)
{
    (void)state;
    sp_module *model = sp_nn_sequential(sp_nn_conv2d(4, 6, 3, .groups = 2), sp_nn_conv_transpose2d(6, 8, 2));
    sp_dict *dict = sp_state_dict(model);
    const char *const names[] = {"0.weight", "0.bias", "1.weight", "1.bias"};
    const sp_dims shapes[] = {SP_DIMS(6, 2, 3, 3), SP_DIMS(6), SP_DIMS(6, 8, 2, 2), SP_DIMS(8)};
    assert_int_equal(sp_dict_length(dict), 4);
    for (int i = 0; i < 4; i++) {
        assert_string_equal(sp_dict_name(dict, i), names[i]);
        assert_shape(sp_dict_get(dict, i), shapes[i]);
        assert_true(sp_needs_grad(sp_module_get(model, names[i])));
    }
    assert_int_equal(sp_module_num_parameters(model), 6 * 2 * 9 + 6 + 6 * 8 * 4 + 8);
    assert_int_equal(sp_dict_length(sp_state_dict(sp_nn_conv2d(1, 1, 1, .no_bias = true))), 1);
}

/* Values are drawn, saved and loaded in the order of the shape, wherever they lie. */
static void test_layout_shows_nowhere(void **state)
{
    (void)state;
    sp_manual_seed(4);
    sp_module *layer = sp_nn_conv2d(4, 6, 3, .dtype = SP_F64);
    sp_manual_seed(4);
    const double bound = 1 / sqrt(36);
    sp_tensor *drawn = sp_init_uniform_(sp_empty(SP_DIMS(6, 4, 3, 3), .dtype = SP_F64), -bound, bound);
    assert_true(sp_equal(sp_detach(weight(layer)), drawn));
    assert_false(sp_is_contiguous(weight(layer)));
    assert_true(sp_is_dense(weight(layer)));
    assert_int_equal(sp_stride(weight(layer), 0), 1);
    assert_int_equal(sp_stride(weight(sp_nn_conv_transpose2d(4, 6, 3)), 1), 1);
    const char *path = support_path("weight.safetensors");
    assert_int_equal(sp_save_state(layer, path), SP_OK);
    sp_tensor *loaded = sp_dict_find(sp_load_tensors(path), "weight");
    assert_true(sp_is_contiguous(loaded));
    assert_true(sp_equal(loaded, drawn));
}

/* A network's state as PyTorch saved it: loaded, it computes the same; saved again, it is the same to the bit. */
static void test_pytorch_state(void **state)
{
    (void)state;
    sp_dict *file = sp_load_tensors(SP_TEST_DIR "/fixtures/conv.safetensors"), *given = sp_dict_new();
    static const char *const names[] = {"0.weight", "0.bias", "2.weight", "3.weight", "3.bias"};
    for (int i = 0; i < 5; i++) {
        char full[32];
        snprintf(full, sizeof full, "net.%s", names[i]);
        assert_int_equal(sp_dict_set(given, names[i], sp_dict_find(file, full)), SP_OK);
    }
    sp_module *net = sp_nn_sequential(sp_nn_conv2d(2, 6, 3, .padding = 1), sp_nn_relu(),
                                      sp_nn_conv2d(6, 4, 0, .kernel_size_hw = {2, 3}, .groups = 2, .no_bias = true),
                                      sp_nn_conv_transpose2d(4, 3, 0, .kernel_size_hw = {2, 3}, .stride = 2));
    assert_int_equal(sp_load_state_dict(net, given), SP_OK);
    sp_tensor *y = sp_detach(sp_forward(net, sp_dict_find(file, "net.x")));
    assert_true(sp_allclose(y, sp_dict_find(file, "net.y"), .rtol = 1e-5, .atol = 1e-6));
    const char *path = support_path("net.safetensors");
    assert_int_equal(sp_save_state(net, path), SP_OK);
    sp_dict *again = sp_load_tensors(path);
    for (int i = 0; i < 5; i++) {
        sp_tensor *ours = sp_dict_find(again, names[i]), *theirs = sp_dict_find(given, names[i]);
        assert_memory_equal(sp_const_data(ours), sp_const_data(theirs), (size_t)sp_numel(theirs) * sizeof(float));
    }
    assert_no_error();
}

static void test_initialisation(void **state)
{
    (void)state;
    sp_manual_seed(2);
    sp_module *conv = sp_nn_conv2d(16, 64, 3), *transposed = sp_nn_conv_transpose2d(64, 16, 3);
    sp_tensor *tensors[] = {weight(conv), sp_module_get(conv, "bias"), weight(transposed)};
    const double bound = 1 / sqrt(16 * 9);
    for (int i = 0; i < 3; i++) {
        sp_tensor *x = sp_detach(tensors[i]);
        const double most = sp_item(sp_max(sp_abs(x)));
        assert_true(most <= bound && most > (i == 1 ? 0.9 : 0.999) * bound);
        if (i != 1) assert_close(sp_item(sp_std(x)), bound / sqrt(3), 0.01 * bound);
    }
    /* fan in 16·9, fan out 64·9 */
    sp_init_kaiming_normal_(weight(conv), .nonlinearity = SP_NONLINEARITY_RELU);
    assert_close(sp_item(sp_std(sp_detach(weight(conv)))), sqrt(2.0 / (16 * 9)), 0.003);
    sp_init_kaiming_normal_(weight(conv), .mode = SP_FAN_OUT, .nonlinearity = SP_NONLINEARITY_RELU);
    assert_close(sp_item(sp_std(sp_detach(weight(conv)))), sqrt(2.0 / (64 * 9)), 0.0015);
    assert_false(sp_is_contiguous(weight(conv)));
}

#define REFUSED(words, call)                                                                                           \
    assert_null(call);                                                                                                 \
    assert_error(SP_ERROR_ARGUMENT, words)

static void test_refuses(void **state)
{
    (void)state;
    REFUSED("sp_nn_conv2d: in_channels must be 1 or more, got 0", sp_nn_conv2d(0, 1, 3));
    REFUSED("sp_nn_conv2d: out_channels must be 1 or more, got -2", sp_nn_conv2d(1, -2, 3));
    REFUSED("sp_nn_conv2d: kernel_size must be 1 or more, got 0", sp_nn_conv2d(1, 1, 0));
    REFUSED("sp_nn_conv2d: stride must be 1 or more, got 0", sp_nn_conv2d(1, 1, 3, .stride = SP_ZERO));
    REFUSED("sp_nn_conv2d: stride must be 1 or more, got 0", sp_nn_conv2d(1, 1, 3, .stride_hw = {2, 0}));
    REFUSED("sp_nn_conv2d: padding must be 0 or more, got -1", sp_nn_conv2d(1, 1, 3, .padding = -1));
    REFUSED("sp_nn_conv2d: dilation must be 1 or more, got -1", sp_nn_conv2d(1, 1, 3, .dilation = -1));
    REFUSED("sp_nn_conv2d: groups must be 1 or more, got 0", sp_nn_conv2d(1, 1, 3, .groups = SP_ZERO));
    REFUSED("in_channels (3) must be divisible by groups (2)", sp_nn_conv2d(3, 4, 3, .groups = 2));
    REFUSED("out_channels (3) must be divisible by groups (2)", sp_nn_conv_transpose2d(4, 3, 3, .groups = 2));
    REFUSED("which a stride does not", sp_nn_conv2d(1, 1, 3, .same = true, .stride = 2));
    REFUSED("two paddings", sp_nn_conv2d(1, 1, 3, .same = true, .padding = 1));
    REFUSED("output_padding must be 0 or more, got -1", sp_nn_conv_transpose2d(1, 1, 3, .output_padding = -1));
    assert_null(sp_forward(sp_nn_conv2d(1, 2, 5), sp_rand(SP_DIMS(1, 1, 4, 4))));
    assert_error(SP_ERROR_SHAPE, "larger than the padded image");
}

/* ---- networks ---- */

/* A small classifier of (N, 1, 12, 12), with a transposed convolution in it. */
static sp_module *network(void)
{
    return sp_nn_sequential(sp_nn_conv2d(1, 8, 3, .padding = 1), sp_nn_relu(), sp_nn_max_pool2d(2),
                            sp_nn_conv2d(8, 12, 3, .stride = 2, .padding = 1), sp_nn_relu(),
                            sp_nn_conv_transpose2d(12, 6, 2, .stride = 2), sp_nn_relu(), sp_nn_dropout(0.1),
                            sp_nn_flatten(), sp_nn_linear(6 * 36, 5), sp_nn_log_softmax(1));
}

static bool steps(sp_module *model, int n, int64_t batch)
{
    sp_optimizer *optimizer = sp_optim_adam(sp_parameters(model));
    sp_module *criterion = sp_nn_nll_loss();
    bool good = true;
    for (int i = 0; i < n && good; i++)
        SP_SCOPE {
            sp_tensor *x = sp_rand(SP_DIMS(batch, 1, 12, 12)), *y = sp_randint(0, 5, SP_DIMS(batch));
            sp_zero_grad(optimizer);
            sp_tensor *loss = sp_forward(criterion, sp_forward(model, x), y);
            good = sp_backward(loss) == SP_OK && sp_step(optimizer) == SP_OK && isfinite(sp_item(loss));
        }
    return good;
}

enum { ROOM = 4096 };
static int64_t weights_after_steps(int threads, float *out)
{
    int64_t n = 0;
    assert_int_equal(sp_set_num_threads(threads), SP_OK);
    SP_SCOPE {
        sp_manual_seed(8);
        sp_module *model = network();
        assert_true(steps(model, 3, 70));
        sp_list *parameters = sp_parameters(model);
        for (int64_t i = 0; i < sp_list_length(parameters); i++) {
            sp_tensor *p = sp_list_get(parameters, i);
            assert_true(n + sp_numel(p) <= ROOM);
            assert_int_equal(sp_copy_out(out + n, p, (size_t)sp_numel(p) * sizeof *out), SP_OK);
            n += sp_numel(p);
        }
    }
    return n;
}

static void test_the_same_bits_with_any_number_of_threads(void **state)
{
    (void)state;
    static float first[ROOM], other[ROOM];
    const int before = sp_num_threads(), threads[] = {2, 3, 8};
    const int64_t n = weights_after_steps(1, first);
    assert_true(n > 2000);
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
        assert_int_equal(weights_after_steps(threads[i], other), n);
        assert_memory_equal(first, other, (size_t)n * sizeof *first);
    }
    sp_set_num_threads(before);
}

static bool first_step(void *context)
{
    (void)context;
    sp_module *model = network();
    return steps(model, 1, 3) && sp_error_status() == SP_OK;
}

static void test_each_allocation_of_a_step_fails_in_turn(void **state)
{
    (void)state;
    int64_t failed = support_fail_each_allocation(first_step, NULL);
    printf("# %lld allocations failed in turn\n", (long long)failed);
    assert_in_range(failed, 100, 100000);
}

static void test_it_learns(void **state)
{
    (void)state;
    sp_manual_seed(1);
    sp_tensor *x = sp_rand(SP_DIMS(40, 1, 12, 12)), *y = sp_randint(0, 5, SP_DIMS(40));
    sp_module *model = network(), *criterion = sp_nn_nll_loss();
    sp_eval(model);
    sp_optimizer *optimizer = sp_optim_adam(sp_parameters(model), .lr = 1e-2);
    double first = 0, last = 0;
    for (int i = 0; i < 60; i++)
        SP_SCOPE {
            sp_zero_grad(optimizer);
            sp_tensor *loss = sp_forward(criterion, sp_forward(model, x), y);
            sp_backward(loss);
            sp_step(optimizer);
            last = sp_item(loss);
            if (i == 0) first = last;
        }
    assert_true(last < first / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_conv2d),
        sp_test(test_conv_transpose2d),
        sp_test(test_names_and_shapes),
        sp_test(test_layout_shows_nowhere),
        sp_test(test_pytorch_state),
        sp_test(test_initialisation),
        sp_test(test_refuses),
        sp_test(test_the_same_bits_with_any_number_of_threads),
        sp_test(test_each_allocation_of_a_step_fails_in_turn),
        sp_test(test_it_learns),
    };
    return sp_test_main(tests);
}

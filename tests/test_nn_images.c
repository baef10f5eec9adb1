/* Layers of images, normalisation and embeddings as modules: what they compute, how they print (the texts are
 * PyTorch's), how they are rebuilt, what they keep and what they refuse. */
#include "support/support.h"
#include <math.h>
#include <spusk/extend/layer.h>
#include <spusk/spusk.h>
#include <string.h>

static void assert_text(const sp_module *module, const char *expected)
{
    char text[512];
    sp_module_to_string(module, text, sizeof text);
    assert_string_equal(text, expected);
}

static sp_module *rebuilt(const sp_module *module)
{
    sp_attribute attributes[16];
    int n = sp_module_num_attributes(module);
    for (int i = 0; i < n; i++) attributes[i] = sp_module_attribute(module, i);
    return sp_module_build(sp_module_name(module), attributes, n);
}

/* The module prints so, and computes this of x, as does one made from its description. */
static void check(sp_module *layer, const char *text, sp_tensor *x, sp_tensor *expected)
{
    sp_module *again = rebuilt(layer);
    assert_text(layer, text);
    assert_text(again, text);
    assert_true(sp_equal(sp_forward(layer, x), expected));
    assert_true(sp_equal(sp_forward(again, x), expected));
    assert_no_error();
}

static void test_pooling(void **state)
{
    (void)state;
    sp_tensor *x = sp_rand(SP_DIMS(2, 3, 8, 9));
    check(sp_nn_max_pool2d(2), "MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)", x,
          sp_max_pool2d(x, 2));
    check(sp_nn_max_pool2d(0, .kernel_size_hw = {2, 3}, .stride_hw = {1, 2}),
          "MaxPool2d(kernel_size=(2, 3), stride=(1, 2), padding=0, dilation=1, ceil_mode=False)", x,
          sp_max_pool2d(x, 0, .kernel_size_hw = {2, 3}, .stride_hw = {1, 2}));
    check(sp_nn_max_pool2d(3, .stride = 2, .padding = 1, .dilation = 2, .ceil_mode = true),
          "MaxPool2d(kernel_size=3, stride=2, padding=1, dilation=2, ceil_mode=True)", x,
          sp_max_pool2d(x, 3, .stride = 2, .padding = 1, .dilation = 2, .ceil_mode = true));
    check(sp_nn_avg_pool2d(2), "AvgPool2d(kernel_size=2, stride=2, padding=0)", x, sp_avg_pool2d(x, 2));
    check(sp_nn_avg_pool2d(0, .kernel_size_hw = {2, 3}, .padding_hw = {1, SP_ZERO}, .exclude_pad = true,
                           .divisor_override = 3),
          "AvgPool2d(kernel_size=(2, 3), stride=(2, 3), padding=(1, 0))", x,
          sp_avg_pool2d(x, 0, .kernel_size_hw = {2, 3}, .padding_hw = {1, SP_ZERO}, .exclude_pad = true,
                        .divisor_override = 3));
    check(sp_nn_adaptive_avg_pool2d(1), "AdaptiveAvgPool2d(output_size=1)", x, sp_adaptive_avg_pool2d(x, 1));
    check(sp_nn_adaptive_avg_pool2d(0, .output_size_hw = {-1, 7}), "AdaptiveAvgPool2d(output_size=(None, 7))", x,
          sp_adaptive_avg_pool2d(x, 0, .output_size_hw = {-1, 7}));
}

static void test_upsampling_and_padding(void **state)
{
    (void)state;
    sp_tensor *x = sp_rand(SP_DIMS(2, 3, 5, 4));
    check(sp_nn_upsample(.scale_factor = 2), "Upsample(scale_factor=2.0, mode='nearest')", x,
          sp_interpolate(x, .scale_factor = 2));
    check(sp_nn_upsample(.output_size = 4, .mode = SP_BILINEAR), "Upsample(size=4, mode='bilinear')", x,
          sp_interpolate(x, .output_size = 4, .mode = SP_BILINEAR));
    check(sp_nn_upsample(.output_size_hw = {4, 5}, .mode = SP_BILINEAR, .align_corners = true),
          "Upsample(size=(4, 5), mode='bilinear')", x,
          sp_interpolate(x, .output_size_hw = {4, 5}, .mode = SP_BILINEAR, .align_corners = true));
    check(sp_nn_upsample(.scale_factor_hw = {2, 1.5}), "Upsample(scale_factor=(2.0, 1.5), mode='nearest')", x,
          sp_interpolate(x, .scale_factor_hw = {2, 1.5}));
    check(sp_nn_zero_pad2d(1), "ZeroPad2d((1, 1, 1, 1))", x, sp_pad(x, SP_DIMS(1, 1, 1, 1)));
    check(sp_nn_constant_pad2d(1, 3.5), "ConstantPad2d(padding=(1, 1, 1, 1), value=3.5)", x,
          sp_pad(x, SP_DIMS(1, 1, 1, 1), .value = 3.5));
    check(sp_nn_reflection_pad2d(0, .padding_lrtb = {1, 2, 3, 4}), "ReflectionPad2d((1, 2, 3, 4))", x,
          sp_pad(x, SP_DIMS(1, 2, 3, 4), .mode = SP_PAD_REFLECT));
    check(sp_nn_replication_pad2d(2), "ReplicationPad2d((2, 2, 2, 2))", x,
          sp_pad(x, SP_DIMS(2, 2, 2, 2), .mode = SP_PAD_REPLICATE));
}

static void test_dropout2d(void **state)
{
    (void)state;
    sp_module *layer = sp_nn_dropout2d(0.3);
    assert_text(layer, "Dropout2d(p=0.3, inplace=False)");
    sp_tensor *y = sp_forward(layer, sp_ones(SP_DIMS(20, 30, 2, 3)));
    sp_tensor *channels = sp_sum_dims(y, SP_DIMS(2, 3));
    const double kept = sp_item(sp_sum(sp_gt_scalar(channels, 0)));
    assert_true(kept > 350 && kept < 490);
    /* A channel is whole, or not there at all. */
    sp_tensor *whole = sp_gt_scalar(sp_abs(sp_sub_scalar(channels, 6 / 0.7)), 1e-4);
    assert_true(sp_equal(whole, sp_eq_scalar(channels, 0)));
    sp_eval(layer);
    assert_true(sp_equal(sp_forward(layer, y), y));
}

/* ---- batch norm ---- */

static sp_tensor *number(const sp_module *module, const char *name)
{
    return sp_detach(sp_module_get(module, name));
}

static void test_batch_norm_prints(void **state)
{
    (void)state;
    assert_text(sp_nn_batch_norm1d(3),
                "BatchNorm1d(3, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)");
    sp_module *bare = sp_nn_batch_norm2d(3, .cumulative = true, .no_affine = true, .no_running_stats = true);
    const char *text = "BatchNorm2d(3, eps=1e-05, momentum=None, affine=False, bias=False, track_running_stats=False)";
    assert_text(bare, text);
    assert_text(rebuilt(bare), text);
    assert_int_equal(sp_dict_length(sp_state_dict(bare)), 0);
    sp_dict *dict = sp_state_dict(sp_nn_batch_norm2d(3));
    const char *const names[] = {"weight", "bias", "running_mean", "running_var", "num_batches_tracked"};
    assert_int_equal(sp_dict_length(dict), 5);
    for (int i = 0; i < 5; i++) assert_string_equal(sp_dict_name(dict, i), names[i]);
    assert_int_equal(sp_dtype_of(sp_dict_get(dict, 4)), SP_I64);
}

/* PyTorch's numbers for torch.arange(12.).view(4, 3)**2/10 three times. */
static void test_batch_norm_moves_its_statistics(void **state)
{
    (void)state;
    sp_module *layer = sp_nn_batch_norm1d(3), *mean = sp_nn_batch_norm1d(3, .cumulative = true);
    sp_tensor *x = sp_div_scalar(sp_square(sp_reshape(sp_arange(0., 12., 1.), 4, 3)), 10);
    for (int i = 0; i < 3; i++) {
        sp_forward(layer, sp_mul_scalar(x, i + 1));
        sp_forward(mean, sp_mul_scalar(x, i + 1));
    }
    assert_int_equal(sp_item_i64(number(layer, "num_batches_tracked")), 3);
    assert_true(sp_allclose(number(layer, "running_mean"), sp_vector(1.76715, 2.32815, 3.00135), .rtol = 1e-4));
    assert_true(sp_allclose(number(layer, "running_var"), sp_vector(18.47043, 26.51643, 36.17163), .rtol = 1e-4));
    assert_true(sp_allclose(number(mean, "running_mean"), sp_vector(6.3, 8.3, 10.7), .rtol = 1e-5));
    sp_eval(layer);
    sp_tensor *expected = sp_div(sp_sub(x, number(layer, "running_mean")),
                                 sp_sqrt(sp_add_scalar(number(layer, "running_var"), 1e-5)));
    assert_true(sp_allclose(sp_detach(sp_forward(layer, x)), expected, .rtol = 1e-5, .atol = 1e-6));
    assert_int_equal(sp_item_i64(number(layer, "num_batches_tracked")), 3);
    assert_no_error();
}

static void test_batch_norm_refuses(void **state)
{
    (void)state;
    sp_module *layer = sp_nn_batch_norm2d(3);
    assert_refuses(SP_ERROR_SHAPE, "running_mean is float32 [3] for 4 channels",
                   sp_forward(layer, sp_ones(SP_DIMS(2, 4, 5, 5))));
    assert_refuses(SP_ERROR_SHAPE, "BatchNorm2d: expects (N, C, H, W), got a tensor of 2 dimensions",
                   sp_forward(layer, sp_ones(SP_DIMS(2, 3))));
    assert_refuses(SP_ERROR_SHAPE, "one value to a channel has no variance",
                   sp_forward(layer, sp_ones(SP_DIMS(1, 3, 1, 1))));
    /* Nothing has moved. */
    assert_int_equal(sp_item_i64(number(layer, "num_batches_tracked")), 0);
    assert_true(sp_equal(number(layer, "running_mean"), sp_zeros(SP_DIMS(3))));
    assert_refuses(SP_ERROR_ARGUMENT, "num_features must not be negative", sp_nn_batch_norm1d(-1));
    assert_refuses(SP_ERROR_ARGUMENT, "without .training it needs running_mean and running_var",
                   sp_batch_norm(sp_ones(SP_DIMS(2, 3)), SP_NONE, SP_NONE, SP_NONE, SP_NONE));
    assert_refuses(
        SP_ERROR_SHAPE, "weight has shape [2], and must have [3]",
        sp_batch_norm(sp_ones(SP_DIMS(2, 3)), SP_NONE, SP_NONE, sp_ones(SP_DIMS(2)), SP_NONE, .training = true));
}

static void test_numbers_that_norms_refuse(void **state)
{
    (void)state;
    sp_tensor *x = sp_ones(SP_DIMS(2, 3)), *mean = sp_zeros(SP_DIMS(3)), *var = sp_ones(SP_DIMS(3));
#define REFUSES(words, call)                                                                                           \
    assert_null(call);                                                                                                 \
    assert_error(SP_ERROR_ARGUMENT, words)
    REFUSES("sp_batch_norm: eps must not be negative, not -1",
            sp_batch_norm(x, mean, var, SP_NONE, SP_NONE, .eps = -1));
    REFUSES("sp_batch_norm: eps must be finite, not inf",
            sp_batch_norm(x, mean, var, SP_NONE, SP_NONE, .eps = INFINITY));
    REFUSES("sp_batch_norm: eps must be more than 0 in training, not 0",
            sp_batch_norm(x, mean, var, SP_NONE, SP_NONE, .eps = SP_ZERO, .training = true));
    REFUSES("sp_batch_norm: momentum must be finite, not nan",
            sp_batch_norm(x, mean, var, SP_NONE, SP_NONE, .momentum = NAN, .training = true));
    REFUSES("sp_layer_norm: eps must not be negative, not -1",
            sp_layer_norm(x, SP_DIMS(3), SP_NONE, SP_NONE, .eps = -1));
    REFUSES("sp_layer_norm: eps must be finite, not nan", sp_layer_norm(x, SP_DIMS(3), SP_NONE, SP_NONE, .eps = NAN));
    REFUSES("eps must be finite and 0 or more", sp_nn_batch_norm1d(3, .eps = INFINITY));
    REFUSES("sp_nn_layer_norm: eps must be 0 or more, got -1", sp_nn_layer_norm(SP_DIMS(3), .eps = -1));
#undef REFUSES
    assert_non_null(sp_layer_norm(x, SP_DIMS(3), SP_NONE, SP_NONE, .eps = SP_ZERO));
    assert_true(sp_equal(mean, sp_zeros(SP_DIMS(3))) && sp_equal(var, sp_ones(SP_DIMS(3))));
}

/* Both ways to the gradient, by a kernel and by operators, give the same. */
static void test_batch_norm_gradients_agree(void **state)
{
    (void)state;
    sp_module *layer = sp_nn_batch_norm2d(3);
    sp_tensor *x = sp_requires_grad(sp_rand(SP_DIMS(4, 3, 5, 6))), *w = sp_rand(SP_DIMS(4, 3, 5, 6));
    for (int mode = 0; mode < 2; mode++) {
        sp_tensor *weight = sp_module_get(layer, "weight"), *bias = sp_module_get(layer, "bias");
        sp_tensor *y = sp_forward(layer, x);
        sp_list *kernel = sp_autograd_grad_with(SP_LIST(y), SP_LIST(x, weight, bias), SP_LIST(w), .retain_graph = true);
        sp_list *plain = sp_autograd_grad_with(SP_LIST(y), SP_LIST(x, weight, bias), SP_LIST(w), .create_graph = true);
        for (int i = 0; i < 3; i++)
            assert_true(
                sp_allclose(sp_list_get(kernel, i), sp_detach(sp_list_get(plain, i)), .rtol = 1e-4, .atol = 1e-5));
        sp_eval(layer);
    }
    assert_no_error();
}

/* ---- layer norm, embedding ---- */

static void test_layer_norm(void **state)
{
    (void)state;
    sp_tensor *x = sp_rand(SP_DIMS(2, 4, 5));
    sp_module *layer = sp_nn_layer_norm(SP_DIMS(5));
    check(layer, "LayerNorm((5,), eps=1e-05, elementwise_affine=True, bias=True)", x,
          sp_layer_norm(x, SP_DIMS(5), sp_ones(SP_DIMS(5)), sp_zeros(SP_DIMS(5))));
    check(sp_nn_layer_norm(SP_DIMS(4, 5), .no_affine = true, .eps = 0.01),
          "LayerNorm((4, 5), eps=0.01, elementwise_affine=False, bias=False)", x,
          sp_layer_norm(x, SP_DIMS(4, 5), SP_NONE, SP_NONE, .eps = 0.01));
    assert_int_equal(sp_module_num_parameters(sp_nn_layer_norm(SP_DIMS(4, 5), .no_bias = true)), 20);
    assert_refuses(SP_ERROR_SHAPE, "normalized_shape [5] is not how shape [2, 4] ends",
                   sp_forward(layer, sp_rand(SP_DIMS(2, 4))));
    assert_refuses(SP_ERROR_ARGUMENT, "1 to 8 sizes, got 0", sp_nn_layer_norm(SP_DIMS()));
}

static void test_embedding(void **state)
{
    (void)state;
    sp_manual_seed(4);
    sp_module *layer = sp_nn_embedding(5, 3, .padding_idx = -1), *first = sp_nn_embedding(5, 3, .padding_idx = SP_ZERO);
    assert_text(layer, "Embedding(5, 3, padding_idx=4)");
    assert_text(rebuilt(layer), "Embedding(5, 3, padding_idx=4)");
    assert_text(first, "Embedding(5, 3, padding_idx=0)");
    assert_text(rebuilt(first), "Embedding(5, 3, padding_idx=0)");
    assert_text(sp_nn_embedding(10, 3), "Embedding(10, 3)");
    sp_tensor *weight = sp_module_get(layer, "weight"), *index = sp_reshape(sp_vector_i64(1, 4, 1, 0), 2, 2);
    sp_tensor *y = sp_forward(layer, index);
    assert_true(sp_equal(sp_detach(sp_select(sp_select(y, 0, 0), 0, 0)), sp_detach(sp_select(weight, 0, 1))));
    assert_true(sp_item(sp_any(sp_select(sp_select(y, 0, 0), 0, 1))) == 0);
    sp_backward(sp_sum(y));
    sp_tensor *counts = sp_expand(sp_reshape(sp_vector(1, 2, 0, 0, 0), 5, 1), 5, 3);
    assert_true(sp_equal(sp_grad(weight), sp_contiguous(counts)));
    assert_no_error();
    assert_refuses(SP_ERROR_ARGUMENT, "index 5 is out of range", sp_forward(layer, sp_vector_i64(5)));
    assert_refuses(SP_ERROR_ARGUMENT, "padding_idx is none of the 5 rows", sp_nn_embedding(5, 3, .padding_idx = 5));
    assert_refuses(SP_ERROR_ARGUMENT, "padding_idx is none of the 5 rows", sp_nn_embedding(5, 3, .padding_idx = -6));
}

static void test_layers_refuse(void **state)
{
    (void)state;
#define REFUSES(words, call)                                                                                           \
    assert_null(call);                                                                                                 \
    assert_error(SP_ERROR_ARGUMENT, words)
    REFUSES("must be 1 or more, got 2, 0, 1", sp_nn_max_pool2d(2, .stride = SP_ZERO));
    REFUSES("half the window (1), got 2", sp_nn_max_pool2d(2, .padding = 2));
    REFUSES("half the window (1), got 3", sp_nn_avg_pool2d(2, .padding_hw = {1, 3}));
    REFUSES("needs .output_size or .scale_factor", sp_nn_upsample());
    REFUSES("a size must be 0 or more", sp_nn_adaptive_avg_pool2d(-2));
    REFUSES("must be 0 or more, got -1", sp_nn_reflection_pad2d(-1));
    REFUSES("p must be between 0 and 1", sp_nn_dropout2d(2));
#undef REFUSES
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_pooling),
        sp_test(test_upsampling_and_padding),
        sp_test(test_dropout2d),
        sp_test(test_batch_norm_prints),
        sp_test(test_batch_norm_moves_its_statistics),
        sp_test(test_batch_norm_refuses),
        sp_test(test_numbers_that_norms_refuse),
        sp_test(test_batch_norm_gradients_agree),
        sp_test(test_layer_norm),
        sp_test(test_embedding),
        sp_test(test_layers_refuse),
    };
    return sp_test_main(tests);
}

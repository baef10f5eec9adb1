/* Descriptions of networks that are not believed: what they tell of must stand in the file before it is built; and very
 * long and very deep ones. */
#include "support/support.h"
#include <spusk/extend.h>
#include <spusk/spusk.h>
#include <spusk/train.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- outlines ---- */

static sp_module *all_with_tensors(void)
{
    return sp_nn_sequential(sp_nn_linear(3, 2), sp_nn_linear(2, 4, .no_bias = true),
                            sp_nn_conv2d(4, 6, 3, .groups = 2, .padding = 1), sp_nn_conv2d(6, 2, 1, .no_bias = true),
                            sp_nn_conv_transpose2d(2, 4, 2, .stride = 2, .groups = 2), sp_nn_batch_norm1d(3),
                            sp_nn_batch_norm2d(4, .no_affine = true), sp_nn_batch_norm2d(4, .no_running_stats = true),
                            sp_nn_layer_norm(SP_DIMS(2, 3)), sp_nn_layer_norm(SP_DIMS(3), .no_bias = true),
                            sp_nn_embedding(5, 2, .padding_idx = 1), sp_nn_relu());
}

static void check_shapes(const sp_module *outline, const sp_module *whole)
{
    sp_outline_tensor tensors[SP_OUTLINE_TENSORS];
    const sp_dict *state = sp_state_dict(whole);
    const int n = sp_module_outline_tensors(outline, tensors);
    assert_int_equal(n, sp_dict_length(state));
    for (int i = 0; i < n; i++) {
        const sp_tensor *x = sp_dict_get(state, i);
        assert_string_equal(tensors[i].name, sp_dict_name(state, i));
        assert_int_equal(tensors[i].whole, !sp_dtype_is_floating_point(sp_dtype_of(x)));
        assert_int_equal(tensors[i].n_dims, sp_ndim(x));
        for (int d = 0; d < sp_ndim(x); d++) assert_int_equal(tensors[i].dims[d], sp_size(x, d));
    }
    assert_int_equal(sp_module_outline_tensors(whole, tensors), 0);
}

static void test_outlines(void **state)
{
    (void)state;
    char json[4096], printed[4096], again[4096];
    sp_module *whole = all_with_tensors();
    assert_true(sp_module_to_json(whole, json, sizeof json) < sizeof json);
    sp_module *outline = sp_module_outline_from_json(json);
    sp_module_to_string(whole, printed, sizeof printed);
    sp_module_to_string(outline, again, sizeof again);
    assert_string_equal(again, printed);
    for (int i = 0; i < sp_module_num_children(whole); i++)
        check_shapes(sp_module_child(outline, i), sp_module_child(whole, i));
    assert_null(sp_forward(outline, sp_rand(SP_DIMS(1, 3))));
    assert_error(SP_ERROR_STATE, "incomplete");
    assert_null(sp_state_dict(outline));
    assert_error(SP_ERROR_STATE, "incomplete");
}

/* ---- the text of options, which files of every version share ---- */

static void test_options_as_text(void **state)
{
    (void)state;
    char text[512], again[512];
    const struct {
        sp_module *module;
        const char *json;
    } rows[] = {
        {sp_nn_relu(), "{\"type\":\"ReLU\"}"},
        {sp_nn_dropout(0.25), "{\"type\":\"Dropout\",\"options\":{\"p\":0.25}}"},
        {sp_nn_conv2d(4, 6, 0, .kernel_size_hw = {3, 5}, .dilation_hw = {2, 1}, .same = true),
         "{\"type\":\"Conv2d\",\"options\":{\"in_channels\":4,\"out_channels\":6,\"kernel_size\":3,\"kernel_size_w\":5,"
         "\"stride\":1,\"padding\":0,\"dilation\":2,\"dilation_w\":1,\"groups\":1,\"bias\":true,\"same\":true}}"},
        {sp_nn_max_pool2d(2, .padding_hw = {1, SP_ZERO}), "{\"type\":\"MaxPool2d\",\"options\":{\"kernel_size\":2,"
                                                          "\"stride\":2,\"padding\":1,\"padding_w\":0,\"dilation\":1,"
                                                          "\"ceil_mode\":false}}"},
        {sp_nn_upsample(.scale_factor_hw = {2, 2.5}), "{\"type\":\"Upsample\",\"options\":{\"size\":0,\"scale_factor\":"
                                                      "2.0,\"scale_factor_w\":2.5,\"bilinear\":false,"
                                                      "\"align_corners\":false}}"},
        {sp_nn_unflatten(0, SP_DIMS(2, 3)), "{\"type\":\"Unflatten\",\"options\":{\"dim\":0,\"size0\":2,\"size1\":3}}"},
        {sp_nn_layer_norm(SP_DIMS(7), .eps = SP_ZERO),
         "{\"type\":\"LayerNorm\",\"options\":{\"eps\":0.0,\"elementwise_affine\":true,\"bias\":true,\"size_0\":7}}"},
        {sp_nn_embedding(5, 2, .padding_idx = -1),
         "{\"type\":\"Embedding\",\"options\":{\"num_embeddings\":5,\"embedding_dim\":2,\"padding_idx\":4}}"},
        {sp_nn_cross_entropy_loss_weighted(sp_ones(SP_DIMS(3)), .ignore_index = 9007199254740993),
         "{\"type\":\"CrossEntropyLoss\",\"options\":{\"reduction\":0,\"ignore_index\":9007199254740993,"
         "\"label_smoothing\":0.0,\"weight\":3}}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_true(sp_module_to_json(rows[i].module, text, sizeof text) < sizeof text);
        assert_string_equal(text, rows[i].json);
        assert_true(sp_module_to_json(sp_module_from_json(text), again, sizeof again) < sizeof again);
        assert_string_equal(again, text);
    }
    assert_no_error();
}

/* ---- what the file does not have ---- */

/* A file with that description and one tensor. */
static const char *described_file(const char *description, const char *name, sp_tensor *x)
{
    const char *path = support_path("described.safetensors");
    const char *const metadata[] = {"spusk.model", description, NULL};
    sp_dict *tensors = sp_dict_new();
    assert_int_equal(sp_dict_set(tensors, name, x), SP_OK);
    assert_int_equal(sp_save_tensors(tensors, path, metadata), SP_OK);
    return path;
}

/* Ten layers of 1.6 GB each in a file of less than 2 KB. */
static void test_large_layers_in_a_small_file(void **state)
{
    (void)state;
    char text[2048] = "{\"type\":\"Sequential\",\"children\":[", printed[2048];
    for (int i = 0; i < 10; i++) {
        const size_t used = strlen(text);
        snprintf(text + used, sizeof text - used,
                 "%s{\"name\":\"%d\",\"type\":\"Linear\",\"options\":{\"in_features\":20000,\"out_features\":20000}}",
                 i ? "," : "", i);
    }
    snprintf(text + strlen(text), sizeof text - strlen(text), "]}");
    const char *path = described_file(text, "0.bias", sp_zeros(SP_DIMS(20000)));
    sp_reset_peak_memory();
    assert_null(sp_load_module(path));
    assert_error(SP_ERROR_NOT_FOUND, "\"0.weight\", a tensor of its network, is missing");
    sp_module *outline = sp_module_outline_from_json(text);
    assert_true(sp_module_to_string(outline, printed, sizeof printed) > 500);
    assert_true(sp_memory().peak_bytes < 1 << 20);
}

static void test_shapes_and_kinds(void **state)
{
    (void)state;
    const char *json = "{\"type\":\"Embedding\",\"options\":{\"num_embeddings\":20000,\"embedding_dim\":20000}}";
    sp_reset_peak_memory();
    assert_null(sp_load_module(described_file(json, "weight", sp_zeros(SP_DIMS(2, 20000)))));
    assert_error(SP_ERROR_SHAPE, "\"weight\" has another shape in the file");
    assert_null(sp_load_module(described_file(json, "weight", sp_zeros(SP_DIMS(20000)))));
    assert_error(SP_ERROR_SHAPE, "\"weight\" has another shape in the file");
    assert_true(sp_memory().peak_bytes < 1 << 20);
    json = "{\"type\":\"Embedding\",\"options\":{\"num_embeddings\":2,\"embedding_dim\":3}}";
    assert_null(sp_load_module(described_file(json, "weight", sp_zeros(SP_DIMS(2, 3), .dtype = SP_U8))));
    assert_error(SP_ERROR_DTYPE, "\"weight\" is uint8 in the file");
    assert_non_null(sp_load_module(described_file(json, "weight", sp_zeros(SP_DIMS(2, 3), .dtype = SP_F64))));
    assert_null(sp_load_module(described_file("{\"type\":\"ReLU\"}", "weight", sp_zeros(SP_DIMS(1)))));
    assert_error(SP_ERROR_NOT_FOUND, "weight");
}

/* ---- very long, very deep ---- */

static void test_a_long_network(void **state)
{
    (void)state;
    enum { MANY = 100000, LAYERS = 4000 };
    const char *path = support_path("long.safetensors");
    sp_module **list = malloc((MANY + 1) * sizeof *list);
    assert_non_null(list);
    for (int i = 0; i < MANY; i++) list[i] = i % (MANY / LAYERS) ? sp_nn_relu() : sp_nn_linear(1, 1);
    list[MANY] = sp_last_module_;
    sp_module *module = sp_nn_sequential_until(list);
    free(list);
    assert_int_equal(sp_save_state(module, path), SP_OK);
    const sp_module *again = sp_load_module(path);
    assert_int_equal(sp_module_num_children(again), MANY);
    assert_int_equal(sp_dict_length(sp_state_dict(again)), 2 * LAYERS);
    assert_no_error();
}

/* Each inside another, the innermost first. */
static sp_module *nested(int levels)
{
    sp_module *module = sp_nn_linear(1, 1);
    for (int i = 1; module && i < levels; i++) module = sp_nn_sequential(module);
    return module;
}

static void test_a_deep_network(void **state)
{
    (void)state;
    const char *path = support_path("deep.safetensors");
    assert_int_equal(sp_save_state(nested(1000), path), SP_OK);
    const sp_module *again = sp_load_module(path);
    assert_int_equal(sp_dict_length(sp_state_dict(again)), 2);
    sp_module *trained = nested(1000);
    sp_optimizer *optimizer = sp_optim_sgd(sp_parameters(trained));
    sp_scheduler *scheduler = sp_lr_scheduler_step_lr(optimizer, 1);
    assert_int_equal(sp_save_checkpoint(trained, optimizer, scheduler, 7, path), SP_OK);
    assert_int_equal(sp_load_checkpoint(trained, optimizer, scheduler, path), 7);
    assert_null(nested(1001));
    assert_error(SP_ERROR_ARGUMENT, "modules would be nested 1001 deep; 1000 is the most");
    /* Counted from the outermost, wherever the new one is added. */
    sp_module *outermost = nested(998), *innermost = outermost;
    while (sp_module_num_children(innermost) > 0 && sp_module_num_children(sp_module_child(innermost, 0)) > 0)
        innermost = sp_module_child(innermost, 0);
    assert_non_null(sp_module_add(innermost, "fits", nested(3)));
    assert_null(sp_module_add(innermost, "deep", nested(4)));
    assert_error(SP_ERROR_ARGUMENT, "nested 1001 deep");
    assert_null(sp_nn_sequential(outermost));
    assert_error(SP_ERROR_ARGUMENT, "nested 1001 deep");
}

/* A type of a program's own may have any number of options. */
static void test_many_options(void **state)
{
    (void)state;
    enum { MANY = 200000 };
    char *text = malloc(MANY * 16);
    assert_non_null(text);
    size_t n = (size_t)sprintf(text, "{\"type\":\"Mine\",\"options\":{\"first\":0");
    for (int i = 0; i < MANY; i++) n += (size_t)sprintf(text + n, ",\"%d\":1", i);
    sprintf(text + n, "},\"children\":[{\"name\":\"0\",\"type\":\"ReLU\"}]}");
    const sp_module *module = sp_module_from_json(text);
    free(text);
    assert_int_equal(sp_module_num_attributes(module), MANY + 1);
    assert_no_error();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_outlines),         sp_test(test_options_as_text), sp_test(test_large_layers_in_a_small_file),
        sp_test(test_shapes_and_kinds), sp_test(test_a_long_network),  sp_test(test_a_deep_network),
        sp_test(test_many_options),
    };
    return sp_test_main(tests);
}

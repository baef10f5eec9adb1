/* Networks in files: state and description together, and what does not fit. */
#include "support/support.h"
#include <math.h>
#include <spusk/extend/layer.h>
#include <spusk/spusk.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static sp_module *network(void)
{
    return sp_nn_sequential(sp_nn_flatten(), sp_nn_linear(6, 4), sp_nn_leaky_relu(.negative_slope = 0.3),
                            sp_nn_dropout(0.25), sp_nn_sequential(sp_nn_linear(4, 3, .no_bias = true), sp_nn_gelu()),
                            sp_nn_log_softmax(1));
}

static size_t file_size(const char *path, char *to, size_t room)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t n = fread(to, 1, room, file);
    fclose(file);
    return n;
}

static void test_description(void **state)
{
    (void)state;
    char json[512], printed[512], again[512];
    sp_module *module = sp_nn_sequential(sp_nn_linear(2, 3), sp_nn_relu());
    const char *expected = "{\"type\":\"Sequential\",\"children\":[{\"name\":\"0\",\"type\":\"Linear\",\"options\":"
                           "{\"in_features\":2,\"out_features\":3,\"bias\":true}},{\"name\":\"1\",\"type\":\"ReLU\"}]}";
    assert_int_equal(sp_module_to_json(module, json, sizeof json), strlen(expected));
    assert_string_equal(json, expected);
    assert_int_equal(sp_module_to_json(module, json, 10), strlen(expected));
    assert_string_equal(json, "{\"type\":\"");

    module = network();
    assert_true(sp_module_to_json(module, NULL, 0) > sizeof json);
    char *text = malloc(2000);
    sp_module_to_json(module, text, 2000);
    sp_module_to_string(module, printed, sizeof printed);
    sp_module_to_string(sp_module_from_json(text), again, sizeof again);
    free(text);
    assert_string_equal(printed, again);
    assert_no_error();
}

static void test_save_and_rebuild(void **state)
{
    (void)state;
    const char *path = support_path("net.safetensors");
    sp_module *module = network();
    sp_tensor *x = sp_rand(SP_DIMS(5, 2, 3));
    assert_int_equal(sp_save_state(module, path), SP_OK);
    sp_module *again = sp_load_module(path);
    assert_non_null(again);
    sp_eval(module);
    sp_eval(again);
    assert_true(sp_equal(sp_forward(module, x), sp_forward(again, x)));
    sp_module *other = network();
    assert_int_equal(sp_load_state(other, path), SP_OK);
    sp_eval(other);
    assert_true(sp_equal(sp_forward(module, x), sp_forward(other, x)));
    char format[8];
    assert_int_equal(sp_load_metadata(path, "format", format, sizeof format), 2);
    assert_string_equal(format, "pt");
}

/* Each module in its own type: a network in f64 with a layer in bf16. */
static void test_types_come_back(void **state)
{
    (void)state;
    const char *path = support_path("types.safetensors");
    sp_module *module = sp_nn_sequential(sp_nn_linear(2, 2), sp_nn_relu(), sp_nn_linear(2, 2), sp_nn_linear(2, 1));
    assert_int_equal(sp_module_cast(module, SP_F64), SP_OK);
    assert_int_equal(sp_module_cast(sp_module_child(module, 2), SP_BF16), SP_OK);
    assert_int_equal(sp_module_cast(sp_module_child(module, 3), SP_F32), SP_OK);
    assert_int_equal(sp_save_state(module, path), SP_OK);
    sp_module *again = sp_load_module(path);
    sp_dict *before = sp_state_dict(module), *after = sp_state_dict(again);
    assert_int_equal(sp_dict_length(after), 6);
    for (int64_t i = 0; i < sp_dict_length(after); i++) {
        assert_int_equal(sp_dtype_of(sp_dict_get(after, i)), sp_dtype_of(sp_dict_get(before, i)));
        assert_true(sp_equal(sp_dict_get(after, i), sp_dict_get(before, i)));
    }
    char json[512];
    sp_module_to_json(sp_module_child(module, 2), json, sizeof json);
    assert_string_equal(json, "{\"type\":\"Linear\",\"options\":{\"in_features\":2,\"out_features\":2,\"bias\":true},"
                              "\"dtype\":\"bfloat16\"}");
    assert_no_error();
}

static void test_equal_networks_equal_files(void **state)
{
    (void)state;
    static char a[4096], b[4096];
    char first[512];
    snprintf(first, sizeof first, "%s", support_path("a"));
    const char *second = support_path("b");
    sp_manual_seed(3);
    sp_save_state(network(), first);
    sp_manual_seed(3);
    sp_save_state(network(), second);
    size_t n = file_size(first, a, sizeof a);
    assert_int_equal(n, file_size(second, b, sizeof b));
    assert_memory_equal(a, b, n);
}

static void test_numbers_that_json_has_not(void **state)
{
    (void)state;
    char json[256];
    sp_module *module = sp_nn_leaky_relu(.negative_slope = (double)INFINITY);
    if (!module) {
        sp_error_clear();
        skip_because("a leaky ReLU takes no infinite slope");
    }
    sp_module_to_json(module, json, sizeof json);
    assert_non_null(strstr(json, "\"Infinity\""));
    sp_module_from_json(json);
    assert_no_error();
}

/* ---- what does not fit ---- */

static void test_does_not_fit(void **state)
{
    (void)state;
    const char *path = support_path("net.safetensors");
    sp_save_state(sp_nn_sequential(sp_nn_linear(2, 3)), path);
    sp_module *other = sp_nn_sequential(sp_nn_linear(3, 2));
    sp_tensor *before = sp_clone(sp_module_get(other, "0.weight"));
    assert_int_not_equal(sp_load_state(other, path), SP_OK);
    assert_error(SP_ERROR_SHAPE, "0.weight");
    assert_true(sp_equal(before, sp_module_get(other, "0.weight")));
    assert_int_not_equal(sp_load_state(sp_nn_linear(2, 3), path), SP_OK);
    assert_int_not_equal(sp_error_clear(), SP_OK);
}

static void test_no_description(void **state)
{
    (void)state;
    const char *path = SP_TEST_DIR "/fixtures/safetensors/reference.safetensors";
    assert_null(sp_load_module(path));
    assert_error(SP_ERROR_NOT_FOUND, "does not describe its network");
    assert_null(sp_load_module(support_path("absent")));
    assert_error(SP_ERROR_NOT_FOUND, "absent");
}

static void test_description_that_lies(void **state)
{
    (void)state;
    static const struct {
        const char *json, *words;
    } lies[] = {
        {"", "not right JSON"},
        {"{\"type\":\"ReLU\"", "not right JSON"},
        {"3", "not right JSON"},
        {"[]", "without a type"},
        {"{}", "without a type"},
        {"{\"type\":3}", "without a type"},
        {"{\"type\":\"ReLU\",\"dtype\":3}", "no floating dtype, but another, for ReLU"},
        {"{\"type\":\"ReLU\",\"dtype\":\"int64\"}", "no floating dtype, but another, for ReLU"},
        {"{\"type\":\"ReLU\",\"options\":[]}", "options are not an object in ReLU"},
        {"{\"type\":\"Sequential\",\"children\":{}}", "children are not a list"},
        {"{\"type\":\"Sequential\",\"children\":[{\"type\":\"ReLU\"}]}", "without a name"},
        {"{\"type\":\"LeakyReLU\",\"options\":{\"negative_slope\":\"much\"}}", "negative_slope"},
        {"{\"type\":\"LeakyReLU\",\"options\":{\"negative_slope\":null}}", "negative_slope"},
        {"{\"type\":\"LeakyReLU\",\"options\":{\"slope\":1.5}}", "slope"},
        {"{\"type\":\"Wonder\"}", "Wonder"},
        {"{\"type\":\"Linear\"}", "Linear"},
        {"{\"type\":\"Linear\",\"options\":{\"in_features\":-1,\"out_features\":3}}", "in_features"},
    };
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        assert_null(sp_module_from_json(lies[i].json));
        if (!strstr(sp_error_message(), lies[i].words)) fail_msg("%s: %s", lies[i].json, sp_error_message());
        assert_int_not_equal(sp_error_clear(), SP_OK);
    }
}

/* A type of the user's comes back as its parts; what it does with them only the user knows. */
typedef struct {
    sp_module base;
} mine;

static sp_tensor *mine_forward(sp_module *self, sp_tensor *x)
{
    (void)self;
    return x;
}

static sp_module *new_mine(const char *first, const char *second)
{
    mine *m = sp_module_new(mine, .name = "Mine", .forward = mine_forward);
    sp_module_set_int(&m->base, "code", 2);
    sp_module_set_bool(&m->base, "deep", true);
    sp_module_set_number(&m->base, "rate", 0.5);
    sp_module_add(&m->base, first, sp_nn_sequential(sp_nn_linear(3, 2), sp_nn_relu()));
    sp_module_add(&m->base, second, sp_nn_linear(2, 3));
    return &m->base;
}

static void test_types_of_ones_own(void **state)
{
    (void)state;
    const char *path = support_path("mine.safetensors");
    char printed[512], again[512];
    sp_module *m = new_mine("part", "rest");
    assert_int_equal(sp_save_state(m, path), SP_OK);
    sp_module *rebuilt = sp_load_module(path);
    sp_module_to_string(m, printed, sizeof printed);
    sp_module_to_string(rebuilt, again, sizeof again);
    assert_string_equal(printed, again);
    sp_tensor *x = sp_rand(SP_DIMS(4, 3));
    assert_true(sp_equal(sp_forward(sp_get_submodule(rebuilt, "part"), x), sp_forward(sp_get_submodule(m, "part"), x)));
    assert_null(sp_forward(rebuilt, x));
    assert_error(SP_ERROR_UNSUPPORTED, "sp_get_submodule");
    sp_module *other = new_mine("part", "rest");
    assert_int_equal(sp_load_state(other, path), SP_OK);
}

static void test_encoders_and_decoders(void **state)
{
    (void)state;
    const char *path = support_path("pair.safetensors");
    sp_module *m = new_mine("encode", "decode");
    sp_save_state(m, path);
    sp_module *rebuilt = sp_load_module(path);
    sp_tensor *x = sp_rand(SP_DIMS(4, 3)), *code = sp_forward(sp_get_submodule(m, "encode"), x);
    assert_true(sp_equal(sp_forward(rebuilt, x), sp_forward(sp_get_submodule(m, "decode"), code)));
    assert_no_error();
}

static void test_parameters_of_ones_own(void **state)
{
    (void)state;
    const char *path = support_path("own.safetensors");
    sp_module *m = new_mine("encode", "decode");
    sp_module_add_parameter(m, "scale", sp_ones(SP_DIMS(1)));
    sp_save_state(m, path);
    assert_null(sp_load_module(path));
    assert_true(strstr(sp_error_message(), "scale") != NULL);
    sp_error_clear();
}

static bool save_and_rebuild(void *context)
{
    sp_module *module = sp_nn_sequential(sp_nn_linear(2, 3), sp_nn_relu());
    return module && sp_save_state(module, context) == SP_OK && sp_load_module(context) != NULL;
}

static void test_each_allocation_fails(void **state)
{
    (void)state;
    char path[512];
    snprintf(path, sizeof path, "%s", support_path("memory.safetensors"));
    assert_true(support_fail_each_allocation(save_and_rebuild, path) > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_description),
        sp_test(test_save_and_rebuild),
        sp_test(test_types_come_back),
        sp_test(test_equal_networks_equal_files),
        sp_test(test_numbers_that_json_has_not),
        sp_test(test_does_not_fit),
        sp_test(test_no_description),
        sp_test(test_description_that_lies),
        sp_test(test_types_of_ones_own),
        sp_test(test_encoders_and_decoders),
        sp_test(test_parameters_of_ones_own),
        sp_test(test_each_allocation_fails),
    };
    return sp_test_main(tests);
}

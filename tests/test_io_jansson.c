/* jansson without memory: each of its allocations fails in turn. What is saved is then either the file that an
 * undisturbed run writes, or not there, the old one in its place; what is loaded is the network, or an error. */
#include "support/support.h"
#include <math.h>
#include <spusk/extend.h>
#include <spusk/spusk.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if SP_HAVE_JANSSON

#include <jansson.h>

static int64_t tried, failing; /* allocations; the one that fails, 0 for none */

static void *failing_malloc(size_t size)
{
    return ++tried == failing ? NULL : malloc(size);
}

static void fail_nth(int64_t n)
{
    tried = 0;
    failing = n;
    json_set_alloc_funcs(n >= 0 ? failing_malloc : malloc, free);
}

typedef struct {
    sp_module base;
} mine;

/* All kinds of options, of numbers and of types. */
static sp_module *network(void)
{
    mine *m = sp_module_new(mine, .name = "Mine");
    sp_module_set_int(&m->base, "code", 2);
    sp_module_set_bool(&m->base, "deep", true);
    sp_module_set_number(&m->base, "rate", (double)INFINITY);
    sp_module *narrow = sp_nn_linear(4, 4);
    sp_module_cast(narrow, SP_BF16);
    sp_module_add(&m->base, "encode", sp_nn_sequential(sp_nn_conv2d(1, 2, 3, .padding = 1), sp_nn_batch_norm2d(2)));
    sp_module_add(&m->base, "decode", sp_nn_sequential(sp_nn_leaky_relu(.negative_slope = 0.3), narrow));
    return &m->base;
}

static size_t read_file(const char *path, char *to, size_t room)
{
    FILE *file = fopen(path, "rb");
    size_t n = file ? fread(to, 1, room, file) : 0;
    if (file) fclose(file);
    return n;
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void test_saving(void **state)
{
    (void)state;
    static char right[65536], got[65536];
    char path[512];
    snprintf(path, sizeof path, "%s", support_path("saved.safetensors"));
    sp_module *module = network();
    assert_int_equal(sp_save_state(module, path), SP_OK);
    const size_t n = read_file(path, right, sizeof right);
    int64_t failed = 0, count = INT64_MAX;
    for (int64_t i = 1; i <= count; i++) {
        write_file(path, "the old one");
        fail_nth(i);
        const sp_status status = sp_save_state(module, path);
        if (tried < i) count = 0; /* none failed: the last run */
        fail_nth(-1);
        const size_t now = read_file(path, got, sizeof got);
        if (status == SP_OK) {
            assert_true(now == n && memcmp(got, right, n) == 0);
            continue;
        }
        failed++;
        assert_true(now == 11 && memcmp(got, "the old one", 11) == 0);
        assert_int_equal(sp_error_clear(), status);
        assert_int_equal(status, SP_ERROR_MEMORY);
    }
    assert_true(failed > 100);
}

static void test_loading(void **state)
{
    (void)state;
    char path[512], printed[2048], again[2048];
    snprintf(path, sizeof path, "%s", support_path("loaded.safetensors"));
    sp_module *module = network();
    sp_module_to_string(module, printed, sizeof printed);
    assert_int_equal(sp_save_state(module, path), SP_OK);
    int64_t failed = 0, count = INT64_MAX;
    for (int64_t i = 1; i <= count; i++)
        SP_SCOPE {
            fail_nth(i);
            sp_module *loaded = sp_load_module(path);
            if (tried < i) count = 0;
            fail_nth(-1);
            if (!loaded) {
                failed++;
                assert_int_equal(sp_error_clear(), SP_ERROR_MEMORY);
                continue;
            }
            sp_module_to_string(loaded, again, sizeof again);
            assert_string_equal(again, printed);
            const sp_dict *before = sp_state_dict(module), *after = sp_state_dict(loaded);
            for (int64_t k = 0; k < sp_dict_length(before); k++)
                assert_true(sp_equal(sp_dict_get(before, k), sp_dict_get(after, k)));
        }
    assert_true(failed > 100);
}

static void test_describing(void **state)
{
    (void)state;
    char right[4096], got[4096];
    sp_module *module = network();
    const size_t n = sp_module_to_json(module, right, sizeof right);
    int64_t count = INT64_MAX;
    for (int64_t i = 1; i <= count; i++) {
        fail_nth(i);
        const size_t now = sp_module_to_json(module, got, sizeof got);
        if (tried < i) count = 0;
        fail_nth(-1);
        assert_true(now == 0 ? sp_error_clear() == SP_ERROR_MEMORY : now == n && strcmp(got, right) == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {sp_test(test_saving), sp_test(test_loading), sp_test(test_describing)};
    return sp_test_main(tests);
}

#else

static void test_nothing(void **state)
{
    (void)state;
    skip_because("this build has no jansson");
}

int main(void)
{
    const struct CMUnitTest tests[] = {sp_test(test_nothing)};
    return sp_test_main(tests);
}

#endif

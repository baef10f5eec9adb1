/* The map from names or addresses to numbers. */
#include "support/support.h"
#include <spusk/extend.h>
#include <spusk/spusk.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MANY = 100000 };

static void test_names(void **state)
{
    (void)state;
    static char names[MANY][16];
    sp_map map = {0};
    assert_int_equal(sp_map_find(&map, "x", 1), -1);
    for (int i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof names[i], "layer.%d", i);
        assert_int_equal(sp_map_set(&map, names[i], strlen(names[i]), i), SP_OK);
    }
    assert_int_equal(map.n, MANY);
    for (int i = 0; i < MANY; i++) {
        char name[16];
        snprintf(name, sizeof name, "layer.%d", i);
        assert_int_equal(sp_map_find(&map, name, strlen(name)), i);
    }
    assert_int_equal(sp_map_find(&map, "layer.100000", 12), -1);
    assert_int_equal(sp_map_find(&map, "layer.7", 6), -1);
    assert_int_equal(sp_map_set(&map, names[3], strlen(names[3]), 33), SP_OK);
    assert_int_equal(sp_map_find(&map, "layer.3", 7), 33);
    assert_int_equal(map.n, MANY);
    sp_map_free(&map);
    assert_int_equal(map.n, 0);
}

/* Names that begin alike or hold zeros, an empty one, and addresses beside them. */
static void test_keys(void **state)
{
    (void)state;
    static const char bytes[24] = "abc";
    sp_map map = {0};
    for (int n = 0; n <= 24; n++) assert_int_equal(sp_map_set(&map, bytes, (size_t)n, n), SP_OK);
    for (int i = 0; i < 24; i++) assert_int_equal(sp_map_set(&map, bytes + i, SP_MAP_ADDRESS, 100 + i), SP_OK);
    for (int n = 0; n <= 24; n++) assert_int_equal(sp_map_find(&map, bytes, (size_t)n), n);
    for (int i = 0; i < 24; i++) assert_int_equal(sp_map_find(&map, bytes + i, SP_MAP_ADDRESS), 100 + i);
    assert_int_equal(sp_map_find(&map, bytes + 24, SP_MAP_ADDRESS), -1);
    sp_map_free(&map);
    sp_map_find(NULL, bytes, 1);
    assert_error(SP_ERROR_NULL, "sp_map_find: argument 'map'");
    sp_map_set(&map, NULL, 1, 1);
    assert_error(SP_ERROR_NULL, "sp_map_set: argument 'key'");
}

static bool fill(void *context)
{
    (void)context;
    sp_map map = {0};
    sp_status status = SP_OK;
    static const char bytes[64];
    for (int i = 0; i < 64 && status == SP_OK; i++) status = sp_map_set(&map, bytes + i, SP_MAP_ADDRESS, i);
    for (int i = 0; i < (int)map.n; i++) assert_int_equal(sp_map_find(&map, bytes + i, SP_MAP_ADDRESS), i);
    sp_map_free(&map);
    return status == SP_OK;
}

static void test_no_memory(void **state)
{
    (void)state;
    assert_int_equal(support_fail_each_allocation(fill, NULL), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {sp_test(test_names), sp_test(test_keys), sp_test(test_no_memory)};
    return sp_test_main(tests);
}

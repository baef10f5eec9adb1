/* Text that a terminal can show, whoever wrote it. */
#include "support/support.h"
#include <spusk/extend/layer.h>
#include <spusk/extend/text.h>
#include <spusk/spusk.h>
#include <string.h>

static void check(const char *text, const char *expected)
{
    char shown[128], cut[128];
    assert_int_equal(sp_printable(text, shown, sizeof shown), strlen(expected));
    assert_string_equal(shown, expected);
    for (size_t size = 1; size < sizeof cut; size++) {
        memset(cut, 'x', sizeof cut);
        assert_int_equal(sp_printable(text, cut, size), strlen(expected));
        assert_true(strlen(cut) < size);
        assert_int_equal(strncmp(cut, expected, strlen(cut)), 0);
    }
    assert_int_equal(sp_printable(text, NULL, 0), strlen(expected));
}

static void test_what_stays(void **state)
{
    (void)state;
    check("", "");
    check(NULL, "");
    check("encode.0.weight [3, 4] \"x\" \\ ~", "encode.0.weight [3, 4] \"x\" \\ ~");
    check("Größe 重み \xf0\x9f\x98\x80", "Größe 重み \xf0\x9f\x98\x80");
    check("\xc2\xa0\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf", "\xc2\xa0\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf");
}

static void test_what_is_escaped(void **state)
{
    (void)state;
    check("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m");
    check("a\nb\tc\rd\be\x7f\x01", "a\\x0ab\\x09c\\x0dd\\x08e\\x7f\\x01");
    check("\xc2\x9b"
          "31m",
          "\\u009b31m");
    check("\xe2\x80\xae\xe2\x81\xa6\xe2\x80\xa8\xe2\x80\xa9", "\\u202e\\u2066\\u2028\\u2029");
}

static void test_what_is_no_utf8(void **state)
{
    (void)state;
    check("\x80\xff\xc0\xaf", "\\x80\\xff\\xc0\\xaf");
    check("\xe0\x80\xaf|\xed\xa0\x80", "\\xe0\\x80\\xaf|\\xed\\xa0\\x80");
    check("\xf4\x90\x80\x80|\xf0\x9f\x98", "\\xf4\\x90\\x80\\x80|\\xf0\\x9f\\x98");
    check("\xc3", "\\xc3");
}

static void test_messages(void **state)
{
    (void)state;
    sp_raise(SP_ERROR_NOT_FOUND, "there is no \"%s\"", "\x1b]0;title\x07\n");
    sp_error_context("in %s: ", "a\rb");
    assert_error(SP_ERROR_NOT_FOUND, "in a\\x0db: there is no \"\\x1b]0;title\\x07\\x0a\"");
    sp_error_frame frame;
    sp_error_enter(&frame, "x", "Type\x1b[2J");
    sp_raise(SP_ERROR_SHAPE, "shapes");
    sp_error_leave(&frame);
    assert_error(SP_ERROR_SHAPE, "in x (Type\\x1b[2J): shapes");
}

typedef struct net {
    sp_module base;
} net;

/* A type and an option that a file named. */
static void test_printed_modules(void **state)
{
    (void)state;
    char text[128];
    sp_module *module = &sp_module_new(net, .name = "Net\x1b[31m")->base;
    sp_module_set_int(module, "a\nb", 3);
    sp_module_to_string(module, text, sizeof text);
    assert_string_equal(text, "Net\\x1b[31m(a\\x0ab=3)");
    assert_no_error();
}

static void test_rows_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int number;
    } rows[] = {{"adam", 3}, {"adamw", 5}, {"sgd", 7}};
    char names[32], few[8];
    assert_int_equal(sp_name_find(rows, 3, sizeof *rows, "adamw", 5, names, sizeof names), 1);
    assert_int_equal(sp_name_find(rows, 3, sizeof *rows, "adamw", 4, names, sizeof names), 0);
    assert_int_equal(sp_name_find(rows, 3, sizeof *rows, "ada", 3, names, sizeof names), -1);
    assert_string_equal(names, "adam, adamw, sgd");
    assert_int_equal(sp_name_find(rows, 3, sizeof *rows, "", 0, few, sizeof few), -1);
    assert_string_equal(few, "adam, a");
    assert_no_error();
    assert_int_equal(sp_name_find(rows, 3, sizeof *rows, NULL, 0, names, sizeof names), -1);
    assert_error(SP_ERROR_NULL, "sp_name_find: argument 'name'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_what_stays), sp_test(test_what_is_escaped), sp_test(test_what_is_no_utf8),
        sp_test(test_messages),   sp_test(test_printed_modules), sp_test(test_rows_by_name),
    };
    return sp_test_main(tests);
}

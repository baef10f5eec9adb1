/* Members of modules: their names and order, those that are refused; dictionaries. */
#include "support/support.h"
#include <spusk/spusk.h>
#include <stdio.h>

static sp_module *bare(void)
{
    return (sp_module_new)(sizeof(sp_module), &(sp_module_options){.size = sizeof(sp_module_options), .name = "Bare"});
}

static void test_each_parameter_once(void **state)
{
    (void)state;
    sp_module *root = bare(), *left = bare(), *right = bare();
    sp_tensor *shared = sp_ones(SP_DIMS(3)), *own = sp_ones(SP_DIMS(2));
    sp_module_add(root, "left", left);
    sp_module_add(root, "right", right);
    assert_ptr_equal(sp_module_add_parameter(left, "w", shared), shared);
    assert_ptr_equal(sp_module_add_parameter(right, "w", shared), shared);
    assert_ptr_equal(sp_module_add_parameter(root, "b", own), own);
    assert_true(sp_needs_grad(own));
    assert_true(sp_module_add_parameter(root, "none", SP_NONE) == SP_NONE);
    assert_non_null(sp_module_add_buffer(right, "mean", sp_zeros(SP_DIMS(1))));
    assert_non_null(sp_module_add_buffer(right, "cache", sp_zeros(SP_DIMS(1)), .unsaved = true));
    sp_list *list = sp_parameters(root);
    assert_int_equal(sp_list_length(list), 2);
    assert_ptr_equal(sp_list_get(list, 0), own); /* a module's own come before its children's */
    assert_ptr_equal(sp_list_get(list, 1), shared);
    assert_int_equal(sp_module_num_parameters(root), 5);
    assert_int_equal(sp_dict_length(sp_named_parameters(root)), 2);
    assert_int_equal(sp_list_length(sp_buffers(root)), 2);
    sp_dict *dict = sp_state_dict(root);
    assert_int_equal(sp_dict_length(dict), 4); /* both names of the shared one, and the saved buffer */
    assert_string_equal(sp_dict_name(dict, 3), "right.mean");
    assert_no_error();
}

static void test_members_that_cannot_be(void **state)
{
    (void)state;
    sp_module *a = bare(), *b = bare(), *c = bare();
    assert_non_null(sp_module_add(a, "b", b));
    assert_non_null(sp_module_add(b, "c", c));
    assert_refuses(SP_ERROR_ARGUMENT, "sp_module_add: \"a\" (Bare) would be below itself", sp_module_add(c, "a", a));
    assert_refuses(SP_ERROR_ARGUMENT, "would be below itself", sp_module_add(a, "a", a));
    assert_refuses(SP_ERROR_ARGUMENT, "sp_module_add: \"again\" (Bare) is a child of Bare already",
                   sp_module_add(a, "again", b));
    assert_refuses(SP_ERROR_ARGUMENT, "sp_module_add: Bare has a member \"b\" already", sp_module_add(a, "b", bare()));
    assert_refuses(SP_ERROR_ARGUMENT, "a name is letters, digits and _, got \"x.y\"", sp_module_add(a, "x.y", bare()));
    assert_refuses(SP_ERROR_ARGUMENT, "a name is letters, digits and _, got \"\"", sp_module_add(a, "", bare()));
    assert_refuses(SP_ERROR_ARGUMENT, "sp_module_add_parameter: Bare has a member \"b\" already",
                   sp_module_add_parameter(a, "b", sp_ones(SP_DIMS(1))));
    assert_refuses(SP_ERROR_DTYPE, "sp_module_add_parameter: \"i\" is int64",
                   sp_module_add_parameter(a, "i", sp_scalar_i64(1)));
    sp_tensor *x = sp_requires_grad(sp_scalar(1));
    assert_refuses(SP_ERROR_STATE, "\"y\" was computed (MulBackward0)", sp_module_add_parameter(a, "y", sp_mul(x, x)));
    assert_refuses(SP_ERROR_ARGUMENT, "sp_module_new: a module has at least", (sp_module_new)(1, NULL));
    assert_refuses(SP_ERROR_ARGUMENT, "sp_forward: the argument is not a module",
                   sp_forward((sp_module *)(void *)x, x));
    assert_refuses(SP_ERROR_ARGUMENT, "sp_module_add: the argument is not a module",
                   sp_module_add(bare(), "last", sp_last_module_));
}

/* ---- dictionaries ---- */

static void test_dicts(void **state)
{
    (void)state;
    sp_dict *dict = sp_dict_new();
    for (int i = 0; i < 20; i++) {
        char name[8];
        snprintf(name, sizeof name, "n%d", i);
        SP_SCOPE {
            assert_int_equal(sp_dict_set(dict, name, sp_scalar(i)), SP_OK);
        }
    }
    assert_int_equal(sp_dict_length(dict), 20);
    assert_true(sp_item(sp_dict_find(dict, "n13")) == 13);
    SP_SCOPE {
        sp_dict_set(dict, "n13", sp_scalar(-1));
    }
    assert_int_equal(sp_dict_length(dict), 20);
    assert_string_equal(sp_dict_name(dict, 13), "n13");
    assert_true(sp_item(sp_dict_get(dict, 13)) == -1);
    assert_null(sp_dict_find(dict, "n20"));
    assert_no_error();
    assert_refuses(SP_ERROR_ARGUMENT, "sp_dict_get: there is no entry 20 among 20", sp_dict_get(dict, 20));
    assert_int_equal(sp_dict_set(dict, "none", SP_NONE), SP_ERROR_ARGUMENT);
    assert_error(SP_ERROR_ARGUMENT, "SP_NONE is no tensor for \"none\"");
    assert_int_equal(sp_dict_length((sp_dict *)(void *)sp_scalar(1)), 0);
    assert_error(SP_ERROR_ARGUMENT, "the argument is not a dict");
}

int main(void)
{
    const struct CMUnitTest tests[] = {sp_test(test_each_parameter_once), sp_test(test_members_that_cannot_be),
                                       sp_test(test_dicts)};
    return sp_test_main(tests);
}

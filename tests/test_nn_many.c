/* Networks of very many members, and very deep ones: what a search through all members, or one for each level, would
 * turn into minutes. */
#include "support/support.h"
#include <spusk/extend.h>
#include <spusk/spusk.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MANY = 200000 };

/* Made from a list, walked, printed; each child is found by its name. */
static void test_a_long_sequential(void **state)
{
    (void)state;
    sp_module **list = malloc((MANY + 1) * sizeof *list);
    assert_non_null(list);
    for (int i = 0; i < MANY; i++) list[i] = sp_nn_relu();
    list[MANY] = sp_last_module_;
    sp_module *module = sp_nn_sequential_until(list);
    free(list);
    assert_int_equal(sp_module_num_children(module), MANY);
    for (int i = 0; i < MANY; i += 1000) {
        char name[16];
        snprintf(name, sizeof name, "%d", i);
        assert_ptr_equal(sp_get_submodule(module, name), sp_module_child(module, i));
    }
    assert_true(sp_module_to_string(module, NULL, 0) > MANY);
    assert_int_equal(sp_dict_length(sp_state_dict(module)), 0);
    assert_no_error();
}

/* Parameters, state, copies, an optimiser over all. */
static void test_many_parameters(void **state)
{
    (void)state;
    enum { N = MANY / 2 };
    sp_module *module = sp_nn_sequential(sp_nn_relu());
    for (int i = 0; i < N; i++) {
        char name[16];
        snprintf(name, sizeof name, "p%d", i);
        SP_SCOPE {
            sp_module_add_parameter(module, name, sp_zeros(SP_DIMS(1)));
        }
    }
    SP_SCOPE {
        sp_list *parameters = sp_parameters(module);
        assert_int_equal(sp_list_length(parameters), N);
        assert_int_equal(sp_list_length(sp_buffers(module)), 0);
        assert_int_equal(sp_dict_length(sp_named_parameters(module)), N);
        assert_non_null(sp_optim_sgd(parameters));
        assert_int_equal(sp_load_state_dict(module, sp_state_dict(module)), SP_OK);
        assert_int_equal(sp_module_cast(module, SP_F64), SP_OK);
        assert_non_null(sp_module_get(module, "p99999"));
    }
    assert_no_error();
}

static void test_many_options(void **state)
{
    (void)state;
    sp_module *module = sp_nn_relu();
    for (int i = 0; i < MANY; i++) {
        char name[16];
        snprintf(name, sizeof name, "o%d", i);
        assert_int_equal(sp_module_set_int(module, name, i), SP_OK);
    }
    sp_module_set_int(module, "o7", -7);
    assert_int_equal(sp_module_num_attributes(module), MANY);
    assert_int_equal(sp_module_attribute(module, 7).integer, -7);
}

/* Objects that go one at a time, out of order, leave gaps in their scope, which must not be closed for each. */
static void test_gaps_in_a_scope(void **state)
{
    (void)state;
    for (int i = 0; i < MANY; i++) {
        sp_module *gone = sp_nn_relu(), *stays = sp_nn_relu();
        if (i % 16 == 0) sp_release(gone);
        assert_non_null(stays);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_a_long_sequential),
        sp_test(test_many_parameters),
        sp_test(test_many_options),
        sp_test(test_gaps_in_a_scope),
    };
    return sp_test_main(tests);
}

/* The module system: members, names, modes, forward and its errors, modules of one's own, state dicts. */
#include "support/support.h"
#include <math.h>
#include <spusk/extend/layer.h>
#include <spusk/spusk.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the module of the lesson, smaller ---- */

typedef struct autoencoder {
    sp_module base;
    sp_module *encode, *decode;
    char *note; /* the user's own */
} autoencoder;

static int destroyed;

static void autoencoder_destroy(sp_module *self)
{
    free(((autoencoder *)self)->note);
    destroyed++;
}

static sp_tensor *autoencoder_forward(sp_module *self, sp_tensor *x)
{
    autoencoder *a = (autoencoder *)self;
    return sp_forward(a->decode, sp_forward(a->encode, x));
}

static sp_module *autoencoder_new(int64_t code)
{
    autoencoder *a = sp_module_new(autoencoder, .name = "Autoencoder", .forward = autoencoder_forward,
                                   .destroy = autoencoder_destroy);
    if (!a) return NULL;
    a->note = calloc(1, 10);
    a->encode = sp_module_add(&a->base, "encode",
                              sp_nn_sequential(sp_nn_linear(12, 8), sp_nn_relu(), sp_nn_linear(8, code)));
    a->decode = sp_module_add(&a->base, "decode",
                              sp_nn_sequential(sp_nn_linear(code, 8), sp_nn_relu(), sp_nn_dropout(0.5),
                                               sp_nn_linear(8, 12), sp_nn_sigmoid()));
    return &a->base;
}

static void test_a_module_of_ones_own(void **state)
{
    (void)state;
    destroyed = 0;
    SP_SCOPE {
        sp_module *model = autoencoder_new(2);
        sp_tensor *y = sp_forward(model, sp_rand(SP_DIMS(5, 12)));
        assert_int_equal(sp_size(y, 0), 5);
        assert_int_equal(sp_size(y, 1), 12);
        assert_int_equal(sp_module_num_parameters(model), 12 * 8 + 8 + 8 * 2 + 2 + 2 * 8 + 8 + 8 * 12 + 12);
        sp_backward(sp_sum(y));
        sp_tensor *weight = sp_module_get(model, "encode.0.weight");
        assert_true(sp_grad(weight) != SP_NONE);
        assert_int_equal(sp_module_zero_grad(model), SP_OK);
        assert_true(sp_grad(weight) == SP_NONE);
        assert_int_equal(destroyed, 0);
    }
    assert_int_equal(destroyed, 1);
    assert_no_error();
}

static void test_names_are_paths(void **state)
{
    (void)state;
    static const char *const names[] = {"encode.0.weight", "encode.0.bias", "encode.2.weight", "encode.2.bias",
                                        "decode.0.weight", "decode.0.bias", "decode.3.weight", "decode.3.bias"};
    sp_module *model = autoencoder_new(2);
    sp_dict *dict = sp_named_parameters(model), *all = sp_state_dict(model);
    assert_int_equal(sp_dict_length(dict), 8);
    assert_int_equal(sp_dict_length(all), 8);
    for (int i = 0; i < 8; i++) {
        assert_string_equal(sp_dict_name(dict, i), names[i]);
        assert_string_equal(sp_dict_name(all, i), names[i]);
        assert_ptr_equal(sp_dict_get(dict, i), sp_module_get(model, names[i]));
        assert_ptr_equal(sp_dict_get(dict, i), sp_list_get(sp_parameters(model), i));
        assert_true(sp_needs_grad(sp_dict_get(dict, i)));
        assert_false(sp_needs_grad(sp_dict_get(all, i)));
    }
    assert_string_equal(sp_module_name(model), "Autoencoder");
    assert_int_equal(sp_module_num_children(model), 2);
    assert_string_equal(sp_module_child_name(model, 1), "decode");
    assert_string_equal(sp_module_name(sp_module_child(model, 1)), "Sequential");
    assert_null(sp_module_child(model, 2));
    assert_string_equal(sp_module_child_name(model, -1), "");
    assert_no_error();
    assert_refuses(SP_ERROR_NOT_FOUND, "Autoencoder has no parameter or buffer \"encode.1.weight\"",
                   sp_module_get(model, "encode.1.weight"));
    assert_refuses(SP_ERROR_NOT_FOUND, "\"code.0.weight\"", sp_module_get(model, "code.0.weight"));
}

static sp_module *bare(void)
{
    return (sp_module_new)(sizeof(sp_module), &(sp_module_options){.size = sizeof(sp_module_options), .name = "Bare"});
}

static void test_a_module_that_lacks_a_member_cannot_be_used(void **state)
{
    (void)state;
    sp_module *model = autoencoder_new(-1);
    assert_non_null(model);
    assert_error(SP_ERROR_ARGUMENT, "sp_nn_linear: out_features must not be negative, got -1");
    assert_refuses(SP_ERROR_STATE, "sp_forward: Autoencoder is incomplete: its member \"encode\" could not be added",
                   sp_forward(model, sp_rand(SP_DIMS(5, 12))));
    assert_refuses(SP_ERROR_STATE, "sp_parameters: Autoencoder is incomplete", sp_parameters(model));
    assert_refuses(SP_ERROR_STATE, "sp_state_dict: Autoencoder is incomplete", sp_state_dict(model));
}

/* ---- forward ---- */

static void test_errors_name_their_module(void **state)
{
    (void)state;
    sp_module *model = autoencoder_new(2);
    assert_refuses(SP_ERROR_SHAPE, "in encode.0 (Linear): ", sp_forward(model, sp_rand(SP_DIMS(5, 7))));
    assert_refuses(SP_ERROR_SHAPE,
                   "in decode.0 (Linear): ", sp_forward(((autoencoder *)model)->decode, sp_rand(SP_DIMS(5, 7))));
    assert_refuses(SP_ERROR_SHAPE, "in Linear: ", sp_forward(sp_nn_linear(3, 2), sp_rand(SP_DIMS(5, 7))));
    /* Outside of modules again. */
    assert_null(sp_add(sp_rand(SP_DIMS(2)), sp_rand(SP_DIMS(3))));
    assert_true(strncmp(sp_error_message(), "in ", 3) != 0);
    assert_error(SP_ERROR_SHAPE, "");
}

static sp_tensor *forget(sp_module *self, sp_tensor *x)
{
    (void)self, (void)x;
    return NULL;
}

static sp_tensor *add_three(sp_module *self, sp_tensor *const *inputs, int n)
{
    (void)self;
    assert_int_equal(n, 3);
    return sp_add(inputs[0], sp_add(inputs[1], inputs[2]));
}

typedef struct plain {
    sp_module base;
} plain;

static void test_forward_takes_what_the_module_takes(void **state)
{
    (void)state;
    sp_tensor *x = sp_scalar(1);
    plain *three = sp_module_new(plain, .name = "Three", .forward_n = add_three);
    assert_true(sp_item(sp_forward(&three->base, x, x, x)) == 3);
    plain *forgets = sp_module_new(plain, .name = "Forgets", .forward = forget);
    assert_refuses(SP_ERROR_NULL, "the forward of Forgets returned NULL without an error",
                   sp_forward(&forgets->base, x));
    assert_refuses(SP_ERROR_ARGUMENT, "sp_forward: a ReLU takes 1 input, got 2", sp_forward(sp_nn_relu(), x, x));
    assert_refuses(SP_ERROR_ARGUMENT, "sp_forward: a ModuleList has no forward",
                   sp_forward(sp_nn_module_list(sp_nn_relu()), x));
    assert_refuses(SP_ERROR_ARGUMENT, "a MSELoss takes an input and a target, got 1", sp_forward(sp_nn_mse_loss(), x));
    assert_refuses(SP_ERROR_NULL, "input", sp_forward(sp_nn_relu(), NULL));
    assert_refuses(SP_ERROR_NULL, "module", sp_forward(NULL, x));
    assert_refuses(SP_ERROR_ARGUMENT, "there is no input", sp_forward_n(sp_nn_relu(), &x, 0));
}

static void test_the_first_cause_passes_through(void **state)
{
    (void)state;
    sp_tensor *bad = sp_add(sp_rand(SP_DIMS(2)), sp_rand(SP_DIMS(3)));
    sp_module *model = autoencoder_new(2);
    assert_null(sp_forward(model, bad));
    assert_int_equal(support_reports(), 1);
    assert_error(SP_ERROR_SHAPE, "add");
}

static void test_a_list_with_null_fails_as_a_whole(void **state)
{
    (void)state;
    sp_module *kept = sp_keep(sp_nn_linear(2, 2));
    sp_module *model = sp_nn_sequential(sp_nn_relu(), sp_nn_dropout(2), kept, sp_nn_relu());
    assert_refuses(SP_ERROR_ARGUMENT, "sp_nn_dropout: p must be between 0 and 1, got 2", model);
    /* The list gave up what it was given: the teardown finds nothing left. */
    sp_module *relu = sp_nn_relu();
    assert_refuses(SP_ERROR_ARGUMENT, "sp_module_add: \"1\" (ReLU) is a child of Sequential already",
                   sp_nn_sequential(relu, relu));
    assert_int_equal(sp_module_num_children(sp_nn_sequential_until((sp_module *[]){sp_last_module_})), 0);
}

/* ---- modes ---- */

static void count(sp_module *module, void *user)
{
    char *text = user;
    size_t n = strlen(text);
    snprintf(text + n, 200 - n, "%s ", sp_module_name(module));
}

static void test_train_and_eval_reach_all(void **state)
{
    (void)state;
    sp_module *model = autoencoder_new(2);
    sp_module *dropout = sp_module_child(sp_module_child(model, 1), 2);
    assert_true(sp_is_training(dropout));
    assert_int_equal(sp_eval(model), SP_OK);
    assert_false(sp_is_training(model));
    assert_false(sp_is_training(dropout));
    sp_tensor *x = sp_rand(SP_DIMS(5, 12));
    assert_true(sp_equal(sp_forward(model, x), sp_forward(model, x)));
    assert_int_equal(sp_train(model), SP_OK);
    assert_true(sp_is_training(dropout));
    char order[200] = "";
    assert_int_equal(sp_module_apply(((autoencoder *)model)->encode, count, order), SP_OK);
    assert_string_equal(order, "Linear ReLU Linear Sequential ");
}

static void test_casts_reach_all_and_keep_the_tensors(void **state)
{
    (void)state;
    sp_module *model = autoencoder_new(2);
    sp_tensor *weight = sp_module_get(model, "encode.0.weight");
    sp_tensor *before = sp_clone(sp_detach(weight));
    sp_module_add_buffer(model, "count", sp_scalar_i64(3));
    assert_int_equal(sp_module_cast(model, SP_F64), SP_OK);
    assert_ptr_equal(sp_module_get(model, "encode.0.weight"), weight);
    assert_int_equal(sp_dtype_of(weight), SP_F64);
    assert_int_equal(sp_dtype_of(sp_module_get(model, "count")), SP_I64);
    assert_true(sp_needs_grad(weight));
    assert_true(sp_equal(sp_cast(sp_detach(weight), SP_F32), before));
    assert_int_equal(sp_stride(weight, 0), 1);
    assert_int_equal(sp_dtype_of(sp_forward(model, sp_rand(SP_DIMS(2, 12), .dtype = SP_F64))), SP_F64);
    assert_int_equal(sp_module_cast(model, SP_I64), SP_ERROR_DTYPE);
    assert_error(SP_ERROR_DTYPE, "sp_module_cast: int64 is not a floating type");
    assert_int_equal(sp_module_to(model, (sp_device){SP_CPU, 0}), SP_OK);
    assert_int_equal(sp_module_to(model, (sp_device){SP_CPU, 3}), SP_ERROR_DEVICE);
    assert_error(SP_ERROR_DEVICE, "sp_module_to: there is no device");
}

/* ---- ownership ---- */

static void test_a_parent_holds_its_members(void **state)
{
    (void)state;
    sp_module *model = NULL, *inner = NULL;
    SP_SCOPE {
        model = sp_keep(autoencoder_new(2));
    }
    assert_int_equal(sp_list_length(sp_parameters(model)), 8);
    inner = sp_retain(sp_module_child(model, 0));
    sp_release(model);
    /* What lost its parent is a root again. */
    assert_non_null(sp_forward(inner, sp_rand(SP_DIMS(1, 12))));
    assert_non_null(sp_module_add(bare(), "again", inner));
    sp_drop(inner);
    assert_no_error();
}

/* ---- state dicts ---- */

static void test_state_goes_from_one_to_another(void **state)
{
    (void)state;
    sp_module *a = autoencoder_new(2), *b = autoencoder_new(2);
    sp_tensor *x = sp_rand(SP_DIMS(3, 12));
    sp_eval(a);
    sp_eval(b);
    assert_false(sp_equal(sp_forward(a, x), sp_forward(b, x)));
    assert_int_equal(sp_load_state_dict(b, sp_state_dict(a)), SP_OK);
    assert_true(sp_equal(sp_forward(a, x), sp_forward(b, x)));
    /* The dict shares memory with the module. */
    SP_NO_GRAD {
        sp_fill_(sp_dict_find(sp_state_dict(a), "encode.0.bias"), 7);
    }
    assert_true(sp_item(sp_sum(sp_module_get(a, "encode.0.bias"))) == 56);
    assert_true(sp_item(sp_sum(sp_module_get(b, "encode.0.bias"))) != 56);
    /* A wider type of the same kind fits. */
    sp_dict *wide = sp_state_dict(a);
    sp_dict_set(wide, "encode.0.bias", sp_full(SP_DIMS(8), 2.0, .dtype = SP_F64));
    assert_int_equal(sp_load_state_dict(b, wide), SP_OK);
    assert_true(sp_item(sp_sum(sp_module_get(b, "encode.0.bias"))) == 16);
    assert_int_equal(sp_dtype_of(sp_module_get(b, "encode.0.bias")), SP_F32);
    assert_no_error();
}

static void test_state_that_does_not_fit_changes_nothing(void **state)
{
    (void)state;
    sp_module *model = sp_nn_sequential(sp_nn_linear(2, 3));
    sp_tensor *weight = sp_clone(sp_detach(sp_module_get(model, "0.weight")));
    sp_dict *dict = sp_dict_new();
    sp_dict_set(dict, "0.weight", sp_zeros(SP_DIMS(3, 2)));
    assert_int_equal(sp_load_state_dict(model, dict), SP_ERROR_NOT_FOUND);
    assert_error(SP_ERROR_NOT_FOUND, "sp_load_state_dict: \"0.bias\" is missing from the state");
    sp_dict_set(dict, "0.bias", sp_zeros(SP_DIMS(4)));
    assert_int_equal(sp_load_state_dict(model, dict), SP_ERROR_SHAPE);
    assert_error(SP_ERROR_SHAPE, "\"0.bias\" has shape [4] in the state, [3] in the module");
    sp_dict_set(dict, "0.bias", sp_zeros(SP_DIMS(3), .dtype = SP_I64));
    assert_int_equal(sp_load_state_dict(model, dict), SP_ERROR_DTYPE);
    assert_error(SP_ERROR_DTYPE, "\"0.bias\" is int64 in the state, float32 in the module");
    sp_dict_set(dict, "0.bias", sp_zeros(SP_DIMS(3)));
    sp_dict_set(dict, "1.bias", sp_zeros(SP_DIMS(3)));
    assert_int_equal(sp_load_state_dict(model, dict), SP_ERROR_NOT_FOUND);
    assert_error(SP_ERROR_NOT_FOUND, "sp_load_state_dict: the module has no \"1.bias\"");
    assert_true(sp_equal(sp_detach(sp_module_get(model, "0.weight")), weight));
}

static bool build_and_save(void *context)
{
    (void)context;
    sp_module *a = autoencoder_new(2), *b = sp_nn_module_list(sp_nn_linear(2, 2), sp_nn_cross_entropy_loss());
    sp_dict *dict = b ? sp_state_dict(a) : NULL;
    return dict && sp_load_state_dict(a, dict) == SP_OK && sp_named_parameters(a) && sp_parameters(b);
}

static void test_modules_without_memory(void **state)
{
    (void)state;
    sp_finish();
    support_watch_allocations();
    assert_true(support_fail_each_allocation(build_and_save, NULL) > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_a_module_of_ones_own),
        sp_test(test_names_are_paths),
        sp_test(test_a_module_that_lacks_a_member_cannot_be_used),
        sp_test(test_errors_name_their_module),
        sp_test(test_forward_takes_what_the_module_takes),
        sp_test(test_the_first_cause_passes_through),
        sp_test(test_a_list_with_null_fails_as_a_whole),
        sp_test(test_train_and_eval_reach_all),
        sp_test(test_casts_reach_all_and_keep_the_tensors),
        sp_test(test_a_parent_holds_its_members),
        sp_test(test_state_goes_from_one_to_another),
        sp_test(test_state_that_does_not_fit_changes_nothing),
        sp_test(test_modules_without_memory),
    };
    return sp_test_main(tests);
}

/* Optimisers: groups, options, state that outlives scopes, saving, steps that fail as a whole. */
#include "support/support.h"
#include <math.h>
#include <spusk/extend.h>
#include <spusk/spusk.h>
#include <string.h>

static sp_tensor *parameter(double value)
{
    return sp_requires_grad(sp_full(SP_DIMS(2, 3), value));
}

/* d(x·x·scale/2)/dx = scale·x */
static void set_gradient(sp_tensor *x, double scale)
{
    SP_NO_GRAD {
        sp_set_grad(x, sp_mul_scalar(x, scale));
    }
}

static double first(const sp_tensor *x)
{
    double value = NAN;
    SP_NO_GRAD {
        value = sp_item(sp_select(sp_reshape(sp_detach((sp_tensor *)x), -1), 0, 0));
    }
    return value;
}

static void test_groups_have_their_own_rates(void **state)
{
    (void)state;
    sp_tensor *a = parameter(1), *b = parameter(1);
    sp_optimizer *o = sp_optim_sgd(SP_LIST(a), .lr = 0.5, .weight_decay = 0.5);
    assert_int_equal(sp_add_param_group(o, SP_LIST(b), .lr = 0.25, .weight_decay = SP_ZERO), SP_OK);
    assert_int_equal(sp_num_param_groups(o), 2);
    assert_string_equal(sp_optimizer_name(o), "SGD");
    set_gradient(a, 1);
    set_gradient(b, 1);
    assert_int_equal(sp_step(o), SP_OK);
    assert_true(first(a) == 1 - 0.5 * 1.5);
    assert_true(first(b) == 1 - 0.25);
    assert_int_equal(sp_set_lr(o, 1, 0), SP_OK);
    assert_int_equal(sp_step(o), SP_OK);
    assert_true(first(b) == 0.75);
    assert_int_equal(sp_zero_grad(o), SP_OK);
    assert_true(sp_grad(a) == SP_NONE);
}

static void test_a_parameter_without_a_gradient_stays(void **state)
{
    (void)state;
    sp_tensor *a = parameter(1), *b = parameter(2);
    sp_optimizer *o = sp_optim_adam(SP_LIST(a, b), .weight_decay = 0.1);
    set_gradient(a, 1);
    assert_int_equal(sp_step(o), SP_OK);
    assert_true(first(a) < 1);
    assert_true(first(b) == 2);
    assert_null(sp_dict_find(sp_optimizer_state_dict(o), "1.step"));
}

static void test_state_outlives_the_scope_of_the_step(void **state)
{
    (void)state;
    sp_tensor *a = parameter(1);
    sp_optimizer *o = NULL;
    SP_SCOPE {
        o = sp_escape(sp_optim_sgd(SP_LIST(a), .lr = 0.1, .momentum = 0.5));
    }
    for (int i = 0; i < 3; i++)
        SP_SCOPE {
            set_gradient(a, 1);
            assert_int_equal(sp_step(o), SP_OK);
        }
    double x = 1, buffer = 0;
    for (int i = 0; i < 3; i++) {
        buffer = i == 0 ? x : 0.5 * buffer + x;
        x -= 0.1 * buffer;
    }
    assert_close(first(a), x, 1e-6);
}

static void test_the_layout_of_a_parameter_does_not_matter(void **state)
{
    (void)state;
    const double numbers[] = {1, 2, 3, 4, 5, 6};
    sp_tensor *plain = sp_requires_grad(sp_from_data(numbers, SP_DIMS(2, 3), .dtype = SP_F64));
    sp_tensor *turned = sp_requires_grad(sp_detach(sp_t(sp_contiguous(sp_t(sp_detach(plain))))));
    sp_tensor *memory = sp_zeros(SP_DIMS(2, 3, 2), .dtype = SP_F64);
    sp_tensor *gaps = sp_requires_grad(sp_detach(sp_select(memory, 2, 1)));
    SP_NO_GRAD {
        sp_copy_(gaps, plain);
    }
    assert_int_equal(sp_stride(turned, 0), 1);
    assert_int_equal(sp_stride(gaps, 1), 2);
    sp_optimizer *o = sp_optim_adam(SP_LIST(plain, turned, gaps), .lr = 0.1);
    for (int i = 0; i < 3; i++) {
        set_gradient(plain, 1);
        set_gradient(turned, 1);
        set_gradient(gaps, 1);
        assert_int_equal(sp_step(o), SP_OK);
    }
    assert_true(sp_equal(plain, turned));
    assert_true(sp_equal(plain, gaps));
    assert_true(sp_item(sp_sum(sp_select(memory, 2, 0))) == 0);
    assert_int_equal(sp_stride(sp_dict_find(sp_optimizer_state_dict(o), "1.exp_avg"), 0), 1);
}

static void test_bf16_parameters_step_in_f32(void **state)
{
    (void)state;
    sp_tensor *x = sp_requires_grad(sp_full(SP_DIMS(4), 1.0, .dtype = SP_BF16));
    sp_optimizer *o = sp_optim_adam(SP_LIST(x), .lr = 0.25);
    sp_set_grad(x, sp_full(SP_DIMS(4), 2.0, .dtype = SP_BF16));
    assert_int_equal(sp_step(o), SP_OK);
    assert_int_equal(sp_dtype_of(x), SP_BF16);
    assert_true(first(x) == 0.75);
    assert_int_equal(sp_dtype_of(sp_dict_find(sp_optimizer_state_dict(o), "0.exp_avg")), SP_F32);
}

static void test_a_step_counts_as_a_change(void **state)
{
    (void)state;
    sp_tensor *x = parameter(1);
    sp_optimizer *o = sp_optim_sgd(SP_LIST(x), .lr = 0.1);
    sp_tensor *y = sp_sum(sp_mul(x, x));
    set_gradient(x, 1);
    assert_int_equal(sp_step(o), SP_OK);
    assert_int_not_equal(sp_backward(y), SP_OK);
    assert_error(SP_ERROR_STATE, "");
}

/* ---- saving ---- */

#define WITH(...) (&(const sp_optim_options){.size = sizeof(sp_optim_options), __VA_ARGS__})
typedef sp_optimizer *constructor(const sp_list *parameters, const sp_optim_options *options);
static const struct {
    constructor *make;
    const sp_optim_options *options; /* NULL: the defaults */
} all[] = {
    {sp_optim_sgd, WITH(.lr = 0.1)},
    {sp_optim_sgd, WITH(.lr = 0.1, .momentum = 0.9, .dampening = 0.5)},
    {sp_optim_adagrad, WITH(.lr_decay = 0.1, .initial_accumulator_value = 0.5)},
    {sp_optim_adadelta, NULL},
    {sp_optim_rmsprop, WITH(.momentum = 0.9, .centered = true)},
    {sp_optim_adam, WITH(.amsgrad = true)},
    {sp_optim_adamw, NULL},
    {sp_optim_adamax, NULL},
    {sp_optim_nadam, NULL},
};
enum { N_ALL = sizeof all / sizeof *all };

static sp_optimizer *make(int i, const sp_list *parameters)
{
    return all[i].make(parameters, all[i].options);
}

static void run(sp_optimizer *o, sp_tensor *x, int steps)
{
    for (int i = 0; i < steps; i++) {
        set_gradient(x, 1 + i);
        assert_int_equal(sp_step(o), SP_OK);
    }
}

/* A copy that owns its numbers, as a file would. */
static sp_dict *saved(const sp_optimizer *o)
{
    sp_dict *state = sp_optimizer_state_dict(o), *copy = sp_dict_new();
    for (int64_t i = 0; i < sp_dict_length(state); i++)
        sp_dict_set(copy, sp_dict_name(state, i), sp_clone(sp_dict_get(state, i)));
    return copy;
}

static void test_saved_state_goes_on_bit_for_bit(void **state)
{
    (void)state;
    for (int i = 0; i < N_ALL; i++)
        SP_SCOPE {
            sp_tensor *x = parameter(1);
            sp_optimizer *o = make(i, SP_LIST(x));
            run(o, x, 3);
            sp_set_lr(o, 0, 0.02);
            sp_dict *dict = saved(o);
            sp_tensor *y = sp_requires_grad(sp_clone(sp_detach(x)));
            sp_optimizer *other = make(i, SP_LIST(y));
            assert_int_equal(sp_optimizer_load_state_dict(other, dict), SP_OK);
            assert_true(sp_lr(other, 0) == 0.02);
            run(o, x, 3);
            run(other, y, 3);
            assert_true(sp_equal(x, y));
        }
    assert_no_error();
}

static void test_state_that_does_not_fit_changes_nothing(void **state)
{
    (void)state;
    sp_tensor *x = parameter(1);
    sp_optimizer *o = sp_optim_adam(SP_LIST(x));
    run(o, x, 1);
    sp_dict *good = saved(o);
    sp_dict_set(good, "group.0.lr", sp_full(SP_DIMS(), 0.5, .dtype = SP_F64));
    sp_dict_set(good, "0.exp_avg_sq", sp_ones(SP_DIMS(3, 2)));
    assert_int_equal(sp_optimizer_load_state_dict(o, good), SP_ERROR_SHAPE);
    assert_error(SP_ERROR_SHAPE, "\"0.exp_avg_sq\" has not the shape of its parameter");
    assert_true(sp_lr(o, 0) == 1e-3);
    sp_dict_set(good, "0.exp_avg_sq", sp_ones(SP_DIMS(2, 3)));
    sp_dict_set(good, "7.exp_avg", sp_ones(SP_DIMS(2, 3)));
    assert_int_equal(sp_optimizer_load_state_dict(o, good), SP_ERROR_NOT_FOUND);
    assert_error(SP_ERROR_NOT_FOUND, "Adam with 1 parameters knows");
    sp_dict *bad = saved(o);
    sp_dict_set(bad, "group.0.betas[0]", sp_scalar(1));
    assert_int_equal(sp_optimizer_load_state_dict(o, bad), SP_ERROR_ARGUMENT);
    assert_error(SP_ERROR_ARGUMENT, "betas[0] must be in [0, 1), got 1");
    assert_int_equal(sp_optimizer_load_state_dict(o, sp_dict_new()), SP_ERROR_NOT_FOUND);
    assert_error(SP_ERROR_NOT_FOUND, "\"group.0.lr\" is missing from the state");
    assert_true(sp_lr(o, 0) == 1e-3);
}

/* ---- failures ---- */

static void test_options_out_of_range(void **state)
{
    (void)state;
    sp_list *p = SP_LIST(parameter(1));
#define REFUSES(words, call)                                                                                           \
    assert_null(call);                                                                                                 \
    assert_error(SP_ERROR_ARGUMENT, words)
    REFUSES("sp_optim_sgd: lr must not be negative, got -1", sp_optim_sgd(p, .lr = -1));
    REFUSES("sp_optim_sgd: lr must be finite, got nan", sp_optim_sgd(p, .lr = NAN));
    REFUSES("sp_optim_sgd: lr must be finite, got inf", sp_optim_sgd(p, .lr = INFINITY));
    REFUSES("sp_optim_sgd: dampening must be finite, got -inf", sp_optim_sgd(p, .dampening = -INFINITY));
    REFUSES("sp_optim_adagrad: lr_decay must be finite, got inf", sp_optim_adagrad(p, .lr_decay = INFINITY));
    REFUSES("sp_optim_adam: betas[1] must be finite, got nan", sp_optim_adam(p, .betas = {0.9, NAN}));
    REFUSES("sp_optim_adam: eps must be finite, got inf", sp_optim_adam(p, .eps = INFINITY));
    REFUSES("sp_optim_rmsprop: alpha must be finite, got nan", sp_optim_rmsprop(p, .alpha = NAN));
    REFUSES("sp_optim_sgd: momentum must not be negative, got -0.5", sp_optim_sgd(p, .momentum = -0.5));
    REFUSES("sp_optim_sgd: weight_decay must not be negative", sp_optim_sgd(p, .weight_decay = -1));
    REFUSES("nesterov needs a momentum and no dampening, got 0 and 0", sp_optim_sgd(p, .nesterov = true));
    REFUSES("nesterov needs a momentum and no dampening, got 0.9 and 0.1",
            sp_optim_sgd(p, .nesterov = true, .momentum = 0.9, .dampening = 0.1));
    REFUSES("sp_optim_adagrad: lr_decay must not be negative", sp_optim_adagrad(p, .lr_decay = -1));
    REFUSES("initial_accumulator_value must not be negative", sp_optim_adagrad(p, .initial_accumulator_value = -1));
    REFUSES("sp_optim_adadelta: rho must be in [0, 1], got 1.5", sp_optim_adadelta(p, .rho = 1.5));
    REFUSES("sp_optim_rmsprop: alpha must not be negative", sp_optim_rmsprop(p, .alpha = -0.1));
    REFUSES("sp_optim_adam: betas[0] must be in [0, 1), got 1", sp_optim_adam(p, .betas = {1, 0.9}));
    REFUSES("sp_optim_adamw: betas[1] must be in [0, 1), got -2", sp_optim_adamw(p, .betas = {0.9, -2}));
    REFUSES("sp_optim_adamax: eps must not be negative", sp_optim_adamax(p, .eps = -1e-8));
    REFUSES("sp_optim_nadam: momentum_decay must not be negative", sp_optim_nadam(p, .momentum_decay = -1));
    REFUSES("sp_optim_adam: Adam has no option momentum", sp_optim_adam(p, .momentum = 0.9));
    REFUSES("sp_optim_sgd: SGD has no option amsgrad", sp_optim_sgd(p, .amsgrad = true));
#undef REFUSES
}

static void test_parameters_that_cannot_be_trained(void **state)
{
    (void)state;
    sp_tensor *x = parameter(1);
    assert_null(sp_optim_sgd(sp_list_new(NULL, 0)));
    assert_error(SP_ERROR_ARGUMENT, "sp_optim_sgd: the list of parameters is empty");
    assert_null(sp_optim_sgd(SP_LIST(x, sp_mul(x, x))));
    assert_error(SP_ERROR_STATE, "parameter 1 was computed (MulBackward0)");
    assert_null(sp_optim_sgd(SP_LIST(sp_vector_i64(1, 2))));
    assert_error(SP_ERROR_DTYPE, "parameter 0 is int64");
    assert_null(sp_optim_sgd(SP_LIST(x, x)));
    assert_error(SP_ERROR_ARGUMENT, "parameters 0 and 1 are the same");
    sp_optimizer *o = sp_optim_sgd(SP_LIST(x));
    assert_int_equal(sp_add_param_group(o, SP_LIST(x)), SP_ERROR_ARGUMENT);
    assert_error(SP_ERROR_ARGUMENT, "sp_add_param_group: parameter 0 is in another group already");
    sp_tensor *y = parameter(2);
    assert_int_equal(sp_add_param_group(o, sp_list_new(NULL, 0)), SP_ERROR_ARGUMENT);
    assert_error(SP_ERROR_ARGUMENT, "sp_add_param_group: the list of parameters is empty");
    assert_int_equal(sp_add_param_group(o, SP_LIST(y, y)), SP_ERROR_ARGUMENT);
    assert_error(SP_ERROR_ARGUMENT, "sp_add_param_group: parameters 0 and 1 are the same");
    assert_int_equal(sp_add_param_group(o, SP_LIST(sp_mul(y, y))), SP_ERROR_STATE);
    assert_error(SP_ERROR_STATE, "sp_add_param_group: parameter 0 was computed");
    assert_int_equal(sp_add_param_group(o, SP_LIST(sp_vector_i64(1))), SP_ERROR_DTYPE);
    assert_error(SP_ERROR_DTYPE, "sp_add_param_group: parameter 0 is int64");
    assert_int_equal(sp_add_param_group(o, SP_LIST(y), .lr = NAN), SP_ERROR_ARGUMENT);
    assert_error(SP_ERROR_ARGUMENT, "sp_add_param_group: lr must be finite, got nan");
    assert_int_equal(sp_add_param_group(o, SP_LIST(y, SP_NONE)), SP_ERROR_NULL);
    assert_error(SP_ERROR_NULL, "sp_add_param_group: parameter 1 is missing");
    assert_int_equal(sp_num_param_groups(o), 1);
    assert_true(isnan(sp_lr(o, 0)) == false);
    assert_int_equal(sp_set_lr(o, 0, -1), SP_ERROR_ARGUMENT);
    assert_error(SP_ERROR_ARGUMENT, "sp_set_lr: lr must not be negative, got -1");
    assert_int_equal(sp_set_lr(o, 0, INFINITY), SP_ERROR_ARGUMENT);
    assert_error(SP_ERROR_ARGUMENT, "sp_set_lr: lr must be finite, got inf");
    assert_int_equal(sp_set_lr(o, 0, NAN), SP_ERROR_ARGUMENT);
    assert_error(SP_ERROR_ARGUMENT, "sp_set_lr: lr must be finite, got nan");
    assert_true(sp_lr(o, 0) == 1e-3);
    assert_int_equal(sp_set_lr(o, 1, 1), SP_ERROR_ARGUMENT);
    assert_error(SP_ERROR_ARGUMENT, "sp_set_lr: there is no group 1 among 1");
    assert_null(sp_optim_sgd((sp_list *)NULL));
    assert_error(SP_ERROR_NULL, "parameters");
}

/* A step without memory for its state leaves both parameters as they were. */
static bool step_or_nothing(void *context)
{
    constructor *construct = *(constructor **)context;
    sp_tensor *a = parameter(1), *b = parameter(1);
    sp_optimizer *o = construct(a && b ? SP_LIST(a, b) : NULL, NULL);
    if (!o || sp_set_grad(a, sp_ones(SP_DIMS(2, 3))) || sp_set_grad(b, sp_ones(SP_DIMS(2, 3)))) return false;
    bool done = sp_step(o) == SP_OK;
    const float *x = sp_const_data(a), *y = sp_const_data(b);
    assert_true(done ? x[0] != 1 && y[0] != 1 : x[0] == 1 && y[0] == 1);
    return done;
}

static void test_a_step_without_memory_changes_nothing(void **state)
{
    (void)state;
    sp_finish();
    support_watch_allocations();
    for (int i = 0; i < N_ALL; i++) {
        constructor *construct = all[i].make;
        assert_true(support_fail_each_allocation(step_or_nothing, &construct) > 3);
    }
}

static bool save_and_load(void *context)
{
    (void)context;
    sp_tensor *x = parameter(1);
    sp_optimizer *o = sp_optim_adam(x ? SP_LIST(x) : NULL);
    if (!o || sp_set_grad(x, sp_ones(SP_DIMS(2, 3))) || sp_step(o)) return false;
    sp_scheduler *s = sp_lr_scheduler_multi_step_lr(o, SP_DIMS(1, 2));
    sp_dict *dict = s ? sp_optimizer_state_dict(o) : NULL;
    return dict && sp_optimizer_load_state_dict(o, dict) == SP_OK && sp_scheduler_step(s) == SP_OK;
}

static void test_saving_without_memory(void **state)
{
    (void)state;
    sp_finish();
    support_watch_allocations();
    assert_true(support_fail_each_allocation(save_and_load, NULL) > 10);
}

enum { MANY = 100 };

/* Tensors of many sizes, f32 and f64 by turns, with a gradient and Adam's two states. */
static void make_updates(sp_update *updates)
{
    for (int i = 0; i < MANY; i++) {
        const sp_dtype dtype = i % 3 == 0 ? SP_F64 : SP_F32;
        const int64_t n = i == 50 ? 40000 : i; /* one has none */
        sp_update *u = &updates[i];
        *u = (sp_update){
            .parameter = sp_full(SP_DIMS(n), 1., .dtype = dtype),
            .grad = sp_full(SP_DIMS(n), 0.5 + i, .dtype = dtype),
            .state = {sp_zeros(SP_DIMS(n), .dtype = dtype), sp_zeros(SP_DIMS(n), .dtype = dtype), SP_NONE}};
        u->numbers = (sp_update_numbers){.lr = 0.1 + i, .beta1 = 0.9, .beta2 = 0.99, .eps = 1e-8};
        u->numbers.bias_correction1 = 0.1, u->numbers.bias_correction2 = 0.01;
    }
}

static void test_many_parameters_at_once_as_one_by_one(void **state)
{
    (void)state;
    sp_update together[MANY], alone[MANY];
    make_updates(together);
    make_updates(alone);
    assert_int_equal(sp_update_steps_(SP_UPDATE_ADAM, together, MANY), SP_OK);
    for (int i = 0; i < MANY; i++) {
        sp_update *u = &alone[i];
        assert_int_equal(sp_update_step_(SP_UPDATE_ADAM, u->parameter, u->grad, u->state, &u->numbers), SP_OK);
        assert_true(sp_equal(u->parameter, together[i].parameter));
        assert_true(i == 0 || first(u->parameter) < 1);
    }
    assert_int_equal(sp_update_steps_(SP_UPDATE_ADAM, NULL, 0), SP_OK);
}

static void test_many_parameters_of_which_one_is_wrong(void **state)
{
    (void)state;
    sp_update updates[MANY];
    make_updates(updates);
    updates[MANY - 1].grad = sp_zeros(SP_DIMS(3));
    assert_int_equal(sp_update_steps_(SP_UPDATE_ADAM, updates, MANY), SP_ERROR_SHAPE);
    assert_error(SP_ERROR_SHAPE, "the gradient has shape [3]");
    assert_true(first(updates[1].parameter) == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_groups_have_their_own_rates),
        sp_test(test_a_parameter_without_a_gradient_stays),
        sp_test(test_state_outlives_the_scope_of_the_step),
        sp_test(test_the_layout_of_a_parameter_does_not_matter),
        sp_test(test_bf16_parameters_step_in_f32),
        sp_test(test_a_step_counts_as_a_change),
        sp_test(test_saved_state_goes_on_bit_for_bit),
        sp_test(test_state_that_does_not_fit_changes_nothing),
        sp_test(test_options_out_of_range),
        sp_test(test_parameters_that_cannot_be_trained),
        sp_test(test_a_step_without_memory_changes_nothing),
        sp_test(test_saving_without_memory),
        sp_test(test_many_parameters_at_once_as_one_by_one),
        sp_test(test_many_parameters_of_which_one_is_wrong),
    };
    return sp_test_main(tests);
}

/* An optimiser's state brings every option: three steps, saved, three more with an optimiser made by default. */
#include "support/support.h"
#include <math.h>
#include <spusk/extend.h>
#include <spusk/spusk.h>

typedef sp_optimizer *constructor(const sp_list *parameters, const sp_optim_options *options);

#define WITH(...) (&(const sp_optim_options){.size = sizeof(sp_optim_options), __VA_ARGS__})
#define EVERY .lr = 0.02, .weight_decay = 0.1, .maximize = true
static const struct {
    constructor *make;
    const sp_optim_options *options;
} rows[] = {
    {sp_optim_sgd, WITH(EVERY)},
    {sp_optim_sgd, WITH(EVERY, .momentum = 0.9)},
    {sp_optim_sgd, WITH(EVERY, .momentum = 0.9, .dampening = 0.5)},
    {sp_optim_sgd, WITH(EVERY, .momentum = 0.9, .nesterov = true)},
    {sp_optim_adagrad, WITH(EVERY, .lr_decay = 0.1, .initial_accumulator_value = 0.5, .eps = 0.1)},
    {sp_optim_adadelta, WITH(EVERY, .rho = 0.5, .eps = 0.1)},
    {sp_optim_rmsprop, WITH(EVERY, .alpha = 0.5, .eps = 0.1)},
    {sp_optim_rmsprop, WITH(EVERY, .momentum = 0.9)},
    {sp_optim_rmsprop, WITH(EVERY, .centered = true)},
    {sp_optim_rmsprop, WITH(EVERY, .momentum = 0.9, .centered = true)},
    {sp_optim_adam, WITH(EVERY, .betas = {0.5, 0.6}, .eps = 0.1)},
    {sp_optim_adam, WITH(EVERY, .amsgrad = true)},
    {sp_optim_adamw, WITH(EVERY, .betas = {0.5, 0.6}, .eps = 0.1)},
    {sp_optim_adamw, WITH(EVERY, .amsgrad = true)},
    {sp_optim_adamax, WITH(EVERY, .betas = {0.5, 0.6}, .eps = 0.1)},
    {sp_optim_nadam, WITH(EVERY, .betas = {0.5, 0.6}, .eps = 0.1, .momentum_decay = 0.1)},
};
enum { N_ROWS = sizeof rows / sizeof *rows };

/* Two parameters, the second in a group of its own. */
typedef struct run {
    sp_tensor *x, *y;
    sp_optimizer *optimizer;
} run;

static run start(constructor *make, const sp_optim_options *options, sp_tensor *x, sp_tensor *y)
{
    run r = {sp_requires_grad(sp_clone(sp_detach(x))), sp_requires_grad(sp_clone(sp_detach(y))), NULL};
    r.optimizer = make(SP_LIST(r.x), options);
    assert_int_equal(sp_add_param_group(r.optimizer, SP_LIST(r.y)), SP_OK);
    return r;
}

static void go_on(const run *r, int steps)
{
    for (int i = 0; i < steps; i++)
        SP_NO_GRAD {
            sp_set_grad(r->x, sp_mul_scalar(sp_detach(r->x), 1. / (1 + i)));
            sp_set_grad(r->y, sp_mul_scalar(sp_detach(r->y), 1. - i));
            assert_int_equal(sp_step(r->optimizer), SP_OK);
        }
}

static run started(int row)
{
    return start(rows[row].make, rows[row].options, sp_vector(1, -2, 3), sp_vector(0.5, 4));
}

static void test_a_state_brings_every_option(void **state)
{
    (void)state;
    for (int row = 0; row < N_ROWS; row++)
        SP_SCOPE {
            const run a = started(row);
            go_on(&a, 3);
            const run b = start(rows[row].make, NULL, a.x, a.y);
            assert_int_equal(sp_optimizer_load_state_dict(b.optimizer, sp_optimizer_state_dict(a.optimizer)), SP_OK);
            go_on(&a, 3);
            go_on(&b, 3);
            assert_true(sp_equal(a.x, b.x));
            assert_true(sp_equal(a.y, b.y));
        }
    assert_no_error();
}

/* What was set by default goes where the state has it otherwise. */
static void test_a_state_takes_options_away(void **state)
{
    (void)state;
    sp_tensor *x = sp_vector(1, -2, 3), *y = sp_vector(0.5, 4);
    const run a = start(sp_optim_adam, NULL, x, y);
    go_on(&a, 3);
    const sp_optim_options other = {.size = sizeof other, .amsgrad = true, .maximize = true};
    const run b = start(sp_optim_adam, &other, a.x, a.y);
    go_on(&b, 2);
    SP_NO_GRAD {
        sp_copy_(b.x, a.x);
        sp_copy_(b.y, a.y);
    }
    assert_int_equal(sp_optimizer_load_state_dict(b.optimizer, sp_optimizer_state_dict(a.optimizer)), SP_OK);
    go_on(&a, 3);
    go_on(&b, 3);
    assert_true(sp_equal(a.x, b.x));
    assert_true(sp_equal(a.y, b.y));
    assert_null(sp_dict_find(sp_optimizer_state_dict(b.optimizer), "0.max_exp_avg_sq"));
}

/* The state without the entries whose name ends in one of these. */
static sp_dict *without(const sp_dict *state, const char *const *endings)
{
    sp_dict *rest = sp_dict_new();
    for (int64_t i = 0; i < sp_dict_length(state); i++) {
        const char *name = sp_dict_name(state, i), *last = strrchr(name, '.') + 1;
        bool kept = true;
        for (const char *const *e = endings; *e; e++) kept = kept && strcmp(last, *e) != 0;
        if (kept) sp_dict_set(rest, name, sp_dict_get(state, i));
    }
    return rest;
}

static void test_a_state_of_an_older_version(void **state)
{
    (void)state;
    const run a = start(sp_optim_adam, NULL, sp_vector(1, -2, 3), sp_vector(0.5, 4));
    go_on(&a, 2);
    const sp_dict *full = sp_optimizer_state_dict(a.optimizer);
    sp_dict *old = without(full, (const char *const[]){"amsgrad", "maximize", NULL});
    assert_true(sp_dict_length(old) == sp_dict_length(full) - 4);
    assert_int_equal(sp_optimizer_load_state_dict(a.optimizer, old), SP_OK);
    const sp_optim_options amsgrad = {.size = sizeof amsgrad, .amsgrad = true};
    const run b = start(sp_optim_adam, &amsgrad, a.x, a.y);
    assert_int_equal(sp_optimizer_load_state_dict(b.optimizer, old), SP_ERROR_NOT_FOUND);
    assert_error(SP_ERROR_NOT_FOUND, "\"0.max_exp_avg_sq\" is missing from the state");
}

static void refuses(const run *r, const char *name, double value, const char *words)
{
    sp_dict *bad = sp_optimizer_state_dict(r->optimizer);
    sp_dict_set(bad, name, sp_full(SP_DIMS(), value, .dtype = SP_F64));
    assert_int_not_equal(sp_optimizer_load_state_dict(r->optimizer, bad), SP_OK);
    assert_error(sp_error_status(), words);
    assert_true(sp_lr(r->optimizer, 0) == 1e-3);
}

static void test_states_that_do_not_fit(void **state)
{
    (void)state;
    const run a = start(sp_optim_adam, NULL, sp_vector(1, -2, 3), sp_vector(0.5, 4));
    go_on(&a, 2);
    refuses(&a, "group.0.lr", INFINITY, "lr must be finite, got inf");
    refuses(&a, "group.1.eps", NAN, "eps must be finite, got nan");
    refuses(&a, "group.0.amsgrad", NAN, "\"group.0.amsgrad\" must be 0 or 1, got nan");
    refuses(&a, "group.0.initial_lr", -1, "initial_lr: lr must not be negative, got -1");
    refuses(&a, "0.step", NAN, "\"0.step\" must be a whole number of 0 or more, got nan");
    refuses(&a, "0.step", 1e300, "\"0.step\" must be a whole number of 0 or more, got 1e+300");
    refuses(&a, "0.step", 1.5, "\"0.step\" must be a whole number of 0 or more, got 1.5");
    refuses(&a, "group.0.nesterov", 1, "Adam with 2 parameters knows");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_a_state_brings_every_option),
        sp_test(test_a_state_takes_options_away),
        sp_test(test_a_state_of_an_older_version),
        sp_test(test_states_that_do_not_fit),
    };
    return sp_test_main(tests);
}

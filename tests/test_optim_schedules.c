/* Learning rate schedules and clipping, against PyTorch's numbers; what they refuse. */
#include "support/support.h"
#include "support/training.h"
#include <math.h>
#include <spusk/spusk.h>
#include <string.h>

enum { EPOCHS = 40 };

/* ---- schedules: the rows of SCHEDULES in tools/fixtures_training.py ---- */

static sp_scheduler *step(sp_optimizer *o)
{
    return sp_lr_scheduler_step_lr(o, 7);
}

static sp_scheduler *step_gamma(sp_optimizer *o)
{
    return sp_lr_scheduler_step_lr(o, 3, .gamma = 0.7);
}

static sp_scheduler *multi_step(sp_optimizer *o)
{
    return sp_lr_scheduler_multi_step_lr(o, SP_DIMS(3, 8, 8, 20), .gamma = 0.5);
}

static sp_scheduler *exponential(sp_optimizer *o)
{
    return sp_lr_scheduler_exponential_lr(o, 0.93);
}

static sp_scheduler *cosine(sp_optimizer *o)
{
    return sp_lr_scheduler_cosine_annealing_lr(o, 12);
}

static sp_scheduler *cosine_eta_min(sp_optimizer *o)
{
    return sp_lr_scheduler_cosine_annealing_lr(o, 17, .eta_min = 1e-3);
}

static sp_scheduler *linear(sp_optimizer *o)
{
    return sp_lr_scheduler_linear_lr(o);
}

static sp_scheduler *linear_down(sp_optimizer *o)
{
    return sp_lr_scheduler_linear_lr(o, .start_factor = 0.9, .end_factor = SP_ZERO, .total_iters = 25);
}

static sp_scheduler *one_cycle(sp_optimizer *o)
{
    return sp_lr_scheduler_one_cycle_lr(o, 0.2, 40);
}

static sp_scheduler *one_cycle_adam(sp_optimizer *o)
{
    return sp_lr_scheduler_one_cycle_lr(o, 0.2, 41, .pct_start = 0.4);
}

static sp_scheduler *one_cycle_linear(sp_optimizer *o)
{
    return sp_lr_scheduler_one_cycle_lr(o, 0.3, 45, .linear_anneal = true, .div_factor = 10, .final_div_factor = 100,
                                        .base_momentum = 0.5, .max_momentum = 0.99);
}

static sp_scheduler *one_cycle_three(sp_optimizer *o)
{
    return sp_lr_scheduler_one_cycle_lr(o, 0.2, 40, .three_phase = true);
}

static sp_scheduler *one_cycle_keep(sp_optimizer *o)
{
    return sp_lr_scheduler_one_cycle_lr(o, 0.2, 40, .keep_momentum = true);
}

static sp_scheduler *plateau(sp_optimizer *o)
{
    return sp_lr_scheduler_reduce_lr_on_plateau(o, .patience = 2);
}

static sp_scheduler *plateau_cooldown(sp_optimizer *o)
{
    return sp_lr_scheduler_reduce_lr_on_plateau(o, .factor = 0.5, .patience = SP_ZERO, .cooldown = 3, .threshold = 0.05,
                                                .threshold_absolute = true, .min_lr = 1e-2);
}

static sp_scheduler *plateau_max(sp_optimizer *o)
{
    return sp_lr_scheduler_reduce_lr_on_plateau(o, .mode_max = true, .factor = 0.3, .patience = 4);
}

static sp_scheduler *linear_four(sp_optimizer *o)
{
    return sp_lr_scheduler_linear_lr(o, .total_iters = 4);
}

static sp_scheduler *exponential_more(sp_optimizer *o)
{
    return sp_lr_scheduler_exponential_lr(o, 0.9);
}

typedef enum kind { SGD, ADAM, ADADELTA } kind;
static const struct {
    const char *name;
    kind kind;
    bool metric;
    sp_scheduler *(*make[2])(sp_optimizer *o);
} rows[] = {
    {"step", SGD, false, {step}},
    {"step_gamma", SGD, false, {step_gamma}},
    {"multi_step", SGD, false, {multi_step}},
    {"exponential", SGD, false, {exponential}},
    {"cosine", SGD, false, {cosine}},
    {"cosine_eta_min", SGD, false, {cosine_eta_min}},
    {"linear", SGD, false, {linear}},
    {"linear_down", SGD, false, {linear_down}},
    {"one_cycle", SGD, false, {one_cycle}},
    {"one_cycle_adam", ADAM, false, {one_cycle_adam}},
    {"one_cycle_linear", SGD, false, {one_cycle_linear}},
    {"one_cycle_three", SGD, false, {one_cycle_three}},
    {"one_cycle_keep", ADADELTA, false, {one_cycle_keep}},
    {"plateau", SGD, true, {plateau}},
    {"plateau_cooldown", SGD, true, {plateau_cooldown}},
    {"plateau_max", SGD, true, {plateau_max}},
    {"two", SGD, false, {linear_four, exponential_more}},
};

static sp_list *one_parameter(int64_t n)
{
    return SP_LIST(sp_requires_grad(sp_zeros(SP_DIMS(n))));
}

static sp_optimizer *two_groups(kind k)
{
    sp_optimizer *o = k == SGD    ? sp_optim_sgd(one_parameter(2), .lr = 0.1, .momentum = 0.9)
                      : k == ADAM ? sp_optim_adam(one_parameter(2), .lr = 0.1)
                                  : sp_optim_adadelta(one_parameter(2), .lr = 0.1);
    assert_int_equal(sp_add_param_group(o, one_parameter(3), .lr = 0.03), SP_OK);
    return o;
}

static double momentum_of(const sp_optimizer *o, kind k)
{
    double value = 0;
    SP_SCOPE {
        if (k != ADADELTA)
            value = sp_item(
                sp_dict_find(sp_optimizer_state_dict(o), k == SGD ? "group.0.momentum" : "group.0.betas[0]"));
    }
    return value;
}

static double metric(int epoch)
{
    return fmax(1 - 0.1 * epoch, 0.5) - (epoch >= 30 ? 0.2 : 0) + 1e-3 * (epoch * 7 % 5);
}

static void advance(sp_scheduler *const *schedulers, int row, int epoch)
{
    for (int k = 0; k < 2; k++) {
        if (!schedulers[k]) continue;
        sp_status status = rows[row].metric ? sp_scheduler_step_metric(schedulers[k], metric(epoch))
                                            : sp_scheduler_step(schedulers[k]);
        assert_int_equal(status, SP_OK);
    }
}

static void compare_schedule(int row)
{
    double expected[3 * EPOCHS];
    assert_int_equal(training_line("schedules.txt", rows[row].name, expected, 3 * EPOCHS), 3 * EPOCHS);
    sp_optimizer *o = two_groups(rows[row].kind);
    sp_scheduler *schedulers[2] = {NULL, NULL};
    for (int k = 0; k < 2; k++)
        if (rows[row].make[k]) assert_non_null(schedulers[k] = rows[row].make[k](o));
    for (int epoch = 0; epoch < EPOCHS; epoch++) {
        const double got[3] = {sp_lr(o, 0), sp_lr(o, 1), momentum_of(o, rows[row].kind)};
        for (int i = 0; i < 3; i++)
            if (!(fabs(got[i] - expected[3 * epoch + i]) <= 1e-14))
                fail_msg("%s, epoch %d, number %d: %.17g, PyTorch %.17g", rows[row].name, epoch, i, got[i],
                         expected[3 * epoch + i]);
        advance(schedulers, row, epoch);
        if (rows[row].make[1]) continue;
        assert_true(sp_scheduler_last_lr(schedulers[0]) == sp_lr(o, 0));
    }
}

static void test_schedules_are_pytorchs(void **state)
{
    (void)state;
    for (int row = 0; row < (int)(sizeof rows / sizeof *rows); row++)
        SP_SCOPE {
            compare_schedule(row);
        }
    assert_no_error();
}

/* ---- state ---- */

typedef struct run {
    sp_optimizer *optimizer;
    sp_scheduler *schedulers[2];
} run;

static run started(int row)
{
    run r = {.optimizer = two_groups(rows[row].kind)};
    for (int k = 0; k < 2; k++)
        if (rows[row].make[k]) assert_non_null(r.schedulers[k] = rows[row].make[k](r.optimizer));
    return r;
}

static void resume(run *to, const run *from)
{
    assert_int_equal(sp_optimizer_load_state_dict(to->optimizer, sp_optimizer_state_dict(from->optimizer)), SP_OK);
    for (int k = 0; k < 2; k++)
        if (from->schedulers[k])
            assert_int_equal(
                sp_scheduler_load_state_dict(to->schedulers[k], sp_scheduler_state_dict(from->schedulers[k])), SP_OK);
}

/* At every epoch a run goes on from another's state, and both go the same way. */
static void compare_resumed(int row, int at)
{
    run a = started(row), b = started(row);
    for (int epoch = 0; epoch < at; epoch++) advance(a.schedulers, row, epoch);
    resume(&b, &a);
    for (int epoch = at; epoch < EPOCHS; epoch++) {
        advance(a.schedulers, row, epoch);
        advance(b.schedulers, row, epoch);
        for (int g = 0; g < 2; g++) assert_true(sp_lr(a.optimizer, g) == sp_lr(b.optimizer, g));
        assert_true(momentum_of(a.optimizer, rows[row].kind) == momentum_of(b.optimizer, rows[row].kind));
        assert_true(sp_scheduler_last_lr(a.schedulers[0]) == sp_scheduler_last_lr(b.schedulers[0]));
    }
}

static void test_schedules_resume(void **state)
{
    (void)state;
    for (int row = 0; row < (int)(sizeof rows / sizeof *rows); row++)
        for (int at = 0; at < EPOCHS; at += 3)
            SP_SCOPE {
                compare_resumed(row, at);
            }
    assert_no_error();
}

/* Options come from the state, as in PyTorch, whatever the schedule was made with. */
static void test_a_state_brings_its_options(void **state)
{
    (void)state;
    sp_optimizer *o = two_groups(SGD);
    sp_scheduler *from = sp_lr_scheduler_multi_step_lr(o, SP_DIMS(1, 4), .gamma = 0.5),
                 *to = sp_lr_scheduler_multi_step_lr(o, SP_DIMS(2));
    sp_dict *dict = sp_scheduler_state_dict(from);
    assert_int_equal(sp_dict_length(dict), 5);
    assert_true(sp_equal(sp_dict_find(dict, "milestones"), sp_vector_i64(1, 4)));
    assert_int_equal(sp_item_i64(sp_dict_find(dict, "last_epoch")), 0);
    assert_close(sp_item(sp_select(sp_dict_find(dict, "base_lrs"), 0, 1)), 0.03, 0);
    assert_int_equal(sp_scheduler_load_state_dict(to, dict), SP_OK);
    sp_scheduler_step(to);
    assert_close(sp_lr(o, 0), 0.05, 1e-15);
    sp_scheduler *none = sp_lr_scheduler_multi_step_lr(o, SP_DIMS());
    assert_int_equal(sp_scheduler_load_state_dict(to, sp_scheduler_state_dict(none)), SP_OK);
    sp_scheduler_step(to);
    assert_close(sp_lr(o, 0), 0.05, 1e-15);
    assert_no_error();
}

static void refuse_state(sp_scheduler *s, const char *name, sp_tensor *x, sp_status status, const char *text)
{
    sp_dict *before = sp_scheduler_state_dict(s), *dict = sp_scheduler_state_dict(s);
    assert_int_equal(sp_dict_set(dict, name, x), SP_OK);
    assert_int_equal(sp_scheduler_load_state_dict(s, dict), status);
    assert_error(status, text);
    sp_dict *after = sp_scheduler_state_dict(s);
    for (int64_t i = 0; i < sp_dict_length(before); i++)
        assert_true(sp_equal(sp_dict_get(before, i), sp_dict_get(after, i)));
}

static void test_states_that_do_not_fit(void **state)
{
    (void)state;
    sp_optimizer *o = two_groups(SGD);
    sp_scheduler *s = sp_lr_scheduler_step_lr(o, 2), *many = sp_lr_scheduler_multi_step_lr(o, SP_DIMS(2, 3));
    sp_scheduler_step(s);
    refuse_state(s, "step_size", sp_scalar_i64(0), SP_ERROR_ARGUMENT,
                 "sp_scheduler_load_state_dict: step_size must be 1 or more, got 0");
    refuse_state(s, "last_epoch", sp_scalar_i64(-1), SP_ERROR_ARGUMENT,
                 "\"last_epoch\" must be a whole number of 0 or more, got -1");
    refuse_state(s, "last_epoch", sp_full(SP_DIMS(), 1e300, .dtype = SP_F64), SP_ERROR_ARGUMENT, "got 1e+300");
    refuse_state(s, "step_size", sp_scalar(NAN), SP_ERROR_ARGUMENT, "\"step_size\" must be a whole number");
    refuse_state(s, "gamma", sp_scalar(NAN), SP_ERROR_ARGUMENT,
                 "sp_scheduler_load_state_dict: gamma must be finite, got nan");
    refuse_state(s, "base_lrs", sp_vector(1, INFINITY), SP_ERROR_ARGUMENT, "base_lrs: lr must be finite, got inf");
    refuse_state(many, "milestones", sp_vector(NAN, 1e30), SP_ERROR_DTYPE, "\"milestones\" are float32");
    refuse_state(s, "gamma", sp_vector(1, 2), SP_ERROR_SHAPE, "\"gamma\" has 2 elements, not 1");
    refuse_state(s, "base_lrs", sp_vector(1), SP_ERROR_SHAPE, "\"base_lrs\" has 1 elements, not 2");
    refuse_state(s, "patience", sp_scalar_i64(1), SP_ERROR_NOT_FOUND,
                 "the state has 6 entries, of which the schedule of sp_lr_scheduler_step_lr knows 5");
    refuse_state(many, "patience", sp_scalar_i64(1), SP_ERROR_NOT_FOUND, "knows 5");
    assert_int_equal(sp_scheduler_load_state_dict(s, sp_scheduler_state_dict(many)), SP_ERROR_NOT_FOUND);
    assert_error(SP_ERROR_NOT_FOUND, "sp_scheduler_load_state_dict: \"step_size\" is missing from the state");
}

static void test_a_cycle_has_an_end(void **state)
{
    (void)state;
    sp_optimizer *o = two_groups(SGD);
    sp_scheduler *s = sp_lr_scheduler_one_cycle_lr(o, 0.2, 3);
    for (int i = 0; i < 3; i++) assert_int_equal(sp_scheduler_step(s), SP_OK);
    double lr = sp_lr(o, 0);
    assert_int_equal(sp_scheduler_step(s), SP_ERROR_STATE);
    assert_error(SP_ERROR_STATE, "the cycle has 3 steps, and this is step 4");
    assert_true(sp_lr(o, 0) == lr);
}

static void test_a_schedule_keeps_its_optimizer(void **state)
{
    (void)state;
    sp_scheduler *s = NULL;
    SP_SCOPE {
        s = sp_keep(sp_lr_scheduler_exponential_lr(two_groups(SGD), 0.5));
    }
    assert_int_equal(sp_scheduler_step(s), SP_OK);
    assert_close(sp_scheduler_last_lr(s), 0.05, 1e-15);
    sp_release(s);
}

static void test_schedules_refuse(void **state)
{
    (void)state;
    sp_optimizer *o = two_groups(SGD);
    assert_null(sp_lr_scheduler_step_lr(o, 0));
    assert_error(SP_ERROR_ARGUMENT, "sp_lr_scheduler_step_lr: step_size must be 1 or more, got 0");
    assert_null(sp_lr_scheduler_cosine_annealing_lr(o, -1));
    assert_error(SP_ERROR_ARGUMENT, "sp_lr_scheduler_cosine_annealing_lr: t_max must be 1 or more, got -1");
    assert_null(sp_lr_scheduler_linear_lr(o, .start_factor = 1.5));
    assert_error(SP_ERROR_ARGUMENT, "sp_lr_scheduler_linear_lr: start_factor must be above 0 and at most 1, got 1.5");
    assert_null(sp_lr_scheduler_linear_lr(o, .start_factor = SP_ZERO));
    assert_error(SP_ERROR_ARGUMENT, "start_factor must be above 0");
    assert_null(sp_lr_scheduler_linear_lr(o, .end_factor = 2));
    assert_error(SP_ERROR_ARGUMENT, "sp_lr_scheduler_linear_lr: end_factor must be between 0 and 1, got 2");
    assert_null(sp_lr_scheduler_one_cycle_lr(o, 0.1, 0));
    assert_error(SP_ERROR_ARGUMENT, "sp_lr_scheduler_one_cycle_lr: total_steps must be 1 or more, got 0");
    assert_null(sp_lr_scheduler_one_cycle_lr(o, 0.1, 10, .pct_start = 1.5));
    assert_error(SP_ERROR_ARGUMENT, "sp_lr_scheduler_one_cycle_lr: pct_start must be between 0 and 1, got 1.5");
    assert_null(sp_lr_scheduler_one_cycle_lr(two_groups(ADADELTA), 0.1, 10));
    assert_error(SP_ERROR_ARGUMENT, "sp_lr_scheduler_one_cycle_lr: Adadelta has neither momentum nor betas");
    assert_null(sp_lr_scheduler_reduce_lr_on_plateau(o, .factor = 1));
    assert_error(SP_ERROR_ARGUMENT, "sp_lr_scheduler_reduce_lr_on_plateau: factor must be below 1, got 1");
    assert_int_equal(sp_scheduler_step(sp_lr_scheduler_reduce_lr_on_plateau(o)), SP_ERROR_STATE);
    assert_error(SP_ERROR_STATE, "sp_lr_scheduler_reduce_lr_on_plateau needs a metric");
    assert_int_equal(sp_scheduler_step_metric(sp_lr_scheduler_step_lr(o, 2), 1), SP_ERROR_STATE);
    assert_error(SP_ERROR_STATE, "the schedule of sp_lr_scheduler_step_lr takes no metric");
}

/* Numbers that are none, and rates that no optimiser takes; the rates stay. */
static void test_schedules_refuse_numbers(void **state)
{
    (void)state;
    sp_optimizer *o = two_groups(SGD);
    const double before = sp_lr(o, 0);
#define REFUSES(words, call)                                                                                           \
    assert_null(call);                                                                                                 \
    assert_error(SP_ERROR_ARGUMENT, words)
    REFUSES("sp_lr_scheduler_step_lr: gamma must be finite, got nan", sp_lr_scheduler_step_lr(o, 2, .gamma = NAN));
    REFUSES("sp_lr_scheduler_step_lr: gamma must not be negative, got -0.5",
            sp_lr_scheduler_step_lr(o, 2, .gamma = -0.5));
    REFUSES("sp_lr_scheduler_multi_step_lr: gamma must be finite, got inf",
            sp_lr_scheduler_multi_step_lr(o, SP_DIMS(1), .gamma = INFINITY));
    REFUSES("sp_lr_scheduler_exponential_lr: gamma must be finite, got nan", sp_lr_scheduler_exponential_lr(o, NAN));
    REFUSES("sp_lr_scheduler_cosine_annealing_lr: eta_min must be finite, got nan",
            sp_lr_scheduler_cosine_annealing_lr(o, 5, .eta_min = NAN));
    REFUSES("eta_min must not be negative, got -1", sp_lr_scheduler_cosine_annealing_lr(o, 5, .eta_min = -1));
    REFUSES("sp_lr_scheduler_linear_lr: end_factor must be finite, got nan",
            sp_lr_scheduler_linear_lr(o, .end_factor = NAN));
    REFUSES("total_iters must not be negative, got -3", sp_lr_scheduler_linear_lr(o, .total_iters = -3));
    REFUSES("sp_lr_scheduler_one_cycle_lr: max_lr must be finite, got inf",
            sp_lr_scheduler_one_cycle_lr(o, INFINITY, 10));
    REFUSES("max_lr must not be negative, got -1", sp_lr_scheduler_one_cycle_lr(o, -1, 10));
    REFUSES("div_factor must be finite, got inf", sp_lr_scheduler_one_cycle_lr(o, 1, 10, .div_factor = INFINITY));
    REFUSES("final_div_factor must be finite, got nan",
            sp_lr_scheduler_one_cycle_lr(o, 1, 10, .final_div_factor = NAN));
    REFUSES("max_momentum must be finite, got nan", sp_lr_scheduler_one_cycle_lr(o, 1, 10, .max_momentum = NAN));
    REFUSES("sp_lr_scheduler_one_cycle_lr: momentum must not be negative, got -1",
            sp_lr_scheduler_one_cycle_lr(o, 1, 10, .base_momentum = -1));
    REFUSES("sp_lr_scheduler_one_cycle_lr: betas[0] must be in [0, 1), got 1",
            sp_lr_scheduler_one_cycle_lr(two_groups(ADAM), 1, 10, .max_momentum = 1));
    REFUSES("factor must not be negative, got -0.5", sp_lr_scheduler_reduce_lr_on_plateau(o, .factor = -0.5));
    REFUSES("factor must be finite, got nan", sp_lr_scheduler_reduce_lr_on_plateau(o, .factor = NAN));
    REFUSES("patience must not be negative, got -1", sp_lr_scheduler_reduce_lr_on_plateau(o, .patience = -1));
    REFUSES("cooldown must not be negative, got -1", sp_lr_scheduler_reduce_lr_on_plateau(o, .cooldown = -1));
    REFUSES("threshold must be finite, got inf", sp_lr_scheduler_reduce_lr_on_plateau(o, .threshold = INFINITY));
    REFUSES("min_lr must be finite, got nan", sp_lr_scheduler_reduce_lr_on_plateau(o, .min_lr = NAN));
#undef REFUSES
    sp_scheduler *s = sp_lr_scheduler_exponential_lr(o, 1e200);
    assert_true(sp_lr(o, 0) == before);
    assert_int_equal(sp_scheduler_step(s), SP_OK);
    const double once = sp_lr(o, 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(sp_scheduler_step(s), SP_ERROR_ARGUMENT);
        assert_error(SP_ERROR_ARGUMENT, "sp_scheduler_step: the rate of group 0 would be inf at epoch 2");
        assert_true(sp_lr(o, 0) == once);
    }
    assert_non_null(sp_lr_scheduler_cosine_annealing_lr(o, INT64_MAX));
    sp_scheduler *never = sp_lr_scheduler_reduce_lr_on_plateau(o, .patience = INT64_MAX, .cooldown = INT64_MAX);
    sp_dict *dict = sp_scheduler_state_dict(never);
    sp_dict_set(dict, "last_epoch", sp_scalar_i64(INT64_MAX));
    sp_dict_set(dict, "num_bad_epochs", sp_scalar_i64(INT64_MAX));
    assert_int_equal(sp_scheduler_load_state_dict(never, dict), SP_OK);
    assert_int_equal(sp_scheduler_step_metric(never, NAN), SP_OK);
    assert_true(sp_item_i64(sp_dict_find(sp_scheduler_state_dict(never), "patience")) == INT64_MAX);
}

/* ---- clipping ---- */

static sp_list *clipped_parameters(void)
{
    const sp_dims shapes[] = {SP_DIMS(3, 4), SP_DIMS(5), SP_DIMS()};
    sp_list *list = sp_list_new(NULL, 0);
    for (uint64_t i = 0; i < 3; i++) {
        sp_tensor *x = sp_requires_grad(sp_zeros(shapes[i], .dtype = SP_F64));
        assert_int_equal(sp_set_grad(x, training_tensor(10 + i, shapes[i], 2, -1, SP_F64)), SP_OK);
        assert_int_equal(sp_list_append(list, x), SP_OK);
    }
    /* A parameter without a gradient does not count. */
    assert_int_equal(sp_list_append(list, sp_requires_grad(sp_zeros(SP_DIMS(2)))), SP_OK);
    return list;
}

static void compare_clipping(const char *name, double p, double limit)
{
    double expected[19], got[18];
    assert_int_equal(training_line("clipping.txt", name, expected, 19), 19);
    sp_list *list = clipped_parameters();
    assert_close(sp_clip_grad_norm_(list, limit, .p = p), expected[0], 1e-12);
    sp_copy_out(got, sp_grad(sp_list_get(list, 0)), 12 * sizeof *got);
    sp_copy_out(got + 12, sp_grad(sp_list_get(list, 1)), 5 * sizeof *got);
    sp_copy_out(got + 17, sp_grad(sp_list_get(list, 2)), sizeof *got);
    for (int i = 0; i < 18; i++) assert_close(got[i], expected[1 + i], 1e-12);
}

static void test_clipping_is_pytorchs(void **state)
{
    (void)state;
    compare_clipping("one_0.5", 1, 0.5);
    compare_clipping("two_0.5", 2, 0.5);
    compare_clipping("two_100", 0, 100); /* the default norm */
    compare_clipping("three_0.5", 3, 0.5);
    compare_clipping("three_100", 3, 100);
    compare_clipping("most_0.5", INFINITY, 0.5);
    assert_no_error();
}

static void test_clipping_by_value(void **state)
{
    (void)state;
    sp_tensor *x = sp_requires_grad(sp_zeros(SP_DIMS(4)));
    sp_set_grad(x, sp_vector(-3, -0.25, 0.5, 7));
    assert_int_equal(sp_clip_grad_value_(SP_LIST(x, sp_requires_grad(sp_zeros(SP_DIMS(1)))), 0.5), SP_OK);
    assert_true(sp_equal(sp_grad(x), sp_vector(-0.5, -0.25, 0.5, 0.5)));
}

/* torch.nn.utils.get_total_norm of (-3, 1, 0.25) in f64 and (0.5, 2) in f32. */
static void test_norms_of_every_order(void **state)
{
    (void)state;
    sp_tensor *x = sp_requires_grad(sp_zeros(SP_DIMS(3), .dtype = SP_F64)), *y = sp_requires_grad(sp_zeros(SP_DIMS(2)));
    sp_tensor *none = sp_requires_grad(sp_zeros(SP_DIMS(0)));
    const double numbers[] = {-3, 1, 0.25};
    sp_set_grad(x, sp_from_data(numbers, SP_DIMS(3), .dtype = SP_F64));
    sp_set_grad(y, sp_vector(0.5, 2));
    sp_set_grad(none, sp_zeros(SP_DIMS(0)));
    const struct {
        double p, norm;
    } cases[] = {{INFINITY, 3}, {-INFINITY, 0.25}, {1, 6.75}, {-1, 1 / (1. / 3 + 1 + 4 + 2 + 0.5)}, {SP_ZERO, 2}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_close(sp_clip_grad_norm_(SP_LIST(x, none, y), 100, .p = cases[i].p), cases[i].norm, 1e-6);
    assert_close(sp_clip_grad_norm_(SP_LIST(x, y), 0.125, .p = -INFINITY), 0.25, 0);
    assert_close(sp_item(sp_select(sp_grad(y), 0, 1)), 1, 1e-5);
    assert_true(sp_clip_grad_norm_(sp_list_new(NULL, 0), 1) == 0);
    assert_true(sp_clip_grad_norm_(sp_list_new(NULL, 0), 1, .p = -INFINITY) == 0);
    assert_true(sp_clip_grad_norm_(SP_LIST(sp_requires_grad(sp_zeros(SP_DIMS(2)))), 1, .p = -INFINITY) == 0);
    sp_set_grad(y, sp_vector(NAN, 2));
    assert_true(isnan(sp_clip_grad_norm_(SP_LIST(y, x), 1, .p = -INFINITY)));
    assert_no_error();
}

static void test_clipping_refuses(void **state)
{
    (void)state;
    sp_list *list = clipped_parameters();
    assert_true(isnan(sp_clip_grad_norm_(list, -1)));
    assert_error(SP_ERROR_ARGUMENT, "sp_clip_grad_norm_: max_norm must not be negative, got -1");
    assert_true(isnan(sp_clip_grad_norm_(list, NAN)));
    assert_error(SP_ERROR_ARGUMENT, "sp_clip_grad_norm_: max_norm must not be negative, got nan");
    assert_true(isnan(sp_clip_grad_norm_(list, 1, .p = NAN)));
    assert_error(SP_ERROR_ARGUMENT, "sp_clip_grad_norm_: p is not a number, got nan");
    assert_int_equal(sp_clip_grad_value_(list, NAN), SP_ERROR_ARGUMENT);
    assert_error(SP_ERROR_ARGUMENT, "value must not be negative, got nan");
    assert_int_equal(sp_clip_grad_value_(list, -2), SP_ERROR_ARGUMENT);
    assert_error(SP_ERROR_ARGUMENT, "sp_clip_grad_value_: value must not be negative, got -2");
    assert_true(isnan(sp_clip_grad_norm_(NULL, 1)));
    assert_error(SP_ERROR_NULL, "parameters");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_schedules_are_pytorchs),     sp_test(test_schedules_resume),
        sp_test(test_a_state_brings_its_options), sp_test(test_states_that_do_not_fit),
        sp_test(test_a_cycle_has_an_end),         sp_test(test_a_schedule_keeps_its_optimizer),
        sp_test(test_schedules_refuse),           sp_test(test_clipping_is_pytorchs),
        sp_test(test_clipping_by_value),          sp_test(test_clipping_refuses),
        sp_test(test_norms_of_every_order),       sp_test(test_schedules_refuse_numbers)};
    return sp_test_main(tests);
}

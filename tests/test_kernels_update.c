/* Twenty steps of each optimiser rule, as one pass, against PyTorch's order of operations written out in f64. */
#include "test_kernels.h"
#include <spusk/extend/update.h>

enum { N = 1003, STEPS = 20 };

typedef struct variant {
    const char *name;
    sp_update_rule rule;
    int states;
    sp_update_numbers numbers;
} variant;

#define ADAM .lr = 1e-2, .beta1 = 0.9, .beta2 = 0.99, .eps = 1e-8
static const variant variants[] = {
    {"sgd", SP_UPDATE_SGD, 0, {.lr = 0.1}},
    {"sgd, decay", SP_UPDATE_SGD, 0, {.lr = 0.1, .weight_decay = 0.1, .maximize = true}},
    {"sgd, momentum", SP_UPDATE_SGD, 1, {.lr = 0.1, .momentum = 0.9, .dampening = 0.5}},
    {"sgd, nesterov", SP_UPDATE_SGD, 1, {.lr = 0.1, .momentum = 0.9, .nesterov = true, .weight_decay = 0.01}},
    {"adagrad", SP_UPDATE_ADAGRAD, 1, {.lr = 0.1, .eps = 1e-10, .weight_decay = 0.1}},
    {"adadelta", SP_UPDATE_ADADELTA, 2, {.lr = 1, .rho = 0.9, .eps = 1e-6, .weight_decay = 0.1}},
    {"rmsprop", SP_UPDATE_RMSPROP, 1, {.lr = 1e-2, .alpha = 0.99, .eps = 1e-8}},
    {"rmsprop, momentum", SP_UPDATE_RMSPROP, 2, {.lr = 1e-2, .alpha = 0.9, .eps = 1e-8, .momentum = 0.9}},
    {"rmsprop, centered", SP_UPDATE_RMSPROP, 5, {.lr = 1e-2, .alpha = 0.6, .eps = 1e-3}},
    {"rmsprop, all",
     SP_UPDATE_RMSPROP,
     3,
     {.lr = 1e-2, .alpha = 0.9, .eps = 1e-3, .momentum = 0.5, .weight_decay = 0.1}},
    {"adam", SP_UPDATE_ADAM, 2, {ADAM}},
    {"adam, decay", SP_UPDATE_ADAM, 2, {ADAM, .weight_decay = 0.1, .maximize = true}},
    {"adamw", SP_UPDATE_ADAM, 2, {ADAM, .weight_decay = 0.1, .decoupled = true}},
    {"amsgrad", SP_UPDATE_ADAM, 3, {ADAM}},
    {"adam, small beta", SP_UPDATE_ADAM, 2, {.lr = 1e-2, .beta1 = 0.3, .beta2 = 0.9, .eps = 1e-8}},
    {"adamax", SP_UPDATE_ADAMAX, 2, {ADAM, .weight_decay = 0.1}},
    {"nadam", SP_UPDATE_NADAM, 2, {ADAM}},
    {"nadam, decoupled", SP_UPDATE_NADAM, 2, {ADAM, .weight_decay = 0.1, .decoupled = true}},
};
#define VARIANTS (int)(sizeof variants / sizeof *variants)

/* Which states a variant has: the first `states`, but 5 says the first and the third. */
static bool has_state(const variant *v, int i)
{
    return v->states == 5 ? i != 1 : i < v->states;
}

/* The numbers that change from step to step; step counts from 1. */
static sp_update_numbers numbers_at(const variant *v, int step)
{
    sp_update_numbers n = v->numbers;
    n.first = step == 1;
    n.bias_correction1 = 1 - pow(n.beta1, step);
    n.bias_correction2 = 1 - pow(n.beta2, step);
    n.mu_product = 1;
    for (int i = 1; i <= step; i++) {
        n.mu = n.beta1 * (1 - 0.5 * pow(0.96, i * 4e-3));
        n.mu_next = n.beta1 * (1 - 0.5 * pow(0.96, (i + 1) * 4e-3));
        n.mu_product *= n.mu;
    }
    return n;
}

/* ---- the twin: one element ---- */

typedef struct element {
    double p, s[3];
} element;

static double lerp(double a, double b, double w)
{
    return w < 0.5 ? a + w * (b - a) : b - (b - a) * (1 - w);
}

static void twin_sgd(element *e, double g, const sp_update_numbers *n, const bool *has)
{
    if (has[0]) {
        e->s[0] = n->first ? g : e->s[0] * n->momentum + (1 - n->dampening) * g;
        g = n->nesterov ? g + n->momentum * e->s[0] : e->s[0];
    }
    e->p -= n->lr * g;
}

static void twin_adadelta(element *e, double g, const sp_update_numbers *n)
{
    e->s[0] = e->s[0] * n->rho + (1 - n->rho) * g * g;
    const double delta = sqrt(e->s[1] + n->eps) / sqrt(e->s[0] + n->eps) * g;
    e->s[1] = e->s[1] * n->rho + (1 - n->rho) * delta * delta;
    e->p -= n->lr * delta;
}

static void twin_rmsprop(element *e, double g, const sp_update_numbers *n, const bool *has)
{
    e->s[0] = e->s[0] * n->alpha + (1 - n->alpha) * g * g;
    double average = e->s[0];
    if (has[2]) {
        e->s[2] = lerp(e->s[2], g, 1 - n->alpha);
        average -= e->s[2] * e->s[2];
    }
    average = sqrt(average) + n->eps;
    if (has[1]) e->s[1] = e->s[1] * n->momentum + g / average;
    e->p -= n->lr * (has[1] ? e->s[1] : g / average);
}

static void twin_adam(element *e, double g, const sp_update_numbers *n, const bool *has)
{
    if (n->decoupled) e->p *= 1 - n->lr * n->weight_decay;
    e->s[0] = lerp(e->s[0], g, 1 - n->beta1);
    e->s[1] = e->s[1] * n->beta2 + (1 - n->beta2) * g * g;
    if (has[2]) e->s[2] = fmax(e->s[2], e->s[1]);
    const double denominator = sqrt(has[2] ? e->s[2] : e->s[1]) / sqrt(n->bias_correction2) + n->eps;
    e->p -= n->lr / n->bias_correction1 * e->s[0] / denominator;
}

static void twin_nadam(element *e, double g, const sp_update_numbers *n)
{
    if (n->decoupled) e->p *= 1 - n->lr * n->weight_decay;
    e->s[0] = lerp(e->s[0], g, 1 - n->beta1);
    e->s[1] = e->s[1] * n->beta2 + (1 - n->beta2) * g * g;
    const double denominator = sqrt(e->s[1] / n->bias_correction2) + n->eps;
    e->p += -n->lr * (1 - n->mu) / (1 - n->mu_product) * g / denominator;
    e->p += -n->lr * n->mu_next / (1 - n->mu_product * n->mu_next) * e->s[0] / denominator;
}

static void twin(sp_update_rule rule, element *e, double g, const sp_update_numbers *n, const bool *has)
{
    if (n->maximize) g = -g;
    if (!n->decoupled) g += n->weight_decay * e->p;
    switch (rule) {
    case SP_UPDATE_SGD: twin_sgd(e, g, n, has); break;
    case SP_UPDATE_ADAGRAD:
        e->s[0] += g * g;
        e->p -= n->lr * g / (sqrt(e->s[0]) + n->eps);
        break;
    case SP_UPDATE_ADADELTA: twin_adadelta(e, g, n); break;
    case SP_UPDATE_RMSPROP: twin_rmsprop(e, g, n, has); break;
    case SP_UPDATE_ADAM: twin_adam(e, g, n, has); break;
    case SP_UPDATE_ADAMAX:
        e->s[0] = lerp(e->s[0], g, 1 - n->beta1);
        e->s[1] = fmax(e->s[1] * n->beta2, fabs(g) + n->eps);
        e->p -= n->lr / n->bias_correction1 * e->s[0] / e->s[1];
        break;
    case SP_UPDATE_NADAM: twin_nadam(e, g, n); break;
    }
}

/* ---- tests ---- */

/* parameter, gradient, three states */
typedef struct buffers {
    void *at[5];
} buffers;

static buffers make_buffers(sp_dtype dtype)
{
    buffers b;
    for (int i = 0; i < 5; i++) b.at[i] = calloc(N, (size_t)sp__size_of(dtype));
    fill_numbers(dtype, b.at[0], N, 1);
    return b;
}

static void free_buffers(buffers *b)
{
    for (int i = 0; i < 5; i++) free(b->at[i]);
}

static void run_step(const variant *v, sp_dtype dtype, buffers *b, int step)
{
    const sp_update_numbers numbers = numbers_at(v, step);
    sp__update call = {.rule = v->rule, .dtype = dtype, .n = N, .numbers = &numbers};
    fill_numbers(dtype, b->at[1], N, (uint64_t)step + 100);
    call.parameter = operand(b->at[0], dtype);
    call.grad = operand(b->at[1], dtype);
    for (int i = 0; i < 3; i++) call.state[i] = operand(has_state(v, i) ? b->at[2 + i] : NULL, dtype);
    assert_int_equal(sp__cpu_backend.update(&call, 1), SP_OK);
}

static void check_variant(const variant *v, sp_dtype dtype)
{
    const bool has[3] = {has_state(v, 0), has_state(v, 1), has_state(v, 2)};
    static element elements[N];
    buffers b = make_buffers(dtype);
    for (int i = 0; i < N; i++) elements[i] = (element){.p = get(dtype, b.at[0], i)};
    for (int step = 1; step <= STEPS; step++) {
        const sp_update_numbers numbers = numbers_at(v, step);
        run_step(v, dtype, &b, step);
        for (int i = 0; i < N; i++) twin(v->rule, &elements[i], get(dtype, b.at[1], i), &numbers, has);
    }
    const double precision = dtype == SP_F64 ? 1e-12 : 1e-4;
    for (int i = 0; i < N; i++) {
        const double got = get(dtype, b.at[0], i), want = elements[i].p;
        EXPECT(is_near(got, want, precision, 1), "%s: %s of %s: parameter %d is %.12g, not %.12g", sp_isa(), v->name,
               dtype_names[dtype], i, got, want);
        for (int s = 0; s < 3; s++)
            if (has[s]) assert_true(is_near(get(dtype, b.at[2 + s], i), elements[i].s[s], precision, 1));
    }
    free_buffers(&b);
}

static void test_every_rule(void **state)
{
    (void)state;
    int levels = 0;
    FOR_EACH_LEVEL(level)
    {
        levels++;
        for (int v = 0; v < VARIANTS; v++) {
            check_variant(&variants[v], SP_F32);
            check_variant(&variants[v], SP_F64);
        }
    }
    assert_true(levels >= 2);
}

/* A parameter that is NaN or infinite does not reach the states: 0·p is not added. Nor does an infinite gradient make a
 * plain momentum NaN. */
static void check_no_decay(const variant *v, sp_dtype dtype)
{
    buffers b = make_buffers(dtype), plain = make_buffers(dtype);
    for (int i = 0; i < N; i += 3) put(dtype, b.at[0], i, i % 2 ? (double)NAN : (double)INFINITY);
    for (int step = 1; step <= 2; step++) run_step(v, dtype, &b, step), run_step(v, dtype, &plain, step);
    for (int s = 2; s < 5; s++) assert_memory_equal(b.at[s], plain.at[s], (size_t)N * (size_t)sp__size_of(dtype));
    free_buffers(&b);
    free_buffers(&plain);
}

static void check_infinite_gradient(sp_dtype dtype)
{
    const sp_update_numbers numbers = {.lr = 0.1, .momentum = 0.9};
    buffers b = make_buffers(dtype);
    sp__update call = {.rule = SP_UPDATE_SGD, .dtype = dtype, .n = N, .numbers = &numbers};
    for (int i = 0; i < N; i++) put(dtype, b.at[1], i, (double)INFINITY);
    call.parameter = operand(b.at[0], dtype), call.grad = operand(b.at[1], dtype);
    call.state[0] = operand(b.at[2], dtype);
    call.state[1] = call.state[2] = operand(NULL, dtype);
    assert_int_equal(sp__cpu_backend.update(&call, 1), SP_OK);
    for (int i = 0; i < N; i++) assert_true(get(dtype, b.at[0], i) == -(double)INFINITY);
    free_buffers(&b);
}

static void test_what_is_multiplied_by_zero_is_not_added(void **state)
{
    (void)state;
    FOR_EACH_LEVEL(level)
    {
        for (int v = 0; v < VARIANTS; v++) {
            variant none = variants[v];
            none.numbers.weight_decay = 0;
            check_no_decay(&none, SP_F32);
            check_no_decay(&none, SP_F64);
        }
        check_infinite_gradient(SP_F32);
        check_infinite_gradient(SP_F64);
    }
}

static void test_other_dtypes_are_refused(void **state)
{
    (void)state;
    sp_set_error_handler(NULL, NULL);
    const sp__update call = {.rule = SP_UPDATE_SGD, .dtype = SP_I64, .n = 1};
    assert_int_equal(sp__cpu_backend.update(&call, 1), SP_ERROR_DTYPE);
    sp_error_clear();
}

/* A large parameter, cut into tasks: bit for bit the same with any number of threads, subnormal moments and all. */
static void test_threads_change_no_bit(void **state)
{
    (void)state;
    enum { LARGE = 150001 };
    static const int threads[] = {1, 2, 3, 8};
    float *now[4], *alone[4];
    for (int i = 0; i < 4; i++) now[i] = malloc(LARGE * sizeof(float)), alone[i] = malloc(LARGE * sizeof(float));
    FOR_EACH_LEVEL(level)
    {
        for (int t = 0; t < 4; t++) {
            const sp_update_numbers numbers = numbers_at(&variants[10], 3);
            sp__update call = {.rule = SP_UPDATE_ADAM, .dtype = SP_F32, .n = LARGE, .numbers = &numbers};
            for (int i = 0; i < 4; i++) fill_numbers(SP_F32, now[i], LARGE, (uint64_t)i + 1);
            for (int i = 0; i < LARGE; i++) now[3][i] = fabsf(now[3][i]), now[2][i] *= i % 3 ? 1 : 1e-38f;
            call.parameter = operand(now[0], SP_F32), call.grad = operand(now[1], SP_F32);
            call.state[0] = operand(now[2], SP_F32), call.state[1] = operand(now[3], SP_F32);
            call.state[2] = operand(NULL, SP_F32);
            assert_int_equal(sp_set_num_threads(threads[t]), SP_OK);
            assert_int_equal(sp__cpu_backend.update(&call, 1), SP_OK);
            for (int i = 0; i < 4; i++) {
                if (t == 0) memcpy(alone[i], now[i], LARGE * sizeof(float));
                assert_memory_equal(alone[i], now[i], LARGE * sizeof(float));
            }
        }
    }
    for (int i = 0; i < 4; i++) free(now[i]), free(alone[i]);
}

/* What flushes subnormals inside must not do so outside. */
static void test_the_callers_arithmetic_is_left_alone(void **state)
{
    (void)state;
    buffers b = make_buffers(SP_F32);
    run_step(&variants[0], SP_F32, &b, 1);
    volatile float smallest = 1.17549435e-38f;
    assert_true(smallest / 2 > 0);
    free_buffers(&b);
}

static int teardown(void **state)
{
    (void)state;
    return sp__cpu_set_level(NULL) ? 0 : 1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_rule),
        cmocka_unit_test(test_what_is_multiplied_by_zero_is_not_added),
        cmocka_unit_test(test_other_dtypes_are_refused),
        cmocka_unit_test(test_threads_change_no_bit),
        cmocka_unit_test(test_the_callers_arithmetic_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, teardown);
}

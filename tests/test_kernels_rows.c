/* Softmax, its kin, running sums and the negative log likelihood against plain loops in f64. */
#include "test_kernels.h"

enum { SPACE = 40000 };
static void *in, *other, *out;

typedef struct shape {
    int64_t outer, n, inner;
} shape;
static const shape shapes[] = {{64, 10, 1},   {3, 1, 1},   {5, 17, 1},   {2, 1000, 1}, {7, 64, 1},
                               {4, 9, 6},     {1, 3, 50},  {300, 33, 1}, {1, 0, 4},    {0, 5, 1},
                               {1, 30001, 1}, {50, 48, 1}, {17, 49, 1},  {3, 65, 49},  {2, 7, 17}};
#define SHAPES (int)(sizeof shapes / sizeof *shapes)

static sp__rows make_call(sp__row_kind kind, sp_dtype dtype, shape s)
{
    return (sp__rows){.kind = kind,
                      .outer = s.outer,
                      .n = s.n,
                      .inner = s.inner,
                      .in = operand(in, dtype),
                      .out = operand(out, dtype),
                      .other = operand(other, dtype)};
}

static int64_t place(const sp__rows *c, int64_t row, int64_t i)
{
    return (row / c->inner * c->n + i) * c->inner + row % c->inner;
}

/* What a row's elements share: the largest, and the sum that the kind needs. */
static void sums_of(const sp__rows *c, int64_t row, double *max, double *sum)
{
    *max = -(double)INFINITY;
    *sum = 0;
    for (int64_t i = 0; i < c->n; i++) *max = fmax(*max, get(c->in.dtype, in, place(c, row, i)));
    for (int64_t i = 0; i < c->n; i++) {
        const double x = get(c->in.dtype, in, place(c, row, i)), y = get(c->in.dtype, other, place(c, row, i));
        if (c->kind == SP__SOFTMAX || c->kind == SP__LOG_SOFTMAX)
            *sum += exp(x - *max);
        else
            *sum += c->kind == SP__SOFTMAX_BACKWARD ? x * y : x;
    }
}

static double twin(const sp__rows *c, int64_t row, int64_t i)
{
    const sp_dtype dtype = c->in.dtype;
    const double x = get(dtype, in, place(c, row, i)), y = get(dtype, other, place(c, row, i));
    double max, sum, running = 0;
    if (c->kind == SP__CUMSUM || c->kind == SP__CUMSUM_REVERSE) {
        const bool back = c->kind == SP__CUMSUM_REVERSE;
        for (int64_t j = back ? i : 0; j < (back ? c->n : i + 1); j++) running += get(dtype, in, place(c, row, j));
        return running;
    }
    sums_of(c, row, &max, &sum);
    switch (c->kind) {
    case SP__SOFTMAX: return exp(x - max) / sum;
    case SP__LOG_SOFTMAX: return x - max - log(sum);
    case SP__SOFTMAX_BACKWARD: return y * (x - sum);
    default: return x - exp(y) * sum;
    }
}

static int64_t check(sp__row_kind kind, sp_dtype dtype, shape s)
{
    const sp__rows call = make_call(kind, dtype, s);
    int64_t compared = 0;
    assert_int_equal(sp__cpu_backend.rows(&call), SP_OK);
    for (int64_t row = 0; row < s.outer * s.inner; row++) {
        for (int64_t i = 0; i < s.n; i++, compared++) {
            if (s.n > 5000 && i % 997) continue;
            const double want = twin(&call, row, i), got = get(dtype, out, place(&call, row, i));
            uint8_t wrapped[8];
            sp__store_i64(dtype, wrapped, is_float(dtype) ? 0 : (int64_t)want);
            const bool right = is_float(dtype) ? is_near(got, want, 4 * precision_of(dtype), (double)s.n / 10 + 3)
                                               : got == get(dtype, wrapped, 0);
            EXPECT(right, "%s: kind %d of %s, (%lld, %lld, %lld): [%lld, %lld] is %.9g, not %.9g", sp_isa(), (int)kind,
                   dtype_names[dtype], (long long)s.outer, (long long)s.n, (long long)s.inner, (long long)row,
                   (long long)i, got, want);
        }
    }
    return compared;
}

static void test_every_kind_and_shape(void **state)
{
    (void)state;
    int64_t compared = 0;
    FOR_EACH_LEVEL(level)
    {
        for (int t = 0; t < DTYPES; t++) {
            const sp_dtype dtype = all_dtypes[t];
            if (dtype == SP_BOOL) continue;
            fill_numbers(dtype, in, SPACE, 1), fill_numbers(dtype, other, SPACE, 2);
            for (int kind = is_float(dtype) ? 0 : SP__CUMSUM; kind < SP__ROW_COUNT; kind++)
                for (int s = 0; s < SHAPES; s++) compared += check((sp__row_kind)kind, dtype, shapes[s]);
        }
    }
    assert_true(compared > 100000);
}

/* A row of probabilities adds up to one; large numbers do not overflow; -inf has probability 0; a row of them, or one
 * with +inf or NaN, is NaN. */
static void test_softmax_at_the_edges(void **state)
{
    (void)state;
    FOR_EACH_LEVEL(level)
    {
        for (int t = 0; t < 3; t++) {
            const sp_dtype dtype = all_dtypes[t];
            const double inf = (double)INFINITY,
                         rows[5][3] = {
                             {1000, 992, -1000}, {-inf, 0, -inf}, {-inf, -inf, -inf}, {inf, 0, 1}, {0, (double)NAN, 1}};
            for (int i = 0; i < 15; i++) put(dtype, in, i, rows[i / 3][i % 3]);
            sp__rows call = make_call(SP__SOFTMAX, dtype, (shape){5, 3, 1});
            assert_int_equal(sp__cpu_backend.rows(&call), SP_OK);
            assert_true(is_near(get(dtype, out, 0), 1 / (1 + exp(-8)), precision_of(dtype), 0) &&
                        get(dtype, out, 2) == 0);
            assert_true(get(dtype, out, 3) == 0 && get(dtype, out, 4) == 1);
            for (int i = 6; i < 9; i++) assert_true(isnan(get(dtype, out, i)));
            assert_true(isnan(get(dtype, out, 9)) && isnan(get(dtype, out, 12)));
            call.kind = SP__LOG_SOFTMAX;
            assert_int_equal(sp__cpu_backend.rows(&call), SP_OK);
            assert_true(get(dtype, out, 3) == -inf && get(dtype, out, 4) == 0);
            assert_true(isnan(get(dtype, out, 6)));
        }
    }
}

static void test_the_same_place_in_and_out(void **state)
{
    (void)state;
    enum { N = 64 * 10 };
    float expected[N];
    FOR_EACH_LEVEL(level)
    {
        for (int kind = 0; kind < SP__CUMSUM; kind++) {
            fill_numbers(SP_F32, in, N, 1), fill_numbers(SP_F32, other, N, 2);
            sp__rows call = make_call((sp__row_kind)kind, SP_F32, (shape){64, 10, 1});
            assert_int_equal(sp__cpu_backend.rows(&call), SP_OK);
            memcpy(expected, out, sizeof expected);
            call.out.buffer = in;
            assert_int_equal(sp__cpu_backend.rows(&call), SP_OK);
            assert_memory_equal(expected, in, sizeof expected);
        }
    }
}

static void test_threads_change_no_bit(void **state)
{
    (void)state;
    float *alone = malloc(SPACE * sizeof *alone);
    FOR_EACH_LEVEL(level)
    {
        fill_numbers(SP_F32, in, SPACE, 1), fill_numbers(SP_F32, other, SPACE, 2);
        for (int kind = 0; kind < SP__ROW_COUNT; kind++) {
            const sp__rows call = make_call((sp__row_kind)kind, SP_F32, (shape){1000, 33, 1});
            assert_int_equal(sp_set_num_threads(1), SP_OK);
            assert_int_equal(sp__cpu_backend.rows(&call), SP_OK);
            memcpy(alone, out, 33000 * sizeof *alone);
            for (int threads = 2; threads < 9; threads += 3) {
                assert_int_equal(sp_set_num_threads(threads), SP_OK);
                assert_int_equal(sp__cpu_backend.rows(&call), SP_OK);
                assert_memory_equal(alone, out, 33000 * sizeof *alone);
            }
        }
    }
    free(alone);
}

/* At each level whose multiply-adds round once. */
static void test_levels_have_the_same_bits(void **state)
{
    (void)state;
    float *first = malloc(SPACE * sizeof *first);
    fill_numbers(SP_F32, in, SPACE, 1), fill_numbers(SP_F32, other, SPACE, 2);
    for (int kind = 0; kind < SP__CUMSUM; kind++)
        for (int s = 0; s < SHAPES; s++) {
            const sp__rows call = make_call((sp__row_kind)kind, SP_F32, shapes[s]);
            const size_t bytes = (size_t)(shapes[s].outer * shapes[s].n * shapes[s].inner) * sizeof *first;
            bool any = false;
            FOR_EACH_LEVEL(level)
            {
                if (!strcmp(level_names[level], "reference") || !strcmp(level_names[level], "generic")) continue;
                assert_int_equal(sp__cpu_backend.rows(&call), SP_OK);
                if (any) assert_memory_equal(first, out, bytes);
                memcpy(first, out, bytes);
                any = true;
            }
        }
    free(first);
}

/* ---- negative log likelihood ---- */

enum { BATCH = 5, CLASSES = 4, INNER = 3, TARGETS = BATCH * INNER };
static int64_t targets[TARGETS];
static const double weights[CLASSES] = {1, 0.5, 2, 0.25};

static sp__nll nll_call(sp_dtype dtype, bool each, bool mean, bool weighted, void *weight)
{
    for (int i = 0; i < TARGETS; i++) targets[i] = i % 7 == 3 ? -100 : i % CLASSES;
    fill_numbers(dtype, in, BATCH * CLASSES * INNER, 5);
    for (int i = 0; i < CLASSES; i++) put(dtype, weight, i, weights[i]);
    return (sp__nll){.function = "nll_loss",
                     .each = each,
                     .mean = mean,
                     .batch = BATCH,
                     .classes = CLASSES,
                     .inner = INNER,
                     .ignore_index = -100,
                     .x = operand(in, dtype),
                     .loss = operand(out, dtype),
                     .target = operand(targets, SP_I64),
                     .weight = operand(weighted ? weight : NULL, dtype)};
}

static void check_nll(sp_dtype dtype, bool each, bool mean, bool weighted)
{
    double weight[CLASSES], sum = 0, total = 0;
    sp__nll call = nll_call(dtype, each, mean, weighted, weight);
    assert_int_equal(sp__cpu_backend.nll(&call), SP_OK);
    for (int i = 0; i < TARGETS; i++) {
        const bool counts = targets[i] >= 0;
        const double w = counts ? (weighted ? weights[targets[i]] : 1) : 0;
        const double x = counts ? get(dtype, in, (i / INNER * CLASSES + targets[i]) * INNER + i % INNER) : 0;
        if (each) assert_true(is_near(get(dtype, out, i), -w * x, precision_of(dtype), 0));
        sum -= w * x, total += w;
    }
    if (!each) assert_true(is_near(get(dtype, out, 0), mean ? sum / total : sum, 4 * precision_of(dtype), 1));
    call.backward = true;
    for (int i = 0; i < TARGETS; i++) put(dtype, out, i, 2);
    memset(in, 0x77, BATCH * CLASSES * INNER * (size_t)sp__size_of(dtype));
    assert_int_equal(sp__cpu_backend.nll(&call), SP_OK);
    for (int i = 0; i < BATCH * CLASSES * INNER; i++) {
        const int64_t target = targets[i / (CLASSES * INNER) * INNER + i % INNER];
        const double w = weighted ? weights[i / INNER % CLASSES] : 1;
        const double want = target == i / INNER % CLASSES ? -2 * w / (mean && !each ? total : 1) : 0;
        assert_true(is_near(get(dtype, in, i), want, precision_of(dtype), 0));
    }
}

static void test_nll(void **state)
{
    (void)state;
    FOR_EACH_LEVEL(level)
    {
        for (int i = 0; i < 12; i++) {
            if (i / 2 % 3 != 2)
                check_nll(all_dtypes[i / 6 ? 0 : 1], i / 2 % 3 == 0, i / 2 % 3 == 1, i % 2);
            else
                check_nll(SP_BF16, false, true, i % 2);
        }
    }
}

static void test_nll_names_a_wrong_target(void **state)
{
    (void)state;
    double weight[CLASSES];
    sp_set_error_handler(NULL, NULL);
    const sp__nll call = nll_call(SP_F32, false, true, false, weight);
    targets[7] = 4;
    assert_int_equal(sp__cpu_backend.nll(&call), SP_ERROR_ARGUMENT);
    assert_non_null(strstr(sp_error_message(), "nll_loss"));
    assert_non_null(strstr(sp_error_message(), "4"));
    sp_error_clear();
}

static int setup(void **state)
{
    (void)state;
    in = calloc(SPACE, 8), other = calloc(SPACE, 8), out = calloc(SPACE, 8);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(in), free(other), free(out);
    return sp__cpu_set_level(NULL) ? 0 : 1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind_and_shape),      cmocka_unit_test(test_softmax_at_the_edges),
        cmocka_unit_test(test_the_same_place_in_and_out), cmocka_unit_test(test_threads_change_no_bit),
        cmocka_unit_test(test_levels_have_the_same_bits), cmocka_unit_test(test_nll),
        cmocka_unit_test(test_nll_names_a_wrong_target),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

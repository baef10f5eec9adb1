/* Reductions against plain loops in f64 and i64: every kind, dtype, layout and choice of dimensions. */
#include "test_kernels.h"

/* ---- the twin ---- */

/* All that one output needs to know, in row-major order. */
typedef struct sample {
    int64_t n;
    double *x;
    int64_t *whole;
} sample;

static double best(const sample *s, bool max, int64_t *where)
{
    double found = max ? -(double)INFINITY : (double)INFINITY;
    *where = 0;
    for (int64_t i = 0; i < s->n; i++) {
        const double x = s->x[i];
        if (x != x) return *where = i, x;
        if (max ? x > found : x < found) found = x, *where = i;
    }
    return found;
}

static double norm(const sample *s, double p)
{
    double sum = 0, most = 0, least = (double)INFINITY;
    for (int64_t i = 0; i < s->n; i++) {
        const double size = fabs(s->x[i]);
        sum += p == 0 ? size != 0 : pow(size, p);
        most = size > most || size != size ? size : most;
        least = size < least || size != size ? size : least;
    }
    if (p == (double)INFINITY) return most;
    if (p == -(double)INFINITY) return least;
    return p == 0 ? sum : pow(sum, 1 / p);
}

static double variance(const sample *s, double correction)
{
    double mean = 0, sum = 0;
    for (int64_t i = 0; i < s->n; i++) mean += s->x[i];
    mean /= (double)s->n;
    for (int64_t i = 0; i < s->n; i++) sum += (s->x[i] - mean) * (s->x[i] - mean);
    return sum / fmax(0, (double)s->n - correction);
}

static double logsumexp(const sample *s)
{
    int64_t where;
    double max = best(s, true, &where), sum = 0;
    if (fabs(max) == (double)INFINITY) max = 0;
    for (int64_t i = 0; i < s->n; i++) sum += exp(s->x[i] - max);
    return max + log(sum);
}

static double twin(sp__reduce_kind kind, const sample *s, double param)
{
    double sum = 0, product = 1;
    int64_t where, any = 0, all = 1;
    for (int64_t i = 0; i < s->n; i++) {
        sum += s->x[i], product *= s->x[i];
        any |= s->x[i] != 0, all &= s->x[i] != 0;
    }
    switch (kind) {
    case SP__SUM: return sum;
    case SP__MEAN: return sum / (double)s->n;
    case SP__PROD: return product;
    case SP__MAX: return best(s, true, &where);
    case SP__MIN: return best(s, false, &where);
    case SP__ANY: return (double)any;
    case SP__ALL: return (double)all;
    case SP__VAR: return variance(s, param);
    case SP__STD: return sqrt(variance(s, param));
    case SP__NORM: return norm(s, param);
    case SP__LOGSUMEXP: return logsumexp(s);
    case SP__ARGMAX: best(s, true, &where); return (double)where;
    default: best(s, false, &where); return (double)where;
    }
}

/* ---- calls ---- */

typedef struct layout {
    const char *name;
    int ndim;
    int64_t sizes[4], in[4];
    bool reduced[4];
} layout;
enum { SPACE = 300000 };

static const layout layouts[] = {
    {"a number", 0, {0}, {0}, {0}},
    {"all", 2, {37, 41}, {41, 1}, {true, true}},
    {"rows", 2, {37, 410}, {410, 1}, {false, true}},
    {"columns", 2, {64, 256}, {256, 1}, {true, false}},
    {"few columns", 2, {64, 10}, {10, 1}, {true, false}},
    {"columns of a transposed matrix", 2, {70, 90}, {1, 70}, {true, false}},
    {"rows of a transposed matrix", 2, {70, 90}, {1, 70}, {false, true}},
    {"all of a transposed matrix", 2, {70, 90}, {1, 70}, {true, true}},
    {"the middle", 3, {5, 33, 65}, {2145, 65, 1}, {false, true, false}},
    {"the ends", 3, {5, 33, 65}, {2145, 65, 1}, {true, false, true}},
    {"channels", 4, {4, 6, 9, 8}, {432, 72, 8, 1}, {true, false, true, true}},
    {"channels last", 4, {4, 6, 9, 8}, {432, 1, 48, 6}, {true, false, true, true}},
    {"every second", 2, {40, 30}, {100, 2}, {false, true}},
    {"a repeated row", 2, {40, 30}, {0, 1}, {true, false}},
    {"nothing reduced", 2, {12, 13}, {13, 1}, {false, false}},
    {"one long row", 1, {299999}, {1}, {true}},
    {"two long columns", 2, {140000, 2}, {2, 1}, {true, false}},
    {"long columns", 2, {1000, 290}, {290, 1}, {true, false}},
    {"many short rows", 2, {9000, 3}, {3, 1}, {false, true}},
};
#define LAYOUTS (int)(sizeof layouts / sizeof *layouts)

static void *input, *output;
static double numbers[SPACE];
static int64_t wholes[SPACE];

static sp__reduce make_call(sp__reduce_kind kind, sp_dtype dtype, const layout *how, double param)
{
    sp__reduce call = {.kind = kind, .ndim = how->ndim, .param = param};
    sp_dtype out = dtype;
    if (kind == SP__ANY || kind == SP__ALL)
        out = SP_BOOL;
    else if (kind == SP__ARGMAX || kind == SP__ARGMIN || (!is_float(dtype) && (kind == SP__SUM || kind == SP__PROD)))
        out = SP_I64;
    call.in = operand(input, dtype);
    call.out = operand(output, out);
    int64_t stride = 1;
    for (int d = how->ndim - 1; d >= 0; d--) {
        call.sizes[d] = how->sizes[d];
        call.reduced[d] = how->reduced[d];
        call.in.strides[d] = how->in[d];
        if (!how->reduced[d]) call.out.strides[d] = stride, stride *= how->sizes[d];
    }
    return call;
}

/* Offset of element i, in row-major order, of the dimensions that are reduced, or of those that are kept. */
static int64_t offset(const sp__reduce *call, bool reduced, int64_t i, const int64_t *strides)
{
    int64_t at = 0;
    for (int d = call->ndim - 1; d >= 0; d--) {
        if (call->reduced[d] != reduced) continue;
        at += i % call->sizes[d] * strides[d];
        i /= call->sizes[d];
    }
    return at;
}

static int64_t count(const sp__reduce *call, bool reduced)
{
    int64_t n = 1;
    for (int d = 0; d < call->ndim; d++) n *= call->reduced[d] == reduced ? call->sizes[d] : 1;
    return n;
}

static bool is_supported(sp__reduce_kind kind, sp_dtype dtype)
{
    return is_float(dtype) ||
           (kind != SP__MEAN && kind != SP__VAR && kind != SP__STD && kind != SP__NORM && kind != SP__LOGSUMEXP);
}

static double wrapped_sum(const sample *s)
{
    uint64_t sum = 0;
    for (int64_t i = 0; i < s->n; i++) sum += (uint64_t)s->whole[i];
    return (double)(int64_t)sum;
}

static double wrapped_product(const sample *s)
{
    uint64_t product = 1;
    for (int64_t i = 0; i < s->n; i++) product *= (uint64_t)s->whole[i];
    return (double)(int64_t)product;
}

static double expected(const sp__reduce *call, const sample *s)
{
    if (!is_float(call->in.dtype) && call->kind == SP__SUM) return wrapped_sum(s);
    if (!is_float(call->in.dtype) && call->kind == SP__PROD) return wrapped_product(s);
    return twin(call->kind, s, call->param);
}

/* Sums lose what their terms' size makes them lose. */
static double scale_of(const sp__reduce *call, const sample *s)
{
    double size = 0;
    if (call->kind == SP__SUM || call->kind == SP__MEAN) {
        for (int64_t i = 0; i < s->n; i++) size += fabs(s->x[i]);
        if (call->kind == SP__MEAN) size /= (double)s->n;
    }
    return size < (double)INFINITY ? size : 1;
}

static int64_t check(sp__reduce_kind kind, sp_dtype dtype, const layout *how, double param)
{
    const sp__reduce call = make_call(kind, dtype, how, param);
    if (!is_supported(kind, dtype)) {
        EXPECT(sp__cpu_backend.reduce(&call) == SP_ERROR_DTYPE, "kind %d of %s should be refused", (int)kind,
               dtype_names[dtype]);
        sp_error_clear();
        return 0;
    }
    assert_int_equal(sp__cpu_backend.reduce(&call), SP_OK);
    const int64_t kept = count(&call, false);
    sample s = {count(&call, true), numbers, wholes};
    for (int64_t k = 0; k < kept; k++) {
        const int64_t from = offset(&call, false, k, call.in.strides);
        for (int64_t r = 0; r < s.n; r++) {
            numbers[r] = get(dtype, input, from + offset(&call, true, r, call.in.strides));
            wholes[r] = is_float(dtype) ? 0 : (int64_t)numbers[r];
        }
        const double want = rounded_to(call.out.dtype, expected(&call, &s));
        const double got = get(call.out.dtype, output, offset(&call, false, k, call.out.strides));
        const double precision = dtype == SP_F64 ? 1e-12 : precision_of(dtype);
        EXPECT(is_near(got, want, is_float(dtype) ? precision : 0, scale_of(&call, &s)),
               "%s: kind %d of %s, %s, param %g, output %lld is %.12g, not %.12g", sp_isa(), (int)kind,
               dtype_names[dtype], how->name, param, (long long)k, got, want);
    }
    return kept;
}

/* ---- tests ---- */

static int setup(void **state)
{
    (void)state;
    sp_set_error_handler(NULL, NULL);
    input = calloc(SPACE, 8), output = calloc(SPACE, 8);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(input), free(output);
    return sp__cpu_set_level(NULL) ? 0 : 1;
}

static void test_every_kind_dtype_and_layout(void **state)
{
    (void)state;
    int64_t compared = 0, levels = 0;
    FOR_EACH_LEVEL(level)
    {
        levels++;
        for (int t = 0; t < DTYPES; t++) {
            fill_numbers(all_dtypes[t], input, SPACE, 99);
            for (int l = 0; l < LAYOUTS; l++) {
                for (int kind = 0; kind < SP__REDUCE_COUNT; kind++)
                    compared += check((sp__reduce_kind)kind, all_dtypes[t], &layouts[l], kind == SP__NORM ? 2 : 1);
            }
        }
    }
    assert_true(levels >= 2);
    assert_true(compared > 100000);
}

static void test_norms_and_corrections(void **state)
{
    (void)state;
    static const double powers[] = {0, 1, 2, 3, 0.5, -1, (double)INFINITY, -(double)INFINITY};
    FOR_EACH_LEVEL(level)
    {
        for (int t = 0; t < 3; t++) {
            fill_numbers(all_dtypes[t], input, SPACE, 7);
            for (int l = 0; l < LAYOUTS; l++) {
                for (size_t i = 0; i < sizeof powers / sizeof *powers; i++)
                    check(SP__NORM, all_dtypes[t], &layouts[l], powers[i]);
                for (int i = 0; i < 4; i++) check(SP__VAR, all_dtypes[t], &layouts[l], i);
            }
        }
    }
}

static void test_special_numbers(void **state)
{
    (void)state;
    static const layout rows = {"special rows", 2, {6, 200}, {200, 1}, {false, true}};
    static const layout columns = {"special columns", 2, {200, 100}, {1, 200}, {true, false}};
    static const layout across = {"special columns, side by side", 2, {200, 100}, {100, 1}, {true, false}};
    FOR_EACH_LEVEL(level)
    {
        for (int t = 0; t < 3; t++) {
            const sp_dtype dtype = all_dtypes[t];
            fill_numbers(dtype, input, SPACE, 3);
            put(dtype, input, 30, (double)NAN), put(dtype, input, 130, (double)NAN),
                put(dtype, input, 250, (double)INFINITY);
            put(dtype, input, 499, -(double)INFINITY), put(dtype, input, 650, (double)INFINITY);
            put(dtype, input, 651, -(double)INFINITY);
            for (int i = 800; i < 1000; i++) put(dtype, input, i, -(double)INFINITY);
            for (int i = 1000; i < 1200; i++) put(dtype, input, i, -0.0);
            for (int kind = 0; kind < SP__REDUCE_COUNT; kind++) {
                check((sp__reduce_kind)kind, dtype, &rows, 1);
                check((sp__reduce_kind)kind, dtype, &columns, 1);
                check((sp__reduce_kind)kind, dtype, &across, 1);
            }
        }
    }
}

static double empty(sp__reduce_kind kind, sp_dtype dtype)
{
    static const layout nothing = {"nothing", 2, {0, 1}, {1, 1}, {true, false}};
    const sp__reduce call = make_call(kind, dtype, &nothing, 1);
    put(call.out.dtype, output, 0, 5);
    assert_int_equal(sp__cpu_backend.reduce(&call), SP_OK);
    return get(call.out.dtype, output, 0);
}

static void test_of_nothing(void **state)
{
    (void)state;
    FOR_EACH_LEVEL(level)
    {
        for (int t = 0; t < DTYPES; t++) {
            assert_true(empty(SP__SUM, all_dtypes[t]) == 0);
            assert_true(empty(SP__PROD, all_dtypes[t]) == 1);
            assert_true(empty(SP__ANY, all_dtypes[t]) == 0);
            assert_true(empty(SP__ALL, all_dtypes[t]) == 1);
        }
        assert_true(isnan(empty(SP__MEAN, SP_F32)) && isnan(empty(SP__VAR, SP_F32)));
        assert_true(empty(SP__NORM, SP_F32) == 0);
        assert_true(empty(SP__LOGSUMEXP, SP_F32) == -(double)INFINITY);
    }
}

static void test_big_integers_are_exact(void **state)
{
    (void)state;
    static const layout all = {"three", 1, {3}, {1}, {true}};
    int64_t *x = input;
    x[0] = (int64_t)1 << 53, x[1] = 1, x[2] = 2;
    FOR_EACH_LEVEL(level)
    {
        sp__reduce call = make_call(SP__SUM, SP_I64, &all, 0);
        assert_int_equal(sp__cpu_backend.reduce(&call), SP_OK);
        assert_int_equal(*(int64_t *)output, ((int64_t)1 << 53) + 3);
        x[1] = ((int64_t)1 << 53) + 1;
        call = make_call(SP__MAX, SP_I64, &all, 0);
        assert_int_equal(sp__cpu_backend.reduce(&call), SP_OK);
        assert_int_equal(*(int64_t *)output, x[1]);
        call = make_call(SP__ARGMAX, SP_I64, &all, 0);
        assert_int_equal(sp__cpu_backend.reduce(&call), SP_OK);
        assert_int_equal(*(int64_t *)output, 1);
        x[1] = 1;
    }
}

/* A million ones in f32 are a million, and tenths do not drift. */
static void test_sums_are_as_good_as_in_f64(void **state)
{
    (void)state;
    static const layout all = {"many", 1, {SPACE}, {1}, {true}};
    for (int i = 0; i < SPACE; i++) ((float *)input)[i] = 0.1f;
    FOR_EACH_LEVEL(level)
    {
        const sp__reduce call = make_call(SP__SUM, SP_F32, &all, 0);
        assert_int_equal(sp__cpu_backend.reduce(&call), SP_OK);
        assert_true(*(float *)output == (float)((double)0.1f * SPACE));
    }
}

static void test_threads_change_no_bit(void **state)
{
    (void)state;
    static const int threads[] = {2, 3, 8};
    static double alone[SPACE];
    int64_t compared = 0;
    FOR_EACH_LEVEL(level)
    {
        for (int t = 0; t < 3; t++) {
            fill_numbers(all_dtypes[t], input, SPACE, 21);
            for (int l = 0; l < LAYOUTS; l++) {
                for (int kind = 0; kind < SP__REDUCE_COUNT; kind++) {
                    const sp__reduce call = make_call((sp__reduce_kind)kind, all_dtypes[t], &layouts[l], 3);
                    const size_t bytes = (size_t)(count(&call, false) * sp__size_of(call.out.dtype));
                    assert_int_equal(sp_set_num_threads(1), SP_OK);
                    assert_int_equal(sp__cpu_backend.reduce(&call), SP_OK);
                    memcpy(alone, output, bytes);
                    for (int i = 0; i < 3; i++, compared++) {
                        assert_int_equal(sp_set_num_threads(threads[i]), SP_OK);
                        assert_int_equal(sp__cpu_backend.reduce(&call), SP_OK);
                        assert_memory_equal(alone, output, bytes);
                    }
                }
            }
        }
    }
    assert_true(compared > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind_dtype_and_layout),
        cmocka_unit_test(test_norms_and_corrections),
        cmocka_unit_test(test_special_numbers),
        cmocka_unit_test(test_of_nothing),
        cmocka_unit_test(test_big_integers_are_exact),
        cmocka_unit_test(test_sums_are_as_good_as_in_f64),
        cmocka_unit_test(test_threads_change_no_bit),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

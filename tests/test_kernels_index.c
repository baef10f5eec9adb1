/* gather, scatter_add and fills against plain loops. */
#include "test_kernels.h"

enum { SPACE = 70000 };
static void *out, *data;
static int64_t indices[SPACE];
static int32_t indices_i32[SPACE];

typedef struct layout {
    const char *name;
    int ndim, dim;
    int64_t sizes[3]; /* of index */
    int64_t extent;
    int64_t walk[3], target[3],
        index[3]; /* strides: of what goes along with index; of what is pointed into; of index */
} layout;

static const layout layouts[] = {
    {"a number", 0, 0, {0}, 3, {0}, {0}, {0}},
    {"one dimension", 1, 0, {50}, 20, {1}, {1}, {1}},
    {"rows", 2, 0, {64, 30}, 100, {30, 1}, {30, 1}, {30, 1}},
    {"columns", 2, 1, {64, 30}, 7, {30, 1}, {7, 1}, {30, 1}},
    {"whole rows", 2, 0, {40, 33}, 12, {33, 1}, {33, 1}, {1, 0}},
    {"whole columns", 2, 1, {33, 40}, 12, {40, 1}, {12, 1}, {0, 1}},
    {"the middle", 3, 1, {5, 6, 7}, 9, {42, 7, 1}, {63, 7, 1}, {42, 7, 1}},
    {"transposed", 2, 0, {20, 30}, 25, {1, 20}, {1, 25}, {30, 1}},
    {"every second", 2, 1, {20, 30}, 25, {90, 3}, {100, 2}, {60, 2}},
    {"large", 2, 0, {300, 200}, 50, {200, 1}, {200, 1}, {1, 0}},
    {"large, cut along rows", 2, 1, {300, 200}, 50, {200, 1}, {50, 1}, {200, 1}},
    {"nothing", 2, 0, {0, 4}, 5, {4, 1}, {4, 1}, {4, 1}},
};
#define LAYOUTS (int)(sizeof layouts / sizeof *layouts)

static sp__index make_call(sp__index_kind kind, sp_dtype dtype, sp_dtype index_dtype, const layout *how)
{
    sp__index call = {.kind = kind, .ndim = how->ndim, .dim = how->dim, .extent = how->extent};
    const bool gather = kind == SP__GATHER;
    call.out = operand(out, dtype), call.data = operand(data, dtype);
    call.index = operand(index_dtype == SP_I64 ? (void *)indices : (void *)indices_i32, index_dtype);
    for (int d = 0; d < how->ndim; d++) {
        call.sizes[d] = how->sizes[d];
        call.out.strides[d] = gather ? how->walk[d] : how->target[d];
        call.data.strides[d] = gather ? how->target[d] : how->walk[d];
        call.index.strides[d] = how->index[d];
    }
    return call;
}

static int64_t total(const sp__index *call)
{
    int64_t n = 1;
    for (int d = 0; d < call->ndim; d++) n *= call->sizes[d];
    return n;
}

/* Where element i of the index, its data and its output lie. */
static void places(const sp__index *call, int64_t i, int64_t *in_out, int64_t *in_data)
{
    int64_t at = 0, position[3] = {0};
    for (int d = call->ndim - 1; d >= 0; d--) {
        position[d] = i % call->sizes[d];
        i /= call->sizes[d];
        at += position[d] * call->index.strides[d];
    }
    *in_out = *in_data = 0;
    for (int d = 0; d < call->ndim; d++) {
        const int64_t pointed = d == call->dim ? indices[at] : position[d];
        *in_out += (call->kind == SP__GATHER ? position[d] : pointed) * call->out.strides[d];
        *in_data += (call->kind == SP__GATHER ? pointed : position[d]) * call->data.strides[d];
    }
}

static void fill_indices(int64_t extent, uint64_t seed)
{
    for (int i = 0; i < SPACE; i++) {
        indices[i] = (int64_t)next_number(&seed, 0, (double)extent);
        indices_i32[i] = (int32_t)indices[i];
    }
}

static void add(sp_dtype dtype, void *buffer, int64_t i, double x)
{
    if (dtype == SP_BOOL)
        put(dtype, buffer, i, get(dtype, buffer, i) != 0 || x != 0);
    else if (is_float(dtype))
        put(dtype, buffer, i, get(dtype, buffer, i) + x);
    else
        sp__store_i64(dtype, element_at(dtype, buffer, i), get_i64(dtype, buffer, i) + (int64_t)x);
}

static int64_t check(sp__index_kind kind, sp_dtype dtype, sp_dtype index_dtype, const layout *how, void *expected)
{
    const sp__index call = make_call(kind, dtype, index_dtype, how);
    const int64_t n = total(&call);
    fill_indices(how->extent, 5);
    fill_numbers(dtype, data, SPACE, 6), fill_numbers(dtype, out, SPACE, 7), fill_numbers(dtype, expected, SPACE, 7);
    for (int64_t i = 0; i < n; i++) {
        int64_t to, from;
        places(&call, i, &to, &from);
        if (kind == SP__GATHER)
            put(dtype, expected, to, get(dtype, data, from));
        else
            add(dtype, expected, to, get(dtype, data, from));
    }
    assert_int_equal(sp__cpu_backend.index(&call), SP_OK);
    EXPECT(memcmp(out, expected, (size_t)(SPACE * sp__size_of(dtype))) == 0, "kind %d of %s by %s, %s", (int)kind,
           dtype_names[dtype], dtype_names[index_dtype], how->name);
    return n;
}

static void test_every_dtype_and_layout(void **state)
{
    (void)state;
    void *expected = calloc(SPACE, 8);
    int64_t moved = 0;
    for (int threads = 1; threads < 4; threads++) {
        assert_int_equal(sp_set_num_threads(threads), SP_OK);
        for (int t = 0; t < DTYPES; t++) {
            for (int l = 0; l < LAYOUTS; l++) {
                moved += check(SP__GATHER, all_dtypes[t], SP_I64, &layouts[l], expected);
                moved += check(SP__GATHER, all_dtypes[t], SP_I32, &layouts[l], expected);
                moved += check(SP__SCATTER_ADD, all_dtypes[t], SP_I64, &layouts[l], expected);
                moved += check(SP__SCATTER_ADD, all_dtypes[t], SP_I32, &layouts[l], expected);
            }
        }
    }
    assert_true(moved > 1000000);
    free(expected);
}

static void test_an_index_outside_is_named_and_nothing_is_written(void **state)
{
    (void)state;
    static const int64_t wrong[] = {20, -1, INT64_MIN, INT64_MAX};
    float before[64];
    sp_set_error_handler(NULL, NULL);
    for (int kind = 0; kind < SP__INDEX_COUNT; kind++) {
        for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
            const sp__index call = make_call((sp__index_kind)kind, SP_F32, SP_I64, &layouts[1]);
            fill_indices(20, 5);
            indices[31] = wrong[i];
            memcpy(before, out, sizeof before);
            assert_int_equal(sp__cpu_backend.index(&call), SP_ERROR_ARGUMENT);
            char text[32];
            snprintf(text, sizeof text, "%lld", (long long)wrong[i]);
            assert_non_null(strstr(sp_error_message(), text));
            sp_error_clear();
            assert_memory_equal(before, out, sizeof before);
        }
    }
}

/* ---- fills ---- */

static sp__fill make_fill(sp__fill_kind kind, sp_dtype dtype, int64_t n, double a, double b)
{
    sp__fill fill = {.kind = kind, .out = operand(out, dtype), .n = n, .a = a, .b = b, .seed = 42, .position = 1000};
    fill.value_i64 = (int64_t)a, fill.step_i64 = (int64_t)b;
    return fill;
}

static void test_values_and_sequences(void **state)
{
    (void)state;
    for (int t = 0; t < DTYPES; t++) {
        const sp_dtype dtype = all_dtypes[t];
        sp__fill fill = make_fill(SP__FILL_VALUE, dtype, SPACE - 1, 1, 0);
        put(dtype, out, SPACE - 1, 0);
        assert_int_equal(sp__cpu_backend.fill(&fill), SP_OK);
        for (int i = 0; i < SPACE - 1; i++) assert_true(get(dtype, out, i) == 1);
        assert_true(get(dtype, out, SPACE - 1) == 0);
        fill = make_fill(SP__FILL_ARANGE, dtype, 100, 1, 2);
        assert_int_equal(sp__cpu_backend.fill(&fill), SP_OK);
        for (int i = 0; i < 100; i++) assert_true(get(dtype, out, i) == (dtype == SP_BOOL ? 1 : 1 + 2 * i));
    }
    const int64_t big = ((int64_t)1 << 53) + 1;
    sp__fill fill = {.kind = SP__FILL_ARANGE, .out = operand(out, SP_I64), .n = 3, .value_i64 = big, .step_i64 = 1};
    assert_int_equal(sp__cpu_backend.fill(&fill), SP_OK);
    assert_int_equal(((int64_t *)out)[2], big + 2);
}

/* The words that backend.h says element i draws. */
static void words_of(const sp__fill *fill, int64_t i, uint32_t *first, uint32_t *second)
{
    uint32_t block[4];
    const uint64_t per = sp__fill_per_block(fill->kind, fill->out.dtype), at = (uint64_t)i % per * (4 / per);
    sp__generator_block(fill->seed, fill->position + (uint64_t)i / per, block);
    *first = block[at], *second = per == 2 ? block[at + 1] : 0;
}

static double drawn(const sp__fill *fill, int64_t i)
{
    uint32_t first, second;
    words_of(fill, i, &first, &second);
    const bool one = sp__fill_per_block(fill->kind, fill->out.dtype) == 4;
    const double u = one ? (double)sp__uniform_f32(first) : sp__uniform_f64(first, second);
    switch (fill->kind) {
    case SP__FILL_UNIFORM: return fill->a + (fill->b - fill->a) * u;
    case SP__FILL_NORMAL: return fill->a + fill->b * sp__normal(first, second);
    case SP__FILL_BERNOULLI_SCALE: return u < fill->a ? fill->b : 0;
    default: return (double)(fill->value_i64 + (int64_t)((double)fill->step_i64 * ((double)first / 4294967296.0)));
    }
}

static void test_random_fills_draw_what_they_should(void **state)
{
    (void)state;
    static const int threads[] = {1, 2, 3, 8};
    void *alone = calloc(SPACE, 8);
    for (int kind = SP__FILL_UNIFORM; kind < SP__FILL_COUNT; kind++) {
        for (int t = 0; t < DTYPES; t++) {
            const sp_dtype dtype = all_dtypes[t];
            if (!is_float(dtype) && kind != SP__FILL_INTEGER && kind != SP__FILL_BERNOULLI_SCALE) continue;
            const sp__fill fill = make_fill((sp__fill_kind)kind, dtype, SPACE - 3, kind == SP__FILL_INTEGER ? 3 : 0.5,
                                            kind == SP__FILL_INTEGER ? 100 : 2);
            for (int i = 0; i < 4; i++) {
                assert_int_equal(sp_set_num_threads(threads[i]), SP_OK);
                assert_int_equal(sp__cpu_backend.fill(&fill), SP_OK);
                if (i == 0) memcpy(alone, out, SPACE * (size_t)sp__size_of(dtype));
                assert_memory_equal(alone, out, (SPACE - 3) * (size_t)sp__size_of(dtype));
            }
            for (int64_t i = 0; i < 3000; i++) {
                const double want = rounded_to(dtype, drawn(&fill, i)), got = get(dtype, out, i);
                if (dtype == SP_BOOL)
                    assert_true(got == (want != 0));
                else if (kind == SP__FILL_UNIFORM && want == 2)
                    assert_true(got < 2);
                else
                    EXPECT(got == want, "kind %d of %s: element %lld is %.17g, not %.17g", kind, dtype_names[dtype],
                           (long long)i, got, want);
            }
        }
    }
    free(alone);
}

static void test_a_uniform_fill_stays_below_its_end(void **state)
{
    (void)state;
    static const double ranges[][2] = {{0, 1}, {1, 1.01}, {-1, 0}, {-3, -1}, {1000, 1001}};
    for (int t = 0; t < 3; t++) {
        for (size_t r = 0; r < sizeof ranges / sizeof *ranges; r++) {
            const double a = ranges[r][0], b = rounded_to(all_dtypes[t], ranges[r][1]);
            const sp__fill fill = make_fill(SP__FILL_UNIFORM, all_dtypes[t], SPACE, a, b);
            if (rounded_to(all_dtypes[t], a) >= b) continue; /* nothing lies between */
            assert_int_equal(sp__cpu_backend.fill(&fill), SP_OK);
            for (int i = 0; i < SPACE; i++) {
                const double x = get(all_dtypes[t], out, i);
                EXPECT(x >= a && x < b, "%s in [%g, %g): %.9g", dtype_names[all_dtypes[t]], a, b, x);
            }
        }
    }
}

/* Random numbers have the same bits at every level, sums of products in it or not. */
static void test_levels_draw_the_same(void **state)
{
    (void)state;
    static const double numbers[][2] = {{0.5, 2}, {0, 1}, {1, 0.3}, {1e-9, 1.4}, {-0.1, 1.1}, {1.7, 1.7000001}, {3, 0}};
    static const int64_t sizes[] = {1, 3, 17, 255, 1000, 20001};
    char *want = calloc(SPACE, 8);
    int64_t compared = 0;
    for (int kind = SP__FILL_UNIFORM; kind < SP__FILL_COUNT; kind++) {
        for (int c = 0; c < 3 * 7 * 6; c++) {
            const sp_dtype dtype = all_dtypes[c % 3];
            if (kind == SP__FILL_INTEGER) continue;
            sp__fill fill = make_fill((sp__fill_kind)kind, dtype, sizes[c / 21], numbers[c / 3 % 7][0],
                                      numbers[c / 3 % 7][1]);
            fill.seed = UINT64_C(0xFEDCBA9876543210), fill.position = UINT64_C(0xFFFFFFFF) - 50;
            if (fill.n > SPACE) fill.n = SPACE;
            const size_t bytes = (size_t)(fill.n * sp__size_of(dtype));
            assert_true(sp__cpu_set_level("reference"));
            assert_int_equal(sp__cpu_backend.fill(&fill), SP_OK);
            memcpy(want, out, bytes);
            FOR_EACH_LEVEL(level)
            {
                memset(out, 0, bytes);
                assert_int_equal(sp__cpu_backend.fill(&fill), SP_OK);
                EXPECT(memcmp(want, out, bytes) == 0, "%s: kind %d of %s, %lld numbers of (%g, %g) differ", sp_isa(),
                       kind, dtype_names[dtype], (long long)fill.n, fill.a, fill.b);
                compared++;
            }
        }
    }
    assert_true(compared > 500);
    assert_true(sp__cpu_set_level(NULL));
    free(want);
}

static void test_blocks_are_counted(void **state)
{
    (void)state;
    assert_int_equal(sp__fill_blocks(SP__FILL_VALUE, SP_F32, 100), 0);
    assert_int_equal(sp__fill_blocks(SP__FILL_UNIFORM, SP_F32, 0), 0);
    assert_int_equal(sp__fill_blocks(SP__FILL_UNIFORM, SP_F32, 9), 3);
    assert_int_equal(sp__fill_blocks(SP__FILL_UNIFORM, SP_F64, 9), 5);
    assert_int_equal(sp__fill_blocks(SP__FILL_NORMAL, SP_F32, 9), 5);
    assert_int_equal(sp__fill_blocks(SP__FILL_BERNOULLI_SCALE, SP_BF16, 8), 2);
}

static int setup(void **state)
{
    (void)state;
    out = calloc(SPACE, 8), data = calloc(SPACE, 8);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(out), free(data);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_dtype_and_layout),
        cmocka_unit_test(test_an_index_outside_is_named_and_nothing_is_written),
        cmocka_unit_test(test_values_and_sequences),
        cmocka_unit_test(test_random_fills_draw_what_they_should),
        cmocka_unit_test(test_a_uniform_fill_stays_below_its_end),
        cmocka_unit_test(test_levels_draw_the_same),
        cmocka_unit_test(test_blocks_are_counted),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

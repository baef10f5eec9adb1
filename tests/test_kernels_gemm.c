/* Products against three plain loops in f64, or in i64: sizes around the tiles' edges, all strides, every level, any
 * number of threads. */
#include "test_kernels.h"

static const sp_dtype gemm_dtypes[] = {SP_F32, SP_F64, SP_BF16, SP_I64, SP_I32, SP_U8};
enum { GEMM_DTYPES = sizeof gemm_dtypes / sizeof *gemm_dtypes };

typedef struct shape {
    int64_t batches, m, n, k;
} shape;

/* How a matrix of rows × columns lies. */
typedef enum order { BY_ROWS, BY_COLUMNS, WITH_GAPS, ORDERS } order;

typedef struct problem {
    sp_dtype dtype;
    shape size;
    order a, b, c;
    double alpha, beta;
    bool bias, relu;
} problem;

static sp__matrix matrix(int64_t rows, int64_t columns, order how, int64_t batches, int64_t *elements)
{
    sp__matrix m = {.row = columns, .column = 1, .batch = rows * columns};
    if (how == BY_COLUMNS) m.row = 1, m.column = rows;
    if (how == WITH_GAPS) m.row = 3 * columns + 5, m.column = 2, m.batch = rows * m.row + 7, m.offset = 11;
    *elements = m.offset + batches * m.batch + 1;
    return m;
}

static int64_t at(const sp__matrix *m, int64_t batch, int64_t i, int64_t j)
{
    return m->offset + batch * m->batch + i * m->row + j * m->column;
}

/* One element by the definition. Whole numbers are small enough to be exact in f64, before they wrap. */
static double naive(const sp__gemm *g, const void *c_before, int64_t batch, int64_t i, int64_t j, double *size)
{
    double sum = 0;
    *size = 0;
    for (int64_t k = 0; k < g->k; k++) {
        const double term = get(g->dtype, g->a.buffer, at(&g->a, batch, i, k)) *
                            get(g->dtype, g->b.buffer, at(&g->b, batch, k, j));
        sum += term;
        *size += fabs(term);
    }
    sum *= g->alpha;
    const double was = g->beta != 0 ? g->beta * get(g->dtype, c_before, at(&g->c, batch, i, j)) : 0;
    const double bias = g->bias ? get(g->dtype, g->bias->buffer, g->bias->offset + j * g->bias->strides[0]) : 0;
    *size = *size * fabs(g->alpha) + fabs(was) + fabs(bias);
    sum += was + bias;
    return g->relu && sum < 0 ? 0 : sum;
}

static void *numbers(sp_dtype dtype, int64_t n, uint64_t seed)
{
    void *buffer = calloc((size_t)n, (size_t)sp__size_of(dtype));
    fill_numbers(dtype, buffer, n, seed);
    return buffer;
}

/* Sums of k products: f32 and bf16 add in f32, and bf16 rounds its result. */
static double allowed(sp_dtype dtype, int64_t k)
{
    const double unit = dtype == SP_F64 ? 0x1p-53 : 0x1p-24;
    return (2 + sqrt((double)k)) * 2 * unit + (dtype == SP_BF16 ? 1.0 / 250 : 0);
}

static int64_t compare(const sp__gemm *g, const void *c_before, const problem *p)
{
    int64_t compared = 0;
    for (int64_t batch = 0; batch < g->batches; batch++) {
        for (int64_t i = 0; i < g->m; i++) {
            for (int64_t j = 0; j < g->n; j++, compared++) {
                double size;
                const double want = naive(g, c_before, batch, i, j, &size);
                const double got = get(g->dtype, g->c.buffer, at(&g->c, batch, i, j));
                uint8_t wrapped[8];
                sp__store_i64(g->dtype, wrapped, is_float(g->dtype) ? 0 : (int64_t)want);
                const bool right = is_float(g->dtype) ? is_near(got, want, allowed(g->dtype, g->k), size)
                                                      : got == get(g->dtype, wrapped, 0);
                EXPECT(right,
                       "%s: %s, %lldx%lldx%lld, orders %d %d %d, alpha %g, beta %g, bias %d: [%lld, %lld] is %.9g, not "
                       "%.9g",
                       sp_isa(), dtype_names[g->dtype], (long long)g->m, (long long)g->n, (long long)g->k, p->a, p->b,
                       p->c, p->alpha, p->beta, p->bias, (long long)i, (long long)j, got, want);
            }
        }
    }
    return compared;
}

static int64_t check(const problem *p)
{
    const shape s = p->size;
    int64_t na, nb, nc;
    sp__gemm g = {.dtype = p->dtype,
                  .batches = s.batches,
                  .m = s.m,
                  .n = s.n,
                  .k = s.k,
                  .alpha = p->alpha,
                  .beta = p->beta,
                  .relu = p->relu};
    g.a = matrix(s.m, s.k, p->a, s.batches, &na);
    g.b = matrix(s.k, s.n, p->b, s.batches, &nb);
    g.c = matrix(s.m, s.n, p->c, s.batches, &nc);
    g.a.buffer = numbers(p->dtype, na, 1);
    g.b.buffer = numbers(p->dtype, nb, 2);
    g.c.buffer = numbers(p->dtype, nc, 3);
    void *before = numbers(p->dtype, nc, 3), *bias_numbers = numbers(p->dtype, 2 * s.n + 1, 4);
    const sp__operand bias = {bias_numbers, 1, p->dtype, {2}};
    if (p->bias) g.bias = &bias;
    assert_int_equal(sp__cpu_backend.gemm(&g), SP_OK);
    const int64_t compared = compare(&g, before, p);
    free(g.a.buffer), free(g.b.buffer), free(g.c.buffer), free(before), free(bias_numbers);
    return compared;
}

/* ---- tests ---- */

static void test_sizes_around_the_tiles(void **state)
{
    (void)state;
    static const int64_t sizes[] = {1, 2, 3, 5, 7, 8, 10, 16, 31, 33, 64};
    enum { N = sizeof sizes / sizeof *sizes };
    int64_t compared = 0, levels = 0;
    FOR_EACH_LEVEL(level)
    {
        levels++;
        for (int t = 0; t < GEMM_DTYPES; t++) {
            for (int i = 0; i < N * N; i++) {
                const int64_t k = sizes[(i * 7 + t) % N];
                const problem p = {gemm_dtypes[t], {1, sizes[i % N], sizes[i / N], k}, BY_ROWS, BY_ROWS, BY_ROWS, 1, 0,
                                   false};
                compared += check(&p);
            }
        }
    }
    assert_true(levels >= 2);
    assert_true(compared > 100000);
}

static void test_all_orders_scales_and_a_bias(void **state)
{
    (void)state;
    static const shape shapes[] = {{1, 13, 37, 29}, {3, 6, 33, 9},  {2, 9, 2, 70},  {1, 100, 10, 40},
                                   {2, 1, 70, 5},   {1, 97, 65, 3}, {2, 3, 37, 83}, {1, 50, 1, 45}};
    static const double scales[][2] = {{1, 0}, {1, 1}, {2, 0}, {-1, 3}};
    int64_t compared = 0;
    FOR_EACH_LEVEL(level)
    {
        for (int t = 0; t < GEMM_DTYPES; t++) {
            for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
                for (int o = 0; o < ORDERS * ORDERS * ORDERS; o++) {
                    const double *scale = scales[o % 4];
                    const problem p = {gemm_dtypes[t], shapes[s], (order)(o % 3), (order)(o / 3 % 3), (order)(o / 9),
                                       scale[0],       scale[1],  o % 2 == 1,     o % 5 == 1};
                    compared += check(&p);
                }
            }
        }
    }
    assert_true(compared > 1000000);
}

/* Long sums, many rows, wide rows: where blocks end. */
static void test_blocks(void **state)
{
    (void)state;
    static const shape shapes[] = {
        {1, 10, 40, 3000}, {1, 700, 40, 20}, {1, 20, 1500, 30}, {1, 250, 130, 530}, {1, 3, 3, 2049}};
    FOR_EACH_LEVEL(level)
    {
        for (int t = 0; t < 3; t++) {
            for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
                for (int o = 0; o < 4; o++) {
                    const problem p = {gemm_dtypes[t], shapes[s], (order)(o % 2),  (order)(o / 2),
                                       BY_ROWS,        0.5,       o % 2 ? 1.5 : 0, o > 1};
                    check(&p);
                }
            }
        }
    }
}

/* More than is packed at a time: in columns, in k, in rows. */
static void test_more_than_a_block(void **state)
{
    (void)state;
    static const shape shapes[] = {{1, 100, 1500, 400}, {1, 1500, 100, 400}};
    static const char *const names[] = {"generic", NULL};
    for (int level = 0; level < 2; level++) {
        assert_true(sp__cpu_set_level(names[level]));
        for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
            const problem p = {SP_F64, shapes[s], BY_ROWS, (order)s, BY_ROWS, 1, 1, true, true};
            assert_int_equal(check(&p), 150000);
        }
    }
}

/* Many rows, long sums and a b that no cache near by holds: each task packs its rows, and panels of b are copied as
 * they are read. */
static void test_tasks_that_pack_for_themselves(void **state)
{
    (void)state;
    FOR_EACH_LEVEL(level)
    {
        for (int t = 0; t < 3; t++) {
            const problem p = {gemm_dtypes[t], {1, 107, 300, 1010}, (order)(t % 2), BY_ROWS, BY_ROWS, 1, t, t == 1};
            assert_int_equal(check(&p), 107 * 300);
        }
    }
}

static void test_nothing(void **state)
{
    (void)state;
    FOR_EACH_LEVEL(level)
    {
        for (int t = 0; t < GEMM_DTYPES; t++) {
            const problem empty = {gemm_dtypes[t], {1, 0, 5, 3}, BY_ROWS, BY_ROWS, BY_ROWS, 1, 0, false};
            assert_int_equal(check(&empty), 0);
            /* a sum of nothing is 0, and beta and the bias still count */
            const problem sums = {gemm_dtypes[t], {2, 4, 5, 0}, BY_ROWS, BY_ROWS, BY_ROWS, 1, 0, false};
            assert_int_equal(check(&sums), 40);
            const problem scaled = {gemm_dtypes[t], {2, 4, 37, 0}, BY_ROWS, BY_ROWS, BY_ROWS, 1, 2, true};
            assert_int_equal(check(&scaled), 296);
        }
    }
}

static void test_beta_zero_does_not_read_c(void **state)
{
    (void)state;
    FOR_EACH_LEVEL(level)
    {
        float a[4 * 4] = {1}, b[4 * 40] = {1}, c[4 * 40];
        for (int i = 0; i < 160; i++) c[i] = NAN;
        sp__gemm g = {.dtype = SP_F32, .batches = 1, .m = 4, .n = 40, .k = 4, .alpha = 1};
        g.a = (sp__matrix){a, 0, 4, 1, 0};
        g.b = (sp__matrix){b, 0, 40, 1, 0};
        g.c = (sp__matrix){c, 0, 40, 1, 0};
        assert_int_equal(sp__cpu_backend.gemm(&g), SP_OK);
        for (int i = 0; i < 160; i++) assert_true(c[i] == (i == 0 ? 1.0f : 0.0f));
    }
}

static void test_threads_change_no_bit(void **state)
{
    (void)state;
    static const shape shapes[] = {{1, 64, 784, 256}, {1, 784, 256, 64},   {7, 33, 65, 40},    {1, 3, 700, 3000},
                                   {1, 500, 10, 600}, {1, 600, 300, 1010}, {1, 300, 600, 1010}};
    static const int threads[] = {2, 3, 8};
    FOR_EACH_LEVEL(level)
    {
        for (int t = 0; t < 3; t++) {
            for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
                const sp_dtype dtype = gemm_dtypes[t];
                int64_t na, nb, nc;
                sp__gemm g = {.dtype = dtype,
                              .batches = shapes[s].batches,
                              .m = shapes[s].m,
                              .n = shapes[s].n,
                              .k = shapes[s].k,
                              .alpha = 1};
                g.a = matrix(g.m, g.k, (order)(s % 2), g.batches, &na);
                g.b = matrix(g.k, g.n, (order)(s / 2 % 2), g.batches, &nb);
                g.c = matrix(g.m, g.n, BY_ROWS, g.batches, &nc);
                g.a.buffer = numbers(dtype, na, 1), g.b.buffer = numbers(dtype, nb, 2);
                void *alone = g.c.buffer = numbers(dtype, nc, 3), *together = numbers(dtype, nc, 3);
                assert_int_equal(sp_set_num_threads(1), SP_OK);
                assert_int_equal(sp__cpu_backend.gemm(&g), SP_OK);
                for (int i = 0; i < 3; i++) {
                    assert_int_equal(sp_set_num_threads(threads[i]), SP_OK);
                    g.c.buffer = together;
                    assert_int_equal(sp__cpu_backend.gemm(&g), SP_OK);
                    assert_memory_equal(alone, together, (size_t)(nc * sp__size_of(dtype)));
                }
                free(g.a.buffer), free(g.b.buffer), free(alone), free(together);
            }
        }
    }
}

static void test_bool_is_refused(void **state)
{
    (void)state;
    sp_set_error_handler(NULL, NULL);
    const sp__gemm g = {.dtype = SP_BOOL, .batches = 1, .m = 1, .n = 1, .k = 1, .alpha = 1};
    assert_int_equal(sp__cpu_backend.gemm(&g), SP_ERROR_DTYPE);
    assert_non_null(strstr(sp_error_message(), "bool"));
    sp_error_clear();
}

static void test_the_peak_is_measured(void **state)
{
    (void)state;
    assert_true(sp__cpu_set_level(NULL));
    const double f32 = sp_measure_peak(SP_F32, 1), f64 = sp_measure_peak(SP_F64, 1);
    const double bf16 = sp_measure_peak(SP_BF16, 1);
    assert_true(f32 > 0 && f64 > 0 && bf16 > 0); /* how much is the machine's affair */
}

static int teardown(void **state)
{
    (void)state;
    return sp__cpu_set_level(NULL) ? 0 : 1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes_around_the_tiles),
        cmocka_unit_test(test_all_orders_scales_and_a_bias),
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_more_than_a_block),
        cmocka_unit_test(test_tasks_that_pack_for_themselves),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_beta_zero_does_not_read_c),
        cmocka_unit_test(test_threads_change_no_bit),
        cmocka_unit_test(test_bool_is_refused),
        cmocka_unit_test(test_the_peak_is_measured),
    };
    return cmocka_run_group_tests(tests, NULL, teardown);
}

/* Binary cross entropy of logits keeps its relative accuracy at every margin, on both sides, at every level. */
#include "test_kernels.h"

static const double logits[] = {0,   1e-3,  0.5,  1,     2.5, 7,   12,    16.5,  17,  20.5, 25,
                                36,  39.9,  40.1, 60,    80,  -0., -1e-3, -0.5,  -1,  -2.5, -7,
                                -12, -16.5, -17,  -20.5, -25, -36, -39.9, -40.1, -60, -80};
enum { LOGITS = sizeof logits / sizeof *logits };
static const double targets[] = {0, 1, 0.25, 0.999};
enum { TARGETS = sizeof targets / sizeof *targets, N = LOGITS * TARGETS };

/* Every term is positive, so that nothing is lost. */
static long double value_of(long double x, long double t)
{
    return (x > 0 ? x * (1 - t) : -x * t) + log1pl(expl(-fabsl(x)));
}

static long double slope_of(long double x, long double t)
{
    const long double s = expl(-fabsl(x)) / (1 + expl(-fabsl(x)));
    return x > 0 ? (1 - t) - s : s - t;
}

static void run(sp__map_kind kind, sp_dtype dtype, void *const *buffers)
{
    sp__map call = {.kind = kind, .ndim = 1, .sizes = {N}, .n_operands = 3};
    for (int k = 0; k < 3; k++) {
        call.operands[k] = operand(buffers[k], dtype);
        call.operands[k].strides[0] = 1;
    }
    assert_int_equal(sp__cpu_backend.map(&call), SP_OK);
}

static void check(sp_dtype dtype, double ulp)
{
    void *buffers[3];
    for (int k = 0; k < 3; k++) buffers[k] = calloc(N, 8);
    for (int i = 0; i < N; i++) {
        put(dtype, buffers[1], i, logits[i / TARGETS]);
        put(dtype, buffers[2], i, targets[i % TARGETS]);
    }
    run(SP__BCE_LOGITS, dtype, buffers);
    for (int i = 0; i < N; i++) {
        const long double want = value_of((long double)get(dtype, buffers[1], i),
                                          (long double)get(dtype, buffers[2], i));
        const double got = get(dtype, buffers[0], i);
        EXPECT(fabsl((long double)got - want) <= 4 * (long double)ulp * want, "%s: loss of %g, %g is %.17g, not %.17Lg",
               sp_isa(), logits[i / TARGETS], targets[i % TARGETS], got, want);
    }
    run(SP__BCE_LOGITS_BACKWARD, dtype, buffers);
    for (int i = 0; i < N; i++) {
        if (i % TARGETS > 1) continue; /* beside its zero a slope is what the sigmoid's last digit makes it */
        const long double want = slope_of((long double)get(dtype, buffers[1], i),
                                          (long double)get(dtype, buffers[2], i));
        const double got = get(dtype, buffers[0], i);
        EXPECT(fabsl((long double)got - want) <= 4 * (long double)ulp * fabsl(want),
               "%s: slope at %g, %g is %.17g, not %.17Lg", sp_isa(), logits[i / TARGETS], targets[i % TARGETS], got,
               want);
    }
    for (int k = 0; k < 3; k++) free(buffers[k]);
}

static void test_margins(void **state)
{
    (void)state;
    int levels = 0;
    FOR_EACH_LEVEL(level)
    {
        levels++;
        check(SP_F32, 0x1p-23);
        check(SP_F64, 0x1p-52);
        check(SP_BF16, 0x1p-7);
    }
    assert_true(levels >= 2);
}

static void test_edges(void **state)
{
    (void)state;
    const double inf = (double)INFINITY;
    FOR_EACH_LEVEL(level)
    {
        float x[] = {(float)inf, (float)-inf, (float)NAN, 1e30f, -1e30f}, t[] = {0, 1, 0, 1, 0}, out[5];
        sp__map call = {.kind = SP__BCE_LOGITS, .ndim = 1, .sizes = {5}, .n_operands = 3};
        void *const buffers[] = {out, x, t};
        for (int k = 0; k < 3; k++) {
            call.operands[k] = operand(buffers[k], SP_F32);
            call.operands[k].strides[0] = 1;
        }
        assert_int_equal(sp__cpu_backend.map(&call), SP_OK);
        assert_true((double)out[0] == inf && (double)out[1] == inf && isnan(out[2]) && out[3] == 0 && out[4] == 0);
    }
}

static int teardown(void **state)
{
    (void)state;
    return sp__cpu_set_level(NULL) ? 0 : 1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_margins), cmocka_unit_test(test_edges)};
    return cmocka_run_group_tests(tests, NULL, teardown);
}

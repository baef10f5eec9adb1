/* The vectorised functions of f32 against libm in f64, over all of f32: every 601st bit pattern, which takes every
 * exponent and all special numbers in, or as many as SPUSK_ULP_STEP says: 1 takes all. SPUSK_ULP_ONLY names one
 * function to try, at the highest level. */
#include "test_kernels.h"

static double sigmoid(double x)
{
    return x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x));
}

static double silu(double x)
{
    return x * sigmoid(x);
}

static double softplus(double x)
{
    return x > 20 ? x : log1p(exp(x));
}

static double gelu(double x)
{
    return x * (0.5 * erfc(-x * 0.70710678118654752440));
}

static double elu(double x)
{
    return x > 0 ? x : expm1(x);
}

static double rsqrt_(double x)
{
    return 1 / sqrt(x);
}

/* How far off a result is, in units of the last place of the right one. */
static double ulps(float got, double want)
{
    const float nearest = (float)want;
    if (want != want) return got != got ? 0 : (double)INFINITY;
    if (got == nearest) return 0;
    if (got != got || fabsf(got) == INFINITY || fabsf(nearest) == INFINITY) return (double)INFINITY;
    int exponent;
    frexp(want, &exponent);
    return fabs((double)got - want) / ldexp(1, (exponent < -125 ? -125 : exponent) - 24);
}

typedef struct function {
    const char *name;
    sp__map_kind kind;
    double (*in_f64)(double);
    double most; /* ULP */
    float from;  /* only there and above; 0: everywhere. Below, a factor of the result is subnormal. */
} function;

static const function functions[] = {
    {"exp", SP__EXP, exp, 2},           {"expm1", SP__EXPM1, expm1, 2},
    {"log", SP__LOG, log, 2},           {"log1p", SP__LOG1P, log1p, 2},
    {"sin", SP__SIN, sin, 2},           {"cos", SP__COS, cos, 2},
    {"tanh", SP__TANH, tanh, 2},        {"sigmoid", SP__SIGMOID, sigmoid, 2.5},
    {"silu", SP__SILU, silu, 3.5, -87}, {"softplus", SP__SOFTPLUS, softplus, 2},
    {"elu", SP__ELU, elu, 2},           {"erf", SP__ERF, erf, 2},
    {"gelu", SP__GELU, gelu, 8, -13},   {"sqrt", SP__SQRT, sqrt, 0.5},
    {"rsqrt", SP__RSQRT, rsqrt_, 1.5},  {"floor", SP__FLOOR, floor, 0},
    {"ceil", SP__CEIL, ceil, 0},        {"round", SP__ROUND, nearbyint, 0},
};

static void test_errors_in_ulp(void **state)
{
    (void)state;
    enum { N = 1 << 14 };
    const char *given = getenv("SPUSK_ULP_STEP");
    const char *only = getenv("SPUSK_ULP_ONLY"), *isa = getenv("SPUSK_ISA");
    const uint64_t step = given && atoi(given) > 0 ? (uint64_t)atoi(given) : 601;
    float *in = malloc(N * sizeof *in), *out = malloc(N * sizeof *out);
    int levels = 0;
    FOR_EACH_LEVEL(level)
    {
        if (level == 0) continue; /* the reference is libm's */
        if (isa && strcmp(isa, level_names[level]) != 0) continue;
        levels++;
        for (size_t f = 0; f < sizeof functions / sizeof *functions; f++) {
            if (only && strcmp(only, functions[f].name) != 0) continue;
            double worst = 0;
            float at = 0;
            for (uint64_t bits = 0; bits < (uint64_t)1 << 32; bits += N * step) {
                for (int i = 0; i < N; i++) {
                    const uint32_t pattern = (uint32_t)(bits + (uint64_t)i * step);
                    memcpy(&in[i], &pattern, sizeof pattern);
                }
                sp__map call = {.kind = functions[f].kind, .ndim = 1, .sizes = {N}, .n_operands = 2, .params = {1, 20}};
                call.operands[0] = (sp__operand){out, 0, SP_F32, {1}};
                call.operands[1] = (sp__operand){in, 0, SP_F32, {1}};
                assert_int_equal(sp__cpu_backend.map(&call), SP_OK);
                for (int i = 0; i < N; i++) {
                    if (functions[f].from < 0 && in[i] < functions[f].from) continue;
                    const double off = ulps(out[i], functions[f].in_f64((double)in[i]));
                    if (off > worst) worst = off, at = in[i];
                }
            }
            print_message("%s: %s: %.3f ULP, at %.9g\n", sp_isa(), functions[f].name, worst, (double)at);
            EXPECT(worst <= functions[f].most, "%s: %s is %.3f ULP off at %.9g", sp_isa(), functions[f].name, worst,
                   (double)at);
        }
    }
    assert_true(levels >= 1);
    free(in), free(out);
    sp__cpu_set_level(NULL);
}

/* ---- powers, of patterns of all bits and of numbers whose power is neither 0 nor infinite ---- */

enum { POWERS = 1 << 16 };

static void fill_powers(float *x, float *y, int round)
{
    static const float special[] = {0, -0.0f, 1, -1, 0.5f, -2, 3, -3, INFINITY, -INFINITY, NAN, 2.5f, 16777216, 1e30f};
    enum { SPECIAL = sizeof special / sizeof *special };
    uint64_t state = (uint64_t)round + 1;
    for (int i = 0; i < POWERS; i++) {
        const uint32_t pattern = (uint32_t)i * 2654435761u + (uint32_t)round;
        memcpy(&x[i], &pattern, sizeof pattern);
        y[i] = (float)next_number(&state, -40, 40);
        if (round % 2) x[i] = (float)next_number(&state, 0, 10);
        if (i % 3 == 0) y[i] = rintf(y[i]);
        if (i < SPECIAL * SPECIAL) x[i] = special[i / SPECIAL], y[i] = special[i % SPECIAL];
        if (x[i] != x[i]) x[i] = NAN; /* no signalling one, which stays NaN always */
    }
}

static double off_by(float got, double want)
{
    const bool flushed = fabs(want) < 1.17549435e-38 && fabs(want) > 0;
    return flushed ? (fabsf(got) <= 1.17549435e-38f ? 0 : (double)INFINITY) : ulps(got, want);
}

static void test_powers_in_ulp(void **state)
{
    (void)state;
    float *x = malloc(POWERS * sizeof *x), *y = malloc(POWERS * sizeof *y), *out = malloc(POWERS * sizeof *out);
    FOR_EACH_LEVEL(level)
    {
        if (level == 0) continue;
        for (int round = 0; round < 8; round++) {
            fill_powers(x, y, round);
            sp__map call = {.kind = SP__POW, .ndim = 1, .sizes = {POWERS}, .n_operands = 3};
            call.operands[0] = (sp__operand){out, 0, SP_F32, {1}};
            call.operands[1] = (sp__operand){x, 0, SP_F32, {1}};
            call.operands[2] = (sp__operand){y, 0, SP_F32, {1}};
            assert_int_equal(sp__cpu_backend.map(&call), SP_OK);
            for (int i = 0; i < POWERS; i++) {
                const double off = off_by(out[i], pow((double)x[i], (double)y[i]));
                EXPECT(off <= 1, "%s: pow(%.9g, %.9g) is %.9g, %.3f ULP off", sp_isa(), (double)x[i], (double)y[i],
                       (double)out[i], off);
            }
        }
    }
    free(x), free(y), free(out);
    sp__cpu_set_level(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_errors_in_ulp), cmocka_unit_test(test_powers_in_ulp)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

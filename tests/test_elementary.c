/* The elementary functions of f64 against libm in long double: errors in units of the last place, over the numbers that
 * each function takes; and what they give for special numbers, against libm in f64. */
#include "backends/cpu/common/elementary.h"
#include "support/support.h"
#include <math.h>

static double uniform(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(*state >> 11) * 0x1p-53;
}

/* How far off, in units of the last place of the right result. */
static double ulps(double got, long double want)
{
    const double near = (double)want;
    if (want != want) return got != got ? 0 : (double)INFINITY;
    if (got == near) return 0;
    if (got != got || isinf(got) || isinf(near)) return (double)INFINITY;
    int exponent;
    frexp(near, &exponent);
    return (double)(fabsl((long double)got - want) / ldexpl(1, (exponent < -1021 ? -1021 : exponent) - 53));
}

typedef struct function {
    const char *name;
    double (*ours)(double);
    double (*libm)(double);
    long double (*right)(long double);
    double low, high;   /* numbers between which are tried, */
    int smallest, most; /* and of both signs those with exponents between */
    double bound;       /* ULP */
} function;

static const function functions[] = {
    {"exp", sp__exp, exp, expl, -740, 709, -60, 8, 1},   {"expm1", sp__expm1, expm1, expm1l, -2, 2, -60, 9, 1.6},
    {"log", sp__log, log, logl, 0.5, 2, -1070, 1023, 1}, {"log1p", sp__log1p, log1p, log1pl, -0.99, 2, -60, 1000, 1},
    {"tanh", sp__tanh, tanh, tanhl, -3, 3, -60, 6, 2.6}, {"erf", sp__erf, erf, erfl, -6.5, 6.5, -60, 4, 2.2},
    {"sin", sp__sin, sin, sinl, -10, 10, -60, 19, 1},    {"cos", sp__cos, cos, cosl, -10, 10, -60, 19, 1},
};
enum { N_FUNCTIONS = sizeof functions / sizeof *functions, TRIED = 100000 };

static const double specials[] = {0,
                                  -0.0,
                                  1,
                                  -1,
                                  2,
                                  -2,
                                  3,
                                  -3,
                                  0.5,
                                  -0.5,
                                  1.5,
                                  -22,
                                  1e300,
                                  -1e300,
                                  0x1p53,
                                  0x1p-1074,
                                  (double)INFINITY,
                                  -(double)INFINITY,
                                  (double)NAN};
enum { N_SPECIALS = sizeof specials / sizeof *specials };

static void test_errors(void **state)
{
    (void)state;
    uint64_t random = 1;
    for (int k = 0; k < N_FUNCTIONS; k++) {
        const function *f = &functions[k];
        double most = 0, at = 0;
        for (int i = 0; i < TRIED; i++) {
            const double between = f->low + (f->high - f->low) * uniform(&random);
            const double size = ldexp(1 + uniform(&random), f->smallest + i % (f->most - f->smallest));
            const double x = i % 3 == 0 ? between : i % 3 == 1 ? size : -size;
            const double error = ulps(f->ours(x), f->right((long double)x));
            if (error > most) most = error, at = x;
        }
        print_message("%s: %.3f ULP, at %.17g\n", f->name, most, at);
        assert_true(most <= f->bound);
    }
}

static void test_errors_of_powers(void **state)
{
    (void)state;
    uint64_t random = 2;
    double most = 0;
    for (int i = 0; i < TRIED; i++) {
        const double x = i % 2 ? exp(20 * (uniform(&random) - 0.5)) : ldexp(1 + uniform(&random), i % 2000 - 1000);
        const double wide = (uniform(&random) - 0.5) * 1480 / fabs(log(x)), y = i % 5 ? wide : floor(wide);
        const double error = ulps(sp__pow(x, y), powl((long double)x, (long double)y));
        if (error > most) most = error;
    }
    print_message("pow: %.3f ULP\n", most);
    assert_true(most <= 1.2);
}

static bool is_alike(double a, double b)
{
    return a != a ? b != b : (a == b && signbit(a) == signbit(b)) || fabs(a - b) <= 4e-16 * fabs(b);
}

static void test_special_numbers(void **state)
{
    (void)state;
    for (int i = 0; i < N_SPECIALS; i++) {
        const double x = specials[i];
        for (int k = 0; k < N_FUNCTIONS; k++)
            if (!is_alike(functions[k].ours(x), functions[k].libm(x)))
                fail_msg("%s(%g) is %g", functions[k].name, x, functions[k].ours(x));
        for (int j = 0; j < N_SPECIALS; j++)
            if (!is_alike(sp__pow(x, specials[j]), pow(x, specials[j])))
                fail_msg("pow(%g, %g) is %g", x, specials[j], sp__pow(x, specials[j]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_errors),
        sp_test(test_errors_of_powers),
        sp_test(test_special_numbers),
    };
    return sp_test_main(tests);
}

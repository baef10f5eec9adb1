/* Elementary functions of f64, from multiplications and additions alone: IEEE 754 says what these give, and nothing is
 * contracted. The polynomials are fits of least largest error (Chebyshev's nodes), below 2^-58 of what they stand for.
 *
 * Where one f64 is not enough, a number is two parts, high + low (Dekker, "A floating-point technique for extending the
 * available precision", 1971). */
#include "backends/cpu/common/elementary.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

typedef struct parts {
    double high, low;
} parts;

/* ln 2 in parts: products of LN2_HIGH and LN2_MIDDLE with exponents are exact; LN2_LOW is all behind the first. */
static const double LN2_HIGH = 0x1.62e42feep-1, LN2_LOW = 0x1.a39ef35793c76p-33, LN2_MIDDLE = 0x1.a39ef35792p-33,
                    LN2_REST = 0x1.c7673007e5ed6p-73;

/* c[0]·x^(n-1) + … + c[n-1] */
static double polynomial(const double *c, int n, double x)
{
    double y = c[0];
    for (int i = 1; i < n; i++) y = y * x + c[i];
    return y;
}

/* The nearest whole number, |x| < 2^51. */
static double nearest(double x)
{
    return (x + 0x1.8p52) - 0x1.8p52;
}

/* y·2^n in two steps, so that the result may be subnormal; |n| < 2000. */
static double scaled(double y, int n)
{
    const int half = n / 2;
    const uint64_t bits[2] = {(uint64_t)(half + 1023) << 52, (uint64_t)(n - half + 1023) << 52};
    double powers[2];
    memcpy(powers, bits, sizeof powers);
    return y * powers[0] * powers[1];
}

/* x = m·2^e, m from √½ to √2, for finite x above 0. */
static double mantissa(double x, double *e)
{
    const bool tiny = x < 0x1p-1022;
    if (tiny) x *= 0x1p54;
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    const uint64_t shifted = bits - 0x3FE6A09E667F3BCDu; /* √½ */
    *e = (double)((int64_t)shifted >> 52) - (tiny ? 54 : 0);
    bits = (shifted & 0x000FFFFFFFFFFFFFu) + 0x3FE6A09E667F3BCDu;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static parts sum_of(double a, double b)
{
    const double sum = a + b, of_b = sum - a;
    return (parts){sum, (a - (sum - of_b)) + (b - of_b)};
}

static parts product_of(double a, double b)
{
    const double split = 0x1p27 + 1, ca = split * a, cb = split * b;
    const double a1 = ca - (ca - a), b1 = cb - (cb - b), a2 = a - a1, b2 = b - b1, product = a * b;
    return (parts){product, ((a1 * b1 - product) + a1 * b2 + a2 * b1) + a2 * b2};
}

/* ---- exp ---- */

/* e^r - 1 for |r| ≤ ln 2 / 2 and a far smaller `low` beside it. */
static double exp_rest(double r, double low)
{
    static const double c[] = {2.09147553258932022e-9,
                               2.5105312729622101787e-8,
                               2.7557273478718580474e-7,
                               2.7557255170000887438e-6,
                               2.48015873256774619e-5,
                               1.9841269875002278793e-4,
                               1.3888888888883711167e-3,
                               8.3333333333260831202e-3,
                               4.1666666666666669783e-2,
                               1.666666666666667103e-1,
                               0.5};
    return r + (r * r * polynomial(c, 11, r) + (low + low * r));
}

/* e^(high + low) - 1 = 2^n·(1 + rest) - 1; returns rest. */
static double exp_reduced(double high, double low, int *n)
{
    const double whole = nearest(high * 1.44269504088896340736);
    const double r = high - whole * LN2_HIGH;
    const parts both = sum_of(r, low - whole * LN2_LOW);
    *n = (int)whole;
    return exp_rest(both.high, both.low);
}

static double exp_of_parts(double high, double low)
{
    int n;
    if (high > 710) return INFINITY;
    if (high < -746) return 0;
    const double rest = exp_reduced(high, low, &n);
    return scaled(1 + rest, n);
}

double sp__exp(double x)
{
    return x != x ? x : exp_of_parts(x, 0);
}

double sp__expm1(double x)
{
    int n;
    if (x != x || x == 0) return x;
    if (x > 710) return INFINITY;
    if (x < -40) return -1;
    const double rest = exp_reduced(x, 0, &n);
    if (n == 0) return rest;
    return n > 60 ? scaled(1 + rest, n) : scaled(rest, n) + (scaled(1, n) - 1);
}

double sp__tanh(double x)
{
    const double size = fabs(x);
    if (x != x || x == 0) return x;
    const double e = sp__expm1(size < 22 ? 2 * size : 44), y = size < 0.5 ? e / (e + 2) : 1 - 2 / (e + 2);
    return copysign(y, x);
}

/* ---- log ---- */

/* (ln (1 + s)/(1 - s) - 2s)/s³ at z = s²; and what it is but for 2/3 + z·… */
static const double log_series[] = {0.1308803485092755383,  0.13268638369266823879, 0.15386244737621666606,
                                    0.18181795547521136235, 0.22222222392581045097, 0.28571428570799785031,
                                    0.40000000000000883236, 0.66666666666666666463};

/* ln m + e·ln 2 + more, by s = (m - 1)/(m + 1). */
static double log_of(double m, double e, double more)
{
    const double f = m - 1, s = f / (2 + f), z = s * s, half = f * f / 2;
    const double low = s * (half + z * polynomial(log_series, 8, z)) + (e * LN2_LOW + more);
    return e * LN2_HIGH - ((half - low) - f);
}

double sp__log(double x)
{
    double e;
    if (x == 0) return -INFINITY;
    if (x < 0) return NAN;
    if (!(x < INFINITY)) return x;
    const double m = mantissa(x, &e);
    return log_of(m, e, 0);
}

double sp__log1p(double x)
{
    double e;
    if (x == -1) return -INFINITY;
    if (x < -1) return NAN;
    if (!(x < INFINITY) || fabs(x) < 0x1p-54) return x;
    const parts sum = sum_of(1, x);
    const double m = mantissa(sum.high, &e);
    return log_of(m, e, sum.low / sum.high);
}

/* ---- powers ---- */

/* ln x in parts, right to 2^-65 of it. With s in parts, ln m is 2s + s³·(2/3 + s²·…), of which the last alone is one
 * number. */
static parts log_parts(double x)
{
    double e;
    const double m = mantissa(x, &e);
    const parts below = sum_of(1, m);
    const double sh = (m - 1) / below.high;
    const parts back = product_of(sh, below.high);
    const double sl = (((m - 1 - back.high) - back.low) - sh * below.low) / below.high;
    const parts z = product_of(sh, sh);
    const double zl = z.low + 2 * sh * sl;
    const parts series = sum_of(0x1.5555555555555p-1, z.high * polynomial(log_series, 7, z.high));
    const parts cube = product_of(sh, z.high);
    const double cube_low = cube.low + sh * zl + sl * z.high;
    const parts rest = product_of(cube.high, series.high);
    const double rest_low = rest.low + cube.high * (series.low + 0x1.5555555555555p-55) + cube_low * series.high;
    const parts ln = sum_of(2 * sh, rest.high), all = sum_of(e * LN2_HIGH, ln.high);
    return sum_of(all.high, all.low + (ln.low + (2 * sl + rest_low)) + e * LN2_MIDDLE + e * LN2_REST);
}

/* x^y, x finite and above 0, y finite. */
static double power_of(double x, double y)
{
    const parts ln = log_parts(x);
    if (fabs(ln.high * y) > 800) return (ln.high > 0) == (y > 0) ? INFINITY : 0;
    const parts product = product_of(ln.high, y);
    return exp_of_parts(product.high, product.low + ln.low * y);
}

double sp__pow(double x, double y)
{
    const double size = fabs(x), endless = (double)INFINITY;
    if (y == 0 || x == 1) return 1;
    if (x != x || y != y) return x + y;
    const bool whole = fabs(y) >= 0x1p53 || floor(y) == y, odd = fabs(y) < 0x1p53 && whole && fmod(y, 2) != 0;
    if (x < 0 && !whole && size < endless) return NAN;
    double power = 1;
    if (size == 0 || size == endless || (fabs(y) == endless && size != 1))
        power = (size > 1) == (y > 0) ? endless : 0;
    else if (size != 1)
        power = power_of(size, y);
    return odd ? copysign(power, x) : power;
}

/* ---- the circle ---- */

/* x = *quarters·π/2 + high + low, |high| ≤ π/4, for |x| up to 2^20: products with the first two parts of π/2 are exact. */
static parts circle_rest(double x, int *quarters)
{
    const double n = nearest(x * 0.63661977236758134308);
    const parts r = sum_of(x - n * 0x1.921fb544p+0, -(n * 0x1.0b4611a6p-34));
    *quarters = (int)n & 3;
    return sum_of(r.high, r.low - n * 0x1.3198a2e037073p-69);
}

static double sine_of(parts r)
{
    static const double c[] = {-7.5865765881710724626e-13, 1.6058529572267876353e-10, -2.5052106219521894233e-8,
                               2.7557319219301918704e-6,   -1.9841269841265017028e-4, 8.3333333333333314699e-3,
                               -0.16666666666666666665};
    const double z = r.high * r.high;
    return r.high + (r.high * z * polynomial(c, 7, z) + r.low * (1 - z / 2));
}

static double cosine_of(parts r)
{
    static const double c[] = {4.745804889760674174e-14,  -1.1470459749675606144e-11, 2.087675578389403842e-9,
                               -2.7557319221382115583e-7, 2.4801587301584619787e-5,   -1.3888888888888887853e-3,
                               4.1666666666666666666e-2};
    const double z = r.high * r.high, most = 1 - z / 2;
    return most + (((1 - most) - z / 2) + (z * z * polynomial(c, 7, z) - r.high * r.low));
}

/* sin(x + turn·π/2) */
static double circle(double x, int turn)
{
    int quarters;
    const parts r = circle_rest(x, &quarters);
    const int at = (quarters + turn) & 3;
    const double y = at & 1 ? cosine_of(r) : sine_of(r);
    return at & 2 ? -y : y;
}

double sp__sin(double x)
{
    return x == 0 ? x : fabs(x) <= 0x1p20 ? circle(x, 0) : sin(x);
}

double sp__cos(double x)
{
    return fabs(x) <= 0x1p20 ? circle(x, 1) : cos(x);
}

/* ---- erf ---- */

/* Of 1 - erf(x), x from 0.9 to 6: e^(-x²)·w times a polynomial in w = 1/(1 + 0.3·x). */
static double upper_tail(double x)
{
    static const double c[] = {-0.00819328714672002465, 0.082326796355970145777,  -0.37049427758446764734,
                               0.98234544223015182802,  -1.7139932714393662274,   2.11971224097548045,
                               -1.9844830457451996669,  1.4309510234015571452,    -0.78083449893828570966,
                               0.39941444497909647485,  -0.053731619917140116421, 0.13182618440492933146,
                               0.11763796198983584867,  0.14746713401012591676,   0.16152783370688699811,
                               0.1692642927654006319,   0.16925664610223149893};
    const double w = 1 / (1 + 0.3 * x);
    return sp__exp(-x * x) * (w * polynomial(c, 17, w));
}

double sp__erf(double x)
{
    static const double c[] = {6.4947295826797759267e-11, -1.1652335981274162145e-9, 1.4723466744563827024e-8,
                               -1.6358664284441841113e-7, 1.6461695916901013616e-6,  -1.4925633556842083772e-5,
                               1.2055332519051462999e-4,  -8.5483270148990631342e-4, 5.2239776253406422718e-3,
                               -2.6866170645124070474e-2, 0.11283791670955099336,    -0.37612638903183752082,
                               0.12837916709551257389};
    const double size = fabs(x), z = x * x;
    if (!(size >= 0.9)) return x + x * polynomial(c, 13, z);
    return copysign(size < 6 ? 1 - upper_tail(size) : 1, x);
}

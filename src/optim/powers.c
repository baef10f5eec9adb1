/* Powers and cosines of numbers that learning rates and moments are made of. libm's differ in the last bit between C
 * libraries, and with them a whole training would. Errors are a few roundings. */
#include "powers.h"

#include <math.h>

double sp__whole_power(double base, double n)
{
    double power = 1;
    while (n > 0) {
        if (fmod(n, 2) == 1) power *= base;
        n = floor(n / 2);
        base *= base;
    }
    return power;
}

/* Σ terms of a series, from the last: each is `step` over its two numbers times the one before. */
static double series(double step, int from, int to)
{
    double sum = 1;
    for (int k = to; k >= from; k -= 2) sum = 1 - sum * step / (k * (k - 1.0));
    return sum;
}

/* ln x near 1: 2·(s + s³/3 + s⁵/5 + …), s = (x - 1)/(x + 1) */
static double near_logarithm(double x)
{
    const double s = (x - 1) / (x + 1), z = s * s;
    double sum = 0;
    for (int k = 15; k >= 1; k -= 2) sum = sum * z + 1.0 / k;
    return 2 * s * sum;
}

double sp__slow_power(double base, double x)
{
    const double whole = floor(x), rest = (x - whole) * near_logarithm(base);
    double power = 1;
    for (int k = 12; k >= 1; k--) power = 1 + power * rest / k;
    return sp__whole_power(base, whole) * power;
}

double sp__cos_pi(double x)
{
    const double pi = 3.14159265358979323846, turn = fmod(fabs(x), 2), half = turn > 1 ? 2 - turn : turn;
    const double quarter = half > 0.5 ? 1 - half : half, rest = 0.5 - quarter;
    const double cosine = quarter <= 0.25 ? series(pi * pi * quarter * quarter, 2, 20)
                                          : pi * rest * series(pi * pi * rest * rest, 3, 21);
    return half > 0.5 ? -cosine : cosine;
}

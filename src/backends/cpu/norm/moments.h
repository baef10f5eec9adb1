/* Mean and variance of n numbers in one pass: from the sums of x - about and of its square. They are right to a rounding
 * or two as long as `about` lies near the numbers. Where the mean turns out to be more than four deviations away, or a
 * square too large, the numbers are added again about the mean. */
#ifndef SPUSK_CPU_MOMENTS_H
#define SPUSK_CPU_MOMENTS_H

#include <math.h>
#include <stdbool.h>

/* The first number, unless it is none. */
static inline double sp__norm_about(double first)
{
    return isfinite(first) ? first : 0;
}

static inline bool sp__norm_found(const double sums[2], double n, double about, double *mean, double *var)
{
    const double off = sums[0] / n, square = sums[1] / n;
    *mean = about + off;
    *var = square - off * off;
    return isfinite(square) && off * off <= 16 * *var;
}

/* After the second pass. A mean that is not finite stays as the first pass found it. */
static inline void sp__norm_found_again(const double sums[2], double n, double about, double *mean, double *var)
{
    const double off = sums[0] / n;
    if (isfinite(off)) *mean = about + off;
    const double found = sums[1] / n - (isfinite(off) ? off * off : 0);
    *var = found < 0 ? 0 : found;
}

#endif

/* Arithmetic on sizes, for writers of operators, layers and data sets.
 *
 * Sums and products that do not fit stay at the end of their range. No tensor has such a size and no block of memory so
 * many bytes, so what is to be made of them is refused, with an error, where it is made. */
#ifndef SPUSK_EXTEND_SIZES_H
#define SPUSK_EXTEND_SIZES_H

#include <spusk/macros.h>

SP_BEGIN

/* a + b, or INT64_MAX or INT64_MIN where the sum lies beyond. */
static inline int64_t sp_size_add(int64_t a, int64_t b)
{
    if (b > 0 && a > INT64_MAX - b) return INT64_MAX;
    return b < 0 && a < INT64_MIN - b ? INT64_MIN : a + b;
}

/* a·b, or INT64_MAX where the product lies beyond. A negative factor counts as 0. */
static inline int64_t sp_size_mul(int64_t a, int64_t b)
{
    if (a <= 0 || b <= 0) return 0;
#ifdef __GNUC__
    int64_t product;
    return __builtin_mul_overflow(a, b, &product) ? INT64_MAX : product;
#else
    return a > INT64_MAX / b ? INT64_MAX : a * b;
#endif
}

/* n·element: the bytes of n elements, or SIZE_MAX where they are more. A negative n counts as 0. */
static inline size_t sp_size_bytes(int64_t n, size_t element)
{
    if (n <= 0 || element == 0) return 0;
    return (uint64_t)n > SIZE_MAX / element ? SIZE_MAX : (size_t)n * element;
}

/* x without its fraction, at most INT64_MAX and at least INT64_MIN; 0 for NaN. C leaves open what a cast makes of a
 * number out of range. */
static inline int64_t sp_size_of_number(double x)
{
    const double end = 9223372036854775808.0;
    if (x >= end) return INT64_MAX;
    if (x <= -end) return INT64_MIN;
    return x == x ? (int64_t)x : 0;
}

SP_END_DECLS

#endif

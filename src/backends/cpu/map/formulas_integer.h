/* The formula of each map kernel that integers and bool have: name_of, as backends/map_kinds.h lists them. A number is
 * an int64_t. What overflows wraps: sums and products are without sign, and the lower bits are stored. A bool is 0 or 1,
 * so that a sum is an or and a product an and. Division, and what gives fractions, is floating point's; the operators
 * convert before. */
#ifndef SPUSK_MAP_FORMULAS_INTEGER_H
#define SPUSK_MAP_FORMULAS_INTEGER_H

#include "backends/cpu/map/formulas_any.h"
#include "backends/cpu/reference.h"

/* ---- what wraps ---- */

static inline number add_of(number x, number y)
{
    return (number)((uint64_t)x + (uint64_t)y);
}

static inline number sub_of(number x, number y)
{
    return (number)((uint64_t)x - (uint64_t)y);
}

static inline number mul_of(number x, number y)
{
    return (number)((uint64_t)x * (uint64_t)y);
}

/* ---- one input ---- */

static inline number copy_of(number x)
{
    return x;
}

static inline number neg_of(number x)
{
    return sub_of(0, x);
}

static inline number abs_of(number x)
{
    return x < 0 ? sub_of(0, x) : x;
}

static inline number sign_of(number x)
{
    return (x > 0) - (x < 0);
}

static inline number square_of(number x)
{
    return mul_of(x, x);
}

static inline number relu_of(number x)
{
    return x < 0 ? 0 : x;
}

static inline number floor_of(number x)
{
    return x;
}

static inline number ceil_of(number x)
{
    return x;
}

static inline number round_of(number x)
{
    return x;
}

static inline number clamp_of(number x, number p, number q)
{
    return x < p ? (p < q ? p : q) : x > q ? q : x;
}

static inline number pow_scalar_of(number x, number p)
{
    return sp__power_i64(x, p);
}

static inline number affine_of(number x, number p, number q)
{
    return add_of(mul_of(p, x), q);
}

/* ---- tests and comparisons ---- */

static inline bool isnan_of(number x)
{
    (void)x;
    return false;
}

static inline bool isinf_of(number x)
{
    (void)x;
    return false;
}

static inline bool isfinite_of(number x)
{
    (void)x;
    return true;
}

/* ---- two inputs ---- */

static inline number pow_of(number x, number y)
{
    return sp__power_i64(x, y);
}

static inline number maximum_of(number x, number y)
{
    return x > y ? x : y;
}

static inline number minimum_of(number x, number y)
{
    return x < y ? x : y;
}

static inline number relu_backward_of(number x, number y)
{
    return y > 0 ? x : 0;
}

/* ---- three inputs ---- */

static inline number addcmul_of(number x, number y, number z, number p)
{
    return add_of(x, mul_of(mul_of(p, y), z));
}

#endif

/* The formulas of map kernels that every element type has: name_of, as backends/map_kinds.h lists them. */
#ifndef SPUSK_MAP_FORMULAS_ANY_H
#define SPUSK_MAP_FORMULAS_ANY_H

#include "backends/cpu/common/element.h"

static inline bool logical_not_of(number x)
{
    return x == 0;
}

static inline bool eq_of(number x, number y)
{
    return x == y;
}

static inline bool ne_of(number x, number y)
{
    return x != y;
}

static inline bool lt_of(number x, number y)
{
    return x < y;
}

static inline bool le_of(number x, number y)
{
    return x <= y;
}

static inline bool gt_of(number x, number y)
{
    return x > y;
}

static inline bool ge_of(number x, number y)
{
    return x >= y;
}

static inline bool logical_and_of(number x, number y)
{
    return x != 0 && y != 0;
}

static inline bool logical_or_of(number x, number y)
{
    return x != 0 || y != 0;
}

static inline bool logical_xor_of(number x, number y)
{
    return (x != 0) != (y != 0);
}

#endif

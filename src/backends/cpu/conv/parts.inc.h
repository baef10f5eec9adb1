/* Convolution of one type, in the order in which the parts need each other.
 *
 * T, I                 what is summed, and the integer of its size; S an element in memory
 * STEP                 how many elements of S, side by side in what is summed over, a T of an operand holds: 1, or 2
 *                      for pairs of bf16
 * ACCUMULATE(sum, a, b)  adds the products of a T of a, repeated, and a vector of b; ONE: a T of ones
 * UNIT(p, next)        a T from the element at p, for pairs with that at p + next
 * ACROSS(p, next, n, left)  n such side by side, of which but `left` remain from p on
 * NARROW(p, x)         stores a vector as bf16
 * FN(name)             a function's name
 */
#include "element.inc.h"

SP__INLINE T FN(one)(void)
{
    return ONE;
}

#include "tile.inc.h"

#include "tail.inc.h"

#include "gather.inc.h"

#include "gathers.inc.h"

#include "weight.inc.h"

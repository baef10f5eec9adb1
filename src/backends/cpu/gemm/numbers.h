/* Each of numbers_f32.h, numbers_f64.h and numbers_bf16.h says, for the files that compute products, what
 *
 *     number, bits            is computed with, and the integer of its size
 *     element                  lies in memory; APART: whether it is another type than number
 *     STEP                     elements, side by side in k, make a number of a packed operand: 1, or 2 for pairs of
 * bf16 fetch(p, n), keep(p, x, n)   n elements at p are as a vector of numbers, and back number_of(x), element_of(x) an
 * element is as a number, and back interleave_lower, interleave_upper  the lower, or upper, halves of two vectors are,
 * lane by lane side_by_side(p, n)       n numbers of packed operands are, from elements side by side in k, zeros behind
 *     across(p, next, n, left) n such are, each of an element at p and, with a STEP of 2 and while left > 1, of the one
 *                              `next` behind it
 *     fused(a, b, c)           a·b + c of vectors of single numbers, rounded once
 *     multiply_add(sum, a, b)  sum is with the products of a number of a, repeated, and a vector of b
 *     spin_step(sum, x, y)     is a multiply-add of which no compiler computes a part once */

typedef number vector __attribute__((vector_size(SP__VECTOR_BYTES), aligned(sizeof(number)), may_alias));
typedef bits mask __attribute__((vector_size(SP__VECTOR_BYTES), aligned(sizeof(number)), may_alias));
enum { LANES = SP__VECTOR_BYTES / sizeof(number) };

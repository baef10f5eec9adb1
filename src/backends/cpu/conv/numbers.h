/* Numbers of one type, their vectors, and operands of them. Each of numbers_f32.h, numbers_f64.h and numbers_pairs.h
 * says, for the files of loops that a file includes behind it,
 *
 *     number, integer            what is summed, and the integer of its size
 *     element                    what lies in memory
 *     STEP                       how many elements, side by side in what is summed over, make a number of an operand:
 *                                1, or 2 for pairs of bf16
 *     fused(a, b, c)             a·b + c of vectors, rounded once; not of pairs
 *     multiply_add(sum, a, b)    sum with the products of a number, repeated, and a vector
 *     ones()                     a number that such a product only adds up by
 *     unit(p, next)              a number from the element at p, for pairs with that at p + next
 *     across(p, next, n, left)   n such side by side, where only `left` places remain from p on
 *     load_bf16(p, n)            the first n numbers from bf16, zeros behind
 *     store_bf16(p, x)           a vector as bf16 */
#ifndef SPUSK_CONV_NUMBERS_H
#define SPUSK_CONV_NUMBERS_H

#include "backends/cpu/common/simd.h"
#include "backends/cpu/conv/conv.h"

typedef number vector __attribute__((vector_size(SP__VECTOR_BYTES), aligned(sizeof(number)), may_alias));
typedef integer mask __attribute__((vector_size(SP__VECTOR_BYTES), aligned(sizeof(number)), may_alias));
typedef uint8_t byte_lanes __attribute__((vector_size(SP__VECTOR_BYTES / sizeof(number)), aligned(1), may_alias));
/* NR: columns of a tile, two vectors. */
enum { LANES = SP__VECTOR_BYTES / sizeof(number), NR = 2 * LANES };

SP__INLINE vector load_bf16(const sp__bf16 *p, int64_t n);
SP__INLINE void store_bf16(sp__bf16 *p, vector x);

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The columns in memory of a panel of which `width` count: one or two whole vectors. */
SP__INLINE int64_t room_for(int64_t width)
{
    return width > LANES ? NR : LANES;
}

/* The first of an image operand's units from a channel on. */
SP__INLINE number *units_of(const sp__operand *operand, int64_t channel)
{
    return (number *)(void *)((element *)operand->buffer + operand->offset + channel * operand->strides[1]);
}

/* Strides of images, rows and columns, in units of `step` elements. */
SP__INLINE void image_strides(int64_t *strides, const sp__operand *operand, int64_t step)
{
    strides[0] = operand->strides[0] / step;
    strides[1] = operand->strides[2] / step;
    strides[2] = operand->strides[3] / step;
}

SP__INLINE vector load_some(const number *p, int64_t count)
{
    return (vector)sp__load_words(p, count * (int64_t)(sizeof(number) / 4));
}

/* Numbers, or bf16 where `narrow`, from the j-th on. */
SP__INLINE vector load_either(const void *p, bool narrow, int64_t j, int64_t count)
{
    return narrow ? load_bf16((const sp__bf16 *)p + j, count) : load_some((const number *)p + j, count);
}

/* Place i of a result, which is of numbers, or of bf16 where `narrow`. */
SP__INLINE void put_number(void *buffer, bool narrow, int64_t i, number x)
{
    if (narrow)
        ((sp__bf16 *)buffer)[i] = sp__to_bf16((float)x);
    else
        ((number *)buffer)[i] = x;
}

SP__INLINE void store_either(void *buffer, bool narrow, int64_t at, vector x, int64_t count)
{
    if (count >= LANES && narrow) {
        store_bf16((sp__bf16 *)buffer + at, x);
    } else if (count >= LANES) {
        *(vector *)((number *)buffer + at) = x;
    } else if (!narrow) {
        sp__store_part((number *)buffer + at, (sp__words)x, count * (int64_t)(sizeof(number) / 4));
    } else {
        number values[LANES];
        memcpy(values, &x, sizeof values);
        for (int64_t i = 0; i < count; i++) put_number(buffer, true, at + i, values[i]);
    }
}

SP__INLINE void set_number(const sp__operand *operand, int64_t i, number x)
{
    put_number(operand->buffer, operand->dtype == SP_BF16, operand->offset + i, x);
}

SP__INLINE number get_number(const sp__operand *operand, int64_t i)
{
    const int64_t at = operand->offset + i;
    return operand->dtype == SP_BF16 ? (number)sp__from_bf16(((const sp__bf16 *)operand->buffer)[at])
                                     : ((const number *)operand->buffer)[at];
}

#endif

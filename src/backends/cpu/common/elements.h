/* Elements in memory: bf16, conversions, one element of any dtype. */
#ifndef SPUSK_CPU_ELEMENTS_H
#define SPUSK_CPU_ELEMENTS_H

#include "backends/backend.h"
#include <string.h>

typedef uint16_t sp__bf16;

static inline float sp__from_bf16(sp__bf16 x)
{
    const uint32_t bits = (uint32_t)x << 16;
    float y;
    memcpy(&y, &bits, sizeof y);
    return y;
}

/* Rounds to the nearest, ties to even; a NaN stays one. */
static inline sp__bf16 sp__to_bf16(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    if (x != x) return (sp__bf16)0x7FC0u;
    return (sp__bf16)((bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16);
}

/* Rounds once: what an f32 cuts off stays as its last bit. */
static inline sp__bf16 sp__f64_to_bf16(double x)
{
    float near = (float)x;
    uint32_t bits;
    memcpy(&bits, &near, sizeof bits);
    if (x == x && (double)near != x) {
        if ((x > 0 && (double)near > x) || (x < 0 && (double)near < x)) bits--;
        bits |= 1;
        memcpy(&near, &bits, sizeof bits);
    }
    return sp__to_bf16(near);
}

/* Truncation; what does not fit and NaN give the smallest number, as x86's instruction does. */
static inline int64_t sp__to_i64(double x)
{
    return x >= -0x1p63 && x < 0x1p63 ? (int64_t)x : INT64_MIN;
}

static inline int32_t sp__to_i32(double x)
{
    return x > -0x1p31 - 1 && x < 0x1p31 ? (int32_t)x : INT32_MIN;
}

/* Reads and writes one element of any dtype, for what is done once an output and not once an input. */
double sp__load_f64(sp_dtype dtype, const void *p);
void sp__store_f64(sp_dtype dtype, void *p, double value);
void sp__store_i64(sp_dtype dtype, void *p, int64_t value);

/* Its first element; NULL where it has no memory, in which a view may still begin at some place. */
static inline char *sp__operand_at(const sp__operand *operand)
{
#ifdef __clang_analyzer__ /* would take each operand for one without memory */
    return (char *)operand->buffer + operand->offset * sp__size_of(operand->dtype);
#else
    return operand->buffer ? (char *)operand->buffer + operand->offset * sp__size_of(operand->dtype) : NULL;
#endif
}

#endif

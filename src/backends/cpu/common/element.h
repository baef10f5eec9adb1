/* The element type that a file of reference kernels is compiled for. Such a file is compiled once for each type that
 * its name admits (reference_float.c, reference_integer.c, reference.c), with SP_ELEMENT the type's name and a macro
 * SP_ELEMENT_F32, SP_ELEMENT_F64 … of its own. */
#ifndef SPUSK_CPU_ELEMENT_H
#define SPUSK_CPU_ELEMENT_H

#include "backends/cpu/cpu.h"

#define SP__JOIN_ELEMENT(name, element) name##_##element
#define SP__ELEMENT_NAME(name, element) SP__JOIN_ELEMENT(name, element)
/* name_f32, and so on: what the reference's table has of this file. */
#define SP__OF(name) SP__ELEMENT_NAME(name, SP_ELEMENT)

/* `element` is what lies in memory, `number` what is computed with. */
#if defined(SP_ELEMENT_F32)
typedef float element, number;
enum { DTYPE = SP_F32, FLOATING = 1 };
#elif defined(SP_ELEMENT_F64)
typedef double element, number;
enum { DTYPE = SP_F64, FLOATING = 1 };
#elif defined(SP_ELEMENT_BF16)
typedef sp__bf16 element;
typedef float number;
enum { DTYPE = SP_BF16, FLOATING = 1 };
#elif defined(SP_ELEMENT_I64)
typedef int64_t element, number;
enum { DTYPE = SP_I64, FLOATING = 0 };
#elif defined(SP_ELEMENT_I32)
typedef int32_t element;
typedef int64_t number;
enum { DTYPE = SP_I32, FLOATING = 0 };
#elif defined(SP_ELEMENT_U8)
typedef uint8_t element;
typedef int64_t number;
enum { DTYPE = SP_U8, FLOATING = 0 };
#elif defined(SP_ELEMENT_BOOL8)
typedef uint8_t element; /* 0 is false, all else true; 0 and 1 are written */
typedef int64_t number;
enum { DTYPE = SP_BOOL, FLOATING = 0 };
#endif

/* One element at p, and its place in memory again: bf16 is rounded to the nearest, integers keep their lower bits. */
static inline number load(const void *p)
{
#if defined(SP_ELEMENT_BF16)
    return sp__from_bf16(*(const element *)p);
#elif defined(SP_ELEMENT_BOOL8)
    return *(const element *)p != 0;
#else
    return *(const element *)p;
#endif
}

static inline void store(void *p, number x)
{
#if defined(SP_ELEMENT_BF16)
    *(element *)p = sp__to_bf16(x);
#elif defined(SP_ELEMENT_BOOL8)
    *(element *)p = x != 0;
#else
    *(element *)p = (element)x;
#endif
}

#endif

/* What the tests of kernels share: levels in turn, numbers, values in any dtype. Each test is of the CPU's table
 * against a naive twin in f64 or i64. */
#ifndef SPUSK_TEST_KERNELS_H
#define SPUSK_TEST_KERNELS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those first. */
#include "backends/cpu/cpu.h"
#include <cmocka.h>
#include <math.h>
#include <spusk/machine.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const level_names[] = {"reference", "generic", "avx2", "avx512", "avx512bf16", "avx512amx", "neon"};
#define LEVEL_NAMES (int)(sizeof level_names / sizeof *level_names)

/* for each level that this machine has, in force inside the loop */
#define FOR_EACH_LEVEL(i)                                                                                              \
    for (int i = 0; i < LEVEL_NAMES; i++)                                                                              \
        if (sp__cpu_set_level(level_names[i]))

static const sp_dtype all_dtypes[] = {SP_F32, SP_F64, SP_BF16, SP_I64, SP_I32, SP_U8, SP_BOOL};
static const char *const dtype_names[SP_DTYPE_COUNT] = {"?", "f32", "f64", "bf16", "i64", "i32", "u8", "bool"};
enum { DTYPES = sizeof all_dtypes / sizeof *all_dtypes };

static inline bool is_float(sp_dtype dtype)
{
    return dtype == SP_F32 || dtype == SP_F64 || dtype == SP_BF16;
}

/* ---- numbers ---- */

static inline uint32_t next_word(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33) * 2654435761u;
}

static inline double next_number(uint64_t *state, double low, double high)
{
    return low + (high - low) * ((double)next_word(state) / 4294967296.0);
}

/* ---- elements ---- */

static inline char *element_at(sp_dtype dtype, const void *buffer, int64_t i)
{
    return (char *)(uintptr_t)buffer + i * sp__size_of(dtype);
}

static inline double get(sp_dtype dtype, const void *buffer, int64_t i)
{
    return sp__load_f64(dtype, element_at(dtype, buffer, i));
}

static inline int64_t get_i64(sp_dtype dtype, const void *buffer, int64_t i)
{
    return dtype == SP_I64 ? ((const int64_t *)buffer)[i] : (int64_t)get(dtype, buffer, i);
}

static inline void put(sp_dtype dtype, void *buffer, int64_t i, double x)
{
    sp__store_f64(dtype, element_at(dtype, buffer, i), x);
}

/* Small whole numbers in an integer dtype, numbers with fractions in a floating one. */
static inline void fill_numbers(sp_dtype dtype, void *buffer, int64_t n, uint64_t seed)
{
    for (int64_t i = 0; i < n; i++) {
        const double x = next_number(&seed, dtype == SP_U8 || dtype == SP_BOOL ? 0 : -3, 3);
        if (is_float(dtype))
            put(dtype, buffer, i, x);
        else
            sp__store_i64(dtype, element_at(dtype, buffer, i), (int64_t)floor(x));
    }
}

/* x as the dtype would hold it. */
static inline double rounded_to(sp_dtype dtype, double x)
{
    return dtype == SP_F32 ? (double)(float)x : dtype == SP_BF16 ? (double)sp__from_bf16(sp__to_bf16((float)x)) : x;
}

/* Whether got is want within `relative` of it or of `scale`; NaN is NaN, an infinity itself. */
static inline bool is_near(double got, double want, double relative, double scale)
{
    if (want != want) return got != got;
    if (fabs(want) == (double)INFINITY || got == want) return got == want;
    return fabs(got - want) <= relative * fmax(fabs(want), scale);
}

static inline double precision_of(sp_dtype dtype)
{
    return dtype == SP_F64 ? 1e-14 : dtype == SP_F32 ? 1e-6 : 1.0 / 128;
}

static inline sp__operand operand(void *buffer, sp_dtype dtype)
{
    return (sp__operand){.buffer = buffer, .dtype = dtype};
}

/* A failing case says itself what it was. */
#define EXPECT(condition, ...)                                                                                         \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            print_error(__VA_ARGS__);                                                                                  \
            print_error("\n");                                                                                         \
            fail();                                                                                                    \
        }                                                                                                              \
    } while (0)

#endif

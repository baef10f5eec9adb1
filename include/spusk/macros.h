/* The machinery behind calls with options and lists. Nothing here is meant to be called by name. */
#ifndef SPUSK_MACROS_H
#define SPUSK_MACROS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define SP_BEGIN extern "C" {
#define SP_END_DECLS }
#else
#define SP_BEGIN
#define SP_END_DECLS
#endif

#if defined(__GNUC__)
#define SP_API __attribute__((visibility("default")))
#define SP_PRINTF(text, first) __attribute__((format(printf, text, first)))
#define SP__CLEANUP(function) __attribute__((cleanup(function)))
#else
#define SP_API
#define SP_PRINTF(text, first)
#define SP__CLEANUP(function)
#endif

/* The most dimensions that a tensor can have. */
#define SP_MAX_DIMS 8

/* Says a zero in an option whose default is another number: `.lr = SP_ZERO`. A field left out is zero and means the
 * default. It fits every number field. For a number computed at run time use sp_exactly(x). */
#define SP_ZERO INT32_MIN

/* Picks the positional arguments (A1 … A5) and what follows the first n of them (R0 … R5). */
#define SP__A1(a, ...) a
#define SP__A2(a, b, ...) b
#define SP__A3(a, b, c, ...) c
#define SP__A4(a, b, c, d, ...) d
#define SP__A5(a, b, c, d, e, ...) e
#define SP__R1(a, ...) __VA_ARGS__
#define SP__R2(a, b, ...) __VA_ARGS__
#define SP__R3(a, b, c, ...) __VA_ARGS__
#define SP__R4(a, b, c, d, ...) __VA_ARGS__
#define SP__R5(a, b, c, d, e, ...) __VA_ARGS__

/* SP__CALLn(function, options type, positional arguments and options …) */
#define SP__CALL0(function, type, ...) (function)(&(const type){.size = sizeof(type), __VA_ARGS__})
#define SP__CALL1(function, type, ...)                                                                                 \
    (function)(SP__A1(__VA_ARGS__, 0), &(const type){SP__R1(__VA_ARGS__, .size = sizeof(type))})
#define SP__CALL2(function, type, ...)                                                                                 \
    (function)(SP__A1(__VA_ARGS__, 0), SP__A2(__VA_ARGS__, 0, 0),                                                      \
               &(const type){SP__R2(__VA_ARGS__, .size = sizeof(type))})
#define SP__CALL3(function, type, ...)                                                                                 \
    (function)(SP__A1(__VA_ARGS__, 0), SP__A2(__VA_ARGS__, 0, 0), SP__A3(__VA_ARGS__, 0, 0, 0),                        \
               &(const type){SP__R3(__VA_ARGS__, .size = sizeof(type))})
#define SP__CALL4(function, type, ...)                                                                                 \
    (function)(SP__A1(__VA_ARGS__, 0), SP__A2(__VA_ARGS__, 0, 0), SP__A3(__VA_ARGS__, 0, 0, 0),                        \
               SP__A4(__VA_ARGS__, 0, 0, 0, 0), &(const type){SP__R4(__VA_ARGS__, .size = sizeof(type))})
#define SP__CALL5(function, type, ...)                                                                                 \
    (function)(SP__A1(__VA_ARGS__, 0), SP__A2(__VA_ARGS__, 0, 0), SP__A3(__VA_ARGS__, 0, 0, 0),                        \
               SP__A4(__VA_ARGS__, 0, 0, 0, 0), SP__A5(__VA_ARGS__, 0, 0, 0, 0, 0),                                    \
               &(const type){SP__R5(__VA_ARGS__, .size = sizeof(type))})

SP_BEGIN

/* A list of sizes or dimension numbers: a borrowed pointer and a count. */
typedef struct sp_dims {
    const int64_t *data;
    int n;
} sp_dims;

/* SP_DIMS(2, 3) is a list of sizes as one argument; SP_DIMS() is the shape of a single number. */
#define SP_DIMS(...)                                                                                                   \
    ((sp_dims){(const int64_t[]){0, __VA_ARGS__} + 1,                                                                  \
               (int)(sizeof((const int64_t[]){0, __VA_ARGS__}) / sizeof(int64_t)) - 1})

/* x, or SP_ZERO where x is 0: for an option that is computed. */
static inline double sp_exactly(double x)
{
    return x == 0 ? (double)SP_ZERO : x;
}

SP_END_DECLS

#endif

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

/* A number in the place of an object (sp_relu(3)) is an error, as in newer compilers. A program that needs the old
 * warning defines SPUSK_KEEP_DIAGNOSTICS before it includes a header. */
#if defined(__GNUC__) && !defined(__cplusplus) && !defined(SPUSK_KEEP_DIAGNOSTICS)
#pragma GCC diagnostic error "-Wint-conversion"
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

/* The end of an option struct. A call's options begin behind `sp__end`, so a value without a name would initialise the
 * member after it, and nothing converts to that. C++ has no options in calls; the layout is the same. */
#ifdef __cplusplus
#define SP_OPTIONS_END char sp__end
#else
struct sp__option {
    char unused;
};
#define SP_OPTIONS_END                                                                                                 \
    char sp__end;                                                                                                      \
    struct sp__option an_option_needs_its_name[]
#endif

/* SP_OPTIONS_MEMBER(sp_optim_options, options); declares a member of a struct, without the warning of -Wpedantic that
 * the last member of the options has no size. */
#if defined(__clang__) && !defined(__cplusplus)
#define SP__UNSIZED_MEMBERS                                                                                            \
    _Pragma("GCC diagnostic ignored \"-Wflexible-array-extensions\"")                                                  \
        _Pragma("GCC diagnostic ignored \"-Wgnu-variable-sized-type-not-at-end\"")
#elif defined(__GNUC__) && !defined(__cplusplus)
#define SP__UNSIZED_MEMBERS _Pragma("GCC diagnostic ignored \"-Wpedantic\"")
#endif
#ifdef SP__UNSIZED_MEMBERS
#define SP_OPTIONS_MEMBER(type, name)                                                                                  \
    _Pragma("GCC diagnostic push") SP__UNSIZED_MEMBERS type name;                                                      \
    _Pragma("GCC diagnostic pop") _Static_assert(sizeof(type) > 0, "takes the semicolon")
#else
#define SP_OPTIONS_MEMBER(type, name) type name
#endif

/* Stands behind the options of a function: in C++ they may be left out. */
#ifdef __cplusplus
#define SP_OR_NULL = nullptr
#else
#define SP_OR_NULL
#endif

/* SP__CALLn(function, options type, n positional arguments and options …) */
#ifdef __cplusplus
#define SP__CALL0(function, type, ...) (function)(__VA_ARGS__)
#define SP__CALL1(function, type, ...) (function)(__VA_ARGS__)
#define SP__CALL2(function, type, ...) (function)(__VA_ARGS__)
#define SP__CALL3(function, type, ...) (function)(__VA_ARGS__)
#define SP__CALL4(function, type, ...) (function)(__VA_ARGS__)
#define SP__CALL5(function, type, ...) (function)(__VA_ARGS__)
#else
/* A1 … A5 pick a positional argument; in the place of one left out stands a name that nothing declares. R1 … R5 pick
 * what follows the first n arguments. */
#define SP__A1(...) SP__PICK1(__VA_ARGS__, an_argument_is_missing)
#define SP__A2(...) SP__PICK2(__VA_ARGS__, an_argument_is_missing, an_argument_is_missing)
#define SP__A3(...) SP__PICK3(__VA_ARGS__, an_argument_is_missing, an_argument_is_missing, an_argument_is_missing)
#define SP__A4(...)                                                                                                    \
    SP__PICK4(__VA_ARGS__, an_argument_is_missing, an_argument_is_missing, an_argument_is_missing,                     \
              an_argument_is_missing)
#define SP__A5(...)                                                                                                    \
    SP__PICK5(__VA_ARGS__, an_argument_is_missing, an_argument_is_missing, an_argument_is_missing,                     \
              an_argument_is_missing, an_argument_is_missing)
#define SP__PICK1(a, ...) a
#define SP__PICK2(a, b, ...) b
#define SP__PICK3(a, b, c, ...) c
#define SP__PICK4(a, b, c, d, ...) d
#define SP__PICK5(a, b, c, d, e, ...) e
#define SP__R1(a, ...) __VA_ARGS__
#define SP__R2(a, b, ...) __VA_ARGS__
#define SP__R3(a, b, c, ...) __VA_ARGS__
#define SP__R4(a, b, c, d, ...) __VA_ARGS__
#define SP__R5(a, b, c, d, e, ...) __VA_ARGS__

#define SP__CALL0(function, type, ...) (function)(&(const type){.size = sizeof(type), .sp__end = 0, __VA_ARGS__})
#define SP__CALL1(function, type, ...)                                                                                 \
    (function)(SP__A1(__VA_ARGS__), &(const type){.sp__end = 0, SP__R1(__VA_ARGS__, .size = sizeof(type))})
#define SP__CALL2(function, type, ...)                                                                                 \
    (function)(SP__A1(__VA_ARGS__), SP__A2(__VA_ARGS__),                                                               \
               &(const type){.sp__end = 0, SP__R2(__VA_ARGS__, .size = sizeof(type))})
#define SP__CALL3(function, type, ...)                                                                                 \
    (function)(SP__A1(__VA_ARGS__), SP__A2(__VA_ARGS__), SP__A3(__VA_ARGS__),                                          \
               &(const type){.sp__end = 0, SP__R3(__VA_ARGS__, .size = sizeof(type))})
#define SP__CALL4(function, type, ...)                                                                                 \
    (function)(SP__A1(__VA_ARGS__), SP__A2(__VA_ARGS__), SP__A3(__VA_ARGS__), SP__A4(__VA_ARGS__),                     \
               &(const type){.sp__end = 0, SP__R4(__VA_ARGS__, .size = sizeof(type))})
#define SP__CALL5(function, type, ...)                                                                                 \
    (function)(SP__A1(__VA_ARGS__), SP__A2(__VA_ARGS__), SP__A3(__VA_ARGS__), SP__A4(__VA_ARGS__),                     \
               SP__A5(__VA_ARGS__), &(const type){.sp__end = 0, SP__R5(__VA_ARGS__, .size = sizeof(type))})
#endif

/* SP__LIST(type, a, b …) is an array that lives as long as the expression needs it. */
#ifdef __cplusplus
template <class E, size_t n> struct sp__list {
    E items[n > 0 ? n : 1];
};
template <class E, class... T> sp__list<E, sizeof...(T)> sp__list_of(const T &...items)
{
    return {{static_cast<E>(items)...}};
}
#define SP__LIST(type, ...) sp__list_of<type>(__VA_ARGS__).items
#else
#define SP__LIST(type, ...) ((type const[]){__VA_ARGS__})
#endif
#define SP__LIST_SIZE(type, ...) (sizeof(SP__LIST(type, __VA_ARGS__)) / sizeof(type))

SP_BEGIN

/* A list of sizes or dimension numbers: a borrowed pointer and a count. */
typedef struct sp_dims {
    const int64_t *data;
    int n;
} sp_dims;

/* SP_DIMS(2, 3) is a list of sizes as one argument; SP_DIMS() is the shape of a single number. In C++ it lives as long
 * as the call that it stands in. */
#ifdef __cplusplus
#define SP_DIMS(...) sp__dims_of(sp__list_of<int64_t>(__VA_ARGS__))
#else
#define SP_DIMS(...)                                                                                                   \
    ((sp_dims){(const int64_t[]){0, __VA_ARGS__} + 1,                                                                  \
               (int)(sizeof((const int64_t[]){0, __VA_ARGS__}) / sizeof(int64_t)) - 1})
#endif

/* x, or SP_ZERO where x is 0: for an option whose value is computed. */
static inline double sp_exactly(double x)
{
    return x == 0 ? (double)SP_ZERO : x;
}

SP_END_DECLS

#ifdef __cplusplus
template <size_t n> sp_dims sp__dims_of(const sp__list<int64_t, n> &list)
{
    return {list.items, static_cast<int>(n)};
}
#endif

#endif

/* The loops of one element type's map kernels, made from the list. A file includes this behind its
 * formulas. It says before what a param is as a number, and which of the list's dtypes it has: FLOATS, NUMBERS. */
#define ALL(...) __VA_ARGS__

static inline void store_SAME(void *p, number x)
{
    store(p, x);
}

static inline void store_BOOL(void *p, bool x)
{
    *(uint8_t *)p = x;
}

#define LOOP_1(name, result, arguments)                                                                                \
    static void name##_loop(char *const *data, const int64_t *s, int64_t n, const double *params)                      \
    {                                                                                                                  \
        const number p = param(params[0]), q = param(params[1]);                                                       \
        (void)p, (void)q;                                                                                              \
        for (int64_t i = 0; i < n; i++) {                                                                              \
            const number x = load(data[1] + i * s[1]);                                                                 \
            store_##result(data[0] + i * s[0], name##_of arguments);                                                   \
        }                                                                                                              \
    }

#define LOOP_2(name, result, arguments)                                                                                \
    static void name##_loop(char *const *data, const int64_t *s, int64_t n, const double *params)                      \
    {                                                                                                                  \
        const number p = param(params[0]), q = param(params[1]);                                                       \
        (void)p, (void)q;                                                                                              \
        for (int64_t i = 0; i < n; i++) {                                                                              \
            const number x = load(data[1] + i * s[1]), y = load(data[2] + i * s[2]);                                   \
            store_##result(data[0] + i * s[0], name##_of arguments);                                                   \
        }                                                                                                              \
    }

#define LOOP_3(name, result, arguments)                                                                                \
    static void name##_loop(char *const *data, const int64_t *s, int64_t n, const double *params)                      \
    {                                                                                                                  \
        const number p = param(params[0]);                                                                             \
        (void)p;                                                                                                       \
        for (int64_t i = 0; i < n; i++) {                                                                              \
            const number x = load(data[1] + i * s[1]), y = load(data[2] + i * s[2]), z = load(data[3] + i * s[3]);     \
            store_##result(data[0] + i * s[0], name##_of arguments);                                                   \
        }                                                                                                              \
    }

/* The chosen element is copied bit for bit. */
#define LOOP_CHOICE(name, result, arguments)                                                                           \
    static void name##_loop(char *const *data, const int64_t *s, int64_t n, const double *params)                      \
    {                                                                                                                  \
        (void)params;                                                                                                  \
        for (int64_t i = 0; i < n; i++) {                                                                              \
            const bool chosen = *(const uint8_t *)(data[1] + i * s[1]) != 0;                                           \
            *(element *)(data[0] + i * s[0]) = *(const element *)(chosen ? data[2] + i * s[2] : data[3] + i * s[3]);   \
        }                                                                                                              \
    }

#define SP__MAP(KIND, name, text, inputs, result, arguments, dtypes) dtypes(LOOP_##inputs(name, result, arguments))
#include "backends/map_kinds.h"
#undef SP__MAP

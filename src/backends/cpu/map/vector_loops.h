/* The loops by vectors of one element type, made from vector_kinds.h. Elements of the output lie side by side, those of
 * an input as well, or it is one element again and again. The last, short vector goes through the same instructions as
 * all others, so that an element's result does not depend on where it lies.
 *
 * A file includes this behind its formulas. It says before what `element`, `number`, `vector` and LANES are, what splat,
 * load and store do, and which dtypes of the list are its own. */

/* Elements side by side, or one again and again. */
typedef struct input {
    const char *p;
    int64_t step; /* bytes from a vector to the next */
} input;

SP__INLINE input open_input(const char *p, int64_t stride, element *again)
{
    if (stride) return (input){p, LANES * (int64_t)sizeof(element)};
    store((char *)again, splat(load(p, 1)[0]), LANES);
    return (input){(const char *)again, 0};
}

enum { STEP_SAME = LANES * (int)sizeof(element), STEP_BOOL = LANES }; /* bytes of a vector of results */

SP__INLINE void store_SAME(char *p, vector x, int64_t n)
{
    store(p, x, n);
}

#define LOOP_1(formula, result, arguments)                                                                             \
    static void formula##_loop(char *const *data, const int64_t *s, int64_t n, const double *params)                   \
    {                                                                                                                  \
        const vector p = splat((number)params[0]), q = splat((number)params[1]);                                       \
        (void)p, (void)q;                                                                                              \
        _Alignas(SP__VECTOR_BYTES) element again[LANES];                                                               \
        input a = open_input(data[1], s[1], again);                                                                    \
        for (char *out = data[0]; n > 0; n -= LANES, out += STEP_##result, a.p += a.step) {                            \
            const vector x = load(a.p, n);                                                                             \
            store_##result(out, formula arguments, n);                                                                 \
        }                                                                                                              \
    }

#define LOOP_2(formula, result, arguments)                                                                             \
    static void formula##_loop(char *const *data, const int64_t *s, int64_t n, const double *params)                   \
    {                                                                                                                  \
        const vector p = splat((number)params[0]), q = splat((number)params[1]);                                       \
        (void)p, (void)q;                                                                                              \
        _Alignas(SP__VECTOR_BYTES) element again[2][LANES];                                                            \
        input a = open_input(data[1], s[1], again[0]), b = open_input(data[2], s[2], again[1]);                        \
        for (char *out = data[0]; n > 0; n -= LANES, out += STEP_##result, a.p += a.step, b.p += b.step) {             \
            const vector x = load(a.p, n), y = load(b.p, n);                                                           \
            store_##result(out, formula arguments, n);                                                                 \
        }                                                                                                              \
    }

#define LOOP_3(formula, result, arguments)                                                                             \
    static void formula##_loop(char *const *data, const int64_t *s, int64_t n, const double *params)                   \
    {                                                                                                                  \
        const vector p = splat((number)params[0]);                                                                     \
        (void)p;                                                                                                       \
        _Alignas(SP__VECTOR_BYTES) element again[3][LANES];                                                            \
        input in[3];                                                                                                   \
        for (int k = 0; k < 3; k++) in[k] = open_input(data[1 + k], s[1 + k], again[k]);                               \
        for (char *out = data[0]; n > 0; n -= LANES, out += STEP_##result) {                                           \
            const vector x = load(in[0].p, n), y = load(in[1].p, n), z = load(in[2].p, n);                             \
            store_##result(out, formula arguments, n);                                                                 \
            for (int k = 0; k < 3; k++) in[k].p += in[k].step;                                                         \
        }                                                                                                              \
    }

#define LOOP_OWN(formula, result, arguments)

#define SP__VECTORS(KIND, formula, inputs, result, arguments, dtypes) dtypes(LOOP_##inputs(formula, result, arguments))
#include "backends/cpu/map/vector_kinds.h"
#undef SP__VECTORS

/* Element by element in bf16: what f32's formula gives, rounded once, as the reference does. The casts by vectors make
 * these rows as fast as memory; what is not here stays with the reference. (No file of a name that ends in _bf16: those
 * are compiled again for the level that has the instruction for pairs, which is not used here.) */
#include "backends/cpu/common/bf16.h"

enum { LANES = LANES_f32 };

/* An input: elements side by side, or one again and again. */
typedef struct input {
    const sp__bf16 *p;
    int64_t step; /* elements from a vector to the next */
} input;

SP__INLINE input open_input(const char *p, int64_t stride, sp__bf16 *again)
{
    if (stride) return (input){(const sp__bf16 *)(const void *)p, LANES};
    for (int i = 0; i < LANES; i++) again[i] = *(const sp__bf16 *)(const void *)p;
    return (input){again, 0};
}

#define UNARY(name, formula)                                                                                           \
    static void name(char *const *data, const int64_t *s, int64_t n, const double *params)                             \
    {                                                                                                                  \
        (void)params;                                                                                                  \
        sp__bf16 again[LANES];                                                                                         \
        input a = open_input(data[1], s[1], again);                                                                    \
        for (sp__bf16 *out = (sp__bf16 *)(void *)data[0]; n > 0; n -= LANES, out += LANES, a.p += a.step) {            \
            const vf x = from_bf16(load_halves(a.p, n));                                                               \
            store_halves(out, to_bf16(formula), n);                                                                    \
        }                                                                                                              \
    }

#define BINARY(name, formula)                                                                                          \
    static void name(char *const *data, const int64_t *s, int64_t n, const double *params)                             \
    {                                                                                                                  \
        (void)params;                                                                                                  \
        sp__bf16 again[2][LANES];                                                                                      \
        input a = open_input(data[1], s[1], again[0]), b = open_input(data[2], s[2], again[1]);                        \
        for (sp__bf16 *out = (sp__bf16 *)(void *)data[0]; n > 0;                                                       \
             n -= LANES, out += LANES, a.p += a.step, b.p += b.step) {                                                 \
            const vf x = from_bf16(load_halves(a.p, n)), y = from_bf16(load_halves(b.p, n));                           \
            store_halves(out, to_bf16(formula), n);                                                                    \
        }                                                                                                              \
    }

#define ZERO splat_f32(0.0f)
UNARY(neg, -x)
UNARY(relu, select_f32(x < 0, ZERO, x))
BINARY(add, x + y)
BINARY(sub, x - y)
BINARY(mul, x *y)
BINARY(relu_backward, select_f32(y <= 0, ZERO, x))

sp__loop *const SP__HERE(sp__map_bf16)[SP__MAP_COUNT] = {
    [SP__NEG] = neg, [SP__RELU] = relu, [SP__ADD] = add,
    [SP__SUB] = sub, [SP__MUL] = mul,   [SP__RELU_BACKWARD] = relu_backward,
};

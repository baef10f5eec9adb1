/* Element by element, by vectors of one type: the simple formulas. Elements of the output lie side by side, those of an
 * input as well, or it is one element again and again. The last, short vector goes through the same instructions as all
 * others, so that an element's result does not depend on where it lies. Continues vector.inc.h; V is FN(vector). */

#define UNARY(name, formula)                                                                                           \
    static void FN(name)(char *const *data, const int64_t *s, int64_t n, const double *params)                         \
    {                                                                                                                  \
        const V p = FN(splat)((T)params[0]), q = FN(splat)((T)params[1]);                                              \
        (void)p, (void)q;                                                                                              \
        V again;                                                                                                       \
        FN(input) a = FN(open_input)(data[1], s[1], &again);                                                           \
        for (char *out = data[0]; n > 0; n -= FN(LANES), out += SP__VECTOR_BYTES, a.p += a.step) {                     \
            const V x = FN(load)(a.p, n);                                                                              \
            FN(store)(out, formula, n);                                                                                \
        }                                                                                                              \
    }

#define BINARY(name, formula)                                                                                          \
    static void FN(name)(char *const *data, const int64_t *s, int64_t n, const double *params)                         \
    {                                                                                                                  \
        const V p = FN(splat)((T)params[0]), q = FN(splat)((T)params[1]);                                              \
        (void)p, (void)q;                                                                                              \
        V again[2];                                                                                                    \
        FN(input) a = FN(open_input)(data[1], s[1], &again[0]), b = FN(open_input)(data[2], s[2], &again[1]);          \
        for (char *out = data[0]; n > 0; n -= FN(LANES), out += SP__VECTOR_BYTES, a.p += a.step, b.p += b.step) {      \
            const V x = FN(load)(a.p, n), y = FN(load)(b.p, n);                                                        \
            FN(store)(out, formula, n);                                                                                \
        }                                                                                                              \
    }

#define TERNARY(name, formula)                                                                                         \
    static void FN(name)(char *const *data, const int64_t *s, int64_t n, const double *params)                         \
    {                                                                                                                  \
        const V p = FN(splat)((T)params[0]);                                                                           \
        (void)p;                                                                                                       \
        V again[3];                                                                                                    \
        FN(input) in[3];                                                                                               \
        for (int k = 0; k < 3; k++) in[k] = FN(open_input)(data[1 + k], s[1 + k], &again[k]);                          \
        for (char *out = data[0]; n > 0; n -= FN(LANES), out += SP__VECTOR_BYTES) {                                    \
            const V x = FN(load)(in[0].p, n), y = FN(load)(in[1].p, n), z = FN(load)(in[2].p, n);                      \
            FN(store)(out, formula, n);                                                                                \
            for (int k = 0; k < 3; k++) in[k].p += in[k].step;                                                         \
        }                                                                                                              \
    }

UNARY(neg, -x)
UNARY(abs, FN(magnitude)(x))
UNARY(sqrt, FN(root)(x))
UNARY(rsqrt, ONE / FN(root)(x))
UNARY(reciprocal, ONE / x)
UNARY(square, x *x)
UNARY(relu, FN(select)(x < 0, ZERO, x))
UNARY(leaky_relu, FN(select)(x > 0, x, x *p))
UNARY(affine, p *x + q)

BINARY(add, x + y)
BINARY(sub, x - y)
BINARY(mul, x *y)
BINARY(div, x / y)
BINARY(maximum, FN(select)((x != x) | (x > y), x, y))
BINARY(minimum, FN(select)((x != x) | (x < y), x, y))
BINARY(relu_backward, FN(select)(y <= 0, ZERO, x))
BINARY(sigmoid_backward, x *y *(ONE - y))
BINARY(tanh_backward, x *(ONE - y * y))

#define SIMPLE_ROWS                                                                                                    \
    [SP__NEG] = FN(neg), [SP__ABS] = FN(abs), [SP__SQRT] = FN(sqrt), [SP__RSQRT] = FN(rsqrt),                          \
    [SP__RECIPROCAL] = FN(reciprocal), [SP__SQUARE] = FN(square), [SP__RELU] = FN(relu),                               \
    [SP__LEAKY_RELU] = FN(leaky_relu), [SP__AFFINE] = FN(affine), [SP__ADD] = FN(add), [SP__SUB] = FN(sub),            \
    [SP__MUL] = FN(mul), [SP__DIV] = FN(div), [SP__MAXIMUM] = FN(maximum), [SP__MINIMUM] = FN(minimum),                \
    [SP__RELU_BACKWARD] = FN(relu_backward), [SP__SIGMOID_BACKWARD] = FN(sigmoid_backward),                            \
    [SP__TANH_BACKWARD] = FN(tanh_backward)

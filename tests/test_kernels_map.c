/* Element by element: every kind, dtype and layout against a twin that computes one element in f64 or i64. */
#include "test_kernels.h"

/* ---- the twins ---- */

typedef struct numbers {
    double x, y, z, p, q;
} numbers;

static double sigmoid(double x)
{
    return x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x));
}

static double lerp(double a, double b, double w)
{
    return fabs(w) < 0.5 ? a + w * (b - a) : b - (b - a) * (1 - w);
}

static bool twin_unary(sp__map_kind kind, numbers v, double *out)
{
    const double x = v.x, p = v.p, q = v.q;
    switch (kind) {
    case SP__COPY: return *out = x, true;
    case SP__NEG: return *out = -x, true;
    case SP__ABS: return *out = fabs(x), true;
    case SP__SIGN: return *out = x > 0 ? 1 : x < 0 ? -1 : 0, true;
    case SP__EXP: return *out = exp(x), true;
    case SP__EXPM1: return *out = expm1(x), true;
    case SP__LOG: return *out = log(x), true;
    case SP__LOG1P: return *out = log1p(x), true;
    case SP__SQRT: return *out = sqrt(x), true;
    case SP__RSQRT: return *out = 1 / sqrt(x), true;
    case SP__RECIPROCAL: return *out = 1 / x, true;
    case SP__SQUARE: return *out = x * x, true;
    case SP__SIN: return *out = sin(x), true;
    case SP__COS: return *out = cos(x), true;
    case SP__TANH: return *out = tanh(x), true;
    case SP__SIGMOID: return *out = sigmoid(x), true;
    case SP__RELU: return *out = x < 0 ? 0 : x, true;
    case SP__SILU: return *out = x * sigmoid(x), true;
    case SP__FLOOR: return *out = floor(x), true;
    case SP__CEIL: return *out = ceil(x), true;
    case SP__ROUND: return *out = nearbyint(x), true;
    case SP__ERF: return *out = erf(x), true;
    case SP__SOFTPLUS: return *out = x * p > q ? x : log1p(exp(x * p)) / p, true;
    case SP__LEAKY_RELU: return *out = x > 0 ? x : x * p, true;
    case SP__ELU: return *out = x > 0 ? x : expm1(x) * p, true;
    case SP__GELU: return *out = x * 0.5 * erfc(-x / sqrt(2)), true;
    case SP__GELU_TANH: return *out = x * 0.5 * (1 + tanh(sqrt(2 / M_PI) * (x + 0.044715 * x * x * x))), true;
    case SP__CLAMP: return *out = x != x ? x : fmin(fmax(x, p), q), true;
    case SP__SMOOTH_L1: return *out = fabs(x) < p ? x * x * q : fabs(x) - 0.5 * p, true;
    case SP__POW_SCALAR: return *out = pow(x, p), true;
    case SP__AFFINE: return *out = p * x + q, true;
    default: return false;
    }
}

static bool twin_test(sp__map_kind kind, numbers v, double *out)
{
    const double x = v.x, y = v.y;
    switch (kind) {
    case SP__LOGICAL_NOT: return *out = x == 0, true;
    case SP__ISNAN: return *out = x != x, true;
    case SP__ISINF: return *out = fabs(x) == (double)INFINITY, true;
    case SP__ISFINITE: return *out = fabs(x) < (double)INFINITY, true;
    case SP__EQ: return *out = x == y, true;
    case SP__NE: return *out = x != y, true;
    case SP__LT: return *out = x < y, true;
    case SP__LE: return *out = x <= y, true;
    case SP__GT: return *out = x > y, true;
    case SP__GE: return *out = x >= y, true;
    case SP__LOGICAL_AND: return *out = x != 0 && y != 0, true;
    case SP__LOGICAL_OR: return *out = x != 0 || y != 0, true;
    case SP__LOGICAL_XOR: return *out = (x != 0) != (y != 0), true;
    default: return false;
    }
}

/* x is the gradient, y the activation's input. */
static bool twin_slope(sp__map_kind kind, numbers v, double *out)
{
    const double x = v.x, y = v.y, p = v.p, k = sqrt(2 / M_PI), t = tanh(k * (y + 0.044715 * y * y * y));
    switch (kind) {
    case SP__GELU_BACKWARD: return *out = x * (0.5 * erfc(-y / sqrt(2)) + y * exp(-0.5 * y * y) / sqrt(2 * M_PI)), true;
    case SP__GELU_TANH_BACKWARD:
        return *out = x * 0.5 * (1 + t + y * (1 - t * t) * k * (1 + 3 * 0.044715 * y * y)), true;
    case SP__SILU_BACKWARD: return *out = x * sigmoid(y) * (1 + y * (1 - sigmoid(y))), true;
    case SP__SOFTPLUS_BACKWARD: return *out = y * p > v.q ? x : x * sigmoid(y * p), true;
    case SP__LEAKY_RELU_BACKWARD: return *out = y > 0 ? x : x * p, true;
    case SP__ELU_BACKWARD: return *out = y <= 0 ? x * p * exp(y) : x, true;
    case SP__BCE_LOGITS: return *out = (x > 0 ? x * (1 - y) : -x * y) + log1p(exp(-fabs(x))), true;
    case SP__BCE_LOGITS_BACKWARD: return *out = sigmoid(x) - y, true;
    default: return false;
    }
}

static bool twin_float(sp__map_kind kind, numbers v, double *out)
{
    const double x = v.x, y = v.y, z = v.z, p = v.p;
    switch (kind) {
    case SP__ADD: return *out = x + y, true;
    case SP__SUB: return *out = x - y, true;
    case SP__MUL: return *out = x * y, true;
    case SP__DIV: return *out = x / y, true;
    case SP__POW: return *out = pow(x, y), true;
    case SP__MAXIMUM: return *out = x != x ? x : y != y ? y : fmax(x, y), true;
    case SP__MINIMUM: return *out = x != x ? x : y != y ? y : fmin(x, y), true;
    case SP__LERP: return *out = lerp(x, y, p), true;
    case SP__RELU_BACKWARD: return *out = y <= 0 ? 0 : x, true;
    case SP__SIGMOID_BACKWARD: return *out = x * y * (1 - y), true;
    case SP__TANH_BACKWARD: return *out = x * (1 - y * y), true;
    case SP__WHERE: return *out = x != 0 ? y : z, true;
    case SP__ADDCMUL: return *out = x + p * y * z, true;
    case SP__ADDCDIV: return *out = x + p * y / z, true;
    case SP__LERP_TENSOR: return *out = lerp(x, y, z), true;
    default: return twin_test(kind, v, out) || twin_unary(kind, v, out) || twin_slope(kind, v, out);
    }
}

/* What integers give before they wrap: all sums and products of the test's numbers fit in a double. */
static bool twin_integer(sp__map_kind kind, numbers v, double *out)
{
    switch (kind) {
    case SP__COPY:
    case SP__NEG:
    case SP__ABS:
    case SP__SIGN:
    case SP__SQUARE:
    case SP__RELU:
    case SP__FLOOR:
    case SP__CEIL:
    case SP__ROUND:
    case SP__CLAMP:
    case SP__AFFINE:
    case SP__ADD:
    case SP__SUB:
    case SP__MUL:
    case SP__MAXIMUM:
    case SP__MINIMUM:
    case SP__RELU_BACKWARD:
    case SP__WHERE:
    case SP__ADDCMUL: return twin_float(kind, v, out);
    case SP__POW: return *out = v.y < 0 && fabs(v.x) != 1 ? 0 : pow(v.x, v.y), true;
    case SP__POW_SCALAR: return *out = v.p < 0 && fabs(v.x) != 1 ? 0 : pow(v.x, v.p), true;
    default: return twin_test(kind, v, out);
    }
}

static bool twin_bool(sp__map_kind kind, numbers v, double *out)
{
    switch (kind) {
    case SP__COPY:
    case SP__ABS:
    case SP__SIGN: return *out = v.x != 0, true;
    case SP__ADD:
    case SP__MAXIMUM: return *out = v.x != 0 || v.y != 0, true;
    case SP__MUL:
    case SP__MINIMUM: return *out = v.x != 0 && v.y != 0, true;
    case SP__WHERE: return twin_float(kind, v, out);
    default: return twin_test(kind, v, out);
    }
}

/* ---- calls ---- */

/* The sizes, and the strides of the output and three inputs; no place is farther than SPACE from the first. */
typedef struct layout {
    const char *name;
    int ndim;
    int64_t sizes[4];
    int64_t strides[4][4];
} layout;
enum { SPACE = 20000 };

static const layout layouts[] = {
    {"a number", 0, {0}, {{0}}},
    {"nothing", 2, {3, 0}, {{0, 1}, {0, 1}, {0, 1}, {0, 1}}},
    {"one element", 3, {1, 1, 1}, {{7, 5, 3}, {2, 2, 2}, {1, 1, 1}, {0, 0, 0}}},
    {"contiguous", 2, {37, 11}, {{11, 1}, {11, 1}, {11, 1}, {11, 1}}},
    {"transposed", 2, {37, 11}, {{11, 1}, {1, 37}, {11, 1}, {1, 37}}},
    {"transposed output", 2, {19, 45}, {{1, 19}, {45, 1}, {1, 19}, {45, 1}}},
    {"a repeated row", 2, {9, 67}, {{67, 1}, {67, 1}, {0, 1}, {0, 1}}},
    {"a repeated column", 2, {9, 67}, {{67, 1}, {67, 1}, {1, 0}, {1, 0}}},
    {"a repeated number", 2, {9, 67}, {{67, 1}, {0, 0}, {67, 1}, {0, 0}}},
    {"every second", 3, {5, 7, 13}, {{400, 30, 2}, {182, 26, 2}, {300, 40, 3}, {91, 13, 1}}},
    {"four dimensions", 4, {3, 4, 5, 6}, {{120, 30, 6, 1}, {1, 3, 12, 60}, {0, 6, 0, 1}, {30, 0, 6, 1}}},
    {"a slice", 2, {50, 33}, {{33, 1}, {64, 1}, {40, 1}, {33, 1}}},
};
#define LAYOUTS (int)(sizeof layouts / sizeof *layouts)

static char *buffers[4];

static sp__map make_call(sp__map_kind kind, sp_dtype dtype, const layout *how, const double *params)
{
    sp__map call = {.kind = kind, .ndim = how->ndim, .n_operands = sp__map_kinds[kind].inputs + 1};
    memcpy(call.sizes, how->sizes, sizeof how->sizes);
    for (int k = 0; k < call.n_operands; k++) {
        const bool flag = (k == 0 && sp__map_kinds[kind].gives_bool) || (k == 1 && kind == SP__WHERE);
        call.operands[k] = operand(buffers[k], flag ? SP_BOOL : dtype);
        call.operands[k].offset = 3 * k;
        memcpy(call.operands[k].strides, how->strides[k], sizeof how->strides[k]);
    }
    memcpy(call.params, params, sizeof call.params);
    return call;
}

static int64_t place(const sp__map *call, int k, int64_t i)
{
    int64_t at = call->operands[k].offset;
    for (int d = call->ndim - 1; d >= 0; d--) {
        at += i % call->sizes[d] * call->operands[k].strides[d];
        i /= call->sizes[d];
    }
    return at;
}

static int64_t count(const sp__map *call)
{
    int64_t n = 1;
    for (int d = 0; d < call->ndim; d++) n *= call->sizes[d];
    return n;
}

static numbers inputs_at(const sp__map *call, int64_t i)
{
    double v[4] = {0};
    for (int k = 1; k < call->n_operands; k++)
        v[k] = get(call->operands[k].dtype, call->operands[k].buffer, place(call, k, i));
    return (numbers){v[1], v[2], v[3], call->params[0], call->params[1]};
}

/* Additions, products, quotients and roots round correctly; of the rest the last digits are open. */
static bool is_exact(sp__map_kind kind)
{
    switch (kind) {
    case SP__COPY:
    case SP__NEG:
    case SP__ABS:
    case SP__SQRT:
    case SP__RECIPROCAL:
    case SP__SQUARE:
    case SP__RELU:
    case SP__ADD:
    case SP__SUB:
    case SP__MUL:
    case SP__DIV:
    case SP__WHERE: return true;
    default: return sp__map_kinds[kind].gives_bool;
    }
}

static bool is_right(const sp__map *call, sp_dtype dtype, double want, int64_t i)
{
    const sp_dtype out = call->operands[0].dtype;
    const char *p = element_at(out, call->operands[0].buffer, place(call, 0, i));
    if (!is_float(out)) {
        int64_t whole = (int64_t)want;
        char expected[8];
        sp__store_i64(out, expected, whole); /* wraps as the dtype does */
        return memcmp(expected, p, (size_t)sp__size_of(out)) == 0;
    }
    const numbers v = inputs_at(call, i);
    const double scale = fmax(fmax(fabs(v.x), fabs(v.y)), fmax(fabs(v.z), 1e-30));
    const double got = sp__load_f64(out, p);
    if (is_exact(call->kind)) return is_near(got, rounded_to(dtype, want), 0, 0);
    return is_near(got, rounded_to(dtype, want), precision_of(dtype), scale < (double)INFINITY ? scale : 1);
}

typedef bool twin(sp__map_kind kind, numbers v, double *out);

static twin *twin_of(sp_dtype dtype)
{
    return is_float(dtype) ? twin_float : dtype == SP_BOOL ? twin_bool : twin_integer;
}

/* Runs a call and compares every element; returns how many there were. */
static int64_t check_call(const sp__map *call, sp_dtype dtype, const char *what)
{
    int64_t compared = 0;
    double want;
    if (!twin_of(dtype)(call->kind, (numbers){1, 1, 1, 1, 1}, &want)) {
        EXPECT(count(call) == 0 || sp__cpu_backend.map(call) == SP_ERROR_DTYPE, "kind %d of %s should be refused",
               (int)call->kind, dtype_names[dtype]);
        sp_error_clear();
        return 0;
    }
    assert_int_equal(sp__cpu_backend.map(call), SP_OK);
    for (int64_t i = 0, n = count(call); i < n; i++, compared++) {
        const numbers v = inputs_at(call, i);
        twin_of(dtype)(call->kind, v, &want);
        EXPECT(is_right(call, dtype, want, i),
               "%s: kind %d of %s, %s, element %lld: f(%.9g, %.9g, %.9g) is %.9g, not %.9g", sp_isa(), (int)call->kind,
               dtype_names[dtype], what, (long long)i, v.x, v.y, v.z,
               get(call->operands[0].dtype, call->operands[0].buffer, place(call, 0, i)), want);
    }
    return compared;
}

/* ---- tests ---- */

static int setup(void **state)
{
    (void)state;
    sp_set_error_handler(NULL, NULL);
    for (int k = 0; k < 4; k++) buffers[k] = calloc(SPACE, 8);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (int k = 0; k < 4; k++) free(buffers[k]);
    sp__cpu_set_level(NULL);
    return 0;
}

static void fill_inputs(sp__map_kind kind, sp_dtype dtype)
{
    for (int k = 1; k < 4; k++) {
        if (k == 1 && kind == SP__WHERE)
            fill_numbers(SP_BOOL, buffers[k], SPACE, 11);
        else
            fill_numbers(dtype, buffers[k], SPACE, 10 + (uint64_t)k);
    }
}

static void test_every_kind_dtype_and_layout(void **state)
{
    (void)state;
    static const double params[2] = {0.75, 2};
    int64_t compared = 0, levels = 0;
    FOR_EACH_LEVEL(level)
    {
        levels++;
        for (int kind = 0; kind < SP__MAP_COUNT; kind++) {
            for (int t = 0; t < DTYPES; t++) {
                const double whole[2] = {kind == SP__POW_SCALAR ? 3 : 1, 2};
                fill_inputs((sp__map_kind)kind, all_dtypes[t]);
                for (int l = 0; l < LAYOUTS; l++) {
                    const sp__map call = make_call((sp__map_kind)kind, all_dtypes[t], &layouts[l],
                                                   is_float(all_dtypes[t]) ? params : whole);
                    compared += check_call(&call, all_dtypes[t], layouts[l].name);
                }
            }
        }
    }
    assert_true(levels >= 2);
    assert_true(compared > 1000000);
}

static void test_special_numbers(void **state)
{
    (void)state;
    static const double special[] = {(double)NAN,
                                     (double)INFINITY,
                                     -(double)INFINITY,
                                     0,
                                     -0.0,
                                     1,
                                     -1,
                                     0.5,
                                     1.5,
                                     2.5,
                                     -2.5,
                                     1e-40,
                                     -1e-40,
                                     1e15,
                                     -1e15,
                                     3,
                                     88,
                                     -88,
                                     0.1,
                                     1e-8};
    enum { N = sizeof special / sizeof *special };
    static const double params[2] = {-1, 1};
    static const layout all = {"special numbers", 3, {N, N, N}, {{N * N, N, 1}, {1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
    int64_t compared = 0;
    FOR_EACH_LEVEL(level)
    {
        for (int kind = 0; kind < SP__MAP_COUNT; kind++) {
            for (int t = 0; t < 3; t++) {
                const sp_dtype dtype = all_dtypes[t];
                for (int k = 1; k < 4; k++) {
                    const sp_dtype its = kind == SP__WHERE && k == 1 ? SP_BOOL : dtype;
                    for (int i = 0; i < N; i++) put(its, buffers[k], 3 * k + i, special[i]);
                }
                /* far out, f32 is at infinity or at 0 where f64 is not yet */
                if (kind == SP__GELU_TANH || kind == SP__POW || kind == SP__ADDCMUL || kind == SP__ADDCDIV) continue;
                const sp__map call = make_call((sp__map_kind)kind, dtype, &all, params);
                compared += check_call(&call, dtype, all.name);
            }
        }
    }
    assert_true(compared > 1000000);
}

static void test_casts(void **state)
{
    (void)state;
    static const double values[] = {0,     1,     -1,   2.5,  -2.5,  255,         256.75,           -300,
                                    1e6,   3e9,   -3e9, 1e20, -1e20, (double)NAN, (double)INFINITY, -(double)INFINITY,
                                    0.001, 65504, -128, 77};
    enum { N = sizeof values / sizeof *values, REPEAT = 70 };
    int64_t compared = 0;
    FOR_EACH_LEVEL(level)
    {
        for (int from = 0; from < DTYPES; from++) {
            for (int to = 0; to < DTYPES; to++) {
                for (int stride = 0; stride < 3; stride++) {
                    const sp_dtype a = all_dtypes[from], b = all_dtypes[to];
                    for (int i = 0; i < N * REPEAT; i++) put(a, buffers[1], i, values[i % N]);
                    sp__map call = {.kind = SP__COPY, .ndim = 1, .sizes = {N * REPEAT / 2}, .n_operands = 2};
                    call.operands[0] = operand(buffers[0], b);
                    call.operands[1] = operand(buffers[1], a);
                    call.operands[0].strides[0] = 1;
                    call.operands[1].strides[0] = stride;
                    assert_int_equal(sp__cpu_backend.map(&call), SP_OK);
                    for (int i = 0; i < N * REPEAT / 2; i++, compared++) {
                        const double x = get(a, buffers[1], i * stride), got = get(b, buffers[0], i);
                        double want = rounded_to(b, x);
                        if (b == SP_BOOL)
                            want = x != 0;
                        else if (b == SP_U8)
                            want = (double)(uint8_t)sp__to_i64(x);
                        else if (b == SP_I64)
                            want = (double)sp__to_i64(x);
                        else if (b == SP_I32)
                            want = is_float(a) ? sp__to_i32(x) : (double)(int32_t)sp__to_i64(x);
                        EXPECT(is_near(got, want, 0, 0), "%s: %g of %s to %s is %g, not %g", sp_isa(), x,
                               dtype_names[a], dtype_names[b], got, want);
                    }
                }
            }
        }
    }
    assert_true(compared > 100000);
}

static int64_t one_integer(sp__map_kind kind, sp_dtype dtype, int64_t x, int64_t y)
{
    sp__store_i64(dtype, buffers[1], x);
    sp__store_i64(dtype, buffers[2], y);
    sp__map call = {.kind = kind, .n_operands = sp__map_kinds[kind].inputs + 1, .params = {3, 0}};
    for (int k = 0; k < call.n_operands; k++) call.operands[k] = operand(buffers[k], dtype);
    assert_int_equal(sp__cpu_backend.map(&call), SP_OK);
    return get_i64(dtype, buffers[0], 0);
}

static void test_integers_are_exact_and_wrap(void **state)
{
    (void)state;
    const int64_t big = ((int64_t)1 << 53) + 1;
    FOR_EACH_LEVEL(level)
    {
        assert_int_equal(one_integer(SP__COPY, SP_I64, big, 0), big);
        assert_int_equal(one_integer(SP__ADD, SP_I64, big, 1), big + 1);
        assert_int_equal(one_integer(SP__MAXIMUM, SP_I64, big, big - 1), big);
        assert_int_equal(one_integer(SP__MUL, SP_I64, big, 3), 3 * big);
        assert_int_equal(one_integer(SP__ADD, SP_I64, INT64_MAX, 1), INT64_MIN);
        assert_int_equal(one_integer(SP__NEG, SP_I64, INT64_MIN, 0), INT64_MIN);
        assert_int_equal(one_integer(SP__ABS, SP_I64, INT64_MIN, 0), INT64_MIN);
        assert_int_equal(one_integer(SP__ADD, SP_I32, INT32_MAX, 1), INT32_MIN);
        assert_int_equal(one_integer(SP__NEG, SP_U8, 1, 0), 255);
        assert_int_equal(one_integer(SP__MUL, SP_U8, 200, 2), 144);
        assert_int_equal(one_integer(SP__POW, SP_I64, -1, -3), -1);
        assert_int_equal(one_integer(SP__POW, SP_I64, -2, -1), 0);
        assert_int_equal(one_integer(SP__POW, SP_I64, 0, 0), 1);
        assert_int_equal(one_integer(SP__POW_SCALAR, SP_U8, 7, 0), 87);
    }
}

static void test_the_same_place_in_and_out(void **state)
{
    (void)state;
    enum { N = 1000 };
    FOR_EACH_LEVEL(level)
    {
        fill_numbers(SP_F32, buffers[1], N, 5);
        memcpy(buffers[0], buffers[1], N * sizeof(float));
        sp__map call = {.kind = SP__MUL, .ndim = 1, .sizes = {N}, .n_operands = 3};
        for (int k = 0; k < 3; k++) {
            call.operands[k] = operand(buffers[0], SP_F32);
            call.operands[k].strides[0] = 1;
        }
        assert_int_equal(sp__cpu_backend.map(&call), SP_OK);
        for (int i = 0; i < N; i++) {
            const float x = ((float *)buffers[1])[i];
            assert_true(((float *)buffers[0])[i] == x * x);
        }
    }
}

/* An element's bits depend neither on where it lies nor on how many threads there are. */
static void test_layout_and_threads_change_no_bit(void **state)
{
    (void)state;
    enum { N = 100003 };
    static const sp__map_kind kinds[] = {SP__EXP, SP__TANH, SP__AFFINE, SP__SIGMOID_BACKWARD, SP__SIGMOID};
    float *in = malloc(N * sizeof *in), *apart = malloc(2 * N * sizeof *in), *a = malloc(N * sizeof *a),
          *b = malloc(N * sizeof *b);
    fill_numbers(SP_F32, in, N, 77);
    for (int i = 0; i < N; i++) apart[2 * i] = in[i];
    FOR_EACH_LEVEL(level)
    {
        for (size_t j = 0; j < sizeof kinds / sizeof *kinds; j++) {
            sp__map call = {
                .kind = kinds[j], .ndim = 1, .sizes = {N}, .n_operands = sp__map_kinds[kinds[j]].inputs + 1};
            call.params[0] = 0.3, call.params[1] = 0.7;
            call.operands[0] = (sp__operand){a, 0, SP_F32, {1}};
            for (int k = 1; k < call.n_operands; k++) call.operands[k] = (sp__operand){in, 0, SP_F32, {1}};
            assert_int_equal(sp_set_num_threads(1), SP_OK);
            assert_int_equal(sp__cpu_backend.map(&call), SP_OK);
            assert_int_equal(sp_set_num_threads(3), SP_OK);
            call.operands[0].buffer = b;
            for (int k = 1; k < call.n_operands; k++) call.operands[k] = (sp__operand){apart, 0, SP_F32, {2}};
            assert_int_equal(sp__cpu_backend.map(&call), SP_OK);
            assert_memory_equal(a, b, N * sizeof *a);
        }
    }
    free(in), free(apart), free(a), free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind_dtype_and_layout),
        cmocka_unit_test(test_special_numbers),
        cmocka_unit_test(test_casts),
        cmocka_unit_test(test_integers_are_exact_and_wrap),
        cmocka_unit_test(test_the_same_place_in_and_out),
        cmocka_unit_test(test_layout_and_threads_change_no_bit),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

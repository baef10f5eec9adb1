/* Convolutions with ReLU and max-pooling done in the same call, forward and backward, against the plain convolution of
 * the reference followed, or preceded, by loops over windows. */
#include "test_kernels.h"
#include <spusk/scope.h>
#include <spusk/threads.h>

typedef struct shape {
    int64_t batch, groups, in, out, size[2], kernel, stride, padding, dilation, pool[2];
    bool relu;
} shape;

static const shape shapes[] = {
    {9, 1, 1, 32, {28, 28}, 3, 1, 1, 1, {2, 2}, true},  /* the first layer of a network for digits */
    {9, 1, 32, 64, {14, 14}, 3, 1, 1, 1, {2, 2}, true}, /* its second */
    {2, 1, 32, 40, {12, 12}, 3, 1, 0, 1, {2, 2}, true}, /* no padding */
    {1, 1, 17, 9, {11, 13}, 3, 1, 1, 1, {2, 3}, true},  /* one image; places that no window covers */
    {3, 1, 20, 33, {9, 9}, 5, 1, 2, 1, {2, 2}, true},   /* a larger kernel */
    {8, 1, 24, 8, {13, 13}, 3, 2, 1, 1, {3, 2}, true},  /* a stride */
    {2, 1, 12, 6, {10, 10}, 2, 1, 0, 1, {2, 2}, true},  /* a smaller kernel */
    {2, 1, 16, 6, {17, 15}, 1, 1, 0, 1, {4, 4}, true},  /* one tap, large windows */
    {3, 1, 18, 7, {14, 14}, 3, 1, 2, 2, {2, 2}, true},  /* dilation */
    {3, 2, 32, 12, {8, 8}, 3, 1, 1, 1, {2, 2}, true},   /* groups */
    {3, 36, 36, 36, {8, 8}, 3, 1, 1, 1, {1, 1}, true},  /* by channel, ReLU alone */
    {3, 18, 18, 36, {8, 8}, 3, 1, 1, 1, {2, 2}, true},  /* and with pooling */
    {3, 2, 32, 40, {8, 8}, 3, 1, 1, 1, {2, 2}, true},   /* groups that are run one by one */
    {3, 4, 32, 32, {8, 8}, 3, 1, 1, 1, {1, 1}, true},   /* of eight */
    {3, 1, 20, 36, {8, 8}, 1, 1, 0, 1, {1, 1}, true},   /* a product */
    {3, 1, 36, 2, {8, 8}, 3, 1, 1, 1, {1, 1}, true},    /* few outputs */
    {2, 1, 3, 37, {19, 18}, 3, 1, 1, 1, {3, 2}, true},  /* few inputs, and windows that are not square */
    {5, 1, 16, 32, {14, 14}, 3, 2, 1, 1, {1, 1}, true}, /* ReLU alone */
    {5, 1, 3, 5, {8, 8}, 3, 1, 1, 1, {1, 1}, true},     /* ReLU alone, odd sizes */
    {5, 1, 32, 16, {8, 8}, 3, 1, 1, 1, {2, 2}, false},  /* pooling alone */
    {70, 1, 2, 3, {6, 6}, 3, 1, 1, 1, {2, 2}, true},    /* many images */
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static const sp_dtype dtypes[] = {SP_F32, SP_F64, SP_BF16};
enum { DTYPES_HERE = sizeof dtypes / sizeof *dtypes };
static const char *const kind_names[] = {"forward", "backward-data", "backward-weight"};

/* ---- a call and what it works on ---- */

typedef struct problem {
    sp__conv call;      /* with the tail */
    sp__conv_tail tail; /* of pooled images */
    sp__operand bias;
    int64_t pooled[2], count[3]; /* elements of x, w, y */
} problem;

static int64_t elements(const int64_t *sizes)
{
    return sizes[0] * sizes[1] * sizes[2] * sizes[3];
}

/* Channels innermost, as the layers have their images. */
static sp__operand images(sp_dtype dtype, const int64_t *sizes, uint64_t seed)
{
    const int64_t n = elements(sizes);
    sp__operand x = {calloc((size_t)n + 1, 8), 0, dtype, {0, 1, sizes[3] * sizes[1], sizes[1]}};
    x.strides[0] = sizes[2] * x.strides[2];
    fill_numbers(dtype, x.buffer, n, seed);
    return x;
}

static void make(problem *p, const shape *s, sp__conv_kind kind, sp_dtype dtype)
{
    *p = (problem){
        .call = {.kind = kind, .dtype = dtype, .batch = s->batch, .groups = s->groups, .in = s->in, .out = s->out}};
    sp__conv *c = &p->call;
    for (int d = 0; d < 2; d++) {
        c->size[d] = s->size[d], c->kernel[d] = s->kernel, c->stride[d] = s->stride;
        c->padding[d] = s->padding, c->dilation[d] = s->dilation;
        c->out_size[d] = (s->size[d] + 2 * s->padding - s->dilation * (s->kernel - 1) - 1) / s->stride + 1;
        p->tail.pool[d] = s->pool[d];
        p->pooled[d] = c->out_size[d] / s->pool[d];
    }
    const int64_t x[4] = {s->batch, s->in, s->size[0], s->size[1]},
                  w[4] = {s->out, s->in / s->groups, s->kernel, s->kernel};
    const int64_t y[4] = {s->batch, s->out, c->out_size[0], c->out_size[1]};
    const int64_t pooled[4] = {s->batch, s->out, p->pooled[0], p->pooled[1]};
    c->x = images(dtype, x, 1), c->w = images(dtype, w, 2), c->y = images(dtype, y, 3);
    p->count[0] = elements(x), p->count[1] = elements(w), p->count[2] = elements(y);
    p->tail.relu = s->relu;
    p->tail.y = images(dtype, pooled, 4), p->tail.grad = images(dtype, pooled, 5);
    p->tail.where = images(SP_U8, pooled, 6);
    uint64_t random = 7;
    for (int64_t i = 0; i < elements(pooled); i++)
        ((uint8_t *)p->tail.where.buffer)[i] = (uint8_t)(next_word(&random) % (uint32_t)(s->pool[0] * s->pool[1]));
    p->bias = (sp__operand){calloc((size_t)s->out, 8), 0, dtype, {1}};
    fill_numbers(dtype, p->bias.buffer, s->out, 8);
    c->bias = kind == SP__CONV_BACKWARD_DATA ? NULL : &p->bias;
    c->tail = &p->tail;
}

static void discard(problem *p)
{
    void *const all[] = {p->call.x.buffer,    p->call.w.buffer,     p->call.y.buffer, p->tail.y.buffer,
                         p->tail.grad.buffer, p->tail.where.buffer, p->bias.buffer};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
}

static int64_t place(const sp__operand *x, int64_t n, int64_t c, int64_t h, int64_t w)
{
    return n * x->strides[0] + c * x->strides[1] + h * x->strides[2] + w * x->strides[3];
}

/* Calls `each` for every window of every image and channel. */
static void for_each_window(problem *p, void (*each)(problem *p, int64_t n, int64_t c, int64_t h, int64_t w, int level),
                            int level)
{
    for (int64_t n = 0; n < p->call.batch; n++)
        for (int64_t c = 0; c < p->call.out; c++)
            for (int64_t h = 0; h < p->pooled[0]; h++)
                for (int64_t w = 0; w < p->pooled[1]; w++) each(p, n, c, h, w, level);
}

/* ---- forward ---- */

static double after_relu(const problem *p, double x)
{
    return p->tail.relu && x < 0 ? 0 : x;
}

/* Minimal filtering mixes a tile's places, of which one is NaN, so that all may become it. */
static bool may_be_nan(const problem *p, int64_t n, int64_t c, int64_t h, int64_t w)
{
    enum { TILE = 4 };
    const sp__conv *call = &p->call;
    const int64_t first[2] = {h * p->tail.pool[0] / TILE * TILE, w * p->tail.pool[1] / TILE * TILE};
    for (int64_t i = first[0]; i < first[0] + TILE && i < call->out_size[0]; i++)
        for (int64_t j = first[1]; j < first[1] + TILE && j < call->out_size[1]; j++)
            if (isnan(get(call->dtype, call->y.buffer, place(&call->y, n, c, i, j)))) return true;
    return false;
}

/* y holds the plain convolution. */
static void check_window(problem *p, int64_t n, int64_t c, int64_t h, int64_t w, int level)
{
    const sp__conv_tail *t = &p->tail;
    const sp_dtype dtype = p->call.dtype;
    const double error = dtype == SP_BF16 ? precision_of(dtype) : 100 * precision_of(dtype);
    double values[16], best = -(double)INFINITY;
    int first = 0;
    for (int i = 0; i < t->pool[0] * t->pool[1]; i++) {
        values[i] = after_relu(
            p, get(dtype, p->call.y.buffer,
                   place(&p->call.y, n, c, h * t->pool[0] + i / t->pool[1], w * t->pool[1] + i % t->pool[1])));
        if (values[i] > best || values[i] != values[i]) best = values[i], first = i;
    }
    const double got = get(dtype, t->y.buffer, place(&t->y, n, c, h, w));
    if (isnan(got) && may_be_nan(p, n, c, h, w)) return;
    EXPECT(is_near(got, best, error, 10), "%s: window %d %d %d %d is %.9g, not %.9g", level_names[level], (int)n,
           (int)c, (int)h, (int)w, got, best);
    if (t->pool[0] * t->pool[1] == 1) return;
    const int where = (int)get(SP_U8, t->where.buffer, place(&t->where, n, c, h, w));
    EXPECT(where == first || (best != 0 && where < t->pool[0] * t->pool[1] && is_near(values[where], best, error, 10)),
           "%s: the maximum of window %d %d %d %d is at %d, not at %d", level_names[level], (int)n, (int)c, (int)h,
           (int)w, where, first);
}

static void try_forward(const shape *s, sp_dtype dtype, bool with_nan)
{
    problem p;
    make(&p, s, SP__CONV_FORWARD, dtype);
    if (with_nan) put(dtype, p.call.x.buffer, p.count[0] / 2, (double)NAN);
    sp__conv plain = p.call;
    plain.tail = NULL;
    assert_true(sp__cpu_set_level("reference"));
    assert_int_equal(sp__cpu_conv(&plain), SP_OK);
    FOR_EACH_LEVEL(level)
    {
        if (!sp__cpu_conv_takes(&p.call)) continue;
        assert_int_equal(sp__cpu_conv(&p.call), SP_OK);
        for_each_window(&p, check_window, level);
    }
    discard(&p);
}

static void test_forward(void **state)
{
    (void)state;
    for (int i = 0; i < SHAPES; i++) {
        for (int t = 0; t < DTYPES_HERE; t++) try_forward(&shapes[i], dtypes[t], false);
        try_forward(&shapes[i], SP_F32, true);
    }
}

/* ---- backward ---- */

/* The gradient in front of the tail. */
static void expand_window(problem *p, int64_t n, int64_t c, int64_t h, int64_t w, int unused)
{
    (void)unused;
    const sp__conv_tail *t = &p->tail;
    const sp_dtype dtype = p->call.dtype;
    if (t->relu && !(get(dtype, t->y.buffer, place(&t->y, n, c, h, w)) > 0)) return;
    const int64_t i = t->pool[0] * t->pool[1] == 1 ? 0 : ((uint8_t *)t->where.buffer)[place(&t->where, n, c, h, w)];
    put(dtype, p->call.y.buffer,
        place(&p->call.y, n, c, h * t->pool[0] + i / t->pool[1], w * t->pool[1] + i % t->pool[1]),
        get(dtype, t->grad.buffer, place(&t->grad, n, c, h, w)));
}

static void expect_equal(sp_dtype dtype, const void *got, const void *want, int64_t n, double terms, const char *what)
{
    for (int64_t i = 0; i < n; i++)
        EXPECT(is_near(get(dtype, got, i), get(dtype, want, i), precision_of(dtype), 9 * sqrt(terms)),
               "%s: place %d is %.9g, not %.9g", what, (int)i, get(dtype, got, i), get(dtype, want, i));
}

static void try_backward(const shape *s, sp__conv_kind kind, sp_dtype dtype)
{
    problem p, want;
    make(&p, s, kind, dtype);
    make(&want, s, kind, dtype);
    memset(want.call.y.buffer, 0, (size_t)(want.count[2] * sp__size_of(dtype)));
    for_each_window(&want, expand_window, 0);
    want.call.tail = NULL;
    assert_true(sp__cpu_set_level("reference"));
    assert_int_equal(sp__cpu_conv(&want.call), SP_OK);
    const bool data = kind == SP__CONV_BACKWARD_DATA;
    void *const got = data ? p.call.x.buffer : p.call.w.buffer, *bits = NULL;
    const int64_t n = p.count[!data];
    const double terms = data ? (double)(s->out * s->kernel * s->kernel) : (double)p.count[2] / (double)s->out;
    FOR_EACH_LEVEL(level)
    {
        if (!sp__cpu_conv_takes(&p.call)) continue;
        for (int threads = 1; threads <= 3; threads += 2) {
            char what[100];
            snprintf(what, sizeof what, "%s of shape %d, %s, %s, %d threads", kind_names[kind], (int)(s - shapes),
                     dtype_names[dtype], level_names[level], threads);
            assert_int_equal(sp_set_num_threads(threads), SP_OK);
            memset(got, 0xFF, (size_t)(n * sp__size_of(dtype)));
            assert_int_equal(sp__cpu_conv(&p.call), SP_OK);
            expect_equal(dtype, got, data ? want.call.x.buffer : want.call.w.buffer, n, terms, what);
            if (!data) expect_equal(dtype, p.bias.buffer, want.bias.buffer, s->out, terms, what);
            if (threads == 1) bits = memcpy(malloc((size_t)n * 8), got, (size_t)(n * sp__size_of(dtype)));
            if (threads > 1) EXPECT(!memcmp(bits, got, (size_t)(n * sp__size_of(dtype))), "%s: other bits", what);
            if (threads > 1) free(bits);
        }
    }
    discard(&p);
    discard(&want);
}

static void test_backward(void **state)
{
    (void)state;
    const int threads = sp_num_threads();
    for (int i = 0; i < SHAPES; i++) {
        for (int t = 0; t < DTYPES_HERE; t++) {
            try_backward(&shapes[i], SP__CONV_BACKWARD_DATA, dtypes[t]);
            try_backward(&shapes[i], SP__CONV_BACKWARD_WEIGHT, dtypes[t]);
        }
    }
    sp_set_num_threads(threads);
}

/* Both gradients in one call are those of two calls. */
static void try_both(const shape *s, sp_dtype dtype)
{
    problem both, weight, data;
    make(&both, s, SP__CONV_BACKWARD_WEIGHT, dtype);
    make(&weight, s, SP__CONV_BACKWARD_WEIGHT, dtype);
    make(&data, s, SP__CONV_BACKWARD_DATA, dtype);
    const int64_t x[4] = {s->batch, s->in, s->size[0], s->size[1]};
    sp__conv_data more = {images(dtype, x, 9), data.call.w};
    both.call.data = &more;
    const size_t item = (size_t)sp__size_of(dtype);
    FOR_EACH_LEVEL(level)
    {
        if (!sp__cpu_conv_takes(&both.call)) continue;
        assert_int_equal(sp__cpu_conv(&both.call), SP_OK);
        assert_int_equal(sp__cpu_conv(&weight.call), SP_OK);
        assert_int_equal(sp__cpu_conv(&data.call), SP_OK);
        assert_memory_equal(both.call.w.buffer, weight.call.w.buffer, (size_t)both.count[1] * item);
        assert_memory_equal(both.bias.buffer, weight.bias.buffer, (size_t)s->out * item);
        assert_memory_equal(more.x.buffer, data.call.x.buffer, (size_t)both.count[0] * item);
    }
    free(more.x.buffer);
    discard(&both);
    discard(&weight);
    discard(&data);
}

static void test_both_gradients_in_one_call(void **state)
{
    (void)state;
    for (int i = 0; i < SHAPES; i++)
        for (int t = 0; t < DTYPES_HERE; t++) try_both(&shapes[i], dtypes[t]);
}

/* ---- what is taken ---- */

static void test_what_is_taken(void **state)
{
    (void)state;
    problem p;
    make(&p, &shapes[1], SP__CONV_FORWARD, SP_F32);
    assert_true(sp__cpu_set_level("reference"));
    assert_false(sp__cpu_conv_takes(&p.call));
    sp_set_error_handler(NULL, NULL);
    assert_int_equal(sp__cpu_conv(&p.call), SP_ERROR_ARGUMENT);
    sp_error_clear();
    assert_true(sp__cpu_set_level(NULL));
    if (strcmp(sp_isa(), "reference") != 0) assert_true(sp__cpu_conv_takes(&p.call));
    p.tail.pool[0] = 9;
    assert_false(sp__cpu_conv_takes(&p.call));
    discard(&p);
}

static void test_density_is_counted(void **state)
{
    (void)state;
    problem p;
    make(&p, &shapes[1], SP__CONV_BACKWARD_WEIGHT, SP_F32);
    assert_true(sp__cpu_set_level(NULL));
    sp_sparse_density();
    assert_true(isnan(sp_sparse_density()));
    assert_int_equal(sp__cpu_conv(&p.call), SP_OK);
    const double density = sp_sparse_density();
    assert_true(density > 0.1 && density < 0.15); /* one place of four, half of which the ReLU took */
    discard(&p);
}

static int teardown(void **state)
{
    (void)state;
    sp__cpu_set_level(NULL);
    return sp_finish() != 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forward),
        cmocka_unit_test(test_backward),
        cmocka_unit_test(test_both_gradients_in_one_call),
        cmocka_unit_test(test_what_is_taken),
        cmocka_unit_test(test_density_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, teardown);
}

/* Convolutions and their gradients against the definition's loops in f64: shapes drawn at random, odd ones by hand,
 * every dtype, layout and level, any number of threads. */
#include "test_kernels.h"
#include <spusk/scope.h>
#include <spusk/threads.h>

static const sp_dtype conv_dtypes[] = {SP_F32, SP_F64, SP_BF16};
static const char *const kind_names[] = {"forward", "backward-data", "backward-weight"};

/* How a tensor of four dimensions lies. */
typedef enum order { CONTIGUOUS, CHANNELS_LAST, WITH_GAPS, ORDERS } order;

typedef struct shape {
    int64_t batch, groups, in, out; /* channels of all groups */
    int64_t size[2], kernel[2], stride[2], padding[2], dilation[2];
    int64_t extra[2]; /* places of x that no tap reaches, at the end: what a transposed convolution's output_padding is
                       */
} shape;

typedef struct tensor {
    sp__operand operand;
    int64_t sizes[4];
    int64_t elements; /* of the buffer */
} tensor;

static tensor tensor_new(sp_dtype dtype, const int64_t *sizes, order how, uint64_t seed)
{
    static const int orders[ORDERS][4] = {{3, 2, 1, 0}, {1, 3, 2, 0}, {2, 1, 3, 0}}; /* from the innermost */
    tensor t = {.operand = {.dtype = dtype}};
    int64_t step = how == WITH_GAPS ? 2 : 1;
    for (int k = 0; k < 4; k++) {
        const int d = orders[how][k];
        t.sizes[d] = sizes[d];
        t.operand.strides[d] = step;
        step *= sizes[d] + (how == WITH_GAPS);
    }
    t.operand.offset = how == WITH_GAPS ? 5 : 0;
    t.elements = step + t.operand.offset;
    t.operand.buffer = calloc((size_t)t.elements + 16, (size_t)sp__size_of(dtype));
    fill_numbers(dtype, t.operand.buffer, t.elements, seed);
    return t;
}

static int64_t place(const sp__operand *x, int64_t a, int64_t b, int64_t c, int64_t d)
{
    return x->offset + a * x->strides[0] + b * x->strides[1] + c * x->strides[2] + d * x->strides[3];
}

/* ---- the definition ---- */

/* What is written, by the places of its buffer: values, and the sums of the terms' sizes. */
typedef struct expected {
    double *value, *size;
    double *bias, *bias_size;
} expected;

static void add_term(const sp__conv *c, const expected *e, int64_t x, int64_t w, int64_t y)
{
    const double vx = get(c->dtype, c->x.buffer, x), vw = get(c->dtype, c->w.buffer, w);
    const double vy = get(c->dtype, c->y.buffer, y);
    const int64_t to = c->kind == SP__CONV_FORWARD ? y : c->kind == SP__CONV_BACKWARD_DATA ? x : w;
    const double term = c->kind == SP__CONV_FORWARD ? vx * vw : c->kind == SP__CONV_BACKWARD_DATA ? vy * vw : vx * vy;
    e->value[to] += term;
    e->size[to] += fabs(term);
}

/* All terms that meet place (p, q) of channel o in image n. */
static void add_terms(const sp__conv *c, const expected *e, int64_t n, int64_t o, int64_t p, int64_t q)
{
    const int64_t inputs = c->in / c->groups, group = o / (c->out / c->groups);
    for (int64_t i = 0; i < inputs; i++)
        for (int64_t s = 0; s < c->kernel[0]; s++)
            for (int64_t t = 0; t < c->kernel[1]; t++) {
                const int64_t h = p * c->stride[0] - c->padding[0] + s * c->dilation[0];
                const int64_t w = q * c->stride[1] - c->padding[1] + t * c->dilation[1];
                if (h < 0 || w < 0 || h >= c->size[0] || w >= c->size[1]) continue;
                add_term(c, e, place(&c->x, n, group * inputs + i, h, w), place(&c->w, o, i, s, t),
                         place(&c->y, n, o, p, q));
            }
}

static void add_bias(const sp__conv *c, const expected *e, const tensor *written)
{
    for (int64_t n = 0; n < written->sizes[0]; n++)
        for (int64_t k = 0; k < written->sizes[1]; k++)
            for (int64_t i = 0; i < written->sizes[2] * written->sizes[3]; i++) {
                const int64_t to = place(&written->operand, n, k, i / written->sizes[3], i % written->sizes[3]);
                const double bias = get(c->dtype, c->bias->buffer, k * c->bias->strides[0]);
                e->value[to] += bias;
                e->size[to] += fabs(bias);
            }
}

static void define(const sp__conv *c, const expected *e, const tensor *written)
{
    for (int64_t n = 0; n < c->batch; n++)
        for (int64_t o = 0; o < c->out; o++)
            for (int64_t p = 0; p < c->out_size[0]; p++)
                for (int64_t q = 0; q < c->out_size[1]; q++) {
                    const double y = get(c->dtype, c->y.buffer, place(&c->y, n, o, p, q));
                    e->bias[o] += y;
                    e->bias_size[o] += fabs(y);
                    add_terms(c, e, n, o, p, q);
                }
    if (c->bias && c->kind != SP__CONV_BACKWARD_WEIGHT) add_bias(c, e, written);
}

/* Minimal filtering sums a tile's places together: the error of each is in proportion to the largest of them. */
static void spread_sizes(const sp__conv *c, const expected *e, const tensor *written)
{
    if (c->kind == SP__CONV_BACKWARD_WEIGHT || c->kernel[0] != 3 || c->kernel[1] != 3) return;
    for (int64_t plane = 0; plane < written->sizes[0] * written->sizes[1]; plane++) {
        const int64_t n = plane / written->sizes[1], k = plane % written->sizes[1], columns = written->sizes[3];
        double most = 0;
        for (int64_t i = 0; i < written->sizes[2] * columns; i++)
            most = fmax(most, e->size[place(&written->operand, n, k, i / columns, i % columns)]);
        for (int64_t i = 0; i < written->sizes[2] * columns; i++)
            e->size[place(&written->operand, n, k, i / columns, i % columns)] = most;
    }
}

/* ---- one case ---- */

typedef struct problem {
    sp__conv call;
    tensor x, w, y, bias;
    sp__operand bias_operand;
    const char *text;
} problem;

static int64_t out_size(const shape *s, int d)
{
    const int64_t reach = s->size[d] - s->extra[d] + 2 * s->padding[d] - s->dilation[d] * (s->kernel[d] - 1) - 1;
    return reach < 0 ? 0 : reach / s->stride[d] + 1;
}

static const char *text_of(const shape *s, sp__conv_kind kind, sp_dtype dtype)
{
    static char text[300];
    snprintf(text, sizeof text,
             "%s of %s: %d images, %d groups, %d to %d channels, size %d×%d, kernel %d×%d, stride %d×%d, padding "
             "%d×%d, dilation %d×%d, extra %d×%d",
             kind_names[kind], dtype_names[dtype], (int)s->batch, (int)s->groups, (int)s->in, (int)s->out,
             (int)s->size[0], (int)s->size[1], (int)s->kernel[0], (int)s->kernel[1], (int)s->stride[0],
             (int)s->stride[1], (int)s->padding[0], (int)s->padding[1], (int)s->dilation[0], (int)s->dilation[1],
             (int)s->extra[0], (int)s->extra[1]);
    return text;
}

/* layouts: an order for each of x, w and y. bias: whether there is one. */
static void make(problem *p, const shape *s, sp__conv_kind kind, sp_dtype dtype, const order *layouts, bool bias)
{
    sp__conv *c = &p->call;
    *c = (sp__conv){.kind = kind, .dtype = dtype, .batch = s->batch, .groups = s->groups, .in = s->in, .out = s->out};
    for (int d = 0; d < 2; d++) {
        c->size[d] = s->size[d];
        c->kernel[d] = s->kernel[d];
        c->stride[d] = s->stride[d];
        c->padding[d] = s->padding[d];
        c->dilation[d] = s->dilation[d];
        c->out_size[d] = out_size(s, d);
    }
    const int64_t w[] = {s->out, s->in / s->groups, s->kernel[0], s->kernel[1]};
    const int64_t channels = kind == SP__CONV_BACKWARD_DATA ? s->in : s->out;
    p->x = tensor_new(dtype, (const int64_t[]){s->batch, s->in, s->size[0], s->size[1]}, layouts[0], 1);
    p->w = tensor_new(dtype, w, layouts[1], 2);
    p->y = tensor_new(dtype, (const int64_t[]){s->batch, s->out, c->out_size[0], c->out_size[1]}, layouts[2], 3);
    p->bias = tensor_new(dtype, (const int64_t[]){1, channels, 1, 1}, CONTIGUOUS, 4);
    c->x = p->x.operand;
    c->w = p->w.operand;
    c->y = p->y.operand;
    p->bias_operand = (sp__operand){.buffer = p->bias.operand.buffer, .dtype = dtype, .strides = {1}};
    c->bias = bias ? &p->bias_operand : NULL;
    p->text = text_of(s, kind, dtype);
}

static void discard(problem *p)
{
    free(p->x.operand.buffer);
    free(p->w.operand.buffer);
    free(p->y.operand.buffer);
    free(p->bias.operand.buffer);
}

static tensor *written(problem *p)
{
    return p->call.kind == SP__CONV_FORWARD ? &p->y : p->call.kind == SP__CONV_BACKWARD_DATA ? &p->x : &p->w;
}

/* Sums of k products: f32 and bf16 add in f32, and bf16 rounds its result. */
static double allowed(const problem *p)
{
    const sp__conv *c = &p->call;
    double k = (double)(c->kernel[0] * c->kernel[1] * (c->in > c->out ? c->in : c->out));
    if (c->kind == SP__CONV_BACKWARD_WEIGHT) k = (double)(c->batch * c->out_size[0] * c->out_size[1]);
    const double unit = c->dtype == SP_F64 ? 0x1p-53 : 0x1p-24;
    return (3 + sqrt(k)) * 2 * unit + (c->dtype == SP_BF16 ? 1.0 / 250 : 0);
}

/* All places of the buffer: what lies between the elements must be as it was. */
static void compare(problem *p, const expected *e, const char *before, int level)
{
    const tensor *t = written(p);
    const sp_dtype dtype = p->call.dtype;
    bool *element = calloc((size_t)t->elements + 1, 1);
    for (int64_t i = 0; i < t->sizes[0] * t->sizes[1] * t->sizes[2] * t->sizes[3]; i++) {
        const int64_t d = i % t->sizes[3], c = i / t->sizes[3] % t->sizes[2], rest = i / t->sizes[3] / t->sizes[2];
        element[place(&t->operand, rest / t->sizes[1], rest % t->sizes[1], c, d)] = true;
    }
    for (int64_t i = 0; i < t->elements; i++) {
        const double got = get(dtype, t->operand.buffer, i);
        const bool right = element[i] ? is_near(got, e->value[i], allowed(p), e->size[i])
                                      : got == get(dtype, before, i);
        EXPECT(right, "%s, %s: place %d is %.9g, not %.9g", level_names[level], p->text, (int)i, got,
               element[i] ? e->value[i] : get(dtype, before, i));
    }
    free(element);
    if (!p->call.bias || p->call.kind != SP__CONV_BACKWARD_WEIGHT) return;
    for (int64_t o = 0; o < p->call.out; o++) {
        const double got = get(dtype, p->bias.operand.buffer, o);
        EXPECT(is_near(got, e->bias[o], allowed(p), e->bias_size[o]), "%s, %s: bias %d is %.9g, not %.9g",
               level_names[level], p->text, (int)o, got, e->bias[o]);
    }
}

static void try(const shape *s, sp__conv_kind kind, sp_dtype dtype, const order *layouts, bool bias)
{
    problem p;
    make(&p, s, kind, dtype, layouts, bias);
    tensor *t = written(&p);
    const size_t n = (size_t)t->elements, bytes = n * (size_t)sp__size_of(dtype), outs = (size_t)s->out;
    expected e = {calloc(n + 1, 8), calloc(n + 1, 8), calloc(outs + 1, 8), calloc(outs + 1, 8)};
    define(&p.call, &e, t);
    spread_sizes(&p.call, &e, t);
    char *before = malloc(bytes + 1);
    memcpy(before, t->operand.buffer, bytes);
    FOR_EACH_LEVEL(level)
    {
        memcpy(t->operand.buffer, before, bytes);
        EXPECT(sp__cpu_conv(&p.call) == SP_OK, "%s, %s failed", level_names[level], p.text);
        compare(&p, &e, before, level);
    }
    sp__cpu_set_level(NULL);
    free(before);
    free(e.value);
    free(e.size);
    free(e.bias);
    free(e.bias_size);
    discard(&p);
}

static const sp__conv_kind kinds[] = {SP__CONV_FORWARD, SP__CONV_BACKWARD_DATA, SP__CONV_BACKWARD_WEIGHT};

/* ---- the tests ---- */

static int64_t draw(uint64_t *state, int64_t low, int64_t high)
{
    return low + (int64_t)(next_word(state) % (uint32_t)(high - low + 1));
}

static shape draw_shape(uint64_t *state)
{
    static const int64_t groups[] = {1, 1, 1, 2, 3}, channels[] = {1, 2, 3, 5, 8, 16, 17, 33};
    shape s = {.batch = draw(state, 1, 5), .groups = groups[draw(state, 0, 4)]};
    s.in = s.groups * channels[draw(state, 0, s.groups > 1 ? 4 : 7)];
    s.out = s.groups * channels[draw(state, 0, s.groups > 1 ? 4 : 7)];
    for (int d = 0; d < 2; d++) {
        s.kernel[d] = draw(state, 1, 4);
        s.stride[d] = draw(state, 1, 3);
        s.dilation[d] = draw(state, 1, 2);
        s.padding[d] = draw(state, 0, 3);
        s.size[d] = draw(state, 1, 13);
        if (s.size[d] + 2 * s.padding[d] <= s.dilation[d] * (s.kernel[d] - 1)) s.size[d] += 6;
        if (draw(state, 0, 5) == 0) s.extra[d] = draw(state, 0, s.stride[d] - 1);
        s.size[d] += s.extra[d];
    }
    return s;
}

static void test_random_shapes(void **state)
{
    (void)state;
    uint64_t random = 17;
    for (int i = 0; i < 150; i++) {
        const shape s = draw_shape(&random);
        const order layouts[] = {(order)draw(&random, 0, 2), (order)draw(&random, 0, 2), (order)draw(&random, 0, 2)};
        for (int k = 0; k < 3; k++) try(&s, kinds[k], conv_dtypes[i % 3], layouts, i % 2);
    }
}

/* Named by what is odd in them. */
static const shape odd_shapes[] = {
    {2, 1, 1, 32, {28, 28}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {0, 0}},   /* the first layer of a network for digits */
    {2, 1, 32, 64, {14, 14}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {0, 0}},  /* its second */
    {1, 1, 64, 32, {26, 26}, {3, 3}, {1, 1}, {0, 0}, {1, 1}, {0, 0}},  /* one image, no padding */
    {3, 1, 17, 40, {9, 11}, {3, 3}, {1, 1}, {2, 0}, {1, 1}, {0, 0}},   /* tiles and vectors that are not full */
    {1, 1, 24, 33, {7, 6}, {3, 3}, {1, 1}, {0, 3}, {1, 1}, {0, 0}},    /* tiles that lie in the padding alone */
    {1, 1, 130, 20, {6, 9}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {0, 0}},   /* channels beyond a task's stack */
    {2, 1, 9, 270, {4, 5}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {0, 0}},    /* narrow panels of weights */
    {3, 1, 16, 32, {14, 14}, {3, 3}, {2, 2}, {1, 1}, {1, 1}, {0, 0}},  /* a stride with padding */
    {2, 1, 16, 32, {7, 7}, {2, 2}, {2, 2}, {0, 0}, {1, 1}, {0, 0}},    /* windows that do not overlap; an end unread */
    {4, 1, 40, 48, {5, 6}, {1, 1}, {1, 1}, {0, 0}, {1, 1}, {0, 0}},    /* a product of matrices */
    {2, 1, 3, 4, {9, 9}, {1, 1}, {3, 3}, {0, 0}, {1, 1}, {0, 0}},      /* a stride beyond the kernel */
    {2, 12, 12, 12, {8, 8}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {0, 0}},   /* by channel */
    {2, 6, 6, 18, {8, 8}, {3, 3}, {2, 1}, {1, 0}, {1, 2}, {0, 0}},     /* by channel, three outputs of each */
    {2, 1, 5, 7, {4, 4}, {4, 4}, {1, 1}, {0, 0}, {1, 1}, {0, 0}},      /* the kernel is as large as the image */
    {2, 1, 5, 7, {2, 2}, {4, 4}, {1, 1}, {3, 3}, {1, 1}, {0, 0}},      /* and larger, with padding all round */
    {1, 1, 2, 3, {1, 1}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {0, 0}},      /* one pixel */
    {2, 1, 3, 5, {20, 3}, {3, 1}, {2, 1}, {0, 2}, {3, 1}, {0, 0}},     /* nothing square */
    {1, 1, 300, 9, {3, 3}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {0, 0}},    /* many channels in */
    {1, 1, 9, 300, {3, 3}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {0, 0}},    /* and out */
    {70, 1, 3, 8, {6, 6}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {0, 0}},     /* many images */
    {2, 1, 8, 8, {9, 9}, {3, 3}, {3, 3}, {0, 0}, {1, 1}, {2, 1}},      /* places that no tap reaches */
    {1, 1, 1, 1, {40, 40}, {11, 11}, {4, 4}, {2, 2}, {1, 1}, {0, 0}},  /* a large kernel, one channel */
    {2, 37, 37, 37, {9, 17}, {5, 3}, {1, 2}, {2, 1}, {2, 1}, {0, 0}},  /* by channel: vectors that are not full */
    {2, 20, 20, 20, {7, 9}, {3, 3}, {4, 5}, {0, 1}, {1, 1}, {0, 3}},   /* and places that no tap reaches */
    {1, 16, 16, 16, {90, 60}, {7, 7}, {1, 1}, {3, 3}, {1, 1}, {0, 0}}, /* rows in chunks */
    {2, 9, 36, 36, {6, 7}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {0, 0}},    /* groups of four */
    {2, 3, 24, 18, {5, 9}, {3, 4}, {2, 1}, {1, 2}, {1, 1}, {0, 0}},    /* of eight, six outputs of each */
    {2, 4, 32, 48, {7, 6}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {0, 0}},    /* of eight, one by one */
    {2, 3, 48, 54, {7, 6}, {3, 3}, {1, 1}, {1, 0}, {1, 1}, {0, 0}},    /* of sixteen, one by one */
    {3, 1, 90, 130, {3, 5}, {1, 1}, {1, 1}, {0, 0}, {1, 1}, {0, 0}},   /* a larger product */
    {3, 1, 40, 2, {9, 8}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {0, 0}},     /* few outputs of many channels */
    {3, 1, 2, 40, {8, 10}, {4, 4}, {2, 2}, {1, 1}, {1, 1}, {0, 0}},    /* the same, transposed, with a stride */
    {2, 1, 70, 3, {6, 5}, {2, 9}, {1, 1}, {0, 4}, {1, 1}, {0, 0}},     /* a kernel of many columns */
    {0, 1, 3, 4, {5, 5}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {0, 0}},      /* no image */
};

static void test_odd_shapes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof odd_shapes / sizeof *odd_shapes; i++)
        for (int k = 0; k < 3; k++)
            for (size_t t = 0; t < sizeof conv_dtypes / sizeof *conv_dtypes; t++) {
                static const order images[] = {CHANNELS_LAST, WITH_GAPS, CHANNELS_LAST}, plain[3] = {0};
                try(&odd_shapes[i], kinds[k], conv_dtypes[t], images, true);
                try(&odd_shapes[i], kinds[k], conv_dtypes[t], plain, false);
            }
}

/* With three threads, against one thread at the level that runs. */
static void expect_same_bits(problem *one, problem *many, const char *level)
{
    if (level && !sp__cpu_set_level(level)) return;
    assert_int_equal(sp_set_num_threads(3), SP_OK);
    assert_int_equal(sp__cpu_conv(&many->call), SP_OK);
    EXPECT(memcmp(written(one)->operand.buffer, written(many)->operand.buffer, (size_t)written(one)->elements * 4) == 0,
           "%s: other bits with three threads at %s", one->text, sp_isa());
    EXPECT(memcmp(one->bias.operand.buffer, many->bias.operand.buffer, (size_t)one->bias.elements * 4) == 0,
           "%s: another bias with three threads at %s", one->text, sp_isa());
    sp__cpu_set_level(NULL);
}

static void test_the_same_bits_with_any_threads_and_vectors(void **state)
{
    (void)state;
    static const order layouts[] = {CHANNELS_LAST, CONTIGUOUS, CHANNELS_LAST};
    const int threads = sp_num_threads();
    for (size_t i = 0; i < sizeof odd_shapes / sizeof *odd_shapes; i++)
        for (int k = 0; k < 3; k++) {
            problem one, many;
            make(&one, &odd_shapes[i], kinds[k], SP_F32, layouts, true);
            make(&many, &odd_shapes[i], kinds[k], SP_F32, layouts, true);
            assert_int_equal(sp_set_num_threads(1), SP_OK);
            assert_int_equal(sp__cpu_conv(&one.call), SP_OK);
            expect_same_bits(&one, &many, NULL);
            if (strncmp(sp_isa(), "avx", 3) == 0) {
                expect_same_bits(&one, &many, "avx2");
                expect_same_bits(&one, &many, "avx512");
            }
            discard(&one);
            discard(&many);
        }
    sp_set_num_threads(threads);
}

static void test_only_floating_point(void **state)
{
    (void)state;
    sp_set_error_handler(NULL, NULL);
    const sp__conv call = {.dtype = SP_I32, .groups = 1};
    assert_int_equal(sp__cpu_conv(&call), SP_ERROR_DTYPE);
    sp_error_clear();
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
        cmocka_unit_test(test_random_shapes),
        cmocka_unit_test(test_odd_shapes),
        cmocka_unit_test(test_the_same_bits_with_any_threads_and_vectors),
        cmocka_unit_test(test_only_floating_point),
    };
    return cmocka_run_group_tests(tests, NULL, teardown);
}

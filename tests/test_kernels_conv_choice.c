/* Which loop a convolution runs by: typical calls, by the name of the row that takes them. */
#include "backends/cpu/conv/conv.h"
#include "test_kernels.h"

/* What is behind the convolution. */
typedef enum behind { PLAIN, RELU, RELU_POOL, RELU_POOL_3 } behind;

typedef struct typical {
    sp__conv_kind kind;
    sp_dtype dtype;
    int64_t groups, in, out, size, kernel, stride, padding;
    behind behind;
    bool with_data;         /* a backward-weight that makes the gradient of x too */
    const char *of_vectors; /* the row at the levels with long vectors */
    const char *of_pairs;   /* where the level has the instruction for pairs of bf16; NULL: the same */
    const char *of_tiles;   /* where it has tiles of bf16 */
} typical;

static const typical calls[] = {
    {SP__CONV_FORWARD, SP_F32, 1, 1, 32, 28, 3, 1, 1, RELU_POOL, false, "by channel"}, /* the cnn's first */
    {SP__CONV_FORWARD, SP_F32, 1, 32, 64, 14, 3, 1, 1, RELU_POOL, false, "winograd"},  /* its second */
    {SP__CONV_FORWARD, SP_F32, 1, 32, 64, 14, 3, 1, 1, PLAIN, false, "winograd"},
    {SP__CONV_BACKWARD_DATA, SP_F32, 1, 32, 64, 14, 3, 1, 1, PLAIN, false, "winograd"},
    {SP__CONV_BACKWARD_WEIGHT, SP_F32, 1, 32, 64, 14, 3, 1, 1, PLAIN, false, "winograd weight"},
    {SP__CONV_BACKWARD_WEIGHT, SP_F32, 1, 32, 64, 14, 3, 1, 1, RELU_POOL, true, "sparse with data"},
    {SP__CONV_BACKWARD_WEIGHT, SP_F32, 1, 32, 64, 14, 3, 1, 1, RELU_POOL, false, "sparse"},
    /* one channel fills no vector */
    {SP__CONV_BACKWARD_WEIGHT, SP_F32, 1, 1, 32, 28, 3, 1, 1, RELU_POOL, false, "weight"},
    {SP__CONV_BACKWARD_DATA, SP_F32, 1, 32, 64, 14, 3, 1, 1, RELU_POOL, false, "sparse"},
    {SP__CONV_BACKWARD_DATA, SP_F32, 1, 16, 32, 14, 3, 2, 1, RELU, false, "expanded"},
    {SP__CONV_BACKWARD_WEIGHT, SP_F32, 1, 16, 32, 14, 3, 2, 1, RELU, true, "two passes"},
    {SP__CONV_BACKWARD_WEIGHT, SP_F32, 1, 16, 32, 14, 3, 2, 1, RELU, false, "sparse"}, /* zeros: nothing came through */
    {SP__CONV_FORWARD, SP_F32, 1, 256, 64, 14, 1, 1, 0, PLAIN, false, "product"},      /* 1×1 */
    {SP__CONV_FORWARD, SP_F32, 32, 32, 32, 14, 3, 1, 1, PLAIN, false, "by channel"},   /* depthwise */
    {SP__CONV_BACKWARD_DATA, SP_F32, 32, 32, 32, 14, 3, 1, 1, PLAIN, false, "by channel"},
    {SP__CONV_FORWARD, SP_F32, 4, 32, 64, 14, 3, 1, 1, PLAIN, false, "by group"}, /* each by minimal filtering */
    {SP__CONV_BACKWARD_WEIGHT, SP_F32, 1, 64, 32, 7, 1, 1, 0, PLAIN, false, "product"},
    {SP__CONV_BACKWARD_WEIGHT, SP_F32, 32, 32, 32, 14, 3, 1, 1, PLAIN, false, "by channel"},
    {SP__CONV_BACKWARD_WEIGHT, SP_F32, 32, 32, 32, 14, 3, 1, 1, RELU, true, "expanded"},
    {SP__CONV_FORWARD, SP_F32, 1, 64, 1, 14, 3, 1, 1, PLAIN, false, "by channel"}, /* few results */
    {SP__CONV_BACKWARD_DATA, SP_F32, 1, 1, 64, 14, 4, 2, 1, PLAIN, false, "by channel"},
    {SP__CONV_BACKWARD_DATA, SP_F32, 1, 1, 16, 28, 2, 2, 0, PLAIN, false, "direct"}, /* of one tap each */
    {SP__CONV_FORWARD, SP_BF16, 32, 32, 32, 14, 3, 1, 1, PLAIN, false, "by channel"},
    {SP__CONV_FORWARD, SP_F32, 1, 256, 256, 14, 3, 1, 1, PLAIN, false, "winograd"}, /* weights beyond the cache */
    {SP__CONV_FORWARD, SP_F64, 1, 32, 64, 14, 3, 1, 1, PLAIN, false, "direct"},
    {SP__CONV_BACKWARD_DATA, SP_F64, 1, 32, 64, 14, 3, 1, 1, RELU_POOL, false, "expanded"},
    {SP__CONV_BACKWARD_WEIGHT, SP_F64, 1, 32, 64, 14, 3, 1, 1, RELU_POOL, true, "two passes"},
    {SP__CONV_FORWARD, SP_BF16, 1, 32, 64, 14, 3, 1, 1, PLAIN, false, "winograd", NULL, "tiles"},
    {SP__CONV_FORWARD, SP_BF16, 1, 1, 32, 28, 3, 1, 1, PLAIN, false, "by channel"}, /* no pairs of channels */
    {SP__CONV_BACKWARD_DATA, SP_BF16, 1, 32, 64, 14, 3, 1, 1, RELU_POOL, false, "sparse"},
    {SP__CONV_BACKWARD_WEIGHT, SP_BF16, 1, 32, 64, 14, 3, 1, 1, PLAIN, false, "winograd weight", NULL, "weight tiles"},
    {SP__CONV_FORWARD, SP_BF16, 1, 32, 64, 14, 5, 1, 2, PLAIN, false, "direct", "pairs", "tiles"},
    {SP__CONV_BACKWARD_WEIGHT, SP_BF16, 1, 32, 64, 14, 5, 1, 2, PLAIN, false, "weight", "weight pairs", "weight tiles"},
};
enum { CALLS = sizeof calls / sizeof *calls };

static sp__operand images(sp_dtype dtype, void *buffer, int64_t channels, int64_t size)
{
    return (sp__operand){buffer, 0, dtype, {size * size * channels, 1, size * channels, channels}};
}

/* One image; the tail's y is zeros, all else is not read by a choice. */
static sp__conv make(const typical *t, void *zeros, sp__conv_tail *tail, const sp__conv_data *data)
{
    const int64_t out_size = (t->size + 2 * t->padding - t->kernel) / t->stride + 1;
    const int64_t pool = t->behind == RELU_POOL ? 2 : t->behind == RELU_POOL_3 ? 3 : 1;
    sp__conv call = {.kind = t->kind, .dtype = t->dtype, .batch = 1, .groups = t->groups, .in = t->in, .out = t->out};
    for (int d = 0; d < 2; d++) {
        call.size[d] = t->size, call.out_size[d] = out_size, call.kernel[d] = t->kernel;
        call.stride[d] = t->stride, call.padding[d] = t->padding, call.dilation[d] = 1;
    }
    call.x = images(t->dtype, zeros, t->in, t->size);
    call.w.dtype = t->dtype;
    call.y = images(t->dtype, zeros, t->out, out_size);
    *tail = (sp__conv_tail){.relu = true, .pool = {pool, pool}};
    tail->y = images(t->dtype, zeros, t->out, out_size / pool);
    if (t->behind != PLAIN) call.tail = tail;
    if (t->with_data) call.data = data;
    return call;
}

static void test_typical_calls(void **state)
{
    (void)state;
    void *zeros = calloc(1 << 20, 1);
    FOR_EACH_LEVEL(level)
    {
        const bool none = strcmp(level_names[level], "reference") == 0;
        const bool pairs = strcmp(level_names[level], "avx512bf16") == 0;
        const bool tiles = strcmp(level_names[level], "avx512amx") == 0;
        for (int i = 0; i < CALLS; i++) {
            sp__conv_tail tail;
            const sp__conv_data data = {0};
            const sp__conv call = make(&calls[i], zeros, &tail, &data);
            const char *want = pairs && calls[i].of_pairs ? calls[i].of_pairs : calls[i].of_vectors;
            if (tiles && calls[i].of_tiles) want = calls[i].of_tiles;
            const char *got = sp__conv_choose(&call)->name;
            if (none) want = "reference";
            EXPECT(strcmp(got, want) == 0, "%s: call %d runs by %s, not by %s", level_names[level], i, got, want);
        }
    }
    sp__cpu_set_level(NULL);
    free(zeros);
}

/* Calls whose lists pay up to a share of y's places that have a gradient: minimal filtering leaves them less. */
static const struct {
    typical of; /* the row behind that share */
    double most, most_beside_tiles;
} shares[] = {
    {{SP__CONV_BACKWARD_WEIGHT, SP_F32, 1, 16, 32, 14, 3, 2, 1, RELU, false, "weight"}, 0.5},
    {{SP__CONV_BACKWARD_WEIGHT, SP_BF16, 1, 16, 32, 14, 3, 2, 1, RELU, false, "weight", NULL, "expanded tiles"},
     0.5,
     0.06},
    {{SP__CONV_BACKWARD_WEIGHT, SP_BF16, 1, 16, 32, 14, 3, 1, 1, RELU_POOL, false, "expanded", NULL, "expanded tiles"},
     0.2,
     0.06},
    {{SP__CONV_BACKWARD_DATA, SP_BF16, 1, 16, 32, 14, 3, 1, 1, RELU_POOL, false, "expanded", NULL, "expanded tiles"},
     0.2,
     0.06},
    {{SP__CONV_BACKWARD_WEIGHT, SP_F32, 1, 16, 32, 14, 3, 1, 1, RELU, false, "expanded"}, 0.2},
    {{SP__CONV_BACKWARD_WEIGHT, SP_F32, 1, 16, 32, 14, 3, 1, 1, RELU_POOL, false, "expanded"}, 0.2},
};

/* y with that many places a little above zero; the last two are none, though one is not a number. */
static void *let_through(sp_dtype dtype, int64_t n, int64_t positive)
{
    const int64_t item = sp__size_of(dtype);
    char *y = calloc((size_t)n, (size_t)item);
    for (int64_t i = 0; i < positive; i++) sp__store_f64(dtype, y + i * item, 0.5);
    sp__store_f64(dtype, y + (n - 1) * item, (double)NAN);
    sp__store_f64(dtype, y + (n - 2) * item, -1);
    return y;
}

static void check_share(const typical *of, double most, bool more, const char *otherwise)
{
    const int64_t size = 14 / of->stride / (of->behind == RELU_POOL ? 2 : 1), n = size * size * of->out;
    const double places = of->behind == RELU_POOL ? 4 : 1;
    void *y = let_through(of->dtype, n, (int64_t)(most * places * (double)n) + more);
    sp__conv_tail tail;
    const sp__conv call = make(of, y, &tail, NULL);
    const char *got = sp__conv_choose(&call)->name, *want = more ? otherwise : "sparse";
    EXPECT(strcmp(got, want) == 0, "%s: %s, not %s", sp_isa(), got, want);
    free(y);
}

static void test_the_share_that_a_relu_let_through(void **state)
{
    (void)state;
    FOR_EACH_LEVEL(level)
    {
        if (strcmp(level_names[level], "reference") == 0) continue;
        for (size_t t = 0; t < sizeof shares / sizeof *shares; t++) {
            const typical *of = &shares[t].of;
            const bool tiles = of->of_tiles && strcmp(level_names[level], "avx512amx") == 0;
            for (int more = 0; more < 2; more++)
                check_share(of, tiles ? shares[t].most_beside_tiles : shares[t].most, more,
                            tiles ? of->of_tiles : of->of_vectors);
        }
    }
    sp__cpu_set_level(NULL);
}

/* Whatever is not taken by a fast loop's tail is not taken at all: minimal filtering has no window of three by three. */
static void test_tails_that_are_not_taken(void **state)
{
    (void)state;
    static const typical of = {SP__CONV_FORWARD, SP_F32, 1, 32, 64, 14, 3, 1, 1, RELU_POOL_3, false, "winograd"};
    sp__conv_tail tail;
    const sp__conv call = make(&of, NULL, &tail, NULL);
    FOR_EACH_LEVEL(level) assert_false(sp__cpu_conv_takes(&call));
    sp__cpu_set_level(NULL);
}

static char traced[512];

static void take(const char *line)
{
    snprintf(traced, sizeof traced, "%s", line);
}

static void test_the_trace_names_the_loop(void **state)
{
    (void)state;
    float x[16] = {0}, w[9] = {0}, y[16];
    sp__conv call = {.dtype = SP_F32, .batch = 1, .groups = 1, .in = 1, .out = 1};
    for (int d = 0; d < 2; d++) {
        call.size[d] = call.out_size[d] = 4;
        call.kernel[d] = 3, call.stride[d] = call.padding[d] = call.dilation[d] = 1;
    }
    call.x = images(SP_F32, x, 1, 4), call.w = images(SP_F32, w, 1, 3), call.y = images(SP_F32, y, 1, 4);
    assert_true(sp__cpu_set_level("reference"));
    sp__set_kernel_trace(take);
    assert_int_equal(sp__cpu_conv(&call), SP_OK);
    sp__set_kernel_trace(NULL);
    sp__cpu_set_level(NULL);
    assert_string_equal(traced, "spusk: kernel conv forward float32 reference reference: x [1, 1, 4, 4] w [1, 1, 3, 3] "
                                "y [1, 1, 4, 4] stride [1, 1] padding [1, 1] dilation [1, 1] groups 1");
}

static int teardown(void **state)
{
    (void)state;
    return sp_finish() != 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_typical_calls),
        cmocka_unit_test(test_the_share_that_a_relu_let_through),
        cmocka_unit_test(test_tails_that_are_not_taken),
        cmocka_unit_test(test_the_trace_names_the_loop),
    };
    return cmocka_run_group_tests(tests, NULL, teardown);
}

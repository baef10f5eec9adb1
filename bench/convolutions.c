/* The passes of a convolution, beside the multiply-add peak of the moment: the layers of the reference networks at a
 * batch of 64, then layers of other kinds and sizes. GF/s count what a dense pass multiplies, padding included, so a
 * pass that skips the padding or takes a sparse gradient can be over the peak. bench/convolutions.py runs PyTorch beside
 * it on the same layers, which `bench_convolutions --layers` prints. */
#include "bench.h"
#include <spusk/threads.h>

/* `out` is made of `in`; of a transposed layer, too. padding, pool, dilation, groups: 0 where there is none. */
typedef struct layer {
    const char *name;
    int64_t batch, in, out, size, kernel, stride, padding, pool, dilation, groups;
    bool transposed;
} layer;

static const layer layers[] = {
    /* of the reference networks */
    {"1->32 28x28 p1", 64, 1, 32, 28, 3, 1, 1, .pool = 2},
    {"32->64 14x14 p1", 64, 32, 64, 14, 3, 1, 1, .pool = 2},
    {"1->32 28x28", 64, 1, 32, 28, 3, 1},
    {"32->64 26x26", 64, 32, 64, 26, 3, 1, .pool = 2},
    {"1->16 28x28 s2 p1", 64, 1, 16, 28, 3, 2, 1},
    {"16->32 14x14 s2 p1", 64, 16, 32, 14, 3, 2, 1},
    {"32->16 7x7 k2 s2 T", 64, 32, 16, 7, 2, 2, .transposed = true},
    {"16->1 14x14 k2 s2 T", 64, 16, 1, 14, 2, 2, .transposed = true},
    {"1->20 28x28 k5", 64, 1, 20, 28, 5, 1, .pool = 2},
    {"20->50 12x12 k5", 64, 20, 50, 12, 5, 1, .pool = 2},
    {"1->8 28x28 k5 p2", 64, 1, 8, 28, 5, 1, 2},
    {"8->16 14x14 k5", 64, 8, 16, 14, 5, 1},
    {"1->16 28x28 p1", 64, 1, 16, 28, 3, 1, 1},
    {"16->16 28x28 p1", 64, 16, 16, 28, 3, 1, 1},
    {"3->16 32x32 p1", 64, 3, 16, 32, 3, 1, 1},
    {"16->32 32x32 s2 p1", 64, 16, 32, 32, 3, 2, 1},
    {"16->32 32x32 k1 s2", 64, 16, 32, 32, 1, 2},
    {"32->64 16x16 k1 s2", 64, 32, 64, 16, 1, 2},
    {"16 14x14 p1 dw", 64, 16, 16, 14, 3, 1, 1, .groups = 16},
    {"32 14x14 s2 p1 dw", 64, 32, 32, 14, 3, 2, 1, .groups = 32},
    {"64 7x7 p1 dw", 64, 64, 64, 7, 3, 1, 1, .groups = 64},
    {"16->32 14x14 k1", 64, 16, 32, 14, 1, 1},
    {"32->64 7x7 k1", 64, 32, 64, 7, 1, 1},
    {"64->128 7x7 k1", 64, 64, 128, 7, 1, 1},
    {"128->64 7x7 k4 s2 T", 64, 128, 64, 7, 4, 2, 1, .transposed = true},
    {"64->1 14x14 k4 s2 T", 64, 64, 1, 14, 4, 2, 1, .transposed = true},
    {"24->32 12x12 k5", 256, 24, 32, 12, 5, 1, .pool = 2},
    /* of others: larger ones */
    {"64->64 56x56 p1", 4, 64, 64, 56, 3, 1, 1},
    {"64->64 56x56 p1 one", 1, 64, 64, 56, 3, 1, 1},
    {"256->256 14x14 p1", 8, 256, 256, 14, 3, 1, 1},
    {"3->64 224x224 k7 s2", 1, 3, 64, 224, 7, 2, 3},
    {"16->32 14x14 k5 p2", 16, 16, 32, 14, 5, 1, 2},
    {"32->32 16x16 k7 p3", 16, 32, 32, 16, 7, 1, 3},
    {"32->48 28x28 d2", 16, 32, 48, 28, 3, 1, 2, .dilation = 2},
    {"64->128 28x28 s2 p1", 16, 64, 128, 28, 3, 2, 1},
    {"24->40 20x20 k5 s2", 16, 24, 40, 20, 5, 2, 2},
    {"64->3 32x32 k5 p2", 16, 64, 3, 32, 5, 1, 2},
    {"32->1 28x28 p1", 64, 32, 1, 28, 3, 1, 1},
    {"3->10 33x33 k7", 16, 3, 10, 33, 7, 1},
    /* by channel and by group */
    {"32 56x56 p1 dw", 16, 32, 32, 56, 3, 1, 1, .groups = 32},
    {"96 56x56 s2 p1 dw", 4, 96, 96, 56, 3, 2, 1, .groups = 96},
    {"48 28x28 k5 p2 dw", 16, 48, 48, 28, 5, 1, 2, .groups = 48},
    {"20 28x28 k7 p3 dw", 16, 20, 20, 28, 7, 1, 3, .groups = 20},
    {"256 14x14 p1 dw one", 1, 256, 256, 14, 3, 1, 1, .groups = 256},
    {"24->48 28x28 p1 dw", 16, 24, 48, 28, 3, 1, 1, .groups = 24},
    {"32 28x28 d2 dw", 16, 32, 32, 28, 3, 1, 2, .dilation = 2, .groups = 32},
    {"128->128 14x14 g32", 16, 128, 128, 14, 3, 1, 1, .groups = 32},
    {"64->64 28x28 g8", 16, 64, 64, 28, 3, 1, 1, .groups = 8},
    {"32->64 28x28 g2", 16, 32, 64, 28, 3, 1, 1, .groups = 2},
    {"128->128 14x14 g4 k1", 16, 128, 128, 14, 1, 1, .groups = 4},
    /* of one place */
    {"256->64 56x56 k1", 4, 256, 64, 56, 1, 1},
    {"64->256 14x14 k1", 16, 64, 256, 14, 1, 1},
    {"256->256 7x7 k1 one", 1, 256, 256, 7, 1, 1},
    {"24->10 28x28 k1", 16, 24, 10, 28, 1, 1},
    {"64->128 28x28 k1 s2", 16, 64, 128, 28, 1, 2},
    {"16->1 28x28 k1", 64, 16, 1, 28, 1, 1},
    {"3->8 32x32 k1", 64, 3, 8, 32, 1, 1},
    /* transposed */
    {"32->32 14x14 p1 T", 16, 32, 32, 14, 3, 1, 1, .transposed = true},
    {"32->16 14x14 s2 p1 T", 16, 32, 16, 14, 3, 2, 1, .transposed = true},
    {"64->32 14x14 k2 s2 T", 16, 64, 32, 14, 2, 2, .transposed = true},
    {"24->3 16x16 k4 s2 T", 16, 24, 3, 16, 4, 2, 1, .transposed = true},
};

static sp__operand images(sp_dtype dtype, int64_t n, int64_t c, int64_t size, int seed)
{
    void *buffer = random_numbers(dtype, n * c * size * size, seed);
    return (sp__operand){buffer, 0, dtype, {c * size * size, 1, size * c, c}};
}

static void run_conv(void *context)
{
    if (sp__cpu_backend.conv(context)) exit(1);
}

static void report(const layer *l, const char *pass, sp_dtype dtype, sp__conv *call)
{
    contender c = {run_conv, call};
    sp_sparse_density();
    const double peak = in_turns(&c, 1, dtype), out = (double)(call->out_size[0] * call->out_size[1]);
    const double kernels = (double)(call->in * call->out / call->groups * l->kernel * l->kernel);
    const double work = 2 * kernels * out * (double)l->batch, density = sp_sparse_density();
    printf("%-4s | %-20s | %-24s | %9.1f us | %6.1f GF/s | %5.1f %% of %.1f", dtype == SP_BF16 ? "bf16" : "f32",
           l->name, pass, c.median * 1e6, work / c.median / 1e9, 100 * work / c.median / peak, peak / 1e9);
    if (density == density) printf(" | density %.3f", density);
    printf("\n");
    fflush(stdout);
}

/* Places of the maxima, and a share of units that the ReLU let through, as in a trained network. */
static void put_tail(sp__conv_tail *tail, sp_dtype dtype, const layer *l, int64_t size)
{
    const int64_t n = l->batch * l->out * size * size;
    uint8_t *where = random_numbers(SP_U8, n, 5);
    *tail = (sp__conv_tail){.relu = true, .pool = {l->pool, l->pool}};
    tail->y = images(dtype, l->batch, l->out, size, 6);
    tail->grad = images(dtype, l->batch, l->out, size, 7);
    for (int64_t i = 0; i < n; i++) {
        where[i] = (uint8_t)((uint64_t)i * 0x9E3779B97F4A7C15u >> 62) & 3;
        const double y = sp__load_f64(dtype, (char *)tail->y.buffer + i * sp__size_of(dtype));
        sp__store_f64(dtype, (char *)tail->y.buffer + i * sp__size_of(dtype), y > -0.5 ? y + 1 : 0);
    }
    tail->where = (sp__operand){where, 0, SP_U8, {0}};
    memcpy(tail->where.strides, tail->y.strides, sizeof tail->where.strides);
}

/* The convolution that the layer is, or that it is the transpose of; weights lie as a layer's do. */
static sp__conv make_call(const layer *l, sp_dtype dtype)
{
    const int64_t k = l->kernel, groups = l->groups ? l->groups : 1, dilation = l->dilation ? l->dilation : 1;
    const int64_t span = (k - 1) * dilation + 1, in = l->transposed ? l->out : l->in;
    const int64_t out = l->transposed ? l->in : l->out;
    const int64_t size = l->transposed ? (l->size - 1) * l->stride - 2 * l->padding + span : l->size;
    const int64_t out_size = (size + 2 * l->padding - span) / l->stride + 1;
    sp__conv c = {.dtype = dtype, .batch = l->batch, .groups = groups, .in = in, .out = out};
    for (int d = 0; d < 2; d++) {
        c.size[d] = size, c.out_size[d] = out_size, c.kernel[d] = k;
        c.stride[d] = l->stride, c.padding[d] = l->padding, c.dilation[d] = dilation;
    }
    c.x = images(dtype, l->batch, in, size, 1);
    c.y = images(dtype, l->batch, out, out_size, 2);
    const int64_t inputs = in / groups, taps = inputs * out;
    c.w = (sp__operand){random_numbers(dtype, taps * k * k, 3), 0, dtype, {1, out, k * taps, taps}};
    if (l->transposed) c.w.strides[0] = inputs, c.w.strides[1] = 1;
    return c;
}

static void free_call(const layer *l, const sp__conv *c, const sp__conv_tail *tail)
{
    const int64_t item = sp__size_of(c->dtype), places = l->batch * c->out_size[0] * c->out_size[1];
    free_numbers(c->x.buffer, l->batch * c->in * c->size[0] * c->size[1] * item);
    free_numbers(c->y.buffer, places * c->out * item);
    free_numbers(c->w.buffer, c->in / c->groups * c->out * l->kernel * l->kernel * item);
    if (!l->pool) return;
    const int64_t windows = places * c->out / (l->pool * l->pool);
    free_numbers(tail->y.buffer, windows * item);
    free_numbers(tail->grad.buffer, windows * item);
    free_numbers(tail->where.buffer, windows);
}

/* A transposed layer runs the passes of the convolution with forward and backward-data exchanged. */
static void bench_layer(const layer *l, sp_dtype dtype)
{
    static const char *const names[] = {"forward", "backward-data", "backward-weight"};
    static const char *const behind[] = {"forward+ReLU+pool", "backward-data sparse", "backward-weight sparse"};
    static const sp__conv_kind transposed[] = {SP__CONV_BACKWARD_DATA, SP__CONV_FORWARD, SP__CONV_BACKWARD_WEIGHT};
    sp__conv c = make_call(l, dtype);
    const int64_t channels = l->out * sp__size_of(dtype);
    const sp__operand bias = {random_numbers(dtype, l->out, 4), 0, dtype, {1}};
    sp__conv_tail tail;
    if (l->pool) put_tail(&tail, dtype, l, c.out_size[0] / l->pool);
    for (int pass = 0; pass < 3; pass++) {
        c.kind = l->transposed ? transposed[pass] : (sp__conv_kind)pass;
        c.bias = pass == 1 || (l->transposed && pass == 2) ? NULL : &bias;
        c.tail = NULL;
        report(l, names[pass], dtype, &c);
        c.tail = &tail;
        if (l->pool && !(l->in == 1 && pass == 1)) report(l, behind[pass], dtype, &c);
    }
    free_call(l, &c, &tail);
    free_numbers(bias.buffer, channels);
}

static void print_layer(const layer *l)
{
    const int64_t numbers[] = {l->batch,   l->in,   l->out,      l->size,   l->kernel,    l->stride,
                               l->padding, l->pool, l->dilation, l->groups, l->transposed};
    printf("%s", l->name);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) printf("\t%lld", (long long)numbers[i]);
    printf("\n");
}

/* bench_convolutions [PART OF A LAYER'S NAME [f32|bf16]], or --layers. */
int main(int argc, char **argv)
{
    const char *only = argc > 1 ? argv[1] : "", *type = argc > 2 ? argv[2] : "";
    const bool list = strcmp(only, "--layers") == 0;
    if (!list) printf("# %s, %d threads\n", sp_isa(), sp_num_threads());
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        if (list) print_layer(&layers[i]);
        if (list || !strstr(layers[i].name, only)) continue;
        if (strcmp(type, "bf16") != 0) bench_layer(&layers[i], SP_F32);
        if (strcmp(type, "f32") != 0) bench_layer(&layers[i], SP_BF16);
    }
    return 0;
}

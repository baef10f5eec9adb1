/* The passes of a convolution, beside the multiply-add peak of the moment: the layers of the reference networks at a
 * batch of 64, and some of larger ones. GF/s count what a dense pass multiplies, padding included, so a pass that skips
 * the padding or takes a sparse gradient can be over the peak. bench/convolutions.py runs PyTorch beside it. */
#include "bench.h"
#include <spusk/threads.h>

typedef struct layer {
    const char *name;
    int64_t batch, in, out, size, kernel, stride, padding, pool;
} layer;

static const layer layers[] = {
    {"1->32 28x28 p1", 64, 1, 32, 28, 3, 1, 1, 2},      {"32->64 14x14 p1", 64, 32, 64, 14, 3, 1, 1, 2},
    {"1->32 28x28", 64, 1, 32, 28, 3, 1, 0, 0},         {"32->64 26x26", 64, 32, 64, 26, 3, 1, 0, 2},
    {"1->16 28x28 s2 p1", 64, 1, 16, 28, 3, 2, 1, 0},   {"16->32 14x14 s2 p1", 64, 16, 32, 14, 3, 2, 1, 0},
    {"16<-32 14x14 k2 s2", 64, 16, 32, 14, 2, 2, 0, 0}, {"1<-16 28x28 k2 s2", 64, 1, 16, 28, 2, 2, 0, 0},
    {"64->64 56x56 p1", 4, 64, 64, 56, 3, 1, 1, 0},     {"64->64 56x56 p1 one", 1, 64, 64, 56, 3, 1, 1, 0},
    {"256->256 14x14 p1", 8, 256, 256, 14, 3, 1, 1, 0}, {"256->64 56x56 k1", 4, 256, 64, 56, 1, 1, 0, 0},
    {"3->64 224x224 k7 s2", 1, 3, 64, 224, 7, 2, 3, 0},
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
    const double work = 2.0 * (double)(l->batch * l->in * l->out * l->kernel * l->kernel) * out;
    const double density = sp_sparse_density();
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

static void bench_layer(const layer *l, sp_dtype dtype)
{
    static const char *const names[] = {"forward", "backward-data", "backward-weight"};
    static const char *const behind[] = {"forward+ReLU+pool", "backward-data sparse", "backward-weight sparse"};
    const int64_t size = (l->size + 2 * l->padding - l->kernel) / l->stride + 1, k = l->kernel;
    sp__conv c = {.dtype = dtype, .batch = l->batch, .groups = 1, .in = l->in, .out = l->out};
    for (int d = 0; d < 2; d++) {
        c.size[d] = l->size, c.out_size[d] = size, c.kernel[d] = k;
        c.stride[d] = l->stride, c.padding[d] = l->padding, c.dilation[d] = 1;
    }
    c.x = images(dtype, l->batch, l->in, l->size, 1);
    c.y = images(dtype, l->batch, l->out, size, 2);
    c.w = (sp__operand){
        random_numbers(dtype, l->out * l->in * k * k, 3), 0, dtype, {1, l->out, k * l->in * l->out, l->in * l->out}};
    sp__operand bias = {random_numbers(dtype, l->out, 4), 0, dtype, {1}};
    sp__conv_tail tail;
    if (l->pool) put_tail(&tail, dtype, l, size / l->pool);
    for (int kind = 0; kind < 3; kind++) {
        c.kind = (sp__conv_kind)kind;
        c.bias = kind == SP__CONV_BACKWARD_DATA ? NULL : &bias;
        c.tail = NULL;
        report(l, names[kind], dtype, &c);
        c.tail = &tail;
        if (l->pool && !(l->in == 1 && kind == SP__CONV_BACKWARD_DATA)) report(l, behind[kind], dtype, &c);
    }
}

int main(int argc, char **argv)
{
    const char *only = argc > 1 ? argv[1] : "", *type = argc > 2 ? argv[2] : "";
    printf("# %s, %d threads\n", sp_isa(), sp_num_threads());
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        if (!strstr(layers[i].name, only)) continue;
        if (strcmp(type, "bf16") != 0) bench_layer(&layers[i], SP_F32);
        if (strcmp(type, "f32") != 0) bench_layer(&layers[i], SP_BF16);
    }
    return 0;
}

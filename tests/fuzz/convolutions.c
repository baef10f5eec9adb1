/* Convolutions: each kind of loop has a subject that draws what it takes. */
#include "fuzz/call.h"

/* Between which numbers the sizes are drawn. in and out are channels of a group. */
typedef struct extent {
    int64_t low, high;
} extent;
typedef struct kind {
    extent batch, groups, in, out, size, kernel, stride, dilation;
    bool may_pad;
} kind;

/* The options' places in whole[]. */
enum { KERNEL = 0, STRIDE = 2, PADDING = 4, DILATION = 6, GROUPS = 8, SAME = 9, MORE = 10 };

static int64_t draw_in(fuzz_random *r, extent e)
{
    return fuzz_between(r, e.low, e.high);
}

/* One side: kernel, stride, dilation, padding; returns a size into which the kernel fits. */
static int64_t draw_side(fuzz_case *c, fuzz_random *r, const kind *k, int d)
{
    int64_t *whole = c->whole + d;
    whole[KERNEL] = draw_in(r, k->kernel);
    whole[STRIDE] = fuzz_chance(r, 60) ? k->stride.low : draw_in(r, k->stride);
    whole[DILATION] = fuzz_chance(r, 70) ? k->dilation.low : draw_in(r, k->dilation);
    whole[PADDING] = k->may_pad && fuzz_chance(r, 60) ? fuzz_between(r, 0, whole[KERNEL]) : 0;
    const int64_t reach = whole[DILATION] * (whole[KERNEL] - 1) + 1 - 2 * whole[PADDING], size = draw_in(r, k->size);
    return size > reach ? size : reach;
}

/* Within so many multiplications: first a smaller batch, then fewer channels. */
static void limit(int64_t *batch, int64_t *in, int64_t *out, int64_t multiplications)
{
    const int64_t most = 1 << 21;
    while (multiplications > most && (*batch > 1 || *in > 1 || *out > 1)) {
        int64_t *larger = *batch > 1 ? batch : *in > *out ? in : out;
        *larger = (*larger + 1) / 2;
        multiplications /= 2;
    }
}

static void draw_kind(fuzz_case *c, fuzz_random *r, const kind *k, bool transposed)
{
    const int64_t h = draw_side(c, r, k, 0), w = draw_side(c, r, k, 1), groups = draw_in(r, k->groups);
    const int64_t kh = c->whole[KERNEL], kw = c->whole[KERNEL + 1];
    int64_t batch = draw_in(r, k->batch), in = draw_in(r, k->in), out = draw_in(r, k->out);
    limit(&batch, &in, &out, batch * groups * in * out * h * w * kh * kw);
    const sp_dtype dtype = fuzz_float(r);
    const bool alone = fuzz_chance(r, 5); /* an image without a batch */
    const int64_t x[] = {batch, groups * in, h, w}, first = transposed ? groups * in : groups * out;
    fuzz_add(c, r, dtype, (sp_dims){x + alone, 4 - alone});
    fuzz_add(c, r, dtype, SP_DIMS(first, transposed ? out : in, kh, kw));
    if (fuzz_chance(r, 70)) fuzz_add(c, r, dtype, SP_DIMS(groups * out));
    c->whole[GROUPS] = groups;
    c->whole[SAME] = fuzz_chance(r, 10) && c->whole[STRIDE] == 1 && c->whole[STRIDE + 1] == 1 && k->may_pad;
    if (c->whole[SAME]) c->whole[PADDING] = c->whole[PADDING + 1] = 0;
    for (int d = 0; d < 2; d++) c->whole[MORE + d] = fuzz_between(r, 0, c->whole[STRIDE + d] - 1);
}

#define BOTH(at)                                                                                                       \
    {                                                                                                                  \
        c->whole[at], c->whole[(at) + 1]                                                                               \
    }
CALL(conv2d, sp_conv2d(in[0], in[1], c->n > 2 ? in[2] : SP_NONE, .stride_hw = BOTH(STRIDE), .padding_hw = BOTH(PADDING),
                       .dilation_hw = BOTH(DILATION), .groups = c->whole[GROUPS], .same = c->whole[SAME]))
CALL(conv_transpose2d, sp_conv_transpose2d(in[0], in[1], c->n > 2 ? in[2] : SP_NONE, .stride_hw = BOTH(STRIDE),
                                           .padding_hw = BOTH(PADDING), .dilation_hw = BOTH(DILATION),
                                           .groups = c->whole[GROUPS], .output_padding_hw = BOTH(MORE)))

#define KIND(name, ...)                                                                                                \
    static void draw_##name(fuzz_case *c, fuzz_random *r, int attempt)                                                 \
    {                                                                                                                  \
        (void)attempt;                                                                                                 \
        draw_kind(c, r, &(const kind){__VA_ARGS__}, false);                                                            \
    }
KIND(any, {1, 5}, {1, 3}, {1, 9}, {1, 20}, {1, 20}, {1, 5}, {1, 3}, {1, 3}, true)
KIND(filtered, {1, 9}, {1, 1}, {8, 40}, {8, 70}, {4, 20}, {3, 3}, {1, 1}, {1, 1}, true)
KIND(points, {1, 9}, {1, 2}, {1, 40}, {1, 70}, {1, 20}, {1, 1}, {1, 2}, {1, 1}, false)
KIND(depthwise, {1, 5}, {2, 40}, {1, 1}, {1, 2}, {1, 20}, {1, 5}, {1, 2}, {1, 2}, true)
KIND(first, {1, 20}, {1, 1}, {1, 3}, {8, 40}, {8, 30}, {3, 7}, {1, 2}, {1, 1}, true)
KIND(large_batch, {8, 40}, {1, 1}, {1, 16}, {1, 32}, {4, 12}, {2, 5}, {1, 2}, {1, 1}, true)
KIND(strides, {1, 3}, {1, 2}, {1, 6}, {1, 20}, {5, 30}, {1, 7}, {2, 9}, {1, 4}, true)

static void draw_transposed(fuzz_case *c, fuzz_random *r, int attempt)
{
    (void)attempt;
    draw_kind(c, r, &(const kind){{1, 9}, {1, 3}, {1, 20}, {1, 20}, {1, 9}, {1, 5}, {1, 3}, {1, 3}, false}, true);
}

const fuzz_subject fuzz_convolutions[] = {
    {"conv2d with any options", &sp__op_conv2d, draw_any, conv2d, 0},
    {"conv2d of 3 by 3 and many channels", &sp__op_conv2d, draw_filtered, conv2d, 0},
    {"conv2d of single places", &sp__op_conv2d, draw_points, conv2d, 0},
    {"conv2d of each channel", &sp__op_conv2d, draw_depthwise, conv2d, 0},
    {"conv2d of few channels", &sp__op_conv2d, draw_first, conv2d, 0},
    {"conv2d of many images", &sp__op_conv2d, draw_large_batch, conv2d, 0},
    {"conv2d with large strides", &sp__op_conv2d, draw_strides, conv2d, 0},
    {"conv_transpose2d with any options", &sp__op_conv_transpose2d, draw_transposed, conv_transpose2d, 0},
    {0},
};

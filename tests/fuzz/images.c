/* Windows, borders and other sizes of images; normalisation. */
#include "fuzz/call.h"

/* An image, or a batch of them, of at least so many rows and columns. */
static fuzz_input *add_image(fuzz_case *c, fuzz_random *r, int64_t rows, int64_t columns)
{
    const int64_t sizes[] = {fuzz_between(r, 1, 5), fuzz_size(r, 40), rows + fuzz_between(r, 0, 12),
                             columns + fuzz_between(r, 0, 30)};
    const bool alone = fuzz_chance(r, 10);
    return fuzz_add(c, r, fuzz_float(r), (sp_dims){sizes + alone, 4 - alone});
}

/* ---- windows: kernel, stride, padding, dilation for each side; ceil_mode, more ---- */

enum { KERNEL = 0, STRIDE = 2, PADDING = 4, DILATION = 6, CEIL = 8, EXCLUDE = 9, DIVISOR = 10 };

static void draw_windows(fuzz_case *c, fuzz_random *r, bool dilates)
{
    int64_t reach[2];
    const bool usual = fuzz_chance(r, 30); /* windows that lie side by side */
    for (int d = 0; d < 2; d++) {
        int64_t *whole = c->whole + d;
        whole[KERNEL] = usual ? 2 : fuzz_between(r, 1, 5);
        whole[STRIDE] = usual ? 2 : fuzz_between(r, 1, 6);
        whole[DILATION] = dilates && fuzz_chance(r, 20) ? fuzz_between(r, 2, 3) : 1;
        whole[PADDING] = usual ? 0 : fuzz_between(r, 0, whole[KERNEL] / 2);
        reach[d] = whole[DILATION] * (whole[KERNEL] - 1) + 1;
    }
    c->whole[CEIL] = fuzz_chance(r, 30);
    c->whole[EXCLUDE] = fuzz_chance(r, 50);
    c->whole[DIVISOR] = fuzz_chance(r, 20) ? fuzz_between(r, 1, 9) : 0;
    add_image(c, r, reach[0], reach[1]);
}

static void draw_max(fuzz_case *c, fuzz_random *r, int attempt)
{
    (void)attempt;
    draw_windows(c, r, true);
}

static void draw_mean(fuzz_case *c, fuzz_random *r, int attempt)
{
    (void)attempt;
    draw_windows(c, r, false);
}

static void draw_adaptive(fuzz_case *c, fuzz_random *r, int attempt)
{
    (void)attempt;
    add_image(c, r, 1, 1);
    c->whole[0] = fuzz_chance(r, 10) ? -1 : fuzz_between(r, 1, 12);
    c->whole[1] = fuzz_chance(r, 10) ? -1 : fuzz_between(r, 1, 12);
}

#define BOTH(at)                                                                                                       \
    {                                                                                                                  \
        c->whole[at], c->whole[(at) + 1]                                                                               \
    }
#define WINDOW .kernel_size_hw = BOTH(KERNEL), .stride_hw = BOTH(STRIDE), .padding_hw = BOTH(PADDING)
#define CEILING .ceil_mode = c->whole[CEIL] != 0
CALL(max_pool, sp_max_pool2d(in[0], 0, WINDOW, .dilation_hw = BOTH(DILATION), CEILING))
CALL(max_places, sp_max_pool2d_with_indices(in[0], 0, WINDOW, .dilation_hw = BOTH(DILATION), CEILING).indices)
CALL(avg_pool, sp_avg_pool2d(in[0], 0, WINDOW, CEILING, .exclude_pad = c->whole[EXCLUDE] != 0,
                             .divisor_override = c->whole[DIVISOR]))
CALL(adaptive, sp_adaptive_avg_pool2d(in[0], 0, .output_size_hw = BOTH(0)))

/* ---- borders ---- */

static void draw_border(fuzz_case *c, fuzz_random *r, int attempt)
{
    (void)attempt;
    add_image(c, r, 4, 4);
    for (int i = 0; i < 4; i++) c->whole[i] = fuzz_between(r, 0, 3);
    c->whole[4] = fuzz_one_of(r, 2, 4, 4);
}

static void draw_constant(fuzz_case *c, fuzz_random *r, int attempt)
{
    int64_t sizes[SP_MAX_DIMS];
    const int ndim = 1 + (int)fuzz_between(r, 0, 4);
    for (int d = 0; d < ndim; d++) sizes[d] = fuzz_between(r, 4, 9);
    fuzz_add(c, r, attempt ? fuzz_float(r) : fuzz_any_dtype(r), (sp_dims){sizes, ndim});
    c->whole[4] = 2 * fuzz_between(r, 1, ndim < 2 ? 1 : 2);
    for (int i = 0; i < 4; i++) c->whole[i] = fuzz_between(r, -2, 4);
    c->real[0] = (double)fuzz_between(r, -2, 2);
}

#define BORDER ((sp_dims){c->whole, (int)c->whole[4]})
CALL(reflect, sp_pad(in[0], BORDER, .mode = SP_PAD_REFLECT))
CALL(replicate, sp_pad(in[0], BORDER, .mode = SP_PAD_REPLICATE))
CALL(constant, sp_pad(in[0], BORDER, .value = c->real[0]))

/* ---- other sizes ---- */

static void draw_resized(fuzz_case *c, fuzz_random *r, int attempt)
{
    (void)attempt;
    add_image(c, r, 2, 2);
    if (c->in[0].ndim == 3) c->in[0] = (fuzz_input){.dtype = SP_F32, .ndim = 4, .sizes = {1, 2, 3, 4}, .high = 1};
    c->whole[0] = fuzz_between(r, 1, 30);
    c->whole[1] = fuzz_between(r, 1, 30);
    c->whole[2] = fuzz_chance(r, 50);
    if (fuzz_chance(r, 50)) return;
    c->whole[0] = c->whole[1] = 0;
    for (int d = 0; d < 2; d++) c->real[d] = fuzz_chance(r, 40) ? 2 : fuzz_real(r, 0.5, 2.5);
}

#define OTHER_SIZE .output_size_hw = BOTH(0), .scale_factor_hw = {c->real[0], c->real[1]}
CALL(nearest, sp_interpolate(in[0], OTHER_SIZE))
CALL(bilinear, sp_interpolate(in[0], OTHER_SIZE, .mode = SP_BILINEAR, .align_corners = c->whole[2] != 0))

/* ---- normalisation ---- */

static void draw_batch_norm(fuzz_case *c, fuzz_random *r, int attempt)
{
    const int64_t channels = fuzz_size(r, 70),
                  sizes[] = {fuzz_between(r, 3, 40), channels, fuzz_between(r, 1, 12), fuzz_between(r, 1, 12)};
    const sp_dtype dtype = fuzz_float(r);
    (void)attempt;
    fuzz_add(c, r, dtype, (sp_dims){sizes, (int)(fuzz_one_of(r, 2, 3, 4, 4))});
    for (int i = 0; i < 4; i++) fuzz_add(c, r, dtype, SP_DIMS(channels));
    c->in[4].low = 0.1; /* the running variance */
    c->in[3].constant = c->in[4].constant = true;
    c->whole[0] = fuzz_between(r, 0, 1);
    c->whole[1] = fuzz_between(r, 0, 3);
    c->real[0] = fuzz_chance(r, 50) ? 1e-5 : 0.1;
}

static sp_tensor *batch_norm(const fuzz_case *c, sp_tensor *const *in, sp_list *leaves)
{
    sp_tensor *const weight = c->whole[1] & 1 ? in[1] : SP_NONE, *const bias = c->whole[1] & 2 ? in[2] : SP_NONE;
    (void)leaves;
    return sp_batch_norm(in[0], sp_clone(in[3]), sp_clone(in[4]), weight, bias, .training = c->whole[0] != 0,
                         .eps = c->real[0]);
}

static void draw_layer_norm(fuzz_case *c, fuzz_random *r, int attempt)
{
    int64_t sizes[SP_MAX_DIMS];
    const int ndim = 1 + (int)fuzz_between(r, 0, 3), n = (int)fuzz_between(r, 1, ndim);
    const sp_dtype dtype = fuzz_float(r);
    (void)attempt;
    fuzz_sizes(r, ndim, 20000, sizes);
    fuzz_add(c, r, dtype, (sp_dims){sizes, ndim});
    for (int i = 0; i < 2; i++) fuzz_add(c, r, dtype, (sp_dims){sizes + ndim - n, n});
    c->whole[0] = n;
    c->whole[1] = fuzz_between(r, 0, 3);
}

static sp_tensor *layer_norm(const fuzz_case *c, sp_tensor *const *in, sp_list *leaves)
{
    const sp_dims last = {c->in[0].sizes + c->in[0].ndim - c->whole[0], (int)c->whole[0]};
    (void)leaves;
    return sp_layer_norm(in[0], last, c->whole[1] & 1 ? in[1] : SP_NONE, c->whole[1] & 2 ? in[2] : SP_NONE);
}

const fuzz_subject fuzz_images[] = {
    {"max_pool2d with options", &sp__op_max_pool2d, draw_max, max_pool, 0},
    {"max_pool2d's places", &sp__op_max_pool2d, draw_max, max_places, 0},
    {"avg_pool2d with options", &sp__op_avg_pool2d, draw_mean, avg_pool, 0},
    {"adaptive_avg_pool2d with options", &sp__op_adaptive_avg_pool2d, draw_adaptive, adaptive, 0},
    {"reflection_pad2d with options", &sp__op_reflection_pad2d, draw_border, reflect, 0},
    {"replication_pad2d with options", &sp__op_replication_pad2d, draw_border, replicate, 0},
    {"constant_pad_nd with options", &sp__op_constant_pad_nd, draw_constant, constant, 0},
    {"upsample_nearest2d with options", &sp__op_upsample_nearest2d, draw_resized, nearest, 0},
    {"upsample_bilinear2d with options", &sp__op_upsample_bilinear2d, draw_resized, bilinear, 0},
    {"batch_norm with options", &sp__op_batch_norm, draw_batch_norm, batch_norm, 0},
    {"layer_norm with options", &sp__op_layer_norm, draw_layer_norm, layer_norm, 0},
    {0},
};

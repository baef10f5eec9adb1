/* Pooling and resampling by vectors over channels against the reference, at each level, for numbers of channels that
 * fill vectors and that do not; the same bits with any number of threads. */
#include "test_kernels.h"

#include "support/support.h"
#include <spusk/spusk.h>

static const int64_t channels[] = {1, 3, 4, 8, 15, 16, 17, 35, 64};
enum { CHANNELS = sizeof channels / sizeof *channels };

/* Whole numbers, so that there are equals, with a NaN and infinities; the channels innermost. */
static sp_tensor *image(int64_t n, int64_t c, int64_t h, int64_t w, bool special)
{
    sp_tensor *x = sp_empty(SP_DIMS(n, h, w, c));
    float *values = sp_data(x);
    uint64_t state = 5;
    for (int64_t i = 0; i < sp_numel(x); i++) values[i] = (float)floor(next_number(&state, -4, 5));
    for (int64_t i = 7; special && i < sp_numel(x); i += 31)
        values[i] = i % 3 == 0 ? NAN : i % 3 == 1 ? INFINITY : -INFINITY;
    return sp_permute(x, 0, 3, 1, 2);
}

/* ---- pooling ---- */

typedef struct window {
    int64_t kernel, stride, padding, dilation, height, width;
} window;
static const window windows[] = {{2, 2, 0, 1, 6, 8}, {2, 2, 0, 1, 7, 5}, {3, 3, 0, 1, 8, 11}, {3, 2, 1, 1, 6, 7},
                                 {2, 1, 1, 2, 5, 6}, {1, 1, 0, 1, 3, 2}, {5, 5, 2, 1, 9, 9}};
enum { WINDOWS = sizeof windows / sizeof *windows };

static sp_values_indices pooled(sp_tensor *x, const window *w)
{
    return sp_max_pool2d_with_indices(x, w->kernel, .stride = w->stride, .padding = w->padding,
                                      .dilation = w->dilation);
}

static sp_tensor *pool_gradient(sp_tensor *x, const window *w)
{
    x = sp_requires_grad(sp_detach(x));
    sp_tensor *y = pooled(x, w).values;
    sp_tensor *g = sp_detach(sp_add_scalar(y, 0.25));
    sp_list *grads = sp_autograd_grad_with(SP_LIST(y), SP_LIST(x), SP_LIST(g));
    return grads ? sp_list_get(grads, 0) : NULL;
}

static bool same_bits(sp_tensor *a, sp_tensor *b)
{
    a = sp_contiguous(sp_detach(a)), b = sp_contiguous(sp_detach(b));
    const size_t bytes = (size_t)sp_numel(a) * sp_dtype_size(sp_dtype_of(a));
    return sp_numel(a) == sp_numel(b) && memcmp(sp_const_data(a), sp_const_data(b), bytes) == 0;
}

static void compare_pools(int64_t c, const window *w, sp_dtype dtype, int64_t *compared)
{
    sp_tensor *x = sp_cast(image(2, c, w->height, w->width, true), dtype);
    sp_tensor *plain = sp_cast(image(2, c, w->height, w->width, false), dtype);
    assert_true(sp__cpu_set_level("reference"));
    const sp_values_indices model = pooled(x, w);
    sp_tensor *gradient = pool_gradient(plain, w);
    FOR_EACH_LEVEL(level)
    {
        const sp_values_indices got = pooled(x, w);
        EXPECT(sp_equal(got.indices, model.indices), "%s: places of %lld channels, window %lld", sp_isa(), (long long)c,
               (long long)w->kernel);
        EXPECT(sp_allclose(got.values, model.values, .equal_nan = true), "%s: maxima of %lld channels", sp_isa(),
               (long long)c);
        EXPECT(same_bits(pool_gradient(plain, w), gradient), "%s: gradient of %lld channels, window %lld", sp_isa(),
               (long long)c, (long long)w->kernel);
        ++*compared;
    }
    sp__cpu_set_level(NULL);
}

static void test_maxima(void **state)
{
    (void)state;
    int64_t compared = 0;
    for (int i = 0; i < CHANNELS; i++)
        for (int k = 0; k < WINDOWS; k++)
            SP_SCOPE {
                compare_pools(channels[i], &windows[k], SP_F32, &compared);
                compare_pools(channels[i], &windows[k], SP_BF16, &compared);
            }
    assert_true(compared >= 4 * CHANNELS * WINDOWS);
    assert_no_error();
}

/* Windows of one size, in which a dilation of 2 stands for padding that does not count, and of 3 for a divisor of 3. */
static sp_tensor *average(sp_tensor *x, const window *w)
{
    return sp_avg_pool2d(x, w->kernel, .stride = w->stride, .padding = w->padding, .exclude_pad = w->dilation == 2,
                         .divisor_override = w->dilation == 3 ? 3 : 0);
}

/* Windows, of the stride by the padding, that share the image evenly. */
static sp_tensor *even_average(sp_tensor *x, const window *w)
{
    return sp_adaptive_avg_pool2d(x, 1, .output_size_hw = {w->stride, w->padding});
}

typedef sp_tensor *average_function(sp_tensor *x, const window *w);

static sp_tensor *average_gradient(average_function *f, sp_tensor *x, const window *w)
{
    x = sp_requires_grad(sp_detach(x));
    sp_tensor *y = f(x, w), *g = sp_add_scalar(sp_detach(y), 0.3);
    sp_list *grads = sp_autograd_grad_with(SP_LIST(y), SP_LIST(x), SP_LIST(g));
    return grads ? sp_list_get(grads, 0) : NULL;
}

static void compare_averages(average_function *f, int64_t c, const window *w, sp_dtype dtype, int64_t *compared)
{
    sp_tensor *x = sp_cast(sp_div_scalar(image(2, c, w->height, w->width, false), 3), dtype);
    assert_true(sp__cpu_set_level("reference"));
    sp_tensor *model = f(x, w), *gradient = average_gradient(f, x, w);
    FOR_EACH_LEVEL(level)
    {
        EXPECT(same_bits(f(x, w), model), "%s: averages of %lld channels, window %lld", sp_isa(), (long long)c,
               (long long)w->kernel);
        EXPECT(same_bits(average_gradient(f, x, w), gradient), "%s: gradient of %lld channels, window %lld", sp_isa(),
               (long long)c, (long long)w->kernel);
        ++*compared;
    }
    sp__cpu_set_level(NULL);
}

static void test_averages(void **state)
{
    (void)state;
    static const window own[] = {{2, 2, 0, 1, 6, 8}, {3, 3, 0, 1, 8, 11}, {3, 2, 1, 1, 6, 7},
                                 {3, 1, 1, 2, 5, 6}, {4, 3, 2, 3, 9, 9},  {7, 7, 0, 1, 7, 7}};
    static const window even[] = {{0, 1, 1, 1, 8, 8}, {0, 3, 2, 1, 7, 8}, {0, 5, 7, 1, 4, 6}};
    int64_t compared = 0;
    for (int i = 0; i < CHANNELS; i++)
        SP_SCOPE {
            for (int half = 0; half < 2; half++) {
                const sp_dtype dtype = half ? SP_BF16 : SP_F32;
                for (size_t k = 0; k < sizeof own / sizeof *own; k++)
                    compare_averages(average, channels[i], &own[k], dtype, &compared);
                for (size_t k = 0; k < sizeof even / sizeof *even; k++)
                    compare_averages(even_average, channels[i], &even[k], dtype, &compared);
            }
        }
    assert_true(compared >= 2 * CHANNELS * 9 * 2);
    assert_no_error();
}

/* ---- other sizes ---- */

static sp_tensor *twice(sp_tensor *x)
{
    return sp_interpolate(x, .scale_factor = 2);
}
static sp_tensor *fewer(sp_tensor *x)
{
    return sp_interpolate(x, .output_size_hw = {3, 4});
}
static sp_tensor *smooth(sp_tensor *x)
{
    return sp_interpolate(x, .output_size_hw = {11, 13}, .mode = SP_BILINEAR);
}
static sp_tensor *smooth_corners(sp_tensor *x)
{
    return sp_interpolate(x, .output_size_hw = {4, 9}, .mode = SP_BILINEAR, .align_corners = true);
}
static sp_tensor *reflected(sp_tensor *x)
{
    return sp_pad(x, SP_DIMS(2, 1, 3, 2), .mode = SP_PAD_REFLECT);
}
static sp_tensor *replicated(sp_tensor *x)
{
    return sp_pad(x, SP_DIMS(3, 4, 1, 2), .mode = SP_PAD_REPLICATE);
}
static sp_tensor *(*const resizes[])(sp_tensor *x) = {twice, fewer, smooth, smooth_corners, reflected, replicated};
enum { RESIZES = sizeof resizes / sizeof *resizes };

static sp_tensor *resize_gradient(sp_tensor *x, int which)
{
    x = sp_requires_grad(sp_detach(x));
    sp_tensor *y = resizes[which](x);
    sp_list *grads = sp_autograd_grad_with(SP_LIST(y), SP_LIST(x), SP_LIST(sp_mul_scalar(sp_detach(y), 0.3)));
    return grads ? sp_list_get(grads, 0) : NULL;
}

static void compare_sizes(int64_t c, int which, int64_t *compared)
{
    sp_tensor *x = sp_mul_scalar(image(2, c, 6, 7, false), 0.7);
    assert_true(sp__cpu_set_level("reference"));
    sp_tensor *model = resizes[which](x), *gradient = resize_gradient(x, which);
    FOR_EACH_LEVEL(level)
    {
        EXPECT(same_bits(resizes[which](x), model), "%s: size %d of %lld channels", sp_isa(), which, (long long)c);
        EXPECT(same_bits(resize_gradient(x, which), gradient), "%s: gradient of size %d of %lld channels", sp_isa(),
               which, (long long)c);
        ++*compared;
    }
    sp__cpu_set_level(NULL);
}

static void test_sizes(void **state)
{
    (void)state;
    int64_t compared = 0;
    for (int i = 0; i < CHANNELS; i++)
        for (int k = 0; k < RESIZES; k++)
            SP_SCOPE {
                compare_sizes(channels[i], k, &compared);
            }
    assert_true(compared >= 2 * CHANNELS * RESIZES);
    assert_no_error();
}

/* ---- threads ---- */

static void test_threads_change_no_bit(void **state)
{
    (void)state;
    const int before = sp_num_threads();
    sp_tensor *x = image(9, 35, 40, 42, false);
    sp_set_num_threads(1);
    sp_tensor *y = pooled(x, &windows[0]).values, *gradient = pool_gradient(x, &windows[0]);
    for (int threads = 2; threads <= 5; threads++) {
        sp_set_num_threads(threads);
        assert_true(same_bits(pooled(x, &windows[0]).values, y));
        assert_true(same_bits(pool_gradient(x, &windows[0]), gradient));
    }
    sp_set_num_threads(before);
    assert_no_error();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_maxima),
        sp_test(test_averages),
        sp_test(test_sizes),
        sp_test(test_threads_change_no_bit),
    };
    return sp_test_main(tests);
}

/* What a loader costs without workers: no more than a plain loop that turns the bytes of the same
 * images into numbers. How long a training step takes has no part in it. */
#include "data/data_test.h"
#include <time.h>

enum { ROUNDS = 7, BATCH = 64, PIXELS = 28 * 28 };

#if defined(SP_DEBUG) || !defined(__OPTIMIZE__)
static const bool is_release = false;
#else
static const bool is_release = true;
#endif

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Seconds a batch, over a whole epoch of loading. */
static double loading(sp_loader *loader)
{
    const double begin = now();
    sp_foreach_batch (batch, loader) assert_non_null(batch.y);
    return (now() - begin) / (double)sp_loader_length(loader);
}

/* Seconds a batch, over an epoch of plain loops: as many images lie in `bytes`, and are taken in a mixed order. */
static double plain_loop(const unsigned char *bytes, int64_t images)
{
    static float batch[BATCH * PIXELS];
    volatile float seen = 0; /* the compiler must not leave the loops out */
    const int64_t batches = images / BATCH;
    const double begin = now();
    for (int64_t b = 0; b < batches; b++) {
        for (int64_t i = 0; i < BATCH; i++) {
            const unsigned char *image = bytes + (b * BATCH + i) * 7919 % images * PIXELS;
            for (int64_t k = 0; k < PIXELS; k++) batch[i * PIXELS + k] = (float)image[k] / 255;
        }
        seen = seen + batch[b % (BATCH * PIXELS)];
    }
    return (now() - begin) / (double)batches;
}

static void test_loader_costs_little(void **state)
{
    (void)state;
    if (!is_release) skip_because("times mean nothing in a debug build");
    const char *folder = real_mnist();
    sp_dataset *data = folder ? sp_data_mnist(folder, .no_download = true) : sp_data_synthetic_digits();
    const int64_t images = sp_data_length(data);
    sp_loader *loader = sp_data_loader(data, .batch_size = BATCH, .shuffle = true, .seed = 1);
    unsigned char *bytes = calloc((size_t)images, PIXELS);
    assert_non_null(bytes);
    memset(bytes, 100, (size_t)images * PIXELS); /* pages of its own, as the data set has */
    loading(loader);                             /* synthetic digits are drawn when they are first seen */
    double loader_takes = 1, loop_takes = 1;
    for (int i = 0; i < ROUNDS; i++) {
        const double a = loading(loader), b = plain_loop(bytes, images);
        if (a < loader_takes) loader_takes = a;
        if (b < loop_takes) loop_takes = b;
    }
    free(bytes);
    print_message("# a batch takes %.1f us, a plain loop over its pixels %.1f us\n", loader_takes * 1e6,
                  loop_takes * 1e6);
    assert_true(loader_takes < loop_takes);
    assert_no_error();
}

int main(void)
{
    const struct CMUnitTest tests[] = {data_test(test_loader_costs_little)};
    return sp_test_main(tests);
}

/* Synthetic digits: for a machine without MNIST. Each is drawn when it is first asked for, and kept. */
#include "data_private.h"
#include "glyphs.h"

#include <stdatomic.h>

enum { TRAINING_LENGTH = 60000, TEST_LENGTH = 10000, MOST_KEPT = 1 << 20 };

enum state { NOT_DRAWN, BEING_DRAWN, DRAWN };

typedef struct synthetic_data {
    sp__images images;
    uint64_t seed;
    int stream;
    int64_t kept;         /* examples that there is room for: all, or none of an endless set */
    uint8_t *pixels;      /* kept · 784 */
    uint8_t *labels;      /* kept */
    atomic_uchar *states; /* kept; enum state */
} synthetic_data;

/* Threads may ask for the same example at once. One of them draws it for all; the others need not wait for that. */
static const uint8_t *synthetic_image(sp__images *images, int64_t i, uint8_t *scratch, int64_t *label)
{
    synthetic_data *data = (synthetic_data *)images;
    unsigned char expected = NOT_DRAWN;
    bool keep = i < data->kept;
    if (keep && atomic_load_explicit(&data->states[i], memory_order_acquire) == DRAWN) {
        *label = data->labels[i];
        return data->pixels + i * SP__PIXELS;
    }
    keep = keep && atomic_compare_exchange_strong(&data->states[i], &expected, BEING_DRAWN);
    uint8_t *to = keep ? data->pixels + i * SP__PIXELS : scratch;
    *label = sp__draw_digit(data->seed, data->stream, i, to);
    if (keep) {
        data->labels[i] = (uint8_t)*label;
        atomic_store_explicit(&data->states[i], DRAWN, memory_order_release);
    }
    return to;
}

static void synthetic_destroy(sp_dataset *dataset)
{
    synthetic_data *data = (synthetic_data *)dataset;
    size_t kept = (size_t)data->kept;
    sp_drop(data->images.transform);
    sp_free(data->pixels, kept * SP__PIXELS);
    sp_free(data->labels, kept);
    sp_free(data->states, kept * sizeof *data->states);
}

static const sp__data_type synthetic_type = {
    .length = sp__images_length,
    .get = sp__images_get,
    .batch = sp__images_batch,
    .destroy = synthetic_destroy,
};

/* Room for all examples. A set that is all but endless keeps none. */
static sp_status make_room(synthetic_data *data)
{
    if (data->images.length > MOST_KEPT) return SP_OK;
    size_t n = (size_t)data->images.length;
    data->kept = data->images.length;
    data->pixels = sp_alloc(n * SP__PIXELS);
    data->labels = data->pixels ? sp_alloc(n) : NULL;
    data->states = data->labels ? sp_alloc(n * sizeof *data->states) : NULL;
    return data->states ? SP_OK : sp_error_status();
}

sp_dataset *(sp_data_synthetic_digits)(const sp_data_options *given)
{
    sp_data_options options;
    sp_options_copy(&options, sizeof options, given);
    int64_t usual = options.test ? TEST_LENGTH : TRAINING_LENGTH;
    int64_t length = sp_option_int(options.length, usual);
    if (length < 1) {
        sp_raise(SP_ERROR_ARGUMENT, "sp_data_synthetic_digits: length must be at least 1, got %lld", (long long)length);
        return NULL;
    }
    uint64_t seed = sp__data_seed(options.seed);
    synthetic_data *data = sp__dataset_new(&synthetic_type, sizeof *data, SP__IMAGE_CLASSES,
                                           "synthetic digits, %lld images, seed %llu%s", (long long)length,
                                           (unsigned long long)seed, options.test ? ", test" : "");
    if (!data) return NULL;
    data->images.image = synthetic_image;
    data->images.length = length;
    data->seed = seed;
    data->stream = options.test;
    if (!make_room(data) && !sp__images_set_transform(&data->images, options.transform)) return &data->images.base;
    sp_release(data);
    return NULL;
}

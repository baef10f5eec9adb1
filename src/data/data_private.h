/* What the files of this folder share: data sets, collation, transforms, iterators. */
#ifndef SPUSK_DATA_PRIVATE_H
#define SPUSK_DATA_PRIVATE_H

#include <spusk/data.h>
#include <spusk/extend.h>

/* ---- data sets ---- */

/* The stream of random numbers that transforms draw from in a loader. An example's stream depends on seed, epoch and
 * example alone. */
typedef struct sp__draws {
    uint64_t seed;
    int64_t epoch;
} sp__draws;

typedef struct sp__data_type {
    int64_t (*length)(const sp_dataset *dataset);
    sp_example (*get)(sp_dataset *dataset, int64_t i); /* 0 ≤ i < length */
    /* Examples index[0 … n-1] as one batch; NULL: they are made one by one. Where `draws` is NULL, transforms draw from
     * the thread's generator. */
    sp_example (*batch)(sp_dataset *dataset, const int64_t *index, int64_t n, const sp__draws *draws);
    void (*destroy)(sp_dataset *dataset); /* NULL: nothing to do */
} sp__data_type;

/* Comes first in each data set. */
struct sp_dataset {
    const sp__data_type *type;
    char *description;
    int64_t n_classes;
};

/* A zeroed data set of `size` bytes, described by the format; the open scope owns it. */
void *sp__dataset_new(const sp__data_type *type, size_t size, int64_t n_classes, const char *format, ...)
    SP_PRINTF(4, 5);
/* Replaces the description. */
sp_status sp__dataset_describe(sp_dataset *dataset, const char *text);
sp_status sp__dataset_check(const sp_dataset *dataset, const char *function);
/* Whether an argument is a live object of that kind. If not, raises an error in which `noun` says what it should be. */
sp_status sp__data_argument(const void *object, const sp_kind *kind, const char *function, const char *argument,
                            const char *noun);
/* A seed option: SP_ZERO says 0, as leaving it out does. */
uint64_t sp__data_seed(uint64_t seed);

/* Examples index[0 … n-1] as one batch, by the data set's own way or one by one. Both members are NULL after an error.
 */
sp_example sp__data_batch(sp_dataset *dataset, const int64_t *index, int64_t n, const sp__draws *draws);
/* The same, always one by one. Each example is made, compared with the first and copied. */
sp_example sp__data_collate(sp_dataset *dataset, const int64_t *index, int64_t n, const sp__draws *draws);

static inline bool sp__is_tensor(const sp_tensor *x)
{
    return x && x != SP_NONE;
}

/* ---- images: data sets of bytes (28, 28) with labels ---- */

enum { SP__SIDE = 28, SP__PIXELS = SP__SIDE * SP__SIDE, SP__IMAGE_CLASSES = 10 };

typedef struct sp__images {
    sp_dataset base;
    int64_t length;
    /* The bytes and label of image i. `scratch` has room for one image, for data sets that hold none in memory. */
    const uint8_t *(*image)(struct sp__images *images, int64_t i, uint8_t *scratch, int64_t *label);
    sp_transform *transform; /* what is not in the table; NULL: nothing */
    float table[256];        /* byte to input, as long as a transform works element by element */
} sp__images;

int64_t sp__images_length(const sp_dataset *dataset);
sp_example sp__images_get(sp_dataset *dataset, int64_t i);
sp_example sp__images_batch(sp_dataset *dataset, const int64_t *index, int64_t n, const sp__draws *draws);
/* Takes the transform (NULL: none) and fills the table. */
sp_status sp__images_set_transform(sp__images *images, sp_transform *transform);

/* ---- transforms ---- */

sp_status sp__transform_check(const sp_transform *transform, const char *function);
/* Whether the result is a function of each element alone. */
bool sp__transform_is_elementwise(const sp_transform *transform);

/* ---- random distortions of images ---- */

enum { SP__BLUR_REACH = 64 };
typedef enum sp__distortion_rule { SP__SHIFT, SP__ROTATE, SP__ELASTIC } sp__distortion_rule;
typedef struct sp__distortion {
    sp__distortion_rule rule;
    double amount;                     /* pixels, degrees, or pixels before the blur */
    int64_t radius;                    /* elastic: of the blur, at most SP__BLUR_REACH */
    float weights[SP__BLUR_REACH + 1]; /* by distance; both sides add up to 1 */
} sp__distortion;
/* sigma: of an elastic one's blur, in (0, SP__BLUR_REACH/3]. */
void sp__distortion_init(sp__distortion *d, sp__distortion_rule rule, double amount, double sigma);
/* A distorted copy of a floating image (…, H, W). */
sp_tensor *sp__distort(sp_tensor *x, const sp__distortion *d, sp_generator *generator);

/* ---- loaders ---- */

struct sp_loader {
    sp_dataset *dataset;
    SP_OPTIONS_MEMBER(sp_loader_options, options);
    int64_t epoch;
};

sp_status sp__loader_check(const sp_loader *loader, const char *function);
/* Batches in an epoch. */
int64_t sp__batches(int64_t examples, int64_t batch_size, bool drop_last);

/* A permutation of 0 … n-1 that depends on seed and epoch alone; freed with sp_free(order, n · 8). */
int64_t *sp__shuffled(int64_t n, uint64_t seed, int64_t epoch);

/* One run through a loader. Only `next` and `workers` change while it goes. */
typedef struct sp__iterator {
    sp_loader *loader;
    int64_t n_examples, batch_size, n_batches;
    int64_t next;   /* the batch to deliver next */
    int64_t *order; /* NULL: as they come */
    sp__draws draws;
    struct sp__workers *workers; /* NULL: batches are made when they are asked for */
} sp__iterator;

/* Makes batch k in the open scope. */
sp_example sp__iterator_make(const sp__iterator *iterator, int64_t k);

/* Starts the threads; NULL and an error when none could be started. */
struct sp__workers *sp__workers_start(const sp__iterator *iterator, int n_threads, int prefetch);
/* Batch k, which must be asked for in order, in the open scope. */
sp_example sp__workers_take(struct sp__workers *workers, int64_t k);
/* Stops the threads and drops what they have made; NULL is ignored. */
void sp__workers_stop(struct sp__workers *workers);

#endif

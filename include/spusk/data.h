/* Data sets, transforms, loaders. */
#ifndef SPUSK_DATA_H
#define SPUSK_DATA_H

#include <spusk/tensor.h>

SP_BEGIN

typedef struct sp_dataset sp_dataset;
typedef struct sp_transform sp_transform;
typedef struct sp_loader sp_loader;

/* An example: the input and its target. Both NULL after an error. */
typedef struct sp_example {
    sp_tensor *x, *y;
} sp_example;

/* ---- data sets ---- */

typedef struct sp_data_options {
    size_t size;
    bool test;               /* the test (validation) half */
    sp_transform *transform; /* of each example's x, an f32 image (1, 28, 28) in [0, 1]; NULL here means none */
    bool no_download;        /* only what is on the disk */
    bool quiet;              /* no progress bar while downloading */
    int64_t length;          /* synthetic: examples, default 60000 (10000 for test); sp_data_digits: at most */
    uint64_t seed;           /* synthetic */
    SP_OPTIONS_END;
} sp_data_options;

/* MNIST's files, plain or .gz. Example: x f32 (1, 28, 28) in [0, 1], y i64 (), the label 0 to 9.
 *
 * They are looked for in root, root/mnist and root/MNIST/raw. Where root is NULL or "", the folder that SPUSK_DATA
 * names stands for it; where that names none, the user's cache, into which they are downloaded: from mirrors, checked
 * by checksum, put in place atomically. A folder that is named must hold the data: no other place is tried then. Fails
 * with SP_ERROR_NOT_FOUND where they are absent, with SP_ERROR_IO where they cannot be read. Files with other checksums
 * are read, and described as unrecognised. */
SP_API sp_dataset *sp_data_mnist(const char *root, const sp_data_options *options SP_OR_NULL);
#define sp_data_mnist(...) SP__CALL1(sp_data_mnist, sp_data_options, __VA_ARGS__)

/* Fashion-MNIST: ten classes of clothes in MNIST's shapes, found as sp_data_mnist is, in root, root/fashion-mnist,
 * root/fashion and root/FashionMNIST/raw. */
SP_API sp_dataset *sp_data_fashion_mnist(const char *root, const sp_data_options *options SP_OR_NULL);
#define sp_data_fashion_mnist(...) SP__CALL1(sp_data_fashion_mnist, sp_data_options, __VA_ARGS__)

/* Digits that the library draws by strokes, in MNIST's shapes; the classes are drawn at random. Example i depends on
 * `.seed` and i alone. */
SP_API sp_dataset *sp_data_synthetic_digits(const sp_data_options *options SP_OR_NULL);
#define sp_data_synthetic_digits(...) SP__CALL0(sp_data_synthetic_digits, sp_data_options, __VA_ARGS__)

/* MNIST where it can be found or downloaded, else, or where root is "synthetic", synthetic digits; sp_data_description
 * tells which. Fails where root or SPUSK_DATA names a folder that does not hold MNIST, and where a file cannot be read.
 * `.length`: only the first so many examples. */
SP_API sp_dataset *sp_data_digits(const char *root, const sp_data_options *options SP_OR_NULL);
#define sp_data_digits(...) SP__CALL1(sp_data_digits, sp_data_options, __VA_ARGS__)

/* Example i is slice i along dimension 0 of x (n, …) and of y (n, …) or SP_NONE: TensorDataset. Fails where their n
 * differ. */
SP_API sp_dataset *sp_data_tensors(sp_tensor *x, sp_tensor *y);

/* The examples of another data set that the 1-d i64 index names: Subset. Negative entries count from the
 * end. Fails on one out of range. */
SP_API sp_dataset *sp_data_subset(sp_dataset *dataset, sp_tensor *index);

/* A data set of one's own: `get` makes example i; called from worker threads when a loader has them. */
typedef struct sp_dataset_class {
    size_t size;
    int64_t (*length)(void *self);
    sp_example (*get)(void *self, int64_t index);
    void (*destroy)(void *self); /* may be NULL */
} sp_dataset_class;

/* A data set of one's own, by its class, which is copied, and `self`, which the class's functions get. `type.size` is
 * sizeof(sp_dataset_class); length and get must be there. */
SP_API sp_dataset *sp_data_new(const sp_dataset_class *type, void *self);

/* A photograph or drawing of a digit, a PNG of any size, as MNIST has them, f32 (1, 1, 28, 28) in [0, 1]: light strokes
 * on black, 20 pixels large, the centre of mass in the middle. Paper of any grey is taken off, also where light falls
 * on it from one side (it is fitted from the border's median on), ink that is lighter or darker is stretched to 1, and
 * ruled lines, frames, specks and what comes in from the edge are left out. A picture of 28 by 28 pixels stays where it
 * is. Fails with SP_ERROR_FORMAT where no ink stands out. LeCun, Cortes, Burges, the page of the data set. */
SP_API sp_tensor *sp_load_digit(const char *path);

/* The number of examples, len(dataset); 0 for NULL. */
SP_API int64_t sp_data_length(const sp_dataset *dataset);

/* Example i, its x transformed; a negative i counts from the end. Fails when i is out of range. */
SP_API sp_example sp_data_get(sp_dataset *dataset, int64_t i);

/* All inputs as one tensor (n, …) and all targets as another, transforms applied. Fails for a data set without examples
 * and where shapes differ. */
SP_API sp_example sp_data_all(sp_dataset *dataset);

/* The number of classes of a labelled data set that knows it (MNIST's 10), else 0. */
SP_API int64_t sp_data_num_classes(const sp_dataset *dataset);

/* What it is, in words: "MNIST, 60000 images, /path" or "synthetic digits, …". "" for NULL. */
SP_API const char *sp_data_description(const sp_dataset *dataset);

/* ---- transforms ---- */

/* u8 becomes f32, divided by 255; floating inputs stay. An image (H, W) gets a channel in front. Fails for other
 * dtypes. torchvision's ToTensor. */
SP_API sp_transform *sp_transform_to_tensor(void);

/* (x - mean)/std of floating inputs. Fails unless std > 0. */
SP_API sp_transform *sp_transform_normalize(double mean, double std);

/* Moves a floating image (H, W) or (C, H, W) by a uniform draw of up to so many pixels in each direction. Pixels are
 * bilinear means of four, and 0 outside the image. */
SP_API sp_transform *sp_transform_shift(double pixels);

/* Turns a floating image around its middle by a uniform draw of up to so many degrees each way, at most 180. Pixels as
 * in sp_transform_shift. */
SP_API sp_transform *sp_transform_rotate(double degrees);

/* Bends a floating image as rubber: each pixel is moved by uniform noise in ±alpha pixels, blurred by a Gaussian of
 * sigma pixels, 0 < sigma ≤ 21. Pixels as in sp_transform_shift. For digits 34 and 4 are usual. Simard, Steinkraus,
 * Platt, ICDAR 2003. */
SP_API sp_transform *sp_transform_elastic(double alpha, double sigma);

/* f(x, generator, user) → tensor. The generator's stream depends on the loader's seed, the epoch and the example. */
typedef sp_tensor *sp_transform_function(sp_tensor *x, sp_generator *generator, void *user);

/* A transform of one's own, by a function and the `user` that it gets. Workers of a loader call it from their
 * threads. */
SP_API sp_transform *sp_transform_new(sp_transform_function *function, void *user);

extern SP_API sp_transform *const sp_last_transform_;
/* sp_transform_compose(a, b, …): one transform after another. The function behind the macro takes an array that ends
 * with sp_last_transform_. */
SP_API sp_transform *sp_transform_compose_until(sp_transform *const *transforms);
#define sp_transform_compose(...) sp_transform_compose_until(SP__LIST(sp_transform *, __VA_ARGS__, sp_last_transform_))

/* The transform applied to one tensor. What is random in it draws from generator, which must not be NULL. */
SP_API sp_tensor *sp_transform_apply(sp_transform *transform, sp_tensor *x, sp_generator *generator);

/* ---- loaders ---- */

typedef struct sp_loader_options {
    size_t size;
    int64_t batch_size; /* default 1 */
    bool shuffle;       /* a new order each epoch */
    bool drop_last;     /* leave out a last batch that is not full */
    int num_workers;    /* threads that prepare batches ahead; default 0 */
    int prefetch;       /* batches each worker keeps ready; default 2 */
    uint64_t seed;      /* of the order and of random transforms; default: drawn from the thread's generator */
    SP_OPTIONS_END;
} sp_loader_options;

/* Batches of a data set, in an order that depends on `.seed` and the epoch alone. */
SP_API sp_loader *sp_data_loader(sp_dataset *dataset, const sp_loader_options *options SP_OR_NULL);
#define sp_data_loader(...) SP__CALL1(sp_data_loader, sp_loader_options, __VA_ARGS__)

/* The number of batches in an epoch, len(loader); 0 for NULL. */
SP_API int64_t sp_loader_length(const sp_loader *loader);

/* The data set of the loader, which holds it. */
SP_API sp_dataset *sp_loader_dataset(const sp_loader *loader);

/* Sets the epoch, 0 or more, that the next sp_foreach_batch runs. */
SP_API sp_status sp_loader_set_epoch(sp_loader *loader, int64_t epoch);

/* The epoch that the next sp_foreach_batch runs; each one counts it up. 0 for NULL. */
SP_API int64_t sp_loader_epoch(const sp_loader *loader);

/* The examples in a batch, `.batch_size`; 0 for NULL. */
SP_API int64_t sp_loader_batch_size(const sp_loader *loader);

/* Sets the examples in a batch, 1 or more, from the next epoch on. */
SP_API sp_status sp_loader_set_batch_size(sp_loader *loader, int64_t batch_size);

/* One batch: x (b, …), y (b, …), its number in the epoch. The rest is the library's. */
typedef struct sp_batch {
    sp_tensor *x, *y;
    int64_t index;
    sp_scope scope;
    void *iterator;
} sp_batch;

/* sp_foreach_batch (batch, loader) { … }: each iteration is a scope; break, continue and return are as in any loop. A
 * loader that fails ends the loop and leaves the cause (sp_error_status). */
#define sp_foreach_batch(name, loader)                                                                                 \
    for (sp_batch name SP__CLEANUP(sp_batch_end) = sp_batch_first(loader); name.x; sp_batch_next(&name))

/* Begins an epoch: its first batch in a scope of its own. x is NULL when there is none, or after an error. */
SP_API sp_batch sp_batch_first(sp_loader *loader);

/* Closes the batch's scope and takes the next batch in a new one; x is NULL after the last. */
SP_API void sp_batch_next(sp_batch *batch);

/* Ends an epoch, however far it has come: closes the scope and stops the workers. A second call does nothing. */
SP_API void sp_batch_end(sp_batch *batch);

SP_END_DECLS

#endif

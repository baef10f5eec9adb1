/* What programs that train share: the reference networks, how good a network is, recipes, checkpoints, autoencoders and
 * their codes. */
#ifndef SPUSK_TRAIN_H
#define SPUSK_TRAIN_H

#include <spusk/data.h>
#include <spusk/io.h>
#include <spusk/optim.h>

SP_BEGIN

/* ---- networks for digits, images (N, 1, 28, 28) ---- */

/* A new network by its name: "mlp" (784-256-128-10), "cnn" (two convolutions, pooling, two Linears), "compact" (a
 * smaller one of the same kind), "example" (the network of PyTorch's own MNIST example), "ae" and "convae" (autoencoders
 * with a code of 2 numbers). SP_ERROR_NOT_FOUND for another name; the message has all names. */
SP_API sp_module *sp_model_by_name(const char *name);

/* The name of network i, from 0 on; NULL without an error after the last. */
SP_API const char *sp_model_name(int i);

/* What network i is, in a few words; NULL without an error after the last. */
SP_API const char *sp_model_summary(int i);

/* The module applied to images (N, …), which are flattened to (N, features) for one that begins with a Linear. Fails
 * where it takes another number of features. */
SP_API sp_tensor *sp_model_apply(sp_module *model, sp_tensor *images);

/* The probabilities of classes (N, classes) by a network that ends in LogSoftmax, in Softmax, or in scores. */
SP_API sp_tensor *sp_model_probabilities(sp_module *model, sp_tensor *images);

/* ---- how good a classifier is ---- */

typedef struct sp_figures {
    double loss;     /* mean negative log likelihood */
    double accuracy; /* correct/total */
    int64_t correct, total;
} sp_figures;

/* How good a model is over all batches of a loader, in evaluation mode and without gradients; the model's mode is then
 * what it was. Fails for a loader without examples. */
SP_API sp_status sp_evaluate(sp_figures *figures, sp_module *model, sp_loader *loader);

/* ---- recipes: networks with the settings that train them well ---- */

typedef struct sp_recipe {
    const char *name, *model, *summary;
    const char *optimizer; /* as in sp_optim_by_name */
    double lr;
    const char *schedule; /* "constant", "one-cycle" (lr is its top), or "exponential", by gamma after each epoch */
    double gamma;
    int64_t epochs, batch_size;
    const char *augment;  /* as in sp_transform_by_name; "": none */
    double mean, std;     /* of the images' normalisation; std 0: none */
    bool mixed;           /* in mixed precision where the processor computes in bf16 */
    bool validation_only; /* its accuracy is measured on the validation half only */
} sp_recipe;

/* The recipe of a name. SP_ERROR_NOT_FOUND for another name; the message has all names. */
SP_API const sp_recipe *sp_recipe_by_name(const char *name);

/* Recipe i, from 0 on; NULL without an error after the last. */
SP_API const sp_recipe *sp_recipe_at(int i);

/* An optimiser by its name: "sgd", "adagrad", "adadelta", "rmsprop", "adam", "adamw", "adamax" or "nadam". */
SP_API sp_optimizer *sp_optim_by_name(const char *name, const sp_list *parameters,
                                      const sp_optim_options *options SP_OR_NULL);
#define sp_optim_by_name(...) SP__CALL2(sp_optim_by_name, sp_optim_options, __VA_ARGS__)

/* A classifier's loss by its name, from the logarithms of its probabilities (n, classes) and labels (n): "nll", the
 * cross-entropy; "mse" and "l1", the mean squared and absolute error of the probabilities. */
SP_API sp_tensor *sp_loss_by_name(const char *name, sp_tensor *output, sp_tensor *labels);

/* A schedule by its name, as in a recipe, for `epochs` of `steps` batches each: sp_scheduler_step follows each batch.
 * The optimiser's rate is where it begins, or the top of the cycle. */
SP_API sp_scheduler *sp_schedule_by_name(const char *name, sp_optimizer *optimizer, double gamma, int64_t epochs,
                                         int64_t steps);

/* A transform from a list of names, "shift,rotate,elastic" or some of them: up to 2 pixels, up to 10 degrees, and
 * sp_transform_elastic(34, 4). */
SP_API sp_transform *sp_transform_by_name(const char *list);

/* ---- checkpoints ---- */

/* Saves weights and buffers, the optimiser's and the schedule's state, the epochs done (0 to 10⁹), and where the
 * thread's default generator stands, as one safetensors file. */
SP_API sp_status sp_save_checkpoint(const sp_module *model, const sp_optimizer *optimizer,
                                    const sp_scheduler *scheduler, int64_t epoch, const char *path);

/* sp_save_checkpoint with metadata of the program's own, as sp_save_tensors takes it and sp_load_metadata reads it. */
SP_API sp_status sp_save_checkpoint_with(const sp_module *model, const sp_optimizer *optimizer,
                                         const sp_scheduler *scheduler, int64_t epoch, const char *path,
                                         const char *const *metadata);

/* Loads a checkpoint into a model, an optimiser and a schedule that were made as those saved, sets the thread's default
 * generator, and returns the epochs done. With the loader set to that epoch, training goes on with the same bits. -1
 * after an error, with nothing changed. */
SP_API int64_t sp_load_checkpoint(sp_module *model, sp_optimizer *optimizer, sp_scheduler *scheduler, const char *path);

/* ---- autoencoders: any module with children `encode` and `decode` ---- */

typedef enum sp_autoencoder_kind {
    SP_AUTOENCODER_DENSE = 0, /* features-256-64-code and back, ReLU between, Sigmoid behind */
    SP_AUTOENCODER_LINEAR,    /* Linear(features, code) and Linear(code, features): what PCA is a case of */
    SP_AUTOENCODER_CONV,      /* of images (n, 1, 28, 28): two convolutions and two Linears, and back */
} sp_autoencoder_kind;

typedef struct sp_autoencoder_options {
    size_t size;
    sp_autoencoder_kind kind;
    int64_t features; /* numbers in an example; default 784, a digit of 28×28 */
    SP_OPTIONS_END;
} sp_autoencoder_options;

/* A module "Autoencoder" that squeezes an example into `code` numbers, 1 to 2²⁴, and makes it again: (n, features), or
 * images, → the same. The convolutional encoder is Conv2d(1, 32, 3, stride 2, padding 1), Conv2d(32, 64, the same),
 * Linear(3136, 128), Linear(128, code), with ReLU between them. Its decoder goes back by two Linears,
 * ConvTranspose2d(64, 32, 4, stride 2, padding 1) and ConvTranspose2d(32, 1, the same), with a Sigmoid behind. */
SP_API sp_module *sp_autoencoder(int64_t code, const sp_autoencoder_options *options SP_OR_NULL);
#define sp_autoencoder(...) SP__CALL1(sp_autoencoder, sp_autoencoder_options, __VA_ARGS__)

/* The best linear autoencoder of the rows of x (m, features), without training, by sp_pca_lowrank: encode is (x -
 * mean)·V, decode is code·Vᵀ + mean. */
SP_API sp_module *sp_autoencoder_pca(sp_tensor *x, int64_t code);

/* Codes (n, code) of images (n, …) by the model's child `encode`. Images are flattened for an encoder that begins with
 * a Linear. Fails for a module without that child. */
SP_API sp_tensor *sp_encode(sp_module *model, sp_tensor *images);

/* What the model's child `decode` makes of codes (n, code); 784 numbers become images (n, 28, 28). Fails for a module
 * without that child. */
SP_API sp_tensor *sp_decode(sp_module *model, sp_tensor *codes);

/* How many numbers the model's code has, found by an encoding of one image; 0 after an error. */
SP_API int64_t sp_code_size(sp_module *model, sp_tensor *image);

/* All codes of a data set (n, code) as x and its targets as y, in order, in evaluation mode and without gradients. */
SP_API sp_example sp_encode_all(sp_module *model, sp_dataset *dataset);

/* The mean of (x - decoded)² over all images and pixels of a data set, in evaluation mode and without gradients; NaN
 * after an error. */
SP_API double sp_reconstruction_error(sp_module *model, sp_dataset *dataset);

/* ---- the space of codes ---- */

typedef struct sp_morph_options {
    size_t size;
    bool spherical; /* along arcs around the origin (slerp), not along straight lines */
    SP_OPTIONS_END;
} sp_morph_options;

/* A closed path through codes (n, code), n ≥ 2: from each to the next, and from the last to the first, in `steps` equal
 * steps each: (n·steps, code). Each code appears once. The spherical path changes lengths and angles evenly. Shoemake,
 * "Animating rotation with quaternion curves", SIGGRAPH 1985. */
SP_API sp_tensor *sp_morph(sp_tensor *codes, int64_t steps, const sp_morph_options *options SP_OR_NULL);
#define sp_morph(...) SP__CALL2(sp_morph, sp_morph_options, __VA_ARGS__)

/* The codes on a grid over a rectangle of the plane, borders included, row by row from the top: (rows·columns, 2).
 * Fails for more than 2²⁴ of them. */
SP_API sp_tensor *sp_code_grid(int64_t rows, int64_t columns, double left, double right, double bottom, double top);

/* The largest principal angle, in degrees, between the spans of the columns of a (n, p) and of b (n, q): 0 when one
 * span contains the other. NaN after an error, as for columns that depend on each other. Björck and Golub, "Numerical
 * methods for computing angles between linear subspaces", Math. Comp. 27, 1973. */
SP_API double sp_subspace_angle(sp_tensor *a, sp_tensor *b);

SP_END_DECLS

#endif

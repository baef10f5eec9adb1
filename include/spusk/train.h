/* What programs that train share, and the lesson's examples spell out: autoencoders, codes, loops through codes. */
#ifndef SPUSK_TRAIN_H
#define SPUSK_TRAIN_H

#include <spusk/data.h>
#include <spusk/nn.h>

SP_BEGIN

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
} sp_autoencoder_options;
/* A module "Autoencoder" that squeezes an example into `code` ≥ 1 numbers and makes it again: (n, features), or images,
 * → the same. The convolutional one's encoder: Conv2d(1, 32, 3, stride 2, padding 1), Conv2d(32, 64, the same),
 * Linear(3136, 128), Linear(128, code), ReLU between; the decoder turns it round with ConvTranspose2d(64, 32, 4, stride
 * 2, padding 1) and ConvTranspose2d(32, 1, the same), Sigmoid behind. */
SP_API sp_module *sp_autoencoder(int64_t code, const sp_autoencoder_options *options);
#define sp_autoencoder(...) SP__CALL1(sp_autoencoder, sp_autoencoder_options, __VA_ARGS__)
/* The best linear autoencoder of the rows of x (m, features), without training: principal components. encode is
 * (x - mean)·V, decode its inverse on the plane. */
SP_API sp_module *sp_autoencoder_pca(sp_tensor *x, int64_t code);

/* Images (n, …) → codes (n, code), and codes → what is decoded in the images' form: (n, 28, 28) where a dense decoder
 * gives 784 numbers. Images are flattened for an encoder that begins with a Linear. Both fail on a module without these
 * children. */
SP_API sp_tensor *sp_encode(sp_module *model, sp_tensor *images);
SP_API sp_tensor *sp_decode(sp_module *model, sp_tensor *codes);
/* The numbers in the model's code, found by trying the encoder on one image; 0 after an error. */
SP_API int64_t sp_code_size(sp_module *model, sp_tensor *image);
/* All codes of a data set (n, code) and its targets, in order, in eval mode and without gradients. */
SP_API sp_example sp_encode_all(sp_module *model, sp_dataset *dataset);
/* Σ(x - decoded)²/count over all images and pixels of a data set, likewise; NaN after an error. */
SP_API double sp_reconstruction_error(sp_module *model, sp_dataset *dataset);

/* ---- the space of codes ---- */

typedef struct sp_morph_options {
    size_t size;
    bool spherical; /* along arcs around the origin (slerp), not along straight lines */
} sp_morph_options;
/* A closed path through codes (n, code), n ≥ 2: from each to the next, and from the last to the first, in `steps` equal
 * steps: (n·steps, code). A point at a joint appears once, also at the end, where the first follows. Spherical: lengths
 * and angles go evenly. Shoemake, "Animating rotation with quaternion curves", SIGGRAPH 1985. */
SP_API sp_tensor *sp_morph(sp_tensor *codes, int64_t steps, const sp_morph_options *options);
#define sp_morph(...) SP__CALL2(sp_morph, sp_morph_options, __VA_ARGS__)
/* The codes on a grid over a rectangle of the plane, row by row from the top, borders included: (rows·columns, 2). */
SP_API sp_tensor *sp_code_grid(int64_t rows, int64_t columns, double left, double right, double bottom, double top);
/* The largest angle, in degrees, between a line in the span of a's columns (n, p) and that of b's (n, q): 0 when the
 * one contains the other. Fails where columns of one depend on each other. NaN after an error. Björck and Golub,
 * "Numerical methods for computing angles between linear subspaces", Math. Comp. 27, 1973. */
SP_API double sp_subspace_angle(sp_tensor *a, sp_tensor *b);

SP_END_DECLS

#endif

/* What operators on images share: (C, H, W), or in a batch (N, C, H, W), as kernels see them. */
#ifndef SPUSK_IMAGES_H
#define SPUSK_IMAGES_H

#include "ops/elementwise.h"

/* Height and width. */
typedef struct sp__pair {
    int64_t v[2];
} sp__pair;

/* PyTorch's number-or-pair: the pair where either is not 0, else the number for both; `absent` for 0 (SP_ZERO is 0). */
sp__pair sp__pair_of(int64_t number, const int64_t pair[2], int64_t absent);
bool sp__pair_least(sp__pair pair, int64_t least);
/* Fails unless both lie in [least, 2^31): then sums of a few of them, and products of two, fit. */
sp_status sp__check_pair(const char *function, const char *name, sp__pair pair, int64_t least);

/* In infer: input i is floating point and an image or a batch of them. */
sp_status sp__check_images(const sp_call *call, int i);
/* The same, and nothing but the batch's size is 0. */
sp_status sp__check_filled_images(const sp_call *call, int i);
int64_t sp__image_batch(const sp_tensor *x);
int64_t sp__image_channels(const sp_tensor *x);
static inline int64_t sp__image_height(const sp_tensor *x)
{
    return x->sizes[x->ndim - 2];
}
static inline int64_t sp__image_width(const sp_tensor *x)
{
    return x->sizes[x->ndim - 1];
}
/* With strides of four dimensions. */
sp__operand sp__image_operand(const sp_tensor *x);
/* In infer: output i, with the batch, channels and order of dimensions of `like`, and this height and width. */
sp_status sp__image_output(sp_call *call, int i, sp_dtype dtype, const sp_tensor *like, int64_t height, int64_t width);
/* Whether x's shape is that of `like` with this height and width. */
bool sp__image_fits(const sp_tensor *x, const sp_tensor *like, int64_t height, int64_t width);

/* In forward of a gradient: output 0 (x) from input 0 (y) and input 1, if there is one, by `run`, which adds up; in f32
 * where they are bf16, so that sums are rounded once. */
typedef sp_status sp__image_run(const void *attributes, const sp_tensor *x, const sp_tensor *y, const sp_tensor *other);
sp_status sp__image_sums(sp_call *call, sp__image_run *run);
/* Reflect or replicate: x, an image or a batch, with more before and after its last two dimensions. */
sp_tensor *sp__pad_by_image(sp_tensor *x, sp_pad_mode mode, const int64_t before[2], const int64_t after[2]);

#endif

/* Random distortions of images: each pixel of the result is read, by a bilinear mean of four, from a place nearby.
 *
 * Simard, Steinkraus, Platt, "Best practices for convolutional neural networks applied to visual document analysis",
 * ICDAR 2003, for the elastic one. Sines, like all that is drawn, are the same on every machine: no libm. */
#include "data_private.h"

#include <math.h>

/* Where each pixel of the result comes from, as distances from its own place. */
typedef struct field {
    int64_t height, width;
    float *down, *right; /* height·width each */
} field;

static size_t field_bytes(const field *f)
{
    return (size_t)(f->height * f->width) * sizeof(float);
}

static sp_status field_open(field *f, const sp_tensor *x)
{
    const int n = sp_ndim(x);
    *f = (field){sp_size(x, n - 2), sp_size(x, n - 1), NULL, NULL};
    if (!field_bytes(f)) {
        sp_raise(SP_ERROR_SHAPE, "a distortion needs an image with pixels");
        return SP_ERROR_SHAPE;
    }
    f->down = sp_alloc(2 * field_bytes(f));
    if (!f->down) return SP_ERROR_MEMORY;
    f->right = f->down + f->height * f->width;
    return SP_OK;
}

static void field_close(field *f)
{
    if (f->down) sp_free(f->down, 2 * field_bytes(f));
}

/* ---- reading an image between its pixels ---- */

static float pixel(const float *x, const field *f, int64_t row, int64_t column)
{
    const bool inside = row >= 0 && row < f->height && column >= 0 && column < f->width;
    return inside ? x[row * f->width + column] : 0;
}

static float between(const float *x, const field *f, float row, float column)
{
    if (!(row > -1 && row < (float)f->height && column > -1 && column < (float)f->width)) return 0;
    const int64_t r = (int64_t)(row + 1) - 1, c = (int64_t)(column + 1) - 1; /* ⌊…⌋ of what is above -1 */
    const float down = row - (float)r, right = column - (float)c;
    const float above = pixel(x, f, r, c) * (1 - right) + pixel(x, f, r, c + 1) * right;
    const float below = pixel(x, f, r + 1, c) * (1 - right) + pixel(x, f, r + 1, c + 1) * right;
    return above * (1 - down) + below * down;
}

static void warp_plane(const float *x, const field *f, float *y)
{
    for (int64_t i = 0; i < f->height; i++) {
        for (int64_t j = 0; j < f->width; j++) {
            const int64_t k = i * f->width + j;
            y[k] = between(x, f, (float)i + f->down[k], (float)j + f->right[k]);
        }
    }
}

/* Every plane of x by the same field. */
static sp_tensor *warp(sp_tensor *x, const field *f)
{
    sp_tensor *from = sp_contiguous(sp_cast(x, SP_F32));
    sp_tensor *to = from ? sp_empty_as(from, SP_F32) : NULL;
    const float *in = from ? sp_const_data(from) : NULL;
    float *out = to ? sp_data(to) : NULL;
    if (!in || !out) return NULL;
    const int64_t plane = f->height * f->width;
    for (int64_t at = 0; at < sp_numel(from); at += plane) warp_plane(in + at, f, out + at);
    return sp_cast(to, sp_dtype_of(x));
}

/* ---- the distortions ---- */

static float draw_within(sp_generator *generator, double reach)
{
    return (float)((2 * sp_generator_uniform(generator) - 1) * reach);
}

static void fill_shift(field *f, const sp__distortion *d, sp_generator *generator)
{
    const float down = draw_within(generator, d->amount);
    const float right = draw_within(generator, d->amount);
    for (int64_t k = 0; k < f->height * f->width; k++) f->down[k] = down, f->right[k] = right;
}

/* By its series, for |x| ≤ π; cosine from the term 1, sine from the term x. */
static double series(double x, double term, int n)
{
    double sum = 0;
    for (; n < 40; n += 2) {
        sum += term;
        term *= -x * x / ((n + 1) * (n + 2));
    }
    return sum;
}

static void fill_rotate(field *f, const sp__distortion *d, sp_generator *generator)
{
    const double angle = (2 * sp_generator_uniform(generator) - 1) * d->amount * (3.14159265358979323846 / 180);
    const float sine = (float)series(angle, angle, 1), lost = (float)(series(angle, 1, 0) - 1);
    const float middle_row = (float)(f->height - 1) / 2, middle_column = (float)(f->width - 1) / 2;
    for (int64_t i = 0; i < f->height; i++) {
        for (int64_t j = 0; j < f->width; j++) {
            const float row = (float)i - middle_row, column = (float)j - middle_column;
            f->down[i * f->width + j] = lost * row + sine * column;
            f->right[i * f->width + j] = lost * column - sine * row;
        }
    }
}

/* One pass of the blur along steps of `step`: out = Σ weights·in, what is outside being 0. */
static void blur_line(const float *in, float *out, int64_t n, int64_t step, const sp__distortion *d)
{
    for (int64_t i = 0; i < n; i++) {
        const int64_t first = i < d->radius ? -i : -d->radius, last = n - 1 - i < d->radius ? n - 1 - i : d->radius;
        float sum = 0;
        for (int64_t k = first; k <= last; k++) sum += d->weights[k < 0 ? -k : k] * in[(i + k) * step];
        out[i * step] = sum;
    }
}

static void blur(float *values, float *scratch, const field *f, const sp__distortion *d)
{
    for (int64_t i = 0; i < f->height; i++) blur_line(values + i * f->width, scratch + i * f->width, f->width, 1, d);
    for (int64_t j = 0; j < f->width; j++) blur_line(scratch + j, values + j, f->height, f->width, d);
}

static sp_status fill_elastic(field *f, const sp__distortion *d, sp_generator *generator)
{
    const int64_t n = f->height * f->width;
    float *scratch = sp_alloc(field_bytes(f));
    if (!scratch) return SP_ERROR_MEMORY;
    for (int64_t k = 0; k < n; k++) f->down[k] = draw_within(generator, d->amount);
    for (int64_t k = 0; k < n; k++) f->right[k] = draw_within(generator, d->amount);
    blur(f->down, scratch, f, d);
    blur(f->right, scratch, f, d);
    sp_free(scratch, field_bytes(f));
    return SP_OK;
}

/* e^-x for x of 0 or more, the same with every C library: of a small x by the series, and then squared. */
static double falling(double x)
{
    int halved = 0;
    double sum = 1;
    for (; x > 0.0625 && halved < 64; halved++) x /= 2;
    for (int k = 12; k >= 1; k--) sum = 1 - sum * x / k;
    for (; halved > 0; halved--) sum *= sum;
    return sum;
}

void sp__distortion_init(sp__distortion *d, sp__distortion_rule rule, double amount, double sigma)
{
    *d = (sp__distortion){.rule = rule, .amount = amount};
    if (rule != SP__ELASTIC) return;
    d->radius = (int64_t)(3 * sigma + 0.5);
    const double q = falling(1 / (2 * sigma * sigma));
    double total = 0, weights[SP__BLUR_REACH + 1], weight = 1, step = q;
    for (int64_t k = 0; k <= d->radius; k++) { /* q^(k²), by q^(2k+1) from one to the next */
        weights[k] = weight;
        total += k ? 2 * weight : weight;
        weight *= step;
        step *= q * q;
    }
    for (int64_t k = 0; k <= d->radius; k++) d->weights[k] = (float)(weights[k] / total);
}

sp_tensor *sp__distort(sp_tensor *x, const sp__distortion *d, sp_generator *generator)
{
    field f;
    if (!sp_dtype_is_floating_point(sp_dtype_of(x)) || sp_ndim(x) < 2) {
        sp_raise(SP_ERROR_DTYPE,
                 "a distortion is for floating point images (H, W) or (C, H, W), not for %s of %d "
                 "dimensions: put sp_transform_to_tensor() before it",
                 sp_dtype_name(sp_dtype_of(x)), sp_ndim(x));
        return NULL;
    }
    if (field_open(&f, x)) return NULL;
    sp_status status = SP_OK;
    switch (d->rule) {
    case SP__SHIFT: fill_shift(&f, d, generator); break;
    case SP__ROTATE: fill_rotate(&f, d, generator); break;
    case SP__ELASTIC: status = fill_elastic(&f, d, generator); break;
    }
    sp_tensor *y = status ? NULL : warp(x, &f);
    field_close(&f);
    return y;
}

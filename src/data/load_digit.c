/* A photograph or drawing of a digit, brought into the form of MNIST: light strokes on black, the digit 20 pixels
 * large in a field of 28 by 28, its centre of mass in the middle (LeCun, Cortes, Burges, the page of the data set).
 *
 * 1. The paper is a grey that changes slowly: it is fitted, from the border's median on, and taken off (digit_paper.c).
 * 2. Thin lines that run across the picture are erased, but for the strokes that cross them.
 * 3. A sheet on a table, or a picture with a frame, has the digit inside: what lies within a rectangle is tried first.
 * 4. Ink is what differs from the paper, to the side where more does; the heaviest piece of it that does not come in
 * from the edge, with the strokes near it, is the digit (digit_ink.c). Its darkest tenths become 1, all else 0.
 * 5. The digit is scaled and centred, unless the picture has MNIST's size already. */
#include "digit.h"

#include <math.h>
#include <spusk/data.h>
#include <spusk/functional.h>
#include <spusk/io.h>
#include <spusk/pointwise.h>
#include <spusk/views.h>

enum { FIELD = 28, DIGIT = 20, LARGEST = 1024 /* sides of a picture in which the ink is looked for */ };

/* The mean over a rectangle with fractional corners. */
static float area_mean(const sp__picture *p, double top, double left, double bottom, double right)
{
    double sum = 0, area = 0;
    for (int64_t i = (int64_t)floor(top); (double)i < bottom; i++)
        for (int64_t j = (int64_t)floor(left); (double)j < right; j++) {
            double h = fmin((double)(i + 1), bottom) - fmax((double)i, top);
            double w = fmin((double)(j + 1), right) - fmax((double)j, left);
            sum += (double)sp__at(p, i, j) * h * w;
            area += h * w;
        }
    return area > 0 ? (float)(sum / area) : 0;
}

/* Draws the ink into the field, scaled to DIGIT pixels, with its corner at (top, left). */
static void draw(const sp__picture *p, sp__box ink, float *field, int64_t top, int64_t left)
{
    double step = (double)(ink.h > ink.w ? ink.h : ink.w) / DIGIT;
    for (int64_t i = 0; i < FIELD; i++)
        for (int64_t j = 0; j < FIELD; j++) {
            double y = (double)(i - top) * step, x = (double)(j - left) * step;
            bool inside = y > -step && x > -step && y < (double)ink.h && x < (double)ink.w;
            y += (double)ink.top, x += (double)ink.left;
            field[i * FIELD + j] = inside ? area_mean(p, y, x, y + step, x + step) : 0;
        }
}

/* To the nearest whole number, a half to the smaller. */
static int64_t whole(double x)
{
    return (int64_t)trunc(x + copysign(0.499, x));
}

/* How far the centre of mass lies from pixel (14, 14), where it is in MNIST, in whole pixels down and to the right. */
static void off_centre(const float *field, int64_t *down, int64_t *right)
{
    double mass = 0, y = 0, x = 0;
    for (int64_t i = 0; i < FIELD * FIELD; i++) {
        mass += (double)field[i];
        int64_t row = i / FIELD, column = i % FIELD;
        y += (double)field[i] * (double)row;
        x += (double)field[i] * (double)column;
    }
    *down = mass > 0 ? whole(y / mass - FIELD / 2.0) : 0;
    *right = mass > 0 ? whole(x / mass - FIELD / 2.0) : 0;
}

/* The values are clamped after the mean is taken, because in a mean noise of both signs cancels. */
static sp_tensor *clamped(const float *field)
{
    sp_tensor *x = sp_from_data(field, SP_DIMS(1, 1, FIELD, FIELD));
    return sp_clamp(x, 0, 1);
}

static sp_tensor *centre(const sp__picture *p, sp__box ink)
{
    float field[FIELD * FIELD];
    int64_t top = (FIELD - DIGIT) / 2, down, right;
    draw(p, ink, field, top, top);
    off_centre(field, &down, &right);
    draw(p, ink, field, top - down, top - right);
    return clamped(field);
}

/* ---- from a picture to its ink ---- */

/* A copy of a part; data NULL after an error. */
static sp__picture part_of(const sp__picture *p, sp__box part)
{
    sp__picture copy = {part.h, part.w, sp_alloc((size_t)(part.h * part.w) * sizeof(float))};
    for (int64_t i = 0; copy.data && i < part.h; i++)
        memcpy(copy.data + i * part.w, p->data + (part.top + i) * p->w + part.left, (size_t)part.w * sizeof(float));
    return copy;
}

static void drop_picture(const sp__picture *p)
{
    sp_free(p->data, (size_t)(p->h * p->w) * sizeof(float));
}

/* A sheet: its sides are straight and full, as no digit's are, and it has some width. */
static bool is_sheet(const sp__picture *p, sp__box b)
{
    int64_t full = 0, all = 0;
    if (b.h < 12 || b.w < 12 || 6 * b.h < p->h || 6 * b.w < p->w || b.h > 3 * b.w || b.w > 3 * b.h) return false;
    for (int64_t j = b.left + 1; j < b.left + b.w - 1; j++, all += 2)
        full += (fabsf(sp__at(p, b.top + 1, j)) > 0.5F) + (fabsf(sp__at(p, b.top + b.h - 2, j)) > 0.5F);
    for (int64_t i = b.top + 1; i < b.top + b.h - 1; i++, all += 2)
        full += (fabsf(sp__at(p, i, b.left + 1)) > 0.5F) + (fabsf(sp__at(p, i, b.left + b.w - 2)) > 0.5F);
    return 20 * full >= 17 * all;
}

static sp_status find_digit(sp__picture *p, sp__box *box, int depth);

/* Looks for ink inside of a sheet, in the original picture. A long or small sheet without ink in it is a stroke. */
static sp_status look_inside(sp__picture *p, const sp__picture *grey, sp__box *box, int depth)
{
    const int64_t edge = 1 + (box->h + box->w) / 100;
    const sp__box inner = {box->top + edge, box->left + edge, box->h - 2 * edge, box->w - 2 * edge};
    const bool stroke = 5 * box->h > 9 * box->w || 3 * box->h * box->w < p->h * p->w;
    sp__box found = {0};
    sp__picture sheet = part_of(grey, inner);
    const sp_status status = sheet.data ? find_digit(&sheet, &found, depth + 1) : sp_error_status();
    if (status == SP_OK && (found.h > 0 || !stroke)) {
        memset(p->data, 0, (size_t)(p->h * p->w) * sizeof(float));
        for (int64_t i = 0; i < inner.h; i++)
            memcpy(p->data + (inner.top + i) * p->w + inner.left, sheet.data + i * inner.w,
                   (size_t)inner.w * sizeof(float));
        *box = (sp__box){found.top + inner.top, found.left + inner.left, found.h, found.w};
    }
    if (sheet.data) drop_picture(&sheet);
    return status;
}

/* Leaves the ink in the picture, and finds the box around it. */
static sp_status find_digit(sp__picture *p, sp__box *box, int depth)
{
    sp__picture grey = part_of(p, (sp__box){0, 0, p->h, p->w});
    if (!grey.data) return sp_error_status();
    const double noise = sp__take_off_paper(p);
    sp_status status = noise < 0 ? sp_error_status() : SP_OK;
    if (status == SP_OK) sp__erase_lines(p, noise);
    if (status == SP_OK) status = sp__find_ink(p, noise, box);
    if (status == SP_OK && depth < 2 && box->h > 0 && is_sheet(p, *box)) status = look_inside(p, &grey, box, depth);
    drop_picture(&grey);
    return status;
}

/* Makes a large picture smaller by the means of k × k pixels, since a digit has few pixels in the end. The result is
 * floating, in [0, 1]; NULL after an error. */
static sp_tensor *load_grey(const char *path)
{
    sp_tensor *grey = sp_load_png(path, 1);
    const int64_t h = sp_size(grey, 1), w = sp_size(grey, 2), larger = h > w ? h : w,
                  k = (larger + LARGEST - 1) / LARGEST;
    sp_tensor *values = sp_div_scalar(sp_cast(grey, SP_F32), 255);
    if (k > 1 && h >= k && w >= k) values = sp_avg_pool2d(sp_unsqueeze(values, 0), k);
    return values ? sp_reshape(values, sp_size(values, -2), sp_size(values, -1)) : NULL;
}

static sp_tensor *digit_of(const char *path)
{
    sp_tensor *values = sp_clone(load_grey(path));
    sp__picture p = {sp_size(values, 0), sp_size(values, 1), sp_data(values)};
    sp__box box;
    if (!p.data || find_digit(&p, &box, 0)) return NULL;
    if (box.h > 0) return p.h == FIELD && p.w == FIELD ? clamped(p.data) : centre(&p, box);
    sp_raise(SP_ERROR_FORMAT,
             "sp_load_digit: %s: there is no ink in the picture, nothing that stands out from its paper", path);
    return NULL;
}

sp_tensor *sp_load_digit(const char *path)
{
    if (!path) {
        sp_raise_null("sp_load_digit", "path");
        return NULL;
    }
    sp_tensor *digit = NULL;
    SP_NO_GRAD {
        digit = sp_escape(digit_of(path));
    }
    return digit;
}

/* A photograph or drawing of a digit, brought into the form of MNIST: light strokes on black, the digit 20 pixels
 * large in a field of 28 by 28, its centre of mass in the middle (LeCun, Cortes, Burges, the page of the data set). */
#include <math.h>
#include <spusk/data.h>
#include <spusk/extend.h>
#include <spusk/io.h>

#define FIELD 28
#define DIGIT 20

typedef struct picture {
    int64_t h, w;
    float *data;
} picture;

typedef struct box {
    int64_t top, left, h, w;
} box;

static float at(const picture *p, int64_t i, int64_t j)
{
    return i >= 0 && j >= 0 && i < p->h && j < p->w ? p->data[i * p->w + j] : 0;
}

/* Dark on light is turned round: the border tells which it is. */
static void turn_light_on_dark(picture *p)
{
    double sum = 0;
    for (int64_t j = 0; j < p->w; j++) sum += (double)(at(p, 0, j) + at(p, p->h - 1, j));
    for (int64_t i = 0; i < p->h; i++) sum += (double)(at(p, i, 0) + at(p, i, p->w - 1));
    if (sum / (2.0 * (double)(p->h + p->w)) <= 0.5) return;
    for (int64_t i = 0; i < p->h * p->w; i++) p->data[i] = 1 - p->data[i];
}

/* Where the ink is: all that is brighter than a fifth of the brightest. */
static box find_ink(const picture *p)
{
    float brightest = 0;
    int64_t top = p->h, left = p->w, bottom = -1, right = -1;
    for (int64_t i = 0; i < p->h * p->w; i++) brightest = fmaxf(brightest, p->data[i]);
    for (int64_t i = 0; i < p->h; i++)
        for (int64_t j = 0; j < p->w; j++) {
            if (at(p, i, j) <= brightest * 0.2f) continue;
            if (i < top) top = i;
            if (i > bottom) bottom = i;
            if (j < left) left = j;
            if (j > right) right = j;
        }
    return bottom < 0 ? (box){0, 0, p->h, p->w} : (box){top, left, bottom - top + 1, right - left + 1};
}

/* The mean over a rectangle with fractional corners. */
static float area_mean(const picture *p, double top, double left, double bottom, double right)
{
    double sum = 0, area = 0;
    for (int64_t i = (int64_t)floor(top); (double)i < bottom; i++)
        for (int64_t j = (int64_t)floor(left); (double)j < right; j++) {
            double h = fmin((double)(i + 1), bottom) - fmax((double)i, top);
            double w = fmin((double)(j + 1), right) - fmax((double)j, left);
            sum += (double)at(p, i, j) * h * w;
            area += h * w;
        }
    return area > 0 ? (float)(sum / area) : 0;
}

/* The ink scaled to DIGIT pixels, drawn into the field with its corner at (top, left). */
static void draw(const picture *p, box ink, float *field, int64_t top, int64_t left)
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

/* How far the centre of mass lies from the middle of the field, in whole pixels down and to the right. */
static void off_centre(const float *field, int64_t *down, int64_t *right)
{
    double mass = 0, y = 0, x = 0;
    for (int64_t i = 0; i < FIELD * FIELD; i++) {
        mass += (double)field[i];
        int64_t row = i / FIELD, column = i % FIELD;
        y += (double)field[i] * (double)row;
        x += (double)field[i] * (double)column;
    }
    *down = mass > 0 ? (int64_t)lround(y / mass - (FIELD - 1) / 2.0) : 0;
    *right = mass > 0 ? (int64_t)lround(x / mass - (FIELD - 1) / 2.0) : 0;
}

static sp_tensor *centre(const picture *p)
{
    float field[FIELD * FIELD];
    box ink = find_ink(p);
    int64_t top = (FIELD - DIGIT) / 2, down, right;
    draw(p, ink, field, top, top);
    off_centre(field, &down, &right);
    draw(p, ink, field, top - down, top - right);
    return sp_from_data(field, SP_DIMS(1, 1, FIELD, FIELD));
}

sp_tensor *sp_load_digit(const char *path)
{
    if (!path) {
        sp_raise_null("sp_load_digit", "path");
        return NULL;
    }
    sp_tensor *digit = NULL;
    SP_NO_GRAD {
        sp_tensor *grey = sp_load_png(path, 1);
        sp_tensor *values = sp_clone(sp_div_scalar(sp_cast(grey, SP_F32), 255));
        picture p = {sp_size(grey, 1), sp_size(grey, 2), sp_data(values)};
        if (p.data) {
            turn_light_on_dark(&p);
            digit = sp_escape(p.h == FIELD && p.w == FIELD ? sp_view(values, 1, 1, FIELD, FIELD) : centre(&p));
        }
    }
    return digit;
}

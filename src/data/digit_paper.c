/* The paper under a digit: whatever its grey, also where light falls on it from one side, and without the lines that
 * are printed on it. */
#include "digit.h"

#include <math.h>
#include <stdlib.h>

enum { RING = 1024, GRID = 48, MOST_POINTS = GRID * GRID, TERMS = 6, ROUNDS = 8 };

typedef struct point {
    double x, y, v; /* x, y in [-1, 1] */
} point;

/* v = c0 + c1·x + c2·y + c3·x² + c4·x·y + c5·y² */
typedef struct paper {
    double c[TERMS];
} paper;

static void terms_of(double x, double y, double t[TERMS])
{
    const double all[TERMS] = {1, x, y, x * x, x * y, y * y};
    memcpy(t, all, sizeof all);
}

static double grey_of(const paper *f, double x, double y)
{
    double t[TERMS], sum = 0;
    terms_of(x, y, t);
    for (int i = 0; i < TERMS; i++) sum += f->c[i] * t[i];
    return sum;
}

static point point_at(const sp__picture *p, int64_t i, int64_t j)
{
    const double x = p->w > 1 ? 2 * (double)j / (double)(p->w - 1) - 1 : 0;
    const double y = p->h > 1 ? 2 * (double)i / (double)(p->h - 1) - 1 : 0;
    return (point){x, y, (double)p->data[i * p->w + j]};
}

/* ---- samples ---- */

static int sample_ring(const sp__picture *p, point *points)
{
    int n = 0;
    for (int k = 0; k < RING / 4; k++) {
        const int64_t j = k * (p->w - 1) / (RING / 4 - 1), i = k * (p->h - 1) / (RING / 4 - 1);
        points[n++] = point_at(p, 0, j);
        points[n++] = point_at(p, p->h - 1, j);
        points[n++] = point_at(p, i, 0);
        points[n++] = point_at(p, i, p->w - 1);
    }
    return n;
}

static int sample_grid(const sp__picture *p, point *points)
{
    int n = 0;
    for (int a = 0; a < GRID; a++)
        for (int b = 0; b < GRID; b++)
            points[n++] = point_at(p, a * (p->h - 1) / (GRID - 1), b * (p->w - 1) / (GRID - 1));
    return n;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, int n)
{
    if (n == 0) return 0;
    qsort(values, (size_t)n, sizeof *values, compare);
    return values[n / 2];
}

/* The standard deviation from the paper, over points that are not further from it than `most`. It goes by the median,
 * which a few strokes do not move. */
static double spread(const paper *f, const point *points, int n, double most)
{
    double distances[MOST_POINTS];
    int kept = 0;
    for (int k = 0; k < n; k++) {
        const double d = fabs(points[k].v - grey_of(f, points[k].x, points[k].y));
        if (d <= most) distances[kept++] = d;
    }
    return 1.4826 * median(distances, kept);
}

/* ---- fitting ---- */

/* Solves the normal equations a·c = b by elimination; false where they have no one solution. */
static bool solve(int n, double a[TERMS][TERMS + 1], double c[TERMS])
{
    for (int k = 0; k < n; k++) {
        int best = k;
        for (int i = k + 1; i < n; i++)
            if (fabs(a[i][k]) > fabs(a[best][k])) best = i;
        if (fabs(a[best][k]) < 1e-9) return false;
        for (int j = 0; j <= n; j++) {
            const double swap = a[k][j];
            a[k][j] = a[best][j];
            a[best][j] = swap;
        }
        for (int i = 0; i < n; i++) {
            const double factor = i == k ? 0 : a[i][k] / a[k][k];
            for (int j = k; j <= n && factor != 0; j++) a[i][j] -= factor * a[k][j];
        }
    }
    for (int k = 0; k < n; k++) c[k] = a[k][n] / a[k][k];
    return true;
}

/* Fits the paper by least squares over the points that are near the old fit. The old fit stays where these are too few.
 */
static void fit(paper *f, int terms, const point *points, int n, double near)
{
    double a[TERMS][TERMS + 1] = {{0}}, t[TERMS];
    paper next = {{0}};
    int used = 0;
    for (int k = 0; k < n; k++) {
        const double v = points[k].v;
        if (fabs(v - grey_of(f, points[k].x, points[k].y)) > near) continue;
        terms_of(points[k].x, points[k].y, t);
        for (int i = 0; i < terms; i++) {
            for (int j = 0; j < terms; j++) a[i][j] += t[i] * t[j];
            a[i][terms] += t[i] * v;
        }
        used++;
    }
    if (used < n / 4 || !solve(terms, a, next.c)) return;
    *f = next;
}

/* Finds the paper. The border is nearly all paper, so its median is the beginning. Then a plane is fitted through the
 * border, then a bowl through all that lies near it, for light that falls off towards the corners. */
static double find_paper(const sp__picture *p, paper *f, point *points)
{
    enum { PLANE = 3 };
    double values[RING];
    int n = sample_ring(p, points);
    for (int k = 0; k < n; k++) values[k] = points[k].v;
    *f = (paper){{median(values, n)}};
    for (int round = 0; round < ROUNDS; round++) fit(f, PLANE, points, n, fmax(2.5 * spread(f, points, n, 2), 0.02));
    const double near = fmax(3 * spread(f, points, n, 2), 0.05);
    n = sample_grid(p, points);
    for (int round = 0; round < ROUNDS; round++) fit(f, TERMS, points, n, near);
    return spread(f, points, n, near);
}

double sp__take_off_paper(sp__picture *p)
{
    paper f;
    point *points = sp_alloc(MOST_POINTS * sizeof *points);
    if (!points) return -1;
    const double noise = find_paper(p, &f, points);
    sp_free(points, MOST_POINTS * sizeof *points);
    for (int64_t i = 0; i < p->h; i++)
        for (int64_t j = 0; j < p->w; j++) {
            const point here = point_at(p, i, j);
            p->data[i * p->w + j] = (float)(here.v - grey_of(&f, here.x, here.y));
        }
    return noise;
}

/* ---- ruled lines ---- */

/* Rows, or columns, of a picture: `n` of them, each `length` long. */
typedef struct rows {
    float *data;
    int64_t n, length, step, along; /* step from row to row, and along one */
} rows;

static float value(const rows *r, int64_t i, int64_t j)
{
    return i >= 0 && i < r->n ? r->data[i * r->step + j * r->along] : 0;
}

/* Whether ink runs along nearly all of a row. Small gaps are allowed. */
static bool is_ruled(const rows *r, int64_t i, float sign, float least)
{
    enum { GAP = 3 };
    const int64_t wanted = r->length * (r->length > 40 ? 70 : 95) / 100;
    int64_t first = -1, gap = 0;
    for (int64_t j = 0; j < r->length; j++) {
        if (sign * value(r, i, j) > least) {
            if (first < 0) first = j;
            gap = 0;
            if (j - first + 1 >= wanted) return true;
        } else if (++gap > GAP) {
            first = -1;
        }
    }
    return false;
}

/* Erases a line. A place of it stays as dark as the places above and below it, because a stroke may cross it there. */
static void erase(const rows *r, int64_t from, int64_t to, float sign)
{
    for (int64_t j = 0; j < r->length; j++) {
        const float above = value(r, from - 1, j), below = value(r, to + 1, j);
        const float stays = sign * above < sign * below ? above : below;
        for (int64_t i = from; i <= to; i++) r->data[i * r->step + j * r->along] = stays;
    }
}

static void erase_along(const rows *r, float sign, float least)
{
    const int64_t larger = r->n > r->length ? r->n : r->length;
    const int64_t thickest = larger * 45 / 1000 > 2 ? larger * 45 / 1000 : 2;
    for (int64_t i = 0; i < r->n; i++) {
        int64_t end = i;
        while (end < r->n && is_ruled(r, end, sign, least)) end++;
        if (end > i && end - i <= thickest) erase(r, i > 0 ? i - 1 : 0, end < r->n ? end : r->n - 1, sign);
        i = end;
    }
}

void sp__erase_lines(sp__picture *p, double noise)
{
    const rows across = {p->data, p->h, p->w, p->w, 1}, down = {p->data, p->w, p->h, 1, p->w};
    for (int side = -1; side <= 1; side += 2) {
        float most = 0;
        const float sign = (float)side;
        for (int64_t i = 0; i < p->h * p->w; i++) most = fmaxf(most, sign * p->data[i]);
        const float least = fmaxf((float)fmax(3 * noise, 0.03), 0.2f * most);
        erase_along(&across, sign, least);
        erase_along(&down, sign, least);
    }
}

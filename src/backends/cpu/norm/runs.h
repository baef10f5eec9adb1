/* Groups whose elements lie one after the other: images with channels first, whose groups have numbers of their own, and
 * the rows of layer_norm, whose places have. Sums run over SIXTEEN lanes, however long a vector is. columns.h says what
 * stands before. */
#include "backends/cpu/norm/moments.h"

enum { SIXTEEN = 16, VECTORS = SIXTEEN / LANES, STEP = EIGHT * SIXTEEN };

typedef struct lanes {
    wide of[VECTORS];
} lanes;

SP__INLINE double total(const lanes *s)
{
    double sum[SIXTEEN];
    memcpy(sum, s, sizeof sum);
    for (int w = SIXTEEN / 2; w > 0; w /= 2)
        for (int i = 0; i < w; i++) sum[i] += sum[i + w];
    return sum[0];
}

/* The first n lanes, and zeros behind. */
SP__INLINE vector kept(vector x, int64_t n)
{
    static const number order[SIXTEEN] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    return choose(*(const vector *)order < splat((number)n), x, (vector){0});
}

/* x - mean of the elements from x on, of which there are n; zero behind them. */
SP__INLINE vector distance(const element *x, int64_t n, vector mean)
{
    if (n >= LANES) return load(x, LANES) - mean;
    return kept(load(x, n) - mean, n);
}

SP__INLINE vector gradient(const element *g, const number *weight, int64_t n)
{
    const vector h = load(g, n);
    if (!weight) return h;
    return h * load_number(weight, n);
}

/* ---- Σ(x - mean), Σ(x - mean)² ---- */

SP__INLINE void moments_step(const element *x, vector mean, lanes s[2])
{
    for (int v = 0; v < VECTORS; v++) {
        vector d[EIGHT];
        SP__UNROLL
        for (int k = 0; k < EIGHT; k++) d[k] = load(x + k * SIXTEEN + v * LANES, LANES) - mean;
        add_wide(&s[0].of[v], sum_of(d));
        add_wide(&s[1].of[v], sum_of_products(d, d));
    }
}

static void add_moments(const element *x, int64_t n, bool few, number mean, double *sums)
{
    lanes s[2] = {0};
    int64_t i = 0;
    for (; i + STEP <= n && !few; i += STEP) moments_step(x + i, splat(mean), s);
    for (int v = 0; i < n; i += LANES, v = (v + 1) % VECTORS) {
        const vector d = distance(x + i, n - i, splat(mean));
        add_wide(&s[0].of[v], d);
        add_wide_products(&s[1].of[v], d, d);
    }
    sums[0] += total(&s[0]);
    sums[1] += total(&s[1]);
}

static void runs_moments(const sp__norm_block *b, double *sums)
{
    add_moments(b->x, b->n, b->few, *(const number *)b->mean, sums);
}

/* ---- Σh, Σh·(x - mean) ---- */

SP__INLINE void products_step(const element *x, const element *g, const number *weight, vector mean, lanes s[2])
{
    for (int v = 0; v < VECTORS; v++) {
        vector h[EIGHT], d[EIGHT];
        SP__UNROLL
        for (int k = 0; k < EIGHT; k++) {
            const int64_t at = k * SIXTEEN + v * LANES;
            d[k] = load(x + at, LANES) - mean;
            h[k] = gradient(g + at, weight ? weight + at : NULL, LANES);
        }
        add_wide(&s[0].of[v], sum_of(h));
        add_wide(&s[1].of[v], sum_of_products(h, d));
    }
}

SP__INLINE void add_run_products(const element *x, const element *g, const number *weight, int64_t n, bool few,
                                 number mean, double *sums)
{
    lanes s[2] = {0};
    int64_t i = 0;
    for (; i + STEP <= n && !few; i += STEP) products_step(x + i, g + i, weight ? weight + i : NULL, splat(mean), s);
    for (int v = 0; i < n; i += LANES, v = (v + 1) % VECTORS) {
        const vector d = distance(x + i, n - i, splat(mean));
        const vector h = gradient(g + i, weight ? weight + i : NULL, n - i);
        add_wide(&s[0].of[v], h);
        add_wide_products(&s[1].of[v], h, d);
    }
    sums[0] += total(&s[0]);
    sums[1] += total(&s[1]);
}

static void runs_products(const sp__norm_block *b, double *sums)
{
    add_run_products(b->x, b->g, NULL, b->n, b->few, *(const number *)b->mean, sums);
}

/* ---- a group's own numbers ---- */

static void runs_forward(const sp__norm_block *b)
{
    const element *x = b->x;
    element *y = b->y;
    const vector mean = splat(*(const number *)b->mean), scale = splat(*(const number *)b->scale),
                 bias = splat(*(const number *)b->bias);
    for (int64_t i = 0; i < b->n; i += LANES) store(y + i, fused(load(x + i, b->n - i) - mean, scale, bias), b->n - i);
}

static void runs_backward(const sp__norm_block *b)
{
    const element *x = b->x, *g = b->g;
    element *dx = b->y;
    const vector mean = splat(*(const number *)b->mean), scale = splat(*(const number *)b->scale);
    const vector shift = splat(*(const number *)b->shift), slope = -splat(*(const number *)b->slope);
    for (int64_t i = 0; i < b->n; i += LANES) {
        const vector h = load(g + i, b->n - i), d = load(x + i, b->n - i) - mean;
        store(dx + i, b->given ? scale * h : scale * fused(d, slope, h - shift), b->n - i);
    }
}

/* ---- rows, whose places have numbers ---- */

/* The row is read once, about its first element, or again about its mean where that was far from it. */
static void measure(const element *x, int64_t n, double *mean, double *var)
{
    double sums[2] = {0}, about = sp__norm_about((double)load(x, 1)[0]);
    add_moments(x, n, false, (number)about, sums);
    if (sp__norm_found(sums, (double)n, about, mean, var)) return;
    about = (double)(number)*mean;
    sums[0] = sums[1] = 0;
    add_moments(x, n, false, (number)about, sums);
    sp__norm_found_again(sums, (double)n, about, mean, var);
}

static void rows_forward(const sp__norm_rows *r)
{
    const number *weight = r->weight, *bias = r->bias;
    const int64_t n = r->n;
    for (int64_t i = 0; i < r->rows; i++) {
        const element *x = (const element *)r->x + i * n;
        element *y = (element *)r->y + i * n;
        measure(x, n, &r->mean[i], &r->var[i]);
        const vector mean = splat((number)r->mean[i]);
        const vector inverse = splat((number)(1 / __builtin_sqrt((double)(number)r->var[i] + r->eps)));
        for (int64_t k = 0; k < n; k += LANES) {
            const vector v = (load(x + k, n - k) - mean) * inverse;
            store(y + k, fused(v, load_number(weight + k, n - k), load_number(bias + k, n - k)), n - k);
        }
    }
}

typedef struct row {
    number mean, inverse;
} row;

static row row_at(const sp__norm_rows *r, int64_t i)
{
    return (row){(number)r->mean[i], (number)(1 / __builtin_sqrt(r->var[i] + r->eps))};
}

/* dx = (h - Σh/n - x̂·Σ(h·x̂)/n)/√(var + eps) */
static void row_gradient(const sp__norm_rows *r, int64_t i)
{
    const int64_t n = r->n;
    const element *x = (const element *)r->x + i * n, *g = (const element *)r->g + i * n;
    const number *weight = r->weight;
    element *dx = (element *)r->y + i * n;
    const row p = row_at(r, i);
    double sums[2] = {0};
    add_run_products(x, g, weight, n, false, p.mean, sums);
    const double inverse = 1 / __builtin_sqrt(r->var[i] + r->eps);
    const vector shift = splat((number)(sums[0] / (double)n));
    const vector slope = splat((number)(-sums[1] * inverse * inverse / (double)n));
    const vector mean = splat(p.mean), scale = splat(p.inverse);
    for (int64_t k = 0; k < n; k += LANES) {
        const vector h = load(g + k, n - k) * load_number(weight + k, n - k), d = load(x + k, n - k) - mean;
        store(dx + k, scale * fused(d, slope, h - shift), n - k);
    }
}

/* g, and through `normal` x̂, of the places from c on in row i. */
SP__INLINE vector place_at(const sp__norm_rows *r, int64_t i, int64_t c, int64_t left, const row *p, vector *normal)
{
    const int64_t at = i * r->n + c;
    *normal = (load((const element *)r->x + at, left) - splat(p->mean)) * splat(p->inverse);
    return load((const element *)r->g + at, left);
}

SP__INLINE void add_eight(const sp__norm_rows *r, int64_t c, int64_t left, const vector *g, const vector *normal)
{
    wide s[2] = {0};
    add_wide(&s[0], sum_of_products(g, normal));
    add_wide(&s[1], sum_of(g));
    add_lanes(r->sums + c, &s[0], left);
    add_lanes(r->sums + r->n + c, &s[1], left);
}

/* Σg·x̂ and Σg of each place over eight rows. */
static void add_places(const sp__norm_rows *r, int64_t first, const row *p)
{
    vector g[EIGHT], normal[EIGHT];
    int64_t c = 0;
    for (; c + LANES <= r->n; c += LANES) {
        SP__UNROLL
        for (int k = 0; k < EIGHT; k++) g[k] = place_at(r, first + k, c, LANES, &p[k], &normal[k]);
        add_eight(r, c, LANES, g, normal);
    }
    if (c == r->n) return;
    for (int k = 0; k < EIGHT; k++) g[k] = place_at(r, first + k, c, r->n - c, &p[k], &normal[k]);
    add_eight(r, c, r->n - c, g, normal);
}

/* Over one row of the last ones, which are fewer. */
static void add_row(const sp__norm_rows *r, int64_t i, const row *p)
{
    for (int64_t c = 0; c < r->n; c += LANES) {
        vector normal;
        const vector g = place_at(r, i, c, r->n - c, p, &normal);
        wide s[2] = {0};
        add_wide_products(&s[0], g, normal);
        add_wide(&s[1], g);
        add_lanes(r->sums + c, &s[0], r->n - c);
        add_lanes(r->sums + r->n + c, &s[1], r->n - c);
    }
}

/* Eight rows at a time, which are then still in the first cache when their places are added up. */
static void rows_backward(const sp__norm_rows *r)
{
    for (int64_t first = 0; first < r->rows; first += EIGHT) {
        const int64_t rows = r->rows - first < EIGHT ? r->rows - first : EIGHT;
        row p[EIGHT];
        for (int64_t k = 0; k < rows; k++) p[k] = row_at(r, first + k);
        for (int64_t k = 0; k < rows && r->y; k++) row_gradient(r, first + k);
        if (r->sums && rows == EIGHT)
            add_places(r, first, p);
        else
            for (int64_t k = 0; k < rows && r->sums; k++) add_row(r, first + k, &p[k]);
    }
}

#define NORM_LOOPS                                                                                                     \
    {                                                                                                                  \
        .columns = {columns_moments, columns_products, columns_forward, columns_backward},                             \
        .runs = {runs_moments, runs_products, runs_forward, runs_backward}, .rows_forward = rows_forward,              \
        .rows_backward = rows_backward                                                                                 \
    }

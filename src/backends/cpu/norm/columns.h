/* Groups that lie side by side, as channels last do: rows of `groups` elements. A lane belongs to one group, so no sum
 * depends on the length of a vector.
 *
 * A file that includes this and runs.h says before what `element`, `number`, `vector`, `mask`, LANES and HALVES are, and
 * what load, load_number, store, splat, choose, fused (a·b + c), widened (to f64) and rounded (to an element and back)
 * do. */
#include "backends/cpu/norm/eights.h"

/* What a pass meets at once: `left` groups from `c` on, in rows [first, last). */
typedef struct stretch {
    int64_t c, left, first, last;
    double *sums; /* NULL where it adds nothing up */
} stretch;

typedef void columns_pass(const sp__norm_block *b, const stretch *at);

/* So many rows at a time, that their elements stay in the first cache from vector to vector. Where rows are long, sums
 * take eight at a time, and what is written goes row by row. */
SP__INLINE void over_columns(const sp__norm_block *b, columns_pass *pass, double *sums)
{
    const int64_t least = sums ? EIGHT : 1, fit = 4096 / b->groups / EIGHT * EIGHT, step = fit > least ? fit : least;
    for (int64_t first = 0; first < b->n; first += step) {
        const int64_t last = first + step < b->n ? first + step : b->n;
        int64_t c = 0;
        for (; c + LANES <= b->groups; c += LANES) pass(b, &(stretch){c, LANES, first, last, sums});
        if (c < b->groups) pass(b, &(stretch){c, b->groups - c, first, last, sums});
    }
}

SP__INLINE void add_lanes(double *to, const wide *s, int64_t left)
{
    double lanes[LANES];
    if (left >= LANES) {
        for (int i = 0; i < HALVES; i++) *(vd *)(to + i * LANES_f64) += s->half[i];
        return;
    }
    memcpy(lanes, s, sizeof lanes);
    for (int64_t i = 0; i < left; i++) to[i] += lanes[i];
}

SP__INLINE vector element_at(const void *from, int64_t at, int64_t left)
{
    return load((const element *)from + at, left);
}

SP__INLINE vector numbers_at(const void *from, int64_t c, int64_t left)
{
    return load_number((const number *)from + c, left);
}

/* ---- Σ(x - mean), Σ(x - mean)² ---- */

SP__INLINE void moments_of(const sp__norm_block *b, int64_t at, int64_t rows, int64_t left, vector mean, wide sums[2])
{
    vector d[EIGHT];
    SP__UNROLL
    for (int k = 0; k < EIGHT; k++) {
        d[k] = (vector){0};
        if (k < rows) d[k] = element_at(b->x, at + k * b->groups, left) - mean;
    }
    add_wide(&sums[0], sum_of(d));
    add_wide(&sums[1], sum_of_products(d, d));
}

SP__INLINE void moments_pass(const sp__norm_block *b, const stretch *at)
{
    const int64_t c = at->c, left = at->left, last = at->last;
    const vector mean = numbers_at(b->mean, c, left);
    wide s[2] = {0};
    int64_t i = at->first;
    for (; i + EIGHT <= last; i += EIGHT) moments_of(b, i * b->groups + c, EIGHT, left, mean, s);
    if (i < last) moments_of(b, i * b->groups + c, last - i, left, mean, s);
    add_lanes(at->sums + c, &s[0], left);
    add_lanes(at->sums + b->groups + c, &s[1], left);
}

static void columns_moments(const sp__norm_block *b, double *sums)
{
    over_columns(b, moments_pass, sums);
}

/* ---- y = act((x - mean)·scale + bias + add) ---- */

typedef struct column {
    vector mean, scale, bias, shift, slope;
} column;

SP__INLINE column forward_column(const sp__norm_block *b, int64_t c, int64_t left)
{
    return (column){.mean = numbers_at(b->mean, c, left),
                    .scale = numbers_at(b->scale, c, left),
                    .bias = numbers_at(b->bias, c, left)};
}

SP__INLINE vector cut(vector x)
{
    return choose(x < 0, (vector){0}, x);
}

SP__INLINE void forward_rows(const sp__norm_block *b, const stretch *at, bool add, bool relu)
{
    const int64_t left = at->left;
    const column p = forward_column(b, at->c, left);
    for (int64_t i = at->first; i < at->last; i++) {
        const int64_t place = i * b->groups + at->c;
        vector y = fused(element_at(b->x, place, left) - p.mean, p.scale, p.bias);
        if (add) y = rounded(y) + element_at(b->add, place, left);
        store((element *)b->y + place, relu ? cut(y) : y, left);
    }
}

#define FORWARD(name, add, relu)                                                                                       \
    SP__INLINE void name##_pass(const sp__norm_block *b, const stretch *at)                                            \
    {                                                                                                                  \
        forward_rows(b, at, add, relu);                                                                                \
    }
FORWARD(plain, false, false)
FORWARD(relu, false, true)
FORWARD(sum, true, false)
FORWARD(sum_relu, true, true)

static void columns_forward(const sp__norm_block *b)
{
    if (b->add && b->relu)
        over_columns(b, sum_relu_pass, NULL);
    else if (b->add)
        over_columns(b, sum_pass, NULL);
    else if (b->relu)
        over_columns(b, relu_pass, NULL);
    else
        over_columns(b, plain_pass, NULL);
}

/* ---- h: the gradient behind ReLU, where it let something through ---- */

/* Which ReLU there is: none; one whose result is at hand; one whose result is computed again. */
enum gate { OPEN, BY_RESULT, BY_INPUT };

SP__INLINE vector gated(const sp__norm_block *b, enum gate gate, int64_t at, int64_t left, const column *p, vector d)
{
    const vector g = element_at(b->g, at, left);
    if (gate == OPEN) return g;
    const vector y = gate == BY_RESULT ? element_at(b->out, at, left) : fused(d, p->scale, p->bias);
    return choose(y <= 0, (vector){0}, g);
}

#define BY_GATE(pass, b, sums)                                                                                         \
    do {                                                                                                               \
        if ((b)->out)                                                                                                  \
            over_columns(b, pass##_by_result, sums);                                                                   \
        else if ((b)->relu)                                                                                            \
            over_columns(b, pass##_by_input, sums);                                                                    \
        else                                                                                                           \
            over_columns(b, pass##_open, sums);                                                                        \
    } while (0)

#define GATED_PASS(pass, name, gate)                                                                                   \
    SP__INLINE void pass##_##name(const sp__norm_block *b, const stretch *at)                                          \
    {                                                                                                                  \
        pass##_rows(b, at, gate);                                                                                      \
    }
#define GATED_PASSES(pass)                                                                                             \
    GATED_PASS(pass, open, OPEN) GATED_PASS(pass, by_result, BY_RESULT) GATED_PASS(pass, by_input, BY_INPUT)

/* ---- Σh, Σh·(x - mean); h is what goes to the addend ---- */

SP__INLINE void products_of(const sp__norm_block *b, int64_t at, int64_t rows, int64_t left, const column *p,
                            enum gate gate, wide sums[2])
{
    vector h[EIGHT], d[EIGHT];
    SP__UNROLL
    for (int k = 0; k < EIGHT; k++) {
        const int64_t place = at + k * b->groups;
        d[k] = h[k] = (vector){0};
        if (k >= rows) continue;
        d[k] = element_at(b->x, place, left) - p->mean;
        h[k] = gated(b, gate, place, left, p, d[k]);
        if (gate == BY_RESULT && b->dadd) store((element *)b->dadd + place, h[k], left);
    }
    add_wide(&sums[0], sum_of(h));
    add_wide(&sums[1], sum_of_products(h, d));
}

SP__INLINE void products_rows(const sp__norm_block *b, const stretch *at, enum gate gate)
{
    const int64_t c = at->c, left = at->left, last = at->last;
    const column p = forward_column(b, c, left);
    wide s[2] = {0};
    int64_t i = at->first;
    for (; i + EIGHT <= last; i += EIGHT) products_of(b, i * b->groups + c, EIGHT, left, &p, gate, s);
    if (i < last) products_of(b, i * b->groups + c, last - i, left, &p, gate, s);
    add_lanes(at->sums + c, &s[0], left);
    add_lanes(at->sums + b->groups + c, &s[1], left);
}
GATED_PASSES(products)

static void columns_products(const sp__norm_block *b, double *sums)
{
    BY_GATE(products, b, sums);
}

/* ---- dx = scale·(h - shift - (x - mean)·slope), or scale·h where mean and var are given ---- */

SP__INLINE void backward_rows(const sp__norm_block *b, const stretch *at, enum gate gate)
{
    const int64_t c = at->c, left = at->left;
    column p = forward_column(b, c, left);
    p.shift = numbers_at(b->shift, c, left);
    p.slope = -numbers_at(b->slope, c, left);
    for (int64_t i = at->first; i < at->last; i++) {
        const int64_t place = i * b->groups + c;
        const vector d = element_at(b->x, place, left) - p.mean, h = gated(b, gate, place, left, &p, d);
        store((element *)b->y + place, b->given ? p.scale * h : p.scale * fused(d, p.slope, h - p.shift), left);
    }
}
GATED_PASSES(backward)

static void columns_backward(const sp__norm_block *b)
{
    BY_GATE(backward, b, NULL);
}

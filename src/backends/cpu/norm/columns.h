/* Groups that lie side by side, as channels last do: rows of `groups` elements. A lane belongs to one group, so no sum
 * depends on the length of a vector.
 *
 * A file that includes this and runs.h says before what `element`, `number`, `vector`, `mask`, LANES and HALVES are, and
 * what load, load_number, store, splat, choose, fused (a·b + c), widened (to f64) and rounded (to an element and back)
 * do. */
#include "backends/cpu/norm/eights.h"

/* What a pass meets at once: the groups of a vector, from c on, in rows [first, last). */
typedef struct stretch {
    int64_t c, first, last;
    double *sums; /* NULL where it adds nothing up */
} stretch;

typedef void columns_pass(const sp__norm_block *b, const stretch *at);

/* The most rows that a pass takes at once. */
enum { MOST = 64 };

/* The last groups, which do not fill a vector, in a block that has whole ones. */
typedef struct edge {
    sp__norm_block block;
    element x[MOST * LANES], g[MOST * LANES], add[MOST * LANES], out[MOST * LANES], y[MOST * LANES], dadd[MOST * LANES];
    number of_groups[5][LANES];
    double sums[2 * LANES];
} edge;

static const void *edge_in(const sp__norm_block *b, const void *from, element *to, int64_t c, int64_t first,
                           int64_t last)
{
    if (!from) return NULL;
    for (int64_t i = first; i < last; i++, to += LANES)
        store(to, load((const element *)from + i * b->groups + c, b->groups - c), LANES);
    return to - (last - first) * LANES;
}

static void edge_out(const sp__norm_block *b, void *to, const element *from, int64_t c, int64_t first, int64_t last)
{
    for (int64_t i = first; to && i < last; i++, from += LANES)
        store((element *)to + i * b->groups + c, load(from, LANES), b->groups - c);
}

static void over_edge(const sp__norm_block *b, int64_t c, int64_t first, int64_t last, columns_pass *pass, double *sums)
{
    edge e;
    sp__norm_block *to = &e.block;
    *to = *b;
    memset(e.sums, 0, sizeof e.sums);
    const void **const numbers[] = {&to->mean, &to->scale, &to->bias, &to->shift, &to->slope};
    for (int k = 0; k < 5; k++) {
        *(vector *)e.of_groups[k] = load_number((const number *)*numbers[k] + c, b->groups - c);
        *numbers[k] = e.of_groups[k];
    }
    to->x = edge_in(b, b->x, e.x, c, first, last), to->g = edge_in(b, b->g, e.g, c, first, last);
    to->add = edge_in(b, b->add, e.add, c, first, last), to->out = edge_in(b, b->out, e.out, c, first, last);
    to->y = b->y ? e.y : NULL, to->dadd = b->dadd ? e.dadd : NULL, to->groups = LANES;
    pass(to, &(stretch){0, 0, last - first, e.sums});
    for (int64_t i = c; sums && i < b->groups; i++)
        sums[i] += e.sums[i - c], sums[b->groups + i] += e.sums[LANES + i - c];
    if (!sums) edge_out(b, b->y, e.y, c, first, last);
    if (sums && b->out) edge_out(b, b->dadd, e.dadd, c, first, last);
}

/* So many rows at a time, that their elements stay in the first cache from vector to vector. Where rows are long, sums
 * take eight at a time, and what is written goes row by row. */
static void over_columns(const sp__norm_block *b, columns_pass *pass, double *sums)
{
    const int64_t least = sums ? EIGHT : 1, fit = 4096 / b->groups / EIGHT * EIGHT, most = fit < MOST ? fit : MOST;
    const int64_t step = most > least ? most : least;
    for (int64_t first = 0; first < b->n; first += step) {
        const int64_t last = first + step < b->n ? first + step : b->n;
        int64_t c = 0;
        for (; c + LANES <= b->groups; c += LANES) pass(b, &(stretch){c, first, last, sums});
        if (c < b->groups) over_edge(b, c, first, last, pass, sums);
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

SP__INLINE vector element_at(const void *from, int64_t at)
{
    return load((const element *)from + at, LANES);
}

SP__INLINE vector numbers_at(const void *from, int64_t c)
{
    return load_number((const number *)from + c, LANES);
}

/* ---- Σ(x - mean), Σ(x - mean)² ---- */

static void moments_pass(const sp__norm_block *b, const stretch *at)
{
    const int64_t c = at->c, last = at->last;
    const vector mean = numbers_at(b->mean, c);
    wide s[2] = {0};
    int64_t i = at->first;
    for (; i + EIGHT <= last && !b->few; i += EIGHT) {
        vector d[EIGHT];
        SP__UNROLL
        for (int k = 0; k < EIGHT; k++) d[k] = element_at(b->x, (i + k) * b->groups + c) - mean;
        add_wide(&s[0], sum_of(d));
        add_wide(&s[1], sum_of_products(d, d));
    }
    for (; i < last; i++) {
        const vector d = element_at(b->x, i * b->groups + c) - mean;
        add_wide(&s[0], d);
        add_wide_products(&s[1], d, d);
    }
    add_lanes(at->sums + c, &s[0], LANES);
    add_lanes(at->sums + b->groups + c, &s[1], LANES);
}

static void columns_moments(const sp__norm_block *b, double *sums)
{
    over_columns(b, moments_pass, sums);
}

/* ---- y = act((x - mean)·scale + bias + add) ---- */

typedef struct column {
    vector mean, scale, bias, shift, slope;
} column;

SP__INLINE column forward_column(const sp__norm_block *b, int64_t c)
{
    return (column){.mean = numbers_at(b->mean, c), .scale = numbers_at(b->scale, c), .bias = numbers_at(b->bias, c)};
}

SP__INLINE vector cut(vector x)
{
    return choose(x < 0, (vector){0}, x);
}

SP__INLINE void forward_rows(const sp__norm_block *b, const stretch *to, bool add, bool relu)
{
    const int64_t c = to->c;
    const column p = forward_column(b, c);
    for (int64_t i = to->first; i < to->last; i++) {
        const int64_t at = i * b->groups + c;
        vector y = fused(element_at(b->x, at) - p.mean, p.scale, p.bias);
        if (add) y = rounded(y) + element_at(b->add, at);
        store((element *)b->y + at, relu ? cut(y) : y, LANES);
    }
}
#define FORWARD(name, add, relu)                                                                                       \
    static void name##_pass(const sp__norm_block *b, const stretch *at)                                                \
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

SP__INLINE vector gated(const sp__norm_block *b, enum gate gate, int64_t at, const column *p, vector d)
{
    const vector g = element_at(b->g, at);
    if (gate == OPEN) return g;
    const vector y = gate == BY_RESULT ? element_at(b->out, at) : fused(d, p->scale, p->bias);
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
    static void pass##_##name(const sp__norm_block *b, const stretch *at)                                              \
    {                                                                                                                  \
        pass##_rows(b, at, gate);                                                                                      \
    }
#define GATED_PASSES(pass)                                                                                             \
    GATED_PASS(pass, open, OPEN) GATED_PASS(pass, by_result, BY_RESULT) GATED_PASS(pass, by_input, BY_INPUT)

/* ---- Σh, Σh·(x - mean); h is what goes to the addend ---- */

/* h, and through `d` x - mean, of vector c in row i. */
SP__INLINE vector product_at(const sp__norm_block *b, int64_t i, int64_t c, const column *p, enum gate gate, vector *d)
{
    const int64_t at = i * b->groups + c;
    *d = element_at(b->x, at) - p->mean;
    const vector h = gated(b, gate, at, p, *d);
    if (gate == BY_RESULT && b->dadd) store((element *)b->dadd + at, h, LANES);
    return h;
}

SP__INLINE void products_rows(const sp__norm_block *b, const stretch *at, enum gate gate)
{
    const int64_t c = at->c, last = at->last;
    const column p = forward_column(b, c);
    wide s[2] = {0};
    int64_t i = at->first;
    for (; i + EIGHT <= last && !b->few; i += EIGHT) {
        vector h[EIGHT], d[EIGHT];
        SP__UNROLL
        for (int k = 0; k < EIGHT; k++) h[k] = product_at(b, i + k, c, &p, gate, &d[k]);
        add_wide(&s[0], sum_of(h));
        add_wide(&s[1], sum_of_products(h, d));
    }
    for (; i < last; i++) {
        vector d;
        const vector h = product_at(b, i, c, &p, gate, &d);
        add_wide(&s[0], h);
        add_wide_products(&s[1], h, d);
    }
    add_lanes(at->sums + c, &s[0], LANES);
    add_lanes(at->sums + b->groups + c, &s[1], LANES);
}
GATED_PASSES(products)

static void columns_products(const sp__norm_block *b, double *sums)
{
    BY_GATE(products, b, sums);
}

/* ---- dx = scale·(h - shift - (x - mean)·slope), or scale·h where mean and var are given ---- */

SP__INLINE void backward_rows(const sp__norm_block *b, const stretch *to, enum gate gate)
{
    const int64_t c = to->c;
    column p = forward_column(b, c);
    p.shift = numbers_at(b->shift, c);
    p.slope = -numbers_at(b->slope, c);
    for (int64_t i = to->first; i < to->last; i++) {
        const int64_t at = i * b->groups + c;
        const vector d = element_at(b->x, at) - p.mean, h = gated(b, gate, at, &p, d);
        store((element *)b->y + at, b->given ? p.scale * h : p.scale * fused(d, p.slope, h - p.shift), LANES);
    }
}
GATED_PASSES(backward)

static void columns_backward(const sp__norm_block *b)
{
    BY_GATE(backward, b, NULL);
}

/* Normalisation of groups that lie side by side: rows of `groups` f32 numbers, of which a block has `n`. Sums are f64,
 * one for each group, and are added to. */
#include "backends/cpu/common/f32.h"

enum { LANES = LANES_f32 };
typedef float narrow __attribute__((vector_size(SP__VECTOR_BYTES / 2), aligned(4), may_alias));
typedef double wide __attribute__((vector_size(SP__VECTOR_BYTES), aligned(8), may_alias));

typedef struct sums {
    wide low, high;
} sums;

SP__INLINE void add_to(sums *s, vf x)
{
    s->low += __builtin_convertvector(*(const narrow *)&x, wide);
    s->high += __builtin_convertvector(*((const narrow *)&x + 1), wide);
}

static void put_sums(double *to, const sums *s, int64_t n)
{
    double lanes[LANES];
    memcpy(lanes, &s->low, sizeof s->low);
    memcpy(lanes + LANES / 2, &s->high, sizeof s->high);
    for (int64_t i = 0; i < n && i < LANES; i++) to[i] += lanes[i];
}

static void add_values(const sp__norm_block *b, double *sum)
{
    for (int64_t c = 0; c < b->groups; c += LANES) {
        sums s = {{0}, {0}};
        for (int64_t i = 0; i < b->n; i++) add_to(&s, load_f32(b->x + i * b->groups + c, b->groups - c));
        put_sums(sum + c, &s, b->groups - c);
    }
}

static void add_squares(const sp__norm_block *b, double *sum)
{
    for (int64_t c = 0; c < b->groups; c += LANES) {
        sums s = {{0}, {0}};
        const vf mean = load_f32(b->mean + c, b->groups - c);
        for (int64_t i = 0; i < b->n; i++) {
            const vf d = load_f32(b->x + i * b->groups + c, b->groups - c) - mean;
            add_to(&s, d * d);
        }
        put_sums(sum + c, &s, b->groups - c);
    }
}

static void add_products(const sp__norm_block *b, double *sum)
{
    for (int64_t c = 0; c < b->groups; c += LANES) {
        sums s = {{0}, {0}}, product = {{0}, {0}};
        const vf mean = load_f32(b->mean + c, b->groups - c);
        for (int64_t i = 0; i < b->n; i++) {
            const vf g = load_f32(b->g + i * b->groups + c, b->groups - c);
            add_to(&s, g);
            add_to(&product, g * (load_f32(b->x + i * b->groups + c, b->groups - c) - mean));
        }
        put_sums(sum + c, &s, b->groups - c);
        put_sums(sum + b->groups + c, &product, b->groups - c);
    }
}

/* y = (x - mean)·scale + shift */
static void normalize(const sp__norm_block *b)
{
    for (int64_t c = 0; c < b->groups; c += LANES) {
        const int64_t left = b->groups - c;
        const vf mean = load_f32(b->mean + c, left), scale = load_f32(b->scale + c, left);
        const vf shift = load_f32(b->shift + c, left);
        for (int64_t i = 0; i < b->n; i++)
            store_f32(b->y + i * b->groups + c, (load_f32(b->x + i * b->groups + c, left) - mean) * scale + shift,
                      left);
    }
}

/* dx = scale·(g - shift - (x - mean)·slope) */
static void normalize_backward(const sp__norm_block *b)
{
    for (int64_t c = 0; c < b->groups; c += LANES) {
        const int64_t left = b->groups - c;
        const vf mean = load_f32(b->mean + c, left), scale = load_f32(b->scale + c, left);
        const vf shift = load_f32(b->shift + c, left), slope = load_f32(b->slope + c, left);
        for (int64_t i = 0; i < b->n; i++) {
            const vf x = load_f32(b->x + i * b->groups + c, left), g = load_f32(b->g + i * b->groups + c, left);
            store_f32(b->y + i * b->groups + c, scale * (g - shift - (x - mean) * slope), left);
        }
    }
}

const sp__norm_loops SP__HERE(sp__norm_columns_f32) = {add_values, add_squares, add_products, normalize,
                                                       normalize_backward};

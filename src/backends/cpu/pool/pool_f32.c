/* Maxima of windows of f32 images whose channels lie side by side: a vector is so many channels of one pixel. Rows are
 * those of the results, [first, last) of batch × out_size[0]. */
#include "backends/cpu/common/f32.h"

enum { LANES = LANES_f32 };
typedef uint8_t vb __attribute__((vector_size(SP__VECTOR_BYTES / 4), aligned(1), may_alias));

SP__INLINE void store_places(uint8_t *p, vi places, int64_t n)
{
    const vb bytes = __builtin_convertvector(places, vb);
    if (n >= LANES)
        *(vb *)p = bytes;
    else
        memcpy(p, &bytes, (size_t)n);
}

SP__INLINE vi load_places(const uint8_t *p, int64_t n)
{
    vb bytes = {0};
    if (n >= LANES)
        bytes = *(const vb *)p;
    else
        memcpy(&bytes, p, (size_t)n);
    return __builtin_convertvector(bytes, vi);
}

/* Where output row k begins in x (its image), in y and in where. */
typedef struct row {
    int64_t n, i;
    float *x, *y;
    uint8_t *where;
} row;

static row row_of(const sp__pool *p, int64_t k)
{
    const int64_t n = k / p->out_size[0], i = k % p->out_size[0];
    return (row){n, i, (float *)sp__operand_at(&p->x) + n * p->x.strides[0],
                 (float *)sp__operand_at(&p->y) + n * p->y.strides[0] + i * p->y.strides[2],
                 (uint8_t *)sp__operand_at(&p->where) + n * p->where.strides[0] + i * p->where.strides[2]};
}

/* ---- forward ---- */

/* The place of the window's row a, column b: counted from the first inside. */
SP__INLINE int32_t place_of(const sp__reach *r, const sp__reach *c, int64_t a, int64_t b, int64_t width)
{
    return (int32_t)((a - r->begin) * width + b - c->begin);
}

static void max_pixel(const sp__pool *p, const float *x, const sp__reach *r, const sp__reach *c, float *y,
                      uint8_t *where)
{
    const int64_t down = p->x.strides[2] * p->dilation[0], right = p->x.strides[3] * p->dilation[1];
    const float *corner = x + r->start * p->x.strides[2] + c->start * p->x.strides[3];
    const int64_t width = sp__pool_inside(p->kernel[1], p->size[1], p->dilation[1]);
    for (int64_t at = 0; at < p->channels; at += LANES) {
        const int64_t left = p->channels - at;
        vf best = splat_f32(-INFINITY);
        vi place = (vi){0};
        for (int64_t a = r->begin; a < r->end; a++) {
            for (int64_t b = c->begin; b < c->end; b++) {
                const vf v = load_f32(corner + a * down + b * right + at, left);
                const vi better = (v > best) | (v != v), here = (vi){0} + place_of(r, c, a, b, width);
                best = select_f32(better, v, best);
                place = (place & ~better) | (here & better);
            }
        }
        store_f32(y + at, best, left);
        store_places(where + at, place, left);
    }
}

static void pool_max(const sp__pool *p, int64_t first, int64_t last)
{
    for (int64_t k = first; k < last; k++) {
        const row o = row_of(p, k);
        const sp__reach r = sp__pool_reach(p, 0, o.i);
        for (int64_t j = 0; j < p->out_size[1]; j++) {
            const sp__reach c = sp__pool_reach(p, 1, j);
            max_pixel(p, o.x, &r, &c, o.y + j * p->y.strides[3], o.where + j * p->where.strides[3]);
        }
    }
}

/* ---- backward: windows side by side, so that each pixel of x is written once ---- */

static void spread_pixel(const sp__pool *p, float *corner, const float *g, const uint8_t *where)
{
    for (int64_t at = 0; at < p->channels; at += LANES) {
        const int64_t left = p->channels - at;
        const vf v = load_f32(g + at, left);
        const vi place = load_places(where + at, left);
        for (int64_t a = 0, t = 0; a < p->kernel[0]; a++)
            for (int64_t b = 0; b < p->kernel[1]; b++, t++)
                store_f32(corner + a * p->x.strides[2] + b * p->x.strides[3] + at, (vf)((vi)v & (place == (int32_t)t)),
                          left);
    }
}

static void clear(const sp__pool *p, float *x, int64_t columns)
{
    for (int64_t j = 0; j < columns; j++) memset(x + j * p->x.strides[3], 0, (size_t)p->channels * sizeof(float));
}

static void pool_max_backward(const sp__pool *p, int64_t first, int64_t last)
{
    const int64_t used = p->out_size[1] * p->stride[1];
    for (int64_t k = first; k < last; k++) {
        const row o = row_of(p, k);
        float *x = o.x + o.i * p->stride[0] * p->x.strides[2];
        for (int64_t j = 0; j < p->out_size[1]; j++)
            spread_pixel(p, x + j * p->stride[1] * p->x.strides[3], o.y + j * p->y.strides[3],
                         o.where + j * p->where.strides[3]);
        /* What no window reaches, at the right and below. */
        for (int64_t a = 0; a < p->kernel[0]; a++)
            clear(p, x + a * p->x.strides[2] + used * p->x.strides[3], p->size[1] - used);
        if (o.i + 1 < p->out_size[0]) continue;
        for (int64_t i = p->out_size[0] * p->stride[0]; i < p->size[0]; i++)
            clear(p, o.x + i * p->x.strides[2], p->size[1]);
    }
}

sp__pool_run *const SP__HERE(sp__pool_f32)[SP__POOL_KINDS] = {
    [SP__POOL_MAX] = pool_max,
    [SP__POOL_MAX_BACKWARD] = pool_max_backward,
};

/* Maxima of windows of images whose channels lie side by side: a vector is so many channels of one place. */

typedef uint8_t vb __attribute__((vector_size(SP__VECTOR_BYTES / 4), aligned(1), may_alias));

SP__INLINE void store_places(uint8_t *p, vi places, int64_t n)
{
    const vb bytes = __builtin_convertvector(places, vb);
    if (n >= LANES) {
        *(vb *)p = bytes;
        return;
    }
#if defined(__AVX512F__)
    _mm_mask_storeu_epi8(p, (__mmask16)((1u << n) - 1), (__m128i)bytes);
#else
    memcpy(p, &bytes, (size_t)n);
#endif
}

SP__INLINE vi load_places(const uint8_t *p, int64_t n)
{
    if (n >= LANES) return __builtin_convertvector(*(const vb *)p, vi);
#if defined(__AVX512F__)
    return (vi)_mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8((__mmask16)((1u << n) - 1), p));
#else
    vb bytes = {0};
    memcpy(&bytes, p, (size_t)n);
    return __builtin_convertvector(bytes, vi);
#endif
}

static uint8_t *where_row(const sp__pool *p, int64_t n, int64_t i)
{
    return (uint8_t *)sp__operand_at(&p->where) + n * p->where.strides[0] + i * p->where.strides[2];
}

/* The place of the window's row a, column b: counted from the first inside. */
SP__INLINE int32_t place_of(const sp__reach *r, const sp__reach *c, int64_t a, int64_t b, int64_t width)
{
    return (int32_t)((a - r->begin) * width + b - c->begin);
}

/* ---- forward ---- */

static void max_pixel(const sp__pool *p, const element *x, const sp__reach *r, const sp__reach *c, element *y,
                      uint8_t *where)
{
    const int64_t down = p->x.strides[2] * p->dilation[0], right = p->x.strides[3] * p->dilation[1];
    const element *corner = x + r->start * p->x.strides[2] + c->start * p->x.strides[3];
    const int64_t width = row_of_places(p);
    for (int64_t at = 0; at < p->channels; at += LANES) {
        const int64_t left = p->channels - at;
        vf best = splat_f32(-INFINITY);
        vi place = (vi){0};
        for (int64_t a = r->begin; a < r->end; a++) {
            for (int64_t b = c->begin; b < c->end; b++) {
                const vf v = load_some(corner + a * down + b * right + at, left);
                const vi better = (v > best) | (v != v), here = (vi){0} + place_of(r, c, a, b, width);
                best = select_f32(better, v, best);
                place = (place & ~better) | (here & better);
            }
        }
        store_some(y + at, best, left);
        store_places(where + at, place, left);
    }
}

static void pool_max(const sp__pool *p, int64_t first, int64_t last)
{
    for (int64_t k = first; k < last; k++) {
        const int64_t n = k / p->out_size[0], i = k % p->out_size[0];
        const element *x = image_of(&p->x, n);
        element *y = row_of(&p->y, n, i);
        uint8_t *where = where_row(p, n, i);
        const sp__reach r = sp__pool_reach(p, 0, i);
        for (int64_t j = 0; j < p->out_size[1]; j++) {
            const sp__reach c = sp__pool_reach(p, 1, j);
            max_pixel(p, x, &r, &c, y + j * p->y.strides[3], where + j * p->where.strides[3]);
        }
    }
}

/* ---- backward: a row of x gathers from the windows that reach it, in their order ---- */

/* Adds the gradient g of one window to the places of a row of x, of which the first is place `t` of the window. */
SP__INLINE void add_maximum(const sp__pool *p, const sp__reach *c, int32_t t, bool alone, element *x, const element *g,
                            const uint8_t *where)
{
    const int64_t right = p->x.strides[3] * p->dilation[1];
    for (int64_t at = 0; at < p->channels; at += LANES) {
        const int64_t left = p->channels - at;
        const vf v = load_some(g + at, left);
        const vi place = load_places(where + at, left) - t;
        element *to = x + c->start * p->x.strides[3] + at;
        for (int64_t b = c->begin; b < c->end; b++)
            add_some(to + b * right, (vf)((vi)v & (place == (int32_t)(b - c->begin))), alone, left);
    }
}

SP__INLINE void add_maxima(const sp__pool *p, int64_t n, int64_t i, int32_t t, bool alone, element *x)
{
    const element *g = row_of(&p->y, n, i);
    const uint8_t *where = where_row(p, n, i);
    for (int64_t j = 0; j < p->out_size[1]; j++) {
        const sp__reach c = sp__pool_reach(p, 1, j);
        add_maximum(p, &c, t, alone, x, g + j * p->y.strides[3], where + j * p->where.strides[3]);
    }
}

/* Window row i's share of row r, which it may step over. */
static void add_row_of_maxima(const sp__pool *p, int64_t n, int64_t i, int64_t r, bool alone, element *x)
{
    const sp__reach rows = sp__pool_reach(p, 0, i);
    const int64_t a = (r - rows.start) / p->dilation[0];
    if ((r - rows.start) % p->dilation[0] != 0 || a < rows.begin || a >= rows.end) return;
    const int32_t t = (int32_t)((a - rows.begin) * row_of_places(p));
    alone ? add_maxima(p, n, i, t, true, x) : add_maxima(p, n, i, t, false, x);
}

static int64_t span_of(const sp__pool *p, int d)
{
    return (p->kernel[d] - 1) * p->dilation[d];
}

static void pool_max_backward(const sp__pool *p, int64_t first, int64_t last)
{
    const int64_t span = span_of(p, 0), stride = p->stride[0];
    const bool alone = span < stride && span_of(p, 1) < p->stride[1];
    for (int64_t k = first; k < last; k++) {
        const int64_t n = k / p->size[0], r = k % p->size[0], bottom = r + p->padding[0];
        element *x = row_of(&p->x, n, r);
        clear_row(p, x);
        for (int64_t i = bottom > span ? (bottom - span + stride - 1) / stride : 0;
             i <= bottom / stride && i < p->out_size[0]; i++)
            add_row_of_maxima(p, n, i, r, alone, x);
    }
}

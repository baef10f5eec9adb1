/* Averages of windows of images whose channels lie side by side. Sums are f64, as the reference's. */

typedef float narrow __attribute__((vector_size(SP__VECTOR_BYTES / 2), aligned(4), may_alias));

/* A power of two divides exactly by its inverse; 0 for all other numbers. */
SP__INLINE double exact_inverse(double divisor)
{
    uint64_t bits;
    memcpy(&bits, &divisor, sizeof bits);
    return bits << 12 == 0 ? 1 / divisor : 0; /* no bit of the fraction */
}

SP__INLINE double divisor_of(const sp__pool *p, const sp__span *rows, const sp__span *columns)
{
    return p->divisor != 0 ? p->divisor : (double)(rows->count * columns->count);
}

/* ---- forward ---- */

static vf quotient_of(vd low, vd high, double divisor, double inverse)
{
    union {
        narrow halves[2];
        vf whole;
    } u;
    u.halves[0] = __builtin_convertvector(inverse != 0 ? low * inverse : low / divisor, narrow);
    u.halves[1] = __builtin_convertvector(inverse != 0 ? high * inverse : high / divisor, narrow);
    return u.whole;
}

static void average_pixel(const sp__pool *p, const element *x, const sp__span *rows, const sp__span *columns,
                          element *y)
{
    const double divisor = divisor_of(p, rows, columns), inverse = exact_inverse(divisor);
    for (int64_t at = 0; at < p->channels; at += LANES) {
        const int64_t left = p->channels - at;
        vd low = {0}, high = {0};
        for (int64_t i = rows->begin; i < rows->end; i++) {
            const element *from = x + i * p->x.strides[2] + at;
            for (int64_t j = columns->begin; j < columns->end; j++) {
                const vf v = load_some(from + j * p->x.strides[3], left);
                low += __builtin_convertvector(*(const narrow *)&v, vd);
                high += __builtin_convertvector(*((const narrow *)&v + 1), vd);
            }
        }
        store_some(y + at, quotient_of(low, high, divisor, inverse), left);
    }
}

static void pool_avg(const sp__pool *p, int64_t first, int64_t last)
{
    for (int64_t k = first; k < last; k++) {
        const int64_t n = k / p->out_size[0], i = k % p->out_size[0];
        const element *x = image_of(&p->x, n);
        element *y = row_of(&p->y, n, i);
        for (int64_t j = 0; j < p->out_size[1]; j++)
            average_pixel(p, x, &p->spans[0][i], &p->spans[1][j], y + j * p->y.strides[3]);
    }
}

/* ---- backward: a row of x gathers from the windows that reach it, in their order ---- */

/* A quotient of two f32 is the same whether it is rounded once or by way of f64, and so is a power of two's product. */
SP__INLINE void add_share(const sp__pool *p, const sp__span *columns, double divisor, bool alone, element *x,
                          const element *g)
{
    const float inverse = (float)exact_inverse(divisor);
    for (int64_t at = 0; at < p->channels; at += LANES) {
        const int64_t left = p->channels - at;
        const vf v = load_some(g + at, left), share = inverse != 0 ? v * inverse : v / (float)divisor;
        for (int64_t j = columns->begin; j < columns->end; j++)
            add_some(x + j * p->x.strides[3] + at, share, alone, left);
    }
}

SP__INLINE void add_shares(const sp__pool *p, int64_t n, int64_t i, bool alone, element *x)
{
    const element *g = row_of(&p->y, n, i);
    for (int64_t j = 0; j < p->out_size[1]; j++)
        add_share(p, &p->spans[1][j], divisor_of(p, &p->spans[0][i], &p->spans[1][j]), alone, x,
                  g + j * p->y.strides[3]);
}

/* Whether no two windows share a place. */
static bool spans_lie_apart(const sp__pool *p)
{
    for (int d = 0; d < 2; d++)
        for (int64_t i = 1; i < p->out_size[d]; i++)
            if (p->spans[d][i].begin < p->spans[d][i - 1].end) return false;
    return true;
}

static void pool_avg_backward(const sp__pool *p, int64_t first, int64_t last)
{
    const bool alone = spans_lie_apart(p);
    for (int64_t k = first; k < last; k++) {
        const int64_t n = k / p->size[0], r = k % p->size[0];
        element *x = row_of(&p->x, n, r);
        clear_row(p, x);
        for (int64_t i = 0; i < p->out_size[0]; i++) {
            if (r < p->spans[0][i].begin || r >= p->spans[0][i].end) continue;
            alone ? add_shares(p, n, i, true, x) : add_shares(p, n, i, false, x);
        }
    }
}

/* Pooling and resampling for one floating type, plane by plane. T, C, LOAD, STORE as in map/reference_float.inc.h. */

static inline T *FN(plane)(const sp__operand *x, int64_t n, int64_t c)
{
    return (T *)sp__operand_at(x) + n * x->strides[0] + c * x->strides[1];
}

static void FN(zero_plane)(T *x, const int64_t size[2], const int64_t *strides)
{
    for (int64_t i = 0; i < size[0]; i++)
        for (int64_t j = 0; j < size[1]; j++) STORE(x + i * strides[2] + j * strides[3], (C)0);
}

/* ---- maxima ---- */

/* The maximum of a window and its place. */
static C FN(window_max)(const sp__pool *p, const T *x, const sp__reach *rows, const sp__reach *columns, int64_t *place)
{
    C best = -(C)INFINITY;
    bool none = true;
    const int64_t width = row_of_places(p);
    *place = 0;
    for (int64_t a = rows->begin; a < rows->end; a++) {
        const T *line = x + (rows->start + a * p->dilation[0]) * p->x.strides[2];
        for (int64_t b = columns->begin; b < columns->end; b++) {
            const C v = LOAD(line + (columns->start + b * p->dilation[1]) * p->x.strides[3]);
            if (!none && !(v > best || v != v)) continue;
            none = false;
            best = v;
            *place = (a - rows->begin) * width + b - columns->begin;
        }
    }
    return best;
}

static void FN(pool_max_row)(const sp__pool *p, const T *x, T *y, int64_t n, int64_t c, int64_t i)
{
    const sp__reach rows = sp__pool_reach(p, 0, i);
    for (int64_t j = 0; j < p->out_size[1]; j++) {
        const sp__reach columns = sp__pool_reach(p, 1, j);
        int64_t place;
        STORE(y + i * p->y.strides[2] + j * p->y.strides[3], FN(window_max)(p, x, &rows, &columns, &place));
        mark_place(p, n, c, i, j, place);
    }
}

static void FN(pool_max)(const sp__pool *p, int64_t first, int64_t last)
{
    for (int64_t k = first; k < last; k++) {
        const int64_t n = k / p->channels, c = k % p->channels;
        const T *x = FN(plane)(&p->x, n, c);
        T *y = FN(plane)(&p->y, n, c);
        for (int64_t i = 0; i < p->out_size[0]; i++) FN(pool_max_row)(p, x, y, n, c, i);
    }
}

static void FN(pool_max_backward)(const sp__pool *p, int64_t first, int64_t last)
{
    for (int64_t k = first; k < last; k++) {
        const int64_t n = k / p->channels, c = k % p->channels;
        T *x = FN(plane)(&p->x, n, c);
        const T *y = FN(plane)(&p->y, n, c);
        FN(zero_plane)(x, p->size, p->x.strides);
        for (int64_t i = 0; i < p->out_size[0]; i++) {
            for (int64_t j = 0; j < p->out_size[1]; j++) {
                const int64_t at = marked_offset(p, n, c, i, j);
                if (at < 0) continue;
                STORE(x + at, LOAD(x + at) + LOAD(y + i * p->y.strides[2] + j * p->y.strides[3]));
            }
        }
    }
}

static void FN(pool_max_gather)(const sp__pool *p, int64_t first, int64_t last)
{
    for (int64_t k = first; k < last; k++) {
        const int64_t n = k / p->channels, c = k % p->channels;
        const T *x = FN(plane)(&p->x, n, c);
        T *y = FN(plane)(&p->y, n, c);
        for (int64_t i = 0; i < p->out_size[0]; i++) {
            for (int64_t j = 0; j < p->out_size[1]; j++) {
                const int64_t at = marked_offset(p, n, c, i, j);
                STORE(y + i * p->y.strides[2] + j * p->y.strides[3], at < 0 ? (C)0 : LOAD(x + at));
            }
        }
    }
}

/* ---- averages ---- */

static double FN(window_sum)(const sp__pool *p, const T *x, const sp__span *rows, const sp__span *columns)
{
    double sum = 0;
    for (int64_t i = rows->begin; i < rows->end; i++)
        for (int64_t j = columns->begin; j < columns->end; j++)
            sum += (double)LOAD(x + i * p->x.strides[2] + j * p->x.strides[3]);
    return sum;
}

static void FN(pool_avg)(const sp__pool *p, int64_t first, int64_t last)
{
    for (int64_t k = first; k < last; k++) {
        const T *x = FN(plane)(&p->x, k / p->channels, k % p->channels);
        T *y = FN(plane)(&p->y, k / p->channels, k % p->channels);
        for (int64_t i = 0; i < p->out_size[0]; i++) {
            for (int64_t j = 0; j < p->out_size[1]; j++) {
                const sp__span *rows = &p->spans[0][i], *columns = &p->spans[1][j];
                const double sum = FN(window_sum)(p, x, rows, columns);
                STORE(y + i * p->y.strides[2] + j * p->y.strides[3], (C)(sum / divisor_of(p, rows, columns)));
            }
        }
    }
}

static void FN(add_to_window)(const sp__pool *p, T *x, const sp__span *rows, const sp__span *columns, C share)
{
    for (int64_t i = rows->begin; i < rows->end; i++) {
        for (int64_t j = columns->begin; j < columns->end; j++) {
            T *at = x + i * p->x.strides[2] + j * p->x.strides[3];
            STORE(at, LOAD(at) + share);
        }
    }
}

static void FN(pool_avg_backward)(const sp__pool *p, int64_t first, int64_t last)
{
    for (int64_t k = first; k < last; k++) {
        T *x = FN(plane)(&p->x, k / p->channels, k % p->channels);
        const T *y = FN(plane)(&p->y, k / p->channels, k % p->channels);
        FN(zero_plane)(x, p->size, p->x.strides);
        for (int64_t i = 0; i < p->out_size[0]; i++) {
            for (int64_t j = 0; j < p->out_size[1]; j++) {
                const sp__span *rows = &p->spans[0][i], *columns = &p->spans[1][j];
                const C g = LOAD(y + i * p->y.strides[2] + j * p->y.strides[3]);
                FN(add_to_window)(p, x, rows, columns, (C)((double)g / divisor_of(p, rows, columns)));
            }
        }
    }
}

sp__pool_run *const POOL_TABLE[SP__POOL_KINDS] = {
    [SP__POOL_MAX] = FN(pool_max),
    [SP__POOL_MAX_BACKWARD] = FN(pool_max_backward),
    [SP__POOL_MAX_GATHER] = FN(pool_max_gather),
    [SP__POOL_AVG] = FN(pool_avg),
    [SP__POOL_AVG_BACKWARD] = FN(pool_avg_backward),
};

/* ---- resampling ---- */

static C FN(mixed)(const sp__resample *r, const T *x, const sp__tap *row, const sp__tap *column)
{
    const int64_t *s = r->x.strides;
    if (r->n_taps == 1) return LOAD(x + row->index[0] * s[2] + column->index[0] * s[3]);
    C sum = 0;
    for (int a = 0; a < 2; a++) {
        const T *line = x + row->index[a] * s[2];
        const C left = LOAD(line + column->index[0] * s[3]), right = LOAD(line + column->index[1] * s[3]);
        sum += (C)row->weight[a] * ((C)column->weight[0] * left + (C)column->weight[1] * right);
    }
    return sum;
}

static void FN(resample_plane)(const sp__resample *r, int64_t k)
{
    const T *x = FN(plane)(&r->x, k / r->channels, k % r->channels);
    T *y = FN(plane)(&r->y, k / r->channels, k % r->channels);
    for (int64_t i = 0; i < r->out_size[0]; i++)
        for (int64_t j = 0; j < r->out_size[1]; j++)
            STORE(y + i * r->y.strides[2] + j * r->y.strides[3], FN(mixed)(r, x, &r->taps[0][i], &r->taps[1][j]));
}

static void FN(unmix)(const sp__resample *r, T *x, const sp__tap *row, const sp__tap *column, C g)
{
    for (int a = 0; a < r->n_taps; a++) {
        for (int b = 0; b < r->n_taps; b++) {
            const C share = r->n_taps == 1 ? g : (C)row->weight[a] * (C)column->weight[b] * g;
            T *at = x + row->index[a] * r->x.strides[2] + column->index[b] * r->x.strides[3];
            STORE(at, LOAD(at) + share);
        }
    }
}

static void FN(unresample_plane)(const sp__resample *r, int64_t k)
{
    T *x = FN(plane)(&r->x, k / r->channels, k % r->channels);
    const T *y = FN(plane)(&r->y, k / r->channels, k % r->channels);
    FN(zero_plane)(x, r->size, r->x.strides);
    for (int64_t i = 0; i < r->out_size[0]; i++) {
        for (int64_t j = 0; j < r->out_size[1]; j++) {
            const C g = LOAD(y + i * r->y.strides[2] + j * r->y.strides[3]);
            FN(unmix)(r, x, &r->taps[0][i], &r->taps[1][j], g);
        }
    }
}

void RESAMPLE(const sp__resample *r, int64_t first, int64_t last)
{
    for (int64_t k = first; k < last; k++) {
        if (r->backward)
            FN(unresample_plane)(r, k);
        else
            FN(resample_plane)(r, k);
    }
}

#undef T
#undef C
#undef LOAD
#undef STORE
#undef FN
#undef POOL_TABLE
#undef RESAMPLE

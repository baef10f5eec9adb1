/* Pooling of one floating type, plane by plane, with any strides. */
#include "backends/cpu/common/planes.h"
#include "backends/cpu/pool/places.h"
#include "backends/cpu/reference.h"
#include <math.h>

/* ---- maxima ---- */

/* The maximum of a window and its place. */
static number window_max(const sp__pool *p, const element *x, const sp__reach *rows, const sp__reach *columns,
                         int64_t *place)
{
    number best = -(number)INFINITY;
    bool none = true;
    const int64_t width = row_of_places(p);
    *place = 0;
    for (int64_t a = rows->begin; a < rows->end; a++) {
        const element *line = x + (rows->start + a * p->dilation[0]) * p->x.strides[2];
        for (int64_t b = columns->begin; b < columns->end; b++) {
            const number v = load(line + (columns->start + b * p->dilation[1]) * p->x.strides[3]);
            if (!none && !(v > best || v != v)) continue;
            none = false;
            best = v;
            *place = (a - rows->begin) * width + b - columns->begin;
        }
    }
    return best;
}

static void pool_max_row(const sp__pool *p, const element *x, element *y, int64_t n, int64_t c, int64_t i)
{
    const sp__reach rows = sp__pool_reach(p, 0, i);
    for (int64_t j = 0; j < p->out_size[1]; j++) {
        const sp__reach columns = sp__pool_reach(p, 1, j);
        int64_t place;
        store(y + i * p->y.strides[2] + j * p->y.strides[3], window_max(p, x, &rows, &columns, &place));
        mark_place(p, n, c, i, j, place);
    }
}

static void pool_max(const sp__pool *p, int64_t first, int64_t last)
{
    for (int64_t k = first; k < last; k++) {
        const int64_t n = k / p->channels, c = k % p->channels;
        const element *x = plane(&p->x, n, c);
        element *y = plane(&p->y, n, c);
        for (int64_t i = 0; i < p->out_size[0]; i++) pool_max_row(p, x, y, n, c, i);
    }
}

static void pool_max_backward(const sp__pool *p, int64_t first, int64_t last)
{
    for (int64_t k = first; k < last; k++) {
        const int64_t n = k / p->channels, c = k % p->channels;
        element *x = plane(&p->x, n, c);
        const element *y = plane(&p->y, n, c);
        zero_plane(x, p->size, p->x.strides);
        for (int64_t i = 0; i < p->out_size[0]; i++) {
            for (int64_t j = 0; j < p->out_size[1]; j++) {
                const int64_t at = marked_offset(p, n, c, i, j);
                if (at < 0) continue;
                store(x + at, load(x + at) + load(y + i * p->y.strides[2] + j * p->y.strides[3]));
            }
        }
    }
}

static void pool_max_gather(const sp__pool *p, int64_t first, int64_t last)
{
    for (int64_t k = first; k < last; k++) {
        const int64_t n = k / p->channels, c = k % p->channels;
        const element *x = plane(&p->x, n, c);
        element *y = plane(&p->y, n, c);
        for (int64_t i = 0; i < p->out_size[0]; i++) {
            for (int64_t j = 0; j < p->out_size[1]; j++) {
                const int64_t at = marked_offset(p, n, c, i, j);
                store(y + i * p->y.strides[2] + j * p->y.strides[3], at < 0 ? (number)0 : load(x + at));
            }
        }
    }
}

/* ---- averages ---- */

static double divisor_of(const sp__pool *p, const sp__span *rows, const sp__span *columns)
{
    return p->divisor != 0 ? p->divisor : (double)(rows->count * columns->count);
}

static double window_sum(const sp__pool *p, const element *x, const sp__span *rows, const sp__span *columns)
{
    double sum = 0;
    for (int64_t i = rows->begin; i < rows->end; i++)
        for (int64_t j = columns->begin; j < columns->end; j++)
            sum += (double)load(x + i * p->x.strides[2] + j * p->x.strides[3]);
    return sum;
}

static void pool_avg(const sp__pool *p, int64_t first, int64_t last)
{
    for (int64_t k = first; k < last; k++) {
        const element *x = plane(&p->x, k / p->channels, k % p->channels);
        element *y = plane(&p->y, k / p->channels, k % p->channels);
        for (int64_t i = 0; i < p->out_size[0]; i++) {
            for (int64_t j = 0; j < p->out_size[1]; j++) {
                const sp__span *rows = &p->spans[0][i], *columns = &p->spans[1][j];
                const double sum = window_sum(p, x, rows, columns);
                store(y + i * p->y.strides[2] + j * p->y.strides[3], (number)(sum / divisor_of(p, rows, columns)));
            }
        }
    }
}

static void add_to_window(const sp__pool *p, element *x, const sp__span *rows, const sp__span *columns, number share)
{
    for (int64_t i = rows->begin; i < rows->end; i++) {
        for (int64_t j = columns->begin; j < columns->end; j++) {
            element *at = x + i * p->x.strides[2] + j * p->x.strides[3];
            store(at, load(at) + share);
        }
    }
}

static void pool_avg_backward(const sp__pool *p, int64_t first, int64_t last)
{
    for (int64_t k = first; k < last; k++) {
        element *x = plane(&p->x, k / p->channels, k % p->channels);
        const element *y = plane(&p->y, k / p->channels, k % p->channels);
        zero_plane(x, p->size, p->x.strides);
        for (int64_t i = 0; i < p->out_size[0]; i++) {
            for (int64_t j = 0; j < p->out_size[1]; j++) {
                const sp__span *rows = &p->spans[0][i], *columns = &p->spans[1][j];
                const number g = load(y + i * p->y.strides[2] + j * p->y.strides[3]);
                add_to_window(p, x, rows, columns, (number)((double)g / divisor_of(p, rows, columns)));
            }
        }
    }
}

sp__pool_run *const SP__OF(sp__pool)[SP__POOL_KINDS] = {
    [SP__POOL_MAX] = pool_max, [SP__POOL_MAX_BACKWARD] = pool_max_backward, [SP__POOL_MAX_GATHER] = pool_max_gather,
    [SP__POOL_AVG] = pool_avg, [SP__POOL_AVG_BACKWARD] = pool_avg_backward,
};

/* Resampling of one floating type, plane by plane, with any strides. */
#include "backends/cpu/common/planes.h"
#include "backends/cpu/reference.h"

static number mixed(const sp__resample *r, const element *x, const sp__tap *row, const sp__tap *column)
{
    const int64_t *s = r->x.strides;
    if (r->n_taps == 1) return load(x + row->index[0] * s[2] + column->index[0] * s[3]);
    number sum = 0;
    for (int a = 0; a < 2; a++) {
        const element *line = x + row->index[a] * s[2];
        const number left = load(line + column->index[0] * s[3]), right = load(line + column->index[1] * s[3]);
        sum += (number)row->weight[a] * ((number)column->weight[0] * left + (number)column->weight[1] * right);
    }
    return sum;
}

static void resample_plane(const sp__resample *r, int64_t k)
{
    const element *x = plane(&r->x, k / r->channels, k % r->channels);
    element *y = plane(&r->y, k / r->channels, k % r->channels);
    for (int64_t i = 0; i < r->out_size[0]; i++)
        for (int64_t j = 0; j < r->out_size[1]; j++)
            store(y + i * r->y.strides[2] + j * r->y.strides[3], mixed(r, x, &r->taps[0][i], &r->taps[1][j]));
}

static void unmix(const sp__resample *r, element *x, const sp__tap *row, const sp__tap *column, number g)
{
    for (int a = 0; a < r->n_taps; a++) {
        for (int b = 0; b < r->n_taps; b++) {
            const number share = r->n_taps == 1 ? g : (number)row->weight[a] * (number)column->weight[b] * g;
            element *at = x + row->index[a] * r->x.strides[2] + column->index[b] * r->x.strides[3];
            store(at, load(at) + share);
        }
    }
}

static void unresample_plane(const sp__resample *r, int64_t k)
{
    element *x = plane(&r->x, k / r->channels, k % r->channels);
    const element *y = plane(&r->y, k / r->channels, k % r->channels);
    zero_plane(x, r->size, r->x.strides);
    for (int64_t i = 0; i < r->out_size[0]; i++) {
        for (int64_t j = 0; j < r->out_size[1]; j++) {
            const number g = load(y + i * r->y.strides[2] + j * r->y.strides[3]);
            unmix(r, x, &r->taps[0][i], &r->taps[1][j], g);
        }
    }
}

void SP__OF(sp__resample)(const sp__resample *r, int64_t first, int64_t last)
{
    for (int64_t k = first; k < last; k++) {
        if (r->backward)
            unresample_plane(r, k);
        else
            resample_plane(r, k);
    }
}

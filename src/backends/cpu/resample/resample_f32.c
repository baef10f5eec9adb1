/* Resampling of f32 images whose channels lie side by side: a vector is so many channels of one pixel. Forward goes by
 * rows of y, backward by rows of x, [first, last) of them over all images. Each pixel's sum is the reference's, in its
 * order. */
#include "backends/cpu/common/f32.h"

enum { LANES = LANES_f32 };

static float *row_at(const sp__operand *x, int64_t k, int64_t height)
{
    return (float *)sp__operand_at(x) + k / height * x->strides[0] + k % height * x->strides[2];
}

/* ---- forward ---- */

static void copy_pixel(float *y, const float *x, int64_t channels)
{
    memcpy(y, x, (size_t)channels * sizeof *y);
}

typedef struct corners {
    const float *x[2][2]; /* by row and column */
    float row[2], column[2];
} corners;

static void mix_pixel(float *y, const corners *c, int64_t channels)
{
    for (int64_t at = 0; at < channels; at += LANES) {
        const int64_t left = channels - at;
        vf sum = {0};
        SP__UNROLL
        for (int a = 0; a < 2; a++) {
            const vf l = load_f32(c->x[a][0] + at, left), r = load_f32(c->x[a][1] + at, left);
            sum += c->row[a] * (c->column[0] * l + c->column[1] * r);
        }
        store_f32(y + at, sum, left);
    }
}

static void forward_row(const sp__resample *r, int64_t k)
{
    const sp__tap *row = &r->taps[0][k % r->out_size[0]];
    const int64_t image = k / r->out_size[0] * r->size[0], right = r->x.strides[3];
    float *y = row_at(&r->y, k, r->out_size[0]);
    const float *x[2] = {row_at(&r->x, image + row->index[0], r->size[0]),
                         row_at(&r->x, image + row->index[1], r->size[0])};
    for (int64_t j = 0; j < r->out_size[1]; j++, y += r->y.strides[3]) {
        const sp__tap *column = &r->taps[1][j];
        const int64_t at[2] = {column->index[0] * right, column->index[1] * right};
        if (r->n_taps == 1) {
            copy_pixel(y, x[0] + at[0], r->channels);
            continue;
        }
        const corners c = {.x = {{x[0] + at[0], x[0] + at[1]}, {x[1] + at[0], x[1] + at[1]}},
                           .row = {(float)row->weight[0], (float)row->weight[1]},
                           .column = {(float)column->weight[0], (float)column->weight[1]}};
        mix_pixel(y, &c, r->channels);
    }
}

/* ---- backward ---- */

static void add_pixel(float *x, const float *g, float weight, int64_t channels)
{
    for (int64_t at = 0; at < channels; at += LANES) {
        const int64_t left = channels - at;
        store_f32(x + at, load_f32(x + at, left) + weight * load_f32(g + at, left), left);
    }
}

/* Adds to this row of x what place j of a row of y, g, gives it by the row's tap a. */
static void add_row(const sp__resample *r, float *x, const float *g, const sp__tap *row, int a, int64_t j)
{
    const sp__tap *column = &r->taps[1][j];
    for (int b = 0; b < r->n_taps; b++) {
        const float weight = r->n_taps == 1 ? 1 : (float)row->weight[a] * (float)column->weight[b];
        add_pixel(x + column->index[b] * r->x.strides[3], g + j * r->y.strides[3], weight, r->channels);
    }
}

static void backward_row(const sp__resample *r, int64_t k)
{
    const int64_t here = k % r->size[0], image = k / r->size[0] * r->out_size[0];
    float *x = row_at(&r->x, k, r->size[0]);
    for (int64_t j = 0; j < r->size[1]; j++) memset(x + j * r->x.strides[3], 0, (size_t)r->channels * sizeof *x);
    for (int64_t i = 0; i < r->out_size[0]; i++) {
        const sp__tap *row = &r->taps[0][i];
        const bool hits[2] = {row->index[0] == here, r->n_taps == 2 && row->index[1] == here};
        if (!hits[0] && !hits[1]) continue;
        const float *g = row_at(&r->y, image + i, r->out_size[0]);
        for (int64_t j = 0; j < r->out_size[1]; j++)
            for (int a = 0; a < 2; a++)
                if (hits[a]) add_row(r, x, g, row, a, j);
    }
}

void SP__HERE(sp__resample_f32)(const sp__resample *r, int64_t first, int64_t last)
{
    for (int64_t k = first; k < last; k++) {
        if (r->backward)
            backward_row(r, k);
        else
            forward_row(r, k);
    }
}

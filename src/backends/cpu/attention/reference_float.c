/* Attention for one floating type, query by query; sums are f64. Letters: i a query, j a key, e a column. */
#include "backends/cpu/common/element.h"
#include "backends/cpu/common/elementary.h"
#include "backends/cpu/reference.h"
#include <math.h>

typedef struct head {
    const sp__attention *call;
    int64_t batch, head, row; /* row: of query 0, among the queries of all heads */
} head;

static head head_of(const sp__attention *call, int64_t i)
{
    return (head){call, i / call->heads, i % call->heads, i * call->queries};
}

static char *place(const head *h, const sp__operand *x, int64_t row, int64_t column)
{
    const int64_t at = h->batch * x->strides[0] + h->head * x->strides[1] + row * x->strides[2] +
                       column * x->strides[3];
    return sp__operand_at(x) + at * sp__size_of(x->dtype);
}

static double get(const head *h, const sp__operand *x, int64_t row, int64_t column)
{
    return (double)load(place(h, x, row, column));
}

static void set(const head *h, const sp__operand *x, int64_t row, int64_t column, double value)
{
    store(place(h, x, row, column), (number)value);
}

/* Row i of a times row j of b. */
static double dot(const head *h, const sp__operand *a, int64_t i, const sp__operand *b, int64_t j, int64_t width)
{
    double sum = 0;
    for (int64_t e = 0; e < width; e++) sum += get(h, a, i, e) * get(h, b, j, e);
    return sum;
}

static double score(const head *h, int64_t i, int64_t j)
{
    const sp__attention *c = h->call;
    if (c->causal && j > i) return -INFINITY;
    const double product = c->width ? dot(h, &c->q, i, &c->k, j, c->width) * c->scale : 0;
    if (!c->mask) return product;
    const double mask = sp__load_f64(c->mask->dtype, place(h, c->mask, i, j));
    if (c->mask->dtype == SP_BOOL) return mask != 0 ? product : -INFINITY;
    return product + mask;
}

/* By what dropout multiplies the weight of query i and key j. */
static double kept(const head *h, int64_t i, int64_t j)
{
    const sp__attention *c = h->call;
    float row[4] = {0};
    if (c->dropout == 0) return 1;
    const uint64_t at = (uint64_t)((h->row + i) * sp__dropped_row(c->keys) + j);
    const sp__fill fill = {.kind = SP__FILL_BERNOULLI_SCALE,
                           .out = {.buffer = row, .dtype = SP_F32},
                           .n = 4,
                           .a = 1 - c->dropout,
                           .b = c->dropout < 1 ? 1 / (1 - c->dropout) : 0,
                           .seed = c->seed,
                           .position = c->position + at / 4};
    sp__reference.of[SP_F32].fill[SP__FILL_BERNOULLI_SCALE](&fill, 0, 4);
    return (double)row[at % 4];
}

/* ---- forward ---- */

/* The scores of query i become weights, which are not divided by their sum yet; returns that. */
static double weigh(const head *h, int64_t i, double *weights, double *largest)
{
    const int64_t keys = h->call->keys;
    double max = -INFINITY, sum = 0;
    for (int64_t j = 0; j < keys; j++) {
        weights[j] = score(h, i, j);
        if (weights[j] > max) max = weights[j];
    }
    *largest = max == -INFINITY ? 0 : max;
    for (int64_t j = 0; j < keys; j++) sum += weights[j] = sp__exp(weights[j] - *largest);
    return sum;
}

static void attend(const head *h, int64_t i, double *weights)
{
    const sp__attention *c = h->call;
    double largest;
    const double sum = weigh(h, i, weights, &largest), lse = sum == 0 ? INFINITY : largest + sp__log(sum);
    sp__store_f64(c->lse.dtype, sp__operand_at(&c->lse) + (h->row + i) * sp__size_of(c->lse.dtype), lse);
    for (int64_t j = 0; j < c->keys; j++) weights[j] *= kept(h, i, j);
    for (int64_t e = 0; e < c->value_width; e++) {
        double y = 0;
        for (int64_t j = 0; j < c->keys; j++) y += weights[j] * get(h, &c->v, j, e);
        set(h, &c->y, i, e, sum == 0 ? 0 : y / sum);
    }
}

static sp_status forward(const sp__attention *call, const sp__attention_part *part)
{
    const head h = head_of(call, part->head);
    const size_t bytes = (size_t)call->keys * sizeof(double);
    double *weights = sp__scratch(bytes);
    if (!weights) return SP_ERROR_MEMORY;
    for (int64_t i = part->first; i < part->last; i++) attend(&h, i, weights);
    sp_free(weights, bytes);
    return SP_OK;
}

/* ---- backward ---- */

/* What query i adds: to row j of dk and dv, and to its dq. */
static void pass_back(const head *h, int64_t i, int64_t j, double slope_sum, double *dq, double *dk, double *dv)
{
    const sp__attention *c = h->call;
    const double lse = sp__load_f64(c->lse.dtype, sp__operand_at(&c->lse) + (h->row + i) * sp__size_of(c->lse.dtype));
    const double p = sp__exp(score(h, i, j) - lse), factor = kept(h, i, j);
    const double came = dot(h, &c->g, i, &c->v, j, c->value_width) * factor, slope = p * (came - slope_sum) * c->scale;
    for (int64_t e = 0; e < c->value_width; e++) dv[e] += p * factor * get(h, &c->g, i, e);
    for (int64_t e = 0; e < c->width; e++) {
        dk[e] += slope * get(h, &c->q, i, e);
        dq[e] += slope * get(h, &c->k, j, e);
    }
}

static void put_dq(const head *h, int64_t i, const double *dq, number *sums)
{
    const sp__attention *c = h->call;
    for (int64_t e = 0; e < c->width && c->dq; e++) {
        if (sums)
            sums[i * sp__attention_padded(c->width) + e] = (number)dq[e];
        else
            set(h, c->dq, i, e, dq[e]);
    }
}

static void put_rows(const head *h, const sp__operand *x, const sp__attention_part *part, int64_t width,
                     const double *rows)
{
    for (int64_t j = part->first; j < part->last && x; j++)
        for (int64_t e = 0; e < width; e++) set(h, x, j, e, rows[(j - part->first) * width + e]);
}

static sp_status backward(const sp__attention *call, const sp__attention_part *part)
{
    const head h = head_of(call, part->head);
    const int64_t keys = part->last - part->first, width = call->width, value_width = call->value_width;
    const size_t bytes = (size_t)(width + keys * (width + value_width)) * sizeof(double);
    double *dq = sp__scratch(bytes);
    if (!dq) return SP_ERROR_MEMORY;
    double *dk = dq + width, *dv = dk + keys * width;
    memset(dq, 0, bytes);
    for (int64_t i = 0; i < call->queries; i++) {
        const double slope_sum = dot(&h, &call->g, i, &call->y, i, value_width);
        memset(dq, 0, (size_t)width * sizeof *dq);
        for (int64_t j = 0; j < keys; j++)
            pass_back(&h, i, part->first + j, slope_sum, dq, dk + j * width, dv + j * value_width);
        put_dq(&h, i, dq, part->sums);
    }
    put_rows(&h, call->dk, part, width, dk);
    put_rows(&h, call->dv, part, value_width, dv);
    sp_free(dq, bytes);
    return SP_OK;
}

static sp_status add_sums(const sp__attention *call, const sp__attention_part *part)
{
    const head h = head_of(call, part->head);
    const int64_t width = sp__attention_padded(call->width);
    for (int64_t i = part->first; i < part->last; i++)
        for (int64_t e = 0; e < call->width; e++) {
            const number *sum = (const number *)part->sums + i * width + e;
            double all = 0;
            for (int64_t n = 0; n < part->n; n++) all += (double)sum[n * call->queries * width];
            set(&h, call->dq, i, e, all);
        }
    return SP_OK;
}

sp__attention_run *const SP__OF(sp__attention)[SP__ATTENTION_KINDS] = {
    [SP__ATTENTION_FORWARD] = forward,
    [SP__ATTENTION_BACKWARD] = backward,
    [SP__ATTENTION_SUM] = add_sums,
};

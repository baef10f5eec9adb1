/* Normalisation of groups of one floating type, with any strides; sums are f64. */
#include "backends/cpu/common/element.h"
#include "backends/cpu/reference.h"
#include <math.h>

static char *number_of(const sp__operand *x, int64_t i)
{
    return sp__operand_at(x) + i * x->strides[0] * sp__size_of(x->dtype);
}

static double load_at(const sp__operand *x, int64_t i)
{
    return sp__load_f64(x->dtype, number_of(x, i));
}

static double load_or(const sp__operand *x, int64_t i, double absent)
{
    return x ? load_at(x, i) : absent;
}

static void store_at(const sp__operand *x, int64_t i, double value)
{
    sp__store_f64(x->dtype, number_of(x, i), value);
}

static inline element *group(const sp__operand *x, int64_t g)
{
    return (element *)sp__operand_at(x) + g * x->strides[1];
}

/* For each element of a group; PLACE(operand) is where it lies from the group's beginning. */
#define FOR_GROUP(n, ...)                                                                                              \
    for (int64_t a_ = 0; a_ < (n)->sizes[0]; a_++)                                                                     \
        for (int64_t b_ = 0; b_ < (n)->sizes[2]; b_++)                                                                 \
            for (int64_t c_ = 0; c_ < (n)->sizes[3]; c_++) __VA_ARGS__
#define PLACE(o) (a_ * (o)->strides[0] + b_ * (o)->strides[2] + c_ * (o)->strides[3])

/* Mean and variance in two passes. */
static void measure(const sp__norm *n, const element *x, double *mean, double *var)
{
    const double count = (double)(n->sizes[0] * n->sizes[2] * n->sizes[3]);
    double sum = 0, squares = 0;
    FOR_GROUP(n, sum += (double)load(x + PLACE(&n->x)));
    *mean = sum / count;
    FOR_GROUP(n, {
        const double d = (double)load(x + PLACE(&n->x)) - *mean;
        squares += d * d;
    });
    *var = squares / count;
}

static void norm_forward(const sp__norm *n, int64_t first, int64_t last)
{
    for (int64_t g = first; g < last; g++) {
        const element *x = group(&n->x, g);
        element *y = group(&n->y, g);
        double mean, var;
        if (!n->given) {
            measure(n, x, &mean, &var);
            store_at(&n->mean, g, mean);
            store_at(&n->var, g, var);
        }
        if (n->only_moments) continue;
        /* As they are stored: what a backward pass will read. */
        mean = load_at(&n->mean, g), var = load_at(&n->var, g);
        const double scale = 1 / sqrt(var + n->eps);
        FOR_GROUP(n, {
            const double v = ((double)load(x + PLACE(&n->x)) - mean) * scale;
            const int64_t at = n->last ? c_ : g;
            store(y + PLACE(&n->y), (number)(v * load_or(n->weight, at, 1) + load_or(n->bias, at, 0)));
        });
    }
}

static void norm_backward(const sp__norm *n, int64_t first, int64_t last)
{
    const double count = (double)(n->sizes[0] * n->sizes[2] * n->sizes[3]);
    for (int64_t g = first; g < last; g++) {
        const element *x = group(&n->x, g), *dy = group(&n->y, g);
        const double mean = load_at(&n->mean, g), scale = 1 / sqrt(load_at(&n->var, g) + n->eps);
        double sum = 0, product = 0; /* of h and of h·x̂; without weights where these are the group's */
        FOR_GROUP(n, {
            const double h = (double)load(dy + PLACE(&n->y)) * (n->last ? load_or(n->weight, c_, 1) : 1);
            sum += h;
            product += h * ((double)load(x + PLACE(&n->x)) - mean) * scale;
        });
        if (!n->last && n->dweight) store_at(n->dweight, g, product);
        if (!n->last && n->dbias) store_at(n->dbias, g, sum);
        if (!n->dx) continue;
        element *dx = group(n->dx, g);
        const double outer = n->last ? 1 : load_or(n->weight, g, 1);
        FOR_GROUP(n, {
            const double h = (double)load(dy + PLACE(&n->y)) * (n->last ? load_or(n->weight, c_, 1) : 1);
            const double normal = ((double)load(x + PLACE(&n->x)) - mean) * scale;
            const double moved = n->given ? 0 : sum / count + normal * (product / count);
            store(dx + PLACE(n->dx), (number)(outer * scale * (h - moved)));
        });
    }
}

/* Place c of dweight and dbias along dimension 3, over all groups. */
static void norm_last(const sp__norm *n, int64_t first, int64_t last)
{
    for (int64_t c = first; c < last; c++) {
        double sum = 0, product = 0;
        for (int64_t g = 0; g < n->sizes[1]; g++) {
            const double dy = (double)load(group(&n->y, g) + c * n->y.strides[3]);
            const double x = (double)load(group(&n->x, g) + c * n->x.strides[3]) - load_at(&n->mean, g);
            sum += dy;
            product += dy * x / sqrt(load_at(&n->var, g) + n->eps);
        }
        if (n->dweight) store_at(n->dweight, c, product);
        if (n->dbias) store_at(n->dbias, c, sum);
    }
}

sp__norm_run *const SP__OF(sp__norm)[SP__NORM_PARTS] = {
    [SP__NORM_FORWARD] = norm_forward,
    [SP__NORM_BACKWARD] = norm_backward,
    [SP__NORM_LAST] = norm_last,
};

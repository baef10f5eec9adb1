/* Reductions of floating types, which compute in f64, block by block. */
#include "backends/cpu/common/element.h"
#include "backends/cpu/common/elementary.h"
#include "backends/cpu/reference.h"
#include <math.h>

typedef double value;

static inline value *value_of(sp__cell *cell)
{
    return &cell->value.f;
}

/* There is no wider type to add f64 in: what each addition loses is kept. */
/* NOLINTNEXTLINE(readability-non-const-parameter): f64 writes to it. */
static inline double sum_step(double v, double x, double *rest)
{
#if defined(SP_ELEMENT_F64)
    return sp__add_exactly(v, x, rest);
#else
    (void)rest;
    return v + x;
#endif
}

static inline double prod_step(double v, double x)
{
    return v * x;
}

/* NaN wins: it is not equal to itself, and nothing is greater than it afterwards. */
static inline double max_step(double v, double x)
{
    return x > v || x != x ? x : v;
}

static inline double min_step(double v, double x)
{
    return x < v || x != x ? x : v;
}

static inline double argmax_step(double v, double x, int64_t *index, int64_t i)
{
    if (!(x > v || (x != x && v == v))) return v;
    *index = i;
    return x;
}

static inline double argmin_step(double v, double x, int64_t *index, int64_t i)
{
    if (!(x < v || (x != x && v == v))) return v;
    *index = i;
    return x;
}

static inline double any_step(double v, double x)
{
    return v != 0 || x != 0;
}

static inline double all_step(double v, double x)
{
    return v != 0 && x != 0;
}

static inline double deviation_step(double v, double x, double mean)
{
    return v + (x - mean) * (x - mean);
}

static inline double exp_step(double v, double x, double max)
{
    return v + sp__exp(x - max);
}

static inline double abs_step(double v, double x)
{
    return v + fabs(x);
}

static inline double square_step(double v, double x)
{
    return v + x * x;
}

static inline double power_step(double v, double x, double p)
{
    return v + sp__pow(fabs(x), p);
}

static inline double nonzero_step(double v, double x)
{
    return v + (x != 0);
}

static inline double max_abs_step(double v, double x)
{
    return fabs(x) > v || x != x ? fabs(x) : v;
}

static inline double min_abs_step(double v, double x)
{
    return fabs(x) < v || x != x ? fabs(x) : v;
}

#include "backends/cpu/reduce/reference_folds.h"

FOLD(sum, (v, x, &cell->also.f))
FOLD(prod, (v, x))
FOLD(max, (v, x))
FOLD(min, (v, x))
FOLD(argmax, (v, x, &cell->also.index, b->position + i))
FOLD(argmin, (v, x, &cell->also.index, b->position + i))
FOLD(any, (v, x))
FOLD(all, (v, x))
FOLD(deviation, (v, x, cell->also.f))
FOLD(exp, (v, x, cell->also.f))
FOLD(abs, (v, x))
FOLD(square, (v, x))
FOLD(power, (v, x, b->param))
FOLD(nonzero, (v, x))
FOLD(max_abs, (v, x))
FOLD(min_abs, (v, x))

sp__fold_run *const SP__OF(sp__fold)[SP__FOLD_COUNT] = {
    [SP__FOLD_SUM] = sum_fold,         [SP__FOLD_PROD] = prod_fold,       [SP__FOLD_MAX] = max_fold,
    [SP__FOLD_MIN] = min_fold,         [SP__FOLD_ARGMAX] = argmax_fold,   [SP__FOLD_ARGMIN] = argmin_fold,
    [SP__FOLD_ANY] = any_fold,         [SP__FOLD_ALL] = all_fold,         [SP__FOLD_DEVIATION] = deviation_fold,
    [SP__FOLD_EXP] = exp_fold,         [SP__FOLD_ABS] = abs_fold,         [SP__FOLD_SQUARE] = square_fold,
    [SP__FOLD_POWER] = power_fold,     [SP__FOLD_NONZERO] = nonzero_fold, [SP__FOLD_MAX_ABS] = max_abs_fold,
    [SP__FOLD_MIN_ABS] = min_abs_fold,
};

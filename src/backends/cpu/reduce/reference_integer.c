/* Reductions of integers and bool, which compute in i64 and wrap, block by block. */
#include "backends/cpu/common/element.h"
#include "backends/cpu/reference.h"

typedef int64_t value;

static inline value *value_of(sp__cell *cell)
{
    return &cell->value.i;
}

static inline int64_t sum_step(int64_t v, int64_t x)
{
    return (int64_t)((uint64_t)v + (uint64_t)x);
}

static inline int64_t prod_step(int64_t v, int64_t x)
{
    return (int64_t)((uint64_t)v * (uint64_t)x);
}

static inline int64_t max_step(int64_t v, int64_t x)
{
    return x > v ? x : v;
}

static inline int64_t min_step(int64_t v, int64_t x)
{
    return x < v ? x : v;
}

static inline int64_t argmax_step(int64_t v, int64_t x, int64_t *index, int64_t i)
{
    if (x <= v) return v;
    *index = i;
    return x;
}

static inline int64_t argmin_step(int64_t v, int64_t x, int64_t *index, int64_t i)
{
    if (x >= v) return v;
    *index = i;
    return x;
}

static inline int64_t any_step(int64_t v, int64_t x)
{
    return v != 0 || x != 0;
}

static inline int64_t all_step(int64_t v, int64_t x)
{
    return v != 0 && x != 0;
}

#include "backends/cpu/reduce/reference_folds.h"

FOLD(sum, (v, x))
FOLD(prod, (v, x))
FOLD(max, (v, x))
FOLD(min, (v, x))
FOLD(argmax, (v, x, &cell->also.index, b->position + i))
FOLD(argmin, (v, x, &cell->also.index, b->position + i))
FOLD(any, (v, x))
FOLD(all, (v, x))

sp__fold_run *const SP__OF(sp__fold)[SP__FOLD_COUNT] = {
    [SP__FOLD_SUM] = sum_fold, [SP__FOLD_PROD] = prod_fold,     [SP__FOLD_MAX] = max_fold,
    [SP__FOLD_MIN] = min_fold, [SP__FOLD_ARGMAX] = argmax_fold, [SP__FOLD_ARGMIN] = argmin_fold,
    [SP__FOLD_ANY] = any_fold, [SP__FOLD_ALL] = all_fold,
};

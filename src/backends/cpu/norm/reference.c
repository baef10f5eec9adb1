/* Normalisation of groups, with any strides. */
#include "backends/cpu/reference.h"
#include <math.h>

static char *element(const sp__operand *x, int64_t i)
{
    return sp__operand_at(x) + i * x->strides[0] * sp__size_of(x->dtype);
}

static double load_at(const sp__operand *x, int64_t i)
{
    return sp__load_f64(x->dtype, element(x, i));
}

static double load_or(const sp__operand *x, int64_t i, double absent)
{
    return x ? load_at(x, i) : absent;
}

static void store_at(const sp__operand *x, int64_t i, double value)
{
    sp__store_f64(x->dtype, element(x, i), value);
}

#define T float
#define C float
#define LOAD(p) (*(p))
#define STORE(p, c) (*(p) = (c))
#define FN(name) name##_f32
#define TABLE sp__norm_f32
#include "reference.inc.h"

#define T double
#define C double
#define LOAD(p) (*(p))
#define STORE(p, c) (*(p) = (c))
#define FN(name) name##_f64
#define TABLE sp__norm_f64
#include "reference.inc.h"

#define T sp__bf16
#define C float
#define LOAD(p) sp__from_bf16(*(p))
#define STORE(p, c) (*(p) = sp__to_bf16(c))
#define FN(name) name##_bf16
#define TABLE sp__norm_bf16
#include "reference.inc.h"

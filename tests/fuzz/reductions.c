/* Over any dimensions; along one. */
#include "fuzz/call.h"
#include <math.h>

/* whole: bits of dimensions, keepdim, biased, one dimension. */
static void draw_reduction(fuzz_case *c, fuzz_random *r, int attempt)
{
    static const double powers[] = {0, 1, 2, 3, 0.5, -2, INFINITY, -INFINITY};
    int64_t sizes[SP_MAX_DIMS];
    int ndim = fuzz_shape(r, sizes);
    if (ndim == 0) sizes[ndim++] = fuzz_size(r, 1000);
    fuzz_add(c, r, attempt ? fuzz_float(r) : fuzz_any_dtype(r), (sp_dims){sizes, ndim});
    c->whole[0] = fuzz_between(r, 1, (1 << ndim) - 1);
    c->whole[1] = fuzz_between(r, 0, 1);
    c->whole[2] = fuzz_between(r, 0, 1);
    c->whole[3] = fuzz_between(r, -ndim, ndim - 1);
    c->real[0] = powers[fuzz_between(r, 0, sizeof powers / sizeof *powers - 1)];
}

/* The dimensions whose bits are set, every second of them counted from the end. */
static sp_dims dims_of(const fuzz_case *c, int64_t *dims)
{
    int n = 0;
    for (int d = 0; d < c->in[0].ndim; d++)
        if (c->whole[0] >> d & 1) {
            dims[n] = d % 2 ? d - c->in[0].ndim : d;
            n++;
        }
    return (sp_dims){dims, n};
}
#define DIMS dims_of(c, (int64_t[SP_MAX_DIMS]){0})
#define KEEP .keepdim = c->whole[1] != 0
#define DIM (int)c->whole[3]

CALL(sum, sp_sum_dims(in[0], DIMS, KEEP))
CALL(mean, sp_mean_dims(in[0], DIMS, KEEP))
CALL(amax, sp_amax_dims(in[0], DIMS, KEEP))
CALL(amin, sp_amin_dims(in[0], DIMS, KEEP))
CALL(var, sp_var_dims(in[0], DIMS, KEEP, .biased = c->whole[2]))
CALL(std, sp_std_dims(in[0], DIMS, KEEP, .biased = c->whole[2]))
CALL(norm, sp_norm_dims(in[0], DIMS, KEEP, .p = sp_exactly(c->real[0])))
CALL(logsumexp, sp_logsumexp_dims(in[0], DIMS, KEEP))
CALL(any, sp_any_dims(in[0], DIMS, KEEP))
CALL(all, sp_all_dims(in[0], DIMS, KEEP))
CALL(prod, sp_prod_dim(in[0], DIM, KEEP))
CALL(max, sp_max_dim(in[0], DIM, KEEP).values)
CALL(max_where, sp_max_dim(in[0], DIM, KEEP).indices)
CALL(min, sp_min_dim(in[0], DIM, KEEP).values)
CALL(argmax, sp_argmax_dim(in[0], DIM, KEEP))
CALL(argmin, sp_argmin_dim(in[0], DIM, KEEP))
CALL(cumsum, sp_cumsum(in[0], DIM))
CALL(softmax, sp_softmax(in[0], DIM))
CALL(log_softmax, sp_log_softmax(in[0], DIM))

const fuzz_subject fuzz_reductions[] = {
    {"sum_dims", &sp__op_sum_dim, draw_reduction, sum, 0},
    {"mean_dims", &sp__op_mean_dim, draw_reduction, mean, 0},
    {"amax_dims", &sp__op_amax, draw_reduction, amax, 0},
    {"amin_dims", &sp__op_amin, draw_reduction, amin, 0},
    {"var_dims", &sp__op_var, draw_reduction, var, 0},
    {"std_dims", &sp__op_std, draw_reduction, std, 0},
    {"norm_dims", &sp__op_norm, draw_reduction, norm, 0},
    {"logsumexp_dims", &sp__op_logsumexp, draw_reduction, logsumexp, 0},
    {"any_dims", &sp__op_any, draw_reduction, any, 0},
    {"all_dims", &sp__op_all, draw_reduction, all, 0},
    {"prod_dim with options", &sp__op_prod_dim, draw_reduction, prod, 0},
    {"max_dim with options", &sp__op_max_dim, draw_reduction, max, 0},
    {"max_dim's indices", &sp__op_max_dim, draw_reduction, max_where, 0},
    {"min_dim with options", &sp__op_min_dim, draw_reduction, min, 0},
    {"argmax_dim", &sp__op_argmax, draw_reduction, argmax, 0},
    {"argmin_dim", &sp__op_argmin, draw_reduction, argmin, 0},
    {"cumsum along any", &sp__op_cumsum, draw_reduction, cumsum, 0},
    {"softmax along any", &sp__op_softmax, draw_reduction, softmax, 0},
    {"log_softmax along any", &sp__op_log_softmax, draw_reduction, log_softmax, 0},
    {0},
};

/* Flatten and Unflatten. */
#include "layer.h"

static bool is_dim(int64_t x)
{
    return x >= -SP_MAX_DIMS && x < SP_MAX_DIMS;
}

/* ---- Flatten ---- */

typedef struct flatten_values {
    int64_t start, end;
} flatten_values;

static sp_tensor *flatten_forward(sp_module *self, sp_tensor *x)
{
    const flatten_values *v = sp__layer_values(self);
    return sp_flatten(x, .start_dim = (int)sp__exactly_int(v->start), .end_dim = (int)sp__exactly_int(v->end));
}

static sp_status flatten_check(const void *values)
{
    const flatten_values *v = values;
    if (is_dim(v->start) && is_dim(v->end)) return SP_OK;
    return sp_raise(SP_ERROR_ARGUMENT, "sp_nn_flatten: dimensions must be in [%d, %d), got %lld and %lld", -SP_MAX_DIMS,
                    SP_MAX_DIMS, (long long)v->start, (long long)v->end);
}

/* ---- Unflatten ---- */

typedef struct unflatten_values {
    int64_t dim;
    sp__layer_sizes sizes;
} unflatten_values;

static sp_tensor *unflatten_forward(sp_module *self, sp_tensor *x)
{
    const unflatten_values *v = sp__layer_values(self);
    return sp_unflatten(x, (int)v->dim, (sp_dims){v->sizes.v, v->sizes.n});
}

static sp_status unflatten_check(const void *values)
{
    const unflatten_values *v = values;
    if (!is_dim(v->dim))
        return sp_raise(SP_ERROR_ARGUMENT, "sp_nn_unflatten: dim must be in [%d, %d), got %lld", -SP_MAX_DIMS,
                        SP_MAX_DIMS, (long long)v->dim);
    if (v->sizes.n == 0) return sp_raise(SP_ERROR_ARGUMENT, "sp_nn_unflatten: there are no sizes");
    for (int i = 0; i < v->sizes.n; i++)
        if (v->sizes.v[i] < -1)
            return sp_raise(SP_ERROR_ARGUMENT, "sp_nn_unflatten: a size must be -1 or more, got %lld",
                            (long long)v->sizes.v[i]);
    return SP_OK;
}

/* "dim=1, unflattened_size=(32, 7, 7)". */
static size_t unflatten_describe(const sp_module *module, char *buffer, size_t size)
{
    const unflatten_values *v = sp__layer_values(module);
    sp__text t = sp__text_in(buffer, size);
    sp__put(&t, "dim=%lld, unflattened_size=", (long long)v->dim);
    sp__put_sizes(&t, &v->sizes);
    return t.length;
}

/* ---- types ---- */

enum { FLATTEN, UNFLATTEN, N_TYPES };
static const sp__layer_type types[N_TYPES] = {
    [FLATTEN] = {.name = "Flatten",
                 .values_size = sizeof(flatten_values),
                 .forward = flatten_forward,
                 .check = flatten_check,
                 .options = {SP__OPTION(flatten_values, start, "start_dim", INT, DEFAULTED, 1),
                             SP__OPTION(flatten_values, end, "end_dim", INT, DEFAULTED, -1)}},
    [UNFLATTEN] = {.name = "Unflatten",
                   .values_size = sizeof(unflatten_values),
                   .forward = unflatten_forward,
                   .check = unflatten_check,
                   .describe = unflatten_describe,
                   .options = {SP__OPTION(unflatten_values, dim, "dim", INT, NEEDED, 0),
                               SP__OPTION(unflatten_values, sizes, "size", SIZES, DEFAULTED, 0)}},
};
const sp__layer_family sp__shape_layers = SP__LAYER_FAMILY(types);

sp_module *(sp_nn_flatten)(const sp_flatten_options *options)
{
    sp_flatten_options o;
    sp_options_copy(&o, sizeof o, options);
    const flatten_values values = {sp_option_int(o.start_dim, 1), sp_option_int(o.end_dim, -1)};
    return sp__layer_new(&types[FLATTEN], &values);
}

sp_module *sp_nn_unflatten(int dim, sp_dims sizes)
{
    unflatten_values values = {.dim = dim};
    if (sp__layer_sizes_of(sizes, &values.sizes, "sp_nn_unflatten", "sizes") != SP_OK) return NULL;
    return sp__layer_new(&types[UNFLATTEN], &values);
}

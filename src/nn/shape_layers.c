/* Flatten and Unflatten. */
#include "layer.h"

#include <stdio.h>

enum { START_DIM, END_DIM };

static sp_tensor *flatten_forward(sp_module *self, sp_tensor *x)
{
    int start = sp__layer_dim(self, START_DIM), end = sp__layer_dim(self, END_DIM);
    return sp_flatten(x, .start_dim = start == 0 ? SP_ZERO : start, .end_dim = end == 0 ? SP_ZERO : end);
}

static bool is_dim(double x)
{
    return x >= -SP_MAX_DIMS && x < SP_MAX_DIMS;
}

static sp_status flatten_check(const double *numbers)
{
    if (is_dim(numbers[START_DIM]) && is_dim(numbers[END_DIM])) return SP_OK;
    return sp_raise(SP_ERROR_ARGUMENT, "sp_nn_flatten: dimensions must be in [%d, %d), got %.0f and %.0f", -SP_MAX_DIMS,
                    SP_MAX_DIMS, numbers[START_DIM], numbers[END_DIM]);
}

static const sp__layer_type flatten_type = {
    .name = "Flatten",
    .forward = flatten_forward,
    .check = flatten_check,
    .options = {[START_DIM] = {"start_dim", SP_ATTRIBUTE_INT, SP__OPTION_DEFAULTED, 1},
                [END_DIM] = {"end_dim", SP_ATTRIBUTE_INT, SP__OPTION_DEFAULTED, -1}},
};

sp_module *(sp_nn_flatten)(const sp_flatten_options *options)
{
    sp_flatten_options o;
    sp_options_copy(&o, sizeof o, options);
    return sp__layer_new(&flatten_type, (const double[SP__LAYER_OPTIONS]){(double)sp_option_int(o.start_dim, 1),
                                                                          (double)sp_option_int(o.end_dim, -1)});
}

/* ---- Unflatten: the dimension, then up to SP_MAX_DIMS sizes, ABSENT behind the last ---- */

enum { DIM, SIZES, ABSENT = -2 };

static int read_sizes(const sp_module *self, int64_t *sizes)
{
    int n = 0;
    for (; n < SP_MAX_DIMS && sp__layer_number(self, SIZES + n) != ABSENT; n++)
        sizes[n] = (int64_t)sp__layer_number(self, SIZES + n);
    return n;
}

static sp_tensor *unflatten_forward(sp_module *self, sp_tensor *x)
{
    int64_t sizes[SP_MAX_DIMS];
    sp_dims dims = {sizes, read_sizes(self, sizes)};
    return sp_unflatten(x, sp__layer_dim(self, DIM), dims);
}

static sp_status unflatten_check(const double *numbers)
{
    if (!is_dim(numbers[DIM]))
        return sp_raise(SP_ERROR_ARGUMENT, "sp_nn_unflatten: dim must be in [%d, %d), got %.0f", -SP_MAX_DIMS,
                        SP_MAX_DIMS, numbers[DIM]);
    if (numbers[SIZES] == ABSENT) return sp_raise(SP_ERROR_ARGUMENT, "sp_nn_unflatten: there are no sizes");
    for (int i = 0; i < SP_MAX_DIMS; i++)
        if (!(numbers[SIZES + i] >= -1) && numbers[SIZES + i] != ABSENT)
            return sp_raise(SP_ERROR_ARGUMENT, "sp_nn_unflatten: a size must be -1 or more, got %.0f",
                            numbers[SIZES + i]);
    return SP_OK;
}

/* "dim=1, unflattened_size=(32, 7, 7)": a Python tuple. */
static size_t unflatten_describe(const sp_module *module, char *buffer, size_t size)
{
    int64_t sizes[SP_MAX_DIMS];
    int n = read_sizes(module, sizes);
    char list[SP_MAX_DIMS * 24] = "";
    size_t used = 0;
    for (int i = 0; i < n; i++)
        used += (size_t)snprintf(list + used, sizeof list - used, i > 0 ? ", %lld" : "%lld", (long long)sizes[i]);
    return (size_t)snprintf(buffer, size, "dim=%.0f, unflattened_size=(%s%s)", sp__layer_number(module, DIM), list,
                            n == 1 ? "," : "");
}

#define SIZE(i) [SIZES + (i)] = {"size" #i, SP_ATTRIBUTE_INT, SP__OPTION_OMITTED, ABSENT}
static const sp__layer_type unflatten_type = {
    .name = "Unflatten",
    .forward = unflatten_forward,
    .check = unflatten_check,
    .describe = unflatten_describe,
    .options = {[DIM] = {"dim", SP_ATTRIBUTE_INT, SP__OPTION_NEEDED, 0},
                SIZE(0),
                SIZE(1),
                SIZE(2),
                SIZE(3),
                SIZE(4),
                SIZE(5),
                SIZE(6),
                SIZE(7)},
};

sp_module *sp_nn_unflatten(int dim, sp_dims sizes)
{
    double numbers[SP__LAYER_OPTIONS] = {dim};
    if (sizes.n > 0 && !sizes.data) return sp_raise_null("sp_nn_unflatten", "sizes"), NULL;
    if (sizes.n < 0 || sizes.n > SP_MAX_DIMS) {
        sp_raise(SP_ERROR_ARGUMENT, "sp_nn_unflatten: there are 1 to %d sizes, got %d", SP_MAX_DIMS, sizes.n);
        return NULL;
    }
    for (int i = 0; i < SP_MAX_DIMS; i++) {
        numbers[SIZES + i] = i < sizes.n ? (double)sizes.data[i] : ABSENT;
        /* What marks the end is no size. */
        if (i < sizes.n && sizes.data[i] == ABSENT) numbers[SIZES + i] = ABSENT - 1;
    }
    return sp__layer_new(&unflatten_type, numbers);
}

const sp__layer_type *sp__find_shape_layer(const char *name)
{
    if (strcmp(name, flatten_type.name) == 0) return &flatten_type;
    return strcmp(name, unflatten_type.name) == 0 ? &unflatten_type : NULL;
}

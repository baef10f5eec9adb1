/* Data sets made of tensors, and parts of other data sets. */
#include "data_private.h"
#include <spusk/views.h>

/* ---- slices of tensors ---- */

typedef struct tensor_data {
    sp_dataset base;
    sp_tensor *x, *y; /* y may be SP_NONE */
} tensor_data;

static int64_t tensors_length(const sp_dataset *dataset)
{
    return sp_size(((const tensor_data *)dataset)->x, 0);
}

static sp_example tensors_get(sp_dataset *dataset, int64_t i)
{
    const tensor_data *data = (const tensor_data *)dataset;
    sp_tensor *x = sp_select(data->x, 0, i);
    sp_tensor *y = data->y == SP_NONE ? SP_NONE : sp_select(data->y, 0, i);
    return x && y ? (sp_example){x, y} : (sp_example){NULL, NULL};
}

/* Rows index[0 … n-1] of a contiguous tensor. */
static sp_tensor *rows(sp_tensor *from, const int64_t *index, int64_t n)
{
    if (from == SP_NONE) return from;
    int64_t sizes[SP_MAX_DIMS] = {n};
    sp_dims dims = sp_sizes(from);
    for (int d = 1; d < dims.n; d++) sizes[d] = dims.data[d];
    sp_tensor *to = sp_empty(((sp_dims){sizes, dims.n}), .dtype = sp_dtype_of(from));
    if (!to || !sp_numel(to)) return to;
    size_t each = (size_t)(sp_numel(to) / n) * sp_dtype_size(sp_dtype_of(from));
    const char *source = sp_const_data(from);
    char *target = sp_data(to);
    for (int64_t i = 0; i < n; i++) memcpy(target + (size_t)i * each, source + (size_t)index[i] * each, each);
    sp_data_end(to);
    return to;
}

static bool is_dense(const sp_tensor *x)
{
    return x == SP_NONE || sp_is_contiguous(x);
}

static sp_example tensors_batch(sp_dataset *dataset, const int64_t *index, int64_t n, const sp__draws *draws)
{
    const tensor_data *data = (const tensor_data *)dataset;
    if (!is_dense(data->x) || !is_dense(data->y)) return sp__data_collate(dataset, index, n, draws);
    sp_tensor *x = rows(data->x, index, n);
    sp_tensor *y = x ? rows(data->y, index, n) : NULL;
    if (y) return (sp_example){x, y};
    sp_release(x);
    return (sp_example){NULL, NULL};
}

static void tensors_destroy(sp_dataset *dataset)
{
    tensor_data *data = (tensor_data *)dataset;
    sp_drop(data->x);
    if (data->y != SP_NONE) sp_drop(data->y);
}

static const sp__data_type tensors_type = {
    .length = tensors_length,
    .get = tensors_get,
    .batch = tensors_batch,
    .destroy = tensors_destroy,
};

static sp_status check_halves(const sp_tensor *x, const sp_tensor *y)
{
    if (!sp__is_tensor(x)) return sp_raise_null("sp_data_tensors", "x");
    if (!y) return sp_raise_null("sp_data_tensors", "y");
    if (!sp_ndim(x) || (y != SP_NONE && !sp_ndim(y)))
        return sp_raise(SP_ERROR_SHAPE, "sp_data_tensors: x and y need a first dimension to be cut along");
    if (y == SP_NONE || sp_size(x, 0) == sp_size(y, 0)) return SP_OK;
    return sp_raise(SP_ERROR_SHAPE, "sp_data_tensors: x has %lld examples, and y %lld", (long long)sp_size(x, 0),
                    (long long)sp_size(y, 0));
}

sp_dataset *sp_data_tensors(sp_tensor *x, sp_tensor *y)
{
    if (check_halves(x, y)) return NULL;
    tensor_data *data = sp__dataset_new(&tensors_type, sizeof *data, 0, "tensors, %lld examples",
                                        (long long)sp_size(x, 0));
    if (!data) return NULL;
    data->x = sp_retain(x);
    data->y = y == SP_NONE ? y : sp_retain(y);
    return &data->base;
}

/* ---- parts ---- */

typedef struct subset_data {
    sp_dataset base;
    sp_dataset *whole;
    int64_t *index; /* each in range of the whole, none negative */
    int64_t length;
} subset_data;

static int64_t subset_length(const sp_dataset *dataset)
{
    return ((const subset_data *)dataset)->length;
}

static sp_example subset_get(sp_dataset *dataset, int64_t i)
{
    const subset_data *subset = (const subset_data *)dataset;
    return subset->whole->type->get(subset->whole, subset->index[i]);
}

static sp_example subset_batch(sp_dataset *dataset, const int64_t *index, int64_t n, const sp__draws *draws)
{
    const subset_data *subset = (const subset_data *)dataset;
    size_t bytes = sp_size_bytes(n, sizeof(int64_t));
    int64_t *of_whole = sp_alloc(bytes);
    if (!of_whole) return (sp_example){NULL, NULL};
    for (int64_t i = 0; i < n; i++) of_whole[i] = subset->index[index[i]];
    sp_example batch = sp__data_batch(subset->whole, of_whole, n, draws);
    sp_free(of_whole, bytes);
    return batch;
}

static void subset_destroy(sp_dataset *dataset)
{
    subset_data *subset = (subset_data *)dataset;
    sp_drop(subset->whole);
    sp_free(subset->index, sp_size_bytes(subset->length, sizeof(int64_t)));
}

static const sp__data_type subset_type = {
    .length = subset_length,
    .get = subset_get,
    .batch = subset_batch,
    .destroy = subset_destroy,
};

static sp_status check_index(const sp_dataset *dataset, const sp_tensor *index)
{
    if (sp__dataset_check(dataset, "sp_data_subset")) return sp_error_status();
    if (!sp__is_tensor(index)) return sp_raise_null("sp_data_subset", "index");
    if (sp_ndim(index) == 1 && sp_dtype_of(index) == SP_I64) return SP_OK;
    return sp_raise(SP_ERROR_SHAPE, "sp_data_subset: the index must be 1-d and int64, and is %d-d and %s",
                    sp_ndim(index), sp_dtype_name(sp_dtype_of(index)));
}

/* Copies the index; entries may count from the end. */
static sp_status read_index(subset_data *subset, const sp_tensor *index, int64_t whole)
{
    sp_status status = sp_copy_out(subset->index, index, sp_size_bytes(subset->length, sizeof(int64_t)));
    for (int64_t i = 0; !status && i < subset->length; i++) {
        int64_t at = subset->index[i];
        if (at < -whole || at >= whole) {
            status = sp_raise(SP_ERROR_ARGUMENT, "sp_data_subset: index[%lld] is %lld, in a data set of %lld examples",
                              (long long)i, (long long)at, (long long)whole);
        } else if (at < 0) {
            subset->index[i] = at + whole;
        }
    }
    return status;
}

sp_dataset *sp_data_subset(sp_dataset *dataset, sp_tensor *index)
{
    if (check_index(dataset, index)) return NULL;
    int64_t n = sp_size(index, 0);
    subset_data *subset = sp__dataset_new(&subset_type, sizeof *subset, dataset->n_classes, "%lld examples of %s",
                                          (long long)n, dataset->description);
    if (!subset) return NULL;
    subset->whole = sp_retain(dataset);
    subset->index = sp_alloc(sp_size_bytes(n, sizeof(int64_t)));
    subset->length = subset->index ? n : 0;
    if (subset->index && !read_index(subset, index, sp_data_length(dataset))) return &subset->base;
    sp_release(subset);
    return NULL;
}

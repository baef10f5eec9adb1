/* Embedding: a table of vectors, looked up by number. */
#include "layer.h"
#include <spusk/pointwise.h>

enum { NO_PADDING = -1 };

typedef struct embedding_values {
    int64_t entries, features, padding; /* padding: a row, or NO_PADDING */
} embedding_values;

typedef struct embedding {
    sp__layer layer;
    sp_tensor *weight;
} embedding;

static sp_tensor *embedding_forward(sp_module *self, sp_tensor *index)
{
    const int64_t padding = ((const embedding_values *)sp__layer_values(self))->padding;
    return sp_embedding(index, ((const embedding *)self)->weight,
                        .padding_idx = padding == NO_PADDING ? 0 : sp__exactly_int(padding));
}

static sp_status embedding_check(const void *values)
{
    const embedding_values *v = values;
    const long long entries = v->entries, features = v->features;
    if (entries < 0 || features < 0)
        return sp_raise(SP_ERROR_ARGUMENT, "sp_nn_embedding: sizes must not be negative, got %lld and %lld", entries,
                        features);
    if (v->padding == NO_PADDING || (v->padding >= 0 && v->padding < entries)) return SP_OK;
    return sp_raise(SP_ERROR_ARGUMENT, "sp_nn_embedding: padding_idx is none of the %lld rows", entries);
}

static size_t embedding_describe(const sp_module *module, char *buffer, size_t size)
{
    const embedding_values *v = sp__layer_values(module);
    sp__text t = sp__text_in(buffer, size);
    sp__put(&t, "%lld, %lld", (long long)v->entries, (long long)v->features);
    if (v->padding != NO_PADDING) sp__put(&t, ", padding_idx=%lld", (long long)v->padding);
    return t.length;
}

static int embedding_tensors(const void *values, sp_outline_tensor *tensors)
{
    const embedding_values *v = values;
    return sp__outline_add(tensors, 0, "weight", SP_DIMS(v->entries, v->features));
}

/* All rows are drawn; then the padding's is zero. */
static sp_status embedding_fill(sp_module *self, const sp__layer_source *source)
{
    embedding *e = (embedding *)self;
    const embedding_values *v = sp__layer_values(self);
    sp_tensor *weight = sp_empty(SP_DIMS(v->entries, v->features), .dtype = source->dtype);
    weight = sp_init_normal_(weight, 0, 1, .generator = source->generator);
    if (weight && v->padding != NO_PADDING && !sp_zero_(sp_select(weight, 0, v->padding))) return sp_error_status();
    e->weight = sp_module_add_parameter(self, "weight", weight);
    return e->weight ? SP_OK : sp_error_status();
}

static const sp__layer_type types[] = {{
    .name = "Embedding",
    .bytes = sizeof(embedding),
    .values_size = sizeof(embedding_values),
    .forward = embedding_forward,
    .check = embedding_check,
    .tensors = embedding_tensors,
    .describe = embedding_describe,
    .fill = embedding_fill,
    .options = {SP__OPTION(embedding_values, entries, "num_embeddings", INT, NEEDED, 0),
                SP__OPTION(embedding_values, features, "embedding_dim", INT, NEEDED, 0),
                SP__OPTION(embedding_values, padding, "padding_idx", INT, OMITTED, NO_PADDING)},
}};
const sp__layer_family sp__embeddings = SP__LAYER_FAMILY(types);

/* A padding below 0 counts from the end. One that stays below 0 is no row, and the check finds it. */
static int64_t padding_row(int64_t padding, int64_t entries)
{
    if (padding == 0) return NO_PADDING;
    if (padding == SP_ZERO) return 0;
    const int64_t row = padding < 0 ? sp_size_add(padding, entries) : padding;
    return row < 0 ? NO_PADDING - 1 : row;
}

sp_module *(sp_nn_embedding)(int64_t num_embeddings, int64_t embedding_dim, const sp_nn_embedding_options *options)
{
    sp_nn_embedding_options o;
    sp_options_copy(&o, sizeof o, options);
    const embedding_values values = {num_embeddings, embedding_dim, padding_row(o.padding_idx, num_embeddings)};
    return sp__layer_new_from(types, &values, &(const sp__layer_source){o.dtype, o.generator, NULL});
}

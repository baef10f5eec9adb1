/* Embedding: a table of vectors, looked up by number. */
#include "layer.h"
#include <spusk/pointwise.h>

typedef struct embedding {
    sp__layer layer;
    sp_tensor *weight;
} embedding;

enum { ENTRIES, FEATURES, PADDING, NO_PADDING = -1 };

static sp_tensor *embedding_forward(sp_module *self, sp_tensor *index)
{
    const embedding *e = (const embedding *)self;
    const double padding = e->layer.numbers[PADDING];
    return sp_embedding(index, e->weight, .padding_idx = padding == NO_PADDING ? 0 : (int64_t)sp_exactly(padding));
}

static sp_status embedding_check(const double *n)
{
    if (!(n[ENTRIES] >= 0 && n[FEATURES] >= 0))
        return sp_raise(SP_ERROR_ARGUMENT, "sp_nn_embedding: sizes must not be negative, got %.0f and %.0f", n[ENTRIES],
                        n[FEATURES]);
    if (n[PADDING] == NO_PADDING || (n[PADDING] >= 0 && n[PADDING] < n[ENTRIES])) return SP_OK;
    return sp_raise(SP_ERROR_ARGUMENT, "sp_nn_embedding: padding_idx is none of the %.0f rows", n[ENTRIES]);
}

static size_t embedding_describe(const sp_module *module, char *buffer, size_t size)
{
    const double *n = sp__layer_numbers(module);
    sp__text t = sp__text_in(buffer, size);
    sp__put(&t, "%.0f, %.0f", n[ENTRIES], n[FEATURES]);
    if (n[PADDING] != NO_PADDING) sp__put(&t, ", padding_idx=%.0f", n[PADDING]);
    return t.length;
}

static int embedding_tensors(const double *n, sp_outline_tensor *tensors)
{
    return sp__outline_add(tensors, 0, "weight", SP_DIMS((int64_t)n[ENTRIES], (int64_t)n[FEATURES]));
}

static sp_module *embedding_build(const sp__layer_type *type, const double *n)
{
    (void)type;
    return sp_nn_embedding((int64_t)n[ENTRIES], (int64_t)n[FEATURES],
                           .padding_idx = n[PADDING] == NO_PADDING ? 0 : (int64_t)sp_exactly(n[PADDING]));
}

static const sp__layer_type embedding_type = {
    .name = "Embedding",
    .forward = embedding_forward,
    .check = embedding_check,
    .tensors = embedding_tensors,
    .describe = embedding_describe,
    .build = embedding_build,
    .options = {[ENTRIES] = {"num_embeddings", SP_ATTRIBUTE_INT, SP__OPTION_NEEDED, 0},
                [FEATURES] = {"embedding_dim", SP_ATTRIBUTE_INT, SP__OPTION_NEEDED, 0},
                [PADDING] = {"padding_idx", SP_ATTRIBUTE_INT, SP__OPTION_OMITTED, NO_PADDING}},
};

const sp__layer_type *sp__find_embedding(const char *name)
{
    return strcmp(name, embedding_type.name) == 0 ? &embedding_type : NULL;
}

/* All rows are drawn; then the padding's is zero. */
static sp_status make_weight(embedding *e, int64_t entries, int64_t features, const sp_nn_embedding_options *o)
{
    const double padding = e->layer.numbers[PADDING];
    sp_tensor *weight = sp_empty(SP_DIMS(entries, features), .dtype = o->dtype);
    weight = sp_init_normal_(weight, 0, 1, .generator = o->generator);
    if (weight && padding != NO_PADDING && !sp_zero_(sp_select(weight, 0, (int64_t)padding))) return sp_error_status();
    e->weight = sp_module_add_parameter(&e->layer.base, "weight", weight);
    return e->weight ? SP_OK : sp_error_status();
}

/* Counted from the end, it may be none of them: one that is left negative is found by the check. */
static double padding_row(int64_t padding, int64_t entries)
{
    if (padding == 0) return NO_PADDING;
    if (padding == SP_ZERO) return 0;
    const int64_t row = padding < 0 ? sp_size_add(padding, entries) : padding;
    return row < 0 ? NO_PADDING - 1 : (double)row;
}

sp_module *(sp_nn_embedding)(int64_t num_embeddings, int64_t embedding_dim, const sp_nn_embedding_options *options)
{
    sp_nn_embedding_options o;
    sp_options_copy(&o, sizeof o, options);
    const double numbers[SP__LAYER_OPTIONS] = {(double)num_embeddings, (double)embedding_dim,
                                               padding_row(o.padding_idx, num_embeddings)};
    sp_module *self = sp__layer_new_sized(&embedding_type, sizeof(embedding), numbers);
    if (!self) return NULL;
    sp_status status = SP_OK;
    SP_NO_GRAD {
        status = make_weight((embedding *)self, num_embeddings, embedding_dim, &o);
    }
    if (!status) return self;
    sp_release(self);
    return NULL;
}

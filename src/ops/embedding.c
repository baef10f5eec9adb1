/* Rows of a table by their numbers.
 *
 *   embedding  y[…] = weight[index[…]]    dweight[r] = Σ dy[…] over index[…] = r; 0 for the padding's row */
#include "ops/elementwise.h"
#include <stdio.h>
#include <string.h>

typedef struct embedding_attributes {
    bool has_padding;
    int64_t padding;
} embedding_attributes;

static sp_status embedding_infer(sp_call *call)
{
    const embedding_attributes *a = call->attributes;
    const sp_tensor *weight = call->inputs[0], *index = call->inputs[1];
    int64_t sizes[SP_MAX_DIMS + 1];
    if (index->dtype != SP_I64 && index->dtype != SP_I32)
        return sp_raise(SP_ERROR_DTYPE, "sp_embedding: an index is int64 or int32, not %s",
                        sp_dtype_name(index->dtype));
    if (weight->ndim != 2)
        return sp_raise(SP_ERROR_SHAPE, "sp_embedding: the weight is (entries, features), not of shape %s",
                        sp__shape_of(weight));
    if (index->ndim == SP_MAX_DIMS)
        return sp_raise(SP_ERROR_SHAPE, "sp_embedding: an index of shape %s leaves no dimension for the features",
                        sp__shape_of(index));
    if (a->has_padding && (a->padding < 0 || a->padding >= weight->sizes[0]))
        return sp_raise(SP_ERROR_ARGUMENT, "sp_embedding: padding_idx %lld is no row of a weight of shape %s",
                        (long long)a->padding, sp__shape_of(weight));
    memcpy(sizes, index->sizes, sizeof index->sizes);
    sizes[index->ndim] = weight->sizes[1];
    return sp_call_output(call, 0, weight->dtype, (sp_dims){sizes, index->ndim + 1});
}

/* The call sees y as (entries of index, features); the weight's rows stand along dimension 0. */
static sp_status run_gather(const sp_tensor *weight, const sp_tensor *index, const sp_tensor *y)
{
    sp__index kernel = {.kind = SP__GATHER,
                        .ndim = 2,
                        .dim = 0,
                        .sizes = {sp__product(index->ndim, index->sizes), weight->sizes[1]},
                        .extent = weight->sizes[0],
                        .out = sp__operand_of(y),
                        .data = sp__operand_of(weight),
                        .index = sp__operand_of(index)};
    kernel.out.strides[0] = weight->sizes[1], kernel.out.strides[1] = 1;
    kernel.index.strides[0] = 1, kernel.index.strides[1] = 0;
    sp_error_frame frame;
    sp_error_enter(&frame, "", "sp_embedding");
    const sp_status status = sp__backend_for(y)->index(&kernel);
    sp_error_leave(&frame);
    return status;
}

static sp_status embedding_forward(sp_call *call)
{
    sp_tensor *index = sp__value_contiguous(call->inputs[1]);
    if (!index) return sp_error_status();
    const sp_status status = run_gather(call->inputs[0], index, call->outputs[0]);
    sp__unref(index);
    return status;
}

static sp_status embedding_backward(sp_grad_call *call)
{
    const embedding_attributes *a = call->attributes;
    const sp_dims table = sp_input_sizes(call, 0);
    sp_tensor *index = sp_saved_input(call, 1), *grad = call->grads[0];
    if (!index) return sp_error_status();
    if (a->has_padding) grad = sp_masked_fill(grad, sp_unsqueeze(sp_eq_int(index, a->padding), -1), 0);
    const int64_t n = sp_numel(index), features = table.data[1];
    sp_tensor *rows = sp_expand(sp_reshape(index, n, 1), n, features);
    sp_tensor *zeros = sp_zeros(table, .dtype = sp_input_dtype(call, 0));
    return SP__GIVE(call, 0, sp_scatter_add(zeros, 0, rows, sp_reshape(grad, n, features)));
}

sp_tensor *(sp_embedding)(sp_tensor *index, sp_tensor *weight, const sp_embedding_options *options)
{
    sp_embedding_options o;
    sp_options_copy(&o, sizeof o, options);
    if (sp__check_tensor(index, "sp_embedding", "index") || sp__check_tensor(weight, "sp_embedding", "weight"))
        return NULL;
    embedding_attributes a = {o.padding_idx != 0, sp_option_int(o.padding_idx, 0)};
    if (a.padding < 0 && weight->ndim) a.padding += weight->sizes[0];
    return sp_op_apply(&sp__op_embedding, (sp_tensor *[]){weight, index}, 2, &a);
}

SP__SAMPLE(embedding_rows, sp_embedding(in[1], in[0]));
SP__SAMPLE(embedding_padded, sp_embedding(in[1], in[0], .padding_idx = -2));

/* An index of that shape, of numbers below n. */
#define INDEX(lengths, n)                                                                                              \
    {                                                                                                                  \
        .shape = lengths, .low = 0, .high = n, .dtype = SP_I64                                                         \
    }

const sp_op sp__op_embedding = {
    .name = "embedding",
    .backward_name = "EmbeddingBackward0",
    .n_inputs = 2,
    .attributes_size = sizeof(embedding_attributes),
    .saves = SP_SAVE_INPUT(1),
    .infer = embedding_infer,
    .forward = embedding_forward,
    .backward = embedding_backward,
    .samples =
        (const sp_sample[]){
            {embedding_rows, "F.embedding(b, a)", {{"5 3"}, INDEX("2 4", 5)}},
            /* The padding's row gets no gradient, whatever the differences say. */
            {embedding_padded, "F.embedding(b, a, padding_idx=-2)", {{"4 2"}, INDEX("6", 4)}, .no_grad = true},
            {embedding_rows, "F.embedding(b, a)", {{"4 2"}, INDEX("", 4)}},
            {embedding_rows, "F.embedding(b, a)", {{"4 2"}, INDEX("0 3", 4)}},
            {0}},
};

/* Copies: clone, contiguous, cast; and joining: cat, stack.
 *
 *   clone, cast    y = x                      dx = dy, in x's dtype
 *   cat            y = [x0 | x1 | …] on dim   dxi = the part of dy */
#include "ops/ops.h"
#include <string.h>

/* The strides of the copy, where they are given; else it is contiguous. Those of x, where the gradient is to lie so. */
typedef struct clone_attributes {
    bool given, back;
    int64_t strides[SP_MAX_DIMS], x_strides[SP_MAX_DIMS];
} clone_attributes;

typedef struct cast_attributes {
    sp_dtype dtype;
} cast_attributes;

typedef struct cat_attributes {
    int dim;
} cat_attributes;

/* ---- clone and cast ---- */

static sp_status clone_infer(sp_call *call)
{
    sp_tensor *x = call->inputs[0];
    const clone_attributes *a = call->attributes;
    sp_status status = sp_call_output(call, 0, x->dtype, (sp_dims){x->sizes, x->ndim});
    if (!status && a->given) memcpy(call->outputs[0]->strides, a->strides, sizeof a->strides);
    return status;
}

static sp_status cast_infer(sp_call *call)
{
    sp_tensor *x = call->inputs[0];
    sp_dtype dtype = ((const cast_attributes *)call->attributes)->dtype;
    return sp_call_output_like(call, 0, dtype, (sp_dims){x->sizes, x->ndim}, x);
}

static sp_status copy_forward(sp_call *call)
{
    return sp__copy_values(call->outputs[0], call->inputs[0]);
}

static sp_status copy_backward(sp_grad_call *call)
{
    call->result[0] = sp_cast(call->grads[0], sp_input_dtype(call, 0));
    return SP_OK;
}

static sp_status clone_backward(sp_grad_call *call)
{
    const clone_attributes *a = call->attributes;
    if (!a->back) return copy_backward(call);
    call->result[0] = sp__clone_strided(call->grads[0], a->x_strides);
    return SP_OK;
}

sp_tensor *sp__clone_strided(sp_tensor *x, const int64_t *strides)
{
    clone_attributes a = {.given = true};
    memcpy(a.strides, strides, sizeof a.strides);
    return sp_op_apply(&sp__op_clone, &x, 1, &a);
}

sp_tensor *sp__clone_contiguous(sp_tensor *x)
{
    clone_attributes a = {.back = sp_is_channels_last(x)}; /* what made the image wants its gradient as the image is */
    if (a.back) memcpy(a.x_strides, x->strides, sizeof a.x_strides);
    return sp_op_apply(&sp__op_clone, &x, 1, &a);
}

sp_tensor *sp_clone(sp_tensor *x)
{
    if (sp__check_tensor(x, "sp_clone", "x")) return NULL;
    return sp_is_dense(x) ? sp__clone_strided(x, x->strides) : sp__clone_contiguous(x);
}

sp_tensor *sp_contiguous(sp_tensor *x)
{
    if (sp__check_tensor(x, "sp_contiguous", "x")) return NULL;
    return sp__strides_contiguous(x->ndim, x->sizes, x->strides) ? x : sp__clone_contiguous(x);
}

sp_tensor *sp_cast(sp_tensor *x, sp_dtype dtype)
{
    if (sp__check_tensor(x, "sp_cast", "x")) return NULL;
    if (!sp_dtype_size(dtype)) {
        sp_raise(SP_ERROR_DTYPE, "sp_cast: %d is no dtype", (int)dtype);
        return NULL;
    }
    return x->dtype == dtype ? x : sp_op_apply(&sp__op_cast, &x, 1, &(cast_attributes){dtype});
}

/* ---- cat and stack ---- */

static sp_status check_joined(const sp_tensor *first, const sp_tensor *x, int dim)
{
    bool fits = x->ndim == first->ndim;
    for (int d = 0; d < x->ndim && fits; d++) fits = d == dim || x->sizes[d] == first->sizes[d];
    if (fits) return SP_OK;
    return sp_raise(SP_ERROR_SHAPE, "sp_cat: shapes %s and %s differ in another dimension than %d", sp__shape_of(first),
                    sp__shape_of(x), dim);
}

static sp_status cat_infer(sp_call *call)
{
    int dim = ((const cat_attributes *)call->attributes)->dim;
    sp_tensor *first = call->inputs[0];
    int64_t sizes[SP_MAX_DIMS];
    if (first->ndim == 0) return sp_raise(SP_ERROR_SHAPE, "sp_cat: numbers cannot be joined: use sp_stack");
    memcpy(sizes, first->sizes, sizeof sizes);
    for (int i = 1; i < call->n_inputs; i++) {
        if (check_joined(first, call->inputs[i], dim)) return sp_error_status();
        sizes[dim] = sp_size_add(sizes[dim], call->inputs[i]->sizes[dim]);
    }
    sp_dtype dtype = sp__result_type(call->inputs, call->n_inputs);
    return sp_call_output(call, 0, dtype, (sp_dims){sizes, first->ndim});
}

static sp_status cat_forward(sp_call *call)
{
    int dim = ((const cat_attributes *)call->attributes)->dim;
    int64_t at = 0;
    for (int i = 0; i < call->n_inputs; i++) {
        sp_tensor *x = call->inputs[i], *part = sp__tensor_alias_unowned(call->outputs[0]);
        if (!part) return sp_error_status();
        part->offset += at * part->strides[dim];
        part->sizes[dim] = x->sizes[dim];
        at += x->sizes[dim];
        sp_status status = sp__copy_values(part, x);
        sp__unref(part);
        if (status) return status;
    }
    return SP_OK;
}

static sp_status cat_backward(sp_grad_call *call)
{
    int dim = ((const cat_attributes *)call->attributes)->dim;
    int64_t at = 0;
    for (int i = 0; i < call->n_inputs; i++) {
        int64_t length = sp_input_sizes(call, i).data[dim];
        if (call->needed[i]) call->result[i] = sp_narrow(call->grads[0], dim, at, length);
        at += length;
    }
    return SP_OK;
}

/* The list's tensors, each passed through `prepare`; joined in steps where they are more than one call takes. */
static sp_tensor *join(sp_tensor *const *tensors, int64_t n, int dim)
{
    sp_tensor *part[SP_MAX_INPUTS];
    if (n <= SP_MAX_INPUTS) return sp_op_apply(&sp__op_cat, tensors, (int)n, &(cat_attributes){dim});
    int64_t piece = (n + SP_MAX_INPUTS - 1) / SP_MAX_INPUTS;
    int parts = 0;
    for (int64_t i = 0; i < n; i += piece) {
        part[parts] = join(tensors + i, n - i < piece ? n - i : piece, dim);
        if (!part[parts++]) return NULL;
    }
    return join(part, parts, dim);
}

static sp_status check_list(const sp_list *list, const char *function)
{
    if (sp__check(list, &sp__list_kind, function, "list")) return sp_error_status();
    if (list->n == 0) return sp_raise(SP_ERROR_ARGUMENT, "%s: the list is empty", function);
    return sp__check_tensor(list->items[0], function, "the first entry");
}

static bool is_nothing(const sp_tensor *x)
{
    return x->ndim == 1 && x->sizes[0] == 0;
}

/* A list may begin with sp_empty(SP_DIMS(0)) whatever the other shapes are, as in PyTorch; only its dtype counts. */
static const sp_list *without_nothings(const sp_list *list, sp_dtype *dtype)
{
    sp_list *kept = sp_list_new(NULL, 0);
    for (int64_t i = 0; kept && i < list->n; i++) {
        *dtype = sp_promote_types(*dtype, list->items[i]->dtype);
        if (!is_nothing(list->items[i]) && sp_list_append(kept, list->items[i])) return NULL;
    }
    return kept && kept->n == 0 ? list : kept;
}

sp_tensor *sp_cat(const sp_list *list, int dim)
{
    if (check_list(list, "sp_cat")) return NULL;
    int64_t nothings = 0;
    for (int64_t i = 0; i < list->n; i++) nothings += is_nothing(list->items[i]);
    sp_dtype dtype = list->items[0]->dtype;
    sp_tensor *y = NULL;
    sp_scope scope = sp_scope_open();
    if (nothings > 0) list = without_nothings(list, &dtype);
    int at;
    if (list && !sp__wrap_dim("sp_cat", list->items[0]->ndim, dim, &at)) y = join(list->items, list->n, at);
    if (nothings > 0) y = y ? sp_cast(y, dtype) : NULL;
    y = sp_escape(y);
    sp_scope_close(&scope);
    return y;
}

static sp_status check_same_shape(const sp_list *list)
{
    const sp_tensor *first = list->items[0];
    for (int64_t i = 1; i < list->n; i++) {
        const sp_tensor *x = list->items[i];
        if (sp__check_tensor(x, "sp_stack", "an entry")) return sp_error_status();
        if (x->ndim != first->ndim || memcmp(x->sizes, first->sizes, (size_t)x->ndim * sizeof *x->sizes) != 0)
            return sp_raise(SP_ERROR_SHAPE, "sp_stack: shapes %s and %s differ", sp__shape_of(first), sp__shape_of(x));
    }
    return SP_OK;
}

sp_tensor *sp_stack(const sp_list *list, int dim)
{
    int at;
    if (check_list(list, "sp_stack") || check_same_shape(list) ||
        sp__wrap_dim("sp_stack", list->items[0]->ndim + 1, dim, &at))
        return NULL;
    sp_scope scope = sp_scope_open();
    sp_list *raised = sp_list_new(NULL, 0);
    for (int64_t i = 0; raised && i < list->n; i++)
        if (sp_list_append(raised, sp_unsqueeze(list->items[i], at))) raised = NULL;
    sp_tensor *y = sp_escape(raised ? sp_cat(raised, at) : NULL);
    sp_scope_close(&scope);
    return y;
}

/* ---- records ---- */

static sp_tensor *call_clone(sp_tensor *const *x)
{
    return sp_clone(x[0]);
}
static sp_tensor *call_contiguous(sp_tensor *const *x)
{
    return sp_contiguous(sp_t(x[0]));
}
static sp_tensor *call_cast(sp_tensor *const *x)
{
    return sp_cast(x[0], SP_F64);
}
static sp_tensor *call_cast_i64(sp_tensor *const *x)
{
    return sp_cast(x[0], SP_I64);
}
static sp_tensor *call_cast_bool(sp_tensor *const *x)
{
    return sp_cast(x[0], SP_BOOL);
}
static sp_tensor *call_cast_bf16(sp_tensor *const *x)
{
    return sp_cast(x[0], SP_BF16);
}
static sp_tensor *call_cat(sp_tensor *const *x)
{
    return sp_cat(SP_LIST(x[0], x[1], x[0]), 1);
}
static sp_tensor *call_cat_one(sp_tensor *const *x)
{
    return sp_cat(SP_LIST(x[0]), -1);
}
static sp_tensor *call_stack(sp_tensor *const *x)
{
    return sp_stack(SP_LIST(x[0], x[1]), -1);
}

const sp_op sp__op_clone = {
    .name = "clone",
    .backward_name = "CloneBackward0",
    .n_inputs = 1,
    .attributes_size = sizeof(clone_attributes),
    .infer = clone_infer,
    .forward = copy_forward,
    .backward = clone_backward,
    .samples = (const sp_sample[]){{call_clone, "a.clone()", {{"2 3"}}},
                                   {call_clone, "a.clone()", {{""}}},
                                   {call_clone, "a.clone()", {{"0 2"}}},
                                   {call_contiguous, "a.t().contiguous()", {{"2 3"}}},
                                   {0}},
};

const sp_op sp__op_cast = {
    .name = "cast",
    .backward_name = "ToCopyBackward0",
    .n_inputs = 1,
    .attributes_size = sizeof(cast_attributes),
    .infer = cast_infer,
    .forward = copy_forward,
    .backward = copy_backward,
    .samples = (const sp_sample[]){{call_cast, "a.to(torch.float64)", {{"2 3"}}},
                                   {call_cast_i64, "a.to(torch.int64)", {{"2 3", 0, 20}}, .no_grad = true},
                                   {call_cast_bool, "a.to(torch.bool)", {{"2 3"}}, .no_grad = true},
                                   {call_cast_bf16, "a.to(torch.bfloat16)", {{"2 3"}}, .no_grad = true},
                                   {0}},
};

const sp_op sp__op_cat = {
    .name = "cat",
    .backward_name = "CatBackward0",
    .n_inputs = -1,
    .attributes_size = sizeof(cat_attributes),
    .infer = cat_infer,
    .forward = cat_forward,
    .backward = cat_backward,
    .samples = (const sp_sample[]){{call_cat, "torch.cat([a, b, a], 1)", {{"2 3"}, {"2 1"}}},
                                   {call_cat, "torch.cat([a, b, a], 1)", {{"2 0"}, {"2 2"}}},
                                   {call_cat_one, "torch.cat([a], -1)", {{"3"}}},
                                   {call_stack, "torch.stack([a, b], -1)", {{"2 3"}, {"2 3"}}},
                                   {call_stack, "torch.stack([a, b], -1)", {{""}, {""}}},
                                   {0}},
};

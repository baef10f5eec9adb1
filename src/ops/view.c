/* Views: other shapes over the same memory.
 *
 * Each is an operator without a forward: its infer makes the view. Gradients go back through the
 * inverse view. Parts of tensors are in slice.c.
 *
 *   view, reshape    y[i] = x[i] in row-major order       dx = dy in x's shape
 *   permute          y's dimension d is x's dims[d]       dx = dy permuted back
 *   expand           y repeats dimensions of size 1       dx = Σ dy over the repeats */
#include "ops/ops.h"
#include <string.h>

/* What most views are described by: a shape, or dimension numbers. */
typedef struct shape_attributes {
    int n;
    int64_t v[SP_MAX_DIMS];
} shape_attributes;

static sp_status set_shape(const char *function, sp_dims dims, shape_attributes *a)
{
    if (sp__check_shape(function, "dims", dims)) return sp_error_status();
    memset(a, 0, sizeof *a);
    a->n = dims.n;
    if (dims.n) memcpy(a->v, dims.data, (size_t)dims.n * sizeof *dims.data);
    return SP_OK;
}

static sp_tensor *apply_shape(const sp_op *op, const char *function, sp_tensor *x, sp_dims dims)
{
    shape_attributes a;
    return set_shape(function, dims, &a) ? NULL : sp_op_apply(op, &x, 1, &a);
}

/* ---- view and reshape ---- */

/* Fills in a size of -1; the elements must be as many as x has. */
static sp_status solve_shape(const char *function, const sp_tensor *x, shape_attributes *a)
{
    int64_t numel = sp__product(x->ndim, x->sizes), known = 1;
    int unknown = -1;
    for (int d = 0; d < a->n; d++) {
        if (a->v[d] == -1 && unknown < 0)
            unknown = d;
        else if (a->v[d] < 0 || __builtin_mul_overflow(known, a->v[d], &known))
            return sp_raise(SP_ERROR_SHAPE, "%s: shape %s: sizes must not be negative, but for one -1", function,
                            sp__shape_text(a->n, a->v));
    }
    if (unknown >= 0 && known > 0 && numel % known == 0)
        a->v[unknown] = numel / known;
    else if (unknown >= 0 || known != numel)
        return sp_raise(SP_ERROR_SHAPE, "%s: shape %s does not fit a tensor of shape %s, which has %lld elements",
                        function, sp__shape_text(a->n, a->v), sp__shape_of(x), (long long)numel);
    return SP_OK;
}

/* The strides that show x's memory in another shape, group by group of dimensions that are contiguous among
 * themselves; false where there are none. */
static bool view_strides(const sp_tensor *x, int n, const int64_t *sizes, int64_t *strides)
{
    if (sp__product(n, sizes) == 0) {
        sp__contiguous_strides(n, sizes, strides);
        return true;
    }
    int d = n - 1;
    int64_t old_numel = 1, new_numel = 1;
    int64_t base = x->ndim ? x->strides[x->ndim - 1] : 1;
    for (int s = x->ndim - 1; s >= 0; s--) {
        old_numel *= x->sizes[s];
        bool group_ends = s == 0 || (x->sizes[s - 1] != 1 && x->strides[s - 1] != old_numel * base);
        if (!group_ends) continue;
        for (; d >= 0 && (new_numel < old_numel || sizes[d] == 1); d--) {
            strides[d] = new_numel * base;
            new_numel *= sizes[d];
        }
        if (new_numel != old_numel) return false;
        if (s > 0) {
            base = x->strides[s - 1];
            old_numel = new_numel = 1;
        }
    }
    for (; d >= 0; d--) strides[d] = new_numel * base;
    return true;
}

static sp_status view_infer(sp_call *call)
{
    const shape_attributes a = *(const shape_attributes *)call->attributes;
    sp_tensor *x = call->inputs[0];
    int64_t strides[SP_MAX_DIMS];
    if (!view_strides(x, a.n, a.v, strides))
        return sp_raise(SP_ERROR_SHAPE,
                        "sp_view: a tensor of shape %s with strides %s cannot be seen as shape %s without a "
                        "copy: use sp_reshape",
                        sp__shape_of(x), sp__shape_text(x->ndim, x->strides), sp__shape_text(a.n, a.v));
    return sp_call_view(call, 0, x, (sp_dims){a.v, a.n}, strides, x->offset);
}

static sp_status view_backward(sp_grad_call *call)
{
    call->result[0] = (sp_reshape)(call->grads[0], sp_input_sizes(call, 0));
    return SP_OK;
}

/* A view, or one of a contiguous copy where x's strides forbid it. */
static sp_tensor *view_or_copy(sp_tensor *x, const shape_attributes *a)
{
    int64_t strides[SP_MAX_DIMS];
    if (view_strides(x, a->n, a->v, strides)) return sp_op_apply(&sp__op_view, &x, 1, a);
    sp_scope scope = sp_scope_open();
    sp_tensor *copy = sp__clone_contiguous(x);
    sp_tensor *y = sp_escape(copy ? sp_op_apply(&sp__op_view, &copy, 1, a) : NULL);
    if (y) y->stands_in = sp_is_channels_last(x);
    sp_scope_close(&scope);
    return y;
}

/* A view; of images whose channels lie innermost, which is hidden from the user, perhaps a copy. */
static sp_tensor *view_image(sp_tensor *x, const shape_attributes *a)
{
    return sp_is_channels_last(x) ? view_or_copy(x, a) : sp_op_apply(&sp__op_view, &x, 1, a);
}

sp_tensor *(sp_view)(sp_tensor *x, sp_dims dims)
{
    shape_attributes a;
    if (sp__check_tensor(x, "sp_view", "x") || set_shape("sp_view", dims, &a) || solve_shape("sp_view", x, &a))
        return NULL;
    return view_image(x, &a);
}

sp_tensor *(sp_reshape)(sp_tensor *x, sp_dims dims)
{
    shape_attributes a;
    if (sp__check_tensor(x, "sp_reshape", "x") || set_shape("sp_reshape", dims, &a) || solve_shape("sp_reshape", x, &a))
        return NULL;
    return view_or_copy(x, &a);
}

sp_tensor *(sp_flatten)(sp_tensor *x, const sp_flatten_options *options)
{
    sp_flatten_options o;
    int first, last;
    sp_options_copy(&o, sizeof o, options);
    if (sp__check_tensor(x, "sp_flatten", "x")) return NULL;
    if (sp__wrap_dim("sp_flatten", x->ndim, (int)sp_option_int(o.start_dim, 0), &first) ||
        sp__wrap_dim("sp_flatten", x->ndim, (int)sp_option_int(o.end_dim, -1), &last))
        return NULL;
    if (first > last) {
        sp_raise(SP_ERROR_SHAPE, "sp_flatten: start_dim %d comes after end_dim %d", first, last);
        return NULL;
    }
    int64_t sizes[SP_MAX_DIMS + 1], product = 1;
    int n = 0;
    for (int d = 0; d < x->ndim; d++) {
        if (d >= first && d <= last) product *= x->sizes[d];
        if (d < first || d > last)
            sizes[n++] = x->sizes[d];
        else if (d == last)
            sizes[n++] = product;
    }
    if (x->ndim == 0) sizes[n++] = 1;
    return (sp_reshape)(x, (sp_dims){sizes, n});
}

sp_tensor *sp_unflatten(sp_tensor *x, int dim, sp_dims dims)
{
    shape_attributes a, part;
    int at;
    if (sp__check_tensor(x, "sp_unflatten", "x") || set_shape("sp_unflatten", dims, &part) ||
        sp__wrap_dim("sp_unflatten", x->ndim, dim, &at))
        return NULL;
    sp_tensor one = {.ndim = 1, .sizes = {x->ndim ? x->sizes[at] : 1}}; /* the dimension alone, to solve a -1 */
    if (solve_shape("sp_unflatten", &one, &part)) return NULL;
    if (x->ndim + part.n - 1 > SP_MAX_DIMS) {
        sp_raise(SP_ERROR_SHAPE, "sp_unflatten: the result would have %d dimensions, more than %d",
                 x->ndim + part.n - 1, SP_MAX_DIMS);
        return NULL;
    }
    a.n = 0;
    for (int d = 0; d < at; d++) a.v[a.n++] = x->sizes[d];
    for (int d = 0; d < part.n; d++) a.v[a.n++] = part.v[d];
    for (int d = at + 1; d < x->ndim; d++) a.v[a.n++] = x->sizes[d];
    return view_image(x, &a);
}

/* ---- permute, transpose ---- */

static sp_status check_permutation(const sp_tensor *x, const shape_attributes *a, int *order)
{
    bool seen[SP_MAX_DIMS] = {0};
    bool valid = a->n == x->ndim;
    for (int d = 0; d < a->n && valid; d++) {
        valid = a->v[d] >= -x->ndim && a->v[d] < x->ndim &&
                !sp__wrap_dim("sp_permute", x->ndim, (int)a->v[d], &order[d]) && !seen[order[d]];
        if (valid) seen[order[d]] = true;
    }
    if (valid) return SP_OK;
    return sp_raise(SP_ERROR_SHAPE, "sp_permute: %s is no order of the dimensions of a tensor of shape %s",
                    sp__shape_text(a->n, a->v), sp__shape_of(x));
}

static sp_status permute_infer(sp_call *call)
{
    sp_tensor *x = call->inputs[0];
    const shape_attributes *a = call->attributes;
    int order[SP_MAX_DIMS] = {0};
    int64_t sizes[SP_MAX_DIMS], strides[SP_MAX_DIMS];
    if (check_permutation(x, a, order)) return sp_error_status();
    for (int d = 0; d < x->ndim; d++) {
        sizes[d] = x->sizes[order[d]];
        strides[d] = x->strides[order[d]];
    }
    return sp_call_view(call, 0, x, (sp_dims){sizes, x->ndim}, strides, x->offset);
}

static sp_status permute_backward(sp_grad_call *call)
{
    const shape_attributes *a = call->attributes;
    int64_t inverse[SP_MAX_DIMS];
    for (int d = 0; d < a->n; d++) inverse[a->v[d] < 0 ? a->v[d] + a->n : a->v[d]] = d;
    call->result[0] = (sp_permute)(call->grads[0], (sp_dims){inverse, a->n});
    return SP_OK;
}

sp_tensor *(sp_permute)(sp_tensor *x, sp_dims dims)
{
    return apply_shape(&sp__op_permute, "sp_permute", x, dims);
}

/* A permutation under its own name in the graph. */
static sp_tensor *exchange(const sp_op *op, sp_tensor *x, int a, int b)
{
    shape_attributes order = {.n = x->ndim};
    for (int d = 0; d < x->ndim; d++) order.v[d] = d == a ? b : d == b ? a : d;
    return sp_op_apply(op, &x, 1, &order);
}

sp_tensor *sp_transpose(sp_tensor *x, int dim0, int dim1)
{
    int a, b;
    if (sp__check_tensor(x, "sp_transpose", "x") || sp__wrap_dim("sp_transpose", x->ndim, dim0, &a) ||
        sp__wrap_dim("sp_transpose", x->ndim, dim1, &b))
        return NULL;
    return exchange(&sp__op_transpose, x, a, b);
}

sp_tensor *sp_t(sp_tensor *x)
{
    if (sp__check_tensor(x, "sp_t", "x")) return NULL;
    if (x->ndim > 2) {
        sp_raise(SP_ERROR_SHAPE, "sp_t: needs at most two dimensions, not shape %s: use sp_transpose", sp__shape_of(x));
        return NULL;
    }
    return exchange(&sp__op_t, x, 0, x->ndim == 2 ? 1 : 0);
}

/* ---- expand ---- */

static sp_status expand_infer(sp_call *call)
{
    sp_tensor *x = call->inputs[0];
    shape_attributes a = *(const shape_attributes *)call->attributes;
    int64_t strides[SP_MAX_DIMS];
    int lead = a.n - x->ndim;
    bool fits = lead >= 0;
    for (int d = 0; d < a.n && fits; d++) {
        int64_t old = d < lead ? 1 : x->sizes[d - lead];
        if (a.v[d] == -1 && d >= lead) a.v[d] = old;
        fits = a.v[d] >= 0 && (a.v[d] == old || old == 1);
    }
    if (!fits)
        return sp_raise(SP_ERROR_SHAPE, "sp_expand: shape %s cannot be expanded to %s", sp__shape_of(x),
                        sp__shape_text(a.n, a.v));
    sp__broadcast_strides(x, a.n, a.v, strides);
    return sp_call_view(call, 0, x, (sp_dims){a.v, a.n}, strides, x->offset);
}

static sp_status expand_backward(sp_grad_call *call)
{
    call->result[0] = sp__sum_to(call->grads[0], sp_input_sizes(call, 0));
    return SP_OK;
}

sp_tensor *(sp_expand)(sp_tensor *x, sp_dims dims)
{
    return apply_shape(&sp__op_expand, "sp_expand", x, dims);
}

/* ---- squeeze, unsqueeze: a shape whose kept dimensions are named ---- */

/* v[d] is x's dimension that becomes dimension d, -1 a new one. */
static sp_status infer_regroup(sp_call *call)
{
    sp_tensor *x = call->inputs[0];
    const shape_attributes *a = call->attributes;
    int64_t sizes[SP_MAX_DIMS], strides[SP_MAX_DIMS];
    for (int d = 0; d < a->n; d++) {
        sizes[d] = a->v[d] < 0 ? 1 : x->sizes[a->v[d]];
        strides[d] = a->v[d] >= 0                       ? x->strides[a->v[d]]
                     : d + 1 < a->n && a->v[d + 1] >= 0 ? x->strides[a->v[d + 1]] * x->sizes[a->v[d + 1]]
                                                        : 1;
    }
    return sp_call_view(call, 0, x, (sp_dims){sizes, a->n}, strides, x->offset);
}

sp_tensor *sp_squeeze(sp_tensor *x)
{
    if (sp__check_tensor(x, "sp_squeeze", "x")) return NULL;
    shape_attributes a = {0};
    for (int d = 0; d < x->ndim; d++)
        if (x->sizes[d] != 1) a.v[a.n++] = d;
    return sp_op_apply(&sp__op_squeeze, &x, 1, &a);
}

sp_tensor *sp_squeeze_dim(sp_tensor *x, int dim)
{
    int at;
    if (sp__check_tensor(x, "sp_squeeze_dim", "x") || sp__wrap_dim("sp_squeeze_dim", x->ndim, dim, &at)) return NULL;
    shape_attributes a = {0};
    for (int d = 0; d < x->ndim; d++)
        if (d != at || x->sizes[d] != 1) a.v[a.n++] = d;
    return sp_op_apply(&sp__op_squeeze_dim, &x, 1, &a);
}

sp_tensor *sp_unsqueeze(sp_tensor *x, int dim)
{
    int at;
    if (sp__check_tensor(x, "sp_unsqueeze", "x") || sp__wrap_dim("sp_unsqueeze", x->ndim + 1, dim, &at)) return NULL;
    if (x->ndim == SP_MAX_DIMS) {
        sp_raise(SP_ERROR_SHAPE, "sp_unsqueeze: a tensor has at most %d dimensions", SP_MAX_DIMS);
        return NULL;
    }
    shape_attributes a = {0};
    for (int d = 0; d <= x->ndim; d++) a.v[a.n++] = d < at ? d : d == at ? -1 : d - 1;
    return sp_op_apply(&sp__op_unsqueeze, &x, 1, &a);
}

/* ---- records ---- */

static sp_tensor *call_view(sp_tensor *const *x)
{
    return sp_view(x[0], -1, 3);
}
static sp_tensor *call_reshape_t(sp_tensor *const *x)
{
    return sp_reshape(sp_t(x[0]), 12);
}
static sp_tensor *call_view_number(sp_tensor *const *x)
{
    return sp_view(x[0], 1, 1);
}
static sp_tensor *call_view_empty(sp_tensor *const *x)
{
    return sp_view(x[0], 0, 5);
}
static sp_tensor *call_permute(sp_tensor *const *x)
{
    return sp_permute(x[0], 2, 0, -2);
}
static sp_tensor *call_transpose(sp_tensor *const *x)
{
    return sp_transpose(x[0], 0, -1);
}
static sp_tensor *call_t(sp_tensor *const *x)
{
    return sp_t(x[0]);
}
static sp_tensor *call_expand(sp_tensor *const *x)
{
    return sp_expand(x[0], 2, -1, 4);
}
static sp_tensor *call_squeeze(sp_tensor *const *x)
{
    return sp_squeeze(x[0]);
}
static sp_tensor *call_squeeze_dim(sp_tensor *const *x)
{
    return sp_squeeze_dim(x[0], -1);
}
static sp_tensor *call_unsqueeze(sp_tensor *const *x)
{
    return sp_unsqueeze(x[0], 1);
}
static sp_tensor *call_flatten(sp_tensor *const *x)
{
    return sp_flatten(x[0], .start_dim = 1);
}
static sp_tensor *call_unflatten(sp_tensor *const *x)
{
    return sp_unflatten(x[0], 1, SP_DIMS(2, -1));
}

#define VIEW_OP(op, node, infer_rule, backward_rule, ...)                                                              \
    const sp_op sp__op_##op = {.name = #op,                                                                            \
                               .backward_name = #node,                                                                 \
                               .n_inputs = 1,                                                                          \
                               .attributes_size = sizeof(shape_attributes),                                            \
                               .infer = infer_rule,                                                                    \
                               .backward = backward_rule,                                                              \
                               .samples = (const sp_sample[]){__VA_ARGS__, {0}}}

VIEW_OP(view, ViewBackward0, view_infer, view_backward, {call_view, "a.view(-1, 3)", {{"2 6"}}},
        {call_reshape_t, "a.t().reshape(12)", {{"3 4"}}}, {call_view_number, "a.view(1, 1)", {{""}}},
        {call_view_empty, "a.view(0, 5)", {{"0 3"}}}, {call_flatten, "a.flatten(1)", {{"2 3 4"}}},
        {call_unflatten, "a.unflatten(1, (2, -1))", {{"2 6"}}});
VIEW_OP(permute, PermuteBackward0, permute_infer, permute_backward, {call_permute, "a.permute(2, 0, -2)", {{"2 3 4"}}},
        {call_permute, "a.permute(2, 0, -2)", {{"2 0 1"}}});
VIEW_OP(transpose, TransposeBackward0, permute_infer, permute_backward,
        {call_transpose, "a.transpose(0, -1)", {{"2 3 4"}}}, {call_transpose, "a.transpose(0, -1)", {{""}}});
VIEW_OP(t, TBackward0, permute_infer, permute_backward, {call_t, "a.t()", {{"2 3"}}}, {call_t, "a.t()", {{"3"}}},
        {call_t, "a.t()", {{""}}});
VIEW_OP(expand, ExpandBackward0, expand_infer, expand_backward, {call_expand, "a.expand(2, -1, 4)", {{"3 1"}}},
        {call_expand, "a.expand(2, -1, 4)", {{"1 3 1"}}}, {call_expand, "a.expand(2, -1, 4)", {{"0 4"}}});
VIEW_OP(squeeze, SqueezeBackward0, infer_regroup, view_backward, {call_squeeze, "a.squeeze()", {{"1 3 1 2"}}},
        {call_squeeze, "a.squeeze()", {{""}}}, {call_squeeze, "a.squeeze()", {{"1 0"}}});
VIEW_OP(squeeze_dim, SqueezeBackward1, infer_regroup, view_backward, {call_squeeze_dim, "a.squeeze(-1)", {{"2 3 1"}}},
        {call_squeeze_dim, "a.squeeze(-1)", {{"2 3"}}}, {call_squeeze_dim, "a.squeeze(-1)", {{""}}});
VIEW_OP(unsqueeze, UnsqueezeBackward0, infer_regroup, view_backward, {call_unsqueeze, "a.unsqueeze(1)", {{"2 3"}}},
        {call_unsqueeze, "a.unsqueeze(1)", {{"0"}}});

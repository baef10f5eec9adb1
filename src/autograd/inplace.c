/* Changes in place: the graph of the tensor, of the base that it is a view of, and of that base's other views.
 *
 * A view v of a base b that is changed in place makes b's new history "b's old values with v's new ones put in"
 * (CopySlices, as in PyTorch); every view of b then counts as stale (its base_generation is behind) and gets a new
 * grad_fn, a strided view of b's new history, when it is next used. */
#include "autograd/node.h"
#include <spusk/indexing.h>
#include <spusk/reductions.h>
#include <string.h>

/* Where a view lies in its base, which is dense; `base` has the base's strides, which gradients must have to be seen
 * the same way. */
typedef struct region {
    int ndim;
    int64_t sizes[SP_MAX_DIMS];
    int64_t strides[SP_MAX_DIMS];
    int64_t offset;
    int64_t base[SP_MAX_DIMS];
} region;

typedef struct embed_attributes {
    region part;
    int ndim;
    int64_t sizes[SP_MAX_DIMS]; /* of the base */
} embed_attributes;

/* Of a view in its base. */
static region region_of(const sp_tensor *x)
{
    const sp_tensor *base = sp__base_of(x);
    region r = {.ndim = x->ndim, .offset = x->offset - base->offset};
    memcpy(r.sizes, x->sizes, sizeof r.sizes);
    memcpy(r.strides, x->strides, sizeof r.strides);
    memcpy(r.base, base->strides, sizeof r.base);
    return r;
}

/* grad, of the base's shape, laid out as the base. */
static sp_tensor *as_base(sp_tensor *grad, const region *r)
{
    if (sp__check_tensor(grad, "CopySlices", "a gradient")) return NULL;
    bool same = true;
    for (int d = 0; d < grad->ndim; d++) same = same && (grad->sizes[d] < 2 || grad->strides[d] == r->base[d]);
    return same ? grad : sp__clone_strided(grad, r->base);
}

/* ---- as_strided: a region of a dense tensor, as a view; and its inverse, zeros around the region ---- */

static const sp_op op_as_strided, op_embed;

static sp_status as_strided_infer(sp_call *call)
{
    const region *r = call->attributes;
    sp_tensor *x = call->inputs[0];
    return sp_call_view(call, 0, x, (sp_dims){r->sizes, r->ndim}, r->strides, x->offset + r->offset);
}

/* Dimensions that repeat one place of memory add up there. */
static sp_tensor *sum_repeats(sp_tensor *grad, const region *r)
{
    int64_t dims[SP_MAX_DIMS];
    int n = 0;
    for (int d = 0; d < r->ndim; d++)
        if (r->strides[d] == 0 && r->sizes[d] > 1) dims[n++] = d;
    return n ? sp_sum_dims(grad, ((sp_dims){dims, n}), .keepdim = true) : grad;
}

static sp_status as_strided_backward(sp_grad_call *call)
{
    embed_attributes a = {.part = *(const region *)call->attributes};
    sp_dims base = sp_input_sizes(call, 0);
    sp_tensor *grad = sum_repeats(call->grads[0], &a.part);
    if (!grad) return sp_error_status();
    a.ndim = base.n;
    memcpy(a.sizes, base.data, (size_t)base.n * sizeof *base.data);
    for (int d = 0; d < a.part.ndim; d++)
        if (a.part.strides[d] == 0 && a.part.sizes[d] > 1) a.part.sizes[d] = 1;
    call->result[0] = sp_op_apply(&op_embed, &grad, 1, &a);
    return call->result[0] ? SP_OK : sp_error_status();
}

static const sp_op op_as_strided = {.name = "as_strided",
                                    .backward_name = "AsStridedBackward0",
                                    .n_inputs = 1,
                                    .attributes_size = sizeof(region),
                                    .infer = as_strided_infer,
                                    .backward = as_strided_backward};

static sp_status embed_infer(sp_call *call)
{
    const embed_attributes *a = call->attributes;
    sp_status status = sp_call_output(call, 0, call->inputs[0]->dtype, (sp_dims){a->sizes, a->ndim});
    if (!status) memcpy(call->outputs[0]->strides, a->part.base, sizeof a->part.base);
    return status;
}

/* The region of x, as a tensor outside the graph. */
static sp_tensor *part_of(const sp_tensor *x, const region *r)
{
    sp_tensor *part = sp__tensor_alias(x);
    if (!part) return NULL;
    part->ndim = r->ndim;
    part->offset = x->offset + r->offset;
    memcpy(part->sizes, r->sizes, sizeof r->sizes);
    memcpy(part->strides, r->strides, sizeof r->strides);
    return part;
}

/* `out` holds `around` everywhere, then x in the region. */
static sp_status put(sp_tensor *out, double around, const region *r, const sp_tensor *x)
{
    sp_status status = sp__fill_values(out, around);
    sp_tensor *part = status ? NULL : part_of(out, r);
    if (!part) return sp_error_status();
    status = sp__copy_values(part, x);
    sp_release(part);
    return status;
}

static sp_status embed_forward(sp_call *call)
{
    const embed_attributes *a = call->attributes;
    return put(call->outputs[0], 0, &a->part, call->inputs[0]);
}

static sp_status embed_backward(sp_grad_call *call)
{
    const embed_attributes *a = call->attributes;
    sp_tensor *grad = as_base(call->grads[0], &a->part);
    call->result[0] = grad ? sp_op_apply(&op_as_strided, &grad, 1, &a->part) : NULL;
    return call->result[0] ? SP_OK : sp_error_status();
}

static const sp_op op_embed = {.name = "as_strided_backward",
                               .backward_name = "AsStridedBackwardBackward0",
                               .n_inputs = 1,
                               .attributes_size = sizeof(embed_attributes),
                               .infer = embed_infer,
                               .forward = embed_forward,
                               .backward = embed_backward};

/* ---- the base's new history: only its backward is ever run ---- */

static sp_status copy_slices_backward(sp_grad_call *call)
{
    const region *r = call->attributes;
    sp_tensor *grad = as_base(call->grads[0], r);
    if (!grad) return sp_error_status();
    if (call->needed[0]) {
        sp_tensor *mask = sp_empty_as(grad, SP_BOOL), *one = sp_scalar(1);
        if (!mask || !one || put(mask, 0, r, one)) return sp_error_status();
        call->result[0] = sp_masked_fill(grad, mask, 0);
    }
    if (call->needed[1]) call->result[1] = sp_op_apply(&op_as_strided, &grad, 1, r);
    return SP_OK;
}

static const sp_op op_copy_slices = {.name = "copy_slices",
                                     .backward_name = "CopySlices",
                                     .n_inputs = 2,
                                     .attributes_size = sizeof(region),
                                     .backward = copy_slices_backward};

/* ---- rebasing ---- */

/* The hook of sp_retain_grad follows the tensor to its new node. */
static void move_retained(sp_tensor *x, sp__node *to)
{
    for (sp__hook **at = &x->grad_fn->hooks; *at; at = &(*at)->next) {
        sp__hook *hook = *at;
        if (!hook->retain_grad || hook->tensor != x) continue;
        *at = hook->next;
        hook->next = to->hooks;
        to->hooks = hook;
        return;
    }
}

static void set_history(sp_tensor *x, sp__node *node)
{
    if (x->retains_grad && x->grad_fn) move_retained(x, node);
    sp__unref(x->grad_fn);
    x->grad_fn = sp__ref(node);
    x->output = 0;
}

sp_status sp__refresh_view(sp_tensor *x)
{
    region r = region_of(x);
    sp_tensor *base = sp__base_of(x);
    sp__node *node = sp__node_new(&op_as_strided, &base, 1, &r, 1);
    if (!node) return sp_error_status();
    sp__node_set_output(node, 0, x);
    set_history(x, node);
    x->base_generation = base->generation;
    sp__unref(node);
    return SP_OK;
}

static sp_status refuse_leaf(const sp_op *op, const sp_tensor *x)
{
    const sp_tensor *base = sp__base_of(x), *root = base ? base : x;
    if (!root->requires_grad || root->grad_fn) return SP_OK;
    return sp_raise(SP_ERROR_STATE,
                    "sp_%s_: %s leaf that requires a gradient cannot be changed in place: do it inside "
                    "SP_NO_GRAD, or on a copy",
                    op->name, base ? "a view of a" : "a");
}

/* Saved operands that share memory with x are about to change: backward keeps copies of them. */
static sp_status copy_saved(sp__node *node, const sp_tensor *x)
{
    for (int i = 0; i < node->n_inputs; i++) {
        sp__saved *saved = &node->saved_inputs[i];
        if (!saved->tensor || saved->tensor->storage != x->storage) continue;
        sp_tensor *copy = sp__tensor_empty(x->dtype, x->device, saved->tensor->ndim, saved->tensor->sizes);
        if (!copy || sp__copy_values(copy, saved->tensor)) return sp_error_status();
        sp__unref_inner(saved->tensor);
        *saved = (sp__saved){sp__ref_inner(copy), sp__version(copy)};
    }
    return SP_OK;
}

static sp_status prepare_base(sp_tensor *x, sp__pending *pending)
{
    region r = region_of(x);
    sp_tensor *base = sp__base_of(x);
    if (!sp_is_dense(base))
        return sp_raise(SP_ERROR_STATE,
                        "sp_%s_: a view of a tensor that leaves gaps in its memory cannot be changed in place with "
                        "gradients: take sp_clone first",
                        pending->node->op->name);
    pending->base = sp__node_new(&op_copy_slices, (sp_tensor *[]){base, x}, 2, &r, 1);
    if (!pending->base) return sp_error_status();
    sp__node_set_output(pending->base, 0, base);
    sp__edge *edge = &pending->base->edges[1];
    sp__unref(edge->node);
    *edge = (sp__edge){sp__ref(pending->node), 0};
    return SP_OK;
}

sp_status sp__prepare_inplace(const sp_op *op, sp_tensor *const *inputs, int n, const void *attributes,
                              sp__pending *pending)
{
    sp_tensor *x = inputs[0];
    if (refuse_leaf(op, x)) return sp_error_status();
    sp__node *node = pending->node = sp__node_new(op, inputs, n, attributes, 1);
    if (!node || copy_saved(node, x)) return sp_error_status();
    sp__node_save_output(node, 0, x);
    sp__node_set_output(node, 0, x);
    if (node->saved_outputs[0].tensor) node->saved_outputs[0].version++; /* as it will be after the change */
    return sp__base_of(x) ? prepare_base(x, pending) : SP_OK;
}

void sp__rebase(sp_tensor *x, sp__pending *pending)
{
    sp_tensor *base = sp__base_of(x), *root = base ? base : x;
    set_history(root, pending->base ? pending->base : pending->node);
    root->generation++;
    sp__drop_pending(pending);
}

void sp__drop_pending(sp__pending *pending)
{
    sp__unref(pending->base);
    sp__unref(pending->node);
    *pending = (sp__pending){0};
}

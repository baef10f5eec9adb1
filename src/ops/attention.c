/* Attention of queries to keys (Vaswani et al., "Attention Is All You Need", arXiv:1706.03762):
 *
 *   S = scale·q·kᵀ + mask,  P = softmax(S) along the keys,  y = D(P)·v,  D multiplies by dropout's factors
 *   dv = D(P)ᵀ·dy,  dS = P·(D(dy·vᵀ) - Σ dy·y),  dq = scale·dS·k,  dk = scale·dSᵀ·q
 *
 * q (N, H, L, E), k (N, H, S, E), v (N, H, S, Ev) → y (N, H, L, Ev). One kernel computes y, and one the gradients, both
 * without the whole of S or P; the gradient of the gradient goes by plain operators, and so does what wants a gradient of
 * the mask. */
#include "ops/attention.h"
#include <math.h>
#include <string.h>

/* ---- by the kernel ---- */

/* y and its kin lie as (N, L, H, E): what follows joins the heads of a place, and finds them side by side. */
static sp_status output_by_places(sp_call *call, int i, const sp_tensor *like, int64_t rows, int64_t width)
{
    const int64_t sizes[4] = {like->sizes[0], like->sizes[1], rows, width};
    const int64_t strides[4] = {rows * like->sizes[1] * width, width, like->sizes[1] * width, 1};
    const sp_status status = sp_call_output(call, i, like->dtype, (sp_dims){sizes, 4});
    const bool laid_out = !status && sp__product(4, sizes) > 0;
    if (laid_out) memcpy(call->outputs[i]->strides, strides, sizeof strides);
    return status;
}

static sp_dtype sums_dtype(const sp_tensor *q)
{
    return q->dtype == SP_F64 ? SP_F64 : SP_F32;
}

static sp_status check_dtypes(const sp_call *call)
{
    const sp_tensor *q = call->inputs[0], *k = call->inputs[1], *v = call->inputs[2], *mask = call->inputs[3];
    if (!sp_dtype_is_floating_point(q->dtype)) return sp__refuse_dtype(call, q->dtype, "; sp_cast(x, SP_F32) first");
    if (k->dtype != q->dtype || v->dtype != q->dtype)
        return sp_raise(SP_ERROR_DTYPE, "sp_%s: q is %s, k %s and v %s: cast them to one dtype", call->op->name,
                        sp_dtype_name(q->dtype), sp_dtype_name(k->dtype), sp_dtype_name(v->dtype));
    if (sp__is_none(mask) || mask->dtype == SP_BOOL || mask->dtype == q->dtype ||
        (mask->dtype == SP_F32 && q->dtype == SP_BF16))
        return SP_OK;
    return sp_raise(SP_ERROR_DTYPE, "sp_%s: attn_mask is bool or %s, as q, not %s", call->op->name,
                    sp_dtype_name(q->dtype), sp_dtype_name(mask->dtype));
}

static bool has_sizes(const sp_tensor *x, const int64_t *sizes, int n)
{
    return x->ndim == n && !memcmp(x->sizes, sizes, (size_t)n * sizeof *sizes);
}

/* q, k and v of four dimensions; the public function has told of what does not fit. */
static sp_status check_shapes(const sp_call *call)
{
    const sp_tensor *q = call->inputs[0], *k = call->inputs[1], *v = call->inputs[2];
    const int64_t *n = q->sizes;
    if (q->ndim == 4 && v->ndim == 4 && has_sizes(k, (int64_t[]){n[0], n[1], v->sizes[2], n[3]}, 4) &&
        v->sizes[0] == n[0] && v->sizes[1] == n[1])
        return SP_OK;
    return sp_raise(SP_ERROR_SHAPE, "sp_%s: q %s, k %s and v %s do not fit", call->op->name, sp__shape_of(q),
                    sp__shape_of(k), sp__shape_of(v));
}

static sp_status attention_infer(sp_call *call)
{
    const sp_tensor *q = call->inputs[0], *v = call->inputs[2];
    if (check_dtypes(call) || check_shapes(call)) return sp_error_status();
    const sp_status status = output_by_places(call, 0, q, q->sizes[2], v->sizes[3]);
    return status ? status : sp_call_output(call, 1, sums_dtype(q), SP_DIMS(q->sizes[0], q->sizes[1], q->sizes[2]));
}

static sp__attention kernel_of(const sp__attention_attributes *a, sp_tensor *const *inputs, const sp_tensor *y,
                               const sp_tensor *lse)
{
    const sp_tensor *q = inputs[0], *k = inputs[1], *v = inputs[2];
    return (sp__attention){.causal = a->causal,
                           .dtype = q->dtype,
                           .batch = q->sizes[0],
                           .heads = q->sizes[1],
                           .queries = q->sizes[2],
                           .keys = k->sizes[2],
                           .width = q->sizes[3],
                           .value_width = v->sizes[3],
                           .scale = a->scale,
                           .dropout = a->dropout,
                           .seed = a->seed,
                           .position = a->position,
                           .q = sp__operand_of(q),
                           .k = sp__operand_of(k),
                           .v = sp__operand_of(v),
                           .y = sp__operand_of(y),
                           .lse = sp__operand_of(lse)};
}

static sp_status attention_forward(sp_call *call)
{
    const sp_tensor *q = call->inputs[0], *mask = call->inputs[3];
    sp__operand added;
    sp__attention kernel = kernel_of(call->attributes, call->inputs, call->outputs[0], call->outputs[1]);
    if (!sp__is_none(mask)) {
        added = sp__operand_broadcast(mask, 4, (int64_t[]){kernel.batch, kernel.heads, kernel.queries, kernel.keys});
        kernel.mask = &added;
    }
    return sp__backend_for(q)->attention(&kernel);
}

/* q, k, v, mask, y, lse, dy */
static sp_status attention_backward_infer(sp_call *call)
{
    const sp__attention_attributes *a = call->attributes;
    const sp_tensor *q = call->inputs[0], *lse = call->inputs[5], *g = call->inputs[6];
    if (check_dtypes(call) || check_shapes(call)) return sp_error_status();
    const int64_t sizes[4] = {q->sizes[0], q->sizes[1], q->sizes[2], call->inputs[2]->sizes[3]};
    if (!has_sizes(call->inputs[4], sizes, 4) || !has_sizes(g, sizes, 4) || !has_sizes(lse, sizes, 3) ||
        g->dtype != q->dtype || call->inputs[4]->dtype != q->dtype || lse->dtype != sums_dtype(q))
        return sp_raise(SP_ERROR_SHAPE, "sp_%s: %s %s is no gradient of %s %s", call->op->name, sp_dtype_name(g->dtype),
                        sp__shape_of(g), sp_dtype_name(q->dtype), sp__shape_text(4, sizes));
    sp_status status = SP_OK;
    for (int i = 0; i < 3 && !status; i++) {
        const sp_tensor *x = call->inputs[i];
        status = a->needed[i] ? output_by_places(call, i, x, x->sizes[2], x->sizes[3])
                              : sp_call_output(call, i, x->dtype, SP_DIMS(0));
    }
    return status;
}

static sp_status attention_backward_forward(sp_call *call)
{
    const sp__attention_attributes *a = call->attributes;
    const sp_tensor *mask = call->inputs[3];
    sp__operand added, out[3];
    sp__attention kernel = kernel_of(a, call->inputs, call->inputs[4], call->inputs[5]);
    kernel.backward = true;
    kernel.g = sp__operand_of(call->inputs[6]);
    if (!sp__is_none(mask)) {
        added = sp__operand_broadcast(mask, 4, (int64_t[]){kernel.batch, kernel.heads, kernel.queries, kernel.keys});
        kernel.mask = &added;
    }
    const sp__operand **const wanted[3] = {&kernel.dq, &kernel.dk, &kernel.dv};
    for (int i = 0; i < 3; i++) {
        out[i] = sp__operand_of(call->outputs[i]);
        if (a->needed[i]) *wanted[i] = &out[i];
    }
    return sp__backend_for(call->inputs[0])->attention(&kernel);
}

static sp_status attention_backward(sp_grad_call *call)
{
    sp__attention_attributes a = *(const sp__attention_attributes *)call->attributes;
    sp_tensor *inputs[7] = {[3] = SP_NONE, [6] = call->grads[0]}, *outputs[4] = {0};
    if (sp_grad_enabled()) return sp__attention_plain_gradient(call);
    for (int i = 0; i < 4; i++)
        if (i < 3 || sp_input_sizes(call, 3).n) inputs[i] = sp_saved_input(call, i);
    for (int i = 0; i < 2; i++) inputs[4 + i] = sp_saved_output(call, i);
    for (int i = 0; i < 3; i++) a.needed[i] = call->needed[i];
    sp_status status = sp_op_apply_n(outputs, &sp__op_attention_backward, inputs, 7, &a);
    for (int i = 0; i < 3 && !status; i++)
        if (a.needed[i]) status = sp__give(call, i, outputs[i]);
    return status;
}

/* ---- the public function: any number of dimensions before the last two ---- */

typedef struct operands {
    sp_tensor *q, *k, *v, *mask; /* mask: SP_NONE for none */
} operands;

static sp_status bad_shapes(const operands *o, const char *wanted)
{
    return sp_raise(SP_ERROR_SHAPE, "sp_scaled_dot_product_attention: q %s, k %s and v %s do not fit: %s",
                    sp__shape_of(o->q), sp__shape_of(o->k), sp__shape_of(o->v), wanted);
}

static sp_status check_operands(const operands *o)
{
    static const char *const names[] = {"q", "k", "v", "attn_mask"};
    sp_tensor *const all[] = {o->q, o->k, o->v, o->mask};
    for (int i = 0; i < 4; i++)
        if ((i < 3 || !sp__is_none(o->mask)) && sp__check_tensor(all[i], "sp_scaled_dot_product_attention", names[i]))
            return sp_error_status();
    const int q = o->q->ndim, k = o->k->ndim, v = o->v->ndim;
    if (q < 2 || k < 2 || v < 2) return bad_shapes(o, "needs at least two dimensions each");
    if (o->q->sizes[q - 1] != o->k->sizes[k - 1] || o->k->sizes[k - 2] != o->v->sizes[v - 2])
        return bad_shapes(o, "needs (…, L, E), (…, S, E) and (…, S, Ev)");
    return SP_OK;
}

static sp_status check_options(const operands *o, const sp_attention_options *options)
{
    if (options->is_causal && !sp__is_none(o->mask))
        return sp_raise(SP_ERROR_ARGUMENT, "sp_scaled_dot_product_attention: is_causal is a mask of its own: give "
                                           "either it or attn_mask");
    const double p = sp_option(options->dropout_p, 0);
    if (p >= 0 && p <= 1) return SP_OK;
    return sp_raise(SP_ERROR_ARGUMENT, "sp_scaled_dot_product_attention: dropout_p must be between 0 and 1, not %g", p);
}

/* Each head of x `times` times, one behind the other. */
static sp_tensor *repeat_heads(sp_tensor *x, int64_t times)
{
    int64_t sizes[SP_MAX_DIMS], joined[SP_MAX_DIMS];
    const int n = x->ndim;
    memcpy(joined, x->sizes, sizeof joined);
    joined[n - 3] *= times;
    memcpy(sizes, x->sizes, sizeof sizes);
    memmove(sizes + n - 1, sizes + n - 2, 2 * sizeof *sizes);
    sizes[n - 2] = times;
    return (sp_reshape)((sp_expand)(sp_unsqueeze(x, n - 2), (sp_dims){sizes, n + 1}), (sp_dims){joined, n});
}

/* Heads of k and v serve as many heads of q each. */
static sp_status share_heads(operands *o)
{
    const int n = o->q->ndim;
    if (n < 3 || o->k->ndim != n || o->v->ndim != n || n == SP_MAX_DIMS)
        return bad_shapes(o, "enable_gqa needs (…, H, rows, columns), of the same number of dimensions");
    const int64_t heads = o->q->sizes[n - 3], of_k = o->k->sizes[n - 3], of_v = o->v->sizes[n - 3];
    if (of_k == 0 || of_v == 0 || heads % of_k || heads % of_v)
        return bad_shapes(o, "enable_gqa needs heads of q that are a multiple of those of k and v");
    if (heads > of_k) o->k = repeat_heads(o->k, heads / of_k);
    if (heads > of_v) o->v = repeat_heads(o->v, heads / of_v);
    return o->k && o->v ? SP_OK : sp_error_status();
}

/* What comes before the last two dimensions, as all of them broadcast. */
typedef struct batch {
    int n;
    int64_t sizes[SP_MAX_DIMS];
} batch;

static sp_status widen_batch(batch *b, const sp_tensor *x)
{
    int64_t sizes[SP_MAX_DIMS];
    const int n = x->ndim > 2 ? x->ndim - 2 : 0;
    const sp_status status = sp__broadcast("sp_scaled_dot_product_attention", b->n, b->sizes, n, x->sizes, &b->n,
                                           sizes);
    if (!status) memcpy(b->sizes, sizes, sizeof sizes);
    return status;
}

/* x, with the batch before its last two dimensions, as (N, H, rows, columns): the last of the batch are the heads. */
static sp_tensor *as_heads(sp_tensor *x, const batch *b)
{
    int64_t sizes[SP_MAX_DIMS];
    const int n = b->n;
    const int64_t rows = x->sizes[x->ndim - 2], columns = x->sizes[x->ndim - 1];
    if (n == 2 && x->ndim == 4 && !memcmp(x->sizes, b->sizes, 2 * sizeof *sizes)) return x;
    memcpy(sizes, b->sizes, sizeof sizes);
    sizes[n] = rows;
    sizes[n + 1] = columns;
    sp_tensor *whole = (sp_expand)(x, (sp_dims){sizes, n + 2});
    if (n == 2) return whole;
    const int64_t heads = n > 2 ? sizes[n - 1] : 1, batches = n > 2 ? sp__product(n - 1, sizes) : n == 1 ? sizes[0] : 1;
    return (sp_reshape)(whole, SP_DIMS(batches, heads, rows, columns));
}

/* A mask broadcasts to (…, L, S) as it is, but where a batch is folded into four dimensions. */
static sp_tensor *mask_as_heads(sp_tensor *mask, const batch *b, int64_t queries, int64_t keys)
{
    int64_t sizes[SP_MAX_DIMS];
    if (sp__is_none(mask) || mask->ndim <= 2 || b->n == 2) return mask;
    memcpy(sizes, b->sizes, sizeof sizes);
    sizes[b->n] = queries;
    sizes[b->n + 1] = keys;
    return as_heads((sp_expand)(mask, (sp_dims){sizes, b->n + 2}), b);
}

static sp_status check_mask(const operands *o)
{
    if (sp__is_none(o->mask)) return SP_OK;
    const int64_t wanted[2] = {o->q->sizes[o->q->ndim - 2], o->k->sizes[o->k->ndim - 2]};
    for (int d = 1; d <= 2 && d <= o->mask->ndim; d++) {
        const int64_t size = o->mask->sizes[o->mask->ndim - d];
        if (size != 1 && size != wanted[2 - d])
            return sp_raise(SP_ERROR_SHAPE,
                            "sp_scaled_dot_product_attention: attn_mask %s does not broadcast to (…, %lld, %lld)",
                            sp__shape_of(o->mask), (long long)wanted[0], (long long)wanted[1]);
    }
    return SP_OK;
}

/* A mask broadcasts to the batch of q, k and v, and does not widen it. */
static sp_status check_mask_batch(const operands *o, const batch *b)
{
    const int n = sp__is_none(o->mask) || o->mask->ndim < 2 ? 0 : o->mask->ndim - 2;
    bool fits = n <= b->n;
    for (int d = 0; fits && d < n; d++) fits = o->mask->sizes[d] == 1 || o->mask->sizes[d] == b->sizes[b->n - n + d];
    if (fits) return SP_OK;
    return sp_raise(SP_ERROR_SHAPE, "sp_scaled_dot_product_attention: attn_mask %s does not broadcast to the batch %s",
                    sp__shape_of(o->mask), sp__shape_text(b->n, b->sizes));
}

static sp_status set_dropout(sp__attention_attributes *a, const operands *o)
{
    const int64_t draws = sp__attention_draws(o->q, o->k);
    sp_generator *generator = sp_default_generator();
    if (!generator) return sp_error_status();
    if (draws < 0) return sp_raise(SP_ERROR_SHAPE, "sp_scaled_dot_product_attention: too many weights to drop");
    a->seed = generator->seed;
    a->position = sp__generator_take(generator, sp__fill_blocks(SP__FILL_BERNOULLI_SCALE, SP_F32, draws));
    return SP_OK;
}

/* All of four dimensions. */
static sp_tensor *attend(const operands *o, const sp_attention_options *options)
{
    const double width = (double)o->q->sizes[3];
    sp__attention_attributes a = {.scale = sp_option(options->scale, width > 0 ? 1 / sqrt(width) : 1),
                                  .dropout = sp_option(options->dropout_p, 0),
                                  .causal = options->is_causal};
    sp_tensor *outputs[4] = {0};
    if (a.dropout > 0 && set_dropout(&a, o)) return NULL;
    if (!sp__is_none(o->mask) && sp_needs_grad(o->mask) && sp_grad_enabled())
        return sp__attention_plain(&a, o->q, o->k, o->v, o->mask);
    if (sp_op_apply_n(outputs, &sp__op_attention, (sp_tensor *[]){o->q, o->k, o->v, o->mask}, 4, &a)) return NULL;
    sp_release(outputs[1]);
    return outputs[0];
}

static sp_tensor *attend_any(operands *o, const sp_attention_options *options)
{
    batch b = {0};
    int64_t sizes[SP_MAX_DIMS];
    if (check_operands(o) || check_options(o, options) || (options->enable_gqa && share_heads(o)) || check_mask(o))
        return NULL;
    sp_tensor *const all[] = {o->q, o->k, o->v};
    for (int i = 0; i < 3; i++)
        if (widen_batch(&b, all[i])) return NULL;
    if (check_mask_batch(o, &b)) return NULL;
    const int64_t queries = o->q->sizes[o->q->ndim - 2], keys = o->k->sizes[o->k->ndim - 2];
    const operands folded = {as_heads(o->q, &b), as_heads(o->k, &b), as_heads(o->v, &b),
                             mask_as_heads(o->mask, &b, queries, keys)};
    if (!folded.q || !folded.k || !folded.v || !folded.mask) return NULL;
    sp_tensor *y = attend(&folded, options);
    if (b.n == 2 || !y) return y;
    memcpy(sizes, b.sizes, sizeof sizes);
    sizes[b.n] = queries;
    sizes[b.n + 1] = o->v->sizes[o->v->ndim - 1];
    return (sp_reshape)(y, (sp_dims){sizes, b.n + 2});
}

sp_tensor *(sp_scaled_dot_product_attention)(sp_tensor *q, sp_tensor *k, sp_tensor *v,
                                             const sp_attention_options *options)
{
    sp_attention_options given;
    sp_options_copy(&given, sizeof given, options);
    if (!given.attn_mask && sp_error_status()) return NULL; /* the mask may be what failed */
    operands o = {q, k, v, given.attn_mask ? given.attn_mask : SP_NONE};
    sp_scope scope = sp_scope_open();
    sp_tensor *y = sp_escape(attend_any(&o, &given));
    sp_scope_close(&scope);
    return y;
}

/* ---- samples and records ---- */

SP__SAMPLE(plain_sample, sp_scaled_dot_product_attention(in[0], in[1], in[2]));
SP__SAMPLE(causal_sample, sp_scaled_dot_product_attention(in[0], in[1], in[2], .is_causal = true));
SP__SAMPLE(scaled_sample, sp_scaled_dot_product_attention(in[0], in[1], in[2], .scale = 0.5));
/* As an option a mask may be missing; as a sample's argument it may not. */
SP__SAMPLE(mask_sample, sp__check_tensor(in[3], "sp_scaled_dot_product_attention", "attn_mask")
                            ? NULL
                            : sp_scaled_dot_product_attention(in[0], in[1], in[2], .attn_mask = in[3]));
SP__SAMPLE(shared_sample, sp_scaled_dot_product_attention(in[0], in[1], in[2], .enable_gqa = true));

/* The first key is hidden from all, and all keys from the last query. */
static sp_tensor *hiding_sample(sp_tensor *const *in)
{
    sp_tensor *seen = sp_ones(SP_DIMS(3, 4), .dtype = SP_BOOL);
    sp_fill_(sp_select(seen, 1, 0), 0);
    sp_fill_(sp_select(seen, 0, 2), 0);
    return sp_scaled_dot_product_attention(in[0], in[1], in[2], .attn_mask = seen);
}

static sp_tensor *backward_sample(sp_tensor *const *in)
{
    const sp__attention_attributes a = {.scale = 0.5, .needed = {true, true, true}};
    sp_tensor *forward[4] = {0}, *inputs[7] = {in[0], in[1], in[2], SP_NONE};
    if (sp_op_apply_n(forward, &sp__op_attention, inputs, 4, &a)) return NULL;
    inputs[4] = forward[0], inputs[5] = forward[1], inputs[6] = in[3];
    sp_tensor *out[4] = {0};
    return sp_op_apply_n(out, &sp__op_attention_backward, inputs, 7, &a) ? NULL : out[0];
}

#define TORCH(more) "F.scaled_dot_product_attention(a, b, c" more ")"

const sp_op sp__op_attention = {
    .name = "scaled_dot_product_attention",
    .backward_name = "ScaledDotProductFlashAttentionForCpuBackward0",
    .n_inputs = 4,
    .n_outputs = 2,
    .attributes_size = sizeof(sp__attention_attributes),
    .saves = SP_SAVE_INPUTS | SP_SAVE_OUTPUT(0) | SP_SAVE_OUTPUT(1),
    .optional = 1u << 3,
    .autocast = SP_CAST_LOWER,
    .infer = attention_infer,
    .forward = attention_forward,
    .backward = attention_backward,
    .samples =
        (const sp_sample[]){{plain_sample, TORCH(""), {{"2 3 5 4"}, {"2 3 7 4"}, {"2 3 7 3"}}},
                            {plain_sample, TORCH(""), {{"3 4"}, {"5 4"}, {"5 2"}}},
                            {plain_sample, TORCH(""), {{"2 1 3 4"}, {"3 2 4"}, {"3 2 4"}}},
                            {plain_sample, TORCH(""), {{"2 2 1 3 4"}, {"2 2 2 5 4"}, {"2 2 2 5 1"}}},
                            {plain_sample, TORCH(""), {{"1 1 67 20"}, {"1 1 70 20"}, {"1 1 70 17"}}},
                            {plain_sample, TORCH(""), {{"1 2 0 4"}, {"1 2 3 4"}, {"1 2 3 4"}}},
                            {causal_sample, TORCH(", is_causal=True"), {{"2 2 5 4"}, {"2 2 5 4"}, {"2 2 5 4"}}},
                            {causal_sample, TORCH(", is_causal=True"), {{"1 2 3 4"}, {"1 2 6 4"}, {"1 2 6 4"}}},
                            {causal_sample, TORCH(", is_causal=True"), {{"1 2 6 4"}, {"1 2 3 4"}, {"1 2 3 4"}}},
                            {scaled_sample, TORCH(", scale=.5"), {{"2 3 4"}, {"2 3 4"}, {"2 3 4"}}},
                            {mask_sample, TORCH(", attn_mask=d"), {{"2 2 3 4"}, {"2 2 5 4"}, {"2 2 5 4"}, {"3 5"}}},
                            {mask_sample, TORCH(", attn_mask=d"), {{"2 2 3 4"}, {"2 2 5 4"}, {"2 2 5 4"}, {"2 1 1 5"}}},
                            {hiding_sample,
                             TORCH(", attn_mask=torch.tensor([[False, True, True, True]] * 2 + [[False] * 4])"),
                             {{"2 2 3 4"}, {"2 2 4 4"}, {"2 2 4 2"}}},
                            {shared_sample, TORCH(", enable_gqa=True"), {{"2 4 3 4"}, {"2 2 5 4"}, {"2 2 5 4"}}},
                            {0}},
};

const sp_op sp__op_attention_backward = {
    .name = "scaled_dot_product_attention_backward",
    .n_inputs = 7,
    .n_outputs = 3,
    .attributes_size = sizeof(sp__attention_attributes),
    .optional = 1u << 3,
    .infer = attention_backward_infer,
    .forward = attention_backward_forward,
    .samples =
        (const sp_sample[]){
            {backward_sample,
             "(lambda q: torch.autograd.grad(F.scaled_dot_product_attention(q, b, c, scale=.5), q, d)[0])"
             "(a.detach().requires_grad_())",
             {{"2 3 5 4"}, {"2 3 7 4"}, {"2 3 7 3"}, {"2 3 5 3"}}},
            {0}},
};

/* Convolution: brings operands into the form that the fast kernels want. */
#include "backends/cpu/conv/conv.h"

/* An operand that a call's copy has elsewhere. */
typedef struct moved {
    sp__operand own, copy;
    int64_t sizes[4];
    bool written;
    size_t bytes;
} moved;

/* What a kernel works on: a call's own operands, or copies of them. */
typedef struct arranged {
    sp__conv call;
    sp__conv_tail tail;
    sp__conv_data data;
    moved moved[8];
    int n;
    bool in_rows; /* places must follow each other */
} arranged;

static sp_status copy_elements(const sp__operand *to, const sp__operand *from, const int64_t *sizes)
{
    sp__map call = {.kind = SP__COPY, .ndim = 4, .n_operands = 2, .operands = {*to, *from}};
    memcpy(call.sizes, sizes, 4 * sizeof *sizes);
    return sp__cpu_map(&call);
}

/* Gives the operand new memory, its second dimension innermost. */
static moved *move(arranged *a, sp__operand *operand, sp_dtype dtype, const int64_t *sizes, bool written)
{
    moved *m = &a->moved[a->n];
    *m = (moved){.own = *operand, .written = written};
    memcpy(m->sizes, sizes, sizeof m->sizes);
    m->bytes = (size_t)(sizes[0] * sizes[1] * sizes[2] * sizes[3] * sp__size_of(dtype));
    void *memory = sp__scratch(m->bytes);
    if (!memory) return NULL;
    a->n++;
    *operand = (sp__operand){memory, 0, dtype, {sizes[1] * sizes[2] * sizes[3], 1, sizes[3] * sizes[1], sizes[1]}};
    m->copy = *operand;
    return m;
}

static bool is_side_by_side(const sp__operand *operand, const int64_t *sizes)
{
    return operand->strides[1] == 1 || sizes[1] == 1;
}

/* Whether each place is as far from the next, across rows and images. */
static bool is_in_rows(const sp__operand *operand, const int64_t *sizes)
{
    const int64_t *s = operand->strides;
    if (s[1] != 1 || (sizes[2] > 1 && s[2] != sizes[3] * s[3])) return false;
    return sizes[0] == 1 || s[0] == sizes[2] * sizes[3] * s[3];
}

static sp_status arrange(arranged *a, sp__operand *operand, sp_dtype dtype, const int64_t *sizes, bool written)
{
    const bool right = operand->dtype == dtype || (written && operand->dtype == SP_BF16 && !a->in_rows);
    if (right && (a->in_rows ? is_in_rows(operand, sizes) : is_side_by_side(operand, sizes))) return SP_OK;
    const moved *m = move(a, operand, dtype, sizes, written);
    if (!m) return SP_ERROR_MEMORY;
    return written ? SP_OK : copy_elements(&m->copy, &m->own, sizes);
}

/* What a gradient behind a tail reads may stay bf16 where the kernel's dtype is f32. */
static sp_status arrange_wide(arranged *a, sp__operand *operand, sp_dtype dtype, const int64_t *sizes)
{
    const bool stays = operand->dtype == SP_BF16 && dtype == SP_F32 && is_side_by_side(operand, sizes);
    return stays ? SP_OK : arrange(a, operand, dtype, sizes, false);
}

/* The size of x with zeros around it, so that no tap reads outside. */
static int64_t padded_size(const sp__conv *call, int d)
{
    const int64_t end = call->padding[d] + call->size[d], span = sp__conv_span(call, d);
    return span > end ? span : end;
}

static sp_status pad(arranged *a, sp_dtype dtype)
{
    sp__conv *call = &a->call;
    const int64_t sizes[4] = {call->batch, call->in, call->size[0], call->size[1]};
    const int64_t padded[4] = {call->batch, call->in, padded_size(call, 0), padded_size(call, 1)};
    moved *m = move(a, &call->x, dtype, padded, false);
    if (!m) return SP_ERROR_MEMORY;
    memset(m->copy.buffer, 0, m->bytes);
    sp__operand inner = m->copy;
    for (int d = 0; d < 2; d++) {
        inner.offset += call->padding[d] * inner.strides[2 + d];
        call->padding[d] = 0;
        call->size[d] = padded[2 + d];
    }
    return copy_elements(&inner, &m->own, sizes);
}

/* Whether x gets zeros around it, so that the rows of few channels' gradient run together across taps. */
static bool wants_padding(const sp__conv *call, sp_dtype dtype, sp__conv_loop loop)
{
    enum { FEW_CHANNELS = 8 };
    return loop == SP__CONV_WEIGHT && dtype != SP_BF16 && call->in / call->groups < FEW_CHANNELS &&
           sp__conv_is_padded(call) && sp__conv_may_copy(call, padded_size(call, 0), padded_size(call, 1));
}

/* Loops that copy what they read, or transform it, take bf16 as it is. */
static bool copies(sp__conv_loop loop)
{
    return loop == SP__CONV_CHANNEL || loop == SP__CONV_CHANNEL_WEIGHT || loop == SP__CONV_WINOGRAD ||
           loop == SP__CONV_WINOGRAD_WEIGHT;
}

/* Lists, and the passes of a call that makes two, read x of bf16 as it is. */
static sp_status arrange_x(arranged *a, sp_dtype dtype, sp__conv_loop loop, bool may_pad)
{
    const sp__conv *call = &a->call;
    const int64_t sizes[4] = {call->batch, call->in, call->size[0], call->size[1]};
    const bool written = call->kind == SP__CONV_BACKWARD_DATA;
    if (may_pad && wants_padding(call, dtype, loop)) return pad(a, dtype);
    if ((call->kind == SP__CONV_BACKWARD_WEIGHT && loop != SP__CONV_WEIGHT) || (!written && copies(loop)))
        return arrange_wide(a, &a->call.x, dtype, sizes);
    return arrange(a, &a->call.x, dtype, sizes, written);
}

static sp_status arrange_y(arranged *a, sp_dtype dtype, sp__conv_loop loop)
{
    const sp__conv *call = &a->call;
    const int64_t sizes[4] = {call->batch, call->out, call->out_size[0], call->out_size[1]};
    const bool written = call->kind == SP__CONV_FORWARD;
    if (!written && copies(loop)) return arrange_wide(a, &a->call.y, dtype, sizes);
    return arrange(a, &a->call.y, dtype, sizes, written);
}

static sp_status arrange_tail(arranged *a, sp_dtype dtype)
{
    const sp__conv *call = &a->call;
    const bool forward = call->kind == SP__CONV_FORWARD;
    sp__conv_tail *t = &a->tail;
    const int64_t sizes[4] = {call->batch, call->out, call->out_size[0] / t->pool[0], call->out_size[1] / t->pool[1]};
    sp_status status = SP_OK;
    if (forward) status = arrange(a, &t->y, dtype, sizes, true);
    if (!forward && t->relu) status = arrange_wide(a, &t->y, dtype, sizes);
    if (!status && !forward) status = arrange_wide(a, &t->grad, dtype, sizes);
    if (!status && t->pool[0] * t->pool[1] > 1) status = arrange(a, &t->where, SP_U8, sizes, forward);
    return status;
}

/* Weights may lie in any order, and their gradient is written as either type. */
static sp_status arrange_weights(arranged *a, sp_dtype dtype)
{
    const sp__conv *call = &a->call;
    const int64_t sizes[4] = {call->out, call->in / call->groups, call->kernel[0], call->kernel[1]};
    if (call->kind == SP__CONV_BACKWARD_WEIGHT || call->w.dtype == dtype) return SP_OK;
    return arrange(a, &a->call.w, dtype, sizes, false);
}

/* The other result of a backward-weight, and what it needs. */
static sp_status arrange_data(arranged *a, sp_dtype dtype)
{
    const sp__conv *call = &a->call;
    const int64_t x[4] = {call->batch, call->in, call->size[0], call->size[1]};
    const int64_t w[4] = {call->out, call->in / call->groups, call->kernel[0], call->kernel[1]};
    const sp_status status = arrange(a, &a->data.x, dtype, x, true);
    return status || a->data.w.dtype == dtype ? status : arrange(a, &a->data.w, dtype, w, false);
}

sp_status sp__conv_arranged(const sp__conv *call, const sp__conv_choice *choice, bool may_pad, sp__conv_run *loop)
{
    const sp_dtype dtype = (sp_dtype)choice->dtype;
    arranged a = {.call = *call, .in_rows = choice->loop == SP__CONV_PRODUCT};
    a.call.dtype = dtype;
    if (call->tail) a.tail = *call->tail, a.call.tail = &a.tail;
    if (call->data) a.data = *call->data, a.call.data = &a.data;
    sp_status status = call->data ? arrange_data(&a, dtype) : SP_OK;
    if (!status) status = arrange_x(&a, dtype, choice->loop, may_pad);
    if (!status) status = call->tail ? arrange_tail(&a, dtype) : arrange_y(&a, dtype, choice->loop);
    if (!status) status = arrange_weights(&a, dtype);
    if (!status) status = loop(&a.call);
    for (int i = 0; i < a.n; i++) {
        const moved *m = &a.moved[i];
        if (!status && m->written) status = copy_elements(&m->own, &m->copy, m->sizes);
        sp_free(m->copy.buffer, m->bytes);
    }
    return status;
}

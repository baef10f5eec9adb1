/* gather and scatter_add. All indices are checked before anything is written. */
#include "backends/cpu/reference.h"

typedef struct plan {
    const sp__index *call;
    int64_t total;
    int64_t inner; /* size of the last dimension */
    int64_t rows;  /* stretches of the last dimension */
    int64_t grain; /* rows to a task */
    /* strides in bytes */
    int64_t out[SP_MAX_DIMS], data[SP_MAX_DIMS], index[SP_MAX_DIMS];
    int64_t jump;        /* from one place to the next along dim, in what index points into */
    atomic_bool outside; /* an index is */
    /* scatter_add: the dimension that tasks are cut along, so that none adds where another does; -1: one task */
    int cut;
} plan;

static int64_t read_index(const plan *p, const char *at)
{
    return p->call->index.dtype == SP_I32 ? *(const int32_t *)at : *(const int64_t *)at;
}

/* Offsets of row r of the last dimension. */
static void row_offsets(const plan *p, int64_t r, int64_t *out, int64_t *data, int64_t *index)
{
    *out = *data = *index = 0;
    for (int d = p->call->ndim - 2; d >= 0; d--) {
        const int64_t i = r % p->call->sizes[d];
        r /= p->call->sizes[d];
        *out += i * p->out[d];
        *data += i * p->data[d];
        *index += i * p->index[d];
    }
}

/* ---- checks ---- */

/* Of n indices, `step` bytes apart. */
static bool any_outside(const plan *p, const char *at, int64_t step, int64_t n)
{
    const uint64_t extent = (uint64_t)p->call->extent;
    bool outside = false;
    if (p->call->index.dtype == SP_I64 && step == sizeof(int64_t)) {
        const int64_t *indices = (const int64_t *)(const void *)at;
        for (int64_t j = 0; j < n; j++) outside |= (uint64_t)indices[j] >= extent;
        return outside;
    }
    for (int64_t j = 0; j < n; j++) outside |= (uint64_t)read_index(p, at + j * step) >= extent;
    return outside;
}

static void check_task(void *context, int64_t task)
{
    plan *p = context;
    const char *indices = sp__operand_at(&p->call->index);
    const int64_t step = p->call->ndim ? p->index[p->call->ndim - 1] : 0;
    const int64_t n = step == 0 ? 1 : p->inner; /* repeated indices are checked once */
    const int64_t last = (task + 1) * p->grain < p->rows ? (task + 1) * p->grain : p->rows;
    bool outside = false;
    for (int64_t r = task * p->grain; r < last; r++) {
        int64_t out, data, index;
        row_offsets(p, r, &out, &data, &index);
        outside |= any_outside(p, indices + index, step, n);
    }
    if (outside) atomic_store_explicit(&p->outside, true, memory_order_relaxed);
}

/* Finds the first index that is outside, for the message. */
static sp_status raise_outside(const plan *p)
{
    const char *indices = sp__operand_at(&p->call->index);
    const int64_t step = p->call->ndim ? p->index[p->call->ndim - 1] : 0;
    for (int64_t r = 0; r < p->rows; r++) {
        int64_t out, data, index;
        row_offsets(p, r, &out, &data, &index);
        for (int64_t j = 0; j < p->inner; j++) {
            const int64_t i = read_index(p, indices + index + j * step);
            if (i < 0 || i >= p->call->extent) {
                return sp_raise(SP_ERROR_ARGUMENT, "index %lld is out of range for dimension %d of size %lld",
                                (long long)i, p->call->dim, (long long)p->call->extent);
            }
        }
    }
    return sp_raise(SP_ERROR_ARGUMENT, "an index is out of range");
}

/* ---- gather ---- */

static void copy_run(char *to, int64_t to_step, const char *from, int64_t from_step, int64_t item, int64_t n)
{
    if (to_step == item && from_step == item)
        memcpy(to, from, (size_t)(n * item));
    else
        for (int64_t j = 0; j < n; j++) memcpy(to + j * to_step, from + j * from_step, (size_t)item);
}

/* Elements of `item` bytes, each where its index says; the steps are bytes. */
#define GATHER(item)                                                                                                   \
    for (int64_t j = 0; j < n; j++)                                                                                    \
    memcpy(out + j * out_step, data + j * data_step + read_index(p, indices + j * index_step) * p->jump, item)

static void gather_elements(const plan *p, char *out, int64_t out_step, const char *data, int64_t data_step,
                            const char *indices, int64_t index_step)
{
    const int64_t n = p->inner;
    switch (sp__size_of(p->call->out.dtype)) {
    case 1: GATHER(1); break;
    case 2: GATHER(2); break;
    case 4: GATHER(4); break;
    default: GATHER(8);
    }
}

static void gather_row(const plan *p, char *out, const char *data, const char *indices)
{
    const int last = p->call->ndim - 1;
    const int64_t item = sp__size_of(p->call->out.dtype);
    const int64_t out_step = last < 0 ? 0 : p->out[last], data_step = last < 0 ? 0 : p->data[last];
    const int64_t index_step = last < 0 ? 0 : p->index[last];
    if (index_step == 0) {
        copy_run(out, out_step, data + read_index(p, indices) * p->jump, data_step, item, p->inner);
        return;
    }
    gather_elements(p, out, out_step, data, data_step, indices, index_step);
}

static void gather_task(void *context, int64_t task)
{
    const plan *p = context;
    const int64_t last = (task + 1) * p->grain < p->rows ? (task + 1) * p->grain : p->rows;
    for (int64_t r = task * p->grain; r < last; r++) {
        int64_t out, data, index;
        row_offsets(p, r, &out, &data, &index);
        gather_row(p, sp__operand_at(&p->call->out) + out, sp__operand_at(&p->call->data) + data,
                   sp__operand_at(&p->call->index) + index);
    }
}

/* ---- scatter_add ---- */

static inline void add_element(sp_dtype dtype, char *to, const char *from)
{
    switch (dtype) {
    case SP_F32: *(float *)to += *(const float *)from; break;
    case SP_F64: *(double *)to += *(const double *)from; break;
    case SP_BF16:
        *(sp__bf16 *)to = sp__to_bf16(sp__from_bf16(*(sp__bf16 *)to) + sp__from_bf16(*(const sp__bf16 *)from));
        break;
    case SP_I64: *(int64_t *)to = (int64_t)((uint64_t) * (int64_t *)to + (uint64_t) * (const int64_t *)from); break;
    case SP_I32: *(int32_t *)to = (int32_t)((uint32_t) * (int32_t *)to + (uint32_t) * (const int32_t *)from); break;
    case SP_U8: *(uint8_t *)to = (uint8_t)(*(uint8_t *)to + *(const uint8_t *)from); break;
    default: *(uint8_t *)to = *(uint8_t *)to || *(const uint8_t *)from;
    }
}

/* A stretch of the last dimension: n elements, and the bytes from one to the next. */
typedef struct stretch {
    char *to;
    const char *from, *index;
    int64_t to_step, from_step, index_step, n;
} stretch;

/* With `dtype` a constant each of these is a loop without a choice in it. */
static inline __attribute__((always_inline)) void add_stretch(const plan *p, sp_dtype dtype, const stretch *s)
{
    const int64_t item = sp__size_of(dtype);
    if (s->index_step == 0) {
        char *restrict to = s->to + read_index(p, s->index) * p->jump;
        const char *restrict from = s->from;
        if (s->to_step == item && s->from_step == item)
            for (int64_t j = 0; j < s->n; j++) add_element(dtype, to + j * item, from + j * item);
        else
            for (int64_t j = 0; j < s->n; j++) add_element(dtype, to + j * s->to_step, from + j * s->from_step);
        return;
    }
    for (int64_t j = 0; j < s->n; j++) {
        const int64_t i = read_index(p, s->index + j * s->index_step);
        add_element(dtype, s->to + j * s->to_step + i * p->jump, s->from + j * s->from_step);
    }
}

/* Row r of the last dimension, elements [first, last). */
static void scatter_row(const plan *p, int64_t r, int64_t first, int64_t last)
{
    const int inner = p->call->ndim - 1;
    int64_t out, data, index;
    row_offsets(p, r, &out, &data, &index);
    stretch s = {.index_step = inner < 0 ? 0 : p->index[inner],
                 .to_step = inner < 0 || inner == p->call->dim ? 0 : p->out[inner],
                 .from_step = inner < 0 ? 0 : p->data[inner],
                 .n = last - first};
    s.to = sp__operand_at(&p->call->out) + out + first * s.to_step;
    s.from = sp__operand_at(&p->call->data) + data + first * s.from_step;
    s.index = sp__operand_at(&p->call->index) + index + first * s.index_step;
    switch (p->call->out.dtype) {
    case SP_F32: add_stretch(p, SP_F32, &s); break;
    case SP_F64: add_stretch(p, SP_F64, &s); break;
    case SP_BF16: add_stretch(p, SP_BF16, &s); break;
    default: add_stretch(p, p->call->out.dtype, &s);
    }
}

/* Everything whose index along the cut dimension is in the task's share, in row-major order. */
static void scatter_task(void *context, int64_t task)
{
    const plan *p = context;
    if (p->cut == p->call->ndim - 1) {
        const int64_t last = (task + 1) * p->grain < p->inner ? (task + 1) * p->grain : p->inner;
        for (int64_t r = 0; r < p->rows; r++) scatter_row(p, r, task * p->grain, last);
        return;
    }
    int64_t below = 1; /* rows to a step of the cut dimension */
    for (int d = p->cut + 1; d < p->call->ndim - 1; d++) below *= p->call->sizes[d];
    for (int64_t r = 0; r < p->rows; r++) {
        if (p->cut >= 0 && r / below % p->call->sizes[p->cut] / p->grain != task) continue;
        scatter_row(p, r, 0, p->inner);
    }
}

/* Chooses what to cut along: the longest dimension but dim, when the work is worth it. */
static int64_t cut_scatter(plan *p)
{
    enum { PIECES = 16, WIDE = 64 }; /* rows are not cut into less than this */
    const sp__index *call = p->call;
    p->cut = -1;
    for (int d = 0; d < call->ndim; d++) {
        if (d == call->dim || call->out.strides[d] == 0) continue;
        if (p->cut < 0 || call->sizes[d] > call->sizes[p->cut]) p->cut = d;
    }
    if (p->cut < 0 || p->total < SP__GRAIN) {
        p->cut = -1;
        p->grain = 1;
        return 1;
    }
    p->grain = (call->sizes[p->cut] + PIECES - 1) / PIECES;
    if (p->cut == call->ndim - 1 && p->grain < WIDE) p->grain = WIDE;
    return (call->sizes[p->cut] + p->grain - 1) / p->grain;
}

/* ---- the calls ---- */

static int64_t row_tasks(const plan *p)
{
    return (p->rows + p->grain - 1) / p->grain;
}

static void set_strides(plan *p)
{
    const sp__index *call = p->call;
    const int64_t item = sp__size_of(call->out.dtype), index_item = sp__size_of(call->index.dtype);
    const bool gather = call->kind == SP__GATHER;
    for (int d = 0; d < call->ndim; d++) {
        p->out[d] = call->out.strides[d] * item;
        p->data[d] = call->data.strides[d] * item;
        p->index[d] = call->index.strides[d] * index_item;
    }
    if (call->ndim == 0) return;
    /* what is indexed moves along dim by the index alone */
    int64_t *indexed = gather ? p->data : p->out;
    p->jump = indexed[call->dim];
    indexed[call->dim] = 0;
}

/* The plan of a call that has elements, whose indices are all inside. */
static sp_status make_plan(plan *p, const sp__index *call)
{
    *p = (plan){.call = call, .total = 1, .inner = call->ndim ? call->sizes[call->ndim - 1] : 1};
    for (int d = 0; d < call->ndim; d++) p->total *= call->sizes[d];
    set_strides(p);
    p->rows = p->total / p->inner;
    p->grain = SP__GRAIN / p->inner > 0 ? SP__GRAIN / p->inner : 1;
    sp__tasks(row_tasks(p), check_task, p);
    return atomic_load(&p->outside) ? raise_outside(p) : SP_OK;
}

static sp_status gather(const sp__index *call)
{
    plan p;
    const sp_status status = make_plan(&p, call);
    if (!status) sp__tasks(row_tasks(&p), gather_task, &p);
    return status;
}

static sp_status scatter_add(const sp__index *call)
{
    plan p;
    const sp_status status = make_plan(&p, call);
    if (!status) sp__tasks(cut_scatter(&p), scatter_task, &p);
    return status;
}

sp__index_run *const sp__index_any[SP__INDEX_COUNT] = {[SP__GATHER] = gather, [SP__SCATTER_ADD] = scatter_add};

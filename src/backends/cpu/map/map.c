/* Element by element: brings the operands' dimensions into a simple form and runs an inner loop over the last one. */
#include "backends/cpu/cpu.h"
#include <stdlib.h>

/* A call in its simple form: dimensions merged where they can be, the last with the smallest strides of the output. */
typedef struct plan {
    int ndim, n;
    int64_t sizes[SP_MAX_DIMS];
    int64_t strides[SP_MAX_DIMS][4]; /* bytes */
    int64_t item[4];                 /* bytes of an element */
    char *data[4];
    int64_t total;
    const double *params;
    sp__loop *loop;
    bool packs; /* the loop wants elements side by side: others are brought together first */
} plan;

/* Whether dimension a of the call belongs outside b: the larger stride outside, the output's first. */
static bool is_outside(const sp__map *call, int a, int b)
{
    for (int k = 0; k < call->n_operands; k++) {
        const int64_t sa = llabs(call->operands[k].strides[a]), sb = llabs(call->operands[k].strides[b]);
        if (sa != sb) return sa > sb;
    }
    return a < b;
}

/* The dimensions that have more than one element, from the outermost to the innermost. */
static int sort_dims(const sp__map *call, int *order)
{
    int n = 0;
    for (int d = 0; d < call->ndim; d++) {
        if (call->sizes[d] == 1) continue;
        int at = n++;
        for (; at > 0 && is_outside(call, d, order[at - 1]); at--) order[at] = order[at - 1];
        order[at] = d;
    }
    return n;
}

/* Whether dimension d of the call just continues the plan's last one. */
static bool continues(const plan *p, const sp__map *call, int d)
{
    if (p->ndim == 0) return false;
    for (int k = 0; k < p->n; k++) {
        if (p->strides[p->ndim - 1][k] != call->operands[k].strides[d] * p->item[k] * call->sizes[d]) return false;
    }
    return true;
}

static void set_dims(plan *p, const sp__map *call)
{
    int order[SP_MAX_DIMS];
    const int n = sort_dims(call, order);
    for (int i = 0; i < n; i++) {
        const int d = order[i];
        if (continues(p, call, d))
            p->sizes[p->ndim - 1] *= call->sizes[d];
        else
            p->sizes[p->ndim++] = call->sizes[d];
        for (int k = 0; k < p->n; k++) p->strides[p->ndim - 1][k] = call->operands[k].strides[d] * p->item[k];
    }
    if (p->ndim == 0) p->sizes[p->ndim++] = 1; /* one element: any stride will do, 0 was set */
}

static plan make_plan(const sp__map *call)
{
    plan p = {.n = call->n_operands, .total = 1, .params = call->params};
    for (int d = 0; d < call->ndim; d++) p.total *= call->sizes[d];
    for (int k = 0; k < p.n; k++) {
        p.item[k] = sp__size_of(call->operands[k].dtype);
        p.data[k] = sp__operand_at(&call->operands[k]);
    }
    if (p.total > 0) set_dims(&p, call);
    return p;
}

/* ---- the loops ---- */

/* The dtype of what is computed with. */
static sp_dtype dtype_of(const sp__map *call)
{
    return call->operands[call->kind == SP__WHERE ? 0 : 1].dtype; /* where's first input is its condition */
}

static bool is_cast(const sp__map *call)
{
    return call->kind == SP__COPY && call->operands[0].dtype != call->operands[1].dtype;
}

/* Whether a fast loop can run over the last dimension as it lies. */
static bool is_dense(const plan *p)
{
    const int64_t *s = p->strides[p->ndim - 1];
    if (s[0] != p->item[0]) return p->sizes[p->ndim - 1] == 1;
    for (int k = 1; k < p->n; k++) {
        if (s[k] != p->item[k] && s[k] != 0) return false;
    }
    return true;
}

static void move_elements(char *to, int64_t to_step, const char *from, int64_t from_step, int64_t item, int64_t n)
{
    switch (item) {
    case 1:
        for (int64_t i = 0; i < n; i++) to[i * to_step] = from[i * from_step];
        break;
    case 2:
        for (int64_t i = 0; i < n; i++) memcpy(to + i * to_step, from + i * from_step, 2);
        break;
    case 4:
        for (int64_t i = 0; i < n; i++) memcpy(to + i * to_step, from + i * from_step, 4);
        break;
    default:
        for (int64_t i = 0; i < n; i++) memcpy(to + i * to_step, from + i * from_step, 8);
    }
}

/* A fast loop over elements that do not lie side by side, by way of buffers, so that an element's result is the same
 * wherever it lies. */
static void run_packed(const plan *p, char *const *data, const int64_t *strides, int64_t n)
{
    enum { PIECE = 128 };
    _Alignas(64) char buffers[4][PIECE * 8];
    for (int64_t at = 0; at < n; at += PIECE) {
        const int64_t m = n - at < PIECE ? n - at : PIECE;
        char *packed[4];
        for (int k = 0; k < p->n; k++) {
            packed[k] = buffers[k];
            if (k > 0) move_elements(packed[k], p->item[k], data[k] + at * strides[k], strides[k], p->item[k], m);
        }
        p->loop(packed, p->item, m, p->params);
        move_elements(data[0] + at * strides[0], strides[0], packed[0], p->item[0], p->item[0], m);
    }
}

/* Elements [first, last) in the plan's order, a stretch of the last dimension at a time. */
static void run_range(const plan *p, int64_t first, int64_t last)
{
    const int inner = p->ndim - 1;
    while (first < last) {
        int64_t index = first;
        char *data[4];
        memcpy(data, p->data, sizeof data);
        const int64_t at = index % p->sizes[inner], rest = p->sizes[inner] - at;
        for (int d = inner; d >= 0; d--) {
            const int64_t i = index % p->sizes[d];
            index /= p->sizes[d];
            for (int k = 0; k < p->n; k++) data[k] += i * p->strides[d][k];
        }
        const int64_t n = rest < last - first ? rest : last - first;
        if (p->packs)
            run_packed(p, data, p->strides[inner], n);
        else
            p->loop(data, p->strides[inner], n, p->params);
        first += n;
    }
}

static void run_task(void *context, int64_t task)
{
    const plan *p = context;
    const int64_t first = task * SP__GRAIN, last = first + SP__GRAIN;
    run_range(p, first, last < p->total ? last : p->total);
}

static void trace(const sp__map *call, const char *loop)
{
    if (is_cast(call))
        sp__trace_kernel("cast", dtype_of(call), loop, "to %s %s", sp_dtype_name(call->operands[0].dtype),
                         sp__trace_sizes(call->ndim, call->sizes));
    else
        sp__trace_kernel(sp__map_kinds[call->kind].name, dtype_of(call), loop, "%s",
                         sp__trace_sizes(call->ndim, call->sizes));
}

/* Copies as they are into another order of dimensions; false when the call is no such copy. */
static bool copy_transposed(const plan *p, const sp__map *call)
{
    const int inner = p->ndim - 1;
    if (sp__cpu_level() == &sp__reference) return false;
    if (call->kind != SP__COPY || is_cast(call)) return false;
    if (p->strides[inner][0] != p->item[0] || p->strides[inner][1] == p->item[0]) return false;
    sp__transpose t = {.out = p->data[0], .in = p->data[1], .item = p->item[0], .columns = p->sizes[inner]};
    t.in_column = p->strides[inner][1] / t.item;
    for (int d = 0; d < inner; d++) {
        const int64_t out = p->strides[d][0] / t.item, in = p->strides[d][1] / t.item;
        if (in == 1 && t.rows == 0) {
            t.rows = p->sizes[d];
            t.out_row = out;
        } else {
            t.outer[t.n_outer].size = p->sizes[d];
            t.outer[t.n_outer].out = out;
            t.outer[t.n_outer++].in = in;
        }
    }
    if (t.rows == 0) return false;
    if (sp__traces_kernels()) trace(call, "transposed copy");
    sp__cpu_transpose(&t);
    return true;
}

/* Elements as they are, side by side in both places. */
static void copy_bytes(char *const *data, const int64_t *strides, int64_t n, const double *params)
{
    (void)params;
    memcpy(data[0], data[1], (size_t)(n * strides[0]));
}

static bool is_plain_copy(const plan *p, const sp__map *call)
{
    const int64_t *s = p->strides[p->ndim - 1];
    const sp_dtype dtype = call->operands[0].dtype;
    return call->kind == SP__COPY && dtype == call->operands[1].dtype && dtype != SP_BOOL && s[0] == p->item[0] &&
           s[1] == s[0];
}

/* The loop of the call, and what a trace calls it. */
static const char *choose_loop(plan *p, const sp__map *call)
{
    const sp_dtype dtype = dtype_of(call), to = call->operands[0].dtype;
    if (is_plain_copy(p, call)) {
        p->loop = copy_bytes;
        return "copy of bytes";
    }
    p->loop = is_cast(call) ? SP__KIND(dtype, cast, to) : SP__KIND(dtype, map, call->kind);
    sp__loop *reference = is_cast(call) ? SP__KIND_AT(&sp__reference, dtype, cast, to)
                                        : SP__KIND_AT(&sp__reference, dtype, map, call->kind);
    if (p->loop == reference) return "reference";
    p->packs = !is_dense(p);
    return p->packs ? "packed vectors" : "vectors";
}

sp_status sp__cpu_map(const sp__map *call)
{
    plan p = make_plan(call);
    if (p.total == 0 || copy_transposed(&p, call)) return SP_OK;
    const char *name = choose_loop(&p, call);
    if (!p.loop) return sp__no_kernel(sp__map_kinds[call->kind].name, dtype_of(call));
    if (sp__traces_kernels()) trace(call, name);
    sp__tasks((p.total + SP__GRAIN - 1) / SP__GRAIN, run_task, &p);
    return SP_OK;
}

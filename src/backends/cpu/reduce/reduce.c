/* Reductions: cuts them by shape into blocks, runs the blocks on the team, puts their results together in order.
 * K: outputs, R: elements reduced to each. */
#include "backends/cpu/common/elementary.h"
#include "backends/cpu/cpu.h"
#include <math.h>
#include <stdlib.h>

static const char *const names[SP__REDUCE_COUNT] = {
    [SP__SUM] = "sum",
    [SP__MEAN] = "mean",
    [SP__PROD] = "prod",
    [SP__MAX] = "max",
    [SP__MIN] = "min",
    [SP__ANY] = "any",
    [SP__ALL] = "all",
    [SP__VAR] = "var",
    [SP__STD] = "std",
    [SP__NORM] = "norm",
    [SP__LOGSUMEXP] = "logsumexp",
    [SP__ARGMAX] = "argmax",
    [SP__ARGMIN] = "argmin",
};

/* The blocks of a task: so many outputs, and about so many elements in all. */
enum { OUTPUTS = 256, ELEMENTS = 1 << 16 };

typedef struct dims {
    int n;
    int64_t sizes[SP_MAX_DIMS];
    int64_t in[SP_MAX_DIMS], out[SP_MAX_DIMS]; /* strides in bytes */
    int64_t total;
} dims;

typedef struct plan {
    const sp__reduce *call;
    dims kept, reduced;
    sp__fold_kind folds[2]; /* one pass or two */
    int passes;
    sp__fold_run *run[2];
    double param;
    const char *in;
    char *out;
    bool floating;
    int64_t block;   /* reduced elements to a block */
    int64_t blocks;  /* blocks to an output */
    int64_t outputs; /* outputs to a task */
    sp__cell *cells; /* [blocks][K], when there are several blocks */
    int pass;
} plan;

/* ---- the dimensions ---- */

static void add_dim(dims *list, int64_t size, int64_t in, int64_t out)
{
    const int last = list->n - 1;
    if (size == 1) return;
    if (last >= 0 && list->in[last] == in * size && list->out[last] == out * size)
        list->sizes[last] *= size;
    else
        list->sizes[list->n++] = size;
    list->in[list->n - 1] = in;
    list->out[list->n - 1] = out;
}

/* The dimensions that are reduced, or those that are kept. argmax counts in row-major order; all else goes as the
 * elements lie. */
static dims select_dims(const sp__reduce *call, bool reduced, bool in_order)
{
    const int64_t in_size = sp__size_of(call->in.dtype), out_size = sp__size_of(call->out.dtype);
    int order[SP_MAX_DIMS] = {0}, n = 0;
    dims list = {.total = 1};
    for (int d = 0; d < call->ndim; d++) {
        if (call->reduced[d] != reduced) continue;
        list.total *= call->sizes[d];
        int at = n++;
        for (; at > 0 && !in_order && llabs(call->in.strides[d]) > llabs(call->in.strides[order[at - 1]]); at--)
            order[at] = order[at - 1];
        order[at] = d;
    }
    for (int i = 0; i < n; i++) {
        const int d = order[i];
        add_dim(&list, call->sizes[d], call->in.strides[d] * in_size, reduced ? 0 : call->out.strides[d] * out_size);
    }
    if (list.n == 0) list.sizes[list.n++] = list.total;
    return list;
}

/* Where element i of a list lies; sets *rest to how many follow it evenly, itself included. */
static int64_t offset_of(const dims *list, const int64_t *strides, int64_t i, int64_t *rest)
{
    int64_t offset = 0;
    *rest = list->sizes[list->n - 1] - i % list->sizes[list->n - 1];
    for (int d = list->n - 1; d >= 0; d--) {
        offset += i % list->sizes[d] * strides[d];
        i /= list->sizes[d];
    }
    return offset;
}

/* ---- what each kind adds up ---- */

static int choose_folds(const sp__reduce *call, sp__fold_kind folds[2])
{
    switch (call->kind) {
    case SP__SUM:
    case SP__MEAN: folds[0] = SP__FOLD_SUM; return 1;
    case SP__PROD: folds[0] = SP__FOLD_PROD; return 1;
    case SP__MAX: folds[0] = SP__FOLD_MAX; return 1;
    case SP__MIN: folds[0] = SP__FOLD_MIN; return 1;
    case SP__ANY: folds[0] = SP__FOLD_ANY; return 1;
    case SP__ALL: folds[0] = SP__FOLD_ALL; return 1;
    case SP__ARGMAX: folds[0] = SP__FOLD_ARGMAX; return 1;
    case SP__ARGMIN: folds[0] = SP__FOLD_ARGMIN; return 1;
    case SP__VAR:
    case SP__STD: folds[0] = SP__FOLD_SUM, folds[1] = SP__FOLD_DEVIATION; return 2;
    case SP__LOGSUMEXP: folds[0] = SP__FOLD_MAX, folds[1] = SP__FOLD_EXP; return 2;
    default: break;
    }
    const double p = call->param;
    folds[0] = p == 2           ? SP__FOLD_SQUARE
               : p == 1         ? SP__FOLD_ABS
               : p == 0         ? SP__FOLD_NONZERO
               : p == INFINITY  ? SP__FOLD_MAX_ABS
               : p == -INFINITY ? SP__FOLD_MIN_ABS
                                : SP__FOLD_POWER;
    return 1;
}

static sp__cell first_cell(sp__fold_kind fold, bool floating)
{
    sp__cell cell = {{0}, {0}};
    const bool low = fold == SP__FOLD_MAX || fold == SP__FOLD_ARGMAX;
    const bool high = fold == SP__FOLD_MIN || fold == SP__FOLD_ARGMIN || fold == SP__FOLD_MIN_ABS;
    const bool one = fold == SP__FOLD_PROD || fold == SP__FOLD_ALL;
    if (floating)
        cell.value.f = low ? -(double)INFINITY : high ? (double)INFINITY : one ? 1 : 0;
    else
        cell.value.i = low ? INT64_MIN : high ? INT64_MAX : one ? 1 : 0;
    return cell;
}

/* A cell is the f64 or i64 that a fold over one element takes in, so the blocks' results can be folded by its f64 or
 * i64 row; only argmax's index needs care, and sums of powers are summed. */
static sp__fold_kind merging_fold(sp__fold_kind fold)
{
    switch (fold) {
    case SP__FOLD_DEVIATION:
    case SP__FOLD_EXP:
    case SP__FOLD_ABS:
    case SP__FOLD_SQUARE:
    case SP__FOLD_POWER:
    case SP__FOLD_NONZERO: return SP__FOLD_SUM;
    case SP__FOLD_MAX_ABS: return SP__FOLD_MAX;
    case SP__FOLD_MIN_ABS: return SP__FOLD_MIN;
    default: return fold;
    }
}

static void merge(const plan *p, sp__cell *into, const sp__cell *from)
{
    const sp__fold_kind kind = merging_fold(p->folds[p->pass]);
    const bool exact = p->folds[p->pass] == SP__FOLD_SUM && p->call->in.dtype == SP_F64;
    const sp__cell before = *into;
    const sp__fold_block one = {.in = (const char *)&from->value, .n_reduced = 1, .n_kept = 1, .position = -1};
    sp__reference.of[p->floating ? SP_F64 : SP_I64].fold[kind](into, &one);
    if (kind == SP__FOLD_ARGMAX || kind == SP__FOLD_ARGMIN) {
        if (into->also.index == -1) into->also.index = from->also.index;
    } else if (exact) {
        into->also.f += from->also.f;
    } else {
        into->also = before.also;
    }
}

/* ---- the last step ---- */

/* A sum, and what it lost; of what is not finite that says nothing. */
static double sum_of(const sp__cell *cell)
{
    return isfinite(cell->value.f) ? cell->value.f + cell->also.f : cell->value.f;
}

/* What the second pass measures from. */
static double pivot(const plan *p, const sp__cell *cell)
{
    const sp__reduce_kind kind = p->call->kind;
    if (kind == SP__VAR || kind == SP__STD) return sum_of(cell) / (double)p->reduced.total;
    return fabs(cell->value.f) < (double)INFINITY ? cell->value.f : 0;
}

static double finish_float(const plan *p, const sp__cell *cell)
{
    const double value = cell->value.f, n = (double)p->reduced.total, param = p->call->param;
    switch (p->call->kind) {
    case SP__SUM: return sum_of(cell);
    case SP__MEAN: return sum_of(cell) / n;
    case SP__VAR: return value / (n > param ? n - param : 0);
    case SP__STD: return sqrt(value / (n > param ? n - param : 0));
    case SP__LOGSUMEXP: return cell->also.f + sp__log(value);
    case SP__NORM: return param == 2 ? sqrt(value) : p->folds[0] == SP__FOLD_POWER ? sp__pow(value, 1 / param) : value;
    default: return value;
    }
}

static void finish(const plan *p, const sp__cell *cell, char *out)
{
    const sp_dtype dtype = p->call->out.dtype;
    if (p->call->kind == SP__ARGMAX || p->call->kind == SP__ARGMIN)
        sp__store_i64(dtype, out, cell->also.index);
    else if (p->floating)
        sp__store_f64(dtype, out, finish_float(p, cell));
    else
        sp__store_i64(dtype, out, cell->value.i);
}

/* ---- the blocks ---- */

static void start_cells(const plan *p, sp__cell *cells, int64_t n)
{
    const sp__cell first = first_cell(p->folds[p->pass], p->floating);
    for (int64_t j = 0; j < n; j++) {
        if (p->pass == 0)
            cells[j] = first;
        else
            cells[j].value = first.value;
    }
}

/* Folds the reduced elements [r0, r1) of outputs [k0, k1) into their cells. */
static void fold_block(const plan *p, int pass, sp__cell *cells, int64_t k0, int64_t k1, int64_t r0, int64_t r1)
{
    const dims *kept = &p->kept, *reduced = &p->reduced;
    sp__fold_block block = {
        .stride_kept = kept->in[kept->n - 1], .stride_reduced = reduced->in[reduced->n - 1], .param = p->call->param};
    for (int64_t k = k0; k < k1; k += block.n_kept) {
        int64_t rest;
        const char *in = p->in + offset_of(kept, kept->in, k, &rest);
        block.n_kept = rest < k1 - k ? rest : k1 - k;
        for (int64_t r = r0; r < r1; r += block.n_reduced) {
            block.in = in + offset_of(reduced, reduced->in, r, &rest);
            block.n_reduced = rest < r1 - r ? rest : r1 - r;
            block.position = r;
            p->run[pass](cells + (k - k0), &block);
        }
    }
}

/* Sums and means of f32, the commonest: nothing was lost that `also` would have. */
static void finish_sums(const sp__cell *cells, float *out, int64_t step, int64_t n, double count)
{
    for (int64_t i = 0; i < n; i++) out[i * step] = (float)(cells[i].value.f / count);
}

static void finish_run(const plan *p, const sp__cell *cells, char *out, int64_t step, int64_t n)
{
    const sp__reduce_kind kind = p->call->kind;
    if (p->call->out.dtype == SP_F32 && p->floating && (kind == SP__SUM || kind == SP__MEAN))
        finish_sums(cells, (float *)(void *)out, step / (int64_t)sizeof(float), n,
                    kind == SP__MEAN ? (double)p->reduced.total : 1);
    else
        for (int64_t i = 0; i < n; i++) finish(p, &cells[i], out + i * step);
}

static void finish_cells(const plan *p, const sp__cell *cells, int64_t k0, int64_t k1)
{
    const int64_t step = p->kept.out[p->kept.n - 1];
    for (int64_t k = k0, n; k < k1; k += n) {
        int64_t rest;
        char *out = p->out + offset_of(&p->kept, p->kept.out, k, &rest);
        n = rest < k1 - k ? rest : k1 - k;
        finish_run(p, cells + (k - k0), out, step, n);
    }
}

/* A few outputs from beginning to end. */
static void whole_task(void *context, int64_t task)
{
    plan p = *(const plan *)context;
    sp__cell cells[OUTPUTS];
    const int64_t k0 = task * p.outputs, end = k0 + p.outputs, k1 = end < p.kept.total ? end : p.kept.total;
    for (p.pass = 0; p.pass < p.passes; p.pass++) {
        for (int64_t j = 0; p.pass == 1 && j < k1 - k0; j++) cells[j].also.f = pivot(&p, &cells[j]);
        start_cells(&p, cells, k1 - k0);
        fold_block(&p, p.pass, cells, k0, k1, 0, p.reduced.total);
    }
    finish_cells(&p, cells, k0, k1);
}

/* A block of a few outputs. */
static void block_task(void *context, int64_t task)
{
    const plan *p = context;
    const int64_t b = task % p->blocks, k0 = task / p->blocks * p->outputs;
    const int64_t k1 = k0 + p->outputs < p->kept.total ? k0 + p->outputs : p->kept.total;
    const int64_t r0 = b * p->block, r1 = r0 + p->block < p->reduced.total ? r0 + p->block : p->reduced.total;
    sp__cell *cells = p->cells + b * p->kept.total + k0;
    start_cells(p, cells, k1 - k0);
    fold_block(p, p->pass, cells, k0, k1, r0, r1);
}

/* Brings all blocks' cells together in the first's, and for a second pass hands every block what the first one found.
 */
static void join_blocks(const plan *p)
{
    const int64_t n = p->kept.total;
    for (int64_t k = 0; k < n; k++) {
        for (int64_t b = 1; b < p->blocks; b++) merge(p, &p->cells[k], &p->cells[b * n + k]);
        if (p->pass + 1 == p->passes) continue;
        const double found = pivot(p, &p->cells[k]);
        for (int64_t b = 0; b < p->blocks; b++) p->cells[b * n + k].also.f = found;
    }
}

static sp_status run_blocks(plan *p, int64_t tasks)
{
    const size_t bytes = (size_t)(p->blocks * p->kept.total) * sizeof(sp__cell);
    p->cells = sp__scratch(bytes);
    if (!p->cells) return SP_ERROR_MEMORY;
    for (p->pass = 0; p->pass < p->passes; p->pass++) {
        sp__tasks(tasks * p->blocks, block_task, p);
        join_blocks(p);
    }
    finish_cells(p, p->cells, 0, p->kept.total);
    sp_free(p->cells, bytes);
    return SP_OK;
}

/* Few outputs of many elements each are cut into blocks; many outputs keep the team busy without. */
static void cut(plan *p)
{
    const int64_t many = 32 * OUTPUTS, n = p->kept.total, r = p->reduced.total;
    int64_t outputs = r > 0 ? ELEMENTS / r : OUTPUTS;
    if (n < many) outputs = OUTPUTS;
    p->outputs = outputs < 1 ? 1 : outputs > OUTPUTS ? OUTPUTS : outputs;
    if (p->outputs > n) p->outputs = n;
    p->block = n < many ? ELEMENTS / p->outputs : r;
    p->blocks = r > p->block ? (r + p->block - 1) / p->block : 1;
}

static void trace(const plan *p)
{
    const sp__reduce *call = p->call;
    const bool fast = p->run[0] != SP__KIND_AT(&sp__reference, call->in.dtype, fold, p->folds[0]);
    sp__trace_kernel(names[call->kind], call->in.dtype, sp__loop_name(fast), "x %s, %lld of %lld each",
                     sp__trace_sizes(call->ndim, call->sizes), (long long)p->kept.total, (long long)p->reduced.total);
}

sp_status sp__cpu_reduce(const sp__reduce *call)
{
    const bool in_order = call->kind == SP__ARGMAX || call->kind == SP__ARGMIN;
    plan p = {.call = call,
              .kept = select_dims(call, false, false),
              .reduced = select_dims(call, true, in_order),
              .in = sp__operand_at(&call->in),
              .out = sp__operand_at(&call->out)};
    if (p.kept.total == 0) return SP_OK;
    p.floating = call->in.dtype == SP_F32 || call->in.dtype == SP_F64 || call->in.dtype == SP_BF16;
    p.passes = choose_folds(call, p.folds);
    for (int i = 0; i < p.passes; i++) {
        p.run[i] = SP__KIND(call->in.dtype, fold, p.folds[i]);
        if (!p.run[i] || (call->kind == SP__MEAN && !p.floating))
            return sp__no_kernel(names[call->kind], call->in.dtype);
    }
    cut(&p);
    if (sp__traces_kernels()) trace(&p);
    const int64_t tasks = (p.kept.total + p.outputs - 1) / p.outputs;
    if (p.blocks > 1) return run_blocks(&p, tasks);
    sp__tasks(tasks, whole_task, &p);
    return SP_OK;
}

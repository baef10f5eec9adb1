/* Normalisation of rows whose places have weights: layer_norm. Some rows to a task. */
#include "backends/cpu/norm/norm.h"

typedef struct plan {
    const sp__norm *call;
    const sp__norm_loops *loops;
    int64_t groups, n, block, parts;
    void *weight, *bias; /* [n] of the loops' numbers */
    double *mean, *var;  /* [groups] */
    double *sums;        /* [parts][2][n]; NULL: not wanted */
} plan;

static void rows_task(void *context, int64_t part)
{
    const plan *p = context;
    const sp__norm *call = p->call;
    const int64_t first = part * p->block, bytes = first * p->n * sp__size_of(call->x.dtype);
    char *y = sp__operand_at(&call->y) + bytes, *dx = call->dx ? sp__operand_at(call->dx) + bytes : NULL;
    sp__norm_rows rows = {.x = sp__operand_at(&call->x) + bytes,
                          .g = y,
                          .y = call->backward ? dx : y,
                          .rows = first + p->block < p->groups ? p->block : p->groups - first,
                          .n = p->n,
                          .weight = p->weight,
                          .bias = p->bias,
                          .mean = p->mean + first,
                          .var = p->var + first,
                          .sums = p->sums ? p->sums + part * 2 * p->n : NULL,
                          .eps = call->eps};
    if (rows.sums) memset(rows.sums, 0, (size_t)(2 * p->n) * sizeof *rows.sums);
    if (call->backward)
        p->loops->rows_backward(&rows);
    else
        p->loops->rows_forward(&rows);
}

static void forward(plan *p)
{
    sp__tasks(p->parts, rows_task, p);
    sp__norm_store_row(&p->call->mean, p->groups, p->mean);
    sp__norm_store_row(&p->call->var, p->groups, p->var);
}

static void backward(plan *p)
{
    const sp__norm *call = p->call;
    sp__norm_load_row(p->mean, &call->mean, p->groups, 0);
    sp__norm_load_row(p->var, &call->var, p->groups, 0);
    sp__tasks(p->parts, rows_task, p);
    if (!p->sums) return;
    for (int64_t part = 1; part < p->parts; part++)
        for (int64_t i = 0; i < 2 * p->n; i++) p->sums[i] += p->sums[part * 2 * p->n + i];
    sp__norm_store_row(call->dweight, p->n, p->sums);
    sp__norm_store_row(call->dbias, p->n, p->sums + p->n);
}

/* A row of numbers as the loops read them. */
static void load_numbers(const plan *p, void *to, const sp__operand *row, double absent, double *room)
{
    const sp_dtype number = p->call->x.dtype == SP_F64 ? SP_F64 : SP_F32;
    const sp__operand whole = {.buffer = to, .dtype = number, .strides = {1}};
    sp__norm_load_row(room, row, p->n, absent);
    sp__norm_store_row(&whole, p->n, room);
}

sp_status sp__norm_rows_call(const sp__norm *call, const sp__norm_loops *loops)
{
    plan p = {.call = call, .loops = loops, .groups = call->sizes[1], .n = call->sizes[3]};
    const bool sums = call->backward && (call->dweight || call->dbias);
    p.block = (sp__grain_of(p.n) + 7) / 8 * 8;                       /* the loops take eight at a time */
    p.parts = p.groups > 0 ? (p.groups + p.block - 1) / p.block : 1; /* sums of nothing are 0 */
    const int64_t added = sums ? p.parts * 2 * p.n : 0;
    const size_t bytes = (size_t)(2 * p.groups + 3 * p.n + added) * sizeof(double);
    double *memory = sp__scratch(bytes);
    if (!memory) return SP_ERROR_MEMORY;
    p.mean = memory, p.var = p.mean + p.groups;
    p.weight = p.var + p.groups, p.bias = (double *)p.weight + p.n;
    double *room = (double *)p.bias + p.n;
    if (sums) p.sums = room + p.n;
    load_numbers(&p, p.weight, call->weight, 1, room);
    load_numbers(&p, p.bias, call->bias, 0, room);
    if (call->backward)
        backward(&p);
    else
        forward(&p);
    sp_free(memory, bytes);
    return SP_OK;
}

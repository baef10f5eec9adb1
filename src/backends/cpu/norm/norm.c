/* Normalisation: chooses the kernel and cuts the work by its shape. */
#include "backends/cpu/cpu.h"
#include <math.h>

typedef struct norm_plan {
    const sp__norm *call;
    sp__norm_run *run;
} norm_plan;

static void norm_range(const void *context, int64_t first, int64_t last)
{
    const norm_plan *p = context;
    p->run(p->call, first, last);
}

static void run_norm(const sp__norm *call, sp__norm_run *run, int64_t n, int64_t elements)
{
    norm_plan p = {call, run};
    sp__ranges(n, sp__grain_of(elements), norm_range, &p);
}

/* ---- groups side by side, as channels are: by blocks of rows ---- */

typedef struct columns_plan {
    const sp__norm *call;
    const sp__norm_loops *loops;
    int64_t rows, block, blocks, groups;
    double *sums;                        /* [blocks][2·groups] */
    float *mean, *scale, *shift, *slope; /* [groups] */
    bool of_gradient;                    /* what is written comes from the gradient alone */
    void (*add)(const sp__norm_block *block, double *sum);
    void (*write)(const sp__norm_block *block);
} columns_plan;

/* Whether the elements are rows of groups without gaps; NULL is. */
static bool is_rows(const sp__norm *call, const sp__operand *x)
{
    int64_t step = call->sizes[1];
    if (!x) return true;
    if (x->dtype != SP_F32 || x->strides[1] != 1) return false;
    static const int order[] = {3, 2, 0};
    for (int k = 0; k < 3; k++) {
        const int d = order[k];
        if (call->sizes[d] > 1 && x->strides[d] != step) return false;
        step *= call->sizes[d];
    }
    return true;
}

static sp__norm_block block_of(const columns_plan *p, int64_t task)
{
    const int64_t first = task * p->block, at = first * p->groups;
    const sp__norm *call = p->call;
    float *y = (float *)sp__operand_at(&call->y) + at;
    float *out = !call->backward ? y : call->dx ? (float *)sp__operand_at(call->dx) + at : NULL;
    return (sp__norm_block){.x = p->of_gradient ? y : (const float *)sp__operand_at(&call->x) + at,
                            .g = y,
                            .y = out,
                            .n = first + p->block < p->rows ? p->block : p->rows - first,
                            .groups = p->groups,
                            .mean = p->mean,
                            .scale = p->scale,
                            .shift = p->shift,
                            .slope = p->slope};
}

static void add_task(void *context, int64_t task)
{
    const columns_plan *p = context;
    const sp__norm_block block = block_of(p, task);
    double *sums = p->sums + task * 2 * p->groups;
    memset(sums, 0, (size_t)(2 * p->groups) * sizeof *sums);
    p->add(&block, sums);
}

static void write_task(void *context, int64_t task)
{
    const columns_plan *p = context;
    const sp__norm_block block = block_of(p, task);
    p->write(&block);
}

/* The sums of all blocks come together in the first's, in order. */
static void add_all(columns_plan *p, void (*add)(const sp__norm_block *block, double *sum))
{
    p->add = add;
    sp__tasks(p->blocks, add_task, p);
    for (int64_t b = 1; b < p->blocks; b++)
        for (int64_t c = 0; c < 2 * p->groups; c++) p->sums[c] += p->sums[b * 2 * p->groups + c];
}

static double number_at(const sp__operand *x, int64_t i, double absent)
{
    if (!x) return absent;
    return sp__load_f64(x->dtype, sp__operand_at(x) + i * x->strides[0] * sp__size_of(x->dtype));
}

static void store_number(const sp__operand *x, int64_t i, double value)
{
    if (x) sp__store_f64(x->dtype, sp__operand_at(x) + i * x->strides[0] * sp__size_of(x->dtype), value);
}

static void columns_forward(columns_plan *p)
{
    const sp__norm *call = p->call;
    const double n = (double)p->rows;
    if (!call->given) {
        add_all(p, p->loops->add_values);
        for (int64_t c = 0; c < p->groups; c++) store_number(&call->mean, c, p->sums[c] / n);
    }
    for (int64_t c = 0; c < p->groups; c++) p->mean[c] = (float)number_at(&call->mean, c, 0);
    if (!call->given) {
        add_all(p, p->loops->add_squares);
        for (int64_t c = 0; c < p->groups; c++) store_number(&call->var, c, p->sums[c] / n);
    }
    for (int64_t c = 0; c < p->groups; c++) {
        p->scale[c] = (float)(number_at(call->weight, c, 1) / sqrt(number_at(&call->var, c, 0) + call->eps));
        p->shift[c] = (float)number_at(call->bias, c, 0);
    }
    p->write = p->loops->normalize;
    sp__tasks(p->blocks, write_task, p);
}

static void columns_backward(columns_plan *p)
{
    const sp__norm *call = p->call;
    const double n = (double)p->rows;
    for (int64_t c = 0; c < p->groups; c++) p->mean[c] = (float)number_at(&call->mean, c, 0);
    add_all(p, p->loops->add_products);
    for (int64_t c = 0; c < p->groups; c++) {
        const double inverse = 1 / sqrt(number_at(&call->var, c, 0) + call->eps);
        const double sum = p->sums[c], product = p->sums[p->groups + c] * inverse;
        store_number(call->dweight, c, product);
        store_number(call->dbias, c, sum);
        p->scale[c] = (float)(number_at(call->weight, c, 1) * inverse);
        p->shift[c] = call->given ? 0 : (float)(sum / n);
        p->slope[c] = call->given ? 0 : (float)(product * inverse / n);
        if (call->given) p->mean[c] = 0;
    }
    p->of_gradient = call->given;
    p->write = call->given ? p->loops->normalize : p->loops->normalize_backward;
    if (call->dx) sp__tasks(p->blocks, write_task, p);
}

static sp_status run_columns(const sp__norm *call, const sp__norm_loops *loops)
{
    columns_plan p = {.call = call,
                      .loops = loops,
                      .rows = call->sizes[0] * call->sizes[2] * call->sizes[3],
                      .groups = call->sizes[1]};
    p.block = sp__grain_of(p.groups);
    p.blocks = (p.rows + p.block - 1) / p.block;
    const size_t sums = (size_t)(p.blocks * 2 * p.groups) * sizeof(double);
    const size_t bytes = sums + (size_t)(4 * p.groups) * sizeof(float);
    p.sums = sp__scratch(bytes);
    if (!p.sums) return SP_ERROR_MEMORY;
    p.mean = (float *)((char *)p.sums + sums);
    p.scale = p.mean + p.groups, p.shift = p.scale + p.groups, p.slope = p.shift + p.groups;
    if (call->backward)
        columns_backward(&p);
    else
        columns_forward(&p);
    sp_free(p.sums, bytes);
    return SP_OK;
}

/* Rows must be worth it: f64 sums of each block, and vectors over groups. */
static bool takes_columns(const sp__norm *call)
{
    const int64_t rows = call->sizes[0] * call->sizes[2] * call->sizes[3];
    return !call->last && call->sizes[1] >= 4 && rows > 0 && is_rows(call, &call->x) && is_rows(call, &call->y) &&
           is_rows(call, call->dx);
}

static void trace(const sp__norm *call, const char *loop)
{
    sp__trace_kernel(call->backward ? "norm backward" : "norm forward", call->x.dtype, loop, "x %s",
                     sp__trace_sizes(4, call->sizes));
}

sp_status sp__cpu_norm(const sp__norm *call)
{
    const sp_dtype dtype = call->x.dtype;
    const sp__norm_part part = call->backward ? SP__NORM_BACKWARD : SP__NORM_FORWARD;
    sp__norm_run *run = SP__KIND(dtype, norm, part);
    if (!run) return sp__no_kernel("normalisation", dtype);
    const sp__norm_loops *columns = SP__ROW(dtype, norm_columns);
    const bool by_columns = columns && takes_columns(call);
    if (sp__traces_kernels()) trace(call, by_columns ? "columns" : "reference");
    if (by_columns) return run_columns(call, columns);
    const int64_t groups = call->sizes[1], elements = call->sizes[0] * call->sizes[2] * call->sizes[3];
    run_norm(call, run, groups, elements);
    if (call->backward && call->last && (call->dweight || call->dbias))
        run_norm(call, SP__KIND(dtype, norm, SP__NORM_LAST), call->sizes[3], groups);
    return SP_OK;
}

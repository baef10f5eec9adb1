/* Normalisation of groups with numbers of their own, a part of the rows or runs to a task. Sums of the parts come together
 * in order. */
#include "backends/cpu/norm/moments.h"
#include "backends/cpu/norm/norm.h"

typedef struct plan {
    const sp__norm *call;
    const sp__norm_passes *passes;
    sp__norm_places places;
    int64_t groups, copies, lanes;                     /* lanes: groups·copies, the columns of a row */
    int64_t rows, block, parts;                        /* rows or runs; how many make a part */
    bool settled;                                      /* ReLU's mask is in dadd already */
    double *sums;                                      /* [parts][2][lanes] */
    double *mean, *var, *scale, *bias, *shift, *slope; /* [lanes] */
    void *numbers;                                     /* mean, scale, bias, shift, slope as the loops read them */
    sp__norm_adds *add;
    sp__norm_writes *write;
} plan;

/* ---- a task ---- */

static int64_t elements_of_group(const plan *p)
{
    return p->call->sizes[0] * p->call->sizes[2] * p->call->sizes[3];
}

/* Of fewer elements than this a mean would show the roundings of sums in f32. */
enum { FEW = 128 };

static void *element(const plan *p, const sp__operand *operand, int64_t at)
{
    return operand ? sp__operand_at(operand) + at * sp__size_of(p->call->x.dtype) : NULL;
}

static sp_dtype number_dtype(const plan *p)
{
    return p->call->x.dtype == SP_F64 ? SP_F64 : SP_F32;
}

static const void *number_of(const plan *p, int row, int64_t c)
{
    return (char *)p->numbers + (row * p->lanes + c) * sp__size_of(number_dtype(p));
}

/* n rows from element `at` on, of all lanes; or n elements of group c. */
static sp__norm_block block_at(const plan *p, int64_t at, int64_t n, int64_t c)
{
    const sp__norm *call = p->call;
    sp__norm_block b = {.x = element(p, &call->x, at), .n = n, .groups = p->lanes, .given = call->given};
    b.mean = number_of(p, 0, c), b.scale = number_of(p, 1, c), b.bias = number_of(p, 2, c);
    b.shift = number_of(p, 3, c), b.slope = number_of(p, 4, c);
    b.relu = call->relu && !p->settled;
    b.few = elements_of_group(p) < FEW;
    b.y = element(p, call->backward ? call->dx : &call->y, at);
    b.g = call->backward ? element(p, p->settled ? call->dadd : &call->y, at) : NULL;
    b.add = element(p, call->add, at);
    b.out = p->settled ? NULL : element(p, call->out, at);
    b.dadd = element(p, call->dadd, at);
    return b;
}

static int64_t part_end(const plan *p, int64_t part)
{
    return (part + 1) * p->block < p->rows ? (part + 1) * p->block : p->rows;
}

static void run_block(const plan *p, const sp__norm_block *block, double *sums)
{
    if (p->add)
        p->add(block, sums);
    else
        p->write(block);
}

static void columns_task(void *context, int64_t part)
{
    const plan *p = context;
    const int64_t first = part * p->block;
    const sp__norm_block block = block_at(p, first * p->lanes, part_end(p, part) - first, 0);
    double *sums = p->sums + part * 2 * p->lanes;
    if (p->add) memset(sums, 0, (size_t)(2 * p->lanes) * sizeof *sums);
    run_block(p, &block, sums);
}

/* A part of one group's runs. */
static void runs_task(void *context, int64_t task)
{
    const plan *p = context;
    const int64_t c = task % p->groups, part = task / p->groups;
    double sums[2] = {0}, *to = p->sums + part * 2 * p->groups + c;
    for (int64_t i = part * p->block; i < part_end(p, part); i++) {
        const sp__norm_block block = block_at(p, c * p->call->x.strides[1] + i * p->places.distance, p->places.run, c);
        run_block(p, &block, sums);
    }
    if (p->add) to[0] = sums[0], to[p->groups] = sums[1];
}

static void run_tasks(plan *p)
{
    const double *const numbers[] = {p->mean, p->scale, p->bias, p->shift, p->slope};
    sp__operand to = {.buffer = p->numbers, .dtype = number_dtype(p), .strides = {1}};
    for (int i = 0; i < 5; i++, to.offset += p->lanes) sp__norm_store_row(&to, p->lanes, numbers[i]);
    const bool columns = p->places.layout == SP__NORM_COLUMNS;
    const int64_t n = columns ? p->parts : p->parts * p->groups;
    if (p->add) /* the end of x, or of a gradient, was written last, and the pass that writes begins at the beginning */
        sp__tasks_backwards(n, columns ? columns_task : runs_task, p);
    else
        sp__tasks(n, columns ? columns_task : runs_task, p);
}

/* The sums of all parts come together in the first's, in order, then those of a group's copies. */
static void add_all(plan *p, sp__norm_adds *add)
{
    p->add = add;
    run_tasks(p);
    p->add = NULL;
    for (int64_t part = 1; part < p->parts; part++)
        for (int64_t i = 0; i < 2 * p->lanes; i++) p->sums[i] += p->sums[part * 2 * p->lanes + i];
    for (int64_t i = p->groups; i < p->lanes; i++) {
        p->sums[i % p->groups] += p->sums[i];
        p->sums[p->lanes + i % p->groups] += p->sums[p->lanes + i];
    }
}

static void write_all(plan *p, sp__norm_writes *write)
{
    p->write = write;
    run_tasks(p);
}

/* ---- the numbers of the groups ---- */

static void spread(const plan *p, double *numbers)
{
    for (int64_t i = p->groups; i < p->lanes; i++) numbers[i] = numbers[i - p->groups];
}

static void load_numbers(const plan *p, double *to, const sp__operand *row, double absent)
{
    sp__norm_load_row(to, row, p->groups, absent);
    spread(p, to);
}

static double inverse_of(const plan *p, int64_t c)
{
    return 1 / sqrt(p->var[c] + p->call->eps);
}

static void load_scale(plan *p)
{
    const sp__norm *call = p->call;
    load_numbers(p, p->mean, &call->mean, 0);
    load_numbers(p, p->var, &call->var, 0);
    load_numbers(p, p->bias, call->bias, 0);
    load_numbers(p, p->scale, call->weight, 1);
    for (int64_t c = 0; c < p->lanes; c++) p->scale[c] *= inverse_of(p, c);
}

/* ---- forward ---- */

/* Sums are taken about each group's first element. */
static void load_about(plan *p)
{
    const sp__operand *x = &p->call->x;
    for (int64_t c = 0; c < p->groups; c++)
        p->mean[c] = sp__norm_about(sp__load_f64(x->dtype, element(p, x, c * x->strides[1])));
    spread(p, p->mean);
}

/* Mean and variance from the sums about p->mean; false where some are yet to be found. */
static bool find_moments(plan *p, bool again)
{
    bool found = true;
    const double n = (double)elements_of_group(p);
    for (int64_t c = 0; c < p->groups; c++) {
        const double sums[2] = {p->sums[c], p->sums[p->lanes + c]}, about = p->mean[c];
        if (again)
            sp__norm_found_again(sums, n, about, &p->mean[c], &p->var[c]);
        else
            found &= sp__norm_found(sums, n, about, &p->mean[c], &p->var[c]);
    }
    return found;
}

static void measure(plan *p)
{
    const sp__norm *call = p->call;
    load_about(p);
    add_all(p, p->passes->moments);
    if (!find_moments(p, false)) {
        for (int64_t c = 0; c < p->groups && call->x.dtype != SP_F64; c++) p->mean[c] = (double)(float)p->mean[c];
        spread(p, p->mean);
        add_all(p, p->passes->moments);
        find_moments(p, true);
    }
    sp__norm_store_row(&call->mean, p->groups, p->mean);
    sp__norm_store_row(&call->var, p->groups, p->var);
}

static void forward(plan *p)
{
    if (!p->call->given) measure(p);
    if (p->call->only_moments) return;
    load_scale(p); /* from the statistics as they are stored, which is what backward will read */
    write_all(p, p->passes->forward);
}

/* ---- backward ---- */

static void find_slopes(plan *p)
{
    const double n = (double)elements_of_group(p);
    for (int64_t c = 0; c < p->groups; c++) {
        const double inverse = inverse_of(p, c);
        p->shift[c] = p->sums[c] / n;
        p->sums[p->lanes + c] *= inverse;
        p->slope[c] = p->sums[p->lanes + c] * inverse / n;
    }
    spread(p, p->shift);
    spread(p, p->slope);
}

static void backward(plan *p)
{
    const sp__norm *call = p->call;
    load_scale(p);
    if (!call->given || call->dweight || call->dbias || call->dadd) {
        add_all(p, p->passes->products);
        find_slopes(p);
        sp__norm_store_row(call->dbias, p->groups, p->sums);
        sp__norm_store_row(call->dweight, p->groups, p->sums + p->lanes);
        p->settled = call->dadd != NULL;
    }
    if (call->dx) write_all(p, p->passes->backward);
}

/* ---- the cut ---- */

/* Few groups are repeated until sixteen lanes, or a multiple, are full. */
static int64_t copies_of(int64_t groups, int64_t rows)
{
    int64_t copies = 16;
    for (int64_t odd = groups; copies > 1 && odd % 2 == 0; odd /= 2) copies /= 2;
    return groups < 32 && rows % copies == 0 ? copies : 1;
}

static void cut(plan *p)
{
    const sp__norm *call = p->call;
    p->groups = call->sizes[1];
    p->rows = elements_of_group(p);
    p->copies = 1;
    if (p->places.layout == SP__NORM_COLUMNS)
        p->copies = copies_of(p->groups, p->rows);
    else
        p->rows = p->places.runs;
    p->rows /= p->copies;
    p->lanes = p->groups * p->copies;
    p->block = sp__grain_of(p->places.layout == SP__NORM_COLUMNS ? p->lanes : p->places.run);
    p->parts = (p->rows + p->block - 1) / p->block;
}

sp_status sp__norm_groups_call(const sp__norm *call, const sp__norm_loops *loops, const sp__norm_places *places)
{
    const bool columns = places->layout == SP__NORM_COLUMNS;
    plan p = {.call = call, .places = *places, .passes = columns ? &loops->columns : &loops->runs};
    cut(&p);
    double **const rows[] = {&p.mean, &p.var, &p.scale, &p.bias, &p.shift, &p.slope};
    enum { ROWS = sizeof rows / sizeof *rows };
    const size_t bytes = (size_t)((2 * p.parts + 2 * ROWS) * p.lanes) * sizeof *p.sums;
    p.sums = sp__scratch(bytes);
    if (!p.sums) return SP_ERROR_MEMORY;
    for (int i = 0; i < ROWS; i++) *rows[i] = p.sums + (2 * p.parts + i) * p.lanes;
    p.numbers = p.sums + (2 * p.parts + ROWS) * p.lanes;
    memset(p.mean, 0, (size_t)(ROWS * p.lanes) * sizeof *p.mean);
    if (call->backward)
        backward(&p);
    else
        forward(&p);
    sp_free(p.sums, bytes);
    return SP_OK;
}

/* Normalisation: finds how the groups lie, and the loop for it. */
#include "backends/cpu/norm/norm.h"

/* ---- rows of numbers ---- */

void sp__norm_load_row(double *to, const sp__operand *row, int64_t n, double absent)
{
    for (int64_t i = 0; !row && i < n; i++) to[i] = absent;
    if (!row) return;
    const int64_t step = row->strides[0];
    const char *from = sp__operand_at(row);
    if (row->dtype == SP_F32 && step == 1)
        for (int64_t i = 0; i < n; i++) to[i] = (double)((const float *)(const void *)from)[i];
    else if (row->dtype == SP_F32)
        for (int64_t i = 0; i < n; i++) to[i] = (double)((const float *)(const void *)from)[i * step];
    else
        for (int64_t i = 0; i < n; i++) to[i] = sp__load_f64(row->dtype, from + i * step * sp__size_of(row->dtype));
}

void sp__norm_store_row(const sp__operand *row, int64_t n, const double *from)
{
    if (!row) return;
    const int64_t step = row->strides[0];
    char *to = sp__operand_at(row);
    float *narrow = (float *)(void *)to;
    if (row->dtype == SP_F32 && step == 1)
        for (int64_t i = 0; i < n; i++) narrow[i] = (float)from[i];
    else if (row->dtype == SP_F32)
        for (int64_t i = 0; i < n; i++) narrow[i * step] = (float)from[i];
    else
        for (int64_t i = 0; i < n; i++) sp__store_f64(row->dtype, to + i * step * sp__size_of(row->dtype), from[i]);
}

/* ---- where the groups lie ---- */

static bool lies_as_x(const sp__norm *call, const sp__operand *other)
{
    if (!other) return true;
    bool same = other->dtype == call->x.dtype;
    for (int d = 0; d < 4; d++) same &= call->sizes[d] <= 1 || other->strides[d] == call->x.strides[d];
    return same;
}

/* The dimensions of a group, from the one whose places lie nearest. */
static int order_of(const sp__norm *call, int order[3])
{
    static const int dims[] = {3, 2, 0};
    int n = 0;
    for (int k = 0; k < 3; k++) {
        if (call->sizes[dims[k]] <= 1) continue;
        int at = n++;
        for (; at > 0 && call->x.strides[order[at - 1]] > call->x.strides[dims[k]]; at--) order[at] = order[at - 1];
        order[at] = dims[k];
    }
    return n;
}

/* How many places lie `step` apart, over dimensions from *k on. */
static int64_t length_of(const sp__norm *call, const int *order, int n, int *k, int64_t step)
{
    int64_t length = 1;
    for (; *k < n && call->x.strides[order[*k]] == step * length; ++*k) length *= call->sizes[order[*k]];
    return length;
}

sp__norm_places sp__norm_places_of(const sp__norm *call)
{
    const sp__operand *others[] = {&call->y, call->dx, call->add, call->out, call->dadd};
    sp__norm_places places = {.layout = SP__NORM_STRIDED};
    for (int i = 0; i < 5; i++)
        if (!lies_as_x(call, others[i])) return places;
    if (call->sizes[0] * call->sizes[2] * call->sizes[3] == 0) return places;
    int order[3], k = 0;
    const int n = order_of(call, order);
    const int64_t groups = call->sizes[1];
    length_of(call, order, n, &k, groups);
    if (k == n && (groups <= 1 || call->x.strides[1] == 1)) {
        places.layout = SP__NORM_COLUMNS;
        return places;
    }
    k = 0;
    places.run = length_of(call, order, n, &k, 1);
    if (k == 0) return places;
    places.distance = k < n ? call->x.strides[order[k]] : 0;
    places.runs = length_of(call, order, n, &k, places.distance);
    if (k == n) places.layout = SP__NORM_RUNS;
    return places;
}

/* ---- any strides: group by group ---- */

typedef struct strided_plan {
    const sp__norm *call;
    sp__norm_run *run;
} strided_plan;

static void strided_range(const void *context, int64_t first, int64_t last)
{
    const strided_plan *p = context;
    p->run(p->call, first, last);
}

static void run_strided(const sp__norm *call, sp__norm_part part, int64_t n, int64_t elements)
{
    strided_plan p = {call, SP__KIND(call->x.dtype, norm, part)};
    sp__ranges(n, sp__grain_of(elements), strided_range, &p);
}

static sp_status strided_call(const sp__norm *call)
{
    const int64_t groups = call->sizes[1], elements = call->sizes[0] * call->sizes[2] * call->sizes[3];
    run_strided(call, call->backward ? SP__NORM_BACKWARD : SP__NORM_FORWARD, groups, elements);
    if (call->backward && call->last && (call->dweight || call->dbias))
        run_strided(call, SP__NORM_LAST, call->sizes[3], groups);
    return SP_OK;
}

/* ---- the choice ---- */

static void trace(const sp__norm *call, const char *loop)
{
    sp__trace_kernel(call->backward ? "norm backward" : "norm forward", call->x.dtype, loop, "x %s",
                     sp__trace_sizes(4, call->sizes));
}

/* Whether rows of the last dimension lie one after the other. */
static bool is_rows(const sp__norm *call)
{
    const int64_t *x = call->x.strides, *y = call->y.strides, n = call->sizes[3];
    return n > 0 && x[3] == 1 && y[3] == 1 && x[1] == n && y[1] == n;
}

bool sp__cpu_norm_takes(const sp__norm *call)
{
    return !call->last && SP__ROW(call->x.dtype, norm_loops) && sp__norm_places_of(call).layout == SP__NORM_COLUMNS;
}

sp_status sp__cpu_norm(const sp__norm *call)
{
    static const char *const names[] = {"reference", "columns", "runs"};
    const sp_dtype dtype = call->x.dtype;
    if (!SP__ROW_AT(&sp__reference, dtype, norm)) return sp__no_kernel("normalisation", dtype);
    const sp__norm_loops *loops = SP__ROW(dtype, norm_loops);
    const bool rows = loops && call->last && is_rows(call);
    sp__norm_places places = {.layout = SP__NORM_STRIDED};
    if (loops && !call->last) places = sp__norm_places_of(call);
    if (sp__traces_kernels()) trace(call, rows ? "rows" : names[places.layout]);
    if (rows) return sp__norm_rows_call(call, loops);
    return places.layout ? sp__norm_groups_call(call, loops, &places) : strided_call(call);
}

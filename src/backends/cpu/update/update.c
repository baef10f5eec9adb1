/* Updates of parameters: chooses the kernel and cuts the work by its shape. */
#include "backends/cpu/cpu.h"

/* Every parameter is cut into as many parts, of whole lines of the cache, and a task is one part of one parameter. The
 * tasks of a part come after each other, so that a thread always has the same share of each parameter, its gradient
 * and its states: that which it computes of the gradient (a product's tasks come by rows), and not that of another. */
enum { LINE = 64, PARTS_PER_THREAD = 8 };

typedef struct update_plan {
    const sp__update *calls;
    int64_t n, parts;
    sp__update_run *run;
} update_plan;

static void update_task(void *context, int64_t task)
{
    const update_plan *p = context;
    const sp__update *call = &p->calls[task % p->n];
    const int64_t part = task / p->n, lines = (call->n + LINE - 1) / LINE;
    const int64_t first = lines * part / p->parts * LINE, last = lines * (part + 1) / p->parts * LINE;
    if (first < last) p->run(call, first, last < call->n ? last : call->n);
}

/* All of it on one thread: it is too small to be shared out. */
static void update_alone(void *context, int64_t unused)
{
    const update_plan *p = context;
    (void)unused;
    for (int64_t i = 0; i < p->n; i++) p->run(&p->calls[i], 0, p->calls[i].n);
}

static void trace(const update_plan *p, int64_t total)
{
    static const char *const names[] = {"sgd", "adagrad", "adadelta", "rmsprop", "adam", "adamax", "nadam"};
    const sp_dtype dtype = p->calls->dtype;
    sp__trace_kernel("update", dtype, sp__loop_name(p->run != SP__ROW_AT(&sp__reference, dtype, update)),
                     "%s, %lld parameters of %lld numbers", names[p->calls->rule], (long long)p->n, (long long)total);
}

sp_status sp__cpu_update(const sp__update *calls, int64_t n)
{
    if (n < 1) return SP_OK;
    update_plan p = {.calls = calls, .n = n, .run = SP__ROW(calls->dtype, update)};
    if (!p.run) return sp__no_kernel("an optimiser's step", calls->dtype);
    int64_t total = 0;
    for (int64_t i = 0; i < n; i++) total += calls[i].n;
    if (sp__traces_kernels()) trace(&p, total);
    p.parts = (int64_t)sp_num_threads() * PARTS_PER_THREAD;
    if (total < SP__GRAIN)
        sp__flushed_tasks(1, update_alone, &p);
    else
        sp__flushed_tasks(p.parts * n, update_task, &p);
    return SP_OK;
}

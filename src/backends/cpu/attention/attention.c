/* Attention: finds the loop and cuts the work into heads or, where these are few, parts of their queries forward and of
 * their keys backward: then what each part adds to dq waits in memory, and is added in the order of parts. */
#include "backends/cpu/cpu.h"
#include <stdatomic.h>

/* Heads × parts, at least, where there are so many blocks. More parts of keys would want more memory. */
enum { FORWARD_TASKS = 64, BACKWARD_TASKS = 8 };

typedef struct plan {
    const sp__attention *call;
    sp__attention_run *run;
    int64_t parts, step; /* of a head, each of so many queries or keys */
    int64_t whole;       /* queries or keys of a head */
    char *sums;          /* of head 0, part 0; NULL: none */
    size_t sums_size;
    atomic_int status; /* of the first that failed */
} plan;

static sp__attention_part part_of(const plan *p, int64_t task)
{
    const int64_t first = task % p->parts * p->step, last = first + p->step;
    return (sp__attention_part){.head = task / p->parts, .first = first, .last = last < p->whole ? last : p->whole};
}

static void finish_task(plan *p, const sp__attention_part *part)
{
    int none = SP_OK;
    const int status = (int)p->run(p->call, part);
    if (status != SP_OK) atomic_compare_exchange_strong(&p->status, &none, status);
}

static void part_task(void *context, int64_t task)
{
    plan *p = context;
    sp__attention_part part = part_of(p, task);
    if (p->sums) part.sums = p->sums + (size_t)task * p->sums_size;
    finish_task(p, &part);
}

/* The sums of head's parts, for a block of queries. */
typedef struct sum_plan {
    plan blocks;
    const plan *of;
} sum_plan;

static void sum_task(void *context, int64_t task)
{
    sum_plan *s = context;
    sp__attention_part part = part_of(&s->blocks, task);
    part.n = s->of->parts;
    part.sums = s->of->sums + (size_t)(part.head * part.n) * s->of->sums_size;
    finish_task(&s->blocks, &part);
}

static plan make_plan(const sp__attention *call, sp__attention_kind kind)
{
    const int64_t heads = call->batch * call->heads;
    plan p = {.call = call,
              .run = SP__KIND(call->dtype, attention, kind),
              .step = SP__ATTENTION_BLOCK,
              .whole = kind == SP__ATTENTION_BACKWARD ? call->keys : call->queries};
    const int64_t blocks = (p.whole + SP__ATTENTION_BLOCK - 1) / SP__ATTENTION_BLOCK;
    const int64_t tasks = kind == SP__ATTENTION_BACKWARD ? BACKWARD_TASKS : FORWARD_TASKS;
    const int64_t wanted = (tasks + heads - 1) / heads;
    if (wanted < blocks) p.step *= (blocks + wanted - 1) / wanted;
    p.parts = (p.whole + p.step - 1) / p.step;
    if (kind == SP__ATTENTION_BACKWARD && blocks == 0) p.parts = 1; /* without keys dq is 0, and written */
    return p;
}

static void run_parts(plan *p)
{
    sp__flushed_tasks(p->call->batch * p->call->heads * p->parts, part_task, p);
}

static sp_status run_backward(plan *p)
{
    const sp__attention *call = p->call;
    const int64_t heads = call->batch * call->heads;
    const size_t number = call->dtype == SP_F64 ? sizeof(double) : sizeof(float);
    p->sums_size = (size_t)(call->queries * sp__attention_padded(call->width)) * number;
    const size_t bytes = (size_t)(heads * p->parts) * p->sums_size;
    const bool sums = p->parts > 1 && call->dq;
    if (sums && !(p->sums = sp__scratch(bytes))) return SP_ERROR_MEMORY;
    run_parts(p);
    sp_status status = (sp_status)atomic_load(&p->status);
    if (sums && !status) {
        sum_plan s = {.blocks = make_plan(call, SP__ATTENTION_SUM), .of = p};
        sp__flushed_tasks(heads * s.blocks.parts, sum_task, &s);
        status = (sp_status)atomic_load(&s.blocks.status);
    }
    if (sums) sp_free(p->sums, bytes);
    return status;
}

static void trace(const sp__attention *call, const plan *p, sp__attention_kind kind)
{
    const int64_t q[] = {call->batch, call->heads, call->queries, call->width};
    const int64_t v[] = {call->batch, call->heads, call->keys, call->value_width};
    const bool fast = p->run != SP__KIND_AT(&sp__reference, call->dtype, attention, kind);
    sp__trace_kernel(call->backward ? "attention's backward" : "attention", call->dtype, sp__loop_name(fast),
                     "q %s v %s%s%s", sp__trace_sizes(4, q), sp__trace_sizes(4, v), call->causal ? " causal" : "",
                     call->mask ? " mask" : "");
}

sp_status sp__cpu_attention(const sp__attention *call)
{
    const sp__attention_kind kind = call->backward ? SP__ATTENTION_BACKWARD : SP__ATTENTION_FORWARD;
    if (!SP__KIND(call->dtype, attention, kind)) return sp__no_kernel("attention", call->dtype);
    if (call->batch == 0 || call->heads == 0) return SP_OK;
    plan p = make_plan(call, kind);
    if (sp__traces_kernels()) trace(call, &p, kind);
    if (call->backward) return run_backward(&p);
    run_parts(&p);
    return (sp_status)atomic_load(&p.status);
}

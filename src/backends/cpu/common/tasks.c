/* Work in parts, each on some thread; scratch memory. */
#include "backends/cpu/common/tasks.h"

void *sp__scratch(size_t bytes)
{
    void *memory = sp__alloc_raw(bytes);
    if (!memory) sp_raise(SP_ERROR_MEMORY, "no memory for %zu bytes that a kernel needs", bytes);
    return memory;
}

void sp__tasks(int64_t n, void (*body)(void *context, int64_t i), void *context)
{
    if (n == 1)
        body(context, 0);
    else if (n > 1)
        sp__parallel(n, body, context);
}

void sp__tasks_backwards(int64_t n, void (*body)(void *context, int64_t i), void *context)
{
    if (n == 1)
        body(context, 0);
    else if (n > 1)
        sp__parallel_backwards(n, body, context);
}

typedef struct ranges {
    int64_t n, grain;
    void (*body)(const void *context, int64_t first, int64_t last);
    const void *context;
} ranges;

static void run_range(void *context, int64_t task)
{
    const ranges *r = context;
    const int64_t first = task * r->grain, last = first + r->grain;
    r->body(r->context, first, last < r->n ? last : r->n);
}

void sp__ranges(int64_t n, int64_t grain, void (*body)(const void *context, int64_t first, int64_t last),
                const void *context)
{
    ranges r = {n, grain, body, context};
    sp__tasks((n + grain - 1) / grain, run_range, &r);
}

#if defined(__x86_64__)
enum { FLUSH = 0x8040 }; /* results and operands */

static uint64_t flush_subnormals(void)
{
    const unsigned was = __builtin_ia32_stmxcsr();
    __builtin_ia32_ldmxcsr(was | FLUSH);
    return was;
}

static void restore_subnormals(uint64_t was)
{
    __builtin_ia32_ldmxcsr((unsigned)was);
}
#elif defined(__aarch64__)
static uint64_t flush_subnormals(void)
{
    uint64_t was;
    __asm__ volatile("mrs %0, fpcr" : "=r"(was));
    __asm__ volatile("msr fpcr, %0" : : "r"(was | (1u << 24)));
    return was;
}

static void restore_subnormals(uint64_t was)
{
    __asm__ volatile("msr fpcr, %0" : : "r"(was));
}
#else
static uint64_t flush_subnormals(void)
{
    return 0;
}

static void restore_subnormals(uint64_t was)
{
    (void)was;
}
#endif

typedef struct flushed {
    void (*body)(void *context, int64_t i);
    void *context;
} flushed;

static void run_flushed(void *context, int64_t i)
{
    const flushed *f = context;
    const uint64_t was = flush_subnormals();
    f->body(f->context, i);
    restore_subnormals(was);
}

void sp__flushed_tasks(int64_t n, void (*body)(void *context, int64_t i), void *context)
{
    flushed f = {body, context};
    sp__tasks(n, run_flushed, &f);
}

int64_t sp__grain_of(int64_t elements)
{
    const int64_t grain = elements > 0 ? SP__GRAIN / elements : 1;
    return grain > 0 ? grain : 1;
}

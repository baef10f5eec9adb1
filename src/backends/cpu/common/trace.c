#include "backends/cpu/common/trace.h"
#include "backends/cpu/cpu.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

atomic_int sp__kernel_trace;
static _Atomic(void (*)(const char *line)) taker;

bool sp__ask_kernel_trace(void)
{
    const char *wish = getenv("SPUSK_TRACE");
    const bool on = wish && strcmp(wish, "kernels") == 0;
    atomic_store_explicit(&sp__kernel_trace, on ? 2 : 1, memory_order_relaxed);
    if (wish && *wish && !on) sp_warn("SPUSK_TRACE is '%s'; there is: kernels", wish);
    return on;
}

void sp__set_kernel_trace(void (*take)(const char *line))
{
    atomic_store(&taker, take);
    atomic_store(&sp__kernel_trace, take ? 2 : 0);
}

const char *sp__trace_sizes(int n, const int64_t *sizes)
{
    enum { BUFFERS = 8, ROOM = SP_MAX_DIMS * 22 + 3 };
    static _Thread_local char buffers[BUFFERS][ROOM];
    static _Thread_local unsigned next;
    char *text = buffers[next++ % BUFFERS];
    size_t used = (size_t)snprintf(text, ROOM, "[");
    for (int d = 0; d < n; d++)
        used += (size_t)snprintf(text + used, ROOM - used, "%s%lld", d ? ", " : "", (long long)sizes[d]);
    snprintf(text + used, ROOM - used, "]");
    return text;
}

void sp__trace_kernel(const char *operation, sp_dtype dtype, const char *loop, const char *format, ...)
{
    char line[512];
    size_t used = (size_t)snprintf(line, sizeof line, "spusk: kernel %s %s %s %s: ", operation, sp_dtype_name(dtype),
                                   sp__cpu_level()->name, loop);
    va_list arguments;
    va_start(arguments, format);
    if (used < sizeof line) vsnprintf(line + used, sizeof line - used, format, arguments);
    va_end(arguments);
    void (*take)(const char *) = atomic_load(&taker);
    if (take)
        take(line);
    else
        fprintf(stderr, "%s\n", line);
}

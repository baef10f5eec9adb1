/* SPUSK_TRACE=kernels: a line on standard error for each call of a kernel, which says what was computed, in which
 * dtype, at which ISA level, by which loop, on which shapes:
 *
 *     spusk: kernel conv forward float32 avx512 winograd: x [64, 32, 14, 14] w [64, 32, 3, 3] y [64, 64, 14, 14]
 */
#ifndef SPUSK_CPU_TRACE_H
#define SPUSK_CPU_TRACE_H

#include "base/base.h"
#include <spusk/dtype.h>

extern atomic_int sp__kernel_trace; /* 0: the environment was not asked yet; 1: no; 2: yes */
bool sp__ask_kernel_trace(void);

/* Whether calls are traced: what is printed need not be put together otherwise. */
static inline bool sp__traces_kernels(void)
{
    const int now = atomic_load_explicit(&sp__kernel_trace, memory_order_relaxed);
    return now != 1 && (now == 2 || sp__ask_kernel_trace());
}

/* One call: the operation ("conv forward"), the loop ("winograd", "vectors", "reference"), the shapes by a format. */
void sp__trace_kernel(const char *operation, sp_dtype dtype, const char *loop, const char *format, ...) SP_PRINTF(4, 5);
/* How a loop is called that has no name of its own: "vectors", or "reference". */
static inline const char *sp__loop_name(bool fast)
{
    return fast ? "vectors" : "reference";
}
/* "[64, 32]" for a trace, in one of eight buffers of the thread. */
const char *sp__trace_sizes(int n, const int64_t *sizes);

/* For tests: lines go to `take` instead, and NULL asks the environment again. */
void sp__set_kernel_trace(void (*take)(const char *line));

#endif

/* Work in parts, each on some thread; scratch memory. */
#ifndef SPUSK_CPU_TASKS_H
#define SPUSK_CPU_TASKS_H

#include "base/base.h"

/* Scratch memory, not zeroed, aligned to 64; NULL after raising. Freed with sp_free(pointer, bytes). */
void *sp__scratch(size_t bytes);

/* sp__parallel, but on the caller alone when n is 1. */
void sp__tasks(int64_t n, void (*body)(void *context, int64_t i), void *context);
/* The same with sp__parallel_backwards: for the first of two passes over a tensor that was written before. */
void sp__tasks_backwards(int64_t n, void (*body)(void *context, int64_t i), void *context);
/* The same with subnormal numbers taken for 0, on whatever thread a body runs: products and optimisers meet many of
 * them (a moment that decays), and they cost a hundred times what other numbers cost. Element-wise kernels and
 * reductions keep them, as PyTorch does. */
void sp__flushed_tasks(int64_t n, void (*body)(void *context, int64_t i), void *context);

/* [0, n) in tasks of `grain` and a last one of the rest: body(context, first, last) on each. */
void sp__ranges(int64_t n, int64_t grain, void (*body)(const void *context, int64_t first, int64_t last),
                const void *context);

/* About so many elements make a task. Work is cut by its shape alone. */
enum { SP__GRAIN = 32768 };
/* How many things of so many elements each make a task; at least one. */
int64_t sp__grain_of(int64_t elements);

#endif

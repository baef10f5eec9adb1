/* Memory in which tasks work: a piece for each thread that may be at work. A task takes one that nobody has. */
#ifndef SPUSK_CONV_SLOTS_H
#define SPUSK_CONV_SLOTS_H

#include "backends/cpu/common/tasks.h"
#include <spusk/threads.h>
#include <stdatomic.h>

typedef struct slot {
    _Alignas(64) atomic_bool taken;
    _Alignas(64) char memory[];
} slot;

typedef struct slots {
    char *first;
    int64_t n;
    size_t size; /* from one to the next */
} slots;

/* For `tasks` tasks that want so many bytes each; false: no memory. */
static inline bool slots_new(slots *s, int64_t tasks, size_t bytes)
{
    s->n = tasks < sp_num_threads() ? tasks : sp_num_threads();
    s->size = (sizeof(slot) + bytes + 63) / 64 * 64;
    s->first = sp__scratch((size_t)s->n * s->size);
    for (int64_t i = 0; s->first && i < s->n; i++)
        atomic_init(&((slot *)(void *)(s->first + (size_t)i * s->size))->taken, false);
    return s->first != NULL;
}

static inline void slots_free(slots *s)
{
    sp_free(s->first, (size_t)s->n * s->size);
}

/* `share`, of `of`, is the task's place among all: a thread tends to come to the same memory each time. */
static inline slot *slot_take(const slots *s, int64_t share, int64_t of)
{
    for (int64_t i = share * s->n / of;; i++) {
        slot *one = (slot *)(void *)(s->first + (size_t)(i % s->n) * s->size);
        if (!atomic_exchange_explicit(&one->taken, true, memory_order_acquire)) return one;
    }
}

static inline void slot_give(slot *one)
{
    atomic_store_explicit(&one->taken, false, memory_order_release);
}

#endif

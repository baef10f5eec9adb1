/* Between the files of this folder: the door to the allocator, and the pool's accounts. */
#ifndef SPUSK_BASE_MEMORY_POOL_H
#define SPUSK_BASE_MEMORY_POOL_H

#include "base/base.h"

/* The allocator itself. */
void *sp__door_alloc(size_t size);
void sp__door_free(void *block, size_t size);
int64_t sp__door_calls(void);

/* Counts a block as given back though its memory stays; later truly gives it back. For the graveyard of objects. */
void sp__pool_park(size_t size);
void sp__pool_unpark(void *pointer, size_t size);

/* Debug builds: keeps a destroyed object, so that a late use of it can be named; gives all kept ones back. */
void sp__graveyard_bury(sp__object *head);
void sp__graveyard_empty(void);

/* The address sanitizer learns which bytes of a block are nobody's. */
#if defined(__SANITIZE_ADDRESS__)
#define SP__ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SP__ASAN 1
#endif
#endif
#ifdef SP__ASAN
#include <sanitizer/asan_interface.h>
#define SP__POISON(pointer, size) __asan_poison_memory_region(pointer, size)
#define SP__UNPOISON(pointer, size) __asan_unpoison_memory_region(pointer, size)
#else
#define SP__ASAN 0
#define SP__POISON(pointer, size) ((void)(pointer), (void)(size))
#define SP__UNPOISON(pointer, size) ((void)(pointer), (void)(size))
#endif

/* A lock for a few instructions: cheaper than a mutex when, as nearly always, nobody else wants it. */
typedef struct sp__spinlock {
    atomic_bool taken;
} sp__spinlock;
void sp__spin_wait(sp__spinlock *lock);
static inline void sp__spin_lock(sp__spinlock *lock)
{
    if (atomic_exchange_explicit(&lock->taken, true, memory_order_acquire)) sp__spin_wait(lock);
}
static inline void sp__spin_unlock(sp__spinlock *lock)
{
    atomic_store_explicit(&lock->taken, false, memory_order_release);
}
/* Tells the processor that a loop only waits. */
static inline void sp__pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb" ::: "memory");
#endif
}

#endif

/* For the files of this folder: the allocator, and the pool's accounts. */
#ifndef SPUSK_BASE_MEMORY_POOL_H
#define SPUSK_BASE_MEMORY_POOL_H

#include "base/base.h"

/* The allocator itself. */
void *sp__door_alloc(size_t size);
void sp__door_free(void *block, size_t size);
int64_t sp__door_calls(void);

/* For the graveyard of objects: parking counts a block as given back, while its memory stays; unparking gives it back.
 */
void sp__pool_park(size_t size);
void sp__pool_unpark(void *pointer, size_t size);

/* In debug builds: keeps a destroyed object, so that a late use of it can be named; gives all kept objects back. */
void sp__graveyard_bury(sp__object *head);
void sp__graveyard_empty(void);

/* Tell the address sanitizer which bytes of a block belong to nobody. */
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

/* A lock for a few instructions. It is cheaper than a mutex when nobody else wants it, which is nearly always. */
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

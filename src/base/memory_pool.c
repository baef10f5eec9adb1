/* The caching pool. Freed blocks wait in lists by size class, so that training asks the system for no memory after its
 * first steps. Classes are 64, 128, 192, 256 bytes, then four to each power of two. A block has the size of its class
 * even when the pool is off, so the pool can be switched while blocks are live. */
#include "base/memory_pool.h"
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

enum { CLASSES = 4 * 56 };

typedef struct block {
    struct block *next;
} block;

static struct {
    sp__spinlock lock; /* of all that follows */
    bool ready, enabled;
    block *lists[CLASSES];
    int64_t live_count, live_bytes, peak_bytes, pooled_bytes;
} pool;

void sp__spin_wait(sp__spinlock *lock)
{
    for (int i = 1; atomic_exchange_explicit(&lock->taken, true, memory_order_acquire); i++) {
        if (i % 64) {
            sp__pause();
        } else {
            sched_yield(); /* its holder has lost the processor */
        }
    }
}

/* ---- size classes ---- */

static int class_of(size_t size)
{
    if (size <= 256) return size ? (int)((size - 1) / 64) : 0;
    int exponent = 63 - __builtin_clzll((unsigned long long)size - 1);
    int quarter = (int)((size - 1) >> (exponent - 2)) & 3;
    return 4 * (exponent - 7) + quarter;
}

static size_t class_size(int class)
{
    if (class < 4) return 64 * (size_t)(class + 1);
    return (size_t)(5 + class % 4) << (class / 4 + 5);
}

/* ---- accounts; under the lock ---- */

static void count_out(size_t size)
{
    pool.live_count++;
    pool.live_bytes += (int64_t)size;
    if (pool.live_bytes > pool.peak_bytes) pool.peak_bytes = pool.live_bytes;
}

static void count_in(size_t size)
{
    pool.live_count--;
    pool.live_bytes -= (int64_t)size;
}

/* ---- blocks ---- */

static void fork_lock(void)
{
    sp__spin_lock(&pool.lock);
}

static void fork_unlock(void)
{
    sp__spin_unlock(&pool.lock);
}

static void register_fork(void)
{
    pthread_atfork(fork_lock, fork_unlock, fork_unlock);
}

/* At the first allocation: reads the environment. Under the address sanitizer the default is no pool, so that each
 * buffer is a block that it watches. */
static void get_ready(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, register_fork);
    const char *wish = getenv("SPUSK_POOL");
    bool enabled = wish && *wish ? strcmp(wish, "0") != 0 : !SP__ASAN;
    sp__spin_lock(&pool.lock);
    if (!pool.ready) pool.enabled = enabled;
    pool.ready = true;
    sp__spin_unlock(&pool.lock);
}

static block *pop(int class, size_t size)
{
    sp__spin_lock(&pool.lock);
    block *b = pool.lists[class];
    if (b) {
        SP__UNPOISON(b, class_size(class));
        pool.lists[class] = b->next;
        pool.pooled_bytes -= (int64_t)class_size(class);
        count_out(size);
    }
    sp__spin_unlock(&pool.lock);
    return b;
}

/* Before a request fails, the pool gives up what it keeps in other sizes. */
static void *ask(size_t capacity)
{
    void *fresh = sp__door_alloc(capacity);
    if (fresh || !sp_memory().pooled_bytes) return fresh;
    sp_empty_cache();
    return sp__door_alloc(capacity);
}

static block *fetch(int class, size_t size)
{
    bool ready;
    sp__spin_lock(&pool.lock);
    ready = pool.ready;
    sp__spin_unlock(&pool.lock);
    if (!ready) get_ready();
    block *b = ask(class_size(class));
    if (!b) return NULL;
    sp__spin_lock(&pool.lock);
    count_out(size);
    sp__spin_unlock(&pool.lock);
    return b;
}

void *sp__alloc_raw(size_t size)
{
    if (size > SIZE_MAX / 4) return NULL;
    int class = class_of(size);
    block *b = pop(class, size);
    if (!b) b = fetch(class, size);
    if (b) SP__POISON((char *)b + size, class_size(class) - size);
    return b;
}

/* Puts a block into its list, or gives it back to the allocator. The lock is held before and free after. */
static void put_and_unlock(block *b, int class)
{
    bool keep = pool.enabled;
    if (keep) {
        b->next = pool.lists[class];
        pool.lists[class] = b;
        pool.pooled_bytes += (int64_t)class_size(class);
        SP__POISON(b, class_size(class));
    }
    sp__spin_unlock(&pool.lock);
    if (!keep) sp__door_free(b, class_size(class));
}

void sp_free(void *pointer, size_t size)
{
    if (!pointer) return;
    int class = class_of(size);
    SP__UNPOISON(pointer, class_size(class));
    sp__spin_lock(&pool.lock);
    count_in(size);
    put_and_unlock(pointer, class);
}

void sp__pool_park(size_t size)
{
    sp__spin_lock(&pool.lock);
    count_in(size);
    pool.pooled_bytes += (int64_t)class_size(class_of(size));
    sp__spin_unlock(&pool.lock);
}

void sp__pool_unpark(void *pointer, size_t size)
{
    int class = class_of(size);
    SP__UNPOISON(pointer, class_size(class));
    sp__spin_lock(&pool.lock);
    pool.pooled_bytes -= (int64_t)class_size(class);
    put_and_unlock(pointer, class);
}

/* ---- the public side ---- */

static block *take_list(int class)
{
    sp__spin_lock(&pool.lock);
    block *list = pool.lists[class];
    pool.lists[class] = NULL;
    for (block *b = list; b; b = b->next) {
        SP__UNPOISON(b, class_size(class));
        pool.pooled_bytes -= (int64_t)class_size(class);
    }
    sp__spin_unlock(&pool.lock);
    return list;
}

void sp_empty_cache(void)
{
    sp__graveyard_empty();
    for (int class = 0; class < CLASSES; class ++) {
        for (block *b = take_list(class), *next; b; b = next) {
            next = b->next;
            sp__door_free(b, class_size(class));
        }
    }
}

void sp_set_memory_pool(bool on)
{
    sp__spin_lock(&pool.lock);
    pool.ready = true;
    pool.enabled = on;
    sp__spin_unlock(&pool.lock);
    if (!on) sp_empty_cache();
}

sp_memory_stats sp_memory(void)
{
    sp_memory_stats stats = {.system_calls = sp__door_calls()};
    sp__spin_lock(&pool.lock);
    stats.live_count = pool.live_count;
    stats.live_bytes = pool.live_bytes;
    stats.peak_bytes = pool.peak_bytes;
    stats.pooled_bytes = pool.pooled_bytes;
    sp__spin_unlock(&pool.lock);
    return stats;
}

void sp_reset_peak_memory(void)
{
    sp__spin_lock(&pool.lock);
    pool.peak_bytes = pool.live_bytes;
    sp__spin_unlock(&pool.lock);
}

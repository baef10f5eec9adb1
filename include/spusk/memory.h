/* The one door through which the library allocates, and what went through it. */
#ifndef SPUSK_MEMORY_H
#define SPUSK_MEMORY_H

#include <spusk/status.h>

SP_BEGIN

/* alloc returns size bytes aligned to 64, or NULL; free gets the pointer and the same size. Both may be called from
 * any thread. */
typedef struct sp_allocator {
    void *(*alloc)(size_t size, void *user);
    void (*free)(void *pointer, size_t size, void *user);
    void *user;
} sp_allocator;

/* Replaces the allocator; NULL restores the default (aligned_alloc and free). SP_ERROR_STATE while anything that the
 * old one gave is live or pooled: set it before first use, or after sp_finish(). */
SP_API sp_status sp_set_allocator(const sp_allocator *allocator);

/* Turns the caching pool on (the default, unless the environment says SPUSK_POOL=0) or off. Without it each buffer is
 * an allocation of its own and goes back at once. To turn it off gives back what it holds. */
SP_API void sp_set_memory_pool(bool on);

/* Gives the pool's free blocks back to the allocator. */
SP_API void sp_empty_cache(void);

typedef struct sp_memory_stats {
    int64_t live_count;   /* blocks handed out and not yet returned */
    int64_t live_bytes;   /* their bytes */
    int64_t peak_bytes;   /* the most live_bytes has been since start or sp_reset_peak_memory */
    int64_t pooled_bytes; /* bytes kept for reuse */
    int64_t system_calls; /* times the allocator behind the pool was asked for a block */
} sp_memory_stats;

/* The process's counters at this moment. */
SP_API sp_memory_stats sp_memory(void);

/* Begins a new peak: sets peak_bytes to live_bytes. */
SP_API void sp_reset_peak_memory(void);

SP_END_DECLS

#endif

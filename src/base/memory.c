/* The allocator: all memory comes through it, and a program may replace it. */
#include "base/memory_pool.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* A block of LARGE_BLOCK bytes or more begins at a page of 2 MB, and the system is asked to use such pages for it. A
 * large matrix is read across its rows; with small pages each row would begin a page of its own. */
enum { LARGE_PAGE = 2 << 20, LARGE_BLOCK = 2 * LARGE_PAGE };

static void *default_alloc(size_t size, void *user)
{
    (void)user;
    void *block = NULL;
#ifdef MADV_HUGEPAGE
    if (size >= LARGE_BLOCK) {
        if (posix_memalign(&block, LARGE_PAGE, size) != 0) return NULL;
        madvise(block, size / LARGE_PAGE * LARGE_PAGE, MADV_HUGEPAGE);
        return block;
    }
#endif
    return posix_memalign(&block, 64, size) == 0 ? block : NULL;
}

static void default_free(void *block, size_t size, void *user)
{
    (void)size, (void)user;
    free(block);
}

static const sp_allocator default_allocator = {default_alloc, default_free, NULL};
static sp_allocator allocator = {default_alloc, default_free, NULL};
static _Atomic(int64_t) door_calls;

void *sp__door_alloc(size_t size)
{
    atomic_fetch_add_explicit(&door_calls, 1, memory_order_relaxed);
    return allocator.alloc(size, allocator.user);
}

void sp__door_free(void *block, size_t size)
{
    allocator.free(block, size, allocator.user);
}

int64_t sp__door_calls(void)
{
    return atomic_load_explicit(&door_calls, memory_order_relaxed);
}

sp_status sp_set_allocator(const sp_allocator *wanted)
{
    sp_memory_stats stats = sp_memory();
    if (stats.live_count || stats.pooled_bytes) {
        return sp_raise(SP_ERROR_STATE,
                        "sp_set_allocator: %lld blocks are live and %lld bytes pooled: set the allocator before first "
                        "use, or after sp_finish()",
                        (long long)stats.live_count, (long long)stats.pooled_bytes);
    }
    if (wanted && (!wanted->alloc || !wanted->free)) {
        return sp_raise(SP_ERROR_ARGUMENT, "sp_set_allocator: both alloc and free are needed");
    }
    allocator = wanted ? *wanted : default_allocator;
    return SP_OK;
}

void *sp_alloc(size_t size)
{
    void *block = sp__alloc_raw(size);
    if (!block) {
        sp_raise(SP_ERROR_MEMORY, "out of memory: %zu bytes were not to be had", size);
        return NULL;
    }
    return memset(block, 0, size);
}

char *sp_strdup(const char *text)
{
    if (!text) {
        sp_raise_null("sp_strdup", "text");
        return NULL;
    }
    size_t size = strlen(text) + 1;
    char *copy = sp_alloc(size);
    return copy ? memcpy(copy, text, size) : NULL;
}

void sp_free_text(char *text)
{
    if (text) sp_free(text, strlen(text) + 1);
}

sp_status sp_reserve(void *array, size_t *room, size_t wanted, size_t size)
{
    enum { FIRST_BYTES = 512 };
    void *old, *items;
    if (!array || !room) return sp_raise_null("sp_reserve", array ? "room" : "array");
    if (wanted <= *room) return SP_OK;
    if (size == 0 || wanted > SIZE_MAX / 2 / size)
        return sp_raise(SP_ERROR_MEMORY, "out of memory: %zu items of %zu bytes were not to be had", wanted, size);
    size_t larger = 2 * *room > wanted ? 2 * *room : wanted;
    if (larger < FIRST_BYTES / size) larger = FIRST_BYTES / size;
    if (!(items = sp_alloc(larger * size))) return sp_error_status();
    /* Through memcpy, since the pointer to the items has a type of its own. */
    memcpy(&old, array, sizeof old);
    if (old) memcpy(items, old, *room * size);
    sp_free(old, *room * size);
    memcpy(array, &items, sizeof items);
    *room = larger;
    return SP_OK;
}

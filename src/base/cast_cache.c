/* The casts that mixed precision keeps: a weight is read several times between two changes, and cast once. */
#include "base/scope.h"
#include <string.h>

typedef struct cast {
    void *object, *cast; /* held */
    uint64_t version;
} cast;

typedef struct sp__casts {
    size_t n, capacity;
    cast items[];
} sp__casts;

static size_t bytes_for(size_t capacity)
{
    return sizeof(sp__casts) + capacity * sizeof(cast);
}

static cast *find(const void *object)
{
    sp__casts *casts = sp__this_thread.casts;
    for (size_t i = 0; casts && i < casts->n; i++)
        if (casts->items[i].object == object) return &casts->items[i];
    return NULL;
}

void *sp__cast_of(const void *object, uint64_t version)
{
    const cast *found = find(object);
    return found && found->version == version ? found->cast : NULL;
}

/* Room for one more. */
static sp_status grow(sp__thread *thread)
{
    sp__casts *old = thread->casts;
    if (old && old->n < old->capacity) return SP_OK;
    const size_t capacity = old ? 2 * old->capacity : 16;
    sp__casts *casts = sp_alloc(bytes_for(capacity));
    if (!casts) return SP_ERROR_MEMORY;
    if (old) {
        memcpy(casts, old, bytes_for(old->n));
        sp_free(old, bytes_for(old->capacity));
    }
    casts->capacity = capacity;
    thread->casts = casts;
    return SP_OK;
}

sp_status sp__keep_cast(void *object, uint64_t version, void *made)
{
    cast *at = find(object);
    if (!at) {
        if (grow(&sp__this_thread)) return SP_ERROR_MEMORY;
        at = &sp__this_thread.casts->items[sp__this_thread.casts->n++];
        *at = (cast){.object = sp__ref(object)};
    }
    sp__ref(made);
    sp__unref(at->cast);
    at->cast = made;
    at->version = version;
    return SP_OK;
}

void sp__casts_drop(sp__thread *thread)
{
    sp__casts *casts = thread->casts;
    thread->casts = NULL; /* destroying a cast may lead back here */
    for (size_t i = 0; casts && i < casts->n; i++) {
        sp__unref(casts->items[i].cast);
        sp__unref(casts->items[i].object);
    }
    if (casts) sp_free(casts, bytes_for(casts->capacity));
}

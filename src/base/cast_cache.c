/* The casts that mixed precision keeps: a weight is read several times between two changes, and cast once. */
#include "base/scope.h"
#include <string.h>

typedef struct sp__cast {
    void *object, *cast; /* held */
    uint64_t version;
} cast;

static cast *find(const void *object)
{
    const sp__casts *casts = &sp__this_thread.casts;
    for (size_t i = 0; i < casts->n; i++)
        if (casts->items[i].object == object) return &casts->items[i];
    return NULL;
}

void *sp__cast_of(const void *object, uint64_t version)
{
    const cast *found = find(object);
    return found && found->version == version ? found->cast : NULL;
}

sp_status sp__keep_cast(void *object, uint64_t version, void *made)
{
    cast *at = find(object);
    if (!at) {
        sp__casts *casts = &sp__this_thread.casts;
        if (sp_reserve(&casts->items, &casts->room, casts->n + 1, sizeof *casts->items)) return SP_ERROR_MEMORY;
        at = &casts->items[casts->n++];
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
    const sp__casts casts = thread->casts;
    thread->casts = (sp__casts){0}; /* destroying a cast may lead back here */
    for (size_t i = 0; i < casts.n; i++) {
        sp__unref(casts.items[i].cast);
        sp__unref(casts.items[i].object);
    }
    sp_free(casts.items, casts.room * sizeof *casts.items);
}

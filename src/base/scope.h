/* For object.c, scope.c and cast_cache.c: a thread's stack of the objects that its scopes own. */
#ifndef SPUSK_BASE_SCOPE_H
#define SPUSK_BASE_SCOPE_H

#include "base/base.h"

/* The casts that mixed precision keeps; cast_cache.c. */
typedef struct sp__casts {
    struct sp__cast *items;
    size_t n, room;
} sp__casts;

typedef struct sp__thread {
    sp__object **stack; /* NULL where an object was taken out */
    size_t height, capacity;
    size_t mark; /* the height at which the innermost open scope began */
    int depth;   /* of the innermost open scope; 0: the root */
    bool no_grad;
    sp_dtype autocast;
    sp__casts casts;     /* of the mixed precision in force */
    bool destroying;     /* a destroy callback runs on this thread */
    sp__object *waiting; /* objects to be destroyed after it */
} sp__thread;

extern _Thread_local sp__thread sp__this_thread;

/* Gives up the casts, and their list. */
void sp__casts_drop(sp__thread *thread);

/* Makes room for one more object; raises without memory. */
sp_status sp__scope_reserve(sp__thread *thread);
/* Puts an object under the open scope, in reserved room. */
void sp__scope_push(sp__thread *thread, sp__object *head);
/* Whether a scope of this thread owns it. */
static inline bool sp__scope_owns(const sp__thread *thread, const sp__object *head)
{
    return atomic_load_explicit(&head->owner, memory_order_relaxed) == thread;
}
/* Takes an object out of the scope of this thread that owns it; its reference is now the caller's. */
void sp__scope_remove(sp__thread *thread, sp__object *head);

#endif

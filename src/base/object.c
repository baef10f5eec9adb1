/* Counted objects: each stands behind a head of 64 bytes. */
#include "base/memory_pool.h"
#include "base/scope.h"
#include <string.h>

/* ---- making ---- */

void *sp__object_new_unowned(const sp_kind *kind, size_t size)
{
    if (size > SIZE_MAX - sizeof(sp__object)) {
        sp_raise(SP_ERROR_MEMORY, "out of memory: %zu bytes were not to be had", size);
        return NULL;
    }
    sp__object *head = sp_alloc(sizeof *head + size);
    if (!head) return NULL;
    head->kind = kind;
    head->size = size;
    atomic_init(&head->holds, 1);
    atomic_init(&head->mark, SP__LIVE);
    return head + 1;
}

void *sp_object_new(const sp_kind *kind, size_t size)
{
    sp__thread *thread = &sp__this_thread;
    if (!kind) {
        sp_raise_null("sp_object_new", "kind");
        return NULL;
    }
    if (sp__scope_reserve(thread)) return NULL;
    void *object = sp__object_new_unowned(kind, size);
    if (object) sp__scope_push(thread, sp__head(object));
    return object;
}

void sp__object_set_origin(void *object, const char *origin)
{
    if (object) sp__head(object)->origin = origin;
}

/* ---- counting ---- */

void *sp__ref(void *object)
{
    if (object) atomic_fetch_add_explicit(&sp__head(object)->holds, 1, memory_order_relaxed);
    return object;
}

void *sp__ref_inner(void *object)
{
    if (object) atomic_fetch_add_explicit(&sp__head(object)->holds, SP__INNER + 1, memory_order_relaxed);
    return object;
}

static bool is_seen(uint64_t holds)
{
    return sp__holds_of(holds) > sp__inner_holds_of(holds);
}

bool sp__ref_if_seen(void *object)
{
    sp__object *head = sp__head(object);
    uint64_t holds = atomic_load_explicit(&head->holds, memory_order_relaxed);
    while (is_seen(holds))
        if (atomic_compare_exchange_weak_explicit(&head->holds, &holds, holds + 1, memory_order_acquire,
                                                  memory_order_relaxed))
            return true;
    return false;
}

static void destroy(sp__object *head)
{
    if (head->kind->destroy) head->kind->destroy(head + 1);
    atomic_store_explicit(&head->mark, SP__DEAD, memory_order_relaxed);
#ifdef SP_DEBUG
    sp__graveyard_bury(head);
#else
    sp_free(head, sizeof *head + head->size);
#endif
}

/* Destroying one object may give up others. They wait for their turn, so that a long chain needs no deep stack. */
static void destroy_all(sp__object *head)
{
    sp__thread *thread = &sp__this_thread;
    atomic_store_explicit(&head->holds, 1,
                          memory_order_relaxed); /* a hold taken and given back meanwhile is harmless */
    head->next = thread->waiting;
    thread->waiting = head;
    if (thread->destroying) return;
    thread->destroying = true;
    while ((head = thread->waiting)) {
        thread->waiting = head->next;
        destroy(head);
    }
    thread->destroying = false;
}

void sp__unref(void *object)
{
    if (!object) return;
    sp__object *head = sp__head(object);
    uint64_t holds = atomic_load_explicit(&head->holds, memory_order_acquire);
    bool abandoned = false;
    while (holds != 1) { /* the only hold needs no exchange: nobody else can change the count */
        if (!abandoned && !is_seen(holds - 1)) {
            abandoned = true; /* while this hold still keeps it alive */
            ((const sp__looped_kind *)head->kind)->abandon(object);
            holds = atomic_load_explicit(&head->holds, memory_order_acquire);
        } else if (atomic_compare_exchange_weak_explicit(&head->holds, &holds, holds - 1, memory_order_acq_rel,
                                                         memory_order_acquire)) {
            return;
        }
    }
    destroy_all(head);
}

void sp__unref_inner(void *object)
{
    if (!object) return;
    sp__object *head = sp__head(object);
    const uint64_t one = SP__INNER + 1;
    if (atomic_fetch_sub_explicit(&head->holds, one, memory_order_acq_rel) == one) destroy_all(head);
}

void *sp_retain(void *object)
{
    return sp__ref(object);
}

/* ---- questions ---- */

static bool alive(const sp__object *head)
{
    return atomic_load_explicit(&head->mark, memory_order_relaxed) == SP__LIVE;
}

bool sp_object_is(const void *object, const sp_kind *kind)
{
    return object && alive(sp__head(object)) && sp__head(object)->kind == kind;
}

/* A name in C, such as SP_NONE, has none. */
static const char *article(const char *noun)
{
    if (strncmp(noun, "SP_", 3) == 0) return "";
    return strchr("aeiou", *noun) ? "an " : "a ";
}

static sp_status raise_dead(const sp__object *head, const sp_kind *kind, const char *function, const char *argument)
{
    const char *q = sp__quote(argument);
    (void)head;
#ifdef SP_DEBUG
    if (atomic_load_explicit(&head->mark, memory_order_relaxed) == SP__DEAD) {
        const char *name = head->kind->name, *origin = head->origin;
        return sp_raise(SP_ERROR_STATE,
                        "%s: argument %s%s%s is %s%s%s%s%s used after its scope closed or after sp_release", function,
                        q, argument, q, article(name), name, origin ? " (made by " : "", origin ? origin : "",
                        origin ? ")" : "");
    }
#endif
    return sp_raise(SP_ERROR_STATE,
                    "%s: argument %s%s%s is no %s: it was used after its scope closed or after sp_release", function, q,
                    argument, q, kind->name);
}

static sp_status raise_kind(const sp_kind *got, const sp_kind *kind, const char *function, const char *argument)
{
    const char *q = sp__quote(argument);
    return sp_raise(SP_ERROR_ARGUMENT, "%s: argument %s%s%s is %s%s, not %s%s", function, q, argument, q,
                    article(got->name), got->name, article(kind->name), kind->name);
}

sp_status sp__check(const void *object, const sp_kind *kind, const char *function, const char *argument)
{
    if (!object) return sp_raise_null(function, argument);
    const sp__object *head = sp__head(object);
    if (!alive(head)) return raise_dead(head, kind, function, argument);
    return head->kind == kind ? SP_OK : raise_kind(head->kind, kind, function, argument);
}

void sp_drop(void *object)
{
    sp__unref(object);
}

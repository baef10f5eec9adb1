/* Scopes. Each thread has a stack of the objects that its scopes own, in the order in which they were made. A scope is
 * the part of the stack above its height when it opened. An object that escapes keeps its place until that scope
 * closes. */
#include "base/scope.h"
#include <pthread.h>
#include <string.h>

_Thread_local sp__thread sp__this_thread;

static void close_root(sp__thread *thread);

/* ---- the end of a thread ---- */

static pthread_key_t end_key;
static pthread_once_t end_once = PTHREAD_ONCE_INIT;
static bool end_works;

static void thread_ends(void *thread)
{
    close_root(thread);
}

static void make_end_key(void)
{
    end_works = pthread_key_create(&end_key, thread_ends) == 0;
}

/* Without a way to close the root scope at the thread's end, what it owns would leak: as bad as no memory. */
static bool watch_thread(sp__thread *thread)
{
    pthread_once(&end_once, make_end_key);
    return end_works && pthread_setspecific(end_key, thread) == 0;
}

/* ---- the stack ---- */

static void place(sp__thread *thread, size_t slot, sp__object *head)
{
    head->slot = slot;
    thread->stack[slot] = head;
}

/* Closes the gaps in the innermost scope; outer ones must keep their heights. Returns how many there were. */
static size_t compact(sp__thread *thread)
{
    size_t to = thread->mark;
    for (size_t i = thread->mark; i < thread->height; i++) {
        if (thread->stack[i]) place(thread, to++, thread->stack[i]);
    }
    size_t gaps = thread->height - to;
    thread->height = to;
    return gaps;
}

static sp_status grow(sp__thread *thread)
{
    if (!thread->stack && !watch_thread(thread))
        return sp_raise(SP_ERROR_MEMORY, "out of memory: the thread's scope cannot be registered");
    return sp_reserve(&thread->stack, &thread->capacity, thread->capacity + 1, sizeof *thread->stack);
}

sp_status sp__scope_reserve(sp__thread *thread)
{
    if (thread->height < thread->capacity) return SP_OK;
    /* A loop in one scope that releases what it makes leaves gaps, and the stack must not grow with them. */
    if (compact(thread) > thread->capacity / 4) return SP_OK;
    /* After few gaps the stack would soon be full again, and each new object would cost a walk through all of them. */
    return grow(thread);
}

void sp__scope_push(sp__thread *thread, sp__object *head)
{
    head->depth = thread->depth;
    atomic_store_explicit(&head->owner, thread, memory_order_relaxed);
    place(thread, thread->height++, head);
}

void sp__scope_remove(sp__thread *thread, sp__object *head)
{
    thread->stack[head->slot] = NULL;
    atomic_store_explicit(&head->owner, NULL, memory_order_relaxed);
    while (thread->height > thread->mark && !thread->stack[thread->height - 1]) thread->height--;
}

/* ---- opening and closing ---- */

static sp_scope open_scope(bool no_grad)
{
    sp__thread *thread = &sp__this_thread;
    sp_scope scope = {.mark = thread->height,
                      .outer_mark = thread->mark,
                      .depth = ++thread->depth,
                      .grad_enabled = !thread->no_grad,
                      .autocast = thread->autocast,
                      .open = true};
    thread->mark = thread->height;
    thread->no_grad = no_grad;
    return scope;
}

sp_scope sp_scope_open(void)
{
    return open_scope(sp__this_thread.no_grad);
}

sp_scope sp_scope_open_no_grad(void)
{
    return open_scope(true);
}

sp_scope sp_scope_open_grad(void)
{
    return open_scope(false);
}

sp_scope sp_scope_open_autocast(sp_dtype dtype)
{
    sp_scope scope = open_scope(sp__this_thread.no_grad);
    if (dtype == SP_BF16 || dtype == SP_DTYPE_DEFAULT)
        sp__this_thread.autocast = dtype;
    else
        sp_raise(SP_ERROR_DTYPE, "SP_AUTOCAST: mixed precision is by SP_BF16 (or SP_DTYPE_DEFAULT for none)");
    return scope;
}

sp_dtype sp_autocast_dtype(void)
{
    return sp__this_thread.autocast;
}

/* Takes the objects of scopes at `depth` and deeper off the stack, from `mark` on; those that escaped move down. */
static sp__object *cut(sp__thread *thread, size_t mark, int depth)
{
    sp__object *doomed = NULL, **end = &doomed;
    size_t to = mark;
    for (size_t i = mark; i < thread->height; i++) {
        sp__object *head = thread->stack[i];
        if (!head) continue;
        if (head->depth < depth) {
            place(thread, to++, head);
            continue;
        }
        atomic_store_explicit(&head->owner, NULL, memory_order_relaxed);
        head->next = NULL;
        *end = head;
        end = &head->next;
    }
    thread->height = to;
    return doomed;
}

static void release_all(sp__object *head)
{
    for (sp__object *next; head; head = next) {
        next = head->next;
        sp__unref(head + 1);
    }
}

/* The stack is in order again before anything is destroyed: a destroy callback may use the library. */
void sp_scope_close(sp_scope *scope)
{
    if (!scope || !scope->open) return;
    scope->open = false;
    sp__thread *thread = &sp__this_thread;
    if (scope->depth > thread->depth) return; /* an outer one closed it */
    sp__object *doomed = cut(thread, scope->mark, scope->depth);
    thread->depth = scope->depth - 1;
    thread->mark = scope->outer_mark;
    thread->no_grad = !scope->grad_enabled;
    const bool mixed = thread->autocast != SP_DTYPE_DEFAULT;
    thread->autocast = scope->autocast;
    if (mixed && !thread->autocast) sp__casts_drop(thread);
    release_all(doomed);
}

/* Destroy callbacks may put new objects into the root scope. */
static void close_root(sp__thread *thread)
{
    do {
        thread->mark = 0;
        thread->depth = 0;
        thread->no_grad = false;
        thread->autocast = SP_DTYPE_DEFAULT;
        sp__casts_drop(thread);
        release_all(cut(thread, 0, 0));
    } while (thread->height);
    sp_free(thread->stack, thread->capacity * sizeof *thread->stack);
    thread->stack = NULL;
    thread->capacity = 0;
}

int sp_finish(void)
{
    close_root(&sp__this_thread);
    sp__threads_stop();
    sp_empty_cache();
    return sp_error_clear() != SP_OK;
}

/* ---- in and out of scopes ---- */

/* The head shows that an object is dead, until its memory is used again. */
static sp_status check_alive(const sp__object *head, const char *function)
{
    if (atomic_load_explicit(&head->mark, memory_order_relaxed) == SP__LIVE) return SP_OK;
    return sp_raise(SP_ERROR_STATE, "%s: the object is there no more: its scope closed, or sp_release gave it up",
                    function);
}

void *sp_keep(void *object)
{
    if (!object || check_alive(sp__head(object), "sp_keep")) return NULL;
    sp__thread *thread = &sp__this_thread;
    if (!sp__scope_owns(thread, sp__head(object))) return sp__ref(object);
    sp__scope_remove(thread, sp__head(object));
    return object;
}

void *sp_escape(void *object)
{
    if (!object || check_alive(sp__head(object), "sp_escape")) return NULL;
    sp__object *head = sp__head(object);
    if (sp__scope_owns(&sp__this_thread, head) && head->depth > 0) head->depth--;
    return object;
}

/* Whether a hold is left that sp_release may give up. The graph's holds and another thread's scope's are not. */
static sp_status check_held(sp__object *head)
{
    const uint64_t holds = atomic_load_explicit(&head->holds, memory_order_acquire);
    const uint32_t others = sp__inner_holds_of(holds) +
                            (atomic_load_explicit(&head->owner, memory_order_relaxed) != NULL);
    if (sp__holds_of(holds) > others) return SP_OK;
    return sp_raise(SP_ERROR_STATE, "sp_release: this %s was given up before: only %s has it still", head->kind->name,
                    sp__inner_holds_of(holds) == others ? "the graph" : "a scope of another thread");
}

void sp_release(void *object)
{
    if (!object || check_alive(sp__head(object), "sp_release")) return;
    sp__thread *thread = &sp__this_thread;
    if (sp__scope_owns(thread, sp__head(object)))
        sp__scope_remove(thread, sp__head(object));
    else if (check_held(sp__head(object)))
        return;
    sp__unref(object);
}

sp_status sp__own(void *object)
{
    sp__thread *thread = &sp__this_thread;
    sp__object *head = sp__head(object);
    if (sp__scope_owns(thread, head)) {
        sp__unref(object); /* it stays where it is: no scope holds an object twice */
        return SP_OK;
    }
    if (atomic_load_explicit(&head->owner, memory_order_relaxed)) {
        return sp_raise(SP_ERROR_STATE, "sp_adopt: a scope of another thread owns the %s: sp_keep it there first",
                        head->kind->name);
    }
    if (sp__scope_reserve(thread)) return SP_ERROR_MEMORY;
    sp__scope_push(thread, head);
    return SP_OK;
}

void *sp_adopt(void *object)
{
    if (!object || sp__own(object) == SP_OK) return object;
    sp__unref(object);
    return NULL;
}

/* ---- grad mode ---- */

bool sp_grad_enabled(void)
{
    return !sp__this_thread.no_grad;
}

void sp__set_autocast(sp_dtype dtype)
{
    sp__this_thread.autocast = dtype;
}

void sp__set_grad_enabled(bool on)
{
    sp__this_thread.no_grad = !on;
}

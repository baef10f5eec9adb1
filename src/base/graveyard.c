/* A debug build keeps the objects destroyed last for a while, marked dead. A call that uses one can then be told so by
 * name. Without this it would read whatever lies there now. */
#include "base/memory_pool.h"

enum { GRAVES = 2048 };

static struct {
    sp__spinlock lock;
    size_t next; /* the oldest grave, to be used next */
    sp__object *heads[GRAVES];
} graveyard;

static sp__object *exchange(size_t grave, sp__object *head)
{
    sp__object *old = graveyard.heads[grave];
    graveyard.heads[grave] = head;
    return old;
}

static void give_back(sp__object *head)
{
    if (head) sp__pool_unpark(head, sizeof *head + head->size);
}

void sp__graveyard_bury(sp__object *head)
{
    sp__pool_park(sizeof *head + head->size);
    SP__POISON(head + 1, head->size);
    sp__spin_lock(&graveyard.lock);
    sp__object *oldest = exchange(graveyard.next, head);
    graveyard.next = (graveyard.next + 1) % GRAVES;
    sp__spin_unlock(&graveyard.lock);
    give_back(oldest);
}

void sp__graveyard_empty(void)
{
    for (size_t i = 0; i < GRAVES; i++) {
        sp__spin_lock(&graveyard.lock);
        sp__object *head = exchange(i, NULL);
        sp__spin_unlock(&graveyard.lock);
        give_back(head);
    }
}

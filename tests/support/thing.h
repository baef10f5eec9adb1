/* Objects that say when they are destroyed, for the tests of objects and scopes. */
#ifndef SPUSK_TESTS_THING_H
#define SPUSK_TESTS_THING_H

#include "base/base.h"
#include "support/support.h"

typedef struct thing {
    int name;
    struct thing *next; /* held */
} thing;

static atomic_int destroyed;
static int order[16];

static void thing_destroy(void *object)
{
    thing *t = object;
    int n = destroyed++;
    if (n < 16) order[n] = t->name;
    sp__unref(t->next);
}

static const sp_kind thing_kind = {"thing", thing_destroy};
static const sp_kind other_kind = {"apple", NULL};

static inline thing *make(int name)
{
    thing *t = sp_object_new(&thing_kind, sizeof *t);
    if (t) t->name = name;
    return t;
}

static inline int start(void **state)
{
    destroyed = 0;
    return support_setup(state);
}
#define scope_test(function) cmocka_unit_test_setup_teardown(function, start, support_teardown)

#endif

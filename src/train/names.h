/* The search for what a program asks for by name: networks, recipes, optimisers, losses, surfaces. */
#ifndef SPUSK_TRAIN_NAMES_H
#define SPUSK_TRAIN_NAMES_H

#include <spusk/extend.h>

/* The number of the row that has the name, in a table whose rows begin with their names. For none, -1 and an error that
 * tells the names that there are; `what` says what the table holds. */
static inline int sp__row_by_name(const char *function, const char *what, const void *rows, int n, size_t row_size,
                                  const char *name)
{
    char names[256];
    if (!name) return sp_raise_null(function, "name"), -1;
    const int i = sp_name_find(rows, n, row_size, name, strlen(name), names, sizeof names);
    if (i < 0) sp_raise(SP_ERROR_NOT_FOUND, "%s: there is no %s \"%s\"; there are: %s", function, what, name, names);
    return i;
}

#endif

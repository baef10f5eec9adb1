/* Tables whose rows have names. */
#include "base/base.h"
#include <spusk/extend/text.h>
#include <stdio.h>
#include <string.h>

static const char *name_at(const void *rows, int i, size_t row_size)
{
    const char *const *row = (const void *)((const char *)rows + (size_t)i * row_size);
    return *row;
}

/* What does not fit is left out. */
static void write_names(const void *rows, int n, size_t row_size, char *list, size_t size)
{
    size_t used = 0;
    if (size > 0) list[0] = '\0';
    for (int i = 0; i < n && used < size; i++)
        used += (size_t)snprintf(list + used, size - used, "%s%s", i > 0 ? ", " : "", name_at(rows, i, row_size));
}

int sp_name_find(const void *rows, int n, size_t row_size, const char *name, size_t length, char *list, size_t size)
{
    if (!rows || !name || !list) {
        sp_raise_null("sp_name_find", !rows ? "rows" : !name ? "name" : "list");
        return -1;
    }
    for (int i = 0; i < n; i++) {
        const char *own = name_at(rows, i, row_size);
        if (strlen(own) == length && memcmp(own, name, length) == 0) return i;
    }
    write_names(rows, n, row_size, list, size);
    return -1;
}

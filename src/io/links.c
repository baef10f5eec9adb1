/* Which file a name leads to, when links are followed as saving follows them. */
#include "writer.h"
#include <spusk/io.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* From a link to what it points to, whether that is there or not. False where there is no link, or no memory; *path is
 * NULL then. */
static bool follow(char **path)
{
    char target[PATH_MAX], joined[2 * PATH_MAX];
    ssize_t n = readlink(*path, target, sizeof target - 1);
    if (n < 0) return false;
    target[n] = '\0';
    const char *slash = *target == '/' ? NULL : strrchr(*path, '/');
    snprintf(joined, sizeof joined, "%.*s%s", slash ? (int)(slash - *path) + 1 : 0, *path, target);
    sp_free_text(*path);
    *path = sp_strdup(joined);
    return *path != NULL;
}

void sp__follow_links(char **path)
{
    enum { MOST_LINKS = 40 };
    for (int i = 0; i < MOST_LINKS && follow(path); i++) {}
}

/* Writes the path of the file to `real`: its folder's own path, and its name. The file need not be there, its folder
 * must. */
static bool find_real(const char *path, char real[PATH_MAX])
{
    char folder[PATH_MAX];
    char *end = sp_strdup(path);
    if (end) sp__follow_links(&end);
    if (!end) return false;
    const char *slash = strrchr(end, '/'), *name = slash ? slash + 1 : end;
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - end) + 1 : 1, slash ? end : ".");
    bool fits = realpath(folder, real) != NULL;
    const size_t n = fits ? strlen(real) : 0;
    if (fits) fits = (size_t)snprintf(real + n, PATH_MAX - n, "/%s", name) < PATH_MAX - n;
    sp_free_text(end);
    return fits;
}

bool sp_save_same_file(const char *path, const char *other)
{
    char a[PATH_MAX], b[PATH_MAX];
    if (!path || !other) return sp_raise_null("sp_save_same_file", path ? "other" : "path"), false;
    return strcmp(path, other) == 0 || (find_real(path, a) && find_real(other, b) && strcmp(a, b) == 0);
}

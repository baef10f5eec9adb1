/* Where a command writes, and whether it can. */
#include "cli.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool output_path(const common *c, const char *name, char *path, size_t size)
{
    const char *folder = c->out && !strchr(name, '/') ? c->out : "";
    size_t n = strlen(folder);
    const char *slash = n > 0 && folder[n - 1] != '/' ? "/" : "";
    if ((size_t)snprintf(path, size, "%s%s%s", folder, slash, name) < size) return true;
    complain(c, "the name of the output is too long: %s", name);
    return false;
}

/* mkdir -p */
static int make_folders(char *path)
{
    for (char *at = path + 1; *at; at++) {
        if (*at != '/') continue;
        *at = '\0';
        int failed = mkdir(path, 0777) != 0 && errno != EEXIST;
        *at = '/';
        if (failed) return -1;
    }
    return mkdir(path, 0777) != 0 && errno != EEXIST ? -1 : 0;
}

bool make_out(const common *c)
{
    char path[PATH_MAX];
    struct stat about;
    if (!c->out) return true;
    snprintf(path, sizeof path, "%s", c->out);
    if (!*path || make_folders(path) != 0) {
        complain(c, "--out: cannot make the folder '%s': %s", c->out, *path ? strerror(errno) : "it has no name");
        return false;
    }
    if (stat(path, &about) == 0 && S_ISDIR(about.st_mode)) return true;
    complain(c, "--out: '%s' is not a folder", c->out);
    return false;
}

/* Permissions do not tell all: a file is made, filled and taken away. */
static int try_folder(const char *path)
{
    char name[PATH_MAX], block[4096] = {0};
    const char *slash = strrchr(path, '/');
    snprintf(name, sizeof name, "%.*s.spusk-XXXXXX", slash ? (int)(slash - path) + 1 : 0, path);
    int fd = mkstemp(name);
    if (fd < 0) return errno;
    int error = write(fd, block, sizeof block) == (ssize_t)sizeof block && fsync(fd) == 0 ? 0 : errno ? errno : ENOSPC;
    close(fd);
    unlink(name);
    return error;
}

bool writable(const common *c, const char *path)
{
    struct stat about;
    bool there = stat(path, &about) == 0;
    int error = 0;
    errno = 0;
    if (there && S_ISDIR(about.st_mode))
        error = EISDIR;
    else if (there && access(path, W_OK) != 0)
        error = errno;
    else if (!there || S_ISREG(about.st_mode))
        error = try_folder(path);
    if (error == 0) return true;
    complain(c, "cannot write %s: %s", path, strerror(error));
    return false;
}

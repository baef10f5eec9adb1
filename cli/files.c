/* The files that a command writes: their paths, and whether they can be written. */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
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

void note_written(const common *c, const char *path, const char *more)
{
    if (c->json) return;
    fputs("wrote ", stdout);
    put_text(stdout, path);
    puts(more);
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
    if ((size_t)snprintf(path, sizeof path, "%s", c->out) >= sizeof path) {
        complain(c, "--out: the name of the folder is too long");
        return false;
    }
    if (!*path || make_folders(path) != 0) {
        complain(c, "--out: cannot make the folder '%s': %s", c->out, *path ? strerror(errno) : "it has no name");
        return false;
    }
    if (stat(path, &about) == 0 && S_ISDIR(about.st_mode)) return true;
    complain(c, "--out: '%s' is not a folder", c->out);
    return false;
}

bool lasting(const char *path)
{
    struct stat about;
    return stat(path, &about) != 0 || S_ISREG(about.st_mode);
}

/* A pipe that somebody reads stays open to the program's end, because its reader would take a close for the end. */
static bool hold_pipe(const common *c, const char *path)
{
    if (open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC) >= 0) return true;
    complain(c, "cannot write %s: %s", path, errno == ENXIO ? "it is a pipe that nobody reads" : strerror(errno));
    return false;
}

bool writable(const common *c, const char *path)
{
    struct stat about;
    if (stat(path, &about) == 0 && S_ISFIFO(about.st_mode)) return hold_pipe(c, path);
    const bool good = sp_save_check(path) == SP_OK; /* has said why not */
    sp_error_clear();
    return good;
}

bool differ(const common *c, const char *path, const char *other)
{
    if (!sp_save_same_file(path, other) || !lasting(path)) return true;
    complain(c, "%s would be written twice: choose another name", path);
    return false;
}

bool differ_from_chart(const common *c, const char *path, const char *chart)
{
    char beside[PATH_MAX];
    const char *dot = strrchr(chart, '.');
    const int stem = dot ? (int)(dot - chart) : (int)strlen(chart);
    if (!differ(c, path, chart)) return false;
    snprintf(beside, sizeof beside, "%.*s.gp", stem, chart);
    if (!differ(c, path, beside)) return false;
    snprintf(beside, sizeof beside, "%.*s.dat", stem, chart);
    return differ(c, path, beside);
}

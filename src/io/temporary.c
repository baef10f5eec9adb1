/* Temporary files. Their names are drawn at random, since process numbers come again (in a container they are always
 * the same). They are locked by flock, and a lock ends with its process, however the process ends. Where a file system
 * has no locks, nothing is reclaimed. */
#include "temporary.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BEGINNING ".spusk-"
#define ENDING ".tmp"
/* A large folder is not read to its end for each file that is written there. */
enum { MOST_OTHERS = 4096, MOST_TRIES = 100 };

/* ---- what others left ---- */

static bool is_ours(const char *name)
{
    size_t n = strlen(name), begin = sizeof BEGINNING - 1, end = sizeof ENDING - 1;
    return n > begin + end && memcmp(name, BEGINNING, begin) == 0 && memcmp(name + n - end, ENDING, end) == 0;
}

/* Whoever has the lock may remove the file: its writer is gone. */
static void reclaim(int folder, const char *name)
{
    struct stat about;
    int fd = openat(folder, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return;
    if (fstat(fd, &about) == 0 && S_ISREG(about.st_mode) && about.st_uid == geteuid() &&
        flock(fd, LOCK_EX | LOCK_NB) == 0)
        unlinkat(folder, name, 0);
    close(fd);
}

static void reclaim_all(int folder)
{
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), others = 0;
    DIR *names = fd >= 0 ? fdopendir(fd) : NULL;
    if (!names) {
        if (fd >= 0) close(fd);
        return;
    }
    for (const struct dirent *entry; others < MOST_OTHERS && (entry = readdir(names));)
        if (is_ours(entry->d_name))
            reclaim(folder, entry->d_name);
        else
            others++;
    closedir(names);
}

/* ---- a new one ---- */

static int open_folder(const char *path)
{
    char folder[4096];
    const char *slash = strrchr(path, '/');
    int n = slash ? (int)(slash - path) + 1 : 0;
    if (n >= (int)sizeof folder) return errno = ENAMETOOLONG, -1;
    snprintf(folder, sizeof folder, "%.*s", n, path);
    int fd = open(n ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
#ifdef O_PATH
    /* Files can be made in a folder that cannot be listed. */
    if (fd < 0 && errno == EACCES) fd = open(n ? folder : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
#endif
    return fd;
}

static void choose_name(sp__temporary *t)
{
    unsigned long long number;
    if (getentropy(&number, sizeof number) != 0) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        number = ((unsigned long long)now.tv_sec << 32 ^ (unsigned long long)now.tv_nsec) * 0x9e3779b97f4a7c15u +
                 (unsigned long long)getpid();
    }
    snprintf(t->name, sizeof t->name, BEGINNING "%016llx" ENDING, number);
}

/* As long as the new file is not locked, another process may take it for one that was left behind. Then it is given up.
 */
static bool locked(int fd)
{
    struct stat about;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) return false;
    return fstat(fd, &about) == 0 && about.st_nlink > 0;
}

static int open_new(sp__temporary *t, mode_t mode)
{
    for (int i = 0; i < MOST_TRIES; i++) {
        choose_name(t);
        t->fd = openat(t->folder, t->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
        if (t->fd < 0 && errno != EEXIST) return errno;
        if (t->fd >= 0 && locked(t->fd)) return 0;
        if (t->fd >= 0) close(t->fd);
        t->fd = -1;
    }
    return EEXIST;
}

int sp__temporary_open(sp__temporary *temporary, const char *path, mode_t mode)
{
    *temporary = (sp__temporary){.folder = open_folder(path), .fd = -1};
    if (temporary->folder < 0) return errno;
    reclaim_all(temporary->folder);
    int error = open_new(temporary, mode);
    if (error != 0) sp__temporary_close(temporary);
    return error;
}

/* ---- the end ---- */

int sp__temporary_flush(const sp__temporary *temporary)
{
    return fsync(temporary->fd) == 0 ? 0 : errno;
}

/* The new name is on the disk only when the folder is. A file system that cannot write a folder is no reason to fail.
 * The lock stays until the file has its final name. */
int sp__temporary_commit(sp__temporary *temporary, const char *path)
{
    const char *slash = strrchr(path, '/');
    int error = sp__temporary_flush(temporary);
    if (error != 0) return error;
    if (renameat(temporary->folder, temporary->name, temporary->folder, slash ? slash + 1 : path) != 0) return errno;
    *temporary->name = '\0';
    fsync(temporary->folder);
    return 0;
}

void sp__temporary_close(sp__temporary *temporary)
{
    if (temporary->fd >= 0 && *temporary->name) unlinkat(temporary->folder, temporary->name, 0);
    if (temporary->fd >= 0) close(temporary->fd);
    if (temporary->folder >= 0) close(temporary->folder);
    *temporary = (sp__temporary){.folder = -1, .fd = -1};
}

/* Atomic writing: a temporary file in the same folder, flushed to the disk, then renamed over the old file. */
#include "writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* A file size limit or a pipe that nobody reads is an error like others, not the end of the process. The signals go
 * to the thread that writes, so that blocking them here touches nobody else. */
static sigset_t writing_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGXFSZ);
    sigaddset(&set, SIGPIPE);
    return set;
}

static void block_signals(sp__writer *writer)
{
    sigset_t set = writing_signals();
    pthread_sigmask(SIG_BLOCK, &set, &writer->signals);
}

static void restore_signals(sp__writer *writer)
{
    sigset_t pending = writing_signals();
    for (int signal = 1; signal < NSIG; signal++)
        if (sigismember(&writer->signals, signal) == 1) sigdelset(&pending, signal);
    const struct timespec now = {0};
    while (sigtimedwait(&pending, NULL, &now) > 0) {}
    pthread_sigmask(SIG_SETMASK, &writer->signals, NULL);
}

static sp_status fail(sp__writer *writer, const char *path, int error)
{
    writer->status = sp_raise(SP_ERROR_IO, "cannot write %s: %s", path, strerror(error));
    return writer->status;
}

/* The file behind links, so that a link stays one; the path itself when there is no file yet. */
static char *resolve(const char *path)
{
    char *real = realpath(path, NULL);
    char *copy = sp_strdup(real ? real : path);
    free(real);
    return copy;
}

/* A name of its own in the same folder: "folder/.spusk-<pid>-<n>.tmp". */
static size_t temporary_size(const char *path)
{
    return strlen(path) + 64;
}

static int open_temporary(sp__writer *writer, mode_t mode)
{
    size_t size = temporary_size(writer->path);
    const char *slash = strrchr(writer->path, '/');
    int folder = slash ? (int)(slash - writer->path) + 1 : 0;
    int fd = -1;
    for (int n = 0; n < 1000 && fd < 0; n++) {
        snprintf(writer->temporary, size, "%.*s.spusk-%ld-%d.tmp", folder, writer->path, (long)getpid(), n);
        fd = open(writer->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
        if (fd < 0 && errno != EEXIST) break;
    }
    return fd;
}

static sp_status open_beside(sp__writer *writer, const struct stat *old)
{
    size_t size = temporary_size(writer->path);
    char *name = sp_alloc(size);
    if (!name) return writer->status = SP_ERROR_MEMORY;
    writer->temporary = name;
    writer->fd = open_temporary(writer, 0666);
    if (writer->fd < 0) {
        int error = errno;
        sp_free(name, size);
        writer->temporary = NULL;
        return fail(writer, writer->path, error);
    }
    if (old) fchmod(writer->fd, old->st_mode & 0777);
    return SP_OK;
}

static sp_status open_any(sp__writer *writer)
{
    struct stat old;
    if (stat(writer->path, &old) != 0) return open_beside(writer, NULL);
    if (S_ISDIR(old.st_mode)) return fail(writer, writer->path, EISDIR);
    /* Renaming would replace even a file that may not be written. */
    if (access(writer->path, W_OK) != 0) return fail(writer, writer->path, errno);
    if (S_ISREG(old.st_mode)) return open_beside(writer, &old);
    writer->fd = open(writer->path, O_WRONLY | O_CLOEXEC);
    return writer->fd < 0 ? fail(writer, writer->path, errno) : SP_OK;
}

sp_status sp__writer_open(sp__writer *writer, const char *path)
{
    *writer = (sp__writer){.fd = -1};
    block_signals(writer);
    if (!path || !*path) return writer->status = sp_raise(SP_ERROR_ARGUMENT, "a file to write needs a name");
    writer->path = resolve(path);
    if (!writer->path) return writer->status = SP_ERROR_MEMORY;
    return open_any(writer);
}

sp_status sp__writer_write(sp__writer *writer, const void *data, size_t bytes)
{
    const char *next = data;
    while (writer->status == SP_OK && bytes > 0) {
        ssize_t n = write(writer->fd, next, bytes);
        if (n < 0 && errno != EINTR) fail(writer, writer->path, errno);
        if (n <= 0) continue;
        next += n;
        bytes -= (size_t)n;
    }
    return writer->status;
}

/* The new name is on the disk only when the folder is; a file system that cannot do that is no reason to fail. The
 * temporary name, no longer needed, becomes the folder's. */
static void flush_folder(char *temporary)
{
    char *slash = strrchr(temporary, '/');
    if (slash) slash[slash == temporary] = '\0';
    int fd = open(slash ? temporary : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;
    fsync(fd);
    close(fd);
}

static void commit(sp__writer *writer)
{
    bool sync = writer->temporary != NULL;
    if (sync && fsync(writer->fd) != 0) fail(writer, writer->path, errno);
    if (close(writer->fd) != 0 && writer->status == SP_OK) fail(writer, writer->path, errno);
    writer->fd = -1;
    if (writer->status != SP_OK || !sync) return;
    if (rename(writer->temporary, writer->path) != 0)
        fail(writer, writer->path, errno);
    else
        flush_folder(writer->temporary);
}

sp_status sp__writer_close(sp__writer *writer, sp_status status)
{
    if (writer->status == SP_OK) writer->status = status;
    if (writer->fd >= 0 && writer->status == SP_OK) commit(writer);
    if (writer->fd >= 0) close(writer->fd);
    if (writer->temporary) {
        if (writer->status != SP_OK) unlink(writer->temporary);
        sp_free(writer->temporary, temporary_size(writer->path));
    }
    if (writer->path) sp_free(writer->path, strlen(writer->path) + 1);
    restore_signals(writer);
    return writer->status;
}

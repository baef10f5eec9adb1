/* Atomic writing: a temporary file in the same folder, flushed to the disk, then renamed over the old file. */
#include "writer.h"
#include <spusk/io.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
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

/* Shows only the end of a very long path, so that the message has room for what is wrong with it. */
static sp_status fail(sp__writer *writer, int error)
{
    enum { SHOWN = 400 };
    const size_t n = strlen(writer->path), hidden = n > SHOWN ? n - SHOWN : 0;
    return writer->status = sp_raise(SP_ERROR_IO, "cannot write %s%s: %s", hidden ? "…" : "", writer->path + hidden,
                                     strerror(error));
}

/* ---- where to ---- */

/* The new file takes the place of what links point to, so that they stay links. */
static sp_status open_beside(sp__writer *writer, const struct stat *old)
{
    sp__follow_links(&writer->path);
    if (!writer->path) return writer->status = SP_ERROR_MEMORY;
    int error = sp__temporary_open(&writer->temporary, writer->path, old ? old->st_mode & 0666 : 0666);
    if (error != 0) return fail(writer, error);
    writer->fd = writer->temporary.fd;
    /* The new file's permissions are never wider than the old one's, also where a file system knows no modes. */
    if (old) (void)!fchmod(writer->fd, old->st_mode & 0777);
    return SP_OK;
}

/* Opens a device or a pipe. Opening a pipe that nobody reads would wait for ever. */
static sp_status open_in_place(sp__writer *writer, const struct stat *old)
{
    writer->fd = open(writer->path, O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (writer->fd < 0 && errno == ENXIO && S_ISFIFO(old->st_mode))
        return writer->status = sp_raise(SP_ERROR_IO, "cannot write %s: it is a pipe that nobody reads", writer->path);
    if (writer->fd < 0) return fail(writer, errno);
    fcntl(writer->fd, F_SETFL, fcntl(writer->fd, F_GETFL) & ~O_NONBLOCK);
    return SP_OK;
}

static sp_status open_any(sp__writer *writer)
{
    struct stat old;
    if (stat(writer->path, &old) != 0) return errno == ENOENT ? open_beside(writer, NULL) : fail(writer, errno);
    if (S_ISDIR(old.st_mode)) return fail(writer, EISDIR);
    /* Renaming would replace even a file that is write-protected. */
    if (access(writer->path, W_OK) != 0) return fail(writer, errno);
    return S_ISREG(old.st_mode) ? open_beside(writer, &old) : open_in_place(writer, &old);
}

sp_status sp__writer_open(sp__writer *writer, const char *path)
{
    *writer = (sp__writer){.fd = -1, .temporary = {.folder = -1, .fd = -1}};
    block_signals(writer);
    if (!path || !*path) return writer->status = sp_raise(SP_ERROR_ARGUMENT, "a file to write needs a name");
    writer->path = sp_strdup(path);
    if (!writer->path) return writer->status = SP_ERROR_MEMORY;
    return open_any(writer);
}

/* ---- writing ---- */

sp_status sp__writer_write(sp__writer *writer, const void *data, size_t bytes)
{
    const char *next = data;
    while (writer->status == SP_OK && bytes > 0) {
        ssize_t n = write(writer->fd, next, bytes);
        if (n < 0 && errno != EINTR) fail(writer, errno);
        if (n <= 0) continue;
        next += n;
        bytes -= (size_t)n;
    }
    return writer->status;
}

/* ---- the end ---- */

static void end(sp__writer *writer)
{
    bool beside = writer->temporary.fd >= 0;
    int error = 0;
    if (beside)
        error = writer->status == SP_OK ? sp__temporary_commit(&writer->temporary, writer->path) : 0;
    else if (writer->fd >= 0 && close(writer->fd) != 0)
        error = errno;
    if (error != 0 && writer->status == SP_OK) fail(writer, error);
    sp__temporary_close(&writer->temporary);
}

sp_status sp__writer_close(sp__writer *writer, sp_status status)
{
    if (writer->status == SP_OK) writer->status = status;
    end(writer);
    sp_free_text(writer->path);
    restore_signals(writer);
    return writer->status;
}

sp_status sp_save_check(const char *path)
{
    static const char block[4096];
    sp__writer writer;
    if (!path) return sp_raise_null("sp_save_check", "path");
    sp_status status = sp__writer_open(&writer, path);
    if (status == SP_OK && writer.temporary.fd >= 0) {
        status = sp__writer_write(&writer, block, sizeof block);
        int error = status == SP_OK ? sp__temporary_flush(&writer.temporary) : 0;
        if (error != 0) status = fail(&writer, error);
    }
    sp__writer_close(&writer, SP_ERROR_STATE); /* nothing of it stays */
    return status;
}

/* Reading of regular files: the size is known first, and every read is complete. */
#include "writer.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int sp__open_file(const char *path, int64_t *size)
{
    if (!path || !*path) return sp_raise(SP_ERROR_ARGUMENT, "a file to read needs a name"), -1;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        sp_raise(errno == ENOENT ? SP_ERROR_NOT_FOUND : SP_ERROR_IO, "cannot read %s: %s", path, strerror(errno));
        return -1;
    }
    struct stat about;
    if (fstat(fd, &about) == 0 && S_ISREG(about.st_mode)) {
        *size = (int64_t)about.st_size;
        return fd;
    }
    sp_raise(SP_ERROR_IO, "cannot read %s: it is not a regular file", path);
    close(fd);
    return -1;
}

sp_status sp__read_at(int fd, const char *path, int64_t offset, void *to, size_t bytes)
{
    char *next = to;
    while (bytes > 0) {
        ssize_t n = pread(fd, next, bytes, (off_t)offset);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return sp_raise(SP_ERROR_IO, "cannot read %s: %s", path, strerror(errno));
        if (n == 0) return sp_raise(SP_ERROR_FORMAT, "%s: the file became shorter while it was read", path);
        next += n;
        offset += n;
        bytes -= (size_t)n;
    }
    return SP_OK;
}

unsigned char *sp__read_file(const char *path, size_t *size)
{
    int64_t length = 0;
    int fd = sp__open_file(path, &length);
    if (fd < 0) return NULL;
    *size = (size_t)length;
    unsigned char *data = sp_alloc(*size + 1);
    if (data && sp__read_at(fd, path, 0, data, *size) != SP_OK) {
        sp_free(data, *size + 1);
        data = NULL;
    }
    close(fd);
    return data;
}

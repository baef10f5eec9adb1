/* Bytes of a file, plain or gzip's. */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef SP_HAVE_ZLIB
#include <zlib.h>
#endif

enum { LARGEST_READ = 1 << 24 };

/* ---- gzip ---- */

#ifdef SP_HAVE_ZLIB

static sp_status gzip_open(sp__stream *stream)
{
    gzFile file = gzdopen(stream->fd, "rb");
    if (!file) return sp_raise(SP_ERROR_MEMORY, "%s: out of memory for unpacking", stream->path);
    stream->unpacker = file;
    if (gzbuffer(file, 1 << 17) == 0) return SP_OK;
    return sp_raise(SP_ERROR_MEMORY, "%s: out of memory for unpacking", stream->path);
}

static int64_t gzip_damage(const sp__stream *stream)
{
    int code = Z_OK;
    const char *words = gzerror(stream->unpacker, &code);
    if (code == Z_BUF_ERROR)
        sp_raise(SP_ERROR_FORMAT, "%s: the gzip file is cut short", stream->path);
    else if (code == Z_MEM_ERROR)
        sp_raise(SP_ERROR_MEMORY, "%s: out of memory for unpacking", stream->path);
    else if (code == Z_ERRNO)
        sp_raise(SP_ERROR_IO, "%s: cannot be read: %s", stream->path, strerror(errno));
    else
        sp_raise(SP_ERROR_FORMAT, "%s: the gzip file is damaged: %s", stream->path, words);
    return -1;
}

static int64_t gzip_read(sp__stream *stream, void *to, int64_t n)
{
    int got = gzread(stream->unpacker, to, (unsigned)n);
    if (got < 0) return gzip_damage(stream);
    /* A file that ends in the middle gives what it has, and tells only then. */
    int code = Z_OK;
    if (got < n) gzerror(stream->unpacker, &code);
    return code == Z_OK || code == Z_STREAM_END ? got : gzip_damage(stream);
}

static void gzip_close(sp__stream *stream)
{
    gzclose_r(stream->unpacker);
}

#else

static sp_status gzip_open(sp__stream *stream)
{
    return sp_raise(SP_ERROR_UNSUPPORTED, "%s: this build has no zlib: unpack the file with gunzip", stream->path);
}

static int64_t gzip_read(sp__stream *stream, void *to, int64_t n)
{
    (void)stream, (void)to, (void)n;
    return -1;
}

static void gzip_close(sp__stream *stream)
{
    (void)stream;
}

#endif

/* ---- both ---- */

static bool is_gzip(int fd)
{
    unsigned char magic[2];
    return pread(fd, magic, 2, 0) == 2 && magic[0] == 0x1f && magic[1] == 0x8b;
}

static sp_status prepare(sp__stream *stream)
{
    struct stat about;
    if (fstat(stream->fd, &about))
        return sp_raise(SP_ERROR_IO, "%s: cannot be read: %s", stream->path, strerror(errno));
    if (!S_ISREG(about.st_mode)) return sp_raise(SP_ERROR_IO, "%s: is not a regular file", stream->path);
    stream->file_size = (int64_t)about.st_size;
    stream->gzip = is_gzip(stream->fd);
    return stream->gzip ? gzip_open(stream) : SP_OK;
}

sp_status sp__stream_open(sp__stream *stream, const char *path)
{
    *stream = (sp__stream){.path = path, .fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    if (stream->fd < 0) {
        return sp_raise(errno == ENOENT ? SP_ERROR_NOT_FOUND : SP_ERROR_IO, "%s: cannot be opened: %s", path,
                        strerror(errno));
    }
    sp_status status = prepare(stream);
    if (status) sp__stream_close(stream);
    return status;
}

static int64_t plain_read(sp__stream *stream, void *to, int64_t n)
{
    for (;;) {
        ssize_t got = read(stream->fd, to, (size_t)n);
        if (got >= 0) return (int64_t)got;
        if (errno == EINTR) continue;
        sp_raise(SP_ERROR_IO, "%s: cannot be read: %s", stream->path, strerror(errno));
        return -1;
    }
}

int64_t sp__stream_read(sp__stream *stream, void *to, int64_t n)
{
    int64_t done = 0;
    while (done < n) {
        int64_t part = n - done < LARGEST_READ ? n - done : LARGEST_READ;
        char *at = (char *)to + done;
        int64_t got = stream->gzip ? gzip_read(stream, at, part) : plain_read(stream, at, part);
        if (got < 0) return -1;
        if (got == 0) break;
        done += got;
    }
    return done;
}

void sp__stream_close(sp__stream *stream)
{
    if (stream->unpacker)
        gzip_close(stream);
    else if (stream->fd >= 0)
        close(stream->fd);
    stream->unpacker = NULL;
    stream->fd = -1;
}

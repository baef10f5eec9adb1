/* Writing and reading of whole files. A write that fails leaves the old file as it was; a read checks the size. */
#ifndef SPUSK_IO_WRITER_H
#define SPUSK_IO_WRITER_H

#include "temporary.h"

#include <signal.h>
#include <spusk/extend.h>

typedef struct sp__writer {
    int fd;
    char *path;              /* where the file is to be, links followed */
    sp__temporary temporary; /* what is written meanwhile; none for a device or a pipe, which is written in place */
    sp_status status;
    sigset_t signals; /* the caller's mask */
} sp__writer;

/* Opens, writes, ends. After a failure the other functions do nothing, and sp__writer_close returns the first failure.
 */
sp_status sp__writer_open(sp__writer *writer, const char *path);
sp_status sp__writer_write(sp__writer *writer, const void *data, size_t bytes);
/* `status` says how the work between went; anything but SP_OK removes the temporary file. */
sp_status sp__writer_close(sp__writer *writer, sp_status status);

/* Replaces a name by what its links lead to, whether that exists or not. *path comes from sp_strdup, and is NULL
 * without memory. */
void sp__follow_links(char **path);

/* Opens a regular file for reading and tells its size; -1 and an error on failure. */
int sp__open_file(const char *path, int64_t *size);
/* Reads exactly `bytes` bytes at an offset. */
sp_status sp__read_at(int fd, const char *path, int64_t offset, void *to, size_t bytes);
/* A whole file in memory, to be freed with sp_free(pointer, *size + 1); a zero byte follows its last. */
unsigned char *sp__read_file(const char *path, size_t *size);

#endif

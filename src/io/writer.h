/* Whole files, written so that a failure leaves the old one as it was, and read with their size checked. */
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

/* Opens, writes, ends. After a failure the others do nothing, and sp__writer_close returns the first one. */
sp_status sp__writer_open(sp__writer *writer, const char *path);
sp_status sp__writer_write(sp__writer *writer, const void *data, size_t bytes);
/* status: how the work between went; anything but SP_OK takes the temporary file away. */
sp_status sp__writer_close(sp__writer *writer, sp_status status);

/* From a name to what links lead to, whether that is there or not; *path, which sp_strdup gave, is NULL without memory.
 */
void sp__follow_links(char **path);

/* Opens a regular file for reading and tells its size; -1 and an error on failure. */
int sp__open_file(const char *path, int64_t *size);
/* Reads exactly `bytes` bytes at an offset. */
sp_status sp__read_at(int fd, const char *path, int64_t offset, void *to, size_t bytes);
/* A whole file in memory, to be freed with sp_free(pointer, *size + 1); a zero byte follows its last. */
unsigned char *sp__read_file(const char *path, size_t *size);

#endif

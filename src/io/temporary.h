/* The temporary file of a save. It lies beside the file that it will become, under a name of its own, and is locked as
 * long as somebody writes it. A file that nobody has locked was left by a process that was killed; it goes when the
 * next file is written into its folder. */
#ifndef SPUSK_IO_TEMPORARY_H
#define SPUSK_IO_TEMPORARY_H

#include <spusk/extend.h>
#include <sys/types.h>

typedef struct sp__temporary {
    int folder, fd; /* -1: none */
    char name[40];  /* in the folder: ".spusk-<16 hexadecimal digits>.tmp" */
} sp__temporary;

/* Opens one in the folder of a path, with these permissions less the process's mask. Returns an errno, or 0. */
int sp__temporary_open(sp__temporary *temporary, const char *path, mode_t mode);
/* All of it onto the disk. */
int sp__temporary_flush(const sp__temporary *temporary);
/* Flushes it and gives it the path's name. It must still be closed. Returns an errno, or 0. */
int sp__temporary_commit(sp__temporary *temporary, const char *path);
/* Closes it, and removes it unless it was committed. */
void sp__temporary_close(sp__temporary *temporary);

#endif

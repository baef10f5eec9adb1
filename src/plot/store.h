/* Files without a name: what is written meanwhile, so that nothing half-done is ever seen and nothing is left behind.
 */
#ifndef SPUSK_PLOT_STORE_H
#define SPUSK_PLOT_STORE_H

#include <spusk/extend.h>
#include <stdio.h>

/* An empty one, to be closed with sp__store_close. The path is the file's that it is for, to be named in errors. */
FILE *sp__store_new(const char *path);
/* NULL is ignored. */
void sp__store_close(FILE *store);
/* All that it holds, to be freed with sp_free(pointer, *bytes + 1); a zero byte follows the last. NULL after an error,
 * which may be one of writing before. */
unsigned char *sp__store_take(FILE *store, const char *path, size_t *bytes);
/* The same, written as a file: whole, or not at all. */
sp_status sp__store_save(FILE *store, const char *path);

#endif

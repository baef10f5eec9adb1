/* Files without a name, for what is written in the meantime. Nobody ever sees a half-written file, and nothing is left
 * behind. */
#ifndef SPUSK_PLOT_STORE_H
#define SPUSK_PLOT_STORE_H

#include <spusk/extend.h>
#include <stdio.h>

/* An empty file, to be closed with sp__store_close. The path is that of the file that it will become, and errors name
 * it. */
FILE *sp__store_new(const char *path);
/* NULL is ignored. */
void sp__store_close(FILE *store);
/* All bytes that it holds, followed by a zero, to be freed with sp_free(pointer, *bytes + 1). NULL after an error,
 * which may be one of an earlier write. */
unsigned char *sp__store_take(FILE *store, const char *path, size_t *bytes);
/* Writes its bytes to the file, whole or not at all. */
sp_status sp__store_save(FILE *store, const char *path);

#endif

/* Memory through the library's allocator (memory.h says which). */
#ifndef SPUSK_EXTEND_MEMORY_H
#define SPUSK_EXTEND_MEMORY_H

#include <spusk/status.h>

SP_BEGIN

/* size bytes, zeroed, aligned to 64; NULL and an error without memory. Size 0 gives a pointer of its own, too. */
SP_API void *sp_alloc(size_t size);

/* Gives back what sp_alloc gave; size is the same. NULL is ignored. */
SP_API void sp_free(void *pointer, size_t size);

/* A copy of text, to be freed by sp_free(copy, strlen(copy) + 1). */
SP_API char *sp_strdup(const char *text);

SP_END_DECLS

#endif

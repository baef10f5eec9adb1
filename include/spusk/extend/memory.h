/* Memory through the library's allocator (memory.h says which). */
#ifndef SPUSK_EXTEND_MEMORY_H
#define SPUSK_EXTEND_MEMORY_H

#include <spusk/status.h>

SP_BEGIN

/* size bytes, zeroed, aligned to 64; NULL and an error when there is no memory. Size 0 gives a unique pointer. */
SP_API void *sp_alloc(size_t size);
/* Returns them; the same size. NULL is ignored. */
SP_API void sp_free(void *pointer, size_t size);
/* A copy of text; freed with sp_free(text, strlen(text) + 1). */
SP_API char *sp_strdup(const char *text);

SP_END_DECLS

#endif

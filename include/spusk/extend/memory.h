/* Memory through the library's allocator (memory.h says which). */
#ifndef SPUSK_EXTEND_MEMORY_H
#define SPUSK_EXTEND_MEMORY_H

#include <spusk/status.h>

SP_BEGIN

/* size bytes, zeroed, aligned to 64; NULL and an error without memory. Size 0 gives a pointer of its own, too. */
SP_API void *sp_alloc(size_t size);

/* Gives back what sp_alloc gave; size is the same. NULL is ignored. */
SP_API void sp_free(void *pointer, size_t size);

/* A copy of text, to be freed by sp_free_text. */
SP_API char *sp_strdup(const char *text);

/* Gives back a text whose memory ends with it, as sp_strdup's does. NULL is ignored. */
SP_API void sp_free_text(char *text);

/* Makes room for `wanted` items of `size` bytes in an array that grows. `array` is the address of the pointer to it,
 * NULL at first; `room` is how many items its memory holds. The items move, and the new room is zeroed and at least as
 * large as the old. Fails without memory, with nothing changed. To be freed by sp_free(array, room * size). */
SP_API sp_status sp_reserve(void *array, size_t *room, size_t wanted, size_t size);

SP_END_DECLS

#endif

/* Counted objects of one's own, owned by scopes as the library's are. */
#ifndef SPUSK_EXTEND_OBJECT_H
#define SPUSK_EXTEND_OBJECT_H

#include <spusk/scope.h>

SP_BEGIN

/* What objects of one kind share; a constant. */
typedef struct sp_kind {
    const char *name;              /* "tensor" */
    void (*destroy)(void *object); /* releases what the object holds; the library frees the object */
} sp_kind;

/* A zeroed object of `size` bytes that the open scope owns. sp_keep, sp_escape and sp_release take it. */
SP_API void *sp_object_new(const sp_kind *kind, size_t size);

/* Whether an object, or NULL, is a live one of that kind. */
SP_API bool sp_object_is(const void *object, const sp_kind *kind);

/* Takes one more hold of an object, which sp_drop gives back: for containers. Returns the object; NULL passes. */
SP_API void *sp_retain(void *object);

/* The inverse of sp_keep: the open scope takes over the caller's hold. Returns the object. Without memory it gives up
 * the hold and returns NULL. NULL passes. */
SP_API void *sp_adopt(void *object);

/* Gives back a hold that sp_retain took, never a scope's. `destroy` calls it for each member; long chains of objects go
 * without recursion. NULL is ignored. */
SP_API void sp_drop(void *object);

SP_END_DECLS

#endif

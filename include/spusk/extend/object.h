/* Counted objects of one's own, owned by scopes as the library's are. */
#ifndef SPUSK_EXTEND_OBJECT_H
#define SPUSK_EXTEND_OBJECT_H

#include <spusk/scope.h>

SP_BEGIN

typedef struct sp_kind {
    const char *name;              /* "tensor" */
    void (*destroy)(void *object); /* releases what the object holds; the library frees the object */
} sp_kind;
/* A zeroed object of `size` bytes, owned by the open scope, for sp_keep, sp_release and the rest. */
SP_API void *sp_object_new(const sp_kind *kind, size_t size);
/* Whether an object is of that kind. */
SP_API bool sp_object_is(const void *object, const sp_kind *kind);
/* Takes one more hold of an object, given back by sp_drop. For containers of one's own. NULL passes. */
SP_API void *sp_retain(void *object);
/* The inverse of sp_keep: the open scope takes over the caller's hold. Returns the object; NULL, the hold given up,
 * when there is no memory. NULL passes. */
SP_API void *sp_adopt(void *object);
/* Gives back a hold that sp_retain took, and no scope's hold: what `destroy` calls for each member. NULL is ignored.
 * Deep chains of objects go without recursion. */
SP_API void sp_drop(void *object);

SP_END_DECLS

#endif

/* For writers of objects of their own: errors, memory, counted objects. */
#ifndef SPUSK_EXTEND_OBJECT_H
#define SPUSK_EXTEND_OBJECT_H

#include <spusk/scope.h>

SP_BEGIN

/* ---- errors ---- */

/* Makes this the calling thread's first cause, unless one is pending; returns status. */
SP_API sp_status sp_raise(sp_status status, const char *format, ...) SP_PRINTF(2, 3);
/* For a NULL argument: the pending error passes on; when none is pending, this is one. Returns the pending status. */
SP_API sp_status sp_raise_null(const char *function, const char *argument);

/* For what is rarely meant but no failure: the handler is told, with SP_WARNING, once a thread for the same text. No
 * error is pending then, and one that is stays. The text begins with the function's name, as an error's. */
SP_API void sp_warn(const char *format, ...) SP_PRINTF(1, 2);

/* Where the calling thread is: errors raised between enter and leave begin with the frames' names, joined by dots, and
 * the innermost type: "in encode.0 (Linear): ". Names and types are borrowed; an empty name adds nothing to the path.
 */
typedef struct sp_error_frame {
    const char *name, *type;
    const struct sp_error_frame *outer;
} sp_error_frame;
SP_API void sp_error_enter(sp_error_frame *frame, const char *name, const char *type);
SP_API void sp_error_leave(const sp_error_frame *frame);

/* Puts words in front of the pending error's message. Nothing when none is pending. The handler has reported the
 * message already: what is known before the error arises belongs in a frame. */
SP_API void sp_error_context(const char *format, ...) SP_PRINTF(1, 2);

/* Quiet, this thread's first causes are kept, but not reported to the handler: for a worker, whose cause the thread
 * that waits for it raises again, and for an attempt that may fail. Returns what it was before. */
SP_API bool sp_error_quiet(bool quiet);

/* ---- memory, through the allocator door ---- */

/* size bytes, zeroed, aligned to 64; NULL and an error when there is no memory. Size 0 gives a unique pointer. */
SP_API void *sp_alloc(size_t size);
/* Returns them; the same size. NULL is ignored. */
SP_API void sp_free(void *pointer, size_t size);
/* A copy of text; freed with sp_free(text, strlen(text) + 1). */
SP_API char *sp_strdup(const char *text);

/* ---- objects ---- */

typedef struct sp_kind {
    const char *name;              /* "tensor" */
    void (*destroy)(void *object); /* releases what the object holds; the library frees the object */
} sp_kind;
/* A zeroed object of `size` bytes, owned by the open scope, for sp_keep, sp_release and the rest. */
SP_API void *sp_object_new(const sp_kind *kind, size_t size);
/* Whether an object is of that kind. */
SP_API bool sp_object_is(const void *object, const sp_kind *kind);
/* The inverse of sp_keep: the open scope takes over the caller's hold. Returns the object; NULL, the hold given up,
 * when there is no memory. NULL passes. */
SP_API void *sp_adopt(void *object);
/* Gives back a hold that sp_retain took, and no scope's hold: what `destroy` calls for each member. NULL is ignored.
 * Deep chains of objects go without recursion. */
SP_API void sp_drop(void *object);

SP_END_DECLS

#endif

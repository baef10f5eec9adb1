/* Raising errors: first causes, warnings, and where the calling thread is when they arise. */
#ifndef SPUSK_EXTEND_ERRORS_H
#define SPUSK_EXTEND_ERRORS_H

#include <spusk/status.h>

SP_BEGIN

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

SP_END_DECLS

#endif

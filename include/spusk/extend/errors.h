/* Raising errors: first causes, warnings, and where the calling thread is when they arise. */
#ifndef SPUSK_EXTEND_ERRORS_H
#define SPUSK_EXTEND_ERRORS_H

#include <spusk/status.h>

SP_BEGIN

/* Makes this the calling thread's first cause, unless one is pending or status is SP_OK; returns status. The message
 * begins with the function's name: "sp_foo: …". */
SP_API sp_status sp_raise(sp_status status, const char *format, ...) SP_PRINTF(2, 3);

/* For an argument that is NULL: passes the pending error on, or raises SP_ERROR_NULL where none is pending. Returns the
 * pending status. */
SP_API sp_status sp_raise_null(const char *function, const char *argument);

/* For what is no failure but rarely meant: tells the handler, with SP_WARNING, once a thread for the same text. It
 * changes nothing about a pending error. The text begins with the function's name, as an error's. */
SP_API void sp_warn(const char *format, ...) SP_PRINTF(1, 2);

/* Where the calling thread is, for its errors to say. */
typedef struct sp_error_frame {
    const char *name, *type;
    const struct sp_error_frame *outer;
} sp_error_frame;

/* Enters a frame: errors raised until sp_error_leave begin with the names of all open frames, joined by dots, and the
 * innermost type: "in encode.0 (Linear): ". Name and type are borrowed; an empty name adds nothing to the path. */
SP_API void sp_error_enter(sp_error_frame *frame, const char *name, const char *type);

/* Leaves the frame that was entered last. */
SP_API void sp_error_leave(const sp_error_frame *frame);

/* Puts words in front of the pending error's message; does nothing when none is pending. The handler has reported the
 * message already, so what is known before an error arises belongs in a frame. */
SP_API void sp_error_context(const char *format, ...) SP_PRINTF(1, 2);

/* While quiet is true, this thread's first causes are kept but not reported to the handler. A worker is quiet when the
 * thread that waits for it raises its cause again, and so is an attempt that may fail. Returns what it was before. */
SP_API bool sp_error_quiet(bool quiet);

SP_END_DECLS

#endif

/* Errors: status codes, the first cause of the calling thread, and the handler that reports it. */
#ifndef SPUSK_STATUS_H
#define SPUSK_STATUS_H

#include <spusk/macros.h>

SP_BEGIN

typedef enum sp_status {
    SP_OK = 0,
    SP_ERROR_ARGUMENT,    /* an option or a value out of range */
    SP_ERROR_NULL,        /* a NULL where an object was needed */
    SP_ERROR_SHAPE,       /* shapes that do not fit */
    SP_ERROR_DTYPE,       /* element types that do not fit */
    SP_ERROR_DEVICE,      /* operands on several devices, or a device that lacks the operator */
    SP_ERROR_STATE,       /* a call at the wrong time: no gradient to follow, a changed tensor, a freed graph */
    SP_ERROR_MEMORY,      /* no memory */
    SP_ERROR_IO,          /* a file or a connection failed */
    SP_ERROR_FORMAT,      /* a file is not what its name or its head says */
    SP_ERROR_NOT_FOUND,   /* no such file, data set, name */
    SP_ERROR_UNSUPPORTED, /* not in this build */
    SP_ERROR_INTERRUPTED, /* stopped on request */
    SP_WARNING,           /* nothing failed; what was asked for is rarely meant. Only the handler sees it */
} sp_status;

/* Called once for each first cause, on the thread where it arose, before the failing call returns; and for a warning,
 * with SP_WARNING: the call goes on, no error is pending, and the same text does not come twice on a thread. */
typedef void sp_error_handler(sp_status status, const char *message, void *user);

/* Replaces the process-wide handler; NULL silences it. The default writes "spusk: <message>", or
 * "spusk: warning: <message>", to standard error. To be called before other threads use the library. */
SP_API void sp_set_error_handler(sp_error_handler *handler, void *user);

/* The status of the calling thread's pending first cause, which stays pending; SP_OK when none is. */
SP_API sp_status sp_error_status(void);

/* The message of the last first cause on this thread, "" when there never was one. It can be read until the next error,
 * after sp_error_clear() too. */
SP_API const char *sp_error_message(void);

/* Marks the pending error as read and returns its status; SP_OK when none was pending. */
SP_API sp_status sp_error_clear(void);

/* The status in words, "out of memory" for SP_ERROR_MEMORY. Never NULL. */
SP_API const char *sp_status_name(sp_status status);

/* The library's version, "0.1.0". */
SP_API const char *sp_version(void);

SP_END_DECLS

#endif

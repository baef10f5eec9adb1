/* Errors: each thread's first cause, and the handler that reports it. */
#include "base/base.h"
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MESSAGE_SIZE = 1024, PATH_END = 8 };

typedef struct thread_error {
    sp_status pending;
    bool quiet;
    const sp_error_frame *frame; /* the innermost */
    const sp__caller *caller;    /* the innermost */
    char message[MESSAGE_SIZE];
} thread_error;

static _Thread_local thread_error error;

/* ---- the handler ---- */

static void write_to_stderr(sp_status status, const char *message, void *user)
{
    (void)user;
    fprintf(stderr, "spusk: %s%s\n", status == SP_WARNING ? "warning: " : "", message);
}

static struct {
    pthread_mutex_t mutex;
    sp_error_handler *function;
    void *user;
} handler = {PTHREAD_MUTEX_INITIALIZER, write_to_stderr, NULL};

void sp_set_error_handler(sp_error_handler *function, void *user)
{
    pthread_mutex_lock(&handler.mutex);
    handler.function = function;
    handler.user = user;
    pthread_mutex_unlock(&handler.mutex);
}

/* The handler may itself use the library, so it is called without the lock. */
static void report(sp_status status, const char *message)
{
    pthread_mutex_lock(&handler.mutex);
    sp_error_handler *function = handler.function;
    void *user = handler.user;
    pthread_mutex_unlock(&handler.mutex);
    if (function) function(status, message, user);
}

/* ---- messages ---- */

/* Appends as much as fits; returns the new length. */
static size_t append(char *text, size_t length, const char *more)
{
    size_t n = strlen(more);
    if (n > MESSAGE_SIZE - 1 - length) n = MESSAGE_SIZE - 1 - length;
    memcpy(text + length, more, n);
    text[length + n] = 0;
    return length + n;
}

static bool is_named(const sp_error_frame *frame)
{
    return frame->name && *frame->name;
}

/* The n-th named frame from the innermost. */
static const sp_error_frame *named_frame(const sp_error_frame *frame, int n)
{
    for (; frame; frame = frame->outer)
        if (is_named(frame) && n-- == 0) return frame;
    return NULL;
}

/* Frames are linked from the innermost to the outermost; a path is written the other way round. A long path is shown by
 * its two ends. */
static size_t append_path(char *text, size_t length, const sp_error_frame *frame)
{
    int n = 0;
    for (const sp_error_frame *f = frame; f; f = f->outer) n += is_named(f);
    for (int i = n - 1; i >= 0; i--) {
        const bool hidden = i >= PATH_END && i < n - PATH_END;
        if (hidden && i > PATH_END) continue;
        length = append(text, length, hidden ? "." : named_frame(frame, i)->name);
        if (i > 0) length = append(text, length, ".");
    }
    return length;
}

/* "in encode.0 (Linear): " */
static size_t append_place(char *text, const sp_error_frame *frame)
{
    if (!frame) return 0;
    size_t in = append(text, 0, "in ");
    size_t length = append_path(text, in, frame);
    const char *type = frame->type ? frame->type : "";
    if (length == in) {
        length = append(text, length, type);
    } else if (*type) {
        length = append(text, length, " (");
        length = append(text, length, type);
        length = append(text, length, ")");
    }
    return length == in ? 0 : append(text, length, ": ");
}

/* A message is one line that a terminal can show, whatever it quotes. */
static void set_message(const char *text)
{
    sp_printable(text, error.message, sizeof error.message);
}

/* What follows the name of a function at the beginning of a message; NULL when it begins with none. */
static const char *behind_function(const char *text)
{
    size_t n = strncmp(text, "sp_", 3) != 0 ? 0 : strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_");
    return n && text[n] == ':' ? text + n : NULL;
}

static size_t append_all(char *text, size_t length, const char *const parts[4])
{
    for (int i = 0; i < 4; i++) length = append(text, length, parts[i]);
    return length;
}

/* Appends the text under the name of the function that the user called; see sp__caller. */
static void append_named(char *message, size_t length, const char *text)
{
    const char *rest = behind_function(text);
    const sp__caller *inner = error.caller, *called = NULL;
    for (const sp__caller *c = inner; c; c = c->outer)
        if (c->function) called = c;
    if (called) {
        length = append_all(message, length, (const char *[]){"sp_", called->name, called->suffix, rest ? "" : ": "});
        text = rest ? rest : text;
    } else if (inner && !rest && strncmp(text, inner->name, strlen(inner->name)) != 0) {
        length = append_all(message, length, (const char *[]){"in ", inner->name, inner->suffix, ": "});
    }
    append(message, length, text);
}

static void raise_first(sp_status status, const char *text)
{
    char whole[MESSAGE_SIZE] = "";
    append_named(whole, append_place(whole, error.frame), text);
    error.pending = status;
    set_message(whole);
    if (!error.quiet) report(status, error.message);
}

sp_status(sp_raise)(sp_status status, const char *format, ...)
{
    if (error.pending || status == SP_OK) return status;
    char text[MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    int length = sp_vformat(text, sizeof text, format, arguments);
    va_end(arguments);
    raise_first(status, length < 0 ? format : text);
    return status;
}

/* ---- warnings ---- */

/* FNV-1a, and never 0. */
static uint64_t hash_of(const char *text)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (; *text; text++) hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
    return hash | 1;
}

/* Whether this thread says it for the first time. After 32 different warnings the program has been told enough. */
static bool is_new(const char *text)
{
    static _Thread_local uint64_t said[32];
    const uint64_t hash = hash_of(text);
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        if (said[i] == hash) return false;
        if (said[i] == 0) return said[i] = hash, true;
    }
    return false;
}

void sp_warn(const char *format, ...)
{
    char text[MESSAGE_SIZE] = "", whole[MESSAGE_SIZE] = "", shown[MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    sp_vformat(text, sizeof text, format, arguments);
    va_end(arguments);
    append_named(whole, append_place(whole, error.frame), text);
    sp_printable(whole, shown, sizeof shown);
    if (!error.quiet && is_new(shown)) report(SP_WARNING, shown);
}

sp_status(sp_raise_null)(const char *function, const char *argument)
{
    if (error.pending) return error.pending;
    const char *q = sp__quote(argument);
    return sp_raise(SP_ERROR_NULL, "%s: argument %s%s%s is NULL, though no error is pending", function, q, argument, q);
}

void sp_error_context(const char *format, ...)
{
    if (!error.pending) return;
    char text[MESSAGE_SIZE] = "";
    va_list arguments;
    va_start(arguments, format);
    sp_vformat(text, sizeof text, format, arguments);
    va_end(arguments);
    append(text, strlen(text), error.message);
    set_message(text);
}

void sp_error_enter(sp_error_frame *frame, const char *name, const char *type)
{
    *frame = (sp_error_frame){name, type, error.frame};
    error.frame = frame;
}

void sp_error_leave(const sp_error_frame *frame)
{
    error.frame = frame->outer;
}

void sp__call_enter(sp__caller *caller)
{
    caller->outer = error.caller;
    error.caller = caller;
}

void sp__call_leave(const sp__caller *caller)
{
    error.caller = caller->outer;
}

bool sp_error_quiet(bool quiet)
{
    bool before = error.quiet;
    error.quiet = quiet;
    return before;
}

/* ---- questions ---- */

sp_status(sp_error_status)(void)
{
    return error.pending;
}

const char *sp_error_message(void)
{
    return error.message;
}

sp_status sp_error_clear(void)
{
    sp_status status = error.pending;
    error.pending = SP_OK;
    return status;
}

const char *sp_status_name(sp_status status)
{
    static const char *const names[] = {
        [SP_OK] = "no error",
        [SP_ERROR_ARGUMENT] = "argument out of range",
        [SP_ERROR_NULL] = "missing object",
        [SP_ERROR_SHAPE] = "shapes do not fit",
        [SP_ERROR_DTYPE] = "element types do not fit",
        [SP_ERROR_DEVICE] = "devices do not fit",
        [SP_ERROR_STATE] = "call at the wrong time",
        [SP_ERROR_MEMORY] = "out of memory",
        [SP_ERROR_IO] = "input or output failed",
        [SP_ERROR_FORMAT] = "malformed file",
        [SP_ERROR_NOT_FOUND] = "not found",
        [SP_ERROR_UNSUPPORTED] = "not in this build",
        [SP_ERROR_INTERRUPTED] = "interrupted",
        [SP_WARNING] = "warning",
    };
    size_t i = (size_t)status;
    return i < sizeof names / sizeof *names ? names[i] : "unknown status";
}

#ifndef SP_VERSION
#define SP_VERSION "0.1.0"
#endif

const char *sp_version(void)
{
    return SP_VERSION;
}

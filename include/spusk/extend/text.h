/* Text that is the same in every locale, and text of unknown origin, for writers of file formats and programs. */
#ifndef SPUSK_EXTEND_TEXT_H
#define SPUSK_EXTEND_TEXT_H

#include <spusk/status.h>
#include <stdarg.h>

SP_BEGIN

/* Writes text of unknown origin (a file's, a user's) to buffer so that a terminal can show it, and returns the length
 * of the whole, as snprintf does. Written as \x1b or \u202e are: controls (escape sequences begin with one), separators
 * of lines, marks that turn the direction of writing, bytes that are no UTF-8. Messages of errors have been through it.
 * NULL is "". */
SP_API size_t sp_printable(const char *text, char *buffer, size_t size);

/* Whether a text is valid UTF-8, as JSON demands. */
SP_API bool sp_is_utf8(const char *text);

/* vsnprintf with a point in numbers, whatever the locale of the program and the thread. All that the library writes
 * goes through it. */
SP_API int sp_vformat(char *buffer, size_t size, const char *format, va_list arguments) SP_PRINTF(3, 0);

/* snprintf with a point in numbers, whatever the locale. */
SP_API int sp_format(char *buffer, size_t size, const char *format, ...) SP_PRINTF(3, 4);

/* strtod with a point in numbers, whatever the locale. */
SP_API double sp_parse_double(const char *text, char **end);

/* The number of the row that has a name, of which `length` characters count. The table has n rows of row_size bytes, and
 * each begins with its name (a const char *). -1 for none; then all names are written to `list` of `size` bytes, as
 * "a, b, c", for a message. */
SP_API int sp_name_find(const void *rows, int n, size_t row_size, const char *name, size_t length, char *list,
                        size_t size);

SP_END_DECLS

#endif

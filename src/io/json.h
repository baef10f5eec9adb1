/* JSON by jansson. The result of every call is checked, because a value that could not be added would be missing from a
 * file without a word. A NULL passes on, as in the library's own calls. */
#ifndef SPUSK_IO_JSON_H
#define SPUSK_IO_JSON_H

#include <spusk/extend.h>

#if SP_HAVE_JANSSON
#include <jansson.h>

/* What was made, or NULL and an error. */
json_t *sp__json_made(json_t *value);
/* A text; fails where it is not UTF-8. */
json_t *sp__json_text(const char *text);
/* Puts a value under a key, or at the end of a list. The object or list owns the value from then on, also after a
 * failure. */
sp_status sp__json_set(json_t *object, const char *key, json_t *value);
sp_status sp__json_append(json_t *list, json_t *value);
/* Reads a text. NULL without memory, with an error, and where the text is not valid JSON; then `why` tells. */
json_t *sp__json_parse(const char *text, size_t length, json_error_t *why);
/* Writes the value without spaces and ends it with a zero. The text stands in memory of its own, `before` bytes from
 * its start, and *length is its length. To be freed by sp_free(text, before + *length + 1). */
char *sp__json_write(const json_t *value, size_t before, size_t *length);

#endif
#endif

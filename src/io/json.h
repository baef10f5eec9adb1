/* JSON by jansson, every call's result looked at: what could not be added would be missing from a file without a word.
 * A NULL passes on, as in the library's own calls. */
#ifndef SPUSK_IO_JSON_H
#define SPUSK_IO_JSON_H

#include <spusk/extend.h>

#if SP_HAVE_JANSSON
#include <jansson.h>

/* What was made, or NULL and an error. */
json_t *sp__json_made(json_t *value);
/* A text; fails where it is not UTF-8. */
json_t *sp__json_text(const char *text);
/* Puts a value under a key, or at a list's end. The value is theirs from then on, also after a failure. */
sp_status sp__json_set(json_t *object, const char *key, json_t *value);
sp_status sp__json_append(json_t *list, json_t *value);
/* Reads a text. NULL after out of memory, with an error, or where it is not right JSON: `why` tells. */
json_t *sp__json_parse(const char *text, size_t length, json_error_t *why);
/* Writes the value without spaces into memory of its own, `before` bytes from its start, and tells its length; to be
 * freed with sp_free(text, before + *length + 1). A zero ends it. */
char *sp__json_write(const json_t *value, size_t before, size_t *length);

#endif
#endif

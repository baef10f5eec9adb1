/* Making JSON and writing it, with errors raised. */
#include "json.h"

#if SP_HAVE_JANSSON

#include <pthread.h>

static sp_status no_memory(void)
{
    sp_raise(SP_ERROR_MEMORY, "out of memory: JSON could not be read or made");
    return sp_error_status();
}

json_t *sp__json_made(json_t *value)
{
    if (!value) no_memory();
    return value;
}

json_t *sp__json_text(const char *text)
{
    if (sp_is_utf8(text)) return sp__json_made(json_string_nocheck(text));
    sp_raise(SP_ERROR_ARGUMENT, "cannot save '%s': the text is not UTF-8", text);
    return NULL;
}

sp_status sp__json_set(json_t *object, const char *key, json_t *value)
{
    if (!sp_is_utf8(key)) {
        json_decref(value);
        return sp_raise(SP_ERROR_ARGUMENT, "cannot save '%s': the name is not UTF-8", key);
    }
    return json_object_set_new_nocheck(object, key, value) == 0 ? SP_OK : no_memory();
}

sp_status sp__json_append(json_t *list, json_t *value)
{
    return json_array_append_new(list, value) == 0 ? SP_OK : no_memory();
}

/* ---- reading ----
 *
 * jansson's lexer (2.14, lex_save) does not look whether its buffer could grow: without memory, characters of names and
 * numbers are missing from what it reads, and it says that all went well. So its allocations go through a function that
 * remembers a failure while it reads. */

static struct {
    pthread_mutex_t mutex;
    json_malloc_t malloc; /* the host's */
} door = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static _Thread_local bool was_refused;

static void *watched_malloc(size_t size)
{
    void *block = door.malloc(size);
    if (!block && size > 0) was_refused = true;
    return block;
}

/* Other threads that use jansson in the meantime pass through the same function and get what they always got. */
static json_t *parse_watched(const char *text, size_t length, json_error_t *why)
{
    json_free_t free_function;
    was_refused = false;
    pthread_mutex_lock(&door.mutex);
    json_get_alloc_funcs(&door.malloc, &free_function);
    json_set_alloc_funcs(watched_malloc, free_function);
    json_t *value = json_loadb(text, length, JSON_REJECT_DUPLICATES, why);
    json_set_alloc_funcs(door.malloc, free_function);
    pthread_mutex_unlock(&door.mutex);
    return value;
}

json_t *sp__json_parse(const char *text, size_t length, json_error_t *why)
{
    json_t *value = parse_watched(text, length, why);
    if (!was_refused) return value;
    json_decref(value);
    no_memory();
    return NULL;
}

/* ---- writing ---- */

char *sp__json_write(const json_t *value, size_t before, size_t *length)
{
    const size_t flags = JSON_COMPACT | JSON_PRESERVE_ORDER;
    *length = value ? json_dumpb(value, NULL, 0, flags) : 0;
    if (*length == 0) return no_memory(), NULL;
    char *text = sp_alloc(before + *length + 1);
    if (!text) return NULL;
    if (json_dumpb(value, text + before, *length, flags) == *length) return text;
    sp_free(text, before + *length + 1);
    return no_memory(), NULL;
}

#endif

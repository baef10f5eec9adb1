/* Reading the head of a safetensors file. Nothing in it is believed; the checks stand in the order of the file. */
#include "safetensors.h"
#include "writer.h"

#if SP_HAVE_JANSSON

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const sp__st_type sp__st_types[] = {
    {"U64", SP_DTYPE_DEFAULT},
    {"I64", SP_I64},
    {"F64", SP_F64},
    {"C64", SP_DTYPE_DEFAULT},
    {"F32", SP_F32},
    {"U32", SP_DTYPE_DEFAULT},
    {"I32", SP_I32},
    {"BF16", SP_BF16},
    {"F16", SP_DTYPE_DEFAULT},
    {"U16", SP_DTYPE_DEFAULT},
    {"I16", SP_DTYPE_DEFAULT},
    {"F8_E8M0", SP_DTYPE_DEFAULT},
    {"F8_E4M3", SP_DTYPE_DEFAULT},
    {"F8_E5M2", SP_DTYPE_DEFAULT},
    {"I8", SP_DTYPE_DEFAULT},
    {"U8", SP_U8},
    {"BOOL", SP_BOOL},
    {NULL, SP_DTYPE_DEFAULT},
};

static sp_status fail(const sp__st_file *file, const char *format, ...) SP_PRINTF(2, 3);
static sp_status fail(const sp__st_file *file, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return sp_raise(SP_ERROR_FORMAT, "%s is not a right safetensors file: %s", file->path, text);
}

/* ---- the entry of one tensor ---- */

static sp_status read_dtype(const sp__st_file *file, sp__st_entry *entry, const json_t *value)
{
    const char *name = json_string_value(json_object_get(value, "dtype"));
    if (!name) return fail(file, "tensor '%s' has no dtype", entry->name);
    const sp__st_type *type = sp__st_types;
    while (type->name && strcmp(type->name, name) != 0) type++;
    if (!type->name) return fail(file, "tensor '%s' has the unknown dtype '%s'", entry->name, name);
    if (type->dtype == SP_DTYPE_DEFAULT)
        return sp_raise(SP_ERROR_UNSUPPORTED, "%s: tensor '%s' is of dtype %s, which spusk does not have", file->path,
                        entry->name, name);
    entry->dtype = type->dtype;
    return SP_OK;
}

static sp_status read_shape(const sp__st_file *file, sp__st_entry *entry, const json_t *value, int64_t *bytes)
{
    const json_t *shape = json_object_get(value, "shape");
    if (!json_is_array(shape)) return fail(file, "tensor '%s' has no shape", entry->name);
    size_t n = json_array_size(shape);
    if (n > SP_MAX_DIMS)
        return sp_raise(SP_ERROR_UNSUPPORTED, "%s: tensor '%s' has %zu dimensions, more than %d", file->path,
                        entry->name, n, SP_MAX_DIMS);
    entry->n_dims = (int)n;
    *bytes = (int64_t)sp_dtype_size(entry->dtype);
    for (size_t i = 0; i < n; i++) {
        const json_t *size = json_array_get(shape, i);
        entry->dims[i] = (int64_t)json_integer_value(size);
        if (!json_is_integer(size) || entry->dims[i] < 0)
            return fail(file, "the shape of tensor '%s' is not made of sizes", entry->name);
        if (__builtin_mul_overflow(*bytes, entry->dims[i], bytes))
            return fail(file, "the shape of tensor '%s' is too large to count", entry->name);
    }
    return SP_OK;
}

static sp_status read_offsets(const sp__st_file *file, sp__st_entry *entry, const json_t *value, int64_t bytes)
{
    const json_t *offsets = json_object_get(value, "data_offsets");
    const json_t *begin = json_array_get(offsets, 0), *end = json_array_get(offsets, 1);
    if (json_array_size(offsets) != 2 || !json_is_integer(begin) || !json_is_integer(end))
        return fail(file, "the data_offsets of tensor '%s' are not two whole numbers", entry->name);
    entry->begin = (int64_t)json_integer_value(begin);
    entry->end = (int64_t)json_integer_value(end);
    if (entry->begin < 0 || entry->end < entry->begin || entry->end > file->data_bytes)
        return fail(file, "tensor '%s' lies at bytes %lld to %lld of %lld", entry->name, (long long)entry->begin,
                    (long long)entry->end, (long long)file->data_bytes);
    if (entry->end - entry->begin != bytes)
        return fail(file, "tensor '%s' needs %lld bytes by its shape and has %lld", entry->name, (long long)bytes,
                    (long long)(entry->end - entry->begin));
    return SP_OK;
}

static sp_status read_entry(const sp__st_file *file, sp__st_entry *entry, const char *name, const json_t *value)
{
    int64_t bytes = 0;
    entry->name = name;
    if (!json_is_object(value)) return fail(file, "tensor '%s' is not described by an object", name);
    sp_status status = read_dtype(file, entry, value);
    if (status == SP_OK) status = read_shape(file, entry, value, &bytes);
    if (status == SP_OK) status = read_offsets(file, entry, value, bytes);
    return status;
}

static sp_status read_metadata(sp__st_file *file, json_t *metadata)
{
    const char *key;
    json_t *value;
    if (!json_is_object(metadata)) return fail(file, "its " SP__ST_METADATA " is not an object");
    const size_t n = json_object_size(metadata);
    file->keys = sp_alloc(n * sizeof *file->keys);
    if (!file->keys) return SP_ERROR_MEMORY;
    file->n_keys = n;
    size_t i = 0;
    json_object_foreach(metadata, key, value)
    {
        if (!json_is_string(value)) return fail(file, "the metadata value of '%s' is not a string", key);
        file->keys[i++] = key;
    }
    return SP_OK;
}

/* ---- all of them ---- */

static int by_offset(const void *a, const void *b)
{
    const sp__st_entry *x = *(sp__st_entry *const *)a, *y = *(sp__st_entry *const *)b;
    if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
    return (x->end > y->end) - (x->end < y->end);
}

/* Together the tensors must cover all bytes, each once. */
static sp_status check_cover(const sp__st_file *file)
{
    sp__st_entry **sorted = sp_alloc(file->n * sizeof *sorted);
    if (!sorted) return SP_ERROR_MEMORY;
    for (size_t i = 0; i < file->n; i++) sorted[i] = &file->entries[i];
    qsort(sorted, file->n, sizeof *sorted, by_offset);
    int64_t at = 0;
    sp_status status = SP_OK;
    for (size_t i = 0; i < file->n && status == SP_OK; i++) {
        if (sorted[i]->begin != at)
            status = fail(file, "tensor '%s' begins at byte %lld, %s", sorted[i]->name, (long long)sorted[i]->begin,
                          sorted[i]->begin < at ? "inside another" : "after a gap");
        at = sorted[i]->end;
    }
    if (status == SP_OK && at != file->data_bytes)
        status = fail(file, "%lld bytes at its end belong to no tensor", (long long)(file->data_bytes - at));
    sp_free(sorted, file->n * sizeof *sorted);
    return status;
}

static sp_status read_entries(sp__st_file *file)
{
    const char *key;
    json_t *value;
    size_t all = json_object_size(file->head);
    json_t *metadata = json_object_get(file->head, SP__ST_METADATA);
    sp_status status = metadata ? read_metadata(file, metadata) : SP_OK;
    if (status != SP_OK) return status;
    file->n = all - (metadata != NULL);
    file->entries = sp_alloc(file->n * sizeof *file->entries);
    if (!file->entries) return SP_ERROR_MEMORY;
    size_t i = 0;
    json_object_foreach(file->head, key, value)
    {
        if (value == metadata) continue;
        status = read_entry(file, &file->entries[i], key, value);
        if (status == SP_OK) status = sp_map_set(&file->names, key, strlen(key), (int64_t)i++);
        if (status != SP_OK) return status;
    }
    return check_cover(file);
}

const char *sp__st_metadata(const sp__st_file *file, const char *key)
{
    return json_string_value(json_object_get(json_object_get(file->head, SP__ST_METADATA), key));
}

/* ---- the file ---- */

static sp_status parse(sp__st_file *file, const char *text, size_t length)
{
    json_error_t error;
    if (length == 0 || text[0] != '{') return fail(file, "its head does not begin with '{'");
    file->head = sp__json_parse(text, length, &error);
    if (file->head) return SP_OK;
    if (sp_error_status() != SP_OK) return sp_error_status();
    return fail(file, "its head is not right JSON: %s (byte %d)", error.text, error.position);
}

static sp_status read_head(sp__st_file *file, int64_t size)
{
    unsigned char length[8];
    uint64_t n = 0;
    if (size < 8) return fail(file, "it has %lld bytes, and the length of its head alone takes 8", (long long)size);
    sp_status status = sp__read_at(file->fd, file->path, 0, length, sizeof length);
    if (status != SP_OK) return status;
    for (int i = 7; i >= 0; i--) n = n << 8 | length[i];
    if (n > SP__ST_MAX_HEAD || n > (uint64_t)size - 8)
        return fail(file, "its head should take %llu bytes, but only %lld follow", (unsigned long long)n,
                    (long long)size - 8);
    char *text = sp_alloc((size_t)n);
    if (!text) return SP_ERROR_MEMORY;
    status = sp__read_at(file->fd, file->path, 8, text, (size_t)n);
    if (status == SP_OK) status = parse(file, text, (size_t)n);
    sp_free(text, (size_t)n);
    file->data_start = 8 + (int64_t)n;
    file->data_bytes = size - file->data_start;
    return status;
}

sp_status sp__st_open(sp__st_file *file, const char *path)
{
    int64_t size = 0;
    *file = (sp__st_file){.path = path};
    file->fd = sp__open_file(path, &size);
    if (file->fd < 0) return sp_error_status();
    sp_status status = read_head(file, size);
    return status == SP_OK ? read_entries(file) : status;
}

void sp__st_close(sp__st_file *file)
{
    if (file->entries) sp_free(file->entries, file->n * sizeof *file->entries);
    if (file->keys) sp_free(file->keys, file->n_keys * sizeof *file->keys);
    sp_map_free(&file->names);
    if (file->head) json_decref(file->head);
    if (file->fd >= 0) close(file->fd);
}

#endif

/* A safetensors file held open: what its head says, and single tensors. */
#include "safetensors.h"

#if SP_HAVE_JANSSON

#include <string.h>

struct sp_safe_file {
    sp__st_file file;
    char *path;
};

static void safe_file_destroy(void *object)
{
    sp_safe_file *safe = object;
    sp__st_close(&safe->file);
    sp_free_text(safe->path);
}

static const sp_kind safe_file_kind = {"safetensors file", safe_file_destroy};

static const sp__st_file *file_of(const sp_safe_file *safe, const char *function)
{
    if (!safe) return sp_raise_null(function, "file"), NULL;
    if (sp_object_is(safe, &safe_file_kind)) return &safe->file;
    sp_raise(SP_ERROR_ARGUMENT, "%s: the argument is no safetensors file", function);
    return NULL;
}

sp_safe_file *sp_safe_open(const char *path)
{
    if (!path) return sp_raise_null("sp_safe_open", "path"), NULL;
    sp_safe_file *safe = sp_object_new(&safe_file_kind, sizeof *safe);
    if (!safe) return NULL;
    safe->file.fd = -1;
    safe->path = sp_strdup(path);
    if (safe->path && sp__st_open(&safe->file, safe->path) == SP_OK) return safe;
    sp_release(safe);
    return NULL;
}

/* ---- tensors ---- */

int64_t sp_safe_length(const sp_safe_file *safe)
{
    const sp__st_file *file = file_of(safe, "sp_safe_length");
    return file ? (int64_t)file->n : 0;
}

static const sp__st_entry *entry_at(const sp_safe_file *safe, int64_t i, const char *function)
{
    const sp__st_file *file = file_of(safe, function);
    if (!file) return NULL;
    if (i >= 0 && i < (int64_t)file->n) return &file->entries[i];
    sp_raise(SP_ERROR_ARGUMENT, "%s: there is no tensor %lld among %zu", function, (long long)i, file->n);
    return NULL;
}

const char *sp_safe_name(const sp_safe_file *safe, int64_t i)
{
    const sp__st_entry *entry = entry_at(safe, i, "sp_safe_name");
    return entry ? entry->name : "";
}

sp_dtype sp_safe_dtype(const sp_safe_file *safe, int64_t i)
{
    const sp__st_entry *entry = entry_at(safe, i, "sp_safe_dtype");
    return entry ? entry->dtype : SP_DTYPE_DEFAULT;
}

sp_dims sp_safe_sizes(const sp_safe_file *safe, int64_t i)
{
    const sp__st_entry *entry = entry_at(safe, i, "sp_safe_sizes");
    return entry ? (sp_dims){entry->dims, entry->n_dims} : (sp_dims){NULL, 0};
}

sp_tensor *sp_safe_get_tensor(const sp_safe_file *safe, const char *name)
{
    const sp__st_file *file = file_of(safe, "sp_safe_get_tensor");
    if (!file) return NULL;
    if (!name) return sp_raise_null("sp_safe_get_tensor", "name"), NULL;
    const int64_t i = sp_map_find(&file->names, name, strlen(name));
    if (i >= 0) return sp__st_read(file, &file->entries[i]);
    sp_raise(SP_ERROR_NOT_FOUND, "sp_safe_get_tensor: %s has no tensor \"%s\"", file->path, name);
    return NULL;
}

/* ---- metadata ---- */

int64_t sp_safe_num_metadata(const sp_safe_file *safe)
{
    const sp__st_file *file = file_of(safe, "sp_safe_num_metadata");
    return file ? (int64_t)file->n_keys : 0;
}

const char *sp_safe_metadata_key(const sp_safe_file *safe, int64_t i)
{
    const sp__st_file *file = file_of(safe, "sp_safe_metadata_key");
    if (!file) return "";
    if (i >= 0 && i < (int64_t)file->n_keys) return file->keys[i];
    sp_raise(SP_ERROR_ARGUMENT, "sp_safe_metadata_key: there is no key %lld among %zu", (long long)i, file->n_keys);
    return "";
}

const char *sp_safe_metadata(const sp_safe_file *safe, const char *key)
{
    const sp__st_file *file = file_of(safe, "sp_safe_metadata");
    if (!file) return NULL;
    if (!key) return sp_raise_null("sp_safe_metadata", "key"), NULL;
    return sp__st_metadata(file, key);
}

#endif

/* Tensors and metadata out of a safetensors file. */
#include "safetensors.h"
#include "writer.h"

#if SP_HAVE_JANSSON

#include <stdio.h>
#include <string.h>

/* PyTorch reads any byte but 0 as true; C knows only 0 and 1. */
static void only_zero_or_one(unsigned char *data, size_t n)
{
    for (size_t i = 0; i < n; i++) data[i] = data[i] != 0;
}

sp_tensor *sp__st_read(const sp__st_file *file, const sp__st_entry *entry)
{
    sp_tensor *x = sp_empty(((sp_dims){entry->dims, entry->n_dims}), .dtype = entry->dtype);
    size_t bytes = (size_t)(entry->end - entry->begin);
    void *data = x && bytes > 0 ? sp_data(x) : NULL;
    if (!data) return bytes > 0 ? NULL : x;
    if (sp__read_at(file->fd, file->path, file->data_start + entry->begin, data, bytes) != SP_OK) return NULL;
    if (entry->dtype == SP_BOOL) only_zero_or_one(data, bytes);
    return x;
}

static sp_status read_tensors(const sp__st_file *file, sp_dict *dict)
{
    sp_status status = SP_OK;
    for (size_t i = 0; i < file->n && status == SP_OK; i++) {
        SP_SCOPE {
            sp_tensor *x = sp__st_read(file, &file->entries[i]);
            status = x ? sp_dict_set(dict, file->entries[i].name, x) : sp_error_status();
        }
    }
    return status;
}

sp_dict *sp__st_read_all(const sp__st_file *file)
{
    sp_dict *dict = sp_dict_new();
    if (dict && read_tensors(file, dict) == SP_OK) return dict;
    sp_release(dict);
    return NULL;
}

sp_dict *sp_load_tensors(const char *path)
{
    sp__st_file file;
    sp_dict *dict = sp__st_open(&file, path) == SP_OK ? sp__st_read_all(&file) : NULL;
    sp__st_close(&file);
    return dict;
}

static int64_t copy_text(const char *text, char *buffer, size_t size)
{
    if (!text) return -1;
    if (size > 0) snprintf(buffer, size, "%s", text);
    return (int64_t)strlen(text);
}

int64_t sp_load_metadata(const char *path, const char *key, char *buffer, size_t size)
{
    if (!key) return sp_raise_null("sp_load_metadata", "key"), -1;
    if (!buffer && size > 0) return sp_raise_null("sp_load_metadata", "buffer"), -1;
    sp__st_file file;
    int64_t length = -1;
    if (sp__st_open(&file, path) == SP_OK) length = copy_text(sp__st_metadata(&file, key), buffer, size);
    sp__st_close(&file);
    return length;
}

int64_t sp_load_metadata_key(const char *path, int64_t i, char *buffer, size_t size)
{
    if (!buffer && size > 0) return sp_raise_null("sp_load_metadata_key", "buffer"), -1;
    sp__st_file file;
    int64_t length = -1;
    if (sp__st_open(&file, path) == SP_OK && i >= 0 && i < (int64_t)file.n_keys)
        length = copy_text(file.keys[i], buffer, size);
    sp__st_close(&file);
    return length;
}

#endif

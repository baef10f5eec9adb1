/* A dictionary of tensors as a safetensors file. The same tensors give the same bytes, those of the reference
 * implementation: tensors by alignment, then by name; metadata by key. */
#include "safetensors.h"
#include "writer.h"

#if SP_HAVE_JANSSON

#include <stdlib.h>
#include <string.h>

typedef struct item {
    const char *name;
    sp_tensor *x;
    int rank; /* place of the dtype in sp__st_types */
    size_t bytes;
} item;

typedef struct pair {
    const char *key, *value;
} pair;

static int by_rank_and_name(const void *a, const void *b)
{
    const item *x = a, *y = b;
    return x->rank != y->rank ? x->rank - y->rank : strcmp(x->name, y->name);
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const pair *)a)->key, ((const pair *)b)->key);
}

static int rank_of(sp_dtype dtype)
{
    int rank = 0;
    while (sp__st_types[rank].name && sp__st_types[rank].dtype != dtype) rank++;
    return rank;
}

static sp_status fill_items(const sp_dict *tensors, item *items, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *name = sp_dict_name(tensors, (int64_t)i);
        sp_tensor *x = sp_dict_get(tensors, (int64_t)i);
        if (!name || !x) return sp_raise_null("sp_save_tensors", "tensors");
        if (strcmp(name, SP__ST_METADATA) == 0)
            return sp_raise(SP_ERROR_ARGUMENT, "a tensor cannot be saved under the name " SP__ST_METADATA);
        sp_dtype dtype = sp_dtype_of(x);
        items[i] = (item){name, x, rank_of(dtype), (size_t)sp_numel(x) * sp_dtype_size(dtype)};
    }
    qsort(items, n, sizeof *items, by_rank_and_name);
    return SP_OK;
}

/* ---- the head ---- */

/* Puts a list of whole numbers under a key. */
static sp_status set_list(json_t *object, const char *key, const int64_t *numbers, int n)
{
    json_t *list = json_array();
    sp_status status = sp__json_set(object, key, list);
    for (int i = 0; i < n && status == SP_OK; i++) status = sp__json_append(list, json_integer(numbers[i]));
    return status;
}

static sp_status add_item(json_t *head, const item *it, size_t at)
{
    json_t *about = json_object();
    const sp_dims sizes = sp_sizes(it->x);
    const int64_t offsets[] = {(int64_t)at, (int64_t)(at + it->bytes)};
    sp_status status = sp__json_set(head, it->name, about);
    if (status == SP_OK) status = sp__json_set(about, "dtype", sp__json_text(sp__st_types[it->rank].name));
    if (status == SP_OK) status = set_list(about, "shape", sizes.data, sizes.n);
    return status == SP_OK ? set_list(about, "data_offsets", offsets, 2) : status;
}

static size_t count_pairs(const char *const *metadata)
{
    size_t n = 0;
    while (metadata[2 * n] && metadata[2 * n + 1]) n++;
    return n;
}

static sp_status add_metadata(json_t *head, const char *const *metadata)
{
    if (!metadata) return SP_OK;
    size_t n = count_pairs(metadata);
    if (metadata[2 * n]) return sp_raise(SP_ERROR_ARGUMENT, "the metadata key '%s' has no value", metadata[2 * n]);
    if (n == 0) return SP_OK;
    pair *pairs = sp_alloc(n * sizeof *pairs);
    if (!pairs) return SP_ERROR_MEMORY;
    for (size_t i = 0; i < n; i++) pairs[i] = (pair){metadata[2 * i], metadata[2 * i + 1]};
    qsort(pairs, n, sizeof *pairs, by_key);
    json_t *object = json_object();
    sp_status status = sp__json_set(head, SP__ST_METADATA, object);
    for (size_t i = 0; i < n && status == SP_OK; i++)
        status = sp__json_set(object, pairs[i].key, sp__json_text(pairs[i].value));
    sp_free(pairs, n * sizeof *pairs);
    return status;
}

static sp_status build_head(json_t *head, const item *items, size_t n, const char *const *metadata)
{
    size_t at = 0;
    sp_status status = add_metadata(head, metadata);
    for (size_t i = 0; i < n && status == SP_OK; i++) {
        status = add_item(head, &items[i], at);
        at += items[i].bytes;
    }
    return status;
}

/* Its length, then the JSON with spaces to a multiple of 8. */
static sp_status write_head(sp__writer *writer, json_t *head)
{
    static const char spaces[8] = "        ";
    size_t length = 0;
    char *text = sp__json_write(head, 8, &length);
    if (!text) return SP_ERROR_MEMORY;
    const size_t padded = (length + 7) / 8 * 8;
    for (int i = 0; i < 8; i++) text[i] = (char)(padded >> 8 * i & 255);
    sp_status status = SP_OK;
    if (padded > SP__ST_MAX_HEAD)
        status = sp_raise(SP_ERROR_ARGUMENT, "names and metadata take %zu bytes, more than the format's %d", padded,
                          SP__ST_MAX_HEAD);
    if (status == SP_OK) status = sp__writer_write(writer, text, 8 + length);
    if (status == SP_OK) status = sp__writer_write(writer, spaces, padded - length);
    sp_free(text, 8 + length + 1);
    return status;
}

/* ---- the data ---- */

static sp_status write_tensor(sp__writer *writer, const item *it)
{
    if (it->bytes == 0) return SP_OK;
    char *copy = sp_alloc(it->bytes);
    if (!copy) return SP_ERROR_MEMORY;
    sp_status status = sp_copy_out(copy, it->x, it->bytes);
    if (status == SP_OK) status = sp__writer_write(writer, copy, it->bytes);
    sp_free(copy, it->bytes);
    return status;
}

static sp_status write_file(const char *path, json_t *head, const item *items, size_t n)
{
    sp__writer writer;
    sp_status status = sp__writer_open(&writer, path);
    if (status == SP_OK) status = write_head(&writer, head);
    for (size_t i = 0; i < n && status == SP_OK; i++) status = write_tensor(&writer, &items[i]);
    return sp__writer_close(&writer, status);
}

sp_status sp_save_tensors(const sp_dict *tensors, const char *path, const char *const *metadata)
{
    if (!tensors) return sp_raise_null("sp_save_tensors", "tensors");
    size_t n = (size_t)sp_dict_length(tensors);
    item *items = sp_alloc(n * sizeof *items);
    if (!items) return SP_ERROR_MEMORY;
    json_t *head = sp__json_made(json_object());
    sp_status status = head ? fill_items(tensors, items, n) : SP_ERROR_MEMORY;
    if (status == SP_OK) status = build_head(head, items, n, metadata);
    if (status == SP_OK) status = write_file(path, head, items, n);
    json_decref(head);
    sp_free(items, n * sizeof *items);
    return status;
}

#endif

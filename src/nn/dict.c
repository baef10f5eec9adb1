/* Dictionaries: an ordered map from names to tensors. */
#include <spusk/extend.h>
#include <spusk/nn.h>

typedef struct entry {
    char *name;
    sp_tensor *tensor; /* held */
} entry;

struct sp_dict {
    int64_t n;
    size_t capacity;
    entry *entries;
    sp_map places; /* from names to entries */
};

static void dict_destroy(void *object)
{
    sp_dict *dict = object;
    for (int64_t i = 0; i < dict->n; i++) {
        sp_drop(dict->entries[i].tensor);
        sp_free_text(dict->entries[i].name);
    }
    sp_free(dict->entries, dict->capacity * sizeof *dict->entries);
    sp_map_free(&dict->places);
}

static const sp_kind dict_kind = {"dict", dict_destroy};

static sp_status check(const sp_dict *dict, const char *function)
{
    if (!dict) return sp_raise_null(function, "dict");
    if (sp_object_is(dict, &dict_kind)) return SP_OK;
    return sp_raise(SP_ERROR_ARGUMENT, "%s: the argument is not a dict", function);
}

sp_dict *sp_dict_new(void)
{
    return sp_object_new(&dict_kind, sizeof(sp_dict));
}

static entry *find(const sp_dict *dict, const char *name)
{
    const int64_t i = sp_map_find(&dict->places, name, strlen(name));
    return i < 0 ? NULL : &dict->entries[i];
}

static sp_status append(sp_dict *dict, const char *name, sp_tensor *x)
{
    sp_status status = sp_reserve(&dict->entries, &dict->capacity, (size_t)dict->n + 1, sizeof *dict->entries);
    char *text = status == SP_OK ? sp_strdup(name) : NULL;
    if (!text) return sp_error_status();
    status = sp_map_set(&dict->places, text, strlen(text), dict->n);
    if (status != SP_OK) {
        sp_free_text(text);
        return status;
    }
    dict->entries[dict->n++] = (entry){text, sp_retain(x)};
    return SP_OK;
}

sp_status sp_dict_set(sp_dict *dict, const char *name, sp_tensor *x)
{
    sp_status status = check(dict, "sp_dict_set");
    if (status != SP_OK) return status;
    if (!name) return sp_raise_null("sp_dict_set", "name");
    if (!x) return sp_raise_null("sp_dict_set", "x");
    if (x == SP_NONE) return sp_raise(SP_ERROR_ARGUMENT, "sp_dict_set: SP_NONE is no tensor for \"%s\"", name);
    entry *old = find(dict, name);
    if (!old) return append(dict, name, x);
    sp_tensor *before = old->tensor;
    old->tensor = sp_retain(x);
    sp_drop(before);
    return SP_OK;
}

sp_tensor *sp_dict_find(const sp_dict *dict, const char *name)
{
    if (check(dict, "sp_dict_find") != SP_OK) return NULL;
    if (!name) return sp_raise_null("sp_dict_find", "name"), NULL;
    const entry *found = find(dict, name);
    return found ? found->tensor : NULL;
}

int64_t sp_dict_length(const sp_dict *dict)
{
    return check(dict, "sp_dict_length") == SP_OK ? dict->n : 0;
}

static const entry *at(const sp_dict *dict, int64_t i, const char *function)
{
    if (check(dict, function) != SP_OK) return NULL;
    if (i >= 0 && i < dict->n) return &dict->entries[i];
    sp_raise(SP_ERROR_ARGUMENT, "%s: there is no entry %lld among %lld", function, (long long)i, (long long)dict->n);
    return NULL;
}

const char *sp_dict_name(const sp_dict *dict, int64_t i)
{
    const entry *e = at(dict, i, "sp_dict_name");
    return e ? e->name : "";
}

sp_tensor *sp_dict_get(const sp_dict *dict, int64_t i)
{
    const entry *e = at(dict, i, "sp_dict_get");
    return e ? e->tensor : NULL;
}

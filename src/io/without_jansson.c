/* Without jansson there is no JSON, and so no safetensors: each function says so. */
#include <spusk/extend.h>
#include <spusk/io.h>

#if !SP_HAVE_JANSSON

static sp_status missing(void)
{
    return sp_raise(SP_ERROR_UNSUPPORTED, "this build has no jansson, so it can neither read nor write safetensors "
                                          "files and descriptions of networks");
}

sp_status sp_save_tensors(const sp_dict *tensors, const char *path, const char *const *metadata)
{
    (void)tensors, (void)path, (void)metadata;
    return missing();
}

sp_dict *sp_load_tensors(const char *path)
{
    (void)path;
    return missing(), NULL;
}

int64_t sp_load_metadata(const char *path, const char *key, char *buffer, size_t size)
{
    (void)path, (void)key, (void)buffer, (void)size;
    return missing(), -1;
}

int64_t sp_load_metadata_key(const char *path, int64_t i, char *buffer, size_t size)
{
    (void)path, (void)i, (void)buffer, (void)size;
    return missing(), -1;
}

sp_status sp_save_state(const sp_module *module, const char *path)
{
    (void)module, (void)path;
    return missing();
}

sp_status sp_load_state(sp_module *module, const char *path)
{
    (void)module, (void)path;
    return missing();
}

sp_module *sp_load_module(const char *path)
{
    (void)path;
    return missing(), NULL;
}

size_t sp_module_to_json(const sp_module *module, char *buffer, size_t size)
{
    (void)module, (void)buffer, (void)size;
    return missing(), 0;
}

sp_module *sp_module_from_json(const char *json)
{
    (void)json;
    return missing(), NULL;
}

sp_module *sp_module_outline_from_json(const char *json)
{
    (void)json;
    return missing(), NULL;
}

/* ---- a file held open: there can be none ---- */

sp_safe_file *sp_safe_open(const char *path)
{
    (void)path;
    return missing(), NULL;
}

int64_t sp_safe_length(const sp_safe_file *file)
{
    (void)file;
    return missing(), 0;
}

const char *sp_safe_name(const sp_safe_file *file, int64_t i)
{
    (void)file, (void)i;
    return missing(), "";
}

sp_dtype sp_safe_dtype(const sp_safe_file *file, int64_t i)
{
    (void)file, (void)i;
    return missing(), SP_DTYPE_DEFAULT;
}

sp_dims sp_safe_sizes(const sp_safe_file *file, int64_t i)
{
    (void)file, (void)i;
    return missing(), (sp_dims){NULL, 0};
}

sp_tensor *sp_safe_get_tensor(const sp_safe_file *file, const char *name)
{
    (void)file, (void)name;
    return missing(), NULL;
}

int64_t sp_safe_num_metadata(const sp_safe_file *file)
{
    (void)file;
    return missing(), 0;
}

const char *sp_safe_metadata_key(const sp_safe_file *file, int64_t i)
{
    (void)file, (void)i;
    return missing(), "";
}

const char *sp_safe_metadata(const sp_safe_file *file, const char *key)
{
    (void)file, (void)key;
    return missing(), NULL;
}

#endif

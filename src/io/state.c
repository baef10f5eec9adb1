/* A module's weights and description in one file, and back. */
#include "safetensors.h"

#if SP_HAVE_JANSSON

/* The description, to be freed with sp_free(text, *size). */
static char *describe(const sp_module *module, size_t *size)
{
    size_t length = sp_module_to_json(module, NULL, 0);
    *size = length + 1;
    char *text = length > 0 ? sp_alloc(*size) : NULL;
    if (text) sp_module_to_json(module, text, *size);
    return text;
}

sp_status sp_save_state(const sp_module *module, const char *path)
{
    if (!module) return sp_raise_null("sp_save_state", "module");
    size_t size = 0;
    char *text = describe(module, &size);
    if (!text) return sp_error_status();
    /* "format" tells Python's libraries that names and shapes are PyTorch's. */
    const char *const metadata[] = {"format", "pt", SP__ST_MODEL, text, NULL};
    sp_status status = SP_OK;
    SP_SCOPE {
        status = sp_save_tensors(sp_state_dict(module), path, metadata);
    }
    sp_free(text, size);
    return status;
}

sp_status sp_load_state(sp_module *module, const char *path)
{
    if (!module) return sp_raise_null("sp_load_state", "module");
    sp_status status = SP_OK;
    SP_SCOPE {
        sp_dict *state = sp_load_tensors(path);
        status = state ? sp_load_state_dict(module, state) : sp_error_status();
    }
    return status;
}

static sp_module *build_described(const char *path)
{
    int64_t length = sp_load_metadata(path, SP__ST_MODEL, NULL, 0);
    if (length < 0) {
        if (sp_error_status() == SP_OK)
            sp_raise(SP_ERROR_NOT_FOUND, "%s does not describe its network (no \"" SP__ST_MODEL "\" in its metadata)",
                     path);
        return NULL;
    }
    size_t size = (size_t)length + 1;
    char *json = sp_alloc(size);
    if (!json) return NULL;
    sp_module *module = sp_load_metadata(path, SP__ST_MODEL, json, size) >= 0 ? sp_module_from_json(json) : NULL;
    sp_free(json, size);
    return module;
}

sp_module *sp_load_module(const char *path)
{
    sp_module *module = NULL;
    SP_SCOPE {
        sp_module *built = build_described(path);
        sp_dict *state = built ? sp_load_tensors(path) : NULL;
        if (state && sp_load_state_dict(built, state) == SP_OK) module = sp_escape(built);
    }
    return module;
}

#endif

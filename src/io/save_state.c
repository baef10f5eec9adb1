/* A module's weights and description in one file, and back. */
#include "safetensors.h"

#if SP_HAVE_JANSSON

sp_status sp_save_state(const sp_module *module, const char *path)
{
    if (!module) return sp_raise_null("sp_save_state", "module");
    size_t size = 0;
    char *text = sp__describe(module, &size);
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

#endif

/* A network built as its file describes it. The description is not believed: each tensor that it mentions must stand in
 * the file, with its shape, before anything of its size is made. So loading takes no more memory than the file has
 * bytes. */
#include "safetensors.h"

#if SP_HAVE_JANSSON

#include <stdio.h>
#include <string.h>

/* "path.name", to be freed with sp_free_text. */
static char *joined(const char *path, const char *name)
{
    const char *dot = *path ? "." : "";
    const size_t size = strlen(path) + strlen(dot) + strlen(name) + 1;
    char *text = sp_alloc(size);
    if (text) snprintf(text, size, "%s%s%s", path, dot, name);
    return text;
}

static sp_status check_entry(const sp__st_file *file, const char *name, const sp_outline_tensor *wanted)
{
    const int64_t i = sp_map_find(&file->names, name, strlen(name));
    if (i < 0)
        return sp_raise(SP_ERROR_NOT_FOUND, "%s: \"%s\", a tensor of its network, is missing from the file", file->path,
                        name);
    const sp__st_entry *entry = &file->entries[i];
    const size_t bytes = (size_t)wanted->n_dims * sizeof *wanted->dims;
    if (entry->n_dims != wanted->n_dims || memcmp(entry->dims, wanted->dims, bytes) != 0)
        return sp_raise(SP_ERROR_SHAPE, "%s: \"%s\" has another shape in the file than in its network", file->path,
                        name);
    if (sp_dtype_is_floating_point(entry->dtype) == wanted->whole)
        return sp_raise(SP_ERROR_DTYPE, "%s: \"%s\" is %s in the file, which its network does not take", file->path,
                        name, sp_dtype_name(entry->dtype));
    return SP_OK;
}

static sp_status check_tensors(const sp__st_file *file, const sp_module *outline, const char *path)
{
    sp_outline_tensor wanted[SP_OUTLINE_TENSORS];
    const int n = sp_module_outline_tensors(outline, wanted);
    sp_status status = SP_OK;
    for (int i = 0; i < n && status == SP_OK; i++) {
        char *name = joined(path, wanted[i].name);
        if (!name) return SP_ERROR_MEMORY;
        status = check_entry(file, name, &wanted[i]);
        sp_free_text(name);
    }
    return status;
}

static sp_status check_outline(const sp__st_file *file, const sp_module *outline, const char *path)
{
    sp_status status = check_tensors(file, outline, path);
    for (int i = 0; i < sp_module_num_children(outline) && status == SP_OK; i++) {
        char *below = joined(path, sp_module_child_name(outline, i));
        if (!below) return SP_ERROR_MEMORY;
        status = check_outline(file, sp_module_child(outline, i), below);
        sp_free_text(below);
    }
    return status;
}

static sp_module *build_checked(const sp__st_file *file, const json_t *description)
{
    sp_status status = SP_OK;
    SP_SCOPE {
        const sp_module *outline = sp__module_from_description(description, true);
        status = outline ? check_outline(file, outline, "") : sp_error_status();
    }
    return status == SP_OK ? sp__module_from_description(description, false) : NULL;
}

static sp_module *build_described(const sp__st_file *file)
{
    const char *text = sp__st_metadata(file, SP__ST_MODEL);
    if (!text) {
        sp_raise(SP_ERROR_NOT_FOUND, "%s does not describe its network (no \"" SP__ST_MODEL "\" in its metadata)",
                 file->path);
        return NULL;
    }
    json_t *description = sp__parse_description(text);
    sp_module *module = description ? build_checked(file, description) : NULL;
    json_decref(description);
    return module;
}

static sp_status load_values(const sp__st_file *file, sp_module *module)
{
    const sp_dict *state = sp__st_read_all(file);
    return state ? sp_load_state_dict(module, state) : sp_error_status();
}

sp_module *sp_load_module(const char *path)
{
    sp_module *module = NULL;
    sp__st_file file;
    SP_SCOPE {
        sp_module *built = sp__st_open(&file, path) == SP_OK ? build_described(&file) : NULL;
        if (built && load_values(&file, built) == SP_OK) module = sp_escape(built);
        sp__st_close(&file);
    }
    return module;
}

#endif

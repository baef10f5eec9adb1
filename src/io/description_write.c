/* A network's description: {"type":"Linear","options":{"in_features":784,…},"children":[{"name":"0",…},…]}, with
 * "dtype":"float64" for a module that was cast. */
#include "safetensors.h"

#if SP_HAVE_JANSSON

#include <math.h>
#include <stdio.h>

/* ---- a module as JSON ---- */

/* JSON has no infinities. */
static json_t *number_to_json(double x)
{
    if (isfinite(x)) return json_real(x);
    return json_string(isnan(x) ? "NaN" : x > 0 ? "Infinity" : "-Infinity");
}

static json_t *attribute_to_json(sp_attribute attribute)
{
    if (attribute.kind == SP_ATTRIBUTE_INT) return json_integer(attribute.integer);
    if (attribute.kind == SP_ATTRIBUTE_BOOL) return json_boolean(attribute.integer != 0);
    return number_to_json(attribute.number);
}

static sp_status put_options(json_t *object, const sp_module *module)
{
    const int n = sp_module_num_attributes(module);
    if (n == 0) return SP_OK;
    json_t *options = json_object();
    sp_status status = sp__json_set(object, "options", options);
    for (int i = 0; i < n && status == SP_OK; i++) {
        const sp_attribute attribute = sp_module_attribute(module, i);
        status = sp__json_set(options, attribute.name, attribute_to_json(attribute));
    }
    return status;
}

static json_t *to_json(const sp_module *module, const char *name);

static sp_status put_children(json_t *object, const sp_module *module)
{
    const int n = sp_module_num_children(module);
    if (n == 0) return SP_OK;
    json_t *children = json_array();
    sp_status status = sp__json_set(object, "children", children);
    for (int i = 0; i < n && status == SP_OK; i++)
        status = sp__json_append(children, to_json(sp_module_child(module, i), sp_module_child_name(module, i)));
    return status;
}

static sp_status put_module(json_t *object, const sp_module *module, const char *name)
{
    const sp_dtype dtype = sp_module_dtype(module);
    sp_status status = dtype ? SP_OK : sp_error_status();
    if (status == SP_OK && name) status = sp__json_set(object, "name", sp__json_text(name));
    if (status == SP_OK) status = sp__json_set(object, "type", sp__json_text(sp_module_name(module)));
    if (status == SP_OK) status = put_options(object, module);
    if (status == SP_OK && dtype != SP_F32) status = sp__json_set(object, "dtype", sp__json_text(sp_dtype_name(dtype)));
    return status == SP_OK ? put_children(object, module) : status;
}

static json_t *to_json(const sp_module *module, const char *name)
{
    json_t *object = sp__json_made(json_object());
    if (object && put_module(object, module, name) == SP_OK) return object;
    json_decref(object);
    return NULL;
}

char *sp__describe(const sp_module *module, size_t *size)
{
    size_t length = 0;
    json_t *object = to_json(module, NULL);
    char *text = object ? sp__json_write(object, 0, &length) : NULL;
    json_decref(object);
    *size = length + 1;
    return text;
}

size_t sp_module_to_json(const sp_module *module, char *buffer, size_t size)
{
    if (!module) return sp_raise_null("sp_module_to_json", "module"), 0;
    if (!buffer && size > 0) return sp_raise_null("sp_module_to_json", "buffer"), 0;
    size_t whole = 0;
    char *text = sp__describe(module, &whole);
    if (!text) return 0;
    if (size > 0) snprintf(buffer, size, "%s", text);
    sp_free(text, whole);
    return whole - 1;
}

#endif

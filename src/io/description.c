/* A network's description: {"type":"Linear","options":{"in_features":784,…},"children":[{"name":"0",…},…]}, with
 * "dtype":"float64" for a module that was cast. */
#include "safetensors.h"

#if SP_HAVE_JANSSON

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static json_t *options_to_json(const sp_module *module)
{
    json_t *options = json_object();
    for (int i = 0; i < sp_module_num_attributes(module); i++) {
        sp_attribute attribute = sp_module_attribute(module, i);
        json_object_set_new(options, attribute.name, attribute_to_json(attribute));
    }
    return options;
}

/* The type of a module's own floating tensors, which a cast gives to all of them: f32 without any, no type after an
 * error. */
static sp_dtype own_dtype(const sp_module *module)
{
    sp_dtype dtype = SP_DTYPE_DEFAULT;
    SP_SCOPE {
        const sp_dict *state = sp_state_dict(module);
        if (state) dtype = SP_F32;
        for (int64_t i = 0; state && i < sp_dict_size(state) && dtype == SP_F32; i++) {
            sp_dtype found = sp_dtype_of(sp_dict_get(state, i));
            if (!strchr(sp_dict_name(state, i), '.') && sp_dtype_is_floating_point(found)) dtype = found;
        }
    }
    return dtype;
}

static json_t *to_json(const sp_module *module, const char *name);

/* A list of the children, NULL after an error. */
static json_t *children_to_json(const sp_module *module)
{
    json_t *children = json_array();
    for (int i = 0; i < sp_module_num_children(module); i++) {
        json_t *child = to_json(sp_module_child(module, i), sp_module_child_name(module, i));
        if (child) {
            json_array_append_new(children, child);
            continue;
        }
        json_decref(children);
        return NULL;
    }
    return children;
}

static json_t *to_json(const sp_module *module, const char *name)
{
    sp_dtype dtype = own_dtype(module);
    json_t *children = dtype ? children_to_json(module) : NULL;
    if (!children) return NULL;
    json_t *object = json_object();
    if (name) json_object_set_new(object, "name", json_string(name));
    json_object_set_new(object, "type", json_string(sp_module_name(module)));
    if (sp_module_num_attributes(module) > 0) json_object_set_new(object, "options", options_to_json(module));
    if (dtype != SP_F32) json_object_set_new(object, "dtype", json_string(sp_dtype_name(dtype)));
    if (json_array_size(children) > 0) json_object_set(object, "children", children);
    json_decref(children);
    return object;
}

size_t sp_module_to_json(const sp_module *module, char *buffer, size_t size)
{
    if (!module) return sp_raise_null("sp_module_to_json", "module"), 0;
    json_t *object = to_json(module, NULL);
    char *text = object ? json_dumps(object, JSON_COMPACT | JSON_PRESERVE_ORDER) : NULL;
    json_decref(object);
    if (!text && sp_error_status() == SP_OK)
        sp_raise(SP_ERROR_MEMORY, "no memory for the description of %s", sp_module_name(module));
    if (!text) return 0;
    size_t length = strlen(text);
    if (size > 0) snprintf(buffer, size, "%s", text);
    free(text);
    return length;
}

/* ---- JSON as a module ---- */

static sp_status wrong(const char *what, const char *where)
{
    return sp_raise(SP_ERROR_FORMAT, "a network's description is wrong: %s%s", what, where);
}

static sp_status string_to_attribute(sp_attribute *attribute, const char *text)
{
    static const struct {
        const char *name;
        double value;
    } table[] = {{"NaN", (double)NAN}, {"Infinity", (double)INFINITY}, {"-Infinity", -(double)INFINITY}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (strcmp(table[i].name, text) != 0) continue;
        attribute->number = table[i].value;
        return SP_OK;
    }
    return wrong("no number, but a text, for the option ", attribute->name);
}

static sp_status json_to_attribute(sp_attribute *attribute, const char *name, const json_t *value)
{
    *attribute = (sp_attribute){.name = name, .kind = SP_ATTRIBUTE_NUMBER};
    if (json_is_string(value)) return string_to_attribute(attribute, json_string_value(value));
    if (json_is_real(value))
        attribute->number = json_real_value(value);
    else if (json_is_integer(value)) {
        attribute->kind = SP_ATTRIBUTE_INT;
        attribute->integer = json_integer_value(value);
        attribute->number = (double)attribute->integer;
    } else if (json_is_boolean(value)) {
        attribute->kind = SP_ATTRIBUTE_BOOL;
        attribute->integer = json_is_true(value);
    } else
        return wrong("neither a number nor true or false for the option ", name);
    return SP_OK;
}

/* ---- types that are a program's own ---- */

/* A module that encodes and decodes is applied as every autoencoder is; of another type only its program knows. */
static sp_tensor *described_forward(sp_module *self, sp_tensor *x)
{
    bool pair = sp_module_num_children(self) == 2;
    if (pair && strcmp(sp_module_child_name(self, 0), "encode") == 0 &&
        strcmp(sp_module_child_name(self, 1), "decode") == 0)
        return sp_forward(sp_module_child(self, 1), sp_forward(sp_module_child(self, 0), x));
    sp_raise(
        SP_ERROR_UNSUPPORTED,
        "%s came from a file, which has its parts but not its forward: apply the parts (sp_get_submodule), or load "
        "the file into the program's own module (sp_load_state)",
        sp_module_name(self));
    return NULL;
}

static sp_status set_attribute(sp_module *module, const sp_attribute *a)
{
    if (a->kind == SP_ATTRIBUTE_INT) return sp_module_set_int(module, a->name, a->integer);
    if (a->kind == SP_ATTRIBUTE_BOOL) return sp_module_set_bool(module, a->name, a->integer != 0);
    return sp_module_set_number(module, a->name, a->number);
}

static sp_module *build_foreign(const char *type, const sp_attribute *attributes, int n)
{
    const sp_module_options options = {.size = sizeof options, .name = type, .forward = described_forward};
    sp_module *module = (sp_module_new)(sizeof(sp_module), &options);
    for (int i = 0; i < n && module; i++)
        if (set_attribute(module, &attributes[i]) != SP_OK) return NULL;
    return module;
}

/* By the library's name, else, if it has parts, as a type that it does not know. */
static sp_module *build_typed(const char *type, const sp_attribute *attributes, int n, bool has_parts)
{
    const bool foreign = has_parts && !sp_module_knows(type);
    return foreign ? build_foreign(type, attributes, n) : sp_module_build(type, attributes, n);
}

static sp_module *build_alone(const char *type, json_t *options, bool has_parts)
{
    size_t n = json_object_size(options), i = 0;
    sp_attribute *attributes = sp_alloc(n * sizeof *attributes);
    if (!attributes) return NULL;
    const char *name;
    json_t *value;
    sp_status status = SP_OK;
    json_object_foreach(options, name, value)
    {
        if (status == SP_OK) status = json_to_attribute(&attributes[i++], name, value);
    }
    sp_module *module = status == SP_OK ? build_typed(type, attributes, (int)n, has_parts) : NULL;
    sp_free(attributes, n * sizeof *attributes);
    return module;
}

/* Casts a module that is still alone to the type that was recorded, if one was. */
static sp_status cast_alone(sp_module *module, const json_t *name)
{
    if (!name) return SP_OK;
    const char *text = json_string_value(name);
    for (int i = 0; text && i < SP_DTYPE_COUNT; i++)
        if (sp_dtype_is_floating_point((sp_dtype)i) && strcmp(sp_dtype_name((sp_dtype)i), text) == 0)
            return sp_module_cast(module, (sp_dtype)i);
    return wrong("no floating dtype, but another, for ", sp_module_name(module));
}

static sp_module *from_json(const json_t *object);

static sp_status add_child(sp_module *parent, const json_t *object)
{
    const char *name = json_string_value(json_object_get(object, "name"));
    if (!name) return wrong("a child without a name", "");
    sp_module *child = from_json(object);
    return child && sp_module_add(parent, name, child) ? SP_OK : sp_error_status();
}

static sp_module *from_json(const json_t *object)
{
    const char *type = json_string_value(json_object_get(object, "type"));
    json_t *options = json_object_get(object, "options");
    const json_t *children = json_object_get(object, "children");
    if (!type) return wrong("a module without a type", ""), NULL;
    if (options && !json_is_object(options)) return wrong("the options are not an object in ", type), NULL;
    if (children && !json_is_array(children)) return wrong("the children are not a list in ", type), NULL;
    sp_module *module = build_alone(type, options, json_array_size(children) > 0);
    if (module && cast_alone(module, json_object_get(object, "dtype")) != SP_OK) return NULL;
    for (size_t i = 0; module && i < json_array_size(children); i++)
        if (add_child(module, json_array_get(children, i)) != SP_OK) return NULL;
    return module;
}

sp_module *sp_module_from_json(const char *json)
{
    if (!json) return sp_raise_null("sp_module_from_json", "json"), NULL;
    json_error_t error;
    json_t *object = json_loads(json, JSON_REJECT_DUPLICATES, &error);
    if (!object) return wrong("it is not right JSON: ", error.text), NULL;
    sp_module *module = NULL;
    SP_SCOPE {
        module = sp_escape(from_json(object));
    }
    json_decref(object);
    return module;
}

#endif

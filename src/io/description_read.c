/* A network from its description. */
#include "safetensors.h"

#if SP_HAVE_JANSSON

#include <math.h>
#include <string.h>

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

/* A module with the children "encode" and "decode" is applied as every autoencoder is. How a module of another type is
 * applied, only its program knows. */
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
    return module; /* cppcheck-suppress returnDanglingLifetime ; it copies the options */
}

typedef struct how_built {
    bool has_parts, outline;
} how_built;

/* A type of the library, or else, if it has parts, one that the library does not know. */
static sp_module *build_typed(const char *type, const sp_attribute *attributes, int n, how_built how)
{
    if (how.has_parts && !sp_module_knows(type)) return build_foreign(type, attributes, n);
    return how.outline ? sp_module_outline(type, attributes, n) : sp_module_build(type, attributes, n);
}

static sp_module *build_alone(const char *type, json_t *options, how_built how)
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
    sp_module *module = status == SP_OK ? build_typed(type, attributes, (int)n, how) : NULL;
    sp_free(attributes, n * sizeof *attributes);
    return module;
}

/* Casts a module without children to the dtype that was recorded, if there is one. */
static sp_status cast_alone(sp_module *module, const json_t *name)
{
    if (!name) return SP_OK;
    const char *text = json_string_value(name);
    for (int i = 0; text && i < SP_DTYPE_COUNT; i++)
        if (sp_dtype_is_floating_point((sp_dtype)i) && strcmp(sp_dtype_name((sp_dtype)i), text) == 0)
            return sp_module_cast(module, (sp_dtype)i);
    return wrong("no floating dtype, but another, for ", sp_module_name(module));
}

static sp_status add_child(sp_module *parent, const json_t *object, bool outline)
{
    const char *name = json_string_value(json_object_get(object, "name"));
    if (!name) return wrong("a child without a name", "");
    sp_module *child = sp__module_from_description(object, outline);
    return child && sp_module_add(parent, name, child) ? SP_OK : sp_error_status();
}

static sp_status add_children(sp_module *module, const json_t *children, bool outline)
{
    sp_status status = SP_OK;
    for (size_t i = 0; status == SP_OK && i < json_array_size(children); i++)
        status = add_child(module, json_array_get(children, i), outline);
    return status;
}

sp_module *sp__module_from_description(const json_t *object, bool outline)
{
    const char *type = json_string_value(json_object_get(object, "type"));
    json_t *options = json_object_get(object, "options");
    const json_t *children = json_object_get(object, "children");
    if (!type) return wrong("a module without a type", ""), NULL;
    if (options && !json_is_object(options)) return wrong("the options are not an object in ", type), NULL;
    if (children && !json_is_array(children)) return wrong("the children are not a list in ", type), NULL;
    sp_module *module = build_alone(type, options, (how_built){json_array_size(children) > 0, outline});
    if (module && !outline && cast_alone(module, json_object_get(object, "dtype")) != SP_OK) return NULL;
    return module && add_children(module, children, outline) == SP_OK ? module : NULL;
}

json_t *sp__parse_description(const char *json)
{
    json_error_t error;
    json_t *object = sp__json_parse(json, strlen(json), &error);
    if (!object && sp_error_status() == SP_OK) wrong("it is not right JSON: ", error.text);
    return object;
}

static sp_module *read_description(const char *json, bool outline)
{
    sp_module *module = NULL;
    json_t *object = sp__parse_description(json);
    if (!object) return NULL;
    SP_SCOPE {
        module = sp_escape(sp__module_from_description(object, outline));
    }
    json_decref(object);
    return module;
}

sp_module *sp_module_from_json(const char *json)
{
    if (!json) return sp_raise_null("sp_module_from_json", "json"), NULL;
    return read_description(json, false);
}

sp_module *sp_module_outline_from_json(const char *json)
{
    if (!json) return sp_raise_null("sp_module_outline_from_json", "json"), NULL;
    return read_description(json, true);
}

#endif

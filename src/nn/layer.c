/* Making layers from their records, also by name. */
#include "layer.h"

#include <math.h>
#include <stdio.h>

static sp_status set_option(sp_module *module, const sp__layer_option *option, double value)
{
    if (!option->name || (option->need == SP__OPTION_OMITTED && value == option->fallback)) return SP_OK;
    sp_attribute attribute = {option->name, option->kind, 0, value};
    if (option->kind != SP_ATTRIBUTE_NUMBER) attribute.integer = (int64_t)value;
    return sp__module_set(module, attribute);
}

/* What was no exact double, as most integers from 2^53 on are none, would be another number in what follows. */
static sp_status check_whole(const sp__layer_type *type, const double *numbers)
{
    for (int i = 0; i < SP__LAYER_OPTIONS; i++) {
        if (!type->options[i].name || type->options[i].kind != SP_ATTRIBUTE_INT || fabs(numbers[i]) < 0x1p53) continue;
        return sp_raise(SP_ERROR_ARGUMENT, "%s: %s of %.0f is out of range: it must be less than 2^53", type->name,
                        type->options[i].name, numbers[i]);
    }
    return SP_OK;
}

sp_module *sp__layer_new_sized(const sp__layer_type *type, size_t bytes, const double *numbers)
{
    const sp_module_options options = {sizeof options, type->name, type->forward, type->forward_n, NULL};
    if (check_whole(type, numbers) || (type->check && type->check(numbers))) return NULL;
    sp__layer *layer = (sp_module_new)(bytes, &options);
    if (!layer) return NULL;
    layer->type = type;
    layer->base.priv->layer = true;
    layer->base.priv->describe = type->describe;
    memcpy(layer->numbers, numbers, sizeof layer->numbers);
    for (int i = 0; i < SP__LAYER_OPTIONS; i++) {
        if (set_option(&layer->base, &type->options[i], numbers[i]) == SP_OK) continue;
        sp_release(layer);
        return NULL;
    }
    return &layer->base;
}

bool sp__is_layer(const sp_module *module)
{
    return module->priv->layer;
}

sp_module *sp__layer_new(const sp__layer_type *type, const double *numbers)
{
    return sp__layer_new_sized(type, sizeof(sp__layer), numbers);
}

size_t sp__describe_nothing(const sp_module *module, char *buffer, size_t size)
{
    (void)module;
    return (size_t)snprintf(buffer, size, "%s", "");
}

/* ---- number-or-pair ---- */

void sp__pair_set(double *numbers, int i, int64_t number, const int64_t pair[2], int64_t absent)
{
    const bool two = pair[0] != 0 || pair[1] != 0;
    numbers[i] = (double)(two ? sp_option_int(pair[0], 0) : sp_option_int(number, absent));
    numbers[i + 1] = two ? (double)sp_option_int(pair[1], 0) : SP__ONE_NUMBER;
}

void sp__pair_get(const double *numbers, int i, int64_t pair[2])
{
    const double width = numbers[i + 1] == SP__ONE_NUMBER ? numbers[i] : numbers[i + 1];
    pair[0] = (int64_t)sp_exactly(numbers[i]);
    pair[1] = (int64_t)sp_exactly(width);
}

void sp__put_pair(sp__text *t, const double *numbers, int i)
{
    if (numbers[i + 1] == SP__ONE_NUMBER)
        sp__put(t, "%.0f", numbers[i]);
    else
        sp__put(t, "(%.0f, %.0f)", numbers[i], numbers[i + 1]);
}

/* ---- by name ---- */

static const sp__layer_type *find_type(const char *name)
{
    static sp__layer_find *const families[] = {
        sp__find_activation,    sp__find_linear,    sp__find_container,   sp__find_shape_layer,
        sp__find_dropout,       sp__find_loss,      sp__find_convolution, sp__find_pooling,
        sp__find_normalization, sp__find_embedding, sp__find_padding,
    };
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        const sp__layer_type *type = families[i](name);
        if (type) return type;
    }
    return NULL;
}

static sp_status wrong_kind(const sp__layer_type *type, const sp__layer_option *option)
{
    static const char *const words[] = {"an integer", "a number", "true or false"};
    return sp_raise(SP_ERROR_ARGUMENT, "sp_module_build: the option \"%s\" of %s is %s", option->name, type->name,
                    words[option->kind]);
}

/* An integer is also a number; nothing else changes its kind. */
static sp_status read_value(const sp__layer_type *type, const sp__layer_option *option, const sp_attribute *given,
                            double *value)
{
    const int64_t exact = (INT64_C(1) << 53) - 1;
    bool whole = given->kind == SP_ATTRIBUTE_INT && option->kind == SP_ATTRIBUTE_NUMBER;
    if (given->kind != option->kind && !whole) return wrong_kind(type, option);
    if (given->kind == SP_ATTRIBUTE_NUMBER) {
        *value = given->number;
        return SP_OK;
    }
    if (given->integer > exact || given->integer < -exact)
        return sp_raise(SP_ERROR_ARGUMENT, "sp_module_build: the option \"%s\" of %s is too large: %lld", option->name,
                        type->name, (long long)given->integer);
    *value = (double)given->integer;
    return SP_OK;
}

static sp_status read_attribute(const sp__layer_type *type, const sp_attribute *given, double *numbers, bool *seen)
{
    if (!given->name) return sp_raise_null("sp_module_build", "an attribute's name");
    for (int i = 0; i < SP__LAYER_OPTIONS; i++) {
        if (!type->options[i].name || strcmp(type->options[i].name, given->name) != 0) continue;
        seen[i] = true;
        return read_value(type, &type->options[i], given, &numbers[i]);
    }
    return sp_raise(SP_ERROR_ARGUMENT, "sp_module_build: %s has no option \"%s\"", type->name, given->name);
}

static sp_status read_attributes(const sp__layer_type *type, const sp_attribute *attributes, int n, double *numbers)
{
    bool seen[SP__LAYER_OPTIONS] = {false};
    sp_status status = SP_OK;
    for (int i = 0; i < SP__LAYER_OPTIONS; i++) numbers[i] = type->options[i].fallback;
    for (int i = 0; i < n && status == SP_OK; i++) status = read_attribute(type, &attributes[i], numbers, seen);
    for (int i = 0; i < SP__LAYER_OPTIONS && status == SP_OK; i++)
        if (type->options[i].need == SP__OPTION_NEEDED && !seen[i])
            status = sp_raise(SP_ERROR_ARGUMENT, "sp_module_build: %s needs the option \"%s\"", type->name,
                              type->options[i].name);
    return status;
}

static const sp__layer_type *known_type(const char *function, const char *name, const sp_attribute *attributes, int n)
{
    if (!name) return sp_raise_null(function, "name"), NULL;
    if (n < 0) return sp_raise(SP_ERROR_ARGUMENT, "%s: %d attributes", function, n), NULL;
    if (n > 0 && !attributes) return sp_raise_null(function, "attributes"), NULL;
    const sp__layer_type *type = find_type(name);
    if (!type) sp_raise(SP_ERROR_NOT_FOUND, "%s: the library has no module type \"%s\"", function, name);
    return type;
}

bool sp_module_knows(const char *name)
{
    if (!name) return sp_raise_null("sp_module_knows", "name"), false;
    return find_type(name) != NULL;
}

sp_module *sp_module_build(const char *name, const sp_attribute *attributes, int n)
{
    double numbers[SP__LAYER_OPTIONS];
    const sp__layer_type *type = known_type("sp_module_build", name, attributes, n);
    if (!type || read_attributes(type, attributes, n, numbers) != SP_OK) return NULL;
    return type->build ? type->build(type, numbers) : sp__layer_new(type, numbers);
}

/* ---- outlines ---- */

int sp__outline_add(sp_outline_tensor *tensors, int n, const char *name, sp_dims dims)
{
    tensors[n] = (sp_outline_tensor){.name = name, .n_dims = dims.n};
    for (int d = 0; d < dims.n; d++) tensors[n].dims[d] = dims.data[d];
    return n + 1;
}

/* A layer that lacks tensors is incomplete like one whose member could not be added. */
sp_module *sp_module_outline(const char *name, const sp_attribute *attributes, int n)
{
    double numbers[SP__LAYER_OPTIONS];
    const sp__layer_type *type = known_type("sp_module_outline", name, attributes, n);
    if (!type || read_attributes(type, attributes, n, numbers) != SP_OK) return NULL;
    if (!type->tensors) return type->build ? type->build(type, numbers) : sp__layer_new(type, numbers);
    sp_module *outline = sp__layer_new(type, numbers);
    if (!outline) return NULL;
    sp_outline_tensor tensors[SP_OUTLINE_TENSORS];
    if (sp_module_outline_tensors(outline, tensors) > 0)
        snprintf(outline->priv->missing, sizeof outline->priv->missing, "%s", tensors[0].name);
    return outline;
}

int sp_module_outline_tensors(const sp_module *outline, sp_outline_tensor *tensors)
{
    if (sp__module_check(outline, "sp_module_outline_tensors") != SP_OK) return 0;
    if (!tensors) return sp_raise_null("sp_module_outline_tensors", "tensors"), 0;
    if (!sp__is_layer(outline) || outline->priv->n_tensors > 0) return 0;
    const sp__layer *layer = (const sp__layer *)outline;
    return layer->type->tensors ? layer->type->tensors(layer->numbers, tensors) : 0;
}

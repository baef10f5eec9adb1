/* Making layers from their records, also by name. */
#include "layer.h"

#include <stdio.h>

/* A layer without its parameters. */
static sp__layer *new_bare(const sp__layer_type *type, const void *values)
{
    const size_t bytes = type->bytes ? type->bytes : sizeof(sp__layer);
    const sp_module_options options = {sizeof options, type->name, type->forward, type->forward_n, NULL};
    if (type->check && type->check(values)) return NULL;
    sp__layer *layer = (sp_module_new)(bytes + type->values_size, &options);
    if (!layer) return NULL;
    layer->type = type;
    layer->values = (char *)layer + bytes;
    layer->base.priv->layer = true;
    layer->base.priv->list = type->list;
    layer->base.priv->describe = type->describe;
    if (type->values_size > 0) memcpy(layer->values, values, type->values_size);
    if (sp__layer_show(&layer->base, type, layer->values) == SP_OK) return layer;
    sp_release(layer);
    return NULL;
}

sp_module *sp__layer_new_from(const sp__layer_type *type, const void *values, const sp__layer_source *source)
{
    sp__layer *layer = new_bare(type, values);
    if (!layer || !type->fill) return layer ? &layer->base : NULL;
    sp_status status = SP_OK;
    SP_NO_GRAD {
        status = type->fill(&layer->base, source);
    }
    if (status == SP_OK) return &layer->base;
    sp_release(layer);
    return NULL;
}

sp_module *sp__layer_new(const sp__layer_type *type, const void *values)
{
    return sp__layer_new_from(type, values, &(const sp__layer_source){0});
}

bool sp__is_layer(const sp_module *module)
{
    return module->priv->layer;
}

size_t sp__describe_nothing(const sp_module *module, char *buffer, size_t size)
{
    (void)module;
    return (size_t)snprintf(buffer, size, "%s", "");
}

/* ---- by name ---- */

static const sp__layer_type *find_type(const char *name)
{
    static const sp__layer_family *const families[] = {
        &sp__activations, &sp__plain_activations, &sp__linears,  &sp__containers,     &sp__shape_layers, &sp__dropouts,
        &sp__losses,      &sp__convolutions,      &sp__poolings, &sp__normalizations, &sp__embeddings,   &sp__paddings,
    };
    for (size_t f = 0; f < sizeof families / sizeof *families; f++)
        for (size_t i = 0; i < families[f]->n; i++) {
            const void *row = (const char *)families[f]->types + i * families[f]->stride;
            const sp__layer_type *type = row;
            if (strcmp(type->name, name) == 0) return type;
        }
    return NULL;
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

/* A layer that lacks tensors is incomplete like one whose member could not be added. */
static sp_module *outline_of(const sp__layer_type *type, const void *values)
{
    sp__layer *outline = new_bare(type, values);
    if (!outline) return NULL;
    sp_outline_tensor tensors[SP_OUTLINE_TENSORS];
    if (sp_module_outline_tensors(&outline->base, tensors) > 0)
        snprintf(outline->base.priv->missing, sizeof outline->base.priv->missing, "%s", tensors[0].name);
    return &outline->base;
}

static sp_module *build(const sp__layer_type *type, const sp_attribute *attributes, int n, bool outline)
{
    sp_module *module = NULL;
    void *values = sp_alloc(type->values_size);
    if (!values) return NULL;
    if (sp__layer_read(type, attributes, n, values) == SP_OK)
        module = outline && type->tensors ? outline_of(type, values) : sp__layer_new(type, values);
    sp_free(values, type->values_size);
    return module;
}

sp_module *sp_module_build(const char *name, const sp_attribute *attributes, int n)
{
    const sp__layer_type *type = known_type("sp_module_build", name, attributes, n);
    return type ? build(type, attributes, n, false) : NULL;
}

sp_module *sp_module_outline(const char *name, const sp_attribute *attributes, int n)
{
    const sp__layer_type *type = known_type("sp_module_outline", name, attributes, n);
    return type ? build(type, attributes, n, true) : NULL;
}

int sp__outline_add(sp_outline_tensor *tensors, int n, const char *name, sp_dims dims)
{
    tensors[n] = (sp_outline_tensor){.name = name, .n_dims = dims.n};
    for (int d = 0; d < dims.n; d++) tensors[n].dims[d] = dims.data[d];
    return n + 1;
}

int sp_module_outline_tensors(const sp_module *outline, sp_outline_tensor *tensors)
{
    if (sp__module_check(outline, "sp_module_outline_tensors") != SP_OK) return 0;
    if (!tensors) return sp_raise_null("sp_module_outline_tensors", "tensors"), 0;
    if (!sp__is_layer(outline) || outline->priv->n_tensors > 0) return 0;
    const sp__layer *layer = (const sp__layer *)outline;
    return layer->type->tensors ? layer->type->tensors(layer->values, tensors) : 0;
}

/* The options of layers: as attributes of a module, from attributes, from option structs. */
#include "layer.h"

#include <stdio.h>

/* ---- an option as attributes ---- */

/* One attribute of a layer, and where its value stands. */
typedef struct slot {
    char name[40];
    sp_attribute_kind kind;
    void *value;
} slot;

static slot slot_of(const sp__layer_option *option, int i, void *values)
{
    static const sp_attribute_kind kinds[] = {
        [SP__OPTION_INT] = SP_ATTRIBUTE_INT,   [SP__OPTION_NUMBER] = SP_ATTRIBUTE_NUMBER,
        [SP__OPTION_BOOL] = SP_ATTRIBUTE_BOOL, [SP__OPTION_PAIR] = SP_ATTRIBUTE_INT,
        [SP__OPTION_SIZES] = SP_ATTRIBUTE_INT,
    };
    slot s = {.kind = kinds[option->kind], .value = (char *)values + option->at};
    /* The numbers of a pair, and sizes, stand first in their structs. */
    if (i > 0) s.value = (int64_t *)s.value + i;
    if (option->kind == SP__OPTION_SIZES)
        snprintf(s.name, sizeof s.name, "%s%d", option->name, i);
    else
        snprintf(s.name, sizeof s.name, "%s%s", option->name, i == 0 ? "" : "_w");
    return s;
}

/* How many attributes an option can have. */
static int most_slots(const sp__layer_option *option)
{
    return option->kind == SP__OPTION_PAIR ? 2 : option->kind == SP__OPTION_SIZES ? SP_MAX_DIMS : 1;
}

static sp_attribute attribute_of(const slot *s)
{
    sp_attribute attribute = {.name = s->name, .kind = s->kind};
    if (s->kind == SP_ATTRIBUTE_INT) attribute.integer = *(const int64_t *)s->value;
    if (s->kind == SP_ATTRIBUTE_BOOL) attribute.integer = *(const bool *)s->value;
    attribute.number = s->kind == SP_ATTRIBUTE_NUMBER ? *(const double *)s->value : (double)attribute.integer;
    return attribute;
}

static sp_status set_attributes(sp_module *module, const sp__layer_option *option, void *values)
{
    const void *at = (const char *)values + option->at;
    int n = 1;
    if (option->kind == SP__OPTION_PAIR) n = ((const sp__layer_pair *)at)->two ? 2 : 1;
    if (option->kind == SP__OPTION_SIZES) n = ((const sp__layer_sizes *)at)->n;
    for (int i = 0; i < n; i++) {
        const slot s = slot_of(option, i, values);
        const sp_attribute attribute = attribute_of(&s);
        if (option->need == SP__OPTION_OMITTED && attribute.number == option->fallback) continue;
        if (sp__module_set(module, attribute) != SP_OK) return sp_error_status();
    }
    return SP_OK;
}

sp_status sp__layer_show(sp_module *module, const sp__layer_type *type, void *values)
{
    for (const sp__layer_option *option = type->options; option->name; option++)
        if (set_attributes(module, option, values) != SP_OK) return sp_error_status();
    return SP_OK;
}

/* ---- reading them ---- */

/* Values that are being read from attributes. */
typedef struct reading {
    const sp__layer_type *type;
    void *values;
    uint64_t seen; /* bit i: option i was given */
} reading;

static sp_status read_value(const sp__layer_type *type, const slot *s, const sp_attribute *given)
{
    static const char *const words[] = {"an integer", "a number", "true or false"};
    /* An integer is also a number; nothing else changes its kind. */
    const bool whole = given->kind == SP_ATTRIBUTE_INT && s->kind == SP_ATTRIBUTE_NUMBER;
    if (given->kind != s->kind && !whole)
        return sp_raise(SP_ERROR_ARGUMENT, "sp_module_build: the option \"%s\" of %s is %s", s->name, type->name,
                        words[s->kind]);
    if (s->kind == SP_ATTRIBUTE_INT) *(int64_t *)s->value = given->integer;
    if (s->kind == SP_ATTRIBUTE_BOOL) *(bool *)s->value = given->integer != 0;
    if (s->kind == SP_ATTRIBUTE_NUMBER) *(double *)s->value = whole ? (double)given->integer : given->number;
    return SP_OK;
}

/* What a pair and sizes know beside their numbers: that the second was given, how many there are. */
static sp_status note_given(const reading *r, const sp__layer_option *option, int i, const char *name)
{
    void *at = (char *)r->values + option->at;
    if (option->kind == SP__OPTION_PAIR && i == 1) ((sp__layer_pair *)at)->two = true;
    if (option->kind != SP__OPTION_SIZES) return SP_OK;
    if (((sp__layer_sizes *)at)->n++ == i) return SP_OK;
    return sp_raise(SP_ERROR_ARGUMENT, "sp_module_build: the sizes of %s are not in order: \"%s\"", r->type->name,
                    name);
}

static sp_status read_attribute(reading *r, const sp_attribute *given)
{
    if (!given->name) return sp_raise_null("sp_module_build", "an attribute's name");
    for (const sp__layer_option *option = r->type->options; option->name; option++)
        for (int i = 0; i < most_slots(option); i++) {
            const slot s = slot_of(option, i, r->values);
            if (strcmp(s.name, given->name) != 0) continue;
            r->seen |= UINT64_C(1) << (option - r->type->options);
            const sp_status status = read_value(r->type, &s, given);
            return status ? status : note_given(r, option, i, s.name);
        }
    return sp_raise(SP_ERROR_ARGUMENT, "sp_module_build: %s has no option \"%s\"", r->type->name, given->name);
}

static void set_fallback(const sp__layer_option *option, void *values)
{
    if (option->kind == SP__OPTION_SIZES) return;
    const slot s = slot_of(option, 0, values);
    if (s.kind == SP_ATTRIBUTE_INT) *(int64_t *)s.value = (int64_t)option->fallback;
    if (s.kind == SP_ATTRIBUTE_BOOL) *(bool *)s.value = option->fallback != 0;
    if (s.kind == SP_ATTRIBUTE_NUMBER) *(double *)s.value = option->fallback;
}

/* What follows from the attributes when all are read: a number is both sizes of its pair. */
static sp_status settle(const reading *r, const sp__layer_option *option)
{
    sp__layer_pair *pair = (void *)((char *)r->values + option->at);
    if (option->kind == SP__OPTION_PAIR && !pair->two) pair->v[1] = pair->v[0];
    if (option->need != SP__OPTION_NEEDED || (r->seen >> (option - r->type->options) & 1)) return SP_OK;
    return sp_raise(SP_ERROR_ARGUMENT, "sp_module_build: %s needs the option \"%s\"", r->type->name, option->name);
}

sp_status sp__layer_read(const sp__layer_type *type, const sp_attribute *attributes, int n, void *values)
{
    reading r = {.type = type, .values = values};
    sp_status status = SP_OK;
    for (const sp__layer_option *option = type->options; option->name; option++) set_fallback(option, values);
    for (int i = 0; i < n && status == SP_OK; i++) status = read_attribute(&r, &attributes[i]);
    for (const sp__layer_option *option = type->options; option->name && status == SP_OK; option++)
        status = settle(&r, option);
    return status;
}

/* ---- number-or-pair, sizes ---- */

sp__layer_pair sp__layer_pair_of(int64_t number, const int64_t pair[2], int64_t absent)
{
    if (pair[0] != 0 || pair[1] != 0)
        return (sp__layer_pair){{sp_option_int(pair[0], 0), sp_option_int(pair[1], 0)}, true};
    const int64_t both = sp_option_int(number, absent);
    return (sp__layer_pair){{both, both}, false};
}

void sp__layer_pair_get(sp__layer_pair pair, int64_t hw[2])
{
    for (int d = 0; d < 2; d++) hw[d] = sp__exactly_int(pair.v[d]);
}

void sp__put_pair(sp__text *t, sp__layer_pair pair)
{
    const long long height = pair.v[0], width = pair.v[1];
    if (pair.two)
        sp__put(t, "(%lld, %lld)", height, width);
    else
        sp__put(t, "%lld", height);
}

sp_status sp__layer_sizes_of(sp_dims dims, sp__layer_sizes *sizes, const char *function, const char *name)
{
    if (dims.n > 0 && !dims.data) return sp_raise_null(function, name);
    if (dims.n < 0 || dims.n > SP_MAX_DIMS)
        return sp_raise(SP_ERROR_ARGUMENT, "%s: there are 1 to %d sizes, got %d", function, SP_MAX_DIMS, dims.n);
    *sizes = (sp__layer_sizes){.n = dims.n};
    for (int i = 0; i < dims.n; i++) sizes->v[i] = dims.data[i];
    return SP_OK;
}

void sp__put_sizes(sp__text *t, const sp__layer_sizes *sizes)
{
    for (int i = 0; i < sizes->n; i++) sp__put(t, "%s%lld", i > 0 ? ", " : "(", (long long)sizes->v[i]);
    sp__put(t, sizes->n == 1 ? ",)" : ")");
}

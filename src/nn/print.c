/* A module's text, character for character that of PyTorch's repr. */
#include "module_private.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void sp__put(sp__text *t, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    bool room = t->length < t->size;
    int n = sp_vformat(room ? t->buffer + t->length : NULL, room ? t->size - t->length : 0, format, arguments);
    va_end(arguments);
    if (n > 0) t->length += (size_t)n;
}

/* A name that may come from a file. */
static void put_name(sp__text *t, const char *name)
{
    bool room = t->length < t->size;
    t->length += sp_printable(name, room ? t->buffer + t->length : NULL, room ? t->size - t->length : 0);
}

/* ---- numbers, as Python's repr writes a float ---- */

/* The fewest digits that read back as x. */
static int shortest_digits(double x)
{
    char digits[40];
    for (int n = 1; n < 17; n++) {
        sp_format(digits, sizeof digits, "%.*e", n - 1, x);
        if (sp_parse_double(digits, NULL) == x) return n;
    }
    return 17;
}

void sp__put_number(sp__text *t, double x)
{
    if (isnan(x) || isinf(x)) {
        sp__put(t, "%s", isnan(x) ? "nan" : x > 0 ? "inf" : "-inf");
        return;
    }
    int n = shortest_digits(x);
    char scientific[40];
    sp_format(scientific, sizeof scientific, "%.*e", n - 1, x);
    const char *e = strchr(scientific, 'e');
    int exponent = e ? atoi(e + 1) : 0;
    if (exponent < -4 || exponent >= 16)
        sp__put(t, "%s", scientific);
    else
        sp__put(t, "%.*f", n - 1 - exponent > 1 ? n - 1 - exponent : 1, x);
}

/* ---- what stands between the parentheses ---- */

static void put_attribute(sp__text *t, sp_attribute attribute)
{
    put_name(t, attribute.name);
    sp__put(t, "=");
    if (attribute.kind == SP_ATTRIBUTE_INT)
        sp__put(t, "%lld", (long long)attribute.integer);
    else if (attribute.kind == SP_ATTRIBUTE_BOOL)
        sp__put(t, "%s", attribute.integer ? "True" : "False");
    else
        sp__put_number(t, attribute.number);
}

size_t sp__attribute_text(sp_attribute attribute, char *buffer, size_t size)
{
    sp__text t = sp__text_in(buffer, size);
    put_attribute(&t, attribute);
    return t.length;
}

static void put_attributes(sp__text *t, const sp_module *module)
{
    if (module->priv->describe) {
        bool room = t->length < t->size;
        t->length += module->priv->describe(module, room ? t->buffer + t->length : NULL,
                                            room ? t->size - t->length : 0);
        return;
    }
    for (int i = 0; i < module->priv->n_attributes; i++) {
        if (i > 0) sp__put(t, ", ");
        put_attribute(t, module->priv->attributes[i]);
    }
}

/* ---- the tree ---- */

static bool same_attributes(const sp_module_private *a, const sp_module_private *b)
{
    if (a->n_attributes != b->n_attributes) return false;
    for (int i = 0; i < a->n_attributes; i++) {
        const sp_attribute *x = &a->attributes[i], *y = &b->attributes[i];
        bool equal = x->kind == SP_ATTRIBUTE_NUMBER ? x->number == y->number : x->integer == y->integer;
        if (strcmp(x->name, y->name) != 0 || x->kind != y->kind || !equal) return false;
    }
    return true;
}

/* Whether two modules print alike. */
static bool alike(const sp_module *left, const sp_module *right)
{
    const sp_module_private *a = left->priv, *b = right->priv;
    if (strcmp(a->name, b->name) != 0 || a->n_children != b->n_children || !same_attributes(a, b)) return false;
    for (int i = 0; i < a->n_children; i++)
        if (strcmp(a->children[i].name, b->children[i].name) != 0 ||
            !alike(a->children[i].module, b->children[i].module))
            return false;
    return true;
}

static void put_module(sp__text *t, const sp_module *module, int indent);

/* "(0): …", or "(0-2): 3 x …" in a list. Returns the index behind the children written. */
static int put_child(sp__text *t, const sp_module_private *priv, int i, int indent)
{
    int end = i + 1;
    while (priv->list && end < priv->n_children && alike(priv->children[i].module, priv->children[end].module)) end++;
    sp__put(t, "\n%*s(%s", indent + 2, "", priv->children[i].name);
    if (end - i > 1)
        sp__put(t, "-%s): %d x ", priv->children[end - 1].name, end - i);
    else
        sp__put(t, "): ");
    put_module(t, priv->children[i].module, indent + 2);
    return end;
}

static void put_module(sp__text *t, const sp_module *module, int indent)
{
    const sp_module_private *priv = module->priv;
    put_name(t, priv->name);
    sp__put(t, "(");
    if (priv->n_children == 0) {
        put_attributes(t, module);
    } else {
        if (priv->n_attributes > 0) {
            sp__put(t, "\n%*s", indent + 2, "");
            put_attributes(t, module);
        }
        for (int i = 0; i < priv->n_children;) i = put_child(t, priv, i, indent);
        sp__put(t, "\n%*s", indent, "");
    }
    sp__put(t, ")");
}

size_t sp_module_to_string(const sp_module *module, char *buffer, size_t size)
{
    if (!buffer && size > 0) return sp_raise_null("sp_module_to_string", "buffer"), 0;
    if (size > 0) buffer[0] = '\0';
    if (sp__module_check(module, "sp_module_to_string") != SP_OK) return 0;
    sp__text t = {buffer, size, 0};
    put_module(&t, module, 0);
    return t.length;
}

sp_status sp_module_print(const sp_module *module)
{
    sp_status status = sp__module_check(module, "sp_module_print");
    if (status != SP_OK) return status;
    size_t length = sp_module_to_string(module, NULL, 0);
    char *all = sp_alloc(length + 1);
    if (!all) return sp_error_status();
    sp_module_to_string(module, all, length + 1);
    bool written = printf("%s\n", all) >= 0;
    sp_free(all, length + 1);
    return written ? SP_OK : sp_raise(SP_ERROR_IO, "sp_module_print: standard output cannot be written");
}

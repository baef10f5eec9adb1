/* Tensors as text, PyTorch's character for character: 4 decimals, lines of 80, three entries at each end of what has
 * more than 1000 elements. Source of the rules: torch/_tensor_str.py. */
#include "tensor/tensor.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { LINE_WIDTH = 80, EDGE_ITEMS = 3, THRESHOLD = 1000, PREFIX = 7 /* "tensor(" */ };

/* Text on its way into a buffer that may be too small. */
typedef struct writer {
    char *buffer;
    size_t size, length;
    size_t line_start; /* where the current line begins */
} writer;

static void put(writer *w, const char *text)
{
    for (; *text; text++, w->length++) {
        if (w->length + 1 < w->size) w->buffer[w->length] = *text;
        if (*text == '\n') w->line_start = w->length + 1;
    }
}

static void put_many(writer *w, const char *text, int n)
{
    for (int i = 0; i < n; i++) put(w, text);
}

/* ---- one number ---- */

typedef struct style {
    bool floating, whole, scientific, boolean;
    int width;
    double smallest, largest; /* magnitudes, without zeros and what is not finite */
} style;

typedef struct element {
    double number;
    int64_t integer;
} element;

enum { NUMBER_ROOM = 340 }; /* the longest is 1.8e308 in full, with a sign and a dot */

static int format(const style *s, element e, char *text)
{
    if (s->boolean) return snprintf(text, NUMBER_ROOM, "%s", e.integer ? "True" : "False");
    if (!s->floating) return snprintf(text, NUMBER_ROOM, "%lld", (long long)e.integer);
    if (isnan(e.number)) return snprintf(text, NUMBER_ROOM, "nan");
    if (isinf(e.number)) return snprintf(text, NUMBER_ROOM, e.number > 0 ? "inf" : "-inf");
    if (s->scientific) return sp_format(text, NUMBER_ROOM, "%.4e", e.number);
    return sp_format(text, NUMBER_ROOM, s->whole ? "%.0f." : "%.4f", e.number);
}

static void put_number(writer *w, const style *s, element e)
{
    char text[NUMBER_ROOM];
    int length = format(s, e, text);
    put_many(w, " ", s->width - length);
    put(w, text);
}

/* ---- the elements that are shown ---- */

typedef struct picture {
    const sp_tensor *x;
    bool summarised;
    style style;
    sp_status status;
} picture;

static element read(picture *p, int64_t offset)
{
    element e = {0};
    sp_status status = sp__read_element(p->x, offset, &e.number, &e.integer);
    if (status) p->status = status;
    return e;
}

/* Whether the middle of n entries is left out; then the entry that is shown after entry i. */
static bool is_cut(const picture *p, int64_t n)
{
    return p->summarised && n > 2 * EDGE_ITEMS;
}

static int64_t next_shown(const picture *p, int64_t i, int64_t n)
{
    return is_cut(p, n) && i + 1 == EDGE_ITEMS ? n - EDGE_ITEMS : i + 1;
}

/* Calls visit for every element shown. */
static void each_shown(picture *p, int dim, int64_t offset, void (*visit)(picture *p, element e))
{
    if (dim == p->x->ndim) {
        visit(p, read(p, offset));
        return;
    }
    int64_t n = p->x->sizes[dim];
    for (int64_t i = 0; i < n && !p->status; i = next_shown(p, i, n))
        each_shown(p, dim + 1, offset + i * p->x->strides[dim], visit);
}

/* ---- the style that fits all of them ---- */

static bool counts(const style *s, element e)
{
    return !s->floating || (isfinite(e.number) && e.number != 0);
}

static void see_value(picture *p, element e)
{
    style *s = &p->style;
    if (!s->floating || !counts(s, e)) return;
    double size = fabs(e.number);
    if (size < s->smallest) s->smallest = size;
    if (size > s->largest) s->largest = size;
    if (e.number != ceil(e.number)) s->whole = false;
}

static void see_width(picture *p, element e)
{
    char text[NUMBER_ROOM];
    if (!counts(&p->style, e)) return;
    int length = format(&p->style, e, text);
    if (length > p->style.width) p->style.width = length;
}

static void find_style(picture *p)
{
    style *s = &p->style;
    s->floating = sp_dtype_is_floating_point(p->x->dtype);
    s->boolean = p->x->dtype == SP_BOOL;
    s->whole = true;
    s->width = 1;
    s->smallest = INFINITY;
    each_shown(p, 0, p->x->offset, see_value);
    if (s->largest > 0) s->scientific = s->largest / s->smallest > 1000 || s->largest > 1e8 || s->smallest < 1e-4;
    each_shown(p, 0, p->x->offset, see_width);
}

/* ---- brackets and lines ---- */

static void break_line(writer *w, int lines, int indent)
{
    put(w, ",");
    put_many(w, "\n", lines);
    put_many(w, " ", indent);
}

static void put_row(writer *w, picture *p, int dim, int64_t offset, int indent)
{
    int64_t n = p->x->sizes[dim];
    int per_line = (LINE_WIDTH - indent) / (p->style.width + 2), column = 0;
    if (per_line < 1) per_line = 1;
    put(w, "[");
    for (int64_t i = 0; i < n && !p->status; i = next_shown(p, i, n)) {
        bool after_gap = is_cut(p, n) && i == n - EDGE_ITEMS;
        for (int part = after_gap ? 0 : 1; part < 2; part++) {
            if (column == per_line) {
                break_line(w, 1, indent + 1);
                column = 0;
            } else if (column > 0) {
                put(w, ", ");
            }
            column++;
            if (part == 0)
                put(w, " ...");
            else
                put_number(w, &p->style, read(p, offset + i * p->x->strides[dim]));
        }
    }
    put(w, "]");
}

static void put_block(writer *w, picture *p, int dim, int64_t offset, int indent)
{
    const sp_tensor *x = p->x;
    if (dim == x->ndim) {
        put_number(w, &p->style, read(p, offset));
        return;
    }
    if (dim == x->ndim - 1) {
        put_row(w, p, dim, offset, indent);
        return;
    }
    int64_t n = x->sizes[dim];
    put(w, "[");
    for (int64_t i = 0; i < n && !p->status; i = next_shown(p, i, n)) {
        if (i > 0) break_line(w, x->ndim - dim - 1, indent + 1);
        if (is_cut(p, n) && i == n - EDGE_ITEMS) {
            put(w, "...");
            break_line(w, x->ndim - dim - 1, indent + 1);
        }
        put_block(w, p, dim + 1, offset + i * x->strides[dim], indent + 1);
    }
    put(w, "]");
}

/* ---- what stands behind the numbers ---- */

/* Puts it on the line if it fits there. PyTorch counts a line's length from the break before it. */
static void put_suffix(writer *w, size_t *line_length, const char *text, ...)
{
    char suffix[256];
    va_list arguments;
    va_start(arguments, text);
    size_t length = (size_t)vsnprintf(suffix, sizeof suffix, text, arguments);
    va_end(arguments);
    if (*line_length + length + 2 > LINE_WIDTH) {
        break_line(w, 1, PREFIX);
        *line_length = PREFIX + length;
    } else {
        put(w, ", ");
        *line_length += length + 2;
    }
    put(w, suffix);
}

static void size_text(const sp_tensor *x, char *text, size_t size)
{
    size_t at = 0;
    for (int d = 0; d < x->ndim && at < size; d++)
        at += (size_t)snprintf(text + at, size - at, d ? ", %lld" : "%lld", (long long)x->sizes[d]);
}

static void put_suffixes(writer *w, const sp_tensor *x, bool empty)
{
    char sizes[200] = "";
    size_t line_length = w->length - w->line_start + 2;
    bool usual = x->dtype == SP_F32 || (!empty && (x->dtype == SP_I64 || x->dtype == SP_BOOL));
    size_text(x, sizes, sizeof sizes);
    if (empty && x->ndim != 1) put_suffix(w, &line_length, "size=(%s)", sizes);
    if (!usual) put_suffix(w, &line_length, "dtype=torch.%s", sp_dtype_name(x->dtype));
    const char *made_by = sp__made_by(x);
    if (*made_by)
        put_suffix(w, &line_length, "grad_fn=<%s>", made_by);
    else if (x->requires_grad)
        put_suffix(w, &line_length, "requires_grad=True");
}

size_t sp_to_string(const sp_tensor *x, char *buffer, size_t size)
{
    if (!buffer && size > 0) return sp_raise_null("sp_to_string", "buffer"), 0;
    writer w = {.buffer = buffer, .size = size};
    if (size > 0) buffer[0] = '\0';
    if (sp__check_tensor(x, "sp_to_string", "x")) return 0;
    int64_t n = sp__product(x->ndim, x->sizes);
    picture p = {.x = x, .summarised = n > THRESHOLD};
    put(&w, "tensor(");
    if (n == 0) {
        put(&w, "[]");
    } else {
        find_style(&p);
        put_block(&w, &p, 0, x->offset, PREFIX);
    }
    put_suffixes(&w, x, n == 0);
    put(&w, ")");
    if (buffer && size) buffer[w.length < size ? w.length : size - 1] = '\0';
    return p.status ? 0 : w.length;
}

sp_status sp_print(const sp_tensor *x)
{
    if (sp__check_tensor(x, "sp_print", "x")) return sp_error_status();
    size_t length = sp_to_string(x, NULL, 0);
    char *text = length ? sp_alloc(length + 1) : NULL;
    if (!text) return sp_error_status();
    sp_to_string(x, text, length + 1);
    bool written = puts(text) >= 0 && fflush(stdout) == 0; /* a full disk shows only then */
    sp_free(text, length + 1);
    return written ? SP_OK : sp_raise(SP_ERROR_IO, "sp_print: standard output cannot be written to");
}

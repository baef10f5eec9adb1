#include "support/cases.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the generator; tools/fixtures_operators.py has the same ---- */

/* A mixer of 32 bits with low bias (Wellons, "Prospecting for hash functions", 2018). */
static uint32_t mix(uint32_t x)
{
    x ^= x >> 16;
    x *= 0x7feb352dU;
    x ^= x >> 15;
    x *= 0x846ca68bU;
    return x ^ x >> 16;
}

static uint32_t draw(uint32_t seed, int64_t i)
{
    return mix(seed + (uint32_t)i * 0x9E3779B9U);
}

/* Between low and high, at least 1/20 away from multiples of 1/2, on a grid of 2^-20: kinks and poles of the operators
 * stand on multiples of 1/2. */
static double floating_value(const case_input *in, uint32_t h)
{
    double u = (double)(h >> 8) * 0x1p-24, twice = 2 * (in->low + u * (in->high - in->low)), whole = floor(twice);
    double value = (whole + 0.1 + 0.8 * (twice - whole)) / 2;
    return rint(value * 0x1p20) * 0x1p-20;
}

static double special_value(uint32_t h)
{
    static const double values[] = {0, -0.0, 1, -1, 0.5, -0.5, INFINITY, -INFINITY, NAN, 2, 3, -100, 100};
    return values[h % (sizeof values / sizeof *values)];
}

static int64_t whole_value(const case_input *in, int64_t i, uint32_t h)
{
    const int64_t big = ((int64_t)1 << 53) + 1;
    if (in->dtype == SP_BOOL) return h >> 7 & 1;
    if (in->values == VALUES_BIG && i % 3 < 2) return i % 3 ? -big : big;
    int64_t low = (int64_t)ceil(in->low), end = (int64_t)ceil(in->high); /* an index is below its extent */
    if (in->dtype == SP_U8 && low < 0) low = 0;
    return low + (int64_t)(h % (uint32_t)(end > low ? end - low : 1));
}

static sp_tensor *make_input(const case_input *in)
{
    bool floating = sp_dtype_is_floating_point(in->dtype);
    sp_dims dims = {in->sizes, in->ndim};
    sp_tensor *x = sp_empty(dims, .dtype = floating ? SP_F64 : SP_I64);
    if (!x) return NULL;
    int64_t n = sp_numel(x);
    double *f = sp_data(x);
    int64_t *whole = sp_data(x);
    for (int64_t i = 0; i < n; i++) {
        uint32_t h = draw(in->seed, i);
        if (!floating)
            whole[i] = whole_value(in, i, h);
        else
            f[i] = in->values == VALUES_SPECIAL ? special_value(h) : floating_value(in, h);
    }
    return sp_cast(x, in->dtype);
}

/* ---- layouts ---- */

static sp_tensor *transposed(sp_tensor *x)
{
    int64_t order[SP_MAX_DIMS], sizes[SP_MAX_DIMS];
    int n = sp_ndim(x);
    for (int d = 0; d < n; d++) {
        order[d] = n - 1 - d;
        sizes[d] = sp_size(x, n - 1 - d);
    }
    sp_tensor *base = sp_empty(((sp_dims){sizes, n}), .dtype = sp_dtype_of(x));
    return sp_copy_((sp_permute)(base, (sp_dims){order, n}), x);
}

static sp_tensor *sliced(sp_tensor *x)
{
    int64_t sizes[SP_MAX_DIMS] = {3};
    int n = sp_ndim(x), last = n - 1;
    for (int d = 0; d < n; d++) sizes[d] = sp_size(x, d);
    if (n) sizes[last] = 2 * sizes[last] + 1;
    sp_tensor *base = sp_empty(((sp_dims){sizes, n ? n : 1}), .dtype = sp_dtype_of(x));
    return sp_copy_(n ? sp_slice(base, last, 1, SP_END, 2) : sp_select(base, 0, 1), x);
}

static sp_tensor *image(sp_tensor *x)
{
    const int n = sp_ndim(x);
    if (n != 3 && n != 4) return x;
    sp_tensor *y = sp_contiguous(sp_transpose(sp_transpose(x, -3, -2), -2, -1));
    return sp_transpose(sp_transpose(y, -2, -1), -3, -2);
}

static sp_tensor *expanded(sp_tensor *x)
{
    if (sp_ndim(x) == 0 || sp_size(x, 0) == 0) return x;
    return (sp_expand)(sp_narrow(x, 0, 0, 1), sp_sizes(x));
}

sp_tensor *laid_out(sp_tensor *x, layout how)
{
    switch (how) {
    case LAYOUT_TRANSPOSED: return transposed(x);
    case LAYOUT_SLICED: return sliced(x);
    case LAYOUT_IMAGE: return image(x);
    case LAYOUT_EXPANDED: return expanded(x);
    default: return x;
    }
}

bool case_inputs(const test_case *c, layout how, sp_tensor **out)
{
    bool good = true;
    for (int i = 0; i < c->n; i++) {
        sp_tensor *x = make_input(&c->inputs[i]);
        out[i] = x ? laid_out(x, how) : NULL;
        good &= out[i] != NULL;
    }
    return good;
}

/* ---- cases ---- */

static const sp_dtype dtypes[] = {SP_F32, SP_F64, SP_BF16, SP_I64, SP_I32, SP_U8, SP_BOOL};
enum { N_DTYPES = sizeof dtypes / sizeof *dtypes };

static int parse_shape(const char *text, int64_t *sizes)
{
    int n = 0;
    char *end;
    for (int64_t size = strtoll(text, &end, 10); end != text && n < SP_MAX_DIMS; size = strtoll(text, &end, 10)) {
        sizes[n++] = size;
        text = end;
    }
    return n;
}

static uint32_t seed_of(const sp_op *op, int sample, int input)
{
    uint32_t hash = 2166136261U;
    for (const char *p = op->name; *p; p++) hash = (hash ^ (uint8_t)*p) * 16777619U;
    return mix(hash + (uint32_t)(sample * CASE_MAX_INPUTS + input));
}

/* The sample with every input that has no dtype of its own in `dtype`. */
static test_case plain_case(const sp_op *op, int sample, sp_dtype dtype)
{
    const sp_sample *s = &op->samples[sample];
    test_case c = {.op = op, .sample = sample, .kind = CASE_PLAIN};
    for (int i = 0; i < CASE_MAX_INPUTS && s->inputs[i].shape; i++) {
        const sp_sample_input *from = &s->inputs[i];
        case_input *to = &c.inputs[c.n++];
        bool whole_range = from->low == 0 && from->high == 0;
        *to = (case_input){.dtype = from->dtype ? from->dtype : dtype,
                           .low = whole_range ? -2 : from->low,
                           .high = whole_range ? 2 : from->high,
                           .seed = seed_of(op, sample, i),
                           .values = VALUES_DOMAIN};
        to->ndim = parse_shape(from->shape, to->sizes);
        to->grad = op->backward_name && !s->no_grad && sp_dtype_is_floating_point(to->dtype);
    }
    return c;
}

typedef struct case_list {
    test_case *items;
    int n, capacity;
} case_list;

static void add(case_list *list, test_case c)
{
    if (list->n == list->capacity) {
        list->capacity = list->capacity ? 2 * list->capacity : 64;
        list->items = realloc(list->items, (size_t)list->capacity * sizeof c);
        if (!list->items) abort();
    }
    list->items[list->n++] = c;
}

/* Other values in the inputs that are under test. */
static void add_values(case_list *list, test_case c, case_kind kind, case_values values)
{
    const sp_sample *s = case_sample(&c);
    bool any = false;
    c.kind = kind;
    for (int i = 0; i < c.n; i++) {
        bool chosen = !s->inputs[i].dtype;
        if (chosen) c.inputs[i].values = values;
        any |= chosen;
    }
    if (any) add(list, c);
}

static void add_mixed(case_list *list, const test_case *plain)
{
    static const sp_dtype others[] = {SP_F64, SP_BF16, SP_I64, SP_U8, SP_BOOL};
    for (int i = 0; i < plain->n && plain->n > 1; i++)
        for (int k = 0; k < (int)(sizeof others / sizeof *others); k++) {
            test_case c = *plain;
            c.kind = CASE_MIXED;
            c.inputs[i].dtype = others[k];
            c.inputs[i].grad = c.inputs[i].grad && sp_dtype_is_floating_point(others[k]);
            add(list, c);
        }
}

/* A last size larger by one, a dimension more at the end, a dimension less at the front. */
static bool change_shape(case_input *in, int how)
{
    if (how == 0 && in->ndim > 0) return in->sizes[in->ndim - 1]++, true;
    if (how == 1 && in->ndim < SP_MAX_DIMS) return in->sizes[in->ndim++] = 3, true;
    if (how != 2 || in->ndim == 0) return false;
    memmove(in->sizes, in->sizes + 1, (size_t)--in->ndim * sizeof *in->sizes);
    return true;
}

static void add_shapes(case_list *list, const test_case *plain)
{
    for (int i = 0; i < plain->n; i++)
        for (int how = 0; how < 3; how++) {
            test_case c = *plain;
            c.kind = CASE_SHAPE;
            if (change_shape(&c.inputs[i], how)) add(list, c);
        }
}

test_case *cases_of(const sp_op *op, int *n)
{
    case_list list = {0};
    for (int s = 0; op->samples && op->samples[s].call; s++) {
        for (int k = 0; k < N_DTYPES; k++) add(&list, plain_case(op, s, dtypes[k]));
        add_values(&list, plain_case(op, s, SP_I64), CASE_BIG, VALUES_BIG);
        for (int k = 0; k < N_DTYPES; k++)
            if (sp_dtype_is_floating_point(dtypes[k]))
                add_values(&list, plain_case(op, s, dtypes[k]), CASE_SPECIAL, VALUES_SPECIAL);
        test_case plain = plain_case(op, s, SP_F32);
        if (s == 0) add_mixed(&list, &plain);
        if (s < 3) add_shapes(&list, &plain);
    }
    *n = list.n;
    return list.items;
}

const sp_sample *case_sample(const test_case *c)
{
    return &c->op->samples[c->sample];
}

/* ---- text ---- */

static const char *kind_name(case_kind kind)
{
    static const char *const names[] = {"plain", "big", "special", "mixed", "shape"};
    return names[kind];
}

static int input_text(const case_input *in, char *buffer, size_t size)
{
    int at = snprintf(buffer, size, "%s ", sp_dtype_name(in->dtype));
    for (int d = 0; d < in->ndim; d++)
        at += snprintf(buffer + at, size - (size_t)at, d ? "x%lld" : "%lld", (long long)in->sizes[d]);
    at += snprintf(buffer + at, size - (size_t)at, in->ndim ? " " : "- ");
    return at + snprintf(buffer + at, size - (size_t)at, "%.17g %.17g %u %c %d", in->low, in->high, in->seed,
                         (char)in->values, in->grad);
}

const char *case_text(const test_case *c)
{
    static char text[400];
    int at = snprintf(text, sizeof text, "%s, sample %d (%s), %s", c->op->name, c->sample, case_sample(c)->torch,
                      kind_name(c->kind));
    for (int i = 0; i < c->n; i++)
        at += snprintf(text + at, sizeof text - (size_t)at, ", %s %s", sp_dtype_name(c->inputs[i].dtype),
                       sp__shape_text(c->inputs[i].ndim, c->inputs[i].sizes));
    return text;
}

int case_line(const test_case *c, char *buffer, size_t size)
{
    int at = snprintf(buffer, size, "%s\t%s\t%s", c->op->name, kind_name(c->kind), case_sample(c)->torch);
    for (int i = 0; i < c->n; i++) {
        at += snprintf(buffer + at, size - (size_t)at, "\t");
        at += input_text(&c->inputs[i], buffer + at, size - (size_t)at);
    }
    return at;
}

void cases_dump(FILE *file)
{
    char line[1024];
    for (int k = 0; k < sp__n_ops; k++) {
        int n;
        test_case *cases = cases_of(sp__all_ops[k], &n);
        for (int i = 0; i < n; i++) {
            case_line(&cases[i], line, sizeof line);
            fprintf(file, "%s\n", line);
        }
        free(cases);
    }
}

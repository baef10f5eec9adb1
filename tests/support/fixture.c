#include "support/fixture.h"
#include "support/support.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* fail_msg, for tools that do not know that it never returns. */
static _Noreturn void give_up(const char *path, const char *why)
{
    fail_msg("%s: %s", path, why);
    abort();
}

/* ---- reading ---- */

static uint32_t fingerprint(const test_case *cases, int n)
{
    char line[1024];
    uint32_t hash = 2166136261U;
    for (int i = 0; i < n; i++) {
        int length = case_line(&cases[i], line, sizeof line - 1);
        line[length++] = '\n';
        for (int k = 0; k < length; k++) hash = (hash ^ (uint8_t)line[k]) * 16777619U;
    }
    return hash;
}

static unsigned char *read_file(const sp_op *op, size_t *size)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/fixtures/operators/%s.bin", SP_TEST_DIR, op->name);
    FILE *file = fopen(path, "rb");
    if (!file) give_up(path, "missing: run tools/fixtures_operators.py");
    long end = fseek(file, 0, SEEK_END) ? -1 : ftell(file);
    *size = end > 0 ? (size_t)end : 0;
    unsigned char *data = malloc(*size + 1);
    bool good = data && end > 0 && !fseek(file, 0, SEEK_SET) && fread(data, 1, *size, file) == *size;
    (void)fclose(file);
    if (!good) give_up(path, "cannot be read");
    return data;
}

typedef struct cursor {
    const unsigned char *at, *end;
} cursor;

static const unsigned char *take(cursor *c, size_t n)
{
    if ((size_t)(c->end - c->at) < n) give_up("the fixture", "too short");
    const unsigned char *at = c->at;
    c->at += n;
    return at;
}

static uint32_t take_u32(cursor *c)
{
    uint32_t value;
    memcpy(&value, take(c, sizeof value), sizeof value);
    return value;
}

static void take_tensor(cursor *c, fixture_tensor *out)
{
    out->dtype = (sp_dtype)*take(c, 1);
    out->ndim = *take(c, 1);
    size_t bytes = sp_dtype_size(out->dtype);
    for (int d = 0; d < out->ndim; d++) bytes *= (size_t)(out->sizes[d] = take_u32(c));
    out->data = take(c, bytes);
}

fixture fixture_open(const sp_op *op, const test_case *cases, int n)
{
    size_t size;
    fixture f = {.n = n, .file = read_file(op, &size)};
    cursor c = {f.file, f.file + size};
    if (memcmp(take(&c, 4), "SPFX", 4) != 0 || take_u32(&c) != fingerprint(cases, n) || take_u32(&c) != (uint32_t)n)
        give_up(op->name, "the fixture was made from other samples: run tools/fixtures_operators.py");
    f.records = calloc((size_t)n, sizeof *f.records);
    if (!f.records) give_up(op->name, "no memory");
    for (int i = 0; i < n; i++) {
        f.records[i].n = *take(&c, 1);
        for (int k = 0; k < f.records[i].n; k++) take_tensor(&c, &f.records[i].tensors[k]);
    }
    if (c.at != c.end) give_up(op->name, "the fixture is too long");
    return f;
}

void fixture_close(fixture *f)
{
    free(f->records);
    free(f->file);
    *f = (fixture){0};
}

/* ---- comparing ---- */

tolerance tolerance_of(sp_dtype dtype)
{
    switch (dtype) {
    case SP_F64: return (tolerance){1e-13, 1e-14};
    case SP_F32: return (tolerance){2e-6, 1e-6};
    case SP_BF16: return (tolerance){0x1p-7, 2e-3};
    default: return (tolerance){0, 0};
    }
}

static double floating_at(sp_dtype dtype, const unsigned char *data, int64_t i)
{
    double wide;
    float narrow;
    uint16_t half;
    switch (dtype) {
    case SP_F64: return memcpy(&wide, data + 8 * i, 8), wide;
    case SP_F32: return memcpy(&narrow, data + 4 * i, 4), narrow;
    default: memcpy(&half, data + 2 * i, 2);
    }
    uint32_t bits = (uint32_t)half << 16;
    return memcpy(&narrow, &bits, 4), narrow;
}

static bool same_value(double expected, double x, tolerance allowed)
{
    if (isnan(expected) || isnan(x)) return isnan(expected) && isnan(x);
    return expected == x || fabs(expected - x) <= allowed.absolute + allowed.relative * fabs(expected);
}

/* A sum's error is that of its largest part: bf16's absolute tolerance grows with the largest element. */
static double largest(const fixture_tensor *x, int64_t n)
{
    double largest_so_far = 1;
    for (int64_t i = 0; i < n; i++) {
        double size = fabs(floating_at(x->dtype, x->data, i));
        if (isfinite(size) && size > largest_so_far) largest_so_far = size;
    }
    return largest_so_far;
}

static bool same_shape(const fixture_tensor *expected, const sp_tensor *x)
{
    bool same = sp_ndim(x) == expected->ndim;
    for (int d = 0; d < expected->ndim && same; d++) same = sp_size(x, d) == expected->sizes[d];
    return same;
}

/* The first element that differs; -1: none. */
static int64_t first_difference(const fixture_tensor *expected, const unsigned char *data, int64_t n, tolerance allowed)
{
    size_t size = sp_dtype_size(expected->dtype);
    bool floating = sp_dtype_is_floating_point(expected->dtype);
    if (expected->dtype == SP_BF16) allowed.absolute *= largest(expected, n);
    for (int64_t i = 0; i < n; i++) {
        bool same = floating ? same_value(floating_at(expected->dtype, expected->data, i),
                                          floating_at(expected->dtype, data, i), allowed)
                             : !memcmp(expected->data + (size_t)i * size, data + (size_t)i * size, size);
        if (!same) return i;
    }
    return -1;
}

static int64_t integer_at(sp_dtype dtype, const unsigned char *data, int64_t i)
{
    int64_t wide;
    int32_t narrow;
    if (dtype == SP_I64) return memcpy(&wide, data + 8 * i, 8), wide;
    if (dtype == SP_I32) return memcpy(&narrow, data + 4 * i, 4), narrow;
    return data[i];
}

static void say_difference(const fixture_tensor *expected, const unsigned char *data, int64_t i, char *why, size_t size)
{
    sp_dtype dtype = expected->dtype;
    if (sp_dtype_is_floating_point(dtype))
        snprintf(why, size, "element %lld is %.17g, not %.17g", (long long)i, floating_at(dtype, data, i),
                 floating_at(dtype, expected->data, i));
    else
        snprintf(why, size, "element %lld is %lld, not %lld", (long long)i, (long long)integer_at(dtype, data, i),
                 (long long)integer_at(dtype, expected->data, i));
}

bool fixture_matches(const fixture_tensor *expected, sp_tensor *x, tolerance allowed, char *why, size_t size)
{
    if (sp_dtype_of(x) != expected->dtype || !same_shape(expected, x)) {
        snprintf(why, size, "%s %s, not %s %s", sp_dtype_name(sp_dtype_of(x)), sp__shape_of(x),
                 sp_dtype_name(expected->dtype), sp__shape_text(expected->ndim, expected->sizes));
        return false;
    }
    size_t bytes = (size_t)sp_numel(x) * sp_dtype_size(expected->dtype);
    unsigned char *data = malloc(bytes + 1);
    if (!data || sp_copy_out(data, x, bytes)) give_up("a result", "its values cannot be read");
    int64_t i = first_difference(expected, data, sp_numel(x), allowed);
    if (i >= 0) say_difference(expected, data, i, why, size);
    free(data);
    return i < 0;
}

bool tensors_match(sp_tensor *expected, sp_tensor *x, tolerance allowed, char *why, size_t size)
{
    fixture_tensor f = {.dtype = sp_dtype_of(expected), .ndim = sp_ndim(expected)};
    for (int d = 0; d < f.ndim; d++) f.sizes[d] = sp_size(expected, d);
    expected = sp_contiguous(expected);
    f.data = sp_numel(expected) ? sp_const_data(expected) : (const void *)"";
    return fixture_matches(&f, x, allowed, why, size);
}

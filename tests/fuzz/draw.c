#include "fuzz/fuzz.h"
#include "support/support.h"
#include <float.h>
#include <math.h>
#include <string.h>

/* ---- random numbers ---- */

uint64_t fuzz_word(fuzz_random *r)
{
    uint64_t x = r->state += UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
    return x ^ x >> 31;
}

int64_t fuzz_between(fuzz_random *r, int64_t low, int64_t high)
{
    return high > low ? low + (int64_t)(fuzz_word(r) % (uint64_t)(high - low + 1)) : low;
}

double fuzz_real(fuzz_random *r, double low, double high)
{
    return low + (high - low) * (double)(fuzz_word(r) >> 40) * 0x1p-24;
}

bool fuzz_chance(fuzz_random *r, int percent)
{
    return fuzz_between(r, 0, 99) < percent;
}

/* ---- sizes ---- */

int64_t fuzz_size(fuzz_random *r, int64_t most)
{
    const int64_t kind = fuzz_between(r, 0, 9);
    int64_t size = fuzz_between(r, 2, 9);
    if (kind == 0) size = 1;
    if (kind == 1) size = fuzz_one_of(r, 11, 13, 17, 19, 23, 31, 37, 61, 67, 101, 127, 131, 251, 257);
    if (kind <= 3 && kind > 1) size = (fuzz_one_of(r, 8, 16, 32, 64, 128, 256)) + fuzz_between(r, -1, 1);
    return size < most ? size : most > 1 ? most : 1;
}

void fuzz_sizes(fuzz_random *r, int ndim, int64_t budget, int64_t *sizes)
{
    for (int d = 0; d < ndim; d++) sizes[d] = 1;
    for (int k = 0, d = (int)fuzz_between(r, 0, ndim); k < ndim; k++, d++) {
        sizes[d % ndim] = fuzz_size(r, budget);
        budget /= sizes[d % ndim];
    }
}

int fuzz_shape(fuzz_random *r, int64_t *sizes)
{
    int ndim = (int)(fuzz_one_of(r, 0, 1, 1, 2, 2, 2, 3, 3, 4, 4, 5, 6, 7));
    if (fuzz_chance(r, 12)) { /* more than one task */
        sizes[0] = (fuzz_one_of(r, 4096, 16384, 32768, 65536, 99991)) + fuzz_between(r, -1, 1);
        return 1;
    }
    fuzz_sizes(r, ndim, 20000, sizes);
    if (ndim > 0 && fuzz_chance(r, 3)) sizes[fuzz_between(r, 0, ndim - 1)] = 0;
    return ndim;
}

sp_dtype fuzz_float(fuzz_random *r)
{
    return (sp_dtype)(fuzz_one_of(r, SP_F32, SP_F32, SP_F32, SP_F64, SP_BF16));
}

sp_dtype fuzz_any_dtype(fuzz_random *r)
{
    return fuzz_chance(r, 75) ? fuzz_float(r) : (sp_dtype)(fuzz_one_of(r, SP_I64, SP_I32, SP_U8, SP_BOOL));
}

/* ---- inputs ---- */

fuzz_input *fuzz_add(fuzz_case *c, fuzz_random *r, sp_dtype dtype, sp_dims dims)
{
    fuzz_input *in = &c->in[c->n++];
    *in = (fuzz_input){.dtype = dtype, .ndim = dims.n, .low = -2, .high = 2, .seed = fuzz_word(r)};
    memcpy(in->sizes, dims.data, (size_t)dims.n * sizeof *dims.data);
    if (fuzz_chance(r, 50)) in->layout = fuzz_word(r);
    in->special = fuzz_chance(r, 15) && !(c->subject->flags & FUZZ_FINITE);
    in->modest = c->subject->flags & FUZZ_MODEST;
    return in;
}

fuzz_input *fuzz_add_index(fuzz_case *c, fuzz_random *r, int64_t extent, sp_dims dims)
{
    fuzz_input *in = fuzz_add(c, r, fuzz_chance(r, 70) ? SP_I64 : SP_I32, dims);
    in->low = 0;
    in->high = (double)extent;
    in->constant = true;
    in->special = false;
    return in;
}

int64_t fuzz_numel(const fuzz_input *in)
{
    int64_t n = 1;
    for (int d = 0; d < in->ndim; d++) n *= in->sizes[d];
    return n;
}

/* ---- layouts ---- */

/* Dimension d of the memory is dimension order[d] of the tensor, which begins after `before` elements, takes every
 * step-th and leaves `after` at the end; or repeats one. */
typedef struct arrangement {
    int64_t order[SP_MAX_DIMS], before[SP_MAX_DIMS], step[SP_MAX_DIMS], after[SP_MAX_DIMS];
    bool repeats[SP_MAX_DIMS]; /* by dimension of the tensor */
} arrangement;

static void swap(int64_t *a, int64_t *b)
{
    const int64_t kept = *a;
    *a = *b;
    *b = kept;
}

static void draw_order(fuzz_random *r, int n, int64_t *order)
{
    const int64_t kind = fuzz_between(r, 0, 3);
    for (int d = 0; d < n; d++) order[d] = kind == 1 ? n - 1 - d : d;
    for (int d = n - 3; kind == 2 && d >= 0 && d < n - 1; d++) swap(&order[d], &order[d + 1]); /* channels last */
    for (int d = 0; kind == 3 && d < n; d++) swap(&order[d], &order[fuzz_between(r, d, n - 1)]);
}

static arrangement arrangement_of(const fuzz_input *in)
{
    arrangement a = {.step = {0}};
    fuzz_random r = {in->layout};
    for (int d = 0; d < SP_MAX_DIMS; d++) a.step[d] = 1;
    for (int d = 0; d < in->ndim; d++) a.order[d] = d;
    if (!in->layout) return a;
    draw_order(&r, in->ndim, a.order);
    const bool gaps = fuzz_chance(&r, 50), repeats = fuzz_chance(&r, 15);
    for (int d = 0; d < in->ndim; d++) {
        if (gaps && fuzz_chance(&r, 40)) {
            a.before[d] = fuzz_between(&r, 0, 3);
            a.step[d] = fuzz_between(&r, 1, 3);
            a.after[d] = fuzz_between(&r, 0, 2);
        }
        a.repeats[d] = repeats && fuzz_chance(&r, 40);
    }
    return a;
}

/* The view of a larger block of memory that the arrangement names, and its first element. */
static sp_tensor *arranged(const fuzz_input *in, const arrangement *a, char **first)
{
    int64_t block[SP_MAX_DIMS], back[SP_MAX_DIMS];
    for (int d = 0; d < in->ndim; d++) {
        const int64_t size = a->repeats[a->order[d]] ? 1 : in->sizes[a->order[d]];
        block[d] = a->before[d] + size * a->step[d] + a->after[d];
        back[a->order[d]] = d;
    }
    sp_tensor *x = sp_empty(((sp_dims){block, in->ndim}), .dtype = in->dtype);
    const size_t item = sp_dtype_size(in->dtype);
    *first = sp_data(x);
    memset(*first, 0xFF, (size_t)sp_numel(x) * item); /* NaN where nobody may read */
    for (int d = 0; d < in->ndim; d++) {
        const int64_t size = a->repeats[a->order[d]] ? 1 : in->sizes[a->order[d]];
        *first += a->before[d] * sp_stride(x, d) * (int64_t)item;
        x = sp_slice(x, d, a->before[d], a->before[d] + size * a->step[d], a->step[d]);
    }
    return (sp_expand)((sp_permute)(x, (sp_dims){back, in->ndim}), (sp_dims){in->sizes, in->ndim});
}

/* ---- values ---- */

static double special_number(sp_dtype dtype, bool modest, uint64_t h)
{
    const double tiny = dtype == SP_F64 ? 0x1p-1070 : 0x1p-130, huge = dtype == SP_F64 ? DBL_MAX : 0x1.FEp127;
    const double values[] = {0,    -0.0,  1,     -1,  INFINITY, -INFINITY, NAN,     100,
                             -100, tiny,  -tiny, 0.5, 3,        -2.25,     1 << 20, DBL_EPSILON,
                             88.5, -88.5, -104,  710, -745,     huge,      -huge,   huge / 2};
    return values[h % (sizeof values / sizeof *values - (modest ? 3 : 0))];
}

static int64_t special_integer(sp_dtype dtype, uint64_t h)
{
    const int64_t big = dtype == SP_I64 ? ((int64_t)1 << 53) + 1 : dtype == SP_I32 ? 1 << 30 : 255;
    const int64_t values[] = {0, 1, -1, big, -big, 2, 127, big - 1};
    return values[h % (sizeof values / sizeof *values)];
}

static double floating_value(const fuzz_input *in, uint64_t h)
{
    if (in->special && h % 3 == 0) return special_number(in->dtype, in->modest, h >> 8);
    const double u = (double)(h >> 40) * 0x1p-24;
    return in->low + u * (in->high - in->low);
}

static int64_t whole_value(const fuzz_input *in, uint64_t h)
{
    const int64_t low = (int64_t)ceil(in->low), end = (int64_t)ceil(in->high);
    if (in->special && h % 3 == 0) return special_integer(in->dtype, h >> 8);
    return low + (int64_t)((h >> 8) % (uint64_t)(end > low ? end - low : 1));
}

/* Rounds to the nearest; a NaN has one form. */
static uint16_t to_bf16(double x)
{
    const float f = (float)x;
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    return x != x ? 0x7FC0 : (uint16_t)((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

static void write_value(const fuzz_input *in, void *at, uint64_t h)
{
    switch (in->dtype) {
    case SP_F32: *(float *)at = (float)floating_value(in, h); return;
    case SP_F64: *(double *)at = floating_value(in, h); return;
    case SP_BF16: *(uint16_t *)at = to_bf16(floating_value(in, h)); return;
    case SP_I64: *(int64_t *)at = whole_value(in, h); return;
    case SP_I32: *(int32_t *)at = (int32_t)whole_value(in, h); return;
    case SP_U8: *(uint8_t *)at = (uint8_t)whole_value(in, h); return;
    default: *(uint8_t *)at = h >> 20 & 1;
    }
}

/* The value at an index is the same in every layout; where a dimension repeats, index 0 is taken along it. */
static void fill(const fuzz_input *in, const arrangement *a, const sp_tensor *x, char *first)
{
    const int64_t item = (int64_t)sp_dtype_size(in->dtype), n = sp_numel(x);
    for (int64_t i = 0; i < n; i++) {
        int64_t rest = i, at = 0, place = 0, span = 1;
        for (int d = in->ndim - 1; d >= 0; d--) {
            const int64_t index = a->repeats[d] ? 0 : rest % in->sizes[d];
            at += rest % in->sizes[d] * sp_stride(x, d);
            place += index * span;
            span *= in->sizes[d];
            rest /= in->sizes[d];
        }
        fuzz_random r = {in->seed + (uint64_t)place};
        write_value(in, first + at * item, fuzz_word(&r));
    }
}

sp_tensor *fuzz_tensor(const fuzz_input *in, bool contiguous)
{
    const arrangement a = arrangement_of(in);
    char *first = NULL;
    sp_tensor *x;
    if (contiguous) {
        x = sp_empty(((sp_dims){in->sizes, in->ndim}), .dtype = in->dtype);
        first = sp_data(x);
    } else {
        x = arranged(in, &a, &first);
    }
    if (!x) fail_msg("no input: %s", sp_error_message());
    fill(in, &a, x, first);
    sp_data_end(x);
    return x;
}

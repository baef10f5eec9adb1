/* An operator by the samples of its record: their calls and options, with other shapes, dtypes and layouts. */
#include "fuzz/fuzz.h"
#include <stdlib.h>
#include <string.h>

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

static const sp_sample *draw_sample(const sp_op *op, fuzz_random *r)
{
    int n = 0;
    while (op->samples && op->samples[n].call) n++;
    return n ? &op->samples[fuzz_between(r, 0, n - 1)] : NULL;
}

/* Whether all inputs have one shape and no dtype of their own: any other common shape may do as well. */
static bool is_uniform(const sp_sample *s)
{
    for (int i = 0; i < FUZZ_INPUTS && s->inputs[i].shape; i++)
        if (s->inputs[i].dtype || strcmp(s->inputs[i].shape, s->inputs[0].shape) != 0) return false;
    return true;
}

static fuzz_input *add(fuzz_case *c, fuzz_random *r, const sp_sample_input *from, sp_dtype dtype, sp_dims dims)
{
    fuzz_input *in = fuzz_add(c, r, from->dtype ? from->dtype : dtype, dims);
    if (from->low != 0 || from->high != 0) {
        in->low = from->low;
        in->high = from->high;
    }
    in->constant = from->dtype == SP_I64; /* an index */
    in->special &= !from->dtype;
    return in;
}

/* ---- shapes of all inputs at once: any one shape, of which some inputs repeat dimensions ---- */

static void draw_uniform(fuzz_case *c, fuzz_random *r, sp_dtype dtype)
{
    int64_t sizes[SP_MAX_DIMS], mine[SP_MAX_DIMS];
    const int ndim = fuzz_shape(r, sizes);
    const bool broadcasts = fuzz_chance(r, 30);
    for (int i = 0; i < FUZZ_INPUTS && c->sample->inputs[i].shape; i++) {
        const int left_out = broadcasts && i > 0 ? (int)fuzz_between(r, 0, ndim) : 0;
        for (int d = left_out; d < ndim; d++)
            mine[d - left_out] = broadcasts && i > 0 && fuzz_chance(r, 30) ? 1 : sizes[d];
        add(c, r, &c->sample->inputs[i], dtype, (sp_dims){mine, ndim - left_out});
    }
}

/* ---- the sample's shapes with other numbers: what was equal stays equal ---- */

typedef struct renaming {
    int n;
    int64_t most; /* no size is larger */
    int64_t from[16], to[16];
} renaming;

static int64_t renamed(renaming *names, fuzz_random *r, int64_t size)
{
    if (size < 2) return size;
    for (int i = 0; i < names->n; i++)
        if (names->from[i] == size) return names->to[i];
    if (names->n == 16) return size;
    names->from[names->n] = size;
    return names->to[names->n++] = fuzz_size(r, names->most);
}

/* Images are small: their convolutions take long. */
static int64_t most_of(const sp_sample *s)
{
    int64_t sizes[SP_MAX_DIMS], most = 60;
    for (int i = 0; i < FUZZ_INPUTS && s->inputs[i].shape; i++)
        if (parse_shape(s->inputs[i].shape, sizes) > 2) most = 12;
    return most;
}

static void draw_renamed(fuzz_case *c, fuzz_random *r, sp_dtype dtype, bool rename)
{
    renaming names = {.n = rename ? 0 : 16, .most = most_of(c->sample)};
    for (int i = 0; i < FUZZ_INPUTS && c->sample->inputs[i].shape; i++) {
        int64_t sizes[SP_MAX_DIMS];
        const int ndim = parse_shape(c->sample->inputs[i].shape, sizes);
        for (int d = 0; d < ndim; d++) sizes[d] = renamed(&names, r, sizes[d]);
        fuzz_input *in = add(c, r, &c->sample->inputs[i], dtype, (sp_dims){sizes, ndim});
        if (in->constant) in->high = (double)renamed(&names, r, (int64_t)in->high); /* stays in its range */
    }
}

static void draw(fuzz_case *c, fuzz_random *r, int attempt)
{
    c->sample = draw_sample(c->subject->op, r);
    if (c->subject->flags & FUZZ_OWN_SHAPES) attempt = 3;
    const sp_dtype dtype = attempt < 2 ? fuzz_any_dtype(r) : SP_F32;
    if (attempt == 0 && is_uniform(c->sample))
        draw_uniform(c, r, dtype);
    else
        draw_renamed(c, r, dtype, attempt < 3);
}

static sp_tensor *call(const fuzz_case *c, sp_tensor *const *in, sp_list *leaves)
{
    (void)leaves;
    return c->sample->call(in);
}

fuzz_subject fuzz_samples_of(const sp_op *op)
{
    return (fuzz_subject){.name = op->name, .op = op, .draw = draw, .call = call};
}

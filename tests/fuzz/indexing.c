/* By index; views and copies; numbers at random. */
#include "fuzz/call.h"

/* ---- by index ---- */

static void draw_gather(fuzz_case *c, fuzz_random *r, int attempt)
{
    int64_t sizes[SP_MAX_DIMS];
    const int ndim = 1 + (int)fuzz_between(r, 0, 3);
    const sp_dtype dtype = attempt ? fuzz_float(r) : fuzz_any_dtype(r);
    fuzz_sizes(r, ndim, 10000, sizes);
    fuzz_add(c, r, dtype, (sp_dims){sizes, ndim});
    c->whole[0] = fuzz_between(r, 0, ndim - 1);
    const int64_t extent = sizes[c->whole[0]];
    for (int d = 0; d < ndim; d++) sizes[d] = fuzz_between(r, 1, sizes[d]);
    sizes[c->whole[0]] = fuzz_size(r, 40);
    fuzz_add_index(c, r, extent, (sp_dims){sizes, ndim});
    fuzz_add(c, r, dtype, (sp_dims){sizes, ndim});
}

static void draw_rows(fuzz_case *c, fuzz_random *r, int attempt)
{
    int64_t sizes[SP_MAX_DIMS];
    const int ndim = 1 + (int)fuzz_between(r, 0, 3);
    fuzz_sizes(r, ndim, 10000, sizes);
    fuzz_add(c, r, attempt ? fuzz_float(r) : fuzz_any_dtype(r), (sp_dims){sizes, ndim});
    c->whole[0] = fuzz_between(r, 0, ndim - 1);
    fuzz_add_index(c, r, sizes[c->whole[0]], SP_DIMS(fuzz_size(r, 60)));
}

static void draw_embedding(fuzz_case *c, fuzz_random *r, int attempt)
{
    int64_t sizes[SP_MAX_DIMS];
    const int64_t entries = fuzz_size(r, 300);
    const int ndim = (int)fuzz_between(r, 0, 3);
    (void)attempt;
    fuzz_sizes(r, ndim, 300, sizes);
    fuzz_add(c, r, fuzz_float(r), SP_DIMS(entries, fuzz_size(r, 100)));
    fuzz_add_index(c, r, entries, (sp_dims){sizes, ndim});
    c->whole[0] = fuzz_chance(r, 50) ? 0 : SP_ZERO;
    if (fuzz_chance(r, 30)) c->whole[0] = -1;
}

CALL(gather, sp_gather(in[0], (int)c->whole[0], in[1]))
CALL(scatter_add, sp_scatter_add(in[0], (int)c->whole[0], in[1], in[2]))
CALL(index_select, sp_index_select(in[0], (int)c->whole[0], in[1]))
CALL(embedding, sp_embedding(in[1], in[0], .padding_idx = c->whole[0]))

/* ---- joined ---- */

static void draw_cat(fuzz_case *c, fuzz_random *r, int attempt)
{
    int64_t sizes[SP_MAX_DIMS];
    const int ndim = 1 + (int)fuzz_between(r, 0, 3), n = (int)fuzz_between(r, 1, 4);
    fuzz_sizes(r, ndim, 8000, sizes);
    c->whole[0] = fuzz_between(r, 0, ndim - 1);
    for (int i = 0; i < n; i++) {
        sizes[c->whole[0]] = fuzz_chance(r, 10) ? 0 : fuzz_size(r, 20);
        fuzz_add(c, r, attempt ? fuzz_float(r) : fuzz_any_dtype(r), (sp_dims){sizes, ndim});
    }
}

CALL(cat, sp_cat(sp_list_new(in, c->n), (int)c->whole[0]))

/* ---- a view of a view of a view, copied ---- */

static void draw_views(fuzz_case *c, fuzz_random *r, int attempt)
{
    int64_t sizes[SP_MAX_DIMS];
    int ndim = fuzz_shape(r, sizes);
    if (ndim == 0) sizes[ndim++] = 3;
    fuzz_add(c, r, attempt ? fuzz_float(r) : fuzz_any_dtype(r), (sp_dims){sizes, ndim});
    for (int i = 0; i < FUZZ_WHOLES; i++) c->whole[i] = fuzz_between(r, 0, 1000);
}

static sp_tensor *one_view(sp_tensor *x, const int64_t *how)
{
    const int ndim = sp_ndim(x), dim = ndim ? (int)(how[1] % ndim) : 0;
    const int64_t size = ndim ? sp_size(x, dim) : 1;
    switch (how[0] % 8) {
    case 0: return ndim ? sp_transpose(x, dim, (int)(how[2] % ndim)) : x;
    case 1: return ndim && size ? sp_select(x, dim, how[2] % size) : x;
    case 2: return ndim ? sp_slice(x, dim, how[2] % (size + 1), SP_END, 1 + how[2] % 3) : x;
    case 3: return ndim ? sp_narrow(x, dim, how[2] % (size + 1), size - how[2] % (size + 1)) : x;
    case 4: return ndim < 6 ? sp_unsqueeze(x, dim) : sp_squeeze(x);
    case 5: return sp_flatten(x);
    case 6: return sp_t(ndim < 3 ? x : sp_flatten(x));
    default: return sp_contiguous(x);
    }
}

static sp_tensor *views(const fuzz_case *c, sp_tensor *const *in, sp_list *leaves)
{
    sp_tensor *x = in[0];
    (void)leaves;
    for (int i = 0; i + 3 <= FUZZ_WHOLES && x; i += 3) x = one_view(x, c->whole + i);
    return sp_clone(x);
}

/* ---- at random, from the thread's generator ---- */

static void draw_random(fuzz_case *c, fuzz_random *r, int attempt)
{
    int64_t sizes[SP_MAX_DIMS];
    const int ndim = fuzz_shape(r, sizes);
    (void)attempt;
    fuzz_add(c, r, fuzz_float(r), (sp_dims){sizes, ndim})->special = false;
    c->real[0] = fuzz_real(r, -2, 0);
    c->real[1] = fuzz_real(r, 0, 1);
    c->whole[0] = fuzz_between(r, -5, 0);
    c->whole[1] = fuzz_between(r, 1, 1000000);
}

/* Its mask is drawn in the order in which the input lies. */
static void draw_dropped(fuzz_case *c, fuzz_random *r, int attempt)
{
    draw_random(c, r, attempt);
    c->in[0].layout = 0;
}

CALL(uniform, sp_uniform_(sp_clone(in[0]), c->real[0], c->real[1]))
CALL(normal, sp_normal_(sp_clone(in[0]), c->real[0], c->real[1]))
CALL(randint, sp_randint(c->whole[0], c->whole[1], sp_sizes(in[0])))
CALL(dropout, sp_dropout(in[0], c->real[1], true))
CALL(permutation, sp_randperm(1 + c->whole[1] % 1000))

const fuzz_subject fuzz_indexing[] = {
    {"gather along any", &sp__op_gather, draw_gather, gather, 0},
    {"scatter_add along any", &sp__op_scatter_add, draw_gather, scatter_add, FUZZ_MODEST},
    {"index_select along any", &sp__op_index_select, draw_rows, index_select, 0},
    {"embedding with options", &sp__op_embedding, draw_embedding, embedding, 0},
    {"cat along any", &sp__op_cat, draw_cat, cat, 0},
    {"views", &sp__op_clone, draw_views, views, FUZZ_EXACT},
    {"uniform numbers", &sp__op_uniform, draw_random, uniform, FUZZ_EXACT},
    {"normal numbers", &sp__op_normal, draw_random, normal, FUZZ_EXACT},
    {"whole numbers", NULL, draw_random, randint, FUZZ_EXACT},
    {"dropout", NULL, draw_dropped, dropout, FUZZ_EXACT},
    {"permutation", NULL, draw_random, permutation, FUZZ_EXACT},
    {0},
};

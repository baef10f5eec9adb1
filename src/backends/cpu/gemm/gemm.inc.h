/* Products of one type: the plan. Its parameters are those of pack.inc.h and spin.inc.h.
 *
 * The product is that of the call or, where that means less packing or fuller vectors, the transposed one. b's rows
 * must lie side by side: where they do not, the team packs panels of b, a block at a time, and multiplies the block
 * then. Where they do, many rows and a long k are cut into tasks that pack their rows of a for themselves and lay each
 * panel of b side by side as its first tile reads it: what one thread packs, and another reads, crosses from cache to
 * cache. Where rows are few, no two tasks use a panel of b, and the one that does packs it for itself.
 *
 * Each element of c is summed in one order, which the shape alone says, whatever the cut into tasks.
 *
 * Where elements in memory are another type than sums, both operands are always packed, and sums over a part of k wait
 * in memory of their own. */
#include "task.inc.h"
#include "spin.inc.h"

/* ---- the plan ---- */

enum { FN(PACKED_ROWS) = 4 * SP__TILE_ROWS, FN(PACKED_COLUMNS) = 8 * FN(NR) }; /* of a and b, to a task */

static int64_t FN(column_tasks)(const FN(plan) * p)
{
    return p->packs_b ? (p->j1 - p->j0 + FN(PACKED_COLUMNS) - 1) / FN(PACKED_COLUMNS) : 0;
}

/* Columns of b, then rows of a. */
static int64_t FN(pack_tasks)(const FN(plan) * p)
{
    const int64_t rows = p->packs_a && !p->apart ? (p->i1 - p->i0 + FN(PACKED_ROWS) - 1) / FN(PACKED_ROWS) : 0;
    return rows + FN(column_tasks)(p);
}

static void FN(pack_task)(void *context, int64_t task)
{
    const FN(plan) *p = context;
    const sp__matrix *a = &p->g.a, *b = &p->g.b;
    const int64_t k = p->k1 - p->k0, columns = FN(column_tasks)(p);
    if (task < columns) {
        const int64_t j = p->j0 + task * FN(PACKED_COLUMNS), left = p->j1 - j;
        const int64_t width = left < FN(PACKED_COLUMNS) ? left : FN(PACKED_COLUMNS);
        FN(pack_b)(p->packed_b + (j - p->j0) * FN(units)(k), FN(at)(b, p->k0, j), b->row, b->column, k, width);
        return;
    }
    const int64_t i = p->i0 + (task - columns) * FN(PACKED_ROWS), left = p->i1 - i;
    T *out = p->packed_a + (i - p->i0) / SP__TILE_ROWS * FN(HEIGHT) * FN(units)(k);
    FN(pack_a)(out, FN(at)(a, i, p->k0), a->row, a->column, left < FN(PACKED_ROWS) ? left : FN(PACKED_ROWS), k);
}

/* What a product costs, about, in multiply-adds of vectors: c's tiles, with the lanes that idle; packing; writing c. */
static double FN(cost)(const sp__gemm *g)
{
    const double m = (double)g->m, n = (double)g->n, k = (double)g->k;
    const int64_t whole_vectors = (g->n + FN(LANES) - 1) / FN(LANES);
    const double vectors = (double)whole_vectors;
    const double pack_a = !APART ? 0 : g->a.row == 1 || g->a.column == 1 ? 0.2 : 2;
    const double pack_b = g->b.column == 1 ? (APART ? 0.2 : 0) : g->b.row == 1 ? 0.4 : 2;
    if (FN(is_dots)(g)) return 1.5 * m * n * k / FN(LANES);
    const double write = g->c.column == 1 ? 0.1 : g->c.row == 1 ? 0.4 : 2;
    return m * vectors * k / STEP + pack_a * m * k + pack_b * n * k + write * m * n;
}

/* cᵀ = bᵀ×aᵀ */
static sp__gemm FN(turned)(const sp__gemm *g)
{
    sp__gemm t = *g;
    t.m = g->n, t.n = g->m;
    t.a = (sp__matrix){g->b.buffer, g->b.offset, g->b.column, g->b.row, g->b.batch};
    t.b = (sp__matrix){g->a.buffer, g->a.offset, g->a.column, g->a.row, g->a.batch};
    t.c = (sp__matrix){g->c.buffer, g->c.offset, g->c.column, g->c.row, g->c.batch};
    return t;
}

/* Strides over a single row or column say nothing: taken for what suits best. */
static void FN(settle)(sp__gemm *g)
{
    if (g->n == 1) g->b.column = g->c.column = 1;
    if (g->m == 1) g->a.row = 1;
}

static FN(plan) FN(plan_of)(const sp__gemm *call)
{
    FN(plan) p = {.g = *call};
    sp__gemm other = FN(turned)(call);
    FN(settle)(&p.g);
    FN(settle)(&other);
    p.transposed = FN(cost)(&other) < FN(cost)(&p.g);
    if (p.transposed) p.g = other;
    const sp__gemm *g = &p.g;
    p.panels = (g->n + FN(NR) - 1) / FN(NR);
    p.dots = FN(is_dots)(g);
    const bool deep = g->m >= FN(MANY) && g->k >= FN(DEEP);
    const bool turned = g->m >= FN(MANY) && g->b.column != 1;
    const bool own = turned && !APART && g->k >= FN(OWN_DEPTH) && p.panels <= FN(OWN_PANELS);
    p.packs_b = (turned && !own) || (APART && g->m >= FN(MANY) && !deep);
    p.packs_a = APART || (p.panels >= 3 && g->m >= FN(MANY) && g->k > 1 && (g->a.column != 1 || g->k > FN(KC)));
    p.apart = (deep || own) && !p.packs_b;
    return p;
}

/* Cuts the columns in hand into groups and the rows into chunks: sixteen tasks or more where there is work for so many.
 */
static void FN(cut_block)(FN(plan) * p)
{
    const int64_t panels = FN(panels_of)(p), m = p->i1 - p->i0;
    const int64_t group = m < FN(MANY) ? 1 : panels < FN(GROUP) ? panels : FN(GROUP);
    p->groups = (panels + group - 1) / group;
    const int64_t wanted = (16 + p->groups - 1) / p->groups;
    int64_t tiles = (m + SP__TILE_ROWS * wanted - 1) / (SP__TILE_ROWS * wanted);
    if (tiles < 4) tiles = 4;
    if (tiles > 16) tiles = 16;
    p->chunks = m < FN(MANY) ? 1 : (m + tiles * SP__TILE_ROWS - 1) / (tiles * SP__TILE_ROWS);
}

/* Where each task packs for itself, chunks are as large as the second cache likes them, as many for each thread as for
 * any other; columns are shared out, and a packed more than once, only where there are few chunks. */
static void FN(cut_apart)(FN(plan) * p)
{
    const int64_t threads = sp_num_threads(), m = p->g.m;
    p->chunks = p->packs_a || p->g.b.column == 1 ? (m + FN(CHUNK) - 1) / FN(CHUNK) : 1;
    const int64_t even = (p->chunks + threads - 1) / threads * threads;
    if (m / even >= FN(MANY) / 2) p->chunks = even;
    p->groups = (2 * threads + p->chunks - 1) / p->chunks;
    if (p->groups > p->panels / 8) p->groups = p->panels / 8;
    if (p->groups < 1 || threads == 1) p->groups = 1;
    if (APART && p->groups < p->panels / 64) p->groups = p->panels / 64; /* sums over a part of k need not be many */
}

/* A block on one thread: it is too small to be shared out. */
static void FN(run_alone)(void *plan, int64_t unused)
{
    const FN(plan) *p = plan;
    (void)unused;
    for (int64_t i = 0; i < FN(pack_tasks)(p); i++) FN(pack_task)(plan, i);
    for (int64_t i = 0; i < p->groups * p->chunks; i++) FN(gemm_task)(plan, i);
}

static void FN(run_block)(FN(plan) * p)
{
    const double work = (double)(p->i1 - p->i0) * (double)(p->j1 - p->j0) * (double)(p->k1 - p->k0);
    if (!p->apart) FN(cut_block)(p);
    if (work < 100000) {
        sp__flushed_tasks(1, FN(run_alone), p);
    } else {
        sp__tasks(FN(pack_tasks)(p), FN(pack_task), p);
        sp__flushed_tasks(p->groups * p->chunks, FN(gemm_task), p);
    }
}

/* The blocks' sizes: all of the matrices where there is room. */
typedef struct FN(sizes) {
    int64_t rows, columns, depth;
    size_t a, b, sums; /* bytes that are packed of each, and that sums over a part of k take */
} FN(sizes);

static FN(sizes) FN(sizes_of)(const FN(plan) * p)
{
    const int64_t m = (p->g.m + SP__TILE_ROWS - 1) / SP__TILE_ROWS * SP__TILE_ROWS, n = p->panels * FN(NR);
    const int64_t most_columns = FN(BLOCK) / FN(KC) / FN(NR) * FN(NR), k = FN(units)(p->g.k);
    FN(sizes) s = {.rows = m, .columns = n, .depth = p->g.k};
    if (p->apart) return s;
    if (n > most_columns) s.columns = most_columns;
    int64_t depth = k;
    if (k > FN(BLOCK) / s.columns) {
        depth = FN(BLOCK) / s.columns / FN(KC) * FN(KC);
        s.depth = depth * STEP;
    }
    const int64_t most_rows = FN(BLOCK) / (depth ? depth : 1) / SP__TILE_ROWS * SP__TILE_ROWS;
    if (m > most_rows) s.rows = most_rows;
    if (p->packs_b) s.b = (size_t)(s.columns * depth) * sizeof(T);
    if (p->packs_a) s.a = (size_t)(s.rows / SP__TILE_ROWS * FN(HEIGHT) * depth) * sizeof(T);
    if (APART && k > FN(KC)) s.sums = (size_t)(s.rows * s.columns) * sizeof(T);
    return s;
}

/* Bytes of the slots. */
static size_t FN(size_slots)(FN(plan) * p)
{
    if (!p->apart || !p->packs_a) return 0;
    const int64_t tiles = (p->g.m + SP__TILE_ROWS - 1) / SP__TILE_ROWS, tasks = p->chunks * p->groups;
    const int64_t rows = (tiles + p->chunks - 1) / p->chunks, depth = FN(depth_of)(p->g.k);
    int64_t elements = rows * FN(HEIGHT) * FN(units)(depth);
    if (APART && depth < p->g.k) {
        p->sums_at = elements;
        p->sums_row = (p->panels + p->groups - 1) / p->groups * FN(NR);
        elements += rows * SP__TILE_ROWS * p->sums_row;
    }
    p->slot_size = (sizeof(FN(slot)) + (size_t)elements * sizeof(T) + 63) / 64 * 64;
    p->n_slots = tasks < sp_num_threads() ? tasks : sp_num_threads();
    return (size_t)p->n_slots * p->slot_size;
}

static void FN(set_slots)(FN(plan) * p, char *memory)
{
    p->slots = (FN(slot) *)(void *)memory;
    for (int64_t i = 0; i < p->n_slots; i++, memory += p->slot_size)
        atomic_init(&((FN(slot) *)(void *)memory)->taken, false);
}

static int64_t FN(nearer)(int64_t end, int64_t most)
{
    return end < most ? end : most;
}

static void FN(run_blocks)(FN(plan) * p, const FN(sizes) * s)
{
    const sp__gemm *g = &p->g;
    for (p->j0 = 0; p->j0 < g->n; p->j0 = p->j1) {
        p->j1 = FN(nearer)(p->j0 + s->columns, g->n);
        for (p->i0 = 0; p->i0 < g->m; p->i0 = p->i1) {
            p->i1 = FN(nearer)(p->i0 + s->rows, g->m);
            p->k0 = 0;
            do {
                p->k1 = FN(nearer)(p->k0 + s->depth, g->k);
                FN(run_block)(p);
                p->k0 = p->k1;
            } while (p->k0 < g->k);
        }
    }
}

static sp_status FN(gemm_one)(const sp__gemm *call, int64_t batch)
{
    enum { SMALL = 8192 }; /* bytes of the stack */
    char small[SMALL] __attribute__((aligned(64)));
    FN(plan) p = FN(plan_of)(call);
    const FN(sizes) s = FN(sizes_of)(&p);
    if (p.apart) FN(cut_apart)(&p);
    const size_t slots = FN(size_slots)(&p), bytes = s.a + s.b + s.sums + slots;
    char *packed = bytes <= SMALL ? small : sp__scratch(bytes);
    if (!packed) return SP_ERROR_MEMORY;
    p.packed_b = (T *)(void *)packed;
    p.packed_a = (T *)(void *)(packed + s.b);
    p.sums = (T *)(void *)(packed + s.b + s.a);
    if (!slots) p.sums_row = s.columns;
    if (slots) FN(set_slots)(&p, packed);
    p.g.a.offset += batch * p.g.a.batch;
    p.g.b.offset += batch * p.g.b.batch;
    p.g.c.offset += batch * p.g.c.batch;
    FN(run_blocks)(&p, &s);
    if (packed != small) sp_free(packed, bytes);
    return SP_OK;
}

/* ---- batches ---- */

typedef struct FN(batches) {
    const sp__gemm *call;
    atomic_int status; /* of the first that failed */
} FN(batches);

static void FN(batch_task)(void *context, int64_t batch)
{
    FN(batches) *b = context;
    int none = SP_OK;
    const int status = (int)FN(gemm_one)(b->call, batch);
    if (status != SP_OK) atomic_compare_exchange_strong(&b->status, &none, status);
}

/* Few large products are shared out each, many small ones as a whole. */
sp_status SP__HERE(ENTRY(sp__gemm))(const sp__gemm *call)
{
    if (call->batches == 1) return FN(gemm_one)(call, 0);
    FN(batches) batches = {.call = call};
    const double work = (double)call->m * (double)call->n * (double)call->k;
    if (work < 4e6 && work * (double)call->batches >= 100000) {
        sp__flushed_tasks(call->batches, FN(batch_task), &batches);
    } else {
        for (int64_t i = 0; i < call->batches; i++) FN(batch_task)(&batches, i);
    }
    return (sp_status)atomic_load(&batches.status);
}

#undef T
#undef I
#undef S
#undef APART
#undef STEP
#undef LOWER
#undef UPPER
#undef ACCUMULATE
#undef SPIN
#undef FETCH
#undef KEEP
#undef FROM_S
#undef TO_S
#undef UNITS
#undef ACROSS
#undef FN
#undef ENTRY

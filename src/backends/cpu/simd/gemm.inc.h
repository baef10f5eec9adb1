/* Products of one type. Its parameters are those of gemm_pack.inc.h and spin.inc.h.
 *
 * m, n, k  rows and columns of c, and what is summed over
 * KC       what is summed over at once, in T: a panel of b then stays in L1, a chunk of a in L2
 *
 * The product is that of the call or, where that means less packing or fuller vectors, the transposed one. b's rows
 * must lie side by side: where they do not, and at the right edge, panels of b are packed. a is packed where its
 * elements lie far apart and many panels use them. The team packs a block of both, then multiplies it. A task is a
 * chunk of rows and a group of panels: work is cut by the shape alone, and each element of c is summed in one order.
 * Where elements in memory are another type than sums, both operands are always packed, and sums over a part of k wait
 * in memory of their own. Where rows are few, no two tasks use a panel of b, and the one that does packs it for itself.
 *
 * Whatever lies side by side is better read where it lies: what one thread packs, and another reads, crosses from cache
 * to cache, which costs more than a stride. */
#include "gemm_pack.inc.h"
#include "spin.inc.h"

enum {
    FN(KC) = sizeof(T) == 4 ? 384 : 256,
    FN(MANY) = 96,                     /* rows: fewer are not cut into chunks */
    FN(GROUP) = 16,                    /* panels to a task at most */
    FN(BLOCK) = (4 << 20) / sizeof(T), /* elements of a, and of b, that are packed at a time */
};

typedef struct FN(plan) {
    sp__gemm g; /* one batch; perhaps transposed */
    bool transposed, packs_a, packs_b;
    int64_t panels, chunk, chunks, group, groups;
    T *packed_a, *packed_b, *sums;
    int64_t sums_row;               /* from a row of sums to the next */
    int64_t i0, i1, j0, j1, k0, k1; /* the block in hand: rows, columns, part of k */
} FN(plan);

static S *FN(at)(const sp__matrix *m, int64_t row, int64_t column)
{
    return (S *)m->buffer + m->offset + row * m->row + column * m->column;
}

/* ---- one task ---- */

/* The bias of n rows or columns from the i-th on, side by side; NULL where there is none. */
static const T *FN(bias_at)(const sp__operand *bias, int64_t i, int64_t n, int64_t room, T *copy)
{
    if (!bias) return NULL;
    const S *from = (const S *)bias->buffer + bias->offset + i * bias->strides[0];
    if (!APART && bias->strides[0] == 1 && n >= room) return (const T *)(const void *)from;
    for (int64_t j = 0; j < room; j++) copy[j] = j < n ? FROM_S(from[j * bias->strides[0]]) : 0;
    return copy;
}

/* Fills in a panel's side of a tile: columns from j on, for k from k[0] to k[1]. */
static void FN(set_panel)(const FN(plan) * p, FN(tile) * t, int64_t j, const int64_t k[2], T *edge, T *bias)
{
    const sp__gemm *g = &p->g;
    const int64_t rest = g->n - j;
    t->width = rest < FN(NR) ? rest : FN(NR);
    t->b_row = FN(NR);
    if (p->packs_b) {
        t->b = p->packed_b + (j - p->j0) * FN(units)(p->k1 - p->k0) + FN(units)(k[0] - p->k0) * FN(NR);
    } else if (!APART && g->b.column == 1 && t->width == FN(NR)) {
        t->b = (const T *)(const void *)FN(at)(&g->b, k[0], j);
        t->b_row = g->b.row;
    } else {
        FN(pack_b)(edge, FN(at)(&g->b, k[0], j), g->b.row, g->b.column, k[1] - k[0], t->width);
        t->b = edge;
    }
    t->column_bias = k[1] == g->k && !p->transposed ? FN(bias_at)(g->bias, j, rest, FN(NR), bias) : NULL;
}

/* Fills in the rows' side: rows from i on. */
static void FN(set_rows)(const FN(plan) * p, FN(tile) * t, int64_t i, int64_t k0, bool last, T *bias)
{
    const sp__gemm *g = &p->g;
    if (p->packs_a) {
        const int64_t tile = (i - p->i0) / SP__TILE_ROWS, row = (i - p->i0) % SP__TILE_ROWS;
        t->a = p->packed_a + (tile * FN(units)(p->k1 - p->k0) + FN(units)(k0 - p->k0)) * FN(HEIGHT) + row;
        t->a_row = 1;
        t->a_column = FN(HEIGHT);
    } else {
        t->a = (const T *)(const void *)FN(at)(&g->a, i, k0);
        t->a_row = g->a.row;
        t->a_column = g->a.column;
    }
    t->row_bias = last && p->transposed ? FN(bias_at)(g->bias, i, g->m - i, FN(HEIGHT), bias) : NULL;
}

static void FN(start)(const FN(plan) * p, FN(tile) * t, int64_t k0, int64_t depth)
{
    const sp__gemm *g = &p->g;
    const bool last = k0 + depth == g->k;
    *t = (FN(tile)){.k = FN(units)(depth), .c_row = g->c.row, .c_column = g->c.column, .relu = last && g->relu};
    t->alpha = (T)g->alpha;
    t->beta = k0 > 0 && !APART ? 1 : (T)g->beta;
    t->plain = !APART && g->c.column == 1 && t->alpha == 1 && (t->beta == 0 || t->beta == 1) &&
               !(last && (g->bias || g->relu));
}

/* Where the tile at (i, j) writes. Sums over a part of k are kept apart where c is of another type. */
static void FN(set_result)(const FN(plan) * p, FN(tile) * t, int64_t i, int64_t j, bool first, bool last)
{
    t->c = FN(at)(&p->g.c, i, j);
    if (!APART || (first && last)) return;
    T *sums = p->sums + (i - p->i0) * p->sums_row + j - p->j0;
    t->before = first ? NULL : sums;
    t->before_row = p->sums_row;
    if (last) return;
    t->plain = true;
    t->beta = first ? 0 : 1;
    t->c = sums;
    t->c_row = p->sums_row;
    t->width = t->width > FN(LANES) ? FN(NR) : FN(LANES);
}

/* Panels in turn, each against all rows. */
static void FN(multiply)(const FN(plan) * p, FN(tile) t, const int64_t k[2], const int64_t rows[2],
                         const int64_t columns[2])
{
    T edge[FN(KC) * FN(NR)] __attribute__((aligned(64)));
    const bool last = k[1] == p->g.k;
    T column_bias[FN(NR)], row_bias[FN(HEIGHT)];
    for (int64_t j = columns[0]; j < columns[1]; j += FN(NR)) {
        FN(set_panel)(p, &t, j, k, edge, column_bias);
        for (int64_t i = rows[0], n; i < rows[1]; i += n) {
            FN(set_rows)(p, &t, i, k[0], last, row_bias);
            FN(set_result)(p, &t, i, j, k[0] == 0, last);
            n = FN(run_rows)(&t, rows[1] - i);
        }
    }
}

/* k is cut into equal parts of at most KC. */
static int64_t FN(depth_of)(int64_t k)
{
    const int64_t parts = (FN(units)(k) + FN(KC) - 1) / FN(KC);
    return parts > 1 ? ((k + parts - 1) / parts + 7) / 8 * 8 : k;
}

static void FN(gemm_task)(void *context, int64_t task)
{
    const FN(plan) *p = context;
    const int64_t i = p->i0 + task % p->chunks * p->chunk, j = p->j0 + task / p->chunks * p->group * FN(NR);
    const int64_t end_i = i + p->chunk, end_j = j + p->group * FN(NR);
    const int64_t rows[2] = {i, end_i < p->i1 ? end_i : p->i1};
    const int64_t columns[2] = {j, end_j < p->j1 ? end_j : p->j1};
    const int64_t depth = FN(depth_of)(p->k1 - p->k0);
    int64_t k = p->k0;
    do {
        FN(tile) t;
        const int64_t part = depth < p->k1 - k ? depth : p->k1 - k;
        FN(start)(p, &t, k, part);
        FN(multiply)(p, t, (int64_t[2]){k, k + part}, rows, columns);
        k += depth;
    } while (k < p->k1);
}

/* ---- the plan ---- */

static int64_t FN(panels_of)(const FN(plan) * p)
{
    return (p->j1 - p->j0 + FN(NR) - 1) / FN(NR);
}

enum { FN(PACKED_ROWS) = 4 * SP__TILE_ROWS, FN(PACKED_COLUMNS) = 8 * FN(NR) }; /* of a and b, to a task */

static int64_t FN(column_tasks)(const FN(plan) * p)
{
    return p->packs_b ? (p->j1 - p->j0 + FN(PACKED_COLUMNS) - 1) / FN(PACKED_COLUMNS) : 0;
}

/* Columns of b, then rows of a. */
static int64_t FN(pack_tasks)(const FN(plan) * p)
{
    const int64_t rows = p->packs_a ? (p->i1 - p->i0 + FN(PACKED_ROWS) - 1) / FN(PACKED_ROWS) : 0;
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
    p.packs_b = g->m >= FN(MANY) && (APART || g->b.column != 1);
    p.packs_a = APART || (p.panels >= 3 && g->m >= FN(MANY) && g->k > 1 && (g->a.column != 1 || g->k > 2 * FN(KC)));
    return p;
}

/* Cuts the columns in hand into groups and the rows into chunks: sixteen tasks or more where there is work for so many.
 */
static void FN(cut)(FN(plan) * p)
{
    const int64_t panels = FN(panels_of)(p), m = p->i1 - p->i0;
    p->group = m < FN(MANY) ? 1 : panels < FN(GROUP) ? panels : FN(GROUP);
    p->groups = (panels + p->group - 1) / p->group;
    const int64_t wanted = (16 + p->groups - 1) / p->groups;
    int64_t tiles = (m + SP__TILE_ROWS * wanted - 1) / (SP__TILE_ROWS * wanted);
    if (tiles < 4) tiles = 4;
    if (tiles > 16) tiles = 16;
    p->chunk = m < FN(MANY) ? m : tiles * SP__TILE_ROWS;
    p->chunks = (m + p->chunk - 1) / p->chunk;
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
    FN(cut)(p);
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
    const size_t bytes = s.a + s.b + s.sums;
    char *packed = bytes <= SMALL ? small : sp__scratch(bytes);
    if (!packed) return SP_ERROR_MEMORY;
    p.packed_b = (T *)(void *)packed;
    p.packed_a = (T *)(void *)(packed + s.b);
    p.sums = (T *)(void *)(packed + s.b + s.a);
    p.sums_row = s.columns;
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

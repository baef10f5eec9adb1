/* Products: the plan.
 *
 * The product is that of the call or, where that means less packing or fuller vectors, the transposed one. b's rows
 * must lie side by side: where they do not, the team packs panels of b, a block at a time, and multiplies the block
 * then. Where they do, many rows and a long k are cut into tasks that pack their rows of a for themselves and lay each
 * panel of b side by side as its first tile reads it: what one thread packs, and another reads, crosses from cache to
 * cache. Where rows are few, no two tasks use a panel of b, and the one that does packs it for itself.
 *
 * Each element of c is summed in one order, which the shape alone says, whatever the level and the cut into tasks: k is
 * cut by its own length, and blocks of it are whole parts of that cut.
 *
 * Where elements in memory are another type than sums, both operands are always packed, and sums over a part of k wait
 * in memory of their own. */
#include "task.h"

/* ---- the plan ---- */

enum { PACKED_ROWS = 4 * ROWS, PACKED_COLUMNS = 4 * NR }; /* of a and b, to a task */

static int64_t column_tasks(const plan *p)
{
    return p->packs_b ? (p->j1 - p->j0 + PACKED_COLUMNS - 1) / PACKED_COLUMNS : 0;
}

/* Columns of b, then rows of a. */
static int64_t pack_tasks(const plan *p)
{
    const int64_t rows = p->packs_a && !p->apart ? (p->i1 - p->i0 + PACKED_ROWS - 1) / PACKED_ROWS : 0;
    return rows + column_tasks(p);
}

static void pack_task(void *context, int64_t task)
{
    const plan *p = context;
    const sp__matrix *a = &p->g.a, *b = &p->g.b;
    const int64_t k = p->k1 - p->k0, columns = column_tasks(p);
    if (task < columns) {
        const int64_t j = p->j0 + task * PACKED_COLUMNS, left = p->j1 - j;
        const int64_t width = left < PACKED_COLUMNS ? left : PACKED_COLUMNS;
        pack_b(p->packed_b + (j - p->j0) * units_of(k), at(b, p->k0, j), b->row, b->column, k, width);
        return;
    }
    const int64_t i = p->i0 + (task - columns) * PACKED_ROWS, left = p->i1 - i;
    number *out = p->packed_a + (i - p->i0) / ROWS * HEIGHT * units_of(k);
    pack_a(out, at(a, i, p->k0), a->row, a->column, left < PACKED_ROWS ? left : PACKED_ROWS, k);
}

/* What a product costs, about, in multiply-adds of vectors: c's tiles, with the lanes that idle; packing; writing c. */
static double cost(const sp__gemm *g, int64_t lanes)
{
    const double m = (double)g->m, n = (double)g->n, k = (double)g->k;
    const int64_t whole_vectors = (g->n + lanes - 1) / lanes;
    const double vectors = (double)whole_vectors;
    const double pack_a = !APART ? 0 : g->a.row == 1 || g->a.column == 1 ? 0.2 : 2;
    const double pack_b = g->b.column == 1 ? (APART ? 0.2 : 0) : g->b.row == 1 ? 0.4 : 2;
    if (is_dots(g)) return 1.5 * m * n * k / (double)lanes;
    const double write = g->c.column == 1 ? 0.1 : g->c.row == 1 ? 0.4 : 2;
    return m * vectors * k / STEP + pack_a * m * k + pack_b * n * k + write * m * n;
}

static plan plan_of(const sp__gemm *call)
{
    plan p = {.g = *call};
    sp__gemm other = turned(call);
    settle(&p.g);
    settle(&other);
    /* Dot products have sums of their own: whether it comes to them must not depend on the level. */
    const int64_t lanes = is_dots(&p.g) || is_dots(&other) ? DOT_LANES : LANES;
    p.transposed = cost(&other, lanes) < cost(&p.g, lanes);
    if (p.transposed) p.g = other;
    const sp__gemm *g = &p.g;
    p.panels = (g->n + NR - 1) / NR;
    p.dots = is_dots(g);
    const bool deep = g->m >= MANY && g->k >= DEEP;
    const bool turned = g->m >= MANY && g->b.column != 1;
    const bool own = turned && !APART && g->k >= OWN_DEPTH && p.panels <= OWN_PANELS;
    p.packs_b = (turned && !own) || (APART && g->m >= MANY && !deep);
    p.packs_a = APART || (p.panels >= 3 && g->m >= MANY && g->k > 1 && (g->a.column != 1 || g->k > KC));
    p.apart = (deep || own) && !p.packs_b;
    return p;
}

/* Cuts the columns in hand into groups and the rows into chunks: sixteen tasks or more where there is work for so many.
 */
static void cut_block(plan *p)
{
    const int64_t panels = panels_of(p), m = p->i1 - p->i0;
    const int64_t group = m < MANY ? 1 : panels < GROUP ? panels : GROUP;
    p->groups = (panels + group - 1) / group;
    const int64_t wanted = (16 + p->groups - 1) / p->groups;
    int64_t tiles = (m + ROWS * wanted - 1) / (ROWS * wanted);
    if (tiles < 4) tiles = 4;
    if (tiles > 16) tiles = 16;
    p->chunks = m < MANY ? 1 : (m + tiles * ROWS - 1) / (tiles * ROWS);
}

/* Where each task packs for itself, chunks are as large as the second cache likes them, as many for each thread as for
 * any other; columns are shared out, and a packed more than once, only where there are few chunks. */
static void cut_apart(plan *p)
{
    const int64_t threads = sp_num_threads(), m = p->g.m;
    p->chunks = p->packs_a || p->g.b.column == 1 ? (m + CHUNK - 1) / CHUNK : 1;
    const int64_t even = (p->chunks + threads - 1) / threads * threads;
    if (m / even >= MANY / 2) p->chunks = even;
    p->groups = (2 * threads + p->chunks - 1) / p->chunks;
    if (p->groups > p->panels / 8) p->groups = p->panels / 8;
    if (p->groups < 1 || threads == 1) p->groups = 1;
    if (APART && p->groups < p->panels / 64) p->groups = p->panels / 64; /* sums over a part of k need not be many */
}

/* A block on one thread: it is too small to be shared out. */
static void run_alone(void *context, int64_t unused)
{
    const plan *p = context;
    (void)unused;
    for (int64_t i = 0; i < pack_tasks(p); i++) pack_task(context, i);
    for (int64_t i = 0; i < p->groups * p->chunks; i++) gemm_task(context, i);
}

static void run_block(plan *p)
{
    const double work = (double)(p->i1 - p->i0) * (double)(p->j1 - p->j0) * (double)(p->k1 - p->k0);
    if (!p->apart) cut_block(p);
    if (work < 100000) {
        sp__flushed_tasks(1, run_alone, p);
    } else {
        sp__tasks(pack_tasks(p), pack_task, p);
        sp__flushed_tasks(p->groups * p->chunks, gemm_task, p);
    }
}

/* The blocks' sizes: all of the matrices where there is room. */
typedef struct sizes {
    int64_t rows, columns, depth;
    size_t a, b, sums; /* bytes that are packed of each, and that sums over a part of k take */
} sizes;

static sizes sizes_of(const plan *p)
{
    const int64_t m = (p->g.m + ROWS - 1) / ROWS * ROWS, n = p->panels * NR;
    const int64_t most_columns = BLOCK / KC / NR * NR, k = units_of(p->g.k), part = units_of(depth_of(p->g.k));
    sizes s = {.rows = m, .columns = n, .depth = p->g.k};
    if (p->apart) return s;
    if (n > most_columns) s.columns = most_columns;
    int64_t depth = k;
    if (part > 0 && k > BLOCK / s.columns) { /* of a sum of nothing there are no parts */
        depth = BLOCK / s.columns / part * part;
        s.depth = depth * STEP;
    }
    const int64_t most_rows = BLOCK / (depth ? depth : 1) / ROWS * ROWS;
    if (m > most_rows) s.rows = most_rows;
    if (p->packs_b) s.b = (size_t)(s.columns * depth) * sizeof(number);
    if (p->packs_a) s.a = (size_t)(s.rows / ROWS * HEIGHT * depth) * sizeof(number);
    if (APART && k > KC) s.sums = (size_t)(s.rows * s.columns) * sizeof(number);
    return s;
}

/* Bytes of the slots. */
static size_t size_slots(plan *p)
{
    if (!p->apart || !p->packs_a) return 0;
    const int64_t tiles = (p->g.m + ROWS - 1) / ROWS, tasks = p->chunks * p->groups;
    const int64_t rows = (tiles + p->chunks - 1) / p->chunks, depth = depth_of(p->g.k);
    int64_t elements = rows * HEIGHT * units_of(depth);
    if (APART && depth < p->g.k) {
        p->sums_at = elements;
        p->sums_row = (p->panels + p->groups - 1) / p->groups * NR;
        elements += rows * ROWS * p->sums_row;
    }
    p->slot_size = (sizeof(packing_slot) + (size_t)elements * sizeof(number) + 63) / 64 * 64;
    p->n_slots = tasks < sp_num_threads() ? tasks : sp_num_threads();
    return (size_t)p->n_slots * p->slot_size;
}

static void set_slots(plan *p, char *memory)
{
    p->slots = (packing_slot *)(void *)memory;
    for (int64_t i = 0; i < p->n_slots; i++, memory += p->slot_size)
        atomic_init(&((packing_slot *)(void *)memory)->taken, false);
}

static int64_t nearer(int64_t end, int64_t most)
{
    return end < most ? end : most;
}

static void run_blocks(plan *p, const sizes *s)
{
    const sp__gemm *g = &p->g;
    for (p->j0 = 0; p->j0 < g->n; p->j0 = p->j1) {
        p->j1 = nearer(p->j0 + s->columns, g->n);
        for (p->i0 = 0; p->i0 < g->m; p->i0 = p->i1) {
            p->i1 = nearer(p->i0 + s->rows, g->m);
            p->k0 = 0;
            do {
                p->k1 = nearer(p->k0 + s->depth, g->k);
                run_block(p);
                p->k0 = p->k1;
            } while (p->k0 < g->k);
        }
    }
}

static sp_status gemm_one(const sp__gemm *call, int64_t batch)
{
    enum { SMALL = 8192 }; /* bytes of the stack */
    char small[SMALL] __attribute__((aligned(64)));
    plan p = plan_of(call);
    const sizes s = sizes_of(&p);
    if (p.apart) cut_apart(&p);
    const size_t slots = size_slots(&p), bytes = s.a + s.b + s.sums + slots;
    char *packed = bytes <= SMALL ? small : sp__scratch(bytes);
    if (!packed) return SP_ERROR_MEMORY;
    p.packed_b = (number *)(void *)packed;
    p.packed_a = (number *)(void *)(packed + s.b);
    p.sums = (number *)(void *)(packed + s.b + s.a);
    if (!slots) p.sums_row = s.columns;
    if (slots) set_slots(&p, packed);
    p.g.a.offset += batch * p.g.a.batch;
    p.g.b.offset += batch * p.g.b.batch;
    p.g.c.offset += batch * p.g.c.batch;
    run_blocks(&p, &s);
    if (packed != small) sp_free(packed, bytes);
    return SP_OK;
}

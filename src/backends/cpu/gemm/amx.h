/* Products of bf16 by AMX, whose tiles sum 16 × 16 products of 32 pairs at once.
 *
 * A task takes some rows of c and a panel of NR columns. It packs a block of the panel, DEEP of k, into memory of its
 * own, and multiplies blocks of 32 rows with it. a is read where it lies if its rows are side by side; else the team
 * packs it first. What k leaves behind whole tiles is packed with zeros. Sums are f32, and k runs in order. */
#include "amx_pack.h"

enum {
    BLOCK_ROWS = 2 * SIDE,        /* four tiles of sums are held: two of rows by two of columns */
    DEEP = 32,                    /* tiles of k to a block: a panel of it stays in the second-level cache */
    CHUNK = 1024,                 /* rows to a task at most, */
    WAITING = 256,                /* and where their sums wait for more blocks of k */
    TILES = NR / SIDE,            /* of a panel */
    PANEL = DEEP * TILES * WHOLE, /* elements of a block of b */
};

/* Memory of a task. */
typedef struct workplace {
    _Alignas(64) element b[PANEL]; /* [tile of k][tile of columns] */
    element edge[CHUNK * DEPTH];   /* a's last tile of k: [tile of rows] */
    number sums[WAITING * NR];
} workplace;

typedef struct plan {
    sp__gemm g; /* one batch; perhaps transposed */
    bool transposed;
    element *packed_a; /* [tile of rows][tile of k]; NULL: a is read where it lies */
    int64_t chunk;     /* rows to a task */
    int64_t chunks, panels, depths;
    atomic_int status;
} plan;

/* ---- a task ---- */

enum { SUMS_ROW = NR * sizeof(number), TILE_ROW = DEPTH * sizeof(element), TILE_BYTES = WHOLE * sizeof(element) };

/* The block of rows from i on, from the tile d of k on. */
static sp__tile_walk walk_at(const plan *p, int64_t i, int64_t d)
{
    const sp__matrix *a = &p->g.a;
    if (p->packed_a) {
        const element *from = p->packed_a + (i / SIDE * p->depths + d) * WHOLE;
        return (sp__tile_walk){from, from + p->depths * WHOLE, TILE_ROW, TILE_BYTES};
    }
    const element *from = at(a, i, d * DEPTH);
    return (sp__tile_walk){from, from + SIDE * a->row, a->row * (int64_t)sizeof(element), TILE_ROW};
}

/* The sums of the block of rows from i on; where k is one block they wait for nothing. */
static number *sums_at(const plan *p, workplace *w, int64_t i0, int64_t i)
{
    return w->sums + (p->depths > DEEP ? (i - i0) * NR : 0);
}

/* One block of rows, for tiles [d, end) of k; i0 is the task's first row. */
static void add_block(const plan *p, workplace *w, int64_t i0, int64_t i, int64_t rows, int64_t d, int64_t end,
                      int64_t width)
{
    const bool lower = rows > SIDE, edge = !p->packed_a && end * DEPTH > p->g.k;
    const sp__tile_walk a = walk_at(p, i, d);
    const element *last = w->edge + (i - i0) * DEPTH;
    const sp__tile_walk a_edge = {last, last + WHOLE, TILE_ROW, 0};
    for (int64_t j = 0; j < width; j += BLOCK_ROWS) {
        const element *left = w->b + j / SIDE * WHOLE, *left_edge = left + (end - 1 - d) * TILES * WHOLE;
        const sp__tile_walk b = {left, left + WHOLE, TILE_ROW, TILES * TILE_BYTES};
        const sp__tile_walk b_edge = {left_edge, left_edge + WHOLE, TILE_ROW, 0};
        number *sums = sums_at(p, w, i0, i) + j;
        const bool right = width - j > SIDE;
        sp__load_sums(sums, SUMS_ROW, lower, right, d > 0);
        sp__add_tiles(&a, &b, end - d - edge, lower, right);
        if (edge) sp__add_tiles(&a_edge, &b_edge, 1, lower, right);
        sp__store_sums(sums, SUMS_ROW, lower, right);
    }
}

/* Sums of the rows from i on become c. */
static void finish_block(const plan *p, workplace *w, int64_t i0, int64_t i, int64_t rows, int64_t j)
{
    const sp__gemm *g = &p->g;
    number row_bias[BLOCK_ROWS], column_bias[NR];
    tile t = {.c = at(&g->c, i, j), .c_row = g->c.row, .c_column = g->c.column, .relu = g->relu};
    t.width = least(g->n - j, NR);
    t.alpha = (number)g->alpha;
    t.beta = (number)g->beta;
    t.row_bias = p->transposed ? bias_at(g->bias, i, rows, BLOCK_ROWS, row_bias) : NULL;
    t.column_bias = p->transposed ? NULL : bias_at(g->bias, j, t.width, NR, column_bias);
    finish(&t, (int)rows, sums_at(p, w, i0, i));
}

static void pack_panel(const plan *p, element *out, int64_t d, int64_t end, int64_t j)
{
    const sp__matrix *b = &p->g.b;
    const int64_t width = least(p->g.n - j, NR), tiles = (width + SIDE - 1) / SIDE;
    for (; d < end; d++, out += TILES * WHOLE)
        for (int64_t t = 0; t < tiles; t++)
            pack_b_tile(out + t * WHOLE, at(b, d * DEPTH, j + t * SIDE), b->row, b->column, p->g.k - d * DEPTH,
                        width - t * SIDE);
}

/* The last tile of k of the rows from i to `end`, where a is read as it lies and k leaves a part of one. */
static void pack_edge(const plan *p, element *out, int64_t i, int64_t end)
{
    const sp__matrix *a = &p->g.a;
    const int64_t k = (p->depths - 1) * DEPTH;
    for (; i < end; i += SIDE, out += WHOLE) pack_a_tile(out, at(a, i, k), a->row, a->column, end - i, p->g.k - k);
}

static void run_chunk(const plan *p, workplace *w, int64_t i0, int64_t i1, int64_t j)
{
    const int64_t width = least(p->g.n - j, NR), rest = (i1 - i0) % BLOCK_ROWS;
    if (!p->packed_a && p->g.k % DEPTH) pack_edge(p, w->edge, i0, i1);
    for (int64_t d = 0; d < p->depths; d += DEEP) {
        const int64_t end = least(d + DEEP, p->depths);
        pack_panel(p, w->b, d, end, j);
        if (i1 - i0 >= BLOCK_ROWS) sp__set_tiles(BLOCK_ROWS);
        for (int64_t i = i0; i < i1; i += BLOCK_ROWS) {
            const int64_t rows = least(i1 - i, BLOCK_ROWS);
            if (rows < BLOCK_ROWS) sp__set_tiles(rest);
            add_block(p, w, i0, i, rows, d, end, width);
            if (end == p->depths) finish_block(p, w, i0, i, rows, j);
        }
    }
    _tile_release();
}

static void amx_task(void *context, int64_t task)
{
    plan *p = context;
    const int64_t i0 = task / p->panels * p->chunk, j = task % p->panels * NR;
    workplace *w = sp__scratch(sizeof *w);
    if (!w) {
        atomic_store(&p->status, SP_ERROR_MEMORY);
        return;
    }
    run_chunk(p, w, i0, least(i0 + p->chunk, p->g.m), j);
    sp_free(w, sizeof *w);
}

/* ---- the plan ---- */

static void pack_a_strip(void *context, int64_t which)
{
    const plan *p = context;
    const sp__matrix *a = &p->g.a;
    const int64_t i = which * SIDE;
    element *out = p->packed_a + which * p->depths * WHOLE;
    for (int64_t d = 0; d < p->depths; d++, out += WHOLE)
        pack_a_tile(out, at(a, i, d * DEPTH), a->row, a->column, p->g.m - i, p->g.k - d * DEPTH);
}

/* What is not multiplied costs, about, in elements that are interleaved. */
static double cost(const sp__gemm *g)
{
    const double m = (double)g->m, n = (double)((g->n + SIDE - 1) / SIDE * SIDE), k = (double)g->k;
    const double pack_a = g->a.column == 1 ? 0 : g->a.row == 1 ? 2 : 20;
    const double pack_b = g->b.column == 1 ? 1 : g->b.row == 1 ? 1.5 : 20;
    const double write = g->c.column == 1 ? 1 : g->c.row == 1 ? 3 : 20;
    return pack_a * m * k + pack_b * n * k + write * m * n + 0.03 * m * n * k;
}

/* As many rows as keep all threads at work: each chunk packs b anew. */
static int64_t chunk_of(const plan *p)
{
    const int64_t threads = sp_num_threads(), wanted = threads > 1 ? (2 * threads + p->panels - 1) / p->panels : 1;
    const int64_t rows = (p->g.m + wanted - 1) / wanted, most = p->depths > DEEP ? WAITING : CHUNK;
    return least((rows + BLOCK_ROWS - 1) / BLOCK_ROWS * BLOCK_ROWS, most);
}

static void plan_product(plan *p, const sp__gemm *call, int64_t batch)
{
    sp__gemm other = turned(call);
    p->g = *call;
    settle(&p->g);
    settle(&other);
    p->transposed = cost(&other) < cost(&p->g);
    if (p->transposed) p->g = other;
    p->g.a.offset += batch * p->g.a.batch;
    p->g.b.offset += batch * p->g.b.batch;
    p->g.c.offset += batch * p->g.c.batch;
    p->panels = (p->g.n + NR - 1) / NR;
    p->depths = depths_of(p->g.k);
    p->chunk = chunk_of(p);
    p->chunks = (p->g.m + p->chunk - 1) / p->chunk;
}

static void run_alone(void *context, int64_t unused)
{
    plan *p = context;
    (void)unused;
    for (int64_t i = 0; p->packed_a && i < p->g.m; i += SIDE) pack_a_strip(p, i / SIDE);
    for (int64_t i = 0; i < p->chunks * p->panels; i++) amx_task(p, i);
}

static sp_status gemm_one(const sp__gemm *call, int64_t batch)
{
    plan p = {.packed_a = NULL};
    plan_product(&p, call, batch);
    const int64_t strips = (p.g.m + SIDE - 1) / SIDE;
    const size_t bytes = (size_t)(strips * p.depths * WHOLE) * sizeof(element);
    if (p.g.a.column != 1) {
        p.packed_a = sp__scratch(bytes);
        if (!p.packed_a) return SP_ERROR_MEMORY;
    }
    if ((double)p.g.m * (double)p.g.n * (double)p.g.k < 500000) {
        sp__tasks(1, run_alone, &p);
    } else {
        if (p.packed_a) sp__tasks(strips, pack_a_strip, &p);
        sp__tasks(p.chunks * p.panels, amx_task, &p);
    }
    if (p.packed_a) sp_free(p.packed_a, bytes);
    return (sp_status)atomic_load(&p.status);
}

/* ---- the peak ---- */

/* Returns how many floating point operations it did. */
static double spin(int64_t rounds)
{
    sp__set_tiles(BLOCK_ROWS);
    sp__load_sums(NULL, 0, true, true, false);
    _tile_zero(4);
    _tile_zero(5);
    _tile_zero(6);
    _tile_zero(7);
    for (int64_t r = 0; r < rounds; r++) {
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
    _tile_release();
    return (double)rounds * 4 * SIDE * SIDE * DEPTH * 2;
}

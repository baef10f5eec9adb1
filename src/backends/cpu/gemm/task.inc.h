/* A task of a product, for one type: some rows of c and some panels. Its parameters are those of pack.inc.h.
 *
 * m, n, k  rows and columns of c, and what is summed over
 * KC       what is summed over at once, in T: a panel of b and a tile of a then stay near, and c is seldom read
 *
 * While a panel is multiplied, a few rows of the next one are asked for with each tile: they come from far, and not one
 * after the other. */
#include "dots.inc.h"

enum {
    FN(KC) = 512,
    FN(MANY) = 96,                     /* rows: fewer are not cut into chunks */
    FN(FEW) = 12,                      /* tiles of a chunk: fewer do not make it worth to lay a panel side by side */
    FN(DEEP) = 256,                    /* k: where it is less, the team packs a together, in smaller parts */
    FN(OWN_PANELS) = 4,                /* of a turned b: so few are packed by each task, and need not cross to it, */
    FN(OWN_DEPTH) = 32,                /* from so long a k on */
    FN(NEAR) = 512 << 10,              /* bytes of b that are in a near cache anyway */
    FN(GROUP) = 16,                    /* panels to a task at most */
    FN(CHUNK) = 256,                   /* rows to a task at most, where it packs for itself */
    FN(BLOCK) = (4 << 20) / sizeof(T), /* elements of a, and of b, that are packed at a time */
};

/* Where a task packs a for itself. */
typedef struct FN(slot) {
    _Alignas(64) atomic_bool taken;
    _Alignas(64) T numbers[];
} FN(slot);

typedef struct FN(plan) {
    sp__gemm g; /* one batch; perhaps transposed */
    bool transposed, packs_a, packs_b, dots;
    bool apart; /* each task packs what it needs for itself, and k is one block */
    int64_t panels, chunks, groups;
    T *packed_a, *packed_b, *sums;
    FN(slot) * slots; /* apart: one for each thread that may be at work, slot_size bytes from one to the next */
    int64_t n_slots;
    size_t slot_size;
    int64_t sums_at;                /* in a slot, behind a */
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

/* Fills in a panel's side of a tile: columns from j on, for k from k[0] to k[1]. A panel that many tiles will read is
 * laid side by side by the first of them. */
static void FN(set_panel)(const FN(plan) * p, FN(tile) * t, int64_t j, const int64_t k[2], bool copies, T *edge,
                          T *bias)
{
    const sp__gemm *g = &p->g;
    const int64_t rest = g->n - j;
    t->width = rest < FN(NR) ? rest : FN(NR);
    t->b_row = FN(NR);
    t->copy = NULL;
    if (p->packs_b) {
        t->b = p->packed_b + (j - p->j0) * FN(units)(p->k1 - p->k0) + FN(units)(k[0] - p->k0) * FN(NR);
    } else if (copies && g->b.column == 1 && t->width == FN(NR) && (k[1] - k[0]) % STEP == 0) {
        t->from = FN(at)(&g->b, k[0], j);
        t->b_row = g->b.row;
        t->copy = edge;
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

/* While panel j is in hand its tiles ask for the next one, or for the first of the next part of k, a few rows each. */
static void FN(set_ahead)(const FN(plan) * p, FN(tile) * t, int64_t j, const int64_t k[2], const int64_t columns[2],
                          const T *edge)
{
    const sp__gemm *g = &p->g;
    const int64_t next = j + FN(NR);
    t->ahead = (const char *)edge;
    t->ahead_row = 0;
    t->ahead_next = FN(NR) * sizeof(T) / 2;
    if (p->packs_b) {
        if (next >= columns[1]) return;
        t->ahead = (const char *)(p->packed_b + (next - p->j0) * FN(units)(p->k1 - p->k0));
        t->ahead += FN(units)(k[0] - p->k0) * FN(NR) * (int64_t)sizeof(T);
        t->ahead_row = FN(NR) * sizeof(T);
    } else {
        if (g->b.column != 1 || (next >= columns[1] && k[1] == g->k)) return;
        t->ahead = next < columns[1] ? (const char *)FN(at)(&g->b, k[0], next)
                                     : (const char *)FN(at)(&g->b, k[1], columns[0]);
        t->ahead_row = g->b.row * STEP * (int64_t)sizeof(S);
        if (STEP > 1) t->ahead_next = g->b.row * (int64_t)sizeof(S);
    }
}

static void FN(multiply_dots)(const FN(plan) * p, FN(tile) t, const int64_t k[2], const int64_t columns[2])
{
    const sp__gemm *g = &p->g;
    const bool last = k[1] == g->k;
    T column_bias[FN(NR)], row_bias[FN(HEIGHT)];
    FN(set_rows)(p, &t, 0, k[0], last, row_bias);
    for (int64_t j = columns[0]; j < columns[1]; j += FN(NR)) {
        t.width = g->n - j < FN(NR) ? g->n - j : FN(NR);
        t.b = (const T *)(const void *)FN(at)(&g->b, k[0], j);
        t.c = FN(at)(&g->c, 0, j);
        t.column_bias = last && !p->transposed ? FN(bias_at)(g->bias, j, g->n - j, FN(NR), column_bias) : NULL;
        FN(run_dots)(&t, (int)g->m, g->b.column);
    }
}

/* Panels in turn, each against all rows. */
static void FN(multiply)(const FN(plan) * p, FN(tile) t, const int64_t k[2], const int64_t rows[2],
                         const int64_t columns[2])
{
    T edge[FN(KC) * FN(NR)] __attribute__((aligned(64)));
    const bool last = k[1] == p->g.k;
    const int64_t tiles = (rows[1] - rows[0]) / SP__TILE_ROWS, asked = tiles ? (t.k + tiles - 1) / tiles : 0;
    const bool far = tiles >= FN(FEW) && p->g.n * t.k > FN(NEAR) / (int64_t)sizeof(T);
    T column_bias[FN(NR)], row_bias[FN(HEIGHT)];
    t.every = far ? tiles : 0;
    for (int64_t j = columns[0]; j < columns[1]; j += FN(NR)) {
        FN(set_panel)(p, &t, j, k, far, edge, column_bias);
        if (far) FN(set_ahead)(p, &t, j, k, columns, edge);
        for (int64_t i = rows[0], n; i < rows[1]; i += n) {
            FN(set_rows)(p, &t, i, k[0], last, row_bias);
            FN(set_result)(p, &t, i, j, k[0] == 0, last);
            n = FN(run_rows)(&t, rows[1] - i);
            if (!far) continue;
            t.ahead += asked * t.ahead_row;
            if (!t.copy) continue;
            t.b = t.copy;
            t.b_row = FN(NR);
            t.copy = NULL;
        }
    }
}

/* k is cut into equal parts of at most KC; where they would be two, of at most three quarters of that: each part is a
 * sum of its own, so that more of them round less, and c is still read but twice. */
static int64_t FN(depth_of)(int64_t k)
{
    const int64_t units = FN(units)(k), most = units > 2 * FN(KC) ? FN(KC) : FN(KC) * 3 / 4;
    const int64_t parts = units > FN(KC) ? (units + most - 1) / most : 1;
    return parts > 1 ? ((k + parts - 1) / parts + 7) / 8 * 8 : k;
}

static int64_t FN(panels_of)(const FN(plan) * p)
{
    return (p->j1 - p->j0 + FN(NR) - 1) / FN(NR);
}

/* There are as many as threads that can be at work. The task's place among all says which one is tried first: a thread
 * has the same share of them each time, and with it memory that lies in its caches. */
static FN(slot) * FN(take_slot)(const FN(plan) * p, int64_t task)
{
    for (int64_t i = task * p->n_slots / (p->chunks * p->groups);; i++) {
        FN(slot) *slot = (FN(slot) *)(void *)((char *)p->slots + (size_t)(i % p->n_slots) * p->slot_size);
        if (!atomic_exchange_explicit(&slot->taken, true, memory_order_acquire)) return slot;
    }
}

/* A chunk of rows and a group of panels, for the block's k. */
static void FN(run_task)(FN(plan) * p, const int64_t rows[2], const int64_t columns[2])
{
    const sp__gemm *g = &p->g;
    const int64_t end = p->k1, depth = FN(depth_of)(p->k1 - p->k0);
    int64_t k = p->k0;
    if (p->slots) p->i0 = rows[0], p->j0 = columns[0];
    do {
        FN(tile) t;
        const int64_t part = depth < end - k ? depth : end - k;
        if (p->slots) {
            p->k0 = k, p->k1 = k + part;
            FN(pack_a)(p->packed_a, FN(at)(&g->a, rows[0], k), g->a.row, g->a.column, rows[1] - rows[0], part);
        }
        FN(start)(p, &t, k, part);
        if (p->dots)
            FN(multiply_dots)(p, t, (int64_t[2]){k, k + part}, columns);
        else
            FN(multiply)(p, t, (int64_t[2]){k, k + part}, rows, columns);
        k += depth;
    } while (k < end);
}

static void FN(gemm_task)(void *context, int64_t task)
{
    FN(plan) p = *(const FN(plan) *)context;
    const int64_t tiles = (p.i1 - p.i0 + SP__TILE_ROWS - 1) / SP__TILE_ROWS, panels = FN(panels_of)(&p);
    const int64_t chunk = task / p.groups, group = task % p.groups;
    const int64_t end_i = p.i0 + tiles * (chunk + 1) / p.chunks * SP__TILE_ROWS;
    const int64_t end_j = p.j0 + panels * (group + 1) / p.groups * FN(NR);
    const int64_t rows[2] = {p.i0 + tiles * chunk / p.chunks * SP__TILE_ROWS, end_i < p.i1 ? end_i : p.i1};
    const int64_t columns[2] = {p.j0 + panels * group / p.groups * FN(NR), end_j < p.j1 ? end_j : p.j1};
    FN(slot) *slot = p.slots ? FN(take_slot)(&p, task) : NULL;
    if (slot) p.packed_a = slot->numbers, p.sums = slot->numbers + p.sums_at;
    FN(run_task)(&p, rows, columns);
    if (slot) atomic_store_explicit(&slot->taken, false, memory_order_release);
}

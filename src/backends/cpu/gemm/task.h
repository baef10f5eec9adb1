/* A task of a product, some rows of c and some panels.
 *
 * m, n, k  rows and columns of c, and what is summed over
 * KC       what is summed over at once, in number: a panel of b and a tile of a then stay near, and c is seldom read
 *
 * While a panel is multiplied, a few rows of the next one are asked for with each tile: they come from far, and not one
 * after the other. */
#include "dots.h"
#include "operands.h"

enum {
    KC = 512,
    MANY = 96,                          /* rows: fewer are not cut into chunks */
    FEW = VECTORS > 2 ? 8 : 12,         /* tiles of a chunk: fewer do not make it worth to lay a panel side by side */
    TURNED = 48,                        /* rows of whole tiles, and of whole lines, to be turned at a time */
    DEEP = 256,                         /* k: where it is less, the team packs a together, in smaller parts */
    OWN_PANELS = 4,                     /* of a turned b: so few are packed by each task, and need not cross to it, */
    OWN_DEPTH = 32,                     /* from so long a k on */
    NEAR = 512 << 10,                   /* bytes of b that are in a near cache anyway */
    GROUP = 16,                         /* panels to a task at most */
    CHUNK = 256,                        /* rows to a task at most, where it packs for itself */
    BLOCK = (4 << 20) / sizeof(number), /* elements of a, and of b, that are packed at a time */
};

/* Where a task packs a for itself. */
typedef struct packing_slot {
    _Alignas(64) atomic_bool taken;
    _Alignas(64) number numbers[];
} packing_slot;

typedef struct plan {
    sp__gemm g; /* one batch; perhaps transposed */
    bool transposed, packs_a, packs_b, dots;
    bool apart; /* each task packs what it needs for itself, and k is one block */
    int64_t panels, chunks, groups;
    number *packed_a, *packed_b, *sums;
    packing_slot *slots; /* apart: one for each thread that may be at work, slot_size bytes from one to the next */
    int64_t n_slots;
    size_t slot_size;
    int64_t sums_at;                /* in a slot, behind a */
    int64_t sums_row;               /* from a row of sums to the next */
    int64_t i0, i1, j0, j1, k0, k1; /* the block in hand: rows, columns, part of k */
} plan;

/* ---- one task ---- */

/* Fills in a panel's side of a tile: columns from j on, for k from k[0] to k[1]. A panel that many tiles will read is
 * laid side by side by the first of them. */
static void set_panel(const plan *p, tile *t, int64_t j, const int64_t k[2], bool copies, number *edge, number *bias)
{
    const sp__gemm *g = &p->g;
    const int64_t rest = g->n - j;
    t->width = rest < NR ? rest : NR;
    t->b_row = NR;
    t->copy = NULL;
    if (p->packs_b) {
        t->b = p->packed_b + (j - p->j0) * units_of(p->k1 - p->k0) + units_of(k[0] - p->k0) * NR;
    } else if (copies && g->b.column == 1 && t->width == NR && (k[1] - k[0]) % STEP == 0) {
        t->from = at(&g->b, k[0], j);
        t->b_row = g->b.row;
        t->copy = edge;
    } else if (!APART && g->b.column == 1 && t->width == NR) {
        t->b = (const number *)(const void *)at(&g->b, k[0], j);
        t->b_row = g->b.row;
    } else {
        pack_b(edge, at(&g->b, k[0], j), g->b.row, g->b.column, k[1] - k[0], t->width);
        t->b = edge;
    }
    t->column_bias = k[1] == g->k && !p->transposed ? bias_at(g->bias, j, rest, NR, bias) : NULL;
}

/* Fills in the rows' side: rows from i on. */
static void set_rows(const plan *p, tile *t, int64_t i, int64_t k0, bool last, number *bias)
{
    const sp__gemm *g = &p->g;
    if (p->packs_a) {
        const int64_t above = (i - p->i0) / ROWS, row = (i - p->i0) % ROWS;
        t->a = p->packed_a + (above * units_of(p->k1 - p->k0) + units_of(k0 - p->k0)) * HEIGHT + row;
        t->a_row = 1;
        t->a_column = HEIGHT;
    } else {
        t->a = (const number *)(const void *)at(&g->a, i, k0);
        t->a_row = g->a.row;
        t->a_column = g->a.column;
    }
    t->row_bias = last && p->transposed ? bias_at(g->bias, i, g->m - i, HEIGHT, bias) : NULL;
}

static void start(const plan *p, tile *t, int64_t k0, int64_t depth)
{
    const sp__gemm *g = &p->g;
    const bool last = k0 + depth == g->k;
    *t = (tile){.k = units_of(depth), .c_row = g->c.row, .c_column = g->c.column, .relu = last && g->relu};
    t->alpha = (number)g->alpha;
    t->beta = k0 > 0 && !APART ? 1 : (number)g->beta;
    t->plain = !APART && g->c.column == 1 && t->alpha == 1 && (t->beta == 0 || t->beta == 1) &&
               !(last && (g->bias || g->relu));
}

/* Where the tile at (i, j) writes. Sums over a part of k are kept apart where c is of another type. */
static void set_result(const plan *p, tile *t, int64_t i, int64_t j, bool first, bool last)
{
    t->c = at(&p->g.c, i, j);
    if (!APART || (first && last)) return;
    number *sums = p->sums + (i - p->i0) * p->sums_row + j - p->j0;
    t->before = first ? NULL : sums;
    t->before_row = p->sums_row;
    if (last) return;
    t->plain = true;
    t->beta = first ? 0 : 1;
    t->c = sums;
    t->c_row = p->sums_row;
    t->width = t->width > LANES ? NR : LANES;
}

/* While panel j is in hand its tiles ask for the next one, or for the first of the next part of k, a few rows each. */
static void set_ahead(const plan *p, tile *t, int64_t j, const int64_t k[2], const int64_t columns[2],
                      const number *edge)
{
    const sp__gemm *g = &p->g;
    const int64_t next = j + NR;
    t->ahead = (const char *)edge;
    t->ahead_row = 0;
    t->ahead_next = NR * sizeof(number) / 2;
    if (p->packs_b) {
        if (next >= columns[1]) return;
        t->ahead = (const char *)(p->packed_b + (next - p->j0) * units_of(p->k1 - p->k0));
        t->ahead += units_of(k[0] - p->k0) * NR * (int64_t)sizeof(number);
        t->ahead_row = NR * sizeof(number);
    } else {
        if (g->b.column != 1 || (next >= columns[1] && k[1] == g->k)) return;
        t->ahead = next < columns[1] ? (const char *)at(&g->b, k[0], next) : (const char *)at(&g->b, k[1], columns[0]);
        t->ahead_row = g->b.row * STEP * (int64_t)sizeof(element);
        if (STEP > 1) t->ahead_next = g->b.row * (int64_t)sizeof(element);
    }
}

static void multiply_dots(const plan *p, tile t, const int64_t k[2], const int64_t columns[2])
{
    const sp__gemm *g = &p->g;
    const bool last = k[1] == g->k;
    number column_bias[NR], row_bias[HEIGHT];
    set_rows(p, &t, 0, k[0], last, row_bias);
    for (int64_t j = columns[0]; j < columns[1]; j += NR) {
        t.width = g->n - j < NR ? g->n - j : NR;
        t.b = (const number *)(const void *)at(&g->b, k[0], j);
        t.c = at(&g->c, 0, j);
        t.column_bias = last && !p->transposed ? bias_at(g->bias, j, g->n - j, NR, column_bias) : NULL;
        run_dots(&t, (int)g->m, g->b.column);
    }
}

/* What tasks that multiply a panel share. */
typedef struct panel_run {
    const int64_t *k, *rows; /* from, to */
    int64_t asked;           /* rows of b that each tile asks for */
    bool turns; /* rows of c lie side by side: sums wait until there are so many that whole lines are written */
    number sums[TURNED * NR] __attribute__((aligned(64)));
} panel_run;

/* Rows from `first` to `end` of the panel at j, whose sums have waited. */
static void write_turned(const plan *p, tile *t, panel_run *r, int64_t first, int64_t end, int64_t j)
{
    number bias[TURNED];
    const bool last = r->k[1] == p->g.k;
    set_result(p, t, first, j, r->k[0] == 0, last);
    t->row_bias = last && p->transposed ? bias_at(p->g.bias, first, end - first, end - first, bias) : NULL;
    finish(t, (int)(end - first), r->sums);
}

/* All rows against the panel at j. */
static void multiply_panel(const plan *p, tile *t, panel_run *r, int64_t j)
{
    number bias[HEIGHT];
    const bool last = r->k[1] == p->g.k;
    int64_t first = r->rows[0];
    for (int64_t i = r->rows[0]; i < r->rows[1];) {
        set_rows(p, t, i, r->k[0], last, bias);
        if (r->turns)
            t->wait = r->sums + (i - first) * NR;
        else
            set_result(p, t, i, j, r->k[0] == 0, last);
        i += run_rows(t, r->rows[1] - i);
        if (r->turns && (i - first == TURNED || i == r->rows[1])) {
            write_turned(p, t, r, first, i, j);
            first = i;
        }
        if (!t->every) continue;
        t->ahead += r->asked * t->ahead_row;
        if (!t->copy) continue;
        t->b = t->copy;
        t->b_row = NR;
        t->copy = NULL;
    }
}

/* Panels in turn, each against all rows. */
static void multiply(const plan *p, tile t, const int64_t k[2], const int64_t rows[2], const int64_t columns[2])
{
    number edge[KC * NR] __attribute__((aligned(64)));
    const int64_t tiles = (rows[1] - rows[0]) / ROWS;
    const bool far = tiles >= FEW && p->g.n * t.k > NEAR / (int64_t)sizeof(number);
    number bias[NR];
    panel_run r;
    r.k = k, r.rows = rows;
    r.asked = tiles ? (t.k + tiles - 1) / tiles : 0;
    r.turns = p->g.c.row == 1 && p->g.c.column != 1 && (k[1] == p->g.k || !APART);
    t.every = far ? tiles : 0;
    for (int64_t j = columns[0]; j < columns[1]; j += NR) {
        set_panel(p, &t, j, k, far, edge, bias);
        if (far) set_ahead(p, &t, j, k, columns, edge);
        multiply_panel(p, &t, &r, j);
    }
}

/* k is cut into equal parts of at most KC; where they would be two, of at most three quarters of that: each part is a
 * sum of its own, so that more of them round less, and c is still read but twice. */
static int64_t depth_of(int64_t k)
{
    const int64_t units = units_of(k), most = units > 2 * KC ? KC : KC * 3 / 4;
    const int64_t parts = units > KC ? (units + most - 1) / most : 1;
    return parts > 1 ? ((k + parts - 1) / parts + 7) / 8 * 8 : k;
}

static int64_t panels_of(const plan *p)
{
    return (p->j1 - p->j0 + NR - 1) / NR;
}

/* There are as many as threads that can be at work. The task's place among all says which one is tried first: a thread
 * has the same share of them each time, and with it memory that lies in its caches. */
static packing_slot *take_slot(const plan *p, int64_t task)
{
    for (int64_t i = task * p->n_slots / (p->chunks * p->groups);; i++) {
        packing_slot *slot = (packing_slot *)(void *)((char *)p->slots + (size_t)(i % p->n_slots) * p->slot_size);
        if (!atomic_exchange_explicit(&slot->taken, true, memory_order_acquire)) return slot;
    }
}

/* A chunk of rows and a group of panels, for the block's k. */
static void run_task(plan *p, const int64_t rows[2], const int64_t columns[2])
{
    const sp__gemm *g = &p->g;
    const int64_t end = p->k1, depth = depth_of(g->k);
    int64_t k = p->k0;
    if (p->slots) p->i0 = rows[0], p->j0 = columns[0];
    do {
        tile t;
        const int64_t part = depth < end - k ? depth : end - k;
        if (p->slots) {
            p->k0 = k, p->k1 = k + part;
            pack_a(p->packed_a, at(&g->a, rows[0], k), g->a.row, g->a.column, rows[1] - rows[0], part);
        }
        start(p, &t, k, part);
        if (p->dots)
            multiply_dots(p, t, (int64_t[2]){k, k + part}, columns);
        else
            multiply(p, t, (int64_t[2]){k, k + part}, rows, columns);
        k += depth;
    } while (k < end);
}

static void gemm_task(void *context, int64_t task)
{
    plan p = *(const plan *)context;
    const int64_t tiles = (p.i1 - p.i0 + ROWS - 1) / ROWS, panels = panels_of(&p);
    const int64_t chunk = task / p.groups, group = task % p.groups;
    const int64_t end_i = p.i0 + tiles * (chunk + 1) / p.chunks * ROWS;
    const int64_t end_j = p.j0 + panels * (group + 1) / p.groups * NR;
    const int64_t rows[2] = {p.i0 + tiles * chunk / p.chunks * ROWS, end_i < p.i1 ? end_i : p.i1};
    const int64_t columns[2] = {p.j0 + panels * group / p.groups * NR, end_j < p.j1 ? end_j : p.j1};
    packing_slot *slot = p.slots ? take_slot(&p, task) : NULL;
    if (slot) p.packed_a = slot->numbers, p.sums = slot->numbers + p.sums_at;
    run_task(&p, rows, columns);
    if (slot) atomic_store_explicit(&slot->taken, false, memory_order_release);
}

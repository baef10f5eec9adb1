/* The loop that everything is for: rows × vectors of sums in registers.
 *
 * A tile of up to ROWS rows and NR columns stays in registers while k runs: each number of a, read with any strides,
 * times a row of b, whose numbers lie side by side. Wide tiles read a seldom: a processor that starts two multiply-adds
 * a cycle reads no more than two operands meanwhile. */
#include "result.h"

/* Asks for what is wanted when the loop is done: the tile's part of c, or the sums so far. */
SP__INLINE void ask_for_result(const tile *t, const int rows, const int vectors)
{
    const number *sums = t->plain ? t->c : t->before;
    const int64_t row = t->plain ? t->c_row : t->before_row;
    if (!sums || t->wait) return;
    SP__UNROLL
    for (int i = 0; i < rows; i++) {
        SP__UNROLL
        for (int v = 0; v < vectors; v++) __builtin_prefetch(sums + i * row + v * LANES, 1);
    }
}

/* A row of a panel of b, or two of half as many bytes. */
SP__INLINE void ask_ahead(const char *row, int64_t next)
{
    SP__UNROLL
    for (int i = 0; i < NR * (int)sizeof(number) / 2; i += 64) {
        __builtin_prefetch(row + i);
        __builtin_prefetch(row + next + i);
    }
}

/* How a tile treats b: it reads it; asks for what comes next meanwhile; or does both and lays it side by side. */
enum { READS, ASKS, COPIES };

/* One number of k: a column of a times a row of b. */
SP__INLINE void add_step(vector (*sums)[VECTORS], const number *a, int64_t a_row, const vector *b, const int rows,
                         const int vectors)
{
    SP__UNROLL
    for (int i = 0; i < rows; i++) {
        SP__UNROLL
        for (int v = 0; v < vectors; v++) sums[i][v] = multiply_add(sums[i][v], a[i * a_row], b[v]);
    }
}

SP__INLINE void add_row(vector (*sums)[VECTORS], const number *a, int64_t a_row, const number *b, const int rows,
                        const int vectors)
{
    vector bk[VECTORS];
    SP__UNROLL
    for (int v = 0; v < vectors; v++) bk[v] = *(const vector *)(b + v * LANES);
    add_step(sums, a, a_row, bk, rows, vectors);
}

SP__INLINE void add_copied_row(vector (*sums)[VECTORS], const number *a, int64_t a_row, const element *from,
                               int64_t from_row, number *copy, const int rows, const int vectors)
{
    vector bk[VECTORS];
    SP__UNROLL
    for (int v = 0; v < vectors; v++)
        *(vector *)(copy + v * LANES) = bk[v] = across(from + v * LANES, from_row, LANES, STEP);
    add_step(sums, a, a_row, bk, rows, vectors);
}

SP__INLINE void run_tile(const tile *t, const int rows, const int vectors, const int how)
{
    vector sums[ROWS][VECTORS];
    SP__UNROLL
    for (int i = 0; i < rows; i++) {
        SP__UNROLL
        for (int v = 0; v < vectors; v++) sums[i][v] = (vector){0};
    }
    const number *a = t->a, *b = t->b;
    const element *from = t->from;
    number *copy = t->copy;
    const char *ahead = t->ahead;
    const int64_t a_row = t->a_row, a_column = t->a_column, b_row = t->b_row;
    ask_for_result(t, rows, vectors);
    for (int64_t left = t->k; left > 0;) {
        int64_t steps = how != READS && t->every < left ? t->every : left;
        left -= steps;
        if (how != READS) {
            ask_ahead(ahead, t->ahead_next);
            ahead += t->ahead_row;
        }
        /* Two at a time: fewer instructions that are no multiply-adds. */
        for (; how != COPIES && steps > 1; steps -= 2) {
            add_row(sums, a, a_row, b, rows, vectors);
            a += a_column, b += b_row;
            add_row(sums, a, a_row, b, rows, vectors);
            a += a_column, b += b_row;
        }
        if (how != COPIES && steps > 0) {
            add_row(sums, a, a_row, b, rows, vectors);
            a += a_column, b += b_row;
        }
        for (; how == COPIES && steps > 0; steps--) {
            add_copied_row(sums, a, a_row, from, b_row, copy, rows, vectors);
            a += a_column, from += b_row * STEP, copy += NR;
        }
    }
    if (t->plain && !t->wait && t->width == vectors * LANES) {
        SP__UNROLL
        for (int i = 0; i < rows; i++) {
            SP__UNROLL
            for (int v = 0; v < vectors; v++) {
                vector *out = (vector *)((number *)t->c + i * t->c_row + v * LANES);
                if (t->beta != 0) sums[i][v] += *out;
                *out = sums[i][v];
            }
        }
        return;
    }
    number values[ROWS * NR] __attribute__((aligned(64))), *to = t->wait ? t->wait : values;
    SP__UNROLL
    for (int i = 0; i < rows; i++) {
        SP__UNROLL
        for (int v = 0; v < vectors; v++) *(vector *)(to + i * NR + v * LANES) = sums[i][v];
    }
    if (!t->wait) finish(t, rows, values);
}

#define TILE(name, rows, vectors, how)                                                                                 \
    static void name(const tile *t)                                                                                    \
    {                                                                                                                  \
        run_tile(t, rows, vectors, how);                                                                               \
    }
#define TILES(vectors)                                                                                                 \
    TILE(whole_##vectors, ROWS, vectors, READS)                                                                        \
    TILE(four_##vectors, 4, vectors, READS)                                                                            \
    TILE(two_##vectors, 2, vectors, READS)                                                                             \
    TILE(one_##vectors, 1, vectors, READS)
#define NAMES(vectors)                                                                                                 \
    {                                                                                                                  \
        one_##vectors, two_##vectors, four_##vectors, whole_##vectors                                                  \
    }
TILES(1)
TILES(2)
#if FOUR_VECTORS
TILES(3)
TILES(4)
#endif
TILE(asking, ROWS, VECTORS, ASKS)
TILE(copying, ROWS, VECTORS, COPIES)

/* The first of the rows that are left, as many as a tile takes; returns how many. Whole tiles alone ask and copy. */
static int64_t run_rows(const tile *t, int64_t rows)
{
    static void (*const tiles[VECTORS][4])(const tile *) = {
        NAMES(1),
        NAMES(2),
#if FOUR_VECTORS
        NAMES(3),
        NAMES(4)
#endif
    };
    const int64_t height = rows >= ROWS ? ROWS : rows >= 4 ? 4 : rows >= 2 ? 2 : 1;
    const int64_t vectors = (t->width + LANES - 1) / LANES;
    if (height < ROWS || vectors < VECTORS || !t->every)
        tiles[vectors - 1][height / 2](t);
    else if (t->copy)
        copying(t);
    else
        asking(t);
    return height;
}

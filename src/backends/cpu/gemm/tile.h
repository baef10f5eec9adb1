/* The tile of a product. Whoever includes it has included numbers_f32.h or its like.
 *
 * ROWS     of a tile
 * VECTORS  side by side in a tile: 32 registers hold four for each row beside their operands, 16 hold two
 * NR       columns of a panel of b
 * HEIGHT   numbers of a column of a packed tile of a: at least ROWS
 *
 * A tile of up to ROWS rows and NR columns stays in registers while k runs: each number of a, read with any strides,
 * times a row of b, whose numbers lie side by side. Wide tiles read a seldom: a processor that starts two multiply-adds
 * a cycle reads no more than two operands meanwhile. */

#if defined(__AVX512F__) || defined(__aarch64__)
#define FOUR_VECTORS 1
enum { VECTORS = 4 };
#else
#define FOUR_VECTORS 0
enum { VECTORS = 2 };
#endif
enum { ROWS = 6, NR = VECTORS * LANES, HEIGHT = 8 };

/* Eight numbers: a part of a column of packed or turned ones. */
typedef number octet __attribute__((vector_size(8 * sizeof(number)), aligned(sizeof(number)), may_alias));
typedef bits octet_mask __attribute__((vector_size(8 * sizeof(number)), aligned(sizeof(number)), may_alias));

/* Where a tile reads and writes: c = act(alpha·sum + beta·c + bias). */
typedef struct tile {
    const number *a, *b;
    int64_t a_row, a_column, b_row, k;
    void *c;                        /* of elements; of numbers where it is plain */
    int64_t c_row, c_column, width; /* columns that are written */
    bool plain; /* c is of numbers, its rows lie side by side, and nothing but beta of 0 or 1 is asked */
    bool relu;
    number alpha, beta;
    const number *row_bias, *column_bias; /* of the tile's rows or of its NR columns; NULL: none */
    const number *before;                 /* the sums over what came before in k, rows before_row apart; NULL: none */
    int64_t before_row;
    number *wait;        /* where sums wait, in rows NR apart, for finish; NULL: they do not */
    const element *from; /* b as it lies, where its rows are laid side by side as they are read, */
    number *copy;        /* to here; NULL: b is read */
    const char
        *ahead; /* what will be wanted of b: every `every` steps of k it is asked for, and what lies ahead_next */
    int64_t ahead_next, ahead_row, every; /* bytes behind, then ahead_row further; every is 0: nothing is, nor copied */
} tile;

/* ---- turning: eight vectors, seen as a matrix of eight rows, become the columns of that matrix, one after the other
 * ---- */

SP__INLINE void turn(vector rows[8])
{
    vector next[8];
    SP__UNROLL
    for (int stage = 0; stage < 3; stage++) {
        SP__UNROLL
        for (int i = 0; i < 4; i++) {
            next[2 * i] = interleave_lower(rows[i], rows[i + 4]);
            next[2 * i + 1] = interleave_upper(rows[i], rows[i + 4]);
        }
        SP__UNROLL
        for (int i = 0; i < 8; i++) rows[i] = next[i];
    }
}

/* `columns` columns, at most LANES, of eight rows to out: eight elements of a column side by side, a column every
 * `step`. */
SP__INLINE void turn_block(number *out, int64_t step, vector v[8], int64_t columns)
{
    turn(v);
    const char *turned = (const char *)v;
    SP__UNROLL
    for (int i = 0; i < LANES; i++)
        if (i < columns) memcpy(out + i * step, turned + (size_t)i * 8 * sizeof(number), 8 * sizeof(number));
}

/* ---- out of registers ---- */

SP__INLINE vector activated(const tile *t, vector x)
{
    if (t->relu) x = (vector)(~(x < 0) & (mask)x);
    return x;
}

/* Up to eight numbers of a column, which lie side by side in c. */
SP__INLINE void finish_eight(const tile *t, element *out, const number *sums, int64_t n)
{
    if (!APART && n >= 8) {
        octet x = *(const octet *)sums;
        if (t->beta != 0) x += t->beta * *(const octet *)(const void *)out;
        if (t->relu) x = (octet)(~(x < 0) & (octet_mask)x);
        *(octet *)(void *)out = x;
        return;
    }
    for (int64_t i = 0; i < n && i < 8; i++) {
        const number sum = sums[i] + (t->beta != 0 ? t->beta * number_of(out[i]) : 0);
        out[i] = element_of(t->relu && sum < 0 ? 0 : sum);
    }
}

/* Rows that lie side by side in c: c_row is 1. Sixteen at a time fill a line of the cache. */
static void finish_columns(const tile *t, int rows, const number *values)
{
    for (int i = 0; i < rows; i += 16) {
        for (int64_t j = 0; j < t->width; j += LANES) {
            const int64_t n = t->width - j < LANES ? t->width - j : LANES;
            vector v[2][8] __attribute__((aligned(64))) = {{{0}}};
            for (int r = 0; r < 16 && i + r < rows; r++) v[r / 8][r % 8] = *(const vector *)(values + (i + r) * NR + j);
            turn(v[0]);
            turn(v[1]);
            for (int64_t column = 0; column < n; column++) {
                element *out = (element *)t->c + (j + column) * t->c_column + i;
                finish_eight(t, out, (const number *)v[0] + column * 8, rows - i);
                finish_eight(t, out + 8, (const number *)v[1] + column * 8, rows - i - 8);
            }
        }
    }
}

static void finish_any(const tile *t, int rows, const number *values)
{
    for (int i = 0; i < rows; i++) {
        for (int64_t j = 0; j < t->width; j++) {
            element *out = (element *)t->c + i * t->c_row + j * t->c_column;
            const number sum = values[i * NR + j] + (t->beta != 0 ? t->beta * number_of(*out) : 0);
            *out = element_of(t->relu && sum < 0 ? 0 : sum);
        }
    }
}

static void finish_rows(const tile *t, int rows, const number *values)
{
    for (int i = 0; i < rows; i++) {
        for (int64_t j = 0; j < t->width; j += LANES) {
            element *out = (element *)t->c + i * t->c_row + j;
            vector x = *(const vector *)(values + i * NR + j);
            if (t->beta != 0) x += t->beta * fetch(out, t->width - j);
            keep(out, activated(t, x), t->width - j);
        }
    }
}

/* Whatever is not plain: the sums of `rows` rows, NR apart, into c. */
static __attribute__((noinline)) void finish(const tile *t, int rows, number *values)
{
    const bool changes = t->alpha != 1 || t->row_bias || t->column_bias || t->before;
    for (int i = 0; i < rows && changes; i++) {
        const vector row_bias = (t->row_bias ? t->row_bias[i] : 0) - (vector){0};
        for (int64_t j = 0; j < t->width; j += LANES) {
            vector *x = (vector *)(values + i * NR + j);
            if (t->before) *x += *(const vector *)(t->before + i * t->before_row + j);
            *x = t->alpha * *x;
            if (t->row_bias) *x += row_bias;
            if (t->column_bias) *x += *(const vector *)(t->column_bias + j);
        }
    }
    if (t->c_column == 1)
        finish_rows(t, rows, values);
    else if (t->c_row == 1)
        finish_columns(t, rows, values);
    else
        finish_any(t, rows, values);
}

/* ---- the loop that everything is for: rows × vectors sums in registers ---- */

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

/* The tile of a product. Whoever includes it has included numbers_f32.h or its like.
 *
 * NR       columns of a panel of b: two vectors
 * HEIGHT   numbers of a column of a packed tile of a: at least SP__TILE_ROWS
 *
 * A tile of up to SP__TILE_ROWS rows and NR columns stays in registers while k runs: each number of a, read with any
 * strides, times a row of b, whose numbers lie side by side. */

enum { NR = 2 * LANES, HEIGHT = 8 };

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

/* `columns` columns, at most LANES, of eight rows to out: `height` elements of a column
 * side by side, a column every `step`. */
SP__INLINE void turn_block(number *out, int64_t step, const int height, vector v[8], int64_t columns)
{
    turn(v);
    const char *turned = (const char *)v;
    SP__UNROLL
    for (int i = 0; i < LANES; i++)
        if (i < columns)
            memcpy(out + i * step, turned + (size_t)i * 8 * sizeof(number), (size_t)height * sizeof(number));
}

/* ---- out of registers ---- */

SP__INLINE vector activated(const tile *t, vector x)
{
    if (t->relu) x = (vector)(~(x < 0) & (mask)x);
    return x;
}

/* Rows that lie side by side in c: c_row is 1. */
static void finish_columns(const tile *t, const number *values)
{
    number columns[NR * 8] __attribute__((aligned(64)));
    const bool direct = !APART && t->beta == 0 && !t->relu;
    for (int64_t j = 0; j < t->width; j += LANES) {
        const int64_t n = t->width - j < LANES ? t->width - j : LANES;
        vector rows[8] = {{0}};
        for (int i = 0; i < SP__TILE_ROWS; i++) rows[i] = *(const vector *)(values + i * NR + j);
        if (direct)
            turn_block((number *)t->c + j * t->c_column, t->c_column, SP__TILE_ROWS, rows, n);
        else
            turn_block(columns + j * 8, 8, 8, rows, n);
    }
    for (int64_t j = 0; !direct && j < t->width; j++) {
        element *out = (element *)t->c + j * t->c_column;
        const number *column = columns + j * 8;
        for (int i = 0; i < SP__TILE_ROWS; i++) {
            const number sum = column[i] + (t->beta != 0 ? t->beta * number_of(out[i]) : 0);
            out[i] = element_of(t->relu && sum < 0 ? 0 : sum);
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
    else if (t->c_row == 1 && rows == SP__TILE_ROWS)
        finish_columns(t, values);
    else
        finish_any(t, rows, values);
}

/* ---- the loop that everything is for: rows × vectors sums in registers ---- */

/* Asks for what is wanted when the loop is done: the tile's part of c, or the sums so far. */
SP__INLINE void ask_for_result(const tile *t, const int rows, const int vectors)
{
    const number *sums = t->plain ? t->c : t->before;
    const int64_t row = t->plain ? t->c_row : t->before_row;
    if (!sums) return;
    SP__UNROLL
    for (int i = 0; i < rows; i++) {
        SP__UNROLL
        for (int v = 0; v < vectors; v++) __builtin_prefetch(sums + i * row + v * LANES, 1);
    }
}

/* How a tile treats b: it reads it; asks for what comes next meanwhile; or does both and lays it side by side. */
enum { READS, ASKS, COPIES };

SP__INLINE void run_tile(const tile *t, const int rows, const int vectors, const int how)
{
    vector sums[8][2] = {{{0}}};
    const number *a = t->a, *b = t->b;
    const element *from = t->from;
    number *copy = t->copy;
    const char *ahead = t->ahead;
    const int64_t a_row = t->a_row, a_column = t->a_column, b_row = t->b_row;
    ask_for_result(t, rows, vectors);
    for (int64_t left = t->k; left > 0;) {
        const int64_t steps = how != READS && t->every < left ? t->every : left;
        left -= steps;
        if (how != READS) {
            __builtin_prefetch(ahead);
            __builtin_prefetch(ahead + t->ahead_next);
            ahead += t->ahead_row;
        }
        for (int64_t k = steps; k > 0; k--) {
            vector bk[2];
            SP__UNROLL
            for (int v = 0; v < vectors; v++) {
                if (how == COPIES)
                    *(vector *)(copy + v * LANES) = bk[v] = across(from + v * LANES, b_row, LANES, STEP);
                else
                    bk[v] = *(const vector *)(b + v * LANES);
            }
            SP__UNROLL
            for (int i = 0; i < rows; i++) {
                SP__UNROLL
                for (int v = 0; v < vectors; v++) sums[i][v] = multiply_add(sums[i][v], a[i * a_row], bk[v]);
            }
            a += a_column;
            if (how == COPIES) {
                copy += NR;
                from += b_row * STEP;
            } else {
                b += b_row;
            }
        }
    }
    if (t->plain && t->width == vectors * LANES) {
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
    number values[8 * NR] __attribute__((aligned(64)));
    SP__UNROLL
    for (int i = 0; i < rows; i++) {
        SP__UNROLL
        for (int v = 0; v < vectors; v++) *(vector *)(values + i * NR + v * LANES) = sums[i][v];
    }
    finish(t, rows, values);
}

#define TILE(name, rows, vectors, how)                                                                                 \
    static void name(const tile *t)                                                                                    \
    {                                                                                                                  \
        run_tile(t, rows, vectors, how);                                                                               \
    }
TILE(whole_2, SP__TILE_ROWS, 2, READS)
TILE(asking_2, SP__TILE_ROWS, 2, ASKS)
TILE(copying_2, SP__TILE_ROWS, 2, COPIES)
TILE(four_2, 4, 2, READS)
TILE(two_2, 2, 2, READS)
TILE(one_2, 1, 2, READS)
TILE(whole_1, SP__TILE_ROWS, 1, READS)
TILE(four_1, 4, 1, READS)
TILE(two_1, 2, 1, READS)
TILE(one_1, 1, 1, READS)

/* The first of the rows that are left, as many as a tile takes; returns how many. Whole tiles alone ask and copy. */
static int64_t run_rows(const tile *t, int64_t rows)
{
    static void (*const tiles[4][2])(const tile *) = {
        {one_1, one_2}, {two_1, two_2}, {four_1, four_2}, {whole_1, whole_2}};
    const int64_t height = rows >= SP__TILE_ROWS ? SP__TILE_ROWS : rows >= 4 ? 4 : rows >= 2 ? 2 : 1;
    const bool wide = t->width > LANES;
    if (height < SP__TILE_ROWS || !wide || !t->every)
        tiles[rows >= SP__TILE_ROWS ? 3 : height / 2][wide](t);
    else if (t->copy)
        copying_2(t);
    else
        asking_2(t);
    return height;
}

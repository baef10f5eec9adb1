/* The tile of a product, and how its sums become c. Whoever includes it has included numbers_f32.h or its like.
 *
 * ROWS     of a tile
 * VECTORS  side by side in a tile: 32 registers hold four for each row beside their operands, 16 hold two
 * NR       columns of a panel of b
 * HEIGHT   numbers of a column of a packed tile of a: at least ROWS
 */

#if defined(__AVX512F__) || defined(__aarch64__)
#define FOUR_VECTORS 1
enum { VECTORS = 4 };
#else
#define FOUR_VECTORS 0
enum { VECTORS = 2 };
#endif
enum { ROWS = 6, NR = VECTORS * LANES, HEIGHT = 8 };

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
    enum { PART = LANES < 8 ? (int)LANES : 8 };
    for (int64_t i = 0; n < 8 && i < n; i++) {
        const number sum = sums[i] + (t->beta != 0 ? t->beta * number_of(out[i]) : 0);
        out[i] = element_of(t->relu && sum < 0 ? 0 : sum);
    }
    for (int64_t i = 0; n >= 8 && i < 8; i += PART) {
        vector x = (vector)sp__load_words(sums + i, PART * sizeof(number) / 4);
        if (t->beta != 0) x += t->beta * fetch(out + i, PART);
        keep(out + i, activated(t, x), PART);
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

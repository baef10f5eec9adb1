/* The tile of a product, for one type. FN(name): a function's name; ENTRY(name): that of one seen outside.
 *
 * T, I     what is computed with, and the integer of its size
 * S        an element in memory; APART: whether it is another type than T
 * STEP     how many elements of S, side by side in k, a T of a packed operand holds: 1, or 2 for pairs of bf16
 * ACROSS(p, next, n, left)  n Ts, each of an element at p and, while left > 1, the one `next` behind it (STEP 2)
 * LOWER, UPPER  the lanes that interleave two vectors of T
 * ACCUMULATE(sum, a, b)  adds the products of a T of a, repeated, and a vector of b
 * FETCH(p, n), KEEP(p, x, n)  n elements of S at p from and to a vector of T; FROM_S(x), TO_S(x) one element
 *
 * NR       columns of a panel of b: two vectors
 * HEIGHT   elements of a column of a packed tile of a: at least SP__TILE_ROWS
 *
 * A tile of up to SP__TILE_ROWS rows and NR columns stays in registers while k runs: each element of a, read with any
 * strides, times a row of b, whose elements lie side by side. */

typedef T FN(vector) __attribute__((vector_size(SP__VECTOR_BYTES), aligned(sizeof(T)), may_alias));
typedef I FN(lanes) __attribute__((vector_size(SP__VECTOR_BYTES), aligned(sizeof(T)), may_alias));
enum { FN(LANES) = SP__VECTOR_BYTES / sizeof(T), FN(NR) = 2 * FN(LANES), FN(HEIGHT) = 8 };

/* Where a tile reads and writes: c = act(alpha·sum + beta·c + bias). */
typedef struct FN(tile) {
    const T *a, *b;
    int64_t a_row, a_column, b_row, k;
    void *c;                        /* of S; of T where it is plain */
    int64_t c_row, c_column, width; /* columns that are written */
    bool plain;                     /* c is of T, its rows lie side by side, and nothing but beta of 0 or 1 is asked */
    bool relu;
    T alpha, beta;
    const T *row_bias, *column_bias; /* of the tile's rows or of its NR columns; NULL: none */
    const T *before;                 /* the sums over what came before in k, rows before_row apart; NULL: none */
    int64_t before_row;
    const S *from; /* b as it lies, where its rows are laid side by side as they are read, */
    T *copy;       /* to here; NULL: b is read */
    const char
        *ahead; /* what will be wanted of b: every `every` steps of k it is asked for, and what lies ahead_next */
    int64_t ahead_next, ahead_row, every; /* bytes behind, then ahead_row further; every is 0: nothing is, nor copied */
} FN(tile);

/* ---- turning: eight vectors, seen as a matrix of eight rows, become the columns of that matrix, one after the other
 * ---- */

SP__INLINE void FN(turn)(FN(vector) rows[8])
{
    FN(vector) next[8];
    SP__UNROLL
    for (int stage = 0; stage < 3; stage++) {
        SP__UNROLL
        for (int i = 0; i < 4; i++) {
            next[2 * i] = SP__SHUFFLE(rows[i], rows[i + 4], FN(lanes), LOWER);
            next[2 * i + 1] = SP__SHUFFLE(rows[i], rows[i + 4], FN(lanes), UPPER);
        }
        SP__UNROLL
        for (int i = 0; i < 8; i++) rows[i] = next[i];
    }
}

/* `columns` columns, at most LANES, of eight rows to out: `height` elements of a column
 * side by side, a column every `step`. */
SP__INLINE void FN(turn_block)(T *out, int64_t step, const int height, FN(vector) v[8], int64_t columns)
{
    FN(turn)(v);
    const char *turned = (const char *)v;
    SP__UNROLL
    for (int i = 0; i < FN(LANES); i++)
        if (i < columns) memcpy(out + i * step, turned + (size_t)i * 8 * sizeof(T), (size_t)height * sizeof(T));
}

/* ---- out of registers ---- */

SP__INLINE FN(vector) FN(activated)(const FN(tile) * t, FN(vector) x)
{
    if (t->relu) x = (FN(vector))(~(x < 0) & (FN(lanes))x);
    return x;
}

/* Rows that lie side by side in c: c_row is 1. */
static void FN(finish_columns)(const FN(tile) * t, const T *values)
{
    T columns[FN(NR) * 8] __attribute__((aligned(64)));
    const bool direct = !APART && t->beta == 0 && !t->relu;
    for (int64_t j = 0; j < t->width; j += FN(LANES)) {
        const int64_t n = t->width - j < FN(LANES) ? t->width - j : FN(LANES);
        FN(vector) rows[8] = {{0}};
        for (int i = 0; i < SP__TILE_ROWS; i++) rows[i] = *(const FN(vector) *)(values + i * FN(NR) + j);
        if (direct)
            FN(turn_block)((T *)t->c + j * t->c_column, t->c_column, SP__TILE_ROWS, rows, n);
        else
            FN(turn_block)(columns + j * 8, 8, 8, rows, n);
    }
    for (int64_t j = 0; !direct && j < t->width; j++) {
        S *out = (S *)t->c + j * t->c_column;
        const T *column = columns + j * 8;
        for (int i = 0; i < SP__TILE_ROWS; i++) {
            const T sum = column[i] + (t->beta != 0 ? t->beta * FROM_S(out[i]) : 0);
            out[i] = TO_S(t->relu && sum < 0 ? 0 : sum);
        }
    }
}

static void FN(finish_any)(const FN(tile) * t, int rows, const T *values)
{
    for (int i = 0; i < rows; i++) {
        for (int64_t j = 0; j < t->width; j++) {
            S *out = (S *)t->c + i * t->c_row + j * t->c_column;
            const T sum = values[i * FN(NR) + j] + (t->beta != 0 ? t->beta * FROM_S(*out) : 0);
            *out = TO_S(t->relu && sum < 0 ? 0 : sum);
        }
    }
}

static void FN(finish_rows)(const FN(tile) * t, int rows, const T *values)
{
    for (int i = 0; i < rows; i++) {
        for (int64_t j = 0; j < t->width; j += FN(LANES)) {
            S *out = (S *)t->c + i * t->c_row + j;
            FN(vector) x = *(const FN(vector) *)(values + i * FN(NR) + j);
            if (t->beta != 0) x += t->beta * FETCH(out, t->width - j);
            KEEP(out, FN(activated)(t, x), t->width - j);
        }
    }
}

/* Whatever is not plain: the sums of `rows` rows, NR apart, into c. */
static __attribute__((noinline)) void FN(finish)(const FN(tile) * t, int rows, T *values)
{
    const bool changes = t->alpha != 1 || t->row_bias || t->column_bias || t->before;
    for (int i = 0; i < rows && changes; i++) {
        const FN(vector) row_bias = (t->row_bias ? t->row_bias[i] : 0) - (FN(vector)){0};
        for (int64_t j = 0; j < t->width; j += FN(LANES)) {
            FN(vector) *x = (FN(vector) *)(values + i * FN(NR) + j);
            if (t->before) *x += *(const FN(vector) *)(t->before + i * t->before_row + j);
            *x = t->alpha * *x;
            if (t->row_bias) *x += row_bias;
            if (t->column_bias) *x += *(const FN(vector) *)(t->column_bias + j);
        }
    }
    if (t->c_column == 1)
        FN(finish_rows)(t, rows, values);
    else if (t->c_row == 1 && rows == SP__TILE_ROWS)
        FN(finish_columns)(t, values);
    else
        FN(finish_any)(t, rows, values);
}

/* ---- the loop that everything is for: rows × vectors sums in registers ---- */

/* Asks for what is wanted when the loop is done: the tile's part of c, or the sums so far. */
SP__INLINE void FN(ask_for_result)(const FN(tile) * t, const int rows, const int vectors)
{
    const T *sums = t->plain ? t->c : t->before;
    const int64_t row = t->plain ? t->c_row : t->before_row;
    if (!sums) return;
    SP__UNROLL
    for (int i = 0; i < rows; i++) {
        SP__UNROLL
        for (int v = 0; v < vectors; v++) __builtin_prefetch(sums + i * row + v * FN(LANES), 1);
    }
}

/* How a tile treats b: it reads it; asks for what comes next meanwhile; or does both and lays it side by side. */
enum { FN(READS), FN(ASKS), FN(COPIES) };

SP__INLINE void FN(run_tile)(const FN(tile) * t, const int rows, const int vectors, const int how)
{
    FN(vector) sums[8][2] = {{{0}}};
    const T *a = t->a, *b = t->b;
    const S *from = t->from;
    T *copy = t->copy;
    const char *ahead = t->ahead;
    const int64_t a_row = t->a_row, a_column = t->a_column, b_row = t->b_row;
    FN(ask_for_result)(t, rows, vectors);
    for (int64_t left = t->k; left > 0;) {
        const int64_t steps = how != FN(READS) && t->every < left ? t->every : left;
        left -= steps;
        if (how != FN(READS)) {
            __builtin_prefetch(ahead);
            __builtin_prefetch(ahead + t->ahead_next);
            ahead += t->ahead_row;
        }
        for (int64_t k = steps; k > 0; k--) {
            FN(vector) bk[2];
            SP__UNROLL
            for (int v = 0; v < vectors; v++) {
                if (how == FN(COPIES))
                    *(FN(vector) *)(copy + v * FN(LANES)) = bk[v] = ACROSS(from + v * FN(LANES), b_row, FN(LANES),
                                                                           STEP);
                else
                    bk[v] = *(const FN(vector) *)(b + v * FN(LANES));
            }
            SP__UNROLL
            for (int i = 0; i < rows; i++) {
                SP__UNROLL
                for (int v = 0; v < vectors; v++) ACCUMULATE(sums[i][v], a[i * a_row], bk[v]);
            }
            a += a_column;
            if (how == FN(COPIES)) {
                copy += FN(NR);
                from += b_row * STEP;
            } else {
                b += b_row;
            }
        }
    }
    if (t->plain && t->width == vectors * FN(LANES)) {
        SP__UNROLL
        for (int i = 0; i < rows; i++) {
            SP__UNROLL
            for (int v = 0; v < vectors; v++) {
                FN(vector) *out = (FN(vector) *)((T *)t->c + i * t->c_row + v * FN(LANES));
                if (t->beta != 0) sums[i][v] += *out;
                *out = sums[i][v];
            }
        }
        return;
    }
    T values[8 * FN(NR)] __attribute__((aligned(64)));
    SP__UNROLL
    for (int i = 0; i < rows; i++) {
        SP__UNROLL
        for (int v = 0; v < vectors; v++) *(FN(vector) *)(values + i * FN(NR) + v * FN(LANES)) = sums[i][v];
    }
    FN(finish)(t, rows, values);
}

#define TILE(name, rows, vectors, how)                                                                                 \
    static void FN(name##x##vectors)(const FN(tile) * t)                                                               \
    {                                                                                                                  \
        FN(run_tile)(t, rows, vectors, how);                                                                           \
    }
TILE(whole, SP__TILE_ROWS, 2, FN(READS))
TILE(asking, SP__TILE_ROWS, 2, FN(ASKS))
TILE(copying, SP__TILE_ROWS, 2, FN(COPIES))
TILE(four, 4, 2, FN(READS))
TILE(two, 2, 2, FN(READS))
TILE(one, 1, 2, FN(READS))
TILE(whole, SP__TILE_ROWS, 1, FN(READS))
TILE(four, 4, 1, FN(READS))
TILE(two, 2, 1, FN(READS))
TILE(one, 1, 1, FN(READS))
#undef TILE

/* The first of the rows that are left, as many as a tile takes; returns how many. Whole tiles alone ask and copy. */
static int64_t FN(run_rows)(const FN(tile) * t, int64_t rows)
{
    static void (*const tiles[4][2])(const FN(tile) *) = {
        {FN(onex1), FN(onex2)}, {FN(twox1), FN(twox2)}, {FN(fourx1), FN(fourx2)}, {FN(wholex1), FN(wholex2)}};
    const int64_t height = rows >= SP__TILE_ROWS ? SP__TILE_ROWS : rows >= 4 ? 4 : rows >= 2 ? 2 : 1;
    const bool wide = t->width > FN(LANES);
    if (height < SP__TILE_ROWS || !wide || !t->every)
        tiles[rows >= SP__TILE_ROWS ? 3 : height / 2][wide](t);
    else if (t->copy)
        FN(copyingx2)(t);
    else
        FN(askingx2)(t);
    return height;
}

/* Products of one type. T: the element. FN(name): a function's name.
 *
 * m, n, k  rows and columns of c, and what is summed over
 * NR       columns of a panel: two vectors
 * KC       what is summed over at once
 *
 * A tile of up to SP__TILE_ROWS rows and NR columns stays in registers while k runs. b's rows must lie side by side:
 * where they do not, at the right edge, and where many rows of a use them again, a panel of b is packed. a is read
 * element by element, with any strides, and never packed. A task is a batch, a chunk of rows and a panel: work is cut
 * by the shape alone, and each element of c is summed in one order. */

typedef T FN(vector) __attribute__((vector_size(SP__VECTOR_BYTES), aligned(sizeof(T)), may_alias));
enum {
    FN(LANES) = SP__VECTOR_BYTES / sizeof(T),
    FN(NR) = 2 * SP__VECTOR_BYTES / sizeof(T),
    FN(KC) = 32768 / (2 * SP__VECTOR_BYTES) < 512 ? 32768 / (2 * SP__VECTOR_BYTES) : 512, /* a panel fits into L1 */
    FN(ROW_CHUNK) = 240 /* a multiple of both tile heights */
};

/* Where a tile reads and writes. */
typedef struct FN(tile) {
    const T *a, *b;
    int64_t a_row, a_column, b_row, k;
    T *c;
    int64_t c_row, c_column, width; /* columns that are written */
    T alpha, beta;
    const T *bias; /* packed to NR; NULL: none */
} FN(tile);

/* One row of results, out of registers: c = alpha·sum + beta·c + bias. */
SP__INLINE void FN(store_row)(const FN(tile) * t, int row, const FN(vector) * sums, int vectors)
{
    T *c = t->c + row * t->c_row;
    if (t->c_column == 1 && t->width == vectors * FN(LANES)) {
        for (int v = 0; v < vectors; v++) {
            FN(vector) *out = (FN(vector) *)(c + v * FN(LANES));
            FN(vector) sum = t->alpha * sums[v];
            if (t->beta != 0) sum += t->beta * *out;
            if (t->bias) sum += *(const FN(vector) *)(t->bias + v * FN(LANES));
            *out = sum;
        }
        return;
    }
    T values[FN(NR)] = {0};
    for (int v = 0; v < vectors; v++) *(FN(vector) *)(values + v * FN(LANES)) = sums[v];
    for (int64_t j = 0; j < t->width; j++) {
        T *out = c + j * t->c_column;
        T sum = t->alpha * values[j];
        if (t->beta != 0) sum += t->beta * *out;
        *out = t->bias ? sum + t->bias[j] : sum;
    }
}

/* The loop that everything is for: rows × vectors sums in registers. */
SP__INLINE void FN(run_tile)(const FN(tile) * t, const int rows, const int vectors)
{
    FN(vector) sums[8][2] = {{{0}}};
    const T *a = t->a, *b = t->b;
    const int64_t a_row = t->a_row, a_column = t->a_column, b_row = t->b_row;
    for (int64_t k = t->k; k > 0; k--) {
        FN(vector) bk[2];
        SP__UNROLL
        for (int v = 0; v < vectors; v++) bk[v] = *(const FN(vector) *)(b + v * FN(LANES));
        SP__UNROLL
        for (int i = 0; i < rows; i++) {
            SP__UNROLL
            for (int v = 0; v < vectors; v++) sums[i][v] += a[i * a_row] * bk[v];
        }
        a += a_column;
        b += b_row;
    }
    SP__UNROLL
    for (int i = 0; i < rows; i++) FN(store_row)(t, i, sums[i], vectors);
}

#define TILE(rows, vectors)                                                                                            \
    static void FN(tile_##rows##x##vectors)(const FN(tile) * t)                                                        \
    {                                                                                                                  \
        FN(run_tile)(t, rows, vectors);                                                                                \
    }
TILE(8, 2)
TILE(6, 2)
TILE(4, 2)
TILE(2, 2)
TILE(1, 2)
TILE(8, 1)
TILE(6, 1)
TILE(4, 1)
TILE(2, 1)
TILE(1, 1)
#undef TILE

/* All rows of a chunk against one panel: full tiles, then smaller ones. */
static void FN(run_rows)(FN(tile) t, int64_t rows)
{
    static void (*const tiles[2][9])(const FN(tile) *) = {
        {[8] = FN(tile_8x1), [6] = FN(tile_6x1), [4] = FN(tile_4x1), [2] = FN(tile_2x1), [1] = FN(tile_1x1)},
        {[8] = FN(tile_8x2), [6] = FN(tile_6x2), [4] = FN(tile_4x2), [2] = FN(tile_2x2), [1] = FN(tile_1x2)}};
    void (*const *sizes)(const FN(tile) *) = tiles[t.width > FN(LANES)];
    while (rows > 0) {
        int height = rows >= SP__TILE_ROWS ? SP__TILE_ROWS : rows >= 4 ? 4 : rows >= 2 ? 2 : 1;
        sizes[height](&t);
        t.a += height * t.a_row;
        t.c += height * t.c_row;
        rows -= height;
    }
}

/* Columns [0, width) of k rows of b, side by side, zeros behind them. */
static void FN(pack)(T *out, const T *b, int64_t row, int64_t column, int64_t k, int64_t width)
{
    const int64_t room = width > FN(LANES) ? FN(NR) : FN(LANES);
    if (width < room) memset(out, 0, (size_t)(k * room) * sizeof(T));
    if (column == 1) {
        for (int64_t i = 0; i < k; i++) memcpy(out + i * room, b + i * row, (size_t)width * sizeof(T));
        return;
    }
    enum { BLOCK = 16 }; /* rows at a time, so that what is written stays near */
    for (int64_t i0 = 0; i0 < k; i0 += BLOCK) {
        const int64_t end = i0 + BLOCK < k ? i0 + BLOCK : k;
        for (int64_t j = 0; j < width; j++)
            for (int64_t i = i0; i < end; i++) out[i * room + j] = b[i * row + j * column];
    }
}

typedef struct FN(plan) {
    const sp__gemm *call;
    int64_t chunks, panels;
} FN(plan);

static const T *FN(at)(const sp__matrix *m, int64_t batch, int64_t row, int64_t column)
{
    return (const T *)m->buffer + m->offset + batch * m->batch + row * m->row + column * m->column;
}

/* Rows against columns [j, j + width), k piece by piece. */
static void FN(run_panel)(const sp__gemm *g, FN(tile) t, int64_t batch, int64_t j, int64_t rows)
{
    T packed[FN(KC) * FN(NR)] __attribute__((aligned(64)));
    const int64_t room = t.width > FN(LANES) ? FN(NR) : FN(LANES);
    const bool direct = g->b.column == 1 && t.width == room && rows < 96;
    const T *bias = t.bias;
    int64_t k = 0;
    do {
        const int64_t rest = g->k - k, depth = direct && rest <= 4 * FN(KC) ? rest : rest < FN(KC) ? rest : FN(KC);
        FN(tile) part = t;
        part.k = depth;
        part.a = t.a + k * t.a_column;
        part.b = FN(at)(&g->b, batch, k, j);
        if (!direct) {
            FN(pack)(packed, part.b, g->b.row, g->b.column, depth, t.width);
            part.b = packed;
            part.b_row = room;
        }
        if (k > 0) part.beta = 1;
        part.bias = k + depth == g->k ? bias : NULL;
        FN(run_rows)(part, rows);
        k += depth;
    } while (k < g->k);
}

static void FN(gemm_task)(void *context, int64_t task)
{
    const FN(plan) *plan = context;
    const sp__gemm *g = plan->call;
    const int64_t batch = task / (plan->chunks * plan->panels), rest = task % (plan->chunks * plan->panels);
    const int64_t i = rest / plan->panels * FN(ROW_CHUNK), j = rest % plan->panels * FN(NR);
    const int64_t rows = g->m - i < FN(ROW_CHUNK) ? g->m - i : FN(ROW_CHUNK);
    const int64_t width = g->n - j < FN(NR) ? g->n - j : FN(NR);
    T bias[FN(NR)] = {0};
    for (int64_t c = 0; g->bias && c < width; c++)
        bias[c] = *((const T *)g->bias->buffer + g->bias->offset + (j + c) * g->bias->strides[0]);
    FN(tile)
    t = {.a = FN(at)(&g->a, batch, i, 0),
         .a_row = g->a.row,
         .a_column = g->a.column,
         .b_row = g->b.row,
         .c = (T *)(uintptr_t)FN(at)(&g->c, batch, i, j),
         .c_row = g->c.row,
         .c_column = g->c.column,
         .width = width,
         .alpha = (T)g->alpha,
         .beta = (T)g->beta,
         .bias = g->bias ? bias : NULL};
    FN(run_panel)(g, t, batch, j, rows);
}

sp_status SP__HERE(FN(sp__gemm))(const sp__gemm *call)
{
    FN(plan) plan = {call, (call->m + FN(ROW_CHUNK) - 1) / FN(ROW_CHUNK), (call->n + FN(NR) - 1) / FN(NR)};
    const int64_t tasks = call->batches * plan.chunks * plan.panels;
    const double work = (double)call->batches * (double)call->m * (double)call->n * (double)call->k;
    if (work < 40000) {
        for (int64_t i = 0; i < tasks; i++) FN(gemm_task)(&plan, i); /* too small to share out */
    } else {
        sp__tasks(tasks, FN(gemm_task), &plan);
    }
    return SP_OK;
}

/* ---- the peak: independent chains of multiply-adds, in registers ---- */

/* Returns how many floating point operations it did. */
double SP__HERE(FN(sp__spin))(int64_t rounds)
{
    enum { CHAINS = 12 };
    FN(vector) sums[CHAINS], x, y;
    T numbers[FN(LANES)];
    for (int i = 0; i < CHAINS + 2; i++) { /* all different, or the compiler would compute equal chains once */
        for (int lane = 0; lane < FN(LANES); lane++) numbers[lane] = (T)(1 / (i + 2.0));
        *(i < CHAINS ? &sums[i] : i == CHAINS ? &x : &y) = *(const FN(vector) *)numbers;
    }
    for (int64_t r = 0; r < rounds; r++) {
        SP__UNROLL
        for (int i = 0; i < CHAINS; i++) sums[i] = sums[i] * y + x;
    }
    volatile T sink = 0;
    for (int i = 0; i < CHAINS; i++) sink = sums[i][0];
    (void)sink;
    return (double)rounds * CHAINS * FN(LANES) * 2;
}

#undef T
#undef FN

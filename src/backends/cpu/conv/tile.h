/* The inner loops of convolution for one type.
 *
 * ROWS  rows of a tile: places of the result, or channels of the weights' gradient
 * NR    its columns: two vectors
 *
 * A tile's sums stay in registers while it runs over its segments, and lie in the first-level cache between them. */

/* Row i of the sums grows by a[i][0…k) × k rows of b. */
typedef struct FN(segment) {
    const T *a[SP__TILE_ROWS];
    const T *b;
    int64_t k;
} FN(segment);

/* The sums begin as the rows of `start`, which is one row for all where start_row is 0. */
SP__INLINE void FN(sum_segments)(const FN(segment) * s, int64_t n, const T *start, int64_t start_row, T *sums,
                                 const int rows, const int vectors)
{
    FN(vector) sum[SP__TILE_ROWS][2];
    SP__UNROLL
    for (int i = 0; i < rows; i++) {
        SP__UNROLL
        for (int v = 0; v < vectors; v++) sum[i][v] = *(const FN(vector) *)(start + i * start_row + v * FN(LANES));
    }
    for (; n > 0; n--, s++) {
        const T *a[SP__TILE_ROWS], *b = s->b;
        SP__UNROLL
        for (int i = 0; i < rows; i++) a[i] = s->a[i];
        const int64_t depth = s->k;
        for (int64_t k = 0; k < depth; k++) {
            FN(vector) bk[2];
            SP__UNROLL
            for (int v = 0; v < vectors; v++) bk[v] = *(const FN(vector) *)(b + v * FN(LANES));
            b += vectors * FN(LANES);
            SP__UNROLL
            for (int i = 0; i < rows; i++) {
                SP__UNROLL
                for (int v = 0; v < vectors; v++) ACCUMULATE(sum[i][v], a[i][k], bk[v]);
            }
        }
    }
    SP__UNROLL
    for (int i = 0; i < rows; i++) {
        SP__UNROLL
        for (int v = 0; v < vectors; v++) *(FN(vector) *)(sums + i * FN(NR) + v * FN(LANES)) = sum[i][v];
    }
}

/* Row i of the sums grows by a[i] at each place × the vectors of b there. */
typedef struct FN(field) {
    const T *a[SP__TILE_ROWS];
    const T *b;
    int64_t rows, columns;   /* of places */
    int64_t a_row, a_column; /* strides */
    int64_t b_row, b_column;
} FN(field);

SP__INLINE void FN(sum_field)(const FN(field) * f, T *sums, const int rows, const int vectors)
{
    FN(vector) sum[SP__TILE_ROWS][2];
    const T *a[SP__TILE_ROWS];
    SP__UNROLL
    for (int i = 0; i < rows; i++) {
        a[i] = f->a[i];
        SP__UNROLL
        for (int v = 0; v < vectors; v++) sum[i][v] = *(const FN(vector) *)(sums + i * FN(NR) + v * FN(LANES));
    }
    const int64_t columns = f->columns, a_column = f->a_column, b_column = f->b_column;
    for (int64_t h = 0; h < f->rows; h++) {
        const T *b = f->b + h * f->b_row;
        int64_t at = h * f->a_row;
        for (int64_t w = columns; w > 0; w--) {
            FN(vector) bw[2];
            SP__UNROLL
            for (int v = 0; v < vectors; v++) bw[v] = *(const FN(vector) *)(b + v * FN(LANES));
            b += b_column;
            SP__UNROLL
            for (int i = 0; i < rows; i++) {
                SP__UNROLL
                for (int v = 0; v < vectors; v++) ACCUMULATE(sum[i][v], a[i][at], bw[v]);
            }
            at += a_column;
        }
    }
    SP__UNROLL
    for (int i = 0; i < rows; i++) {
        SP__UNROLL
        for (int v = 0; v < vectors; v++) *(FN(vector) *)(sums + i * FN(NR) + v * FN(LANES)) = sum[i][v];
    }
}

typedef void FN(segments_run)(const FN(segment) * s, int64_t n, const T *start, int64_t start_row, T *sums);
typedef void FN(field_run)(const FN(field) * f, T *sums);

enum { FN(FEW) = 4 }; /* rows of the lower tile */

#define TILE(height, vectors)                                                                                          \
    static void FN(segments_##height##x##vectors)(const FN(segment) * s, int64_t n, const T *start, int64_t start_row, \
                                                  T *sums)                                                             \
    {                                                                                                                  \
        FN(sum_segments)(s, n, start, start_row, sums, height, vectors);                                               \
    }                                                                                                                  \
    static void FN(field_##height##x##vectors)(const FN(field) * f, T * sums)                                          \
    {                                                                                                                  \
        FN(sum_field)(f, sums, height, vectors);                                                                       \
    }
TILE(4, 1)
TILE(4, 2)
#if defined(__AVX512F__) || defined(__aarch64__)
TILE(8, 1)
TILE(8, 2)
#define TILES(name)                                                                                                    \
    {                                                                                                                  \
        {FN(name##_4x1), FN(name##_8x1)},                                                                              \
        {                                                                                                              \
            FN(name##_4x2), FN(name##_8x2)                                                                             \
        }                                                                                                              \
    }
#else
TILE(6, 1)
TILE(6, 2)
#define TILES(name)                                                                                                    \
    {                                                                                                                  \
        {FN(name##_4x1), FN(name##_6x1)},                                                                              \
        {                                                                                                              \
            FN(name##_4x2), FN(name##_6x2)                                                                             \
        }                                                                                                              \
    }
#endif

/* By whether a panel is two vectors wide, and whether there are more than FEW rows. */
static FN(segments_run) *const FN(segments_runs)[2][2] = TILES(segments);
static FN(field_run) *const FN(field_runs)[2][2] = TILES(field);
#undef TILE
#undef TILES

/* The inner loops of convolution: sums of products in registers. Like the files of loops that include it, it wants
 * numbers_f32.h or its like in front of it.
 *
 * SP__TILE_ROWS  rows of a tile: places of the result, or channels of the weights' gradient
 * NR             its columns: two vectors
 *
 * A tile's sums stay in registers while it runs over its segments, and lie in the first-level cache between them. */
#ifndef SPUSK_CONV_TILE_H
#define SPUSK_CONV_TILE_H

/* Row i of the sums grows by a[i][0…k) × k rows of b. */
typedef struct segment {
    const number *a[SP__TILE_ROWS];
    const number *b;
    int64_t k;
} segment;

/* The sums begin as the rows of `start`, which is one row for all where start_row is 0. */
SP__INLINE void sum_segments(const segment *s, int64_t n, const number *start, int64_t start_row, number *sums,
                             const int rows, const int vectors)
{
    vector sum[SP__TILE_ROWS][2];
    SP__UNROLL
    for (int i = 0; i < rows; i++) {
        SP__UNROLL
        for (int v = 0; v < vectors; v++) sum[i][v] = *(const vector *)(start + i * start_row + v * LANES);
    }
    for (; n > 0; n--, s++) {
        const number *a[SP__TILE_ROWS], *b = s->b;
        SP__UNROLL
        for (int i = 0; i < rows; i++) a[i] = s->a[i];
        const int64_t depth = s->k;
        for (int64_t k = 0; k < depth; k++) {
            vector bk[2];
            SP__UNROLL
            for (int v = 0; v < vectors; v++) bk[v] = *(const vector *)(b + v * LANES);
            b += vectors * LANES;
            SP__UNROLL
            for (int i = 0; i < rows; i++) {
                SP__UNROLL
                for (int v = 0; v < vectors; v++) sum[i][v] = multiply_add(sum[i][v], a[i][k], bk[v]);
            }
        }
    }
    SP__UNROLL
    for (int i = 0; i < rows; i++) {
        SP__UNROLL
        for (int v = 0; v < vectors; v++) *(vector *)(sums + i * NR + v * LANES) = sum[i][v];
    }
}

/* Row i of the sums grows by a[i] at each place × the vectors of b there. */
typedef struct field {
    const number *a[SP__TILE_ROWS];
    const number *b;
    int64_t rows, columns;   /* of places */
    int64_t a_row, a_column; /* strides */
    int64_t b_row, b_column;
} field;

SP__INLINE void sum_field(const field *f, number *sums, const int rows, const int vectors)
{
    vector sum[SP__TILE_ROWS][2];
    const number *a[SP__TILE_ROWS];
    SP__UNROLL
    for (int i = 0; i < rows; i++) {
        a[i] = f->a[i];
        SP__UNROLL
        for (int v = 0; v < vectors; v++) sum[i][v] = *(const vector *)(sums + i * NR + v * LANES);
    }
    const int64_t columns = f->columns, a_column = f->a_column, b_column = f->b_column;
    for (int64_t h = 0; h < f->rows; h++) {
        const number *b = f->b + h * f->b_row;
        int64_t at = h * f->a_row;
        for (int64_t w = columns; w > 0; w--) {
            vector bw[2];
            SP__UNROLL
            for (int v = 0; v < vectors; v++) bw[v] = *(const vector *)(b + v * LANES);
            b += b_column;
            SP__UNROLL
            for (int i = 0; i < rows; i++) {
                SP__UNROLL
                for (int v = 0; v < vectors; v++) sum[i][v] = multiply_add(sum[i][v], a[i][at], bw[v]);
            }
            at += a_column;
        }
    }
    SP__UNROLL
    for (int i = 0; i < rows; i++) {
        SP__UNROLL
        for (int v = 0; v < vectors; v++) *(vector *)(sums + i * NR + v * LANES) = sum[i][v];
    }
}

/* ---- by how many of its rows and vectors a tile has: constants, so that the sums are in registers ---- */

enum { FEW = 4 }; /* rows of the lower tile */

static void add_segments(const segment *s, int64_t n, const number *start, int64_t start_row, number *sums, bool many,
                         bool wide)
{
    if (many && wide)
        sum_segments(s, n, start, start_row, sums, SP__TILE_ROWS, 2);
    else if (many)
        sum_segments(s, n, start, start_row, sums, SP__TILE_ROWS, 1);
    else if (wide)
        sum_segments(s, n, start, start_row, sums, FEW, 2);
    else
        sum_segments(s, n, start, start_row, sums, FEW, 1);
}

static void add_field(const field *f, number *sums, bool many, bool wide)
{
    if (many && wide)
        sum_field(f, sums, SP__TILE_ROWS, 2);
    else if (many)
        sum_field(f, sums, SP__TILE_ROWS, 1);
    else if (wide)
        sum_field(f, sums, FEW, 2);
    else
        sum_field(f, sums, FEW, 1);
}

#endif

/* Minimal filtering of 3×3 kernels that step by one (Winograd; Lavin and Gray, CVPR 2016): what its passes share. A tile
 * of 4×4 places of y meets 6×6 places of x. With d the tile of x, g the weights and e the tile of y,
 *
 *     y  = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A    forward, and backward-data with x and y in each other's place
 *     dg = Gᵀ[(A e Aᵀ) ⊙ (Bᵀ d B)]G    the weights' gradient
 *
 * where ⊙ is summed over channels, or over tiles: 36 products where the plain sum has 144. The matrices evaluate
 * polynomials at 0, ±a, ±b and infinity, with a = √½ and b = √2. At these points the error is about twice that of the
 * plain sum; at the usual 0, ±1, ±2 it is six times as large.
 *
 *     Bᵀ = 1   0  -2½   0   1  0     G = 1    0    0       Aᵀ = 1   1   1   1   1  0
 *          0 -2a   -2   a   1  0        -⅔  -⅔a   -⅓            0   a  -a   b  -b  0
 *          0  2a   -2  -a   1  0        -⅔   ⅔a   -⅓            0   ½   ½   2   2  0
 *          0 -½b   -½   b   1  0         ⅙   ⅙b    ⅓            0  ½a -½a  2b -2b  1
 *          0  ½b   -½  -b   1  0         ⅙  -⅙b    ⅓
 *          0   1    0 -2½   0  1         0    0    1
 */
#ifndef SPUSK_CONV_WINOGRAD_H
#define SPUSK_CONV_WINOGRAD_H

#include "tail.h"
#include "tile.h"

/* TILE: places of y along one side; SIDE: of x. */
enum { TILE = 4, SIDE = 6, POINTS = SIDE * SIDE };

#define ROOT_HALF ((number)0.70710678118654752440)
#define ROOT_2 ((number)1.41421356237309504880)

/* ---- one matrix times vectors that lie `step` apart, to `out` ---- */

/* Rows of Bᵀ come in pairs that share their terms: pair 0 is rows 0 and 5, pair 1 rows 1 and 2, pair 2 rows 3 and 4. */
static int row_of_pair(int pair, int q)
{
    return pair == 0 ? q * (SIDE - 1) : 2 * pair - 1 + q;
}

SP__INLINE void source_pair(const vector *d, int step, const int pair, vector *first, vector *second)
{
    const vector d1 = d[step], d2 = d[2 * step], d3 = d[3 * step], d4 = d[4 * step];
    if (pair == 0) {
        *first = multiply_add(d[0] + d4, (number)-2.5, d2);
        *second = multiply_add(d1 + d[5 * step], (number)-2.5, d3);
        return;
    }
    const number inner = pair == 1 ? -2 : (number)-0.5, root = pair == 1 ? ROOT_HALF : ROOT_2;
    const vector even = multiply_add(d4, inner, d2), odd = multiply_add(d3, inner, d1);
    *first = multiply_add(even, root, odd);
    *second = multiply_add(even, -root, odd);
}

/* From six: Bᵀ. */
SP__INLINE void source_line(const vector *d, int step, vector *out)
{
    source_pair(d, step, 0, out, out + 5);
    source_pair(d, step, 1, out + 1, out + 2);
    source_pair(d, step, 2, out + 3, out + 4);
}

/* From three: G. */
SP__INLINE void weight_line(const vector *g, int step, vector *out)
{
    const number third = (number)(1.0 / 3), sixth = (number)(1.0 / 6);
    const vector g0 = g[0], g1 = g[step], g2 = g[2 * step];
    const vector even = -third * multiply_add(g2, 2, g0), even2 = sixth * multiply_add(g0, 2, g2);
    out[0] = g0;
    out[1] = multiply_add(even, -2 * third * ROOT_HALF, g1);
    out[2] = multiply_add(even, 2 * third * ROOT_HALF, g1);
    out[3] = multiply_add(even2, sixth * ROOT_2, g1);
    out[4] = multiply_add(even2, -sixth * ROOT_2, g1);
    out[5] = g2;
}

/* From six: Aᵀ. */
SP__INLINE void result_line(const vector *m, int step, vector *out)
{
    const vector m1 = m[step], m2 = m[2 * step], m3 = m[3 * step], m4 = m[4 * step];
    const vector even = m1 + m2, even2 = m3 + m4, odd = ROOT_HALF * (m1 - m2), odd2 = ROOT_2 * (m3 - m4);
    out[0] = m[0] + even + even2;
    out[1] = odd + odd2;
    out[2] = multiply_add((number)0.5 * even, 2, even2);
    out[3] = multiply_add(multiply_add(m[5 * step], (number)0.5, odd), 2, odd2);
}

/* Rows of A come in the same pairs. */
SP__INLINE void gradient_pair(const vector *e, int step, const int pair, vector *first, vector *second)
{
    if (pair == 0) {
        *first = e[0], *second = e[3 * step];
        return;
    }
    const number inner = pair == 1 ? (number)0.5 : 2, root = pair == 1 ? ROOT_HALF : ROOT_2;
    const vector even = multiply_add(e[0], inner, e[2 * step]), odd = multiply_add(e[step], inner, e[3 * step]);
    *first = multiply_add(even, root, odd);
    *second = multiply_add(even, -root, odd);
}

/* From four: A. */
SP__INLINE void gradient_line(const vector *e, int step, vector *out)
{
    gradient_pair(e, step, 0, out, out + 5);
    gradient_pair(e, step, 1, out + 1, out + 2);
    gradient_pair(e, step, 2, out + 3, out + 4);
}

/* From six: Gᵀ. */
SP__INLINE void kernel_line(const vector *c, int step, vector *out)
{
    const number third = (number)(1.0 / 3), sixth = (number)(1.0 / 6);
    const vector c1 = c[step], c2 = c[2 * step], c3 = c[3 * step], c4 = c[4 * step];
    const vector even = c1 + c2, even2 = c3 + c4;
    out[0] = multiply_add(multiply_add(c[0], -2 * third, even), sixth, even2);
    out[1] = multiply_add(-2 * third * ROOT_HALF * (c1 - c2), sixth * ROOT_2, c3 - c4);
    out[2] = multiply_add(c[5 * step], third, even2 - even);
}

/* ---- tiles of a batch ---- */

/* A tile's image and its place there, counted in tiles. */
typedef struct spot {
    int64_t image, h, w;
} spot;

/* Images whose channels lie side by side, cut into tiles; what lies outside them is zero. */
typedef struct tiling {
    const void *source;
    bool narrow;                 /* of bf16 */
    int64_t strides[3];          /* image, row, column */
    int64_t delta[2], extent[2]; /* where the first tile begins; places */
    int64_t channels, row;       /* `row`: of whole vectors */
    int64_t tiles[2];            /* of an image */
} tiling;

static int64_t room_of(int64_t channels)
{
    return (channels + LANES - 1) / LANES * LANES;
}

/* For a result whose places the axes count. */
static tiling tiling_of(const sp__operand *source, int64_t channels, const sp__conv_axis *axis)
{
    tiling t = {.source = sp__operand_at(source), .narrow = source->dtype == SP_BF16, .channels = channels};
    t.row = room_of(channels);
    image_strides(t.strides, source, 1);
    for (int d = 0; d < 2; d++) {
        t.delta[d] = axis[d].delta, t.extent[d] = axis[d].extent;
        t.tiles[d] = (axis[d].count + TILE - 1) / TILE;
    }
    return t;
}

static spot spot_at(const tiling *t, int64_t tile)
{
    const int64_t each = t->tiles[0] * t->tiles[1], in = tile % each;
    return (spot){tile / each, in / t->tiles[1], in % t->tiles[1]};
}

static bool is_inside(int64_t place, int64_t extent)
{
    return place >= 0 && place < extent;
}

/* Whether all side × side places of a tile lie in the image, and their first. */
static bool is_whole_tile(const tiling *t, const int64_t *first, int64_t side)
{
    return first[0] >= 0 && first[1] >= 0 && first[0] + side <= t->extent[0] && first[1] + side <= t->extent[1];
}

/* A vector of channels, from c on, of each of a tile's places, the first of which is first[0], first[1] of the image. */
SP__INLINE void copy_places(const tiling *t, int64_t image, const int64_t *first, int64_t c, const int side,
                            vector *out)
{
    for (int i = 0; i < side; i++) {
        const int64_t h = first[0] + i;
        for (int j = 0; j < side; j++) {
            const int64_t w = first[1] + j, at = image + h * t->strides[1] + w * t->strides[2] + c;
            const bool inside = is_inside(h, t->extent[0]) && is_inside(w, t->extent[1]);
            out[side * i + j] = inside ? load_either(t->source, t->narrow, at, t->channels - c) : (vector){0};
        }
    }
}

/* A pair of columns of Bᵀ d B, of 6×6 places, to v, whose points lie `step` apart, column by column. */
SP__INLINE void source_columns(const number *d, int64_t row, int64_t column, const int pair, number *v, int64_t step)
{
    vector half[2][SIDE];
    SP__UNROLL
    for (int i = 0; i < SIDE; i++) {
        vector line[SIDE];
        SP__UNROLL
        for (int j = 0; j < SIDE; j++) line[j] = *(const vector *)(d + i * row + j * column);
        source_pair(line, 1, pair, &half[0][i], &half[1][i]);
    }
    SP__UNROLL
    for (int q = 0; q < 2; q++) {
        vector out[SIDE];
        source_line(half[q], 1, out);
        SP__UNROLL
        for (int i = 0; i < SIDE; i++) *(vector *)(v + (SIDE * row_of_pair(pair, q) + i) * step) = out[i];
    }
}

/* All columns. A pair stays in registers; all would be stored and loaded, and stores stand in the way of loads whose
 * addresses end alike. */
SP__INLINE void source_points(const number *d, int64_t row, int64_t column, number *v, int64_t step)
{
    source_columns(d, row, column, 0, v, step);
    source_columns(d, row, column, 1, v, step);
    source_columns(d, row, column, 2, v, step);
}

/* Those of a tile. */
static void transform_source(const tiling *t, const spot *at, number *v, int64_t step)
{
    const int64_t first[2] = {TILE * at->h + t->delta[0], TILE * at->w + t->delta[1]};
    const bool whole = is_whole_tile(t, first, SIDE) && !t->narrow;
    const int64_t image = at->image * t->strides[0];
    const number *d = (const number *)t->source + image + first[0] * t->strides[1] + first[1] * t->strides[2];
    for (int64_t c = 0; c < t->channels; c += LANES) {
        if (whole && c + LANES <= t->channels) {
            for (int i = 2; i < SIDE; i++)
                for (int j = SIDE; j < SIDE + TILE; j++)
                    __builtin_prefetch(d + c + i * t->strides[1] + j * t->strides[2]);
            source_points(d + c, t->strides[1], t->strides[2], v + c, step);
            continue;
        }
        vector places[POINTS];
        copy_places(t, image, first, c, SIDE, places);
        source_points((const number *)places, SIDE * LANES, LANES, v + c, step);
    }
}

/* ---- products ---- */

/* Row i of a product's sums is the sum over its depth of a × the vectors of b; two points lie so far apart in each. */
typedef struct product {
    const number *a, *b;
    number *sums; /* rows of NR */
    int64_t depth, a_row, a_depth, b_depth;
    int64_t a_point, b_point, sums_point;
} product;

/* `parts` is the number of points of one vector each, or 1 for one point of two. `adds`: to what the sums are. */
SP__INLINE void multiply(const product *p, const int rows, const int points, const bool adds)
{
    vector sum[SP__TILE_ROWS][2];
    const number *a[SP__TILE_ROWS], *b = p->b;
    const int64_t a_part = points > 1 ? p->a_point : 0, b_part = points > 1 ? p->b_point : LANES;
    const int64_t sums_part = points > 1 ? p->sums_point : LANES, depth = p->depth, a_depth = p->a_depth;
    SP__UNROLL
    for (int i = 0; i < rows; i++) {
        a[i] = p->a + i * p->a_row;
        SP__UNROLL
        for (int q = 0; q < 2; q++)
            sum[i][q] = adds ? *(const vector *)(p->sums + i * NR + q * sums_part) : (vector){0};
    }
    for (int64_t d = 0; d < depth; d++, b += p->b_depth) {
        const vector bd[2] = {*(const vector *)b, *(const vector *)(b + b_part)};
        SP__UNROLL
        for (int i = 0; i < rows; i++) {
            SP__UNROLL
            for (int q = 0; q < 2; q++) sum[i][q] = multiply_add(sum[i][q], a[i][d * a_depth + q * a_part], bd[q]);
        }
    }
    SP__UNROLL
    for (int i = 0; i < rows; i++) {
        SP__UNROLL
        for (int q = 0; q < 2; q++) *(vector *)(p->sums + i * NR + q * sums_part) = sum[i][q];
    }
}

#endif

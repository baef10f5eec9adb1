/* Copies between two orders of dimensions, such as (N, C, H, W) and (N, H, W, C): each outer index is a transposed
 * matrix, copied block by block, so that both sides are read and written a cache line at a time. */
#include "backends/cpu/cpu.h"

/* Elements out[r·out_row + c] = in[c·in_column + r], r from `first` to `last`, all c; distances in elements. */
typedef void transpose_rows(char *out, const char *in, const sp__transpose *t, int64_t first, int64_t last);

enum { BLOCK = 16 }; /* rows that are written at once */

#define TRANSPOSE(name, type)                                                                                          \
    static void name(char *out, const char *in, const sp__transpose *t, int64_t first, int64_t last)                   \
    {                                                                                                                  \
        for (int64_t r0 = first; r0 < last; r0 += BLOCK) {                                                             \
            const int64_t r1 = r0 + BLOCK < last ? r0 + BLOCK : last;                                                  \
            for (int64_t c = 0; c < t->columns; c++)                                                                   \
                for (int64_t r = r0; r < r1; r++)                                                                      \
                    ((type *)(void *)out)[r * t->out_row + c] = ((                                                     \
                        const type *)(const void *)in)[c * t->in_column + r];                                          \
        }                                                                                                              \
    }
TRANSPOSE(rows_of_1, uint8_t)
TRANSPOSE(rows_of_8, uint64_t)

/* ---- small squares by vectors of 16 bytes ---- */

typedef uint32_t four __attribute__((vector_size(16)));
typedef uint16_t eight __attribute__((vector_size(16)));
#if defined(__clang__)
#define MIX(a, b, type, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define MIX(a, b, type, ...) __builtin_shuffle(a, b, (type){__VA_ARGS__})
#endif
#define LOWER_4(a, b) MIX(a, b, four, 0, 4, 1, 5)
#define UPPER_4(a, b) MIX(a, b, four, 2, 6, 3, 7)
#define LOWER_8(a, b) MIX(a, b, eight, 0, 8, 1, 9, 2, 10, 3, 11)
#define UPPER_8(a, b) MIX(a, b, eight, 4, 12, 5, 13, 6, 14, 7, 15)

/* Four rows of four columns: each round lays two halves of the rows into each other. */
static inline void transpose_four(uint32_t *out, int64_t out_row, const uint32_t *in, int64_t in_column)
{
    four x[4];
    memcpy(&x[0], in, sizeof x[0]);
    memcpy(&x[1], in + in_column, sizeof x[1]);
    memcpy(&x[2], in + 2 * in_column, sizeof x[2]);
    memcpy(&x[3], in + 3 * in_column, sizeof x[3]);
    const four y[] = {LOWER_4(x[0], x[2]), UPPER_4(x[0], x[2]), LOWER_4(x[1], x[3]), UPPER_4(x[1], x[3])};
    const four z[] = {LOWER_4(y[0], y[2]), UPPER_4(y[0], y[2]), LOWER_4(y[1], y[3]), UPPER_4(y[1], y[3])};
    for (int r = 0; r < 4; r++) memcpy(out + r * out_row, &z[r], sizeof z[r]);
}

/* Eight rows of eight columns, in three rounds. */
static inline void transpose_eight(uint16_t *out, int64_t out_row, const uint16_t *in, int64_t in_column)
{
    eight x[8];
    for (int i = 0; i < 8; i += 4) {
        const uint16_t *from = in + i * in_column;
        memcpy(&x[i], from, sizeof x[i]);
        memcpy(&x[i + 1], from + in_column, sizeof x[i]);
        memcpy(&x[i + 2], from + 2 * in_column, sizeof x[i]);
        memcpy(&x[i + 3], from + 3 * in_column, sizeof x[i]);
    }
#define ROUND(to, of)                                                                                                  \
    const eight to[] = {LOWER_8(of[0], of[4]), UPPER_8(of[0], of[4]), LOWER_8(of[1], of[5]), UPPER_8(of[1], of[5]),    \
                        LOWER_8(of[2], of[6]), UPPER_8(of[2], of[6]), LOWER_8(of[3], of[7]), UPPER_8(of[3], of[7])};
    ROUND(y, x)
    ROUND(z, y)
    ROUND(rows, z)
#undef ROUND
    for (int r = 0; r < 8; r++) memcpy(out + r * out_row, &rows[r], sizeof rows[r]);
}

/* Squares of `side`, and one by one what is left at the ends. */
#define TRANSPOSE_SQUARES(name, type, side, square)                                                                    \
    static void name(char *out_bytes, const char *in_bytes, const sp__transpose *t, int64_t first, int64_t last)       \
    {                                                                                                                  \
        type *out = (void *)out_bytes;                                                                                 \
        const type *in = (const void *)in_bytes;                                                                       \
        for (int64_t r0 = first; r0 < last; r0 += BLOCK) {                                                             \
            const int64_t r1 = r0 + BLOCK < last ? r0 + BLOCK : last, whole = r0 + (r1 - r0) / (side) * (side);        \
            int64_t c = 0;                                                                                             \
            for (; c + (side) <= t->columns; c += (side)) {                                                            \
                for (int64_t r = r0; r < whole; r += (side))                                                           \
                    square(out + r * t->out_row + c, t->out_row, in + c * t->in_column + r, t->in_column);             \
                for (int64_t r = whole; r < r1; r++)                                                                   \
                    for (int64_t k = c; k < c + (side); k++) out[r * t->out_row + k] = in[k * t->in_column + r];       \
            }                                                                                                          \
            for (; c < t->columns; c++)                                                                                \
                for (int64_t r = r0; r < r1; r++) out[r * t->out_row + c] = in[c * t->in_column + r];                  \
        }                                                                                                              \
    }
TRANSPOSE_SQUARES(rows_of_2, uint16_t, 8, transpose_eight)
TRANSPOSE_SQUARES(rows_of_4, uint32_t, 4, transpose_four)

/* A unit of work is some rows of one outer index; a task is some units. */
typedef struct transpose_plan {
    const sp__transpose *call;
    transpose_rows *run;
    int64_t rows, chunks; /* of a unit; of one outer index */
    int64_t units, grain;
} transpose_plan;

static void run_unit(const transpose_plan *p, int64_t unit)
{
    const sp__transpose *t = p->call;
    const int64_t first = unit % p->chunks * p->rows, last = first + p->rows;
    char *out = t->out;
    const char *in = t->in;
    int64_t outer = unit / p->chunks;
    for (int d = t->n_outer - 1; d >= 0; d--) {
        const int64_t i = outer % t->outer[d].size;
        outer /= t->outer[d].size;
        out += i * t->outer[d].out * t->item;
        in += i * t->outer[d].in * t->item;
    }
    p->run(out, in, t, first, last < t->rows ? last : t->rows);
}

static void transpose_task(void *context, int64_t task)
{
    const transpose_plan *p = context;
    const int64_t first = task * p->grain, last = first + p->grain;
    for (int64_t unit = first; unit < last && unit < p->units; unit++) run_unit(p, unit);
}

void sp__cpu_transpose(const sp__transpose *call)
{
    transpose_plan p = {.call = call, .run = rows_of_8};
    if (call->item == 1) p.run = rows_of_1;
    if (call->item == 2) p.run = rows_of_2;
    if (call->item == 4) p.run = rows_of_4;
    p.rows = SP__GRAIN / call->columns / BLOCK * BLOCK;
    if (p.rows < BLOCK) p.rows = BLOCK;
    if (p.rows > call->rows) p.rows = call->rows;
    p.chunks = (call->rows + p.rows - 1) / p.rows;
    p.units = p.chunks;
    for (int d = 0; d < call->n_outer; d++) p.units *= call->outer[d].size;
    p.grain = SP__GRAIN / (p.rows * call->columns);
    if (p.grain < 1) p.grain = 1;
    sp__tasks((p.units + p.grain - 1) / p.grain, transpose_task, &p);
}

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
TRANSPOSE(rows_of_2, uint16_t)
TRANSPOSE(rows_of_8, uint64_t)

typedef uint32_t four __attribute__((vector_size(16)));
#if defined(__clang__)
#define MIX(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)
#else
#define MIX(a, b, i, j, k, l) __builtin_shuffle(a, b, (four){i, j, k, l})
#endif

/* Four rows of four columns. */
static void transpose_four(uint32_t *out, int64_t out_row, const uint32_t *in, int64_t in_column)
{
    four a, b, c, d;
    memcpy(&a, in, sizeof a);
    memcpy(&b, in + in_column, sizeof b);
    memcpy(&c, in + 2 * in_column, sizeof c);
    memcpy(&d, in + 3 * in_column, sizeof d);
    const four ac = MIX(a, c, 0, 4, 1, 5), ac_high = MIX(a, c, 2, 6, 3, 7);
    const four bd = MIX(b, d, 0, 4, 1, 5), bd_high = MIX(b, d, 2, 6, 3, 7);
    const four rows[] = {MIX(ac, bd, 0, 4, 1, 5), MIX(ac, bd, 2, 6, 3, 7), MIX(ac_high, bd_high, 0, 4, 1, 5),
                         MIX(ac_high, bd_high, 2, 6, 3, 7)};
    for (int64_t r = 0; r < 4; r++) memcpy(out + r * out_row, &rows[r], sizeof rows[r]);
}

static void rows_of_4(char *out_bytes, const char *in_bytes, const sp__transpose *t, int64_t first, int64_t last)
{
    uint32_t *out = (void *)out_bytes;
    const uint32_t *in = (const void *)in_bytes;
    for (int64_t r0 = first; r0 < last; r0 += BLOCK) {
        const int64_t r1 = r0 + BLOCK < last ? r0 + BLOCK : last, whole = r0 + (r1 - r0) / 4 * 4;
        int64_t c = 0;
        for (; c + 4 <= t->columns; c += 4) {
            for (int64_t r = r0; r < whole; r += 4)
                transpose_four(out + r * t->out_row + c, t->out_row, in + c * t->in_column + r, t->in_column);
            for (int64_t r = whole; r < r1; r++)
                for (int64_t k = c; k < c + 4; k++) out[r * t->out_row + k] = in[k * t->in_column + r];
        }
        for (; c < t->columns; c++)
            for (int64_t r = r0; r < r1; r++) out[r * t->out_row + c] = in[c * t->in_column + r];
    }
}

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

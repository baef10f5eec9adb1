/* The loops that the kernels of each operation are made of, the tables that hold them, and how one is found. */
#ifndef SPUSK_CPU_H
#define SPUSK_CPU_H

#include "backends/backend.h"
#include "backends/cpu/common/elements.h"
#include "backends/cpu/common/tasks.h"
#include "backends/cpu/common/trace.h"
#include <spusk/extend/update.h>
#include <string.h>

/* out[i] = f(in0[i], …) for n elements; data[0] is out; strides in bytes; two params. */
typedef void sp__loop(char *const *data, const int64_t *strides, int64_t n, const double *params);

/* What a reduction knows of one output so far. */
typedef struct sp__cell {
    union {
        double f;
        int64_t i;
    } value;
    union {
        double f;      /* second passes: what was found in the first, mean or maximum; sums of f64: what they lost */
        int64_t index; /* argmax, argmin */
    } also;
} sp__cell;

/* sum + x; what its rounding lost is added to *rest (Knuth, The Art of Computer Programming, 4.2.2). */
static inline double sp__add_exactly(double sum, double x, double *rest)
{
    const double s = sum + x, back = s - sum;
    *rest += (sum - (s - back)) + (x - back);
    return s;
}

/* A block of a reduction: cell j takes element (i, j) for i in order. Strides in bytes. */
typedef struct sp__fold_block {
    const char *in;
    int64_t n_reduced, stride_reduced;
    int64_t n_kept, stride_kept;
    int64_t position; /* of the first reduced element, for argmax */
    double param;
} sp__fold_block;
typedef void sp__fold_run(sp__cell *cells, const sp__fold_block *block);

typedef enum sp__fold_kind {
    SP__FOLD_SUM,
    SP__FOLD_PROD,
    SP__FOLD_MAX,
    SP__FOLD_MIN,
    SP__FOLD_ANY,
    SP__FOLD_ALL,
    SP__FOLD_DEVIATION, /* Σ (x - also)² */
    SP__FOLD_EXP,       /* Σ e^(x - also) */
    SP__FOLD_ABS,
    SP__FOLD_SQUARE,
    SP__FOLD_POWER, /* Σ |x|^param */
    SP__FOLD_NONZERO,
    SP__FOLD_MAX_ABS,
    SP__FOLD_MIN_ABS,
    SP__FOLD_ARGMAX,
    SP__FOLD_ARGMIN,
    SP__FOLD_COUNT
} sp__fold_kind;

/* Rows [first, last) of outer × inner. */
typedef void sp__rows_run(const sp__rows *call, int64_t first, int64_t last);
typedef sp_status sp__gemm_run(const sp__gemm *call);
/* What is done of one head, counted through batch and heads, at a time. */
typedef enum sp__attention_kind {
    SP__ATTENTION_FORWARD,  /* queries [first, last) */
    SP__ATTENTION_BACKWARD, /* keys [first, last); what they add to dq goes to `sums`, or is all where that is NULL */
    SP__ATTENTION_SUM,      /* queries [first, last) of dq, from the n `sums` of the parts of keys */
    SP__ATTENTION_KINDS
} sp__attention_kind;
/* sums: (queries, sp__attention_padded(width)) numbers, f64 for f64, else f32. */
typedef struct sp__attention_part {
    int64_t head, first, last, n;
    void *sums;
} sp__attention_part;
typedef sp_status sp__attention_run(const sp__attention *call, const sp__attention_part *part);
/* Queries, and keys, that are computed together: what is summed over a block is a sum of its own. */
enum { SP__ATTENTION_BLOCK = 64 };
static inline int64_t sp__attention_padded(int64_t width)
{
    return (width + 15) / 16 * 16;
}
typedef sp_status sp__conv_run(const sp__conv *call);
/* The loops of convolution: conv/choose.c says which call runs by which. */
typedef enum sp__conv_loop {
    SP__CONV_WINOGRAD,
    SP__CONV_WINOGRAD_WEIGHT,
    SP__CONV_TILES,
    SP__CONV_TILES_WEIGHT,
    SP__CONV_TILES_EXPANDED,
    SP__CONV_DIRECT,
    SP__CONV_CHANNEL,
    SP__CONV_CHANNEL_WEIGHT,
    SP__CONV_PRODUCT,
    SP__CONV_BY_GROUP,
    SP__CONV_SPARSE,
    SP__CONV_EXPANDED,
    SP__CONV_WEIGHT,
    SP__CONV_TWO_PASSES,
    SP__CONV_REFERENCE,
    SP__CONV_LOOPS
} sp__conv_loop;
/* Planes [first, last) of batch × channels. In a fast table, of images whose channels lie side by side, with places of
 * a byte: rows [first, last) of batch × out_size[0], backward of batch × size[0]. */
typedef void sp__pool_run(const sp__pool *call, int64_t first, int64_t last);
typedef void sp__resample_run(const sp__resample *call, int64_t first, int64_t last);
/* The places [begin, end) of window i that lie inside the image, along one side; place 0 lies at `start`. */
typedef struct sp__reach {
    int64_t begin, end, start;
} sp__reach;
/* Divides at the borders alone. */
static inline sp__reach sp__pool_reach(const sp__pool *p, int d, int64_t i)
{
    const int64_t start = i * p->stride[d] - p->padding[d], step = p->dilation[d];
    const int64_t begin = start < 0 ? (step - 1 - start) / step : 0;
    const int64_t end = sp__pool_inside(p->kernel[d], p->size[d] - start, step);
    return (sp__reach){begin, end > begin ? end : begin, start};
}
/* Groups [first, last), forward or backward; or, with `last`, places [first, last) of dweight and dbias. */
typedef void sp__norm_run(const sp__norm *call, int64_t first, int64_t last);
typedef enum sp__norm_part { SP__NORM_FORWARD, SP__NORM_BACKWARD, SP__NORM_LAST, SP__NORM_PARTS } sp__norm_part;
/* Groups that lie side by side: n rows of them. Or n elements of one group. Numbers of the groups are f32, or f64 for f64.
 * Sums are added to. */
typedef struct sp__norm_block {
    const void *x, *g, *add, *out; /* as in sp__norm; add, out: NULL for none */
    void *y, *dadd;                /* y: what is written, forward and backward */
    int64_t n, groups;
    bool relu, given;
    bool few; /* a group has few elements: sums are of f64 alone */
    const void *mean, *scale, *bias, *shift, *slope;
} sp__norm_block;
/* Rows of n elements, each of them a group, with numbers for each place. */
typedef struct sp__norm_rows {
    const void *x, *g;
    void *y; /* backward: NULL for no dx */
    int64_t rows, n;
    const void *weight, *bias; /* f32, or f64 for f64 */
    double *mean, *var;        /* of each row; forward writes them */
    double *sums;              /* of each place Σg·x̂, then Σg; are added to; NULL: none */
    double eps;
} sp__norm_rows;
typedef void sp__norm_adds(const sp__norm_block *block, double *sums);
typedef void sp__norm_writes(const sp__norm_block *block);
typedef struct sp__norm_passes {
    sp__norm_adds *moments;    /* Σ(x - mean); then, groups further, Σ(x - mean)² */
    sp__norm_adds *products;   /* Σh; then, groups further, Σh·(x - mean) */
    sp__norm_writes *forward;  /* y = act((x - mean)·scale + bias + add) */
    sp__norm_writes *backward; /* y = scale·(h - shift - (x - mean)·slope), or scale·h when given */
} sp__norm_passes;
typedef struct sp__norm_loops {
    sp__norm_passes columns, runs;
    void (*rows_forward)(const sp__norm_rows *rows);
    void (*rows_backward)(const sp__norm_rows *rows);
} sp__norm_loops;
typedef sp_status sp__index_run(const sp__index *call);
typedef sp_status sp__nll_run(const sp__nll *call);
/* Elements [first, last). */
typedef void sp__fill_run(const sp__fill *call, int64_t first, int64_t last);
typedef void sp__update_run(const sp__update *call, int64_t first, int64_t last);

/* A rotation of rows `row` and `row` + 1; how many columns lie side by side in a block of rows that are rotated. */
typedef struct sp__rotation {
    int64_t row;
    double c, s;
} sp__rotation;
enum { SP__EIGH_COLUMNS = 64 };
/* The loops of the eigenproblem; what each does stands beside it in eigh/loops.inc.h. */
typedef struct sp__eigh_loops {
    double (*update)(double *row, const double *v, const double *w, double vi, double wi, const double *next,
                     int64_t n);
    void (*rotate)(double *block, const sp__rotation *rotations, int64_t n);
    void (*reflect)(double *y, const double *v, double beta, int64_t n);
} sp__eigh_loops;

/* The kernels for one dtype, the inputs' where they differ. A NULL row, or table, leaves the work to the reference; in
 * the reference it means that there is no such kernel. */
typedef struct sp__kernels {
    sp__loop *const *map;      /* by sp__map_kind; in a fast table, for elements that lie side by side or repeat */
    sp__loop *const *cast;     /* by the dtype of the output; the same */
    sp__fold_run *const *fold; /* by sp__fold_kind */
    sp__rows_run *const *rows; /* by sp__row_kind */
    sp__gemm_run *gemm;
    sp__attention_run *const *attention; /* by sp__attention_kind */
    sp__conv_run *const *conv;           /* by sp__conv_loop */
    sp__update_run *update;
    sp__fill_run *const *fill; /* by sp__fill_kind */
    const sp__eigh_loops *eigh;
    sp__pool_run *const *pool; /* by sp__pool_kind */
    sp__resample_run *resample;
    sp__index_run *const *index; /* by sp__index_kind */
    sp__nll_run *nll;
    sp__norm_run *const *norm;        /* by sp__norm_part */
    const sp__norm_loops *norm_loops; /* in fast tables only */
    double (*spin)(int64_t rounds);   /* multiply-adds in registers: returns the operations done; NULL: not measured */
} sp__kernels;

/* The kernels of one ISA level. */
typedef struct sp__level {
    const char *name;
    int64_t vector_bytes;
    /* Blocks from position on of a seed's stream of random words; NULL: one by one. */
    void (*philox)(uint64_t seed, uint64_t position, int64_t blocks, uint32_t *out);
    sp__kernels of[SP_DTYPE_COUNT];
} sp__level;

extern const sp__level sp__reference;
/* The level in use. */
const sp__level *sp__cpu_level(void);

/* A level's loop for a dtype, and its loop of a kind; NULL: it has none. */
#define SP__ROW_AT(level, dtype, row) ((level)->of[dtype].row)
#define SP__KIND_AT(level, dtype, rows, kind) ((level)->of[dtype].rows ? (level)->of[dtype].rows[kind] : NULL)
/* How each loop is found: the fast one of the level in use, else the reference's. */
#define SP__ROW(dtype, row)                                                                                            \
    (SP__ROW_AT(sp__cpu_level(), dtype, row) ? SP__ROW_AT(sp__cpu_level(), dtype, row)                                 \
                                             : SP__ROW_AT(&sp__reference, dtype, row))
#define SP__KIND(dtype, rows, kind)                                                                                    \
    (SP__KIND_AT(sp__cpu_level(), dtype, rows, kind) ? SP__KIND_AT(sp__cpu_level(), dtype, rows, kind)                 \
                                                     : SP__KIND_AT(&sp__reference, dtype, rows, kind))
/* For tests: changes the level to one that the machine has, "reference" among them; false when it has none so named.
 * NULL goes back to the choice made at start. */
bool sp__cpu_set_level(const char *name);

sp_status sp__cpu_map(const sp__map *call);
sp_status sp__cpu_reduce(const sp__reduce *call);
sp_status sp__cpu_rows(const sp__rows *call);
sp_status sp__cpu_nll(const sp__nll *call);
sp_status sp__cpu_gemm(const sp__gemm *call);
sp_status sp__cpu_attention(const sp__attention *call);
sp_status sp__cpu_conv(const sp__conv *call);
bool sp__cpu_conv_takes(const sp__conv *call);
sp_status sp__cpu_index(const sp__index *call);
sp_status sp__cpu_pool(const sp__pool *call);
sp_status sp__cpu_resample(const sp__resample *call);
sp_status sp__cpu_norm(const sp__norm *call);
bool sp__cpu_norm_takes(const sp__norm *call);
sp_status sp__cpu_fill(const sp__fill *call);
sp_status sp__cpu_update(const sp__update *calls, int64_t n);
sp_status sp__cpu_eigh(const sp__eigh *call);

/* Matrices whose rows lie side by side in `in` and whose columns lie side by side in `out`, one for each outer index:
 * out[r·out_row + c] = in[c·in_column + r]. Distances in elements. */
typedef struct sp__transpose {
    char *out;
    const char *in;
    int64_t item; /* bytes of an element: 1, 2, 4 or 8 */
    int64_t rows, columns, out_row, in_column;
    int n_outer;
    struct {
        int64_t size, out, in;
    } outer[SP_MAX_DIMS];
} sp__transpose;
void sp__cpu_transpose(const sp__transpose *call);

/* Raises the error of a kernel that is not there. */
sp_status sp__no_kernel(const char *name, sp_dtype dtype);

#endif

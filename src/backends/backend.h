/* What a device must be able to do: a table of kernels over buffers with offsets, sizes and strides (in elements).
 *
 * A kernel checks nothing that the operator in front of it has checked: shapes and dtypes fit, counts are not negative.
 * Sizes may be 0. Strides may be 0 (broadcast) in inputs and, for reductions, in outputs. A kernel that has no row for
 * a dtype returns SP_ERROR_DTYPE after raising; memory that it needs and does not get is SP_ERROR_MEMORY. */
#ifndef SPUSK_BACKEND_H
#define SPUSK_BACKEND_H

#include "base/base.h"
#include <spusk/dtype.h>

/* Where an operand lies. */
typedef struct sp__operand {
    void *buffer;
    int64_t offset; /* elements */
    sp_dtype dtype;
    int64_t strides[SP_MAX_DIMS]; /* one for each dimension of the call's sizes */
} sp__operand;

/* ---- map: element by element ---- */

/* SP__NEG, SP__EXP … : the kernels and what they take stand in map_kinds.h. */
typedef enum sp__map_kind {
#define SP__MAP(KIND, ...) SP__##KIND,
#include "backends/map_kinds.h"
#undef SP__MAP
    SP__MAP_COUNT
} sp__map_kind;

/* What the list says of each kind. */
typedef struct sp__map_about {
    const char *name;
    int inputs;
    bool gives_bool; /* whatever the inputs' dtype is; else the output has it */
} sp__map_about;
extern const sp__map_about sp__map_kinds[SP__MAP_COUNT];

/* out[i] = f(in0[i], in1[i], in2[i]). operands[0] is the output; it may be the very memory of an input with the same
 * strides, and not overlap one otherwise. */
typedef struct sp__map {
    sp__map_kind kind;
    int ndim;
    int64_t sizes[SP_MAX_DIMS];
    int n_operands; /* inputs + 1 */
    sp__operand operands[4];
    double params[2];
} sp__map;

/* ---- reductions ---- */

typedef enum sp__reduce_kind {
    SP__SUM, /* floats add in f64; out: input's dtype, or i64 for integers and bool */
    SP__MEAN,
    SP__PROD,
    SP__MAX, /* NaN wins */
    SP__MIN,
    SP__ANY, /* out bool */
    SP__ALL,
    SP__VAR,  /* param: correction; two passes */
    SP__STD,  /* its root */
    SP__NORM, /* param: p */
    SP__LOGSUMEXP,
    SP__ARGMAX, /* out i64: position along the one reduced dimension, or in row-major order of all; the first; NaN wins
                 */
    SP__ARGMIN,
    SP__REDUCE_COUNT
} sp__reduce_kind;

/* out = the reduction of in over the dimensions in which out's stride is 0 by `reduced`. Both have the input's sizes.
 */
typedef struct sp__reduce {
    sp__reduce_kind kind;
    int ndim;
    int64_t sizes[SP_MAX_DIMS];
    bool reduced[SP_MAX_DIMS];
    sp__operand out, in;
    double param;
} sp__reduce;

/* ---- along one dimension, in contiguous memory seen as (outer, n, inner) ---- */

typedef enum sp__row_kind {
    SP__SOFTMAX,
    SP__LOG_SOFTMAX,
    SP__SOFTMAX_BACKWARD,     /* in = grad, other = output: y·(g - Σ g·y) */
    SP__LOG_SOFTMAX_BACKWARD, /* in = grad, other = output: g - e^y·Σ g */
    SP__CUMSUM,
    SP__CUMSUM_REVERSE, /* from the last to the first */
    SP__ROW_COUNT
} sp__row_kind;

typedef struct sp__rows {
    sp__row_kind kind;
    int64_t outer, n, inner;
    sp__operand out, in, other; /* strides unused */
} sp__rows;

/* ---- negative log likelihood, in contiguous memory: x (batch, classes, inner), target (batch, inner) ---- */

/* Forward writes loss = -w[t]·x[t] of each target t; or, in one element, their sum; or that sum over the sum of w[t].
 * Backward reads loss as the gradient that came and writes x, all of it, as the gradient that goes. A target that is
 * ignore_index counts nowhere; one outside [0, classes) fails with SP_ERROR_ARGUMENT, naming it after `function`, and
 * what is written is then undefined. Sums are in f64. */
typedef struct sp__nll {
    const char *function;
    bool backward;
    bool each; /* loss has batch·inner elements */
    bool mean;
    int64_t batch, classes, inner, ignore_index;
    sp__operand x, loss, target, weight; /* strides unused; target i64 or u8; weight's buffer NULL: all 1 */
} sp__nll;

/* ---- products: c = act(alpha·a×b + beta·c + bias) for each batch ---- */

typedef struct sp__matrix {
    void *buffer;
    int64_t offset;
    int64_t row, column; /* strides in elements; any */
    int64_t batch;       /* stride from one batch to the next; 0 repeats */
} sp__matrix;

typedef struct sp__gemm {
    sp_dtype dtype; /* any; bf16 accumulates in f32, bool is refused */
    int64_t batches, m, n, k;
    sp__matrix a, b, c;
    double alpha, beta;      /* beta 0: c is not read */
    const sp__operand *bias; /* n elements with strides[0], added to each row; NULL: none */
    bool relu;               /* act is x < 0 ? 0 : x; else nothing */
} sp__gemm;

/* ---- attention: y = P·v, P = softmax(scale·q·kᵀ + mask) over the keys ---- */

/* q (batch, heads, queries, width), k (batch, heads, keys, width), v and y (batch, heads, keys or queries,
 * value_width), with any strides. A query all of whose keys are masked gives zeros. Forward writes y and `lse`, the
 * logarithm of each query's Σ e^score, infinity where there is no key. Backward reads them and g, the gradient of y,
 * and writes those of dq, dk and dv that are not NULL. With dropout each weight is 0 with that probability, else
 * divided by 1 - dropout: the weight of a query and a key draws what element query·sp__dropped_row(keys) + key of an f32
 * fill would, a query being counted through batch and heads. */
typedef struct sp__attention {
    bool backward, causal; /* causal: query i sees keys 0 to i */
    sp_dtype dtype;        /* f32, f64, or bf16, which computes in f32 */
    int64_t batch, heads, queries, keys, width, value_width;
    double scale, dropout;
    uint64_t seed, position;
    sp__operand q, k, v, y, g; /* four strides */
    sp__operand lse;           /* contiguous (batch, heads, queries), f64 for f64, else f32 */
    const sp__operand *mask;   /* (batch, heads, queries, keys), added; bool: true where a key is seen. NULL: none */
    const sp__operand *dq, *dk, *dv; /* four strides */
} sp__attention;
/* Elements from a query's dropped weights to the next one's, so that each row begins with a block of its own. */
static inline int64_t sp__dropped_row(int64_t keys)
{
    return (keys + 3) / 4 * 4;
}

/* ---- convolution of images ---- */

typedef enum sp__conv_kind { SP__CONV_FORWARD, SP__CONV_BACKWARD_DATA, SP__CONV_BACKWARD_WEIGHT } sp__conv_kind;

/* What may follow a convolution and be done with it: ReLU, then the maxima of windows that do not overlap. */
typedef struct sp__conv_tail {
    bool relu;
    int64_t pool[2];   /* the window and its stride, at most 16 places; 1, 1: no pooling */
    sp__operand y;     /* (batch, out, out_size/pool): forward writes it; backward reads y > 0, the ReLU's mask */
    sp__operand grad;  /* backward: the gradient of that y */
    sp__operand where; /* u8, with pooling: the maximum's place in its window, row by row; forward writes it */
} sp__conv_tail;

/* What backward-weight behind a tail may do in the same pass: write the gradient of x, by the weights. */
typedef struct sp__conv_data {
    sp__operand x, w;
} sp__conv_data;

/* x (batch, in, size), w (out, in/groups, kernel), y (batch, out, out_size), with any strides:
 *     y[n,o,p] = bias[o] + Σ_{i,t} x[n,i,p·stride - padding + t·dilation]·w[o,i,t]
 * Forward writes y. Backward-data reads y and w and writes x (and adds bias[in], where there is one: that makes it a
 * transposed convolution). Backward-weight reads x and y and writes w, and bias, as the sum of y over batch and places,
 * unless it is NULL. Padding is what stands before; what stands behind follows from out_size. */
typedef struct sp__conv {
    sp__conv_kind kind;
    sp_dtype dtype; /* f32, f64, or bf16, which accumulates in f32 */
    int64_t batch, groups, in, out;
    int64_t size[2], out_size[2], kernel[2], stride[2], padding[2], dilation[2];
    sp__operand x, w, y;       /* strides of four dimensions */
    const sp__operand *bias;   /* one stride; NULL: none */
    const sp__conv_tail *tail; /* NULL: none; else y is not used */
    const sp__conv_data *data; /* NULL: none; else a backward-weight with a tail does backward-data's work too */
} sp__conv;

/* ---- eigenvalues and eigenvectors of symmetric matrices, in contiguous memory ---- */

/* a (batches, n, n), of which one triangle is read; values (batches, n), ascending; vectors (batches, n, n), the
 * columns. f32 and f64; fails with SP_ERROR_ARGUMENT when an element is not finite. */
typedef struct sp__eigh {
    int64_t batches, n;
    bool upper;                     /* read the upper triangle, not the lower */
    sp__operand a, values, vectors; /* strides unused */
} sp__eigh;

/* ---- by index ---- */

typedef enum sp__index_kind {
    SP__GATHER,      /* out[i] = data[i with index[i] along dim]; sizes are index's and out's */
    SP__SCATTER_ADD, /* out[i with index[i] along dim] += data[i]; sizes are index's and data's; out holds x already */
    SP__INDEX_COUNT
} sp__index_kind;

/* index: i64 or i32. Fails with SP_ERROR_ARGUMENT, naming the value, when an index is outside [0, extent); out is then
 * undefined. Additions to one place happen in row-major order of index. */
typedef struct sp__index {
    sp__index_kind kind;
    int ndim, dim;
    int64_t sizes[SP_MAX_DIMS];
    int64_t extent; /* size of dim in what index points into */
    sp__operand out, data, index;
} sp__index;

/* ---- windows and places of images (batch, channels, size) ---- */

typedef enum sp__pool_kind {
    SP__POOL_MAX,          /* x, to y and where; NaN wins, a tie goes to the first; what is outside is no candidate */
    SP__POOL_MAX_BACKWARD, /* x = the sum of y over the windows whose maximum is there; all of x is written */
    SP__POOL_MAX_GATHER,   /* y = x at where */
    SP__POOL_MAX_INDICES,  /* y (i64) = row·width + column of where, in x */
    SP__POOL_AVG,          /* y = Σ x over the window / its divisor */
    SP__POOL_AVG_BACKWARD, /* x = Σ y/divisor over the windows that hold it; all of x is written */
    SP__POOL_KINDS
} sp__pool_kind;

/* One window of an average, along one side: [begin, end) of the image; count, its share of the divisor. */
typedef struct sp__span {
    int64_t begin, end, count;
} sp__span;

typedef struct sp__pool {
    sp__pool_kind kind;
    int64_t batch, channels, size[2], out_size[2];
    int64_t kernel[2], stride[2], padding[2], dilation[2]; /* of maxima: place (a, b) of window p lies in x at
                                                              p·stride - padding + (a, b)·dilation */
    sp__operand x, y, where;  /* four strides each; where: u8 or i32, a place among those of the window that are
                                 inside, the first of which is 0, a row further sp__pool_inside of the width */
    const sp__span *spans[2]; /* of averages: out_size[d] of them */
    double divisor;           /* 0: the product of the spans' counts */
} sp__pool;

/* The most places of a window that lie inside an image of this size, along one side. */
static inline int64_t sp__pool_inside(int64_t kernel, int64_t size, int64_t dilation)
{
    if ((kernel - 1) * dilation < size) return kernel;
    return size > 0 ? (size - 1) / dilation + 1 : 0;
}

/* Where one output row or column comes from: Σ weight[i]·x[index[i]]. */
typedef struct sp__tap {
    int64_t index[2];
    double weight[2];
} sp__tap;

/* y[n,c,p,q] = Σ_{a,b} taps[0][p].weight[a]·taps[1][q].weight[b]·x[n,c,taps[0][p].index[a],taps[1][q].index[b]], or,
 * backward, the transposed map from y to x, all of which is written. With n_taps 1 weights are not read. */
typedef struct sp__resample {
    bool backward;
    int n_taps; /* 1 or 2 */
    int64_t batch, channels, size[2], out_size[2];
    sp__operand x, y; /* four strides */
    const sp__tap *taps[2];
} sp__resample;

/* ---- normalisation ---- */

/* x has four dimensions; a group is what shares its index along dimension 1. With mean and var (biased) of each group,
 * forward computes them unless `given`, and
 *     y = (x - mean)/√(var + eps)·weight + bias
 * Backward reads y as the gradient g that came and writes, where they are not NULL, with n elements to a group,
 * x̂ = (x - mean)/√(var + eps) and h = g·weight,
 *     dx = (h - Σh/n - x̂·Σ(h·x̂)/n)/√(var + eps), or h/√(var + eps) when `given`;  dweight = Σ g·x̂;  dbias = Σ g
 * weight, bias and their gradients have an element for each group, or with `last` for each place of dimension 3;
 * then dimensions 0 and 2 have size 1. Sums are in f64, of sums of eight numbers.
 *
 * Something may follow and be done in the same pass, where norm_takes says so: forward adds `add` to y, in its dtype,
 * and with `relu` what is below 0 becomes 0. Backward counts g only where this let it through, and writes that as the
 * gradient of add, dadd; it is where `out`, forward's y, is not 0 or below, or, without `out`, where y would not be. */
typedef struct sp__norm {
    bool backward, given, last, relu;
    bool only_moments; /* forward: writes mean and var and nothing else */
    int64_t sizes[4];
    double eps;
    sp__operand x, y, mean, var; /* mean, var: strides[0]; any floating dtype, as weight and its kin */
    const sp__operand *weight, *bias, *dx, *dweight, *dbias;
    const sp__operand *add, *out, *dadd; /* in y's dtype; NULL: none */
} sp__norm;

/* ---- random numbers and sequences into contiguous memory ---- */

typedef enum sp__fill_kind {
    SP__FILL_VALUE,   /* a: value; integer: value_i64 exactly */
    SP__FILL_ARANGE,  /* a + i·b; integers exactly: start_i64 + i·step_i64 */
    SP__FILL_UNIFORM, /* [a, b) */
    SP__FILL_NORMAL,  /* mean a, deviation b */
    SP__FILL_INTEGER, /* [low, low + range), low = value_i64, range = step_i64: 64-bit multiply-shift, unbiased enough
                       */
    SP__FILL_BERNOULLI_SCALE, /* b with probability a, else 0 */
    SP__FILL_COUNT
} sp__fill_kind;

/* Element i of a random fill draws from block position + i/per of the seed's stream, per = 4 for f32 and bf16 uniform
 * and Bernoulli, else 2: sp__fill_blocks says how many blocks a fill takes. With 4 it draws word i % 4 of its block,
 * with 2 the words 2·(i % 2) and 2·(i % 2) + 1, the first the higher. */
typedef struct sp__fill {
    sp__fill_kind kind;
    sp__operand out; /* strides unused */
    int64_t n;
    double a, b;
    int64_t value_i64, step_i64;
    uint64_t seed, position;
} sp__fill;
uint64_t sp__fill_blocks(sp__fill_kind kind, sp_dtype dtype, int64_t n);
/* Elements to a block: 4 or 2. */
static inline uint64_t sp__fill_per_block(sp__fill_kind kind, sp_dtype dtype)
{
    const bool one_word = kind == SP__FILL_UNIFORM || kind == SP__FILL_BERNOULLI_SCALE;
    return one_word && (dtype == SP_F32 || dtype == SP_BF16) ? 4 : 2;
}

/* ---- optimisers ---- */

struct sp_update_numbers;
typedef struct sp__update {
    int rule; /* sp_update_rule */
    sp_dtype dtype;
    int64_t n;
    sp__operand parameter, grad, state[3]; /* contiguous in the same order; buffer NULL: none */
    const struct sp_update_numbers *numbers;
} sp__update;

/* ---- the table ---- */

typedef struct sp__backend {
    const char *name;
    /* Memory; alloc returns NULL without raising. */
    void *(*alloc)(size_t bytes);
    void (*free)(void *buffer, size_t bytes);
    /* Bytes between the host and a buffer; from a buffer to a buffer. */
    sp_status (*copy_in)(void *buffer, size_t offset, const void *from, size_t bytes);
    sp_status (*copy_out)(const void *buffer, size_t offset, void *to, size_t bytes);
    /* Waits until everything called so far is done. */
    sp_status (*wait)(void);
    /* The memory as a host pointer; NULL where the host cannot see it. */
    void *(*host)(void *buffer);

    sp_status (*map)(const sp__map *call);
    sp_status (*reduce)(const sp__reduce *call);
    sp_status (*rows)(const sp__rows *call);
    sp_status (*nll)(const sp__nll *call);
    sp_status (*gemm)(const sp__gemm *call);
    sp_status (*attention)(const sp__attention *call);
    /* Any call without a tail; of those with one only such as conv_takes says are done well here. */
    sp_status (*conv)(const sp__conv *call);
    bool (*conv_takes)(const sp__conv *call);
    sp_status (*index)(const sp__index *call);
    sp_status (*pool)(const sp__pool *call);
    sp_status (*resample)(const sp__resample *call);
    sp_status (*norm)(const sp__norm *call);
    bool (*norm_takes)(const sp__norm *call); /* whether what may follow is done in the same pass */
    sp_status (*fill)(const sp__fill *call);
    sp_status (*update)(const sp__update *calls, int64_t n); /* calls of one dtype, each of at least one element */
    sp_status (*eigh)(const sp__eigh *call);
} sp__backend;

/* The table of a device; NULL and an error for a device that is not there. */
const sp__backend *sp__backend_of(sp_device device);
extern const sp__backend sp__cpu_backend;

#endif

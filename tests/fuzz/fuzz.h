/* The differential fuzzer of tests/test_fuzz_operators.c.
 *
 * A subject is an operator, a family of its options, or a chain of modules. It draws a case: inputs (dtype, shape,
 * values, layout) and options. fuzz_check runs the case at every ISA level, with several threads, with its inputs in
 * other layouts, with and without fusion, and compares.
 *
 *     draw.c     random numbers, sizes, dtypes; inputs and the tensors that they describe
 *     run.c      one run of a case, forward and backward, and what came out
 *     compare.c  bit for bit, or within rounding
 *     check.c    the runs of a case, and what each must equal
 *     samples.c  the subject of every operator: the samples of its record
 *     the rest   subjects with options of their own: tables of {name, draw, call}
 *
 * A case is named by its seed, its subject and its round, so an operator more changes no other operator's cases. */
#ifndef SPUSK_TESTS_FUZZ_H
#define SPUSK_TESTS_FUZZ_H

#include "ops/ops.h"
#include <spusk/spusk.h>

enum { FUZZ_INPUTS = 5, FUZZ_WHOLES = 16, FUZZ_REALS = 4, FUZZ_RESULTS = 32, FUZZ_WHY = 400 };

/* ---- random numbers: splitmix64 ---- */

typedef struct fuzz_random {
    uint64_t state;
} fuzz_random;
uint64_t fuzz_word(fuzz_random *r);
/* In [low, high], both included. */
int64_t fuzz_between(fuzz_random *r, int64_t low, int64_t high);
double fuzz_real(fuzz_random *r, double low, double high);
bool fuzz_chance(fuzz_random *r, int percent);
/* One of a list. */
#define fuzz_one_of(r, ...)                                                                                            \
    (((const int64_t[]){                                                                                               \
        __VA_ARGS__})[fuzz_between(r, 0, (int64_t)(sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t)) - 1)])

/* ---- cases ---- */

typedef struct fuzz_input {
    sp_dtype dtype;
    int ndim;
    int64_t sizes[SP_MAX_DIMS];
    double low, high; /* values lie between; integers below high */
    uint64_t seed;    /* of the values */
    uint64_t layout;  /* of the order, gaps and repetitions in memory; 0: contiguous */
    bool special;     /* infinities, NaN, -0, subnormal and huge numbers among the values */
    bool modest;      /* nothing huge among them */
    bool constant;    /* not differentiated */
} fuzz_input;

typedef struct fuzz_subject fuzz_subject;

typedef struct fuzz_case {
    const fuzz_subject *subject;
    const sp_sample *sample; /* of subjects that are the samples of a record */
    uint64_t seed;           /* of what the run itself draws: dropout, weights */
    int n;
    fuzz_input in[FUZZ_INPUTS];
    int64_t whole[FUZZ_WHOLES]; /* options, as the subject numbers them */
    double real[FUZZ_REALS];
    bool no_grad;
    int level, threads; /* the level at which threads, layouts and fusion are tried; how many threads */
} fuzz_case;

/* What a subject is not called with, and what its results may differ in. */
enum {
    FUZZ_FINITE = 1,        /* not with special numbers: where padding meets them, or products leave the range */
    FUZZ_MODEST = 2,        /* not with numbers so large that what lies between overflows */
    FUZZ_LAYOUT_ROUNDS = 4, /* adds up in an order that follows from the strides */
    FUZZ_CANCELS = 8,       /* gives differences of numbers as large as the inputs, or its other results */
    FUZZ_JUMPS = 16,        /* gradients jump where a value within is rounded: levels and layouts give others */
    FUZZ_LONG = 32,         /* rounds at many places, one behind the other */
    FUZZ_EXACT = 64,        /* the value is the reference's, bit for bit, at every level: nothing is rounded */
    FUZZ_OWN_SHAPES = 128,  /* its samples go with their own shapes alone */
    FUZZ_NO_GRADIENT = 256, /* the gradient is not determined where numbers are equal, as those that repeat are */
    FUZZ_SUMS_ROUND = 512,  /* FUZZ_LAYOUT_ROUNDS of the gradients alone */
    FUZZ_PRODUCTS = 1024    /* adds up products of the inputs, which may cancel */
};

struct fuzz_subject {
    const char *name;
    const sp_op *op; /* whose samples or options these are */
    /* Draws inputs and options; `attempt` counts how often the operator has refused what was drawn. */
    void (*draw)(fuzz_case *c, fuzz_random *r, int attempt);
    /* Adds to `leaves` what shall be differentiated beside the inputs. */
    sp_tensor *(*call)(const fuzz_case *c, sp_tensor *const *in, sp_list *leaves);
    unsigned flags;
};

/* The tables of subjects; each ends with a subject without a name. */
extern const fuzz_subject fuzz_pointwise[], fuzz_reductions[], fuzz_products[], fuzz_indexing[], fuzz_losses[],
    fuzz_convolutions[], fuzz_images[], fuzz_updates[], fuzz_chains[];
/* What is true of all subjects of an operator: flags.c has the table. */
unsigned fuzz_flags_of(const sp_op *op);
/* The subject of an operator: its record's samples. */
fuzz_subject fuzz_samples_of(const sp_op *op);

/* Draws case `round` of a subject. */
fuzz_case fuzz_draw(const fuzz_subject *subject, uint64_t seed, int64_t round, int attempt);
/* The case in words, for messages; a static buffer. */
const char *fuzz_text(const fuzz_case *c);

/* ---- drawing ---- */

/* Mostly small, often 1 or a prime, sometimes at the edge of a vector; at most `most`. */
int64_t fuzz_size(fuzz_random *r, int64_t most);
/* A shape of so many dimensions, within a number of elements. */
void fuzz_sizes(fuzz_random *r, int ndim, int64_t budget, int64_t *sizes);
/* The same of some number of dimensions, which is returned: 0 to 7 of them, sizes of 0, one large flat size. */
int fuzz_shape(fuzz_random *r, int64_t *sizes);
sp_dtype fuzz_float(fuzz_random *r);
sp_dtype fuzz_any_dtype(fuzz_random *r);
/* One more input with values in [-2, 2], in some layout. */
fuzz_input *fuzz_add(fuzz_case *c, fuzz_random *r, sp_dtype dtype, sp_dims dims);
/* The same of indices below `extent`. */
fuzz_input *fuzz_add_index(fuzz_case *c, fuzz_random *r, int64_t extent, sp_dims dims);
int64_t fuzz_numel(const fuzz_input *in);

/* The input as a tensor in the open scope, in its layout or contiguous; no kernel has a part in it. */
sp_tensor *fuzz_tensor(const fuzz_input *in, bool contiguous);

/* ---- running ---- */

typedef struct fuzz_array {
    sp_dtype dtype; /* SP_DTYPE_DEFAULT: there is none */
    int ndim;
    int64_t sizes[SP_MAX_DIMS];
    int64_t n;
    void *data;
} fuzz_array;

/* The value, then the gradients. */
typedef struct fuzz_outcome {
    int n; /* 0: refused */
    fuzz_array arrays[FUZZ_RESULTS];
} fuzz_outcome;

typedef struct fuzz_how {
    const char *level;
    int threads;
    bool fused;
} fuzz_how;

fuzz_outcome fuzz_run(const fuzz_case *c, sp_tensor *const *in, fuzz_how how);
void fuzz_outcome_free(fuzz_outcome *outcome);

/* Whether two outcomes are the same bit for bit (one NaN is as good as another); forward alone: without gradients.
 * Else `why` says what differs. */
bool fuzz_same_bits(const fuzz_outcome *a, const fuzz_outcome *b, bool forward_alone, char why[FUZZ_WHY]);
/* Whether they are the same within the rounding of sums of so many terms, beside the largest number of each array, or
 * `beside` if that is larger. */
bool fuzz_close(const fuzz_outcome *right, const fuzz_outcome *x, double terms, double beside, char why[FUZZ_WHY]);
/* The largest finite magnitude. */
double fuzz_scale(const fuzz_array *a);

typedef enum fuzz_verdict { FUZZ_PASSED, FUZZ_REFUSED, FUZZ_FAILED } fuzz_verdict;
/* Runs and compares a case; on failure `why` says which run differed, and in what. */
fuzz_verdict fuzz_check(const fuzz_case *c, char why[FUZZ_WHY]);

#endif

/* The cases that every operator is tried with, made from the samples of its record: dtypes, values, shapes. Their
 * inputs come from a small generator that tools/fixtures_operators.py has too, so that only PyTorch's answers are
 * stored. */
#ifndef SPUSK_TESTS_CASES_H
#define SPUSK_TESTS_CASES_H

#include "ops/ops.h"
#include <stdio.h>

enum { CASE_MAX_INPUTS = 5 };

typedef enum case_kind {
    CASE_PLAIN,   /* a sample in one dtype */
    CASE_BIG,     /* i64 with 2^53 + 1, which no double holds */
    CASE_SPECIAL, /* floating point with zeros, infinities, NaN, ties; the gradient is compared, too */
    CASE_MIXED,   /* one input in another dtype than the rest */
    CASE_SHAPE,   /* one input in another shape, which usually must be refused */
} case_kind;

typedef enum case_values { VALUES_DOMAIN = 'd', VALUES_BIG = 'b', VALUES_SPECIAL = 's' } case_values;

typedef struct case_input {
    sp_dtype dtype;
    int ndim;
    int64_t sizes[SP_MAX_DIMS + 1];
    double low, high;
    uint32_t seed;
    case_values values;
    bool grad; /* to be differentiated */
} case_input;

typedef struct test_case {
    const sp_op *op;
    int sample; /* its place among the operator's samples */
    case_kind kind;
    int n;
    case_input inputs[CASE_MAX_INPUTS];
} test_case;

/* All cases of an operator, in the order of its fixture; free() gives them back. */
test_case *cases_of(const sp_op *op, int *n);
const sp_sample *case_sample(const test_case *c);
/* "exp, sample 2, special, float32 [3, 4]": for messages. */
const char *case_text(const test_case *c);
/* The line that the Python script reads. */
int case_line(const test_case *c, char *buffer, size_t size);
/* Prints the lines of all operators. */
void cases_dump(FILE *file);

/* How the same values lie in memory. */
typedef enum layout {
    LAYOUT_CONTIGUOUS,
    LAYOUT_TRANSPOSED,
    LAYOUT_SLICED,   /* every second element of something larger */
    LAYOUT_IMAGE,    /* three or four dimensions: the third from the end innermost; others as they are */
    LAYOUT_EXPANDED, /* not the same values: the first slice of dimension 0, repeated without a copy */
    LAYOUT_COUNT
} layout;

/* The inputs of a case, in the open scope; false after an error. */
bool case_inputs(const test_case *c, layout how, sp_tensor **out);
/* One input with another layout. */
sp_tensor *laid_out(sp_tensor *x, layout how);

#endif

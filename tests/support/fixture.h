/* What PyTorch answered to an operator's cases: tests/fixtures/operators/NAME.bin, written by
 * tools/fixtures_operators.py. Little-endian:
 *
 *     "SPFX", u32 fingerprint of the cases' lines, u32 number of cases
 *     for each case: u8 number of tensors: 0 when PyTorch refuses, else the value and, in special cases, the gradients
 *         for each tensor: u8 dtype (0: no gradient), u8 dimensions, u32 sizes …, elements in row-major order */
#ifndef SPUSK_TESTS_FIXTURE_H
#define SPUSK_TESTS_FIXTURE_H

#include "support/cases.h"

typedef struct fixture_tensor {
    sp_dtype dtype; /* SP_DTYPE_DEFAULT: none */
    int ndim;
    int64_t sizes[SP_MAX_DIMS];
    const unsigned char *data;
} fixture_tensor;

typedef struct fixture_record {
    int n; /* 0: refused */
    fixture_tensor tensors[1 + CASE_MAX_INPUTS];
} fixture_record;

typedef struct fixture {
    int n;
    fixture_record *records; /* one for each case */
    unsigned char *file;
} fixture;

/* Reads an operator's fixture; fails the test when there is none, or it was made from other cases. */
fixture fixture_open(const sp_op *op, const test_case *cases, int n);
void fixture_close(fixture *f);

/* Tolerances of a comparison in units of the dtype's rounding; integers and bool must be equal. */
typedef struct tolerance {
    double relative, absolute;
} tolerance;
tolerance tolerance_of(sp_dtype dtype);

/* Whether x has the fixture's dtype, shape and values; else `why` says what differs. */
bool fixture_matches(const fixture_tensor *expected, sp_tensor *x, tolerance allowed, char *why, size_t size);
/* The same of two tensors. */
bool tensors_match(sp_tensor *expected, sp_tensor *x, tolerance allowed, char *why, size_t size);

#endif

/* The loop over all operators: what the programs that try them share. */
#ifndef SPUSK_TESTS_LOOP_H
#define SPUSK_TESTS_LOOP_H

#include "support/fixture.h"
#include "support/support.h"

/* What happened to the cases of one operator. */
typedef struct tally {
    int run, failed;
} tally;

/* A case failed: the first few are printed, in words. */
void complain(tally *t, const test_case *c, const char *format, ...) SP_PRINTF(3, 4);
/* Fails the test when a case failed, or when there was none; adds to a total that the program prints. */
void conclude(const tally *t, int *total);

typedef void case_function(tally *t, const test_case *c, const fixture_record *record);
/* Runs a function, in a scope, on the operator's cases of these kinds (bits) with their records. */
void for_cases(const sp_op *op, tally *t, unsigned kinds, case_function *function);
/* The same with the kernels of each ISA level that this machine has, the reference's among them. */
void for_levels(const sp_op *op, tally *t, unsigned kinds, case_function *function);

/* How we differ from PyTorch on purpose. */
typedef enum difference {
    ACCEPTS,  /* what PyTorch refuses */
    REFUSES,  /* what PyTorch accepts */
    DIFFERS,  /* in the value */
    GRADIENT, /* differs, at special points */
} difference;
/* Whether the table of exceptions in loop.c excuses a case. */
bool is_exception(const test_case *c, difference what);
/* An exception that excused nothing so far, in words; NULL: there is none. */
const char *unused_exception(void);
/* A view can be of some layouts only: PyTorch, too, refuses the others. To be asked after an error. */
bool is_impossible_view(const test_case *c, layout how);

bool has_dtype(const test_case *c, sp_dtype dtype);
/* The inputs of a case; fails the test when they cannot be made. */
void make_inputs(const test_case *c, layout how, sp_tensor **out);
/* Marks the inputs to differentiate; returns them as a list. */
sp_list *leaves(const test_case *c, sp_tensor *const *in);

/* One kind of test, made for each operator: "add: values". */
typedef struct aspect {
    const char *name;
    CMUnitTestFunction function; /* *state is the operator */
    bool gradients;              /* only for operators that have one */
} aspect;
/* Runs the aspects on all operators, or on those named by the arguments, and `last` at the end of all. */
int run_loop(int argc, char **argv, const aspect *aspects, int n, CMUnitTestFunction last);

#endif

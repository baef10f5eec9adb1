/* What the tables of subjects share. */
#ifndef SPUSK_TESTS_FUZZ_CALL_H
#define SPUSK_TESTS_FUZZ_CALL_H

#include "fuzz/fuzz.h"

/* A subject's call in one line, of the case c and its inputs in[]. */
#define CALL(name, ...)                                                                                                \
    static sp_tensor *name(const fuzz_case *c, sp_tensor *const *in, sp_list *leaves)                                  \
    {                                                                                                                  \
        (void)c, (void)in, (void)leaves;                                                                               \
        return __VA_ARGS__;                                                                                            \
    }

#endif

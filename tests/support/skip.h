/* skip_because("no network"): skips the single test that calls it and says why. cmocka's skip() knows no reasons, so
 * the reason goes ahead of it, for tools/run_tests.sh to read. Include cmocka.h first. */
#ifndef SPUSK_TESTS_SKIP_H
#define SPUSK_TESTS_SKIP_H

#include <stdio.h>

#define skip_because(reason)                                                                                           \
    do {                                                                                                               \
        printf("# skip: %s\n", reason);                                                                                \
        fflush(stdout);                                                                                                \
        skip();                                                                                                        \
    } while (0)

#endif

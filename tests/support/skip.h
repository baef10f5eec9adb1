/* skip_because("no %s here", "png") ends a cmocka test as skipped and says why, as tools/run_tests.sh reads it. */
#ifndef SPUSK_TESTS_SKIP_H
#define SPUSK_TESTS_SKIP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define skip_because(...) (printf("# skip: "), printf(__VA_ARGS__), printf("\n"), fflush(stdout), skip())

#endif

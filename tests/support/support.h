/* What all tests stand on: each starts with no error pending and ends with nothing left.
 *
 *     static void test_adds(void **state) { … assert_no_error(); }
 *     int main(void) { const struct CMUnitTest tests[] = {sp_test(test_adds)}; return sp_test_main(tests); }
 *
 * sp_test's setup catches error reports, so that standard error stays clean; its teardown fails the test when an error
 * is pending, or when a block is live after sp_finish(). */
#ifndef SPUSK_TESTS_SUPPORT_H
#define SPUSK_TESTS_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/skip.h"
#include <spusk/extend/errors.h>
#include <spusk/extend/memory.h>
#include <spusk/extend/object.h>
#include <spusk/extend/text.h>
#include <spusk/memory.h>
#include <spusk/scope.h>
#include <spusk/status.h>
#include <stdbool.h>

#define sp_test(function) cmocka_unit_test_setup_teardown(function, support_setup, support_teardown)
#define sp_test_main(tests)                                                                                            \
    (cmocka_set_message_output(CM_OUTPUT_TAP), cmocka_run_group_tests_name(__FILE__, tests, NULL, NULL))
int support_setup(void **state);
int support_teardown(void **state);

/* ---- errors ---- */

/* The pending error is this one, was reported once, and its message contains the words; clears it. */
#define assert_error(status, words) support_assert_error(status, words, __FILE__, __LINE__)
void support_assert_error(sp_status status, const char *words, const char *file, int line);
/* The call returns NULL, and assert_error holds. */
#define assert_refuses(status, words, call) (assert_null(call), assert_error(status, words))
/* No error is pending. */
#define assert_no_error() support_assert_no_error(__FILE__, __LINE__)
void support_assert_no_error(const char *file, int line);
/* How many errors were reported to the handler since the test began, on all threads. */
int support_reports(void);
/* How many warnings were. */
int support_warnings(void);

/* ---- allocations ---- */

/* Makes every allocation come from here, each buffer its own, checked for the size it is given back with. Nothing may
 * be live. The teardown undoes it. */
void support_watch_allocations(void);
/* Under watch: the n-th allocation from now on fails, once; 0: none. */
void support_fail_allocation(int64_t n);
/* Under watch: allocations tried so far, and how many blocks are out. */
int64_t support_allocations(void);
int64_t support_outstanding(void);
/* Runs body(context), which returns whether all went well, with its first allocation failing, then its second, and so
 * on until none failed. Each failed run must leave SP_ERROR_MEMORY pending; each run must leave nothing after
 * sp_finish(). Returns how many allocations were failed in turn, at least one. */
int64_t support_fail_each_allocation(bool (*body)(void *context), void *context);

/* ---- files ---- */

/* A folder of the test's own, removed with all in it at the test's end. */
const char *support_folder(void);
/* "FOLDER/name", in a static buffer, good until the fourth call after. */
const char *support_path(const char *name);

/* ---- numbers ---- */

#define assert_close(a, b, tolerance) support_assert_close(a, b, tolerance, __FILE__, __LINE__)
void support_assert_close(double a, double b, double tolerance, const char *file, int line);

#endif

/* Errors: the first cause of each thread, its report, its message. */
#include "support/support.h"
#include <pthread.h>
#include <string.h>

static void test_first_cause_stays(void **state)
{
    (void)state;
    assert_int_equal(sp_error_status(), SP_OK);
    assert_int_equal(sp_raise(SP_ERROR_SHAPE, "sp_add: %d against %d", 2, 3), SP_ERROR_SHAPE);
    assert_int_equal(sp_raise(SP_ERROR_IO, "a later one"), SP_ERROR_IO);
    assert_int_equal(sp_error_status(), SP_ERROR_SHAPE);
    assert_string_equal(sp_error_message(), "sp_add: 2 against 3");
    assert_int_equal(support_reports(), 1);
    assert_int_equal(sp_error_clear(), SP_ERROR_SHAPE);
    assert_int_equal(sp_error_clear(), SP_OK);
    assert_string_equal(sp_error_message(), "sp_add: 2 against 3");
}

static void test_null_is_a_cause_when_none_is_pending(void **state)
{
    (void)state;
    assert_int_equal(sp_raise_null("sp_add", "a"), SP_ERROR_NULL);
    assert_string_equal(sp_error_message(), "sp_add: argument 'a' is NULL, though no error is pending");
    assert_error(SP_ERROR_NULL, "argument 'a'");
    sp_raise(SP_ERROR_DTYPE, "the cause");
    assert_int_equal(sp_raise_null("sp_add", "a"), SP_ERROR_DTYPE);
    assert_error(SP_ERROR_DTYPE, "the cause");
}

static void test_context_comes_first(void **state)
{
    (void)state;
    sp_error_context("nothing is pending");
    assert_int_equal(sp_error_status(), SP_OK);
    sp_raise(SP_ERROR_SHAPE, "shapes");
    sp_error_context("in %s: ", "fc1");
    sp_error_context("in net, ");
    assert_string_equal(sp_error_message(), "in net, in fc1: shapes");
    sp_error_clear();
}

static void test_frames_name_the_place(void **state)
{
    (void)state;
    sp_error_frame net, encode, linear, bare;
    sp_error_enter(&net, "", "Autoencoder");
    sp_raise(SP_ERROR_SHAPE, "one");
    assert_string_equal(sp_error_message(), "in Autoencoder: one");
    sp_error_clear();
    sp_error_enter(&encode, "encode", "Sequential");
    sp_error_enter(&linear, "0", "Linear");
    sp_raise(SP_ERROR_SHAPE, "two");
    assert_string_equal(sp_error_message(), "in encode.0 (Linear): two");
    sp_error_clear();
    sp_error_leave(&linear);
    sp_error_leave(&encode);
    sp_error_leave(&net);
    sp_error_enter(&bare, NULL, NULL);
    sp_raise(SP_ERROR_SHAPE, "three");
    assert_string_equal(sp_error_message(), "three");
    sp_error_clear();
    sp_error_leave(&bare);
    sp_raise(SP_ERROR_SHAPE, "four");
    assert_string_equal(sp_error_message(), "four");
    sp_error_clear();
}

static void test_long_messages_are_cut(void **state)
{
    (void)state;
    char text[5000];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = 0;
    sp_raise(SP_ERROR_IO, "%s", text);
    assert_int_equal(strlen(sp_error_message()), 1023);
    sp_error_context("%s", text);
    sp_error_context("a %s", "b");
    assert_int_equal(strlen(sp_error_message()), 1023);
    assert_int_equal(strncmp(sp_error_message(), "a bxx", 5), 0);
    sp_error_clear();
}

static void count_report(sp_status status, const char *message, void *user)
{
    *(int *)user += status == SP_ERROR_FORMAT && strcmp(message, "bad") == 0;
}

static void test_handler_is_settable(void **state)
{
    (void)state;
    int seen = 0;
    sp_set_error_handler(count_report, &seen);
    sp_raise(SP_ERROR_FORMAT, "bad");
    sp_error_clear();
    assert_int_equal(seen, 1);
    sp_set_error_handler(NULL, NULL);
    sp_raise(SP_ERROR_FORMAT, "bad");
    assert_int_equal(sp_error_clear(), SP_ERROR_FORMAT);
    assert_int_equal(seen, 1);
}

static void test_quiet_keeps_the_cause(void **state)
{
    (void)state;
    assert_false(sp_error_quiet(true));
    sp_raise(SP_ERROR_IO, "a mirror is down");
    assert_int_equal(support_reports(), 0);
    assert_true(sp_error_quiet(false));
    assert_int_equal(sp_error_clear(), SP_ERROR_IO);
    assert_string_equal(sp_error_message(), "a mirror is down");
}

static void *raise_on_thread(void *status)
{
    if (sp_error_status() || *sp_error_message()) return NULL;
    sp_raise(*(sp_status *)status, "thread %d", (int)*(sp_status *)status);
    char expected[32];
    snprintf(expected, sizeof expected, "thread %d", (int)*(sp_status *)status);
    bool good = sp_error_status() == *(sp_status *)status && !strcmp(sp_error_message(), expected);
    return good ? status : NULL;
}

static void test_each_thread_has_its_own(void **state)
{
    (void)state;
    sp_status statuses[4] = {SP_ERROR_SHAPE, SP_ERROR_DTYPE, SP_ERROR_IO, SP_ERROR_STATE};
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) assert_int_equal(pthread_create(&threads[i], NULL, raise_on_thread, &statuses[i]), 0);
    for (int i = 0; i < 4; i++) {
        void *result;
        pthread_join(threads[i], &result);
        assert_ptr_equal(result, &statuses[i]);
    }
    assert_int_equal(support_reports(), 4);
    assert_no_error();
}

static void test_every_status_has_a_name(void **state)
{
    (void)state;
    assert_string_equal(sp_status_name(SP_ERROR_MEMORY), "out of memory");
    for (int i = SP_OK; i <= SP_ERROR_INTERRUPTED; i++) {
        assert_string_not_equal(sp_status_name((sp_status)i), "unknown status");
        for (int j = SP_OK; j < i; j++) {
            assert_string_not_equal(sp_status_name((sp_status)i), sp_status_name((sp_status)j));
        }
    }
    assert_string_equal(sp_status_name((sp_status)99), "unknown status");
    assert_string_equal(sp_status_name((sp_status)-1), "unknown status");
    int major, minor, patch;
    assert_int_equal(sscanf(sp_version(), "%d.%d.%d", &major, &minor, &patch), 3);
}

static void test_finish_tells_of_an_unread_error(void **state)
{
    (void)state;
    assert_int_equal(sp_finish(), 0);
    sp_raise(SP_ERROR_IO, "unread");
    assert_int_equal(sp_finish(), 1);
    assert_int_equal(sp_finish(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_first_cause_stays),       sp_test(test_null_is_a_cause_when_none_is_pending),
        sp_test(test_context_comes_first),     sp_test(test_frames_name_the_place),
        sp_test(test_long_messages_are_cut),   sp_test(test_handler_is_settable),
        sp_test(test_quiet_keeps_the_cause),   sp_test(test_each_thread_has_its_own),
        sp_test(test_every_status_has_a_name), sp_test(test_finish_tells_of_an_unread_error),
    };
    return sp_test_main(tests);
}

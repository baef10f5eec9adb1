/* The team of threads. */
#include "base/base.h"
#include "support/support.h"
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 5000 };

typedef struct tally {
    int runs[MOST]; /* of each item; not atomic: each is for one thread */
    int64_t inner[MOST];
} tally;

static void count(void *context, int64_t i)
{
    ((tally *)context)->runs[i]++;
}

static void run_and_check(tally *t, int64_t n, void (*body)(void *, int64_t))
{
    memset(t, 0, sizeof *t);
    sp__parallel(n, body, t);
    for (int64_t i = 0; i < MOST; i++) assert_int_equal(t->runs[i], i < n);
}

static void test_each_item_runs_once(void **state)
{
    (void)state;
    static tally t;
    static const int threads[] = {1, 2, 3, 8};
    static const int64_t items[] = {0, 1, 2, 3, 7, 64, 100, 1001, MOST};
    for (int k = 0; k < 4; k++) {
        assert_int_equal(sp_set_num_threads(threads[k]), SP_OK);
        assert_int_equal(sp_num_threads(), threads[k]);
        for (int i = 0; i < 9; i++) run_and_check(&t, items[i], count);
        for (int i = 0; i < 300; i++) run_and_check(&t, 5, count);
    }
    run_and_check(&t, -3, count);
}

static void note_order(void *context, int64_t i)
{
    int64_t *next = context;
    next[i + 1] = (*next)++;
}

/* Each item once; one thread does them from the last to the first. */
static void test_backwards(void **state)
{
    (void)state;
    static tally t;
    static const int64_t items[] = {0, 1, 2, 7, 64, 100, 1001, MOST};
    for (int threads = 1; threads <= 5; threads++) {
        assert_int_equal(sp_set_num_threads(threads), SP_OK);
        for (int i = 0; i < 8; i++) {
            memset(&t, 0, sizeof t);
            sp__parallel_backwards(items[i], count, &t);
            for (int64_t k = 0; k < MOST; k++) assert_int_equal(t.runs[k], k < items[i]);
        }
    }
    int64_t order[11] = {0};
    assert_int_equal(sp_set_num_threads(1), SP_OK);
    sp__parallel_backwards(10, note_order, order);
    for (int64_t i = 0; i < 10; i++) assert_int_equal(order[i + 1], 9 - i);
}

static void count_nested(void *context, int64_t i)
{
    static tally inner[16];
    tally *t = context;
    sp__parallel(10, count, &inner[i]);
    t->runs[i]++;
    for (int k = 0; k < 10; k++) t->inner[i] += inner[i].runs[k];
}

static void test_a_nested_call_runs_in_place(void **state)
{
    (void)state;
    static tally t;
    sp_set_num_threads(3);
    run_and_check(&t, 16, count_nested);
    for (int i = 0; i < 16; i++) assert_int_equal(t.inner[i], 10);
}

/* Two items that each wait for the other: only two threads can finish them. */
static void meet(void *context, int64_t i)
{
    atomic_bool *here = context;
    here[i] = true;
    while (!here[1 - i]) usleep(10);
}

static void test_items_run_side_by_side(void **state)
{
    (void)state;
    sp_set_num_threads(2);
    for (int round = 0; round < 50; round++) {
        atomic_bool here[2] = {false, false};
        sp__parallel(2, meet, here);
        if (round % 10 == 0) usleep(2000); /* lets the worker fall asleep */
    }
}

static void *user_thread(void *unused)
{
    (void)unused;
    tally *t = malloc(sizeof *t);
    void *good = t;
    for (int round = 0; round < 200; round++) {
        memset(t, 0, sizeof *t);
        sp__parallel(50 + round, count, t);
        for (int i = 0; i < 50 + round; i++) {
            if (t->runs[i] != 1) good = NULL;
        }
    }
    free(t);
    return good;
}

static void test_several_threads_call_at_once(void **state)
{
    (void)state;
    sp_set_num_threads(3);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, user_thread, NULL);
    for (int i = 0; i < 4; i++) {
        void *good;
        pthread_join(threads[i], &good);
        assert_non_null(good);
    }
}

static void slow(void *context, int64_t i)
{
    usleep(i ? 100 : 20000);
    count(context, i);
}

/* The caller is done long before the last item and must wait, asleep by then. */
static void test_the_caller_waits_for_slow_items(void **state)
{
    (void)state;
    static tally t;
    sp_set_num_threads(4);
    for (int i = 0; i < 5; i++) run_and_check(&t, 4, slow);
}

static void test_stop_and_start_again(void **state)
{
    (void)state;
    static tally t;
    sp_set_num_threads(4);
    for (int i = 0; i < 20; i++) {
        run_and_check(&t, 100, count);
        if (i % 2) usleep(1000);
        sp__threads_stop();
    }
    sp__threads_stop();
    for (int n = 8; n >= 1; n--) {
        sp_set_num_threads(n);
        run_and_check(&t, 100, count);
    }
}

static void set_from_inside(void *context, int64_t i)
{
    (void)i;
    atomic_int *refused = context;
    *refused += sp_set_num_threads(2) == SP_ERROR_STATE;
    sp_error_clear();
    sp__threads_stop(); /* ignored */
}

static void test_numbers_out_of_range(void **state)
{
    (void)state;
    assert_int_equal(sp_set_num_threads(0), SP_ERROR_ARGUMENT);
    assert_error(SP_ERROR_ARGUMENT, "0 is not between 1 and 1024");
    assert_int_equal(sp_set_num_threads(1025), SP_ERROR_ARGUMENT);
    assert_error(SP_ERROR_ARGUMENT, "1025");
    sp_set_num_threads(3);
    atomic_int refused = 0;
    sp__parallel(10, set_from_inside, &refused);
    assert_int_equal(refused, 10);
    assert_int_equal(sp_num_threads(), 3);
}

/* The thread sanitizer cannot follow a forked child that starts threads, so the child then works alone. */
#if defined(__SANITIZE_THREAD__)
#define CHILD_THREADS 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define CHILD_THREADS 1
#endif
#endif
#ifndef CHILD_THREADS
#define CHILD_THREADS 3
#endif

static void test_a_forked_child_has_a_team_of_its_own(void **state)
{
    (void)state;
    static tally t;
    sp_set_num_threads(3);
    run_and_check(&t, 100, count);
    pid_t child = fork();
    if (child == 0) {
        alarm(20);
        sp_set_num_threads(CHILD_THREADS);
        memset(&t, 0, sizeof t);
        for (int i = 0; i < 10; i++) sp__parallel(100, count, &t);
        int good = 0;
        for (int i = 0; i < 100; i++) good += t.runs[i] == 10;
        sp__threads_stop();
        _exit(good == 100 ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    run_and_check(&t, 100, count);
}

/* How many threads a fresh process uses under these variables. */
static int count_in_a_child(const char *spusk, const char *omp)
{
    char command[256];
    snprintf(command, sizeof command, "env -u SPUSK_THREADS -u OMP_NUM_THREADS %s%s %s%s /proc/%d/exe count",
             spusk ? "SPUSK_THREADS=" : "", spusk ? spusk : "", omp ? "OMP_NUM_THREADS=" : "", omp ? omp : "",
             (int)getpid());
    FILE *from = popen(command, "r");
    assert_non_null(from);
    int n = -1;
    assert_int_equal(fscanf(from, "%d", &n), 1);
    assert_int_equal(pclose(from), 0);
    return n;
}

static void test_the_environment_says_how_many(void **state)
{
    (void)state;
    assert_int_equal(count_in_a_child("5", "3"), 5);
    assert_int_equal(count_in_a_child(NULL, "3"), 3);
    assert_int_equal(count_in_a_child(NULL, "4,2"), 4);
    assert_int_equal(count_in_a_child("999999", NULL), 1024);
    int machine = count_in_a_child(NULL, NULL);
    assert_true(machine >= 1);
    assert_int_equal(count_in_a_child("many", NULL), machine);
    assert_int_equal(count_in_a_child("-2", "0"), machine);
}

static atomic_int caught_on_worker;
static _Thread_local bool is_main_thread;

static void catch_signal(int number)
{
    (void)number;
    if (!is_main_thread) caught_on_worker++;
}

static void send_signal(void *context, int64_t i)
{
    (void)context, (void)i;
    kill(getpid(), SIGUSR1);
}

static void test_signals_are_for_the_programs_threads(void **state)
{
    (void)state;
    is_main_thread = true;
    signal(SIGUSR1, catch_signal);
    sp_set_num_threads(4);
    for (int i = 0; i < 20; i++) sp__parallel(8, send_signal, NULL);
    signal(SIGUSR1, SIG_DFL);
    assert_int_equal(caught_on_worker, 0);
}

/* ---- staying out of the way ---- */

static double processor_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void test_an_idle_team_uses_no_processor(void **state)
{
    (void)state;
    static tally t;
    static const int spins[] = {50, 0};
    sp_set_num_threads(2);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(sp_set_thread_spin(spins[i]), SP_OK);
        run_and_check(&t, 1001, count);
        const double before = processor_seconds();
        usleep(300000);
        assert_true(processor_seconds() - before < 0.2);
        run_and_check(&t, 64, count);
    }
    assert_int_equal(sp_set_thread_spin(-1), SP_ERROR_ARGUMENT);
    sp_error_clear();
    assert_int_equal(sp_set_thread_spin(50), SP_OK);
}

int main(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "count")) return printf("%d\n", sp_num_threads()) < 0;
    const struct CMUnitTest tests[] = {
        sp_test(test_each_item_runs_once),
        sp_test(test_backwards),
        sp_test(test_a_nested_call_runs_in_place),
        sp_test(test_items_run_side_by_side),
        sp_test(test_several_threads_call_at_once),
        sp_test(test_the_caller_waits_for_slow_items),
        sp_test(test_stop_and_start_again),
        sp_test(test_numbers_out_of_range),
        sp_test(test_a_forked_child_has_a_team_of_its_own),
        sp_test(test_the_environment_says_how_many),
        sp_test(test_signals_are_for_the_programs_threads),
        sp_test(test_an_idle_team_uses_no_processor),
    };
    return sp_test_main(tests);
}

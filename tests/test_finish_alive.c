/* sp_finish while other threads compute: they go on, and what they hold stays theirs. */
#include "support/support.h"
#include <pthread.h>
#include <spusk/spusk.h>
#include <stdatomic.h>

enum { THREADS = 3, FINISHES = 40, LEAST_STEPS = 20 };

static atomic_int steps;
static atomic_bool enough;

static bool step(sp_tensor *x, sp_tensor *w)
{
    bool right = false;
    SP_SCOPE {
        sp_set_grad(w, SP_NONE);
        sp_tensor *y = sp_relu(sp_matmul(x, w));
        right = sp_backward(sp_sum(y)) == SP_OK && sp_item(sp_select(sp_view(sp_grad(w), -1), 0, 0)) == 64;
    }
    return right;
}

static void *compute(void *wrong)
{
    sp_tensor *x = sp_ones(SP_DIMS(64, 64)), *w = sp_requires_grad(sp_ones(SP_DIMS(64, 512)));
    while (!atomic_load(&enough)) {
        if (!step(x, w)) *(bool *)wrong = true;
        atomic_fetch_add(&steps, 1);
    }
    return NULL;
}

static void test_finish_while_others_compute(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    bool wrong[THREADS] = {false};
    const int before = sp_num_threads();
    sp_set_num_threads(2);
    atomic_store(&enough, false);
    for (int i = 0; i < THREADS; i++) assert_int_equal(pthread_create(&threads[i], NULL, compute, &wrong[i]), 0);
    for (int i = 0; i < FINISHES || atomic_load(&steps) < LEAST_STEPS; i++) {
        sp_sum(sp_ones(SP_DIMS(300, 300)));
        assert_int_equal(sp_finish(), 0);
    }
    atomic_store(&enough, true);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    for (int i = 0; i < THREADS; i++) assert_false(wrong[i]);
    sp_set_num_threads(before);
}

/* A thread may end after sp_finish: what it owns goes then. */
static void test_a_thread_that_ends_after_finish(void **state)
{
    (void)state;
    pthread_t thread;
    bool wrong = false;
    atomic_store(&steps, 0);
    atomic_store(&enough, false);
    assert_int_equal(pthread_create(&thread, NULL, compute, &wrong), 0);
    while (!atomic_load(&steps)) {}
    assert_int_equal(sp_finish(), 0);
    atomic_store(&enough, true);
    pthread_join(thread, NULL);
    assert_int_equal(sp_memory().live_count, 0);
    assert_false(wrong);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_finish_while_others_compute),
        sp_test(test_a_thread_that_ends_after_finish),
    };
    return sp_test_main(tests);
}

/* Objects: destruction, checks of kind and life, threads, no memory. */
#include "support/thing.h"
#include <pthread.h>
#include <spusk/tensor.h>

/* ---- destruction ---- */

static void test_a_long_chain_goes_without_recursion(void **state)
{
    (void)state;
    enum { N = 1000000 };
    SP_SCOPE {
        thing *last = NULL;
        for (int i = 0; i < N; i++) {
            thing *t = sp__object_new_unowned(&thing_kind, sizeof *t);
            t->next = last;
            last = t;
        }
        assert_int_equal(sp__own(last), SP_OK);
    }
    assert_int_equal(destroyed, N);
}

static void busy_destroy(void *object)
{
    SP_SCOPE {
        make(1);
        sp_keep(object); /* a hold taken and given back does not destroy twice */
        sp_release(object);
    }
    if (*(int *)object) make(2); /* into the scope around */
    destroyed++;
}

static const sp_kind busy_kind = {"busy", busy_destroy};

static void test_a_destroy_callback_may_use_the_library(void **state)
{
    (void)state;
    SP_SCOPE {
        for (int i = 0; i < 100; i++) {
            int *busy = sp_object_new(&busy_kind, sizeof *busy);
            *busy = i % 2;
        }
    }
    assert_int_equal(destroyed, 200);
    sp_finish();
    assert_int_equal(destroyed, 250);
    int *last = sp_object_new(&busy_kind, sizeof *last);
    *last = 1; /* makes one more while the root scope closes */
    sp_finish();
    assert_int_equal(destroyed, 253);
}

/* ---- checks ---- */

static void test_kinds_are_checked(void **state)
{
    (void)state;
    thing *t = make(1);
    assert_true(sp_object_is(t, &thing_kind));
    assert_false(sp_object_is(t, &other_kind));
    assert_int_equal(sp__check(t, &thing_kind, "sp_add", "a"), SP_OK);
    assert_int_equal(sp__check(t, &other_kind, "sp_add", "a"), SP_ERROR_ARGUMENT);
    assert_string_equal(sp_error_message(), "sp_add: argument 'a' is a thing, not an apple");
    sp_error_clear();
    assert_int_equal(sp__check(NULL, &thing_kind, "sp_add", "b"), SP_ERROR_NULL);
    sp_error_clear();
    assert_int_equal(sp__check(sp_none_, &thing_kind, "sp_add", "b"), SP_ERROR_ARGUMENT);
    assert_string_equal(sp_error_message(), "sp_add: argument 'b' is SP_NONE, not a thing");
    sp_error_clear();
}

static void test_the_sentinels_cannot_be_destroyed(void **state)
{
    (void)state;
    assert_ptr_not_equal(sp_none_, sp_last_);
    for (int i = 0; i < 10; i++) {
        sp_release(sp_none_);
        sp_release(sp_last_);
        sp_release(sp_default_generator());
    }
    assert_int_equal(sp__check(sp_none_, &thing_kind, "f", "x"), SP_ERROR_ARGUMENT); /* SP_ERROR_STATE if dead */
    sp_error_clear();
    assert_int_equal(sp__check(sp_last_, &thing_kind, "f", "x"), SP_ERROR_ARGUMENT);
    sp_error_clear();
}

static thing *make_and_leave(void)
{
    thing *late = NULL;
    SP_SCOPE {
        late = make(1);
        sp__object_set_origin(late, "relu");
    }
    return late;
}

static void test_a_late_use_is_named(void **state)
{
    (void)state;
    sp_set_memory_pool(true); /* a release build looks at memory that the pool still has */
    thing *late = make_and_leave();
    assert_int_equal(sp__check(late, &thing_kind, "sp_add", "a"), SP_ERROR_STATE);
#ifdef SP_DEBUG
    assert_error(SP_ERROR_STATE, "sp_add: argument 'a' is a thing (made by relu) used after its scope closed or after "
                                 "sp_release");
#else
    assert_error(SP_ERROR_STATE, "sp_add: argument 'a' is no thing: it was used after its scope closed or after "
                                 "sp_release");
#endif
    assert_false(sp_object_is(late, &thing_kind));
}

static void test_the_dead_are_few(void **state)
{
    (void)state;
    int64_t pooled = 0;
    for (int i = 0; i < 10000; i++) {
        sp_release(make(i));
        if (i == 5000) pooled = sp_memory().pooled_bytes;
    }
    assert_int_equal(sp_memory().pooled_bytes, pooled);
    sp_finish();
    assert_int_equal(sp_memory().pooled_bytes, 0);
}

/* ---- threads ---- */

static thing *handed;

static void *leaves_things_in_its_root(void *unused)
{
    make(1);
    sp_scope left_open = sp_scope_open();
    (void)left_open;
    make(2);
    handed = sp_keep(make(3));
    sp_release(sp_keep(handed));
    return unused;
}

static void test_a_thread_that_ends_closes_its_root(void **state)
{
    (void)state;
    int64_t live = sp_memory().live_count;
    pthread_t thread;
    pthread_create(&thread, NULL, leaves_things_in_its_root, NULL);
    pthread_join(thread, NULL);
    assert_int_equal(destroyed, 2);
    assert_int_equal(sp_memory().live_count, live + 1);
    assert_ptr_equal(sp_adopt(handed), handed);
    sp_finish();
    assert_int_equal(destroyed, 3);
}

static void *uses_a_foreign_object(void *object)
{
    for (int i = 0; i < 1000; i++) {
        if (sp_keep(object) != object || sp_escape(object) != object) return NULL;
        sp_release(object);
        if (i % 100 == 0 && sp_adopt(sp_retain(object))) return NULL; /* cannot: another thread's scope has it */
        sp_error_clear();
    }
    return object;
}

static void test_other_threads_take_holds_of_their_own(void **state)
{
    (void)state;
    thing *shared = make(1);
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) pthread_create(&threads[i], NULL, uses_a_foreign_object, shared);
    for (int i = 0; i < 1000; i++) {
        SP_SCOPE {
            make(i);
            sp_release(sp_keep(make(2)));
        }
    }
    for (int i = 0; i < 3; i++) {
        void *result;
        pthread_join(threads[i], &result);
        assert_ptr_equal(result, shared);
    }
    assert_int_equal(shared->name, 1);
    int before = destroyed;
    sp_release(shared);
    assert_int_equal(destroyed, before + 1);
}

/* ---- no memory ---- */

static bool use_scopes(void *context)
{
    (void)context;
    bool good = true;
    SP_SCOPE {
        for (int i = 0; i < 70; i++) good = make(i) && good; /* more than the stack's first size */
        thing *kept = sp_keep(make(1));
        thing *unowned = sp__object_new_unowned(&thing_kind, sizeof *unowned);
        if (unowned && sp__own(unowned)) sp__unref(unowned);
        good = good && kept && unowned && sp_error_status() == SP_OK;
        if (kept) kept = sp_adopt(kept);
        good = good && kept;
    }
    return good;
}

static void test_each_allocation_may_fail(void **state)
{
    (void)state;
    int64_t failed = support_fail_each_allocation(use_scopes, NULL);
    assert_true(failed >= 74); /* 72 objects and two stacks */
    assert_true(destroyed > 0);
}

static bool adopt_many(void *context)
{
    (void)context;
    thing *kept[65];
    for (int i = 0; i < 65; i++) kept[i] = sp__object_new_unowned(&thing_kind, sizeof **kept);
    bool good = true;
    for (int i = 0; i < 65; i++) good = sp_adopt(kept[i]) && good;
    return good;
}

static void test_adopting_without_memory_gives_up_the_hold(void **state)
{
    (void)state;
    assert_int_equal(support_fail_each_allocation(adopt_many, NULL), 67);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scope_test(test_a_long_chain_goes_without_recursion),
        scope_test(test_a_destroy_callback_may_use_the_library),
        scope_test(test_kinds_are_checked),
        scope_test(test_the_sentinels_cannot_be_destroyed),
        scope_test(test_a_late_use_is_named),
        scope_test(test_the_dead_are_few),
        scope_test(test_a_thread_that_ends_closes_its_root),
        scope_test(test_other_threads_take_holds_of_their_own),
        scope_test(test_each_allocation_may_fail),
        scope_test(test_adopting_without_memory_gives_up_the_hold),
    };
    return sp_test_main(tests);
}

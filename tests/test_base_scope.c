/* Objects, their counts, and the scopes that own them. */
#include "base/base.h"
#include "support/support.h"
#include <pthread.h>
#include <spusk/tensor.h>
#include <string.h>

typedef struct thing {
    int name;
    struct thing *next; /* held */
} thing;

static atomic_int destroyed;
static int order[16];

static void thing_destroy(void *object)
{
    thing *t = object;
    int n = destroyed++;
    if (n < 16) order[n] = t->name;
    sp__unref(t->next);
}

static const sp_kind thing_kind = {"thing", thing_destroy};
static const sp_kind other_kind = {"apple", NULL};

static thing *make(int name)
{
    thing *t = sp_object_new(&thing_kind, sizeof *t);
    if (t) t->name = name;
    return t;
}

static int start(void **state)
{
    destroyed = 0;
    return support_setup(state);
}
#define scope_test(function) cmocka_unit_test_setup_teardown(function, start, support_teardown)

/* ---- ownership ---- */

static void test_a_scope_drops_what_it_made(void **state)
{
    (void)state;
    int64_t live = sp_memory().live_count;
    thing *outside = make(1);
    SP_SCOPE {
        assert_non_null(make(2));
        assert_non_null(make(3));
        assert_int_equal(destroyed, 0);
    }
    assert_int_equal(destroyed, 2);
    assert_int_equal(outside->name, 1);
    sp_release(outside);
    assert_int_equal(destroyed, 3);
    sp_finish();
    assert_int_equal(sp_memory().live_count, live);
}

static void test_keep_outlives_scopes(void **state)
{
    (void)state;
    thing *kept = NULL;
    SP_SCOPE {
        kept = sp_keep(make(1));
        make(2);
    }
    assert_int_equal(destroyed, 1);
    assert_int_equal(kept->name, 1);
    assert_ptr_equal(sp_keep(kept), kept); /* one more hold, one more release */
    sp_release(kept);
    assert_int_equal(destroyed, 1);
    sp_release(kept);
    assert_int_equal(destroyed, 2);
}

static void test_escape_goes_one_scope_up(void **state)
{
    (void)state;
    SP_SCOPE {
        SP_SCOPE {
            SP_SCOPE {
                make(9);
                assert_non_null(sp_escape(make(1)));
                sp_escape(sp_escape(make(2)));
                sp_escape(sp_escape(sp_escape(sp_escape(make(3)))));
            }
            assert_int_equal(destroyed, 1);
        }
        assert_int_equal(destroyed, 2);
        assert_int_equal(order[1], 1);
    }
    assert_int_equal(destroyed, 3);
    assert_int_equal(order[2], 2);
    sp_finish();
    assert_int_equal(order[3], 3);
}

/* The scope that an object escapes to is the one around its owner, whichever is open. */
static void test_escape_counts_from_the_owner(void **state)
{
    (void)state;
    thing *t = NULL;
    SP_SCOPE {
        SP_SCOPE {
            t = make(1);
            SP_SCOPE {
                sp_escape(t);
            }
            assert_int_equal(destroyed, 0);
        }
        assert_int_equal(destroyed, 0);
    }
    assert_int_equal(destroyed, 1);
}

static void test_adopt_gives_a_hold_to_the_open_scope(void **state)
{
    (void)state;
    thing *t = sp_keep(make(1));
    SP_SCOPE {
        assert_ptr_equal(sp_adopt(t), t);
        assert_int_equal(destroyed, 0);
    }
    assert_int_equal(destroyed, 1);
    thing *owned = sp_retain(make(2)); /* the scope's hold and one more */
    assert_ptr_equal(sp_adopt(owned), owned);
    sp_release(owned);
    assert_int_equal(destroyed, 2);
}

static void test_null_passes(void **state)
{
    (void)state;
    assert_null(sp_keep(NULL));
    assert_null(sp_escape(NULL));
    assert_null(sp_retain(NULL));
    assert_null(sp_adopt(NULL));
    assert_null(sp__ref(NULL));
    sp_release(NULL);
    sp__unref(NULL);
    sp_scope_close(NULL);
    sp__object_set_origin(NULL, "add");
    assert_false(sp_object_is(NULL, &thing_kind));
    assert_no_error();
    assert_null(sp_object_new(NULL, 8));
    assert_error(SP_ERROR_NULL, "sp_object_new");
}

static void test_holds_are_counted(void **state)
{
    (void)state;
    thing *t = make(1);
    thing *holder = make(2);
    holder->next = sp__ref(t);
    sp_release(t);
    assert_int_equal(destroyed, 0);
    sp_retain(t);
    sp_release(holder);
    assert_int_equal(destroyed, 1);
    sp_release(t);
    assert_int_equal(destroyed, 2);
}

/* What a container gives back is its own hold, though the scope that is open has one too. */
static void test_drop_leaves_the_scopes_hold(void **state)
{
    (void)state;
    SP_SCOPE {
        thing *t = sp_retain(make(1));
        sp_drop(t);
        assert_int_equal(destroyed, 0);
    }
    assert_int_equal(destroyed, 1);
    sp_drop(NULL);
}

static void test_many_objects_and_gaps(void **state)
{
    (void)state;
    enum { N = 3000 };
    static thing *all[N];
    SP_SCOPE {
        for (int i = 0; i < N; i++) all[i] = make(i);
        for (int i = 0; i < N; i += 3) sp_release(all[i]);
        for (int i = 1; i < N; i += 3) sp_escape(all[i]);
        assert_int_equal(destroyed, N / 3);
    }
    assert_int_equal(destroyed, 2 * N / 3);
    for (int i = 1; i < N; i += 3) assert_int_equal(all[i]->name, i);
    for (int i = 1; i < N; i += 3) sp_release(all[i]);
    assert_int_equal(destroyed, N);
}

/* An object of an outer scope is taken out while an inner one is open: the inner scope must still know where it began.
 */
static void test_taking_out_of_an_outer_scope(void **state)
{
    (void)state;
    SP_SCOPE {
        thing *outer = make(1);
        SP_SCOPE {
            sp_release(outer);
            make(2);
            make(3);
        }
        assert_int_equal(destroyed, 3);
        make(4);
    }
    assert_int_equal(destroyed, 4);
}

/* A loop without a scope that releases the last but one each time must not make anything grow. */
static void test_a_rolling_object_does_not_grow_the_stack(void **state)
{
    (void)state;
    thing *last = make(0);
    int64_t bytes = 0;
    for (int i = 1; i < 10000; i++) {
        thing *now = make(i);
        sp_release(last);
        last = now;
        if (i == 100) bytes = sp_memory().live_bytes;
    }
    assert_int_equal(sp_memory().live_bytes, bytes);
    assert_int_equal(destroyed, 9999);
}

/* ---- ways out of a scope ---- */

static int returns_from_inside(void)
{
    SP_SCOPE {
        make(1);
        SP_NO_GRAD {
            make(2);
            if (destroyed == 0) return sp_grad_enabled();
        }
    }
    return -1;
}

static void test_break_continue_return_and_goto(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        SP_SCOPE {
            make(i);
            if (i == 1) continue;
            make(10 + i);
        }
    assert_int_equal(destroyed, 5);
    SP_NO_GRAD {
        make(20);
        break;
    }
    assert_int_equal(destroyed, 6);
    assert_true(sp_grad_enabled());
    destroyed = 0;
    assert_int_equal(returns_from_inside(), 0);
    assert_int_equal(destroyed, 2);
    assert_true(sp_grad_enabled());
    SP_SCOPE {
        SP_NO_GRAD {
            make(1);
            goto out;
        }
    }
out:
    assert_int_equal(destroyed, 3);
    assert_true(sp_grad_enabled());
}

static void test_an_outer_close_closes_inner_ones(void **state)
{
    (void)state;
    sp_scope outer = sp_scope_open();
    make(1);
    sp_scope inner = sp_scope_open_no_grad();
    make(2);
    sp_scope innermost = sp_scope_open();
    make(3);
    assert_false(sp_grad_enabled());
    sp_scope_close(&outer);
    assert_int_equal(destroyed, 3);
    assert_true(sp_grad_enabled());
    sp_scope_close(&innermost);
    sp_scope_close(&inner);
    sp_scope_close(&outer);
    make(4);
    assert_int_equal(destroyed, 3);
    sp_scope again = sp_scope_open();
    make(5);
    sp_scope_close(&again);
    sp_scope_close(&again);
    assert_int_equal(destroyed, 4);
    assert_int_equal(order[3], 5);
}

static void test_finish_closes_everything(void **state)
{
    (void)state;
    SP_SCOPE {
        make(1);
        SP_NO_GRAD {
            make(2);
            sp_finish();
            assert_int_equal(destroyed, 2);
            make(3);
            assert_true(sp_grad_enabled());
        }
    }
    assert_int_equal(destroyed, 2);
    sp_finish();
    assert_int_equal(destroyed, 3);
}

static void test_grad_mode_belongs_to_the_scope(void **state)
{
    (void)state;
    assert_true(sp_grad_enabled());
    SP_NO_GRAD {
        assert_false(sp_grad_enabled());
        SP_SCOPE {
            assert_false(sp_grad_enabled());
            sp__set_grad_enabled(true);
            assert_true(sp_grad_enabled());
        }
        assert_false(sp_grad_enabled());
        SP_ENABLE_GRAD {
            assert_true(sp_grad_enabled());
        }
        assert_false(sp_grad_enabled());
    }
    assert_true(sp_grad_enabled());
}

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
    assert_true(sp_object_is(sp_none_, &sp__none_kind));
    assert_true(sp_object_is(sp_last_, &sp__last_kind));
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
        scope_test(test_a_scope_drops_what_it_made),
        scope_test(test_keep_outlives_scopes),
        scope_test(test_escape_goes_one_scope_up),
        scope_test(test_escape_counts_from_the_owner),
        scope_test(test_adopt_gives_a_hold_to_the_open_scope),
        scope_test(test_null_passes),
        scope_test(test_holds_are_counted),
        scope_test(test_drop_leaves_the_scopes_hold),
        scope_test(test_many_objects_and_gaps),
        scope_test(test_taking_out_of_an_outer_scope),
        scope_test(test_a_rolling_object_does_not_grow_the_stack),
        scope_test(test_break_continue_return_and_goto),
        scope_test(test_an_outer_close_closes_inner_ones),
        scope_test(test_finish_closes_everything),
        scope_test(test_grad_mode_belongs_to_the_scope),
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

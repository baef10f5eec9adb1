/* The scopes that own objects, and the ways in and out of them. */
#include "support/thing.h"

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
    };
    return sp_test_main(tests);
}

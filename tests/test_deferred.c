/* Deferred calls: when they run, what they read, and who may not notice. */
#include "autograd/deferred.h"
#include "autograd/fusion.h"
#include "support/support.h"
#include <pthread.h>
#include <spusk/spusk.h>

static atomic_int doubled, fused;

/* ---- an operator that is always deferred: y = 2·x ---- */

static sp_status infer_same(sp_call *call)
{
    const sp_tensor *x = call->inputs[0];
    return sp_call_output(call, 0, x->dtype, (sp_dims){x->sizes, x->ndim});
}

static bool always(const sp_call *call)
{
    (void)call;
    return true;
}

static sp_status forward_double(sp_call *call)
{
    atomic_fetch_add(&doubled, 1);
    return sp__map_tensors(SP__AFFINE, call->outputs[0], call->inputs, 1, 0, (double[]){2, 0});
}

static sp_status backward_double(sp_grad_call *call)
{
    call->result[0] = sp_mul_scalar(call->grads[0], 2);
    return call->result[0] ? SP_OK : sp_error_status();
}

static const sp_op op_double = {.name = "double",
                                .backward_name = "DoubleBackward0",
                                .n_inputs = 1,
                                .infer = infer_same,
                                .forward = forward_double,
                                .backward = backward_double,
                                .autocast = SP_CAST_LOWER};

/* ---- and one that runs together with it: y = x + 1, or 2·x + 1 at once ---- */

static sp_status forward_next(sp_call *call)
{
    return sp__map_tensors(SP__AFFINE, call->outputs[0], call->inputs, 1, 0, (double[]){1, 1});
}

static const sp_op op_next = {.name = "next", .n_inputs = 1, .infer = infer_same, .forward = forward_next};

static sp_status forward_both(const sp_call *calls, bool *taken)
{
    atomic_fetch_add(&fused, 1);
    *taken = true;
    return sp__map_tensors(SP__AFFINE, calls[1].outputs[0], calls[0].inputs, 1, 0, (double[]){2, 1});
}

static const sp__fusion fusions[] = {
    {.n = 2, .ops = {&op_double, &op_next}, .pays = always, .forward = forward_both},
    {0},
};

static sp_tensor *twice(sp_tensor *x)
{
    return sp_op_apply(&op_double, &x, 1, NULL);
}

static sp_tensor *next(sp_tensor *x)
{
    return sp_op_apply(&op_next, &x, 1, NULL);
}

static void count_anew(void)
{
    atomic_store(&doubled, 0);
    atomic_store(&fused, 0);
}

static void assert_two(sp_tensor *x, double a, double b)
{
    assert_close(sp_item(sp_select(x, 0, 0)), a, 0);
    assert_close(sp_item(sp_select(x, 0, 1)), b, 0);
}

/* ---- when it runs ---- */

static void test_a_value_is_computed_when_it_is_read_and_once(void **state)
{
    (void)state;
    count_anew();
    sp_tensor *y = twice(sp_vector(1, 2));
    assert_int_equal(sp_size(y, 0), 2);
    assert_int_equal(doubled, 0);
    assert_two(y, 2, 4);
    assert_two(sp_add(y, y), 4, 8);
    assert_int_equal(doubled, 1);
}

static void test_what_nobody_reads_is_never_computed(void **state)
{
    (void)state;
    count_anew();
    SP_SCOPE {
        twice(sp_vector(1, 2));
        next(twice(sp_vector(3, 4)));
    }
    assert_int_equal(doubled + fused, 0);
}

static void test_a_fused_reader_leaves_the_inner_value_deferred(void **state)
{
    (void)state;
    count_anew();
    sp_tensor *y = twice(sp_vector(1, 2)), *z = next(y);
    assert_two(z, 3, 5);
    assert_int_equal(doubled, 0);
    assert_int_equal(fused, 1);
    assert_two(y, 2, 4);
    assert_int_equal(doubled, 1);
}

static void test_an_inner_value_that_is_there_is_not_computed_again(void **state)
{
    (void)state;
    count_anew();
    sp_tensor *y = twice(sp_vector(1, 2));
    assert_two(y, 2, 4);
    assert_two(next(y), 3, 5);
    assert_int_equal(fused, 0);
}

static void test_every_way_to_read_computes(void **state)
{
    (void)state;
    float out[2];
    char text[64];
    assert_int_equal(sp_copy_out(out, twice(sp_vector(1, 2)), sizeof out), SP_OK);
    assert_close((double)out[1], 4, 0);
    assert_close((double)((const float *)sp_const_data(twice(sp_vector(1, 2))))[0], 2, 0);
    sp_to_string(twice(sp_vector(1, 2)), text, sizeof text);
    assert_string_equal(text, "tensor([2., 4.])");
    assert_two(sp_flatten(sp_view(twice(sp_vector(1, 2)), 2, 1)), 2, 4);
    assert_two(sp_clone(sp_detach(twice(sp_vector(1, 2)))), 2, 4);
    assert_two(sp_stack(SP_LIST(twice(sp_scalar(1)), twice(sp_scalar(2))), 0), 2, 4);
    assert_two(sp_add_(sp_vector(1, 1), twice(sp_vector(1, 2))), 3, 5);
}

/* ---- writes ---- */

static void test_a_write_to_an_operand_comes_after(void **state)
{
    (void)state;
    sp_tensor *x = sp_vector(1, 2), *y = twice(x), *z = next(y);
    sp_fill_(x, 7);
    assert_two(z, 3, 5);
    sp_zero_(x);
    assert_two(y, 2, 4);
    assert_two(x, 0, 0);
}

static void test_a_write_through_a_view_and_from_the_host_come_after(void **state)
{
    (void)state;
    sp_tensor *x = sp_vector(1, 2), *y = twice(x);
    sp_fill_(sp_narrow(x, 0, 1, 1), 9);
    sp_tensor *z = twice(x);
    assert_int_equal(sp_copy_in(x, (float[]){5, 6}, 8), SP_OK);
    assert_two(y, 2, 4);
    assert_two(z, 2, 18);
    assert_two(twice(x), 10, 12);
}

static void test_a_write_to_the_value_itself_computes_it_first(void **state)
{
    (void)state;
    sp_tensor *y = twice(sp_vector(1, 2)), *z = next(y);
    sp_add_scalar_(y, 10);
    assert_two(y, 12, 14);
    assert_two(z, 3, 5);
}

static void test_memory_that_the_program_may_write_to_is_read_at_once(void **state)
{
    (void)state;
    count_anew();
    sp_tensor *x = sp_vector(1, 2);
    float *values = sp_data(x);
    sp_tensor *y = twice(x);
    assert_int_equal(doubled, 1);
    values[0] = 100;
    assert_two(y, 2, 4);
    sp_data_end(x);
    twice(x);
    assert_int_equal(doubled, 1);
}

/* ---- the graph ---- */

static void test_gradients_flow_through_what_was_never_computed(void **state)
{
    (void)state;
    count_anew();
    sp_tensor *x = sp_requires_grad(sp_vector(1, 2)), *y = twice(x);
    assert_int_equal(sp_backward_with(y, sp_vector(1, 10)), SP_OK);
    assert_two(sp_grad(x), 2, 20);
    assert_int_equal(doubled, 0);
    assert_string_equal(sp_grad_fn_name(y), "DoubleBackward0");
}

static void test_the_graph_reads_what_it_saved_of_a_deferred_value(void **state)
{
    (void)state;
    sp_tensor *x = sp_requires_grad(sp_vector(0, 1)), *y = sp_exp(twice(x));
    assert_int_equal(sp_backward(sp_sum(y)), SP_OK);
    assert_close(sp_item(sp_select(sp_grad(x), 0, 0)), 2, 1e-6);
}

/* ---- failures ---- */

static bool read_late(void *unused)
{
    (void)unused;
    bool fine = false;
    SP_SCOPE {
        sp_tensor *x = sp_vector(1, 2), *y = x ? next(twice(x)) : NULL;
        sp_tensor *sum = y && sp_fill_(x, 3) ? sp_sum(y) : NULL;
        fine = sum && sp_item(sum) == 8;
    }
    return fine;
}

static void test_each_allocation_of_a_late_value_fails_in_turn(void **state)
{
    (void)state;
    assert_in_range(support_fail_each_allocation(read_late, NULL), 5, 10000);
}

/* ---- threads ---- */

static void *read_it(void *y)
{
    double *sum = sp_alloc(sizeof *sum);
    if (sum) *sum = sp_item(sp_sum(y));
    return sum;
}

static void test_threads_that_read_one_value_compute_it_once(void **state)
{
    (void)state;
    enum { READERS = 4 };
    for (int turn = 0; turn < 50; turn++)
        SP_SCOPE {
            count_anew();
            sp_tensor *y = twice(sp_ones(SP_DIMS(1000)));
            pthread_t readers[READERS];
            for (int i = 0; i < READERS; i++) assert_int_equal(pthread_create(&readers[i], NULL, read_it, y), 0);
            for (int i = 0; i < READERS; i++) {
                void *sum;
                assert_int_equal(pthread_join(readers[i], &sum), 0);
                assert_close(*(double *)sum, 2000, 0);
                sp_free(sum, sizeof(double));
            }
            assert_int_equal(doubled, 1);
        }
}

/* The operand is another tensor than the value: one thread may write it while another reads the value. */
static void test_a_write_to_an_operand_waits_for_who_reads_it(void **state)
{
    (void)state;
    for (int turn = 0; turn < 200; turn++)
        SP_SCOPE {
            sp_tensor *x = sp_ones(SP_DIMS(20000)), *y = twice(x), *z = turn % 2 ? next(y) : y;
            pthread_t reader;
            void *sum;
            assert_int_equal(pthread_create(&reader, NULL, read_it, z), 0);
            sp_fill_(x, 7);
            assert_int_equal(pthread_join(reader, &sum), 0);
            assert_close(*(double *)sum, turn % 2 ? 60000 : 40000, 0);
            sp_free(sum, sizeof(double));
        }
}

static void test_it_can_be_turned_off(void **state)
{
    (void)state;
    count_anew();
    sp__set_deferral(false);
    sp_tensor *y = twice(sp_vector(1, 2));
    sp__set_deferral(true);
    assert_int_equal(doubled, 1);
    assert_two(y, 2, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_a_value_is_computed_when_it_is_read_and_once),
        sp_test(test_what_nobody_reads_is_never_computed),
        sp_test(test_a_fused_reader_leaves_the_inner_value_deferred),
        sp_test(test_an_inner_value_that_is_there_is_not_computed_again),
        sp_test(test_every_way_to_read_computes),
        sp_test(test_a_write_to_an_operand_comes_after),
        sp_test(test_a_write_through_a_view_and_from_the_host_come_after),
        sp_test(test_a_write_to_the_value_itself_computes_it_first),
        sp_test(test_memory_that_the_program_may_write_to_is_read_at_once),
        sp_test(test_gradients_flow_through_what_was_never_computed),
        sp_test(test_the_graph_reads_what_it_saved_of_a_deferred_value),
        sp_test(test_each_allocation_of_a_late_value_fails_in_turn),
        sp_test(test_threads_that_read_one_value_compute_it_once),
        sp_test(test_a_write_to_an_operand_waits_for_who_reads_it),
        sp_test(test_it_can_be_turned_off),
    };
    sp__set_fusions(fusions);
    return sp_test_main(tests);
}

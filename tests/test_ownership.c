/* The mistakes of docs/guide/ownership.md, with their messages. In a release build the memory of an object that is gone
 * may hold another by now; right after its scope, with the pool on, it is still known for what it was. */
#include "support/support.h"
#include <math.h>
#include <spusk/spusk.h>

#define GONE "used after its scope closed or after sp_release"

/* ---- a result that nobody handed out ---- */

static sp_tensor *total(sp_tensor *x)
{
    SP_SCOPE {
        return sp_sum(sp_square(x)); // wrong: sp_escape(sp_sum(…))
    }
    return NULL;
}

static void test_a_result_needs_escape(void **state)
{
    (void)state;
    sp_tensor *sum = total(sp_vector(1, 2, 3));
    assert_true(isnan(sp_item(sum)));
    assert_error(SP_ERROR_STATE, GONE);
}

/* ---- a tensor of a batch, after the loop ---- */

static void test_a_batch_goes_with_its_turn(void **state)
{
    (void)state;
    sp_loader *loader = sp_data_loader(sp_data_tensors(sp_rand(SP_DIMS(4, 2)), sp_rand(SP_DIMS(4))), .batch_size = 2);
    sp_tensor *last = NULL;
    sp_foreach_batch (batch, loader) {
        last = batch.x; // wrong: sp_escape(batch.x)
    }
    assert_int_equal(sp_print(last), SP_ERROR_STATE);
    assert_error(SP_ERROR_STATE, GONE);
}

/* ---- a loss that stayed in SP_AUTOCAST ---- */

static void test_a_loss_needs_escape_out_of_autocast(void **state)
{
    (void)state;
    sp_module *model = sp_nn_linear(3, 1);
    sp_tensor *x = sp_ones(SP_DIMS(4, 3)), *y = sp_zeros(SP_DIMS(4, 1)), *loss = NULL;
    SP_AUTOCAST(SP_BF16)
    {
        loss = sp_mse_loss(sp_forward(model, x), y); // wrong: sp_escape(sp_mse_loss(…))
    }
    assert_int_equal(sp_backward(loss), SP_ERROR_STATE);
    assert_error(SP_ERROR_STATE, GONE);
}

/* ---- a graph that is walked twice ---- */

static void test_a_graph_goes_with_its_backward(void **state)
{
    (void)state;
    sp_tensor *x = sp_requires_grad(sp_vector(1, 2, 3));
    sp_tensor *loss = sp_sum(sp_exp(x));
    assert_int_equal(sp_backward(loss), SP_OK);
    assert_int_equal(sp_backward(loss), SP_ERROR_STATE); // wrong: .retain_graph = true in the first
    assert_error(SP_ERROR_STATE, "backward through ExpBackward0 a second time: what it saved was freed by the first; "
                                 "say .retain_graph = true there");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_a_result_needs_escape),
        sp_test(test_a_batch_goes_with_its_turn),
        sp_test(test_a_loss_needs_escape_out_of_autocast),
        sp_test(test_a_graph_goes_with_its_backward),
    };
    sp_set_memory_pool(true);
    return sp_test_main(tests);
}

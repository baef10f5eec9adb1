/* One model for many threads: in evaluation mode and without gradients they may all run it at once, and read one
 * tensor. */
#include "support/support.h"
#include <pthread.h>
#include <spusk/spusk.h>

enum { THREADS = 4, RUNS = 20 };

typedef struct job {
    sp_module *model;
    sp_tensor *x, *y; /* what goes in, and what has to come out */
    int right;
} job;

static void *run_model(void *argument)
{
    job *j = argument;
    for (int i = 0; i < RUNS; i++)
        SP_NO_GRAD {
            j->right += sp_equal(sp_forward(j->model, j->x), j->y);
        }
    return NULL;
}

static void run_by_all(sp_module *model, sp_tensor *x)
{
    sp_tensor *y = NULL;
    sp_eval(model);
    SP_NO_GRAD {
        y = sp_escape(sp_forward(model, x));
    }
    pthread_t threads[THREADS];
    job jobs[THREADS];
    for (int i = 0; i < THREADS; i++) {
        jobs[i] = (job){model, x, y, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, run_model, &jobs[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    for (int i = 0; i < THREADS; i++) assert_int_equal(jobs[i].right, RUNS);
    assert_no_error();
}

static void test_a_classifier(void **state)
{
    (void)state;
    run_by_all(sp_nn_sequential(sp_nn_flatten(), sp_nn_linear(784, 64), sp_nn_relu(), sp_nn_dropout(0.5),
                                sp_nn_linear(64, 10), sp_nn_log_softmax(1)),
               sp_rand(SP_DIMS(32, 1, 28, 28)));
}

static void test_convolutions(void **state)
{
    (void)state;
    run_by_all(sp_nn_sequential(sp_nn_conv2d(1, 8, 3, .padding = 1), sp_nn_batch_norm2d(8), sp_nn_relu(),
                                sp_nn_max_pool2d(2), sp_nn_conv2d(8, 16, 3), sp_nn_relu(), sp_nn_max_pool2d(2),
                                sp_nn_flatten(), sp_nn_linear(576, 10)),
               sp_rand(SP_DIMS(8, 1, 28, 28)));
}

/* The input may itself wait for its values: the first reader computes them. */
static void test_an_input_that_nobody_has_read(void **state)
{
    (void)state;
    sp_module *model = sp_nn_linear(64, 8), *first = sp_nn_linear(32, 64);
    sp_tensor *x = sp_rand(SP_DIMS(16, 32)), *hidden = NULL;
    SP_NO_GRAD {
        hidden = sp_escape(sp_relu(sp_forward(first, x)));
    }
    run_by_all(model, hidden);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_a_classifier),
        sp_test(test_convolutions),
        sp_test(test_an_input_that_nobody_has_read),
    };
    return sp_test_main(tests);
}

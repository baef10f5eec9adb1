/* Products of matrices: torch.matmul's table of shapes, what Linear takes, and what each refuses. Values and gradients
 * are the operators' loop's. */
#include "support/support.h"
#include "support/values.h"
#include <spusk/spusk.h>

#define VECTOR(n) sp_ones(SP_DIMS(n))

static void test_matmul_shapes(void **state)
{
    (void)state;
    assert_shape(sp_matmul(VECTOR(3), VECTOR(3)), SP_DIMS());
    assert_shape(sp_matmul(sp_ones(SP_DIMS(2, 3)), VECTOR(3)), SP_DIMS(2));
    assert_shape(sp_matmul(VECTOR(2), sp_ones(SP_DIMS(2, 3))), SP_DIMS(3));
    assert_shape(sp_matmul(VECTOR(2), sp_ones(SP_DIMS(5, 2, 3))), SP_DIMS(5, 3));
    assert_shape(sp_matmul(sp_ones(SP_DIMS(5, 4, 3)), VECTOR(3)), SP_DIMS(5, 4));
    assert_shape(sp_matmul(sp_ones(SP_DIMS(5, 4, 3)), sp_ones(SP_DIMS(3, 2))), SP_DIMS(5, 4, 2));
    assert_shape(sp_matmul(sp_ones(SP_DIMS(7, 1, 4, 3)), sp_ones(SP_DIMS(5, 3, 2))), SP_DIMS(7, 5, 4, 2));
    assert_shape(sp_matmul(sp_ones(SP_DIMS(0, 4, 3)), sp_ones(SP_DIMS(3, 2))), SP_DIMS(0, 4, 2));
    assert_shape(sp_matmul(sp_ones(SP_DIMS(2, 0)), sp_ones(SP_DIMS(0, 3))), SP_DIMS(2, 3));
}

static void test_matmul_refuses(void **state)
{
    (void)state;
    assert_null(sp_matmul(sp_ones(SP_DIMS(2, 3)), sp_ones(SP_DIMS(2, 3))));
    assert_error(SP_ERROR_SHAPE, "[2, 3] and [2, 3] do not fit");
    assert_null(sp_matmul(sp_scalar(1), VECTOR(3)));
    assert_error(SP_ERROR_SHAPE, "at least one dimension each");
    assert_null(sp_matmul(sp_ones(SP_DIMS(2, 4, 3)), sp_ones(SP_DIMS(5, 3, 2))));
    assert_error(SP_ERROR_SHAPE, "sp_matmul");
    assert_null(sp_matmul(sp_ones(SP_DIMS(2, 3)), sp_ones(SP_DIMS(3, 2), .dtype = SP_F64)));
    assert_error(SP_ERROR_DTYPE, "cast one of them");
    assert_null(sp_mm(sp_ones(SP_DIMS(2, 2), .dtype = SP_BOOL), sp_ones(SP_DIMS(2, 2), .dtype = SP_BOOL)));
    assert_error(SP_ERROR_DTYPE, "bool");
    assert_null(sp_addmm(VECTOR(5), sp_ones(SP_DIMS(2, 3)), sp_ones(SP_DIMS(3, 4))));
    assert_error(SP_ERROR_SHAPE, "[5]");
}

static void test_linear_of_a_vector(void **state)
{
    (void)state;
    sp_tensor *x = sp_matrix(2, 3, 1, 2, 3, 4, 5, 6), *weight = sp_vector(1, 0, -1);
    sp_tensor *y = sp_linear(x, weight, sp_scalar(10));
    assert_shape(y, SP_DIMS(2));
    assert_holds(y, 8, 8);
    assert_shape(sp_linear(sp_select(x, 0, 0), weight, SP_NONE), SP_DIMS());
}

static void test_linear_refuses(void **state)
{
    (void)state;
    sp_tensor *x = sp_ones(SP_DIMS(2, 3));
    assert_null(sp_linear(x, sp_ones(SP_DIMS(4, 2)), SP_NONE));
    assert_error(SP_ERROR_SHAPE, "a weight (out, in)");
    assert_null(sp_linear(x, sp_ones(SP_DIMS(4, 3)), VECTOR(3)));
    assert_error(SP_ERROR_SHAPE, "a bias (out)");
    assert_null(sp_linear(x, VECTOR(2), SP_NONE));
    assert_error(SP_ERROR_SHAPE, "a weight (in)");
    assert_null(sp_linear(x, VECTOR(3), VECTOR(2)));
    assert_error(SP_ERROR_SHAPE, "a bias ()");
    assert_null(sp_linear(x, sp_ones(SP_DIMS(4, 3)), NULL));
    assert_error(SP_ERROR_NULL, "pass SP_NONE for no tensor");
    assert_null(sp_linear(x, NULL, SP_NONE));
    assert_error(SP_ERROR_NULL, "'weight' is NULL");
}

/* What was folded for the product is no shape that anybody made. */
static void test_messages_name_the_shapes_given(void **state)
{
    (void)state;
    sp_tensor *images = sp_ones(SP_DIMS(64, 28, 28));
    assert_null(sp_linear(images, sp_ones(SP_DIMS(256, 784)), SP_NONE));
    assert_error(SP_ERROR_SHAPE, "[64, 28, 28] and [256, 784]");
    assert_null(sp_forward(sp_nn_linear(784, 256), images));
    assert_error(SP_ERROR_SHAPE, "[64, 28, 28] and [256, 784]");
    assert_null(sp_matmul(images, sp_ones(SP_DIMS(784, 256))));
    assert_error(SP_ERROR_SHAPE, "[64, 28, 28] and [784, 256]");
    assert_null(sp_matmul(images, VECTOR(5)));
    assert_error(SP_ERROR_SHAPE, "[64, 28, 28] and [5]");
    assert_null(sp_matmul(VECTOR(5), images));
    assert_error(SP_ERROR_SHAPE, "[5] and [64, 28, 28]");
    assert_null(sp_matmul(sp_ones(SP_DIMS(2, 4, 3)), sp_ones(SP_DIMS(5, 3, 2))));
    assert_error(SP_ERROR_SHAPE, "[2, 4, 3] and [5, 3, 2]");
    assert_null(sp_linear(images, VECTOR(5), SP_NONE));
    assert_error(SP_ERROR_SHAPE, "[64, 28, 28] and [5]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_matmul_shapes),
        sp_test(test_matmul_refuses),
        sp_test(test_linear_of_a_vector),
        sp_test(test_linear_refuses),
        sp_test(test_messages_name_the_shapes_given),
    };
    return sp_test_main(tests);
}
